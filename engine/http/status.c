/* From a status to an error: kind, whether waiting helps, whether it may have been done all the same. */
#include "http/call.h"

#include "base/secret.h"

#include <stdio.h>
#include <string.h>

enum { EXCERPT_MAX = 300 };

enum err_kind http_status_kind(int status)
{
    switch (status) {
    case 401:
        return ERR_AUTH;
    case 403:
        return ERR_DENIED;
    case 404:
    case 410:
        return ERR_MISSING;
    case 409:
    case 412:
        return ERR_CONFLICT;
    case 408:
    case 504:
        return ERR_TIMEOUT;
    case 429:
        return ERR_THROTTLED;
    default:
        return status >= 500 ? ERR_SERVER : ERR_QUOTA;
    }
}

static const char *words_of(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {400, "bad request"},
        {401, "not authenticated"},
        {403, "forbidden"},
        {404, "not found"},
        {405, "method not allowed"},
        {408, "request timeout"},
        {409, "conflict"},
        {410, "gone"},
        {412, "precondition failed"},
        {413, "content too large"},
        {415, "unsupported content"},
        {422, "unprocessable content"},
        {429, "too many requests"},
        {500, "server error"},
        {501, "not implemented"},
        {502, "bad gateway"},
        {503, "service unavailable"},
        {504, "gateway timeout"},
        {507, "insufficient storage"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].status == status)
            return table[i].words;
    return status >= 500 ? "server error" : "refused";
}

static void request_id_find(const struct http_answer *answer, struct err *err)
{
    static const char *const names[] = {"x-amzn-requestid", "x-amz-request-id", "audit-id", "x-request-id"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *id = http_answer_header(answer, names[i]);

        if (id) {
            snprintf(err->request_id, sizeof(err->request_id), "%s", id);
            return;
        }
    }
}

/* The body's beginning on one line, when it is text that people can read. */
static void excerpt_add(struct buf *out, struct view body)
{
    size_t len = body.len < EXCERPT_MAX ? body.len : EXCERPT_MAX;
    bool blank = true;

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)body.ptr[i] < ' ' && !strchr("\t\r\n", body.ptr[i]))
            return;
    for (size_t i = 0; i < len; i++) {
        bool is_blank = strchr(" \t\r\n", body.ptr[i]) != NULL;

        if (!is_blank && blank)
            buf_add_text(out, out->len ? " " : ": ");
        if (!is_blank)
            buf_add_char(out, body.ptr[i]);
        blank = is_blank;
    }
    if (out->len && body.len > EXCERPT_MAX)
        buf_add_text(out, "...");
}

bool http_status_err(const struct http_call *call, const struct http_answer *answer, struct err *err)
{
    const char *after = http_answer_header(answer, "retry-after");
    struct buf excerpt;

    if (answer->status < 400) {
        if (call->request.judged && call->error)
            call->error(call->ctx, answer, err);
        return err->kind != ERR_NONE;
    }
    buf_init(&excerpt, 2 * EXCERPT_MAX);
    if (!call->error) /* who reads the service's errors also knows what may be shown of them */
        excerpt_add(&excerpt, answer->body);
    err_set(err, http_status_kind(answer->status), "%d %s%s", answer->status, words_of(answer->status),
            buf_text(&excerpt));
    buf_free(&excerpt);
    err->status = answer->status;
    err->retryable = http_retry_status(answer->status, answer->body);
    /* A server may act and still say that it failed, or that this was too much. */
    bool doubt = (answer->status >= 500 || answer->status == 429) && answer->status != 501;
    err->maybe_done = doubt;
    if (after)
        err->retry_after_ms = http_retry_after_parse(after, world_now_ms(call->http->world));
    request_id_find(answer, err);
    if (call->error)
        call->error(call->ctx, answer, err);
    err->status = answer->status;
    err->maybe_done |= doubt;
    return true;
}

static void text_redact(const struct marks *marks, char *text, size_t size)
{
    struct buf clean;

    buf_init(&clean, SIZE_MAX);
    marks_redact(marks, view_of(text), &clean);
    snprintf(text, size, "%s", buf_text(&clean));
    buf_free(&clean);
}

void http_call_err_finish(const struct http_call *call, struct err *err)
{
    if (call->request.class == HTTP_READS)
        err->maybe_done = false;
    err_context(err, "%s %s", call->request.method, call->request.url);
    if (!call->http->marks)
        return;
    text_redact(call->http->marks, err->message, sizeof(err->message));
    text_redact(call->http->marks, err->code, sizeof(err->code));
    text_redact(call->http->marks, err->request_id, sizeof(err->request_id));
}
