/*
 * vectors_aws_protocols FOLDER: botocore's protocol suites, as fetch-protocols prepares them in FOLDER/protocols. A
 * request is compared with what is expected of it, an answer with the value or the error that it means.
 */
#include "aws/protocol.h"
#include "base/digest.h"
#include "codec/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int passed, failed, skipped;
static struct buf why; /* what differs in the case at hand */

static void differ(const char *what, const char *got, const char *want)
{
    buf_addf(&why, "\n    %s: %s\n    not: %s", what, got ? got : "(nothing)", want ? want : "(nothing)");
}

static void text_check(const char *what, const char *got, const char *want)
{
    if (!got || !want ? got != want : strcmp(got, want) != 0)
        differ(what, got, want);
}

static void load(const char *path, struct buf *bytes)
{
    FILE *file = fopen(path, "rb");
    char part[65536];
    size_t len;

    buf_init(bytes, SIZE_MAX);
    while (file && (len = fread(part, 1, sizeof(part), file)) > 0)
        buf_add(bytes, part, len);
    if (!file || !bytes->len) {
        printf("%s: cannot be read\n", path);
        exit(1);
    }
    fclose(file);
}

/* ---- values ---- */

/* Times are texts here; what is expected has numbers, or another spelling. */
static bool same_time(const struct doc *got, const struct doc *want)
{
    double a, b;

    if (!doc_is(got, DOC_STRING) || !aws_time_parse(doc_as_view(got), &a))
        return false;
    if (doc_is(want, DOC_STRING) && !aws_time_parse(doc_as_view(want), &b))
        return false;
    if (!doc_is(want, DOC_STRING))
        b = doc_as_real(want, -1);
    return a - b < 1e-6 && b - a < 1e-6 && strchr(doc_as_text(got, ""), 'T');
}

static bool same(const struct doc *got, const struct doc *want)
{
    bool numbers = (doc_is(got, DOC_INT) || doc_is(got, DOC_REAL)) && (doc_is(want, DOC_INT) || doc_is(want, DOC_REAL));

    if (numbers)
        return !(doc_as_real(got, 0) < doc_as_real(want, 0)) && !(doc_as_real(got, 0) > doc_as_real(want, 0));
    if (!got || !want)
        return got == want;
    if (doc_equal(got, want) || same_time(got, want))
        return true;
    if (doc_type(got) != doc_type(want) || doc_size(got) != doc_size(want))
        return false;
    if (!doc_is(got, DOC_ARRAY) && !doc_is(got, DOC_OBJECT))
        return false;
    DOC_EACH(iter, got)
    {
        if (!same(iter.value, doc_get(want, iter.key)))
            return false;
    }
    for (size_t i = 0; doc_is(got, DOC_ARRAY) && i < doc_size(got); i++)
        if (!same(doc_at(got, i), doc_at(want, i)))
            return false;
    return true;
}

static void value_check(const char *what, const struct doc *got, const struct doc *want)
{
    struct buf a, b;

    if (same(got, want))
        return;
    buf_init(&a, SIZE_MAX);
    buf_init(&b, SIZE_MAX);
    json_add(&a, got, JSON_SORTED);
    json_add(&b, want, JSON_SORTED);
    differ(what, buf_text(&a), buf_text(&b));
    buf_free(&a);
    buf_free(&b);
}

/* ---- requests ---- */

static int attributes_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* One tag: its attributes in order, an empty element as two tags. */
static void tag_level(struct buf *out, struct view tag)
{
    bool empty = tag.len > 2 && tag.ptr[tag.len - 2] == '/', quoted = false;
    char *text = mem_view((struct view){tag.ptr + 1, tag.len - 2 - empty}), *parts[32], *start = text;
    size_t count = 0;

    for (char *at = text;; at++) {
        char c = *at;

        quoted ^= c == '"';
        if (c && (quoted || !strchr(" \n", c)))
            continue;
        *at = '\0';
        if (*start && count < 32)
            parts[count++] = start;
        start = at + 1;
        if (!c)
            break;
    }
    if (count > 1)
        qsort(parts + 1, count - 1, sizeof(parts[0]), attributes_compare);
    for (size_t i = 0; i < count; i++)
        buf_addf(out, i ? " %s" : "<%s", parts[i]);
    buf_add_text(out, ">");
    if (empty)
        buf_addf(out, "</%s>", parts[0]);
    free(text);
}

