/*
 * One HTTP exchange through curl, from start to end. curl sends a request again by itself when a
 * kept connection breaks before the answer: for a request that changes something that would be an
 * effect twice under one intent, so the second sending is refused and the break is told instead.
 */
#include "world/real_net.h"

#include "base/secret.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD_MAX = 1 << 20,
    /* What servers allow at least (RFC 9113, 6.5.2); over its server's limit curl opens a connection for each. */
    STREAMS_MAX = 100,
};

static struct real_exchange *exchange_of(struct exchange *exchange)
{
    return (struct real_exchange *)(void *)exchange;
}

static void idle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void exchange_free(struct real_exchange *exchange)
{
    struct real *real = exchange->real;
    const struct real_curl *curl = real->net->curl;

    real_pool_leave(exchange);
    list_remove(&exchange->link);
    if (exchange->idle)
        uv_close((uv_handle_t *)exchange->idle, idle_closed);
    if (curl) {
        if (exchange->easy)
            curl->easy_cleanup(exchange->easy);
        for (struct curl_slist *line = exchange->headers; line; line = line->next)
            secret_wipe(line->data, strlen(line->data));
        curl->slist_free_all(exchange->headers);
        curl->slist_free_all(exchange->connect_to);
    }
    if (exchange->url)
        secret_wipe(exchange->url, strlen(exchange->url));
    if (exchange->body)
        secret_wipe(exchange->body, exchange->body_len);
    free(exchange->url);
    free(exchange->body);
    free(exchange->host);
    buf_free(&exchange->head);
    free(exchange);
    real->pending--;
}

/* Our own reason to break off, told instead of curl's. */
static void exchange_fail(struct real_exchange *exchange, enum err_kind kind, const char *text)
{
    if (exchange->failed)
        return;
    exchange->failed = true;
    err_set(&exchange->err, kind, "%s: %s", exchange->host, text);
    exchange->err.maybe_done = exchange->sent;
    exchange->err.retryable = true;
}

static void exchange_end(struct real_exchange *exchange, const struct err *err)
{
    struct exchange_fns fns = exchange->fns;
    void *ctx = exchange->ctx;
    struct err copy = err ? *err : ERR_INIT;

    exchange_free(exchange);
    fns.end(ctx, err ? &copy : NULL);
}

void real_exchange_done(struct real_exchange *exchange, CURLcode code)
{
    struct err err = ERR_INIT;

    if (exchange->failed) {
        exchange_end(exchange, &exchange->err);
        return;
    }
    if (code == CURLE_OK && exchange->head_given) {
        exchange_end(exchange, NULL);
        return;
    }
    real_exchange_judge(exchange, code, &err);
    exchange_end(exchange, &err);
}

static void idle_due(uv_timer_t *timer)
{
    struct real_exchange *exchange = timer->data;

    real_timer_came(timer);
    exchange_fail(exchange, ERR_TIMEOUT, "nothing came for too long");
    real_exchange_done(exchange, CURLE_OK);
}

static void idle_restart(struct real_exchange *exchange)
{
    if (!exchange->idle)
        return;
    uv_update_time(&exchange->real->loop);
    uv_timer_start(exchange->idle, idle_due, (uint64_t)exchange->idle_timeout_ms, 0);
}

/* ---- curl's callbacks ---- */

static int before_request(void *ctx, char *peer, char *own, int peer_port, int own_port)
{
    struct real_exchange *exchange = ctx;

    (void)peer;
    (void)own;
    (void)peer_port;
    (void)own_port;
    if (exchange->sent && exchange->changes) {
        exchange_fail(exchange, ERR_NETWORK, "the connection broke before an answer came");
        return CURL_PREREQFUNC_ABORT;
    }
    exchange->sent = true;
    return CURL_PREREQFUNC_OK;
}

static void head_give(struct real_exchange *exchange, int status)
{
    struct header *headers = mem_array(exchange->head_fields + 1, sizeof(*headers));
    const char *at = buf_text(&exchange->head);

    for (size_t i = 0; i < exchange->head_fields; i++) {
        headers[i].name = at;
        at += strlen(at) + 1;
        headers[i].value = at;
        at += strlen(at) + 1;
    }
    exchange->head_given = true;
    exchange->fns.head(exchange->ctx, &(struct exchange_head){status, headers, exchange->head_fields});
    free(headers);
}

static struct view trimmed(struct view text)
{
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    while (text.len && strchr(" \t", *text.ptr)) {
        text.ptr++;
        text.len--;
    }
    return text;
}

