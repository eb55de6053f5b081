/* The value of one option: checked, and stored into its member of struct command. */
#include "cli/table.h"

#include "base/duration.h"
#include "base/suggest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { PARALLEL_MAX = 256, WORD_MAX = 64 };

static int refuse_choice(const struct option_row *row, const char *what, struct view got, struct err *err)
{
    char word[WORD_MAX + 1], near[WORD_MAX + 1] = "";
    struct suggest suggest;
    struct view choice;

    if (got.len >= sizeof(word))
        return err_set(err, ERR_USAGE, "--%s: the %s is far too long", row->name, what);
    memcpy(word, got.ptr, got.len);
    word[got.len] = '\0';
    suggest_init(&suggest, word);
    for (const char *rest = row->choices; table_next_choice(&rest, &choice);) {
        char name[WORD_MAX + 1];

        memcpy(name, choice.ptr, choice.len);
        name[choice.len] = '\0';
        suggest.found = NULL;
        suggest_try(&suggest, name);
        if (suggest.found)
            memcpy(near, name, choice.len + 1);
    }
    if (*near)
        return err_set(err, ERR_USAGE, "--%s: there is no %s \"%s\"; did you mean \"%s\"?", row->name, what, word,
                       near);
    return err_set(err, ERR_USAGE, "--%s: there is no %s \"%s\"; there are %s", row->name, what, word,
                   row->choices + (*row->choices == '|'));
}

/* The place of the word among the choices, or -1. An empty word is none of them. */
static int find_choice(const struct option_row *row, struct view word)
{
    struct view choice;
    int index = 0;

    for (const char *rest = row->choices; table_next_choice(&rest, &choice); index++)
        if (word.len && view_equal(choice, word))
            return index;
    return -1;
}

/* "N:WORD", where `plus` allows "N+:WORD". */
static int check_numbered(const struct option_row *row, const char *text, bool plus, struct err *err)
{
    size_t digits = strspn(text, "0123456789");
    const char *at = text + digits;
    struct view word;

    if (plus && *at == '+')
        at++;
    if (digits == 0 || digits > 15 || *at != ':' || strspn(text, "0") == digits)
        return err_set(err, ERR_USAGE, "--%s: \"%s\" is not of the form %s, with N from 1", row->name, text,
                       row->value);
    word = view_of(at + 1);
    if (find_choice(row, word) < 0)
        return refuse_choice(row, plus ? "kind" : "point", word, err);
    return 0;
}

static int read_number(const struct option_row *row, const char *text, uint64_t min, uint64_t max, uint64_t *number,
                       struct err *err)
{
    char *end;

    errno = 0;
    *number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || *number < min || *number > max)
        return err_set(err, ERR_USAGE, "--%s: \"%s\" is no whole number from %llu to %llu", row->name, text,
                       (unsigned long long)min, (unsigned long long)max);
    return 0;
}

void command_list_add(struct command_list *list, const char *text)
{
    list->texts = mem_grow(list->texts, list->len + 1, sizeof(*list->texts));
    list->texts[list->len++] = text;
}

int option_store(const struct option_row *row, void *at, const char *text, struct err *err)
{
    uint64_t number;
    int choice;

    if (!*text)
        return err_set(err, ERR_USAGE, "--%s: its value is empty", row->name);
    switch (row->kind) {
    case OPTION_CRASH:
        if (check_numbered(row, text, false, err))
            return -1;
        *(const char **)at = text;
        return 0;
    case OPTION_TEXT:
        *(const char **)at = text;
        return 0;
    case OPTION_STATE:
        free(*(char **)at);
        *(char **)at = mem_text(text);
        return 0;
    case OPTION_FAULTS:
        if (check_numbered(row, text, true, err))
            return -1;
        command_list_add(at, text);
        return 0;
    case OPTION_PAIRS:
        if (strcspn(text, "=") == 0 || !strchr(text, '='))
            return err_set(err, ERR_USAGE, "--%s: \"%s\" is not of the form KEY=VALUE", row->name, text);
        command_list_add(at, text);
        return 0;
    case OPTION_LIST:
        command_list_add(at, text);
        return 0;
    case OPTION_DURATION:
        return duration_parse(text, at, err) ? err_context(err, "--%s", row->name) : 0;
    case OPTION_PARALLEL:
        if (read_number(row, text, 1, PARALLEL_MAX, &number, err))
            return -1;
        *(int64_t *)at = (int64_t)number;
        return 0;
    case OPTION_SEED:
        return read_number(row, text, 0, UINT64_MAX, at, err);
    case OPTION_CHOICE:
        choice = find_choice(row, view_of(text));
        if (choice < 0)
            return refuse_choice(row, "word", view_of(text), err);
        memcpy(at, &choice, sizeof(choice));
        return 0;
    default:
        return err_set(err, ERR_INTERNAL, "--%s takes no value", row->name);
    }
}
