#include "script/room.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Errors on both sides of the border. A struct err becomes a table with a __tostring; whatever Lua
 * raises becomes a struct err. The author's place is looked for when an error is made (a table of
 * ours), when pcall catches one (any other table, remembered by identity), or in the text that Lua
 * itself put in front of a message.
 */
static const char META_KEY, PLACES_KEY, TRACES_KEY;

enum { TRACE_FRAMES = 40, TOSTRING_TICKS = 1000 };

static bool place_of_level(lua_State *L, int level, lua_Debug *ar, bool *more)
{
    *more = lua_getstack(L, level, ar);
    if (!*more)
        return false;
    lua_getinfo(L, "Sl", ar);
    return ar->source[0] == '@' && ar->currentline > 0;
}

bool script_place(lua_State *L, struct place *place)
{
    lua_Debug ar;
    bool more = true;

    for (int level = 0; more; level++) {
        if (place_of_level(L, level, &ar, &more)) {
            snprintf(place->file, sizeof(place->file), "%s", ar.source + 1);
            place->line = ar.currentline;
            return true;
        }
    }
    place->file[0] = '\0';
    place->line = 0;
    return false;
}

void error_trace(lua_State *L, struct buf *out)
{
    lua_Debug ar;
    bool more = true;
    int shown = 0;

    for (int level = 0; more && shown < TRACE_FRAMES; level++) {
        if (!place_of_level(L, level, &ar, &more))
            continue;
        lua_getinfo(L, "n", &ar);
        buf_addf(out, "%s:%d: in ", ar.source + 1, ar.currentline);
        if (strcmp(ar.what, "main") == 0)
            buf_add_text(out, "the file itself\n");
        else if (ar.name)
            buf_addf(out, "%s '%s'\n", *ar.namewhat ? ar.namewhat : "function", ar.name);
        else
            buf_addf(out, "the function of line %d\n", ar.linedefined);
        shown++;
    }
}

void error_keep_trace(lua_State *L, int index, const char *trace)
{
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &TRACES_KEY);
    lua_pushvalue(L, index);
    lua_pushstring(L, trace);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void error_add_kept_trace(lua_State *L, int index, struct buf *out)
{
    index = lua_absindex(L, index);
    if (lua_type(L, index) != LUA_TTABLE)
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &TRACES_KEY);
    lua_pushvalue(L, index);
    if (lua_rawget(L, -2) == LUA_TSTRING)
        buf_add_text(out, lua_tostring(L, -1));
    lua_pop(L, 2);
}

static int error_tostring(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TTABLE) {
        lua_pushliteral(L, "error");
        return 1;
    }
    lua_pushliteral(L, "message");
    lua_rawget(L, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
        lua_pushliteral(L, "error without a message");
    return 1;
}

static int error_concat(lua_State *L)
{
    value_push_text(L, 1, NULL);
    value_push_text(L, 2, NULL);
    lua_concat(L, 2);
    return 1;
}

static void weak_keys(lua_State *L, const void *key)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void errors_open(lua_State *L)
{
    lua_createtable(L, 0, 4);
    lua_pushcfunction(L, error_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, error_concat);
    lua_setfield(L, -2, "__concat");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__metatable");
    lua_pushliteral(L, "error");
    lua_setfield(L, -2, "__name");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &META_KEY);

    weak_keys(L, &PLACES_KEY);
    weak_keys(L, &TRACES_KEY);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (*text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, key);
    }
}

static void set_flag(lua_State *L, const char *key, bool flag)
{
    if (flag) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, key);
    }
}

void error_push(lua_State *L, const struct err *err, const struct place *place)
{
    luaL_checkstack(L, 4, "an error");
    lua_createtable(L, 0, 8);
    set_text(L, "kind", err_kind_name(err->kind));
    set_text(L, "message", err->message);
    set_text(L, "code", err->code);
    set_text(L, "request_id", err->request_id);
    set_text(L, "explain", err->explain);
    set_flag(L, "retryable", err->retryable);
    set_flag(L, "maybe_done", err->maybe_done);
    if (err->status) {
        lua_pushinteger(L, err->status);
        lua_setfield(L, -2, "status");
    }
    if (err->retry_after_ms >= 0) {
        lua_pushinteger(L, err->retry_after_ms);
        lua_setfield(L, -2, "retry_after_ms");
    }
    if (place && place->file[0]) {
        set_text(L, "file", place->file);
        lua_pushinteger(L, place->line);
        lua_setfield(L, -2, "line");
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &META_KEY);
    lua_setmetatable(L, -2);
}

int script_raise(lua_State *L, const struct err *err)
{
    struct place place;

    script_place(L, &place);
    error_push(L, err, &place);
    return lua_error(L);
}

int script_raise_explained(lua_State *L, const char *explain, const char *format, ...)
{
    struct err err = ERR_INIT;
    va_list args;

    err.kind = ERR_USAGE;
    va_start(args, format);
    vsnprintf(err.message, sizeof(err.message), format, args);
    va_end(args);
    err_explain(&err, explain);
    return script_raise(L, &err);
}

int error_note_place(lua_State *L)
{
    struct place place;

    if (lua_type(L, 1) != LUA_TTABLE || !script_place(L, &place))
        return 1;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &PLACES_KEY);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_pushfstring(L, "%s:%d: ", place.file, place.line);
        lua_rawset(L, -4);
    }
    lua_settop(L, 1);
    return 1;
}

