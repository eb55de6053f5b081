/*
 * Managed fields: who owns what (structured-merge-diff's FieldsV1).
 *
 * A set is a tree: "f:name" a member, "k:{...}" a list element by its merge keys, "v:..." an element of a set by its
 * value, "i:n" one by position, "." the container itself; a node without children is a leaf, owned with all it holds.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
#include "kube/inside.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

/* ---- entries ---- */

static bool entry_is(const struct doc *entry, const char *manager, const char *operation)
{
    return (!manager || strcmp(doc_as_text(doc_get(entry, "manager"), ""), manager) == 0) &&
           (!operation || strcmp(doc_as_text(doc_get(entry, "operation"), ""), operation) == 0);
}

/* What the manager owns by Apply on the object itself. */
static const struct doc *applied_entry(const struct doc *object, const char *manager)
{
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL);

    for (size_t i = 0; i < doc_size(entries); i++) {
        const struct doc *entry = doc_at(entries, i);

        if (entry_is(entry, manager, "Apply") && !doc_as_text(doc_get(entry, "subresource"), "")[0])
            return entry;
    }
    return NULL;
}

static bool is_leaf(const struct doc *set)
{
    return doc_size(set) == 0 || (doc_size(set) == 1 && doc_get(set, "."));
}

/* ---- steps of a set ---- */

/* What follows "k:" or "v:" as a document; NULL when it is broken. */
static struct doc *step_value(const char *step)
{
    struct err ignored = ERR_INIT;
    struct doc *wrapped, *value;
    char *text = mem_printf("[%s]", step + 2); /* bare scalars are JSON texts, too, but not for every parser */

    wrapped = json_parse(view_of(text), &ignored);
    value = doc_ref(doc_at(wrapped, 0));
    doc_unref(wrapped);
    free(text);
    return value;
}

static bool holds_keys(const struct doc *element, const struct doc *keys)
{
    DOC_EACH(key, keys)
    {
        if (!doc_equal(doc_get(element, key.key), key.value))
            return false;
    }
    return doc_is(element, DOC_OBJECT);
}

/* Index of the list element that the step means; the list's size when there is none. */
static size_t step_index(const struct doc *list, const char *step)
{
    size_t count = doc_size(list), at = 0;
    struct doc *value;

    if (step[0] == 'i')
        return (size_t)strtoull(step + 2, NULL, 10) < count ? (size_t)strtoull(step + 2, NULL, 10) : count;
    value = step_value(step);
    for (at = 0; at < count; at++) {
        if (step[0] == 'k' ? holds_keys(doc_at(list, at), value) : doc_equal(doc_at(list, at), value))
            break;
    }
    doc_unref(value);
    return at;
}

/* Does anybody own something below the place where `set` of one entry stands? Then it is no atomic value. */
struct trail {
    const struct trail *up;
    const char *step; /* NULL at the root */
};

static const struct doc *trail_follow(const struct doc *set, const struct trail *trail)
{
    if (!trail->up)
        return set;
    set = trail_follow(set, trail->up);
    return doc_get(set, trail->step);
}

static bool divided_by_others(const struct doc *object, const struct trail *trail)
{
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL);

    for (size_t i = 0; i < doc_size(entries); i++) {
        const struct doc *set = trail_follow(doc_get(doc_at(entries, i), "fieldsV1"), trail);

        if (set && !is_leaf(set))
            return true;
    }
    return false;
}

/* ---- what was applied ---- */

static struct doc *extract(const struct doc *object, const struct doc *live, const struct doc *set,
                           const struct trail *trail);

static void extract_element(struct doc *list, const struct doc *object, const struct doc *live, const char *step,
                            const struct doc *set, const struct trail *trail)
{
    size_t index = step_index(live, step);
    struct doc *element, *keys;

    if (index == doc_size(live))
        return;
    element = extract(object, doc_at(live, index), set, trail);
    if (step[0] == 'k' && doc_is(element, DOC_OBJECT)) {
        keys = step_value(step); /* an element cannot be applied without them, though it need not own them */
        DOC_EACH(key, keys)
        {
            if (!doc_get(element, key.key))
                doc_set(element, key.key, doc_ref(key.value));
        }
        doc_unref(keys);
    }
    doc_push(list, element);
}

/* Index in the live list, to keep its order: FieldsV1 is sorted. */
static void extract_list(struct doc *list, const struct doc *object, const struct doc *live, const struct doc *set,
                         const struct trail *trail)
{
    for (size_t at = 0; at < doc_size(live); at++) {
        DOC_EACH(member, set)
        {
            struct trail inner = {trail, member.key};

            if (strcmp(member.key, ".") != 0 && step_index(live, member.key) == at)
                extract_element(list, object, live, member.key, member.value, &inner);
        }
    }
}

