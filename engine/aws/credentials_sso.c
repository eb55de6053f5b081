/*
 * IAM Identity Center: the token that `aws sso login` left in ~/.aws/sso/cache is exchanged for the keys of a role.
 * One of a session can be renewed without a login for some days; then the new one is left in its place, for the CLI
 * too. https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
 */
#include "aws/credentials_inside.h"

#include "base/digest.h"
#include "base/secret.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE_MAX = 256 << 10, RENEW_EARLY_MS = 15 * 60 * 1000 };

struct sso_work {
    const char *session, *start_url, *region, *role,
        *account; /* of the configuration; session NULL: the form before it */
    char *path;   /* of the cached token */
    struct doc *token;
    struct credentials_call *call;
};

static void work_end(struct aws_credentials *credentials)
{
    struct sso_work *work = credentials->work;

    credentials_doc_free(work->token);
    free(work->path);
    free(work);
    credentials->work = NULL;
}

static void sso_failed(struct aws_credentials *credentials, const struct err *err)
{
    struct err copy = *err;

    err_context(&copy, "profile %s", credentials->profile);
    work_end(credentials);
    aws_source_done(credentials, NULL, NULL, &copy);
}

static void login_over(struct aws_credentials *credentials, const char *why, const char *more)
{
    const struct sso_work *work = credentials->work;
    struct err err = ERR_INIT;

    err_set(&err, ERR_AUTH, "the SSO login of %s%s %s%s: run `aws sso login --profile %s`",
            work->session ? "session " : "", work->session ? work->session : work->start_url, why, more,
            credentials->profile);
    err_explain(&err, "A206");
    sso_failed(credentials, &err);
}

/* ---- the role's keys ---- */

static void role_answer(void *ctx, struct doc *result, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct sso_work *work = credentials->work;
    const struct doc *keys = doc_get(result, "roleCredentials");
    struct aws_identity identity = {
        .access_key = credentials_text(keys, "accessKeyId"),
        .secret_key = credentials_text(keys, "secretAccessKey"),
        .session_token = credentials_text(keys, "sessionToken"),
        .account = mem_text(work->account),
        .expires_ms = doc_as_int(doc_get(keys, "expiration"), 0),
    };
    struct err err = failed ? *failed : ERR_INIT;
    char *source =
        mem_printf("profile %s (SSO role %s of account %s)", credentials->profile, work->role, work->account);

    work->call = NULL;
    if (!failed && (!identity.access_key || !identity.secret_key))
        err_set(&err, ERR_AUTH, "the answer has no keys");
    if (failed && failed->status == 401) {
        login_over(credentials, "is not accepted any more", "");
    } else if (err.kind) {
        err_context(&err, "SSO role %s of account %s", work->role, work->account);
        sso_failed(credentials, &err);
    } else {
        work_end(credentials);
        aws_source_done(credentials, &identity, source, NULL);
    }
    aws_identity_clear(&identity);
    free(source);
}

static void role_ask(struct aws_credentials *credentials)
{
    struct sso_work *work = credentials->work;
    struct doc *params = doc_object();

    doc_set_text(params, "roleName", work->role);
    doc_set_text(params, "accountId", work->account);
    doc_set_text(params, "accessToken", doc_path_text(work->token, "accessToken", NULL));
    work->call = credentials_call(credentials, "sso", "GetRoleCredentials", params, work->region, NULL, role_answer,
                                  credentials);
}

/* ---- the token ---- */

/* -1: it has no such time. Tokens of before say "2030-01-01T00:00:00UTC". */
static int64_t token_time(const struct doc *token, const char *name)
{
    const char *text = doc_as_text(doc_get(token, name), "");
    size_t len = strlen(text);
    char *plain =
        len > 3 && strcmp(text + len - 3, "UTC") == 0 ? mem_printf("%.*sZ", (int)len - 3, text) : mem_text(text);
    int64_t time_ms = credentials_time(plain);

    free(plain);
    return time_ms;
}

static void token_use(struct aws_credentials *credentials)
{
    struct sso_work *work = credentials->work;

    if (token_time(work->token, "expiresAt") > world_now_ms(credentials->world))
        role_ask(credentials);
    else
        login_over(credentials, "expired at ", doc_as_text(doc_get(work->token, "expiresAt"), "(no time)"));
}

static void token_save(struct aws_credentials *credentials)
{
    struct sso_work *work = credentials->work;
    struct err ignored = ERR_INIT; /* a disk that is full does not take the token away that we have */
    struct buf text;

    buf_init(&text, CACHE_MAX);
    json_add(&text, work->token, JSON_COMPACT);
    if (disk_write(credentials->world, work->path, buf_view(&text), 0600, &ignored) != 0)
        err_clear(&ignored);
    if (text.ptr)
        secret_wipe(text.ptr, text.cap);
    buf_free(&text);
}

static void token_take(struct aws_credentials *credentials, const struct doc *result)
{
    struct sso_work *work = credentials->work;
    int64_t expires_s = world_now_ms(credentials->world) / 1000 + doc_as_int(doc_get(result, "expiresIn"), 0);
    const char *refresh = doc_path_text(result, "refreshToken", NULL);
    struct buf time;

    buf_init(&time, 64);
    aws_time_add(&time, (double)expires_s, AWS_TIME_ISO8601);
    doc_set_text(work->token, "startUrl", work->start_url);
    doc_set_text(work->token, "region", work->region);
    doc_set_text(work->token, "accessToken", doc_path_text(result, "accessToken", NULL));
    doc_set_text(work->token, "expiresAt", buf_text(&time));
    doc_remove(work->token, "refreshToken"); /* it is good for one time */
    doc_set_text(work->token, "refreshToken", refresh);
    buf_free(&time);
    token_save(credentials);
}

