/* ${name}: values put into the scalars of a parsed file. */
#include "codec/yaml_file.h"
#include "base/suggest.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

struct work {
    const struct yaml_file *file;
    const struct doc *values;
    struct doc *used; /* an object: the names that were met */
    struct err *err;
};

static int fail(struct work *work, const struct spot *spot, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(struct work *work, const struct spot *spot, const char *format, ...)
{
    struct buf what;
    va_list args;

    buf_init(&what, sizeof(work->err->message));
    va_start(args, format);
    buf_vaddf(&what, format, args);
    va_end(args);
    if (spot)
        err_set(work->err, ERR_USAGE, "%s:%d:%d: %s", work->file->name, spot->line, spot->col, buf_text(&what));
    else
        err_set(work->err, ERR_USAGE, "%s: %s", work->file->name, buf_text(&what));
    buf_free(&what);
    return -1;
}

/* Length of the name at the start of text: letters, digits and _ . - behind a letter or _. */
static size_t name_length(struct view text)
{
    size_t len = 0;

    for (; len < text.len; len++) {
        char c = text.ptr[len];
        bool first = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!first && (len == 0 || !((c >= '0' && c <= '9') || c == '.' || c == '-')))
            break;
    }
    return len;
}

/* The value of a name; NULL and an error when there is none. */
static const struct doc *look_up(struct work *work, const struct spot *spot, struct view name_view)
{
    char *name = mem_view(name_view);
    const struct doc *value = doc_get(work->values, name), *at = work->values;
    struct suggest suggest;

    if (!value && strchr(name, '.')) {
        char *path = mem_text(name), *rest = path, *part;

        while (at && (part = strsep(&rest, ".")))
            at = doc_path(at, part, NULL);
        value = at;
        free(path);
    }
    if (value) {
        doc_set_bool(work->used, name, true);
    } else {
        suggest_init(&suggest, name);
        DOC_EACH(iter, work->values)
        suggest_try(&suggest, iter.key);
        fail(work, spot, "no value is named \"%s\"%s%s%s", name, suggest.found ? "; did you mean \"" : "",
             suggest.found ? suggest.found : "", suggest.found ? "\"?" : "");
    }
    free(name);
    return value;
}

static int add_as_text(struct work *work, const struct spot *spot, struct buf *out, struct view name,
                       const struct doc *value)
{
    if (doc_is(value, DOC_STRING)) {
        buf_add_view(out, doc_as_view(value));
        return 0;
    }
    if (doc_is(value, DOC_OBJECT) || doc_is(value, DOC_ARRAY) || doc_is(value, DOC_NULL))
        return fail(work, spot, "the value \"%.*s\" is %s %s and cannot stand inside a text", (int)name.len, name.ptr,
                    doc_is(value, DOC_NULL) ? "a" : "an", doc_type_name(value));
    json_add(out, value, JSON_COMPACT);
    return 0;
}

/* *replaced: the new value, taken by the caller, or NULL when nothing is to be replaced. */
static int substitute(struct work *work, const struct spot *spot, struct view text, struct doc **replaced)
{
    const struct spot nowhere = {0};
    const struct doc *value;
    struct view rest, name;
    struct buf out;
    int result = -1;

    *replaced = NULL;
    if (!memmem(text.ptr, text.len, "${", 2))
        return 0;
    spot = spot ? spot : &nowhere;
    buf_init(&out, SIZE_MAX);
    for (size_t at = 0; at < text.len;) {
        rest = (struct view){text.ptr + at, text.len - at};
        if (view_starts(rest, "$${")) {
            buf_add_text(&out, "${");
            at += 3;
            continue;
        }
        if (!view_starts(rest, "${")) {
            buf_add_char(&out, text.ptr[at++]);
            continue;
        }
        name = (struct view){rest.ptr + 2, name_length((struct view){rest.ptr + 2, rest.len - 2})};
        if (!name.len || rest.len < name.len + 3 || name.ptr[name.len] != '}') {
            fail(work, spot, "\"${\" begins the name of a value, as in ${game}; a literal ${ is written $${");
            goto done;
        }
        value = look_up(work, spot, name);
        if (!value)
            goto done;
        at += name.len + 3;
        if (at == text.len && !out.len && name.len + 3 == text.len && !spot->quoted) {
            *replaced = doc_copy(value);
            result = 0;
            goto done;
        }
        if (add_as_text(work, spot, &out, name, value) != 0)
            goto done;
    }
    *replaced = doc_string(buf_view(&out));
    result = 0;
done:
    buf_free(&out);
    return result;
}

/* Into containers; what was put in is not searched again. */
static int walk(struct work *work, struct doc *doc)
{
    const struct places *places = work->file->places;
    struct doc *replaced;

    DOC_EACH(iter, doc)
    {
        if (!doc_is(iter.value, DOC_STRING)) {
            if (walk(work, iter.value) != 0)
                return -1;
            continue;
        }
        if (substitute(work, places_get_key(places, doc, iter.key), doc_as_view(iter.value), &replaced) != 0)
            return -1;
        if (replaced)
            doc_set(doc, iter.key, replaced);
    }
    for (size_t i = 0; doc_is(doc, DOC_ARRAY) && i < doc_size(doc); i++) {
        if (!doc_is(doc_at(doc, i), DOC_STRING)) {
            if (walk(work, doc_at(doc, i)) != 0)
                return -1;
            continue;
        }
        if (substitute(work, places_get_index(places, doc, i), doc_as_view(doc_at(doc, i)), &replaced) != 0)
            return -1;
        if (replaced)
            doc_put_at(doc, i, replaced);
    }
    return 0;
}

int yaml_substitute(struct yaml_file *file, const struct doc *values, const struct doc *must_use, struct err *err)
{
    struct work work = {.file = file, .values = values, .used = doc_object(), .err = err};
    struct doc *replaced;
    int result = 0;

    for (size_t i = 0; i < file->count && result == 0; i++) {
        struct root *root = &file->roots[i];

        if (!doc_is(root->doc, DOC_STRING)) {
            result = walk(&work, root->doc);
            continue;
        }
        result = substitute(&work, &root->spot, doc_as_view(root->doc), &replaced);
        if (replaced) {
            doc_unref(root->doc);
            root->doc = replaced;
        }
    }
    for (size_t i = 0; result == 0 && i < doc_size(must_use); i++) {
        const char *name = doc_as_text(doc_at(must_use, i), "");

        if (!doc_get(work.used, name))
            result = fail(&work, NULL, "nothing uses the value \"%s\"", name);
    }
    doc_unref(work.used);
    return result;
}
