/*
 * Canonical quantities: no precision lost, no fractional digits, the largest suffix that fits. Numbers
 * are kept as mantissa * 10^exponent (decimal suffixes) or mantissa * 1024^exponent.
 */
#include "sandbox/kube_quantity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct quantity {
    __int128 mantissa;
    int exponent; /* of ten; for binary of 1024, with ten_digits fraction digits */
    bool binary, exponential, negative;
    int fraction;
};

static const char *const decimal_suffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
static const char *const binary_suffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

static bool suffix_parse(struct quantity *q, const char *suffix)
{
    for (int i = 0; i < 10; i++)
        if (strcmp(suffix, decimal_suffixes[i]) == 0) {
            q->exponent = (i - 3) * 3;
            return true;
        }
    for (int i = 1; i < 7; i++)
        if (strcmp(suffix, binary_suffixes[i]) == 0) {
            q->binary = true;
            q->exponent = i;
            return true;
        }
    if (*suffix == 'e' || *suffix == 'E') {
        char *end;
        long value = strtol(suffix + 1, &end, 10);

        q->exponential = true;
        q->exponent = (int)value;
        return end != suffix + 1 && *end == '\0' && value >= -18 && value <= 18;
    }
    return false;
}

static bool quantity_parse(struct quantity *q, const char *text)
{
    bool digits = false, point = false;

    *q = (struct quantity){0};
    q->negative = *text == '-';
    if (*text == '-' || *text == '+')
        text++;
    for (int count = 0; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        if (++count > 24)
            return false;
        digits = true;
        q->mantissa = q->mantissa * 10 + (*text - '0');
        q->fraction += point;
    }
    return digits && suffix_parse(q, text);
}

static void number_add(struct buf *out, __int128 value)
{
    char digits[48];
    int at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value);
    buf_add(out, digits + at, sizeof(digits) - (size_t)at);
}

static __int128 power(__int128 base, int exponent)
{
    __int128 out = 1;

    while (exponent-- > 0)
        out *= base;
    return out;
}

/* Binary forms that are whole stay binary; others become decimal ("0.5Ki" is 512). */
static void binary_add(struct buf *out, struct quantity *q)
{
    int exponent = q->exponent;

    while (exponent < 6 && q->mantissa && q->mantissa % 1024 == 0) {
        q->mantissa /= 1024;
        exponent++;
    }
    if (q->negative && q->mantissa)
        buf_add_char(out, '-');
    number_add(out, q->mantissa);
    buf_add_text(out, q->mantissa ? binary_suffixes[exponent] : "");
}

bool quantity_canonical(struct buf *out, const char *text)
{
    struct quantity q;

    if (!quantity_parse(&q, text))
        return false;
    if (q.binary) {
        __int128 bytes = q.mantissa * power(1024, q.exponent), scale = power(10, q.fraction);

        if (bytes % scale == 0 || q.fraction == 0) {
            bytes /= scale;
            q.mantissa = bytes;
            q.exponent = 0;
            if (bytes >= 1024 || bytes == 0) {
                binary_add(out, &q);
                return true;
            }
        } else {
            q.mantissa = bytes;
        }
        q.exponent = q.fraction && bytes == q.mantissa && q.exponent ? -q.fraction : 0;
    } else {
        q.exponent -= q.fraction;
    }
    while (q.exponent < -9) { /* rounded up at nano */
        q.mantissa = (q.mantissa + 9) / 10;
        q.exponent++;
    }
    while (q.mantissa && q.mantissa % 10 == 0 && q.exponent < 18) {
        q.mantissa /= 10;
        q.exponent++;
    }
    if (q.mantissa == 0)
        q.exponent = 0;
    while (q.exponent % 3 != 0 || q.exponent > 18) {
        q.mantissa *= 10;
        q.exponent--;
    }
    if (q.negative && q.mantissa)
        buf_add_char(out, '-');
    number_add(out, q.mantissa);
    if (q.exponential && q.exponent)
        buf_addf(out, "e%d", q.exponent);
    else
        buf_add_text(out, decimal_suffixes[q.exponent / 3 + 3]);
    return true;
}

int64_t quantity_milli(const char *text)
{
    struct quantity q;

    if (!quantity_parse(&q, text))
        return INT64_MAX;
    __int128 value = q.mantissa * 1000;
    if (q.binary)
        value *= power(1024, q.exponent);
    else if (q.exponent > 0)
        value *= power(10, q.exponent);
    value /= power(10, q.fraction + (!q.binary && q.exponent < 0 ? -q.exponent : 0));
    if (value > INT64_MAX)
        return INT64_MAX;
    return (int64_t)(q.negative ? -value : value);
}
