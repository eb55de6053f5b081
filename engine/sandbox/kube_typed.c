/* Values under their shapes, as server-side apply sees them: compare, merge, list of fields, removal. */
#include "sandbox/kube_fields.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

/* How a value is taken apart. */
enum parts { LEAF, BY_KEY, BY_ITEM };

static enum parts parts_of(const struct shape *shape, const struct doc *a, const struct doc *b)
{
    bool object =
        (!a || doc_is(a, DOC_NULL) || doc_is(a, DOC_OBJECT)) && (!b || doc_is(b, DOC_NULL) || doc_is(b, DOC_OBJECT));
    bool array =
        (!a || doc_is(a, DOC_NULL) || doc_is(a, DOC_ARRAY)) && (!b || doc_is(b, DOC_NULL) || doc_is(b, DOC_ARRAY));
    bool some = doc_is(a, DOC_OBJECT) || doc_is(b, DOC_OBJECT);

    if (shape->atomic)
        return LEAF;
    if (shape->kind == SHAPE_STRUCT || shape->kind == SHAPE_MAP)
        return object ? BY_KEY : LEAF;
    if (shape->kind == SHAPE_ANY)
        return object && some ? BY_KEY : LEAF;
    return shape_granular_list(shape) && array ? BY_ITEM : LEAF;
}

static const struct shape *key_shape(const struct shape *shape, const char *key)
{
    const struct shape *child = shape_child(shape, key);

    return child ? child : shapes_any();
}

static void text_key_add(struct buf *out, const char *prefix, const struct doc *value)
{
    buf_add_text(out, prefix);
    json_add(out, value, JSON_SORTED);
}

bool typed_item_key(const struct shape *list, const struct doc *item, struct buf *out)
{
    buf_reset(out);
    if (list->set) {
        text_key_add(out, "v:", item);
        return !doc_is(item, DOC_OBJECT) && !doc_is(item, DOC_ARRAY) && !doc_is(item, DOC_NULL);
    }
    if (!doc_is(item, DOC_OBJECT))
        return false;
    const struct shape *element = shape_ready(list->element);
    struct doc *keys = doc_object();
    for (size_t i = 0; i < list->keys_len; i++) {
        const struct shape_field *field = shape_field(element, list->keys[i]);
        struct doc *value = doc_get(item, list->keys[i]);

        if (!value && field)
            value = field->fallback;
        if (value)
            doc_set(keys, list->keys[i], doc_ref(value));
    }
    bool found = doc_size(keys) > 0;
    text_key_add(out, "k:", keys);
    doc_unref(keys);
    return found;
}

/* The items of a list by their keys; of twins the first. */
static struct doc *items_by_key(const struct shape *list, const struct doc *value)
{
    struct doc *out = doc_object();
    struct buf key;

    buf_init(&key, 1 << 20);
    for (size_t i = 0; i < doc_size(value); i++)
        if (typed_item_key(list, doc_at(value, i), &key) && !doc_get(out, buf_text(&key)))
            doc_set(out, buf_text(&key), doc_ref(doc_at(value, i)));
    buf_free(&key);
    return out;
}

static void member_attach(struct doc **out, const char *prefix, const char *key, bool member, struct doc *children)
{
    struct buf name;

    if (!member && doc_size(children) == 0) {
        doc_unref(children);
        return;
    }
    if (!children)
        children = doc_object();
    else if (member && doc_size(children) > 0)
        doc_set(children, ".", doc_object());
    if (!*out)
        *out = doc_object();
    buf_init(&name, SIZE_MAX);
    buf_add_text(&name, prefix);
    buf_add_text(&name, key);
    doc_set(*out, buf_text(&name), children);
    buf_free(&name);
}

/* ---- compare ---- */

struct difference {
    bool added, removed, modified;
    struct typed_changes below; /* NULL where empty */
};

static void compare_at(const struct shape *shape, const struct doc *before, const struct doc *after,
                       struct difference *out);

static void compare_child(const struct shape *shape, const char *prefix, const char *key, const struct doc *before,
                          const struct doc *after, struct difference *out)
{
    struct difference child = {0};

    if (doc_equal(before, after))
        return;
    compare_at(shape, before, after, &child);
    member_attach(&out->below.added, prefix, key, child.added, child.below.added);
    member_attach(&out->below.removed, prefix, key, child.removed, child.below.removed);
    member_attach(&out->below.modified, prefix, key, child.modified, child.below.modified);
}

static void compare_keys(const struct shape *shape, const char *prefix, const struct doc *before,
                         const struct doc *after, struct difference *out)
{
    const struct shape *element = *prefix ? NULL : shape_ready(shape->element);

    prefix = element ? "" : prefix;
    DOC_EACH(member, before)
    compare_child(element ? element : key_shape(shape, member.key), prefix, member.key, member.value,
                  doc_get(after, member.key), out);
    DOC_EACH(member, after)
    if (!doc_get(before, member.key))
        compare_child(element ? element : key_shape(shape, member.key), prefix, member.key, NULL, member.value, out);
}

