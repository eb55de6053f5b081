/* kubeconfig: merging, choosing, and what is wrong with the wrong ones. */
#include "kube_fake.h"
#include "unit.h"

#include <string.h>

#define CA "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==" /* "-----BEGIN CERTIFICATE-----\n" */

static struct kube_config *load(struct fake *fake, const char *kubeconfig, const char *context, struct err *err)
{
    struct kube_config_options options = {
        .kubeconfig = kubeconfig, .home = "/home/u", .context = context, .in_cluster = true};

    err_clear(err);
    return kube_config_load(fake_world(fake), &options, err);
}

static const char RED[] = "apiVersion: v1\n"
                          "kind: Config\n"
                          "current-context: red\n"
                          "clusters:\n"
                          "- name: one\n"
                          "  cluster: {server: https://one.test:6443/}\n"
                          "users:\n"
                          "- name: red-user\n"
                          "  user: {token: red}\n"
                          "contexts:\n"
                          "- name: red\n"
                          "  context: {cluster: one, user: red-user, namespace: games}\n";

static const char BLUE[] =
    "current-context: blue\n"
    "clusters:\n"
    "- name: two\n"
    "  cluster: {server: https://two.test, certificate-authority: pki/ca.pem, tls-server-name: k8s}\n"
    "- name: one\n"
    "  cluster: {server: https://never.test}\n"
    "users:\n"
    "- name: red-user\n"
    "  user: {username: never, password: used}\n"
    "- name: blue-user\n"
    "  user: {tokenFile: secrets/token}\n"
    "contexts:\n"
    "- name: blue\n"
    "  context: {cluster: two, user: blue-user}\n"
    "- name: mixed\n"
    "  context: {cluster: one, user: red-user}\n";

TEST(first_file_wins_entry_by_entry)
{
    struct fake *fake = fake_new();
    struct err err;
    struct kube_config *config;

    fake_file(fake, "/a/red", RED);
    fake_file(fake, "/b/blue", BLUE);
    fake_file(fake, "/b/pki/ca.pem", "-----BEGIN CERTIFICATE-----\n");
    config = load(fake, "/a/red:/nowhere::/b/blue", NULL, &err);
    REQUIRE(config);
    CHECK_TEXT(kube_config_context(config), "red");
    CHECK_TEXT(kube_config_server(config), "https://one.test:6443");
    CHECK_TEXT(kube_config_namespace(config), "games");
    CHECK_TEXT(kube_config_source(config), "token");
    kube_config_free(config);

    config = load(fake, "/a/red:/b/blue", "mixed", &err);
    REQUIRE(config);
    CHECK_TEXT(kube_config_server(config), "https://one.test:6443");
    CHECK_TEXT(kube_config_source(config), "token");
    CHECK_TEXT(kube_config_namespace(config), "default");
    kube_config_free(config);

    config = load(fake, "/b/blue:/a/red", NULL, &err);
    REQUIRE(config);
    CHECK_TEXT(kube_config_context(config), "blue");
    CHECK_TEXT(kube_config_source(config), "token file /b/secrets/token");
    kube_config_free(config);
    fake_free(fake);
}

TEST(home_is_looked_at_only_without_kubeconfig)
{
    struct fake *fake = fake_new();
    struct err err;
    struct kube_config *config;

    fake_file(fake, "/home/u/.kube/config", RED);
    config = load(fake, "", NULL, &err);
    CHECK(config);
    kube_config_free(config);
    CHECK(!load(fake, "/nowhere", NULL, &err));
    CHECK_INT(err.kind, ERR_AUTH);
    CHECK_TEXT(err.explain, "H301");
    CHECK_TEXT(err.message, "no cluster found; looked at /nowhere (missing), "
                            "/var/run/secrets/kubernetes.io/serviceaccount (missing)");
    fake_free(fake);
}

