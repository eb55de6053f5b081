/*
 * The network door. An exchange arrives at its server SIM_UP_MS after it was started, what the
 * server says reaches the client SIM_DOWN_MS after it was said; a fault strikes in between.
 */
#include "sandbox/core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum piece_kind { PIECE_HEAD, PIECE_BODY, PIECE_END };

/* Something on its way to the client; its timer is all that knows when. */
struct piece {
    struct list link;
    struct sim_exchange *exchange;
    struct sim_timer *timer;
    enum piece_kind kind;
    int status;
    struct header *headers;
    size_t headers_len;
    struct buf body;
    bool failed;
    struct err err;
};

struct sim_exchange {
    struct exchange door; /* first: what the engine holds */
    struct sim *sim;
    struct list link;
    struct sim_message message;
    struct exchange_fns fns;
    void *ctx;
    uint64_t attempt;
    bool changes, sent, head_given;
    int64_t idle_timeout_ms;
    struct sim_fault *fault;
    struct sim_reply *reply; /* the one that is listened to, while its server has not ended it */
    struct sim_timer *arrival, *timeout, *idle;
    struct list pieces;
};

struct sim_net {
    struct sim *sim;
    struct list exchanges; /* oldest first */
    struct list late;      /* late.c's own */
};

struct sim_net *sim_net_new(struct sim *sim)
{
    struct sim_net *net = mem_alloc(sizeof(*net));

    net->sim = sim;
    list_init(&net->late);
    list_init(&net->exchanges);
    return net;
}

struct list *sim_net_late(struct sim_net *net)
{
    return &net->late;
}

static void piece_free(struct piece *piece)
{
    list_remove(&piece->link);
    sim_headers_free(piece->headers, piece->headers_len);
    buf_free(&piece->body);
    free(piece);
}

static void exchange_free(struct sim_exchange *exchange)
{
    LIST_EACH_SAFE(link, &exchange->pieces)
    {
        struct piece *piece = LIST_OF(link, struct piece, link);

        sim_timer_stop(piece->timer);
        piece_free(piece);
    }
    sim_timer_stop(exchange->arrival);
    sim_timer_stop(exchange->timeout);
    sim_timer_stop(exchange->idle);
    if (exchange->reply)
        sim_reply_detach(exchange->reply);
    list_remove(&exchange->link);
    exchange->sim->wanted--;
    sim_message_clear(&exchange->message);
    free(exchange);
}

void sim_net_free(struct sim_net *net)
{
    if (!net)
        return;
    LIST_EACH_SAFE(link, &net->exchanges)
    exchange_free(LIST_OF(link, struct sim_exchange, link));
    sim_late_free(net->sim);
    free(net);
}

/* The end that the client hears; the exchange is gone when it does. */
static void exchange_end(struct sim_exchange *exchange, const struct err *err)
{
    struct exchange_fns fns = exchange->fns;
    void *ctx = exchange->ctx;

    exchange_free(exchange);
    fns.end(ctx, err);
}

/* Texts begin with host and port, as the real world's do; http puts method and URL in front. */
static void say_host(const struct sim_exchange *exchange, struct err *err)
{
    const struct sim_request *request = &exchange->message.request;

    if (request->host.len > 0)
        err_context(err, "%.*s:%d", (int)request->host.len, request->host.ptr, request->port);
}

static void exchange_failed(struct sim_exchange *exchange, enum err_kind kind, bool maybe_done, const char *why)
{
    struct err err = ERR_INIT;

    err_set(&err, kind, "%s", why);
    say_host(exchange, &err);
    err.retryable = kind == ERR_NETWORK || kind == ERR_TIMEOUT;
    err.maybe_done = maybe_done;
    exchange_end(exchange, &err);
}

static void total_timeout(void *ctx)
{
    struct sim_exchange *exchange = ctx;

    exchange->timeout = NULL;
    exchange_failed(exchange, ERR_TIMEOUT, exchange->sent,
                    exchange->head_given ? "the answer did not end in time" : "no answer in time");
}

static void idle_timeout(void *ctx)
{
    struct sim_exchange *exchange = ctx;

    exchange->idle = NULL;
    exchange_failed(exchange, ERR_TIMEOUT, exchange->sent, "nothing came for too long");
}

static void idle_restart(struct sim_exchange *exchange)
{
    sim_timer_stop(exchange->idle);
    exchange->idle = NULL;
    if (exchange->idle_timeout_ms > 0)
        exchange->idle = sim_after(exchange->sim, exchange->idle_timeout_ms, idle_timeout, exchange);
}

/* ---- the way back ---- */

static void piece_deliver(void *ctx)
{
    struct piece *piece = ctx;
    struct sim_exchange *exchange = piece->exchange;
    struct exchange_fns fns = exchange->fns;
    struct exchange_head head = {piece->status, piece->headers, piece->headers_len};
    void *client = exchange->ctx;
    struct err err = piece->err;

    /* Out of the list, so that a cancel inside the callback leaves the piece to us. */
    list_remove(&piece->link);
    idle_restart(exchange);
    switch (piece->kind) {
    case PIECE_HEAD:
        exchange->head_given = true;
        if (fns.head)
            fns.head(client, &head);
        break;
    case PIECE_BODY:
        if (fns.body)
            fns.body(client, buf_view(&piece->body));
        break;
    case PIECE_END:
        exchange_end(exchange, piece->failed ? &err : NULL);
        break;
    }
    piece_free(piece);
}

