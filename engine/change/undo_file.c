/* file.restore {path, state}: the file as it was, when it still is as the run left it. */
#include "change/builtin.h"
#include "change/record.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { CONTENT_MAX = 64 << 20 };

static bool is_utf8(struct view text)
{
    struct doc *doc = doc_string(text); /* invalid bytes are replaced there, so that lengths or bytes differ */
    struct view back = doc_as_view(doc);
    bool same = view_equal(text, back);

    doc_unref(doc);
    return same;
}

struct doc *file_state(struct world *world, const char *path, struct err *err)
{
    struct doc *state = doc_object();
    struct disk_stat stat;
    struct buf content, coded;

    buf_init(&content, CONTENT_MAX);
    buf_init(&coded, 2 * CONTENT_MAX);
    if (disk_stat(world, path, &stat, err) < 0)
        goto fail;
    if (stat.kind == DISK_MISSING) {
        doc_set_bool(state, "missing", true);
        return state;
    }
    if (stat.kind != DISK_FILE) {
        err_set(err, ERR_USAGE, "%s is no ordinary file", path);
        goto fail;
    }
    if (disk_read(world, path, CONTENT_MAX, &content, err) < 0)
        goto fail;
    if (is_utf8(buf_view(&content)) && !memchr(buf_text(&content), '\0', content.len)) {
        doc_set(state, "content", doc_string(buf_view(&content)));
    } else {
        struct doc *wrapped = doc_object();

        base64_add(&coded, buf_view(&content));
        doc_set(wrapped, "base64", doc_string(buf_view(&coded)));
        doc_set(state, "content", wrapped);
    }
    doc_set_int(state, "mode", stat.mode);
    buf_free(&content);
    buf_free(&coded);
    return state;
fail:
    buf_free(&content);
    buf_free(&coded);
    doc_unref(state);
    return NULL;
}

int file_state_put(struct world *world, const char *path, const struct doc *state, struct err *err)
{
    const struct doc *content = doc_get(state, "content");
    uint32_t mode = (uint32_t)doc_as_int(doc_get(state, "mode"), 0644);
    struct disk_stat stat;
    struct buf raw;
    int result;

    if (doc_as_bool(doc_get(state, "missing"), false)) {
        if (disk_stat(world, path, &stat, err) < 0)
            return -1;
        return stat.kind == DISK_MISSING ? 0 : disk_remove(world, path, err);
    }
    if (doc_is(content, DOC_STRING))
        return disk_write(world, path, doc_as_view(content), mode, err);
    buf_init(&raw, CONTENT_MAX);
    result = base64_parse(&raw, doc_as_view(doc_get(content, "base64")), err);
    if (result == 0)
        result = disk_write(world, path, buf_view(&raw), mode, err);
    buf_free(&raw);
    return result;
}

struct file_undo {
    struct changes *changes;
    struct change *owner;
    struct doc *undo, *after; /* after NULL: not known */
    struct disk_file *file;   /* being summed */
    bool plan;
    undo_done_fn *done;
    void *done_ctx;
};

static void file_end(struct file_undo *file, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    undo_done_fn *done = file->done;
    void *done_ctx = file->done_ctx;

    disk_close(file->file);
    doc_unref(file->undo);
    doc_unref(file->after);
    free(file);
    done(done_ctx, outcome, left, err);
}

static void file_act(void *ctx, const struct err *refused)
{
    struct file_undo *file = ctx;
    struct world *world = file->changes->options.world;
    struct err err = ERR_INIT;

    if (refused)
        file_end(file, UNDO_FAILED, NULL, refused);
    else if (file_state_put(world, doc_as_text(doc_get(file->undo, "path"), ""), doc_get(file->undo, "state"), &err) <
             0)
        file_end(file, UNDO_FAILED, NULL, &err);
    else
        file_end(file, UNDO_DONE, NULL, NULL);
}

/* A crash may have left the file half made beside its place; the run made it, so it goes with the run. */
static void leftover_remove(struct world *world, const char *path)
{
    char *neighbour = disk_neighbour(path);
    struct err ignored = ERR_INIT;
    struct disk_stat stat;

    if (disk_stat(world, neighbour, &stat, &ignored) == 0 && stat.kind == DISK_FILE &&
        disk_remove(world, neighbour, &ignored) < 0)
        err_clear(&ignored); /* it does no harm where it is */
    free(neighbour);
}

static void file_go(struct file_undo *file, bool ours)
{
    if (!ours)
        file_end(file, UNDO_FOREIGN, NULL, NULL);
    else if (file->plan)
        file_end(file, UNDO_DONE, NULL, NULL);
    else
        change_local(file->owner, doc_as_text(doc_get(file->undo, "path"), ""), file_act, file);
}

static void file_summed(void *ctx, const struct disk_sums *sums, const struct err *err)
{
    struct file_undo *file = ctx;

    if (err)
        file_end(file, UNDO_FAILED, NULL, err);
    else
        file_go(file, strcmp(sums->sha256, doc_as_text(doc_get(file->after, "sha256"), "")) == 0);
}

/* The run left a file of any size, of which the journal has the digest. */
static void digest_compare(struct file_undo *file, const struct disk_stat *stat)
{
    const char *path = doc_as_text(doc_get(file->undo, "path"), "");
    struct world *world = file->changes->options.world;
    struct err err = ERR_INIT;

    if (stat->size != (uint64_t)doc_as_int(doc_get(file->after, "size"), -1) ||
        stat->mode != (uint32_t)doc_as_int(doc_get(file->after, "mode"), -1))
        file_end(file, UNDO_FOREIGN, NULL, NULL);
    else if (!(file->file = disk_open_read(world, path, &err)))
        file_end(file, UNDO_FAILED, NULL, &err);
    else
        disk_sum_start(world, file->file, path, CHECKSUM_NONE, file_summed, file);
}

static void file_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    struct changes *changes = ctx;
    struct world *world = changes->options.world;
    const char *path = doc_as_text(doc_get(request->undo, "path"), "");
    bool digest = doc_get(request->after, "sha256") != NULL;
    struct err err = ERR_INIT;
    struct disk_stat stat;
    struct doc *now = NULL;
    struct file_undo *file = mem_alloc(sizeof(*file));

    *file = (struct file_undo){.changes = changes,
                               .owner = request->owner,
                               .undo = doc_ref(request->undo),
                               .after = doc_ref((struct doc *)request->after),
                               .plan = request->plan,
                               .done = done,
                               .done_ctx = done_ctx};
    if (!request->after_known && !request->plan)
        leftover_remove(world, path);
    if (disk_stat(world, path, &stat, &err) == 0 && !(digest && stat.kind == DISK_FILE && stat.size > CONTENT_MAX))
        now = file_state(world, path, &err);
    if (err.kind)
        file_end(file, UNDO_FAILED, NULL, &err);
    else if (now && doc_equal(now, doc_get(request->undo, "state")))
        file_end(file, UNDO_ALREADY, NULL, NULL);
    else if (digest && stat.kind == DISK_FILE)
        digest_compare(file, &stat);
    else
        file_go(file, request->after ? doc_equal(now, request->after)
                                     : !request->after_known || doc_as_bool(doc_get(now, "missing"), false));
    doc_unref(now);
}

struct undo_handler undo_file_handler(struct changes *changes)
{
    return (struct undo_handler){.op = "file.restore", .start = file_start, .ctx = changes};
}
