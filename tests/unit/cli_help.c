#include "unit.h"

#include "cli/cli.h"
#include "cli/explain.h"
#include "cli/table.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static char *help(const char *first, const char *second, int columns)
{
    const char *words[] = {first, second};
    struct command command = {.word = COMMAND_HELP, .args = {words, second ? 2 : first ? 1 : 0}};
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, 1 << 20);
    if (help_add(&out, &command, columns, &err)) {
        buf_reset(&out);
        buf_add_text(&out, err.message);
    }
    CHECK(!out.over);
    return buf_take(&out);
}

static void check_width(const char *text, size_t max)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        /* Examples are for pasting and stay whole. */
        if (len > max && strncmp(text, "  dosrun", 8) != 0)
            unit_fail(__FILE__, __LINE__, "%zu columns: %.*s", len, (int)len, text);
        if (len && text[len - 1] == ' ')
            unit_fail(__FILE__, __LINE__, "blank at the end: %.*s", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

TEST(help_leads_with_examples)
{
    char *text = help(NULL, NULL, 80);
    const char *example = strstr(text, "  dosrun --sandbox playbooks/deploy.lua doom\n"),
               *list = strstr(text, "Commands");

    CHECK(example && list && example < list);
    for (size_t i = 0; table_command_at(i); i++)
        CHECK(strstr(text, table_command_at(i)->summary) || strlen(table_command_at(i)->summary) > 48);
    check_width(text, 80);
    free(text);
}

TEST(help_knows_every_command_and_option)
{
    for (size_t i = 0; table_command_at(i); i++) {
        char word[32];
        char *second, *text;

        strcpy(word, command_name(table_command_at(i)->word));
        second = strchr(word, ' ');
        if (second)
            *second++ = '\0';
        text = help(word, second, 60);
        CHECK(strstr(text, "Usage: dosrun "));
        CHECK(strncmp(text, "  # ", 4) == 0);
        check_width(text, 60);
        free(text);
    }
    for (size_t i = 0; table_option_at(i); i++) {
        char *text = help(table_option_at(i)->name, NULL, 0);

        CHECK(strstr(text, "--") || strstr(text, "Usage: dosrun "));
        free(text);
    }
}

TEST(help_answers_words)
{
    char *text = help("--fault", NULL, 0);

    CHECK(strstr(text, "reset-after"));
    free(text);
    text = help("k104", NULL, 0);
    CHECK(strncmp(text, "K104: an object never became ready\n", 35) == 0);
    free(text);
    text = help("sandbox", NULL, 0);
    CHECK(strstr(text, "dosrun sandbox show") && strstr(text, "dosrun sandbox reset"));
    free(text);
    text = help("rolback", NULL, 0);
    CHECK_TEXT(text, "there is no help on \"rolback\"; did you mean \"rollback\"?");
    free(text);
}

TEST(help_makes_a_manual_page)
{
    char *text = help("man", NULL, 0);

    CHECK(strncmp(text, ".TH DOSRUN 1", 12) == 0);
    for (const char *section = "NAME\0SYNOPSIS\0EXAMPLES\0COMMANDS\0OPTIONS\0EXIT STATUS\0"; *section;
         section += strlen(section) + 1) {
        char head[32] = ".SH ";

        CHECK(strstr(text, strcat(head, section)));
    }
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        CHECK(at[1] != '\'' && (at[1] != '.' || (at[2] == 'B' || at[2] == 'S' || at[2] == 'T' || at[2] == 'b')));
    free(text);
}

TEST(completion_names_every_command_and_option)
{
    static const char *const shells[] = {"bash", "zsh", "fish"};

    for (size_t s = 0; s < 3; s++) {
        struct err err = ERR_INIT;
        struct buf out;

        buf_init(&out, 1 << 20);
        REQUIRE(completion_add(&out, shells[s], &err) == 0);
        for (size_t i = 0; table_command_at(i); i++) {
            char word[32] = {0};

            strncpy(word, table_command_at(i)->name, strcspn(table_command_at(i)->name, " "));
            if (!strstr(buf_text(&out), word))
                unit_fail(__FILE__, __LINE__, "%s: no %s", shells[s], word);
        }
        for (size_t i = 0; table_option_at(i); i++)
            if (!strstr(buf_text(&out), table_option_at(i)->name))
                unit_fail(__FILE__, __LINE__, "%s: no --%s", shells[s], table_option_at(i)->name);
        buf_free(&out);
    }
}

TEST(completion_refuses_other_shells)
{
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, 1 << 20);
    CHECK_INT(completion_add(&out, "bsh", &err), -1);
    CHECK_TEXT(err.message, "there is no completion for \"bsh\"; did you mean bash");
    CHECK_INT(completion_add(&out, "powershell", &err), -1);
    CHECK_INT(out.len, 0);
    buf_free(&out);
}

TEST(explain_is_whole_for_every_code)
{
    size_t count = 0;
    struct buf out;

    buf_init(&out, 1 << 20);
    for (const struct explain *row; (row = explain_at(count)); count++) {
        const struct explain *next = explain_at(count + 1);

        CHECK(strlen(row->code) == 4 && strchr("AKRHSMCX", row->code[0]) && isdigit((unsigned char)row->code[1]));
        CHECK(!next || strcmp(row->code, next->code) < 0);
        CHECK(*row->title && *row->meaning && *row->example && *row->remedy);
        CHECK(row->title[strlen(row->title) - 1] != '.');
        CHECK(row->meaning[strlen(row->meaning) - 1] == '.');
        CHECK(explain_find(row->code) == row);
        buf_reset(&out);
        explain_add(&out, row, 70);
        check_width(buf_text(&out), 90); /* bytes; some signs take three */
    }
    CHECK(count >= 30);
    CHECK(!explain_find("K999"));
    CHECK(explain_find("s402"));
    CHECK_TEXT(explain_suggest("K1044"), "K104");
    buf_reset(&out);
    explain_add(&out, NULL, 80);
    CHECK(strstr(buf_text(&out), "R202  the target has an unfinished run\n"));
    buf_free(&out);
}
