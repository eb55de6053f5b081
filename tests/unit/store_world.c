#include "store_world.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct faulty *faulty_of(struct world *world)
{
    return (struct faulty *)(void *)world;
}

/* Counts one operation; -1 with err when it is the one that fails. */
static int struck(struct world *world, const char *name, struct err *err)
{
    struct faulty *faulty = faulty_of(world);

    faulty->ops++;
    if (!faulty->fail_at || (faulty->only && strcmp(faulty->only, name) != 0))
        return 0;
    if (faulty->only ? false : faulty->for_good ? faulty->ops < faulty->fail_at : faulty->ops != faulty->fail_at)
        return 0;
    if (faulty->only && !faulty->for_good)
        faulty->fail_at = 0;
    return err_set(err, faulty->kind, "%s: the disk says no", name);
}

static int faulty_stat(struct world *world, const char *path, struct disk_stat *stat, struct err *err)
{
    return struck(world, "stat", err) < 0 ? -1 : world_disk_ops.stat(world, path, stat, err);
}

static int faulty_read(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    return struck(world, "read", err) < 0 ? -1 : world_disk_ops.read(world, path, max, out, err);
}

static int faulty_write(struct world *world, const char *path, struct view data, uint32_t mode, struct err *err)
{
    return struck(world, "write", err) < 0 ? -1 : world_disk_ops.write(world, path, data, mode, err);
}

static int faulty_remove(struct world *world, const char *path, struct err *err)
{
    return struck(world, "remove", err) < 0 ? -1 : world_disk_ops.remove(world, path, err);
}

static int faulty_make_folder(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    return struck(world, "make_folder", err) < 0 ? -1 : world_disk_ops.make_folder(world, path, mode, err);
}

static struct disk_file *faulty_open(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    return struck(world, "open", err) < 0 ? NULL : world_disk_ops.open(world, path, mode, err);
}

static int faulty_append(struct disk_file *file, struct view data, struct err *err)
{
    struct faulty *faulty = faulty_of(file->world);

    if (struck(file->world, "append", err) < 0)
        return -1;
    if (faulty->full && faulty->size + data.len > faulty->reserved)
        return err_set(err, ERR_QUOTA, "append: the disk is full");
    if (world_disk_ops.append(file, data, err) < 0)
        return -1;
    if (faulty->writes_len < FAULTY_WRITES_MAX) {
        faulty->writes[faulty->writes_len++] =
            (struct faulty_write){.at = faulty->size, .len = data.len, .syncs = faulty->syncs};
    }
    faulty->size += data.len;
    return 0;
}

static int faulty_sync(struct disk_file *file, struct err *err)
{
    if (struck(file->world, "sync", err) < 0 || world_disk_ops.sync(file, err) < 0)
        return -1;
    faulty_of(file->world)->syncs++;
    return 0;
}

static int faulty_reserve(struct disk_file *file, uint64_t size, struct err *err)
{
    struct faulty *faulty = faulty_of(file->world);

    if (struck(file->world, "reserve", err) < 0)
        return -1;
    if (faulty->full && size > faulty->reserved)
        return err_set(err, ERR_QUOTA, "reserve: the disk is full");
    faulty->reserved = size;
    return world_disk_ops.reserve(file, size, err);
}

static int faulty_truncate(struct disk_file *file, uint64_t size, struct err *err)
{
    if (struck(file->world, "truncate", err) < 0 || world_disk_ops.truncate(file, size, err) < 0)
        return -1;
    faulty_of(file->world)->size = size;
    return 0;
}

static void faulty_random(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    (void)purpose;
    memset(out, faulty_of(world)->random, len);
}

static int64_t faulty_now_ms(struct world *world)
{
    (void)world;
    return INT64_C(1900000000000);
}

void faulty_init(struct faulty *faulty)
{
    static struct world_ops ops;

    ops = world_disk_ops;
    ops.stat = faulty_stat;
    ops.read = faulty_read;
    ops.write = faulty_write;
    ops.remove = faulty_remove;
    ops.make_folder = faulty_make_folder;
    ops.open = faulty_open;
    ops.append = faulty_append;
    ops.sync = faulty_sync;
    ops.reserve = faulty_reserve;
    ops.truncate = faulty_truncate;
    ops.random = faulty_random;
    ops.now_ms = ops.mono_ms = faulty_now_ms;
    *faulty = (struct faulty){.base.ops = &ops, .random = 0x5a};
    snprintf(faulty->above, sizeof(faulty->above), "/tmp/dosrun-store-XXXXXX");
    CHECK(mkdtemp(faulty->above) != NULL);
    snprintf(faulty->root, sizeof(faulty->root), "%.60s/state/targets", faulty->above);
}

