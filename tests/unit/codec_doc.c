#include "base/event.h"
#include "codec/doc.h"
#include "codec/json.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct doc *parse(const char *text)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(text), &err);

    if (!doc)
        unit_fail(__FILE__, __LINE__, "%s: %s", text, err.message);
    return doc;
}

static void check_json(const struct doc *doc, const char *want)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    json_add(&out, doc, JSON_COMPACT);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
}

TEST(doc_scalars)
{
    struct doc *text = doc_text("a"), *number = doc_int(INT64_MIN), *real = doc_real(3.0), *flag = doc_bool(true);

    CHECK_TEXT(doc_as_text(text, "x"), "a");
    CHECK_TEXT(doc_as_text(number, "x"), "x");
    CHECK_TEXT(doc_as_text(NULL, "x"), "x");
    CHECK_INT(doc_as_int(number, 0), INT64_MIN);
    CHECK_INT(doc_as_int(real, 0), 3);
    CHECK_INT(doc_as_int(text, 7), 7);
    CHECK(doc_as_real(number, 0) == -0x1p63);
    CHECK(doc_as_bool(flag, false));
    CHECK(doc_as_bool(text, true));
    CHECK_INT(doc_as_view(number).len, 0);
    CHECK(!doc_real(NAN) && !doc_real(INFINITY) && !doc_real(-INFINITY));
    doc_unref(text);
    doc_unref(number);
    doc_unref(real);
    doc_unref(flag);
    real = doc_real(0x1p63);
    CHECK_INT(doc_as_int(real, -1), -1);
    doc_unref(real);
    real = doc_real(0.5);
    CHECK_INT(doc_as_int(real, -1), -1);
    doc_unref(real);
    CHECK_TEXT(doc_type_name(NULL), "null");
    CHECK(!doc_is(NULL, DOC_NULL));
    doc_unref(NULL);
    CHECK(!doc_ref(NULL) && !doc_copy(NULL));
}

TEST(doc_strings_are_always_utf8)
{
    static const char *const pairs[][2] = {
        {"gr\xc3\xbcn \xf0\x9f\x8e\xae", "gr\xc3\xbcn \xf0\x9f\x8e\xae"},
        {"a\xff"
         "b",
         "a\xef\xbf\xbd"
         "b"},
        {"\xc3", "\xef\xbf\xbd"},
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xb7\x90", "\xef\xb7\x90"},
    };
    struct doc *doc, *object = doc_object();

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        doc = doc_text(pairs[i][0]);
        CHECK_TEXT(doc_as_text(doc, NULL), pairs[i][1]);
        doc_unref(doc);
    }
    doc = doc_string(VIEW_LITERAL("a\0b"));
    CHECK_TEXT(doc_as_text(doc, NULL), "a\xef\xbf\xbd"
                                       "b");
    doc_unref(doc);
    doc = doc_text(NULL);
    CHECK_TEXT(doc_as_text(doc, NULL), "");
    doc_unref(doc);
    doc_set_int(object, "k\xff", 1);
    check_json(object, "{\"k\xef\xbf\xbd\":1}");
    doc_unref(object);
}

TEST(doc_objects_keep_their_order)
{
    struct doc *object = doc_object();
    const char **keys;

    doc_set_int(object, "z", 1);
    doc_set_bool(object, "a", false);
    doc_set_text(object, "m", "x");
    doc_set_text(object, "none", NULL);
    doc_set_int(object, "z", 2);
    doc_set(object, "B", doc_array());
    check_json(object, "{\"z\":2,\"a\":false,\"m\":\"x\",\"B\":[]}");
    CHECK_INT(doc_keys_sorted(object, &keys), 4);
    CHECK_TEXT(keys[0], "B");
    CHECK_TEXT(keys[3], "z");
    free(keys);
    CHECK(doc_remove(object, "a"));
    CHECK(!doc_remove(object, "a"));
    doc_set(object, "m", NULL);
    check_json(object, "{\"z\":2,\"B\":[]}");
    CHECK_INT(doc_size(object), 2);
    doc_clear(object);
    check_json(object, "{}");
    doc_unref(object);
    CHECK_INT(doc_keys_sorted(NULL, &keys), 0);
    free(keys);
}

