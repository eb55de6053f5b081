/*
 * Errors of all protocols, by what came and not by what should have: services answer in each other's forms, and what
 * stands between may answer anything.
 */
#include "aws/protocol_inside.h"
#include "codec/json.h"
#include "codec/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* An error's body, read as far as it could be. */
struct body {
    struct xml *xml;
    struct doc *json;
    struct doc *texts; /* {Code, Message, RequestId, and what else it says} */
};

static const char *status_words(int status)
{
    static const struct {
        int status;
        const char *words;
    } table[] = {
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {416, "Range Not Satisfiable"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].status == status)
            return table[i].words;
    return status >= 500 ? "Server Error" : "Refused";
}

/* ---- XML ---- */

static struct doc *element_doc(const struct xml *xml)
{
    struct doc *doc;

    if (!xml->child)
        return doc_string(xml->text);
    doc = doc_object();
    for (const struct xml *child = xml->child; child; child = child->next)
        if (!doc_get(doc, child->name))
            doc_set(doc, child->name, element_doc(child));
    return doc;
}

static void request_id_take(struct doc *texts, const struct xml *xml)
{
    static const char *const names[] = {"RequestId", "RequestID", "requestId"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (xml_child(xml, names[i]))
            doc_set(texts, "RequestId", doc_string(xml_child(xml, names[i])->text));
}

static void xml_read(struct body *body)
{
    const struct xml *error = aws_xml_error(body->xml);

    body->texts = element_doc(error);
    if (!doc_is(body->texts, DOC_OBJECT)) {
        doc_unref(body->texts);
        body->texts = doc_object();
    }
    if (doc_get(body->texts, "message") && !doc_get(body->texts, "Message"))
        doc_set(body->texts, "Message", doc_ref(doc_get(body->texts, "message")));
    request_id_take(body->texts, body->xml);
    request_id_take(body->texts, xml_child(body->xml, "ResponseMetadata"));
}

/* ---- JSON ---- */

/* "com.amazonaws.eks#NotFound:http://..." is NotFound. */
static struct doc *code_doc(const char *text)
{
    size_t len = strcspn(text, ":");
    const char *hash = memrchr(text, '#', len);
    const char *start = hash ? hash + 1 : text;

    return doc_string((struct view){start, len - (size_t)(start - text)});
}

static const char *first_text(const struct doc *json, const char *const *names)
{
    for (; *names; names++)
        if (doc_as_text(doc_get(json, *names), "")[0])
            return doc_as_text(doc_get(json, *names), "");
    return "";
}

/* The query protocol's code, which a service kept when it moved to JSON: "QueueDoesNotExist;Sender". */
static void query_code_take(struct doc *texts, const char *header)
{
    const char *semicolon = header ? strchr(header, ';') : NULL;

    if (!semicolon || semicolon == header || strchr(semicolon + 1, ';'))
        return;
    if (doc_get(texts, "Code"))
        doc_set(texts, "QueryErrorCode", doc_ref(doc_get(texts, "Code")));
    doc_set(texts, "Code", doc_string((struct view){header, (size_t)(semicolon - header)}));
    doc_set_text(texts, "Type", semicolon + 1);
}

static void json_read(struct body *body, const struct aws_answer *answer, bool rest)
{
    static const char *const messages[] = {"message", "Message", "errorMessage", "error_description", NULL};
    static const char *const rpc[] = {"__type", "code", "Code", NULL}, *const codes[] = {"code", "Code", "__type",
                                                                                         NULL};
    const char *header = aws_answer_header(answer, "x-amzn-errortype");
    const char *code = first_text(body->json, rest ? codes : rpc);

    body->texts = doc_object();
    if (header && (rest || !code[0]))
        code = header;
    if (code[0])
        doc_set(body->texts, "Code", code_doc(code));
    if (first_text(body->json, messages)[0])
        doc_set_text(body->texts, "Message", first_text(body->json, messages));
    query_code_take(body->texts, aws_answer_header(answer, "x-amzn-query-error"));
}

/* ---- together ---- */

static char first_of(struct view body)
{
    for (size_t i = 0; i < body.len; i++)
        if (!strchr(" \t\r\n", body.ptr[i]) || !body.ptr[i])
            return body.ptr[i];
    return '\0';
}

static void body_read(struct body *body, struct aws_operation operation, const struct aws_answer *answer)
{
    enum aws_protocol protocol = aws_service_protocol(aws_operation_service(operation));
    char first = first_of(answer->body);
    struct err ignored = ERR_INIT;

    if (first == '<')
        body->xml = xml_parse(answer->body, &ignored);
    else if (first == '{')
        body->json = json_parse_loose(answer->body, &ignored);
    if (body->xml && strcasecmp(body->xml->name, "html") == 0) {
        xml_free(body->xml);
        body->xml = NULL;
    }
    if (body->xml)
        xml_read(body);
    else if (body->json || protocol == AWS_JSON || protocol == AWS_REST_JSON)
        json_read(body, answer, protocol == AWS_REST_JSON);
    else
        body->texts = doc_object();
}

/* One line for people: a service's message may be anything, of any length. */
static void line_add(struct buf *out, struct view text)
{
    struct buf clean;
    bool blank = false;

    if (text.len > out->max)
        text.len = out->max;
    buf_init(&clean, SIZE_MAX);
    utf8_add_clean(&clean, text);
    for (size_t i = 0; i < clean.len; i++) {
        unsigned char c = (unsigned char)clean.ptr[i];

        if (c <= ' ' || c == 0x7f) {
            blank = out->len > 0;
            continue;
        }
        if (blank)
            buf_add_char(out, ' ');
        blank = false;
        buf_add_char(out, (char)c);
    }
    buf_free(&clean);
}

/* Without a word of the service's: what the status says, and what came when that was something else. */
static void words_add(struct buf *out, const struct body *body, const struct aws_answer *answer)
{
    buf_add_text(out, status_words(answer->status));
    if (body->xml || body->json || !answer->body.len)
        return;
    buf_add_text(out, ", and ");
    aws_excerpt_add(out, answer->body);
    buf_add_text(out, " instead of an error of the service");
}

static void err_fill(struct err *err, const struct body *body, const struct aws_answer *answer)
{
    static const char *const ids[] = {"x-amzn-requestid", "x-amz-request-id", "x-amz-requestid"};
    const struct err before = *err;
    const char *code = doc_path_text(body->texts, "Code", NULL), *id = doc_path_text(body->texts, "RequestId", NULL);
    struct view message = doc_as_view(doc_get(body->texts, "Message"));
    char status[16];
    struct buf line;

    snprintf(status, sizeof(status), "%d", answer->status);
    for (size_t i = 0; !id && i < sizeof(ids) / sizeof(ids[0]); i++)
        id = aws_answer_header(answer, ids[i]);
    buf_init(&line, 2 * sizeof(err->message));
    line_add(&line, message);
    if (!line.len)
        words_add(&line, body, answer);
    err_set(err, ERR_SERVER, "%s", buf_text(&line));
    buf_free(&line);
    aws_error_code_set(err, code && code[0] ? code : status);
    err->kind = aws_error_kind(err->code, answer->status, &err->retryable);
    err->status = answer->status;
    err->retry_after_ms = before.retry_after_ms;
    err->maybe_done = before.maybe_done;
    snprintf(err->request_id, sizeof(err->request_id), "%s", id ? id : before.request_id);
}

/* The exception as its model has it; NULL when it does not look like that. */
static struct doc *exception_read(struct aws_operation operation, struct aws_shape shape, const struct body *body,
                                  const struct aws_answer *answer)
{
    enum aws_protocol protocol = aws_service_protocol(aws_operation_service(operation));
    struct err ignored = ERR_INIT;

    if (protocol == AWS_REST_JSON || protocol == AWS_REST_XML)
        return aws_rest_read(operation, shape, answer, &ignored);
    if (body->xml)
        return aws_xml_read(shape, body->xml, NULL, &ignored);
    return body->json ? aws_json_read(shape, body->json, NULL, &ignored) : NULL;
}

void aws_error_read(struct aws_operation operation, const struct aws_answer *answer, struct err *err,
                    struct doc **fields)
{
    struct body body = {0};
    struct aws_shape shape;
    const char *code;

    body_read(&body, operation, answer);
    err_fill(err, &body, answer);
    code = doc_path_text(body.texts, "Code", NULL);
    shape = aws_operation_error_find(operation, view_of(code));
    if (!shape.table && doc_get(body.texts, "QueryErrorCode"))
        shape = aws_operation_error_find(operation, doc_as_view(doc_get(body.texts, "QueryErrorCode")));
    if (aws_shape_flags(shape) & AWS_SHAPE_RETRYABLE)
        err->retryable = true;
    if (aws_shape_flags(shape) & AWS_SHAPE_RETRY_THROTTLING)
        err->kind = ERR_THROTTLED;
    if (fields) {
        *fields = shape.table ? exception_read(operation, shape, &body, answer) : NULL;
        if (!doc_is(*fields, DOC_OBJECT)) {
            doc_unref(*fields);
            *fields = doc_ref(body.texts);
            doc_remove(*fields, "Code");
            doc_remove(*fields, "Message");
            doc_remove(*fields, "RequestId");
        }
    }
    xml_free(body.xml);
    doc_unref(body.json);
    doc_unref(body.texts);
}

/* ---- what surrounds a result ---- */

static void texts_take(struct doc *metadata, const struct xml *xml)
{
    for (const struct xml *child = xml ? xml->child : NULL; child; child = child->next)
        doc_set(metadata, child->name, doc_string(child->text));
}

static void xml_metadata(struct doc *metadata, const struct aws_answer *answer)
{
    struct err ignored = ERR_INIT;
    struct xml *xml = xml_parse(answer->body, &ignored);

    texts_take(metadata, xml_child(xml, "ResponseMetadata"));
    if (xml && strcmp(xml->name, "Error") != 0) /* S3's: its id is the error's */
        request_id_take(metadata, xml);
    xml_free(xml);
}

struct doc *aws_answer_metadata(struct aws_operation operation, const struct aws_answer *answer)
{
    enum aws_protocol protocol = aws_service_protocol(aws_operation_service(operation));
    const char *id = aws_answer_header(answer, "x-amzn-requestid"), *s3 = aws_answer_header(answer, "x-amz-request-id");
    const char *host = aws_answer_header(answer, "x-amz-id-2");
    struct doc *metadata = doc_object(), *headers = doc_object();

    if (protocol == AWS_QUERY || protocol == AWS_EC2 ||
        (protocol == AWS_REST_XML && answer->status >= 300 && !id && !s3))
        xml_metadata(metadata, answer);
    else if (id)
        doc_set_text(metadata, "RequestId", id);
    else if (s3 && protocol != AWS_JSON) {
        doc_set_text(metadata, "RequestId", s3);
        doc_set_text(metadata, "HostId", host ? host : "");
    }
    doc_set_int(metadata, "HTTPStatusCode", answer->status);
    for (size_t i = 0; i < answer->headers_len; i++) {
        char *name = mem_text(answer->headers[i].name);

        for (char *at = name; *at; at++)
            *at = (char)(*at >= 'A' && *at <= 'Z' ? *at + ('a' - 'A') : *at);
        doc_set_text(headers, name, answer->headers[i].value);
        free(name);
    }
    doc_set(metadata, "HTTPHeaders", headers);
    return metadata;
}
