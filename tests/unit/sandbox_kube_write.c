/* Writes that are no applies: errors in the API server's words, conflicts, finalizers, admission. */
#include "sandbox_kube.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define MAPS "/api/v1/namespaces/default/configmaps"
#define X MAPS "/x"

TEST(kube_write_says_what_is_missing_and_what_exists)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_get_path(&kube, X);
    CHECK_INT(kube.status, 404);
    CHECK_TEXT(kube_text(&kube, "/message"), "configmaps \"x\" not found");
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"}}");
    CHECK_INT(kube.status, 201);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"}}");
    CHECK_INT(kube.status, 409);
    CHECK_TEXT(kube_text(&kube, "/reason"), "AlreadyExists");
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"X_\"}}");
    CHECK_INT(kube.status, 422);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), "metadata.name");
    kube_post(&kube, "/api/v1/namespaces/nowhere/configmaps", "{\"metadata\":{\"name\":\"x\"}}");
    CHECK_TEXT(kube_text(&kube, "/message"), "namespaces \"nowhere\" not found");
    kube_post(&kube, MAPS, "{\"metadata\":{\"generateName\":\"x-\"}}");
    CHECK_INT(strlen(kube_text(&kube, "/metadata/name")), 7);
    kube_close(&kube);
}

TEST(kube_write_conflicts_on_versions)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"1\"}}");
    kube_send(&kube, "PUT", X, NULL,
              "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"1\"},\"data\":{\"a\":\"2\"}}");
    CHECK_INT(kube.status, 409);
    CHECK(strstr(kube_text(&kube, "/message"), "the object has been modified; please apply your changes") != NULL);
    kube_send(&kube, "PUT", X, NULL, "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"2\"}}");
    CHECK_INT(kube.status, 200);
    kube_delete(&kube, X, "{\"preconditions\":{\"uid\":\"1\"}}");
    CHECK_INT(kube.status, 409);
    kube_delete(&kube, X, NULL);
    CHECK_TEXT(kube_text(&kube, "/status"), "Success");
    kube_close(&kube);
}

TEST(kube_write_warns_of_or_refuses_unknown_fields)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS "?fieldValidation=Strict", "{\"metadata\":{\"name\":\"x\"},\"foo\":1}");
    CHECK_INT(kube.status, 400);
    CHECK_TEXT(
        kube_text(&kube, "/message"),
        "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"foo\"");
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"},\"foo\":1}");
    CHECK_INT(kube.status, 201);
    CHECK_TEXT(buf_text(&kube.warnings), "299 - \"unknown field \\\"foo\\\"\"\n");
    CHECK(doc_get(kube.body, "foo") == NULL);
    kube_close(&kube);
}

TEST(kube_write_patches_three_ways)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, "/api/v1/namespaces/default/services",
              "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"ports\":[{\"name\":\"a\",\"port\":80},{\"name\":\"b\","
              "\"port\":81}]}}");
    CHECK_INT(kube.status, 201);
    CHECK(strncmp(kube_text(&kube, "/spec/clusterIP"), "10.100.", 7) == 0);
    kube_send(&kube, "PATCH", "/api/v1/namespaces/default/services/s", "application/strategic-merge-patch+json",
              "{\"spec\":{\"ports\":[{\"port\":81,\"$patch\":\"delete\"},{\"port\":82,\"name\":\"c\"}]}}");
    CHECK_INT(kube.status, 200);
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/ports")), 2);
    CHECK_TEXT(kube_text(&kube, "/spec/ports/0/name"), "c");
    kube_send(&kube, "PATCH", "/api/v1/namespaces/default/services/s", "application/json-patch+json",
              "[{\"op\":\"replace\",\"path\":\"/spec/ports/0/port\",\"value\":90}]");
    CHECK_TEXT(kube_text(&kube, "/spec/ports/0/port"), "90");
    kube_merge(&kube, "/api/v1/namespaces/default/services/s", "{\"spec\":{\"ports\":[{\"name\":\"z\",\"port\":70}]}}");
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/ports")), 1);
    kube_send(&kube, "PATCH", "/api/v1/namespaces/default/services/s", "application/json-patch+json",
              "[{\"op\":\"remove\",\"path\":\"/spec/nothing\"}]");
    CHECK_INT(kube.status, 422);
    kube_close(&kube);
}

