#pragma once
/*
 * The undo vocabulary, version 1: a change's undo is data, one object {"op": NAME, ...}, executed by
 * C without a playbook. Each room that can undo something hands a handler to the change room.
 *
 *   http.request {method, url, headers, body, if_still}    change/undo_http.c
 *   file.restore {path, content | missing, mode}           change/undo_file.c
 *   kube.delete  {ref, uid, applied?}                        kube/undo.c
 *   kube.fields  {ref, uid, applied, set, unset}           kube/undo.c
 *   kube.create  {object}                                  kube/undo.c
 *   route.weights {ref, uid, route, weights}               istio/undo.c
 *   aws.call     {service, name, find, fields, delete, ours}  aws/undo.c; aws/resource.h says more
 *   verb.undo    {name, version, input}                    run/undo_verb.c
 *   none         {why}                                     change/undo.c
 *
 * ref is {apiVersion, kind, namespace, name}.
 */
#include "base/err.h"
#include <stdint.h>

struct doc;

enum undo_outcome {
    UNDO_DONE,    /* restored now */
    UNDO_ALREADY, /* it was as before, or partly so and the rest was restored by others */
    UNDO_FOREIGN, /* something is left, because others changed it since: `left` lists it */
    UNDO_FAILED,  /* err says why; may be tried again */
};

struct undo_request {
    const struct doc *undo;   /* the op */
    const struct doc *before; /* what was found before the first act; NULL when nothing was there */
    const struct doc *after;  /* what the change left; NULL: nothing, or that is unknown (a lost answer, a crash) */
    bool after_known;         /* after NULL means that the change left nothing there */
    const char *key;
    bool plan;                /* look and tell, change nothing */
    int64_t settle_ms;        /* wall time before which "not found" is not believed; 0: at once */
    bool seen_settles;        /* one call alone can have made it: where it was seen, nothing more will come */
    void *owner;              /* goes into http_request.owner, so that the gate lets it pass */
};

/* Once, perhaps from inside start. left: array of {what, manager?, now?} (taken) or NULL. For plan,
   left may list what would be done as {"would": text}. */
typedef void undo_done_fn(void *done_ctx, enum undo_outcome outcome, struct doc *left, const struct err *err);

struct undo_handler {
    const char *op;
    void (*start)(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx);
    void *ctx;
};
