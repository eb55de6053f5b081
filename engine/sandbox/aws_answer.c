/*
 * Answers and errors in the envelope of each protocol (smithy.io, each protocol's "Response serialization" and
 * "Operation error serialization"; S3's "Error responses").
 */
#include "sandbox/aws_cloud.h"
#include "sandbox/core.h"
#include "base/digest.h"
#include "codec/json.h"
#include "codec/xml.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADERS_MAX = 64 };

/* An answer being made; names and values are its own. */
struct answer {
    int status;
    struct header headers[HEADERS_MAX];
    size_t headers_len;
    struct buf body;
};

static void header_add(struct answer *answer, const char *name, const char *value)
{
    if (answer->headers_len < HEADERS_MAX)
        answer->headers[answer->headers_len++] = (struct header){mem_text(name), mem_text(value)};
}

static const char *content_type(const struct cloud_call *call)
{
    static char json[32];

    switch (call_protocol(call)) {
    case AWS_JSON:
        snprintf(json, sizeof(json), "application/x-amz-json-%s", aws_service_json_version(call->service));
        return json;
    case AWS_REST_JSON:
        return "application/json";
    case AWS_REST_XML:
        return "application/xml";
    case AWS_QUERY:
    case AWS_EC2:
        break;
    }
    return "text/xml";
}

static void answer_init(struct answer *answer, const struct cloud_call *call, int status)
{
    struct buf date;

    *answer = (struct answer){.status = status ? status : 200};
    buf_init(&answer->body, SIM_BODY_MAX);
    buf_init(&date, 64);
    value_time_add(&date, AWS_TIME_RFC822, floor((double)sim_now_ms(call->cloud->sim) / 1000));
    header_add(answer, call_is(call, "s3") ? "x-amz-request-id" : "x-amzn-RequestId", call->request_id);
    header_add(answer, "Date", buf_text(&date));
    buf_free(&date);
}

static bool headed(const struct answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->headers_len; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return true;
    return false;
}

static void answer_send(struct answer *answer, const struct cloud_call *call, struct sim_reply *reply)
{
    char length[24];

    if (strcmp(call->http->method, "HEAD") == 0)
        buf_reset(&answer->body);
    if (answer->body.len && !headed(answer, "Content-Type"))
        header_add(answer, "Content-Type", content_type(call));
    if (!headed(answer, "Content-Length")) {
        snprintf(length, sizeof(length), "%zu", answer->body.len);
        header_add(answer, "Content-Length", length);
    }
    sim_reply_head(reply, answer->status, answer->headers, answer->headers_len);
    sim_reply_body(reply, buf_view(&answer->body));
    sim_reply_end(reply);
}

static void answer_clear(struct answer *answer)
{
    for (size_t i = 0; i < answer->headers_len; i++) {
        free((char *)(uintptr_t)answer->headers[i].name);
        free((char *)(uintptr_t)answer->headers[i].value);
    }
    buf_free(&answer->body);
}

/* ---- outputs ---- */

/* <GetRoleResponse xmlns="..."><GetRoleResult>...</GetRoleResult><ResponseMetadata>... */
static int output_query(struct cloud_call *call, struct answer *answer, const struct doc *output)
{
    const char *name = aws_operation_name(call->operation), *wrapper = aws_operation_result_wrapper(call->operation);
    bool ec2 = call_protocol(call) == AWS_EC2;

    buf_addf(&answer->body, "<%sResponse xmlns=\"%s%s\">", name, aws_service_namespace(call->service), ec2 ? "/" : "");
    if (ec2)
        buf_addf(&answer->body, "<requestId>%s</requestId>", call->request_id);
    else if (*wrapper)
        buf_addf(&answer->body, "<%s>", wrapper);
    if (write_xml(call, &answer->body, aws_operation_output(call->operation), output))
        return -1;
    if (!ec2 && *wrapper)
        buf_addf(&answer->body, "</%s>", wrapper);
    if (!ec2)
        buf_addf(&answer->body, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>", call->request_id);
    buf_addf(&answer->body, "</%sResponse>", name);
    return 0;
}

static int output_json(struct cloud_call *call, struct answer *answer, struct aws_shape shape, const struct doc *output)
{
    struct doc *body;

    if (write_json(call, shape, AWS_TIME_UNIX, output, &body))
        return -1;
    json_add(&answer->body, body ? body : output, JSON_COMPACT);
    doc_unref(body);
    return 0;
}

static void header_bound(struct answer *answer, struct aws_member member, const struct doc *value)
{
    enum aws_time time = aws_member_time(member);
    struct buf text;

    buf_init(&text, SIM_BODY_MAX);
    cloud_value_add(&text, aws_member_shape(member), time == AWS_TIME_DEFAULT ? AWS_TIME_RFC822 : time, value);
    header_add(answer, member_wire(member), buf_text(&text));
    buf_free(&text);
}

/* Headers and status; true: something is left for the body. */
static bool output_bound(const struct cloud_call *call, struct answer *answer, const struct doc *output)
{
    struct aws_shape shape = aws_operation_output(call->operation);
    bool body = false;

    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);
        const struct doc *value = doc_get(output, aws_member_name(member));

        body = body || aws_member_location(member) == AWS_IN_BODY;
        if (!value)
            continue;
        if (aws_member_location(member) == AWS_IN_STATUS)
            answer->status = (int)doc_as_int(value, 200);
        else if (aws_member_location(member) == AWS_IN_HEADER)
            header_bound(answer, member, value);
        else if (aws_member_location(member) == AWS_IN_HEADERS)
            DOC_EACH(header, value)
            {
                char *name = mem_printf("%s%s", aws_member_wire(member), header.key);

                header_add(answer, name, doc_as_text(header.value, ""));
                free(name);
            }
    }
    return body;
}

