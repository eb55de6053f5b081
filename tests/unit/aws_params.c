#include "aws/protocol.h"
#include "codec/json.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct aws_operation operation_of(const char *service, const char *name)
{
    return aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(name));
}

/* params are JSON; want NULL: nothing is wrong with them. */
static void check(const char *service, const char *name, const char *params, const char *want)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(params), &err);
    int result = aws_params_check(operation_of(service, name), doc, &err);

    if (!want && result != 0)
        unit_fail(__FILE__, __LINE__, "%s %s: %s", name, params, err.message);
    if (want) {
        CHECK_INT(result, -1);
        CHECK_TEXT(err.message, want);
        CHECK_INT(err.kind, ERR_USAGE);
        CHECK_TEXT(err.explain, "A101");
    }
    doc_unref(doc);
}

TEST(aws_params_types)
{
    check("eks", "DescribeCluster", "{\"name\":\"a\"}", NULL);
    check("eks", "DescribeCluster", "{\"name\":7}", "name: an integer is not a string");
    check("eks", "DescribeCluster", "{\"name\":[\"a\"]}", "name: an array is not a string");
    check("eks", "DescribeCluster", "[1]", "an array is not a structure");
    check("eks", "CreateCluster",
          "{\"name\":\"a\",\"roleArn\":\"r\",\"resourcesVpcConfig\":{\"subnetIds\":[\"a\",\"b\",3]}}",
          "resourcesVpcConfig.subnetIds[2]: an integer is not a string");
    check("eks", "CreateCluster", "{\"name\":\"a\",\"roleArn\":\"r\",\"resourcesVpcConfig\":[]}", NULL); /* Lua's {} */
    check("eks", "CreateCluster",
          "{\"name\":\"a\",\"roleArn\":\"r\",\"resourcesVpcConfig\":{},\"tags\":{\"a b\":true}}",
          "tags[\"a b\"]: a boolean is not a string");
    check("ec2", "RunInstances", "{\"MinCount\":1.0,\"MaxCount\":1.5}", "MaxCount: a number is not an integer");
    check("ec2", "RunInstances", "{\"MinCount\":1,\"MaxCount\":1,\"DryRun\":\"yes\"}",
          "DryRun: a string is not a boolean");
    check("cloudwatch", "PutMetricData",
          "{\"Namespace\":\"n\",\"MetricData\":[{\"MetricName\":\"m\",\"Value\":\"NaN\"}]}", NULL);
    check("cloudwatch", "PutMetricData",
          "{\"Namespace\":\"n\",\"MetricData\":[{\"MetricName\":\"m\",\"Value\":\"one\"}]}",
          "MetricData[0].Value: a string is not a number");
}

TEST(aws_params_times)
{
    check("s3", "GetObject", "{\"Bucket\":\"b\",\"Key\":\"k\",\"IfModifiedSince\":\"2030-01-01T00:00:00Z\"}", NULL);
    check("s3", "GetObject", "{\"Bucket\":\"b\",\"Key\":\"k\",\"IfModifiedSince\":1893456000}", NULL);
    check("s3", "GetObject", "{\"Bucket\":\"b\",\"Key\":\"k\",\"IfModifiedSince\":\"soon\"}",
          "IfModifiedSince: \"soon\" is not a time; such as \"2030-01-31T12:00:00Z\" is wanted");
    check("s3", "GetObject", "{\"Bucket\":\"b\",\"Key\":\"k\",\"IfModifiedSince\":{}}",
          "IfModifiedSince: an object is not a time");
}

TEST(aws_params_names)
{
    check("eks", "DescribeCluster", "{\"nam\":\"a\",\"name\":\"a\"}",
          "nam: there is no such member; did you mean \"name\"?");
    check("eks", "DescribeCluster", "{\"NAME\":\"a\",\"name\":\"a\"}",
          "NAME: there is no such member; did you mean \"name\"?");
    check("eks", "DescribeCluster", "{\"cluster\":\"a\",\"name\":\"a\"}",
          "cluster: there is no such member; it has name");
    check("sts", "GetCallerIdentity", "{\"x\":1}", "x: there is no such member; there are none here");
    check("sts", "GetCallerIdentity", "{}", NULL);
}

