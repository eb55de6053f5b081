/*
 * kube.fields: an object that a run changed gets its former fields back, where they still are as the run left them.
 *
 * Three versions of each field decide: before the run, after it, and now. Now as before: nothing to do. Now as after:
 * restored. Anything else was written by somebody since: it stays and is listed with its manager. Fields that the run
 * never owned (a controller's) do not concern it.
 *
 * What the run took from another manager goes back first, by a patch under that manager's name; only then the former
 * set of our own fields is applied again, whereupon the server drops the rest. In this order no state in between looks
 * like somebody else's work: a run that is interrupted here just looks again. Each write carries the resourceVersion it
 * was decided on, so a race is a 409 and another look.
 */
#include "kube/inside.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

/* A server may take a patch and not keep it (admission): that ends, too. */
enum { PATCHES_MAX = 8 };

/* What one look decides. */
struct decision {
    struct kube_undo *task;
    const struct doc *live;
    struct doc *owned;    /* what dosrun owns by Apply now, or NULL */
    struct doc *body;     /* the set to apply */
    struct doc *restores; /* array of {place, value?, manager?} */
};

static bool place_is(const struct doc *place, const char *first, const char *second)
{
    return doc_size(place) == 2 && strcmp(doc_as_text(doc_at(place, 0), ""), first) == 0 &&
           strcmp(doc_as_text(doc_at(place, 1), ""), second) == 0;
}

static bool owned_by_us(const struct doc *object, const struct doc *place)
{
    struct buf pointer;
    bool owned;

    buf_init(&pointer, 64 << 10);
    owned = object && kube_place_pointer(object, place, &pointer) &&
            kube_fields_owned_by(object, buf_text(&pointer), KUBE_MANAGER);
    buf_free(&pointer);
    return owned;
}

/* Was it the run that made this field different from before? */
static bool changed_by_us(const struct decision *decision, const struct doc *place, struct doc *const values[])
{
    const struct kube_undo *task = decision->task;
    const struct doc *before = values[0], *after = values[1], *live = values[2];

    if (!task->after) /* the answer was lost: what dosrun owns now, or owned and dropped, counts as its work */
        return !doc_equal(live, before) &&
               (owned_by_us(decision->live, place) || (!live && kube_place_get(doc_get(task->undo, "applied"), place)));
    if (doc_equal(after, before))
        return false;
    if (!after)
        return kube_place_get(doc_get(task->undo, "applied"), place) || owned_by_us(task->before, place);
    if (doc_path(task->after, "metadata", "managedFields", NULL))
        return owned_by_us(task->after, place);
    return !doc_equal(live, after) || owned_by_us(decision->live, place) ||
           !kube_place_owner(decision->live, place, NULL);
}

/* The body says what is now, or nothing, about a field that is not to be changed. */
static void body_keep(struct decision *decision, const struct doc *place, const struct doc *now)
{
    if (now && kube_place_get(decision->owned, place))
        kube_place_set(decision->body, place, now);
    else if (kube_place_get(decision->body, place))
        kube_place_remove(decision->body, place);
}

static void restore_add(struct decision *decision, const struct doc *place, const struct doc *before)
{
    struct doc *restore = doc_object();

    doc_set(restore, "place", doc_copy(place));
    if (before) {
        doc_set(restore, "value", doc_copy(before));
        doc_set_text(restore, "manager", kube_place_owner(decision->task->before, place, KUBE_MANAGER));
    }
    doc_push(decision->restores, restore);
}

static void field_left(struct decision *decision, const char *path, const struct doc *place, const struct doc *now)
{
    struct buf pointer;
    char *manager = NULL;

    buf_init(&pointer, 64 << 10);
    if (now && kube_place_pointer(decision->live, place, &pointer))
        manager = kube_fields_manager(decision->live, buf_text(&pointer));
    kube_undo_left(decision->task, path, manager, now);
    free(manager);
    buf_free(&pointer);
}

