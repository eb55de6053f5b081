/* Sets of field paths as FieldsV1 documents. */
#include "sandbox/kube_fields.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum operation { UNION, INTERSECTION, DIFFERENCE };

bool fieldset_empty(const struct doc *set)
{
    return doc_size(set) == 0;
}

static bool node_member(const struct doc *node)
{
    return node && (doc_size(node) == 0 || doc_get(node, "."));
}

/* children (taken, may be empty) below a key of out, which is in the set itself when member */
static void node_attach(struct doc *out, const char *key, bool member, struct doc *children)
{
    if (member && doc_size(children)) {
        struct doc *node = doc_object();

        doc_set(node, ".", doc_object());
        DOC_EACH(child, children)
        doc_set(node, child.key, doc_ref(child.value));
        doc_set(out, key, node);
        doc_unref(children);
    } else if (member || doc_size(children)) {
        doc_set(out, key, children);
    } else {
        doc_unref(children);
    }
}

static bool member_of(enum operation operation, const struct doc *a, const struct doc *b)
{
    switch (operation) {
    case UNION:
        return node_member(a) || node_member(b);
    case INTERSECTION:
        return node_member(a) && node_member(b);
    case DIFFERENCE:
        return node_member(a) && !node_member(b);
    }
    return false;
}

static struct doc *combine(const struct doc *a, const struct doc *b, enum operation operation)
{
    struct doc *out;

    if (!b || doc_size(b) == 0 || (doc_size(b) == 1 && doc_get(b, ".")))
        if (operation != INTERSECTION) {
            out = doc_object();
            DOC_EACH(child, a)
            if (strcmp(child.key, ".") != 0)
                doc_set(out, child.key, doc_ref(child.value));
            return out;
        }
    out = doc_object();
    DOC_EACH(child, a)
    {
        const struct doc *other = doc_get(b, child.key);

        if (strcmp(child.key, ".") == 0)
            continue;
        if (!other && operation != INTERSECTION)
            doc_set(out, child.key, doc_ref(child.value));
        else if (other)
            node_attach(out, child.key, member_of(operation, child.value, other),
                        combine(child.value, other, operation));
    }
    if (operation == UNION)
        DOC_EACH(child, b)
    if (strcmp(child.key, ".") != 0 && !doc_get(a, child.key))
        doc_set(out, child.key, doc_ref(child.value));
    return out;
}

struct doc *fieldset_union(const struct doc *a, const struct doc *b)
{
    return combine(a, b, UNION);
}

struct doc *fieldset_intersection(const struct doc *a, const struct doc *b)
{
    return combine(a, b, INTERSECTION);
}

struct doc *fieldset_difference(const struct doc *a, const struct doc *b)
{
    return combine(a, b, DIFFERENCE);
}

bool fieldset_equal(const struct doc *a, const struct doc *b)
{
    size_t a_len = doc_size(a) - (doc_get(a, ".") ? 1 : 0), b_len = doc_size(b) - (doc_get(b, ".") ? 1 : 0);

    if (a_len != b_len)
        return false;
    DOC_EACH(child, a)
    {
        const struct doc *other = doc_get(b, child.key);

        if (strcmp(child.key, ".") == 0)
            continue;
        if (!other || node_member(child.value) != node_member(other) || !fieldset_equal(child.value, other))
            return false;
    }
    return true;
}

struct doc *fieldset_named(const struct doc *set, const struct shape *shape)
{
    struct doc *out = doc_object();

    shape = shape_ready(shape);
    DOC_EACH(child, set)
    {
        bool member = node_member(child.value), field = strncmp(child.key, "f:", 2) == 0;
        const struct shape *below = field ? shape_child(shape, child.key + 2)
                                          : (shape->kind == SHAPE_LIST ? shape_ready(shape->element) : NULL);

        if (strcmp(child.key, ".") == 0)
            continue;
        if (!member && field && shape_field(shape, child.key + 2))
            member = true;
        node_attach(out, child.key, member,
                    below ? fieldset_named(child.value, below) : combine(child.value, NULL, UNION));
    }
    return out;
}

/* k:{"name":"x","port":80} reads [name="x",port=80], v:"x" reads [="x"] */
static void path_element_add(struct buf *path, const char *key)
{
    if (strncmp(key, "f:", 2) == 0) {
        buf_addf(path, ".%s", key + 2);
    } else if (strncmp(key, "v:", 2) == 0) {
        buf_addf(path, "[=%s]", key + 2);
    } else if (strncmp(key, "k:", 2) == 0) {
        struct err err = ERR_INIT;
        struct doc *keys = json_parse(view_of(key + 2), &err);
        bool first = true;

        DOC_EACH(field, keys)
        {
            buf_addf(path, "%s%s=", first ? "[" : ",", field.key);
            json_add(path, field.value, JSON_COMPACT);
            first = false;
        }
        buf_add_char(path, ']');
        doc_unref(keys);
    } else {
        buf_addf(path, "[%s]", key + 2);
    }
}

/* The set's own order: what is in it, by name, then what is below. */
static void each_below(const struct doc *set, struct buf *path, void (*fn)(void *ctx, const char *path), void *ctx)
{
    const char **keys;
    size_t count = doc_keys_sorted(set, &keys), len = path->len;

    for (size_t i = 0; i < 2 * count; i++) {
        const char *key = keys[i % count];
        const struct doc *node = doc_get(set, key);
        bool members = i < count;

        if (strcmp(key, ".") == 0 || !(members ? node_member(node) : doc_size(node) > 0))
            continue;
        path_element_add(path, key);
        if (members)
            fn(ctx, buf_text(path));
        else
            each_below(node, path, fn, ctx);
        path->len = len;
        path->ptr[len] = '\0';
    }
    free(keys);
}

void fieldset_each(const struct doc *set, void (*fn)(void *ctx, const char *path), void *ctx)
{
    struct buf path;

    buf_init(&path, 1 << 20);
    buf_add_text(&path, "");
    buf_add_char(&path, ' ');
    buf_reset(&path);
    each_below(set, &path, fn, ctx);
    buf_free(&path);
}
