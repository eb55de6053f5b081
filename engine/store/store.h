#pragma once
/*
 * store: where runs are kept: the state folder, one journal a run, the lock of a target on this machine.
 * Owns: the journal's format, its bundle, the key that seals secrets.
 * Never: knows what an event means beyond "type"; decides when to sync (the run loop does).
 */
#include "base/event.h"
#include "codec/doc.h"
#include "world/world.h"

struct marks;

/* ---- the state folder ---- */

/*
 * One target's place: ROOT/<target>-<8 hex of the project's path>/ with lock, runs/<id>.jsonl.
 * ROOT is the state folder, or its "sandbox" part. Nothing is created before store_create.
 */
struct store;
struct store *store_new(struct world *world, const char *root, const char *project, const char *target);
void store_free(struct store *store); /* gives the lock back */
const char *store_folder(const struct store *store);
/* What tells this folder from every other one, on whatever machine; known while it is locked. */
enum { STORE_ID_SIZE = 17 };
void store_id(const struct store *store, char id[STORE_ID_SIZE]);
/* Makes the folders (0700); refuses one that is a link, somebody else's, or writable by others. */
int store_create(struct store *store, struct err *err) __attribute__((warn_unused_result));
/*
 * 0 taken, and the sealing key (0600) is there; 1 somebody has it: holder is their note (free it); -1 error. Who has it says by store_take_current
 * which run is acted on and by whom. At most one run of a target can be unfinished, and it is the one taken
 * last: store_current names it, so that nobody has to read the whole history to find it.
 */
int store_lock(struct store *store, char **holder, struct err *err) __attribute__((warn_unused_result));
int store_take_current(struct store *store, const char *run, const char *note, struct err *err) __attribute__((warn_unused_result));
char *store_current(struct store *store); /* a run's id, or NULL; free() */
int64_t store_last_number(struct store *store); /* of all runs; 0: none */

/* What the history says of a run, from its first and last records. Members borrowed from the summary. */
struct run_summary {
    char *id;
    int64_t number;
    struct doc *first; /* event "run" */
    struct doc *last;  /* newest "run.end", or NULL: it has no end */
    int exit;          /* -1: no end */
    int64_t began_ms, ended_ms;
    bool damaged; /* cannot be read; `trouble` says why */
    char *trouble;
};
/* One run's. False: it is not there. */
bool store_run_summary(struct store *store, const char *run, struct run_summary *summary);
void run_summary_clear(struct run_summary *run);
/* Newest last. Free with store_runs_free. A store that is not there has none. */
int store_runs(struct store *store, struct run_summary **runs, size_t *count, struct err *err)
    __attribute__((warn_unused_result));
void store_runs_free(struct run_summary *runs, size_t count);
bool run_summary_unfinished(const struct run_summary *run); /* no end, or ended with 3, 70, 130 */
/* A damaged journal gets another name (.jsonl.damaged): it is no run any more, and nobody's way is blocked. */
int store_set_aside(struct store *store, const char *run, struct err *err) __attribute__((warn_unused_result));
/* Removes the target's journals and lock (the sandbox's, whose cloud is emptied too). */
int store_clear(struct world *world, const char *root, const char *project, const char *target, struct err *err)
    __attribute__((warn_unused_result));
char *store_journal_path(const struct store *store, const char *run); /* free() */

/* ---- journal ----
 * A line is an event's JSON object with members more at its end: "synced", on the first line after a
 * sync, the length of the file that was known to be on disk by then; "prev", the first 32 hex digits of
 * SHA-256 over the line before (the first line: 32 zeros); "crc", CRC-32C over all before it. Secrets are
 * sealed in it. A line that is not whole is where a torn tail begins (a crash, a power loss that wrote
 * pages out of order), unless a later line's "synced" says that it was on disk once: then it is damage.
 */
struct journal;

enum { JOURNAL_FORMAT = 1 };

/* A fresh journal, under the lock; the file must not exist. Space is reserved ahead. */
struct journal *journal_create(struct store *store, struct marks *marks, const char *run, struct err *err);
/* Reads and verifies it, hands each event (borrowed) to fn, cuts a torn tail, goes on at its end. */
typedef int journal_read_fn(void *ctx, const struct doc *event, struct err *err);
struct journal *journal_resume(struct store *store, struct marks *marks, const char *run, journal_read_fn *fn, void *ctx,
                               struct err *err);
/* Only reads. marks NULL: secrets stay sealed. A damaged line is ERR_INTERNAL with explain R203 and its number, after
   the lines before it were handed out; a newer format R204. */
int journal_read(struct store *store, struct marks *marks, const char *run, journal_read_fn *fn, void *ctx, struct err *err)
    __attribute__((warn_unused_result));
/* The same over bytes, for tests and fuzzing. good (may be NULL): length of the valid part. */
int journal_scan(struct view text, struct marks *marks, const unsigned char *key, journal_read_fn *fn, void *ctx,
                 size_t *good, struct err *err) __attribute__((warn_unused_result));

/* The sink for the event bus: appends to memory; EVENT_INTENT asks for a sync in this turn. */
struct event_sink journal_sink(struct journal *journal);
/* fn(ctx, NULL) once everything appended so far is on disk; or an error when that failed. */
void journal_when_durable(struct journal *journal, void (*fn)(void *ctx, const struct err *err), void *ctx);
/* The same once it is in the file, whenever it comes to the disk: asks for no sync. */
void journal_when_written(struct journal *journal, void (*fn)(void *ctx, const struct err *err), void *ctx);
/* Once per loop turn: writes what was appended, syncs if asked for, tells those who wait. True when it told anyone. */
bool journal_turn(struct journal *journal);
/*
 * NULL, or why no new intent is taken any more. Disk full (ERR_QUOTA): what has begun is still recorded in the room
 * that was reserved. A failed write or sync: nothing is recorded any more.
 */
const struct err *journal_trouble(const struct journal *journal);
int64_t journal_syncs(const struct journal *journal);
void journal_free(struct journal *journal); /* writes and syncs what is left; who still waits is not told */
