/*
 * Requests of rest-json and rest-xml: the URI's template, the query, headers; what is left is the body.
 * https://smithy.io/2.0/spec/http-bindings.html
 */
#include "aws/protocol_inside.h"
#include "base/digest.h"
#include "codec/json.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

struct request {
    struct aws_operation operation;
    struct aws_shape shape;
    const struct doc *params;
    struct aws_wire *wire;
};

/* ---- URI and query ---- */

static struct aws_member located(struct aws_shape shape, enum aws_location location, struct view wire)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);

        if (aws_member_location(member) == location && view_is(wire, aws_wire_name(member)))
            return member;
    }
    return aws_shape_member(shape, SIZE_MAX);
}

static void label_add(struct request *request, struct buf *out, struct view label)
{
    bool greedy = label.len && label.ptr[label.len - 1] == '+';
    struct aws_member member;
    struct buf text;
    size_t at = 0;

    label.len -= greedy;
    member = located(request->shape, AWS_IN_URI, label);
    buf_init(&text, out->max);
    if (member.table && doc_get(request->params, aws_member_name(member)))
        aws_scalar_add(&text, member, aws_member_shape(member), doc_get(request->params, aws_member_name(member)),
                       AWS_TIME_ISO8601);
    while (greedy && at < text.len) { /* its slashes are slashes */
        const char *slash = memchr(text.ptr + at, '/', text.len - at);
        size_t len = slash ? (size_t)(slash - text.ptr) - at : text.len - at;

        url_escape(out, (struct view){text.ptr + at, len});
        if (slash)
            buf_add_char(out, '/');
        at += len + (slash != NULL);
    }
    if (!greedy)
        url_escape(out, buf_view(&text));
    buf_free(&text);
}

/* S3's endpoint rules put the bucket into the URL, before this path. */
static const char *template_of(struct aws_operation operation)
{
    static const char bucket[] = "/{Bucket}";
    const char *uri = aws_operation_uri(operation);

    if (strcmp(aws_service_name(aws_operation_service(operation)), "s3") == 0 &&
        strncmp(uri, bucket, strlen(bucket)) == 0)
        uri += strlen(bucket);
    return uri;
}

static void uri_write(struct request *request)
{
    struct buf *out = &request->wire->path;
    const char *at = template_of(request->operation);

    if (*at != '/')
        buf_add_char(out, '/');
    while (*at) {
        size_t plain = strcspn(at, "{?"), len;

        buf_add(out, at, plain);
        at += plain;
        if (*at == '?' && out == &request->wire->path) {
            out = &request->wire->query;
            at++;
        } else if (*at == '?') {
            buf_add_char(out, *at++);
        } else if (*at == '{') {
            len = strcspn(at, "}");
            label_add(request, out, (struct view){at + 1, len - 1});
            at += len + (at[len] == '}');
        }
    }
}

/* A name counts once, with the last value that it was given; its place is that of the first. */
struct pairs {
    struct pair {
        const char *name;
        struct aws_member member;
        const struct doc *value;
    } * list;
    size_t len, cap;
};

static void pairs_set(struct pairs *pairs, const char *name, struct aws_member member, const struct doc *value)
{
    size_t at = 0;

    while (at < pairs->len && strcmp(pairs->list[at].name, name) != 0)
        at++;
    if (at == pairs->cap) {
        pairs->cap = pairs->cap ? 2 * pairs->cap : 8;
        pairs->list = mem_grow(pairs->list, pairs->cap, sizeof(pairs->list[0]));
    }
    pairs->len += at == pairs->len;
    pairs->list[at] = (struct pair){name, member, value};
}

static void pair_write(struct buf *out, const struct pair *pair, struct aws_member member, const struct doc *value)
{
    struct buf text;

    if (doc_is(value, DOC_NULL))
        return;
    buf_init(&text, out->max);
    aws_scalar_add(&text, member, aws_member_shape(member), value, AWS_TIME_ISO8601);
    if (out->len)
        buf_add_char(out, '&');
    url_escape(out, view_of(pair->name));
    buf_add_char(out, '=');
    url_escape(out, buf_view(&text));
    buf_free(&text);
}

