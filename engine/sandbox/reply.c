/* What a server says, on its way to the exchange: whole, mangled by a fault, or heard by nobody. */
#include "sandbox/core.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct sim_reply {
    struct sim *sim;
    struct sim_exchange *exchange; /* NULL: nobody listens */
    enum sim_mangle mangle;
    bool closed; /* the fault ended the answer: what else the server says is not sent */
    bool held;   /* nobody listens, but the server still owes an end */
    bool ended;  /* ended while nobody listened, before detach */
    void (*gone)(void *ctx);
    void *gone_ctx;
};

struct sim_reply *sim_reply_new(struct sim *sim, struct sim_exchange *exchange, enum sim_mangle mangle)
{
    struct sim_reply *reply = mem_alloc(sizeof(*reply));

    reply->sim = sim;
    reply->exchange = exchange;
    reply->mangle = mangle;
    return reply;
}

/* A server that asked to be told forgets the reply; one that did not will end it some day. */
void sim_reply_detach(struct sim_reply *reply)
{
    reply->exchange = NULL;
    if (!reply->ended && !reply->gone) {
        reply->held = true;
        return;
    }
    if (!reply->ended)
        reply->gone(reply->gone_ctx);
    free(reply);
}

void sim_reply_on_gone(struct sim_reply *reply, void (*gone)(void *ctx), void *ctx)
{
    reply->gone = gone;
    reply->gone_ctx = ctx;
}

/* The answer stops in the middle: the connection breaks, and the server is told. */
static void cut(struct sim_reply *reply)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_NETWORK, "the answer was cut off");
    err.retryable = err.maybe_done = true;
    reply->closed = true;
    sim_send_end(reply->exchange, &err);
}

static void head_as_page(struct sim_reply *reply, int status, const struct header *headers, size_t headers_len)
{
    struct header *changed = mem_array(headers_len + 1, sizeof(*changed));
    size_t len = 0;

    for (size_t i = 0; i < headers_len; i++)
        if (strcasecmp(headers[i].name, "content-type") != 0 && strcasecmp(headers[i].name, "content-length") != 0)
            changed[len++] = headers[i];
    changed[len++] = (struct header){"Content-Type", "text/html"};
    sim_send_head(reply->exchange, status, changed, len);
    free(changed);
}

void sim_reply_head(struct sim_reply *reply, int status, const struct header *headers, size_t headers_len)
{
    if (!reply->exchange)
        return;
    if (reply->mangle == MANGLE_TYPE)
        head_as_page(reply, status, headers, headers_len);
    else
        sim_send_head(reply->exchange, status, headers, headers_len);
}

void sim_reply_body(struct sim_reply *reply, struct view bytes)
{
    struct view half = {bytes.ptr, bytes.len / 2};

    if (!reply->exchange || reply->closed)
        return;
    switch (reply->mangle) {
    case MANGLE_NONE:
        sim_send_body(reply->exchange, bytes);
        break;
    case MANGLE_CUT:
        sim_send_body(reply->exchange, half);
        cut(reply);
        break;
    case MANGLE_MALFORMED:
        sim_send_body(reply->exchange, half);
        sim_send_body(reply->exchange, VIEW_LITERAL("\xff{]\n"));
        reply->mangle = MANGLE_NONE;
        break;
    case MANGLE_TYPE:
        sim_send_body(reply->exchange, VIEW_LITERAL("<html><body>The page cannot be shown.</body></html>\n"));
        sim_send_end(reply->exchange, NULL);
        reply->closed = true;
        break;
    }
}

void sim_reply_end(struct sim_reply *reply)
{
    if (!reply->exchange && !reply->held) {
        reply->ended = true; /* detach follows, and frees */
        return;
    }
    if (reply->exchange) {
        if (reply->mangle != MANGLE_NONE)
            sim_reply_body(reply, VIEW_LITERAL("")); /* an answer without a body is mangled too */
        if (!reply->closed)
            sim_send_end(reply->exchange, NULL);
        sim_exchange_forget(reply->exchange);
    }
    free(reply);
}

void sim_reply_fail(struct sim_reply *reply, const struct err *err)
{
    if (!reply->exchange && !reply->held) {
        reply->ended = true;
        return;
    }
    if (reply->exchange) {
        sim_send_end(reply->exchange, err);
        sim_exchange_forget(reply->exchange);
    }
    free(reply);
}

void sim_reply_doc(struct sim_reply *reply, int status, struct doc *take)
{
    const struct header type = {"Content-Type", "application/json"};
    struct buf body;

    buf_init(&body, SIZE_MAX / 2);
    json_add(&body, take, JSON_COMPACT);
    doc_unref(take);
    sim_reply_head(reply, status, &type, 1);
    sim_reply_body(reply, buf_view(&body));
    sim_reply_end(reply);
    buf_free(&body);
}
