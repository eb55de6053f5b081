/*
 * The terminal of the tests: as much of one as the tree uses. Rows are endless upwards; a row that
 * was broken by the terminal itself knows that it goes on, so that a resize can re-wrap it.
 */
#include "cli_fixture.h"
#include "unit.h"

#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CELLS = 400, ROWS = 400, CELL_BYTES = 5 };

struct row {
    char cells[CELLS][CELL_BYTES];
    int len;
    bool goes_on;
};

struct screen {
    struct row rows[ROWS];
    int columns, x, y, last;
    bool no_wrap;
};

static void screen_newline(struct screen *screen)
{
    if (screen->y + 1 < ROWS)
        screen->y++;
    else
        unit_fail(__FILE__, __LINE__, "the screen is full");
    if (screen->y > screen->last)
        screen->last = screen->y;
}

static void screen_put(struct screen *screen, const char *bytes, size_t len)
{
    struct row *row = &screen->rows[screen->y];

    if (screen->x >= screen->columns) {
        if (screen->no_wrap) {
            unit_fail(__FILE__, __LINE__, "something was cut at the edge");
            return;
        }
        row->goes_on = true;
        screen_newline(screen);
        screen->x = 0;
        row = &screen->rows[screen->y];
    }
    for (; row->len <= screen->x; row->len++)
        strcpy(row->cells[row->len], " ");
    memcpy(row->cells[screen->x], bytes, len);
    row->cells[screen->x][len] = '\0';
    screen->x++;
}

/* Erases from the cursor to the end of its row. */
static void screen_cut(struct screen *screen)
{
    struct row *row = &screen->rows[screen->y];

    if (row->len > screen->x)
        row->len = screen->x;
    row->goes_on = false;
}

static size_t screen_escape(struct screen *screen, const char *at)
{
    int number = 0;
    size_t len = 2;

    for (; strchr("0123456789;?", at[len]); len++)
        number = at[len] >= '0' && at[len] <= '9' ? number * 10 + (at[len] - '0') : number;
    if (at[1] != '[') {
        unit_fail(__FILE__, __LINE__, "unknown escape");
    } else if (at[len] == 'A') {
        screen->y -= number;
        if (screen->y < 0)
            unit_fail(__FILE__, __LINE__, "the cursor left the screen");
    } else if (at[len] == 'C') {
        screen->x += number ? number : 1;
    } else if (at[len] == 'J') {
        if (screen->x == 0)
            unit_fail(__FILE__, __LINE__, "erasing from the first cell makes history in tmux");
        screen_cut(screen);
        for (int y = screen->y + 1; y <= screen->last; y++)
            memset(&screen->rows[y], 0, sizeof(screen->rows[y]));
        screen->last = screen->y;
    } else if (at[len] == 'l' || at[len] == 'h') {
        screen->no_wrap = at[len] == 'l';
    } else if (at[len] == 'K') {
        screen_cut(screen);
    } else if (at[len] != 'm') {
        unit_fail(__FILE__, __LINE__, "unknown escape %c", at[len]);
    }
    return len + 1;
}

static void screen_feed(struct screen *screen, struct view bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        unsigned char c = (unsigned char)bytes.ptr[at];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

        if (c == '\x1b') {
            at += screen_escape(screen, bytes.ptr + at);
            continue;
        }
        if (c == '\n') {
            screen_newline(screen);
            screen->x = 0;
        } else if (c == '\r') {
            screen->x = 0;
        } else if (c != '\a') {
            screen_put(screen, bytes.ptr + at, len);
        }
        at += len;
    }
}

/* Rows to lines and back at the new width; the cursor stays on its character. */
static void screen_reflow(struct screen *screen, int columns)
{
    struct screen *fresh = mem_alloc(sizeof(*fresh));
    int x = 0, y = 0;

    fresh->columns = columns;
    for (int from = 0; from <= screen->last; from++) {
        const struct row *row = &screen->rows[from];

        for (int cell = 0; cell <= row->len; cell++) {
            if (from == screen->y && cell == screen->x) {
                x = fresh->x < columns ? fresh->x : 0;
                y = fresh->x < columns ? fresh->y : fresh->y + 1;
            }
            if (cell < row->len)
                screen_put(fresh, row->cells[cell], strlen(row->cells[cell]));
        }
        if (!row->goes_on && from < screen->last) {
            screen_newline(fresh);
            fresh->x = 0;
        }
    }
    fresh->x = x;
    fresh->y = y;
    *screen = *fresh;
    free(fresh);
}

static void screen_crop(struct screen *screen, int columns)
{
    screen->columns = columns;
    for (int y = 0; y <= screen->last; y++)
        if (screen->rows[y].len > columns)
            screen->rows[y].len = columns;
    if (screen->x >= columns)
        screen->x = columns - 1;
}

