/*
 * The journal. What was appended in a loop turn is written in one go and synced at most once, so a
 * turn's intents cost one fdatasync however many they are. A failed write or sync is final: the
 * file's end is no longer known, so nothing more is written and every waiter hears of it.
 */
#include "store/store.h"
#include "store/seal.h"

#include "base/digest.h"
#include "base/list.h"
#include "base/secret.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_MAX = 64 << 20,
    FILE_MAX = 512 << 20,
    PREV_HEX = 32,
    CRC_HEX = 8,
    RESERVE = 1 << 20, /* space kept ahead, so that a full disk is met before an intent and not in it */
};

struct waiter {
    struct list link;
    void (*fn)(void *ctx, const struct err *err);
    void *ctx;
};

struct journal {
    struct store *store;
    struct marks *marks;
    struct disk_file *file;
    struct buf pending;
    char prev[PREV_HEX + 1];
    uint64_t size, reserved;
    bool sync_wanted;
    struct list waiters;
    struct err trouble;
    int64_t syncs;
};

/* ---- lines ---- */

static void chain_hash(struct view line, char prev[PREV_HEX + 1])
{
    char hex[SHA256_HEX + 1];

    digest_sha256_hex(line, hex);
    memcpy(prev, hex, PREV_HEX);
    prev[PREV_HEX] = '\0';
}

static int line_add(struct journal *journal, const struct doc *event, struct err *err)
{
    struct buf text, sealed;
    int result = -1;

    buf_init(&text, LINE_MAX);
    buf_init(&sealed, LINE_MAX);
    json_add(&text, event, JSON_COMPACT);
    if (store_seal_text(journal->store, journal->marks, buf_view(&text), &sealed, err) < 0)
        goto out;
    sealed.len--; /* the closing brace moves behind the two members */
    buf_addf(&sealed, ",\"prev\":\"%s\"", journal->prev);
    buf_addf(&sealed, ",\"crc\":\"%08x\"}", digest_crc32c(0, sealed.ptr, sealed.len));
    if (sealed.over) {
        err_set(err, ERR_INTERNAL, "a journal record is larger than %d MiB", LINE_MAX >> 20);
        goto out;
    }
    chain_hash(buf_view(&sealed), journal->prev);
    buf_add_view(&journal->pending, buf_view(&sealed));
    buf_add_char(&journal->pending, '\n');
    result = 0;
out:
    buf_free(&text);
    buf_free(&sealed);
    return result;
}

/* Does the crc at the line's end match what stands before it? */
static bool line_whole(struct view line)
{
    static const char key[] = ",\"crc\":\"";
    size_t tail = sizeof(key) - 1 + CRC_HEX + 2;
    char want[CRC_HEX + 1];

    if (line.len < tail + 2 || memcmp(line.ptr + line.len - tail, key, sizeof(key) - 1) != 0)
        return false;
    snprintf(want, sizeof(want), "%08x", digest_crc32c(0, line.ptr, line.len - tail));
    return memcmp(line.ptr + line.len - CRC_HEX - 2, want, CRC_HEX) == 0 && memcmp(line.ptr + line.len - 2, "\"}", 2) == 0;
}

static int damaged(struct err *err, int number, const char *why)
{
    err_set(err, ERR_INTERNAL, "journal line %d is damaged: %s", number, why);
    err_explain(err, "R203");
    return -1;
}

static int format_check(const struct doc *event, struct err *err)
{
    int64_t format = doc_as_int(doc_get(event, "format"), 0);

    if (format >= 1 && format <= JOURNAL_FORMAT)
        return 0;
    err_set(err, ERR_INTERNAL, "the journal has format %lld, this dosrun reads up to %d", (long long)format, JOURNAL_FORMAT);
    err_explain(err, "R204");
    return -1;
}

