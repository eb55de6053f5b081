/*
 * The gate: every attempt that may change something comes by here. Its intent is on disk before its
 * first byte leaves; how it ended is appended after. Both carry the attempt's number, by which
 * crashes are aimed.
 */
#include "change/change.h"
#include "change/record.h"

#include <stdlib.h>
#include <string.h>

enum { LEASE_LOOK_MS = 250, LEASE_PATIENCE_MS = 60000 };

struct admission {
    struct list link;
    struct change *change;
    uint64_t attempt, logical;
    char *method, *url, *subject, *token;
    bool guarded, written;
    int64_t asked_ms;
    struct timer *timer;
    void (*admitted)(void *ctx, const struct err *refused);
    void *ctx;
};

static void admission_free(struct admission *admission)
{
    list_remove(&admission->link);
    timer_stop(admission->timer);
    free(admission->method);
    free(admission->url);
    free(admission->subject);
    free(admission->token);
    free(admission);
}

/* Its intent is in the journal, and it is not sent: said there too, or a resume would wait for its answer. */
static void admission_withdraw(const struct admission *admission, const struct err *refused)
{
    struct record *record = admission->change->record;
    struct past_call *call = record_call_find(record, admission->attempt);
    struct doc *event = event_new("call.end");

    doc_set_text(event, "key", record->key);
    doc_set_int(event, "attempt", (int64_t)admission->attempt);
    doc_set(event, "error", doc_from_err(refused));
    changes_emit(admission->change->changes, EVENT_NOTE, record, event);
    record_call_ended(record, call, false, false, false);
}

static void admission_end(struct admission *admission, const struct err *refused)
{
    void (*admitted)(void *, const struct err *) = admission->admitted;
    struct change *change = admission->change;
    struct err why = refused ? *refused : ERR_INIT;
    void *ctx = admission->ctx;

    if (refused) {
        if (admission->written)
            admission_withdraw(admission, &why);
        change->changes->in_flight--;
    }
    admission_free(admission);
    admitted(ctx, refused ? &why : NULL);
    if (refused)
        change_unref_call(change);
}

static void admission_durable(void *ctx, const struct err *err)
{
    struct admission *admission = ctx;

    if (!err) {
        admission->change->changes->any = true;
        world_crash_point(admission->change->changes->options.world, admission->attempt, CRASH_INTENT);
    }
    admission_end(admission, err);
}

static void admission_write(struct admission *admission)
{
    struct changes *changes = admission->change->changes;
    struct record *record = admission->change->record;
    struct doc *event = event_new("call.intent");
    struct past_call *call;

    world_crash_point(changes->options.world, admission->attempt, CRASH_BEFORE);
    doc_set_text(event, "key", record->key);
    doc_set_int(event, "attempt", (int64_t)admission->attempt);
    doc_set_int(event, "logical", (int64_t)admission->logical);
    doc_set_text(event, "method", admission->method);
    doc_set_text(event, "url", admission->url);
    doc_set_text(event, "subject", admission->subject);
    doc_set_text(event, "token", admission->token);
    doc_set_int(event, "at_ms", world_now_ms(changes->options.world));
    if (admission->change->backward)
        doc_set_bool(event, "undo", true);
    if (admission->guarded)
        doc_set_bool(event, "guarded", true);
    if (changes->options.epoch)
        doc_set_int(event, "epoch", changes->options.epoch(changes->options.lock_ctx));
    call = record_call_add(record, admission->attempt, admission->logical, admission->method, admission->url,
                           admission->subject);
    call->guarded = admission->guarded;
    call->sent_ms = world_now_ms(changes->options.world);
    admission->written = true;
    changes_emit(changes, EVENT_INTENT, record, event);
    changes_durable(changes, admission_durable, admission);
}

