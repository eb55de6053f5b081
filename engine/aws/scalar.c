/* Scalars as text, in a URI, a header, a form or an element, and back. */
#include "aws/protocol_inside.h"
#include "base/digest.h"
#include "codec/json.h"
#include "codec/utf8.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_MAX = 64 };

void aws_blob_add(struct buf *out, const struct doc *value)
{
    base64_add(out, doc_as_view(value));
}

static enum aws_time time_format(struct aws_member member, enum aws_time fallback)
{
    enum aws_time format = aws_member_time(member);

    return format == AWS_TIME_DEFAULT ? fallback : format;
}

void aws_scalar_add(struct buf *out, struct aws_member member, struct aws_shape shape, const struct doc *value,
                    enum aws_time time)
{
    int64_t us;

    if (aws_shape_type(shape) == AWS_BLOB)
        aws_blob_add(out, value);
    else if (aws_shape_type(shape) == AWS_TIMESTAMP && aws_time_of_doc(value, &us))
        aws_time_add_us(out, us, time_format(member, time));
    else if (doc_is(value, DOC_STRING))
        buf_add_view(out, doc_as_view(value));
    else if (doc_is(value, DOC_REAL) &&
             (aws_shape_type(shape) == AWS_INTEGER || aws_shape_type(shape) == AWS_LONG)) /* whole: 3600.0 */
        buf_addf(out, "%lld", (long long)doc_as_int(value, 0));
    else
        json_add(out, value, JSON_ASCII);
}

/* A copy without the blanks around it, for the C library; false when that is no number's length. */
static bool number_text(struct view text, char copy[NUMBER_MAX])
{
    while (text.len && strchr(" \t\r\n", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    if (!text.len || text.len >= NUMBER_MAX || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return true;
}

static struct doc *integer_parse(struct view text)
{
    char copy[NUMBER_MAX], *end;
    long long value;

    if (!number_text(text, copy))
        return NULL;
    errno = 0;
    value = strtoll(copy, &end, 10);
    return *end || errno ? NULL : doc_int(value);
}

static struct doc *real_parse(struct view text)
{
    char copy[NUMBER_MAX], *end;
    double value;

    if (!number_text(text, copy) || strpbrk(copy, "xX("))
        return NULL;
    value = strtod(copy, &end);
    if (*end)
        return NULL;
    if (isfinite(value))
        return doc_real(value);
    return doc_text(isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

struct doc *aws_blob_parse(struct view text)
{
    struct err ignored = ERR_INIT;
    struct doc *doc = NULL;
    struct buf bytes;

    buf_init(&bytes, SIZE_MAX);
    if (base64_parse(&bytes, text, &ignored) == 0)
        doc = doc_bytes(buf_view(&bytes));
    buf_free(&bytes);
    return doc;
}

struct doc *aws_scalar_parse(struct aws_shape shape, struct view text)
{
    int64_t us;

    switch (aws_shape_type(shape)) {
    case AWS_STRING:
        return doc_string(text);
    case AWS_BLOB:
        return aws_blob_parse(text);
    case AWS_BOOLEAN:
        return doc_bool(text.len == 4 && strncasecmp(text.ptr, "true", 4) == 0);
    case AWS_INTEGER:
    case AWS_LONG:
        return integer_parse(text);
    case AWS_FLOAT:
    case AWS_DOUBLE:
        return real_parse(text);
    case AWS_TIMESTAMP:
        return aws_time_parse_us(text, &us) ? aws_time_doc(us) : NULL;
    default:
        return NULL;
    }
}
