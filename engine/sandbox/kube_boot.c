/* The cluster as bootstrap leaves it: lua/sandbox/boot.lua lists its objects. Same target, same uids. */
#include "sandbox/kube_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void boot_object(struct cluster *cluster, const struct doc *row)
{
    const char *api = doc_as_text(doc_get(row, "apiVersion"), ""), *slash = strchr(api, '/');
    char *group = slash ? mem_view((struct view){api, (size_t)(slash - api)}) : mem_text("");
    struct resource *resource = objects_kind(cluster, group, doc_as_text(doc_get(row, "kind"), ""));
    const char *namespace = doc_path_text(row, "metadata", "namespace", NULL);
    struct write write;
    struct doc *made;

    if (!resource) {
        fprintf(stderr, "dosrun: boot.lua: no resource %s %s\n", api, doc_as_text(doc_get(row, "kind"), ""));
        abort();
    }
    write_init(&write, cluster, resource);
    write.namespace = namespace ? namespace : "";
    write.version = slash ? slash + 1 : api;
    write.manager = "kube-controller-manager";
    write.check = CHECK_STRICT;
    made = write_create(&write, doc_copy(row));
    if (!made) {
        fprintf(stderr, "dosrun: boot.lua: %s\n", doc_as_text(doc_get(write.status, "message"), ""));
        abort();
    }
    if (strcmp(resource->kind, "CustomResourceDefinition") == 0)
        crd_serve(cluster, made);
    doc_unref(made);
    write_clear(&write);
    free(group);
}

void boot_cluster(struct cluster *cluster)
{
    struct doc *rows = host_lua_table(cluster->lua, "boot");

    cluster->booting = true;
    for (size_t i = 0; i < doc_size(rows); i++)
        boot_object(cluster, doc_at(rows, i));
    cluster->booting = false;
    cluster->boot_version = cluster->version;
    doc_unref(rows);
}
