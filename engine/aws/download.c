/* An answer's payload into a file: beside its place until all of it is there and is what the service says it is. */
#include "aws/stream.h"

#include <stdlib.h>
#include <string.h>

enum { NEW_MODE = 0644 };

struct aws_download {
    struct world *world;
    struct aws_operation operation;
    char *path, *neighbour;
    bool checked;
    struct http_sink sink;
    struct disk_file *file; /* NULL: nothing came yet, or it is finished */
    struct aws_expected expected;
    struct checksum *checksum; /* NULL: the answer brings none */
};

/* A file that is replaced keeps who may read it. */
static int place_look(const struct aws_download *download, uint32_t *mode, struct err *err)
{
    struct disk_stat stat;

    if (disk_stat(download->world, download->path, &stat, err) != 0)
        return -1;
    *mode = stat.kind == DISK_FILE ? stat.mode : NEW_MODE;
    if (stat.kind == DISK_FILE || stat.kind == DISK_MISSING)
        return 0;
    return err_set(err, ERR_USAGE, "%s: not an ordinary file", download->path);
}

/* What a crash left there goes first: it may have another mode. */
static int neighbour_open(struct aws_download *download, struct err *err)
{
    struct disk_stat stat;
    uint32_t mode;
    int locked;

    if (place_look(download, &mode, err) != 0 || disk_stat(download->world, download->neighbour, &stat, err) != 0)
        return -1;
    download->file = disk_open(download->world, download->neighbour, stat.kind == DISK_MISSING ? mode : 0600, err);
    if (!download->file)
        return -1;
    locked = disk_lock(download->file, err);
    if (locked == 0 && stat.kind != DISK_MISSING && stat.mode != mode) {
        disk_close(download->file);
        download->file = NULL;
        if (disk_remove(download->world, download->neighbour, err) != 0)
            return -1;
        return neighbour_open(download, err);
    }
    if (locked == 0)
        return 0;
    disk_close(download->file);
    download->file = NULL;
    return locked < 0 ? -1 : err_set(err, ERR_CONFLICT, "%s: somebody else is writing it", download->path);
}

static int download_begin(void *ctx, const struct http_answer *head, struct err *err)
{
    struct aws_download *download = ctx;
    struct aws_answer seen = {head->status, head->headers, head->headers_len, {0}};

    if (!download->file && neighbour_open(download, err) != 0)
        return -1;
    checksum_free(download->checksum);
    download->checksum = NULL;
    if (download->checked && aws_checksum_expected(download->operation, &seen, &download->expected))
        download->checksum = checksum_new(download->expected.kind);
    return disk_truncate(download->file, 0, err);
}

static int download_add(void *ctx, struct view bytes, struct err *err)
{
    struct aws_download *download = ctx;

    if (download->checksum)
        checksum_add(download->checksum, bytes);
    return disk_append(download->file, bytes, err);
}

struct aws_download *aws_download_new(struct world *world, struct aws_operation operation, const char *path,
                                      bool checked)
{
    struct aws_download *download = mem_alloc(sizeof(*download));

    *download = (struct aws_download){.world = world,
                                      .operation = operation,
                                      .path = mem_text(path),
                                      .neighbour = disk_neighbour(path),
                                      .checked = checked,
                                      .sink = {download_begin, download_add, download}};
    return download;
}

const struct http_sink *aws_download_sink(struct aws_download *download)
{
    return &download->sink;
}

int aws_download_finish(struct aws_download *download, struct err *err)
{
    struct checksum *checksum = download->checksum;

    download->checksum = NULL;
    if (checksum && aws_checksum_judge(&download->expected, checksum, err) != 0)
        return -1;
    if (disk_sync(download->file, err) != 0 ||
        disk_rename(download->world, download->neighbour, download->path, err) != 0)
        return -1;
    disk_close(download->file);
    download->file = NULL;
    return 0;
}

void aws_download_free(struct aws_download *download)
{
    struct err ignored = ERR_INIT;

    if (!download)
        return;
    if (download->file && disk_remove(download->world, download->neighbour, &ignored) != 0)
        err_clear(&ignored); /* whoever writes this file next takes it over */
    disk_close(download->file);
    checksum_free(download->checksum);
    free(download->path);
    free(download->neighbour);
    free(download);
}