/* S3's roots are "<what is listed>Result"; readers go by the members. */
static int output_xml(struct cloud_call *call, struct answer *answer, struct aws_shape shape, const char *root,
                      const struct doc *output)
{
    const char *namespace =
        call_is(call, "s3") ? "http://s3.amazonaws.com/doc/2006-03-01/" : aws_service_namespace(call->service);

    buf_addf(&answer->body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"%s\">", root, namespace);
    if (write_xml(call, &answer->body, shape, output))
        return -1;
    buf_addf(&answer->body, "</%s>", root);
    return 0;
}

static int output_rest(struct cloud_call *call, struct answer *answer, const struct doc *output)
{
    struct aws_shape shape = aws_operation_output(call->operation);
    struct aws_member payload = aws_shape_payload(shape);
    const struct doc *value = payload.table ? doc_get(output, aws_member_name(payload)) : output;
    enum aws_type type = aws_shape_type(aws_member_shape(payload));
    bool body = output_bound(call, answer, output);
    char *root;
    int result;

    if (!body || !value)
        return 0;
    if (payload.table && type == AWS_BLOB)
        return base64_parse(&answer->body, doc_as_view(value), &call->loud);
    if (payload.table && type == AWS_STRING) {
        buf_add_view(&answer->body, doc_as_view(value));
        return 0;
    }
    if (payload.table)
        shape = aws_member_shape(payload);
    if (call_protocol(call) == AWS_REST_JSON)
        return output_json(call, answer, shape, value);
    root = payload.table ? mem_text(member_wire(payload)) : mem_printf("%sResult", aws_operation_name(call->operation));
    result = output_xml(call, answer, shape, root, value);
    free(root);
    return result;
}

void answer_output(struct cloud_call *call, const struct doc *output, struct sim_reply *reply)
{
    struct answer answer;
    int result = 0;

    answer_init(&answer, call, aws_operation_status(call->operation));
    switch (call_protocol(call)) {
    case AWS_QUERY:
    case AWS_EC2:
        result = output_query(call, &answer, output);
        break;
    case AWS_JSON:
        result = output_json(call, &answer, aws_operation_output(call->operation), output);
        break;
    case AWS_REST_JSON:
    case AWS_REST_XML:
        result = output_rest(call, &answer, output);
        break;
    }
    if (result)
        sim_reply_fail(reply, &call->loud);
    else
        answer_send(&answer, call, reply);
    answer_clear(&answer);
}

/* ---- errors ---- */

static void xml_text(struct buf *out, const char *name, const char *text)
{
    buf_addf(out, "<%s>", name);
    xml_add_text(out, view_of(text));
    buf_addf(out, "</%s>", name);
}

static void refusal_xml(const struct cloud_call *call, struct buf *out)
{
    switch (call_protocol(call)) {
    case AWS_EC2:
        buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>");
        xml_text(out, "Code", call->code);
        xml_text(out, "Message", call->message);
        buf_addf(out, "</Error></Errors><RequestID>%s</RequestID></Response>", call->request_id);
        break;
    case AWS_REST_XML:
        buf_add_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
        xml_text(out, "Code", call->code);
        xml_text(out, "Message", call->message);
        DOC_EACH(member, call->more)
        xml_text(out, member.key, doc_as_text(member.value, ""));
        buf_addf(out, "<RequestId>%s</RequestId></Error>", call->request_id);
        break;
    default:
        buf_addf(out, "<ErrorResponse xmlns=\"%s\"><Error><Type>%s</Type>", aws_service_namespace(call->service),
                 call->refused < 500 ? "Sender" : "Receiver");
        xml_text(out, "Code", call->code);
        xml_text(out, "Message", call->message);
        buf_addf(out, "</Error><RequestId>%s</RequestId></ErrorResponse>", call->request_id);
        break;
    }
}

static void refusal_json(const struct cloud_call *call, struct answer *answer)
{
    struct doc *body = doc_object();

    if (call_protocol(call) == AWS_JSON)
        doc_set_text(body, "__type", call->code);
    else
        header_add(answer, "x-amzn-ErrorType", call->code);
    doc_set_text(body, "message", call->message);
    DOC_EACH(member, call->more)
    doc_set(body, member.key, doc_ref(member.value));
    json_add(&answer->body, body, JSON_COMPACT);
    doc_unref(body);
}

void answer_refusal(struct cloud_call *call, struct sim_reply *reply)
{
    struct answer answer;

    answer_init(&answer, call, call->refused);
    if (call->retry_after)
        header_add(&answer, "Retry-After", "1");
    if (call_is(call, "s3") && doc_get(call->more, "Region"))
        header_add(&answer, "x-amz-bucket-region", doc_as_text(doc_get(call->more, "Region"), ""));
    if (call_protocol(call) == AWS_JSON || call_protocol(call) == AWS_REST_JSON)
        refusal_json(call, &answer);
    else
        refusal_xml(call, &answer.body);
    answer_send(&answer, call, reply);
    answer_clear(&answer);
}
