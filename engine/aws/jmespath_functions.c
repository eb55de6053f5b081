/* The functions of the language: one row each with what it takes, and its body. */
#include "aws/jmespath_inside.h"

#include "codec/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What an argument may be. */
enum {
    TAKES_NUMBER = 1,
    TAKES_STRING = 2,
    TAKES_ARRAY = 4,
    TAKES_OBJECT = 8,
    TAKES_NUMBERS = 16,
    TAKES_STRINGS = 32,
    TAKES_EXPRESSION = 64,
    TAKES_OTHER = 128, /* null, booleans */
    TAKES_ANY = TAKES_NUMBER | TAKES_STRING | TAKES_ARRAY | TAKES_OBJECT | TAKES_OTHER,
};

enum { ARGUMENTS_MAX = 3, TEXT_MAX = 16 << 20, STEP_BYTES = 16 };

struct arguments {
    struct search *search;
    const struct function *function;
    struct doc **list; /* NULL where an expression is */
    size_t len;
    const struct jmespath *expression;
};

struct function {
    const char *name;
    size_t least;
    bool more; /* the last may be repeated */
    int takes[ARGUMENTS_MAX];
    struct doc *(*call)(const struct arguments *args);
};

static bool is_number(const struct doc *value)
{
    return doc_is(value, DOC_INT) || doc_is(value, DOC_REAL);
}

static struct doc *number_or_null(double value)
{
    struct doc *number = doc_real(value);

    return number ? number : doc_null();
}

static struct doc *failed(const struct arguments *args, const char *what)
{
    err_set(args->search->err, ERR_USAGE, "JMESPath: %s(): %s", args->function->name, what);
    return NULL;
}

/* ---- numbers ---- */

static struct doc *call_abs(const struct arguments *args)
{
    const struct doc *value = args->list[0];

    if (doc_is(value, DOC_INT) && doc_as_int(value, 0) > INT64_MIN)
        return doc_int(llabs(doc_as_int(value, 0)));
    return number_or_null(fabs(doc_as_real(value, 0)));
}

static struct doc *rounded(const struct doc *value, double (*way)(double))
{
    double result = way(doc_as_real(value, 0));

    if (doc_is(value, DOC_INT))
        return doc_ref(value);
    return fabs(result) < 9e15 ? doc_int((int64_t)result) : number_or_null(result);
}

static struct doc *call_ceil(const struct arguments *args)
{
    return rounded(args->list[0], ceil);
}

static struct doc *call_floor(const struct arguments *args)
{
    return rounded(args->list[0], floor);
}

static struct doc *call_sum(const struct arguments *args)
{
    bool whole = true;
    int64_t sum = 0;
    double real = 0;

    for (size_t i = 0; i < doc_size(args->list[0]); i++) {
        const struct doc *one = doc_at(args->list[0], i);

        real += doc_as_real(one, 0);
        whole = whole && doc_is(one, DOC_INT) && !__builtin_add_overflow(sum, doc_as_int(one, 0), &sum);
    }
    return whole ? doc_int(sum) : number_or_null(real);
}

static struct doc *call_avg(const struct arguments *args)
{
    double sum = 0;
    size_t count = doc_size(args->list[0]);

    for (size_t i = 0; i < count; i++)
        sum += doc_as_real(doc_at(args->list[0], i), 0);
    return count ? number_or_null(sum / (double)count) : doc_null();
}

/* ---- order ---- */

/* Numbers or strings (by code point, which is how UTF-8's bytes are ordered); both of one kind. */
static int order_of(const struct doc *a, const struct doc *b)
{
    if (doc_is(a, DOC_STRING)) {
        struct view first = doc_as_view(a), second = doc_as_view(b);
        size_t len = first.len < second.len ? first.len : second.len;
        int order = len ? memcmp(first.ptr, second.ptr, len) : 0;

        return order ? order : (first.len > second.len) - (first.len < second.len);
    }
    if (doc_is(a, DOC_INT) && doc_is(b, DOC_INT)) {
        int64_t first = doc_as_int(a, 0), second = doc_as_int(b, 0);

        return (first > second) - (first < second);
    }
    return (doc_as_real(a, 0) > doc_as_real(b, 0)) - (doc_as_real(a, 0) < doc_as_real(b, 0));
}

