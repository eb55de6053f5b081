/*
 * What no object stands for: the metrics API (metrics.k8s.io/v1beta1, as metrics-server serves it), computed
 * from the running pods, and the reviews that tell who one is and what one may do. Every container uses the
 * same 10m and 32Mi, every node the same 150m and 900Mi.
 * https://github.com/kubernetes/metrics, https://kubernetes.io/docs/reference/access-authn-authz/authorization/
 */
#include "sandbox/kube_cluster.h"

#include "codec/json.h"

#include <string.h>

static struct doc *container_usage(const struct doc *container)
{
    struct doc *out = doc_object(), *usage = doc_object();

    doc_set_text(usage, "cpu", "10m");
    doc_set_text(usage, "memory", "32Mi");
    doc_set(out, "name", doc_ref(doc_get(container, "name")));
    doc_set(out, "usage", usage);
    return out;
}

static struct doc *pod_metrics(const struct doc *pod)
{
    const struct doc *containers = doc_path(pod, "spec", "containers", NULL);
    struct doc *out = doc_object(), *metadata = doc_object(), *list = doc_array();

    doc_set(metadata, "name", doc_ref(doc_path(pod, "metadata", "name", NULL)));
    doc_set(metadata, "namespace", doc_ref(doc_path(pod, "metadata", "namespace", NULL)));
    doc_set_text(out, "apiVersion", "metrics.k8s.io/v1beta1");
    doc_set_text(out, "kind", "PodMetrics");
    doc_set(out, "metadata", metadata);
    doc_set_text(out, "window", "15s");
    for (size_t i = 0; i < doc_size(containers); i++)
        doc_push(list, container_usage(doc_at(containers, i)));
    doc_set(out, "containers", list);
    return out;
}

static struct doc *node_metrics(const struct doc *node)
{
    struct doc *out = doc_object(), *metadata = doc_object(), *usage = doc_object();

    doc_set(metadata, "name", doc_ref(doc_path(node, "metadata", "name", NULL)));
    doc_set_text(usage, "cpu", "150m");
    doc_set_text(usage, "memory", "900Mi");
    doc_set_text(out, "apiVersion", "metrics.k8s.io/v1beta1");
    doc_set_text(out, "kind", "NodeMetrics");
    doc_set(out, "metadata", metadata);
    doc_set_text(out, "window", "15s");
    doc_set(out, "usage", usage);
    return out;
}

static bool running(const struct doc *pod)
{
    return strcmp(doc_as_text(doc_path(pod, "status", "phase", NULL), ""), "Running") == 0;
}

void metrics_answer(struct cluster *cluster, const struct resource *resource, const char *namespace, const char *name,
                    struct sim_reply *reply)
{
    bool pods = strcmp(resource->kind, "PodMetrics") == 0;
    const struct resource *source = objects_resource(cluster, "", pods ? "pods" : "nodes");
    struct doc *items = doc_array(), *list = doc_object();

    for (size_t i = 0; i < source->objects_len; i++) {
        const struct object *object = source->objects[i];

        if ((*namespace && strcmp(object->namespace, namespace) != 0) || (*name && strcmp(object->name, name) != 0) ||
            (pods && !running(object->doc)))
            continue;
        doc_push(items, pods ? pod_metrics(object->doc) : node_metrics(object->doc));
    }
    if (*name && doc_size(items) == 0) {
        struct doc *status = status_not_found(resource, name);

        reply_doc(reply, 404, status, NULL);
        doc_unref(status);
    } else if (*name) {
        reply_doc(reply, 200, doc_at(items, 0), NULL);
    } else {
        doc_set_text(list, "kind", pods ? "PodMetricsList" : "NodeMetricsList");
        doc_set_text(list, "apiVersion", "metrics.k8s.io/v1beta1");
        doc_set(list, "metadata", doc_object());
        doc_set(list, "items", doc_ref(items));
        reply_doc(reply, 200, list, NULL);
    }
    doc_unref(list);
    doc_unref(items);
}

/* The one user of a simulated cluster may do everything, as the admin of a fresh one. */
bool review_answer(const struct sim_request *http, struct sim_reply *reply)
{
    bool who = strcmp(http->path, "/apis/authentication.k8s.io/v1/selfsubjectreviews") == 0;
    bool may = strcmp(http->path, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") == 0;
    struct err err = ERR_INIT;
    struct doc *review, *status = doc_object(), *user, *groups;

    review = (who || may) && strcmp(http->method, "POST") == 0 ? json_parse(http->body, &err) : NULL;
    if (!doc_is(review, DOC_OBJECT)) {
        doc_unref(review);
        doc_unref(status);
        return false;
    }
    if (may) {
        doc_set_bool(status, "allowed", true);
    } else {
        user = doc_object();
        groups = doc_array();
        doc_push(groups, doc_text("system:masters"));
        doc_push(groups, doc_text("system:authenticated"));
        doc_set_text(user, "username", "sandbox");
        doc_set(user, "groups", groups);
        doc_set(status, "userInfo", user);
    }
    doc_set(review, "status", status);
    reply_doc(reply, 201, review, NULL);
    doc_unref(review);
    return true;
}