static void field_decide(void *ctx, const struct doc *place, struct doc *const values[KUBE_SIDES_MAX])
{
    struct decision *decision = ctx;
    struct kube_undo *task = decision->task;
    const struct doc *before = values[0], *after = task->after ? values[1] : values[2], *live = values[2];
    const char *taken;
    struct buf path;

    if (task->scaled && place_is(place, "spec", "replicas")) {
        body_keep(decision, place, live);
        return;
    }
    buf_init(&path, 64 << 10);
    kube_place_text(&path, place);
    if (!doc_get(task->ours, buf_text(&path)) && !changed_by_us(decision, place, values)) {
        if (!doc_equal(live, before))
            body_keep(decision, place, live);
    } else if (!doc_equal(live, before)) {
        /* The value may be as the run left it and yet be another manager's by now. */
        taken = live && task->after ? kube_place_owner(decision->live, place, KUBE_MANAGER) : NULL;
        if (doc_get(task->ours, buf_text(&path)) || (doc_equal(live, after) && !taken)) {
            doc_set_bool(task->ours, buf_text(&path), true);
            restore_add(decision, place, before);
        } else {
            field_left(decision, buf_text(&path), place, live);
            body_keep(decision, place, live);
        }
    }
    buf_free(&path);
}

static void decide(struct decision *decision)
{
    struct kube_undo *task = decision->task;
    struct doc *sides[3] = {kube_object_trim(task->before, false),
                            task->after ? kube_object_trim(task->after, false) : NULL,
                            kube_object_trim(decision->live, false)};
    const struct doc *applied = doc_get(task->undo, "applied");
    struct doc *metadata;

    decision->owned = kube_fields_applied(decision->live, KUBE_MANAGER);
    decision->restores = doc_array();
    if (doc_is(applied, DOC_OBJECT)) {
        decision->body = doc_copy(applied);
    } else {
        decision->body = doc_object();
        metadata = doc_object();
        doc_set_text(decision->body, "apiVersion", task->api_version);
        doc_set_text(decision->body, "kind", task->kind);
        doc_set_text(metadata, "name", task->name);
        doc_set_text(metadata, "namespace", task->namespace);
        doc_set(decision->body, "metadata", metadata);
    }
    kube_walk(sides, 3, false, field_decide, decision);
    for (size_t i = 0; i < 3; i++)
        doc_unref(sides[i]);
}

static void decision_clear(struct decision *decision)
{
    doc_unref(decision->owned);
    doc_unref(decision->body);
    doc_unref(decision->restores);
}

/* ---- the patch that gives fields back ---- */

/* The part of the place that is there already, and one step more. */
static struct doc *place_head(const struct doc *place, const char *pointer)
{
    struct doc *head = doc_array();
    size_t steps = 0;

    for (const char *at = pointer; *at; at++)
        steps += *at == '/';
    for (size_t i = 0; i < steps; i++)
        doc_push(head, doc_ref(doc_at(place, i)));
    return head;
}

static void op_add(struct doc *patch, const char *op, const char *pointer, const struct doc *value)
{
    struct doc *entry = doc_object();

    doc_set_text(entry, "op", op);
    doc_set_text(entry, "path", pointer);
    if (value)
        doc_set(entry, "value", doc_copy(value));
    doc_push(patch, entry);
}

static void value_op_add(struct doc *patch, struct doc *seen, const struct doc *live, const struct doc *target,
                         const struct doc *place)
{
    struct buf pointer, path;
    struct doc *head;
    bool there;

    buf_init(&pointer, 64 << 10);
    buf_init(&path, 64 << 10);
    there = kube_place_pointer(live, place, &pointer);
    head = place_head(place, buf_text(&pointer));
    kube_place_text(&path, head);
    if (!doc_get(seen, buf_text(&path))) /* two fields of one element that lacks are one operation */
        op_add(patch, there ? "replace" : "add", buf_text(&pointer), kube_place_get(target, head));
    doc_set_bool(seen, buf_text(&path), true);
    doc_unref(head);
    buf_free(&pointer);
    buf_free(&path);
}

