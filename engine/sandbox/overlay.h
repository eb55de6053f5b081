#pragma once
/* What a sandbox run wrote over the project's files: entries by path below the root, sorted. */
#include "base/buf.h"
#include "world/world.h"

struct overlay_entry {
    char *path;          /* below the root, without a leading "/" */
    enum disk_kind kind; /* DISK_MISSING: removed, although the project has it */
    uint32_t mode;
    int64_t mtime_ms;
    struct buf data;
};

struct overlay {
    struct overlay_entry **list;
    size_t len;
};

struct overlay_entry *overlay_find(const struct overlay *overlay, const char *path);
/* The entry for path, a new one if need be; its data emptied. */
struct overlay_entry *overlay_put(struct overlay *overlay, const char *path, enum disk_kind kind, uint32_t mode,
                                  int64_t mtime_ms);
void overlay_drop(struct overlay *overlay, const char *path); /* the project's own file shows again */
/* Some folder above path was removed or is a file here. */
bool overlay_hides(const struct overlay *overlay, const char *path);
/* The name of entry inside folder ("" is the root) when it is directly in it, else NULL. */
const char *overlay_child(const struct overlay_entry *entry, const char *folder);
void overlay_clear(struct overlay *overlay);
