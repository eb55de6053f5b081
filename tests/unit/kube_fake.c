#include "kube_fake.h"
#include "base/list.h"
#include "codec/json.h"
#include "codec/yaml.h"
#include "open_gate.h"

#include <stdlib.h>
#include <string.h>

struct rule {
    struct list link;
    char *method, *path, *body;
    int times, status;
};

struct fake_exchange {
    struct exchange exchange;
    struct list link;
    struct fake *fake;
    struct exchange_fns fns;
    void *ctx;
    char *method, *path;
    bool answered; /* a stream, open */
};

struct fake_timer {
    struct timer timer;
    struct list link;
    struct fake *fake;
    int64_t due_ms;
    timer_fn *fn;
    void *ctx;
};

struct fake_process {
    struct process process;
    struct list link;
    struct fake *fake;
    struct process_fns fns;
    void *ctx;
    char *name;
};

struct file {
    struct list link;
    char *path, *text;
};

struct program {
    struct list link;
    char *name, *output;
    int status;
};

struct fake {
    struct world world;
    int64_t now_ms;
    struct list rules, exchanges, timers, processes, files, programs;
    struct buf log;
    struct doc *headers; /* of the last request */
    struct marks *marks;
    struct http *http;
    struct kube *kube;
    struct yaml_file *config;
};

static struct fake *fake_of(struct world *world)
{
    return (struct fake *)world;
}

/* ---- time ---- */

static int64_t now_ms(struct world *world)
{
    return fake_of(world)->now_ms;
}

static struct timer *start_timer(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    struct fake_timer *timer = mem_alloc(sizeof(*timer));

    timer->timer.world = world;
    timer->fake = fake_of(world);
    timer->due_ms = fake_of(world)->now_ms + delay_ms;
    timer->fn = fn;
    timer->ctx = ctx;
    list_add_tail(&timer->fake->timers, &timer->link);
    return &timer->timer;
}

static void stop_timer(struct timer *timer)
{
    list_remove(&((struct fake_timer *)timer)->link);
    free(timer);
}

static void random_bytes(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    (void)world;
    (void)purpose;
    memset(out, 0, len);
}

static void no_crash(struct world *world, uint64_t attempt, enum crash_point point)
{
    (void)world;
    (void)attempt;
    (void)point;
}

/* ---- exchanges ---- */

static struct exchange *start_exchange(struct world *world, const struct exchange_request *request,
                                       const struct exchange_fns *fns, void *ctx)
{
    struct fake_exchange *exchange = mem_alloc(sizeof(*exchange));
    struct fake *fake = fake_of(world);
    const char *path = strstr(request->url, "://");

    path = path ? strchr(path + 3, '/') : NULL;
    exchange->exchange.world = world;
    exchange->fake = fake;
    exchange->fns = *fns;
    exchange->ctx = ctx;
    exchange->method = mem_text(request->method);
    exchange->path = mem_text(path ? path : "/");
    list_add_tail(&fake->exchanges, &exchange->link);
    buf_addf(&fake->log, "%s %s %.*s\n", exchange->method, exchange->path, (int)request->body.len,
             request->body.len ? request->body.ptr : "");
    doc_clear(fake->headers);
    for (size_t i = 0; i < request->headers_len; i++)
        doc_set_text(fake->headers, request->headers[i].name, request->headers[i].value);
    return &exchange->exchange;
}

static void exchange_drop(struct fake_exchange *exchange)
{
    list_remove(&exchange->link);
    free(exchange->method);
    free(exchange->path);
    free(exchange);
}

static void cancel_exchange(struct exchange *exchange)
{
    exchange_drop((struct fake_exchange *)exchange);
}

static void drop_connections(struct world *world)
{
    (void)world;
}

static bool path_fits(const char *pattern, const char *path)
{
    size_t len = strlen(pattern);

    if (len && pattern[len - 1] == '*')
        return strncmp(pattern, path, len - 1) == 0;
    return strcmp(pattern, path) == 0;
}

static const struct rule *rule_find(struct fake *fake, const struct fake_exchange *exchange)
{
    LIST_EACH(link, &fake->rules)
    {
        struct rule *rule = LIST_OF(link, struct rule, link);

        if (rule->times < 0 || strcmp(rule->method, exchange->method) != 0 || !path_fits(rule->path, exchange->path))
            continue;
        if (rule->times > 0 && --rule->times == 0)
            rule->times = -1;
        return rule;
    }
    return NULL;
}

