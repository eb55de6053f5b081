#pragma once
/*
 * aws: a client of every operation in the table; looks at and undoes resources whose kind is data (resource.h).
 * Owns: signing, endpoints, credentials, the protocols, waiters and pages.
 * Never: knows a kind of resource or how one is made (lua/dosrun/aws), runs, verbs, the sandbox.
 */
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "codec/doc.h"
#include "http/http.h"

struct marks;
struct aws;

/* Borrows all. One for a run: its clients share credentials, connections, the corrected clock, the retry tokens. */
struct aws *aws_new(struct world *world, struct http *http, struct marks *marks, struct aws_config *config,
                    const struct aws_table *table);
void aws_free(struct aws *aws);
const struct aws_table *aws_table_of(const struct aws *aws);
const struct marks *aws_marks(const struct aws *aws);
/* A further service from a pack: found after the built-in ones. Takes the table. */
void aws_add_table(struct aws *aws, struct aws_table *table);
struct aws_service aws_find_service(const struct aws *aws, const char *name, struct err *err); /* A104 with did-you-mean */

/* By the names that people write (names.c): "sso-oidc" or "sso_oidc"; an operation by either name. None and A104 with
   did-you-mean. */
struct aws_service aws_service_need(const struct aws_table *table, const char *name, struct err *err);
struct aws_operation aws_operation_need(struct aws_service service, const char *name, struct err *err);
const char *aws_region_of(const struct aws *aws); /* the configured one; NULL: none is */
/* An idempotency token: a UUID (version 4's form) that is a keyed hash of its purpose. */
void aws_token_make(struct view key, struct view purpose, char out[37]);

struct aws_request {
    struct aws_operation operation;
    const struct doc *params;  /* may hold marks; NULL: {} */
    const char *region;        /* NULL: the configured one */
    const char *role;          /* NULL: as configured; else an ARN to be assumed */
    const char *endpoint_url;  /* NULL: as configured */
    bool backward;
    int64_t timeout_ms;        /* of an attempt; 0: 60 s, as botocore's read_timeout */
    int attempts_max;          /* 0: as configured (3) */
    void *owner;               /* as in http_request */
    uint64_t logical;
    const char *subject;       /* NULL: "aws eks DescribeCluster" */
    bool guarded;              /* a late or second arrival does no harm, though there is no idempotency token */
    bool plain_endpoint;       /* AWS's own, whatever is configured: for URLs that others judge */
    const struct aws_headers *headers; /* further ones, signed: whoever uses a presigned URL must send them too; NULL: none */
    const char *body_path;     /* the streamed payload is this file, which is not loaded (params have no such member); NULL */
    const char *into;          /* the answer's streamed payload goes to this file, whole or not at all, and is not in the
                                  result. Writing is the caller's to admit. NULL */
    /* Makes a UUID for an idempotency token that params lack; NULL: the client does. */
    void (*token)(void *ctx, const char *member, char out[37]);
    void *token_ctx;
};

/* result is borrowed, NULL with err. err: code and message as the service said them, request id, kind; H-codes of http as well.
   The result of an operation without output is {}. Members marked sensitive arrive as marks. */
typedef void aws_answer_fn(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err);
struct aws_call;
/* params are checked at once: what is wrong ends it from a later turn, nothing sent. */
struct aws_call *aws_send(struct aws *aws, const struct aws_request *request, aws_answer_fn *fn, void *ctx);
void aws_cancel(struct aws_call *call);
/* A URL that anybody may use until it expires; result is {url}. */
struct aws_call *aws_presign(struct aws *aws, const struct aws_request *request, int expires_s, aws_answer_fn *fn, void *ctx);
/* Who we are: sts:GetCallerIdentity's {Account, Arn, UserId}. */
struct aws_call *aws_whoami(struct aws *aws, aws_answer_fn *fn, void *ctx);
/* Where our credentials come from, "" before the first call; *expires_ms in wall time, 0: never or not known. Borrowed. */
const char *aws_source(struct aws *aws, int64_t *expires_ms);

/* ---- EKS (eks_token.c): a bearer token is a URL that tells sts who we are, meant for one cluster ---- */

enum { AWS_EKS_TOKEN_MS = 14 * 60 * 1000 }; /* how long it is good: 15 minutes for the cluster, less one for its clock */
/* Makes the token, sends nothing; result is {url}. region: the cluster's. */
struct aws_call *aws_eks_token(struct aws *aws, const char *region, const char *cluster, aws_answer_fn *fn, void *ctx);
void aws_eks_token_add(struct buf *out, const struct doc *result); /* of such a result: the token, plain */

/* Waiters and pages are loops over aws_send; these two say what an answer means (waiter.c, pages.c). */
enum aws_wait_state { AWS_WAIT_RETRY, AWS_WAIT_SUCCESS, AWS_WAIT_FAILURE };
enum aws_wait_state aws_waiter_judge(struct aws_service service, const struct aws_waiter *waiter, const struct doc *result,
                                     int status, const struct err *answer_err, struct buf *why);
/* Puts the next page's tokens into params; false: that was the last. ERR_SERVER when the service repeats a token. */
bool aws_pages_next(struct aws_operation operation, struct doc *params, const struct doc *result, struct err *err);

/* What help says (describe.c) of "" (all services), "eks", "eks.describe_cluster". */
int aws_describe(struct buf *out, const struct aws_table *table, const char *word, struct err *err) __attribute__((warn_unused_result));
