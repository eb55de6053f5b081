/*
 * Parameters before they are sent: what is wrong with them is said with its path, several mistakes at once. Nobody but
 * the service knows patterns and what goes with what; enums grow, so their values are not checked.
 */
#include "aws/protocol_inside.h"
#include "base/secret.h"
#include "base/suggest.h"
#include "codec/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MISTAKES_MAX = 5, NAMES_SHOWN_MAX = 8 };

struct check {
    struct buf text;
    size_t count;
};

static void value_check(struct check *check, struct aws_shape shape, struct aws_member member, const struct doc *value,
                        const struct aws_place *place, size_t depth);

static void mistake(struct check *check, const struct aws_place *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void mistake(struct check *check, const struct aws_place *place, const char *format, ...)
{
    struct buf path;
    va_list args;

    if (++check->count > MISTAKES_MAX)
        return;
    buf_init(&path, check->text.max);
    aws_place_add(&path, place);
    if (check->text.len)
        buf_add_text(&check->text, "\n= also: ");
    buf_addf(&check->text, "%s%s", buf_text(&path), path.len ? ": " : "");
    va_start(args, format);
    buf_vaddf(&check->text, format, args);
    va_end(args);
    buf_free(&path);
}

static void type_mistake(struct check *check, const struct aws_place *place, const struct doc *value,
                         const char *wanted)
{
    const char *is = doc_type_name(value);

    mistake(check, place, "%s %s is not %s %s", aws_article(is), is, aws_article(wanted), wanted);
}

/* is: "is", "has"; what: " characters", or "" for a number itself. */
static void bounds_check(struct check *check, struct aws_shape shape, const struct aws_place *place, double value,
                         const char *is, const char *what)
{
    double bound;

    if (aws_shape_min(shape, &bound) && value < bound)
        mistake(check, place, "%s %.15g%s, less than %.15g", is, value, what, bound);
    else if (aws_shape_max(shape, &bound) && value > bound)
        mistake(check, place, "%s %.15g%s, more than %.15g", is, value, what, bound);
}

static void length_check(struct check *check, struct aws_shape shape, const struct aws_place *place, size_t len,
                         const char *unit, const char *units)
{
    bounds_check(check, shape, place, (double)len, "has", len == 1 ? unit : units);
}

/* ---- scalars ---- */

static size_t characters(struct view text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

static bool is_in_line(struct aws_member member)
{
    return aws_member_location(member) == AWS_IN_HEADER || aws_member_location(member) == AWS_IN_HEADERS;
}

static void string_check(struct check *check, struct aws_shape shape, struct aws_member member, const struct doc *value,
                         const struct aws_place *place)
{
    struct view text = doc_as_view(value);

    if (!doc_is(value, DOC_STRING)) {
        type_mistake(check, place, value, "string");
    } else if (marks_find(text)) {
        return; /* its text comes later */
    } else if (!text.len &&
               (aws_member_location(member) == AWS_IN_URI || (aws_member_flags(member) & AWS_MEMBER_HOST_LABEL))) {
        mistake(check, place, "is empty; it is a part of the request's URL"); /* another resource would be meant */
    } else if (!utf8_is_clean(text) && !memchr(text.ptr, '\0', text.len)) {
        mistake(check, place, "these bytes are not UTF-8");
    } else if (is_in_line(member) && (memchr(text.ptr, '\n', text.len) || memchr(text.ptr, '\r', text.len))) {
        mistake(check, place, "has a line break; it is a header of the request");
    } else {
        length_check(check, shape, place, characters(text), " character", " characters");
    }
}

static void integer_check(struct check *check, struct aws_shape shape, const struct doc *value,
                          const struct aws_place *place)
{
    bool whole = doc_as_int(value, 1) == doc_as_int(value, 2); /* no fallback was needed */

    if (whole)
        bounds_check(check, shape, place, doc_as_real(value, 0), "is", "");
    else
        type_mistake(check, place, value, "integer");
}

static void real_check(struct check *check, struct aws_shape shape, const struct doc *value,
                       const struct aws_place *place)
{
    static const char *const special[] = {"NaN", "Infinity", "-Infinity"};

    for (size_t i = 0; doc_is(value, DOC_STRING) && i < sizeof(special) / sizeof(special[0]); i++)
        if (view_is(doc_as_view(value), special[i]))
            return;
    if (doc_is(value, DOC_INT) || doc_is(value, DOC_REAL))
        bounds_check(check, shape, place, doc_as_real(value, 0), "is", "");
    else
        type_mistake(check, place, value, "number");
}

static void time_check(struct check *check, const struct doc *value, const struct aws_place *place)
{
    char shown[AWS_SHOWN_MAX];
    int64_t us;

    if (doc_is(value, DOC_STRING) && marks_find(doc_as_view(value)))
        return;
    if (!aws_time_of_doc(value, &us) && doc_is(value, DOC_STRING))
        mistake(check, place, "\"%s\" is not a time; such as \"2030-01-31T12:00:00Z\" is wanted",
                aws_shown(doc_as_text(value, ""), shown));
    else if (!aws_time_of_doc(value, &us))
        type_mistake(check, place, value, "time");
}

static void scalar_check(struct check *check, struct aws_shape shape, struct aws_member member, const struct doc *value,
                         const struct aws_place *place)
{
    switch (aws_shape_type(shape)) {
    case AWS_STRING:
        string_check(check, shape, member, value, place);
        break;
    case AWS_BLOB:
        if (!doc_is(value, DOC_STRING))
            type_mistake(check, place, value, "blob (a string of bytes)");
        else if (!marks_find(doc_as_view(value)))
            length_check(check, shape, place, doc_as_view(value).len, " byte", " bytes");
        break;
    case AWS_BOOLEAN:
        if (!doc_is(value, DOC_BOOL))
            type_mistake(check, place, value, "boolean");
        break;
    case AWS_INTEGER:
    case AWS_LONG:
        integer_check(check, shape, value, place);
        break;
    case AWS_FLOAT:
    case AWS_DOUBLE:
        real_check(check, shape, value, place);
        break;
    case AWS_TIMESTAMP:
        time_check(check, value, place);
        break;
    default:
        break;
    }
}

/* ---- structures, lists, maps ---- */

static void names_add(struct buf *out, struct aws_shape shape)
{
    size_t count = aws_shape_members(shape);

    for (size_t i = 0; i < count && i < NAMES_SHOWN_MAX; i++)
        buf_addf(out, "%s%s",
                 i                         ? ", "
                 : count > NAMES_SHOWN_MAX ? "such as "
                                           : "",
                 aws_member_name(aws_shape_member(shape, i)));
}

static void unknown_mistake(struct check *check, struct aws_shape shape, const char *name,
                            const struct aws_place *place)
{
    const char *found = NULL;
    struct suggest suggest;
    struct buf names;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        const char *known = aws_member_name(aws_shape_member(shape, i));

        suggest_try(&suggest, known);
        if (strcasecmp(known, name) == 0)
            found = known;
    }
    found = found ? found : suggest.found;
    buf_init(&names, check->text.max);
    names_add(&names, shape);
    if (found)
        mistake(check, place, "there is no such member; did you mean \"%s\"?", found);
    else if (!aws_shape_members(shape))
        mistake(check, place, "there is no such member; there are none here");
    else
        mistake(check, place, "there is no such member; it has %s", buf_text(&names));
    buf_free(&names);
}

/* A stream may come from a file, a token is put in later. */
static bool may_be_absent(struct aws_member member)
{
    return !(aws_member_flags(member) & AWS_MEMBER_REQUIRED) ||
           (aws_member_flags(member) & (AWS_MEMBER_TOKEN | AWS_MEMBER_STREAMING)) ||
           (aws_shape_flags(aws_member_shape(member)) & (AWS_SHAPE_STREAMING | AWS_SHAPE_EVENT_STREAM));
}

static void absent_check(struct check *check, struct aws_shape shape, const struct doc *value,
                         const struct aws_place *place)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct aws_place inner = {.outer = place, .name = aws_member_name(member)};
        const char *word = aws_type_word(aws_shape_type(aws_member_shape(member)));

        if (!may_be_absent(member) && doc_type(doc_get(value, aws_member_name(member))) == DOC_NULL)
            mistake(check, &inner, "is missing; %s %s is wanted", aws_article(word), word);
    }
}

