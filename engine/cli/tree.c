/*
 * The tree: finished rows scroll into history, what is going on stands in a live region below them.
 *
 * Between two paints the cursor stands at the first column of the region's first row. A terminal
 * that is resized moves the cursor together with the text under it, whether it re-wraps rows or not;
 * so erasing from the cursor to the end always takes the whole region away, and nothing has to be
 * known about how the terminal laid it out meanwhile. Each paint is one write: erase, new history,
 * new region (with wrapping off, so that a race with a resize cannot add rows), cursor back up.
 */
#include "cli/render.h"

#include "base/duration.h"

#include <stdlib.h>
#include <string.h>

/* The row, then what is below it. Not "\r\x1b[J": from the screen's first cell that means the whole screen,
   and tmux moves the whole screen to its history instead of erasing it. */
#define ERASE "\r\x1b[K\x1b[C\x1b[J\r"

/* A terminal that gets narrower re-wraps the region's rows, and tmux moves as many rows of a screen that is
   not full yet to its history, where nothing can be erased: so live rows stay short of what others may use. */
enum { LIVE_COLUMNS = 78, LIVE_GAP = 5 };
enum { LEFT = 3, GAP = 2, DURATION_EDGE = 60, CHILD_INDENT = 7, CHILDREN_MAX = 12, DOING_ROWS_MAX = 6 };

/* At the common edge for finished rows; right behind the text for live ones, which are best kept short. */
static void duration_put(struct buf *out, int used, int hang, int64_t ms, bool live, int columns)
{
    int gap, width, edge = columns < DURATION_EDGE ? columns : DURATION_EDGE;
    struct buf text;

    if (ms < 0)
        return;
    buf_init(&text, 64);
    duration_add(&text, ms);
    width = (int)text.len;
    if (used + (live ? LIVE_GAP : GAP) + width > columns) {
        buf_add_char(out, '\n');
        text_blanks_add(out, hang);
        used = hang;
    }
    gap = live ? (used > hang ? LIVE_GAP : 0) : used + GAP + width > edge ? GAP : edge - width - used;
    text_blanks_add(out, gap);
    buf_add_view(out, buf_view(&text));
    buf_free(&text);
}

/* " ✓ name      text, wrapped below itself        41s", and a line break. text is escaped here. */
static void row_add(const struct output *output, struct buf *out, enum sign sign, const char *name, const char *text,
                    int64_t ms, int columns)
{
    enum style style = sign == SIGN_OK ? STYLE_GOOD : sign == SIGN_FAIL ? STYLE_BAD : STYLE_NONE;
    bool color = output->options.color_err;
    int column = LEFT + output->name_width + GAP, used = LEFT, hang = LEFT + GAP;
    struct buf plain;

    buf_init(&plain, RENDER_TEXT_MAX);
    escaped_add(output, &plain, name);
    buf_add_char(out, ' ');
    styled_add(out, color, style, sign_text(output, sign));
    buf_add_char(out, ' ');
    if (*name && column <= columns / 2 && LEFT + text_width(buf_view(&plain)) + GAP <= column) {
        styled_add(out, color, STYLE_BOLD, buf_text(&plain));
        text_blanks_add(out, column - LEFT - text_width(buf_view(&plain)));
        buf_reset(&plain);
        used = hang = column;
    } else if (*name && *text) {
        buf_add_text(&plain, "  ");
    }
    escaped_add(output, &plain, text);
    used = text_wrap_add(out, buf_view(&plain), used, hang, columns);
    duration_put(out, used, hang, ms, sign == SIGN_START, columns);
    buf_add_char(out, '\n');
    buf_free(&plain);
}

/* What an activity does now; a very long word about it is shortened, it is only passing by. */
static void doing_add(struct buf *out, const struct activity *activity, int columns)
{
    struct view doing = view_of(activity->doing);
    size_t max = (size_t)columns * DOING_ROWS_MAX / 2;

    if (activity->key) {
        buf_add_text(out, activity->key);
        return;
    }
    if (doing.len > max) {
        doing.len = max;
        while (doing.len && ((unsigned char)doing.ptr[doing.len] & 0xc0) == 0x80)
            doing.len--;
        buf_add_view(out, doing);
        buf_add_text(out, "...");
    } else {
        buf_add_view(out, doing);
    }
}

static int rows_of(const struct buf *text)
{
    int rows = 0;

    for (size_t i = 0; i < text->len; i++)
        rows += text->ptr[i] == '\n';
    return rows;
}

