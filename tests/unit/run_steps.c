/* Steps: their order, what a failure does to the others, stops, deadlines, retries, replay. */
#include "change_lab.h"
#include "unit.h"

#include "run/run.h"
#include "script/script.h"

#include <lua.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 8 };

/* A step's code sees `from`, and wait(NAME), which goes on when the test says so. */
struct spec {
    const char *name, *code;
    size_t needs[4], needs_len;
    int64_t timeout_ms;
    int retry;
};

struct show {
    struct lab lab;
    struct script *script;
    struct run *run;
    const struct spec *specs;
    struct list waits;
    struct buf said; /* "start a\n", "end a ok\n", "cancel x\n" */
    bool done;
    struct err err;
};

struct wait {
    struct op op; /* first */
    struct list link;
    struct show *show;
    char *name;
};

static int wait_push(lua_State *L, struct op *op, struct err *err)
{
    (void)op;
    (void)err;
    lua_pushliteral(L, "waited");
    return 1;
}

static void wait_cancel(struct op *op)
{
    struct wait *wait = (struct wait *)(void *)op;

    buf_addf(&wait->show->said, "cancel %s\n", wait->name);
}

static void wait_free(struct op *op)
{
    struct wait *wait = (struct wait *)(void *)op;

    list_remove(&wait->link);
    free(wait->name);
    free(wait);
}

static int wait_lua(lua_State *L)
{
    struct show *show = lua_touserdata(L, lua_upvalueindex(1));
    struct wait *wait = mem_alloc(sizeof(*wait));

    wait->op = (struct op){.push = wait_push, .cancel = wait_cancel, .free = wait_free};
    wait->show = show;
    wait->name = mem_text(lua_tostring(L, 1));
    list_add_tail(&show->waits, &wait->link);
    return task_wait(L, &wait->op);
}

static struct task *step_task(void *ctx, size_t index, const struct doc *from)
{
    struct show *show = ctx;
    struct err err = ERR_INIT;
    struct task *task;

    script_push_doc(script_lua(show->script), from);
    script_global(show->script, "from");
    task = task_load(show->script, show->specs[index].name, &err);
    CHECK_TEXT(err.message, "");
    return task;
}

static void said(void *ctx, enum event_weight weight, const struct doc *event)
{
    struct show *show = ctx;
    const char *type = doc_path_text(event, "type", NULL), *step = doc_path_text(event, "step", NULL);

    (void)weight;
    if (strcmp(type, "step.start") == 0)
        buf_addf(&show->said, "start %s\n", step);
    if (strcmp(type, "step.end") == 0)
        buf_addf(&show->said, "end %s %s\n", step, doc_path_text(event, "outcome", NULL));
}

static int64_t lab_clock(void *ctx)
{
    return ((struct show *)ctx)->lab.now_ms;
}

/* A step's code is a project file of its name. */
static int read_code(void *ctx, const char *path, struct buf *out, struct err *err)
{
    const struct show *show = ctx;

    for (size_t i = 0; show->specs[i].name; i++) {
        if (strcmp(show->specs[i].name, path) == 0) {
            buf_add_text(out, show->specs[i].code);
            return 0;
        }
    }
    return err_set(err, ERR_MISSING, "%s: no such file", path);
}

static void all_done(void *ctx, const struct err *err)
{
    struct show *show = ctx;

    CHECK(!show->done); /* once */
    show->done = true;
    show->err = err ? *err : ERR_INIT;
}

static void show_init(struct show *show, const struct spec *specs, int max_parallel)
{
    const struct script_options script = {.read = read_code, .mono_ms = lab_clock, .ctx = show};
    struct run_options options = {.step = step_task, .ctx = show, .max_parallel = max_parallel};

    *show = (struct show){.specs = specs, .err = ERR_INIT};
    lab_init(&show->lab, CHANGE_FORWARD);
    buf_init(&show->said, 1 << 16);
    list_init(&show->waits);
    event_bus_add(show->lab.bus, (struct event_sink){.event = said, .ctx = show});
    show->script = script_new(&script);
    lua_pushlightuserdata(script_lua(show->script), show);
    lua_pushcclosure(script_lua(show->script), wait_lua, 1);
    script_global(show->script, "wait");
    options.world = &show->lab.base;
    options.script = show->script;
    options.changes = show->lab.changes;
    options.bus = show->lab.bus;
    show->run = run_new(&options);
    for (size_t i = 0; specs[i].name; i++) {
        const struct run_step step = {.name = specs[i].name,
                                      .needs = specs[i].needs,
                                      .needs_len = specs[i].needs_len,
                                      .timeout_ms = specs[i].timeout_ms,
                                      .retry = specs[i].retry};

        CHECK_INT(run_step_add(show->run, &step), i);
    }
}

