/* runs and show: what happened, from the journals alone. */
#include "dosrun.h"

#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int open_store(struct dosrun *dosrun)
{
    char *root;

    if (place_find(dosrun, &dosrun->err) < 0 || dosrun_open(dosrun, &dosrun->err) < 0)
        return -1;
    root = place_store_root(dosrun);
    dosrun->store = store_new(dosrun->world, root, dosrun->project, dosrun->target_name);
    free(root);
    return 0;
}

static struct doc *time_text(int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    if (!ms)
        return doc_text("");
    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &tm);
    return doc_text(text);
}

static struct doc *columns_of(const char *const *names)
{
    struct doc *columns = doc_array();

    for (; *names; names++)
        doc_push(columns, doc_text(*names));
    return columns;
}

static void emit_table(struct dosrun *dosrun, const char *title, const char *const *names, struct doc *rows)
{
    struct doc *event = dosrun_event("report", "title", title);

    doc_set(event, "columns", columns_of(names));
    doc_set(event, "rows", rows);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
}

int command_runs(struct dosrun *dosrun)
{
    static const char *const names[] = {"run", "began", "playbook", "how", "exit", "changes", NULL};
    struct doc *rows = doc_array();
    struct run_summary *runs;
    size_t count;

    if (open_store(dosrun) < 0 || store_runs(dosrun->store, &runs, &count, &dosrun->err) < 0) {
        doc_unref(rows);
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    }
    for (size_t i = 0; i < count; i++) {
        const struct run_summary *run = &runs[i];
        struct doc *row = doc_array();
        char *words = mem_text(doc_as_text(doc_get(run->first, "playbook"), "?"));

        doc_push(row, doc_text(run->id));
        doc_push(row, time_text(run->began_ms));
        doc_push(row, doc_text(words));
        doc_push(row, doc_text(run->damaged    ? run->trouble
                               : run->exit < 0 ? "no end"
                                               : doc_as_text(doc_get(run->last, "how"), "?")));
        doc_push(row, run->exit < 0 ? doc_text("") : doc_int(run->exit));
        doc_push(row, doc_int(doc_as_int(doc_get(run->last, "changes"), 0)));
        doc_push(rows, row);
        free(words);
    }
    store_runs_free(runs, count);
    if (count)
        emit_table(dosrun, NULL, names, rows);
    else {
        doc_unref(rows);
        dosrun_text(dosrun, "no runs on target %s yet\n", dosrun->target_name);
    }
    return EXIT_DONE;
}

static const char *text_of(const struct doc *event, const char *member)
{
    return doc_as_text(doc_get(event, member), "");
}

static void show_calls(struct dosrun *dosrun)
{
    static const char *const names[] = {"attempt", "class", "step", "request", "status", NULL};
    struct doc *rows = doc_array();

    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        const struct doc *event = doc_at(dosrun->history, i);
        const char *type = text_of(event, "type"), *class = NULL;
        struct doc *row;
        char *request;

        if (strcmp(type, "call.intent") == 0)
            class = "changing";
        else if (strcmp(type, "call.read") == 0)
            class = "reads";
        if (!class)
            continue;
        row = doc_array();
        request = mem_printf("%s %s", text_of(event, "method"), text_of(event, "url"));
        doc_push(row, doc_ref(doc_get(event, "attempt")));
        doc_push(row, doc_text(class));
        doc_push(row, doc_text(text_of(event, "step")));
        doc_push(row, doc_text(request));
        doc_push(row, doc_get(event, "status") ? doc_ref(doc_get(event, "status")) : doc_text(""));
        doc_push(rows, row);
        free(request);
    }
    emit_table(dosrun, "calls", names, rows);
}

static void show_events(struct dosrun *dosrun)
{
    struct buf text;

    buf_init(&text, 256 << 20);
    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        struct doc *event = doc_copy(doc_at(dosrun->history, i));

        doc_remove(event, "prev");
        doc_remove(event, "crc");
        json_add(&text, event, JSON_COMPACT);
        buf_add_char(&text, '\n');
        doc_unref(event);
    }
    dosrun_text(dosrun, "%s", buf_text(&text));
    buf_free(&text);
}

static void show_summary(struct dosrun *dosrun)
{
    static const char *const step_names[] = {"step", "outcome", "ms", NULL}, *const change_names[] = {
                                                                                 "resource", "verb", "step",
                                                                                 "state",    "undo", NULL};
    struct doc *steps = doc_array(), *rows = doc_array(), *changes = changes_list(dosrun->changes);

    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        const struct doc *event = doc_at(dosrun->history, i);
        struct doc *row;

        if (strcmp(text_of(event, "type"), "error") == 0)
            dosrun_text(dosrun, "error: %s\n", text_of(event, "message"));
        if (strcmp(text_of(event, "type"), "step.end") != 0)
            continue;
        row = doc_array();
        doc_push(row, doc_text(text_of(event, "step")));
        doc_push(row, doc_text(text_of(event, "outcome")));
        doc_push(row, doc_ref(doc_get(event, "ms")));
        doc_push(steps, row);
    }
    for (size_t i = doc_size(changes); i-- > 0;) {
        const struct doc *change = doc_at(changes, i);
        struct doc *row = doc_array();

        doc_push(row, doc_text(text_of(change, "key")));
        doc_push(row, doc_text(text_of(change, "verb")));
        doc_push(row, doc_text(text_of(change, "step")));
        doc_push(row, doc_text(text_of(change, "state")));
        doc_push(row, doc_text(doc_as_text(doc_path(change, "undo", "op", NULL), "none")));
        doc_push(rows, row);
    }
    doc_unref(changes);
    emit_table(dosrun, "steps", step_names, steps);
    emit_table(dosrun, "changes", change_names, rows);
}

int command_show(struct dosrun *dosrun)
{
    if (place_find(dosrun, &dosrun->err) < 0 || dosrun_open(dosrun, &dosrun->err) < 0 ||
        session_find_run(dosrun, false, &dosrun->run_id) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    /* What can be read of a damaged journal is shown, then where it is damaged. */
    if (session_history(dosrun, dosrun->run_id, false) < 0 && !doc_size(dosrun->history))
        return dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL);
    session_changes(dosrun, CHANGE_READ);
    for (size_t i = 0; i < doc_size(dosrun->history); i++) {
        if (changes_replay(dosrun->changes, doc_at(dosrun->history, i), &dosrun->err) < 0)
            return dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL);
    }
    if (dosrun->command->calls)
        show_calls(dosrun);
    else if (dosrun->command->events)
        show_events(dosrun);
    else
        show_summary(dosrun);
    return dosrun->err.kind ? dosrun_fail(dosrun, &dosrun->err, EXIT_INTERNAL) : EXIT_DONE;
}
