/*
 * List, then watch: what is there, kept up to date, for as many waiters as there are.
 *
 * A source is one kind in one namespace. It lists in pages, then follows the server's events from that moment; a stream
 * that ends is opened again at the last version seen (bookmarks keep it young); 410 means that the server has forgotten
 * that version: list again. Trouble that passes is waited out, 403 and 404 are final.
 */
#include "kube/inside.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

/* The server closes a watch after the time asked for; bookmarks come each minute, so silence beyond the idle time means
   that nobody is there any more. */
enum { EVENT_MAX = 16 << 20, WATCH_SECONDS = 290, IDLE_MS = 150000, BACKOFF_MS = 500, BACKOFF_MAX_MS = 30000 };

struct source {
    struct list link; /* in kube->sources */
    struct kube *kube;
    const struct kube_resource *resource;
    char *namespace; /* NULL: all */
    struct list handles;
    struct doc **objects; /* sorted by namespace, name; each a reference */
    size_t len, cap;
    char *version; /* where the next stream begins */
    bool synced, dead;
    struct kube_list *list;
    struct kube_call *stream;
    struct buf line;
    bool moved, relist; /* seen in these bytes: something new; that some events are lost */
    int64_t backoff_ms;
    struct timer *timer;
    char *trouble;
    struct err err; /* dead: why */
    int telling;    /* depth of callbacks under way */
};

struct kube_watch {
    struct list link;
    struct source *source;
    struct kube_watch_fns fns;
    void *ctx;
    struct timer *timer; /* tells a late comer what is there already */
    bool closed;         /* by a callback: freed when the telling is over */
};

/* ---- the objects ---- */

static int object_compare(const struct doc *object, const char *namespace, const char *name)
{
    const char *own = doc_path_text(object, "metadata", "namespace", NULL);
    int order = strcmp(own ? own : "", namespace ? namespace : "");

    return order ? order : strcmp(doc_as_text(doc_path(object, "metadata", "name", NULL), ""), name);
}

/* Index of the object, or of its place with *found false. */
static size_t object_find(const struct source *source, const char *namespace, const char *name, bool *found)
{
    size_t low = 0, high = source->len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = object_compare(source->objects[middle], namespace, name);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = false;
    return low;
}

/* Without managedFields: half of an object, and nobody who waits for one asks who owns its fields. */
static void object_put(struct source *source, struct doc *object)
{
    bool found;
    size_t at = object_find(source, doc_path_text(object, "metadata", "namespace", NULL),
                            doc_as_text(doc_path(object, "metadata", "name", NULL), ""), &found);

    doc_remove(doc_get(object, "metadata"), "managedFields");
    if (found) {
        doc_unref(source->objects[at]);
    } else {
        if (source->len == source->cap) {
            source->cap = source->cap ? source->cap * 2 : 64;
            source->objects = mem_grow(source->objects, source->cap, sizeof(struct doc *));
        }
        memmove(source->objects + at + 1, source->objects + at, (source->len - at) * sizeof(struct doc *));
        source->len++;
    }
    source->objects[at] = doc_ref(object);
}

static void object_drop(struct source *source, const struct doc *object)
{
    bool found;
    size_t at = object_find(source, doc_path_text(object, "metadata", "namespace", NULL),
                            doc_as_text(doc_path(object, "metadata", "name", NULL), ""), &found);

    if (!found)
        return;
    doc_unref(source->objects[at]);
    source->len--;
    memmove(source->objects + at, source->objects + at + 1, (source->len - at) * sizeof(struct doc *));
}

static void objects_clear(struct source *source)
{
    for (size_t i = 0; i < source->len; i++)
        doc_unref(source->objects[i]);
    source->len = 0;
}

/* ---- life of sources and handles ---- */

static void source_free(struct source *source)
{
    list_remove(&source->link);
    kube_list_cancel(source->list);
    if (source->stream)
        kube_cancel(source->stream);
    timer_stop(source->timer);
    objects_clear(source);
    buf_free(&source->line);
    free(source->objects);
    free(source->namespace);
    free(source->version);
    free(source->trouble);
    free(source);
}

static void handle_free(struct kube_watch *watch)
{
    struct source *source = watch->source;

    list_remove(&watch->link);
    timer_stop(watch->timer);
    free(watch);
    if (list_empty(&source->handles) && !source->telling)
        source_free(source);
}

static void handle_tell(struct kube_watch *watch)
{
    struct source *source = watch->source;

    if (watch->closed || watch->timer)
        return; /* a late comer is told by its timer */
    if (source->dead && watch->fns.failed)
        watch->fns.failed(watch->ctx, &source->err);
    else if (!source->dead && source->synced && watch->fns.changed)
        watch->fns.changed(watch->ctx);
}

