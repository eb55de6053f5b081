/*
 * Records and the handles on them. A record's first `before` and `undo` never change once its first
 * intent was written: a repetition, after a crash too, finds a half-made world and must not take it
 * for what was there at first.
 */
#include "change/change.h"
#include "change/record.h"

#include <stdlib.h>
#include <string.h>

enum { BOUND_MS = 90000 };

struct changes *changes_new(const struct changes_options *options)
{
    struct changes *changes = mem_alloc(sizeof(*changes));

    changes->options = *options;
    if (changes->options.max_parallel < 1)
        changes->options.max_parallel = 8;
    list_init(&changes->records);
    list_init(&changes->undo_handlers);
    list_init(&changes->waiting);
    changes->stop = ERR_INIT;
    return changes;
}

static void call_free(struct past_call *call)
{
    list_remove(&call->link);
    free(call->method);
    free(call->url);
    free(call);
}

static void record_free(struct record *record)
{
    while (!list_empty(&record->calls))
        call_free(LIST_OF(record->calls.next, struct past_call, link));
    list_remove(&record->link);
    free(record->key);
    free(record->verb);
    free(record->step);
    free(record->class);
    doc_unref(record->before);
    doc_unref(record->after);
    doc_unref(record->undo);
    free(record);
}

void changes_free(struct changes *changes)
{
    if (!changes)
        return;
    undo_free(changes);
    while (!list_empty(&changes->records))
        record_free(LIST_OF(changes->records.next, struct record, link));
    free(changes);
}

enum change_mode changes_mode(const struct changes *changes)
{
    return changes->options.mode;
}

void changes_stop(struct changes *changes, const struct err *why)
{
    changes->stop = why ? *why : ERR_INIT;
}

void changes_durable(struct changes *changes, void (*fn)(void *ctx, const struct err *err), void *ctx)
{
    if (changes->options.durable)
        changes->options.durable(changes->options.durable_ctx, fn, ctx);
    else
        fn(ctx, NULL);
}

uint64_t changes_emit(struct changes *changes, enum event_weight weight, const struct record *record, struct doc *event)
{
    return event_emit(changes->options.bus, weight, record ? record->step : NULL, event);
}

/* ---- records ---- */

struct record *record_find(struct changes *changes, const char *key)
{
    LIST_EACH(link, &changes->records)
    {
        struct record *record = LIST_OF(link, struct record, link);

        if (strcmp(record->key, key) == 0)
            return record;
    }
    return NULL;
}

struct record *record_of(struct changes *changes, const char *key)
{
    struct record *record = record_find(changes, key);

    if (record)
        return record;
    record = mem_alloc(sizeof(*record));
    record->key = mem_text(key);
    record->bound_ms = BOUND_MS;
    list_init(&record->calls);
    list_add_tail(&changes->records, &record->link);
    return record;
}

struct past_call *record_call_add(struct record *record, uint64_t attempt, uint64_t logical, const char *method, const char *url)
{
    struct past_call *call = mem_alloc(sizeof(*call));

    call->attempt = attempt;
    call->logical = logical;
    call->method = mem_text(method);
    call->url = mem_text(url);
    call->open = true;
    list_add_tail(&record->calls, &call->link);
    return call;
}

struct past_call *record_call_find(struct record *record, uint64_t attempt)
{
    LIST_EACH(link, &record->calls)
    {
        struct past_call *call = LIST_OF(link, struct past_call, link);

        if (call->attempt == attempt)
            return call;
    }
    return NULL;
}

void record_settle_by(struct record *record, int64_t until_ms)
{
    if (record->settle_ms < until_ms)
        record->settle_ms = until_ms;
}

static void set_text(char **slot, const char *text)
{
    char *copy = mem_text(text);

    free(*slot);
    *slot = copy;
}

static void set_doc(struct doc **slot, const struct doc *doc)
{
    struct doc *ref = doc_ref(doc);

    doc_unref(*slot);
    *slot = ref;
}

/* ---- one change ---- */

struct change *change_new(struct changes *changes, struct record *record, bool backward)
{
    struct change *change = mem_alloc(sizeof(*change));

    change->changes = changes;
    change->record = record;
    change->backward = backward;
    record->open = change;
    return change;
}

