#include "script/room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * require: "dosrun.v1" is compiled into the binary, "dosrun.native.NAME" is C and for the binary's
 * own Lua only, "cjson" is a guarded face of that library, everything else is the project's lib/.
 * A module's file may wait while it loads, for this require can be yielded across.
 */
static const char LOADED_KEY, NATIVES_KEY, CHUNKS_KEY;

enum { FILE_MAX = 8 << 20, NAME_MAX_LEN = 200 };

enum chunk loader_chunk(lua_State *L, struct view name, struct place *place)
{
    enum chunk chunk = CHUNK_NONE;
    const char *source;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &CHUNKS_KEY);
    lua_pushlstring(L, name.ptr, name.len);
    lua_rawget(L, -2);
    source = lua_tostring(L, -1);
    if (source) {
        chunk = *source == '@' ? CHUNK_PROJECT : CHUNK_ENGINE;
        snprintf(place->file, sizeof(place->file), "%s", source + 1);
    }
    lua_pop(L, 2);
    return chunk;
}

/* Remembers the function on top by the short name that Lua's messages use for its file. */
static void note_chunk(lua_State *L)
{
    lua_Debug ar;

    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &ar);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &CHUNKS_KEY);
    lua_pushstring(L, ar.source);
    lua_setfield(L, -2, ar.short_src);
    lua_pop(L, 1);
}

/* Without a byte order mark and a #! line (its end stays, so that lines keep their numbers). */
static struct view skip_head(struct view text)
{
    if (view_starts(text, "\xEF\xBB\xBF"))
        text = (struct view){text.ptr + 3, text.len - 3};
    if (text.len && *text.ptr == '#') {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t skipped = end ? (size_t)(end - text.ptr) : text.len;

        text = (struct view){text.ptr + skipped, text.len - skipped};
    }
    return text;
}

int loader_load(struct script *script, lua_State *L, struct view text, const char *chunk, bool trusted, struct err *err)
{
    int status;

    text = skip_head(text);
    script->limited++;
    status = luaL_loadbufferx(L, text.len ? text.ptr : "", text.len, chunk, trusted ? "b" : "t");
    script->limited--;
    if (status != LUA_OK) {
        if (status == LUA_ERRMEM)
            err_set(err, ERR_USAGE, "%s: the memory limit was reached while this file was read", chunk + 1);
        else if (text.len && *text.ptr == LUA_SIGNATURE[0])
            err_set(err, ERR_USAGE, "%s: this is compiled Lua; only text is loaded", chunk + 1);
        else
            err_set(err, ERR_USAGE, "%s", lua_tostring(L, -1));
        err_explain(err, status == LUA_ERRMEM ? "S406" : "S408");
        lua_pop(L, 1);
        return -1;
    }
    globals_push_env(L, trusted);
    lua_setupvalue(L, -2, 1);
    note_chunk(L);
    return 0;
}

static const struct lua_file *library_find(const char *path)
{
    size_t low = 0, high = lua_library_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(path, lua_library[middle].name);

        if (order == 0)
            return &lua_library[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* dosrun.v1 and its later versions: what project files may take from the binary. */
static bool public_name(const char *name)
{
    if (strncmp(name, "dosrun.v", 8) != 0 || !name[8])
        return false;
    return strspn(name + 8, "0123456789") == strlen(name + 8);
}

static bool plain_name(const char *name, size_t len)
{
    if (!len || len > NAME_MAX_LEN || strlen(name) != len || name[0] == '.' || name[len - 1] == '.' ||
        strstr(name, ".."))
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == len;
}

static void name_to_path(char *out, size_t size, const char *prefix, const char *name, const char *suffix)
{
    size_t start = strlen(prefix);

    snprintf(out, size, "%s%s%s", prefix, name, suffix);
    for (size_t i = start; i < start + strlen(name); i++) {
        if (out[i] == '.')
            out[i] = '/';
    }
}

/* Loads a project file onto L. -1 with err; ERR_MISSING when there is none. */
static int load_project_file(struct script *script, lua_State *L, const char *path, struct err *err)
{
    struct buf text;
    char *chunk;
    int result = -1;

    buf_init(&text, FILE_MAX);
    chunk = mem_printf("@%s", path);
    if (script->options.read(script->options.ctx, path, &text, err) < 0)
        goto done;
    if (text.over) {
        err_set(err, ERR_USAGE, "%s: a Lua file may have %d MiB at most", path, FILE_MAX >> 20);
        goto done;
    }
    result = loader_load(script, L, buf_view(&text), chunk, false, err);
done:
    free(chunk);
    buf_free(&text);
    return result;
}

/* Pushes the module's function and its path, or raises. No memory hangs on a raise: text is freed above. */
static void find_project_module(lua_State *L, const char *name)
{
    struct script *script = script_of(L);
    static const char *const SUFFIX[] = {".lua", "/init.lua"};
    char path[2][NAME_MAX_LEN + 20];
    struct err err = ERR_INIT;

    for (int i = 0; i < 2; i++) {
        int limited = script->limited;
        int status;

        name_to_path(path[i], sizeof(path[i]), "lib/", name, SUFFIX[i]);
        script->limited = 0; /* a raise in here would leak the file's text */
        err_clear(&err);
        status = load_project_file(script, L, path[i], &err);
        script->limited = limited;
        if (status == 0) {
            lua_pushstring(L, path[i]);
            return;
        }
        if (err.kind != ERR_MISSING)
            script_raise(L, &err);
    }
    script_raise_explained(L, "S408", "module '%s' was not found; looked at: %s, %s%s", name, path[0], path[1],
                           strcmp(name, "dosrun") == 0 ? "; did you mean 'dosrun.v1'?" : "");
}

static void find_library_module(lua_State *L, const char *name, bool trusted)
{
    const struct lua_file *file;
    char path[NAME_MAX_LEN + 20], chunk[NAME_MAX_LEN + 24];
    struct err err = ERR_INIT;

    if (!trusted && !public_name(name))
        script_raise_explained(L, "S408", "module '%s' is inside the engine; a playbook takes 'dosrun.v1'", name);
    name_to_path(path, sizeof(path), "", name, ".lua");
    file = library_find(path);
    if (!file)
        script_raise_explained(L, "S408", "module '%s' was not found; looked at: %s inside dosrun", name, path);
    snprintf(chunk, sizeof(chunk), "=%s", path);
    if (loader_load(script_of(L), L, (struct view){(const char *)file->code, file->len}, chunk, true, &err) < 0)
        script_raise(L, &err);
    lua_pushstring(L, path);
}

static void find_native_module(lua_State *L, const char *name, bool trusted)
{
    if (!trusted)
        script_raise_explained(L, "S408", "module '%s' is inside the engine; a playbook takes 'dosrun.v1'", name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &NATIVES_KEY);
    if (lua_getfield(L, -1, name + strlen("dosrun.native.")) == LUA_TNIL)
        script_raise_explained(L, "S408", "the binary has no module '%s'", name);
    lua_remove(L, -2);
    lua_pushstring(L, name);
}

static void push_cjson(lua_State *L)
{
    lua_pushcfunction(L, cjson_open);
    lua_pushvalue(L, 1);
}

/* Stack: name, the running task while it loads, results of the module's file. */
static int require_finish(lua_State *L, int status, lua_KContext context)
{
    struct task *task = context_of(L)->task;

    (void)context;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LOADED_KEY);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_pushvalue(L, 1);
        lua_pushnil(L);
        lua_rawset(L, -3);
        lua_pop(L, 1);
        if (status == LUA_ERRMEM && task)
            task_doom_memory(task);
        if (task && task->doom)
            return task_raise_doom(L);
        return lua_error(L);
    }
    lua_insert(L, -2);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);
    return 1;
}

