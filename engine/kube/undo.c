/* What the undo operations of this room share: find the object, change it, look again, tell the end. */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

/* Looks are bounded, so that an undo ends whatever the server does; settling looks each few seconds. */
enum { LOOKS_MAX = 60, FAILURES_MAX = 5, SETTLE_STEP_MS = 5000, AGAIN_MS = 500 };

/* ---- the end ---- */

void kube_undo_end(struct kube_undo *task, enum undo_outcome outcome, const struct err *err)
{
    undo_done_fn *done = task->done;
    void *done_ctx = task->done_ctx;
    struct doc *left = doc_size(task->left) || doc_size(task->would) ? doc_array() : NULL;
    struct err told = ERR_INIT;

    for (size_t i = 0; i < doc_size(task->left); i++)
        doc_push(left, doc_ref(doc_at(task->left, i)));
    for (size_t i = 0; task->plan && i < doc_size(task->would); i++)
        doc_push(left, doc_ref(doc_at(task->would, i)));
    if (err) {
        told = *err;
        err_context(&told, "undo of %s", task->what);
    }
    timer_stop(task->timer);
    doc_unref(task->undo);
    doc_unref(task->before);
    doc_unref(task->after);
    doc_unref(task->left);
    doc_unref(task->would);
    doc_unref(task->ours);
    free(task->what);
    free(task);
    done(done_ctx, outcome, left, err ? &told : NULL);
}

void kube_undo_left(struct kube_undo *task, const char *place, const char *manager, const struct doc *now)
{
    struct doc *entry = doc_object();
    char *what = place ? mem_printf("%s: %s", task->what, place) : mem_text(task->what);

    doc_set_text(entry, "what", what);
    doc_set_text(entry, "manager", manager);
    if (now)
        doc_set(entry, "now", doc_copy(now));
    doc_push(task->left, entry);
    free(what);
}

void kube_undo_would(struct kube_undo *task, const char *format, ...)
{
    struct doc *entry = doc_object();
    struct buf text;
    va_list args;

    buf_init(&text, 1 << 20);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    doc_set_text(entry, "would", buf_text(&text));
    doc_push(task->would, entry);
    buf_free(&text);
}

/* ---- looking ---- */

static void look_again(void *ctx)
{
    struct kube_undo *task = ctx;

    task->timer = NULL;
    kube_undo_look(task);
}

bool kube_undo_unsettled(struct kube_undo *task)
{
    int64_t wait_ms = task->settle_ms - world_now_ms(task->kube->world);

    if (wait_ms <= 0 || task->plan)
        return false;
    if (task->looks > LOOKS_MAX - 5)
        task->looks = LOOKS_MAX - 5; /* this wait has its own bound */
    task->timer = timer_start(task->kube->world, wait_ms < SETTLE_STEP_MS ? wait_ms : SETTLE_STEP_MS, look_again, task);
    return true;
}

static void look_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_undo *task = ctx;

    (void)answer;
    if (err && err->status != 404) {
        kube_undo_end(task, UNDO_FAILED, err);
        return;
    }
    doc_clear(task->left); /* what was seen before counts no more */
    doc_clear(task->would);
    task->found(task, err ? NULL : body);
}

static struct kube_request task_request(struct kube_undo *task, const char *method, struct buf *path)
{
    kube_path(path, task->resource, task->namespace, task->name, NULL);
    return (struct kube_request){.method = method,
                                 .path = buf_text(path),
                                 .class = HTTP_READS,
                                 .repeat = HTTP_REPEAT_SAFE,
                                 .backward = true,
                                 .subject = task->what};
}

static void task_discovered(void *ctx, const struct err *err);

/* The kind may have come with a CRD after the last discovery; a kind that nobody serves has no objects. */
static void look_without_kind(struct kube_undo *task)
{
    if (!task->rediscovered) {
        task->rediscovered = true;
        kube_rediscover(task->kube);
        kube_discover(task->kube, task_discovered, task);
    } else {
        task->found(task, NULL);
    }
}

