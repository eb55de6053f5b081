#pragma once
/*
 * A laboratory for changes: virtual time, a small HTTP server in memory, a journal that becomes durable
 * when the test lets it, files in a temporary folder, and all that happened in one log.
 */
#include "change/change.h"
#include "http/http.h"
#include "world/world.h"

#include "base/list.h"

/* What happens to one attempt, beside an honest answer. */
enum lab_fault {
    LAB_OK,
    LAB_LOST_BEFORE, /* no answer, nothing done */
    LAB_LOST_AFTER,  /* no answer, done */
    LAB_LATE,        /* no answer, done 60 s after it was sent */
    LAB_DENIED,      /* 403, nothing done */
    LAB_500_AFTER,   /* done, and answered 500 */
    LAB_HANGS,       /* no answer until it is cancelled */
};

struct lab {
    struct world base; /* first */
    int64_t now_ms;
    struct list due;
    struct doc *server;         /* URL -> text */
    enum lab_fault faults[512]; /* by attempt */
    struct buf log;             /* "intent 1\n", "PUT URL\n", "crash 1 sent\n", ... */
    bool log_points;            /* crash points too */
    bool dead;                  /* the process is gone: nothing that it still does has an effect */
    char folder[64];
    struct http *http;
    struct event_bus *bus;
    struct changes *changes;
    struct changes_options options;
    struct doc *events; /* all that a journal would hold */
    struct list durable; /* who waits for it */
    bool hold;           /* nothing becomes durable */
    struct err refuse;   /* kind ERR_NONE: it does */
    int syncs;
    int64_t lease_until_ms;
};

void lab_init(struct lab *lab, enum change_mode mode);
void lab_clear(struct lab *lab);
/* Another process of the same run: changes made anew from the events. */
void lab_crash(struct lab *lab);
void lab_fold(struct lab *lab, struct changes *changes); /* replays all events into these */
void lab_run(struct lab *lab);   /* until nothing is left to come */
bool lab_turn(struct lab *lab);  /* one step; false: nothing is left */
void lab_wait(struct lab *lab, const bool *done);

const char *lab_get(const struct lab *lab, const char *url); /* NULL: nothing is there */
void lab_put(struct lab *lab, const char *url, const char *text); /* somebody else's hand; NULL removes */
/* Events of this type so far; the last one's member. */
int lab_count(const struct lab *lab, const char *type);
const struct doc *lab_last(const struct lab *lab, const char *type);

/*
 * What a verb does: open, begin, PUT (text NULL: DELETE), look, finish, close. The undo is http.request.
 * Gives the error it ended with (kind ERR_NONE: none).
 */
struct err lab_set(struct lab *lab, const char *step, const char *url, const char *text);
struct lab_options {
    const char *class;
    bool keep, guarded, leave_open; /* leave_open: the process dies before the look */
    int attempts_max;               /* 0: 1 */
    enum http_repeat repeat;
    int64_t bound_ms; /* 0: -1 */
};
struct err lab_set_with(struct lab *lab, const char *step, const char *url, const char *text, struct lab_options options);
struct lab_undo {
    bool done;
    struct undo_report report;
    struct doc *list;
};
void lab_undo_start(struct lab *lab, bool automatic, bool plan, struct lab_undo *undo);
void lab_undo_kill(struct lab *lab, struct lab_undo *undo); /* its process dies in the middle; lab_crash comes next */
void lab_undo(struct lab *lab, bool automatic, struct lab_undo *undo); /* to its end; list: doc_unref */
