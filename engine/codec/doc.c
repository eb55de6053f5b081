#include "codec/doc.h"
#include "codec/doc_json.h"
#include "codec/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The sanitizers watch malloc; clang is only used with them. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
static void __attribute__((constructor)) pool_use(void)
{
    json_set_alloc_funcs(doc_pool_alloc, doc_pool_free);
}
#endif

/* jansson returns NULL only when there is no memory, once the arguments were checked by us. */
static struct doc *made(json_t *json)
{
    if (!json)
        abort();
    return (struct doc *)json;
}

struct doc *doc_null(void)
{
    return made(json_null());
}

struct doc *doc_bool(bool value)
{
    return made(json_boolean(value));
}

struct doc *doc_int(int64_t value)
{
    return made(json_integer(value));
}

struct doc *doc_real(double value)
{
    return isfinite(value) ? made(json_real(value)) : NULL;
}

struct doc *doc_text(const char *text)
{
    return doc_string(view_of(text));
}

struct doc *doc_string(struct view text)
{
    struct doc *doc;
    struct buf clean;

    if (utf8_is_clean(text))
        return made(json_stringn_nocheck(text.ptr ? text.ptr : "", text.len));
    buf_init(&clean, SIZE_MAX);
    utf8_add_clean(&clean, text);
    doc = made(json_stringn_nocheck(clean.ptr, clean.len));
    buf_free(&clean);
    return doc;
}

struct doc *doc_bytes(struct view bytes)
{
    return made(json_stringn_nocheck(bytes.ptr ? bytes.ptr : "", bytes.len));
}

struct doc *doc_array(void)
{
    return made(json_array());
}

struct doc *doc_object(void)
{
    return made(json_object());
}

struct doc *doc_ref(const struct doc *doc)
{
    return (struct doc *)json_incref(json_of(doc));
}

void doc_unref(struct doc *doc)
{
    json_decref(json_of(doc));
}

struct doc *doc_copy(const struct doc *doc)
{
    return doc ? made(json_deep_copy(json_of(doc))) : NULL;
}

enum doc_type doc_type(const struct doc *doc)
{
    if (!doc)
        return DOC_NULL;
    switch (json_typeof(json_of(doc))) {
    case JSON_OBJECT:
        return DOC_OBJECT;
    case JSON_ARRAY:
        return DOC_ARRAY;
    case JSON_STRING:
        return DOC_STRING;
    case JSON_INTEGER:
        return DOC_INT;
    case JSON_REAL:
        return DOC_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return DOC_BOOL;
    case JSON_NULL:
        break;
    }
    return DOC_NULL;
}

const char *doc_type_name(const struct doc *doc)
{
    static const char *const names[] = {"null", "boolean", "integer", "number", "string", "array", "object"};

    return names[doc_type(doc)];
}

bool doc_is(const struct doc *doc, enum doc_type type)
{
    return doc && doc_type(doc) == type;
}

bool doc_equal(const struct doc *a, const struct doc *b)
{
    return a && b ? json_equal(json_of(a), json_of(b)) : a == b;
}

const char *doc_as_text(const struct doc *doc, const char *fallback)
{
    return doc_is(doc, DOC_STRING) ? json_string_value(json_of(doc)) : fallback;
}

struct view doc_as_view(const struct doc *doc)
{
    if (!doc_is(doc, DOC_STRING))
        return view_of(NULL);
    return (struct view){json_string_value(json_of(doc)), json_string_length(json_of(doc))};
}

int64_t doc_as_int(const struct doc *doc, int64_t fallback)
{
    double real;

    if (doc_is(doc, DOC_INT))
        return json_integer_value(json_of(doc));
    if (!doc_is(doc, DOC_REAL))
        return fallback;
    real = json_real_value(json_of(doc));
    /* 2^63 itself is a double, and one too many. */
    return real >= -0x1p63 && real < 0x1p63 && trunc(real) == real ? (int64_t)real : fallback;
}

double doc_as_real(const struct doc *doc, double fallback)
{
    return doc_is(doc, DOC_INT) || doc_is(doc, DOC_REAL) ? json_number_value(json_of(doc)) : fallback;
}

bool doc_as_bool(const struct doc *doc, bool fallback)
{
    return doc_is(doc, DOC_BOOL) ? json_is_true(json_of(doc)) : fallback;
}

size_t doc_size(const struct doc *doc)
{
    if (doc_is(doc, DOC_ARRAY))
        return json_array_size(json_of(doc));
    return json_object_size(json_of(doc)); /* 0 for every other type, and for NULL */
}

struct doc *doc_get(const struct doc *object, const char *key)
{
    return (struct doc *)json_object_get(json_of(object), key);
}

struct doc *doc_at(const struct doc *array, size_t index)
{
    return (struct doc *)json_array_get(json_of(array), index);
}

void doc_set(struct doc *object, const char *key, struct doc *take)
{
    struct buf clean;

    if (!doc_is(object, DOC_OBJECT) || !take) {
        if (!take)
            doc_remove(object, key);
        doc_unref(take);
        return;
    }
    buf_init(&clean, SIZE_MAX);
    if (!utf8_is_clean(view_of(key))) {
        utf8_add_clean(&clean, view_of(key));
        key = clean.ptr;
    }
    if (json_object_set_new_nocheck(json_of(object), key, json_of(take)) != 0)
        abort(); /* no memory, or an object put into itself */
    buf_free(&clean);
}

