/* dosrun.native.manifest: YAML files of the project with ${names} filled in. */
#include "bind/bind.h"
#include "codec/yaml.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

enum { MANIFEST_MAX = 16 << 20 };

static struct doc *documents(const struct yaml_file *file)
{
    struct doc *list = doc_array();

    for (size_t i = 0; i < yaml_count(file); i++) {
        struct doc *entry = doc_object(), *doc = yaml_doc(file, i);

        doc_set(entry, "object", doc_ref(doc));
        if (yaml_line(file, doc) || !i) /* a text has no place of its own */
            doc_set_int(entry, "line", yaml_line(file, doc) ? yaml_line(file, doc) : 1);
        doc_push(list, entry);
    }
    return list;
}

/* load(path, values, must_use) -> { { object, line }, ... }. Every name of must_use must occur in the file. */
static int manifest_load(lua_State *L)
{
    struct bind *bind = bind_of(L);
    const char *path = luaL_checkstring(L, 1);
    struct doc *values = lua_isnoneornil(L, 2) ? doc_object() : script_check_doc(L, 2);
    struct doc *must_use = lua_isnoneornil(L, 3) ? NULL : script_check_doc(L, 3), *list = NULL;
    struct yaml_file *file = NULL;
    struct err err = ERR_INIT;
    struct buf text;

    buf_init(&text, MANIFEST_MAX);
    if (bind->read(bind->ctx, path, &text, &err) == 0)
        file = yaml_parse(path, buf_view(&text), &err);
    if (file && yaml_substitute(file, values, must_use, &err) == 0)
        list = documents(file);
    yaml_free(file);
    buf_free(&text);
    doc_unref(values);
    doc_unref(must_use);
    if (!list) {
        if (err.kind == ERR_MISSING)
            err.kind = ERR_USAGE;
        return script_raise(L, &err);
    }
    script_push_doc(L, list);
    doc_unref(list);
    return 1;
}

int bind_manifest_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"load", manifest_load}, {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
