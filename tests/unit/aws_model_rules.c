/* Rule sets and partitions of the table as an evaluator reads them. */
#include "aws/model_rows.h"
#include "unit.h"

#include <regex.h>

static const struct aws_table *table(void)
{
    return aws_table_builtin();
}

static struct aws_parameter parameter(const char *service, const char *name)
{
    struct aws_service found = aws_service_find(table(), service);

    for (size_t i = 0; i < aws_service_parameters(found); i++)
        if (strcmp(aws_service_parameter(found, i).name, name) == 0)
            return aws_service_parameter(found, i);
    return (struct aws_parameter){.name = "", .builtin = ""};
}

TEST(parameters)
{
    struct aws_parameter fips = parameter("eks", "UseFIPS"), arns = parameter("dynamodb", "ResourceArnList");

    CHECK_TEXT(parameter("eks", "Region").builtin, "AWS::Region");
    CHECK_TEXT(aws_table_variable(table(), parameter("eks", "Region").variable), "Region");
    CHECK_INT(parameter("eks", "Region").variable, parameter("s3", "Region").variable);
    CHECK(fips.required && fips.has_default);
    CHECK_INT(fips.type, AWS_PARAMETER_BOOLEAN);
    CHECK_INT(aws_table_expression(table(), fips.fallback).type, AWS_EXPRESSION_BOOLEAN);
    CHECK_INT(aws_table_expression(table(), fips.fallback).integer, 0);
    CHECK_INT(arns.type, AWS_PARAMETER_TEXTS);
    CHECK_TEXT(parameter("s3", "Bucket").builtin, "");
    CHECK(!parameter("s3", "Bucket").has_default);
    CHECK_TEXT(aws_service_parameter((struct aws_service){0}, 0).name, "");
}

/* What all trees of all services have in common; counted to see that none is left out. */
struct count {
    size_t rules, endpoints, errors, conditions;
};

static void walk_expression(uint16_t number, int depth)
{
    struct aws_expression expression = aws_table_expression(table(), number);

    REQUIRE(depth < AWS_RULES_DEPTH);
    if (expression.type == AWS_EXPRESSION_REFERENCE)
        CHECK(aws_table_variable(table(), expression.variable)[0]);
    for (size_t i = 0; i < expression.args.len; i++)
        walk_expression(expression.args.list[i], depth + 1);
}

static void walk_rules(struct aws_numbers rules, struct count *count, int depth)
{
    REQUIRE(depth < AWS_RULES_DEPTH);
    for (size_t i = 0; i < rules.len; i++) {
        struct aws_rule rule = aws_table_rule(table(), rules.list[i]);

        count->rules++;
        count->conditions += rule.conditions.len;
        count->endpoints += rule.type == AWS_RULE_ENDPOINT;
        count->errors += rule.type == AWS_RULE_ERROR;
        for (size_t j = 0; j < rule.conditions.len; j++)
            walk_expression(aws_table_condition(table(), rule.conditions.list[j]).expression, 0);
        if (rule.type == AWS_RULE_TREE) {
            walk_rules(rule.rules, count, depth + 1);
            continue;
        }
        walk_expression(rule.text, 0);
        if (rule.type == AWS_RULE_ENDPOINT) {
            CHECK_INT(aws_table_expression(table(), rule.properties).type, AWS_EXPRESSION_RECORD);
            CHECK_INT(aws_table_expression(table(), rule.headers).args.len, 0);
        }
    }
}

TEST(all_trees_are_there)
{
    struct count count = {0};

    for (size_t i = 0; i < aws_table_services(table()); i++)
        walk_rules(aws_service_rules(aws_table_service(table(), i)), &count, 0);
    CHECK_INT(count.rules, 1140);
    CHECK_INT(count.endpoints, 476);
    CHECK_INT(count.errors, 256);
}

