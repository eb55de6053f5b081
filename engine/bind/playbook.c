/* A loaded playbook: the table that its file returned, kept in the registry. */
#include "bind/bind.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

struct playbook {
    struct bind *bind;
    char *path;
    int ref; /* the file's own table */
    struct doc *about, *arguments;
    void (*done)(void *ctx, struct playbook *playbook, const struct err *err, const struct place *place);
    void *ctx;
};

/* Pushes dosrun.playbook's function `name`. */
static int push_function(struct bind *bind, const char *module, const char *name, struct err *err)
{
    lua_State *L = script_lua(bind->script);

    if (script_require(bind->script, module, err) < 0)
        return -1;
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    return 0;
}

/* Calls the function below nargs arguments and takes its one result as a document. */
static struct doc *call_doc(struct bind *bind, int nargs, struct err *err)
{
    lua_State *L = script_lua(bind->script);
    struct doc *doc = NULL;

    if (lua_pcall(L, nargs, 1, 0) != LUA_OK)
        script_to_err(L, -1, err);
    else if (script_to_doc(L, -1, &doc, err) < 0)
        doc = NULL;
    lua_pop(L, 1);
    return doc;
}

static void playbook_loaded(void *ctx, struct task *task, lua_State *L, int n, const struct err *err)
{
    struct playbook *playbook = ctx;
    struct bind *bind = playbook->bind;
    struct err wrong = ERR_INIT;
    struct place place = {0};

    if (task_place(task))
        place = *task_place(task);
    if (!err) {
        lua_State *main = script_lua(bind->script);

        if (n > 0)
            lua_pushvalue(L, -n);
        else
            lua_pushnil(L);
        lua_xmove(L, main, 1);
        lua_pushvalue(main, -1);
        playbook->ref = luaL_ref(main, LUA_REGISTRYINDEX);
        if (push_function(bind, "dosrun.playbook", "about", &wrong) == 0) {
            lua_insert(main, -2);
            playbook->about = call_doc(bind, 1, &wrong);
        } else {
            lua_pop(main, 1);
        }
        if (!playbook->about)
            err = &wrong;
    }
    if (err && !place.line) { /* `return f(...)` leaves no frame that a line could be read from */
        wrong = *err;
        err_context(&wrong, "%s", playbook->path);
        err = &wrong;
    }
    playbook->done(playbook->ctx, playbook, err, place.line ? &place : NULL);
}

void playbook_load(struct bind *bind, const char *path,
                   void (*done)(void *ctx, struct playbook *playbook, const struct err *err, const struct place *place),
                   void *ctx)
{
    struct playbook *playbook = mem_alloc(sizeof(*playbook));
    struct err err = ERR_INIT;
    struct task *task = task_load(bind->script, path, &err);

    playbook->bind = bind;
    playbook->path = mem_text(path);
    playbook->ref = LUA_NOREF;
    playbook->done = done;
    playbook->ctx = ctx;
    if (!task) {
        done(ctx, playbook, &err, NULL);
        return;
    }
    task_on_end(task, playbook_loaded, playbook);
    task_start(task);
}

void playbook_free(struct playbook *playbook)
{
    if (!playbook)
        return;
    luaL_unref(script_lua(playbook->bind->script), LUA_REGISTRYINDEX, playbook->ref);
    doc_unref(playbook->about);
    doc_unref(playbook->arguments);
    free(playbook->path);
    free(playbook);
}

const struct doc *playbook_about(const struct playbook *playbook)
{
    return playbook->about;
}

const struct doc *playbook_arguments(struct playbook *playbook, const struct doc *words, struct err *err)
{
    struct bind *bind = playbook->bind;
    lua_State *L = script_lua(bind->script);

    doc_unref(playbook->arguments);
    playbook->arguments = NULL;
    if (push_function(bind, "dosrun.playbook", "arguments", err) < 0)
        return NULL;
    lua_rawgeti(L, LUA_REGISTRYINDEX, playbook->ref);
    script_push_doc(L, words);
    playbook->arguments = call_doc(bind, 2, err);
    return playbook->arguments;
}

