/*
 * Documents as YAML for people: block style, as kubectl lays it out. What is written must read back
 * the same in YAML 1.1 and in 1.2, so whatever only one of them takes for a number or a boolean is quoted.
 */
#include "codec/doc_json.h"
#include "codec/utf8.h"
#include "codec/yaml_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    KEY_MAX = 512, /* longer keys need "? ": a simple key has at most 1024 characters */
    INDENT = 2,
};

/* YAML 1.1 takes these for booleans or for a merge; readers of 1.2 do not. */
static bool is_old_word(struct view text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "<<", "="};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (text.len == strlen(words[i]) && strncasecmp(text.ptr, words[i], text.len) == 0)
            return true;
    }
    return false;
}

/* Numbers, dates and times of either version, and more that only looks like one. */
static bool is_like_number(struct view text)
{
    size_t at = text.ptr[0] == '-' || text.ptr[0] == '+';

    if (at < text.len && text.ptr[at] == '.')
        at++;
    if (at < text.len && strchr("iInN", text.ptr[at]) && at && text.ptr[at - 1] == '.')
        return true;
    if (at >= text.len || text.ptr[at] < '0' || text.ptr[at] > '9')
        return false;
    for (; at < text.len; at++) {
        if (!strchr("0123456789abcdefABCDEFxXoO_.,:+-TtZz ", text.ptr[at]))
            return false;
    }
    return true;
}

/* May be written as it is: letters that mean nothing to YAML, no blanks at the ends, no other type's form. */
static bool is_plain(struct view text)
{
    static const char inside[] = "-_./:@%+=,~^()*&!?;<>$#{}[]'\"| \\`";
    char first = text.len ? text.ptr[0] : '\0';

    if (!text.len || text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == ':')
        return false;
    if (!((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') || (first >= '0' && first <= '9') ||
          strchr("_./(+;^$\\", first)))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!letter && (!c || !strchr(inside, c)))
            return false;
        if ((c == ':' && text.ptr[i + 1] == ' ') || (c == ' ' && text.ptr[i + 1] == '#'))
            return false;
    }
    return !is_old_word(text) && !is_like_number(text) && !view_starts(text, "...");
}

/* Characters that YAML allows unescaped (besides the line break, which is the caller's business). */
static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c < 0x2028) || (c > 0x2029 && c < 0xfeff) ||
           (c > 0xfeff && c < 0xfffe) || c >= 0x10000;
}

static void add_quoted(struct buf *out, struct view text)
{
    static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";

    buf_add_char(out, '"');
    for (size_t at = 0, len; at < text.len; at += len) {
        uint32_t c = 0;
        const char *named;

        len = utf8_next((struct view){text.ptr + at, text.len - at}, &c);
        named = c && c < 0x80 ? strchr(from, (int)c) : NULL;
        if (named)
            buf_add(out, (char[2]){'\\', to[named - from]}, 2);
        else if (is_printable(c))
            buf_add(out, text.ptr + at, len);
        else
            buf_addf(out, "\\u%04x", (unsigned)c);
    }
    buf_add_char(out, '"');
}

/* Lines of printable characters, the first that is not empty not indented: then "|" shows them as they are. */
static bool is_block(struct view text)
{
    size_t len;
    uint32_t c;

    if (text.len < 2 || !memchr(text.ptr, '\n', text.len - 1) || text.ptr[0] == '\n' || text.ptr[0] == ' ' ||
        text.ptr[0] == '\t')
        return false;
    for (size_t at = 0; at < text.len; at += len) {
        len = utf8_next((struct view){text.ptr + at, text.len - at}, &c);
        if (c != '\n' && c != '\t' && !is_printable(c))
            return false;
    }
    return true;
}

static void add_indent(struct buf *out, size_t indent)
{
    for (size_t i = 0; i < indent; i++)
        buf_add_char(out, ' ');
}

