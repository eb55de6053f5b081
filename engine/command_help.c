/* What `dosrun` alone says, and help about a playbook's own arguments. */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- dosrun alone ---- */

/* False when the target has no runs in this world. */
static bool add_last_run(struct dosrun *dosrun, struct buf *out)
{
    char *root = place_store_root(dosrun), when[32];
    const char *world = dosrun->command->sandbox ? "--sandbox " : "";
    struct store *store = store_new(dosrun->real, root, dosrun->project, dosrun->target_name);
    struct run_summary *runs = NULL;
    size_t count = 0;

    free(root);
    if (store_runs(store, &runs, &count, &dosrun->err) == 0 && count) {
        const struct run_summary *last = &runs[count - 1];
        time_t seconds = (time_t)(last->began_ms / 1000);
        struct tm tm;

        gmtime_r(&seconds, &tm);
        strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%SZ", &tm);
        buf_addf(out, "\nThe last run on %s%s: %s of %s, %s: %s\n", dosrun->target_name,
                 *world ? " in the sandbox" : "", last->id, doc_as_text(doc_get(last->first, "playbook"), "?"), when,
                 last->exit < 0 ? "it has no end" : doc_as_text(doc_get(last->last, "how"), "?"));
        if (run_summary_unfinished(last))
            buf_addf(out, "  dosrun %sresume %s\n  dosrun %srollback %s\n", world, last->id, world, last->id);
        else
            buf_addf(out, "  dosrun %sshow %s\n", world, last->id);
    }
    store_runs_free(runs, count);
    store_free(store);
    return count > 0;
}

int command_intro(struct dosrun *dosrun)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    help_add_intro(&out);
    if (place_find(dosrun, &dosrun->err) == 0 && !add_last_run(dosrun, &out) && !dosrun->command->sandbox) {
        dosrun->command->sandbox = true;
        add_last_run(dosrun, &out);
    }
    buf_add_text(&out, "\nMore: dosrun help, dosrun doctor\n");
    dosrun_text(dosrun, "%s", buf_text(&out));
    buf_free(&out);
    return EXIT_DONE;
}

/* ---- a playbook's own help ---- */

static bool is_boolean(const struct doc *arg)
{
    return strcmp(doc_as_text(doc_get(arg, "type"), ""), "boolean") == 0;
}

static void add_word(struct buf *out, const struct doc *arg)
{
    bool optional = doc_as_bool(doc_get(arg, "optional"), false);
    const char *name = doc_as_text(doc_get(arg, "name"), "?");

    buf_add_text(out, optional ? " [" : " ");
    buf_add_text(out, is_boolean(arg) ? "--" : "");
    for (const char *at = name; *at; at++)
        buf_add_char(out, is_boolean(arg) || *at < 'a' || *at > 'z' ? *at : (char)(*at - 'a' + 'A'));
    buf_add_text(out, optional ? "]" : "");
}

static void add_argument(struct buf *out, const struct doc *arg)
{
    const struct doc *choice = doc_get(arg, "choice");
    const char *summary = doc_as_text(doc_get(arg, "summary"), "");

    buf_addf(out, "  %s%-14s %s%s", is_boolean(arg) ? "--" : "", doc_as_text(doc_get(arg, "name"), "?"), summary,
             *summary ? " " : "");
    if (choice) {
        buf_add_text(out, "(one of");
        for (size_t i = 0; i < doc_size(choice); i++)
            buf_addf(out, "%s %s", i ? "," : "", doc_as_text(doc_at(choice, i), "?"));
        buf_add_text(out, ")\n");
    } else {
        buf_addf(out, "(%s%s)\n", doc_as_text(doc_get(arg, "type"), "?"),
                 doc_as_bool(doc_get(arg, "optional"), false) && !is_boolean(arg) ? ", may be left out" : "");
    }
}

int command_help(struct dosrun *dosrun)
{
    const struct doc *about, *args, *steps;
    struct buf out;

    dosrun->command->sandbox = false;
    if (place_find(dosrun, &dosrun->err) < 0 || dosrun_open(dosrun, &dosrun->err) < 0 || session_load(dosrun) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    about = playbook_about(dosrun->playbook);
    args = doc_get(about, "args");
    steps = doc_get(about, "steps");
    buf_init(&out, 1 << 20);
    buf_addf(&out, "%s%s%s\n\nUsage: dosrun %s", doc_as_text(doc_get(about, "name"), "?"),
             doc_get(about, "summary") ? ": " : "", doc_as_text(doc_get(about, "summary"), ""),
             dosrun->command->playbook);
    for (size_t i = 0; i < doc_size(args); i++)
        add_word(&out, doc_at(args, i));
    buf_add_text(&out, doc_size(args) ? "\n\nArguments:\n" : "\n");
    for (size_t i = 0; i < doc_size(args); i++)
        add_argument(&out, doc_at(args, i));
    buf_add_text(&out, "\nSteps:");
    for (size_t i = 0; i < doc_size(steps); i++)
        buf_addf(&out, "%s %s", i ? "," : "", doc_as_text(doc_get(doc_at(steps, i), "name"), "?"));
    buf_addf(&out, "\n\nWhat would it change? dosrun plan %s", dosrun->command->playbook);
    for (size_t i = 0; i < doc_size(args); i++) {
        if (!doc_as_bool(doc_get(doc_at(args, i), "optional"), false))
            add_word(&out, doc_at(args, i));
    }
    buf_add_text(&out, "\nOptions of dosrun: dosrun help run\n");
    dosrun_text(dosrun, "%s", buf_text(&out));
    buf_free(&out);
    return EXIT_DONE;
}
