/* Where a request goes: the rule set's endpoint, or the configured one, joined with path, query and host prefix. */
#include "aws/transfer.h"

#include "aws/customize.h"

#include <string.h>
#include <strings.h>

enum { TARGET_MAX = 1 << 20 };

void aws_target_init(struct aws_target *target)
{
    struct buf *const parts[] = {&target->url, &target->host, &target->path, &target->region, &target->service};

    *target = (struct aws_target){0};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        buf_init(parts[i], TARGET_MAX);
}

void aws_target_clear(struct aws_target *target)
{
    struct buf *const parts[] = {&target->url, &target->host, &target->path, &target->region, &target->service};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        buf_free(parts[i]);
}

static bool is_true(const char *text)
{
    return text && strcasecmp(text, "true") == 0;
}

static const char *setting(const struct aws_config *config, const char *name)
{
    return aws_config_get(config, aws_config_profile(config), name);
}

/* sts.amazonaws.com for the regions of its time, where somebody still wants that. */
static bool global_sts(const struct aws_config *config)
{
    const char *way = aws_custom_setting(config, "AWS_STS_REGIONAL_ENDPOINTS", "sts_regional_endpoints");

    return way && strcmp(way, "legacy") == 0;
}

/* Smithy's built-in parameters, with botocore's defaults. A given endpoint is no variant of another. */
static struct doc *builtins_of(const struct aws_transport *transport, const char *region, const char *endpoint)
{
    const struct aws_config *config = transport->config;
    const char *style = setting(config, "s3.addressing_style");
    const char *arn_region = setting(config, "s3.use_arn_region");
    const char *global =
        aws_custom_setting(config, "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT", "s3.us_east_1_regional_endpoint");
    const char *account_mode = setting(config, "account_id_endpoint_mode");
    bool accelerate = is_true(setting(config, "s3.use_accelerate_endpoint"));
    bool path_style =
        !accelerate && (endpoint ? !style || strcmp(style, "virtual") != 0 : style && strcmp(style, "path") == 0);
    struct doc *builtins = doc_object();

    doc_set_text(builtins, "AWS::Region", region);
    doc_set_text(builtins, "SDK::Endpoint", endpoint);
    doc_set_bool(builtins, "AWS::UseFIPS", !endpoint && aws_config_fips(config));
    doc_set_bool(builtins, "AWS::UseDualStack", !endpoint && aws_config_dual_stack(config));
    doc_set_bool(builtins, "AWS::STS::UseGlobalEndpoint", global_sts(config));
    /* us-east-1's buckets have the oldest of S3's names, unless the other is asked for. */
    doc_set_bool(builtins, "AWS::S3::UseGlobalEndpoint",
                 region && strcmp(region, "us-east-1") == 0 && (!global || strcmp(global, "regional") != 0));
    doc_set_bool(builtins, "AWS::S3::Accelerate", accelerate);
    doc_set_bool(builtins, "AWS::S3::ForcePathStyle", path_style);
    doc_set_bool(builtins, "AWS::S3::UseArnRegion", !arn_region || is_true(arn_region));
    doc_set_bool(builtins, "AWS::S3::DisableMultiRegionAccessPoints",
                 is_true(setting(config, "s3.s3_disable_multiregion_access_points")));
    doc_set_text(builtins, "AWS::Auth::AccountIdEndpointMode", account_mode ? account_mode : "preferred");
    return builtins;
}

/* "https://host:port/base/" and "/path" are one URL with one "/" between. */
static int join(const struct aws_endpoint *endpoint, const struct aws_wire *wire, struct aws_target *target,
                struct err *err)
{
    struct url url;

