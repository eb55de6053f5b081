/*
 * kube.delete: an object that a run created goes away. What others added to it since does not matter; but where they
 * changed a field that the run had set it stays, and so it does when others put something inside of it. Another object
 * of the same name is not ours to delete.
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

struct changed_since {
    struct kube_undo *task;
    const struct doc *live;
};

/* A field as the run set it, and as it is now. */
static void field_seen(void *ctx, const struct doc *place, struct doc *const values[KUBE_SIDES_MAX])
{
    const struct changed_since *since = ctx;
    const char *owner;
    struct buf text;

    if (!values[0] || doc_equal(values[0], values[1]))
        return;
    owner = kube_place_owner(since->live, place, KUBE_MANAGER);
    if (values[1] && !owner)
        return; /* a later act of ours */
    buf_init(&text, 64 << 10);
    kube_place_text(&text, place);
    kube_undo_left(since->task, buf_text(&text), owner, values[1]);
    buf_free(&text);
}

/* Lists the fields that the run set and others have changed; true when there are any. */
static bool changed_by_others(struct kube_undo *task, const struct doc *live)
{
    struct doc *applied = doc_get(task->undo, "applied"), *copy;
    struct changed_since since = {task, live};

    if (!applied)
        return false;
    copy = doc_copy(live);
    kube_walk((struct doc *[]){applied, copy}, 2, false, field_seen, &since);
    doc_unref(copy);
    return doc_size(task->left) > 0;
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
    } else if (changed_by_others(task, live)) {
        kube_undo_end(task, UNDO_FOREIGN, NULL);
    } else if (kube_is_container(live)) {
        inside = mem_alloc(sizeof(*inside));
        *inside = (struct looking_inside){task, doc_ref(live)};
        kube_inside_look(task->kube, live, task->plan, inside_seen, inside);
    } else if (task->plan) {
        kube_undo_would(task, "delete %s", task->what);
        kube_undo_end(task, UNDO_DONE, NULL);
    } else {
        delete_send(task, live);
    }
}
