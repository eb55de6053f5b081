/* dosrun.native.aws: any operation of the table; waiters, pages and JMESPath are judged here, looped over in
 * lua/dosrun/aws.lua. */
#include "bind/bind.h"

#include "aws/aws.h"
#include "aws/jmespath.h"
#include "aws/resource.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PURPOSE_MAX = 64 << 20 };

static struct aws *client(lua_State *L)
{
    struct bind *bind = bind_of(L);
    struct err err = ERR_INIT;
    struct aws *aws = bind->aws(bind->ctx, &err);

    if (!aws)
        script_raise(L, &err);
    return aws;
}

static struct aws_service check_service(lua_State *L, int index)
{
    struct err err = ERR_INIT;
    struct aws_service service = aws_find_service(client(L), luaL_checkstring(L, index), &err);

    if (!service.table)
        script_raise(L, &err);
    return service;
}

static struct aws_operation check_operation(lua_State *L, int service, int index)
{
    struct err err = ERR_INIT;
    struct aws_operation operation = aws_operation_need(check_service(L, service), luaL_checkstring(L, index), &err);

    if (!operation.table)
        script_raise(L, &err);
    return operation;
}

/* ---- calls ---- */

struct aws_op {
    struct op op;
    struct aws_call *call;
    int status, attempts;
    struct doc *result;
    struct err err;
};

static void aws_op_free(struct op *op)
{
    struct aws_op *aws = (struct aws_op *)op;

    doc_unref(aws->result);
    free(aws);
}

static void aws_op_cancel(struct op *op)
{
    aws_cancel(((struct aws_op *)op)->call);
}

static int aws_op_push(lua_State *L, struct op *op, struct err *err)
{
    const struct aws_op *aws = (const struct aws_op *)op;

    if (aws->err.kind) {
        *err = aws->err;
        return -1;
    }
    script_push_doc(L, aws->result);
    lua_pushinteger(L, aws->status);
    return 2;
}

static void aws_op_end(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct aws_op *aws = ctx;

    aws->status = answer->status;
    aws->attempts = answer->attempts;
    aws->result = doc_ref(result);
    if (err)
        aws->err = *err;
    task_ready(&aws->op);
}

static struct aws_op *aws_op_new(void)
{
    struct aws_op *aws = mem_alloc(sizeof(*aws));

    aws->op = (struct op){.push = aws_op_push, .cancel = aws_op_cancel, .free = aws_op_free};
    aws->err = ERR_INIT;
    return aws;
}

/*
 * An idempotency token is the same in every repetition of a change: a keyed hash of run, resource, operation, member
 * and parameters (a service refuses a token that comes again with others). The call's intent keeps it.
 */
struct token_maker {
    struct bind *bind;
    struct change *change;
    const char *operation;
    const struct doc *params;
};

static void token_make(void *ctx, const char *member, char out[37])
{
    const struct token_maker *maker = ctx;
    struct view key = {(const char *)maker->bind->name_key, sizeof(maker->bind->name_key)};
    struct buf purpose;

    buf_init(&purpose, PURPOSE_MAX);
    buf_addf(&purpose, "aws token\n%s\n%s\n%s\n", change_key(maker->change), maker->operation, member);
    if (maker->params)
        json_add(&purpose, maker->params, JSON_COMPACT);
    aws_token_make(key, buf_view(&purpose), out);
    buf_free(&purpose);
}

/*
 * request { service, operation, params?, region?, role?, endpoint_url?, timeout_ms?, attempts?, guarded?, subject?,
 * body_path?, into? } -> result, status. The paths are absolute; into needs an admission (native.file). params is taken
 * as it stands; the operation's class says whether it passes the gate.
 */
