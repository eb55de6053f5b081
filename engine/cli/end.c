/*
 * What comes last: the summary, then the error, once and whole, then what to type next.
 *
 *   error[K104]: game-civ never became ready
 *     --> playbooks/deploy.lua:18  in step "game"
 *   18 |   kube.apply(...):wait()
 *      = waited: 5m for 2 pods
 *      = next:   dosrun plan playbooks/deploy.lua civ     more: dosrun explain K104
 */
#include "cli/render.h"

#include "base/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_WIDTH = 8 };

/* Commands to paste: those of the error, else those of the run's end. */
struct next {
    const struct doc *commands; /* array of texts, or NULL */
    const char *single;         /* of the error's context */
};

static const struct doc *error_body(const struct output *output)
{
    const struct doc *inner = doc_get(output->error, "error");

    return inner ? inner : output->error;
}

/* A member of the event, or of the error inside it. */
static const struct doc *error_get(const struct output *output, const char *name)
{
    const struct doc *value = doc_get(output->error, name);

    return value && !doc_is(value, DOC_OBJECT) ? value : doc_get(error_body(output), name);
}

static const struct doc *error_context(const struct output *output)
{
    const struct doc *context = doc_get(output->error, "context");

    return context ? context : doc_get(error_body(output), "context");
}

static struct next find_next(const struct output *output)
{
    const struct doc *context = error_context(output);
    struct next next = {.commands = doc_get(output->run_end, "next")};

    if (!next.commands)
        next.commands = doc_get(output->error, "next");
    for (size_t i = 0; i < doc_size(context); i++)
        if (strcmp(doc_as_text(doc_get(doc_at(context, i), "word"), ""), "next") == 0)
            next.single = event_text(doc_at(context, i), "text", NULL);
    return next;
}

static size_t next_count(const struct next *next)
{
    return next->single ? 1 : doc_size(next->commands);
}

static const char *next_at(const struct next *next, size_t index)
{
    return next->single ? next->single : doc_as_text(doc_at(next->commands, index), "");
}

void last_note_add(const struct output *output, struct buf *out)
{
    const struct doc *never = doc_get(output->run_end, "never_struck");
    size_t count = doc_size(never);

    if (!output->sandbox && !count)
        return;
    buf_add_text(out, " (");
    if (output->sandbox)
        buf_add_text(out, "in the sandbox");
    for (size_t i = 0; i < count; i++) {
        buf_add_text(out, i || output->sandbox ? "; fault " : "fault ");
        escaped_add(output, out, doc_as_text(doc_at(never, i), ""));
        buf_add_text(out, " never struck");
    }
    buf_add_char(out, ')');
}

static void counted_add(struct buf *out, const struct doc *event, const char *name, const char *one, const char *many)
{
    int64_t count = doc_as_int(doc_get(event, name), 0);

    if (count > 0)
        buf_addf(out, ", %" PRId64 " %s", count, count == 1 ? one : many);
}

static void summary_add(const struct output *output, struct buf *out)
{
    const struct doc *event = output->run_end;
    const char *how = event_text(event, "how", "outcome");
    int64_t changes = doc_as_int(doc_get(event, "changes"), -1), ms = doc_as_int(doc_get(event, "ms"), -1);

    escaped_add(output, out, how ? how : "ended");
    if (changes == 0 && how && strcmp(how, "done") == 0)
        buf_add_text(out, ": nothing to change");
    else if (changes >= 0)
        buf_addf(out, ": %" PRId64 " change%s", changes, changes == 1 ? "" : "s");
    if (changes > 0 && how && strcmp(how, "stopped") == 0)
        buf_add_text(out, changes == 1 ? " stands" : " stand");
    counted_add(out, event, "undone", "undone", "undone");
    counted_add(out, event, "same", "as wanted already", "as wanted already");
    counted_add(out, event, "calls", "call", "calls");
    counted_add(out, event, "retries", "retry", "retries");
    counted_add(out, event, "syncs", "sync", "syncs");
    if (ms >= 0) {
        buf_add_text(out, ", ");
        duration_add(out, ms);
    }
}

/* Text in rows: line breaks of its own stay, each row is broken at the width. */
static void rows_add(const struct output *output, struct buf *out, const char *text, int used, int hang, int columns)
{
    bool first = true;

    for (;;) {
        size_t len = strcspn(text, "\n");
        struct buf line;

        buf_init(&line, RENDER_TEXT_MAX);
        text_escape_add(&line, (struct view){text, len}, output->options.utf8 ? TEXT_UTF8 : 0);
        if (!first)
            text_blanks_add(out, hang);
        text_wrap_add(out, buf_view(&line), first ? used : hang, hang, columns);
        buf_add_char(out, '\n');
        buf_free(&line);
        if (!text[len])
            return;
        text += len + 1;
        first = false;
    }
}

/* "   = word:   ": the columns it takes. */
static int label_add(struct buf *out, int gutter, const char *word, bool color)
{
    int width = gutter + 3;

    text_blanks_add(out, gutter + 1);
    buf_add_text(out, "= ");
    styled_add(out, color, STYLE_BOLD, word);
    buf_add_char(out, ':');
    width += text_width(view_of(word)) + 1;
    do {
        buf_add_char(out, ' ');
        width++;
    } while (width < gutter + 3 + LABEL_WIDTH);
    return width;
}