/* As XML's canonical form without the blanks around texts. */
static char *xml_level(const char *at)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    buf_add_text(&out, "");
    while (*at) {
        size_t len = *at == '<' ? strcspn(at, ">") + 1 : strcspn(at, "<"), end = len;

        if (*at == '<') {
            tag_level(&out, (struct view){at, len});
        } else {
            size_t start = strspn(at, " \n");

            while (end > start && strchr(" \n", at[end - 1]))
                end--;
            if (end > start)
                buf_add(&out, at + start, end - start);
        }
        at += len;
    }
    return buf_take(&out);
}

static void body_check(enum aws_protocol protocol, const struct buf *got, const char *want)
{
    struct err ignored = ERR_INIT;
    struct doc *a, *b;
    char *x, *y;

    if (protocol == AWS_REST_XML && want[strspn(want, " \n")] == '<') {
        x = xml_level(buf_text(got));
        y = xml_level(want);
        text_check("body", x, y);
        free(x);
        free(y);
    } else if ((protocol == AWS_JSON || protocol == AWS_REST_JSON) && (b = json_parse_loose(view_of(want), &ignored))) {
        a = json_parse_loose(buf_view(got), &ignored);
        value_check("body", a, b);
        doc_unref(a);
        doc_unref(b);
    } else {
        text_check("body", buf_text(got), want);
    }
}

/* botocore's runner takes the blanks after commas out of lists of times. */
static char *header_level(const struct doc *want, const char *name, const char *value)
{
    char *level = mem_text(value), *to = level;
    bool times = false;

    for (size_t i = 0; i < doc_size(doc_get(want, "times")); i++)
        times |= strcmp(doc_as_text(doc_at(doc_get(want, "times"), i), ""), name) == 0;
    for (const char *at = level; times && at && *at; at++)
        if (*at != ' ' || at[-1] != ',')
            *to++ = *at;
    if (times && level)
        *to = '\0';
    return level;
}

static void headers_check(const struct aws_wire *wire, const struct doc *want)
{
    const struct doc *forbidden = doc_get(want, "forbidHeaders");

    DOC_EACH(iter, doc_get(want, "headers"))
    {
        char *got = header_level(want, iter.key, aws_headers_get(&wire->headers, iter.key));

        text_check(iter.key, got, doc_as_text(iter.value, ""));
        free(got);
    }
    for (size_t i = 0; i < doc_size(forbidden); i++)
        text_check(doc_as_text(doc_at(forbidden, i), ""),
                   aws_headers_get(&wire->headers, doc_as_text(doc_at(forbidden, i), "")), NULL);
}

static void host_check(const struct aws_wire *wire, const struct doc *want)
{
    const char *endpoint = doc_as_text(doc_get(want, "endpoint"), ""), *at = strstr(endpoint, "://");
    char *host;

    if (!doc_get(want, "host"))
        return;
    at = at ? at + 3 : endpoint;
    host = mem_printf("%s%.*s", buf_text(&wire->host_prefix), (int)strcspn(at, "/"), at);
    text_check("host", host, doc_path_text(want, "host", NULL));
    free(host);
}

