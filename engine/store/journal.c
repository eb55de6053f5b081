/*
 * The journal. What was appended in a loop turn is written in one go and synced at most once, so a
 * turn's intents cost one fdatasync however many they are. A failed write or sync is final: the
 * file's end is no longer known, so nothing more is written and every waiter hears of it. A full disk
 * is met ahead, when the reserve cannot grow: no new intent is taken, outcomes still have their room.
 */
#include "store/store.h"
#include "store/journal_line.h"
#include "store/seal.h"

#include "base/digest.h"
#include "base/list.h"
#include "base/secret.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RESERVE = 1 << 20, /* space kept ahead, so that a full disk is met before an intent and not in it */
};

struct waiter {
    struct list link;
    bool refused; /* came when the disk was full already */
    void (*fn)(void *ctx, const struct err *err);
    void *ctx;
};

struct journal {
    struct store *store;
    struct marks *marks;
    struct disk_file *file;
    struct buf pending;
    char prev[JOURNAL_PREV_HEX + 1];
    uint64_t size, reserved;
    uint64_t synced, marked; /* length known to be on disk, and what the lines say of it */
    bool sync_wanted;
    struct list waiters;
    struct err trouble; /* final */
    struct err full;    /* the reserve is all there is */
    int64_t syncs;
};

/* ---- lines ---- */

static int line_add(struct journal *journal, const struct doc *event, struct err *err)
{
    struct buf text, sealed;
    int result = -1;

    buf_init(&text, JOURNAL_LINE_MAX);
    buf_init(&sealed, JOURNAL_LINE_MAX);
    json_add(&text, event, JSON_COMPACT);
    if (store_seal_text(store_key(journal->store), journal->marks, buf_view(&text), &sealed, err) < 0)
        goto out;
    sealed.len--; /* the closing brace moves behind our own members */
    if (journal->synced > journal->marked)
        buf_addf(&sealed, ",\"synced\":%llu", (unsigned long long)journal->synced);
    buf_addf(&sealed, ",\"prev\":\"%s\"", journal->prev);
    buf_addf(&sealed, ",\"crc\":\"%08x\"}", digest_crc32c(0, sealed.ptr, sealed.len));
    if (text.over || sealed.over || journal->size + journal->pending.len + sealed.len + 1 > JOURNAL_FILE_MAX) {
        err_set(err, ERR_QUOTA,
                "the journal has no room for a record of %zu bytes (a record may have %d MiB, a journal %d MiB)",
                text.len, JOURNAL_LINE_MAX >> 20, JOURNAL_FILE_MAX >> 20);
        goto out;
    }
    journal->marked = journal->synced;
    journal_chain(buf_view(&sealed), journal->prev);
    buf_add_view(&journal->pending, buf_view(&sealed));
    buf_add_char(&journal->pending, '\n');
    result = 0;
out:
    buf_free(&text);
    buf_free(&sealed);
    return result;
}

/* ---- files ---- */

static int file_read(struct store *store, const char *run, struct buf *text, struct err *err)
{
    char *path = store_journal_path(store, run);
    struct disk_stat stat;
    int result = disk_stat(store_world(store), path, &stat, err);

    if (result == 0 && stat.kind != DISK_MISSING && (stat.kind != DISK_FILE || stat.uid != geteuid())) {
        result = err_set(err, ERR_INTERNAL, "the journal %s is no ordinary file of your own", path);
        err_explain(err, "R203");
    }
    if (result == 0)
        result = disk_read(store_world(store), path, JOURNAL_FILE_MAX, text, err);
    free(path);
    return result;
}

int journal_read(struct store *store, struct marks *marks, const char *run, journal_read_fn *fn, void *ctx,
                 struct err *err)
{
    struct buf text;
    int result = -1;

    buf_init(&text, JOURNAL_FILE_MAX);
    if ((!marks || store_key_load(store, err) == 0) && file_read(store, run, &text, err) == 0)
        result = journal_scan(buf_view(&text), marks, store_key(store), fn, ctx, NULL, err);
    if (result < 0)
        err_context(err, "run %s", run);
    buf_free(&text);
    return result;
}

static struct journal *journal_new(struct store *store, struct marks *marks, const char *run, struct err *err)
{
    struct journal *journal = mem_alloc(sizeof(*journal));
    char *path = store_journal_path(store, run);

    journal->store = store;
    journal->marks = marks;
    buf_init(&journal->pending, JOURNAL_FILE_MAX);
    list_init(&journal->waiters);
    journal->trouble = journal->full = ERR_INIT;
    memset(journal->prev, '0', JOURNAL_PREV_HEX);
    journal->file = disk_open(store_world(store), path, 0600, err);
    free(path);
    if (journal->file)
        return journal;
    buf_free(&journal->pending);
    free(journal);
    return NULL;
}

static int journal_reserve(struct journal *journal, struct err *err)
{
    uint64_t need = journal->size + journal->pending.len + RESERVE / 2;

    if (need <= journal->reserved)
        return 0;
    if (disk_reserve(journal->file, need + RESERVE / 2, err) < 0)
        return err_context(err, "no room for the journal");
    journal->reserved = need + RESERVE / 2;
    return 0;
}

struct journal *journal_create(struct store *store, struct marks *marks, const char *run, struct err *err)
{
    struct journal *journal = NULL;
    char *path = store_journal_path(store, run);
    struct disk_stat stat;

    if (store_key_load(store, err) < 0 || disk_stat(store_world(store), path, &stat, err) < 0)
        goto out;
    if (stat.kind != DISK_MISSING) {
        err_set(err, ERR_INTERNAL, "there is a journal of run %s already", run);
        goto out;
    }
    journal = journal_new(store, marks, run, err);
    if (journal && journal_reserve(journal, err) < 0) {
        struct err unremoved = ERR_INIT;

        journal_free(journal);
        journal = NULL;
        if (disk_remove(store_world(store), path, &unremoved) < 0)
            err_context(err, "%s", unremoved.message);
    }
out:
    free(path);
    return journal;
}