void kube_undo_look(struct kube_undo *task)
{
    struct err err = ERR_INIT;
    struct kube_request request;
    struct buf path;

    task->resource = kube_resource_find(task->kube, task->api_version, task->kind, &err);
    if (!task->resource) {
        look_without_kind(task);
        return;
    }
    if (++task->looks > LOOKS_MAX) {
        err_set(&err, ERR_CONFLICT, "it changes all the time; given up after %d looks", LOOKS_MAX);
        kube_undo_end(task, UNDO_FAILED, &err);
        return;
    }
    buf_init(&path, 4096);
    request = task_request(task, "GET", &path);
    kube_send(task->kube, &request, look_end, task);
    buf_free(&path);
}

static void task_discovered(void *ctx, const struct err *err)
{
    if (err)
        kube_undo_end(ctx, UNDO_FAILED, err);
    else
        kube_undo_look(ctx);
}

/* ---- changing ---- */

static void change_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_undo *task = ctx;

    (void)body;
    (void)answer;
    if (!err) {
        task->changed = true;
        kube_undo_look(task);
        return;
    }
    /* Refused because the object moved on, or the answer is lost: what it is now decides, not this answer. */
    if ((err->kind == ERR_CONFLICT || err->kind == ERR_MISSING || err->maybe_done) && ++task->failures < FAILURES_MAX) {
        task->applied = false;
        task->patched = false;
        task->timer = timer_start(task->kube->world, AGAIN_MS * (task->failures - 1), look_again, task);
        return;
    }
    kube_undo_end(task, UNDO_FAILED, err);
}

void kube_undo_change(struct kube_undo *task, const char *method, const char *content_type, struct doc *query,
                      struct doc *body)
{
    struct buf path;
    struct kube_request request;
    char *subject = mem_printf("%s %s", strcmp(method, "DELETE") == 0 ? "delete" : "restore", task->what);

    buf_init(&path, 4096);
    request = task_request(task, method, &path);
    request.content_type = content_type;
    request.query = query;
    request.body = body;
    request.class = HTTP_CHANGES;
    request.owner = task->owner;
    request.guarded = !doc_get(task->undo, "object"); /* all but kube.create name a uid or a resourceVersion */
    request.subject = subject;
    kube_send(task->kube, &request, change_end, task);
    doc_unref(query);
    doc_unref(body);
    buf_free(&path);
    free(subject);
}

/* ---- the beginning ---- */

static void task_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx,
                       void (*found)(struct kube_undo *task, const struct doc *live))
{
    struct kube_undo *task = mem_alloc(sizeof(*task));
    const struct doc *ref;

    task->kube = ctx;
    task->undo = doc_ref(request->undo);
    task->before = doc_ref(request->before);
    task->after = doc_ref(request->after);
    task->plan = request->plan;
    task->settle_ms = request->settle_ms;
    task->seen_settles = request->seen_settles;
    task->owner = request->owner;
    task->found = found;
    task->done = done;
    task->done_ctx = done_ctx;
    task->left = doc_array();
    task->would = doc_array();
    task->ours = doc_object();
    ref = doc_get(task->undo, "ref") ? doc_get(task->undo, "ref") : doc_get(task->undo, "object");
    task->api_version = doc_as_text(doc_get(ref, "apiVersion"), "");
    task->kind = doc_as_text(doc_get(ref, "kind"), "");
    if (doc_get(task->undo, "object"))
        ref = doc_get(ref, "metadata");
    task->namespace = doc_as_text(doc_get(ref, "namespace"), NULL);
    task->name = doc_as_text(doc_get(ref, "name"), "");
    task->uid = doc_as_text(doc_get(task->undo, "uid"), NULL);
    task->what = mem_printf("%s %s%s%s", task->kind, task->namespace ? task->namespace : "", task->namespace ? "/" : "",
                            task->name);
    kube_discover(task->kube, task_discovered, task);
}

static void delete_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    task_start(ctx, request, done, done_ctx, kube_undo_delete_found);
}

static void fields_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    task_start(ctx, request, done, done_ctx, kube_undo_fields_found);
}

static void create_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    task_start(ctx, request, done, done_ctx, kube_undo_create_found);
}

void kube_undo_handlers(struct kube *kube, struct undo_handler handlers[3])
{
    handlers[0] = (struct undo_handler){"kube.delete", delete_start, kube};
    handlers[1] = (struct undo_handler){"kube.fields", fields_start, kube};
    handlers[2] = (struct undo_handler){"kube.create", create_start, kube};
}
