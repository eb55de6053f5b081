/* Server-side apply in the simulated API server: ownership, conflicts, what an apply drops. */
#include "sandbox_kube.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define MAP "/api/v1/namespaces/default/configmaps/x"
#define DEPLOYMENT "/apis/apps/v1/namespaces/default/deployments/x"
#define DEPLOYMENT_BODY(more, container)                                                                            \
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"x\"},\"spec\":{" more             \
    "\"selector\":{\"matchLabels\":{\"a\":\"b\"}},\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{" \
    "\"containers\":[{\"name\":\"c\",\"image\":\"i:1\"" container "}]}}}}"

static const char map_ab[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '1', b: '2'}\n";
static const char map_a[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '1'}\n";
static const char map_a2[] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: '2'}\n";

TEST(kube_apply_makes_and_owns)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, MAP, "alice", "", map_ab);
    CHECK_INT(kube.status, 201);
    CHECK_TEXT(kube_text(&kube, "/metadata/managedFields/0/manager"), "alice");
    CHECK_TEXT(kube_text(&kube, "/metadata/managedFields/0/operation"), "Apply");
    CHECK(doc_pointer(kube.body, "/metadata/managedFields/0/fieldsV1/f:data/f:b") != NULL);
    CHECK(doc_pointer(kube.body, "/metadata/managedFields/0/fieldsV1/f:metadata") == NULL);
    kube_close(&kube);
}

TEST(kube_apply_drops_what_it_no_longer_names)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, MAP, "alice", "", map_ab);
    kube_apply(&kube, MAP, "alice", "", map_a);
    CHECK_INT(kube.status, 200);
    CHECK_TEXT(kube_text(&kube, "/data/a"), "1");
    CHECK(doc_pointer(kube.body, "/data/b") == NULL);
    kube_close(&kube);
}

TEST(kube_apply_keeps_what_another_manager_names)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, MAP, "alice", "", map_ab);
    kube_apply(&kube, MAP, "bob", "", map_ab);
    CHECK_INT(kube.status, 200);
    kube_apply(&kube, MAP, "alice", "", map_a);
    CHECK_TEXT(kube_text(&kube, "/data/b"), "2");
    kube_close(&kube);
}

TEST(kube_apply_conflicts_and_can_be_forced)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, MAP, "alice", "", map_ab);
    kube_apply(&kube, MAP, "bob", "", map_a2);
    CHECK_INT(kube.status, 409);
    CHECK_TEXT(kube_text(&kube, "/message"), "Apply failed with 1 conflict: conflict with \"alice\": .data.a");
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/reason"), "FieldManagerConflict");
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/field"), ".data.a");
    kube_apply(&kube, MAP, "bob", "&force=true", map_a2);
    CHECK_INT(kube.status, 200);
    CHECK_TEXT(kube_text(&kube, "/data/a"), "2");
    CHECK(doc_pointer(kube.body, "/metadata/managedFields/0/fieldsV1/f:data/f:a") == NULL);
    kube_close(&kube);
}

TEST(kube_apply_names_an_updater_with_its_version)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, DEPLOYMENT, "alice", "", DEPLOYMENT_BODY("\"replicas\":0,", ""));
    CHECK_INT(kube.status, 201);
    kube_merge(&kube, DEPLOYMENT, "{\"spec\":{\"replicas\":2,\"minReadySeconds\":3}}");
    CHECK_INT(kube.status, 200);
    kube_apply(&kube, DEPLOYMENT, "alice", "", DEPLOYMENT_BODY("\"replicas\":0,\"minReadySeconds\":4,", ""));
    CHECK_INT(kube.status, 409);
    CHECK_TEXT(kube_text(&kube, "/message"), "Apply failed with 2 conflicts: conflicts with \"tests\" using apps/v1:\n"
                                             "- .spec.minReadySeconds\n- .spec.replicas");
    kube_close(&kube);
}

TEST(kube_apply_merges_lists_by_key)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, DEPLOYMENT, "alice", "",
               DEPLOYMENT_BODY("\"replicas\":0,",
                               ",\"env\":[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"B\",\"value\":\"2\"}]"));
    CHECK_INT(kube.status, 201);
    kube_apply(&kube, DEPLOYMENT, "bob", "",
               "{\"apiVersion\":\"apps/"
               "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"x\"},\"spec\":{\"template\":{\"spec\":{"
               "\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"C\",\"value\":\"3\"}]}]}}}}");
    CHECK_INT(kube.status, 200);
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/template/spec/containers/0/env")), 3);
    kube_apply(&kube, DEPLOYMENT, "alice", "",
               DEPLOYMENT_BODY("\"replicas\":0,", ",\"env\":[{\"name\":\"B\",\"value\":\"2\"}]"));
    CHECK_INT(doc_size(doc_pointer(kube.body, "/spec/template/spec/containers/0/env")), 2);
    CHECK_TEXT(kube_text(&kube, "/spec/template/spec/containers/0/env/0/name"), "B");
    kube_close(&kube);
}

TEST(kube_apply_refuses_unknown_fields_and_types)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, DEPLOYMENT, "alice", "", DEPLOYMENT_BODY("\"foo\":1,", ""));
    CHECK_INT(kube.status, 500);
    CHECK_TEXT(
        kube_text(&kube, "/message"),
        "failed to create typed patch object (/x; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema");
    kube_apply(&kube, DEPLOYMENT, "alice", "", DEPLOYMENT_BODY("\"replicas\":\"x\",", ""));
    CHECK(strstr(kube_text(&kube, "/message"), ".spec.replicas: expected numeric (int or float), got string") != NULL);
    kube_send(&kube, "PATCH", DEPLOYMENT, "application/apply-patch+yaml", DEPLOYMENT_BODY("", ""));
    CHECK_INT(kube.status, 422);
    kube_close(&kube);
}

TEST(kube_apply_without_change_writes_nothing)
{
    struct kube kube;
    char version[24];

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, MAP, "alice", "", map_ab);
    snprintf(version, sizeof(version), "%s", kube_text(&kube, "/metadata/resourceVersion"));
    kube_wait(&kube, 5000);
    kube_apply(&kube, MAP, "alice", "", map_ab);
    CHECK_INT(kube.status, 200);
    CHECK_TEXT(kube_text(&kube, "/metadata/resourceVersion"), version);
    CHECK_TEXT(kube_text(&kube, "/metadata/managedFields/0/time"), "2030-01-01T00:00:00Z");
    kube_close(&kube);
}

TEST(kube_apply_dry_run_leaves_no_trace)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_apply(&kube, MAP, "alice", "&dryRun=All", map_ab);
    CHECK_INT(kube.status, 201);
    kube_get_path(&kube, MAP);
    CHECK_INT(kube.status, 404);
    kube_close(&kube);
}
