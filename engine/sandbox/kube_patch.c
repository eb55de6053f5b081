/*
 * Patches that are no apply: JSON patch, merge patch, strategic merge patch. The last one merges
 * lists by the keys of the shape and knows $patch: delete | replace, $deleteFromPrimitiveList/<field>,
 * $retainKeys and ignores $setElementOrder/<field>. Source: "Strategic Merge Patch", API conventions.
 */
#include "sandbox/kube_cluster.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

static struct doc *strategic_object(const struct shape *shape, const struct doc *live, const struct doc *patch);

/* The key by which a list of objects is merged, NULL: it is replaced. */
static const char *merge_key(const struct shape_field *field, const struct shape *list)
{
    if (field && field->patch)
        return strcmp(field->patch, "replace") == 0 ? NULL : field->patch;
    return list->keys_len ? list->keys[0] : NULL;
}

static size_t item_find(const struct doc *list, const char *key, const struct doc *value)
{
    for (size_t i = 0; i < doc_size(list); i++)
        if (doc_equal(doc_get(doc_at(list, i), key), value))
            return i;
    return SIZE_MAX;
}

static bool directive_is(const struct doc *item, const char *what)
{
    return strcmp(doc_as_text(doc_get(item, "$patch"), ""), what) == 0;
}

static struct doc *without_directives(const struct doc *value)
{
    struct doc *out = doc_object();

    DOC_EACH(member, value)
    if (*member.key != '$')
        doc_set(out, member.key, doc_ref(member.value));
    return out;
}

/* Where the server's list has the item: by key, or by value when key is NULL. */
static size_t server_place(const struct doc *live, const char *key, const struct doc *item)
{
    if (key)
        return item_find(live, key, doc_get(item, key));
    for (size_t i = 0; i < doc_size(live); i++)
        if (doc_equal(doc_at(live, i), item))
            return i;
    return SIZE_MAX;
}

/* The patch's items in its order (new ones first), those of the server alone at their places between them. */
static struct doc *strategic_order(const struct doc *live, const char *key, const struct doc *patched,
                                   const struct doc *rest)
{
    struct doc *out = doc_array();
    size_t left = 0, right = 0;

    while (left < doc_size(patched) || right < doc_size(rest)) {
        const struct doc *one = doc_at(patched, left), *other = doc_at(rest, right);
        size_t place = one ? server_place(live, key, one) : SIZE_MAX;
        bool first = one && (!other || place == SIZE_MAX || place <= server_place(live, key, other));

        doc_push(out, doc_ref(first ? one : other));
        left += first;
        right += !first;
    }
    return out;
}

/* The server's items that the patch does not delete; none when it replaces the list. */
static struct doc *strategic_kept(const char *key, const struct doc *live, const struct doc *patch)
{
    struct doc *kept = doc_array(), *gone = doc_array();

    for (size_t i = 0; i < doc_size(patch); i++) {
        if (directive_is(doc_at(patch, i), "replace"))
            live = NULL;
        if (directive_is(doc_at(patch, i), "delete"))
            doc_push(gone, doc_ref(doc_at(patch, i)));
    }
    for (size_t i = 0; i < doc_size(live); i++)
        if (item_find(gone, key, doc_get(doc_at(live, i), key)) == SIZE_MAX)
            doc_push(kept, doc_ref(doc_at(live, i)));
    doc_unref(gone);
    return kept;
}

/* The items of `merged` that the patch names, in its order, and those of the server alone. */
static void strategic_part(const char *key, const struct doc *merged, const struct doc *patch, struct doc *patched,
                           struct doc *rest)
{
    for (size_t i = 0; i < doc_size(patch); i++) {
        const struct doc *value = doc_get(doc_at(patch, i), key);

        for (size_t j = 0; item_find(patch, key, value) == i && j < doc_size(merged); j++)
            if (doc_equal(doc_get(doc_at(merged, j), key), value))
                doc_push(patched, doc_ref(doc_at(merged, j)));
    }
    for (size_t i = 0; i < doc_size(merged); i++)
        if (item_find(patch, key, doc_get(doc_at(merged, i), key)) == SIZE_MAX)
            doc_push(rest, doc_ref(doc_at(merged, i)));
}