/* "about 40s left", in whole seconds; nothing when it is not known, or over. */
static void left_add(const struct output *output, struct buf *out)
{
    int64_t left_ms = output->until_ms < 0 ? 0 : (output->until_ms - output->now_ms) / 1000 * 1000;

    if (left_ms <= 0)
        return;
    buf_add_text(out, "about ");
    if (left_ms < 10000)
        buf_addf(out, "%ds", (int)(left_ms / 1000));
    else
        duration_add(out, left_ms);
    buf_add_text(out, " left");
}

/* The rows of all activities that fit; the last row says how many do not, and how long it will take. Ends without a
   line break. */
static void region_add(const struct output *output, struct buf *out, int columns, int rows_max)
{
    int rows = 0, hidden = 0;
    struct buf left;

    buf_init(&left, 64);
    left_add(output, &left);
    LIST_EACH(link, &output->activities)
    {
        const struct activity *activity = LIST_OF(link, const struct activity, link);
        int64_t ms = activity->began_ms < 0 ? -1 : output->now_ms - activity->began_ms;
        bool last = link->next == &output->activities;
        struct buf row, doing;

        buf_init(&row, RENDER_TEXT_MAX);
        buf_init(&doing, RENDER_TEXT_MAX);
        doing_add(&doing, activity, columns);
        row_add(output, &row, SIGN_START, activity->name ? activity->name : "undo", buf_text(&doing), ms, columns);
        if (hidden || rows + rows_of(&row) > rows_max - (last && !left.len ? 0 : 1)) {
            hidden++;
        } else {
            rows += rows_of(&row);
            buf_add_view(out, buf_view(&row));
        }
        buf_free(&row);
        buf_free(&doing);
    }
    if (hidden)
        buf_addf(out, "   and %d more%s", hidden, left.len ? ", " : "");
    else if (out->len && left.len)
        buf_add_text(out, "   ");
    else if (out->len)
        out->len--;
    if (out->len)
        buf_add_view(out, buf_view(&left));
    buf_free(&left);
}

static bool is_live(const struct output *output)
{
    return output->options.err_tty && !output->options.dumb;
}

static void flush_pending(struct output *output)
{
    output_write(output->options.err_fd, buf_view(&output->pending));
    buf_reset(&output->pending);
}

/* Erases the region, writes the finished rows, draws `region` (no line break at its end; may be empty). */
static void paint(struct output *output, const struct buf *region, int columns)
{
    struct buf out;
    int rows = region->len ? rows_of(region) : 0;

    buf_init(&out, 2 * RENDER_TEXT_MAX);
    if (output->shown.len)
        buf_add_text(&out, ERASE);
    buf_add_view(&out, buf_view(&output->pending));
    if (region->len) {
        buf_add_text(&out, "\x1b[?7l");
        buf_add_view(&out, buf_view(region));
        buf_add_text(&out, "\x1b[?7h\r");
        if (rows)
            buf_addf(&out, "\x1b[%dA", rows);
    }
    output_write(output->options.err_fd, buf_view(&out));
    buf_reset(&output->pending);
    buf_reset(&output->shown);
    buf_add_view(&output->shown, buf_view(region));
    output->shown_columns = columns;
    buf_free(&out);
}

static void paint_if_due(struct output *output)
{
    int rows, columns = output_columns(output, &rows);
    int64_t mono_ms = output->options.mono_ms(output->options.ctx);
    int width = columns - 1 < LIVE_COLUMNS ? columns - 1 : LIVE_COLUMNS;
    struct buf region;

    if (!is_live(output)) {
        flush_pending(output);
        return;
    }
    if (output->painted_ms >= 0 && mono_ms - output->painted_ms < RENDER_PAINT_MS)
        return;
    buf_init(&region, RENDER_TEXT_MAX);
    region_add(output, &region, width, rows - 1 < RENDER_REGION_ROWS ? rows - 1 : RENDER_REGION_ROWS);
    if (output->pending.len || columns != output->shown_columns ||
        !view_equal(buf_view(&region), buf_view(&output->shown))) {
        paint(output, &region, columns);
        output->painted_ms = mono_ms;
    }
    buf_free(&region);
}

static void tree_clear(struct output *output)
{
    struct buf none;

    buf_init(&none, 1);
    if (output->shown.len || output->pending.len)
        paint(output, &none, output_columns(output, NULL));
    buf_free(&none);
}

