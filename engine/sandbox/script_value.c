/* Lua values as documents and back; tables are walked in sorted order, never in that of a hash. */
#include "sandbox/script_value.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#define LIST_NAME "sandbox.list"

void sim_value_push(lua_State *L, const struct doc *doc)
{
    struct view text;

    luaL_checkstack(L, 4, "a document is too deep");
    switch (doc_type(doc)) {
    case DOC_NULL:
        lua_pushlightuserdata(L, NULL);
        break;
    case DOC_BOOL:
        lua_pushboolean(L, doc_as_bool(doc, false));
        break;
    case DOC_INT:
        lua_pushinteger(L, doc_as_int(doc, 0));
        break;
    case DOC_REAL:
        lua_pushnumber(L, doc_as_real(doc, 0));
        break;
    case DOC_STRING:
        text = doc_as_view(doc);
        lua_pushlstring(L, text.ptr, text.len);
        break;
    case DOC_ARRAY:
        lua_createtable(L, (int)doc_size(doc), 0);
        luaL_setmetatable(L, LIST_NAME);
        for (size_t i = 0; i < doc_size(doc); i++) {
            sim_value_push(L, doc_at(doc, i));
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        break;
    case DOC_OBJECT:
        lua_newtable(L);
        DOC_EACH(member, doc)
        {
            sim_value_push(L, member.value);
            lua_setfield(L, -2, member.key);
        }
        break;
    }
}

static struct doc *value_at(lua_State *L, int index, int depth, const char **why);

static bool is_list(lua_State *L, int index)
{
    bool marked;

    if (!lua_getmetatable(L, index))
        return lua_rawlen(L, index) > 0;
    luaL_getmetatable(L, LIST_NAME);
    marked = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return marked || lua_rawlen(L, index) > 0;
}

static struct doc *list_at(lua_State *L, int index, int depth, const char **why)
{
    struct doc *list = doc_array();

    for (lua_Unsigned i = 1; i <= lua_rawlen(L, index) && !*why; i++) {
        struct doc *value;

        lua_rawgeti(L, index, (lua_Integer)i);
        value = value_at(L, lua_gettop(L), depth + 1, why);
        lua_pop(L, 1);
        if (value)
            doc_push(list, value);
    }
    return list;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct doc *object_at(lua_State *L, int index, int depth, const char **why)
{
    struct doc *object = doc_object();
    const char **keys = NULL;
    size_t len = 0, cap = 0;

    /* The strings live in the table, which nobody changes meanwhile. */
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            *why = "a table with keys that are neither names nor 1, 2, 3";
            lua_pop(L, 2);
            break;
        }
        if (len == cap) {
            cap = cap ? 2 * cap : 16;
            keys = mem_grow(keys, cap, sizeof(*keys));
        }
        keys[len++] = lua_tostring(L, -2);
    }
    if (len > 1)
        qsort(keys, len, sizeof(*keys), by_bytes);
    for (size_t i = 0; i < len && !*why; i++) {
        struct doc *value;

        lua_pushstring(L, keys[i]);
        lua_rawget(L, index);
        value = value_at(L, lua_gettop(L), depth + 1, why);
        lua_pop(L, 1);
        if (value)
            doc_set(object, keys[i], value);
    }
    free(keys);
    return object;
}

static struct doc *value_at(lua_State *L, int index, int depth, const char **why)
{
    struct doc *doc;
    size_t len;
    const char *text;

    if (depth > JSON_DEPTH_MAX || !lua_checkstack(L, 8)) {
        *why = "a table that is too deep";
        return NULL;
    }
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return doc_null();
    case LUA_TLIGHTUSERDATA:
        return doc_null();
    case LUA_TBOOLEAN:
        return doc_bool(lua_toboolean(L, index));
    case LUA_TNUMBER:
        return lua_isinteger(L, index) ? doc_int(lua_tointeger(L, index)) : doc_real(lua_tonumber(L, index));
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        return doc_string((struct view){text, len});
    case LUA_TTABLE:
        doc = is_list(L, index) ? list_at(L, index, depth, why) : object_at(L, index, depth, why);
        if (!*why)
            return doc;
        doc_unref(doc);
        return NULL;
    default:
        *why = lua_type(L, index) == LUA_TFUNCTION ? "a function" : "a value that JSON does not know";
        return NULL;
    }
}

