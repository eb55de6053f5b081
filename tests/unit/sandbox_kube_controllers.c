/* What the simulated controllers do: rollouts, failures, claims, jobs, owners, namespaces, definitions. */
#include "sandbox_kube.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define NS "/namespaces/default"
#define DEPLOYMENT "/apis/apps/v1" NS "/deployments/x"
#define PODS "/api/v1" NS "/pods"

static void deploy(struct kube *kube, const char *image, int replicas)
{
    char *body =
        mem_printf("{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"x\"},\"spec\":{"
                   "\"replicas\":%d,\"progressDeadlineSeconds\":60,\"selector\":{\"matchLabels\":{\"a\":\"b\"}},"
                   "\"template\":{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"spec\":{\"containers\":[{\"name\":\"c\","
                   "\"image\":\"%s\"}]}}}}",
                   replicas, image);

    kube_apply(kube, DEPLOYMENT, "m", "", body);
    free(body);
}

TEST(kube_controllers_roll_out)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    deploy(&kube, "game:1", 2);
    CHECK_INT(kube.status, 201);
    kube_wait(&kube, 1000);
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_TEXT(kube_condition(&kube, "Available", "status"), "False");
    kube_wait(&kube, 4000);
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_TEXT(kube_text(&kube, "/status/availableReplicas"), "2");
    CHECK_TEXT(kube_condition(&kube, "Progressing", "reason"), "NewReplicaSetAvailable");
    CHECK_TEXT(kube_text(&kube, "/status/observedGeneration"), "1");
    deploy(&kube, "game:2", 2);
    kube_wait(&kube, 60000);
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_TEXT(kube_text(&kube, "/status/updatedReplicas"), "2");
    CHECK_TEXT(kube_text(&kube, "/status/replicas"), "2");
    kube_get_path(&kube, PODS);
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 2);
    CHECK_TEXT(kube_text(&kube, "/items/0/spec/containers/0/image"), "game:2");
    kube_get_path(&kube, "/apis/apps/v1" NS "/replicasets");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 2);
    kube_close(&kube);
}

TEST(kube_controllers_fail_to_pull)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    deploy(&kube, "missing:1", 1);
    kube_wait(&kube, 20000);
    kube_get_path(&kube, PODS);
    CHECK_TEXT(kube_text(&kube, "/items/0/status/containerStatuses/0/state/waiting/reason"), "ImagePullBackOff");
    kube_wait(&kube, 60000);
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_TEXT(kube_condition(&kube, "Progressing", "reason"), "ProgressDeadlineExceeded");
    kube_get_path(&kube, "/api/v1" NS "/events?fieldSelector=reason%3DFailed");
    CHECK(doc_size(doc_get(kube.body, "items")) > 0);
    kube_close(&kube);
}

TEST(kube_controllers_crash_with_a_log)
{
    struct kube kube;
    char *path;

    kube_open(&kube, NULL, NULL);
    deploy(&kube, "crash:1", 1);
    kube_wait(&kube, 5000);
    kube_get_path(&kube, PODS);
    CHECK_TEXT(kube_text(&kube, "/items/0/status/containerStatuses/0/state/waiting/reason"), "CrashLoopBackOff");
    path = mem_printf(PODS "/%s/log?container=c", kube_text(&kube, "/items/0/metadata/name"));
    kube_get_path(&kube, path);
    CHECK(strstr(buf_text(&kube.text), "cannot open its configuration") != NULL);
    free(path);
    kube_close(&kube);
}

