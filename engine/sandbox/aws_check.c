/*
 * What AWS looks at before an operation acts: members that must be there, lengths, ranges, words of an enum; said in
 * the way of each protocol ("Common errors" of the API references: ValidationError, MissingParameter,
 * ValidationException).
 */
#include "sandbox/aws_cloud.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct cloud_call *call;
    struct buf places; /* the path so far */
    struct buf text;   /* what is wrong, separated by "; " */
    int wrong;
    char *missing; /* the first member that is not there */
};

/* After an addition, so there is memory. */
static void place_cut(struct buf *buf, size_t len)
{
    buf->len = len;
    buf->ptr[len] = '\0';
}

static void __attribute__((format(printf, 3, 4)))
complain(struct check *check, const char *value, const char *format, ...)
{
    va_list args;

    buf_addf(&check->text, "%sValue %s%s%s at '%s' failed to satisfy constraint: ", check->wrong ? "; " : "",
             value ? "'" : "", value ? value : "null", value ? "'" : "", buf_text(&check->places));
    va_start(args, format);
    buf_vaddf(&check->text, format, args);
    va_end(args);
    check->wrong++;
}

static void check_bounds(struct check *check, struct aws_shape shape, const char *shown, double value, const char *what)
{
    double bound;

    if (aws_shape_min(shape, &bound) && value < bound)
        complain(check, shown, "Member must have %s greater than or equal to %.0f", what, bound);
    if (aws_shape_max(shape, &bound) && value > bound)
        complain(check, shown, "Member must have %s less than or equal to %.0f", what, bound);
}

static size_t characters(struct view text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++)
        len += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return len;
}

static void check_string(struct check *check, struct aws_shape shape, const struct doc *value)
{
    const char *text = doc_as_text(value, "");
    bool known = aws_shape_values(shape) == 0;

    for (size_t i = 0; i < aws_shape_values(shape); i++)
        known = known || strcmp(aws_shape_value(shape, i), text) == 0;
    if (!known) {
        struct buf words;

        buf_init(&words, 64 << 10);
        for (size_t i = 0; i < aws_shape_values(shape); i++)
            buf_addf(&words, "%s%s", i ? ", " : "", aws_shape_value(shape, i));
        complain(check, text, "Member must satisfy enum value set: [%s]", buf_text(&words));
        buf_free(&words);
    }
    check_bounds(check, shape, text, (double)characters(doc_as_view(value)), "length");
}

static void check_value(struct check *check, struct aws_shape shape, const struct doc *value);

/* Names begin small in what AWS says: 'roleName'. */
static void check_members(struct check *check, struct aws_shape shape, const struct doc *value)
{
    size_t len = check->places.len;

    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const char *name = aws_member_name(member);
        const struct doc *has = doc_get(value, name);

        buf_addf(&check->places, "%s%c%s", len ? "." : "", tolower((unsigned char)*name), *name ? name + 1 : "");
        if (has) {
            check_value(check, aws_member_shape(member), has);
        } else if (aws_member_flags(member) & AWS_MEMBER_REQUIRED) {
            complain(check, NULL, "Member must not be null");
            if (!check->missing)
                check->missing = mem_text(name);
        }
        place_cut(&check->places, len);
    }
}

static void check_items(struct check *check, struct aws_shape shape, const struct doc *value)
{
    size_t len = check->places.len;

    check_bounds(check, shape, "list", (double)doc_size(value), "length");
    for (size_t i = 0; i < doc_size(value); i++) {
        buf_addf(&check->places, ".%zu.member", i + 1);
        check_value(check, aws_member_shape(aws_shape_member(shape, 0)), doc_at(value, i));
        place_cut(&check->places, len);
    }
}

static void check_value(struct check *check, struct aws_shape shape, const struct doc *value)
{
    struct buf text;

    switch (aws_shape_type(shape)) {
    case AWS_STRUCTURE:
        check_members(check, shape, value);
        break;
    case AWS_LIST:
        check_items(check, shape, value);
        break;
    case AWS_MAP:
        check_bounds(check, shape, "map", (double)doc_size(value), "length");
        DOC_EACH(member, value)
        check_value(check, aws_member_shape(aws_shape_member(shape, 1)), member.value);
        break;
    case AWS_STRING:
        check_string(check, shape, value);
        break;
    case AWS_INTEGER:
    case AWS_LONG:
        buf_init(&text, 64);
        cloud_value_add(&text, shape, AWS_TIME_DEFAULT, value);
        check_bounds(check, shape, buf_text(&text), doc_as_real(value, 0), "value");
        buf_free(&text);
        break;
    default:
        break;
    }
}

static bool has_error(struct aws_operation operation, const char *code)
{
    for (size_t i = 0; i < aws_operation_errors(operation); i++)
        if (strcmp(aws_shape_error_code(aws_operation_error(operation, i)), code) == 0)
            return true;
    return false;
}

/* The code that this operation has for it, else the protocol's common one. */
static const char *code_of(const struct cloud_call *call)
{
    static const char *const own[] = {"ValidationException", "InvalidParameterException"};

    for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
        if (has_error(call->operation, own[i]))
            return own[i];
    return call_protocol(call) == AWS_QUERY ? "ValidationError" : "ValidationException";
}

static int say(struct check *check)
{
    struct cloud_call *call = check->call;

    if (call_protocol(call) == AWS_EC2)
        return check->missing ? call_refuse(call, 400, "MissingParameter", "The request must contain the parameter %s",
                                            check->missing)
                              : call_refuse(call, 400, "InvalidParameterValue", "%s", buf_text(&check->text));
    if (call_is(call, "s3"))
        return check->missing
                   ? call_refuse(
                         call, 400, "MalformedXML",
                         "The XML you provided was not well-formed or did not validate against our published schema")
                   : call_refuse(call, 400, "InvalidArgument", "%s", buf_text(&check->text));
    return call_refuse(call, 400, code_of(call), "%d validation error%s detected: %s", check->wrong,
                       check->wrong == 1 ? "" : "s", buf_text(&check->text));
}

int check_input(struct cloud_call *call)
{
    struct check check = {.call = call};
    int result = 0;

    buf_init(&check.places, 64 << 10);
    buf_init(&check.text, 64 << 10);
    check_members(&check, aws_operation_input(call->operation), call->input);
    if (check.wrong)
        result = say(&check);
    buf_free(&check.places);
    buf_free(&check.text);
    free(check.missing);
    return result;
}
