#include "http_fake.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* A timer, or the next event of an exchange: both are something due at a time. */
struct due {
    struct list link;
    struct fake *fake;
    int64_t at_ms;
    void (*fire)(struct due *due);
};

struct fake_timer {
    struct timer base; /* first */
    struct due due;
    timer_fn *fn;
    void *ctx;
};

struct fake_exchange {
    struct exchange base; /* first */
    struct due due;
    struct exchange_fns fns;
    void *ctx;
    const struct fake_answer *answer;
    bool cancelled, busy;
};

static struct fake *fake_of(struct world *world)
{
    return (struct fake *)(void *)world;
}

/* In order of time, and of coming for equal times. */
static void due_add(struct fake *fake, struct due *due, int64_t at_ms, void (*fire)(struct due *))
{
    struct list *after = fake->due.prev;

    due->fake = fake;
    due->at_ms = at_ms;
    due->fire = fire;
    while (after != &fake->due && LIST_OF(after, struct due, link)->at_ms > at_ms)
        after = after->prev;
    list_add_head(after, &due->link);
}

static bool fake_turn(struct world *world)
{
    struct fake *fake = fake_of(world);

    if (list_empty(&fake->due))
        return false;
    struct due *due = LIST_OF(fake->due.next, struct due, link);
    list_remove(&due->link);
    if (due->at_ms > fake->now_ms) {
        buf_addf(&fake->log, "wait %lld\n", (long long)(due->at_ms - fake->now_ms));
        fake->now_ms = due->at_ms;
    }
    due->fire(due);
    return true;
}

static int64_t fake_now_ms(struct world *world)
{
    return fake_of(world)->now_ms;
}

static void timer_fire(struct due *due)
{
    struct fake_timer *timer = LIST_OF(due, struct fake_timer, due);
    timer_fn *fn = timer->fn;
    void *ctx = timer->ctx;

    free(timer);
    fn(ctx);
}

static struct timer *fake_timer_start(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    struct fake_timer *timer = mem_alloc(sizeof(*timer));

    timer->base.world = world;
    timer->fn = fn;
    timer->ctx = ctx;
    due_add(fake_of(world), &timer->due, fake_of(world)->now_ms + delay_ms, timer_fire);
    return &timer->base;
}

static void fake_timer_stop(struct timer *base)
{
    struct fake_timer *timer = (struct fake_timer *)(void *)base;

    list_remove(&timer->due.link);
    free(timer);
}

/* The first byte decides, so that tests can say how long a pause must be: half of its greatest length. */
static void fake_random(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    buf_addf(&fake_of(world)->log, "random %s\n", purpose);
    memset(out, 0, len);
    out[len - 1] = 0x80;
}

static void fake_crash_point(struct world *world, uint64_t attempt, enum crash_point point)
{
    CHECK_INT(point, CRASH_ANSWERED);
    buf_addf(&fake_of(world)->log, "answered %d\n", (int)attempt);
}

static void exchange_fire(struct due *due)
{
    struct fake_exchange *exchange = LIST_OF(due, struct fake_exchange, due);
    const struct fake_answer *answer = exchange->answer;
    struct header header = {answer->name, answer->value};
    struct err err = ERR_INIT;

    exchange->busy = true;
    if (answer->status)
        exchange->fns.head(exchange->ctx, &(struct exchange_head){answer->status, &header, answer->name ? 1 : 0});
    for (size_t i = 0; answer->body && i <= answer->body_repeat && !exchange->cancelled; i++)
        exchange->fns.body(exchange->ctx, view_of(answer->body));
    exchange->busy = false;
    if (answer->hangs && !exchange->cancelled)
        return;
    struct exchange_fns fns = exchange->fns;
    void *ctx = exchange->ctx;
    bool tell = !exchange->cancelled;
    free(exchange);
    if (answer->err) {
        err_set(&err, answer->err, "the wire says so");
        err.maybe_done = answer->maybe_done;
        err.retryable = answer->err != ERR_AUTH;
    }
    if (tell)
        fns.end(ctx, answer->err ? &err : NULL);
}

static struct exchange *fake_exchange_start(struct world *world, const struct exchange_request *request,
                                            const struct exchange_fns *fns, void *ctx)
{
    struct fake *fake = fake_of(world);
    struct fake_exchange *exchange = mem_alloc(sizeof(*exchange));

    exchange->base.world = world;
    exchange->fns = *fns;
    exchange->ctx = ctx;
    exchange->answer = &fake->answers[fake->answers_used];
    if (fake->answers_used + 1 < fake->answers_len)
        fake->answers_used++;
    buf_addf(&fake->log, "%d/%d %s %s", (int)request->attempt, (int)request->logical, request->method, request->url);
    for (size_t i = 0; i < request->headers_len; i++)
        if (strcmp(request->headers[i].name, "User-Agent") != 0)
            buf_addf(&fake->log, " %s=%s", request->headers[i].name, request->headers[i].value);
    if (request->body.len)
        buf_addf(&fake->log, " {%.*s}", (int)request->body.len, request->body.ptr);
    if (request->source) {
        char bytes[64] = "";
        struct err err = ERR_INIT;

        CHECK(request->source->size < sizeof(bytes));
        CHECK_INT(request->source->read(request->source->ctx, 0, bytes, (size_t)request->source->size, &err), 0);
        buf_addf(&fake->log, " <%s>", bytes);
    }
    if (request->idle_timeout_ms)
        buf_addf(&fake->log, " total %d idle %d", (int)request->timeout_ms, (int)request->idle_timeout_ms);
    buf_add_text(&fake->log, "\n");
    due_add(fake, &exchange->due, fake->now_ms, exchange_fire);
    return &exchange->base;
}

static void fake_exchange_cancel(struct exchange *base)
{
    struct fake_exchange *exchange = (struct fake_exchange *)(void *)base;

    buf_add_text(&fake_of(base->world)->log, "cancel\n");
    if (exchange->busy) {
        exchange->cancelled = true;
        return;
    }
    list_remove(&exchange->due.link);
    free(exchange);
}

void fake_init(struct fake *fake, const struct fake_answer *answers, size_t len)
{
    static const struct world_ops ops = {.turn = fake_turn,
                                         .now_ms = fake_now_ms,
                                         .mono_ms = fake_now_ms,
                                         .timer_start = fake_timer_start,
                                         .timer_stop = fake_timer_stop,
                                         .random = fake_random,
                                         .crash_point = fake_crash_point,
                                         .exchange_start = fake_exchange_start,
                                         .exchange_cancel = fake_exchange_cancel};

    *fake = (struct fake){.base.ops = &ops, .now_ms = INT64_C(784111770000), .answers = answers, .answers_len = len};
    list_init(&fake->due);
    buf_init(&fake->log, 1 << 20);
}

void fake_clear(struct fake *fake)
{
    CHECK(list_empty(&fake->due));
    buf_free(&fake->log);
}

void fake_run(struct fake *fake)
{
    for (int turns = 0; turns < 10000 && world_turn(&fake->base); turns++)
        ;
    CHECK(list_empty(&fake->due));
}
