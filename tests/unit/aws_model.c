/* The built-in service table, and tables that are not one. */
#include "aws/model_rows.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

static struct aws_service service(const char *name)
{
    return aws_service_find(aws_table_builtin(), name);
}

static struct aws_operation operation(const char *service_name, const char *name)
{
    return aws_operation_find(service(service_name), view_of(name));
}

static struct aws_member input_member(const char *service_name, const char *name, const char *member)
{
    return aws_shape_member_find(aws_operation_input(operation(service_name, name)), view_of(member));
}

TEST(builtin_table_is_whole)
{
    const struct aws_table *table = aws_table_builtin();
    struct err err = ERR_INIT;
    size_t operations = 0;

    CHECK_INT(aws_table_check(table, &err), 0);
    CHECK_TEXT(err.message, "");
    CHECK_TEXT(aws_table_source(table), "botocore 1.44.5");
    CHECK_INT(aws_table_services(table), 28);
    for (size_t i = 0; i < aws_table_services(table); i++) {
        struct aws_service each = aws_table_service(table, i);

        operations += aws_service_operations(each);
        CHECK(aws_service_find(table, aws_service_name(each)).at == i);
        CHECK(i == 0 || strcmp(aws_service_name(aws_table_service(table, i - 1)), aws_service_name(each)) < 0);
    }
    CHECK_INT(operations, 2371);
    CHECK(aws_u32(table->bytes + 12) <= 700000);
}

TEST(every_operation_is_found_by_both_names)
{
    for (size_t i = 0; i < 28; i++) {
        struct aws_service each = aws_table_service(aws_table_builtin(), i);

        for (size_t j = 0; j < aws_service_operations(each); j++) {
            struct aws_operation one = aws_service_operation(each, j);

            CHECK(aws_operation_find(each, view_of(aws_operation_name(one))).at == one.at);
            CHECK(aws_operation_find(each, view_of(aws_operation_snake(one))).at == one.at);
        }
        CHECK(!aws_operation_find(each, view_of("describe_nothing_like_it")).table);
        CHECK(!aws_operation_find(each, view_of("DescribeNothingLikeIt")).table);
        CHECK(!aws_operation_find(each, view_of("")).table);
        CHECK(!aws_operation_find(each, view_of("~")).table);
        CHECK(!aws_service_operation(each, aws_service_operations(each)).table);
    }
    CHECK(!aws_service_find(aws_table_builtin(), "rds").table);
    CHECK(!aws_service_find(aws_table_builtin(), "").table);
    CHECK(!aws_service_find(aws_table_builtin(), NULL).table);
}

/* Expected by botocore's xform_name. */
TEST(snake_names_are_botocores)
{
    CHECK_TEXT(aws_operation_snake(operation("route53", "AssociateVPCWithHostedZone")),
               "associate_vpc_with_hosted_zone");
    CHECK_TEXT(aws_operation_snake(operation("iam", "UpdateOpenIDConnectProviderThumbprint")),
               "update_open_id_connect_provider_thumbprint");
    CHECK_TEXT(aws_operation_snake(operation("s3", "ListObjectsV2")), "list_objects_v2");
    CHECK_TEXT(aws_operation_snake(operation("lambda", "ListFunctionVersionsByCapacityProvider")),
               "list_function_versions_by_capacity_provider");
    CHECK_TEXT(aws_operation_snake(operation("s3", "GetBucketCors")), "get_bucket_cors");
    CHECK_TEXT(aws_operation_snake(operation("iam", "CreateSAMLProvider")), "create_saml_provider");
    CHECK_TEXT(aws_operation_snake(operation("iam", "ListMFADevices")), "list_mfa_devices");
    CHECK_TEXT(aws_operation_snake(operation("ec2", "CreateVpc")), "create_vpc");
    CHECK_TEXT(aws_operation_snake(operation("cloudwatch", "GetOTelEnrichment")), "get_otel_enrichment");
}

TEST(services)
{
    struct aws_service elbv2 = service("elbv2"), sqs = service("sqs"), cloudwatch = service("cloudwatch");

    CHECK_TEXT(aws_service_id(elbv2), "Elastic Load Balancing v2");
    CHECK_TEXT(aws_service_api_version(elbv2), "2015-12-01");
    CHECK_TEXT(aws_service_endpoint_prefix(elbv2), "elasticloadbalancing");
    CHECK_TEXT(aws_service_signing_name(elbv2), "elasticloadbalancing");
    CHECK_TEXT(aws_service_namespace(elbv2), "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/");
    CHECK_INT(aws_service_protocol(elbv2), AWS_QUERY);
    CHECK_TEXT(aws_service_signing_name(service("ecr")), "ecr");
    CHECK_TEXT(aws_service_endpoint_prefix(service("ecr")), "api.ecr");
    CHECK_INT(aws_service_protocol(sqs), AWS_JSON);
    CHECK(aws_service_query_compatible(sqs));
    CHECK_TEXT(aws_service_target_prefix(sqs), "AmazonSQS");
    CHECK_TEXT(aws_service_json_version(sqs), "1.0");
    CHECK_INT(aws_service_protocol(cloudwatch), AWS_JSON);
    CHECK(aws_service_query_compatible(cloudwatch));
    CHECK_INT(aws_service_protocol(service("resourcegroupstaggingapi")), AWS_JSON);
    CHECK_INT(aws_service_protocol(service("ec2")), AWS_EC2);
    CHECK_INT(aws_service_protocol(service("eks")), AWS_REST_JSON);
    CHECK_INT(aws_service_protocol(service("s3")), AWS_REST_XML);
    CHECK(!aws_service_query_compatible(service("eks")));
}