static void last_line_hash(struct view text, char prev[JOURNAL_PREV_HEX + 1])
{
    size_t start = text.len;

    if (!text.len)
        return;
    start--; /* the line feed */
    while (start && text.ptr[start - 1] != '\n')
        start--;
    journal_chain((struct view){text.ptr + start, text.len - 1 - start}, prev);
}

struct journal *journal_resume(struct store *store, struct marks *marks, const char *run, journal_read_fn *fn,
                               void *ctx, struct err *err)
{
    struct journal *journal = NULL;
    struct buf text;
    size_t good = 0;

    buf_init(&text, JOURNAL_FILE_MAX);
    if (store_key_load(store, err) < 0 || file_read(store, run, &text, err) < 0 ||
        journal_scan(buf_view(&text), marks, store_key(store), fn, ctx, &good, err) < 0) {
        err_context(err, "run %s", run);
        goto out;
    }
    if (!good) {
        err_set(err, ERR_INTERNAL, "run %s: its journal holds no whole line: the run had not begun", run);
        goto out;
    }
    journal = journal_new(store, marks, run, err);
    if (!journal)
        goto out;
    last_line_hash((struct view){text.ptr, good}, journal->prev);
    journal->size = good;
    if ((good < text.len && disk_truncate(journal->file, good, err) < 0) || journal_reserve(journal, err) < 0) {
        journal_free(journal);
        journal = NULL;
    }
out:
    buf_free(&text);
    return journal;
}

/* ---- appending ---- */

static void journal_event(void *ctx, enum event_weight weight, const struct doc *event)
{
    struct journal *journal = ctx;

    if (weight == EVENT_LIVE || journal->trouble.kind)
        return;
    if (line_add(journal, event, &journal->trouble) < 0)
        return;
    if (weight == EVENT_INTENT)
        journal->sync_wanted = true;
}

struct event_sink journal_sink(struct journal *journal)
{
    return (struct event_sink){.event = journal_event, .ctx = journal};
}

void journal_when_written(struct journal *journal, void (*fn)(void *ctx, const struct err *err), void *ctx)
{
    struct waiter *waiter = mem_alloc(sizeof(*waiter));

    waiter->fn = fn;
    waiter->ctx = ctx;
    list_add_tail(&journal->waiters, &waiter->link);
}

void journal_when_durable(struct journal *journal, void (*fn)(void *ctx, const struct err *err), void *ctx)
{
    journal_when_written(journal, fn, ctx);
    LIST_OF(journal->waiters.prev, struct waiter, link)->refused = journal->full.kind != ERR_NONE;
    journal->sync_wanted = true;
}

/* The reserve is asked to grow until it once cannot; then it is what there is. */
static void journal_grow(struct journal *journal)
{
    struct err err = ERR_INIT;

    if (journal->full.kind || journal_reserve(journal, &err) == 0)
        return;
    if (err.kind == ERR_QUOTA)
        journal->full = err;
    else
        journal->trouble = err;
}

static void journal_write(struct journal *journal)
{
    struct err *err = &journal->trouble;

    journal_grow(journal);
    if (err->kind)
        return;
    if (journal->pending.len) {
        if (disk_append(journal->file, buf_view(&journal->pending), err) < 0) {
            err_context(err, "writing the journal");
            return;
        }
        journal->size += journal->pending.len;
        buf_reset(&journal->pending);
    }
    if (!journal->sync_wanted)
        return;
    if (disk_sync(journal->file, err) < 0) {
        err_context(err, "syncing the journal");
        return;
    }
    journal->syncs++;
    journal->synced = journal->size;
}

bool journal_turn(struct journal *journal)
{
    struct list told;
    bool any = false;

    if (!journal->pending.len && !journal->sync_wanted && list_empty(&journal->waiters))
        return false;
    if (!journal->trouble.kind)
        journal_write(journal);
    journal->sync_wanted = false;
    list_init(&told);
    while (!list_empty(&journal->waiters)) {
        struct list *link = journal->waiters.next;

        list_remove(link);
        list_add_tail(&told, link);
    }
    while (!list_empty(&told)) {
        struct waiter *waiter = LIST_OF(told.next, struct waiter, link);
        const struct err *err = journal->trouble.kind ? &journal->trouble : waiter->refused ? &journal->full : NULL;

        list_remove(&waiter->link);
        waiter->fn(waiter->ctx, err);
        free(waiter);
        any = true;
    }
    return any;
}

const struct err *journal_trouble(const struct journal *journal)
{
    if (journal->trouble.kind)
        return &journal->trouble;
    return journal->full.kind ? &journal->full : NULL;
}

int64_t journal_syncs(const struct journal *journal)
{
    return journal->syncs;
}

void journal_free(struct journal *journal)
{
    struct err untrimmed = ERR_INIT;

    if (!journal)
        return;
    journal->sync_wanted = journal->sync_wanted || journal->pending.len;
    if (journal->sync_wanted && !journal->trouble.kind)
        journal_write(journal);
    /* What was reserved ahead goes back, except where space is short: a rollback will want it. */
    if (!journal_trouble(journal) && disk_truncate(journal->file, journal->size, &untrimmed) < 0)
        journal->trouble = untrimmed;
    while (!list_empty(&journal->waiters)) {
        struct waiter *waiter = LIST_OF(journal->waiters.next, struct waiter, link);

        list_remove(&waiter->link);
        free(waiter);
    }
    disk_close(journal->file);
    buf_free(&journal->pending);
    free(journal);
}
