/* Requests: credentials that renew, answers that are none, errors in the server's own words. */
#include "kube_fake.h"
#include "unit.h"

#include <string.h>

struct seen {
    bool done;
    struct doc *body;
    struct err err;
};

static void answered(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct seen *seen = ctx;

    (void)answer;
    doc_unref(seen->body);
    seen->body = doc_ref(body);
    seen->err = err ? *err : ERR_INIT;
    seen->done = true;
}

static void ask(struct fake *fake, struct seen *seen, const char *method, const char *path)
{
    struct kube_request request = {.method = method,
                                   .path = path,
                                   .class = strcmp(method, "GET") ? HTTP_CHANGES : HTTP_READS,
                                   .repeat = HTTP_REPEAT_SAFE};

    seen->done = false;
    kube_send(fake_kube(fake), &request, answered, seen);
    CHECK(fake_until(fake, &seen->done));
}

static const char EXEC[] =
    "{clusters: [{name: c, cluster: {server: 'https://api.test'}}], users: [{name: u, user: {exec: {apiVersion: "
    "client.authentication.k8s.io/v1, command: get-token, args: ['a b', '$(x)'], env: [{name: P, value: dev}], "
    "provideClusterInfo: true, installHint: 'get it'}}}], contexts: [{name: x, context: {cluster: c, user: u}}], "
    "current-context: x}";

#define CREDENTIAL(status) \
    "{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{" status "}}"

TEST(exec_runs_once_and_again_when_expired_or_refused)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_config(fake, EXEC);
    fake_program(fake, "get-token", 0,
                 CREDENTIAL("\"token\":\"one\",\"expirationTimestamp\":\"2030-01-01T00:10:00Z\""));
    fake_program(fake, "get-token", 0, CREDENTIAL("\"token\":\"two\""));
    fake_program(fake, "get-token", 0, CREDENTIAL("\"token\":\"three\""));
    fake_rule(fake, "GET", "/version", 3, 200, "{}");
    fake_rule(fake, "GET", "/version", 1, 401, "{}");
    fake_rule(fake, "GET", "/version", 1, 200, "{}");
    fake_rule(fake, "GET", "/version", 0, 401, "{}");
    ask(fake, &seen, "GET", "/version");
    ask(fake, &seen, "GET", "/version");
    CHECK_INT(
        fake_count(fake,
                   "RUN [get-token] [a b] [$(x)] P=dev KUBERNETES_EXEC_INFO={\"apiVersion\":"
                   "\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false,"
                   "\"cluster\":{\"server\":\"https://api.test\"}}}\n"),
        1);
    CHECK_TEXT(fake_header(fake, "Authorization"), "Bearer one");
    fake_turns(fake, 600000);
    ask(fake, &seen, "GET", "/version");
    CHECK_TEXT(fake_header(fake, "Authorization"), "Bearer two");
    ask(fake, &seen, "GET", "/version");
    CHECK_INT(seen.err.kind, ERR_NONE);
    CHECK_TEXT(fake_header(fake, "Authorization"), "Bearer three");
    ask(fake, &seen, "GET", "/version");
    CHECK_INT(seen.err.kind, ERR_AUTH);
    CHECK(strstr(seen.err.message, "it gave the same credentials again, which the server has refused"));
    doc_unref(seen.body);
    fake_free(fake);
}

TEST(exec_that_is_missing_or_fails)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_config(fake, EXEC);
    ask(fake, &seen, "GET", "/version");
    CHECK_INT(seen.err.kind, ERR_AUTH);
    CHECK_TEXT(seen.err.explain, "X701");
    CHECK_TEXT(seen.err.message, "credentials from exec get-token: no such program: get it");
    fake_program(fake, "get-token", 7, "log in first\n");
    ask(fake, &seen, "GET", "/version");
    CHECK_TEXT(seen.err.message, "credentials from exec get-token: it ended with status 7: log in first");
    fake_free(fake);
}

TEST(token_file_is_read_again_each_minute)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_config(
        fake,
        "{clusters: [{name: c, cluster: {server: 'https://api.test'}}], users: [{name: u, user: {tokenFile: /t}}], "
        "contexts: [{name: x, context: {cluster: c, user: u}}], current-context: x}");
    fake_file(fake, "/t", "one\n");
    fake_rule(fake, "GET", "/version", 0, 200, "{}");
    ask(fake, &seen, "GET", "/version");
    fake_file(fake, "/t", "two\n");
    ask(fake, &seen, "GET", "/version");
    CHECK_TEXT(fake_header(fake, "Authorization"), "Bearer one");
    fake_turns(fake, 60000);
    ask(fake, &seen, "GET", "/version");
    CHECK_TEXT(fake_header(fake, "Authorization"), "Bearer two");
    fake_file(fake, "/t", NULL);
    fake_turns(fake, 60000);
    ask(fake, &seen, "GET", "/version");
    CHECK_TEXT(fake_header(fake, "Authorization"), "Bearer two");
    doc_unref(seen.body);
    fake_free(fake);
}

