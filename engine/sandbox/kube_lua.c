/*
 * The Lua state in which the tables of lua/sandbox live. Documents are seen through proxies:
 * o.spec.replicas reads and writes the document itself, #list and pairs() work, null reads as nil;
 * proxies of stored documents are frozen. The files are ours, so an error in them aborts.
 */
#include "sandbox/kube_cluster.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct lua_file {
    const char *name;
    const unsigned char *code; /* compiled */
    size_t len;
};
extern const struct lua_file lua_library[];
extern const size_t lua_library_len;

struct proxy {
    struct doc *doc;
    bool frozen;
};

static const char array_name[] = "sandbox.array";
static char modules_key, proxy_key; /* places in the registry */

void *host_lua_host(struct lua_State *lua)
{
    return *(void **)lua_getextraspace(lua);
}

struct cluster *host_lua_cluster(struct lua_State *lua)
{
    return host_lua_host(lua);
}

void host_lua_push(struct lua_State *lua, const struct doc *doc, bool frozen)
{
    struct view text;

    switch (doc_type(doc)) {
    case DOC_NULL:
        lua_pushnil(lua);
        return;
    case DOC_BOOL:
        lua_pushboolean(lua, doc_as_bool(doc, false));
        return;
    case DOC_INT:
        lua_pushinteger(lua, doc_as_int(doc, 0));
        return;
    case DOC_REAL:
        lua_pushnumber(lua, doc_as_real(doc, 0));
        return;
    case DOC_STRING:
        text = doc_as_view(doc);
        lua_pushlstring(lua, text.ptr ? text.ptr : "", text.len);
        return;
    case DOC_ARRAY:
    case DOC_OBJECT:
        break;
    }
    struct proxy *proxy = lua_newuserdatauv(lua, sizeof(*proxy), 0);
    *proxy = (struct proxy){doc_ref(doc), frozen};
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &proxy_key);
    lua_setmetatable(lua, -2);
}

/* NULL: something else. */
static struct proxy *proxy_at(struct lua_State *lua, int index)
{
    struct proxy *proxy = lua_touserdata(lua, index);
    bool is;

    if (lua_type(lua, index) != LUA_TUSERDATA || !lua_getmetatable(lua, index))
        return NULL;
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &proxy_key);
    is = lua_rawequal(lua, -1, -2);
    lua_pop(lua, 2);
    return is ? proxy : NULL;
}

/* Keys sorted, so that what Lua builds is the same in every process. */
static struct doc *table_take(struct lua_State *lua, int index)
{
    struct doc *out;
    bool array = lua_rawlen(lua, index) > 0;

    if (!array && lua_getmetatable(lua, index)) {
        luaL_getmetatable(lua, array_name);
        array = lua_rawequal(lua, -1, -2);
        lua_pop(lua, 2);
    }
    if (array) {
        out = doc_array();
        for (lua_Integer i = 1; i <= (lua_Integer)lua_rawlen(lua, index); i++) {
            lua_rawgeti(lua, index, i);
            doc_push(out, host_lua_take(lua, -1));
            lua_pop(lua, 1);
        }
        return out;
    }
    struct doc *found = doc_object();
    lua_pushnil(lua);
    while (lua_next(lua, index)) {
        lua_pushvalue(lua, -2);
        doc_set(found, lua_tostring(lua, -1), host_lua_take(lua, -2));
        lua_pop(lua, 2);
    }
    const char **keys;
    size_t len = doc_keys_sorted(found, &keys);
    out = doc_object();
    for (size_t i = 0; i < len; i++)
        doc_set(out, keys[i], doc_ref(doc_get(found, keys[i])));
    free(keys);
    doc_unref(found);
    return out;
}

struct doc *host_lua_take(struct lua_State *lua, int index)
{
    struct proxy *proxy;
    size_t len;

    index = lua_absindex(lua, index);
    switch (lua_type(lua, index)) {
    case LUA_TBOOLEAN:
        return doc_bool(lua_toboolean(lua, index));
    case LUA_TNUMBER:
        return lua_isinteger(lua, index) ? doc_int(lua_tointeger(lua, index)) : doc_real(lua_tonumber(lua, index));
    case LUA_TSTRING: {
        const char *text = lua_tolstring(lua, index, &len);

        return doc_string((struct view){text, len});
    }
    case LUA_TTABLE:
        return table_take(lua, index);
    case LUA_TUSERDATA:
        proxy = proxy_at(lua, index);
        if (!proxy)
            return NULL;
        return proxy->frozen ? doc_copy(proxy->doc) : doc_ref(proxy->doc);
    case LUA_TLIGHTUSERDATA:
        return doc_null();
    default:
        return NULL;
    }
}

