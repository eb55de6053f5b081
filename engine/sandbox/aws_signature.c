/*
 * Who signed a request, and is it so? Signature Version 4 in the Authorization header or in the query, checked by the
 * steps of the IAM User Guide ("Create a signed AWS API request") and S3's ("Authenticating Requests: Using the
 * Authorization Header", "Using Query Parameters"): the canonical request is made from the request as it arrived.
 * Refusals: "Common errors" of each API reference, "Troubleshoot Signature Version 4 signing".
 */
#include "sandbox/aws_cloud.h"
#include "sandbox/core.h"
#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { SKEW_MS = 5 * 60 * 1000, SKEW_S3_MS = 15 * 60 * 1000, PRESIGNED_STS_MS = 15 * 60 * 1000 };

/* The parts of "AWS4-HMAC-SHA256 Credential=KEY/DAY/REGION/SERVICE/aws4_request, SignedHeaders=a;b, Signature=hex", or
   those of X-Amz-* in the query. */
struct claim {
    bool in_query;
    const char *stamp; /* NULL: none */
    struct view scope; /* DAY/REGION/SERVICE/aws4_request */
    struct view day, region, service, headers, signature;
};

/* ---- refusals, by how a service words them ---- */

enum word { WORD_KEY, WORD_MISSING, WORD_INCOMPLETE, WORD_SIGNATURE, WORD_SKEW, WORD_EXPIRED, WORD_TOKEN };

struct wording {
    const char *code;
    int status;
};

static struct wording wording_of(const struct cloud_call *call, enum word word)
{
    static const struct wording query[] = {{"InvalidClientTokenId", 403},  {"MissingAuthenticationToken", 403},
                                           {"IncompleteSignature", 400},   {"SignatureDoesNotMatch", 403},
                                           {"SignatureDoesNotMatch", 403}, {"ExpiredToken", 403},
                                           {"InvalidClientTokenId", 403}};
    static const struct wording ec2[] = {{"AuthFailure", 401},         {"MissingAuthenticationToken", 403},
                                         {"IncompleteSignature", 400}, {"AuthFailure", 401},
                                         {"RequestExpired", 400},      {"RequestExpired", 400},
                                         {"AuthFailure", 401}};
    static const struct wording json[] = {
        {"UnrecognizedClientException", 400},  {"MissingAuthenticationTokenException", 400},
        {"IncompleteSignatureException", 400}, {"InvalidSignatureException", 400},
        {"InvalidSignatureException", 400},    {"ExpiredTokenException", 400},
        {"UnrecognizedClientException", 400}};
    static const struct wording s3[] = {
        {"InvalidAccessKeyId", 403},    {"AccessDenied", 403},         {"AuthorizationHeaderMalformed", 400},
        {"SignatureDoesNotMatch", 403}, {"RequestTimeTooSkewed", 403}, {"ExpiredToken", 400},
        {"InvalidToken", 400}};
    struct wording wording;

    switch (call_protocol(call)) {
    case AWS_QUERY:
        return query[word];
    case AWS_EC2:
        return ec2[word];
    case AWS_REST_XML:
        return call_is(call, "s3") ? s3[word] : query[word];
    case AWS_REST_JSON:
        wording = json[word];
        wording.status = 403;
        return wording;
    case AWS_JSON:
        break;
    }
    return json[word];
}

static int refuse(struct cloud_call *call, enum word word, const char *text)
{
    struct wording wording = wording_of(call, word);

    return call_refuse(call, wording.status, wording.code, "%s", text);
}

/* ---- the header ---- */

/* "Name=value" of the header's parts, separated by commas and blanks. */
static struct view part_find(const char *header, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = header; *at; at += strcspn(at, ", ")) {
        at += strspn(at, ", ");
        if (strncmp(at, name, len) == 0 && at[len] == '=')
            return (struct view){at + len + 1, strcspn(at + len + 1, ", ")};
    }
    return (struct view){0};
}

/* The next part before a slash. */
static struct view scope_next(struct view *rest)
{
    size_t len = 0;
    struct view part;

    while (len < rest->len && rest->ptr[len] != '/')
        len++;
    part = (struct view){rest->ptr, len};
    rest->ptr += len < rest->len ? len + 1 : len;
    rest->len -= len < rest->len ? len + 1 : len;
    return part;
}