static void head_field(struct real_exchange *exchange, struct view line)
{
    const char *colon = memchr(line.ptr, ':', line.len);

    if (!colon || colon == line.ptr)
        return;
    struct view name = trimmed((struct view){line.ptr, (size_t)(colon - line.ptr)});
    struct view value = trimmed((struct view){colon + 1, line.len - (size_t)(colon + 1 - line.ptr)});
    if (memchr(value.ptr, '\0', value.len) || memchr(name.ptr, '\0', name.len))
        return;
    buf_add_view(&exchange->head, name);
    buf_add_char(&exchange->head, '\0');
    buf_add_view(&exchange->head, value);
    buf_add_char(&exchange->head, '\0');
    exchange->head_fields++;
}

/* curl hands over one line a call: status line, fields, the empty line; 1xx heads come before, trailers after. */
static size_t head_line(char *bytes, size_t size, size_t count, void *ctx)
{
    struct real_exchange *exchange = ctx;
    struct view line = {bytes, size * count};
    long status = 0;

    if (exchange->dead)
        return 0;
    idle_restart(exchange);
    exchange->head_bytes += line.len;
    if (exchange->head_bytes > HEAD_MAX) {
        exchange_fail(exchange, ERR_SERVER, "the answer's headers are over 1 MiB");
        return 0;
    }
    if (exchange->head_given)
        return line.len;
    if (view_starts(line, "HTTP/")) {
        buf_reset(&exchange->head);
        exchange->head_fields = 0;
        return line.len;
    }
    if (trimmed(line).len) {
        head_field(exchange, line);
        return line.len;
    }
    exchange->real->net->curl->easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200)
        head_give(exchange, (int)status);
    return exchange->dead ? 0 : line.len;
}

static size_t body_bytes(char *bytes, size_t size, size_t count, void *ctx)
{
    struct real_exchange *exchange = ctx;
    size_t len = size * count;

    if (exchange->dead || !exchange->head_given)
        return 0;
    idle_restart(exchange);
    if (len)
        exchange->fns.body(exchange->ctx, (struct view){bytes, len});
    return exchange->dead ? 0 : len;
}

static size_t source_bytes(char *out, size_t size, size_t count, void *ctx)
{
    struct real_exchange *exchange = ctx;
    const struct exchange_source *source = exchange->source;
    uint64_t left = source->size - exchange->source_at;
    size_t len = left < size * count ? (size_t)left : size * count;
    struct err err = ERR_INIT;

    if (exchange->dead)
        return CURL_READFUNC_ABORT;
    idle_restart(exchange);
    if (len && source->read(source->ctx, exchange->source_at, out, len, &err) != 0) {
        if (!exchange->failed) {
            exchange->failed = true;
            exchange->err = err;
        }
        return CURL_READFUNC_ABORT;
    }
    exchange->source_at += len;
    return len;
}

/* curl sends again from the start: where before_request lets it. */
static int source_seek(void *ctx, curl_off_t offset, int origin)
{
    struct real_exchange *exchange = ctx;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > exchange->source->size)
        return CURL_SEEKFUNC_FAIL;
    exchange->source_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- the door ---- */

static void callbacks_set(struct real_exchange *exchange)
{
    const struct real_curl *curl = exchange->real->net->curl;

    curl->easy_setopt(exchange->easy, CURLOPT_PREREQFUNCTION, before_request);
    curl->easy_setopt(exchange->easy, CURLOPT_PREREQDATA, exchange);
    curl->easy_setopt(exchange->easy, CURLOPT_HEADERFUNCTION, head_line);
    curl->easy_setopt(exchange->easy, CURLOPT_HEADERDATA, exchange);
    curl->easy_setopt(exchange->easy, CURLOPT_WRITEFUNCTION, body_bytes);
    curl->easy_setopt(exchange->easy, CURLOPT_WRITEDATA, exchange);
    if (!exchange->source)
        return;
    curl->easy_setopt(exchange->easy, CURLOPT_READFUNCTION, source_bytes);
    curl->easy_setopt(exchange->easy, CURLOPT_READDATA, exchange);
    curl->easy_setopt(exchange->easy, CURLOPT_SEEKFUNCTION, source_seek);
    curl->easy_setopt(exchange->easy, CURLOPT_SEEKDATA, exchange);
}

static void net_open(struct real *real)
{
    real->net = mem_alloc(sizeof(*real->net));
    list_init(&real->net->pools);
    list_init(&real->net->starting);
    list_init(&real->net->running);
    list_init(&real->net->dead);
}