static void compare_at(const struct shape *shape, const struct doc *before, const struct doc *after,
                       struct difference *out)
{
    enum parts parts = parts_of(shape, before, after);

    if (doc_size(before) == 0 && doc_size(after) == 0)
        parts = LEAF;
    if (parts == BY_KEY) {
        compare_keys(shape, "f:", before, after, out);
    } else if (parts == BY_ITEM) {
        struct doc *left = items_by_key(shape, before), *right = items_by_key(shape, after);

        compare_keys(shape, "", left, right, out);
        doc_unref(left);
        doc_unref(right);
    }
    if (!before)
        out->added = true;
    else if (!after)
        out->removed = true;
    else if (parts == LEAF)
        out->modified = !doc_equal(before, after);
}

void typed_compare(const struct shape *shape, const struct doc *before, const struct doc *after,
                   struct typed_changes *out)
{
    struct difference root = {0};

    compare_at(shape_ready(shape), before, after, &root);
    out->added = root.below.added ? root.below.added : doc_object();
    out->removed = root.below.removed ? root.below.removed : doc_object();
    out->modified = root.below.modified ? root.below.modified : doc_object();
}

void typed_changes_clear(struct typed_changes *changes)
{
    doc_unref(changes->added);
    doc_unref(changes->removed);
    doc_unref(changes->modified);
    *changes = (struct typed_changes){0};
}

/* ---- fields ---- */

static struct doc *fields_at(const struct shape *shape, const struct doc *value, bool *leaf)
{
    struct doc *out = NULL;
    enum parts parts = parts_of(shape, value, NULL);

    *leaf = parts == LEAF;
    if (parts == BY_KEY) {
        DOC_EACH(member, value)
        {
            bool whole, named = shape_field(shape, member.key) != NULL ||
                                (shape->root && shape_child(shape, member.key) && shape->kind == SHAPE_STRUCT);
            struct doc *below = fields_at(key_shape(shape, member.key), member.value, &whole);
            bool nothing =
                doc_is(member.value, DOC_NULL) || (doc_is(member.value, DOC_OBJECT) && !doc_size(member.value));

            member_attach(&out, "f:", member.key, whole || nothing || !named, below);
        }
    } else if (parts == BY_ITEM) {
        struct doc *items = items_by_key(shape, value);

        DOC_EACH(item, items)
        {
            bool whole;

            member_attach(&out, "", item.key, true, fields_at(shape_ready(shape->element), item.value, &whole));
        }
        doc_unref(items);
    }
    return out;
}

struct doc *typed_fields(const struct shape *shape, const struct doc *value)
{
    bool leaf;
    struct doc *out = fields_at(shape_ready(shape), value, &leaf);

    return out ? out : doc_object();
}

/* ---- merge ---- */

static struct doc *merge_at(const struct shape *shape, const struct doc *live, const struct doc *applied);

static struct doc *merge_keys(const struct shape *shape, const struct doc *live, const struct doc *applied)
{
    struct doc *out = doc_object();

    DOC_EACH(member, live)
    doc_set(out, member.key, merge_at(key_shape(shape, member.key), member.value, doc_get(applied, member.key)));
    DOC_EACH(member, applied)
    if (!doc_get(live, member.key))
        doc_set(out, member.key, doc_ref(member.value));
    return out;
}

static char **item_keys(const struct shape *list, const struct doc *value)
{
    char **keys = mem_array(doc_size(value) + 1, sizeof(char *));
    struct buf key;

    buf_init(&key, 1 << 20);
    for (size_t i = 0; i < doc_size(value); i++) {
        typed_item_key(list, doc_at(value, i), &key);
        keys[i] = mem_text(buf_text(&key));
    }
    buf_free(&key);
    return keys;
}

static void item_keys_free(char **keys, size_t len)
{
    for (size_t i = 0; i < len; i++)
        free(keys[i]);
    free(keys);
}

/* Two lists on their way to one. `shared` walks through the applied keys that live has too. */
struct list_merge {
    const struct shape *list;
    const struct doc *live, *applied;
    char **live_keys, **applied_keys;
    size_t live_len, applied_len, shared;
    struct doc *live_by_key, *applied_by_key, *done, *out;
};

static const char *shared_key(const struct list_merge *merge)
{
    for (size_t i = merge->shared; i < merge->applied_len; i++)
        if (doc_get(merge->live_by_key, merge->applied_keys[i]))
            return merge->applied_keys[i];
    return NULL;
}

static void shared_next(struct list_merge *merge)
{
    while (merge->shared < merge->applied_len && !doc_get(merge->live_by_key, merge->applied_keys[merge->shared]))
        merge->shared++;
    merge->shared++;
}

static void item_put(struct list_merge *merge, const char *key)
{
    doc_push(merge->out, merge_at(shape_ready(merge->list->element), doc_get(merge->live_by_key, key),
                                  doc_get(merge->applied_by_key, key)));
    doc_set_bool(merge->done, key, true);
}

