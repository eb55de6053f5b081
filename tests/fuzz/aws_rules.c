/* Either a table (a pack), each of whose rule sets is evaluated; or two lines: a service's name and endpoint
 * parameters. */
#include "aws/endpoint.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { SERVICES_MAX = 50 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve(struct aws_service service, const struct doc *params)
{
    struct aws_endpoint endpoint;
    struct err err = ERR_INIT;

    if (aws_endpoint_resolve(service, params, &endpoint, &err) != 0 && err.kind == ERR_NONE)
        abort();
    aws_endpoint_clear(&endpoint);
}

static void run_table(const uint8_t *data, size_t size)
{
    void *bytes = mem_array(size + 1, 1); /* aligned, as a mapped file is */
    struct err err = ERR_INIT;
    struct aws_table *table;
    struct doc *params = doc_object();

    memcpy(bytes, data, size);
    table = aws_table_open((struct view){bytes, size}, &err);
    doc_set_text(params, "Region", "eu-west-1");
    doc_set_text(params, "Bucket", "arn:aws:s3:us-west-2:123456789012:accesspoint/a");
    for (size_t i = 0; table && i < aws_table_services(table) && i < SERVICES_MAX; i++)
        resolve(aws_table_service(table, i), params);
    doc_unref(params);
    aws_table_close(table);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *line = size ? memchr(text, '\n', size) : NULL;
    struct err err = ERR_INIT;
    struct doc *params;
    char *name;

    run_table(data, size);
    if (!line)
        return 0;
    name = mem_view((struct view){text, (size_t)(line - text)});
    params = json_parse((struct view){line + 1, size - (size_t)(line + 1 - text)}, &err);
    if (params)
        resolve(aws_service_find(aws_table_builtin(), name), params);
    doc_unref(params);
    free(name);
    return 0;
}