/* Two protocols of a port have one merge key. Compared with a real API server. */
TEST(kube_write_strategic_twins_go_into_the_first)
{
    static const char path[] = "/api/v1/namespaces/default/services/s",
                      type[] = "application/strategic-merge-patch+json";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, "/api/v1/namespaces/default/services",
              "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"ports\":[{\"name\":\"t\",\"port\":53},{\"name\":\"u\","
              "\"port\":53,\"protocol\":\"UDP\"}]}}");
    CHECK_INT(kube.status, 201);
    kube_send(&kube, "PATCH", path, type, "{\"spec\":{\"ports\":[{\"port\":53,\"targetPort\":5353}]}}");
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/ports")), 2);
    CHECK_TEXT(kube_text(&kube, "/spec/ports/0/targetPort"), "5353");
    CHECK_TEXT(kube_text(&kube, "/spec/ports/1/targetPort"), "53");
    kube_send(
        &kube, "PATCH", path, type,
        "{\"spec\":{\"ports\":[{\"port\":80,\"name\":\"a\",\"protocol\":\"UDP\"},{\"port\":80,\"name\":\"b\"}]}}");
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/ports")), 3);
    CHECK_TEXT(kube_text(&kube, "/spec/ports/0/name"), "b");
    CHECK_TEXT(kube_text(&kube, "/spec/ports/0/protocol"), "UDP");
    kube_send(&kube, "PATCH", path, type, "{\"spec\":{\"ports\":[{\"port\":53,\"$patch\":\"delete\"}]}}");
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/ports")), 1);
    kube_send(&kube, "PATCH", path, type,
              "{\"spec\":{\"ports\":[{\"port\":9,\"name\":\"n\"},{\"$patch\":\"replace\"}]}}");
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/ports")), 1);
    CHECK_TEXT(kube_text(&kube, "/spec/ports/0/port"), "9");
    kube_close(&kube);
}

TEST(kube_write_deleted_objects_show_the_version_of_their_end)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, "/api/v1/namespaces/default/serviceaccounts", "{\"metadata\":{\"name\":\"a\"}}");
    CHECK_INT(kube.status, 201);
    char *made = mem_text(kube_text(&kube, "/metadata/resourceVersion"));
    kube_delete(&kube, "/api/v1/namespaces/default/serviceaccounts/a?dryRun=All", NULL);
    CHECK_TEXT(kube_text(&kube, "/metadata/resourceVersion"), made);
    kube_delete(&kube, "/api/v1/namespaces/default/serviceaccounts/a", NULL);
    CHECK_INT(kube.status, 200);
    CHECK(atoi(kube_text(&kube, "/metadata/resourceVersion")) > atoi(made));
    free(made);
    kube_close(&kube);
}

TEST(kube_write_judges_a_budgets_metadata_last)
{
    static const char path[] = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, path,
              "{\"metadata\":{\"name\":\"b\",\"labels\":{\"a\":\"not valid!\"}},\"spec\":{\"minAvailable\":1,"
              "\"maxUnavailable\":1}}");
    CHECK_INT(kube.status, 422);
    CHECK_INT(doc_size(doc_pointer(kube.body, "/details/causes")), 1);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), "spec");
    kube_post(&kube, path,
              "{\"metadata\":{\"name\":\"b\",\"labels\":{\"a\":\"not valid!\"}},\"spec\":{\"minAvailable\":1}}");
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), "metadata.labels");
    kube_close(&kube);
}

TEST(kube_write_counts_templates_of_daemon_sets)
{
    static const char path[] = "/apis/apps/v1/namespaces/default/daemonsets/d";
    static const char note[] = "/metadata/annotations/deprecated.daemonset.template.generation";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(
        &kube, "/apis/apps/v1/namespaces/default/daemonsets",
        "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{"
        "\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i:1\"}]}}}}");
    CHECK_TEXT(kube_text(&kube, note), "1");
    kube_send(&kube, "PATCH", path, "application/json-patch+json",
              "[{\"op\":\"replace\",\"path\":\"/metadata/annotations\",\"value\":{\"n\":\"1\"}}]");
    CHECK_TEXT(kube_text(&kube, note), "1");
    kube_merge(&kube, path, "{\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"x\":\"y\"}}}}}");
    CHECK_TEXT(kube_text(&kube, note), "2");
    kube_close(&kube);
}

TEST(kube_write_services_by_their_type)
{
    static const char path[] = "/api/v1/namespaces/default/services";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, path,
              "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"NodePort\",\"clusterIP\":\"None\",\"ports\":[{"
              "\"port\":80}]}}");
    CHECK_INT(kube.status, 422);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), "spec.clusterIPs[0]");
    kube_post(&kube, path,
              "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"NodePort\",\"ports\":[{\"port\":80}]}}");
    CHECK_TEXT(kube_text(&kube, "/spec/externalTrafficPolicy"), "Cluster");
    kube_merge(&kube, "/api/v1/namespaces/default/services/s", "{\"spec\":{\"type\":\"ClusterIP\"}}");
    CHECK_INT(kube.status, 200);
    CHECK(doc_pointer(kube.body, "/spec/externalTrafficPolicy") == NULL);
    kube_close(&kube);
}