void faulty_clear(struct faulty *faulty)
{
    char *command = mem_printf("chmod -R u+rwX %s && rm -rf %s", faulty->above, faulty->above);

    CHECK_INT(system(command), 0);
    free(command);
}

void faulty_fail(struct faulty *faulty, const char *only, enum err_kind kind, bool for_good)
{
    faulty->only = only;
    faulty->kind = kind;
    faulty->for_good = for_good;
    faulty->fail_at = 1;
}

void faulty_heal(struct faulty *faulty)
{
    faulty->fail_at = 0;
    faulty->full = false;
}

static int64_t desk_clock(void *ctx)
{
    return faulty_now_ms(&((struct desk *)ctx)->faulty.base);
}

void desk_init(struct desk *desk)
{
    struct doc *event = event_new("run");
    char *holder;

    *desk = (struct desk){.err = ERR_INIT};
    faulty_init(&desk->faulty);
    desk->marks = marks_new(view_of("key of the marks"));
    desk->store = store_new(&desk->faulty.base, desk->faulty.root, "/project", "default");
    CHECK_INT(store_create(desk->store, &desk->err), 0);
    CHECK_INT(store_lock(desk->store, &holder, &desk->err), 0);
    desk->journal = journal_create(desk->store, desk->marks, "r1", &desk->err);
    CHECK_TEXT(desk->err.message, "");
    desk->bus = event_bus_new(desk_clock, desk, event_stamp, doc_unref);
    event_bus_add(desk->bus, journal_sink(desk->journal));
    event_bus_run(desk->bus, "r1", 1);
    doc_set_int(event, "format", 1);
    event_emit(desk->bus, EVENT_NOTE, NULL, event);
}

void desk_leave(struct desk *desk)
{
    if (desk->journal)
        event_bus_remove(desk->bus, desk->journal);
    journal_free(desk->journal);
    desk->journal = NULL;
    store_free(desk->store);
    desk->store = NULL;
}

struct journal *desk_return(struct desk *desk, struct doc *events)
{
    char *holder;

    desk_leave(desk);
    err_clear(&desk->err);
    marks_free(desk->marks);
    desk->marks = marks_new(view_of("key of the marks"));
    desk->store = store_new(&desk->faulty.base, desk->faulty.root, "/project", "default");
    if (store_create(desk->store, &desk->err) < 0 || store_lock(desk->store, &holder, &desk->err) != 0)
        return NULL;
    desk->journal = journal_resume(desk->store, desk->marks, "r1", events_add, events, &desk->err);
    if (desk->journal)
        event_bus_add(desk->bus, journal_sink(desk->journal));
    return desk->journal;
}

void desk_clear(struct desk *desk)
{
    faulty_heal(&desk->faulty);
    desk_leave(desk);
    event_bus_free(desk->bus);
    marks_free(desk->marks);
    faulty_clear(&desk->faulty);
}

void desk_log(struct desk *desk, enum event_weight weight, const char *text)
{
    struct doc *event = event_new("log");

    doc_set_text(event, "level", "info");
    doc_set_text(event, "text", text);
    event_emit(desk->bus, weight, NULL, event);
}

/* The folder's name holds a digest of the project, which is the same in every test. */
char *desk_file(const struct desk *desk, const char *name)
{
    struct store *store =
        store_new((struct world *)(uintptr_t)&desk->faulty.base, desk->faulty.root, "/project", "default");
    char *path = mem_printf("%s/%s", store_folder(store), name);

    store_free(store);
    return path;
}

void desk_text(struct desk *desk, struct buf *text)
{
    char *path = desk_file(desk, "runs/r1.jsonl");

    CHECK_INT(world_disk_ops.read(&desk->faulty.base, path, 1 << 24, text, &desk->err), 0);
    free(path);
}

void desk_put(struct desk *desk, struct view text)
{
    char *path = desk_file(desk, "runs/r1.jsonl");

    CHECK_INT(world_disk_ops.write(&desk->faulty.base, path, text, 0600, &desk->err), 0);
    free(path);
}

int events_add(void *ctx, const struct doc *event, struct err *err)
{
    (void)err;
    doc_push(ctx, doc_ref(event));
    return 0;
}
