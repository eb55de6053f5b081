/* dosrun.native.file: files of the project. Reading does not wait; putting is an act. */
#include "bind/bind.h"
#include "aws/protocol.h"
#include "base/digest.h"
#include "change/builtin.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

enum { FILE_MAX = 64 << 20 };

/* absolute(path) -> path */
static int file_absolute(lua_State *L)
{
    char *path = bind_path(L, 1);

    lua_pushstring(L, path);
    free(path);
    return 1;
}

/* state(path) -> { missing = true } or { content, mode } */
static int file_state_lua(lua_State *L)
{
    struct err err = ERR_INIT;
    char *path = bind_path(L, 1);
    struct doc *state = file_state(bind_of(L)->world, path, &err);

    free(path);
    if (!state)
        return script_raise(L, &err);
    script_push_doc(L, state);
    doc_unref(state);
    return 1;
}

/* read(path) -> text, or nil when there is no such file */
static int file_read_lua(lua_State *L)
{
    struct bind *bind = bind_of(L);
    struct disk_stat stat;
    struct err err = ERR_INIT;
    struct buf text;
    char *path = bind_path(L, 1);
    int result;

    buf_init(&text, FILE_MAX);
    result = disk_stat(bind->world, path, &stat, &err);
    if (result == 0 && stat.kind != DISK_MISSING)
        result = disk_read(bind->world, path, FILE_MAX, &text, &err);
    free(path);
    if (result < 0) {
        buf_free(&text);
        return script_raise(L, &err);
    }
    if (stat.kind == DISK_MISSING)
        lua_pushnil(L);
    else
        lua_pushlstring(L, buf_text(&text), text.len);
    buf_free(&text);
    return 1;
}

static bool list_add(void *ctx, const char *name, enum disk_kind kind)
{
    (void)kind;
    doc_push(ctx, doc_text(name));
    return true;
}

/* list(path) -> names, sorted; nil when there is no such folder */
static int file_list_lua(lua_State *L)
{
    struct bind *bind = bind_of(L);
    struct disk_stat stat;
    struct err err = ERR_INIT;
    struct doc *names = doc_array();
    char *path = bind_path(L, 1);
    int result = disk_stat(bind->world, path, &stat, &err);

    if (result == 0 && stat.kind == DISK_FOLDER)
        result = disk_list(bind->world, path, list_add, names, &err);
    free(path);
    if (result < 0) {
        doc_unref(names);
        return script_raise(L, &err);
    }
    if (stat.kind == DISK_FOLDER)
        script_push_doc(L, names);
    else
        lua_pushnil(L);
    doc_unref(names);
    return 1;
}

struct put_op {
    struct op op;
    struct world *world;
    char *path;
    struct doc *state; /* NULL: whoever waits writes it */
    struct err err;
    bool admitted;
    bool given_up; /* its task is gone; put_admitted will come all the same, and frees it */
};

static void put_free(struct op *op)
{
    struct put_op *put = (struct put_op *)op;

    if (!put->admitted) {
        put->given_up = true;
        return;
    }
    free(put->path);
    doc_unref(put->state);
    free(put);
}

static void put_cancel(struct op *op)
{
    (void)op; /* put_free leaves it to put_admitted */
}

static int put_push(lua_State *L, struct op *op, struct err *err)
{
    const struct put_op *put = (const struct put_op *)op;

    (void)L;
    if (!put->err.kind)
        return 0;
    *err = put->err;
    return -1;
}

static void put_admitted(void *ctx, const struct err *refused)
{
    struct put_op *put = ctx;

    put->admitted = true;
    if (put->given_up) {
        put_free(&put->op);
        return;
    }
    if (refused)
        put->err = *refused;
    else if (put->state && file_state_put(put->world, put->path, put->state, &put->err) < 0)
        err_context(&put->err, "file");
    task_ready(&put->op);
}

static int put_start(lua_State *L, bool stated)
{
    struct bind *bind = bind_of(L);
    struct change *change = bind_change_of(L);
    struct err err = ERR_INIT;
    struct doc *state = NULL;
    struct put_op *put;
    char *path;

    task_check_wait(L);
    if (!change) {
        err_set(&err, ERR_USAGE, "writing %s would change something outside of a verb; use file.write",
                luaL_checkstring(L, 1));
        err_explain(&err, "S401");
        return script_raise(L, &err);
    }
    path = bind_path(L, 1);
    if (stated && script_to_doc(L, 2, &state, &err) < 0) {
        free(path);
        return script_raise(L, &err);
    }
    put = mem_alloc(sizeof(*put));
    put->op = (struct op){.push = put_push, .cancel = put_cancel, .free = put_free};
    put->world = bind->world;
    put->path = path;
    put->state = state;
    put->err = ERR_INIT;
    change_local(change, path, put_admitted, put);
    return task_wait(L, &put->op);
}

