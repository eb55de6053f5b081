#include "codec/json.h"
#include "codec/doc_json.h"
#include "codec/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the text at the start that stands in a JSON string as it is, all ASCII; it may stop early. */
static size_t plain_prefix(struct view text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    size_t at = 0;

    for (; text.len - at >= 8; at += 8) {
        uint64_t eight, quote, slash;

        memcpy(&eight, text.ptr + at, sizeof(eight));
        quote = eight ^ ones * '"';
        slash = eight ^ ones * '\\';
        if (((eight - ones * 0x20) | (quote - ones) | (slash - ones) | eight) & tops)
            break;
    }
    while (at < text.len && (signed char)text.ptr[at] >= 0x20 && text.ptr[at] != '"' && text.ptr[at] != '\\')
        at++;
    return at;
}

/* What jansson lets pass: depth, counted before it recurses, and a NUL after a number at the end. */
static int check_text(struct view text, struct err *err)
{
    size_t depth = 0, line = 1;
    const char *line_start = text.ptr;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        char c;

        if (in_string)
            i += plain_prefix((struct view){text.ptr + i, text.len - i});
        if (i == text.len)
            break;
        c = text.ptr[i];
        if (c == '\0') {
            return err_set(err, ERR_USAGE, "line %zu, column %zu: a NUL character", line,
                           (size_t)(text.ptr + i - line_start) + 1);
        } else if (c == '\n') {
            line++;
            line_start = text.ptr + i + 1;
        } else if (in_string && c == '\\') {
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (in_string) {
            continue;
        } else if ((c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX) {
            return err_set(err, ERR_USAGE, "line %zu, column %zu: deeper than %d levels", line,
                           (size_t)(text.ptr + i - line_start) + 1, (int)JSON_DEPTH_MAX);
        } else if ((c == ']' || c == '}') && depth) {
            depth--;
        }
    }
    return 0;
}

static struct doc *parse(struct view text, size_t flags, struct err *err)
{
    json_error_t error;
    json_t *json;
    char *near;

    if (check_text(text, err) != 0)
        return NULL;
    json = json_loadb(text.ptr ? text.ptr : "", text.len, flags | JSON_DECODE_ANY, &error);
    if (json)
        return (struct doc *)json;
    /* jansson quotes the text, and that may be somebody's secret. */
    near = strstr(error.text, " near '");
    if (near)
        *near = '\0';
    if (error.line > 0)
        err_set(err, ERR_USAGE, "line %d, column %d: %s", error.line, error.column, error.text);
    else
        err_set(err, ERR_USAGE, "%s", error.text);
    return NULL;
}

struct doc *json_parse(struct view text, struct err *err)
{
    return parse(text, JSON_REJECT_DUPLICATES, err);
}

struct doc *json_parse_loose(struct view text, struct err *err)
{
    return parse(text, JSON_ALLOW_NUL, err);
}

void json_add_real(struct buf *out, double value)
{
    char text[40];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_text(out, text);
    if (!strpbrk(text, ".e"))
        buf_add_text(out, ".0");
}

void json_add_string(struct buf *out, struct view text)
{
    static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
    size_t done = 0;

    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        const char *named;

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add(out, text.ptr + done, i - done);
        done = i + 1;
        named = c ? strchr(from, c) : NULL;
        if (named)
            buf_add(out, (char[2]){'\\', to[named - from]}, 2);
        else
            buf_addf(out, "\\u%04x", c);
    }
    buf_add(out, text.ptr + done, text.len - done);
    buf_add_char(out, '"');
}

