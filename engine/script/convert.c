#include "script/room.h"
#include "codec/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Documents to Lua and back. Reading a Lua value never calls Lua code, never allocates in Lua and so
 * never raises: the doc under construction cannot leak. Keys come out sorted by bytes.
 */
static const char ARRAY_KEY;

enum { DEPTH_MAX = 64, NODES_MAX = 500000, BYTES_MAX = 64 << 20, PATH_MAX_LEN = 300 };

void script_push_null(lua_State *L)
{
    lua_pushlightuserdata(L, NULL);
}

/* Pushes the metatable of arrays. */
static void push_array_meta(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY) == LUA_TTABLE)
        return;
    lua_pop(L, 1);
    lua_createtable(L, 0, 2);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__metatable");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY);
}

bool script_is_array(lua_State *L, int index)
{
    bool is = false;

    if (lua_type(L, index) == LUA_TTABLE && lua_getmetatable(L, index)) {
        is = lua_rawgetp(L, LUA_REGISTRYINDEX, &ARRAY_KEY) == LUA_TTABLE && lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
    }
    return is;
}

int script_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_settop(L, 0);
        lua_newtable(L);
    }
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (script_is_array(L, 1))
        return 1;
    if (lua_getmetatable(L, 1))
        return luaL_argerror(L, 1, "this table has a metatable of its own");
    push_array_meta(L);
    lua_setmetatable(L, 1);
    return 1;
}

static void push_value(lua_State *L, const struct doc *doc)
{
    struct view text;

    luaL_checkstack(L, 6, "a document");
    switch (doc_type(doc)) {
    case DOC_NULL:
        script_push_null(L);
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
        for (size_t i = 0; i < doc_size(doc); i++) {
            push_value(L, doc_at(doc, i));
            lua_rawseti(L, -2, (lua_Integer)i + 1);
        }
        push_array_meta(L);
        lua_setmetatable(L, -2);
        break;
    case DOC_OBJECT:
        lua_createtable(L, 0, (int)doc_size(doc));
        DOC_EACH(iter, doc)
        {
            lua_pushstring(L, iter.key);
            push_value(L, iter.value);
            lua_rawset(L, -3);
        }
        break;
    }
}

void script_push_doc(lua_State *L, const struct doc *doc)
{
    push_value(L, doc);
}

void script_push_buf(lua_State *L, struct buf *buf)
{
    struct script *script = script_of(L);
    int limited = script->limited;

    script->limited = 0; /* an error for want of memory would leak the buffer */
    lua_pushlstring(L, buf_text(buf), buf->len);
    script->limited = limited;
    buf_free(buf);
}

/* Where the walk stands: a chain through the C stack, told only in errors. */
struct at {
    const struct at *up;
    const char *key; /* NULL: index */
    lua_Integer index;
    const void *table;
    int depth;
};

struct reading {
    lua_State *L;
    struct err *err;
    size_t nodes, bytes;
    bool binary; /* texts may be any bytes */
};

static void add_path(struct buf *out, const struct at *at)
{
    if (!at || !at->up)
        return;
    add_path(out, at->up);
    if (at->key)
        buf_addf(out, "%s%s", out->len ? "." : "", at->key);
    else
        buf_addf(out, "[%lld]", (long long)at->index);
}

static struct doc *refuse(struct reading *reading, const struct at *at, const char *what)
{
    struct buf path;

    buf_init(&path, PATH_MAX_LEN);
    add_path(&path, at);
    err_set(reading->err, ERR_USAGE, "%s%s%s", buf_text(&path), path.len ? ": " : "", what);
    err_explain(reading->err, "S404");
    buf_free(&path);
    return NULL;
}

static bool text_fits(struct reading *reading, const struct at *at, const char *text, size_t len)
{
    reading->bytes += len;
    if (reading->bytes > BYTES_MAX)
        refuse(reading, at, "a document may have 64 MiB of text at most");
    else if (reading->binary)
        return true;
    else if (memchr(text, '\0', len))
        refuse(reading, at, "a text with a NUL byte cannot be put in a document; base64 can");
    else if (!utf8_is_clean((struct view){text, len}))
        refuse(reading, at, "this text is not UTF-8");
    else
        return true;
    return false;
}

static bool key_fits(struct reading *reading, const struct at *at, const char *text, size_t len)
{
    bool binary = reading->binary, fits;

    reading->binary = false;
    fits = text_fits(reading, at, text, len);
    reading->binary = binary;
    return fits;
}

static struct doc *read_value(struct reading *reading, int index, const struct at *at);

/* The value on top, popped, under a key or index of the table `at`. */
static struct doc *read_member(struct reading *reading, const struct at *at, const char *key, lua_Integer index)
{
    struct at member = {.up = at, .key = key, .index = index, .depth = at->depth + 1};
    struct doc *doc = read_value(reading, lua_gettop(reading->L), &member);

    lua_pop(reading->L, 1);
    return doc;
}

static struct doc *read_array(struct reading *reading, int table, const struct at *at, lua_Integer count)
{
    struct doc *array = doc_array();

    for (lua_Integer i = 1; i <= count; i++) {
        struct doc *value;

        lua_rawgeti(reading->L, table, i);
        value = read_member(reading, at, NULL, i);
        if (!value) {
            doc_unref(array);
            return NULL;
        }
        doc_push(array, value);
    }
    return array;
}

struct member {
    const char *key; /* the table holds it */
    struct doc *value;
};

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

