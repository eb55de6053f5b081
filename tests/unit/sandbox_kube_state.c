/* Watches, what lasts over a restart, the canonical store, state faults. */
#include "sandbox_kube.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define MAPS "/api/v1/namespaces/default/configmaps"

TEST(kube_state_watch_tells_changes)
{
    struct kube kube;
    struct stream stream;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\",\"labels\":{\"app\":\"x\"}}}");
    stream_open(&stream, &kube, MAPS "?watch=1&labelSelector=app%3Dx&timeoutSeconds=5");
    CHECK(strstr(buf_text(&stream.text), "\"ADDED\"") != NULL);
    kube_merge(&kube, MAPS "/x", "{\"data\":{\"a\":\"1\"}}");
    kube_wait(&kube, 50);
    CHECK(strstr(buf_text(&stream.text), "\"MODIFIED\"") != NULL);
    kube_merge(&kube, MAPS "/x", "{\"metadata\":{\"labels\":{\"app\":\"y\"}}}");
    kube_wait(&kube, 50);
    CHECK(strstr(buf_text(&stream.text), "\"DELETED\"") != NULL);
    CHECK(!stream.over);
    kube_wait(&kube, 6000);
    CHECK(stream.over);
    stream_close(&stream);
    kube_close(&kube);
}

TEST(kube_state_watch_resumes_or_is_too_old)
{
    struct kube kube;
    struct stream stream;
    char *path;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"}}");
    path =
        mem_printf(MAPS "?watch=1&timeoutSeconds=1&resourceVersion=%s", kube_text(&kube, "/metadata/resourceVersion"));
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"later\"}}");
    stream_open(&stream, &kube, path);
    CHECK(strstr(buf_text(&stream.text), "later") != NULL);
    CHECK(strstr(buf_text(&stream.text), "\"name\":\"x\"") == NULL);
    stream_close(&stream);
    stream_open(&stream, &kube, MAPS "?watch=1&resourceVersion=1");
    CHECK(strstr(buf_text(&stream.text), "\"code\":410") != NULL);
    CHECK(strstr(buf_text(&stream.text), "Expired") != NULL);
    stream_close(&stream);
    free(path);
    kube_close(&kube);
}

TEST(kube_state_lasts_and_controllers_go_on)
{
    char *folder = kube_folder(), *before, *after;
    struct kube kube;

    kube_open(&kube, folder, NULL);
    kube_apply(&kube, "/apis/apps/v1/namespaces/istio-system/deployments/x", "m", "",
               "{\"apiVersion\":\"apps/"
               "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"replicas\":2,\"selector\":{"
               "\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{"
               "\"containers\":[{"
               "\"name\":\"c\",\"image\":\"i:1\"}]}}}}");
    kube_wait(&kube, 500);
    before = kube_show(&kube);
    kube_close(&kube);
    kube_open(&kube, folder, NULL);
    after = kube_show(&kube);
    CHECK_TEXT(after, before);
    kube_wait(&kube, 5000);
    kube_get_path(&kube, "/apis/apps/v1/namespaces/istio-system/deployments/x");
    CHECK_TEXT(kube_text(&kube, "/status/availableReplicas"), "2");
    kube_close(&kube);
    free(before);
    free(after);
    kube_folder_remove(folder);
}

/* What bootstrap left is settled, also when the state file was made compact and no longer says so object by object. */
TEST(kube_state_bootstrap_stays_settled)
{
    enum { LARGE = 150 * 1000 };
    char *folder = kube_folder(), *large = mem_alloc(LARGE + 1), *body;
    struct kube kube;

    memset(large, 'x', LARGE);
    body = mem_printf("{\"metadata\":{\"name\":\"large\"},\"data\":{\"a\":\"%s\"}}", large);
    kube_open(&kube, folder, NULL);
    kube_post(&kube, MAPS, body);
    CHECK_INT(kube.status, 201);
    kube_wait(&kube, 500);
    kube_close(&kube);
    kube_open(&kube, folder, NULL);
    kube_wait(&kube, 5000);
    kube_get_path(&kube, "/api/v1/namespaces/istio-system/pods");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 0);
    kube_close(&kube);
    free(body);
    free(large);
    kube_folder_remove(folder);
}

TEST(kube_state_show_is_as_before_after_an_undo)
{
    struct kube kube;
    char *before, *between, *after;

    kube_open(&kube, NULL, NULL);
    before = kube_show(&kube);
    CHECK(strstr(before, "VirtualService") != NULL);
    CHECK(strstr(before, "managedFields") == NULL);
    kube_post(&kube, "/api/v1/namespaces/default/secrets",
              "{\"metadata\":{\"name\":\"s\"},\"stringData\":{\"a\":\"plain\"}}");
    between = kube_show(&kube);
    CHECK(strstr(between, "cGxhaW4=") == NULL);
    CHECK(strcmp(before, between) != 0);
    kube_delete(&kube, "/api/v1/namespaces/default/secrets/s", NULL);
    after = kube_show(&kube);
    CHECK_TEXT(after, before);
    free(before);
    free(between);
    free(after);
    kube_close(&kube);
}

TEST(kube_state_stale_reads_pass)
{
    static const char *const faults[] = {"2:stale", NULL};
    struct kube kube;

    kube_open(&kube, NULL, faults);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"1\"}}");
    kube_merge(&kube, MAPS "/x", "{\"data\":{\"a\":\"2\"}}");
    for (int i = 0; i < 3; i++) {
        kube_get_path(&kube, MAPS "/x");
        CHECK_TEXT(kube_text(&kube, "/data/a"), "1");
    }
    kube_get_path(&kube, MAPS "/x");
    CHECK_TEXT(kube_text(&kube, "/data/a"), "2");
    kube_close(&kube);
}

TEST(kube_state_ghosts_and_strangers)
{
    static const char *const faults[] = {"2:ghost", "7:foreign", NULL};
    struct kube kube;

    kube_open(&kube, NULL, faults);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"1\"}}");
    kube_delete(&kube, MAPS "/x", NULL);
    kube_get_path(&kube, MAPS "/x");
    CHECK_INT(kube.status, 404);
    kube_get_path(&kube, MAPS "?fieldSelector=metadata.name%3Dx");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 1);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"y\"},\"data\":{\"a\":\"1\"}}");
    kube_get_path(&kube, MAPS "/y");
    kube_merge(&kube, MAPS "/y", "{\"data\":{\"b\":\"2\"}}");
    CHECK_TEXT(kube_text(&kube, "/data/a"), "edited by somebody else");
    kube_close(&kube);
}

TEST(kube_state_same_seed_same_objects)
{
    struct kube kube;
    char *first, *second;

    for (int i = 0; i < 2; i++) {
        kube_open(&kube, NULL, NULL);
        kube_post(&kube, MAPS, "{\"metadata\":{\"generateName\":\"x-\"}}");
        kube_post(&kube, "/api/v1/namespaces/default/services",
                  "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"ports\":[{\"port\":1}]}}");
        *(i ? &second : &first) = kube_show(&kube);
        kube_close(&kube);
    }
    CHECK_TEXT(second, first);
    free(first);
    free(second);
}
