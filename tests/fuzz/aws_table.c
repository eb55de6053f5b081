/* Any bytes as a pack of services: refused with a code, or every accessor can be called on everything in it. */
#include "aws/model.h"
#include "aws/rules_rows.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NODES_MAX = 1 << 16 };

/* Adds up what it sees, so that every byte is read. */
static size_t seen;
static size_t nodes;

static void see(const char *text)
{
    seen += strlen(text);
}

static void walk_shape(struct aws_shape shape, int depth)
{
    double bound;

    if (depth == 6 || nodes++ > NODES_MAX)
        return;
    see(aws_shape_name(shape));
    see(aws_shape_wire(shape));
    see(aws_shape_namespace(shape));
    see(aws_shape_namespace_prefix(shape));
    see(aws_shape_error_code(shape));
    seen += aws_shape_flags(shape) + (size_t)aws_shape_error_status(shape) + aws_shape_time(shape);
    seen += aws_shape_min(shape, &bound) + aws_shape_max(shape, &bound);
    see(aws_member_name(aws_shape_payload(shape)));
    for (size_t i = 0; i < aws_shape_values(shape) && nodes++ < NODES_MAX; i++)
        see(aws_shape_value(shape, i));
    for (size_t i = 0; i < aws_shape_members(shape) && nodes < NODES_MAX; i++) {
        struct aws_member member = aws_shape_member(shape, i);

        see(aws_member_name(member));
        see(aws_member_wire(member));
        see(aws_member_query_name(member));
        see(aws_member_namespace(member));
        see(aws_member_namespace_prefix(member));
        see(aws_member_context(member));
        seen += aws_member_flags(member) + aws_member_location(member) + aws_member_time(member);
        walk_shape(aws_member_shape(member), depth + 1);
    }
}

static void walk_operation(struct aws_operation operation)
{
    struct aws_paginator pages;

    see(aws_operation_name(operation));
    see(aws_operation_snake(operation));
    see(aws_operation_method(operation));
    see(aws_operation_uri(operation));
    see(aws_operation_result_wrapper(operation));
    see(aws_operation_input_wire(operation));
    see(aws_operation_input_namespace(operation));
    see(aws_operation_host_prefix(operation));
    see(aws_operation_checksum_member(operation));
    see(aws_operation_checksum_mode_member(operation));
    see(aws_operation_checksum_responses(operation));
    seen += (size_t)aws_operation_status(operation) + aws_operation_flags(operation) +
            aws_operation_checksum_required(operation);
    for (size_t i = 0; i < aws_operation_contexts(operation) && nodes++ < NODES_MAX; i++)
        see(aws_operation_context(operation, i).text);
    for (size_t i = 0; i < aws_operation_errors(operation) && nodes < NODES_MAX; i++)
        walk_shape(aws_operation_error(operation, i), 0);
    see(aws_shape_name(aws_operation_error_find(operation, VIEW_LITERAL("Throttling"))));
    if (aws_operation_paginator(operation, &pages)) {
        see(pages.input_token);
        see(pages.result_key);
        see(pages.non_aggregate_keys);
    }
    walk_shape(aws_operation_input(operation), 0);
    walk_shape(aws_operation_output(operation), 0);
}

static void walk_expression(const struct aws_table *table, uint16_t number, int depth)
{
    struct aws_expression expression = aws_table_expression(table, number);

    if (depth > AWS_RULES_DEPTH)
        abort();
    see(expression.text);
    see(aws_table_variable(table, expression.variable));
    for (size_t i = 0; i < expression.args.len && nodes++ < NODES_MAX; i++)
        walk_expression(table, expression.args.list[i], depth + 1);
}

static void walk_rules(const struct aws_table *table, struct aws_numbers rules, int depth)
{
    if (depth > AWS_RULES_DEPTH)
        abort();
    for (size_t i = 0; i < rules.len && nodes++ < NODES_MAX; i++) {
        struct aws_rule rule = aws_table_rule(table, rules.list[i]);

        for (size_t j = 0; j < rule.conditions.len && nodes++ < NODES_MAX; j++) {
            struct aws_condition condition = aws_table_condition(table, rule.conditions.list[j]);

            walk_expression(table, condition.expression, 0);
            see(aws_table_variable(table, condition.variable));
        }
        if (rule.type != AWS_RULE_TREE)
            walk_expression(table, rule.text, 0);
        if (rule.type == AWS_RULE_ENDPOINT) {
            walk_expression(table, rule.properties, 0);
            walk_expression(table, rule.headers, 0);
        }
        walk_rules(table, rule.rules, depth + 1);
    }
}

static void walk_service(struct aws_service service)
{
    struct aws_waiter waiter;

    see(aws_service_name(service));
    see(aws_service_id(service));
    see(aws_service_api_version(service));
    see(aws_service_endpoint_prefix(service));
    see(aws_service_signing_name(service));
    see(aws_service_target_prefix(service));
    see(aws_service_json_version(service));
    see(aws_service_namespace(service));
    seen += aws_service_protocol(service) + aws_service_query_compatible(service);
    for (size_t i = 0; i < aws_service_operations(service) && nodes++ < NODES_MAX; i++)
        walk_operation(aws_service_operation(service, i));
    seen += aws_operation_find(service, VIEW_LITERAL("describe_cluster")).at;
    seen += aws_operation_find(service, VIEW_LITERAL("DescribeCluster")).at;
    seen += aws_waiter_find(service, VIEW_LITERAL("cluster_active"), &waiter);
    for (size_t i = 0; i < aws_service_waiters(service) && nodes++ < NODES_MAX; i++) {
        waiter = aws_service_waiter(service, i);
        see(waiter.snake);
        see(waiter.operation);
        for (size_t j = 0; j < waiter.acceptors_len && nodes++ < NODES_MAX; j++)
            see(aws_waiter_acceptor(service, &waiter, j).expected);
    }
    for (size_t i = 0; i < aws_service_parameters(service) && nodes++ < NODES_MAX; i++) {
        struct aws_parameter parameter = aws_service_parameter(service, i);

        see(parameter.name);
        see(parameter.builtin);
        if (parameter.has_default)
            walk_expression(service.table, parameter.fallback, 0);
    }
    walk_rules(service.table, aws_service_rules(service), 0);
}

static void walk_table(struct view bytes)
{
    struct err err = ERR_INIT;
    struct aws_table *table = aws_table_open(bytes, &err);

    if (!table) {
        if (strcmp(err.explain, "A105") != 0 || !err.message[0])
            abort();
        return;
    }
    nodes = 0;
    see(aws_table_source(table));
    seen += aws_service_find(table, "eks").at;
    for (size_t i = 0; i < aws_table_services(table) && nodes++ < NODES_MAX; i++)
        walk_service(aws_table_service(table, i));
    for (size_t i = 0; i < aws_table_partitions(table) && nodes++ < NODES_MAX; i++) {
        struct aws_partition partition = aws_table_partition(table, i);

        see(partition.regex);
        see(partition.global_region);
        see(partition.dual_stack_suffix);
        for (size_t j = 0; j < partition.regions_len && nodes++ < NODES_MAX; j++)
            see(aws_partition_region(table, &partition, j));
    }
    aws_table_close(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = malloc(size ? size : 1); /* aligned, and of the exact size, so that ASan sees a step too far */

    if (!bytes)
        return 0;
    if (size)
        memcpy(bytes, data, size);
    walk_table((struct view){bytes, size});
    free(bytes);
    return 0;
}
