/* The gate: who may pass, in which order, and what is remembered of it. */
#include "change_lab.h"
#include "unit.h"

#include <string.h>

#define URL "http://127.0.0.1/thing"

struct sent {
    bool done;
    struct err err;
};

static void sent_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct sent *sent = ctx;

    (void)answer;
    sent->done = true;
    sent->err = err ? *err : ERR_INIT;
}

static struct http_call *put(struct lab *lab, void *owner, struct sent *sent)
{
    static const struct http_fns fns = {.end = sent_end};
    const struct http_request request = {.method = "PUT",
                                         .url = URL,
                                         .body = VIEW_LITERAL("new"),
                                         .class = HTTP_CHANGES,
                                         .repeat = HTTP_REPEAT_NEVER,
                                         .attempts_max = 1,
                                         .subject = "put thing",
                                         .owner = owner};

    *sent = (struct sent){.err = ERR_INIT};
    return http_send(lab->http, &request, NULL, &fns, sent);
}

static struct change *opened(struct lab *lab, const char *key)
{
    const struct change_spec spec = {.step = "one", .verb = "lab.set", .version = 1, .key = key, .bound_ms = -1};
    struct err err = ERR_INIT;
    struct change *change = change_open(lab->changes, &spec, &err);

    CHECK_TEXT(err.message, "");
    return change;
}

static void at_once(void *ctx, const struct err *err)
{
    *(bool *)ctx = err == NULL;
}

static struct change *begun(struct lab *lab, const char *key)
{
    struct change *change = opened(lab, key);
    bool ready = false;

    change_begin(change, NULL, NULL, NULL, at_once, &ready);
    CHECK(ready);
    return change;
}

static void refused(enum change_mode mode, bool with_change, const char *words)
{
    struct lab lab;
    struct sent sent;
    struct change *change;

    lab_init(&lab, mode);
    change = with_change ? opened(&lab, "thing") : NULL;
    put(&lab, change, &sent);
    lab_wait(&lab, &sent.done);
    CHECK_INT(sent.err.kind, ERR_USAGE);
    CHECK_TEXT(sent.err.explain, "S401");
    if (!strstr(sent.err.message, words))
        CHECK_TEXT(sent.err.message, words);
    CHECK_TEXT(buf_text(&lab.log), "");
    CHECK(!changes_any(lab.changes));
    CHECK(!changes_in_flight(lab.changes));
    change_close(change);
    lab_clear(&lab);
}

TEST(what_changes_leaves_only_inside_an_act)
{
    refused(CHANGE_FORWARD, false, "outside of a verb; wrap it: dosrun.verb {");
    refused(CHANGE_FORWARD, true, "only being looked at");
    refused(CHANGE_PLAN, true, "a plan changes nothing");
    refused(CHANGE_READ, true, "this only reads");
}

TEST(the_intent_is_durable_before_the_first_byte)
{
    struct lab lab;
    struct sent sent;
    struct change *change;

    lab_init(&lab, CHANGE_FORWARD);
    lab.log_points = true;
    lab.hold = true;
    change = begun(&lab, "thing");
    put(&lab, change, &sent);
    for (int i = 0; i < 20; i++)
        lab_turn(&lab);
    CHECK_TEXT(buf_text(&lab.log), "crash 1 before\nintent 1\n");
    CHECK(changes_in_flight(lab.changes));
    lab.hold = false;
    lab_run(&lab);
    CHECK(sent.done);
    CHECK_TEXT(buf_text(&lab.log),
               "crash 1 before\nintent 1\ncrash 1 intent\nPUT " URL "\ncrash 1 answered\nend 1\ncrash 1 outcome\n");
    CHECK(!changes_in_flight(lab.changes));
    CHECK_INT(doc_as_int(doc_get(lab_last(&lab, "call.intent"), "epoch"), 0), 7);
    change_close(change);
    lab_clear(&lab);
}

