#pragma once
/* What both halves of the disk door share: paths and the errors of system calls. */
#include "world/world.h"

/* "PATH: WHAT: strerror", with the kind that errno means. Always -1. */
int disk_err(struct err *err, int number, const char *path, const char *what);
/* fsync of the folder that holds path, so that its entry survives a power loss. */
int disk_sync_parent(const char *path, struct err *err);

/* The growing file's half of world_disk_ops. */
struct disk_file *disk_file_open(struct world *world, const char *path, uint32_t mode, struct err *err);
int disk_file_append(struct disk_file *file, struct view data, struct err *err);
int disk_file_sync(struct disk_file *file, struct err *err);
int disk_file_reserve(struct disk_file *file, uint64_t size, struct err *err);
int disk_file_truncate(struct disk_file *file, uint64_t size, struct err *err);
int disk_file_lock(struct disk_file *file, struct err *err);
void disk_file_close(struct disk_file *file);
struct disk_file *disk_reader_open(struct world *world, const char *path, struct err *err);
int disk_reader_stat(struct disk_file *file, struct disk_stat *stat, struct err *err);
int disk_reader_read(struct disk_file *file, uint64_t offset, char *out, size_t len, struct err *err);
/* What stat says of a file. */
struct stat;
void disk_stat_fill(const struct stat *from, struct disk_stat *stat);
