#pragma once
/*
 * The inside of credentials: whoever asks a chain of sources, what a source gets and gives, and the calls of STS and
 * SSO that some are made of. A role's source is itself such a one, with a chain of its own.
 */
#include "aws/config_inside.h"
#include "aws/transfer.h"
#include "base/list.h"
#include "codec/doc.h"

struct aws_credentials {
    struct aws_transport *transport;
    struct world *world;                      /* the transport's, as is config */
    const struct aws_config *config;
    const struct aws_table *table;
    char *profile;                            /* whose settings count */
    char *role;                               /* to be assumed on top; NULL: none */
    bool environment;                         /* AWS_... variables count as well: not below a role, nor with --profile */
    const struct aws_credentials *above;      /* who assumes a role with it, NULL at the top */
    const struct aws_source *const *chain;    /* NULL at its end */

    /* Asking. */
    size_t at;                                /* of the source that is being asked, or that gave */
    bool chosen;                              /* one gave: from now on it alone is asked */
    bool asking, inside, answered;            /* under way; in its fetch; and it has answered from there */
    struct err answer;                        /* how the last question ended */
    struct aws_identity fresh;                /* what a source gave, before it is judged */
    char *fresh_source;
    void *work;                               /* of the source that is being asked */
    struct aws_credentials *below;            /* of a role: who may assume it. Kept from one refresh to the next */
    struct buf tried;
    struct list waiters;

    /* What is known. */
    struct aws_identity identity;
    bool known, refused;                      /* refused: AWS does not take it any more */
    char *source;
    int64_t refresh_ms;                       /* wall clock: from then on a new one is asked for; 0: never */
    int64_t replaced_ms;                      /* monotonic: when it took the place of another; 0: it did not */
    bool replaced;
};

/* A source's end. err NULL: identity (moved) and what it is, for people. Else as aws_source.fetch says. */
void aws_source_done(struct aws_credentials *credentials, struct aws_identity *identity, const char *source,
                     const struct err *err);
/* The same with "nothing here, because ..." and with "it is this one, but ..." (ERR_AUTH, A204). */
void aws_source_none(struct aws_credentials *credentials, const char *format, ...) __attribute__((format(printf, 2, 3)));
void aws_source_failed(struct aws_credentials *credentials, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A chain below one that needs keys to assume a role with. profile: borrowed no longer than the call. */
struct aws_credentials *credentials_new_below(struct aws_credentials *above, const char *profile,
                                              const struct aws_source *const *chain);
extern const struct aws_source *const CREDENTIALS_WHOLE[];   /* all, in botocore's order */
extern const struct aws_source *const CREDENTIALS_PROFILE[]; /* what a source_profile may be: no variables, no machines */

extern const struct aws_source AWS_SOURCE_ENVIRONMENT, AWS_SOURCE_ROLE, AWS_SOURCE_ROLE_ON_TOP, AWS_SOURCE_WEB_IDENTITY,
    AWS_SOURCE_SSO, AWS_SOURCE_CREDENTIALS_FILE, AWS_SOURCE_LOGIN, AWS_SOURCE_PROCESS, AWS_SOURCE_CONFIG_FILE,
    AWS_SOURCE_CONTAINER, AWS_SOURCE_IMDS;

/* ---- what sources share ---- */

const char *credentials_setting(const struct aws_credentials *credentials, const char *name); /* of its profile; NULL when "" */
char *credentials_text(const struct doc *object, const char *name); /* a copy; NULL when it is absent or empty */
/* Wall clock of an RFC 3339 time, -1 when it is none. */
int64_t credentials_time(const char *text);
/* Its strings are wiped before they are freed; nobody else may hold a part of it. */
void credentials_doc_free(struct doc *doc);
/* {AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration, AccountId} as containers, IMDS, programs and STS give
   it. Lacking ones or a time that is none: ERR_AUTH. */
int credentials_read(const struct doc *object, struct aws_identity *identity, struct err *err)
    __attribute__((warn_unused_result));
void credentials_session_name(struct aws_credentials *credentials, const char *configured, char out[65]);

/* GET and PUT of credentials from a machine or container: never through a proxy, one body of JSON or a line of text. */
struct credentials_ask {
    const char *method, *url, *header, *value; /* one header, or NULL */
    int64_t timeout_ms;
    int attempts_max;
};
typedef void credentials_ask_fn(void *ctx, int status, struct view body, const struct err *err); /* err quotes no query */
struct credentials_asked;
struct credentials_asked *credentials_ask(struct aws_credentials *credentials, const struct credentials_ask *ask,
                                          credentials_ask_fn *fn, void *ctx);
void credentials_ask_cancel(struct credentials_asked *asked); /* accepts NULL */

/* An operation of the table. params is taken; region is borrowed; keys NULL: unsigned. result is wiped after fn. */
struct credentials_call;
typedef void credentials_call_fn(void *ctx, struct doc *result, const struct err *err);
struct credentials_call *credentials_call(struct aws_credentials *credentials, const char *service, const char *operation,
                                          struct doc *params, const char *region, struct aws_credentials *keys,
                                          credentials_call_fn *fn, void *ctx);
void credentials_call_cancel(struct credentials_call *call); /* accepts NULL */
