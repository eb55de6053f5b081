/* run and plan: forward, and backward when a step fails. */
#include "dosrun.h"

#include "base/digest.h"
#include "base/secret.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void forward_done(void *ctx, const struct err *err)
{
    struct dosrun *dosrun = ctx;

    dosrun->done = true;
    if (err)
        dosrun->err = *err;
}

static void run_each_turn(void *ctx)
{
    struct dosrun *dosrun = ctx;
    const struct err *trouble = dosrun->journal ? journal_trouble(dosrun->journal) : NULL;

    if (trouble)
        run_stop(dosrun->run, trouble);
    run_turn(dosrun->run);
}

static void on_signal(void *ctx, int signal)
{
    struct dosrun *dosrun = ctx;
    struct err err = ERR_INIT;

    if (dosrun->interrupted) { /* twice: at once; the journal is whole at any point */
        output_finish(dosrun->output, EXIT_INTERRUPTED);
        _exit(EXIT_INTERRUPTED);
    }
    dosrun->interrupted = true;
    dosrun->bind.stopping = true;
    err_set(&err, ERR_CANCELLED, "interrupted by %s", signal == SIGINT ? "Ctrl-C" : "SIGTERM");
    err_explain(&err, "R206");
    if (dosrun->run)
        run_stop(dosrun->run, &err);
    changes_stop(dosrun->changes, &err);
}

void session_watch(struct dosrun *dosrun)
{
    world_watch_signals(dosrun->world, on_signal, dosrun);
}

static struct doc *words_doc(const struct command_list *list)
{
    struct doc *words = doc_array();

    for (size_t i = 0; i < list->len; i++)
        doc_push(words, doc_text(list->texts[i]));
    return words;
}

/* The command line's words, secret ones as marks: once the playbook has told which they are. */
static struct doc *shown_words(const struct dosrun *dosrun)
{
    const struct doc *specs = doc_get(playbook_about(dosrun->playbook), "args");
    const struct doc *args = doc_get(dosrun->bind.info, "args");
    struct doc *words = doc_array();

    for (size_t i = 0; i < dosrun->command->args.len; i++) {
        const char *word = dosrun->command->args.texts[i];
        struct doc *shown = doc_text(word);

        for (size_t j = 0; j < doc_size(specs); j++) {
            const struct doc *spec = doc_at(specs, j);
            struct doc *value = doc_get(args, doc_path_text(spec, "name", NULL));
            struct err ignored = ERR_INIT;
            struct buf plain;

            if (!doc_as_bool(doc_get(spec, "secret"), false) || !doc_is(value, DOC_STRING))
                continue;
            buf_init(&plain, 1 << 20);
            if (marks_reveal(dosrun->marks, doc_as_view(value), &plain, &ignored) == 0 &&
                view_equal(buf_view(&plain), view_of(word))) {
                doc_unref(shown);
                shown = doc_ref(value);
            }
            if (plain.ptr)
                secret_wipe(plain.ptr, plain.len);
            buf_free(&plain);
        }
        doc_push(words, shown);
    }
    return words;
}

/* words: taken, or NULL where it is not known which of them are secret. */
static void emit_hello(struct dosrun *dosrun, const char *mode, struct doc *words)
{
    struct doc *event = dosrun_event("hello", "mode", mode);

    doc_set_text(event, "format", "1.0");
    doc_set_text(event, "dosrun", DOSRUN_VERSION);
    doc_set_text(event, "playbook", dosrun->playbook_path);
    doc_set(event, "args", words ? words : doc_array());
    doc_set_text(event, "target", dosrun->target_name);
    doc_set_text(event, "world", dosrun->command->sandbox ? "sandbox" : "real");
    doc_set_bool(event, "plan", strcmp(mode, "plan") == 0);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
}

int session_arguments(struct dosrun *dosrun)
{
    struct doc *words = words_doc(&dosrun->command->args);
    const struct doc *args = playbook_arguments(dosrun->playbook, words, &dosrun->err);
    struct doc *info = dosrun->bind.info;

    doc_unref(words);
    if (!args)
        return -1;
    doc_set(info, "args", doc_ref(args));
    doc_set(info, "values", doc_ref(dosrun->values));
    doc_set_text(info, "target", dosrun->target_name);
    doc_set_text(info, "kind", !place_needs_cluster(dosrun) ? "local" : target_is_eks(dosrun) ? "eks" : "kube");
    doc_set_bool(info, "sandbox", dosrun->command->sandbox);
    doc_set_int(info, "max_parallel", dosrun->command->max_parallel);
    doc_set_text(info, "lock_namespace", doc_path_text(dosrun->target, "lock_namespace", NULL));
    doc_set(info, "adopt", words_doc(&dosrun->command->adopts));
    return 0;
}

