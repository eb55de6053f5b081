/*
 * Requests of rest-json and rest-xml: members from path, query, headers and body (smithy.io, "HTTP binding traits",
 * "XML binding traits").
 */
#include "sandbox/aws_cloud.h"
#include "sandbox/core.h"
#include "base/digest.h"
#include "codec/json.h"
#include "codec/xml.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- XML ---- */

static int read_xml(struct cloud_call *call, struct aws_shape shape, const struct xml *xml, struct doc **out);

/* Elements called `name` among siblings, from `first` on. */
static int xml_list(struct cloud_call *call, struct aws_shape shape, const struct xml *first, const char *name,
                    struct doc **out)
{
    *out = doc_array();
    for (const struct xml *item = first; item; item = item->next) {
        struct doc *value = NULL;

        if (strcmp(item->name, name) != 0)
            continue;
        if (read_xml(call, aws_member_shape(aws_shape_member(shape, 0)), item, &value))
            return -1;
        doc_push(*out, value);
    }
    return 0;
}

static int xml_map(struct cloud_call *call, struct aws_shape shape, const struct xml *first, const char *name,
                   struct doc **out)
{
    struct aws_member key = aws_shape_member(shape, 0), of = aws_shape_member(shape, 1);
    const char *key_wire = *aws_member_wire(key) ? aws_member_wire(key) : "key";
    const char *value_wire = *aws_member_wire(of) ? aws_member_wire(of) : "value";

    *out = doc_object();
    for (const struct xml *entry = first; entry; entry = entry->next) {
        const struct xml *entry_key = xml_child(entry, key_wire), *entry_value = xml_child(entry, value_wire);
        struct doc *value = NULL;
        char *text;

        if (strcmp(entry->name, name) != 0 || !entry_key || !entry_value)
            continue;
        if (read_xml(call, aws_member_shape(of), entry_value, &value))
            return -1;
        text = mem_view(entry_key->text);
        doc_set(*out, text, value);
        free(text);
    }
    return 0;
}

static int xml_member(struct cloud_call *call, struct aws_member member, const struct xml *xml, struct doc **out)
{
    struct aws_shape shape = aws_member_shape(member);
    bool flattened =
        (aws_member_flags(member) & AWS_MEMBER_FLATTENED) || (aws_shape_flags(shape) & AWS_SHAPE_FLATTENED);
    const struct xml *child = xml_child(xml, member_wire(member));

    if (aws_member_flags(member) & AWS_MEMBER_ATTRIBUTE) {
        const struct view *value = xml_attribute(xml, member_wire(member));

        *out = value ? read_text(call, shape, *value) : NULL;
        return value && !*out ? -1 : 0;
    }
    if (!child)
        return 0;
    if (flattened && aws_shape_type(shape) == AWS_LIST)
        return xml_list(call, shape, child, member_wire(member), out);
    if (flattened && aws_shape_type(shape) == AWS_MAP)
        return xml_map(call, shape, child, member_wire(member), out);
    return read_xml(call, shape, child, out);
}

static int xml_structure(struct cloud_call *call, struct aws_shape shape, const struct xml *xml, struct doc **out)
{
    *out = doc_object();
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        struct doc *value = NULL;

        if (aws_member_location(member) == AWS_IN_BODY && xml_member(call, member, xml, &value)) {
            read_drop(&value);
            return -1;
        }
        if (value)
            doc_set(*out, aws_member_name(member), value);
    }
    return 0;
}

static int read_xml(struct cloud_call *call, struct aws_shape shape, const struct xml *xml, struct doc **out)
{
    const char *wire;
    int result;

    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        result = xml_structure(call, shape, xml, out);
        break;
    case AWS_LIST:
        wire = aws_member_wire(aws_shape_member(shape, 0));
        result = xml_list(call, shape, xml->child, *wire ? wire : "member", out);
        break;
    case AWS_MAP:
        result = xml_map(call, shape, xml->child, "entry", out);
        break;
    default:
        *out = read_text(call, shape, xml->text);
        return *out ? 0 : -1;
    }
    if (result)
        read_drop(out);
    return result;
}

/* ---- the body ---- */

static int body_xml(struct cloud_call *call, struct aws_shape shape, struct doc **out)
{
    struct err err = ERR_INIT;
    struct xml *xml = xml_parse(call->http->body, &err);
    int result;

    if (!xml)
        return call_refuse(call, 400, "MalformedXML",
                           "The XML you provided was not well-formed or did not validate against our published schema");
    result = read_xml(call, shape, xml, out);
    xml_free(xml);
    return result;
}

static int body_json(struct cloud_call *call, struct aws_shape shape, struct doc **out)
{
    struct err err = ERR_INIT;
    struct doc *body = json_parse_loose(call->http->body, &err);
    int result;

    if (!body)
        return call_refuse(call, 400, "SerializationException", "%s", err.message);
    result = read_json(call, shape, body, out);
    doc_unref(body);
    return result;
}

static struct doc *base64_doc(struct view bytes)
{
    struct buf text;
    struct doc *doc;

    buf_init(&text, 2 * SIM_BODY_MAX);
    base64_add(&text, bytes);
    doc = doc_string(buf_view(&text));
    buf_free(&text);
    return doc;
}

static int read_frames(struct cloud_call *call, struct aws_member payload, struct doc *input)
{
    struct buf content;
    int result;

    buf_init(&content, SIM_BODY_MAX);
    result = frames_read(call, &content, input);
    if (result == 0)
        doc_set(input, aws_member_name(payload), base64_doc(buf_view(&content)));
    buf_free(&content);
    return result;
}