static void exchange_answer(struct fake_exchange *exchange)
{
    static const struct header json[] = {{"Content-Type", "application/json"}};
    static const struct rule missing = {.status = 404,
                                        .body = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"status\":\"Failure\","
                                                "\"message\":\"not there\",\"reason\":\"NotFound\",\"code\":404}"};
    const struct rule *rule = rule_find(exchange->fake, exchange);
    struct exchange_fns fns = exchange->fns;
    void *ctx = exchange->ctx;
    struct err err = ERR_INIT;

    if (!rule)
        rule = &missing;
    if (rule->status == FAKE_STREAM) {
        exchange->answered = true;
        fns.head(ctx, &(struct exchange_head){200, json, 1});
        return;
    }
    exchange_drop(exchange);
    if (rule->status == FAKE_LOST || rule->status == FAKE_REFUSED) {
        err_set(&err, ERR_NETWORK, rule->status == FAKE_LOST ? "reset by peer" : "connection refused");
        err.retryable = true;
        err.maybe_done = rule->status == FAKE_LOST;
        fns.end(ctx, &err);
        return;
    }
    fns.head(ctx, &(struct exchange_head){rule->status, json, 1});
    if (rule->body)
        fns.body(ctx, view_of(rule->body));
    fns.end(ctx, NULL);
}

/* ---- processes ---- */

static struct process *start_process(struct world *world, const struct process_request *request,
                                     const struct process_fns *fns, void *ctx)
{
    struct fake_process *process = mem_alloc(sizeof(*process));
    struct fake *fake = fake_of(world);

    process->process.world = world;
    process->fake = fake;
    process->fns = *fns;
    process->ctx = ctx;
    process->name = mem_text(request->argv[0]);
    list_add_tail(&fake->processes, &process->link);
    buf_addf(&fake->log, "RUN");
    for (size_t i = 0; request->argv[i]; i++)
        buf_addf(&fake->log, " [%s]", request->argv[i]);
    for (size_t i = 0; request->env && request->env[i]; i++)
        buf_addf(&fake->log, " %s", request->env[i]);
    buf_add_char(&fake->log, '\n');
    return &process->process;
}

static void process_drop(struct fake_process *process)
{
    list_remove(&process->link);
    free(process->name);
    free(process);
}

static void cancel_process(struct process *process)
{
    process_drop((struct fake_process *)process);
}

static void process_answer(struct fake_process *process)
{
    struct fake *fake = process->fake;
    struct process_fns fns = process->fns;
    struct program *program = NULL;
    void *ctx = process->ctx;
    struct err err = ERR_INIT;
    bool last = true;

    LIST_EACH(link, &fake->programs)
    {
        struct program *candidate = LIST_OF(link, struct program, link);

        if (strcmp(candidate->name, process->name) != 0)
            continue;
        last = program == NULL;
        if (!program)
            program = candidate;
    }
    process_drop(process);
    if (!program) {
        err_set(&err, ERR_MISSING, "no such program");
        fns.end(ctx, 0, &err);
        return;
    }
    fns.output(ctx, program->status ? 2 : 1, view_of(program->output));
    fns.end(ctx, program->status, NULL);
    if (!last)
        list_remove(&program->link), free(program->name), free(program->output), free(program);
}

/* ---- files ---- */

static int read_file(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    (void)max;
    LIST_EACH(link, &fake_of(world)->files)
    {
        struct file *file = LIST_OF(link, struct file, link);

        if (strcmp(file->path, path) == 0 && file->text) {
            buf_add_text(out, file->text);
            return 0;
        }
    }
    return err_set(err, ERR_MISSING, "%s: no such file", path);
}

/* ---- turning ---- */

static struct fake_timer *timer_next(struct fake *fake)
{
    struct fake_timer *next = NULL;

    LIST_EACH(link, &fake->timers)
    {
        struct fake_timer *timer = LIST_OF(link, struct fake_timer, link);

        if (!next || timer->due_ms < next->due_ms)
            next = timer;
    }
    return next;
}

/* Work that needs no time; false when there is none. */
static bool turn_at_once(struct fake *fake)
{
    LIST_EACH(link, &fake->exchanges)
    {
        struct fake_exchange *exchange = LIST_OF(link, struct fake_exchange, link);

        if (!exchange->answered) {
            exchange_answer(exchange);
            return true;
        }
    }
    if (!list_empty(&fake->processes)) {
        process_answer(LIST_OF(fake->processes.next, struct fake_process, link));
        return true;
    }
    return false;
}

static bool turn_until(struct fake *fake, int64_t until_ms)
{
    struct fake_timer *timer;
    timer_fn *fn;
    void *ctx;

    if (turn_at_once(fake))
        return true;
    timer = timer_next(fake);
    if (!timer || timer->due_ms > until_ms)
        return false;
    if (timer->due_ms > fake->now_ms)
        fake->now_ms = timer->due_ms;
    fn = timer->fn;
    ctx = timer->ctx;
    stop_timer(&timer->timer);
    fn(ctx);
    return true;
}

