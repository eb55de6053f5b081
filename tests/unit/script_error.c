#include "script_frame.h"

static struct frame frame;

static const char *run(const char *text)
{
    frame_init(&frame, NULL, 128 << 20);
    frame_text(&frame, text);
    frame_free(&frame);
    return frame.result;
}

TEST(any_error_value_keeps_its_place)
{
    CHECK_TEXT(run("local function f()\n  error('text')\nend\nf()"), "text");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(frame.place.file, "playbooks/t.lua");
    CHECK_TEXT(run("\nlocal t = nil\nreturn t.x"), "attempt to index a nil value (local 't')");
    CHECK_INT(frame.place.line, 3);
    CHECK_TEXT(run("\n\nerror()"), "nil was raised as an error");
    CHECK_INT(frame.place.line, 3);
    CHECK_TEXT(run("\nerror(42)"), "42 (a number) was raised as an error");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(run("\nerror(print or type)"), "'print' was never declared (a missing 'local', or a wrong name)");
    CHECK_TEXT(run("\nerror(type)"), "function (a function) was raised as an error");
    CHECK_TEXT(run("\nerror({})"), "a table without a message was raised");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(run("\nerror({kind = 'missing', message = 'not here', code = 'X', status = 404})"), "not here");
    CHECK_INT(frame.err.kind, ERR_MISSING);
    CHECK_INT(frame.err.status, 404);
    CHECK_TEXT(frame.err.code, "X");
}

TEST(a_table_keeps_its_first_place_when_raised_again)
{
    CHECK_TEXT(run("local ok, e = pcall(function()\n  error({message = 'first'})\nend)\n\n\nerror(e)"), "first");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(run("local ok, e = pcall(function()\n  error('first')\nend)\n\n\nerror(e, 0)"), "first");
    CHECK_INT(frame.place.line, 2);
}

TEST(texts_that_look_like_places_are_left_alone)
{
    CHECK_TEXT(run("error('http://x:80: refused', 0)"), "http://x:80: refused");
    CHECK_TEXT(run("error('a:1: b', 0)"), "a:1: b");
}

TEST(a_hostile_tostring_is_bounded)
{
    CHECK_TEXT(run("error(setmetatable({}, {__tostring = function() while true do end end}))"),
               "an error whose text cannot be told");
    CHECK_TEXT(run("error(setmetatable({}, {__tostring = function() error('x') end}))"),
               "an error whose text cannot be told");
    CHECK_TEXT(run("error(setmetatable({}, {__tostring = function() return 'mine' end}))"), "mine");
    CHECK_TEXT(run("error(setmetatable({}, {__tostring = function() local s = 'x' while true do s = s .. s end end}))"),
               "an error whose text cannot be told");
}

TEST(errors_are_tables_with_a_text)
{
    CHECK_TEXT(run("local ok, e = pcall(wait, -1, true) return type(e) .. ' ' .. e.kind .. ' ' .. e .. ' ' .. e.line"),
               "table network the wait failed 1");
    CHECK_TEXT(run("local ok, e = pcall(wait, -1, true) return getmetatable(e)"), "error");
    CHECK_TEXT(run("local ok, e = pcall(function() x = 1 end) return e.explain .. e.kind"), "S403usage");
}

static int raise_it(lua_State *L)
{
    return script_raise(L, lua_touserdata(L, 1));
}

TEST(an_err_survives_the_border)
{
    struct err in = ERR_INIT, out;
    lua_State *L;

    frame_init(&frame, NULL, 32 << 20);
    L = script_lua(frame.script);
    err_set(&in, ERR_THROTTLED, "slow down");
    in.status = 429;
    in.retryable = in.maybe_done = true;
    in.retry_after_ms = 1500;
    snprintf(in.code, sizeof(in.code), "Throttling");
    snprintf(in.request_id, sizeof(in.request_id), "r-1");
    err_explain(&in, "H301");
    lua_pushcfunction(L, raise_it);
    lua_pushlightuserdata(L, &in);
    CHECK_INT(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
    script_to_err(L, -1, &out);
    CHECK_INT(out.kind, ERR_THROTTLED);
    CHECK_INT(out.status, 429);
    CHECK(out.retryable && out.maybe_done);
    CHECK_INT(out.retry_after_ms, 1500);
    CHECK_TEXT(out.code, "Throttling");
    CHECK_TEXT(out.request_id, "r-1");
    CHECK_TEXT(out.explain, "H301");
    CHECK_TEXT(out.message, "slow down");
    CHECK_INT(lua_gettop(L), 1);
    frame_free(&frame);
}

TEST(a_deep_recursion_is_an_error)
{
    CHECK(strstr(run("local function f() return 1 + f() end return f()"), "stack overflow") != NULL);
    CHECK_TEXT(frame.place.file, "playbooks/t.lua");
    CHECK(strstr(run("local s = setmetatable({}, {}) getmetatable(s).__index = function(t, k) return t[k .. 'x'] end "
                     "return s.x"),
                 "overflow") != NULL);
}
