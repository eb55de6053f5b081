/* dosrun.native.kube's watches: one list+watch in C for every waiter; Lua asks what is there and waits for news. */
#include "bind/bind_kube.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_TYPE "dosrun.kube.watch"

struct watch_op {
    struct op op;
    struct watch_handle *handle;
    struct timer *timer;
    bool changed;
};

struct watch_handle {
    struct kube_watch *watch;
    struct world *world;
    struct watch_op *waiting;
    struct any_op *any;
    bool changed; /* since the last wait */
    struct err failed;
};

static void watch_wake(struct watch_handle *handle, bool changed)
{
    struct watch_op *waiting = handle->waiting;

    if (!waiting)
        return;
    handle->waiting = NULL;
    timer_stop(waiting->timer);
    waiting->timer = NULL;
    waiting->changed = changed;
    task_ready(&waiting->op);
}

static void any_wake(struct any_op *any);

static void watch_changed(void *ctx)
{
    struct watch_handle *handle = ctx;

    handle->changed = true;
    watch_wake(handle, true);
    if (handle->any)
        any_wake(handle->any);
}

static void watch_failed(void *ctx, const struct err *err)
{
    struct watch_handle *handle = ctx;

    handle->failed = *err;
    watch_wake(handle, true);
    if (handle->any)
        any_wake(handle->any);
}

static struct watch_handle *watch_check(lua_State *L)
{
    struct watch_handle *handle = luaL_checkudata(L, 1, WATCH_TYPE);

    luaL_argcheck(L, handle->watch, 1, "this watch is closed");
    return handle;
}

/* watch(api_version, kind, namespace?) -> watch */
int bind_kube_watch(lua_State *L)
{
    static const struct kube_watch_fns fns = {.changed = watch_changed, .failed = watch_failed};
    struct kube *kube = bind_kube_client(L);
    struct err err = ERR_INIT;
    const struct kube_resource *resource =
        kube_resource_find(kube, luaL_optstring(L, 1, NULL), luaL_checkstring(L, 2), &err);
    const char *namespace = luaL_optstring(L, 3, NULL);
    struct watch_handle *handle;

    if (!resource)
        return script_raise(L, &err);
    handle = lua_newuserdatauv(L, sizeof(*handle), 1);
    memset(handle, 0, sizeof(*handle));
    luaL_setmetatable(L, WATCH_TYPE);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    handle->world = bind_of(L)->world;
    handle->failed = ERR_INIT;
    handle->watch = kube_watch_open(kube, resource, resource->namespaced ? namespace : NULL, &fns, handle);
    return 1;
}

/* watch:close() */
static int watch_close(lua_State *L)
{
    struct watch_handle *handle = luaL_checkudata(L, 1, WATCH_TYPE);

    if (handle->watch)
        kube_watch_close(handle->watch);
    handle->watch = NULL;
    return 0;
}

static void watch_op_free(struct op *op)
{
    free(op);
}

static void watch_op_cancel(struct op *op)
{
    struct watch_op *waiting = (struct watch_op *)op;

    timer_stop(waiting->timer);
    if (waiting->handle->waiting == waiting)
        waiting->handle->waiting = NULL;
}

static int watch_op_push(lua_State *L, struct op *op, struct err *err)
{
    const struct watch_op *waiting = (const struct watch_op *)op;

    if (waiting->handle->failed.kind) {
        *err = waiting->handle->failed;
        return -1;
    }
    lua_pushboolean(L, waiting->changed);
    return 1;
}

static void watch_late(void *ctx)
{
    struct watch_op *waiting = ctx;

    waiting->timer = NULL;
    watch_wake(waiting->handle, false);
}

/* watch:wait(ms) -> true when something changed since the last wait, false when the time is over */
static int watch_wait(lua_State *L)
{
    struct watch_handle *handle = watch_check(L);
    int64_t ms = luaL_checkinteger(L, 2);
    struct watch_op *waiting;

    task_check_wait(L);
    if (handle->failed.kind)
        return script_raise(L, &handle->failed);
    if (handle->changed && kube_watch_synced(handle->watch)) {
        handle->changed = false;
        lua_pushboolean(L, true);
        return 1;
    }
    handle->changed = false;
    waiting = mem_alloc(sizeof(*waiting));
    waiting->op = (struct op){.push = watch_op_push, .cancel = watch_op_cancel, .free = watch_op_free};
    waiting->handle = handle;
    waiting->timer = timer_start(handle->world, ms > 0 ? ms : 0, watch_late, waiting);
    handle->waiting = waiting;
    return task_wait(L, &waiting->op);
}

/* The wait for several: it hangs on every one of them; whichever wakes first takes it off the others. */
struct any_op {
    struct op op;
    struct watch_op *parts; /* one for each watch */
    size_t count;
    struct timer *timer;
    struct world *world;
};

static void any_detach(struct any_op *any)
{
    for (size_t i = 0; i < any->count; i++) {
        if (any->parts[i].handle->any == any)
            any->parts[i].handle->any = NULL;
    }
    timer_stop(any->timer);
    any->timer = NULL;
}

