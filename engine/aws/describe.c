/* The table for people: services, a service's operations, an operation's members with types and what is required. */
#include "aws/aws.h"

#include <stdlib.h>
#include <string.h>

enum { NEST_MAX = 6, VALUES_MAX = 12, COLUMN = 28 };

/* "sso-oidc" is aws.sso_oidc in Lua. */
static void lua_name_add(struct buf *out, const char *name)
{
    for (; *name; name++)
        buf_add_char(out, *name == '-' ? '_' : *name);
}

static void services_add(struct buf *out, const struct aws_table *table)
{
    size_t count = aws_table_services(table), operations = 0;

    for (size_t i = 0; i < count; i++)
        operations += aws_service_operations(aws_table_service(table, i));
    buf_addf(out, "aws.SERVICE:OPERATION { ... }: %zu operations of %zu services, from %s\n\n", operations, count,
             aws_table_source(table));
    for (size_t i = 0; i < count; i++) {
        struct aws_service service = aws_table_service(table, i);
        size_t before = out->len;

        buf_add_text(out, "  aws.");
        lua_name_add(out, aws_service_name(service));
        while (out->len - before < COLUMN)
            buf_add_char(out, ' ');
        buf_addf(out, " %s\n", aws_service_id(service));
    }
    buf_add_text(
        out, "\nOne service's operations: dosrun help aws.eks\nOne operation: dosrun help aws.eks.describe_cluster\n");
}

static void operations_add(struct buf *out, struct aws_service service)
{
    size_t waiters = aws_service_waiters(service);

    buf_addf(out, "aws.");
    lua_name_add(out, aws_service_name(service));
    buf_addf(out, ": %s\n\nFree (they only read):\n", aws_service_id(service));
    for (int reads = 1; reads >= 0; reads--) {
        if (!reads)
            buf_add_text(out, "\nInside a verb's act (they may change something):\n");
        for (size_t i = 0; i < aws_service_operations(service); i++) {
            struct aws_operation operation = aws_service_operation(service, i);

            if (((aws_operation_flags(operation) & AWS_OPERATION_READS) != 0) == (reads != 0))
                buf_addf(out, "  %s\n", aws_operation_snake(operation));
        }
    }
    if (waiters)
        buf_addf(out, "\nWaiters, for :wait(NAME, { ... }):\n");
    for (size_t i = 0; i < waiters; i++) {
        struct aws_waiter waiter = aws_service_waiter(service, i);

        buf_addf(out, "  %-30s asks %s every %d s, at most %d times\n", waiter.snake, waiter.operation, waiter.delay_s,
                 waiter.attempts_max);
    }
}

static const char *type_word(enum aws_type type)
{
    static const char *const words[] = {
        [AWS_STRUCTURE] = "table", [AWS_LIST] = "list",       [AWS_MAP] = "map",         [AWS_STRING] = "string",
        [AWS_BLOB] = "bytes",      [AWS_BOOLEAN] = "boolean", [AWS_INTEGER] = "integer", [AWS_LONG] = "integer",
        [AWS_FLOAT] = "number",    [AWS_DOUBLE] = "number",   [AWS_TIMESTAMP] = "time",
    };

    return type < sizeof(words) / sizeof(words[0]) && words[type] ? words[type] : "?";
}

static void values_add(struct buf *out, struct aws_shape shape)
{
    size_t count = aws_shape_values(shape);
    double min, max;

    for (size_t i = 0; i < count && i < VALUES_MAX; i++)
        buf_addf(out, "%s\"%s\"", i ? ", " : "  one of ", aws_shape_value(shape, i));
    if (count > VALUES_MAX)
        buf_addf(out, " and %zu more", count - VALUES_MAX);
    if (count || aws_shape_type(shape) == AWS_STRUCTURE)
        return;
    if (aws_shape_min(shape, &min) && min > 0)
        buf_addf(out, "  at least %.0f", min);
    if (aws_shape_max(shape, &max))
        buf_addf(out, "  at most %.0f", max);
}

/* A list's or map's own type, then what it holds: "list of map of string". The innermost shape. */
static struct aws_shape type_add(struct buf *out, struct aws_shape shape)
{
    enum aws_type type = aws_shape_type(shape);

    buf_add_text(out, type_word(type));
    for (int depth = 0; (type == AWS_LIST || type == AWS_MAP) && depth < NEST_MAX; depth++) {
        shape = aws_member_shape(aws_shape_member(shape, type == AWS_LIST ? 0 : 1));
        type = aws_shape_type(shape);
        buf_addf(out, " of %s", type_word(type));
    }
    return shape;
}

static void members_add(struct buf *out, struct aws_shape shape, int depth)
{
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        unsigned flags = aws_member_flags(member);
        size_t before = out->len;
        struct aws_shape inner;

        buf_addf(out, "%*s%s", 2 + 2 * depth, "", aws_member_name(member));
        while (out->len - before < COLUMN)
            buf_add_char(out, ' ');
        buf_add_char(out, ' ');
        inner = type_add(out, aws_member_shape(member));
        buf_add_text(out, flags & AWS_MEMBER_REQUIRED ? ", required" : "");
        buf_add_text(out, flags & AWS_MEMBER_TOKEN ? ", made by dosrun when left out" : "");
        buf_add_text(out, flags & AWS_MEMBER_DEPRECATED ? ", deprecated" : "");
        values_add(out, inner);
        buf_add_char(out, '\n');
        if (aws_shape_type(inner) == AWS_STRUCTURE && depth < NEST_MAX)
            members_add(out, inner, depth + 1);
    }
}

static void operation_add(struct buf *out, struct aws_operation operation)
{
    struct aws_shape input = aws_operation_input(operation), output = aws_operation_output(operation);
    struct aws_paginator paginator;

    buf_addf(out, "aws.");
    lua_name_add(out, aws_service_name(aws_operation_service(operation)));
    buf_addf(out, ":%s { ... }   %s, which %s\n", aws_operation_snake(operation), aws_operation_name(operation),
             aws_operation_flags(operation) & AWS_OPERATION_READS ? "only reads"
                                                                  : "may change something: for a verb's act");
    if (aws_operation_paginator(operation, &paginator))
        buf_addf(out, "It answers in pages: for page in client:pages(\"%s\", { ... }) do\n",
                 aws_operation_snake(operation));
    buf_add_text(out, aws_shape_members(input) ? "\nTakes:\n" : "\nTakes nothing.\n");
    members_add(out, input, 0);
    buf_add_text(out, aws_shape_members(output) ? "\nAnswers:\n" : "\nAnswers nothing.\n");
    members_add(out, output, 0);
    for (size_t i = 0; i < aws_operation_errors(operation); i++)
        buf_addf(out, "%s%s", i ? ", " : "\nIts own errors: ", aws_shape_error_code(aws_operation_error(operation, i)));
    buf_add_text(out, aws_operation_errors(operation) ? "\n" : "");
}

int aws_describe(struct buf *out, const struct aws_table *table, const char *word, struct err *err)
{
    const char *dot;
    char *name;
    struct aws_service service;
    struct aws_operation operation;
    int result = 0;

    if (!*word) {
        services_add(out, table);
        return 0;
    }
    dot = strchr(word, '.');
    name = mem_view((struct view){word, dot ? (size_t)(dot - word) : strlen(word)});
    service = aws_service_need(table, name, err);
    if (!service.table) {
        result = -1;
    } else if (!dot) {
        operations_add(out, service);
    } else {
        operation = aws_operation_need(service, dot + 1, err);
        if (operation.table)
            operation_add(out, operation);
        result = operation.table ? 0 : -1;
    }
    free(name);
    return result;
}
