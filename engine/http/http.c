/*
 * A call's life: reveal, credentials, number, gate, exchange; then its answer is judged and it is sent
 * again or ends. Each step is one function that hands over to the next, perhaps in a later turn.
 * Nothing of a call is touched after it was handed on: whoever got it may have ended it.
 */
#include "http/call.h"

#include "base/secret.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void call_begin(void *ctx);

static struct http_answer call_answer(const struct http_call *call)
{
    return (struct http_answer){.status = call->status,
                                .headers = call->answer_headers.list,
                                .headers_len = call->answer_headers.len,
                                .body = buf_view(&call->answer_body),
                                .attempt = call->attempt,
                                .attempts = call->attempts,
                                .sent_ms = call->sent_ms};
}

static void call_free(struct http_call *call)
{
    list_remove(&call->link);
    http_call_wipe(call);
    http_fields_clear(&call->headers);
    http_fields_clear(&call->answer_headers);
    buf_free(&call->answer_body);
    free(call->origin);
    if (call->body)
        secret_wipe(call->body, call->request.body.len);
    free(call->body);
    free((void *)(uintptr_t)call->request.method);
    free((void *)(uintptr_t)call->request.url);
    free((void *)(uintptr_t)call->request.proxy);
    free((void *)(uintptr_t)call->request.subject);
    free((void *)(uintptr_t)call->request.token);
    free(call);
}

static void call_end(struct http_call *call, const struct err *err)
{
    struct http_answer answer = call_answer(call);

    call->state = CALL_OVER;
    http_call_wipe(call);
    call->fns.end(call->ctx, &answer, err);
    call_free(call);
}

/* It never came to an attempt, or the gate refused it. */
static void call_refused(struct http_call *call, struct err *err)
{
    http_call_err_finish(call, err);
    err->maybe_done |= call->maybe_done;
    call_end(call, err);
}

/* ---- after an attempt ---- */

static void attempt_tell(struct http_call *call, const struct err *err)
{
    struct http *http = call->http;
    struct http_answer answer = call_answer(call);

    call->state = CALL_TOLD;
    if (call->request.class == HTTP_CHANGES)
        http->gate.leave(http->gate.ctx, &call->request, call->attempt, &answer, err);
    else if (http->gate.read)
        http->gate.read(http->gate.ctx, &call->request, call->attempt, &answer, err);
}

/* The credentials were refused: asked for anew once, and that is no retry. */
static bool try_refresh(struct http_call *call, const struct err *err)
{
    if (err->kind != ERR_AUTH || !err->status || !call->request.auth || call->refreshed)
        return false;
    call->refreshed = call->refused = true;
    return true;
}

/* broken NULL: the whole answer is in. */
static void attempt_end(struct http_call *call, const struct err *broken)
{
    struct world *world = call->http->world;
    struct http_answer answer = call_answer(call);
    struct err err = broken ? *broken : ERR_INIT;
    bool failed = broken || http_status_err(call, &answer, &err);

    call->exchange = NULL;
    timer_stop(call->timer);
    call->timer = NULL;
    if (failed)
        http_call_err_finish(call, &err);
    if (call->request.pace)
        http_pace_answered(call->request.pace, world_now_ms(world), failed && err.kind == ERR_THROTTLED);
    if (!broken && call->request.class == HTTP_CHANGES)
        world_crash_point(world, call->attempt, CRASH_ANSWERED);
    attempt_tell(call, failed ? &err : NULL);
    if (call->cancelled) {
        call_free(call);
        return;
    }
    if (!failed) {
        http_retry_give(call);
        call_end(call, NULL);
        return;
    }
    call->maybe_done |= err.maybe_done;
    call->state = CALL_WAITS;
    if (try_refresh(call, &err)) {
        call->timer = timer_start(world, 0, call_begin, call);
    } else if (http_retry_take(call, &err)) {
        int64_t delay_ms = http_retry_delay_ms(world, call->attempt, call->request.first_delay_ms, call->retries - 1,
                                               err.retry_after_ms);

        call->timer = timer_start(world, delay_ms, call_begin, call);
    } else {
        err.maybe_done = call->maybe_done;
        call_end(call, &err);
    }
}

/* ---- the exchange ---- */

/* What came cannot be taken: no other attempt would fare better. */
static void answer_reject(struct http_call *call, struct err *err)
{
    exchange_cancel(call->exchange);
    err->status = call->status;
    err->maybe_done = true;
    attempt_end(call, err);
}