/* The lock must last as long as the call may take; a renewal under way is waited for. */
static void admission_look(void *ctx)
{
    struct admission *admission = ctx;
    struct changes *changes = admission->change->changes;
    int64_t now = world_now_ms(changes->options.world);
    struct err lost = ERR_INIT;

    admission->timer = NULL;
    if (changes->stop.kind) {
        admission_end(admission, &changes->stop);
    } else if (!changes->options.acts_until || now < changes->options.acts_until(changes->options.lock_ctx)) {
        admission_write(admission);
    } else if (now - admission->asked_ms < LEASE_PATIENCE_MS) {
        admission->timer = timer_start(changes->options.world, LEASE_LOOK_MS, admission_look, admission);
    } else {
        err_set(&lost, ERR_CONFLICT,
                "the target's lock could not be renewed for %d s; nothing more is changed without it",
                LEASE_PATIENCE_MS / 1000);
        admission_end(admission, &lost);
    }
}

static void admission_start(struct change *change, uint64_t attempt, uint64_t logical, const char *method,
                            const char *url, const char *subject, const char *token, bool guarded,
                            void (*admitted)(void *, const struct err *), void *ctx)
{
    struct admission *admission = mem_alloc(sizeof(*admission));
    struct changes *changes = change->changes;

    admission->change = change;
    admission->attempt = attempt;
    admission->logical = logical;
    admission->method = mem_text(method);
    admission->url = mem_text(url);
    admission->subject = mem_text(subject);
    admission->token = mem_text(token);
    admission->guarded = guarded;
    admission->asked_ms = world_now_ms(changes->options.world);
    admission->admitted = admitted;
    admission->ctx = ctx;
    list_add_tail(&changes->waiting, &admission->link);
    changes->in_flight++;
    change->calls++;
    if (changes->stop.kind) /* refusals come from a later turn, as all callbacks do */
        admission->timer = timer_start(changes->options.world, 0, admission_look, admission);
    else
        admission_look(admission);
}

/* An outcome on its way into the journal, for the crash point behind it. */
struct outcome {
    struct list link;
    struct world *world;
    uint64_t attempt;
};

static void outcome_free(struct outcome *outcome)
{
    list_remove(&outcome->link);
    free(outcome);
}

static void outcome_written(void *ctx, const struct err *err)
{
    struct outcome *outcome = ctx;

    if (!err)
        world_crash_point(outcome->world, outcome->attempt, CRASH_OUTCOME);
    outcome_free(outcome);
}

/* An admitted attempt has ended. err->maybe_done without any answer means that it may yet arrive. */
static void attempt_end(struct change *change, uint64_t attempt, int status, const struct err *err)
{
    struct changes *changes = change->changes;
    struct record *record = change->record;
    struct past_call *call = record_call_find(record, attempt);
    struct doc *event = event_new("call.end");
    struct outcome *outcome = mem_alloc(sizeof(*outcome));
    bool unknown = err && err->maybe_done, lost = unknown && status == 0;

    changes->in_flight--;
    doc_set_text(event, "key", record->key);
    doc_set_int(event, "attempt", (int64_t)attempt);
    if (status)
        doc_set_int(event, "status", status);
    if (err)
        doc_set(event, "error", doc_from_err(err));
    if (lost)
        doc_set_bool(event, "lost", true);
    if (unknown)
        doc_set_bool(event, "unknown", true);
    doc_set_int(event, "ms", world_now_ms(changes->options.world) - call->sent_ms);
    record_call_ended(record, call, lost, unknown, !err);
    changes_emit(changes, EVENT_NOTE, record, event);
    outcome->world = changes->options.world;
    outcome->attempt = attempt;
    list_add_tail(&changes->outcomes, &outcome->link);
    change_unref_call(change);
    changes_written(changes, outcome_written, outcome);
}

/* ---- HTTP ---- */

static void http_admitted(void *ctx, const struct err *refused)
{
    http_gate_open(ctx, refused);
}

static int refuse(const struct changes *changes, const struct change *change, const char *what, struct err *err)
{
    if (changes->options.mode == CHANGE_PLAN)
        err_set(err, ERR_USAGE, "%s would change something, and a plan changes nothing", what);
    else if (changes->options.mode == CHANGE_READ)
        err_set(err, ERR_USAGE, "%s would change something, and this only reads (reads = true)", what);
    else if (!change)
        err_set(err, ERR_USAGE,
                "%s would change something outside of a verb; wrap it: dosrun.verb { \"name\", key = ..., look = ..., "
                "want = ..., "
                "act = function(i) ... end, undo = ... }",
                what);
    else
        err_set(err, ERR_USAGE,
                "%s would change something, but %s is only being looked at; only `act` and `undo` may change", what,
                change->record->key);
    err_explain(err, "S401");
    return -1;
}