/* Applied order wins among shared items; what only live has stays where it stands between them. */
static void list_walk(struct list_merge *merge)
{
    for (size_t l = 0, r = 0; l < merge->live_len || r < merge->applied_len;) {
        const char *left = l < merge->live_len ? merge->live_keys[l] : NULL;
        const char *right = r < merge->applied_len ? merge->applied_keys[r] : NULL;
        const char *shared = shared_key(merge);

        if (left && right && strcmp(left, right) == 0) {
            item_put(merge, left);
            l++;
            r++;
            shared_next(merge);
            continue;
        }
        if (left && right && doc_get(merge->applied_by_key, left) && shared && strcmp(shared, left) != 0) {
            l++;
            continue;
        }
        if (left && !doc_get(merge->applied_by_key, left)) {
            doc_push(merge->out, doc_ref(doc_at(merge->live, l++)));
            continue;
        }
        if (left && doc_get(merge->done, left))
            l++;
        if (right) {
            item_put(merge, right);
            r++;
            if (shared && strcmp(shared, right) == 0)
                shared_next(merge);
        }
    }
}

static struct doc *merge_items(const struct shape *list, const struct doc *live, const struct doc *applied)
{
    struct list_merge merge = {.list = list,
                               .live = live,
                               .applied = applied,
                               .live_keys = item_keys(list, live),
                               .applied_keys = item_keys(list, applied),
                               .live_len = doc_size(live),
                               .applied_len = doc_size(applied),
                               .live_by_key = items_by_key(list, live),
                               .applied_by_key = items_by_key(list, applied),
                               .done = doc_object(),
                               .out = doc_array()};

    list_walk(&merge);
    item_keys_free(merge.live_keys, merge.live_len);
    item_keys_free(merge.applied_keys, merge.applied_len);
    doc_unref(merge.live_by_key);
    doc_unref(merge.applied_by_key);
    doc_unref(merge.done);
    return merge.out;
}

static struct doc *merge_at(const struct shape *shape, const struct doc *live, const struct doc *applied)
{
    enum parts parts = parts_of(shape, live, applied);

    if (!applied)
        return doc_ref(live);
    if (!live || parts == LEAF || (doc_size(live) == 0 && doc_size(applied) == 0))
        return doc_ref(applied);
    return parts == BY_KEY ? merge_keys(shape, live, applied) : merge_items(shape, live, applied);
}

struct doc *typed_merge(const struct shape *shape, const struct doc *live, const struct doc *applied)
{
    return merge_at(shape_ready(shape), live, applied);
}

/* ---- removal ---- */

static bool set_member(const struct doc *node)
{
    return node && (doc_size(node) == 0 || doc_get(node, "."));
}

/* 0: keep as it is, 1: gone, 2: something below goes */
static int removal_of(const struct doc *set, const char *key, const struct doc **below)
{
    *below = doc_get(set, key);
    if (set_member(*below))
        return 1;
    return *below && doc_size(*below) ? 2 : 0;
}

static struct doc *remove_keys(const struct shape *shape, const struct doc *value, const struct doc *set)
{
    struct doc *out = doc_object();

    DOC_EACH(member, value)
    {
        const struct doc *below;
        char *key = mem_printf("f:%s", member.key);
        int removal = removal_of(set, key, &below);

        free(key);
        if (removal == 0)
            doc_set(out, member.key, doc_ref(member.value));
        else if (removal == 2)
            doc_set(out, member.key, typed_remove(key_shape(shape, member.key), member.value, below));
    }
    return out;
}

static struct doc *remove_items(const struct shape *list, const struct doc *value, const struct doc *set)
{
    struct doc *out = doc_array();
    struct buf key;

    buf_init(&key, 1 << 20);
    for (size_t i = 0; i < doc_size(value); i++) {
        const struct doc *below;

        typed_item_key(list, doc_at(value, i), &key);
        int removal = removal_of(set, buf_text(&key), &below);
        if (removal == 0)
            doc_push(out, doc_ref(doc_at(value, i)));
        else if (removal == 2)
            doc_push(out, typed_remove(list->element, doc_at(value, i), below));
    }
    buf_free(&key);
    return out;
}

struct doc *typed_remove(const struct shape *shape, const struct doc *value, const struct doc *set)
{
    struct doc *out;

    shape = shape_ready(shape);
    if (doc_size(set) == 0 || (!doc_is(value, DOC_OBJECT) && !doc_is(value, DOC_ARRAY)))
        return doc_ref(value);
    switch (parts_of(shape, value, NULL)) {
    case BY_KEY:
        out = remove_keys(shape, value, set);
        break;
    case BY_ITEM:
        out = remove_items(shape, value, set);
        break;
    default:
        return doc_null();
    }
    if (doc_size(out))
        return out;
    doc_unref(out);
    return doc_null();
}
