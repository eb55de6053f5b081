/*
 * The walk over a rule set: the first rule whose conditions hold and which answers. A condition may give a variable its
 * value for what comes after it in the rule and inside it; when the rule does not answer, its variables are taken back.
 */
#include "aws/rules_inside.h"

#include <stdlib.h>

struct rules {
    const struct aws_table *table;
    struct doc **values; /* by variable; NULL: nothing */
    uint16_t *assigned;  /* in order, so that a rule can take its own back */
    size_t assigned_len, assigned_cap;
    size_t steps;
    bool failed; /* err is set */
    struct err *err;
};

enum outcome { OUTCOME_NONE, OUTCOME_FOUND, OUTCOME_FAILED };

void rules_endpoint_clear(struct rules_endpoint *endpoint)
{
    doc_unref(endpoint->url);
    doc_unref(endpoint->properties);
    doc_unref(endpoint->headers);
    *endpoint = (struct rules_endpoint){0};
}

static bool step(struct rules *rules)
{
    if (!rules->failed && ++rules->steps > RULES_STEPS_MAX) {
        err_set(rules->err, ERR_USAGE, "the endpoint rules take more than %d steps", RULES_STEPS_MAX);
        rules->failed = true;
    }
    return !rules->failed;
}

static struct doc *evaluate(struct rules *rules, uint16_t number);

/* Nothing in it makes nothing of it. */
static struct doc *template_make(struct rules *rules, struct aws_numbers parts)
{
    struct doc *one, *text = NULL;
    struct buf out;
    bool whole = true;

    buf_init(&out, RULES_TEXT_MAX);
    for (size_t i = 0; i < parts.len && whole; i++) {
        one = evaluate(rules, parts.list[i]);
        whole = doc_is(one, DOC_STRING);
        buf_add_view(&out, doc_as_view(one));
        doc_unref(one);
    }
    if (out.over) {
        err_set(rules->err, ERR_USAGE, "the endpoint rules make a text of more than %d bytes", RULES_TEXT_MAX);
        rules->failed = true;
    } else if (whole) {
        text = doc_string(buf_view(&out));
    }
    buf_free(&out);
    return text;
}

static struct doc *call_make(struct rules *rules, enum aws_rules_fn fn, struct aws_numbers numbers)
{
    struct doc **args = mem_array(numbers.len + 1, sizeof(args[0])), *result = NULL;

    for (size_t i = 0; i < numbers.len; i++)
        args[i] = evaluate(rules, numbers.list[i]);
    if (!rules->failed) {
        struct err err = ERR_INIT;

        result = rules_call(rules->table, fn, args, numbers.len, &err);
        if (!result && err.kind != ERR_NONE) {
            *rules->err = err;
            rules->failed = true;
        }
    }
    for (size_t i = 0; i < numbers.len; i++)
        doc_unref(args[i]);
    free(args);
    return result;
}

static struct doc *tuple_make(struct rules *rules, struct aws_numbers numbers)
{
    struct doc *out = doc_array(), *one;

    for (size_t i = 0; i < numbers.len; i++) {
        one = evaluate(rules, numbers.list[i]);
        if (one)
            doc_push(out, one);
    }
    return out;
}

static struct doc *record_make(struct rules *rules, struct aws_numbers numbers)
{
    struct doc *out = doc_object(), *one;

    for (size_t i = 0; i + 1 < numbers.len; i += 2) {
        one = evaluate(rules, numbers.list[i + 1]);
        if (one)
            doc_set(out, aws_table_expression(rules->table, numbers.list[i]).text, one);
    }
    return out;
}

/* A new reference; NULL: nothing, or failed. */
static struct doc *evaluate(struct rules *rules, uint16_t number)
{
    struct aws_expression expression;

    if (!step(rules))
        return NULL;
    expression = aws_table_expression(rules->table, number);
    switch (expression.type) {
    case AWS_EXPRESSION_TEXT:
        return doc_text(expression.text);
    case AWS_EXPRESSION_TEMPLATE:
        return template_make(rules, expression.args);
    case AWS_EXPRESSION_BOOLEAN:
        return doc_bool(expression.integer != 0);
    case AWS_EXPRESSION_INTEGER:
        return doc_int(expression.integer);
    case AWS_EXPRESSION_REFERENCE:
        return doc_ref(rules->values[expression.variable]);
    case AWS_EXPRESSION_CALL:
        return call_make(rules, expression.fn, expression.args);
    case AWS_EXPRESSION_TUPLE:
        return tuple_make(rules, expression.args);
    case AWS_EXPRESSION_RECORD:
        return record_make(rules, expression.args);
    }
    return NULL;
}

/* Takes the value. One that is there already is not replaced: no rule set of AWS's asks for it, and it would hide a
 * parameter. */
static void assign(struct rules *rules, uint16_t variable, struct doc *value)
{
    if (rules->values[variable]) {
        doc_unref(value);
        err_set(rules->err, ERR_USAGE, "the endpoint rules assign %s, which has a value already",
                aws_table_variable(rules->table, variable));
        rules->failed = true;
        return;
    }
    if (!value)
        return;
    if (rules->assigned_len == rules->assigned_cap) {
        rules->assigned_cap = rules->assigned_cap ? 2 * rules->assigned_cap : 16;
        rules->assigned = mem_grow(rules->assigned, rules->assigned_cap, sizeof(rules->assigned[0]));
    }
    rules->assigned[rules->assigned_len++] = variable;
    rules->values[variable] = value;
}

