/*
 * Places in objects: like JSON pointers, but elements of lists that have a merge key are named by it, so that a place
 * means the same in another version of the object. And the walk over several versions at once.
 */
#include "kube/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 64 };

/* ---- one step ---- */

static bool element_matches(const struct doc *element, const struct doc *keys)
{
    DOC_EACH(key, keys)
    {
        if (!doc_equal(doc_get(element, key.key), key.value))
            return false;
    }
    return doc_is(element, DOC_OBJECT);
}

/* Index of what the step means in this list, or its length. */
static size_t element_find(const struct doc *list, const struct doc *step)
{
    if (doc_is(step, DOC_INT))
        return (size_t)doc_as_int(step, 0) < doc_size(list) ? (size_t)doc_as_int(step, 0) : doc_size(list);
    for (size_t i = 0; i < doc_size(list); i++) {
        if (element_matches(doc_at(list, i), step))
            return i;
    }
    return doc_size(list);
}

static struct doc *step_get(const struct doc *doc, const struct doc *step)
{
    if (doc_is(step, DOC_STRING))
        return doc_get(doc, doc_as_text(step, ""));
    return doc_at(doc, element_find(doc, step));
}

struct doc *kube_place_get(const struct doc *object, const struct doc *place)
{
    struct doc *at = (struct doc *)object;

    for (size_t i = 0; at && i < doc_size(place); i++)
        at = step_get(at, doc_at(place, i));
    return at;
}

/* Puts value (taken) where the step leads to; a missing list element goes to the end. */
static void step_set(struct doc *doc, const struct doc *step, struct doc *value)
{
    size_t at;

    if (doc_is(step, DOC_STRING)) {
        doc_set(doc, doc_as_text(step, ""), value);
        return;
    }
    at = element_find(doc, step);
    if (at < doc_size(doc))
        doc_put_at(doc, at, value);
    else
        doc_push(doc, value);
}

void kube_place_set(struct doc *object, const struct doc *place, const struct doc *value)
{
    struct doc *at = object;
    size_t last = doc_size(place) - 1;

    for (size_t i = 0; i < last; i++) {
        const struct doc *step = doc_at(place, i);
        bool list = !doc_is(doc_at(place, i + 1), DOC_STRING);
        struct doc *next = step_get(at, step);

        if (!doc_is(next, list ? DOC_ARRAY : DOC_OBJECT)) {
            next = list ? doc_array() : doc_is(step, DOC_OBJECT) ? doc_copy(step) : doc_object();
            step_set(at, step, next);
        }
        at = next;
    }
    step_set(at, doc_at(place, last), doc_copy(value));
}

void kube_place_remove(struct doc *object, const struct doc *place)
{
    struct doc *parents[DEPTH_MAX], *at = object;
    size_t count = doc_size(place);

    if (!count || count > DEPTH_MAX)
        return;
    for (size_t i = 0; i < count; i++) {
        parents[i] = at;
        at = step_get(at, doc_at(place, i));
        if (!at)
            return;
    }
    for (size_t i = count; i-- > 0;) {
        const struct doc *step = doc_at(place, i);

        if (doc_is(step, DOC_STRING))
            doc_remove(parents[i], doc_as_text(step, ""));
        else
            doc_remove_at(parents[i], element_find(parents[i], step));
        if (doc_size(parents[i]) || i == 0)
            break; /* what is left empty goes, too */
    }
}

void kube_place_text(struct buf *out, const struct doc *place)
{
    for (size_t i = 0; i < doc_size(place); i++) {
        const struct doc *step = doc_at(place, i);
        const char *key = doc_as_text(step, NULL);
        bool first = true;

        if (key && !strpbrk(key, "./[]")) {
            buf_addf(out, "%s%s", i ? "." : "", key);
        } else if (key) {
            buf_addf(out, "[%s]", key);
        } else if (doc_is(step, DOC_INT)) {
            buf_addf(out, "[%lld]", (long long)doc_as_int(step, 0));
        } else {
            buf_add_char(out, '[');
            DOC_EACH(at, step)
            {
                buf_addf(out, "%s%s=", first ? "" : ",", at.key);
                if (doc_is(at.value, DOC_INT))
                    buf_addf(out, "%lld", (long long)doc_as_int(at.value, 0));
                else
                    buf_add_text(out, doc_as_text(at.value, ""));
                first = false;
            }
            buf_add_char(out, ']');
        }
    }
}

bool kube_place_pointer(const struct doc *object, const struct doc *place, struct buf *out)
{
    const struct doc *at = object;

    for (size_t i = 0; i < doc_size(place); i++) {
        const struct doc *step = doc_at(place, i), *next = step_get(at, step);
        char index[24];

        if (doc_is(step, DOC_STRING)) {
            doc_pointer_add(out, doc_as_text(step, ""));
        } else {
            snprintf(index, sizeof(index), "%zu", element_find(at, step));
            doc_pointer_add(out, next ? index : "-");
        }
        if (!next)
            return false;
        at = next;
    }
    return true;
}

/* ---- the walk ---- */

struct walk {
    size_t count;
    bool whole;
    kube_leaf_fn *fn;
    void *ctx;
    struct doc *place; /* array of steps down to here */
};

static void walk_values(struct walk *walk, struct doc *const values[KUBE_SIDES_MAX]);

static void walk_step(struct walk *walk, struct doc *step, struct doc *const values[KUBE_SIDES_MAX])
{
    doc_push(walk->place, step);
    walk_values(walk, values);
    doc_remove_at(walk->place, doc_size(walk->place) - 1);
}

