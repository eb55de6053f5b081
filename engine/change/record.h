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
    RECORD_LEFT, /* undo found something of others and left it */
};

struct record {
    struct list link; /* in the order of the first intent */
    char *key, *verb, *step, *class;
    int version;
    bool keep, pivot;
    enum record_state state;
    struct doc *before, *after, *undo;
    uint64_t intent_seq; /* of its first intent; 0: none */
    uint64_t end_seq;    /* of its last end; 0: never ended */
    int64_t bound_ms;
    int64_t settle_ms; /* wall time until which a lost call could still arrive; 0: none */
    bool unknown;      /* the act under way lost an answer */
    struct change *open;
    struct list calls; /* of struct past_call, for change_logical and for calls that a crash left open */
};

struct past_call {
    struct list link;
    uint64_t attempt, logical;
    char *method, *url;
    bool open, guarded;
    int64_t sent_ms;
};

struct change {
    struct changes *changes;
    struct record *record;
    bool acting, backward;
    struct timer *timer; /* waits for an unknown outcome to settle */
    void (*ready)(void *ctx, const struct err *err);
    void *ready_ctx;
};

struct changes {
    struct changes_options options;
    struct list records;
    struct list undo_handlers;
    struct list waiting; /* attempts between enter and their durable intent */
    struct err stop;     /* kind ERR_NONE: calls may start */
    struct changes_count count;
    int in_flight;
    bool any, past_pivot;
    struct settle *settle;
    struct undo_all *undo;
};

struct record *record_find(struct changes *changes, const char *key);
struct record *record_of(struct changes *changes, const char *key); /* made when missing */
struct past_call *record_call_add(struct record *record, uint64_t attempt, uint64_t logical, const char *method, const char *url);
struct past_call *record_call_find(struct record *record, uint64_t attempt);
void record_settle_by(struct record *record, int64_t until_ms);
struct change *change_new(struct changes *changes, struct record *record, bool backward);

struct doc *change_event(const struct change *change, const char *type);
uint64_t changes_emit(struct changes *changes, enum event_weight weight, const struct record *record, struct doc *event);
void changes_durable(struct changes *changes, void (*fn)(void *ctx, const struct err *err), void *ctx);
bool undo_run(struct changes *changes); /* an undo of everything is under way */
void undo_free(struct changes *changes);
