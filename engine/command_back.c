/* resume, rollback, abandon: a run that was left, taken up again from its journal. */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>

static const char *event_type(const struct doc *event)
{
    return doc_as_text(doc_get(event, "type"), "");
}

/* ---- the error of an undone run ---- */

static void context_line(struct doc *event, const char *word, char *text)
{
    dosrun_context(event, word, view_of(text));
    free(text);
}

void dosrun_undo_error(struct dosrun *dosrun, const struct undo_report *report, const struct doc *list)
{
    int undone = report->undone + report->already;
    struct err err = dosrun->err;
    struct doc *event;

    if (!err.kind && !report->left && !report->failed)
        return;
    if (!err.kind) {
        err_set(&err, ERR_CONFLICT, "%s",
                report->failed ? "the rollback could not undo everything" : "the rollback left what others changed");
        err_explain(&err, "R205");
    }
    event = dosrun_error_event(dosrun, &err);
    context_line(event, "world",
                 mem_printf("%d change%s undone, %s", undone, undone == 1 ? "" : "s",
                            report->left + report->failed ? "but not all:" : "nothing left behind"));
    for (size_t i = 0; i < doc_size(list); i++) {
        const struct doc *entry = doc_at(list, i);
        const char *manager = doc_path_text(entry, "manager", NULL);

        context_line(event, "left",
                     mem_printf("%s: %s%s%s%s", doc_as_text(doc_get(entry, "key"), "?"),
                                doc_as_text(doc_get(entry, "what"), ""), manager ? " (by " : "", manager ? manager : "",
                                manager ? ")" : ""));
    }
    event_emit(dosrun->bus, EVENT_NOTE, dosrun->step, event);
}

/* ---- taking up ---- */

/* How the run ended; NULL: it has no end, or was begun again since. */
static const struct doc *history_end(const struct dosrun *dosrun)
{
    const struct doc *end = NULL;

    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        const struct doc *event = doc_at(dosrun->history, i);
        const char *type = event_type(event);

        if (strcmp(type, "run.end") == 0)
            end = event;
        else if (strcmp(type, "resume") == 0 || strcmp(type, "run.back") == 0)
            end = NULL;
    }
    return end;
}

/* What is over cannot go on, and what was abandoned has no undo. */
static bool history_unfinished(const struct dosrun *dosrun)
{
    const struct doc *end = history_end(dosrun);
    int exit = (int)doc_as_int(doc_get(end, "exit"), -1);

    return !end || exit == EXIT_STOPPED || exit == EXIT_INTERNAL || exit == EXIT_INTERRUPTED;
}

static int check_end(struct dosrun *dosrun, bool unfinished_only)
{
    const struct doc *end = history_end(dosrun);
    int exit = (int)doc_as_int(doc_get(end, "exit"), -1);

    if (end && strcmp(doc_as_text(doc_get(end, "how"), ""), "abandoned") == 0)
        return err_set(&dosrun->err, ERR_USAGE, "run %s was abandoned: its undo was given up", dosrun->run_id);
    if (unfinished_only && !history_unfinished(dosrun))
        return err_set(&dosrun->err, ERR_USAGE, "run %s has ended (exit %d): there is nothing to go on with",
                       dosrun->run_id, exit);
    return 0;
}

static int take_up(struct dosrun *dosrun, bool unfinished_only, bool write, int *code)
{
    *code = EXIT_USAGE;
    if (place_find(dosrun, &dosrun->err) < 0 || dosrun_open(dosrun, &dosrun->err) < 0)
        return -1;
    dosrun->began_ms = world_mono_ms(dosrun->world);
    if (session_find_run(dosrun, unfinished_only, &dosrun->run_id) < 0)
        return -1;
    if (session_history(dosrun, dosrun->run_id, false) < 0) {
        *code = EXIT_INTERNAL;
        return -1;
    }
    if (check_end(dosrun, unfinished_only) < 0)
        return -1;
    if (place_check(dosrun, &dosrun->err) < 0) {
        *code = dosrun->err.kind == ERR_USAGE ? EXIT_USAGE : EXIT_NOPERM;
        return -1;
    }
    session_changes(dosrun, write ? CHANGE_FORWARD : CHANGE_READ);
    if (!write)
        return 0;
    if (session_lock(dosrun, code) < 0)
        return -1;
    /* Read again under the lock: another process may have gone on with it meanwhile. */
    if (session_history(dosrun, dosrun->run_id, true) < 0) {
        cluster_unlock(dosrun);
        *code = dosrun->err.kind == ERR_QUOTA ? EXIT_STOPPED : EXIT_INTERNAL;
        return -1;
    }
    *code = EXIT_USAGE;
    if (check_end(dosrun, unfinished_only) == 0)
        return 0;
    cluster_unlock(dosrun);
    return -1;
}