struct change *change_open(struct changes *changes, const struct change_spec *spec, struct err *err)
{
    struct record *record = record_of(changes, spec->key);

    if (record->open) {
        err_set(err, ERR_USAGE, "%s is being changed by step \"%s\" at the same time; let one step wait for the other (needs)",
                spec->key, record->step ? record->step : "?");
        return NULL;
    }
    set_text(&record->verb, spec->verb);
    set_text(&record->step, spec->step);
    set_text(&record->class, spec->class ? spec->class : "reversible");
    record->version = spec->version;
    record->keep = spec->keep;
    record->pivot = strcmp(record->class, "pivot") == 0;
    record->bound_ms = spec->bound_ms < 0 ? BOUND_MS : spec->bound_ms;
    return change_new(changes, record, false);
}

bool change_acted(const struct change *change)
{
    return change->record->intent_seq != 0;
}

const struct doc *change_before(const struct change *change)
{
    return change->record->before;
}

const struct doc *change_undo(const struct change *change)
{
    return change->record->undo;
}

bool change_acting(const struct change *change)
{
    return change->acting;
}

bool change_is_backward(const struct change *change)
{
    return change->backward;
}

bool change_unknown(const struct change *change)
{
    return change->record->unknown;
}

uint64_t change_logical(const struct change *change, const char *method, const char *url)
{
    LIST_EACH(link, &change->record->calls)
    {
        const struct past_call *call = LIST_OF(link, struct past_call, link);

        if (strcmp(call->method, method) == 0 && strcmp(call->url, url) == 0)
            return call->logical;
    }
    return 0;
}

struct doc *change_event(const struct change *change, const char *type)
{
    struct doc *event = event_new(type);

    doc_set_text(event, "key", change->record->key);
    return event;
}

void change_same(struct change *change)
{
    struct record *record = change->record;
    struct doc *event = change_event(change, "change.same");

    change->changes->count.same++;
    doc_set_text(event, "verb", record->verb);
    changes_emit(change->changes, EVENT_NOTE, record, event);
    /* Found as wanted after a crash that lost the outcome: now it is known. */
    if (record->state == RECORD_ACTING || record->state == RECORD_UNKNOWN) {
        event = change_event(change, "change.end");
        doc_set_text(event, "outcome", "ok");
        doc_set_bool(event, "found", true);
        record->state = RECORD_CHANGED;
        record->end_seq = changes_emit(change->changes, EVENT_NOTE, record, event);
    }
}

void change_would(struct change *change, char sign, struct doc *fields, const struct doc *undo)
{
    const struct record *record = change->record;
    struct doc *event = change_event(change, "change.would");
    const char *op = doc_as_text(doc_get(undo, "op"), "none");

    change->changes->count.would++;
    doc_set_text(event, "verb", record->verb);
    doc_set_text(event, "class", record->class);
    doc_set(event, "sign", doc_string((struct view){&sign, 1}));
    doc_set(event, "fields", fields ? fields : doc_array());
    doc_set_bool(event, "undo", !record->pivot && strcmp(op, "none") != 0);
    if (record->pivot)
        change->changes->count.pivots++;
    changes_emit(change->changes, EVENT_NOTE, record, event);
}

static void change_ready(void *ctx)
{
    struct change *change = ctx;

    change->timer = NULL;
    change->acting = true;
    change->ready(change->ready_ctx, NULL);
}

