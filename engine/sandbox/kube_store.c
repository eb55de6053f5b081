/*
 * The store of the simulated API server: resources by group and plural, their objects sorted by
 * namespace and name, the last changes for watches. A change is logged before anybody hears of it.
 */
#include "sandbox/kube_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HISTORY_MAX = 2048,
    BOOT_TIME = 1893456000, /* 2030-01-01, also when a boot is replayed later */
};

void cluster_time(struct cluster *cluster, char out[32])
{
    time_t seconds = cluster->booting ? BOOT_TIME : (time_t)(sim_now_ms(cluster->sim) / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

struct doc *cluster_time_doc(struct cluster *cluster)
{
    char text[32];

    cluster_time(cluster, text);
    return doc_text(text);
}

/* ---- resources ---- */

struct resource *objects_resource(struct cluster *cluster, const char *group, const char *plural)
{
    for (size_t i = 0; i < cluster->resources_len; i++) {
        struct resource *resource = cluster->resources[i];

        if (strcmp(resource->plural, plural) == 0 && strcmp(resource->group, group) == 0)
            return resource;
    }
    return NULL;
}

struct resource *objects_kind(struct cluster *cluster, const char *group, const char *kind)
{
    for (size_t i = 0; i < cluster->resources_len; i++) {
        struct resource *resource = cluster->resources[i];

        if (strcmp(resource->kind, kind) == 0 && strcmp(resource->group, group) == 0)
            return resource;
    }
    return NULL;
}

bool resource_serves(const struct resource *resource, const char *version)
{
    for (size_t i = 0; i < resource->versions_len; i++)
        if (strcmp(resource->versions[i], version) == 0)
            return true;
    return false;
}

static void resource_clear(struct resource *resource)
{
    for (size_t i = 0; i < resource->versions_len; i++)
        free(resource->versions[i]);
    free(resource->versions);
    free(resource->group);
    free(resource->plural);
    free(resource->kind);
    doc_unref(resource->info);
}

static void resource_fill(struct resource *resource, const struct doc *info, struct shape *shape)
{
    const struct doc *versions = doc_get(info, "versions");
    size_t len = versions ? doc_size(versions) : 1;

    resource->group = mem_text(doc_path_text(info, "group", NULL));
    resource->plural = mem_text(doc_path_text(info, "plural", NULL));
    resource->kind = mem_text(doc_path_text(info, "kind", NULL));
    resource->versions = mem_array(len, sizeof(char *));
    for (size_t i = 0; i < len; i++)
        resource->versions[i] =
            mem_text(versions ? doc_as_text(doc_at(versions, i), "") : doc_path_text(info, "version", NULL));
    resource->versions_len = len;
    resource->namespaced = doc_as_bool(doc_get(info, "namespaced"), false);
    resource->custom = doc_as_bool(doc_get(info, "custom"), false);
    resource->generation = resource->custom || doc_as_bool(doc_get(info, "generation"), false);
    resource->status = doc_as_bool(doc_get(info, "status"), false);
    for (size_t i = 0; i < doc_size(doc_get(info, "subresources")); i++)
        resource->scale |= strcmp(doc_as_text(doc_at(doc_get(info, "subresources"), i), ""), "scale") == 0;
    resource->info = doc_ref(info);
    resource->shape = shape;
}

/* A CRD that changed gives its resource new facts and keeps its objects. */
struct resource *objects_add_resource(struct cluster *cluster, const struct doc *info, struct shape *shape)
{
    const char *group = doc_path_text(info, "group", NULL), *plural = doc_path_text(info, "plural", NULL);
    struct resource *resource = objects_resource(cluster, group, plural);

    if (resource) {
        resource_clear(resource);
    } else {
        resource = mem_alloc(sizeof(*resource));
        if (cluster->resources_len == cluster->resources_cap) {
            cluster->resources_cap = cluster->resources_cap ? cluster->resources_cap * 2 : 64;
            cluster->resources = mem_grow(cluster->resources, cluster->resources_cap, sizeof(struct resource *));
        }
        cluster->resources[cluster->resources_len++] = resource;
    }
    resource_fill(resource, info, shape);
    return resource;
}

static void object_free(struct object *object)
{
    doc_unref(object->doc);
    free(object->namespace);
    free(object->name);
    free(object);
}

static void resource_free(struct resource *resource)
{
    for (size_t i = 0; i < resource->objects_len; i++)
        object_free(resource->objects[i]);
    free(resource->objects);
    resource_clear(resource);
    free(resource);
}

/* Its history goes with it: a watch of a resource that is gone is too old by definition. */
void objects_remove_resource(struct cluster *cluster, struct resource *resource)
{
    watch_drop(cluster, resource);
    for (size_t i = 0; i < cluster->history_len; i++) {
        struct history *entry = &cluster->history[(cluster->history_start + i) % HISTORY_MAX];

        if (entry->resource == resource)
            entry->resource = NULL;
    }
    for (size_t i = 0; i < cluster->resources_len; i++)
        if (cluster->resources[i] == resource) {
            memmove(&cluster->resources[i], &cluster->resources[i + 1],
                    (cluster->resources_len - i - 1) * sizeof(struct resource *));
            cluster->resources_len--;
            break;
        }
    resource_free(resource);
}

/* ---- objects ---- */

size_t objects_index(const struct resource *resource, const char *namespace, const char *name)
{
    size_t low = 0, high = resource->objects_len;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct object *object = resource->objects[middle];
        int order = strcmp(object->namespace, namespace);

        if (order == 0)
            order = strcmp(object->name, name);
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct object *objects_find(const struct resource *resource, const char *namespace, const char *name)
{
    size_t index = objects_index(resource, namespace, name);

    if (index == resource->objects_len)
        return NULL;
    struct object *object = resource->objects[index];
    return strcmp(object->name, name) == 0 && strcmp(object->namespace, namespace) == 0 ? object : NULL;
}

static struct object *object_insert(struct resource *resource, const char *namespace, const char *name)
{
    size_t index = objects_index(resource, namespace, name);
    struct object *object = mem_alloc(sizeof(*object));

    object->namespace = mem_text(namespace);
    object->name = mem_text(name);
    if (resource->objects_len == resource->objects_cap) {
        resource->objects_cap = resource->objects_cap ? resource->objects_cap * 2 : 8;
        resource->objects = mem_grow(resource->objects, resource->objects_cap, sizeof(struct object *));
    }
    memmove(&resource->objects[index + 1], &resource->objects[index],
            (resource->objects_len - index) * sizeof(struct object *));
    resource->objects[index] = object;
    resource->objects_len++;
    return object;
}

static void object_remove(struct resource *resource, struct object *object)
{
    size_t index = objects_index(resource, object->namespace, object->name);

    memmove(&resource->objects[index], &resource->objects[index + 1],
            (resource->objects_len - index - 1) * sizeof(struct object *));
    resource->objects_len--;
    object_free(object);
}

static void history_drop_first(struct cluster *cluster)
{
    struct history *entry = &cluster->history[cluster->history_start];

    cluster->history_oldest = entry->version;
    doc_unref(entry->doc);
    doc_unref(entry->before);
    cluster->history_start = (cluster->history_start + 1) % HISTORY_MAX;
    cluster->history_len--;
}

const struct history *history_at(const struct cluster *cluster, size_t index)
{
    return &cluster->history[(cluster->history_start + index) % HISTORY_MAX];
}

static void change_publish(struct cluster *cluster, struct resource *resource, enum change change, struct doc *doc,
                           struct doc *before)
{
    if (!cluster->history)
        cluster->history = mem_array(HISTORY_MAX, sizeof(struct history));
    if (cluster->history_len == HISTORY_MAX)
        history_drop_first(cluster);
    struct history *entry = &cluster->history[(cluster->history_start + cluster->history_len++) % HISTORY_MAX];
    *entry = (struct history){.version = cluster->version,
                              .change = change,
                              .resource = resource,
                              .doc = doc_ref(doc),
                              .before = doc_ref(before)};
    struct history told = *entry;
    doc_ref(told.doc);
    doc_ref(told.before);
    watch_notify(cluster, &told);
    controllers_notify(cluster, resource, change == CHANGE_DELETED ? NULL : told.doc, told.before);
    doc_unref(told.doc);
    doc_unref(told.before);
}

static struct doc *effect_new(const char *op, const struct resource *resource)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "kube");
    doc_set_text(effect, "op", op);
    doc_set_text(effect, "group", resource->group);
    doc_set_text(effect, "resource", resource->plural);
    return effect;
}

static struct doc *effect_put(const struct resource *resource, const struct object *object)
{
    struct doc *effect = effect_new("put", resource);

    if (object->boot)
        doc_set_bool(effect, "boot", true);
    doc_set(effect, "object", doc_ref(object->doc));
    return effect;
}

struct doc *objects_put(struct cluster *cluster, struct resource *resource, struct doc *take)
{
    const char *name = doc_path_text(take, "metadata", "name", NULL);
    const char *namespace = doc_path_text(take, "metadata", "namespace", NULL);
    struct object *object = objects_find(resource, namespace ? namespace : "", name);
    struct doc *before = object ? object->doc : NULL;
    char version[24];

    snprintf(version, sizeof(version), "%llu", (unsigned long long)++cluster->version);
    doc_set_text(doc_get(take, "metadata"), "resourceVersion", version);
    if (!object) {
        object = object_insert(resource, namespace ? namespace : "", name);
        object->boot = cluster->booting;
    }
    object->doc = take;
    if (cluster->live)
        sim_log(cluster->sim, effect_put(resource, object));
    if (!cluster->booting)
        change_publish(cluster, resource, before ? CHANGE_MODIFIED : CHANGE_ADDED, take, before);
    doc_unref(before);
    return take;
}

void objects_delete(struct cluster *cluster, struct resource *resource, struct object *object)
{
    struct doc *last = doc_copy(object->doc), *before = doc_ref(object->doc);
    char version[24];

    snprintf(version, sizeof(version), "%llu", (unsigned long long)++cluster->version);
    doc_set_text(doc_get(last, "metadata"), "resourceVersion", version);
    if (cluster->live) {
        struct doc *effect = effect_new("delete", resource);

        doc_set_text(effect, "namespace", object->namespace);
        doc_set_text(effect, "name", object->name);
        doc_set_int(effect, "version", (int64_t)cluster->version);
        sim_log(cluster->sim, effect);
    }
    object_remove(resource, object);
    change_publish(cluster, resource, CHANGE_DELETED, last, before);
    doc_unref(before);
    doc_unref(last);
}

/* ---- what lasts ---- */

static void version_seen(struct cluster *cluster, uint64_t version)
{
    if (version > cluster->version)
        cluster->version = version;
}

static bool crd_established(const struct doc *crd)
{
    const struct doc *conditions = doc_path(crd, "status", "conditions", NULL);

    for (size_t i = 0; i < doc_size(conditions); i++) {
        const struct doc *condition = doc_at(conditions, i);

        if (strcmp(doc_as_text(doc_get(condition, "type"), ""), "Established") == 0)
            return strcmp(doc_as_text(doc_get(condition, "status"), ""), "True") == 0;
    }
    return false;
}

static void replay_put(struct cluster *cluster, struct resource *resource, const struct doc *effect)
{
    const struct doc *doc = doc_get(effect, "object");
    const char *namespace = doc_path_text(doc, "metadata", "namespace", NULL);
    const char *name = doc_path_text(doc, "metadata", "name", NULL);
    const char *version = doc_path_text(doc, "metadata", "resourceVersion", NULL);
    struct object *object = objects_find(resource, namespace ? namespace : "", name);

    if (!object)
        object = object_insert(resource, namespace ? namespace : "", name);
    object->boot = doc_as_bool(doc_get(effect, "boot"), false);
    doc_unref(object->doc);
    object->doc = doc_ref(doc);
    version_seen(cluster, version ? strtoull(version, NULL, 10) : 0);
    if (strcmp(resource->kind, "CustomResourceDefinition") == 0 && crd_established(doc))
        crd_serve(cluster, doc);
}

void objects_replay(struct cluster *cluster, const struct doc *effect)
{
    const char *op = doc_as_text(doc_get(effect, "op"), "");

    if (strcmp(op, "boot") == 0) {
        boot_cluster(cluster);
        return;
    }
    if (strcmp(op, "version") == 0) {
        version_seen(cluster, (uint64_t)doc_as_int(doc_get(effect, "version"), 0));
        cluster->boot_version = (uint64_t)doc_as_int(doc_get(effect, "boot"), 0);
        return;
    }
    struct resource *resource = objects_resource(cluster, doc_as_text(doc_get(effect, "group"), ""),
                                                 doc_as_text(doc_get(effect, "resource"), ""));
    if (!resource)
        return;
    if (strcmp(op, "put") == 0) {
        replay_put(cluster, resource, effect);
        return;
    }
    struct object *object =
        objects_find(resource, doc_as_text(doc_get(effect, "namespace"), ""), doc_as_text(doc_get(effect, "name"), ""));
    version_seen(cluster, (uint64_t)doc_as_int(doc_get(effect, "version"), 0));
    if (object && strcmp(resource->kind, "CustomResourceDefinition") == 0)
        crd_withdraw(cluster, object->doc);
    if (object)
        object_remove(resource, object);
}

/* Definitions first, so that a replay knows the resources of what follows. */
void objects_snapshot(struct cluster *cluster, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    struct resource *definitions = objects_resource(cluster, "apiextensions.k8s.io", "customresourcedefinitions");
    struct doc *version = doc_object();

    for (size_t i = 0; definitions && i < definitions->objects_len; i++)
        put(ctx, effect_put(definitions, definitions->objects[i]));
    for (size_t i = 0; i < cluster->resources_len; i++) {
        const struct resource *resource = cluster->resources[i];

        for (size_t j = 0; resource != definitions && j < resource->objects_len; j++)
            put(ctx, effect_put(resource, resource->objects[j]));
    }
    doc_set_text(version, "of", "kube");
    doc_set_text(version, "op", "version");
    doc_set_int(version, "version", (int64_t)cluster->version);
    doc_set_int(version, "boot", (int64_t)cluster->boot_version);
    put(ctx, version);
}

void objects_free(struct cluster *cluster)
{
    while (cluster->history_len)
        history_drop_first(cluster);
    free(cluster->history);
    for (size_t i = 0; i < cluster->resources_len; i++)
        resource_free(cluster->resources[i]);
    free(cluster->resources);
}
