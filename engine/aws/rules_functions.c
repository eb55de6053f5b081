/* The functions of endpoint rules (https://smithy.io/2.0/additional-specs/rules-engine/standard-library.html, and AWS's
 * own). */
#include "aws/rules_inside.h"

#include "aws/sign.h"
#include "http/http.h"

#include <regex.h>
#include <string.h>
#include <strings.h>

enum { LABEL_MAX = 63, BUCKET_MIN = 3 };

static struct doc *wrong(struct err *err, const char *what)
{
    err_set(err, ERR_USAGE, "in the endpoint rules: %s", what);
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_true(const struct doc *value)
{
    return doc_as_bool(value, false);
}

/* ---- texts ---- */

static struct doc *call_substring(struct doc *const *args, struct err *err)
{
    struct view text = doc_as_view(args[0]);
    int64_t start = doc_as_int(args[1], -1), stop = doc_as_int(args[2], -1), len = (int64_t)text.len;

    if (!doc_is(args[0], DOC_STRING))
        return wrong(err, "substring of what is not a text");
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80)
            return NULL;
    }
    if (start < 0 || start >= stop || stop > len)
        return NULL;
    return doc_string((struct view){text.ptr + (is_true(args[3]) ? len - stop : start), (size_t)(stop - start)});
}

static struct doc *call_uri_encode(const struct doc *value)
{
    struct doc *out;
    struct buf text;

    if (!doc_is(value, DOC_STRING))
        return NULL;
    buf_init(&text, RULES_TEXT_MAX);
    url_escape(&text, doc_as_view(value));
    out = text.over ? NULL : doc_string(buf_view(&text));
    buf_free(&text);
    return out;
}

/* limit: the most parts, the last of which keeps its delimiters; 0: all. */
static struct doc *call_split(struct doc *const *args, struct err *err)
{
    struct view rest = doc_as_view(args[0]), by = doc_as_view(args[1]);
    int64_t limit = doc_as_int(args[2], 0);
    struct doc *out;

    if (!doc_is(args[0], DOC_STRING))
        return NULL;
    if (!by.len || limit < 0)
        return wrong(err, "split by nothing, or into less than no parts");
    out = doc_array();
    while (!limit || (int64_t)doc_size(out) + 1 < limit) {
        const char *found = memmem(rest.ptr, rest.len, by.ptr, by.len);
        size_t len = found ? (size_t)(found - rest.ptr) : 0;

        if (!found)
            break;
        doc_push(out, doc_string((struct view){rest.ptr, len}));
        rest = (struct view){found + by.len, rest.len - len - by.len};
    }
    doc_push(out, doc_string(rest));
    return out;
}

static bool is_label(struct view text)
{
    if (!text.len || text.len > LABEL_MAX || text.ptr[0] == '-' || text.ptr[text.len - 1] == '-')
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-'))
            return false;
    }
    return true;
}

/* With subdomains: labels with dots between them. */
static bool is_host(const struct doc *value, bool subdomains)
{
    struct view rest = doc_as_view(value);

    if (!doc_is(value, DOC_STRING))
        return false;
    for (;;) {
        const char *dot = subdomains && rest.len ? memchr(rest.ptr, '.', rest.len) : NULL;
        size_t len = dot ? (size_t)(dot - rest.ptr) : rest.len;

        if (!is_label((struct view){rest.ptr, len}))
            return false;
        if (!dot)
            return true;
        rest = (struct view){dot + 1, rest.len - len - 1};
    }
}

/* Four groups of one to three digits. */
static bool is_ipv4(struct view text)
{
    size_t at = 0;

    for (int group = 0; group < 4; group++) {
        size_t start = at;

        while (at < text.len && is_digit(text.ptr[at]))
            at++;
        if (at == start || at - start > 3)
            return false;
        if (group < 3 && (at == text.len || text.ptr[at++] != '.'))
            return false;
    }
    return at == text.len;
}

static bool is_bucket(const struct doc *value, bool subdomains)
{
    struct view text = doc_as_view(value);

    if (text.len < BUCKET_MIN || is_ipv4(text))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] >= 'A' && text.ptr[i] <= 'Z')
            return false;
    }
    return is_host(value, subdomains);
}

/* ---- records ---- */

