/* Calls into the scripts: a request to a function and its table to an answer, a program likewise. */
#include "sandbox/script_parts.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An answer that takes its time. */
struct pending {
    struct list link;
    struct sim_reply *reply;
    struct sim_timer *timer;
    int status;
    struct header *headers;
    size_t headers_len;
    struct buf body;
};

/* One call into Lua. What it made hangs here, so that an error (a longjmp) loses nothing. */
struct call {
    struct sim_script *script;
    const struct route *route;
    const struct sim_request *request;     /* a host's */
    const struct process_request *process; /* a program's */
    int status;
    int64_t takes_ms;
    struct buf body, err;
    struct doc *headers, *document, *scratch;
};

static void field_text(lua_State *L, const char *key, struct view text)
{
    lua_pushlstring(L, text.ptr ? text.ptr : "", text.len);
    lua_setfield(L, -2, key);
}

static void request_push(lua_State *L, struct call *call)
{
    const struct sim_request *request = call->request;
    struct err ignored = ERR_INIT;

    lua_newtable(L);
    field_text(L, "method", view_of(request->method));
    field_text(L, "path", view_of(request->path));
    field_text(L, "host", request->host);
    field_text(L, "body", request->body);
    sim_value_push(L, request->query);
    lua_setfield(L, -2, "query");
    lua_newtable(L);
    for (size_t i = 0; i < request->headers_len; i++) {
        char *name = mem_text(request->headers[i].name);

        for (char *c = name; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
        call->scratch = doc_text(name);
        free(name);
        field_text(L, doc_as_text(call->scratch, ""), view_of(request->headers[i].value));
        doc_unref(call->scratch);
        call->scratch = NULL;
    }
    lua_setfield(L, -2, "headers");
    call->scratch = json_parse(request->body, &ignored);
    if (call->scratch) {
        sim_value_push(L, call->scratch);
        lua_setfield(L, -2, "json");
    }
}

static struct doc *field_doc(lua_State *L, const char *key)
{
    const char *why;
    struct doc *doc;

    if (lua_getfield(L, -1, key) == LUA_TNIL) {
        lua_pop(L, 1);
        return NULL;
    }
    doc = sim_value_doc(L, -1, &why);
    if (!doc)
        luaL_error(L, "the answer's %s holds %s", key, why);
    lua_pop(L, 1);
    return doc;
}

static void field_bytes(lua_State *L, const char *key, struct buf *out)
{
    size_t len;
    const char *text;

    lua_getfield(L, -1, key);
    text = lua_tolstring(L, -1, &len);
    if (!text && !lua_isnil(L, -1))
        luaL_error(L, "the answer's %s is no text", key);
    if (text)
        buf_add(out, text, len);
    lua_pop(L, 1);
}

static void answer_take(lua_State *L, struct call *call, int status)
{
    lua_getfield(L, -1, "status");
    call->status = (int)luaL_optinteger(L, -1, status);
    lua_pop(L, 1);
    lua_getfield(L, -1, "seconds");
    call->takes_ms = (int64_t)(luaL_optnumber(L, -1, 0) * 1000);
    lua_pop(L, 1);
}

static int host_call(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, call->route->function);
    request_push(L, call);
    lua_call(L, 1, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "the script for %s gave no answer for %s %s", call->route->origin, call->request->method,
                          call->request->path);
    answer_take(L, call, 200);
    call->headers = field_doc(L, "headers");
    call->document = field_doc(L, "json");
    if (call->status < 100 || call->status > 599)
        return luaL_error(L, "the script for %s answered with status %d", call->route->origin, call->status);
    field_bytes(L, "body", &call->body);
    return 0;
}

