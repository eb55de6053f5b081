/* Waiters and paginators of real services, on answers as those give them. */
#include "aws/aws.h"
#include "codec/json.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static struct doc *parsed(const char *json)
{
    struct err err = ERR_INIT;

    return json ? json_parse(view_of(json), &err) : NULL;
}

static void check(int line, const char *service_name, const char *name, const char *json, int status, const char *code,
                  enum aws_wait_state want, const char *want_why)
{
    struct aws_service service = aws_service_find(aws_table_builtin(), service_name);
    struct aws_waiter waiter;
    struct doc *result = parsed(json);
    struct err err = ERR_INIT;
    struct buf why;

    buf_init(&why, 4096);
    if (code) {
        err_set(&err, ERR_MISSING, "it said %s", code);
        snprintf(err.code, sizeof(err.code), "%s", code);
        err.status = status;
    }
    if (!aws_waiter_find(service, view_of(name), &waiter)) {
        unit_fail(__FILE__, line, "no waiter %s", name);
    } else {
        unit_check_int(__FILE__, line, name,
                       aws_waiter_judge(service, &waiter, result, status, code ? &err : NULL, &why), want);
        unit_check_text(__FILE__, line, name, buf_text(&why), want_why);
    }
    buf_free(&why);
    doc_unref(result);
}

#define WAIT(...) check(__LINE__, __VA_ARGS__)

TEST(waiter_path)
{
    WAIT("eks", "cluster_active", "{\"cluster\":{\"status\":\"CREATING\"}}", 200, NULL, AWS_WAIT_RETRY, "");
    WAIT("eks", "ClusterActive", "{\"cluster\":{\"status\":\"ACTIVE\"}}", 200, NULL, AWS_WAIT_SUCCESS,
         "cluster.status is \"ACTIVE\"");
    WAIT("eks", "cluster_active", "{\"cluster\":{\"status\":\"FAILED\"}}", 200, NULL, AWS_WAIT_FAILURE,
         "cluster.status is \"FAILED\"");
    WAIT("eks", "cluster_active", "{}", 200, NULL, AWS_WAIT_RETRY, "");
}

TEST(waiter_errors)
{
    WAIT("eks", "cluster_deleted", NULL, 404, "ResourceNotFoundException", AWS_WAIT_SUCCESS,
         "the service says \"ResourceNotFoundException\"");
    WAIT("eks", "cluster_deleted", NULL, 403, "AccessDeniedException", AWS_WAIT_FAILURE,
         "it said AccessDeniedException");
    WAIT("iam", "role_exists", NULL, 404, "NoSuchEntity", AWS_WAIT_RETRY, "the service says \"NoSuchEntity\"");
    WAIT("iam", "role_exists", "{}", 200, NULL, AWS_WAIT_SUCCESS, "the answer's status is 200");
    WAIT("s3", "bucket_exists", NULL, 404, "404", AWS_WAIT_RETRY, "the answer's status is 404");
    /* Nothing was answered: no acceptor is asked. */
    WAIT("eks", "cluster_active", NULL, 0, "", AWS_WAIT_FAILURE, "it said ");
}

TEST(waiter_all_and_any)
{
    WAIT("ec2", "instance_running",
         "{\"Reservations\":[{\"Instances\":[{\"State\":{\"Name\":\"running\"}},{\"State\":{\"Name\":\"pending\"}}]}]}",
         200, NULL, AWS_WAIT_RETRY, "");
    WAIT("ec2", "instance_running", "{\"Reservations\":[{\"Instances\":[{\"State\":{\"Name\":\"running\"}}]}]}", 200,
         NULL, AWS_WAIT_SUCCESS, "all of Reservations[].Instances[].State.Name are \"running\"");
    WAIT("ec2", "instance_running",
         "{\"Reservations\":[{\"Instances\":[{\"State\":{\"Name\":\"running\"}},{\"State\":{\"Name\":\"terminated\"}}]}"
         "]}",
         200, NULL, AWS_WAIT_FAILURE, "one of Reservations[].Instances[].State.Name is \"terminated\"");
    WAIT("ec2", "instance_running", "{\"Reservations\":[]}", 200, NULL, AWS_WAIT_RETRY, "");
}

static void check_page(int line, const char *service, const char *name, const char *params, const char *result,
                       bool more, const char *want)
{
    struct aws_operation operation = aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(name));
    struct doc *given = parsed(params), *answer = parsed(result);
    struct err err = ERR_INIT;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    unit_check_int(__FILE__, line, result, aws_pages_next(operation, given, answer, &err), more);
    json_add(&text, given, JSON_SORTED);
    unit_check_text(__FILE__, line, result, err.kind ? err.message : buf_text(&text), want);
    buf_free(&text);
    doc_unref(given);
    doc_unref(answer);
}

#define PAGE(...) check_page(__LINE__, __VA_ARGS__)

TEST(pages_tokens)
{
    PAGE("eks", "list_clusters", "{\"maxResults\":5}", "{\"clusters\":[],\"nextToken\":\"t\"}", true,
         "{\"maxResults\":5,\"nextToken\":\"t\"}");
    PAGE("eks", "list_clusters", "{\"nextToken\":\"t\"}", "{\"clusters\":[]}", false, "{\"nextToken\":\"t\"}");
    PAGE("eks", "list_clusters", "{\"nextToken\":\"t\"}", "{\"nextToken\":\"\"}", false, "{\"nextToken\":\"t\"}");
    PAGE("eks", "list_clusters", "{\"nextToken\":\"t\"}", "{\"nextToken\":\"t\"}", false,
         "ListClusters gave the same page token twice");
    PAGE("eks", "create_cluster", "{}", "{\"nextToken\":\"t\"}", false, "{}");
}

TEST(pages_more_results)
{
    PAGE("iam", "list_roles", "{}", "{\"IsTruncated\":false,\"Marker\":\"m\"}", false, "{}");
    PAGE("iam", "list_roles", "{}", "{\"IsTruncated\":true,\"Marker\":\"m\"}", true, "{\"Marker\":\"m\"}");
    PAGE("iam", "list_roles", "{}", "{\"Marker\":\"m\"}", false, "{}");
}

TEST(pages_several_tokens)
{
    PAGE("s3", "list_object_versions", "{\"KeyMarker\":\"a\",\"VersionIdMarker\":\"1\"}",
         "{\"IsTruncated\":true,\"NextKeyMarker\":\"b\"}", true, "{\"KeyMarker\":\"b\"}");
    PAGE("s3", "list_object_versions", "{\"KeyMarker\":\"a\"}",
         "{\"IsTruncated\":true,\"NextKeyMarker\":\"a\",\"NextVersionIdMarker\":\"2\"}", true,
         "{\"KeyMarker\":\"a\",\"VersionIdMarker\":\"2\"}");
    PAGE("s3", "list_objects", "{}", "{\"IsTruncated\":true,\"Contents\":[{\"Key\":\"k\"},{\"Key\":\"l\"}]}", true,
         "{\"Marker\":\"l\"}");
    PAGE("s3", "list_parts", "{}", "{\"IsTruncated\":true,\"NextPartNumberMarker\":0}", false, "{}");
    PAGE("dynamodb", "scan", "{}", "{\"LastEvaluatedKey\":{\"k\":{\"S\":\"v\"}}}", true,
         "{\"ExclusiveStartKey\":{\"k\":{\"S\":\"v\"}}}");
}
