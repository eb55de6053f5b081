/*
 * Requests to the API server: JSON out, JSON in.
 *
 * A call waits for credentials, then is one http request (which retries by itself). Two things are retried here,
 * because http cannot see them: an answer of 2xx that is no JSON, and a 401 after which the client certificate was
 * renewed.
 */
#include "kube/inside.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 64 << 20, MALFORMED_MAX = 3 };

struct kube_call {
    struct list link;
    struct kube *kube;
    struct kube_request request; /* its texts are ours; query and body are NULL: they are in url and text */
    char *url, *accept;
    struct buf text;
    bool secret; /* about Secrets: nothing of an error's body may be quoted */
    bool json;   /* an answer of 2xx must be JSON */
    int64_t idle_timeout_ms;
    void (*piece)(void *ctx, struct view bytes);
    kube_answer_fn *fn;
    void *ctx;

    struct http_auth door;
    struct kube_auth_waiter waiter;
    uint64_t generation; /* of the credentials that were used last; 0: none yet */
    void (*http_done)(void *ctx, const struct err *err);
    void *http_done_ctx;
    struct http_call *http; /* NULL until credentials are there */
    const struct kube_tls *tls;
    int malformed;
    struct timer *timer; /* an error to tell in the next turn */
    struct err err;
};

/* ---- the end of a call ---- */

static void call_free(struct kube_call *call)
{
    list_remove(&call->link);
    list_remove(&call->waiter.link);
    timer_stop(call->timer);
    free((char *)call->request.method);
    free((char *)call->request.path);
    free((char *)call->request.content_type);
    free((char *)call->request.subject);
    free(call->url);
    free(call->accept);
    buf_free(&call->text);
    free(call);
}

static void call_end(struct kube_call *call, const struct doc *body, const struct http_answer *answer,
                     const struct err *err)
{
    static const struct http_answer nothing;
    kube_answer_fn *fn = call->fn;
    void *ctx = call->ctx;

    call->http = NULL;
    call_free(call);
    fn(ctx, body, answer ? answer : &nothing, err);
}

static void fail_now(void *ctx)
{
    struct kube_call *call = ctx;
    struct err err = call->err;

    call->timer = NULL;
    call_end(call, NULL, NULL, &err);
}

/* Tells the error in the next turn: nobody is called back from inside kube_send. */
static void call_fail_later(struct kube_call *call, const struct err *err)
{
    call->err = *err;
    call->timer = timer_start(call->kube->world, 0, fail_now, call);
}

/* ---- credentials ---- */

static void door_ready(struct kube_auth_waiter *waiter, const struct err *err)
{
    struct kube_call *call = LIST_OF(waiter, struct kube_call, waiter);

    if (!err) {
        call->kube->auth->ops->add(call->kube->auth, call->http);
        call->generation = call->kube->auth->generation;
    }
    call->http_done(call->http_done_ctx, err);
}

/* http asks before each attempt. */
static void door_headers(void *ctx, struct http_call *http, bool refused,
                         void (*done)(void *done_ctx, const struct err *err), void *done_ctx)
{
    struct kube_call *call = ctx;
    struct kube_auth *auth = call->kube->auth;

    call->http = http; /* http_send has not returned yet, the first time */
    call->http_done = done;
    call->http_done_ctx = done_ctx;
    call->waiter.done = door_ready;
    auth->ops->ready(auth, refused ? call->generation : 0, &call->waiter);
}

static void certificate_renewed(void *ctx, const char *cert_pem, const char *key_pem)
{
    struct kube *kube = ctx;
    struct kube_tls *tls = mem_alloc(sizeof(*tls));

    tls->tls = kube->tls->tls;
    tls->cert_pem = mem_text(cert_pem);
    tls->key_pem = mem_text(key_pem);
    tls->tls.cert_pem = tls->cert_pem;
    tls->tls.key_pem = tls->key_pem;
    tls->older = kube->tls;
    kube->tls = tls;
    world_drop_connections(kube->world);
}

