/* `api`: what rules and controllers in Lua may do. Every change goes through the same writes as a client's. */
#include "sandbox/kube_cluster.h"
#include "sandbox/kube_quantity.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* "Kind" of a built-in, or "Kind.group". Raises when nothing serves it. */
static struct resource *kind_argument(lua_State *lua, int index)
{
    struct cluster *cluster = host_lua_cluster(lua);
    const char *text = luaL_checkstring(lua, index), *dot = strchr(text, '.');

    if (!dot) {
        for (size_t i = 0; i < cluster->resources_len; i++)
            if (!cluster->resources[i]->custom && strcmp(cluster->resources[i]->kind, text) == 0)
                return cluster->resources[i];
        luaL_error(lua, "no kind %s", text);
    }
    lua_pushlstring(lua, text, (size_t)(dot - text));
    struct resource *resource = objects_kind(cluster, dot + 1, lua_tostring(lua, -1));
    lua_pop(lua, 1);
    if (!resource)
        luaL_error(lua, "no kind %s", text);
    return resource;
}

/* api.get(kind, namespace, name) -> object or nil */
static int api_get(lua_State *lua)
{
    struct object *object = objects_find(kind_argument(lua, 1), luaL_optstring(lua, 2, ""), luaL_checkstring(lua, 3));

    host_lua_push(lua, object ? object->doc : NULL, true);
    return 1;
}

/* api.list(kind [, namespace]) -> { object... } */
static int api_list(lua_State *lua)
{
    const struct resource *resource = kind_argument(lua, 1);
    const char *namespace = luaL_optstring(lua, 2, "");
    lua_Integer len = 0;

    lua_newtable(lua);
    for (size_t i = *namespace ? objects_index(resource, namespace, "") : 0; i < resource->objects_len; i++) {
        if (*namespace && strcmp(resource->objects[i]->namespace, namespace) != 0)
            break;
        host_lua_push(lua, resource->objects[i]->doc, true);
        lua_rawseti(lua, -2, ++len);
    }
    return 1;
}

/* api.children(kind, namespace, uid) -> { object... } whose controller has that uid */
static int api_children(lua_State *lua)
{
    const struct resource *resource = kind_argument(lua, 1);
    const char *namespace = luaL_checkstring(lua, 2), *uid = luaL_checkstring(lua, 3);
    lua_Integer len = 0;

    lua_newtable(lua);
    for (size_t i = objects_index(resource, namespace, ""); i < resource->objects_len; i++) {
        const struct object *object = resource->objects[i];
        const struct doc *owners = doc_path(object->doc, "metadata", "ownerReferences", NULL);

        if (strcmp(object->namespace, namespace) != 0)
            break;
        for (size_t k = 0; k < doc_size(owners); k++)
            if (doc_as_bool(doc_get(doc_at(owners, k), "controller"), false) &&
                strcmp(doc_as_text(doc_get(doc_at(owners, k), "uid"), ""), uid) == 0) {
                host_lua_push(lua, object->doc, true);
                lua_rawseti(lua, -2, ++len);
            }
    }
    return 1;
}

static void entry_push(lua_State *lua, const struct resource *resource, const struct object *object, lua_Integer at)
{
    lua_createtable(lua, 0, 4);
    lua_pushfstring(lua, "%s.%s", resource->kind, resource->group);
    lua_setfield(lua, -2, "kind");
    lua_pushstring(lua, object->namespace);
    lua_setfield(lua, -2, "namespace");
    lua_pushstring(lua, object->name);
    lua_setfield(lua, -2, "name");
    host_lua_push(lua, object->doc, true);
    lua_setfield(lua, -2, "object");
    lua_rawseti(lua, -2, at);
}

/* api.contents(namespace) -> { {kind=, namespace=, name=, object=}... } */
static int api_contents(lua_State *lua)
{
    struct cluster *cluster = host_lua_cluster(lua);
    const char *namespace = luaL_checkstring(lua, 1);
    lua_Integer len = 0;

    lua_newtable(lua);
    for (size_t i = 0; i < cluster->resources_len; i++) {
        const struct resource *resource = cluster->resources[i];

        for (size_t j = objects_index(resource, namespace, ""); j < resource->objects_len; j++) {
            if (strcmp(resource->objects[j]->namespace, namespace) != 0)
                break;
            entry_push(lua, resource, resource->objects[j], ++len);
        }
    }
    return 1;
}