TEST(operations)
{
    struct aws_operation describe = operation("eks", "describe_cluster");
    struct aws_operation hosted = operation("route53", "create_hosted_zone");
    struct aws_operation put = operation("s3", "put_object"), get = operation("s3", "get_object");

    CHECK_TEXT(aws_operation_method(describe), "GET");
    CHECK_TEXT(aws_operation_uri(describe), "/clusters/{name}");
    CHECK_TEXT(aws_service_name(aws_operation_service(describe)), "eks");
    CHECK_TEXT(aws_operation_result_wrapper(describe), "");
    CHECK_TEXT(aws_operation_result_wrapper(operation("iam", "get_user")), "GetUserResult");
    CHECK_INT(aws_operation_status(hosted), 201);
    CHECK_TEXT(aws_operation_input_wire(hosted), "CreateHostedZoneRequest");
    CHECK_TEXT(aws_operation_input_namespace(hosted), "https://route53.amazonaws.com/doc/2013-04-01/");
    CHECK_TEXT(aws_operation_checksum_member(put), "ChecksumAlgorithm");
    CHECK(!aws_operation_checksum_required(put));
    CHECK(aws_operation_checksum_required(operation("s3", "put_bucket_policy")));
    CHECK_TEXT(aws_operation_checksum_mode_member(get), "ChecksumMode");
    CHECK_TEXT(aws_operation_checksum_responses(get),
               "CRC64NVME,CRC32,CRC32C,SHA256,SHA1,SHA512,MD5,XXHASH64,XXHASH3,XXHASH128");
    CHECK_TEXT(aws_operation_host_prefix(operation("s3", "write_get_object_response")), "{RequestRoute}.");
    CHECK(aws_operation_input(operation("sts", "get_caller_identity")).table != NULL);
    CHECK(!aws_operation_output(operation("sqs", "delete_message")).table);
    CHECK(aws_operation_flags(operation("sts", "assume_role_with_web_identity")) & AWS_OPERATION_UNSIGNED);
    CHECK(aws_operation_flags(operation("sso", "get_role_credentials")) & AWS_OPERATION_UNSIGNED);
    CHECK(aws_operation_flags(operation("s3", "write_get_object_response")) & AWS_OPERATION_UNSIGNED_PAYLOAD);
    CHECK(aws_operation_flags(operation("cloudwatch", "put_metric_data")) & AWS_OPERATION_COMPRESSED);
    CHECK(!(aws_operation_flags(describe) & (AWS_OPERATION_UNSIGNED | AWS_OPERATION_DEPRECATED)));
    CHECK_INT(aws_operation_contexts(describe), 0);
    CHECK_TEXT(aws_operation_context(describe, 0).name, "");
}

TEST(endpoint_contexts)
{
    struct aws_operation batch = operation("dynamodb", "batch_get_item");
    struct aws_operation create = operation("s3", "create_bucket");
    struct aws_context context = aws_operation_context(batch, 0);

    REQUIRE(aws_operation_contexts(batch) == 1);
    CHECK_TEXT(context.name, "ResourceArnList");
    CHECK_TEXT(context.text, "keys(RequestItems)");
    CHECK(context.path);
    REQUIRE(aws_operation_contexts(create) == 2);
    CHECK_TEXT(aws_operation_context(create, 0).name, "DisableAccessPoints");
    CHECK_TEXT(aws_operation_context(create, 0).text, "true");
    CHECK(!aws_operation_context(create, 0).path);
    CHECK_TEXT(aws_operation_context(create, 1).name, "UseS3ExpressControlEndpoint");
    CHECK_TEXT(aws_member_context(input_member("s3", "create_bucket", "Bucket")), "Bucket");
}

