#pragma once
/*
 * kube: a client of one Kubernetes API server.
 * Owns: kubeconfig and its credentials, discovery, watches, the arithmetic of managed fields, the
 * Lease that is a run's lock, the kube.* words of the undo vocabulary.
 * Never: knows manifests' order, readiness or inventories (lua/dosrun/kube), runs, verbs.
 */
#include "base/undo.h"
#include "codec/doc.h"
#include "http/http.h"

/* ---- kubeconfig (config.c, auth_<source>.c) ----
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */

/* Asks somebody else for a bearer token, and calls got once: at once or later. refused: the server did not take the last
   one. A token is plain and borrowed during the call; expires_ms in wall time, 0: never. Who frees the client sees to it
   that no answer comes afterwards. */
typedef void kube_token_got_fn(void *got_ctx, const char *token, int64_t expires_ms, const struct err *err);
typedef void kube_token_fn(void *ctx, bool refused, kube_token_got_fn *got, void *got_ctx);

struct kube_config_options {
    const char *kubeconfig;  /* value of KUBECONFIG: a list of files by ":"; NULL or "" : ~/.kube/config */
    const char *home;        /* for ~/.kube/config; NULL: not looked at */
    const char *context;     /* NULL: current-context */
    const struct doc *inline_config; /* a kubeconfig as a document, instead of files (the sandbox, EKS) */
    kube_token_fn *token;    /* who we are, whatever the user's entry says; NULL: what it says */
    void *token_ctx;
    const char *token_source; /* with token: kube_config_source */
    bool in_cluster;         /* look at the service account's files too */
    bool insecure_allowed;   /* --insecure-skip-tls-verify was given */
};

struct kube_config;
/* Merged as kubectl merges. An error without any configuration is ERR_AUTH, explain H301, and lists
   each place looked at with why it gave nothing; a broken file is ERR_USAGE with file:line (C601). */
struct kube_config *kube_config_load(struct world *world, const struct kube_config_options *options, struct err *err);
void kube_config_free(struct kube_config *config);
const char *kube_config_context(const struct kube_config *config);
const char *kube_config_server(const struct kube_config *config);
const char *kube_config_namespace(const struct kube_config *config); /* "default" when unset */
/* "token", "token file /x", "client certificate", "exec aws", ...: where the identity comes from. */
const char *kube_config_source(const struct kube_config *config);

/* ---- client ---- */

struct marks;
struct kube;
/* Borrows world, http and marks (those of http); takes config. */
struct kube *kube_new(struct world *world, struct http *http, struct marks *marks, struct kube_config *config);
void kube_free(struct kube *kube);
const struct kube_config *kube_config_of(const struct kube *kube);

struct kube_request {
    const char *method;       /* GET, POST, PUT, PATCH, DELETE */
    const char *path;         /* "/api/v1/...", without the server; names already escaped (kube_path) */
    const struct doc *query;  /* object of strings, or NULL */
    const struct doc *body;   /* may hold marks; NULL: none */
    const char *content_type; /* NULL: application/json; "application/apply-patch+yaml", "application/merge-patch+json", ... */
    enum http_class class;    /* dry runs and access reviews read */
    enum http_repeat repeat;
    bool backward;
    int64_t timeout_ms;       /* 0: 30 s */
    int attempts_max;         /* 0: the table's */
    void *owner;
    uint64_t logical;
    bool guarded;             /* as in http_request: a uid or resourceVersion makes a late arrival harmless */
    const char *subject;
};

/* Parsed answer, borrowed; body NULL when there was none or it was no JSON (answer->body is empty else). err: as http, with code =
   the Status' reason, message = the Status' message in its own words, and for Secrets nothing of the body.
   Values of Secrets' data arrive as marks, never as plain text. */
typedef void kube_answer_fn(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err);
struct kube_call;
struct kube_call *kube_send(struct kube *kube, const struct kube_request *request, kube_answer_fn *fn, void *ctx);
void kube_cancel(struct kube_call *call);

/* A raw text answer in pieces: pod logs, followed ones too. */
struct kube_call *kube_stream(struct kube *kube, const struct kube_request *request,
                              void (*piece)(void *ctx, struct view bytes), kube_answer_fn *fn, void *ctx);

/* ---- discovery (discovery.c); aggregated v2, else group by group; cached until kube_rediscover ---- */

struct kube_resource {
    const char *group, *version, *kind, *plural, *singular; /* group "" for core */
    bool namespaced;
    bool watchable, patchable;
    bool preferred; /* version is the group's preferred one */
};
typedef void kube_ready_fn(void *ctx, const struct err *err);
void kube_discover(struct kube *kube, kube_ready_fn *fn, void *ctx);
void kube_rediscover(struct kube *kube); /* forget: a CRD came or went */
/* After kube_discover. By apiVersion ("apps/v1") and kind; or api_version NULL and kind, plural, singular
   or short name, also "plural.group". NULL when unknown; err then has did-you-mean (K103). */
