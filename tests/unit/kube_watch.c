/* Watches: resumed, listed again, shared, and given up where there is no hope. */
#include "kube_fake.h"
#include "unit.h"

#include <string.h>

struct seen {
    bool done;
    int changed, failed;
};

static void discovered(void *ctx, const struct err *err)
{
    (void)err;
    ((struct seen *)ctx)->done = true;
}

static void changed(void *ctx)
{
    ((struct seen *)ctx)->changed++;
}

static void failed(void *ctx, const struct err *err)
{
    (void)err;
    ((struct seen *)ctx)->failed++;
}

static const struct kube_watch_fns FNS = {changed, failed};

static struct kube_watch *open(struct fake *fake, struct seen *seen)
{
    struct err err = ERR_INIT;

    seen->done = false;
    kube_discover(fake_kube(fake), discovered, seen);
    fake_until(fake, &seen->done);
    return kube_watch_open(fake_kube(fake), kube_resource_find(fake_kube(fake), "v1", "ConfigMap", &err), "n", &FNS,
                           seen);
}

#define LIST "/api/v1/namespaces/n/configmaps?limit=500"
#define STREAM "/api/v1/namespaces/n/configmaps?watch=*"
#define OBJECT(name, version) \
    "{\"metadata\":{\"namespace\":\"n\",\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version) "{\"type\":\"" type "\",\"object\":" OBJECT(name, version) "}\n"

TEST(list_then_events_then_resume)
{
    struct fake *fake = fake_new();
    struct seen seen = {0}, other = {0};
    struct kube_watch *watch, *second;

    fake_discovery(fake);
    fake_rule(
        fake, "GET", LIST, 1, 200,
        "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"5\",\"continue\":\"c\"},\"items\":[" OBJECT(
            "b", "1") "]}");
    fake_rule(fake, "GET", LIST "&continue=c", 1, 200,
              "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" OBJECT("a", "2") "]}");
    fake_rule(fake, "GET", STREAM, 0, FAKE_STREAM, NULL);
    watch = open(fake, &seen);
    fake_turns(fake, 1000);
    CHECK_INT(seen.changed, 1);
    CHECK(kube_watch_get(watch, "n", "a") && kube_watch_get(watch, "n", "b"));
    CHECK_TEXT(doc_path_text(kube_watch_get(watch, "n", "a"), "kind", NULL), "ConfigMap");
    CHECK_INT(fake_count(fake, "resourceVersion=7&"), 1);

    second = open(fake, &other);
    fake_turns(fake, 1000);
    CHECK_INT(other.changed, 1);
    CHECK_INT(fake_streams(fake), 1);

    fake_push(fake, STREAM, "{\"type\":\"ADDED\",\"object\":" OBJECT("c", "8"));
    CHECK(!kube_watch_get(watch, "n", "c"));
    fake_push(fake, STREAM, "}\n" EVENT("DELETED", "a", "9") EVENT("BOOKMARK", "", "12"));
    CHECK(kube_watch_get(second, "n", "c") && !kube_watch_get(second, "n", "a"));
    CHECK_INT(seen.changed, 2);
    fake_close(fake, STREAM, true);
    CHECK(kube_watch_trouble(watch));
    fake_turns(fake, 1000);
    CHECK_INT(fake_count(fake, "resourceVersion=12&"), 1);
    kube_watch_close(watch);
    CHECK_INT(fake_streams(fake), 1);
    kube_watch_close(second);
    CHECK_INT(fake_streams(fake), 0);
    fake_free(fake);
}

TEST(forgotten_version_is_listed_again)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    struct kube_watch *watch;

    fake_discovery(fake);
    fake_rule(fake, "GET", LIST, 1, 200,
              "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[" OBJECT("a", "2") "]}");
    fake_rule(fake, "GET", STREAM, 1, FAKE_STREAM, NULL);
    fake_rule(
        fake, "GET", LIST, 1, 200,
        "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"20\"},\"items\":[" OBJECT("b", "19") "]}");
    fake_rule(fake, "GET", STREAM, 1, 410, "{\"kind\":\"Status\",\"reason\":\"Expired\",\"code\":410}");
    fake_rule(fake, "GET", LIST, 1, 200,
              "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"30\"},\"items\":[]}");
    fake_rule(fake, "GET", STREAM, 0, FAKE_STREAM, NULL);
    watch = open(fake, &seen);
    fake_turns(fake, 1000);
    fake_push(fake, STREAM, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n");
    fake_turns(fake, 1000);
    CHECK(!kube_watch_get(watch, "n", "a") && !kube_watch_get(watch, "n", "b"));
    CHECK_INT(fake_count(fake, "resourceVersion=30&"), 1);
    CHECK_INT(seen.changed, 3);
    kube_watch_close(watch);
    fake_free(fake);
}

TEST(forbidden_is_final_and_trouble_is_not)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    struct kube_watch *watch;

    fake_discovery(fake);
    fake_rule(fake, "GET", LIST, 6, 503, "{}");
    fake_rule(fake, "GET", LIST, 1, 200,
              "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"7\"},\"items\":[]}");
    fake_rule(fake, "GET", STREAM, 0, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}");
    watch = open(fake, &seen);
    fake_turns(fake, 120000);
    CHECK_INT(seen.changed, 1);
    CHECK_INT(seen.failed, 1);
    CHECK(kube_watch_trouble(watch));
    kube_watch_close(watch);
    fake_free(fake);
}
