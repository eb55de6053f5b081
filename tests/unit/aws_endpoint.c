/* The published tests of endpoint rules are in tests/vectors; here what the wrapping makes of them, and its errors. */
#include "aws/endpoint.h"
#include "codec/json.h"
#include "unit.h"

#include <string.h>

static struct aws_service service_of(const char *name)
{
    return aws_service_find(aws_table_builtin(), name);
}

static struct doc *parsed(const char *json)
{
    struct err err = ERR_INIT;

    return json_parse(view_of(json), &err);
}

static int resolve(const char *service, const char *params, struct aws_endpoint *endpoint, struct err *err)
{
    struct doc *doc = parsed(params);
    int result = aws_endpoint_resolve(service_of(service), doc, endpoint, err);

    doc_unref(doc);
    return result;
}

static void check_url(const char *service, const char *params, const char *want)
{
    struct aws_endpoint endpoint;
    struct err err = ERR_INIT;
    int result = resolve(service, params, &endpoint, &err);

    unit_check_text(__FILE__, __LINE__, params, result == 0 ? buf_text(&endpoint.url) : err.message, want);
    aws_endpoint_clear(&endpoint);
}

TEST(endpoint_urls)
{
    check_url("eks", "{\"Region\":\"eu-central-1\"}", "https://eks.eu-central-1.amazonaws.com");
    check_url("eks", "{\"Region\":\"eu-central-1\",\"UseDualStack\":true}", "https://eks.eu-central-1.api.aws");
    check_url("ecr", "{\"Region\":\"us-east-1\",\"UseFIPS\":true}", "https://api.ecr-fips.us-east-1.amazonaws.com");
    check_url("ec2", "{\"Region\":\"cn-north-1\"}", "https://ec2.cn-north-1.amazonaws.com.cn");
    check_url("ec2", "{\"Region\":\"eu-nowhere-9\"}", "https://ec2.eu-nowhere-9.amazonaws.com");
    check_url("iam", "{\"Endpoint\":\"http://127.0.0.1:4566\"}", "http://127.0.0.1:4566");
    check_url("s3", "{\"Region\":\"us-west-2\",\"Bucket\":\"with.dots\"}",
              "https://s3.us-west-2.amazonaws.com/with.dots");
}

TEST(endpoint_signing)
{
    struct aws_endpoint endpoint;
    struct err err = ERR_INIT;

    CHECK_INT(resolve("iam", "{\"Region\":\"eu-west-1\"}", &endpoint, &err), 0);
    CHECK_TEXT(buf_text(&endpoint.signing_region), "us-east-1");
    CHECK(!endpoint.sigv4a && !endpoint.double_encoding_off && !endpoint.headers);
    aws_endpoint_clear(&endpoint);

    CHECK_INT(resolve("s3", "{\"Region\":\"eu-west-1\",\"Bucket\":\"games\"}", &endpoint, &err), 0);
    CHECK_TEXT(buf_text(&endpoint.url), "https://games.s3.eu-west-1.amazonaws.com");
    CHECK_TEXT(buf_text(&endpoint.signing_name), "s3");
    CHECK_TEXT(buf_text(&endpoint.signing_region), "eu-west-1");
    CHECK(endpoint.double_encoding_off);
    aws_endpoint_clear(&endpoint);

    /* A multi-region access point: nothing but sigv4a would do. */
    CHECK_INT(
        resolve("s3",
                "{\"Region\":\"us-east-1\",\"Bucket\":\"arn:aws:s3::123456789012:accesspoint:mfzwi23gnjvgw.mrap\"}",
                &endpoint, &err),
        0);
    CHECK(endpoint.sigv4a);
    aws_endpoint_clear(&endpoint);
    aws_endpoint_clear(&endpoint);
}

static void check_error(const char *service, const char *params, const char *want)
{
    struct aws_endpoint endpoint;
    struct err err = ERR_INIT;

    CHECK_INT(resolve(service, params, &endpoint, &err), -1);
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK_TEXT(err.message, want);
    CHECK_TEXT(err.explain, "A103");
    aws_endpoint_clear(&endpoint);
}

TEST(endpoint_errors)
{
    check_error("eks", "{}", "Invalid Configuration: Missing Region");
    check_error("eks", "{\"Region\":\"eu-central-1\",\"UseFIPS\":\"yes\"}",
                "the endpoint parameter UseFIPS is not true or false");
    check_error("eks", "{\"Region\":7}", "the endpoint parameter Region is not a text");
    check_error("s3", "{\"Region\":\"a b\"}", "Invalid region: region was not a valid DNS name.");
}

static void check_params(const char *service, const char *operation, const char *params, const char *builtins,
                         const char *want)
{
    struct aws_operation of = aws_operation_find(service_of(service), view_of(operation));
    struct doc *given = parsed(params), *known = parsed(builtins);
    struct err err = ERR_INIT;
    struct doc *got = aws_endpoint_params(of, given, known, &err);
    struct buf text;

    buf_init(&text, SIZE_MAX);
    if (got)
        json_add(&text, got, JSON_SORTED);
    unit_check_text(__FILE__, __LINE__, operation, got ? buf_text(&text) : err.message, want);
    buf_free(&text);
    doc_unref(got);
    doc_unref(given);
    doc_unref(known);
}

TEST(endpoint_parameters)
{
    const char *region = "{\"AWS::Region\":\"eu-west-1\",\"AWS::S3::Accelerate\":true,\"Other\":1}";

    check_params("eks", "DescribeCluster", "{\"name\":\"x\"}", region, "{\"Region\":\"eu-west-1\"}");
    check_params("s3", "PutObject", "{\"Bucket\":\"b\",\"Key\":\"k\"}", region,
                 "{\"Accelerate\":true,\"Bucket\":\"b\",\"Key\":\"k\",\"Region\":\"eu-west-1\"}");
    /* By JMESPath, and fixed by the operation. */
    check_params("dynamodb", "BatchGetItem", "{\"RequestItems\":{\"one\":{},\"two\":{}}}", "{}",
                 "{\"ResourceArnList\":[\"one\",\"two\"]}");
    check_params("s3", "CreateBucket", "{\"Bucket\":\"b\"}", "{}",
                 "{\"Bucket\":\"b\",\"DisableAccessPoints\":true,\"UseS3ExpressControlEndpoint\":true}");
    /* What the client is told by name wins over what a builtin of another name says. */
    check_params("eks", "DescribeCluster", "{}", "{\"Region\":\"a\",\"AWS::Region\":\"b\"}", "{\"Region\":\"a\"}");
}

TEST(endpoint_partitions)
{
    const struct aws_table *table = aws_table_builtin();

    CHECK_TEXT(aws_partition_of(table, "eu-central-1"), "aws");
    CHECK_TEXT(aws_partition_of(table, "cn-northwest-1"), "aws-cn");
    CHECK_TEXT(aws_partition_of(table, "us-gov-west-1"), "aws-us-gov");
    CHECK_TEXT(aws_partition_of(table, "cn-new-1"), "aws-cn");
    CHECK_TEXT(aws_partition_of(table, "aws-cn-global"), "aws-cn");
    CHECK_TEXT(aws_partition_of(table, "moon"), "aws");
    CHECK_TEXT(aws_partition_of(table, ""), "aws");
    CHECK_TEXT(aws_partition_suffix(table, "cn-north-1", false), "amazonaws.com.cn");
    CHECK_TEXT(aws_partition_suffix(table, "eu-west-1", true), "api.aws");
}
