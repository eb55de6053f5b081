#include "script_frame.h"

static struct frame frame;

static void begin(const char *text)
{
    static struct frame_file files[] = {{"playbooks/t.lua", NULL}, {NULL, NULL}};

    files[0].text = text;
    frame_init(&frame, files, 32 << 20);
}

/* What project files cannot require, as globals. */
static void add_natives(void)
{
    static const char *const NAMES[][2] = {{"task", "dosrun.native.task"}, {"parallel", "dosrun.parallel"}};
    struct err err = ERR_INIT;

    for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
        REQUIRE(script_require(frame.script, NAMES[i][1], &err) == 0);
        script_global(frame.script, NAMES[i][0]);
    }
}

static struct task *start(const char *text)
{
    begin(text);
    add_natives();
    return frame_start(&frame, "playbooks/t.lua");
}

static const char *run(const char *text)
{
    start(text);
    frame_free(&frame);
    return frame.result;
}

TEST(a_task_waits_and_goes_on)
{
    start("local a = wait(20) return a + wait(22)");
    CHECK_INT(frame.ended, 0);
    frame_wake(&frame);
    CHECK_INT(frame.ended, 0);
    frame_wake(&frame);
    CHECK_INT(frame.ended, 1);
    CHECK_TEXT(frame.result, "42");
    CHECK_INT(frame.freed, 2);
    CHECK_INT(frame.cancelled, 0);
    frame_free(&frame);
}

TEST(an_op_may_be_ready_before_it_is_waited_for)
{
    CHECK_TEXT(run("return wait(1, true) + wait(2, true)"), "3");
    CHECK_INT(frame.freed, 2);
}

TEST(an_op_can_fail)
{
    CHECK_TEXT(run("wait(-1, true)"), "the wait failed");
    CHECK_INT(frame.err.kind, ERR_NETWORK);
    CHECK_TEXT(frame.place.file, "playbooks/t.lua");
    CHECK_TEXT(run("local ok, e = pcall(wait, -1, true) return e.kind .. ' ' .. e.file .. ' ' .. tostring(e)"),
               "network playbooks/t.lua the wait failed");
}

TEST(waits_work_inside_pcall_and_metamethods_of_lua)
{
    start("local t = setmetatable({}, {__index = function(_, k) return wait(1) end})\n"
          "local ok, v = pcall(function() return t.x + wait(2) end) return tostring(ok) .. v");
    frame_wake(&frame);
    frame_wake(&frame);
    CHECK_TEXT(frame.result, "true3");
    frame_free(&frame);
}

TEST(places_that_cannot_wait_are_explained)
{
    CHECK_TEXT(
        run("('a'):gsub('a', function() wait(1) end)"),
        "nothing can wait inside string.gsub: collect the matches first with 'for word in text:gmatch(pattern) do', "
        "and wait in that loop");
    CHECK_TEXT(frame.err.explain, "S402");
    CHECK_INT(frame.place.line, 1);
    CHECK_TEXT(run("table.sort({1, 2}, function() wait(1) end)"),
               "nothing can wait inside table.sort: fetch what the order depends on in a loop before sorting");
    CHECK_TEXT(run("tostring(setmetatable({}, {__tostring = function() wait(1) end}))"),
               "nothing can wait inside tostring: call a function of your own instead of relying on __tostring");
    CHECK_TEXT(
        run("table.concat(setmetatable({}, {__len = function() return 1 end, __index = function() wait(1) end}))"),
        "nothing can wait inside table.concat: build the list in a loop first");
    CHECK_INT(frame.freed, 0);
}

TEST(a_cancelled_task_ends_whatever_pcall_does)
{
    struct err why = ERR_INIT;
    struct task *task = start("while true do pcall(wait, 1) pcall(function() while true do wait(2) end end) end");

    err_set(&why, ERR_CANCELLED, "stopped by hand");
    task_cancel(task, &why);
    CHECK_INT(frame.ended, 0); /* never from inside a callback */
    CHECK_INT(frame.cancelled, 1);
    CHECK_INT(frame.freed, 1);
    script_run_ready(frame.script);
    CHECK_INT(frame.ended, 1);
    CHECK_TEXT(frame.result, "stopped by hand");
    CHECK_INT(frame.err.kind, ERR_CANCELLED);
    CHECK_TEXT(frame.place.file, "playbooks/t.lua");
    frame_free(&frame);
}