/* Turns until nothing more happens by itself. */
static void show_turn(struct show *show)
{
    bool busy = true;

    for (int turns = 0; busy && turns < 100; turns++) {
        size_t len = show->said.len;

        script_expire(show->script);
        busy = script_run_ready(show->script);
        run_turn(show->run);
        busy = busy || show->said.len != len;
    }
}

static void show_begin(struct show *show)
{
    run_forward(show->run, all_done, show);
    show_turn(show);
}

static void go_on(struct show *show, const char *name)
{
    LIST_EACH_SAFE(link, &show->waits)
    {
        struct wait *wait = LIST_OF(link, struct wait, link);

        if (strcmp(wait->name, name) == 0) {
            task_ready(&wait->op);
            show_turn(show);
            return;
        }
    }
    CHECK_TEXT(name, "somebody who waits for it");
}

static void show_clear(struct show *show)
{
    script_free(show->script);
    run_free(show->run);
    event_bus_remove(show->lab.bus, show);
    buf_free(&show->said);
    lab_clear(&show->lab);
}

TEST(a_step_waits_for_what_it_needs_alone)
{
    static const struct spec specs[] = {
        {.name = "a", .code = "wait 'a' return { n = 1 }"},
        {.name = "b", .code = "wait 'b' return 2"},
        {.name = "c", .needs = {0}, .needs_len = 1, .code = "wait 'c' return from.a.n + 10"},
        {.name = "d", .needs = {1, 2}, .needs_len = 2, .code = "return from.b + from.c"},
        {0}};
    struct show show;
    const struct doc *end;

    show_init(&show, specs, 0);
    show_begin(&show);
    CHECK_TEXT(buf_text(&show.said), "start a\nstart b\n");
    go_on(&show, "b");
    CHECK_TEXT(buf_text(&show.said), "start a\nstart b\nend b ok\n");
    go_on(&show, "a");
    CHECK_TEXT(buf_text(&show.said), "start a\nstart b\nend b ok\nend a ok\nstart c\n");
    CHECK(!show.done);
    go_on(&show, "c");
    CHECK(show.done);
    CHECK_INT(show.err.kind, ERR_NONE);
    end = lab_last(&show.lab, "step.end");
    CHECK_TEXT(doc_path_text(end, "step", NULL), "d");
    CHECK_INT(doc_as_int(doc_get(end, "value"), 0), 13);
    CHECK_INT(doc_as_int(doc_get(end, "changes"), -1), 0);
    CHECK(run_failed_step(show.run) == NULL);
    show_clear(&show);
}

TEST(no_more_steps_side_by_side_than_asked_for)
{
    static const struct spec specs[] = {
        {.name = "a", .code = "wait 'a'"}, {.name = "b", .code = "wait 'b'"}, {.name = "c", .code = "wait 'c'"}, {0}};
    struct show show;

    show_init(&show, specs, 2);
    show_begin(&show);
    CHECK_TEXT(buf_text(&show.said), "start a\nstart b\n");
    go_on(&show, "b");
    CHECK_TEXT(buf_text(&show.said), "start a\nstart b\nend b ok\nstart c\n");
    go_on(&show, "c");
    go_on(&show, "a");
    CHECK(show.done);
    show_clear(&show);
}

