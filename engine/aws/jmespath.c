/* The walk over an expression's tree. What it visits and makes is counted: a short expression can ask for very much. */
#include "aws/jmespath_inside.h"

#include <stdlib.h>
#include <string.h>

int jmespath_step(struct search *search, size_t count)
{
    search->steps += count;
    if (search->steps <= JMESPATH_STEPS_MAX)
        return 0;
    return err_set(search->err, ERR_USAGE, "the JMESPath expression takes more than %d steps", JMESPATH_STEPS_MAX);
}

int jmespath_step_all(struct search *search, const struct doc *value)
{
    if (jmespath_step(search, 1) != 0)
        return -1;
    for (size_t i = 0; doc_is(value, DOC_ARRAY) && i < doc_size(value); i++) {
        if (jmespath_step_all(search, doc_at(value, i)) != 0)
            return -1;
    }
    DOC_EACH(iter, value)
    {
        if (jmespath_step_all(search, iter.value) != 0)
            return -1;
    }
    return 0;
}

bool jmespath_true(const struct doc *value)
{
    switch (doc_type(value)) {
    case DOC_NULL:
        return false;
    case DOC_BOOL:
        return doc_as_bool(value, false);
    case DOC_STRING:
        return doc_as_view(value).len > 0;
    case DOC_ARRAY:
    case DOC_OBJECT:
        return doc_size(value) > 0;
    default:
        return true;
    }
}

static bool is_number(const struct doc *value)
{
    return doc_is(value, DOC_INT) || doc_is(value, DOC_REAL);
}

/* Integers exactly, as long as both are. */
static int number_order(const struct doc *a, const struct doc *b)
{
    double first, second;

    if (doc_is(a, DOC_INT) && doc_is(b, DOC_INT)) {
        int64_t left = doc_as_int(a, 0), right = doc_as_int(b, 0);

        return (left > right) - (left < right);
    }
    first = doc_as_real(a, 0);
    second = doc_as_real(b, 0);
    return (first > second) - (first < second);
}

static int equal_members(struct search *search, const struct doc *a, const struct doc *b)
{
    int equal = 1;

    DOC_EACH(iter, a)
    {
        const struct doc *other = doc_get(b, iter.key);

        equal = other ? jmespath_equal(search, iter.value, other) : 0;
        if (equal != 1)
            break;
    }
    return equal;
}

int jmespath_equal(struct search *search, const struct doc *a, const struct doc *b)
{
    int equal = 1;

    if (jmespath_step(search, 1) != 0)
        return -1;
    if (is_number(a) && is_number(b))
        return number_order(a, b) == 0;
    if (doc_type(a) != doc_type(b) || doc_size(a) != doc_size(b))
        return 0;
    if (doc_is(a, DOC_OBJECT))
        return equal_members(search, a, b);
    if (!doc_is(a, DOC_ARRAY))
        return doc_equal(a, b);
    for (size_t i = 0; i < doc_size(a) && equal == 1; i++)
        equal = jmespath_equal(search, doc_at(a, i), doc_at(b, i));
    return equal;
}

static struct doc *compare(struct search *search, const struct jmespath *node, const struct doc *a, const struct doc *b)
{
    int order;

    if (node->operation == COMPARE_EQUAL || node->operation == COMPARE_UNEQUAL) {
        int equal = jmespath_equal(search, a, b);

        return equal < 0 ? NULL : doc_bool(equal == (node->operation == COMPARE_EQUAL));
    }
    if (!is_number(a) || !is_number(b))
        return doc_null();
    order = number_order(a, b);
    switch (node->operation) {
    case COMPARE_LESS:
        return doc_bool(order < 0);
    case COMPARE_LESS_EQUAL:
        return doc_bool(order <= 0);
    case COMPARE_MORE:
        return doc_bool(order > 0);
    default:
        return doc_bool(order >= 0);
    }
}

static struct doc *index_get(const struct jmespath *node, const struct doc *value)
{
    int64_t at = node->number[0];

    if (!doc_is(value, DOC_ARRAY))
        return doc_null();
    if (at < 0)
        at += (int64_t)doc_size(value);
    return at >= 0 && at < (int64_t)doc_size(value) ? doc_ref(doc_at(value, (size_t)at)) : doc_null();
}

/* A bound of a slice as an index: counted from the end when negative, within [least, most]. */
static int64_t slice_bound(int64_t bound, int64_t size, int64_t least, int64_t most)
{
    if (bound < 0)
        bound += size;
    return bound < least ? least : bound > most ? most : bound;
}

static struct doc *slice_get(struct search *search, const struct jmespath *node, const struct doc *value)
{
    int64_t step = node->given[2] ? node->number[2] : 1, size, start, stop;
    struct doc *out;

    if (!step) {
        err_set(search->err, ERR_USAGE, "JMESPath: the step of a slice is 0");
        return NULL;
    }
    if (!doc_is(value, DOC_ARRAY))
        return doc_null();
    size = (int64_t)doc_size(value);
    if (jmespath_step(search, (size_t)size) != 0)
        return NULL;
    if (step > 0) {
        start = node->given[0] ? slice_bound(node->number[0], size, 0, size) : 0;
        stop = node->given[1] ? slice_bound(node->number[1], size, 0, size) : size;
    } else {
        start = node->given[0] ? slice_bound(node->number[0], size, -1, size - 1) : size - 1;
        stop = node->given[1] ? slice_bound(node->number[1], size, -1, size - 1) : -1;
    }
    if (step > size)
        step = size + 1; /* beyond any end, and adding it never overflows */
    if (step < -size)
        step = -size - 1;
    out = doc_array();
    for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step)
        doc_push(out, doc_ref(doc_at(value, (size_t)i)));
    return out;
}