/* After callbacks, which may have opened and closed watches: false when the source is gone with its last handle. */
static bool source_told(struct source *source)
{
    if (--source->telling)
        return true;
    LIST_EACH_SAFE(link, &source->handles)
    {
        struct kube_watch *watch = LIST_OF(link, struct kube_watch, link);

        if (watch->closed) {
            list_remove(&watch->link);
            timer_stop(watch->timer);
            free(watch);
        }
    }
    if (!list_empty(&source->handles))
        return true;
    source_free(source);
    return false;
}

static bool source_tell(struct source *source)
{
    source->telling++;
    LIST_EACH(link, &source->handles)
    handle_tell(LIST_OF(link, struct kube_watch, link));
    return source_told(source);
}

/* ---- list, stream, wait ---- */

static void list_begin(struct source *source);
static void stream_begin(struct source *source);

static void wait_over(void *ctx)
{
    struct source *source = ctx;

    source->timer = NULL;
    if (source->version)
        stream_begin(source);
    else
        list_begin(source);
}

static void trouble_set(struct source *source, const struct err *err)
{
    free(source->trouble);
    source->trouble = err ? mem_text(err->message) : NULL;
}

static void source_wait(struct source *source, const struct err *err)
{
    int64_t delay_ms = source->backoff_ms;

    trouble_set(source, err);
    if (err->retry_after_ms > delay_ms)
        delay_ms = err->retry_after_ms;
    source->backoff_ms = source->backoff_ms * 2 < BACKOFF_MAX_MS ? source->backoff_ms * 2 : BACKOFF_MAX_MS;
    source->timer = timer_start(source->kube->world, delay_ms, wait_over, source);
}

/* True when it was final. */
static bool source_fail(struct source *source, const struct err *err)
{
    if (err->status != 401 && err->status != 403 && err->status != 404 && err->status != 405 && err->kind != ERR_AUTH &&
        err->kind != ERR_USAGE && err->kind != ERR_DENIED)
        return false;
    source->dead = true;
    source->err = *err;
    trouble_set(source, err);
    list_remove(&source->link); /* who opens it now tries anew */
    source_tell(source);
    return true;
}

static void list_came(void *ctx, struct doc *items, const char *resource_version, const struct err *err)
{
    struct source *source = ctx;

    source->list = NULL;
    if (err) {
        if (!source_fail(source, err))
            source_wait(source, err);
        return;
    }
    objects_clear(source);
    for (size_t i = 0; i < doc_size(items); i++)
        object_put(source, doc_at(items, i));
    free(source->version);
    source->version = mem_text(resource_version ? resource_version : "0");
    source->synced = true;
    source->backoff_ms = BACKOFF_MS;
    trouble_set(source, NULL);
    if (source_tell(source))
        stream_begin(source);
}

static void list_begin(struct source *source)
{
    source->list = kube_list_start(source->kube, source->resource, source->namespace, false, list_came, source);
}

static void event_apply(struct source *source, struct doc *event)
{
    const char *type = doc_as_text(doc_get(event, "type"), "");
    struct doc *object = doc_get(event, "object");
    const char *version = doc_path_text(object, "metadata", "resourceVersion", NULL);

    if (strcmp(type, "ERROR") == 0) {
        source->relist = source->relist || doc_as_int(doc_get(object, "code"), 0) == 410;
        return;
    }
    if (version) {
        free(source->version);
        source->version = mem_text(version);
    }
    source->backoff_ms = BACKOFF_MS;
    if (strcmp(type, "BOOKMARK") == 0)
        return;
    source->moved = true;
    if (strcmp(type, "DELETED") == 0)
        object_drop(source, object);
    else if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
        object_put(source, object);
}

static void relist_begin(struct source *source)
{
    free(source->version);
    source->version = NULL;
    list_begin(source);
}

/* Whole lines of the stream; what is left of the last one waits for its end. */
static void stream_piece(void *ctx, struct view bytes)
{
    struct source *source = ctx;
    struct err ignored = ERR_INIT;
    size_t from = 0;

    buf_add_view(&source->line, bytes);
    for (size_t at = source->line.len - (source->line.over ? 0 : bytes.len); at < source->line.len; at++) {
        struct doc *event;

        if (source->line.ptr[at] != '\n')
            continue;
        event = json_parse((struct view){source->line.ptr + from, at - from}, &ignored);
        if (event) {
            kube_mask_secrets(source->kube->marks, event);
            event_apply(source, event);
        } else if (at > from) {
            source->relist = true; /* what was in it is lost */
        }
        doc_unref(event);
        from = at + 1;
    }
    buf_remove_front(&source->line, from);
    if (source->relist || source->line.over) {
        kube_cancel(source->stream);
        source->stream = NULL;
        relist_begin(source);
    } else if (source->moved) {
        source->moved = false;
        trouble_set(source, NULL);
        source_tell(source);
    }
}

