#pragma once
/*
 * The network door's inside: pools (one curl multi each, on the loop) and exchanges (one curl easy
 * each). curl forbids calls into itself from its callbacks, ours allow them: so starting and
 * cancelling only move an exchange to a list that real_net_pump works off at the next turn.
 */
#include "world/real.h"
#include "world/real_curl.h"

/* Connections that may be shared. drop_connections retires the current pool: it ends with its last exchange. */
struct real_pool {
    struct list link;
    struct real *real;
    CURLM *multi;
    uv_timer_t timer; /* curl's */
    int exchanges;
    bool retired;
};

struct real_net {
    const struct real_curl *curl;
    struct real_pool *current; /* NULL after a drop */
    struct list pools;
    struct list starting, running, dead; /* struct real_exchange */
};

struct real_exchange {
    struct exchange base; /* first */
    struct list link;     /* in one of real_net's three lists */
    struct real *real;
    struct real_pool *pool; /* NULL until pumped */
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    char *url, *body, *host; /* host: what errors call the other side */
    size_t body_len;
    const struct exchange_source *source; /* NULL: the body is in memory */
    uint64_t source_at;
    struct exchange_fns fns;
    void *ctx;
    int64_t idle_timeout_ms;
    const struct tls *tls; /* only compared: may be gone */
    bool queues;           /* HTTP/2 and bound to end: waits for a free stream of its connection */
    uv_timer_t *idle;
    bool changes;
    bool sent;   /* curl was about to send the request's first byte */
    bool failed; /* err holds a reason of our own, whatever curl says */
    bool dead;   /* cancelled: no callback any more */
    struct err err;
    bool head_given;
    struct buf head; /* "name\0value\0" ... of the answer's head */
    size_t head_fields, head_bytes;
    char text[CURL_ERROR_SIZE];
};

/* A pool for a new exchange. */
struct real_pool *real_pool_get(struct real *real);
/* The exchange left its pool; a retired pool without exchanges ends. */
void real_pool_leave(struct real_exchange *exchange);
void real_pool_free(struct real_pool *pool);

/* Fills the easy handle from the request; what it refuses is in exchange->err. */
int real_exchange_set_up(struct real_exchange *exchange, const struct exchange_request *request, struct err *err);
/* curl is done with it: reports the end and frees it. From the loop, outside of curl. */
void real_exchange_done(struct real_exchange *exchange, CURLcode code);

/* What a failed transfer means. */
void real_exchange_judge(const struct real_exchange *exchange, CURLcode code, struct err *err);
