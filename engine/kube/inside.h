#pragma once
/* What the files of this room share among themselves; nobody else includes it. */
#include "base/list.h"
#include "base/secret.h"
#include "kube/kube.h"

/* The field manager of everything that dosrun applies. */
#define KUBE_MANAGER "dosrun"

/* ---- times.c ---- */

int64_t kube_time_parse(const char *text);         /* RFC 3339 to ms since 1970; -1 when it is none */
void kube_time_add(struct buf *out, int64_t ms);   /* Kubernetes' MicroTime: 2030-01-01T00:00:00.000000Z */

/* ---- config.c ---- */

struct kube_config {
    char *context, *server, *namespace, *source;
    char *proxy;
    char *ca_pem, *cert_pem, *key_pem, *server_name;
    bool insecure;
    char *token, *token_file, *username, *password;
    kube_token_fn *token_fn; /* in place of all of them; NULL: none */
    void *token_ctx;
    struct doc *exec;        /* the user's exec section, command already resolved */
    struct doc *exec_config; /* the cluster's extension for it, or NULL */
    struct doc *impersonate; /* array of {name, value}: headers */
};

/* Frees a text after wiping it; accepts NULL. */
void kube_secret_free(char *text);

/* ---- auth.c: who asks ---- */

/* A request that waits for credentials. */
struct kube_auth_waiter {
    struct list link; /* in the source's list while it waits; to give up, remove it */
    void (*done)(struct kube_auth_waiter *waiter, const struct err *err);
};

/*
 * A source of credentials: its functions, embedded first. `generation` counts how often they became others; who was
 * refused says which one it had used, so that a hundred refused calls renew once.
 */
struct kube_auth {
    const struct kube_auth_ops *ops;
    uint64_t generation;
};
struct kube_auth_ops {
    /* Calls waiter->done, at once or later, when there are valid credentials of a generation after `refused`
       (0: any), or surely none. */
    void (*ready)(struct kube_auth *auth, uint64_t refused, struct kube_auth_waiter *waiter);
    /* After ready: adds the headers. */
    void (*add)(struct kube_auth *auth, struct http_call *call);
    /* Nobody may be waiting any more. */
    void (*free)(struct kube_auth *auth);
};
typedef void kube_certificate_fn(void *ctx, const char *cert_pem, const char *key_pem);

/* Trust and client certificate; a renewed certificate gets a new one, the old ones live until the client is freed. */
struct kube_tls {
    struct tls tls;
    struct kube_tls *older;
    char *cert_pem, *key_pem; /* owned; NULL: those of the config */
};

struct kube_auth *kube_auth_token_new(struct world *world, const struct kube_config *config);
struct kube_auth *kube_auth_asked_new(struct world *world, const struct kube_config *config);
struct kube_auth *kube_auth_basic_new(const struct kube_config *config);
struct kube_auth *kube_auth_none_new(void);
/* certificate: told when the program handed out a client certificate. */
struct kube_auth *kube_auth_exec_new(struct world *world, const struct kube_config *config,
                                     kube_certificate_fn *certificate, void *ctx);
struct kube_auth *kube_auth_new(struct world *world, const struct kube_config *config, kube_certificate_fn *certificate,
                                void *ctx);

/* ---- client.c ---- */

struct kube_discovery;
struct kube {
    struct world *world;
    struct http *http;
    struct marks *marks;
    struct kube_config *config;
    struct kube_auth *auth;
    struct kube_tls *tls;
    struct list calls;
    struct kube_discovery *discovery;
    struct list sources; /* of watches */
};

/* kube_send with an Accept header of its own, and idle time for streams. */
struct kube_call *kube_send_accept(struct kube *kube, const struct kube_request *request, const char *accept,
                                   kube_answer_fn *fn, void *ctx);
struct kube_call *kube_stream_idle(struct kube *kube, const struct kube_request *request, int64_t idle_timeout_ms,
                                   void (*piece)(void *ctx, struct view bytes), kube_answer_fn *fn, void *ctx);

/* mask.c: values of Secrets in a parsed answer (object, list, watch event) become marks. */
void kube_mask_secrets(struct marks *marks, struct doc *body);
/* The body as JSON text whose marks, once revealed, still are JSON. */
int kube_body_add(struct buf *out, struct marks *marks, const struct doc *body, struct err *err)
    __attribute__((warn_unused_result));

/* status.c: Status objects into errors; the second for requests about Secrets, whose values may be quoted in it. */
void kube_status_error(void *ctx, const struct http_answer *answer, struct err *err);
void kube_status_error_secret(void *ctx, const struct http_answer *answer, struct err *err);

/* ---- discovery.c ---- */

struct kube_discovery *kube_discovery_new(struct kube *kube);
void kube_discovery_free(struct kube_discovery *discovery);
/* What kube_resource does not show. */
bool kube_resource_listable(const struct kube_resource *resource); /* list and delete */

/* ---- watch.c ---- */

void kube_watch_free_all(struct kube *kube); /* ends the sources; handles still open are dead */

/* ---- list.c ---- */

