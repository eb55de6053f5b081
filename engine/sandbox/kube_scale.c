/* The scale subresource: spec.replicas of a workload through autoscaling/v1 Scale. */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>

static void selector_add(struct buf *out, const struct doc *selector)
{
    const char **keys;
    size_t len = doc_keys_sorted(doc_get(selector, "matchLabels"), &keys);

    for (size_t i = 0; i < len; i++)
        buf_addf(out, "%s%s=%s", i ? "," : "", keys[i],
                 doc_as_text(doc_get(doc_get(selector, "matchLabels"), keys[i]), ""));
    free(keys);
}

struct doc *scale_of(const struct resource *resource, const struct doc *object)
{
    static const char *const kept[] = {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"};
    struct doc *scale = doc_object(), *metadata = doc_object(), *spec = doc_object(), *status = doc_object();
    struct buf selector;
    int64_t replicas = doc_as_int(doc_path(object, "spec", "replicas", NULL), 0);

    (void)resource;
    buf_init(&selector, 1 << 16);
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        doc_set(metadata, kept[i], doc_ref(doc_path(object, "metadata", kept[i], NULL)));
    if (replicas)
        doc_set_int(spec, "replicas", replicas);
    doc_set_int(status, "replicas", doc_as_int(doc_path(object, "status", "replicas", NULL), 0));
    selector_add(&selector, doc_path(object, "spec", "selector", NULL));
    doc_set_text(status, "selector", buf_text(&selector));
    doc_set_text(scale, "kind", "Scale");
    doc_set_text(scale, "apiVersion", "autoscaling/v1");
    doc_set(scale, "metadata", metadata);
    doc_set(scale, "spec", spec);
    doc_set(scale, "status", status);
    buf_free(&selector);
    return scale;
}

struct doc *scale_write(struct write *write, const struct doc *scale)
{
    struct object *stored = objects_find(write->resource, write->namespace, write->name);
    int64_t replicas = doc_as_int(doc_path(scale, "spec", "replicas", NULL), 0);
    const char *version = doc_path_text(scale, "metadata", "resourceVersion", NULL);

    if (!stored) {
        write_fail(write, status_not_found(write->resource, write->name));
        return NULL;
    }
    if (version && strcmp(version, doc_path_text(stored->doc, "metadata", "resourceVersion", NULL)) != 0) {
        write_fail(write,
                   status_conflict(
                       write->resource, write->name,
                       "the object has been modified; please apply your changes to the latest version and try again"));
        return NULL;
    }
    struct doc *body = doc_copy(stored->doc);
    doc_set_int(doc_get(body, "spec"), "replicas", replicas);
    struct doc *object = write_update(write, body, false);
    struct doc *out = object ? scale_of(write->resource, object) : NULL;
    doc_unref(object);
    return out;
}
