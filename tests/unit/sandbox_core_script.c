/* tests/sandbox.lua: hosts, programs, state that lasts, limits, mistakes. */
#include "sandbox_core.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(struct sim *sim, const char *text, struct err *err)
{
    *err = ERR_INIT;
    return sim_script_load(sim->script, "tests/sandbox.lua", view_of(text), err);
}

static void must_load(struct sim *sim, const char *text)
{
    struct err err;

    if (load(sim, text, &err))
        unit_fail(__FILE__, __LINE__, "%s", err.message);
}

static void call(struct got *got, struct sim *sim, const char *method, const char *url, const char *body)
{
    got_send(got, sim, method, url, (struct send){.changes = strcmp(method, "GET") != 0, .body = body});
    got_await(got);
}

static const char *const counter = "sandbox.state.count = sandbox.state.count or 0\n"
                                   "sandbox.http('https://api.example.com', function(request)\n"
                                   "  if request.method == 'POST' then\n"
                                   "    sandbox.state.count = sandbox.state.count + request.json.by\n"
                                   "    sandbox.state.last = request.headers['user-agent']\n"
                                   "  end\n"
                                   "  return { status = 201, headers = { ['X-Path'] = request.path },\n"
                                   "    json = { count = sandbox.state.count, q = request.query.q } }\n"
                                   "end)\n";

TEST(script_hosts_answer_and_their_state_lasts)
{
    char *folder = folder_new();
    struct sim *sim = tiny_open(folder, NULL, NULL);
    struct got got;
    struct buf out;

    must_load(sim, counter);
    call(&got, sim, "POST", "https://api.example.com/add?q=a%20b", "{\"by\":3}");
    CHECK(!got.failed);
    CHECK_INT(got.status, 201);
    CHECK_TEXT(got.type, "application/json");
    CHECK_TEXT(buf_text(&got.body), "{\"count\":3,\"q\":\"a b\"}");
    got_clear(&got);
    world_free(&sim->world);

    sim = tiny_open(folder, NULL, NULL);
    buf_init(&out, 4096);
    sim_show(sim, false, &out);
    CHECK_TEXT(buf_text(&out), "state count = 3\nstate last = \"test\"\n");
    buf_free(&out);
    must_load(sim, counter);
    call(&got, sim, "GET", "https://api.example.com/", NULL);
    CHECK_TEXT(buf_text(&got.body), "{\"count\":3}");
    got_clear(&got);
    world_free(&sim->world);
    folder_remove(folder);
}

TEST(script_routes_by_origin_and_longest_path)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    static const char *const rows[][2] = {{"https://h.test/", "root"},     {"https://h.test/v1", "v1"},
                                          {"https://h.test/v1/x", "v1"},   {"https://h.test/v11", "root"},
                                          {"https://H.test:443/v1", "v1"}, {"http://h.test/", NULL},
                                          {"https://h.test:444/", NULL},   {"https://x.h.test/", NULL}};

    must_load(sim, "sandbox.http('https://h.test', function() return { body = 'root' } end)\n"
                   "sandbox.http('https://h.test/v1', function() return { body = 'v1' } end)\n");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct got got;

        call(&got, sim, "GET", rows[i][0], NULL);
        CHECK_INT(got.failed, rows[i][1] == NULL);
        CHECK_TEXT(buf_text(&got.body), rows[i][1] ? rows[i][1] : "");
        got_clear(&got);
    }
    world_free(&sim->world);
}

TEST(script_json_keeps_lists_nulls_and_big_integers)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    must_load(sim, "sandbox.http('https://h.test', function(r)\n"
                   "  return { json = { echo = r.json, empty = {}, none = sandbox.list {}, null = sandbox.null,\n"
                   "    list = { 1, 'two', { three = 3.5 } } } } end)\n");
    call(&got, sim, "POST", "https://h.test/", "{\"a\":[],\"b\":{},\"c\":9007199254740993,\"d\":null}");
    CHECK_TEXT(buf_text(&got.body), "{\"echo\":{\"a\":[],\"b\":{},\"c\":9007199254740993,\"d\":null},\"empty\":{},"
                                    "\"list\":[1,\"two\",{\"three\":3.5}],\"none\":[],\"null\":null}");
    got_clear(&got);
    world_free(&sim->world);
}

TEST(script_an_answer_may_take_its_time)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    must_load(sim, "sandbox.http('https://h.test', function() return { body = '\\0\\xff', seconds = 2 } end)");
    call(&got, sim, "GET", "https://h.test/", NULL);
    CHECK_INT(got.ended_ms - SIM_EPOCH_MS, 2003);
    CHECK(view_equal(buf_view(&got.body), (struct view){"\0\xff", 2}));
    got_clear(&got);
    got_send(&got, sim, "GET", "https://h.test/", (struct send){.timeout_ms = 100});
    got_await(&got);
    CHECK(got.failed && got.err.kind == ERR_TIMEOUT);
    got_clear(&got);
    world_free(&sim->world);
}