struct exchange *real_exchange_start(struct world *world, const struct exchange_request *request,
                                     const struct exchange_fns *fns, void *ctx)
{
    struct real *real = real_of(world);
    struct real_exchange *exchange = mem_alloc(sizeof(*exchange));

    if (!real->net)
        net_open(real);
    exchange->base.world = world;
    exchange->real = real;
    exchange->fns = *fns;
    exchange->ctx = ctx;
    exchange->changes = request->changes;
    exchange->source = request->source;
    exchange->idle_timeout_ms = request->idle_timeout_ms;
    exchange->tls = request->tls;
    exchange->queues = request->http2 && request->timeout_ms > 0;
    exchange->err = ERR_INIT;
    buf_init(&exchange->head, 2 * HEAD_MAX);
    list_add_tail(&real->net->starting, &exchange->link);
    real_wake(real);
    real->pending++;
    /* What fails here waits in the list like the rest and ends when the pump comes to it. */
    real->net->curl = real_curl_open(&exchange->err);
    if (!real->net->curl) {
        exchange->failed = true;
        return &exchange->base;
    }
    exchange->easy = real->net->curl->easy_init();
    assert(exchange->easy);
    if (real_exchange_set_up(exchange, request, &exchange->err) != 0)
        exchange->failed = true;
    callbacks_set(exchange);
    return &exchange->base;
}

void real_exchange_cancel(struct exchange *base)
{
    struct real_exchange *exchange = exchange_of(base);

    assert(!exchange->dead);
    exchange->dead = true;
    if (exchange->idle)
        uv_timer_stop(exchange->idle);
    list_remove(&exchange->link);
    list_add_tail(&exchange->real->net->dead, &exchange->link);
}

static bool has_stream(const struct real_exchange *exchange)
{
    int streams = 0, bound_to_end = 0;

    LIST_EACH(link, &exchange->real->net->running)
    {
        const struct real_exchange *other = LIST_OF(link, struct real_exchange, link);

        if (other->tls != exchange->tls || strcmp(other->host, exchange->host) != 0)
            continue;
        streams++;
        bound_to_end += other->queues;
    }
    return streams < STREAMS_MAX || !bound_to_end; /* never behind watches alone */
}

static void exchange_run(struct real_exchange *exchange)
{
    struct real *real = exchange->real;

    list_remove(&exchange->link);
    if (!exchange->failed && exchange->queues && !has_stream(exchange)) {
        list_add_tail(&real->net->starting, &exchange->link);
        return;
    }
    list_add_tail(&real->net->running, &exchange->link);
    if (exchange->failed) {
        exchange_end(exchange, &exchange->err);
        return;
    }
    exchange->pool = real_pool_get(real);
    exchange->pool->exchanges++;
    if (exchange->idle_timeout_ms > 0) {
        exchange->idle = mem_alloc(sizeof(*exchange->idle));
        uv_timer_init(&real->loop, exchange->idle);
        exchange->idle->data = exchange;
        idle_restart(exchange);
    }
    real->net->curl->multi_add_handle(exchange->pool->multi, exchange->easy);
}

void real_net_pump(struct real *real)
{
    struct real_net *net = real->net;
    struct list now;

    if (!net)
        return;
    while (!list_empty(&net->dead))
        exchange_free(LIST_OF(net->dead.next, struct real_exchange, link));
    LIST_EACH_SAFE(link, &net->pools)
    {
        struct real_pool *pool = LIST_OF(link, struct real_pool, link);

        if (pool->retired && pool->exchanges == 0)
            real_pool_free(pool);
    }
    /* What an end starts is left for the next turn. */
    list_init(&now);
    while (!list_empty(&net->starting)) {
        struct list *link = net->starting.next;

        list_remove(link);
        list_add_tail(&now, link);
    }
    while (!list_empty(&now))
        exchange_run(LIST_OF(now.next, struct real_exchange, link));
}

void real_net_free(struct real *real)
{
    struct real_net *net = real->net;

    if (!net)
        return;
    struct list *lists[] = {&net->starting, &net->running, &net->dead};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        while (!list_empty(lists[i]))
            exchange_free(LIST_OF(lists[i]->next, struct real_exchange, link));
    while (!list_empty(&net->pools))
        real_pool_free(LIST_OF(net->pools.next, struct real_pool, link));
    free(net);
    real->net = NULL;
}
