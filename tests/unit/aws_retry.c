/* What the configuration says about retries and variants of endpoints, as a call meets it. */
#include "aws/aws.h"
#include "aws/transfer.h"
#include "aws_world.h"
#include "unit.h"

#include <string.h>

struct caller {
    struct aws_world world;
    struct aws *aws;
    int throttles; /* how often, before an answer */
    int64_t first_ms, last_ms;
    struct err err;
};

static void serve(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct caller *caller = ctx;
    bool throttle = ask->count <= caller->throttles;

    if (ask->count == 1)
        caller->first_ms = caller->world.now_ms;
    caller->last_ms = caller->world.now_ms;
    answer->status = throttle ? 400 : 200;
    answer->body = mem_text(throttle ? "{\"__type\": \"ThrottlingException\", \"message\": \"Rate exceeded\"}" : "{}");
}

static void caller_init(struct caller *caller, const char *config)
{
    *caller = (struct caller){0};
    aws_world_init(&caller->world);
    caller->world.serve = serve;
    caller->world.ctx = caller;
    aws_world_set(&caller->world, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    aws_world_set(&caller->world, "AWS_SECRET_ACCESS_KEY", "hush");
    aws_world_file(&caller->world, "/home/ann/.aws/config", config);
}

static void answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct caller *caller = ctx;

    (void)result;
    (void)answer;
    caller->err = err ? *err : ERR_INIT;
}

static void call_in(struct caller *caller, const char *service, const char *operation, const char *region)
{
    if (!caller->aws)
        caller->aws = aws_new(&caller->world.base, caller->world.http, NULL,
                              aws_world_config(&caller->world, NULL, NULL), aws_table_builtin());
    aws_send(caller->aws,
             &(struct aws_request){
                 .operation = aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(operation)),
                 .region = region},
             answered, caller);
    aws_world_run(&caller->world);
}

static void call(struct caller *caller)
{
    call_in(caller, "kms", "ListKeys", "eu-west-1");
}

static void caller_clear(struct caller *caller)
{
    aws_free(caller->aws);
    aws_world_clear(&caller->world);
}

TEST(retry_adaptive_paces_each_service_by_itself)
{
    struct caller caller;

    caller_init(&caller, "[default]\nretry_mode = adaptive\n");
    caller.throttles = 1;
    call(&caller);
    CHECK_TEXT(caller.err.message, "");
    CHECK_INT(caller.world.exchanges, 2);
    CHECK(caller.last_ms - caller.first_ms >= 1000);
    int64_t before_ms = caller.world.now_ms;
    call(&caller);
    CHECK(caller.last_ms - before_ms >= 500);
    before_ms = caller.world.now_ms;
    call_in(&caller, "kms", "ListKeys", "us-east-1");
    CHECK_INT(caller.last_ms, before_ms);
    call_in(&caller, "sqs", "ListQueues", "eu-west-1");
    CHECK_INT(caller.last_ms, before_ms);
    caller_clear(&caller);
}

TEST(retry_standard_holds_nothing_up)
{
    static const char *const modes[] = {"standard", "legacy"};

    for (size_t i = 0; i < 2; i++) {
        struct caller caller;

        caller_init(&caller, "[default]\nretry_mode = adaptive\n");
        aws_world_set(&caller.world, "AWS_RETRY_MODE", modes[i]);
        caller.throttles = 1;
        call(&caller);
        CHECK_INT(caller.world.exchanges, 2);
        int64_t before_ms = caller.world.now_ms;
        call(&caller);
        CHECK_INT(caller.last_ms, before_ms);
        caller_clear(&caller);
    }
}

TEST(retry_mode_of_another_name_is_refused_with_its_place)
{
    struct caller caller;

    caller_init(&caller, "[default]\nretry_mode = adaptiv\n");
    call(&caller);
    CHECK_INT(caller.err.kind, ERR_USAGE);
    CHECK_TEXT(caller.err.explain, "A201");
    CHECK_TEXT(caller.err.message, "aws kms ListKeys: ~/.aws/config:2: profile default: retry_mode is \"adaptiv\": it "
                                   "can be standard or adaptive");
    CHECK_INT(caller.world.exchanges, 0);
    aws_world_set(&caller.world, "AWS_RETRY_MODE", "Adaptive");
    call(&caller);
    CHECK(strstr(caller.err.message, "AWS_RETRY_MODE is \"Adaptive\""));
    caller_clear(&caller);
}

TEST(endpoint_variants_that_are_not_there_name_who_asked)
{
    struct caller caller;

    caller_init(&caller, "[default]\nuse_fips_endpoint = true\n");
    aws_world_set(&caller.world, "AWS_USE_DUALSTACK_ENDPOINT", "true");
    call_in(&caller, "s3", "ListBuckets", "cn-north-1");
    CHECK_TEXT(caller.err.explain, "A103");
    CHECK_INT(caller.err.kind, ERR_USAGE);
    CHECK(strstr(caller.err.message,
                 " (asked for by use_fips_endpoint of ~/.aws/config:2 and AWS_USE_DUALSTACK_ENDPOINT)"));
    CHECK_INT(caller.world.exchanges, 0);
    caller_clear(&caller);
}
