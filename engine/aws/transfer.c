/*
 * A transfer's life: written and addressed at once, then http asks for headers before each attempt (the keys, perhaps
 * later, and a signature), and for a judgement after each. Whatever is wrong before that ends it from a later turn.
 */
#include "aws/transfer.h"

#include "aws/customize.h"
#include "aws/stream.h"
#include "base/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TIMEOUT_MS = 60000, /* botocore's read_timeout */
    FIRST_DELAY_MS = 50,
    SNAPSHOT_S = 3600, /* of botocore's presigned URLs */
    SKEW_MS = 60000,   /* less cannot be why a signature was refused: they live 5 minutes */
};

struct aws_transfer {
    struct aws_transport *transport;
    struct aws_operation operation;
    struct aws_wire wire;
    struct aws_target target;
    struct aws_custom custom;
    struct aws_transfer_request request; /* without params; its texts are those below */
    char *region, *endpoint_url, *subject, *token, *body_path, *into;
    struct aws_upload *upload; /* the body, when it is a file */
    struct aws_download *download;
    const struct exchange_source *source; /* of the upload */
    struct disk_sum *sum;                 /* is being made of the upload; NULL: it is not */
    char sha256[65];                      /* of the upload, as it is signed */
    struct aws_transfer *inner;           /* makes an URL that goes into the request */
    struct doc *params;                   /* of S3's: they are written again for another region */
    char *moved;                          /* where the bucket is, said the last answer; NULL */
    bool redirected;                      /* it was sent there already */
    aws_keys_fn *keys;
    void *keys_ctx;
    struct http_auth auth;
    aws_transfer_fn *fn;
    void *ctx;

    struct timer *timer; /* of an end that came before the start */
    struct err err;
    struct err *refusal; /* of the keys of the last attempt, by the service; NULL: there was none */
    struct http_call *call;
    struct doc *result; /* of the attempt that was judged last */
    bool resign;        /* the clock was corrected: the keys are as good as before */
    bool destined;      /* the request has a DestinationRegion already */

    struct aws_wait *wait;     /* for keys; NULL: it does not */
    struct http_call *signing; /* that waits for its signature; NULL: none does */
    void (*signed_fn)(void *ctx, const struct err *err);
    void *signed_ctx;
};

static void transfer_free(struct aws_transfer *transfer)
{
    aws_wire_clear(&transfer->wire);
    aws_target_clear(&transfer->target);
    doc_unref(transfer->result);
    doc_unref(transfer->params);
    free(transfer->moved);
    aws_upload_close(transfer->upload);
    aws_download_free(transfer->download);
    free(transfer->region);
    free(transfer->endpoint_url);
    free(transfer->subject);
    free(transfer->token);
    free(transfer->body_path);
    free(transfer->into);
    free(transfer->refusal);
    free(transfer);
}

static void transfer_end(struct aws_transfer *transfer, const struct http_answer *answer, const struct err *err)
{
    transfer->fn(transfer->ctx, err ? NULL : transfer->result, answer, err);
    transfer_free(transfer);
}

static void end_early(void *ctx)
{
    struct aws_transfer *transfer = ctx;

    transfer->timer = NULL;
    transfer_end(transfer, &(struct http_answer){0}, transfer->err.kind ? &transfer->err : NULL);
}

static bool is_s3(const struct aws_transfer *transfer)
{
    return strcmp(aws_service_name(aws_operation_service(transfer->operation)), "s3") == 0;
}

/* ---- signing ---- */

/* Over TLS, a stream whose checksum goes along needs no second one in its signature. */
static bool payload_unsigned(const struct aws_transfer *transfer)
{
    static const char sum[] = "x-amz-checksum-";
    const struct aws_headers *headers = &transfer->wire.headers;

    if (!transfer->target.secure)
        return false;
    if (aws_operation_flags(transfer->operation) & AWS_OPERATION_UNSIGNED_PAYLOAD)
        return true;
    for (size_t i = 0; is_s3(transfer) && transfer->wire.streaming && !transfer->upload && i < headers->len; i++)
        if (strncasecmp(headers->list[i].name, sum, sizeof(sum) - 1) == 0)
            return true;
    return false;
}