static void on_head(void *ctx, const struct exchange_head *head)
{
    struct http_call *call = ctx;
    struct err err = ERR_INIT;

    call->status = head->status;
    http_origin_answered(call);
    for (size_t i = 0; i < head->headers_len; i++)
        http_fields_add(&call->answer_headers, head->headers[i].name, head->headers[i].value);
    call->sinking = call->request.sink && head->status / 100 == 2;
    if (call->sinking) {
        struct http_answer answer = call_answer(call);

        if (call->request.sink->begin(call->request.sink->ctx, &answer, &err) != 0)
            answer_reject(call, &err);
        return;
    }
    if (!call->request.stream)
        return;
    timer_stop(call->timer);
    call->timer = NULL;
    /* A refusal's body is kept for the error, as it is for any other call. */
    call->streaming = head->status < 300;
}

static void on_body(void *ctx, struct view bytes)
{
    struct http_call *call = ctx;
    struct err err = ERR_INIT;

    if (call->streaming) {
        call->fns.body(call->ctx, bytes);
        return;
    }
    if (call->sinking) {
        if (call->request.sink->add(call->request.sink->ctx, bytes, &err) != 0)
            answer_reject(call, &err);
        return;
    }
    buf_add_view(&call->answer_body, bytes);
    if (!call->answer_body.over)
        return;
    err_set(&err, ERR_SERVER, "the answer's body is over 64 MiB");
    answer_reject(call, &err);
}

static void on_end(void *ctx, const struct err *err)
{
    attempt_end(ctx, err);
}

static void head_late(void *ctx)
{
    struct http_call *call = ctx;
    struct err err = ERR_INIT;

    call->timer = NULL;
    exchange_cancel(call->exchange);
    err_set(&err, ERR_TIMEOUT, "no answer in time");
    err.retryable = err.maybe_done = true;
    attempt_end(call, &err);
}

static void call_send(struct http_call *call)
{
    static const struct exchange_fns fns = {on_head, on_body, on_end};
    struct http *http = call->http;
    const struct http_request *request = &call->request;
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : HTTP_TIMEOUT_MS;
    bool marked = call->plain_body.len > 0;
    bool streamed = request->source || request->sink;

    call->state = CALL_SENT;
    call->sent_ms = world_now_ms(http->world);
    call->exchange = exchange_start(http->world,
                                    &(struct exchange_request){
                                        .attempt = call->attempt,
                                        .logical = request->logical,
                                        .changes = request->class == HTTP_CHANGES,
                                        .backward = request->backward,
                                        .method = request->method,
                                        .url = buf_text(&call->plain_url),
                                        .headers = call->plain.list,
                                        .headers_len = call->plain.len,
                                        .body = marked ? buf_view(&call->plain_body) : request->body,
                                        .source = request->source,
                                        .tls = request->tls,
                                        .proxy = request->proxy,
                                        .timeout_ms = request->stream || streamed ? 0 : timeout_ms,
                                        .idle_timeout_ms = streamed ? timeout_ms : request->idle_timeout_ms,
                                        .http2 = request->http2,
                                    },
                                    &fns, call);
    http_call_wipe(call);
    if (request->stream)
        call->timer = timer_start(http->world, timeout_ms, head_late, call);
}

/* ---- before it ---- */

/* Whoever asked has left; the gate hears that what it admitted was never sent. */
static void call_abandon(struct http_call *call, bool admitted)
{
    struct err err = ERR_INIT;

    if (admitted) {
        err_set(&err, ERR_CANCELLED, "cancelled before it was sent");
        http_call_err_finish(call, &err);
        attempt_tell(call, &err);
    }
    call_free(call);
}

void http_gate_open(struct http_call *call, const struct err *refused)
{
    struct err err = refused ? *refused : ERR_INIT;

    assert(call->state == CALL_GATE);
    if (call->cancelled)
        call_abandon(call, !refused);
    else if (refused)
        call_refused(call, &err);
    else
        call_send(call);
}

static void call_number(struct http_call *call)
{
    struct http *http = call->http;
    struct err err = ERR_INIT;

    call->attempt = world_attempt(http->world);
    call->attempts++;
    if (!call->request.logical)
        call->request.logical = call->attempt;
    if (call->request.class == HTTP_READS) {
        call_send(call);
    } else if (http->gate.enter) {
        call->state = CALL_GATE;
        http->gate.enter(http->gate.ctx, call, &call->request, call->attempt, call->request.logical);
    } else {
        err_set(&err, ERR_INTERNAL, "a change without a gate to pass");
        call_refused(call, &err);
    }
}

static void auth_done(void *ctx, const struct err *failed)
{
    struct http_call *call = ctx;
    struct err err = failed ? *failed : ERR_INIT;

    assert(call->state == CALL_AUTH);
    if (!failed && call->bad_header)
        err_set(&err, ERR_AUTH, "the credentials hold bytes that no header may have");
    if (call->cancelled)
        call_free(call);
    else if (err.kind)
        call_refused(call, &err);
    else
        call_number(call);
}

