/*
 * The client: names to operations, secrets put in, tokens filled, one transport for all that a run calls. What comes
 * back is masked where the model says that it is sensitive.
 */
#include "aws/aws.h"

#include "aws/customize.h"
#include "aws/transfer.h"
#include "base/digest.h"
#include "base/list.h"
#include "base/secret.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLES_MAX = 32, TEXT_MAX = 16 << 20 };

/* One for each role that was asked for; "" is who we are. */
struct role {
    struct list link;
    char *arn;
    struct aws_credentials *credentials;
};

struct aws {
    struct marks *marks;
    struct aws_transport transport;
    const struct aws_table *table;
    struct aws_table *packs[TABLES_MAX];
    size_t packs_len;
    struct list roles, calls;
    uint64_t tokens; /* made so far, when nobody else made them */
};

struct aws_call {
    struct list link;
    struct aws *aws;
    struct aws_operation operation;
    struct aws_credentials *credentials;
    struct aws_transfer *transfer;
    struct timer *timer; /* of an end before the start */
    struct err err;
    aws_answer_fn *fn;
    void *ctx;
};

/* ---- names ---- */

const struct aws_table *aws_table_of(const struct aws *aws)
{
    return aws->table;
}

const struct marks *aws_marks(const struct aws *aws)
{
    return aws->marks;
}

const char *aws_region_of(const struct aws *aws)
{
    return aws_config_region(aws->transport.config);
}

void aws_add_table(struct aws *aws, struct aws_table *table)
{
    if (aws->packs_len < TABLES_MAX)
        aws->packs[aws->packs_len++] = table;
    else
        aws_table_close(table);
}

struct aws_service aws_find_service(const struct aws *aws, const char *name, struct err *err)
{
    for (size_t i = 0; i < aws->packs_len; i++) {
        struct aws_service service = aws_service_find(aws->packs[i], name);

        if (service.table)
            return service;
    }
    return aws_service_need(aws->table, name, err);
}

/* ---- credentials ---- */

static struct aws_credentials *credentials_of(struct aws *aws, const char *arn)
{
    struct role *role;

    LIST_EACH(at, &aws->roles)
    {
        role = LIST_OF(at, struct role, link);
        if (strcmp(role->arn, arn ? arn : "") == 0)
            return role->credentials;
    }
    role = mem_alloc(sizeof(*role));
    role->arn = mem_text(arn ? arn : "");
    role->credentials = aws_credentials_new(&aws->transport, aws->table, arn);
    list_add_tail(&aws->roles, &role->link);
    return role->credentials;
}

static struct aws_wait *keys_get(void *ctx, bool refused, aws_identity_fn *fn, void *fn_ctx)
{
    struct aws_call *call = ctx;

    return aws_credentials_get(call->credentials, refused, fn, fn_ctx);
}

/* ---- parameters ---- */

struct reveal {
    const struct marks *marks;
    struct err *err;
    bool failed;
};

static struct doc *text_reveal(void *ctx, struct view text)
{
    struct reveal *reveal = ctx;
    struct doc *plain = NULL;
    struct buf out;

    if (!marks_find(text) || reveal->failed)
        return NULL;
    buf_init(&out, TEXT_MAX);
    if (marks_reveal(reveal->marks, text, &out, reveal->err) == 0)
        plain = doc_bytes(buf_view(&out)); /* of a blob, perhaps */
    else
        reveal->failed = true;
    if (out.ptr)
        secret_wipe(out.ptr, out.cap);
    buf_free(&out);
    return plain;
}

