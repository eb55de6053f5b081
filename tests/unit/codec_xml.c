#include "codec/xml.h"
#include "codec/doc.h"
#include "codec/json.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void check_refused(struct view text, const char *message)
{
    struct err err = ERR_INIT;
    struct xml *xml = xml_parse(text, &err);

    if (xml)
        unit_fail(__FILE__, __LINE__, "%.40s was taken", text.ptr);
    CHECK_TEXT(err.message, message);
    CHECK_INT(err.kind, ERR_USAGE);
    xml_free(xml);
}

TEST(xml_tree)
{
    struct err err = ERR_INIT;
    struct xml *xml =
        xml_parse(view_of("<?xml version='1.0'?><a xmlns='urn:x' xmlns:p='urn:y'> t<!-- no -->&amp;<![CDATA[<u>]]> "
                          "<p:b k='1' p:k='2'>x\xc3\xa4</p:b>tail<c/><b>two</b></a>"),
                  &err);
    const struct xml *b = xml_child(xml, "b");

    REQUIRE(b);
    CHECK_TEXT(xml->name, "a");
    CHECK_TEXT(xml->text.ptr, " t&<u> ");
    CHECK_INT(xml->text.len, strlen(" t&<u> "));
    CHECK_TEXT(b->text.ptr, "x\xc3\xa4");
    CHECK_TEXT(xml_attribute(b, "k")->ptr, "1");
    CHECK_TEXT(xml_attribute(b, "any:k")->ptr, "2");
    CHECK(!xml_attribute(b, "none"));
    CHECK_TEXT(xml_next(b, "b")->text.ptr, "two");
    CHECK(!xml_next(xml_next(b, "b"), "b"));
    CHECK_INT(xml_child(xml, "c")->text.len, 0);
    CHECK_TEXT(xml_child(xml, "c")->text.ptr, "");
    CHECK(!xml_child(xml, "d"));
    CHECK(!xml_child(NULL, "d"));
    xml_free(xml);
    xml_free(NULL);
}

TEST(xml_refuses)
{
    check_refused(view_of(""), "line 1, column 1: no element found");
    check_refused(view_of("<a><b></a>"), "line 1, column 9: mismatched tag");
    check_refused(view_of("<a>\n<b>"), "line 2, column 4: no element found");
    check_refused(view_of("<a/><b/>"), "line 1, column 5: junk after document element");
    check_refused(view_of("<a>&b;</a>"), "line 1, column 4: undefined entity");
    check_refused(view_of("<p:a/>"), "line 1, column 1: unbound prefix");
    check_refused(view_of("<a>\xff</a>"), "line 1, column 4: not well-formed (invalid token)");
    check_refused((struct view){"<a>\0</a>", 8}, "line 1, column 4: not well-formed (invalid token)");
    check_refused(view_of("<!DOCTYPE a><a/>"), "line 1, column 12: it has a DTD, which is refused");
    check_refused(view_of("<!DOCTYPE a [<!ENTITY b 'c'><!ENTITY d SYSTEM 'file:///etc/passwd'>]><a>&b;&d;</a>"),
                  "line 1, column 13: it has a DTD, which is refused");
}

TEST(xml_depth_is_bounded)
{
    struct err err = ERR_INIT;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        buf_add_text(&text, "<a>");
    for (int i = 0; i < XML_DEPTH_MAX; i++)
        buf_add_text(&text, "</a>");
    struct xml *xml = xml_parse(buf_view(&text), &err);
    CHECK(xml);
    xml_free(xml);

    buf_reset(&text);
    for (int i = 0; i < 100000; i++)
        buf_add_text(&text, "<a>");
    check_refused(buf_view(&text), "line 1, column 196: deeper than 64 levels");
    buf_free(&text);
}

