#pragma once
/*
 * fieldset: a set of paths in an object, kept as the document that managedFields show (FieldsV1):
 * keys f:name, k:{...}, v:value; a node that is {} or has "." is in the set itself. Sets are shared
 * and never changed in place. typed: what server-side apply does with values and such sets.
 * Source: the published description of server-side apply (Kubernetes documentation, "Server-Side
 * Apply") and the behaviour of the API server 1.34, compared in tests/sandbox/differential.py.
 */
#include "sandbox/kube_shape.h"

/* All return new references; NULL sets are empty. */
struct doc *fieldset_union(const struct doc *a, const struct doc *b);
struct doc *fieldset_intersection(const struct doc *a, const struct doc *b);
struct doc *fieldset_difference(const struct doc *a, const struct doc *b);
bool fieldset_empty(const struct doc *set);
/* Whether the two hold the same paths. */
bool fieldset_equal(const struct doc *a, const struct doc *b);
/* Fields of structs that have children in the set are in it too. */
struct doc *fieldset_named(const struct doc *set, const struct shape *shape);
/* Calls fn with each path as ".spec.containers[name=\"x\"].image". */
void fieldset_each(const struct doc *set, void (*fn)(void *ctx, const char *path), void *ctx);

/* How two versions of an object differ; clear with typed_changes_clear. */
struct typed_changes {
    struct doc *added, *removed, *modified;
};
void typed_compare(const struct shape *shape, const struct doc *before, const struct doc *after,
                   struct typed_changes *out);
void typed_changes_clear(struct typed_changes *changes);
/* All fields that the value has. */
struct doc *typed_fields(const struct shape *shape, const struct doc *value);
struct doc *typed_merge(const struct shape *shape, const struct doc *live, const struct doc *applied);
/* The value without the paths of the set; a container that this empties becomes null. */
struct doc *typed_remove(const struct shape *shape, const struct doc *value, const struct doc *set);
/* "k:{...}" or "v:..." of a list's item. False when its keys are missing. */
bool typed_item_key(const struct shape *list, const struct doc *item, struct buf *out);
/* Adds errors as ".spec.replicas: expected numeric (int or float), got string" lines; count of them. */
size_t typed_check(const struct shape *shape, const struct doc *value, struct doc *errors);
