/*
 * Signature version 4: a canonical text of the request, its sum in a text to sign, and the sum of that under a key
 * which is derived from the secret for a day, a region and a service. Derived keys are kept: one costs as much as two
 * signatures.
 */
#include "aws/sign.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { STAMP_SIZE = 17, DATE_LEN = 8, FEW = 32, TEXT_START = 2048, KEPT_KEYS = 8, SCOPE_MAX = 128 };

#define ALGORITHM "AWS4-HMAC-SHA256"
#define UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* One header or one parameter of the query. */
struct pair {
    struct view name, value;
};

struct pairs {
    struct pair few[FEW], *list;
    size_t len;
};

static void pairs_init(struct pairs *pairs, size_t max)
{
    pairs->list = max > FEW ? mem_array(max, sizeof(pairs->list[0])) : pairs->few;
    pairs->len = 0;
}

static void pairs_free(struct pairs *pairs)
{
    if (pairs->list != pairs->few)
        free(pairs->list);
}

static void pairs_add(struct pairs *pairs, struct view name, struct view value)
{
    pairs->list[pairs->len++] = (struct pair){name, value};
}

/* Room for a whole request from the start: growing would leave copies of a session token about. */
static void text_init(struct buf *text)
{
    buf_init(text, SIZE_MAX);
    text->ptr = mem_alloc(TEXT_START);
    text->cap = TEXT_START;
}

static void text_clear(struct buf *text)
{
    secret_wipe(text->ptr, text->len);
    buf_free(text);
}

/* "20150830T123600Z". Requests come many in a second: the last one's is kept. */
static const char *stamp_of(int64_t now_ms)
{
    static char stamp[STAMP_SIZE + 16]; /* a year beyond 9999 has room */
    static time_t second;
    time_t now = (time_t)(now_ms / 1000);
    struct tm tm;

    if (stamp[0] && second == now)
        return stamp;
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
    second = now;
    return stamp;
}

static void scope_add(struct buf *out, const struct aws_sign *sign)
{
    buf_add(out, stamp_of(sign->now_ms), DATE_LEN);
    buf_add_char(out, '/');
    buf_add_text(out, sign->region);
    buf_add_char(out, '/');
    buf_add_text(out, sign->service);
    buf_add_text(out, "/aws4_request");
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

static void escape_add(struct buf *out, unsigned char c)
{
    static const char digits[] = "0123456789ABCDEF";

    buf_add(out, (char[3]){'%', digits[c >> 4], digits[c & 15]}, 3);
}

static void escaped_add(struct buf *out, struct view text)
{
    size_t done = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (is_unreserved((unsigned char)text.ptr[i]))
            continue;
        buf_add(out, text.ptr + done, i - done);
        escape_add(out, (unsigned char)text.ptr[i]);
        done = i + 1;
    }
    buf_add(out, text.ptr + done, text.len - done);
}

void aws_path_normalize(struct buf *out, struct view path)
{
    size_t start = out->len, at = 0;

    while (at < path.len) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.ptr) : path.len;
        struct view segment = {path.ptr + at, end - at};

        at = end + 1;
        if (!segment.len || view_is(segment, "."))
            continue;
        if (!view_is(segment, "..")) {
            buf_add_char(out, '/');
            escaped_add(out, segment);
            continue;
        }
        while (out->len > start && out->ptr[--out->len] != '/')
            ;
    }
    if (out->len == start || path.ptr[path.len - 1] == '/')
        buf_add_char(out, '/');
}

static int view_order(struct view a, struct view b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int parameter_order(const void *a, const void *b)
{
    const struct pair *first = a, *second = b;
    int order = view_order(first->name, second->name);

    return order ? order : view_order(first->value, second->value);
}

static void query_split(struct view query, struct pairs *pairs)
{
    size_t count = 1, at = 0;

    for (size_t i = 0; i < query.len; i++)
        count += query.ptr[i] == '&';
    pairs_init(pairs, count);
    while (at < query.len) {
        const char *and = memchr(query.ptr + at, '&', query.len - at);
        size_t end = and? (size_t)(and-query.ptr) : query.len;
        const char *equals = memchr(query.ptr + at, '=', end - at);
        size_t name_end = equals ? (size_t)(equals - query.ptr) : end;
        size_t value = equals ? name_end + 1 : end;

        pairs_add(pairs, (struct view){query.ptr + at, name_end - at}, (struct view){query.ptr + value, end - value});
        at = end + 1;
    }
}

/* As it was sent; what cannot stand in a URL is escaped. */
static void parameter_add(struct buf *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] > ' ' && text.ptr[i] < 0x7f)
            buf_add_char(out, text.ptr[i]);
        else
            escape_add(out, (unsigned char)text.ptr[i]);
    }
}