static int aws_request_lua(lua_State *L)
{
    struct change *change = bind_change_of(L);
    struct aws_request request = {0};
    struct token_maker maker = {bind_of(L), change, NULL, NULL};
    struct aws_operation operation;
    struct err err = ERR_INIT;
    struct doc *params;
    struct aws_op *op;
    char subject[160];

    luaL_checktype(L, 1, LUA_TTABLE);
    task_check_wait(L);
    lua_settop(L, 1);
    lua_getfield(L, 1, "service");
    lua_getfield(L, 1, "operation");
    operation = check_operation(L, 2, 3);
    request.operation = operation;
    request.region = bind_field_text(L, 1, "region", NULL);
    request.role = bind_field_text(L, 1, "role", NULL);
    request.endpoint_url = bind_field_text(L, 1, "endpoint_url", NULL);
    request.body_path = bind_field_text(L, 1, "body_path", NULL);
    request.into = bind_field_text(L, 1, "into", NULL);
    if (request.into && !(change && change_acting(change))) {
        err_set(&err, ERR_USAGE, "writing %s would change something outside of a verb; use aws.download", request.into);
        err_explain(&err, "S401");
        return script_raise(L, &err);
    }
    lua_getfield(L, 1, "timeout_ms");
    request.timeout_ms = lua_tointeger(L, -1);
    lua_getfield(L, 1, "attempts");
    request.attempts_max = (int)lua_tointeger(L, -1);
    lua_getfield(L, 1, "guarded");
    request.guarded = lua_toboolean(L, -1);
    snprintf(subject, sizeof(subject), "aws %s %s", aws_service_name(aws_operation_service(operation)),
             aws_operation_name(operation));
    request.subject = bind_field_text(L, 1, "subject", subject);
    if (change && !(aws_operation_flags(operation) & AWS_OPERATION_READS)) {
        maker.operation = aws_operation_name(operation);
        request.owner = change;
        request.logical = change_logical_subject(change, request.subject);
        request.backward = change_is_backward(change);
        request.token = token_make;
        request.token_ctx = &maker;
    }
    lua_getfield(L, 1, "params");
    params = lua_isnil(L, -1) ? NULL : script_check_bytes(L, lua_gettop(L));
    request.params = maker.params = params;
    op = aws_op_new();
    op->call = aws_send(client(L), &request, aws_op_end, op);
    doc_unref(params);
    return task_wait(L, &op->op);
}

/* ---- resources ---- */

struct look_op {
    struct op op;
    struct resource_look *look;
    struct doc *state;
    struct err err;
};

static void look_op_free(struct op *op)
{
    struct look_op *look = (struct look_op *)op;

    doc_unref(look->state);
    free(look);
}

static void look_op_cancel(struct op *op)
{
    resource_look_cancel(((struct look_op *)op)->look);
}

static int look_op_push(lua_State *L, struct op *op, struct err *err)
{
    const struct look_op *look = (const struct look_op *)op;

    if (look->err.kind) {
        *err = look->err;
        return -1;
    }
    if (look->state)
        script_push_doc(L, look->state);
    else
        lua_pushnil(L);
    return 1;
}

static void look_op_end(void *ctx, struct doc *state, const struct err *err)
{
    struct look_op *look = ctx;

    look->state = state;
    if (err)
        look->err = *err;
    task_ready(&look->op);
}

/* look(spec) -> { found, fields }, or nil: what there is of a resource (aws/resource.h says what spec holds) */
static int aws_look_lua(lua_State *L)
{
    struct aws *aws = client(L);
    struct look_op *look;
    struct err err = ERR_INIT;
    struct doc *spec;

    task_check_wait(L);
    spec = script_check_doc(L, 1);
    look = mem_alloc(sizeof(*look));
    look->op = (struct op){.push = look_op_push, .cancel = look_op_cancel, .free = look_op_free};
    look->err = ERR_INIT;
    look->look = resource_look_start(aws, spec, false, look_op_end, look, &err);
    doc_unref(spec);
    if (look->look)
        return task_wait(L, &look->op);
    free(look);
    return script_raise(L, &err);
}

/* Two documents, or none: the second may be what raises. */
static void check_two(lua_State *L, int at, struct doc **one, struct doc **other)
{
    struct err err = ERR_INIT;

    *one = script_check_doc(L, at);
    if (script_to_doc(L, at + 1, other, &err) == 0)
        return;
    doc_unref(*one);
    script_raise(L, &err);
}

