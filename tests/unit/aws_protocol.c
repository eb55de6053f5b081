/* What the published suites leave out: services' peculiarities, answers that are not what they should be. */
#include "aws/protocol.h"
#include "codec/json.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct aws_operation operation_of(const char *service, const char *name)
{
    return aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(name));
}

static bool request(const char *service, const char *name, const char *params, struct aws_wire *wire)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(params), &err);
    bool good = doc && aws_params_check(operation_of(service, name), doc, &err) == 0;

    aws_wire_init(wire);
    good = good && aws_request_write(operation_of(service, name), doc, wire, &err) == 0;
    if (!good)
        unit_fail(__FILE__, __LINE__, "%s: %s", name, err.message);
    doc_unref(doc);
    return good;
}

TEST(aws_requests_of_each_protocol)
{
    struct aws_wire wire;

    REQUIRE(request("sts", "AssumeRole",
                    "{\"RoleArn\":\"arn:aws:iam::1:role/long-enough\",\"RoleSessionName\":\"a "
                    "b\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"\xc3\xa4\"}]}",
                    &wire));
    CHECK_TEXT(wire.method, "POST");
    CHECK_TEXT(buf_text(&wire.path), "/");
    CHECK_TEXT(
        buf_text(&wire.body),
        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Flong-enough&RoleSessionName=a+b"
        "&Tags.member.1.Key=k&Tags.member.1.Value=%C3%A4");
    aws_wire_clear(&wire);

    REQUIRE(request("ec2", "CreateTags",
                    "{\"Resources\":[\"i-1\"],\"Tags\":[{\"Key\":\"a\",\"Value\":\"\"}],\"DryRun\":true}", &wire));
    CHECK_TEXT(buf_text(&wire.body),
               "Action=CreateTags&Version=2016-11-15&ResourceId.1=i-1&Tag.1.Key=a&Tag.1.Value=&DryRun=true");
    aws_wire_clear(&wire);

    REQUIRE(request("ecr", "DescribeRepositories", "{\"repositoryNames\":[\"a/\xc3\xa4\"],\"maxResults\":5}", &wire));
    CHECK_TEXT(buf_text(&wire.body), "{\"repositoryNames\": [\"a/\\u00e4\"], \"maxResults\": 5}");
    CHECK_TEXT(aws_headers_get(&wire.headers, "X-Amz-Target"),
               "AmazonEC2ContainerRegistry_V20150921.DescribeRepositories");
    CHECK_TEXT(aws_headers_get(&wire.headers, "content-type"), "application/x-amz-json-1.1");
    aws_wire_clear(&wire);

    REQUIRE(request("eks", "DescribeAddon", "{\"clusterName\":\"c/d\",\"addonName\":\"a\"}", &wire));
    CHECK_TEXT(wire.method, "GET");
    CHECK_TEXT(buf_text(&wire.path), "/clusters/c%2Fd/addons/a");
    CHECK_INT(wire.body.len, 0);
    aws_wire_clear(&wire);

    REQUIRE(request("route53", "CreateHostedZone",
                    "{\"Name\":\"a.b\",\"CallerReference\":\"<&>\",\"HostedZoneConfig\":{\"PrivateZone\":false}}",
                    &wire));
    CHECK_TEXT(buf_text(&wire.path), "/2013-04-01/hostedzone");
    CHECK_TEXT(buf_text(&wire.body),
               "<CreateHostedZoneRequest "
               "xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Name>a.b</Name><CallerReference>&lt;&amp;&gt;"
               "</CallerReference><HostedZoneConfig><PrivateZone>false</PrivateZone></HostedZoneConfig></"
               "CreateHostedZoneRequest>");
    aws_wire_clear(&wire);
}

TEST(aws_whole_numbers_have_no_fraction)
{
    struct aws_wire wire;

    REQUIRE(request("ecr", "DescribeRepositories", "{\"maxResults\":5.0}", &wire));
    CHECK_TEXT(buf_text(&wire.body), "{\"maxResults\": 5}");
    aws_wire_clear(&wire);
    REQUIRE(request("iam", "UpdateRole", "{\"RoleName\":\"r\",\"MaxSessionDuration\":3600.0}", &wire));
    CHECK(strstr(buf_text(&wire.body), "&MaxSessionDuration=3600"));
    CHECK(!strstr(buf_text(&wire.body), "3600."));
    aws_wire_clear(&wire);
}

