/* Files held open: the state folder's are the real ones, the project's live in the overlay. */
#include "sandbox/disk_parts.h"

#include <stdlib.h>
#include <string.h>

struct sim_file {
    struct disk_file door; /* first */
    struct disk_file *real;
    char *below;        /* a file of the overlay, when real is NULL */
    struct buf content; /* of one that is read: as it was when it was opened */
};

static int overlay_open(struct sim_disk *disk, const struct where *where, uint32_t mode, struct err *err)
{
    struct disk_stat stat;

    if (sim_project_stat(disk, where, &stat, err))
        return -1;
    if (stat.kind == DISK_MISSING)
        return sim_project_write(disk, where, VIEW_LITERAL(""), mode, err);
    return stat.kind == DISK_FILE ? 0 : err_set(err, ERR_USAGE, "%s: not an ordinary file", where->absolute);
}

struct disk_file *sim_file_open(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    struct sim_file *file = mem_alloc(sizeof(*file));
    bool opened;

    file->door.world = world;
    if (where.place == PLACE_STATE) {
        file->real = world_disk_ops.open(world, path, mode, err);
        opened = file->real != NULL;
    } else {
        opened = sim_disk_may_change(disk, &where, path, err) == 0 && overlay_open(disk, &where, mode, err) == 0;
        file->below = opened ? mem_text(where.below) : NULL;
    }
    free(where.absolute);
    if (opened)
        return &file->door;
    free(file);
    return NULL;
}

/* Its bytes as they are now, cut or lengthened: written anew, for these files are small and rare. */
static int overlay_change(struct sim_file *file, uint64_t keep, struct view more, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(file->door.world);
    char *absolute = mem_printf("%s/%s", disk->project_root, file->below);
    struct where where = {PLACE_PROJECT, absolute, file->below};
    struct disk_stat stat;
    struct buf data;
    int result = -1;

    buf_init(&data, SIZE_MAX / 2);
    if (sim_project_stat(disk, &where, &stat, err) || sim_project_read(disk, &where, SIZE_MAX, &data, err))
        goto out;
    while (data.len < keep && keep != UINT64_MAX)
        buf_add_char(&data, '\0');
    if (data.len > keep)
        data.len = (size_t)keep;
    buf_add_view(&data, more);
    result = sim_project_write(disk, &where, buf_view(&data), stat.mode, err);
out:
    buf_free(&data);
    free(absolute);
    return result;
}

static struct sim_file *file_of(struct disk_file *door)
{
    return (struct sim_file *)(void *)door;
}

int sim_file_append(struct disk_file *door, struct view data, struct err *err)
{
    struct sim_file *file = file_of(door);

    return file->real ? world_disk_ops.append(file->real, data, err) : overlay_change(file, UINT64_MAX, data, err);
}

int sim_file_sync(struct disk_file *door, struct err *err)
{
    return file_of(door)->real ? world_disk_ops.sync(file_of(door)->real, err) : 0;
}

int sim_file_reserve(struct disk_file *door, uint64_t size, struct err *err)
{
    return file_of(door)->real ? world_disk_ops.reserve(file_of(door)->real, size, err) : 0;
}

int sim_file_truncate(struct disk_file *door, uint64_t size, struct err *err)
{
    struct sim_file *file = file_of(door);

    return file->real ? world_disk_ops.truncate(file->real, size, err)
                      : overlay_change(file, size, VIEW_LITERAL(""), err);
}

/* A file of the overlay has no other process that could hold it. */
int sim_file_lock(struct disk_file *door, struct err *err)
{
    return file_of(door)->real ? world_disk_ops.lock(file_of(door)->real, err) : 0;
}

void sim_file_close(struct disk_file *door)
{
    struct sim_file *file = file_of(door);

    if (file->real)
        world_disk_ops.close(file->real);
    buf_free(&file->content);
    free(file->below);
    free(file);
}

/* ---- reading in pieces ---- */

struct disk_file *sim_reader_open(struct world *world, const char *path, struct err *err)
{
    struct where where = sim_disk_resolve(sim_disk_of(world), path);
    struct sim_file *file = mem_alloc(sizeof(*file));
    bool opened;

    file->door.world = world;
    buf_init(&file->content, SIM_BODY_MAX);
    if (where.place == PLACE_STATE) {
        file->real = world_disk_ops.open_read(world, path, err);
        opened = file->real != NULL;
    } else {
        opened = sim_disk_read(world, path, SIM_BODY_MAX, &file->content, err) == 0;
        if (opened && !where.below) /* /dev/null */
            opened = err_set(err, ERR_USAGE, "%s: not an ordinary file", path) == 0;
        file->below = opened ? mem_text(where.below) : NULL;
    }
    free(where.absolute);
    if (opened)
        return &file->door;
    buf_free(&file->content);
    free(file);
    return NULL;
}

int sim_reader_stat(struct disk_file *door, struct disk_stat *stat, struct err *err)
{
    struct sim_file *file = file_of(door);
    struct sim_disk *disk = sim_disk_of(door->world);
    char *absolute;
    int result;

    if (file->real)
        return world_disk_ops.file_stat(file->real, stat, err);
    absolute = mem_printf("%s/%s", disk->project_root, file->below);
    result = sim_project_stat(disk, &(struct where){PLACE_PROJECT, absolute, file->below}, stat, err);
    free(absolute);
    return result;
}

int sim_reader_read(struct disk_file *door, uint64_t offset, char *out, size_t len, struct err *err)
{
    struct sim_file *file = file_of(door);

    if (file->real)
        return world_disk_ops.read_at(file->real, offset, out, len, err);
    if (offset > file->content.len || len > file->content.len - offset)
        return err_set(err, ERR_CONFLICT, "%s: it became shorter while it was read", file->below);
    memcpy(out, file->content.ptr + offset, len);
    return 0;
}
