/* The target's AWS: which profile and region, and the client that a run shares. */
#include "dosrun.h"

#include "aws/aws.h"
#include "aws/undo.h"
#include "sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

static const char *real_env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

/* The simulated cloud knows one identity, and nothing of this machine's. */
static const char *sandbox_env(void *ctx, const char *name)
{
    static const char *const known[][2] = {
        {"AWS_ACCESS_KEY_ID", SANDBOX_ACCESS_KEY},
        {"AWS_SECRET_ACCESS_KEY", SANDBOX_SECRET_KEY},
        {"AWS_REGION", SANDBOX_REGION},
    };

    (void)ctx;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i][0], name) == 0)
            return known[i][1];
    return NULL;
}

struct aws *cloud_client(struct dosrun *dosrun, struct err *err)
{
    const struct command *command = dosrun->command;
    const char *profile = command->profile ? command->profile : doc_path_text(dosrun->target, "profile", NULL);
    const char *region = command->region ? command->region : doc_path_text(dosrun->target, "region", NULL);
    struct aws_config_options options = {.env = real_env, .home = getenv("HOME"), .profile = profile, .region = region};

    if (dosrun->aws)
        return dosrun->aws;
    if (command->sandbox)
        options = (struct aws_config_options){.env = sandbox_env, .region = region};
    dosrun->aws_config = aws_config_load(dosrun->world, &options, err);
    if (!dosrun->aws_config)
        return NULL;
    dosrun->aws = aws_new(dosrun->world, dosrun->http, dosrun->marks, dosrun->aws_config, aws_table_builtin());
    return dosrun->aws;
}

struct asking {
    struct dosrun *dosrun;
    struct doc *identity;
    struct err *err;
};

static void identity_known(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct asking *asking = ctx;

    (void)answer;
    asking->dosrun->done = true;
    asking->identity = doc_ref(result);
    if (err)
        *asking->err = *err;
}

int cloud_check(struct dosrun *dosrun, char **caller, struct err *err)
{
    const char *meant = doc_path_text(dosrun->target, "account", NULL), *account, *arn;
    struct asking asking = {.dosrun = dosrun, .err = err};
    struct aws *aws = cloud_client(dosrun, err);
    int64_t ignored;

    if (!aws)
        return -1;
    dosrun->done = false;
    aws_whoami(aws, identity_known, &asking);
    dosrun_wait(dosrun);
    if (err->kind)
        return err_context(err, "target %s", dosrun->target_name);
    account = doc_as_text(doc_get(asking.identity, "Account"), "unknown");
    arn = doc_as_text(doc_get(asking.identity, "Arn"), "no ARN told");
    if (meant && strcmp(account, meant) != 0) {
        err_set(err, ERR_USAGE,
                "the credentials (%s) belong to account %s (%s), but target %s is account %s; nothing was touched",
                aws_source(aws, &ignored), account, arn, dosrun->target_name, meant);
        err_explain(err, "C603");
    }
    *caller = mem_text(arn);
    doc_unref(asking.identity);
    return err->kind ? -1 : 0;
}

bool cloud_is_meant(struct dosrun *dosrun)
{
    static const char *const fields[] = {"profile", "region", "account", "cluster"};
    static const char *const names[] = {"AWS_PROFILE",
                                        "AWS_DEFAULT_PROFILE",
                                        "AWS_ACCESS_KEY_ID",
                                        "AWS_WEB_IDENTITY_TOKEN_FILE",
                                        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI"};
    static const char *const files[] = {"config", "credentials"};
    const char *home = getenv("HOME");
    bool meant = dosrun->command->profile || dosrun->command->region;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        meant = meant || doc_get(dosrun->target, fields[i]);
    if (meant || dosrun->command->sandbox)
        return meant;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        meant = meant || getenv(names[i]);
    for (size_t i = 0; home && i < sizeof(files) / sizeof(files[0]); i++) {
        char *path = mem_printf("%s/.aws/%s", home, files[i]);
        struct disk_stat stat;
        struct err ignored = ERR_INIT;

        meant = meant || (disk_stat(dosrun->world, path, &stat, &ignored) == 0 && stat.kind == DISK_FILE);
        free(path);
    }
    return meant;
}

static void undo_start(void *ctx, const struct undo_request *request, undo_done_fn *done, void *done_ctx)
{
    struct dosrun *dosrun = ctx;
    struct err err = ERR_INIT;
    struct aws *aws = cloud_client(dosrun, &err);

    if (aws)
        aws_undo_start(aws, dosrun->world, request, done, done_ctx);
    else
        done(done_ctx, UNDO_FAILED, NULL, &err);
}

struct undo_handler cloud_undo_handler(struct dosrun *dosrun)
{
    return (struct undo_handler){.op = "aws.call", .start = undo_start, .ctx = dosrun};
}

void cloud_free(struct dosrun *dosrun)
{
    aws_free(dosrun->aws);
    aws_config_free(dosrun->aws_config);
}
