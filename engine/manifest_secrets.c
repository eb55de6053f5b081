/* What the files of a run hold that nobody may read: the values of the Secrets in its manifests. */
#include "dosrun.h"

#include "base/digest.h"
#include "base/secret.h"
#include "codec/yaml.h"

#include <string.h>

enum { VALUE_MAX = 1 << 20 };

static void note_secret(struct dosrun *dosrun, struct view plain)
{
    struct buf mark;

    buf_init(&mark, 256);
    marks_add_secret(dosrun->marks, &mark, plain);
    buf_free(&mark);
}

/* A value with ${name} in it is a place for one; what comes there has its own mark. */
static void note_values(struct dosrun *dosrun, const struct doc *values, bool base64)
{
    DOC_EACH(member, values)
    {
        struct view text = doc_as_view(member.value);
        struct err ignored = ERR_INIT;
        struct buf plain;

        if (!doc_is(member.value, DOC_STRING) || memmem(text.ptr, text.len, "${", 2))
            continue;
        note_secret(dosrun, text);
        buf_init(&plain, VALUE_MAX);
        if (base64 && base64_parse(&plain, text, &ignored) == 0)
            note_secret(dosrun, buf_view(&plain));
        if (plain.ptr)
            secret_wipe(plain.ptr, plain.len);
        buf_free(&plain);
    }
}

static void note_object(struct dosrun *dosrun, const struct doc *object)
{
    const struct doc *items = doc_get(object, "items");

    if (strcmp(doc_as_text(doc_get(object, "kind"), ""), "Secret") == 0) {
        note_values(dosrun, doc_get(object, "data"), true);
        note_values(dosrun, doc_get(object, "stringData"), false);
    }
    for (size_t i = 0; doc_is(items, DOC_ARRAY) && i < doc_size(items); i++)
        note_object(dosrun, doc_at(items, i));
}

void manifest_secrets(struct dosrun *dosrun, const char *path, struct view text)
{
    const char *ending = strrchr(path, '.');
    struct err ignored = ERR_INIT;
    struct yaml_file *file;

    if (!ending || (strcmp(ending, ".yaml") != 0 && strcmp(ending, ".yml") != 0) ||
        !memmem(text.ptr, text.len, "Secret", 6))
        return;
    file = yaml_parse(path, text, &ignored); /* who loads it tells what is wrong with it */
    for (size_t i = 0; file && i < yaml_count(file); i++)
        note_object(dosrun, yaml_doc(file, i));
    if (file)
        yaml_free(file);
}
