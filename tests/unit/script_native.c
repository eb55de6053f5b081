#include "script_frame.h"

static struct frame frame;

static const char *run(const char *text)
{
    struct err err = ERR_INIT;

    frame_init(&frame, NULL, 64 << 20);
    CHECK_INT(script_require(frame.script, "dosrun.native.script", &err), 0);
    script_global(frame.script, "native");
    frame_text(&frame, text);
    frame_free(&frame);
    return frame.result;
}

TEST(marks_survive_and_are_found)
{
    CHECK_TEXT(run("local u = native.unknown('step image') return tostring(native.known('a ' .. u .. ' b')) .. "
                   "tostring(native.known('a'))"),
               "falsetrue");
    CHECK_TEXT(run("local u = native.unknown('x') return tostring(native.known({1, {a = {u}}})) .. "
                   "tostring(native.known({1, {2}}))"),
               "falsetrue");
    CHECK_TEXT(run("local u = native.unknown('x') return tostring(native.known({[u] = 1}))"), "false");
    CHECK_TEXT(run("local u = native.unknown('x') return tostring(native.known(native.freeze({u}, 'f')))"), "false");
    CHECK_TEXT(run("local t = {} t[1] = t return tostring(native.known(t))"), "true");
    CHECK_TEXT(run("return tostring(native.known(native.secret('pass')))"), "true");
    CHECK_TEXT(run("return tostring(native.secret('password'):find('password', 1, true))"), "nil");
    CHECK_TEXT(run("return tostring(native.secret('a') == native.secret('a')) .. tostring(native.secret('a') == "
                   "native.secret('b'))"),
               "truefalse");
}

TEST(what_is_derived_from_a_secret_is_one)
{
    CHECK_TEXT(run("return native.base64('user:pass')"), "dXNlcjpwYXNz");
    CHECK_TEXT(run("return native.sha256('')"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK_TEXT(run("local s = native.base64('user:' .. native.secret('pass')) return tostring(s == "
                   "native.secret('dXNlcjpwYXNz'))"),
               "true");
    CHECK_TEXT(run("return tostring(native.known(native.sha256('x' .. native.unknown('step a'))))"), "false");
    CHECK_TEXT(run("return tostring(native.base64(native.unknown('step a')) == native.unknown('step a'))"), "true");
}

TEST(documents_have_text_forms)
{
    CHECK_TEXT(run("return native.json({b = {}, a = native.array {}, c = native.null})"),
               "{\"a\":[],\"b\":{},\"c\":null}");
    CHECK_TEXT(run("return native.json_decode('{\"a\":[1,2]}').a[2]"), "2");
    CHECK_TEXT(run("return tostring(native.json_decode('null') == native.null)"), "true");
    CHECK(strstr(run("return native.json_decode('{')"), "line 1") != NULL);
    CHECK_TEXT(run("return native.json({f = print or type})"),
               "'print' was never declared (a missing 'local', or a wrong name)");
    CHECK_TEXT(run("return native.json({f = type})"), "argument 1: f: a function cannot be put in a document");
    CHECK_TEXT(run("local all = native.yaml_decode('a: 1\\n---\\nb: [x]\\n', 'm.yaml') return #all .. all[1].a .. "
                   "all[2].b[1]"),
               "21x");
    CHECK_TEXT(run("return native.yaml({a = 1, b = {'x'}})"), "a: 1\nb:\n- x\n");
    CHECK(strstr(run("return native.yaml_decode('a: [', 'm.yaml')"), "m.yaml:") != NULL);
}

TEST(values_compare_and_copy_as_documents)
{
    CHECK_TEXT(run("return tostring(native.equal({a = {1}}, {a = {1}})) .. tostring(native.equal({1}, {2})) .. "
                   "tostring(native.equal(nil, nil))\n"
                   ".. tostring(native.equal({}, nil))"),
               "truefalsetruefalse");
    CHECK_TEXT(run("local t = {a = {1}} local c = native.copy(t) c.a[1] = 2 return t.a[1] .. c.a[1]"), "12");
    CHECK_TEXT(run("return native.copy({f = type})"), "f: a function cannot be put in a document");
    CHECK_TEXT(run("return tostring(native.is_array(native.array())) .. tostring(native.is_array({}))"), "truefalse");
}

TEST(read_only_faces_hold)
{
    CHECK_TEXT(run("local f = native.freeze({x = 1}, 'facts') f.x = 2"), "facts.x cannot be set: facts is read-only");
    CHECK_TEXT(run("local f = native.freeze({x = 1, y = 2}, 'facts') local n = 0 for k, v in pairs(f) do n = n + v end "
                   "return n"),
               "3");
    CHECK_TEXT(run("return #native.freeze({1, 2}, 'facts') .. next(native.freeze({7}, 'x'))"), "21");
    CHECK_TEXT(run("table.insert(native.freeze({1}, 'facts'), 2)"), "facts cannot be changed: it is read-only");
}

TEST(errors_can_be_made_and_read)
{
    CHECK_TEXT(run("\nnative.raise({kind = 'conflict', message = 'no', explain = 'K1'})"), "no");
    CHECK_INT(frame.err.kind, ERR_CONFLICT);
    CHECK_TEXT(frame.err.explain, "K1");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(run("local e = native.error(select(2, pcall(error, 'x'))) return e.kind .. e.message"), "usagex");
    CHECK_TEXT(run("local ok, e = pcall(function()\n error('x') end) e = native.error(e) return e.message .. e.file .. "
                   "e.line"),
               "xplaybooks/t.lua2");
    CHECK_TEXT(run("local file, line = native.place() return file .. line"), "playbooks/t.lua1");
}
