/*
 * credential_process: a program that says the keys as JSON. Run as an array of words, never by a shell.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */
#include "aws/credentials_inside.h"

#include "base/secret.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 1 << 20, COMPLAINT_MAX = 4096, COMPLAINT_SHOWN = 400, PROCESS_TIMEOUT_MS = 60000 };

struct process_work {
    struct process *process;
    struct buf output, complaint;
};

/* What such programs want to know of the terminal's environment; of keys nothing. */
static const char *const PASSED_ON[] = {"AWS_CONFIG_FILE",
                                        "AWS_SHARED_CREDENTIALS_FILE",
                                        "AWS_PROFILE",
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_REGION",
                                        "AWS_DEFAULT_REGION",
                                        "AWS_CA_BUNDLE",
                                        "REQUESTS_CA_BUNDLE",
                                        "SSL_CERT_FILE",
                                        "SSL_CERT_DIR",
                                        "HTTPS_PROXY",
                                        "HTTP_PROXY",
                                        "NO_PROXY",
                                        "https_proxy",
                                        "http_proxy",
                                        "no_proxy",
                                        "XDG_CONFIG_HOME",
                                        "XDG_CACHE_HOME",
                                        "XDG_RUNTIME_DIR",
                                        "DBUS_SESSION_BUS_ADDRESS",
                                        "SSH_AUTH_SOCK",
                                        "GNUPGHOME",
                                        "GPG_TTY",
                                        "PASSWORD_STORE_DIR",
                                        "AWS_VAULT_BACKEND",
                                        "AWS_VAULT_PASS_PREFIX",
                                        "DISPLAY",
                                        "WAYLAND_DISPLAY",
                                        "TERM"};
enum { PASSED_ON_LEN = sizeof(PASSED_ON) / sizeof(PASSED_ON[0]) };

static void buf_wipe(struct buf *buf)
{
    if (buf->ptr)
        secret_wipe(buf->ptr, buf->cap);
    buf_free(buf);
}

static void work_end(struct aws_credentials *credentials)
{
    struct process_work *work = credentials->work;

    buf_wipe(&work->output);
    buf_wipe(&work->complaint);
    free(work);
    credentials->work = NULL;
}

static void process_output(void *ctx, int fd, struct view bytes)
{
    struct process_work *work = ((struct aws_credentials *)ctx)->work;

    buf_add_view(fd == 1 ? &work->output : &work->complaint, bytes);
}

/* ---- what it said ---- */

static int ended_badly(const struct process_work *work, int status, struct err *err)
{
    const char *text = buf_text(&work->complaint);
    size_t len = work->complaint.len;

    while (len && strchr(" \r\n", text[len - 1]))
        len--;
    if (len > COMPLAINT_SHOWN)
        text += len - COMPLAINT_SHOWN, len = COMPLAINT_SHOWN;
    return err_set(err, ERR_AUTH, "it ended with status %d%s%.*s", status, len ? ": " : "", (int)len, text);
}

static int output_read(const struct process_work *work, struct aws_identity *identity, struct err *err)
{
    struct err unsaid = ERR_INIT; /* the parser's words may quote what it could not read */
    struct doc *doc = json_parse(buf_view(&work->output), &unsaid);
    int result;

    if (!doc)
        return err_set(err, ERR_AUTH, "its output is not JSON");
    if (doc_as_int(doc_get(doc, "Version"), 0) != 1)
        result = err_set(err, ERR_AUTH, "its answer has no \"Version\": 1");
    else
        result = credentials_read(doc, identity, err);
    credentials_doc_free(doc);
    return result;
}

static void process_end(void *ctx, int status, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct process_work *work = credentials->work;
    const char *place = aws_config_place(credentials->config, credentials->profile, "credential_process");
    struct aws_identity identity = {0};
    struct err err = failed ? *failed : ERR_INIT;
    char *source = mem_printf("profile %s (credential_process from %s)", credentials->profile, place);
    int result = failed ? -1 : status != 0 ? ended_badly(work, status, &err) : output_read(work, &identity, &err);

    if (result == 0 && !identity.account)
        identity.account = mem_text(credentials_setting(credentials, "aws_account_id"));
    if (result != 0)
        err_context(&err, "%s: profile %s", place, credentials->profile);
    work_end(credentials);
    aws_source_done(credentials, result == 0 ? &identity : NULL, source, result == 0 ? NULL : &err);
    free(source);
}

/* ---- asking ---- */

static void process_run(struct aws_credentials *credentials, char **words)
{
    static const struct process_fns fns = {process_output, process_end};
    struct process_request request = {.argv = (const char *const *)words, .timeout_ms = PROCESS_TIMEOUT_MS};
    struct process_work *work = mem_alloc(sizeof(*work));
    char *env[PASSED_ON_LEN + 1];
    size_t len = 0;

    for (size_t i = 0; i < PASSED_ON_LEN; i++) {
        const char *value = aws_config_env(credentials->config, PASSED_ON[i]);

        if (value)
            env[len++] = mem_printf("%s=%s", PASSED_ON[i], value);
    }
    env[len] = NULL;
    buf_init(&work->output, OUTPUT_MAX);
    buf_init(&work->complaint, COMPLAINT_MAX);
    credentials->work = work;
    request.env = (const char *const *)env;
    request.attempt = request.logical = world_attempt(credentials->world);
    work->process = process_start(credentials->world, &request, &fns, credentials);
    while (len)
        free(env[--len]);
}

static void process_fetch(struct aws_credentials *credentials)
{
    const char *command = credentials_setting(credentials, "credential_process");
    struct err err = ERR_INIT;
    char **words;

    if (!command) {
        aws_source_none(credentials, "profile %s has no credential_process", credentials->profile);
        return;
    }
    words = words_split(view_of(command), &err);
    if (words && words[0]) {
        process_run(credentials, words);
    } else {
        aws_config_error(credentials->config, credentials->profile, "credential_process", &err,
                         "credential_process: %s", words ? "it names no program" : err.message);
        aws_source_done(credentials, NULL, NULL, &err);
    }
    words_free(words);
}

static void stop(struct aws_credentials *credentials)
{
    process_cancel(((struct process_work *)credentials->work)->process);
    work_end(credentials);
}

const struct aws_source AWS_SOURCE_PROCESS = {"credential_process", process_fetch, stop};
