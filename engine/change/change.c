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

struct settle {
    struct changes *changes;
    struct timer *timer;
    bool hurry;
    void (*done)(void *ctx);
    void *ctx;
};

struct changes *changes_new(const struct changes_options *options)
{
    struct changes *changes = mem_alloc(sizeof(*changes));

    changes->options = *options;
    if (changes->options.max_parallel < 1)
        changes->options.max_parallel = 8;
    list_init(&changes->records);
    list_init(&changes->undo_handlers);
    list_init(&changes->waiting);
    list_init(&changes->outcomes);
    list_init(&changes->locals);
    changes->stop = ERR_INIT;
    return changes;
}

static void call_free(struct past_call *call)
{
    list_remove(&call->link);
    free(call->method);
    free(call->url);
    free(call->subject);
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
    gate_free(changes);
    if (changes->settle)
        timer_stop(changes->settle->timer);
    free(changes->settle);
    while (!list_empty(&changes->records))
        record_free(LIST_OF(changes->records.next, struct record, link));
    free(changes);
}

enum change_mode changes_mode(const struct changes *changes)
{
    return changes->options.mode;
}

void changes_durable(struct changes *changes, void (*fn)(void *ctx, const struct err *err), void *ctx)
{
    if (changes->options.durable)
        changes->options.durable(changes->options.durable_ctx, fn, ctx);
    else
        fn(ctx, NULL);
}

