/*
 * Which service, region and operation a request means: by host name and API version, then by X-Amz-Target, by Action,
 * or by method and URI template (smithy.io: "AWS JSON 1.1", "AWS query", "HTTP bindings").
 */
#include "sandbox/aws_cloud.h"
#include "sandbox/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends(struct view text, const char *suffix)
{
    size_t len = strlen(suffix);

    return text.len > len && strncmp(text.ptr + text.len - len, suffix, len) == 0;
}

bool route_serves(const struct sim_request *http)
{
    return ends(http->host, ".amazonaws.com") || ends(http->host, ".api.aws");
}

/* ---- the host ---- */

enum { LABELS_MAX = 12 };

/* Labels of the host's name without its suffix. */
static size_t labels_split(struct view host, struct view labels[LABELS_MAX])
{
    size_t len = 0, end = host.len - strlen(ends(host, ".api.aws") ? ".api.aws" : ".amazonaws.com");

    for (size_t at = 0; at < end && len < LABELS_MAX;) {
        size_t next = at;

        while (next < end && host.ptr[next] != '.')
            next++;
        labels[len++] = (struct view){host.ptr + at, next - at};
        at = next + 1;
    }
    return len;
}

static bool is_region(struct view label)
{
    size_t dashes = 0;

    for (size_t i = 0; i < label.len; i++)
        dashes += label.ptr[i] == '-';
    return dashes >= 2 && label.ptr[label.len - 1] >= '0' && label.ptr[label.len - 1] <= '9';
}

/* The labels that a prefix like "api.ecr" takes, its "-fips" form too; 0: they are others. */
static size_t prefix_fits(const char *prefix, const struct view *labels, size_t len)
{
    size_t taken = 0;

    for (const char *part = prefix; *part; taken++) {
        size_t part_len = strcspn(part, ".");
        struct view label = taken < len ? labels[taken] : (struct view){0};

        if (!part[part_len] && ends(label, "-fips"))
            label.len -= 5;
        if (label.len != part_len || strncmp(label.ptr, part, part_len) != 0)
            return 0;
        part += part_len + (part[part_len] != '\0');
    }
    return taken;
}

/* Of services at one address the version decides: elb and elbv2. */
static bool version_fits(const struct cloud_call *call, struct aws_service service)
{
    const char *version = doc_as_text(doc_get(call->form, "Version"), NULL);

    return !version || strcmp(version, aws_service_api_version(service)) == 0;
}

static void region_set(struct cloud_call *call, const struct view *labels, size_t len)
{
    struct view region = VIEW_LITERAL("us-east-1");

    for (size_t i = 0; i < len; i++)
        if (is_region(labels[i]))
            region = labels[i];
    snprintf(call->region, sizeof(call->region), "%.*s", (int)region.len, region.ptr);
}

/* BUCKET.s3.REGION.amazonaws.com; a bucket's name may hold dots. Returns the place of "s3". */
static size_t bucket_find(const struct view *labels, size_t len)
{
    for (size_t i = 1; i < len; i++)
        if (view_is(labels[i], "s3") || view_is(labels[i], "s3-fips"))
            return i;
    return len;
}

static int path_set(struct cloud_call *call, struct view bucket)
{
    const struct view target = call->http->target;
    size_t len = 0;

    while (len < target.len && target.ptr[len] != '?')
        len++;
    call->path = bucket.len ? mem_printf("/%.*s%.*s", (int)bucket.len, bucket.ptr, (int)len, target.ptr)
                            : mem_printf("%.*s%s", (int)len, target.ptr, len ? "" : "/");
    return 0;
}

static int service_find(struct cloud_call *call)
{
    const struct aws_table *table = aws_table_builtin();
    struct view labels[LABELS_MAX], host = call->http->host;
    size_t len = labels_split(host, labels), s3 = bucket_find(labels, len);

    for (size_t i = 0; i < aws_table_services(table); i++) {
        struct aws_service service = aws_table_service(table, i);
        size_t taken = prefix_fits(aws_service_endpoint_prefix(service), labels, len);

        if (!taken && strncmp(aws_service_endpoint_prefix(service), "api.", 4) == 0 && ends(host, ".api.aws"))
            taken = prefix_fits(aws_service_endpoint_prefix(service) + 4, labels, len);
        /* Behind a service's name stands a region or nothing: REGISTRY.dkr.ecr... and NAME.elb... are others. */
        if (!taken || !version_fits(call, service) ||
            (taken < len && !is_region(labels[taken]) && !view_is(labels[taken], "dualstack")))
            continue;
        call->service = service;
        region_set(call, labels + taken, len - taken);
        return path_set(call, (struct view){0});
    }
    if (s3 == len)
        return call_loud(call, "the simulated AWS has no service at %.*s; tests/sandbox.lua may script it",
                         (int)host.len, host.ptr);
    call->service = aws_service_find(table, "s3");
    region_set(call, labels + s3, len - s3);
    return path_set(call, (struct view){host.ptr, (size_t)(labels[s3].ptr - 1 - host.ptr)});
}

