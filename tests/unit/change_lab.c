#include "change_lab.h"

#include "unit.h"

#include "change/builtin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the world ---- */

struct due {
    struct list link;
    int64_t at_ms;
    void (*fire)(struct due *due);
};

struct lab_timer {
    struct timer base; /* first */
    struct due due;
    timer_fn *fn;
    void *ctx;
};

struct lab_exchange {
    struct exchange base; /* first */
    struct due due;
    struct exchange_fns fns;
    void *ctx;
    uint64_t attempt;
    char *method, *url, *body;
};

/* A late call: its effect, when its sender has long given up. */
struct late {
    struct due due;
    struct lab *lab;
    char *method, *url, *body;
};

static struct lab *lab_of(struct world *world)
{
    return (struct lab *)(void *)world;
}

static void due_add(struct lab *lab, struct due *due, int64_t at_ms, void (*fire)(struct due *))
{
    struct list *after = lab->due.prev;

    due->at_ms = at_ms;
    due->fire = fire;
    while (after != &lab->due && LIST_OF(after, struct due, link)->at_ms > at_ms)
        after = after->prev;
    list_add_head(after, &due->link);
}

static bool world_step(struct world *world)
{
    struct lab *lab = lab_of(world);
    struct due *due;

    if (list_empty(&lab->due))
        return false;
    due = LIST_OF(lab->due.next, struct due, link);
    list_remove(&due->link);
    if (due->at_ms > lab->now_ms)
        lab->now_ms = due->at_ms;
    due->fire(due);
    return true;
}

static int64_t now_ms(struct world *world)
{
    return lab_of(world)->now_ms;
}

static void timer_fire(struct due *due)
{
    struct lab_timer *timer = LIST_OF(due, struct lab_timer, due);
    timer_fn *fn = timer->fn;
    void *ctx = timer->ctx;

    free(timer);
    fn(ctx);
}

static struct timer *lab_timer_start(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    struct lab_timer *timer = mem_alloc(sizeof(*timer));

    timer->base.world = world;
    timer->fn = fn;
    timer->ctx = ctx;
    due_add(lab_of(world), &timer->due, lab_of(world)->now_ms + delay_ms, timer_fire);
    return &timer->base;
}

static void lab_timer_stop(struct timer *base)
{
    struct lab_timer *timer = (struct lab_timer *)(void *)base;

    list_remove(&timer->due.link);
    free(timer);
}

static void lab_random(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    (void)world;
    (void)purpose;
    memset(out, 0, len);
}

static void lab_crash_point(struct world *world, uint64_t attempt, enum crash_point point)
{
    static const char *const words[] = {"before", "intent", "sent", "answered", "outcome"};

    if (lab_of(world)->log_points)
        buf_addf(&lab_of(world)->log, "crash %d %s\n", (int)attempt, words[point]);
}

/* ---- the server ---- */

static int serve(struct lab *lab, const char *method, const char *url, const char *body)
{
    const char *now = lab_get(lab, url);

    if (strcmp(method, "GET") == 0)
        return now ? 200 : 404;
    if (strcmp(method, "DELETE") == 0) {
        doc_remove(lab->server, url);
        return now ? 200 : 404;
    }
    doc_set_text(lab->server, url, body);
    return 200;
}

static void exchange_free(struct lab_exchange *exchange)
{
    free(exchange->method);
    free(exchange->url);
    free(exchange->body);
    free(exchange);
}

static void late_fire(struct due *due)
{
    struct late *late = LIST_OF(due, struct late, due);

    buf_addf(&late->lab->log, "late %s %s\n", late->method, late->url);
    serve(late->lab, late->method, late->url, late->body);
    free(late->method);
    free(late->url);
    free(late->body);
    free(late);
}

static void late_start(struct lab *lab, const struct lab_exchange *exchange)
{
    struct late *late = mem_alloc(sizeof(*late));

    late->lab = lab;
    late->method = mem_text(exchange->method);
    late->url = mem_text(exchange->url);
    late->body = mem_text(exchange->body);
    due_add(lab, &late->due, lab->now_ms + 60000, late_fire);
}

