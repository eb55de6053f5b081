#include "script/room.h"

/*
 * table.sort, stable: what compares equal stays in its order. Lua's own takes its pivots from the
 * clock when a sort goes badly, so that equal values come out differently from run to run.
 */
enum { RESERVE_MAX = 1 << 16 };

/* Stack of the function: table, comparison or nil, list, spare list. */
enum { TABLE = 1, COMPARE, LIST, SPARE };

/* Whether the value at index `right` goes before the one at `left`; both are absolute. */
static bool goes_before(lua_State *L, int right, int left)
{
    bool before;

    if (lua_isnil(L, COMPARE))
        return lua_compare(L, right, left, LUA_OPLT);
    lua_pushvalue(L, COMPARE);
    lua_pushvalue(L, right);
    lua_pushvalue(L, left);
    lua_call(L, 2, 1);
    before = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return before;
}

/* Merges from[low, middle) and from[middle, high) into to; places count from 1. */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle, lua_Integer high)
{
    lua_Integer left = low, right = middle;
    int top = lua_gettop(L);

    for (lua_Integer out = low; out < high; out++) {
        lua_Integer take;

        if (left < middle && right < high) {
            lua_rawgeti(L, from, left);
            lua_rawgeti(L, from, right);
            take = goes_before(L, top + 2, top + 1) ? right++ : left++;
            lua_settop(L, top);
        } else {
            take = left < middle ? left++ : right++;
        }
        lua_rawgeti(L, from, take);
        lua_rawseti(L, to, out);
    }
}

static lua_Integer smaller(lua_Integer a, lua_Integer b)
{
    return a < b ? a : b;
}

/* sort(list, before) */
int sort_table(lua_State *L)
{
    lua_Integer count;
    int from = LIST, to = SPARE;

    luaL_checkany(L, TABLE);
    count = luaL_len(L, TABLE);
    if (count < 2)
        return 0;
    luaL_argcheck(L, count < INT32_MAX, 1, "array too big");
    if (!lua_isnoneornil(L, COMPARE))
        luaL_checktype(L, COMPARE, LUA_TFUNCTION);
    lua_settop(L, COMPARE);
    lua_createtable(L, (int)smaller(count, RESERVE_MAX), 0);
    lua_createtable(L, (int)smaller(count, RESERVE_MAX), 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, TABLE, i);
        lua_rawseti(L, LIST, i);
    }
    for (lua_Integer width = 1; width < count; width *= 2) {
        for (lua_Integer low = 1; low <= count; low += 2 * width)
            merge(L, from, to, low, smaller(low + width, count + 1), smaller(low + 2 * width, count + 1));
        from = from == LIST ? SPARE : LIST;
        to = from == LIST ? SPARE : LIST;
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, from, i);
        lua_seti(L, TABLE, i);
    }
    return 0;
}
