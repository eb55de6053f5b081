#include "change/diff.h"

#include <string.h>

enum { PATH_MAX_BYTES = 4096 };

static void diff_walk(struct doc *fields, struct buf *path, const struct doc *before, const struct doc *after);

static void diff_add(struct doc *fields, const struct buf *path, const struct doc *before, const struct doc *after)
{
    struct doc *field = doc_object();

    doc_set_text(field, "path", buf_text(path));
    if (before)
        doc_set(field, "old", doc_ref(before));
    if (after)
        doc_set(field, "new", doc_ref(after));
    doc_push(fields, field);
}

static void diff_member(struct doc *fields, struct buf *path, const char *key, const struct doc *before,
                        const struct doc *after)
{
    size_t len = path->len;

    buf_addf(path, "%s%s", len ? "." : "", key);
    diff_walk(fields, path, before, after);
    path->len = len;
    path->ptr[len] = '\0';
}

static void diff_lists(struct doc *fields, struct buf *path, const struct doc *before, const struct doc *after)
{
    size_t most = doc_size(before) > doc_size(after) ? doc_size(before) : doc_size(after);

    for (size_t i = 0; i < most; i++) {
        size_t len = path->len;

        buf_addf(path, "[%zu]", i + 1);
        diff_walk(fields, path, doc_at(before, i), doc_at(after, i));
        path->len = len;
        path->ptr[len] = '\0';
    }
}

static void diff_walk(struct doc *fields, struct buf *path, const struct doc *before, const struct doc *after)
{
    if (doc_equal(before, after) || (!before && !after))
        return;
    if (doc_is(before, DOC_OBJECT) && doc_is(after, DOC_OBJECT)) {
        DOC_EACH(member, before)
        {
            diff_member(fields, path, member.key, member.value, doc_get(after, member.key));
        }
        DOC_EACH(member, after)
        {
            if (!doc_get(before, member.key))
                diff_member(fields, path, member.key, NULL, member.value);
        }
    } else if (doc_is(before, DOC_ARRAY) && doc_is(after, DOC_ARRAY)) {
        diff_lists(fields, path, before, after);
    } else {
        diff_add(fields, path, before, after);
    }
}

struct doc *diff_fields(const struct doc *before, const struct doc *after)
{
    struct doc *fields = doc_array();
    struct buf path;

    buf_init(&path, PATH_MAX_BYTES);
    diff_walk(fields, &path, before, after);
    buf_free(&path);
    return fields;
}
