/* sandbox show, sandbox reset. */
#include "dosrun.h"

#include "sandbox/sandbox.h"

#include <stdlib.h>

static void time_passed(void *ctx)
{
    ((struct dosrun *)ctx)->done = true;
}

/* The store once more, when so much time has passed and it is another one then. */
static void show_later(struct dosrun *dosrun, int64_t after_ms, struct buf *text)
{
    struct buf later;

    timer_start(dosrun->world, after_ms, time_passed, dosrun);
    dosrun_wait(dosrun);
    buf_init(&later, 256 << 20);
    sandbox_show(dosrun->world, dosrun->command->raw, &later);
    if (!view_equal(buf_view(&later), buf_view(text))) {
        buf_add_text(text, "\n---- and after that time:\n");
        buf_add_view(text, buf_view(&later));
    }
    buf_free(&later);
}

int command_sandbox_show(struct dosrun *dosrun)
{
    struct buf text;

    dosrun->command->sandbox = true;
    if (place_find(dosrun, &dosrun->err) < 0 || dosrun_open(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    buf_init(&text, 512 << 20);
    sandbox_show(dosrun->world, dosrun->command->raw, &text);
    if (dosrun->command->after_ms)
        show_later(dosrun, dosrun->command->after_ms, &text);
    dosrun_text(dosrun, "%s", buf_text(&text));
    buf_free(&text);
    return EXIT_DONE;
}

/* The cloud and the runs on it go together: a journal of a cloud that is gone could undo nothing. */
int command_sandbox_reset(struct dosrun *dosrun)
{
    char *root, *folder;
    int result;

    dosrun->command->sandbox = true;
    if (place_find(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    root = place_store_root(dosrun);
    folder = mem_printf("%s/cloud/%s", root, dosrun->target_name);
    result = sandbox_reset(folder, &dosrun->err);
    if (result == 0)
        result = store_clear(dosrun->real, root, dosrun->project, dosrun->target_name, &dosrun->err);
    free(folder);
    free(root);
    if (result < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_UNDONE);
    dosrun_text(dosrun, "the sandbox of target %s is empty\n", dosrun->target_name);
    return EXIT_DONE;
}
