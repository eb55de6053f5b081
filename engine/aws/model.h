#pragma once
/*
 * The service models as one read-only table: made from botocore's by tools/aws/generate.py, compiled in, or mapped
 * from a file of the same format (a pack). Nothing is parsed or allocated at start.
 * Shared by the client and by the sandbox, which reads requests and writes answers with it.
 *
 * Handles are small values: a table and a row. One without a table is "none": its type is AWS_NONE, its texts are "",
 * there is nothing in it. Texts are borrowed from the table, NUL terminated, never NULL.
 */
#include "base/buf.h"
#include "base/err.h"

struct aws_table;

/* The one that is compiled in. */
const struct aws_table *aws_table_builtin(void);
/* A pack: every offset and count of it is checked before anything is read. Borrows the bytes (8-byte aligned). */
struct aws_table *aws_table_open(struct view bytes, struct err *err);
void aws_table_close(struct aws_table *table);
const char *aws_table_source(const struct aws_table *table); /* "botocore 1.44.5" */

/* ---- shapes (Smithy's and botocore's words; docs of smithy.io, "Simple and aggregate shapes") ---- */

enum aws_type {
    AWS_NONE,
    AWS_STRUCTURE, AWS_LIST, AWS_MAP,
    AWS_STRING, AWS_BLOB, AWS_BOOLEAN, AWS_INTEGER, AWS_LONG, AWS_FLOAT, AWS_DOUBLE, AWS_TIMESTAMP,
};
enum aws_time { AWS_TIME_DEFAULT, AWS_TIME_ISO8601, AWS_TIME_UNIX, AWS_TIME_RFC822 };

struct aws_shape {
    const struct aws_table *table;
    uint32_t at;
};
struct aws_member {
    const struct aws_table *table;
    uint32_t at;
};

enum aws_type aws_shape_type(struct aws_shape shape);
const char *aws_shape_name(struct aws_shape shape); /* of exceptions, and where only it names an XML root; else "" */
size_t aws_shape_members(struct aws_shape shape);   /* of a structure; 1 of a list (element), 2 of a map (key, value) */
struct aws_member aws_shape_member(struct aws_shape shape, size_t index); /* none when out of range */
struct aws_member aws_shape_member_find(struct aws_shape shape, struct view name);
struct aws_member aws_shape_payload(struct aws_shape shape); /* none: the structure itself is the body */
enum aws_time aws_shape_time(struct aws_shape shape);
size_t aws_shape_values(struct aws_shape shape); /* of an enum */
const char *aws_shape_value(struct aws_shape shape, size_t index);
/* Length of strings, blobs, lists and maps, or value of numbers. False: that bound is not there. */
bool aws_shape_min(struct aws_shape shape, double *min);
bool aws_shape_max(struct aws_shape shape, double *max);
const char *aws_shape_wire(struct aws_shape shape);      /* the shape's own locationName, else "" */
const char *aws_shape_namespace(struct aws_shape shape); /* xmlNamespace uri, else "" */
const char *aws_shape_namespace_prefix(struct aws_shape shape);
/* Exceptions. */
const char *aws_shape_error_code(struct aws_shape shape); /* error.code, else its name */
int aws_shape_error_status(struct aws_shape shape);       /* error.httpStatusCode, 0 when unknown */

enum aws_shape_flag {
    AWS_SHAPE_FLATTENED = 1, AWS_SHAPE_SENSITIVE = 2, AWS_SHAPE_STREAMING = 4, AWS_SHAPE_UNION = 8,
    AWS_SHAPE_EXCEPTION = 16, AWS_SHAPE_FAULT = 32, AWS_SHAPE_RETRYABLE = 64, AWS_SHAPE_RETRY_THROTTLING = 128,
    AWS_SHAPE_EVENT_STREAM = 256, AWS_SHAPE_EVENT = 512, AWS_SHAPE_DOCUMENT = 1024, AWS_SHAPE_BOX = 2048,
};
unsigned aws_shape_flags(struct aws_shape shape);

enum aws_location {
    AWS_IN_BODY, AWS_IN_URI, AWS_IN_QUERY, AWS_IN_HEADER, AWS_IN_HEADERS, AWS_IN_STATUS,
};
enum aws_member_flag {
    AWS_MEMBER_REQUIRED = 1, AWS_MEMBER_TOKEN = 2 /* idempotencyToken */, AWS_MEMBER_STREAMING = 4,
    AWS_MEMBER_FLATTENED = 8, AWS_MEMBER_ATTRIBUTE = 16 /* xmlAttribute */, AWS_MEMBER_HOST_LABEL = 32,
    AWS_MEMBER_EVENT_PAYLOAD = 64, AWS_MEMBER_EVENT_HEADER = 128, AWS_MEMBER_JSON_VALUE = 256,
    AWS_MEMBER_DEPRECATED = 512, AWS_MEMBER_BOX = 1024,
};
const char *aws_member_name(struct aws_member member);
const char *aws_member_wire(struct aws_member member); /* locationName, else ""; the protocols say what that means */
const char *aws_member_query_name(struct aws_member member); /* ec2's queryName, else "" */
struct aws_shape aws_member_shape(struct aws_member member);
enum aws_location aws_member_location(struct aws_member member);
unsigned aws_member_flags(struct aws_member member);
enum aws_time aws_member_time(struct aws_member member); /* the member's, else its shape's */
const char *aws_member_namespace(struct aws_member member);
const char *aws_member_namespace_prefix(struct aws_member member);
const char *aws_member_context(struct aws_member member); /* name of the endpoint parameter that it sets, else "" */

/* ---- services and operations ---- */

