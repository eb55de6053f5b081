/*
 * plain: one line per state change, with the time in UTC and the step; no escapes, nothing shortened,
 * and a heartbeat after a minute of silence. ACCESSIBLE=1 says the same as sentences without the time.
 * quiet: nothing but results and the error.
 */
#include "cli/render.h"

#include "base/duration.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* GitHub takes "::" at the start of a line, and "##[" anywhere, for a command: outside text must not give any. */
static void disarm(const struct output *output, struct buf *line)
{
    char *at;

    if (output->options.ci != OUTPUT_CI_GITHUB || !line->len)
        return;
    for (at = line->ptr; (at = strstr(at, "##[")); at++)
        at[1] = ' ';
    at = line->ptr + strspn(line->ptr, " ");
    if (at[0] == ':' && at[1] == ':')
        at[0] = ' ';
}

/* One line: time, [step], text. The text is escaped here; its line breaks make further lines. */
static void say(struct output *output, const char *step, const char *text)
{
    bool sentence = output->options.accessible;
    struct buf out, line;

    buf_init(&out, RENDER_TEXT_MAX);
    buf_init(&line, RENDER_TEXT_MAX);
    do {
        size_t len = strcspn(text, "\n");

        buf_reset(&line);
        if (!sentence && output->now_ms >= 0) {
            time_add(&line, output->now_ms);
            buf_add_char(&line, ' ');
        }
        if (step) {
            buf_add_text(&line, sentence ? "Step " : "[");
            escaped_add(output, &line, step);
            buf_add_text(&line, sentence ? ": " : "] ");
        }
        text_escape_add(&line, (struct view){text, len}, output->options.utf8 ? TEXT_UTF8 : 0);
        if (sentence && line.len && !strchr(".!?:", line.ptr[line.len - 1]))
            buf_add_char(&line, '.');
        disarm(output, &line);
        buf_add_view(&out, buf_view(&line));
        buf_add_char(&out, '\n');
        text += len + (text[len] == '\n');
    } while (*text);
    output_write(output->options.err_fd, buf_view(&out));
    output->said_ms = output->now_ms;
    LIST_EACH(link, &output->activities)
    LIST_OF(link, struct activity, link)->news = false;
    buf_free(&out);
    buf_free(&line);
}

static void head(struct output *output)
{
    struct buf line;

    if (output->headed)
        return;
    buf_init(&line, RENDER_TEXT_MAX);
    if (header_add(output, &line)) {
        output->headed = true;
        say(output, NULL, buf_text(&line));
    }
    buf_free(&line);
}

/* A foldable group for the first of the steps that go on; steps beside it speak inside it. */
static void group_open(struct output *output, const char *step)
{
    struct buf line;

    if (output->group_open || output->options.ci == OUTPUT_CI_NONE)
        return;
    buf_init(&line, RENDER_TEXT_MAX);
    if (output->options.ci == OUTPUT_CI_GITHUB)
        buf_add_text(&line, "::group::");
    else if (output->options.ci == OUTPUT_CI_GITLAB)
        buf_addf(&line, "\x1b[0Ksection_start:%" PRId64 ":dosrun\r\x1b[0K", output->now_ms / 1000);
    else
        buf_add_text(&line, "--- ");
    buf_add_text(&line, "step ");
    escaped_add(output, &line, step);
    buf_add_char(&line, '\n');
    output_write(output->options.err_fd, buf_view(&line));
    output->group_open = true;
    buf_free(&line);
}

static void group_close(struct output *output, bool failed)
{
    struct buf line;

    if (!output->group_open)
        return;
    buf_init(&line, RENDER_TEXT_MAX);
    if (output->options.ci == OUTPUT_CI_GITHUB)
        buf_add_text(&line, "::endgroup::\n");
    else if (output->options.ci == OUTPUT_CI_GITLAB)
        buf_addf(&line, "\x1b[0Ksection_end:%" PRId64 ":dosrun\r\x1b[0K\n", output->now_ms / 1000);
    else if (failed)
        buf_add_text(&line, "^^^ +++\n");
    output_write(output->options.err_fd, buf_view(&line));
    output->group_open = false;
    buf_free(&line);
}