const struct kube_resource *kube_resource_find(const struct kube *kube, const char *api_version, const char *word, struct err *err);
size_t kube_resource_count(const struct kube *kube);
const struct kube_resource *kube_resource_at(const struct kube *kube, size_t index);
/* "/apis/apps/v1/namespaces/NS/deployments/NAME/SUB"; namespace, name, sub may be NULL. */
void kube_path(struct buf *out, const struct kube_resource *resource, const char *namespace, const char *name, const char *sub);

/* ---- watch (watch.c): one list+watch per kind and namespace, shared by every waiter; its objects lack managedFields ---- */

struct kube_watch;
struct kube_watch_fns {
    /* Something changed, or the first list is there. Also after a relist. */
    void (*changed)(void *ctx);
    /* It cannot go on (403, kind gone); reads stay possible. Passing trouble is retried inside. */
    void (*failed)(void *ctx, const struct err *err);
};
/* namespace NULL: all. */
struct kube_watch *kube_watch_open(struct kube *kube, const struct kube_resource *resource, const char *namespace,
                                   const struct kube_watch_fns *fns, void *ctx);
void kube_watch_close(struct kube_watch *watch);
bool kube_watch_synced(const struct kube_watch *watch); /* the first list is there */
struct doc *kube_watch_get(const struct kube_watch *watch, const char *namespace, const char *name); /* borrowed */
typedef bool kube_watch_each_fn(void *ctx, const struct doc *object);
void kube_watch_each(const struct kube_watch *watch, kube_watch_each_fn *fn, void *ctx); /* sorted by namespace, name */
const char *kube_watch_trouble(const struct kube_watch *watch); /* NULL, or why it is behind */

/* ---- managed fields (fields.c); structured-merge-diff's FieldsV1 ---- */

/* What manager `manager` owns by Apply in `object`, as the apply body that would own just that (apiVersion,
   kind, name and namespace included). NULL when it owns nothing by Apply. */
struct doc *kube_fields_applied(const struct doc *object, const char *manager);
/* True when applying `manifest` as manager would surely change nothing: it owns exactly the manifest's
   leaves and their live values are equal. False means: ask the server by a dry run. */
bool kube_fields_settled(const struct doc *object, const struct doc *manifest, const char *manager);
/* Manager of the field at this JSON pointer, with its time: "kube-controller-manager (2030-...)"; NULL. Pointers
   name list elements by index in `object`. free() it. */
char *kube_fields_manager(const struct doc *object, const char *pointer);
/* Differences of two objects, server bookkeeping left out (status, managedFields, resourceVersion,
   generation, uid, creationTimestamp, selfLink): array of {path, pointer, old?, new?, owner?}. Lists whose
   elements have a name (or another merge key) are compared by it: path "spec.containers[name=x].image". */
struct doc *kube_fields_diff(const struct doc *before, const struct doc *after);
/* The object without that bookkeeping (uid kept when asked). */
struct doc *kube_object_trim(const struct doc *object, bool keep_uid);

/* ---- undo (undo.c) ---- */

/* Handlers for kube.delete, kube.fields, kube.create; kube borrowed. */
void kube_undo_handlers(struct kube *kube, struct undo_handler handlers[3]);

/* ---- lock (lease.c): coordination.k8s.io/v1 Lease dosrun-<target> in lock_namespace ---- */

struct kube_lease_options {
    const char *namespace, *name; /* "kube-system" unless targets.lua says otherwise */
    const char *owner, *host, *run; /* holderIdentity "owner@host/run" + annotations */
    bool host_alive_known;        /* a dead owner on this host is replaced at once: pid_alive tells */
    const char *store;            /* id of the state folder that the owner acts from; NULL: unknown */
    bool (*owner_dead)(void *ctx, const char *host, const char *store);
    void *ctx;
    bool take_over;               /* an expired lease of another host may be taken */
    int64_t duration_ms;          /* 60 s */
};
struct kube_lease;
/* The owner of the lease's own requests (http_request.owner): the gate lets them pass, they are no change of a run. */
extern const char kube_lock_owner[];
/* taken: err NULL. Held: ERR_CONFLICT with holder and since in the message (R201); 403: ERR_DENIED naming
   lock_namespace. Renews itself until released; lost is told once. */
struct kube_lease *kube_lease_take(struct kube *kube, const struct kube_lease_options *options, kube_ready_fn *taken,
                                   void (*lost)(void *ctx, const struct err *err), void *ctx);
int64_t kube_lease_epoch(const struct kube_lease *lease);
/* Whom --take-over took the lock from; NULL when it was free, ours, or of an owner known to be dead. */
const char *kube_lease_replaced(const struct kube_lease *lease);
bool kube_lease_lost(const struct kube_lease *lease); /* somebody else has it: nothing may be changed any more */
/* Wall time until which changing calls may be started: the lease's end less a third of its duration. */
int64_t kube_lease_acts_until(const struct kube_lease *lease);
/* Clears the holder when it is ours, then frees; also after taken told an error. released may be NULL. */
void kube_lease_release(struct kube_lease *lease, kube_ready_fn *released, void *ctx);

/* The cluster's identity: uid of namespace kube-system. */
void kube_identity(struct kube *kube, void (*fn)(void *ctx, const char *uid, const struct err *err), void *ctx);
