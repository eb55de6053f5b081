/* The public doors: each checks what callers promised and passes on to the world's own table. */
#include "world/world.h"

#include <assert.h>

bool world_turn(struct world *world)
{
    return world->ops->turn(world);
}

void world_free(struct world *world)
{
    if (world)
        world->ops->free(world);
}

bool world_is_sandbox(const struct world *world)
{
    return world->sandbox;
}

int64_t world_now_ms(struct world *world)
{
    return world->ops->now_ms(world);
}

int64_t world_mono_ms(struct world *world)
{
    return world->ops->mono_ms(world);
}

struct timer *timer_start(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    assert(fn && delay_ms >= 0);
    return world->ops->timer_start(world, delay_ms, fn, ctx);
}

void timer_stop(struct timer *timer)
{
    if (timer)
        timer->world->ops->timer_stop(timer);
}

void world_watch_signals(struct world *world, signal_fn *fn, void *ctx)
{
    world->ops->watch_signals(world, fn, ctx);
}

void world_random(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    assert(purpose);
    world->ops->random(world, purpose, out, len);
}

uint64_t world_attempt(struct world *world)
{
    return ++world->attempts;
}

void world_crash_point(struct world *world, uint64_t attempt, enum crash_point point)
{
    assert(attempt && attempt <= world->attempts);
    world->ops->crash_point(world, attempt, point);
}

/* ---- network and processes ---- */

struct exchange *exchange_start(struct world *world, const struct exchange_request *request,
                                const struct exchange_fns *fns, void *ctx)
{
    assert(request->attempt && request->attempt <= world->attempts);
    assert(request->logical && request->logical <= request->attempt);
    assert(request->method && request->url && fns->head && fns->body && fns->end);
    return world->ops->exchange_start(world, request, fns, ctx);
}

void exchange_cancel(struct exchange *exchange)
{
    exchange->world->ops->exchange_cancel(exchange);
}

void world_drop_connections(struct world *world)
{
    world->ops->drop_connections(world);
}

struct process *process_start(struct world *world, const struct process_request *request, const struct process_fns *fns,
                              void *ctx)
{
    assert(request->attempt && request->attempt <= world->attempts);
    assert(request->logical && request->logical <= request->attempt);
    assert(request->argv && request->argv[0] && fns->output && fns->end);
    return world->ops->process_start(world, request, fns, ctx);
}

void process_cancel(struct process *process)
{
    process->world->ops->process_cancel(process);
}

/* ---- disk ---- */

int disk_stat(struct world *world, const char *path, struct disk_stat *stat, struct err *err)
{
    return world->ops->stat(world, path, stat, err);
}

int disk_read(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    return world->ops->read(world, path, max, out, err);
}

int disk_write(struct world *world, const char *path, struct view data, uint32_t mode, struct err *err)
{
    return world->ops->write(world, path, data, mode, err);
}

int disk_remove(struct world *world, const char *path, struct err *err)
{
    return world->ops->remove(world, path, err);
}

int disk_make_folder(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    return world->ops->make_folder(world, path, mode, err);
}

int disk_rename(struct world *world, const char *from, const char *to, struct err *err)
{
    return world->ops->rename(world, from, to, err);
}

int disk_list(struct world *world, const char *path, disk_list_fn *fn, void *ctx, struct err *err)
{
    return world->ops->list(world, path, fn, ctx, err);
}

struct disk_file *disk_open(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    return world->ops->open(world, path, mode, err);
}

int disk_append(struct disk_file *file, struct view data, struct err *err)
{
    return file->world->ops->append(file, data, err);
}

int disk_sync(struct disk_file *file, struct err *err)
{
    return file->world->ops->sync(file, err);
}

int disk_reserve(struct disk_file *file, uint64_t size, struct err *err)
{
    return file->world->ops->reserve(file, size, err);
}

int disk_truncate(struct disk_file *file, uint64_t size, struct err *err)
{
    return file->world->ops->truncate(file, size, err);
}

int disk_lock(struct disk_file *file, struct err *err)
{
    return file->world->ops->lock(file, err);
}

void disk_close(struct disk_file *file)
{
    if (file)
        file->world->ops->close(file);
}

struct disk_file *disk_open_read(struct world *world, const char *path, struct err *err)
{
    return world->ops->open_read(world, path, err);
}

int disk_file_stat(struct disk_file *file, struct disk_stat *stat, struct err *err)
{
    return file->world->ops->file_stat(file, stat, err);
}

int disk_read_at(struct disk_file *file, uint64_t offset, char *out, size_t len, struct err *err)
{
    return file->world->ops->read_at(file, offset, out, len, err);
}
