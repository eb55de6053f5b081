/* Child processes: no shell, a clean environment, an end in every case. */
#include "unit.h"

#include "world/world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct result {
    struct world *world;
    struct process *process;
    int status, ends;
    bool failed, cancel_at_output;
    struct err err;
    struct buf out, errors;
};

static void on_output(void *ctx, int fd, struct view bytes)
{
    struct result *result = ctx;

    buf_add_view(fd == 1 ? &result->out : &result->errors, bytes);
    if (result->cancel_at_output)
        process_cancel(result->process);
}

static void on_end(void *ctx, int status, const struct err *err)
{
    struct result *result = ctx;

    result->ends++;
    result->status = status;
    result->failed = err != NULL;
    result->err = err ? *err : ERR_INIT;
}

static const struct process_fns fns = {on_output, on_end};

static void result_init(struct result *result)
{
    *result = (struct result){.world = world_real_new()};
    buf_init(&result->out, 1 << 24);
    buf_init(&result->errors, 1 << 20);
}

static void result_free(struct result *result)
{
    world_free(result->world);
    buf_free(&result->out);
    buf_free(&result->errors);
}

static void start(struct result *result, struct process_request request)
{
    request.attempt = world_attempt(result->world);
    request.logical = request.attempt;
    result->process = process_start(result->world, &request, &fns, result);
    CHECK_INT(result->ends, 0);
}

static void run(struct result *result, struct process_request request)
{
    result->ends = 0;
    buf_reset(&result->out);
    buf_reset(&result->errors);
    start(result, request);
    while (world_turn(result->world))
        ;
    CHECK_INT(result->ends, 1);
}

#define ARGV(...)         \
    (const char *const[]) \
    {                     \
        __VA_ARGS__, NULL \
    }
#define SHELL(script) ARGV("sh", "-c", script) /* only here: the tests' programs are written in it */

TEST(process_output_input_and_status)
{
    struct result result;

    result_init(&result);
    run(&result, (struct process_request){.argv = SHELL("cat; echo no >&2; exit 7"), .input = VIEW_LITERAL("in\n")});
    CHECK(!result.failed);
    CHECK_INT(result.status, 7);
    CHECK_TEXT(buf_text(&result.out), "in\n");
    CHECK_TEXT(buf_text(&result.errors), "no\n");
    run(&result, (struct process_request){.argv = ARGV("cat")});
    CHECK_INT(result.status, 0);
    CHECK_INT(result.out.len, 0);
    run(&result, (struct process_request){.argv = SHELL("kill -TERM $$")});
    CHECK(!result.failed);
    CHECK_INT(result.status, 128 + SIGTERM);
    run(&result, (struct process_request){.argv = SHELL("pwd"), .cwd = "/usr"});
    CHECK_TEXT(buf_text(&result.out), "/usr\n");
    result_free(&result);
}

TEST(process_large_streams_both_ways)
{
    enum { SIZE = 3000000 };
    char *input = mem_alloc(SIZE);
    struct result result;

    memset(input, 'x', SIZE);
    result_init(&result);
    run(&result, (struct process_request){.argv = ARGV("cat"), .input = {input, SIZE}});
    CHECK_INT(result.out.len, SIZE);
    /* A program that reads nothing of it ends as it likes. */
    run(&result, (struct process_request){.argv = SHELL("exit 3"), .input = {input, SIZE}});
    CHECK(!result.failed);
    CHECK_INT(result.status, 3);
    result_free(&result);
    free(input);
}

