/* The public face: a sandbox whose servers are one Kubernetes cluster, its gateway, an AWS account and the scripts. */
#include "sandbox/core.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define KUBE_URL "https://kubernetes.sandbox"

static struct sim *sim_of(struct world *world)
{
    return (struct sim *)(void *)world;
}

static void wire(struct sim *sim)
{
    struct sim_server *kube = sim_kube_new(sim, sim->target);

    sim_add(sim, kube);
    sim_add(sim, sim_gateway_new(sim, kube));
    sim_add(sim, sim_aws_new(sim));
}

struct world *sandbox_new(const struct sandbox_options *options, struct err *err)
{
    struct sim *sim = sim_open(options, wire, err);

    return sim ? &sim->world : NULL;
}

int sandbox_script(struct world *world, const char *name, struct view text, struct err *err)
{
    return sim_script_load(sim_of(world)->script, name, text, err);
}

void sandbox_show(struct world *world, bool raw, struct buf *out)
{
    sim_show(sim_of(world), raw, out);
}

/* Under the lock, so that nobody's running sandbox loses its file. */
int sandbox_reset(const char *folder, struct err *err)
{
    char *path = mem_printf("%s/state.jsonl", folder), *fresh = mem_printf("%s.new", path);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    int result = 0;

    if (fd < 0) {
        if (errno != ENOENT)
            result = err_set(err, ERR_SERVER, "cannot open the sandbox's state %s: %s", path, strerror(errno));
    } else if (flock(fd, LOCK_EX | LOCK_NB)) {
        result = err_set(err, ERR_CONFLICT, "another dosrun is using this sandbox (%s)", path);
    } else if (unlink(path) || (unlink(fresh) && errno != ENOENT)) {
        result = err_set(err, ERR_SERVER, "cannot remove the sandbox's state %s: %s", path, strerror(errno));
    }
    if (fd >= 0)
        close(fd);
    free(fresh);
    free(path);
    return result;
}

size_t sandbox_faults_left(struct world *world, struct doc *out)
{
    size_t before = doc_size(out);

    sim_faults_left(sim_of(world)->faults, out);
    return doc_size(out) - before;
}

bool sandbox_crash_wrong(struct world *world)
{
    return sim_crash_wrong(sim_of(world)->faults, world->attempts);
}

void sandbox_cluster(struct world *world, const char *region, const char *name)
{
    struct sim *sim = sim_of(world);

    sim_aws_cluster(sim_server_named(sim, "aws"), region, name);
    sim_kube_eks(sim_server_named(sim, "kube"), sim_server_named(sim, "aws"), name);
    sim_store_flush(sim->store);
}

static struct doc *named(const char *name, const char *what, struct doc *take)
{
    struct doc *list = doc_array(), *entry = doc_object();

    doc_set_text(entry, "name", name);
    doc_set(entry, what, take);
    doc_push(list, entry);
    return list;
}

struct doc *sandbox_kubeconfig(struct world *world)
{
    struct sim *sim = sim_of(world);
    struct doc *config = doc_object(), *cluster = doc_object(), *user = doc_object(), *context = doc_object();
    char token[33];

    sim_hex(sim, "kubernetes token", token, 32);
    doc_set_text(cluster, "server", KUBE_URL);
    doc_set_text(user, "token", token);
    doc_set_text(context, "cluster", "sandbox");
    doc_set_text(context, "user", "sandbox");
    doc_set_text(config, "apiVersion", "v1");
    doc_set_text(config, "kind", "Config");
    doc_set(config, "clusters", named("sandbox", "cluster", cluster));
    doc_set(config, "users", named("sandbox", "user", user));
    doc_set(config, "contexts", named("sandbox", "context", context));
    doc_set_text(config, "current-context", "sandbox");
    return config;
}
