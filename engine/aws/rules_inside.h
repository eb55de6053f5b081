#pragma once
/* Evaluating a rule set: the walk (rules.c), its functions (rules_functions.c), what endpoint.c makes of the outcome. */
#include "aws/rules_rows.h"
#include "codec/doc.h"

enum {
    RULES_STEPS_MAX = 200000, /* rules, conditions and expressions visited: shared trees could be asked for too often */
    RULES_TEXT_MAX = 64 << 10,
};

/* What the rules chose. Each is owned. */
struct rules_endpoint {
    struct doc *url;        /* a text */
    struct doc *properties; /* {} without any */
    struct doc *headers;    /* {name: [text]} */
};
void rules_endpoint_clear(struct rules_endpoint *endpoint);

/* params by the parameters' names. ERR_USAGE (A103) when the rules end in an error, or in nothing. */
int rules_evaluate(struct aws_service service, const struct doc *params, struct rules_endpoint *endpoint, struct err *err)
    __attribute__((warn_unused_result));

/* One function of evaluated arguments: a new reference, or NULL for nothing. NULL with err set when they are of a wrong type.
   IF-THEN-ELSE and COALESCE get all of their arguments evaluated: none has an effect. */
struct doc *rules_call(const struct aws_table *table, enum aws_rules_fn fn, struct doc *const *args, size_t len,
                       struct err *err);
/* By name, then by regular expression, else the first. */
struct aws_partition rules_partition(const struct aws_table *table, const char *region);
