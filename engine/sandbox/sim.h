#pragma once
/*
 * Between the sandbox's doors and the servers that it simulates: a request, a reply that may
 * stream, time, and the log that makes an effect last before its answer is given.
 */
#include "base/list.h"
#include "codec/doc.h"
#include "world/world.h"

struct sim; /* the sandbox as its servers see it */

int64_t sim_now_ms(struct sim *sim); /* virtual wall clock */
/* Runs fn after delay_ms of virtual time; order of equal times is the order of calls. */
struct sim_timer;
struct sim_timer *sim_after(struct sim *sim, int64_t delay_ms, void (*fn)(void *ctx), void *ctx);
void sim_timer_stop(struct sim_timer *timer);
const char *sim_account(const struct sim *sim); /* of AWS */
uint64_t sim_seed(const struct sim *sim);
/* HMAC(seed, purpose) as lower-case hex, len digits (64 at most) */
void sim_hex(struct sim *sim, const char *purpose, char *out, size_t len);
/* A random-looking v4 UUID made of HMAC(seed, purpose). out holds 37 bytes. */
void sim_uuid(struct sim *sim, const char *purpose, char *out);

/* Appends one effect {"of": server, ...} to the state file (written, not synced). Takes the doc. */
void sim_log(struct sim *sim, struct doc *effect);

struct sim_request {
    const char *method;
    struct view scheme, host; /* host without port */
    int port;
    struct view target;       /* path and query as they were sent */
    const char *path;         /* decoded, without query */
    struct doc *query;        /* object: name -> string, decoded (the last one wins) */
    const struct header *headers;
    size_t headers_len;
    struct view body;
};
const char *sim_header(const struct sim_request *request, const char *name); /* any case */

/* An answer under way. Freed by its end; a server that keeps one (watch) is told when the client goes. */
struct sim_reply;
void sim_reply_head(struct sim_reply *reply, int status, const struct header *headers, size_t headers_len);
void sim_reply_body(struct sim_reply *reply, struct view bytes);
void sim_reply_end(struct sim_reply *reply);
/* All in one: JSON body. Takes the doc. */
void sim_reply_doc(struct sim_reply *reply, int status, struct doc *take);
/* Called when the client cancelled or a fault cut the stream; the reply must not be touched after. */
void sim_reply_on_gone(struct sim_reply *reply, void (*gone)(void *ctx), void *ctx);

/*
 * A simulated server. The sandbox calls handle for each request that reaches it (faults have been
 * applied before: a "before" fault never gets here; an "after" fault comes here and its answer is
 * thrown away). handle answers at once or keeps the reply.
 */
struct sim_server {
    const char *name;                                              /* "kube", "gateway"; `of` in the log */
    bool (*serves)(struct sim_server *, const struct sim_request *); /* by host */
    void (*handle)(struct sim_server *, const struct sim_request *, struct sim_reply *);
    /* One effect read back from the state file, in order; then `started` once. */
    void (*replay)(struct sim_server *, const struct doc *effect);
    void (*started)(struct sim_server *);
    /* The whole state as effects, for a fresh, compact state file. */
    void (*snapshot)(struct sim_server *, void (*put)(void *ctx, struct doc *effect), void *ctx);
    /* Adds lines of the canonical store. */
    void (*show)(struct sim_server *, bool raw, struct buf *out);
    /* State faults (stale, ghost, stuck, foreign, unready) aimed at the resource of this request;
       returns false when the fault means nothing here. */
    bool (*fault)(struct sim_server *, const struct sim_request *, const char *kind);
    /* The answer of a wire fault (throttle, expired, forbidden, ...) in the server's own words; NULL: answer.c has them. */
    void (*refuse)(struct sim_server *, const struct sim_request *, struct sim_reply *, const char *kind);
    void (*free)(struct sim_server *);
};

/* aws_server.c: the simulated AWS account. */
struct sim_server *sim_aws_new(struct sim *sim);
/* An EKS cluster, which is the simulated one; no effect when it is there. */
void sim_aws_cluster(struct sim_server *aws, const char *region, const char *name);
/* aws_token.c: does STS take this EKS token, as one for this cluster? "" or why it does not. */
void sim_aws_token(struct sim_server *aws, struct view token, const char *cluster, struct buf *why);
/* kube_server.c: one simulated cluster per target. */
struct sim_server *sim_kube_new(struct sim *sim, const char *target);
/* From now on it is this EKS cluster: who has no token for it is answered 401. */
void sim_kube_eks(struct sim_server *kube, struct sim_server *aws, const char *name);
/* gateway.c: the ingress gateway, which answers page requests by the cluster's VirtualServices. */
struct sim_server *sim_gateway_new(struct sim *sim, struct sim_server *kube);
/* Typed access for gateway and controllers: borrowed objects of the simulated cluster. */
struct doc *sim_kube_get(struct sim_server *kube, const char *group, const char *kind, const char *namespace, const char *name);
typedef bool sim_kube_each_fn(void *ctx, const struct doc *object); /* false stops */
/* In the order of namespace and name; namespace NULL: all of them. The store must not change meanwhile. */
void sim_kube_each(struct sim_server *kube, const char *group, const char *kind, const char *namespace, sim_kube_each_fn *fn, void *ctx);
