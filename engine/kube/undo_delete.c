/*
 * kube.delete: an object that a run created goes away. Fields that others set on it since do not matter, but what
 * others put inside of it does; and another object of the same name is not ours to delete.
 */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

static bool managed_by_us(const struct doc *live)
{
    const struct doc *entries = doc_path(live, "metadata", "managedFields", NULL);

    for (size_t i = 0; i < doc_size(entries); i++) {
        if (strcmp(doc_as_text(doc_get(doc_at(entries, i), "manager"), ""), KUBE_MANAGER) == 0)
            return true;
    }
    return false;
}

/* By uid. Where a create's answer was lost there is none, or a late twin may have come under another one: then by
 * manager. */
static bool is_ours(const struct kube_undo *task, const struct doc *live)
{
    const char *uid = doc_as_text(doc_path(live, "metadata", "uid", NULL), "");

    if (task->uid && strcmp(task->uid, uid) == 0)
        return true;
    return (!task->uid || task->settle_ms > 0) && managed_by_us(live);
}

static void delete_send(struct kube_undo *task, const struct doc *live)
{
    struct doc *body = doc_object(), *preconditions = doc_object();

    doc_set_text(body, "kind", "DeleteOptions");
    doc_set_text(body, "apiVersion", "v1");
    doc_set_text(preconditions, "uid", doc_path_text(live, "metadata", "uid", NULL));
    doc_set(body, "preconditions", preconditions);
    doc_set_text(body, "propagationPolicy", "Background");
    kube_undo_change(task, "DELETE", NULL, NULL, body);
}

struct looking_inside {
    struct kube_undo *task;
    struct doc *live;
};

static void inside_seen(void *ctx, struct doc *foreign, const struct err *err)
{
    struct looking_inside inside = *(struct looking_inside *)ctx;
    struct kube_undo *task = inside.task;

    free(ctx);
    if (err) {
        kube_undo_end(task, UNDO_FAILED, err);
    } else if (doc_size(foreign)) {
        for (size_t i = 0; i < doc_size(foreign); i++)
            doc_push(task->left, doc_ref(doc_at(foreign, i)));
        kube_undo_left(task, NULL, NULL, NULL);
        kube_undo_end(task, UNDO_FOREIGN, NULL);
    } else if (task->plan) {
        kube_undo_would(task, "delete %s", task->what);
        kube_undo_end(task, UNDO_DONE, NULL);
    } else {
        delete_send(task, inside.live);
    }
    doc_unref(foreign);
    doc_unref(inside.live);
}

static void gone_end(void *ctx, const struct err *err)
{
    struct kube_undo *task = ctx;

    if (err) {
        kube_undo_end(task, UNDO_FAILED, err);
        return;
    }
    task->changed = true;
    kube_undo_look(task);
}

void kube_undo_gone(struct kube_undo *task, const struct doc *live)
{
    kube_gone_wait(task->kube, task->resource, task->namespace, task->name,
                   doc_as_text(doc_path(live, "metadata", "uid", NULL), ""), gone_end, task);
}

void kube_undo_delete_found(struct kube_undo *task, const struct doc *live)
{
    struct looking_inside *inside;
    struct doc *now;

    if (!live) {
        if ((task->changed && task->seen_settles) || !kube_undo_unsettled(task))
            kube_undo_end(task, task->changed ? UNDO_DONE : UNDO_ALREADY, NULL);
    } else if (!is_ours(task, live)) {
        now = doc_text("another object of this name");
        kube_undo_left(task, NULL, NULL, now);
        doc_unref(now);
        kube_undo_end(task, UNDO_FOREIGN, NULL);
    } else if (doc_path(live, "metadata", "deletionTimestamp", NULL) && !task->plan) {
        kube_undo_gone(task, live);
    } else if (kube_is_container(live)) {
        inside = mem_alloc(sizeof(*inside));
        *inside = (struct looking_inside){task, doc_ref(live)};
        kube_inside_look(task->kube, live, inside_seen, inside);
    } else if (task->plan) {
        kube_undo_would(task, "delete %s", task->what);
        kube_undo_end(task, UNDO_DONE, NULL);
    } else {
        delete_send(task, live);
    }
}
