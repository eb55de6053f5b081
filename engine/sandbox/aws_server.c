/* The simulated AWS as one of the sandbox's servers: hosts, life, log, and the way of a request. */
#include "sandbox/aws_cloud.h"
#include "sandbox/core.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static struct cloud *cloud_of(struct sim_server *server)
{
    return (struct cloud *)(void *)server;
}

static char *text_of(const char *format, va_list args)
{
    struct buf text;

    buf_init(&text, 64 << 10);
    buf_vaddf(&text, format, args);
    return buf_take(&text);
}

/* The first refusal stays. */
int call_refuse(struct cloud_call *call, int status, const char *code, const char *format, ...)
{
    struct aws_shape shape = aws_operation_error_find(call->operation, view_of(code));
    va_list args;

    if (call->refused)
        return -1;
    if (status == 0)
        status = aws_shape_error_status(shape);
    call->refused = status ? status : 400;
    call->code = mem_text(code);
    va_start(args, format);
    call->message = text_of(format, args);
    va_end(args);
    return -1;
}

int call_loud(struct cloud_call *call, const char *format, ...)
{
    char *text;
    va_list args;

    if (call->loud.kind != ERR_NONE)
        return -1;
    va_start(args, format);
    text = text_of(format, args);
    va_end(args);
    err_set(&call->loud, ERR_USAGE, "%s", text);
    free(text);
    return -1;
}

enum aws_protocol call_protocol(const struct cloud_call *call)
{
    return aws_service_protocol(call->service);
}

bool call_is(const struct cloud_call *call, const char *service)
{
    return strcmp(aws_service_name(call->service), service) == 0;
}

int call_init(struct cloud_call *call, struct cloud *cloud, const struct sim_request *http)
{
    char *purpose = mem_printf("aws/request/%" PRId64 "/%" PRIu64, sim_now_ms(cloud->sim), cloud->answered++);

    *call = (struct cloud_call){.cloud = cloud, .http = http, .loud = ERR_INIT};
    sim_uuid(cloud->sim, purpose, call->request_id);
    free(purpose);
    return route_find(call);
}

void call_clear(struct cloud_call *call)
{
    caller_clear(&call->caller);
    doc_unref(call->query);
    doc_unref(call->form);
    doc_unref(call->labels);
    doc_unref(call->input);
    doc_unref(call->more);
    free(call->path);
    free(call->code);
    free(call->message);
}

static void call_end(struct cloud_call *call, struct doc *output, struct sim_reply *reply)
{
    if (call->loud.kind != ERR_NONE)
        sim_reply_fail(reply, &call->loud);
    else if (call->refused)
        answer_refusal(call, reply);
    else
        answer_output(call, output, reply);
    doc_unref(output);
}

/* Nobody could say whether AWS had refused first, so what is not modelled is loud whoever asks. */
static int modelled(struct cloud_call *call)
{
    const char *service = aws_service_name(call->service), *operation = aws_operation_name(call->operation);

    if (cloud_lua_has(call->cloud, service, operation))
        return 0;
    return call_loud(call,
                     "the simulated AWS has no %s %s; tests/sandbox.lua may script it: sandbox.http(\"%.*s://%.*s\", "
                     "function(request) ... end)",
                     service, operation, (int)call->http->scheme.len, call->http->scheme.ptr, (int)call->http->host.len,
                     call->http->host.ptr);
}

static void server_handle(struct sim_server *server, const struct sim_request *http, struct sim_reply *reply)
{
    struct cloud_call call;
    struct doc *output = NULL;

    if (call_init(&call, cloud_of(server), http) == 0 && modelled(&call) == 0 && signature_check(&call) == 0 &&
        read_input(&call) == 0 && check_input(&call) == 0)
        output = cloud_lua_act(&call);
    call_end(&call, output, reply);
    call_clear(&call);
}

/* A fault knows no operation by name: what it answers is the service's way of saying no. */
static void server_refuse(struct sim_server *server, const struct sim_request *http, struct sim_reply *reply,
                          const char *kind)
{
    struct cloud_call call;

    if (call_init(&call, cloud_of(server), http) == 0)
        fault_refuse(&call, kind);
    call_end(&call, NULL, reply);
    call_clear(&call);
}

/* What tests/sandbox.lua scripts comes first. */
static bool server_serves(struct sim_server *server, const struct sim_request *http)
{
    struct sim_server *script = sim_server_named(cloud_of(server)->sim, "script");

    return route_serves(http) && !(script && script->serves(script, http));
}

static void server_replay(struct sim_server *server, const struct doc *effect)
{
    things_replay(cloud_of(server), effect);
}

static void server_snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    things_snapshot(cloud_of(server), put, ctx);
}

static void server_show(struct sim_server *server, bool raw, struct buf *out)
{
    things_show(cloud_of(server), raw, out);
}

static bool server_fault(struct sim_server *server, const struct sim_request *http, const char *kind)
{
    struct cloud_call call;
    bool struck = call_init(&call, cloud_of(server), http) == 0 && modelled(&call) == 0 && read_input(&call) == 0 &&
                  fault_aim(&call, kind);

    call_clear(&call);
    return struck;
}

static void server_free(struct sim_server *server)
{
    struct cloud *cloud = cloud_of(server);

    fault_lags_free(cloud);
    things_free(cloud);
    host_lua_free(cloud->lua);
    free(cloud);
}

struct sim_server *sim_aws_new(struct sim *sim)
{
    struct cloud *cloud = mem_alloc(sizeof(*cloud));

    cloud->server = (struct sim_server){.name = "aws",
                                        .serves = server_serves,
                                        .handle = server_handle,
                                        .replay = server_replay,
                                        .snapshot = server_snapshot,
                                        .show = server_show,
                                        .fault = server_fault,
                                        .refuse = server_refuse,
                                        .free = server_free};
    cloud->sim = sim;
    list_init(&cloud->lags);
    return &cloud->server;
}

void sim_aws_cluster(struct sim_server *aws, const char *region, const char *name)
{
    struct doc *cluster = doc_object();

    doc_set_text(cluster, "region", region);
    doc_set_text(cluster, "name", name);
    cloud_lua_do(cloud_of(aws), "add_cluster", cluster);
}