TEST(kube_write_services_without_an_address)
{
    static const char path[] = "/api/v1/namespaces/default/services", one[] = "/api/v1/namespaces/default/services/s";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, path,
              "{\"metadata\":{\"name\":\"h\"},\"spec\":{\"clusterIP\":\"None\",\"sessionAffinity\":\"ClientIP\"}}");
    CHECK_INT(kube.status, 201);
    CHECK(strstr(buf_text(&kube.warnings), "spec.SessionAffinity is ignored for headless services") != NULL);
    kube_post(
        &kube, path,
        "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"a.b\",\"clusterIP\":"
        "\"None\"}}");
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), "spec.clusterIPs");
    kube_post(&kube, path, "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"ports\":[{\"port\":80}]}}");
    kube_merge(&kube, one, "{\"spec\":{\"type\":\"ExternalName\",\"externalName\":\"a.b\"}}");
    CHECK_INT(kube.status, 200);
    CHECK(doc_pointer(kube.body, "/spec/clusterIP") == NULL);
    CHECK(doc_pointer(kube.body, "/spec/internalTrafficPolicy") == NULL);
    kube_close(&kube);
}

TEST(kube_write_empty_lists_are_no_change)
{
    static const char path[] = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, path, "{\"metadata\":{\"name\":\"e\"},\"addressType\":\"IPv4\",\"endpoints\":[]}");
    CHECK_INT(kube.status, 201);
    kube_send(&kube, "PATCH", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/e",
              "application/json-patch+json", "[{\"op\":\"replace\",\"path\":\"/endpoints\",\"value\":[]}]");
    CHECK_INT(kube.status, 200);
    CHECK_TEXT(kube_text(&kube, "/metadata/generation"), "1");
    kube_apply(&kube, "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles/r", "m", "&dryRun=All",
               "{\"apiVersion\":\"rbac.authorization.k8s.io/v1\",\"kind\":\"Role\",\"metadata\":{\"name\":\"r\"},"
               "\"rules\":[]}");
    CHECK_INT(kube.status, 201);
    CHECK(doc_is(doc_get(kube.body, "rules"), DOC_NULL));
    kube_close(&kube);
}

TEST(kube_write_strategic_patches_refuse_in_their_own_words)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"}}");
    kube_send(&kube, "PATCH", X, "application/strategic-merge-patch+json", "{\"data\":{\"a\":5}}");
    CHECK_INT(kube.status, 422);
    CHECK(strstr(kube_text(&kube, "/message"), ": cannot convert int64 to string") != NULL);
    kube_send(&kube, "PATCH", X, "application/strategic-merge-patch+json", "{\"immutable\":\"yes\"}");
    CHECK(strstr(kube_text(&kube, "/message"), ": unrecognized type: bool") != NULL);
    kube_close(&kube);
}

/* A claim may shrink down to what it has; a pending one has nothing. */
TEST(kube_write_claims_shrink_to_their_capacity)
{
    static const char one[] = "/api/v1/namespaces/default/persistentvolumeclaims/c";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(
        &kube, "/api/v1/namespaces/default/persistentvolumeclaims",
        "{\"metadata\":{\"name\":\"c\"},\"spec\":{\"storageClassName\":\"none\",\"accessModes\":[\"ReadWriteOnce\"],"
        "\"resources\":{\"requests\":{\"storage\":\"2Gi\"}}}}");
    CHECK_INT(kube.status, 201);
    kube_merge(&kube, one, "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"1Gi\"}}}}");
    CHECK_INT(kube.status, 422);
    CHECK_INT(doc_size(doc_pointer(kube.body, "/details/causes")), 1);
    kube_merge(&kube, one, "{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"0\"}}}}");
    CHECK_INT(kube.status, 422);
    CHECK(strstr(kube_text(&kube, "/message"), "field can not be less than status.capacity") != NULL);
    kube_close(&kube);
}

TEST(kube_write_refuses_twin_port_names)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, "/api/v1/namespaces/default/pods",
              "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"c\",\"image\":\"i:1\",\"ports\":["
              "{\"containerPort\":1,\"name\":\"a\"},{\"containerPort\":2,\"name\":\"a\"},{\"containerPort\":3},"
              "{\"containerPort\":4}]}]}}");
    CHECK_INT(kube.status, 422);
    CHECK_INT(doc_size(doc_pointer(kube.body, "/details/causes")), 1);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), "spec.containers[0].ports[1].name");
    kube_close(&kube);
}

