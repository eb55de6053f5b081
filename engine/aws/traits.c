/* The traits that all protocols read the same way. */
#include "aws/protocol_inside.h"

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
