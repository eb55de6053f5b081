#include "codec/json.h"
#include "codec/yaml.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void check_back(const struct doc *doc)
{
    struct err err = ERR_INIT;
    struct yaml_file *file;
    struct buf out;

    for (int sorted = 0; sorted < 2; sorted++) {
        buf_init(&out, SIZE_MAX);
        yaml_add(&out, doc, sorted);
        file = yaml_parse("f", buf_view(&out), &err);
        if (!file || yaml_count(file) != 1 || !doc_equal(doc, yaml_doc(file, 0)))
            unit_fail(__FILE__, __LINE__, "not the same again: <<%s>> %s", buf_text(&out), file ? "" : err.message);
        yaml_free(file);
        buf_free(&out);
    }
}

static void check_written(const char *json, bool sorted, const char *want)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(json), &err);
    struct buf out;

    buf_init(&out, SIZE_MAX);
    yaml_add(&out, doc, sorted);
    CHECK_TEXT(buf_text(&out), want);
    check_back(doc);
    buf_free(&out);
    doc_unref(doc);
}

TEST(yaml_is_laid_out_as_kubectl_does)
{
    check_written("{\"kind\":\"A\",\"b\":[{\"x\":1,\"z\":[]},[1,[2]],\"s\"],\"a\":{\"c\":{\"d\":null},\"e\":{}}}",
                  false, "kind: A\nb:\n- x: 1\n  z: []\n- - 1\n  - - 2\n- s\na:\n  c:\n    d: null\n  e: {}\n");
    check_written("{\"b\":1,\"a\":true}", true, "a: true\nb: 1\n");
    check_written("[]", false, "[]\n");
    check_written("\"a b\"", false, "a b\n");
    check_written("{\"t\":\"a\\nb\\n\",\"u\":[\"x\\n\\ny\"],\"v\":\"q\\n\\n\",\"w\":1}", false,
                  "t: |\n  a\n  b\nu:\n- |-\n  x\n\n  y\nv: |+\n  q\n\nw: 1\n");
    check_written("{\"image\":\"repo/app:1.2@sha256:0\",\"url\":\"https://x/y?a=b&c#d\",\"cmd\":\"sh -c 'a'\"}", false,
                  "image: repo/app:1.2@sha256:0\nurl: https://x/y?a=b&c#d\ncmd: sh -c 'a'\n");
}

TEST(yaml_quotes_what_would_read_as_something_else)
{
    static const char *const texts[] = {
        "yes",
        "No",
        "on",
        "y",
        "N",
        "true",
        "FALSE",
        "null",
        "~",
        "",
        " ",
        "1",
        "1.0",
        "0x10",
        "0o17",
        "017",
        "1_000",
        "-1",
        "+1",
        ".5",
        "-.5",
        "1e3",
        "1e999",
        ".inf",
        "-.INF",
        ".NaN",
        "12:30",
        "2001-01-01",
        "1:2:3.5",
        "<<",
        "=",
        "-",
        "- a",
        "-a",
        "?",
        "? a",
        ":",
        ": ",
        "a: b",
        "a:",
        "a #b",
        "a#b",
        "#",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'",
        "\"",
        "'a'",
        "\"a\"",
        "[a]",
        "{a}",
        "a]",
        ",",
        "a, b",
        "---",
        "--- a",
        "...",
        "... a",
        " a",
        "a ",
        "\ta",
        "a\t",
        "a\tb",
        "\n",
        "\n\n",
        "a\n",
        "a\nb",
        "a\n\n",
        "a\n\nb\n\n\n",
        "\na",
        "\n a",
        " a\nb",
        "a\n b",
        "a\n  ",
        "a \nb",
        "a\n\tb",
        "\t\n",
        "a\r\nb",
        "a\rb",
        "\r",
        "# a\nb",
        "- a\n- b",
        "a: b\nc: d\n",
        "---\na",
        "a\n---\n",
        "\\",
        "a\\nb",
        "gr\xc3\xbcn",
        "\xf0\x9f\x8e\xae",
        "\xc2\x85",
        "a\xe2\x80\xa8"
        "b",
        "\xef\xbb\xbf",
        "\xef\xbb\xbf\nb",
        "\xef\xbf\xbe",
        "\x7f",
        "\x1b[0m",
        "a\x01\nb",
        "\xef\xb7\x90s\xef\xb7\x91",
        "\xef\xbf\xbd",
        "0b1",
        "0.1.2",
        "v1",
        "1.2.3",
        "12e34",
        "0x",
        "0xg",
        "1,000",
        "null ",
        "nulL",
        "tRUE",
        "a\nb: |\n",
        "key with blanks",
        "a?b",
        "?b",
        "a\xc2\xa0",
        "%",
        "${a}",
        "$",
        "$a",
        "^",
        "\\x",
        "(a)",
        "/",
        "a/b",
        "+",
        "+a",
        ";",
    };
    char *long_text = mem_alloc(5001);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct doc *text = doc_text(texts[i]), *object = doc_object(), *list = doc_array(), *inner = doc_object();

        check_back(text);
        doc_set(inner, texts[i], doc_ref(text));
        doc_push(list, doc_ref(text));
        doc_push(list, inner);
        doc_set(object, texts[i], list);
        doc_set(object, "last", doc_ref(text));
        check_back(object);
        doc_unref(text);
        doc_unref(object);
    }
    memset(long_text, 'k', 5000);
    for (size_t len = 400; len <= 5000; len += 200) {
        struct doc *object = doc_object(), *inner = doc_object(), *list = doc_array();
        char *key = mem_view((struct view){long_text, len});

        doc_set_text(inner, key, key);
        doc_push(list, inner);
        doc_set(object, key, list);
        key[len - 1] = '\n';
        doc_set_text(object, key, key);
        check_back(object);
        free(key);
        doc_unref(object);
    }
    free(long_text);
}

TEST(yaml_numbers_come_back)
{
    static const double reals[] = {0.1, 1e300, 5e-324, -0.0, 1.0, 1e16, 123456789.125, -1e-7};
    static const int64_t ints[] = {0, -1, INT64_MAX, INT64_MIN};
    struct doc *list = doc_array();

    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++)
        doc_push(list, doc_real(reals[i]));
    for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++)
        doc_push(list, doc_int(ints[i]));
    check_back(list);
    doc_unref(list);
}
