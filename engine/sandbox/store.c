/*
 * The state file. Effects are gathered and leave in one write at the end of each event, before the
 * client can see an answer: a kill between two events loses nothing, one within an event loses an
 * effect that nobody was told of. Nothing is synced; a power loss may cut the tail.
 */
#include "sandbox/core.h"
#include "base/digest.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CRC_DIGITS = 8, STATE_MAX = 160 << 20, GROWN_MIN = 1 << 17, GROWN_TIMES = 3 };

struct sim_store {
    int fd; /* -1: memory only */
    char *path;
    struct buf batch;
    uint64_t size; /* of the file: all of it replayed or written by us */
    uint64_t base; /* size after the last compaction; 0: there was none */
    bool guest;    /* somebody else holds the lock */
    bool dropped;  /* a guest's effects were thrown away */
};

static int make_folders(const char *folder, struct err *err)
{
    char *path = mem_text(folder);

    for (char *slash = path + 1;; slash++) {
        bool last = *slash == '\0';

        if (*slash != '/' && !last)
            continue;
        *slash = '\0';
        if (mkdir(path, 0700) && errno != EEXIST) {
            err_set(err, errno == EACCES || errno == EPERM ? ERR_DENIED : ERR_SERVER, "cannot make the folder %s: %s",
                    path, strerror(errno));
            free(path);
            return -1;
        }
        if (last)
            break;
        *slash = '/';
    }
    free(path);
    return 0;
}

struct sim_store *sim_store_open(const char *folder, struct err *err)
{
    struct sim_store *store = mem_alloc(sizeof(*store));
    struct stat stat;

    buf_init(&store->batch, SIZE_MAX / 2);
    store->fd = -1;
    if (!folder)
        return store;
    if (make_folders(folder, err))
        goto failed;
    store->path = mem_printf("%s/state.jsonl", folder);
    store->fd = open(store->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (store->fd < 0 || fstat(store->fd, &stat)) {
        err_set(err, ERR_SERVER, "cannot open the sandbox's state %s: %s", store->path, strerror(errno));
        goto failed;
    }
    if (stat.st_uid != geteuid()) {
        err_set(err, ERR_DENIED, "the sandbox's state %s belongs to somebody else (uid %u)", store->path,
                (unsigned)stat.st_uid);
        goto failed;
    }
    store->guest = flock(store->fd, LOCK_EX | LOCK_NB) != 0;
    return store;
failed:
    sim_store_free(store);
    return NULL;
}

static int read_file(struct sim_store *store, struct buf *out, struct err *err)
{
    char piece[65536];

    for (;;) {
        ssize_t got = pread(store->fd, piece, sizeof(piece), (off_t)out->len);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, ERR_SERVER, "cannot read %s: %s", store->path, strerror(errno));
        if (got == 0)
            return 0;
        buf_add(out, piece, (size_t)got);
        if (out->over)
            return err_set(err, ERR_INTERNAL, "%s is too large", store->path);
    }
}

/* One line without its end: the effect, or NULL when the line is damaged. */
static struct doc *line_parse(struct view line)
{
    char digits[CRC_DIGITS + 1] = {0};
    struct view text;
    struct err ignored = ERR_INIT;

    if (line.len < CRC_DIGITS + 3 || line.ptr[CRC_DIGITS] != ' ')
        return NULL;
    memcpy(digits, line.ptr, CRC_DIGITS);
    text = (struct view){line.ptr + CRC_DIGITS + 1, line.len - CRC_DIGITS - 1};
    snprintf(digits, sizeof(digits), "%08" PRIx32, digest_crc32c(0, text.ptr, text.len));
    return memcmp(digits, line.ptr, CRC_DIGITS) == 0 ? json_parse(text, &ignored) : NULL;
}

int sim_store_replay(struct sim_store *store, int (*each)(void *ctx, const struct doc *effect, struct err *err),
                     void *ctx, struct err *err)
{
    struct buf file;
    size_t at = 0;
    int number = 0, result = -1;

    if (store->fd < 0)
        return 0;
    buf_init(&file, STATE_MAX);
    if (read_file(store, &file, err))
        goto out;
    while (at < file.len) {
        const char *end = memchr(file.ptr + at, '\n', file.len - at);
        struct doc *effect = end ? line_parse((struct view){file.ptr + at, (size_t)(end - file.ptr) - at}) : NULL;
        int handed;

        number++;
        if (!effect && end && (size_t)(end - file.ptr) + 1 < file.len) {
            err_set(err, ERR_INTERNAL,
                    "the sandbox's state %s is damaged at line %d; `dosrun sandbox reset` starts it anew", store->path,
                    number);
            goto out;
        }
        if (!effect)
            break; /* a torn tail */
        at = (size_t)(end - file.ptr) + 1;
        if (doc_get(effect, "snapshot_ends"))
            store->base = at;
        handed = doc_get(effect, "snapshot_ends") ? 0 : each(ctx, effect, err);
        doc_unref(effect);
        if (handed) {
            err_context(err, "%s:%d", store->path, number);
            goto out;
        }
    }
    if (at < file.len && !store->guest && ftruncate(store->fd, (off_t)at)) {
        err_set(err, ERR_SERVER, "cannot cut the torn end of %s: %s", store->path, strerror(errno));
        goto out;
    }
    store->size = at;
    result = 0;
out:
    buf_free(&file);
    return result;
}

