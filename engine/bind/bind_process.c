/* dosrun.native.process: one child process, awaited. */
#include "bind/bind.h"

#include "base/secret.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 1024, OUTPUT_MAX = 64 << 20 };

struct process_op {
    struct op op;
    struct process *process;
    struct change_process *change;
    struct buf output, errors;
    int status;
    struct err err;
};

static void process_op_free(struct op *op)
{
    struct process_op *process = (struct process_op *)op;

    buf_free(&process->output);
    buf_free(&process->errors);
    free(process);
}

static void process_op_cancel(struct op *op)
{
    struct process_op *process = (struct process_op *)op;

    if (process->change)
        change_process_cancel(process->change);
    else
        process_cancel(process->process);
}

static int process_op_push(lua_State *L, struct op *op, struct err *err)
{
    const struct process_op *process = (const struct process_op *)op;

    if (process->err.kind) {
        *err = process->err;
        return -1;
    }
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, process->status);
    lua_setfield(L, -2, "status");
    lua_pushlstring(L, buf_text(&process->output), process->output.len);
    lua_setfield(L, -2, "stdout");
    lua_pushlstring(L, buf_text(&process->errors), process->errors.len);
    lua_setfield(L, -2, "stderr");
    return 1;
}

static void process_op_output(void *ctx, int fd, struct view bytes)
{
    struct process_op *process = ctx;

    buf_add_view(fd == 2 ? &process->errors : &process->output, bytes);
}

static void process_op_end(void *ctx, int status, const struct err *err)
{
    struct process_op *process = ctx;

    process->status = status;
    if (err)
        process->err = *err;
    else if (process->output.over || process->errors.over)
        err_set(&process->err, ERR_USAGE, "the process printed more than %d MiB", OUTPUT_MAX >> 20);
    task_ready(&process->op);
}

/* A list of strings in field `name` of the table at 1, with marks revealed; kept in `keep`. */
static size_t read_words(lua_State *L, const char *name, const char **words, struct buf *keep,
                         const struct marks *marks)
{
    size_t count, offsets[ARGS_MAX];
    struct err err = ERR_INIT;

    if (lua_getfield(L, 1, name) != LUA_TTABLE) {
        lua_pop(L, 1);
        words[0] = NULL;
        return 0;
    }
    count = lua_rawlen(L, -1);
    if (count >= ARGS_MAX)
        luaL_error(L, "%s: more than %d words", name, ARGS_MAX - 1);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        const char *text;

        if (lua_rawgeti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "%s[%d] must be a string", name, (int)i + 1);
        text = lua_tolstring(L, -1, &len);
        if (memchr(text, '\0', len))
            luaL_error(L, "%s[%d] holds a NUL byte", name, (int)i + 1);
        offsets[i] = keep->len;
        /* Words are visible to every user of the machine: a secret does not go there. */
        if (marks_find((struct view){text, len}) && strcmp(name, "argv") == 0)
            luaL_error(L, "argv[%d] holds a secret or a value not known yet; hand secrets over by input or env",
                       (int)i + 1);
        if (marks_reveal(marks, (struct view){text, len}, keep, &err) < 0)
            script_raise(L, &err);
        buf_add(keep, "", 1);
        lua_pop(L, 1);
    }
    for (size_t i = 0; i < count; i++)
        words[i] = keep->ptr + offsets[i];
    words[count] = NULL;
    lua_pop(L, 1);
    return count;
}

/* run { argv, reads, input?, env? = { "NAME=value" }, cwd?, timeout_ms? } -> { status, stdout, stderr } */
static int process_run_lua(lua_State *L)
{
    static const struct process_fns fns = {.output = process_op_output, .end = process_op_end};
    struct bind *bind = bind_of(L);
    struct change *change = bind_change_of(L);
    const char *argv[ARGS_MAX + 1], *env[ARGS_MAX + 1];
    struct process_request request = {.argv = argv, .env = env};
    struct process_op *process;
    struct buf *keep;
    struct err err = ERR_INIT;
    bool reads;

    luaL_checktype(L, 1, LUA_TTABLE);
    task_check_wait(L);
    lua_getfield(L, 1, "reads");
    reads = lua_toboolean(L, -1);
    keep = lua_newuserdatauv(L, sizeof(*keep), 0); /* freed by its metatable, also when something below raises */
    buf_init(keep, OUTPUT_MAX);
    luaL_setmetatable(L, "dosrun.buf");
    if (!read_words(L, "argv", argv, keep, bind->marks))
        return luaL_error(L, "argv is empty");
    keep = lua_newuserdatauv(L, sizeof(*keep), 0);
    buf_init(keep, OUTPUT_MAX);
    luaL_setmetatable(L, "dosrun.buf");
    read_words(L, "env", env, keep, bind->marks);
    request.cwd = bind_field_text(L, 1, "cwd", bind->project);
    if (lua_getfield(L, 1, "input") == LUA_TSTRING) {
        struct view input;

        input.ptr = lua_tolstring(L, -1, &input.len);
        keep = lua_newuserdatauv(L, sizeof(*keep), 0);
        buf_init(keep, OUTPUT_MAX);
        luaL_setmetatable(L, "dosrun.buf");
        if (marks_reveal(bind->marks, input, keep, &err) < 0)
            return script_raise(L, &err);
        request.input = buf_view(keep);
    }
    if (lua_getfield(L, 1, "timeout_ms") == LUA_TNUMBER)
        request.timeout_ms = lua_tointeger(L, -1);
    if (!reads && (!change || !change_acting(change))) {
        err_set(&err, ERR_USAGE,
                "running %s may change something, outside of a verb's act; wrap it in dosrun.verb, or say reads = true",
                argv[0]);
        err_explain(&err, "S401");
        return script_raise(L, &err);
    }
    process = mem_alloc(sizeof(*process));
    process->op = (struct op){.push = process_op_push, .cancel = process_op_cancel, .free = process_op_free};
    process->err = ERR_INIT;
    buf_init(&process->output, OUTPUT_MAX);
    buf_init(&process->errors, OUTPUT_MAX);
    if (reads) {
        request.attempt = request.logical = world_attempt(bind->world);
        process->process = process_start(bind->world, &request, &fns, process);
    } else {
        process->change = change_process_start(change, &request, &fns, process);
    }
    return task_wait(L, &process->op);
}

static int keep_free(lua_State *L)
{
    struct buf *keep = luaL_checkudata(L, 1, "dosrun.buf");

    if (keep->ptr)
        secret_wipe(keep->ptr, keep->cap);
    buf_free(keep);
    return 0;
}

int bind_process_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"run", process_run_lua}, {NULL, NULL}};

    luaL_newmetatable(L, "dosrun.buf");
    lua_pushcfunction(L, keep_free);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    luaL_newlib(L, functions);
    return 1;
}
