/* Steps in their order: each starts when what it needs has ended well. */
#include "run/run.h"

#include <stdlib.h>
#include <string.h>

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_FAILED };

struct step {
    struct run *run;
    char *name;
    size_t index;
    size_t *needs;
    size_t needs_len;
    int64_t timeout_ms, began_ms;
    int retry;
    enum step_state state;
    struct task *task;
};

struct run {
    struct run_options options;
    struct step **steps;
    size_t count;
    struct doc *values;
    struct err failure; /* kind ERR_NONE: none so far */
    struct step *failed;
    struct place place;
    bool active, stopping, cancelled;
    void (*done)(void *ctx, const struct err *err);
    void *done_ctx;
};

struct run *run_new(const struct run_options *options)
{
    struct run *run = mem_alloc(sizeof(*run));

    run->options = *options;
    if (run->options.max_parallel < 1)
        run->options.max_parallel = 8;
    run->values = doc_object();
    run->failure = ERR_INIT;
    return run;
}

void run_free(struct run *run)
{
    if (!run)
        return;
    for (size_t i = 0; i < run->count; i++) {
        free(run->steps[i]->name);
        free(run->steps[i]->needs);
        free(run->steps[i]);
    }
    free(run->steps);
    doc_unref(run->values);
    free(run);
}

size_t run_step_add(struct run *run, const struct run_step *spec)
{
    struct step *step = mem_alloc(sizeof(*step));

    step->run = run;
    step->name = mem_text(spec->name);
    step->index = run->count;
    step->needs_len = spec->needs_len;
    step->needs = mem_array(spec->needs_len + 1, sizeof(*step->needs));
    if (spec->needs_len)
        memcpy(step->needs, spec->needs, spec->needs_len * sizeof(*step->needs));
    step->timeout_ms = spec->timeout_ms;
    step->retry = spec->retry;
    run->steps = mem_grow(run->steps, run->count + 1, sizeof(*run->steps));
    run->steps[run->count++] = step;
    return step->index;
}

size_t run_step_count(const struct run *run)
{
    return run->count;
}

const char *run_step_name(const struct run *run, size_t index)
{
    return run->steps[index]->name;
}

int64_t run_longest_ms(const struct run *run, int64_t (*ms_of)(void *ctx, size_t index), void *ctx)
{
    int64_t *end_ms = mem_array(run->count + 1, sizeof(*end_ms)), longest = 0;

    for (size_t i = 0; i < run->count && longest >= 0; i++) {
        const struct step *step = run->steps[i];
        int64_t ms = ms_of(ctx, i);

        end_ms[i] = 0;
        for (size_t k = 0; k < step->needs_len; k++)
            if (end_ms[step->needs[k]] > end_ms[i])
                end_ms[i] = end_ms[step->needs[k]];
        end_ms[i] += ms;
        longest = ms < 0 ? -1 : end_ms[i] > longest ? end_ms[i] : longest;
    }
    free(end_ms);
    return longest;
}

void run_replay(struct run *run, const struct doc *event)
{
    const char *name = doc_as_text(doc_get(event, "step"), "");

    if (strcmp(doc_as_text(doc_get(event, "type"), ""), "step.end") != 0 ||
        strcmp(doc_as_text(doc_get(event, "outcome"), ""), "ok") != 0)
        return;
    for (size_t i = 0; i < run->count; i++) {
        if (strcmp(run->steps[i]->name, name) != 0)
            continue;
        run->steps[i]->state = STEP_DONE;
        doc_set(run->values, name, doc_ref(doc_get(event, "value")));
    }
}

/* ---- one step ---- */

static void step_emit_end(struct step *step, const char *outcome, struct doc *value)
{
    struct doc *event = event_new("step.end");

    doc_set_text(event, "outcome", outcome);
    doc_set_int(event, "changes", changes_of_step(step->run->options.changes, step->name));
    doc_set_int(event, "ms", world_mono_ms(step->run->options.world) - step->began_ms);
    if (value)
        doc_set(event, "value", doc_ref(value));
    event_emit(step->run->options.bus, EVENT_NOTE, step->name, event);
}