static bool is_chunked(const struct aws_transfer *transfer)
{
    return strcmp(transfer->sha256, AWS_TRAILER_SHA256) == 0;
}

static struct aws_sign sign_how(const struct aws_transfer *transfer, const struct aws_keys *keys)
{
    return (struct aws_sign){
        .keys = keys,
        .region = buf_text(&transfer->target.region),
        .service = buf_text(&transfer->target.service),
        .now_ms = world_now_ms(transfer->transport->world) + transfer->transport->skew_ms,
        .single_encoding = transfer->target.single_encoding || is_s3(transfer),
        .unsigned_payload = payload_unsigned(transfer),
        .content_sha256 = is_s3(transfer) || payload_unsigned(transfer) || is_chunked(transfer),
        .payload_sha256 = transfer->upload ? transfer->sha256 : NULL,
    };
}

static bool is_stream(struct aws_member payload)
{
    return payload.table && ((aws_shape_flags(aws_member_shape(payload)) & AWS_SHAPE_STREAMING) ||
                             (aws_member_flags(payload) & AWS_MEMBER_STREAMING));
}

/* Objects are stored with an encoding of their own: they arrive as they are, and so does what their checksum is of. */
static bool answers_stream(const struct aws_transfer *transfer)
{
    return is_stream(aws_shape_payload(aws_operation_output(transfer->operation)));
}

static void sign(struct aws_transfer *transfer, const struct aws_identity *identity)
{
    struct aws_keys keys = {identity->access_key, identity->secret_key, identity->session_token};
    const struct aws_wire *wire = &transfer->wire;
    struct aws_sign how = sign_how(transfer, &keys);
    struct aws_signed what = {
        .method = wire->method,
        .host = buf_text(&transfer->target.host),
        .path = buf_view(&transfer->target.path),
        .query = buf_view(&wire->query),
        .body = buf_view(&wire->body),
    };
    struct aws_headers headers = {0};

    for (size_t i = 0; i < wire->headers.len; i++)
        aws_headers_add(&headers, wire->headers.list[i].name, view_of(wire->headers.list[i].value));
    aws_sign_headers(&how, &what, &headers);
    for (size_t i = 0; i < headers.len; i++)
        if (!aws_headers_get(&wire->headers, headers.list[i].name))
            http_header_add(transfer->signing, headers.list[i].name, headers.list[i].value);
    aws_headers_clear(&headers);
    if (answers_stream(transfer)) /* not signed: who is on the way may change it */
        http_header_add(transfer->signing, "Accept-Encoding", "identity");
}

/* Without new keys the service's refusal stays the reason, and the source says why there are none. */
static struct err keys_missing(const struct aws_transfer *transfer, const struct err *why)
{
    struct err err;

    if (!transfer->refusal)
        return *why;
    err = *transfer->refusal;
    err_context(&err, "%s", why->message);
    err_explain(&err, why->explain);
    return err;
}

static void keys_known(void *ctx, const struct aws_identity *identity, const struct err *err)
{
    struct aws_transfer *transfer = ctx;
    struct err missing;

    transfer->wait = NULL;
    if (!err)
        sign(transfer, identity);
    else
        missing = keys_missing(transfer, err);
    transfer->signing = NULL;
    transfer->signed_fn(transfer->signed_ctx, err ? &missing : NULL); /* an error ends the transfer */
}

static void keys_ask(struct aws_transfer *transfer, bool refused, aws_identity_fn *fn)
{
    struct aws_wait *wait = transfer->keys(transfer->keys_ctx, refused, fn, transfer);

    if (wait) /* else it was called already, and the transfer may be over */
        transfer->wait = wait;
}

static void auth_headers(void *ctx, struct http_call *call, bool refused,
                         void (*done)(void *ctx, const struct err *err), void *done_ctx)
{
    struct aws_transfer *transfer = ctx;
    bool stale = refused && !transfer->resign;

    transfer->resign = false;
    transfer->signing = call;
    transfer->signed_fn = done;
    transfer->signed_ctx = done_ctx;
    keys_ask(transfer, stale, keys_known);
}

