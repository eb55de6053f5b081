/*
 * Backward: every change of the run undone by the words of its undo data. Order comes from the
 * journal alone: a change may be undone once all that began after its end are; what ran side by side
 * forward is undone side by side. What the run made counts from its first act (a namespace goes after
 * all that came into it), what it found from its last (a route turns back before what it led to goes).
 */
#include "change/change.h"
#include "change/record.h"

#include <stdlib.h>
#include <string.h>

struct handler_entry {
    struct list link;
    struct undo_handler handler;
};

struct undo_item {
    struct undo_all *all;
    struct record *record;
    struct change *change;
    struct timer *timer;
    bool done, running, failed;
    int rounds;
};

struct undo_all {
    struct changes *changes;
    struct undo_item *items; /* in reverse order of their first intents */
    size_t count;
    int running;
    bool plan;
    struct timer *timer;
    struct undo_report report;
    struct doc *list;
    void (*done)(void *ctx, const struct undo_report *report);
    void *ctx;
};

void changes_undo_handler(struct changes *changes, struct undo_handler handler)
{
    struct handler_entry *entry = mem_alloc(sizeof(*entry));

    entry->handler = handler;
    list_add_tail(&changes->undo_handlers, &entry->link);
}

static const struct undo_handler *handler_find(const struct changes *changes, const char *op)
{
    LIST_EACH(link, &changes->undo_handlers)
    {
        const struct handler_entry *entry = LIST_OF(link, struct handler_entry, link);

        if (strcmp(entry->handler.op, op) == 0)
            return &entry->handler;
    }
    return NULL;
}

void undo_free(struct changes *changes)
{
    struct undo_all *all = changes->undo;

    while (!list_empty(&changes->undo_handlers)) {
        struct handler_entry *entry = LIST_OF(changes->undo_handlers.next, struct handler_entry, link);

        list_remove(&entry->link);
        free(entry);
    }
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++) {
        timer_stop(all->items[i].timer);
        change_close(all->items[i].change);
    }
    timer_stop(all->timer);
    doc_unref(all->list);
    free(all->items);
    free(all);
}

static const char *outcome_word(enum undo_outcome outcome)
{
    static const char *const words[] = {"undone", "already", "foreign", "failed"};

    return words[outcome];
}

static bool record_undoable(const struct record *record, bool automatic)
{
    if (!record->first.intent || record->state == RECORD_UNDONE || record->state == RECORD_ABANDONED)
        return false;
    return !(automatic && record->keep);
}

/* ---- one change ---- */

static void undo_next(void *ctx);

static void left_add(struct undo_item *item, struct doc *left, const char *fallback)
{
    if (!doc_size(left)) {
        struct doc *entry = doc_object();

        doc_set_text(entry, "key", item->record->key);
        doc_set_text(entry, "what", fallback);
        doc_push(item->all->list, entry);
    }
    for (size_t i = 0; i < doc_size(left); i++) {
        struct doc *entry = doc_copy(doc_at(left, i));

        doc_set_text(entry, "key", item->record->key);
        doc_push(item->all->list, entry);
    }
}

static void item_record(struct undo_item *item, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct undo_report *report = &item->all->report;
    struct record *record = item->record;

    struct changes_count *count = &item->all->changes->count;

    if (outcome == UNDO_DONE)
        report->undone++;
    if (outcome == UNDO_ALREADY)
        report->already++;
    if (outcome == UNDO_DONE || outcome == UNDO_ALREADY) {
        if (!item->all->plan) {
            record->state = RECORD_UNDONE;
            count->undone++;
        }
    } else if (outcome == UNDO_FOREIGN) {
        report->left++;
        left_add(item, left, "somebody changed it since; it was left alone");
        if (!item->all->plan) {
            record->state = RECORD_LEFT;
            count->left++;
        }
    } else {
        report->failed++;
        item->failed = true;
        left_add(item, left, err ? err->message : "its undo failed");
        if (!report->err.kind && err)
            report->err = *err;
    }
}

