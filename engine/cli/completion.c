/*
 * Completion scripts, made from the one table. Each offers commands and playbooks as the first
 * word, second words where there are some, options, and the words that an option takes.
 */
#include "cli/cli.h"
#include "cli/table.h"

#include "base/suggest.h"

#include <string.h>

/* The first words of all commands, each once, separated by `gap`. */
static void firsts_add(struct buf *out, const char *gap)
{
    const struct command_row *row;
    bool any = false;

    for (size_t i = 0; (row = table_command_at(i)); i++) {
        size_t len = strcspn(row->name, " ");
        bool again = false;

        for (size_t k = 0; k < i; k++)
            again = again || (strncmp(table_command_at(k)->name, row->name, len) == 0 &&
                              strcspn(table_command_at(k)->name, " ") == len);
        if (!len || again)
            continue;
        buf_addf(out, "%s%.*s", any ? gap : "", (int)len, row->name);
        any = true;
    }
}

/* Calls fn for each first word of two-word commands, with all its second words. */
static void each_second(struct buf *out, void (*fn)(struct buf *out, struct view first, const char *seconds))
{
    struct view before = {0};
    struct buf seconds;

    buf_init(&seconds, 1024);
    for (size_t i = 0; table_command_at(i); i++) {
        const char *name = table_command_at(i)->name;
        struct view first = {name, strcspn(name, " ")};

        if (!name[first.len])
            continue;
        if (before.len && !view_equal(before, first)) {
            fn(out, before, buf_text(&seconds));
            buf_reset(&seconds);
        }
        buf_addf(&seconds, "%s%s", seconds.len ? " " : "", name + first.len + 1);
        before = first;
    }
    fn(out, before, buf_text(&seconds));
    buf_free(&seconds);
}

static void bash_second(struct buf *out, struct view first, const char *seconds)
{
    buf_addf(out, "    %.*s) mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$word\") ;;\n", (int)first.len, first.ptr,
             seconds);
}

static void zsh_second(struct buf *out, struct view first, const char *seconds)
{
    buf_addf(out, "    %.*s) compadd %s ;;\n", (int)first.len, first.ptr, seconds);
}

static void choices_add(struct buf *out, const char *choices, const char *prefix)
{
    struct view choice;
    bool any = false;

    while (table_next_choice(&choices, &choice)) {
        if (!choice.len)
            continue;
        buf_addf(out, "%s%s%.*s", any ? " " : "", prefix, (int)choice.len, choice.ptr);
        any = true;
    }
}

static bool takes_value(const struct option_row *row)
{
    return row->value && *row->value != '[';
}
static bool is_folder(const struct option_row *row)
{
    return row->value && strcmp(row->value, "DIR") == 0;
}

/* N:KIND: any number will do, so 1 stands for it. */
static const char *choice_prefix(const struct option_row *row)
{
    return row->value && row->value[0] == 'N' && row->value[1] == ':' ? "1:" : "";
}

static void bash_add(struct buf *out)
{
    const struct option_row *option;

    buf_add_text(out, "# bash completion for dosrun\n"
                      "_dosrun()\n{\n"
                      "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} i command=\n"
                      "    COMPREPLY=()\n"
                      "    case $before in\n");
    for (size_t i = 0; (option = table_option_at(i)); i++) {
        if (!takes_value(option))
            continue;
        buf_add_text(out, "    ");
        if (option->letter)
            buf_addf(out, "-%c|", option->letter);
        buf_addf(out, "--%s) ", option->name);
        if (option->choices) {
            buf_add_text(out, "mapfile -t COMPREPLY < <(compgen -W '");
            choices_add(out, option->choices, choice_prefix(option));
            buf_add_text(out, "' -- \"$word\"); ");
        } else if (is_folder(option)) {
            buf_add_text(out, "mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); ");
        }
        buf_add_text(out, "return ;;\n");
    }
    buf_add_text(out, "    esac\n"
                      "    if [[ $word == -* ]]; then\n"
                      "        mapfile -t COMPREPLY < <(compgen -W '");
    for (size_t i = 0; (option = table_option_at(i)); i++)
        buf_addf(out, "%s--%s", i ? " " : "", option->name);
    buf_add_text(out, "' -- \"$word\")\n"
                      "        return\n"
                      "    fi\n"
                      "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                      "        [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }\n"
                      "    done\n"
                      "    case $command in\n"
                      "    '') mapfile -t COMPREPLY < <(compgen -W '");
    firsts_add(out, " ");
    buf_add_text(out, "' -- \"$word\"; compgen -f -X '!*.lua' -- \"$word\"; compgen -d -S / -- \"$word\")\n"
                      "        [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace ;;\n");
    each_second(out, bash_second);
    buf_add_text(out, "    completion) mapfile -t COMPREPLY < <(compgen -W 'bash zsh fish' -- \"$word\") ;;\n"
                      "    help) mapfile -t COMPREPLY < <(compgen -W 'man ");
    firsts_add(out, " ");
    buf_add_text(out, "' -- \"$word\") ;;\n"
                      "    plan|check|test) mapfile -t COMPREPLY < <(compgen -f -X '!*.lua' -- \"$word\"; "
                      "compgen -d -S / -- \"$word\") ;;\n"
                      "    esac\n}\n"
                      "complete -o bashdefault -F _dosrun dosrun\n");
}