static void request_run(struct aws_operation operation, const struct doc *params, const struct doc *want)
{
    struct err err = ERR_INIT;
    struct aws_wire wire;
    char *uri;

    aws_wire_init(&wire);
    if (aws_request_write(operation, params, &wire, &err) != 0)
        differ("error", err.message, NULL);
    if (doc_get(want, "body"))
        body_check(aws_service_protocol(aws_operation_service(operation)), &wire.body,
                   doc_as_text(doc_get(want, "body"), ""));
    headers_check(&wire, want);
    uri = mem_printf("%s%s%s", buf_text(&wire.path), wire.query.len ? "?" : "", buf_text(&wire.query));
    text_check("URI", uri, doc_as_text(doc_get(want, "uri"), ""));
    free(uri);
    if (doc_get(want, "method"))
        text_check("method", wire.method, doc_as_text(doc_get(want, "method"), ""));
    host_check(&wire, want);
    aws_wire_clear(&wire);
}

/* ---- answers ---- */

/* A message is one line here. */
static void message_check(const char *got, const char *want)
{
    char *line = mem_text(want), *to = line;

    for (const char *at = want; *at; at++)
        if (!strchr(" \t\n", *at) || (to > line && to[-1] != ' '))
            *to++ = strchr(" \t\n", *at) ? ' ' : *at;
    *to = '\0';
    if (*line && to[-1] == ' ')
        to[-1] = '\0';
    if (*line) /* else there are words of our own */
        text_check("message", got, line);
    free(line);
}

static void fields_check(const struct doc *got, const struct doc *want, bool all)
{
    DOC_EACH(iter, want)
    {
        if (strcmp(iter.key, "Error") != 0)
            value_check(iter.key, doc_get(got, iter.key), iter.value);
    }
    DOC_EACH(iter, got)
    {
        if (all && !doc_get(want, iter.key))
            differ("field", iter.key, NULL);
    }
}

static void error_run(struct aws_operation operation, const struct aws_answer *answer, const struct doc *want)
{
    const char *code = doc_as_text(doc_get(want, "code"), "");
    struct err err = ERR_INIT;
    struct doc *fields;

    aws_error_read(operation, answer, &err, &fields);
    text_check("code", err.code, code);
    message_check(err.message, doc_as_text(doc_get(want, "message"), ""));
    fields_check(fields, doc_get(want, "error"), aws_operation_error_find(operation, view_of(code)).table);
    doc_unref(fields);
}

static struct doc *result_read(struct aws_operation operation, const struct aws_answer *answer)
{
    struct err err = ERR_INIT;
    struct doc *result = aws_answer_read(operation, answer, &err);

    if (!result)
        differ("error", err.message, NULL);
    return result;
}

static void metadata_check(struct aws_operation operation, const struct aws_answer *answer, const struct doc *want)
{
    struct doc *metadata = aws_answer_metadata(operation, answer);

    doc_remove(metadata, "HTTPStatusCode");
    doc_remove(metadata, "HTTPHeaders");
    value_check("metadata", metadata, want);
    doc_unref(metadata);
}

/* botocore's result has the value, the metadata and the error side by side. */
static void recorded_run(struct aws_operation operation, const struct aws_answer *answer, const struct doc *want)
{
    const char *code = doc_path_text(want, "Error", "Code", NULL);
    struct doc *rest = doc_copy(want), *result, *fields;
    struct err err = ERR_INIT;

    doc_remove(rest, "ResponseMetadata");
    metadata_check(operation, answer, doc_get(want, "ResponseMetadata"));
    if (code) {
        aws_error_read(operation, answer, &err, &fields);
        text_check("code", err.code, code);
        message_check(err.message, doc_as_text(doc_path(want, "Error", "Message", NULL), ""));
        doc_remove(doc_get(rest, "Error"), "Code");
        doc_remove(doc_get(rest, "Error"), "Message");
        if (!aws_operation_error_find(operation, view_of(code)).table)
            fields_check(fields, doc_get(rest, "Error"), false);
        doc_unref(fields);
    } else {
        result = result_read(operation, answer);
        value_check("result", result, rest);
        doc_unref(result);
    }
    doc_unref(rest);
}

