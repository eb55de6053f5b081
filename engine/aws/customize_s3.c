/* S3, where its model and its wire differ. https://docs.aws.amazon.com/AmazonS3/latest/API/ */
#include "aws/customize.h"

#include "base/digest.h"
#include "http/http.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 64 << 20 };

/* ---- params ---- */

static bool is_match(const char *pattern, const char *text)
{
    regex_t regex;
    bool match;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        abort(); /* the patterns are ours */
    match = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return match;
}

/* Access points, also those of Outposts and of Object Lambda. */
static bool is_bucket_arn(const char *bucket)
{
    return strncmp(bucket, "arn:aws", 7) == 0 &&
           (is_match("^arn:(aws).*:(s3|s3-object-lambda):[a-z0-9-]*:[0-9]{12}:accesspoint[/:][a-zA-Z0-9.-]{1,63}$",
                     bucket) ||
            is_match("^arn:(aws).*:s3-outposts:[a-z0-9-]+:[0-9]{12}:outpost[/:][a-zA-Z0-9-]{1,63}[/:]accesspoint[/:]"
                     "[a-zA-Z0-9-]{1,63}$",
                     bucket));
}

int aws_s3_bucket_check(struct doc *params, struct err *err)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
    const char *bucket = doc_as_text(doc_get(params, "Bucket"), NULL);
    size_t len = bucket ? strlen(bucket) : 0;

    if (len > 6 && strcmp(bucket + len - 6, "--x-s3") == 0) {
        err_set(err, ERR_USAGE,
                "Bucket: %.100s is a directory bucket (S3 Express One Zone); dosrun has no sessions for those", bucket);
        err_explain(err, "A101");
        return -1;
    }
    if (!bucket || (len >= 1 && len <= 255 && !bucket[strspn(bucket, allowed)]) || is_bucket_arn(bucket))
        return 0;
    err_set(err, ERR_USAGE,
            "Bucket: \"%.100s\" is no bucket's name (1 to 255 letters, digits, \".\", \"-\", \"_\") and no access "
            "point's ARN",
            bucket);
    err_explain(err, "A101");
    return -1;
}

static bool is_ascii(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] > 127)
            return false;
    return true;
}

int aws_s3_metadata_check(struct doc *params, struct err *err)
{
    DOC_EACH(at, doc_get(params, "Metadata"))
    if (!is_ascii(view_of(at.key)) || !is_ascii(doc_as_view(at.value))) {
        err_set(err, ERR_USAGE, "Metadata[\"%.60s\"]: S3 keeps metadata in headers, where only ASCII can be", at.key);
        err_explain(err, "A101");
        return -1;
    }
    return 0;
}

/* A customer's key goes in base64, and its MD5 with it. */
static int key_encode(struct doc *params, const char *key_name, const char *md5_name)
{
    struct doc *key = doc_get(params, key_name);
    struct buf text, md5;

    if (!doc_is(key, DOC_STRING) || doc_get(params, md5_name))
        return 0;
    buf_init(&text, TEXT_MAX);
    buf_init(&md5, TEXT_MAX);
    base64_add(&text, doc_as_view(key));
    checksum_add_base64(&md5, CHECKSUM_MD5, doc_as_view(key));
    doc_set(params, key_name, doc_string(buf_view(&text)));
    doc_set(params, md5_name, doc_string(buf_view(&md5)));
    buf_free(&text);
    buf_free(&md5);
    return 0;
}

int aws_s3_key_encode(struct doc *params, struct err *err)
{
    (void)err;
    return key_encode(params, "SSECustomerKey", "SSECustomerKeyMD5");
}

int aws_s3_copy_key_encode(struct doc *params, struct err *err)
{
    (void)err;
    return key_encode(params, "CopySourceSSECustomerKey", "CopySourceSSECustomerKeyMD5");
}

static void path_escape(struct buf *out, struct view text)
{
    for (size_t at = 0; at <= text.len;) {
        const char *slash = memchr(text.ptr + at, '/', text.len - at);
        size_t len = slash ? (size_t)(slash - text.ptr) - at : text.len - at;

        url_escape(out, (struct view){text.ptr + at, len});
        if (slash)
            buf_add_char(out, '/');
        at += len + 1;
    }
}

/* Where a "?versionId=..." ends the text; NULL. */
static const char *version_of(const char *text)
{
    static const char word[] = "?versionId=";

    for (const char *at = text; (at = strstr(at, word)); at++)
        if (at[sizeof(word) - 1] && !at[strcspn(at, " \t\r\n\v\f")])
            return at;
    return NULL;
}

/* "bucket/key?versionId=x", or {Bucket, Key, VersionId}. */
int aws_s3_copy_source(struct doc *params, struct err *err)
{
    const struct doc *source = doc_get(params, "CopySource");
    struct buf plain, escaped;
    const char *version;
    int result = 0;

    buf_init(&plain, TEXT_MAX);
    buf_init(&escaped, TEXT_MAX);
    if (doc_is(source, DOC_OBJECT)) {
        const char *bucket = doc_path_text(source, "Bucket", NULL), *key = doc_path_text(source, "Key", NULL);

        version = doc_path_text(source, "VersionId", NULL);
        if (!bucket || !key) {
            result = err_set(err, ERR_USAGE, "CopySource.%s: is missing", bucket ? "Key" : "Bucket");
            err_explain(err, "A101");
        } else {
            buf_addf(&plain, "%s%s%s", bucket, is_bucket_arn(bucket) ? "/object/" : "/", key);
            path_escape(&escaped, buf_view(&plain));
            if (version)
                buf_addf(&escaped, "?versionId=%s", version);
        }
    } else if (doc_is(source, DOC_STRING)) {
        buf_add_view(&plain, doc_as_view(source));
        version = version_of(buf_text(&plain));
        path_escape(&escaped,
                    (struct view){buf_text(&plain), version ? (size_t)(version - buf_text(&plain)) : plain.len});
        buf_add_text(&escaped, version ? version : "");
    }
    if (result == 0 && source)
        doc_set(params, "CopySource", doc_string(buf_view(&escaped)));
    buf_free(&plain);
    buf_free(&escaped);
    return result;
}

