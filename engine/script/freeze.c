#include "script/room.h"
#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

/*
 * Read-only faces of tables, and the strict globals made of the same stuff. A face is an empty table
 * whose metatable leads reads to the real one and refuses writes; FROZEN_KEY finds the real one again.
 */
static const char FROZEN_KEY;

bool freeze_push_real(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index))
        return false;
    if (lua_rawgetp(L, -1, &FROZEN_KEY) == LUA_TTABLE) {
        lua_remove(L, -2);
        return true;
    }
    lua_pop(L, 2);
    return false;
}

/* Upvalue: the name. */
static int frozen_write(lua_State *L)
{
    const char *name = lua_tostring(L, lua_upvalueindex(1));

    if (lua_type(L, 2) == LUA_TSTRING)
        return script_raise_explained(L, "S409", "%s.%s cannot be set: %s is read-only", name, lua_tostring(L, 2),
                                      name);
    return script_raise_explained(L, "S409", "%s cannot be changed: it is read-only", name);
}

static int frozen_pairs(lua_State *L)
{
    if (!freeze_push_real(L, 1))
        return luaL_error(L, "a read-only table expected");
    return pairs_push_raw(L, -1);
}

static int frozen_len(lua_State *L)
{
    if (!freeze_push_real(L, 1))
        return luaL_error(L, "a read-only table expected");
    lua_pushinteger(L, luaL_len(L, -1));
    return 1;
}

void script_freeze(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, "a read-only table");
    lua_newtable(L);
    lua_createtable(L, 0, 7);
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, &FROZEN_KEY);
    lua_pushstring(L, name);
    lua_pushcclosure(L, frozen_write, 1);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, frozen_pairs);
    lua_setfield(L, -2, "__pairs");
    lua_pushcfunction(L, frozen_len);
    lua_setfield(L, -2, "__len");
    lua_pushliteral(L, "read-only");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

static const struct left_out {
    const char *name, *why;
} LEFT_OUT[] = {
    {"os", "a playbook reaches the outside only through dosrun"},
    {"io", "a playbook reaches the outside only through dosrun"},
    {"debug", "it would open the engine"},
    {"package", "require finds the project's lib/ by itself"},
    {"coroutine", "steps wait by themselves; dosrun.parallel runs functions side by side"},
    {"load", "put the code into a file below lib/ and require it"},
    {"loadstring", "put the code into a file below lib/ and require it"},
    {"loadfile", "put the code into a file below lib/ and require it"},
    {"dofile", "put the code into a file below lib/ and require it"},
    {"collectgarbage", "memory is the engine's business"},
    {"warn", "use print"},
    {"_G", "every file has its own locals; share values through a module that returns a table"},
    {"unpack", "it is table.unpack"},
    {"setfenv", "it left Lua with 5.1"},
    {"getfenv", "it left Lua with 5.1"},
    {"math.random", "a run must be the same when it is repeated"},
    {"math.randomseed", "a run must be the same when it is repeated"},
    {"string.dump", "only text is loaded"},
};

static const char *why_left_out(const char *library, const char *name)
{
    char full[64];

    snprintf(full, sizeof(full), "%s%s%s", library, *library ? "." : "", name);
    for (size_t i = 0; i < sizeof(LEFT_OUT) / sizeof(LEFT_OUT[0]); i++) {
        if (strcmp(LEFT_OUT[i].name, full) == 0)
            return LEFT_OUT[i].why;
    }
    return NULL;
}

/* __index of the table of globals and of each library; upvalue: its name, "" for the globals. */
static int strict_read(lua_State *L)
{
    const char *library = lua_tostring(L, lua_upvalueindex(1)), *name, *why;
    struct suggest suggest;

    if (lua_type(L, 2) != LUA_TSTRING)
        return 0;
    name = lua_tostring(L, 2);
    why = why_left_out(library, name);
    if (why)
        return script_raise_explained(L, "S403", "playbooks have no %s%s%s: %s", library, *library ? "." : "", name,
                                      why);
    suggest_init(&suggest, name);
    if (lua_type(L, 1) == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, 1)) {
            if (lua_type(L, -2) == LUA_TSTRING)
                suggest_try(&suggest, lua_tostring(L, -2));
            lua_pop(L, 1);
        }
    }
    if (*library)
        return script_raise_explained(L, "S403", "%s has no '%s'%s%s%s", library, name,
                                      suggest.found ? "; did you mean '" : "", suggest.found ? suggest.found : "",
                                      suggest.found ? "'?" : "");
    return script_raise_explained(L, "S403", "'%s' was never declared%s%s%s", name,
                                  suggest.found ? "; did you mean '" : " (a missing 'local', or a wrong name)",
                                  suggest.found ? suggest.found : "", suggest.found ? "'?" : "");
}

static int strict_write(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return script_raise_explained(L, "S403", "globals cannot be made here");
    return script_raise_explained(L, "S403", "'%s' is not a local: write 'local %s' where it begins",
                                  lua_tostring(L, 2), lua_tostring(L, 2));
}

void freeze_strict(lua_State *L, int index, const char *name)
{
    index = lua_absindex(L, index);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, name);
    lua_pushcclosure(L, strict_read, 1);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "strict");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, index);
}

void freeze_push_env(lua_State *L, int globals)
{
    globals = lua_absindex(L, globals);
    lua_newtable(L);
    lua_createtable(L, 0, 4);
    lua_pushvalue(L, globals);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, strict_write);
    lua_setfield(L, -2, "__newindex");
    lua_pushliteral(L, "globals");
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}

static bool protected_table(lua_State *L, int index)
{
    if (luaL_getmetafield(L, index, "__metatable") == LUA_TNIL)
        return false;
    lua_pop(L, 1);
    return true;
}

/* rawset(table, key, value) -> table; not for tables of the engine */
static int freeze_rawset(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_checkany(L, 2);
    luaL_checkany(L, 3);
    lua_settop(L, 3);
    if (protected_table(L, 1))
        return script_raise_explained(L, "S409", "this table cannot be changed: it is read-only");
    lua_rawset(L, 1);
    return 1;
}

/* setmetatable(table, metatable or nil) -> table; finalizers are refused, for they run where no limit holds */
static int freeze_setmetatable(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, lua_isnil(L, 2) || lua_type(L, 2) == LUA_TTABLE, 2, "nil or table");
    lua_settop(L, 2);
    if (protected_table(L, 1))
        return script_raise_explained(L, "S409", "the metatable of this table cannot be changed");
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return script_raise_explained(L, "S409", "playbooks have no __gc: it would run at any time");
        lua_pop(L, 1);
    }
    lua_setmetatable(L, 1);
    return 1;
}

void freeze_open(lua_State *L, int globals)
{
    globals = lua_absindex(L, globals);
    lua_pushcfunction(L, freeze_rawset);
    lua_setfield(L, globals, "rawset");
    lua_pushcfunction(L, freeze_setmetatable);
    lua_setfield(L, globals, "setmetatable");
}