static int credential_parse(struct cloud_call *call, struct view credential, struct claim *claim)
{
    struct view rest = credential, key = scope_next(&rest);

    snprintf(call->caller.access_key, sizeof(call->caller.access_key), "%.*s", (int)key.len, key.ptr);
    claim->scope = rest;
    claim->day = scope_next(&rest);
    claim->region = scope_next(&rest);
    claim->service = scope_next(&rest);
    if (!view_is(rest, "aws4_request"))
        return refuse(call, WORD_INCOMPLETE,
                      "Credential must have exactly 5 slash-delimited elements: "
                      "KEY/DATE/REGION/SERVICE/aws4_request");
    return 0;
}

static int claim_header(struct cloud_call *call, const char *header, struct claim *claim)
{
    struct view credential;

    claim->stamp = sim_header(call->http, "X-Amz-Date");
    if (strncmp(header, "AWS4-HMAC-SHA256 ", 17) != 0)
        return refuse(call, WORD_INCOMPLETE, "Unsupported AWS 'algorithm'");
    credential = part_find(header + 17, "Credential");
    claim->headers = part_find(header + 17, "SignedHeaders");
    claim->signature = part_find(header + 17, "Signature");
    if (credential.len == 0)
        return refuse(call, WORD_INCOMPLETE, "Authorization header requires 'Credential' parameter.");
    if (claim->signature.len == 0)
        return refuse(call, WORD_INCOMPLETE, "Authorization header requires 'Signature' parameter.");
    if (claim->headers.len == 0)
        return refuse(call, WORD_INCOMPLETE, "Authorization header requires 'SignedHeaders' parameter.");
    return credential_parse(call, credential, claim);
}

static int claim_query(struct cloud_call *call, struct claim *claim)
{
    const char *algorithm = route_query(call, "X-Amz-Algorithm"), *credential = route_query(call, "X-Amz-Credential");
    const char *headers = route_query(call, "X-Amz-SignedHeaders"), *expires = route_query(call, "X-Amz-Expires");

    claim->in_query = true;
    claim->stamp = route_query(call, "X-Amz-Date");
    if (!algorithm || strcmp(algorithm, "AWS4-HMAC-SHA256") != 0)
        return refuse(call, WORD_INCOMPLETE, "Unsupported AWS 'algorithm'");
    if (!credential || !headers || !claim->stamp || !expires)
        return refuse(call, WORD_INCOMPLETE,
                      "AWS query-string parameters must include: 'X-Amz-Credential', 'X-Amz-SignedHeaders', "
                      "'X-Amz-Date' and 'X-Amz-Expires'.");
    claim->headers = view_of(headers);
    claim->signature = view_of(route_query(call, "X-Amz-Signature"));
    return credential_parse(call, view_of(credential), claim);
}

/* ---- the caller ---- */

/* The lasting key's user, or whom STS gave a temporary key; "secret", "token", "expires" are the session's. */
static int caller_find(struct cloud_call *call, const struct claim *claim)
{
    struct cloud_caller *caller = &call->caller;
    const struct thing *session = things_find(call->cloud, "sts/Session", caller->access_key);
    const char *token =
        claim->in_query ? route_query(call, "X-Amz-Security-Token") : sim_header(call->http, "X-Amz-Security-Token");

    if (strcmp(caller->access_key, SANDBOX_ACCESS_KEY) == 0) {
        if (token)
            return refuse(call, WORD_TOKEN, "The security token included in the request is invalid.");
        caller->secret = mem_text(SANDBOX_SECRET_KEY);
        caller->arn = mem_printf("arn:aws:iam::%s:user/sandbox", sim_account(call->cloud->sim));
        caller->user_id = mem_text("AIDASANDBOX0000000000");
        return 0;
    }
    if (!session)
        return refuse(call, WORD_KEY, "The security token included in the request is invalid.");
    if (!token || strcmp(token, doc_as_text(doc_get(session->doc, "token"), "")) != 0)
        return refuse(call, WORD_TOKEN, "The security token included in the request is invalid.");
    if (doc_as_int(doc_get(session->doc, "expires"), 0) * 1000 <= sim_now_ms(call->cloud->sim))
        return refuse(call, WORD_EXPIRED, "The security token included in the request is expired");
    caller->secret = mem_text(doc_as_text(doc_get(session->doc, "secret"), ""));
    caller->arn = mem_text(doc_as_text(doc_get(session->doc, "arn"), ""));
    caller->user_id = mem_text(doc_as_text(doc_get(session->doc, "user_id"), ""));
    return 0;
}

