/* dosrun.native.change: one resource, driven by lua/dosrun/verb.lua. */
#include "bind/bind.h"
#include "change/diff.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#define CHANGE_TYPE "dosrun.change"

struct handle {
    struct change *change; /* NULL once closed */
    struct bind_context *context;
};

static struct handle *handle_check(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, CHANGE_TYPE);

    luaL_argcheck(L, handle->change, 1, "this change is closed");
    return handle;
}

/* mode() -> "forward", "plan", "read", "check" */
static int change_mode(lua_State *L)
{
    static const char *const words[] = {"forward", "plan", "read"};
    const struct bind *bind = bind_of(L);

    if (bind->check)
        lua_pushliteral(L, "check");
    else
        lua_pushstring(L, bind->changes ? words[changes_mode(bind->changes)] : "read");
    return 1;
}

/* open { verb, version, key, class?, bound_ms? } -> change */
static int change_open_lua(lua_State *L)
{
    struct bind *bind = bind_of(L);
    struct bind_context *outer = bind_context_of(L);
    struct change_spec spec = {.bound_ms = -1, .version = 1};
    struct handle *handle;
    struct err err = ERR_INIT;

    luaL_checktype(L, 1, LUA_TTABLE);
    spec.verb = bind_field_text(L, 1, "verb", "verb");
    spec.key = bind_field_text(L, 1, "key", "");
    spec.class = bind_field_text(L, 1, "class", NULL);
    if (lua_getfield(L, 1, "bound_ms") == LUA_TNUMBER)
        spec.bound_ms = lua_tointeger(L, -1);
    if (lua_getfield(L, 1, "version") == LUA_TNUMBER)
        spec.version = (int)lua_tointeger(L, -1);
    if (!bind->changes || !outer) {
        err_set(&err, ERR_USAGE, "%s: verbs work inside a step only", spec.key);
        return script_raise(L, &err);
    }
    if (outer->change) {
        err_set(&err, ERR_USAGE, "%s: inside the act of another verb only raw calls are possible, no verbs", spec.key);
        err_explain(&err, "S401");
        return script_raise(L, &err);
    }
    if (spec.class && strcmp(spec.class, "pivot") == 0 && !bind->pivots &&
        changes_mode(bind->changes) == CHANGE_FORWARD) {
        err_set(&err, ERR_USAGE, "%s: %s cannot be undone; a playbook that does such things declares pivots = true",
                spec.key, spec.verb);
        err_explain(&err, "R208");
        return script_raise(L, &err);
    }
    spec.step = outer->step;
    spec.keep = outer->keep;
    handle = lua_newuserdatauv(L, sizeof(*handle), 0);
    memset(handle, 0, sizeof(*handle));
    luaL_setmetatable(L, CHANGE_TYPE);
    handle->change = change_open(bind->changes, &spec, &err);
    if (!handle->change)
        return script_raise(L, &err);
    handle->context = bind_context_new(bind, outer->step, outer);
    task_data_set(task_current(L), handle->context);
    return 1;
}

/* change:close(): over; what was begun and not finished is recorded as unknown. */
static int change_close_lua(lua_State *L)
{
    struct handle *handle = luaL_checkudata(L, 1, CHANGE_TYPE);
    struct task *task = task_current(L);

    if (!handle->change)
        return 0;
    change_close(handle->change);
    handle->change = NULL;
    handle->context->change = NULL;
    if (task && task_data(task) == handle->context)
        task_data_set(task, handle->context->outer);
    return 0;
}

/* change:acted() -> has this run acted on the resource before? */
static int change_acted_lua(lua_State *L)
{
    lua_pushboolean(L, change_acted(handle_check(L)->change));
    return 1;
}

/* change:before() -> what was found before this run's first act, or nil */
static int change_before_lua(lua_State *L)
{
    const struct doc *before = change_before(handle_check(L)->change);

    if (before)
        script_push_doc(L, before);
    else
        lua_pushnil(L);
    return 1;
}

/* change:found() -> was there anything before this run's first act? */
static int change_found_lua(lua_State *L)
{
    lua_pushboolean(L, change_before(handle_check(L)->change) != NULL);
    return 1;
}

/* change:same(): it is as wanted */
static int change_same_lua(lua_State *L)
{
    change_same(handle_check(L)->change);
    return 0;
}

static struct doc *optional_doc(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? NULL : script_check_doc(L, index);
}

