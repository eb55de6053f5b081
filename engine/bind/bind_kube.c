/* dosrun.native.kube: requests, discovery, watches, managed fields. Verbs and rules are lua/dosrun/kube. */
#include "bind/bind_kube.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

struct kube *bind_kube_client(lua_State *L)
{
    struct bind *bind = bind_of(L);
    struct err err = ERR_INIT;
    struct kube *kube = bind->kube(bind->ctx, &err);

    if (!kube)
        script_raise(L, &err);
    return kube;
}

static struct doc *optional_doc(lua_State *L, int index)
{
    return lua_isnoneornil(L, index) ? NULL : script_check_doc(L, index);
}

/* A field of the table at 1 as a document, or NULL. */
static struct doc *field_doc(lua_State *L, const char *name)
{
    struct doc *doc;

    lua_getfield(L, 1, name);
    doc = optional_doc(L, lua_gettop(L));
    lua_pop(L, 1);
    return doc;
}

static int64_t field_int(lua_State *L, const char *name, int64_t fallback)
{
    int64_t value = lua_getfield(L, 1, name) == LUA_TNUMBER ? lua_tointeger(L, -1) : fallback;

    lua_pop(L, 1);
    return value;
}

static bool field_bool(lua_State *L, const char *name)
{
    bool value;

    lua_getfield(L, 1, name);
    value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

/* ---- requests ---- */

struct kube_op {
    struct op op;
    struct kube_call *call;
    int status;
    struct doc *body;
    struct buf text; /* streams */
    struct err err;
};

static void kube_op_free(struct op *op)
{
    struct kube_op *kube = (struct kube_op *)op;

    doc_unref(kube->body);
    buf_free(&kube->text);
    free(kube);
}

static void kube_op_cancel(struct op *op)
{
    kube_cancel(((struct kube_op *)op)->call);
}

static int kube_op_push(lua_State *L, struct op *op, struct err *err)
{
    const struct kube_op *kube = (const struct kube_op *)op;

    if (kube->err.kind) {
        *err = kube->err;
        return -1;
    }
    if (kube->body)
        script_push_doc(L, kube->body);
    else
        lua_pushlstring(L, buf_text(&kube->text), kube->text.len);
    lua_pushinteger(L, kube->status);
    return 2;
}

static void kube_op_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_op *kube = ctx;

    kube->status = answer ? answer->status : 0;
    kube->body = doc_ref(body);
    if (err)
        kube->err = *err;
    task_ready(&kube->op);
}

static void kube_op_piece(void *ctx, struct view bytes)
{
    buf_add_view(&((struct kube_op *)ctx)->text, bytes);
}

static struct kube_op *kube_op_new(void)
{
    struct kube_op *kube = mem_alloc(sizeof(*kube));

    kube->op = (struct op){.push = kube_op_push, .cancel = kube_op_cancel, .free = kube_op_free};
    kube->err = ERR_INIT;
    buf_init(&kube->text, 64 << 20);
    return kube;
}

/*
 * request { method, path, query?, body?, content_type?, reads?, subject?, guarded?, once?, stream?, timeout_ms?,
 * attempts? }
 * -> body, status. reads: a changing method that changes nothing (dry run, access review). once: never
 * sent again by itself after a lost answer.
 */
static int kube_request_lua(lua_State *L)
{
    struct kube *kube = bind_kube_client(L);
    struct change *change = bind_change_of(L);
    struct kube_request request = {0};
    struct doc *query, *body;
    struct kube_op *op;
    bool stream;

    luaL_checktype(L, 1, LUA_TTABLE);
    task_check_wait(L);
    request.method = bind_field_text(L, 1, "method", "GET");
    request.path = bind_field_text(L, 1, "path", "/");
    request.content_type = bind_field_text(L, 1, "content_type", NULL);
    request.subject = bind_field_text(L, 1, "subject", NULL);
    request.timeout_ms = field_int(L, "timeout_ms", 0);
    request.attempts_max = (int)field_int(L, "attempts", 0);
    request.guarded = field_bool(L, "guarded");
    request.class = strcmp(request.method, "GET") == 0 || field_bool(L, "reads") ? HTTP_READS : HTTP_CHANGES;
    request.repeat = field_bool(L, "once") ? HTTP_REPEAT_NEVER : HTTP_REPEAT_SAFE;
    stream = field_bool(L, "stream");
    if (request.class == HTTP_CHANGES && change) {
        request.owner = change;
        request.logical = change_logical(change, request.method, request.path);
        request.backward = change_is_backward(change);
    }
    query = field_doc(L, "query");
    body = field_doc(L, "body");
    request.query = query;
    request.body = body;
    op = kube_op_new();
    op->call = stream ? kube_stream(kube, &request, kube_op_piece, kube_op_end, op)
                      : kube_send(kube, &request, kube_op_end, op);
    doc_unref(query);
    doc_unref(body);
    return task_wait(L, &op->op);
}

