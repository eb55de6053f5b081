/* The sums of a file, whatever its size: some megabytes a turn of the loop. */
#include "world/world.h"

#include "base/digest.h"

#include <stdlib.h>
#include <string.h>

enum { PIECE_MAX = 1 << 20, PIECES_MAX = 8 }; /* of one turn: some hundredths of a second */

struct disk_sum {
    struct world *world;
    struct disk_file *file;
    char *path;
    struct disk_stat stat; /* as it was at the start */
    uint64_t at;
    struct digest *sha256;
    struct checksum *other; /* NULL: none was asked for */
    disk_sum_fn *fn;
    void *ctx;
    struct timer *timer;
    struct err err;
};

static void sum_free(struct disk_sum *sum)
{
    unsigned char ignored[SHA256_SIZE];

    if (sum->sha256)
        digest_finish(sum->sha256, ignored);
    checksum_free(sum->other);
    free(sum->path);
    free(sum);
}

static void sum_end(struct disk_sum *sum)
{
    struct disk_sums sums = {.size = sum->at};
    unsigned char digest[CHECKSUM_SIZE_MAX];
    struct buf text;

    if (sum->err.kind) {
        sum->fn(sum->ctx, NULL, &sum->err);
        sum_free(sum);
        return;
    }
    digest_finish(sum->sha256, digest);
    sum->sha256 = NULL;
    digest_hex(digest, sums.sha256);
    if (sum->other) {
        buf_init(&text, sizeof(sums.sum) - 1);
        base64_add(&text, (struct view){(const char *)digest, checksum_finish(sum->other, digest)});
        sum->other = NULL;
        memcpy(sums.sum, text.ptr, text.len);
        buf_free(&text);
    }
    sum->fn(sum->ctx, &sums, NULL);
    sum_free(sum);
}

static int piece_add(struct disk_sum *sum, char *piece)
{
    uint64_t left = sum->stat.size - sum->at;
    struct view bytes = {piece, left < PIECE_MAX ? (size_t)left : PIECE_MAX};

    if (disk_read_at(sum->file, sum->at, piece, bytes.len, &sum->err) != 0)
        return -1;
    digest_add(sum->sha256, bytes);
    if (sum->other)
        checksum_add(sum->other, bytes);
    sum->at += bytes.len;
    return 0;
}

static void sum_go(void *ctx)
{
    struct disk_sum *sum = ctx;
    char *piece = mem_alloc(PIECE_MAX);
    struct disk_stat now;
    int result = sum->err.kind ? -1 : 0;

    sum->timer = NULL;
    for (int i = 0; i < PIECES_MAX && result == 0 && sum->at < sum->stat.size; i++)
        result = piece_add(sum, piece);
    free(piece);
    if (result == 0 && sum->at < sum->stat.size) {
        sum->timer = timer_start(sum->world, 0, sum_go, sum);
        return;
    }
    if (result == 0 && disk_file_stat(sum->file, &now, &sum->err) == 0 &&
        (now.size != sum->stat.size || now.mtime_ms != sum->stat.mtime_ms))
        err_set(&sum->err, ERR_CONFLICT, "%s: it changed while it was read", sum->path);
    sum_end(sum);
}

struct disk_sum *disk_sum_start(struct world *world, struct disk_file *file, const char *path, enum checksum_kind kind,
                                disk_sum_fn *fn, void *ctx)
{
    struct disk_sum *sum = mem_alloc(sizeof(*sum));

    *sum = (struct disk_sum){.world = world,
                             .file = file,
                             .path = mem_text(path),
                             .sha256 = digest_new(),
                             .other = kind == CHECKSUM_NONE ? NULL : checksum_new(kind),
                             .fn = fn,
                             .ctx = ctx,
                             .err = ERR_INIT};
    if (disk_file_stat(file, &sum->stat, &sum->err) != 0)
        sum->stat.size = 0; /* told in the first turn */
    sum->timer = timer_start(world, 0, sum_go, sum);
    return sum;
}

void disk_sum_cancel(struct disk_sum *sum)
{
    if (!sum)
        return;
    timer_stop(sum->timer);
    sum_free(sum);
}