static int replay(struct dosrun *dosrun)
{
    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        if (changes_replay(dosrun->changes, doc_at(dosrun->history, i), &dosrun->err) < 0)
            return -1;
    }
    return 0;
}

/* Is the run on its way back? asked: by a rollback command, which keeps nothing. */
static bool history_back(const struct dosrun *dosrun, bool *asked)
{
    bool back = false;

    *asked = false;
    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        const struct doc *event = doc_at(dosrun->history, i);

        if (strcmp(event_type(event), "run.back") != 0)
            continue;
        back = true;
        *asked = *asked || doc_as_bool(doc_get(event, "asked"), false);
    }
    return back;
}

/* Today's file beside the bundle's: what `--edited` takes, and what a plain resume tells. */
static void compare_files(struct dosrun *dosrun, bool take)
{
    struct doc *edited = doc_array(), *fresh = doc_object();

    DOC_EACH(file, dosrun->bundle)
    {
        struct err unread = ERR_INIT;
        struct buf text;

        buf_init(&text, 16 << 20);
        if (place_read(dosrun, file.key, &text, &unread) < 0 || !view_equal(buf_view(&text), doc_as_view(file.value)))
            doc_push(edited, doc_text(file.key));
        else
            doc_set(fresh, file.key, doc_ref(file.value));
        buf_free(&text);
    }
    dosrun->edited = edited;
    if (take) { /* what changed is read from the disk again, and recorded anew */
        doc_unref(dosrun->bundle);
        dosrun->bundle = fresh;
    } else {
        doc_unref(fresh);
    }
}

static void tell_edited(struct dosrun *dosrun, bool take)
{
    for (size_t i = 0; i < doc_size(dosrun->edited); i++) {
        struct doc *event = dosrun_event("log", "level", take ? "info" : "warning");
        char *text = mem_printf(
            "%s %s since the run began; %s", doc_as_text(doc_at(dosrun->edited, i), "?"), "was changed or removed",
            take ? "today's is taken (--edited)" : "the run goes on with its own copy (--edited takes today's)");

        doc_set_text(event, "text", text);
        event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
        free(text);
    }
}

static void emit_hello(struct dosrun *dosrun, const char *mode)
{
    struct doc *event = dosrun_event("hello", "mode", mode);

    doc_set_text(event, "format", "1.0");
    doc_set_text(event, "dosrun", DOSRUN_VERSION);
    doc_set_text(event, "playbook", dosrun->playbook_path);
    doc_set_text(event, "target", dosrun->target_name);
    doc_set_text(event, "world", dosrun->command->sandbox ? "sandbox" : "real");
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
}

int command_resume(struct dosrun *dosrun)
{
    bool edited = dosrun->command->edited, asked;
    int code;

    if (take_up(dosrun, true, true, &code) < 0)
        return dosrun_fail(dosrun, &dosrun->err, code);
    emit_hello(dosrun, "resume");
    compare_files(dosrun, edited);
    event_emit(dosrun->bus, EVENT_NOTE, NULL, dosrun_event("resume", "id", dosrun->run_id));
    tell_edited(dosrun, edited);
    if (replay(dosrun) < 0)
        return session_end(dosrun, dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL), "stopped");
    dosrun->unproven = edited ? doc_array() : NULL;
    if (session_load(dosrun) < 0) {
        dosrun_next(dosrun, "dosrun rollback %s", dosrun->run_id);
        return session_end(dosrun, dosrun_fail(dosrun, &dosrun->err, EXIT_STOPPED), "stopped");
    }
    dosrun_bundle_proven(dosrun);
    if (history_back(dosrun, &asked))
        return session_back(dosrun, !asked);
    /* Whoever began the run agreed to what cannot be undone. */
    dosrun->bind.pivots = doc_as_bool(doc_get(playbook_about(dosrun->playbook), "pivots"), false);
    session_steps(dosrun);
    for (size_t i = 0; i < doc_size(dosrun->history); i++)
        run_replay(dosrun->run, doc_at(dosrun->history, i));
    return session_forward(dosrun);
}

