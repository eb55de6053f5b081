/* The token of an EKS cluster: its form, what is signed, whose keys. tests/conformance compares it with the aws CLI's.
 */
#include "aws/aws.h"
#include "aws_world.h"
#include "base/digest.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct token {
    struct aws_world world;
    struct aws *aws;
    struct err err;
    char *text, *url;
};

static void made(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct token *token = ctx;
    struct err broken = ERR_INIT;
    struct buf text;

    (void)answer;
    token->err = err ? *err : ERR_INIT;
    if (err)
        return;
    buf_init(&text, 64 << 10);
    aws_eks_token_add(&text, result);
    token->text = buf_take(&text);
    CHECK_INT(base64_parse(&text, view_of(strchr(token->text, '.') + 1), &broken), 0);
    token->url = buf_take(&text);
}

static void token_make(struct token *token, const char *region, const char *cluster)
{
    free(token->text);
    free(token->url);
    token->text = token->url = NULL;
    if (!token->aws)
        token->aws = aws_new(&token->world.base, token->world.http, NULL, aws_world_config(&token->world, NULL, NULL),
                             aws_table_builtin());
    aws_eks_token(token->aws, region, cluster, made, token);
    aws_world_run(&token->world);
}

static void token_init(struct token *token)
{
    *token = (struct token){.err = ERR_INIT};
    aws_world_init(&token->world);
    aws_world_set(&token->world, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    aws_world_set(&token->world, "AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
}

static void token_clear(struct token *token)
{
    aws_free(token->aws);
    aws_world_clear(&token->world);
    free(token->text);
    free(token->url);
}

#define SIGNATURE "&X-Amz-Signature="

TEST(eks_token_form)
{
    struct token token;
    char *first;

    token_init(&token);
    token_make(&token, "eu-west-1", "dos-games");
    REQUIRE(token.text);
    CHECK_INT(strncmp(token.text, "k8s-aws-v1.", 11), 0);
    CHECK(!strpbrk(token.text, "+/= \n"));
    CHECK(
        view_starts(view_of(token.url),
                    "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
                    "&X-Amz-Algorithm=AWS4-HMAC-SHA256"
                    "&X-Amz-Credential=AKIDEXAMPLE%2F20300101%2Feu-west-1%2Fsts%2Faws4_request"
                    "&X-Amz-Date=20300101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id" SIGNATURE));
    CHECK_INT(token.world.exchanges, 0); /* nothing was sent */
    first = mem_text(strstr(token.url, SIGNATURE));
    token_make(&token, "eu-west-1", "other");
    CHECK(strcmp(first, strstr(token.url, SIGNATURE)) != 0);
    free(first);
    token_clear(&token);
}

TEST(eks_token_of_temporary_keys)
{
    struct token token;

    token_init(&token);
    aws_world_set(&token.world, "AWS_SESSION_TOKEN", "a/b+c=");
    token_make(&token, "cn-north-1", "dos-games");
    REQUIRE(token.url);
    CHECK(view_starts(view_of(token.url), "https://sts.cn-north-1.amazonaws.com.cn/?Action=GetCallerIdentity"));
    CHECK(strstr(token.url, "&X-Amz-Security-Token=a%2Fb%2Bc%3D&"));
    token_clear(&token);
}

TEST(eks_token_names_the_host_that_clusters_take)
{
    struct token token;

    token_init(&token);
    aws_world_set(&token.world, "AWS_ENDPOINT_URL_STS", "http://127.0.0.1:4566");
    token_make(&token, "eu-west-1", "dos-games");
    REQUIRE(token.url);
    CHECK(view_starts(view_of(token.url), "https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity"));
    token_clear(&token);
}

TEST(eks_token_without_keys)
{
    struct token token;

    token_init(&token);
    aws_world_set(&token.world, "AWS_ACCESS_KEY_ID", NULL);
    aws_world_set(&token.world, "AWS_SECRET_ACCESS_KEY", NULL);
    aws_world_set(&token.world, "AWS_EC2_METADATA_DISABLED", "true");
    token_make(&token, "eu-west-1", "dos-games");
    CHECK(!token.text);
    CHECK_TEXT(token.err.explain, "A203");
    token_clear(&token);
}
