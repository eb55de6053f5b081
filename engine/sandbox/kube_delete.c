/* Deletion: preconditions, propagation, finalizers, grace. Source: the API reference, "DeleteOptions". */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *meta_text(const struct doc *object, const char *field)
{
    const char *text = doc_path_text(object, "metadata", field, NULL);

    return text ? text : "";
}

static bool preconditions_hold(struct write *write, const struct doc *object, const struct doc *options)
{
    const char *uid = doc_path_text(options, "preconditions", "uid", NULL);
    const char *version = doc_path_text(options, "preconditions", "resourceVersion", NULL);
    char *why = NULL;

    if (uid && strcmp(uid, meta_text(object, "uid")) != 0)
        why = mem_printf(
            "the UID in the precondition (%s) does not match the UID in record (%s). The object might have been "
            "deleted and then recreated",
            uid, meta_text(object, "uid"));
    else if (version && strcmp(version, meta_text(object, "resourceVersion")) != 0)
        why = mem_printf(
            "the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The "
            "object might have been modified",
            version, meta_text(object, "resourceVersion"));
    if (!why)
        return true;
    struct buf what;
    buf_init(&what, 4096);
    resource_kind_add(&what, write->resource);
    struct doc *status = status_new(409, "Conflict", "Operation cannot be fulfilled on %s \"%s\": %s", buf_text(&what),
                                    write->name, why);
    doc_set_text(status_details(status), "name", write->name);
    if (*write->resource->group)
        doc_set_text(status_details(status), "group", write->resource->group);
    doc_set_text(status_details(status), "kind", write->resource->kind);
    write_fail(write, status);
    buf_free(&what);
    free(why);
    return false;
}

static bool list_has(const struct doc *list, const char *text)
{
    for (size_t i = 0; i < doc_size(list); i++)
        if (strcmp(doc_as_text(doc_at(list, i), ""), text) == 0)
            return true;
    return false;
}

static void list_drop(struct doc *list, const char *text)
{
    for (size_t i = doc_size(list); i-- > 0;)
        if (strcmp(doc_as_text(doc_at(list, i), ""), text) == 0)
            doc_remove_at(list, i);
}

/* Adds or removes the two finalizers that stand for a propagation policy. */
static void propagate(struct doc *metadata, const struct doc *options)
{
    const char *policy = doc_as_text(doc_get(options, "propagationPolicy"), "");
    struct doc *finalizers = doc_get(metadata, "finalizers");

    if (!*policy && doc_get(options, "orphanDependents"))
        policy = doc_as_bool(doc_get(options, "orphanDependents"), false) ? "Orphan" : "Background";
    if (!*policy)
        return;
    if (!finalizers)
        doc_set(metadata, "finalizers", finalizers = doc_array());
    list_drop(finalizers, "orphan");
    list_drop(finalizers, "foregroundDeletion");
    if (strcmp(policy, "Foreground") == 0)
        doc_push(finalizers, doc_text("foregroundDeletion"));
    if (strcmp(policy, "Orphan") == 0)
        doc_push(finalizers, doc_text("orphan"));
    if (doc_size(finalizers) == 0)
        doc_remove(metadata, "finalizers");
}

static int64_t grace_of(const struct write *write, const struct doc *object, const struct doc *options)
{
    const struct doc *asked = doc_get(options, "gracePeriodSeconds");
    const char *phase = doc_path_text(object, "status", "phase", NULL);

    if (!doc_as_bool(doc_get(write->resource->info, "grace"), false))
        return 0;
    if (!doc_path_text(object, "spec", "nodeName", NULL) ||
        (phase && (strcmp(phase, "Failed") == 0 || strcmp(phase, "Succeeded") == 0)))
        return 0;
    return asked ? doc_as_int(asked, 0)
                 : doc_as_int(doc_path(object, "spec", "terminationGracePeriodSeconds", NULL), 30);
}