/* As JSON_ASCII says; doubles from 1e16 on have an exponent. */
static void add_real_plain(struct buf *out, double value)
{
    char text[40];

    if (fabs(value) < 1e16 && trunc(value) == value) {
        buf_addf(out, "%.1f", value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        if (digits == 17 && fabs(value) >= 1e16) /* %g would still write it without one */
            snprintf(text, sizeof(text), "%.16e", value);
        else
            snprintf(text, sizeof(text), "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_add_text(out, text);
}

static void add_string_ascii(struct buf *out, struct view text)
{
    struct buf quoted;
    size_t len;

    buf_init(&quoted, SIZE_MAX);
    json_add_string(&quoted, text);
    for (size_t at = 0; at < quoted.len; at += len) {
        uint32_t c = 0;

        len = utf8_next((struct view){quoted.ptr + at, quoted.len - at}, &c);
        if (len == 1)
            buf_add_char(out, (char)c);
        else if (c >= 0x10000)
            buf_addf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
        else
            buf_addf(out, "\\u%04x", len ? c : 0xfffd);
        if (!len)
            len = 1;
    }
    buf_free(&quoted);
}

/* Bytes that are no UTF-8 (doc_bytes) may not come out. */
static void add_string(struct buf *out, struct view text, int style)
{
    struct buf clean;

    if (plain_prefix(text) == text.len) {
        buf_add_char(out, '"');
        buf_add_view(out, text);
        buf_add_char(out, '"');
    } else if (style & JSON_ASCII) {
        add_string_ascii(out, text);
    } else if (utf8_is_clean(text)) {
        json_add_string(out, text);
    } else {
        buf_init(&clean, SIZE_MAX);
        utf8_add_clean(&clean, text);
        json_add_string(out, buf_view(&clean));
        buf_free(&clean);
    }
}

/* printf would cost more than all else of a document full of numbers. */
static void add_int(struct buf *out, int64_t value)
{
    char digits[24], *at = digits + sizeof(digits), *end = at;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do
        *--at = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        *--at = '-';
    buf_add(out, at, (size_t)(end - at));
}

static void add_value(struct buf *out, const struct doc *doc, int style, size_t depth);

static void add_comma(struct buf *out, int style)
{
    buf_add_char(out, ',');
    if (style & JSON_SPACED)
        buf_add_char(out, ' ');
}

static void add_break(struct buf *out, int style, size_t depth)
{
    if (!(style & JSON_INDENTED))
        return;
    buf_add_char(out, '\n');
    while (depth--)
        buf_add_text(out, "  ");
}

static void add_member(struct buf *out, const char *key, const struct doc *value, int style, size_t depth)
{
    add_break(out, style, depth);
    add_string(out, view_of(key), style);
    buf_add_char(out, ':');
    if (style & (JSON_INDENTED | JSON_SPACED))
        buf_add_char(out, ' ');
    add_value(out, value, style, depth);
}

static void add_object(struct buf *out, const struct doc *doc, int style, size_t depth)
{
    const char **keys;
    size_t count = 0;

    buf_add_char(out, '{');
    if (style & JSON_SORTED) {
        count = doc_keys_sorted(doc, &keys);
        for (size_t i = 0; i < count; i++) {
            if (i)
                add_comma(out, style);
            add_member(out, keys[i], doc_get(doc, keys[i]), style, depth + 1);
        }
        free(keys);
    } else {
        DOC_EACH(iter, doc)
        {
            if (count++)
                add_comma(out, style);
            add_member(out, iter.key, iter.value, style, depth + 1);
        }
    }
    if (count)
        add_break(out, style, depth);
    buf_add_char(out, '}');
}

static void add_array(struct buf *out, const struct doc *doc, int style, size_t depth)
{
    size_t count = doc_size(doc);

    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i)
            add_comma(out, style);
        add_break(out, style, depth + 1);
        add_value(out, doc_at(doc, i), style, depth + 1);
    }
    if (count)
        add_break(out, style, depth);
    buf_add_char(out, ']');
}

static void add_value(struct buf *out, const struct doc *doc, int style, size_t depth)
{
    switch (doc_type(doc)) {
    case DOC_NULL:
        buf_add_text(out, "null");
        break;
    case DOC_BOOL:
        buf_add_text(out, doc_as_bool(doc, false) ? "true" : "false");
        break;
    case DOC_INT:
        add_int(out, doc_as_int(doc, 0));
        break;
    case DOC_REAL:
        (style & JSON_ASCII ? add_real_plain : json_add_real)(out, doc_as_real(doc, 0));
        break;
    case DOC_STRING:
        add_string(out, doc_as_view(doc), style);
        break;
    case DOC_ARRAY:
        add_array(out, doc, style, depth);
        break;
    case DOC_OBJECT:
        add_object(out, doc, style, depth);
        break;
    }
}

void json_add(struct buf *out, const struct doc *doc, int style)
{
    add_value(out, doc, style, 0);
}