/* Commands are never broken by us, so that they can be pasted. */
static void next_add(const struct output *output, struct buf *out, const struct next *next, const char *code,
                     int gutter, int columns, bool color)
{
    size_t count = next_count(next);
    struct buf line;

    buf_init(&line, RENDER_TEXT_MAX);
    for (size_t i = 0; i < count; i++) {
        int width = label_add(out, gutter, i ? "or" : "next", color);

        buf_reset(&line);
        escaped_add(output, &line, next_at(next, i));
        buf_add_view(out, buf_view(&line));
        width +=
            text_width(buf_view(&line)) + (int)sizeof("     more: dosrun explain ") + (code ? (int)strlen(code) : 0);
        if (i + 1 < count || !code || (columns > 0 && width > columns)) {
            buf_add_char(out, '\n');
            continue;
        }
        buf_addf(out, "     more: dosrun explain %s\n", code);
        code = NULL;
    }
    if (code) {
        label_add(out, gutter, "more", color);
        buf_addf(out, "dosrun explain %s\n", code);
    }
    buf_free(&line);
}

static void place_add(const struct output *output, struct buf *out, int gutter, int columns)
{
    const char *file = doc_as_text(error_get(output, "file"), NULL),
               *step = doc_as_text(error_get(output, "step"), NULL);
    const char *source = doc_as_text(error_get(output, "source"), NULL);
    int64_t line = doc_as_int(error_get(output, "line"), 0);
    struct buf place;

    buf_init(&place, RENDER_TEXT_MAX);
    if (file)
        buf_add_text(&place, file);
    if (file && line > 0)
        buf_addf(&place, ":%" PRId64, line);
    if (step)
        buf_addf(&place, "%sin step \"%s\"", file ? "  " : "", step);
    if (place.len) {
        text_blanks_add(out, gutter);
        buf_add_text(out, "--> ");
        rows_add(output, out, buf_text(&place), gutter + 4, gutter + 4, columns);
    }
    if (source && file && line > 0) {
        buf_addf(out, "%*" PRId64 " | ", gutter, line);
        rows_add(output, out, source, gutter + 3, gutter + 3, columns);
    }
    buf_free(&place);
}

/* What the other side said of itself, unless the context says it already. */
static void server_add(const struct output *output, struct buf *out, int gutter, int columns, bool color)
{
    const struct doc *body = error_body(output);
    const char *code = event_text(body, "code", NULL), *id = event_text(body, "request_id", NULL);
    int64_t status = doc_as_int(doc_get(body, "status"), 0);
    struct buf text;

    if ((!code || !*code) && (!id || !*id) && !status)
        return;
    buf_init(&text, RENDER_TEXT_MAX);
    if (status)
        buf_addf(&text, "HTTP %" PRId64, status);
    if (code && *code)
        buf_addf(&text, "%s%s", text.len ? " " : "", code);
    if (id && *id)
        buf_addf(&text, "%srequest id %s", text.len ? ", " : "", id);
    rows_add(output, out, buf_text(&text), label_add(out, gutter, "server", color), gutter + 3 + LABEL_WIDTH, columns);
    buf_free(&text);
}

void error_add(const struct output *output, struct buf *out, int columns, bool color)
{
    const struct doc *context = error_context(output);
    const char *code = doc_as_text(error_get(output, "explain"), NULL);
    const char *message = doc_as_text(error_get(output, "message"), "it failed");
    struct next next = find_next(output);
    char title[32], line[24];
    int gutter;

    code = code && *code ? code : NULL;
    snprintf(line, sizeof(line), "%" PRId64, doc_as_int(error_get(output, "line"), 0));
    gutter = strlen(line) > 2 ? (int)strlen(line) : 2;
    snprintf(title, sizeof(title), "error%s%.16s%s", code ? "[" : "", code ? code : "", code ? "]" : "");
    styled_add(out, color, STYLE_BAD, title);
    buf_add_text(out, ": ");
    rows_add(output, out, message, (int)strlen(title) + 2, gutter + 1, columns);
    place_add(output, out, gutter, columns);
    for (size_t i = 0; i < doc_size(context); i++) {
        const char *word = event_text(doc_at(context, i), "word", NULL),
                   *text = event_text(doc_at(context, i), "text", NULL);
        struct buf label;

        if (!word || !text || strcmp(word, "next") == 0)
            continue;
        buf_init(&label, 256);
        escaped_add(output, &label, word);
        rows_add(output, out, text, label_add(out, gutter, buf_text(&label), color), gutter + 3 + LABEL_WIDTH, columns);
        buf_free(&label);
    }
    server_add(output, out, gutter, columns, color);
    next_add(output, out, &next, code, gutter, columns, color);
}

void end_add(const struct output *output, struct buf *out, int columns, bool color)
{
    struct next next = find_next(output);
    struct buf line;
    int summary = 0;

    buf_init(&line, RENDER_TEXT_MAX);
    if (output->run_end && !(output->plan && !output->error)) {
        summary_add(output, &line);
        summary = text_wrap_add(out, buf_view(&line), 0, 2, columns);
        buf_add_char(out, '\n');
    }
    if (output->error) {
        error_add(output, out, columns, color);
    } else {
        for (size_t i = 0; i < next_count(&next); i++) {
            buf_add_text(out, i ? "or:   " : "next: ");
            escaped_add(output, out, next_at(&next, i));
            buf_add_char(out, '\n');
        }
    }
    buf_reset(&line);
    last_note_add(output, &line);
    if (out->len && line.len) {
        /* Behind the summary if that is all; a command to paste has its line for itself. */
        bool behind = output->run_end && !output->error && !next_count(&next) && !output->plan;

        if (behind)
            out->len--;
        text_wrap_add(out, (struct view){line.ptr + !behind, line.len - !behind}, behind ? summary : 0, 2, columns);
        buf_add_char(out, '\n');
    }
    buf_free(&line);
}
