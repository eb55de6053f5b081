/*
 * argv to one command. Words are read once, from left to right, because what an unknown option
 * means depends on whether the playbook was already named; what belongs together only as a whole
 * (two-word commands, options of other commands, sandbox options) is judged at the end.
 */
#include "cli/cli.h"
#include "cli/table.h"

#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

enum { PARALLEL_DEFAULT = 8, OPTIONS_MAX = 64 };

struct parse {
    struct command *command;
    int argc, at;
    char **argv;
    const char *first;                          /* the word of the command, NULL when it has none */
    const struct option_row *seen[OPTIONS_MAX]; /* options given, each once */
    size_t seen_len;
    bool ended, help, version;
    struct err *err;
};

static void *member(struct parse *parse, const struct option_row *row)
{
    return (char *)parse->command + row->offset;
}

static bool is_playbook(const char *word)
{
    size_t len = strlen(word);

    return strchr(word, '/') || (len > 4 && strcmp(word + len - 4, ".lua") == 0);
}

static bool takes_playbook(const struct parse *parse)
{
    const struct command_row *row = parse->first ? table_find(parse->first, NULL) : NULL;

    return row && row->takes == TAKES_PLAYBOOK;
}

static int refuse_command(struct parse *parse, const char *word)
{
    char names[COMMAND_COUNT][16];
    struct suggest suggest;

    suggest_init(&suggest, word);
    for (size_t i = 0; table_command_at(i); i++) {
        const char *name = table_command_at(i)->name;
        size_t len = strcspn(name, " ");

        memcpy(names[i], name, len);
        names[i][len] = '\0';
        suggest_try(&suggest, names[i]);
    }
    if (suggest.found)
        return err_set(parse->err, ERR_USAGE, "there is no command \"%s\"; did you mean \"%s\"?", word, suggest.found);
    return err_set(parse->err, ERR_USAGE,
                   "there is no command \"%s\"; a playbook is named by its file, as playbooks/%s.lua", word, word);
}

static int read_word(struct parse *parse, const char *word)
{
    struct command *command = parse->command;

    if (command->playbook) {
        command_list_add(&command->args, word);
    } else if (!parse->first && table_has(word)) {
        parse->first = word;
    } else if (!parse->first && !is_playbook(word)) {
        return refuse_command(parse, word);
    } else if (!parse->first || takes_playbook(parse)) {
        command->playbook = word;
    } else {
        command_list_add(&command->args, word);
    }
    return 0;
}

static int set_option(struct parse *parse, const struct option_row *row, const char *attached)
{
    bool takes_value = row->value && row->kind != OPTION_YES;
    bool again = false;

    for (size_t i = 0; i < parse->seen_len; i++)
        again = again || parse->seen[i] == row;
    if (!again && parse->seen_len < OPTIONS_MAX)
        parse->seen[parse->seen_len++] = row;
    if (takes_value) {
        if (!attached && parse->at >= parse->argc)
            return err_set(parse->err, ERR_USAGE, "--%s needs a value: --%s %s", row->name, row->name, row->value);
        return option_store(row, member(parse, row), attached ? attached : parse->argv[parse->at++], parse->err);
    }
    if (attached && row->kind != OPTION_YES)
        return err_set(parse->err, ERR_USAGE, "--%s takes no value", row->name);
    if (attached && !*attached)
        return err_set(parse->err, ERR_USAGE, "--%s=: the name is empty", row->name);
    switch (row->kind) {
    case OPTION_COUNT:
        ++*(int64_t *)member(parse, row);
        break;
    case OPTION_HELP:
        parse->help = true;
        break;
    case OPTION_VERSION:
        parse->version = true;
        break;
    case OPTION_YES:
        if (attached)
            parse->command->yes_name = attached;
        *(bool *)member(parse, row) = true;
        break;
    default:
        *(bool *)member(parse, row) = true;
    }
    return 0;
}

