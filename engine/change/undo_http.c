/*
 * http.request {method, url, headers, body, if_still, gone}: sends one request back. if_still, when
 * there, is {url, body}: what GET must still answer (JSON compared as JSON, else as text); `gone`
 * true says that the resource was not there before, so 404 means that it is as before.
 */
#include "change/builtin.h"
#include "change/record.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 64 };

struct http_undo {
    struct changes *changes;
    struct doc *undo, *before, *after;
    void *owner;
    bool plan, after_known;
    struct header headers[HEADERS_MAX];
    size_t headers_len;
    struct buf body;
    undo_done_fn *done;
    void *done_ctx;
};

static void http_undo_end(struct http_undo *http, enum undo_outcome outcome, const struct err *err)
{
    undo_done_fn *done = http->done;
    void *done_ctx = http->done_ctx;
    struct err copy = err ? *err : ERR_INIT;

    doc_unref(http->undo);
    doc_unref(http->before);
    doc_unref(http->after);
    buf_free(&http->body);
    free(http);
    done(done_ctx, outcome, NULL, err ? &copy : NULL);
}

static bool gone_before(const struct http_undo *http)
{
    return doc_as_bool(doc_get(http->undo, "gone"), false);
}

static void http_undo_sent(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct http_undo *http = ctx;

    if (err && gone_before(http) && (answer->status == 404 || answer->status == 410))
        http_undo_end(http, UNDO_DONE, NULL);
    else
        http_undo_end(http, err ? UNDO_FAILED : UNDO_DONE, err);
}

static void http_undo_send(struct http_undo *http, const char *method, const char *url, const struct doc *body,
                           enum http_class class, void (*end)(void *, const struct http_answer *, const struct err *))
{
    const struct http_fns fns = {.end = end};
    struct http_request request = {
        .method = method, .url = url, .class = class, .repeat = HTTP_REPEAT_SAFE, .backward = true};

    buf_reset(&http->body);
    if (doc_is(body, DOC_STRING))
        buf_add_view(&http->body, doc_as_view(body));
    else if (body)
        json_add(&http->body, body, JSON_COMPACT);
    request.body = buf_view(&http->body);
    request.headers = http->headers;
    request.headers_len = http->headers_len;
    request.owner = http->owner;
    http_send(http->changes->options.http, &request, NULL, &fns, http);
}

/* Does the answer say what `want` (text, or a document) says? */
static bool body_is(struct view body, const struct doc *want)
{
    struct err err = ERR_INIT;
    struct doc *doc;
    bool same;

    if (doc_is(want, DOC_STRING))
        return view_equal(body, doc_as_view(want));
    doc = json_parse(body, &err);
    same = doc && doc_equal(doc, want);
    doc_unref(doc);
    return same;
}

static void http_undo_looked(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct http_undo *http = ctx;
    const struct doc *undo = http->undo, *before = doc_get(http->before, "body"), *after = doc_get(http->after, "body");
    bool missing = answer->status == 404 || answer->status == 410;

    if (err && !missing) {
        http_undo_end(http, UNDO_FAILED, err);
    } else if (missing ? gone_before(http) : before && body_is(answer->body, before)) {
        http_undo_end(http, UNDO_ALREADY, NULL);
    } else if (http->after ? missing || !body_is(answer->body, after) : http->after_known && !missing) {
        http_undo_end(http, UNDO_FOREIGN, NULL);
    } else if (http->plan) {
        http_undo_end(http, UNDO_DONE, NULL);
    } else {
        http_undo_send(http, doc_as_text(doc_get(undo, "method"), "PUT"), doc_as_text(doc_get(undo, "url"), ""),
                       doc_get(undo, "body"), HTTP_CHANGES, http_undo_sent);
    }
}

static void http_undo_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    struct http_undo *http = mem_alloc(sizeof(*http));
    const char *look = doc_path_text(request->undo, "if_still", "url", NULL);

    http->changes = ctx;
    http->undo = doc_ref(request->undo);
    http->before = doc_ref(request->before);
    http->after = doc_ref(request->after);
    http->owner = request->owner;
    http->plan = request->plan;
    http->after_known = request->after_known;
    http->done = done;
    http->done_ctx = done_ctx;
    buf_init(&http->body, 64 << 20);
    DOC_EACH(header, doc_get(request->undo, "headers"))
    {
        if (http->headers_len < HEADERS_MAX)
            http->headers[http->headers_len++] = (struct header){header.key, doc_as_text(header.value, "")};
    }
    if (!look)
        look = doc_as_text(doc_get(request->undo, "url"), "");
    http_undo_send(http, "GET", look, NULL, HTTP_READS, http_undo_looked);
}

struct undo_handler undo_http_handler(struct changes *changes)
{
    return (struct undo_handler){.op = "http.request", .start = http_undo_start, .ctx = changes};
}

static void none_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    struct doc *left = doc_array(), *entry = doc_object();

    (void)ctx;
    doc_set_text(entry, "what", doc_as_text(doc_get(request->undo, "why"), "it has no undo"));
    doc_push(left, entry);
    done(done_ctx, UNDO_FOREIGN, left, NULL);
}

void undo_builtin(struct changes *changes)
{
    changes_undo_handler(changes, (struct undo_handler){.op = "none", .start = none_start});
    changes_undo_handler(changes, undo_http_handler(changes));
    changes_undo_handler(changes, undo_file_handler(changes));
}