struct sorted {
    struct doc *key, *value; /* value borrowed */
    size_t index;
};

static int sorted_order(const void *a, const void *b)
{
    const struct sorted *first = a, *second = b;
    int order = order_of(first->key, second->key);

    return order ? order : (first->index > second->index) - (first->index < second->index);
}

static void sorted_free(struct sorted *sorted, size_t len)
{
    for (size_t i = 0; i < len; i++)
        doc_unref(sorted[i].key);
    free(sorted);
}

/* Each element with what the expression gives for it (without one: itself); keys are all numbers or all strings. */
static struct sorted *keyed(const struct arguments *args)
{
    const struct doc *array = args->list[0];
    struct sorted *all = mem_array(doc_size(array) + 1, sizeof(all[0]));

    for (size_t i = 0; i < doc_size(array); i++) {
        struct doc *value = doc_at(array, i);

        all[i] = (struct sorted){NULL, value, i};
        all[i].key = args->expression ? jmespath_eval(args->search, args->expression, value) : doc_ref(value);
        if (!all[i].key || !(doc_is(all[i].key, DOC_STRING) || is_number(all[i].key)) ||
            doc_is(all[i].key, DOC_STRING) != doc_is(all[0].key, DOC_STRING)) {
            if (all[i].key)
                failed(args, "the expression must give numbers only or strings only");
            sorted_free(all, i + 1);
            return NULL;
        }
    }
    return all;
}

static struct doc *call_sort(const struct arguments *args)
{
    size_t len = doc_size(args->list[0]);
    struct sorted *all = keyed(args);
    struct doc *out;

    if (!all)
        return NULL;
    qsort(all, len, sizeof(all[0]), sorted_order);
    out = doc_array();
    for (size_t i = 0; i < len; i++)
        doc_push(out, doc_ref(all[i].value));
    sorted_free(all, len);
    return out;
}

/* The first of those that are greatest (sign 1) or least (-1). */
static struct doc *extreme(const struct arguments *args, int sign)
{
    size_t len = doc_size(args->list[0]), best = 0;
    struct sorted *all = keyed(args);
    struct doc *out;

    if (!all)
        return NULL;
    for (size_t i = 1; i < len; i++) {
        int order = order_of(all[i].key, all[best].key);

        if (sign > 0 ? order > 0 : order < 0)
            best = i;
    }
    out = len ? doc_ref(all[best].value) : doc_null();
    sorted_free(all, len);
    return out;
}

static struct doc *call_max(const struct arguments *args)
{
    return extreme(args, 1);
}

static struct doc *call_min(const struct arguments *args)
{
    return extreme(args, -1);
}

/* ---- strings ---- */

