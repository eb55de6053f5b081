/*
 * Bearer tokens of EKS clusters, as the webhook of such a cluster checks them: the URL in the token must be a presigned
 * sts:GetCallerIdentity and nothing else, signed together with the header x-k8s-aws-id, and STS must take it with this
 * cluster's name there. Source: aws-iam-authenticator's README, "API Authorization from Outside a Cluster" and "How
 * does it work?".
 */
#include "sandbox/aws_cloud.h"
#include "sandbox/core.h"
#include "base/digest.h"

#include <string.h>

enum { TOKEN_URL_MAX = 16 << 10 };

static bool known_parameter(struct view name)
{
    static const char *const known[] = {"Action",
                                        "Version",
                                        "X-Amz-Algorithm",
                                        "X-Amz-Credential",
                                        "X-Amz-Date",
                                        "X-Amz-Expires",
                                        "X-Amz-Security-Token",
                                        "X-Amz-Signature",
                                        "X-Amz-SignedHeaders"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (view_is(name, known[i]))
            return true;
    return false;
}

static bool parameters_good(const struct cloud_call *call, struct buf *why)
{
    for (size_t i = 0; i < doc_size(call->query); i++) {
        struct view name = doc_as_view(doc_at(doc_at(call->query, i), 0));

        if (known_parameter(name))
            continue;
        buf_addf(why, "its URL has the parameter %.*s", (int)name.len, name.ptr);
        return false;
    }
    return true;
}

static bool form_good(const struct cloud_call *call, struct buf *why)
{
    if (!view_is(call->http->scheme, "https") || !call_is(call, "sts") || strcmp(call->http->path, "/") != 0 ||
        strcmp(aws_operation_name(call->operation), "GetCallerIdentity") != 0)
        buf_add_text(why, "its URL is no sts:GetCallerIdentity");
    else if (!route_query(call, "X-Amz-Signature"))
        buf_add_text(why, "its URL is not signed");
    return why->len == 0 && parameters_good(call, why);
}

static void url_check(struct cloud *cloud, const char *url, const char *cluster, struct buf *why)
{
    const struct header header = {"x-k8s-aws-id", cluster};
    struct err err = ERR_INIT;
    struct sim_message message;
    struct cloud_call call;

    if (sim_message_init(&message, "GET", url, &header, 1, (struct view){"", 0}, &err)) {
        buf_add_text(why, err.message);
    } else if (!route_serves(&message.request)) {
        buf_add_text(why, "its URL is none of AWS");
    } else {
        if (call_init(&call, cloud, &message.request))
            buf_addf(why, "its URL is none that AWS has: %s", call.loud.message);
        else if (form_good(&call, why) && signature_check(&call))
            buf_addf(why, "STS refuses it: %s", call.message ? call.message : call.loud.message);
        else if (!why->len && !signature_covers(&call, "x-k8s-aws-id"))
            buf_add_text(why, "it is not signed for a cluster");
        call_clear(&call);
    }
    sim_message_clear(&message);
}

void sim_aws_token(struct sim_server *aws, struct view token, const char *cluster, struct buf *why)
{
    static const char prefix[] = "k8s-aws-v1.";
    struct err err = ERR_INIT;
    struct buf url;

    buf_init(&url, TOKEN_URL_MAX);
    if (token.len < sizeof(prefix) || memcmp(token.ptr, prefix, sizeof(prefix) - 1) != 0)
        buf_add_text(why, "it is no EKS token");
    else if (memchr(token.ptr, '=', token.len))
        buf_add_text(why, "it is padded");
    else if (base64_parse(&url, (struct view){token.ptr + sizeof(prefix) - 1, token.len - sizeof(prefix) + 1}, &err))
        buf_add_text(why, err.message);
    else
        url_check((struct cloud *)(void *)aws, buf_text(&url), cluster, why);
    buf_free(&url);
}
