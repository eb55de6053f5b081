/* Functions of the embedded Lua library, called by commands that know nothing of Lua. */
#include "bind/bind.h"

#include <lauxlib.h>
#include <lua.h>

/* Pushes it on the script's main thread. */
static int push_function(struct script *script, const char *module, const char *function, struct err *err)
{
    lua_State *L = script_lua(script);

    if (script_require(script, module, err) < 0)
        return -1;
    lua_getfield(L, -1, function);
    lua_remove(L, -2);
    return 0;
}

struct doc *bind_result(lua_State *L, int n, struct err *err)
{
    struct doc *doc = NULL;

    if (n < 1 || lua_isnil(L, -n) || script_to_doc(L, -n, &doc, err) < 0)
        return NULL;
    return doc;
}

struct doc *bind_call(struct bind *bind, const char *module, const char *function, struct err *err)
{
    lua_State *L = script_lua(bind->script);
    struct doc *doc = NULL;

    if (push_function(bind->script, module, function, err) < 0)
        return NULL;
    if (lua_pcall(L, 0, 1, 0) == LUA_OK)
        doc = bind_result(L, 1, err);
    else
        script_to_err(L, -1, err);
    lua_pop(L, 1);
    return doc;
}

struct task *bind_task(struct bind *bind, const char *module, const char *function, const struct doc *argument,
                       struct err *err)
{
    struct task *task;

    if (push_function(bind->script, module, function, err) < 0)
        return NULL;
    script_push_doc(script_lua(bind->script), argument);
    task = task_new(bind->script, script_lua(bind->script), 1);
    task_data_set(task, bind_context_new(bind, NULL, NULL));
    return task;
}

static int64_t no_clock(void *ctx)
{
    (void)ctx;
    return 0;
}

static int no_file(void *ctx, const char *path, struct buf *out, struct err *err)
{
    (void)ctx;
    (void)out;
    return err_set(err, ERR_MISSING, "%s is not part of dosrun", path);
}

bool bind_text(struct buf *out, const char *module, const char *function, const char *argument)
{
    struct script_options options = {.read = no_file, .mono_ms = no_clock};
    struct script *script = script_new(&options);
    lua_State *L = script_lua(script);
    struct err err = ERR_INIT;
    bool found = false;

    if (push_function(script, module, function, &err) == 0) {
        lua_pushstring(L, argument);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) {
            buf_add_text(out, lua_tostring(L, -1));
            found = true;
        }
    }
    script_free(script);
    return found;
}
