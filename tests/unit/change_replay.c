/* What a new process makes of the journal is what the old one knew: over random runs. */
#include "change_lab.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESOURCES = 4, ACTS = 12, RUNS = 300 };

struct draw {
    uint64_t state;
};

static unsigned draw(struct draw *draw, unsigned below)
{
    draw->state = draw->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(draw->state >> 33) % below;
}

static bool count_equal(struct changes_count a, struct changes_count b)
{
    return a.changed == b.changed && a.same == b.same && a.unknown == b.unknown && a.undone == b.undone &&
           a.left == b.left;
}

static void mark(void *ctx)
{
    *(bool *)ctx = true;
}

/* The live set and one made of its journal alone agree in all that can be asked. */
static void check_equal(struct lab *lab, unsigned seed)
{
    struct changes *again = changes_new(&lab->options);
    struct doc *live = changes_list(lab->changes), *replayed;

    lab_fold(lab, again);
    replayed = changes_list(again);
    if (!doc_equal(live, replayed) || !count_equal(changes_count(lab->changes), changes_count(again)) ||
        changes_past_pivot(lab->changes) != changes_past_pivot(again) ||
        changes_any(lab->changes) != changes_any(again))
        unit_fail(__FILE__, __LINE__, "seed %u: the replayed set differs", seed);
    doc_unref(live);
    doc_unref(replayed);
    changes_free(again);
}

static void act(struct lab *lab, struct draw *random)
{
    static const enum lab_fault faults[] = {LAB_OK,   LAB_OK,     LAB_OK,        LAB_LOST_BEFORE, LAB_LOST_AFTER,
                                            LAB_LATE, LAB_DENIED, LAB_500_AFTER, LAB_OK,          LAB_OK};
    static const char *const texts[] = {"alpha", "beta", "gamma", NULL};
    bool guarded = draw(random, 3) == 0;
    char url[64], step[16];

    snprintf(url, sizeof(url), "http://127.0.0.1/%u", draw(random, RESOURCES));
    snprintf(step, sizeof(step), "step %u", draw(random, 3));
    for (uint64_t i = 1; i <= 3; i++) {
        enum lab_fault fault = faults[draw(random, 10)];

        /* Guarded means that the server refuses what comes late. */
        lab->faults[lab->base.attempts + i] = guarded && fault == LAB_LATE ? LAB_LOST_BEFORE : fault;
    }
    lab_set_with(lab, step, url, texts[draw(random, 4)],
                 (struct lab_options){.keep = draw(random, 4) == 0,
                                      .guarded = guarded,
                                      .attempts_max = 1 + (int)draw(random, 3),
                                      .leave_open = draw(random, 8) == 0});
}

static struct doc *first_state(struct lab *lab, struct draw *random)
{
    for (unsigned i = 0; i < RESOURCES; i++) {
        char url[64];

        snprintf(url, sizeof(url), "http://127.0.0.1/%u", i);
        if (draw(random, 2))
            lab_put(lab, url, "before");
    }
    return doc_copy(lab->server);
}

static bool state_equal(const struct doc *a, const struct doc *b)
{
    if (doc_size(a) != doc_size(b))
        return false;
    DOC_EACH(member, a)
    {
        if (!doc_equal(member.value, doc_get(b, member.key)))
            return false;
    }
    return true;
}

static void one_run(unsigned seed)
{
    struct lab lab;
    struct lab_undo undo;
    struct draw random = {seed};
    struct doc *before;
    bool settled = false;

    lab_init(&lab, CHANGE_FORWARD);
    before = first_state(&lab, &random);
    for (int i = 0; i < ACTS; i++) {
        act(&lab, &random);
        check_equal(&lab, seed);
        if (draw(&random, 10) == 0)
            lab_crash(&lab);
    }
    memset(lab.faults, 0, sizeof(lab.faults));
    if (draw(&random, 2))
        lab_crash(&lab);
    lab_undo(&lab, false, &undo);
    changes_settle(lab.changes, mark, &settled);
    lab_wait(&lab, &settled);
    lab_run(&lab);
    if (undo.report.left || undo.report.failed)
        unit_fail(__FILE__, __LINE__, "seed %u: %d left, %d failed", seed, undo.report.left, undo.report.failed);
    if (!state_equal(before, lab.server))
        unit_fail(__FILE__, __LINE__, "seed %u: it is not as before", seed);
    check_equal(&lab, seed);
    doc_unref(undo.list);
    doc_unref(before);
    lab_clear(&lab);
}

TEST(random_runs_replay_to_what_they_were_and_are_undone)
{
    for (unsigned seed = 1; seed <= RUNS; seed++)
        one_run(seed);
}

static void fold_one(struct changes *changes, const char *text, int want)
{
    struct doc *event = event_new(text);
    struct err err = ERR_INIT;

    CHECK_INT(changes_replay(changes, event, &err), want);
    doc_unref(event);
}

TEST(an_event_without_its_resource_is_damage_and_strange_ones_are_skipped)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    fold_one(lab.changes, "change.intent", -1);
    fold_one(lab.changes, "call.end", -1);
    fold_one(lab.changes, "undo.end", -1);
    fold_one(lab.changes, "call.read", 0);
    fold_one(lab.changes, "step.end", 0);
    fold_one(lab.changes, "a.word.of.tomorrow", 0);
    lab_clear(&lab);
}