/* ---- judging ---- */

/* A refusal because of the time in the signature: ours is corrected by the service's. */
static void skew_learn(struct aws_transfer *transfer, const struct http_answer *answer)
{
    const char *date = http_answer_header(answer, "date");
    struct aws_transport *transport = transfer->transport;
    double seconds;

    if (!date || !aws_time_parse(view_of(date), &seconds))
        return;
    int64_t skew_ms = (int64_t)(seconds * 1000) - world_now_ms(transport->world);
    if (llabs(skew_ms - transport->skew_ms) < SKEW_MS)
        return;
    transport->skew_ms = skew_ms;
    transfer->resign = true;
}

/* The payload is in its file when its bytes are right; it is no part of the result. */
static struct doc *result_read(struct aws_transfer *transfer, const struct aws_answer *answer, struct err *err)
{
    struct doc *result = aws_customize_read(transfer->operation, &transfer->custom, answer, err);

    if (!result || !transfer->download)
        return result;
    doc_remove(result, aws_member_name(aws_shape_payload(aws_operation_output(transfer->operation))));
    if (aws_download_finish(transfer->download, err) == 0)
        return result;
    doc_unref(result);
    return NULL;
}

/* A bucket by its name, which may be in another region; NULL. */
static const char *bucket_of(const struct aws_transfer *transfer)
{
    const char *bucket = doc_as_text(doc_get(transfer->params, "Bucket"), NULL);

    return bucket && strncmp(bucket, "arn:", 4) != 0 &&
                   strcmp(aws_operation_name(transfer->operation), "CreateBucket") != 0
               ? bucket
               : NULL;
}

static void judge(void *ctx, const struct http_answer *answer, struct err *err)
{
    struct aws_transfer *transfer = ctx;
    struct aws_answer seen = {answer->status, answer->headers, answer->headers_len, answer->body};

    doc_unref(transfer->result);
    transfer->result = NULL;
    if (answer->status / 100 == 2) {
        transfer->result = result_read(transfer, &seen, err);
        if (!transfer->result) /* it answered, so it acted; only reading again can show what */
            err->retryable = err->maybe_done = !transfer->download || err->retryable;
        return;
    }
    aws_error_read(transfer->operation, &seen, err, NULL);
    if (*err->code)
        err_context(err, "%s", err->code);
    aws_customize_error(transfer->operation, &seen, transfer->region, err);
    if (bucket_of(transfer) && !transfer->redirected && aws_s3_region_real(&seen, transfer->region)) {
        transfer->moved = mem_text(aws_s3_region_real(&seen, transfer->region));
        err->kind = ERR_USAGE; /* not of the keys: the same request would fail again */
        err->retryable = false;
        return;
    }
    if (err->kind != ERR_AUTH)
        return;
    skew_learn(transfer, answer);
    if (!transfer->refusal)
        transfer->refusal = mem_alloc(sizeof(*transfer->refusal));
    *transfer->refusal = *err;
}

static void redirect(struct aws_transfer *transfer);

static void on_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct aws_transfer *transfer = ctx;

    transfer->call = NULL;
    if (err && transfer->moved && !transfer->redirected)
        redirect(transfer);
    else
        transfer_end(transfer, answer, err);
}

/* ---- sending ---- */

