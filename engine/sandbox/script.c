/*
 * tests/sandbox.lua: HTTP hosts and programs as Lua functions, with one table, sandbox.state, that
 * lasts from run to run. What changed in it is logged before the answer is given.
 */
#include "sandbox/script_parts.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 20 * 1000 * 1000, MEMORY_MAX = 64 << 20 };

static void *limited_alloc(void *ctx, void *ptr, size_t old, size_t size)
{
    struct sim_script *script = ctx;
    size_t before = ptr ? old : 0;
    void *grown;

    if (size == 0) {
        script->memory -= before;
        free(ptr);
        return NULL;
    }
    if (size > before && script->memory - before + size > MEMORY_MAX)
        return NULL;
    grown = realloc(ptr, size);
    if (grown)
        script->memory += size - before;
    return grown;
}

static void too_long(lua_State *L, lua_Debug *where)
{
    (void)where;
    luaL_error(L, "a script of the sandbox runs for too long");
}

static struct sim_script *script_of(lua_State *L)
{
    return *(struct sim_script **)lua_getextraspace(L);
}

/* ---- functions of the table `sandbox` ---- */

static struct route *route_add(struct routes *routes, const char *origin)
{
    struct route *route;

    routes->list = mem_grow(routes->list, routes->len + 1, sizeof(*routes->list));
    route = &routes->list[routes->len++];
    *route = (struct route){.origin = mem_text(origin)};
    return route;
}

/* A call that is under way points into the tables. */
static void only_while_loading(lua_State *L)
{
    if (!script_of(L)->loading)
        luaL_error(L, "hosts and programs are added while the script is loaded, not by an answer");
}

/* sandbox.http(url, function(request) ... end): answers all requests below url; the longest url wins. */
static int script_http(lua_State *L)
{
    const char *url = luaL_checkstring(L, 1);
    struct sim_script *script = script_of(L);
    struct route *route;
    struct err err = ERR_INIT;
    int function;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    only_while_loading(L);
    lua_settop(L, 2);
    function = luaL_ref(L, LUA_REGISTRYINDEX);
    route = route_add(&script->hosts, url);
    route->function = function;
    if (sim_message_init(&route->url, "GET", url, NULL, 0, VIEW_LITERAL(""), &err))
        return luaL_error(L, "sandbox.http: %s", err.message);
    return 0;
}

/* sandbox.program(name, function(argv, input, process) ... end) */
static int script_program(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    int function;

    luaL_checktype(L, 2, LUA_TFUNCTION);
    only_while_loading(L);
    lua_settop(L, 2);
    function = luaL_ref(L, LUA_REGISTRYINDEX);
    route_add(&script_of(L)->programs, name)->function = function;
    return 0;
}

/* sandbox.cluster(name [, region]): the simulated AWS account has an EKS cluster of this name, which is the simulated
 * one */
static int script_cluster(lua_State *L)
{
    struct sim_server *aws = sim_server_named(script_of(L)->sim, "aws");
    const char *name = luaL_checkstring(L, 1), *region = luaL_optstring(L, 2, SANDBOX_REGION);

    only_while_loading(L);
    if (!aws)
        return luaL_error(L, "sandbox.cluster: there is no AWS account here");
    sim_aws_cluster(aws, region, name);
    return 0;
}

/* sandbox.now(): virtual seconds since 1970 */
static int script_now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)sim_now_ms(script_of(L)->sim) / 1000);
    return 1;
}

/* sandbox.hex(purpose [, digits]): random-looking, the same in every run with this seed */
static int script_hex(lua_State *L)
{
    const char *purpose = luaL_checkstring(L, 1);
    lua_Integer len = luaL_optinteger(L, 2, 32);
    char out[65];

    luaL_argcheck(L, len >= 1 && len <= 64, 2, "1 to 64 digits");
    sim_hex(script_of(L)->sim, purpose, out, (size_t)len);
    lua_pushlstring(L, out, (size_t)len);
    return 1;
}

static int setup(lua_State *L)
{
    static const luaL_Reg functions[] = {{"http", script_http},       {"program", script_program},
                                         {"cluster", script_cluster}, {"now", script_now},
                                         {"hex", script_hex},         {NULL, NULL}};

    sim_value_open(L);
    lua_getglobal(L, "sandbox");
    luaL_setfuncs(L, functions, 0);
    return 0;
}

/* ---- state ---- */

/* sandbox.state: what was kept wins over what the script's own lines set. */
static int state_push(lua_State *L)
{
    struct sim_script *script = script_of(L);

    lua_getglobal(L, "sandbox");
    if (lua_getfield(L, -1, "state") != LUA_TTABLE)
        return luaL_error(L, "sandbox.state is no longer a table");
    DOC_EACH(member, script->state)
    {
        sim_value_push(L, member.value);
        lua_setfield(L, -2, member.key);
    }
    return 0;
}

static int lua_failed(struct sim_script *script, struct err *err)
{
    const char *text = lua_tostring(script->L, -1);

    err_set(err, ERR_USAGE, "%s", text ? text : "a script of the sandbox failed without a text");
    lua_pop(script->L, 1);
    return -1;
}

