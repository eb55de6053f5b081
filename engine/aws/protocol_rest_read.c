/* Answers of rest-json and rest-xml: status and headers, then the body or the member that is all of it. */
#include "aws/protocol_inside.h"
#include "base/digest.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
    const struct aws_answer *answer;
    struct aws_shape shape;
    struct doc *doc;
    bool json;
    struct err *err;
};

static struct doc *json_header_read(struct view text)
{
    struct err ignored = ERR_INIT;
    struct doc *doc = NULL;
    struct buf bytes;

    buf_init(&bytes, SIZE_MAX);
    if (base64_parse(&bytes, text, &ignored) == 0)
        doc = json_parse_loose(buf_view(&bytes), &ignored);
    buf_free(&bytes);
    return doc;
}

static struct view trimmed(struct view text)
{
    while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
        text.ptr++;
        text.len--;
    }
    while (text.len && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

/* Parted at every comma. NULL: an item is no such value. */
static struct doc *header_list_read(struct aws_shape element, struct view text)
{
    struct doc *doc = doc_array(), *item;

    for (const char *comma = text.ptr; comma;) {
        comma = memchr(text.ptr, ',', text.len);
        item =
            aws_scalar_parse(element, trimmed((struct view){text.ptr, comma ? (size_t)(comma - text.ptr) : text.len}));
        if (!item) {
            doc_unref(doc);
            return NULL;
        }
        doc_push(doc, item);
        if (comma) {
            text.len -= (size_t)(comma - text.ptr) + 1;
            text.ptr = comma + 1;
        }
    }
    return doc;
}

/* S3 hands out what somebody stored as Expires, which need not be a date. */
static bool may_be_anything(struct aws_member member)
{
    return aws_shape_type(aws_member_shape(member)) == AWS_TIMESTAMP && strcmp(aws_wire_name(member), "Expires") == 0;
}

static int header_read(struct reading *reading, struct aws_member member, const struct aws_place *place)
{
    const char *text = aws_answer_header(reading->answer, aws_wire_name(member));
    struct aws_shape shape = aws_member_shape(member);
    char shown[AWS_SHOWN_MAX];
    struct doc *value;

    if (!text)
        return 0;
    if (aws_member_is_json_header(member))
        value = json_header_read(view_of(text));
    else if (aws_shape_type(shape) == AWS_LIST)
        value = header_list_read(aws_member_shape(aws_shape_member(shape, 0)), view_of(text));
    else
        value = aws_scalar_parse(shape, view_of(text));
    if (!value && !may_be_anything(member)) {
        const char *word = aws_member_is_json_header(member) ? "JSON value" : aws_type_word(aws_shape_type(shape));

        aws_place_bad(place, reading->err, "\"%s\" in header %s is not %s %s", aws_shown(text, shown),
                      aws_wire_name(member), aws_article(word), word);
        return -1;
    }
    doc_set(reading->doc, aws_member_name(member), value);
    return 0;
}

static void headers_read(struct reading *reading, struct aws_member member)
{
    const char *prefix = aws_wire_name_or(member, "");
    struct doc *map = doc_object();

    for (size_t i = 0; i < reading->answer->headers_len; i++) {
        const struct header *header = &reading->answer->headers[i];

        if (strncasecmp(header->name, prefix, strlen(prefix)) == 0)
            doc_set_text(map, header->name + strlen(prefix), header->value);
    }
    doc_set(reading->doc, aws_member_name(member), map);
}

static int around_read(struct reading *reading)
{
    for (size_t i = 0; i < aws_shape_members(reading->shape); i++) {
        struct aws_member member = aws_shape_member(reading->shape, i);
        const struct aws_place place = {.name = aws_member_name(member)};

        if (aws_member_location(member) == AWS_IN_HEADERS)
            headers_read(reading, member);
        else if (aws_member_location(member) == AWS_IN_STATUS)
            doc_set_int(reading->doc, aws_member_name(member), reading->answer->status);
        else if (aws_member_location(member) == AWS_IN_HEADER && header_read(reading, member, &place) != 0)
            return -1;
    }
    return 0;
}

/* The body as a structure, a list, ... of this shape. */
static struct doc *structured_read(struct reading *reading, struct aws_shape shape, const struct aws_place *place)
{
    struct doc *doc = NULL, *wire;
    struct xml *xml;
    static const struct xml empty = {.name = "", .text = {"", 0}};

    if (!reading->answer->body.len && (aws_shape_flags(shape) & AWS_SHAPE_UNION))
        return doc_null();
    if (reading->json) {
        wire = aws_json_body(reading->answer->body, reading->err);
        doc = wire ? aws_json_read(shape, wire, place, reading->err) : NULL;
        doc_unref(wire);
        return doc;
    }
    if (!reading->answer->body.len)
        return aws_xml_read(shape, &empty, place, reading->err);
    xml = aws_xml_body(reading->answer->body, reading->err);
    doc = xml ? aws_xml_read(shape, xml, place, reading->err) : NULL;
    xml_free(xml);
    return doc;
}

static int payload_read(struct reading *reading, struct aws_member payload)
{
    const struct aws_place place = {.name = aws_member_name(payload)};
    struct aws_shape shape = aws_member_shape(payload);
    struct view body = reading->answer->body;
    struct doc *value;

    if (aws_shape_flags(shape) & AWS_SHAPE_EVENT_STREAM)
        value = aws_events_read(shape, body, !reading->json, NULL, &place, reading->err);
    else if (aws_shape_is_raw(shape))
        value = aws_shape_type(shape) == AWS_BLOB ? doc_bytes(body) : doc_string(body);
    else
        value = structured_read(reading, shape, &place);
    if (!value)
        return -1;
    if (doc_is(value, DOC_NULL)) {
        doc_unref(value);
        return 0;
    }
    doc_set(reading->doc, aws_member_name(payload), value);
    return 0;
}

static bool has_body(struct aws_shape shape)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++)
        if (!aws_member_is_around(aws_shape_member(shape, i)))
            return true;
    return false;
}

