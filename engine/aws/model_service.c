/* Services, operations, waiters and paginators of a table. */
#include "aws/model_rows.h"

#include <ctype.h>

static const struct aws_shape no_shape = {NULL, 0};
static const struct aws_operation no_operation = {NULL, 0, 0};
static const struct aws_service no_service = {NULL, 0};

static int view_order(struct view a, const char *b)
{
    size_t len = strlen(b);
    int order = memcmp(a.ptr ? a.ptr : "", b, a.len < len ? a.len : len);

    return order ? order : (a.len > len) - (a.len < len);
}

/* The first row of a sorted run whose name is not before this one, by a function that tells names. */
static size_t run_search(size_t count, struct view name, const char *(*tell)(const void *ctx, size_t index),
                         const void *ctx)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = (low + count) / 2;

        if (view_order(name, tell(ctx, middle)) > 0)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* ---- services ---- */

size_t aws_table_services(const struct aws_table *table)
{
    return table ? table->counts[AWS_SERVICES] : 0;
}

struct aws_service aws_table_service(const struct aws_table *table, size_t index)
{
    return index < aws_table_services(table) ? (struct aws_service){table, (uint32_t)index} : no_service;
}

static const char *tell_service(const void *table, size_t index)
{
    return aws_service_name(aws_table_service(table, index));
}

struct aws_service aws_service_find(const struct aws_table *table, const char *name)
{
    struct view wanted = view_of(name);
    struct aws_service found =
        aws_table_service(table, run_search(aws_table_services(table), wanted, tell_service, table));

    return found.table && view_is(wanted, aws_service_name(found)) ? found : no_service;
}

static const uint8_t *service_row(struct aws_service service)
{
    return aws_row(service.table, AWS_SERVICES, service.at);
}

static const char *service_text(struct aws_service service, size_t field)
{
    return service.table ? aws_text(service.table, aws_u32(service_row(service) + field)) : "";
}

const char *aws_service_name(struct aws_service service)
{
    return service_text(service, 0);
}

const char *aws_service_id(struct aws_service service)
{
    return service_text(service, 4);
}

const char *aws_service_api_version(struct aws_service service)
{
    return service_text(service, 8);
}

const char *aws_service_endpoint_prefix(struct aws_service service)
{
    return service_text(service, 12);
}

const char *aws_service_signing_name(struct aws_service service)
{
    return service_text(service, 16);
}

const char *aws_service_target_prefix(struct aws_service service)
{
    return service_text(service, 20);
}

const char *aws_service_json_version(struct aws_service service)
{
    return service_text(service, 24);
}

const char *aws_service_namespace(struct aws_service service)
{
    return service_text(service, 28);
}

enum aws_protocol aws_service_protocol(struct aws_service service)
{
    return service.table ? (enum aws_protocol)aws_u8(service_row(service) + 32) : AWS_QUERY;
}

bool aws_service_query_compatible(struct aws_service service)
{
    return service.table && aws_u8(service_row(service) + 33);
}

/* ---- operations ---- */

size_t aws_service_operations(struct aws_service service)
{
    return service.table ? aws_u32(service_row(service) + 40) : 0;
}

struct aws_operation aws_service_operation(struct aws_service service, size_t index)
{
    if (index >= aws_service_operations(service))
        return no_operation;
    return (struct aws_operation){service.table, aws_u32(service_row(service) + 36) + (uint32_t)index, service.at};
}

static const char *tell_operation(const void *service, size_t index)
{
    return aws_operation_snake(aws_service_operation(*(const struct aws_service *)service, index));
}

/* Rows are sorted by snake name. A name in CamelCase is what requests on the wire bear; the few hundred are looked
 * through. */
struct aws_operation aws_operation_find(struct aws_service service, struct view name)
{
    size_t count = aws_service_operations(service);
    struct aws_operation found = aws_service_operation(service, run_search(count, name, tell_operation, &service));

    if (found.table && view_is(name, aws_operation_snake(found)))
        return found;
    if (name.len == 0 || !isupper((unsigned char)name.ptr[0]))
        return no_operation;
    for (size_t i = 0; i < count; i++) {
        found = aws_service_operation(service, i);
        if (view_is(name, aws_operation_name(found)))
            return found;
    }
    return no_operation;
}