/* ---- requests ---- */

/* Keys may hold what XML 1.0 cannot: we ask for them in URL encoding, unless the caller speaks of it. */
int aws_s3_encoding_ask(struct aws_operation operation, const struct doc *params, struct aws_wire *wire,
                        struct aws_custom *custom, struct err *err)
{
    (void)operation;
    (void)err;
    if (doc_get(params, "EncodingType"))
        return 0;
    buf_add_text(&wire->query, wire->query.len ? "&encoding-type=url" : "encoding-type=url");
    custom->keys_encoded = true;
    return 0;
}

int aws_s3_expect(struct aws_operation operation, const struct doc *params, struct aws_wire *wire,
                  struct aws_custom *custom, struct err *err)
{
    (void)operation;
    (void)custom;
    (void)err;
    if (doc_get(params, "Body") || wire->from_file)
        aws_headers_set(&wire->headers, "Expect", VIEW_LITERAL("100-continue"));
    return 0;
}

/* Keys keep their line breaks as character references. */
int aws_s3_line_breaks(struct aws_operation operation, const struct doc *params, struct aws_wire *wire,
                       struct aws_custom *custom, struct err *err)
{
    struct buf body;

    (void)operation;
    (void)params;
    (void)custom;
    (void)err;
    buf_init(&body, wire->body.max);
    for (size_t i = 0; i < wire->body.len; i++)
        if (wire->body.ptr[i] == '\r' || wire->body.ptr[i] == '\n')
            buf_add_text(&body, wire->body.ptr[i] == '\r' ? "&#xD;" : "&#xA;");
        else
            buf_add_char(&body, wire->body.ptr[i]);
    buf_free(&wire->body);
    wire->body = body;
    return 0;
}

/* ---- answers ---- */

static void text_decode(struct doc *object, const char *name)
{
    const struct doc *text = doc_get(object, name);
    struct buf plain;

    if (!doc_is(text, DOC_STRING))
        return;
    buf_init(&plain, TEXT_MAX);
    aws_percent_decode(&plain, doc_as_view(text), true);
    doc_set(object, name, doc_string(buf_view(&plain)));
    buf_free(&plain);
}

void aws_s3_list_decode(const struct aws_custom *custom, struct doc *result)
{
    /* Of the three lists together; ListObjectsV2 has no Marker, and so on. */
    static const char *const names[] = {"Delimiter",  "Marker",    "NextMarker",
                                        "StartAfter", "KeyMarker", "NextKeyMarker"};
    static const struct {
        const char *list, *name;
    } inside[] = {{"Contents", "Key"}, {"Versions", "Key"}, {"DeleteMarkers", "Key"}, {"CommonPrefixes", "Prefix"}};

    if (!custom->keys_encoded || strcmp(doc_as_text(doc_get(result, "EncodingType"), ""), "url") != 0)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        text_decode(result, names[i]);
    if (!doc_get(result, "Marker")) /* botocore leaves ListObjects' as it is */
        text_decode(result, "Prefix");
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
        for (size_t at = 0; at < doc_size(doc_get(result, inside[i].list)); at++)
            text_decode(doc_at(doc_get(result, inside[i].list), at), inside[i].name);
}

struct header *aws_s3_expires_mend(const struct aws_answer *answer, size_t *len, const char **text)
{
    struct header *kept;
    double seconds;

    for (size_t i = 0; i < answer->headers_len; i++) {
        if (strcasecmp(answer->headers[i].name, "expires") != 0)
            continue;
        *text = answer->headers[i].value;
        if (aws_time_parse(view_of(*text), &seconds))
            return NULL;
        kept = mem_array(answer->headers_len, sizeof(*kept));
        memcpy(kept, answer->headers, i * sizeof(*kept));
        memcpy(kept + i, answer->headers + i + 1, (answer->headers_len - i - 1) * sizeof(*kept));
        *len = answer->headers_len - 1;
        return kept;
    }
    return NULL;
}

const char *aws_s3_region_real(const struct aws_answer *answer, const char *region)
{
    const char *real = NULL;

    if (answer->status != 301 && answer->status != 307 && answer->status != 400)
        return NULL;
    for (size_t i = 0; i < answer->headers_len; i++)
        if (strcasecmp(answer->headers[i].name, "x-amz-bucket-region") == 0)
            real = answer->headers[i].value;
    return real && region && strcmp(real, region) == 0 ? NULL : real;
}

void aws_s3_region_tell(const struct aws_answer *answer, const char *region, struct err *err)
{
    const char *real = aws_s3_region_real(answer, region);

    if (real)
        err_context(err, "the bucket is in region %.40s, and %s was asked for it", real, region ? region : "none");
}
