/* dosrun.native.spec: what `dosrun test` needs of this machine: a folder for each test, and this binary. */
#include "bind/bind.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEPTH_MAX = 32 };

/* binary() -> the path of the running dosrun */
static int spec_binary(lua_State *L)
{
    char path[4096];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

    if (len <= 0)
        return luaL_error(L, "the path of the running dosrun is not known");
    lua_pushlstring(L, path, (size_t)len);
    return 1;
}

/* folder() -> a new empty folder, for us alone */
static int spec_folder(lua_State *L)
{
    const char *base = bind_of(L)->temporary;
    char path[4096];

    snprintf(path, sizeof(path), "%s/dosrun-test-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(path))
        return luaL_error(L, "no temporary folder can be made in %s", base && *base ? base : "/tmp");
    lua_pushstring(L, path);
    return 1;
}

struct removal {
    struct world *world;
    const char *folder;
    int depth;
};

static bool remove_entry(void *ctx, const char *name, enum disk_kind kind)
{
    const struct removal *outer = ctx;
    char *path = mem_printf("%s/%s", outer->folder, name);
    struct removal inner = {outer->world, path, outer->depth + 1};
    struct err ignored = ERR_INIT;

    if (kind == DISK_FOLDER && inner.depth < DEPTH_MAX &&
        disk_list(inner.world, path, remove_entry, &inner, &ignored) < 0)
        err_clear(&ignored);
    if (disk_remove(outer->world, path, &ignored) < 0)
        err_clear(&ignored); /* the folder then stays, which removing it tells */
    free(path);
    return true;
}

/* remove(folder): with all that is in it; only what folder() made */
static int spec_remove(lua_State *L)
{
    struct removal removal = {bind_of(L)->world, luaL_checkstring(L, 1), 0};
    struct err err = ERR_INIT;

    luaL_argcheck(L, strstr(removal.folder, "/dosrun-test-"), 1, "not a folder of a test");
    if (disk_list(removal.world, removal.folder, remove_entry, &removal, &err) < 0 ||
        disk_remove(removal.world, removal.folder, &err) < 0)
        return script_raise(L, &err);
    return 0;
}

/* write(path, text) */
static int spec_write(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct err err = ERR_INIT;
    struct view text;

    text.ptr = luaL_checklstring(L, 2, &text.len);
    if (disk_write(bind_of(L)->world, path, text, 0600, &err) < 0)
        return script_raise(L, &err);
    return 0;
}

/* print(text): a result, on stdout */
static int spec_print(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    struct doc *event = event_new("text");

    doc_set_text(event, "text", text);
    event_emit(bind_of(L)->bus, EVENT_LIVE, NULL, event);
    return 0;
}

int bind_spec_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"binary", spec_binary}, {"folder", spec_folder}, {"remove", spec_remove},
                                         {"write", spec_write},   {"print", spec_print},   {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}

int bind_spec_install(struct bind *bind, struct err *err)
{
    lua_State *L = script_lua(bind->script);

    script_native(bind->script, "spec", bind_spec_open);
    if (script_require(bind->script, "dosrun.spec", err) < 0)
        return -1;
    lua_getfield(L, -1, "test");
    script_global(bind->script, "test");
    lua_pop(L, 1);
    return 0;
}