/* change:would(sign, fields, undo) */
static int change_would_lua(lua_State *L)
{
    struct handle *handle = handle_check(L);
    const char *sign = luaL_checkstring(L, 2);
    struct doc *fields = optional_doc(L, 3), *undo = optional_doc(L, 4);

    change_would(handle->change, sign[0], fields, undo);
    doc_unref(undo);
    return 0;
}

struct begin_op {
    struct op op;
    struct err err;
};

static int begin_push(lua_State *L, struct op *op, struct err *err)
{
    const struct begin_op *begin = (const struct begin_op *)op;

    (void)L;
    if (!begin->err.kind)
        return 0;
    *err = begin->err;
    return -1;
}

static void begin_cancel(struct op *op)
{
    (void)op; /* closing the change stops its timer */
}

static void op_free(struct op *op)
{
    free(op);
}

static void begin_ready(void *ctx, const struct err *err)
{
    struct begin_op *begin = ctx;

    if (err)
        begin->err = *err;
    task_ready(&begin->op);
}

/* change:begin(before, want, undo): waits until an older lost call of this resource cannot arrive any more */
static int change_begin_lua(lua_State *L)
{
    struct handle *handle = handle_check(L);
    struct doc *before, *want, *undo;
    struct begin_op *begin;

    task_check_wait(L);
    before = optional_doc(L, 2);
    want = optional_doc(L, 3);
    undo = optional_doc(L, 4);
    begin = mem_alloc(sizeof(*begin));
    begin->op = (struct op){.push = begin_push, .cancel = begin_cancel, .free = op_free};
    begin->err = ERR_INIT;
    handle->context->change = handle->change;
    change_begin(handle->change, before, want, undo, begin_ready, begin);
    doc_unref(before);
    doc_unref(want);
    doc_unref(undo);
    return task_wait(L, &begin->op);
}

/* change:undo(data): a better undo, known only now (a uid); change:undo() -> what it is so far */
static int change_undo_lua(lua_State *L)
{
    struct handle *handle = handle_check(L);
    struct doc *undo;

    if (lua_gettop(L) == 1) {
        script_push_doc(L, change_undo(handle->change));
        return 1;
    }
    undo = script_check_doc(L, 2);

    change_undo_set(handle->change, undo);
    doc_unref(undo);
    return 0;
}

/* change:finish(after): it is as wanted */
static int change_finish_lua(lua_State *L)
{
    struct handle *handle = handle_check(L);
    struct doc *after = optional_doc(L, 2);

    change_finish(handle->change, after, NULL);
    handle->context->change = NULL;
    doc_unref(after);
    return 0;
}

/* change:fail(error): it is not, or that is not known */
static int change_fail_lua(lua_State *L)
{
    struct handle *handle = handle_check(L);
    struct err err = ERR_INIT;

    script_to_err(L, 2, &err);
    change_finish(handle->change, NULL, &err);
    handle->context->change = NULL;
    return 0;
}

/* diff(old, new) -> { { path, old, new }, ... } */
static int change_diff_lua(lua_State *L)
{
    struct doc *before = optional_doc(L, 1), *after = optional_doc(L, 2);
    struct doc *fields = diff_fields(before, after);

    script_push_doc(L, fields);
    doc_unref(fields);
    doc_unref(before);
    doc_unref(after);
    return 1;
}

/* stopping() -> is the run about to stop? Then nobody should try again. */
static int change_stopping_lua(lua_State *L)
{
    lua_pushboolean(L, bind_of(L)->stopping);
    return 1;
}

/* change:seen(): look found it there */
static int change_seen_lua(lua_State *L)
{
    change_seen(handle_check(L)->change);
    return 0;
}

int bind_change_open(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"acted", change_acted_lua}, {"before", change_before_lua}, {"found", change_found_lua},
        {"same", change_same_lua},   {"seen", change_seen_lua},     {"would", change_would_lua},
        {"begin", change_begin_lua}, {"undo", change_undo_lua},     {"finish", change_finish_lua},
        {"fail", change_fail_lua},   {"close", change_close_lua},   {NULL, NULL}};
    static const luaL_Reg functions[] = {{"mode", change_mode},
                                         {"open", change_open_lua},
                                         {"diff", change_diff_lua},
                                         {"stopping", change_stopping_lua},
                                         {NULL, NULL}};

    luaL_newmetatable(L, CHANGE_TYPE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, change_close_lua);
    lua_setfield(L, -2, "__close");
    lua_pushcfunction(L, change_close_lua);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