/* Removes the widest container that was not there before. */
static void remove_op_add(struct doc *patch, struct doc *seen, const struct doc *live, const struct doc *before,
                          const struct doc *place)
{
    struct doc *head = doc_array();
    struct buf pointer, path;

    buf_init(&pointer, 64 << 10);
    buf_init(&path, 64 << 10);
    for (size_t i = 0; i < doc_size(place) && kube_place_get(before, head); i++)
        doc_push(head, doc_ref(doc_at(place, i)));
    kube_place_text(&path, head);
    if (!doc_get(seen, buf_text(&path)) && kube_place_pointer(live, head, &pointer)) {
        struct doc *removal = doc_object();

        doc_set_text(removal, "op", "remove");
        doc_set_text(removal, "path", buf_text(&pointer));
        doc_insert_at(patch, 1, removal); /* backwards, so that indices still fit; after the resourceVersion */
    }
    doc_set_bool(seen, buf_text(&path), true);
    doc_unref(head);
    buf_free(&pointer);
    buf_free(&path);
}

/* All restores of one manager (NULL: all that are left, under our own name). */
static struct doc *patch_build(const struct decision *decision, const char *manager)
{
    struct doc *patch = doc_array(), *seen = doc_object(), *target = doc_copy(decision->live);

    op_add(patch, "replace", "/metadata/resourceVersion",
           doc_path(decision->live, "metadata", "resourceVersion", NULL));
    for (int phase = 0; phase < 3;
         phase++) { /* all values into the target first, then operations, removals before them */
        for (size_t i = 0; i < doc_size(decision->restores); i++) {
            const struct doc *restore = doc_at(decision->restores, i), *value = doc_get(restore, "value");
            const struct doc *place = doc_get(restore, "place");

            if (manager && strcmp(doc_as_text(doc_get(restore, "manager"), ""), manager) != 0)
                continue;
            if (phase == 0 && value)
                kube_place_set(target, place, value);
            else if (phase == 1 && value)
                value_op_add(patch, seen, decision->live, target, place);
            else if (phase == 2 && !value)
                remove_op_add(patch, seen, decision->live, decision->task->before, place);
        }
    }
    doc_unref(target);
    doc_unref(seen);
    return patch;
}

/* A former manager who is still to get something back that applying our former set does not restore. */
static const char *manager_waiting(const struct decision *decision)
{
    const struct doc *applied = doc_get(decision->task->undo, "applied");

    for (size_t i = 0; i < doc_size(decision->restores); i++) {
        const struct doc *restore = doc_at(decision->restores, i);
        const char *manager = doc_path_text(restore, "manager", NULL);

        if (manager && !kube_place_get(applied, doc_get(restore, "place")))
            return manager;
    }
    return NULL;
}

static void patch_send(struct decision *decision, const char *manager)
{
    struct doc *query = doc_object();

    doc_set_text(query, "fieldManager", manager ? manager : KUBE_MANAGER);
    kube_undo_change(decision->task, "PATCH", "application/json-patch+json", query, patch_build(decision, manager));
}

/* ---- steps ---- */

static void apply_send(struct decision *decision)
{
    struct doc *query = doc_object(), *metadata = doc_get(decision->body, "metadata");
    const struct doc *live = doc_get(decision->live, "metadata");

    doc_set_text(query, "fieldManager", KUBE_MANAGER);
    doc_set(metadata, "resourceVersion", doc_ref(doc_get(live, "resourceVersion")));
    doc_set(metadata, "uid", doc_ref(doc_get(live, "uid")));
    decision->task->applied = true;
    kube_undo_change(decision->task, "PATCH", "application/apply-patch+yaml", query, doc_ref(decision->body));
}

static void restores_tell(const struct decision *decision, struct buf *out, bool values)
{
    for (size_t i = 0; i < doc_size(decision->restores); i++) {
        const struct doc *restore = doc_at(decision->restores, i), *value = doc_get(restore, "value");

        buf_add_text(out, i ? ", " : "");
        kube_place_text(out, doc_get(restore, "place"));
        if (values && value) {
            buf_add_text(out, " to ");
            json_add(out, value, JSON_COMPACT);
        } else if (values) {
            buf_add_text(out, " to nothing");
        }
    }
}

static void fields_plan(struct decision *decision)
{
    struct kube_undo *task = decision->task;
    struct buf text;

    buf_init(&text, 1 << 20);
    restores_tell(decision, &text, true);
    if (text.len)
        kube_undo_would(task, "restore of %s: %s", task->what, buf_text(&text));
    buf_free(&text);
    kube_undo_end(task, doc_size(task->left) ? UNDO_FOREIGN : doc_size(task->would) ? UNDO_DONE : UNDO_ALREADY, NULL);
}