TEST(a_journal_that_fails_lets_nothing_out)
{
    struct lab lab;
    struct sent sent;
    struct change *change;

    lab_init(&lab, CHANGE_FORWARD);
    change = begun(&lab, "thing");
    err_set(&lab.refuse, ERR_QUOTA, "no space");
    put(&lab, change, &sent);
    lab_run(&lab);
    CHECK(sent.done);
    CHECK_INT(sent.err.kind, ERR_QUOTA);
    CHECK(lab_get(&lab, URL) == NULL);
    CHECK(!changes_any(lab.changes));
    CHECK_INT(lab_count(&lab, "call.end"), 1); /* withdrawn, so that no resume waits for it */
    CHECK(!changes_in_flight(lab.changes));
    change_close(change);
    lab_clear(&lab);
}

TEST(a_stopped_set_refuses_from_a_later_turn)
{
    struct lab lab;
    struct sent sent;
    struct change *change;
    struct err why = ERR_INIT;

    lab_init(&lab, CHANGE_FORWARD);
    change = begun(&lab, "thing");
    err_set(&why, ERR_CANCELLED, "the run is stopping");
    changes_stop(lab.changes, &why);
    put(&lab, change, &sent);
    CHECK(!sent.done);
    lab_run(&lab);
    CHECK(sent.done);
    CHECK_INT(sent.err.kind, ERR_CANCELLED);
    CHECK_INT(lab_count(&lab, "call.intent"), 0);
    changes_stop(lab.changes, NULL);
    put(&lab, change, &sent);
    lab_run(&lab);
    CHECK_INT(sent.err.kind, ERR_NONE);
    change_close(change);
    lab_clear(&lab);
}

TEST(a_lock_about_to_end_is_waited_for_and_then_given_up)
{
    struct lab lab;
    struct sent sent;
    struct change *change;
    int64_t begin;

    lab_init(&lab, CHANGE_FORWARD);
    change = begun(&lab, "thing");
    begin = lab.now_ms;
    lab.lease_until_ms = lab.now_ms - 1;
    put(&lab, change, &sent);
    for (int i = 0; i < 10; i++)
        lab_turn(&lab);
    CHECK_INT(lab_count(&lab, "call.intent"), 0);
    lab.lease_until_ms = INT64_MAX; /* renewed */
    lab_run(&lab);
    CHECK_INT(sent.err.kind, ERR_NONE);
    lab.lease_until_ms = lab.now_ms - 1;
    put(&lab, change, &sent);
    lab_run(&lab);
    CHECK_INT(sent.err.kind, ERR_CONFLICT);
    CHECK(lab.now_ms - begin >= 60000);
    CHECK_INT(lab_count(&lab, "call.intent"), 1);
    change_close(change);
    lab_clear(&lab);
}

/* A task that is cancelled closes its change while its call still waits at the gate, or is in flight. */
TEST(a_change_closed_under_its_call_lives_until_the_call_ended)
{
    for (int sent_already = 0; sent_already < 2; sent_already++) {
        struct lab lab;
        struct sent sent;
        struct change *change;
        struct http_call *call;

        lab_init(&lab, CHANGE_FORWARD);
        change = begun(&lab, "thing");
        lab.hold = !sent_already;
        lab.faults[1] = LAB_HANGS;
        call = put(&lab, change, &sent);
        for (int i = 0; i < 20; i++)
            lab_turn(&lab);
        http_cancel(call);
        change_close(change);
        lab.hold = false;
        lab_run(&lab);
        CHECK(!sent.done);
        CHECK(!changes_in_flight(lab.changes));
        CHECK_INT(lab_count(&lab, "call.end"), 1);
        CHECK_INT(doc_get(lab_last(&lab, "call.end"), "lost") != NULL, sent_already);
        CHECK(lab_get(&lab, URL) == NULL);
        lab_clear(&lab);
    }
}

