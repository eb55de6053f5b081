/*
 * The table of what botocore does in code instead of in models (its handlers.py, compress.py), for the services that
 * are compiled in. A row names a service, its operations (all when there is none) and what happens there.
 */
#include "aws/customize.h"

#include "base/digest.h"
#include "codec/json.h"
#include "codec/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 64 << 20, COMPRESSED_MIN = 10240 };

const char *aws_custom_setting(const struct aws_config *config, const char *env, const char *name)
{
    const char *text = aws_config_env(config, env);

    return text ? text : aws_config_get(config, aws_config_profile(config), name);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 32) - 'a' + 10;
    return -1;
}

void aws_percent_decode(struct buf *out, struct view text, bool plus)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '%' && i + 2 < text.len && hex_digit(text.ptr[i + 1]) >= 0 &&
            hex_digit(text.ptr[i + 2]) >= 0) {
            buf_add_char(out, (char)(hex_digit(text.ptr[i + 1]) * 16 + hex_digit(text.ptr[i + 2])));
            i += 2;
        } else {
            buf_add_char(out, plus && text.ptr[i] == '+' ? ' ' : text.ptr[i]);
        }
    }
}

/* ---- params ---- */

/* A member that the model calls by a word which is reserved elsewhere. */
static int alias(struct doc *params, const char *name, const char *wanted, struct err *err)
{
    struct doc *value = doc_get(params, name);

    if (!value)
        return 0;
    if (doc_get(params, wanted)) {
        err_set(err, ERR_USAGE, "%s is another name of %s: give one of them", name, wanted);
        err_explain(err, "A101");
        return -1;
    }
    doc_set(params, wanted, doc_ref(value));
    doc_remove(params, name);
    return 0;
}

static int export_alias(struct doc *params, struct err *err)
{
    return alias(params, "fromTime", "from", err);
}

static int user_data_encode(struct doc *params, struct err *err)
{
    struct doc *value = doc_get(params, "UserData");
    struct buf text;

    (void)err;
    if (!doc_is(value, DOC_STRING))
        return 0;
    buf_init(&text, TEXT_MAX);
    base64_add(&text, doc_as_view(value));
    doc_set(params, "UserData", doc_string(buf_view(&text)));
    buf_free(&text);
    return 0;
}

/* "/hostedzone/Z1", as answers say it, to "Z1", as requests want it. */
static int ids_shorten(struct doc *params, const char *const *names)
{
    for (; *names; names++) {
        const char *text = doc_as_text(doc_get(params, *names), NULL), *slash = text ? strrchr(text, '/') : NULL;

        if (slash)
            doc_set(params, *names, doc_text(slash + 1));
    }
    return 0;
}

static int zone_ids_shorten(struct doc *params, struct err *err)
{
    static const char *const names[] = {"HostedZoneId", "DelegationSetId", "HostedZoneIdMarker", NULL};

    (void)err;
    return ids_shorten(params, names);
}

static int id_shorten(struct doc *params, struct err *err)
{
    static const char *const names[] = {"Id", NULL};

    (void)err;
    return ids_shorten(params, names);
}

/* ---- requests ---- */

static int api_version_add(struct aws_operation operation, const struct doc *params, struct aws_wire *wire,
                           struct aws_custom *custom, struct err *err)
{
    (void)params;
    (void)custom;
    (void)err;
    aws_headers_set(&wire->headers, "x-amz-api-version",
                    view_of(aws_service_api_version(aws_operation_service(operation))));
    return 0;
}

/* A larger body of an operation with the requestcompression trait. */
static void compress(const struct aws_config *config, struct aws_operation operation, struct aws_wire *wire)
{
    const char *off = aws_custom_setting(config, "AWS_DISABLE_REQUEST_COMPRESSION", "disable_request_compression");
    const char *min =
        aws_custom_setting(config, "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES", "request_min_compression_size_bytes");
    const char *before = aws_headers_get(&wire->headers, "content-encoding");
    struct buf packed;
    char *encoding;

    if (!(aws_operation_flags(operation) & AWS_OPERATION_COMPRESSED) || (off && strcasecmp(off, "true") == 0) ||
        wire->body.len < (min ? strtoul(min, NULL, 10) : COMPRESSED_MIN))
        return;
    buf_init(&packed, wire->body.max);
    gzip_add(&packed, buf_view(&wire->body));
    buf_free(&wire->body);
    wire->body = packed;
    encoding = mem_printf("%s%sgzip", before ? before : "", before ? "," : "");
    aws_headers_set(&wire->headers, "content-encoding", view_of(encoding));
    free(encoding);
}

