/*
 * The agent beside a container: ECS, EKS pod identity, Greengrass, CloudShell. A page of JSON, behind a token that may
 * stand in a file which somebody renews.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
#include "aws/credentials_inside.h"

#include "base/secret.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { CONTAINER_TIMEOUT_MS = 2000, CONTAINER_ATTEMPTS = 3, TOKEN_MAX = 64 << 10 };

struct container_work {
    char *url;
    struct credentials_asked *asked;
};

static void work_end(struct aws_credentials *credentials)
{
    struct container_work *work = credentials->work;

    free(work->url);
    free(work);
    credentials->work = NULL;
}

static void container_answer(void *ctx, int status, struct view body, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct container_work *work = credentials->work;
    struct aws_identity identity = {0};
    struct err err = failed ? *failed : ERR_INIT, unsaid = ERR_INIT;
    struct doc *doc = failed ? NULL : json_parse(body, &unsaid);
    int shown = (int)strcspn(work->url, "?"), result = -1;
    bool pod = strstr(work->url, "169.254.170.23") || strstr(work->url, "[fd00:ec2::23]");
    char *source = mem_printf("%s (%.*s)", pod ? "EKS pod identity" : "container", shown, work->url);

    (void)status;
    if (doc)
        result = credentials_read(doc, &identity, &err);
    else if (!failed)
        err_set(&err, ERR_AUTH, "the answer is not JSON");
    if (result != 0 && !failed)
        err_context(&err, "%.*s", shown, work->url);
    err.kind = result == 0 ? ERR_NONE : ERR_AUTH;
    credentials_doc_free(doc);
    work_end(credentials);
    aws_source_done(credentials, result == 0 ? &identity : NULL, source, result == 0 ? NULL : &err);
    free(source);
}

/* The token, NULL when none is wanted; free it with token_free. */
static char *token_read(const struct aws_credentials *credentials, struct err *err)
{
    const char *path = aws_config_env(credentials->config, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *plain = aws_config_env(credentials->config, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    struct buf text;

    if (!path)
        return mem_text(plain);
    buf_init(&text, TOKEN_MAX);
    if (disk_read(credentials->world, path, TOKEN_MAX, &text, err) != 0) {
        buf_free(&text);
        return NULL;
    }
    while (text.len && strchr("\r\n", text.ptr[text.len - 1]))
        text.ptr[--text.len] = '\0';
    return buf_take(&text);
}

static void token_free(char *token)
{
    if (token)
        secret_wipe(token, strlen(token));
    free(token);
}

static void container_fetch(struct aws_credentials *credentials)
{
    const char *relative = aws_config_env(credentials->config, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = aws_config_env(credentials->config, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    struct container_work *work;
    struct err err = ERR_INIT;
    char *token;

    if (!relative && !full) {
        aws_source_none(credentials, "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set");
        return;
    }
    token = token_read(credentials, &err);
    if (err.kind) {
        aws_source_failed(credentials, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %s", err.message);
    } else if (token && strpbrk(token, "\r\n")) {
        aws_source_failed(credentials, "its token is more than one line");
    } else {
        work = mem_alloc(sizeof(*work));
        work->url = relative ? mem_printf("http://169.254.170.2%s", relative) : mem_text(full);
        credentials->work = work;
        work->asked = credentials_ask(credentials,
                                      &(struct credentials_ask){.method = "GET",
                                                                .url = work->url,
                                                                .header = token ? "Authorization" : NULL,
                                                                .value = token,
                                                                .timeout_ms = CONTAINER_TIMEOUT_MS,
                                                                .attempts_max = CONTAINER_ATTEMPTS},
                                      container_answer, credentials);
    }
    token_free(token);
}

static void container_cancel(struct aws_credentials *credentials)
{
    credentials_ask_cancel(((struct container_work *)credentials->work)->asked);
    work_end(credentials);
}

const struct aws_source AWS_SOURCE_CONTAINER = {"container", container_fetch, container_cancel};
