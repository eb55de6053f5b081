#include "script/room.h"

/*
 * dosrun.native.task: what dosrun.parallel and the run's steps are made of.
 *   spawn(f, ...) -> handle       starts a task below the calling one
 *   handle:join() -> results      waits for its end; raises its error
 *   handle:cancel(message)        ends it
 *   handle:done() -> boolean
 */
struct handle {
    struct task *task; /* a reference */
};

static const char HANDLE_META[] = "task";

static struct task *check_handle(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, HANDLE_META);

    return handle->task;
}

/* spawn(f, ...) -> handle: f(...) in a task of its own, a child of this one */
static int task_spawn(lua_State *L)
{
    struct script *script = script_of(L);
    struct handle *handle;

    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (!context_of(L)->task)
        return script_raise_explained(L, "S402", "nothing can be started outside of a task");
    if (script->live >= TASKS_MAX)
        return script_raise_explained(L, "S404", "more than %d tasks at once", TASKS_MAX);
    task_check(L, context_of(L)->task);
    handle = lua_newuserdatauv(L, sizeof(*handle), 0);
    handle->task = NULL;
    luaL_setmetatable(L, HANDLE_META);
    lua_insert(L, 1);
    handle->task = task_new(script, L, lua_gettop(L) - 2);
    task_ref(handle->task);
    task_start(handle->task);
    return 1;
}

static int push_joined(lua_State *L, struct op *op, struct err *err)
{
    struct task *target = op->task->joining;

    (void)err;
    luaL_checkstack(L, target->results + 4, "the results of a task");
    if (!target->failed) {
        for (int i = 1; i <= target->results; i++)
            lua_pushvalue(target->L, i);
        lua_xmove(target->L, L, target->results);
        return target->results;
    }
    lua_pushvalue(target->L, 1);
    lua_xmove(target->L, L, 1);
    if (lua_type(L, -1) != LUA_TTABLE)
        error_push(L, target->failed, &target->place);
    error_keep_trace(L, -1, task_trace(target));
    return lua_error(L);
}

static void check_no_deadlock(lua_State *L, const struct task *task, const struct task *target)
{
    for (const struct task *at = target; at; at = at->joining) {
        if (at == task)
            script_raise_explained(L, "S404", "this task would wait for itself");
    }
    for (const struct task *at = task->parent; at; at = at->parent) {
        if (at == target)
            script_raise_explained(L, "S404", "a task cannot wait for the one that started it");
    }
}

/* handle:join() -> what the task returned; raises what it raised */
static int task_join(lua_State *L)
{
    struct task *target = check_handle(L), *task = context_of(L)->task;

    task_check_wait(L);
    check_no_deadlock(L, task, target);
    task->join = (struct op){.push = push_joined};
    return task_wait_join(L, target);
}

/* handle:cancel(why?) */
static int task_cancel_handle(lua_State *L)
{
    struct task *target = check_handle(L);
    struct err err = ERR_INIT;

    err_set(&err, ERR_CANCELLED, "%s", luaL_optstring(L, 2, "cancelled"));
    task_cancel(target, &err);
    return 0;
}

/* handle:done() -> has it ended? */
static int task_is_done(lua_State *L)
{
    lua_pushboolean(L, task_done(check_handle(L)));
    return 1;
}

static int handle_gc(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, HANDLE_META);

    if (handle->task)
        task_unref(handle->task);
    handle->task = NULL;
    return 0;
}

static const luaL_Reg METHODS[] = {
    {"join", task_join},
    {"cancel", task_cancel_handle},
    {"done", task_is_done},
    {NULL, NULL},
};

static const luaL_Reg FUNCTIONS[] = {
    {"spawn", task_spawn},
    {NULL, NULL},
};

int native_task_open(lua_State *L)
{
    luaL_newmetatable(L, HANDLE_META);
    luaL_newlib(L, METHODS);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, handle_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "task");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, FUNCTIONS);
    return 1;
}