static void item_end(struct undo_item *item, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct undo_all *all = item->all;
    struct doc *event = change_event(item->change, "undo.end");

    doc_set_text(event, "outcome", outcome_word(outcome));
    if (left)
        doc_set(event, "left", doc_ref(left));
    if (err)
        doc_set(event, "error", doc_from_err(err));
    if (all->plan)
        doc_set_bool(event, "plan", true);
    changes_emit(all->changes, all->plan ? EVENT_LIVE : EVENT_NOTE, item->record, event);
    item_record(item, outcome, left, err);
    doc_unref(left);
    change_close(item->change);
    item->change = NULL;
    item->running = false;
    item->done = true;
    all->running--;
    if (!all->timer)
        all->timer = timer_start(all->changes->options.world, 0, undo_next, all);
}

static void item_start(void *ctx);

/*
 * A create whose answer was lost may still arrive: what its undo found is believed only once its bound
 * has passed, so the undo is done a second time then (each is safe to repeat). Unless that create alone can
 * have made what was there.
 */
static void item_done(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct undo_item *item = ctx;
    struct changes *changes = item->all->changes;
    int64_t now = world_now_ms(changes->options.world), settle = item->record->settle_ms;

    if (outcome == UNDO_DONE && record_seen_settles(item->record))
        settle = 0;
    if (!item->all->plan && settle > now && (outcome == UNDO_DONE || outcome == UNDO_ALREADY) && item->rounds++ < 3) {
        struct doc *event;

        if (changes->stop.kind) {
            item_end(item, UNDO_FAILED, left, &changes->stop);
            return;
        }
        event = change_event(item->change, "settle");
        doc_set_int(event, "until_ms", settle);
        changes_emit(changes, EVENT_NOTE, item->record, event);
        doc_unref(left);
        item->timer = timer_start(changes->options.world, settle - now, item_start, item);
        return;
    }
    item_end(item, outcome, left, err);
}

static void item_start(void *ctx)
{
    struct undo_item *item = ctx;
    struct record *record = item->record;
    const char *op = doc_as_text(doc_get(record->undo, "op"), "none");
    const struct undo_handler *handler = handler_find(item->all->changes, op);
    struct undo_request request = {.undo = record->undo,
                                   .before = record->before,
                                   .after = record->known ? record->after : NULL,
                                   .after_known = record->known,
                                   .key = record->key,
                                   .plan = item->all->plan,
                                   .settle_ms = record->settle_ms,
                                   .seen_settles = record_seen_settles(record),
                                   .owner = item->change};
    struct err err = ERR_INIT;

    item->timer = NULL;
    if (handler) {
        handler->start(handler->ctx, &request, item_done, item);
        return;
    }
    err_set(&err, ERR_INTERNAL, "nothing here can undo \"%s\" of %s", op, record->key);
    item_end(item, UNDO_FAILED, NULL, &err);
}

static void item_begin(struct undo_item *item)
{
    struct undo_all *all = item->all;

    item->running = true;
    all->running++;
    item->change = change_new(all->changes, item->record, true);
    item->change->acting = !all->plan;
    if (!all->plan)
        changes_emit(all->changes, EVENT_NOTE, item->record, change_event(item->change, "undo.start"));
    item_start(item);
}

/* ---- all of them ---- */

/* What a stop cuts short: nothing that is in flight, only the wait for what could still arrive. */
void undo_stop(struct changes *changes)
{
    struct undo_all *all = changes->undo;

    for (size_t i = 0; all && i < all->count; i++) {
        struct undo_item *item = &all->items[i];

        if (!item->timer)
            continue;
        timer_stop(item->timer);
        item->timer = NULL;
        item_end(item, UNDO_FAILED, NULL, &changes->stop);
    }
}