void changes_written(struct changes *changes, void (*fn)(void *ctx, const struct err *err), void *ctx)
{
    if (changes->options.written)
        changes->options.written(changes->options.durable_ctx, fn, ctx);
    else
        changes_durable(changes, fn, ctx);
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

struct past_call *record_call_add(struct record *record, uint64_t attempt, uint64_t logical, const char *method,
                                  const char *url, const char *subject)
{
    struct past_call *call = mem_alloc(sizeof(*call));

    call->attempt = attempt;
    call->logical = logical;
    call->method = mem_text(method);
    call->url = mem_text(url);
    call->subject = mem_text(subject);
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

void record_unknown_update(struct record *record)
{
    record->unknown = false;
    LIST_EACH(link, &record->calls)
    {
        record->unknown |= LIST_OF(link, struct past_call, link)->unknown;
    }
}

/* Until when a lost call, or one that a crash left open, could still arrive. */
void record_settle_update(struct record *record)
{
    record->settle_ms = 0;
    LIST_EACH(link, &record->calls)
    {
        const struct past_call *call = LIST_OF(link, struct past_call, link);
        int64_t until = call->sent_ms + record->bound_ms;

        if (call->lost && !call->guarded && until > record->settle_ms)
            record->settle_ms = until;
    }
}

bool record_seen_settles(const struct record *record)
{
    int makers = 0;

    LIST_EACH(link, &record->calls)
    {
        makers += !LIST_OF(link, struct past_call, link)->guarded;
    }
    return record->first.intent && !record->before && makers == 1;
}

void record_call_ended(struct record *record, struct past_call *call, bool lost, bool unknown, bool well)
{
    call->open = false;
    call->lost = lost;
    call->unknown = unknown;
    LIST_EACH(link, &record->calls)
    {
        struct past_call *other = LIST_OF(link, struct past_call, link);

        if (well && other->logical == call->logical)
            other->unknown = false;
    }
    record_settle_update(record);
    record_unknown_update(record);
}

void record_intent_seen(struct record *record, uint64_t seq)
{
    record->last = (struct span){.intent = seq};
    if (!record->first.intent)
        record->first = record->last;
    doc_unref(record->after);
    record->after = NULL;
    record->known = record->unknown = false;
    record->state = RECORD_ACTING;
    LIST_EACH(link, &record->calls)
    {
        LIST_OF(link, struct past_call, link)->unknown = false; /* of an older act */
    }
}

void record_end_seen(struct record *record, uint64_t seq)
{
    record->last.end = seq;
    if (!record->first.end)
        record->first.end = seq;
}

struct span record_span(const struct record *record)
{
    struct span span = record->before ? record->last : record->first;

    if (!span.end)
        span.end = UINT64_MAX;
    return span;
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
    struct change *change;

    if (record->open) {
        err_set(err, ERR_USAGE,
                "%s is being changed by step \"%s\" at the same time; let one step wait for the other (needs)",
                spec->key, record->open->step ? record->open->step : "?");
        return NULL;
    }
    change = change_new(changes, record, false);
    change->verb = mem_text(spec->verb);
    change->step = mem_text(spec->step);
    change->class = mem_text(spec->class ? spec->class : "reversible");
    change->version = spec->version;
    change->keep = spec->keep;
    change->bound_ms = spec->bound_ms < 0 ? BOUND_MS : spec->bound_ms;
    return change;
}

static void change_free(struct change *change)
{
    free(change->verb);
    free(change->step);
    free(change->class);
    free(change);
}

void change_unref_call(struct change *change)
{
    if (--change->calls == 0 && change->closed)
        change_free(change);
}

const char *change_key(const struct change *change)
{
    return change->record->key;
}

bool change_acted(const struct change *change)
{
    return change->record->first.intent != 0;
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

uint64_t change_logical_subject(const struct change *change, const char *subject)
{
    LIST_EACH(link, &change->record->calls)
    {
        const struct past_call *call = LIST_OF(link, struct past_call, link);

        if (call->subject && strcmp(call->subject, subject) == 0)
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

static uint64_t change_emit(const struct change *change, struct doc *event)
{
    return event_emit(change->changes->options.bus, EVENT_NOTE, change->step, event);
}

void change_seen(struct change *change)
{
    struct record *record = change->record;

    if (!record_seen_settles(record))
        return;
    LIST_EACH(link, &record->calls)
    {
        LIST_OF(link, struct past_call, link)->lost = false;
    }
    record_settle_update(record);
}

void change_same(struct change *change)
{
    struct record *record = change->record;
    struct doc *event = change_event(change, "change.same");

    change->changes->count.same++;
    doc_set_text(event, "verb", change->verb);
    change_emit(change, event);
    /* Found as wanted after a crash that lost the outcome: now it is known. */
    if (record->state == RECORD_ACTING || record->state == RECORD_UNKNOWN) {
        event = change_event(change, "change.end");
        doc_set_text(event, "outcome", "ok");
        doc_set_bool(event, "found", true);
        record->state = RECORD_CHANGED;
        record->unknown = false;
        record_end_seen(record, change_emit(change, event));
    }
}

void change_would(struct change *change, char sign, struct doc *fields, const struct doc *undo)
{
    bool pivot = strcmp(change->class, "pivot") == 0;
    struct doc *event = change_event(change, "change.would");
    const char *op = doc_as_text(doc_get(undo, "op"), "none");

    change->changes->count.would++;
    doc_set_text(event, "verb", change->verb);
    doc_set_text(event, "class", change->class);
    doc_set(event, "sign", doc_string((struct view){&sign, 1}));
    doc_set(event, "fields", fields ? fields : doc_array());
    doc_set_bool(event, "undo", !pivot && strcmp(op, "none") != 0);
    if (pivot)
        change->changes->count.pivots++;
    change_emit(change, event);
}

static void change_ready(void *ctx)
{
    struct change *change = ctx;

    change->timer = NULL;
    change->acting = true;
    change->ready(change->ready_ctx, NULL);
}

/* What this act is, as the record keeps it: the undo of a resource follows its last act. */
static void record_take(struct record *record, const struct change *change)
{
    set_text(&record->verb, change->verb);
    set_text(&record->step, change->step);
    set_text(&record->class, change->class);
    record->version = change->version;
    record->keep = change->keep;
    record->bound_ms = change->bound_ms;
    record->pivot = strcmp(change->class, "pivot") == 0;
}

void change_begin(struct change *change, const struct doc *before, const struct doc *want, const struct doc *undo,
                  void (*ready)(void *ctx, const struct err *err), void *ctx)
{
    struct record *record = change->record;
    struct changes *changes = change->changes;
    struct doc *event = change_event(change, "change.intent");
    int64_t now = world_now_ms(changes->options.world);

    record_take(record, change);
    if (!record->first.intent) {
        set_doc(&record->before, before);
        set_doc(&record->undo, undo);
        doc_set(event, "before", doc_ref(before));
        doc_set(event, "undo", doc_ref(undo));
        changes->count.changed++;
    }
    doc_set(event, "want", doc_ref(want));
    doc_set_text(event, "verb", record->verb);
    doc_set_int(event, "version", record->version);
    doc_set_text(event, "class", record->class);
    doc_set_int(event, "bound_ms", record->bound_ms);
    if (record->keep)
        doc_set_bool(event, "keep", true);
    record_intent_seen(record, change_emit(change, event));
    if (record->pivot)
        changes->past_pivot = true;
    change->ready = ready;
    change->ready_ctx = ctx;
    if (record->settle_ms > now) {
        event = change_event(change, "settle");
        doc_set_int(event, "until_ms", record->settle_ms);
        change_emit(change, event);
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
    change_emit(change, event);
}

void change_finish(struct change *change, const struct doc *after, const struct err *err)
{
    struct record *record = change->record;
    struct doc *event = change_event(change, "change.end");

    record->unknown = err && record->unknown;
    doc_set_text(event, "outcome", !err ? "ok" : record->unknown ? "unknown" : "fail");
    doc_set(event, "after", doc_ref(after));
    if (err)
        doc_set(event, "error", doc_from_err(err));
    set_doc(&record->after, after);
    record->known = !err;
    record->state = err ? RECORD_UNKNOWN : RECORD_CHANGED;
    if (record->unknown)
        change->changes->count.unknown++;
    record_end_seen(record, change_emit(change, event));
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
    change->acting = false;
    change->record->open = NULL;
    change->closed = true;
    if (!change->calls)
        change_free(change);
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

int changes_of_step(const struct changes *changes, const char *step)
{
    int count = 0;

    LIST_EACH(link, &changes->records)
    {
        const struct record *record = LIST_OF(link, struct record, link);

        count += record->first.intent && record->step && strcmp(record->step, step) == 0;
    }
    return count;
}

static void settle_look(void *ctx)
{
    enum { LOOK_MS = 20 };
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
        settle->timer = timer_start(changes->options.world, LOOK_MS, settle_look, settle);
    } else if (until > now && !settle->hurry) {
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

void changes_stop(struct changes *changes, const struct err *why)
{
    changes->stop = why ? *why : ERR_INIT;
    if (!why)
        return;
    if (changes->settle) {
        changes->settle->hurry = true;
        timer_stop(changes->settle->timer);
        changes->settle->timer = timer_start(changes->options.world, 0, settle_look, changes->settle);
    }
    undo_stop(changes);
}