void caller_clear(struct cloud_caller *caller)
{
    free(caller->secret);
    free(caller->arn);
    free(caller->user_id);
}

/* ---- time and scope ---- */

/* How old a signature may be. STS takes a presigned URL for a quarter of an hour, whatever it says itself. */
static int64_t age_most_ms(const struct cloud_call *call, const struct claim *claim)
{
    if (!claim->in_query)
        return call_is(call, "s3") ? SKEW_S3_MS : SKEW_MS;
    if (call_is(call, "sts"))
        return PRESIGNED_STS_MS;
    return strtoll(route_query(call, "X-Amz-Expires"), NULL, 10) * 1000;
}

static int time_check(struct cloud_call *call, const struct claim *claim)
{
    int64_t now = sim_now_ms(call->cloud->sim), most = call_is(call, "s3") ? SKEW_S3_MS : SKEW_MS;
    const char *stamp = claim->stamp;
    double seconds;
    char text[128];
    struct buf iso;

    if (!stamp || strlen(stamp) != 16 || !value_time_parse(view_of(stamp), &seconds))
        return refuse(call, WORD_INCOMPLETE,
                      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
    if (strncmp(stamp, claim->day.ptr, claim->day.len) != 0 || claim->day.len != 8) {
        snprintf(text, sizeof(text),
                 "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date: %.*s", 8, stamp);
        return refuse(call, WORD_SIGNATURE, text);
    }
    if ((int64_t)(seconds * 1000) >= now - age_most_ms(call, claim) && (int64_t)(seconds * 1000) <= now + most)
        return 0;
    buf_init(&iso, 64);
    value_time_add(&iso, AWS_TIME_ISO8601, (double)now / 1000);
    if (call_is(call, "s3"))
        snprintf(text, sizeof(text), "The difference between the request time and the current time is too large.");
    else
        snprintf(text, sizeof(text), "Signature %s: %s is now %s than %s",
                 seconds * 1000 < (double)now ? "expired" : "not yet current", stamp,
                 seconds * 1000 < (double)now ? "earlier" : "later", buf_text(&iso));
    buf_free(&iso);
    return refuse(call, WORD_SKEW, text);
}

static int scope_check(struct cloud_call *call, const struct claim *claim)
{
    const char *service = aws_service_signing_name(call->service);
    char text[160];

    if (!view_is(claim->region, call->region)) {
        snprintf(text, sizeof(text),
                 call_is(call, "s3")
                     ? "The authorization header is malformed; the region '%.*s' is wrong; expecting '%s'"
                     : "Credential should be scoped to a valid region, not '%.*s'; expected '%s'.",
                 (int)claim->region.len, claim->region.ptr, call->region);
        return refuse(call, call_is(call, "s3") ? WORD_INCOMPLETE : WORD_SIGNATURE, text);
    }
    if (view_is(claim->service, service))
        return 0;
    snprintf(text, sizeof(text), "Credential should be scoped to correct service: '%s'.", service);
    return refuse(call, call_is(call, "s3") ? WORD_INCOMPLETE : WORD_SIGNATURE, text);
}

/* ---- the canonical request ---- */

/* UriEncode of the User Guide. */
static void uri_encode(struct buf *out, struct view text, bool slash_too)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~' || (c == '/' && !slash_too);

        if (plain)
            buf_add_char(out, (char)c);
        else
            buf_addf(out, "%%%02X", c);
    }
}

/* Others than S3: without "." and "..", double slashes as one (RFC 3986, 6.2.2.3). */
static void path_normal(struct buf *out, struct view path)
{
    for (size_t at = 0; at < path.len;) {
        size_t len = 0;

        while (at < path.len && path.ptr[at] == '/')
            at++;
        while (at + len < path.len && path.ptr[at + len] != '/')
            len++;
        struct view part = {path.ptr + at, len};

        at += len;
        if (view_is(part, ".."))
            while (out->len > 0 && out->ptr[--out->len] != '/')
                ;
        else if (len > 0 && !view_is(part, "."))
            buf_addf(out, "/%.*s", (int)len, part.ptr);
    }
    if (out->len == 0 || path.ptr[path.len - 1] == '/')
        buf_add_char(out, '/');
}

