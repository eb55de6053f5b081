#include "codec/json.h"
#include "unit.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_form(const char *text, int style, const char *want)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(text), &err);
    struct buf out;

    if (!doc) {
        unit_fail(__FILE__, __LINE__, "%s: %s", text, err.message);
        return;
    }
    buf_init(&out, SIZE_MAX);
    json_add(&out, doc, style);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
    doc_unref(doc);
}

static void check_refused(struct view text, const char *message)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(text, &err);

    if (doc)
        unit_fail(__FILE__, __LINE__, "%.*s was taken", (int)text.len, text.ptr);
    else if (message)
        CHECK_TEXT(err.message, message);
    CHECK(doc || err.kind == ERR_USAGE);
    doc_unref(doc);
}

TEST(json_forms)
{
    static const char text[] = " {\"b\":[1,-2,3.5,[],{}],\"a\":{\"z\":null,\"y\":true},\"\":false}\n";

    check_form(text, JSON_COMPACT, "{\"b\":[1,-2,3.5,[],{}],\"a\":{\"z\":null,\"y\":true},\"\":false}");
    check_form(text, JSON_SORTED, "{\"\":false,\"a\":{\"y\":true,\"z\":null},\"b\":[1,-2,3.5,[],{}]}");
    check_form(text, JSON_INDENTED | JSON_SORTED,
               "{\n  \"\": false,\n  \"a\": {\n    \"y\": true,\n    \"z\": null\n  },\n  \"b\": [\n    1,\n    -2,\n"
               "    3.5,\n    [],\n    {}\n  ]\n}");
    check_form("null", JSON_COMPACT, "null");
    check_form("\"x\"", JSON_INDENTED, "\"x\"");
}

TEST(json_integers_are_whole)
{
    check_form("9223372036854775807", 0, "9223372036854775807");
    check_form("-9223372036854775808", 0, "-9223372036854775808");
    check_form("9007199254740993", 0, "9007199254740993");
    check_refused(view_of("9223372036854775808"), NULL);
    check_refused(view_of("01"), NULL);
    check_refused(view_of("-"), NULL);
    check_refused(view_of("NaN"), NULL);
    check_refused(view_of("1e999"), NULL);
}

TEST(json_reals_are_shortest)
{
    static const double values[] = {0.1,    0.2 + 0.1, 1e300, DBL_MIN, DBL_MAX, 5e-324, 1.0, -0.0, 123456789012345680.0,
                                    1.0 / 3};
    static const char *const texts[] = {"0.1", "0.30000000000000004", "1e+300", NULL, NULL, NULL, "1.0", "-0.0", NULL,
                                        NULL};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct doc *doc = doc_real(values[i]), *back;
        struct err err = ERR_INIT;
        struct buf out;

        buf_init(&out, SIZE_MAX);
        json_add(&out, doc, 0);
        if (texts[i])
            CHECK_TEXT(buf_text(&out), texts[i]);
        back = json_parse(buf_view(&out), &err);
        CHECK(doc_is(back, DOC_REAL) && doc_as_real(back, 0) == values[i]);
        buf_free(&out);
        doc_unref(doc);
        doc_unref(back);
    }
}

TEST(json_strings)
{
    check_form("\"\\u00e9\\ud83c\\udfae\\/\\u007f\"", 0, "\"\xc3\xa9\xf0\x9f\x8e\xae/\x7f\"");
    check_form("\"\\b\\f\\n\\r\\t\\\"\\\\\\u0001\\u001f\"", 0, "\"\\b\\f\\n\\r\\t\\\"\\\\\\u0001\\u001f\"");
    check_form("{\"k\\n\":1}", 0, "{\"k\\n\":1}");
    check_form("\"\xef\xb7\x90\"", 0, "\"\xef\xb7\x90\"");
    check_refused(view_of("\"\\u0000\""), NULL);
    check_refused(VIEW_LITERAL("\"\0\""), NULL);
    check_refused(view_of("\"\xff\""), NULL);
    check_refused(view_of("\"\xc0\x80\""), NULL);
    check_refused(view_of("\"\xed\xa0\x80\""), NULL);
    check_refused(view_of("\"\\ud800\""), NULL);
    check_refused(view_of("\"a\nb\""), NULL);
    check_refused(view_of("\"abc"), NULL);
}

/* Strings are looked at by eight bytes: whatever is special is found at each place. */
TEST(json_strings_of_each_length)
{
    static const char special[] = {'"', '\\', '\n', '\x1f', ' ', '!', '[', '~', '\x7f'};
    static const char *const written[] = {"\\\"", "\\\\", "\\n", "\\u001f", " ", "!", "[", "~", "\x7f"};

    for (size_t len = 1; len <= 20; len++)
        for (size_t at = 0; at < len; at++)
            for (size_t i = 0; i < sizeof(special); i++) {
                char plain[24], want[48];

                memset(plain, 'x', len);
                plain[at] = special[i];
                plain[len] = '\0';
                snprintf(want, sizeof(want), "\"%.*s%s%s\"", (int)at, plain, written[i], plain + at + 1);
                check_form(want, JSON_COMPACT, want);
            }
}

TEST(json_is_strict)
{
    static const char *const wrong[] = {"",          " ",   "{",    "[1,]", "{\"a\":1,}", "{a:1}",
                                        "[1 2]",     "1 2", "{}{}", "'a'",  "// x\n1",    "\xef\xbb\xbf{}",
                                        "[1]x",      "tru", "nul",  "]",    "{\"a\"}",    "{\"a\":}",
                                        "[\"a\":1]", "+1",  ".5",   "1.",   "0x1",        "Infinity"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        check_refused(view_of(wrong[i]), NULL);
    check_refused((struct view){NULL, 0}, NULL);
    check_refused(VIEW_LITERAL("{}\0"), NULL);
    check_refused(VIEW_LITERAL("123\0"), "line 1, column 4: a NUL character");
    check_refused(view_of("{\"a\":1,\n \"a\":2}"), "line 2, column 4: duplicate object key");
    check_refused(view_of("{\"password\":\"hunter22\" \"x\"}"), "line 1, column 26: '}' expected");
}

TEST(json_depth_is_limited)
{
    struct buf text;
    struct err err = ERR_INIT;
    struct doc *doc;

    buf_init(&text, SIZE_MAX);
    for (int i = 0; i < 64; i++)
        buf_add_char(&text, '[');
    for (int i = 0; i < 64; i++)
        buf_add_char(&text, ']');
    doc = json_parse(buf_view(&text), &err);
    CHECK(doc != NULL);
    doc_unref(doc);
    buf_reset(&text);
    for (int i = 0; i < 65; i++)
        buf_add_text(&text, "[\n");
    check_refused(buf_view(&text), "line 65, column 1: deeper than 64 levels");
    buf_reset(&text);
    buf_add_char(&text, '[');
    for (int i = 0; i < 100; i++)
        buf_add_text(&text, "[],\"[\\\"[{\",");
    buf_add_text(&text, "1]");
    doc = json_parse(buf_view(&text), &err);
    CHECK_INT(doc_size(doc), 201);
    doc_unref(doc);
    buf_reset(&text);
    for (int i = 0; i < 1000000; i++)
        buf_add_text(&text, "{\"a\":");
    check_refused(buf_view(&text), NULL);
    buf_free(&text);
}
