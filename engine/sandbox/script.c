/*
 * tests/sandbox.lua: HTTP hosts and programs as Lua functions, with one table, sandbox.state, that
 * lasts from run to run. What changed in it is logged before the answer is given.
 */
#include "sandbox/core.h"
#include "sandbox/script_value.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STEPS_MAX = 20 * 1000 * 1000, MEMORY_MAX = 64 << 20 };

struct route {
    char *origin; /* URL prefix, or a program's name */
    struct sim_message url;
    int function; /* in the registry */
};

struct routes {
    struct route *list;
    size_t len;
};

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

struct sim_script {
    struct sim_server server; /* first */
    struct sim *sim;
    lua_State *L; /* NULL until something was loaded */
    size_t memory;
    struct routes hosts, programs;
    struct doc *state; /* as logged last */
    struct doc *read;  /* what state_read found */
    struct list pending;
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
    bool json;
    struct doc *headers, *document, *scratch;
};

static void *limited_alloc(void *ctx, void *ptr, size_t old, size_t size)
{
    struct sim_script *script = ctx;
    size_t before = ptr ? old : 0;
    void *grown;

    if (size == 0) {
        script->memory -= before;
        free(ptr);
        return NULL;
    }
    if (size > before && script->memory - before + size > MEMORY_MAX)
        return NULL;
    grown = realloc(ptr, size);
    if (grown)
        script->memory += size - before;
    return grown;
}

static void too_long(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "a script of the sandbox runs for too long");
}

static struct sim_script *script_of(lua_State *L)
{
    return *(struct sim_script **)lua_getextraspace(L);
}

/* ---- functions of the table `sandbox` ---- */

static struct route *route_add(struct routes *routes, const char *origin)
{
    struct route *route;

    routes->list = mem_grow(routes->list, routes->len + 1, sizeof(*routes->list));
    route = &routes->list[routes->len++];
    *route = (struct route){.origin = mem_text(origin)};
    return route;
}

/* sandbox.http(url, function(request) ... end): answers all requests below url; the longest url wins. */
static int script_http(lua_State *L)
{
    const char *url = luaL_checkstring(L, 1);
    struct sim_script *script = script_of(L);
    struct route *route;
    struct err err = ERR_INIT;
    int function;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    function = luaL_ref(L, LUA_REGISTRYINDEX);
    route = route_add(&script->hosts, url);
    route->function = function;
    if (sim_message_init(&route->url, "GET", url, NULL, 0, VIEW_LITERAL(""), &err))
        return luaL_error(L, "sandbox.http: %s", err.message);
    return 0;
}

/* sandbox.program(name, function(argv, input, process) ... end) */
static int script_program(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    int function;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    function = luaL_ref(L, LUA_REGISTRYINDEX);
    route_add(&script_of(L)->programs, name)->function = function;
    return 0;
}

/* sandbox.now(): virtual seconds since 1970 */
static int script_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sim_now_ms(script_of(L)->sim) / 1000);
    return 1;
}

/* sandbox.hex(purpose [, digits]): random-looking, the same in every run with this seed */
static int script_hex(lua_State *L)
{
    const char *purpose = luaL_checkstring(L, 1);
    lua_Integer len = luaL_optinteger(L, 2, 32);
    char out[65];

    luaL_argcheck(L, len >= 1 && len <= 64, 2, "1 to 64 digits");
    sim_hex(script_of(L)->sim, purpose, out, (size_t)len);
    lua_pushlstring(L, out, (size_t)len);
    return 1;
}

static int setup(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"http", script_http}, {"program", script_program}, {"now", script_now}, {"hex", script_hex}, {NULL, NULL}};

    sim_value_open(L);
    lua_getglobal(L, "sandbox");
    luaL_setfuncs(L, functions, 0);
    return 0;
}

/* ---- state ---- */

/* sandbox.state: what was kept wins over what the script's own lines set. */
static int state_push(lua_State *L)
{
    struct sim_script *script = script_of(L);

    lua_getglobal(L, "sandbox");
    if (lua_getfield(L, -1, "state") != LUA_TTABLE)
        return luaL_error(L, "sandbox.state is no longer a table");
    DOC_EACH(member, script->state)
    {
        sim_value_push(L, member.value);
        lua_setfield(L, -2, member.key);
    }
    return 0;
}

static int lua_failed(struct sim_script *script, struct err *err)
{
    const char *text = lua_tostring(script->L, -1);

    err_set(err, ERR_USAGE, "%s", text ? text : "a script of the sandbox failed without a text");
    lua_pop(script->L, 1);
    return -1;
}

/* Calls what is on the stack, with the limits. */
static int limited_call(struct sim_script *script, int arguments, struct err *err)
{
    int status;

    lua_sethook(script->L, too_long, LUA_MASKCOUNT, STEPS_MAX);
    status = lua_pcall(script->L, arguments, 0, 0);
    lua_sethook(script->L, NULL, 0, 0);
    return status == LUA_OK ? 0 : lua_failed(script, err);
}