static int program_call(lua_State *L)
{
    struct call *call = lua_touserdata(L, 1);
    const struct process_request *request = call->process;

    lua_rawgeti(L, LUA_REGISTRYINDEX, call->route->function);
    lua_newtable(L);
    for (int i = 0; request->argv[i]; i++) {
        lua_pushstring(L, request->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushlstring(L, request->input.ptr ? request->input.ptr : "", request->input.len);
    lua_newtable(L);
    lua_pushstring(L, request->cwd);
    lua_setfield(L, -2, "cwd");
    lua_newtable(L);
    for (int i = 0; request->env && request->env[i]; i++) {
        const char *equals = strchr(request->env[i], '=');

        if (!equals)
            continue;
        lua_pushlstring(L, request->env[i], (size_t)(equals - request->env[i]));
        lua_pushstring(L, equals + 1);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "env");
    lua_call(L, 3, 1);
    if (!lua_istable(L, -1))
        return luaL_error(L, "the script for the program %s gave no answer", call->route->origin);
    answer_take(L, call, 0);
    field_bytes(L, "stdout", &call->body);
    field_bytes(L, "stderr", &call->err);
    return 0;
}

static void call_init(struct call *call, struct sim_script *script, const struct route *route)
{
    *call = (struct call){.script = script, .route = route};
    buf_init(&call->body, SIM_BODY_MAX);
    buf_init(&call->err, SIM_BODY_MAX);
}

static void call_clear(struct call *call)
{
    buf_free(&call->body);
    buf_free(&call->err);
    doc_unref(call->headers);
    doc_unref(call->document);
    doc_unref(call->scratch);
}

static int call_run(struct call *call, lua_CFunction function, struct err *err)
{
    lua_State *L = call->script->L;
    struct err kept = ERR_INIT;
    int result;

    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, call);
    result = sim_script_call(call->script, 1, err);
    /* What the script did before it failed stays done. */
    if (sim_script_save(call->script, result ? &kept : err))
        result = -1;
    return result;
}

/* ---- hosts ---- */

static bool view_same(struct view a, struct view b)
{
    return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

static bool path_below(const char *path, const char *prefix)
{
    size_t len = strlen(prefix);

    if (len > 0 && prefix[len - 1] == '/')
        return strncmp(path, prefix, len) == 0 || (strlen(path) == len - 1 && strncmp(path, prefix, len - 1) == 0);
    return strncmp(path, prefix, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static const struct route *host_find(const struct sim_script *script, const struct sim_request *request)
{
    const struct route *best = NULL;

    for (size_t i = 0; i < script->hosts.len; i++) {
        const struct route *route = &script->hosts.list[i];
        const struct sim_request *at = &route->url.request;

        if (at->host.ptr && view_same(at->scheme, request->scheme) && view_same(at->host, request->host) &&
            at->port == request->port && path_below(request->path, at->path) &&
            (!best || strlen(at->path) >= strlen(best->url.request.path)))
            best = route;
    }
    return best;
}

bool sim_script_serves(struct sim_server *server, const struct sim_request *request)
{
    return host_find((struct sim_script *)(void *)server, request) != NULL;
}

static void pending_free(struct pending *pending)
{
    list_remove(&pending->link);
    sim_timer_stop(pending->timer);
    sim_headers_free(pending->headers, pending->headers_len);
    buf_free(&pending->body);
    free(pending);
}

static void pending_gone(void *ctx)
{
    pending_free(ctx);
}

static void pending_due(void *ctx)
{
    struct pending *pending = ctx;

    pending->timer = NULL;
    sim_reply_head(pending->reply, pending->status, pending->headers, pending->headers_len);
    if (pending->body.len > 0)
        sim_reply_body(pending->reply, buf_view(&pending->body));
    sim_reply_end(pending->reply);
    pending_free(pending);
}

static void answer_start(struct call *call, struct sim_reply *reply)
{
    struct pending *pending = mem_alloc(sizeof(*pending));
    size_t len = 0;

    pending->reply = reply;
    pending->status = call->status;
    pending->headers = mem_array(doc_size(call->headers) + 1, sizeof(*pending->headers));
    DOC_EACH(header, call->headers)
    pending->headers[len++] = (struct header){mem_text(header.key), mem_text(doc_as_text(header.value, ""))};
    buf_init(&pending->body, SIZE_MAX / 2);
    if (call->document) {
        pending->headers[len++] = (struct header){mem_text("Content-Type"), mem_text("application/json")};
        json_add(&pending->body, call->document, JSON_COMPACT);
    } else {
        buf_add_view(&pending->body, buf_view(&call->body));
    }
    pending->headers_len = len;
    list_add_tail(&call->script->pending, &pending->link);
    if (call->takes_ms <= 0) {
        pending_due(pending);
        return;
    }
    sim_reply_on_gone(reply, pending_gone, pending);
    pending->timer = sim_after(call->script->sim, call->takes_ms, pending_due, pending);
}

void sim_script_handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply)
{
    struct sim_script *script = (struct sim_script *)(void *)server;
    struct call call;
    struct err err = ERR_INIT;

    call_init(&call, script, host_find(script, request));
    call.request = request;
    if (call_run(&call, host_call, &err)) {
        err_context(&err, "the sandbox's script for %s", call.route->origin);
        err.kind = ERR_NETWORK;
        err.maybe_done = true;
        sim_reply_fail(reply, &err);
    } else {
        answer_start(&call, reply);
    }
    call_clear(&call);
}

/* ---- programs ---- */

static const struct route *program_find(const struct sim_script *script, const char *name)
{
    const struct route *found = NULL;
    const char *slash = strrchr(name, '/');

    for (size_t i = 0; i < script->programs.len; i++)
        if (strcmp(script->programs.list[i].origin, slash ? slash + 1 : name) == 0)
            found = &script->programs.list[i];
    return found;
}

bool sim_script_has_program(struct sim_script *script, const char *name)
{
    return program_find(script, name) != NULL;
}

int sim_script_program(struct sim_script *script, const struct process_request *request, struct sim_run *run,
                       struct err *err)
{
    struct call call;
    int result;

    call_init(&call, script, program_find(script, request->argv[0]));
    call.process = request;
    result = call_run(&call, program_call, err);
    if (result == 0) {
        run->status = call.status & 0xff;
        run->takes_ms = call.takes_ms;
        buf_add_view(&run->out, buf_view(&call.body));
        buf_add_view(&run->err, buf_view(&call.err));
    } else {
        err_context(err, "the sandbox's script for the program %s", request->argv[0]);
    }
    call_clear(&call);
    return result;
}

void sim_script_drop_pending(struct sim_script *script)
{
    LIST_EACH_SAFE(link, &script->pending)
    pending_free(LIST_OF(link, struct pending, link));
}
