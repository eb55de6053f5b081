/*
 * What is inside of a Namespace, or was made of a CustomResourceDefinition, that neither dosrun nor the cluster itself
 * put there: it would be lost with its container.
 */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

struct inside {
    struct kube *kube;
    char *namespace; /* NULL: objects of a CRD, in all namespaces */
    struct doc *container, *foreign;
    struct listing *listings;
    size_t pending;
    bool planned;   /* what dosrun made still stands, and would be gone by then */
    struct err err; /* the first; without a look inside nothing is deleted */
    kube_inside_fn *fn;
    void *ctx;
};

struct listing {
    struct inside *inside;
    const struct kube_resource *resource;
};

bool kube_is_container(const struct doc *object)
{
    const char *version = doc_as_text(doc_get(object, "apiVersion"), ""),
               *kind = doc_as_text(doc_get(object, "kind"), "");

    return (strcmp(kind, "Namespace") == 0 && strcmp(version, "v1") == 0) ||
           (strcmp(kind, "CustomResourceDefinition") == 0 && view_starts(view_of(version), "apiextensions.k8s.io/"));
}

/* ---- whose is it ---- */

static bool is_controlled(const struct doc *object)
{
    const struct doc *owners = doc_path(object, "metadata", "ownerReferences", NULL);

    for (size_t i = 0; i < doc_size(owners); i++) {
        if (doc_as_bool(doc_get(doc_at(owners, i), "controller"), false))
            return true;
    }
    return false;
}

/* Everything that was ever written to it was written by the control plane or the node. */
static bool made_by_cluster(const struct doc *object)
{
    static const char *const managers[] = {"kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"};
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL);

    for (size_t i = 0; i < doc_size(entries); i++) {
        const char *manager = doc_as_text(doc_get(doc_at(entries, i), "manager"), "");
        bool known = false;

        for (size_t j = 0; j < sizeof(managers) / sizeof(managers[0]); j++)
            known = known || strcmp(manager, managers[j]) == 0;
        if (!known)
            return false;
    }
    return doc_size(entries) > 0;
}

static bool made_by_us(const struct doc *object)
{
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL);

    if (strcmp(doc_as_text(doc_path(object, "metadata", "labels", "app.kubernetes.io/managed-by", NULL), ""),
               KUBE_MANAGER) == 0)
        return true;
    for (size_t i = 0; i < doc_size(entries); i++) {
        if (strcmp(doc_as_text(doc_get(doc_at(entries, i), "manager"), ""), KUBE_MANAGER) == 0)
            return true;
    }
    return false;
}

/*
 * What dosrun made is undone before the container is: what is still there then was left, for others have changed it, or
 * is another run's.
 */
static bool goes_first(const struct inside *inside, const struct doc *object)
{
    return made_by_us(object) && (inside->planned || doc_path(object, "metadata", "deletionTimestamp", NULL));
}

static bool comes_with_namespace(const struct doc *object)
{
    const char *kind = doc_as_text(doc_get(object, "kind"), "");
    const char *name = doc_as_text(doc_path(object, "metadata", "name", NULL), "");

    if (strcmp(kind, "ServiceAccount") == 0)
        return strcmp(name, "default") == 0;
    if (strcmp(kind, "ConfigMap") == 0)
        return strcmp(name, "kube-root-ca.crt") == 0 || strcmp(name, "istio-ca-root-cert") == 0;
    if (strcmp(kind, "Secret") == 0) /* the default account's token, before 1.24 */
        return strcmp(doc_as_text(doc_get(object, "type"), ""), "kubernetes.io/service-account-token") == 0 &&
               strcmp(doc_as_text(
                          doc_path(object, "metadata", "annotations", "kubernetes.io/service-account.name", NULL), ""),
                      "default") == 0;
    return false;
}

/* ---- looking ---- */

static void foreign_add(struct inside *inside, const struct doc *object)
{
    const struct doc *entries = doc_path(object, "metadata", "managedFields", NULL);
    const char *namespace = doc_as_text(doc_path(object, "metadata", "namespace", NULL), "");
    struct doc *entry = doc_object();
    char *what = mem_printf("%s %s%s%s", doc_as_text(doc_get(object, "kind"), ""), namespace, namespace[0] ? "/" : "",
                            doc_as_text(doc_path(object, "metadata", "name", NULL), ""));

    doc_set_text(entry, "what", what);
    if (doc_size(entries))
        doc_set_text(entry, "manager", doc_path_text(doc_at(entries, 0), "manager", NULL));
    doc_push(inside->foreign, entry);
    free(what);
}