TEST(kube_write_keeps_immutable_things)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\"},\"data\":{\"a\":\"1\"},\"immutable\":true}");
    kube_merge(&kube, X, "{\"data\":{\"a\":\"2\"}}");
    CHECK_INT(kube.status, 422);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/message"), "Forbidden: field is immutable when `immutable` is set");
    kube_post(&kube, "/api/v1/namespaces/default/secrets",
              "{\"metadata\":{\"name\":\"s\"},\"stringData\":{\"a\":\"hi\"}}");
    CHECK_TEXT(kube_text(&kube, "/data/a"), "aGk=");
    CHECK(doc_get(kube.body, "stringData") == NULL);
    kube_close(&kube);
}

TEST(kube_write_waits_for_finalizers)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"x\",\"finalizers\":[\"example.com/hold\"]}}");
    kube_delete(&kube, X, NULL);
    CHECK_INT(kube.status, 200);
    CHECK(*kube_text(&kube, "/metadata/deletionTimestamp"));
    kube_get_path(&kube, X);
    CHECK_INT(kube.status, 200);
    kube_merge(&kube, X, "{\"metadata\":{\"finalizers\":null}}");
    CHECK_INT(kube.status, 200);
    kube_get_path(&kube, X);
    CHECK_INT(kube.status, 404);
    kube_close(&kube);
}

TEST(kube_write_admits_pods_by_namespace)
{
    static const char pod[] =
        "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i\"}]}}";
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, "/api/v1/namespaces",
              "{\"metadata\":{\"name\":\"g\",\"labels\":{\"pod-security.kubernetes.io/enforce\":\"restricted\"}}}");
    kube_wait(&kube, 100);
    kube_post(&kube, "/api/v1/namespaces/g/pods", pod);
    CHECK_INT(kube.status, 403);
    CHECK_TEXT(kube_text(&kube, "/message"),
               "pods \"p\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false "
               "(container "
               "\"a\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "
               "\"a\" must set "
               "securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"a\" must set "
               "securityContext.runAsNonRoot=true), seccompProfile (pod or container \"a\" must set "
               "securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")");
    kube_close(&kube);
}

TEST(kube_write_lists_by_selector_and_page)
{
    struct kube kube;
    char *next;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"a\",\"labels\":{\"app\":\"x\"}}}");
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"b\",\"labels\":{\"app\":\"y\"}}}");
    kube_post(&kube, MAPS, "{\"metadata\":{\"name\":\"c\",\"labels\":{\"app\":\"x\"}}}");
    kube_get_path(&kube, MAPS "?labelSelector=app%3Dx");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 2);
    kube_get_path(&kube, MAPS "?labelSelector=app%20notin%20(x)%2Capp");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 1);
    kube_get_path(&kube, MAPS "?fieldSelector=metadata.name%3Dc");
    CHECK_TEXT(kube_text(&kube, "/items/0/metadata/name"), "c");
    kube_get_path(&kube, MAPS "?limit=2");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 2);
    next = mem_printf("%s?limit=2&continue=%s", MAPS, kube_text(&kube, "/metadata/continue"));
    kube_get_path(&kube, next);
    CHECK_TEXT(kube_text(&kube, "/items/0/metadata/name"), "c");
    CHECK_TEXT(kube_text(&kube, "/metadata/continue"), "");
    free(next);
    kube_delete(&kube, MAPS "?labelSelector=app%3Dx", NULL);
    CHECK_INT(kube.status, 200);
    kube_get_path(&kube, MAPS "?labelSelector=app");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 1);
    kube_close(&kube);
}

TEST(kube_write_answers_discovery_in_both_forms)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_get_path(&kube, "/apis/apps/v1");
    CHECK_TEXT(kube_text(&kube, "/groupVersion"), "apps/v1");
    kube_get_path(&kube, "/apis");
    CHECK_TEXT(kube_text(&kube, "/kind"), "APIGroupList");
    kube_get_path(&kube, "/apis/nothing/v1");
    CHECK_INT(kube.status, 404);
    kube_get_path(&kube, "/api/v1/namespaces/default/nothing");
    CHECK_TEXT(kube_text(&kube, "/message"), "the server could not find the requested resource");
    kube_get_path(&kube, "/readyz");
    CHECK_TEXT(buf_text(&kube.text), "ok");
    kube_close(&kube);
}
