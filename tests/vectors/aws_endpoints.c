/*
 * vectors_aws_endpoints FOLDER: endpoint rules by the tests that come with botocore, as fetch-endpoints brings them:
 * those of the rules language, with rule sets of their own, and those of services: parameters to endpoint or error, and
 * operations' inputs to the same.
 */
#include "aws/endpoint.h"
#include "aws/rules_inside.h"
#include "codec/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed;

static struct view load(const char *path)
{
    FILE *file = fopen(path, "rb");
    char bytes[65536];
    struct buf text;
    size_t len;

    buf_init(&text, SIZE_MAX);
    while (file && (len = fread(bytes, 1, sizeof(bytes), file)) > 0)
        buf_add(&text, bytes, len);
    if (!file || !text.len) {
        perror(path);
        exit(1);
    }
    fclose(file);
    len = text.len;
    return (struct view){buf_take(&text), len};
}

static struct doc *load_json(const char *path)
{
    struct view text = load(path);
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(text, &err);

    free((char *)text.ptr);
    if (!doc) {
        printf("%s: %s\n", path, err.message);
        exit(1);
    }
    return doc;
}

static bool same_or_empty(const struct doc *got, const struct doc *want)
{
    return doc_equal(got, want) || (doc_size(got) == 0 && doc_size(want) == 0);
}

static void complain(const char *name, const struct doc *params, const struct rules_endpoint *got,
                     const struct err *err, const struct doc *want)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    json_add(&text, params, JSON_COMPACT);
    buf_add_text(&text, "\n  gives ");
    if (got->url) {
        json_add(&text, got->url, JSON_COMPACT);
        json_add(&text, got->properties, JSON_COMPACT);
        json_add(&text, got->headers, JSON_COMPACT);
    } else {
        buf_add_text(&text, err->message);
    }
    buf_add_text(&text, "\n  instead of ");
    json_add(&text, want, JSON_COMPACT);
    printf("%s: %s\n", name, buf_text(&text));
    buf_free(&text);
}

/* The rules' whole outcome, and what endpoint.c makes of it. */
static void judge(struct aws_service service, const char *name, const struct doc *params, const struct doc *expect)
{
    const struct doc *want = doc_get(expect, "endpoint");
    struct rules_endpoint got;
    struct err err = ERR_INIT, again = ERR_INIT;
    struct aws_endpoint endpoint;
    bool good;

    if (rules_evaluate(service, params, &got, &err) == 0)
        good = want && doc_equal(got.url, doc_get(want, "url")) &&
               same_or_empty(got.properties, doc_get(want, "properties")) &&
               same_or_empty(got.headers, doc_get(want, "headers"));
    else
        good = strcmp(err.message, doc_as_text(doc_get(expect, "error"), "")) == 0 && err.kind == ERR_USAGE;
    if (aws_endpoint_resolve(service, params, &endpoint, &again) == 0)
        good = good && view_equal(buf_view(&endpoint.url), doc_as_view(got.url)) &&
               same_or_empty(endpoint.headers, doc_get(want, "headers"));
    else
        good = good && strcmp(again.message, err.message) == 0 && strcmp(again.explain, "A103") == 0;
    passed += good;
    failed += !good;
    if (!good)
        complain(name, params, &got, &err, expect);
    aws_endpoint_clear(&endpoint);
    rules_endpoint_clear(&got);
}

static void judge_operation(struct aws_service service, const struct doc *input, const struct doc *expect)
{
    struct aws_operation operation = aws_operation_find(service, doc_as_view(doc_get(input, "operationName")));
    struct err err = ERR_INIT;
    struct doc *params = NULL;

    if (operation.table)
        params =
            aws_endpoint_params(operation, doc_get(input, "operationParams"), doc_get(input, "builtInParams"), &err);
    if (params) {
        judge(service, aws_operation_name(operation), params, expect);
    } else {
        failed++;
        printf("%s: %s\n", doc_path_text(input, "operationName", NULL), err.message);
    }
    doc_unref(params);
}

static void run_file(struct aws_service service, const char *name, const char *path)
{
    struct doc *tests = load_json(path), *cases = doc_get(tests, "testCases");
    int before = passed, by_params;

    if (!service.table) {
        printf("%s: there is no such rule set\n", name);
        failed++;
    }
    for (size_t i = 0; service.table && i < doc_size(cases); i++)
        judge(service, name, doc_get(doc_at(cases, i), "params"), doc_get(doc_at(cases, i), "expect"));
    by_params = passed - before;
    for (size_t i = 0; service.table && i < doc_size(cases); i++) {
        const struct doc *inputs = doc_get(doc_at(cases, i), "operationInputs");

        for (size_t k = 0; k < doc_size(inputs); k++)
            judge_operation(service, doc_at(inputs, k), doc_get(doc_at(cases, i), "expect"));
    }
    printf("%s: %d of %zu, by operations %d\n", name, by_params, doc_size(cases), passed - before - by_params);
    doc_unref(tests);
}

static int is_json(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

static void run_language(const char *folder)
{
    char *cases = mem_printf("%s/botocore/tests/unit/data/endpoints/test-cases", folder);
    char *pack = mem_printf("%s/endpoints.pack", folder);
    struct view bytes = load(pack);
    struct err err = ERR_INIT;
    struct aws_table *table = aws_table_open(bytes, &err);
    struct dirent **entries = NULL;
    int count = scandir(cases, &entries, is_json, alphasort);

    if (!table) {
        printf("%s: %s\n", pack, err.message);
        exit(1);
    }
    for (int i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", cases, entries[i]->d_name);
        char *name = mem_view((struct view){entries[i]->d_name, strlen(entries[i]->d_name) - 5});

        run_file(aws_service_find(table, name), name, path);
        free(name);
        free(path);
        free(entries[i]);
    }
    free(entries);
    aws_table_close(table);
    free((char *)bytes.ptr);
    free(pack);
    free(cases);
}

/* Every service of the table that came with rules. */
static void run_services(const char *folder)
{
    const struct aws_table *table = aws_table_builtin();

    for (size_t i = 0; i < aws_table_services(table); i++) {
        struct aws_service service = aws_table_service(table, i);
        char *path = mem_printf("%s/botocore/tests/functional/endpoint-rules/%s/endpoint-tests-1.json", folder,
                                aws_service_name(service));

        run_file(service, aws_service_name(service), path);
        free(path);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: vectors_aws_endpoints FOLDER\n");
        return 64;
    }
    run_language(argv[1]);
    run_services(argv[1]);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed || !passed;
}