TEST(xml_size_is_bounded)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_text(&text, "<a>");
    for (int i = 0; i < 4 << 20; i++)
        buf_add_text(&text, "<b/>");
    buf_add_text(&text, "</a>");
    struct err err = ERR_INIT;
    struct xml *xml = xml_parse(buf_view(&text), &err);
    CHECK(!xml);
    CHECK(strstr(err.message, "too many elements"));
    xml_free(xml);

    text.len = 0;
    while (text.len <= XML_TEXT_MAX)
        buf_add(&text, "                                                                ", 64);
    check_refused(buf_view(&text), "larger than 64 MiB");
    buf_free(&text);
}

TEST(xml_long_texts_come_whole)
{
    enum { LEN = 3 << 20 };
    struct err err = ERR_INIT;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_text(&text, "<a k='");
    for (int i = 0; i < LEN; i++)
        buf_add_char(&text, 'k');
    buf_add_text(&text, "'>");
    for (int i = 0; i < LEN; i++)
        buf_add_char(&text, 't');
    buf_add_text(&text, "</a>");
    struct xml *xml = xml_parse(buf_view(&text), &err);
    REQUIRE(xml);
    CHECK_INT(xml->text.len, LEN);
    CHECK_INT(xml_attribute(xml, "k")->len, LEN);
    xml_free(xml);
    buf_free(&text);
}

TEST(xml_escapes)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    xml_add_text(&out, VIEW_LITERAL("a<b>&\"'\r\n\t\xc3\xa4"));
    CHECK_TEXT(buf_text(&out), "a&lt;b&gt;&amp;\"'&#xD;\n\t\xc3\xa4");
    buf_reset(&out);
    xml_add_value(&out, VIEW_LITERAL("a<b>&\"'\r\n\t"));
    CHECK_TEXT(buf_text(&out), "a&lt;b&gt;&amp;&quot;'&#13;&#10;&#09;");
    buf_free(&out);
}

TEST(doc_bytes_are_kept_and_never_written)
{
    struct doc *bytes = doc_bytes((struct view){"a\0\xff", 3}), *same = doc_copy(bytes), *text = doc_text("a");
    struct err err = ERR_INIT;
    struct buf out;

    CHECK_INT(doc_as_view(bytes).len, 3);
    CHECK(memcmp(doc_as_view(bytes).ptr, "a\0\xff", 3) == 0);
    CHECK(doc_equal(bytes, same));
    CHECK(!doc_equal(bytes, text));
    buf_init(&out, SIZE_MAX);
    json_add(&out, bytes, JSON_COMPACT);
    CHECK_TEXT(buf_text(&out), "\"a\xef\xbf\xbd\xef\xbf\xbd\"");
    doc_unref(same);
    same = json_parse(buf_view(&out), &err); /* what was written is JSON */
    CHECK(same);
    buf_reset(&out);
    json_add(&out, bytes, JSON_ASCII);
    CHECK_TEXT(buf_text(&out), "\"a\\u0000\\ufffd\"");
    doc_unref(same);
    doc_unref(bytes);
    doc_unref(text);
    buf_free(&out);
}

static void check_ascii(const char *text, const char *want)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse_loose(view_of(text), &err);
    struct buf out;

    buf_init(&out, SIZE_MAX);
    json_add(&out, doc, JSON_ASCII | JSON_SPACED);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
    doc_unref(doc);
}

TEST(json_ascii)
{
    check_ascii("{\"\\u00e4\":[\"\\ud83d\\ude00\",1],\"b\":{},\"c\":[]}",
                "{\"\\u00e4\": [\"\\ud83d\\ude00\", 1], \"b\": {}, \"c\": []}");
    check_ascii("[1e15, 1e16, 12345678901234567.0, 1e-4, 1e-5, -0.0, 0.1, 1e22]",
                "[1000000000000000.0, 1e+16, 1.2345678901234568e+16, 0.0001, 1e-05, -0.0, 0.1, 1e+22]");
}

TEST(json_loose)
{
    check_ascii("{\"a\":1,\"a\":2}", "{\"a\": 2}");
    check_ascii("\"x\\u0000y\"", "\"x\\u0000y\"");
}
