#pragma once
/*
 * Where a request goes: the service's endpoint rule set (https://smithy.io/2.0/additional-specs/rules-engine/), partitions.
 */
#include "aws/model.h"
#include "codec/doc.h"

struct aws_endpoint {
    struct buf url;          /* "https://eks.eu-central-1.amazonaws.com", perhaps with a path */
    struct buf signing_name, signing_region; /* of authSchemes' first that we know; "" : the service's own */
    bool double_encoding_off; /* disableDoubleEncoding */
    bool sigv4a;             /* only sigv4a would do: we cannot */
    struct doc *headers;     /* {name: [value]} to send, or NULL */
};
void aws_endpoint_clear(struct aws_endpoint *endpoint);

/* params: rule set parameters by name (Region, UseFIPS, UseDualStack, Endpoint, Bucket, ...), texts, booleans or arrays of
   texts; defaults are put in. ERR_USAGE (A103) with the rule set's own words when it ends in an error. */
int aws_endpoint_resolve(struct aws_service service, const struct doc *params, struct aws_endpoint *endpoint, struct err *err)
    __attribute__((warn_unused_result));
/* Parameters of an operation's call: builtins (Region, UseFIPS, UseDualStack, Endpoint, ..., given by name as Smithy's
   "AWS::Region"), static contexts, context members of params, JMESPath contexts. A new reference. */
struct doc *aws_endpoint_params(struct aws_operation operation, const struct doc *params, const struct doc *builtins, struct err *err);

/* "aws", "aws-cn", ... of a region, by name or regex; "aws" for an unknown one. */
const char *aws_partition_of(const struct aws_table *table, const char *region);
const char *aws_partition_suffix(const struct aws_table *table, const char *region, bool dual_stack); /* "amazonaws.com" */