TEST(a_task_can_be_cancelled_between_ready_and_resumption)
{
    struct err why = ERR_INIT;
    struct task *task = start("wait(1) return 'went on'");
    struct op *op = frame.waiting;

    err_set(&why, ERR_CANCELLED, "too late");
    task_ready(op);
    task_cancel(task, &why);
    CHECK_INT(frame.cancelled, 0); /* it was complete */
    CHECK_INT(frame.freed, 1);
    script_run_ready(frame.script);
    CHECK_TEXT(frame.result, "too late");
    frame_free(&frame);
}

TEST(a_task_that_never_ran_can_be_cancelled)
{
    struct err why = ERR_INIT;
    struct task *task;

    begin("return 'ran'");
    task = task_load(frame.script, "playbooks/t.lua", &why);
    REQUIRE(task);
    task_on_end(task, frame_end, &frame);
    task_start(task);
    err_set(&why, ERR_CANCELLED, "not at all");
    task_cancel(task, &why);
    script_run_ready(frame.script);
    CHECK_INT(frame.ended, 1);
    CHECK_TEXT(frame.result, "not at all");
    frame_free(&frame);
}

TEST(a_deadline_ends_a_wait_and_a_loop)
{
    struct task *task = start("pcall(wait, 1) return 'went on'");

    CHECK_INT(script_next_deadline(frame.script), -1);
    task_deadline(task, 5000);
    CHECK_INT(script_next_deadline(frame.script), 5000);
    script_expire(frame.script);
    CHECK(!script_run_ready(frame.script));
    frame.now = 5000;
    script_expire(frame.script);
    CHECK_INT(script_next_deadline(frame.script), -1);
    script_run_ready(frame.script);
    CHECK_TEXT(frame.result, "the time limit has passed");
    CHECK_INT(frame.err.kind, ERR_TIMEOUT);
    frame_free(&frame);

    task = start("wait(1)\nwhile true do\n  pcall(function() while true do end end)\nend");
    task_deadline(task, 1500);
    frame.step = 10;
    frame_wake(&frame);
    CHECK_TEXT(frame.result, "the time limit has passed");
    CHECK_INT(frame.place.line, 3);
    frame_free(&frame);
}

TEST(children_are_bound_by_their_parents_deadline)
{
    struct task *task = start("task.spawn(function() wait(1) pcall(wait, 2) end)");

    CHECK_INT(frame.ended, 0); /* lingers for its child */
    task_deadline(task, 2000);
    frame.now = 2000;
    script_expire(frame.script);
    script_run_ready(frame.script);
    CHECK_INT(frame.ended, 1);
    CHECK_TEXT(frame.result, "the time limit has passed");
    CHECK_INT(frame.cancelled, 1);
    frame_free(&frame);
}

TEST(children_run_side_by_side_and_are_joined)
{
    start("local a = task.spawn(function(x) return wait(x) end, 5)\n"
          "local b = task.spawn(function() return 7, 8 end)\n"
          "local x, y = b:join() return a:join() + x + y");
    CHECK_INT(frame.ended, 0);
    frame_wake(&frame);
    CHECK_TEXT(frame.result, "20");
    frame_free(&frame);
}

TEST(a_childs_error_is_raised_by_join)
{
    CHECK_TEXT(run("local a = task.spawn(function()\n error('deep') end)\na:join()"), "deep");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(frame.trace, "playbooks/t.lua:2: in the function of line 1\nplaybooks/t.lua:1: started here\n"
                            "playbooks/t.lua:3: in the file itself\n");
    CHECK_TEXT(run("local a = task.spawn(error) local ok, e = pcall(a.join, a) return e.message"),
               "nil was raised as an error");
}