/* Texts inside a GitHub command: % and line breaks, in properties also : and , have to be written out. */
static void github_add(struct buf *out, const char *text, bool property)
{
    for (; *text; text++) {
        if (*text == '%' || *text == '\n' || *text == '\r' || (property && (*text == ':' || *text == ',')))
            buf_addf(out, "%%%02X", (unsigned)*text);
        else
            buf_add_char(out, *text);
    }
}

static void github_error_add(const struct output *output, struct buf *out)
{
    const struct doc *inner = doc_get(output->error, "error");
    const struct doc *body = inner ? inner : output->error;
    const char *file = event_text(output->error, "file", NULL), *code = event_text(body, "explain", NULL);
    int64_t line = doc_as_int(doc_get(output->error, "line"), 0);
    struct buf text;

    if (!output->error || output->options.ci != OUTPUT_CI_GITHUB)
        return;
    buf_init(&text, RENDER_TEXT_MAX);
    text_escape_add(&text, doc_as_view(doc_get(body, "message")), TEXT_LINES | TEXT_UTF8);
    buf_add_text(out, "::error title=");
    github_add(out, code && *code ? code : "dosrun", true);
    if (file) {
        buf_add_text(out, ",file=");
        github_add(out, file, true);
    }
    if (file && line > 0)
        buf_addf(out, ",line=%" PRId64, line);
    buf_add_text(out, "::");
    github_add(out, buf_text(&text), false);
    buf_add_char(out, '\n');
    buf_free(&text);
}

static bool compose(struct output *output, const char *type, const struct doc *event, struct activity *activity,
                    struct buf *text)
{
    const char *key = event_text(event, "key", NULL), *verb = event_text(event, "verb", NULL);
    int64_t ms = doc_as_int(doc_get(event, "ms"), -1);

    if (strcmp(type, "step.start") == 0) {
        buf_add_text(text, "started");
        return true;
    }
    if (strcmp(type, "step.end") == 0) {
        step_end_add(event, activity, text);
    } else if (strcmp(type, "change.intent") == 0 && key) {
        buf_addf(text, "changing %s%s%s%s", key, verb ? " (" : "", verb ? verb : "", verb ? ")" : "");
        return true;
    } else if (strcmp(type, "change.end") == 0) {
        if (strcmp(doc_as_text(doc_get(event, "outcome"), "ok"), "ok") == 0)
            buf_add_text(text, "changed ");
        change_end_add(event, text);
    } else if (strcmp(type, "change.same") == 0 && key && output->options.verbose) {
        buf_addf(text, "as wanted already: %s", key);
        return true;
    } else if (strcmp(type, "undo.start") == 0 && key && output->options.verbose) {
        buf_addf(text, "undoing %s", key);
        return true;
    } else if (strcmp(type, "undo.end") == 0) {
        undo_end_add(event, text);
    } else if (strcmp(type, "wait") == 0 && (!activity || activity->news)) {
        buf_add_text(text, "waiting for ");
        wait_add(event, text);
        return true;
    } else {
        return note_add(output, type, event, text) || (output->options.verbose && call_add(type, event, text));
    }
    if (ms >= 0) {
        buf_add_text(text, ", ");
        duration_add(text, ms);
    }
    return true;
}

