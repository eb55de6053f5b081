/* The traits that all protocols read the same way, and which protocol it is. */
#include "aws/protocol_inside.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *aws_wire_name_or(struct aws_member member, const char *fallback)
{
    const char *name = aws_member_wire(member);

    if (!name[0])
        name = aws_shape_wire(aws_member_shape(member));
    return name[0] ? name : fallback;
}

const char *aws_wire_name(struct aws_member member)
{
    return aws_wire_name_or(member, aws_member_name(member));
}

bool aws_member_flattened(struct aws_member member)
{
    return (aws_member_flags(member) & AWS_MEMBER_FLATTENED) ||
           (aws_shape_flags(aws_member_shape(member)) & AWS_SHAPE_FLATTENED);
}

bool aws_member_is_json_header(struct aws_member member)
{
    return (aws_member_flags(member) & AWS_MEMBER_JSON_VALUE) && aws_member_location(member) == AWS_IN_HEADER &&
           aws_shape_type(aws_member_shape(member)) == AWS_STRING;
}

bool aws_member_is_around(struct aws_member member)
{
    enum aws_location location = aws_member_location(member);

    return location == AWS_IN_HEADER || location == AWS_IN_HEADERS || location == AWS_IN_STATUS ||
           (aws_member_flags(member) & AWS_MEMBER_EVENT_HEADER);
}

bool aws_shape_is_document(struct aws_shape shape)
{
    return aws_shape_flags(shape) & AWS_SHAPE_DOCUMENT;
}

bool aws_shape_is_raw(struct aws_shape shape)
{
    return aws_shape_type(shape) == AWS_BLOB || aws_shape_type(shape) == AWS_STRING;
}

const char *aws_type_word(enum aws_type type)
{
    static const char *const words[] = {"nothing", "structure", "list", "map",   "string", "blob",
                                        "boolean", "integer",   "long", "float", "double", "timestamp"};

    return words[type];
}

struct doc *aws_union_unknown(const char *tag)
{
    struct doc *doc = doc_object(), *inner = doc_object();

    doc_set_text(inner, "name", tag);
    doc_set(doc, "SDK_UNKNOWN_MEMBER", inner);
    return doc;
}

const char *aws_answer_header(const struct aws_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->headers_len; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

static struct view without_blanks(struct view text)
{
    while (text.len && text.ptr[0] && strchr(" \t\r\n", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    return text;
}

static bool is_html(struct view body)
{
    return (body.len > 5 && strncasecmp(body.ptr, "<html", 5) == 0) ||
           (body.len > 14 && strncasecmp(body.ptr, "<!doctype html", 14) == 0);
}

/* Tags and blanks become one blank, control bytes go: for people, on one line. */
void aws_excerpt_add(struct buf *out, struct view body)
{
    enum { SHOWN_MAX = 160, LOOKED_AT_MAX = 4096 };
    struct view rest = without_blanks(body);
    bool html = is_html(rest), tag = false, blank = false;
    size_t len = rest.len < LOOKED_AT_MAX ? rest.len : LOOKED_AT_MAX, at = 0, shown = 0;

    if (!rest.len) {
        buf_add_text(out, "an empty body");
        return;
    }
    buf_add_text(out, html ? "an HTML page, \"" : "\"");
    for (; at < len && shown < SHOWN_MAX; at++) {
        unsigned char c = (unsigned char)rest.ptr[at];

        tag = html && (c == '<' || (tag && c != '>'));
        if (tag || c <= ' ' || c == 0x7f || (html && c == '>')) {
            blank = shown > 0;
            continue;
        }
        if (blank)
            buf_add_char(out, ' ');
        blank = false;
        shown++;
        buf_add_char(out, c < 0x80 ? (char)c : '?');
    }
    buf_add_text(out, at < rest.len ? "...\"" : "\"");
}

void aws_excerpt_result_add(struct buf *out, struct view body)
{
    struct view rest = without_blanks(body);

    if (!rest.len || is_html(rest))
        aws_excerpt_add(out, body);
    else
        buf_addf(out, "a body of %zu bytes", body.len);
}

static bool label_fits(struct view text)
{
    static const char fit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-";

    for (size_t i = 0; i < text.len; i++)
        if (!text.ptr[i] || !strchr(fit, text.ptr[i]))
            return false;
    return text.len > 0;
}

/* "{AccountId}.": labels are members of the input. */
static int host_prefix_write(struct aws_operation operation, const struct doc *params, struct buf *out, struct err *err)
{
    const char *at = aws_operation_host_prefix(operation);

    while (*at) {
        size_t plain = strcspn(at, "{"), len = at[plain] ? strcspn(at + plain, "}") : 0;
        char *name = len > 1 ? mem_view((struct view){at + plain + 1, len - 1}) : NULL;
        struct view label = name ? doc_as_view(doc_get(params, name)) : view_of("");
        bool good = !name || label_fits(label);

        buf_add(out, at, plain);
        buf_add_view(out, label);
        if (!good) {
            err_set(err, ERR_USAGE, "%s becomes part of a host name: letters, digits, hyphens and points only", name);
            err_explain(err, "A101");
        }
        free(name);
        if (!good)
            return -1;
        at += plain + len + (at[plain + len] == '}');
    }
    return 0;
}

int aws_request_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire, struct err *err)
{
    wire->method = aws_operation_method(operation);
    if (host_prefix_write(operation, params, &wire->host_prefix, err) != 0)
        return -1;
    switch (aws_service_protocol(aws_operation_service(operation))) {
    case AWS_QUERY:
    case AWS_EC2:
        aws_query_write(operation, params, wire);
        break;
    case AWS_JSON:
        aws_json_write(operation, params, wire);
        break;
    case AWS_REST_JSON:
    case AWS_REST_XML:
        if (aws_rest_write(operation, params, wire, err) != 0)
            return -1;
    }
    if (wire->body.over || wire->path.over || wire->query.over)
        return err_set(err, ERR_USAGE, "the request is larger than %zu MiB", wire->body.max >> 20);
    return 0;
}

/* The member that is an event stream, which is all of the body; none. */
static struct aws_member stream_of(struct aws_shape shape)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);

        if (aws_shape_flags(aws_member_shape(member)) & AWS_SHAPE_EVENT_STREAM)
            return member;
    }
    return aws_shape_member(shape, SIZE_MAX);
}

static struct doc *json_answer(struct aws_shape shape, const struct aws_answer *answer, struct err *err)
{
    struct doc *wire, *doc;

    if (!shape.table)
        return doc_object();
    if (stream_of(shape).table)
        return aws_events_answer(shape, stream_of(shape), answer->body, err);
    wire = aws_json_body(answer->body, err);
    if (!wire)
        return NULL;
    doc = aws_json_read(shape, wire, NULL, err);
    doc_unref(wire);
    if (doc_is(doc, DOC_NULL)) { /* a body of null says nothing */
        doc_unref(doc);
        return doc_object();
    }
    return doc;
}

struct doc *aws_answer_read(struct aws_operation operation, const struct aws_answer *answer, struct err *err)
{
    struct aws_shape shape = aws_operation_output(operation);
    struct doc *doc = NULL;

    switch (aws_service_protocol(aws_operation_service(operation))) {
    case AWS_QUERY:
    case AWS_EC2:
        doc = aws_query_read(operation, answer->body, err);
        break;
    case AWS_JSON:
        doc = json_answer(shape, answer, err);
        break;
    case AWS_REST_JSON:
    case AWS_REST_XML:
        doc = aws_rest_read(operation, shape, answer, err);
    }
    if (!doc)
        err->status = answer->status;
    return doc;
}
