#include "cli/text.h"

#include <locale.h>
#include <wchar.h>

/* wcwidth asks the process's locale, which may be C; this one is part of glibc. NULL when it is missing. */
static locale_t utf8_locale(void)
{
    static locale_t locale;
    static bool asked;

    if (!asked) {
        asked = true;
        locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
    }
    return locale;
}

/* -1: not printable. */
static int point_width(uint32_t point)
{
    locale_t utf8, before;
    int width;

    if (point < 0x7f)
        return point >= 0x20 ? 1 : -1;
    if (point < 0xa0)
        return -1;
    utf8 = utf8_locale();
    if (!utf8)
        return 1;
    before = uselocale(utf8);
    width = wcwidth((wchar_t)point);
    uselocale(before);
    return width;
}

/* Length of the character at text[at], its code point in *point; invalid bytes: 1 and the byte as 0x110000 + it. */
static size_t point_next(struct view text, size_t at, uint32_t *point)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr + at;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len = bytes[0] < 0x80 ? 1 : (bytes[0] & 0xe0) == 0xc0 ? 2 : (bytes[0] & 0xf0) == 0xe0 ? 3 : 4;

    *point = len == 1 ? bytes[0] : bytes[0] & (0xffU >> (len + 1));
    if (len == 4 && (bytes[0] & 0xf8) != 0xf0)
        goto invalid;
    if (len > text.len - at)
        goto invalid;
    for (size_t i = 1; i < len; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            goto invalid;
        *point = *point << 6 | (bytes[i] & 0x3f);
    }
    if (len > 1 && (*point < least[len] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000)))
        goto invalid;
    return len;
invalid:
    *point = 0x110000U + bytes[0];
    return 1;
}

/* Characters that show nothing themselves but change how others are shown or read. */
static bool is_hidden(uint32_t point)
{
    return point == 0xad || point == 0x61c || point == 0x180e || (point >= 0x200b && point <= 0x200f) ||
           (point >= 0x2028 && point <= 0x202e) || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff ||
           (point >= 0xfff9 && point <= 0xfffb) || (point >= 0xe0000 && point <= 0xe0fff);
}

void text_escape_add(struct buf *out, struct view text, int flags)
{
    size_t len;

    for (size_t at = 0; at < text.len; at += len) {
        uint32_t point;

        len = point_next(text, at, &point);
        if (point == '\n' && (flags & TEXT_LINES))
            buf_add_char(out, '\n');
        else if (point == '\n')
            buf_add_text(out, "\\n");
        else if (point == '\t')
            buf_add_text(out, "    ");
        else if (point >= 0x110000)
            buf_addf(out, "\\x%02x", (unsigned)(point - 0x110000));
        else if (point < 0x20 || point == 0x7f)
            buf_addf(out, "\\x%02x", (unsigned)point);
        else if (point >= 0x7f && (!(flags & TEXT_UTF8) || is_hidden(point) || point_width(point) < 0))
            buf_addf(out, "\\u{%x}", (unsigned)point);
        else
            buf_add(out, text.ptr + at, len);
    }
}

int text_width(struct view text)
{
    int width = 0;
    size_t len;

    for (size_t at = 0; at < text.len; at += len) {
        uint32_t point;
        int columns;

        len = point_next(text, at, &point);
        columns = point_width(point);
        width += columns > 0 ? columns : 0;
    }
    return width;
}

void text_blanks_add(struct buf *out, int count)
{
    while (count-- > 0)
        buf_add_char(out, ' ');
}

/* How much of text from `at` fits into `room` columns; at least one character, so that it ends. */
static size_t fit(struct view text, size_t at, int room)
{
    size_t start = at;

    while (at < text.len) {
        uint32_t point;
        size_t len = point_next(text, at, &point);
        int columns = point_width(point);

        room -= columns > 0 ? columns : 0;
        if (room < 0 && at > start)
            break;
        at += len;
        if (room < 0)
            break;
    }
    return at;
}

static bool is_blank(struct view text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] != ' ')
            return false;
    return true;
}

int text_wrap_add(struct buf *out, struct view text, int used, int hang, int columns)
{
    size_t at = 0;

    if (columns > 0 && hang > columns / 2)
        hang = 2;
    for (;;) {
        size_t end = columns <= 0 ? text.len : used < columns ? fit(text, at, columns - used) : at;

        if (end == text.len) {
            buf_add(out, text.ptr + at, end - at);
            return used + text_width((struct view){text.ptr + at, end - at});
        }
        if (text.ptr[end] != ' ') {
            size_t blank = end;

            while (blank > at && text.ptr[blank - 1] != ' ')
                blank--;
            /* Blanks at the start are an indent, no place to break. */
            if (is_blank((struct view){text.ptr + at, blank - at}))
                blank = at;
            /* A word that would fit into a row of its own moves there whole. */
            if (blank > at || used > hang)
                end = blank;
        }
        while (end > at && text.ptr[end - 1] == ' ')
            end--;
        buf_add(out, text.ptr + at, end - at);
        buf_add_char(out, '\n');
        text_blanks_add(out, hang);
        used = hang;
        for (at = end; at < text.len && text.ptr[at] == ' ';)
            at++;
    }
}