/* True and the module on top when it is there already; raises when it is being loaded. */
static bool push_loaded(lua_State *L, const char *name)
{
    struct task *task = context_of(L)->task;
    int type;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &LOADED_KEY);
    lua_pushvalue(L, 1);
    type = lua_rawget(L, -2);
    if (type == LUA_TNIL) {
        lua_pop(L, 2);
        return false;
    }
    if (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, -1)) {
        if (lua_touserdata(L, -1) == (task ? (void *)task : (void *)script_of(L)))
            script_raise_explained(L, "S408", "module '%s' requires itself, by way of others or directly", name);
        script_raise_explained(
            L, "S408", "module '%s' is still being loaded by a task that waits; require it at the file's top", name);
    }
    lua_remove(L, -2);
    return true;
}

/* require(name) -> the module. Upvalue: called by the engine's own Lua. */
static int loader_require(lua_State *L)
{
    size_t len;
    const char *name = luaL_checklstring(L, 1, &len);
    bool trusted = lua_toboolean(L, lua_upvalueindex(1));
    struct task *task = context_of(L)->task;
    int status;

    lua_settop(L, 1);
    if (!plain_name(name, len))
        return script_raise_explained(L, "S408",
                                      "a module's name is made of letters, digits, '_', '-' and single dots");
    if (strncmp(name, "dosrun.native.", 14) != 0 || trusted) {
        if ((trusted || strncmp(name, "dosrun.", 7) != 0 || public_name(name)) && push_loaded(L, name))
            return 1;
    }
    lua_pushcfunction(L, error_note_place);
    if (strncmp(name, "dosrun.native.", 14) == 0)
        find_native_module(L, name, trusted);
    else if (strncmp(name, "dosrun.", 7) == 0)
        find_library_module(L, name, trusted);
    else if (strcmp(name, "cjson") == 0)
        push_cjson(L);
    else
        find_project_module(L, name);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &LOADED_KEY);
    lua_pushvalue(L, 1);
    lua_pushlightuserdata(L, task ? (void *)task : (void *)script_of(L));
    lua_rawset(L, -3);
    lua_pop(L, 1);
    lua_pushvalue(L, 1);
    lua_insert(L, -2); /* the file's arguments: name, path */
    status = lua_pcallk(L, 2, 1, 2, 0, require_finish);
    return require_finish(L, status, 0);
}

static void set_registry_table(lua_State *L, const void *key)
{
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void loader_open(lua_State *L)
{
    set_registry_table(L, &LOADED_KEY);
    set_registry_table(L, &NATIVES_KEY);
    set_registry_table(L, &CHUNKS_KEY);
    for (int trusted = 0; trusted < 2; trusted++) {
        lua_pushboolean(L, trusted);
        lua_pushcclosure(L, loader_require, 1);
        globals_set(L, trusted, "require");
    }
}

void script_native(struct script *script, const char *name, int (*open)(lua_State *L))
{
    lua_State *L = script->L;

    lua_rawgetp(L, LUA_REGISTRYINDEX, &NATIVES_KEY);
    lua_pushcfunction(L, open);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

struct task *task_load(struct script *script, const char *path, struct err *err)
{
    if (load_project_file(script, script->L, path, err) < 0)
        return NULL;
    return task_new(script, script->L, 0);
}

int script_require(struct script *script, const char *name, struct err *err)
{
    lua_State *L = script->L;

    lua_pushboolean(L, 1);
    lua_pushcclosure(L, loader_require, 1);
    lua_pushstring(L, name);
    if (lua_pcall(L, 1, 1, 0) == LUA_OK)
        return 0;
    script_to_err(L, -1, err);
    lua_pop(L, 1);
    return -1;
}
