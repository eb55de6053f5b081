#include "unit.h"

#include "cli/text.h"

#include <string.h>

static void check_escaped(struct view in, int flags, const char *want)
{
    struct buf out;

    buf_init(&out, 4096);
    text_escape_add(&out, in, flags);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
}

TEST(text_escapes_what_steers_a_terminal)
{
    check_escaped(VIEW_LITERAL("a\x1b[31mred"), TEXT_UTF8, "a\\x1b[31mred");
    check_escaped(VIEW_LITERAL("a\r\nb\a\x7f"), TEXT_UTF8, "a\\x0d\\nb\\x07\\x7f");
    check_escaped(VIEW_LITERAL("a\r\nb"), TEXT_UTF8 | TEXT_LINES, "a\\x0d\nb");
    check_escaped(VIEW_LITERAL("nul\0end"), TEXT_UTF8, "nul\\x00end");
    check_escaped(VIEW_LITERAL("\xc2\x9b"
                               "31m"),
                  TEXT_UTF8, "\\u{9b}31m");
    check_escaped(VIEW_LITERAL("user\xe2\x80\xae"
                               "gpj.exe"),
                  TEXT_UTF8, "user\\u{202e}gpj.exe");
    check_escaped(VIEW_LITERAL("\xe2\x81\xa6x\xe2\x81\xa9\xe2\x80\x8b\xef\xbb\xbf"), TEXT_UTF8,
                  "\\u{2066}x\\u{2069}\\u{200b}\\u{feff}");
    check_escaped(VIEW_LITERAL("\xf3\xa0\x80\x81"), TEXT_UTF8, "\\u{e0001}");
    check_escaped(VIEW_LITERAL("a\tb"), TEXT_UTF8, "a    b");
}

TEST(text_keeps_what_is_harmless)
{
    check_escaped(VIEW_LITERAL("gr\xc3\xbc\xc3\x9f \xe4\xb8\xad"), TEXT_UTF8, "gr\xc3\xbc\xc3\x9f \xe4\xb8\xad");
    check_escaped(VIEW_LITERAL("gr\xc3\xbc\xc3\x9f"), 0, "gr\\u{fc}\\u{df}");
}

TEST(text_shows_invalid_bytes)
{
    check_escaped(VIEW_LITERAL("\xff\xc3"), TEXT_UTF8, "\\xff\\xc3");
    check_escaped(VIEW_LITERAL("\xc0\xaf"), TEXT_UTF8, "\\xc0\\xaf");
    check_escaped(VIEW_LITERAL("\xed\xa0\x80"), TEXT_UTF8, "\\xed\\xa0\\x80");
    check_escaped(VIEW_LITERAL("\xf8\x88\x80\x80"), TEXT_UTF8, "\\xf8\\x88\\x80\\x80");
}

TEST(text_measures_columns)
{
    CHECK_INT(text_width(VIEW_LITERAL("abc")), 3);
    CHECK_INT(text_width(VIEW_LITERAL("\xe4\xb8\xad\xe6\x96\x87")), 4);
    CHECK_INT(text_width(VIEW_LITERAL("e\xcc\x81")), 1);
    CHECK_INT(text_width(VIEW_LITERAL("\xe2\x9c\x93")), 1);
}

static void check_wrapped(const char *in, int used, int hang, int columns, const char *want)
{
    struct buf out;
    const char *last;
    int end;

    buf_init(&out, 4096);
    end = text_wrap_add(&out, view_of(in), used, hang, columns);
    CHECK_TEXT(buf_text(&out), want);
    last = strrchr(buf_text(&out), '\n');
    CHECK_INT(end, last ? text_width(view_of(last + 1)) : used + text_width(view_of(in)));
    buf_free(&out);
}

TEST(text_wraps_at_blanks)
{
    check_wrapped("one two three", 0, 2, 0, "one two three");
    check_wrapped("one two three", 0, 2, 13, "one two three");
    check_wrapped("one two three", 0, 2, 12, "one two\n  three");
    check_wrapped("one two three", 0, 2, 7, "one two\n  three");
    check_wrapped("one two three", 5, 2, 10, "one\n  two\n  three");
    check_wrapped("one  two", 0, 0, 4, "one\ntwo");
    check_wrapped("", 4, 2, 10, "");
}

TEST(text_breaks_long_words_and_loses_nothing)
{
    check_wrapped("abcdefghij", 0, 2, 6, "abcdef\n  ghij");
    check_wrapped("ab abcdefgh", 0, 2, 6, "ab\n  abcd\n  efgh");
    check_wrapped("abc", 6, 2, 6, "\n  abc");
    check_wrapped("\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad", 0, 0, 5, "\xe4\xb8\xad\xe4\xb8\xad\n\xe4\xb8\xad");
    check_wrapped("abcdef", 0, 30, 4, "abcd\n  ef");
}
