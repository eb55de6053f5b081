/*
 * vectors_aws_jmespath FOLDER: the compliance suite of the language, as fetch-jmespath brings it: files of groups with
 * a "given" document and cases {expression, result | error}; a case without either is for measuring.
 */
#include "aws/jmespath.h"
#include "codec/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static struct doc *load(const char *path)
{
    struct err err = ERR_INIT;
    FILE *file = fopen(path, "rb");
    char bytes[65536];
    struct doc *doc = NULL;
    struct buf text;
    size_t len;

    buf_init(&text, SIZE_MAX);
    while (file && (len = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, len);
    if (file) {
        fclose(file);
        doc = json_parse(buf_view(&text), &err);
    }
    buf_free(&text);
    if (!doc) {
        printf("%s: cannot be read: %s\n", path, err.message);
        exit(1);
    }
    return doc;
}

/* Equal as JSON: an integer and a real of the same value are. */
static bool same(const struct doc *a, const struct doc *b)
{
    bool numbers = (doc_is(a, DOC_INT) || doc_is(a, DOC_REAL)) && (doc_is(b, DOC_INT) || doc_is(b, DOC_REAL));

    if (numbers)
        return !(doc_as_real(a, 0) < doc_as_real(b, 0)) && !(doc_as_real(a, 0) > doc_as_real(b, 0));
    if (doc_type(a) != doc_type(b) || doc_size(a) != doc_size(b))
        return false;
    if (!doc_is(a, DOC_ARRAY) && !doc_is(a, DOC_OBJECT))
        return doc_equal(a, b);
    DOC_EACH(iter, a)
    {
        if (!doc_get(b, iter.key) || !same(iter.value, doc_get(b, iter.key)))
            return false;
    }
    for (size_t i = 0; doc_is(a, DOC_ARRAY) && i < doc_size(a); i++) {
        if (!same(doc_at(a, i), doc_at(b, i)))
            return false;
    }
    return true;
}

static void run_case(const char *name, const struct doc *given, const struct doc *one)
{
    struct view expression = doc_as_view(doc_get(one, "expression"));
    const struct doc *want = doc_get(one, "result");
    struct err err = ERR_INIT;
    struct jmespath *path = jmespath_parse(expression, &err);
    struct doc *got = path ? jmespath_search(path, given, &err) : NULL;
    bool good = want ? got && same(got, want) : !doc_get(one, "error") || !got;
    struct buf text;

    if (good) {
        passed++;
    } else {
        failed++;
        buf_init(&text, SIZE_MAX);
        json_add(&text, got, JSON_COMPACT);
        printf("%s: %.*s: %s, ", name, (int)expression.len, expression.ptr, got ? buf_text(&text) : err.message);
        buf_reset(&text);
        json_add(&text, want, JSON_COMPACT);
        printf("wanted is %s\n", want ? buf_text(&text) : doc_path_text(one, "error", NULL));
        buf_free(&text);
    }
    doc_unref(got);
    jmespath_free(path);
}

static int is_json(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count;
    char *folder;

    if (argc != 2) {
        fprintf(stderr, "usage: vectors_aws_jmespath FOLDER\n");
        return 64;
    }
    folder = mem_printf("%s/jmespath", argv[1]);
    count = scandir(folder, &entries, is_json, alphasort);
    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", folder, entries[i]->d_name);
        struct doc *groups = load(path);
        int before = passed;

        for (size_t g = 0; g < doc_size(groups); g++) {
            const struct doc *group = doc_at(groups, g), *cases = doc_get(group, "cases");

            for (size_t k = 0; k < doc_size(cases); k++)
                run_case(entries[i]->d_name, doc_get(group, "given"), doc_at(cases, k));
        }
        printf("%s: %d\n", entries[i]->d_name, passed - before);
        doc_unref(groups);
        free(path);
        free(entries[i]);
    }
    free(entries);
    free(folder);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed || !passed;
}
