/* /version, health, and discovery in both forms: APIGroupDiscoveryList v2, and the older lists. */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>

/* Calls fn once for each group that has a resource, in order of first appearance. */
static struct doc *groups_of(const struct cluster *cluster)
{
    struct doc *groups = doc_object();

    for (size_t i = 0; i < cluster->resources_len; i++) {
        const struct resource *resource = cluster->resources[i];
        struct doc *versions = doc_get(groups, resource->group);

        if (!versions) {
            versions = doc_object();
            doc_set(groups, resource->group, versions);
        }
        for (size_t j = 0; j < resource->versions_len; j++)
            doc_set_bool(versions, resource->versions[j], true);
    }
    return groups;
}

static struct doc *texts(const char *const *list, size_t len)
{
    struct doc *out = doc_array();

    for (size_t i = 0; i < len; i++)
        doc_push(out, doc_text(list[i]));
    return out;
}

static const char *const usual_verbs[] = {"create", "delete", "deletecollection", "get",
                                          "list",   "patch",  "update",           "watch"};
static const char *const status_verbs[] = {"get", "patch", "update"};

static struct doc *verbs_of(const struct resource *resource)
{
    const struct doc *verbs = doc_get(resource->info, "verbs");

    return verbs ? doc_ref(verbs) : texts(usual_verbs, 8);
}

static struct doc *kind_of(const char *group, const char *version, const char *kind)
{
    struct doc *out = doc_object();

    doc_set_text(out, "group", group);
    doc_set_text(out, "version", version);
    doc_set_text(out, "kind", kind);
    return out;
}

static void subresource_push(struct doc *list, const char *name, struct doc *take_kind, bool log)
{
    struct doc *out = doc_object();

    doc_set_text(out, "subresource", name);
    doc_set(out, "responseKind", take_kind);
    doc_set(out, "verbs", log ? texts(status_verbs, 1) : texts(status_verbs, 3));
    doc_push(list, out);
}

static struct doc *aggregated_resource(const struct resource *resource, const char *version)
{
    struct doc *out = doc_object(), *subresources = doc_array();
    const char *group = resource->custom ? resource->group : "", *shown = resource->custom ? version : "";

    doc_set_text(out, "resource", resource->plural);
    doc_set(out, "responseKind", kind_of(group, shown, resource->kind));
    doc_set_text(out, "scope", resource->namespaced ? "Namespaced" : "Cluster");
    doc_set_text(out, "singularResource", doc_as_text(doc_get(resource->info, "singular"), ""));
    doc_set(out, "verbs", verbs_of(resource));
    doc_set(out, "shortNames", doc_ref(doc_get(resource->info, "short")));
    doc_set(out, "categories", doc_ref(doc_get(resource->info, "categories")));
    if (strcmp(resource->kind, "Pod") == 0)
        subresource_push(subresources, "log", kind_of("", "", "Pod"), true);
    if (resource->scale)
        subresource_push(subresources, "scale", kind_of("autoscaling", "v1", "Scale"), false);
    if (resource->status)
        subresource_push(subresources, "status", kind_of(group, shown, resource->kind), false);
    if (doc_size(subresources))
        doc_set(out, "subresources", doc_ref(subresources));
    doc_unref(subresources);
    return out;
}

static void aggregated_group(const struct cluster *cluster, const char *group, const struct doc *versions,
                             struct doc *items)
{
    struct doc *item = doc_object(), *metadata = doc_object(), *list = doc_array();

    if (*group)
        doc_set_text(metadata, "name", group);
    DOC_EACH(version, versions)
    {
        struct doc *one = doc_object(), *resources = doc_array();

        for (size_t i = 0; i < cluster->resources_len; i++)
            if (strcmp(cluster->resources[i]->group, group) == 0 && resource_serves(cluster->resources[i], version.key))
                doc_push(resources, aggregated_resource(cluster->resources[i], version.key));
        doc_set_text(one, "version", version.key);
        doc_set(one, "resources", resources);
        doc_set_text(one, "freshness", "Current");
        doc_push(list, one);
    }
    doc_set(item, "metadata", metadata);
    doc_set(item, "versions", list);
    doc_push(items, item);
}

