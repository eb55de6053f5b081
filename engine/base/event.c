#include "base/event.h"
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Every type, in the order in which a run meets them. Journal and jsonl share them, so a type or a
 * member once released keeps its meaning; new members may be added, readers ignore what they do not
 * know. A member in brackets may be absent.
 */
static const struct event_type EVENTS[] = {
    /* The first line of every jsonl stream and of every journal: who writes, and in which format. */
    {"hello", "format dosrun command world [seed] [pid] [host]"},
    /* A run begins: what is executed, where, with which arguments (secrets sealed), from which bundle. */
    {"run", "playbook target kind identity args [values] bundle on_failure [plan] [resumes]"},
    /* The lock was taken, is awaited, was taken over, or was given back. */
    {"lock", "state where [owner] [since] [epoch] [only]"},
    /* A step begins; attempt counts from 1 over resumes too. */
    {"step.start", "attempt [needs]"},
    /* A step ended; value is what it returned (kept for resume). */
    {"step.end", "outcome ms [value] [changes] [error]"},
    /* Written before a resource is touched: what is, what shall be, and the undo as data. */
    {"change.intent", "change verb resource action before want undo class [diff] [again]"},
    /* The resource was looked at again: what it is now, and whether that is what was wanted. */
    {"change.end", "change outcome ms [after] [undo] [error]"},
    /* Looked at and found as wanted; nothing was sent. */
    {"change.same", "verb resource"},
    /* In a plan: what a run would do. */
    {"change.would", "verb resource action class [diff] [note]"},
    /* Written before a changing request or process leaves; token is what makes a repetition harmless. */
    {"call.intent", "call [change] kind summary [token] [digest]"},
    /* The answer of a changing call, or that none came (outcome unknown, until when it stays so). */
    {"call.end", "call outcome ms [status] [request_id] [until] [error]"},
    /* A reading call, after its end. */
    {"call.read", "kind summary outcome ms [status] [error]"},
    /* Undo of one change begins; three-way decides what is done. */
    {"undo.start", "change resource decision [reason]"},
    /* Undo of one change ended: undone, skipped, left (with why) or failed. */
    {"undo.end", "change outcome ms [reason] [error]"},
    /* Something is awaited: which object, which condition, and the newest word about it. Live only. */
    {"wait", "resource condition [state] [ms] [timeout_ms]"},
    /* A line for people: of the playbook's own, of a child process, or a warning. */
    {"log", "level message [source] [line]"},
    /* An unknown outcome was cleared up: the change happened, or it did not. */
    {"settle", "call outcome [waited_ms] [how]"},
    /* A run goes on: from which record, whether with edited files, and what differs in them. */
    {"resume", "from edited [differs] [host] [pid]"},
    /* An error that belongs to no step or call. */
    {"error", "error"},
    /* The run has its end: done, undone, stopped, left; with the exit code. */
    {"run.end", "outcome exit ms [error] [left] [doubt] [next]"},
    /* The last line of every jsonl stream, also on failure and interruption. */
    {"summary", "outcome exit ms [steps] [changes] [calls] [next] [error]"},
};
enum { EVENT_COUNT = sizeof(EVENTS) / sizeof(EVENTS[0]) };

struct event_bus {
    event_clock_fn *clock;
    void *clock_ctx;
    event_stamp_fn *stamp;
    event_unref_fn *unref;
    char *run;
    uint64_t seq;
    struct event_sink *sinks;
    size_t sink_count;
    bool emitting;
};

const struct event_type *event_type_get(const char *name)
{
    for (size_t i = 0; name && i < EVENT_COUNT; i++) {
        if (strcmp(EVENTS[i].name, name) == 0)
            return &EVENTS[i];
    }
    return NULL;
}

const struct event_type *event_types(size_t *count)
{
    *count = EVENT_COUNT;
    return EVENTS;
}

struct event_bus *event_bus_new(event_clock_fn *clock, void *ctx, event_stamp_fn *stamp, event_unref_fn *unref)
{
    struct event_bus *bus = mem_alloc(sizeof(*bus));

    *bus = (struct event_bus){.clock = clock, .clock_ctx = ctx, .stamp = stamp, .unref = unref, .seq = 1};
    return bus;
}

void event_bus_free(struct event_bus *bus)
{
    if (!bus)
        return;
    free(bus->run);
    free(bus->sinks);
    free(bus);
}

void event_bus_run(struct event_bus *bus, const char *run, uint64_t first_seq)
{
    char *copy = mem_text(run);

    free(bus->run);
    bus->run = copy;
    bus->seq = first_seq;
}

void event_bus_add(struct event_bus *bus, struct event_sink sink)
{
    assert(!bus->emitting);
    bus->sinks = mem_grow(bus->sinks, bus->sink_count + 1, sizeof(sink));
    bus->sinks[bus->sink_count++] = sink;
}

void event_bus_remove(struct event_bus *bus, void *ctx)
{
    size_t kept = 0;

    assert(!bus->emitting);
    for (size_t i = 0; i < bus->sink_count; i++) {
        if (bus->sinks[i].ctx != ctx)
            bus->sinks[kept++] = bus->sinks[i];
    }
    bus->sink_count = kept;
}

uint64_t event_emit(struct event_bus *bus, enum event_weight weight, const char *step, struct doc *event)
{
    uint64_t seq = bus->seq++;

    /* An event made by a sink would reach the other sinks before the one that caused it. */
    assert(!bus->emitting);
    bus->emitting = true;
    bus->stamp(event, seq, bus->clock(bus->clock_ctx), bus->run, step);
    for (size_t i = 0; i < bus->sink_count; i++)
        bus->sinks[i].event(bus->sinks[i].ctx, weight, event);
    bus->emitting = false;
    bus->unref(event);
    return seq;
}