static void structure_check(struct check *check, struct aws_shape shape, const struct doc *value,
                            const struct aws_place *place, size_t depth)
{
    size_t set = 0;

    DOC_EACH(iter, value)
    {
        struct aws_member member = aws_shape_member_find(shape, view_of(iter.key));
        const struct aws_place inner = {.outer = place, .name = iter.key};

        if (!member.table)
            unknown_mistake(check, shape, iter.key, &inner);
        else if (!doc_is(iter.value, DOC_NULL))
            value_check(check, aws_member_shape(member), member, iter.value, &inner, depth + 1);
        set += !doc_is(iter.value, DOC_NULL);
    }
    absent_check(check, shape, value, place);
    if ((aws_shape_flags(shape) & AWS_SHAPE_UNION) && set != 1) {
        struct buf names;

        buf_init(&names, check->text.max);
        names_add(&names, shape);
        mistake(check, place, "exactly one of its members is wanted, not %zu: %s", set, buf_text(&names));
        buf_free(&names);
    }
}

static void list_check(struct check *check, struct aws_shape shape, const struct doc *value,
                       const struct aws_place *place, size_t depth)
{
    struct aws_member element = aws_shape_member(shape, 0);

    length_check(check, shape, place, doc_size(value), " element", " elements");
    for (size_t i = 0; i < doc_size(value); i++) {
        const struct aws_place inner = {.outer = place, .index = i};

        if (!doc_is(doc_at(value, i), DOC_NULL))
            value_check(check, aws_member_shape(element), element, doc_at(value, i), &inner, depth + 1);
    }
}

