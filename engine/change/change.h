#pragma once
/*
 * change: the heart: one resource made different by a verb: look, intent, send, outcome, undo.
 * Owns: the set of changes of a run, the gate before every changing call, the undo vocabulary's
 * executor, the wait that settles unknown outcomes.
 * Never: runs Lua, chooses an order of steps, reads a journal file (events are handed in).
 */
#include "base/event.h"
#include "base/undo.h"
#include "codec/doc.h"
#include "http/http.h"
#include "world/world.h"

struct changes;
struct change;

enum change_mode {
    CHANGE_FORWARD,
    CHANGE_PLAN, /* the gate says "would": nothing changing leaves */
    CHANGE_READ, /* a reading playbook, or no run at all: the gate is shut */
};

/* What the changes of a run stand on. All borrowed. */
struct changes_options {
    struct world *world;
    struct http *http;
    struct event_bus *bus;
    enum change_mode mode;
    int max_parallel; /* undos side by side */
    /* Tells when all events emitted so far are on disk (journal_when_durable). NULL: at once. */
    void (*durable)(void *ctx, void (*fn)(void *fn_ctx, const struct err *err), void *fn_ctx);
    /* The same without asking for a sync (journal_when_written): outcomes need none of their own. */
    void (*written)(void *ctx, void (*fn)(void *fn_ctx, const struct err *err), void *fn_ctx);
    void *durable_ctx;
    /* Wall time until which the lock lets calls begin; INT64_MAX without a shared lock. Its epoch. */
    int64_t (*acts_until)(void *ctx);
    int64_t (*epoch)(void *ctx);
    void *lock_ctx;
    const void *lock_owner; /* requests of this owner are the lock's own and pass the gate unrecorded */
};

struct changes *changes_new(const struct changes_options *options);
void changes_free(struct changes *changes);
/* The gate for http_set_gate; it serves this run until changes_free. */
struct http_gate changes_gate(struct changes *changes);
/* No new call starts any more (Ctrl-C, a failed step), of an undo neither, and waits for lost calls end;
   those in flight go on. why NULL: calls may start again. */
void changes_stop(struct changes *changes, const struct err *why);
enum change_mode changes_mode(const struct changes *changes);

/* ---- one change, driven by a verb ---- */

struct change_spec {
    const char *step;
    const char *verb;     /* "kube.apply" */
    int version;          /* of the verb: its undo data is read by this version's undo */
    const char *key;      /* identity of the resource in the target: "Deployment dos-game/game-doom" */
    const char *class;    /* "reversible", "compensable", "pivot", "until:TIME" */
    int64_t bound_ms;     /* "not found" after a lost answer is not believed before this; -1: 90 s */
    bool keep;            /* its step is a savepoint: automatic rollback leaves it */
};

/* A key that is open already in this run, or a change inside another one's act, is ERR_USAGE. */
struct change *change_open(struct changes *changes, const struct change_spec *spec, struct err *err);
const char *change_key(const struct change *change);
/* What was found before this run's first act on the resource: set from the journal when there was one. */
bool change_acted(const struct change *change);
const struct doc *change_before(const struct change *change);
const struct doc *change_undo(const struct change *change);
/* It is there now. Where a call of ours alone can have made it, that call need not be waited for any more. */
void change_seen(struct change *change);
/* Nothing to do: it is as wanted. */
void change_same(struct change *change);
/* Plan: what would be done. fields: array of {path, old, new, owner}; sign '+', '~' or '-'. Takes the docs. */
void change_would(struct change *change, char sign, struct doc *fields, const struct doc *undo);
/*
 * From here its calls pass the gate. before, want, undo are copied by reference; when this run acted on
 * the resource before, the first before and undo stay. Waits, if an earlier outcome of this key is
 * unknown, until that is settled: `ready` is called once, perhaps later.
 */
void change_begin(struct change *change, const struct doc *before, const struct doc *want, const struct doc *undo,
                  void (*ready)(void *ctx, const struct err *err), void *ctx);
/* A better undo, known only after the act's first answer (a uid): journalled at once. */
void change_undo_set(struct change *change, const struct doc *undo);
/* How it ended: after is what look found, NULL when that is not known. err NULL: ok. */
void change_finish(struct change *change, const struct doc *after, const struct err *err);
/* The change is over; its record stays with the run. Unfinished acts are recorded as unknown. */
void change_close(struct change *change);
bool change_acting(const struct change *change);
bool change_is_backward(const struct change *change); /* part of an undo */
/* Did any attempt of the act so far end without telling whether it acted? */
bool change_unknown(const struct change *change);
/* The logical number of an earlier call of this change with the same method and URL; 0 when there was none. */
uint64_t change_logical(const struct change *change, const char *method, const char *url);
/* The same by what people call it, where many operations share one URL. */
uint64_t change_logical_subject(const struct change *change, const char *subject);

/* A child process that changes something: passes the gate as calls do. fns as process_start. */
struct change_process;
struct change_process *change_process_start(struct change *change, const struct process_request *request,
                                            const struct process_fns *fns, void *ctx);
void change_process_cancel(struct change_process *process);

/* An act on this machine's disk, which no attempt is counted for: intent first, then fn, then the outcome. */
void change_local(struct change *change, const char *what, void (*fn)(void *ctx, const struct err *refused), void *ctx);

/* ---- the set ---- */

struct changes_count {
    /* changed: resources acted on, each once, however often. */
    int changed, same, would, unknown, pivots, undone, left;
};
struct changes_count changes_count(const struct changes *changes);
/* How many resources this step acted on last. */
int changes_of_step(const struct changes *changes, const char *step);
/* True once a pivot has begun: such a run only goes forward or stops. */
bool changes_past_pivot(const struct changes *changes);
/* Has any changing call been admitted? A failure before that leaves nothing to undo. */
bool changes_any(const struct changes *changes);
/* Folds one event of the journal in, in order (resume, rollback). Others than its own are ignored. */
int changes_replay(struct changes *changes, const struct doc *event, struct err *err) __attribute__((warn_unused_result));

/* Calls done once nothing is in flight any more and no outcome could still come late (or changes_stop came meanwhile). */
void changes_settle(struct changes *changes, void (*done)(void *ctx), void *ctx);
bool changes_in_flight(const struct changes *changes);

/* ---- backward ---- */

void changes_undo_handler(struct changes *changes, struct undo_handler handler);

struct undo_report {
    int undone, already, left, failed;
    const struct doc *list; /* array of {key, what, manager?}: what was left, and why */
    struct err err;         /* the first failure; kind ERR_NONE when there was none */
};
/*
 * Undoes every change of the run that is not undone yet, in reverse: a change waits for all that began
 * after it ended. What was left because others had changed it is looked at again. automatic: keep = true
 * steps stay. plan: only tells. done once, report borrowed.
 */
void changes_undo(struct changes *changes, bool automatic, bool plan,
                  void (*done)(void *ctx, const struct undo_report *report), void *ctx);
/* Gives the undo data up: `abandon`. */
void changes_abandon(struct changes *changes);
/* An array of {key, verb, step, undo, state} of all that was acted on, in the order in which they would be undone. */
struct doc *changes_list(const struct changes *changes);
