/*
 * kubeconfig: a kubeconfig of an EKS target for kubectl and the like, whose user runs dosrun for tokens; with
 * --cluster-token such a token, as client.authentication.k8s.io/v1 wants it. The second needs no project: kubectl runs
 * it anywhere.
 */
#include "dosrun.h"

#include "aws/aws.h"
#include "base/secret.h"
#include "codec/json.h"
#include "codec/yaml.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CREDENTIAL_VERSION "client.authentication.k8s.io/v1"

/* Not through events: what they show is searched for secrets, and a token is one. */
static int print(const struct buf *text)
{
    return fwrite(text->ptr, 1, text->len, stdout) == text->len && fflush(stdout) == 0 ? EXIT_DONE : EXIT_INTERNAL;
}

/* ---- a token ---- */

struct asking {
    struct dosrun *dosrun;
    struct buf token;
    struct err *err;
};

static void token_made(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct asking *asking = ctx;

    (void)answer;
    asking->dosrun->done = true;
    if (err)
        *asking->err = *err;
    else
        aws_eks_token_add(&asking->token, result);
}

static void credential_add(struct buf *out, const char *token, int64_t expires_ms)
{
    struct doc *credential = doc_object(), *status = doc_object();
    time_t seconds = (time_t)(expires_ms / 1000);
    char until[32];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(until, sizeof(until), "%Y-%m-%dT%H:%M:%SZ", &tm);
    doc_set_text(status, "expirationTimestamp", until);
    doc_set_text(status, "token", token);
    doc_set_text(credential, "apiVersion", CREDENTIAL_VERSION);
    doc_set_text(credential, "kind", "ExecCredential");
    doc_set(credential, "spec", doc_object());
    doc_set(credential, "status", status);
    json_add(out, credential, JSON_COMPACT);
    buf_add_char(out, '\n');
    doc_unref(credential);
}

static int print_token(struct dosrun *dosrun, struct err *err)
{
    const struct command *command = dosrun->command;
    struct asking asking = {.dosrun = dosrun, .err = err};
    int64_t expires_ms, keys_ms;
    struct aws *aws;
    const char *region;
    struct buf out;
    int code;

    dosrun->target = doc_object();
    dosrun->project = mem_text("");
    dosrun->target_name = mem_text("none");
    if (dosrun_open(dosrun, err) < 0)
        return -1;
    aws = cloud_client(dosrun, err);
    if (!aws)
        return -1;
    region = command->region ? command->region : aws_config_region(dosrun->aws_config);
    if (!region)
        return err_set(err, ERR_USAGE, "--cluster-token needs --region, or a region in AWS_REGION or the profile");
    buf_init(&asking.token, 64 << 10);
    buf_init(&out, 128 << 10);
    dosrun->done = false;
    expires_ms = world_now_ms(dosrun->world) + AWS_EKS_TOKEN_MS;
    aws_eks_token(aws, region, command->token, token_made, &asking);
    dosrun_wait(dosrun);
    aws_source(aws, &keys_ms);
    if (!err->kind)
        credential_add(&out, buf_text(&asking.token), keys_ms && keys_ms < expires_ms ? keys_ms : expires_ms);
    code = err->kind ? -1 : print(&out);
    if (out.ptr)
        secret_wipe(out.ptr, out.cap);
    if (asking.token.ptr)
        secret_wipe(asking.token.ptr, asking.token.cap);
    buf_free(&out);
    buf_free(&asking.token);
    return code;
}

/* ---- a kubeconfig ---- */

static void arg_add(struct doc *args, const char *option, const char *value)
{
    if (!value)
        return;
    if (option)
        doc_push(args, doc_text(option));
    doc_push(args, doc_text(value));
}

/* By this program's own path: whoever runs kubectl may have another dosrun, or none, on the search path. */
static struct doc *exec_user(const struct dosrun *dosrun)
{
    const char *profile =
        dosrun->command->profile ? dosrun->command->profile : doc_path_text(dosrun->target, "profile", NULL);
    struct doc *user = doc_object(), *exec = doc_object(), *args = doc_array();
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[len > 0 ? len : 0] = '\0';
    arg_add(args, NULL, "kubeconfig");
    arg_add(args, "--cluster-token", doc_path_text(dosrun->target, "cluster", NULL));
    arg_add(args, "--region", doc_path_text(dosrun->target, "region", NULL));
    arg_add(args, "--profile", profile);
    doc_set_text(exec, "apiVersion", CREDENTIAL_VERSION);
    doc_set_text(exec, "command", len > 0 ? self : "dosrun");
    doc_set(exec, "args", args);
    doc_set_text(exec, "interactiveMode", "Never");
    doc_set_bool(exec, "provideClusterInfo", false);
    doc_set(user, "exec", exec);
    return user;
}

static int print_config(struct dosrun *dosrun, struct err *err)
{
    const char *context;
    struct doc *config;
    struct buf out;
    int code;

    if (dosrun->command->args.len)
        dosrun->command->target = dosrun->command->args.texts[0];
    if (place_find(dosrun, err) < 0)
        return -1;
    context = doc_path_text(dosrun->target, "context", NULL);
    if (!target_is_eks(dosrun))
        return err_set(err, ERR_USAGE, "target %s is not of kind \"eks\"%s%s: there is no kubeconfig to be made of it",
                       dosrun->target_name, context ? "; its cluster is in your kubeconfig, as context " : "",
                       context ? context : "");
    if (dosrun_open(dosrun, err) < 0 || eks_find(dosrun, err) < 0)
        return -1;
    config = eks_kubeconfig(dosrun, exec_user(dosrun));
    buf_init(&out, 1 << 20);
    yaml_add(&out, config, false);
    code = print(&out);
    buf_free(&out);
    doc_unref(config);
    return code;
}

int command_kubeconfig(struct dosrun *dosrun)
{
    struct err *err = &dosrun->err;
    int code = -1;

    if (dosrun->command->sandbox)
        err_set(err, ERR_USAGE, "a simulated cluster has no address that kubectl could reach; leave out --sandbox");
    else if (dosrun->command->token && dosrun->command->args.len)
        err_set(err, ERR_USAGE, "--cluster-token CLUSTER is all that a token needs; \"%s\" is too much",
                dosrun->command->args.texts[0]);
    else
        code = dosrun->command->token ? print_token(dosrun, err) : print_config(dosrun, err);
    return code < 0 ? dosrun_fail(dosrun, err, err->kind == ERR_USAGE ? EXIT_USAGE : EXIT_NOPERM) : code;
}