static void pairs_write(struct buf *out, const struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->len; i++) {
        const struct pair *pair = &pairs->list[i];
        struct aws_shape shape = aws_member_shape(pair->member);

        if (aws_shape_type(shape) != AWS_LIST)
            pair_write(out, pair, pair->member, pair->value);
        for (size_t k = 0; aws_shape_type(shape) == AWS_LIST && k < doc_size(pair->value); k++)
            pair_write(out, pair, aws_shape_member(shape, 0), doc_at(pair->value, k));
    }
}

static void query_write(struct request *request)
{
    struct pairs pairs = {0};

    DOC_EACH(iter, request->params)
    {
        struct aws_member member = aws_shape_member_find(request->shape, view_of(iter.key));

        if (!member.table || aws_member_location(member) != AWS_IN_QUERY || doc_is(iter.value, DOC_NULL))
            continue;
        if (aws_shape_type(aws_member_shape(member)) != AWS_MAP) {
            pairs_set(&pairs, aws_wire_name(member), member, iter.value);
            continue;
        }
        DOC_EACH(entry, iter.value)
        pairs_set(&pairs, entry.key, aws_shape_member(aws_member_shape(member), 1), entry.value);
    }
    pairs_write(&request->wire->query, &pairs);
    free(pairs.list);
}

/* ---- headers ---- */

/* A text with a comma or quotes in a list. */
static void header_text_add(struct buf *out, struct view text)
{
    bool quoted = memchr(text.ptr, ',', text.len) || memchr(text.ptr, '"', text.len);

    if (quoted)
        buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"')
            buf_add_char(out, '\\');
        buf_add_char(out, text.ptr[i]);
    }
    if (quoted)
        buf_add_char(out, '"');
}

static void header_list_add(struct buf *out, struct aws_member element, const struct doc *value)
{
    bool first = true;

    for (size_t i = 0; i < doc_size(value); i++) {
        const struct doc *item = doc_at(value, i);

        if (doc_is(item, DOC_NULL))
            continue;
        if (!first)
            buf_add_char(out, ',');
        first = false;
        if (aws_shape_type(aws_member_shape(element)) == AWS_STRING && doc_is(item, DOC_STRING))
            header_text_add(out, doc_as_view(item));
        else
            aws_header_add(out, element, item);
    }
}

/* Times in headers have whole seconds, whatever their format. */
void aws_header_add(struct buf *out, struct aws_member member, const struct doc *value)
{
    struct aws_shape shape = aws_member_shape(member);
    enum aws_time format = aws_member_time(member);
    struct buf text;
    int64_t us;

    if (aws_shape_type(shape) == AWS_TIMESTAMP && aws_time_of_doc(value, &us)) {
        us -= (us % 1000000 + 1000000) % 1000000;
        aws_time_add_us(out, us, format == AWS_TIME_DEFAULT ? AWS_TIME_RFC822 : format);
    } else if (aws_shape_type(shape) == AWS_LIST) {
        header_list_add(out, aws_shape_member(shape, 0), value);
    } else if (aws_member_is_json_header(member)) {
        buf_init(&text, out->max);
        json_add(&text, value, JSON_ASCII);
        base64_add(out, buf_view(&text));
        buf_free(&text);
    } else {
        aws_scalar_add(out, member, shape, value, AWS_TIME_RFC822);
    }
}

static void header_write(struct request *request, struct aws_member member, const struct doc *value)
{
    struct buf text;

    if (aws_shape_type(aws_member_shape(member)) == AWS_LIST && !doc_size(value))
        return;
    buf_init(&text, request->wire->body.max);
    aws_header_add(&text, member, value);
    aws_headers_set(&request->wire->headers, aws_wire_name(member), buf_view(&text));
    buf_free(&text);
}

static void headers_write(struct request *request, struct aws_member member, const struct doc *value)
{
    DOC_EACH(iter, value)
    {
        char *name = mem_printf("%s%s", aws_wire_name(member), iter.key);
        struct buf text;

        buf_init(&text, request->wire->body.max);
        aws_header_add(&text, aws_shape_member(aws_member_shape(member), 1), iter.value);
        aws_headers_set(&request->wire->headers, name, buf_view(&text));
        buf_free(&text);
        free(name);
    }
}