/* What Lambda gives its functions, to see when they call each other in a circle. */
static void trace_add(const struct aws_config *config, struct aws_wire *wire)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.~-=;:+&[]{}\"',";
    const char *trace = aws_config_env(config, "_X_AMZN_TRACE_ID");
    struct buf text;

    if (!trace || !aws_config_env(config, "AWS_LAMBDA_FUNCTION_NAME"))
        return;
    buf_init(&text, TEXT_MAX);
    for (; *trace; trace++)
        if (strchr(kept, *trace))
            buf_add_char(&text, *trace);
        else
            buf_addf(&text, "%%%02X", (unsigned char)*trace);
    aws_headers_set(&wire->headers, "x-amzn-trace-id", buf_view(&text));
    buf_free(&text);
}

/* ---- results ---- */

/* A document in a text, perhaps in URL encoding; a text that is none stays. */
static struct doc *text_decode(struct view text, bool escaped)
{
    struct err ignored = ERR_INIT;
    struct doc *value;
    struct buf plain;

    buf_init(&plain, TEXT_MAX);
    if (escaped)
        aws_percent_decode(&plain, text, false);
    else
        buf_add_view(&plain, text);
    value = json_parse(buf_view(&plain), &ignored);
    buf_free(&plain);
    return value;
}

/* Policies are JSON in URL encoding, wherever IAM answers with one. */
static void policies_decode(const struct aws_custom *custom, struct doc *result)
{
    static const char *const names[] = {"AssumeRolePolicyDocument", "PolicyDocument", "Document",
                                        "AssumeRolePolicyDocumentTemplate"};

    for (size_t i = 0; doc_is(result, DOC_OBJECT) && i < sizeof(names) / sizeof(names[0]); i++) {
        struct doc *text = doc_get(result, names[i]);
        struct doc *value = doc_is(text, DOC_STRING) ? text_decode(doc_as_view(text), true) : NULL;

        if (value)
            doc_set(result, names[i], value);
    }
    if (doc_is(result, DOC_ARRAY))
        for (size_t i = 0; i < doc_size(result); i++)
            policies_decode(custom, doc_at(result, i));
    DOC_EACH(at, result)
    {
        bool policy = false;

        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
            policy = policy || strcmp(at.key, names[i]) == 0;
        if (!policy)
            policies_decode(custom, at.value);
    }
}

static void template_decode(const struct aws_custom *custom, struct doc *result)
{
    struct doc *text = doc_get(result, "TemplateBody");
    struct doc *value = doc_is(text, DOC_STRING) ? text_decode(doc_as_view(text), false) : NULL;

    (void)custom;
    if (value)
        doc_set(result, "TemplateBody", value);
}

static void console_decode(const struct aws_custom *custom, struct doc *result)
{
    struct doc *text = doc_get(result, "Output");
    struct err ignored = ERR_INIT;
    struct buf plain, clean;

    (void)custom;
    if (!doc_is(text, DOC_STRING))
        return;
    buf_init(&plain, TEXT_MAX);
    buf_init(&clean, TEXT_MAX);
    if (base64_parse(&plain, doc_as_view(text), &ignored) == 0) {
        utf8_add_clean(&clean, buf_view(&plain));
        doc_set(result, "Output", doc_string(buf_view(&clean)));
    }
    buf_free(&plain);
    buf_free(&clean);
}

/* ---- the table ---- */

#define WITH_KEY                                                                                 \
    "GetObject HeadObject PutObject CopyObject CreateMultipartUpload UploadPart UploadPartCopy " \
    "CompleteMultipartUpload SelectObjectContent"

static const struct hook {
    const char *service, *operations; /* separated by blanks; NULL: all */
    aws_params_hook_fn *params;
    aws_wire_hook_fn *wire;
    aws_result_hook_fn *result;
} HOOKS[] = {
    {"autoscaling", "CreateLaunchConfiguration", .params = user_data_encode},
    {"cloudformation", "GetTemplate", .result = template_decode},
    {"dynamodb", "DescribeEndpoints", .wire = api_version_add},
    {"ec2", "GetConsoleOutput", .result = console_decode},
    {"ec2", "RunInstances", .params = user_data_encode},
    {"iam", NULL, .result = policies_decode},
    {"logs", "CreateExportTask", .params = export_alias},
    {"route53",
     "DeleteHostedZone DeleteReusableDelegationSet GetChange GetHostedZone GetReusableDelegationSet "
     "UpdateHostedZoneComment",
     .params = id_shorten},
    {"route53", NULL, .params = zone_ids_shorten},
    {"s3", NULL, .params = aws_s3_bucket_check},
    {"s3", "CopyObject CreateMultipartUpload PutObject", .params = aws_s3_metadata_check},
    {"s3", "CopyObject UploadPartCopy", .params = aws_s3_copy_key_encode},
    {"s3", "CopyObject UploadPartCopy", .params = aws_s3_copy_source},
    {"s3", "DeleteObjects PutBucketLifecycleConfiguration", .wire = aws_s3_line_breaks},
    {"s3", "ListObjects ListObjectsV2 ListObjectVersions", .wire = aws_s3_encoding_ask, .result = aws_s3_list_decode},
    {"s3", "PutObject UploadPart", .wire = aws_s3_expect},
    {"s3", WITH_KEY, .params = aws_s3_key_encode},
};