/* put(path, state): waits for the intent to be on disk, then writes whole or not at all */
static int file_put_lua(lua_State *L)
{
    return put_start(L, true);
}

/* admit(path): waits for the intent to be on disk; the caller writes */
static int file_admit_lua(lua_State *L)
{
    return put_start(L, false);
}

/* ---- sums ---- */

struct sums_op {
    struct op op;
    struct disk_file *file;
    struct disk_sum *sum;
    struct disk_stat stat;
    struct disk_sums sums;
    struct err err;
};

static void sums_free(struct op *op)
{
    struct sums_op *sums = (struct sums_op *)op;

    disk_close(sums->file);
    free(sums);
}

static void sums_cancel(struct op *op)
{
    disk_sum_cancel(((struct sums_op *)op)->sum);
}

static int sums_push(lua_State *L, struct op *op, struct err *err)
{
    const struct sums_op *sums = (const struct sums_op *)op;
    struct buf bytes, hex, modified;
    int64_t modified_s = sums->stat.mtime_ms / 1000;
    struct doc *doc;

    if (sums->err.kind) {
        *err = sums->err;
        return -1;
    }
    doc = doc_object();
    doc_set_int(doc, "size", (int64_t)sums->sums.size);
    doc_set_int(doc, "mode", sums->stat.mode);
    doc_set_text(doc, "sha256", sums->sums.sha256);
    doc_set_text(doc, "sum", sums->sums.sum);
    buf_init(&bytes, CHECKSUM_SIZE_MAX);
    buf_init(&hex, 2 * CHECKSUM_SIZE_MAX);
    buf_init(&modified, 64);
    if (base64_parse(&bytes, view_of(sums->sums.sum), err) == 0)
        hex_add(&hex, buf_view(&bytes));
    doc_set_text(doc, "hex", buf_text(&hex));
    aws_time_add(&modified, (double)modified_s, AWS_TIME_DEFAULT);
    doc_set_text(doc, "modified", buf_text(&modified));
    buf_free(&bytes);
    buf_free(&hex);
    buf_free(&modified);
    script_push_doc(L, doc);
    doc_unref(doc);
    return 1;
}

static void sums_end(void *ctx, const struct disk_sums *sums, const struct err *err)
{
    struct sums_op *op = ctx;

    op->sum = NULL;
    if (err)
        op->err = *err;
    else
        op->sums = *sums;
    task_ready(&op->op);
}

/* sums(path, kind) -> { size, mode, modified ("2030-01-01T00:00:00Z"), sha256, sum (base64; of kind, "crc32"), hex (of
   sum) }, or nil when there is no such file; it may have any size */
static int file_sums_lua(lua_State *L)
{
    struct world *world = bind_of(L)->world;
    enum checksum_kind kind = checksum_find(view_of(luaL_optstring(L, 2, "")));
    struct err err = ERR_INIT;
    struct disk_file *file = NULL;
    struct disk_stat stat;
    struct sums_op *op;
    char *path;

    task_check_wait(L);
    path = bind_path(L, 1);
    if (disk_stat(world, path, &stat, &err) == 0 && stat.kind != DISK_MISSING)
        file = disk_open_read(world, path, &err);
    if (!file) {
        free(path);
        lua_pushnil(L);
        return err.kind ? script_raise(L, &err) : 1;
    }
    op = mem_alloc(sizeof(*op));
    *op =
        (struct sums_op){{.push = sums_push, .cancel = sums_cancel, .free = sums_free}, .file = file, .err = ERR_INIT};
    op->stat = stat;
    op->sum = disk_sum_start(world, file, path, kind, sums_end, op);
    free(path);
    return task_wait(L, &op->op);
}

int bind_file_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"absolute", file_absolute}, {"state", file_state_lua}, {"read", file_read_lua}, {"list", file_list_lua},
        {"put", file_put_lua},       {"admit", file_admit_lua}, {"sums", file_sums_lua}, {NULL, NULL},
    };

    luaL_newlib(L, functions);
    return 1;
}
