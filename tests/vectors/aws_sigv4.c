/*
 * vectors_aws_sigv4 FOLDER: signature version 4 by AWS's suite (each case's canonical request, text to sign and
 * authorization), and by random requests that botocore signed (fetch-sigv4 brings both).
 * vectors_aws_sigv4 --rate: how many small requests are signed in a second of one core.
 */
#include "aws/sign.h"
#include "codec/json.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static int passed, failed;

static void judge(const char *name, const char *what, const char *got, const char *want)
{
    if (got && want && strcmp(got, want) == 0) {
        passed++;
        return;
    }
    failed++;
    printf("%s: %s is\n%s\ninstead of\n%s\n", name, what, got ? got : "(nothing)", want ? want : "(nothing)");
}

/* A whole file, NUL terminated, without carriage returns; ends the program when it cannot be read: then nothing was
 * tested. */
static char *load(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct buf text;
    int c;

    buf_init(&text, SIZE_MAX);
    if (!file) {
        perror(path);
        exit(1);
    }
    while ((c = getc(file)) != EOF) {
        if (c != '\r')
            buf_add_char(&text, (char)c);
    }
    fclose(file);
    return text.ptr ? buf_take(&text) : mem_text("");
}

/* ---- the suite: "GET /path HTTP/1.1", headers whose values may go on in further lines, a body ---- */

struct request {
    struct aws_signed signed_;
    struct aws_headers headers;
};

static char *line_end(char *line)
{
    char *end = strchr(line, '\n');

    return end ? end : line + strlen(line);
}

static void add_header(struct aws_headers *headers, struct view line)
{
    const char *colon = memchr(line.ptr, ':', line.len);
    char *name = mem_view((struct view){line.ptr, (size_t)(colon - line.ptr)});

    aws_headers_add(headers, name, (struct view){colon + 1, line.len - strlen(name) - 1});
    free(name);
}

/* Takes the text apart in place. */
static void request_parse(char *text, struct request *request)
{
    char *end = line_end(text), *path = strchr(text, ' ') + 1, *query, *at;

    *end = '\0';
    at = *(end + 1) ? end + 1 : end;
    *strstr(path, " HTTP/") = '\0';
    path[-1] = '\0';
    query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    request->signed_ = (struct aws_signed){.method = text, .host = "", .path = view_of(path), .query = view_of(query)};
    while (*at && *at != '\n') {
        char *stop = line_end(at);

        while (stop[0] && (stop[1] == ' ' || stop[1] == '\t'))
            stop = line_end(stop + 1);
        add_header(&request->headers, (struct view){at, (size_t)(stop - at)});
        at = *stop ? stop + 1 : stop;
    }
    request->signed_.body = view_of(*at ? at + 1 : at);
}

/* The value of a line "name:value" of the canonical request; NULL without one. */
static char *line_value(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    return at ? mem_view((struct view){at + strlen(name), strcspn(at + strlen(name), "\n")}) : NULL;
}

static char *load_part(const char *folder, const char *name, const char *ending)
{
    char *path = mem_printf("%s/%s.%s", folder, name, ending), *text = load(path);

    free(path);
    return text;
}

static void run_case(const char *folder, const char *name)
{
    char *text = load_part(folder, name, "req"), *canonical = load_part(folder, name, "creq");
    char *to_sign = load_part(folder, name, "sts"), *authorization = load_part(folder, name, "authz");
    char *token = line_value(canonical, "\nx-amz-security-token:"),
         *names = line_value(authorization, "SignedHeaders=");
    struct aws_keys keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token};
    struct aws_sign sign = {.keys = &keys, .region = "us-east-1", .service = "service", .now_ms = 1440938160000};
    struct request request = {0};
    struct buf out;

    buf_init(&out, SIZE_MAX);
    names[strcspn(names, ",")] = '\0';
    request_parse(text, &request);
    aws_sign_headers(&sign, &request.signed_, &request.headers);
    judge(name, "the authorization", aws_headers_get(&request.headers, "authorization"), authorization);
    aws_sign_canonical(&sign, &request.signed_, &request.headers, names, &out);
    judge(name, "the canonical request", buf_text(&out), canonical);
    buf_reset(&out);
    aws_sign_text(&sign, view_of(canonical), &out);
    judge(name, "the text to sign", buf_text(&out), to_sign);
    buf_free(&out);
    aws_headers_clear(&request.headers);
    free(text);
    free(canonical);
    free(to_sign);
    free(authorization);
    free(token);
    free(names);
}

static int cases;