/* ---- discovery ---- */

struct discover_op {
    struct op op;
    struct err err;
    bool cancelled, over;
};

static void discover_free(struct op *op)
{
    struct discover_op *discover = (struct discover_op *)op;

    if (discover->over)
        free(discover);
    else
        discover->cancelled = true; /* its callback frees it */
}

static void discover_cancel(struct op *op)
{
    (void)op;
}

static int discover_push(lua_State *L, struct op *op, struct err *err)
{
    const struct discover_op *discover = (const struct discover_op *)op;

    (void)L;
    if (!discover->err.kind)
        return 0;
    *err = discover->err;
    return -1;
}

static void discover_end(void *ctx, const struct err *err)
{
    struct discover_op *discover = ctx;

    if (discover->cancelled) {
        free(discover);
        return;
    }
    discover->over = true;
    if (err)
        discover->err = *err;
    task_ready(&discover->op);
}

/* discover(): waits until the server's kinds are known */
static int kube_discover_lua(lua_State *L)
{
    struct kube *kube = bind_kube_client(L);
    struct discover_op *discover;

    task_check_wait(L);
    discover = mem_alloc(sizeof(*discover));
    discover->op = (struct op){.push = discover_push, .cancel = discover_cancel, .free = discover_free};
    discover->err = ERR_INIT;
    kube_discover(kube, discover_end, discover);
    return task_wait(L, &discover->op);
}

/* rediscover(): forgets them (a CRD came or went) */
static int kube_rediscover_lua(lua_State *L)
{
    kube_rediscover(bind_kube_client(L));
    return 0;
}

static void push_resource(lua_State *L, const struct kube_resource *resource)
{
    lua_createtable(L, 0, 8);
    lua_pushstring(L, resource->group);
    lua_setfield(L, -2, "group");
    lua_pushstring(L, resource->version);
    lua_setfield(L, -2, "version");
    if (*resource->group)
        lua_pushfstring(L, "%s/%s", resource->group, resource->version);
    else
        lua_pushstring(L, resource->version);
    lua_setfield(L, -2, "api_version");
    lua_pushstring(L, resource->kind);
    lua_setfield(L, -2, "kind");
    lua_pushstring(L, resource->plural);
    lua_setfield(L, -2, "plural");
    lua_pushboolean(L, resource->namespaced);
    lua_setfield(L, -2, "namespaced");
}

/* resource(api_version or nil, word) -> { group, version, api_version, kind, plural, namespaced }, or nil and why;
 * after discover() */
static int kube_resource_lua(lua_State *L)
{
    struct err err = ERR_INIT;
    const struct kube_resource *resource =
        kube_resource_find(bind_kube_client(L), luaL_optstring(L, 1, NULL), luaL_checkstring(L, 2), &err);

    if (resource) {
        push_resource(L, resource);
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, err.message);
    return 2;
}

/* resources() -> all of them, each with `preferred` and `listable`; after discover() */
static int kube_resources_lua(lua_State *L)
{
    const struct kube *kube = bind_kube_client(L);
    lua_Integer count = 0;

    lua_newtable(L);
    for (size_t i = 0; i < kube_resource_count(kube); i++) {
        const struct kube_resource *resource = kube_resource_at(kube, i);

        if (!resource->preferred)
            continue;
        push_resource(L, resource);
        lua_pushboolean(L, resource->watchable);
        lua_setfield(L, -2, "listable");
        lua_rawseti(L, -2, ++count);
    }
    return 1;
}

