/* Which protocol it is: requests and answers handed to its files. */
#include "aws/protocol_inside.h"
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

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
