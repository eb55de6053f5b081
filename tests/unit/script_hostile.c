#include "script_frame.h"

#include <dirent.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * tests/spec/hostile: playbooks that try to get out, to hang or to eat everything. Each runs in a
 * child with 32 MiB and a short deadline or watchdog where it is meant to meet them, a long one elsewhere. Its first
 * line says how it must end: fine, error, a code, memory, time, or watchdog. A script that got what it wanted calls
 * escaped(what). Afterwards the same state must still serve an honest file.
 */
enum { ESCAPED = 99, BROKEN = 98, NAMES_MAX = 400, LONG_MS = 30000 };

static const char honest[] = "local t = {b = 1, a = 2} local s = ''\n"
                             "for k, v in pairs(t) do s = s .. string.format('%s%d', k, v) end\n"
                             "return s .. #('x'):rep(3) .. tostring({}) .. math.max(1, 2)";

static int escaped(lua_State *L)
{
    fprintf(stderr, "escaped: %s\n", luaL_tolstring(L, 1, NULL));
    _exit(ESCAPED);
}

static int64_t real_ms(void *ctx)
{
    struct timespec now;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Turns the loop until the task has ended or its deadline ended it. */
static void run_to_end(struct frame *frame)
{
    while (!frame->ended) {
        int64_t left = script_next_deadline(frame->script) - real_ms(NULL);

        if (script_run_ready(frame->script))
            continue;
        if (left > 0)
            usleep((useconds_t)left * 1000);
        script_expire(frame->script);
    }
}

static void run_child(const char *text, const char *want, int out)
{
    static struct frame frame;
    bool barks = strcmp(want, "watchdog") == 0, late = barks || strcmp(want, "time") == 0;
    struct script_options options = {.memory_max = 32 << 20,
                                     .watchdog_ms = barks ? 700 : LONG_MS,
                                     .read = frame_read,
                                     .ctx = &frame,
                                     .mono_ms = real_ms};
    struct frame_file files[] = {{"playbooks/t.lua", text}, {NULL, NULL}};
    struct task *task;
    struct err err = ERR_INIT;
    char outcome[200];
    int exit_code;

    frame.files = files;
    frame.script = script_new(&options);
    lua_pushcfunction(script_lua(frame.script), escaped);
    script_global(frame.script, "escaped");
    lua_pushlightuserdata(script_lua(frame.script), &frame);
    lua_pushcclosure(script_lua(frame.script), frame_wait, 1);
    script_global(frame.script, "wait");
    task = task_load(frame.script, "playbooks/t.lua", &err);
    if (task) {
        task_on_end(task, frame_end, &frame);
        task_deadline(task, real_ms(NULL) + (late ? 200 : LONG_MS));
        task_start(task);
        run_to_end(&frame);
    } else {
        frame.failed = true;
        frame.err = err;
    }
    snprintf(outcome, sizeof(outcome), "%s %s %.120s", err_kind_name(frame.err.kind), frame.err.explain,
             frame.err.message);
    if (write(out, outcome, strlen(outcome)) < 0 || strstr(frame.result, "0x"))
        _exit(BROKEN);
    exit_code = frame.failed ? 64 : 0;
    frame.waiting = NULL;
    files[0].text = honest;
    frame_start(&frame, "playbooks/t.lua");
    if (frame.failed || strcmp(frame.result, "a2b13table2") != 0) {
        fprintf(stderr, "an honest file afterwards: %s\n", frame.result);
        exit_code = BROKEN;
    }
    script_free(frame.script);
    _exit(exit_code);
}

static bool as_wanted(const char *want, int status, const char *outcome)
{
    char code[20];

    if (strcmp(want, "fine") == 0)
        return status == 0;
    if (strcmp(want, "watchdog") == 0)
        return status == 70;
    if (status != 64)
        return false;
    if (strcmp(want, "time") == 0)
        return strncmp(outcome, "timeout ", 8) == 0;
    if (strcmp(want, "error") == 0)
        return true;
    snprintf(code, sizeof(code), " %s ", strcmp(want, "memory") == 0 ? "S406" : want);
    return strstr(outcome, code) != NULL;
}

static void run_file(const char *folder, const char *name)
{
    char path[1024], text[16384], want[20] = "error", outcome[256];
    FILE *file;
    size_t len;
    int ends[2], status = -1;
    ssize_t got;
    pid_t child;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "rb");
    REQUIRE(file && pipe(ends) == 0);
    len = fread(text, 1, sizeof(text) - 1, file);
    text[len] = '\0';
    fclose(file);
    sscanf(text, "-- want: %19s", want);
    child = fork();
    if (child == 0)
        run_child(text, want, ends[1]);
    close(ends[1]);
    got = read(ends[0], outcome, sizeof(outcome) - 1);
    outcome[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || !as_wanted(want, WEXITSTATUS(status), outcome))
        unit_fail(__FILE__, __LINE__, "%s: wanted %s, status %x: %s", name, want, (unsigned)status, outcome);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

TEST(no_hostile_playbook_escapes_or_hangs)
{
    char folder[1000], *names[NAMES_MAX];
    size_t count = 0;
    struct dirent *entry;
    DIR *dir;

    snprintf(folder, sizeof(folder), "%.*s../spec/hostile", (int)(strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__);
    dir = opendir(folder);
    REQUIRE(dir);
    while ((entry = readdir(dir)) && count < NAMES_MAX) {
        if (strstr(entry->d_name, ".lua"))
            names[count++] = strdup(entry->d_name);
    }
    closedir(dir);
    CHECK(count >= 100);
    qsort(names, count, sizeof(names[0]), compare_names);
    for (size_t i = 0; i < count; i++) {
        run_file(folder, names[i]);
        free(names[i]);
    }
}
