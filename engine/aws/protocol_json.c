/*
 * JSON, both ways: the json protocols (1.0, 1.1), and the bodies of rest-json.
 * https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
 */
#include "aws/protocol_inside.h"
#include "base/digest.h"
#include "codec/json.h"

#include <math.h>
#include <string.h>

static struct doc *value_wire(struct aws_member member, const struct doc *value);

static struct doc *structure_wire(struct aws_shape shape, const struct doc *value, bool only_body)
{
    struct doc *wire = doc_object();

    DOC_EACH(iter, value)
    {
        struct aws_member member = aws_shape_member_find(shape, view_of(iter.key));

        if (!member.table || doc_is(iter.value, DOC_NULL) || (only_body && aws_member_location(member) != AWS_IN_BODY))
            continue;
        doc_set(wire, aws_wire_name(member), value_wire(member, iter.value));
    }
    return wire;
}

static struct doc *list_wire(struct aws_shape shape, const struct doc *value)
{
    struct doc *wire = doc_array();

    for (size_t i = 0; i < doc_size(value); i++)
        doc_push(wire, value_wire(aws_shape_member(shape, 0), doc_at(value, i)));
    return wire;
}

static struct doc *map_wire(struct aws_shape shape, const struct doc *value)
{
    struct doc *wire = doc_object();

    DOC_EACH(iter, value)
    doc_set(wire, iter.key, value_wire(aws_shape_member(shape, 1), iter.value));
    return wire;
}

static struct doc *time_wire(struct aws_member member, const struct doc *value)
{
    enum aws_time format = aws_member_time(member);
    struct doc *wire;
    struct buf text;
    int64_t us;

    if (!aws_time_of_doc(value, &us))
        return doc_ref(value);
    if (format == AWS_TIME_DEFAULT || format == AWS_TIME_UNIX)
        return aws_time_unix_doc(us);
    buf_init(&text, 64);
    aws_time_add_us(&text, us, format);
    wire = doc_string(buf_view(&text));
    buf_free(&text);
    return wire;
}

static struct doc *blob_wire(const struct doc *value)
{
    struct doc *wire;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    aws_blob_add(&text, value);
    wire = doc_string(buf_view(&text));
    buf_free(&text);
    return wire;
}

struct doc *aws_json_wire(struct aws_shape shape, struct aws_member member, const struct doc *value, bool only_body)
{
    if (doc_is(value, DOC_NULL) || aws_shape_is_document(shape))
        return doc_ref(value);
    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        return structure_wire(shape, value, only_body);
    case AWS_LIST:
        return list_wire(shape, value);
    case AWS_MAP:
        return map_wire(shape, value);
    case AWS_TIMESTAMP:
        return time_wire(member, value);
    case AWS_BLOB:
        return blob_wire(value);
    case AWS_INTEGER:
    case AWS_LONG: /* a whole number may come as 3600.0 */
        return doc_is(value, DOC_REAL) ? doc_int(doc_as_int(value, 0)) : doc_ref(value);
    default:
        return doc_ref(value);
    }
}

static struct doc *value_wire(struct aws_member member, const struct doc *value)
{
    return aws_json_wire(aws_member_shape(member), member, value, false);
}

void aws_json_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire)
{
    struct aws_service service = aws_operation_service(operation);
    struct doc *body = structure_wire(aws_operation_input(operation), params, false);
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_text(&wire->path, "/");
    buf_addf(&text, "%s.%s", aws_service_target_prefix(service), aws_operation_name(operation));
    aws_headers_set(&wire->headers, "x-amz-target", buf_view(&text));
    buf_reset(&text);
    buf_addf(&text, "application/x-amz-json-%s", aws_service_json_version(service));
    aws_headers_set(&wire->headers, "content-type", buf_view(&text));
    if (aws_service_query_compatible(service))
        aws_headers_set(&wire->headers, "x-amzn-query-mode", VIEW_LITERAL("true"));
    json_add(&wire->body, body, JSON_ASCII | JSON_SPACED);
    buf_free(&text);
    doc_unref(body);
}

/* ---- answers ---- */

struct doc *aws_json_body(struct view body, struct err *err)
{
    struct err wrong = ERR_INIT;
    struct doc *doc;
    struct buf came;

    if (!body.len)
        return doc_object();
    doc = json_parse_loose(body, &wrong);
    if (doc)
        return doc;
    buf_init(&came, sizeof(err->message));
    aws_excerpt_result_add(&came, body);
    aws_place_bad(NULL, err, "%s is not JSON (%s)", buf_text(&came), wrong.message);
    buf_free(&came);
    return NULL;
}