TEST(shapes_and_members)
{
    struct aws_shape create = aws_operation_input(operation("eks", "create_cluster"));
    struct aws_member name = aws_shape_member_find(create, VIEW_LITERAL("name"));
    struct aws_member token = aws_shape_member_find(create, VIEW_LITERAL("clientRequestToken"));
    struct aws_member tags = aws_shape_member_find(create, VIEW_LITERAL("tags"));
    double bound = NAN;

    CHECK_INT(aws_shape_type(create), AWS_STRUCTURE);
    CHECK_TEXT(aws_member_name(aws_shape_member(create, 0)), "name");
    CHECK(aws_member_flags(name) & AWS_MEMBER_REQUIRED);
    CHECK(!(aws_member_flags(tags) & AWS_MEMBER_REQUIRED));
    CHECK(aws_member_flags(token) & AWS_MEMBER_TOKEN);
    CHECK(aws_shape_min(aws_member_shape(name), &bound) && bound == 1);
    CHECK(aws_shape_max(aws_member_shape(name), &bound) && bound == 100);
    CHECK(!aws_shape_max(create, &bound));
    CHECK_INT(aws_shape_type(aws_member_shape(tags)), AWS_MAP);
    CHECK_INT(aws_shape_members(aws_member_shape(tags)), 2);
    CHECK_TEXT(aws_member_name(aws_shape_member(aws_member_shape(tags), 1)), "value");
    CHECK(!aws_shape_member(aws_member_shape(tags), 2).table);
    CHECK(!aws_shape_member_find(create, VIEW_LITERAL("Name")).table);
    CHECK(!aws_shape_payload(create).table);
    CHECK_INT(aws_member_location(input_member("eks", "describe_cluster", "name")), AWS_IN_URI);
    CHECK_TEXT(aws_member_wire(input_member("ec2", "run_instances", "ImageId")), "");
    CHECK_TEXT(aws_member_wire(input_member("ec2", "run_instances", "DryRun")), "dryRun");
}

TEST(shapes_of_s3)
{
    struct aws_operation put = operation("s3", "put_object");
    struct aws_shape input = aws_operation_input(put);
    struct aws_member body = aws_shape_payload(input);
    struct aws_member metadata = input_member("s3", "put_object", "Metadata");
    struct aws_member policy = aws_shape_payload(aws_operation_input(operation("s3", "put_bucket_acl")));
    struct aws_shape grantee = aws_member_shape(aws_shape_member_find(
        aws_member_shape(aws_shape_member(
            aws_member_shape(aws_shape_member_find(aws_member_shape(policy), VIEW_LITERAL("Grants"))), 0)),
        VIEW_LITERAL("Grantee")));
    struct aws_member type = aws_shape_member_find(grantee, VIEW_LITERAL("Type"));

    CHECK_TEXT(aws_member_name(body), "Body");
    CHECK_INT(aws_shape_type(aws_member_shape(body)), AWS_BLOB);
    CHECK(aws_member_flags(body) & AWS_MEMBER_STREAMING);
    CHECK_INT(aws_member_location(metadata), AWS_IN_HEADERS);
    CHECK_TEXT(aws_member_wire(metadata), "x-amz-meta-");
    CHECK_INT(aws_member_time(input_member("s3", "get_object", "ResponseExpires")), AWS_TIME_RFC822);
    CHECK_INT(aws_member_time(input_member("s3", "get_object", "IfModifiedSince")), AWS_TIME_DEFAULT);
    CHECK_TEXT(aws_member_name(policy), "AccessControlPolicy");
    CHECK_TEXT(aws_member_wire(policy), "AccessControlPolicy");
    CHECK_TEXT(aws_member_namespace(policy), "http://s3.amazonaws.com/doc/2006-03-01/");
    CHECK_TEXT(aws_shape_namespace_prefix(grantee), "xsi");
    CHECK(aws_member_flags(type) & AWS_MEMBER_ATTRIBUTE);
    CHECK_TEXT(aws_member_wire(type), "xsi:type");
    CHECK(aws_shape_values(aws_member_shape(type)) == 3);
    CHECK_TEXT(aws_shape_value(aws_member_shape(type), 0), "CanonicalUser");
    CHECK_TEXT(aws_shape_value(aws_member_shape(type), 3), "");
}

