#include "script/room.h"

/*
 * pcall and xpcall that catch everything but the end of the task: a cancellation, a deadline or
 * exhausted memory goes on through them. Both may wait inside.
 */
/* Lua bounds nested C calls, but starts to count anew where a coroutine caught an error; unwinding takes the square of
   the depth. */
enum { GUARDS_MAX = 190 };

static void enter_guard(lua_State *L, const char *name)
{
    struct task *task = context_of(L)->task;

    if (!task)
        return;
    if (task->guards >= GUARDS_MAX)
        script_raise_explained(L, "S404", "%s is nested more than %d levels deep", name, GUARDS_MAX);
    task->guards++;
}

static bool doomed(lua_State *L)
{
    struct task *task = context_of(L)->task;

    return task && task->doom;
}

static int pcall_finish(lua_State *L, int status, lua_KContext extra)
{
    struct task *task = context_of(L)->task;

    if (task)
        task->guards--;
    if (status == LUA_OK || status == LUA_YIELD)
        return lua_gettop(L) - (int)extra;
    if (status == LUA_ERRMEM && task)
        task_doom_memory(task);
    if (doomed(L))
        return task_raise_doom(L);
    lua_pushboolean(L, 0);
    lua_pushvalue(L, -2);
    return 2;
}

/* pcall(f, ...) -> true, results | false, error */
static int guard_pcall(lua_State *L)
{
    int status;

    luaL_checkany(L, 1);
    enter_guard(L, "pcall");
    lua_pushcfunction(L, error_note_place);
    lua_insert(L, 1);
    lua_pushboolean(L, 1);
    lua_insert(L, 2);
    status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, 1, pcall_finish);
    return pcall_finish(L, status, 1);
}

/* Upvalue: the author's handler. Not called when the task is doomed: the hook is off in here then. */
static int xpcall_handler(lua_State *L)
{
    if (doomed(L))
        return 1;
    error_note_place(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* xpcall(f, handler, ...) -> true, results | false, what handler(error) gave */
static int guard_xpcall(lua_State *L)
{
    int status;

    luaL_checkany(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    enter_guard(L, "xpcall");
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, xpcall_handler, 1);
    lua_replace(L, 2);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_replace(L, 1);
    lua_replace(L, 2);
    lua_pushboolean(L, 1);
    lua_insert(L, 2);
    status = lua_pcallk(L, lua_gettop(L) - 3, LUA_MULTRET, 1, 1, pcall_finish);
    return pcall_finish(L, status, 1);
}

void guard_open(lua_State *L, int globals)
{
    globals = lua_absindex(L, globals);
    lua_pushcfunction(L, guard_pcall);
    lua_setfield(L, globals, "pcall");
    lua_pushcfunction(L, guard_xpcall);
    lua_setfield(L, globals, "xpcall");
}