static void parameters_add(struct buf *out, const struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->len; i++) {
        if (i)
            buf_add_char(out, '&');
        parameter_add(out, pairs->list[i].name);
        buf_add_char(out, '=');
        parameter_add(out, pairs->list[i].value);
    }
}

static void query_add(struct buf *out, struct view query)
{
    struct pairs pairs;

    if (!query.len)
        return;
    query_split(query, &pairs);
    qsort(pairs.list, pairs.len, sizeof(pairs.list[0]), parameter_order);
    parameters_add(out, &pairs);
    pairs_free(&pairs);
}

/* What proxies and clients may change on the way; and the signature itself. */
static bool is_signed(const char *name)
{
    static const char *const left_out[] = {
        "authorization",
        "baggage",
        "connection",
        "expect",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-amzn-trace-id",
    };

    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if ((name[0] | 0x20) == left_out[i][0] && strcasecmp(name, left_out[i]) == 0)
            return false;
    }
    return true;
}

/* "host;x-amz-date" holds "Host". NULL holds all that is signed at all. */
static bool is_listed(const char *names, struct view name)
{
    if (!names)
        return true;
    for (;;) {
        size_t len = strcspn(names, ";");

        if (len == name.len && strncasecmp(names, name.ptr, len) == 0)
            return true;
        if (!names[len])
            return false;
        names += len + 1;
    }
}

static int name_order(struct view a, struct view b)
{
    int order = strncasecmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Sorted by name as they come, equal names in order: there are few, and they are nearly sorted. */
static void header_insert(struct pairs *pairs, const char *name, const char *value)
{
    struct pair pair = {view_of(name), view_of(value)};
    size_t at = pairs->len++;

    for (; at && name_order(pairs->list[at - 1].name, pair.name) > 0; at--)
        pairs->list[at] = pairs->list[at - 1];
    pairs->list[at] = pair;
}

static void headers_collect(const struct aws_signed *request, const struct aws_headers *headers, const char *names,
                            struct pairs *pairs)
{
    bool host = false;

    pairs_init(pairs, headers->len + 1);
    for (size_t i = 0; i < headers->len; i++) {
        const struct header *header = &headers->list[i];

        if (names ? !is_listed(names, view_of(header->name)) : !is_signed(header->name))
            continue;
        host = host || strcasecmp(header->name, "host") == 0;
        header_insert(pairs, header->name, header->value);
    }
    if (!host && is_listed(names, VIEW_LITERAL("host")))
        header_insert(pairs, "host", request->host);
}

static void lower_add(struct buf *out, struct view name)
{
    for (size_t i = 0; i < name.len; i++)
        buf_add_char(out, name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i]);
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without blanks at its ends, with one where there were several. */
static void value_add(struct buf *out, struct view value)
{
    bool first = true;

    for (size_t i = 0; i < value.len;) {
        size_t start = i;

        while (i < value.len && !is_blank(value.ptr[i]))
            i++;
        if (i > start) {
            if (!first)
                buf_add_char(out, ' ');
            buf_add(out, value.ptr + start, i - start);
            first = false;
        }
        while (i < value.len && is_blank(value.ptr[i]))
            i++;
    }
}

static bool same_name(const struct pairs *pairs, size_t index)
{
    return index && name_order(pairs->list[index - 1].name, pairs->list[index].name) == 0;
}

static void headers_add(struct buf *out, const struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->len; i++) {
        if (same_name(pairs, i)) {
            buf_add_char(out, ',');
        } else {
            if (i)
                buf_add_char(out, '\n');
            lower_add(out, pairs->list[i].name);
            buf_add_char(out, ':');
        }
        value_add(out, pairs->list[i].value);
    }
    buf_add_char(out, '\n');
}

static void names_add(struct buf *out, const struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->len; i++) {
        if (same_name(pairs, i))
            continue;
        if (i)
            buf_add_char(out, ';');
        lower_add(out, pairs->list[i].name);
    }
}