TEST(doc_arrays)
{
    struct doc *array = doc_array(), *text = doc_text("t");

    doc_push(array, doc_int(1));
    doc_push(array, doc_int(3));
    doc_insert_at(array, 1, doc_int(2));
    doc_insert_at(array, 9, doc_int(9));
    doc_put_at(array, 0, doc_null());
    doc_put_at(array, 3, doc_int(9));
    doc_remove_at(array, 2);
    check_json(array, "[null,2]");
    doc_push(text, doc_int(1));
    doc_set(text, "a", doc_int(1));
    doc_push(NULL, doc_int(1));
    CHECK(!doc_at(array, 2) && !doc_at(text, 0) && !doc_get(array, "0") && !doc_get(NULL, "a"));
    CHECK_INT(doc_size(text), 0);
    CHECK_INT(doc_size(NULL), 0);
    doc_clear(array);
    CHECK_INT(doc_size(array), 0);
    doc_unref(array);
    doc_unref(text);
}

TEST(doc_equality)
{
    struct doc *a = parse("{\"a\":[1,2.5,{\"b\":null}],\"c\":\"\"}"),
               *b = parse("{\"c\":\"\",\"a\":[1,2.5,{\"b\":null}]}");
    struct doc *c = doc_copy(a), *one = doc_int(1), *real = doc_real(1.0);

    CHECK(doc_equal(a, b) && doc_equal(a, c) && doc_equal(NULL, NULL));
    CHECK(!doc_equal(a, NULL) && !doc_equal(one, real));
    doc_set_int(doc_path(c, "a", "2", NULL), "b", 1);
    CHECK(!doc_equal(a, c));
    doc_unref(a);
    doc_unref(b);
    doc_unref(c);
    doc_unref(one);
    doc_unref(real);
}

TEST(doc_paths_and_pointers)
{
    struct doc *doc =
        parse("{\"metadata\":{\"labels\":{\"app\":\"x\"}},\"l\":[{\"n\":1},[\"deep\"]],\"a/b~c\":1,\"\":2}");
    struct buf pointer;

    CHECK_TEXT(doc_path_text(doc, "metadata", "labels", "app", NULL), "x");
    CHECK(!doc_path_text(doc, "metadata", "labels", NULL) && !doc_path_text(doc, "x", "y", NULL));
    CHECK(doc_path(doc, NULL) == doc);
    CHECK_TEXT(doc_path_text(doc, "l", "1", "0", NULL), "deep");
    CHECK(!doc_path(doc, "l", "01", NULL) && !doc_path(doc, "l", "2", NULL) && !doc_path(doc, "l", "-1", NULL));
    CHECK(doc_pointer(doc, "") == doc);
    CHECK_INT(doc_as_int(doc_pointer(doc, "/l/0/n"), 0), 1);
    CHECK_INT(doc_as_int(doc_pointer(doc, "/a~1b~0c"), 0), 1);
    CHECK_INT(doc_as_int(doc_pointer(doc, "/"), 0), 2);
    CHECK(!doc_pointer(doc, "l") && !doc_pointer(doc, "/l/-") && !doc_pointer(doc, "/a~2") &&
          !doc_pointer(doc, "/l/0/n/x"));
    CHECK(!doc_pointer(doc, "/l/99999999999999999999999"));
    buf_init(&pointer, SIZE_MAX);
    doc_pointer_add(&pointer, "a/b~c");
    doc_pointer_add(&pointer, "");
    CHECK_TEXT(buf_text(&pointer), "/a~1b~0c/");
    buf_free(&pointer);
    doc_unref(doc);
}

static struct doc *double_a(void *ctx, struct view text)
{
    (*(int *)ctx)++;
    return view_is(text, "a") ? doc_text("aa") : NULL;
}

