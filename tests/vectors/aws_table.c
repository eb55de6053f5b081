/*
 * vectors_aws_table FOLDER: the built-in service table is, byte for byte, what tools/aws/generate.py makes of
 * botocore's models today; and every accessor says what those models say, as fetch-table wrote it down by other code.
 */
#include "aws/model_rows.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 12, SHOWN = 20, LINE_MAX = 1 << 20 };

/* The lines that are wanted, the line that is made, and what came of it. A case is an operation, a service, a waiter.
 */
struct check {
    char *text, *next;
    struct buf line;
    int line_number, passed, failed;
    bool wrong; /* the case so far */
};

static char *read_file(const char *folder, const char *name, size_t *len)
{
    char *path = mem_printf("%s/%s", folder, name), *text = NULL;
    FILE *file = fopen(path, "rb");
    long size = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (size >= 0) {
        rewind(file);
        text = mem_alloc((size_t)size + 1);
        *len = fread(text, 1, (size_t)size, file);
    }
    if (!text)
        perror(path);
    if (file)
        fclose(file);
    free(path);
    return text;
}

/* ---- a line: facts with tabs between ---- */

static void fact(struct check *check, const char *text)
{
    if (check->line.len)
        buf_add_char(&check->line, '\t');
    for (; *text; text++)
        buf_add_char(&check->line, *text == '\n' ? '|' : *text);
}

static void fact_number(struct check *check, unsigned long number)
{
    buf_addf(&check->line, "%s%lu", check->line.len ? "\t" : "", number);
}

static void fact_bound(struct check *check, bool there, double number)
{
    char text[40] = "-";

    if (there)
        snprintf(text, sizeof(text), "%.17g", number);
    fact(check, text);
}

/* Compares the line with the next wanted one. */
static void done(struct check *check)
{
    char *end = strchr(check->next, '\n');

    check->line_number++;
    if (end)
        *end = '\0';
    if (strcmp(buf_text(&check->line), check->next) != 0) {
        if (check->failed < SHOWN && !check->wrong)
            printf("line %d: the table says\n  %s\nthe models say\n  %s\n", check->line_number, buf_text(&check->line),
                   check->next);
        check->wrong = true;
    }
    check->next = end ? end + 1 : check->next + strlen(check->next);
    buf_reset(&check->line);
}

static void case_ends(struct check *check)
{
    if (check->wrong)
        check->failed++;
    else
        check->passed++;
    check->wrong = false;
}

/* ---- shapes ---- */

static void say_shape(struct check *check, struct aws_shape shape, int depth)
{
    double least = 0, most = 0;
    bool has_least = aws_shape_min(shape, &least), has_most = aws_shape_max(shape, &most);
    bool exception = aws_shape_flags(shape) & AWS_SHAPE_EXCEPTION;

    fact_number(check, (unsigned long)depth);
    fact_number(check, aws_shape_type(shape));
    fact_number(check, aws_shape_flags(shape));
    fact_number(check, aws_shape_time(shape));
    fact_bound(check, has_least, least);
    fact_bound(check, has_most, most);
    fact(check, aws_shape_wire(shape));
    fact(check, aws_shape_namespace(shape));
    fact(check, aws_shape_namespace_prefix(shape));
    fact(check, aws_member_name(aws_shape_payload(shape)));
    buf_add_char(&check->line, '\t');
    for (size_t i = 0; i < aws_shape_values(shape); i++)
        buf_addf(&check->line, "%s%s", i ? "," : "", aws_shape_value(shape, i));
    fact(check, exception ? aws_shape_error_code(shape) : "");
    fact_number(check, exception ? (unsigned long)aws_shape_error_status(shape) : 0);
    done(check);
}

static void say_member(struct check *check, struct aws_member member, int depth)
{
    fact_number(check, (unsigned long)depth);
    fact(check, "member");
    fact(check, aws_member_name(member));
    fact(check, aws_member_wire(member));
    fact_number(check, aws_member_location(member));
    fact_number(check, aws_member_flags(member));
    fact_number(check, aws_member_time(member));
    fact(check, aws_member_namespace(member));
    fact(check, aws_member_namespace_prefix(member));
    fact(check, aws_member_query_name(member));
    fact(check, aws_member_context(member));
    done(check);
}

static void walk(struct check *check, struct aws_shape shape, int depth)
{
    say_shape(check, shape, depth);
    for (size_t i = 0; i < aws_shape_members(shape) && depth < DEPTH; i++) {
        say_member(check, aws_shape_member(shape, i), depth);
        walk(check, aws_member_shape(aws_shape_member(shape, i)), depth + 1);
    }
}

static void say_top(struct check *check, const char *word, struct aws_shape shape)
{
    if (aws_shape_type(shape) == AWS_NONE)
        return;
    fact(check, word);
    done(check);
    walk(check, shape, 0);
}