TEST(process_that_cannot_start)
{
    struct result result;

    result_init(&result);
    run(&result, (struct process_request){.argv = ARGV("dosrun-no-such-program")});
    CHECK_INT(result.err.kind, ERR_MISSING);
    CHECK_TEXT(result.err.message, "dosrun-no-such-program: there is no such program");
    CHECK(!result.err.maybe_done);
    run(&result, (struct process_request){.argv = ARGV("/no/such/program")});
    CHECK_INT(result.err.kind, ERR_MISSING);
    run(&result, (struct process_request){.argv = ARGV("/etc/passwd")});
    CHECK_INT(result.err.kind, ERR_DENIED);
    run(&result, (struct process_request){.argv = ARGV("")});
    CHECK_INT(result.err.kind, ERR_MISSING);
    run(&result, (struct process_request){.argv = ARGV("true"), .cwd = "/no/such/folder"});
    CHECK_INT(result.err.kind, ERR_MISSING);
    CHECK(strstr(result.err.message, "/no/such/folder"));
    result.ends = 0;
    start(&result, (struct process_request){.argv = ARGV("dosrun-no-such-program")});
    process_cancel(result.process);
    while (world_turn(result.world))
        ;
    CHECK_INT(result.ends, 0);
    result_free(&result);
}

TEST(process_environment_is_a_list_of_what_is_allowed)
{
    struct result result;

    setenv("DOSRUN_TEST_SECRET", "leak", 1);
    setenv("LD_PRELOAD_NOT", "leak", 1);
    result_init(&result);
    run(&result, (struct process_request){.argv = ARGV("env"), .env = ARGV("EXTRA=1", "HOME=/elsewhere")});
    CHECK(!strstr(buf_text(&result.out), "leak"));
    CHECK(strstr(buf_text(&result.out), "PATH="));
    CHECK(strstr(buf_text(&result.out), "EXTRA=1\n"));
    CHECK(strstr(buf_text(&result.out), "HOME=/elsewhere\n"));
    CHECK(!strstr(buf_text(&result.out), "HOME=/root"));
    run(&result, (struct process_request){.argv = ARGV("env"), .env = ARGV("PATH=.:/no/such")});
    CHECK_INT(result.err.kind, ERR_MISSING);
    unsetenv("DOSRUN_TEST_SECRET");
    unsetenv("LD_PRELOAD_NOT");
    result_free(&result);
}

TEST(process_arguments_meet_no_shell)
{
    static const char *const nasty[] = {"$(touch /tmp/dosrun-injected)",
                                        "`touch /tmp/dosrun-injected`",
                                        "; touch /tmp/dosrun-injected",
                                        "| touch /tmp/dosrun-injected",
                                        "a\nb",
                                        "* ? ~ \"' \\",
                                        "-n"};
    struct result result;

    unlink("/tmp/dosrun-injected");
    result_init(&result);
    for (size_t i = 0; i < sizeof(nasty) / sizeof(nasty[0]); i++) {
        run(&result, (struct process_request){.argv = ARGV("printf", "%s", nasty[i])});
        CHECK_TEXT(buf_text(&result.out), nasty[i]);
        run(&result, (struct process_request){.argv = ARGV(nasty[i])});
        CHECK_INT(result.err.kind, ERR_MISSING);
    }
    CHECK(access("/tmp/dosrun-injected", F_OK) != 0);
    result_free(&result);
}

