#pragma once
/*
 * The endpoint rule sets and partitions of a table, as rules.c reads them (their rows: model_rows.h).
 *
 * Rules, conditions, expressions and variables have numbers that hold for the whole table, because equal ones are there once:
 * services share most of their trees. A parameter is a variable that has its value from the start. What an expression or
 * a tree consists of has smaller numbers than itself, and nothing is deeper than AWS_RULES_DEPTH: recursion ends.
 * A tree that is shared may still be visited often: an evaluator of packs counts its steps.
 */
#include "aws/model.h"

enum { AWS_RULES_DEPTH = 64 };

struct aws_numbers {
    const uint16_t *list;
    size_t len;
};

enum aws_parameter_type { AWS_PARAMETER_TEXT, AWS_PARAMETER_BOOLEAN, AWS_PARAMETER_TEXTS };

struct aws_parameter {
    const char *name;
    const char *builtin; /* "AWS::Region", else "" */
    enum aws_parameter_type type;
    bool required;
    bool has_default;
    uint16_t fallback;   /* expression of the default, when has_default: TEXT, BOOLEAN or TUPLE of TEXT */
    uint16_t variable;
};

enum aws_rule_type { AWS_RULE_TREE, AWS_RULE_ENDPOINT, AWS_RULE_ERROR };

struct aws_rule {
    enum aws_rule_type type;
    struct aws_numbers conditions; /* all hold, in order, else the rule is passed over */
    struct aws_numbers rules;      /* TREE: the first that answers; none answering is an error */
    uint16_t text;                 /* ENDPOINT: expression of the URL; ERROR: of the message */
    uint16_t properties, headers;  /* ENDPOINT: RECORDs, perhaps empty. A header's value is a TUPLE of expressions */
};

/* Holds when the expression gives something (isSet of nothing and false do not hold). */
struct aws_condition {
    uint16_t expression;
    bool assigns;
    uint16_t variable; /* gets the value, for the conditions after it and all that is inside the rule */
};

enum aws_expression_type {
    AWS_EXPRESSION_TEXT,      /* text, without templates ("{{" is "{" already) */
    AWS_EXPRESSION_TEMPLATE,  /* args, one after another, as one text */
    AWS_EXPRESSION_BOOLEAN,   /* integer is 0 or 1 */
    AWS_EXPRESSION_INTEGER,
    AWS_EXPRESSION_REFERENCE, /* variable: nothing when it has no value */
    AWS_EXPRESSION_CALL,      /* fn of args, whose number is right */
    AWS_EXPRESSION_TUPLE,     /* args */
    AWS_EXPRESSION_RECORD,    /* args: name (TEXT), value, name, value, ... */
};

enum aws_rules_fn {
    AWS_FN_IS_SET,            /* 1 */
    AWS_FN_NOT,               /* 1 */
    AWS_FN_GET_ATTR,          /* 2: of a value, the attribute (TEXT) or element (INTEGER): "a.b[1]" is three calls inside each other */
    AWS_FN_STRING_EQUALS,     /* 2 */
    AWS_FN_BOOLEAN_EQUALS,    /* 2 */
    AWS_FN_SUBSTRING,         /* 4: text, start, stop, reverse */
    AWS_FN_URI_ENCODE,        /* 1 */
    AWS_FN_PARSE_URL,         /* 1 */
    AWS_FN_IS_VALID_HOST_LABEL, /* 2: text, allow subdomains */
    AWS_FN_PARTITION,         /* 1: aws.partition */
    AWS_FN_PARSE_ARN,         /* 1: aws.parseArn */
    AWS_FN_IS_VIRTUAL_HOSTABLE_S3_BUCKET, /* 2: text, allow subdomains */
    AWS_FN_COALESCE,          /* 1 to 8: the first that is something */
    AWS_FN_ITE,               /* 3 */
    AWS_FN_SPLIT,             /* 3: text, delimiter, limit */
};

struct aws_expression {
    enum aws_expression_type type;
    enum aws_rules_fn fn;
    int32_t integer;
    uint16_t variable;
    const char *text;
    struct aws_numbers args; /* numbers of expressions */
};

/* Variables of all rule sets of the table: 0 to this - 1. */
size_t aws_table_variables(const struct aws_table *table);
const char *aws_table_variable(const struct aws_table *table, uint16_t variable);

size_t aws_service_parameters(struct aws_service service);
struct aws_parameter aws_service_parameter(struct aws_service service, size_t index); /* sorted by name */
/* The rules at the top, like those of a TREE; none when the service came without a rule set. */
struct aws_numbers aws_service_rules(struct aws_service service);
struct aws_rule aws_table_rule(const struct aws_table *table, uint16_t rule);
struct aws_condition aws_table_condition(const struct aws_table *table, uint16_t condition);
struct aws_expression aws_table_expression(const struct aws_table *table, uint16_t expression);

/* ---- partitions.json ---- */

struct aws_partition {
    const char *name, *regex; /* regex: a POSIX extended one, anchored */
    const char *global_region, *dns_suffix, *dual_stack_suffix;
    bool fips, dual_stack;
    uint32_t regions, regions_len;
};
size_t aws_table_partitions(const struct aws_table *table);
struct aws_partition aws_table_partition(const struct aws_table *table, size_t index); /* in the file's order: "aws" is first */
const char *aws_partition_region(const struct aws_table *table, const struct aws_partition *partition, size_t index);
