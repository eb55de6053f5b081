/* Scalars of AWS's protocols as text: times in their three forms, numbers, blobs (smithy.io, "timestampFormat trait").
 */
#include "sandbox/aws_cloud.h"
#include "base/digest.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static double seconds_of(struct tm *tm)
{
    tm->tm_year -= 1900;
    return (double)timegm(tm);
}

/* 2030-01-01T00:00:00.5Z and 20300101T000000Z. False: something else. */
static bool iso_parse(const char *text, double *seconds)
{
    struct tm tm = {0};
    double fraction = 0;
    int used = 0;

    if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &used) != 6 &&
        sscanf(text, "%4d%2d%2dT%2d%2d%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
               &used) != 6)
        return false;
    if (text[used] == '.')
        fraction = strtod(text + used, NULL);
    tm.tm_mon -= 1;
    *seconds = seconds_of(&tm) + fraction;
    return true;
}

/* Tue, 01 Jan 2030 00:00:00 GMT */
static bool rfc_parse(const char *text, double *seconds)
{
    struct tm tm = {0};
    char month[4];
    const char *found;

    if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec) != 6)
        return false;
    found = strstr(months, month);
    if (!found || strlen(month) != 3)
        return false;
    tm.tm_mon = (int)(found - months) / 3;
    *seconds = seconds_of(&tm);
    return true;
}

bool value_time_parse(struct view view, double *seconds)
{
    char *text = mem_view(view), *end;
    bool is = iso_parse(text, seconds) || rfc_parse(text, seconds);

    if (!is && *text) {
        *seconds = strtod(text, &end);
        is = *end == '\0' && isfinite(*seconds);
    }
    free(text);
    return is;
}

static void number_add(struct buf *out, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        buf_addf(out, "%.0f", value);
    else
        buf_addf(out, "%.17g", value);
}

void value_time_add(struct buf *out, enum aws_time format, double seconds)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    time_t whole = (time_t)floor(seconds);
    struct tm tm;

    gmtime_r(&whole, &tm);
    if (format == AWS_TIME_UNIX)
        number_add(out, seconds);
    else if (format == AWS_TIME_RFC822)
        buf_addf(out, "%.3s, %02d %.3s %d %02d:%02d:%02d GMT", days + (ptrdiff_t)3 * tm.tm_wday, tm.tm_mday,
                 months + (ptrdiff_t)3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    else
        buf_addf(out, "%d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                 tm.tm_min, tm.tm_sec);
}

void cloud_value_add(struct buf *out, struct aws_shape shape, enum aws_time time, const struct doc *value)
{
    switch (aws_shape_type(shape)) {
    case AWS_TIMESTAMP:
        value_time_add(out, time, doc_as_real(value, 0));
        break;
    case AWS_BOOLEAN:
        buf_add_text(out, doc_as_bool(value, false) ? "true" : "false");
        break;
    case AWS_INTEGER:
    case AWS_LONG:
        buf_addf(out, "%" PRId64, doc_as_int(value, 0));
        break;
    case AWS_FLOAT:
    case AWS_DOUBLE:
        number_add(out, doc_as_real(value, 0));
        break;
    default:
        buf_add_view(out, doc_as_view(value));
        break;
    }
}

/* ---- reading ---- */

static struct doc *integer_parse(const char *text)
{
    char *end;
    long long value;

    errno = 0;
    value = strtoll(text, &end, 10);
    return *text && *end == '\0' && errno == 0 ? doc_int(value) : NULL;
}

static struct doc *real_parse(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    return *text && *end == '\0' ? doc_real(value) : NULL;
}

/* It stays as it is on the wire: Lua's tables and the state file hold no bytes. */
static struct doc *blob_parse(struct view text)
{
    struct doc *blob = NULL;
    struct err err = ERR_INIT;
    struct buf bytes;

    buf_init(&bytes, 64 << 20);
    if (base64_parse(&bytes, text, &err) == 0)
        blob = doc_string(text);
    buf_free(&bytes);
    return blob;
}

/* Seconds: an integer when they are whole. */
static struct doc *time_doc(struct view text)
{
    double seconds;

    if (!value_time_parse(text, &seconds))
        return NULL;
    return seconds == floor(seconds) ? doc_int((int64_t)seconds) : doc_real(seconds);
}

static struct doc *scalar_parse(enum aws_type type, struct view view)
{
    char *text = mem_view(view);
    struct doc *value = NULL;

    switch (type) {
    case AWS_INTEGER:
    case AWS_LONG:
        value = integer_parse(text);
        break;
    case AWS_FLOAT:
    case AWS_DOUBLE:
        value = real_parse(text);
        break;
    case AWS_BOOLEAN:
        if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
            value = doc_bool(*text == 't');
        break;
    case AWS_BLOB:
        value = blob_parse(view);
        break;
    case AWS_TIMESTAMP:
        value = time_doc(view);
        break;
    default:
        value = doc_string(view);
        break;
    }
    free(text);
    return value;
}

struct doc *read_text(struct cloud_call *call, struct aws_shape shape, struct view text)
{
    static const char *const codes[] = {[AWS_QUERY] = "MalformedInput",
                                        [AWS_EC2] = "InvalidParameterValue",
                                        [AWS_JSON] = "SerializationException",
                                        [AWS_REST_JSON] = "SerializationException",
                                        [AWS_REST_XML] = "MalformedXML"};
    struct doc *value = scalar_parse(aws_shape_type(shape), text);

    if (!value)
        call_refuse(call, 400, codes[call_protocol(call)], "\"%.*s\" is not a value of the type that is expected here",
                    text.len > 64 ? 64 : (int)text.len, text.ptr);
    return value;
}
