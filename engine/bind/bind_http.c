/* dosrun.native.http: one request, awaited. */
#include "bind/bind.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 64, BODY_MAX = 64 << 20 };

struct http_op {
    struct op op;
    struct http_call *call;
    int status;
    struct doc *headers;
    struct buf body;
    struct err err;
    bool any_status; /* 400 and more is an answer like any other */
};

static void http_op_free(struct op *op)
{
    struct http_op *http = (struct http_op *)op;

    doc_unref(http->headers);
    buf_free(&http->body);
    free(http);
}

static void http_op_cancel(struct op *op)
{
    http_cancel(((struct http_op *)op)->call);
}

static int http_op_push(lua_State *L, struct op *op, struct err *err)
{
    const struct http_op *http = (const struct http_op *)op;

    if (http->err.kind && !(http->any_status && http->status >= 400)) {
        *err = http->err;
        return -1;
    }
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, http->status);
    lua_setfield(L, -2, "status");
    script_push_doc(L, http->headers);
    lua_setfield(L, -2, "headers");
    lua_pushlstring(L, buf_text(&http->body), http->body.len);
    lua_setfield(L, -2, "body");
    return 1;
}

static void http_op_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct http_op *http = ctx;

    http->status = answer->status;
    for (size_t i = 0; i < answer->headers_len; i++)
        doc_set_text(http->headers, answer->headers[i].name, answer->headers[i].value);
    buf_add_view(&http->body, answer->body);
    if (err)
        http->err = *err;
    task_ready(&http->op);
}

static bool method_reads(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0;
}

/* The table's headers into an array; the strings stay alive in the argument table. */
static size_t read_headers(lua_State *L, int index, struct header headers[HEADERS_MAX])
{
    size_t count = 0;

    if (lua_getfield(L, index, "headers") == LUA_TTABLE) {
        lua_pushnil(L);
        while (lua_next(L, -2)) {
            if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
                luaL_error(L, "headers: names and values must be strings");
            if (count == HEADERS_MAX)
                luaL_error(L, "more than %d headers", HEADERS_MAX);
            headers[count++] = (struct header){lua_tostring(L, -2), lua_tostring(L, -1)};
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
    return count;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct header *)a)->name, ((const struct header *)b)->name);
}

static bool field_bool(lua_State *L, const char *name)
{
    bool value;

    lua_getfield(L, 1, name);
    value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* request { method, url, headers?, body?, timeout_ms?, attempts?, any_status?, plain? } -> { status, headers, body }.
   any_status: a status of 400 and more is an answer, no error. plain: see http_request. */
static int http_request_lua(lua_State *L)
{
    static const struct http_fns fns = {.end = http_op_end};
    struct bind *bind = bind_of(L);
    struct header headers[HEADERS_MAX];
    struct http_request request = {0};
    struct change *change = bind_change_of(L);
    struct http_op *http;
    bool any_status;

    luaL_checktype(L, 1, LUA_TTABLE);
    task_check_wait(L);
    request.method = bind_field_text(L, 1, "method", "GET");
    request.url = bind_field_text(L, 1, "url", "");
    request.headers_len = read_headers(L, 1, headers);
    qsort(headers, request.headers_len, sizeof(*headers), by_name);
    request.headers = headers;
    if (lua_getfield(L, 1, "body") == LUA_TSTRING)
        request.body.ptr = lua_tolstring(L, -1, &request.body.len);
    if (lua_getfield(L, 1, "timeout_ms") == LUA_TNUMBER)
        request.timeout_ms = lua_tointeger(L, -1);
    if (lua_getfield(L, 1, "attempts") == LUA_TNUMBER)
        request.attempts_max = (int)lua_tointeger(L, -1);
    any_status = field_bool(L, "any_status");
    request.plain = field_bool(L, "plain");
    request.class = method_reads(request.method) ? HTTP_READS : HTTP_CHANGES;
    request.repeat =
        method_reads(request.method) || strcmp(request.method, "PUT") == 0 || strcmp(request.method, "DELETE") == 0
            ? HTTP_REPEAT_SAFE
            : HTTP_REPEAT_NEVER;
    if (request.class == HTTP_CHANGES && change) {
        request.owner = change;
        request.logical = change_logical(change, request.method, request.url);
        request.backward = change_is_backward(change);
    }
    http = mem_alloc(sizeof(*http));
    http->op = (struct op){.push = http_op_push, .cancel = http_op_cancel, .free = http_op_free};
    http->headers = doc_object();
    http->err = ERR_INIT;
    buf_init(&http->body, BODY_MAX);
    http->any_status = any_status;
    http->call = http_send(bind->http, &request, NULL, &fns, http);
    return task_wait(L, &http->op);
}

int bind_http_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"request", http_request_lua}, {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
