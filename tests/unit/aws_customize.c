/* What the models do not say. Requests as botocore makes them are compared by conformance/aws_differential.test. */
#include "unit.h"

#include "aws/customize.h"

#include "codec/json.h"

#include <string.h>

static struct aws_operation operation_of(const char *service, const char *name)
{
    struct aws_operation operation = aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(name));

    CHECK(operation.table != NULL);
    return operation;
}

static struct doc *json(const char *text)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(text), &err);

    CHECK(doc != NULL);
    return doc;
}

/* params after the hooks, as JSON; "error: ..." */
static void check_params(const char *service, const char *name, const char *params, const char *want)
{
    struct doc *doc = json(params);
    struct err err = ERR_INIT;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (aws_customize_params(operation_of(service, name), doc, &err) == 0)
        json_add(&text, doc, JSON_COMPACT);
    else
        buf_addf(&text, "error: %s", err.message);
    CHECK_TEXT(buf_text(&text), want);
    buf_free(&text);
    doc_unref(doc);
}

TEST(ids_of_answers_serve_in_requests)
{
    check_params("route53", "GetHostedZone", "{\"Id\":\"/hostedzone/Z1\"}", "{\"Id\":\"Z1\"}");
    check_params("route53", "ListResourceRecordSets", "{\"HostedZoneId\":\"/hostedzone/Z1\"}",
                 "{\"HostedZoneId\":\"Z1\"}");
    check_params("route53", "DeleteTrafficPolicy", "{\"Id\":\"a/b\"}", "{\"Id\":\"a/b\"}");
}

TEST(user_data_goes_in_base64)
{
    check_params("ec2", "RunInstances", "{\"UserData\":\"#!/bin/sh\"}", "{\"UserData\":\"IyEvYmluL3No\"}");
    check_params("ec2", "ModifyInstanceAttribute", "{\"UserData\":\"x\"}", "{\"UserData\":\"x\"}");
}

TEST(aliases_are_one_name_or_the_other)
{
    check_params("logs", "CreateExportTask", "{\"fromTime\":1}", "{\"from\":1}");
    check_params("logs", "CreateExportTask", "{\"fromTime\":1,\"from\":2}",
                 "error: fromTime is another name of from: give one of them");
}

TEST(buckets_have_names_or_arns)
{
    static const char arn[] = "{\"Bucket\":\"arn:aws:s3:eu-central-1:123456789012:accesspoint/mine\"}";

    check_params("s3", "HeadBucket", "{\"Bucket\":\"Good_name.1\"}", "{\"Bucket\":\"Good_name.1\"}");
    check_params("s3", "HeadBucket", arn, arn);
    check_params(
        "s3", "HeadBucket", "{\"Bucket\":\"a/b\"}",
        "error: Bucket: \"a/b\" is no bucket's name (1 to 255 letters, digits, \".\", \"-\", \"_\") and no access "
        "point's ARN");
    check_params("s3", "PutObject", "{\"Bucket\":\"b\",\"Key\":\"k\",\"Metadata\":{\"k\":\"\\u00e4\"}}",
                 "error: Metadata[\"k\"]: S3 keeps metadata in headers, where only ASCII can be");
}

TEST(customers_keys_go_with_their_md5)
{
    check_params("s3", "GetObject", "{\"SSECustomerKey\":\"abc\"}",
                 "{\"SSECustomerKey\":\"YWJj\",\"SSECustomerKeyMD5\":\"kAFQmDzST7DWlj99KOF/cg==\"}");
    check_params("s3", "GetObject", "{\"SSECustomerKey\":\"YWJj\",\"SSECustomerKeyMD5\":\"x\"}",
                 "{\"SSECustomerKey\":\"YWJj\",\"SSECustomerKeyMD5\":\"x\"}");
    check_params(
        "s3", "UploadPartCopy", "{\"CopySourceSSECustomerKey\":\"abc\"}",
        "{\"CopySourceSSECustomerKey\":\"YWJj\",\"CopySourceSSECustomerKeyMD5\":\"kAFQmDzST7DWlj99KOF/cg==\"}");
}

TEST(sources_of_copies_are_escaped_but_for_their_version)
{
    check_params("s3", "CopyObject", "{\"CopySource\":\"b/a key+\"}", "{\"CopySource\":\"b/a%20key%2B\"}");
    check_params("s3", "CopyObject", "{\"CopySource\":\"b/k?versionId=v+1\"}",
                 "{\"CopySource\":\"b/k?versionId=v+1\"}");
    check_params("s3", "CopyObject", "{\"CopySource\":\"b/k?versionId=\"}", "{\"CopySource\":\"b/k%3FversionId%3D\"}");
    check_params("s3", "CopyObject", "{\"CopySource\":{\"Bucket\":\"b\",\"Key\":\"a b\",\"VersionId\":\"v\"}}",
                 "{\"CopySource\":\"b/a%20b?versionId=v\"}");
    check_params("s3", "CopyObject",
                 "{\"CopySource\":{\"Bucket\":\"arn:aws:s3:us-east-1:123456789012:accesspoint/p\",\"Key\":\"k\"}}",
                 "{\"CopySource\":\"arn%3Aaws%3As3%3Aus-east-1%3A123456789012%3Aaccesspoint/p/object/k\"}");
    check_params("s3", "CopyObject", "{\"CopySource\":{\"Bucket\":\"b\"}}", "error: CopySource.Key: is missing");
}