/* The journal's first record: what is run, where, with what, and how its names are made. */
static void emit_run(struct dosrun *dosrun)
{
    struct doc *event = dosrun_event("run", "id", dosrun->run_id);
    struct buf hex, mark;

    buf_init(&hex, 256);
    buf_init(&mark, 1024);
    base64_add(&hex, (struct view){(const char *)dosrun->bind.name_key, sizeof(dosrun->bind.name_key)});
    marks_add_secret(dosrun->marks, &mark, buf_view(&hex));
    doc_set_int(event, "format", JOURNAL_FORMAT);
    doc_set_text(event, "dosrun", DOSRUN_VERSION);
    doc_set_text(event, "playbook", dosrun->playbook_path);
    doc_set_text(event, "project", dosrun->project);
    doc_set_text(event, "target", dosrun->target_name);
    doc_set_text(event, "identity", dosrun->identity);
    doc_set_bool(event, "cluster", place_needs_cluster(dosrun));
    doc_set_bool(event, "aws", dosrun->bind.uses_aws);
    doc_set(event, "words", shown_words(dosrun));
    doc_set(event, "info", doc_ref(dosrun->bind.info));
    doc_set_text(event, "name_key", buf_text(&mark));
    doc_set_int(event, "at_ms", world_now_ms(dosrun->world));
    event_bus_run(dosrun->bus, dosrun->run_id, 1);
    event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
    DOC_EACH(file, dosrun->bundle)
    {
        event = dosrun_event("bundle", "path", file.key);
        doc_set(event, "text", doc_ref(file.value));
        event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
    }
    secret_wipe(hex.ptr, hex.len);
    buf_free(&hex);
    buf_free(&mark);
}

static int begin_journal(struct dosrun *dosrun)
{
    bundle_gather(dosrun);
    dosrun->journal = journal_create(dosrun->store, dosrun->marks, dosrun->run_id, &dosrun->err);
    if (!dosrun->journal)
        return -1;
    dosrun->loop.journal = dosrun->journal;
    dosrun->loop.journal_turn = journal_turn;
    event_bus_add(dosrun->bus, journal_sink(dosrun->journal));
    doc_set_text(dosrun->bind.info, "id", dosrun->run_id);
    emit_run(dosrun);
    return 0;
}

/* ---- how it ended ---- */

static void note_failure(struct dosrun *dosrun)
{
    const char *step = run_failed_step(dosrun->run);
    const struct place *place = run_failed_place(dosrun->run);

    if (step && !dosrun->step)
        dosrun->step = mem_text(step);
    if (place)
        dosrun->place = *place;
}

/* Where credentials come from gives none any more, or only ones that were refused: undo would fail call by call. */
static bool is_locked_out(const struct err *err)
{
    return err->kind == ERR_AUTH && (strcmp(err->explain, "A203") == 0 || strcmp(err->explain, "A204") == 0 ||
                                     strcmp(err->explain, "A205") == 0);
}

static bool rolls_back(const struct dosrun *dosrun)
{
    const char *on_failure = doc_as_text(doc_get(playbook_about(dosrun->playbook), "on_failure"), "rollback");

    if (dosrun->interrupted || changes_past_pivot(dosrun->changes) ||
        (dosrun->journal && journal_trouble(dosrun->journal)))
        return false;
    if (strcmp(dosrun->err.code, "CredentialsExhausted") == 0 || is_locked_out(&dosrun->err) ||
        dosrun->err.kind == ERR_INTERNAL)
        return false;
    if (dosrun->lease && kube_lease_lost(dosrun->lease))
        return false; /* whoever has the lock now acts on what stands */
    if (dosrun->command->on_failure != FAILURE_DEFAULT)
        return dosrun->command->on_failure == FAILURE_ROLLBACK;
    return strcmp(on_failure, "rollback") == 0;
}

static void next_after_stop(struct dosrun *dosrun)
{
    dosrun_next(dosrun, "dosrun resume %s", dosrun->run_id);
    if (!changes_past_pivot(dosrun->changes))
        dosrun_next(dosrun, "dosrun rollback %s", dosrun->run_id);
}

int session_back(struct dosrun *dosrun, bool automatic)
{
    struct undo_report report = {.err = ERR_INIT};
    struct err first = dosrun->err;
    struct doc *list = NULL, *event = event_new("run.back");
    int code;

    dosrun->err = ERR_INIT;
    if (!automatic)
        doc_set_bool(event, "asked", true);
    event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
    session_watch(dosrun);
    if (session_undo(dosrun, automatic, false, &report, &list) < 0) {
        dosrun_next(dosrun, "dosrun rollback %s", dosrun->run_id);
        return session_end(dosrun, dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL), "stopped");
    }
    if (dosrun->interrupted)
        code = EXIT_INTERRUPTED;
    else if (report.failed)
        code = EXIT_STOPPED;
    else if (report.left)
        code = EXIT_LEFT;
    else
        code = automatic ? EXIT_UNDONE : EXIT_DONE;
    if (report.failed || dosrun->interrupted)
        dosrun_next(dosrun, "dosrun rollback %s", dosrun->run_id);
    dosrun->err = first;
    dosrun_undo_error(dosrun, &report, list);
    doc_unref(list);
    return session_end(dosrun, code,
                       code == EXIT_LEFT          ? "left"
                       : code == EXIT_STOPPED     ? "stopped"
                       : code == EXIT_INTERRUPTED ? "interrupted"
                                                  : "undone");
}