/* ---- rule sets ---- */

static void say_expression(struct buf *out, const struct aws_table *table, uint16_t number)
{
    static const char *const functions[] = {
        [AWS_FN_IS_SET] = "isSet",
        [AWS_FN_NOT] = "not",
        [AWS_FN_GET_ATTR] = "getAttr",
        [AWS_FN_STRING_EQUALS] = "stringEquals",
        [AWS_FN_BOOLEAN_EQUALS] = "booleanEquals",
        [AWS_FN_SUBSTRING] = "substring",
        [AWS_FN_URI_ENCODE] = "uriEncode",
        [AWS_FN_PARSE_URL] = "parseURL",
        [AWS_FN_IS_VALID_HOST_LABEL] = "isValidHostLabel",
        [AWS_FN_PARTITION] = "aws.partition",
        [AWS_FN_PARSE_ARN] = "aws.parseArn",
        [AWS_FN_IS_VIRTUAL_HOSTABLE_S3_BUCKET] = "aws.isVirtualHostableS3Bucket",
        [AWS_FN_COALESCE] = "coalesce",
        [AWS_FN_ITE] = "ite",
        [AWS_FN_SPLIT] = "split",
    };
    struct aws_expression expression = aws_table_expression(table, number);
    const char *begin = "", *end = "";

    switch (expression.type) {
    case AWS_EXPRESSION_TEXT:
        buf_addf(out, "\"%s\"", expression.text);
        break;
    case AWS_EXPRESSION_BOOLEAN:
        buf_add_text(out, expression.integer ? "true" : "false");
        break;
    case AWS_EXPRESSION_INTEGER:
        buf_addf(out, "%d", expression.integer);
        break;
    case AWS_EXPRESSION_REFERENCE:
        buf_addf(out, "$%s", aws_table_variable(table, expression.variable));
        break;
    case AWS_EXPRESSION_TEMPLATE:
        begin = "t(", end = ")";
        break;
    case AWS_EXPRESSION_CALL:
        buf_add_text(out, functions[expression.fn]);
        begin = "(", end = ")";
        break;
    case AWS_EXPRESSION_TUPLE:
        begin = "[", end = "]";
        break;
    case AWS_EXPRESSION_RECORD:
        begin = "{", end = "}";
        break;
    }
    buf_add_text(out, begin);
    for (size_t i = 0; i < expression.args.len; i++) {
        buf_add_text(out, i ? "," : "");
        say_expression(out, table, expression.args.list[i]);
    }
    buf_add_text(out, end);
}

static void fact_expression(struct check *check, const struct aws_table *table, uint16_t number)
{
    buf_add_char(&check->line, '\t');
    say_expression(&check->line, table, number);
}

static void say_rules(struct check *check, const struct aws_table *table, struct aws_numbers rules, int depth)
{
    static const char *const types[] = {"tree", "endpoint", "error"};

    for (size_t i = 0; i < rules.len; i++) {
        struct aws_rule rule = aws_table_rule(table, rules.list[i]);

        fact(check, "rule");
        fact_number(check, (unsigned long)depth);
        fact(check, types[rule.type]);
        fact(check, "");
        for (size_t j = 0; j < rule.conditions.len; j++) {
            struct aws_condition condition = aws_table_condition(table, rule.conditions.list[j]);

            buf_add_text(&check->line, j ? "&" : "");
            say_expression(&check->line, table, condition.expression);
            if (condition.assigns)
                buf_addf(&check->line, "->%s", aws_table_variable(table, condition.variable));
        }
        if (rule.type != AWS_RULE_TREE)
            fact_expression(check, table, rule.text);
        if (rule.type == AWS_RULE_ENDPOINT) {
            fact_expression(check, table, rule.properties);
            fact_expression(check, table, rule.headers);
        }
        done(check);
        say_rules(check, table, rule.rules, depth + 1);
    }
}

static void say_rule_set(struct check *check, struct aws_service service)
{
    for (size_t i = 0; i < aws_service_parameters(service); i++) {
        struct aws_parameter parameter = aws_service_parameter(service, i);

        fact(check, "parameter");
        fact(check, parameter.name);
        fact_number(check, parameter.type);
        fact_number(check, parameter.required);
        fact(check, parameter.builtin);
        if (parameter.has_default)
            fact_expression(check, service.table, parameter.fallback);
        else
            fact(check, "");
        done(check);
    }
    say_rules(check, service.table, aws_service_rules(service), 0);
}

/* ---- operations ---- */

