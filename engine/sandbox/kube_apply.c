/*
 * managedFields and server-side apply: who owns which field after a write, what an apply changes,
 * drops and disputes. Source: see kube_fields.h.
 */
#include "sandbox/kube_cluster.h"
#include "sandbox/kube_fields.h"

#include <stdlib.h>
#include <string.h>

/* One entry of metadata.managedFields. */
struct manager {
    char *name, *version, *subresource, *time;
    bool apply;
    struct doc *set;
};

struct managers {
    struct manager *list;
    size_t len;
};

static void managers_clear(struct managers *managers)
{
    for (size_t i = 0; i < managers->len; i++) {
        free(managers->list[i].name);
        free(managers->list[i].version);
        free(managers->list[i].subresource);
        free(managers->list[i].time);
        doc_unref(managers->list[i].set);
    }
    free(managers->list);
    *managers = (struct managers){0};
}

static struct manager *manager_add(struct managers *managers, const char *name, bool apply, const char *version,
                                   const char *subresource)
{
    managers->list = mem_grow(managers->list, managers->len + 1, sizeof(struct manager));
    managers->list[managers->len] = (struct manager){.name = mem_text(name),
                                                     .version = mem_text(version),
                                                     .subresource = mem_text(subresource),
                                                     .apply = apply,
                                                     .set = doc_object()};
    return &managers->list[managers->len++];
}

/* false: an entry is not of the known form, and the whole list counts as empty */
static bool managers_read(struct managers *managers, const struct doc *list)
{
    for (size_t i = 0; i < doc_size(list); i++) {
        const struct doc *entry = doc_at(list, i);
        const char *operation = doc_as_text(doc_get(entry, "operation"), "");
        bool apply = strcmp(operation, "Apply") == 0;

        if ((!apply && strcmp(operation, "Update") != 0) || !*doc_as_text(doc_get(entry, "apiVersion"), "") ||
            strcmp(doc_as_text(doc_get(entry, "fieldsType"), ""), "FieldsV1") != 0) {
            managers_clear(managers);
            return false;
        }
        struct manager *manager =
            manager_add(managers, doc_as_text(doc_get(entry, "manager"), ""), apply,
                        doc_as_text(doc_get(entry, "apiVersion"), ""), doc_as_text(doc_get(entry, "subresource"), ""));
        manager->time = mem_text(doc_as_text(doc_get(entry, "time"), NULL));
        if (doc_get(entry, "fieldsV1")) {
            doc_unref(manager->set);
            manager->set = doc_ref(doc_get(entry, "fieldsV1"));
        }
    }
    return true;
}

static int manager_order(const void *a, const void *b)
{
    const struct manager *left = a, *right = b;
    int order;

    if (left->apply != right->apply)
        return left->apply ? -1 : 1;
    if ((order = strcmp(left->time ? left->time : "", right->time ? right->time : "")) != 0)
        return order;
    if ((order = strcmp(left->name, right->name)) != 0)
        return order;
    if ((order = strcmp(left->version, right->version)) != 0)
        return order;
    return strcmp(left->subresource, right->subresource);
}

static void managers_write(struct managers *managers, struct doc *object)
{
    struct doc *list = doc_array();

    if (managers->len)
        qsort(managers->list, managers->len, sizeof(struct manager), manager_order);
    for (size_t i = 0; i < managers->len; i++) {
        const struct manager *manager = &managers->list[i];
        struct doc *entry = doc_object();

        if (*manager->name)
            doc_set_text(entry, "manager", manager->name);
        doc_set_text(entry, "operation", manager->apply ? "Apply" : "Update");
        doc_set_text(entry, "apiVersion", manager->version);
        doc_set_text(entry, "time", manager->time);
        doc_set_text(entry, "fieldsType", "FieldsV1");
        doc_set(entry, "fieldsV1", doc_ref(manager->set));
        if (*manager->subresource)
            doc_set_text(entry, "subresource", manager->subresource);
        doc_push(list, entry);
    }
    doc_set(doc_get(object, "metadata"), "managedFields", doc_size(list) ? doc_ref(list) : NULL);
    doc_unref(list);
}

/* The object without its managedFields; everything below is shared. */
static struct doc *bare_copy(const struct doc *object)
{
    struct doc *out = doc_object();