static void head(struct output *output)
{
    int columns = output_columns(output, NULL) - 1;
    struct buf line;

    if (output->headed)
        return;
    buf_init(&line, RENDER_TEXT_MAX);
    if (header_add(output, &line)) {
        output->headed = true;
        text_wrap_add(&output->pending, buf_view(&line), 0, 2, columns);
        buf_add_char(&output->pending, '\n');
    }
    buf_free(&line);
}

static void children_add(struct output *output, const struct activity *activity, int columns)
{
    size_t count = doc_size(activity->changes);
    size_t shown = count > CHILDREN_MAX && !output->options.verbose ? CHILDREN_MAX - 1 : count;
    struct buf line;

    buf_init(&line, RENDER_TEXT_MAX);
    for (size_t i = 0; i < shown; i++) {
        buf_reset(&line);
        escaped_add(output, &line, doc_as_text(doc_at(activity->changes, i), ""));
        text_blanks_add(&output->pending, CHILD_INDENT);
        text_wrap_add(&output->pending, buf_view(&line), CHILD_INDENT, CHILD_INDENT + GAP, columns);
        buf_add_char(&output->pending, '\n');
    }
    if (shown < count) {
        text_blanks_add(&output->pending, CHILD_INDENT);
        buf_addf(&output->pending, "and %zu more\n", count - shown);
    }
    buf_free(&line);
}

/* One row a line; text is not escaped yet. */
static void lines_add(struct output *output, const char *step, const char *text, int columns)
{
    while (*text) {
        size_t len = strcspn(text, "\n");
        char *line = mem_view((struct view){text, len});

        row_add(output, &output->pending, SIGN_NONE, step, line, -1, columns);
        free(line);
        text += len + (text[len] == '\n');
    }
}

static void tree_event(struct output *output, const char *type, const struct doc *event, struct activity *activity)
{
    int columns = output_columns(output, NULL) - 1;
    int64_t ms = doc_as_int(doc_get(event, "ms"), -1);
    struct buf text;

    if (!is_opening(type, event))
        head(output);
    buf_init(&text, RENDER_TEXT_MAX);
    if (strcmp(type, "step.end") == 0) {
        enum sign sign = step_end_add(event, activity, &text);

        row_add(output, &output->pending, sign, doc_as_text(doc_get(event, "step"), ""), buf_text(&text), ms, columns);
        if (activity)
            children_add(output, activity, columns);
    } else if (strcmp(type, "undo.end") == 0) {
        enum sign sign = undo_end_add(event, &text);

        row_add(output, &output->pending, sign, "", buf_text(&text), ms, columns);
    } else if (result_add(output, type, event, &text)) {
        tree_clear(output);
        output_write(output->options.out_fd, buf_view(&text));
    } else if (note_add(output, type, event, &text) || (output->options.verbose && call_add(type, event, &text))) {
        lines_add(output, doc_as_text(doc_get(event, "step"), ""), buf_text(&text), columns);
    }
    buf_free(&text);
    paint_if_due(output);
}

/* The opening events come in one turn; a tick without more of them means that no lock is waited for in silence. */
static void tree_tick(struct output *output)
{
    head(output);
    paint_if_due(output);
}

/* Steps that never ended: what they changed has not been said yet. */
static void unfinished_add(struct output *output, int columns)
{
    LIST_EACH(link, &output->activities)
    {
        struct activity *activity = LIST_OF(link, struct activity, link);

        row_add(output, &output->pending, SIGN_STOPPED, activity->name ? activity->name : "undo",
                activity->key ? activity->key : "not finished", -1, columns);
        children_add(output, activity, columns);
    }
}

static void tree_finish(struct output *output, int exit_code)
{
    int columns = output_columns(output, NULL);
    struct buf out;

    (void)exit_code;
    head(output);
    unfinished_add(output, columns - 1);
    tree_clear(output);
    buf_init(&out, RENDER_TEXT_MAX);
    if (output->plan && !output->error) {
        plan_add(output, &out, output->options.out_tty ? columns - 1 : 0, output->options.color_out);
        output_write(output->options.out_fd, buf_view(&out));
        buf_reset(&out);
    }
    end_add(output, &out, columns - 1, output->options.color_err);
    if (is_live(output) && doc_as_int(doc_get(output->run_end, "ms"), 0) > RENDER_BELL_MS)
        buf_add_char(&out, '\a');
    output_write(output->options.err_fd, buf_view(&out));
    buf_free(&out);
}

const struct renderer renderer_tree = {
    .event = tree_event, .tick = tree_tick, .clear = tree_clear, .finish = tree_finish};
