/* Tokens of an EKS cluster, made by hand: what the simulated API server takes, and what it does not. */
#include "base/digest.h"
#include "sandbox_aws.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token {
    const char *cluster; /* NULL: the header is not signed */
    const char *host, *query, *secret, *prefix;
    int age_s;
};

static void hmac(unsigned char key[SHA256_SIZE], size_t len, const char *text)
{
    unsigned char sum[SHA256_SIZE];

    digest_hmac_sha256((struct view){(const char *)key, len}, view_of(text), sum);
    memcpy(key, sum, SHA256_SIZE);
}

static void sign(const struct token *token, const char *query, const char *stamp, char hex[SHA256_HEX + 1])
{
    char *id = token->cluster ? mem_printf("x-k8s-aws-id:%s\n", token->cluster) : mem_text("");
    char empty[SHA256_HEX + 1], day[9], *canonical, *text;
    unsigned char key[128];
    int len = snprintf((char *)key, sizeof(key), "AWS4%s", token->secret ? token->secret : SANDBOX_SECRET_KEY);

    snprintf(day, sizeof(day), "%.8s", stamp);
    digest_sha256_hex(view_of(""), empty);
    canonical = mem_printf("GET\n/\n%s\nhost:%s\n%s\n%s\n%s", query, token->host, id,
                           token->cluster ? "host;x-k8s-aws-id" : "host", empty);
    digest_sha256_hex(view_of(canonical), hex);
    text = mem_printf("AWS4-HMAC-SHA256\n%s\n%.8s/eu-central-1/sts/aws4_request\n%s", stamp, stamp, hex);
    hmac(key, (size_t)len, day);
    hmac(key, SHA256_SIZE, "eu-central-1");
    hmac(key, SHA256_SIZE, "sts");
    hmac(key, SHA256_SIZE, "aws4_request");
    hmac(key, SHA256_SIZE, text);
    digest_hex(key, hex);
    free(canonical);
    free(text);
    free(id);
}

/* The status of a request with such a token; 0 for one without any answer. */
static int status_of(struct sim *sim, const char *bearer)
{
    struct header header = {"Authorization", bearer};
    struct got got;
    int status;

    got_send_request(&got, sim, "GET", "https://kubernetes.sandbox/api/v1/namespaces/kube-system", &header,
                     bearer ? 1 : 0, NULL, false);
    got_await(&got);
    status = got.failed ? 0 : got.status;
    if (status == 401)
        CHECK(strstr(buf_text(&got.body), "\"message\":\"Unauthorized\""));
    got_clear(&got);
    return status;
}

static int ask(struct sim *sim, struct token token)
{
    const char *stamp = token.age_s ? "20291231T235959Z" : "20300101T000000Z";
    char hex[SHA256_HEX + 1], *query, *url;
    struct buf bearer;
    int status;

    if (!token.host)
        token.host = "sts.eu-central-1.amazonaws.com";
    query = mem_printf("%s&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" SANDBOX_ACCESS_KEY
                       "%%2F%.8s%%2Feu-central-1%%2Fsts%%2Faws4_request&X-Amz-Date=%s&X-Amz-Expires=60"
                       "&X-Amz-SignedHeaders=host%s",
                       token.query ? token.query : "Action=GetCallerIdentity&Version=2011-06-15", stamp, stamp,
                       token.cluster ? "%3Bx-k8s-aws-id" : "");
    sign(&token, query, stamp, hex);
    url = mem_printf("https://%s/?%s&X-Amz-Signature=%s", token.host, query, hex);
    buf_init(&bearer, 1 << 16);
    buf_addf(&bearer, "Bearer %s", token.prefix ? token.prefix : "k8s-aws-v1.");
    base64url_add(&bearer, view_of(url));
    if (token.age_s)
        run_for(sim, 1000 * (token.age_s - 1));
    status = status_of(sim, buf_text(&bearer));
    buf_free(&bearer);
    free(url);
    free(query);
    return status;
}

static struct sim *eks_open(void)
{
    struct sim *sim = aws_open(NULL, NULL);

    sandbox_cluster(&sim->world, SANDBOX_REGION, "dos");
    return sim;
}

TEST(eks_takes_a_token_for_it)
{
    struct sim *sim = eks_open();

    CHECK_INT(ask(sim, (struct token){.cluster = "dos"}), 200);
    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .age_s = 14 * 60}), 200);
    world_free(&sim->world);
}

TEST(eks_refuses_what_is_none)
{
    struct sim *sim = eks_open();

    CHECK_INT(status_of(sim, NULL), 401);
    CHECK_INT(status_of(sim, "Bearer token-of-admin"), 401);
    CHECK_INT(status_of(sim, "Bearer k8s-aws-v1.%%%"), 401);
    CHECK_INT(status_of(sim, "Bearer k8s-aws-v1.aHR0cHM6Ly9leGFtcGxlLmNvbS8"), 401); /* https://example.com/ */
    CHECK_INT(ask(sim, (struct token){.cluster = "blue"}), 401);
    CHECK_INT(ask(sim, (struct token){.cluster = NULL}), 401);
    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .secret = "another"}), 401);
    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .prefix = "k8s-aws-v2."}), 401);
    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .query = "Action=GetSessionToken&Version=2011-06-15"}), 401);
    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .host = "iam.amazonaws.com"}), 401);
    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .query = "Action=GetCallerIdentity&Version=2011-06-15&Web=x"}),
              401);
    world_free(&sim->world);
}

TEST(eks_refuses_an_old_token)
{
    struct sim *sim = eks_open();

    CHECK_INT(ask(sim, (struct token){.cluster = "dos", .age_s = 15 * 60 + 1}), 401);
    world_free(&sim->world);
}

TEST(another_cluster_asks_for_no_token)
{
    struct sim *sim = aws_open(NULL, NULL);

    CHECK_INT(status_of(sim, "Bearer any"), 200);
    world_free(&sim->world);
}

TEST(the_account_may_be_the_targets)
{
    struct err err = ERR_INIT;
    struct world *world =
        sandbox_new(&(struct sandbox_options){.target = "prod", .account = "123456789012", .seed = 1}, &err);
    struct sim *sim = (struct sim *)(void *)world;

    REQUIRE(world);
    CHECK_SAYS(sim, 200, aws_form("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
               "<Account>123456789012</Account>", "<Arn>arn:aws:iam::123456789012:user/sandbox</Arn>");
    world_free(world);
}