TEST(process_inherits_no_descriptor_and_no_signal_setting)
{
    struct result result;
    int fds[2];

    CHECK(pipe(fds) == 0); /* not close-on-exec */
    result_init(&result);
    char *script = mem_printf("[ ! -e /proc/$$/fd/%d ] && [ ! -e /proc/$$/fd/%d ]", fds[0], fds[1]);
    run(&result, (struct process_request){.argv = SHELL(script)});
    CHECK_INT(result.status, 0);
    free(script);
    run(&result, (struct process_request){.argv = ARGV("grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")});
    CHECK_TEXT(buf_text(&result.out), "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
    close(fds[0]);
    close(fds[1]);
    result_free(&result);
}

TEST(process_timeout_ends_the_group)
{
    struct result result;

    result_init(&result);
    run(&result, (struct process_request){.argv = SHELL("sleep 100 & sleep 100; true"), .timeout_ms = 50});
    CHECK_INT(result.err.kind, ERR_TIMEOUT);
    CHECK(result.err.maybe_done);
    CHECK(strstr(result.err.message, "50 ms"));
    result_free(&result);
}

TEST(process_end_does_not_wait_for_what_it_left_behind)
{
    struct result result;

    result_init(&result);
    int64_t before = world_mono_ms(result.world);
    run(&result, (struct process_request){.argv = SHELL("sleep 100 & echo $!")});
    CHECK(!result.failed);
    CHECK_INT(result.status, 0);
    CHECK(world_mono_ms(result.world) - before < 1900);
    pid_t left = (pid_t)atoi(buf_text(&result.out));
    CHECK(left > 0);
    /* Killed; init may still have to reap it. */
    char *path = mem_printf("/proc/%d/cmdline", (int)left);
    struct buf text;
    struct err err = ERR_INIT;
    buf_init(&text, 1024);
    if (disk_read(result.world, path, 1024, &text, &err) == 0)
        CHECK_INT(text.len, 0);
    buf_free(&text);
    free(path);
    result_free(&result);
}

TEST(process_cancel_kills_and_stays_silent)
{
    struct result result;

    result_init(&result);
    result.cancel_at_output = true;
    start(&result, (struct process_request){.argv = SHELL("echo go; trap '' TERM; sleep 100")});
    while (world_turn(result.world))
        ;
    CHECK_INT(result.ends, 0);
    CHECK_TEXT(buf_text(&result.out), "go\n");
    start(&result, (struct process_request){.argv = ARGV("sleep", "100")});
    process_cancel(result.process);
    while (world_turn(result.world))
        ;
    start(&result, (struct process_request){.argv = ARGV("sleep", "100")});
    result_free(&result); /* a world that ends takes them along */
    CHECK_INT(result.ends, 0);
}

TEST(process_many_at_once)
{
    enum { MANY = 20 };
    struct result results[MANY];
    struct world *world = world_real_new();
    int ended = 0;

    for (int i = 0; i < MANY; i++) {
        result_init(&results[i]);
        world_free(results[i].world);
        results[i].world = world;
        start(&results[i], (struct process_request){.argv = SHELL("echo $$; exit 1")});
    }
    while (world_turn(world))
        ;
    for (int i = 0; i < MANY; i++) {
        ended += results[i].ends == 1 && results[i].status == 1 && results[i].out.len > 0;
        buf_free(&results[i].out);
        buf_free(&results[i].errors);
    }
    CHECK_INT(ended, MANY);
    world_free(world);
}

/* Runs in a child of the test: starts a program with a child of its own, tells both, and is killed. */
static void doomed_parent(int tell)
{
    struct result result;

    result_init(&result);
    start(&result, (struct process_request){.argv = SHELL("sleep 100 & echo $$ $!; wait")});
    while (!memchr(result.out.len ? result.out.ptr : "", '\n', result.out.len))
        world_turn(result.world);
    if (write(tell, result.out.ptr, result.out.len) > 0)
        raise(SIGKILL);
    _exit(1);
}

TEST(process_group_dies_with_a_killed_parent)
{
    char text[64] = "";
    int fds[2], pids[2], status;

    REQUIRE(pipe(fds) == 0);
    /* Orphans come to this process, so that their end can be awaited. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t parent = fork();
    if (parent == 0)
        doomed_parent(fds[1]);
    close(fds[1]);
    CHECK(read(fds[0], text, sizeof(text) - 1) > 0);
    close(fds[0]);
    CHECK(waitpid(parent, &status, 0) == parent && WIFSIGNALED(status));
    pids[0] = atoi(text);
    pids[1] = strchr(text, ' ') ? atoi(strchr(text, ' ')) : 0;
    CHECK(pids[0] > 0 && pids[1] > 0);
    /* The keeper, the program and its child all end by a signal; waiting for them ends when none is left. */
    int killed = 0;
    while (waitpid(-1, &status, 0) > 0)
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    CHECK(errno == ECHILD);
    CHECK_INT(killed, 3);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}