static struct doc *read_object(struct reading *reading, int table, const struct at *at, size_t count)
{
    lua_State *L = reading->L;
    struct member *members = mem_array(count, sizeof(*members));
    struct doc *object = NULL;
    size_t len = 0;

    lua_pushnil(L);
    while (lua_next(L, table)) {
        struct member *member = &members[len];
        size_t size;

        member->key = lua_tolstring(L, -2, &size);
        member->value = key_fits(reading, at, member->key, size) ? read_member(reading, at, member->key, 0) : NULL;
        if (!member->value)
            goto done;
        len++;
    }
    if (len > 1)
        qsort(members, len, sizeof(*members), compare_members);
    object = doc_object();
    for (size_t i = 0; i < len; i++)
        doc_set(object, members[i].key, doc_ref(members[i].value));
done:
    for (size_t i = 0; i < len; i++)
        doc_unref(members[i].value);
    free(members);
    return object;
}

/* What the *count keys say: a list, an object, or neither (refused). */
static bool judge_keys(struct reading *reading, int table, const struct at *at, lua_Integer *count, bool *object)
{
    lua_State *L = reading->L;
    lua_Integer numbers = 0, texts = 0, max = 0;

    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            texts++;
        } else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1) {
            numbers++;
            max = lua_tointeger(L, -1) > max ? lua_tointeger(L, -1) : max;
        } else {
            char what[120];

            snprintf(what, sizeof(what), "a key that is %s cannot be put in a document",
                     lua_type(L, -1) == LUA_TNUMBER ? "a number, but not 1, 2, 3, ..." : luaL_typename(L, -1));
            return refuse(reading, at, what);
        }
    }
    if (numbers && texts)
        return refuse(reading, at, "a table is either a list or has names, not both");
    if (max != numbers)
        return refuse(reading, at, "a list with holes cannot be put in a document; dosrun.null fills one");
    *count = numbers + texts;
    *object = texts > 0 || (!numbers && !script_is_array(L, table));
    if (texts && script_is_array(L, table))
        return refuse(reading, at, "an array cannot have names as keys");
    return true;
}

static struct doc *read_table(struct reading *reading, int index, const struct at *up)
{
    lua_State *L = reading->L;
    struct at at = *up;
    struct doc *doc = NULL;
    lua_Integer count = 0;
    bool object;
    int top = lua_gettop(L);

    if (at.depth >= DEPTH_MAX)
        return refuse(reading, up, "a document may be 64 levels deep at most");
    if (freeze_push_real(L, index))
        index = lua_gettop(L);
    at.table = lua_topointer(L, index);
    for (const struct at *outer = up->up; outer; outer = outer->up) {
        if (outer->table == at.table) {
            lua_settop(L, top);
            return refuse(reading, up, "this table contains itself");
        }
    }
    if (judge_keys(reading, index, &at, &count, &object))
        doc = object ? read_object(reading, index, &at, (size_t)count) : read_array(reading, index, &at, count);
    lua_settop(L, top);
    return doc;
}

static struct doc *read_value(struct reading *reading, int index, const struct at *at)
{
    lua_State *L = reading->L;
    char what[120];
    size_t len;
    const char *text;

    if (!lua_checkstack(L, 8) || ++reading->nodes > NODES_MAX)
        return refuse(reading, at, "a document may have half a million values at most");
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return doc_bool(lua_toboolean(L, index));
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            return doc_int(lua_tointeger(L, index));
        if (!isfinite(lua_tonumber(L, index)))
            return refuse(reading, at, "a number that is not finite cannot be put in a document");
        return doc_real(lua_tonumber(L, index));
    case LUA_TSTRING:
        text = lua_tolstring(L, index, &len);
        if (!text_fits(reading, at, text, len))
            return NULL;
        return reading->binary ? doc_bytes((struct view){text, len}) : doc_string((struct view){text, len});
    case LUA_TTABLE:
        return read_table(reading, index, at);
    case LUA_TLIGHTUSERDATA:
        return doc_null();
    case LUA_TNIL:
        return refuse(reading, at, "nil cannot be put in a document; dosrun.null can");
    default:
        snprintf(what, sizeof(what), "a %s cannot be put in a document", luaL_typename(L, index));
        return refuse(reading, at, what);
    }
}

static struct doc *read_whole(lua_State *L, int index, bool binary, struct err *err)
{
    struct reading reading = {.L = L, .err = err, .binary = binary};
    struct at top = {.up = NULL};
    int height = lua_gettop(L);
    struct doc *doc = read_value(&reading, lua_absindex(L, index), &top);

    lua_settop(L, height);
    return doc;
}

int script_to_doc(lua_State *L, int index, struct doc **doc, struct err *err)
{
    *doc = read_whole(L, index, false, err);
    return *doc ? 0 : -1;
}

int script_to_bytes(lua_State *L, int index, struct doc **doc, struct err *err)
{
    *doc = read_whole(L, index, true, err);
    return *doc ? 0 : -1;
}

static struct doc *check_whole(lua_State *L, int index, bool binary)
{
    struct err err = ERR_INIT;
    struct doc *doc = read_whole(L, index, binary, &err);

    if (!doc) {
        err_context(&err, "argument %d", index);
        script_raise(L, &err);
    }
    return doc;
}

struct doc *script_check_doc(lua_State *L, int index)
{
    return check_whole(L, index, false);
}

struct doc *script_check_bytes(lua_State *L, int index)
{
    return check_whole(L, index, true);
}