static void add_block(struct buf *out, struct view text, size_t indent)
{
    bool ends = text.ptr[text.len - 1] == '\n', more = ends && text.ptr[text.len - 2] == '\n';

    buf_add_text(out, more ? "|+" : ends ? "|" : "|-");
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;

        buf_add_char(out, '\n');
        if (len)
            add_indent(out, indent);
        buf_add(out, text.ptr, len);
        len += end != NULL;
        text = (struct view){text.ptr + len, text.len - len};
    }
}

static void add_text(struct buf *out, struct view text, size_t indent, bool block)
{
    if (is_plain(text))
        buf_add_view(out, text);
    else if (block && is_block(text))
        add_block(out, text, indent);
    else
        add_quoted(out, text);
}

static bool is_nested(const struct doc *doc)
{
    return (doc_is(doc, DOC_ARRAY) || doc_is(doc, DOC_OBJECT)) && doc_size(doc) > 0;
}

static void add_value(struct buf *out, const struct doc *doc, size_t indent, bool sorted);

static void add_scalar(struct buf *out, const struct doc *doc, size_t indent)
{
    switch (doc_type(doc)) {
    case DOC_NULL:
        buf_add_text(out, "null");
        break;
    case DOC_BOOL:
        buf_add_text(out, doc_as_bool(doc, false) ? "true" : "false");
        break;
    case DOC_INT:
        buf_addf(out, "%lld", (long long)doc_as_int(doc, 0));
        break;
    case DOC_REAL:
        json_add_real(out, doc_as_real(doc, 0));
        break;
    case DOC_STRING:
        add_text(out, doc_as_view(doc), indent, indent > 0);
        break;
    case DOC_ARRAY:
        buf_add_text(out, "[]");
        break;
    case DOC_OBJECT:
        buf_add_text(out, "{}");
        break;
    }
}

/* "key: value"; the cursor stands where the key begins. Lists are not indented under their key. */
static void add_member(struct buf *out, const char *key, const struct doc *value, size_t indent, bool sorted)
{
    bool is_long = strlen(key) > KEY_MAX;

    if (is_long)
        buf_add_text(out, "? ");
    add_text(out, view_of(key), 0, false);
    if (is_long) {
        buf_add_char(out, '\n');
        add_indent(out, indent);
    }
    buf_add_char(out, ':');
    if (!is_nested(value)) {
        buf_add_char(out, ' ');
        add_scalar(out, value, indent + INDENT);
        return;
    }
    buf_add_char(out, '\n');
    indent += doc_is(value, DOC_OBJECT) ? INDENT : 0;
    add_indent(out, indent);
    add_value(out, value, indent, sorted);
}

static void add_break(struct buf *out, bool *first, size_t indent)
{
    if (!*first) {
        buf_add_char(out, '\n');
        add_indent(out, indent);
    }
    *first = false;
}

/* The cursor stands at column `indent` already; no line break behind the last line. */
static void add_value(struct buf *out, const struct doc *doc, size_t indent, bool sorted)
{
    bool first = true;
    const char **keys;
    size_t count;

    if (!is_nested(doc)) {
        add_scalar(out, doc, indent);
    } else if (doc_is(doc, DOC_ARRAY)) {
        for (size_t i = 0; i < doc_size(doc); i++) {
            add_break(out, &first, indent);
            buf_add_text(out, "- ");
            add_value(out, doc_at(doc, i), indent + INDENT, sorted);
        }
    } else if (sorted) {
        count = doc_keys_sorted(doc, &keys);
        for (size_t i = 0; i < count; i++) {
            add_break(out, &first, indent);
            add_member(out, keys[i], doc_get(doc, keys[i]), indent, sorted);
        }
        free(keys);
    } else {
        DOC_EACH(iter, doc)
        {
            add_break(out, &first, indent);
            add_member(out, iter.key, iter.value, indent, sorted);
        }
    }
}

void yaml_add(struct buf *out, const struct doc *doc, bool sorted)
{
    add_value(out, doc, 0, sorted);
    buf_add_char(out, '\n');
}