/* The payload member, or all members of the body. */
static int read_body(struct cloud_call *call, struct doc *input)
{
    struct aws_shape shape = aws_operation_input(call->operation);
    struct aws_member payload = aws_shape_payload(shape);
    enum aws_type type = aws_shape_type(aws_member_shape(payload));
    bool xml = call_protocol(call) == AWS_REST_XML;
    struct doc *value = NULL;
    int result;

    if (payload.table && type == AWS_BLOB && frames_come(call))
        return read_frames(call, payload, input);
    if (type == AWS_BLOB || type == AWS_STRING) {
        doc_set(input, aws_member_name(payload),
                type == AWS_BLOB ? base64_doc(call->http->body) : doc_string(call->http->body));
        return 0;
    }
    if (call->http->body.len == 0)
        return 0;
    if (payload.table)
        shape = aws_member_shape(payload);
    result = xml ? body_xml(call, shape, &value) : body_json(call, shape, &value);
    if (payload.table && value)
        doc_set(input, aws_member_name(payload), doc_ref(value));
    else
        DOC_EACH(member, value)
    doc_set(input, member.key, doc_ref(member.value));
    doc_unref(value);
    return result;
}

/* ---- path, query, headers ---- */

/* All values of a name in the query, for a list. */
static int query_list(struct cloud_call *call, struct aws_member member, struct doc **out)
{
    struct aws_shape of = aws_member_shape(aws_shape_member(aws_member_shape(member), 0));

    for (size_t i = 0; i < doc_size(call->query); i++) {
        const struct doc *pair = doc_at(call->query, i);
        struct doc *value;

        if (!view_is(doc_as_view(doc_at(pair, 0)), member_wire(member)))
            continue;
        value = read_text(call, of, doc_as_view(doc_at(pair, 1)));
        if (!value)
            return -1;
        if (!*out)
            *out = doc_array();
        doc_push(*out, value);
    }
    return 0;
}

/* A map takes what no other member has. */
static void query_map(struct cloud_call *call, struct doc **out)
{
    struct aws_shape input = aws_operation_input(call->operation);

    for (size_t i = 0; i < doc_size(call->query); i++) {
        const char *name = doc_as_text(doc_at(doc_at(call->query, i), 0), "");
        bool taken = false;

        for (size_t j = 0; j < aws_shape_members(input); j++)
            taken = taken || strcmp(member_wire(aws_shape_member(input, j)), name) == 0;
        if (taken)
            continue;
        if (!*out)
            *out = doc_object();
        doc_set(*out, name, doc_ref(doc_at(doc_at(call->query, i), 1)));
    }
}

/* "a, b" for a list; JSON in base64 where the model says so. */
static int header_read(struct cloud_call *call, struct aws_member member, const char *text, struct doc **out)
{
    struct aws_shape shape = aws_member_shape(member);

    if (aws_shape_type(shape) != AWS_LIST) {
        *out = read_text(call, shape, view_of(text));
        return *out ? 0 : -1;
    }
    *out = doc_array();
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, ",");
        struct view part = {at, len};
        struct doc *value;

        while (part.len && part.ptr[part.len - 1] == ' ')
            part.len--;
        value = read_text(call, aws_member_shape(aws_shape_member(shape, 0)), part);
        if (!value)
            return -1;
        doc_push(*out, value);
        at += len;
        at += strspn(at, ", ");
    }
    return 0;
}

static void headers_map(const struct cloud_call *call, struct aws_member member, struct doc **out)
{
    const struct sim_request *http = call->http;
    const char *prefix = aws_member_wire(member);
    size_t len = strlen(prefix);

    for (size_t i = 0; i < http->headers_len; i++) {
        if (strncasecmp(http->headers[i].name, prefix, len) != 0)
            continue;
        if (!*out)
            *out = doc_object();
        doc_set_text(*out, http->headers[i].name + len, http->headers[i].value);
    }
}

static int read_bound(struct cloud_call *call, struct aws_member member, struct doc **out)
{
    struct aws_shape shape = aws_member_shape(member);
    const struct doc *label;
    const char *text = NULL;

    switch (aws_member_location(member)) {
    case AWS_IN_URI:
        label = doc_get(call->labels, member_wire(member));
        *out = label ? read_text(call, shape, doc_as_view(label)) : NULL;
        return label && !*out ? -1 : 0;
    case AWS_IN_QUERY:
        if (aws_shape_type(shape) == AWS_LIST)
            return query_list(call, member, out);
        if (aws_shape_type(shape) == AWS_MAP)
            query_map(call, out);
        else
            text = route_query(call, member_wire(member));
        break;
    case AWS_IN_HEADER:
        text = sim_header(call->http, member_wire(member));
        return text ? header_read(call, member, text, out) : 0;
    case AWS_IN_HEADERS:
        headers_map(call, member, out);
        return 0;
    default:
        return 0;
    }
    if (text)
        *out = read_text(call, shape, view_of(text));
    return text && !*out ? -1 : 0;
}

int read_rest(struct cloud_call *call)
{
    struct aws_shape shape = aws_operation_input(call->operation);

    call->input = doc_object();
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        struct doc *value = NULL;

        if (read_bound(call, member, &value)) {
            read_drop(&value);
            return -1;
        }
        if (value)
            doc_set(call->input, aws_member_name(member), value);
    }
    return read_body(call, call->input);
}
