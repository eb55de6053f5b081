#include "script_frame.h"

/* Runs one text in a fresh script; what it returned, or its error's message. */
static const char *run(const char *text)
{
    static struct frame frame;

    frame_init(&frame, NULL, 32 << 20);
    frame_text(&frame, text);
    frame_free(&frame);
    return frame.result;
}

TEST(a_file_returns_its_values)
{
    CHECK_TEXT(run("return 1 + 1"), "2");
    CHECK_TEXT(run("#!/usr/bin/env dosrun\nreturn 'after a first line'"), "after a first line");
    CHECK_TEXT(run("\xEF\xBB\xBFreturn 'after a mark'"), "after a mark");
    CHECK_TEXT(run(""), "");
}

TEST(a_syntax_error_has_file_and_line)
{
    CHECK_TEXT(run("local x = \n\n= 3"), "playbooks/t.lua:3: unexpected symbol near '='");
    CHECK_TEXT(run("\x1bLua whatever"), "playbooks/t.lua: this is compiled Lua; only text is loaded");
}

TEST(globals_are_strict)
{
    CHECK_TEXT(run("x = 1"), "'x' is not a local: write 'local x' where it begins");
    CHECK_TEXT(run("return piars"), "'piars' was never declared; did you mean 'pairs'?");
    CHECK_TEXT(run("return qqqqqq"), "'qqqqqq' was never declared (a missing 'local', or a wrong name)");
    CHECK_TEXT(run("return os.getenv('HOME')"),
               "playbooks have no os: a playbook reaches the outside only through dosrun");
    CHECK_TEXT(run("return math.random()"),
               "playbooks have no math.random: a run must be the same when it is repeated");
    CHECK_TEXT(run("return string.lenn"), "string has no 'lenn'; did you mean 'len'?");
    CHECK_TEXT(run("return ('x'):uper()"), "string has no 'uper'; did you mean 'upper'?");
    CHECK_TEXT(run("rawset(_ENV, 'x', 1)"), "this table cannot be changed: it is read-only");
}

TEST(libraries_are_read_only)
{
    CHECK_TEXT(run("string.len = nil"), "string.len cannot be set: string is read-only");
    CHECK_TEXT(run("table.insert(math, 1)"), "math cannot be changed: it is read-only");
    CHECK_TEXT(run("rawset(string, 'len', 1)"), "this table cannot be changed: it is read-only");
    CHECK_TEXT(run("return getmetatable('').__index"), "string has no '__index'");
    CHECK_TEXT(run("return getmetatable('')"), "string");
    CHECK_TEXT(run("setmetatable(string, {})"), "the metatable of this table cannot be changed");
    CHECK_TEXT(run("local n = 0 for k in pairs(utf8) do n = n + 1 end return n"), "6");
}

TEST(no_text_shows_an_address)
{
    CHECK_TEXT(run("return tostring({}) .. ' ' .. tostring(tostring)"), "table function");
    CHECK_TEXT(run("return string.format('%p %s %5s|%%s %d', {}, pairs, 'x', 7)"), "table function     x|%s 7");
    CHECK_TEXT(run("return ('%s'):format(setmetatable({}, {__tostring = function() return 'mine' end}))"), "mine");
    CHECK_TEXT(run("return ('%s'):format(setmetatable({}, {__name = 'mine'}))"), "mine");
    CHECK_TEXT(run("return string.format('%d', {})"),
               "bad argument #2 to 'string.format' (number expected, got table)");
}

TEST(pairs_walk_in_sorted_order)
{
    CHECK_TEXT(run("local t = {b = 1, a = 1, [2.5] = 1, [-1] = 1, [true] = 1, [false] = 1, 'x', 'y', 'z'}\n"
                   "local out = {} for k in pairs(t) do out[#out + 1] = tostring(k) end return table.concat(out, ' ')"),
               "-1 1 2 2.5 3 a b false true");
    CHECK_TEXT(run("local a, b, c = {}, {}, {} local name = {[a] = 'a', [b] = 'b', [c] = 'c'}\n"
                   "for k in pairs({[c] = 1}) do end for k in pairs({[a] = 1}) do end\n"
                   "local out = '' for k in pairs({[a] = 1, [b] = 1, [c] = 1}) do out = out .. name[k] end return out"),
               "cab");
    CHECK_TEXT(
        run("local t, out = {a = 1, b = 2, c = 3}, '' for k in pairs(t) do t.b = nil out = out .. k end return out"),
        "ac");
    CHECK_TEXT(run("local out = '' for k, v in next, {b = 2, a = 1, 9} do out = out .. k .. v end return out"),
               "19a1b2");
    CHECK_TEXT(run("return next({})"), "nil");
    CHECK_TEXT(run("return next({}, 'x')"), "next: this key is not in the table");
    CHECK_TEXT(run("local t = {} for i = 1, 50000 do t['k' .. i] = i end local n = 0\n"
                   "for k in next, t do n = n + 1 end for k in pairs(t) do n = n + 1 end return n"),
               "100000");
    CHECK_TEXT(run("local t = setmetatable({}, {__pairs = function() return ipairs({7}) end}) for k, v in pairs(t) do "
                   "return v end"),
               "7");
}