static void plain_event(struct output *output, const char *type, const struct doc *event, struct activity *activity)
{
    const char *step = event_text(event, "step", NULL), *outcome = doc_as_text(doc_get(event, "outcome"), "");
    struct buf text;

    if (!is_opening(type, event))
        head(output);
    if (strcmp(type, "step.start") == 0 && step)
        group_open(output, step);
    buf_init(&text, RENDER_TEXT_MAX);
    if (result_add(output, type, event, &text)) {
        disarm(output, &text);
        output_write(output->options.out_fd, buf_view(&text));
    } else if (compose(output, type, event, activity, &text)) {
        say(output, step, buf_text(&text));
    }
    if (strcmp(type, "step.end") == 0 && output->activities.next == output->activities.prev)
        group_close(output, strcmp(outcome, "fail") == 0);
    buf_free(&text);
}

static void heartbeat_add(const struct output *output, const struct activity *activity, struct buf *text)
{
    int64_t since_ms = activity->since_ms >= 0 ? activity->since_ms : activity->began_ms;

    if (activity->key)
        buf_addf(text, "still undoing %s", activity->key);
    else if (activity->since_ms >= 0)
        buf_addf(text, "still waiting for %s", activity->doing);
    else
        buf_addf(text, "still going on%s%s", activity->doing ? ": " : "", activity->doing ? activity->doing : "");
    if (since_ms < 0)
        return;
    buf_add_text(text, ", since ");
    time_add(text, since_ms);
    buf_add_text(text, " (");
    duration_add(text, output->now_ms - since_ms);
    buf_add_char(text, ')');
}

/* After a minute of silence: what is waited for, and since when. */
static void plain_tick(struct output *output)
{
    struct buf text;

    head(output);
    if (output->said_ms < 0)
        output->said_ms = output->now_ms;
    if (output->now_ms - output->said_ms < RENDER_HEARTBEAT_MS)
        return;
    buf_init(&text, RENDER_TEXT_MAX);
    LIST_EACH(link, &output->activities)
    {
        const struct activity *activity = LIST_OF(link, const struct activity, link);

        buf_reset(&text);
        heartbeat_add(output, activity, &text);
        say(output, activity->name, buf_text(&text));
    }
    if (list_empty(&output->activities)) {
        buf_addf(&text, "still waiting%s%s; nothing new since ", output->awaited ? " for the " : "",
                 output->awaited ? output->awaited : "");
        time_add(&text, output->said_ms);
        say(output, NULL, buf_text(&text));
    }
    buf_free(&text);
}

static void nothing(struct output *output)
{
    (void)output;
}

static void plain_finish(struct output *output, int exit_code)
{
    struct buf out;

    (void)exit_code;
    head(output);
    group_close(output, output->error != NULL);
    buf_init(&out, RENDER_TEXT_MAX);
    if (output->plan && !output->error) {
        plan_add(output, &out, 0, false);
        output_write(output->options.out_fd, buf_view(&out));
        buf_reset(&out);
    }
    github_error_add(output, &out);
    output_write(output->options.err_fd, buf_view(&out));
    buf_reset(&out);
    end_add(output, &out, 0, false);
    output_write(output->options.err_fd, buf_view(&out));
    buf_free(&out);
}

static void quiet_event(struct output *output, const char *type, const struct doc *event, struct activity *activity)
{
    struct buf text;

    (void)activity;
    buf_init(&text, RENDER_TEXT_MAX);
    if (result_add(output, type, event, &text))
        output_write(output->options.out_fd, buf_view(&text));
    buf_free(&text);
}

static void quiet_finish(struct output *output, int exit_code)
{
    struct buf out;

    (void)exit_code;
    buf_init(&out, RENDER_TEXT_MAX);
    if (output->plan && !output->error) {
        plan_add(output, &out, 0, false);
        output_write(output->options.out_fd, buf_view(&out));
        buf_reset(&out);
    }
    if (output->error)
        error_add(output, &out, 0, output->options.color_err);
    output_write(output->options.err_fd, buf_view(&out));
    buf_free(&out);
}

const struct renderer renderer_plain = {
    .event = plain_event, .tick = plain_tick, .clear = nothing, .finish = plain_finish};
const struct renderer renderer_quiet = {
    .event = quiet_event, .tick = nothing, .clear = nothing, .finish = quiet_finish};
