/*
 * Reading a journal: each line's checksum, then its link to the line before, then its meaning is let out.
 * What is not whole is either a torn tail, which nobody was ever told of, or damage; see store.h.
 */
#include "store/journal_line.h"
#include "store/seal.h"
#include "store/store.h"

#include "base/digest.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void journal_chain(struct view line, char prev[JOURNAL_PREV_HEX + 1])
{
    char hex[SHA256_HEX + 1];

    digest_sha256_hex(line, hex);
    memcpy(prev, hex, JOURNAL_PREV_HEX);
    prev[JOURNAL_PREV_HEX] = '\0';
}

/* Does the crc at the line's end match what stands before it? */
static bool line_whole(struct view line)
{
    static const char key[] = ",\"crc\":\"";
    size_t tail = sizeof(key) - 1 + JOURNAL_CRC_HEX + 2;
    char want[JOURNAL_CRC_HEX + 1];

    if (line.len < tail + 2 || memcmp(line.ptr + line.len - tail, key, sizeof(key) - 1) != 0)
        return false;
    snprintf(want, sizeof(want), "%08x", digest_crc32c(0, line.ptr, line.len - tail));
    return memcmp(line.ptr + line.len - JOURNAL_CRC_HEX - 2, want, JOURNAL_CRC_HEX) == 0 &&
           memcmp(line.ptr + line.len - 2, "\"}", 2) == 0;
}

static int damaged(struct err *err, int number, const char *why)
{
    err_set(err, ERR_INTERNAL, "journal line %d is damaged: %s", number, why);
    err_explain(err, "R203");
    return -1;
}

/* The first line says whose file it is and in which format; a newer one may differ in everything else. */
static int format_check(const struct doc *event, struct err *err)
{
    int64_t format = doc_as_int(doc_get(event, "format"), 0);

    if (strcmp(doc_as_text(doc_get(event, "type"), ""), "run") != 0 || format < 1)
        return damaged(err, 1, "this is no journal of dosrun");
    if (format <= JOURNAL_FORMAT)
        return 0;
    err_set(err, ERR_INTERNAL, "the journal has format %lld, this dosrun reads up to %d", (long long)format,
            JOURNAL_FORMAT);
    err_explain(err, "R204");
    return -1;
}

struct scan {
    struct view text;
    struct marks *marks;
    const unsigned char *key;
    journal_read_fn *fn;
    void *ctx;
    size_t at;
    int number;
    char prev[JOURNAL_PREV_HEX + 1];
    struct buf open;
};

/* The line at scan->at, without its line feed. False: there is no line feed. */
static bool scan_line(const struct scan *scan, size_t at, struct view *line)
{
    const char *end = memchr(scan->text.ptr + at, '\n', scan->text.len - at);

    *line = (struct view){scan->text.ptr + at, (end ? (size_t)(end - scan->text.ptr) : scan->text.len) - at};
    return end != NULL;
}

/* What a whole line says of the length that was on disk when it was written; 0: nothing. */
static size_t line_synced(struct view line)
{
    static const char key[] = ",\"synced\":";
    const char *mark = NULL, *end = line.ptr + line.len;

    if (!line_whole(line))
        return 0;
    for (const char *from = line.ptr; (from = memmem(from, (size_t)(end - from), key, sizeof(key) - 1)) != NULL;
         from += sizeof(key) - 1)
        mark = from; /* the last one is ours: it stands behind all that the event says */
    return mark ? strtoull(mark + sizeof(key) - 1, NULL, 10) : 0;
}

/* Was the byte at scan->at on disk once? A later whole line would say so, also one whose line feed before it is lost.
 */
static bool scan_was_synced(const struct scan *scan)
{
    enum { TRIES = 100 };
    static const char begin[] = "{\"type\":\"";
    struct view line;

    for (size_t at = scan->at; at < scan->text.len; at += line.len + 1) {
        const char *from, *end;

        if (!scan_line(scan, at, &line))
            break;
        from = line.ptr;
        end = line.ptr + line.len;
        for (int i = 0; i < TRIES && (from = memmem(from, (size_t)(end - from), begin, sizeof(begin) - 1)) != NULL;
             i++, from++) {
            if (line_synced((struct view){from, (size_t)(end - from)}) > scan->at)
                return true;
        }
    }
    return false;
}

/* Nothing of the file is ours, or is what a first write that a power loss tore can look like? */
static bool scan_foreign(const struct scan *scan)
{
    static const char begin[] = "{\"type\":\"run\",";
    size_t len = scan->text.len < sizeof(begin) - 1 ? scan->text.len : sizeof(begin) - 1;

    return scan->at == 0 && scan->text.ptr[0] != '\0' && memcmp(scan->text.ptr, begin, len) != 0;
}

/* 0 the line was handed out; 1 the tail is torn here; -1 error. */
static int scan_one(struct scan *scan, struct view *line, struct err *err)
{
    bool ended = scan_line(scan, scan->at, line);
    struct doc *event;
    int result = -1;

    if (scan->number == 1 && ended) {
        struct err unread = ERR_INIT;

        event = json_parse(*line, &unread);
        result = event && doc_as_int(doc_get(event, "format"), 0) > JOURNAL_FORMAT ? format_check(event, err) : 0;
        doc_unref(event);
        if (result < 0)
            return -1;
    }
    if (!ended || !line_whole(*line)) {
        if (scan_foreign(scan))
            return damaged(err, scan->number, "this is no journal of dosrun");
        return scan_was_synced(scan) ? damaged(err, scan->number, "its checksum does not fit") : 1;
    }
    buf_reset(&scan->open);
    if (scan->marks && store_unseal_text(scan->marks, scan->key, *line, &scan->open, err) < 0)
        return err_context(err, "journal line %d", scan->number);
    event = json_parse(scan->marks ? buf_view(&scan->open) : *line, err);
    if (!event) {
        char why[sizeof(err->message)];

        memcpy(why, err->message, sizeof(why));
        return damaged(err, scan->number, why);
    }
    if (strcmp(doc_as_text(doc_get(event, "prev"), ""), scan->prev) != 0)
        result = damaged(err, scan->number, "a line before it is missing or was changed");
    else if (scan->number == 1 && format_check(event, err) < 0)
        result = -1;
    else
        result = scan->fn(scan->ctx, event, err) < 0 ? -1 : 0;
    doc_unref(event);
    return result;
}

int journal_scan(struct view text, struct marks *marks, const unsigned char *key, journal_read_fn *fn, void *ctx,
                 size_t *good, struct err *err)
{
    struct scan scan = {.text = text, .marks = marks, .key = key, .fn = fn, .ctx = ctx, .number = 1};
    int result = 0;

    memset(scan.prev, '0', JOURNAL_PREV_HEX);
    buf_init(&scan.open, JOURNAL_LINE_MAX);
    while (scan.at < text.len && result == 0) {
        struct view line;

        result = scan_one(&scan, &line, err);
        if (result != 0)
            break;
        journal_chain(line, scan.prev);
        scan.at += line.len + 1;
        scan.number++;
    }
    if (good)
        *good = scan.at;
    buf_free(&scan.open);
    return result < 0 ? -1 : 0;
}