void aws_token_make(struct view key, struct view purpose, char out[37])
{
    unsigned char b[SHA256_SIZE];

    digest_hmac_sha256(key, purpose, b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4, RFC 9562 5.4 */
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2], b[3],
             b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static void token_make(void *ctx, const char *member, char out[37])
{
    struct aws *aws = ctx;
    unsigned char key[SHA256_SIZE];
    char purpose[128];

    world_random(aws->transport.world, "aws tokens", key, sizeof(key));
    snprintf(purpose, sizeof(purpose), "%llu %.80s", (unsigned long long)++aws->tokens, member);
    aws_token_make((struct view){(const char *)key, sizeof(key)}, view_of(purpose), out);
}

/* The idempotency token in params; NULL: the operation has none. */
static const char *token_of(struct aws_shape input, const struct doc *params)
{
    for (size_t i = 0; i < aws_shape_members(input); i++)
        if (aws_member_flags(aws_shape_member(input, i)) & AWS_MEMBER_TOKEN)
            return doc_as_text(doc_get(params, aws_member_name(aws_shape_member(input, i))), NULL);
    return NULL;
}

/* Checked, with tokens, in plain text. NULL with err. */
static struct doc *params_prepare(struct aws *aws, const struct aws_request *request, struct err *err)
{
    struct doc *params = request->params ? doc_copy(request->params) : doc_object();
    struct reveal reveal = {aws->marks, err, false};

    if (request->token)
        aws_params_tokens(request->operation, params, request->token, request->token_ctx);
    else
        aws_params_tokens(request->operation, params, token_make, aws);
    doc_map_strings(params, text_reveal, &reveal);
    if (!reveal.failed && aws_customize_params(request->operation, params, err) == 0 &&
        aws_params_check(request->operation, params, err) == 0)
        return params;
    doc_unref(params);
    return NULL;
}

/* ---- results ---- */

static struct doc *masked(struct marks *marks, struct aws_shape shape, struct doc *value);

static void mask_inside(struct marks *marks, struct aws_shape shape, struct doc *value)
{
    enum aws_type type = aws_shape_type(shape);

    if (type == AWS_STRUCTURE && doc_is(value, DOC_OBJECT)) {
        for (size_t i = 0; i < aws_shape_members(shape); i++) {
            struct aws_member member = aws_shape_member(shape, i);
            struct doc *found = doc_get(value, aws_member_name(member));
            struct doc *other = found ? masked(marks, aws_member_shape(member), found) : NULL;

            if (other)
                doc_set(value, aws_member_name(member), other);
        }
    } else if (type == AWS_LIST && doc_is(value, DOC_ARRAY)) {
        for (size_t i = 0; i < doc_size(value); i++) {
            struct doc *other = masked(marks, aws_member_shape(aws_shape_member(shape, 0)), doc_at(value, i));

            if (other)
                doc_put_at(value, i, other);
        }
    } else if (type == AWS_MAP && doc_is(value, DOC_OBJECT)) {
        DOC_EACH(at, value)
        {
            struct doc *other = masked(marks, aws_member_shape(aws_shape_member(shape, 1)), at.value);

            if (other)
                doc_set(value, at.key, other);
        }
    }
}

/* What takes the place of a value: a mark for a sensitive text, NULL when it stays. */
static struct doc *masked(struct marks *marks, struct aws_shape shape, struct doc *value)
{
    struct buf mark;
    struct doc *text;

    if (!(aws_shape_flags(shape) & AWS_SHAPE_SENSITIVE) || !doc_is(value, DOC_STRING)) {
        mask_inside(marks, shape, value);
        return NULL;
    }
    buf_init(&mark, TEXT_MAX);
    marks_add_secret(marks, &mark, doc_as_view(value));
    text = doc_string(buf_view(&mark));
    buf_free(&mark);
    return text;
}

/* ---- calls ---- */

static void call_free(struct aws_call *call)
{
    list_remove(&call->link);
    free(call);
}

static void call_end(struct aws_call *call, struct doc *result, const struct http_answer *answer, const struct err *err)
{
    aws_answer_fn *fn = call->fn;
    void *ctx = call->ctx;

    if (result && call->aws->marks)
        mask_inside(call->aws->marks, aws_operation_output(call->operation), result);
    call_free(call);
    fn(ctx, result, answer, err);
}

static void end_early(void *ctx)
{
    struct aws_call *call = ctx;
    struct err err = call->err;

    call_end(call, NULL, &(struct http_answer){0}, &err);
}

static void transferred(void *ctx, struct doc *result, const struct http_answer *answer, const struct err *failed)
{
    struct aws_call *call = ctx;
    struct err err = failed ? *failed : ERR_INIT;

    if (failed)
        err_context(&err, "aws %s %s", aws_service_name(aws_operation_service(call->operation)),
                    aws_operation_name(call->operation));
    call_end(call, result, answer, failed ? &err : NULL);
}

static struct aws_call *call_new(struct aws *aws, struct aws_operation operation, aws_answer_fn *fn, void *ctx)
{
    struct aws_call *call = mem_alloc(sizeof(*call));

    *call = (struct aws_call){.aws = aws, .operation = operation, .err = ERR_INIT, .fn = fn, .ctx = ctx};
    list_add_tail(&aws->calls, &call->link);
    return call;
}

static struct aws_call *call_fail(struct aws_call *call)
{
    err_context(&call->err, "aws %s %s", aws_service_name(aws_operation_service(call->operation)),
                aws_operation_name(call->operation));
    call->timer = timer_start(call->aws->transport.world, 0, end_early, call);
    return call;
}

/* A part of host names and of what is signed: botocore's validate_region_name. */
static int region_check(const char *region, struct err *err)
{
    size_t len = region ? strlen(region) : 0, good = 0;

    if (!region)
        return 0;
    while (good < len && (isalnum((unsigned char)region[good]) || region[good] == '-'))
        good++;
    if (len > 0 && len < 64 && good == len && strspn(region, "0123456789") < len && region[0] != '-' &&
        region[len - 1] != '-')
        return 0;
    err_set(err, ERR_USAGE, "\"%.80s\" is no region: a region is letters, digits and hyphens, as eu-west-1", region);
    err_explain(err, "A103");
    return -1;
}

static struct aws_call *call_start(struct aws *aws, const struct aws_request *request, int presign_s, aws_answer_fn *fn,
                                   void *ctx)
{
    struct aws_call *call = call_new(aws, request->operation, fn, ctx);
    const char *region = request->region ? request->region : aws_config_region(aws->transport.config);
    struct doc *params = region_check(region, &call->err) == 0 ? params_prepare(aws, request, &call->err) : NULL;
    const char *token;
    char subject[160];

    if (!params)
        return call_fail(call);
    snprintf(subject, sizeof(subject), "aws %s %s", aws_service_name(aws_operation_service(request->operation)),
             aws_operation_name(request->operation));
    call->credentials = credentials_of(aws, request->role);
    token = token_of(aws_operation_input(request->operation), params);
    call->transfer = aws_transfer_start(&aws->transport,
                                        &(struct aws_transfer_request){
                                            .operation = request->operation,
                                            .params = params,
                                            .region = region,
                                            .endpoint_url = request->endpoint_url,
                                            .plain_endpoint = request->plain_endpoint,
                                            .headers = request->headers,
                                            .body_path = request->body_path,
                                            .into = request->into,
                                            .keys = keys_get,
                                            .keys_ctx = call,
                                            .guarded = request->guarded || token,
                                            .token = token,
                                            .backward = request->backward,
                                            .timeout_ms = request->timeout_ms,
                                            .attempts_max = request->attempts_max,
                                            .owner = request->owner,
                                            .logical = request->logical,
                                            .subject = request->subject ? request->subject : subject,
                                            .presign_s = presign_s,
                                        },
                                        transferred, call);
    doc_unref(params);
    return call;
}

struct aws_call *aws_send(struct aws *aws, const struct aws_request *request, aws_answer_fn *fn, void *ctx)
{
    return call_start(aws, request, 0, fn, ctx);
}

struct aws_call *aws_presign(struct aws *aws, const struct aws_request *request, int expires_s, aws_answer_fn *fn,
                             void *ctx)
{
    return call_start(aws, request, expires_s, fn, ctx);
}

void aws_cancel(struct aws_call *call)
{
    timer_stop(call->timer);
    if (call->transfer)
        aws_transfer_cancel(call->transfer);
    call_free(call);
}

struct aws_call *aws_whoami(struct aws *aws, aws_answer_fn *fn, void *ctx)
{
    struct aws_service sts = aws_service_find(aws->table, "sts");

    return aws_send(aws, &(struct aws_request){.operation = aws_operation_find(sts, VIEW_LITERAL("GetCallerIdentity"))},
                    fn, ctx);
}

const char *aws_source(struct aws *aws, int64_t *expires_ms)
{
    struct aws_credentials *credentials = credentials_of(aws, NULL);

    *expires_ms = aws_credentials_expire_ms(credentials);
    return aws_credentials_source(credentials);
}

/* ---- the whole ---- */

struct aws *aws_new(struct world *world, struct http *http, struct marks *marks, struct aws_config *config,
                    const struct aws_table *table)
{
    struct aws *aws = mem_alloc(sizeof(*aws));

    aws->marks = marks;
    aws->table = table;
    aws_transport_init(&aws->transport, world, http, config);
    list_init(&aws->roles);
    list_init(&aws->calls);
    return aws;
}

void aws_free(struct aws *aws)
{
    if (!aws)
        return;
    while (!list_empty(&aws->calls))
        aws_cancel(LIST_OF(aws->calls.next, struct aws_call, link));
    while (!list_empty(&aws->roles)) {
        struct role *role = LIST_OF(aws->roles.next, struct role, link);

        list_remove(&role->link);
        aws_credentials_free(role->credentials);
        free(role->arn);
        free(role);
    }
    for (size_t i = 0; i < aws->packs_len; i++)
        aws_table_close(aws->packs[i]);
    aws_transport_clear(&aws->transport);
    aws_sign_forget();
    free(aws);
}
