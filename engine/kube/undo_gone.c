/* Waiting until an object is really gone: a DELETE is only the beginning where finalizers are. */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

enum { GONE_MAX_MS = 5 * 60 * 1000, POLL_MS = 2000 };

struct gone {
    struct kube *kube;
    const struct kube_resource *resource;
    char *namespace, *name, *uid, *path;
    struct kube_watch *watch;
    struct kube_call *call;
    struct timer *deadline, *poll;
    struct doc *last; /* as seen last */
    kube_ready_fn *fn;
    void *ctx;
};

static void gone_end(struct gone *gone, const struct err *err)
{
    kube_ready_fn *fn = gone->fn;
    void *ctx = gone->ctx;

    kube_watch_close(gone->watch);
    if (gone->call)
        kube_cancel(gone->call);
    timer_stop(gone->deadline);
    timer_stop(gone->poll);
    doc_unref(gone->last);
    free(gone->namespace);
    free(gone->name);
    free(gone->uid);
    free(gone->path);
    free(gone);
    fn(ctx, err);
}

/* A Namespace says in its conditions what is left inside. */
static void holders_add(const struct doc *object, struct buf *out)
{
    const struct doc *finalizers = doc_path(object, "metadata", "finalizers", NULL);
    const struct doc *conditions = doc_path(object, "status", "conditions", NULL);

    for (size_t i = 0; i < doc_size(finalizers); i++)
        buf_addf(out, "%sfinalizer %s", out->len ? ", " : "", doc_as_text(doc_at(finalizers, i), ""));
    for (size_t i = 0; i < doc_size(conditions); i++) {
        const char *type = doc_as_text(doc_get(doc_at(conditions, i), "type"), "");

        if ((strcmp(type, "NamespaceContentRemaining") == 0 || strcmp(type, "NamespaceFinalizersRemaining") == 0 ||
             strcmp(type, "NamespaceDeletionDiscoveryFailure") == 0) &&
            strcmp(doc_as_text(doc_get(doc_at(conditions, i), "status"), ""), "True") == 0)
            buf_addf(out, "%s%s", out->len ? ", " : "", doc_as_text(doc_get(doc_at(conditions, i), "message"), type));
    }
}

static void deadline_over(void *ctx)
{
    struct gone *gone = ctx;
    const struct doc *newest = gone->watch ? kube_watch_get(gone->watch, gone->namespace, gone->name) : NULL;
    struct err err = ERR_INIT;
    struct buf text;

    gone->deadline = NULL;
    buf_init(&text, sizeof(err.message));
    holders_add(newest ? newest : gone->last, &text);
    err_set(&err, ERR_TIMEOUT, "%s %s is still there after %d minutes; held by %s", gone->resource->kind, gone->name,
            GONE_MAX_MS / 60000, text.len ? buf_text(&text) : "nothing that it names");
    err_explain(&err, "K108");
    buf_free(&text);
    gone_end(gone, &err);
}

static void gone_look(struct gone *gone);

static void poll_over(void *ctx)
{
    struct gone *gone = ctx;

    gone->poll = NULL;
    gone_look(gone);
}

/* The cache may lag behind: only a read that finds nothing counts. */
static void watch_changed(void *ctx)
{
    struct gone *gone = ctx;
    const struct doc *object = kube_watch_get(gone->watch, gone->namespace, gone->name);

    if (!gone->call && (!object || strcmp(doc_as_text(doc_path(object, "metadata", "uid", NULL), ""), gone->uid) != 0))
        gone_look(gone);
}

static void watch_failed(void *ctx, const struct err *err)
{
    struct gone *gone = ctx;

    (void)err; /* without the right to list it is asked now and then */
    kube_watch_close(gone->watch);
    gone->watch = NULL;
    if (!gone->call && !gone->poll)
        gone->poll = timer_start(gone->kube->world, POLL_MS, poll_over, gone);
}

static void look_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    static const struct kube_watch_fns fns = {watch_changed, watch_failed};
    struct gone *gone = ctx;

    (void)answer;
    gone->call = NULL;
    if ((err && err->status == 404) ||
        (!err && strcmp(doc_as_text(doc_path(body, "metadata", "uid", NULL), ""), gone->uid) != 0)) {
        gone_end(gone, NULL);
        return;
    }
    if (err && (err->kind == ERR_AUTH || err->kind == ERR_DENIED)) {
        gone_end(gone, err);
        return;
    }
    if (!err) {
        doc_unref(gone->last);
        gone->last = doc_ref(body);
    }
    if (!gone->watch && gone->resource->watchable && !err && !gone->poll && !gone->deadline) {
        gone->deadline = timer_start(gone->kube->world, GONE_MAX_MS, deadline_over, gone);
        gone->watch = kube_watch_open(gone->kube, gone->resource, gone->namespace, &fns, gone);
    } else {
        if (!gone->deadline)
            gone->deadline = timer_start(gone->kube->world, GONE_MAX_MS, deadline_over, gone);
        gone->poll = timer_start(gone->kube->world, POLL_MS, poll_over, gone);
    }
}

static void gone_look(struct gone *gone)
{
    struct kube_request request = {.method = "GET",
                                   .path = gone->path,
                                   .class = HTTP_READS,
                                   .repeat = HTTP_REPEAT_SAFE,
                                   .backward = true,
                                   .subject = gone->name};

    timer_stop(gone->poll);
    gone->poll = NULL;
    gone->call = kube_send(gone->kube, &request, look_end, gone);
}

void kube_gone_wait(struct kube *kube, const struct kube_resource *resource, const char *namespace, const char *name,
                    const char *uid, kube_ready_fn *fn, void *ctx)
{
    struct gone *gone = mem_alloc(sizeof(*gone));
    struct buf path;

    buf_init(&path, 4096);
    kube_path(&path, resource, namespace, name, NULL);
    gone->kube = kube;
    gone->resource = resource;
    gone->namespace = mem_text(namespace);
    gone->name = mem_text(name);
    gone->uid = mem_text(uid);
    gone->path = buf_take(&path);
    gone->fn = fn;
    gone->ctx = ctx;
    gone_look(gone);
}
