#include "script/room.h"

#include <assert.h>
#include <string.h>

/*
 * Waiting: a binding starts something and yields its task; whatever completes it only queues the
 * task; the continuation here pushes the results when the one resumer comes to it.
 */
static struct task ready_before_wait; /* op->task of an op that was complete before task_wait */

static const struct barrier {
    const char *function, *instead;
} BARRIERS[] = {
    {"string.gsub", "collect the matches first with 'for word in text:gmatch(pattern) do', and wait in that loop"},
    {"table.sort", "fetch what the order depends on in a loop before sorting"},
    {"tostring", "call a function of your own instead of relying on __tostring"},
    {"string.format", "call a function of your own instead of relying on __tostring"},
    {"table.concat", "build the list in a loop first"},
    {"table.insert", "use a plain table"},
    {"pairs", "build the list first and walk over that"},
};

/* Takes the function on top. True when it is a C function that nothing can wait inside. */
static bool find_barrier(lua_State *L, const char **name, const char **instead)
{
    *name = globals_function_name(L, -1);
    lua_pop(L, 1);
    if (!*name || strcmp(*name, "pcall") == 0 || strcmp(*name, "xpcall") == 0 || strcmp(*name, "require") == 0)
        return false;
    *instead = "call it outside of that, in a loop";
    for (size_t i = 0; i < sizeof(BARRIERS) / sizeof(BARRIERS[0]); i++) {
        if (strcmp(BARRIERS[i].function, *name) == 0)
            *instead = BARRIERS[i].instead;
    }
    return true;
}

static int explain_no_wait(lua_State *L)
{
    lua_Debug ar;
    const char *name, *instead;

    luaL_checkstack(L, 8, "an explanation");
    for (int level = 1; lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Snf", &ar);
        if (find_barrier(L, &name, &instead) && ar.what[0] == 'C')
            return script_raise_explained(L, "S402", "nothing can wait inside %s: %s", name, instead);
        if (strcmp(ar.namewhat, "metamethod") == 0)
            return script_raise_explained(
                L, "S402", "nothing can wait inside the metamethod __%s: call a function instead", ar.name);
    }
    return script_raise_explained(L, "S402", "nothing can wait here: call it from a step's own function");
}

void task_check_wait(lua_State *L)
{
    struct task *task = context_of(L)->task;

    if (!task)
        script_raise_explained(L, "S402", "nothing can wait outside of a task");
    task_check(L, task);
    if (!lua_isyieldable(L))
        explain_no_wait(L);
}

static void end_op(struct task *task)
{
    struct op *op = task->op;

    task->op = NULL;
    task->joining = NULL;
    if (op && op->free)
        op->free(op);
}

static int push_results(lua_State *L, struct task *task)
{
    struct err err = ERR_INIT;
    int count;

    if (task->doom) { /* the op has been cancelled and freed */
        end_op(task);
        return task_raise_doom(L);
    }
    count = task->op->push(L, task->op, &err);
    end_op(task);
    return count < 0 ? script_raise(L, &err) : count;
}

static int wait_continue(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return push_results(L, context_of(L)->task);
}

int task_wait(lua_State *L, struct op *op)
{
    struct task *task = context_of(L)->task;
    bool early = op->task == &ready_before_wait;

    if (!task || task->doom || !lua_isyieldable(L)) {
        if (!early && op->cancel)
            op->cancel(op);
        if (op->free)
            op->free(op);
        task_check_wait(L);
    }
    if (task->op)
        end_op(task); /* one whose push raised */
    task->op = op;
    task->op_ready = early;
    op->task = task;
    if (early)
        return push_results(L, task);
    task->state = TASK_WAITING;
    return lua_yieldk(L, 0, 0, wait_continue);
}

int task_wait_join(lua_State *L, struct task *target)
{
    struct task *task = context_of(L)->task;

    end_op(task);
    if (task_done(target)) {
        target->observed = true;
        task_ready(&task->join);
    }
    task->joining = target;
    return task_wait(L, &task->join);
}

void task_ready(struct op *op)
{
    struct task *task = op->task;

    if (!task) {
        op->task = &ready_before_wait;
        return;
    }
    assert(task->op == op && task->state == TASK_WAITING && !task->op_ready);
    task->op_ready = true;
    task->state = TASK_QUEUED;
    list_add_tail(&task->context.script->ready, &task->queued);
}