struct doc *host_lua_take_shared(struct lua_State *lua, int index)
{
    const struct proxy *proxy = proxy_at(lua, index);

    return proxy ? doc_ref(proxy->doc) : host_lua_take(lua, index);
}

/* ---- proxies: only Lua itself calls these, with a proxy as the first argument ---- */

static int proxy_index(lua_State *lua)
{
    const struct proxy *proxy = lua_touserdata(lua, 1);

    if (lua_isinteger(lua, 2))
        host_lua_push(lua, lua_tointeger(lua, 2) < 1 ? NULL : doc_at(proxy->doc, (size_t)lua_tointeger(lua, 2) - 1),
                      proxy->frozen);
    else
        host_lua_push(lua, doc_get(proxy->doc, luaL_checkstring(lua, 2)), proxy->frozen);
    return 1;
}

static int proxy_newindex(lua_State *lua)
{
    const struct proxy *proxy = lua_touserdata(lua, 1);

    if (proxy->frozen)
        return luaL_error(lua, "a stored document cannot be changed (%s)", lua_tostring(lua, 2));
    if (!lua_isinteger(lua, 2)) {
        doc_set(proxy->doc, luaL_checkstring(lua, 2), host_lua_take(lua, 3));
        return 0;
    }
    size_t index = (size_t)lua_tointeger(lua, 2) - 1;
    if (lua_isnil(lua, 3))
        doc_remove_at(proxy->doc, index);
    else if (index < doc_size(proxy->doc))
        doc_put_at(proxy->doc, index, host_lua_take(lua, 3));
    else
        doc_push(proxy->doc, host_lua_take(lua, 3));
    return 0;
}

static int proxy_len(lua_State *lua)
{
    const struct proxy *proxy = lua_touserdata(lua, 1);

    lua_pushinteger(lua, (lua_Integer)doc_size(proxy->doc));
    return 1;
}

/* upvalues: the proxy, its sorted keys (or nil), the position */
static int proxy_next(lua_State *lua)
{
    lua_Integer at = lua_tointeger(lua, lua_upvalueindex(3)) + 1;

    lua_pushinteger(lua, at);
    lua_copy(lua, -1, lua_upvalueindex(3));
    if (lua_istable(lua, lua_upvalueindex(2))) {
        if (lua_rawgeti(lua, lua_upvalueindex(2), at) == LUA_TNIL)
            return 1;
    } else if (at > luaL_len(lua, lua_upvalueindex(1))) {
        lua_pushnil(lua);
        return 1;
    }
    lua_pushvalue(lua, -1);
    lua_gettable(lua, lua_upvalueindex(1));
    return 2;
}

static int proxy_pairs(lua_State *lua)
{
    const struct proxy *proxy = lua_touserdata(lua, 1);

    lua_pushvalue(lua, 1);
    if (doc_is(proxy->doc, DOC_OBJECT)) {
        const char **keys;
        size_t len = doc_keys_sorted(proxy->doc, &keys);

        lua_createtable(lua, (int)len, 0);
        for (size_t i = 0; i < len; i++) {
            lua_pushstring(lua, keys[i]);
            lua_rawseti(lua, -2, (lua_Integer)i + 1);
        }
        free(keys);
    } else {
        lua_pushnil(lua);
    }
    lua_pushinteger(lua, 0);
    lua_pushcclosure(lua, proxy_next, 3);
    return 1;
}

static int proxy_gc(lua_State *lua)
{
    struct proxy *proxy = lua_touserdata(lua, 1);

    doc_unref(proxy->doc);
    proxy->doc = NULL;
    return 0;
}

static const luaL_Reg proxy_functions[] = {{"__index", proxy_index}, {"__newindex", proxy_newindex},
                                           {"__len", proxy_len},     {"__pairs", proxy_pairs},
                                           {"__gc", proxy_gc},       {NULL, NULL}};

/* ---- doc.* ---- */

/* doc.copy(value) -> a document of its own that may be changed */
static int doc_copy_fn(lua_State *lua)
{
    struct doc *value = host_lua_take_shared(lua, 1), *copy = doc_copy(value);

    host_lua_push(lua, copy, false);
    doc_unref(value);
    doc_unref(copy);
    return 1;
}

