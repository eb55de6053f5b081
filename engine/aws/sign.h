#pragma once
/*
 * Signature version 4. https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 * Pure: bytes and a time in, headers or a query out.
 */
#include "aws/protocol.h"

struct aws_keys {
    const char *access_key, *secret_key; /* plain */
    const char *session_token;           /* NULL: none */
};

struct aws_sign {
    const struct aws_keys *keys;
    const char *region, *service; /* of the credential scope: the signing name */
    int64_t now_ms;               /* wall clock, corrected by the server's skew */
    bool single_encoding;         /* S3: the path is signed as it was sent, not normalized */
    bool unsigned_payload;        /* x-amz-content-sha256: UNSIGNED-PAYLOAD */
    bool content_sha256;          /* send x-amz-content-sha256 (S3 always) */
    const char *payload_sha256;   /* hex, when the body is not in memory; NULL: of body */
};

struct aws_signed { /* what is signed; path and query as they are sent */
    const char *method;
    const char *host; /* with the port when it is not the scheme's */
    struct view path, query;
    struct view body;
};

/* Adds x-amz-date, x-amz-security-token, x-amz-content-sha256 and authorization to headers, in place of those there; all others
   are signed, but those that may change on the way (user-agent, expect, transfer-encoding, connection, x-amzn-trace-id, ...). */
void aws_sign_headers(const struct aws_sign *sign, const struct aws_signed *request, struct aws_headers *headers);
/* Adds X-Amz-Algorithm ... X-Amz-Signature to query, which holds the operation's parameters (request's is not read); what
   headers holds must be sent with it (host is). expires_s up to 7 days. S3 wants unsigned_payload. */
void aws_sign_query(const struct aws_sign *sign, const struct aws_signed *request, const struct aws_headers *headers,
                    int expires_s, struct buf *query);
/* A path as all but S3 sign it: without empty and dot segments, escaped once more than it is sent. */
void aws_path_normalize(struct buf *out, struct view path);
/* Wipes the derived keys, which are kept for the next signature with the same secret, day, region and service. */
void aws_sign_forget(void);
/* For tests and for the sandbox, which checks signatures: the texts on the way. signed_headers: "host;x-amz-date", sorted. */
void aws_sign_canonical(const struct aws_sign *sign, const struct aws_signed *request, const struct aws_headers *headers,
                        const char *signed_headers, struct buf *out);
void aws_sign_text(const struct aws_sign *sign, struct view canonical, struct buf *out);       /* the string to sign */
void aws_sign_signature(const struct aws_sign *sign, struct view text, char out[65]);