static int refuse_option(struct parse *parse, const char *word, size_t len)
{
    char name[65];
    struct suggest suggest;

    if (len >= sizeof(name))
        return err_set(parse->err, ERR_USAGE, "there is no option %.*s...", (int)sizeof(name), word);
    memcpy(name, word, len);
    name[len] = '\0';
    suggest_init(&suggest, name + strspn(name, "-"));
    for (size_t i = 0; table_option_at(i); i++)
        suggest_try(&suggest, table_option_at(i)->name);
    if (suggest.found)
        return err_set(parse->err, ERR_USAGE, "there is no option %s; did you mean --%s?", name, suggest.found);
    if (!parse->first)
        return err_set(parse->err, ERR_USAGE,
                       "there is no option %s; an option of the playbook itself comes after the playbook", name);
    return err_set(parse->err, ERR_USAGE, "there is no option %s", name);
}

static int read_long(struct parse *parse, const char *word)
{
    size_t len = strcspn(word + 2, "=");
    const struct option_row *row = table_option(word + 2, len);

    if (row)
        return set_option(parse, row, word[2 + len] ? word + 3 + len : NULL);
    if (!parse->command->playbook)
        return refuse_option(parse, word, len + 2);
    command_list_add(&parse->command->args, word);
    return 0;
}

/* "-v", "-vv", "-o plain", "-oplain". After the playbook a cluster that is not all ours is the playbook's. */
static int read_short(struct parse *parse, const char *word)
{
    for (const char *at = word + 1; *at; at++) {
        const struct option_row *row = table_option_letter(*at);

        if (!row && at == word + 1 && parse->command->playbook) {
            command_list_add(&parse->command->args, word);
            return 0;
        }
        if (!row)
            return refuse_option(parse, word, strlen(word));
        if (row->value && row->kind != OPTION_YES && at[1])
            return set_option(parse, row, at + 1);
        if (set_option(parse, row, NULL))
            return -1;
    }
    return 0;
}

static int read_all(struct parse *parse)
{
    while (parse->at < parse->argc) {
        const char *word = parse->argv[parse->at++];
        int failed;

        if (parse->ended)
            failed = read_word(parse, word);
        else if (strcmp(word, "--") == 0) {
            parse->ended = true;
            if (parse->command->playbook)
                command_list_add(&parse->command->args, word);
            failed = 0;
        } else if (word[0] == '-' && word[1] == '-')
            failed = read_long(parse, word);
        else if (word[0] == '-' && word[1])
            failed = read_short(parse, word);
        else
            failed = read_word(parse, word);
        if (failed)
            return -1;
    }
    return 0;
}

/* The second word of "sandbox show" and its like, among those that begin with the first. */
static int refuse_second(const struct parse *parse)
{
    size_t len = strlen(parse->first);
    const char *got = parse->command->args.len ? parse->command->args.texts[0] : "";
    struct suggest suggest;
    struct buf words;
    int failed;

    suggest_init(&suggest, got);
    buf_init(&words, 256);
    for (size_t i = 0; table_command_at(i); i++) {
        const char *name = table_command_at(i)->name;

        if (strncmp(name, parse->first, len) != 0 || name[len] != ' ')
            continue;
        suggest_try(&suggest, name + len + 1);
        buf_addf(&words, "%s\"%s\"", words.len ? " or " : "", name);
    }
    if (suggest.found)
        failed = err_set(parse->err, ERR_USAGE, "there is no command \"%s %s\"; did you mean \"%s %s\"?", parse->first,
                         got, parse->first, suggest.found);
    else
        failed =
            err_set(parse->err, ERR_USAGE, "\"%s\" alone is no command; there is %s", parse->first, buf_text(&words));
    buf_free(&words);
    return failed;
}

static const struct command_row *find_row(struct parse *parse)
{
    struct command *command = parse->command;
    const struct command_row *row;

    if (!parse->first)
        return command->playbook ? table_command(COMMAND_RUN) : NULL;
    row = command->args.len ? table_find(parse->first, command->args.texts[0]) : NULL;
    if (row) {
        memmove(command->args.texts, command->args.texts + 1, (command->args.len - 1) * sizeof(*command->args.texts));
        command->args.len--;
        return row;
    }
    return table_find(parse->first, NULL);
}

