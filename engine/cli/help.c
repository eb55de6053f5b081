/* Help and manual page, made from the one table. Examples come first. */
#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/table.h"
#include "cli/text.h"

#include "base/suggest.h"

#include <string.h>

enum { COLUMNS_DEFAULT = 80, INDENT = 2, SECOND_COLUMN = 32 };

/* "  left        right, wrapped below itself"; a long left has a line of its own. */
static void pair_add(struct buf *out, const char *left, const char *right, int columns)
{
    int used = INDENT + text_width(view_of(left));

    text_blanks_add(out, INDENT);
    buf_add_text(out, left);
    if (used > SECOND_COLUMN - 2) {
        buf_add_char(out, '\n');
        used = 0;
    }
    text_blanks_add(out, SECOND_COLUMN - used);
    text_wrap_add(out, view_of(right), SECOND_COLUMN, SECOND_COLUMN, columns);
    buf_add_char(out, '\n');
}

static void option_add_left(struct buf *out, const struct option_row *row)
{
    if (row->letter)
        buf_addf(out, "-%c, ", row->letter);
    buf_addf(out, "--%s", row->name);
    if (row->value)
        buf_addf(out, "%s%s", *row->value == '[' ? "" : " ", row->value);
}

static void option_add(struct buf *out, const struct option_row *row, int columns)
{
    struct buf left, right;

    buf_init(&left, 256);
    buf_init(&right, 1024);
    option_add_left(&left, row);
    buf_add_text(&right, row->summary);
    if (row->choices) {
        struct view choice;

        buf_add_char(&right, ':');
        for (const char *rest = row->choices; table_next_choice(&rest, &choice);) {
            if (choice.len)
                buf_addf(&right, " %.*s%s", (int)choice.len, choice.ptr, rest ? "," : "");
        }
    }
    pair_add(out, buf_text(&left), buf_text(&right), columns);
    buf_free(&left);
    buf_free(&right);
}

static void examples_add(struct buf *out, const struct command_row *row)
{
    for (size_t i = 0; i + 1 < sizeof(row->examples) / sizeof(row->examples[0]) && row->examples[i]; i += 2)
        buf_addf(out, "  # %s\n  %s\n", row->examples[i + 1], row->examples[i]);
}

static void command_add_left(struct buf *out, const struct command_row *row)
{
    buf_addf(out, "%s%s%s", row->name, *row->name && *row->usage ? " " : "", row->usage);
}

void help_add_intro(struct buf *out)
{
    buf_add_text(out, "dosrun runs playbooks that change a cluster, and undoes them.\n\n"
                      "  # try it in the simulated cloud: no account, no cluster\n"
                      "  dosrun --sandbox playbooks/deploy.lua doom\n"
                      "  # what would it change?\n"
                      "  dosrun plan playbooks/deploy.lua doom\n"
                      "  # a playbook of your own\n"
                      "  dosrun new hello\n");
}

static void overview_add(struct buf *out, int columns)
{
    help_add_intro(out);
    buf_add_text(out, "\nCommands (dosrun COMMAND):\n");
    for (size_t i = 0; table_command_at(i); i++) {
        struct buf left;

        buf_init(&left, 256);
        command_add_left(&left, table_command_at(i));
        pair_add(out, buf_text(&left), table_command_at(i)->summary, columns);
        buf_free(&left);
    }
    buf_add_text(out, "\nOptions, also after the playbook:\n");
    for (size_t i = 0; table_option_at(i); i++)
        if (table_option_at(i)->commands == TABLE_ANY || table_option_at(i)->commands & (1U << COMMAND_RUN))
            option_add(out, table_option_at(i), columns);
    buf_add_text(out, "\nMore: dosrun help COMMAND, dosrun explain CODE, dosrun PLAYBOOK.lua --help\n");
}

static void command_help_add(struct buf *out, const struct command_row *row, int columns)
{
    bool any = false;

    examples_add(out, row);
    buf_add_text(out, "\nUsage: dosrun ");
    command_add_left(out, row);
    buf_add_text(out, "\n\n");
    text_wrap_add(out, view_of(row->description), 0, 0, columns);
    buf_add_char(out, '\n');
    for (size_t i = 0; table_option_at(i); i++) {
        const struct option_row *option = table_option_at(i);

        if (option->commands == TABLE_ANY || !(option->commands & (1U << row->word)))
            continue;
        buf_add_text(out, any ? "" : "\nOptions:\n");
        any = true;
        option_add(out, option, columns);
    }
    buf_add_text(out, "\nOptions of all commands: dosrun help\n");
}

/* Roff reads - as a hyphen, \ as an escape, and a dot or quote at the start of a line as a request. */
static void roff_add(struct buf *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((*at == '.' || *at == '\'') && (at == text || at[-1] == '\n'))
            buf_add_text(out, "\\&");
        if (*at == '\\')
            buf_add_text(out, "\\e");
        else if (*at == '-')
            buf_add_text(out, "\\-");
        else
            buf_add_char(out, *at);
    }
}

