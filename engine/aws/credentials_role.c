/*
 * sts:AssumeRole with the keys of somebody else: another profile (which may assume a role itself, and so on, but never
 * in a circle), the environment, the container or the machine. Or, for a role that was asked for, with whatever the
 * chain gives.
 */
#include "aws/credentials_inside.h"

#include <stdlib.h>
#include <string.h>

struct role_work {
    char *arn;
    struct aws_wait *wait;
    struct credentials_call *call;
};

static void work_end(struct aws_credentials *credentials)
{
    struct role_work *work = credentials->work;

    free(work->arn);
    free(work);
    credentials->work = NULL;
}

static void role_failed(struct aws_credentials *credentials, const struct err *failed, const char *what)
{
    struct role_work *work = credentials->work;
    struct err err = *failed;

    if (what)
        err_context(&err, what, work->arn);
    if (!credentials->role)
        err_context(&err, "profile %s", credentials->profile);
    work_end(credentials);
    aws_source_done(credentials, NULL, NULL, &err);
}

/* ---- the call ---- */

static void role_answer(void *ctx, struct doc *result, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct role_work *work = credentials->work;
    const char *arn = doc_as_text(doc_path(result, "AssumedRoleUser", "Arn", NULL), "");
    struct aws_identity identity = {0};
    struct err err = failed ? *failed : ERR_INIT;
    char *source;

    work->call = NULL;
    if (failed || credentials_read(doc_get(result, "Credentials"), &identity, &err) != 0) {
        role_failed(credentials, &err, "assuming %s");
        return;
    }
    /* arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION */
    for (int i = 0; i < 4 && arn[0]; i++)
        arn += strcspn(arn, ":") + (arn[strcspn(arn, ":")] == ':');
    if (arn[0] && !identity.account)
        identity.account = mem_view((struct view){arn, strcspn(arn, ":")});
    if (credentials->role)
        source = mem_printf("role %s, assumed by %s", work->arn, aws_credentials_source(credentials->below));
    else
        source = mem_printf("profile %s (assumed role %s from %s)", credentials->profile, work->arn,
                            aws_config_place(credentials->config, credentials->profile, "role_arn"));
    work_end(credentials);
    aws_source_done(credentials, &identity, source, NULL);
    free(source);
}

static void keys_came(void *ctx, const struct aws_identity *identity, const struct err *err)
{
    struct aws_credentials *credentials = ctx;
    struct role_work *work = credentials->work;
    const char *region = aws_config_region(credentials->config), *duration, *configured;
    struct doc *params;
    char name[65], *end;
    long seconds;

    (void)identity; /* the call asks for it when it is signed */
    work->wait = NULL;
    if (err) {
        role_failed(credentials, err, NULL);
        return;
    }
    params = doc_object();
    configured = credentials->role ? NULL : credentials_setting(credentials, "role_session_name");
    credentials_session_name(credentials, configured, name);
    doc_set_text(params, "RoleArn", work->arn);
    doc_set_text(params, "RoleSessionName", name);
    if (!credentials->role) {
        doc_set_text(params, "ExternalId", credentials_setting(credentials, "external_id"));
        duration = credentials_setting(credentials, "duration_seconds");
        seconds = duration ? strtol(duration, &end, 10) : 0;
        if (duration && *end == '\0') /* what is no number is passed over, as by the CLI */
            doc_set_int(params, "DurationSeconds", seconds);
    }
    work->call = credentials_call(credentials, "sts", "AssumeRole", params, region ? region : "aws-global",
                                  credentials->below, role_answer, credentials);
}

static void keys_ask(struct aws_credentials *credentials, const char *arn)
{
    struct role_work *work = mem_alloc(sizeof(*work));
    struct aws_wait *wait;

    work->arn = mem_text(arn);
    credentials->work = work;
    wait = aws_credentials_get(credentials->below, false, keys_came, credentials);
    if (wait) /* else it was called already, and the work may be over */
        work->wait = wait;
}

static void role_cancel(struct aws_credentials *credentials)
{
    struct role_work *work = credentials->work;

    aws_credentials_cancel(work->wait);
    credentials_call_cancel(work->call);
    work_end(credentials);
}

/* ---- whose keys ---- */

static bool has_keys(const struct aws_config *config, const char *profile)
{
    return aws_config_get(config, profile, "aws_access_key_id") ||
           aws_config_get(config, profile, "aws_secret_access_key");
}

