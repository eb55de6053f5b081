/*
 * Bearer tokens that somebody else makes (kube_token_fn). One is asked for at a time, whoever waits; it is kept until
 * shortly before it expires, or until the server refuses it.
 */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

enum { EARLY_MS = 60000 };

struct asked {
    struct kube_auth auth;
    struct world *world;
    kube_token_fn *fn;
    void *ctx;
    char *header;       /* of the newest token, or NULL */
    int64_t expires_ms; /* wall clock; 0: never */
    bool asking;
    struct list waiters;
};

/* Whoever is told may ask again at once: those wait for the next answer. */
static void tell(struct asked *asked, const struct err *err)
{
    struct list waiters;

    list_init(&waiters);
    while (!list_empty(&asked->waiters)) {
        struct list *link = asked->waiters.next;

        list_remove(link);
        list_add_tail(&waiters, link);
    }
    while (!list_empty(&waiters)) {
        struct kube_auth_waiter *waiter = LIST_OF(waiters.next, struct kube_auth_waiter, link);

        list_remove(&waiter->link);
        waiter->done(waiter, err);
    }
}

static void token_got(void *got_ctx, const char *token, int64_t expires_ms, const struct err *err)
{
    struct asked *asked = got_ctx;
    struct err named = err ? *err : ERR_INIT;

    asked->asking = false;
    if (err) {
        err_context(&named, "token of the cluster");
    } else {
        kube_secret_free(asked->header);
        asked->header = mem_printf("Bearer %s", token);
        asked->expires_ms = expires_ms;
        asked->auth.generation++;
    }
    tell(asked, err ? &named : NULL);
}

static void asked_ready(struct kube_auth *auth, uint64_t refused, struct kube_auth_waiter *waiter)
{
    struct asked *asked = (struct asked *)auth;
    bool stale = refused && refused >= auth->generation;
    bool expires = asked->expires_ms && world_now_ms(asked->world) >= asked->expires_ms - EARLY_MS;

    if (!asked->asking && asked->header && !stale && !expires) {
        waiter->done(waiter, NULL);
        return;
    }
    list_add_tail(&asked->waiters, &waiter->link);
    if (asked->asking)
        return;
    asked->asking = true;
    asked->fn(asked->ctx, stale, token_got, asked);
}

static void asked_add(struct kube_auth *auth, struct http_call *call)
{
    http_header_add(call, "Authorization", ((struct asked *)auth)->header);
}

static void asked_free(struct kube_auth *auth)
{
    struct asked *asked = (struct asked *)auth;

    kube_secret_free(asked->header);
    free(asked);
}

static const struct kube_auth_ops ASKED = {asked_ready, asked_add, asked_free};

struct kube_auth *kube_auth_asked_new(struct world *world, const struct kube_config *config)
{
    struct asked *asked = mem_alloc(sizeof(*asked));

    asked->auth.ops = &ASKED;
    asked->world = world;
    asked->fn = config->token_fn;
    asked->ctx = config->token_ctx;
    list_init(&asked->waiters);
    return &asked->auth;
}
