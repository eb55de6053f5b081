#include "script/room.h"
#include "codec/json.h"

#include <dlfcn.h>

/*
 * What `require "cjson"` gives a playbook: lua-cjson's decode and null, opened on first use. Encoding
 * is our own, for the library walks tables in an order that differs between processes; its settings
 * are left out, since some of them lift its limits.
 */
enum { CJSON_TEXT_MAX = 64 << 20 };

/* decode(text) -> value. Upvalue: the library's own. */
static int cjson_decode(lua_State *L)
{
    size_t len;

    luaL_checklstring(L, 1, &len);
    luaL_argcheck(L, len <= CJSON_TEXT_MAX, 1, "more than 64 MiB");
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* encode(value) -> text, keys sorted */
static int cjson_encode(lua_State *L)
{
    struct doc *doc = script_check_doc(L, 1);
    struct buf out;

    buf_init(&out, 4 * (size_t)CJSON_TEXT_MAX);
    json_add(&out, doc, JSON_SORTED);
    doc_unref(doc);
    script_push_buf(L, &out);
    return 1;
}

static lua_CFunction find_open(void **library)
{
    union {
        void *symbol;
        lua_CFunction function;
    } open;

    *library = dlopen("liblua5.4-cjson.so.0", RTLD_NOW | RTLD_LOCAL);
    open.symbol = *library ? dlsym(*library, "luaopen_cjson") : NULL;
    return open.function;
}

int cjson_open(lua_State *L)
{
    void *library;
    lua_CFunction open = find_open(&library);

    if (!open)
        return script_raise_explained(L, "S408", "the package lua-cjson (liblua5.4-cjson.so.0) is not installed");
    lua_newtable(L);
    lua_pushcfunction(L, open);
    lua_call(L, 0, 1);
    lua_getfield(L, -1, "decode");
    lua_pushcclosure(L, cjson_decode, 1);
    lua_setfield(L, -3, "decode");
    lua_pop(L, 1);
    lua_pushcfunction(L, cjson_encode);
    lua_setfield(L, -2, "encode");
    script_push_null(L);
    lua_setfield(L, -2, "null");
    freeze_strict(L, -1, "cjson");
    script_freeze(L, -1, "cjson");
    return 1;
}