static int check_words(struct parse *parse, const struct command_row *row)
{
    struct command *command = parse->command;
    size_t len = command->args.len, max = 0, min = 0;

    switch (row->takes) {
    case TAKES_PLAYBOOK:
        if (!command->playbook)
            return err_set(parse->err, ERR_USAGE, "which playbook? dosrun %s %s", row->name, row->usage);
        return 0;
    case TAKES_WORDS:
        return 0;
    case TAKES_NOTHING:
        break;
    case TAKES_RUN:
    case TAKES_WORD:
        min = max = 1;
        break;
    case TAKES_RUN_MAYBE:
    case TAKES_WORD_MAYBE:
        max = 1;
    }
    if (len < min)
        return err_set(parse->err, ERR_USAGE, "something is missing: dosrun %s %s", row->name, row->usage);
    if (len > max)
        return err_set(parse->err, ERR_USAGE, "\"%s\" is too much: dosrun %s%s%s", command->args.texts[max], row->name,
                       *row->usage ? " " : "", row->usage);
    if ((row->takes == TAKES_RUN || row->takes == TAKES_RUN_MAYBE) && len)
        command->run = command->args.texts[0];
    return 0;
}

static int check_options(struct parse *parse, const struct command_row *row)
{
    struct command *command = parse->command;
    bool simulated = command->sandbox || row->word == COMMAND_TEST;

    for (size_t i = 0; i < parse->seen_len; i++) {
        const struct option_row *option = parse->seen[i];
        struct buf names;
        int failed;

        if (option->commands & (UINT32_C(1) << row->word))
            continue;
        buf_init(&names, 512);
        for (size_t k = 0; table_command_at(k); k++)
            if (option->commands & (UINT32_C(1) << table_command_at(k)->word))
                buf_addf(&names, "%s%s", names.len ? ", " : "", command_name(table_command_at(k)->word));
        failed = err_set(parse->err, ERR_USAGE, "--%s does not belong to \"%s\"; it goes with %s", option->name,
                         command_name(row->word), buf_text(&names));
        buf_free(&names);
        return failed;
    }
    for (size_t i = 0; i < parse->seen_len; i++) {
        enum option_kind kind = parse->seen[i]->kind;

        if (!simulated && (kind == OPTION_SEED || kind == OPTION_FAULTS || kind == OPTION_CRASH))
            return err_set(parse->err, ERR_USAGE, "--%s works in the sandbox only; add --sandbox",
                           parse->seen[i]->name);
    }
    return 0;
}

static const char *env_text(command_env_fn *env, void *ctx, const char *name)
{
    const char *text = env ? env(ctx, name) : NULL;

    return text && *text ? text : NULL;
}

static int read_environment(struct command *command, command_env_fn *env, void *ctx, struct err *err)
{
    const char *text = env_text(env, ctx, "DOSRUN_SANDBOX");

    if (!command->target)
        command->target = env_text(env, ctx, "DOSRUN_TARGET");
    /* A value that was meant as yes must not end on a real cluster. */
    if (text && strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return err_set(err, ERR_USAGE, "DOSRUN_SANDBOX is \"%s\"; it must be 1 or 0", text);
    if (text && *text == '1')
        command->sandbox = true;
    if (command->state_dir)
        return 0;
    if ((text = env_text(env, ctx, "DOSRUN_STATE")))
        command->state_dir = mem_text(text);
    else if ((text = env_text(env, ctx, "XDG_STATE_HOME")) && *text == '/')
        command->state_dir = mem_printf("%s/dosrun", text);
    else if ((text = env_text(env, ctx, "HOME")))
        command->state_dir = mem_printf("%s/.local/state/dosrun", text);
    return 0;
}

int command_parse(int argc, char **argv, command_env_fn *env, void *ctx, struct command *command, struct err *err)
{
    struct parse parse = {.command = command, .argc = argc, .at = 1, .argv = argv, .err = err};
    const struct command_row *row;

    *command = (struct command){.max_parallel = PARALLEL_DEFAULT, .seed = 1};
    if (read_all(&parse) || read_environment(command, env, ctx, err))
        return -1;
    row = find_row(&parse);
    command->word = row ? row->word : COMMAND_INTRO;
    if (parse.help || parse.version) {
        command->about = command->word;
        command->word = parse.help ? COMMAND_HELP : COMMAND_VERSION;
        return 0;
    }
    if (!row && parse.first)
        return refuse_second(&parse);
    if (!row)
        return 0;
    return check_words(&parse, row) || check_options(&parse, row) ? -1 : 0;
}

void command_free(struct command *command)
{
    free(command->args.texts);
    free(command->sets.texts);
    free(command->adopts.texts);
    free(command->faults.texts);
    free(command->state_dir);
    *command = (struct command){0};
}