static struct doc *type_bad(const struct doc *wire, enum aws_type type, const struct aws_place *place, struct err *err)
{
    const char *word = aws_type_word(type);

    return aws_place_bad(place, err, "this %s is not %s %s", doc_type_name(wire), aws_article(word), word);
}

static struct doc *structure_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place,
                                  struct err *err)
{
    struct doc *doc = doc_object(), *value;

    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct aws_place inner = {.outer = place, .name = aws_member_name(member)};
        const struct doc *found = doc_get(wire, aws_wire_name(member));

        if (!found || doc_is(found, DOC_NULL))
            continue;
        value = aws_json_read(aws_member_shape(member), found, &inner, err);
        if (!value) {
            doc_unref(doc);
            return NULL;
        }
        doc_set(doc, aws_member_name(member), value);
    }
    return doc;
}

/* A union has one member; which one we may not know. */
static struct doc *union_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place,
                              struct err *err)
{
    const char *tag = NULL;
    size_t count = 0;

    DOC_EACH(iter, wire)
    {
        if (doc_is(iter.value, DOC_NULL) || strcmp(iter.key, "__type") == 0)
            continue;
        tag = iter.key;
        count++;
    }
    if (count != 1)
        return aws_place_bad(place, err, "%zu members are set of a union, which has one", count);
    for (size_t i = 0; i < aws_shape_members(shape); i++)
        if (strcmp(aws_wire_name(aws_shape_member(shape, i)), tag) == 0)
            return structure_read(shape, wire, place, err);
    return aws_union_unknown(tag);
}

static struct doc *list_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place,
                             struct err *err)
{
    struct aws_shape element = aws_member_shape(aws_shape_member(shape, 0));
    struct doc *doc = doc_array(), *value;

    for (size_t i = 0; i < doc_size(wire); i++) {
        const struct aws_place inner = {.outer = place, .index = i};

        value = aws_json_read(element, doc_at(wire, i), &inner, err);
        if (!value) {
            doc_unref(doc);
            return NULL;
        }
        doc_push(doc, value);
    }
    return doc;
}

static struct doc *map_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place,
                            struct err *err)
{
    struct aws_shape of = aws_member_shape(aws_shape_member(shape, 1));
    struct doc *doc = doc_object(), *value;

    DOC_EACH(iter, wire)
    {
        const struct aws_place inner = {.outer = place, .name = iter.key};

        value = aws_json_read(of, iter.value, &inner, err);
        if (!value) {
            doc_unref(doc);
            return NULL;
        }
        doc_set(doc, iter.key, value);
    }
    return doc;
}

/* Texts where the model has numbers, and numbers where it has texts, come from services that live long: they are taken.
 */
static struct doc *scalar_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place,
                               struct err *err)
{
    enum aws_type type = aws_shape_type(shape);
    bool container = doc_is(wire, DOC_OBJECT) || doc_is(wire, DOC_ARRAY);
    struct doc *doc = NULL;
    int64_t us;

    if (container)
        doc = NULL;
    else if (type == AWS_TIMESTAMP)
        doc = aws_time_of_doc(wire, &us) ? aws_time_doc(us) : NULL;
    else if ((type == AWS_INTEGER || type == AWS_LONG) && doc_as_int(wire, 1) == doc_as_int(wire, 2))
        doc = doc_int(doc_as_int(wire, 0)); /* 1.0 is 1 */
    else if (type == AWS_STRING || (type != AWS_BLOB && !doc_is(wire, DOC_STRING)))
        doc = doc_ref(wire);
    else if (doc_is(wire, DOC_STRING))
        doc = aws_scalar_parse(shape, doc_as_view(wire));
    return doc ? doc : type_bad(wire, type, place, err);
}

struct doc *aws_json_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place,
                          struct err *err)
{
    enum aws_type type = aws_shape_type(shape);

    if (doc_is(wire, DOC_NULL) || aws_shape_is_document(shape))
        return doc_ref(wire);
    if (type != AWS_STRUCTURE && type != AWS_LIST && type != AWS_MAP)
        return scalar_read(shape, wire, place, err);
    if (!doc_is(wire, type == AWS_LIST ? DOC_ARRAY : DOC_OBJECT))
        return type_bad(wire, type, place, err);
    if (type == AWS_LIST)
        return list_read(shape, wire, place, err);
    if (type == AWS_MAP)
        return map_read(shape, wire, place, err);
    if (aws_shape_flags(shape) & AWS_SHAPE_UNION)
        return union_read(shape, wire, place, err);
    return structure_read(shape, wire, place, err);
}