static void add_path(const struct cloud_call *call, struct buf *out)
{
    const struct view target = call->http->target;
    struct view path = {target.ptr, 0};
    struct buf plain;

    while (path.len < target.len && path.ptr[path.len] != '?')
        path.len++;
    if (path.len == 0)
        path = VIEW_LITERAL("/");
    buf_init(&plain, SIM_BODY_MAX);
    if (call_is(call, "s3"))
        sim_url_decode(&plain, path, false);
    else
        path_normal(&plain, path);
    uri_encode(out, buf_view(&plain), false);
    buf_free(&plain);
}

static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* By name, then value; \1 between them sorts before all that a name may hold. */
static void add_query(const struct cloud_call *call, bool without_signature, struct buf *out)
{
    char **lines = mem_array(doc_size(call->query) + 1, sizeof(*lines));
    size_t len = 0;

    for (size_t i = 0; i < doc_size(call->query); i++) {
        const struct doc *pair = doc_at(call->query, i);
        struct buf line;

        if (without_signature && view_is(doc_as_view(doc_at(pair, 0)), "X-Amz-Signature"))
            continue;

        buf_init(&line, SIM_BODY_MAX);
        uri_encode(&line, doc_as_view(doc_at(pair, 0)), true);
        buf_add_char(&line, '\1');
        uri_encode(&line, doc_as_view(doc_at(pair, 1)), true);
        lines[len++] = buf_take(&line);
    }
    qsort(lines, len, sizeof(*lines), line_order);
    for (size_t i = 0; i < len; i++) {
        *strchr(lines[i], '\1') = '=';
        buf_addf(out, "%s%s", i ? "&" : "", lines[i]);
        free(lines[i]);
    }
    free(lines);
}

/* Trimmed, blanks in a row as one. */
static void add_trimmed(struct buf *out, const char *value)
{
    value += strspn(value, " \t");
    for (; *value; value++) {
        if (*value == ' ' && (value[1] == ' ' || value[strspn(value, " \t")] == '\0'))
            continue;
        buf_add_char(out, *value);
    }
}

/* Every value of a header, in order of arrival; the host is the URL's when no header says it. False: it is not there.
 */
static bool add_header(const struct cloud_call *call, struct buf *out, struct view name)
{
    const struct sim_request *http = call->http;
    bool found = false;

    for (size_t i = 0; i < http->headers_len; i++) {
        if (strlen(http->headers[i].name) != name.len || strncasecmp(http->headers[i].name, name.ptr, name.len) != 0)
            continue;
        if (found)
            buf_add_char(out, ',');
        add_trimmed(out, http->headers[i].value);
        found = true;
    }
    if (!found && view_is(name, "host")) {
        buf_add_view(out, http->host);
        if (http->port != (view_is(http->scheme, "https") ? 443 : 80))
            buf_addf(out, ":%d", http->port);
        found = true;
    }
    return found;
}

static bool header_signed(struct view list, const char *name)
{
    size_t len = strlen(name);

    for (size_t at = 0; at < list.len;) {
        size_t next = at;

        while (next < list.len && list.ptr[next] != ';')
            next++;
        if (next - at == len && strncasecmp(list.ptr + at, name, len) == 0)
            return true;
        at = next + 1;
    }
    return false;
}

/* Host and everything x-amz-* must be signed. */
static int headers_check(struct cloud_call *call, const struct claim *claim)
{
    const struct sim_request *http = call->http;
    char text[256];

    if (!header_signed(claim->headers, "host"))
        return refuse(call, WORD_SIGNATURE, "'Host' must be a 'SignedHeader' in the AWS Authorization.");
    for (size_t i = 0; i < http->headers_len; i++) {
        if (strncasecmp(http->headers[i].name, "x-amz-", 6) != 0 ||
            header_signed(claim->headers, http->headers[i].name))
            continue;
        snprintf(text, sizeof(text), "There were headers present in the request which were not signed: %s",
                 http->headers[i].name);
        return call_is(call, "s3") ? call_refuse(call, 403, "AccessDenied", "%s", text)
                                   : refuse(call, WORD_SIGNATURE, text);
    }
    return 0;
}

static void add_headers(const struct cloud_call *call, struct buf *out, struct view list)
{
    for (size_t at = 0; at < list.len;) {
        size_t next = at;

        while (next < list.len && list.ptr[next] != ';')
            next++;
        buf_addf(out, "%.*s:", (int)(next - at), list.ptr + at);
        add_header(call, out, (struct view){list.ptr + at, next - at});
        buf_add_char(out, '\n');
        at = next + 1;
    }
}

