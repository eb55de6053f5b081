/* Values of Secrets: plain on the wire, marks everywhere else. */
#include "kube/inside.h"
#include "base/digest.h"
#include "codec/json.h"

#include <string.h>

static void value_mask(struct marks *marks, struct doc *object, const char *key, const struct doc *value, bool base64)
{
    struct err ignored = ERR_INIT;
    struct buf mark, plain;

    if (!doc_is(value, DOC_STRING) || marks_find(doc_as_view(value)))
        return;
    buf_init(&mark, 4096);
    buf_init(&plain, 2 << 20);
    if (base64 && base64_parse(&plain, doc_as_view(value), &ignored) == 0)
        marks_add_secret(marks, &mark, buf_view(&plain)); /* so that output hides what it stands for, too */
    if (plain.ptr)
        secret_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    buf_reset(&mark);
    marks_add_secret(marks, &mark, doc_as_view(value));
    doc_set(object, key, doc_string(buf_view(&mark)));
    buf_free(&mark);
}

static void secret_mask(struct marks *marks, struct doc *secret)
{
    static const char *const members[] = {"data", "stringData"};
    static const char last[] = "kubectl.kubernetes.io/last-applied-configuration"; /* holds the values once more */
    struct doc *annotations = doc_path(secret, "metadata", "annotations", NULL);

    for (size_t i = 0; i < 2; i++) {
        struct doc *values = doc_get(secret, members[i]);

        DOC_EACH(at, values)
        value_mask(marks, values, at.key, at.value, i == 0);
    }
    if (doc_get(annotations, last))
        value_mask(marks, annotations, last, doc_get(annotations, last), false);
}

void kube_mask_secrets(struct marks *marks, struct doc *body)
{
    const char *kind = doc_as_text(doc_get(body, "kind"), "");
    struct doc *items = doc_get(body, "items");

    if (strcmp(kind, "Secret") == 0) {
        secret_mask(marks, body);
    } else if (strcmp(kind, "SecretList") == 0) {
        for (size_t i = 0; i < doc_size(items); i++)
            secret_mask(marks, doc_at(items, i)); /* items of a typed list name no kind */
    } else if (strcmp(kind, "List") == 0) {
        for (size_t i = 0; i < doc_size(items); i++)
            kube_mask_secrets(marks, doc_at(items, i));
    } else if (doc_is(doc_get(body, "object"), DOC_OBJECT) && doc_get(body, "type")) {
        kube_mask_secrets(marks, doc_get(body, "object"));
    }
}

struct escaping {
    struct marks *marks;
    struct err *err;
    bool failed;
};

/*
 * A mark is replaced by its plain text after the document became text, so that plain text must be JSON already: when
 * it needs escapes, another mark, of the escaped text, takes its place.
 */
static struct doc *escape_string(void *ctx, struct view text)
{
    struct escaping *escaping = ctx;
    struct buf plain, json, mark;
    struct doc *revealed, *result = NULL;

    if (escaping->failed || marks_find(text) != MARK_SECRET)
        return NULL;
    buf_init(&plain, 64 << 20);
    buf_init(&json, 64 << 20);
    if (marks_reveal(escaping->marks, text, &plain, escaping->err) != 0) {
        escaping->failed = true;
    } else {
        revealed = doc_string(buf_view(&plain));
        json_add(&json, revealed, JSON_COMPACT);
        doc_unref(revealed);
        if (json.len != plain.len + 2) {
            buf_init(&mark, 4096);
            marks_add_secret(escaping->marks, &mark, (struct view){json.ptr + 1, json.len - 2});
            result = doc_string(buf_view(&mark));
            buf_free(&mark);
        }
    }
    if (plain.ptr)
        secret_wipe(plain.ptr, plain.len);
    if (json.ptr)
        secret_wipe(json.ptr, json.len);
    buf_free(&plain);
    buf_free(&json);
    return result;
}

int kube_body_add(struct buf *out, struct marks *marks, const struct doc *body, struct err *err)
{
    struct escaping escaping = {.marks = marks, .err = err};
    struct buf text;
    struct doc *copy;

    buf_init(&text, out->max);
    json_add(&text, body, JSON_COMPACT);
    if (marks_find(buf_view(&text)) & MARK_SECRET) {
        copy = doc_copy(body);
        doc_map_strings(copy, escape_string, &escaping);
        buf_reset(&text);
        json_add(&text, copy, JSON_COMPACT);
        doc_unref(copy);
    }
    if (!escaping.failed && text.over) {
        err_set(err, ERR_USAGE, "the request's body is larger than %zu MiB", out->max >> 20);
        escaping.failed = true;
    }
    if (!escaping.failed)
        buf_add_view(out, buf_view(&text));
    buf_free(&text);
    return escaping.failed ? -1 : 0;
}