static void stream_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct source *source = ctx;
    struct err silent = ERR_INIT;

    (void)body;
    (void)answer;
    source->stream = NULL;
    if (err && err->status == 410) {
        relist_begin(source);
    } else if (!err) {
        /* A server that closes at once must not be asked in a circle; backoff_ms starts over with each event. */
        err_set(&silent, ERR_NETWORK, "the watch ended");
        source_wait(source, &silent);
        trouble_set(source, NULL);
    } else if (!source_fail(source, err)) {
        source_wait(source, err);
    }
}

static void stream_begin(struct source *source)
{
    struct doc *query = doc_object();
    struct buf path;
    struct kube_request request = {.method = "GET", .query = query, .class = HTTP_READS, .repeat = HTTP_REPEAT_SAFE};

    buf_init(&path, 4096);
    kube_path(&path, source->resource, source->namespace, NULL, NULL);
    request.path = buf_text(&path);
    request.subject = source->resource->plural;
    doc_set_text(query, "watch", "true");
    doc_set_text(query, "allowWatchBookmarks", "true");
    doc_set_text(query, "resourceVersion", source->version);
    doc_set_int(query, "timeoutSeconds", WATCH_SECONDS);
    buf_reset(&source->line);
    source->moved = false;
    source->relist = false;
    source->stream = kube_stream_idle(source->kube, &request, IDLE_MS, stream_piece, stream_end, source);
    doc_unref(query);
    buf_free(&path);
}

/* ---- handles ---- */

static struct source *source_get(struct kube *kube, const struct kube_resource *resource, const char *namespace)
{
    struct source *source;

    LIST_EACH(link, &kube->sources)
    {
        source = LIST_OF(link, struct source, link);
        if (source->resource == resource && !source->namespace == !namespace &&
            (!namespace || strcmp(source->namespace, namespace) == 0))
            return source;
    }
    source = mem_alloc(sizeof(*source));
    source->kube = kube;
    source->resource = resource;
    source->namespace = mem_text(namespace);
    source->backoff_ms = BACKOFF_MS;
    list_init(&source->handles);
    buf_init(&source->line, EVENT_MAX);
    list_add_tail(&kube->sources, &source->link);
    list_begin(source);
    return source;
}

static void late_comer(void *ctx)
{
    struct kube_watch *watch = ctx;

    struct source *source = watch->source;

    watch->timer = NULL;
    source->telling++;
    handle_tell(watch);
    source_told(source);
}

struct kube_watch *kube_watch_open(struct kube *kube, const struct kube_resource *resource, const char *namespace,
                                   const struct kube_watch_fns *fns, void *ctx)
{
    struct kube_watch *watch = mem_alloc(sizeof(*watch));

    watch->source = source_get(kube, resource, namespace && namespace[0] && resource->namespaced ? namespace : NULL);
    watch->fns = *fns;
    watch->ctx = ctx;
    list_add_tail(&watch->source->handles, &watch->link);
    if (watch->source->synced)
        watch->timer = timer_start(kube->world, 0, late_comer, watch);
    return watch;
}

void kube_watch_close(struct kube_watch *watch)
{
    if (!watch)
        return;
    if (watch->source->telling)
        watch->closed = true;
    else
        handle_free(watch);
}

bool kube_watch_synced(const struct kube_watch *watch)
{
    return watch->source->synced;
}

struct doc *kube_watch_get(const struct kube_watch *watch, const char *namespace, const char *name)
{
    bool found;
    size_t at = object_find(watch->source, namespace, name, &found);

    return found ? watch->source->objects[at] : NULL;
}

void kube_watch_each(const struct kube_watch *watch, kube_watch_each_fn *fn, void *ctx)
{
    for (size_t i = 0; i < watch->source->len; i++) {
        if (!fn(ctx, watch->source->objects[i]))
            return;
    }
}

const char *kube_watch_trouble(const struct kube_watch *watch)
{
    return watch->source->trouble;
}

void kube_watch_free_all(struct kube *kube)
{
    LIST_EACH_SAFE(link, &kube->sources)
    {
        struct source *source = LIST_OF(link, struct source, link);

        LIST_EACH_SAFE(handle, &source->handles)
        {
            struct kube_watch *watch = LIST_OF(handle, struct kube_watch, link);

            list_remove(&watch->link);
            timer_stop(watch->timer);
            free(watch);
        }
        source_free(source);
    }
}