static void send(struct aws_transfer *transfer)
{
    static const struct http_fns fns = {NULL, on_end};
    struct aws_transport *transport = transfer->transport;
    const struct aws_transfer_request *request = &transfer->request;
    bool reads = request->reads || (aws_operation_flags(transfer->operation) & AWS_OPERATION_READS);

    transfer->auth = (struct http_auth){auth_headers, transfer};
    transfer->call = http_send(
        transport->http,
        &(struct http_request){
            .method = transfer->wire.method,
            .url = buf_text(&transfer->target.url),
            .headers = transfer->wire.headers.list,
            .headers_len = transfer->wire.headers.len,
            .body = buf_view(&transfer->wire.body),
            .source = transfer->source,
            .sink = transfer->download ? aws_download_sink(transfer->download) : NULL,
            .class = reads ? HTTP_READS : HTTP_CHANGES,
            .repeat = request->guarded ? HTTP_REPEAT_SAFE : HTTP_REPEAT_NEVER,
            .auth = transfer->keys ? &transfer->auth : NULL,
            .tls = &transport->tls,
            .proxy = aws_config_proxy(transport->config, buf_text(&transfer->target.url)),
            .timeout_ms = request->timeout_ms ? request->timeout_ms : TIMEOUT_MS,
            .attempts_max = aws_retry_attempts(transport->config, request->attempts_max),
            .first_delay_ms = FIRST_DELAY_MS,
            .quota = &transport->quota,
            .pace = aws_retry_pace(transport, buf_text(&transfer->target.service), buf_text(&transfer->target.region)),
            .judged = true,
            .backward = request->backward,
            .owner = request->owner,
            .logical = request->logical,
            .guarded = request->guarded,
            .subject = request->subject,
            .token = request->token,
        },
        judge, &fns, transfer);
}

/* ---- files ---- */

static int files_open(struct aws_transfer *transfer, struct err *err)
{
    const struct aws_transfer_request *request = &transfer->request;
    struct aws_operation operation = transfer->operation;
    bool taken = request->body_path && is_stream(aws_shape_payload(aws_operation_input(operation)));

    if ((request->body_path && !taken) || (request->into && !answers_stream(transfer)))
        return err_set(err, ERR_USAGE, "%s %s a file", aws_operation_name(operation),
                       request->into ? "answers nothing for" : "takes nothing from");
    if (request->body_path &&
        !(transfer->upload = aws_upload_open(transfer->transport->world, request->body_path, err)))
        return -1;
    transfer->wire.from_file = transfer->upload != NULL;
    return 0;
}

/* Once it is known where it goes: over TLS the checksum goes behind the body. */
static void files_prepare(struct aws_transfer *transfer)
{
    struct aws_wire *wire = &transfer->wire;

    if (transfer->request.into) {
        transfer->download = aws_download_new(transfer->transport->world, transfer->operation, transfer->request.into,
                                              transfer->custom.checked);
        transfer->custom.checked = false;
    }
    if (!transfer->upload)
        return;
    if (transfer->target.secure && transfer->custom.sum) {
        snprintf(transfer->sha256, sizeof(transfer->sha256), "%s", AWS_TRAILER_SHA256);
        transfer->source = aws_upload_chunked(transfer->upload, transfer->custom.sum, &wire->headers);
    } else {
        transfer->source = aws_upload_plain(transfer->upload);
    }
}

static void upload_summed(void *ctx, const struct disk_sums *sums, const struct err *err)
{
    struct aws_transfer *transfer = ctx;
    char name[64];

    transfer->sum = NULL;
    if (err) {
        transfer_end(transfer, &(struct http_answer){0}, err);
        return;
    }
    memcpy(transfer->sha256, sums->sha256, sizeof(transfer->sha256));
    if (transfer->custom.sum) {
        snprintf(name, sizeof(name), "x-amz-checksum-%s", checksum_name(transfer->custom.sum));
        aws_headers_set(&transfer->wire.headers, name, view_of(sums->sum));
    }
    send(transfer);
}

/* ---- URLs for others ---- */

/* What a form would hold goes into the query of a GET. */
static void form_to_query(struct aws_transfer *transfer)
{
    enum aws_protocol protocol = aws_service_protocol(aws_operation_service(transfer->operation));
    struct aws_wire *wire = &transfer->wire;

    if (protocol != AWS_QUERY && protocol != AWS_EC2)
        return;
    wire->method = "GET";
    for (size_t i = 0; i < wire->body.len; i++)
        if (wire->body.ptr[i] == '+')
            buf_add_text(&wire->query, "%20");
        else
            buf_add_char(&wire->query, wire->body.ptr[i]);
    buf_reset(&wire->body);
    aws_headers_clear(&wire->headers);
}