static const uint8_t *operation_row(struct aws_operation operation)
{
    return aws_row(operation.table, AWS_OPERATIONS, operation.at);
}

static const uint8_t *operation_traits(struct aws_operation operation)
{
    return aws_row(operation.table, AWS_OPERATION_TRAITS, aws_u16(operation_row(operation) + 10));
}

/* NULL for most. */
static const uint8_t *operation_rare(struct aws_operation operation)
{
    uint32_t rare = operation.table ? aws_u16(operation_traits(operation) + 8) : 0;

    return rare ? aws_row(operation.table, AWS_OPERATION_RARE, rare - 1) : NULL;
}

static const char *operation_rare_text(struct aws_operation operation, size_t field)
{
    const uint8_t *rare = operation_rare(operation);

    return rare ? aws_text(operation.table, aws_u32(rare + field)) : "";
}

struct aws_service aws_operation_service(struct aws_operation operation)
{
    return operation.table ? (struct aws_service){operation.table, operation.service} : no_service;
}

const char *aws_operation_name(struct aws_operation operation)
{
    return operation.table ? aws_text(operation.table, aws_u24(operation_row(operation))) : "";
}

const char *aws_operation_snake(struct aws_operation operation)
{
    return operation.table ? aws_text_after(aws_operation_name(operation)) : "";
}

const char *aws_operation_method(struct aws_operation operation)
{
    static const char *const methods[] = {"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"};

    return operation.table ? methods[aws_u8(operation_traits(operation) + 4)] : "";
}

const char *aws_operation_uri(struct aws_operation operation)
{
    return operation.table ? aws_text(operation.table, aws_u32(operation_traits(operation))) : "";
}

int aws_operation_status(struct aws_operation operation)
{
    return operation.table ? (int)aws_u16(operation_traits(operation) + 6) : 0;
}

static struct aws_shape operation_shape(struct aws_operation operation, size_t field)
{
    uint32_t shape = operation.table ? aws_u16(operation_row(operation) + field) : 0;

    return shape ? (struct aws_shape){operation.table, shape - 1} : no_shape;
}

struct aws_shape aws_operation_input(struct aws_operation operation)
{
    return operation_shape(operation, 4);
}

struct aws_shape aws_operation_output(struct aws_operation operation)
{
    return operation_shape(operation, 6);
}

const char *aws_operation_result_wrapper(struct aws_operation operation)
{
    if (!operation.table || !(aws_u8(operation_row(operation) + 3) & AWS_OPERATION_WRAPPED))
        return "";
    return aws_text_after(aws_operation_snake(operation));
}

const char *aws_operation_input_wire(struct aws_operation operation)
{
    return operation_rare_text(operation, 0);
}

const char *aws_operation_input_namespace(struct aws_operation operation)
{
    return operation_rare_text(operation, 4);
}

static struct aws_numbers operation_errors(struct aws_operation operation)
{
    if (!operation.table)
        return (struct aws_numbers){NULL, 0};
    return aws_list(operation.table, aws_u16(operation_row(operation) + 8));
}

size_t aws_operation_errors(struct aws_operation operation)
{
    return operation_errors(operation).len;
}

struct aws_shape aws_operation_error(struct aws_operation operation, size_t index)
{
    struct aws_numbers errors = operation_errors(operation);

    return index < errors.len ? (struct aws_shape){operation.table, errors.list[index]} : no_shape;
}

static struct aws_shape error_find(const struct aws_table *table, struct aws_numbers errors, struct view code)
{
    for (size_t i = 0; i < errors.len; i++) {
        struct aws_shape shape = {table, errors.list[i]};

        if (view_is(code, aws_shape_error_code(shape)))
            return shape;
    }
    return no_shape;
}

struct aws_shape aws_operation_error_find(struct aws_operation operation, struct view code)
{
    struct aws_shape found = error_find(operation.table, operation_errors(operation), code);

    if (found.table || !operation.table)
        return found;
    return error_find(operation.table,
                      aws_list(operation.table, aws_u16(service_row(aws_operation_service(operation)) + 34)), code);
}

const char *aws_operation_host_prefix(struct aws_operation operation)
{
    return operation_rare_text(operation, 8);
}

const char *aws_operation_checksum_member(struct aws_operation operation)
{
    return operation_rare_text(operation, 12);
}