static struct piece *piece_send(struct sim_exchange *exchange, enum piece_kind kind)
{
    struct piece *piece = mem_alloc(sizeof(*piece));

    piece->exchange = exchange;
    piece->kind = kind;
    buf_init(&piece->body, SIZE_MAX / 2);
    list_add_tail(&exchange->pieces, &piece->link);
    piece->timer = sim_after(exchange->sim, SIM_DOWN_MS, piece_deliver, piece);
    return piece;
}

void sim_send_head(struct sim_exchange *exchange, int status, const struct header *headers, size_t headers_len)
{
    struct piece *piece = piece_send(exchange, PIECE_HEAD);

    piece->status = status;
    piece->headers = sim_headers_copy(headers, headers_len);
    piece->headers_len = headers_len;
}

void sim_send_body(struct sim_exchange *exchange, struct view bytes)
{
    buf_add_view(&piece_send(exchange, PIECE_BODY)->body, bytes);
}

void sim_send_end(struct sim_exchange *exchange, const struct err *err)
{
    struct piece *piece = piece_send(exchange, PIECE_END);

    piece->failed = err != NULL;
    if (err) {
        piece->err = *err;
        say_host(exchange, &piece->err);
    }
}

void sim_exchange_forget(struct sim_exchange *exchange)
{
    exchange->reply = NULL;
}

/* ---- arrival ---- */

struct sim_server *sim_route(const struct sim *sim, const struct sim_request *request)
{
    for (size_t i = 0; i < sim->servers_len; i++)
        if (sim->servers[i]->serves(sim->servers[i], request))
            return sim->servers[i];
    return NULL;
}

static void nobody_there(struct sim_exchange *exchange)
{
    const char *url = exchange->message.url, *host = strstr(url, "://") + 3;
    struct err err = ERR_INIT;

    err_set(&err, ERR_NETWORK,
            "connection refused: nobody in the sandbox answers for this host. Script it in tests/sandbox.lua: "
            "sandbox.http(\"%.*s\", function(request) return { status = 200, json = {} } end)",
            (int)((size_t)(host - url) + strcspn(host, "/?#")), url);
    say_host(exchange, &err);
    exchange_end(exchange, &err);
}

/* The server acts and nobody hears its answer. */
static void handle_unheard(struct sim_exchange *exchange, struct sim_server *server)
{
    struct sim_reply *reply = sim_reply_new(exchange->sim, NULL, MANGLE_NONE);

    server->handle(server, &exchange->message.request, reply);
    sim_reply_detach(reply);
}

static void handle(struct sim_exchange *exchange, struct sim_server *server, enum sim_mangle mangle)
{
    exchange->reply = sim_reply_new(exchange->sim, exchange, mangle);
    server->handle(server, &exchange->message.request, exchange->reply);
}

static void answer_fault(struct sim_exchange *exchange, struct sim_server *server, enum fault_kind kind)
{
    exchange->reply = sim_reply_new(exchange->sim, exchange, MANGLE_NONE);
    sim_answer_fault(exchange->sim, exchange->reply, server, &exchange->message.request, kind, exchange->attempt);
}

/* The answer never comes. A client without any timeout hears of it all the same. */
static void stay_silent(struct sim_exchange *exchange)
{
    if (!exchange->timeout && !exchange->idle)
        exchange->timeout = sim_after(exchange->sim, SIM_SILENCE_MS, total_timeout, exchange);
}

static void crash_sent(const struct sim_exchange *exchange)
{
    if (exchange->changes)
        sim_crash(exchange->sim, exchange->attempt, CRASH_SENT);
}

/* Faults that strike before the server sees anything. False: it is to act. */
static bool fault_before(struct sim_exchange *exchange, struct sim_server *server, enum fault_kind kind)
{
    uint64_t variant = sim_draw(exchange->sim, "variant", exchange->attempt, 2);

    switch (kind) {
    case FAULT_CONNECT:
        exchange_failed(exchange, ERR_NETWORK, false,
                        variant ? "connection refused" : "the host's name cannot be resolved");
        return true;
    case FAULT_TLS:
        exchange_failed(exchange, ERR_AUTH, false, "TLS: the server's certificate is not trusted");
        return true;
    case FAULT_RESET_BEFORE:
        exchange->sent = true;
        exchange_failed(exchange, ERR_NETWORK, true, "the connection was reset before an answer came");
        return true;
    case FAULT_LATE:
        sim_late_add(exchange->sim, &exchange->message, exchange->attempt);
        exchange->sent = true;
        stay_silent(exchange);
        return true;
    case FAULT_TIMEOUT:
        exchange->sent = true;
        stay_silent(exchange);
        return true;
    case FAULT_THROTTLE:
    case FAULT_5XX_BEFORE:
    case FAULT_EXPIRED:
    case FAULT_FORBIDDEN:
    case FAULT_CONFLICT:
    case FAULT_QUOTA:
        exchange->sent = true;
        answer_fault(exchange, server, kind);
        return true;
    default:
        return false;
    }
}

