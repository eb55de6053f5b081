/* User name and password (RFC 7617). API servers dropped it in 1.19; proxies in front of them did not. */
#include "kube/inside.h"
#include "base/digest.h"

#include <stdlib.h>

struct basic {
    struct kube_auth auth;
    char *header;
};

static void basic_ready(struct kube_auth *auth, uint64_t refused, struct kube_auth_waiter *waiter)
{
    (void)auth;
    (void)refused;
    waiter->done(waiter, NULL);
}

static void basic_add(struct kube_auth *auth, struct http_call *call)
{
    http_header_add(call, "Authorization", ((struct basic *)auth)->header);
}

static void basic_free(struct kube_auth *auth)
{
    kube_secret_free(((struct basic *)auth)->header);
    free(auth);
}

static const struct kube_auth_ops BASIC = {basic_ready, basic_add, basic_free};

struct kube_auth *kube_auth_basic_new(const struct kube_config *config)
{
    struct basic *basic = mem_alloc(sizeof(*basic));
    char *plain = mem_printf("%s:%s", config->username, config->password ? config->password : "");
    struct buf header;

    buf_init(&header, 64 << 10);
    buf_add_text(&header, "Basic ");
    base64_add(&header, view_of(plain));
    kube_secret_free(plain);
    basic->auth = (struct kube_auth){.ops = &BASIC, .generation = 1};
    basic->header = buf_take(&header);
    return &basic->auth;
}
