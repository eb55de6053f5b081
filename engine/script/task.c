#include "script/room.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Tasks: coroutines with a deadline, a parent and at most one pending op. One queue, one place that
 * resumes. A task whose body has returned lingers until its children have ended; a failure of a
 * child that nobody joined is its parent's failure too.
 *
 * `doom` is the error that ends a task from outside. It is raised as a bare light userdata, which
 * costs no memory, and every catcher of this room passes it on.
 */
static const char DOOM_TAG;

void task_ref(struct task *task)
{
    task->refs++;
}

void task_unref(struct task *task)
{
    struct script *script = task->context.script;

    if (--task->refs > 0)
        return;
    list_remove(&task->link);
    list_remove(&task->queued);
    if (!script->closing)
        luaL_unref(script->L, LUA_REGISTRYINDEX, task->ref);
    buf_free(&task->trace);
    free(task->doom);
    free(task->failed);
    free(task);
}

struct task *task_new(struct script *script, lua_State *L, int nargs)
{
    struct task *task = mem_alloc(sizeof(*task));

    task->context = (struct context){script, task};
    list_init(&task->queued);
    list_add_tail(&script->tasks, &task->link);
    buf_init(&task->trace, 32 << 10);
    task->refs = 1;
    task->nargs = nargs;
    task->parent = context_of(L)->task;
    script_place(L, &task->started);
    if (task->parent) {
        task->parent->children++;
        task->data = task->parent->data;
    }
    script->live++;
    script->limited -= 1 << 20; /* an error for want of memory would leave half a task */
    lua_checkstack(L, 2);
    task->L = lua_newthread(L);
    *(struct context **)lua_getextraspace(task->L) = &task->context;
    task->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_checkstack(task->L, nargs + 1);
    lua_xmove(L, task->L, nargs + 1);
    script->limited += 1 << 20;
    return task;
}

void task_on_end(struct task *task, task_end_fn *fn, void *ctx)
{
    task->end = fn;
    task->end_ctx = ctx;
}

static void task_queue(struct task *task)
{
    task->state = TASK_QUEUED;
    list_add_tail(&task->context.script->ready, &task->queued);
}

void task_start(struct task *task)
{
    assert(task->state == TASK_NEW);
    task_queue(task);
}

bool task_done(const struct task *task)
{
    return task->state == TASK_DONE;
}

static void drop_op(struct task *task, bool cancel)
{
    struct op *op = task->op;

    task->op = NULL;
    task->joining = NULL;
    if (op && cancel && op->cancel)
        op->cancel(op);
    if (op && op->free)
        op->free(op);
}

/* Ends this task alone: at its next resumption, tick or wait. */
static void doom_one(struct task *task, const struct err *why)
{
    if (task->doom || task->state == TASK_DONE)
        return;
    task->doom = mem_alloc(sizeof(*task->doom));
    *task->doom = *why;
    if (task->state == TASK_WAITING) {
        drop_op(task, !task->op_ready);
        task_queue(task);
    } else if (task->state == TASK_QUEUED && task->op) {
        drop_op(task, false);
    } else if (task->state == TASK_NEW) {
        task_queue(task);
    }
}

void task_cancel(struct task *task, const struct err *why)
{
    struct script *script = task->context.script;

    doom_one(task, why);
    LIST_EACH(link, &script->tasks)
    {
        struct task *other = LIST_OF(link, struct task, link);

        if (other->parent && other->parent->doom)
            doom_one(other, other->parent->doom);
    }
}

void task_doom_memory(struct task *task)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_QUOTA, "the playbook needs more than its %zu MiB of memory",
            (task->context.script->memory_max + (1 << 20) - 1) >> 20);
    err_explain(&err, "S406");
    task_cancel(task, &err);
}

static void doom_deadline(struct task *task)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_TIMEOUT, "the time limit has passed");
    task_cancel(task, &err);
}

