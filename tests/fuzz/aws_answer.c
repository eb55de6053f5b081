/*
 * A byte for the service, two for the operation, one for what is done: its answer is read, its error, or a request is
 * made of parameters. Whatever the bytes are: a value, or an error that says so; the fields of errors are values too.
 */
#include "aws/protocol.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct err *err)
{
    if (!err->message[0] || err->kind == ERR_NONE || strpbrk(err->message, "\r"))
        abort();
}

static void answer_run(struct aws_operation operation, struct view body)
{
    static const struct header headers[] = {
        {"x-amzn-requestid", "r"}, {"etag", "e"}, {"x-amz-meta-a", "b"}, {"content-length", "x"}};
    struct aws_answer answer = {.status = 200, .headers = headers, .headers_len = body.len % 5, .body = body};
    struct err err = ERR_INIT;
    struct doc *doc = aws_answer_read(operation, &answer, &err);

    if (doc ? doc_type(doc) != DOC_OBJECT : err.kind != ERR_SERVER)
        abort();
    if (!doc)
        check(&err);
    doc_unref(doc);
    doc_unref(aws_answer_metadata(operation, &answer));
}

static void error_run(struct aws_operation operation, struct view body, int status)
{
    struct aws_answer answer = {.status = status, .body = body};
    struct err err = ERR_INIT;
    struct doc *fields;

    aws_error_read(operation, &answer, &err, &fields);
    check(&err);
    if (!doc_is(fields, DOC_OBJECT) || !err.code[0] || strchr(err.message, '\n'))
        abort();
    doc_unref(fields);
}

static void request_run(struct aws_operation operation, struct view body)
{
    struct err err = ERR_INIT;
    struct doc *params = json_parse_loose(body, &err);
    struct aws_wire wire;

    aws_wire_init(&wire);
    if (doc_is(params, DOC_OBJECT) && aws_params_check(operation, params, &err) == 0) {
        if (aws_request_write(operation, params, &wire, &err) != 0)
            check(&err);
        else if (buf_text(&wire.path)[0] != '/')
            abort();
    } else if (params && doc_is(params, DOC_OBJECT)) {
        check(&err);
    }
    aws_wire_clear(&wire);
    doc_unref(params);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct aws_table *table = aws_table_builtin();
    struct aws_service service;
    struct aws_operation operation;
    struct view body;

    if (size < 4)
        return 0;
    service = aws_table_service(table, data[0] % aws_table_services(table));
    operation = aws_service_operation(service, (size_t)(data[1] << 8 | data[2]) % aws_service_operations(service));
    body = (struct view){(const char *)data + 4, size - 4};
    if (data[3] % 4 == 0)
        answer_run(operation, body);
    else if (data[3] % 4 == 3)
        request_run(operation, body);
    else
        error_run(operation, body, data[3] % 4 == 1 ? 400 : 503);
    return 0;
}