/* doc.equal(a, b) */
static int doc_equal_fn(lua_State *lua)
{
    struct doc *a = host_lua_take_shared(lua, 1), *b = host_lua_take_shared(lua, 2);

    lua_pushboolean(lua, doc_equal(a, b));
    doc_unref(a);
    doc_unref(b);
    return 1;
}

/* doc.array(table) -> the table, marked as a list even when it is empty */
static int doc_array_fn(lua_State *lua)
{
    luaL_checktype(lua, 1, LUA_TTABLE);
    luaL_setmetatable(lua, array_name);
    return 1;
}

/* doc.json(value) -> sorted, compact text */
static int doc_json_fn(lua_State *lua)
{
    struct doc *value = host_lua_take_shared(lua, 1);
    struct buf text;

    buf_init(&text, 16 << 20);
    json_add(&text, value, JSON_SORTED);
    lua_pushlstring(lua, buf_text(&text), text.len);
    buf_free(&text);
    doc_unref(value);
    return 1;
}

static const luaL_Reg doc_functions[] = {
    {"copy", doc_copy_fn}, {"equal", doc_equal_fn}, {"array", doc_array_fn}, {"json", doc_json_fn}, {NULL, NULL}};

/* ---- the state ---- */

void host_lua_call(struct lua_State *lua, int arguments, int results)
{
    if (lua_pcall(lua, arguments, results, 0) == LUA_OK)
        return;
    fprintf(stderr, "dosrun: sandbox tables: %s\n", lua_tostring(lua, -1));
    abort();
}

void host_lua_require(struct lua_State *lua, const char *name)
{
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &modules_key);
    if (lua_getfield(lua, -1, name) != LUA_TNIL) {
        lua_remove(lua, -2);
        return;
    }
    lua_pop(lua, 1);
    lua_pushfstring(lua, "sandbox/%s.lua", name);
    for (size_t i = 0; i < lua_library_len; i++) {
        const struct lua_file *file = &lua_library[i];

        if (strcmp(file->name, lua_tostring(lua, -1)) != 0)
            continue;
        lua_pop(lua, 1);
        if (luaL_loadbufferx(lua, (const char *)file->code, file->len, file->name, "b") != LUA_OK)
            host_lua_call(lua, 0, 0); /* calling the message fails with it */
        host_lua_call(lua, 0, 1);
        lua_pushvalue(lua, -1);
        lua_setfield(lua, -3, name);
        lua_remove(lua, -2);
        return;
    }
    fprintf(stderr, "dosrun: no table sandbox/%s.lua\n", name);
    abort();
}

struct doc *host_lua_table(struct lua_State *lua, const char *name)
{
    host_lua_require(lua, name);
    struct doc *doc = host_lua_take(lua, -1);
    lua_pop(lua, 1);
    return doc;
}

static int require_fn(lua_State *lua)
{
    host_lua_require(lua, luaL_checkstring(lua, 1));
    return 1;
}

static void library_open(lua_State *lua)
{
    static const luaL_Reg libraries[] = {
        {"_G", luaopen_base}, {"table", luaopen_table}, {"string", luaopen_string}, {"math", luaopen_math}};
    static const char *const removed[] = {"dofile", "loadfile", "load", "print", "collectgarbage"};

    for (size_t i = 0; i < sizeof(libraries) / sizeof(*libraries); i++) {
        luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
        lua_pop(lua, 1);
    }
    for (size_t i = 0; i < sizeof(removed) / sizeof(*removed); i++) {
        lua_pushnil(lua);
        lua_setglobal(lua, removed[i]);
    }
    lua_getglobal(lua, "math"); /* its numbers would differ between runs */
    lua_pushnil(lua);
    lua_setfield(lua, -2, "random");
    lua_pop(lua, 1);
}

struct lua_State *host_lua_new(void *host)
{
    lua_State *lua = luaL_newstate();

    if (!lua)
        abort();
    *(void **)lua_getextraspace(lua) = host;
    library_open(lua);
    lua_newtable(lua);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &modules_key);
    luaL_newlib(lua, proxy_functions);
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &proxy_key);
    luaL_newmetatable(lua, array_name);
    lua_pop(lua, 1);
    lua_gc(lua, LUA_GCGEN, 0, 0);
    luaL_newlib(lua, doc_functions);
    lua_pushlightuserdata(lua, NULL);
    lua_setfield(lua, -2, "null");
    lua_setglobal(lua, "doc");
    lua_pushcfunction(lua, require_fn);
    lua_setglobal(lua, "require");
    return lua;
}

void host_lua_free(struct lua_State *lua)
{
    if (lua)
        lua_close(lua);
}