void change_begin(struct change *change, const struct doc *before, const struct doc *want, const struct doc *undo,
                  void (*ready)(void *ctx, const struct err *err), void *ctx)
{
    struct record *record = change->record;
    struct changes *changes = change->changes;
    struct doc *event = change_event(change, "change.intent");
    int64_t now = world_now_ms(changes->options.world);
    uint64_t seq;

    if (!record->intent_seq) {
        set_doc(&record->before, before);
        set_doc(&record->undo, undo);
        doc_set(event, "before", doc_ref(before));
        doc_set(event, "undo", doc_ref(undo));
    }
    doc_set(event, "want", doc_ref(want));
    doc_set_text(event, "verb", record->verb);
    doc_set_int(event, "version", record->version);
    doc_set_text(event, "class", record->class);
    doc_set_int(event, "bound_ms", record->bound_ms);
    if (record->keep)
        doc_set_bool(event, "keep", true);
    seq = changes_emit(changes, EVENT_NOTE, record, event);
    if (!record->intent_seq) {
        record->intent_seq = seq;
        changes->count.changed++;
    }
    record->state = RECORD_ACTING;
    record->unknown = false;
    doc_unref(record->after);
    record->after = NULL;
    if (record->pivot)
        changes->past_pivot = true;
    change->ready = ready;
    change->ready_ctx = ctx;
    if (record->settle_ms > now) {
        event = change_event(change, "settle");
        doc_set_int(event, "until_ms", record->settle_ms);
        changes_emit(changes, EVENT_NOTE, record, event);
        change->timer = timer_start(changes->options.world, record->settle_ms - now, change_ready, change);
    } else {
        change_ready(change);
    }
}

void change_undo_set(struct change *change, const struct doc *undo)
{
    struct record *record = change->record;
    struct doc *event = change_event(change, "change.undo");

    set_doc(&record->undo, undo);
    doc_set(event, "undo", doc_ref(undo));
    changes_emit(change->changes, EVENT_NOTE, record, event);
}

void change_finish(struct change *change, const struct doc *after, const struct err *err)
{
    struct record *record = change->record;
    struct doc *event = change_event(change, "change.end");

    doc_set_text(event, "outcome", !err ? "ok" : record->unknown ? "unknown" : "fail");
    doc_set(event, "after", doc_ref(after));
    if (err)
        doc_set(event, "error", doc_from_err(err));
    set_doc(&record->after, after);
    record->state = err ? RECORD_UNKNOWN : RECORD_CHANGED;
    if (err && record->unknown)
        change->changes->count.unknown++;
    record->end_seq = changes_emit(change->changes, EVENT_NOTE, record, event);
    change->acting = false;
}

void change_close(struct change *change)
{
    if (!change)
        return;
    timer_stop(change->timer);
    if (change->acting && !change->backward) {
        struct err err = ERR_INIT;

        change->record->unknown = true;
        err_set(&err, ERR_CANCELLED, "it was left in the middle");
        change_finish(change, NULL, &err);
    }
    change->record->open = NULL;
    free(change);
}

/* ---- the set ---- */

struct changes_count changes_count(const struct changes *changes)
{
    return changes->count;
}

bool changes_past_pivot(const struct changes *changes)
{
    return changes->past_pivot;
}

bool changes_any(const struct changes *changes)
{
    return changes->any;
}

bool changes_in_flight(const struct changes *changes)
{
    return changes->in_flight > 0;
}

struct settle {
    struct changes *changes;
    struct timer *timer;
    void (*done)(void *ctx);
    void *ctx;
};

static void settle_look(void *ctx)
{
    struct settle *settle = ctx;
    struct changes *changes = settle->changes;
    int64_t now = world_now_ms(changes->options.world), until = 0;
    const char *key = NULL;

    LIST_EACH(link, &changes->records)
    {
        const struct record *record = LIST_OF(link, struct record, link);

        if (record->settle_ms > until) {
            until = record->settle_ms;
            key = record->key;
        }
    }
    if (changes->in_flight) {
        settle->timer = timer_start(changes->options.world, 20, settle_look, settle);
    } else if (until > now) {
        struct doc *event = event_new("settle");

        doc_set_text(event, "key", key);
        doc_set_int(event, "until_ms", until);
        changes_emit(changes, EVENT_NOTE, NULL, event);
        settle->timer = timer_start(changes->options.world, until - now, settle_look, settle);
    } else {
        void (*done)(void *) = settle->done;
        void *done_ctx = settle->ctx;

        changes->settle = NULL;
        free(settle);
        done(done_ctx);
    }
}

void changes_settle(struct changes *changes, void (*done)(void *ctx), void *ctx)
{
    struct settle *settle = mem_alloc(sizeof(*settle));

    settle->changes = changes;
    settle->done = done;
    settle->ctx = ctx;
    changes->settle = settle;
    settle->timer = timer_start(changes->options.world, 0, settle_look, settle);
}
