/*
 * route.weights: players go back to where they were, where the weights still are as the run left them.
 *
 * As before the run: nothing to do. As the run left them, or as one of its steps wanted them (after a crash nobody
 * knows which one was the last to arrive): put back. Anything else was set by somebody since: left alone and listed.
 *
 * spec.http is one atomic list with one owner, so the write is the list as it is now with nothing but these weights
 * replaced, applied with everything else that dosrun owns in the object. It carries the resourceVersion that it was
 * decided on: a race is a 409 and another look.
 */
#include "istio/istio.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MANAGER "dosrun" /* the field manager of everything that dosrun applies */

enum { LOOKS_MAX = 20, FAILURES_MAX = 5 };

struct weights_undo {
    struct kube *kube;
    struct doc *undo, *after;
    const char *namespace, *name, *route; /* borrowed from undo */
    char *what;                           /* "VirtualService dos-game/games" */
    bool plan, changed;
    int looks, failures;
    void *owner;
    undo_done_fn *done;
    void *done_ctx;
};

/* ---- the end ---- */

static void undo_end(struct weights_undo *task, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    undo_done_fn *done = task->done;
    void *done_ctx = task->done_ctx;
    struct err told = ERR_INIT;

    if (err) {
        told = *err;
        err_context(&told, "undo of route %s in %s", task->route, task->what);
    }
    doc_unref(task->undo);
    doc_unref(task->after);
    free(task->what);
    free(task);
    done(done_ctx, outcome, left, err ? &told : NULL);
}

static void weights_tell(struct buf *out, const struct doc *weights)
{
    bool first = true;

    DOC_EACH(weight, weights)
    {
        buf_addf(out, "%s%s %" PRId64, first ? "" : ", ", weight.key, doc_as_int(weight.value, 0));
        first = false;
    }
}

/* why NULL: the weights are somebody else's. */
static void undo_left(struct weights_undo *task, const struct doc *live, const struct doc *weights, const char *why)
{
    struct doc *left = doc_array(), *entry = doc_object();
    char *manager = live ? kube_fields_manager(live, "/spec/http") : NULL;
    struct buf text;

    buf_init(&text, 64 << 10);
    buf_addf(&text, "%s: weights of route %s", task->what, task->route);
    if (why)
        buf_addf(&text, ": %s", why);
    doc_set_text(entry, "what", buf_text(&text));
    doc_set_text(entry, "manager", manager);
    if (weights)
        doc_set(entry, "now", doc_ref(weights));
    doc_push(left, entry);
    buf_free(&text);
    free(manager);
    undo_end(task, UNDO_FOREIGN, left, NULL);
}

/* ---- the route ---- */

static struct doc *route_find(const struct doc *http, const char *name)
{
    for (size_t i = 0; i < doc_size(http); i++) {
        if (strcmp(doc_as_text(doc_get(doc_at(http, i), "name"), ""), name) == 0)
            return doc_get(doc_at(http, i), "route");
    }
    return NULL;
}

static char *destination_key(const struct doc *destination)
{
    const char *host = doc_path_text(destination, "destination", "host", NULL);
    const char *subset = doc_path_text(destination, "destination", "subset", NULL);

    return subset ? mem_printf("%s/%s", host ? host : "", subset) : mem_text(host ? host : "");
}

/* One destination alone may leave its weight out: it gets everything. */
static struct doc *weights_of(const struct doc *route)
{
    struct doc *weights = doc_object();

    for (size_t i = 0; i < doc_size(route); i++) {
        char *key = destination_key(doc_at(route, i));

        doc_set_int(weights, key, doc_as_int(doc_get(doc_at(route, i), "weight"), doc_size(route) == 1 ? 100 : 0));
        free(key);
    }
    return weights;
}

/* Equal when each destination of either has the same share; one that is not there has none. */
static bool weights_equal(const struct doc *a, const struct doc *b)
{
    if (!doc_is(a, DOC_OBJECT) || !doc_is(b, DOC_OBJECT))
        return false;
    DOC_EACH(weight, a)
    {
        if (doc_as_int(weight.value, 0) != doc_as_int(doc_get(b, weight.key), 0))
            return false;
    }
    DOC_EACH(weight, b)
    {
        if (doc_as_int(weight.value, 0) != doc_as_int(doc_get(a, weight.key), 0))
            return false;
    }
    return true;
}