static int body_read(struct reading *reading)
{
    struct doc *body;

    if (!has_body(reading->shape) || !reading->answer->body.len)
        return 0;
    body = structured_read(reading, reading->shape, NULL);
    if (!body)
        return -1;
    DOC_EACH(iter, body)
    {
        if (!doc_get(reading->doc, iter.key))
            doc_set(reading->doc, iter.key, doc_ref(iter.value));
    }
    doc_unref(body);
    return 0;
}

/* S3 may say 200, and in the middle of its work that it failed. */
static bool is_s3(struct aws_operation operation)
{
    return strcmp(aws_service_name(aws_operation_service(operation)), "s3") == 0;
}

static int s3_check(struct aws_operation operation, const struct aws_answer *answer, struct err *err)
{
    struct aws_answer failed = *answer;
    struct xml *xml = aws_xml_body(answer->body, err);
    bool error = xml && strcmp(xml->name, "Error") == 0;

    xml_free(xml);
    if (!xml) { /* it may be somebody's secret, so its words are not an error's */
        err->retryable = true;
        return -1;
    }
    if (!error)
        return 0;
    failed.status = 500;
    aws_error_read(operation, &failed, err, NULL);
    err->status = answer->status;
    err->kind = ERR_SERVER;
    err->retryable = true;
    return -1;
}

/* A region as the text of the root, which no model can say. */
static struct doc *s3_location_read(const struct aws_answer *answer, struct err *err)
{
    struct xml *xml = aws_xml_body(answer->body, err);
    struct doc *doc = NULL;

    if (xml) {
        doc = doc_object();
        if (xml->text.len)
            doc_set(doc, "LocationConstraint", doc_string(xml->text));
    }
    xml_free(xml);
    return doc;
}

struct doc *aws_rest_read(struct aws_operation operation, struct aws_shape shape, const struct aws_answer *answer,
                          struct err *err)
{
    struct aws_member payload = aws_shape_payload(shape);
    struct reading reading = {
        .answer = answer,
        .shape = shape,
        .json = aws_service_protocol(aws_operation_service(operation)) == AWS_REST_JSON,
        .err = err,
    };

    if (is_s3(operation) && answer->status < 300 && answer->body.len && shape.table &&
        !(payload.table && (aws_shape_is_raw(aws_member_shape(payload)) ||
                            (aws_shape_flags(aws_member_shape(payload)) & AWS_SHAPE_EVENT_STREAM))) &&
        s3_check(operation, answer, err) != 0)
        return NULL;
    if (is_s3(operation) && strcmp(aws_operation_name(operation), "GetBucketLocation") == 0 && answer->body.len)
        return s3_location_read(answer, err);
    reading.doc = doc_object();
    if (around_read(&reading) == 0 && (payload.table ? payload_read(&reading, payload) : body_read(&reading)) == 0)
        return reading.doc;
    doc_unref(reading.doc);
    return NULL;
}