TEST(aws_params_required)
{
    struct err err = ERR_INIT;

    check("eks", "DescribeCluster", "{}", "name: is missing; a string is wanted");
    check("eks", "DescribeCluster", "{\"name\":null}", "name: is missing; a string is wanted");
    CHECK_INT(aws_params_check(operation_of("eks", "DescribeCluster"), NULL, &err), -1);
    CHECK_INT(aws_params_check(operation_of("sts", "GetCallerIdentity"), NULL, &err), 0);
    /* a token is put in later */
    check("route53", "CreateHostedZone", "{\"Name\":\"a\"}", "CallerReference: is missing; a string is wanted");
}

TEST(aws_params_bounds)
{
    check("s3", "GetObject", "{\"Bucket\":\"b\",\"Key\":\"\"}", "Key: is empty; it is a part of the request's URL");
    check("eks", "ListClusters", "{\"maxResults\":0}", "maxResults: is 0, less than 1");
    check("eks", "ListClusters", "{\"maxResults\":101}", "maxResults: is 101, more than 100");
    check("iam", "GetRole", "{\"RoleName\":\"\"}", "RoleName: has 0 characters, less than 1");
    check("iam", "GetRole", "{\"RoleName\":\"\xc3\xa4\xc3\xa4\"}", NULL);
    check("s3", "PutObject", "{\"Bucket\":\"b\",\"Key\":\"k\",\"Metadata\":{\"a\":\"x\\ny\"}}",
          "Metadata.a: has a line break; it is a header of the request");
}

TEST(aws_params_unions)
{
    check("logs", "PutIntegration",
          "{\"integrationName\":\"a\",\"integrationType\":\"OPENSEARCH\",\"resourceConfig\":{}}",
          "resourceConfig: exactly one of its members is wanted, not 0: openSearchResourceConfig");
    check("dynamodb", "GetItem", "{\"TableName\":\"t\",\"Key\":{\"k\":{\"S\":\"a\",\"N\":\"1\"}}}",
          NULL); /* none in the model */
}

TEST(aws_params_many_mistakes)
{
    check("eks", "CreateCluster", "{\"name\":1,\"nam\":2}",
          "name: an integer is not a string\n= also: nam: there is no such member; did you mean \"name\"?\n"
          "= also: roleArn: is missing; a string is wanted\n= also: resourcesVpcConfig: is missing; a structure is "
          "wanted");
    check(
        "eks", "TagResource",
        "{\"resourceArn\":\"a\",\"tags\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7}}",
        "tags.a: an integer is not a string\n= also: tags.b: an integer is not a string\n= also: tags.c: an integer is "
        "not a string\n= also: tags.d: an integer is not a string\n= also: tags.e: an integer is not a string\n"
        "= also: more mistakes like these");
}

TEST(aws_params_depth_is_bounded)
{
    struct doc *value = doc_object(), *params = doc_object(), *key;
    struct err err = ERR_INIT;

    for (int i = 0; i < 1000; i++) {
        struct doc *map = doc_object(), *outer = doc_object();

        doc_set(map, "a", value);
        doc_set(outer, "M", map);
        value = outer;
    }
    key = doc_object();
    doc_set(key, "k", value);
    doc_set(params, "Key", key);
    doc_set_text(params, "TableName", "t");
    CHECK_INT(aws_params_check(operation_of("dynamodb", "GetItem"), params, &err), -1);
    CHECK(strstr(err.message, ": is deeper than 64 levels"));
    doc_unref(params);
}

static void token_make(void *ctx, const char *member, char out[37])
{
    (*(int *)ctx)++;
    snprintf(out, 37, "%-36.36s", member);
}

TEST(aws_params_tokens)
{
    struct doc *params = doc_object();
    int made = 0;

    aws_params_tokens(operation_of("eks", "CreateCluster"), params, token_make, &made);
    CHECK_INT(made, 1);
    CHECK_INT(strlen(doc_as_text(doc_get(params, "clientRequestToken"), "")), 36);
    aws_params_tokens(operation_of("eks", "CreateCluster"), params, token_make, &made);
    CHECK_INT(made, 1);
    aws_params_tokens(operation_of("eks", "DescribeCluster"), params, token_make, &made);
    CHECK_INT(made, 1);
    doc_unref(params);
}