static void fields_end(struct decision *decision)
{
    struct kube_undo *task = decision->task;
    struct err err = ERR_INIT;
    struct buf text;

    if (doc_size(decision->restores)) {
        buf_init(&text, sizeof(err.message));
        restores_tell(decision, &text, false);
        err_set(&err, ERR_CONFLICT, "the server took the restored fields but did not keep them: %s", buf_text(&text));
        buf_free(&text);
        kube_undo_end(task, UNDO_FAILED, &err);
        return;
    }
    kube_undo_end(task, doc_size(task->left) ? UNDO_FOREIGN : task->changed ? UNDO_DONE : UNDO_ALREADY, NULL);
}

/* Would applying the body change what dosrun owns? */
static bool body_differs(const struct decision *decision)
{
    if (!decision->owned)
        return doc_is(doc_get(decision->task->undo, "applied"), DOC_OBJECT);
    return !doc_equal(decision->owned, decision->body);
}

static void step_take(struct decision *decision)
{
    struct kube_undo *task = decision->task;
    const char *manager = manager_waiting(decision);

    if (task->plan) {
        fields_plan(decision);
    } else if (manager && task->given_back++ < PATCHES_MAX) {
        patch_send(decision, manager);
    } else if (!task->applied && body_differs(decision)) {
        apply_send(decision);
    } else if (doc_size(decision->restores) && !task->patched) {
        task->patched = true;
        patch_send(decision, NULL);
    } else {
        fields_end(decision);
    }
}

/* ---- autoscalers ---- */

struct scaling {
    struct kube_undo *task;
    struct doc *live;
};

static void scalers_listed(void *ctx, struct doc *items, const char *resource_version, const struct err *err)
{
    struct scaling scaling = *(struct scaling *)ctx;
    struct kube_undo *task = scaling.task;

    (void)resource_version;
    (void)err; /* who may not list autoscalers restores replicas like any other field */
    free(ctx);
    for (size_t i = 0; i < doc_size(items); i++) {
        const struct doc *target = doc_path(doc_at(items, i), "spec", "scaleTargetRef", NULL);

        if (strcmp(doc_as_text(doc_get(target, "kind"), ""), task->kind) == 0 &&
            strcmp(doc_as_text(doc_get(target, "name"), ""), task->name) == 0)
            task->scaled = true;
    }
    task->scale_known = true;
    kube_undo_fields_found(task, scaling.live);
    doc_unref(scaling.live);
}

/* True when the autoscalers are asked first: what they scale has replicas that are theirs. */
static bool scalers_ask(struct kube_undo *task, const struct doc *live)
{
    const struct kube_resource *resource;
    struct scaling *scaling;
    struct err ignored = ERR_INIT;

    if (task->scale_known || !doc_path(live, "spec", "replicas", NULL))
        return false;
    resource = kube_resource_find(task->kube, NULL, "horizontalpodautoscalers.autoscaling", &ignored);
    if (!resource)
        return false;
    scaling = mem_alloc(sizeof(*scaling));
    *scaling = (struct scaling){task, doc_ref(live)};
    kube_list_start(task->kube, resource, task->namespace, true, scalers_listed, scaling);
    return true;
}

void kube_undo_fields_found(struct kube_undo *task, const struct doc *live)
{
    struct decision decision = {.task = task, .live = live};
    const char *uid = doc_path_text(live, "metadata", "uid", NULL);
    struct doc *now;

    if (!live && kube_undo_unsettled(task))
        return;
    if (!live || (task->uid && uid && strcmp(task->uid, uid) != 0) ||
        doc_path(live, "metadata", "deletionTimestamp", NULL)) {
        now = doc_text(!live                                                   ? "gone"
                       : doc_path(live, "metadata", "deletionTimestamp", NULL) ? "being deleted"
                                                                               : "another object of this name");
        kube_undo_left(task, NULL, NULL, now);
        doc_unref(now);
        kube_undo_end(task, UNDO_FOREIGN, NULL);
        return;
    }
    if (scalers_ask(task, live))
        return;
    decide(&decision);
    step_take(&decision);
    decision_clear(&decision);
}