    DOC_EACH(member, object)
    {
        if (strcmp(member.key, "metadata") != 0) {
            doc_set(out, member.key, doc_ref(member.value));
            continue;
        }
        struct doc *metadata = doc_object();
        DOC_EACH(field, member.value)
        if (strcmp(field.key, "managedFields") != 0)
            doc_set(metadata, field.key, doc_ref(field.value));
        doc_set(out, "metadata", metadata);
    }
    return out;
}

bool managed_same(const struct doc *a, const struct doc *b)
{
    struct managers left = {0}, right = {0};
    bool same;

    managers_read(&left, doc_path(a, "metadata", "managedFields", NULL));
    managers_read(&right, doc_path(b, "metadata", "managedFields", NULL));
    same = left.len == right.len;
    for (size_t i = 0; same && i < left.len; i++) {
        const struct manager *one = &left.list[i], *other = NULL;

        for (size_t j = 0; j < right.len && !other; j++)
            if (strcmp(one->name, right.list[j].name) == 0 && one->apply == right.list[j].apply &&
                strcmp(one->subresource, right.list[j].subresource) == 0 &&
                strcmp(one->version, right.list[j].version) == 0)
                other = &right.list[j];
        same = other && fieldset_equal(one->set, other->set);
    }
    managers_clear(&left);
    managers_clear(&right);
    return same;
}

/* What no manager ever owns. */
static struct doc *strip_metadata(struct doc *take)
{
    static const char *const fields[] = {
        "f:name",        "f:namespace",  "f:creationTimestamp", "f:selfLink",        "f:uid",
        "f:clusterName", "f:generation", "f:managedFields",     "f:resourceVersion", "."};
    struct doc *out = doc_object();

    DOC_EACH(member, take)
    {
        if (strcmp(member.key, "f:apiVersion") == 0 || strcmp(member.key, "f:kind") == 0)
            continue;
        struct doc *child = doc_ref(member.value);
        if (strcmp(member.key, "f:metadata") == 0) {
            doc_unref(child);
            child = doc_object();
            DOC_EACH(field, member.value)
            {
                bool keep = true;

                for (size_t i = 0; keep && i < sizeof(fields) / sizeof(*fields); i++)
                    keep = strcmp(field.key, fields[i]) != 0 || (doc_size(field.value) && !doc_get(field.value, "."));
                if (keep)
                    doc_set(child, field.key, doc_ref(field.value));
            }
            if (doc_size(child) == 0) {
                doc_unref(child);
                continue;
            }
        }
        doc_set(out, member.key, child);
    }
    doc_unref(take);
    return out;
}

/* Without what this endpoint does not write: status on the main one, all else on status. */
static struct doc *filter_reset(const struct write *write, struct doc *take)
{
    bool status = strcmp(write->subresource, "status") == 0;

    if (!write->resource->status && !status)
        return take;
    struct doc *out = doc_object();
    DOC_EACH(member, take)
    {
        bool reset = status ? strcmp(member.key, "f:spec") == 0 : strcmp(member.key, "f:status") == 0;

        if (!reset)
            doc_set(out, member.key, doc_ref(member.value));
    }
    doc_unref(take);
    return out;
}

static void set_replace(struct doc **set, struct doc *take)
{
    doc_unref(*set);
    *set = take;
}

static char *version_of(const struct write *write)
{
    return *write->resource->group ? mem_printf("%s/%s", write->resource->group, write->version)
                                   : mem_text(write->version);
}

static void time_set(const struct write *write, struct manager *manager)
{
    char time[32];

    cluster_time(write->cluster, time);
    free(manager->time);
    manager->time = mem_text(time);
}

static struct doc *live_or_empty(const struct write *write, const struct doc *old)
{
    if (old)
        return bare_copy(old);
    struct doc *empty = write->resource->custom ? doc_object() : shape_empty(write->resource->shape);
    char *version = version_of(write);

    doc_set_text(empty, "apiVersion", version);
    doc_set_text(empty, "kind", write->resource->kind);
    free(version);
    return empty;
}

struct conflicts {
    struct doc *causes; /* of all managers */
    struct buf list, text;
    const char *manager;
    size_t count;
};

