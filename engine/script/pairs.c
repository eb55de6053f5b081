#include "script/room.h"

#include <stdlib.h>
#include <string.h>

/*
 * Walks in an order that is the same in every process: numbers, strings by bytes, false, true, then
 * tables, functions and userdata in the order in which walks first met them (those that one walk
 * meets together: as they were made, as far as the allocator tells). A walk sees the keys that were
 * there when it began and skips those that have gone since.
 */
static const char SEEN_KEY, LAST_KEY;

enum key_class { KEY_NUMBER, KEY_STRING, KEY_BOOLEAN, KEY_OBJECT };

struct key {
    enum key_class class;
    bool real;
    lua_Integer integer; /* serial of an object, value of a boolean */
    lua_Number number;
    struct view text;
    const void *address;
    lua_Integer slot; /* in the unsorted list */
};

static int compare_numbers(const struct key *a, const struct key *b)
{
    if (!a->real && !b->real)
        return (a->integer > b->integer) - (a->integer < b->integer);
    lua_Number x = a->real ? a->number : (lua_Number)a->integer;
    lua_Number y = b->real ? b->number : (lua_Number)b->integer;
    return x != y ? (x > y) - (x < y) : (int)a->real - (int)b->real;
}

static int compare_keys(const void *left, const void *right)
{
    const struct key *a = left, *b = right;

    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    if (a->class == KEY_NUMBER)
        return compare_numbers(a, b);
    if (a->class == KEY_STRING) {
        size_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
        int order = memcmp(a->text.ptr, b->text.ptr, len);

        return order ? order : (a->text.len > b->text.len) - (a->text.len < b->text.len);
    }
    if (a->integer != b->integer)
        return a->integer < b->integer ? -1 : 1;
    return (a->address > b->address) - (a->address < b->address);
}

/* The serial of the object on top, 0 when no walk met it. Table of those at seen. */
static lua_Integer serial_of(lua_State *L, int seen)
{
    lua_Integer serial;

    lua_pushvalue(L, -1);
    lua_rawget(L, seen);
    serial = lua_tointeger(L, -1);
    lua_pop(L, 1);
    return serial ? serial : LUA_MAXINTEGER;
}

static void describe_key(lua_State *L, struct key *key, int seen)
{
    memset(key, 0, sizeof(*key));
    switch (lua_type(L, -1)) {
    case LUA_TNUMBER:
        key->class = KEY_NUMBER;
        key->real = !lua_isinteger(L, -1);
        if (key->real)
            key->number = lua_tonumber(L, -1);
        else
            key->integer = lua_tointeger(L, -1);
        break;
    case LUA_TSTRING:
        key->class = KEY_STRING;
        key->text.ptr = lua_tolstring(L, -1, &key->text.len);
        break;
    case LUA_TBOOLEAN:
        key->class = KEY_BOOLEAN;
        key->integer = lua_toboolean(L, -1);
        break;
    default:
        key->class = KEY_OBJECT;
        key->integer = serial_of(L, seen);
        key->address = lua_topointer(L, -1);
    }
}

/* Gives a serial to each object of the sorted list that has none; the next one is kept under 0. */
static void number_objects(lua_State *L, int sorted, lua_Integer count, int seen)
{
    lua_Integer next;

    lua_rawgeti(L, seen, 0);
    next = lua_tointeger(L, -1) + 1;
    lua_pop(L, 1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, sorted, i);
        if (serial_of(L, seen) == LUA_MAXINTEGER) {
            lua_pushinteger(L, next++);
            lua_rawset(L, seen);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_pushinteger(L, next - 1);
    lua_rawseti(L, seen, 0);
}

/* Pushes the list of the keys of the table at index, sorted; returns their number. */
static lua_Integer push_sorted_keys(lua_State *L, int index)
{
    lua_Integer count = 0;
    int list, seen, objects = 0;
    bool sorted = true;
    struct key *keys;

    luaL_checkstack(L, 10, "pairs");
    lua_createtable(L, (int)lua_rawlen(L, index) & 0xffffff, 0);
    list = lua_gettop(L);
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        sorted = sorted && lua_isinteger(L, -1) && lua_tointeger(L, -1) == count + 1;
        lua_rawseti(L, list, ++count);
    }
    if (sorted)
        return count;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &SEEN_KEY);
    seen = lua_gettop(L);
    keys = lua_newuserdatauv(L, (size_t)count * sizeof(*keys), 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, list, i + 1);
        describe_key(L, &keys[i], seen);
        keys[i].slot = i + 1;
        objects += keys[i].class == KEY_OBJECT;
        lua_pop(L, 1);
    }
    qsort(keys, (size_t)count, sizeof(*keys), compare_keys);
    lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
    for (lua_Integer i = 0; i < count; i++) {
        lua_rawgeti(L, list, keys[i].slot);
        lua_rawseti(L, -2, i + 1);
    }
    if (objects)
        number_objects(L, lua_gettop(L), count, seen);
    lua_replace(L, list);
    lua_settop(L, list);
    return count;
}