static int state_read(lua_State *L)
{
    struct sim_script *script = script_of(L);
    const char *why;

    lua_getglobal(L, "sandbox");
    lua_getfield(L, -1, "state");
    if (!lua_istable(L, -1))
        return luaL_error(L, "sandbox.state is no longer a table");
    script->read = sim_value_doc(L, -1, &why);
    if (script->read && doc_is(script->read, DOC_ARRAY))
        why = "a list";
    if (why)
        return luaL_error(L, "sandbox.state must be plain data with names: it is or holds %s", why);
    return 0;
}

/* Logs the state if it changed. */
static int state_save(struct sim_script *script, struct err *err)
{
    struct doc *effect;
    int result;

    lua_pushcfunction(script->L, state_read);
    result = limited_call(script, 0, err);
    if (result == 0 && !doc_equal(script->read, script->state)) {
        doc_unref(script->state);
        script->state = doc_ref(script->read);
        effect = doc_object();
        doc_set_text(effect, "of", "script");
        doc_set(effect, "state", doc_ref(script->state));
        sim_log(script->sim, effect);
    }
    doc_unref(script->read);
    script->read = NULL;
    return result;
}

static int script_start(struct sim_script *script, struct err *err)
{
    if (script->L)
        return 0;
    script->L = lua_newstate(limited_alloc, script);
    if (!script->L)
        return err_set(err, ERR_INTERNAL, "no Lua state for the sandbox's scripts");
    *(struct sim_script **)lua_getextraspace(script->L) = script;
    lua_pushcfunction(script->L, setup);
    if (limited_call(script, 0, err))
        return -1;
    lua_pushcfunction(script->L, state_push);
    return limited_call(script, 0, err);
}

int sim_script_load(struct sim_script *script, const char *name, struct view text, struct err *err)
{
    char *chunk;
    int status;

    if (script_start(script, err))
        return -1;
    chunk = mem_printf("@%s", name);
    status = luaL_loadbufferx(script->L, text.ptr ? text.ptr : "", text.len, chunk, "t");
    free(chunk);
    if (status != LUA_OK)
        return lua_failed(script, err);
    if (limited_call(script, 0, err))
        return -1;
    lua_pushcfunction(script->L, state_push);
    if (limited_call(script, 0, err) || state_save(script, err))
        return -1;
    sim_store_flush(script->sim->store);
    return 0;
}

/* ---- calls ---- */

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
    result = limited_call(call->script, 1, err);
    /* What the script did before it failed stays done. */
    if (state_save(call->script, result ? &kept : err))
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

static bool script_serves(struct sim_server *server, const struct sim_request *request)
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

static void script_handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply)
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

/* ---- the server ---- */

static void script_replay(struct sim_server *server, const struct doc *effect)
{
    struct sim_script *script = (struct sim_script *)(void *)server;

    doc_unref(script->state);
    script->state = doc_ref(doc_get(effect, "state"));
}

static void script_snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    struct sim_script *script = (struct sim_script *)(void *)server;
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "script");
    doc_set(effect, "state", doc_ref(script->state));
    put(ctx, effect);
}

static void script_show(struct sim_server *server, bool raw, struct buf *out)
{
    struct sim_script *script = (struct sim_script *)(void *)server;
    const char **keys;
    size_t len = doc_keys_sorted(script->state, &keys);

    (void)raw;
    for (size_t i = 0; i < len; i++) {
        buf_addf(out, "state %s = ", keys[i]);
        json_add(out, doc_get(script->state, keys[i]), JSON_SORTED);
        buf_add_char(out, '\n');
    }
    free(keys);
}

struct sim_script *sim_script_new(struct sim *sim)
{
    struct sim_script *script = mem_alloc(sizeof(*script));

    script->server = (struct sim_server){.name = "script",
                                         .serves = script_serves,
                                         .handle = script_handle,
                                         .replay = script_replay,
                                         .snapshot = script_snapshot,
                                         .show = script_show};
    script->sim = sim;
    script->state = doc_object();
    list_init(&script->pending);
    return script;
}

struct sim_server *sim_script_server(struct sim_script *script)
{
    return &script->server;
}

static void routes_free(struct routes *routes)
{
    for (size_t i = 0; i < routes->len; i++) {
        free(routes->list[i].origin);
        sim_message_clear(&routes->list[i].url);
    }
    free(routes->list);
}

void sim_script_free(struct sim_script *script)
{
    if (!script)
        return;
    LIST_EACH_SAFE(link, &script->pending)
    pending_free(LIST_OF(link, struct pending, link));
    if (script->L)
        lua_close(script->L);
    routes_free(&script->hosts);
    routes_free(&script->programs);
    doc_unref(script->state);
    free(script);
}