/* fill(call, context) -> the params of a call of a kind's */
static int aws_fill_lua(lua_State *L)
{
    struct doc *call, *context, *params;
    struct err err = ERR_INIT;

    check_two(L, 1, &call, &context);
    params = resource_params(call, context, &err);
    doc_unref(call);
    doc_unref(context);
    if (!params)
        return script_raise(L, &err);
    script_push_doc(L, params);
    doc_unref(params);
    return 1;
}

/* wire(field, value, entry) -> the value as the service takes it */
static int aws_wire_lua(lua_State *L)
{
    bool entry = lua_toboolean(L, 3);
    struct doc *field, *value, *wire;

    check_two(L, 1, &field, &value);
    wire = resource_wire(field, value, entry);
    doc_unref(field);
    doc_unref(value);
    script_push_doc(L, wire);
    doc_unref(wire);
    return 1;
}

/* same(field, a, b) -> do both mean the same? */
static int aws_same_lua(lua_State *L)
{
    const struct marks *marks = aws_marks(client(L));
    struct doc *field, *a, *b;
    struct err err = ERR_INIT;
    bool same;

    check_two(L, 1, &field, &a);
    if (script_to_doc(L, 3, &b, &err) < 0) {
        doc_unref(field);
        doc_unref(a);
        return script_raise(L, &err);
    }
    same = resource_same(marks, field, a, b);
    doc_unref(field);
    doc_unref(a);
    doc_unref(b);
    lua_pushboolean(L, same);
    return 1;
}

/* region() -> the configured one, or nil */
static int aws_region_lua(lua_State *L)
{
    lua_pushstring(L, aws_region_of(client(L)));
    return 1;
}

/* check(service, operation, params): raises what is wrong with them; nothing is sent */
static int aws_check_lua(lua_State *L)
{
    struct aws_operation operation = check_operation(L, 1, 2);
    struct doc *params = script_check_bytes(L, 3);
    struct err err = ERR_INIT;
    int result = aws_params_check(operation, params, &err);

    doc_unref(params);
    return result < 0 ? script_raise(L, &err) : 0;
}

/* ---- what an answer means ---- */

/* judge(service, waiter, result or nil, status, err or nil) -> "retry" | "success" | "failure", why */
static int aws_judge_lua(lua_State *L)
{
    static const char *const words[] = {
        [AWS_WAIT_RETRY] = "retry", [AWS_WAIT_SUCCESS] = "success", [AWS_WAIT_FAILURE] = "failure"};
    struct aws_service service = check_service(L, 1);
    struct aws_waiter waiter;
    struct err err = ERR_INIT;
    struct doc *result;
    struct buf why;
    enum aws_wait_state state;

    if (!aws_waiter_find(service, view_of(luaL_checkstring(L, 2)), &waiter))
        return luaL_error(L, "no such waiter");
    if (!lua_isnoneornil(L, 5))
        script_to_err(L, 5, &err);
    result = lua_isnoneornil(L, 3) ? NULL : script_check_bytes(L, 3);
    buf_init(&why, 4096);
    state = aws_waiter_judge(service, &waiter, result, (int)luaL_optinteger(L, 4, 0), err.kind ? &err : NULL, &why);
    doc_unref(result);
    lua_pushstring(L, words[state]);
    script_push_buf(L, &why);
    return 2;
}

/* waiter(service, name) -> { name, operation, delay_ms, attempts }, or nil and the names that there are */
static int aws_waiter_lua(lua_State *L)
{
    struct aws_service service = check_service(L, 1);
    struct aws_waiter waiter;

    if (aws_waiter_find(service, view_of(luaL_checkstring(L, 2)), &waiter)) {
        lua_createtable(L, 0, 4);
        lua_pushstring(L, waiter.snake);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, waiter.operation);
        lua_setfield(L, -2, "operation");
        lua_pushinteger(L, (lua_Integer)waiter.delay_s * 1000);
        lua_setfield(L, -2, "delay_ms");
        lua_pushinteger(L, waiter.attempts_max);
        lua_setfield(L, -2, "attempts");
        return 1;
    }
    lua_pushnil(L);
    lua_newtable(L);
    for (size_t i = 0; i < aws_service_waiters(service); i++) {
        lua_pushstring(L, aws_service_waiter(service, i).snake);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 2;
}