TEST(kube_controllers_bind_claims_for_their_first_pod)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(
        &kube, "/api/v1" NS "/persistentvolumeclaims",
        "{\"metadata\":{\"name\":\"d\"},\"spec\":{\"accessModes\":[\"ReadWriteOnce\"],\"storageClassName\":\"ebs-gp3\","
        "\"resources\":{\"requests\":{\"storage\":\"10Gi\"}}}}");
    CHECK_INT(kube.status, 201);
    kube_wait(&kube, 5000);
    kube_get_path(&kube, "/api/v1" NS "/persistentvolumeclaims/d");
    CHECK_TEXT(kube_text(&kube, "/status/phase"), "Pending");
    kube_post(&kube, PODS,
              "{\"metadata\":{\"name\":\"p\"},\"spec\":{\"containers\":[{\"name\":\"a\",\"image\":\"i\"}],\"volumes\":["
              "{\"name\":"
              "\"v\",\"persistentVolumeClaim\":{\"claimName\":\"d\"}}]}}");
    kube_wait(&kube, 6000);
    kube_get_path(&kube, "/api/v1" NS "/persistentvolumeclaims/d");
    CHECK_TEXT(kube_text(&kube, "/status/phase"), "Bound");
    kube_get_path(&kube, PODS "/p");
    CHECK_TEXT(kube_text(&kube, "/status/phase"), "Running");
    kube_delete(&kube, PODS "/p", NULL);
    kube_delete(&kube, "/api/v1" NS "/persistentvolumeclaims/d", NULL);
    kube_wait(&kube, 10000);
    kube_get_path(&kube, "/api/v1/persistentvolumes");
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 0);
    kube_close(&kube);
}

TEST(kube_controllers_run_jobs_to_their_end)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(
        &kube, "/apis/batch/v1" NS "/jobs",
        "{\"metadata\":{\"name\":\"j\"},\"spec\":{\"template\":{\"spec\":{\"restartPolicy\":\"Never\",\"containers\":["
        "{\"name\":\"a\",\"image\":\"i\"}]}}}}");
    kube_post(&kube, "/apis/batch/v1" NS "/jobs",
              "{\"metadata\":{\"name\":\"k\"},\"spec\":{\"backoffLimit\":0,\"template\":{\"spec\":{\"restartPolicy\":"
              "\"Never\","
              "\"containers\":[{\"name\":\"a\",\"image\":\"crash\"}]}}}}");
    kube_wait(&kube, 10000);
    kube_get_path(&kube, "/apis/batch/v1" NS "/jobs/j");
    CHECK_TEXT(kube_condition(&kube, "Complete", "status"), "True");
    kube_get_path(&kube, "/apis/batch/v1" NS "/jobs/k");
    CHECK_TEXT(kube_condition(&kube, "Failed", "reason"), "BackoffLimitExceeded");
    kube_close(&kube);
}

TEST(kube_controllers_collect_what_owners_leave)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    deploy(&kube, "game:1", 2);
    kube_wait(&kube, 5000);
    kube_delete(&kube, DEPLOYMENT, "{\"propagationPolicy\":\"Foreground\"}");
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_INT(kube.status, 200);
    kube_wait(&kube, 10000);
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_INT(kube.status, 404);
    kube_get_path(&kube, PODS);
    CHECK_INT(doc_size(doc_get(kube.body, "items")), 0);
    kube_close(&kube);
}

TEST(kube_controllers_empty_namespaces)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(&kube, "/api/v1/namespaces", "{\"metadata\":{\"name\":\"g\"}}");
    kube_wait(&kube, 100);
    kube_get_path(&kube, "/api/v1/namespaces/g/serviceaccounts/default");
    CHECK_INT(kube.status, 200);
    kube_post(&kube, "/api/v1/namespaces/g/configmaps", "{\"metadata\":{\"name\":\"m\",\"finalizers\":[\"a.b/c\"]}}");
    kube_delete(&kube, "/api/v1/namespaces/g", NULL);
    CHECK_TEXT(kube_text(&kube, "/status/phase"), "Terminating");
    kube_post(&kube, "/api/v1/namespaces/g/configmaps", "{\"metadata\":{\"name\":\"n\"}}");
    CHECK_INT(kube.status, 403);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/reason"), "NamespaceTerminating");
    kube_wait(&kube, 1000);
    kube_get_path(&kube, "/api/v1/namespaces/g");
    CHECK_INT(kube.status, 200);
    kube_merge(&kube, "/api/v1/namespaces/g/configmaps/m", "{\"metadata\":{\"finalizers\":null}}");
    kube_wait(&kube, 1000);
    kube_get_path(&kube, "/api/v1/namespaces/g");
    CHECK_INT(kube.status, 404);
    kube_close(&kube);
}

