/* The simulated API server as one of the sandbox's servers: host name, life, log. */
#include "sandbox/sim.h"

#include <stdlib.h>

struct cluster {
    struct sim_server server;
    struct sim *sim;
};

static bool server_serves(struct sim_server *server, const struct sim_request *request)
{
    (void)server;
    return view_is(request->host, "kubernetes.sandbox");
}

static void server_handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply)
{
    struct doc *status = doc_object();

    (void)server;
    (void)request;
    doc_set_text(status, "kind", "Status");
    doc_set_text(status, "apiVersion", "v1");
    doc_set_text(status, "status", "Failure");
    doc_set_text(status, "reason", "NotFound");
    doc_set_int(status, "code", 404);
    sim_reply_doc(reply, 404, status);
}

static void server_replay(struct sim_server *server, const struct doc *effect)
{
    (void)server;
    (void)effect;
}

static void server_started(struct sim_server *server)
{
    (void)server;
}

static void server_snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    (void)server;
    (void)put;
    (void)ctx;
}

static void server_show(struct sim_server *server, bool raw, struct buf *out)
{
    (void)server;
    (void)raw;
    (void)out;
}

static bool server_fault(struct sim_server *server, const struct sim_request *request, const char *kind)
{
    (void)server;
    (void)request;
    (void)kind;
    return false;
}

static void server_free(struct sim_server *server)
{
    free(server);
}

struct sim_server *sim_kube_new(struct sim *sim, const char *target)
{
    struct cluster *cluster = mem_alloc(sizeof(*cluster));

    (void)target;
    cluster->sim = sim;
    cluster->server = (struct sim_server){.name = "kube",
                                          .serves = server_serves,
                                          .handle = server_handle,
                                          .replay = server_replay,
                                          .started = server_started,
                                          .snapshot = server_snapshot,
                                          .show = server_show,
                                          .fault = server_fault,
                                          .free = server_free};
    return &cluster->server;
}

struct doc *sim_kube_get(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                         const char *name)
{
    (void)kube;
    (void)group;
    (void)kind;
    (void)namespace;
    (void)name;
    return NULL;
}

void sim_kube_each(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                   sim_kube_each_fn *fn, void *ctx)
{
    (void)kube;
    (void)group;
    (void)kind;
    (void)namespace;
    (void)fn;
    (void)ctx;
}