struct doc *sim_value_doc(lua_State *L, int index, const char **why)
{
    *why = NULL;
    return value_at(L, lua_absindex(L, index), 0, why);
}

/* ---- the library ---- */

static int pairs_next(lua_State *L)
{
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2)) + 1;

    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(2));
    lua_rawgeti(L, lua_upvalueindex(1), at);
    if (lua_isnil(L, -1))
        return 1;
    lua_pushvalue(L, -1);
    lua_gettable(L, 1);
    return 2;
}

/* Numbers first, then names by their bytes. */
static int key_less(lua_State *L)
{
    int a = lua_type(L, 1), b = lua_type(L, 2);

    if (a == b && (a == LUA_TNUMBER || a == LUA_TSTRING))
        lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    else
        lua_pushboolean(L, a < b);
    return 1;
}

/* pairs(table): in sorted order; keys that have none (tables, functions) come last, as they come. */
static int sorted_pairs(lua_State *L)
{
    lua_Integer len = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, lua_upvalueindex(1), "sort");
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawseti(L, -4, ++len);
    }
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_pushcfunction(L, key_less);
    lua_call(L, 2, 0);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, pairs_next, 2);
    lua_pushvalue(L, 1);
    return 2;
}

/* tostring(value): no addresses, which differ between runs. */
static int plain_tostring(lua_State *L)
{
    int type = lua_type(L, 1);

    luaL_checkany(L, 1);
    if ((type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA || type == LUA_TLIGHTUSERDATA) &&
        luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL)
        lua_pushstring(L, lua_typename(L, type));
    else
        luaL_tolstring(L, 1, NULL);
    return 1;
}

/* sandbox.list(table): the same table, a list in JSON also while it is empty. */
static int list_mark(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_setmetatable(L, LIST_NAME);
    return 1;
}

static void names_remove(lua_State *L, const char *table, const char *const *names)
{
    lua_getglobal(L, table);
    for (; *names; names++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *names);
    }
    lua_pop(L, 1);
}

void sim_value_open(lua_State *L)
{
    static const luaL_Reg libraries[] = {{LUA_GNAME, luaopen_base},        {LUA_TABLIBNAME, luaopen_table},
                                         {LUA_STRLIBNAME, luaopen_string}, {LUA_MATHLIBNAME, luaopen_math},
                                         {LUA_UTF8LIBNAME, luaopen_utf8},  {NULL, NULL}};
    static const char *const base[] = {"dofile", "loadfile", "load", "collectgarbage", "print", "next", "warn", NULL};
    static const char *const string[] = {"dump", NULL};
    static const char *const math[] = {"random", "randomseed", NULL};

    for (const luaL_Reg *library = libraries; library->func; library++) {
        luaL_requiref(L, library->name, library->func, 1);
        lua_pop(L, 1);
    }
    names_remove(L, LUA_GNAME, base);
    names_remove(L, LUA_STRLIBNAME, string);
    names_remove(L, LUA_MATHLIBNAME, math);
    lua_getglobal(L, LUA_TABLIBNAME);
    lua_pushcclosure(L, sorted_pairs, 1);
    lua_setglobal(L, "pairs");
    lua_pushcfunction(L, plain_tostring);
    lua_setglobal(L, "tostring");
    luaL_newmetatable(L, LIST_NAME);
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    lua_pushcfunction(L, list_mark);
    lua_setfield(L, -2, "list");
    lua_newtable(L);
    lua_setfield(L, -2, "state");
    lua_setglobal(L, "sandbox");
}