static int rollback_plan(struct dosrun *dosrun)
{
    struct undo_report report = {.err = ERR_INIT};
    struct doc *changes = changes_list(dosrun->changes), *event = event_new("report"), *rows = doc_array(),
               *list = NULL, *columns = doc_array();
    static const char *const names[] = {"resource", "step", "undo", "state"};

    for (size_t i = 0; i < 4; i++)
        doc_push(columns, doc_text(names[i]));
    for (size_t i = 0; i < doc_size(changes); i++) {
        const struct doc *change = doc_at(changes, i);
        struct doc *row;

        if (strcmp(doc_as_text(doc_get(change, "state"), ""), "undone") == 0)
            continue;
        row = doc_array();
        doc_push(row, doc_ref(doc_get(change, "key")));
        doc_push(row, doc_ref(doc_get(change, "step")));
        doc_push(row, doc_text(doc_as_text(doc_path(change, "undo", "op", NULL), "none")));
        doc_push(row, doc_ref(doc_get(change, "state")));
        doc_push(rows, row);
    }
    doc_unref(changes);
    doc_set_text(event, "title", "would be undone, in this order");
    doc_set(event, "columns", columns);
    doc_set(event, "rows", rows);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
    session_undo(dosrun, false, true, &report, &list);
    dosrun_undo_error(dosrun, &report, list);
    doc_unref(list);
    return report.left + report.failed ? EXIT_LEFT : EXIT_DONE;
}

/* Undoing the rest would leave a place that never was: what a pivot dropped does not come back. */
static int refuse_past_pivot(struct dosrun *dosrun)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_USAGE, "run %s did something that cannot be undone, so nothing of it is", dosrun->run_id);
    err_explain(&err, "R209");
    if (history_unfinished(dosrun)) {
        dosrun_next(dosrun, "dosrun resume %s", dosrun->run_id);
        dosrun_next(dosrun, "dosrun abandon %s --yes", dosrun->run_id);
    } else {
        dosrun_next(dosrun, "dosrun show %s", dosrun->run_id);
    }
    cluster_unlock(dosrun);
    return dosrun_fail(dosrun, &err, EXIT_USAGE);
}

int command_rollback(struct dosrun *dosrun)
{
    bool plan = dosrun->command->plan;
    int code;

    if (take_up(dosrun, false, !plan, &code) < 0)
        return dosrun_fail(dosrun, &dosrun->err, code);
    emit_hello(dosrun, "rollback");
    dosrun->from_bundle = true;
    if (replay(dosrun) < 0)
        return session_end(dosrun, dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL), "stopped");
    if (changes_past_pivot(dosrun->changes))
        return refuse_past_pivot(dosrun);
    /* Only verbs of the playbook's own need it; if it cannot be loaded, their undo says so. */
    if (session_load(dosrun) < 0) {
        struct doc *event = dosrun_event("log", "level", "warning");

        doc_set_text(event, "text", dosrun->err.message);
        event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
        dosrun->err = ERR_INIT;
    }
    if (plan)
        return rollback_plan(dosrun);
    return session_back(dosrun, false);
}

/* A journal that cannot be read is put aside: then the target takes runs again. */
static int abandon_damaged(struct dosrun *dosrun)
{
    int code;

    if (session_lock(dosrun, &code) < 0)
        return dosrun_fail(dosrun, &dosrun->err, code);
    dosrun->err = ERR_INIT;
    if (store_set_aside(dosrun->store, dosrun->run_id, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL);
    dosrun_text(dosrun, "the damaged journal of run %s was put aside (%s/runs/%s.jsonl.damaged)\n", dosrun->run_id,
                store_folder(dosrun->store), dosrun->run_id);
    cluster_unlock(dosrun);
    return EXIT_DONE;
}

int command_abandon(struct dosrun *dosrun)
{
    int code;

    if (!dosrun->command->yes) {
        struct err err = ERR_INIT;

        err_set(&err, ERR_USAGE, "abandon keeps what stands and gives up its undo; say --yes");
        return dosrun_fail(dosrun, &err, EXIT_USAGE);
    }
    if (take_up(dosrun, true, true, &code) < 0) {
        if (dosrun->run_id && !dosrun->journal && !dosrun->changes && strcmp(dosrun->err.explain, "R203") == 0)
            return abandon_damaged(dosrun);
        return dosrun_fail(dosrun, &dosrun->err, code);
    }
    emit_hello(dosrun, "abandon");
    if (replay(dosrun) < 0)
        return session_end(dosrun, dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL), "stopped");
    changes_abandon(dosrun->changes);
    return session_end(dosrun, EXIT_DONE, "abandoned");
}
