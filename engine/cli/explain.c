#include "cli/explain.h"
#include "cli/explain_table.h"
#include "cli/text.h"

#include "base/suggest.h"

#include <string.h>
#include <strings.h>

enum { COLUMNS_DEFAULT = 80, INDENT = 2 };

const struct explain *explain_find(const char *code)
{
    for (size_t i = 0; i < explain_table_len; i++)
        if (strcasecmp(explain_table[i].code, code) == 0)
            return &explain_table[i];
    return NULL;
}

const struct explain *explain_at(size_t index)
{
    return index < explain_table_len ? &explain_table[index] : NULL;
}

const char *explain_suggest(const char *code)
{
    struct suggest suggest;

    suggest_init(&suggest, code);
    for (size_t i = 0; i < explain_table_len; i++)
        suggest_try(&suggest, explain_table[i].code);
    return suggest.found;
}

static void paragraph_add(struct buf *out, const char *text, int columns)
{
    text_blanks_add(out, INDENT);
    text_wrap_add(out, view_of(text), INDENT, INDENT, columns);
    buf_add_char(out, '\n');
}

static void example_add(struct buf *out, const char *lines, int columns)
{
    while (*lines) {
        size_t len = strcspn(lines, "\n");

        text_blanks_add(out, 2 * INDENT);
        text_wrap_add(out, (struct view){lines, len}, 2 * INDENT, 3 * INDENT, columns);
        buf_add_char(out, '\n');
        lines += len + (lines[len] == '\n');
    }
}

void explain_add(struct buf *out, const struct explain *explain, int columns)
{
    if (columns <= 0)
        columns = COLUMNS_DEFAULT;
    if (!explain) {
        for (size_t i = 0; i < explain_table_len; i++)
            buf_addf(out, "%s  %s\n", explain_table[i].code, explain_table[i].title);
        return;
    }
    buf_addf(out, "%s: %s\n\n", explain->code, explain->title);
    paragraph_add(out, explain->meaning, columns);
    buf_add_text(out, "\nFor example:\n");
    example_add(out, explain->example, columns);
    buf_add_text(out, "\nWhat to do:\n");
    paragraph_add(out, explain->remedy, columns);
}
