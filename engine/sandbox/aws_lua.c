/*
 * The tables of lua/sandbox/aws*.lua, which say what each operation does, and what they may use: `cloud`. A refusal of
 * AWS's is an error value {code, message, status, more}; any other error of a table is our bug, and loud.
 */
#include "sandbox/aws_cloud.h"
#include "sandbox/sandbox.h"
#include "base/checksum.h"
#include "base/digest.h"
#include "codec/json.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

static const char call_name[] = "sandbox.call"; /* in the registry: the call that is served */

static struct cloud *cloud_of(lua_State *lua)
{
    return host_lua_host(lua);
}

/* ---- cloud.* ---- */

/* Do reads of this operation see what faults show? */
static bool call_reads(lua_State *lua)
{
    const struct cloud_call *call;

    lua_getfield(lua, LUA_REGISTRYINDEX, call_name);
    call = lua_touserdata(lua, -1);
    lua_pop(lua, 1);
    return call && (aws_operation_flags(call->operation) & AWS_OPERATION_READS);
}

static int push_thing(lua_State *lua, bool seen)
{
    struct cloud *cloud = cloud_of(lua);
    const char *kind = luaL_checkstring(lua, 1), *key = luaL_checkstring(lua, 2);
    const struct thing *thing = things_find(cloud, kind, key);
    const struct doc *doc = thing ? thing->doc : NULL;

    host_lua_push(lua, seen ? fault_seen(cloud, kind, key, doc) : doc, true);
    return 1;
}

/* cloud.get(kind, key) -> the thing; an operation that only reads may see it late */
static int get_fn(lua_State *lua)
{
    return push_thing(lua, call_reads(lua));
}

/* cloud.see(kind, key) -> the thing as others than its own service see it */
static int see_fn(lua_State *lua)
{
    return push_thing(lua, true);
}

/* cloud.put(kind, key, thing) */
static int put_fn(lua_State *lua)
{
    const char *kind = luaL_checkstring(lua, 1), *key = luaL_checkstring(lua, 2);

    luaL_checkany(lua, 3);
    things_put(cloud_of(lua), kind, key, host_lua_take(lua, 3));
    return 0;
}

/* cloud.remove(kind, key) */
static int remove_fn(lua_State *lua)
{
    things_put(cloud_of(lua), luaL_checkstring(lua, 1), luaL_checkstring(lua, 2), NULL);
    return 0;
}

/* cloud.list(kind, prefix of keys or nil) -> things in the order of their keys */
static int list_fn(lua_State *lua)
{
    struct cloud *cloud = cloud_of(lua);
    const char *kind = luaL_checkstring(lua, 1), *prefix = luaL_optstring(lua, 2, "");
    bool reads = call_reads(lua);
    struct doc *list = doc_array();

    for (size_t i = things_index(cloud, kind, prefix);
         i < cloud->things_len && strcmp(cloud->things[i].kind, kind) == 0 &&
         strncmp(cloud->things[i].key, prefix, strlen(prefix)) == 0;
         i++) {
        const struct thing *thing = &cloud->things[i];
        const struct doc *doc = reads ? fault_seen(cloud, kind, thing->key, thing->doc) : thing->doc;

        if (doc)
            doc_push(list, doc_ref(doc));
    }
    if (reads)
        fault_ghosts_add(cloud, kind, prefix, list);
    lua_createtable(lua, (int)doc_size(list), 0);
    for (size_t i = 0; i < doc_size(list); i++) {
        host_lua_push(lua, doc_at(list, i), true);
        lua_rawseti(lua, -2, (lua_Integer)i + 1);
    }
    doc_unref(list);
    return 1;
}

/* cloud.now() -> seconds since 1970 */
static int now_fn(lua_State *lua)
{
    lua_pushinteger(lua, sim_now_ms(cloud_of(lua)->sim) / 1000);
    return 1;
}