static void answer_run(struct aws_operation operation, const struct doc *one, const struct doc *want)
{
    const struct doc *given = doc_get(one, "answer");
    struct header headers[16];
    struct aws_answer answer = {.status = (int)doc_as_int(doc_get(given, "status"), 0), .headers = headers};
    struct err err = ERR_INIT;
    struct doc *result;
    struct buf body;

    DOC_EACH(iter, doc_get(given, "headers"))
    {
        if (answer.headers_len < 16)
            headers[answer.headers_len++] = (struct header){iter.key, doc_as_text(iter.value, "")};
    }
    buf_init(&body, SIZE_MAX);
    if (base64_parse(&body, doc_as_view(doc_get(given, "body")), &err) != 0)
        differ("body", err.message, NULL);
    answer.body = buf_view(&body);
    if (strcmp(doc_as_text(doc_get(one, "direction"), ""), "recorded") == 0) {
        recorded_run(operation, &answer, want);
    } else if (doc_get(want, "error")) {
        error_run(operation, &answer, want);
    } else {
        result = result_read(operation, &answer);
        value_check("result", result, doc_get(want, "result"));
        doc_unref(result);
    }
    buf_free(&body);
}

/* ---- suites ---- */

static void case_run(const struct aws_table *table, const char *suite, const struct doc *one)
{
    struct aws_service service = aws_service_find(table, doc_as_text(doc_get(one, "service"), ""));
    struct aws_operation operation = aws_operation_find(service, doc_as_view(doc_get(one, "operation")));
    const struct doc *want = doc_get(one, "expected");

    buf_reset(&why);
    if (!operation.table)
        differ("operation", NULL, doc_as_text(doc_get(one, "operation"), ""));
    else if (doc_get(one, "params"))
        request_run(operation, doc_get(one, "params"), want);
    else
        answer_run(operation, one, want);
    if (why.len)
        printf("%s: %s:%s\n", suite, doc_as_text(doc_get(one, "id"), ""), buf_text(&why));
    *(why.len ? &failed : &passed) += 1;
}

static void suite_run(const char *folder, const char *suite)
{
    char *pack = mem_printf("%s/%s.pack", folder, suite), *lines = mem_printf("%s/%s.jsonl", folder, suite);
    int before[] = {passed, failed, skipped};
    struct err err = ERR_INIT;
    struct aws_table *table;
    struct buf bytes, text;

    load(pack, &bytes);
    load(lines, &text);
    table = aws_table_open(buf_view(&bytes), &err);
    if (!table) {
        printf("%s: %s\n", pack, err.message);
        exit(1);
    }
    for (char *at = text.ptr, *end; (end = strchr(at, '\n')); at = end + 1) {
        struct doc *one = json_parse_loose((struct view){at, (size_t)(end - at)}, &err);
        const char *skip = doc_path_text(one, "skip", NULL);

        if (skip)
            printf("skip %s: %s: %s\n", suite, doc_as_text(doc_get(one, "id"), ""), skip);
        skipped += skip != NULL;
        if (!one) {
            printf("%s: a case that is no JSON: %s\n", suite, err.message);
            failed++;
        } else if (!skip) {
            case_run(table, suite, one);
        }
        doc_unref(one);
    }
    printf("%s: %d passed, %d failed, %d skipped\n", suite, passed - before[0], failed - before[1],
           skipped - before[2]);
    aws_table_close(table);
    buf_free(&bytes);
    buf_free(&text);
    free(pack);
    free(lines);
}

static int is_suite(const struct dirent *entry)
{
    const char *point = strrchr(entry->d_name, '.');

    return point && strcmp(point, ".pack") == 0;
}

int main(int argc, char **argv)
{
    char *folder = mem_printf("%s/protocols", argc > 1 ? argv[1] : ".");
    struct dirent **entries;
    int count = scandir(folder, &entries, is_suite, alphasort);

    buf_init(&why, SIZE_MAX);
    for (int i = 0; i < count; i++) {
        *strrchr(entries[i]->d_name, '.') = '\0';
        suite_run(folder, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    free(folder);
    buf_free(&why);
    return failed || !passed;
}