TEST(errors)
{
    struct aws_operation describe = operation("eks", "describe_cluster");
    struct aws_operation instances = operation("ec2", "describe_instances");
    struct aws_shape missing = aws_operation_error_find(describe, VIEW_LITERAL("ResourceNotFoundException"));
    struct aws_shape queue =
        aws_operation_error_find(operation("sqs", "get_queue_url"), VIEW_LITERAL("QueueDoesNotExist"));
    struct aws_shape entity = aws_operation_error_find(operation("iam", "get_role"), VIEW_LITERAL("NoSuchEntity"));

    CHECK(missing.table && aws_shape_flags(missing) & AWS_SHAPE_EXCEPTION);
    CHECK_INT(aws_shape_error_status(missing), 404);
    CHECK_TEXT(aws_shape_name(missing), "ResourceNotFoundException");
    CHECK_TEXT(aws_shape_error_code(missing), "ResourceNotFoundException");
    CHECK(queue.table != NULL);
    CHECK_TEXT(aws_shape_name(entity), "NoSuchEntityException");
    CHECK_TEXT(aws_shape_error_code(entity), "NoSuchEntity");
    CHECK(!aws_operation_error_find(instances, VIEW_LITERAL("InvalidInstanceID.NotFound")).table);
    CHECK_INT(aws_operation_errors(instances), 0);
    /* Not among the operation's own, but among the service's. */
    CHECK(aws_operation_error_find(operation("iam", "list_users"), VIEW_LITERAL("EntityAlreadyExists")).table != NULL);
    CHECK(aws_shape_flags(aws_operation_error_find(operation("lambda", "invoke"), VIEW_LITERAL("ServiceException"))) &
          AWS_SHAPE_FAULT);
}

TEST(none_is_harmless)
{
    struct aws_operation none = {0};
    struct aws_shape shape = aws_operation_input(none);
    struct aws_member member = aws_shape_member(shape, 0);
    struct aws_paginator paginator;
    struct aws_waiter waiter;
    double bound;

    CHECK_INT(aws_shape_type(shape), AWS_NONE);
    CHECK_TEXT(aws_shape_name(shape), "");
    CHECK_TEXT(aws_shape_error_code(shape), "");
    CHECK(!aws_shape_min(shape, &bound));
    CHECK_TEXT(aws_member_name(member), "");
    CHECK_TEXT(aws_member_wire(member), "");
    CHECK_INT(aws_shape_type(aws_member_shape(member)), AWS_NONE);
    CHECK_INT(aws_member_flags(member), 0);
    CHECK_INT(aws_operation_flags(none), 0);
    CHECK_TEXT(aws_operation_snake(none), "");
    CHECK_TEXT(aws_operation_method(none), "");
    CHECK_TEXT(aws_operation_host_prefix(none), "");
    CHECK(!aws_operation_error_find(none, VIEW_LITERAL("A")).table);
    CHECK(!aws_operation_paginator(none, &paginator));
    CHECK(!aws_waiter_find(aws_operation_service(none), VIEW_LITERAL("a"), &waiter));
    CHECK_INT(aws_service_rules(aws_operation_service(none)).len, 0);
    CHECK_TEXT(aws_table_source(NULL), "");
}

TEST(waiters)
{
    struct aws_waiter waiter;

    REQUIRE(aws_waiter_find(service("eks"), VIEW_LITERAL("cluster_active"), &waiter));
    CHECK_TEXT(waiter.name, "ClusterActive");
    CHECK_TEXT(waiter.operation, "DescribeCluster");
    CHECK_INT(waiter.delay_s, 30);
    CHECK_INT(waiter.attempts_max, 40);
    REQUIRE(waiter.acceptors_len == 3);
    CHECK_TEXT(aws_waiter_acceptor(service("eks"), &waiter, 2).state, "success");
    CHECK_TEXT(aws_waiter_acceptor(service("eks"), &waiter, 2).matcher, "path");
    CHECK_TEXT(aws_waiter_acceptor(service("eks"), &waiter, 2).argument, "cluster.status");
    CHECK_TEXT(aws_waiter_acceptor(service("eks"), &waiter, 2).expected, "\"ACTIVE\"");
    CHECK_TEXT(aws_waiter_acceptor(service("eks"), &waiter, 3).state, "");
    CHECK(aws_waiter_find(service("s3"), VIEW_LITERAL("BucketExists"), &waiter));
    CHECK_TEXT(aws_waiter_acceptor(service("s3"), &waiter, 0).expected, "200");
    CHECK(!aws_waiter_find(service("s3"), VIEW_LITERAL("bucket_happy"), &waiter));
    CHECK_INT(aws_service_waiters(service("sts")), 0);
}

TEST(paginators)
{
    struct aws_paginator pages;

    REQUIRE(aws_operation_paginator(operation("s3", "list_objects_v2"), &pages));
    CHECK_TEXT(pages.input_token, "ContinuationToken");
    CHECK_TEXT(pages.output_token, "NextContinuationToken");
    CHECK_TEXT(pages.more_results, "IsTruncated");
    CHECK_TEXT(pages.limit_key, "MaxKeys");
    CHECK_TEXT(pages.result_key, "Contents\nCommonPrefixes");
    REQUIRE(aws_operation_paginator(operation("route53", "list_resource_record_sets"), &pages));
    CHECK_TEXT(pages.input_token, "StartRecordName\nStartRecordType\nStartRecordIdentifier");
    /* From botocore's additions to the models. */
    REQUIRE(aws_operation_paginator(operation("ec2", "describe_route_tables"), &pages));
    CHECK(!aws_operation_paginator(operation("sts", "get_caller_identity"), &pages));
}