/* cloud.hex(purpose, digits) */
static int hex_fn(lua_State *lua)
{
    char hex[SHA256_HEX + 1];
    lua_Integer len = luaL_checkinteger(lua, 2);

    luaL_argcheck(lua, len > 0 && len <= SHA256_HEX, 2, "too many digits");
    sim_hex(cloud_of(lua)->sim, luaL_checkstring(lua, 1), hex, (size_t)len);
    lua_pushlstring(lua, hex, (size_t)len);
    return 1;
}

/* cloud.json(text) -> the value; nil when it is no JSON */
static int json_fn(lua_State *lua)
{
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    struct err err = ERR_INIT;
    struct doc *doc = json_parse_loose((struct view){text, len}, &err);

    host_lua_push(lua, doc, true);
    doc_unref(doc);
    return 1;
}

/* cloud.time(seconds) -> "2030-01-01T00:00:00Z" */
static int time_fn(lua_State *lua)
{
    double seconds = luaL_checknumber(lua, 1);
    struct buf text;

    buf_init(&text, 64);
    value_time_add(&text, AWS_TIME_ISO8601, seconds);
    lua_pushlstring(lua, buf_text(&text), text.len);
    buf_free(&text);
    return 1;
}

/* cloud.base64(text) -> base64 */
static int base64_fn(lua_State *lua)
{
    size_t len;
    const char *text = luaL_checklstring(lua, 1, &len);
    struct buf out;

    buf_init(&out, 64 << 20);
    base64_add(&out, (struct view){text, len});
    lua_pushlstring(lua, buf_text(&out), out.len);
    buf_free(&out);
    return 1;
}

/* cloud.checksum(algorithm, base64) -> hex, base64, number of bytes */
static int checksum_fn(lua_State *lua)
{
    size_t len;
    const char *name = luaL_checkstring(lua, 1), *text = luaL_checklstring(lua, 2, &len);
    enum checksum_kind kind = checksum_find(view_of(name));
    unsigned char sum[CHECKSUM_SIZE_MAX];
    struct checksum *checksum;
    struct err err = ERR_INIT;
    struct buf bytes, hex, base64;
    size_t size;
    int result;

    luaL_argcheck(lua, kind != CHECKSUM_NONE, 1, "no such checksum");
    buf_init(&bytes, 64 << 20);
    buf_init(&hex, 256);
    buf_init(&base64, 256);
    result = base64_parse(&bytes, (struct view){text, len}, &err);
    checksum = checksum_new(kind);
    checksum_add(checksum, buf_view(&bytes));
    size = checksum_finish(checksum, sum);
    hex_add(&hex, (struct view){(const char *)sum, size});
    base64_add(&base64, (struct view){(const char *)sum, size});
    lua_pushstring(lua, buf_text(&hex));
    lua_pushstring(lua, buf_text(&base64));
    lua_pushinteger(lua, (lua_Integer)bytes.len);
    buf_free(&bytes);
    buf_free(&hex);
    buf_free(&base64);
    return result ? luaL_error(lua, "no base64") : 3;
}

static const luaL_Reg cloud_functions[] = {{"get", get_fn},       {"see", see_fn},           {"put", put_fn},
                                           {"remove", remove_fn}, {"list", list_fn},         {"now", now_fn},
                                           {"hex", hex_fn},       {"json", json_fn},         {"time", time_fn},
                                           {"base64", base64_fn}, {"checksum", checksum_fn}, {NULL, NULL}};

/* ---- calls ---- */

void cloud_lua_open(struct cloud *cloud)
{
    if (cloud->lua)
        return;
    cloud->lua = host_lua_new(cloud);
    luaL_newlib(cloud->lua, cloud_functions);
    lua_pushstring(cloud->lua, sim_account(cloud->sim));
    lua_setfield(cloud->lua, -2, "account");
    lua_setglobal(cloud->lua, "cloud");
}

/* Pushes lua/sandbox/aws.lua's member, nil included, and leaves nothing else. */
static void member_push(struct cloud *cloud, const char *name)
{
    cloud_lua_open(cloud);
    host_lua_require(cloud->lua, "aws");
    lua_getfield(cloud->lua, -1, name);
    lua_remove(cloud->lua, -2);
}