void sim_store_add(struct sim_store *store, const struct doc *effect)
{
    struct buf *batch = &store->batch;
    char digits[CRC_DIGITS + 1];
    size_t start = batch->len;

    if (store->fd < 0)
        return;
    buf_add(batch, "00000000 ", CRC_DIGITS + 1);
    json_add(batch, effect, JSON_COMPACT);
    snprintf(digits, sizeof(digits), "%08" PRIx32,
             digest_crc32c(0, batch->ptr + start + CRC_DIGITS + 1, batch->len - start - CRC_DIGITS - 1));
    memcpy(batch->ptr + start, digits, CRC_DIGITS);
    buf_add_char(batch, '\n');
}

/* A cloud that cannot remember must not answer: like a crash of ours, the journal is whole. */
static void cannot_write(const char *path)
{
    fprintf(stderr, "dosrun: cannot write the sandbox's state %s: %s\n", path, strerror(errno));
    _exit(70);
}

static int write_all(int fd, struct view bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        bytes.ptr += written;
        bytes.len -= (size_t)written;
    }
    return 0;
}

void sim_store_flush(struct sim_store *store)
{
    if (store->batch.len == 0)
        return;
    if (store->guest) {
        store->dropped = true;
    } else {
        if (write_all(store->fd, buf_view(&store->batch))) {
            int reason = errno;

            if (ftruncate(store->fd, (off_t)store->size) == 0)
                errno = reason;
            cannot_write(store->path);
        }
        store->size += store->batch.len;
    }
    buf_reset(&store->batch);
}

int sim_store_claim(struct sim_store *store, struct err *err)
{
    struct stat stat, named;

    if (!store->guest)
        return 0;
    if (flock(store->fd, LOCK_EX | LOCK_NB))
        return err_set(err, ERR_CONFLICT, "another dosrun is using this sandbox (%s)", store->path);
    if (store->dropped || fstat(store->fd, &stat) || lstat(store->path, &named) || stat.st_ino != named.st_ino ||
        (uint64_t)stat.st_size != store->size) {
        flock(store->fd, LOCK_UN);
        return err_set(err, ERR_CONFLICT, "another dosrun changed this sandbox (%s) meanwhile; run again", store->path);
    }
    store->guest = false;
    return 0;
}

bool sim_store_grown(const struct sim_store *store)
{
    return store->fd >= 0 && !store->guest && store->size > GROWN_MIN && store->size > GROWN_TIMES * store->base;
}

void sim_store_compact(struct sim_store *store, void (*fill)(void *ctx), void *ctx)
{
    struct doc *end;
    char *fresh;
    int fd;

    if (store->fd < 0 || store->guest)
        return;
    sim_store_flush(store);
    fill(ctx);
    end = doc_object();
    doc_set_bool(end, "snapshot_ends", true);
    sim_store_add(store, end);
    doc_unref(end);
    fresh = mem_printf("%s.new", store->path);
    fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    /* The new file is locked before it has the name, so that nobody slips in between. */
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) || write_all(fd, buf_view(&store->batch)) || fsync(fd) ||
        rename(fresh, store->path))
        cannot_write(fresh);
    free(fresh);
    close(store->fd);
    store->fd = fd;
    store->size = store->base = store->batch.len;
    buf_reset(&store->batch);
}

void sim_store_free(struct sim_store *store)
{
    if (!store)
        return;
    if (store->fd >= 0)
        close(store->fd);
    buf_free(&store->batch);
    free(store->path);
    free(store);
}

void sim_bytes_set(struct doc *object, const char *key, struct view bytes)
{
    struct doc *text = doc_string(bytes);

    /* doc_string mends what is not UTF-8: equal means that it was. */
    if (view_equal(doc_as_view(text), bytes) && (bytes.len == 0 || !memchr(bytes.ptr, 0, bytes.len))) {
        doc_set(object, key, text);
    } else {
        char *name = mem_printf("%s_base64", key);
        struct buf encoded;

        doc_unref(text);
        buf_init(&encoded, SIZE_MAX / 2);
        base64_add(&encoded, bytes);
        doc_set(object, name, doc_string(buf_view(&encoded)));
        buf_free(&encoded);
        free(name);
    }
}

void sim_bytes_get(const struct doc *object, const char *key, struct buf *out)
{
    char *name = mem_printf("%s_base64", key);
    struct doc *encoded = doc_get(object, name);
    struct err ignored = ERR_INIT;

    if (!encoded)
        buf_add_view(out, doc_as_view(doc_get(object, key)));
    else if (base64_parse(out, doc_as_view(encoded), &ignored))
        buf_reset(out);
    free(name);
}
