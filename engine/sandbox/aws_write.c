/* Documents as bodies of answers: JSON, and XML of the query, ec2 and rest-xml protocols. */
#include "sandbox/aws_cloud.h"
#include "codec/xml.h"

#include <string.h>

/* A table of lua/sandbox that says what its model does not know would hide a mistake of ours. */
static int members_known(struct cloud_call *call, struct aws_shape shape, const struct doc *value)
{
    DOC_EACH(member, value)
    if (!aws_shape_member_find(shape, view_of(member.key)).table)
        return call_loud(call, "the simulated %s %s answers \"%s\", which its model does not have",
                         aws_service_name(call->service), aws_operation_name(call->operation), member.key);
    return 0;
}

static enum aws_time time_of(struct aws_member member, enum aws_time standard)
{
    enum aws_time own = aws_member_time(member);

    return own == AWS_TIME_DEFAULT ? standard : own;
}

/* ---- JSON ---- */

static struct doc *json_scalar(struct aws_shape shape, enum aws_time time, const struct doc *value)
{
    enum aws_type type = aws_shape_type(shape);
    struct doc *out;
    struct buf text;

    if (type != AWS_TIMESTAMP || time == AWS_TIME_UNIX)
        return doc_ref(value);
    buf_init(&text, 64 << 20);
    cloud_value_add(&text, shape, time, value);
    out = doc_string(buf_view(&text));
    buf_free(&text);
    return out;
}

static int json_structure(struct cloud_call *call, struct aws_shape shape, const struct doc *value, struct doc *out)
{
    if (members_known(call, shape, value))
        return -1;
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct doc *has = doc_get(value, aws_member_name(member));
        struct doc *written;

        if (!has || aws_member_location(member) != AWS_IN_BODY)
            continue;
        if (write_json(call, aws_member_shape(member), time_of(member, AWS_TIME_UNIX), has, &written))
            return -1;
        doc_set(out, member_wire(member), written);
    }
    return 0;
}

int write_json(struct cloud_call *call, struct aws_shape shape, enum aws_time time, const struct doc *value,
               struct doc **out)
{
    enum aws_type type = aws_shape_type(shape);
    struct aws_member of = aws_shape_member(shape, type == AWS_MAP ? 1 : 0);
    struct doc *written;
    int result = 0;

    if (type != AWS_STRUCTURE && type != AWS_LIST && type != AWS_MAP) {
        *out = json_scalar(shape, time, value);
        return 0;
    }
    *out = type == AWS_LIST ? doc_array() : doc_object();
    if (type == AWS_STRUCTURE)
        result = json_structure(call, shape, value, *out);
    for (size_t i = 0; type == AWS_LIST && i < doc_size(value) && result == 0; i++) {
        result = write_json(call, aws_member_shape(of), time_of(of, AWS_TIME_UNIX), doc_at(value, i), &written);
        if (result == 0)
            doc_push(*out, written);
    }
    if (type == AWS_MAP)
        DOC_EACH(member, value)
        {
            if (result == 0)
                result = write_json(call, aws_member_shape(of), time_of(of, AWS_TIME_UNIX), member.value, &written);
            if (result == 0)
                doc_set(*out, member.key, written);
        }
    if (result)
        read_drop(out);
    return result;
}

/* ---- XML ---- */

static int xml_element(struct cloud_call *call, struct buf *out, const char *name, struct aws_member member,
                       const struct doc *value)
{
    struct aws_shape shape = aws_member_shape(member);
    struct buf text;
    int result = 0;

    buf_addf(out, "<%s>", name);
    buf_init(&text, 64 << 20);
    if (aws_shape_type(shape) == AWS_TIMESTAMP)
        cloud_value_add(&text, shape, time_of(member, AWS_TIME_ISO8601), value);
    if (text.len)
        xml_add_text(out, buf_view(&text));
    else
        result = write_xml(call, out, shape, value);
    buf_free(&text);
    buf_addf(out, "</%s>", name);
    return result;
}

static int xml_items(struct cloud_call *call, struct buf *out, const char *name, struct aws_shape list,
                     const struct doc *value)
{
    for (size_t i = 0; i < doc_size(value); i++)
        if (xml_element(call, out, name, aws_shape_member(list, 0), doc_at(value, i)))
            return -1;
    return 0;
}

static int xml_entries(struct cloud_call *call, struct buf *out, const char *name, struct aws_shape map,
                       const struct doc *value)
{
    struct aws_member key = aws_shape_member(map, 0), of = aws_shape_member(map, 1);
    const char *key_wire = *aws_member_wire(key) ? aws_member_wire(key) : "key";
    const char *value_wire = *aws_member_wire(of) ? aws_member_wire(of) : "value";

    DOC_EACH(member, value)
    {
        buf_addf(out, "<%s><%s>", name, key_wire);
        xml_add_text(out, view_of(member.key));
        buf_addf(out, "</%s>", key_wire);
        if (xml_element(call, out, value_wire, of, member.value))
            return -1;
        buf_addf(out, "</%s>", name);
    }
    return 0;
}

static int xml_member(struct cloud_call *call, struct buf *out, struct aws_member member, const struct doc *value)
{
    struct aws_shape shape = aws_member_shape(member);
    bool flattened =
        (aws_member_flags(member) & AWS_MEMBER_FLATTENED) || (aws_shape_flags(shape) & AWS_SHAPE_FLATTENED);
    const char *element = aws_member_wire(aws_shape_member(shape, 0));

    if (flattened && aws_shape_type(shape) == AWS_LIST)
        return xml_items(call, out, call_protocol(call) == AWS_QUERY && *element ? element : member_wire(member), shape,
                         value);
    if (flattened && aws_shape_type(shape) == AWS_MAP)
        return xml_entries(call, out, member_wire(member), shape, value);
    return xml_element(call, out, member_wire(member), member, value);
}

int write_xml(struct cloud_call *call, struct buf *out, struct aws_shape shape, const struct doc *value)
{
    const char *element;
    struct buf text;

    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        if (members_known(call, shape, value))
            return -1;
        for (size_t i = 0; i < aws_shape_members(shape); i++) {
            struct aws_member member = aws_shape_member(shape, i);
            const struct doc *has = doc_get(value, aws_member_name(member));

            if (has && aws_member_location(member) == AWS_IN_BODY && xml_member(call, out, member, has))
                return -1;
        }
        return 0;
    case AWS_LIST:
        element = aws_member_wire(aws_shape_member(shape, 0));
        return xml_items(call, out, *element ? element : "member", shape, value);
    case AWS_MAP:
        return xml_entries(call, out, "entry", shape, value);
    default:
        buf_init(&text, 64 << 20);
        cloud_value_add(&text, shape, AWS_TIME_ISO8601, value);
        xml_add_text(out, buf_view(&text));
        buf_free(&text);
        return 0;
    }
}