/* ---- the answer ---- */

static bool is_secret_path(const char *path)
{
    const char *at = strstr(path, "/secrets");

    return at && (!at[8] || at[8] == '/' || at[8] == '?');
}

static bool is_json(const struct http_answer *answer)
{
    const char *type = http_answer_header(answer, "content-type");

    return type && view_starts(view_of(type), "application/json");
}

static void call_send(struct kube_call *call);

/* True when the call was sent once more. */
static bool call_repeat(struct kube_call *call, const struct http_answer *answer)
{
    if (call->request.class == HTTP_CHANGES && call->request.repeat == HTTP_REPEAT_NEVER)
        return false;
    if (++call->malformed >= MALFORMED_MAX)
        return false;
    if (!call->request.logical && answer->attempts == 1)
        call->request.logical = answer->attempt;
    call_send(call);
    return true;
}

/* Every object, list and Status below /api and /apis says its kind; what does not is somebody else's answer. */
static bool is_api_object(const struct kube_call *call, const struct doc *body)
{
    if (!doc_is(body, DOC_OBJECT))
        return false;
    return strncmp(call->request.path, "/api", 4) != 0 || doc_is(doc_get(body, "kind"), DOC_STRING);
}

static void answer_end(void *ctx, const struct http_answer *answer, const struct err *failed)
{
    struct kube_call *call = ctx;
    struct http_answer shown = *answer;
    struct err err = ERR_INIT;
    struct doc *body = NULL;

    call->http = NULL;
    if (failed && failed->status == 401 && call->tls != call->kube->tls) {
        call_send(call); /* the certificate was renewed while this one was on its way */
        return;
    }
    if (!call->piece && answer->body.len && is_json(answer))
        body = json_parse(answer->body, &err);
    if (body) {
        kube_mask_secrets(call->kube->marks, body);
        shown.body = (struct view){"", 0};
    }
    if (!failed && call->json && answer->status / 100 == 2 && !is_api_object(call, body)) {
        if (call_repeat(call, answer)) {
            doc_unref(body);
            return;
        }
        err_set(&err, ERR_SERVER, "the answer is no Kubernetes object, or was cut (%zu bytes)", answer->body.len);
        err.status = answer->status;
        err.maybe_done = call->request.class == HTTP_CHANGES;
        failed = &err;
    }
    if (failed && call->secret)
        shown.body = (struct view){"", 0};
    call_end(call, body, &shown, failed);
    doc_unref(body);
}

static void answer_piece(void *ctx, struct view bytes)
{
    struct kube_call *call = ctx;

    call->piece(call->ctx, bytes);
}

/* ---- sending ---- */

static size_t headers_fill(const struct kube_call *call, struct header *headers)
{
    const struct doc *impersonate = call->kube->config->impersonate;
    size_t count = 0;

    headers[count++] = (struct header){"Accept", call->accept};
    headers[count++] = (struct header){"User-Agent", "dosrun/" DOSRUN_VERSION};
    if (call->text.len)
        headers[count++] = (struct header){"Content-Type", call->request.content_type};
    for (size_t i = 0; i < doc_size(impersonate); i++)
        headers[count++] = (struct header){doc_path_text(doc_at(impersonate, i), "name", NULL),
                                           doc_path_text(doc_at(impersonate, i), "value", NULL)};
    return count;
}