static int headers_check(const struct aws_headers *headers, struct err *err)
{
    for (size_t i = 0; i < headers->len; i++) {
        const char *name = headers->list[i].name;
        char shown[AWS_SHOWN_MAX];

        if (name[0] && !name[strcspn(name, ": \t\r\n")] && !strpbrk(headers->list[i].value, "\r\n"))
            continue;
        err_set(err, ERR_USAGE, "header %s: %s", aws_shown(name, shown),
                strpbrk(headers->list[i].value, "\r\n") ? "its value has a line break" : "this is no header's name");
        err_explain(err, "A101");
        return -1;
    }
    return 0;
}

/* ---- body ---- */

static void json_body_write(struct request *request, struct aws_shape shape, struct aws_member member,
                            const struct doc *value, bool only_body)
{
    struct doc *wire = aws_json_wire(shape, member, value, only_body);

    json_add(&request->wire->body, wire, JSON_ASCII | JSON_SPACED);
    doc_unref(wire);
}

static bool has_body_members(struct aws_shape shape)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++)
        if (aws_member_location(aws_shape_member(shape, i)) == AWS_IN_BODY)
            return true;
    return false;
}

static bool has_body_params(const struct request *request)
{
    DOC_EACH(iter, request->params)
    {
        struct aws_member member = aws_shape_member_find(request->shape, view_of(iter.key));

        if (member.table && aws_member_location(member) == AWS_IN_BODY && !doc_is(iter.value, DOC_NULL))
            return true;
    }
    return false;
}

static void payload_write(struct request *request, struct aws_member payload, bool json)
{
    const struct doc *value = doc_get(request->params, aws_member_name(payload));
    struct aws_shape shape = aws_member_shape(payload);
    const char *fallback = aws_shape_name(shape)[0] ? aws_shape_name(shape) : aws_member_name(payload);

    request->wire->streaming =
        (aws_shape_flags(shape) & AWS_SHAPE_STREAMING) || (aws_member_flags(payload) & AWS_MEMBER_STREAMING);
    if (aws_shape_is_raw(shape))
        buf_add_view(&request->wire->body, doc_as_view(value));
    else if (value && !doc_is(value, DOC_NULL) && json)
        json_body_write(request, shape, payload, value, false);
    else if (value && !doc_is(value, DOC_NULL))
        aws_xml_write(&request->wire->body, shape, payload, aws_wire_name_or(payload, fallback), "", value, false);
    else if (json)
        buf_add_text(&request->wire->body, "{}");
}

static void body_write(struct request *request, bool json)
{
    struct aws_shape shape = request->shape;
    struct aws_member payload = aws_shape_payload(shape);
    const char *root = aws_operation_input_wire(request->operation);

    if (payload.table)
        payload_write(request, payload, json);
    else if (json && has_body_members(shape))
        json_body_write(request, shape, payload, request->params, true);
    else if (!json && has_body_params(request))
        aws_xml_write(&request->wire->body, shape, payload,
                      root[0]                    ? root
                      : aws_shape_wire(shape)[0] ? aws_shape_wire(shape)
                                                 : aws_shape_name(shape),
                      aws_operation_input_namespace(request->operation), request->params, true);
    if (json && request->wire->body.len && !(payload.table && aws_shape_is_raw(aws_member_shape(payload))) &&
        !aws_headers_get(&request->wire->headers, "content-type"))
        aws_headers_set(&request->wire->headers, "content-type", VIEW_LITERAL("application/json"));
}

int aws_rest_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire, struct err *err)
{
    struct request request = {operation, aws_operation_input(operation), params, wire};

    uri_write(&request);
    query_write(&request);
    DOC_EACH(iter, params)
    {
        struct aws_member member = aws_shape_member_find(request.shape, view_of(iter.key));

        if (!member.table || doc_is(iter.value, DOC_NULL))
            continue;
        if (aws_member_location(member) == AWS_IN_HEADER)
            header_write(&request, member, iter.value);
        else if (aws_member_location(member) == AWS_IN_HEADERS)
            headers_write(&request, member, iter.value);
    }
    body_write(&request, aws_service_protocol(aws_operation_service(operation)) == AWS_REST_JSON);
    return headers_check(&wire->headers, err);
}
