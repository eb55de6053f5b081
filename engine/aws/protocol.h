#pragma once
/*
 * Documents to requests and answers to documents, by the service's protocol: query, ec2, json, rest-json, rest-xml.
 * https://smithy.io/2.0/aws/protocols/ ; where botocore differs from it, botocore is right. This is the
 * client's role; the sandbox reads requests and writes answers with code of its own, from the same table.
 *
 * Values are documents: structures and maps are objects, timestamps texts "2030-01-01T00:00:00Z" (with ".123" when there
 * is a fraction; numbers of seconds are taken too), blobs strings of bytes (doc_bytes), floats also "NaN", "Infinity",
 * "-Infinity". Members that are absent are absent; null reads as absent.
 */
#include "aws/model.h"
#include "codec/doc.h"
#include "world/world.h"

/* Names in lower case unless the wire says otherwise; owns its texts. */
struct aws_headers {
    struct header *list;
    size_t len, cap;
};
void aws_headers_add(struct aws_headers *headers, const char *name, struct view value);
void aws_headers_set(struct aws_headers *headers, const char *name, struct view value); /* replaces, any case */
const char *aws_headers_get(const struct aws_headers *headers, const char *name);       /* any case; NULL */
void aws_headers_clear(struct aws_headers *headers); /* wiped: they may hold credentials */

/* A request without its host. */
struct aws_wire {
    const char *method;        /* borrowed from the table */
    struct buf path;           /* escaped, with its leading "/" */
    struct buf query;          /* escaped, in order, without "?" */
    struct buf host_prefix;    /* "data-" of endpoint.hostPrefix, filled; "" without one */
    struct aws_headers headers;
    struct buf body;           /* JSON, XML or form; the bytes of a blob payload */
    bool streaming;            /* the payload is a stream: its length may be signed as UNSIGNED-PAYLOAD */
    bool from_file;            /* the payload is a file: body is empty */
};
void aws_wire_init(struct aws_wire *wire);
void aws_wire_clear(struct aws_wire *wire);

/* Types, required members, enums' and numbers' bounds, lengths, before anything is sent. The error (ERR_USAGE, A101) names
   the path, "vpcConfig.subnetIds[2]", what is wrong there, what is wanted; an unknown member gets a did-you-mean; further
   mistakes, up to five, in lines "\n= also: ...". Tokens and streams may be missing still. Enums are
   not closed: a value that is not listed is accepted. A union has one member. */
int aws_params_check(struct aws_operation operation, const struct doc *params, struct err *err) __attribute__((warn_unused_result));
/* Puts in idempotency tokens that are not there; made by `token` (a UUID) for the member of this name. */
void aws_params_tokens(struct aws_operation operation, struct doc *params, void (*token)(void *ctx, const char *member, char out[37]), void *ctx);

/* params were checked, and hold no marks any more (null: {}). S3's path is without its bucket: that is in the endpoint's URL. */
int aws_request_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire, struct err *err) __attribute__((warn_unused_result));

struct aws_answer {
    int status;
    const struct header *headers;
    size_t headers_len;
    struct view body;
};
/* The result of a 2xx; NULL and ERR_SERVER (A102: what came instead, in one line) when the body is not what the protocol says.
   S3 may say 200 and in the body that it failed (CopyObject, CompleteMultipartUpload, ...), or stop in the middle: NULL and
   what aws_error_read makes of it, kind ERR_SERVER, retryable. A streamed body is the payload's bytes, whole; an event
   stream a list of {type: event}. */
struct doc *aws_answer_read(struct aws_operation operation, const struct aws_answer *answer, struct err *err);
/* Any other status: code, message, request id, retryable by the model's retry trait and the throttle codes, kind; fields
   of a modelled exception in *fields (may be NULL), else what the error says besides (S3's {"Region": ...}); a new object.
   message is one line; Retry-After and maybe_done of err are kept. Never fails: HTML, cut bodies, nothing at all are errors to tell of. */
void aws_error_read(struct aws_operation operation, const struct aws_answer *answer, struct err *err, struct doc **fields);
/* {"RequestId", "HTTPStatusCode", "HTTPHeaders", ...} as botocore's ResponseMetadata, RetryAttempts left out. */
struct doc *aws_answer_metadata(struct aws_operation operation, const struct aws_answer *answer);

/* ---- times ---- */

/* Seconds since 1970 with their fraction: epoch numbers, ISO 8601 in AWS's spellings, RFC 822 dates. False: it is none. */
bool aws_time_parse(struct view text, double *seconds);
/* DEFAULT is what documents hold (".5"); ISO8601 what is sent (".500000"). The years 1 to 9999. */
void aws_time_add(struct buf *out, double seconds, enum aws_time format);
