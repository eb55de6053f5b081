/* test: specs of playbooks (lua/dosrun/spec.lua); each test runs this binary again, in a sandbox of its own. */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>

static const char specs_folder[] = "tests/spec";

static bool add_spec(void *ctx, const char *name, enum disk_kind kind)
{
    size_t len = strlen(name);
    char *path;

    if (kind != DISK_FILE || len < 5 || strcmp(name + len - 4, ".lua") != 0)
        return true;
    path = mem_printf("%s/%s", specs_folder, name);
    doc_push(ctx, doc_text(path));
    free(path);
    return true;
}

/* The files that were named, or all of the project. NULL with err when there is none. */
static struct doc *find_specs(struct dosrun *dosrun, struct err *err)
{
    const struct command_list *named = &dosrun->command->args;
    char *folder = mem_printf("%s/%s", dosrun->project, specs_folder);
    struct disk_stat stat = {0};
    struct doc *specs = doc_array();

    for (size_t i = 0; i < named->len; i++)
        doc_push(specs, doc_text(named->texts[i]));
    if (!named->len && disk_stat(dosrun->real, folder, &stat, err) == 0 && stat.kind == DISK_FOLDER &&
        disk_list(dosrun->real, folder, add_spec, specs, err) < 0)
        doc_clear(specs);
    free(folder);
    if (doc_size(specs))
        return specs;
    doc_unref(specs);
    if (!err->kind)
        err_set(err, ERR_USAGE, "there is no spec in %s; `dosrun new NAME` writes a playbook with one", specs_folder);
    return NULL;
}

static void task_ended(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err)
{
    struct dosrun *dosrun = ctx;
    struct doc *totals;

    dosrun->done = true;
    if (err) {
        dosrun->err = *err;
        if (task_place(task))
            dosrun->place = *task_place(task);
        return;
    }
    totals = bind_result(L, n, &dosrun->err); /* of the last task */
    dosrun->drifted = doc_as_int(doc_get(totals, "failed"), 0) > 0;
    doc_unref(totals);
}

static int run_task(struct dosrun *dosrun, struct task *task)
{
    if (!task)
        return -1;
    task_on_end(task, task_ended, dosrun);
    dosrun->done = false;
    task_start(task);
    dosrun_wait(dosrun);
    return dosrun->err.kind ? -1 : 0;
}

static int run_specs(struct dosrun *dosrun, const struct doc *specs)
{
    struct task *task;

    if (bind_spec_install(&dosrun->bind, &dosrun->err) < 0)
        return -1;
    for (size_t i = 0; i < doc_size(specs); i++) {
        task = task_load(dosrun->script, doc_as_text(doc_at(specs, i), ""), &dosrun->err);
        if (task)
            task_data_set(task, bind_context_new(&dosrun->bind, NULL, NULL));
        if (run_task(dosrun, task) < 0)
            return -1;
    }
    return run_task(dosrun, bind_task(&dosrun->bind, "dosrun.spec", "run", NULL, &dosrun->err));
}

int command_test(struct dosrun *dosrun)
{
    struct doc *specs;
    int result;

    dosrun->command->sandbox = false; /* the runs are in one, each of its own */
    if (place_find(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    specs = find_specs(dosrun, &dosrun->err);
    if (!specs || dosrun_open(dosrun, &dosrun->err) < 0) {
        doc_unref(specs);
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    }
    result = run_specs(dosrun, specs);
    doc_unref(specs);
    if (result < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    return dosrun->drifted ? EXIT_UNDONE : EXIT_DONE;
}