TEST(script_mistakes_are_loud)
{
    static const char *const bodies[][2] = {
        {"return nil", "gave no answer"},
        {"return request.nothing.at.all", "tests/sandbox.lua:1:"},
        {"while true do end", "too long"},
        {"local t = {} while true do t[#t + 1] = ('x'):rep(100000) end", "memory"},
        {"return { json = { f = print or pairs } }", "a function"},
        {"local t = {} t.t = t return { json = t }", "too deep"},
        {"return { status = 1000 }", "1000"},
        {"sandbox.state = nil return {}", "sandbox.state"},
        {"sandbox.state.f = pairs return {}", "sandbox.state"},
        {"return { body = io.open('/etc/passwd'):read('a') }", "io"},
        {"sandbox.program('x', function() end)", "while the script is loaded"},
        {"return { body = os.getenv('HOME') }", "os"},
    };

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct sim *sim = tiny_open(NULL, NULL, NULL);
        char *text = mem_printf("sandbox.http('https://h.test', function(request) %s end)", bodies[i][0]);
        struct got got;

        must_load(sim, text);
        call(&got, sim, "GET", "https://h.test/", NULL);
        if (!got.failed || got.err.kind != ERR_NETWORK || got.err.retryable || !strstr(got.err.message, bodies[i][1]))
            unit_fail(__FILE__, __LINE__, "%s: %s", bodies[i][0], got.failed ? got.err.message : "no error");
        got_clear(&got);
        world_free(&sim->world);
        free(text);
    }
}

TEST(script_texts_that_do_not_load)
{
    static const char *const texts[][2] = {
        {"sandbox.http(", "tests/sandbox.lua:1:"},
        {"\n\nerror('here')", "tests/sandbox.lua:3: here"},
        {"sandbox.http('ftp://x', function() end)", "neither http nor https"},
        {"sandbox.http('https://x')", "function expected"},
        {"\x1bLua", "binary"},
        {"require 'os'", "require"},
        {"sandbox.state = { 1, 2 }", "a list"},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sim *sim = tiny_open(NULL, NULL, NULL);
        struct err err;

        if (load(sim, texts[i][0], &err) == 0 || err.kind != ERR_USAGE || !strstr(err.message, texts[i][1]))
            unit_fail(__FILE__, __LINE__, "%s: %s", texts[i][0], err.message);
        world_free(&sim->world);
    }
}

TEST(script_pairs_are_sorted_and_nothing_shows_an_address)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    must_load(sim,
              "sandbox.http('https://h.test', function()\n"
              "  local out = {}\n"
              "  for k, v in pairs { z = 1, a = 2, [3] = 3, [1] = 4, m = 5 } do out[#out + 1] = k .. '=' .. v end\n"
              "  return { body = table.concat(out, ' ') .. ' ' .. tostring(out) .. ' ' .. sandbox.hex('x', 4) }\n"
              "end)");
    call(&got, sim, "GET", "https://h.test/", NULL);
    CHECK(strncmp(buf_text(&got.body), "1=4 3=3 a=2 m=5 z=1 table ", 26) == 0);
    got_clear(&got);
    world_free(&sim->world);
}

/* ---- programs ---- */

struct ran {
    int ends, status;
    struct buf out, err_out;
    bool failed;
    struct err err;
    int64_t ended_ms;
    struct sim *sim;
};

static void on_output(void *ctx, int fd, struct view bytes)
{
    struct ran *ran = ctx;

    buf_add_view(fd == 1 ? &ran->out : &ran->err_out, bytes);
}

static void on_end(void *ctx, int status, const struct err *err)
{
    struct ran *ran = ctx;

    ran->ends++;
    ran->status = status;
    ran->failed = err != NULL;
    if (err)
        ran->err = *err;
    ran->ended_ms = sim_now_ms(ran->sim);
}

static const char *const docker =
    "sandbox.state.n = 0\n"
    "sandbox.program('docker', function(argv, input, process)\n"
    "  sandbox.state.n = sandbox.state.n + 1\n"
    "  return { stdout = table.concat(argv, '|') .. ' ' .. input .. ' ' .. (process.env.X or '-'),\n"
    "    stderr = 'warned', status = #argv == 1 and 3 or 0, seconds = 2 }\n"
    "end)";

static void run(struct ran *ran, struct sim *sim, const char *program, const char *argument, int64_t timeout_ms)
{
    const char *argv[] = {program, argument, NULL}, *env[] = {"X=1", NULL};
    const struct process_fns fns = {on_output, on_end};
    uint64_t attempt = world_attempt(&sim->world);
    struct process_request request = {.attempt = attempt,
                                      .logical = attempt,
                                      .changes = true,
                                      .argv = argv,
                                      .env = env,
                                      .input = view_of("in"),
                                      .timeout_ms = timeout_ms};

    *ran = (struct ran){.sim = sim, .err = ERR_INIT};
    buf_init(&ran->out, 4096);
    buf_init(&ran->err_out, 4096);
    process_start(&sim->world, &request, &fns, ran);
    CHECK_INT(ran->ends, 0);
    while (!ran->ends && world_turn(&sim->world))
        ;
}