static void gate_enter(void *ctx, struct http_call *call, const struct http_request *request, uint64_t attempt,
                       uint64_t logical)
{
    struct changes *changes = ctx;
    struct change *change = request->owner;
    struct err err = ERR_INIT;

    if (request->owner && request->owner == changes->options.lock_owner) {
        world_crash_point(changes->options.world, attempt, CRASH_BEFORE);
        world_crash_point(changes->options.world, attempt, CRASH_INTENT);
        http_gate_open(call, NULL);
        return;
    }
    if (!change || !change->acting || changes->options.mode != CHANGE_FORWARD) {
        refuse(changes, change, request->subject ? request->subject : request->method, &err);
        http_gate_open(call, &err);
        return;
    }
    admission_start(change, attempt, logical, request->method, request->url, request->subject, request->token,
                    request->guarded, http_admitted, call);
}

static void gate_leave(void *ctx, const struct http_request *request, uint64_t attempt,
                       const struct http_answer *answer, const struct err *err)
{
    struct changes *changes = ctx;

    if (request->owner == changes->options.lock_owner) {
        world_crash_point(changes->options.world, attempt, CRASH_OUTCOME);
        return;
    }
    attempt_end(request->owner, attempt, answer ? answer->status : 0, err);
}

static void gate_read(void *ctx, const struct http_request *request, uint64_t attempt, const struct http_answer *answer,
                      const struct err *err)
{
    struct changes *changes = ctx;
    struct doc *event = event_new("call.read");

    doc_set_int(event, "attempt", (int64_t)attempt);
    doc_set_text(event, "method", request->method);
    doc_set_text(event, "url", request->url);
    doc_set_text(event, "subject", request->subject);
    if (answer && answer->status)
        doc_set_int(event, "status", answer->status);
    if (err)
        doc_set(event, "error", doc_from_err(err));
    changes_emit(changes, EVENT_NOTE, NULL, event);
}

struct http_gate changes_gate(struct changes *changes)
{
    return (struct http_gate){.enter = gate_enter, .leave = gate_leave, .read = gate_read, .ctx = changes};
}

/* ---- processes ---- */

struct change_process {
    struct change *change;
    struct process *process;
    struct process_fns fns;
    void *ctx;
    uint64_t attempt;
    bool admitted, cancelled;
    /* the request, kept until the gate opens */
    struct process_request request;
    char **argv, **env;
    char *cwd, *input;
};

static char **texts_copy(const char *const *texts)
{
    size_t count = 0;
    char **copy;

    if (!texts)
        return NULL;
    while (texts[count])
        count++;
    copy = mem_array(count + 1, sizeof(*copy));
    for (size_t i = 0; i < count; i++)
        copy[i] = mem_text(texts[i]);
    return copy;
}

static void texts_free(char **texts)
{
    for (size_t i = 0; texts && texts[i]; i++)
        free(texts[i]);
    free(texts);
}

static void change_process_free(struct change_process *process)
{
    texts_free(process->argv);
    texts_free(process->env);
    free(process->cwd);
    free(process->input);
    free(process);
}

static void process_output(void *ctx, int fd, struct view bytes)
{
    struct change_process *process = ctx;

    process->fns.output(process->ctx, fd, bytes);
}

static void process_end(void *ctx, int status, const struct err *err)
{
    struct change_process *process = ctx;
    struct process_fns fns = process->fns;
    void *fns_ctx = process->ctx;
    struct err failed = ERR_INIT;

    world_crash_point(process->change->changes->options.world, process->attempt, CRASH_ANSWERED);
    if (!err && status != 0) {
        err_set(&failed, ERR_SERVER, "exit status %d", status);
        failed.maybe_done = true;
    }
    attempt_end(process->change, process->attempt, status, err ? err : failed.kind ? &failed : NULL);
    change_process_free(process);
    fns.end(fns_ctx, status, err);
}