/* ---- fields ---- */

static struct doc *decoded(struct view text)
{
    struct buf out;
    struct doc *doc;

    buf_init(&out, SIM_BODY_MAX);
    sim_url_decode(&out, text, true);
    doc = doc_string(buf_view(&out));
    buf_free(&out);
    return doc;
}

/* a=b&c -> [["a", "b"], ["c", ""]] */
static struct doc *pairs_parse(struct view text)
{
    struct doc *pairs = doc_array();

    for (size_t at = 0; at < text.len;) {
        const char *start = text.ptr + at, *end = memchr(start, '&', text.len - at);
        size_t len = end ? (size_t)(end - start) : text.len - at;
        const char *equals = memchr(start, '=', len);
        size_t name_len = equals ? (size_t)(equals - start) : len;
        struct doc *pair;

        at += len + 1;
        if (len == 0)
            continue;
        pair = doc_array();
        doc_push(pair, decoded((struct view){start, name_len}));
        doc_push(pair, decoded(equals ? (struct view){equals + 1, len - name_len - 1} : (struct view){"", 0}));
        doc_push(pairs, pair);
    }
    return pairs;
}

/* The fields of a form; of twins the last counts. */
static struct doc *form_parse(const struct cloud_call *call)
{
    const char *type = sim_header(call->http, "Content-Type");
    bool is_form = type && strncmp(type, "application/x-www-form-urlencoded", 33) == 0;
    struct doc *form = doc_object(), *pairs = pairs_parse(is_form ? call->http->body : (struct view){"", 0});
    const struct doc *both[] = {call->query, pairs};

    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; j < doc_size(both[i]); j++)
            doc_set(form, doc_as_text(doc_at(doc_at(both[i], j), 0), ""), doc_ref(doc_at(doc_at(both[i], j), 1)));
    doc_unref(pairs);
    return form;
}

const char *route_query(const struct cloud_call *call, const char *name)
{
    for (size_t i = 0; i < doc_size(call->query); i++)
        if (view_is(doc_as_view(doc_at(doc_at(call->query, i), 0)), name))
            return doc_as_text(doc_at(doc_at(call->query, i), 1), "");
    return NULL;
}

/* ---- the operation ---- */

static size_t segment_len(const char *text)
{
    return strcspn(text, "/?");
}

/* A template's path against the request's; each literal segment scores. */
static bool path_fits(const char *template, const char *path, struct doc *labels, int *score)
{
    for (;;) {
        while (*template == '/')
            template ++;
        if (*path == '/')
            path++;
        if (*template == '\0' || *template == '?')
            return *path == '\0';
        size_t len = segment_len(template);
        bool label = template[0] == '{', greedy = label && len > 2 && template[len - 2] == '+';
        size_t value_len = greedy ? strlen(path) : strcspn(path, "/");
        struct buf value;
        bool fits = value_len > 0;

        buf_init(&value, SIM_BODY_MAX);
        sim_url_decode(&value, (struct view){path, value_len}, false);
        if (fits && label) {
            char *name = mem_view((struct view){template + 1, len - 2 - greedy});

            doc_set(labels, name, doc_string(buf_view(&value)));
            free(name);
        } else if (fits) {
            fits = value.len == len && memcmp(buf_text(&value), template, len) == 0;
            *score += 1;
        }
        buf_free(&value);
        if (!fits)
            return false;
        template += len;
        path += value_len;
    }
}