static void conflict_found(void *ctx, const char *path)
{
    struct conflicts *conflicts = ctx;
    struct doc *cause = doc_object();

    conflicts->count++;
    buf_reset(&conflicts->text);
    buf_addf(&conflicts->text, "conflict with %s", conflicts->manager);
    doc_set_text(cause, "reason", "FieldManagerConflict");
    doc_set_text(cause, "message", buf_text(&conflicts->text));
    doc_set_text(cause, "field", path);
    doc_push(conflicts->causes, cause);
    buf_addf(&conflicts->list, "\n- %s", path);
}

static char *manager_words(const struct manager *manager)
{
    struct buf out;

    buf_init(&out, 4096);
    buf_addf(&out, "\"%s\"", manager->name);
    if (*manager->subresource)
        buf_addf(&out, " with subresource \"%s\"", manager->subresource);
    if (!manager->apply)
        buf_addf(&out, " using %s", manager->version);
    return buf_take(&out);
}

/* The server orders managers by their identifier, the JSON of the entry: manager, operation, version. */
static int conflict_order(const void *a, const void *b)
{
    const struct manager *left = *(const struct manager *const *)a, *right = *(const struct manager *const *)b;
    int order = strcmp(left->name, right->name);

    if (order == 0)
        order = strcmp(left->apply ? "Apply" : "Update", right->apply ? "Apply" : "Update");
    if (order == 0)
        order = strcmp(left->apply ? "" : left->version, right->apply ? "" : right->version);
    return order ? order : strcmp(left->subresource, right->subresource);
}

/* disputed: for each manager the set that the apply would take from it. NULL when there is none. */
static struct doc *conflicts_status(struct managers *managers, struct doc *const *disputed)
{
    struct conflicts conflicts = {.causes = doc_array()};
    const struct manager **order = mem_array(managers->len + 1, sizeof(*order));
    struct doc *status = NULL;

    buf_init(&conflicts.list, 1 << 20);
    buf_init(&conflicts.text, 1 << 16);
    for (size_t i = 0; i < managers->len; i++)
        order[i] = &managers->list[i];
    if (managers->len)
        qsort(order, managers->len, sizeof(*order), conflict_order);
    for (size_t i = 0; i < managers->len; i++) {
        struct doc *set = disputed[order[i] - managers->list];

        if (!set || fieldset_empty(set))
            continue;
        char *words = manager_words(order[i]);
        conflicts.manager = words;
        buf_addf(&conflicts.list, "%sconflicts with %s:", conflicts.count ? "\n" : "", words);
        fieldset_each(set, conflict_found, &conflicts);
        free(words);
    }
    if (conflicts.count == 1) {
        const struct doc *cause = doc_at(conflicts.causes, 0);

        status = status_new(409, "Conflict", "Apply failed with 1 conflict: %s: %s",
                            doc_as_text(doc_get(cause, "message"), ""), doc_as_text(doc_get(cause, "field"), ""));
    } else if (conflicts.count) {
        status = status_new(409, "Conflict", "Apply failed with %zu conflicts: %s", conflicts.count,
                            buf_text(&conflicts.list));
    }
    if (status)
        doc_set(status_details(status), "causes", doc_ref(conflicts.causes));
    free(order);
    buf_free(&conflicts.list);
    buf_free(&conflicts.text);
    doc_unref(conflicts.causes);
    return status;
}

/* Takes from all others what `changes` gives to the writer. Returns a Status when that is disputed. */
static struct doc *others_lose(struct managers *managers, const struct manager *self,
                               const struct typed_changes *changes, bool force)
{
    struct doc **disputed = mem_array(managers->len + 1, sizeof(struct doc *)), *status = NULL;
    struct doc *taken = fieldset_union(changes->modified, changes->added);

    for (size_t i = 0; i < managers->len; i++)
        if (&managers->list[i] != self)
            disputed[i] = fieldset_intersection(managers->list[i].set, taken);
    if (!force)
        status = conflicts_status(managers, disputed);
    for (size_t i = 0; i < managers->len; i++) {
        struct manager *manager = &managers->list[i];

        if (!status && manager != self) {
            set_replace(&manager->set, fieldset_difference(manager->set, disputed[i]));
            set_replace(&manager->set, fieldset_difference(manager->set, changes->removed));
        }
        doc_unref(disputed[i]);
    }
    free(disputed);
    doc_unref(taken);
    return status;
}

