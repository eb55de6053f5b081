/* Watches: first what is, or what changed since a version; then every change until the time is over. */
#include "sandbox/kube_cluster.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { WATCH_DEFAULT_S = 3600, BOOKMARK_MS = 60000 };

struct watch {
    struct list link;
    struct cluster *cluster;
    struct resource *resource;
    struct sim_reply *reply;
    struct selector *selector;
    struct sim_timer *end, *bookmark;
    char *version, *namespace;
    uint64_t seen; /* last version told */
};

static void watch_free(struct watch *watch)
{
    list_remove(&watch->link);
    if (watch->end)
        sim_timer_stop(watch->end);
    if (watch->bookmark)
        sim_timer_stop(watch->bookmark);
    selector_free(watch->selector);
    free(watch->version);
    free(watch->namespace);
    free(watch);
}

static void watch_gone(void *ctx)
{
    watch_free(ctx);
}

static void event_send(struct watch *watch, const char *type, const struct doc *object)
{
    struct doc *event = doc_object();
    struct buf line;

    buf_init(&line, 64 << 20);
    doc_set_text(event, "type", type);
    doc_set(event, "object", doc_ref(object));
    json_add(&line, event, JSON_COMPACT);
    buf_add_char(&line, '\n');
    doc_unref(event);
    sim_reply_body(watch->reply, buf_view(&line));
    buf_free(&line);
}

static void object_send(struct watch *watch, const char *type, const struct doc *doc)
{
    struct doc *shown = object_as(watch->resource, watch->version, doc);

    event_send(watch, type, shown);
    doc_unref(shown);
}

static bool namespace_fits(const struct watch *watch, const struct doc *doc)
{
    const char *namespace = doc_path_text(doc, "metadata", "namespace", NULL);

    return !*watch->namespace || (namespace && strcmp(namespace, watch->namespace) == 0);
}

/* An object that enters or leaves the selector is ADDED or DELETED to this watch. */
static void change_send(struct watch *watch, const struct history *change)
{
    bool was = change->before && selector_match(watch->selector, change->before);
    bool is = change->change != CHANGE_DELETED && selector_match(watch->selector, change->doc);

    if (change->resource != watch->resource || change->version <= watch->seen || !namespace_fits(watch, change->doc))
        return;
    watch->seen = change->version;
    if (is)
        object_send(watch, was ? "MODIFIED" : "ADDED", change->doc);
    else if (was)
        object_send(watch, "DELETED", change->doc);
}

void watch_notify(struct cluster *cluster, const struct history *change)
{
    LIST_EACH_SAFE(link, &cluster->watches)
    change_send(LIST_OF(link, struct watch, link), change);
}

static void bookmark_send(struct watch *watch)
{
    struct doc *object = doc_object(), *metadata = doc_object();
    char *version = mem_printf("%llu", (unsigned long long)watch->cluster->version);
    char *api = mem_printf("%s%s%s", watch->resource->group, *watch->resource->group ? "/" : "", watch->version);

    doc_set_text(object, "kind", watch->resource->kind);
    doc_set_text(object, "apiVersion", api);
    doc_set_text(metadata, "resourceVersion", version);
    doc_set(object, "metadata", metadata);
    event_send(watch, "BOOKMARK", object);
    doc_unref(object);
    free(version);
    free(api);
}

static void bookmark_due(void *ctx)
{
    struct watch *watch = ctx;

    watch->bookmark = sim_after(watch->cluster->sim, BOOKMARK_MS, bookmark_due, watch);
    bookmark_send(watch);
}

static void watch_over(void *ctx)
{
    struct watch *watch = ctx;
    struct sim_reply *reply = watch->reply;

    watch->end = NULL;
    if (watch->bookmark)
        bookmark_send(watch);
    sim_reply_on_gone(reply, NULL, NULL);
    watch_free(watch);
    sim_reply_end(reply);
}

static void expired_send(struct watch *watch, unsigned long long asked)
{
    struct doc *status = status_new(410, "Expired", "too old resource version: %llu (%llu)", asked,
                                    (unsigned long long)watch->cluster->history_oldest + 1);
    struct sim_reply *reply = watch->reply;

    event_send(watch, "ERROR", status);
    doc_unref(status);
    watch_free(watch);
    sim_reply_end(reply);
}

static void state_send(struct watch *watch)
{
    for (size_t i = 0; i < watch->resource->objects_len; i++) {
        const struct object *object = watch->resource->objects[i];

        if (namespace_fits(watch, object->doc) && selector_match(watch->selector, object->doc))
            object_send(watch, "ADDED", object->doc);
    }
    watch->seen = watch->cluster->version;
}

static void history_send(struct watch *watch, uint64_t since)
{
    struct cluster *cluster = watch->cluster;

    watch->seen = since;
    for (size_t i = 0; i < cluster->history_len; i++) {
        const struct history *change = history_at(cluster, i);

        if (change->version > since)
            change_send(watch, change);
    }
}

void watch_start(struct cluster *cluster, struct resource *resource, const char *version, const char *namespace,
                 const struct sim_request *http, struct sim_reply *reply)
{
    static const struct header headers[] = {{.name = "Content-Type", .value = "application/json"}};
    const char *since = doc_as_text(doc_get(http->query, "resourceVersion"), "");
    const char *timeout = doc_as_text(doc_get(http->query, "timeoutSeconds"), "");
    const char *bookmarks = doc_as_text(doc_get(http->query, "allowWatchBookmarks"), "");
    struct doc *status = NULL;
    struct selector *selector = selector_parse(resource, doc_as_text(doc_get(http->query, "labelSelector"), ""),
                                               doc_as_text(doc_get(http->query, "fieldSelector"), ""), &status);
    struct watch *watch;
    unsigned long long from = strtoull(since, NULL, 10);

    if (!selector) {
        reply_doc(reply, 400, status, NULL);
        doc_unref(status);
        return;
    }
    watch = mem_alloc(sizeof(*watch));
    *watch = (struct watch){.cluster = cluster,
                            .resource = resource,
                            .reply = reply,
                            .selector = selector,
                            .version = mem_text(version),
                            .namespace = mem_text(namespace)};
    list_add_tail(&cluster->watches, &watch->link);
    sim_reply_head(reply, 200, headers, 1);
    if (from && from < cluster->history_oldest) {
        expired_send(watch, from);
        return;
    }
    sim_reply_on_gone(reply, watch_gone, watch);
    watch->end =
        sim_after(cluster->sim, (*timeout ? strtoll(timeout, NULL, 10) : WATCH_DEFAULT_S) * 1000, watch_over, watch);
    if (strcmp(bookmarks, "true") == 0 || strcmp(bookmarks, "1") == 0)
        watch->bookmark = sim_after(cluster->sim, BOOKMARK_MS, bookmark_due, watch);
    if (from)
        history_send(watch, from);
    else
        state_send(watch);
}

/* Ends what watches a resource that is withdrawn. */
void watch_drop(struct cluster *cluster, const struct resource *resource)
{
    LIST_EACH_SAFE(link, &cluster->watches)
    {
        struct watch *watch = LIST_OF(link, struct watch, link);

        if (watch->resource == resource) {
            struct sim_reply *reply = watch->reply;

            sim_reply_on_gone(reply, NULL, NULL);
            watch_free(watch);
            sim_reply_end(reply);
        }
    }
}

void watch_free_all(struct cluster *cluster)
{
    LIST_EACH_SAFE(link, &cluster->watches)
    {
        struct watch *watch = LIST_OF(link, struct watch, link);

        sim_reply_on_gone(watch->reply, NULL, NULL);
        watch_free(watch);
    }
}