TEST(a_failure_cancels_what_waits_and_starts_nothing_more)
{
    static const struct spec specs[] = {{.name = "a", .code = "wait 'a'\nerror('broken')"},
                                        {.name = "b", .code = "pcall(wait, 'b') pcall(wait, 'b') wait 'b'"},
                                        {.name = "c", .needs = {0}, .needs_len = 1, .code = "return 1"},
                                        {0}};
    struct show show;

    show_init(&show, specs, 0);
    show_begin(&show);
    go_on(&show, "a");
    CHECK(show.done);
    CHECK_TEXT(buf_text(&show.said), "start a\nstart b\nend a fail\ncancel b\nend b stopped\n");
    CHECK(strstr(show.err.message, "broken") != NULL);
    CHECK_TEXT(run_failed_step(show.run), "a");
    REQUIRE(run_failed_place(show.run) != NULL);
    CHECK_INT(run_failed_place(show.run)->line, 2);
    show_clear(&show);
}

static void never(void *ctx, const struct http_answer *answer, const struct err *err)
{
    (void)answer;
    (void)err;
    *(bool *)ctx = true;
}

static void ready(void *ctx, const struct err *err)
{
    *(bool *)ctx = err == NULL;
}

/* A call in flight comes home before anybody is cancelled. */
TEST(a_stop_awaits_the_calls_in_flight)
{
    static const struct spec specs[] = {{.name = "a", .code = "wait 'a'"}, {0}};
    static const struct http_fns fns = {.end = never};
    const struct change_spec thing = {.step = "a", .verb = "v", .key = "thing", .bound_ms = -1};
    struct http_request request = {
        .method = "PUT", .url = "http://127.0.0.1/t", .class = HTTP_CHANGES, .attempts_max = 1};
    struct show show;
    struct change *change;
    struct err err = ERR_INIT, why = ERR_INIT;
    bool begun = false, answered = false;

    show_init(&show, specs, 0);
    show_begin(&show);
    change = change_open(show.lab.changes, &thing, &err);
    change_begin(change, NULL, NULL, NULL, ready, &begun);
    CHECK(begun);
    request.owner = change;
    http_send(show.lab.http, &request, NULL, &fns, &answered);
    show.lab.hold = true;
    for (int i = 0; i < 5; i++)
        lab_turn(&show.lab);
    err_set(&why, ERR_CANCELLED, "interrupted by Ctrl-C");
    run_stop(show.run, &why);
    show_turn(&show);
    CHECK(!show.done);
    CHECK_TEXT(buf_text(&show.said), "start a\n");
    show.lab.hold = false;
    lab_run(&show.lab);
    CHECK(answered);
    show_turn(&show);
    CHECK(show.done);
    CHECK_TEXT(buf_text(&show.said), "start a\ncancel a\nend a stopped\n");
    CHECK_INT(show.err.kind, ERR_CANCELLED);
    CHECK_TEXT(show.err.message, "interrupted by Ctrl-C");
    change_close(change);
    show_clear(&show);
}

TEST(a_step_that_takes_too_long_ends)
{
    static const struct spec specs[] = {{.name = "a", .timeout_ms = 5000, .code = "pcall(wait, 'x') wait 'y'"}, {0}};
    struct show show;

    show_init(&show, specs, 0);
    show_begin(&show);
    show.lab.now_ms += 4999;
    show_turn(&show);
    CHECK(!show.done);
    show.lab.now_ms += 1;
    show_turn(&show);
    CHECK(show.done);
    CHECK_INT(show.err.kind, ERR_TIMEOUT);
    CHECK_TEXT(buf_text(&show.said), "start a\ncancel x\nend a fail\n");
    show_clear(&show);
}

TEST(a_step_is_tried_again_as_often_as_it_says)
{
    static const struct spec specs[] = {
        {.name = "a", .retry = 2, .code = "wait 'a' error({ kind = 'network', message = 'gone' })"}, {0}};
    struct show show;

    show_init(&show, specs, 0);
    show_begin(&show);
    go_on(&show, "a");
    go_on(&show, "a");
    CHECK(!show.done);
    go_on(&show, "a");
    CHECK(show.done);
    CHECK_TEXT(buf_text(&show.said), "start a\nend a again\nstart a\nend a again\nstart a\nend a fail\n");
    show_clear(&show);
}

