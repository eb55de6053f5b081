/*
 * The lock of a target: a coordination.k8s.io/v1 Lease. Created by POST, taken and renewed by PUT with the
 * resourceVersion that was read, so that of two who try one gets a 409. A write whose answer was lost is read before it
 * is written again. The epoch (leaseTransitions + 1) grows with each taking, also by the same run: an older process of
 * that run then fails to renew and stops.
 */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

enum { TRIES_MAX = 6, AGAIN_MS = 500, RETRY_MS = 2000 };

const char kube_lock_owner[] = "lock";

struct kube_lease {
    struct kube *kube;
    char *namespace, *name, *owner, *host, *run, *store;
    bool host_alive_known, take_over;
    bool (*owner_dead)(void *ctx, const char *host, const char *store);
    void *dead_ctx;
    int64_t duration_ms;

    char *path, *list_path, *identity;
    char *replaced;     /* whose lock was taken over before it was given back; NULL: nobody's */
    struct doc *lease;  /* as the server has it, as far as we know */
    int64_t epoch;      /* 0: not taken */
    int64_t written_ms; /* wall clock that the write under way puts in */
    int64_t end_ms;     /* wall clock until which it is ours */
    bool lost_told;
    int tries;
    struct kube_call *call;
    struct timer *timer;
    kube_ready_fn *taken, *released;
    void (*lost)(void *ctx, const struct err *err);
    void *ctx, *released_ctx;
};

static void lease_free(struct kube_lease *lease)
{
    if (lease->call)
        kube_cancel(lease->call);
    timer_stop(lease->timer);
    doc_unref(lease->lease);
    free(lease->namespace);
    free(lease->name);
    free(lease->owner);
    free(lease->host);
    free(lease->run);
    free(lease->store);
    free(lease->path);
    free(lease->list_path);
    free(lease->identity);
    free(lease->replaced);
    free(lease);
}

static const char *spec_text(const struct doc *lease, const char *key)
{
    return doc_as_text(doc_path(lease, "spec", key, NULL), "");
}

static const char *annotation(const struct doc *lease, const char *key)
{
    return doc_as_text(doc_path(lease, "metadata", "annotations", key, NULL), "");
}

static bool holder_is_us(const struct kube_lease *lease, const struct doc *found)
{
    return strcmp(spec_text(found, "holderIdentity"), lease->identity) == 0 &&
           strcmp(annotation(found, "dosrun/run"), lease->run) == 0;
}

static int64_t transitions_of(const struct doc *lease)
{
    return doc_as_int(doc_path(lease, "spec", "leaseTransitions", NULL), 0);
}

/* ---- requests ---- */

static void lease_send(struct kube_lease *lease, const char *method, const struct doc *body, kube_answer_fn *fn)
{
    bool changes = strcmp(method, "GET") != 0;
    struct kube_request request = {
        .method = method,
        .path = strcmp(method, "POST") == 0 ? lease->list_path : lease->path,
        .body = body,
        .class = changes ? HTTP_CHANGES : HTTP_READS,
        .repeat = changes ? HTTP_REPEAT_NEVER : HTTP_REPEAT_SAFE, /* a write whose answer is lost is read first */
        .backward = true,                                         /* what is left of the budget keeps the lock */
        .timeout_ms = lease->duration_ms / 6,
        .owner = (void *)(uintptr_t)kube_lock_owner,
        .subject = lease->name,
    };

    lease->call = kube_send(lease->kube, &request, fn, lease);
}

static void time_set(struct doc *spec, const char *key, int64_t ms)
{
    struct buf text;

    buf_init(&text, 64);
    kube_time_add(&text, ms);
    doc_set_text(spec, key, buf_text(&text));
    buf_free(&text);
}

static struct doc *member(struct doc *object, const char *key)
{
    if (!doc_is(doc_get(object, key), DOC_OBJECT))
        doc_set(object, key, doc_object());
    return doc_get(object, key);
}

