#include "codec/json.h"
#include "codec/yaml.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* `want`: the documents as JSON, blank between them. */
static void check_yaml(const char *text, const char *want)
{
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse("f.yaml", view_of(text), &err);
    struct buf out;

    if (!file) {
        unit_fail(__FILE__, __LINE__, "%s: %s", text, err.message);
        return;
    }
    buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < yaml_count(file); i++) {
        if (i)
            buf_add_char(&out, ' ');
        json_add(&out, yaml_doc(file, i), JSON_COMPACT);
    }
    if (strcmp(buf_text(&out), want) != 0)
        unit_fail(__FILE__, __LINE__, "%s gives %s, not %s", text, buf_text(&out), want);
    buf_free(&out);
    yaml_free(file);
}

static void check_refused(const char *text, const char *message)
{
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse("f.yaml", view_of(text), &err);

    if (file)
        unit_fail(__FILE__, __LINE__, "%s was taken", text);
    else if (message && strcmp(err.message, message) != 0)
        unit_fail(__FILE__, __LINE__, "%s is refused with \"%s\", not \"%s\"", text, err.message, message);
    CHECK(file || err.kind == ERR_USAGE);
    yaml_free(file);
}

TEST(yaml_scalars)
{
    static const char *const cases[][2] = {
        {"true", "true"},
        {"FALSE", "false"},
        {"~", "null"},
        {"Null", "null"},
        {"nULL", "\"nULL\""},
        {"yes", "\"yes\""},
        {"No", "\"No\""},
        {"on", "\"on\""},
        {"y", "\"y\""},
        {"12", "12"},
        {"-12", "-12"},
        {"+12", "12"},
        {"0", "0"},
        {"-0", "0"},
        {"0x1F", "31"},
        {"-0x10", "-16"},
        {"0o17", "15"},
        {"017", "15"},
        {"08", "8"},
        {"0b101", "5"},
        {"1_000", "1000"},
        {"1_000.5", "1000.5"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"1.0", "1.0"},
        {"1.", "1.0"},
        {".5", "0.5"},
        {"-.5", "-0.5"},
        {"1e3", "1000.0"},
        {"1.5E-3", "0.0015"},
        {"1e999", "\"1e999\""},
        {"._5", "\"._5\""},
        {"0x", "\"0x\""},
        {"0xg", "\"0xg\""},
        {"0b2", "\"0b2\""},
        {"+", "\"+\""},
        {"1.2.3", "\"1.2.3\""},
        {"1e", "\"1e\""},
        {"12:30", "\"12:30\""},
        {"2001-01-01", "\"2001-01-01\""},
        {"'12'", "\"12\""},
        {"\"true\"", "\"true\""},
        {"''", "\"\""},
        {"!!str 12", "\"12\""},
        {"! 12", "\"12\""},
        {"!!int '12'", "12"},
        {"!!float 1", "1.0"},
        {"!!bool \"true\"", "true"},
        {"!!null ''", "null"},
        {"a # b", "\"a\""},
        {"a#b", "\"a#b\""},
        {"\"\\u00e9\\x41\\n\"", "\"\xc3\xa9"
                                "A\\n\""},
        {"'it''s'", "\"it's\""},
        {"- 1\n- \n- x", "[1,null,\"x\"]"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_yaml(cases[i][0], cases[i][1]);
    check_refused("a: 9223372036854775808",
                  "f.yaml:1:4: the number does not fit in 64 bits; if it is a text, put it in quotes");
    check_refused("0x10000000000000000", NULL);
    check_refused("-9223372036854775809", NULL);
    check_refused(".inf", "f.yaml:1:1: a document cannot hold an infinity or NaN; if it is a text, put it in quotes");
    check_refused("[-.INF]", NULL);
    check_refused("!!int x", "f.yaml:1:1: this is no int");
    check_refused("!!bool yes", NULL);
    check_refused("!!binary aGk=", "f.yaml:1:1: the tag tag:yaml.org,2002:binary has no meaning here");
    check_refused("!mine x", "f.yaml:1:1: the tag !mine has no meaning here");
    check_refused("a: !!set {b}", NULL);
    check_refused("\"\\0\"", "f.yaml:1:1: a text cannot hold a NUL character");
}

TEST(yaml_containers)
{
    check_yaml("b: 1\na:\n- x\n- y: [1, {z: }]\n  w: {}\nc: []\n",
               "{\"b\":1,\"a\":[\"x\",{\"y\":[1,{\"z\":null}],\"w\":{}}],\"c\":[]}");
    check_yaml("- - a\n  - b\n- - c", "[[\"a\",\"b\"],[\"c\"]]");
    check_yaml("1: a\ntrue: b\n0x10: c\n\"1.5\": d\n'': e\nyes: f",
               "{\"1\":\"a\",\"true\":\"b\",\"16\":\"c\",\"1.5\":\"d\",\"\":\"e\",\"yes\":\"f\"}");
    check_yaml("? long key\n: value\n", "{\"long key\":\"value\"}");
    check_yaml("!!map {a: !!seq [1]}", "{\"a\":[1]}");
    check_yaml("{\"a\":1,\"b\":[true,null,\"x\"]}", "{\"a\":1,\"b\":[true,null,\"x\"]}");
    check_refused("a: 1\nb: 2\na: 3", "f.yaml:3:1: the key \"a\" is there already, on line 1");
    check_refused("1: a\n'1': b", "f.yaml:2:1: the key \"1\" is there already, on line 1");
    check_refused("[a]: b", "f.yaml:1:1: a key cannot be a list or a map");
    check_refused("? {a: b}\n: c", NULL);
    check_refused("1.5: a", "f.yaml:1:1: a key cannot be a number with a point; if it is a text, put it in quotes");
    check_refused("~: a", "f.yaml:1:1: a key is missing; if it is an empty text or null, put it in quotes");
}

TEST(yaml_block_scalars)
{
    check_yaml("a: |\n  x\n   y\n\n  z\nb: 1", "{\"a\":\"x\\n y\\n\\nz\\n\",\"b\":1}");
    check_yaml("a: |-\n  x\n\n\nb: |+\n  x\n\n", "{\"a\":\"x\",\"b\":\"x\\n\\n\"}");
    check_yaml("a: >\n  x\n  y\n\n  z\n", "{\"a\":\"x y\\nz\\n\"}");
    check_yaml("a: |2\n   x\n", "{\"a\":\" x\\n\"}");
    check_yaml("a: |\n  12\n", "{\"a\":\"12\\n\"}");
    check_yaml("a: x\n  y\n", "{\"a\":\"x y\"}");
}

TEST(yaml_documents)
{
    check_yaml("", "");
    check_yaml("# only words\n", "");
    check_yaml("---\n---\n# nothing\n---\na: 1\n---\n", "{\"a\":1}");
    check_yaml("a: 1\n---\nb: 2\n...\n---\n- c\n", "{\"a\":1} {\"b\":2} [\"c\"]");
    check_yaml("---\n~\n", "null");
    check_yaml("\xef\xbb\xbf"
               "a: 1\r\nb:\r\n  - x\r\n",
               "{\"a\":1,\"b\":[\"x\"]}");
    check_yaml("%YAML 1.1\n---\na: 1\n", "{\"a\":1}");
    check_yaml("a: \xef\xb7\x90s\xef\xb7\x91\n", "{\"a\":\"\xef\xb7\x90s\xef\xb7\x91\"}");
}

TEST(yaml_anchors_and_merge_keys)
{
    check_yaml("a: &x {k: 1}\nb: *x\nc: [*x, *x]\n", "{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":[{\"k\":1},{\"k\":1}]}");
    check_yaml("a: &x 1\nb: &x 2\nc: *x", "{\"a\":1,\"b\":2,\"c\":2}");
    check_yaml("&k key: v\nb: *k", "{\"key\":\"v\",\"b\":\"key\"}");
    check_yaml("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3\n  m: 4",
               "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"k\":1,\"l\":3,\"m\":4}}");
    check_yaml("a: &x {k: 1, l: 2}\nb:\n  l: 3\n  <<: *x", "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}");
    check_yaml("- &x {k: 1}\n- &y {k: 2, l: 2}\n- <<: [*x, *y]", "[{\"k\":1},{\"k\":2,\"l\":2},{\"k\":1,\"l\":2}]");
    check_yaml("a: &x {k: 1}\nb: &y\n  <<: *x\nc: {<<: *y, z: 1}",
               "{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":{\"k\":1,\"z\":1}}");
    check_yaml("\"<<\": {a: 1}", "{\"<<\":{\"a\":1}}");
    check_refused("a: *x", "f.yaml:1:4: no value above is anchored as &x");
    check_refused("a: &x [*x]", "f.yaml:1:8: no value above is anchored as &x");
    check_refused("a: &x 1\n---\nb: *x", "f.yaml:3:4: no value above is anchored as &x");
    check_refused("<<: 1", "f.yaml:1:1: << takes a map, or a list of maps");
    check_refused("<<: [1]", NULL);
    check_refused("a: &x {k: 1}\nb: {<<: *x, <<: *x}", "f.yaml:2:13: << is there twice; give it a list");
    check_refused("a: &x {k: 1}\nb: {<<: *x, k: 1, k: 2}", "f.yaml:2:19: the key \"k\" is there already, on line 2");
}

TEST(yaml_aliases_are_copies)
{
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse("f", view_of("a: &x {k: [1]}\nb: *x\nc:\n  <<: *x"), &err);
    struct doc *doc;

    REQUIRE(file);
    doc = yaml_doc(file, 0);
    doc_push(doc_path(doc, "b", "k", NULL), doc_int(2));
    doc_push(doc_path(doc, "c", "k", NULL), doc_int(3));
    CHECK_INT(doc_size(doc_path(doc, "a", "k", NULL)), 1);
    CHECK_INT(doc_size(doc_path(doc, "b", "k", NULL)), 2);
    yaml_free(file);
    yaml_free(NULL);
}

TEST(yaml_bombs_are_refused)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        buf_addf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_addf(&text, "%s*a%d", k ? ", " : "", i - 1);
        buf_add_text(&text, "]\n");
    }
    check_refused(buf_text(&text), "f.yaml:5:10: aliases make this file more than 10 times as large");
    buf_reset(&text);
    for (int i = 0; i < 64; i++)
        buf_add_char(&text, '[');
    for (int i = 0; i < 64; i++)
        buf_add_char(&text, ']');
    check_yaml(buf_text(&text), buf_text(&text));
    buf_reset(&text);
    for (int i = 0; i < 65; i++)
        buf_add_char(&text, '[');
    check_refused(buf_text(&text), "f.yaml:1:65: deeper than 64 levels");
    buf_reset(&text);
    buf_add_text(&text, "- &a ");
    for (int i = 0; i < 40; i++)
        buf_add_char(&text, '[');
    for (int i = 0; i < 40; i++)
        buf_add_char(&text, ']');
    buf_add_text(&text, "\n- ");
    for (int i = 0; i < 40; i++)
        buf_add_char(&text, '[');
    buf_add_text(&text, "*a");
    check_refused(buf_text(&text), "f.yaml:2:43: deeper than 64 levels");
    buf_free(&text);
}

TEST(yaml_errors_tell_where)
{
    check_refused("a:\n\t- b", "f.yaml:2:1: a tab cannot indent; use blanks");
    check_refused("a: @b", "f.yaml:1:4: a text cannot begin with @; put it in quotes");
    check_refused("a: `b`", NULL);
    check_refused("a: b: c", "f.yaml:1:5: mapping values are not allowed in this context");
    check_refused("a:\n  - b\n c: d",
                  "f.yaml:3:2: did not find expected key (while parsing a block mapping that begins on line 1)");
    check_refused("a: [1, 2\nb: 3", NULL);
    check_refused("a: 'x\n\nb: 1", NULL);
    check_refused("a: 1\nb: \xff", "f.yaml:2:4: not UTF-8, or a character that YAML does not allow");
    check_refused("a: 1\nb: \x01", "f.yaml:2:4: a control character");
    check_refused("a: \"\\q\"", NULL);
    check_refused("- a\nb: 1", NULL);
    check_refused("{a: 1}}", NULL);
    check_refused("a: &x\nb: *", NULL);
}

TEST(yaml_knows_its_lines)
{
    static const char text[] = "# head\nkind: A\nspec:\n  list:\n  - one\n  - two:\n      x: &n {y: 1}\n---\nb: &m\n  "
                               "k: 1\nc:\n  <<: *m\n  d: *m\n";
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse("f", view_of(text), &err);
    struct doc *doc;

    REQUIRE(file);
    doc = yaml_doc(file, 0);
    CHECK_INT(yaml_line(file, doc), 2);
    CHECK_INT(yaml_line_of_key(file, doc, "spec"), 3);
    CHECK_INT(yaml_line(file, doc_get(doc, "spec")), 4);
    CHECK_INT(yaml_line_of_index(file, doc_path(doc, "spec", "list", NULL), 1), 6);
    CHECK_INT(yaml_line_of_key(file, doc_path(doc, "spec", "list", "1", "two", "x", NULL), "y"), 7);
    CHECK_INT(yaml_line_of_key(file, doc, "nothing"), 0);
    CHECK_INT(yaml_line_of_index(file, doc, 0), 0);
    CHECK_INT(yaml_line(file, NULL), 0);
    doc = yaml_doc(file, 1);
    CHECK_INT(yaml_line_of_key(file, doc_get(doc, "c"), "k"), 10);
    CHECK_INT(yaml_line_of_key(file, doc_get(doc, "c"), "d"), 13);
    CHECK_INT(yaml_line_of_key(file, doc_path(doc, "c", "d", NULL), "k"), 10);
    CHECK(!yaml_doc(file, 2));
    yaml_free(file);
}

/* Puts {"n": 3, "s": "text", "f": true, "r": 1.5, "l": [1], "z": null, "o": {"p": "deep"}, "m": "${n}"} in. */
static void check_values(const char *text, const char *must_use, const char *want, const char *message)
{
    static const char json[] =
        "{\"n\":3,\"s\":\"text\",\"f\":true,\"r\":1.5,\"l\":[1],\"z\":null,\"o\":{\"p\":\"deep\"},"
        "\"m\":\"${n}\"}";
    struct err err = ERR_INIT;
    struct doc *values = json_parse(view_of(json), &err), *must = json_parse(view_of(must_use), &err);
    struct yaml_file *file = yaml_parse("f.yaml", view_of(text), &err);
    struct buf out;

    buf_init(&out, SIZE_MAX);
    if (!file || !values || !must) {
        unit_fail(__FILE__, __LINE__, "%s: %s", text, err.message);
    } else if (yaml_substitute(file, values, must, &err) == 0) {
        json_add(&out, yaml_doc(file, 0), JSON_COMPACT);
        if (!want || strcmp(want, buf_text(&out)) != 0)
            unit_fail(__FILE__, __LINE__, "%s gives %s, not %s", text, buf_text(&out), want ? want : "an error");
    } else if (!message || strcmp(message, err.message) != 0) {
        unit_fail(__FILE__, __LINE__, "%s gives \"%s\", not \"%s\"", text, err.message, message ? message : want);
    }
    buf_free(&out);
    yaml_free(file);
    doc_unref(values);
    doc_unref(must);
}

TEST(yaml_values_are_put_in)
{
    check_values("a: ${n}\nb: x${n}y\nc: ${s}\nd: ${f}-${r}\ne: [\"${s}\", '${n}']", "[]",
                 "{\"a\":3,\"b\":\"x3y\",\"c\":\"text\",\"d\":\"true-1.5\",\"e\":[\"text\",\"3\"]}", NULL);
    check_values("a: ${l}\nb: ${o}\nc: ${z}\nd: ${o.p}\ne: |\n  n=${n}\n", "[\"l\",\"o\",\"o.p\"]",
                 "{\"a\":[1],\"b\":{\"p\":\"deep\"},\"c\":null,\"d\":\"deep\",\"e\":\"n=3\\n\"}", NULL);
    check_values("a: $${n}\nb: $$${n}\nc: $n $\nd: x$", "[]",
                 "{\"a\":\"${n}\",\"b\":\"$${n}\",\"c\":\"$n $\",\"d\":\"x$\"}", NULL);
    check_values("${n}: ${n}", "[]", "{\"${n}\":3}", NULL);
    check_values("${n}", "[\"n\"]", "3", NULL);
    check_values("'${n}'", "[]", "\"3\"", NULL);
    check_values("a: ${m}", "[]", "{\"a\":\"${n}\"}", NULL);
    check_values("- a: &x ${n}\n- *x\n- {b: [[\"<${s}>\"]]}", "[]", "[{\"a\":3},3,{\"b\":[[\"<text>\"]]}]", NULL);
}

TEST(yaml_values_that_are_missing_or_left)
{
    check_values("a: 1\nb:\n- x ${gaem}", "[]", NULL, "f.yaml:3:3: no value is named \"gaem\"");
    check_values("a: ${ss}", "[]", NULL, "f.yaml:1:1: no value is named \"ss\"; did you mean \"s\"?");
    check_values("a: ${o.q}", "[]", NULL, "f.yaml:1:1: no value is named \"o.q\"");
    check_values("a: 1", "[\"n\"]", NULL, "f.yaml: nothing uses the value \"n\"");
    check_values("a: x${l}", "[]", NULL, "f.yaml:1:1: the value \"l\" is an array and cannot stand inside a text");
    check_values("a: '${z}'", "[]", NULL, "f.yaml:1:1: the value \"z\" is a null and cannot stand inside a text");
    check_values("a: ${}", "[]", NULL,
                 "f.yaml:1:1: \"${\" begins the name of a value, as in ${game}; a literal ${ is written $${");
    check_values("a: ${HOME:-x}", "[]", NULL,
                 "f.yaml:1:1: \"${\" begins the name of a value, as in ${game}; a literal ${ is written $${");
    check_values("a: ${n", "[]", NULL,
                 "f.yaml:1:1: \"${\" begins the name of a value, as in ${game}; a literal ${ is written $${");
}