/* The next row that is about this operation; NULL after the last. */
static const struct hook *hook_next(const struct hook *hook, struct aws_operation operation)
{
    const char *service = aws_service_name(aws_operation_service(operation)), *name = aws_operation_name(operation);
    size_t len = strlen(name);

    for (hook = hook ? hook + 1 : HOOKS; hook < HOOKS + sizeof(HOOKS) / sizeof(HOOKS[0]); hook++) {
        const char *at = hook->operations;

        if (strcmp(hook->service, service) != 0)
            continue;
        if (!at)
            return hook;
        for (; *at; at += strcspn(at, " "), at += *at == ' ')
            if (strcspn(at, " ") == len && strncmp(at, name, len) == 0)
                return hook;
    }
    return NULL;
}

int aws_customize_params(struct aws_operation operation, struct doc *params, struct err *err)
{
    bool ec2 = strcmp(aws_service_name(aws_operation_service(operation)), "ec2") == 0;
    const struct hook *hook = NULL;

    if (ec2 && aws_shape_member_find(aws_operation_input(operation), VIEW_LITERAL("Filter")).table &&
        alias(params, "Filters", "Filter", err) != 0)
        return -1;
    while ((hook = hook_next(hook, operation)))
        if (hook->params && hook->params(params, err) != 0)
            return -1;
    return 0;
}

int aws_customize_wire(const struct aws_config *config, struct aws_operation operation, const struct doc *params,
                       struct aws_wire *wire, struct aws_custom *custom, struct err *err)
{
    const struct hook *hook = NULL;

    while ((hook = hook_next(hook, operation)))
        if (hook->wire && hook->wire(operation, params, wire, custom, err) != 0)
            return -1;
    trace_add(config, wire);
    compress(config, operation, wire);
    return aws_checksum_write(config, operation, params, wire, custom, err);
}

struct doc *aws_customize_read(struct aws_operation operation, const struct aws_custom *custom,
                               const struct aws_answer *answer, struct err *err)
{
    struct aws_answer seen = *answer;
    bool s3 = strcmp(aws_service_name(aws_operation_service(operation)), "s3") == 0;
    struct aws_member expires = aws_shape_member_find(aws_operation_output(operation), VIEW_LITERAL("Expires"));
    const char *expires_text = NULL;
    struct header *mended = NULL;
    const struct hook *hook = NULL;
    struct doc *result;

    if (custom->checked && aws_checksum_compare(operation, answer, err) != 0)
        return NULL;
    if (s3 && expires.table && (mended = aws_s3_expires_mend(answer, &seen.headers_len, &expires_text)))
        seen.headers = mended;
    result = aws_answer_read(operation, &seen, err);
    free(mended);
    if (!result)
        return NULL;
    doc_set_text(result, "ExpiresString", expires_text);
    while ((hook = hook_next(hook, operation)))
        if (hook->result)
            hook->result(custom, result);
    return result;
}

/* OAuth 2.0 has another word for an error's text (RFC 6749, 5.2). */
static void oauth_message(const struct aws_answer *answer, struct err *err)
{
    struct err ignored = ERR_INIT, before = *err;
    struct doc *body = json_parse_loose(answer->body, &ignored);
    const char *text = doc_path_text(body, "error_description", NULL);

    if (text && !doc_path_text(body, "Message", NULL) && !doc_path_text(body, "message", NULL)) {
        err_set(err, before.kind, "%s", text);
        before.kind = err->kind;
        memcpy(before.message, err->message, sizeof(before.message));
        *err = before;
    }
    doc_unref(body);
}

void aws_customize_error(struct aws_operation operation, const struct aws_answer *answer, const char *region,
                         struct err *err)
{
    const char *service = aws_service_name(aws_operation_service(operation));

    if (strcmp(service, "sso-oidc") == 0)
        oauth_message(answer, err);
    else if (strcmp(service, "s3") == 0)
        aws_s3_region_tell(answer, region, err);
}