/* The Lease as it will be: ours from now on. found NULL: a new one. */
static struct doc *lease_wanted(struct kube_lease *lease, const struct doc *found, bool taking)
{
    struct doc *wanted = found ? doc_copy(found) : doc_object(), *metadata, *annotations, *spec;

    lease->written_ms = world_now_ms(lease->kube->world);
    if (!found) {
        doc_set_text(wanted, "apiVersion", "coordination.k8s.io/v1");
        doc_set_text(wanted, "kind", "Lease");
    }
    metadata = member(wanted, "metadata");
    doc_remove(metadata, "managedFields"); /* left to the server */
    doc_set_text(metadata, "name", lease->name);
    doc_set_text(metadata, "namespace", lease->namespace);
    doc_set_text(member(metadata, "labels"), "app.kubernetes.io/managed-by", KUBE_MANAGER);
    annotations = member(metadata, "annotations");
    doc_set_text(annotations, "dosrun/owner", lease->owner);
    doc_set_text(annotations, "dosrun/host", lease->host);
    doc_set_text(annotations, "dosrun/run", lease->run);
    doc_set_text(annotations, "dosrun/store", lease->store);
    spec = member(wanted, "spec");
    doc_set_text(spec, "holderIdentity", lease->identity);
    doc_set_int(spec, "leaseDurationSeconds", (lease->duration_ms + 999) / 1000);
    time_set(spec, "renewTime", lease->written_ms);
    if (taking) {
        time_set(spec, "acquireTime", lease->written_ms);
        doc_set_int(spec, "leaseTransitions", found ? transitions_of(found) + 1 : 0);
    }
    return wanted;
}

static void lease_remember(struct kube_lease *lease, const struct doc *found)
{
    doc_unref(lease->lease);
    lease->lease = doc_copy(found);
    lease->end_ms = lease->written_ms + lease->duration_ms;
}

/* ---- renewing ---- */

static void renew_send(struct kube_lease *lease);
static void renew_read(struct kube_lease *lease);

static void renew_due(void *ctx)
{
    struct kube_lease *lease = ctx;

    lease->timer = NULL;
    renew_send(lease);
}

static void read_due(void *ctx)
{
    struct kube_lease *lease = ctx;

    lease->timer = NULL;
    renew_read(lease);
}

static void renew_lost(struct kube_lease *lease, const struct err *err)
{
    struct err told = *err;

    if (lease->lost_told)
        return;
    lease->lost_told = true;
    lease->end_ms = 0;
    err_context(&told, "the lock %s/%s is lost", lease->namespace, lease->name);
    err_explain(&told, "R201");
    lease->lost(lease->ctx, &told);
}

/* It did not work: read what is there, until the lease is over. */
static void renew_again(struct kube_lease *lease, const struct err *err)
{
    if (world_now_ms(lease->kube->world) >= lease->end_ms)
        renew_lost(lease, err);
    else
        lease->timer =
            timer_start(lease->kube->world, lease->duration_ms / 12 < RETRY_MS ? lease->duration_ms / 12 : RETRY_MS,
                        read_due, lease);
}

static void renewed(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_lease *lease = ctx;

    (void)answer;
    lease->call = NULL;
    if (err) {
        renew_again(lease, err);
        return;
    }
    lease_remember(lease, body);
    lease->timer = timer_start(lease->kube->world, lease->duration_ms / 3, renew_due, lease);
}

static void renew_send(struct kube_lease *lease)
{
    struct doc *wanted = lease_wanted(lease, lease->lease, false);

    lease_send(lease, "PUT", wanted, renewed);
    doc_unref(wanted);
}

static void renew_seen(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_lease *lease = ctx;
    struct err taken = ERR_INIT;

    (void)answer;
    lease->call = NULL;
    if (err && err->status != 404) {
        renew_again(lease, err);
    } else if (err || !holder_is_us(lease, body) || transitions_of(body) + 1 != lease->epoch) {
        err_set(&taken, ERR_CONFLICT, "%s", err ? "somebody deleted it" : "somebody else has taken it");
        renew_lost(lease, &taken);
    } else {
        doc_unref(lease->lease);
        lease->lease = doc_copy(body);
        renew_send(lease);
    }
}

