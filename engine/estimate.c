/* How long a run will take: the longest way through its steps, each as long as it usually was. */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_MIN = 3, RUNS_MAX = 9 };

struct estimate {
    int64_t *ms[RUNS_MAX]; /* of each earlier run: by step, -1: it had none */
    size_t runs, steps;
    const struct run *run;
};

static int step_seen(void *ctx, const struct doc *event, struct err *err)
{
    struct estimate *estimate = ctx;
    const char *step = doc_as_text(doc_get(event, "step"), "");

    (void)err;
    if (strcmp(doc_as_text(doc_get(event, "type"), ""), "step.end") != 0 ||
        strcmp(doc_as_text(doc_get(event, "outcome"), ""), "ok") != 0)
        return 0;
    for (size_t i = 0; i < estimate->steps; i++)
        if (strcmp(run_step_name(estimate->run, i), step) == 0)
            estimate->ms[estimate->runs][i] = doc_as_int(doc_get(event, "ms"), -1);
    return 0;
}

/* A run of the same playbook with the same arguments that went well. */
static bool is_like(struct dosrun *dosrun, const struct run_summary *summary, const struct doc *words)
{
    return !summary->damaged && summary->exit == EXIT_DONE &&
           strcmp(doc_as_text(doc_get(summary->first, "playbook"), ""), dosrun->playbook_path) == 0 &&
           doc_equal(doc_get(summary->first, "words"), words);
}

static int by_size(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static int64_t median_ms(void *ctx, size_t step)
{
    const struct estimate *estimate = ctx;
    int64_t all[RUNS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < estimate->runs; i++)
        if (estimate->ms[i][step] >= 0)
            all[count++] = estimate->ms[i][step];
    if (count < RUNS_MIN)
        return -1;
    qsort(all, count, sizeof(all[0]), by_size);
    return all[count / 2];
}

static void read_run(struct dosrun *dosrun, struct estimate *estimate, const char *id)
{
    struct err ignored = ERR_INIT;
    int64_t *ms = mem_array(estimate->steps, sizeof(*ms));

    for (size_t i = 0; i < estimate->steps; i++)
        ms[i] = -1;
    estimate->ms[estimate->runs] = ms;
    if (journal_read(dosrun->store, NULL, id, step_seen, estimate, &ignored) == 0)
        estimate->runs++;
    else
        free(ms); /* history that cannot be read is no reason to say anything here: `dosrun runs` does */
}

void estimate_tell(struct dosrun *dosrun, struct doc *words)
{
    struct estimate estimate = {.run = dosrun->run, .steps = run_step_count(dosrun->run)};
    struct run_summary *runs = NULL;
    struct err ignored = ERR_INIT;
    size_t count = 0;
    int64_t ms = -1;

    if (estimate.steps && store_runs(dosrun->store, &runs, &count, &ignored) == 0) {
        for (size_t i = count; i-- > 0 && estimate.runs < RUNS_MAX;)
            if (is_like(dosrun, &runs[i], words))
                read_run(dosrun, &estimate, runs[i].id);
        store_runs_free(runs, count);
    }
    if (estimate.runs >= RUNS_MIN)
        ms = run_longest_ms(dosrun->run, median_ms, &estimate);
    if (ms >= 0) {
        struct doc *event = event_new("estimate");

        doc_set_int(event, "ms", ms);
        doc_set_int(event, "runs", (int64_t)estimate.runs);
        event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
    }
    for (size_t i = 0; i < estimate.runs; i++)
        free(estimate.ms[i]);
    doc_unref(words);
}