/* path(api_version, kind, namespace?, name?, sub?) -> "/apis/..." */
static int kube_path_lua(lua_State *L)
{
    struct err err = ERR_INIT;
    const struct kube_resource *resource =
        kube_resource_find(bind_kube_client(L), luaL_optstring(L, 1, NULL), luaL_checkstring(L, 2), &err);
    const char *namespace = luaL_optstring(L, 3, NULL), *name = luaL_optstring(L, 4, NULL),
               *sub = luaL_optstring(L, 5, NULL);
    struct buf path;

    if (!resource)
        return script_raise(L, &err);
    buf_init(&path, 8192);
    kube_path(&path, resource, resource->namespaced ? namespace : NULL, name, sub);
    lua_pushlstring(L, buf_text(&path), path.len);
    buf_free(&path);
    return 1;
}

/* config() -> { context, server, namespace, source } */
static int kube_config_lua(lua_State *L)
{
    const struct kube_config *config = kube_config_of(bind_kube_client(L));

    lua_createtable(L, 0, 4);
    lua_pushstring(L, kube_config_context(config));
    lua_setfield(L, -2, "context");
    lua_pushstring(L, kube_config_server(config));
    lua_setfield(L, -2, "server");
    lua_pushstring(L, kube_config_namespace(config));
    lua_setfield(L, -2, "namespace");
    lua_pushstring(L, kube_config_source(config));
    lua_setfield(L, -2, "source");
    return 1;
}

/* ---- managed fields ---- */

int bind_push_taken(lua_State *L, struct doc *doc)
{
    if (doc)
        script_push_doc(L, doc);
    else
        lua_pushnil(L);
    doc_unref(doc);
    return 1;
}

/* applied(object, manager) -> the apply body that owns just what manager owns, or nil */
static int kube_applied_lua(lua_State *L)
{
    struct doc *object = script_check_doc(L, 1), *applied = kube_fields_applied(object, luaL_checkstring(L, 2));

    doc_unref(object);
    return bind_push_taken(L, applied);
}

/* settled(object, manifest, manager) -> would applying it surely change nothing? */
static int kube_settled_lua(lua_State *L)
{
    const char *manager = luaL_checkstring(L, 3);
    struct doc *object = script_check_doc(L, 1), *manifest = script_check_doc(L, 2);

    lua_pushboolean(L, kube_fields_settled(object, manifest, manager));
    doc_unref(object);
    doc_unref(manifest);
    return 1;
}

/* diff(before, after) -> { { path, pointer, old, new, owner }, ... } */
static int kube_diff_lua(lua_State *L)
{
    struct doc *before = optional_doc(L, 1), *after = optional_doc(L, 2), *diff = kube_fields_diff(before, after);

    doc_unref(before);
    doc_unref(after);
    return bind_push_taken(L, diff);
}

/* trim(object, keep_uid) -> without the server's bookkeeping */
static int kube_trim_lua(lua_State *L)
{
    struct doc *object = script_check_doc(L, 1), *trimmed = kube_object_trim(object, lua_toboolean(L, 2));

    doc_unref(object);
    return bind_push_taken(L, trimmed);
}

/* without_status(object) -> a copy as it is but for its status */
static int kube_without_status_lua(lua_State *L)
{
    struct doc *object = script_check_doc(L, 1);

    doc_remove(object, "status");
    return bind_push_taken(L, object);
}

/* manager_of(object, pointer) -> "name (time)" or nil */
static int kube_manager_lua(lua_State *L)
{
    const char *pointer = luaL_checkstring(L, 2);
    struct doc *object = script_check_doc(L, 1);
    char *manager = kube_fields_manager(object, pointer);

    doc_unref(object);
    if (manager)
        lua_pushstring(L, manager);
    else
        lua_pushnil(L);
    free(manager);
    return 1;
}

int bind_kube_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"request", kube_request_lua},
                                         {"discover", kube_discover_lua},
                                         {"rediscover", kube_rediscover_lua},
                                         {"resource", kube_resource_lua},
                                         {"resources", kube_resources_lua},
                                         {"path", kube_path_lua},
                                         {"config", kube_config_lua},
                                         {"applied", kube_applied_lua},
                                         {"settled", kube_settled_lua},
                                         {"diff", kube_diff_lua},
                                         {"trim", kube_trim_lua},
                                         {"without_status", kube_without_status_lua},
                                         {"manager_of", kube_manager_lua},
                                         {"watch", bind_kube_watch},
                                         {"watch_any", bind_kube_watch_any},
                                         {NULL, NULL}};

    bind_kube_watch_open(L);
    luaL_newlib(L, functions);
    return 1;
}