static void managers_drop_empty(struct managers *managers)
{
    size_t kept = 0;

    for (size_t i = 0; i < managers->len; i++) {
        struct manager *manager = &managers->list[i];

        if (!fieldset_empty(manager->set)) {
            managers->list[kept++] = *manager;
            continue;
        }
        free(manager->name);
        free(manager->version);
        free(manager->subresource);
        free(manager->time);
        doc_unref(manager->set);
    }
    managers->len = kept;
}

static struct manager *manager_find(struct managers *managers, const char *name, bool apply, const char *version,
                                    const char *subresource)
{
    for (size_t i = 0; i < managers->len; i++) {
        struct manager *manager = &managers->list[i];

        if (manager->apply == apply && strcmp(manager->name, name) == 0 &&
            strcmp(manager->subresource, subresource) == 0 && (apply || strcmp(manager->version, version) == 0))
            return manager;
    }
    return NULL;
}

static void filter_changes(const struct write *write, struct typed_changes *changes)
{
    changes->added = filter_reset(write, changes->added);
    changes->removed = filter_reset(write, changes->removed);
    changes->modified = filter_reset(write, changes->modified);
}

/* One write that is not an apply: what it changed is the writer's. */
static void update_step(struct write *write, struct managers *managers, const char *name, const struct doc *before,
                        const struct doc *after)
{
    struct typed_changes changes;
    char *version = version_of(write);

    typed_compare(write->resource->shape, before, after, &changes);
    filter_changes(write, &changes);
    doc_unref(others_lose(managers, NULL, &changes, true));
    struct doc *won = strip_metadata(fieldset_union(changes.modified, changes.added));
    managers_drop_empty(managers);
    if (!fieldset_empty(won)) {
        struct manager *manager = manager_find(managers, name, false, version, write->subresource);

        if (!manager)
            manager = manager_add(managers, name, false, version, write->subresource);
        set_replace(&manager->set, fieldset_union(manager->set, won));
        time_set(write, manager);
    }
    doc_unref(won);
    typed_changes_clear(&changes);
    free(version);
}

static bool managed_reset(const struct doc *list)
{
    return doc_size(list) == 1 && doc_size(doc_at(list, 0)) == 0;
}

void managed_update(struct write *write, const struct doc *old, struct doc *object)
{
    const struct doc *given = doc_path(object, "metadata", "managedFields", NULL);
    struct managers managers = {0};
    bool reset = !*write->subresource &&
                 (managed_reset(given) || (given && doc_is(given, DOC_ARRAY) && old && !doc_size(given)));

    if (!reset) {
        if (*write->subresource || !managers_read(&managers, given) || managers.len == 0)
            managers_read(&managers, doc_path(old, "metadata", "managedFields", NULL));
    }
    if (managers.len || !old) {
        struct doc *before = live_or_empty(write, old), *after = bare_copy(object);

        update_step(write, &managers, write->manager, before, after);
        doc_unref(before);
        doc_unref(after);
    }
    managers_write(&managers, object);
    managers_clear(&managers);
}

/* ---- apply ---- */

/* Everything that any manager owns. */
static struct doc *owned_by_all(const struct managers *managers)
{
    struct doc *all = doc_object();

    for (size_t i = 0; i < managers->len; i++)
        set_replace(&all, fieldset_union(all, managers->list[i].set));
    return all;
}

static struct doc *fields_named(const struct shape *shape, const struct doc *value)
{
    struct doc *fields = typed_fields(shape, value), *named = fieldset_named(fields, shape);

    doc_unref(fields);
    return named;
}