static void exchange_fire(struct due *due)
{
    struct lab_exchange *exchange = LIST_OF(due, struct lab_exchange, due);
    struct lab *lab = lab_of(exchange->base.world);
    enum lab_fault fault = lab->dead ? LAB_LOST_BEFORE : lab->faults[exchange->attempt];
    struct exchange_fns fns = exchange->fns;
    void *ctx = exchange->ctx;
    struct err lost = ERR_INIT;
    const char *body;
    int status = 0;

    if (fault == LAB_HANGS) {
        list_init(&due->link);
        return;
    }
    if (strcmp(exchange->method, "GET") != 0)
        buf_addf(&lab->log, "%s %s\n", exchange->method, exchange->url);
    if (fault == LAB_OK || fault == LAB_LOST_AFTER || fault == LAB_500_AFTER)
        status = serve(lab, exchange->method, exchange->url, exchange->body);
    if (fault == LAB_LATE)
        late_start(lab, exchange);
    if (fault == LAB_DENIED)
        status = 403;
    if (fault == LAB_500_AFTER)
        status = 500;
    body = strcmp(exchange->method, "GET") == 0 && status == 200 ? lab_get(lab, exchange->url) : NULL;
    if (fault == LAB_LOST_BEFORE || fault == LAB_LOST_AFTER || fault == LAB_LATE) {
        err_set(&lost, ERR_NETWORK, "the connection broke");
        lost.maybe_done = lost.retryable = true;
    } else {
        fns.head(ctx, &(struct exchange_head){.status = status});
    }
    if (body)
        fns.body(ctx, view_of(body));
    exchange_free(exchange);
    fns.end(ctx, lost.kind ? &lost : NULL);
}

static struct exchange *lab_exchange_start(struct world *world, const struct exchange_request *request,
                                           const struct exchange_fns *fns, void *ctx)
{
    struct lab *lab = lab_of(world);
    struct lab_exchange *exchange = mem_alloc(sizeof(*exchange));

    exchange->base.world = world;
    exchange->fns = *fns;
    exchange->ctx = ctx;
    exchange->attempt = request->attempt;
    exchange->method = mem_text(request->method);
    exchange->url = mem_text(request->url);
    exchange->body = mem_view(request->body);
    due_add(lab, &exchange->due, lab->now_ms, exchange_fire);
    return &exchange->base;
}

static void lab_exchange_cancel(struct exchange *base)
{
    struct lab_exchange *exchange = (struct lab_exchange *)(void *)base;

    buf_addf(&lab_of(base->world)->log, "cancel %s\n", exchange->url);
    list_remove(&exchange->due.link);
    exchange_free(exchange);
}

/* ---- the journal ---- */

struct waiter {
    struct list link;
    void (*fn)(void *ctx, const struct err *err);
    void *ctx;
};

static void durable(void *ctx, void (*fn)(void *, const struct err *), void *fn_ctx)
{
    struct lab *lab = ctx;
    struct waiter *waiter = mem_alloc(sizeof(*waiter));

    waiter->fn = fn;
    waiter->ctx = fn_ctx;
    list_add_tail(&lab->durable, &waiter->link);
}

static bool durable_turn(struct lab *lab)
{
    bool any = false;

    if (lab->hold || list_empty(&lab->durable))
        return false;
    lab->syncs++;
    while (!list_empty(&lab->durable)) {
        struct waiter *waiter = LIST_OF(lab->durable.next, struct waiter, link);

        list_remove(&waiter->link);
        waiter->fn(waiter->ctx, lab->refuse.kind ? &lab->refuse : NULL);
        free(waiter);
        any = true;
    }
    return any;
}

static void journal(void *ctx, enum event_weight weight, const struct doc *event)
{
    struct lab *lab = ctx;
    const char *type = doc_path_text(event, "type", NULL);

    if (weight == EVENT_LIVE)
        return;
    doc_push(lab->events, doc_copy(event));
    if (weight == EVENT_INTENT)
        buf_addf(&lab->log, "intent %d\n", (int)doc_as_int(doc_get(event, "attempt"), 0));
    else if (strcmp(type, "call.end") == 0)
        buf_addf(&lab->log, "end %d%s\n", (int)doc_as_int(doc_get(event, "attempt"), 0),
                 doc_get(event, "lost") ? " lost" : "");
    else if (strcmp(type, "undo.end") == 0)
        buf_addf(&lab->log, "undo %s %s\n", doc_path_text(event, "key", NULL), doc_path_text(event, "outcome", NULL));
}

static int64_t acts_until(void *ctx)
{
    return ((struct lab *)ctx)->lease_until_ms;
}

static int64_t epoch(void *ctx)
{
    (void)ctx;
    return 7;
}

static int64_t bus_clock(void *ctx)
{
    return ((struct lab *)ctx)->now_ms;
}

