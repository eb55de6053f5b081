/* The list of native modules, and what they share. */
#include "bind/bind.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

static const char bind_key;

struct bind *bind_of(lua_State *L)
{
    struct bind *bind;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &bind_key);
    bind = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return bind;
}

void bind_install(struct bind *bind)
{
    lua_State *L = script_lua(bind->script);

    list_init(&bind->contexts);
    lua_pushlightuserdata(L, bind);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &bind_key);
    script_native(bind->script, "run", bind_run_open);
    script_native(bind->script, "change", bind_change_open);
    script_native(bind->script, "http", bind_http_open);
    script_native(bind->script, "file", bind_file_open);
    script_native(bind->script, "process", bind_process_open);
    script_native(bind->script, "kube", bind_kube_open);
    script_native(bind->script, "aws", bind_aws_open);
    script_native(bind->script, "manifest", bind_manifest_open);
    if (bind->check)
        bind_install_offline(bind);
}

void bind_clear(struct bind *bind)
{
    if (!bind->script) /* never installed */
        return;
    while (!list_empty(&bind->contexts)) {
        struct bind_context *context = LIST_OF(bind->contexts.next, struct bind_context, link);

        list_remove(&context->link);
        free(context->step);
        free(context);
    }
}

struct bind_context *bind_context_new(struct bind *bind, const char *step, struct bind_context *outer)
{
    struct bind_context *context = mem_alloc(sizeof(*context));

    context->step = mem_text(step);
    context->outer = outer;
    context->keep = outer && outer->keep;
    list_add_tail(&bind->contexts, &context->link);
    return context;
}

struct bind_context *bind_context_of(lua_State *L)
{
    struct task *task = task_current(L);

    return task ? task_data(task) : NULL;
}

struct change *bind_change_of(lua_State *L)
{
    const struct bind_context *context = bind_context_of(L);

    return context ? context->change : NULL;
}

char *bind_path(lua_State *L, int index)
{
    const char *path = luaL_checkstring(L, index), *project = bind_of(L)->project;

    if (!*path)
        luaL_argerror(L, index, "an empty path");
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || at[2] == '\0'))
            luaL_argerror(L, index, "a path may not leave the project by \"..\"");
    }
    return *path == '/' ? mem_text(path) : mem_printf("%s/%s", project, path);
}

const char *bind_field_text(lua_State *L, int index, const char *name, const char *fallback)
{
    const char *text = fallback;

    if (lua_getfield(L, index, name) == LUA_TSTRING)
        text = lua_tostring(L, -1); /* kept alive by the table */
    else if (!lua_isnil(L, -1))
        luaL_error(L, "%s must be a string, not a %s", name, luaL_typename(L, -1));
    lua_pop(L, 1);
    return text;
}