/* eks: the first rule is "isSet(Endpoint)", below it FIPS is refused. */
TEST(rules_of_eks)
{
    struct aws_rule first = aws_table_rule(table(), aws_service_rules(aws_service_find(table(), "eks")).list[0]);
    struct aws_condition condition = aws_table_condition(table(), first.conditions.list[0]);
    struct aws_expression call = aws_table_expression(table(), condition.expression);
    struct aws_rule refused;

    CHECK_INT(first.type, AWS_RULE_TREE);
    CHECK_INT(first.conditions.len, 1);
    CHECK(!condition.assigns);
    CHECK_INT(call.type, AWS_EXPRESSION_CALL);
    CHECK_INT(call.fn, AWS_FN_IS_SET);
    REQUIRE(call.args.len == 1);
    CHECK_TEXT(aws_table_variable(table(), aws_table_expression(table(), call.args.list[0]).variable), "Endpoint");
    refused = aws_table_rule(table(), first.rules.list[0]);
    CHECK_INT(refused.type, AWS_RULE_ERROR);
    CHECK_TEXT(aws_table_expression(table(), refused.text).text,
               "Invalid Configuration: FIPS and custom endpoint are not supported");
}

/* Somewhere there is "https://eks.{PartitionResult#dnsSuffix}" or the like: parts, one of them an attribute. */
TEST(templates_are_taken_apart)
{
    bool found = false;

    for (uint16_t number = 0; number < table()->counts[AWS_EXPRESSIONS] && !found; number++) {
        struct aws_expression expression = aws_table_expression(table(), number), last, name;

        if (expression.type != AWS_EXPRESSION_TEMPLATE || expression.args.len != 4 ||
            strcmp(aws_table_expression(table(), expression.args.list[0]).text, "https://eks.") != 0)
            continue;
        last = aws_table_expression(table(), expression.args.list[3]);
        CHECK_INT(aws_table_expression(table(), expression.args.list[1]).type, AWS_EXPRESSION_REFERENCE);
        CHECK_TEXT(aws_table_expression(table(), expression.args.list[2]).text, ".");
        CHECK_INT(last.fn, AWS_FN_GET_ATTR);
        REQUIRE(last.args.len == 2);
        name = aws_table_expression(table(), last.args.list[1]);
        CHECK(strstr(name.text, "nsSuffix") != NULL);
        found = true;
    }
    CHECK(found);
}

static const char *partition_of(const char *region)
{
    for (size_t i = 0; i < aws_table_partitions(table()); i++) {
        struct aws_partition partition = aws_table_partition(table(), i);
        regex_t regex;
        bool match;

        if (regcomp(&regex, partition.regex, REG_EXTENDED | REG_NOSUB) != 0)
            return "a regex that is none";
        match = regexec(&regex, region, 0, NULL, 0) == 0;
        regfree(&regex);
        if (match)
            return partition.name;
    }
    return "";
}

TEST(partitions)
{
    struct aws_partition aws = aws_table_partition(table(), 0), china = aws_table_partition(table(), 1);

    CHECK_INT(aws_table_partitions(table()), 8);
    CHECK_TEXT(aws.name, "aws");
    CHECK_TEXT(aws.dns_suffix, "amazonaws.com");
    CHECK_TEXT(aws.dual_stack_suffix, "api.aws");
    CHECK_TEXT(aws.global_region, "us-east-1");
    CHECK(aws.fips && aws.dual_stack);
    CHECK_INT(aws.regions_len, 37);
    CHECK_TEXT(aws_partition_region(table(), &aws, 0), "af-south-1");
    CHECK_TEXT(aws_partition_region(table(), &aws, 37), "");
    CHECK_TEXT(china.name, "aws-cn");
    CHECK_TEXT(china.dns_suffix, "amazonaws.com.cn");
    CHECK_TEXT(partition_of("eu-central-9"), "aws");
    CHECK_TEXT(partition_of("cn-north-1"), "aws-cn");
    CHECK_TEXT(partition_of("us-gov-west-1"), "aws-us-gov");
    CHECK_TEXT(partition_of("us-isob-east-1"), "aws-iso-b");
    CHECK_TEXT(partition_of("xeu-central-1"), "");
    CHECK_TEXT(partition_of("eu-central-1.evil"), "");
    CHECK_TEXT(aws_table_partition(table(), 8).name, "");
}
