/*
 * The kinds' own rules, lua/sandbox/rules.lua: a table of functions by kind for each stage
 * (default, prepare, validate, warn) and one for admission. They see documents through proxies.
 */
#include "sandbox/kube_cluster.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

/* Pushes rules[stage][kind]; false and nothing pushed when there is none. */
static bool rule_push(lua_State *lua, const char *stage, const char *kind)
{
    host_lua_require(lua, "rules");
    lua_getfield(lua, -1, stage);
    lua_getfield(lua, -1, kind);
    lua_remove(lua, -2);
    lua_remove(lua, -2);
    if (lua_isfunction(lua, -1))
        return true;
    lua_pop(lua, 1);
    return false;
}

void rules_default(struct write *write, struct doc *object)
{
    lua_State *lua = write->cluster->lua;

    if (write->resource->custom || !rule_push(lua, "default", write->resource->kind))
        return;
    host_lua_push(lua, object, false);
    host_lua_call(lua, 1, 0);
}

void rules_prepare(struct write *write, struct doc *object, const struct doc *old)
{
    lua_State *lua = write->cluster->lua;

    if (write->resource->custom || !rule_push(lua, "prepare", write->resource->kind))
        return;
    host_lua_push(lua, object, false);
    host_lua_push(lua, old, true);
    lua_pushstring(lua, write->subresource);
    host_lua_call(lua, 3, 0);
}

/* fail(reason, field, message) */
static int cause_fn(lua_State *lua)
{
    struct doc *causes = lua_touserdata(lua, lua_upvalueindex(1));

    cause_add(causes, luaL_checkstring(lua, 1), luaL_checkstring(lua, 2), "%s", luaL_checkstring(lua, 3));
    return 0;
}

void rules_validate(struct write *write, const struct doc *object, const struct doc *old, struct doc *causes)
{
    lua_State *lua = write->cluster->lua;

    if (strcmp(write->resource->kind, "CustomResourceDefinition") == 0)
        crd_validate(object, causes);
    if (write->resource->custom || strcmp(write->subresource, "status") == 0 ||
        !rule_push(lua, "validate", write->resource->kind))
        return;
    lua_pushlightuserdata(lua, causes);
    lua_pushcclosure(lua, cause_fn, 1);
    host_lua_push(lua, object, true);
    host_lua_push(lua, old, true);
    host_lua_call(lua, 3, 0);
}

/* ---- admission ---- */

static bool namespace_admits(struct write *write, const char *name)
{
    struct resource *namespaces = objects_resource(write->cluster, "", "namespaces");
    struct object *namespace = objects_find(namespaces, "", write->namespace);

    if (!namespace)
        return write_fail(write, status_not_found(namespaces, write->namespace));
    if (!doc_path(namespace->doc, "metadata", "deletionTimestamp", NULL))
        return true;
    struct buf what;
    buf_init(&what, 4096);
    resource_name_add(&what, write->resource);
    struct doc *status = status_for(
        status_new(
            403, "Forbidden",
            "%s \"%s\" is forbidden: unable to create new content in namespace %s because it is being terminated",
            buf_text(&what), name, write->namespace),
        write->resource, name);
    char *message = mem_printf("namespace %s is being terminated", write->namespace);
    status_cause(status, "NamespaceTerminating", "metadata.namespace", message);
    free(message);
    buf_free(&what);
    return write_fail(write, status);
}

/* warn(text) */
static int warn_fn(lua_State *lua)
{
    write_warn(lua_touserdata(lua, lua_upvalueindex(1)), "%s", luaL_checkstring(lua, 1));
    return 0;
}

void rules_warn(struct write *write, const struct doc *object)
{
    lua_State *lua = write->cluster->lua;

    if (write->resource->custom || *write->subresource || !rule_push(lua, "warn", write->resource->kind))
        return;
    lua_pushlightuserdata(lua, write);
    lua_pushcclosure(lua, warn_fn, 1);
    host_lua_push(lua, object, true);
    host_lua_call(lua, 2, 0);
}

/* refuse(message): 403 with "<resource> "<name>" is forbidden: <message>" */
static int refuse_fn(lua_State *lua)
{
    struct write *write = lua_touserdata(lua, lua_upvalueindex(1));
    const char *name = luaL_checkstring(lua, 1);
    struct buf what;

    buf_init(&what, 4096);
    resource_name_add(&what, write->resource);
    write_fail(write, status_for(status_new(403, "Forbidden", "%s \"%s\" is forbidden: %s", buf_text(&what), name,
                                            luaL_checkstring(lua, 2)),
                                 write->resource, name));
    buf_free(&what);
    return 0;
}

bool rules_admit(struct write *write, struct doc *object, const struct doc *old)
{
    lua_State *lua = write->cluster->lua;
    const char *name = doc_path_text(object, "metadata", "name", NULL);

    if (write->cluster->booting)
        return true;
    if (!old && write->resource->namespaced && !namespace_admits(write, name ? name : ""))
        return false;
    if (write->resource->custom || *write->subresource || !rule_push(lua, "admit", write->resource->kind))
        return true;
    host_lua_push(lua, object, false);
    host_lua_push(lua, old, true);
    struct object *namespace = objects_find(objects_resource(write->cluster, "", "namespaces"), "", write->namespace);
    host_lua_push(lua, namespace ? namespace->doc : NULL, true);
    lua_pushlightuserdata(lua, write);
    lua_pushcclosure(lua, warn_fn, 1);
    lua_pushlightuserdata(lua, write);
    lua_pushcclosure(lua, refuse_fn, 1);
    host_lua_call(lua, 5, 0);
    return !write->status;
}
