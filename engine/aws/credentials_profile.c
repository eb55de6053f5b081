/* Keys that stand in a file, read anew each time; and the profiles of `aws login`, which say so and no more. */
#include "aws/credentials_inside.h"

#include <stdlib.h>

static void keys_fetch(struct aws_credentials *credentials, bool credentials_file)
{
    const char *shown = aws_config_file_shown(credentials->config, credentials_file);
    struct aws_identity identity = {0};
    struct err err = ERR_INIT;
    int line = 0, result;
    char *source;

    result = aws_config_keys(credentials->config, credentials_file, credentials->profile, &identity, &line, &err);
    if (result < 0) {
        aws_source_done(credentials, NULL, NULL, &err);
    } else if (result > 0) {
        aws_source_none(credentials, "%s has no aws_access_key_id in profile %s", shown, credentials->profile);
    } else {
        source = mem_printf("profile %s (keys in %s:%d)", credentials->profile, shown, line);
        aws_source_done(credentials, &identity, source, NULL);
        free(source);
    }
}

static void credentials_file_fetch(struct aws_credentials *credentials)
{
    keys_fetch(credentials, true);
}

static void config_file_fetch(struct aws_credentials *credentials)
{
    keys_fetch(credentials, false);
}

/* Its tokens are bound to a key of that login: the CLI renews them and hands credentials on. */
static void login_fetch(struct aws_credentials *credentials)
{
    if (credentials_setting(credentials, "login_session"))
        aws_source_failed(credentials,
                          "%s: profile %s is one of `aws login`; give another profile the line "
                          "credential_process = aws configure export-credentials --profile %s --format process",
                          aws_config_place(credentials->config, credentials->profile, "login_session"),
                          credentials->profile, credentials->profile);
    else
        aws_source_none(credentials, "profile %s has no login_session", credentials->profile);
}

static void none_cancel(struct aws_credentials *credentials)
{
    (void)credentials; /* they never wait */
}

const struct aws_source AWS_SOURCE_CREDENTIALS_FILE = {"credentials file", credentials_file_fetch, none_cancel};
const struct aws_source AWS_SOURCE_CONFIG_FILE = {"config file", config_file_fetch, none_cancel};
const struct aws_source AWS_SOURCE_LOGIN = {"aws login", login_fetch, none_cancel};