/* Keys need not be unique (a port's two protocols): what the patch says goes into the first item that has its key. */
static struct doc *strategic_list(const struct shape *list, const char *key, const struct doc *live,
                                  const struct doc *patch)
{
    struct doc *merged = strategic_kept(key, live, patch), *plain = doc_array(), *out;
    struct doc *patched = doc_array(), *rest = doc_array();

    for (size_t i = 0; i < doc_size(patch); i++) {
        const struct doc *item = doc_at(patch, i);
        size_t at = item_find(merged, key, doc_get(item, key));

        if (doc_get(item, "$patch"))
            continue;
        doc_push(plain, doc_ref(item));
        if (at == SIZE_MAX)
            doc_push(merged, strategic_object(shape_ready(list->element), NULL, item));
        else
            doc_put_at(merged, at, strategic_object(shape_ready(list->element), doc_at(merged, at), item));
    }
    strategic_part(key, merged, plain, patched, rest);
    out = strategic_order(live, key, patched, rest);
    doc_unref(merged);
    doc_unref(plain);
    doc_unref(patched);
    doc_unref(rest);
    return out;
}

static struct doc *strategic_set(const struct doc *live, const struct doc *patch)
{
    struct doc *rest = doc_array(), *out;

    for (size_t i = 0; i < doc_size(live); i++)
        if (server_place(patch, NULL, doc_at(live, i)) == SIZE_MAX)
            doc_push(rest, doc_ref(doc_at(live, i)));
    out = strategic_order(live, NULL, patch, rest);
    doc_unref(rest);
    return out;
}

static void delete_from_list(struct doc *out, const char *field, const struct doc *values)
{
    struct doc *kept = doc_array();
    const struct doc *live = doc_get(out, field);

    for (size_t i = 0; i < doc_size(live); i++) {
        bool drop = false;

        for (size_t j = 0; j < doc_size(values); j++)
            drop |= doc_equal(doc_at(live, i), doc_at(values, j));
        if (!drop)
            doc_push(kept, doc_ref(doc_at(live, i)));
    }
    if (live)
        doc_set(out, field, kept);
    else
        doc_unref(kept);
}

static void retain_keys(struct doc *out, const struct doc *names)
{
    const char **keys;
    size_t len = doc_keys_sorted(out, &keys);
    struct doc *gone = doc_array();

    for (size_t i = 0; i < len; i++) {
        bool keep = false;

        for (size_t j = 0; j < doc_size(names); j++)
            keep |= strcmp(doc_as_text(doc_at(names, j), ""), keys[i]) == 0;
        if (!keep)
            doc_push(gone, doc_text(keys[i]));
    }
    free(keys);
    for (size_t i = 0; i < doc_size(gone); i++)
        doc_remove(out, doc_as_text(doc_at(gone, i), ""));
    doc_unref(gone);
}

static struct doc *strategic_member(const struct shape *shape, const char *key, const struct doc *live,
                                    const struct doc *patch)
{
    const struct shape *below = shape_child(shape, key);
    const struct shape_field *field = shape_field(shape, key);

    if (!below)
        return doc_ref(patch);
    if (doc_is(patch, DOC_ARRAY) && below->kind == SHAPE_LIST &&
        (!field || !field->patch || strcmp(field->patch, "replace") != 0)) {
        const char *name = merge_key(field, below);

        if (name && shape_ready(below->element)->kind == SHAPE_STRUCT)
            return strategic_list(below, name, live, patch);
        return below->set ? strategic_set(live, patch) : doc_ref(patch);
    }
    if (doc_is(patch, DOC_OBJECT) &&
        (below->kind == SHAPE_STRUCT || below->kind == SHAPE_MAP || below->kind == SHAPE_ANY))
        return strategic_object(below, live, patch);
    return doc_ref(patch);
}