/* "?versioning", "?list-type=2": they must be there, and tell operations apart. */
static bool constants_fit(const struct cloud_call *call, const char *template, int *score)
{
    struct doc *wanted;
    const char *query = strchr(template, '?');
    bool fit = true;

    if (!query)
        return true;
    wanted = pairs_parse(view_of(query + 1));
    for (size_t i = 0; i < doc_size(wanted) && fit; i++) {
        const char *name = doc_as_text(doc_at(doc_at(wanted, i), 0), ""), *there = route_query(call, name);
        const char *value = doc_as_text(doc_at(doc_at(wanted, i), 1), "");
        bool optional = strcmp(name, "x-id") == 0;

        fit = there ? !*value || strcmp(value, there) == 0 : optional;
        *score += there != NULL;
    }
    doc_unref(wanted);
    return fit;
}

/* Members of query and headers that must be there: what makes a PUT of a key an UploadPart. */
static bool bindings_fit(const struct cloud_call *call, struct aws_operation operation, int *score)
{
    struct aws_shape input = aws_operation_input(operation);

    for (size_t i = 0; i < aws_shape_members(input); i++) {
        struct aws_member member = aws_shape_member(input, i);
        enum aws_location location = aws_member_location(member);

        if (!(aws_member_flags(member) & AWS_MEMBER_REQUIRED) ||
            (location != AWS_IN_QUERY && location != AWS_IN_HEADER))
            continue;
        if (location == AWS_IN_QUERY ? !route_query(call, member_wire(member))
                                     : !sim_header(call->http, member_wire(member)))
            return false;
        *score += 1;
    }
    return true;
}

/*
 * Where two share a URL, as S3's PutBucketLifecycle and PutBucketLifecycleConfiguration, the longer name replaced the
 * other; ListDirectoryBuckets, which shares that of ListBuckets, is another host's and replaces nothing.
 */
static bool is_successor(struct aws_operation operation, struct aws_operation of)
{
    return of.table && strcmp(aws_operation_uri(operation), aws_operation_uri(of)) == 0 &&
           strncmp(aws_operation_name(operation), aws_operation_name(of), strlen(aws_operation_name(of))) == 0;
}

/* Of those that fit the one that says most. */
static int operation_by_path(struct cloud_call *call)
{
    int best = -1;

    for (size_t i = 0; i < aws_service_operations(call->service); i++) {
        struct aws_operation operation = aws_service_operation(call->service, i);
        struct doc *labels = doc_object();
        int score = 0;

        if (strcmp(aws_operation_method(operation), call->http->method) == 0 &&
            path_fits(aws_operation_uri(operation), call->path, labels, &score) &&
            constants_fit(call, aws_operation_uri(operation), &score) && bindings_fit(call, operation, &score) &&
            (score > best || (score == best && is_successor(operation, call->operation)))) {
            best = score;
            call->operation = operation;
            doc_unref(call->labels);
            call->labels = doc_ref(labels);
        }
        doc_unref(labels);
    }
    return best >= 0
               ? 0
               : call_loud(call, "the simulated AWS has no %s operation for %s %.*s; tests/sandbox.lua may script it",
                           aws_service_name(call->service), call->http->method, (int)call->http->target.len,
                           call->http->target.ptr);
}

static int operation_by_name(struct cloud_call *call, const char *name)
{
    call->operation = aws_operation_find(call->service, view_of(name));
    if (name && *name && call->operation.table)
        return 0;
    return call_loud(call, "the simulated AWS has no %s %s; tests/sandbox.lua may script it",
                     aws_service_name(call->service), name && *name ? name : "request without an operation's name");
}

int route_find(struct cloud_call *call)
{
    const char *target = sim_header(call->http, "X-Amz-Target");
    const char *mark = memchr(call->http->target.ptr, '?', call->http->target.len);
    const char *end = call->http->target.ptr + call->http->target.len;

    call->query = pairs_parse(mark ? (struct view){mark + 1, (size_t)(end - mark - 1)} : (struct view){"", 0});
    call->form = form_parse(call);
    if (service_find(call))
        return -1;
    switch (call_protocol(call)) {
    case AWS_QUERY:
    case AWS_EC2:
        return operation_by_name(call, doc_as_text(doc_get(call->form, "Action"), NULL));
    case AWS_JSON:
        return operation_by_name(call, target && strrchr(target, '.') ? strrchr(target, '.') + 1 : target);
    case AWS_REST_JSON:
    case AWS_REST_XML:
        break;
    }
    return operation_by_path(call);
}