TEST(a_failure_that_nobody_joined_is_the_parents)
{
    CHECK_TEXT(run("task.spawn(function()\n error('lost') end) return 'fine'"), "lost");
    CHECK_INT(frame.place.line, 2);
    CHECK_TEXT(run("local a = task.spawn(error, 'one', 0) task.spawn(error, 'two', 0) pcall(a.join, a) return 'fine'"),
               "two");
    CHECK_TEXT(run("local a = task.spawn(error, 'one', 0) pcall(a.join, a) return 'fine'"), "fine");
}

TEST(a_failed_parent_cancels_its_children)
{
    start("task.spawn(function() wait(1) end) task.spawn(type, 1):join() error('no', 0)");
    CHECK_INT(frame.cancelled, 1);
    CHECK_INT(frame.ended, 1);
    CHECK_TEXT(frame.result, "no");
    frame_free(&frame);
}

TEST(tasks_that_would_wait_for_each_other_are_told)
{
    CHECK_TEXT(run("local a a = task.spawn(function() a:join() end) a:join()"), "this task would wait for itself");
    CHECK_TEXT(
        run("local a, b a = task.spawn(function() b:join() end) b = task.spawn(function() a:join() end) a:join()"),
        "this task would wait for itself");
}

TEST(tasks_have_a_number)
{
    CHECK_TEXT(run("while true do task.spawn(function() wait(1) end) end"), "more than 10000 tasks at once");
    CHECK_INT(frame.ended, 1);
}

TEST(a_handle_can_cancel)
{
    CHECK_TEXT(run("local a = task.spawn(function() while true do pcall(wait, 1) end end)\n"
                   "task.spawn(function() a:cancel('enough') end) local ok, e = pcall(a.join, a) return e.message .. "
                   "tostring(a:done())"),
               "enoughtrue");
}

TEST(data_is_inherited)
{
    struct task *task;
    struct err err = ERR_INIT;
    int data = 0;

    begin("return 1");
    task = task_load(frame.script, "playbooks/t.lua", &err);
    REQUIRE(task);
    CHECK(!task_data(task));
    task_data_set(task, &data);
    CHECK(task_data(task) == &data);
    CHECK(!task_parent(task));
    frame_free(&frame);
}

TEST(parallel_keeps_the_order_and_the_first_error)
{
    CHECK_TEXT(run("local a, b = parallel { function() return 1 end, function() return 2 end } return a * 10 + b"),
               "12");
    CHECK_TEXT(
        run("parallel({ function() wait(1, true) error('first', 0) end, function() error('second', 0) end }, 2)"),
        "first");
    CHECK_TEXT(run("local n = 0 pcall(parallel, { function() error('no') end, function() n = 1 end }, 1) return n"),
               "0");
    CHECK_TEXT(run("parallel { 1 }"), "parallel: entry 1 is a number, not a function");
    CHECK_INT(frame.place.line, 1);
}

TEST(values_to_close_are_closed_when_a_task_dies)
{
    struct task *task;
    struct err why = ERR_INIT;

    CHECK_TEXT(
        run("local seen = {} local a = task.spawn(function()\n"
            "local x <close> = setmetatable({}, {__close = function(_, e) seen[1] = e end}) error('no', 0) end)\n"
            "pcall(a.join, a) return seen[1]"),
        "no");
    task = start(
        "local x <close> = setmetatable({}, {__close = function(_, e) pcall(wait, 5) error(e.message .. '!') end})\n"
        "wait(1)");
    err_set(&why, ERR_CANCELLED, "stop");
    task_cancel(task, &why);
    script_run_ready(frame.script);
    CHECK_TEXT(frame.result, "stop");
    CHECK(!frame.waiting);
    frame_free(&frame);
}

TEST(free_cancels_what_waits)
{
    start("task.spawn(function() wait(1) end) wait(2)");
    frame_free(&frame);
    CHECK_INT(frame.cancelled, 2);
    CHECK_INT(frame.freed, 2);
}
