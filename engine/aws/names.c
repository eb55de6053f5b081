/* Services and operations by the names that people write, with did-you-mean. */
#include "aws/aws.h"

#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

struct aws_service aws_service_need(const struct aws_table *table, const char *name, struct err *err)
{
    char *own = mem_text(name);
    struct aws_service service;
    struct suggest near;

    for (char *at = own; *at; at++)
        *at = *at == '_' ? '-' : *at; /* sso_oidc, as Lua writes it */
    service = aws_service_find(table, own);
    if (!service.table) {
        suggest_init(&near, own);
        for (size_t i = 0; i < aws_table_services(table); i++)
            suggest_try(&near, aws_service_name(aws_table_service(table, i)));
        err_set(err, ERR_USAGE, "there is no AWS service \"%.80s\"%s%s%s", name, near.found ? "; did you mean \"" : "",
                near.found ? near.found : "", near.found ? "\"?" : "; `dosrun help aws` lists those that there are");
        err_explain(err, "A104");
    }
    free(own);
    return service;
}

struct aws_operation aws_operation_need(struct aws_service service, const char *name, struct err *err)
{
    struct aws_operation operation = aws_operation_find(service, view_of(name));
    struct suggest near;

    if (operation.table)
        return operation;
    suggest_init(&near, name);
    for (size_t i = 0; i < aws_service_operations(service); i++)
        suggest_try(&near, aws_operation_snake(aws_service_operation(service, i)));
    err_set(err, ERR_USAGE, "%s has no operation \"%.80s\"%s%s%s", aws_service_name(service), name,
            near.found ? "; did you mean \"" : "", near.found ? near.found : "", near.found ? "\"?" : "");
    err_explain(err, "A104");
    return operation;
}