TEST(memory_has_a_limit_that_pcall_cannot_swallow)
{
    const char *message = "the playbook needs more than its 32 MiB of memory";

    CHECK_TEXT(run("local t = {} for i = 1, 1e9 do t[i] = {} end"), message);
    CHECK_TEXT(run("pcall(function() local t = {} for i = 1, 1e9 do t[i] = {} end end) return 'went on'"), message);
    CHECK_TEXT(run("local s = 'x' while true do s = s .. s end"), message);
    CHECK_TEXT(run("xpcall(function() local s = 'x' while true do s = s .. s end end, function() return 1 end) return "
                   "'went on'"),
               message);
    CHECK_TEXT(run("return string.rep('x', 1e15)"), "string.rep would make more than 64 MiB");
    CHECK_TEXT(run("return #string.rep('ab', 3, ',')"), "8");
}

TEST(finalizers_are_refused)
{
    CHECK_TEXT(run("setmetatable({}, {__gc = function() end})"), "playbooks have no __gc: it would run at any time");
}

TEST(pcall_and_xpcall_work_as_usual)
{
    CHECK_TEXT(run("local ok, e = pcall(error, 'no', 0) return tostring(ok) .. e"), "falseno");
    CHECK_TEXT(run("local ok, a, b = pcall(function(...) return ... end, 1, 2) return a + b"), "3");
    CHECK_TEXT(run("local ok, e = xpcall(function(a, b) error(a .. b, 0) end, function(e) return e .. '!' end, 'x', "
                   "'y') return e"),
               "xy!");
    CHECK_TEXT(run("local ok, a, b = xpcall(function(...) return ... end, error, 1, 2) return a + b"), "3");
    CHECK_TEXT(run("local ok, e = pcall(pcall) return e"), "bad argument #1 to 'pcall' (value expected)");
}

TEST(memory_is_counted)
{
    struct frame frame;
    size_t before;

    frame_init(&frame, NULL, 32 << 20);
    before = script_memory_used(frame.script);
    lua_newuserdatauv(script_lua(frame.script), 1 << 20, 0);
    CHECK(script_memory_used(frame.script) >= before + (900 << 10));
    frame_free(&frame);
}

TEST(sort_is_stable_and_takes_any_order_function)
{
    CHECK_TEXT(run("local t = {} for i = 1, 300 do t[i] = {i % 3, i} end table.sort(t, function(a, b) return a[1] < "
                   "b[1] end)\n"
                   "for i = 2, 300 do local a, b = t[i - 1], t[i]\n"
                   "  if a[1] > b[1] or a[1] == b[1] and a[2] > b[2] then return i end end return 'stable'"),
               "stable");
    CHECK_TEXT(run("local t = {3, 1, 2} table.sort(t) return table.concat(t)"), "123");
    CHECK_TEXT(run("local t = {5, 1, 4, 2, 3} table.sort(t, function(a, b) return a > b end) return table.concat(t)"),
               "54321");
    CHECK_TEXT(run("local t = {3, 1, 2} table.sort(t, function() return true end) return #t"), "3");
    CHECK_TEXT(run("table.sort({1, 'x'})"), "attempt to compare string with number");
    CHECK_TEXT(run("table.sort({1, 2}, 7)"), "bad argument #2 to 'sort' (function expected, got number)");
    CHECK_TEXT(run("table.sort({}) table.sort({1}) return 'fine'"), "fine");
}

TEST(guards_cannot_be_nested_without_bound)
{
    CHECK_TEXT(
        run("local n, seen = 0, 'none'\n"
            "local function f()\n"
            "  n = n + 1 if n > 5000 then error('enough', 0) end\n"
            "  for _ = 1, 2 do\n"
            "    local ok, e = pcall(f) if not ok and tostring(e):find('nested') then seen = e.message end end end\n"
            "f() return seen"),
        "pcall is nested more than 190 levels deep");
}
