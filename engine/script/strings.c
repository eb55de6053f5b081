#include "script/room.h"

#include <lualib.h>
#include <string.h>

/*
 * The string library without dump, with a bounded rep, and with a format that shows no addresses.
 */
enum { REP_MAX = 64 << 20 };

/* rep(s, n, sep) -> s n times, 64 MiB at most */
static int string_rep(lua_State *L)
{
    size_t len, sep_len;
    const char *text = luaL_checklstring(L, 1, &len);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *sep = luaL_optlstring(L, 3, "", &sep_len);
    luaL_Buffer out;

    if (times <= 0 || len + sep_len == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if (times > REP_MAX || (len + sep_len) > (size_t)(REP_MAX / times))
        return script_raise_explained(L, "S406", "string.rep would make more than %d MiB", REP_MAX >> 20);
    luaL_buffinit(L, &out);
    while (times-- > 0) {
        luaL_addlstring(&out, text, len);
        if (times > 0)
            luaL_addlstring(&out, sep, sep_len);
    }
    luaL_pushresult(&out);
    return 1;
}

const char *value_push_text(lua_State *L, int index, size_t *len)
{
    luaL_checkstack(L, 4, "a value's text");
    index = lua_absindex(L, index);
    if (luaL_callmeta(L, index, "__tostring")) {
        if (!lua_isstring(L, -1))
            luaL_error(L, "'__tostring' must return a string");
        return lua_tolstring(L, -1, len);
    }
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
    case LUA_TSTRING:
    case LUA_TNIL:
    case LUA_TBOOLEAN:
        return luaL_tolstring(L, index, len);
    case LUA_TLIGHTUSERDATA:
        lua_pushliteral(L, "null");
        break;
    default:
        if (luaL_getmetafield(L, index, "__name") != LUA_TSTRING)
            lua_pushstring(L, luaL_typename(L, index));
    }
    return lua_tolstring(L, -1, len);
}

/* tostring(v) -> its text; a table is "table", whichever it is */
int string_tostring(lua_State *L)
{
    luaL_checkany(L, 1);
    value_push_text(L, 1, NULL);
    return 1;
}

static bool shows_address(int type)
{
    return type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TNIL && type != LUA_TBOOLEAN;
}

/*
 * format(f, ...): what %s and %p would show with an address is replaced by its text first, %p then
 * reads %s. Upvalue: Lua's own format. Stack: f, arguments..., new f.
 */
static int string_format(lua_State *L)
{
    size_t len;
    const char *format = luaL_checklstring(L, 1, &len), *end = format + len;
    int arg = 1, top = lua_gettop(L);
    char *copy;

    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    copy = lua_newuserdatauv(L, len + 1, 0);
    memcpy(copy, format, len + 1);
    for (const char *at = format; at < end; at++) {
        if (*at != '%')
            continue;
        at++;
        if (at < end && *at == '%')
            continue;
        while (at < end && strchr("-+ #0123456789.", *at) && *at)
            at++;
        arg++;
        if (at >= end || (*at != 's' && *at != 'p') || arg > top)
            continue;
        copy[at - format] = 's';
        if (*at == 'p' || shows_address(lua_type(L, arg + 1))) {
            value_push_text(L, arg + 1, NULL);
            lua_replace(L, arg + 1);
        }
    }
    lua_pushlstring(L, copy, len);
    lua_replace(L, 2);
    lua_settop(L, top + 1);
    lua_call(L, top, 1);
    return 1;
}

void strings_open(lua_State *L)
{
    luaL_requiref(L, "string", luaopen_string, 0);
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pushcfunction(L, string_rep);
    lua_setfield(L, -2, "rep");
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_newtable(L); /* where messages find the name of the format below ours */
    lua_getfield(L, -3, "format");
    lua_setfield(L, -2, "format");
    lua_setfield(L, -2, "string");
    lua_pop(L, 1);
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, -2, "format");
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushliteral(L, "string");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}