/* The server acts; what the client hears of it is the fault's matter. */
static void act(struct sim_exchange *exchange, struct sim_server *server, enum fault_kind kind)
{
    struct sim *sim = exchange->sim;

    switch (kind) {
    case FAULT_RESET_AFTER:
        handle_unheard(exchange, server);
        crash_sent(exchange);
        sim_store_flush(sim->store);
        exchange_failed(exchange, ERR_NETWORK, true, "the connection was reset before an answer came");
        return;
    case FAULT_THROTTLE_AFTER:
    case FAULT_5XX_AFTER:
        handle_unheard(exchange, server);
        answer_fault(exchange, server, kind);
        break;
    case FAULT_TWICE:
        handle_unheard(exchange, server);
        handle(exchange, server, MANGLE_NONE);
        break;
    case FAULT_BODY:
        handle(exchange, server, (enum sim_mangle)(MANGLE_CUT + sim_draw(sim, "mangle", exchange->attempt, 3)));
        break;
    default:
        handle(exchange, server, MANGLE_NONE);
        break;
    }
    crash_sent(exchange);
}

static void exchange_arrive(void *ctx)
{
    struct sim_exchange *exchange = ctx;
    const struct sim_request *request = &exchange->message.request;
    struct sim_server *server = sim_route(exchange->sim, request);
    struct sim_fault *fault = exchange->fault;
    enum fault_kind kind = sim_fault_kind(fault);

    exchange->arrival = NULL;
    if (kind >= FAULT_STALE) {
        if (server && server->fault && server->fault(server, request, sim_fault_name(kind)))
            sim_fault_struck(fault);
    } else if (kind != FAULT_NONE) {
        bool over = fault_before(exchange, server, kind);

        if (over || server)
            sim_fault_struck(fault);
        if (over)
            return;
    }
    if (!server) {
        nobody_there(exchange);
        return;
    }
    exchange->sent = true;
    act(exchange, server, kind);
}

/* ---- the door ---- */

/* The simulated servers take a body whole, and a late effect outlives the client's file. */
static int source_take(const struct exchange_source *source, struct buf *body, struct err *err)
{
    char *bytes;
    int result;

    if (source->size > SIM_BODY_MAX)
        return err_set(err, ERR_QUOTA, "a body of %" PRIu64 " bytes: the sandbox takes up to 64 MiB", source->size);
    bytes = mem_alloc((size_t)source->size + 1);
    result = source->size ? source->read(source->ctx, 0, bytes, (size_t)source->size, err) : 0;
    if (result == 0)
        buf_add(body, bytes, (size_t)source->size);
    free(bytes);
    return result;
}

static int message_take(struct sim_message *message, const struct exchange_request *request, struct err *err)
{
    struct buf body;
    int result = 0;

    buf_init(&body, SIM_BODY_MAX);
    if (request->source)
        result = source_take(request->source, &body, err);
    if (result == 0)
        result = sim_message_init(message, request->method, request->url, request->headers, request->headers_len,
                                  request->source ? buf_view(&body) : request->body, err);
    buf_free(&body);
    return result;
}

struct exchange *sim_exchange_start(struct world *world, const struct exchange_request *request,
                                    const struct exchange_fns *fns, void *ctx)
{
    struct sim *sim = (struct sim *)(void *)world;
    struct sim_exchange *exchange = mem_alloc(sizeof(*exchange));
    struct err err = ERR_INIT;

    exchange->door.world = world;
    exchange->sim = sim;
    exchange->fns = *fns;
    exchange->ctx = ctx;
    exchange->attempt = request->attempt;
    exchange->changes = request->changes;
    exchange->idle_timeout_ms = request->idle_timeout_ms;
    list_init(&exchange->pieces);
    list_add_tail(&sim->net->exchanges, &exchange->link);
    sim->wanted++;
    exchange->fault =
        sim_fault_pick(sim->faults, request->attempt, request->logical, request->changes, request->backward);
    if (message_take(&exchange->message, request, &err) || (request->changes && sim_store_claim(sim->store, &err))) {
        sim_send_end(exchange, &err);
        return &exchange->door;
    }
    exchange->arrival = sim_after(sim, SIM_UP_MS, exchange_arrive, exchange);
    if (request->timeout_ms > 0)
        exchange->timeout = sim_after(sim, request->timeout_ms, total_timeout, exchange);
    idle_restart(exchange);
    return &exchange->door;
}

void sim_exchange_cancel(struct exchange *door)
{
    exchange_free((struct sim_exchange *)(void *)door);
}

bool sim_net_unstick(struct sim_net *net)
{
    if (list_empty(&net->exchanges))
        return false;
    exchange_failed(LIST_OF(net->exchanges.next, struct sim_exchange, link), ERR_TIMEOUT, true,
                    "it waits without a timeout and nothing is left in the sandbox that could answer");
    return true;
}
