#pragma once
/* A script with files in memory and a clock that stands still, for the tests of script. */
#include "unit.h"
#include "script/script.h"
#include "base/secret.h"

#include <lua.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct frame_file {
    const char *path, *text;
};

struct frame {
    struct script *script;
    struct marks *marks;
    const struct frame_file *files; /* ends with path NULL */
    int64_t now;
    int64_t step; /* each look at the clock moves it on */
    struct op *waiting; /* the op of test.wait() */
    int cancelled, freed;
    /* how the last task ended */
    int ended;
    bool failed;
    struct err err;
    struct place place;
    char result[4096], trace[4096];
};

static inline int frame_read(void *ctx, const char *path, struct buf *out, struct err *err)
{
    struct frame *frame = ctx;

    for (const struct frame_file *file = frame->files; file && file->path; file++) {
        if (strcmp(file->path, path) == 0) {
            buf_add_text(out, file->text);
            return 0;
        }
    }
    return err_set(err, ERR_MISSING, "%s: no such file", path);
}

static inline int64_t frame_mono_ms(void *ctx)
{
    struct frame *frame = ctx;

    frame->now += frame->step;
    return frame->now;
}

struct frame_op {
    struct op op;
    struct frame *frame;
    int value;
};

static inline int frame_op_push(lua_State *L, struct op *op, struct err *err)
{
    struct frame_op *wait = (struct frame_op *)op;

    if (wait->value < 0)
        return err_set(err, ERR_NETWORK, "the wait failed");
    lua_pushinteger(L, wait->value);
    return 1;
}
static inline void frame_op_cancel(struct op *op)
{
    struct frame *frame = ((struct frame_op *)op)->frame;

    frame->cancelled++;
    frame->waiting = NULL;
}
static inline void frame_op_free(struct op *op)
{
    ((struct frame_op *)op)->frame->freed++;
    free(op);
}

/* wait(value) -> value, once the test called frame_wake; at once for a second argument */
static inline int frame_wait(lua_State *L)
{
    struct frame *frame = lua_touserdata(L, lua_upvalueindex(1));
    int value = (int)luaL_checkinteger(L, 1);
    bool at_once = lua_toboolean(L, 2);
    struct frame_op *op;

    task_check_wait(L);
    op = calloc(1, sizeof(*op));
    op->op = (struct op){.push = frame_op_push, .cancel = frame_op_cancel, .free = frame_op_free};
    op->frame = frame;
    op->value = value;
    if (at_once)
        task_ready(&op->op);
    else
        frame->waiting = &op->op;
    return task_wait(L, &op->op);
}

static inline void frame_init(struct frame *frame, const struct frame_file *files, size_t memory_max)
{
    struct script_options options = {
        .memory_max = memory_max, .read = frame_read, .ctx = frame, .mono_ms = frame_mono_ms};

    memset(frame, 0, sizeof(*frame));
    frame->files = files;
    frame->now = 1000;
    frame->marks = marks_new(VIEW_LITERAL("a key for tests"));
    options.marks = frame->marks;
    frame->script = script_new(&options);
    lua_pushlightuserdata(script_lua(frame->script), frame);
    lua_pushcclosure(script_lua(frame->script), frame_wait, 1);
    script_global(frame->script, "wait");
}

static inline void frame_free(struct frame *frame)
{
    script_free(frame->script);
    marks_free(frame->marks);
}

static inline void frame_wake(struct frame *frame)
{
    struct op *op = frame->waiting;

    frame->waiting = NULL;
    task_ready(op);
    script_run_ready(frame->script);
}

static inline void frame_end(void *ctx, struct task *task, lua_State *L, int n, const struct err *err)
{
    struct frame *frame = ctx;

    frame->ended++;
    frame->failed = err != NULL;
    frame->err = err ? *err : ERR_INIT;
    frame->place = *task_place(task);
    snprintf(frame->trace, sizeof(frame->trace), "%s", task_trace(task));
    snprintf(frame->result, sizeof(frame->result), "%s", err ? err->message : n ? luaL_tolstring(L, -n, NULL) : "");
}

/* Loads a file as a task and runs what is ready. NULL when it did not load. */
static inline struct task *frame_start(struct frame *frame, const char *path)
{
    struct task *task;

    frame->ended = 0;
    err_clear(&frame->err);
    task = task_load(frame->script, path, &frame->err);
    if (!task) {
        frame->failed = true;
        snprintf(frame->result, sizeof(frame->result), "%s", frame->err.message);
        return NULL;
    }
    task_on_end(task, frame_end, frame);
    task_start(task);
    script_run_ready(frame->script);
    return task;
}

/* The text that a file gives, or its error's message. */
static inline const char *frame_text(struct frame *frame, const char *text)
{
    const struct frame_file files[] = {{"playbooks/t.lua", text}, {NULL, NULL}};
    const struct frame_file *kept = frame->files;

    if (!kept)
        frame->files = files;
    frame_start(frame, "playbooks/t.lua");
    frame->files = kept;
    return frame->result;
}
