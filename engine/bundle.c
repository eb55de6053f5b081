/*
 * What a run takes along before its first step: the project's lib/ and manifests/, so that it can be
 * resumed after they were edited or deleted, also where it had not come to read them. Large trees are
 * taken as far as BUNDLE_MAX goes; the rest enters the bundle when it is read.
 */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>

enum { BUNDLE_MAX = 4 << 20, FILE_MAX = 1 << 20, DEPTH_MAX = 8 };

struct gather {
    struct dosrun *dosrun;
    const char *folder; /* relative to the project */
    int depth;
    size_t *taken;
};

static void gather_folder(struct dosrun *dosrun, const char *folder, int depth, size_t *taken);

static void gather_file(struct gather *gather, const char *path)
{
    char *absolute = mem_printf("%s/%s", gather->dosrun->project, path);
    struct err unread = ERR_INIT;
    struct disk_stat stat;
    struct buf text;

    buf_init(&text, FILE_MAX);
    if (disk_stat(gather->dosrun->world, absolute, &stat, &unread) == 0 && stat.size <= FILE_MAX &&
        *gather->taken + stat.size <= BUNDLE_MAX &&
        gather->dosrun->bind.read(gather->dosrun, path, &text, &unread) == 0)
        *gather->taken += text.len;
    buf_free(&text);
    free(absolute);
}

static bool gather_entry(void *ctx, const char *name, enum disk_kind kind)
{
    struct gather *gather = ctx;
    char *path = mem_printf("%s/%s", gather->folder, name);

    if (kind == DISK_FILE && name[0] != '.')
        gather_file(gather, path);
    else if (kind == DISK_FOLDER && name[0] != '.' && gather->depth < DEPTH_MAX)
        gather_folder(gather->dosrun, path, gather->depth + 1, gather->taken);
    free(path);
    return *gather->taken < BUNDLE_MAX;
}

static void gather_folder(struct dosrun *dosrun, const char *folder, int depth, size_t *taken)
{
    struct gather gather = {.dosrun = dosrun, .folder = folder, .depth = depth, .taken = taken};
    char *absolute = mem_printf("%s/%s", dosrun->project, folder);
    struct err missing = ERR_INIT;
    struct disk_stat stat;

    /* What cannot be read now is an error where a step reads it. */
    if (disk_stat(dosrun->world, absolute, &stat, &missing) < 0 || stat.kind != DISK_FOLDER ||
        disk_list(dosrun->world, absolute, gather_entry, &gather, &missing) < 0)
        err_clear(&missing);
    free(absolute);
}

void bundle_gather(struct dosrun *dosrun)
{
    size_t taken = 0;

    gather_folder(dosrun, "lib", 0, &taken);
    gather_folder(dosrun, "manifests", 0, &taken);
}