static void reply_aggregated(const struct cluster *cluster, bool core, struct sim_reply *reply)
{
    struct doc *groups = groups_of(cluster), *out = doc_object(), *items = doc_array();

    doc_set_text(out, "kind", "APIGroupDiscoveryList");
    doc_set_text(out, "apiVersion", "apidiscovery.k8s.io/v2");
    doc_set(out, "metadata", doc_object());
    DOC_EACH(group, groups)
    if (core == !*group.key)
        aggregated_group(cluster, group.key, group.value, items);
    doc_set(out, "items", items);
    reply_doc(reply, 200, out, NULL);
    doc_unref(groups);
    doc_unref(out);
}

/* ---- the older form ---- */

static struct doc *version_entry(const char *group, const char *version)
{
    struct doc *out = doc_object();
    char *both = mem_printf("%s/%s", group, version);

    doc_set_text(out, "groupVersion", both);
    doc_set_text(out, "version", version);
    free(both);
    return out;
}

static struct doc *group_entry(const char *group, const struct doc *versions)
{
    struct doc *out = doc_object(), *list = doc_array();

    doc_set_text(out, "name", group);
    DOC_EACH(version, versions)
    doc_push(list, version_entry(group, version.key));
    doc_set(out, "versions", list);
    doc_set(out, "preferredVersion", doc_ref(doc_at(list, 0)));
    return out;
}

static void resource_push(struct doc *list, const struct resource *resource, const char *sub, const char *kind)
{
    struct doc *out = doc_object();
    char *name = mem_printf("%s%s%s", resource->plural, *sub ? "/" : "", sub);

    doc_set_text(out, "name", name);
    doc_set_text(out, "singularName", *sub ? "" : doc_as_text(doc_get(resource->info, "singular"), ""));
    doc_set_bool(out, "namespaced", resource->namespaced);
    if (strcmp(sub, "scale") == 0) {
        doc_set_text(out, "group", "autoscaling");
        doc_set_text(out, "version", "v1");
    }
    doc_set_text(out, "kind", kind);
    doc_set(out, "verbs", *sub ? texts(status_verbs, strcmp(sub, "log") == 0 ? 1 : 3) : verbs_of(resource));
    if (!*sub) {
        doc_set(out, "shortNames", doc_ref(doc_get(resource->info, "short")));
        doc_set(out, "categories", doc_ref(doc_get(resource->info, "categories")));
    }
    doc_push(list, out);
    free(name);
}

static void reply_resources(const struct cluster *cluster, const char *group, const char *version,
                            struct sim_reply *reply)
{
    struct doc *out = doc_object(), *list = doc_array();
    char *both = mem_printf("%s%s%s", group, *group ? "/" : "", version);

    for (size_t i = 0; i < cluster->resources_len; i++) {
        const struct resource *resource = cluster->resources[i];

        if (strcmp(resource->group, group) != 0 || !resource_serves(resource, version))
            continue;
        resource_push(list, resource, "", resource->kind);
        if (strcmp(resource->kind, "Pod") == 0)
            resource_push(list, resource, "log", "Pod");
        if (resource->scale)
            resource_push(list, resource, "scale", "Scale");
        if (resource->status)
            resource_push(list, resource, "status", resource->kind);
    }
    doc_set_text(out, "kind", "APIResourceList");
    if (*group)
        doc_set_text(out, "apiVersion", "v1");
    doc_set_text(out, "groupVersion", both);
    doc_set(out, "resources", list);
    if (doc_size(list))
        reply_doc(reply, 200, out, NULL);
    else
        reply_text(reply, 404, "404 page not found\n");
    doc_unref(out);
    free(both);
}

static void reply_groups(const struct cluster *cluster, struct sim_reply *reply)
{
    struct doc *groups = groups_of(cluster), *out = doc_object(), *list = doc_array();

    doc_set_text(out, "kind", "APIGroupList");
    doc_set_text(out, "apiVersion", "v1");
    DOC_EACH(group, groups)
    if (*group.key)
        doc_push(list, group_entry(group.key, group.value));
    doc_set(out, "groups", list);
    reply_doc(reply, 200, out, NULL);
    doc_unref(out);
    doc_unref(groups);
}

