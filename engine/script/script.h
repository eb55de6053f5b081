#pragma once
/*
 * script: a restricted Lua 5.4 state and the tasks that run in it.
 * Owns: the state, its memory limit, the loader, the watchdog, coroutines.
 * Never: does I/O of its own (the loader's read function is handed in), knows runs, verbs or HTTP.
 *
 * What Lua code cannot reach: os.execute, io, debug, package.loadlib, coroutine, string.dump, load of
 * binary chunks, addresses in tostring. pairs walks in sorted order (numbers, then strings, then the
 * rest by order of insertion), globals are strict with did-you-mean.
 */
#include "base/err.h"
#include "base/list.h"
#include "codec/doc.h"

struct lua_State;
struct script;
struct task;
struct marks;

struct script_options {
    size_t memory_max;     /* bytes; 0: 256 MiB */
    int64_t watchdog_ms;   /* Lua holding the loop this long ends the process with 70; 0: 10 s */
    /* Text of a project file by path relative to the project root, recorded in the bundle by whoever
       hands this in. ERR_MISSING lets `require` look further. */
    int (*read)(void *ctx, const char *path, struct buf *out, struct err *err);
    void *ctx;
    int64_t (*mono_ms)(void *ctx); /* for deadlines */
    struct marks *marks;
    void (*watchdog)(void *ctx); /* last words before _exit(70): async-signal-safe, may be NULL */
};

struct script *script_new(const struct script_options *options);
void script_free(struct script *script); /* cancels all tasks */
struct lua_State *script_lua(struct script *script);
struct script *script_of(struct lua_State *L);
struct marks *script_marks(struct script *script);
size_t script_memory_used(const struct script *script);

/* Pops a value from script_lua's stack and offers it to project files as a global ("print"). */
void script_global(struct script *script, const char *name);
/* Pushes a read-only face of the table at index; `name` is what errors call it. Lua: freeze(t, name). */
void script_freeze(struct lua_State *L, int index, const char *name);
/* A native module: `open` pushes the table that require "dosrun.native.NAME" gives (engine's Lua only). */
void script_native(struct script *script, const char *name, int (*open)(struct lua_State *L));

/* Pushes a module of the embedded library (not one that waits while it loads) on script_lua. */
int script_require(struct script *script, const char *name, struct err *err) __attribute__((warn_unused_result));

/*
 * Tasks. A task is a coroutine with a deadline, a parent, and at most one pending op. Playbook files
 * are loaded as a task body too, so that they may wait.
 */

/* Loads a project file as a task (chunk name "@path"). NULL and err for syntax errors (with file:line). */
struct task *task_load(struct script *script, const char *path, struct err *err);
/* Pops function and nargs arguments from L. */
struct task *task_new(struct script *script, struct lua_State *L, int nargs);

/* Told once, from script_run_ready, never from inside a callback. ok: results are the values on
   `L` (the task's stack, count n). Else err describes it, with file and line of the author's code. */
typedef void task_end_fn(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err);
void task_on_end(struct task *task, task_end_fn *fn, void *ctx);
void task_start(struct task *task); /* queued; runs in script_run_ready */
/* Ends it with an error at its next resumption; its pending op is cancelled. pcall cannot swallow it. */
void task_cancel(struct task *task, const struct err *why);
void task_deadline(struct task *task, int64_t mono_ms); /* 0: none; children are bound by it too */
struct task *task_current(struct lua_State *L);
struct task *task_parent(const struct task *task);
/* What the run hangs on a task: inherited by children (step, open change, mode). */
void *task_data(const struct task *task);
void task_data_set(struct task *task, void *data);

/* Resumes every queued task until the queue is empty. The one place where Lua of tasks runs. True if any ran. */
bool script_run_ready(struct script *script);
/* Earliest deadline of a live task, or -1. script_expire ends those that passed. */
int64_t script_next_deadline(const struct script *script);
void script_expire(struct script *script);

/*
 * Waiting, for bindings: start something, then `return task_wait(L, op)` as the last call of a
 * lua_CFunction. Later, from any callback, task_ready(op) queues the task; when it is resumed,
 * op->push pushes the results on L (or fills op->err and returns -1 to raise it) and op->free ends op.
 */
struct op {
    struct task *task;
    int (*push)(struct lua_State *L, struct op *op, struct err *err); /* number of results, -1: raise err */
    void (*cancel)(struct op *op); /* the task was cancelled while it waited: stop what was started */
    void (*free)(struct op *op);   /* after push or cancel */
};
int task_wait(struct lua_State *L, struct op *op);
void task_ready(struct op *op); /* once */
/* May this coroutine wait here? Raises the explained error (S402) inside gsub, sort, require, metamethods. */
void task_check_wait(struct lua_State *L);

/* Docs to Lua and back. null is dosrun.null; arrays carry the metatable that tells [] from {}.
   script_check_doc raises an error naming the path ("argument 2: spec.ports[1]: a function cannot ..."). */
void script_push_doc(struct lua_State *L, const struct doc *doc);
struct doc *script_check_doc(struct lua_State *L, int index); /* a new reference */
int script_to_doc(struct lua_State *L, int index, struct doc **doc, struct err *err);
/* The same, but texts may be any bytes (doc_bytes); names may not. */
struct doc *script_check_bytes(struct lua_State *L, int index);
int script_to_bytes(struct lua_State *L, int index, struct doc **doc, struct err *err);
int script_array(struct lua_State *L); /* lua: array(t) -> t marked as an array */
bool script_is_array(struct lua_State *L, int index);
/* Pushes the bytes as a string and frees the buffer; never raises. */
void script_push_buf(struct lua_State *L, struct buf *buf);
void script_push_null(struct lua_State *L);

/* Errors cross the border as tables {kind, message, code, status, ...} with a __tostring. */
int script_raise(struct lua_State *L, const struct err *err); /* never returns */
void script_to_err(struct lua_State *L, int index, struct err *err);

/* Where the author's code stands: the innermost frame that is a project file. False when none is. */
struct place {
    char file[256];
    int line;
};
bool script_place(struct lua_State *L, struct place *place);
/* Place of the error that ended a task; file is "" when no project file had a part in it. */
const struct place *task_place(const struct task *task);
/* The author's frames of that error, a line each, innermost first, then where its tasks were started. */
const char *task_trace(const struct task *task);