/* The operation's function; false: nothing pushed. */
static bool operation_push(struct cloud *cloud, const char *service, const char *operation)
{
    lua_State *lua;

    member_push(cloud, service);
    lua = cloud->lua;
    if (lua_istable(lua, -1)) {
        lua_getfield(lua, -1, operation);
        lua_remove(lua, -2);
    }
    if (lua_isfunction(lua, -1))
        return true;
    lua_pop(lua, 1);
    return false;
}

bool cloud_lua_has(struct cloud *cloud, const char *service, const char *operation)
{
    if (!operation_push(cloud, service, operation))
        return false;
    lua_pop(cloud->lua, 1);
    return true;
}

static void call_push(lua_State *lua, const struct cloud_call *call)
{
    const char *const members[][2] = {{"account", sim_account(call->cloud->sim)},
                                      {"region", call->region},
                                      {"service", aws_service_name(call->service)},
                                      {"operation", aws_operation_name(call->operation)},
                                      {"arn", call->caller.arn},
                                      {"user_id", call->caller.user_id},
                                      {"request_id", call->request_id}};

    lua_newtable(lua);
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        lua_pushstring(lua, members[i][1]);
        lua_setfield(lua, -2, members[i][0]);
    }
}

/* The error value on the stack becomes the call's refusal. */
static void error_take(struct cloud_call *call)
{
    lua_State *lua = call->cloud->lua;
    struct doc *error = lua_istable(lua, -1) ? host_lua_take(lua, -1) : NULL;
    const char *code = doc_path_text(error, "code", NULL), *message = doc_path_text(error, "message", NULL);

    if (code) {
        call_refuse(call, (int)doc_as_int(doc_get(error, "status"), 0), code, "%s", message ? message : "");
        call->more = doc_ref(doc_get(error, "more"));
    } else {
        call_loud(call, "the simulated %s %s: %s", aws_service_name(call->service), aws_operation_name(call->operation),
                  lua_tostring(lua, -1) ? lua_tostring(lua, -1) : "an error without a text");
    }
    lua_pop(lua, 1);
    doc_unref(error);
}

static void call_note(lua_State *lua, struct cloud_call *call)
{
    if (call)
        lua_pushlightuserdata(lua, call);
    else
        lua_pushnil(lua);
    lua_setfield(lua, LUA_REGISTRYINDEX, call_name);
}

struct doc *cloud_lua_act(struct cloud_call *call)
{
    struct doc *output = NULL;
    lua_State *lua;

    if (!operation_push(call->cloud, aws_service_name(call->service), aws_operation_name(call->operation)))
        return NULL;
    lua = call->cloud->lua;
    call_note(lua, call);
    host_lua_push(lua, call->input, true);
    call_push(lua, call);
    if (lua_pcall(lua, 2, 1, 0) == LUA_OK) {
        output = host_lua_take(lua, -1);
        lua_pop(lua, 1);
        if (!output)
            output = doc_object();
    } else {
        error_take(call);
    }
    call_note(lua, NULL);
    return output;
}

bool cloud_lua_target(struct cloud_call *call, char **kind, char **key)
{
    bool found = false;
    lua_State *lua;

    member_push(call->cloud, "target");
    lua = call->cloud->lua;
    host_lua_push(lua, call->input, true);
    call_push(lua, call);
    host_lua_call(lua, 2, 2);
    if (lua_isstring(lua, -1) && lua_isstring(lua, -2)) {
        *kind = mem_text(lua_tostring(lua, -2));
        *key = mem_text(lua_tostring(lua, -1));
        found = true;
    }
    lua_pop(lua, 2);
    return found;
}

void cloud_lua_do(struct cloud *cloud, const char *name, struct doc *take)
{
    member_push(cloud, name);
    host_lua_push(cloud->lua, take, true);
    doc_unref(take);
    host_lua_call(cloud->lua, 1, 0);
}