static struct doc *strategic_object(const struct shape *shape, const struct doc *live, const struct doc *patch)
{
    struct doc *out = doc_object();

    if (directive_is(patch, "replace")) {
        doc_unref(out);
        return without_directives(patch);
    }
    DOC_EACH(member, live)
    doc_set(out, member.key, doc_ref(member.value));
    if (doc_get(patch, "$retainKeys"))
        retain_keys(out, doc_get(patch, "$retainKeys"));
    DOC_EACH(member, patch)
    {
        if (strncmp(member.key, "$deleteFromPrimitiveList/", 25) == 0)
            delete_from_list(out, member.key + 25, member.value);
        else if (*member.key == '$')
            continue;
        else if (doc_is(member.value, DOC_NULL) || directive_is(member.value, "delete"))
            doc_remove(out, member.key);
        else
            doc_set(out, member.key, strategic_member(shape, member.key, doc_get(live, member.key), member.value));
    }
    return out;
}

static struct doc *rejected(struct write *write)
{
    struct doc *status = status_new(422, "Invalid", "the server rejected our request due to an error in our request");

    status_details(status);
    write_fail(write, status);
    return NULL;
}

/* The server's library lets "replace" add a member that an object lacks; RFC 6902 does not. */
static struct doc *replace_as_add(const struct doc *live, const struct doc *operation)
{
    const char *path = doc_as_text(doc_get(operation, "path"), ""), *slash = strrchr(path, '/');
    struct doc *out = doc_copy(operation);

    if (strcmp(doc_as_text(doc_get(operation, "op"), ""), "replace") == 0 && slash && !doc_pointer(live, path)) {
        char *parent = mem_view((struct view){path, (size_t)(slash - path)});

        if (doc_is(*parent ? doc_pointer(live, parent) : live, DOC_OBJECT))
            doc_set_text(out, "op", "add");
        free(parent);
    }
    return out;
}

static struct doc *json_patched(const struct doc *live, const struct doc *patch)
{
    struct err err = ERR_INIT;
    struct doc *now = doc_is(patch, DOC_ARRAY) ? doc_copy(live) : NULL;

    for (size_t i = 0; now && i < doc_size(patch); i++) {
        struct doc *one = doc_array();

        doc_push(one, replace_as_add(now, doc_at(patch, i)));
        struct doc *next = doc_json_patch(now, one, &err);
        doc_unref(now);
        doc_unref(one);
        now = next;
    }
    return now;
}

struct doc *patch_merge(struct write *write, const struct doc *live, const char *type, struct view body)
{
    struct err err = ERR_INIT;
    bool strategic = strcmp(type, "application/strategic-merge-patch+json") == 0;
    struct doc *patch = json_parse(body, &err), *out;

    if (!patch) {
        write_fail(write, status_new(400, "BadRequest", "error decoding patch: %s", err.message));
        return NULL;
    }
    if (strcmp(type, "application/json-patch+json") == 0) {
        out = json_patched(live, patch);
        if (!out)
            out = rejected(write);
    } else if (!doc_is(patch, DOC_OBJECT)) {
        out = NULL;
        write_fail(write, status_new(400, "BadRequest",
                                     "error decoding patch: json: cannot unmarshal %s into Go value of type "
                                     "map[string]interface {}",
                                     doc_type_name(patch)));
    } else if (strategic) {
        struct doc *shared = strategic_object(shape_ready(write->resource->shape), live, patch);

        out = doc_copy(shared);
        doc_unref(shared);
    } else {
        out = doc_copy(live);
        doc_merge_patch(out, patch);
    }
    doc_unref(patch);
    return out;
}
