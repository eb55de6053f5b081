/* The target's cluster: which one, is it the one that is meant, and the lock that lives in it. */
#include "dosrun.h"

#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LEASE_MS = 60000, LOCK_PAUSE_MS = 1000 };

struct kube *cluster_client(struct dosrun *dosrun, struct err *err)
{
    const struct command *command = dosrun->command;
    struct kube_config_options options = {.kubeconfig = getenv("KUBECONFIG"),
                                          .home = getenv("HOME"),
                                          .context = command->context ? command->context
                                                                      : doc_path_text(dosrun->target, "context", NULL),
                                          .in_cluster = true,
                                          .insecure_allowed = command->insecure};
    struct kube_config *config;
    struct doc *simulated = NULL;

    if (dosrun->kube)
        return dosrun->kube;
    if (target_is_eks(dosrun)) {
        config = eks_config(dosrun, err);
        if (config)
            dosrun->kube = kube_new(dosrun->world, dosrun->http, dosrun->marks, config);
        return dosrun->kube;
    }
    if (doc_path_text(dosrun->target, "kubeconfig", NULL))
        options.kubeconfig = doc_path_text(dosrun->target, "kubeconfig", NULL);
    if (command->sandbox) {
        simulated = sandbox_kubeconfig(dosrun->world);
        options = (struct kube_config_options){.inline_config = simulated};
    }
    config = kube_config_load(dosrun->world, &options, err);
    doc_unref(simulated);
    if (!config) {
        size_t len = strlen(err->message);

        if (strcmp(err->explain, "H301") == 0)
            snprintf(err->message + len, sizeof(err->message) - len, "; --sandbox runs it in the simulated cloud");
        return NULL;
    }
    dosrun->kube = kube_new(dosrun->world, dosrun->http, dosrun->marks, config);
    return dosrun->kube;
}

/* ---- which cluster it is ---- */

static void identity_known(void *ctx, const char *uid, const struct err *err)
{
    struct dosrun *dosrun = ctx;

    dosrun->done = true;
    if (err)
        dosrun->answer = *err;
    else
        dosrun->identity = mem_text(uid);
}

int cluster_check(struct dosrun *dosrun, struct err *err)
{
    struct kube *kube = cluster_client(dosrun, err);
    const char *meant = doc_path_text(dosrun->target, "uid", NULL);

    if (!kube)
        return -1;
    dosrun->done = false;
    dosrun->answer = ERR_INIT;
    kube_identity(kube, identity_known, dosrun);
    dosrun_wait(dosrun);
    if (target_is_eks(dosrun)) { /* AWS has told already which it is; that its API server takes our token is the rest */
        free(dosrun->identity);
        dosrun->identity = mem_text(eks_arn(dosrun));
    }
    if (target_is_eks(dosrun) && dosrun->answer.kind == ERR_DENIED)
        return 0;
    if (target_is_eks(dosrun) && dosrun->answer.status == 401)
        return eks_refused(dosrun, err);
    if (dosrun->answer.kind) {
        *err = dosrun->answer;
        return err_context(err, "cluster of target %s (context %s, %s)", dosrun->target_name,
                           kube_config_context(kube_config_of(kube)), kube_config_server(kube_config_of(kube)));
    }
    if (meant && strcmp(meant, dosrun->identity) != 0) {
        err_set(err, ERR_USAGE, "context %s leads to cluster %s, but target %s is cluster %s; nothing was touched",
                kube_config_context(kube_config_of(kube)), dosrun->identity, dosrun->target_name, meant);
        err_explain(err, "C603");
        return -1;
    }
    return 0;
}

/* ---- the lock in it ---- */

static void host_name(const struct dosrun *dosrun, char *out, size_t size)
{
    if (dosrun->command->sandbox || gethostname(out, size) != 0)
        snprintf(out, size, "sandbox");
    out[size - 1] = '\0';
}

