#pragma once
/* What the files of this room share. */
#include "script/script.h"
#include "base/buf.h"

#include <lua.h>
#include <lauxlib.h>

/* Made by lua/embed.lua. */
struct lua_file {
    const char *name; /* "dosrun/v1.lua" */
    const unsigned char *code; /* compiled, with lines and names */
    size_t len;
};
extern const struct lua_file lua_library[];
extern const size_t lua_library_len;

/* What a thread's extra space points to: the script alone, or the task that the thread belongs to. */
struct context {
    struct script *script;
    struct task *task; /* NULL: the main thread */
};

enum task_state { TASK_NEW, TASK_QUEUED, TASK_RUNNING, TASK_WAITING, TASK_LINGERING, TASK_DONE };

struct task {
    struct context context; /* first: the thread's extra space points here */
    struct list link;       /* script->tasks, parents before children, until freed */
    struct list queued;     /* script->ready */
    lua_State *L;
    int ref;                /* keeps L alive in the registry */
    int refs;               /* the scheduler's, and one for each handle */
    enum task_state state;
    struct task *parent;    /* NULL once this one is done, unless its failure waits there to be seen */
    int children;           /* live ones */
    int64_t deadline;
    struct op *op;          /* while it waits, and until the op is freed */
    bool op_ready;
    struct err *doom;       /* why it must end; nothing in Lua can catch it */
    int nargs, results;
    int guards;             /* pcalls under way */
    void *data;
    task_end_fn *end;
    void *end_ctx;
    struct err *failed;     /* how it ended; NULL: well */
    bool observed;          /* somebody joined it, so its failure is not its parent's too */
    struct task *joining;   /* what its pending join waits for (the handle on its stack holds a reference) */
    struct op join;
    struct place place, started;
    struct buf trace;
};

struct script {
    struct context context; /* first */
    struct script_options options;
    lua_State *L;
    size_t memory_used, memory_max;
    int limited;       /* > 0 while Lua runs: allocations beyond memory_max fail */
    int64_t ticks;     /* hook ticks left for Lua outside tasks; 0: no bound */
    struct list tasks; /* all that are not freed */
    struct list ready;
    int live;          /* tasks that have not ended */
    bool running, closing;
};

enum { TASKS_MAX = 10000, HOOK_INTERVAL = 1000 };

/* state.c */
struct context *context_of(lua_State *L);

/* watchdog.c: between arm and disarm the process may spend watchdog_ms, then it ends with 70. */
void watchdog_arm(struct script *script);
void watchdog_disarm(void);

/* task.c */
void task_check(lua_State *L, struct task *task); /* raises when it is doomed or late */
void task_doom_memory(struct task *task);
int task_raise_doom(lua_State *L); /* without allocating; never returns */
void task_ref(struct task *task);
void task_unref(struct task *task);
bool task_done(const struct task *task);

/* wait.c: waits for target's end with task->join, whose push is set; target's handle is on the stack. */
int task_wait_join(lua_State *L, struct task *target);

/* error.c */
void errors_open(lua_State *L);
int script_raise_explained(lua_State *L, const char *explain, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The table form of err; place may be NULL. */
void error_push(lua_State *L, const struct err *err, const struct place *place);
/* Message handler of pcall: remembers where a table was first raised. */
int error_note_place(lua_State *L);
bool error_place_of(lua_State *L, int index, struct place *place);
void error_trace(lua_State *L, struct buf *out);
/* The trace of the task that a table was first raised in goes with it through join. */
void error_keep_trace(lua_State *L, int index, const char *trace);
void error_add_kept_trace(lua_State *L, int index, struct buf *out);
/* Short text of a value, without addresses; calls __tostring as Lua's own does (may raise). */
const char *value_push_text(lua_State *L, int index, size_t *len);

/* loader.c */
void loader_open(lua_State *L);
/* Loads text (skipping a BOM and a #! line), or the library's own compiled files when trusted; on failure leaves nothing
   and returns -1 with err. */
int loader_load(struct script *script, lua_State *L, struct view text, const char *chunk, bool trusted,
                struct err *err);
enum chunk { CHUNK_NONE, CHUNK_PROJECT, CHUNK_ENGINE };
/* Whose file messages mean by this name (Lua cuts long ones), and its whole path in place->file. */
enum chunk loader_chunk(lua_State *L, struct view name, struct place *place);

/* guard.c: sets pcall and xpcall in the table at index. */
void guard_open(lua_State *L, int globals);

/* globals.c: the libraries and what each file sees. */
void globals_open(lua_State *L);
/* "string.gsub" for a library's function at index; NULL for others. */
const char *globals_function_name(lua_State *L, int index);
void globals_set(lua_State *L, bool trusted, const char *name); /* pops the value */
void globals_push_env(lua_State *L, bool trusted);

/* freeze.c */
void freeze_open(lua_State *L, int globals);
/* Pushes what a read-only face at index stands for: true. Else false and nothing is pushed. */
bool freeze_push_real(lua_State *L, int index);
/* Reading what the table at index lacks is an error from now on. name "": it holds the globals. */
void freeze_strict(lua_State *L, int index, const char *name);
/* Pushes a file's environment: reads lead to the table at globals, writes are errors. */
void freeze_push_env(lua_State *L, int globals);

/* pairs.c */
void pairs_open(lua_State *L, int globals);
/* Iterator, and the two values that `for` wants, over the table at index, whatever its __pairs says. */
int pairs_push_raw(lua_State *L, int index);

/* strings.c */
void strings_open(lua_State *L); /* pushes the restricted library */
int string_tostring(lua_State *L);

/* sort.c */
int sort_table(lua_State *L);

/* native.c, native_task.c, cjson.c: open functions of modules */
int native_script_open(lua_State *L);
int native_task_open(lua_State *L);
int cjson_open(lua_State *L);
