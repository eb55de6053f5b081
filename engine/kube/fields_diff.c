/* What differs between two versions of an object, without what the server writes by itself. */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

struct doc *kube_object_trim(const struct doc *object, bool keep_uid)
{
    static const char *const status = "status";
    static const char *const bookkeeping[] = {"managedFields",     "resourceVersion", "generation",
                                              "creationTimestamp", "selfLink",        "uid"};
    struct doc *trimmed = doc_without(object, &status, 1), *metadata = doc_get(trimmed, "metadata");

    if (metadata)
        doc_set(trimmed, "metadata",
                doc_without(metadata, bookkeeping, sizeof(bookkeeping) / sizeof(bookkeeping[0]) - keep_uid));
    return trimmed;
}

struct diff {
    const struct doc *before, *after;
    struct doc *out;
};

static void diff_leaf(void *ctx, const struct doc *place, struct doc *const values[KUBE_SIDES_MAX])
{
    struct diff *diff = ctx;
    struct buf text;
    struct doc *entry;
    char *owner;

    if (doc_equal(values[0], values[1]))
        return;
    buf_init(&text, 64 << 10);
    entry = doc_object();
    kube_place_text(&text, place);
    doc_set_text(entry, "path", buf_text(&text));
    buf_reset(&text);
    kube_place_pointer(values[1] ? diff->after : diff->before, place, &text);
    doc_set_text(entry, "pointer", buf_text(&text));
    if (values[0])
        doc_set(entry, "old", doc_copy(values[0]));
    if (values[1])
        doc_set(entry, "new", doc_copy(values[1]));
    buf_reset(&text);
    if (values[0] && kube_place_pointer(diff->before, place, &text)) {
        owner = kube_fields_manager(diff->before, buf_text(&text));
        doc_set_text(entry, "owner", owner);
        free(owner);
    }
    doc_push(diff->out, entry);
    buf_free(&text);
}

struct doc *kube_fields_diff(const struct doc *before, const struct doc *after)
{
    struct doc *sides[2] = {before ? kube_object_trim(before, false) : NULL,
                            after ? kube_object_trim(after, false) : NULL};
    struct diff diff = {before, after, doc_array()};

    if (sides[0] || sides[1])
        kube_walk(sides, 2, true, diff_leaf, &diff);
    doc_unref(sides[0]);
    doc_unref(sides[1]);
    return diff.out;
}
