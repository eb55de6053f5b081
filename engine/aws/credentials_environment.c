/* AWS_ACCESS_KEY_ID and its company. */
#include "aws/credentials_inside.h"

static void environment_fetch(struct aws_credentials *credentials)
{
    const struct aws_config *config = credentials->config;
    const char *access_key = aws_config_env(config, "AWS_ACCESS_KEY_ID");
    const char *secret_key = aws_config_env(config, "AWS_SECRET_ACCESS_KEY");
    const char *token = aws_config_env(config, "AWS_SECURITY_TOKEN"); /* the elder name goes first, as in botocore */
    const char *expires = aws_config_env(config, "AWS_CREDENTIAL_EXPIRATION");
    struct aws_identity identity;

    if (!credentials->environment) {
        aws_source_none(credentials, "passed over, because --profile chose %s", credentials->profile);
    } else if (!access_key) {
        aws_source_none(credentials, "AWS_ACCESS_KEY_ID is not set");
    } else if (!secret_key) {
        aws_source_failed(credentials, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
    } else if (expires && credentials_time(expires) < 0) {
        aws_source_failed(credentials, "AWS_CREDENTIAL_EXPIRATION is no time: %s", expires);
    } else {
        if (!token)
            token = aws_config_env(config, "AWS_SESSION_TOKEN");
        identity = (struct aws_identity){
            .access_key = mem_text(access_key),
            .secret_key = mem_text(secret_key),
            .session_token = mem_text(token),
            .account = mem_text(aws_config_env(config, "AWS_ACCOUNT_ID")),
            .expires_ms = expires ? credentials_time(expires) : 0,
        };
        aws_source_done(credentials, &identity, "environment (AWS_ACCESS_KEY_ID)", NULL);
    }
}

static void environment_cancel(struct aws_credentials *credentials)
{
    (void)credentials; /* it never waits */
}

const struct aws_source AWS_SOURCE_ENVIRONMENT = {"environment", environment_fetch, environment_cancel};