TEST(doc_strings_are_mapped_in_depth)
{
    struct doc *doc = parse("{\"a\":\"a\",\"l\":[\"a\",\"b\",1,[\"a\"]],\"o\":{\"x\":\"a\"}}");
    int calls = 0;

    doc_map_strings(doc, double_a, &calls);
    check_json(doc, "{\"a\":\"aa\",\"l\":[\"aa\",\"b\",1,[\"aa\"]],\"o\":{\"x\":\"aa\"}}");
    CHECK_INT(calls, 5);
    doc_map_strings(NULL, double_a, &calls);
    doc_unref(doc);
}

TEST(doc_strings_are_mapped_in_a_copy_that_shares)
{
    static const char text[] = "{\"a\":\"a\",\"l\":[\"a\",\"b\",1],\"o\":{\"x\":\"b\"},\"n\":null}";
    struct doc *doc = parse(text), *same = parse("{\"l\":[\"b\"]}"), *mapped;
    int calls = 0;

    mapped = doc_mapped(doc, double_a, &calls);
    check_json(mapped, "{\"a\":\"aa\",\"l\":[\"aa\",\"b\",1],\"o\":{\"x\":\"b\"},\"n\":null}");
    check_json(doc, text);
    CHECK(doc_get(mapped, "o") == doc_get(doc, "o"));
    doc_unref(mapped);
    mapped = doc_mapped(same, double_a, &calls);
    CHECK(mapped == same);
    doc_unref(mapped);
    doc_unref(same);
    doc_unref(doc);
}

TEST(doc_without_some_members)
{
    struct doc *doc = parse("{\"a\":{\"x\":1},\"b\":2,\"c\":3}"), *out;

    out = doc_without(doc, (const char *const[]){"c", "none"}, 2);
    check_json(out, "{\"a\":{\"x\":1},\"b\":2}");
    CHECK(doc_get(out, "a") == doc_get(doc, "a"));
    CHECK_INT(doc_size(doc), 3);
    doc_unref(out);
    CHECK(!doc_without(NULL, NULL, 0));
    doc_unref(doc);
}

