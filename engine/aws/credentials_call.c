/*
 * The few calls that make credentials: STS, SSO and its OIDC. They change nothing that stays, so they pass no gate, and
 * they go out while a changing call waits for its signature.
 */
#include "aws/credentials_inside.h"

#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_TIMEOUT_MS = 10000, CALL_ATTEMPTS_MAX = 3, FIRST_DELAY_MS = 1000, SKEW_MIN_MS = 4 * 60 * 1000 };

struct credentials_call {
    struct aws_credentials *credentials, *keys; /* keys NULL: unsigned */
    struct aws_operation operation;
    const char *region;
    struct aws_wire wire;
    struct aws_endpoint endpoint;
    char *url, *host;
    struct url parts; /* of url */
    struct http_auth auth;
    struct http_call *http;
    struct timer *timer; /* it was wrong from the start, and says so in a later turn */
    struct err err;
    credentials_call_fn *fn;
    void *ctx;

    /* An attempt that waits for its keys. */
    struct http_call *signing;
    void (*signed_fn)(void *ctx, const struct err *err);
    void *signed_ctx;
    struct aws_wait *wait;
    bool skewed; /* the last refusal was for our clock, not for the keys */
};

static void call_free(struct credentials_call *call)
{
    aws_wire_clear(&call->wire);
    aws_endpoint_clear(&call->endpoint);
    if (call->url)
        secret_wipe(call->url, strlen(call->url));
    free(call->url);
    free(call->host);
    free(call);
}

/* ---- signing ---- */

static const char *either(const struct buf *text, const char *otherwise)
{
    return text->len ? buf_text(text) : otherwise;
}

static void keys_came(void *ctx, const struct aws_identity *identity, const struct err *err)
{
    struct credentials_call *call = ctx;
    struct aws_service service = aws_operation_service(call->operation);
    struct aws_headers headers = {0};

    call->wait = NULL;
    if (!err) {
        struct aws_keys keys = {identity->access_key, identity->secret_key, identity->session_token};
        struct aws_sign sign = {.keys = &keys,
                                .region = either(&call->endpoint.signing_region, call->region),
                                .service = either(&call->endpoint.signing_name, aws_service_signing_name(service)),
                                .now_ms = world_now_ms(call->credentials->world) + call->credentials->skew_ms};
        struct aws_signed request = {.method = call->wire.method,
                                     .host = call->host,
                                     .path = call->parts.path,
                                     .query = call->parts.query,
                                     .body = buf_view(&call->wire.body)};

        for (size_t i = 0; i < call->wire.headers.len; i++)
            aws_headers_add(&headers, call->wire.headers.list[i].name, view_of(call->wire.headers.list[i].value));
        aws_sign_headers(&sign, &request, &headers);
        for (size_t i = 0; i < headers.len; i++)
            if (!aws_headers_get(&call->wire.headers, headers.list[i].name))
                http_header_add(call->signing, headers.list[i].name, headers.list[i].value);
        aws_headers_clear(&headers);
    }
    call->signed_fn(call->signed_ctx, err);
}

static void headers_sign(void *ctx, struct http_call *http, bool refused, void (*done)(void *, const struct err *),
                         void *done_ctx)
{
    struct credentials_call *call = ctx;
    struct aws_wait *wait;

    call->signing = http;
    call->signed_fn = done;
    call->signed_ctx = done_ctx;
    wait = aws_credentials_get(call->keys, refused && !call->skewed, keys_came, call);
    if (wait) /* else it was called already, and the call may be over */
        call->wait = wait;
}

/* ---- answers ---- */

static struct aws_answer answer_of(const struct http_answer *answer)
{
    return (struct aws_answer){answer->status, answer->headers, answer->headers_len, answer->body};
}

/* A signature holds for minutes around the service's time, which it says with each answer. */
static void skew_learn(struct credentials_call *call, const char *date)
{
    struct aws_credentials *credentials = call->credentials;
    double seconds;

    call->skewed = false;
    if (!date || !aws_time_parse(view_of(date), &seconds))
        return;
    int64_t skew_ms = (int64_t)(seconds * 1000) - world_now_ms(credentials->world);
    call->skewed = llabs(skew_ms - credentials->skew_ms) > SKEW_MIN_MS;
    if (call->skewed)
        credentials->skew_ms = skew_ms;
}

static void error_read(void *ctx, const struct http_answer *answer, struct err *err)
{
    struct credentials_call *call = ctx;
    struct aws_answer plain = answer_of(answer);

    aws_error_read(call->operation, &plain, err, NULL);
    if (err->kind == ERR_AUTH)
        skew_learn(call, http_answer_header(answer, "date"));
}

static void call_end(void *ctx, const struct http_answer *answer, const struct err *failed)
{
    struct credentials_call *call = ctx;
    struct err err = failed ? *failed : ERR_INIT;
    struct doc *result = NULL;

    if (!failed) {
        struct aws_answer plain = answer_of(answer);

        result = aws_answer_read(call->operation, &plain, &err);
    }
    call->fn(call->ctx, result, result ? NULL : &err);
    credentials_doc_free(result);
    call_free(call);
}

