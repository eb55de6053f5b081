#include "aws_world.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Anything that comes later: a timer, the answer of a server, the end of a program. */
struct due {
    struct list link;
    struct aws_world *world;
    int64_t at_ms;
    void (*fire)(struct due *due);
};

struct world_timer {
    struct timer base; /* first */
    struct due due;
    timer_fn *fn;
    void *ctx;
};

struct world_exchange {
    struct exchange base; /* first */
    struct due due;
    struct exchange_fns fns;
    void *ctx;
    struct aws_world_answer answer;
};

struct world_process {
    struct process base; /* first */
    struct due due;
    struct process_fns fns;
    void *ctx;
};

static struct aws_world *world_of(struct world *world)
{
    return (struct aws_world *)(void *)world;
}

static void due_add(struct aws_world *world, struct due *due, int64_t delay_ms, void (*fire)(struct due *))
{
    struct list *after = world->due.prev;

    due->world = world;
    due->at_ms = world->now_ms + delay_ms;
    due->fire = fire;
    while (after != &world->due && LIST_OF(after, struct due, link)->at_ms > due->at_ms)
        after = after->prev;
    list_add_head(after, &due->link);
}

static bool world_next(struct world *base)
{
    struct aws_world *world = world_of(base);

    if (list_empty(&world->due))
        return false;
    struct due *due = LIST_OF(world->due.next, struct due, link);
    list_remove(&due->link);
    if (due->at_ms > world->now_ms)
        world->now_ms = due->at_ms;
    due->fire(due);
    return true;
}

static int64_t now_ms(struct world *base)
{
    return world_of(base)->now_ms;
}

static void timer_fire(struct due *due)
{
    struct world_timer *timer = LIST_OF(due, struct world_timer, due);
    timer_fn *fn = timer->fn;
    void *ctx = timer->ctx;

    free(timer);
    fn(ctx);
}

static struct timer *start_timer(struct world *base, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    struct world_timer *timer = mem_alloc(sizeof(*timer));

    timer->base.world = base;
    timer->fn = fn;
    timer->ctx = ctx;
    due_add(world_of(base), &timer->due, delay_ms, timer_fire);
    return &timer->base;
}

static void stop_timer(struct timer *base)
{
    struct world_timer *timer = (struct world_timer *)(void *)base;

    list_remove(&timer->due.link);
    free(timer);
}

static void fill_random(struct world *base, const char *purpose, unsigned char *out, size_t len)
{
    (void)base;
    (void)purpose;
    memset(out, 0, len);
}

/* ---- the network ---- */

const char *aws_world_header(const struct aws_world_ask *ask, const char *name)
{
    for (size_t i = 0; i < ask->request->headers_len; i++)
        if (strcasecmp(ask->request->headers[i].name, name) == 0)
            return ask->request->headers[i].value;
    return "";
}

static void exchange_fire(struct due *due)
{
    struct world_exchange *exchange = LIST_OF(due, struct world_exchange, due);
    struct aws_world_answer answer = exchange->answer;
    struct exchange_fns fns = exchange->fns;
    void *ctx = exchange->ctx;
    struct err err = ERR_INIT;

    free(exchange);
    if (answer.never) {
        err_set(&err, ERR_TIMEOUT, "no answer in time");
    } else if (!answer.status) {
        err_set(&err, ERR_NETWORK, "connection refused");
    } else {
        struct header date = {"Date", answer.date};

        fns.head(ctx, &(struct exchange_head){answer.status, &date, answer.date ? 1 : 0});
        if (answer.body)
            fns.body(ctx, view_of(answer.body));
    }
    err.retryable = err.kind != ERR_NONE;
    free(answer.body);
    fns.end(ctx, err.kind ? &err : NULL);
}

static struct exchange *start_exchange(struct world *base, const struct exchange_request *request,
                                       const struct exchange_fns *fns, void *ctx)
{
    struct aws_world *world = world_of(base);
    struct world_exchange *exchange = mem_alloc(sizeof(*exchange));
    char *body = mem_view(request->body);

    exchange->base.world = base;
    exchange->fns = *fns;
    exchange->ctx = ctx;
    buf_addf(&world->log, "%s %s\n", request->method, request->url);
    world->serve(world->ctx, &(struct aws_world_ask){request->method, request->url, body, request, ++world->exchanges},
                 &exchange->answer);
    free(body);
    due_add(world, &exchange->due, exchange->answer.never ? request->timeout_ms : exchange->answer.delay_ms,
            exchange_fire);
    return &exchange->base;
}

static void cancel_exchange(struct exchange *base)
{
    struct world_exchange *exchange = (struct world_exchange *)(void *)base;

    list_remove(&exchange->due.link);
    free(exchange->answer.body);
    free(exchange);
}

/* ---- programs ---- */

static void process_fire(struct due *due)
{
    struct world_process *process = LIST_OF(due, struct world_process, due);
    struct aws_world *world = due->world;
    struct process_fns fns = process->fns;
    void *ctx = process->ctx;
    struct err err = ERR_INIT;

    free(process);
    if (!world->program_output) {
        err_set(&err, ERR_MISSING, "there is no such program");
        fns.end(ctx, 0, &err);
        return;
    }
    fns.output(ctx, 1, view_of(world->program_output));
    if (world->program_complaint)
        fns.output(ctx, 2, view_of(world->program_complaint));
    fns.end(ctx, world->program_status, NULL);
}

