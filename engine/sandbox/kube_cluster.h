#pragma once
/*
 * The simulated API server, inside: the store of objects, how a write goes through it, and what
 * the neighbouring kube_*.c files offer each other.
 * Owns: every object of the simulated cluster and its versions.
 * Never: changes a stored document in place; answers for a kind that its tables do not name.
 * Sources of the rules: the published Kubernetes API reference and API conventions, v1.34.
 */
#include "sandbox/host_lua.h"
#include "sandbox/kube_shape.h"
#include "sandbox/sim.h"

/* One version of an object; documents in the store are shared and never changed. */
struct object {
    struct doc *doc;
    char *namespace, *name; /* "" for cluster scope */
    bool boot;              /* existed when the cluster was made: its uid is part of the canonical store */
};

/* A served resource; all versions of a custom one share their objects. */
struct resource {
    char *group, *plural, *kind;
    char **versions;         /* served ones, the storage version (which all are stored as) first */
    size_t versions_len;
    struct doc *info;        /* the row of resources.lua, or what a CRD says in the same form */
    struct shape *shape;     /* shape of the kind; of the storage version for custom ones */
    bool namespaced, custom, generation, status, scale;
    struct object **objects; /* sorted by namespace, then name */
    size_t objects_len, objects_cap;
};

enum change { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };

/* What a watch can still be told. */
struct history {
    uint64_t version;
    enum change change;
    struct resource *resource;
    struct doc *doc, *before; /* before: NULL for ADDED */
};

struct cluster {
    struct sim_server server;
    struct sim *sim;
    char *target;
    char *eks;               /* its name in EKS, which its tokens are made for; NULL: it is none */
    struct sim_server *aws;  /* with eks: knows who signed them */
    struct lua_State *lua;
    struct shapes *shapes;
    struct resource **resources;
    size_t resources_len, resources_cap;
    uint64_t version;        /* last resourceVersion given out */
    uint64_t boot_version;   /* objects up to here are as bootstrap left them, settled */
    uint64_t history_oldest; /* watches from below this are too old */
    struct history *history; /* ring, in order of version */
    size_t history_len, history_start;
    struct list watches;
    struct list lags;        /* state faults that hide or add things in reads, kube_fault.c */
    struct controllers *controllers;
    bool live;               /* started: effects are logged, controllers run */
    bool booting;
};

struct cluster *cluster_of(struct sim_server *server);

/* ---- kube_store.c ---- */

struct resource *objects_resource(struct cluster *cluster, const char *group, const char *plural);
struct resource *objects_kind(struct cluster *cluster, const char *group, const char *kind);
struct resource *objects_add_resource(struct cluster *cluster, const struct doc *info, struct shape *shape);
void objects_remove_resource(struct cluster *cluster, struct resource *resource);
bool resource_serves(const struct resource *resource, const char *version);
struct object *objects_find(const struct resource *resource, const char *namespace, const char *name);
/* Index of the first object that is not below (namespace, name). */
size_t objects_index(const struct resource *resource, const char *namespace, const char *name);
/* Takes doc, gives it the next resourceVersion, logs it, tells watches and controllers. Borrowed result. */
struct doc *objects_put(struct cluster *cluster, struct resource *resource, struct doc *take);
void objects_delete(struct cluster *cluster, struct resource *resource, struct object *object);
void objects_replay(struct cluster *cluster, const struct doc *effect);
void objects_snapshot(struct cluster *cluster, void (*put)(void *ctx, struct doc *effect), void *ctx);
void objects_free(struct cluster *cluster);
const struct history *history_at(const struct cluster *cluster, size_t index);
/* "2030-01-01T00:00:05Z" */
void cluster_time(struct cluster *cluster, char out[32]);
struct doc *cluster_time_doc(struct cluster *cluster);

/* ---- kube_status.c: Status objects, in the server's own words ---- */