static void check_read(const char *service, const char *name, struct aws_custom custom, const struct aws_answer *answer,
                       const char *want)
{
    struct err err = ERR_INIT;
    struct doc *result = aws_customize_read(operation_of(service, name), &custom, answer, &err);
    struct buf text;

    buf_init(&text, 1 << 20);
    if (result)
        json_add(&text, result, JSON_COMPACT);
    else
        buf_addf(&text, "error%s: %s", err.retryable ? ", again" : "", err.message);
    CHECK_TEXT(buf_text(&text), want);
    buf_free(&text);
    doc_unref(result);
}

TEST(names_in_lists_are_decoded_when_we_asked_for_encoding)
{
    static const char body[] =
        "<L><EncodingType>url</EncodingType><Prefix>a%2F</Prefix><Contents><Key>a%2Fb+c%0A</Key></Contents>"
        "<CommonPrefixes><Prefix>%C3%A4</Prefix></CommonPrefixes></L>";
    struct aws_answer answer = {200, NULL, 0, VIEW_LITERAL(body)};

    check_read("s3", "ListObjectsV2", (struct aws_custom){.keys_encoded = true}, &answer,
               "{\"Contents\":[{\"Key\":\"a/b c\\n\"}],\"Prefix\":\"a/\",\"CommonPrefixes\":[{\"Prefix\":\"ä\"}],"
               "\"EncodingType\":\"url\"}");
    check_read(
        "s3", "ListObjectsV2", (struct aws_custom){0}, &answer,
        "{\"Contents\":[{\"Key\":\"a%2Fb+c%0A\"}],\"Prefix\":\"a%2F\",\"CommonPrefixes\":[{\"Prefix\":\"%C3%A4\"}],"
        "\"EncodingType\":\"url\"}");
}

TEST(an_answer_with_another_checksum_is_refused)
{
    struct header header = {"x-amz-checksum-crc32", "DUoRhQ=="};
    struct aws_answer answer = {200, &header, 1, VIEW_LITERAL("hello world")};

    check_read("s3", "GetObject", (struct aws_custom){.checked = true}, &answer,
               "{\"ChecksumCRC32\":\"DUoRhQ==\",\"Metadata\":{},\"Body\":\"hello world\"}");
    answer.body = VIEW_LITERAL("hello worlt");
    check_read("s3", "GetObject", (struct aws_custom){.checked = true}, &answer,
               "error, again: the answer's bytes have the crc32 EP0B4Q==, and it says DUoRhQ==");
    check_read("s3", "GetObject", (struct aws_custom){0}, &answer,
               "{\"ChecksumCRC32\":\"DUoRhQ==\",\"Metadata\":{},\"Body\":\"hello worlt\"}");
    header.value = "DUoRhQ==-2"; /* of the parts' sums */
    check_read("s3", "GetObject", (struct aws_custom){.checked = true}, &answer,
               "{\"ChecksumCRC32\":\"DUoRhQ==-2\",\"Metadata\":{},\"Body\":\"hello worlt\"}");
}

TEST(an_expires_that_is_no_date_is_a_text)
{
    struct header header = {"Expires", "never"};
    struct aws_answer answer = {200, &header, 1, {NULL, 0}};

    check_read("s3", "HeadObject", (struct aws_custom){0}, &answer, "{\"Metadata\":{},\"ExpiresString\":\"never\"}");
    header.value = "Wed, 02 Jan 2030 03:04:05 GMT";
    check_read(
        "s3", "HeadObject", (struct aws_custom){0}, &answer,
        "{\"Expires\":\"2030-01-02T03:04:05Z\",\"Metadata\":{},\"ExpiresString\":\"Wed, 02 Jan 2030 03:04:05 GMT\"}");
}

TEST(policies_arrive_as_documents)
{
    static const char body[] =
        "<GetRoleResponse><GetRoleResult><Role><RoleName>r</RoleName><AssumeRolePolicyDocument>%7B%22a%22%3A%5B1%5D%7D"
        "</AssumeRolePolicyDocument></Role></GetRoleResult></GetRoleResponse>";
    struct aws_answer answer = {200, NULL, 0, VIEW_LITERAL(body)};

    check_read("iam", "GetRole", (struct aws_custom){0}, &answer,
               "{\"Role\":{\"RoleName\":\"r\",\"AssumeRolePolicyDocument\":{\"a\":[1]}}}");
}

TEST(errors_say_what_the_service_says_elsewhere)
{
    struct header header = {"x-amz-bucket-region", "eu-west-1"};
    struct aws_answer answer = {301, &header, 1,
                                VIEW_LITERAL("<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>")};
    struct err err = ERR_INIT;

    aws_error_read(operation_of("s3", "ListObjectsV2"), &answer, &err, NULL);
    aws_customize_error(operation_of("s3", "ListObjectsV2"), &answer, "us-east-1", &err);
    CHECK_TEXT(err.message, "the bucket is in region eu-west-1, and us-east-1 was asked for it: m");
    err_clear(&err);
    answer = (struct aws_answer){400, NULL, 0, VIEW_LITERAL("{\"error\":\"x\",\"error_description\":\"wait\"}")};
    aws_error_read(operation_of("sso-oidc", "CreateToken"), &answer, &err, NULL);
    aws_customize_error(operation_of("sso-oidc", "CreateToken"), &answer, NULL, &err);
    CHECK_TEXT(err.message, "wait");
}
