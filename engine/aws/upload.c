/*
 * A file as a request's body. It is asked for from its start to its end, for each attempt anew; framed in chunks, which
 * only know their place in the file by counting, or as it is.
 */
#include "aws/stream.h"

#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 1 << 20, LINE_MAX_LEN = 192 };

struct aws_upload {
    struct world *world;
    char *path;
    struct disk_file *file;
    struct disk_stat stat; /* as it was opened */
    struct exchange_source source;

    /* Of the attempt that goes on, when it is framed. */
    enum checksum_kind kind;
    struct checksum *checksum;
    uint64_t at;         /* in what is sent */
    uint64_t file_at;    /* in the file */
    uint64_t chunk_left; /* bytes of the file until the next line */
    char line[LINE_MAX_LEN];
    size_t line_len, line_at;
};

struct aws_upload *aws_upload_open(struct world *world, const char *path, struct err *err)
{
    struct disk_file *file = disk_open_read(world, path, err);
    struct disk_stat stat;
    struct aws_upload *upload;

    if (!file || disk_file_stat(file, &stat, err) != 0) {
        disk_close(file);
        err->kind = ERR_USAGE; /* of whoever named it */
        err_explain(err, "A101");
        return NULL;
    }
    upload = mem_alloc(sizeof(*upload));
    *upload = (struct aws_upload){.world = world, .path = mem_text(path), .file = file, .stat = stat};
    return upload;
}

void aws_upload_close(struct aws_upload *upload)
{
    if (!upload)
        return;
    checksum_free(upload->checksum);
    disk_close(upload->file);
    free(upload->path);
    free(upload);
}

static int file_read(struct aws_upload *upload, uint64_t offset, char *out, size_t len, struct err *err)
{
    struct disk_stat now;

    if (disk_file_stat(upload->file, &now, err) != 0)
        return -1;
    if (now.size != upload->stat.size || now.mtime_ms != upload->stat.mtime_ms)
        return err_set(err, ERR_CONFLICT,
                       "%s: it changed while it was sent (it had %" PRIu64 " bytes, now %" PRIu64 ")", upload->path,
                       upload->stat.size, now.size);
    return disk_read_at(upload->file, offset, out, len, err);
}

struct disk_sum *aws_upload_sum(struct aws_upload *upload, enum checksum_kind kind, disk_sum_fn *fn, void *ctx)
{
    return disk_sum_start(upload->world, upload->file, upload->path, kind, fn, ctx);
}

static int plain_read(void *ctx, uint64_t offset, char *out, size_t len, struct err *err)
{
    return file_read(ctx, offset, out, len, err);
}

const struct exchange_source *aws_upload_plain(struct aws_upload *upload)
{
    upload->source = (struct exchange_source){upload->stat.size, plain_read, upload};
    return &upload->source;
}

/* ---- chunks ---- */

static uint64_t framed_chunk(uint64_t size)
{
    return size ? (uint64_t)snprintf(NULL, 0, "%" PRIx64, size) + 4 + size : 0;
}

/* "0", the trailer, an empty line. */
static int last_line(char line[LINE_MAX_LEN], enum checksum_kind kind, const char *sum)
{
    return snprintf(line, LINE_MAX_LEN, "0\r\nx-amz-checksum-%s:%s\r\n\r\n", checksum_name(kind), sum);
}

static void sum_text(struct checksum *checksum, char out[2 * CHECKSUM_SIZE_MAX])
{
    unsigned char sum[CHECKSUM_SIZE_MAX];
    struct buf text;

    buf_init(&text, 2 * CHECKSUM_SIZE_MAX - 1);
    base64_add(&text, (struct view){(const char *)sum, checksum_finish(checksum, sum)});
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    buf_free(&text);
}

static uint64_t framed_size(const struct aws_upload *upload)
{
    uint64_t size = upload->stat.size;
    char sum[2 * CHECKSUM_SIZE_MAX], line[LINE_MAX_LEN];

    sum_text(checksum_new(upload->kind), sum); /* as long as any */
    return size / CHUNK_SIZE * framed_chunk(CHUNK_SIZE) + framed_chunk(size % CHUNK_SIZE) +
           (uint64_t)last_line(line, upload->kind, sum);
}

/* The line before the next chunk, with the end of the one before; behind the last one the trailer. */
static void line_next(struct aws_upload *upload)
{
    uint64_t left = upload->stat.size - upload->file_at;
    const char *end = upload->file_at ? "\r\n" : "";
    char sum[2 * CHECKSUM_SIZE_MAX];
    int len;

    upload->chunk_left = left < CHUNK_SIZE ? left : CHUNK_SIZE;
    if (left) {
        len = snprintf(upload->line, sizeof(upload->line), "%s%" PRIx64 "\r\n", end, upload->chunk_left);
    } else {
        sum_text(upload->checksum, sum);
        upload->checksum = NULL;
        len = snprintf(upload->line, sizeof(upload->line), "%s", end);
        len += last_line(upload->line + len, upload->kind, sum);
    }
    upload->line_len = (size_t)len;
    upload->line_at = 0;
}

static void framed_restart(struct aws_upload *upload)
{
    checksum_free(upload->checksum);
    upload->checksum = checksum_new(upload->kind);
    upload->at = upload->file_at = 0;
    line_next(upload);
}

static int framed_read(void *ctx, uint64_t offset, char *out, size_t len, struct err *err)
{
    struct aws_upload *upload = ctx;

    if (offset == 0)
        framed_restart(upload);
    if (offset != upload->at)
        return err_set(err, ERR_INTERNAL, "%s: it is sent from its start only", upload->path);
    upload->at += len;
    while (len) {
        size_t piece = upload->line_len - upload->line_at;

        if (piece) {
            piece = piece < len ? piece : len;
            memcpy(out, upload->line + upload->line_at, piece);
            upload->line_at += piece;
        } else {
            piece = upload->chunk_left < len ? (size_t)upload->chunk_left : len;
            if (file_read(upload, upload->file_at, out, piece, err) != 0)
                return -1;
            checksum_add(upload->checksum, (struct view){out, piece});
            upload->file_at += piece;
            upload->chunk_left -= piece;
            if (!upload->chunk_left)
                line_next(upload);
        }
        out += piece;
        len -= piece;
    }
    return 0;
}

const struct exchange_source *aws_upload_chunked(struct aws_upload *upload, enum checksum_kind kind,
                                                 struct aws_headers *headers)
{
    const char *encoding = aws_headers_get(headers, "content-encoding");
    char *all = encoding ? mem_printf("%s,aws-chunked", encoding) : mem_text("aws-chunked");
    char text[64];

    aws_headers_set(headers, "content-encoding", view_of(all));
    free(all);
    snprintf(text, sizeof(text), "x-amz-checksum-%s", checksum_name(kind));
    aws_headers_set(headers, "x-amz-trailer", view_of(text));
    snprintf(text, sizeof(text), "%" PRIu64, upload->stat.size);
    aws_headers_set(headers, "x-amz-decoded-content-length", view_of(text));
    upload->kind = kind;
    upload->source = (struct exchange_source){framed_size(upload), framed_read, upload};
    return &upload->source;
}