static size_t points(struct view text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

static struct doc *call_length(const struct arguments *args)
{
    const struct doc *value = args->list[0];

    return doc_int((int64_t)(doc_is(value, DOC_STRING) ? points(doc_as_view(value)) : doc_size(value)));
}

static struct doc *call_starts_with(const struct arguments *args)
{
    struct view text = doc_as_view(args->list[0]), part = doc_as_view(args->list[1]);

    return doc_bool(text.len >= part.len && view_equal((struct view){text.ptr, part.len}, part));
}

static struct doc *call_ends_with(const struct arguments *args)
{
    struct view text = doc_as_view(args->list[0]), part = doc_as_view(args->list[1]);

    return doc_bool(text.len >= part.len && view_equal((struct view){text.ptr + text.len - part.len, part.len}, part));
}

static struct doc *call_contains(const struct arguments *args)
{
    const struct doc *in = args->list[0], *what = args->list[1];
    struct view text = doc_as_view(in), part = doc_as_view(what);

    if (doc_is(in, DOC_STRING))
        return doc_bool(doc_is(what, DOC_STRING) && (!part.len || memmem(text.ptr, text.len, part.ptr, part.len)));
    for (size_t i = 0; i < doc_size(in); i++) {
        int equal = jmespath_equal(args->search, doc_at(in, i), what);

        if (equal)
            return equal < 0 ? NULL : doc_bool(true);
    }
    return doc_bool(false);
}

/* Moves the text into a document. Its bytes count as steps too: texts double as lists do. */
static struct doc *string_of(const struct arguments *args, struct buf *text)
{
    struct doc *string = NULL;

    if (text->over)
        failed(args, "the text is too long");
    else if (jmespath_step(args->search, text->len / STEP_BYTES) == 0)
        string = doc_string(buf_view(text));
    buf_free(text);
    return string;
}

static struct doc *call_join(const struct arguments *args)
{
    struct buf text;

    buf_init(&text, TEXT_MAX);
    for (size_t i = 0; i < doc_size(args->list[1]); i++) {
        if (i)
            buf_add_view(&text, doc_as_view(args->list[0]));
        buf_add_view(&text, doc_as_view(doc_at(args->list[1], i)));
    }
    return string_of(args, &text);
}

static struct doc *call_reverse(const struct arguments *args)
{
    const struct doc *value = args->list[0];
    struct view text = doc_as_view(value);
    struct doc *out;
    struct buf turned;
    size_t end = text.len;

    if (doc_is(value, DOC_ARRAY)) {
        out = doc_array();
        for (size_t i = doc_size(value); i > 0; i--)
            doc_push(out, doc_ref(doc_at(value, i - 1)));
        return out;
    }
    buf_init(&turned, TEXT_MAX);
    for (size_t i = text.len; i > 0; i--) {
        if (((unsigned char)text.ptr[i - 1] & 0xc0) == 0x80)
            continue;
        buf_add(&turned, text.ptr + i - 1, end - i + 1);
        end = i - 1;
    }
    return string_of(args, &turned);
}

/* ---- types ---- */

static struct doc *call_to_string(const struct arguments *args)
{
    struct buf text;

    if (doc_is(args->list[0], DOC_STRING))
        return doc_ref(args->list[0]);
    if (jmespath_step_all(args->search, args->list[0]) != 0)
        return NULL;
    buf_init(&text, TEXT_MAX);
    json_add(&text, args->list[0], JSON_COMPACT);
    return string_of(args, &text);
}

static struct doc *call_to_number(const struct arguments *args)
{
    struct view text = doc_as_view(args->list[0]);
    struct err err = ERR_INIT;
    struct doc *number;

    if (is_number(args->list[0]))
        return doc_ref(args->list[0]);
    if (!doc_is(args->list[0], DOC_STRING) || !text.len || strchr(" \t\r\n", text.ptr[0]) ||
        strchr(" \t\r\n", text.ptr[text.len - 1]))
        return doc_null();
    number = json_parse(text, &err);
    if (is_number(number))
        return number;
    doc_unref(number);
    return doc_null();
}

static struct doc *call_to_array(const struct arguments *args)
{
    struct doc *out;

    if (doc_is(args->list[0], DOC_ARRAY))
        return doc_ref(args->list[0]);
    out = doc_array();
    doc_push(out, doc_ref(args->list[0]));
    return out;
}

static struct doc *call_type(const struct arguments *args)
{
    switch (doc_type(args->list[0])) {
    case DOC_NULL:
        return doc_text("null");
    case DOC_BOOL:
        return doc_text("boolean");
    case DOC_INT:
    case DOC_REAL:
        return doc_text("number");
    case DOC_STRING:
        return doc_text("string");
    case DOC_ARRAY:
        return doc_text("array");
    case DOC_OBJECT:
        break;
    }
    return doc_text("object");
}

static struct doc *call_not_null(const struct arguments *args)
{
    for (size_t i = 0; i < args->len; i++) {
        if (!doc_is(args->list[i], DOC_NULL))
            return doc_ref(args->list[i]);
    }
    return doc_null();
}

/* ---- objects and arrays ---- */

static struct doc *call_keys(const struct arguments *args)
{
    struct doc *out = doc_array();

    DOC_EACH(iter, args->list[0])
    doc_push(out, doc_text(iter.key));
    return out;
}

static struct doc *call_values(const struct arguments *args)
{
    struct doc *out = doc_array();

    DOC_EACH(iter, args->list[0])
    doc_push(out, doc_ref(iter.value));
    return out;
}

static struct doc *call_merge(const struct arguments *args)
{
    struct doc *out = doc_object();

    for (size_t i = 0; i < args->len; i++) {
        DOC_EACH(iter, args->list[i])
        doc_set(out, iter.key, doc_ref(iter.value));
    }
    return out;
}

static struct doc *call_map(const struct arguments *args)
{
    struct doc *out = doc_array();

    for (size_t i = 0; i < doc_size(args->list[1]); i++) {
        struct doc *one = jmespath_eval(args->search, args->expression, doc_at(args->list[1], i));

        if (!one) {
            doc_unref(out);
            return NULL;
        }
        doc_push(out, one);
    }
    return out;
}

/* ---- the table ---- */

static const struct function functions[] = {
    {"abs", 1, false, {TAKES_NUMBER}, call_abs},
    {"avg", 1, false, {TAKES_NUMBERS}, call_avg},
    {"ceil", 1, false, {TAKES_NUMBER}, call_ceil},
    {"contains", 2, false, {TAKES_STRING | TAKES_ARRAY, TAKES_ANY}, call_contains},
    {"ends_with", 2, false, {TAKES_STRING, TAKES_STRING}, call_ends_with},
    {"floor", 1, false, {TAKES_NUMBER}, call_floor},
    {"join", 2, false, {TAKES_STRING, TAKES_STRINGS}, call_join},
    {"keys", 1, false, {TAKES_OBJECT}, call_keys},
    {"length", 1, false, {TAKES_STRING | TAKES_ARRAY | TAKES_OBJECT}, call_length},
    {"map", 2, false, {TAKES_EXPRESSION, TAKES_ARRAY}, call_map},
    {"max", 1, false, {TAKES_NUMBERS | TAKES_STRINGS}, call_max},
    {"max_by", 2, false, {TAKES_ARRAY, TAKES_EXPRESSION}, call_max},
    {"merge", 1, true, {TAKES_OBJECT}, call_merge},
    {"min", 1, false, {TAKES_NUMBERS | TAKES_STRINGS}, call_min},
    {"min_by", 2, false, {TAKES_ARRAY, TAKES_EXPRESSION}, call_min},
    {"not_null", 1, true, {TAKES_ANY}, call_not_null},
    {"reverse", 1, false, {TAKES_STRING | TAKES_ARRAY}, call_reverse},
    {"sort", 1, false, {TAKES_NUMBERS | TAKES_STRINGS}, call_sort},
    {"sort_by", 2, false, {TAKES_ARRAY, TAKES_EXPRESSION}, call_sort},
    {"starts_with", 2, false, {TAKES_STRING, TAKES_STRING}, call_starts_with},
    {"sum", 1, false, {TAKES_NUMBERS}, call_sum},
    {"to_array", 1, false, {TAKES_ANY}, call_to_array},
    {"to_number", 1, false, {TAKES_ANY}, call_to_number},
    {"to_string", 1, false, {TAKES_ANY}, call_to_string},
    {"type", 1, false, {TAKES_ANY}, call_type},
    {"values", 1, false, {TAKES_OBJECT}, call_values},
};

const struct function *jmespath_function(struct view name, struct err *err)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (view_is(name, functions[i].name))
            return &functions[i];
    }
    err_set(err, ERR_USAGE, "there is no function %.*s()", (int)name.len, name.ptr);
    return NULL;
}