static bool turn(struct world *world)
{
    return turn_until(fake_of(world), INT64_MAX);
}

void fake_turns(struct fake *fake, int64_t ms)
{
    int64_t until_ms = fake->now_ms + ms;

    while (turn_until(fake, until_ms))
        ;
    fake->now_ms = until_ms;
}

bool fake_until(struct fake *fake, const bool *flag)
{
    int64_t until_ms = fake->now_ms + 3600000;

    while (!*flag && turn_until(fake, until_ms))
        ;
    return *flag;
}

/* ---- set up ---- */

struct fake *fake_new(void)
{
    static const struct world_ops ops = {
        .turn = turn,
        .now_ms = now_ms,
        .mono_ms = now_ms,
        .timer_start = start_timer,
        .timer_stop = stop_timer,
        .random = random_bytes,
        .crash_point = no_crash,
        .exchange_start = start_exchange,
        .exchange_cancel = cancel_exchange,
        .drop_connections = drop_connections,
        .process_start = start_process,
        .process_cancel = cancel_process,
        .read = read_file,
    };
    struct fake *fake = mem_alloc(sizeof(*fake));

    fake->world.ops = &ops;
    fake->now_ms = INT64_C(1893456000000); /* 2030-01-01 */
    list_init(&fake->rules);
    list_init(&fake->exchanges);
    list_init(&fake->timers);
    list_init(&fake->processes);
    list_init(&fake->files);
    list_init(&fake->programs);
    buf_init(&fake->log, 64 << 20);
    fake->headers = doc_object();
    fake->marks = marks_new(view_of("a key for tests"));
    fake->http = http_new(&fake->world, fake->marks);
    http_set_gate(fake->http, open_gate());
    fake_config(fake, "{clusters: [{name: c, cluster: {server: 'https://api.test'}}], users: [{name: u, user: {token: "
                      "tok}}], contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}");
    return fake;
}

void fake_config(struct fake *fake, const char *yaml)
{
    struct err err = ERR_INIT;

    yaml_free(fake->config);
    fake->config = yaml_parse("kubeconfig", view_of(yaml), &err);
}

struct kube *fake_kube(struct fake *fake)
{
    struct kube_config_options options = {.inline_config = yaml_doc(fake->config, 0)};
    struct err err = ERR_INIT;

    if (!fake->kube)
        fake->kube = kube_new(&fake->world, fake->http, fake->marks, kube_config_load(&fake->world, &options, &err));
    return fake->kube;
}

void fake_free(struct fake *fake)
{
    kube_free(fake->kube);
    http_free(fake->http);
    marks_free(fake->marks);
    yaml_free(fake->config);
    LIST_EACH_SAFE(link, &fake->rules)
    {
        struct rule *rule = LIST_OF(link, struct rule, link);

        free(rule->method);
        free(rule->path);
        free(rule->body);
        free(rule);
    }
    LIST_EACH_SAFE(link, &fake->exchanges)
    exchange_drop(LIST_OF(link, struct fake_exchange, link));
    LIST_EACH_SAFE(link, &fake->timers)
    free(LIST_OF(link, struct fake_timer, link));
    LIST_EACH_SAFE(link, &fake->processes)
    process_drop(LIST_OF(link, struct fake_process, link));
    LIST_EACH_SAFE(link, &fake->files)
    {
        struct file *file = LIST_OF(link, struct file, link);

        free(file->path);
        free(file->text);
        free(file);
    }
    LIST_EACH_SAFE(link, &fake->programs)
    {
        struct program *program = LIST_OF(link, struct program, link);

        free(program->name);
        free(program->output);
        free(program);
    }
    buf_free(&fake->log);
    doc_unref(fake->headers);
    free(fake);
}

struct world *fake_world(struct fake *fake)
{
    return &fake->world;
}

struct http *fake_http(struct fake *fake)
{
    return fake->http;
}

struct marks *fake_marks(struct fake *fake)
{
    return fake->marks;
}

void fake_file(struct fake *fake, const char *path, const char *text)
{
    struct file *file = NULL;

    LIST_EACH(link, &fake->files)
    {
        if (strcmp(LIST_OF(link, struct file, link)->path, path) == 0)
            file = LIST_OF(link, struct file, link);
    }
    if (!file) {
        file = mem_alloc(sizeof(*file));
        file->path = mem_text(path);
        list_add_tail(&fake->files, &file->link);
    }
    free(file->text);
    file->text = mem_text(text);
}