void http_header_add(struct http_call *call, const char *name, const char *value)
{
    struct err err = ERR_INIT;

    assert(call->state == CALL_AUTH);
    if (http_call_reveal_header(call, name, value, &err) != 0)
        call->bad_header = true;
}

static void call_begin(void *ctx)
{
    struct http_call *call = ctx;
    struct world *world = call->http->world;
    int64_t wait_ms = call->request.pace ? http_pace_take(call->request.pace, world_now_ms(world)) : 0;
    struct err err = ERR_INIT;

    call->timer = wait_ms ? timer_start(world, wait_ms, call_begin, call) : NULL;
    if (wait_ms)
        return;
    call->status = 0;
    call->sent_ms = 0;
    call->sinking = false;
    http_fields_clear(&call->answer_headers);
    buf_reset(&call->answer_body);
    if (http_call_reveal(call, &err) != 0) {
        call_refused(call, &err);
        return;
    }
    if (!http_fields_find(call->plain.list, call->plain.len, "User-Agent"))
        http_fields_add(&call->plain, "User-Agent", "dosrun/" DOSRUN_VERSION);
    if (call->request.auth) {
        bool refused = call->refused;

        call->state = CALL_AUTH;
        call->refused = false;
        call->request.auth->headers(call->request.auth->ctx, call, refused, auth_done, call);
    } else {
        call_number(call);
    }
}

/* ---- the public face ---- */

struct http_call *http_send(struct http *http, const struct http_request *request, http_error_fn *error,
                            const struct http_fns *fns, void *ctx)
{
    struct http_call *call = mem_alloc(sizeof(*call));

    assert(request->method && request->url && fns->end && (fns->body || !request->stream));
    assert(!request->source || !request->body.len);
    call->http = http;
    call->request = *request;
    call->request.method = mem_text(request->method);
    call->request.url = mem_text(request->url);
    call->request.proxy = mem_text(request->proxy);
    call->request.subject = mem_text(request->subject);
    call->request.token = mem_text(request->token);
    for (size_t i = 0; i < request->headers_len; i++)
        http_fields_add(&call->headers, request->headers[i].name, request->headers[i].value);
    call->request.headers = call->headers.list;
    call->body = mem_view(request->body);
    call->request.body.ptr = call->body;
    if (request->class == HTTP_READS)
        call->request.repeat = HTTP_REPEAT_SAFE;
    call->error = error;
    call->fns = *fns;
    call->ctx = ctx;
    buf_init(&call->plain_url, HTTP_HEAD_MAX);
    buf_init(&call->plain_body, SIZE_MAX);
    buf_init(&call->answer_body, HTTP_BODY_MAX);
    list_add_tail(&http->calls, &call->link);
    call->state = CALL_WAITS;
    call->timer = timer_start(http->world, 0, call_begin, call);
    return call;
}

void http_cancel(struct http_call *call)
{
    struct err err = ERR_INIT;

    assert(!call->cancelled);
    switch (call->state) {
    case CALL_OVER:
        return; /* from inside its own end */
    case CALL_AUTH:
    case CALL_GATE:
    case CALL_TOLD:
        call->cancelled = true; /* they still hold it */
        return;
    case CALL_WAITS:
        timer_stop(call->timer);
        break;
    case CALL_SENT:
        timer_stop(call->timer);
        exchange_cancel(call->exchange);
        err_set(&err, call->request.class == HTTP_CHANGES ? ERR_UNKNOWN_OUTCOME : ERR_CANCELLED,
                "cancelled before the answer was in");
        err.maybe_done = true;
        http_call_err_finish(call, &err);
        attempt_tell(call, &err);
        break;
    }
    call_free(call);
}

const char *http_answer_header(const struct http_answer *answer, const char *name)
{
    return http_fields_find(answer->headers, answer->headers_len, name);
}

struct http *http_new(struct world *world, const struct marks *marks)
{
    struct http *http = mem_alloc(sizeof(*http));

    http->world = world;
    http->marks = marks;
    http->retries = HTTP_RETRIES;
    http->reserve = HTTP_RESERVE;
    list_init(&http->calls);
    return http;
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (!list_empty(&http->calls)) {
        struct http_call *call = LIST_OF(http->calls.next, struct http_call, link);

        timer_stop(call->timer);
        if (call->state == CALL_SENT)
            exchange_cancel(call->exchange);
        call_free(call);
    }
    for (int i = 0; i < http->origins_len; i++)
        free(http->origins[i]);
    free(http);
}

void http_set_gate(struct http *http, struct http_gate gate)
{
    http->gate = gate;
}

void http_set_budget(struct http *http, int retries, int reserve)
{
    http->retries = retries;
    http->reserve = reserve;
}

int64_t http_retries_used(const struct http *http)
{
    return http->used;
}
