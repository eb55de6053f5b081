/*
 * The AWS client on stdin and stdout, for aws_differential.test and others that compare it. The environment is the
 * client's: AWS_ACCESS_KEY_ID, AWS_CONFIG_FILE, AWS_USE_FIPS_ENDPOINT, ... usage: conformance_aws_client [--now
 * MILLISECONDS] [--together N] Lines in:
 *   {"service": "s3", "operation": "PutObject", "params": {..., "Body": {"$bytes": "base64"}}, "region":
 * "eu-central-1", "endpoint_url": "http://127.0.0.1:1", "token": "for members that are idempotency tokens", "attempts":
 * 1, "presign": 300, "resolve": true, "id": anything} Lines out, in the order of their ends: {"id", "result"} or {"id",
 * "error": {kind, code, message, ...}}, with status and attempts; blobs as above. resolve: where it would go: {"id",
 * "url", "host", "region", "signing"}, nothing is sent.
 */
#include "aws/aws.h"
#include "aws/customize.h"
#include "aws/transfer.h"
#include "base/digest.h"
#include "codec/json.h"
#include "open_gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 256 << 20 };

struct driver {
    struct world *world;
    struct http *http;
    struct aws_config *config;
    struct aws *aws;
    int running;
};

struct line {
    struct driver *driver;
    struct doc *in;
    struct aws_operation operation;
};

static int64_t fixed_now;

static int64_t now_fixed(struct world *world)
{
    (void)world;
    return fixed_now;
}

static const char *environment(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

/* ---- documents with bytes ---- */

static struct doc *bytes_read(const struct doc *value)
{
    const char *text = doc_size(value) == 1 ? doc_path_text(value, "$bytes", NULL) : NULL;
    struct err ignored = ERR_INIT;
    struct doc *bytes;
    struct buf plain;

    if (!text)
        return NULL;
    buf_init(&plain, LINE_MAX_BYTES);
    bytes = base64_parse(&plain, view_of(text), &ignored) == 0 ? doc_bytes(buf_view(&plain)) : NULL;
    buf_free(&plain);
    return bytes;
}

static void bytes_in(struct doc *value)
{
    for (size_t i = 0; doc_is(value, DOC_ARRAY) && i < doc_size(value); i++) {
        struct doc *bytes = bytes_read(doc_at(value, i));

        if (bytes)
            doc_put_at(value, i, bytes);
        else
            bytes_in(doc_at(value, i));
    }
    DOC_EACH(at, value)
    {
        struct doc *bytes = bytes_read(at.value);

        if (bytes)
            doc_set(value, at.key, bytes);
        else
            bytes_in(at.value);
    }
}

/* A copy of an output in which blobs can be seen. */
static struct doc *bytes_out(struct aws_shape shape, const struct doc *value)
{
    enum aws_type type = aws_shape_type(shape);
    struct doc *out;
    struct buf text;

    if (type == AWS_BLOB && doc_is(value, DOC_STRING)) {
        buf_init(&text, LINE_MAX_BYTES);
        base64_add(&text, doc_as_view(value));
        out = doc_object();
        doc_set(out, "$bytes", doc_string(buf_view(&text)));
        buf_free(&text);
        return out;
    }
    if (doc_is(value, DOC_OBJECT)) {
        out = doc_object();
        DOC_EACH(at, value)
        {
            struct aws_member member =
                type == AWS_MAP ? aws_shape_member(shape, 1) : aws_shape_member_find(shape, view_of(at.key));

            doc_set(out, at.key, bytes_out(aws_member_shape(member), at.value));
        }
        return out;
    }
    if (!doc_is(value, DOC_ARRAY))
        return doc_ref(value);
    out = doc_array(); /* of a structure: the events of a stream */
    for (size_t i = 0; i < doc_size(value); i++)
        doc_push(out,
                 bytes_out(type == AWS_LIST ? aws_member_shape(aws_shape_member(shape, 0)) : shape, doc_at(value, i)));
    return out;
}

static void print(struct doc *take)
{
    struct buf text;

    buf_init(&text, LINE_MAX_BYTES);
    json_add(&text, take, JSON_COMPACT | JSON_ASCII);
    puts(buf_text(&text));
    fflush(stdout);
    buf_free(&text);
    doc_unref(take);
}

static void line_end(struct line *line, struct doc *out)
{
    doc_set(out, "id", doc_ref(doc_get(line->in, "id")));
    print(out);
    doc_unref(line->in);
    line->driver->running--;
    free(line);
}

static void answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct line *line = ctx;
    struct doc *out = doc_object();

    if (err)
        doc_set(out, "error", doc_from_err(err));
    else
        doc_set(out, "result", bytes_out(aws_operation_output(line->operation), result));
    doc_set_int(out, "status", answer->status);
    doc_set_int(out, "attempts", answer->attempts);
    line_end(line, out);
}

/* ---- one line ---- */

