/*
 * query and ec2: a form out, XML back.
 * https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, .../aws-ec2-query-protocol.html
 */
#include "aws/protocol_inside.h"
#include "http/http.h"

#include <string.h>

/* A form under way; key is the prefix of what comes next. */
struct form {
    struct buf *out;
    struct buf key;
    bool ec2;
};

/* As HTML forms: a blank is a plus sign. */
static void form_escape(struct buf *out, struct view text)
{
    while (text.len) {
        const char *blank = memchr(text.ptr, ' ', text.len);
        size_t len = blank ? (size_t)(blank - text.ptr) : text.len;

        url_escape(out, (struct view){text.ptr, len});
        if (blank)
            buf_add_char(out, '+');
        len += blank != NULL;
        text = (struct view){text.ptr + len, text.len - len};
    }
}

static void pair_add(struct form *form, struct view value)
{
    if (form->out->len)
        buf_add_char(form->out, '&');
    form_escape(form->out, buf_view(&form->key));
    buf_add_char(form->out, '=');
    form_escape(form->out, value);
}

static size_t key_push(struct form *form, const char *name)
{
    size_t before = form->key.len;

    if (before)
        buf_add_char(&form->key, '.');
    buf_add_text(&form->key, name);
    return before;
}

static size_t key_push_number(struct form *form, size_t number)
{
    size_t before = form->key.len;

    buf_addf(&form->key, ".%zu", number);
    return before;
}

static void key_pop(struct form *form, size_t before)
{
    form->key.len = before;
    if (form->key.ptr)
        form->key.ptr[before] = '\0';
}

static void value_write(struct form *form, struct aws_member member, const struct doc *value);

static void member_write(struct form *form, struct aws_member member, const struct doc *value)
{
    const char *wire = aws_wire_name_or(member, "");
    size_t before;

    if (!form->ec2) {
        before = key_push(form, wire[0] ? wire : aws_member_name(member));
    } else if (aws_member_query_name(member)[0]) {
        before = key_push(form, aws_member_query_name(member));
    } else if (wire[0]) { /* names of answers are capitalized in requests */
        before = key_push(form, wire);
        size_t at = form->key.len - strlen(wire);
        if (form->key.ptr[at] >= 'a' && form->key.ptr[at] <= 'z')
            form->key.ptr[at] = (char)(form->key.ptr[at] - 'a' + 'A');
    } else {
        before = key_push(form, aws_member_name(member));
    }
    value_write(form, member, value);
    key_pop(form, before);
}

static void structure_write(struct form *form, struct aws_shape shape, const struct doc *value)
{
    DOC_EACH(iter, value)
    {
        struct aws_member member = aws_shape_member_find(shape, view_of(iter.key));

        if (member.table && !doc_is(iter.value, DOC_NULL))
            member_write(form, member, iter.value);
    }
}

/* A flattened list takes its element's name in place of its own. */
static void flat_key(struct form *form, const char *name)
{
    const char *point = form->key.ptr ? memrchr(form->key.ptr, '.', form->key.len) : NULL;

    if (!name[0])
        return;
    key_pop(form, point ? (size_t)(point - form->key.ptr) + 1 : 0);
    buf_add_text(&form->key, name);
}

static void list_write(struct form *form, struct aws_member member, const struct doc *value)
{
    struct aws_member element = aws_shape_member(aws_member_shape(member), 0);
    size_t number = 0, before;
    struct buf whole;

    if (!doc_size(value) && !form->ec2) {
        pair_add(form, view_of(NULL));
        return;
    }
    buf_init(&whole, form->key.max);
    buf_add_view(&whole, buf_view(&form->key));
    if (!form->ec2 && aws_member_flattened(member))
        flat_key(form, aws_wire_name_or(element, ""));
    else if (!form->ec2)
        key_push(form, aws_wire_name_or(element, "member"));
    for (size_t i = 0; i < doc_size(value); i++) {
        if (doc_is(doc_at(value, i), DOC_NULL))
            continue;
        before = key_push_number(form, ++number);
        value_write(form, element, doc_at(value, i));
        key_pop(form, before);
    }
    buf_reset(&form->key);
    buf_add_view(&form->key, buf_view(&whole));
    buf_free(&whole);
}

static void map_write(struct form *form, struct aws_member member, const struct doc *value)
{
    struct aws_member key = aws_shape_member(aws_member_shape(member), 0),
                      of = aws_shape_member(aws_member_shape(member), 1);
    size_t start = form->key.len, number = 0, entry, inner;

    if (!aws_member_flattened(member))
        key_push(form, "entry");
    DOC_EACH(iter, value)
    {
        entry = key_push_number(form, ++number);
        inner = key_push(form, aws_wire_name_or(key, "key"));
        pair_add(form, view_of(iter.key));
        key_pop(form, inner);
        inner = key_push(form, aws_wire_name_or(of, "value"));
        value_write(form, of, iter.value);
        key_pop(form, inner);
        key_pop(form, entry);
    }
    key_pop(form, start);
}

static void value_write(struct form *form, struct aws_member member, const struct doc *value)
{
    struct aws_shape shape = aws_member_shape(member);
    struct buf text;

    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        structure_write(form, shape, value);
        break;
    case AWS_LIST:
        list_write(form, member, value);
        break;
    case AWS_MAP:
        map_write(form, member, value);
        break;
    default:
        buf_init(&text, form->out->max);
        aws_scalar_add(&text, member, shape, value, AWS_TIME_ISO8601);
        pair_add(form, buf_view(&text));
        buf_free(&text);
    }
}

void aws_query_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire)
{
    struct aws_service service = aws_operation_service(operation);
    struct form form = {.out = &wire->body, .ec2 = aws_service_protocol(service) == AWS_EC2};

    buf_init(&form.key, wire->body.max);
    buf_add_text(&wire->path, "/");
    aws_headers_set(&wire->headers, "content-type", VIEW_LITERAL("application/x-www-form-urlencoded; charset=utf-8"));
    buf_addf(&wire->body, "Action=%s&Version=", aws_operation_name(operation));
    url_escape(&wire->body, view_of(aws_service_api_version(service)));
    structure_write(&form, aws_operation_input(operation), params);
    buf_free(&form.key);
}

struct doc *aws_query_read(struct aws_operation operation, struct view body, struct err *err)
{
    struct aws_shape shape = aws_operation_output(operation);
    const char *wrapper = aws_operation_result_wrapper(operation);
    const struct xml *start;
    struct doc *doc = NULL;
    struct xml *root = aws_xml_body(body, err);

    if (!root)
        return NULL;
    start = wrapper[0] && shape.table ? xml_child(root, wrapper) : root;
    if (!start)
        aws_place_bad(NULL, err, "<%s> instead of <%s> in it", root->name, wrapper);
    else
        doc = shape.table ? aws_xml_read(shape, start, NULL, err) : doc_object();
    xml_free(root);
    return doc;
}