static void roff_pair_add(struct buf *out, const char *left, const char *right)
{
    buf_add_text(out, ".TP\n.B ");
    roff_add(out, left);
    buf_add_char(out, '\n');
    roff_add(out, right);
    buf_add_char(out, '\n');
}

static void man_add(struct buf *out)
{
    struct buf left;

    buf_init(&left, 512);
    buf_add_text(out, ".TH DOSRUN 1 \"\" \"dosrun " DOSRUN_VERSION "\"\n.SH NAME\n"
                      "dosrun \\- runs playbooks that change a cluster, and undoes them\n.SH SYNOPSIS\n");
    for (size_t i = 0; table_command_at(i); i++) {
        buf_reset(&left);
        command_add_left(&left, table_command_at(i));
        buf_add_text(out, i ? ".br\n.B dosrun " : ".B dosrun ");
        roff_add(out, buf_text(&left));
        buf_add_char(out, '\n');
    }
    buf_add_text(out, ".SH EXAMPLES\n");
    for (size_t i = 0; table_command_at(i); i++)
        for (size_t k = 0; k < 4 && table_command_at(i)->examples[k]; k += 2)
            roff_pair_add(out, table_command_at(i)->examples[k], table_command_at(i)->examples[k + 1]);
    buf_add_text(out, ".SH COMMANDS\n");
    for (size_t i = 0; table_command_at(i); i++) {
        buf_reset(&left);
        command_add_left(&left, table_command_at(i));
        roff_pair_add(out, buf_text(&left), table_command_at(i)->description);
    }
    buf_add_text(out, ".SH OPTIONS\n");
    for (size_t i = 0; table_option_at(i); i++) {
        buf_reset(&left);
        option_add_left(&left, table_option_at(i));
        roff_pair_add(out, buf_text(&left), table_option_at(i)->summary);
    }
    buf_add_text(out, ".SH EXIT STATUS\n");
    roff_pair_add(out, "0", "Done, or nothing to do.");
    roff_pair_add(out, "1", "Failed, everything undone.");
    roff_pair_add(out, "2", "Changes (plan) or drift (status).");
    roff_pair_add(out, "3", "Stopped; changes stand; can be resumed.");
    roff_pair_add(out, "4", "Rollback left something; it is listed.");
    roff_pair_add(out, "5", "The target is locked or has an unfinished run.");
    roff_pair_add(out, "64", "Wrong usage, a playbook or manifest error; nothing was touched.");
    roff_pair_add(out, "70", "A fault of dosrun itself; the journal is whole.");
    roff_pair_add(out, "77", "No credentials or no permission; nothing was touched.");
    roff_pair_add(out, "130", "Interrupted; can be resumed.");
    buf_free(&left);
}

static int refuse_word(const char *word, struct err *err)
{
    struct suggest suggest;

    suggest_init(&suggest, word);
    for (size_t i = 0; table_command_at(i); i++)
        suggest_try(&suggest, table_command_at(i)->name);
    for (size_t i = 0; table_option_at(i); i++)
        suggest_try(&suggest, table_option_at(i)->name);
    for (size_t i = 0; explain_at(i); i++)
        suggest_try(&suggest, explain_at(i)->code);
    if (suggest.found)
        return err_set(err, ERR_USAGE, "there is no help on \"%s\"; did you mean \"%s\"?", word, suggest.found);
    return err_set(err, ERR_USAGE, "there is no help on \"%s\"", word);
}

static int word_add(struct buf *out, const struct command_list *words, int columns, struct err *err)
{
    const char *first = words->texts[0], *second = words->len > 1 ? words->texts[1] : NULL;
    const struct command_row *row = table_find(first, second);
    const struct option_row *option = table_option(first + strspn(first, "-"), strlen(first) - strspn(first, "-"));
    bool found = false;

    if (strcmp(first, "man") == 0) {
        man_add(out);
        return 0;
    }
    if (strcmp(first, "run") == 0)
        row = table_command(COMMAND_RUN);
    if (row) {
        command_help_add(out, row, columns);
        return 0;
    }
    /* The first word of two-word commands stands for all of them. */
    for (size_t i = 0; !second && table_has(first) && table_command_at(i); i++) {
        if (!view_starts(view_of(table_command_at(i)->name), first))
            continue;
        buf_add_text(out, found ? "\n" : "");
        command_help_add(out, table_command_at(i), columns);
        found = true;
    }
    if (found)
        return 0;
    if (option) {
        option_add(out, option, columns);
        return 0;
    }
    if (explain_find(first)) {
        explain_add(out, explain_find(first), columns);
        return 0;
    }
    return refuse_word(first, err);
}

int help_add(struct buf *out, const struct command *command, int columns, struct err *err)
{
    const struct command_row *row = table_command(command->about);

    if (columns <= 0)
        columns = COLUMNS_DEFAULT;
    if (command->about == COMMAND_INTRO && command->args.len)
        return word_add(out, &command->args, columns, err);
    if (row && row->word != COMMAND_HELP)
        command_help_add(out, row, columns);
    else
        overview_add(out, columns);
    return 0;
}
