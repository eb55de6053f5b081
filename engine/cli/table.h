#pragma once
/* The one table of commands and options: parser, help, manual page and completions read it. */
#include "cli/cli.h"
#include <stddef.h>

/* What a command takes besides options. */
enum takes {
    TAKES_NOTHING,
    TAKES_PLAYBOOK,  /* a playbook and its arguments */
    TAKES_RUN,       /* exactly one run id */
    TAKES_RUN_MAYBE, /* none or one */
    TAKES_WORD,      /* exactly one word */
    TAKES_WORD_MAYBE,
    TAKES_WORDS, /* any number */
};

struct command_row {
    enum command_word word;
    const char *name;  /* "sandbox show"; "" where the command has no word of its own */
    const char *usage; /* what follows the name */
    enum takes takes;
    const char *summary;     /* one line, lower case, no full stop */
    const char *description; /* sentences */
    const char *examples[5]; /* command, then what it does; NULL ends */
};

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_COUNT,    /* int64_t, one more each time */
    OPTION_TEXT,     /* const char * */
    OPTION_LIST,     /* struct command_list */
    OPTION_PAIRS,    /* struct command_list of key=value */
    OPTION_FAULTS,   /* struct command_list of N:KIND */
    OPTION_CRASH,    /* const char *, N:POINT */
    OPTION_DURATION, /* int64_t, ms */
    OPTION_PARALLEL, /* int64_t, 1 to 256 */
    OPTION_SEED,     /* uint64_t */
    OPTION_CHOICE,   /* an enum; the choice's place is its value */
    OPTION_STATE,    /* char *, owned */
    OPTION_YES,      /* bool, and yes_name when a value is attached with = */
    OPTION_HELP,
    OPTION_VERSION,
};

struct option_row {
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    size_t offset;        /* of the member in struct command */
    uint32_t commands;    /* bits of command_word; TABLE_ANY: all */
    const char *value;    /* its name in help; NULL: takes none */
    const char *choices;  /* OPTION_CHOICE and others with fixed words: separated by | */
    const char *summary;
};

#define TABLE_ANY UINT32_MAX

const struct command_row *table_command(enum command_word word);
/* first and second word as typed; second may be NULL. "sandbox" alone finds nothing. */
const struct command_row *table_find(const char *first, const char *second);
/* Does any command begin with this word? */
bool table_has(const char *first);
const struct command_row *table_command_at(size_t index); /* NULL past the end */
const struct option_row *table_option(const char *name, size_t len);
const struct option_row *table_option_letter(char letter);
const struct option_row *table_option_at(size_t index); /* NULL past the end */
/* The next of words separated by |; false at the end. */
bool table_next_choice(const char **choices, struct view *word);

/* Checks an option's value and stores it at its member of struct command. */
int option_store(const struct option_row *row, void *member, const char *text, struct err *err)
    __attribute__((warn_unused_result));
void command_list_add(struct command_list *list, const char *text);