static bool weights_ours(const struct weights_undo *task, const struct doc *weights)
{
    const struct doc *steps = doc_get(task->undo, "steps");
    bool ours = weights_equal(weights, doc_get(task->after, "weights"));

    for (size_t i = 0; i < doc_size(steps) && !ours; i++)
        ours = weights_equal(weights, doc_at(steps, i));
    return ours;
}

/* False when a destination that had players before the run is there no more. */
static bool destinations_there(const struct doc *wanted, const struct doc *live)
{
    DOC_EACH(weight, wanted)
    {
        if (doc_as_int(weight.value, 0) > 0 && !doc_get(live, weight.key))
            return false;
    }
    return true;
}

/* ---- the write ---- */

static void look(struct weights_undo *task);

static void write_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct weights_undo *task = ctx;

    (void)body;
    (void)answer;
    task->changed = task->changed || !err;
    /* Refused because the object moved on, or the answer is lost: what it is now decides. */
    if (!err || ((err->kind == ERR_CONFLICT || err->maybe_done) && ++task->failures < FAILURES_MAX))
        look(task);
    else
        undo_end(task, UNDO_FAILED, NULL, err);
}

/* What dosrun owns of the object now, with the list's weights replaced. */
static struct doc *body_build(const struct weights_undo *task, const struct doc *live)
{
    struct doc *body = kube_fields_applied(live, MANAGER), *http = doc_copy(doc_path(live, "spec", "http", NULL));
    struct doc *route = route_find(http, task->route), *metadata;

    for (size_t i = 0; i < doc_size(route); i++) {
        char *key = destination_key(doc_at(route, i));

        doc_set_int(doc_at(route, i), "weight", doc_as_int(doc_path(task->undo, "weights", key, NULL), 0));
        free(key);
    }
    if (!body) {
        body = doc_object();
        doc_set(body, "apiVersion", doc_ref(doc_get(live, "apiVersion")));
        doc_set(body, "kind", doc_ref(doc_get(live, "kind")));
        metadata = doc_object();
        doc_set_text(metadata, "name", task->name);
        doc_set_text(metadata, "namespace", task->namespace);
        doc_set(body, "metadata", metadata);
    }
    if (!doc_get(body, "spec"))
        doc_set(body, "spec", doc_object());
    doc_set(doc_get(body, "spec"), "http", http);
    metadata = doc_get(body, "metadata");
    doc_set(metadata, "resourceVersion", doc_ref(doc_path(live, "metadata", "resourceVersion", NULL)));
    doc_set(metadata, "uid", doc_ref(doc_path(live, "metadata", "uid", NULL)));
    return body;
}

static int resource_path(const struct weights_undo *task, struct buf *path, struct err *err)
{
    const struct doc *ref = doc_get(task->undo, "ref");
    const struct kube_resource *resource = kube_resource_find(task->kube, doc_as_text(doc_get(ref, "apiVersion"), ""),
                                                              doc_as_text(doc_get(ref, "kind"), ""), err);

    if (!resource)
        return -1;
    kube_path(path, resource, task->namespace, task->name, NULL);
    return 0;
}

static void write_send(struct weights_undo *task, const struct doc *live)
{
    struct doc *query = doc_object(), *body = body_build(task, live);
    char *subject = mem_printf("restore weights of %s", task->what);
    struct kube_request request = {.method = "PATCH",
                                   .content_type = "application/apply-patch+yaml",
                                   .query = query,
                                   .body = body,
                                   .class = HTTP_CHANGES,
                                   .repeat = HTTP_REPEAT_SAFE,
                                   .backward = true,
                                   .guarded = true,
                                   .owner = task->owner,
                                   .subject = subject};
    struct err err = ERR_INIT;
    struct buf path;

    /* force: the values are the run's own, whoever may have become their owner by writing the same ones. */
    doc_set_text(query, "fieldManager", MANAGER);
    doc_set_text(query, "force", "true");
    buf_init(&path, 4096);
    if (resource_path(task, &path, &err) == 0) {
        request.path = buf_text(&path);
        kube_send(task->kube, &request, write_end, task);
    } else {
        undo_end(task, UNDO_FAILED, NULL, &err);
    }
    doc_unref(query);
    doc_unref(body);
    buf_free(&path);
    free(subject);
}