int jmespath_arity(const struct function *function, size_t given, struct err *err)
{
    if (given == function->least || (function->more && given > function->least))
        return 0;
    return err_set(err, ERR_USAGE, "%s() takes %zu argument%s%s, not %zu", function->name, function->least,
                   function->least == 1 ? "" : "s", function->more ? " or more" : "", given);
}

static bool all_of(const struct doc *array, bool strings)
{
    for (size_t i = 0; i < doc_size(array); i++) {
        if (strings ? !doc_is(doc_at(array, i), DOC_STRING) : !is_number(doc_at(array, i)))
            return false;
    }
    return doc_is(array, DOC_ARRAY);
}

static bool is_taken(int takes, const struct doc *value)
{
    switch (doc_type(value)) {
    case DOC_INT:
    case DOC_REAL:
        return takes & TAKES_NUMBER;
    case DOC_STRING:
        return takes & TAKES_STRING;
    case DOC_OBJECT:
        return takes & TAKES_OBJECT;
    case DOC_ARRAY:
        return takes & TAKES_ARRAY || (takes & TAKES_NUMBERS && all_of(value, false)) ||
               (takes & TAKES_STRINGS && all_of(value, true));
    default:
        return takes & TAKES_OTHER;
    }
}

static const char *taken_name(int takes)
{
    if (takes & TAKES_EXPRESSION)
        return "an expression (&...)";
    if (takes & TAKES_NUMBERS)
        return takes & TAKES_STRINGS ? "an array of numbers only or of strings only" : "an array of numbers";
    if (takes & TAKES_STRINGS)
        return "an array of strings";
    if (takes == TAKES_ANY)
        return "a value";
    if (takes & TAKES_OBJECT)
        return takes & TAKES_ARRAY ? "a string, an array or an object" : "an object";
    if (takes & TAKES_ARRAY)
        return takes & TAKES_STRING ? "a string or an array" : "an array";
    return takes & TAKES_STRING ? "a string" : "a number";
}

