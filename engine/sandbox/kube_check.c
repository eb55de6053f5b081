/* Whether an applied configuration fits its shape; the words are those of the API server's typed objects. */
#include "sandbox/kube_fields.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

struct check {
    struct doc *errors;
    struct buf path;
};

static void check_error(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void check_error(struct check *check, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 1 << 16);
    if (check->path.len)
        buf_addf(&text, "%s: ", buf_text(&check->path));
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    doc_push(check->errors, doc_text(buf_text(&text)));
    buf_free(&text);
}

/* How Go prints the value in its wrapper. */
static char *value_words(const struct doc *value)
{
    struct buf out;

    buf_init(&out, 1 << 16);
    switch (doc_type(value)) {
    case DOC_STRING:
        buf_add_text(&out, doc_as_text(value, ""));
        break;
    case DOC_OBJECT:
        buf_add_text(&out, "map[");
        for (struct doc_iter i = doc_iter_first(value); i.at; doc_iter_next(value, &i)) {
            char *words = value_words(i.value);

            buf_addf(&out, "%s%s:%s", out.len > 4 ? " " : "", i.key, words);
            free(words);
        }
        buf_add_char(&out, ']');
        break;
    case DOC_ARRAY:
        buf_add_char(&out, '[');
        for (size_t i = 0; i < doc_size(value); i++) {
            char *words = value_words(doc_at(value, i));

            buf_addf(&out, "%s%s", i ? " " : "", words);
            free(words);
        }
        buf_add_char(&out, ']');
        break;
    default:
        json_add(&out, value, JSON_COMPACT);
    }
    return buf_take(&out);
}

static void path_cut(struct check *check, size_t len)
{
    check->path.len = len;
    check->path.ptr[len] = '\0';
}

static void check_at(struct check *check, const struct shape *shape, const struct doc *value);

static void check_map(struct check *check, const struct shape *shape, const struct doc *value)
{
    const char **keys;
    size_t len = doc_keys_sorted(value, &keys), at = check->path.len;

    for (size_t i = 0; i < len; i++) {
        const struct shape *child = shape_child(shape, keys[i]);

        buf_addf(&check->path, ".%s", keys[i]);
        if (!child)
            check_error(check, "field not declared in schema");
        else
            check_at(check, child, doc_get(value, keys[i]));
        path_cut(check, at);
    }
    free(keys);
}

static void key_words(struct buf *out, const char *key)
{
    struct err err = ERR_INIT;
    struct doc *fields = *key == 'k' ? json_parse(view_of(key + 2), &err) : NULL;
    bool first = true;

    if (!fields) {
        buf_addf(out, "[=%s]", key + 2);
        return;
    }
    DOC_EACH(field, fields)
    {
        buf_addf(out, "%s%s=", first ? "[" : ",", field.key);
        json_add(out, field.value, JSON_COMPACT);
        first = false;
    }
    buf_add_char(out, ']');
    doc_unref(fields);
}

static void check_item(struct check *check, const struct shape *shape, const struct doc *item, size_t index,
                       struct doc *seen)
{
    struct buf key;

    buf_init(&key, 1 << 16);
    if (!shape_granular_list(shape)) {
        buf_addf(&check->path, "[%zu]", index);
        check_at(check, shape_ready(shape->element), item);
    } else if (!typed_item_key(shape, item, &key)) {
        if (shape_is_map_list(shape)) {
            struct buf names;

            buf_init(&names, 1 << 12);
            for (size_t i = 0; i < shape->keys_len; i++)
                buf_addf(&names, "%s\"%s\"", i ? " " : "", shape->keys[i]);
            check_error(
                check,
                "element %zu: associative list with keys has an element that omits all key fields [%s] (and doesn't "
                "have default values for any key fields)",
                index, buf_text(&names));
            buf_free(&names);
        } else {
            check_error(check, "element %zu: associative list without keys has an element that's a map type", index);
        }
    } else {
        size_t at = check->path.len;

        if (doc_get(seen, buf_text(&key))) {
            struct buf words;

            buf_init(&words, 1 << 16);
            key_words(&words, buf_text(&key));
            check_error(check, "duplicate entries for key %s", buf_text(&words));
            buf_free(&words);
        }
        doc_set_bool(seen, buf_text(&key), true);
        key_words(&check->path, buf_text(&key));
        check_at(check, shape_ready(shape->element), item);
        path_cut(check, at);
    }
    buf_free(&key);
}

static void check_list(struct check *check, const struct shape *shape, const struct doc *value)
{
    struct doc *seen = doc_object();
    size_t at = check->path.len;

    for (size_t i = 0; i < doc_size(value); i++) {
        check_item(check, shape, doc_at(value, i), i, seen);
        path_cut(check, at);
    }
    doc_unref(seen);
}

static void expected(struct check *check, const char *what, const struct doc *value, bool container)
{
    char *words = value_words(value);

    if (container)
        check_error(check, "expected %s, got &{%s}", what, words);
    else
        check_error(check, "expected %s, got &value.valueUnstructured{Value:%s}", what, words);
    free(words);
}

static void check_at(struct check *check, const struct shape *shape, const struct doc *value)
{
    enum doc_type type = doc_type(value);

    if (type == DOC_NULL)
        return;
    switch (shape->kind) {
    case SHAPE_ANY:
    case SHAPE_QUANTITY:
    case SHAPE_INT_OR_TEXT:
        return;
    case SHAPE_STRUCT:
    case SHAPE_MAP:
        if (type == DOC_OBJECT)
            check_map(check, shape, value);
        else
            expected(check, "map", value, true);
        return;
    case SHAPE_LIST:
        if (type == DOC_ARRAY)
            check_list(check, shape, value);
        else
            expected(check, "list", value, true);
        return;
    case SHAPE_INT:
    case SHAPE_REAL:
        if (type != DOC_INT && type != DOC_REAL)
            check_error(check, "expected numeric (int or float), got %s",
                        type == DOC_STRING  ? "string"
                        : type == DOC_BOOL  ? "bool"
                        : type == DOC_ARRAY ? "[]interface {}"
                                            : "map[string]interface {}");
        return;
    case SHAPE_BOOL:
        if (type != DOC_BOOL)
            expected(check, "boolean", value, true);
        return;
    case SHAPE_TEXT:
    case SHAPE_TIME:
    case SHAPE_BYTES:
        if (type != DOC_STRING)
            expected(check, "string", value, false);
        return;
    }
}

size_t typed_check(const struct shape *shape, const struct doc *value, struct doc *errors)
{
    struct check check = {.errors = errors};

    buf_init(&check.path, 1 << 16);
    buf_add_char(&check.path, '.');
    buf_reset(&check.path);
    check_at(&check, shape_ready(shape), value);
    buf_free(&check.path);
    return doc_size(errors);
}
