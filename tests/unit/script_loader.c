#include "script_frame.h"

static struct frame frame;

static const char *run_files(const struct frame_file *files)
{
    frame_init(&frame, files, 32 << 20);
    frame_start(&frame, "playbooks/t.lua");
    if (frame.waiting)
        frame_wake(&frame);
    frame_free(&frame);
    return frame.result;
}

static const char *run(const char *text)
{
    const struct frame_file files[] = {{"playbooks/t.lua", text}, {NULL, NULL}};

    return run_files(files);
}

TEST(require_finds_the_projects_lib)
{
    static const struct frame_file files[] = {
        {"playbooks/t.lua",
         "local a, b = require 'one', require 'deep.two' return a.x + b + (require 'one' == a and 1 or 0)"},
        {"lib/one.lua", "local name, path = ... return {x = 10, name = name, path = path}"},
        {"lib/deep/two/init.lua", "return 5"},
        {NULL, NULL}};

    CHECK_TEXT(run_files(files), "16");
}

TEST(a_module_without_a_value_is_true)
{
    static const struct frame_file files[] = {
        {"playbooks/t.lua", "return tostring(require 'empty')"}, {"lib/empty.lua", ""}, {NULL, NULL}};

    CHECK_TEXT(run_files(files), "true");
}

TEST(a_missing_module_lists_the_places)
{
    CHECK_TEXT(run("require 'no.such'"),
               "module 'no.such' was not found; looked at: lib/no/such.lua, lib/no/such/init.lua");
    CHECK_TEXT(frame.err.explain, "S408");
    CHECK_TEXT(frame.place.file, "playbooks/t.lua");
    CHECK_TEXT(
        run("require 'dosrun'"),
        "module 'dosrun' was not found; looked at: lib/dosrun.lua, lib/dosrun/init.lua; did you mean 'dosrun.v1'?");
    CHECK_TEXT(run("require 'dosrun.v99'"),
               "module 'dosrun.v99' was not found; looked at: dosrun/v99.lua inside dosrun");
}

TEST(names_cannot_leave_the_project)
{
    static const char *const NAMES[] = {"..secret", "a..b", "/etc/passwd", "a/../b", "", "a.", ".a", "a\\0b", "a b"};

    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        char text[80];

        snprintf(text, sizeof(text), "require '%s'", NAMES[i]);
        CHECK_TEXT(run(text), "a module's name is made of letters, digits, '_', '-' and single dots");
    }
}

TEST(native_modules_are_for_the_engine)
{
    static const char inside[] = "module 'dosrun.native.script' is inside the engine; a playbook takes 'dosrun.v1'";

    CHECK_TEXT(run("require 'dosrun.native.script'"), inside);
    CHECK_TEXT(run("require 'dosrun.parallel'"),
               "module 'dosrun.parallel' is inside the engine; a playbook takes 'dosrun.v1'");
}

TEST(what_the_engine_loaded_stays_closed_to_playbooks)
{
    struct err err = ERR_INIT;
    static const struct frame_file files[] = {{"playbooks/t.lua", "require 'dosrun.native.script'"}, {NULL, NULL}};

    frame_init(&frame, files, 32 << 20);
    REQUIRE(script_require(frame.script, "dosrun.native.script", &err) == 0);
    lua_pop(script_lua(frame.script), 1);
    frame_start(&frame, "playbooks/t.lua");
    CHECK_TEXT(frame.result, "module 'dosrun.native.script' is inside the engine; a playbook takes 'dosrun.v1'");
    CHECK(script_require(frame.script, "dosrun.native.none", &err) < 0);
    CHECK_TEXT(err.message, "the binary has no module 'dosrun.native.none'");
    CHECK_INT(lua_gettop(script_lua(frame.script)), 0);
    frame_free(&frame);
}

TEST(a_module_may_wait_while_it_loads)
{
    static const struct frame_file files[] = {
        {"playbooks/t.lua", "return require 'slow' + 1"}, {"lib/slow.lua", "return wait(41)"}, {NULL, NULL}};

    CHECK_TEXT(run_files(files), "42");
}

TEST(a_loop_of_modules_is_told)
{
    static const struct frame_file files[] = {
        {"playbooks/t.lua", "require 'a'"}, {"lib/a.lua", "require 'b'"}, {"lib/b.lua", "require 'a'"}, {NULL, NULL}};

    CHECK_TEXT(run_files(files), "module 'a' requires itself, by way of others or directly");
    CHECK_TEXT(frame.place.file, "lib/b.lua");
}

TEST(an_error_in_a_module_names_its_line)
{
    static const struct frame_file syntax[] = {
        {"playbooks/t.lua", "\nrequire 'a'"}, {"lib/a.lua", "\nreturn = 1"}, {NULL, NULL}};
    static const struct frame_file failing[] = {
        {"playbooks/t.lua", "\nrequire 'a'"}, {"lib/a.lua", "\n\nerror('no')"}, {NULL, NULL}};
    static const struct frame_file again[] = {
        {"playbooks/t.lua", "pcall(require, 'a') return select(2, pcall(require, 'a'))"},
        {"lib/a.lua", "error('no', 0)"},
        {NULL, NULL}};

    CHECK_TEXT(run_files(syntax), "lib/a.lua:2: unexpected symbol near '='");
    CHECK_TEXT(run_files(failing), "no");
    CHECK_TEXT(frame.place.file, "lib/a.lua");
    CHECK_INT(frame.place.line, 3);
    CHECK_TEXT(run_files(again), "no");
}

TEST(a_missing_playbook_is_missing)
{
    static const struct frame_file files[] = {{"other.lua", ""}, {NULL, NULL}};

    CHECK_TEXT(run_files(files), "playbooks/t.lua: no such file");
    CHECK_INT(frame.err.kind, ERR_MISSING);
}

TEST(cjson_is_there_with_order_and_without_settings)
{
    CHECK_TEXT(run("local cjson = require 'cjson' return cjson.encode({b = 1, a = {true, cjson.null}})"),
               "{\"a\":[true,null],\"b\":1}");
    CHECK_TEXT(run("local cjson = require 'cjson' local t = cjson.decode('{\"a\": [1, null]}')\n"
                   "return tostring(t.a[1] == 1) .. tostring(t.a[2] == cjson.null)"),
               "truetrue");
    CHECK_TEXT(run("require('cjson').encode_max_depth(1e9)"), "cjson has no 'encode_max_depth'");
    CHECK_TEXT(run("require('cjson').decode('{')"), "Expected object key string but found T_END at character 2");
    CHECK_TEXT(run("require('cjson').encode = 1"), "cjson.encode cannot be set: cjson is read-only");
}