static void url_make(struct aws_transfer *transfer, const struct aws_identity *identity)
{
    struct aws_keys keys = {identity->access_key, identity->secret_key, identity->session_token};
    struct aws_wire *wire = &transfer->wire;
    struct aws_target *target = &transfer->target;
    struct aws_sign how = sign_how(transfer, &keys);
    struct aws_signed what = {
        .method = wire->method,
        .host = buf_text(&target->host),
        .path = buf_view(&target->path),
        .body = buf_view(&wire->body),
    };

    how.unsigned_payload = is_s3(transfer);
    aws_sign_query(&how, &what, &wire->headers, transfer->request.presign_s, &wire->query);
    buf_reset(&target->url);
    buf_addf(&target->url, "%s://%s%s?", target->secure ? "https" : "http", buf_text(&target->host),
             buf_text(&target->path));
    buf_add_view(&target->url, buf_view(&wire->query));
    transfer->result = doc_object();
    doc_set(transfer->result, "url", doc_string(buf_view(&target->url)));
}

static void presign(void *ctx, const struct aws_identity *identity, const struct err *err)
{
    struct aws_transfer *transfer = ctx;

    transfer->wait = NULL;
    if (err)
        transfer->err = *err;
    else
        url_make(transfer, identity);
    transfer->timer = timer_start(transfer->transport->world, 0, end_early, transfer);
}

/* EC2 takes a copy between regions only with a URL that the source's region would accept. */
static void snapshot_presigned(void *ctx, struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct aws_transfer *transfer = ctx;
    struct buf *body = &transfer->wire.body;

    transfer->inner = NULL;
    if (err) {
        transfer_end(transfer, answer, err);
        return;
    }
    buf_add_text(body, "&PresignedUrl=");
    url_escape(body, doc_as_view(doc_get(result, "url")));
    if (!transfer->destined) {
        buf_add_text(body, "&DestinationRegion=");
        url_escape(body, view_of(transfer->region));
    }
    send(transfer);
}

static void snapshot_presign(struct aws_transfer *transfer, const struct doc *plain)
{
    struct aws_transfer_request inner = transfer->request;
    struct doc *params = doc_copy(plain);

    doc_set_text(params, "DestinationRegion", transfer->region);
    inner.params = params;
    inner.region = doc_path_text(plain, "SourceRegion", NULL);
    inner.presign_s = SNAPSHOT_S;
    transfer->inner = aws_transfer_start(transfer->transport, &inner, snapshot_presigned, transfer);
    doc_unref(params);
}

static bool is_snapshot_copy(const struct aws_transfer *transfer, const struct doc *params)
{
    return strcmp(aws_operation_name(transfer->operation), "CopySnapshot") == 0 && transfer->region && transfer->keys &&
           !transfer->request.presign_s && !doc_get(params, "PresignedUrl");
}

/* ---- the beginning ---- */

static int prepare(struct aws_transfer *transfer, const struct doc *params, struct err *err)
{
    const struct aws_transport *transport = transfer->transport;
    struct aws_transfer_request request = transfer->request;
    bool adaptive;

    request.params = params;
    transfer->custom.presigned = request.presign_s != 0;
    if (files_open(transfer, err) != 0)
        return -1;
    if (aws_retry_mode(transport->config, &adaptive, err) != 0 ||
        aws_request_write(transfer->operation, params, &transfer->wire, err) != 0 ||
        aws_customize_wire(transport->config, transfer->operation, params, &transfer->wire, &transfer->custom, err) !=
            0)
        return -1;
    if (request.presign_s)
        form_to_query(transfer);
    for (size_t i = 0; request.headers && i < request.headers->len; i++)
        aws_headers_add(&transfer->wire.headers, request.headers->list[i].name,
                        view_of(request.headers->list[i].value));
    if (aws_target_resolve(transport, &request, &transfer->wire, &transfer->target, err) != 0)
        return -1;
    files_prepare(transfer);
    return 0;
}