/* The body's hash; S3 takes the word of a header, and checks it unless the payload is said to be unsigned. */
static int payload_hash(struct cloud_call *call, const struct claim *claim, struct buf *out)
{
    const char *said = sim_header(call->http, "X-Amz-Content-SHA256");
    char hash[SHA256_HEX + 1];

    digest_sha256_hex(call->http->body, hash);
    if (said && strncmp(said, "STREAMING-", 10) == 0 && !(call_is(call, "s3") && frames_come(call)))
        return call_loud(call, "the simulated AWS takes no signed frames of a body (%s)", said);
    if (call_is(call, "s3") && claim->in_query) {
        buf_add_text(out, "UNSIGNED-PAYLOAD");
        return 0;
    }
    if (call_is(call, "s3") && !said)
        return call_refuse(call, 400, "InvalidRequest",
                           "Missing required header for this request: x-amz-content-sha256");
    if (said && strlen(said) == SHA256_HEX && strcmp(said, hash) != 0 && call_is(call, "s3"))
        return call_refuse(call, 400, "XAmzContentSHA256Mismatch",
                           "The provided 'x-amz-content-sha256' header does not match what was computed.");
    buf_add_text(out, said && call_is(call, "s3") ? said : hash);
    return 0;
}

static int canonical_add(struct cloud_call *call, const struct claim *claim, struct buf *out)
{
    buf_addf(out, "%s\n", call->http->method);
    add_path(call, out);
    buf_add_char(out, '\n');
    add_query(call, claim->in_query, out);
    buf_add_char(out, '\n');
    add_headers(call, out, claim->headers);
    buf_addf(out, "\n%.*s\n", (int)claim->headers.len, claim->headers.ptr);
    return payload_hash(call, claim, out);
}

/* ---- the signature ---- */

static void signature_make(const struct cloud_call *call, const struct claim *claim, struct view canonical,
                           char out[SHA256_HEX + 1])
{
    struct view parts[] = {claim->day, claim->region, claim->service, VIEW_LITERAL("aws4_request")};
    char *first = mem_printf("AWS4%s", call->caller.secret), hash[SHA256_HEX + 1], *text;
    unsigned char key[SHA256_SIZE];

    digest_hmac_sha256(view_of(first), parts[0], key);
    for (size_t i = 1; i < sizeof(parts) / sizeof(*parts); i++) {
        unsigned char next[SHA256_SIZE];

        digest_hmac_sha256((struct view){(const char *)key, SHA256_SIZE}, parts[i], next);
        memcpy(key, next, SHA256_SIZE);
    }
    digest_sha256_hex(canonical, hash);
    text = mem_printf("AWS4-HMAC-SHA256\n%s\n%.*s\n%s", claim->stamp, (int)claim->scope.len, claim->scope.ptr, hash);
    unsigned char sum[SHA256_SIZE];
    digest_hmac_sha256((struct view){(const char *)key, SHA256_SIZE}, view_of(text), sum);
    digest_hex(sum, out);
    free(text);
    free(first);
}

int signature_check(struct cloud_call *call)
{
    const char *header = sim_header(call->http, "Authorization");
    bool in_query = !header && route_query(call, "X-Amz-Signature");
    struct claim claim = {0};
    char expected[SHA256_HEX + 1];
    struct buf canonical;
    int result;

    if (!header && !in_query && (aws_operation_flags(call->operation) & AWS_OPERATION_UNSIGNED))
        return 0;
    if (!header && !in_query)
        return refuse(call, WORD_MISSING,
                      call_is(call, "s3") ? "Access Denied" : "Request is missing Authentication Token");
    if ((in_query ? claim_query(call, &claim) : claim_header(call, header, &claim)) || caller_find(call, &claim) ||
        time_check(call, &claim) || scope_check(call, &claim) || headers_check(call, &claim))
        return -1;
    buf_init(&canonical, SIM_BODY_MAX);
    result = canonical_add(call, &claim, &canonical);
    if (result == 0) {
        signature_make(call, &claim, buf_view(&canonical), expected);
        if (!view_is(claim.signature, expected))
            result = refuse(call, WORD_SIGNATURE,
                            "The request signature we calculated does not match the signature you provided. Check your "
                            "AWS Secret Access Key and signing method. Consult the service documentation for details.");
    }
    buf_free(&canonical);
    return result;
}

bool signature_covers(const struct cloud_call *call, const char *header)
{
    return header_signed(view_of(route_query(call, "X-Amz-SignedHeaders")), header);
}
