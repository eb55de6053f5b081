/* Custom resource definitions: what they must say, and the resources that they bring. */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>

static const char *text_of(const struct doc *doc, const char *field)
{
    return doc_as_text(doc_get(doc, field), "");
}

static struct doc *info_of(const struct doc *spec, const struct doc *storage)
{
    const struct doc *names = doc_get(spec, "names"), *subresources = doc_get(storage, "subresources");
    struct doc *info = doc_object(), *versions = doc_array(), *scale = doc_array();

    doc_set_text(info, "group", text_of(spec, "group"));
    doc_set_text(info, "plural", text_of(names, "plural"));
    doc_set_text(info, "singular", text_of(names, "singular"));
    doc_set_text(info, "kind", text_of(names, "kind"));
    doc_set(info, "short", doc_ref(doc_get(names, "shortNames")));
    doc_set(info, "categories", doc_ref(doc_get(names, "categories")));
    doc_set_bool(info, "namespaced", strcmp(text_of(spec, "scope"), "Namespaced") == 0);
    doc_set_bool(info, "custom", true);
    doc_set_bool(info, "status", doc_get(subresources, "status") != NULL);
    if (doc_get(subresources, "scale"))
        doc_push(scale, doc_text("scale"));
    doc_set(info, "subresources", scale);
    doc_push(versions, doc_ref(doc_get(storage, "name")));
    const struct doc *all = doc_get(spec, "versions");
    for (size_t i = 0; i < doc_size(all); i++)
        if (doc_at(all, i) != storage && doc_as_bool(doc_get(doc_at(all, i), "served"), false))
            doc_push(versions, doc_ref(doc_get(doc_at(all, i), "name")));
    doc_set(info, "versions", versions);
    return info;
}

/* The storage version's schema stands for all: conversion is None here. */
void crd_serve(struct cluster *cluster, const struct doc *crd)
{
    const struct doc *spec = doc_get(crd, "spec"), *versions = doc_get(spec, "versions"),
                     *storage = doc_at(versions, 0);
    struct doc *nothing = doc_object();

    for (size_t i = 0; i < doc_size(versions); i++)
        if (doc_as_bool(doc_get(doc_at(versions, i), "storage"), false))
            storage = doc_at(versions, i);
    struct doc *schema = doc_path(storage, "schema", "openAPIV3Schema", NULL), *info = info_of(spec, storage);
    objects_add_resource(cluster, info, shapes_from_openapi(cluster->shapes, schema ? schema : nothing));
    doc_unref(info);
    doc_unref(nothing);
}

void crd_withdraw(struct cluster *cluster, const struct doc *crd)
{
    const char *group = doc_path_text(crd, "spec", "group", NULL),
               *plural = doc_path_text(crd, "spec", "names", "plural", NULL);
    struct resource *resource = objects_resource(cluster, group ? group : "", plural ? plural : "");

    if (resource && resource->custom)
        objects_remove_resource(cluster, resource);
}

static void versions_validate(const struct doc *versions, struct doc *causes)
{
    size_t storage = 0;

    for (size_t i = 0; i < doc_size(versions); i++) {
        const struct doc *version = doc_at(versions, i);
        char *field = mem_printf("spec.versions[%zu].schema.openAPIV3Schema", i);

        storage += doc_as_bool(doc_get(version, "storage"), false);
        if (!doc_path(version, "schema", "openAPIV3Schema", NULL))
            cause_add(causes, "FieldValueRequired", field, "Required value: schemas are required");
        free(field);
    }
    if (storage != 1)
        cause_add(causes, "FieldValueInvalid", "spec.versions",
                  "Invalid value: must have exactly one version marked as storage version");
}

void crd_validate(const struct doc *crd, struct doc *causes)
{
    const struct doc *spec = doc_get(crd, "spec"), *names = doc_get(spec, "names");
    const char *name = doc_path_text(crd, "metadata", "name", NULL);
    char *want = mem_printf("%s.%s", text_of(names, "plural"), text_of(spec, "group"));

    if (!name || strcmp(name, want) != 0)
        cause_add(causes, "FieldValueInvalid", "metadata.name",
                  "Invalid value: \"%s\": must be spec.names.plural+\".\"+spec.group", name ? name : "");
    if (!*text_of(spec, "group"))
        cause_add(causes, "FieldValueRequired", "spec.group", "Required value");
    if (strcmp(text_of(spec, "scope"), "Namespaced") != 0 && strcmp(text_of(spec, "scope"), "Cluster") != 0)
        cause_add(causes, *text_of(spec, "scope") ? "FieldValueNotSupported" : "FieldValueRequired", "spec.scope",
                  *text_of(spec, "scope") ? "Unsupported value: \"%s\": supported values: \"Cluster\", \"Namespaced\""
                                          : "Required value%s",
                  text_of(spec, "scope"));
    versions_validate(doc_get(spec, "versions"), causes);
    if (!*text_of(names, "plural"))
        cause_add(causes, "FieldValueRequired", "spec.names.plural", "Required value");
    if (!*text_of(names, "kind"))
        cause_add(causes, "FieldValueRequired", "spec.names.kind", "Required value");
    free(want);
}
