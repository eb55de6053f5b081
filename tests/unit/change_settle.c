/* Outcomes that nobody knows: told as such, waited for, and found again. */
#include "change_lab.h"
#include "unit.h"

#include <string.h>

#define URL "http://127.0.0.1/thing"

static void mark(void *ctx)
{
    *(bool *)ctx = true;
}

static int64_t settle_takes_ms(struct lab *lab)
{
    int64_t begin = lab->now_ms;
    bool done = false;

    changes_settle(lab->changes, mark, &done);
    lab_wait(lab, &done);
    return lab->now_ms - begin;
}

TEST(a_lost_answer_is_unknown_and_waited_for)
{
    struct lab lab;
    struct err err;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_BEFORE;
    err = lab_set(&lab, "one", URL, "new");
    CHECK(err.kind != ERR_NONE);
    CHECK(err.maybe_done);
    CHECK_TEXT(doc_path_text(lab_last(&lab, "change.end"), "outcome", NULL), "unknown");
    CHECK_INT(changes_count(lab.changes).unknown, 1);
    CHECK_INT(settle_takes_ms(&lab), 90000);
    CHECK_INT(lab_count(&lab, "settle"), 1);
    lab_clear(&lab);
}

TEST(its_bound_is_the_kinds_own)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_BEFORE;
    lab_set_with(&lab, "one", URL, "new", (struct lab_options){.bound_ms = 240000});
    CHECK_INT(settle_takes_ms(&lab), 240000);
    lab_clear(&lab);
}

TEST(what_is_guarded_needs_no_wait)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_BEFORE;
    lab_set_with(&lab, "one", URL, "new", (struct lab_options){.guarded = true});
    CHECK_TEXT(doc_path_text(lab_last(&lab, "change.end"), "outcome", NULL), "unknown");
    CHECK_INT(settle_takes_ms(&lab), 0);
    lab_clear(&lab);
}

TEST(a_refusal_is_no_unknown)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_DENIED;
    lab_set(&lab, "one", URL, "new");
    CHECK_TEXT(doc_path_text(lab_last(&lab, "change.end"), "outcome", NULL), "fail");
    CHECK_INT(changes_count(lab.changes).unknown, 0);
    CHECK_INT(settle_takes_ms(&lab), 0);
    lab_clear(&lab);
}

/* Answered, though badly: it may have acted, but nothing of it is on its way any more. */
TEST(an_answered_500_is_unknown_and_not_lost)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab_put(&lab, URL, "old");
    lab.faults[1] = LAB_500_AFTER;
    lab_set(&lab, "one", URL, "new");
    CHECK(doc_get(lab_last(&lab, "call.end"), "unknown") != NULL);
    CHECK(doc_get(lab_last(&lab, "call.end"), "lost") == NULL);
    CHECK_TEXT(doc_path_text(lab_last(&lab, "change.end"), "outcome", NULL), "ok"); /* found as wanted */
    CHECK_INT(settle_takes_ms(&lab), 0);
    lab_clear(&lab);
}

/* The retry's good answer tells of the first try too: it is known that the resource is as wanted. */
TEST(a_repeat_that_was_answered_ends_the_doubt)
{
    struct lab lab;
    struct err err;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_AFTER;
    err = lab_set_with(&lab, "one", URL, "new", (struct lab_options){.attempts_max = 5});
    CHECK_INT(err.kind, ERR_NONE);
    CHECK_INT(lab_count(&lab, "call.intent"), 2);
    CHECK_TEXT(doc_path_text(lab_last(&lab, "change.end"), "outcome", NULL), "ok");
    CHECK_INT(changes_count(lab.changes).unknown, 0);
    lab_clear(&lab);
}

TEST(the_next_act_waits_for_the_lost_one)
{
    struct lab lab;
    int64_t begin;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LATE;
    lab_set(&lab, "one", URL, "first");
    begin = lab.now_ms;
    lab_set(&lab, "one", URL, "second");
    CHECK(lab.now_ms - begin >= 90000);
    lab_run(&lab);
    CHECK_TEXT(lab_get(&lab, URL), "second"); /* the late one came before, and is gone over */
    lab_clear(&lab);
}

TEST(a_call_that_a_crash_left_open_is_waited_for)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set_with(&lab, "one", URL, "new", (struct lab_options){.leave_open = true});
    /* The outcome was written: nothing to wait for. Without it the call counts as open. */
    CHECK_INT(settle_takes_ms(&lab), 0);
    for (size_t i = doc_size(lab.events); i-- > 0;) {
        if (strcmp(doc_path_text(doc_at(lab.events, i), "type", NULL), "call.end") == 0)
            doc_remove_at(lab.events, i);
    }
    lab_crash(&lab);
    CHECK_INT(settle_takes_ms(&lab), 90000);
    lab_clear(&lab);
}

TEST(a_stop_ends_the_wait)
{
    struct lab lab;
    struct err why = ERR_INIT;
    bool done = false;
    int64_t begin;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_BEFORE;
    lab_set(&lab, "one", URL, "new");
    begin = lab.now_ms;
    changes_settle(lab.changes, mark, &done);
    lab_turn(&lab);
    CHECK(!done);
    err_set(&why, ERR_CANCELLED, "Ctrl-C");
    changes_stop(lab.changes, &why);
    lab_wait(&lab, &done);
    CHECK_INT(lab.now_ms - begin, 0);
    lab_clear(&lab);
}

/* A failed step has stopped the set already when its end is settled: that is no hurry. */
TEST(a_stop_before_the_wait_does_not_shorten_it)
{
    struct lab lab;
    struct err why = ERR_INIT;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_BEFORE;
    lab_set(&lab, "one", URL, "new");
    err_set(&why, ERR_CANCELLED, "the run is stopping");
    changes_stop(lab.changes, &why);
    CHECK_INT(settle_takes_ms(&lab), 90000);
    lab_clear(&lab);
}