static void map_check(struct check *check, struct aws_shape shape, struct aws_member member, const struct doc *value,
                      const struct aws_place *place, size_t depth)
{
    struct aws_member key = aws_shape_member(shape, 0), of = aws_shape_member(shape, 1);

    length_check(check, shape, place, doc_size(value), " entry", " entries");
    DOC_EACH(iter, value)
    {
        const struct aws_place inner = {.outer = place, .name = iter.key};
        struct doc *name = doc_text(iter.key);

        string_check(check, aws_member_shape(key), key, name, &inner);
        if (is_in_line(member) && aws_shape_type(aws_member_shape(of)) == AWS_STRING)
            string_check(check, aws_member_shape(of), member, iter.value, &inner);
        else if (!doc_is(iter.value, DOC_NULL))
            value_check(check, aws_member_shape(of), of, iter.value, &inner, depth + 1);
        doc_unref(name);
    }
}

static void value_check(struct check *check, struct aws_shape shape, struct aws_member member, const struct doc *value,
                        const struct aws_place *place, size_t depth)
{
    enum aws_type type = aws_shape_type(shape);
    bool empty = (doc_is(value, DOC_OBJECT) || doc_is(value, DOC_ARRAY)) && !doc_size(value); /* {} of Lua is either */

    if (check->count > MISTAKES_MAX || aws_shape_is_document(shape) || aws_member_is_json_header(member))
        return;
    if (type != AWS_STRUCTURE && type != AWS_LIST && type != AWS_MAP)
        scalar_check(check, shape, member, value, place);
    else if (!empty && !doc_is(value, type == AWS_LIST ? DOC_ARRAY : DOC_OBJECT))
        type_mistake(check, place, value, aws_type_word(type));
    else if (depth >= PROTOCOL_DEPTH_MAX)
        mistake(check, place, "is deeper than %d levels", PROTOCOL_DEPTH_MAX);
    else if (type == AWS_STRUCTURE)
        structure_check(check, shape, value, place, depth);
    else if (type == AWS_LIST)
        list_check(check, shape, value, place, depth);
    else
        map_check(check, shape, member, value, place, depth);
}

int aws_params_check(struct aws_operation operation, const struct doc *params, struct err *err)
{
    struct aws_shape shape = aws_operation_input(operation);
    struct check check = {.count = 0};

    buf_init(&check.text, 4 * sizeof(err->message));
    if (params && shape.table)
        value_check(&check, shape, (struct aws_member){0}, params, NULL, 0);
    else if (shape.table)
        absent_check(&check, shape, params, NULL);
    else if (doc_size(params))
        mistake(&check, NULL, "it takes no parameters");
    if (check.count > MISTAKES_MAX)
        buf_add_text(&check.text, "\n= also: more mistakes like these");
    if (check.count) {
        err_set(err, ERR_USAGE, "%s", buf_text(&check.text));
        err_explain(err, "A101");
    }
    buf_free(&check.text);
    return check.count ? -1 : 0;
}

void aws_params_tokens(struct aws_operation operation, struct doc *params,
                       void (*token)(void *ctx, const char *member, char out[37]), void *ctx)
{
    struct aws_shape shape = aws_operation_input(operation);
    char text[37];

    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct doc *there = doc_get(params, aws_member_name(member));

        if (!(aws_member_flags(member) & AWS_MEMBER_TOKEN) || (there && !doc_is(there, DOC_NULL)))
            continue;
        token(ctx, aws_member_name(member), text);
        text[36] = '\0';
        doc_set_text(params, aws_member_name(member), text);
    }
}