/* A task that fails at once with err, so that callers have one path. */
static int raise_upvalue(lua_State *L)
{
    const struct err *err = lua_touserdata(L, lua_upvalueindex(1));

    return script_raise(L, err);
}

static void push_raiser(lua_State *L, const struct err *err)
{
    struct err *kept = lua_newuserdatauv(L, sizeof(*kept), 0);

    *kept = *err;
    lua_pushcclosure(L, raise_upvalue, 1);
}

struct task *playbook_step(struct playbook *playbook, size_t index, const char *name, const struct doc *from)
{
    struct bind *bind = playbook->bind;
    lua_State *L = script_lua(bind->script);
    const struct doc *step = doc_at(doc_get(playbook->about, "steps"), index);
    struct bind_context *context = bind_context_new(bind, name, NULL);
    struct err err = ERR_INIT;
    struct task *task;
    int nargs = 0;

    context->keep = doc_as_bool(doc_get(step, "keep"), false);
    if (push_function(bind, "dosrun.playbook", "start", &err) < 0) {
        push_raiser(L, &err);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, playbook->ref);
        lua_pushinteger(L, (lua_Integer)index + 1);
        script_push_doc(L, from);
        nargs = 3;
    }
    task = task_new(bind->script, L, nargs);
    task_data_set(task, context);
    return task;
}

/* ---- verb.undo ---- */

struct verb_undo {
    undo_done_fn *done;
    void *done_ctx;
    struct bind_context *context;
};

static enum undo_outcome outcome_of(const char *word)
{
    if (strcmp(word, "undone") == 0)
        return UNDO_DONE;
    if (strcmp(word, "already") == 0)
        return UNDO_ALREADY;
    return strcmp(word, "foreign") == 0 ? UNDO_FOREIGN : UNDO_FAILED;
}

static void verb_undo_ended(void *ctx, struct task *task, lua_State *L, int n, const struct err *err)
{
    struct verb_undo undo = *(struct verb_undo *)ctx;
    enum undo_outcome outcome = UNDO_FAILED;
    struct err wrong = ERR_INIT;
    struct doc *left = NULL;

    (void)task;
    free(ctx);
    undo.context->change = NULL;
    if (!err && n > 0 && lua_type(L, -n) == LUA_TSTRING)
        outcome = outcome_of(lua_tostring(L, -n));
    if (!err && n > 1 && lua_istable(L, 1 - n) && script_to_doc(L, 1 - n, &left, &wrong) < 0)
        left = NULL;
    if (!err && outcome == UNDO_FAILED) {
        const char *what = doc_as_text(doc_get(doc_at(left, 0), "what"), "its undo failed");

        err_set(&wrong, ERR_CONFLICT, "%s", what);
        err = &wrong;
    }
    undo.done(undo.done_ctx, outcome, left, err);
}

static void push_optional(lua_State *L, const struct doc *doc)
{
    if (doc)
        script_push_doc(L, doc);
    else
        lua_pushnil(L);
}

static void verb_undo_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    struct bind *bind = ctx;
    lua_State *L = script_lua(bind->script);
    struct verb_undo *undo = mem_alloc(sizeof(*undo));
    struct err err = ERR_INIT;
    struct task *task;
    int nargs = 0;

    undo->done = done;
    undo->done_ctx = done_ctx;
    undo->context = bind_context_new(bind, NULL, NULL);
    undo->context->change = request->owner;
    if (push_function(bind, "dosrun.verb", "undo", &err) < 0) {
        push_raiser(L, &err);
    } else {
        script_push_doc(L, request->undo);
        push_optional(L, request->before);
        push_optional(L, request->after);
        lua_pushboolean(L, request->plan);
        lua_pushboolean(L, request->after_known);
        nargs = 5;
    }
    task = task_new(bind->script, L, nargs);
    task_data_set(task, undo->context);
    task_on_end(task, verb_undo_ended, undo);
    task_start(task);
}

struct undo_handler playbook_undo_handler(struct bind *bind)
{
    return (struct undo_handler){.op = "verb.undo", .start = verb_undo_start, .ctx = bind};
}
