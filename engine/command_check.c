/* check: the playbook loaded and every step walked, with nothing outside (lua/dosrun/offline.lua). */
#include "dosrun.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

/* A walk of the steps, one after the other in the order of the file. */
struct walk {
    struct dosrun *dosrun;
    struct doc *values; /* by step name, as a run would hand them on */
    struct doc *notes;  /* what could not be checked further */
    const char *step;
};

static void step_ended(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err)
{
    struct walk *walk = ctx;
    struct dosrun *dosrun = walk->dosrun;
    const struct place *place = task_place(task);
    struct doc *value = NULL;
    struct err wrong = ERR_INIT;

    dosrun->done = true;
    if (!err)
        value = bind_result(L, n, &wrong);
    if (wrong.kind) {
        err_context(&wrong, "what step \"%s\" returns", walk->step);
        err = &wrong;
    }
    if (err && strcmp(err->code, "NotChecked") == 0) {
        struct buf mark, note;

        buf_init(&mark, 1024);
        buf_init(&note, 4096);
        buf_addf(&mark, "step %s", walk->step);
        buf_addf(&note, "step \"%s\": %s", walk->step, err->message);
        if (place && place->line)
            buf_addf(&note, " (%s:%d)", place->file, place->line);
        doc_push(walk->notes, doc_string(buf_view(&note)));
        buf_reset(&note);
        marks_add_unknown(dosrun->marks, &note, buf_text(&mark));
        value = doc_string(buf_view(&note));
        buf_free(&mark);
        buf_free(&note);
    } else if (err) {
        dosrun->err = *err;
        dosrun->step = mem_text(walk->step);
        if (place)
            dosrun->place = *place;
    }
    doc_set(walk->values, walk->step, value ? value : doc_null());
}

static int walk_steps(struct walk *walk)
{
    struct dosrun *dosrun = walk->dosrun;
    const struct doc *steps = doc_get(playbook_about(dosrun->playbook), "steps");

    for (size_t i = 0; i < doc_size(steps) && !dosrun->err.kind; i++) {
        struct task *task;

        walk->step = doc_path_text(doc_at(steps, i), "name", NULL);
        task = playbook_step(dosrun->playbook, i, walk->step, walk->values);
        task_on_end(task, step_ended, walk);
        dosrun->done = false;
        task_start(task);
        dosrun_wait(dosrun);
    }
    return dosrun->err.kind ? -1 : 0;
}

/* The objects of each manifest in one file of that name; secrets and what only a run knows are named, not told. */
static int render(struct dosrun *dosrun, const struct doc *objects)
{
    struct doc *files = doc_object();
    int result = 0;

    for (size_t i = 0; i < doc_size(objects); i++) {
        const struct doc *object = doc_at(objects, i);
        const char *file = doc_path_text(object, "file", NULL), *before = doc_as_text(doc_get(files, file), "");
        struct buf text;

        buf_init(&text, 64 << 20);
        buf_addf(&text, "%s---\n", before);
        marks_redact(dosrun->marks, doc_as_view(doc_get(object, "text")), &text);
        doc_set(files, file, doc_string(buf_view(&text)));
        buf_free(&text);
    }
    DOC_EACH(file, files)
    {
        char *path =
                 mem_printf("%s/%s%s", dosrun->command->render_dir, file.key, strstr(file.key, ".y") ? "" : ".yaml"),
             *folder;

        for (char *at = path; *at; at++)
            *at = *at == ' ' ? '-' : *at;
        folder = mem_text(path);
        *strrchr(folder, '/') = '\0';
        if (result == 0)
            result = disk_make_folder(dosrun->real, folder, 0755, &dosrun->err);
        if (result == 0)
            result = disk_write(dosrun->real, path, doc_as_view(file.value), 0644, &dosrun->err);
        free(folder);
        free(path);
    }
    doc_unref(files);
    return result;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void tell(struct dosrun *dosrun, const struct doc *all, const struct doc *notes)
{
    size_t steps = doc_size(doc_get(playbook_about(dosrun->playbook), "steps"));
    size_t objects = doc_size(doc_get(all, "objects")), verbs = (size_t)doc_as_int(doc_get(all, "verbs"), 0);
    const struct doc *lists[] = {notes, doc_get(all, "notes")};
    struct doc *event = event_new("text");
    struct buf text;

    buf_init(&text, 1 << 20);
    buf_addf(&text, "%s: no mistakes found in %zu step%s, %zu object%s, %zu use%s of verbs\n", dosrun->playbook_path,
             steps, plural(steps), objects, plural(objects), verbs, plural(verbs));
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < doc_size(lists[i]); j++) {
            buf_add_text(&text, i == 0 ? "not checked further: " : "note: ");
            marks_redact(dosrun->marks, doc_as_view(doc_at(lists[i], j)), &text);
            buf_add_char(&text, '\n');
        }
    }
    if (dosrun->command->render_dir)
        buf_addf(&text, "manifests written to %s\n", dosrun->command->render_dir);
    doc_set_text(event, "text", buf_text(&text));
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
    buf_free(&text);
}

int command_check(struct dosrun *dosrun)
{
    bool sandbox = dosrun->command->sandbox;
    struct walk walk = {.dosrun = dosrun};
    struct doc *all = NULL;
    int code = EXIT_DONE;

    if (place_find(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    dosrun->command->sandbox = true; /* one in memory: time jumps, and its API server looks at the manifests */
    if (dosrun_open(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, dosrun_exit_for(&dosrun->err));
    if (session_load(dosrun) < 0 || session_arguments(dosrun) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    doc_set_bool(dosrun->bind.info, "sandbox", sandbox);
    session_changes(dosrun, CHANGE_PLAN);
    walk.values = doc_object();
    walk.notes = doc_array();
    if (walk_steps(&walk) == 0)
        all = bind_call(&dosrun->bind, "dosrun.offline", "found", &dosrun->err);
    if (all && (!dosrun->command->render_dir || render(dosrun, doc_get(all, "objects")) == 0))
        tell(dosrun, all, walk.notes);
    if (dosrun->err.kind)
        code = dosrun_fail(dosrun, &dosrun->err, dosrun->err.kind == ERR_INTERNAL ? EXIT_INTERNAL : EXIT_USAGE);
    doc_unref(all);
    doc_unref(walk.values);
    doc_unref(walk.notes);
    return code;
}