static void changes_make(struct lab *lab)
{
    lab->http = http_new(&lab->base, NULL);
    lab->options.http = lab->http;
    lab->changes = changes_new(&lab->options);
    http_set_gate(lab->http, changes_gate(lab->changes));
    undo_builtin(lab->changes);
}

void lab_init(struct lab *lab, enum change_mode mode)
{
    static struct world_ops ops;

    ops = world_disk_ops;
    ops.turn = world_step;
    ops.now_ms = ops.mono_ms = now_ms;
    ops.timer_start = lab_timer_start;
    ops.timer_stop = lab_timer_stop;
    ops.random = lab_random;
    ops.crash_point = lab_crash_point;
    ops.exchange_start = lab_exchange_start;
    ops.exchange_cancel = lab_exchange_cancel;
    *lab = (struct lab){
        .base.ops = &ops, .now_ms = INT64_C(1900000000000), .lease_until_ms = INT64_MAX, .refuse = ERR_INIT};
    list_init(&lab->due);
    list_init(&lab->durable);
    buf_init(&lab->log, 1 << 20);
    lab->server = doc_object();
    lab->events = doc_array();
    snprintf(lab->folder, sizeof(lab->folder), "/tmp/dosrun-change-XXXXXX");
    CHECK(mkdtemp(lab->folder) != NULL);
    lab->bus = event_bus_new(bus_clock, lab, event_stamp, doc_unref);
    event_bus_add(lab->bus, (struct event_sink){.event = journal, .ctx = lab});
    event_bus_run(lab->bus, "r1", 1);
    lab->options = (struct changes_options){.world = &lab->base,
                                            .bus = lab->bus,
                                            .mode = mode,
                                            .max_parallel = 8,
                                            .durable = durable,
                                            .durable_ctx = lab,
                                            .acts_until = acts_until,
                                            .epoch = epoch,
                                            .lock_ctx = lab};
    changes_make(lab);
}

static void process_end(struct lab *lab)
{
    lab->hold = false;
    changes_free(lab->changes);
    http_free(lab->http);
    while (!list_empty(&lab->durable)) {
        struct waiter *waiter = LIST_OF(lab->durable.next, struct waiter, link);

        list_remove(&waiter->link);
        free(waiter);
    }
}

void lab_fold(struct lab *lab, struct changes *changes)
{
    struct err err = ERR_INIT;

    for (size_t i = 0; i < doc_size(lab->events); i++)
        CHECK_INT(changes_replay(changes, doc_at(lab->events, i), &err), 0);
    CHECK_TEXT(err.message, "");
}

void lab_crash(struct lab *lab)
{
    process_end(lab);
    changes_make(lab);
    lab_fold(lab, lab->changes);
}

void lab_clear(struct lab *lab)
{
    char *command = mem_printf("rm -rf %s", lab->folder);

    process_end(lab);
    while (world_step(&lab->base)) /* what came late */
        continue;
    event_bus_free(lab->bus);
    doc_unref(lab->server);
    doc_unref(lab->events);
    buf_free(&lab->log);
    CHECK_INT(system(command), 0);
    free(command);
}

bool lab_turn(struct lab *lab)
{
    return durable_turn(lab) || world_turn(&lab->base);
}

void lab_run(struct lab *lab)
{
    for (int turns = 0; turns < 100000 && lab_turn(lab); turns++)
        continue;
}

void lab_wait(struct lab *lab, const bool *done)
{
    while (!*done && lab_turn(lab))
        continue;
    CHECK(*done);
}

const char *lab_get(const struct lab *lab, const char *url)
{
    return doc_as_text(doc_get(lab->server, url), NULL);
}

void lab_put(struct lab *lab, const char *url, const char *text)
{
    doc_set(lab->server, url, text ? doc_text(text) : NULL);
}

int lab_count(const struct lab *lab, const char *type)
{
    int count = 0;

    for (size_t i = 0; i < doc_size(lab->events); i++)
        count += strcmp(doc_path_text(doc_at(lab->events, i), "type", NULL), type) == 0;
    return count;
}

const struct doc *lab_last(const struct lab *lab, const char *type)
{
    for (size_t i = doc_size(lab->events); i-- > 0;) {
        if (strcmp(doc_path_text(doc_at(lab->events, i), "type", NULL), type) == 0)
            return doc_at(lab->events, i);
    }
    return NULL;
}

/* ---- a verb ---- */