/*
 * Splits "file:line: rest" when file is one that was loaded: *rest follows it. True and a place when
 * the file is the author's.
 */
static bool split_position(lua_State *L, const char *text, struct place *place, const char **rest)
{
    const char *colon = text;

    *rest = text;
    while ((colon = strchr(colon, ':'))) {
        char *end;
        long line = strtol(colon + 1, &end, 10);

        if (end > colon + 1 && end[0] == ':' && end[1] == ' ' && line > 0 && line < INT32_MAX) {
            enum chunk chunk = loader_chunk(L, (struct view){text, (size_t)(colon - text)}, place);

            if (chunk != CHUNK_NONE) {
                place->line = (int)line;
                *rest = end + 2;
                return chunk == CHUNK_PROJECT;
            }
        }
        colon++;
    }
    return false;
}

/* The raw field as text or NULL; the value stays on the stack. */
static const char *raw_text(lua_State *L, int index, const char *key)
{
    lua_pushstring(L, key);
    lua_rawget(L, index);
    return lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
}

static bool raw_true(lua_State *L, int index, const char *key)
{
    bool truth;

    lua_pushstring(L, key);
    lua_rawget(L, index);
    truth = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return truth;
}

static int64_t raw_int(lua_State *L, int index, const char *key, int64_t fallback)
{
    int64_t value;

    lua_pushstring(L, key);
    lua_rawget(L, index);
    value = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : fallback;
    lua_pop(L, 1);
    return value;
}

bool error_place_of(lua_State *L, int index, struct place *place)
{
    int top = lua_gettop(L);
    const char *text = NULL, *rest;
    bool found = false;

    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, "an error's place");
    if (lua_type(L, index) == LUA_TSTRING) {
        found = split_position(L, lua_tostring(L, index), place, &rest);
    } else if (lua_type(L, index) == LUA_TTABLE) {
        text = raw_text(L, index, "file");
        if (text) {
            snprintf(place->file, sizeof(place->file), "%s", text);
            place->line = (int)raw_int(L, index, "line", 0);
            found = true;
        } else {
            lua_rawgetp(L, LUA_REGISTRYINDEX, &PLACES_KEY);
            lua_pushvalue(L, index);
            if (lua_rawget(L, -2) == LUA_TSTRING)
                found = split_position(L, lua_tostring(L, -1), place, &rest);
        }
    }
    lua_settop(L, top);
    return found;
}

static void copy_text(char *to, size_t size, const char *text)
{
    snprintf(to, size, "%s", text ? text : "");
}

static void table_to_err(lua_State *L, int index, struct err *err)
{
    int top = lua_gettop(L);
    const char *text = raw_text(L, index, "kind");

    if (text)
        err->kind = err_kind_from_name(text);
    copy_text(err->code, sizeof(err->code), raw_text(L, index, "code"));
    copy_text(err->request_id, sizeof(err->request_id), raw_text(L, index, "request_id"));
    copy_text(err->explain, sizeof(err->explain), raw_text(L, index, "explain"));
    lua_settop(L, top);
    err->status = (int)raw_int(L, index, "status", 0);
    err->retryable = raw_true(L, index, "retryable");
    err->maybe_done = raw_true(L, index, "maybe_done");
    err->retry_after_ms = raw_int(L, index, "retry_after_ms", -1);
}

static int protected_text(lua_State *L)
{
    value_push_text(L, 1, NULL);
    return 1;
}

/* The value's own text, on the stack: its __tostring may fail, loop or eat memory. */
static const char *safe_text(lua_State *L, int index)
{
    struct script *script = script_of(L);
    const char *text;
    int status;

    lua_pushcfunction(L, protected_text);
    lua_pushvalue(L, index);
    script->limited++;
    if (!context_of(L)->task)
        script->ticks = TOSTRING_TICKS;
    status = lua_pcall(L, 1, 1, 0);
    script->ticks = 0;
    script->limited--;
    text = status == LUA_OK ? lua_tostring(L, -1) : NULL;
    return text ? text : "an error whose text cannot be told";
}

void script_to_err(lua_State *L, int index, struct err *err)
{
    int top = lua_gettop(L);
    struct place place;
    const char *text, *rest;

    index = lua_absindex(L, index);
    err_clear(err);
    err->kind = ERR_USAGE;
    luaL_checkstack(L, 8, "an error");
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
        split_position(L, lua_tostring(L, index), &place, &rest);
        snprintf(err->message, sizeof(err->message), "%s", rest);
        break;
    case LUA_TTABLE:
        table_to_err(L, index, err);
        text = raw_text(L, index, "message");
        if (!text && luaL_getmetafield(L, index, "__tostring") != LUA_TNIL)
            text = safe_text(L, index);
        snprintf(err->message, sizeof(err->message), "%s", text ? text : "a table without a message was raised");
        break;
    case LUA_TNIL:
        snprintf(err->message, sizeof(err->message), "nil was raised as an error");
        break;
    default:
        snprintf(err->message, sizeof(err->message), "%s (a %s) was raised as an error", safe_text(L, index),
                 luaL_typename(L, index));
    }
    if (err->kind == ERR_NONE)
        err->kind = ERR_USAGE;
    lua_settop(L, top);
}