TEST(service_account_of_a_pod)
{
    struct fake *fake = fake_new();
    struct err err;
    struct kube_config *config;

    fake_file(fake, "/var/run/secrets/kubernetes.io/serviceaccount/token", "t");
    fake_file(fake, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt", "-----BEGIN CERTIFICATE-----\n");
    fake_file(fake, "/var/run/secrets/kubernetes.io/serviceaccount/namespace", "games\n");
    config = load(fake, NULL, NULL, &err);
    REQUIRE(config);
    CHECK_TEXT(kube_config_server(config), "https://kubernetes.default.svc");
    CHECK_TEXT(kube_config_namespace(config), "games");
    CHECK_TEXT(kube_config_source(config), "token file /var/run/secrets/kubernetes.io/serviceaccount/token");
    kube_config_free(config);
    fake_free(fake);
}

/* One broken file each: its text, the code, and the message. */
static const char *const broken[][3] = {
    {"- a\n", "C601", "/k:1: a kubeconfig is a mapping, this is array"},
    {"clusters: {a: b}\n", "C601", "/k:1: clusters must be a list, this is object"},
    {"users:\n- user: {}\n", "C601", "/k:2: an entry of users has no name"},
    {"users:\n- name: a\n  user: x\n", "C601", "/k:2: user of \"a\" must be a mapping, this is string"},
    {"contexts: []\n", "C601", "/k: no current-context is set; choose one with --context"},
    {"current-context: prdo\ncontexts:\n- name: prod\n  context: {}\n", "C601",
     "/k:1: current-context is \"prdo\", which no file defines; did you mean \"prod\"?"},
    {"current-context: a\ncontexts:\n- name: a\n  context: {user: u}\n", "C601",
     "/k:3: context \"a\" names no cluster"},
    {"current-context: a\nclusters:\n- {name: prod, cluster: {server: 'https://x'}}\ncontexts:\n- name: a\n  "
     "context:\n    cluster: prdo\n",
     "C601", "/k:7: context \"a\" names the cluster \"prdo\", which no file defines; did you mean \"prod\"?"},
    {"current-context: a\nclusters:\n- name: c\n  cluster: {sever: 'https://x'}\ncontexts:\n- {name: a, context: "
     "{cluster: c}}\n",
     "C601", "/k:3: cluster \"c\" has no server (there is \"sever\")"},
    {"current-context: a\nclusters:\n- name: c\n  cluster:\n    server: 'https://x'\n    insecure-skip-tls-verify: "
     "true\ncontexts:\n"
     "- {name: a, context: {cluster: c}}\n",
     "H302", "/k:6: cluster \"c\" asks for insecure-skip-tls-verify, which needs --insecure-skip-tls-verify here too"},
    {"current-context: a\nclusters:\n- name: c\n  cluster:\n    server: 'https://x'\n    certificate-authority: "
     "ca\ncontexts:\n"
     "- {name: a, context: {cluster: c}}\n",
     "C601", "/k:6: certificate-authority: //ca: no such file"},
    {"current-context: a\nclusters:\n- name: c\n  cluster:\n    server: 'https://x'\n    certificate-authority-data: "
     "'%%'\ncontexts:\n"
     "- {name: a, context: {cluster: c}}\n",
     "C601", "/k:6: certificate-authority-data is not base64"},
    {"current-context: a\nclusters:\n- {name: c, cluster: {server: 'https://x'}}\nusers:\n- name: u\n  user: {token: "
     "1}\ncontexts:\n"
     "- {name: a, context: {cluster: c, user: u}}\n",
     "C601", "/k:6: token must be a string, this is integer"},
    {"current-context: a\nclusters:\n- {name: c, cluster: {server: 'https://x'}}\nusers:\n- name: u\n  user: {token: "
     "\"a\\nb\"}\ncontexts:\n"
     "- {name: a, context: {cluster: c, user: u}}\n",
     "C601", "/k:6: token must be one line"},
    {"current-context: a\nclusters:\n- {name: c, cluster: {server: 'https://x'}}\nusers:\n- name: u\n  user: "
     "{client-certificate-data: " CA "}\ncontexts:\n- {name: a, context: {cluster: c, user: u}}\n",
     "C601", "/k:5: user \"u\" has a client certificate but no client key"},
    {"current-context: a\nclusters:\n- {name: c, cluster: {server: 'https://x'}}\nusers:\n- name: u\n  user: {token: "
     "a, username: b}\n"
     "contexts:\n- {name: a, context: {cluster: c, user: u}}\n",
     "C601", "/k:5: user \"u\" has both a token and a user name; only one is allowed"},
    {"current-context: a\nclusters:\n- {name: c, cluster: {server: 'https://x'}}\nusers:\n- name: u\n  user:\n    "
     "exec: {command: a}\n"
     "contexts:\n- {name: a, context: {cluster: c, user: u}}\n",
     "C601", "/k:7: exec of user \"u\" needs apiVersion client.authentication.k8s.io/v1 or v1beta1"},
    {"current-context: a\nclusters:\n- {name: c, cluster: {server: 'https://x'}}\nusers:\n- name: u\n  user:\n    "
     "exec:\n"
     "      apiVersion: client.authentication.k8s.io/v1\n      command: a\n      interactiveMode: Always\n"
     "contexts:\n- {name: a, context: {cluster: c, user: u}}\n",
     "C601", "/k:10: exec of user \"u\" must ask on a terminal (interactiveMode: Always), which dosrun does not do"},
};

TEST(broken_files_are_told_by_line)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct fake *fake = fake_new();
        struct err err;

        fake_file(fake, "/k", broken[i][0]);
        CHECK(!load(fake, "/k", NULL, &err));
        CHECK_TEXT(err.explain, broken[i][1]);
        CHECK_TEXT(err.message, broken[i][2]);
        CHECK_INT(err.kind, ERR_USAGE);
        fake_free(fake);
    }
}

TEST(unknown_context_is_suggested)
{
    struct fake *fake = fake_new();
    struct err err;

    fake_file(fake, "/a/red", RED);
    CHECK(!load(fake, "/a/red", "rad", &err));
    CHECK_TEXT(err.explain, "C602");
    CHECK_TEXT(err.message, "there is no context \"rad\" in the kubeconfig; did you mean \"red\"?");
    fake_free(fake);
}

TEST(broken_yaml_names_file_and_line)
{
    struct fake *fake = fake_new();
    struct err err;

    fake_file(fake, "/k", "clusters:\n- name: a\n  name: b\n");
    CHECK(!load(fake, "/k", NULL, &err));
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK_TEXT(err.explain, "C601");
    CHECK(strstr(err.message, "/k:3"));
    fake_free(fake);
}