/* Every object of a kind, page by page. items: array (borrowed), each with apiVersion and kind. */
struct kube_list;
typedef void kube_list_fn(void *ctx, struct doc *items, const char *resource_version, const struct err *err);
struct kube_list *kube_list_start(struct kube *kube, const struct kube_resource *resource, const char *namespace,
                                  bool backward, kube_list_fn *fn, void *ctx);
void kube_list_cancel(struct kube_list *list); /* accepts NULL */

/* ---- fields_path.c: places in objects that survive another order of list elements ----
 * An array of steps: a key; {mergeKey: value} for a list element found by it; an index. */

struct doc *kube_place_get(const struct doc *object, const struct doc *place);
void kube_place_set(struct doc *object, const struct doc *place, const struct doc *value); /* makes what lacks on the way */
void kube_place_remove(struct doc *object, const struct doc *place); /* and what it leaves empty above */
void kube_place_text(struct buf *out, const struct doc *place);      /* spec.containers[name=x].image */
/* JSON pointer in object; the part that exists, when not all does (then false, and it ends with the first missing token). */
bool kube_place_pointer(const struct doc *object, const struct doc *place, struct buf *out);

/* Manager of the place in this version of the object (may be NULL), other than `except`; NULL when nobody owns it. */
const char *kube_place_owner(const struct doc *object, const struct doc *place, const char *except);

enum { KUBE_SIDES_MAX = 3 };
/* Walks several versions of one object at once; fn gets every leaf that is in any of them (NULL where it is not). */
typedef void kube_leaf_fn(void *ctx, const struct doc *place, struct doc *const values[KUBE_SIDES_MAX]);
/* whole: what only one side has is told as it is, not leaf by leaf. */
void kube_walk(struct doc *const sides[], size_t count, bool whole, kube_leaf_fn *fn, void *ctx);

/* ---- fields.c ---- */

/* The manager that owns what is at this pointer; entry of managedFields, borrowed, or NULL. except: not this manager. */
const struct doc *kube_fields_owner(const struct doc *object, const char *pointer, const char *except);
bool kube_fields_owned_by(const struct doc *object, const char *pointer, const char *manager);

/* ---- undo_gone.c, undo_inside.c ---- */

/* Waits until the object with this uid is not there any more; after 5 minutes an error that names what holds it (K108). */
void kube_gone_wait(struct kube *kube, const struct kube_resource *resource, const char *namespace, const char *name,
                    const char *uid, kube_ready_fn *fn, void *ctx);

/* What others have put into a Namespace, or made of a CustomResourceDefinition: array (taken) of {what, manager?}. */
typedef void kube_inside_fn(void *ctx, struct doc *foreign, const struct err *err);
bool kube_is_container(const struct doc *object);
/* planned: what dosrun made, which an undo would have taken away by then, does not count. */
void kube_inside_look(struct kube *kube, const struct doc *container, bool planned, kube_inside_fn *fn, void *ctx);

/* ---- undo.c, undo_delete.c, undo_fields.c, undo_create.c ---- */

/* One undo under way. It looks, and what it finds decides on one step; after each step it looks again, until there is
   nothing left to do. So it may be interrupted anywhere and started over. */
struct kube_undo {
    struct kube *kube;
    struct doc *undo, *before, *after;
    const struct kube_resource *resource;
    const char *api_version, *kind, *namespace, *name, *uid; /* views into undo; uid NULL when unknown */
    char *what;                                              /* "Deployment dos-game/game" */
    bool plan;
    int64_t settle_ms;
    bool seen_settles;
    void *owner;
    void (*found)(struct kube_undo *task, const struct doc *live); /* live NULL: not there */
    undo_done_fn *done;
    void *done_ctx;
    struct doc *left, *would; /* arrays */
    int looks, failures;
    bool rediscovered;
    bool changed; /* something was sent and accepted */
    struct timer *timer;
    /* kube.fields */
    struct doc *ours; /* object: paths that were seen to be of our making */
    bool applied, patched, scale_known, scaled;
    int given_back; /* patches under others' names; bounded */
};
void kube_undo_delete_found(struct kube_undo *task, const struct doc *live);
void kube_undo_fields_found(struct kube_undo *task, const struct doc *live);
void kube_undo_create_found(struct kube_undo *task, const struct doc *live);

void kube_undo_look(struct kube_undo *task);
/* While "not there" (or, for kube.create, "there") is not believed yet: looks again later and returns true. */
bool kube_undo_unsettled(struct kube_undo *task);
void kube_undo_end(struct kube_undo *task, enum undo_outcome outcome, const struct err *err); /* frees the task */
void kube_undo_left(struct kube_undo *task, const char *place, const char *manager, const struct doc *now);
void kube_undo_would(struct kube_undo *task, const char *format, ...) __attribute__((format(printf, 2, 3)));
void kube_undo_gone(struct kube_undo *task, const struct doc *live); /* waits until it is gone, then looks again */
/* Changes the task's object, then looks again (or ends: refused). query and body are taken. */
void kube_undo_change(struct kube_undo *task, const char *method, const char *content_type, struct doc *query,
                      struct doc *body);