struct act {
    bool done;
    struct err err;
};

static void act_ready(void *ctx, const struct err *err)
{
    struct act *act = ctx;

    act->done = true;
    act->err = err ? *err : ERR_INIT;
}

static void act_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct act *act = ctx;

    (void)answer;
    act->done = true;
    act->err = err ? *err : ERR_INIT;
}

static struct doc *state_of(const char *text)
{
    struct doc *state;

    if (!text)
        return NULL;
    state = doc_object();
    doc_set_text(state, "body", text);
    return state;
}

static struct doc *undo_of(const char *url, const char *before)
{
    struct doc *undo = doc_object();

    doc_set_text(undo, "op", "http.request");
    doc_set_text(undo, "url", url);
    doc_set_text(undo, "method", before ? "PUT" : "DELETE");
    if (before)
        doc_set_text(undo, "body", before);
    else
        doc_set_bool(undo, "gone", true);
    return undo;
}

struct err lab_set_with(struct lab *lab, const char *step, const char *url, const char *text,
                        struct lab_options options)
{
    static const struct http_fns fns = {.end = act_end};
    struct change_spec spec = {.step = step,
                               .verb = "lab.set",
                               .version = 1,
                               .key = url,
                               .class = options.class,
                               .keep = options.keep,
                               .bound_ms = options.bound_ms ? options.bound_ms : -1};
    struct http_request request = {.method = text ? "PUT" : "DELETE",
                                   .url = url,
                                   .body = view_of(text),
                                   .class = HTTP_CHANGES,
                                   .repeat = options.repeat,
                                   .guarded = options.guarded,
                                   .attempts_max = options.attempts_max ? options.attempts_max : 1};
    struct act act = {.err = ERR_INIT};
    struct change *change = change_open(lab->changes, &spec, &act.err);
    struct doc *before = state_of(lab_get(lab, url)), *want = state_of(text), *undo = undo_of(url, lab_get(lab, url)),
               *after;

    if (!change)
        goto out;
    if (doc_equal(before, want)) {
        change_same(change);
        change_close(change);
        goto out;
    }
    change_begin(change, before, want, undo, act_ready, &act);
    lab_wait(lab, &act.done);
    act.done = false;
    request.owner = change;
    request.logical = change_logical(change, request.method, url);
    http_send(lab->http, &request, NULL, &fns, &act);
    lab_wait(lab, &act.done);
    after = state_of(lab_get(lab, url));
    if (doc_equal(after, want))
        act.err = ERR_INIT;
    if (!options.leave_open)
        change_finish(change, act.err.kind ? NULL : after, act.err.kind ? &act.err : NULL);
    doc_unref(after);
    if (options.leave_open) /* memory goes as the process does: the journal hears nothing */
        event_bus_remove(lab->bus, lab);
    change_close(change);
    if (options.leave_open) {
        event_bus_add(lab->bus, (struct event_sink){.event = journal, .ctx = lab});
        lab_crash(lab);
    }
out:
    doc_unref(before);
    doc_unref(want);
    doc_unref(undo);
    return act.err;
}

struct err lab_set(struct lab *lab, const char *step, const char *url, const char *text)
{
    return lab_set_with(lab, step, url, text, (struct lab_options){0});
}

static void undo_end(void *ctx, const struct undo_report *report)
{
    struct lab_undo *undo = ctx;

    undo->done = true;
    undo->report = *report;
    undo->list = doc_ref(report->list);
}

void lab_undo_start(struct lab *lab, bool automatic, bool plan, struct lab_undo *undo)
{
    *undo = (struct lab_undo){0};
    changes_undo(lab->changes, automatic, plan, undo_end, undo);
}

/* Its memory is given back by running it out, unseen and without effect. */
void lab_undo_kill(struct lab *lab, struct lab_undo *undo)
{
    int64_t now = lab->now_ms;
    uint64_t attempts = lab->base.attempts;

    event_bus_remove(lab->bus, lab);
    lab->dead = true;
    lab_wait(lab, &undo->done);
    doc_unref(undo->list);
    lab->dead = false;
    lab->now_ms = now;
    lab->base.attempts = attempts;
    event_bus_add(lab->bus, (struct event_sink){.event = journal, .ctx = lab});
}

void lab_undo(struct lab *lab, bool automatic, struct lab_undo *undo)
{
    lab_undo_start(lab, automatic, false, undo);
    lab_wait(lab, &undo->done);
}