int journal_scan(struct view text, struct marks *marks, const unsigned char *key, journal_read_fn *fn, void *ctx,
                 size_t *good, struct err *err)
{
    char prev[PREV_HEX + 1] = "00000000000000000000000000000000";
    size_t at = 0;
    struct buf open;
    int result = 0;

    buf_init(&open, LINE_MAX);
    for (int number = 1; at < text.len && result == 0; number++) {
        const char *end = memchr(text.ptr + at, '\n', text.len - at);
        struct view line = {text.ptr + at, end ? (size_t)(end - text.ptr) - at : text.len - at};
        bool last = !end || (size_t)(end - text.ptr) + 1 == text.len;
        struct doc *event;

        if (!end || !line_whole(line)) {
            if (last)
                break; /* torn: it was never told to anyone */
            result = damaged(err, number, "its checksum does not fit");
            break;
        }
        buf_reset(&open);
        if (marks && store_unseal_text(marks, key, line, &open, err) < 0) {
            result = err_context(err, "journal line %d", number);
            break;
        }
        event = json_parse(marks ? buf_view(&open) : line, err);
        if (!event) {
            result = damaged(err, number, err->message);
            break;
        }
        if (strcmp(doc_as_text(doc_get(event, "prev"), ""), prev) != 0)
            result = damaged(err, number, "a line before it is missing or was changed");
        else if (number == 1 && format_check(event, err) < 0)
            result = -1;
        else
            result = fn(ctx, event, err);
        chain_hash(line, prev);
        doc_unref(event);
        at += line.len + 1;
    }
    if (good)
        *good = at;
    buf_free(&open);
    return result;
}

/* ---- files ---- */

static int file_read(struct store *store, const char *run, struct buf *text, struct err *err)
{
    char *path = store_journal_path(store, run);
    int result = disk_read(store_world(store), path, FILE_MAX, text, err);

    if (result < 0)
        err_context(err, "journal of run %s", run);
    free(path);
    return result;
}

int journal_read(struct store *store, struct marks *marks, const char *run, journal_read_fn *fn, void *ctx, struct err *err)
{
    struct buf text;
    int result = -1;

    buf_init(&text, FILE_MAX);
    if (store_key_load(store, err) == 0 && file_read(store, run, &text, err) == 0)
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
    buf_init(&journal->pending, FILE_MAX);
    list_init(&journal->waiters);
    journal->trouble = ERR_INIT;
    memset(journal->prev, '0', PREV_HEX);
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

    if (store_key_load(store, err) < 0)
        return NULL;
    journal = journal_new(store, marks, run, err);
    if (journal && journal_reserve(journal, err) < 0) {
        journal_free(journal);
        return NULL;
    }
    return journal;
}

static void last_line_hash(struct view text, char prev[PREV_HEX + 1])
{
    size_t start = text.len;

    if (!text.len)
        return;
    start--; /* the line feed */
    while (start && text.ptr[start - 1] != '\n')
        start--;
    chain_hash((struct view){text.ptr + start, text.len - 1 - start}, prev);
}

struct journal *journal_resume(struct store *store, struct marks *marks, const char *run, journal_read_fn *fn, void *ctx,
                               struct err *err)
{
    struct journal *journal = NULL;
    struct buf text;
    size_t good = 0;

    buf_init(&text, FILE_MAX);
    if (store_key_load(store, err) < 0 || file_read(store, run, &text, err) < 0 ||
        journal_scan(buf_view(&text), marks, store_key(store), fn, ctx, &good, err) < 0) {
        err_context(err, "run %s", run);
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

void journal_when_durable(struct journal *journal, void (*fn)(void *ctx, const struct err *err), void *ctx)
{
    struct waiter *waiter = mem_alloc(sizeof(*waiter));

    waiter->fn = fn;
    waiter->ctx = ctx;
    list_add_tail(&journal->waiters, &waiter->link);
    journal->sync_wanted = true;
}

static void journal_write(struct journal *journal)
{
    struct err *err = &journal->trouble;

    if (err->kind)
        return;
    if (journal_reserve(journal, err) < 0)
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
}

bool journal_turn(struct journal *journal)
{
    struct list told;
    bool any = false;

    if (!journal->pending.len && !journal->sync_wanted)
        return false;
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

        list_remove(&waiter->link);
        waiter->fn(waiter->ctx, journal_trouble(journal));
        free(waiter);
        any = true;
    }
    return any;
}

const struct err *journal_trouble(const struct journal *journal)
{
    return journal->trouble.kind ? &journal->trouble : NULL;
}

int64_t journal_syncs(const struct journal *journal)
{
    return journal->syncs;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    if (journal->pending.len)
        journal->sync_wanted = true;
    journal_turn(journal);
    disk_close(journal->file);
    buf_free(&journal->pending);
    free(journal);
}