/* A case is a folder that holds NAME.req of its own name; others hold cases. */
static void run_folder(const char *folder)
{
    const char *name = strrchr(folder, '/') + 1;
    char *request = mem_printf("%s/%s.req", folder, name);
    struct dirent **entries = NULL;
    struct stat info;
    int count;

    if (stat(request, &info) == 0) {
        run_case(folder, name);
        cases++;
    }
    free(request);
    count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char *inner = mem_printf("%s/%s", folder, entries[i]->d_name);

        if (entries[i]->d_name[0] != '.' && stat(inner, &info) == 0 && S_ISDIR(info.st_mode))
            run_folder(inner);
        free(inner);
        free(entries[i]);
    }
    free(entries);
}

/* ---- botocore's ---- */

static const char *text_of(const struct doc *doc, const char *name)
{
    return doc_as_text(doc_get(doc, name), NULL);
}

static void run_request(const char *name, const struct doc *one)
{
    const char *kind = text_of(one, "kind");
    bool s3 = strncmp(kind, "s3", 2) == 0, unsigned_payload = doc_as_bool(doc_get(one, "unsigned"), false);
    struct aws_keys keys = {text_of(one, "access_key"), text_of(one, "secret_key"), text_of(one, "token")};
    struct aws_sign sign = {.keys = &keys,
                            .region = text_of(one, "region"),
                            .service = text_of(one, "service"),
                            .now_ms = doc_as_int(doc_get(one, "now"), 0) * 1000,
                            .single_encoding = s3,
                            .content_sha256 = s3,
                            .unsigned_payload = unsigned_payload};
    struct aws_signed request = {.method = text_of(one, "method"),
                                 .host = text_of(one, "host"),
                                 .path = doc_as_view(doc_get(one, "path")),
                                 .query = doc_as_view(doc_get(one, "query")),
                                 .body = doc_as_view(doc_get(one, "body"))};
    const struct doc *given = doc_get(one, "headers");
    struct aws_headers headers = {0};
    struct buf query;

    for (size_t i = 0; i < doc_size(given); i++)
        aws_headers_add(&headers, doc_as_text(doc_at(doc_at(given, i), 0), ""),
                        doc_as_view(doc_at(doc_at(given, i), 1)));
    if (strstr(kind, "query")) {
        buf_init(&query, SIZE_MAX);
        buf_add_view(&query, request.query);
        sign.unsigned_payload = s3;
        aws_sign_query(&sign, &request, &headers, (int)doc_as_int(doc_get(one, "expires"), 0), &query);
        judge(name, kind, buf_text(&query), text_of(one, "signed_query"));
        buf_free(&query);
    } else {
        aws_sign_headers(&sign, &request, &headers);
        DOC_EACH(iter, doc_get(one, "signed_headers"))
        judge(name, iter.key, aws_headers_get(&headers, iter.key), doc_as_text(iter.value, NULL));
    }
    aws_headers_clear(&headers);
}

static void run_requests(const char *folder)
{
    char *path = mem_printf("%s/sigv4-requests.json", folder), *text = load(path);
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(text), &err), *requests = doc_get(doc, "requests");

    if (!doc_size(requests)) {
        printf("%s: %s\n", path, err.message);
        exit(1);
    }
    for (size_t i = 0; i < doc_size(requests); i++) {
        char *name = mem_printf("seed %lld, request %zu", (long long)doc_as_int(doc_get(doc, "seed"), 0), i);

        run_request(name, doc_at(requests, i));
        free(name);
    }
    printf("botocore's: %zu requests, seed %lld\n", doc_size(requests), (long long)doc_as_int(doc_get(doc, "seed"), 0));
    doc_unref(doc);
    free(text);
    free(path);
}

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_rate(void)
{
    struct aws_keys keys = {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL};
    struct aws_sign sign = {.keys = &keys, .region = "eu-central-1", .service = "eks", .now_ms = 1440938160000};
    struct aws_signed request = {.method = "POST",
                                 .host = "eks.eu-central-1.amazonaws.com",
                                 .path = view_of("/clusters"),
                                 .body = view_of("{\"name\":\"dos-games\"}")};
    const int count = 1000000;
    double began = cpu_seconds();

    for (int i = 0; i < count; i++) {
        struct aws_headers headers = {0};

        sign.now_ms++;
        aws_headers_add(&headers, "content-type", view_of("application/json"));
        aws_sign_headers(&sign, &request, &headers);
        aws_headers_clear(&headers);
    }
    printf("%.0f signatures a second\n", count / (cpu_seconds() - began));
}

int main(int argc, char **argv)
{
    char *suite;

    if (argc == 2 && strcmp(argv[1], "--rate") == 0) {
        print_rate();
        return 0;
    }
    if (argc != 2) {
        fprintf(stderr, "usage: vectors_aws_sigv4 FOLDER | --rate\n");
        return 64;
    }
    suite = mem_printf("%s/botocore/tests/unit/auth/aws4_testsuite", argv[1]);
    run_folder(suite);
    printf("the suite: %d cases\n", cases);
    free(suite);
    run_requests(argv[1]);
    printf("%d passed, %d failed, 0 skipped\n", passed, failed);
    return failed || !cases;
}