static void process_admitted(void *ctx, const struct err *refused)
{
    static const struct process_fns fns = {.output = process_output, .end = process_end};
    struct change_process *process = ctx;
    struct err cancelled = ERR_INIT;

    if (process->cancelled) {
        if (!refused) {
            err_set(&cancelled, ERR_CANCELLED, "cancelled before it started");
            attempt_end(process->change, process->attempt, 0, &cancelled);
        }
        change_process_free(process);
    } else if (refused) {
        process->fns.end(process->ctx, -1, refused);
        change_process_free(process);
    } else {
        process->admitted = true;
        process->process = process_start(process->change->changes->options.world, &process->request, &fns, process);
    }
}

struct change_process *change_process_start(struct change *change, const struct process_request *request,
                                            const struct process_fns *fns, void *ctx)
{
    struct change_process *process = mem_alloc(sizeof(*process));
    struct changes *changes = change->changes;

    process->change = change;
    process->fns = *fns;
    process->ctx = ctx;
    process->attempt = world_attempt(changes->options.world);
    process->argv = texts_copy(request->argv);
    process->env = texts_copy(request->env);
    process->cwd = mem_text(request->cwd);
    process->input = mem_view(request->input);
    process->request = *request;
    process->request.attempt = process->attempt;
    process->request.logical = change_logical(change, "exec", request->argv[0]);
    if (!process->request.logical)
        process->request.logical = process->attempt;
    process->request.changes = true;
    process->request.backward = change->backward;
    process->request.argv = (const char *const *)process->argv;
    process->request.env = (const char *const *)process->env;
    process->request.cwd = process->cwd;
    process->request.input.ptr = process->input;
    admission_start(change, process->attempt, process->request.logical, "exec", request->argv[0], NULL, NULL, false,
                    process_admitted, process);
    return process;
}

void change_process_cancel(struct change_process *process)
{
    struct err cancelled = ERR_INIT;

    if (!process->admitted) {
        process->cancelled = true;
        return;
    }
    process_cancel(process->process);
    err_set(&cancelled, ERR_CANCELLED, "killed");
    cancelled.maybe_done = true;
    attempt_end(process->change, process->attempt, 0, &cancelled);
    change_process_free(process);
}

/* ---- this machine ---- */

struct local_act {
    struct list link;
    struct changes *changes;
    void (*fn)(void *ctx, const struct err *refused);
    void *ctx;
};

static void local_durable(void *ctx, const struct err *err)
{
    struct local_act *local = ctx, act = *local;

    list_remove(&local->link);
    free(local);
    act.changes->in_flight--;
    act.changes->any |= !err;
    act.fn(act.ctx, err);
}

void change_local(struct change *change, const char *what, void (*fn)(void *ctx, const struct err *refused), void *ctx)
{
    struct changes *changes = change->changes;
    struct err err = ERR_INIT;
    struct local_act *act;

    if (!change->acting || changes->options.mode != CHANGE_FORWARD) {
        refuse(changes, change, what, &err);
        fn(ctx, &err);
        return;
    }
    if (changes->stop.kind) {
        fn(ctx, &changes->stop);
        return;
    }
    act = mem_alloc(sizeof(*act));
    act->changes = changes;
    act->fn = fn;
    act->ctx = ctx;
    changes->in_flight++;
    list_add_tail(&changes->locals, &act->link);
    changes_durable(changes, local_durable, act);
}

void gate_free(struct changes *changes)
{
    while (!list_empty(&changes->waiting))
        admission_free(LIST_OF(changes->waiting.next, struct admission, link));
    while (!list_empty(&changes->outcomes))
        outcome_free(LIST_OF(changes->outcomes.next, struct outcome, link));
    while (!list_empty(&changes->locals)) {
        struct local_act *act = LIST_OF(changes->locals.next, struct local_act, link);

        list_remove(&act->link);
        free(act);
    }
}