/* api.dependents(uid) -> the same list, of objects whose ownerReferences name it */
static int api_dependents(lua_State *lua)
{
    struct cluster *cluster = host_lua_cluster(lua);
    const char *uid = luaL_checkstring(lua, 1);
    lua_Integer len = 0;

    lua_newtable(lua);
    for (size_t i = 0; i < cluster->resources_len; i++)
        for (size_t j = 0; j < cluster->resources[i]->objects_len; j++) {
            const struct object *object = cluster->resources[i]->objects[j];
            const struct doc *owners = doc_path(object->doc, "metadata", "ownerReferences", NULL);

            for (size_t k = 0; k < doc_size(owners); k++)
                if (strcmp(doc_as_text(doc_get(doc_at(owners, k), "uid"), ""), uid) == 0) {
                    entry_push(lua, cluster->resources[i], object, ++len);
                    break;
                }
        }
    return 1;
}

static void write_for(lua_State *lua, struct write *write, struct resource *resource, const char *namespace,
                      const char *name)
{
    write_init(write, host_lua_cluster(lua), resource);
    write->namespace = namespace ? namespace : "";
    write->name = name ? name : "";
    write->check = CHECK_STRICT;
    write->manager = "kube-controller-manager";
}

/* Pushes the object, or nil and the message. */
static int result_push(lua_State *lua, struct write *write, struct doc *take)
{
    host_lua_push(lua, take, true);
    if (!take)
        lua_pushstring(lua, doc_as_text(doc_get(write->status, "message"), ""));
    doc_unref(take);
    write_clear(write);
    return lua_gettop(lua) > 0 && lua_isnil(lua, -2) && lua_isstring(lua, -1) ? 2 : 1;
}

/* api.create(kind, object [, manager]) -> object | nil, message */
static int api_create(lua_State *lua)
{
    struct resource *resource = kind_argument(lua, 1);
    const char *manager = luaL_optstring(lua, 3, "kube-controller-manager");
    struct doc *body = host_lua_take(lua, 2), *out;
    char *namespace = mem_text(doc_path_text(body, "metadata", "namespace", NULL));
    struct write write;

    write_for(lua, &write, resource, namespace, "");
    write.manager = manager;
    out = write_create(&write, body);
    free(namespace);
    lua_settop(lua, 0);
    return result_push(lua, &write, out);
}

/* api.update(kind, object [, subresource [, manager]]) -> object | nil, message */
static int api_update(lua_State *lua)
{
    struct resource *resource = kind_argument(lua, 1);
    const char *sub = luaL_optstring(lua, 3, ""), *manager = luaL_optstring(lua, 4, "kube-controller-manager");
    struct doc *body = host_lua_take(lua, 2), *out;
    char *namespace = mem_text(doc_path_text(body, "metadata", "namespace", NULL));
    char *name = mem_text(doc_path_text(body, "metadata", "name", NULL));
    struct write write;

    write_for(lua, &write, resource, namespace, name);
    write.manager = manager;
    write.subresource = sub;
    out = write_update(&write, body, false);
    free(namespace);
    free(name);
    lua_settop(lua, 0);
    return result_push(lua, &write, out);
}

/* api.status(kind, object, status [, manager]) -> true | nil, message */
static int api_status(lua_State *lua)
{
    struct resource *resource = kind_argument(lua, 1);
    const char *manager = luaL_optstring(lua, 4, "kube-controller-manager");
    struct doc *object = host_lua_take_shared(lua, 2), *status = host_lua_take_shared(lua, 3);
    struct write write;

    write_for(lua, &write, resource, doc_path_text(object, "metadata", "namespace", NULL),
              doc_path_text(object, "metadata", "name", NULL));
    write.manager = manager;
    write.subresource = "status";
    bool done = write_status(&write, status);
    lua_pushboolean(lua, done);
    lua_pushstring(lua, done ? "" : doc_as_text(doc_get(write.status, "message"), ""));
    doc_unref(object);
    doc_unref(status);
    write_clear(&write);
    return 2;
}

/* api.delete(kind, namespace, name [, options]) -> true | nil, message */
static int api_delete(lua_State *lua)
{
    struct resource *resource = kind_argument(lua, 1);
    struct doc *options = host_lua_take(lua, 4), *out;
    struct write write;

    write_for(lua, &write, resource, luaL_optstring(lua, 2, ""), luaL_checkstring(lua, 3));
    out = write_delete(&write, options);
    lua_pushboolean(lua, out != NULL);
    doc_unref(out);
    doc_unref(options);
    write_clear(&write);
    return 1;
}

