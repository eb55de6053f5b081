/* The tail of every write: what the server sets itself, admission, validation, and the store. */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>

static void keep(struct doc *object, const struct doc *old, const char *field)
{
    doc_set(object, field, doc_ref(doc_get(old, field)));
}

/* Fields of metadata that no client writes. */
static void metadata_keep(struct doc *object, const struct doc *old)
{
    static const char *const fields[] = {
        "uid",        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        "generation", "resourceVersion",   "generateName"};
    struct doc *metadata = doc_get(object, "metadata");

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
        keep(metadata, doc_get(old, "metadata"), fields[i]);
    doc_remove(metadata, "selfLink");
}

static void metadata_new(const struct write *write, struct doc *object)
{
    static const char *const wiped[] = {"deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
                                        "resourceVersion"};
    struct doc *metadata = doc_get(object, "metadata");
    struct cluster *cluster = write->cluster;
    char uid[37], *purpose;

    for (size_t i = 0; i < sizeof(wiped) / sizeof(*wiped); i++)
        doc_remove(metadata, wiped[i]);
    purpose = mem_printf("kube/%s/uid/%s/%s/%s/%llu", cluster->target, write->resource->kind, write->namespace,
                         doc_as_text(doc_get(metadata, "name"), ""),
                         cluster->booting ? 0ULL : (unsigned long long)cluster->version + 1);
    sim_uuid(cluster->sim, purpose, uid);
    free(purpose);
    doc_set_text(metadata, "uid", uid);
    doc_set(metadata, "creationTimestamp", cluster_time_doc(cluster));
    doc_remove(metadata, "generation");
    if (write->resource->generation)
        doc_set_int(metadata, "generation", 1);
}

/* An empty list is as good as none. */
static bool same_value(const struct doc *a, const struct doc *b)
{
    bool nothing = !a || doc_is(a, DOC_NULL) || doc_is(a, DOC_ARRAY),
         none = !b || doc_is(b, DOC_NULL) || doc_is(b, DOC_ARRAY);

    return doc_equal(a, b) || (nothing && none && doc_size(a) == 0 && doc_size(b) == 0);
}

/* Whether anything but metadata and status changed. */
static bool spec_changed(const struct doc *old, const struct doc *object)
{
    DOC_EACH(member, object)
    {
        if (strcmp(member.key, "metadata") == 0 || strcmp(member.key, "status") == 0 ||
            strcmp(member.key, "apiVersion") == 0)
            continue;
        if (!same_value(member.value, doc_get(old, member.key)))
            return true;
    }
    DOC_EACH(member, old)
    if (strcmp(member.key, "metadata") != 0 && strcmp(member.key, "status") != 0 &&
        !same_value(member.value, doc_get(object, member.key)))
        return true;
    return false;
}

/* Some kinds count changes of one field of their metadata too. */
static bool metadata_counts(const struct write *write, const struct doc *old, const struct doc *object)
{
    const char *kind = write->resource->kind, *field = NULL;

    if (strcmp(kind, "EndpointSlice") == 0)
        field = "labels";
    if (strcmp(kind, "Deployment") == 0)
        field = "annotations";
    return field && !doc_equal(doc_path(old, "metadata", field, NULL), doc_path(object, "metadata", field, NULL));
}

/* A status write changes status alone; for built-in kinds also annotations, finalizers, owners. */
static void status_only(const struct write *write, const struct doc *old, struct doc *object)
{
    struct doc *status = doc_ref(doc_get(object, "status")), *metadata = doc_get(object, "metadata");

    DOC_EACH(member, old)
    if (strcmp(member.key, "metadata") != 0 && strcmp(member.key, "status") != 0)
        doc_set(object, member.key, doc_ref(member.value));
    if (write->resource->custom) {
        struct doc *managed = doc_ref(doc_get(metadata, "managedFields")), *kept = doc_copy(doc_get(old, "metadata"));

        doc_set(kept, "managedFields", managed);
        doc_set(object, "metadata", kept);
    } else {
        keep(metadata, doc_get(old, "metadata"), "labels");
    }
    doc_set(object, "status", status);
}