/* When it cannot be renewed, the old one serves until its end. */
static void token_answer(void *ctx, struct doc *result, const struct err *failed)
{
    struct aws_credentials *credentials = ctx;
    struct sso_work *work = credentials->work;

    work->call = NULL;
    if (!failed && doc_path_text(result, "accessToken", NULL))
        token_take(credentials, result);
    token_use(credentials);
}

static bool token_renewable(const struct aws_credentials *credentials)
{
    const struct sso_work *work = credentials->work;
    int64_t now_ms = world_now_ms(credentials->world);

    return work->session && token_time(work->token, "expiresAt") < now_ms + RENEW_EARLY_MS &&
           token_time(work->token, "registrationExpiresAt") > now_ms && doc_get(work->token, "refreshToken") &&
           doc_get(work->token, "clientId") && doc_get(work->token, "clientSecret");
}

static void token_renew(struct aws_credentials *credentials)
{
    struct sso_work *work = credentials->work;
    struct doc *params = doc_object();

    doc_set_text(params, "grantType", "refresh_token");
    doc_set_text(params, "clientId", doc_path_text(work->token, "clientId", NULL));
    doc_set_text(params, "clientSecret", doc_path_text(work->token, "clientSecret", NULL));
    doc_set_text(params, "refreshToken", doc_path_text(work->token, "refreshToken", NULL));
    work->call =
        credentials_call(credentials, "sso-oidc", "CreateToken", params, work->region, NULL, token_answer, credentials);
}

/* 1: there is none that could be used. */
static int token_load(struct aws_credentials *credentials, struct err *err)
{
    struct sso_work *work = credentials->work;
    struct err unsaid = ERR_INIT;
    struct buf text;
    int result = 0;

    buf_init(&text, CACHE_MAX);
    if (disk_read(credentials->world, work->path, CACHE_MAX, &text, err) != 0) {
        result = err->kind == ERR_MISSING ? 1 : -1;
    } else {
        work->token = json_parse(buf_view(&text), &unsaid);
        if (!doc_path_text(work->token, "accessToken", NULL))
            result = 1;
    }
    if (text.ptr)
        secret_wipe(text.ptr, text.cap);
    buf_free(&text);
    return result;
}

/* ---- the configuration ---- */

/* The profile's setting, else the session's; both must not differ. */
static const char *either(const struct aws_credentials *credentials, const char *session, const char *name,
                          struct err *err)
{
    const char *own = credentials_setting(credentials, name);
    const char *shared = session ? aws_config_section(credentials->config, "sso-session", session, name) : NULL;

    if (own && shared && strcmp(own, shared) != 0)
        aws_config_error(credentials->config, credentials->profile, name, err, "%s is another one in sso-session %s",
                         name, session);
    if (!own && !shared && !err->kind)
        aws_config_error(credentials->config, credentials->profile, "sso_role_name", err,
                         "it is one of SSO, and there is no %s", name);
    return own ? own : shared;
}

static int settings_read(const struct aws_credentials *credentials, struct sso_work *work, struct err *err)
{
    const char *session = credentials_setting(credentials, "sso_session");

    if (session && !aws_config_section(credentials->config, "sso-session", session, NULL))
        return aws_config_error(credentials->config, credentials->profile, "sso_session", err,
                                "there is no section [sso-session %s]", session);
    work->session = session;
    work->start_url = either(credentials, session, "sso_start_url", err);
    work->region = either(credentials, session, "sso_region", err);
    work->account = either(credentials, session, "sso_account_id", err);
    work->role = either(credentials, session, "sso_role_name", err);
    return err->kind ? -1 : 0;
}

static char *cache_path(const struct aws_credentials *credentials, const struct sso_work *work)
{
    char name[41];

    digest_sha1_hex(view_of(work->session ? work->session : work->start_url), name);
    return mem_printf("%s/.aws/sso/cache/%s.json", aws_config_home(credentials->config), name);
}

static void sso_fetch(struct aws_credentials *credentials)
{
    struct sso_work *work, settings = {0};
    struct err err = ERR_INIT;
    int result;

    if (!credentials_setting(credentials, "sso_role_name") && !credentials_setting(credentials, "sso_account_id")) {
        aws_source_none(credentials, "profile %s has no sso_role_name", credentials->profile);
        return;
    }
    if (settings_read(credentials, &settings, &err) != 0) {
        aws_source_done(credentials, NULL, NULL, &err);
        return;
    }
    work = mem_alloc(sizeof(*work));
    *work = settings;
    work->path = cache_path(credentials, work);
    credentials->work = work;
    result = token_load(credentials, &err);
    if (result < 0)
        sso_failed(credentials, &err);
    else if (result > 0)
        login_over(credentials, "is not there", "");
    else if (token_renewable(credentials))
        token_renew(credentials);
    else
        token_use(credentials);
}

static void sso_cancel(struct aws_credentials *credentials)
{
    credentials_call_cancel(((struct sso_work *)credentials->work)->call);
    work_end(credentials);
}

const struct aws_source AWS_SOURCE_SSO = {"SSO", sso_fetch, sso_cancel};