/* The part up to the delimiter; rest goes on behind it. False: it is not there. */
static bool part_take(struct view *rest, char delimiter, struct view *part)
{
    const char *end = rest->len ? memchr(rest->ptr, delimiter, rest->len) : NULL;

    if (!end)
        return false;
    *part = (struct view){rest->ptr, (size_t)(end - rest->ptr)};
    *rest = (struct view){end + 1, rest->len - part->len - 1};
    return true;
}

/* "arn:partition:service:region:account:resource", where the resource has parts by ":" or "/". */
static struct doc *call_parse_arn(const struct doc *value)
{
    static const char *const names[] = {"", "partition", "service", "region", "accountId"};
    struct view rest = doc_as_view(value), parts[5];
    struct doc *arn, *resource;
    size_t start = 0;

    for (size_t i = 0; i < 5; i++) {
        if (!part_take(&rest, ':', &parts[i]))
            return NULL;
    }
    if (!view_is(parts[0], "arn") || !parts[1].len || !parts[2].len || !rest.len)
        return NULL;
    arn = doc_object();
    for (size_t i = 1; i < 5; i++)
        doc_set(arn, names[i], doc_string(parts[i]));
    resource = doc_array();
    for (size_t i = 0; i <= rest.len; i++) {
        if (i < rest.len && rest.ptr[i] != ':' && rest.ptr[i] != '/')
            continue;
        doc_push(resource, doc_string((struct view){rest.ptr + start, i - start}));
        start = i + 1;
    }
    doc_set(arn, "resourceId", resource);
    return arn;
}

/* False when it has a port that is none. host: without it, and without brackets. */
static bool authority_split(struct view authority, struct view *host, bool *brackets)
{
    const char *at = authority.len ? memrchr(authority.ptr, '@', authority.len) : NULL;
    struct view rest = at ? (struct view){at + 1, authority.len - (size_t)(at + 1 - authority.ptr)} : authority;
    const char *end;
    long port = 0;
    size_t i;

    *brackets = rest.len && rest.ptr[0] == '[';
    end = rest.len ? memchr(rest.ptr, *brackets ? ']' : ':', rest.len) : NULL;
    if (*brackets && !end)
        return false;
    i = end ? (size_t)(end - rest.ptr) : rest.len;
    *host = *brackets ? (struct view){rest.ptr + 1, i - 1} : (struct view){rest.ptr, i};
    i += *brackets;
    if (i == rest.len)
        return true;
    if (rest.ptr[i] != ':')
        return false;
    for (i++; i < rest.len && is_digit(rest.ptr[i]) && port <= 65535; i++)
        port = port * 10 + (rest.ptr[i] - '0');
    return i == rest.len && port <= 65535;
}

/* {scheme, authority, path, normalizedPath, isIp} of http and https without a query. */
static struct doc *call_parse_url(const struct doc *value)
{
    struct view text = doc_as_view(value), scheme, authority, path, host;
    const char *slashes = text.len ? memmem(text.ptr, text.len, "://", 3) : NULL;
    bool https, brackets;
    struct buf normal;
    struct doc *url;
    size_t end;

    if (!slashes)
        return NULL;
    scheme = (struct view){text.ptr, (size_t)(slashes - text.ptr)};
    https = scheme.len == 5 && strncasecmp(scheme.ptr, "https", 5) == 0;
    if (!https && !(scheme.len == 4 && strncasecmp(scheme.ptr, "http", 4) == 0))
        return NULL;
    authority.ptr = slashes + 3;
    end = scheme.len + 3;
    while (end < text.len && !strchr("/?#", text.ptr[end]))
        end++;
    authority.len = end - scheme.len - 3;
    path.ptr = text.ptr + end;
    while (end < text.len && !strchr("?#", text.ptr[end]))
        end++;
    path.len = (size_t)(text.ptr + end - path.ptr);
    if (end + 1 < text.len && text.ptr[end] == '?' && text.ptr[end + 1] != '#')
        return NULL;
    if (!authority_split(authority, &host, &brackets))
        return NULL;
    buf_init(&normal, 3 * text.len + 2);
    aws_path_normalize(&normal, path);
    if (normal.ptr[normal.len - 1] != '/')
        buf_add_char(&normal, '/');
    url = doc_object();
    doc_set_text(url, "scheme", https ? "https" : "http");
    doc_set(url, "authority", doc_string(authority));
    doc_set(url, "path", doc_string(path));
    doc_set(url, "normalizedPath", doc_string(buf_view(&normal)));
    doc_set_bool(url, "isIp", brackets || is_ipv4(host));
    buf_free(&normal);
    return url;
}

