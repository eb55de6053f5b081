/* The published suite is in tests/vectors; here AWS's documented examples for S3, and what goes on around a signature.
 */
#include "aws/sign.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct aws_keys keys = {"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL};
static const int64_t may_24 = 1369353600000; /* 2013-05-24T00:00:00Z */

static struct aws_sign s3_sign(void)
{
    return (struct aws_sign){.keys = &keys,
                             .region = "us-east-1",
                             .service = "s3",
                             .now_ms = may_24,
                             .single_encoding = true,
                             .content_sha256 = true};
}

static const char *signature_of(const struct aws_headers *headers)
{
    const char *authorization = aws_headers_get(headers, "Authorization");
    const char *at = authorization ? strstr(authorization, "Signature=") : NULL;

    return at ? at + strlen("Signature=") : "";
}

/* "Authenticating Requests: Using the Authorization Header", example GET Object. */
TEST(sign_s3_headers)
{
    struct aws_signed request = {
        .method = "GET", .host = "examplebucket.s3.amazonaws.com", .path = view_of("/test.txt")};
    struct aws_sign sign = s3_sign();
    struct aws_headers headers = {0};

    aws_headers_add(&headers, "Range", view_of("bytes=0-9"));
    aws_headers_add(&headers, "User-Agent", view_of("any"));
    aws_sign_headers(&sign, &request, &headers);
    CHECK_TEXT(aws_headers_get(&headers, "authorization"),
               "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
               "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
               "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    CHECK_TEXT(aws_headers_get(&headers, "x-amz-content-sha256"),
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_TEXT(aws_headers_get(&headers, "x-amz-date"), "20130524T000000Z");
    aws_headers_clear(&headers);
}

/* The same page, example GET Bucket Lifecycle: a parameter without a value. */
TEST(sign_s3_parameter_without_value)
{
    struct aws_signed request = {
        .method = "GET", .host = "examplebucket.s3.amazonaws.com", .path = view_of("/"), .query = view_of("lifecycle")};
    struct aws_sign sign = s3_sign();
    struct aws_headers headers = {0};

    aws_sign_headers(&sign, &request, &headers);
    CHECK_TEXT(signature_of(&headers), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    aws_headers_clear(&headers);
}

/* "Authenticating Requests: Using Query Parameters". */
TEST(sign_s3_query)
{
    struct aws_signed request = {
        .method = "GET", .host = "examplebucket.s3.amazonaws.com", .path = view_of("/test.txt")};
    struct aws_sign sign = s3_sign();
    struct aws_headers headers = {0};
    struct buf query;

    buf_init(&query, 4096);
    sign.unsigned_payload = true;
    aws_sign_query(&sign, &request, &headers, 86400, &query);
    CHECK_TEXT(buf_text(&query), "X-Amz-Algorithm=AWS4-HMAC-SHA256"
                                 "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
                                 "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                                 "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    CHECK_INT(headers.len, 0);
    buf_free(&query);
}

TEST(sign_again_replaces)
{
    struct aws_signed request = {.method = "PUT", .host = "example.com", .path = view_of("/"), .body = view_of("{}")};
    struct aws_keys with_token = {"AKID", "secret", "token"};
    struct aws_sign sign = {.keys = &with_token, .region = "eu-west-1", .service = "eks", .now_ms = may_24};
    struct aws_headers headers = {0};
    char first[65];

    aws_sign_headers(&sign, &request, &headers);
    CHECK_INT(headers.len, 3);
    snprintf(first, sizeof(first), "%s", signature_of(&headers));
    sign.now_ms += 1000;
    aws_sign_headers(&sign, &request, &headers);
    CHECK_INT(headers.len, 3);
    CHECK_TEXT(aws_headers_get(&headers, "x-amz-date"), "20130524T000001Z");
    CHECK(strcmp(first, signature_of(&headers)) != 0);
    sign.now_ms -= 1000;
    aws_sign_headers(&sign, &request, &headers);
    CHECK_TEXT(signature_of(&headers), first);
    CHECK_TEXT(aws_headers_get(&headers, "x-amz-security-token"), "token");
    aws_headers_clear(&headers);
}

/* More scopes than derived keys are kept, twice: each is derived again, and another secret never finds them. */
TEST(sign_keys_are_not_mixed_up)
{
    char signatures[24][65], again[65];
    struct aws_keys own[2] = {{"A", "secret one", NULL}, {"A", "secret two", NULL}};
    char long_name[200];

    memset(long_name, 'r', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < 24; i++) {
            struct aws_sign sign = {.keys = &own[i % 2], .service = i & 2 ? "sts" : "iam", .now_ms = may_24};

            sign.region = i & 4 ? "us-east-1" : long_name;
            sign.now_ms += (int64_t)(i / 8) * 86400000;
            aws_sign_signature(&sign, view_of("text"), round ? again : signatures[i]);
            for (size_t k = 0; !round && k < i; k++)
                CHECK(strcmp(signatures[i], signatures[k]) != 0);
            if (round)
                CHECK_TEXT(again, signatures[i]);
        }
        aws_sign_forget();
    }
}

static void check_path(bool single, const char *path, const char *want)
{
    struct aws_signed request = {.method = "GET", .host = "h", .path = view_of(path)};
    struct aws_sign sign = {.keys = &keys, .region = "r", .service = "s", .single_encoding = single};
    struct aws_headers headers = {0};
    struct buf out;

    buf_init(&out, 4096);
    aws_sign_canonical(&sign, &request, &headers, "host", &out);
    if (!view_starts(buf_view(&out), "GET\n") || out.len < 5) {
        unit_fail(__FILE__, __LINE__, "%s: no canonical request", path);
    } else {
        *strchr(out.ptr + 4, '\n') = '\0';
        unit_check_text(__FILE__, __LINE__, path, out.ptr + 4, want);
    }
    buf_free(&out);
}

TEST(sign_path)
{
    check_path(false, "", "/");
    check_path(false, "/", "/");
    check_path(false, "//", "/");
    check_path(false, "/.", "/");
    check_path(false, "/..", "/");
    check_path(false, "/../..", "/");
    check_path(false, "/a/..", "/");
    check_path(false, "/a/../", "/");
    check_path(false, "/a/b/..", "/a");
    check_path(false, "/a/b/../", "/a/");
    check_path(false, "/a//b/", "/a/b/");
    check_path(false, "/a/./b", "/a/b");
    check_path(false, "/a/...", "/a/...");
    check_path(false, "/a%20b/~c:d", "/a%2520b/~c%3Ad");
    check_path(true, "", "/");
    check_path(true, "/a//b/../c%20d", "/a//b/../c%20d");
}

/* More headers and parameters than have room on the stack. */
TEST(sign_many)
{
    struct aws_signed request = {.method = "GET", .host = "h", .path = view_of("/")};
    struct aws_sign sign = {.keys = &keys, .region = "r", .service = "s", .now_ms = may_24};
    struct aws_headers headers = {0};
    struct buf query, out;

    buf_init(&query, 65536);
    buf_init(&out, 65536);
    for (int i = 99; i >= 0; i--) {
        char name[16];

        snprintf(name, sizeof(name), "X-H%02d", i);
        aws_headers_add(&headers, name, view_of(i % 2 ? " v \t w " : "v"));
        buf_addf(&query, "%sp%02d=%d", query.len ? "&" : "", i, i);
    }
    request.query = buf_view(&query);
    aws_sign_canonical(&sign, &request, &headers, "x-h00;x-h01;x-h02", &out);
    CHECK(strstr(buf_text(&out), "\np00=0&p01=1&p02=2&"));
    CHECK(strstr(buf_text(&out), "\nx-h00:v\nx-h01:v w\nx-h02:v\n\nx-h00;x-h01;x-h02\n"));
    aws_sign_headers(&sign, &request, &headers);
    CHECK(strstr(aws_headers_get(&headers, "authorization"), "SignedHeaders=host;x-amz-date;x-h00;x-h01;x-h02;"));
    aws_headers_clear(&headers);
    buf_free(&query);
    buf_free(&out);
}

/* What somebody signed without a header that is now there differs, and the other way round. */
TEST(sign_listed_headers)
{
    struct aws_signed request = {.method = "GET", .host = "h", .path = view_of("/")};
    struct aws_sign sign = {.keys = &keys, .region = "r", .service = "s", .now_ms = may_24};
    struct aws_headers headers = {0};
    struct buf out;

    buf_init(&out, 4096);
    aws_headers_add(&headers, "Host", view_of("other"));
    aws_headers_add(&headers, "A", view_of("1"));
    aws_headers_add(&headers, "a", view_of("2"));
    aws_headers_add(&headers, "Ab", view_of("3"));
    aws_sign_canonical(&sign, &request, &headers, "a;host;missing", &out);
    CHECK_TEXT(buf_text(&out), "GET\n/\n\na:1,2\nhost:other\n\na;host;missing\n"
                               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    aws_headers_clear(&headers);
    buf_free(&out);
}