/* An owner on this host, in this state folder, is dead when we hold the folder's own lock, as we do here. */
static bool owner_dead(void *ctx, const char *host, const char *store)
{
    const struct dosrun *dosrun = ctx;
    char here[256], ours[STORE_ID_SIZE];

    host_name(dosrun, here, sizeof(here));
    store_id(dosrun->store, ours);
    return strcmp(here, host) == 0 && (dosrun->command->sandbox || strcmp(store, ours) == 0);
}

static void lease_taken(void *ctx, const struct err *err)
{
    struct dosrun *dosrun = ctx;

    dosrun->done = true;
    if (err)
        dosrun->answer = *err;
}

static void lease_lost(void *ctx, const struct err *err)
{
    struct dosrun *dosrun = ctx;

    if (dosrun->run)
        run_stop(dosrun->run, err);
}

static void lock_pause_over(void *ctx)
{
    ((struct dosrun *)ctx)->done = true;
}

/* One try; ERR_CONFLICT while somebody holds it. */
static int lock_try(struct dosrun *dosrun, const struct kube_lease_options *options, struct err *err)
{
    dosrun->done = false;
    dosrun->answer = ERR_INIT;
    dosrun->lease = kube_lease_take(dosrun->kube, options, lease_taken, lease_lost, dosrun);
    dosrun_wait(dosrun);
    if (!dosrun->answer.kind)
        return 0;
    *err = dosrun->answer;
    cluster_unlock(dosrun); /* it was not taken, but it is a thing of ours all the same */
    return -1;
}

static void tell_replaced(struct dosrun *dosrun)
{
    const char *replaced = kube_lease_replaced(dosrun->lease);
    struct doc *event;
    char *text;

    if (!replaced)
        return;
    event = dosrun_event("log", "level", "warning");
    text = mem_printf("the lock of %s was taken over; its undo data are lost unless its journal is in the store",
                      replaced);
    doc_set_text(event, "text", text);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
    free(text);
}

int cluster_lock(struct dosrun *dosrun, struct err *err)
{
    int64_t until = world_mono_ms(dosrun->world) + dosrun->command->lock_wait_ms;
    char host[256], store[STORE_ID_SIZE];
    const char *namespace = doc_path_text(dosrun->target, "lock_namespace", NULL), *user = getenv("USER");
    struct kube_lease_options options = {.namespace = namespace ? namespace : "kube-system",
                                         .name = "dosrun",
                                         .owner = dosrun->command->sandbox ? "sandbox"
                                                  : user                   ? user
                                                                           : "unknown",
                                         .host = host,
                                         .run = dosrun->run_id,
                                         .host_alive_known = true,
                                         .store = store,
                                         .owner_dead = owner_dead,
                                         .ctx = dosrun,
                                         .take_over = dosrun->command->take_over,
                                         .duration_ms = LEASE_MS};

    host_name(dosrun, host, sizeof(host));
    store_id(dosrun->store, store);
    while (lock_try(dosrun, &options, err) < 0) {
        if (strcmp(err->explain, "R201") != 0 || world_mono_ms(dosrun->world) >= until)
            return -1;
        *err = ERR_INIT;
        dosrun->done = false;
        timer_start(dosrun->world, LOCK_PAUSE_MS, lock_pause_over, dosrun);
        dosrun_wait(dosrun);
    }
    tell_replaced(dosrun);
    return 0;
}

static void lease_released(void *ctx, const struct err *err)
{
    struct dosrun *dosrun = ctx;

    (void)err; /* it ends by itself, and a dead owner on this host is replaced at once */
    dosrun->done = true;
}

void cluster_unlock(struct dosrun *dosrun)
{
    if (!dosrun->lease)
        return;
    dosrun->done = false;
    kube_lease_release(dosrun->lease, lease_released, dosrun);
    dosrun->lease = NULL;
    dosrun_wait(dosrun);
}