static void step_fail(struct step *step, struct task *task, const struct err *err)
{
    struct run *run = step->run;
    bool stopped = run->failure.kind != ERR_NONE;

    step->state = STEP_FAILED;
    step_emit_end(step, stopped ? "stopped" : "fail", NULL);
    if (stopped)
        return;
    run->failed = step;
    if (task && task_place(task))
        run->place = *task_place(task);
    run_stop(run, err);
}

static void step_start(struct step *step);

static void step_ended(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err)
{
    struct step *step = ctx;
    struct run *run = step->run;
    struct doc *value = NULL;
    struct err wrong = ERR_INIT;

    step->task = NULL;
    if (err && step->retry > 0 && !run->stopping && err->kind != ERR_USAGE) {
        step->retry--;
        step_emit_end(step, "again", NULL);
        step_start(step);
        return;
    }
    if (!err && n > 0 && script_to_doc(L, -n, &value, &wrong) < 0) {
        err_context(&wrong, "the value that step \"%s\" returns", step->name);
        err = &wrong;
    }
    if (err) {
        step_fail(step, task, err);
    } else {
        step->state = STEP_DONE;
        doc_set(run->values, step->name, value ? doc_ref(value) : NULL);
        step_emit_end(step, "ok", value);
    }
    doc_unref(value);
}

static void step_start(struct step *step)
{
    struct run *run = step->run;
    struct doc *event = event_new("step.start");

    step->state = STEP_RUNNING;
    step->began_ms = world_mono_ms(run->options.world);
    doc_set_int(event, "index", (int64_t)step->index + 1);
    doc_set_int(event, "total", (int64_t)run->count);
    event_emit(run->options.bus, EVENT_NOTE, step->name, event);
    step->task = run->options.step(run->options.ctx, step->index, run->values);
    if (step->timeout_ms)
        task_deadline(step->task, step->began_ms + step->timeout_ms);
    task_on_end(step->task, step_ended, step);
    task_start(step->task);
}

static bool step_may_start(const struct step *step)
{
    if (step->state != STEP_WAITING)
        return false;
    for (size_t i = 0; i < step->needs_len; i++) {
        if (step->run->steps[step->needs[i]]->state != STEP_DONE)
            return false;
    }
    return true;
}

/* ---- all steps ---- */

static size_t run_in_state(const struct run *run, enum step_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < run->count; i++)
        count += run->steps[i]->state == state;
    return count;
}

void run_forward(struct run *run, void (*done)(void *ctx, const struct err *err), void *ctx)
{
    run->done = done;
    run->done_ctx = ctx;
    run->active = true;
    run_turn(run);
}

void run_stop(struct run *run, const struct err *why)
{
    struct err stopped = ERR_INIT;

    if (run->failure.kind == ERR_NONE)
        run->failure = *why;
    if (run->stopping)
        return;
    run->stopping = true;
    err_set(&stopped, ERR_CANCELLED, "the run is stopping: %s", why->message);
    changes_stop(run->options.changes, &stopped);
}

/* A stopping run lets every call in flight come home before it cancels what merely waits. */
static void run_stop_turn(struct run *run)
{
    struct err stopped = ERR_INIT;

    if (run->cancelled || changes_in_flight(run->options.changes))
        return;
    run->cancelled = true;
    err_set(&stopped, ERR_CANCELLED, "the run is stopping");
    for (size_t i = 0; i < run->count; i++) {
        if (run->steps[i]->task)
            task_cancel(run->steps[i]->task, &stopped);
    }
}

void run_turn(struct run *run)
{
    if (!run->active)
        return;
    if (run->stopping) {
        run_stop_turn(run);
    } else {
        size_t running = run_in_state(run, STEP_RUNNING);

        for (size_t i = 0; i < run->count && running < (size_t)run->options.max_parallel; i++) {
            if (!step_may_start(run->steps[i]))
                continue;
            step_start(run->steps[i]);
            running++;
        }
    }
    if (run_in_state(run, STEP_RUNNING))
        return;
    if (run->stopping || !run_in_state(run, STEP_WAITING)) {
        run->active = false;
        run->done(run->done_ctx, run->failure.kind ? &run->failure : NULL);
    }
}

const char *run_failed_step(const struct run *run)
{
    return run->failed ? run->failed->name : NULL;
}

const struct place *run_failed_place(const struct run *run)
{
    return run->place.line ? &run->place : NULL;
}