static void ran_clear(struct ran *ran)
{
    buf_free(&ran->out);
    buf_free(&ran->err_out);
}

TEST(process_scripted_programs_run)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct ran ran;

    must_load(sim, docker);
    run(&ran, sim, "/usr/bin/docker", "push", 0);
    CHECK(!ran.failed);
    CHECK_INT(ran.status, 0);
    CHECK_TEXT(buf_text(&ran.out), "/usr/bin/docker|push in 1");
    CHECK_TEXT(buf_text(&ran.err_out), "warned");
    CHECK_INT(ran.ended_ms - SIM_EPOCH_MS, 2001);
    ran_clear(&ran);
    run(&ran, sim, "docker", NULL, 0);
    CHECK_INT(ran.status, 3);
    ran_clear(&ran);
    run(&ran, sim, "docker", NULL, 500);
    CHECK(ran.failed && ran.err.kind == ERR_TIMEOUT && ran.err.maybe_done);
    ran_clear(&ran);
    run(&ran, sim, "podman", "push", 0);
    CHECK(ran.failed && ran.err.kind == ERR_MISSING && strstr(ran.err.message, "tests/sandbox.lua"));
    ran_clear(&ran);
    world_free(&sim->world);
}

TEST(process_each_wire_kind)
{
    static const struct {
        const char *kind;
        int acted, status;
        bool failed;
        enum err_kind err;
    } rows[] = {
        {"connect", 0, 0, true, ERR_SERVER},       {"tls", 0, 1, false, ERR_NONE},
        {"reset-before", 0, 137, false, ERR_NONE}, {"reset-after", 1, 137, false, ERR_NONE},
        {"timeout", 0, 0, true, ERR_TIMEOUT},      {"late", 1, 0, true, ERR_TIMEOUT},
        {"throttle", 0, 1, false, ERR_NONE},       {"throttle-after", 1, 1, false, ERR_NONE},
        {"5xx-before", 0, 1, false, ERR_NONE},     {"5xx-after", 1, 1, false, ERR_NONE},
        {"expired", 0, 1, false, ERR_NONE},        {"forbidden", 0, 1, false, ERR_NONE},
        {"conflict", 0, 1, false, ERR_NONE},       {"quota", 0, 1, false, ERR_NONE},
        {"body", 1, 0, false, ERR_NONE},           {"twice", 2, 0, false, ERR_NONE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *fault = mem_printf("1:%s", rows[i].kind), *want = mem_printf("state n = %d\n", rows[i].acted);
        struct sim *sim = tiny_open(NULL, fault, NULL);
        struct ran ran;
        struct buf shown;

        must_load(sim, docker);
        run(&ran, sim, "docker", "push", 30000);
        if (ran.ends != 1 || ran.status != rows[i].status || ran.failed != rows[i].failed ||
            ran.err.kind != rows[i].err)
            unit_fail(__FILE__, __LINE__, "%s: status %d, %s", rows[i].kind, ran.status, ran.err.message);
        if (strcmp(rows[i].kind, "body") == 0)
            CHECK_TEXT(buf_text(&ran.out), "docker|p");
        buf_init(&shown, 4096);
        sim_show(sim, false, &shown);
        CHECK_TEXT(buf_text(&shown), want);
        buf_free(&shown);
        ran_clear(&ran);
        world_free(&sim->world);
        free(fault);
        free(want);
    }
}

static void crashing(void *ctx)
{
    struct sim *sim = tiny_open(ctx, NULL, "1:sent");
    struct ran ran;

    must_load(sim, docker);
    run(&ran, sim, "docker", "push", 0);
    ran_clear(&ran);
}

TEST(process_crash_after_it_acted)
{
    char *folder = folder_new();
    struct sim *sim;
    struct buf shown;

    CHECK_INT(child_run(crashing, folder), 137);
    sim = tiny_open(folder, NULL, NULL);
    buf_init(&shown, 4096);
    sim_show(sim, false, &shown);
    CHECK_TEXT(buf_text(&shown), "state n = 1\n");
    buf_free(&shown);
    world_free(&sim->world);
    folder_remove(folder);
}

struct cancel {
    struct process *process;
    int outputs, ends;
};

static void cancel_output(void *ctx, int fd, struct view bytes)
{
    struct cancel *cancel = ctx;

    (void)fd;
    (void)bytes;
    cancel->outputs++;
    process_cancel(cancel->process);
}

static void cancel_end(void *ctx, int status, const struct err *err)
{
    (void)status;
    (void)err;
    ((struct cancel *)ctx)->ends++;
}

TEST(process_may_be_cancelled_from_its_own_output)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    const char *const argv[] = {"docker", NULL};
    const struct process_fns fns = {cancel_output, cancel_end};
    struct process_request request = {.attempt = world_attempt(&sim->world), .logical = 1, .argv = argv};
    struct cancel cancel = {0};

    must_load(sim, docker);
    cancel.process = process_start(&sim->world, &request, &fns, &cancel);
    while (world_turn(&sim->world))
        ;
    CHECK_INT(cancel.outputs, 1);
    CHECK_INT(cancel.ends, 0);
    world_free(&sim->world);
}
