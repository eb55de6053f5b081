/*
 * Bodies that come in frames with their checksum behind (aws-chunked). Source: Amazon S3 API Reference, "Signature
 * calculations for trailing headers".
 */
#include "sandbox/aws_cloud.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The line at *at without its CRLF; false: none is left. */
static bool line_take(struct view body, size_t *at, struct view *line)
{
    const char *end = *at < body.len ? memmem(body.ptr + *at, body.len - *at, "\r\n", 2) : NULL;

    if (!end)
        return false;
    *line = (struct view){body.ptr + *at, (size_t)(end - body.ptr) - *at};
    *at += line->len + 2;
    return true;
}

static bool size_parse(struct view line, uint64_t *size)
{
    *size = 0;
    for (size_t i = 0; i < line.len; i++) {
        const char *digit = strchr("0123456789abcdef", line.ptr[i] | 0x20);

        if (!line.ptr[i] || !digit || i > 8)
            return false;
        *size = *size * 16 + (uint64_t)(digit - "0123456789abcdef");
    }
    return line.len > 0;
}

/* Its value joins the input, as if it had come as a header. */
static bool trailer_take(struct cloud_call *call, struct view line, struct doc *input)
{
    struct aws_shape shape = aws_operation_input(call->operation);
    const char *said = sim_header(call->http, "x-amz-trailer");
    const char *colon = memchr(line.ptr, ':', line.len);
    size_t len = colon ? (size_t)(colon - line.ptr) : 0;

    if (!said || strlen(said) != len || strncasecmp(said, line.ptr, len) != 0)
        return false;
    for (size_t i = 0; i < aws_shape_members(shape); i++) {
        struct aws_member member = aws_shape_member(shape, i);

        if (aws_member_location(member) == AWS_IN_HEADER && strcasecmp(member_wire(member), said) == 0)
            doc_set(input, aws_member_name(member), doc_string((struct view){colon + 1, line.len - len - 1}));
    }
    return true;
}

static bool frames_take(struct cloud_call *call, struct buf *content, struct doc *input)
{
    struct view body = call->http->body, line;
    size_t at = 0;
    uint64_t size;

    while (line_take(body, &at, &line) && size_parse(line, &size)) {
        if (size == 0)
            return line_take(body, &at, &line) && trailer_take(call, line, input) && line_take(body, &at, &line) &&
                   line.len == 0 && at == body.len;
        if (size > body.len - at)
            return false;
        buf_add(content, body.ptr + at, (size_t)size);
        at += (size_t)size;
        if (!line_take(body, &at, &line) || line.len)
            return false;
    }
    return false;
}

bool frames_come(const struct cloud_call *call)
{
    const char *hash = sim_header(call->http, "x-amz-content-sha256");

    return hash && strcmp(hash, "STREAMING-UNSIGNED-PAYLOAD-TRAILER") == 0;
}

int frames_read(struct cloud_call *call, struct buf *content, struct doc *input)
{
    const char *length = sim_header(call->http, "x-amz-decoded-content-length");

    if (!length)
        return call_refuse(call, 411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
    if (!frames_take(call, content, input))
        return call_refuse(call, 400, "MalformedTrailerError",
                           "The request contained trailing data that was not well-formed or did not conform to our "
                           "published schema.");
    if (strtoull(length, NULL, 10) != content->len)
        return call_refuse(call, 400, "IncompleteBody",
                           "You did not provide the number of bytes specified by the Content-Length HTTP header");
    return 0;
}