static void any_free(struct op *op)
{
    struct any_op *any = (struct any_op *)op;

    free(any->parts);
    free(any);
}

static void any_cancel(struct op *op)
{
    any_detach((struct any_op *)op);
}

static int any_push(lua_State *L, struct op *op, struct err *err)
{
    const struct any_op *any = (const struct any_op *)op;

    (void)L;
    for (size_t i = 0; i < any->count; i++) {
        if (any->parts[i].handle->failed.kind) {
            *err = any->parts[i].handle->failed;
            return -1;
        }
    }
    return 0;
}

static void any_wake(struct any_op *any)
{
    any_detach(any);
    task_ready(&any->op);
}

static void any_late(void *ctx)
{
    struct any_op *any = ctx;

    any->timer = NULL;
    any_wake(any);
}

/* watch_any({ name = watch, ... }, ms): until one of them has something new, or the time is over; one that fails raises
 */
int bind_kube_watch_any(lua_State *L)
{
    int64_t ms = luaL_checkinteger(L, 2);
    bool ready = false;
    struct any_op *any;
    size_t count = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    task_check_wait(L);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        struct watch_handle *handle = luaL_checkudata(L, -1, WATCH_TYPE);

        if (handle->failed.kind) /* it failed since the last wait; nothing will come from it any more */
            return script_raise(L, &handle->failed);
        ready = ready || handle->changed;
        handle->changed = false;
        count++;
    }
    if (ready || !count)
        return 0;
    any = mem_alloc(sizeof(*any));
    any->op = (struct op){.push = any_push, .cancel = any_cancel, .free = any_free};
    any->parts = mem_array(count, sizeof(*any->parts));
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        struct watch_handle *handle = lua_touserdata(L, -1);

        any->parts[any->count++].handle = handle;
        handle->any = any;
    }
    any->timer = timer_start(bind_of(L)->world, ms > 0 ? ms : 0, any_late, any);
    return task_wait(L, &any->op);
}

/* watch:synced() -> is the first list there? */
static int watch_synced(lua_State *L)
{
    lua_pushboolean(L, kube_watch_synced(watch_check(L)->watch));
    return 1;
}

/*
 * Pushes the object's table: the one made before when the object is still of that resourceVersion. Rules
 * only read, and looking at every pod again after each event would cost more than all else.
 */
static void push_cached(lua_State *L, int cache, const struct doc *object)
{
    const char *namespace = doc_path_text(object, "metadata", "namespace", NULL);
    const char *version = doc_path_text(object, "metadata", "resourceVersion", NULL);
    const char *id =
        lua_pushfstring(L, "%s/%s", namespace ? namespace : "", doc_path_text(object, "metadata", "name", NULL));

    if (lua_getfield(L, cache, id) == LUA_TTABLE) {
        lua_getfield(L, -1, "version");
        if (version && lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), version) == 0) {
            lua_getfield(L, -2, "object");
            lua_replace(L, -4);
            lua_pop(L, 2);
            return;
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    script_push_doc(L, object);
    lua_createtable(L, 0, 2);
    lua_pushstring(L, version);
    lua_setfield(L, -2, "version");
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "object");
    lua_setfield(L, cache, id);
    lua_remove(L, -2);
}

/* watch:get(namespace or nil, name) -> object (shared: not to be changed), or nil */
static int watch_get(lua_State *L)
{
    struct watch_handle *handle = watch_check(L);
    struct doc *object = kube_watch_get(handle->watch, luaL_optstring(L, 2, NULL), luaL_checkstring(L, 3));

    if (!object)
        return 0;
    lua_getiuservalue(L, 1, 1);
    push_cached(L, lua_gettop(L), object);
    return 1;
}

struct listing {
    lua_State *L;
    int cache, list;
    lua_Integer count;
};

static bool list_object(void *ctx, const struct doc *object)
{
    struct listing *listing = ctx;

    push_cached(listing->L, listing->cache, object);
    lua_rawseti(listing->L, listing->list, ++listing->count);
    return true;
}

/* watch:list() -> objects (shared: not to be changed), sorted by namespace and name */
static int watch_list(lua_State *L)
{
    struct watch_handle *handle = watch_check(L);
    struct listing listing = {.L = L};

    lua_getiuservalue(L, 1, 1);
    listing.cache = lua_gettop(L);
    lua_newtable(L);
    listing.list = lua_gettop(L);
    kube_watch_each(handle->watch, list_object, &listing);
    return 1;
}

/* watch:trouble() -> why it is behind, or nil */
static int watch_trouble(lua_State *L)
{
    lua_pushstring(L, kube_watch_trouble(watch_check(L)->watch)); /* NULL pushes nil */
    return 1;
}

void bind_kube_watch_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"wait", watch_wait}, {"synced", watch_synced},   {"get", watch_get},
                                       {"list", watch_list}, {"trouble", watch_trouble}, {"close", watch_close},
                                       {NULL, NULL}};

    luaL_newmetatable(L, WATCH_TYPE);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, watch_close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, watch_close);
    lua_setfield(L, -2, "__close");
    lua_pop(L, 1);
}