/* ---- the look ---- */

static void plan_end(struct weights_undo *task)
{
    struct doc *would = doc_array(), *entry = doc_object();
    struct buf text;

    buf_init(&text, 64 << 10);
    buf_addf(&text, "restore of %s: weights of route %s to ", task->what, task->route);
    weights_tell(&text, doc_get(task->undo, "weights"));
    doc_set_text(entry, "would", buf_text(&text));
    doc_push(would, entry);
    buf_free(&text);
    undo_end(task, UNDO_DONE, would, NULL);
}

static void decide(struct weights_undo *task, const struct doc *live)
{
    const char *uid = doc_as_text(doc_get(task->undo, "uid"), NULL);
    const char *live_uid = doc_path_text(live, "metadata", "uid", NULL);
    struct doc *route = route_find(doc_path(live, "spec", "http", NULL), task->route);
    struct doc *weights = weights_of(route);
    const struct doc *before = doc_get(task->undo, "weights");

    if (uid && live_uid && strcmp(uid, live_uid) != 0)
        undo_left(task, live, NULL, "it is another object of this name");
    else if (doc_path(live, "metadata", "deletionTimestamp", NULL))
        undo_left(task, live, NULL, "it is being deleted");
    else if (!route)
        undo_left(task, live, NULL, "there is no such route any more");
    else if (weights_equal(weights, before))
        undo_end(task, task->changed ? UNDO_DONE : UNDO_ALREADY, NULL, NULL);
    else if (!weights_ours(task, weights))
        undo_left(task, live, weights, NULL);
    else if (!destinations_there(before, weights))
        undo_left(task, live, weights, "a destination that had a share before is there no more");
    else if (task->plan)
        plan_end(task);
    else
        write_send(task, live);
    doc_unref(weights);
}

static void look_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct weights_undo *task = ctx;

    (void)answer;
    if (!err)
        decide(task, body);
    else if (err->status == 404)
        undo_left(task, NULL, NULL, "it is gone");
    else
        undo_end(task, UNDO_FAILED, NULL, err);
}

static void look(struct weights_undo *task)
{
    struct kube_request request = {
        .method = "GET", .class = HTTP_READS, .repeat = HTTP_REPEAT_SAFE, .backward = true, .subject = task->what};
    struct err err = ERR_INIT;
    struct buf path;

    if (++task->looks > LOOKS_MAX) {
        err_set(&err, ERR_CONFLICT, "it changes all the time; given up after %d looks", LOOKS_MAX);
        undo_end(task, UNDO_FAILED, NULL, &err);
        return;
    }
    buf_init(&path, 4096);
    if (resource_path(task, &path, &err) == 0) {
        request.path = buf_text(&path);
        kube_send(task->kube, &request, look_end, task);
    } else {
        undo_left(task, NULL, NULL, "the cluster serves its kind no more");
    }
    buf_free(&path);
}

static void discovered(void *ctx, const struct err *err)
{
    if (err)
        undo_end(ctx, UNDO_FAILED, NULL, err);
    else
        look(ctx);
}

static void weights_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    struct weights_undo *task = mem_alloc(sizeof(*task));
    const struct doc *ref = doc_get(request->undo, "ref");

    task->kube = ctx;
    task->undo = doc_ref(request->undo);
    task->after = doc_ref(request->after);
    task->namespace = doc_as_text(doc_get(ref, "namespace"), NULL);
    task->name = doc_as_text(doc_get(ref, "name"), "");
    task->route = doc_as_text(doc_get(task->undo, "route"), "");
    task->what = mem_printf("%s %s%s%s", doc_as_text(doc_get(ref, "kind"), "VirtualService"),
                            task->namespace ? task->namespace : "", task->namespace ? "/" : "", task->name);
    task->plan = request->plan;
    task->owner = request->owner;
    task->done = done;
    task->done_ctx = done_ctx;
    kube_discover(task->kube, discovered, task);
}

struct undo_handler istio_undo_handler(struct kube *kube)
{
    return (struct undo_handler){"route.weights", weights_start, kube};
}