/* Calls what is on the stack, with the limits. */
int sim_script_call(struct sim_script *script, int arguments, struct err *err)
{
    int status;

    lua_sethook(script->L, too_long, LUA_MASKCOUNT, STEPS_MAX);
    status = lua_pcall(script->L, arguments, 0, 0);
    lua_sethook(script->L, NULL, 0, 0);
    return status == LUA_OK ? 0 : lua_failed(script, err);
}

static int state_read(lua_State *L)
{
    struct sim_script *script = script_of(L);
    const char *why;

    lua_getglobal(L, "sandbox");
    lua_getfield(L, -1, "state");
    if (!lua_istable(L, -1))
        return luaL_error(L, "sandbox.state is no longer a table");
    script->read = sim_value_doc(L, -1, &why);
    if (script->read && doc_is(script->read, DOC_ARRAY))
        why = "a list";
    if (why)
        return luaL_error(L, "sandbox.state must be plain data with names: it is or holds %s", why);
    return 0;
}

/* Logs the state if it changed. */
int sim_script_save(struct sim_script *script, struct err *err)
{
    struct doc *effect;
    int result;

    lua_pushcfunction(script->L, state_read);
    result = sim_script_call(script, 0, err);
    if (result == 0 && !doc_equal(script->read, script->state)) {
        doc_unref(script->state);
        script->state = doc_ref(script->read);
        effect = doc_object();
        doc_set_text(effect, "of", "script");
        doc_set(effect, "state", doc_ref(script->state));
        sim_log(script->sim, effect);
    }
    doc_unref(script->read);
    script->read = NULL;
    return result;
}

static int script_start(struct sim_script *script, struct err *err)
{
    if (script->L)
        return 0;
    script->L = lua_newstate(limited_alloc, script);
    if (!script->L)
        return err_set(err, ERR_INTERNAL, "no Lua state for the sandbox's scripts");
    *(struct sim_script **)lua_getextraspace(script->L) = script;
    lua_pushcfunction(script->L, setup);
    if (sim_script_call(script, 0, err))
        return -1;
    lua_pushcfunction(script->L, state_push);
    return sim_script_call(script, 0, err);
}

/* Runs the chunk on the stack, with what it adds. */
static int chunk_run(struct sim_script *script, struct err *err)
{
    int result;

    script->loading = true;
    result = sim_script_call(script, 0, err);
    script->loading = false;
    if (result)
        return -1;
    lua_pushcfunction(script->L, state_push);
    return sim_script_call(script, 0, err) || sim_script_save(script, err) ? -1 : 0;
}

int sim_script_load(struct sim_script *script, const char *name, struct view text, struct err *err)
{
    char *chunk;
    int status;

    if (script_start(script, err))
        return -1;
    chunk = mem_printf("@%s", name);
    status = luaL_loadbufferx(script->L, text.ptr ? text.ptr : "", text.len, chunk, "t");
    free(chunk);
    if (status != LUA_OK)
        return lua_failed(script, err);
    if (chunk_run(script, err))
        return -1;
    sim_store_flush(script->sim->store);
    return 0;
}

/* ---- the server ---- */

static void script_replay(struct sim_server *server, const struct doc *effect)
{
    struct sim_script *script = (struct sim_script *)(void *)server;

    doc_unref(script->state);
    script->state = doc_ref(doc_get(effect, "state"));
}

static void script_snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    struct sim_script *script = (struct sim_script *)(void *)server;
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "script");
    doc_set(effect, "state", doc_ref(script->state));
    put(ctx, effect);
}

static void script_show(struct sim_server *server, bool raw, struct buf *out)
{
    struct sim_script *script = (struct sim_script *)(void *)server;
    const char **keys;
    size_t len = doc_keys_sorted(script->state, &keys);

    (void)raw;
    for (size_t i = 0; i < len; i++) {
        buf_addf(out, "state %s = ", keys[i]);
        json_add(out, doc_get(script->state, keys[i]), JSON_SORTED);
        buf_add_char(out, '\n');
    }
    free(keys);
}

struct sim_script *sim_script_new(struct sim *sim)
{
    struct sim_script *script = mem_alloc(sizeof(*script));

    script->server = (struct sim_server){.name = "script",
                                         .serves = sim_script_serves,
                                         .handle = sim_script_handle,
                                         .replay = script_replay,
                                         .snapshot = script_snapshot,
                                         .show = script_show};
    script->sim = sim;
    script->state = doc_object();
    list_init(&script->pending);
    return script;
}

struct sim_server *sim_script_server(struct sim_script *script)
{
    return &script->server;
}

static void routes_free(struct routes *routes)
{
    for (size_t i = 0; i < routes->len; i++) {
        free(routes->list[i].origin);
        sim_message_clear(&routes->list[i].url);
    }
    free(routes->list);
}

void sim_script_free(struct sim_script *script)
{
    if (!script)
        return;
    sim_script_drop_pending(script);
    if (script->L)
        lua_close(script->L);
    routes_free(&script->hosts);
    routes_free(&script->programs);
    doc_unref(script->state);
    free(script);
}