/* The last line of the canonical request; hex is where it is made when the body is read for it. */
static const char *payload_of(const struct aws_sign *sign, struct view body, char hex[SHA256_HEX + 1])
{
    if (sign->unsigned_payload)
        return UNSIGNED_PAYLOAD;
    if (sign->payload_sha256)
        return sign->payload_sha256;
    if (!body.len)
        return EMPTY_SHA256;
    digest_sha256_hex(body, hex);
    return hex;
}

static void canonical_add(struct buf *out, const struct aws_sign *sign, const struct aws_signed *request,
                          const struct pairs *headers, struct view names, const char *payload)
{
    buf_add_text(out, request->method);
    buf_add_char(out, '\n');
    if (sign->single_encoding && request->path.len)
        buf_add_view(out, request->path);
    else
        aws_path_normalize(out, request->path);
    buf_add_char(out, '\n');
    query_add(out, request->query);
    buf_add_char(out, '\n');
    headers_add(out, headers);
    buf_add_char(out, '\n');
    buf_add_view(out, names);
    buf_add_char(out, '\n');
    buf_add_text(out, payload);
}

/* ---- the key ---- */

struct derived {
    char scope[SCOPE_MAX];             /* "" : free */
    unsigned char secret[SHA256_SIZE]; /* its sum: the secret itself is kept by who owns it */
    struct digest_hmac key;
};
static struct derived derived[KEPT_KEYS];
static size_t derived_next;

static void key_derive(const struct aws_sign *sign, struct digest_hmac *key)
{
    const struct view steps[] = {{stamp_of(sign->now_ms), DATE_LEN},
                                 view_of(sign->region),
                                 view_of(sign->service),
                                 VIEW_LITERAL("aws4_request")};
    char *start = mem_printf("AWS4%s", sign->keys->secret_key);
    unsigned char sum[SHA256_SIZE];

    digest_hmac_key(key, view_of(start));
    secret_wipe(start, strlen(start));
    free(start);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        digest_hmac_sum(key, steps[i], sum);
        digest_hmac_key(key, (struct view){(const char *)sum, sizeof(sum)});
    }
    secret_wipe(sum, sizeof(sum));
}

static const struct digest_hmac *key_get(const struct aws_sign *sign)
{
    unsigned char secret[SHA256_SIZE];
    struct derived *place;
    struct buf scope;

    buf_init(&scope, SIZE_MAX);
    scope_add(&scope, sign);
    digest_sha256(view_of(sign->keys->secret_key), secret);
    for (size_t i = 0; i < KEPT_KEYS; i++) {
        place = &derived[i];
        if (strcmp(place->scope, buf_text(&scope)) == 0 && memcmp(place->secret, secret, sizeof(secret)) == 0) {
            buf_free(&scope);
            return &place->key;
        }
    }
    place = &derived[derived_next];
    derived_next = (derived_next + 1) % KEPT_KEYS;
    key_derive(sign, &place->key);
    memcpy(place->secret, secret, sizeof(secret));
    place->scope[0] = '\0'; /* too long a name is derived each time */
    if (scope.len < SCOPE_MAX)
        memcpy(place->scope, scope.ptr, scope.len + 1);
    buf_free(&scope);
    return &place->key;
}

void aws_sign_forget(void)
{
    secret_wipe(derived, sizeof(derived));
}

/* ---- public ---- */

void aws_sign_canonical(const struct aws_sign *sign, const struct aws_signed *request,
                        const struct aws_headers *headers, const char *signed_headers, struct buf *out)
{
    const char *given = aws_headers_get(headers, "x-amz-content-sha256");
    char hex[SHA256_HEX + 1];
    struct pairs pairs;

    headers_collect(request, headers, signed_headers, &pairs);
    canonical_add(out, sign, request, &pairs, view_of(signed_headers),
                  given ? given : payload_of(sign, request->body, hex));
    pairs_free(&pairs);
}

void aws_sign_text(const struct aws_sign *sign, struct view canonical, struct buf *out)
{
    char hex[SHA256_HEX + 1];

    digest_sha256_hex(canonical, hex); /* first: it may lie in out, which grows */
    buf_add_text(out, ALGORITHM "\n");
    buf_add_text(out, stamp_of(sign->now_ms));
    buf_add_char(out, '\n');
    scope_add(out, sign);
    buf_add_char(out, '\n');
    buf_add(out, hex, SHA256_HEX);
}

void aws_sign_signature(const struct aws_sign *sign, struct view text, char out[SHA256_HEX + 1])
{
    unsigned char sum[SHA256_SIZE];

    digest_hmac_sum(key_get(sign), text, sum);
    digest_hex(sum, out);
}

