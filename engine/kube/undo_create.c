/* kube.create: an object that a run deleted comes back, by server-side apply as dosrun. */
#include "kube/inside.h"

void kube_undo_create_found(struct kube_undo *task, const struct doc *live)
{
    const struct doc *applied = doc_get(task->undo, "applied");
    struct doc *query, *body;
    struct err err = ERR_INIT;

    if (live && !doc_path(live, "metadata", "deletionTimestamp", NULL)) {
        /* A deletion whose answer was lost may still come. */
        if (task->changed || !kube_undo_unsettled(task))
            kube_undo_end(task, task->changed ? UNDO_DONE : UNDO_ALREADY, NULL);
        return;
    }
    if (!task->resource) {
        kube_resource_find(task->kube, task->api_version, task->kind, &err);
        kube_undo_end(task, UNDO_FAILED, &err);
        return;
    }
    if (task->plan) {
        kube_undo_would(task, "create %s again", task->what);
        kube_undo_end(task, UNDO_DONE, NULL);
        return;
    }
    if (live) {
        kube_undo_gone(task, live);
        return;
    }
    body = applied ? doc_copy(applied) : kube_object_trim(doc_get(task->undo, "object"), false);
    query = doc_object();
    doc_set_text(query, "fieldManager", KUBE_MANAGER);
    kube_undo_change(task, "PATCH", "application/apply-patch+yaml", query, body);
}
