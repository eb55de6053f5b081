/* jsonl: every event as one line of JSON on stdout; hello first, a summary last, nothing else. */
#include "cli/render.h"

#include "codec/json.h"

#include <string.h>

/* One write a line, so that a killed process leaves whole lines. */
static void line_write(struct output *output, const struct doc *event)
{
    struct buf line;

    buf_init(&line, RENDER_TEXT_MAX);
    json_add(&line, event, JSON_COMPACT);
    buf_add_char(&line, '\n');
    if (line.over) {
        /* Longer than any line may be: its place in the sequence is kept. */
        buf_reset(&line);
        buf_addf(&line, "{\"type\":\"log\",\"level\":\"error\",\"text\":\"event %lld is too long to print\"}\n",
                 (long long)output->last_seq);
    }
    output_write(output->options.out_fd, buf_view(&line));
    buf_free(&line);
}

static void hello_write(struct output *output)
{
    struct doc *hello = event_new("hello");

    doc_set_text(hello, "format", "1.0");
    doc_set_text(hello, "dosrun", DOSRUN_VERSION);
    line_write(output, hello);
    doc_unref(hello);
    output->hello_said = true;
}

static void jsonl_event(struct output *output, const char *type, const struct doc *event, struct activity *activity)
{
    (void)activity;
    if (strcmp(type, "summary") == 0)
        return;
    if (strcmp(type, "hello") == 0)
        output->hello_said = true;
    else if (!output->hello_said)
        hello_write(output);
    line_write(output, event);
}

static void nothing(struct output *output)
{
    (void)output;
}

static void copy(struct doc *to, const struct doc *from, const char *name)
{
    if (doc_get(from, name))
        doc_set(to, name, doc_ref(doc_get(from, name)));
}

static void jsonl_finish(struct output *output, int exit_code)
{
    static const char *const members[] = {"how",   "outcome", "changes", "same", "undone", "calls",
                                          "steps", "retries", "syncs",   "ms",   "next",   "never_struck"};
    struct doc *summary = output->summary ? doc_copy(output->summary) : event_new("summary");
    const struct doc *error = doc_get(output->error, "error") ? doc_get(output->error, "error") : output->error;

    if (!output->hello_said)
        hello_write(output);
    if (!output->summary) {
        doc_set_int(summary, "seq", output->last_seq + 1);
        doc_set_text(summary, "time", *output->last_time ? output->last_time : NULL);
        doc_set_text(summary, "run", output->run);
        for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
            copy(summary, output->run_end, members[i]);
    }
    doc_set_int(summary, "exit", exit_code);
    if (error && !doc_get(summary, "error")) {
        struct doc *body = doc_object();

        copy(body, error, "explain");
        copy(body, error, "message");
        doc_set(summary, "error", body);
    }
    if (output->sandbox)
        doc_set_text(summary, "world", "sandbox");
    line_write(output, summary);
    doc_unref(summary);
}

const struct renderer renderer_jsonl = {
    .event = jsonl_event, .tick = nothing, .clear = nothing, .finish = jsonl_finish};