TEST(aws_requests_of_s3)
{
    struct aws_wire wire;

    REQUIRE(request("s3", "PutObject",
                    "{\"Bucket\":\"b\",\"Key\":\"x "
                    "y/\xc3\xa4\",\"Body\":\"text\",\"Metadata\":{\"Who\":\"me\"},\"StorageClass\":\"STANDARD\"}",
                    &wire));
    CHECK_TEXT(buf_text(&wire.path), "/x%20y/%C3%A4"); /* the endpoint's URL has the bucket */
    CHECK_TEXT(aws_headers_get(&wire.headers, "x-amz-meta-Who"), "me");
    CHECK_TEXT(buf_text(&wire.body), "text");
    CHECK(wire.streaming);
    CHECK(!aws_headers_get(&wire.headers, "content-type"));
    aws_wire_clear(&wire);

    REQUIRE(request("s3", "ListObjectsV2", "{\"Bucket\":\"b\",\"Prefix\":\"a/\",\"MaxKeys\":2}", &wire));
    CHECK_TEXT(buf_text(&wire.path), "/");
    CHECK_TEXT(buf_text(&wire.query), "list-type=2&prefix=a%2F&max-keys=2");
    aws_wire_clear(&wire);

    REQUIRE(request("s3", "PutBucketAcl",
                    "{\"Bucket\":\"b\",\"AccessControlPolicy\":{\"Grants\":[{\"Grantee\":{\"ID\":\"i\",\"Type\":"
                    "\"CanonicalUser\"},\"Permission\":\"READ\"}]}}",
                    &wire));
    CHECK_TEXT(buf_text(&wire.query), "acl");
    CHECK_TEXT(
        buf_text(&wire.body),
        "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><AccessControlList><Grant><Grantee "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">"
        "<ID>i</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>");
    aws_wire_clear(&wire);
}

TEST(aws_host_prefixes_are_checked)
{
    struct err err = ERR_INIT;
    struct doc *params = json_parse(view_of("{\"RequestRoute\":\"a.evil.com/\",\"RequestToken\":\"t\"}"), &err);
    struct aws_wire wire;

    aws_wire_init(&wire);
    CHECK_INT(aws_request_write(operation_of("s3", "WriteGetObjectResponse"), params, &wire, &err), -1);
    CHECK_TEXT(err.message, "RequestRoute becomes part of a host name: letters, digits, hyphens and points only");
    aws_wire_clear(&wire);
    doc_set_text(params, "RequestRoute", "route-1");
    aws_wire_init(&wire);
    CHECK_INT(aws_request_write(operation_of("s3", "WriteGetObjectResponse"), params, &wire, &err), 0);
    CHECK_TEXT(buf_text(&wire.host_prefix), "route-1.");
    aws_wire_clear(&wire);
    doc_set_text(params, "ErrorMessage", "a\r\nx-evil: 1");
    aws_wire_init(&wire);
    CHECK_INT(aws_request_write(operation_of("s3", "WriteGetObjectResponse"), params, &wire, &err), -1);
    CHECK_TEXT(err.message, "header x-amz-fwd-error-message: its value has a line break");
    aws_wire_clear(&wire);
    doc_unref(params);
}

static struct doc *read(const char *service, const char *name, const char *body, struct err *err)
{
    struct aws_answer answer = {.status = 200, .body = view_of(body)};

    *err = ERR_INIT;
    return aws_answer_read(operation_of(service, name), &answer, err);
}

static void check_answer(const char *service, const char *name, const char *body, const char *want)
{
    struct err err;
    struct doc *doc = read(service, name, body, &err);
    struct buf text;

    buf_init(&text, SIZE_MAX);
    json_add(&text, doc, JSON_COMPACT);
    CHECK_TEXT(doc ? buf_text(&text) : err.message, want);
    buf_free(&text);
    doc_unref(doc);
}

static void check_bad(const char *service, const char *name, const char *body, const char *want)
{
    struct err err;
    struct doc *doc = read(service, name, body, &err);
    char *whole = mem_printf("the answer is not what the service's model says: %s", want);

    CHECK(!doc);
    CHECK_TEXT(err.message, whole);
    CHECK_INT(err.kind, ERR_SERVER);
    CHECK_INT(err.status, 200);
    CHECK_TEXT(err.explain, "A102");
    free(whole);
    doc_unref(doc);
}

TEST(aws_answers_of_s3)
{
    static const char error[] =
        "<?xml version=\"1.0\"?>\n<Error><Code>SlowDown</Code><Message>Please  reduce\nyour rate.</Message></Error>";
    struct err err;
    struct doc *doc;

    check_answer(
        "s3", "GetBucketLocation",
        "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-central-1</LocationConstraint>",
        "{\"LocationConstraint\":\"eu-central-1\"}");
    check_answer("s3", "GetBucketLocation", "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>",
                 "{}");
    doc = read("s3", "CopyObject", error, &err);
    CHECK(!doc);
    CHECK_INT(err.kind, ERR_SERVER);
    CHECK(err.retryable);
    CHECK_INT(err.status, 200);
    CHECK_TEXT(err.code, "SlowDown");
    CHECK_TEXT(err.message, "Please reduce your rate.");
    doc = read("s3", "CompleteMultipartUpload", "<CompleteMultipartUploadResult><Location>x</Loc", &err); /* cut */
    CHECK(!doc);
    CHECK_INT(err.kind, ERR_SERVER);
    CHECK(err.retryable);
    doc = read("s3", "GetObject", error, &err); /* an object may be this */
    CHECK_INT(doc_as_view(doc_get(doc, "Body")).len, strlen(error));
    doc_unref(doc);
}