static struct process *start_process(struct world *base, const struct process_request *request,
                                     const struct process_fns *fns, void *ctx)
{
    struct aws_world *world = world_of(base);
    struct world_process *process = mem_alloc(sizeof(*process));

    process->base.world = base;
    process->fns = *fns;
    process->ctx = ctx;
    buf_add_text(&world->log, "run ");
    for (size_t i = 0; request->argv[i]; i++)
        buf_addf(&world->log, "%s%s", i ? "|" : "", request->argv[i]);
    buf_add_char(&world->log, '\n');
    world->programs++;
    due_add(world, &process->due, 0, process_fire);
    return &process->base;
}

static void cancel_process(struct process *base)
{
    struct world_process *process = (struct world_process *)(void *)base;

    list_remove(&process->due.link);
    free(process);
}

/* ---- files and variables ---- */

static void pair_set(struct aws_world_pair *pairs, size_t *len, const char *name, const char *value)
{
    size_t at = 0;

    while (at < *len && strcmp(pairs[at].name, name) != 0)
        at++;
    if (at == *len) {
        pairs[at].name = mem_text(name);
        *len = at + 1;
    }
    free(pairs[at].value);
    pairs[at].value = mem_text(value);
}

static const char *pair_get(const struct aws_world_pair *pairs, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

static int read_file(struct world *base, const char *path, size_t max, struct buf *out, struct err *err)
{
    struct aws_world *world = world_of(base);
    const char *text = pair_get(world->files, world->files_len, path);

    if (!text)
        return err_set(err, ERR_MISSING, "%s: no such file", path);
    if (strlen(text) > max)
        return err_set(err, ERR_QUOTA, "%s: over %zu bytes", path, max);
    buf_add_text(out, text);
    return 0;
}

static int write_file(struct world *base, const char *path, struct view data, uint32_t mode, struct err *err)
{
    char *text = mem_view(data);

    (void)err;
    CHECK_INT(mode, 0600);
    aws_world_file(world_of(base), path, text);
    free(text);
    return 0;
}

void aws_world_file(struct aws_world *world, const char *path, const char *text)
{
    pair_set(world->files, &world->files_len, path, text);
}

const char *aws_world_read(const struct aws_world *world, const char *path)
{
    const char *text = pair_get(world->files, world->files_len, path);

    return text ? text : "";
}

void aws_world_set(struct aws_world *world, const char *name, const char *value)
{
    pair_set(world->variables, &world->variables_len, name, value);
}

static const char *variable_get(void *ctx, const char *name)
{
    const struct aws_world *world = ctx;

    return pair_get(world->variables, world->variables_len, name);
}

/* ---- the whole ---- */

static void serve_nobody(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    (void)ctx;
    (void)ask;
    answer->status = 0;
}

static void no_crash(struct world *base, uint64_t attempt, enum crash_point point)
{
    (void)base;
    (void)attempt;
    (void)point;
}

void aws_world_init(struct aws_world *world)
{
    static const struct world_ops ops = {.turn = world_next,
                                         .now_ms = now_ms,
                                         .mono_ms = now_ms,
                                         .timer_start = start_timer,
                                         .timer_stop = stop_timer,
                                         .random = fill_random,
                                         .exchange_start = start_exchange,
                                         .exchange_cancel = cancel_exchange,
                                         .process_start = start_process,
                                         .process_cancel = cancel_process,
                                         .read = read_file,
                                         .write = write_file,
                                         .crash_point = no_crash};

    *world = (struct aws_world){.base.ops = &ops, .now_ms = INT64_C(1893456000000), .serve = serve_nobody};
    list_init(&world->due);
    buf_init(&world->log, 1 << 20);
    world->http = http_new(&world->base, NULL);
}

void aws_world_clear(struct aws_world *world)
{
    aws_config_free(world->config);
    http_free(world->http);
    CHECK(list_empty(&world->due));
    for (size_t i = 0; i < AWS_WORLD_MAX; i++) {
        free(world->files[i].name);
        free(world->files[i].value);
        free(world->variables[i].name);
        free(world->variables[i].value);
    }
    buf_free(&world->log);
}

void aws_world_run(struct aws_world *world)
{
    for (int turns = 0; turns < 10000 && world_turn(&world->base); turns++)
        ;
    CHECK(list_empty(&world->due));
}

void aws_world_wait(struct aws_world *world, int64_t ms)
{
    world->now_ms += ms;
}

struct aws_config *aws_world_config(struct aws_world *world, const char *profile, struct err *err)
{
    struct aws_config_options options = {
        .env = variable_get, .ctx = world, .home = "/home/ann", .profile = profile, .region = NULL};
    struct err own = ERR_INIT;

    aws_config_free(world->config);
    world->config = aws_config_load(&world->base, &options, err ? err : &own);
    if (!world->config && !err)
        unit_fail(__FILE__, __LINE__, "%s", own.message);
    return world->config;
}
