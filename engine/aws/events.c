/*
 * Event streams: frames of length, headers, payload and checksums, one an event.
 * https://smithy.io/2.0/aws/amazon-eventstream.html
 */
#include "aws/protocol_inside.h"

#include <stdlib.h>
#include <string.h>

enum { PRELUDE = 12, CRC = 4 };
enum header_type { H_TRUE, H_FALSE, H_BYTE, H_SHORT, H_INT, H_LONG, H_BYTES, H_TEXT, H_TIME, H_UUID };

struct frame {
    struct view headers, payload;
};

struct stream {
    struct aws_shape shape;
    bool xml;
    struct buf *initial;
    struct doc *list;
    const struct aws_place *place;
    struct err *err;
};

static uint64_t big_endian(const char *at, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

/* CRC-32 of IEEE 802.3, half a byte a step. */
static uint32_t crc32(struct view data)
{
    static const uint32_t steps[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
                                       0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    uint32_t crc = 0xffffffff;

    for (size_t i = 0; i < data.len; i++) {
        crc ^= (unsigned char)data.ptr[i];
        crc = steps[crc & 15] ^ crc >> 4;
        crc = steps[crc & 15] ^ crc >> 4;
    }
    return crc ^ 0xffffffff;
}

/* Takes a frame from the front; false: it is cut or damaged. */
static bool frame_take(struct view *body, struct frame *frame)
{
    uint64_t total, headers;

    if (body->len < PRELUDE + CRC)
        return false;
    total = big_endian(body->ptr, 4);
    headers = big_endian(body->ptr + 4, 4);
    if (total > body->len || total < PRELUDE + CRC || headers > total - PRELUDE - CRC ||
        crc32((struct view){body->ptr, 8}) != big_endian(body->ptr + 8, 4) ||
        crc32((struct view){body->ptr, total - CRC}) != big_endian(body->ptr + total - CRC, 4))
        return false;
    frame->headers = (struct view){body->ptr + PRELUDE, headers};
    frame->payload = (struct view){body->ptr + PRELUDE + headers, total - PRELUDE - CRC - headers};
    body->ptr += total;
    body->len -= total;
    return true;
}

/* The value of one header from the front as a document; its bytes are counted in *used. NULL: damaged. */
static struct doc *header_value(enum header_type type, struct view at, size_t *used)
{
    static const size_t sizes[] = {0, 0, 1, 2, 4, 8, 2, 2, 8, 16};
    size_t len = 0;
    uint64_t number;

    if (type > H_UUID || at.len < sizes[type])
        return NULL;
    *used = sizes[type];
    number = type == H_UUID ? 0 : big_endian(at.ptr, sizes[type]);
    if (type == H_BYTES || type == H_TEXT) {
        len = (size_t)number;
        if (at.len - 2 < len)
            return NULL;
        *used += len;
    }
    switch (type) {
    case H_TRUE:
    case H_FALSE:
        return doc_bool(type == H_TRUE);
    case H_BYTE:
        return doc_int((int8_t)number);
    case H_SHORT:
        return doc_int((int16_t)number);
    case H_INT:
        return doc_int((int32_t)number);
    case H_LONG:
        return doc_int((int64_t)number);
    case H_BYTES:
        return doc_bytes((struct view){at.ptr + 2, len});
    case H_TEXT:
        return doc_string((struct view){at.ptr + 2, len});
    case H_TIME: /* milliseconds */
        return doc_real((double)(int64_t)number / 1000);
    case H_UUID:
        break;
    }
    return doc_bytes((struct view){at.ptr, sizes[H_UUID]});
}

static struct doc *headers_parse(struct view text)
{
    struct doc *headers = doc_object();

    while (text.len) {
        size_t name_len = (unsigned char)text.ptr[0], used = 0;
        struct doc *value = NULL;
        char *name;

        if (text.len >= name_len + 2)
            value = header_value((enum header_type)(unsigned char)text.ptr[1 + name_len],
                                 (struct view){text.ptr + name_len + 2, text.len - name_len - 2}, &used);
        if (!value) {
            doc_unref(headers);
            return NULL;
        }
        name = mem_view((struct view){text.ptr + 1, name_len});
        doc_set(headers, name, value);
        free(name);
        text.ptr += name_len + 2 + used;
        text.len -= name_len + 2 + used;
    }
    return headers;
}

static struct doc *structure_read(struct stream *stream, struct aws_shape shape, struct view payload,
                                  const struct aws_place *place)
{
    static const struct xml empty = {.name = "", .text = {"", 0}};
    struct doc *doc, *wire;
    struct xml *xml;

    if (stream->xml && !payload.len)
        return aws_xml_read(shape, &empty, place, stream->err);
    if (stream->xml) {
        xml = aws_xml_body(payload, stream->err);
        doc = xml ? aws_xml_read(shape, xml, place, stream->err) : NULL;
        xml_free(xml);
        return doc;
    }
    wire = aws_json_body(payload, stream->err);
    doc = wire ? aws_json_read(shape, wire, place, stream->err) : NULL;
    doc_unref(wire);
    return doc;
}

static struct doc *payload_read(struct stream *stream, struct aws_shape shape, struct view payload,
                                const struct aws_place *place)
{
    if (aws_shape_type(shape) == AWS_BLOB)
        return doc_bytes(payload);
    if (aws_shape_type(shape) == AWS_STRING)
        return doc_string(payload);
    return structure_read(stream, shape, payload, place);
}

static void event_header_set(struct doc *event, struct aws_member member, const struct doc *value)
{
    int64_t us;

    if (aws_shape_type(aws_member_shape(member)) == AWS_TIMESTAMP && aws_time_of_doc(value, &us))
        doc_set(event, aws_member_name(member), aws_time_doc(us));
    else
        doc_set(event, aws_member_name(member), doc_ref(value));
}

static struct doc *event_read(struct stream *stream, struct aws_shape shape, const struct doc *headers,
                              struct view payload, const struct aws_place *place)
{
    struct doc *event = NULL, *value;

    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct aws_place inner = {.outer = place, .name = aws_member_name(member)};

        if (!(aws_member_flags(member) & AWS_MEMBER_EVENT_PAYLOAD))
            continue;
        value = payload_read(stream, aws_member_shape(member), payload, &inner);
        if (!value)
            return NULL;
        event = doc_object();
        doc_set(event, aws_member_name(member), value);
        break;
    }
    if (!event)
        event = structure_read(stream, shape, payload, place);
    for (size_t i = 0; i < aws_shape_members(shape) && doc_is(event, DOC_OBJECT); i++) {
        struct aws_member member = aws_shape_member(shape, i);

        if ((aws_member_flags(member) & AWS_MEMBER_EVENT_HEADER) && doc_get(headers, aws_member_name(member)))
            event_header_set(event, member, doc_get(headers, aws_member_name(member)));
    }
    return event;
}

/* An exception in the middle of a stream ends it. */
static int error_set(const struct doc *headers, struct view payload, struct err *err)
{
    const char *code = doc_as_text(doc_get(headers, ":exception-type"), NULL);
    struct buf text;

    buf_init(&text, sizeof(err->message));
    if (code)
        aws_excerpt_add(&text, payload);
    else
        code = doc_as_text(doc_get(headers, ":error-code"), "");
    err_set(err, ERR_SERVER, "the stream ended with %s: %s", code,
            text.len ? buf_text(&text) : doc_as_text(doc_get(headers, ":error-message"), "no reason given"));
    err->kind = aws_error_kind(code, 500, &err->retryable);
    aws_error_code_set(err, code);
    buf_free(&text);
    return -1;
}

static int frame_read(struct stream *stream, const struct frame *frame, const struct doc *headers)
{
    const char *type = doc_as_text(doc_get(headers, ":event-type"), "");
    const struct aws_place place = {.outer = stream->place, .index = doc_size(stream->list)};
    const struct aws_place inner = {.outer = &place, .name = type};
    struct aws_member member = aws_shape_member_find(stream->shape, view_of(type));
    struct doc *event, *named;

    if (strcmp(doc_as_text(doc_get(headers, ":message-type"), "event"), "event") != 0)
        return error_set(headers, frame->payload, stream->err);
    if (strcmp(type, "initial-response") == 0) {
        if (stream->initial)
            buf_add_view(stream->initial, frame->payload);
        return 0;
    }
    if (!member.table) /* of a newer service; nothing can be said about it */
        return 0;
    event = event_read(stream, aws_member_shape(member), headers, frame->payload, &inner);
    if (!event)
        return -1;
    named = doc_object();
    doc_set(named, type, event);
    doc_push(stream->list, named);
    return 0;
}

struct doc *aws_events_read(struct aws_shape shape, struct view body, bool xml, struct buf *initial,
                            const struct aws_place *place, struct err *err)
{
    struct stream stream = {shape, xml, initial, doc_array(), place, err};
    struct frame frame;

    while (body.len) {
        struct doc *headers = frame_take(&body, &frame) ? headers_parse(frame.headers) : NULL;
        bool good = headers && frame_read(&stream, &frame, headers) == 0;

        if (!headers)
            aws_place_bad(place, err, "event %zu of the stream is cut or damaged", doc_size(stream.list));
        doc_unref(headers);
        if (good)
            continue;
        doc_unref(stream.list);
        return NULL;
    }
    return stream.list;
}

struct doc *aws_events_answer(struct aws_shape shape, struct aws_member member, struct view body, struct err *err)
{
    const struct aws_place place = {.name = aws_member_name(member)};
    struct doc *doc = NULL, *wire = NULL, *events;
    struct buf initial;

    buf_init(&initial, SIZE_MAX);
    events = aws_events_read(aws_member_shape(member), body, false, &initial, &place, err);
    if (events)
        wire = aws_json_body(buf_view(&initial), err);
    if (wire)
        doc = aws_json_read(shape, wire, NULL, err);
    if (doc_is(doc, DOC_OBJECT))
        doc_set(doc, aws_member_name(member), doc_ref(events));
    buf_free(&initial);
    doc_unref(wire);
    doc_unref(events);
    return doc;
}