static void size(void *ctx, int *columns, int *rows)
{
    const struct fixture *fixture = ctx;

    *columns = fixture->columns;
    *rows = fixture->rows;
}

static int64_t mono_ms(void *ctx)
{
    return ((const struct fixture *)ctx)->mono_ms;
}

void fixture_init(struct fixture *fixture, enum output_mode mode, bool tty)
{
    *fixture = (struct fixture){.columns = 80, .rows = 24, .now_ms = INT64_C(1893456000000), .seq = 1};
    fixture->out_fd = memfd_create("out", 0);
    fixture->err_fd = memfd_create("err", 0);
    fixture->options = (struct output_options){.mode = mode,
                                               .out_fd = fixture->out_fd,
                                               .err_fd = fixture->err_fd,
                                               .out_tty = tty,
                                               .err_tty = tty,
                                               .size = size,
                                               .mono_ms = mono_ms,
                                               .utf8 = true};
}

void fixture_open(struct fixture *fixture)
{
    fixture->options.ctx = fixture;
    fixture->screen = mem_alloc(sizeof(*fixture->screen));
    fixture->screen->columns = fixture->columns;
    fixture->output = output_new(&fixture->options);
}

static char *read_all(int fd)
{
    off_t len = lseek(fd, 0, SEEK_END);
    char *text = mem_alloc((size_t)len + 1);

    if (pread(fd, text, (size_t)len, 0) != len)
        unit_fail(__FILE__, __LINE__, "a memory file cannot be read");
    return text;
}

static void look(struct fixture *fixture)
{
    char *text = read_all(fixture->err_fd);
    struct view fresh = view_of(text + fixture->seen);

    if (view_starts(fresh, "\r\x1b[K"))
        fixture->paints++;
    screen_feed(fixture->screen, fresh);
    fixture->seen += fresh.len;
    free(text);
}

void fixture_event(struct fixture *fixture, const char *json, ...)
{
    struct event_sink sink = output_sink(fixture->output);
    struct err err = ERR_INIT;
    struct buf text;
    struct doc *event;
    char *step;
    va_list args;

    buf_init(&text, 1 << 20);
    va_start(args, json);
    buf_vaddf(&text, json, args);
    va_end(args);
    for (size_t i = 0; i < text.len; i++)
        text.ptr[i] = (char)(text.ptr[i] == '\'' ? '"' : text.ptr[i]);
    event = json_parse(buf_view(&text), &err);
    if (!event)
        unit_fail(__FILE__, __LINE__, "%s: %s", buf_text(&text), err.message);
    step = mem_text(doc_as_text(doc_get(event, "step"), NULL));
    event_stamp(event, fixture->seq++, fixture->now_ms, NULL, step);
    sink.event(sink.ctx, EVENT_NOTE, event);
    doc_unref(event);
    free(step);
    buf_free(&text);
    look(fixture);
}

void fixture_pass(struct fixture *fixture, int64_t ms)
{
    fixture->mono_ms += ms;
    fixture->now_ms += ms;
    output_tick(fixture->output, fixture->now_ms);
    look(fixture);
}

void fixture_resize(struct fixture *fixture, int columns, bool reflow)
{
    fixture->columns = columns;
    if (reflow)
        screen_reflow(fixture->screen, columns);
    else
        screen_crop(fixture->screen, columns);
}

char *fixture_out(struct fixture *fixture)
{
    return read_all(fixture->out_fd);
}
char *fixture_err(struct fixture *fixture)
{
    return read_all(fixture->err_fd);
}

char *fixture_screen(struct fixture *fixture)
{
    struct buf text;

    look(fixture);
    buf_init(&text, 1 << 20);
    for (int y = 0; y <= fixture->screen->last; y++) {
        const struct row *row = &fixture->screen->rows[y];

        for (int x = 0; x < row->len; x++)
            buf_add_text(&text, row->cells[x]);
        if (row->goes_on)
            continue;
        while (text.len && text.ptr[text.len - 1] == ' ')
            text.len--;
        buf_add_char(&text, '\n');
    }
    while (text.len > 1 && text.ptr[text.len - 1] == '\n' && text.ptr[text.len - 2] == '\n')
        text.len--;
    buf_add(&text, "", 0);
    text.ptr[text.len] = '\0';
    return buf_take(&text);
}

int fixture_width(struct fixture *fixture)
{
    int width = 0;

    for (int y = 0; y <= fixture->screen->last; y++)
        if (fixture->screen->rows[y].len > width)
            width = fixture->screen->rows[y].len;
    return width;
}

void fixture_close(struct fixture *fixture)
{
    output_free(fixture->output);
    free(fixture->screen);
    close(fixture->out_fd);
    close(fixture->err_fd);
}