/* Removes from merged what the last apply of this manager set, this one left out and nobody else owns. */
static struct doc *prune(const struct shape *shape, struct doc *merged, const struct managers *managers,
                         const struct doc *last)
{
    struct doc *last_named = fieldset_named(last, shape);
    struct doc *pruned = typed_remove(shape, merged, last_named);
    struct doc *all = owned_by_all(managers), *all_named = fieldset_named(all, shape);
    struct doc *merged_set = fields_named(shape, merged), *pruned_set = fields_named(shape, pruned);
    struct doc *keep = fieldset_union(pruned_set, all_named), *gone = fieldset_difference(merged_set, keep);

    set_replace(&pruned, typed_remove(shape, merged, gone));
    set_replace(&pruned_set, fields_named(shape, pruned));
    set_replace(&gone, fieldset_difference(merged_set, pruned_set));
    set_replace(&gone, fieldset_intersection(gone, last_named));
    set_replace(&pruned, typed_remove(shape, merged, gone));
    doc_unref(last_named);
    doc_unref(all);
    doc_unref(all_named);
    doc_unref(merged_set);
    doc_unref(pruned_set);
    doc_unref(keep);
    doc_unref(gone);
    doc_unref(merged);
    return pruned;
}

static bool apply_checked(struct write *write, const struct doc *config)
{
    struct doc *errors = doc_array();
    size_t count = typed_check(write->resource->shape, config, errors);
    bool fine = count == 0;

    if (!fine) {
        struct buf text;

        buf_init(&text, 1 << 16);
        buf_addf(
            &text, "failed to create typed patch object (%s/%s; %s%s, Kind=%s): ",
            doc_path_text(config, "metadata", "namespace", NULL) ? doc_path_text(config, "metadata", "namespace", NULL)
                                                                 : "",
            doc_path_text(config, "metadata", "name", NULL) ? doc_path_text(config, "metadata", "name", NULL) : "",
            *write->resource->group ? "" : "/", doc_as_text(doc_get(config, "apiVersion"), ""), write->resource->kind);
        if (count > 1)
            buf_add_text(&text, "errors:");
        for (size_t i = 0; i < count; i++)
            buf_addf(&text, "%s%s", count > 1 ? "\n  " : "", doc_as_text(doc_at(errors, i), ""));
        write_fail(write, status_new(500, "", "%s", buf_text(&text)));
        buf_free(&text);
    }
    doc_unref(errors);
    return fine;
}

/* An object without managedFields: what it has is kept under a name of its own. */
static void before_first_apply(struct write *write, struct managers *managers, const struct doc *live)
{
    struct doc *empty = live_or_empty(write, NULL);
    const char *subresource = write->subresource;

    write->subresource = "";
    update_step(write, managers, "before-first-apply", empty, live);
    write->subresource = subresource;
    doc_unref(empty);
}

struct doc *managed_apply(struct write *write, const struct doc *old, const struct doc *config)
{
    const struct shape *shape = write->resource->shape;
    struct managers managers = {0};
    struct typed_changes changes;

    if (!apply_checked(write, config))
        return NULL;
    struct doc *live = live_or_empty(write, old);
    managers_read(&managers, doc_path(old, "metadata", "managedFields", NULL));
    if (old && managers.len == 0)
        before_first_apply(write, &managers, live);
    struct doc *merged = typed_merge(shape, live, config);
    char *version = version_of(write);
    struct manager *self = manager_find(&managers, write->manager, true, version, write->subresource);
    struct doc *last = self ? doc_ref(self->set) : NULL;
    if (!self)
        self = manager_add(&managers, write->manager, true, version, write->subresource);
    free(self->version);
    self->version = version;
    set_replace(&self->set, filter_reset(write, typed_fields(shape, config)));
    if (last && !fieldset_empty(last))
        merged = prune(shape, merged, &managers, last);
    typed_compare(shape, live, merged, &changes);
    filter_changes(write, &changes);
    struct doc *status = others_lose(&managers, self, &changes, write->force);
    if (status) {
        write_fail(write, status);
        doc_unref(merged);
        merged = NULL;
    } else {
        self->set = strip_metadata(self->set);
        if (!doc_equal(live, merged)) /* an apply that changes nothing leaves the time as it was, or without one */
            time_set(write, self);
        managers_drop_empty(&managers);
        struct doc *own = doc_copy(merged);
        doc_unref(merged);
        merged = own;
        managers_write(&managers, merged);
    }
    doc_unref(last);
    doc_unref(live);
    typed_changes_clear(&changes);
    managers_clear(&managers);
    return merged;
}