/* Inside single quotes of zsh's specs: ' ends the quote, and [ ] : \ mean something to _arguments. */
static void zsh_text_add(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            buf_add_text(out, "'\\'");
        else if (strchr("[]:\\", *text))
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
}

static void zsh_add(struct buf *out)
{
    const struct option_row *option;

    buf_add_text(out, "#compdef dosrun\n"
                      "_dosrun_first() {\n"
                      "    local -a commands\n"
                      "    commands=(\n");
    for (size_t i = 0; table_command_at(i); i++) {
        const struct command_row *row = table_command_at(i);
        size_t len = strcspn(row->name, " ");

        if (!len || (row->name[len] && i && strncmp(table_command_at(i - 1)->name, row->name, len) == 0))
            continue;
        buf_addf(out, "        '%.*s:", (int)len, row->name);
        zsh_text_add(out, row->summary);
        buf_add_text(out, "'\n");
    }
    buf_add_text(out, "    )\n"
                      "    _describe command commands\n"
                      "    _files -g '*.lua'\n"
                      "}\n"
                      "_dosrun_rest() {\n"
                      "    case $words[2] in\n");
    each_second(out, zsh_second);
    buf_add_text(out, "    completion) compadd bash zsh fish ;;\n"
                      "    help) _dosrun_first; compadd man ;;\n"
                      "    plan|check|test) _files -g '*.lua' ;;\n"
                      "    esac\n"
                      "}\n"
                      "_arguments \\\n");
    for (size_t i = 0; (option = table_option_at(i)); i++) {
        buf_addf(out, "    '*--%s%s[", option->name, takes_value(option) ? "=" : "");
        zsh_text_add(out, option->summary);
        buf_add_char(out, ']');
        if (takes_value(option)) {
            buf_add_char(out, ':');
            zsh_text_add(out, option->value);
            buf_add_char(out, ':');
            if (option->choices) {
                struct buf words;

                buf_init(&words, 4096);
                choices_add(&words, option->choices, choice_prefix(option));
                buf_add_char(out, '(');
                zsh_text_add(out, buf_text(&words));
                buf_add_char(out, ')');
                buf_free(&words);
            } else if (is_folder(option)) {
                buf_add_text(out, "_files -/");
            }
        }
        buf_add_text(out, "' \\\n");
    }
    buf_add_text(out, "    '1: :_dosrun_first' '*: :_dosrun_rest'\n");
}

static void fish_text_add(struct buf *out, const char *text)
{
    buf_add_char(out, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, *text);
    }
    buf_add_char(out, '\'');
}

static void fish_add(struct buf *out)
{
    const struct option_row *option;

    buf_add_text(out, "# fish completion for dosrun\ncomplete -c dosrun -f\n"
                      "complete -c dosrun -n '__fish_use_subcommand; or __fish_seen_subcommand_from plan check test' "
                      "-k -a '(__fish_complete_suffix .lua)'\n");
    for (size_t i = 0; table_command_at(i); i++) {
        const struct command_row *row = table_command_at(i);
        size_t len = strcspn(row->name, " ");

        if (!len)
            continue;
        if (row->name[len]) {
            buf_addf(out, "complete -c dosrun -n '__fish_seen_subcommand_from %.*s' -a %s -d ", (int)len, row->name,
                     row->name + len + 1);
            fish_text_add(out, row->summary);
            buf_add_char(out, '\n');
        }
        if (row->name[len] && i && strncmp(table_command_at(i - 1)->name, row->name, len) == 0)
            continue;
        buf_addf(out, "complete -c dosrun -n __fish_use_subcommand -a %.*s -d ", (int)len, row->name);
        fish_text_add(out, row->summary);
        buf_add_char(out, '\n');
    }
    buf_add_text(out, "complete -c dosrun -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
                      "complete -c dosrun -n '__fish_seen_subcommand_from help' -a 'man ");
    firsts_add(out, " ");
    buf_add_text(out, "'\n");
    for (size_t i = 0; (option = table_option_at(i)); i++) {
        buf_addf(out, "complete -c dosrun -l %s", option->name);
        if (option->letter)
            buf_addf(out, " -s %c", option->letter);
        if (takes_value(option))
            buf_add_text(out, is_folder(option) ? " -r -F" : " -x");
        if (option->choices) {
            buf_add_text(out, " -a '");
            choices_add(out, option->choices, choice_prefix(option));
            buf_add_char(out, '\'');
        }
        buf_add_text(out, " -d ");
        fish_text_add(out, option->summary);
        buf_add_char(out, '\n');
    }
}

int completion_add(struct buf *out, const char *shell, struct err *err)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};
    const char *near;

    if (strcmp(shell, "bash") == 0) {
        bash_add(out);
    } else if (strcmp(shell, "zsh") == 0) {
        zsh_add(out);
    } else if (strcmp(shell, "fish") == 0) {
        fish_add(out);
    } else {
        near = suggest_nearest(shell, shells, sizeof(shells) / sizeof(shells[0]));
        return err_set(err, ERR_USAGE, "there is no completion for \"%s\"; %s%s", shell,
                       near ? "did you mean " : "there is bash, zsh and fish", near ? near : "");
    }
    return 0;
}