static void signature_make(const struct aws_sign *sign, const struct aws_signed *request, const struct pairs *headers,
                           struct view names, const char *payload, char out[SHA256_HEX + 1])
{
    struct buf text;
    size_t canonical;

    text_init(&text);
    canonical_add(&text, sign, request, headers, names, payload);
    canonical = text.len;
    aws_sign_text(sign, (struct view){text.ptr, canonical}, &text);
    aws_sign_signature(sign, (struct view){text.ptr + canonical, text.len - canonical}, out);
    text_clear(&text);
}

void aws_sign_headers(const struct aws_sign *sign, const struct aws_signed *request, struct aws_headers *headers)
{
    char hex[SHA256_HEX + 1], signature[SHA256_HEX + 1];
    const char *payload;
    struct pairs pairs;
    struct buf value;
    size_t names;

    aws_headers_set(headers, "x-amz-date", view_of(stamp_of(sign->now_ms)));
    if (sign->keys->session_token)
        aws_headers_set(headers, "x-amz-security-token", view_of(sign->keys->session_token));
    if (sign->content_sha256 || sign->unsigned_payload)
        aws_headers_set(headers, "x-amz-content-sha256", view_of(payload_of(sign, request->body, hex)));
    payload = aws_headers_get(headers, "x-amz-content-sha256");

    headers_collect(request, headers, NULL, &pairs);
    text_init(&value);
    buf_add_text(&value, ALGORITHM " Credential=");
    buf_add_text(&value, sign->keys->access_key);
    buf_add_char(&value, '/');
    scope_add(&value, sign);
    buf_add_text(&value, ", SignedHeaders=");
    names = value.len;
    names_add(&value, &pairs);
    signature_make(sign, request, &pairs, (struct view){value.ptr + names, value.len - names},
                   payload ? payload : payload_of(sign, request->body, hex), signature);
    buf_add_text(&value, ", Signature=");
    buf_add(&value, signature, SHA256_HEX);
    pairs_free(&pairs);
    aws_headers_set(headers, "authorization", buf_view(&value));
    text_clear(&value);
}

/* A parameter of the query, escaped. */
static void added_parameter(struct buf *query, const char *name, struct view value)
{
    if (query->len)
        buf_add_char(query, '&');
    buf_add_text(query, name);
    buf_add_char(query, '=');
    escaped_add(query, value);
}

/* Each parameter with its "=", as botocore sends it. */
static void query_complete(struct buf *query)
{
    struct pairs pairs;
    struct buf whole;

    if (!query->len)
        return;
    buf_init(&whole, query->max);
    query_split(buf_view(query), &pairs);
    parameters_add(&whole, &pairs);
    pairs_free(&pairs);
    buf_free(query);
    *query = whole;
}

void aws_sign_query(const struct aws_sign *sign, const struct aws_signed *request, const struct aws_headers *headers,
                    int expires_s, struct buf *query)
{
    const char *given = aws_headers_get(headers, "x-amz-content-sha256");
    char hex[SHA256_HEX + 1], signature[SHA256_HEX + 1], seconds[16];
    struct aws_signed with_query = *request;
    struct buf names, credential;
    struct pairs pairs;

    headers_collect(request, headers, NULL, &pairs);
    buf_init(&names, SIZE_MAX);
    names_add(&names, &pairs);
    buf_init(&credential, SIZE_MAX);
    buf_add_text(&credential, sign->keys->access_key);
    buf_add_char(&credential, '/');
    scope_add(&credential, sign);
    snprintf(seconds, sizeof(seconds), "%d", expires_s);

    query_complete(query);
    added_parameter(query, "X-Amz-Algorithm", VIEW_LITERAL(ALGORITHM));
    added_parameter(query, "X-Amz-Credential", buf_view(&credential));
    added_parameter(query, "X-Amz-Date", view_of(stamp_of(sign->now_ms)));
    added_parameter(query, "X-Amz-Expires", view_of(seconds));
    added_parameter(query, "X-Amz-SignedHeaders", buf_view(&names));
    if (sign->keys->session_token)
        added_parameter(query, "X-Amz-Security-Token", view_of(sign->keys->session_token));
    with_query.query = buf_view(query);
    signature_make(sign, &with_query, &pairs, buf_view(&names), given ? given : payload_of(sign, request->body, hex),
                   signature);
    added_parameter(query, "X-Amz-Signature", view_of(signature));
    pairs_free(&pairs);
    buf_free(&names);
    buf_free(&credential);
}
