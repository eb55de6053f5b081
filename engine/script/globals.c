#include "script/room.h"

#include <lualib.h>

/*
 * What Lua code finds around itself: a choice of Lua's own functions, libraries that cannot be
 * changed, strict globals. Files of the project and of the engine see different tables, which
 * differ in their `require` only.
 */
static const char NAMES_KEY, PROJECT_KEY, ENGINE_KEY;

static const char *const BASE[] = {"assert", "error",  "getmetatable", "ipairs", "rawequal", "rawget",
                                   "rawlen", "select", "tonumber",     "type",   "_VERSION", NULL};

/* Remembers "prefix.key" for each function of the table on top. */
static void note_names(lua_State *L, const char *prefix)
{
    int table = lua_gettop(L);

    lua_rawgetp(L, LUA_REGISTRYINDEX, &NAMES_KEY);
    lua_pushnil(L);
    while (lua_next(L, table)) {
        if (lua_isfunction(L, -1)) {
            lua_pushfstring(L, "%s%s", prefix, lua_tostring(L, -2));
            lua_rawset(L, -4);
        } else {
            lua_pop(L, 1);
        }
    }
    lua_settop(L, table);
}

const char *globals_function_name(lua_State *L, int index)
{
    const char *name;

    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &NAMES_KEY);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    name = lua_tostring(L, -1);
    lua_pop(L, 2);
    return name;
}

/* Takes the library on top and sets its read-only face in the table at globals. */
static void add_library(lua_State *L, int globals, const char *name)
{
    char prefix[32];

    snprintf(prefix, sizeof(prefix), "%s.", name);
    note_names(L, prefix);
    freeze_strict(L, -1, name);
    script_freeze(L, -1, name);
    lua_setfield(L, globals, name);
    lua_pop(L, 1);
}

static void clear_field(lua_State *L, const char *key)
{
    lua_pushnil(L);
    lua_setfield(L, -2, key);
}

static int null_tostring(lua_State *L)
{
    lua_pushliteral(L, "null");
    return 1;
}

/* One metatable serves all light userdata; null is the only one that Lua code ever sees. */
static void null_open(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
    lua_createtable(L, 0, 3);
    lua_pushcfunction(L, null_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushliteral(L, "null");
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "null");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

static void copy_table(lua_State *L, int from)
{
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, from)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
}

void globals_open(lua_State *L)
{
    int globals, base;

    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &NAMES_KEY);
    luaL_requiref(L, "_G", luaopen_base, 0);
    base = lua_gettop(L);
    lua_newtable(L);
    globals = lua_gettop(L);
    for (int i = 0; BASE[i]; i++) {
        lua_getfield(L, base, BASE[i]);
        lua_setfield(L, globals, BASE[i]);
    }
    lua_pushcfunction(L, string_tostring);
    lua_setfield(L, globals, "tostring");
    guard_open(L, globals);
    freeze_open(L, globals);
    pairs_open(L, globals);
    strings_open(L);
    add_library(L, globals, "string");
    luaL_requiref(L, "table", luaopen_table, 0);
    lua_pushcfunction(L, sort_table);
    lua_setfield(L, -2, "sort");
    add_library(L, globals, "table");
    luaL_requiref(L, "utf8", luaopen_utf8, 0);
    add_library(L, globals, "utf8");
    luaL_requiref(L, "math", luaopen_math, 0);
    clear_field(L, "random");
    clear_field(L, "randomseed");
    add_library(L, globals, "math");
    null_open(L);
    lua_settop(L, globals);
    note_names(L, "");

    copy_table(L, globals);
    freeze_strict(L, -1, "");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ENGINE_KEY);
    freeze_strict(L, globals, "");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &PROJECT_KEY);

    /* Nothing reaches the state's own globals any more; Lua's messages find names through what it loaded. */
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &PROJECT_KEY);
    lua_setfield(L, -2, "_G");
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_settop(L, 0);
}

static void push_globals(lua_State *L, bool trusted)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, trusted ? &ENGINE_KEY : &PROJECT_KEY);
}

/* Takes the value on top. */
void globals_set(lua_State *L, bool trusted, const char *name)
{
    push_globals(L, trusted);
    lua_pushstring(L, name);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

void globals_push_env(lua_State *L, bool trusted)
{
    push_globals(L, trusted);
    freeze_push_env(L, -1);
    lua_remove(L, -2);
}

void script_global(struct script *script, const char *name)
{
    lua_State *L = script->L;

    lua_pushvalue(L, -1);
    globals_set(L, true, name);
    globals_set(L, false, name);
}
