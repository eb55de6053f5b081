#include "script_frame.h"

#include <sys/wait.h>
#include <unistd.h>

static const char *last_words = "last words\n";

static void say_last_words(void *ctx)
{
    struct frame *frame = ctx;

    if (write(frame->step ? STDOUT_FILENO : (int)frame->now, last_words, strlen(last_words)) < 0)
        _exit(1);
}

/* Runs text in a child with a watchdog of 300 ms; its exit status, and what its last words were. */
static int run_in_child(const char *text, char *words, size_t size)
{
    int ends[2], status = -1;
    ssize_t got;
    pid_t child;

    if (pipe(ends) < 0)
        return -1;
    child = fork();
    if (child == 0) {
        struct frame frame = {.now = ends[1]};
        struct script_options options = {
            .watchdog_ms = 300, .read = frame_read, .ctx = &frame, .watchdog = say_last_words};
        const struct frame_file files[] = {{"playbooks/t.lua", text}, {NULL, NULL}};

        frame.files = files;
        frame.script = script_new(&options);
        frame_start(&frame, "playbooks/t.lua");
        _exit(frame.failed ? 64 : 0);
    }
    close(ends[1]);
    got = read(ends[0], words, size - 1);
    words[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(a_pattern_that_never_ends_ends_the_process)
{
    char words[64];

    CHECK_INT(run_in_child("return ('a'):rep(60):find(('a*'):rep(14) .. 'b')", words, sizeof(words)), 70);
    CHECK_TEXT(words, last_words);
}

TEST(a_loop_without_a_deadline_ends_the_process)
{
    char words[64];

    CHECK_INT(run_in_child("while true do pcall(error) end", words, sizeof(words)), 70);
    CHECK_TEXT(words, last_words);
    CHECK_INT(run_in_child("local t = setmetatable({}, {__index = rawlen}) while true do local x = #t end", words,
                           sizeof(words)),
              70);
}

TEST(a_playbook_that_ends_in_time_is_left_alone)
{
    char words[64];

    CHECK_INT(run_in_child("local n = 0 for i = 1, 1000 do n = n + i end return n", words, sizeof(words)), 0);
    CHECK_TEXT(words, "");
}