static void reply_group(const struct cluster *cluster, const char *group, struct sim_reply *reply)
{
    struct doc *groups = groups_of(cluster);

    if (doc_get(groups, group)) {
        struct doc *out = group_entry(group, doc_get(groups, group));

        doc_set_text(out, "kind", "APIGroup");
        doc_set_text(out, "apiVersion", "v1");
        reply_doc(reply, 200, out, NULL);
        doc_unref(out);
    } else {
        reply_text(reply, 404, "404 page not found\n");
    }
    doc_unref(groups);
}

static void reply_core_versions(struct sim_reply *reply)
{
    static const char *const versions[] = {"v1"};
    struct doc *out = doc_object(), *address = doc_object(), *addresses = doc_array();

    doc_set_text(out, "kind", "APIVersions");
    doc_set(out, "versions", texts(versions, 1));
    doc_set_text(address, "clientCIDR", "0.0.0.0/0");
    doc_set_text(address, "serverAddress", "kubernetes.sandbox:443");
    doc_push(addresses, address);
    doc_set(out, "serverAddressByClientCIDRs", addresses);
    reply_doc(reply, 200, out, NULL);
    doc_unref(out);
}

static void reply_version(struct sim_reply *reply)
{
    static const char *const facts[][2] = {
        {"major", "1"},    {"minor", "34"},           {"gitVersion", "v1.34.4-sandbox"},
        {"gitCommit", ""}, {"gitTreeState", "clean"}, {"buildDate", "2030-01-01T00:00:00Z"},
        {"goVersion", ""}, {"compiler", ""},          {"platform", "linux/amd64"}};
    struct doc *out = doc_object();

    for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
        doc_set_text(out, facts[i][0], facts[i][1]);
    reply_doc(reply, 200, out, NULL);
    doc_unref(out);
}

/* "/apis/G/V" cut into its parts; false when there are more. */
static bool group_path(char *path, const char **group, const char **version)
{
    char *rest = path + strlen("/apis/");

    *group = strsep(&rest, "/");
    *version = rest ? strsep(&rest, "/") : NULL;
    if (*version && !**version)
        *version = NULL;
    return !rest || !*rest;
}

bool discovery_handle(struct cluster *cluster, const struct sim_request *http, struct sim_reply *reply)
{
    const char *path = http->path, *accept = sim_header(http, "Accept"), *group, *version;
    bool aggregated = accept && strstr(accept, "apidiscovery.k8s.io") && strstr(accept, "v=v2");
    bool core = strcmp(path, "/api") == 0 || strcmp(path, "/api/") == 0;

    if (strcmp(path, "/version") == 0 || strcmp(path, "/version/") == 0) {
        reply_version(reply);
        return true;
    }
    if (strcmp(path, "/readyz") == 0 || strcmp(path, "/livez") == 0 || strcmp(path, "/healthz") == 0) {
        reply_text(reply, 200, "ok");
        return true;
    }
    if (core || strcmp(path, "/apis") == 0 || strcmp(path, "/apis/") == 0) {
        if (aggregated)
            reply_aggregated(cluster, core, reply);
        else if (core)
            reply_core_versions(reply);
        else
            reply_groups(cluster, reply);
        return true;
    }
    if (strcmp(path, "/api/v1") == 0 || strcmp(path, "/api/v1/") == 0) {
        reply_resources(cluster, "", "v1", reply);
        return true;
    }
    if (strncmp(path, "/apis/", 6) == 0) {
        char *copy = mem_text(path);
        bool short_path = group_path(copy, &group, &version);

        if (short_path && version)
            reply_resources(cluster, group, version, reply);
        else if (short_path)
            reply_group(cluster, group, reply);
        free(copy);
        return short_path;
    }
    if (strncmp(path, "/api/v1/", 8) == 0)
        return false;
    reply_text(reply, 404, "404 page not found\n");
    return true;
}
