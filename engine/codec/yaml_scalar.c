/*
 * What an unquoted scalar means. The number forms are those that Kubernetes' tools accept (Go's
 * integer literals, underscores anywhere, decimal reals); yes, no, on and off stay strings.
 */
#include "codec/yaml_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(struct view text, const char *const words[])
{
    for (; *words; words++) {
        if (view_is(text, *words))
            return true;
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static unsigned digit_of(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 99;
}

enum number { NOT_A_NUMBER, TOO_BIG, NUMBER };

/* 12, 0x1f, 0o17, 017, 0b1, with a sign or without. */
static enum number parse_int(const char *text, int64_t *value)
{
    bool negative = *text == '-', over = false;
    uint64_t size = 0, base = 10;

    if (*text == '-' || *text == '+')
        text++;
    if (*text == '0' && text[1]) {
        char mark = (char)(text[1] | 0x20);

        base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
        text += mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1;
    }
    if (!*text)
        return NOT_A_NUMBER;
    for (; *text; text++) {
        unsigned digit = digit_of(*text);

        if (digit >= base)
            return NOT_A_NUMBER;
        over = __builtin_mul_overflow(size, base, &size) || __builtin_add_overflow(size, digit, &size) || over;
    }
    if (over || size > (uint64_t)INT64_MAX + negative)
        return TOO_BIG;
    *value = negative ? (int64_t)(0 - size) : (int64_t)size;
    return NUMBER;
}

/* Digits with at most one point, at least one digit, then perhaps an exponent. */
static bool is_decimal(const char *text)
{
    size_t digits = 0;

    if (*text == '-' || *text == '+')
        text++;
    for (; is_digit(*text); text++)
        digits++;
    if (*text == '.') {
        for (text++; is_digit(*text); text++)
            digits++;
    }
    if (!digits)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '-' || *text == '+')
            text++;
        if (!is_digit(*text))
            return false;
        while (is_digit(*text))
            text++;
    }
    return !*text;
}

/* NULL: not a number, or (with *problem set) one that has no place in a document. */
static struct doc *number(const char *text, const char **problem)
{
    int64_t value = 0;
    double real;

    switch (parse_int(text, &value)) {
    case NUMBER:
        return doc_int(value);
    case TOO_BIG:
        *problem = "the number does not fit in 64 bits; if it is a text, put it in quotes";
        return NULL;
    case NOT_A_NUMBER:
        break;
    }
    if (!is_decimal(text))
        return NULL;
    real = strtod(text, NULL);
    if (isinf(real)) /* 12e3456 is somebody's commit hash */
        return NULL;
    if (!strpbrk(text, ".eE") && fabs(real) < 0x1p53) /* 08 is not octal, and so it is 8 */
        return doc_int((int64_t)real);
    return doc_real(real);
}

struct doc *yaml_scalar(struct view text, const char **problem)
{
    static const char *const null[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const yes[] = {"true", "True", "TRUE", NULL};
    static const char *const no[] = {"false", "False", "FALSE", NULL};
    static const char *const infinite[] = {".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF", "+.inf",
                                           "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", NULL};
    struct doc *doc = NULL;
    struct buf plain;

    *problem = NULL;
    if (is_one_of(text, null))
        return doc_null();
    if (is_one_of(text, yes) || is_one_of(text, no))
        return doc_bool(text.ptr[0] == 't' || text.ptr[0] == 'T');
    if (is_one_of(text, infinite)) {
        *problem = "a document cannot hold an infinity or NaN; if it is a text, put it in quotes";
        return NULL;
    }
    if (is_digit(text.ptr[0]) || strchr("+-.", text.ptr[0])) {
        buf_init(&plain, SIZE_MAX);
        for (size_t i = 0; i < text.len; i++) {
            if (text.ptr[i] != '_' || text.ptr[0] == '.')
                buf_add_char(&plain, text.ptr[i]);
        }
        doc = number(buf_text(&plain), problem);
        buf_free(&plain);
    }
    return doc || *problem ? doc : doc_string(text);
}