enum aws_protocol {
    AWS_QUERY, AWS_EC2, AWS_JSON, AWS_REST_JSON, AWS_REST_XML,
};

struct aws_service {
    const struct aws_table *table;
    uint32_t at;
};
struct aws_operation {
    const struct aws_table *table;
    uint32_t at;
    uint32_t service;
};

size_t aws_table_services(const struct aws_table *table);
struct aws_service aws_table_service(const struct aws_table *table, size_t index); /* sorted by name */
struct aws_service aws_service_find(const struct aws_table *table, const char *name);

const char *aws_service_name(struct aws_service service);            /* "elbv2", botocore's folder */
const char *aws_service_id(struct aws_service service);              /* "Elastic Load Balancing v2" */
const char *aws_service_api_version(struct aws_service service);
const char *aws_service_endpoint_prefix(struct aws_service service);
const char *aws_service_signing_name(struct aws_service service);    /* signingName, else endpointPrefix */
const char *aws_service_target_prefix(struct aws_service service);   /* json: X-Amz-Target */
const char *aws_service_json_version(struct aws_service service);    /* "1.0", "1.1" */
const char *aws_service_namespace(struct aws_service service);       /* xmlNamespace uri */
enum aws_protocol aws_service_protocol(struct aws_service service);
bool aws_service_query_compatible(struct aws_service service);       /* awsQueryCompatible: x-amzn-query-error */

size_t aws_service_operations(struct aws_service service);
struct aws_operation aws_service_operation(struct aws_service service, size_t index); /* sorted by snake name */
/* By "DescribeCluster" or "describe_cluster". */
struct aws_operation aws_operation_find(struct aws_service service, struct view name);

struct aws_service aws_operation_service(struct aws_operation operation);
const char *aws_operation_name(struct aws_operation operation);
const char *aws_operation_snake(struct aws_operation operation); /* botocore's xform_name */
const char *aws_operation_method(struct aws_operation operation);
const char *aws_operation_uri(struct aws_operation operation);   /* template: "/clusters/{name}?x=y", "{Key+}" is greedy */
int aws_operation_status(struct aws_operation operation);        /* http.responseCode, 0 when not given */
struct aws_shape aws_operation_input(struct aws_operation operation);  /* none: takes nothing */
struct aws_shape aws_operation_output(struct aws_operation operation); /* none: answers nothing */
const char *aws_operation_result_wrapper(struct aws_operation operation);
const char *aws_operation_input_wire(struct aws_operation operation);      /* input.locationName: the root element */
const char *aws_operation_input_namespace(struct aws_operation operation); /* input.xmlNamespace.uri */
size_t aws_operation_errors(struct aws_operation operation);
struct aws_shape aws_operation_error(struct aws_operation operation, size_t index);
/* The exception with this code among the operation's errors, else among the service's; else none. */
struct aws_shape aws_operation_error_find(struct aws_operation operation, struct view code);
const char *aws_operation_host_prefix(struct aws_operation operation); /* endpoint.hostPrefix: "{Name}.", else "" */
/* httpChecksum. */
const char *aws_operation_checksum_member(struct aws_operation operation);            /* requestAlgorithmMember */
bool aws_operation_checksum_required(struct aws_operation operation);                 /* requestChecksumRequired */
const char *aws_operation_checksum_mode_member(struct aws_operation operation);       /* requestValidationModeMember */
const char *aws_operation_checksum_responses(struct aws_operation operation);         /* "CRC32,CRC32C": responseAlgorithms */

enum aws_operation_flag {
    AWS_OPERATION_READS = 1,            /* changes nothing: listed by hand, tested; all else counts as changing */
    AWS_OPERATION_UNSIGNED = 2,         /* authtype none: sent without credentials */
    AWS_OPERATION_UNSIGNED_PAYLOAD = 4, /* unsignedPayload, authtype v4-unsigned-body */
    AWS_OPERATION_DEPRECATED = 8,
    AWS_OPERATION_DISCOVERY = 16,       /* endpointdiscovery is required */
    AWS_OPERATION_COMPRESSED = 32,      /* requestcompression: gzip */
};
unsigned aws_operation_flags(struct aws_operation operation);

/* ---- endpoint rule sets (rules.c evaluates them) ----
 * Compiled to numbered nodes; their form is between the generator and rules.c, described in model_rows.h. */

/* staticContextParams and operationContextParams of an operation. text: the JSON value, or the JMESPath into the input. */
struct aws_context { const char *name, *text; bool path; };
size_t aws_operation_contexts(struct aws_operation operation);
struct aws_context aws_operation_context(struct aws_operation operation, size_t index);

/* ---- waiters and paginators (botocore's waiters-2, paginators-1) ---- */

struct aws_waiter { const char *name, *snake, *operation; int delay_s, attempts_max; uint32_t acceptors, acceptors_len; };
struct aws_acceptor {
    const char *state;    /* success, failure, retry */
    const char *matcher;  /* path, pathAll, pathAny, status, error */
    const char *argument; /* JMESPath; "" without one */
    const char *expected; /* JSON text */
};
size_t aws_service_waiters(struct aws_service service);
struct aws_waiter aws_service_waiter(struct aws_service service, size_t index);
bool aws_waiter_find(struct aws_service service, struct view name, struct aws_waiter *waiter); /* "ClusterActive" or "cluster_active" */
struct aws_acceptor aws_waiter_acceptor(struct aws_service service, const struct aws_waiter *waiter, size_t index);

/* Texts with several expressions are separated by "\n". "" means not given. */
struct aws_paginator { const char *input_token, *output_token, *limit_key, *result_key, *more_results, *non_aggregate_keys; };
bool aws_operation_paginator(struct aws_operation operation, struct aws_paginator *paginator);
