/* Any text as a project file: it ends, within its memory and its time, and what it returns is a document or refused. */
#include "script/script.h"

#include <stdlib.h>
#include <time.h>

enum { MEMORY_MAX = 8 << 20, DEADLINE_MS = 100, WATCHDOG_MS = 60000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct view text;
    bool ended;
};

static int read_input(void *ctx, const char *path, struct buf *out, struct err *err)
{
    struct input *input = ctx;

    if (view_starts(view_of(path), "lib/missing"))
        return err_set(err, ERR_MISSING, "%s: no such file", path);
    buf_add_view(out, input->text);
    return 0;
}

static int64_t mono_ms(void *ctx)
{
    struct timespec now;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void task_ended(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err)
{
    struct input *input = ctx;
    struct doc *doc;
    struct err problem = ERR_INIT;

    (void)task;
    input->ended = true;
    if (!err && n > 0 && script_to_doc(L, -1, &doc, &problem) == 0)
        doc_unref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.text = {(const char *)data, size}};
    struct script_options options = {
        .memory_max = MEMORY_MAX, .watchdog_ms = WATCHDOG_MS, .read = read_input, .ctx = &input, .mono_ms = mono_ms};
    struct script *script = script_new(&options);
    struct err err = ERR_INIT;
    struct task *task = task_load(script, "playbooks/fuzz.lua", &err);

    if (task) {
        task_on_end(task, task_ended, &input);
        task_deadline(task, mono_ms(NULL) + DEADLINE_MS);
        task_start(task);
        script_run_ready(script);
        if (!input.ended)
            abort();
    }
    script_free(script);
    return 0;
}