/* What this endpoint may not change is put back, and the generation follows the spec. */
static void object_restrict(struct write *write, const struct doc *old, struct doc *object)
{
    struct resource *resource = write->resource;

    if (!old) {
        metadata_new(write, object);
        if (resource->status && !write->cluster->booting) {
            const struct shape_field *field = resource->custom ? NULL : shape_field(resource->shape, "status");

            doc_set(object, "status", field ? shape_empty(field->shape) : NULL);
        }
        return;
    }
    if (strcmp(write->subresource, "status") == 0)
        status_only(write, old, object);
    else if (resource->status)
        keep(object, old, "status");
    metadata_keep(object, old);
    if (resource->generation && strcmp(write->subresource, "status") != 0 &&
        (spec_changed(old, object) || metadata_counts(write, old, object)))
        doc_set_int(doc_get(object, "metadata"), "generation",
                    doc_as_int(doc_path(old, "metadata", "generation", NULL), 0) + 1);
}

/* Equal but for the times in managedFields. */
static bool unchanged(const struct doc *old, const struct doc *object)
{
    DOC_EACH(member, object)
    if (strcmp(member.key, "metadata") != 0 && !doc_equal(member.value, doc_get(old, member.key)))
        return false;
    if (doc_size(old) != doc_size(object))
        return false;
    const struct doc *before = doc_get(old, "metadata"), *after = doc_get(object, "metadata");
    DOC_EACH(member, after)
    if (strcmp(member.key, "managedFields") != 0 && !doc_equal(member.value, doc_get(before, member.key)))
        return false;
    DOC_EACH(member, before)
    if (strcmp(member.key, "managedFields") != 0 && !doc_get(after, member.key))
        return false;
    return managed_same(old, object);
}

static bool of_metadata(const struct doc *cause)
{
    return strncmp(doc_as_text(doc_get(cause, "field"), ""), "metadata", 8) == 0;
}

/* Kinds whose own rules leave metadata out: a new object's is only judged once all else is sound. */
static void metadata_last(const struct write *write, struct doc *causes)
{
    bool other = false;

    for (size_t i = 0; i < doc_size(causes); i++)
        other |= !of_metadata(doc_at(causes, i));
    if (!other || !doc_as_bool(doc_get(write->resource->info, "metadata_last"), false))
        return;
    for (size_t i = doc_size(causes); i-- > 0;)
        if (of_metadata(doc_at(causes, i)))
            doc_remove_at(causes, i);
}

static bool finish_valid(struct write *write, const struct doc *object, const struct doc *old)
{
    struct doc *causes = doc_array();
    bool fine;

    if (!write->cluster->booting) {
        validate_object(write, object, old, causes);
        rules_validate(write, object, old, causes);
        if (!old)
            metadata_last(write, causes);
    }
    fine = doc_size(causes) == 0;
    if (!fine) {
        const char *name = doc_path_text(object, "metadata", "name", NULL);

        write_fail(write, status_invalid(write->resource, name ? name : "", causes));
    }
    doc_unref(causes);
    return fine;
}

static bool name_free(struct write *write, const struct doc *object)
{
    const char *name = doc_path_text(object, "metadata", "name", NULL);
    struct buf what;

    if (!objects_find(write->resource, write->namespace, name))
        return true;
    buf_init(&what, 4096);
    resource_name_add(&what, write->resource);
    write_fail(write, status_for(status_new(409, "AlreadyExists", "%s \"%s\" already exists", buf_text(&what), name),
                                 write->resource, name));
    buf_free(&what);
    return false;
}

/* Marked for deletion and nothing holds it any more. */
static bool may_vanish(const struct write *write, const struct doc *object)
{
    if (!doc_path(object, "metadata", "deletionTimestamp", NULL) ||
        doc_size(doc_path(object, "metadata", "finalizers", NULL)) > 0)
        return false;
    if (doc_size(doc_path(object, "spec", "finalizers", NULL)) > 0 && strcmp(write->resource->kind, "Namespace") == 0)
        return false;
    return doc_as_int(doc_path(object, "metadata", "deletionGracePeriodSeconds", NULL), 0) == 0;
}

