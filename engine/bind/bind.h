#pragma once
/*
 * bind: the native Lua modules, one file a room; the border where Lua values become documents.
 * Owns: the context of a task (its step, the change that is open), the loaded playbook.
 * Never: decides anything: it checks arguments, starts an op and waits for it.
 */
#include "change/change.h"
#include "script/script.h"
#include "world/world.h"

struct aws;
struct kube;
struct playbook;

/* What the modules stand on; made by dosrun.c, outlives the script. */
struct bind {
    struct world *world;
    struct http *http;
    struct changes *changes; /* set when the run has begun; before that nothing may change */
    struct event_bus *bus;
    struct marks *marks;
    struct script *script;
    const char *project;     /* absolute path of the project's root */
    const char *playbook;    /* its path as given, for usage lines */
    struct doc *info;        /* run:... {id, number, target, kind, sandbox, values, args} */
    const char *temporary;   /* folder for temporary files; NULL: /tmp */
    bool check;              /* `dosrun check`: reads answer "not known" */
    unsigned char name_key[32]; /* names and secrets of this run are HMACs under it */
    struct doc *secrets;     /* purpose -> mark, also those read from the journal */
    bool pivots;             /* the playbook declared pivots = true, and they were agreed to */
    bool loaded;             /* the playbook's file has ended; its steps run, or will */
    bool uses_kube;          /* the playbook took kube, istio or image */
    bool uses_aws;           /* or aws */
    const char *account;     /* of AWS, which the target names and which is compared before step 1; NULL: none */
    /* A cluster to talk to, or NULL with err (no configuration: H301). */
    struct kube *(*kube)(void *ctx, struct err *err);
    struct aws *(*aws)(void *ctx, struct err *err); /* NULL with err: a broken configuration; who we are is asked later */
    bool (*is_option)(const char *name);
    /* A file that a step read: goes into the bundle once. */
    int (*read)(void *ctx, const char *path, struct buf *out, struct err *err);
    void (*drift)(void *ctx);  /* run:drift found differences: exit 2 */
    void *ctx;
    bool stopping;             /* Ctrl-C or a failed step: no new rounds */
    struct list contexts;
};

void bind_install(struct bind *bind); /* init.c: the list of modules */
void bind_clear(struct bind *bind);   /* frees what bind made itself (contexts) */
struct bind *bind_of(struct lua_State *L);

/* What a task is about; children inherit it. */
struct bind_context {
    struct list link;
    char *step;
    bool keep;             /* its step is a savepoint */
    struct change *change; /* whose act runs in this task; NULL: none */
    struct bind_context *outer;
};
struct bind_context *bind_context_new(struct bind *bind, const char *step, struct bind_context *outer);
struct bind_context *bind_context_of(struct lua_State *L);
struct change *bind_change_of(struct lua_State *L); /* the one whose act is running, or NULL */

/* An absolute path from one relative to the project. Raises for "" and for paths that leave it by "..". free() it. */
char *bind_path(struct lua_State *L, int index);
const char *bind_field_text(struct lua_State *L, int index, const char *name, const char *fallback);

/* Modules (each bind_<room>.c): push the module's table. */
int bind_change_open(struct lua_State *L);
int bind_http_open(struct lua_State *L);
int bind_file_open(struct lua_State *L);
int bind_process_open(struct lua_State *L);
int bind_run_open(struct lua_State *L);
int bind_kube_open(struct lua_State *L);
int bind_aws_open(struct lua_State *L);
int bind_manifest_open(struct lua_State *L);
int bind_spec_open(struct lua_State *L); /* by bind_spec_install alone */
int bind_offline_open(struct lua_State *L);
void bind_install_offline(struct bind *bind); /* with bind->check: nothing reaches outside */

/* ---- the embedded library, for commands (library.c) ---- */

/* The first of n results as a document; NULL when it is nil, or cannot be one (err). */
struct doc *bind_result(struct lua_State *L, int n, struct err *err);
/* Calls a function of a module of the library, which does not wait; its result as above. */
struct doc *bind_call(struct bind *bind, const char *module, const char *function, struct err *err);
/* The same as a task, with one argument. NULL with err. */
struct task *bind_task(struct bind *bind, const char *module, const char *function, const struct doc *argument, struct err *err);
/* What function(argument) of a module that stands on nothing says; false when that is nil. */
bool bind_text(struct buf *out, const char *module, const char *function, const char *argument);
/* Gives project files the global `test` (bind_spec.c). */
int bind_spec_install(struct bind *bind, struct err *err) __attribute__((warn_unused_result));

/* ---- the playbook (playbook.c) ---- */

/* Loads the file as a task and asks it about itself; done once. */
void playbook_load(struct bind *bind, const char *path,
                   void (*done)(void *ctx, struct playbook *playbook, const struct err *err, const struct place *place), void *ctx);
void playbook_free(struct playbook *playbook);
/* {name, summary?, on_failure, reads, args: [{name, type, optional, choice?}], steps: [{name, needs: [index from 1], keep, retry, timeout_ms}]} */
const struct doc *playbook_about(const struct playbook *playbook);
/* Command-line words to the arguments' object (borrowed until the next call). ERR_USAGE with the usage line. */
const struct doc *playbook_arguments(struct playbook *playbook, const struct doc *words, struct err *err);
/* The task of step `index` (from 0). from: values by step name. */
struct task *playbook_step(struct playbook *playbook, size_t index, const char *name, const struct doc *from);

/* verb.undo through the loaded playbook; playbook may be NULL: then it fails with why. */
struct undo_handler playbook_undo_handler(struct bind *bind);