static struct doc *extract(const struct doc *object, const struct doc *live, const struct doc *set,
                           const struct trail *trail)
{
    struct doc *out;

    if (is_leaf(set)) {
        if ((doc_is(live, DOC_OBJECT) || doc_is(live, DOC_ARRAY)) &&
            (doc_get(set, ".") || divided_by_others(object, trail)))
            return doc_is(live, DOC_OBJECT) ? doc_object() : doc_array();
        return doc_copy(live);
    }
    if (doc_is(live, DOC_ARRAY)) {
        out = doc_array();
        extract_list(out, object, live, set, trail);
        return out;
    }
    out = doc_object();
    DOC_EACH(member, set)
    {
        struct trail inner = {trail, member.key};
        const struct doc *value = view_starts(view_of(member.key), "f:") ? doc_get(live, member.key + 2) : NULL;

        if (value)
            doc_set(out, member.key + 2, extract(object, value, member.value, &inner));
    }
    return out;
}

struct doc *kube_fields_applied(const struct doc *object, const char *manager)
{
    static const struct trail root;
    const struct doc *entry = applied_entry(object, manager);
    struct doc *applied, *fields, *metadata;

    if (!entry || is_leaf(doc_get(entry, "fieldsV1")))
        return NULL;
    applied = doc_object();
    doc_set(applied, "apiVersion", doc_ref(doc_get(object, "apiVersion")));
    doc_set(applied, "kind", doc_ref(doc_get(object, "kind")));
    fields = extract(object, object, doc_get(entry, "fieldsV1"), &root);
    metadata = doc_object();
    doc_set(metadata, "name", doc_ref(doc_path(object, "metadata", "name", NULL)));
    if (doc_path(object, "metadata", "namespace", NULL))
        doc_set(metadata, "namespace", doc_ref(doc_path(object, "metadata", "namespace", NULL)));
    DOC_EACH(member, doc_get(fields, "metadata"))
    doc_set(metadata, member.key, doc_ref(member.value));
    doc_set(applied, "metadata", metadata);
    DOC_EACH(member, fields)
    {
        if (strcmp(member.key, "metadata") != 0)
            doc_set(applied, member.key, doc_ref(member.value));
    }
    doc_unref(fields);
    return applied;
}

/* ---- would applying change anything? ---- */

static bool settled(const struct doc *manifest, const struct doc *live, const struct doc *set);

static bool settled_object(const struct doc *manifest, const struct doc *live, const struct doc *set)
{
    size_t owned = doc_size(set) - (doc_get(set, ".") ? 1 : 0);
    struct buf step;
    bool good = doc_size(manifest) == owned;

    buf_init(&step, 4096);
    DOC_EACH(member, manifest)
    {
        buf_reset(&step);
        buf_addf(&step, "f:%s", member.key);
        good = good && settled(member.value, doc_get(live, member.key), doc_get(set, buf_text(&step)));
    }
    buf_free(&step);
    return good;
}

/* The set's step for this element of the manifest; keys that the manifest leaves to the server's defaults may lack. */
static const char *element_step(const struct doc *element, const struct doc *set)
{
    const char *found = NULL;

    DOC_EACH(member, set)
    {
        struct doc *value;
        bool fits = true, any = false;

        if (member.key[0] != 'k' && member.key[0] != 'v')
            continue;
        value = step_value(member.key);
        if (member.key[0] == 'v') {
            fits = any = doc_equal(element, value);
        } else {
            DOC_EACH(key, value)
            {
                any = any || doc_get(element, key.key);
                fits = fits && (!doc_get(element, key.key) || doc_equal(doc_get(element, key.key), key.value));
            }
        }
        doc_unref(value);
        if (fits && any && found)
            return NULL; /* cannot be told */
        if (fits && any)
            found = member.key;
    }
    return found;
}

static bool settled_list(const struct doc *manifest, const struct doc *live, const struct doc *set)
{
    size_t owned = doc_size(set) - (doc_get(set, ".") ? 1 : 0), before = 0;

    if (doc_size(manifest) != owned)
        return false;
    for (size_t i = 0; i < doc_size(manifest); i++) {
        const char *step = element_step(doc_at(manifest, i), set);
        size_t index = step ? step_index(live, step) : doc_size(live);

        if (index == doc_size(live) || (i && index <= before)) /* another order would be a change */
            return false;
        before = index;
        if (step[0] == 'k' && !settled(doc_at(manifest, i), doc_at(live, index), doc_get(set, step)))
            return false;
    }
    return true;
}