void task_deadline(struct task *task, int64_t mono_ms)
{
    task->deadline = mono_ms;
}

int task_raise_doom(lua_State *L)
{
    struct task *task = context_of(L)->task;

    if (!task->place.file[0])
        script_place(L, &task->place);
    lua_pushlightuserdata(L, (void *)&DOOM_TAG);
    return lua_error(L);
}

static bool task_late(const struct task *task, int64_t now)
{
    for (; task; task = task->parent) {
        if (task->deadline && now >= task->deadline)
            return true;
    }
    return false;
}

void task_check(lua_State *L, struct task *task)
{
    struct script *script = task->context.script;

    if (!task->doom && script->options.mono_ms && task_late(task, script->options.mono_ms(script->options.ctx)))
        doom_deadline(task);
    if (task->doom)
        task_raise_doom(L);
}

struct task *task_current(lua_State *L)
{
    return context_of(L)->task;
}

struct task *task_parent(const struct task *task)
{
    return task->parent;
}

void *task_data(const struct task *task)
{
    return task->data;
}

void task_data_set(struct task *task, void *data)
{
    task->data = data;
}

const struct place *task_place(const struct task *task)
{
    return &task->place;
}

const char *task_trace(const struct task *task)
{
    return buf_text(&task->trace);
}

static void trace_starts(struct task *task)
{
    for (const struct task *at = task; at; at = at->parent) {
        if (at->started.file[0])
            buf_addf(&task->trace, "%s:%d: started here\n", at->started.file, at->started.line);
    }
}

/*
 * Closes what waits to be closed in the dead coroutine, under the limits that Lua has; the error is
 * on the main stack. (A hook does not fire in here when a hook raised the error: then the watchdog
 * bounds it.)
 */
static void close_frames(struct task *task)
{
    struct script *script = task->context.script;

    lua_pop(task->L, 1);
    lua_pushvalue(script->L, -1);
    lua_xmove(script->L, task->L, 1);
    script->limited++;
    watchdog_arm(script);
    lua_resetthread(task->L);
    watchdog_disarm();
    script->limited--;
}

/* Turns what ended the coroutine (LUA_OK: it never ran) into task->failed; leaves the error value alone on the task's
 * stack. */
static void task_capture(struct task *task, int status)
{
    struct script *script = task->context.script;
    lua_State *L = task->L, *main = script->L;
    struct place place;

    if (status == LUA_ERRMEM && !task->doom)
        task_doom_memory(task);
    task->failed = mem_alloc(sizeof(*task->failed));
    if (task->doom) {
        error_trace(L, &task->trace);
        *task->failed = *task->doom;
        if (!task->place.file[0])
            script_place(L, &task->place);
        error_push(main, task->failed, &task->place);
    } else {
        lua_checkstack(main, 8);
        lua_pushvalue(L, -1);
        lua_xmove(L, main, 1);
        error_add_kept_trace(main, -1, &task->trace);
        error_trace(L, &task->trace);
        script_to_err(main, -1, task->failed);
        if (error_place_of(main, -1, &place))
            task->place = place;
        else
            script_place(L, &task->place);
    }
    if (status != LUA_OK)
        close_frames(task);
    lua_settop(L, 0);
    lua_checkstack(L, 8);
    lua_xmove(main, L, 1);
}

/* A failed child that nobody joined stays until its parent ends, and fails it. */
static struct task *find_orphan(struct task *task)
{
    LIST_EACH(link, &task->context.script->tasks)
    {
        struct task *child = LIST_OF(link, struct task, link);

        if (child->parent == task && child->failed && !child->observed)
            return child;
    }
    return NULL;
}

static void release_children(struct task *task)
{
    LIST_EACH_SAFE(link, &task->context.script->tasks)
    {
        struct task *child = LIST_OF(link, struct task, link);

        if (child->parent == task) {
            child->parent = NULL;
            task_unref(child);
        }
    }
}