/* next(service, operation, params, result) -> the next page's params, or nil after the last */
static int aws_next_lua(lua_State *L)
{
    struct aws_operation operation = check_operation(L, 1, 2);
    struct err err = ERR_INIT;
    struct doc *params = NULL, *result = NULL;
    bool more = false;

    if (script_to_bytes(L, 3, &params, &err) == 0 && script_to_bytes(L, 4, &result, &err) == 0)
        more = aws_pages_next(operation, params, result, &err);
    doc_unref(result);
    if (err.kind) {
        doc_unref(params);
        return script_raise(L, &err);
    }
    if (more)
        script_push_doc(L, params);
    else
        lua_pushnil(L);
    doc_unref(params);
    return 1;
}

/* query(expression, value) -> what JMESPath finds */
static int aws_query_lua(lua_State *L)
{
    size_t len;
    const char *text = luaL_checklstring(L, 1, &len);
    struct err err = ERR_INIT;
    struct jmespath *path = jmespath_parse((struct view){text, len}, &err);
    struct doc *value = NULL, *found = NULL;

    if (path && script_to_bytes(L, 2, &value, &err) == 0)
        found = jmespath_search(path, value, &err);
    jmespath_free(path);
    doc_unref(value);
    if (!found)
        return script_raise(L, &err);
    script_push_doc(L, found);
    doc_unref(found);
    return 1;
}

/* ---- names ---- */

/* services() -> the built-in ones */
static int aws_services_lua(lua_State *L)
{
    const struct aws_table *table = aws_table_builtin();

    lua_newtable(L);
    for (size_t i = 0; i < aws_table_services(table); i++) {
        lua_pushstring(L, aws_service_name(aws_table_service(table, i)));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* service(name) -> its own name, checked */
static int aws_service_lua(lua_State *L)
{
    lua_pushstring(L, aws_service_name(check_service(L, 1)));
    return 1;
}

/* The name of a payload that may be a file; NULL. */
static const char *stream_of(struct aws_shape shape)
{
    struct aws_member payload = aws_shape_payload(shape);

    return payload.table && ((aws_shape_flags(aws_member_shape(payload)) & AWS_SHAPE_STREAMING) ||
                             (aws_member_flags(payload) & AWS_MEMBER_STREAMING))
               ? aws_member_name(payload)
               : NULL;
}

/* operation(service, name) -> { name, snake, reads, pages, body } */
static int aws_operation_lua(lua_State *L)
{
    struct aws_operation operation = check_operation(L, 1, 2);
    struct aws_paginator paginator;

    lua_createtable(L, 0, 4);
    lua_pushstring(L, aws_operation_name(operation));
    lua_setfield(L, -2, "name");
    lua_pushstring(L, aws_operation_snake(operation));
    lua_setfield(L, -2, "snake");
    lua_pushboolean(L, (aws_operation_flags(operation) & AWS_OPERATION_READS) != 0);
    lua_setfield(L, -2, "reads");
    lua_pushstring(L, stream_of(aws_operation_input(operation)));
    lua_setfield(L, -2, "body");
    if (aws_operation_paginator(operation, &paginator)) {
        lua_pushstring(L, paginator.result_key);
        lua_setfield(L, -2, "pages");
    }
    return 1;
}

int bind_aws_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"check", aws_check_lua},         {"judge", aws_judge_lua},       {"next", aws_next_lua},
        {"operation", aws_operation_lua}, {"query", aws_query_lua},       {"request", aws_request_lua},
        {"service", aws_service_lua},     {"services", aws_services_lua}, {"waiter", aws_waiter_lua},
        {"look", aws_look_lua},           {"fill", aws_fill_lua},         {"wire", aws_wire_lua},
        {"same", aws_same_lua},           {"region", aws_region_lua},     {NULL, NULL},
    };

    luaL_newlib(L, functions);
    return 1;
}