static void deletion_mark(struct write *write, struct doc *object, int64_t grace)
{
    struct doc *metadata = doc_get(object, "metadata");
    time_t seconds = (time_t)(sim_now_ms(write->cluster->sim) / 1000 + grace);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    doc_set_text(metadata, "deletionTimestamp", text);
    if (strcmp(write->resource->kind, "Namespace") == 0)
        doc_set_text(doc_get(object, "status"), "phase", "Terminating");
    else
        doc_set_int(metadata, "deletionGracePeriodSeconds", grace);
    if (doc_get(metadata, "generation"))
        doc_set_int(metadata, "generation", doc_as_int(doc_get(metadata, "generation"), 0) + 1);
}

static struct doc *deleted_status(const struct write *write, const struct doc *object)
{
    struct doc *status = status_for(status_new(200, "", "%s", ""), write->resource, write->name);

    doc_set_text(status_details(status), "uid", meta_text(object, "uid"));
    doc_remove(status, "code");
    return status;
}

static struct doc *delete_now(struct write *write, const struct doc *object)
{
    struct object *stored = objects_find(write->resource, write->namespace, write->name);
    bool returns = doc_as_bool(doc_get(write->resource->info, "returns"), false);
    struct doc *last = doc_copy(object);

    if (!write->dry_run) {
        objects_delete(write->cluster, write->resource, stored);
        char *version = mem_printf("%llu", (unsigned long long)write->cluster->version);
        doc_set_text(doc_get(last, "metadata"), "resourceVersion", version);
        free(version);
    }
    if (returns)
        return last;
    struct doc *status = deleted_status(write, last);
    doc_unref(last);
    return status;
}

struct doc *write_delete(struct write *write, const struct doc *options)
{
    struct object *stored = objects_find(write->resource, write->namespace, write->name);
    struct doc *object, *out;
    bool namespace = strcmp(write->resource->kind, "Namespace") == 0;

    if (!stored) {
        write_fail(write, status_not_found(write->resource, write->name));
        return NULL;
    }
    if (!preconditions_hold(write, stored->doc, options))
        return NULL;
    if (namespace && (strcmp(write->name, "default") == 0 || strncmp(write->name, "kube-", 5) == 0) &&
        strcmp(write->name, "kube-node-lease") != 0) {
        write_fail(write, status_for(status_new(403, "Forbidden",
                                                "namespaces \"%s\" is forbidden: this namespace may not be deleted",
                                                write->name),
                                     write->resource, write->name));
        return NULL;
    }
    object = doc_copy(stored->doc);
    propagate(doc_get(object, "metadata"), options);
    int64_t grace = grace_of(write, object, options);
    bool held = doc_size(doc_path(object, "metadata", "finalizers", NULL)) > 0 || grace > 0 ||
                (namespace && doc_size(doc_path(object, "spec", "finalizers", NULL)) > 0);
    if (!held) {
        out = delete_now(write, stored->doc);
        doc_unref(object);
        return out;
    }
    bool marked = doc_path(object, "metadata", "deletionTimestamp", NULL) != NULL;
    if (!marked || grace < doc_as_int(doc_path(object, "metadata", "deletionGracePeriodSeconds", NULL), 0)) {
        deletion_mark(write, object, grace);
        marked = false;
    }
    if (write->dry_run || (marked && doc_equal(doc_get(object, "metadata"), doc_get(stored->doc, "metadata"))))
        return object;
    doc_ref(object);
    objects_put(write->cluster, write->resource, object);
    return object;
}

bool delete_finalizer(struct write *write, const char *finalizer)
{
    struct object *stored = objects_find(write->resource, write->namespace, write->name);

    if (!stored || !list_has(doc_path(stored->doc, "metadata", "finalizers", NULL), finalizer))
        return false;
    struct doc *object = doc_copy(stored->doc), *finalizers = doc_path(object, "metadata", "finalizers", NULL);
    list_drop(finalizers, finalizer);
    bool last = doc_size(finalizers) == 0;
    if (last)
        doc_remove(doc_get(object, "metadata"), "finalizers");
    last = last && doc_path(object, "metadata", "deletionTimestamp", NULL) &&
           doc_as_int(doc_path(object, "metadata", "deletionGracePeriodSeconds", NULL), 0) == 0;
    objects_put(write->cluster, write->resource, object);
    if (last)
        objects_delete(write->cluster, write->resource, objects_find(write->resource, write->namespace, write->name));
    return true;
}