/* RFC 7386, appendix A (those whose target and result are objects). */
TEST(doc_merge_patches)
{
    static const char *const cases[][3] = {
        {"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
        {"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
        {"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
        {"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
        {"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
        {"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}"},
        {"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
        {"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
        {"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doc *target = parse(cases[i][0]), *patch = parse(cases[i][1]);

        doc_merge_patch(target, patch);
        check_json(target, cases[i][2]);
        doc_unref(target);
        doc_unref(patch);
    }
}

/* RFC 6902, appendix A, and its rules in section 4; NULL: refused. */
TEST(doc_json_patches)
{
    static const char *const cases[][3] = {
        {"{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
         "{\"foo\":\"bar\",\"baz\":\"qux\"}"},
        {"{\"foo\":[1,3]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":2}]", "{\"foo\":[1,2,3]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":2}]", "{\"foo\":[1,2]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/-\",\"value\":[2]}]", "{\"foo\":[1,[2]]}"},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/2\",\"value\":2}]", NULL},
        {"{\"foo\":[1]}", "[{\"op\":\"add\",\"path\":\"/foo/01\",\"value\":2}]", NULL},
        {"{\"baz\":1,\"foo\":2}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":2}"},
        {"{\"foo\":[1,2,3]}", "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[1,3]}"},
        {"{\"foo\":1}", "[{\"op\":\"remove\",\"path\":\"/baz\"}]", NULL},
        {"{\"baz\":1}", "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":2}]", "{\"baz\":2}"},
        {"{\"l\":[1,2]}", "[{\"op\":\"replace\",\"path\":\"/l/0\",\"value\":0}]", "{\"l\":[0,2]}"},
        {"{\"baz\":1}", "[{\"op\":\"replace\",\"path\":\"/x\",\"value\":2}]", NULL},
        {"{\"l\":[1]}", "[{\"op\":\"replace\",\"path\":\"/l/-\",\"value\":2}]", NULL},
        {"{\"a\":{\"b\":1},\"c\":{}}", "[{\"op\":\"move\",\"from\":\"/a/b\",\"path\":\"/c/d\"}]",
         "{\"a\":{},\"c\":{\"d\":1}}"},
        {"{\"l\":[1,2,3]}", "[{\"op\":\"move\",\"from\":\"/l/0\",\"path\":\"/l/2\"}]", "{\"l\":[2,3,1]}"},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b\"}]", NULL},
        {"{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]",
         "{\"a\":{\"b\":1},\"c\":{\"b\":1}}"},
        {"{\"a\":[1,\"x\"]}", "[{\"op\":\"test\",\"path\":\"/a/1\",\"value\":\"x\"}]", "{\"a\":[1,\"x\"]}"},
        {"{\"a\":1}", "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"1\"}]", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[]}]", "[]"},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b/c\",\"value\":1}]", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a/c\",\"value\":1}]", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"b\",\"value\":1}]", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\"}]", NULL},
        {"{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/b\",\"value\":null}]", "{\"a\":1,\"b\":null}"},
        {"{\"a\":1}", "[{\"op\":\"chop\",\"path\":\"/a\"}]", NULL},
        {"{\"a\":1}", "[{\"op\":\"remove\",\"path\":\"/a\"},{\"op\":\"remove\",\"path\":\"/a\"}]", NULL},
        {"{\"a\":1}", "{}", NULL},
        {"{\"a\":{\"b\":[1]}}", "[{\"op\":\"remove\",\"path\":\"\"},{\"op\":\"add\",\"path\":\"\",\"value\":1}]", "1"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct doc *doc = parse(cases[i][0]), *before = doc_copy(doc), *patch = parse(cases[i][1]), *result;
        struct err err = ERR_INIT;

        result = doc_json_patch(doc, patch, &err);
        if (cases[i][2])
            check_json(result, cases[i][2]);
        else if (result)
            unit_fail(__FILE__, __LINE__, "%s was taken", cases[i][1]);
        CHECK(doc_equal(doc, before));
        doc_unref(doc);
        doc_unref(before);
        doc_unref(patch);
        doc_unref(result);
    }
}

TEST(events_begin_alike)
{
    struct doc *event = event_new("step.start");

    doc_set_int(event, "attempt", 1);
    event_stamp(event, 7, 1893456000007, "r1", "game");
    check_json(event, "{\"type\":\"step.start\",\"seq\":7,\"time\":\"2030-01-01T00:00:00.007Z\",\"run\":\"r1\","
                      "\"step\":\"game\",\"attempt\":1}");
    event_stamp(event, 8, -1, NULL, NULL);
    check_json(event, "{\"type\":\"step.start\",\"seq\":8,\"time\":\"1969-12-31T23:59:59.999Z\",\"attempt\":1}");
    doc_unref(event);
}

TEST(errors_survive_the_way_through_a_document)
{
    struct err err = ERR_INIT, back = ERR_INIT;
    struct doc *doc;

    err_set(&err, ERR_THROTTLED, "slow %s", "down");
    err.status = 429;
    err.retryable = true;
    err.retry_after_ms = 1500;
    strcpy(err.code, "TooManyRequests");
    strcpy(err.request_id, "r-1");
    err_explain(&err, "K104");
    doc = doc_from_err(&err);
    check_json(doc, "{\"kind\":\"throttled\",\"message\":\"slow down\",\"code\":\"TooManyRequests\",\"status\":429,"
                    "\"request_id\":\"r-1\",\"explain\":\"K104\",\"retryable\":true,\"retry_after_ms\":1500}");
    doc_to_err(doc, &back);
    CHECK_INT(back.kind, ERR_THROTTLED);
    CHECK_INT(back.status, 429);
    CHECK_INT(back.retry_after_ms, 1500);
    CHECK(back.retryable && !back.maybe_done);
    CHECK_TEXT(back.message, "slow down");
    CHECK_TEXT(back.request_id, "r-1");
    CHECK_TEXT(back.explain, "K104");
    doc_unref(doc);
    doc_to_err(NULL, &back);
    CHECK_INT(back.kind, ERR_INTERNAL);
}