static void token_given(void *ctx, const char *member, char out[37])
{
    (void)member;
    snprintf(out, 37, "%s", (const char *)ctx);
}

static int resolve(struct line *line, const struct aws_request *request, struct doc *out, struct err *err)
{
    struct aws_transport transport;
    struct aws_transfer_request transfer = {
        .operation = request->operation, .params = request->params, .region = request->region};
    struct aws_target target;
    struct aws_custom custom = {0};
    struct aws_wire wire;
    int result = -1;

    aws_transport_init(&transport, line->driver->world, line->driver->http, line->driver->config);
    aws_target_init(&target);
    aws_wire_init(&wire);
    if (aws_request_write(request->operation, request->params, &wire, err) == 0 &&
        aws_customize_wire(line->driver->config, request->operation, request->params, &wire, &custom, err) == 0 &&
        aws_target_resolve(&transport, &transfer, &wire, &target, err) == 0) {
        doc_set_text(out, "url", buf_text(&target.url));
        doc_set_text(out, "host", buf_text(&target.host));
        doc_set_text(out, "region", buf_text(&target.region));
        doc_set_text(out, "signing", buf_text(&target.service));
        result = 0;
    }
    aws_target_clear(&target);
    aws_wire_clear(&wire);
    return result;
}

static void line_fail(struct line *line, const struct err *err)
{
    struct doc *out = doc_object();

    doc_set(out, "error", doc_from_err(err));
    line_end(line, out);
}

static void line_resolve(struct line *line, const struct aws_request *request)
{
    struct doc *out = doc_object();
    struct err err = ERR_INIT;

    if (resolve(line, request, out, &err) == 0) {
        line_end(line, out);
        return;
    }
    doc_unref(out);
    line_fail(line, &err);
}

static void line_start(struct driver *driver, struct doc *in)
{
    struct line *line = mem_alloc(sizeof(*line));
    struct err err = ERR_INIT;
    struct aws_service service = aws_find_service(driver->aws, doc_as_text(doc_get(in, "service"), ""), &err);
    const char *token = doc_path_text(in, "token", NULL);
    int presign = (int)doc_as_int(doc_get(in, "presign"), 0);
    struct aws_request request = {
        .params = doc_get(in, "params"),
        .region = doc_path_text(in, "region", NULL),
        .role = doc_path_text(in, "role", NULL),
        .endpoint_url = doc_path_text(in, "endpoint_url", NULL),
        .attempts_max = (int)doc_as_int(doc_get(in, "attempts"), 0),
        .guarded = doc_as_bool(doc_get(in, "guarded"), false),
        .token = token ? token_given : NULL,
        .token_ctx = (void *)token,
    };

    *line = (struct line){driver, in, {0}};
    driver->running++;
    if (service.table)
        line->operation = aws_operation_find(service, view_of(doc_as_text(doc_get(in, "operation"), "")));
    if (!line->operation.table) {
        if (!err.kind)
            err_set(&err, ERR_USAGE, "there is no such operation");
        line_fail(line, &err);
        return;
    }
    bytes_in(doc_get(in, "params"));
    request.operation = line->operation;
    if (doc_as_bool(doc_get(in, "resolve"), false))
        line_resolve(line, &request);
    else if (presign)
        aws_presign(driver->aws, &request, presign, answered, line);
    else
        aws_send(driver->aws, &request, answered, line);
}

/* ---- the whole ---- */

static int driver_run(struct driver *driver, int together)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t cap = 0;
    ssize_t len = 0;
    struct doc *in;

    while (len >= 0 || driver->running) {
        if (len >= 0 && driver->running < together) {
            len = getline(&text, &cap, stdin);
            if (len < 0)
                continue;
            in = json_parse_loose((struct view){text, (size_t)len}, &err);
            if (!in) {
                fprintf(stderr, "%s\n", err.message);
                free(text);
                return 1;
            }
            line_start(driver, in);
        } else {
            world_turn(driver->world);
        }
    }
    free(text);
    return 0;
}

int main(int argc, char **argv)
{
    struct driver driver = {.world = world_real_new()};
    struct world_ops ops = *driver.world->ops;
    struct aws_config_options options = {.env = environment, .home = getenv("HOME")};
    struct err err = ERR_INIT;
    int together = 1, result;

    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--now") == 0)
            fixed_now = strtoll(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--together") == 0)
            together = atoi(argv[i + 1]);
    if (fixed_now)
        ops.now_ms = now_fixed;
    driver.world->ops = &ops;
    driver.config = aws_config_load(driver.world, &options, &err);
    if (!driver.config) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    driver.http = http_new(driver.world, NULL);
    http_set_gate(driver.http, open_gate());
    http_set_budget(driver.http, 1 << 30, 0);
    driver.aws = aws_new(driver.world, driver.http, NULL, driver.config, aws_table_builtin());
    result = driver_run(&driver, together);
    aws_free(driver.aws);
    http_free(driver.http);
    aws_config_free(driver.config);
    world_free(driver.world);
    return result;
}
