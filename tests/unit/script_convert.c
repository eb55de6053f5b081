#include "script_frame.h"
#include "codec/json.h"

#include <lualib.h>

static struct frame frame;

/* The JSON of the value that a text returns, or the error. */
static const char *json_of(const char *text)
{
    static char out[4096];
    struct err err = ERR_INIT;
    struct doc *doc = NULL;
    lua_State *L;

    frame_init(&frame, NULL, 64 << 20);
    L = script_lua(frame.script);
    lua_pushcfunction(L, script_array);
    lua_setglobal(L, "array");
    lua_pushlightuserdata(L, NULL);
    lua_setglobal(L, "null");
    luaL_requiref(L, "string", luaopen_string, 1);
    lua_settop(L, 0);
    if (luaL_dostring(L, text))
        snprintf(out, sizeof(out), "%s", lua_tostring(L, -1));
    else if (script_to_doc(L, -1, &doc, &err) < 0)
        snprintf(out, sizeof(out), "%s", err.message);
    else {
        struct buf json;

        buf_init(&json, sizeof(out));
        json_add(&json, doc, 0);
        snprintf(out, sizeof(out), "%s", buf_text(&json));
        buf_free(&json);
    }
    CHECK_INT(lua_gettop(L), 1);
    doc_unref(doc);
    frame_free(&frame);
    return out;
}

TEST(lua_values_become_documents)
{
    CHECK_TEXT(json_of("return {b = 1, a = {1, 2, 'x'}, c = true, d = null, e = 0.5}"),
               "{\"a\":[1,2,\"x\"],\"b\":1,\"c\":true,\"d\":null,\"e\":0.5}");
    CHECK_TEXT(json_of("return {9223372036854775807, -9223372036854775807 - 1, 2^53}"),
               "[9223372036854775807,-9223372036854775808,9007199254740992.0]");
    CHECK_TEXT(json_of("return {a = {}, b = array {}, c = array()}"), "{\"a\":{},\"b\":[],\"c\":[]}");
    CHECK_TEXT(json_of("return 'text'"), "\"text\"");
    CHECK_TEXT(json_of("return null"), "null");
}

TEST(what_no_document_holds_is_refused_by_path)
{
    CHECK_TEXT(json_of("return {spec = {ports = {function() end}}}"),
               "spec.ports[1]: a function cannot be put in a document");
    CHECK_TEXT(json_of("return nil"), "nil cannot be put in a document; dosrun.null can");
    CHECK_TEXT(json_of("return {a = 0/0}"), "a: a number that is not finite cannot be put in a document");
    CHECK_TEXT(json_of("return {1/0}"), "[1]: a number that is not finite cannot be put in a document");
    CHECK_TEXT(json_of("return {a = {1, x = 2}}"), "a: a table is either a list or has names, not both");
    CHECK_TEXT(json_of("return {[1] = 1, [3] = 1}"),
               "a list with holes cannot be put in a document; dosrun.null fills one");
    CHECK_TEXT(json_of("return {[1e300] = 1}"),
               "a key that is a number, but not 1, 2, 3, ... cannot be put in a document");
    CHECK_TEXT(json_of("return {[0] = 1}"), "a key that is a number, but not 1, 2, 3, ... cannot be put in a document");
    CHECK_TEXT(json_of("return {[true] = 1}"), "a key that is boolean cannot be put in a document");
    CHECK_TEXT(json_of("return array {x = 1}"), "an array cannot have names as keys");
    CHECK_TEXT(json_of("return {a = '\\xff'}"), "a: this text is not UTF-8");
    CHECK_TEXT(json_of("return {['\\xc3'] = 1}"), "this text is not UTF-8");
    CHECK_TEXT(json_of("return {a = 'x\\0y'}"), "a: a text with a NUL byte cannot be put in a document; base64 can");
    CHECK_TEXT(json_of("local t = {} t.a = {b = t} return t"), "a.b: this table contains itself");
}

TEST(depth_and_size_are_bounded)
{
    CHECK_TEXT(json_of("local t = 1 for i = 1, 63 do t = {t} end return #t"), "1");
    CHECK(strstr(json_of("local t = 1 for i = 1, 64 do t = {t} end return t"), "[[[") != NULL);
    CHECK(strstr(json_of("local t = 1 for i = 1, 65 do t = {t} end return t"), "64 levels deep at most") != NULL);
    CHECK(strstr(json_of("local t = 'x' for i = 1, 40 do t = {t, t} end return t"), "half a million values at most") !=
          NULL);
    CHECK(strstr(json_of("local t = {} local s = ('x'):rep(1 << 20) for i = 1, 70 do t[i] = s end return t"),
                 "64 MiB of text at most") != NULL);
}

TEST(documents_come_back_as_they_were)
{
    static const char *const TEXTS[] = {"{\"a\":[],\"b\":{},\"c\":[1,2.5,null,\"x\",true]}", "[[[]],{}]",
                                        "9007199254740993", "\"\"", "1.0"};

    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        struct err err = ERR_INIT;
        struct doc *doc = json_parse(view_of(TEXTS[i]), &err), *back = NULL;

        REQUIRE(doc);
        frame_init(&frame, NULL, 32 << 20);
        script_push_doc(script_lua(frame.script), doc);
        CHECK_INT(script_to_doc(script_lua(frame.script), -1, &back, &err), 0);
        CHECK(doc_equal(doc, back));
        doc_unref(doc);
        doc_unref(back);
        frame_free(&frame);
    }
}

TEST(read_only_faces_convert_as_what_they_show)
{
    struct err err = ERR_INIT;
    struct doc *doc = NULL;
    lua_State *L;

    frame_init(&frame, NULL, 32 << 20);
    L = script_lua(frame.script);
    lua_newtable(L);
    lua_pushinteger(L, 1);
    lua_setfield(L, -2, "a");
    script_freeze(L, -1, "facts");
    CHECK_INT(script_to_doc(L, -1, &doc, &err), 0);
    CHECK_INT(doc_as_int(doc_get(doc, "a"), 0), 1);
    doc_unref(doc);
    frame_free(&frame);
}

TEST(script_bytes_are_kept_as_they_are)
{
    struct err err = ERR_INIT;
    struct doc *doc = NULL;
    struct view text;
    lua_State *L;

    frame_init(&frame, NULL, 64 << 20);
    L = script_lua(frame.script);
    REQUIRE(!luaL_dostring(L, "return {blob = 'a\\0\\xff'}"));
    REQUIRE(script_to_bytes(L, -1, &doc, &err) == 0);
    text = doc_as_view(doc_get(doc, "blob"));
    CHECK(view_equal(text, (struct view){"a\0\xff", 3}));
    script_push_doc(L, doc);
    lua_getfield(L, -1, "blob");
    CHECK_INT((long long)lua_rawlen(L, -1), 3);
    doc_unref(doc);

    REQUIRE(!luaL_dostring(L, "return {['\\xff'] = 1}"));
    CHECK(script_to_bytes(L, -1, &doc, &err) < 0);
    CHECK_TEXT(err.message, "this text is not UTF-8");
    frame_free(&frame);
}
