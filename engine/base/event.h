#pragma once
/*
 * The event: what happened, once, for journal, screen and jsonl alike. An event is a JSON object
 * with the members "type", "seq", "time" (RFC 3339, UTC, ms), "run" and, inside a step, "step";
 * the rest depends on the type (EVENTS in event.c lists them all, with their members).
 */
#include "base/err.h"
#include <stddef.h>
#include <stdint.h>

struct doc;

/* Where an event goes. Durable events are written to the journal; live ones are for people only. */
enum event_weight {
    EVENT_LIVE,   /* progress: shown, never journalled */
    EVENT_NOTE,   /* journalled, without a sync of its own */
    EVENT_INTENT, /* must be on disk before what it announces happens */
};

struct event_sink {
    /* `event` is borrowed for the call. A journal's failure is reported through its own error state. */
    void (*event)(void *ctx, enum event_weight weight, const struct doc *event);
    void *ctx;
};

struct event_bus;

/* now_ms: wall clock of the world. stamp: fills seq, time, run, step into the event (needs codec). */
typedef int64_t event_clock_fn(void *ctx);
typedef void event_stamp_fn(struct doc *event, uint64_t seq, int64_t time_ms, const char *run, const char *step);
typedef void event_unref_fn(struct doc *event); /* doc_unref: base may not call codec */

/* One type of event: its word and, for people, its members beside the common ones. */
struct event_type {
    const char *name;
    const char *members;
};
const struct event_type *event_type_get(const char *name); /* NULL for a word that is not one */
const struct event_type *event_types(size_t *count);

struct event_bus *event_bus_new(event_clock_fn *clock, void *ctx, event_stamp_fn *stamp, event_unref_fn *unref);
void event_bus_free(struct event_bus *bus);
void event_bus_run(struct event_bus *bus, const char *run, uint64_t first_seq); /* run NULL: none yet */
void event_bus_add(struct event_bus *bus, struct event_sink sink);
void event_bus_remove(struct event_bus *bus, void *ctx);

/* Takes `event` (an object made with event_new of codec/doc.h); returns its seq. step may be NULL.
   Sinks are called in the order of their adding; none of them may emit. */
uint64_t event_emit(struct event_bus *bus, enum event_weight weight, const char *step, struct doc *event);