static void call_send(struct kube_call *call)
{
    static const struct http_fns plain = {NULL, answer_end}, streamed = {answer_piece, answer_end};
    struct kube *kube = call->kube;
    struct header *headers = mem_array(doc_size(kube->config->impersonate) + 3, sizeof(*headers));
    struct http_request request = {
        .method = call->request.method,
        .url = call->url,
        .headers = headers,
        .headers_len = headers_fill(call, headers),
        .body = buf_view(&call->text),
        .class = call->request.class,
        .repeat = call->request.repeat,
        .auth = &call->door,
        .tls = &kube->tls->tls,
        .proxy = kube->config->proxy,
        .timeout_ms = call->request.timeout_ms,
        .idle_timeout_ms = call->idle_timeout_ms,
        .attempts_max = call->request.attempts_max,
        .backward = call->request.backward,
        .http2 = true,
        .stream = call->piece != NULL,
        .owner = call->request.owner,
        .logical = call->request.logical,
        .guarded = call->request.guarded,
        .subject = call->request.subject,
    };

    call->tls = kube->tls;
    call->http = http_send(kube->http, &request, call->secret ? kube_status_error_secret : kube_status_error,
                           call->piece ? &streamed : &plain, call);
    free(headers);
}

/* Credentials may decide on the certificate, so they come before the connection. */
static void first_ready(struct kube_auth_waiter *waiter, const struct err *err)
{
    struct kube_call *call = LIST_OF(waiter, struct kube_call, waiter);

    if (err)
        call_fail_later(call, err);
    else
        call_send(call);
}

static char *url_build(const struct kube *kube, const struct kube_request *request)
{
    struct buf url;
    char mark = strchr(request->path, '?') ? '&' : '?';

    buf_init(&url, 64 << 10);
    buf_addf(&url, "%s%s", kube->config->server, request->path);
    DOC_EACH(at, request->query)
    {
        struct buf number;

        buf_init(&number, 64);
        buf_add_char(&url, mark);
        url_escape(&url, view_of(at.key));
        buf_add_char(&url, '=');
        if (doc_is(at.value, DOC_STRING)) {
            url_escape(&url, doc_as_view(at.value));
        } else {
            json_add(&number, at.value, JSON_COMPACT); /* numbers and booleans */
            url_escape(&url, buf_view(&number));
        }
        buf_free(&number);
        mark = '&';
    }
    return buf_take(&url);
}

static struct kube_call *call_new(struct kube *kube, const struct kube_request *request, const char *accept)
{
    struct kube_call *call = mem_alloc(sizeof(*call));

    call->kube = kube;
    call->request = *request;
    call->request.method = mem_text(request->method);
    call->request.path = mem_text(request->path);
    call->request.content_type = mem_text(request->content_type ? request->content_type : "application/json");
    call->request.subject = mem_text(request->subject);
    call->request.query = NULL;
    call->request.body = NULL;
    call->url = url_build(kube, request);
    call->accept = mem_text(accept);
    call->secret =
        is_secret_path(request->path) || strcmp(doc_as_text(doc_get(request->body, "kind"), ""), "Secret") == 0;
    call->door = (struct http_auth){door_headers, call};
    buf_init(&call->text, BODY_MAX);
    list_init(&call->waiter.link);
    list_add_tail(&kube->calls, &call->link);
    return call;
}

static struct kube_call *call_start(struct kube_call *call, const struct doc *body)
{
    struct kube_auth *auth = call->kube->auth;
    struct err err = ERR_INIT;

    if (body && kube_body_add(&call->text, call->kube->marks, body, &err) != 0) {
        call_fail_later(call, &err);
        return call;
    }
    call->waiter.done = first_ready;
    auth->ops->ready(auth, 0, &call->waiter);
    return call;
}

struct kube_call *kube_send_accept(struct kube *kube, const struct kube_request *request, const char *accept,
                                   kube_answer_fn *fn, void *ctx)
{
    struct kube_call *call = call_new(kube, request, accept);
    const char *path = request->path;

    /* Logs and proxied answers are of any type, and so is what lies outside of the API groups (/version, /readyz). */
    call->json = (view_starts(view_of(path), "/api/") || view_starts(view_of(path), "/apis/")) &&
                 !strstr(path, "/proxy") && !strstr(path, "/log");
    call->fn = fn;
    call->ctx = ctx;
    return call_start(call, request->body);
}