void fake_program(struct fake *fake, const char *name, int status, const char *output)
{
    struct program *program = mem_alloc(sizeof(*program));

    program->name = mem_text(name);
    program->output = mem_text(output);
    program->status = status;
    list_add_tail(&fake->programs, &program->link);
}

void fake_rule(struct fake *fake, const char *method, const char *path, int times, int status, const char *body)
{
    struct rule *rule = mem_alloc(sizeof(*rule));

    rule->method = mem_text(method);
    rule->path = mem_text(path);
    rule->body = mem_text(body);
    rule->times = times;
    rule->status = status;
    list_add_tail(&fake->rules, &rule->link);
}

static struct fake_exchange *stream_find(struct fake *fake, const char *path)
{
    LIST_EACH(link, &fake->exchanges)
    {
        struct fake_exchange *exchange = LIST_OF(link, struct fake_exchange, link);

        if (exchange->answered && path_fits(path, exchange->path))
            return exchange;
    }
    return NULL;
}

void fake_push(struct fake *fake, const char *path, const char *text)
{
    struct fake_exchange *exchange = stream_find(fake, path);

    if (exchange)
        exchange->fns.body(exchange->ctx, view_of(text));
}

void fake_close(struct fake *fake, const char *path, bool broken)
{
    struct fake_exchange *exchange = stream_find(fake, path);
    struct exchange_fns fns;
    struct err err = ERR_INIT;
    void *ctx;

    if (!exchange)
        return;
    fns = exchange->fns;
    ctx = exchange->ctx;
    exchange_drop(exchange);
    err_set(&err, ERR_NETWORK, "reset by peer");
    err.retryable = true;
    fns.end(ctx, broken ? &err : NULL);
}

size_t fake_streams(const struct fake *fake)
{
    size_t count = 0;

    LIST_EACH(link, &fake->exchanges)
    count += LIST_OF(link, struct fake_exchange, link)->answered;
    return count;
}

const char *fake_log(struct fake *fake)
{
    return buf_text(&fake->log);
}

void fake_log_clear(struct fake *fake)
{
    buf_reset(&fake->log);
}

size_t fake_count(struct fake *fake, const char *text)
{
    size_t count = 0;

    for (const char *at = buf_text(&fake->log); (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

const char *fake_header(const struct fake *fake, const char *name)
{
    return doc_as_text(doc_get(fake->headers, name), NULL);
}

#define VERBS "\"verbs\":[\"create\",\"delete\",\"get\",\"list\",\"patch\",\"update\",\"watch\"]"
#define RESOURCE(plural, singular, kind, scope, short_name)                                           \
    "{\"resource\":\"" plural "\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"" kind \
    "\"},\"scope\":\"" scope "\",\"singularResource\":\"" singular "\",\"shortNames\":[\"" short_name "\"]," VERBS "}"

void fake_discovery(struct fake *fake)
{
    fake_rule(
        fake, "GET", "/api", 0, 200,
        "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[{\"metadata\":{},"
        "\"versions\":[{\"version\":\"v1\",\"resources\":[" RESOURCE(
            "configmaps", "configmap", "ConfigMap", "Namespaced",
            "cm") "," RESOURCE("namespaces", "namespace", "Namespace", "Cluster",
                               "ns") "," RESOURCE("secrets", "secret", "Secret", "Namespaced", "") "]}]}]}");
    fake_rule(fake, "GET", "/apis", 0, 200,
              "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[{\"metadata\":{"
              "\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\",\"resources\":[" RESOURCE(
                  "deployments", "deployment", "Deployment", "Namespaced",
                  "deploy") "]}]},"
                            "{\"metadata\":{\"name\":\"autoscaling\"},\"versions\":[{\"version\":\"v2\",\"resources\":"
                            "[" RESOURCE("horizontalpodautoscalers", "horizontalpodautoscaler",
                                         "HorizontalPodAutoscaler", "Namespaced",
                                         "hpa") "]},"
                                                "{\"version\":\"v1\",\"resources\":[" RESOURCE(
                                                    "horizontalpodautoscalers", "horizontalpodautoscaler",
                                                    "HorizontalPodAutoscaler", "Namespaced",
                                                    "hpa") "]}]},"
                                                           "{\"metadata\":{\"name\":\"apiextensions.k8s.io\"},"
                                                           "\"versions\":[{\"version\":\"v1\",\"resources\":[" RESOURCE(
                                                               "customresourcedefinitions", "customresourcedefinition",
                                                               "CustomResourceDefinition", "Cluster", "crd") "]}]}]}");
}