static void say_operation(struct check *check, struct aws_operation operation)
{
    fact(check, "operation");
    fact(check, aws_operation_name(operation));
    fact(check, aws_operation_snake(operation));
    fact(check, aws_operation_method(operation));
    fact(check, aws_operation_uri(operation));
    fact_number(check, (unsigned long)aws_operation_status(operation));
    fact(check, aws_operation_result_wrapper(operation));
    fact(check, aws_operation_input_wire(operation));
    fact(check, aws_operation_input_namespace(operation));
    fact(check, aws_operation_host_prefix(operation));
    fact(check, aws_operation_checksum_member(operation));
    fact_number(check, aws_operation_checksum_required(operation));
    fact(check, aws_operation_checksum_mode_member(operation));
    fact(check, aws_operation_checksum_responses(operation));
    fact_number(check, aws_operation_flags(operation) & ~(unsigned)AWS_OPERATION_READS);
    done(check);
}

static void say_pages(struct check *check, struct aws_operation operation)
{
    struct aws_paginator pages;

    if (!aws_operation_paginator(operation, &pages))
        return;
    fact(check, "pages");
    fact(check, pages.input_token);
    fact(check, pages.output_token);
    fact(check, pages.limit_key);
    fact(check, pages.result_key);
    fact(check, pages.more_results);
    fact(check, pages.non_aggregate_keys);
    done(check);
}

static void check_operation(struct check *check, struct aws_operation operation)
{
    say_operation(check, operation);
    for (size_t i = 0; i < aws_operation_contexts(operation); i++) {
        struct aws_context context = aws_operation_context(operation, i);

        fact(check, context.path ? "context path" : "context");
        fact(check, context.name);
        fact(check, context.text);
        done(check);
    }
    say_pages(check, operation);
    for (size_t i = 0; i < aws_operation_errors(operation); i++) {
        struct aws_shape error = aws_operation_error(operation, i);

        fact(check, "error");
        fact(check, aws_shape_name(error));
        done(check);
        walk(check, error, 0);
    }
    say_top(check, "input", aws_operation_input(operation));
    say_top(check, "output", aws_operation_output(operation));
    case_ends(check);
}

static void check_waiter(struct check *check, struct aws_service service, const struct aws_waiter *waiter)
{
    fact(check, "waiter");
    fact(check, waiter->name);
    fact(check, waiter->snake);
    fact(check, waiter->operation);
    fact_number(check, (unsigned long)waiter->delay_s);
    fact_number(check, (unsigned long)waiter->attempts_max);
    done(check);
    for (size_t i = 0; i < waiter->acceptors_len; i++) {
        struct aws_acceptor acceptor = aws_waiter_acceptor(service, waiter, i);

        fact(check, "acceptor");
        fact(check, acceptor.state);
        fact(check, acceptor.matcher);
        fact(check, acceptor.argument);
        fact(check, acceptor.expected);
        done(check);
    }
    case_ends(check);
}

static void check_service(struct check *check, struct aws_service service)
{
    fact(check, "service");
    fact(check, aws_service_name(service));
    fact(check, aws_service_id(service));
    fact(check, aws_service_api_version(service));
    fact(check, aws_service_endpoint_prefix(service));
    fact(check, aws_service_signing_name(service));
    fact(check, aws_service_target_prefix(service));
    fact(check, aws_service_json_version(service));
    fact(check, aws_service_namespace(service));
    fact_number(check, aws_service_protocol(service));
    fact_number(check, aws_service_query_compatible(service));
    done(check);
    say_rule_set(check, service);
    case_ends(check);
    for (size_t i = 0; i < aws_service_operations(service); i++)
        check_operation(check, aws_service_operation(service, i));
    for (size_t i = 0; i < aws_service_waiters(service); i++) {
        struct aws_waiter waiter = aws_service_waiter(service, i);

        check_waiter(check, service, &waiter);
    }
}

static bool same_bytes(const char *folder)
{
    const struct aws_table *table = aws_table_builtin();
    size_t len = 0;
    char *made = read_file(folder, "aws-table.bin", &len);
    bool same = made && len == aws_u32(table->bytes + 12) && memcmp(made, table->bytes, len) == 0;

    free(made);
    if (!same)
        printf("the table is not what tools/aws/generate.py makes\n");
    return same;
}

int main(int argc, char **argv)
{
    struct check check = {0};
    size_t len = 0;

    if (argc != 2)
        return 64;
    check.text = check.next = read_file(argv[1], "aws-table.txt", &len);
    if (!check.text)
        return 1;
    buf_init(&check.line, LINE_MAX);
    check.wrong = !same_bytes(argv[1]);
    case_ends(&check);
    for (size_t i = 0; i < aws_table_services(aws_table_builtin()); i++)
        check_service(&check, aws_table_service(aws_table_builtin(), i));
    check.wrong = *check.next != '\0'; /* more was said by the models */
    case_ends(&check);
    buf_free(&check.line);
    free(check.text);
    printf("%d lines compared\n%d passed, %d failed\n", check.line_number, check.passed, check.failed);
    return check.failed != 0;
}