/* One argument, checked. What the function will walk over is counted here. */
static int argument_make(struct arguments *args, const struct jmespath *node, int takes, const struct doc *value)
{
    struct doc *one;

    if (node->type == NODE_EXPRESSION) {
        args->expression = node->list[0];
        return takes & TAKES_EXPRESSION ? 0 : 1;
    }
    one = jmespath_eval(args->search, node, value);
    args->list[args->len] = one;
    if (!one || jmespath_step(args->search, 1 + doc_size(one)) != 0)
        return -1;
    return is_taken(takes, one) ? 0 : 1;
}

static int arguments_make(struct arguments *args, const struct jmespath *call, const struct doc *value)
{
    size_t last = args->function->least - 1;

    for (; args->len < call->len; args->len++) {
        int takes = args->function->takes[args->len < last ? args->len : last];
        int wrong = argument_make(args, call->list[args->len], takes, value);

        if (wrong > 0)
            err_set(args->search->err, ERR_USAGE, "JMESPath: %s(): argument %zu is not %s", args->function->name,
                    args->len + 1, taken_name(takes));
        if (wrong)
            return -1;
    }
    return 0;
}

struct doc *jmespath_call(struct search *search, const struct jmespath *call, const struct doc *value)
{
    struct arguments args = {.search = search, .function = call->function};
    struct doc *result = NULL;

    args.list = mem_array(call->len, sizeof(args.list[0]));
    if (arguments_make(&args, call, value) == 0)
        result = args.function->call(&args);
    for (size_t i = 0; i < call->len; i++)
        doc_unref(args.list[i]);
    free(args.list);
    return result;
}