/* What the real server's storage form cannot tell apart: an empty list that is always there reads back as null. */
static void storage_form(const struct write *write, struct doc *object)
{
    const struct shape *shape = write->resource->shape;

    for (size_t i = 0; !write->resource->custom && i < shape->fields_len; i++) {
        const struct shape_field *field = &shape->fields[i];

        if (field->always && !field->pointer && field->shape->kind == SHAPE_LIST &&
            doc_size(doc_get(object, field->name)) == 0)
            doc_set(object, field->name, doc_null());
    }
}

static bool list_has(const struct doc *list, const struct doc *item)
{
    for (size_t i = 0; i < doc_size(list); i++)
        if (doc_equal(doc_at(list, i), item))
            return true;
    return false;
}

static void warn_of_finalizers(struct write *write, const struct doc *old, const struct doc *object)
{
    const struct doc *finalizers = doc_path(object, "metadata", "finalizers", NULL);
    const struct doc *before = doc_path(old, "metadata", "finalizers", NULL);

    for (size_t i = 0; write->resource->custom && i < doc_size(finalizers); i++) {
        const char *name = doc_as_text(doc_at(finalizers, i), "");

        if (!strchr(name, '/') && strcmp(name, "orphan") != 0 && strcmp(name, "foregroundDeletion") != 0 &&
            !list_has(before, doc_at(finalizers, i)))
            write_warn(write,
                       "metadata.finalizers: \"%s\": prefer a domain-qualified finalizer name to avoid accidental "
                       "conflicts with "
                       "other finalizer writers",
                       name);
    }
}

static struct doc *finish_store(struct write *write, const struct doc *old, struct doc *object)
{
    struct cluster *cluster = write->cluster;

    warn_of_finalizers(write, old, object);
    rules_warn(write, object);
    if (!write->dry_run || old || write->apply)
        storage_form(write, object);
    if (old && unchanged(old, object)) {
        doc_unref(object);
        return doc_ref(old);
    }
    if (write->dry_run)
        return object;
    if (old && may_vanish(write, object)) {
        struct object *stored = objects_find(write->resource, write->namespace, write->name);

        doc_ref(object);
        objects_put(cluster, write->resource, object);
        objects_delete(cluster, write->resource, stored);
        return object;
    }
    doc_ref(object);
    objects_put(cluster, write->resource, object);
    return object;
}

static void storage_version(const struct write *write, struct doc *object)
{
    if (!write->resource->custom)
        return;
    char *version = mem_printf("%s/%s", write->resource->group, write->resource->versions[0]);

    doc_set_text(object, "apiVersion", version);
    free(version);
}

struct doc *write_finish(struct write *write, const struct doc *old, struct doc *object)
{
    storage_version(write, object);
    if (!rules_admit(write, object, old))
        goto failed;
    object_restrict(write, old, object);
    rules_prepare(write, object, old);
    if (!finish_valid(write, object, old))
        goto failed;
    if (!old && !name_free(write, object))
        goto failed;
    return finish_store(write, old, object);
failed:
    doc_unref(object);
    return NULL;
}

static struct doc *shallow(const struct doc *object)
{
    struct doc *out = doc_object();

    DOC_EACH(member, object)
    doc_set(out, member.key, doc_ref(member.value));
    return out;
}

/* The short way of controllers, which write many and know their fields. */
bool write_status(struct write *write, const struct doc *status)
{
    struct object *stored = objects_find(write->resource, write->namespace, write->name);
    struct doc *value, *object, *metadata;

    if (!stored)
        return write_fail(write, status_not_found(write->resource, write->name));
    value = decode_field_value(write, "status", status);
    if (write->status || doc_equal(value, doc_get(stored->doc, "status"))) {
        doc_unref(value);
        return !write->status;
    }
    object = shallow(stored->doc);
    metadata = shallow(doc_get(stored->doc, "metadata"));
    doc_set(object, "metadata", metadata);
    doc_set(object, "status", value);
    managed_update(write, stored->doc, object);
    objects_put(write->cluster, write->resource, object);
    return true;
}
