/*
 * The metadata service of an EC2 instance, version 2 only: a token by PUT, then the role's name and its keys with it.
 * Whatever goes wrong means that this is no such machine, or one without a role.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
#include "aws/credentials_inside.h"

#include "base/secret.h"
#include "codec/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TOKEN_MAX = 4096,
    NAME_MAX_LEN = 128,
    STALE_MS = 10 * 60 * 1000, /* keys that the service could not renew in time are good for a while, it says itself */
    TIMEOUT_S_MAX = 60,
    ATTEMPTS_MAX = 10
};

static const char ROLES[] = "latest/meta-data/iam/security-credentials/";

struct imds_work {
    char *base; /* ends in "/" */
    char *token, *role;
    int64_t timeout_ms;
    int attempts;
    struct credentials_asked *asked;
};

static void work_end(struct aws_credentials *credentials)
{
    struct imds_work *work = credentials->work;

    if (work->token)
        secret_wipe(work->token, strlen(work->token));
    free(work->token);
    free(work->role);
    free(work->base);
    free(work);
    credentials->work = NULL;
}

static void imds_none(struct aws_credentials *credentials, const char *why)
{
    char *kept = mem_text(why);

    work_end(credentials);
    aws_source_none(credentials, "%s", kept);
    free(kept);
}

static void imds_ask(struct aws_credentials *credentials, const char *path, const char *more, credentials_ask_fn *fn)
{
    struct imds_work *work = credentials->work;
    char *url = mem_printf("%s%s%s", work->base, path, more);

    work->asked =
        credentials_ask(credentials,
                        &(struct credentials_ask){
                            .method = work->token ? "GET" : "PUT",
                            .url = url,
                            .header = work->token ? "x-aws-ec2-metadata-token" : "x-aws-ec2-metadata-token-ttl-seconds",
                            .value = work->token ? work->token : "21600",
                            .timeout_ms = work->timeout_ms,
                            .attempts_max = work->attempts,
                        },
                        fn, credentials);
    free(url);
}

/* Its one line, without a blank or an odd byte; NULL: it is something else. */
static char *line_of(struct view body, size_t max)
{
    while (body.len && isspace((unsigned char)body.ptr[body.len - 1]))
        body.len--;
    if (!body.len || body.len > max)
        return NULL;
    for (size_t i = 0; i < body.len; i++)
        if (!isgraph((unsigned char)body.ptr[i]))
            return NULL;
    return mem_view(body);
}

static void keys_answer(void *ctx, int status, struct view body, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct imds_work *work = credentials->work;
    struct aws_identity identity = {0};
    struct err err = failed ? *failed : ERR_INIT, unsaid = ERR_INIT;
    struct doc *doc = failed ? NULL : json_parse(body, &unsaid);
    const char *code = doc_as_text(doc_get(doc, "Code"), "Success");
    int64_t now_ms = world_now_ms(credentials->world);
    char *source = mem_printf("IMDSv2 (role %s)", work->role);

    (void)status;
    if (!failed && !doc)
        err_set(&err, ERR_AUTH, "the keys of role %s are not JSON", work->role);
    else if (doc && strcmp(code, "Success") != 0)
        err_set(&err, ERR_AUTH, "role %s: %.100s", work->role, code);
    else if (doc && credentials_read(doc, &identity, &err) != 0)
        err_context(&err, "role %s", work->role);
    credentials_doc_free(doc);
    if (err.kind) {
        imds_none(credentials, err.message);
    } else {
        if (identity.expires_ms && identity.expires_ms <= now_ms)
            identity.expires_ms = now_ms + STALE_MS;
        work_end(credentials);
        aws_source_done(credentials, &identity, source, NULL);
    }
    free(source);
}

static void role_answer(void *ctx, int status, struct view body, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct imds_work *work = credentials->work;

    work->role = failed ? NULL : line_of(body, NAME_MAX_LEN);
    if (status == 404)
        imds_none(credentials, "this machine has no role");
    else if (failed)
        imds_none(credentials, failed->message);
    else if (!work->role || strpbrk(work->role, "/?#%"))
        imds_none(credentials, "the name of the machine's role is none");
    else
        imds_ask(credentials, ROLES, work->role, keys_answer);
}

static void token_answer(void *ctx, int status, struct view body, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct imds_work *work = credentials->work;

    work->token = failed ? NULL : line_of(body, TOKEN_MAX);
    (void)status;
    if (!work->token)
        imds_none(credentials, failed ? failed->message : "the token that it gave is none");
    else
        imds_ask(credentials, ROLES, "", role_answer);
}

/* ---- where and how long ---- */

static const char *either(const struct aws_config *config, const char *variable, const char *name)
{
    const char *value = aws_config_env(config, variable);

    if (!value)
        value = aws_config_get(config, NULL, name);
    return value && value[0] ? value : NULL;
}

static int64_t number(const struct aws_config *config, const char *variable, const char *name, int64_t max)
{
    const char *text = either(config, variable, name);
    long value = text ? strtol(text, NULL, 10) : 1;

    return value < 1 ? 1 : value > max ? max : value;
}

static char *base_of(const struct aws_config *config)
{
    const char *base = either(config, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint");
    const char *mode = either(config, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode");
    const char *v6 = either(config, "AWS_IMDS_USE_IPV6", "imds_use_ipv6");
    bool use_v6 = mode ? strcasecmp(mode, "ipv6") == 0 : v6 && strcasecmp(v6, "true") == 0;

    if (!base)
        base = use_v6 ? "http://[fd00:ec2::254]/" : "http://169.254.169.254/";
    return mem_printf("%s%s", base, base[strlen(base) - 1] == '/' ? "" : "/");
}

static void imds_fetch(struct aws_credentials *credentials)
{
    const struct aws_config *config = credentials->config;
    const char *disabled = aws_config_env(config, "AWS_EC2_METADATA_DISABLED");
    struct imds_work *work;

    if (disabled && strcasecmp(disabled, "true") == 0) {
        aws_source_none(credentials, "AWS_EC2_METADATA_DISABLED is true");
        return;
    }
    work = mem_alloc(sizeof(*work));
    work->base = base_of(config);
    work->timeout_ms = 1000 * number(config, "AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout", TIMEOUT_S_MAX);
    work->attempts =
        (int)number(config, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts", ATTEMPTS_MAX);
    credentials->work = work;
    imds_ask(credentials, "latest/api/token", "", token_answer);
}

static void imds_cancel(struct aws_credentials *credentials)
{
    credentials_ask_cancel(((struct imds_work *)credentials->work)->asked);
    work_end(credentials);
}

const struct aws_source AWS_SOURCE_IMDS = {"IMDSv2", imds_fetch, imds_cancel};
