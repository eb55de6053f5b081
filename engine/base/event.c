#include "base/event.h"
#include "base/buf.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Every type, in the order in which a run meets them. Journal and jsonl share them, so a type or a
 * member once released keeps its meaning; new members may be added, readers ignore what they do not
 * know. A member in brackets may be absent. `key` is a change's resource; an `error` member is an
 * object as doc_from_err makes it; times ending in _ms are wall clock, `ms` is a duration.
 */
static const struct event_type EVENTS[] = {
    /* The first line of a stream: who writes, in which format, doing what. Live only. */
    {"hello", "mode format dosrun playbook target world [args] [plan]"},
    /* A run begins: what is executed, where, with which arguments (secrets sealed). Opens the journal. */
    {"run", "id format dosrun playbook project target identity cluster words info name_key at_ms"},
    /* A file that the run read, whole, so that resume and rollback need no project. */
    {"bundle", "path text"},
    /* Where the target is locked, or who holds it. */
    {"lock", "where [owner] [since_ms] [epoch]"},
    /* How long it took so many times before, along the longest way through its steps. Live only. */
    {"estimate", "ms runs"},
    /* A generated secret, sealed in the journal, before its first use. */
    {"secret", "purpose value"},
    /* A step begins. */
    {"step.start", "index total"},
    /* A step ended: ok, fail, stopped, or again when it is retried; value is what it returned, kept for resume. */
    {"step.end", "outcome ms changes [value]"},
    /* Before a resource is touched: what is, what shall be, and the undo as data (first intent on it only). */
    {"change.intent", "key verb version class bound_ms want [before] [undo] [keep]"},
    /* The undo became known, or better known, while acting. */
    {"change.undo", "key undo"},
    /* The resource was looked at again: ok, fail or unknown; found when a crash had lost the outcome. */
    {"change.end", "key outcome [after] [found] [error]"},
    /* Looked at and found as wanted; nothing was sent. */
    {"change.same", "key verb"},
    /* In a plan: what a run would do, field by field; sign is +, ~ or -; undo says whether there is one. */
    {"change.would", "key verb class sign fields undo"},
    /* Before one attempt of a changing request leaves; logical is the same for its repetitions. */
    {"call.intent", "key attempt logical method url subject at_ms [undo] [guarded] [epoch]"},
    /* The end of that attempt; unknown: it may have happened all the same; lost: no answer came, it may yet arrive. */
    {"call.end", "key attempt [status] [ms] [lost] [unknown] [error]"},
    /* A reading call, after its end. */
    {"call.read", "attempt method url subject [status] [error]"},
    /* A lost call could still arrive until then; nothing is done to the resource before. */
    {"settle", "key until_ms"},
    /* Undoing begins: the run goes backward from here on, also when it is resumed; asked: by a rollback command. */
    {"run.back", "[asked]"},
    /* Undo of one change begins. */
    {"undo.start", "key"},
    /* Undo of one change ended; left lists what others changed since and is kept as it is. */
    {"undo.end", "key outcome [left] [error] [plan]"},
    /* Something is awaited: which object, which condition, its newest word. Live only. */
    {"wait", "object condition [newest] [since_ms]"},
    /* A line for people: of the playbook's own, of a child process, or a warning. */
    {"log", "level text"},
    /* A result for people: a table, or a text. */
    {"report", "[title] [columns] [rows] [text]"},
    /* Text of dosrun's own commands, as it is. Live only. */
    {"text", "text"},
    /* What differs from what is wanted; makes the exit code 2. */
    {"drift", "list"},
    /* A run goes on. */
    {"resume", "id"},
    /* Why the run does not go on, with its place in the playbook or manifest and the facts around it. */
    {"error", "kind message [explain] [file] [line] [source] [context]"},
    /* The run has its end, and how; never_struck: faults asked for that met no call. */
    {"run.end", "how exit changes same calls retries syncs ms at_ms [next] [never_struck]"},
    /* The last line of every jsonl stream, also on failure and interruption: the same facts. */
    {"summary", "how exit changes same calls retries syncs ms at_ms [next] [never_struck]"},
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