static void take_back(struct rules *rules, size_t since)
{
    while (rules->assigned_len > since) {
        uint16_t variable = rules->assigned[--rules->assigned_len];

        doc_unref(rules->values[variable]);
        rules->values[variable] = NULL;
    }
}

static bool all_hold(struct rules *rules, struct aws_numbers conditions)
{
    for (size_t i = 0; i < conditions.len; i++) {
        struct aws_condition condition = aws_table_condition(rules->table, conditions.list[i]);
        struct doc *value = evaluate(rules, condition.expression);
        bool holds = value && !(doc_is(value, DOC_BOOL) && !doc_as_bool(value, false));

        if (condition.assigns && !rules->failed)
            assign(rules, condition.variable, value);
        else
            doc_unref(value);
        if (!holds || rules->failed)
            return false;
    }
    return true;
}

static enum outcome answer(struct rules *rules, const struct aws_rule *rule, struct rules_endpoint *endpoint)
{
    struct doc *text = evaluate(rules, rule->text);

    if (rules->failed || !doc_is(text, DOC_STRING)) {
        doc_unref(text);
        if (!rules->failed)
            err_set(rules->err, ERR_USAGE, "the endpoint rules end without a text");
        return OUTCOME_FAILED;
    }
    if (rule->type == AWS_RULE_ERROR) {
        err_set(rules->err, ERR_USAGE, "%s", doc_as_text(text, ""));
        doc_unref(text);
        return OUTCOME_FAILED;
    }
    endpoint->url = text;
    endpoint->properties = evaluate(rules, rule->properties);
    endpoint->headers = evaluate(rules, rule->headers);
    return rules->failed ? OUTCOME_FAILED : OUTCOME_FOUND;
}

static enum outcome walk(struct rules *rules, struct aws_numbers list, struct rules_endpoint *endpoint)
{
    for (size_t i = 0; i < list.len; i++) {
        struct aws_rule rule = aws_table_rule(rules->table, list.list[i]);
        size_t since = rules->assigned_len;
        enum outcome outcome = OUTCOME_NONE;

        if (step(rules) && all_hold(rules, rule.conditions))
            outcome = rule.type == AWS_RULE_TREE ? walk(rules, rule.rules, endpoint) : answer(rules, &rule, endpoint);
        take_back(rules, since);
        if (rules->failed)
            return OUTCOME_FAILED;
        if (outcome != OUTCOME_NONE)
            return outcome;
    }
    return OUTCOME_NONE;
}

static bool is_of_type(const struct doc *value, enum aws_parameter_type type)
{
    if (type == AWS_PARAMETER_BOOLEAN)
        return doc_is(value, DOC_BOOL);
    if (type == AWS_PARAMETER_TEXT)
        return doc_is(value, DOC_STRING);
    for (size_t i = 0; i < doc_size(value); i++) {
        if (!doc_is(doc_at(value, i), DOC_STRING))
            return false;
    }
    return doc_is(value, DOC_ARRAY);
}

static const char *const type_names[] = {"a text", "true or false", "a list of texts"};

/* Each parameter's variable gets its value or its default. */
static int parameters_put(struct rules *rules, struct aws_service service, const struct doc *params)
{
    for (size_t i = 0; i < aws_service_parameters(service); i++) {
        struct aws_parameter parameter = aws_service_parameter(service, i);
        struct doc *value = doc_get(params, parameter.name);

        if (value && !doc_is(value, DOC_NULL)) {
            if (!is_of_type(value, parameter.type))
                return err_set(rules->err, ERR_USAGE, "the endpoint parameter %s is not %s", parameter.name,
                               type_names[parameter.type]);
            assign(rules, parameter.variable, doc_ref(value));
        } else if (parameter.has_default) {
            assign(rules, parameter.variable, evaluate(rules, parameter.fallback));
        } else if (parameter.required) {
            return err_set(rules->err, ERR_USAGE, "the endpoint parameter %s is required", parameter.name);
        }
        if (rules->failed)
            return -1;
    }
    return 0;
}

int rules_evaluate(struct aws_service service, const struct doc *params, struct rules_endpoint *endpoint,
                   struct err *err)
{
    struct rules rules = {.table = service.table, .err = err};
    enum outcome outcome = OUTCOME_FAILED;

    *endpoint = (struct rules_endpoint){0};
    rules.values = mem_array(aws_table_variables(service.table) + 1, sizeof(rules.values[0]));
    if (parameters_put(&rules, service, params) == 0)
        outcome = walk(&rules, aws_service_rules(service), endpoint);
    if (outcome == OUTCOME_NONE)
        err_set(err, ERR_USAGE, "the endpoint rules of %s have no endpoint for these parameters",
                aws_service_name(service));
    take_back(&rules, 0);
    free(rules.assigned);
    free(rules.values);
    if (outcome == OUTCOME_FOUND)
        return 0;
    rules_endpoint_clear(endpoint);
    err_explain(err, "A103");
    return -1;
}