static bool assumes(const struct aws_config *config, const char *profile)
{
    return aws_config_get(config, profile, "role_arn") && !aws_config_get(config, profile, "web_identity_token_file");
}

/* A profile may name itself, when it has keys; any other return to one that waits already is a circle. */
static bool is_circle(const struct aws_credentials *credentials, const char *profile)
{
    if (strcmp(credentials->profile, profile) == 0)
        return !has_keys(credentials->config, profile);
    for (const struct aws_credentials *above = credentials->above; above; above = above->above)
        if (strcmp(above->profile, profile) == 0)
            return true;
    return false;
}

static int below_profile(struct aws_credentials *credentials, const char *profile, struct err *err)
{
    static const struct aws_source *const role[] = {&AWS_SOURCE_ROLE, NULL};
    const struct aws_config *config = credentials->config;
    const char *near;

    if (!aws_config_has_profile(config, profile)) {
        near = aws_config_profile_near(config, profile);
        return aws_config_error(config, credentials->profile, "source_profile", err,
                                "source_profile names \"%s\", which is no profile%s%s%s", profile,
                                near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
    if (is_circle(credentials, profile))
        return aws_config_error(config, credentials->profile, "source_profile", err,
                                "source_profile names \"%s\", and so the roles stand in a circle", profile);
    credentials->below = credentials_new_below(
        credentials, profile, has_keys(config, profile) || !assumes(config, profile) ? CREDENTIALS_PROFILE : role);
    return 0;
}

static int below_source(struct aws_credentials *credentials, const char *name, struct err *err)
{
    static const struct {
        const char *name;
        const struct aws_source *const chain[2];
    } sources[] = {{"Environment", {&AWS_SOURCE_ENVIRONMENT, NULL}},
                   {"Ec2InstanceMetadata", {&AWS_SOURCE_IMDS, NULL}},
                   {"EcsContainer", {&AWS_SOURCE_CONTAINER, NULL}}};

    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
        if (strcmp(sources[i].name, name) == 0) {
            credentials->below = credentials_new_below(credentials, credentials->profile, sources[i].chain);
            credentials->below->environment = true;
            return 0;
        }
    return aws_config_error(credentials->config, credentials->profile, "credential_source", err,
                            "credential_source is \"%s\"; there are Environment, Ec2InstanceMetadata and EcsContainer",
                            name);
}

static int below_find(struct aws_credentials *credentials, struct err *err)
{
    const struct aws_config *config = credentials->config;
    const char *profile = credentials_setting(credentials, "source_profile");
    const char *source = credentials_setting(credentials, "credential_source");

    if (credentials_setting(credentials, "mfa_serial"))
        return aws_config_error(config, credentials->profile, "mfa_serial", err,
                                "its role wants a code of %s, which nobody can type in the middle of a run; "
                                "use a profile that needs none, or keys of `aws sts assume-role`",
                                credentials_setting(credentials, "mfa_serial"));
    if (profile && source)
        return aws_config_error(config, credentials->profile, "credential_source", err,
                                "it has both source_profile and credential_source");
    if (!profile && !source)
        return aws_config_error(config, credentials->profile, "role_arn", err,
                                "it has a role_arn, and neither source_profile nor credential_source to assume it "
                                "with");
    return profile ? below_profile(credentials, profile, err) : below_source(credentials, source, err);
}

static void role_fetch(struct aws_credentials *credentials)
{
    const char *arn = credentials_setting(credentials, "role_arn");
    struct err err = ERR_INIT;

    if (!arn)
        aws_source_none(credentials, "profile %s has no role_arn", credentials->profile);
    else if (!assumes(credentials->config, credentials->profile))
        aws_source_none(credentials, "profile %s assumes its role by web identity", credentials->profile);
    else if (!credentials->below && below_find(credentials, &err) != 0)
        aws_source_done(credentials, NULL, NULL, &err);
    else
        keys_ask(credentials, arn);
}

static void role_on_top_fetch(struct aws_credentials *credentials)
{
    if (!credentials->below) {
        credentials->below = credentials_new_below(credentials, credentials->profile, CREDENTIALS_WHOLE);
        credentials->below->environment = credentials->environment;
        credentials->below->above = NULL; /* not assumed by the profile itself: it may do so once more */
    }
    keys_ask(credentials, credentials->role);
}

const struct aws_source AWS_SOURCE_ROLE = {"role of the profile", role_fetch, role_cancel};
const struct aws_source AWS_SOURCE_ROLE_ON_TOP = {"role", role_on_top_fetch, role_cancel};