static int what_compare(const void *a, const void *b)
{
    return strcmp(doc_path_text(*(struct doc *const *)a, "what", NULL),
                  doc_path_text(*(struct doc *const *)b, "what", NULL));
}

/* Answers come in any order; what people read does not. */
static struct doc *sorted(const struct doc *foreign)
{
    size_t count = doc_size(foreign);
    struct doc **entries = mem_array(count, sizeof(struct doc *)), *out = doc_array();

    for (size_t i = 0; i < count; i++)
        entries[i] = doc_at(foreign, i);
    qsort(entries, count, sizeof(struct doc *), what_compare);
    for (size_t i = 0; i < count; i++)
        doc_push(out, doc_ref(entries[i]));
    free(entries);
    return out;
}

static void inside_step(struct inside *inside)
{
    kube_inside_fn *fn = inside->fn;
    void *ctx = inside->ctx;
    struct doc *foreign;
    struct err err = inside->err;

    if (--inside->pending)
        return;
    foreign = sorted(inside->foreign);
    doc_unref(inside->foreign);
    doc_unref(inside->container);
    free(inside->listings);
    free(inside->namespace);
    free(inside);
    fn(ctx, foreign, err.kind == ERR_NONE ? NULL : &err);
}

static void listed(void *ctx, struct doc *items, const char *resource_version, const struct err *err)
{
    struct listing *listing = ctx;
    struct inside *inside = listing->inside;

    (void)resource_version;
    if (err && err->status != 404 && err->status != 405 && inside->err.kind == ERR_NONE) {
        inside->err = *err;
        err_context(&inside->err, "cannot tell which %s are in it", listing->resource->plural);
    }
    for (size_t i = 0; i < doc_size(items); i++) {
        const struct doc *object = doc_at(items, i);

        if (!is_controlled(object) && !goes_first(inside, object) && !made_by_cluster(object) &&
            !comes_with_namespace(object))
            foreign_add(inside, object);
    }
    inside_step(inside);
}

/* Kinds that the cluster keeps for itself in each namespace. */
static bool is_bookkeeping(const struct kube_resource *resource)
{
    static const char *const kinds[] = {"Event", "Endpoints", "EndpointSlice", "Lease", "ControllerRevision"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(resource->kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

static bool belongs(const struct kube_resource *resource, const struct doc *container)
{
    if (!kube_resource_listable(resource) || !resource->preferred || is_bookkeeping(resource))
        return false;
    if (strcmp(doc_as_text(doc_get(container, "kind"), ""), "Namespace") == 0)
        return resource->namespaced;
    return strcmp(resource->group, doc_as_text(doc_path(container, "spec", "group", NULL), "")) == 0 &&
           strcmp(resource->plural, doc_as_text(doc_path(container, "spec", "names", "plural", NULL), "")) == 0;
}

static void discovered(void *ctx, const struct err *err)
{
    struct inside *inside = ctx;
    size_t count = kube_resource_count(inside->kube), used = 0;

    if (err) {
        inside->err = *err;
    } else {
        inside->listings = mem_array(count, sizeof(*inside->listings));
        for (size_t i = 0; i < count; i++) {
            if (belongs(kube_resource_at(inside->kube, i), inside->container))
                inside->listings[used++] = (struct listing){inside, kube_resource_at(inside->kube, i)};
        }
    }
    inside->pending = used + 1;
    for (size_t i = 0; i < used; i++)
        kube_list_start(inside->kube, inside->listings[i].resource, inside->namespace, true, listed,
                        &inside->listings[i]);
    inside_step(inside);
}

void kube_inside_look(struct kube *kube, const struct doc *container, bool planned, kube_inside_fn *fn, void *ctx)
{
    struct inside *inside = mem_alloc(sizeof(*inside));

    inside->kube = kube;
    inside->planned = planned;
    inside->err = ERR_INIT;
    inside->fn = fn;
    inside->ctx = ctx;
    inside->container = doc_ref(container);
    inside->foreign = doc_array();
    if (strcmp(doc_as_text(doc_get(container, "kind"), ""), "Namespace") == 0)
        inside->namespace = mem_text(doc_path_text(container, "metadata", "name", NULL));
    kube_rediscover(kube); /* a kind that came since may have objects in it */
    kube_discover(kube, discovered, inside);
}