/* Nothing was changed: who may not is told so (77), a playbook that is wrong too (64); all else has simply failed. */
static int untouched_exit(const struct err *err)
{
    if (err->kind == ERR_AUTH || err->kind == ERR_DENIED)
        return EXIT_NOPERM;
    return err->kind == ERR_USAGE && err->explain[0] ? EXIT_USAGE : EXIT_UNDONE;
}

int session_finish(struct dosrun *dosrun)
{
    const struct err *err = &dosrun->err;
    int code;

    if (!err->kind)
        return session_end(dosrun, dosrun->drifted ? EXIT_DRIFT : EXIT_DONE, "done");
    note_failure(dosrun);
    if (!changes_any(dosrun->changes) && !dosrun->interrupted && err->kind != ERR_INTERNAL) {
        code = dosrun_fail(dosrun, err, untouched_exit(err));
        return session_end(dosrun, code, "untouched");
    }
    if (rolls_back(dosrun))
        return session_back(dosrun, true);
    code = err->kind == ERR_INTERNAL ? EXIT_INTERNAL : dosrun->interrupted ? EXIT_INTERRUPTED : EXIT_STOPPED;
    next_after_stop(dosrun);
    dosrun_fail(dosrun, err, code);
    return session_end(dosrun, code, dosrun->interrupted ? "interrupted" : "stopped");
}

int session_forward(struct dosrun *dosrun)
{
    dosrun->done = false;
    dosrun->loop.turn = run_each_turn;
    dosrun->loop.ctx = dosrun;
    session_watch(dosrun);
    run_forward(dosrun->run, forward_done, dosrun);
    dosrun_wait(dosrun);
    dosrun->loop.turn = NULL;
    return session_finish(dosrun);
}

/* ---- plan ---- */

static char *words_text(const struct command_list *list)
{
    struct buf text;
    char *taken;

    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < list->len; i++)
        buf_addf(&text, " %s", list->texts[i]);
    taken = text.ptr ? buf_take(&text) : mem_text("");
    return taken;
}

static int plan_finish(struct dosrun *dosrun)
{
    struct changes_count count = changes_count(dosrun->changes);
    int code = count.would ? EXIT_DRIFT : EXIT_DONE;

    if (dosrun->err.kind) {
        note_failure(dosrun);
        code = dosrun_fail(dosrun, &dosrun->err, dosrun_exit_for(&dosrun->err));
    } else if (count.would) {
        char *words = words_text(&dosrun->command->args);

        dosrun_next(dosrun, "dosrun %s%s%s", dosrun->command->sandbox ? "--sandbox " : "", dosrun->command->playbook,
                    words);
        free(words);
    }
    return session_end(dosrun, code, "planned");
}

static int plan_or_read(struct dosrun *dosrun, enum change_mode mode)
{
    session_changes(dosrun, mode);
    session_steps(dosrun);
    dosrun->done = false;
    dosrun->loop.turn = run_each_turn;
    dosrun->loop.ctx = dosrun;
    run_forward(dosrun->run, forward_done, dosrun);
    dosrun_wait(dosrun);
    dosrun->loop.turn = NULL;
    return mode == CHANGE_PLAN ? plan_finish(dosrun) : session_finish(dosrun);
}

int command_run(struct dosrun *dosrun)
{
    bool plan = dosrun->command->word == COMMAND_PLAN, reads;
    int code;

    if (place_find(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    if (dosrun_open(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, dosrun_exit_for(&dosrun->err));
    dosrun->began_ms = world_mono_ms(dosrun->world);
    if (session_load(dosrun) < 0 || session_arguments(dosrun) < 0) {
        emit_hello(dosrun, plan ? "plan" : "run", NULL);
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    }
    emit_hello(dosrun, plan ? "plan" : "run", shown_words(dosrun));
    reads = doc_as_bool(doc_get(playbook_about(dosrun->playbook), "reads"), false);
    if (place_check(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, dosrun->err.kind == ERR_USAGE ? EXIT_USAGE : EXIT_NOPERM);
    if (plan || reads)
        return plan_or_read(dosrun, plan ? CHANGE_PLAN : CHANGE_READ);
    if (doc_as_bool(doc_get(playbook_about(dosrun->playbook), "pivots"), false) && consent_ask(dosrun) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    session_changes(dosrun, CHANGE_FORWARD);
    if (session_lock(dosrun, &code) < 0)
        return dosrun_fail(dosrun, &dosrun->err, code);
    if (begin_journal(dosrun) < 0) {
        cluster_unlock(dosrun);
        return dosrun_fail(dosrun, &dosrun->err, EXIT_UNDONE);
    }
    session_steps(dosrun);
    if (!dosrun->command->sandbox) /* whose time is not ours */
        estimate_tell(dosrun, shown_words(dosrun));
    return session_forward(dosrun);
}
