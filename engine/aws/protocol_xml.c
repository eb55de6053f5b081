/*
 * XML, both ways: the bodies of rest-xml, and the answers of query and ec2.
 * https://smithy.io/2.0/spec/protocol-traits.html#xml-bindings
 */
#include "aws/protocol_inside.h"

#include <string.h>

/* ---- requests ---- */

/* What an element is written with: namespace overrides the traits' own. */
static void namespace_add(struct buf *out, const char *uri, const char *prefix)
{
    if (!uri[0])
        return;
    buf_addf(out, prefix[0] ? " xmlns:%s=\"" : " xmlns%s=\"", prefix);
    xml_add_value(out, view_of(uri));
    buf_add_char(out, '"');
}

static void traits_namespace_add(struct buf *out, struct aws_shape shape, struct aws_member member)
{
    if (aws_member_namespace(member)[0])
        namespace_add(out, aws_member_namespace(member), aws_member_namespace_prefix(member));
    else
        namespace_add(out, aws_shape_namespace(shape), aws_shape_namespace_prefix(shape));
}

/* From the "<name attributes" that out ends in: what was added since start is its content. */
static size_t element_open(struct buf *out)
{
    buf_add_char(out, '>');
    return out->len;
}

static void element_close(struct buf *out, const char *name, size_t start)
{
    if (out->len > start) {
        buf_addf(out, "</%s>", name);
    } else if (!out->over) {
        out->ptr[--out->len] = '\0';
        buf_add_text(out, " />");
    }
}

static void value_write(struct buf *out, struct aws_member member, const char *name, const struct doc *value);

static bool written(struct aws_member member, const struct doc *value, bool only_body)
{
    return member.table && !doc_is(value, DOC_NULL) && (!only_body || aws_member_location(member) == AWS_IN_BODY);
}

static bool is_attribute(struct aws_member member)
{
    return aws_member_flags(member) & AWS_MEMBER_ATTRIBUTE;
}

static void structure_write(struct buf *out, struct aws_shape shape, const struct doc *value, bool only_body,
                            const char *name)
{
    size_t start;

    DOC_EACH(iter, value)
    {
        struct aws_member member = aws_shape_member_find(shape, view_of(iter.key));

        if (!written(member, iter.value, only_body) || !is_attribute(member))
            continue;
        buf_addf(out, " %s=\"", aws_wire_name(member));
        xml_add_value(out, doc_as_view(iter.value));
        buf_add_char(out, '"');
    }
    start = element_open(out);
    DOC_EACH(iter, value)
    {
        struct aws_member member = aws_shape_member_find(shape, view_of(iter.key));

        if (written(member, iter.value, only_body) && !is_attribute(member))
            value_write(out, member, aws_wire_name(member), iter.value);
    }
    element_close(out, name, start);
}

static void list_write(struct buf *out, struct aws_member member, const char *name, const struct doc *value)
{
    struct aws_member element = aws_shape_member(aws_member_shape(member), 0);
    bool flat = aws_member_flattened(member);
    const char *inner = flat ? name : aws_wire_name_or(element, "member");
    size_t start = 0;

    if (!flat) {
        buf_addf(out, "<%s", name);
        traits_namespace_add(out, aws_member_shape(member), member);
        start = element_open(out);
    }
    for (size_t i = 0; i < doc_size(value); i++)
        if (!doc_is(doc_at(value, i), DOC_NULL))
            value_write(out, element, inner, doc_at(value, i));
    if (!flat)
        element_close(out, name, start);
}

static void map_write(struct buf *out, struct aws_member member, const char *name, const struct doc *value)
{
    struct aws_shape shape = aws_member_shape(member);
    struct aws_member key = aws_shape_member(shape, 0), of = aws_shape_member(shape, 1);
    bool flat = aws_member_flattened(member);
    size_t start = 0;

    if (!flat) {
        buf_addf(out, "<%s", name);
        traits_namespace_add(out, shape, member);
        start = element_open(out);
    }
    DOC_EACH(iter, value)
    {
        struct doc *text = doc_text(iter.key);

        buf_addf(out, "<%s>", flat ? name : "entry");
        value_write(out, key, aws_wire_name_or(key, "key"), text);
        value_write(out, of, aws_wire_name_or(of, "value"), iter.value);
        buf_addf(out, "</%s>", flat ? name : "entry");
        doc_unref(text);
    }
    if (!flat)
        element_close(out, name, start);
}

void aws_xml_write(struct buf *out, struct aws_shape shape, struct aws_member member, const char *name,
                   const char *namespace, const struct doc *value, bool only_body)
{
    struct buf text;
    size_t start;

    if (aws_shape_type(shape) == AWS_LIST || aws_shape_type(shape) == AWS_MAP) {
        (aws_shape_type(shape) == AWS_LIST ? list_write : map_write)(out, member, name, value);
        return;
    }
    buf_addf(out, "<%s", name);
    if (namespace[0])
        namespace_add(out, namespace, "");
    else
        traits_namespace_add(out, shape, member);
    if (aws_shape_type(shape) == AWS_STRUCTURE) {
        structure_write(out, shape, value, only_body, name);
        return;
    }
    start = element_open(out);
    buf_init(&text, out->max);
    aws_scalar_add(&text, member, shape, value, AWS_TIME_ISO8601);
    xml_add_text(out, buf_view(&text));
    buf_free(&text);
    element_close(out, name, start);
}

static void value_write(struct buf *out, struct aws_member member, const char *name, const struct doc *value)
{
    aws_xml_write(out, aws_member_shape(member), member, name, "", value, false);
}

/* ---- answers ---- */

struct xml *aws_xml_body(struct view body, struct err *err)
{
    struct err wrong = ERR_INIT;
    struct xml *xml = xml_parse(body, &wrong);
    struct buf came;

