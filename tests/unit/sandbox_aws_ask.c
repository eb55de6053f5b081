#include "sandbox_aws.h"
#include "base/digest.h"
#include "unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct sim *aws_open(const char *folder, const char *fault)
{
    const char *faults[] = {fault, NULL};
    struct sandbox_options options = {
        .folder = folder, .project_root = "/nowhere", .target = "t", .seed = 1, .faults = fault ? faults : NULL};
    struct err err = ERR_INIT;
    struct world *world = sandbox_new(&options, &err);

    if (!world) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return (struct sim *)(void *)world;
}

static void hmac(const unsigned char *key, size_t key_len, const char *text, unsigned char out[SHA256_SIZE])
{
    digest_hmac_sha256((struct view){(const char *)key, key_len}, view_of(text), out);
}

struct line {
    const char *name, *value;
};

static int line_order(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

/* lines: lower-case names with values, sorted here. Returns the Authorization header. */
static char *authorize(const struct ask *ask, const char *stamp, struct line *lines, size_t len)
{
    const char *host = strstr(ask->url, "://") + 3, *path = host + strcspn(host, "/?"), *mark = strchr(path, '?');
    const char *key = ask->key ? ask->key : SANDBOX_ACCESS_KEY, *region = ask->region ? ask->region : SANDBOX_REGION;
    char hash[SHA256_HEX + 1], *first = mem_printf("AWS4%s", ask->secret ? ask->secret : SANDBOX_SECRET_KEY);
    char day[9], *scope, *text, *out;
    unsigned char sum[SHA256_SIZE];
    struct buf canonical, names;

    buf_init(&canonical, 1 << 20);
    buf_init(&names, 1 << 16);
    snprintf(day, sizeof(day), "%.8s", stamp);
    qsort(lines, len, sizeof(*lines), line_order);
    buf_addf(&canonical, "%s\n%.*s\n%s\n", ask->method ? ask->method : "POST",
             mark ? (int)(mark - path) : (int)strlen(path), path, mark ? mark + 1 : "");
    for (size_t i = 0; i < len; i++) {
        buf_addf(&canonical, "%s:%s\n", lines[i].name, lines[i].value);
        buf_addf(&names, "%s%s", i ? ";" : "", lines[i].name);
    }
    digest_sha256_hex(view_of(ask->body), hash);
    buf_addf(&canonical, "\n%s\n%s", buf_text(&names), hash);
    digest_sha256_hex(buf_view(&canonical), hash);
    scope = mem_printf("%s/%s/%s/aws4_request", day, region, ask->service);
    text = mem_printf("AWS4-HMAC-SHA256\n%s\n%s\n%s", stamp, scope, hash);
    hmac((const unsigned char *)first, strlen(first), day, sum);
    hmac(sum, SHA256_SIZE, region, sum);
    hmac(sum, SHA256_SIZE, ask->service, sum);
    hmac(sum, SHA256_SIZE, "aws4_request", sum);
    hmac(sum, SHA256_SIZE, text, sum);
    digest_hex(sum, hash);
    out = mem_printf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", key, scope, buf_text(&names),
                     hash);
    free(text);
    free(scope);
    free(first);
    buf_free(&canonical);
    buf_free(&names);
    return out;
}

void aws_ask(struct got *got, struct sim *sim, struct ask ask)
{
    time_t now = (time_t)(sim_now_ms(sim) / 1000) + ask.skew_s;
    const char *host = strstr(ask.url, "://") + 3;
    char stamp[32], hash[SHA256_HEX + 1], *name = mem_view((struct view){host, strcspn(host, "/?")}), *authorization;
    struct line lines[8] = {{"host", name}, {"x-amz-date", stamp}};
    struct header headers[9];
    size_t len = 2;
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
    digest_sha256_hex(view_of(ask.body), hash);
    if (strcmp(ask.service, "s3") == 0)
        lines[len++] = (struct line){"x-amz-content-sha256", hash};
    if (ask.target)
        lines[len++] = (struct line){"x-amz-target", ask.target};
    if (ask.type || ask.body)
        lines[len++] =
            (struct line){"content-type", ask.type ? ask.type : "application/x-www-form-urlencoded; charset=utf-8"};
    if (ask.token)
        lines[len++] = (struct line){"x-amz-security-token", ask.token};
    if (ask.header)
        lines[len++] = (struct line){ask.header, ask.value};
    authorization = authorize(&ask, stamp, lines, len);
    for (size_t i = 0; i < len; i++)
        headers[i] = (struct header){lines[i].name, lines[i].value};
    headers[len] = (struct header){"Authorization", authorization};
    got_send_request(got, sim, ask.method ? ask.method : "POST", ask.url, headers, len + 1, ask.body, ask.changes);
    got_await(got);
    free(authorization);
    free(name);
}

char *aws_said(struct sim *sim, int status, struct ask ask)
{
    struct got got;
    char *body;

    aws_ask(&got, sim, ask);
    CHECK_TEXT(got.failed ? got.err.message : "", "");
    CHECK_INT(got.status, status);
    body = mem_text(buf_text(&got.body));
    got_clear(&got);
    return body;
}

void aws_check_says(const char *file, int line, struct sim *sim, int status, struct ask ask, ...)
{
    const char *wanted;
    struct got got;
    va_list args;

    aws_ask(&got, sim, ask);
    if (got.failed)
        unit_fail(file, line, "no answer: %s", got.err.message);
    else if (got.status != status)
        unit_fail(file, line, "status %d, wanted %d: %s", got.status, status, buf_text(&got.body));
    va_start(args, ask);
    while ((wanted = va_arg(args, const char *)) && !got.failed)
        if (!strstr(buf_text(&got.body), wanted))
            unit_fail(file, line, "no \"%s\" in: %s", wanted, buf_text(&got.body));
    va_end(args);
    got_clear(&got);
}

char *aws_word(const char *body, const char *name)
{
    char *xml = mem_printf("<%s>", name), *json = mem_printf("\"%s\":\"", name);
    const char *at = strstr(body, xml), *quoted = strstr(body, json);
    char *word = at       ? mem_view((struct view){at + strlen(xml), strcspn(at + strlen(xml), "<")})
                 : quoted ? mem_view((struct view){quoted + strlen(json), strcspn(quoted + strlen(json), "\"")})
                          : mem_text("");

    free(xml);
    free(json);
    return word;
}

struct ask aws_form(const char *service, const char *body)
{
    bool iam = strcmp(service, "iam") == 0;

    return (struct ask){.service = service,
                        .url = iam ? "https://iam.amazonaws.com/" : "https://sts.eu-central-1.amazonaws.com/",
                        .region = iam ? "us-east-1" : NULL,
                        .body = body,
                        .changes = true};
}

struct ask aws_ecr(const char *operation, const char *body)
{
    static char target[128];

    snprintf(target, sizeof(target), "AmazonEC2ContainerRegistry_V20150921.%s", operation);
    return (struct ask){.service = "ecr",
                        .url = "https://api.ecr.eu-central-1.amazonaws.com/",
                        .target = target,
                        .type = "application/x-amz-json-1.1",
                        .body = body,
                        .changes = true};
}

struct ask aws_s3(const char *method, const char *url, const char *body)
{
    return (struct ask){.service = "s3",
                        .method = method,
                        .url = url,
                        .type = body ? "application/xml" : NULL,
                        .body = body,
                        .changes = true};
}