/* Upvalues: table, sorted keys, position. */
static int pairs_step(lua_State *L)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(3));

    for (;;) {
        at++;
        if (lua_rawgeti(L, lua_upvalueindex(2), at) == LUA_TNIL)
            return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
            break;
        lua_pop(L, 2);
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(3));
    return 2;
}

int pairs_push_raw(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    lua_pushvalue(L, index);
    push_sorted_keys(L, index);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_step, 3);
    lua_pushvalue(L, index);
    lua_pushnil(L);
    return 3;
}

/* pairs(t) -> iterator, t, nil; a __pairs of t's own is asked first */
int pairs_sorted(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
        luaL_checktype(L, 1, LUA_TTABLE);
        return pairs_push_raw(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_call(L, 1, 3);
    return 3;
}

/* The walk that next() goes on with: {table, keys, position}, held weakly. Pushes keys, returns the place of key 2. */
static lua_Integer find_position(lua_State *L, int last)
{
    lua_Integer at;

    lua_rawgeti(L, last, 1);
    if (lua_rawequal(L, -1, 1)) {
        lua_rawgeti(L, last, 2);
        lua_rawgeti(L, last, 3);
        at = lua_tointeger(L, -1);
        lua_pop(L, 1);
        if (lua_istable(L, -1)) {
            lua_rawgeti(L, -1, at);
            if (lua_rawequal(L, -1, 2)) {
                lua_pop(L, 1);
                return at;
            }
        }
    }
    lua_settop(L, last);
    for (lua_Integer i = 1, count = push_sorted_keys(L, 1); i <= count; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_rawequal(L, -1, 2)) {
            lua_pop(L, 1);
            return i;
        }
        lua_pop(L, 1);
    }
    return luaL_error(L, "next: this key is not in the table");
}

/* next(t, key) -> the following key and its value, nil at the end */
int pairs_next(lua_State *L)
{
    lua_Integer at = 0;
    int last;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (freeze_push_real(L, 1))
        lua_replace(L, 1);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LAST_KEY);
    last = lua_gettop(L);
    if (lua_isnil(L, 2))
        push_sorted_keys(L, 1);
    else
        at = find_position(L, last);
    for (at++; lua_rawgeti(L, -1, at) != LUA_TNIL; at++) {
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) {
            lua_pushvalue(L, 1);
            lua_rawseti(L, last, 1);
            lua_pushvalue(L, -3);
            lua_rawseti(L, last, 2);
            lua_pushinteger(L, at);
            lua_rawseti(L, last, 3);
            return 2;
        }
        lua_pop(L, 2);
    }
    return 1;
}

static void weak_table(lua_State *L, const char *mode, const void *key)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void pairs_open(lua_State *L, int globals)
{
    globals = lua_absindex(L, globals);
    weak_table(L, "k", &SEEN_KEY);
    weak_table(L, "v", &LAST_KEY);
    lua_pushcfunction(L, pairs_sorted);
    lua_setfield(L, globals, "pairs");
    lua_pushcfunction(L, pairs_next);
    lua_setfield(L, globals, "next");
}
