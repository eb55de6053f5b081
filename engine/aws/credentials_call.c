/*
 * The few calls that make credentials: STS, SSO and its OIDC. They change nothing that stays, so they pass no gate, and
 * they go out while a changing call waits for its signature.
 */
#include "aws/credentials_inside.h"

#include <stdlib.h>

enum { CALL_TIMEOUT_MS = 10000 };

struct credentials_call {
    struct aws_credentials *keys;
    struct aws_transfer *transfer;
    struct timer *timer; /* it was wrong from the start, and says so in a later turn */
    struct err err;
    credentials_call_fn *fn;
    void *ctx;
};

static struct aws_wait *keys_get(void *ctx, bool refused, aws_identity_fn *fn, void *fn_ctx)
{
    struct credentials_call *call = ctx;

    return aws_credentials_get(call->keys, refused, fn, fn_ctx);
}

static void call_end(void *ctx, struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct credentials_call *call = ctx;

    (void)answer;
    call->fn(call->ctx, result, err);
    credentials_doc_free(doc_ref(result));
    free(call);
}

static void call_wrong(void *ctx)
{
    struct credentials_call *call = ctx;

    call->fn(call->ctx, NULL, &call->err);
    free(call);
}

struct credentials_call *credentials_call(struct aws_credentials *credentials, const char *service,
                                          const char *operation, struct doc *params, const char *region,
                                          struct aws_credentials *keys, credentials_call_fn *fn, void *ctx)
{
    struct credentials_call *call = mem_alloc(sizeof(*call));
    struct aws_transfer_request request = {
        .operation = aws_operation_find(aws_service_find(credentials->table, service), view_of(operation)),
        .params = params,
        .region = region,
        .keys = keys ? keys_get : NULL,
        .keys_ctx = call,
        .reads = true,
        .timeout_ms = CALL_TIMEOUT_MS,
        .subject = "AWS credentials",
    };

    *call = (struct credentials_call){.keys = keys, .err = ERR_INIT, .fn = fn, .ctx = ctx};
    if (aws_params_check(request.operation, params, &call->err) == 0)
        call->transfer = aws_transfer_start(credentials->transport, &request, call_end, call);
    else
        call->timer = timer_start(credentials->world, 0, call_wrong, call);
    credentials_doc_free(params);
    return call;
}

void credentials_call_cancel(struct credentials_call *call)
{
    if (!call)
        return;
    timer_stop(call->timer);
    if (call->transfer)
        aws_transfer_cancel(call->transfer);
    free(call);
}
