/*
 * The canonical store: what a user could own, in a form that is the same before a change and after
 * its undo. Left out: what the server counts or stamps, what controllers make or note down.
 */
#include "sandbox/kube_cluster.h"

#include "codec/yaml.h"

#include <stdlib.h>
#include <string.h>

static bool controlled(const struct doc *object)
{
    const struct doc *owners = doc_path(object, "metadata", "ownerReferences", NULL);

    for (size_t i = 0; i < doc_size(owners); i++)
        if (doc_as_bool(doc_get(doc_at(owners, i), "controller"), false))
            return true;
    return false;
}

/* Made by the cluster for each namespace or claim, gone with it. */
static bool made_by_cluster(const struct resource *resource, const struct object *object)
{
    const char *kind = resource->kind;

    if (strcmp(kind, "Lease") == 0 || strcmp(kind, "Event") == 0 || controlled(object->doc))
        return true;
    if (strcmp(kind, "ConfigMap") == 0 && strcmp(object->name, "kube-root-ca.crt") == 0)
        return true;
    if (strcmp(kind, "ServiceAccount") == 0 && strcmp(object->name, "default") == 0)
        return true;
    return strcmp(kind, "PersistentVolume") == 0 &&
           doc_path(object->doc, "metadata", "annotations", "pv.kubernetes.io/provisioned-by", NULL);
}

static struct doc *finalizers_canonical(const struct doc *finalizers)
{
    struct doc *out = doc_array();

    for (size_t i = 0; i < doc_size(finalizers); i++)
        if (strncmp(doc_as_text(doc_at(finalizers, i), ""), "service.kubernetes.io/", 22) != 0)
            doc_push(out, doc_ref(doc_at(finalizers, i)));
    return out;
}

static void set_unless_empty(struct doc *object, const char *key, struct doc *take)
{
    if (doc_size(take) > 0) {
        doc_set(object, key, take);
    } else {
        doc_unref(take);
        doc_remove(object, key);
    }
}

/* The uid is the last of the fields: what was there at boot keeps it. */
static struct doc *metadata_canonical(const struct doc *metadata, bool boot)
{
    static const char *const fields[] = {"resourceVersion",
                                         "generation",
                                         "creationTimestamp",
                                         "deletionTimestamp",
                                         "deletionGracePeriodSeconds",
                                         "managedFields",
                                         "selfLink",
                                         "uid"};
    static const char *const notes[] = {
        "deployment.kubernetes.io/revision",        "pv.kubernetes.io/bind-completed",
        "pv.kubernetes.io/bound-by-controller",     "volume.kubernetes.io/selected-node",
        "volume.kubernetes.io/storage-provisioner", "volume.kubernetes.io/selected-at"};
    struct doc *out = doc_without(metadata, fields, sizeof(fields) / sizeof(*fields) - boot);

    set_unless_empty(out, "annotations",
                     doc_without(doc_get(out, "annotations"), notes, sizeof(notes) / sizeof(*notes)));
    set_unless_empty(out, "finalizers", finalizers_canonical(doc_get(out, "finalizers")));
    return out;
}

/* Secret values as a hash under this sandbox's key: equal stays equal, nothing is shown. */
static struct doc *secret_hash(struct cluster *cluster, const struct doc *data)
{
    struct doc *out = doc_object();

    DOC_EACH(value, data)
    {
        char hash[33], *purpose = mem_printf("show/secret/%s", doc_as_text(value.value, ""));

        sim_hex(cluster->sim, purpose, hash, 32);
        hash[32] = '\0';
        doc_set_text(out, value.key, hash);
        free(purpose);
    }
    return out;
}

enum { UUID_LEN = 36 };

static const struct object *object_of_uid(const struct cluster *cluster, struct view uid)
{
    for (size_t i = 0; i < cluster->resources_len; i++)
        for (size_t j = 0; j < cluster->resources[i]->objects_len; j++) {
            const struct object *object = cluster->resources[i]->objects[j];

            if (view_equal(doc_as_view(doc_path(object->doc, "metadata", "uid", NULL)), uid))
                return object;
        }
    return NULL;
}

/* Ids of things made since stand in other objects too (an inventory, a reference): they are named there as well. */
static struct doc *name_ids(void *ctx, struct view text)
{
    struct cluster *cluster = ctx;
    struct buf out;
    struct doc *named = NULL;
    bool found = false;

    if (text.len < UUID_LEN)
        return NULL;
    buf_init(&out, 64 << 20);
    for (size_t i = 0; i < text.len;) {
        const struct object *object = NULL;

        if (i + UUID_LEN <= text.len && text.ptr[i + 8] == '-' && text.ptr[i + 13] == '-')
            object = object_of_uid(cluster, (struct view){text.ptr + i, UUID_LEN});
        if (object && !object->boot) {
            buf_addf(&out, "(uid of %s)", object->name);
            i += UUID_LEN;
            found = true;
        } else {
            buf_add_char(&out, text.ptr[i++]);
        }
    }
    if (found)
        named = doc_string(buf_view(&out));
    buf_free(&out);
    return named;
}

/* The canonical form of an object. New reference. */
static struct doc *canonical(struct cluster *cluster, const struct resource *resource, const struct object *object)
{
    struct doc *out = doc_object(), *named;

    DOC_EACH(member, object->doc)
    {
        if (strcmp(member.key, "metadata") == 0)
            doc_set(out, member.key, metadata_canonical(member.value, object->boot));
        else if (strcmp(member.key, "data") == 0 && strcmp(resource->kind, "Secret") == 0)
            doc_set(out, member.key, secret_hash(cluster, member.value));
        else if (strcmp(member.key, "spec") == 0 && strcmp(resource->kind, "PersistentVolumeClaim") == 0)
            doc_set(out, member.key, doc_without(member.value, (const char *const[]){"volumeName"}, 1));
        else if (strcmp(member.key, "status") != 0)
            doc_set(out, member.key, doc_ref(member.value));
    }
    named = doc_mapped(out, name_ids, cluster);
    doc_unref(out);
    return named;
}

static int resource_order(const void *a, const void *b)
{
    const struct resource *left = *(const struct resource *const *)a, *right = *(const struct resource *const *)b;
    int order = strcmp(left->group, right->group);

    return order ? order : strcmp(left->kind, right->kind);
}

void show_cluster(struct cluster *cluster, bool raw, struct buf *out)
{
    struct resource **sorted = mem_array(cluster->resources_len + 1, sizeof(*sorted));

    memcpy(sorted, cluster->resources, cluster->resources_len * sizeof(*sorted));
    qsort(sorted, cluster->resources_len, sizeof(*sorted), resource_order);
    for (size_t i = 0; i < cluster->resources_len; i++)
        for (size_t j = 0; j < sorted[i]->objects_len; j++) {
            const struct object *object = sorted[i]->objects[j];

            if (!raw && made_by_cluster(sorted[i], object))
                continue;
            buf_add_text(out, "# ");
            resource_kind_add(out, sorted[i]);
            buf_addf(out, " %s%s%s\n", object->namespace, *object->namespace ? "/" : "", object->name);
            struct doc *shown = raw ? doc_ref(object->doc) : canonical(cluster, sorted[i], object);
            yaml_add(out, shown, true);
            doc_unref(shown);
        }
    free(sorted);
}