struct doc *status_new(int code, const char *reason, const char *format, ...) __attribute__((format(printf, 3, 4)));
struct doc *status_details(struct doc *status); /* borrowed, made when missing */
void status_cause(struct doc *status, const char *reason, const char *field, const char *message);
struct doc *status_for(struct doc *take, const struct resource *resource, const char *name); /* fills details */
struct doc *status_not_found(const struct resource *resource, const char *name);
struct doc *status_conflict(const struct resource *resource, const char *name, const char *why);
/* causes: array of {reason, field, message}; 422. */
struct doc *status_invalid(const struct resource *resource, const char *name, const struct doc *causes);
/* "deployments.apps", "pods" */
void resource_name_add(struct buf *out, const struct resource *resource);
/* "Deployment.apps", "Pod" */
void resource_kind_add(struct buf *out, const struct resource *resource);

/* ---- writes ---- */

enum write_check { CHECK_IGNORE, CHECK_WARN, CHECK_STRICT };

/* One change on its way in. `status` says why it failed. */
struct write {
    struct cluster *cluster;
    struct resource *resource;
    const char *version, *namespace, *name;
    const char *subresource; /* "" for the object itself */
    const char *manager;
    bool dry_run, force, apply, strategic;
    enum write_check check;
    const struct doc *patch; /* what a patch that is no apply made of the object, for its refusals */
    int code;             /* 200, or 201 when the object was made */
    struct doc *warnings; /* array of text, or NULL */
    struct doc *status;   /* owned; NULL as long as all is well */
};
void write_init(struct write *write, struct cluster *cluster, struct resource *resource);
void write_clear(struct write *write);
bool write_fail(struct write *write, struct doc *take_status); /* always false */
void write_warn(struct write *write, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* kube_write.c. Bodies are taken; results are new references, NULL with write->status set. */
struct doc *write_create(struct write *write, struct doc *body);
struct doc *write_update(struct write *write, struct doc *body, bool may_create);
struct doc *write_patch(struct write *write, const char *type, struct view body);
/* options: a DeleteOptions object or NULL. Result: the object, or a Status when it is gone. */
struct doc *write_delete(struct write *write, const struct doc *options);
/* Takes one finalizer away, for controllers; the object goes when it was the last one of a deletion. */
bool delete_finalizer(struct write *write, const char *finalizer);
/* The stored object as that version shows it. New reference. */
struct doc *object_as(const struct resource *resource, const char *version, const struct doc *doc);
/* Common tail of all writes: object (taken) replaces old (NULL: it is made). */
struct doc *write_finish(struct write *write, const struct doc *old, struct doc *object);

/* Replaces the status of the stored object; nothing else is looked at. */
bool write_status(struct write *write, const struct doc *status);

/* kube_scale.c */
struct doc *scale_of(const struct resource *resource, const struct doc *object);
struct doc *scale_write(struct write *write, const struct doc *scale);

/* kube_patch.c: the patched copy of `live`, NULL with write->status set. */
struct doc *patch_merge(struct write *write, const struct doc *live, const char *type, struct view body);
/* kube_apply.c: managedFields of `object` after a write that is not an apply. */
void managed_update(struct write *write, const struct doc *old, struct doc *object);
/* The merged object with its managedFields, NULL with write->status set (conflict, bad types). */
struct doc *managed_apply(struct write *write, const struct doc *old, const struct doc *config);
bool managed_same(const struct doc *a, const struct doc *b); /* but for times */

/* kube_decode.c: what the server's decoder and defaulter do to a built-in or custom object. */
bool decode_object(struct write *write, struct doc *object);
struct doc *decode_field_value(struct write *write, const char *field, const struct doc *value);
void decode_default(const struct write *write, struct doc *object);
/* kube_validate.c: adds causes {reason, field, message} */
void validate_object(struct write *write, const struct doc *object, const struct doc *old, struct doc *causes);
/* kube_openapi.c */
void openapi_validate(struct write *write, const struct doc *object, const struct doc *old, struct doc *causes);
void cause_add(struct doc *causes, const char *reason, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* kube_rules.c: what resources' Lua rules add (lua/sandbox/rules_*.lua). */
void rules_default(struct write *write, struct doc *object);
void rules_prepare(struct write *write, struct doc *object, const struct doc *old);
void rules_validate(struct write *write, const struct doc *object, const struct doc *old, struct doc *causes);
void rules_warn(struct write *write, const struct doc *object); /* once it is valid */
/* Admission: false with write->status set. */
bool rules_admit(struct write *write, struct doc *object, const struct doc *old);

/* ---- kube_request.c, kube_discovery.c, kube_watch.c ---- */

/* What a request is about; a POST's name comes from its body. */
struct target {
    struct resource *resource;
    char *namespace, *name;
};
bool request_target(struct cluster *cluster, const struct sim_request *http, struct target *target);
void target_clear(struct target *target);
void request_handle(struct cluster *cluster, const struct sim_request *http, struct sim_reply *reply);
/* true when the path was one of discovery, version, health */
bool discovery_handle(struct cluster *cluster, const struct sim_request *http, struct sim_reply *reply);
/* JSON answer with Warning headers; plain text answer. */
/* kube_metrics.c: the metrics API; who one is and what one may do (false: the request is neither) */
void metrics_answer(struct cluster *cluster, const struct resource *resource, const char *namespace, const char *name,
                    struct sim_reply *reply);
bool review_answer(const struct sim_request *http, struct sim_reply *reply);
void reply_doc(struct sim_reply *reply, int code, const struct doc *doc, const struct doc *warnings);
void reply_text(struct sim_reply *reply, int code, const char *text);
/* kube_list.c */
void list_answer(struct cluster *cluster, struct resource *resource, const char *version, const char *namespace,
                 const struct sim_request *http, struct sim_reply *reply);
struct doc *list_delete(struct write *write, const struct sim_request *http, const struct doc *options);
struct selector;
struct selector *selector_parse(const struct resource *resource, const char *labels, const char *fields,
                                struct doc **status);
bool selector_match(const struct selector *selector, const struct doc *object);
void selector_free(struct selector *selector);
void watch_start(struct cluster *cluster, struct resource *resource, const char *version, const char *namespace,
                 const struct sim_request *http, struct sim_reply *reply);
void watch_notify(struct cluster *cluster, const struct history *change);
void watch_drop(struct cluster *cluster, const struct resource *resource);
void watch_free_all(struct cluster *cluster);

/* kube_lua.c: host_lua.h, for a state whose host is the cluster. */
struct cluster *host_lua_cluster(struct lua_State *lua);

/* ---- kube_controllers.c, kube_crd.c, kube_boot.c, kube_show.c, kube_fault.c ---- */

struct controllers *controllers_new(struct cluster *cluster);
void controllers_notify(struct cluster *cluster, struct resource *resource, const struct doc *object,
                        const struct doc *before);
void controllers_start(struct cluster *cluster); /* every object once */
/* Text of the log, or NULL and *status set. */
char *controllers_pod_log(struct cluster *cluster, const struct doc *pod, const char *container, bool previous,
                          struct doc **status);
void controllers_free(struct controllers *controllers);
void crd_serve(struct cluster *cluster, const struct doc *crd);
void crd_withdraw(struct cluster *cluster, const struct doc *crd);
void crd_validate(const struct doc *crd, struct doc *causes);
/* For Lua: the functions of `api`, kube_api.c. */
void api_open(struct cluster *cluster);
/* Reconciles "controller/namespace/name" after a while; the earliest of equal keys counts. */
void controllers_enqueue(struct cluster *cluster, const char *key, int64_t delay_ms);
void boot_cluster(struct cluster *cluster);
void show_cluster(struct cluster *cluster, bool raw, struct buf *out);
bool fault_strike(struct cluster *cluster, const struct sim_request *http, const char *kind);
/* What a read sees: the object, an older one, or NULL. Borrowed. */
const struct doc *fault_read(struct cluster *cluster, const struct resource *resource, const struct object *object,
                             const char *namespace, const char *name, bool list);
/* Adds deleted items that a "ghost" fault still lists. */
void fault_ghosts(struct cluster *cluster, const struct resource *resource, const char *namespace, struct doc *items);
bool fault_refuses(struct cluster *cluster, const struct resource *resource, const char *namespace, const char *name);
/* A "stuck" fault holds the work that controllers do for this object. */
bool fault_holds(struct cluster *cluster, const char *namespace, const char *name);
void fault_free_all(struct cluster *cluster);
