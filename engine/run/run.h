#pragma once
/*
 * run: the order of steps, and the one loop in which everything happens.
 * Owns: which step may start, what it waits for, what a failure or a Ctrl-C does to the others.
 * Never: knows what a step does, talks to a service, writes to the journal (it emits events).
 */
#include "base/event.h"
#include "change/change.h"
#include "codec/doc.h"
#include "script/script.h"
#include "world/world.h"

struct journal;

/* ---- the loop (loop.c) ---- */

struct loop {
    struct world *world;
    struct script *script;   /* may be NULL */
    struct journal *journal; /* may be NULL: nothing is recorded (plan, reads) */
    bool (*journal_turn)(struct journal *journal);
    void (*turn)(void *ctx); /* once per turn, before waiting; may be NULL */
    void *ctx;
};
/* Turns until *done. False when nothing is left that could ever make it so (our fault). */
bool loop_until(struct loop *loop, const bool *done);

/* ---- steps (run.c) ---- */

struct run;

struct run_step {
    const char *name;
    const size_t *needs; /* indexes of steps declared before it */
    size_t needs_len;
    int64_t timeout_ms;  /* 0: none */
    int retry;           /* times it is tried again after a failure; 0 unless asked */
};

struct run_options {
    struct world *world;
    struct script *script;
    struct changes *changes;
    struct event_bus *bus;
    int max_parallel; /* steps side by side; 0: 8 */
    /* Makes the task of a step; from: object of the values that steps returned, by name. Borrowed. */
    struct task *(*step)(void *ctx, size_t index, const struct doc *from);
    void *ctx;
};

struct run *run_new(const struct run_options *options);
void run_free(struct run *run);
size_t run_step_add(struct run *run, const struct run_step *step); /* copied; returns its index */
size_t run_step_count(const struct run *run);
const char *run_step_name(const struct run *run, size_t index);
/* The longest way through the steps, when each takes ms_of(ctx, index); -1 when it says so of one. */
int64_t run_longest_ms(const struct run *run, int64_t (*ms_of)(void *ctx, size_t index), void *ctx);
/* A step that an earlier process finished: not repeated. Folds step.end events in by name. */
void run_replay(struct run *run, const struct doc *event);
/* Starts every step whose needs are met, and so on until all ended or one failed. done once, err NULL
   when all steps ended well; else the first failure. Steps under way are let to finish their calls and then
   cancelled; nothing is undone here. */
void run_forward(struct run *run, void (*done)(void *ctx, const struct err *err), void *ctx);
/* Ctrl-C: no new call starts; calls in flight are awaited. */
void run_stop(struct run *run, const struct err *why);
void run_turn(struct run *run); /* from the loop */
/* The step that failed first, and where in the playbook; NULL when none did. */
const char *run_failed_step(const struct run *run);
const struct place *run_failed_place(const struct run *run);