static struct doc *call_get_attr(const struct doc *value, const struct doc *attribute)
{
    int64_t at = doc_as_int(attribute, 0);

    if (doc_is(attribute, DOC_STRING))
        return doc_is(value, DOC_OBJECT) ? doc_ref(doc_get(value, doc_as_text(attribute, ""))) : NULL;
    if (at < 0)
        at += (int64_t)doc_size(value);
    return doc_is(value, DOC_ARRAY) && at >= 0 ? doc_ref(doc_at(value, (size_t)at)) : NULL;
}

/* ---- partitions ---- */

static bool has_region(const struct aws_table *table, const struct aws_partition *partition, const char *region)
{
    size_t low = 0, high = partition->regions_len;

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(aws_partition_region(table, partition, middle), region);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    bool good;

    if (regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    good = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return good;
}

struct aws_partition rules_partition(const struct aws_table *table, const char *region)
{
    struct aws_partition partition;

    for (size_t i = 0; i < aws_table_partitions(table); i++) {
        partition = aws_table_partition(table, i);
        if (has_region(table, &partition, region))
            return partition;
    }
    for (size_t i = 0; i < aws_table_partitions(table); i++) {
        partition = aws_table_partition(table, i);
        if (matches(partition.regex, region))
            return partition;
    }
    return aws_table_partition(table, 0);
}

static struct doc *call_partition(const struct aws_table *table, const struct doc *region)
{
    struct aws_partition partition = rules_partition(table, doc_as_text(region, ""));
    struct doc *out = doc_object();

    doc_set_text(out, "name", partition.name);
    doc_set_text(out, "dnsSuffix", partition.dns_suffix);
    doc_set_text(out, "dualStackDnsSuffix", partition.dual_stack_suffix);
    doc_set_bool(out, "supportsFIPS", partition.fips);
    doc_set_bool(out, "supportsDualStack", partition.dual_stack);
    doc_set_text(out, "implicitGlobalRegion", partition.global_region);
    return out;
}

/* ---- all of them ---- */

static struct doc *call_equals(struct doc *const *args, enum doc_type type, struct err *err)
{
    if (!doc_is(args[0], type) || !doc_is(args[1], type))
        return wrong(err, type == DOC_BOOL ? "booleanEquals of what is not true or false"
                                           : "stringEquals of what is not a text");
    return doc_bool(doc_equal(args[0], args[1]));
}

static struct doc *call_coalesce(struct doc *const *args, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (args[i])
            return doc_ref(args[i]);
    }
    return NULL;
}

struct doc *rules_call(const struct aws_table *table, enum aws_rules_fn fn, struct doc *const *args, size_t len,
                       struct err *err)
{
    switch (fn) {
    case AWS_FN_IS_SET:
        return doc_bool(args[0] != NULL);
    case AWS_FN_NOT:
        return doc_bool(!is_true(args[0]));
    case AWS_FN_GET_ATTR:
        return call_get_attr(args[0], args[1]);
    case AWS_FN_STRING_EQUALS:
        return call_equals(args, DOC_STRING, err);
    case AWS_FN_BOOLEAN_EQUALS:
        return call_equals(args, DOC_BOOL, err);
    case AWS_FN_SUBSTRING:
        return call_substring(args, err);
    case AWS_FN_URI_ENCODE:
        return call_uri_encode(args[0]);
    case AWS_FN_PARSE_URL:
        return call_parse_url(args[0]);
    case AWS_FN_IS_VALID_HOST_LABEL:
        return doc_bool(is_host(args[0], is_true(args[1])));
    case AWS_FN_PARTITION:
        return call_partition(table, args[0]);
    case AWS_FN_PARSE_ARN:
        return call_parse_arn(args[0]);
    case AWS_FN_IS_VIRTUAL_HOSTABLE_S3_BUCKET:
        return doc_bool(is_bucket(args[0], is_true(args[1])));
    case AWS_FN_COALESCE:
        return call_coalesce(args, len);
    case AWS_FN_ITE:
        return doc_ref(args[is_true(args[0]) ? 1 : 2]);
    case AWS_FN_SPLIT:
        return call_split(args, err);
    }
    return NULL;
}