    if (xml)
        return xml;
    buf_init(&came, sizeof(err->message));
    aws_excerpt_result_add(&came, body);
    aws_place_bad(NULL, err, "%s is not XML (%s)", buf_text(&came), wrong.message);
    buf_free(&came);
    return NULL;
}

const struct xml *aws_xml_error(const struct xml *root)
{
    const struct xml *errors = xml_child(root, "Errors"), *error = xml_child(errors ? errors : root, "Error");

    return error ? error : root;
}

static struct doc *value_read(struct aws_member member, const struct xml *xml, const struct aws_place *place,
                              struct err *err);

/* A flattened list stands in its parent under its element's name, if that has one. */
static const char *element_name(struct aws_member member)
{
    struct aws_shape shape = aws_member_shape(member);

    if (aws_shape_type(shape) == AWS_LIST && aws_member_flattened(member))
        return aws_wire_name_or(aws_shape_member(shape, 0), aws_wire_name(member));
    return aws_wire_name(member);
}

static struct doc *structure_read(struct aws_shape shape, const struct xml *xml, const struct aws_place *place,
                                  struct err *err)
{
    struct doc *doc = doc_object(), *value;

    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct aws_place inner = {.outer = place, .name = aws_member_name(member)};
        const struct xml *found = aws_member_is_around(member) ? NULL : xml_child(xml, element_name(member));
        const struct view *attribute = is_attribute(member) ? xml_attribute(xml, aws_wire_name(member)) : NULL;

        if (!found && !attribute)
            continue;
        value = found ? value_read(member, found, &inner, err) : doc_string(*attribute);
        if (!value) {
            doc_unref(doc);
            return NULL;
        }
        doc_set(doc, aws_member_name(member), value);
    }
    return doc;
}

static struct doc *union_read(struct aws_shape shape, const struct xml *xml, const struct aws_place *place,
                              struct err *err)
{
    const char *tag = xml->child ? xml->child->name : NULL;

    for (const struct xml *child = xml->child; child || !tag; child = child->next)
        if (!tag || strcmp(child->name, tag) != 0)
            return aws_place_bad(place, err, "%s members are set of a union, which has one", tag ? "several" : "no");
    for (size_t i = 0; i < aws_shape_members(shape); i++)
        if (strcmp(element_name(aws_shape_member(shape, i)), tag) == 0)
            return structure_read(shape, xml, place, err);
    return aws_union_unknown(tag);
}

/* From the first element on: the siblings of its name when flat, else its children. */
static struct doc *list_read(struct aws_member member, const struct xml *xml, const struct aws_place *place,
                             struct err *err)
{
    struct aws_member element = aws_shape_member(aws_member_shape(member), 0);
    bool flat = aws_member_flattened(member);
    struct doc *doc = doc_array(), *value;
    size_t index = 0;

    for (const struct xml *at = flat ? xml : xml->child; at; at = flat ? xml_next(at, xml->name) : at->next) {
        const struct aws_place inner = {.outer = place, .index = index++};

        value = value_read(element, at, &inner, err);
        if (!value) {
            doc_unref(doc);
            return NULL;
        }
        doc_push(doc, value);
    }
    return doc;
}

static struct doc *map_read(struct aws_member member, const struct xml *xml, const struct aws_place *place,
                            struct err *err)
{
    struct aws_member key = aws_shape_member(aws_member_shape(member), 0),
                      of = aws_shape_member(aws_member_shape(member), 1);
    bool flat = aws_member_flattened(member);
    struct doc *doc = doc_object(), *value;

    for (const struct xml *at = flat ? xml : xml->child; at; at = flat ? xml_next(at, xml->name) : at->next) {
        const struct xml *name = xml_child(at, aws_wire_name_or(key, "key"));
        const struct xml *found = xml_child(at, aws_wire_name_or(of, "value"));
        const struct aws_place inner = {.outer = place, .name = name ? name->text.ptr : "?"};

        value = !name    ? aws_place_bad(place, err, "<%s> has no <%s>", at->name, aws_wire_name_or(key, "key"))
                : !found ? aws_place_bad(&inner, err, "<%s> has no <%s>", at->name, aws_wire_name_or(of, "value"))
                         : value_read(of, found, &inner, err);
        if (!value) {
            doc_unref(doc);
            return NULL;
        }
        doc_set(doc, name->text.ptr, value);
    }
    return doc;
}

static struct doc *value_read(struct aws_member member, const struct xml *xml, const struct aws_place *place,
                              struct err *err)
{
    struct aws_shape shape = aws_member_shape(member);
    char shown[AWS_SHOWN_MAX];
    const char *word;
    struct doc *doc;

    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        return aws_xml_read(shape, xml, place, err);
    case AWS_LIST:
        return list_read(member, xml, place, err);
    case AWS_MAP:
        return map_read(member, xml, place, err);
    default:
        doc = aws_scalar_parse(shape, xml->text);
        word = aws_type_word(aws_shape_type(shape));
        if (!doc && aws_shape_type(shape) == AWS_BLOB)
            return aws_place_bad(place, err, "this text is not base64");
        return doc ? doc
                   : aws_place_bad(place, err, "\"%s\" is not %s %s", aws_shown(xml->text.ptr, shown),
                                   aws_article(word), word);
    }
}

struct doc *aws_xml_read(struct aws_shape shape, const struct xml *xml, const struct aws_place *place, struct err *err)
{
    if (aws_shape_flags(shape) & AWS_SHAPE_EXCEPTION)
        xml = aws_xml_error(xml);
    if (aws_shape_flags(shape) & AWS_SHAPE_UNION)
        return union_read(shape, xml, place, err);
    return structure_read(shape, xml, place, err);
}