struct kube_call *kube_send(struct kube *kube, const struct kube_request *request, kube_answer_fn *fn, void *ctx)
{
    return kube_send_accept(kube, request, "application/json", fn, ctx);
}

struct kube_call *kube_stream_idle(struct kube *kube, const struct kube_request *request, int64_t idle_timeout_ms,
                                   void (*piece)(void *ctx, struct view bytes), kube_answer_fn *fn, void *ctx)
{
    struct kube_call *call = call_new(kube, request, "application/json, */*");

    call->idle_timeout_ms = idle_timeout_ms;
    call->piece = piece;
    call->fn = fn;
    call->ctx = ctx;
    return call_start(call, request->body);
}

struct kube_call *kube_stream(struct kube *kube, const struct kube_request *request,
                              void (*piece)(void *ctx, struct view bytes), kube_answer_fn *fn, void *ctx)
{
    return kube_stream_idle(kube, request, 0, piece, fn, ctx);
}

void kube_cancel(struct kube_call *call)
{
    struct err cancelled = ERR_INIT;

    if (call->http) {
        http_cancel(call->http);
        if (!list_empty(&call->waiter.link)) { /* it still waits for our answer about credentials */
            err_set(&cancelled, ERR_CANCELLED, "cancelled");
            call->http_done(call->http_done_ctx, &cancelled);
        }
    }
    call_free(call);
}

/* ---- the client ---- */

struct kube *kube_new(struct world *world, struct http *http, struct marks *marks, struct kube_config *config)
{
    struct kube *kube = mem_alloc(sizeof(*kube));

    kube->world = world;
    kube->http = http;
    kube->marks = marks;
    kube->config = config;
    kube->tls = mem_alloc(sizeof(*kube->tls));
    kube->tls->tls = (struct tls){
        .ca_pem = config->ca_pem,
        .cert_pem = config->cert_pem,
        .key_pem = config->key_pem,
        .server_name = config->server_name,
        .insecure = config->insecure,
    };
    kube->auth = kube_auth_new(world, config, certificate_renewed, kube);
    kube->discovery = kube_discovery_new(kube);
    list_init(&kube->calls);
    list_init(&kube->sources);
    return kube;
}

void kube_free(struct kube *kube)
{
    if (!kube)
        return;
    kube_watch_free_all(kube);
    kube_discovery_free(kube->discovery);
    while (!list_empty(&kube->calls))
        kube_cancel(LIST_OF(kube->calls.next, struct kube_call, link));
    kube->auth->ops->free(kube->auth);
    while (kube->tls) {
        struct kube_tls *tls = kube->tls;

        kube->tls = tls->older;
        free(tls->cert_pem);
        kube_secret_free(tls->key_pem);
        free(tls);
    }
    kube_config_free(kube->config);
    free(kube);
}

const struct kube_config *kube_config_of(const struct kube *kube)
{
    return kube->config;
}

/* ---- identity ---- */

struct identity {
    void (*fn)(void *ctx, const char *uid, const struct err *err);
    void *ctx;
};

static void identity_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct identity identity = *(struct identity *)ctx;
    const char *uid = doc_path_text(body, "metadata", "uid", NULL);
    struct err lacks = ERR_INIT;

    (void)answer;
    free(ctx);
    if (!err && !uid) {
        err_set(&lacks, ERR_SERVER, "namespace kube-system has no uid");
        err = &lacks;
    }
    identity.fn(identity.ctx, err ? NULL : uid, err);
}

void kube_identity(struct kube *kube, void (*fn)(void *ctx, const char *uid, const struct err *err), void *ctx)
{
    struct identity *identity = mem_alloc(sizeof(*identity));
    struct kube_request request = {.method = "GET",
                                   .path = "/api/v1/namespaces/kube-system",
                                   .class = HTTP_READS,
                                   .repeat = HTTP_REPEAT_SAFE,
                                   .subject = "identity of the cluster"};

    *identity = (struct identity){fn, ctx};
    kube_send(kube, &request, identity_end, identity);
}
