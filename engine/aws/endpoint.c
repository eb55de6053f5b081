/* An operation's parameters for its service's endpoint rules, and what their outcome means for sending and signing. */
#include "aws/endpoint.h"

#include "aws/jmespath.h"
#include "aws/rules_inside.h"
#include "codec/json.h"

#include <string.h>

enum { TEXT_MAX = 64 << 10 };

void aws_endpoint_clear(struct aws_endpoint *endpoint)
{
    buf_free(&endpoint->url);
    buf_free(&endpoint->signing_name);
    buf_free(&endpoint->signing_region);
    doc_unref(endpoint->headers);
    *endpoint = (struct aws_endpoint){0};
}

/* The first scheme that is signed as we can; else the first of sigv4a. NULL: the service's own. */
static const struct doc *scheme_choose(const struct doc *schemes, bool *sigv4a)
{
    const struct doc *asymmetric = NULL;

    for (size_t i = 0; i < doc_size(schemes); i++) {
        const struct doc *scheme = doc_at(schemes, i);
        const char *name = doc_as_text(doc_get(scheme, "name"), "");

        if (strcmp(name, "sigv4") == 0 || strcmp(name, "sigv4-s3express") == 0)
            return scheme;
        if (strcmp(name, "sigv4a") == 0 && !asymmetric)
            asymmetric = scheme;
    }
    *sigv4a = asymmetric != NULL;
    return asymmetric;
}

int aws_endpoint_resolve(struct aws_service service, const struct doc *params, struct aws_endpoint *endpoint,
                         struct err *err)
{
    struct rules_endpoint found;
    const struct doc *scheme;

    *endpoint = (struct aws_endpoint){0};
    buf_init(&endpoint->url, TEXT_MAX);
    buf_init(&endpoint->signing_name, TEXT_MAX);
    buf_init(&endpoint->signing_region, TEXT_MAX);
    if (rules_evaluate(service, params, &found, err) != 0)
        return -1;
    scheme = scheme_choose(doc_get(found.properties, "authSchemes"), &endpoint->sigv4a);
    buf_add_view(&endpoint->url, doc_as_view(found.url));
    buf_add_view(&endpoint->signing_name, doc_as_view(doc_get(scheme, "signingName")));
    buf_add_view(&endpoint->signing_region, doc_as_view(doc_get(scheme, "signingRegion")));
    endpoint->double_encoding_off = doc_as_bool(doc_get(scheme, "disableDoubleEncoding"), false);
    if (doc_size(found.headers))
        endpoint->headers = doc_ref(found.headers);
    rules_endpoint_clear(&found);
    return 0;
}

/* ---- parameters ---- */

/* Fixed by the operation, or found in its input by a JMESPath. -1 with err. */
static int context_value(struct aws_context context, const struct doc *params, struct doc **value, struct err *err)
{
    struct jmespath *path;

    if (!context.path) {
        *value = json_parse(view_of(context.text), err);
        return *value ? 0 : -1;
    }
    path = jmespath_parse(view_of(context.text), err);
    *value = path ? jmespath_search(path, params, err) : NULL;
    jmespath_free(path);
    return *value ? 0 : -1;
}

static int contexts_put(struct aws_operation operation, const struct doc *params, bool paths, struct doc *out,
                        struct err *err)
{
    for (size_t i = 0; i < aws_operation_contexts(operation); i++) {
        struct aws_context context = aws_operation_context(operation, i);
        struct doc *value = NULL;

        if (context.path != paths || doc_get(out, context.name))
            continue;
        if (context_value(context, params, &value, err) != 0)
            return err_context(err, "endpoint parameter %s", context.name);
        if (doc_is(value, DOC_NULL))
            doc_unref(value);
        else
            doc_set(out, context.name, value);
    }
    return 0;
}

static void members_put(struct aws_operation operation, const struct doc *params, struct doc *out)
{
    struct aws_shape input = aws_operation_input(operation);

    for (size_t i = 0; i < aws_shape_members(input); i++) {
        struct aws_member member = aws_shape_member(input, i);
        const char *name = aws_member_context(member);
        struct doc *value = name[0] ? doc_get(params, aws_member_name(member)) : NULL;

        if (value && !doc_is(value, DOC_NULL) && !doc_get(out, name))
            doc_set(out, name, doc_ref(value));
    }
}

/* Only parameters of the rule set stay. */
struct doc *aws_endpoint_params(struct aws_operation operation, const struct doc *params, const struct doc *builtins,
                                struct err *err)
{
    struct aws_service service = aws_operation_service(operation);
    struct doc *found = doc_object(), *out;

    if (contexts_put(operation, params, false, found, err) != 0) {
        doc_unref(found);
        return NULL;
    }
    members_put(operation, params, found);
    if (contexts_put(operation, params, true, found, err) != 0) {
        doc_unref(found);
        return NULL;
    }
    out = doc_object();
    for (size_t i = 0; i < aws_service_parameters(service); i++) {
        struct aws_parameter parameter = aws_service_parameter(service, i);
        struct doc *value = doc_get(found, parameter.name);

        if (!value)
            value = doc_get(builtins, parameter.name);
        if (!value && parameter.builtin[0])
            value = doc_get(builtins, parameter.builtin);
        if (value && !doc_is(value, DOC_NULL))
            doc_set(out, parameter.name, doc_ref(value));
    }
    doc_unref(found);
    return out;
}

/* ---- partitions ---- */

const char *aws_partition_of(const struct aws_table *table, const char *region)
{
    return rules_partition(table, region).name;
}

const char *aws_partition_suffix(const struct aws_table *table, const char *region, bool dual_stack)
{
    struct aws_partition partition = rules_partition(table, region);

    return dual_stack ? partition.dual_stack_suffix : partition.dns_suffix;
}
