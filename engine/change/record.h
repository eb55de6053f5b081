#pragma once
/* Inside the change room: what a run remembers of each resource, and the handle a verb drives. */
#include "base/list.h"
#include "change/change.h"

enum record_state {
    RECORD_IDLE,    /* looked at only */
    RECORD_ACTING,  /* begun; not finished, or that is not known (crash) */
    RECORD_CHANGED, /* finished well */
    RECORD_UNKNOWN, /* finished badly: it may have acted, wholly or in part */
    RECORD_UNDONE,
    RECORD_LEFT,      /* undo found something of others and left it */
    RECORD_ABANDONED, /* its undo was given up */
};

/* A span of the journal: of an intent, and of the end that followed (0: none yet). */
struct span {
    uint64_t intent, end;
};

struct record {
    struct list link; /* in the order of the first look */
    char *key, *verb, *step, *class;
    int version;
    bool keep, pivot;
    enum record_state state;
    struct doc *before, *after, *undo;
    struct span first, last; /* its first act and its last one; first.intent 0: never acted on */
    int64_t bound_ms;
    int64_t settle_ms; /* wall time until which a lost call could still arrive; 0: none */
    bool known;        /* `after` tells what the last act left, NULL: nothing */
    bool unknown;      /* the act under way, or the last one, ended without telling whether it acted */
    struct change *open;
    struct list calls; /* of struct past_call, for change_logical and for calls that a crash left open */
};

struct past_call {
    struct list link;
    uint64_t attempt, logical;
    char *method, *url, *subject;
    bool open, guarded;
    bool lost;    /* no answer came: it could still arrive */
    bool unknown; /* of the act under way: it may have acted */
    int64_t sent_ms;
};

struct change {
    struct changes *changes;
    struct record *record;
    char *verb, *step, *class;
    int version;
    int64_t bound_ms;
    bool keep, acting, backward;
    bool closed; /* lives on until its calls in flight have ended */
    int calls;   /* attempts between enter and their end */
    struct timer *timer; /* waits for an unknown outcome to settle */
    void (*ready)(void *ctx, const struct err *err);
    void *ready_ctx;
};

struct changes {
    struct changes_options options;
    struct list records;
    struct list undo_handlers;
    struct list waiting, outcomes, locals; /* wait for the journal: attempts, their ends, acts on this machine */
    struct err stop;     /* kind ERR_NONE: calls may start */
    struct changes_count count;
    int in_flight;
    bool any, past_pivot;
    struct settle *settle;
    struct undo_all *undo;
};

struct record *record_find(struct changes *changes, const char *key);
struct record *record_of(struct changes *changes, const char *key); /* made when missing */
struct past_call *record_call_add(struct record *record, uint64_t attempt, uint64_t logical, const char *method, const char *url,
                                  const char *subject);
/* It ended: answered well, or not; a good answer also tells of earlier tries of the same logical call. */
void record_call_ended(struct record *record, struct past_call *call, bool lost, bool unknown, bool well);
struct past_call *record_call_find(struct record *record, uint64_t attempt);
/* Nothing was there before, and one unguarded call alone can have made it: what was seen is its work, and it is over. */
bool record_seen_settles(const struct record *record);
struct change *change_new(struct changes *changes, struct record *record, bool backward);
void change_unref_call(struct change *change); /* one attempt less */
/* The span that orders its undo: what the run made goes after all that came since, what it found goes by its last act. */
struct span record_span(const struct record *record);
void record_unknown_update(struct record *record);
void record_settle_update(struct record *record);
void record_intent_seen(struct record *record, uint64_t seq);
void record_end_seen(struct record *record, uint64_t seq);

struct doc *change_event(const struct change *change, const char *type);
uint64_t changes_emit(struct changes *changes, enum event_weight weight, const struct record *record, struct doc *event);
void changes_durable(struct changes *changes, void (*fn)(void *ctx, const struct err *err), void *ctx);
void changes_written(struct changes *changes, void (*fn)(void *ctx, const struct err *err), void *ctx);
void gate_free(struct changes *changes); /* what still waits for the journal */
void undo_stop(struct changes *changes); /* waits of the undo under way end now */
void undo_free(struct changes *changes);
