/* The records of a run, made again from its journal. */
#include "change/change.h"
#include "change/record.h"

#include <stdlib.h>
#include <string.h>

static void take_text(char **slot, const struct doc *event, const char *member)
{
    const char *text = doc_as_text(doc_get(event, member), NULL);

    if (!text)
        return;
    free(*slot);
    *slot = mem_text(text);
}

static void take_doc(struct doc **slot, const struct doc *event, const char *member)
{
    struct doc *value = doc_get(event, member);

    doc_unref(*slot);
    *slot = doc_ref(value);
}

static uint64_t event_seq(const struct doc *event)
{
    return (uint64_t)doc_as_int(doc_get(event, "seq"), 0);
}

static void replay_intent(struct changes *changes, struct record *record, const struct doc *event)
{
    take_text(&record->verb, event, "verb");
    take_text(&record->step, event, "step");
    take_text(&record->class, event, "class");
    record->version = (int)doc_as_int(doc_get(event, "version"), 1);
    record->bound_ms = doc_as_int(doc_get(event, "bound_ms"), record->bound_ms);
    record->keep = doc_as_bool(doc_get(event, "keep"), false);
    record->pivot = record->class && strcmp(record->class, "pivot") == 0;
    if (!record->first.intent) {
        take_doc(&record->before, event, "before");
        take_doc(&record->undo, event, "undo");
        changes->count.changed++;
    }
    record_intent_seen(record, event_seq(event));
    if (record->pivot)
        changes->past_pivot = true;
    changes->any = true; /* acts on this machine leave no call.intent */
}

static void replay_end(struct changes *changes, struct record *record, const struct doc *event)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), "unknown");
    bool ok = strcmp(outcome, "ok") == 0;

    record->state = ok ? RECORD_CHANGED : RECORD_UNKNOWN;
    record->unknown = strcmp(outcome, "unknown") == 0;
    changes->count.unknown += record->unknown;
    if (!doc_as_bool(doc_get(event, "found"), false)) {
        take_doc(&record->after, event, "after");
        record->known = ok;
    }
    record_end_seen(record, event_seq(event));
}

/* Until its end is read, it may be under way, or have been when the process died. */
static void replay_call(struct changes *changes, struct record *record, const struct doc *event)
{
    struct past_call *call =
        record_call_add(record, (uint64_t)doc_as_int(doc_get(event, "attempt"), 0),
                        (uint64_t)doc_as_int(doc_get(event, "logical"), 0), doc_as_text(doc_get(event, "method"), ""),
                        doc_as_text(doc_get(event, "url"), ""), doc_as_text(doc_get(event, "subject"), NULL));

    call->guarded = doc_as_bool(doc_get(event, "guarded"), false);
    call->sent_ms = doc_as_int(doc_get(event, "at_ms"), 0);
    call->lost = call->unknown = true;
    record_settle_update(record);
    record_unknown_update(record);
    changes->any = true;
}

static void replay_call_end(struct record *record, const struct doc *event)
{
    struct past_call *call = record_call_find(record, (uint64_t)doc_as_int(doc_get(event, "attempt"), 0));

    if (!call)
        return;
    record_call_ended(record, call, doc_as_bool(doc_get(event, "lost"), false),
                      doc_as_bool(doc_get(event, "unknown"), false), doc_get(event, "error") == NULL);
}

static void replay_undo_end(struct changes *changes, struct record *record, const struct doc *event)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), "");

    if (strcmp(outcome, "undone") == 0 || strcmp(outcome, "already") == 0) {
        record->state = RECORD_UNDONE;
        changes->count.undone++;
    } else if (strcmp(outcome, "foreign") == 0) {
        record->state = RECORD_LEFT;
        changes->count.left++;
    }
}

int changes_replay(struct changes *changes, const struct doc *event, struct err *err)
{
    const char *type = doc_as_text(doc_get(event, "type"), ""), *key = doc_as_text(doc_get(event, "key"), NULL);
    struct record *record;

    if (strcmp(type, "run.end") == 0 && strcmp(doc_as_text(doc_get(event, "how"), ""), "abandoned") == 0)
        changes_abandon(changes);
    if (strncmp(type, "change.", 7) != 0 && strncmp(type, "call.", 5) != 0 && strncmp(type, "undo.", 5) != 0)
        return 0;
    if (strcmp(type, "call.read") == 0 || strcmp(type, "change.would") == 0)
        return 0;
    if (!key)
        return err_set(err, ERR_INTERNAL, "event %llu (%s) names no resource", (unsigned long long)event_seq(event),
                       type);
    record = record_of(changes, key);
    if (strcmp(type, "change.intent") == 0)
        replay_intent(changes, record, event);
    else if (strcmp(type, "change.undo") == 0)
        take_doc(&record->undo, event, "undo");
    else if (strcmp(type, "change.end") == 0)
        replay_end(changes, record, event);
    else if (strcmp(type, "change.same") == 0)
        changes->count.same++;
    else if (strcmp(type, "call.intent") == 0)
        replay_call(changes, record, event);
    else if (strcmp(type, "call.end") == 0)
        replay_call_end(record, event);
    else if (strcmp(type, "undo.end") == 0)
        replay_undo_end(changes, record, event);
    return 0;
}

void changes_abandon(struct changes *changes)
{
    LIST_EACH(link, &changes->records)
    {
        struct record *record = LIST_OF(link, struct record, link);

        if (record->first.intent && record->state != RECORD_UNDONE)
            record->state = RECORD_ABANDONED;
    }
}