bool aws_operation_checksum_required(struct aws_operation operation)
{
    const uint8_t *rare = operation_rare(operation);

    return rare && aws_u16(rare + 24);
}

const char *aws_operation_checksum_mode_member(struct aws_operation operation)
{
    return operation_rare_text(operation, 16);
}

const char *aws_operation_checksum_responses(struct aws_operation operation)
{
    return operation_rare_text(operation, 20);
}

unsigned aws_operation_flags(struct aws_operation operation)
{
    return operation.table ? aws_u8(operation_row(operation) + 3) & ~(unsigned)AWS_OPERATION_WRAPPED : 0;
}

size_t aws_operation_contexts(struct aws_operation operation)
{
    const uint8_t *rare = operation_rare(operation);

    return rare ? aws_u32(rare + 28) : 0;
}

struct aws_context aws_operation_context(struct aws_operation operation, size_t index)
{
    const uint8_t *row;

    if (index >= aws_operation_contexts(operation))
        return (struct aws_context){"", "", false};
    row = aws_row(operation.table, AWS_CONTEXTS, aws_u16(operation_rare(operation) + 26) + index);
    return (struct aws_context){aws_text(operation.table, aws_u32(row)), aws_text(operation.table, aws_u32(row + 4)),
                                aws_u32(row + 8) != 0};
}

/* ---- waiters ---- */

size_t aws_service_waiters(struct aws_service service)
{
    return service.table ? aws_u32(service_row(service) + 48) : 0;
}

struct aws_waiter aws_service_waiter(struct aws_service service, size_t index)
{
    const struct aws_table *table = service.table;
    struct aws_waiter waiter = {.name = "", .snake = "", .operation = ""};
    const uint8_t *row;

    if (index >= aws_service_waiters(service))
        return waiter;
    row = aws_row(table, AWS_WAITERS, aws_u32(service_row(service) + 44) + index);
    waiter.name = aws_text(table, aws_u32(row));
    waiter.snake = aws_text_after(waiter.name);
    waiter.operation = aws_text(table, aws_u32(row + 4));
    waiter.delay_s = (int)aws_u32(row + 8);
    waiter.attempts_max = (int)aws_u32(row + 12);
    waiter.acceptors = aws_u32(row + 16);
    waiter.acceptors_len = aws_u32(row + 20);
    return waiter;
}

bool aws_waiter_find(struct aws_service service, struct view name, struct aws_waiter *waiter)
{
    for (size_t i = 0; i < aws_service_waiters(service); i++) {
        *waiter = aws_service_waiter(service, i);
        if (view_is(name, waiter->snake) || view_is(name, waiter->name))
            return true;
    }
    return false;
}

struct aws_acceptor aws_waiter_acceptor(struct aws_service service, const struct aws_waiter *waiter, size_t index)
{
    const uint8_t *row;

    if (index >= waiter->acceptors_len)
        return (struct aws_acceptor){"", "", "", ""};
    row = aws_row(service.table, AWS_ACCEPTORS, waiter->acceptors + index);
    return (struct aws_acceptor){aws_text(service.table, aws_u32(row)), aws_text(service.table, aws_u32(row + 4)),
                                 aws_text(service.table, aws_u32(row + 8)), aws_text(service.table, aws_u32(row + 12))};
}

/* ---- paginators ---- */

bool aws_operation_paginator(struct aws_operation operation, struct aws_paginator *paginator)
{
    const struct aws_table *table = operation.table;
    size_t low = 0, high = table ? table->counts[AWS_PAGINATED] : 0;
    const char **const texts[] = {&paginator->input_token, &paginator->output_token, &paginator->limit_key,
                                  &paginator->result_key,  &paginator->more_results, &paginator->non_aggregate_keys};

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (aws_u16(aws_row(table, AWS_PAGINATED, middle)) < operation.at)
            low = middle + 1;
        else
            high = middle;
    }
    if (!table || low == table->counts[AWS_PAGINATED] || aws_u16(aws_row(table, AWS_PAGINATED, low)) != operation.at)
        return false;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = aws_text(
            table, aws_u24(aws_row(table, AWS_PAGES, aws_u16(aws_row(table, AWS_PAGINATED, low) + 2)) + 3 * i));
    return true;
}