static bool settled(const struct doc *manifest, const struct doc *live, const struct doc *set)
{
    if (!set || !live || doc_is(manifest, DOC_NULL))
        return false;
    if (doc_size(set) == 0)
        return doc_equal(manifest, live);
    if (doc_is(manifest, DOC_OBJECT) && doc_is(live, DOC_OBJECT))
        return settled_object(manifest, live, set);
    if (doc_is(manifest, DOC_ARRAY) && doc_is(live, DOC_ARRAY))
        return settled_list(manifest, live, set);
    return false;
}

bool kube_fields_settled(const struct doc *object, const struct doc *manifest, const char *manager)
{
    const struct doc *entry = applied_entry(object, manager);
    struct doc *fields, *metadata;
    bool good;

    if (!entry || !doc_equal(doc_get(entry, "apiVersion"), doc_get(manifest, "apiVersion")) ||
        !doc_equal(doc_get(object, "kind"), doc_get(manifest, "kind")) ||
        doc_path(object, "metadata", "deletionTimestamp", NULL))
        return false;
    fields = doc_copy(manifest);
    metadata = doc_get(fields, "metadata");
    doc_remove(fields, "apiVersion"); /* what names the object has no owner */
    doc_remove(fields, "kind");
    doc_remove(metadata, "name");
    doc_remove(metadata, "namespace");
    if (metadata && !doc_size(metadata))
        doc_remove(fields, "metadata");
    good = settled_object(fields, object, doc_get(entry, "fieldsV1"));
    doc_unref(fields);
    return good;
}

/* ---- who owns this ---- */

/* The step of the set that leads where the pointer's token leads in `live`; moves *live along. */
static const struct doc *token_follow(const struct doc *set, const struct doc **live, const char *token)
{
    struct buf step;
    const struct doc *found = NULL;

    if (!doc_is(*live, DOC_ARRAY)) {
        buf_init(&step, 4096);
        buf_addf(&step, "f:%s", token);
        found = doc_get(set, buf_text(&step));
        *live = doc_get(*live, token);
        buf_free(&step);
        return found;
    }
    DOC_EACH(member, set)
    {
        if (strcmp(member.key, ".") != 0 && step_index(*live, member.key) == (size_t)strtoull(token, NULL, 10) &&
            step_index(*live, member.key) < doc_size(*live))
            found = member.value;
    }
    *live = doc_at(*live, (size_t)strtoull(token, NULL, 10));
    return found;
}

/* 0: not at all; 1: something below it; 2: all of a container above it; 3: it. */
static int ownership(const struct doc *entry, const struct doc *object, const char *pointer)
{
    const struct doc *set = doc_get(entry, "fieldsV1"), *live = object;
    struct buf token;
    int rank = 0;

    buf_init(&token, 4096);
    while (*pointer == '/') {
        if (set != doc_get(entry, "fieldsV1") && doc_size(set) == 0) {
            rank = 2;
            goto out;
        }
        buf_reset(&token);
        for (pointer++; *pointer && *pointer != '/'; pointer++) {
            if (*pointer == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                buf_add_char(&token, *++pointer == '0' ? '~' : '/');
            else
                buf_add_char(&token, *pointer);
        }
        set = token_follow(set, &live, buf_text(&token));
        if (!set)
            goto out;
    }
    rank = doc_size(set) == 0 || doc_get(set, ".") ? 3 : 1;
out:
    buf_free(&token);
    return rank;
}

const struct doc *kube_fields_owner(const struct doc *object, const char *pointer, const char *except)
{
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL), *best = NULL;
    const char *newest = "";
    int best_rank = 0;

    for (size_t i = 0; i < doc_size(entries); i++) {
        const struct doc *entry = doc_at(entries, i);
        const char *time = doc_as_text(doc_get(entry, "time"), "");
        int rank = except && entry_is(entry, except, NULL) ? 0 : ownership(entry, object, pointer);

        /* Times are RFC 3339 in UTC: they sort as texts. */
        if (rank > best_rank || (rank && rank == best_rank && strcmp(time, newest) > 0)) {
            best = entry;
            best_rank = rank;
            newest = time;
        }
    }
    return best;
}

bool kube_fields_owned_by(const struct doc *object, const char *pointer, const char *manager)
{
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL);

    for (size_t i = 0; i < doc_size(entries); i++) {
        if (entry_is(doc_at(entries, i), manager, NULL) && ownership(doc_at(entries, i), object, pointer) >= 1)
            return true;
    }
    return false;
}

char *kube_fields_manager(const struct doc *object, const char *pointer)
{
    const struct doc *entry = kube_fields_owner(object, pointer, NULL);
    const char *time = doc_path_text(entry, "time", NULL);

    if (!entry)
        return NULL;
    return time ? mem_printf("%s (%s)", doc_as_text(doc_get(entry, "manager"), "?"), time)
                : mem_text(doc_as_text(doc_get(entry, "manager"), "?"));
}
