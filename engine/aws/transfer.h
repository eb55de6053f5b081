#pragma once
/*
 * One operation on the wire: its endpoint found, its request written and signed anew for each attempt, its answer read.
 * Below the client and below the credentials that are got by calls of their own.
 */
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "base/list.h"
#include "codec/doc.h"
#include "http/http.h"

/* What transfers share. */
struct aws_transport {
    struct world *world;
    struct http *http;
    const struct aws_config *config;
    struct tls tls;          /* trusts the configured CA bundle */
    int64_t skew_ms;         /* the services' clock less ours, learned from refusals */
    struct http_quota quota; /* of standard retries */
    bool adaptive;
    struct list paces;       /* of adaptive ones */
    struct doc *buckets;     /* {name: region} of those that turned out to be elsewhere; NULL: none did */
};
void aws_transport_init(struct aws_transport *transport, struct world *world, struct http *http, const struct aws_config *config);
void aws_transport_clear(struct aws_transport *transport); /* when no transfer is left */
/* Retries as configured (retry.c). attempts: those asked for, AWS_MAX_ATTEMPTS, max_attempts, else 3. */
int aws_retry_attempts(const struct aws_config *config, int asked);
/* AWS_RETRY_MODE or retry_mode; adaptive is false for standard and legacy, which is the same to us. A201 for another word. */
int aws_retry_mode(const struct aws_config *config, bool *adaptive, struct err *err) __attribute__((warn_unused_result));
/* That of a service in a region, NULL when retries are not adaptive. */
struct http_pace *aws_retry_pace(struct aws_transport *transport, const char *service, const char *region);

/* Gives the keys for an attempt, as aws_credentials_get does; refused: those of the last one were. */
typedef struct aws_wait *aws_keys_fn(void *ctx, bool refused, aws_identity_fn *fn, void *fn_ctx);

struct aws_transfer_request {
    struct aws_operation operation;
    const struct doc *params; /* customized, checked, plain, with their idempotency tokens */
    const char *region;       /* NULL: none is known; then only what needs none can be called */
    const char *endpoint_url; /* NULL: the configured one, else by the rules */
    bool plain_endpoint;      /* AWS's own, whatever is configured */
    const struct aws_headers *headers; /* further ones, signed; NULL: none */
    const char *body_path, *into;      /* as in aws_request */
    aws_keys_fn *keys;        /* NULL: unsigned */
    void *keys_ctx;
    bool guarded;             /* a repetition is recognised: it carries a token, or its effect is the same */
    bool reads;               /* what the table does not say: nothing stays of it, it makes credentials */
    bool backward;
    int64_t timeout_ms;
    int attempts_max;
    void *owner;
    uint64_t logical;
    const char *subject;
    const char *token;        /* the idempotency token in params, for the journal; NULL: none */
    int presign_s;            /* not 0: nothing is sent, the result is {url}, good for so many seconds */
};

/* result and answer are borrowed; result is NULL with err, {} when the operation answers nothing. */
typedef void aws_transfer_fn(void *ctx, struct doc *result, const struct http_answer *answer, const struct err *err);
struct aws_transfer;
/* Never NULL: what is wrong before anything is sent ends it from a later turn. */
struct aws_transfer *aws_transfer_start(struct aws_transport *transport, const struct aws_transfer_request *request,
                                        aws_transfer_fn *fn, void *ctx);
void aws_transfer_cancel(struct aws_transfer *transfer);

/* The URL of a request and what it is signed for. url has a path and perhaps a query. */
struct aws_target {
    struct buf url;    /* whole */
    struct buf host;   /* with a port that is not the scheme's */
    struct buf path;   /* as it is sent */
    struct buf region, service; /* of the credential scope */
    bool single_encoding;
    bool secure; /* https */
};
void aws_target_init(struct aws_target *target);
void aws_target_clear(struct aws_target *target);
/* Finds the endpoint and joins it with what the protocol wrote; wire gets the endpoint's headers. */
int aws_target_resolve(const struct aws_transport *transport, const struct aws_transfer_request *request, struct aws_wire *wire,
                       struct aws_target *target, struct err *err) __attribute__((warn_unused_result));
