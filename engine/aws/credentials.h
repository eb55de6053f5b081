#pragma once
/*
 * Who we are on AWS: the chain of sources, in botocore's order, and their refresh.
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 *
 * A source is one file (credentials_<source>.c) behind a two-function table. Plain keys live in struct aws_identity only;
 * it is wiped.
 */
#include "aws/sign.h"
#include "http/http.h"

/* ---- shared files (config_file.c): ~/.aws/config, ~/.aws/credentials, as the aws CLI reads them ---- */

struct aws_config;
struct aws_config_options {
    const char *(*env)(void *ctx, const char *name); /* NULL when unset; the sandbox has none */
    void *ctx;
    const char *home;    /* NULL: no files */
    const char *profile; /* --profile; NULL: AWS_PROFILE, then "default" */
    const char *region;  /* --region; NULL: as configured */
};
/* Broken lines are ERR_USAGE with file:line (A201); absent files are empty; an asked-for profile that is nowhere is A202,
   with did-you-mean. */
struct aws_config *aws_config_load(struct world *world, const struct aws_config_options *options, struct err *err);
void aws_config_free(struct aws_config *config);
const char *aws_config_profile(const struct aws_config *config);
const char *aws_config_region(const struct aws_config *config); /* NULL: nowhere; `error` of whoever needs it names the places */
/* A setting of the profile, or of any; NULL. Nested ones ("s3 =\n  addressing_style = path") as "s3.addressing_style".
   Secret ones read as "". */
const char *aws_config_get(const struct aws_config *config, const char *profile, const char *name);
const char *aws_config_env(const struct aws_config *config, const char *name); /* NULL when unset or empty */
/* Where a setting stands, "~/.aws/config:12"; "" when it is nowhere. */
const char *aws_config_place(const struct aws_config *config, const char *profile, const char *name);
/* sso-session and services sections; name NULL: "" when the section is there. */
const char *aws_config_section(const struct aws_config *config, const char *kind, const char *section, const char *name);
/* AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section, its endpoint_url; NULL: the rules decide.
   AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is honoured. */
const char *aws_config_endpoint(const struct aws_config *config, struct aws_service service);
bool aws_config_fips(const struct aws_config *config);
bool aws_config_dual_stack(const struct aws_config *config);
const char *aws_config_ca_bundle(const struct aws_config *config); /* NULL: the system's */
/* HTTPS_PROXY, HTTP_PROXY, NO_PROXY for this URL, upper or lower case as curl does; NULL: none. */
const char *aws_config_proxy(const struct aws_config *config, const char *url);

/* ---- identities ---- */

struct aws_identity {
    char *access_key, *secret_key, *session_token; /* plain; token NULL without one */
    char *account;                                 /* when the source says so, else NULL */
    int64_t expires_ms;                            /* wall clock; 0: never */
};
void aws_identity_clear(struct aws_identity *identity);

struct aws_credentials;
struct aws_transport;
/* Borrows both. role: to be assumed on top (NULL: none). */
struct aws_credentials *aws_credentials_new(struct aws_transport *transport, const struct aws_table *table, const char *role);
void aws_credentials_free(struct aws_credentials *credentials);

/* Calls fn once, from this call or a later turn. identity is borrowed for the time of the call. Cached until 5 minutes
   before its end (then refreshed in the background of use; until it really ends the old one serves when the refresh fails);
   one refresh for all who wait. refused: the last call with them was answered that they are not valid. An error (ERR_AUTH, A203)
   has a line "\n= tried: SOURCE: why it gave nothing" for each source. Other errors: A204 (a source is broken), A205 (it has
   none but the refused ones), A206 (SSO login is over), A201. NULL: fn was called already. */
typedef void aws_identity_fn(void *ctx, const struct aws_identity *identity, const struct err *err);
struct aws_wait;
struct aws_wait *aws_credentials_get(struct aws_credentials *credentials, bool refused, aws_identity_fn *fn, void *ctx);
void aws_credentials_cancel(struct aws_wait *wait); /* fn is not called any more; accepts NULL */
/* "profile dev (assumed role arn:... from ~/.aws/config:12)", once they are known; else "". */
const char *aws_credentials_source(const struct aws_credentials *credentials);
int64_t aws_credentials_expire_ms(const struct aws_credentials *credentials); /* 0: never or not known */

/* ---- inside: a source ---- */

struct aws_source {
    const char *name; /* "environment", "IMDSv2" */
    /* Starts; ends by aws_source_done, now or later. None here: err kind MISSING with why, and the chain goes on; any other
       err ends the chain: it was meant to be this source, and it is broken. */
    void (*fetch)(struct aws_credentials *credentials);
    void (*cancel)(struct aws_credentials *credentials);
};