static void call_wrong(void *ctx)
{
    struct credentials_call *call = ctx;

    call->timer = NULL;
    call->fn(call->ctx, NULL, &call->err);
    call_free(call);
}

/* ---- the request ---- */

static bool global_sts(const struct aws_config *config)
{
    const char *way = aws_config_env(config, "AWS_STS_REGIONAL_ENDPOINTS");

    if (!way)
        way = aws_config_get(config, NULL, "sts_regional_endpoints");
    return way && strcmp(way, "legacy") == 0;
}

static int endpoint_find(struct credentials_call *call, const struct doc *params, struct err *err)
{
    const struct aws_config *config = call->credentials->config;
    struct aws_service service = aws_operation_service(call->operation);
    struct doc *builtins = doc_object(), *values;
    int result = -1;

    doc_set_text(builtins, "AWS::Region", call->region);
    doc_set_bool(builtins, "AWS::UseFIPS", aws_config_fips(config));
    doc_set_bool(builtins, "AWS::UseDualStack", aws_config_dual_stack(config));
    doc_set_text(builtins, "SDK::Endpoint", aws_config_endpoint(config, service));
    if (strcmp(aws_service_name(service), "sts") == 0)
        doc_set_bool(builtins, "AWS::STS::UseGlobalEndpoint", global_sts(config));
    values = aws_endpoint_params(call->operation, params, builtins, err);
    if (values)
        result = aws_endpoint_resolve(service, values, &call->endpoint, err);
    doc_unref(values);
    doc_unref(builtins);
    return result;
}

/* As curl says it: the port only when it is not the scheme's. */
static char *host_text(const struct url *url)
{
    bool bracket = memchr(url->host.ptr, ':', url->host.len), usual = url->port == (url->scheme.len == 5 ? 443 : 80);
    char port[16] = "";

    if (!usual)
        snprintf(port, sizeof(port), ":%d", url->port);
    return mem_printf("%s%.*s%s%s", bracket ? "[" : "", (int)url->host.len, url->host.ptr, bracket ? "]" : "", port);
}

static int request_make(struct credentials_call *call, const struct doc *params, struct err *err)
{
    const char *base, *rest;
    size_t len;

    if (aws_params_check(call->operation, params, err) != 0 || endpoint_find(call, params, err) != 0 ||
        aws_request_write(call->operation, params, &call->wire, err) != 0)
        return -1;
    base = buf_text(&call->endpoint.url);
    len = strlen(base);
    while (len && base[len - 1] == '/')
        len--;
    rest = call->wire.query.len ? "?" : "";
    call->url = mem_printf("%.*s%s%s%s", (int)len, base, buf_text(&call->wire.path), rest, buf_text(&call->wire.query));
    if (url_parse(view_of(call->url), &call->parts, err) != 0)
        return err_context(err, "the endpoint of %s", aws_service_name(aws_operation_service(call->operation)));
    call->host = host_text(&call->parts);
    return 0;
}

static void call_send(struct credentials_call *call)
{
    static const struct http_fns fns = {.end = call_end};

    call->auth = (struct http_auth){headers_sign, call};
    call->http = http_send(call->credentials->http,
                           &(struct http_request){.method = call->wire.method,
                                                  .url = call->url,
                                                  .headers = call->wire.headers.list,
                                                  .headers_len = call->wire.headers.len,
                                                  .body = buf_view(&call->wire.body),
                                                  .class = HTTP_READS,
                                                  .auth = call->keys ? &call->auth : NULL,
                                                  .tls = &call->credentials->tls,
                                                  .proxy = aws_config_proxy(call->credentials->config, call->url),
                                                  .timeout_ms = CALL_TIMEOUT_MS,
                                                  .attempts_max = CALL_ATTEMPTS_MAX,
                                                  .first_delay_ms = FIRST_DELAY_MS,
                                                  .subject = "AWS credentials"},
                           error_read, &fns, call);
}

struct credentials_call *credentials_call(struct aws_credentials *credentials, const char *service,
                                          const char *operation, struct doc *params, const char *region,
                                          struct aws_credentials *keys, credentials_call_fn *fn, void *ctx)
{
    struct credentials_call *call = mem_alloc(sizeof(*call));

    call->credentials = credentials;
    call->keys = keys;
    call->operation = aws_operation_find(aws_service_find(credentials->table, service), view_of(operation));
    call->region = region;
    call->fn = fn;
    call->ctx = ctx;
    call->err = ERR_INIT;
    aws_wire_init(&call->wire);
    if (request_make(call, params, &call->err) == 0)
        call_send(call);
    else
        call->timer = timer_start(credentials->world, 0, call_wrong, call);
    credentials_doc_free(params);
    return call;
}

void credentials_call_cancel(struct credentials_call *call)
{
    if (!call)
        return;
    timer_stop(call->timer);
    if (call->http)
        http_cancel(call->http);
    if (call->wait) {
        aws_credentials_cancel(call->wait);
        call->signed_fn(call->signed_ctx, NULL); /* http gets back what it gave, and frees it */
    }
    call_free(call);
}