TEST(one_resource_at_a_time)
{
    const struct change_spec spec = {.step = "two", .verb = "lab.set", .key = "thing"};
    struct lab lab;
    struct change *change;
    struct err err = ERR_INIT;

    lab_init(&lab, CHANGE_FORWARD);
    change = opened(&lab, "thing");
    CHECK(change_open(lab.changes, &spec, &err) == NULL);
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK(strstr(err.message, "step \"one\"") != NULL);
    change_close(change);
    change = change_open(lab.changes, &spec, &err);
    CHECK(change != NULL);
    change_close(change);
    lab_clear(&lab);
}

TEST(a_repeated_call_keeps_its_logical_number)
{
    struct lab lab;
    const struct doc *intent;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LOST_BEFORE;
    lab_set_with(&lab, "one", URL, "new", (struct lab_options){.guarded = true});
    lab_set_with(&lab, "one", URL, "new", (struct lab_options){.guarded = true});
    intent = lab_last(&lab, "call.intent");
    CHECK_INT(doc_as_int(doc_get(intent, "attempt"), 0), 2);
    CHECK_INT(doc_as_int(doc_get(intent, "logical"), 0), 1);
    lab_clear(&lab);
}

static void local_done(void *ctx, const struct err *refused)
{
    *(enum err_kind *)ctx = refused ? refused->kind : ERR_NONE;
}

TEST(an_act_on_this_machine_waits_for_its_intent_too)
{
    enum err_kind told = ERR_INTERNAL;
    struct lab lab;
    struct change *change;

    lab_init(&lab, CHANGE_FORWARD);
    lab.hold = true;
    change = opened(&lab, "file x");
    change_local(change, "x", local_done, &told);
    CHECK_INT(told, ERR_USAGE); /* before begin: only looked at */
    change_close(change);
    change = begun(&lab, "file x");
    told = ERR_INTERNAL;
    change_local(change, "x", local_done, &told);
    lab_run(&lab);
    CHECK_INT(told, ERR_INTERNAL);
    CHECK(changes_in_flight(lab.changes));
    lab.hold = false;
    lab_run(&lab);
    CHECK_INT(told, ERR_NONE);
    CHECK(changes_any(lab.changes));
    change_close(change);
    lab_clear(&lab);
}

TEST(same_is_told_and_costs_nothing)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab_put(&lab, URL, "new");
    lab_set(&lab, "one", URL, "new");
    CHECK_INT(changes_count(lab.changes).same, 1);
    CHECK_INT(changes_count(lab.changes).changed, 0);
    CHECK_INT(doc_size(lab.events), 1);
    CHECK_INT(lab.syncs, 0);
    CHECK(!changes_any(lab.changes));
    lab_clear(&lab);
}

TEST(a_resource_changed_twice_is_one_change)
{
    struct lab lab;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set(&lab, "one", URL, "first");
    lab_set(&lab, "two", URL, "second");
    lab_set(&lab, "two", URL "/2", "other");
    CHECK_INT(changes_count(lab.changes).changed, 2);
    CHECK_INT(changes_of_step(lab.changes, "one"), 0);
    CHECK_INT(changes_of_step(lab.changes, "two"), 2);
    CHECK(doc_get(lab_last(&lab, "change.intent"), "undo") != NULL);
    lab_clear(&lab);
}

TEST(a_lock_owner_passes_unrecorded)
{
    static const char owner[] = "lock";
    struct lab lab;
    struct sent sent;

    lab_init(&lab, CHANGE_READ);
    changes_free(lab.changes);
    lab.options.lock_owner = owner;
    lab.changes = changes_new(&lab.options);
    http_set_gate(lab.http, changes_gate(lab.changes));
    put(&lab, (void *)(uintptr_t)owner, &sent);
    lab_run(&lab);
    CHECK_INT(sent.err.kind, ERR_NONE);
    CHECK_INT(doc_size(lab.events), 0);
    lab_clear(&lab);
}