void doc_set_text(struct doc *object, const char *key, const char *text)
{
    if (text)
        doc_set(object, key, doc_text(text));
}

void doc_set_int(struct doc *object, const char *key, int64_t value)
{
    doc_set(object, key, doc_int(value));
}

void doc_set_bool(struct doc *object, const char *key, bool value)
{
    doc_set(object, key, doc_bool(value));
}

bool doc_remove(struct doc *object, const char *key)
{
    return json_object_del(json_of(object), key) == 0;
}

void doc_push(struct doc *array, struct doc *take)
{
    doc_insert_at(array, doc_size(array), take);
}

void doc_put_at(struct doc *array, size_t index, struct doc *take)
{
    if (doc_is(array, DOC_ARRAY) && index < doc_size(array) && take)
        json_array_set_new(json_of(array), index, json_of(take));
    else
        doc_unref(take);
}

void doc_insert_at(struct doc *array, size_t index, struct doc *take)
{
    if (!doc_is(array, DOC_ARRAY) || index > doc_size(array) || !take)
        doc_unref(take);
    else if (json_array_insert_new(json_of(array), index, json_of(take)) != 0)
        abort();
}

void doc_remove_at(struct doc *array, size_t index)
{
    json_array_remove(json_of(array), index);
}

void doc_clear(struct doc *container)
{
    if (doc_is(container, DOC_ARRAY))
        json_array_clear(json_of(container));
    else
        json_object_clear(json_of(container));
}

static void iter_fill(const struct doc *object, struct doc_iter *iter)
{
    (void)object;
    iter->key = iter->at ? json_object_iter_key(iter->at) : NULL;
    iter->value = iter->at ? (struct doc *)json_object_iter_value(iter->at) : NULL;
}

struct doc_iter doc_iter_first(const struct doc *object)
{
    struct doc_iter iter = {.at = json_object_iter(json_of(object))};

    iter_fill(object, &iter);
    return iter;
}

void doc_iter_next(const struct doc *object, struct doc_iter *iter)
{
    iter->at = json_object_iter_next(json_of(object), iter->at);
    iter_fill(object, iter);
}

struct doc *doc_without(const struct doc *object, const char *const *names, size_t len)
{
    struct doc *out = object ? doc_object() : NULL;

    DOC_EACH(member, object)
    {
        bool left_out = false;

        for (size_t i = 0; i < len && !left_out; i++)
            left_out = strcmp(member.key, names[i]) == 0;
        if (!left_out)
            doc_set(out, member.key, doc_ref(member.value));
    }
    return out;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t doc_keys_sorted(const struct doc *object, const char ***keys)
{
    size_t count = 0, size = doc_is(object, DOC_OBJECT) ? doc_size(object) : 0;

    *keys = mem_array(size, sizeof(**keys));
    DOC_EACH(iter, object)
    (*keys)[count++] = iter.key;
    qsort(*keys, count, sizeof(**keys), compare_keys);
    return count;
}

void doc_map_strings(struct doc *doc, doc_map_fn *fn, void *ctx)
{
    struct doc *replacement;

    DOC_EACH(iter, doc)
    {
        replacement = doc_is(iter.value, DOC_STRING) ? fn(ctx, doc_as_view(iter.value)) : NULL;
        if (replacement)
            json_object_iter_set_new(json_of(doc), iter.at, json_of(replacement));
        else
            doc_map_strings(iter.value, fn, ctx);
    }
    for (size_t i = 0; doc_is(doc, DOC_ARRAY) && i < doc_size(doc); i++) {
        struct doc *value = doc_at(doc, i);

        replacement = doc_is(value, DOC_STRING) ? fn(ctx, doc_as_view(value)) : NULL;
        if (replacement)
            doc_put_at(doc, i, replacement);
        else
            doc_map_strings(value, fn, ctx);
    }
}

/* Whether a member became another: then *out is a copy of the container, made for the first of them. */
static bool differs(const struct doc *container, struct doc **out, const struct doc *was, struct doc *is)
{
    if (is == was) {
        doc_unref(is);
        return false;
    }
    if (!*out)
        *out = made(json_copy(json_of(container)));
    return true;
}

struct doc *doc_mapped(const struct doc *doc, doc_map_fn *fn, void *ctx)
{
    struct doc *out = NULL;

    if (doc_is(doc, DOC_STRING))
        out = fn(ctx, doc_as_view(doc));
    DOC_EACH(iter, doc)
    {
        struct doc *value = doc_mapped(iter.value, fn, ctx);

        if (differs(doc, &out, iter.value, value))
            doc_set(out, iter.key, value);
    }
    for (size_t i = 0; doc_is(doc, DOC_ARRAY) && i < doc_size(doc); i++) {
        struct doc *value = doc_mapped(doc_at(doc, i), fn, ctx);

        if (differs(doc, &out, doc_at(doc, i), value))
            doc_put_at(out, i, value);
    }
    return out ? out : doc_ref(doc);
}
