/* Which source of credentials a configuration asks for; the one that has nothing to add. */
#include "kube/inside.h"

#include <stdlib.h>

/* Anonymous, or known by the client certificate of the connection. */
static void none_ready(struct kube_auth *auth, uint64_t refused, struct kube_auth_waiter *waiter)
{
    (void)auth;
    (void)refused;
    waiter->done(waiter, NULL);
}

static void none_add(struct kube_auth *auth, struct http_call *call)
{
    (void)auth;
    (void)call;
}

static void none_free(struct kube_auth *auth)
{
    free(auth);
}

static const struct kube_auth_ops NONE = {none_ready, none_add, none_free};

struct kube_auth *kube_auth_none_new(void)
{
    struct kube_auth *auth = mem_alloc(sizeof(*auth));

    auth->ops = &NONE;
    auth->generation = 1;
    return auth;
}

struct kube_auth *kube_auth_new(struct world *world, const struct kube_config *config, kube_certificate_fn *certificate,
                                void *ctx)
{
    if (config->token_fn)
        return kube_auth_asked_new(world, config);
    if (config->exec)
        return kube_auth_exec_new(world, config, certificate, ctx);
    if (config->token || config->token_file)
        return kube_auth_token_new(world, config);
    if (config->username)
        return kube_auth_basic_new(config);
    return kube_auth_none_new();
}