    if (url_parse(buf_view(&endpoint->url), &url, err) != 0)
        return err_context(err, "endpoint");
    bool secure = url.scheme.len == 5;
    bool bare = wire->path.len == 0 || (wire->path.len == 1 && wire->path.ptr[0] == '/');
    if (!bare && url.path.len && url.path.ptr[url.path.len - 1] == '/')
        url.path.len--;
    target->secure = secure;
    buf_add_view(&target->host, buf_view(&wire->host_prefix));
    bool bracket = memchr(url.host.ptr, ':', url.host.len) != NULL;
    buf_addf(&target->host, bracket ? "[%.*s]" : "%.*s", (int)url.host.len, url.host.ptr);
    if (url.port != (secure ? 443 : 80))
        buf_addf(&target->host, ":%d", url.port);
    buf_add_view(&target->path, url.path);
    if (!bare)
        buf_add_view(&target->path, buf_view(&wire->path));
    if (!target->path.len)
        buf_add_char(&target->path, '/');
    buf_addf(&target->url, "%s://%s%s", secure ? "https" : "http", buf_text(&target->host), buf_text(&target->path));
    if (url.query.len || wire->query.len)
        buf_add_char(&target->url, '?');
    buf_add_view(&target->url, url.query);
    if (url.query.len && wire->query.len)
        buf_add_char(&target->url, '&');
    buf_add_view(&target->url, buf_view(&wire->query));
    return 0;
}

static void headers_take(struct aws_wire *wire, const struct doc *headers)
{
    DOC_EACH(at, headers)
    for (size_t i = 0; i < doc_size(at.value); i++)
        aws_headers_add(&wire->headers, at.key, doc_as_view(doc_at(at.value, i)));
}

static void blame(const struct aws_config *config, bool asked, const char *variable, const char *name, struct buf *out)
{
    const char *place = aws_config_place(config, NULL, name);

    if (!asked)
        return;
    if (out->len)
        buf_add_text(out, " and ");
    if (aws_config_env(config, variable))
        buf_add_text(out, variable);
    else
        buf_addf(out, "%s of %s", name, place);
}

/* The service's rules know no settings: which of ours asked for a variant of its endpoint, and where they stand. */
static void variants_blame(const struct aws_config *config, struct err *err)
{
    struct err rules = *err;
    struct buf settings;

    buf_init(&settings, sizeof(err->message));
    blame(config, aws_config_fips(config), "AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", &settings);
    blame(config, aws_config_dual_stack(config), "AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", &settings);
    if (settings.len) {
        err_set(err, rules.kind, "%s (asked for by %s)", rules.message, buf_text(&settings));
        err_explain(err, rules.explain);
    }
    buf_free(&settings);
}

int aws_target_resolve(const struct aws_transport *transport, const struct aws_transfer_request *request,
                       struct aws_wire *wire, struct aws_target *target, struct err *err)
{
    struct aws_service service = aws_operation_service(request->operation);
    const char *configured = request->plain_endpoint ? NULL : aws_config_endpoint(transport->config, service);
    const char *given = request->endpoint_url ? request->endpoint_url : configured;
    struct doc *builtins = builtins_of(transport, request->region, given);
    struct doc *params = aws_endpoint_params(request->operation, request->params, builtins, err);
    struct aws_endpoint endpoint = {0};
    int result = -1;

    if (!params)
        goto out;
    if (aws_endpoint_resolve(service, params, &endpoint, err) != 0) {
        if (!given)
            variants_blame(transport->config, err);
        goto out;
    }
    if (endpoint.sigv4a) {
        err_set(err, ERR_USAGE, "%s is only signed by SigV4A, which dosrun does not have", buf_text(&endpoint.url));
        goto out;
    }
    if (join(&endpoint, wire, target, err) != 0)
        goto out;
    headers_take(wire, endpoint.headers);
    buf_add_text(&target->region, endpoint.signing_region.len ? buf_text(&endpoint.signing_region)
                                  : request->region           ? request->region
                                                              : "us-east-1");
    buf_add_text(&target->service,
                 endpoint.signing_name.len ? buf_text(&endpoint.signing_name) : aws_service_signing_name(service));
    target->single_encoding = endpoint.double_encoding_off;
    result = 0;
out:
    aws_endpoint_clear(&endpoint);
    doc_unref(params);
    doc_unref(builtins);
    return result;
}