static bool item_may_start(const struct undo_all *all, const struct undo_item *item)
{
    uint64_t end = record_span(item->record).end;

    for (size_t i = 0; i < all->count; i++) {
        const struct undo_item *other = &all->items[i];

        if (other != item && record_span(other->record).intent > end && (!other->done || other->failed))
            return false;
    }
    return true;
}

static void undo_next(void *ctx)
{
    struct undo_all *all = ctx;
    struct changes *changes = all->changes;
    int room = changes->options.max_parallel;

    all->timer = NULL;
    for (size_t i = 0; i < all->count && all->running < room && !changes->stop.kind; i++) {
        struct undo_item *item = &all->items[i];

        if (!item->done && !item->running && item_may_start(all, item))
            item_begin(item);
    }
    if (all->running || all->timer)
        return;
    for (size_t i = 0; i < all->count; i++) {
        struct undo_item *item = &all->items[i];

        if (!item->done)
            left_add(item, NULL,
                     changes->stop.kind ? "not undone: stopped"
                                        : "not undone: the undo of something made after it failed");
    }
    if (changes->stop.kind && !all->report.err.kind)
        all->report.err = changes->stop;
    changes->undo = NULL;
    all->report.list = all->list;
    all->done(all->ctx, &all->report);
    doc_unref(all->list);
    free(all->items);
    free(all);
}

static int later_first(uint64_t one, uint64_t other)
{
    return one < other ? 1 : -(one > other);
}

static int item_order(const void *a, const void *b)
{
    const struct undo_item *one = a, *other = b;

    return later_first(record_span(one->record).intent, record_span(other->record).intent);
}

static int record_order(const void *a, const void *b)
{
    const struct record *const *one = a, *const *other = b;

    return later_first(record_span(*one).intent, record_span(*other).intent);
}

static struct undo_all *undo_new(struct changes *changes, bool automatic)
{
    struct undo_all *all = mem_alloc(sizeof(*all));
    size_t most = 0;

    LIST_EACH(link, &changes->records)
    {
        most++;
    }
    all->changes = changes;
    all->items = mem_array(most + 1, sizeof(*all->items));
    all->list = doc_array();
    all->report.err = ERR_INIT;
    LIST_EACH(link, &changes->records)
    {
        struct record *record = LIST_OF(link, struct record, link);

        if (record_undoable(record, automatic))
            all->items[all->count++] = (struct undo_item){.all = all, .record = record};
    }
    qsort(all->items, all->count, sizeof(*all->items), item_order);
    return all;
}

void changes_undo(struct changes *changes, bool automatic, bool plan,
                  void (*done)(void *ctx, const struct undo_report *report), void *ctx)
{
    struct undo_all *all = undo_new(changes, automatic);

    all->plan = plan;
    all->done = done;
    all->ctx = ctx;
    changes->undo = all;
    all->timer = timer_start(changes->options.world, 0, undo_next, all);
}

struct doc *changes_list(const struct changes *changes)
{
    static const char *const words[] = {"looked at", "open", "changed", "unknown", "undone", "left", "abandoned"};
    struct doc *list = doc_array();
    const struct record **records;
    size_t count = 0;

    LIST_EACH(link, &changes->records)
    {
        count += LIST_OF(link, struct record, link)->first.intent != 0;
    }
    records = mem_array(count + 1, sizeof(*records));
    count = 0;
    LIST_EACH(link, &changes->records)
    {
        const struct record *record = LIST_OF(link, struct record, link);

        if (record->first.intent)
            records[count++] = record;
    }
    qsort(records, count, sizeof(*records), record_order);
    for (size_t i = 0; i < count; i++) {
        struct doc *entry = doc_object();

        doc_set_text(entry, "key", records[i]->key);
        doc_set_text(entry, "verb", records[i]->verb);
        doc_set_text(entry, "step", records[i]->step);
        doc_set_text(entry, "state", words[records[i]->state]);
        doc_set(entry, "undo", doc_ref(records[i]->undo));
        doc_push(list, entry);
    }
    free(records);
    return list;
}