TEST(aws_answer_headers)
{
    static const struct header headers[] = {{"ETag", "\"e\""},
                                            {"content-length", "7"},
                                            {"X-Amz-Meta-Who", "me"},
                                            {"Expires", "never"},
                                            {"Last-Modified", "Thu, 01 Jan 2015 00:00:00 GMT"}};
    struct aws_answer answer = {.status = 200,
                                .headers = headers,
                                .headers_len = 5,
                                .body = {"a\0\xff"
                                         "bcd",
                                         6}};
    struct err err = ERR_INIT;
    struct doc *doc = aws_answer_read(operation_of("s3", "GetObject"), &answer, &err);

    REQUIRE(doc);
    CHECK_TEXT(doc_path_text(doc, "Metadata", "Who", NULL), "me");
    CHECK_INT(doc_as_int(doc_get(doc, "ContentLength"), 0), 7);
    CHECK_TEXT(doc_path_text(doc, "LastModified", NULL), "2015-01-01T00:00:00Z");
    CHECK_TEXT(doc_path_text(doc, "ETag", NULL), "\"e\"");
    CHECK(!doc_get(doc, "Expires")); /* anybody may store what is no date */
    CHECK_INT(doc_as_view(doc_get(doc, "Body")).len, 6);
    doc_unref(doc);
}

TEST(aws_answers_that_are_wrong)
{
    check_bad("eks", "DescribeCluster",
              "<html>\n<head><title>Gateway</title></head>\n<body>Sorry, <b>no</b></body></html>",
              "an HTML page, \"Gateway Sorry, no\" is not JSON (line 1, column 1: invalid token)");
    check_bad("eks", "DescribeCluster", "{\"cluster\":{\"name\":\"a\"",
              "a body of 22 bytes is not JSON (line 1, column 22: '}' expected near end of file)");
    check_bad("eks", "DescribeCluster", "[]", "this array is not a structure");
    check_bad("eks", "DescribeCluster", "{\"cluster\":{\"name\":{\"a\":1}}}",
              "cluster.name: this object is not a string");
    check_bad("eks", "DescribeCluster", "{\"cluster\":{\"createdAt\":\"x\"}}",
              "cluster.createdAt: this string is not a timestamp");
    check_bad("eks", "DescribeCluster", "{\"cluster\":{\"resourcesVpcConfig\":{\"subnetIds\":[\"a\",[]]}}}",
              "cluster.resourcesVpcConfig.subnetIds[1]: this array is not a string");
    check_bad("sts", "GetCallerIdentity", "<GetCallerIdentityResponse/>",
              "<GetCallerIdentityResponse> instead of <GetCallerIdentityResult> in it");
    check_bad("sts", "GetCallerIdentity", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
              "a body of 40 bytes is not XML (line 1, column 13: it has a DTD, which is "
              "refused)");
    check_bad("sts", "GetCallerIdentity", "", "an empty body is not XML (line 1, column 1: no element found)");
    check_bad("ec2", "DescribeVolumes", "<r><volumeSet><item><size>big</size></item></volumeSet></r>",
              "Volumes[0].Size: \"big\" is not an integer");
    check_bad("eks", "DescribeCluster", "{\"cluster\":{\"tags\":{\"a\\r\\nb\xc3\xa4\":[]}}}",
              "cluster.tags[\"a??b\xc3\xa4\"]: this array is not a string");
    check_answer("eks", "DescribeCluster", "", "{}");
    check_answer("eks", "DescribeCluster", "null", "{}");
    check_answer("eks", "DescribeCluster", "{\"cluster\":null,\"newer\":[1]}", "{}");
    check_answer("ecr", "DescribeRepositories", "{\"nextToken\":5}",
                 "{\"nextToken\":5}"); /* as botocore: numbers pass */
}

TEST(aws_answers_of_sts)
{
    check_answer(
        "sts", "GetCallerIdentity",
        "<GetCallerIdentityResponse "
        "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/a</Arn>"
        "<UserId>U</UserId><Account>1</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></"
        "ResponseMetadata>"
        "</GetCallerIdentityResponse>",
        "{\"UserId\":\"U\",\"Account\":\"1\",\"Arn\":\"arn:aws:iam::1:user/a\"}");
}

TEST(aws_streams_that_are_damaged)
{
    struct aws_answer answer = {.status = 200, .body = {"\0\0\0\x20\0\0\0\0", 8}};
    struct err err = ERR_INIT;

    CHECK(!aws_answer_read(operation_of("s3", "SelectObjectContent"), &answer, &err));
    CHECK_TEXT(err.message,
               "the answer is not what the service's model says: Payload: event 0 of the stream is cut or damaged");
}
