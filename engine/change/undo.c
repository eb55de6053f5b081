/*
 * Backward: every change of the run undone by the words of its undo data. Order comes from the
 * journal alone: a change may be undone once all that began after its end are; what ran side by side
 * forward is undone side by side.
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

bool undo_run(struct changes *changes)
{
    return changes->undo != NULL;
}

void undo_free(struct changes *changes)
{
    while (!list_empty(&changes->undo_handlers)) {
        struct handler_entry *entry = LIST_OF(changes->undo_handlers.next, struct handler_entry, link);

        list_remove(&entry->link);
        free(entry);
    }
    if (changes->undo) {
        timer_stop(changes->undo->timer);
        doc_unref(changes->undo->list);
        free(changes->undo->items);
        free(changes->undo);
    }
}

static const char *outcome_word(enum undo_outcome outcome)
{
    static const char *const words[] = {"undone", "already", "foreign", "failed"};

    return words[outcome];
}

static bool record_undoable(const struct record *record, bool automatic)
{
    if (!record->intent_seq || record->state == RECORD_UNDONE || record->state == RECORD_LEFT)
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

    if (outcome == UNDO_DONE)
        report->undone++;
    if (outcome == UNDO_ALREADY)
        report->already++;
    if (outcome == UNDO_DONE || outcome == UNDO_ALREADY) {
        if (!item->all->plan)
            record->state = RECORD_UNDONE;
    } else if (outcome == UNDO_FOREIGN) {
        report->left++;
        left_add(item, left, "somebody changed it since; it was left alone");
        if (!item->all->plan)
            record->state = RECORD_LEFT;
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
 * has passed, so the undo is done a second time then (each is safe to repeat).
 */
static void item_done(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct undo_item *item = ctx;
    struct changes *changes = item->all->changes;
    int64_t now = world_now_ms(changes->options.world), settle = item->record->settle_ms;

    if (!item->all->plan && settle > now && (outcome == UNDO_DONE || outcome == UNDO_ALREADY) && item->rounds++ < 3) {
        struct doc *event = change_event(item->change, "settle");

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
                                   .after = record->state == RECORD_CHANGED ? record->after : NULL,
                                   .key = record->key,
                                   .plan = item->all->plan,
                                   .settle_ms = record->settle_ms,
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

static bool item_may_start(const struct undo_all *all, const struct undo_item *item)
{
    uint64_t end = item->record->end_seq ? item->record->end_seq : UINT64_MAX;

    for (size_t i = 0; i < all->count; i++) {
        const struct undo_item *other = &all->items[i];

        if (other != item && other->record->intent_seq > end && (!other->done || other->failed))
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
            left_add(item, NULL, changes->stop.kind ? "not undone: stopped" : "not undone: the undo of something made after it failed");
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

static int later_intent_first(const void *a, const void *b)
{
    const struct undo_item *one = a, *other = b;

    return one->record->intent_seq < other->record->intent_seq ? 1 : -1;
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
    qsort(all->items, all->count, sizeof(*all->items), later_intent_first);
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
    static const char *const words[] = {"looked at", "open", "changed", "unknown", "undone", "left"};
    struct doc *list = doc_array();

    LIST_EACH(link, &changes->records)
    {
        const struct record *record = LIST_OF(link, struct record, link);
        struct doc *entry;

        if (!record->intent_seq)
            continue;
        entry = doc_object();
        doc_set_text(entry, "key", record->key);
        doc_set_text(entry, "verb", record->verb);
        doc_set_text(entry, "step", record->step);
        doc_set_text(entry, "state", words[record->state]);
        doc_set(entry, "undo", doc_ref(record->undo));
        doc_insert_at(list, 0, entry);
    }
    return list;
}