static void begin(struct aws_transfer *transfer, const struct doc *params)
{
    if (prepare(transfer, params, &transfer->err) != 0)
        transfer->timer = timer_start(transfer->transport->world, 0, end_early, transfer);
    else if (transfer->request.presign_s && transfer->keys)
        keys_ask(transfer, false, presign);
    else if (is_snapshot_copy(transfer, params))
        snapshot_presign(transfer, params);
    else if (transfer->upload && !is_chunked(transfer) && !payload_unsigned(transfer))
        transfer->sum = aws_upload_sum(transfer->upload, transfer->custom.sum, upload_summed, transfer);
    else
        send(transfer);
}

static void region_set(struct aws_transfer *transfer, const char *region)
{
    free(transfer->region);
    transfer->region = mem_text(region);
    transfer->request.region = transfer->region;
}

/* Once, and for the rest of the run: the bucket is in another region. */
static void redirect(struct aws_transfer *transfer)
{
    if (!transfer->transport->buckets)
        transfer->transport->buckets = doc_object();
    doc_set_text(transfer->transport->buckets, bucket_of(transfer), transfer->moved);
    region_set(transfer, transfer->moved);
    transfer->redirected = true;
    aws_upload_close(transfer->upload);
    aws_download_free(transfer->download);
    transfer->upload = NULL;
    transfer->download = NULL;
    transfer->source = NULL;
    transfer->sha256[0] = '\0';
    transfer->custom = (struct aws_custom){0};
    aws_wire_clear(&transfer->wire);
    aws_target_clear(&transfer->target);
    aws_wire_init(&transfer->wire);
    aws_target_init(&transfer->target);
    begin(transfer, transfer->params);
}

struct aws_transfer *aws_transfer_start(struct aws_transport *transport, const struct aws_transfer_request *request,
                                        aws_transfer_fn *fn, void *ctx)
{
    struct aws_transfer *transfer = mem_alloc(sizeof(*transfer));
    struct doc *params = doc_ref(request->params);

    *transfer = (struct aws_transfer){.transport = transport,
                                      .operation = request->operation,
                                      .request = *request,
                                      .region = mem_text(request->region),
                                      .endpoint_url = mem_text(request->endpoint_url),
                                      .subject = mem_text(request->subject),
                                      .token = mem_text(request->token),
                                      .body_path = mem_text(request->body_path),
                                      .into = mem_text(request->into),
                                      .keys = request->keys,
                                      .keys_ctx = request->keys_ctx,
                                      .fn = fn,
                                      .ctx = ctx,
                                      .err = ERR_INIT};
    transfer->request.params = NULL;
    transfer->request.region = transfer->region;
    transfer->request.endpoint_url = transfer->endpoint_url;
    transfer->request.subject = transfer->subject;
    transfer->request.token = transfer->token;
    transfer->request.body_path = transfer->body_path;
    transfer->request.into = transfer->into;
    if (aws_operation_flags(request->operation) & AWS_OPERATION_UNSIGNED)
        transfer->keys = NULL;
    aws_wire_init(&transfer->wire);
    aws_target_init(&transfer->target);
    if (is_s3(transfer) && !request->headers) {
        transfer->params = doc_ref(params);
        if (bucket_of(transfer) && doc_get(transport->buckets, bucket_of(transfer)))
            region_set(transfer, doc_as_text(doc_get(transport->buckets, bucket_of(transfer)), NULL));
    }
    transfer->destined = is_snapshot_copy(transfer, params) && doc_get(params, "DestinationRegion");
    if (transfer->destined) { /* it is where we are, whatever was written there */
        doc_unref(params);
        params = doc_copy(request->params);
        doc_set_text(params, "DestinationRegion", transfer->region);
    }
    begin(transfer, params);
    doc_unref(params);
    return transfer;
}

void aws_transfer_cancel(struct aws_transfer *transfer)
{
    timer_stop(transfer->timer);
    if (transfer->inner)
        aws_transfer_cancel(transfer->inner);
    disk_sum_cancel(transfer->sum);
    aws_credentials_cancel(transfer->wait);
    if (transfer->call)
        http_cancel(transfer->call);
    if (transfer->signing)
        transfer->signed_fn(transfer->signed_ctx, NULL); /* http gets back what it gave, and frees it */
    transfer_free(transfer);
}