static void renew_read(struct kube_lease *lease)
{
    lease_send(lease, "GET", NULL, renew_seen);
}

/* ---- taking ---- */

static void take_read(struct kube_lease *lease);

static void take_due(void *ctx)
{
    struct kube_lease *lease = ctx;

    lease->timer = NULL;
    take_read(lease);
}

static void take_fail(struct kube_lease *lease, const struct err *err)
{
    struct err told = *err;

    if (told.kind == ERR_DENIED || (told.kind == ERR_MISSING && told.status == 404)) {
        err_context(&told, "the lock cannot be kept in namespace %s (set lock_namespace in targets.lua)",
                    lease->namespace);
        told.kind = ERR_DENIED;
        err_explain(&told, "K102");
    } else if (!told.explain[0]) {
        err_context(&told, "the lock %s/%s", lease->namespace, lease->name);
    }
    lease->taken(lease->ctx, &told);
}

static void take_held(struct kube_lease *lease, const struct doc *found, bool expired)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_CONFLICT, "the target is locked by %s since %s%s", spec_text(found, "holderIdentity"),
            spec_text(found, "acquireTime"),
            expired ? "; its lease has expired: --take-over takes it, and its undo data are lost unless its journal is "
                      "in the store"
                    : "");
    err_explain(&err, "R201");
    take_fail(lease, &err);
}

static void take_written(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_lease *lease = ctx;

    (void)answer;
    lease->call = NULL;
    if (!err) {
        lease_remember(lease, body);
        lease->epoch = transitions_of(body) + 1;
        lease->timer = timer_start(lease->kube->world, lease->duration_ms / 3, renew_due, lease);
        lease->taken(lease->ctx, NULL);
    } else if ((err->kind == ERR_CONFLICT || err->maybe_done || err->retryable) && ++lease->tries < TRIES_MAX) {
        lease->timer = timer_start(lease->kube->world, AGAIN_MS * (lease->tries - 1), take_due, lease);
    } else {
        take_fail(lease, err);
    }
}

static bool is_expired(const struct kube_lease *lease, const struct doc *found)
{
    int64_t renewed_ms = kube_time_parse(spec_text(found, "renewTime"));
    int64_t seconds = doc_as_int(doc_path(found, "spec", "leaseDurationSeconds", NULL), 0);

    return renewed_ms < 0 || renewed_ms + seconds * 1000 < world_now_ms(lease->kube->world);
}

static bool may_take(struct kube_lease *lease, const struct doc *found, bool expired)
{
    const char *host = annotation(found, "dosrun/host"), *run = annotation(found, "dosrun/run");

    if (!spec_text(found, "holderIdentity")[0] || strcmp(run, lease->run) == 0)
        return true; /* free, or left by an earlier process of this run */
    if (lease->host_alive_known && lease->owner_dead && strcmp(host, lease->host) == 0 &&
        lease->owner_dead(lease->dead_ctx, host, annotation(found, "dosrun/store")))
        return true;
    if (!expired || !lease->take_over)
        return false;
    free(lease->replaced);
    lease->replaced = mem_text(spec_text(found, "holderIdentity"));
    return true;
}

static void take_seen(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_lease *lease = ctx;
    struct doc *wanted;
    bool expired;

    (void)answer;
    lease->call = NULL;
    if (err && err->status != 404) {
        take_fail(lease, err);
        return;
    }
    expired = !err && is_expired(lease, body);
    if (!err && !may_take(lease, body, expired)) {
        take_held(lease, body, expired);
        return;
    }
    wanted = lease_wanted(lease, err ? NULL : body, true);
    lease_send(lease, err ? "POST" : "PUT", wanted, take_written);
    doc_unref(wanted);
}

static void take_read(struct kube_lease *lease)
{
    lease_send(lease, "GET", NULL, take_seen);
}

