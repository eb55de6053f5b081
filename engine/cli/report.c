/* Tables and texts that commands print. A table too wide for the terminal becomes one block a row. */
#include "cli/render.h"

#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { GAP = 2 };

struct table {
    const struct output *output;
    const struct doc *columns, *rows;
    size_t width_len;
    int *widths;
};

/* A cell as text, escaped; "" for what is not there. */
static void cell_add(const struct output *output, struct buf *out, const struct doc *cell)
{
    if (doc_is(cell, DOC_STRING))
        text_escape_add(out, doc_as_view(cell), output->options.utf8 ? TEXT_UTF8 : 0);
    else if (cell && !doc_is(cell, DOC_NULL))
        value_add(output, out, cell);
}

static int cell_width(const struct table *table, const struct doc *cell)
{
    struct buf text;
    int width;

    buf_init(&text, RENDER_TEXT_MAX);
    cell_add(table->output, &text, cell);
    width = text_width(buf_view(&text));
    buf_free(&text);
    return width;
}

/* Returns the width of the whole table. */
static int measure(struct table *table)
{
    int sum = 0;

    for (size_t c = 0; c < table->width_len; c++) {
        table->widths[c] = cell_width(table, doc_at(table->columns, c));
        for (size_t r = 0; r < doc_size(table->rows); r++) {
            int width = cell_width(table, doc_at(doc_at(table->rows, r), c));

            table->widths[c] = width > table->widths[c] ? width : table->widths[c];
        }
        sum += table->widths[c] + (c ? GAP : 0);
    }
    return sum;
}

static void row_add(const struct table *table, struct buf *out, const struct doc *row, bool color, enum style style)
{
    struct buf cell;
    int owed = 0; /* blanks due before the next cell that holds something */

    buf_init(&cell, RENDER_TEXT_MAX);
    for (size_t c = 0; c < table->width_len; c++) {
        buf_reset(&cell);
        cell_add(table->output, &cell, doc_at(row, c));
        if (cell.len) {
            text_blanks_add(out, owed);
            styled_add(out, color, style, buf_text(&cell));
            owed = 0;
        }
        owed += table->widths[c] - text_width(buf_view(&cell)) + GAP;
    }
    buf_add_char(out, '\n');
    buf_free(&cell);
}

static void block_add(const struct table *table, struct buf *out, const struct doc *row, int columns, bool color)
{
    struct buf cell;

    buf_init(&cell, RENDER_TEXT_MAX);
    for (size_t c = 0; c < table->width_len; c++) {
        int used;

        buf_reset(&cell);
        cell_add(table->output, &cell, doc_at(table->columns, c));
        used = text_width(buf_view(&cell)) + GAP;
        styled_add(out, color, STYLE_BOLD, buf_text(&cell));
        buf_add_text(out, ": ");
        buf_reset(&cell);
        cell_add(table->output, &cell, doc_at(row, c));
        text_wrap_add(out, buf_view(&cell), used, GAP, columns);
        buf_add_char(out, '\n');
    }
    buf_free(&cell);
}

static void table_add(const struct output *output, const struct doc *event, struct buf *out, int columns, bool color)
{
    struct table table = {.output = output, .columns = doc_get(event, "columns"), .rows = doc_get(event, "rows")};
    const char *title = event_text(event, "title", NULL);
    size_t rows = doc_size(table.rows);
    bool blocks;

    table.width_len = doc_size(table.columns);
    if (!table.width_len && rows)
        table.width_len = doc_size(doc_at(table.rows, 0));
    table.widths = mem_array(table.width_len + 1, sizeof(*table.widths));
    blocks = measure(&table) > columns && columns > 0 && doc_size(table.columns);
    if (title) {
        escaped_add(output, out, title);
        buf_add_char(out, '\n');
    }
    if (!blocks && doc_size(table.columns))
        row_add(&table, out, table.columns, color, STYLE_BOLD);
    for (size_t r = 0; r < rows; r++) {
        if (blocks) {
            buf_add_text(out, r ? "\n" : "");
            block_add(&table, out, doc_at(table.rows, r), columns, color);
        } else {
            row_add(&table, out, doc_at(table.rows, r), false, STYLE_NONE);
        }
    }
    free(table.widths);
    text_escape_add(out, doc_as_view(doc_get(event, "text")), TEXT_LINES | (output->options.utf8 ? TEXT_UTF8 : 0));
}

bool result_add(const struct output *output, const char *type, const struct doc *event, struct buf *out)
{
    int columns = output->options.out_tty ? output_columns(output, NULL) - 1 : 0;
    bool color = output->options.color_out && output->options.mode != OUTPUT_PLAIN;

    if (strcmp(type, "report") == 0)
        table_add(output, event, out, columns, color);
    else if (strcmp(type, "drift") == 0)
        drift_add(output, out, event, columns, color);
    else if (strcmp(type, "text") == 0 && !output->options.out_tty && doc_as_bool(doc_get(event, "raw"), false))
        buf_add_view(out, doc_as_view(doc_get(event, "text")));
    else if (strcmp(type, "text") == 0)
        text_escape_add(out, doc_as_view(doc_get(event, "text")), TEXT_LINES | (output->options.utf8 ? TEXT_UTF8 : 0));
    else
        return false;
    if (out->len && out->ptr[out->len - 1] != '\n')
        buf_add_char(out, '\n');
    return true;
}