TEST(kube_controllers_scale_within_bounds_and_give_addresses)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    deploy(&kube, "game:1", 1);
    kube_post(&kube, "/apis/autoscaling/v2" NS "/horizontalpodautoscalers",
              "{\"metadata\":{\"name\":\"h\"},\"spec\":{\"minReplicas\":2,\"maxReplicas\":4,\"scaleTargetRef\":{"
              "\"apiVersion\":"
              "\"apps/v1\",\"kind\":\"Deployment\",\"name\":\"x\"}}}");
    kube_post(&kube, "/api/v1" NS "/services",
              "{\"metadata\":{\"name\":\"s\"},\"spec\":{\"type\":\"LoadBalancer\",\"ports\":[{\"port\":80}]}}");
    kube_wait(&kube, 5000);
    kube_get_path(&kube, DEPLOYMENT);
    CHECK_TEXT(kube_text(&kube, "/spec/replicas"), "2");
    kube_get_path(&kube, "/apis/autoscaling/v2" NS "/horizontalpodautoscalers/h");
    CHECK_TEXT(kube_condition(&kube, "ScalingActive", "status"), "True");
    kube_get_path(&kube, "/api/v1" NS "/services/s");
    CHECK(strncmp(kube_text(&kube, "/status/loadBalancer/ingress/0/ip"), "198.51.100.", 11) == 0);
    kube_close(&kube);
}

TEST(kube_controllers_establish_definitions)
{
    struct kube kube;

    kube_open(&kube, NULL, NULL);
    kube_post(
        &kube, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "{\"metadata\":{\"name\":\"ws.t.io\"},\"spec\":{\"group\":\"t.io\",\"scope\":\"Namespaced\",\"names\":{"
        "\"plural\":\"ws\","
        "\"kind\":\"W\"},\"versions\":[{\"name\":\"v1\",\"served\":true,\"storage\":true,\"schema\":{"
        "\"openAPIV3Schema\":{"
        "\"type\":\"object\",\"properties\":{\"spec\":{\"type\":\"object\",\"required\":[\"n\"],\"properties\":{\"n\":{"
        "\"type\":\"integer\",\"minimum\":1}}}}}}}]}}");
    CHECK_INT(kube.status, 201);
    kube_post(&kube, "/apis/t.io/v1" NS "/ws", "{\"metadata\":{\"name\":\"a\"}}");
    CHECK_INT(kube.status, 404);
    kube_wait(&kube, 1000);
    kube_get_path(&kube, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ws.t.io");
    CHECK_TEXT(kube_condition(&kube, "Established", "status"), "True");
    kube_post(&kube, "/apis/t.io/v1" NS "/ws",
              "{\"apiVersion\":\"t.io/v1\",\"kind\":\"W\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"n\":0}}");
    CHECK_INT(kube.status, 422);
    CHECK_TEXT(kube_text(&kube, "/details/causes/0/message"),
               "Invalid value: 0: spec.n in body should be greater than or equal to 1");
    kube_post(
        &kube, "/apis/t.io/v1" NS "/ws",
        "{\"apiVersion\":\"t.io/v1\",\"kind\":\"W\",\"metadata\":{\"name\":\"a\"},\"spec\":{\"n\":2,\"more\":1}}");
    CHECK_INT(kube.status, 201);
    CHECK(doc_pointer(kube.body, "/spec/more") == NULL);
    kube_delete(&kube, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ws.t.io", NULL);
    kube_wait(&kube, 5000);
    kube_get_path(&kube, "/apis/t.io/v1" NS "/ws/a");
    CHECK_INT(kube.status, 404);
    kube_close(&kube);
}