static void wake_joiners(struct task *task)
{
    LIST_EACH(link, &task->context.script->tasks)
    {
        struct task *other = LIST_OF(link, struct task, link);

        if (other->joining == task && other->op == &other->join && !other->op_ready) {
            task->observed = true;
            task_ready(other->op);
        }
    }
}

/* The end: told to those who joined, to whoever asked, and to the parent, which is returned. */
static struct task *task_finish(struct task *task)
{
    struct task *parent = task->parent;

    task->state = TASK_DONE;
    task->context.script->live--;
    if (task->failed)
        trace_starts(task);
    wake_joiners(task);
    if (task->end)
        task->end(task->end_ctx, task, task->L, task->failed ? 0 : task->results, task->failed);
    release_children(task);
    if (parent) {
        parent->children--;
        if (task->failed && !task->observed)
            return parent;
        task->parent = NULL;
    }
    task_unref(task);
    return parent;
}

static void cancel_children(struct task *task)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_CANCELLED, "the task that started this one has failed");
    LIST_EACH(link, &task->context.script->tasks)
    {
        struct task *child = LIST_OF(link, struct task, link);

        if (child->parent == task)
            task_cancel(child, &err);
    }
}

static void fail_late(struct task *task, const struct err *err, const struct place *place)
{
    task->failed = mem_alloc(sizeof(*task->failed));
    *task->failed = *err;
    task->place = *place;
    lua_settop(task->L, 0);
    lua_checkstack(task->L, 8);
    error_push(task->L, err, place);
}

/* The body has ended: wait for the children, then end, and look at the parent, which may have waited for this. */
static void task_settle(struct task *task)
{
    do {
        struct task *orphan;

        if (task->children > 0) {
            task->state = TASK_LINGERING;
            if (task->failed)
                cancel_children(task);
            return;
        }
        orphan = task->failed ? NULL : find_orphan(task);
        if (task->doom && !task->failed)
            fail_late(task, task->doom, &task->place);
        else if (orphan)
            fail_late(task, orphan->failed, &orphan->place);
        task = task_finish(task);
    } while (task && task->state == TASK_LINGERING && task->children == 0);
}

static void task_resume(struct task *task)
{
    struct script *script = task->context.script;
    int nargs = task->nargs, status;
    bool fresh = lua_status(task->L) == LUA_OK;

    task->nargs = 0;
    if (fresh && task->doom) {
        task_capture(task, LUA_OK);
        task_settle(task);
        return;
    }
    task->state = TASK_RUNNING;
    script->limited++;
    watchdog_arm(script);
    status = lua_resume(task->L, script->L, nargs, &task->results);
    watchdog_disarm();
    script->limited--;
    if (status == LUA_YIELD) {
        assert(task->state == TASK_WAITING);
        return;
    }
    drop_op(task, false);
    if (status != LUA_OK)
        task_capture(task, status);
    task_settle(task);
}

bool script_run_ready(struct script *script)
{
    bool any = false;

    assert(!script->running);
    script->running = true;
    while (!list_empty(&script->ready)) {
        struct task *task = LIST_OF(script->ready.next, struct task, queued);

        list_remove(&task->queued);
        any = true;
        task_resume(task);
    }
    script->running = false;
    return any;
}

int64_t script_next_deadline(const struct script *script)
{
    int64_t next = -1;

    LIST_EACH(link, &script->tasks)
    {
        const struct task *task = LIST_OF(link, struct task, link);

        if (task->deadline && !task->doom && task->state != TASK_DONE && (next < 0 || task->deadline < next))
            next = task->deadline;
    }
    return next;
}

void script_expire(struct script *script)
{
    int64_t now = script->options.mono_ms(script->options.ctx);

    LIST_EACH(link, &script->tasks)
    {
        struct task *task = LIST_OF(link, struct task, link);

        if (task->deadline && !task->doom && task->state != TASK_DONE && now >= task->deadline)
            doom_deadline(task);
    }
}
