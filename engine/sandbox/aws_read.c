/*
 * Requests of the query, ec2 and json protocols as documents (smithy.io: "AWS query protocol", "AWS EC2 query
 * protocol", "AWS JSON 1.0 and 1.1"); the rest protocols are in aws_read_rest.c.
 */
#include "sandbox/aws_cloud.h"
#include "codec/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const char *member_wire(struct aws_member member)
{
    const char *wire = aws_member_wire(member);

    return *wire ? wire : aws_member_name(member);
}

void read_drop(struct doc **out)
{
    doc_unref(*out);
    *out = NULL;
}

/* ---- forms ---- */

/* Is there a field of this name or below it? */
static bool form_has(const struct cloud_call *call, const char *prefix)
{
    size_t len = strlen(prefix);

    DOC_EACH(field, call->form)
    if (strncmp(field.key, prefix, len) == 0 && (field.key[len] == '\0' || field.key[len] == '.'))
        return true;
    return false;
}

static char *join(const char *prefix, const char *name)
{
    return *prefix ? mem_printf("%s.%s", prefix, name) : mem_text(name);
}

/* How a member is called in a form: ec2 has names of its own, else the wire's with a capital first. */
static char *form_name(const struct cloud_call *call, struct aws_member member)
{
    const char *own = aws_member_query_name(member);
    char *name;

    if (call_protocol(call) != AWS_EC2)
        return mem_text(member_wire(member));
    name = mem_text(*own ? own : member_wire(member));
    if (!*own)
        *name = (char)toupper((unsigned char)*name);
    return name;
}

static int read_form(struct cloud_call *call, struct aws_shape shape, bool flattened, const char *prefix,
                     struct doc **out);

static int form_structure(struct cloud_call *call, struct aws_shape shape, const char *prefix, struct doc **out)
{
    struct doc *object = doc_object();
    int result = 0;

    for (size_t i = 0; i < aws_shape_members(shape) && result == 0; i++) {
        struct aws_member member = aws_shape_member(shape, i);
        struct aws_shape of = aws_member_shape(member);
        bool flattened =
            (aws_member_flags(member) & AWS_MEMBER_FLATTENED) || (aws_shape_flags(of) & AWS_SHAPE_FLATTENED);
        char *name = form_name(call, member), *path;
        struct doc *value = NULL;

        /* A flattened list goes by its element's name, if that has one. */
        if (flattened && aws_shape_type(of) == AWS_LIST && call_protocol(call) == AWS_QUERY &&
            *aws_member_wire(aws_shape_member(of, 0))) {
            free(name);
            name = mem_text(aws_member_wire(aws_shape_member(of, 0)));
        }
        path = join(prefix, name);
        if (form_has(call, path))
            result = read_form(call, of, flattened, path, &value);
        if (value)
            doc_set(object, aws_member_name(member), value);
        free(path);
        free(name);
    }
    *out = object;
    return result;
}

static int form_list(struct cloud_call *call, struct aws_shape shape, bool flattened, const char *prefix,
                     struct doc **out)
{
    struct aws_member element = aws_shape_member(shape, 0);
    const char *wire = aws_member_wire(element);
    bool plain = flattened || call_protocol(call) == AWS_EC2;
    char *base = plain ? mem_text(prefix) : join(prefix, *wire ? wire : "member");
    int result = 0;

    *out = doc_array();
    for (size_t i = 1; result == 0; i++) {
        char *path = mem_printf("%s.%zu", base, i);
        bool there = form_has(call, path);
        struct doc *value = NULL;

        if (there)
            result = read_form(call, aws_member_shape(element), false, path, &value);
        free(path);
        if (!there)
            break;
        if (value)
            doc_push(*out, value);
    }
    free(base);
    return result;
}

static int form_map(struct cloud_call *call, struct aws_shape shape, bool flattened, const char *prefix,
                    struct doc **out)
{
    struct aws_member key = aws_shape_member(shape, 0), of = aws_shape_member(shape, 1);
    const char *key_wire = aws_member_wire(key), *value_wire = aws_member_wire(of);
    int result = 0;

    *out = doc_object();
    for (size_t i = 1; result == 0; i++) {
        char *entry = mem_printf(flattened ? "%s.%zu" : "%s.entry.%zu", prefix, i);
        char *key_path = join(entry, *key_wire ? key_wire : "key"),
             *path = join(entry, *value_wire ? value_wire : "value");
        const char *name = doc_as_text(doc_get(call->form, key_path), NULL);
        struct doc *value = NULL;

        if (name)
            result = read_form(call, aws_member_shape(of), false, path, &value);
        if (value)
            doc_set(*out, name, value);
        free(entry);
        free(key_path);
        free(path);
        if (!name)
            break;
    }
    return result;
}

static int read_form(struct cloud_call *call, struct aws_shape shape, bool flattened, const char *prefix,
                     struct doc **out)
{
    const struct doc *field;
    int result;

    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        result = form_structure(call, shape, prefix, out);
        break;
    case AWS_LIST:
        result = form_list(call, shape, flattened, prefix, out);
        break;
    case AWS_MAP:
        result = form_map(call, shape, flattened, prefix, out);
        break;
    default:
        field = doc_get(call->form, prefix);
        *out = field ? read_text(call, shape, doc_as_view(field)) : NULL;
        return field && !*out ? -1 : 0;
    }
    if (result)
        read_drop(out);
    return result;
}