/* One element of a projection: what is nothing is left out. */
static int project_one(struct search *search, const struct jmespath *node, const struct doc *element, struct doc *out)
{
    struct doc *holds, *result;
    bool pass;

    if (jmespath_step(search, 1) != 0)
        return -1;
    if (node->type == NODE_FILTER_PROJECTION) {
        holds = jmespath_eval(search, node->list[2], element);
        pass = jmespath_true(holds);
        doc_unref(holds);
        if (!holds)
            return -1;
        if (!pass)
            return 0;
    }
    result = jmespath_eval(search, node->list[1], element);
    if (!result)
        return -1;
    if (doc_is(result, DOC_NULL))
        doc_unref(result);
    else
        doc_push(out, result);
    return 0;
}

static struct doc *project(struct search *search, const struct jmespath *node, const struct doc *value)
{
    struct doc *base = jmespath_eval(search, node->list[0], value), *out;
    int result = 0;

    if (!base)
        return NULL;
    if (!doc_is(base, node->type == NODE_VALUE_PROJECTION ? DOC_OBJECT : DOC_ARRAY)) {
        doc_unref(base);
        return doc_null();
    }
    out = doc_array();
    for (size_t i = 0; doc_is(base, DOC_ARRAY) && i < doc_size(base) && result == 0; i++)
        result = project_one(search, node, doc_at(base, i), out);
    DOC_EACH(iter, base)
    {
        if (result == 0)
            result = project_one(search, node, iter.value, out);
    }
    doc_unref(base);
    if (result == 0)
        return out;
    doc_unref(out);
    return NULL;
}

static struct doc *flatten(struct search *search, const struct jmespath *node, const struct doc *value)
{
    struct doc *base = jmespath_eval(search, node->list[0], value), *out;
    bool over = false;

    if (!base || !doc_is(base, DOC_ARRAY)) {
        doc_unref(base);
        return base ? doc_null() : NULL;
    }
    out = doc_array();
    for (size_t i = 0; i < doc_size(base) && !over; i++) {
        const struct doc *element = doc_at(base, i);
        size_t count = doc_is(element, DOC_ARRAY) ? doc_size(element) : 0;

        over = jmespath_step(search, 1 + count) != 0;
        for (size_t k = 0; k < count && !over; k++)
            doc_push(out, doc_ref(doc_at(element, k)));
        if (!doc_is(element, DOC_ARRAY))
            doc_push(out, doc_ref(element));
    }
    doc_unref(base);
    if (!over)
        return out;
    doc_unref(out);
    return NULL;
}

static struct doc *multi_select(struct search *search, const struct jmespath *node, const struct doc *value)
{
    struct doc *out;

    if (doc_is(value, DOC_NULL))
        return doc_null();
    out = node->type == NODE_LIST ? doc_array() : doc_object();
    for (size_t i = 0; i < node->len; i++) {
        struct doc *one = jmespath_eval(search, node->list[i], value);

        if (!one) {
            doc_unref(out);
            return NULL;
        }
        if (node->type == NODE_LIST)
            doc_push(out, one);
        else
            doc_set(out, node->names[i], one);
    }
    return out;
}

/* Nodes of two values, or of one and then perhaps another. */
static struct doc *combine(struct search *search, const struct jmespath *node, const struct doc *value)
{
    struct doc *left = jmespath_eval(search, node->list[0], value), *right, *out;
    bool holds = jmespath_true(left);

    if (!left)
        return NULL;
    if (node->type == NODE_NOT) {
        doc_unref(left);
        return doc_bool(!holds);
    }
    if ((node->type == NODE_OR && holds) || (node->type == NODE_AND && !holds))
        return left;
    right = jmespath_eval(search, node->list[1], node->type == NODE_SUB ? left : value);
    if (!right || node->type != NODE_COMPARE) {
        doc_unref(left);
        return right;
    }
    out = compare(search, node, left, right);
    doc_unref(left);
    doc_unref(right);
    return out;
}

struct doc *jmespath_eval(struct search *search, const struct jmespath *node, const struct doc *value)
{
    struct doc *found;

    if (jmespath_step(search, 1) != 0)
        return NULL;
    switch (node->type) {
    case NODE_CURRENT:
        return value ? doc_ref(value) : doc_null();
    case NODE_FIELD:
        found = doc_is(value, DOC_OBJECT) ? doc_get(value, node->text) : NULL;
        return found ? doc_ref(found) : doc_null();
    case NODE_LITERAL:
        return doc_ref(node->literal);
    case NODE_INDEX:
        return index_get(node, value);
    case NODE_SLICE:
        return slice_get(search, node, value);
    case NODE_PROJECTION:
    case NODE_VALUE_PROJECTION:
    case NODE_FILTER_PROJECTION:
        return project(search, node, value);
    case NODE_FLATTEN:
        return flatten(search, node, value);
    case NODE_LIST:
    case NODE_HASH:
        return multi_select(search, node, value);
    case NODE_CALL:
        return jmespath_call(search, node, value);
    case NODE_SUB:
    case NODE_COMPARE:
    case NODE_OR:
    case NODE_AND:
    case NODE_NOT:
        return combine(search, node, value);
    case NODE_EXPRESSION:
        break;
    }
    err_set(search->err, ERR_INTERNAL, "JMESPath: an expression type outside of a call");
    return NULL;
}

/* What is found may hold one part many times: who walks over it walks at most so many steps. */
struct doc *jmespath_search(const struct jmespath *path, const struct doc *doc, struct err *err)
{
    struct search search = {.err = err};
    struct doc *found = jmespath_eval(&search, path, doc);

    if (found && (doc_is(found, DOC_ARRAY) || doc_is(found, DOC_OBJECT)) && jmespath_step_all(&search, found) != 0) {
        doc_unref(found);
        return NULL;
    }
    return found;
}
