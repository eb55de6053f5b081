/* The simulated API server as one of the sandbox's servers: host name, life, log. */
#include "sandbox/kube_cluster.h"

#include <stdlib.h>
#include <string.h>

struct cluster *cluster_of(struct sim_server *server)
{
    return (struct cluster *)(void *)server;
}

static bool server_serves(struct sim_server *server, const struct sim_request *request)
{
    (void)server;
    return view_is(request->host, "kubernetes.sandbox");
}

/* As the API server asks its webhook: 401 for whoever has no token, or one that STS does not take. */
static bool token_refused(struct cluster *cluster, const struct sim_request *request, struct sim_reply *reply)
{
    const char *header = sim_header(request, "Authorization");
    struct buf why;
    bool refused;

    if (!cluster->eks)
        return false;
    buf_init(&why, 4096);
    if (header && strncmp(header, "Bearer ", 7) == 0)
        sim_aws_token(cluster->aws, view_of(header + 7), cluster->eks, &why);
    else
        buf_add_text(&why, "there is no token");
    refused = why.len > 0;
    if (refused) /* the cluster's log says why, its answer does not */
        sim_reply_doc(reply, 401, status_new(401, "Unauthorized", "Unauthorized"));
    buf_free(&why);
    return refused;
}

static void server_handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply)
{
    if (!token_refused(cluster_of(server), request, reply))
        request_handle(cluster_of(server), request, reply);
}

static void server_replay(struct sim_server *server, const struct doc *effect)
{
    objects_replay(cluster_of(server), effect);
}

/* A fresh cluster is built by boot_cluster; one effect says so, and replaying it builds the same again. */
static void server_started(struct sim_server *server)
{
    struct cluster *cluster = cluster_of(server);

    cluster->live = true;
    if (cluster->version == 0) {
        struct doc *effect = doc_object();

        doc_set_text(effect, "of", "kube");
        doc_set_text(effect, "op", "boot");
        sim_log(cluster->sim, effect);
        cluster->live = false;
        boot_cluster(cluster);
        cluster->live = true;
    }
    cluster->history_oldest = cluster->version;
    controllers_start(cluster);
}

static void server_snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    objects_snapshot(cluster_of(server), put, ctx);
}

static void server_show(struct sim_server *server, bool raw, struct buf *out)
{
    show_cluster(cluster_of(server), raw, out);
}

static bool server_fault(struct sim_server *server, const struct sim_request *request, const char *kind)
{
    return fault_strike(cluster_of(server), request, kind);
}

static void server_free(struct sim_server *server)
{
    struct cluster *cluster = cluster_of(server);

    watch_free_all(cluster);
    fault_free_all(cluster);
    controllers_free(cluster->controllers);
    objects_free(cluster);
    shapes_free(cluster->shapes);
    host_lua_free(cluster->lua);
    free(cluster->target);
    free(cluster->eks);
    free(cluster);
}

/* resources.lua is read at once, everything else when it is first needed. */
static void resources_load(struct cluster *cluster)
{
    struct doc *rows = host_lua_table(cluster->lua, "resources");

    for (size_t i = 0; i < doc_size(rows); i++)
        objects_add_resource(cluster, doc_at(rows, i), NULL);
    doc_unref(rows);
}

struct sim_server *sim_kube_new(struct sim *sim, const char *target)
{
    struct cluster *cluster = mem_alloc(sizeof(*cluster));

    cluster->server = (struct sim_server){.name = "kube",
                                          .serves = server_serves,
                                          .handle = server_handle,
                                          .replay = server_replay,
                                          .started = server_started,
                                          .snapshot = server_snapshot,
                                          .show = server_show,
                                          .fault = server_fault,
                                          .free = server_free};
    cluster->sim = sim;
    cluster->target = mem_text(target ? target : "default");
    list_init(&cluster->watches);
    list_init(&cluster->lags);
    cluster->lua = host_lua_new(cluster);
    cluster->shapes = shapes_new(cluster->lua);
    resources_load(cluster);
    cluster->controllers = controllers_new(cluster);
    return &cluster->server;
}

void sim_kube_eks(struct sim_server *kube, struct sim_server *aws, const char *name)
{
    struct cluster *cluster = cluster_of(kube);

    free(cluster->eks);
    cluster->eks = mem_text(name);
    cluster->aws = aws;
}

struct doc *sim_kube_get(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                         const char *name)
{
    struct resource *resource = objects_kind(cluster_of(kube), group, kind);
    struct object *object = resource ? objects_find(resource, namespace ? namespace : "", name) : NULL;

    return object ? object->doc : NULL;
}

void sim_kube_each(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                   sim_kube_each_fn *fn, void *ctx)
{
    struct resource *resource = objects_kind(cluster_of(kube), group, kind);
    bool all = !namespace || !*namespace;

    for (size_t i = resource && !all ? objects_index(resource, namespace, "") : 0;
         resource && i < resource->objects_len; i++) {
        const struct object *object = resource->objects[i];

        if (!all && strcmp(object->namespace, namespace) != 0)
            return;
        if (!fn(ctx, object->doc))
            return;
    }
}
