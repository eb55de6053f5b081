/* Tokens that somebody else makes: asked for once for all who wait, before they expire, after a refusal. */
#include "kube_fake.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

enum { CALLS = 50, LIFE_MS = 840000 };

static const char CONFIG_JSON_USER[] =
    "{clusters: [{name: c, cluster: {server: 'https://api.test'}}], users: [{name: u, user: {token: never}}], "
    "contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}";

struct maker {
    struct fake *fake;
    struct kube *kube;
    int asked, refused;
    bool fails, waits;
    kube_token_got_fn *got;
    void *got_ctx;
};

static void answer(struct maker *maker)
{
    char token[32];
    struct err err = ERR_INIT;

    if (maker->fails) {
        err_set(&err, ERR_AUTH, "the profile has no keys");
        err_explain(&err, "A203");
    }
    snprintf(token, sizeof(token), "token-%d", maker->asked);
    maker->got(maker->got_ctx, maker->fails ? NULL : token, world_now_ms(fake_world(maker->fake)) + LIFE_MS,
               maker->fails ? &err : NULL);
}

static void make(void *ctx, bool refused, kube_token_got_fn *got, void *got_ctx)
{
    struct maker *maker = ctx;

    maker->asked++;
    maker->refused += refused;
    maker->got = got;
    maker->got_ctx = got_ctx;
    if (!maker->waits)
        answer(maker);
}

static void begin(struct maker *maker)
{
    struct err err = ERR_INIT;
    struct kube_config_options options = {
        .kubeconfig = "/asked", .token = make, .token_ctx = maker, .token_source = "EKS token"};
    struct kube_config *config;

    *maker = (struct maker){.fake = fake_new()};
    fake_file(maker->fake, "/asked", CONFIG_JSON_USER);
    config = kube_config_load(fake_world(maker->fake), &options, &err);
    REQUIRE(config);
    CHECK_TEXT(kube_config_source(config), "EKS token");
    maker->kube = kube_new(fake_world(maker->fake), fake_http(maker->fake), fake_marks(maker->fake), config);
}

static void end(struct maker *maker)
{
    kube_free(maker->kube);
    fake_free(maker->fake);
}

struct seen {
    int done, failed;
    bool all;
    struct err err;
};

static void answered(void *ctx, const struct doc *body, const struct http_answer *http, const struct err *err)
{
    struct seen *seen = ctx;

    (void)body;
    (void)http;
    seen->failed += err != NULL;
    seen->all = ++seen->done == CALLS;
    if (err)
        seen->err = *err;
}

static void send(struct maker *maker, struct seen *seen, int count)
{
    struct kube_request request = {
        .method = "GET", .path = "/version", .class = HTTP_READS, .repeat = HTTP_REPEAT_SAFE};

    *seen = (struct seen){.done = CALLS - count};
    for (int i = 0; i < count; i++)
        kube_send(maker->kube, &request, answered, seen);
}

static void ask(struct maker *maker, struct seen *seen)
{
    send(maker, seen, 1);
    CHECK(fake_until(maker->fake, &seen->all));
}

TEST(asked_once_for_all_who_wait)
{
    struct maker maker;
    struct seen seen;

    begin(&maker);
    fake_rule(maker.fake, "GET", "/version", 0, 200, "{}");
    maker.waits = true;
    send(&maker, &seen, CALLS);
    fake_turns(maker.fake, 1000);
    CHECK_INT(seen.done, 0);
    CHECK_INT(maker.asked, 1);
    answer(&maker);
    CHECK(fake_until(maker.fake, &seen.all));
    CHECK_INT(seen.failed, 0);
    CHECK_INT(maker.asked, 1);
    CHECK_TEXT(fake_header(maker.fake, "Authorization"), "Bearer token-1");
    end(&maker);
}

TEST(asked_again_before_it_expires)
{
    struct maker maker;
    struct seen seen;

    begin(&maker);
    fake_rule(maker.fake, "GET", "/version", 0, 200, "{}");
    ask(&maker, &seen);
    fake_turns(maker.fake, LIFE_MS - 70000);
    ask(&maker, &seen);
    CHECK_INT(maker.asked, 1);
    fake_turns(maker.fake, 20000); /* less than a minute before */
    ask(&maker, &seen);
    CHECK_INT(maker.asked, 2);
    CHECK_INT(maker.refused, 0);
    CHECK_TEXT(fake_header(maker.fake, "Authorization"), "Bearer token-2");
    end(&maker);
}

TEST(asked_again_when_refused)
{
    struct maker maker;
    struct seen seen;

    begin(&maker);
    fake_rule(maker.fake, "GET", "/version", CALLS, 401, "{}");
    fake_rule(maker.fake, "GET", "/version", CALLS, 200, "{}");
    fake_rule(maker.fake, "GET", "/version", 0, 401, "{}");
    send(&maker, &seen, CALLS);
    CHECK(fake_until(maker.fake, &seen.all));
    CHECK_INT(seen.failed, 0);
    CHECK_INT(maker.asked, 2);
    CHECK_INT(maker.refused, 1);
    ask(&maker, &seen); /* refused for good: once more is asked, then it is told */
    CHECK_INT(seen.failed, 1);
    CHECK_INT(seen.err.kind, ERR_AUTH);
    CHECK_INT(maker.asked, 3);
    end(&maker);
}

TEST(asked_in_vain)
{
    struct maker maker;
    struct seen seen;

    begin(&maker);
    fake_rule(maker.fake, "GET", "/version", 0, 200, "{}");
    maker.fails = true;
    ask(&maker, &seen);
    CHECK_TEXT(seen.err.explain, "A203");
    CHECK(strstr(seen.err.message, "token of the cluster: the profile has no keys"));
    maker.fails = false; /* an error is not kept */
    ask(&maker, &seen);
    CHECK_INT(seen.failed, 0);
    end(&maker);
}

TEST(asked_while_the_client_goes)
{
    struct maker maker;
    struct seen seen;

    begin(&maker);
    maker.waits = true;
    send(&maker, &seen, 3);
    fake_turns(maker.fake, 1000);
    CHECK_INT(maker.asked, 1);
    end(&maker);
    CHECK_INT(seen.done, CALLS - 3);
}