/* Are all that are there of this type, and is one of them not empty? */
static bool all_are(const struct walk *walk, struct doc *const values[], enum doc_type type)
{
    bool full = false;

    for (size_t i = 0; i < walk->count; i++) {
        if (values[i] && !doc_is(values[i], type))
            return false;
        full = full || doc_size(values[i]);
    }
    return full;
}

static void walk_object(struct walk *walk, struct doc *const values[])
{
    for (size_t i = 0; i < walk->count; i++) {
        DOC_EACH(at, values[i])
        {
            struct doc *inner[KUBE_SIDES_MAX] = {NULL};
            bool seen = false;

            for (size_t j = 0; j < i; j++)
                seen = seen || doc_get(values[j], at.key);
            if (seen)
                continue;
            for (size_t j = i; j < walk->count; j++)
                inner[j] = doc_get(values[j], at.key);
            walk_step(walk, doc_text(at.key), inner);
        }
    }
}

/* The keys that identify an element, or NULL when it lacks the first of them. */
static struct doc *element_keys(const struct doc *element, const char *const *names)
{
    struct doc *keys;

    if (!doc_get(element, names[0]) || doc_size(doc_get(element, names[0])))
        return NULL;
    keys = doc_object();
    for (; *names; names++) {
        if (doc_get(element, *names))
            doc_set(keys, *names, doc_ref(doc_get(element, *names)));
    }
    return keys;
}

/* Do these keys tell all elements of each list apart? */
static bool keys_identify(const struct walk *walk, struct doc *const values[], const char *const *names)
{
    for (size_t i = 0; i < walk->count; i++) {
        for (size_t j = 0; j < doc_size(values[i]); j++) {
            struct doc *keys = element_keys(doc_at(values[i], j), names);
            bool unique = keys && element_find(values[i], keys) == j;

            for (size_t k = j + 1; unique && k < doc_size(values[i]); k++)
                unique = !element_matches(doc_at(values[i], k), keys);
            doc_unref(keys);
            if (!unique)
                return false;
        }
    }
    return true;
}

/* The merge keys of the built-in kinds (x-kubernetes-list-map-keys), the commonest first. */
static const char *const *keys_pick(const struct walk *walk, struct doc *const values[])
{
    static const char *const candidates[][3] = {
        {"name"},
        {"containerPort", "protocol"},
        {"port", "protocol"},
        {"mountPath"},
        {"devicePath"},
        {"topologyKey", "whenUnsatisfiable"},
        {"type"},
        {"uid"},
        {"ip"},
        {"key"},
    };

    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        if (keys_identify(walk, values, candidates[i]))
            return candidates[i];
    }
    return NULL;
}

static void walk_keyed(struct walk *walk, struct doc *const values[], const char *const *names)
{
    for (size_t i = 0; i < walk->count; i++) {
        for (size_t j = 0; j < doc_size(values[i]); j++) {
            struct doc *keys = element_keys(doc_at(values[i], j), names), *inner[KUBE_SIDES_MAX] = {NULL};
            bool seen = false;

            for (size_t k = 0; k < i; k++)
                seen = seen || step_get(values[k], keys);
            for (size_t k = i; k < walk->count; k++)
                inner[k] = step_get(values[k], keys);
            if (seen)
                doc_unref(keys);
            else
                walk_step(walk, keys, inner);
        }
    }
}

/* Lists of objects without a key are compared by position when they are equally long, else as one value. */
static bool walk_list(struct walk *walk, struct doc *const values[])
{
    size_t len = 0;

    for (size_t i = 0; i < walk->count; i++) {
        for (size_t j = 0; j < doc_size(values[i]); j++) {
            if (!doc_is(doc_at(values[i], j), DOC_OBJECT))
                return false;
        }
        if (values[i] && len && doc_size(values[i]) != len)
            len = SIZE_MAX;
        else if (values[i] && len != SIZE_MAX)
            len = doc_size(values[i]);
    }
    if (keys_pick(walk, values)) {
        walk_keyed(walk, values, keys_pick(walk, values));
        return true;
    }
    if (len == SIZE_MAX)
        return false;
    for (size_t j = 0; j < len; j++) {
        struct doc *inner[KUBE_SIDES_MAX] = {NULL};

        for (size_t i = 0; i < walk->count; i++)
            inner[i] = doc_at(values[i], j);
        walk_step(walk, doc_int((int64_t)j), inner);
    }
    return true;
}

static void walk_values(struct walk *walk, struct doc *const values[KUBE_SIDES_MAX])
{
    size_t present = 0;

    for (size_t i = 0; i < walk->count; i++)
        present += values[i] != NULL;
    if (!(walk->whole && present == 1) && doc_size(walk->place) < DEPTH_MAX) {
        if (all_are(walk, values, DOC_OBJECT)) {
            walk_object(walk, values);
            return;
        }
        if (all_are(walk, values, DOC_ARRAY) && walk_list(walk, values))
            return;
    }
    walk->fn(walk->ctx, walk->place, values);
}

void kube_walk(struct doc *const sides[], size_t count, bool whole, kube_leaf_fn *fn, void *ctx)
{
    struct walk walk = {.count = count, .whole = whole, .fn = fn, .ctx = ctx, .place = doc_array()};
    struct doc *values[KUBE_SIDES_MAX] = {NULL};

    for (size_t i = 0; i < count; i++)
        values[i] = sides[i];
    walk_values(&walk, values);
    doc_unref(walk.place);
}

const char *kube_place_owner(const struct doc *object, const struct doc *place, const char *except)
{
    const struct doc *entry = NULL;
    struct buf pointer;

    buf_init(&pointer, 64 << 10);
    if (object && kube_place_pointer(object, place, &pointer))
        entry = kube_fields_owner(object, buf_text(&pointer), except);
    buf_free(&pointer);
    return doc_path_text(entry, "manager", NULL);
}