TEST(a_stopping_run_tries_nothing_again)
{
    static const struct spec specs[] = {{.name = "a", .retry = 9, .code = "wait 'a'"}, {0}};
    struct show show;
    struct err why = ERR_INIT;

    show_init(&show, specs, 0);
    show_begin(&show);
    err_set(&why, ERR_CANCELLED, "Ctrl-C");
    run_stop(show.run, &why);
    show_turn(&show);
    CHECK(show.done);
    CHECK_TEXT(buf_text(&show.said), "start a\ncancel a\nend a stopped\n");
    show_clear(&show);
}

TEST(a_value_that_is_no_data_fails_its_step)
{
    static const struct spec specs[] = {{.name = "a", .code = "return { f = function() end }"}, {0}};
    struct show show;

    show_init(&show, specs, 0);
    show_begin(&show);
    CHECK(show.done);
    CHECK(strstr(show.err.message, "the value that step \"a\" returns") != NULL);
    show_clear(&show);
}

/* What an earlier process finished is not repeated, and its value is there; what failed or was stopped is. */
TEST(finished_steps_are_not_repeated)
{
    static const struct spec specs[] = {
        {.name = "a", .code = "error('again')"},
        {.name = "b", .code = "return 'b anew'"},
        {.name = "c", .needs = {0, 1}, .needs_len = 2, .code = "return from.a .. ' and ' .. from.b"},
        {0}};
    static const char *const outcomes[] = {"fail", "ok", "stopped", "again"}, *const names[] = {"a", "a", "b", "b"};
    struct show show;

    show_init(&show, specs, 0);
    for (int i = 0; i < 4; i++) {
        struct doc *event = event_new("step.end");

        doc_set_text(event, "step", names[i]);
        doc_set_text(event, "outcome", outcomes[i]);
        doc_set_text(event, "value", "a kept");
        run_replay(show.run, event);
        doc_unref(event);
    }
    show_begin(&show);
    CHECK(show.done);
    CHECK_TEXT(show.err.message, "");
    CHECK_TEXT(buf_text(&show.said), "start b\nend b ok\nstart c\nend c ok\n");
    CHECK_TEXT(doc_path_text(lab_last(&show.lab, "step.end"), "value", NULL), "a kept and b anew");
    show_clear(&show);
}

TEST(a_run_without_steps_is_done)
{
    static const struct spec specs[] = {{0}};
    struct show show;

    show_init(&show, specs, 0);
    show_begin(&show);
    CHECK(show.done);
    CHECK_INT(show.err.kind, ERR_NONE);
    show_clear(&show);
}

/* ---- the loop ---- */

static void fired(void *ctx)
{
    *(bool *)ctx = true;
}

TEST(the_loop_ends_when_done_or_when_nothing_is_left)
{
    struct lab lab;
    struct loop loop;
    bool done = false;

    lab_init(&lab, CHANGE_FORWARD);
    loop = (struct loop){.world = &lab.base};
    timer_start(&lab.base, 100, fired, &done);
    CHECK(loop_until(&loop, &done));
    done = false;
    CHECK(!loop_until(&loop, &done));
    done = true;
    CHECK(loop_until(&loop, &done));
    lab_clear(&lab);
}

static int64_t ms_of(void *ctx, size_t index)
{
    return ((const int64_t *)ctx)[index];
}

TEST(the_longest_way_counts_steps_side_by_side_once)
{
    static const struct spec specs[] = {{.name = "a", .code = "return 1"},
                                        {.name = "b", .code = "return 1"},
                                        {.name = "c", .code = "return 1", .needs = {0, 1}, .needs_len = 2},
                                        {.name = "d", .code = "return 1", .needs = {1}, .needs_len = 1},
                                        {0}};
    int64_t ms[] = {10, 30, 5, 4};
    struct show show;

    show_init(&show, specs, 0);
    CHECK_INT(run_longest_ms(show.run, ms_of, ms), 35);
    ms[3] = 100;
    CHECK_INT(run_longest_ms(show.run, ms_of, ms), 130);
    ms[0] = -1;
    CHECK_INT(run_longest_ms(show.run, ms_of, ms), -1);
    show_clear(&show);
}