struct kube_lease *kube_lease_take(struct kube *kube, const struct kube_lease_options *options, kube_ready_fn *taken,
                                   void (*lost)(void *ctx, const struct err *err), void *ctx)
{
    struct kube_lease *lease = mem_alloc(sizeof(*lease));
    struct buf path;

    lease->kube = kube;
    lease->namespace = mem_text(options->namespace ? options->namespace : "kube-system");
    lease->name = mem_text(options->name);
    lease->owner = mem_text(options->owner);
    lease->host = mem_text(options->host);
    lease->run = mem_text(options->run);
    lease->store = options->store ? mem_text(options->store) : NULL;
    lease->host_alive_known = options->host_alive_known;
    lease->owner_dead = options->owner_dead;
    lease->dead_ctx = options->ctx;
    lease->take_over = options->take_over;
    lease->duration_ms = options->duration_ms > 0 ? options->duration_ms : 60000;
    lease->identity = mem_printf("%s@%s/%s", lease->owner, lease->host, lease->run);
    lease->taken = taken;
    lease->lost = lost;
    lease->ctx = ctx;
    buf_init(&path, 4096);
    buf_add_text(&path, "/apis/coordination.k8s.io/v1/namespaces/");
    url_escape(&path, view_of(lease->namespace));
    buf_add_text(&path, "/leases");
    lease->list_path = mem_text(buf_text(&path));
    buf_add_char(&path, '/');
    url_escape(&path, view_of(lease->name));
    lease->path = buf_take(&path);
    take_read(lease);
    return lease;
}

int64_t kube_lease_epoch(const struct kube_lease *lease)
{
    return lease->epoch;
}

const char *kube_lease_replaced(const struct kube_lease *lease)
{
    return lease->replaced;
}

bool kube_lease_lost(const struct kube_lease *lease)
{
    return lease->lost_told;
}

int64_t kube_lease_acts_until(const struct kube_lease *lease)
{
    return lease->end_ms ? lease->end_ms - lease->duration_ms / 3 : 0;
}

/* ---- releasing ---- */

static void release_read(struct kube_lease *lease);

static void release_end(struct kube_lease *lease, const struct err *err)
{
    kube_ready_fn *fn = lease->released;
    void *ctx = lease->released_ctx;

    lease_free(lease);
    if (fn)
        fn(ctx, err);
}

static void release_now(void *ctx)
{
    struct kube_lease *lease = ctx;

    lease->timer = NULL;
    if (!lease->epoch || lease->lost_told)
        release_end(lease, NULL); /* it is not ours: nothing to give back */
    else
        release_read(lease);
}

static void release_written(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_lease *lease = ctx;

    (void)body;
    (void)answer;
    lease->call = NULL;
    if (err && (err->kind == ERR_CONFLICT || err->maybe_done || err->retryable) && ++lease->tries < TRIES_MAX)
        lease->timer = timer_start(lease->kube->world, AGAIN_MS * lease->tries, release_now, lease);
    else
        release_end(lease, err && err->status != 404 ? err : NULL);
}

static void release_seen(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_lease *lease = ctx;
    struct doc *wanted;

    (void)answer;
    lease->call = NULL;
    if (err || !holder_is_us(lease, body) || transitions_of(body) + 1 != lease->epoch) {
        release_end(lease, err && err->status != 404 ? err : NULL);
        return;
    }
    wanted = doc_copy(body);
    doc_set_text(member(wanted, "spec"), "holderIdentity", "");
    lease_send(lease, "PUT", wanted, release_written);
    doc_unref(wanted);
}

static void release_read(struct kube_lease *lease)
{
    lease_send(lease, "GET", NULL, release_seen);
}

void kube_lease_release(struct kube_lease *lease, kube_ready_fn *released, void *ctx)
{
    if (lease->call)
        kube_cancel(lease->call); /* a renewal on its way changes the version: then the release reads once more */
    lease->call = NULL;
    timer_stop(lease->timer);
    lease->released = released;
    lease->released_ctx = ctx;
    lease->tries = 0;
    lease->timer = timer_start(lease->kube->world, 0, release_now, lease);
}
