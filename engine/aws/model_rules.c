/* Rule sets and partitions of a table, row by row. */
#include "aws/model_rows.h"

/* ---- parameters, variables ---- */

size_t aws_table_variables(const struct aws_table *table)
{
    return table ? table->counts[AWS_VARIABLES] : 0;
}

const char *aws_table_variable(const struct aws_table *table, uint16_t variable)
{
    return variable < aws_table_variables(table) ? aws_text(table, aws_u32(aws_row(table, AWS_VARIABLES, variable)))
                                                 : "";
}

size_t aws_service_parameters(struct aws_service service)
{
    return service.table ? aws_u16(aws_row(service.table, AWS_SERVICES, service.at) + 54) : 0;
}

struct aws_parameter aws_service_parameter(struct aws_service service, size_t index)
{
    const struct aws_table *table = service.table;
    struct aws_parameter parameter = {.name = "", .builtin = ""};
    uint32_t fallback;
    const uint8_t *row;

    if (index >= aws_service_parameters(service))
        return parameter;
    row = aws_row(table, AWS_PARAMETERS, aws_u16(aws_row(table, AWS_SERVICES, service.at) + 52) + index);
    fallback = aws_u16(row + 4);
    parameter.variable = (uint16_t)aws_u16(row);
    parameter.name = aws_table_variable(table, parameter.variable);
    parameter.builtin = aws_text(table, aws_u32(row + 8));
    parameter.type = (enum aws_parameter_type)aws_u8(row + 2);
    parameter.required = aws_u8(row + 3) != 0;
    parameter.has_default = fallback != 0;
    parameter.fallback = (uint16_t)(fallback ? fallback - 1 : 0);
    return parameter;
}

/* ---- rules ---- */

struct aws_numbers aws_service_rules(struct aws_service service)
{
    if (!service.table)
        return (struct aws_numbers){NULL, 0};
    return aws_list(service.table, aws_u32(aws_row(service.table, AWS_SERVICES, service.at) + 56));
}

struct aws_rule aws_table_rule(const struct aws_table *table, uint16_t number)
{
    const uint8_t *row = aws_row(table, AWS_RULES, number);
    struct aws_rule rule = {
        .type = (enum aws_rule_type)aws_u8(row),
        .conditions = aws_list(table, aws_u16(row + 2)),
        .properties = (uint16_t)aws_u16(row + 6),
        .headers = (uint16_t)aws_u16(row + 8),
    };

    if (rule.type == AWS_RULE_TREE)
        rule.rules = aws_list(table, aws_u16(row + 4));
    else
        rule.text = (uint16_t)aws_u16(row + 4);
    return rule;
}

struct aws_condition aws_table_condition(const struct aws_table *table, uint16_t number)
{
    const uint8_t *row = aws_row(table, AWS_CONDITIONS, number);
    uint32_t assigned = aws_u16(row + 2);

    return (struct aws_condition){(uint16_t)aws_u16(row), assigned != 0, (uint16_t)(assigned ? assigned - 1 : 0)};
}

struct aws_expression aws_table_expression(const struct aws_table *table, uint16_t number)
{
    const uint8_t *row = aws_row(table, AWS_EXPRESSIONS, number);
    uint32_t value = aws_u32(row + 4);
    struct aws_expression expression = {
        .type = (enum aws_expression_type)aws_u8(row),
        .fn = (enum aws_rules_fn)aws_u8(row + 1),
        .text = "",
        .args = aws_list(table, aws_u16(row + 2)),
    };

    if (expression.type == AWS_EXPRESSION_TEXT)
        expression.text = aws_text(table, aws_u32(aws_row(table, AWS_EXPRESSION_TEXTS, value)));
    else if (expression.type == AWS_EXPRESSION_REFERENCE)
        expression.variable = (uint16_t)value;
    else
        expression.integer = (int32_t)value;
    return expression;
}

/* ---- partitions ---- */

size_t aws_table_partitions(const struct aws_table *table)
{
    return table ? table->counts[AWS_PARTITIONS] : 0;
}

struct aws_partition aws_table_partition(const struct aws_table *table, size_t index)
{
    struct aws_partition partition = {
        .name = "", .regex = "", .global_region = "", .dns_suffix = "", .dual_stack_suffix = ""};
    const uint8_t *row;

    if (index >= aws_table_partitions(table))
        return partition;
    row = aws_row(table, AWS_PARTITIONS, index);
    partition.name = aws_text(table, aws_u32(row));
    partition.regex = aws_text(table, aws_u32(row + 4));
    partition.global_region = aws_text(table, aws_u32(row + 8));
    partition.dns_suffix = aws_text(table, aws_u32(row + 12));
    partition.dual_stack_suffix = aws_text(table, aws_u32(row + 16));
    partition.fips = aws_u16(row + 20) & 1;
    partition.dual_stack = aws_u16(row + 20) & 2;
    partition.regions = aws_u16(row + 22);
    partition.regions_len = aws_u32(row + 24);
    return partition;
}

const char *aws_partition_region(const struct aws_table *table, const struct aws_partition *partition, size_t index)
{
    if (index >= partition->regions_len)
        return "";
    return aws_text(table, aws_u32(aws_row(table, AWS_REGIONS, partition->regions + index)));
}