/* api.unfinalize(kind, namespace, name, finalizer) -> whether it was there */
static int api_unfinalize(lua_State *lua)
{
    struct resource *resource = kind_argument(lua, 1);
    struct write write;

    write_for(lua, &write, resource, luaL_optstring(lua, 2, ""), luaL_checkstring(lua, 3));
    lua_pushboolean(lua, delete_finalizer(&write, luaL_checkstring(lua, 4)));
    write_clear(&write);
    return 1;
}

/* api.vanish(kind, namespace, name): out of the store, whatever holds it (an emptied namespace) */
static int api_vanish(lua_State *lua)
{
    struct resource *resource = kind_argument(lua, 1);
    struct object *object = objects_find(resource, luaL_optstring(lua, 2, ""), luaL_checkstring(lua, 3));

    if (object)
        objects_delete(host_lua_cluster(lua), resource, object);
    return 0;
}

/* api.enqueue(key [, delay_ms]) */
static int api_enqueue(lua_State *lua)
{
    controllers_enqueue(host_lua_cluster(lua), luaL_checkstring(lua, 1), luaL_optinteger(lua, 2, 0));
    return 0;
}

/* api.now() -> virtual ms since 1970 */
static int api_now(lua_State *lua)
{
    lua_pushinteger(lua, sim_now_ms(host_lua_cluster(lua)->sim));
    return 1;
}

/* api.time() -> "2030-01-01T00:00:00Z" */
static int api_time(lua_State *lua)
{
    char text[32];

    cluster_time(host_lua_cluster(lua), text);
    lua_pushstring(lua, text);
    return 1;
}

/* api.ms("2030-01-01T00:00:00Z") -> ms since 1970 */
static int api_ms(lua_State *lua)
{
    struct tm tm = {0};

    if (!strptime(luaL_checkstring(lua, 1), "%Y-%m-%dT%H:%M:%S", &tm))
        return luaL_error(lua, "no time: %s", lua_tostring(lua, 1));
    lua_pushinteger(lua, (lua_Integer)timegm(&tm) * 1000);
    return 1;
}

/* api.hash(text [, digits]) -> hex, the same for the same seed */
static int api_hash(lua_State *lua)
{
    char out[65];
    size_t len = (size_t)luaL_optinteger(lua, 2, 10);
    char *purpose = mem_printf("kube/%s/hash/%s", host_lua_cluster(lua)->target, luaL_checkstring(lua, 1));

    sim_hex(host_lua_cluster(lua)->sim, purpose, out, len > 64 ? 64 : len);
    free(purpose);
    lua_pushlstring(lua, out, len > 64 ? 64 : len);
    return 1;
}

/* api.milli("500m") -> thousandths */
static int api_milli(lua_State *lua)
{
    lua_pushinteger(lua, quantity_milli(luaL_checkstring(lua, 1)));
    return 1;
}

/* api.serve(crd), api.withdraw(crd): its resource appears or goes */
static int api_serve(lua_State *lua)
{
    struct doc *crd = host_lua_take(lua, 1);

    crd_serve(host_lua_cluster(lua), crd);
    doc_unref(crd);
    return 0;
}

/* withdraw(crd): its kinds are served no more */
static int api_withdraw(lua_State *lua)
{
    struct doc *crd = host_lua_take(lua, 1);

    crd_withdraw(host_lua_cluster(lua), crd);
    doc_unref(crd);
    return 0;
}

static const luaL_Reg api_functions[] = {{"get", api_get},
                                         {"list", api_list},
                                         {"children", api_children},
                                         {"contents", api_contents},
                                         {"dependents", api_dependents},
                                         {"create", api_create},
                                         {"update", api_update},
                                         {"status", api_status},
                                         {"delete", api_delete},
                                         {"unfinalize", api_unfinalize},
                                         {"vanish", api_vanish},
                                         {"enqueue", api_enqueue},
                                         {"now", api_now},
                                         {"time", api_time},
                                         {"ms", api_ms},
                                         {"hash", api_hash},
                                         {"milli", api_milli},
                                         {"serve", api_serve},
                                         {"withdraw", api_withdraw},
                                         {NULL, NULL}};

void api_open(struct cluster *cluster)
{
    luaL_newlib(cluster->lua, api_functions);
    lua_setglobal(cluster->lua, "api");
}