/* ---- JSON ---- */

static int json_wrong(struct cloud_call *call, const char *wanted, const struct doc *got)
{
    return call_refuse(call, 400, "SerializationException", "%s value cannot be converted to %s",
                       doc_is(got, DOC_STRING)   ? "STRING"
                       : doc_is(got, DOC_OBJECT) ? "Start of structure or map found where not expected: this"
                       : doc_is(got, DOC_ARRAY)  ? "Start of list found where not expected: this"
                                                 : "NUMBER",
                       wanted);
}

static int json_structure(struct cloud_call *call, struct aws_shape shape, const struct doc *value, struct doc *out)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        struct doc *read = NULL;

        if (aws_member_location(member) == AWS_IN_BODY &&
            read_json(call, aws_member_shape(member), doc_get(value, member_wire(member)), &read))
            return -1;
        if (read)
            doc_set(out, aws_member_name(member), read);
    }
    return 0;
}

static int json_many(struct cloud_call *call, struct aws_shape shape, const struct doc *value, struct doc *out)
{
    bool list = aws_shape_type(shape) == AWS_LIST;
    struct aws_shape of = aws_member_shape(aws_shape_member(shape, list ? 0 : 1));

    for (size_t i = 0; list && i < doc_size(value); i++) {
        struct doc *read = NULL;

        if (read_json(call, of, doc_at(value, i), &read))
            return -1;
        doc_push(out, read ? read : doc_null());
    }
    if (!list)
        DOC_EACH(member, value)
        {
            struct doc *read = NULL;

            if (read_json(call, of, member.value, &read))
                return -1;
            if (read)
                doc_set(out, member.key, read);
        }
    return 0;
}

static int json_scalar(struct cloud_call *call, struct aws_shape shape, const struct doc *value, struct doc **out)
{
    bool number = doc_is(value, DOC_INT) || doc_is(value, DOC_REAL);

    switch (aws_shape_type(shape)) {
    case AWS_BOOLEAN:
        if (!doc_is(value, DOC_BOOL))
            return json_wrong(call, "Boolean", value);
        break;
    case AWS_INTEGER:
    case AWS_LONG:
        if (!doc_is(value, DOC_INT))
            return json_wrong(call, "Integer", value);
        break;
    case AWS_FLOAT:
    case AWS_DOUBLE:
        if (!number)
            return json_wrong(call, "Double", value);
        break;
    case AWS_TIMESTAMP:
    case AWS_BLOB:
        if (number && aws_shape_type(shape) == AWS_TIMESTAMP)
            break;
        if (!doc_is(value, DOC_STRING))
            return json_wrong(call, "Timestamp or Blob", value);
        *out = read_text(call, shape, doc_as_view(value));
        return *out ? 0 : -1;
    default:
        if (!doc_is(value, DOC_STRING))
            return json_wrong(call, "String", value);
        break;
    }
    *out = doc_ref(value);
    return 0;
}

int read_json(struct cloud_call *call, struct aws_shape shape, const struct doc *value, struct doc **out)
{
    enum aws_type type = aws_shape_type(shape);
    int result;

    *out = NULL;
    if (!value || doc_is(value, DOC_NULL))
        return 0;
    if (aws_shape_flags(shape) & AWS_SHAPE_DOCUMENT) {
        *out = doc_ref(value);
        return 0;
    }
    if (type != AWS_STRUCTURE && type != AWS_LIST && type != AWS_MAP)
        return json_scalar(call, shape, value, out);
    if (!doc_is(value, type == AWS_LIST ? DOC_ARRAY : DOC_OBJECT))
        return json_wrong(call, type == AWS_LIST ? "List" : "Structure", value);
    *out = type == AWS_LIST ? doc_array() : doc_object();
    result = type == AWS_STRUCTURE ? json_structure(call, shape, value, *out) : json_many(call, shape, value, *out);
    if (result)
        read_drop(out);
    return result;
}

static int read_json_body(struct cloud_call *call)
{
    struct err err = ERR_INIT;
    struct doc *body = call->http->body.len ? json_parse_loose(call->http->body, &err) : doc_object();
    int result;

    if (!body)
        return call_refuse(call, 400, "SerializationException", "%s", err.message);
    result = read_json(call, aws_operation_input(call->operation), body, &call->input);
    doc_unref(body);
    return result;
}

int read_input(struct cloud_call *call)
{
    int result = 0;

    switch (call_protocol(call)) {
    case AWS_QUERY:
    case AWS_EC2:
        result = form_structure(call, aws_operation_input(call->operation), "", &call->input);
        break;
    case AWS_JSON:
        result = read_json_body(call);
        break;
    case AWS_REST_JSON:
    case AWS_REST_XML:
        result = read_rest(call);
        break;
    }
    if (!call->input)
        call->input = doc_object();
    return result;
}
