/*
 * sts:AssumeRoleWithWebIdentity with a token in a file: roles of Kubernetes service accounts (IRSA) and of CI systems.
 * The file is read for every call, because somebody renews it.
 */
#include "aws/credentials_inside.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 64 << 10 };

struct web_work {
    char *arn, *path;
    struct credentials_call *call;
};

static void work_end(struct aws_credentials *credentials)
{
    struct web_work *work = credentials->work;

    free(work->arn);
    free(work->path);
    free(work);
    credentials->work = NULL;
}

/* The variable, unless a profile was chosen or names the source of another; else the profile's setting. */
static const char *either(const struct aws_credentials *credentials, const char *variable, const char *setting)
{
    const char *value = credentials->environment ? aws_config_env(credentials->config, variable) : NULL;

    return value ? value : credentials_setting(credentials, setting);
}

static void web_answer(void *ctx, struct doc *result, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct web_work *work = credentials->work;
    struct aws_identity identity = {0};
    struct err err = failed ? *failed : ERR_INIT;
    char *source = mem_printf("web identity (role %s, token in %s)", work->arn, work->path);

    if (failed || credentials_read(doc_get(result, "Credentials"), &identity, &err) != 0)
        err_context(&err, "assuming %s with the token in %s", work->arn, work->path);
    work_end(credentials);
    aws_source_done(credentials, err.kind ? NULL : &identity, source, err.kind ? &err : NULL);
    free(source);
}

static void web_send(struct aws_credentials *credentials, const char *arn, const char *path, struct view token)
{
    const char *region = aws_config_region(credentials->config);
    struct web_work *work = mem_alloc(sizeof(*work));
    struct doc *params = doc_object();
    char name[65];

    while (token.len && strchr(" \t\r\n", token.ptr[token.len - 1]))
        token.len--;
    credentials_session_name(credentials, either(credentials, "AWS_ROLE_SESSION_NAME", "role_session_name"), name);
    doc_set_text(params, "RoleArn", arn);
    doc_set_text(params, "RoleSessionName", name);
    doc_set(params, "WebIdentityToken", doc_string(token));
    work->arn = mem_text(arn);
    work->path = mem_text(path);
    credentials->work = work;
    work->call = credentials_call(credentials, "sts", "AssumeRoleWithWebIdentity", params,
                                  region ? region : "aws-global", NULL, web_answer, credentials);
}

static void web_fetch(struct aws_credentials *credentials)
{
    const char *path = either(credentials, "AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
    const char *arn = either(credentials, "AWS_ROLE_ARN", "role_arn");
    struct err err = ERR_INIT;
    struct buf token;

    if (!path) {
        if (credentials->environment)
            aws_source_none(credentials, "AWS_WEB_IDENTITY_TOKEN_FILE is not set, nor is profile %s's",
                            credentials->profile);
        else
            aws_source_none(credentials, "profile %s has no web_identity_token_file", credentials->profile);
        return;
    }
    if (!arn) {
        aws_source_failed(credentials, "there is a token in %s, and neither AWS_ROLE_ARN nor role_arn", path);
        return;
    }
    buf_init(&token, TOKEN_MAX);
    if (disk_read(credentials->world, path, TOKEN_MAX, &token, &err) != 0)
        aws_source_failed(credentials, "the token: %s", err.message);
    else
        web_send(credentials, arn, path, buf_view(&token));
    if (token.ptr)
        secret_wipe(token.ptr, token.len);
    buf_free(&token);
}

static void web_cancel(struct aws_credentials *credentials)
{
    credentials_call_cancel(((struct web_work *)credentials->work)->call);
    work_end(credentials);
}

const struct aws_source AWS_SOURCE_WEB_IDENTITY = {"web identity", web_fetch, web_cancel};
