/*
 * State faults of the simulated API server. stale: a resource is read as it was, three times;
 * ghost: a deleted one is still listed, three times; stuck: controllers do nothing for it; foreign:
 * somebody edits it now; unready: writes to it are refused for ten virtual seconds.
 */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>

enum { READS = 3, UNREADY_MS = 10000 };

enum lag_kind { LAG_STALE, LAG_GHOST, LAG_STUCK, LAG_UNREADY };

struct lag {
    struct list link;
    enum lag_kind kind;
    const struct resource *resource;
    char *namespace, *name;
    struct doc *doc; /* stale, ghost: as it was; NULL: it was not there */
    int reads;
    int64_t until_ms;
};

static void lag_free(struct lag *lag)
{
    list_remove(&lag->link);
    doc_unref(lag->doc);
    free(lag->namespace);
    free(lag->name);
    free(lag);
}

static struct lag *lag_add(struct cluster *cluster, enum lag_kind kind, const struct target *target)
{
    struct lag *lag = mem_alloc(sizeof(*lag));
    struct object *object = objects_find(target->resource, target->namespace, target->name);

    lag->kind = kind;
    lag->resource = target->resource;
    lag->namespace = mem_text(target->namespace);
    lag->name = mem_text(target->name);
    lag->doc = object ? doc_ref(object->doc) : NULL;
    lag->reads = READS;
    lag->until_ms = sim_now_ms(cluster->sim) + UNREADY_MS;
    list_add_tail(&cluster->lags, &lag->link);
    return lag;
}

static bool lag_is(const struct lag *lag, enum lag_kind kind, const struct resource *resource, const char *namespace,
                   const char *name)
{
    return lag->kind == kind && lag->resource == resource && strcmp(lag->namespace, namespace) == 0 &&
           strcmp(lag->name, name) == 0;
}

/* What somebody else would touch: replicas of a workload, the first value of a ConfigMap, else an annotation. */
static void edit(struct doc *object)
{
    struct doc *spec = doc_get(object, "spec"), *data = doc_get(object, "data"),
               *metadata = doc_get(object, "metadata");

    if (doc_is(doc_get(spec, "replicas"), DOC_INT)) {
        doc_set_int(spec, "replicas", doc_as_int(doc_get(spec, "replicas"), 0) + 1);
        return;
    }
    if (doc_size(data) && strcmp(doc_as_text(doc_get(object, "kind"), ""), "ConfigMap") == 0) {
        struct doc_iter first = doc_iter_first(data);

        doc_set_text(data, first.key, "edited by somebody else");
        return;
    }
    if (!doc_get(metadata, "annotations"))
        doc_set(metadata, "annotations", doc_object());
    doc_set_text(doc_get(metadata, "annotations"), "example.com/edited-by", "somebody-else");
}

static bool strike_foreign(struct cluster *cluster, const struct target *target)
{
    struct object *object = objects_find(target->resource, target->namespace, target->name);
    struct write write;

    if (!object)
        return false;
    write_init(&write, cluster, target->resource);
    write.namespace = target->namespace;
    write.name = target->name;
    write.manager = "somebody-else";
    struct doc *body = doc_copy(object->doc);
    edit(body);
    struct doc *made = write_update(&write, body, false);
    bool done = made != NULL;
    doc_unref(made);
    write_clear(&write);
    return done;
}

bool fault_strike(struct cluster *cluster, const struct sim_request *http, const char *kind)
{
    struct target target;
    bool done = false;

    if (request_target(cluster, http, &target) && *target.name) {
        done = true;
        if (strcmp(kind, "foreign") == 0)
            done = strike_foreign(cluster, &target);
        else if (strcmp(kind, "stale") == 0)
            lag_add(cluster, LAG_STALE, &target);
        else if (strcmp(kind, "ghost") == 0 && objects_find(target.resource, target.namespace, target.name))
            lag_add(cluster, LAG_GHOST, &target);
        else if (strcmp(kind, "stuck") == 0)
            lag_add(cluster, LAG_STUCK, &target);
        else if (strcmp(kind, "unready") == 0)
            lag_add(cluster, LAG_UNREADY, &target);
        else
            done = false;
    }
    target_clear(&target);
    return done;
}

const struct doc *fault_read(struct cluster *cluster, const struct resource *resource, const struct object *object,
                             const char *namespace, const char *name, bool list)
{
    (void)list;
    LIST_EACH_SAFE(link, &cluster->lags)
    {
        struct lag *lag = LIST_OF(link, struct lag, link);

        if (!lag_is(lag, LAG_STALE, resource, namespace, name))
            continue;
        if (lag->reads-- > 0)
            return lag->doc;
        lag_free(lag);
    }
    return object ? object->doc : NULL;
}

/* Deleted items that lists still show. */
void fault_ghosts(struct cluster *cluster, const struct resource *resource, const char *namespace, struct doc *items)
{
    LIST_EACH_SAFE(link, &cluster->lags)
    {
        struct lag *lag = LIST_OF(link, struct lag, link);

        if (lag->kind != LAG_GHOST || lag->resource != resource || objects_find(resource, lag->namespace, lag->name))
            continue;
        if (*namespace && strcmp(namespace, lag->namespace) != 0)
            continue;
        if (lag->reads-- > 0)
            doc_push(items, doc_ref(lag->doc));
        else
            lag_free(lag);
    }
}

bool fault_refuses(struct cluster *cluster, const struct resource *resource, const char *namespace, const char *name)
{
    LIST_EACH_SAFE(link, &cluster->lags)
    {
        struct lag *lag = LIST_OF(link, struct lag, link);

        if (lag->kind != LAG_UNREADY)
            continue;
        if (sim_now_ms(cluster->sim) >= lag->until_ms)
            lag_free(lag);
        else if (name ? lag_is(lag, LAG_UNREADY, resource, namespace, name)
                      : lag->resource == resource && strcmp(lag->namespace, namespace) == 0)
            return true;
    }
    return false;
}

bool fault_holds(struct cluster *cluster, const char *namespace, const char *name)
{
    LIST_EACH(link, &cluster->lags)
    {
        const struct lag *lag = LIST_OF(link, struct lag, link);

        if (lag->kind == LAG_STUCK && strcmp(lag->namespace, namespace) == 0 && strcmp(lag->name, name) == 0)
            return true;
    }
    return false;
}

void fault_free_all(struct cluster *cluster)
{
    LIST_EACH_SAFE(link, &cluster->lags)
    lag_free(LIST_OF(link, struct lag, link));
}
