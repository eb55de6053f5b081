#pragma once
/* The simulated ingress gateway's two halves: which destination a request goes to, and what answers there. */
#include "sandbox/sim.h"

struct sim_gateway {
    struct sim_server server; /* first */
    struct sim *sim;
    struct sim_server *kube;
    /* sim_kube_get and sim_kube_each; tests hand in objects of their own */
    struct doc *(*get)(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                       const char *name);
    void (*each)(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                 sim_kube_each_fn *fn, void *ctx);
    struct doc *turns; /* route -> {weights, n}: how many requests it has had with these weights */
    struct doc *plays; /* uid of the database's volume -> {name -> count} */
};

/* True when each label of `wanted` is in `labels` with the same value; false for an empty `wanted`. */
bool sim_labels_match(const struct doc *wanted, const struct doc *labels);
/* Envoy's own answer: a status and a text. */
void sim_gateway_reply(struct sim_reply *reply, int status, const char *text);
/* gateway_app.c: what listens behind the Service answers, or 503. subset: labels, or NULL. */
void sim_gateway_app(struct sim_gateway *gateway, const char *namespace, const char *service, int64_t port,
                     const struct doc *subset, const struct sim_request *request, struct sim_reply *reply);