TEST(status_becomes_an_error)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_rule(fake, "PATCH", "/apis/apps/v1/x", 1, 409,
              "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"Apply failed with 1 "
              "conflict\",\"details\":{\"causes\":"
              "[{\"reason\":\"FieldManagerConflict\",\"field\":\".spec.replicas\",\"message\":\"conflict with "
              "\\\"hpa\\\"\"}]}}");
    ask(fake, &seen, "PATCH", "/apis/apps/v1/x");
    CHECK_INT(seen.err.kind, ERR_CONFLICT);
    CHECK_TEXT(seen.err.code, "Conflict");
    CHECK_TEXT(seen.err.explain, "K101");
    CHECK(strstr(seen.err.message, "Apply failed with 1 conflict; .spec.replicas: conflict with \"hpa\""));
    fake_rule(fake, "PATCH", "/api/v1/namespaces/n/secrets/s", 1, 422,
              "{\"kind\":\"Status\",\"reason\":\"Invalid\",\"message\":\"bad value "
              "sesame\",\"details\":{\"name\":\"s\",\"causes\":"
              "[{\"field\":\"data.p\",\"message\":\"sesame\"}]}}");
    ask(fake, &seen, "PATCH", "/api/v1/namespaces/n/secrets/s");
    CHECK(strstr(seen.err.message, "Invalid of Secret \"s\": data.p"));
    CHECK(!strstr(seen.err.message, "sesame"));
    doc_unref(seen.body);
    fake_free(fake);
}

TEST(answers_that_are_no_json_are_asked_for_again)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_rule(fake, "GET", "/api/v1/x", 2, 200, "{\"kind\":\"Po");
    fake_rule(fake, "GET", "/api/v1/x", 1, 200, "{\"kind\":\"Pod\"}");
    ask(fake, &seen, "GET", "/api/v1/x");
    CHECK_INT(seen.err.kind, ERR_NONE);
    fake_rule(fake, "DELETE", "/api/v1/x", 0, 200, "[]");
    ask(fake, &seen, "DELETE", "/api/v1/x");
    CHECK_INT(seen.err.kind, ERR_SERVER);
    CHECK(seen.err.maybe_done);
    doc_unref(seen.body);
    fake_free(fake);
}

static void ready(void *ctx, const struct err *err)
{
    struct seen *seen = ctx;

    seen->err = err ? *err : ERR_INIT;
    seen->done = true;
}

TEST(older_discovery_group_by_group)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    struct err err = ERR_INIT;
    const struct kube_resource *found;

    fake_rule(fake, "GET", "/api", 0, 200, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}");
    fake_rule(
        fake, "GET", "/apis", 0, 200,
        "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"apps\",\"versions\":[{\"version\":\"v1beta1\"},{"
        "\"version\":\"v1\"}],"
        "\"preferredVersion\":{\"version\":\"v1\"}},{\"name\":\"down.test\",\"versions\":[{\"version\":\"v1\"}]}]}");
    fake_rule(fake, "GET", "/api/v1", 0, 200,
              "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"pods\",\"singularName\":\"pod\",\"namespaced\":"
              "true,\"kind\":\"Pod\","
              "\"verbs\":[\"list\",\"watch\"],\"shortNames\":[\"po\"]},{\"name\":\"pods/"
              "log\",\"kind\":\"Pod\",\"verbs\":[\"get\"]}]}");
    fake_rule(fake, "GET", "/apis/apps/*", 0, 200,
              "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"deployments\",\"singularName\":\"deployment\","
              "\"namespaced\":true,"
              "\"kind\":\"Deployment\",\"verbs\":[\"patch\"],\"shortNames\":[\"deploy\"]}]}");
    fake_rule(fake, "GET", "/apis/down.test/v1", 0, 503, "{}");
    kube_discover(fake_kube(fake), ready, &seen);
    CHECK(fake_until(fake, &seen.done));
    CHECK_INT(kube_resource_count(fake_kube(fake)), 3);
    found = kube_resource_find(fake_kube(fake), NULL, "DEPLOY", &err);
    CHECK_TEXT(found ? found->version : NULL, "v1");
    CHECK(!kube_resource_find(fake_kube(fake), NULL, "deploymnt", &err));
    CHECK_TEXT(err.explain, "K103");
    CHECK_TEXT(err.message, "the cluster does not know deploymnt; did you mean Deployment?");
    kube_rediscover(fake_kube(fake));
    seen.done = false;
    kube_discover(fake_kube(fake), ready, &seen);
    CHECK(fake_until(fake, &seen.done));
    CHECK(kube_resource_find(fake_kube(fake), "apps/v1", "Deployment", &err) == found);
    fake_free(fake);
}
