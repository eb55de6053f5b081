/* A sandbox opened, its state read back, shown, made compact and closed; whatever its servers are. */
#include "sandbox/core.h"

#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

void sim_log(struct sim *sim, struct doc *effect)
{
    sim_store_add(sim->store, effect);
    doc_unref(effect);
}

void sim_log_now(struct sim *sim)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "clock");
    doc_set_int(effect, "now", sim->clock.now_ms);
    sim_log(sim, effect);
}

static void log_format(struct sim *sim)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "sandbox");
    doc_set_int(effect, "format", FORMAT);
    doc_set_text(effect, "target", sim->target);
    sim_log(sim, effect);
}

static void put(void *ctx, struct doc *effect)
{
    sim_log(ctx, effect);
}

static void snapshot(void *ctx)
{
    struct sim *sim = ctx;

    log_format(sim);
    sim_log_now(sim);
    sim_disk_snapshot(sim->disk);
    sim_late_snapshot(sim);
    for (size_t i = 0; i < sim->servers_len; i++)
        if (sim->servers[i]->snapshot)
            sim->servers[i]->snapshot(sim->servers[i], put, sim);
}

void sim_compact(struct sim *sim)
{
    sim_store_compact(sim->store, snapshot, sim);
}

struct sim_server *sim_server_named(const struct sim *sim, const char *name)
{
    for (size_t i = 0; i < sim->servers_len; i++)
        if (strcmp(sim->servers[i]->name, name) == 0)
            return sim->servers[i];
    return NULL;
}

void sim_add(struct sim *sim, struct sim_server *take)
{
    sim->servers[sim->servers_len++] = take;
}

static int replay_one(void *ctx, const struct doc *effect, struct err *err)
{
    struct sim *sim = ctx;
    const char *of = doc_path_text(effect, "of", NULL);
    struct sim_server *server = of ? sim_server_named(sim, of) : NULL;

    if (server) {
        if (server->replay)
            server->replay(server, effect);
    } else if (of && strcmp(of, "clock") == 0) {
        sim->clock.now_ms = doc_as_int(doc_get(effect, "now"), sim->clock.now_ms);
    } else if (of && strcmp(of, "disk") == 0) {
        sim_disk_replay(sim->disk, effect);
    } else if (of && strcmp(of, "late") == 0) {
        sim_late_replay(sim, effect);
    } else if (of && strcmp(of, "sandbox") == 0) {
        int64_t format = doc_as_int(doc_get(effect, "format"), 0);

        sim->known = true;
        if (format != FORMAT)
            return err_set(err, ERR_INTERNAL, "the sandbox's state has format %lld, this dosrun knows %d",
                           (long long)format, FORMAT);
    } else {
        return err_set(err, ERR_INTERNAL, "an effect of \"%s\", which this sandbox does not have", of ? of : "nobody");
    }
    return 0;
}

struct sim *sim_open(const struct sandbox_options *options, void (*wire)(struct sim *), struct err *err)
{
    struct sim *sim = mem_alloc(sizeof(*sim));

    sim->world.ops = &sim_ops;
    sim->world.sandbox = true;
    sim->target = mem_text(options->target ? options->target : "local");
    sim->account = mem_text(options->account ? options->account : SANDBOX_ACCOUNT);
    sim->seed = options->seed;
    sim->clock.now_ms = SIM_EPOCH_MS;
    list_init(&sim->processes);
    sim->net = sim_net_new(sim);
    sim->disk = sim_disk_new(sim, options->project_root, options->state_root);
    sim->script = sim_script_new(sim);
    sim->faults = sim_faults_new(options->faults, options->crash, err);
    sim->store = sim->faults ? sim_store_open(options->folder, err) : NULL;
    if (!sim->store)
        goto failed;
    wire(sim);
    sim_add(sim, sim_script_server(sim->script));
    if (sim_store_replay(sim->store, replay_one, sim, err))
        goto failed;
    if (!sim->known)
        log_format(sim);
    for (size_t i = 0; i < sim->servers_len; i++)
        if (sim->servers[i]->started)
            sim->servers[i]->started(sim->servers[i]);
    sim_late_started(sim);
    sim_store_flush(sim->store);
    return sim;
failed:
    sim_close(sim);
    return NULL;
}

/* Clients first, then servers (which may still be told that they went), then what both stand on. */
void sim_close(struct sim *sim)
{
    world_watch_signals(&sim->world, NULL, NULL);
    sim_processes_free(sim);
    sim_net_free(sim->net);
    for (size_t i = 0; i < sim->servers_len; i++)
        if (sim->servers[i]->free)
            sim->servers[i]->free(sim->servers[i]);
    sim_script_free(sim->script);
    if (sim->store)
        sim_store_flush(sim->store);
    sim_disk_free(sim->disk);
    sim_clock_free(sim);
    sim_faults_free(sim->faults);
    sim_store_free(sim->store);
    free(sim->target);
    free(sim->account);
    free(sim);
}

void sim_show(struct sim *sim, bool raw, struct buf *out)
{
    sim_disk_show(sim->disk, raw, out);
    for (size_t i = 0; i < sim->servers_len; i++)
        if (sim->servers[i]->show)
            sim->servers[i]->show(sim->servers[i], raw, out);
}
