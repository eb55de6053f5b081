/*
 * The sink: keeps the state of the run that all renderers look at, and hands each event on. Steps
 * and undos become activities, from their first event to their last.
 */
#include "cli/output.h"
#include "cli/render.h"

#include "base/secret.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_DEFAULT = 80, COLUMNS_MIN = 20, ROWS_DEFAULT = 24, NAME_WIDTH_MIN = 8, NAME_WIDTH_MAX = 24 };

static bool is_set(command_env_fn *env, void *ctx, const char *name)
{
    const char *text = env(ctx, name);

    return text && *text && strcmp(text, "0") != 0;
}

static bool is_utf8(const char *locale)
{
    return strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "UTF8") || strstr(locale, "utf-8");
}

void output_options_read(struct output_options *options, command_env_fn *env, void *ctx)
{
    static const char *const locales[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *term = env(ctx, "TERM"), *no_color = env(ctx, "NO_COLOR");
    bool forced = is_set(env, ctx, "CLICOLOR_FORCE") || is_set(env, ctx, "FORCE_COLOR");
    bool never = no_color && *no_color;

    options->utf8 = false;
    for (size_t i = 0; i < sizeof(locales) / sizeof(locales[0]); i++) {
        const char *locale = env(ctx, locales[i]);

        if (locale && *locale) {
            options->utf8 = is_utf8(locale);
            break;
        }
    }
    options->dumb = !term || !*term || strcmp(term, "dumb") == 0;
    options->accessible = is_set(env, ctx, "ACCESSIBLE");
    options->color_out = !never && (forced || (options->out_tty && !options->dumb));
    options->color_err = !never && (forced || (options->err_tty && !options->dumb));
    options->ci = is_set(env, ctx, "GITHUB_ACTIONS") ? OUTPUT_CI_GITHUB
                  : is_set(env, ctx, "GITLAB_CI")    ? OUTPUT_CI_GITLAB
                  : is_set(env, ctx, "BUILDKITE")    ? OUTPUT_CI_BUILDKITE
                                                     : OUTPUT_CI_NONE;
}

static const struct renderer *choose(const struct output_options *options)
{
    bool live = options->err_tty && !options->dumb;

    switch (options->mode) {
    case OUTPUT_JSONL:
        return &renderer_jsonl;
    case OUTPUT_QUIET:
        return &renderer_quiet;
    case OUTPUT_PLAIN:
        return &renderer_plain;
    case OUTPUT_TREE:
        return options->accessible ? &renderer_plain : &renderer_tree;
    case OUTPUT_AUTO:
        break;
    }
    return live && !options->accessible && options->ci == OUTPUT_CI_NONE ? &renderer_tree : &renderer_plain;
}

struct output *output_new(const struct output_options *options)
{
    struct output *output = mem_alloc(sizeof(*output));

    output->options = *options;
    output->renderer = choose(options);
    output->woulds = doc_array();
    output->now_ms = output->until_ms = output->said_ms = output->painted_ms = -1;
    output->name_width = NAME_WIDTH_MIN;
    list_init(&output->activities);
    buf_init(&output->pending, RENDER_TEXT_MAX);
    buf_init(&output->shown, RENDER_TEXT_MAX);
    return output;
}

static void activity_free(struct activity *activity)
{
    list_remove(&activity->link);
    free(activity->name);
    free(activity->key);
    free(activity->doing);
    doc_unref(activity->changes);
    free(activity);
}

void output_free(struct output *output)
{
    if (!output)
        return;
    output->renderer->clear(output);
    LIST_EACH_SAFE(link, &output->activities)
    activity_free(LIST_OF(link, struct activity, link));
    doc_unref(output->hello);
    doc_unref(output->error);
    doc_unref(output->run_end);
    doc_unref(output->summary);
    doc_unref(output->woulds);
    free(output->run);
    free(output->lock);
    free(output->awaited);
    buf_free(&output->pending);
    buf_free(&output->shown);
    free(output);
}

void output_set_marks(struct output *output, const struct marks *marks)
{
    output->marks = marks;
}

void output_write(int fd, struct view bytes)
{
    while (bytes.len) {
        ssize_t wrote = write(fd, bytes.ptr, bytes.len);

        if (wrote < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = fd, .events = POLLOUT};

            poll(&wait, 1, -1);
        } else if (wrote < 0 && errno != EINTR) {
            return; /* nobody reads any more: the run goes on all the same */
        } else if (wrote > 0) {
            bytes.ptr += wrote;
            bytes.len -= (size_t)wrote;
        }
    }
}

int output_columns(const struct output *output, int *rows)
{
    int columns = 0, lines = 0;

    if (output->options.size)
        output->options.size(output->options.ctx, &columns, &lines);
    if (rows)
        *rows = lines > 0 ? lines : ROWS_DEFAULT;
    return columns <= 0 ? COLUMNS_DEFAULT : columns < COLUMNS_MIN ? COLUMNS_MIN : columns;
}

static struct activity *find_activity(struct output *output, const char *step, const char *key)
{
    LIST_EACH(link, &output->activities)
    {
        struct activity *activity = LIST_OF(link, struct activity, link);

        if (key ? activity->key && strcmp(activity->key, key) == 0
                : step && activity->name && strcmp(activity->name, step) == 0)
            return activity;
    }
    return NULL;
}

static struct activity *start_activity(struct output *output, const char *step, const char *key)
{
    struct activity *activity = find_activity(output, step, key);
    int width = key ? 0 : text_width(view_of(step));

    if (activity)
        return activity;
    activity = mem_alloc(sizeof(*activity));
    activity->name = key ? NULL : mem_text(step);
    activity->key = mem_text(key);
    activity->began_ms = output->now_ms;
    activity->since_ms = -1;
    activity->changes = doc_array();
    list_add_tail(&output->activities, &activity->link);
    if (width > output->name_width)
        output->name_width = width < NAME_WIDTH_MAX ? width : NAME_WIDTH_MAX;
    return activity;
}

static void set_doing(struct activity *activity, const char *text, int64_t since_ms)
{
    free(activity->doing);
    activity->doing = mem_text(text);
    activity->since_ms = since_ms;
}

static void keep(struct doc **place, const struct doc *event)
{
    doc_unref(*place);
    *place = doc_ref(event);
}

static void keep_text(char **place, const char *text)
{
    if (!text)
        return;
    free(*place);
    *place = mem_text(text);
}

static void note_lock(struct output *output, const struct doc *event)
{
    struct buf text;

    free(output->awaited);
    output->awaited = NULL;
    if (!event_text(event, "owner", NULL)) {
        keep_text(&output->lock, event_text(event, "where", NULL));
        return;
    }
    buf_init(&text, RENDER_TEXT_MAX);
    if (lock_add(output, event, &text))
        output->awaited = buf_take(&text);
    buf_free(&text);
}

/* Folds what stands for the whole run. */
static void note_run(struct output *output, const char *type, const struct doc *event)
{
    const char *mode;

    keep_text(&output->run, event_text(event, "run", NULL));
    if (strcmp(type, "hello") == 0) {
        mode = doc_as_text(doc_get(event, "mode"), "");
        keep(&output->hello, event);
        output->sandbox = strcmp(doc_as_text(doc_get(event, "world"), ""), "sandbox") == 0;
        output->plan = doc_as_bool(doc_get(event, "plan"), false) || strcmp(mode, "plan") == 0;
    } else if (strcmp(type, "run") == 0) {
        keep_text(&output->run, event_text(event, "id", NULL));
    } else if (strcmp(type, "lock") == 0) {
        note_lock(output, event);
    } else if (strcmp(type, "error") == 0) {
        keep(&output->error, event);
    } else if (strcmp(type, "estimate") == 0) {
        output->until_ms = output->now_ms + doc_as_int(doc_get(event, "ms"), 0);
    } else if (strcmp(type, "run.back") == 0) {
        output->until_ms = -1;
    } else if (strcmp(type, "run.end") == 0) {
        keep(&output->run_end, event);
    } else if (strcmp(type, "summary") == 0) {
        keep(&output->summary, event);
    } else if (strcmp(type, "change.would") == 0) {
        doc_push(output->woulds, doc_ref(event));
    }
}

/* Folds what concerns one activity, and returns that. */
static struct activity *note_activity(struct output *output, const char *type, const struct doc *event)
{
    const char *step = event_text(event, "step", NULL), *key = event_text(event, "key", NULL);
    struct activity *activity = find_activity(output, step, NULL);
    struct buf text;

    buf_init(&text, RENDER_TEXT_MAX);
    if (strcmp(type, "step.start") == 0 && step) {
        activity = start_activity(output, step, NULL);
    } else if (strcmp(type, "undo.start") == 0 && key) {
        activity = start_activity(output, NULL, key);
    } else if (strcmp(type, "undo.end") == 0 && key) {
        activity = find_activity(output, NULL, key);
    } else if (activity && strcmp(type, "change.intent") == 0) {
        set_doing(activity, key, -1);
    } else if (activity && strcmp(type, "change.same") == 0) {
        activity->same++;
    } else if (activity && strcmp(type, "change.end") == 0) {
        change_end_add(event, &text);
        doc_push(activity->changes, doc_text(buf_text(&text)));
        set_doing(activity, NULL, -1);
    } else if (activity && strcmp(type, "wait") == 0) {
        int64_t since_ms = doc_as_int(doc_get(event, "since_ms"), -1);

        if (since_ms < 0)
            since_ms = activity->since_ms < 0 ? output->now_ms : activity->since_ms;
        wait_add(event, &text);
        activity->news = !activity->doing || strcmp(activity->doing, buf_text(&text)) != 0;
        set_doing(activity, buf_text(&text), since_ms);
    }
    buf_free(&text);
    return activity;
}

static struct doc *redact(void *ctx, struct view text)
{
    const struct output *output = ctx;
    struct doc *clean = NULL;
    struct buf out;

    buf_init(&out, RENDER_TEXT_MAX);
    marks_redact(output->marks, text, &out);
    if (!view_equal(buf_view(&out), text))
        clean = doc_string(buf_view(&out));
    buf_free(&out);
    return clean;
}

static void output_event(void *ctx, enum event_weight weight, const struct doc *original)
{
    struct output *output = ctx;
    struct doc *event = output->marks ? doc_mapped(original, redact, output) : doc_ref(original);
    const char *type = doc_as_text(doc_get(event, "type"), "");
    const char *time = doc_as_text(doc_get(event, "time"), "");
    struct activity *activity;

    (void)weight;
    output->last_seq = doc_as_int(doc_get(event, "seq"), output->last_seq);
    if (*time && strlen(time) < sizeof(output->last_time)) {
        memcpy(output->last_time, time, strlen(time) + 1);
        output->now_ms = event_time_ms(time);
    }
    note_run(output, type, event);
    activity = note_activity(output, type, event);
    if (!output->finished)
        output->renderer->event(output, type, event, activity);
    if (activity && (strcmp(type, "step.end") == 0 || strcmp(type, "undo.end") == 0))
        activity_free(activity);
    doc_unref(event);
}

struct event_sink output_sink(struct output *output)
{
    return (struct event_sink){.event = output_event, .ctx = output};
}

void output_tick(struct output *output, int64_t now_ms)
{
    output->now_ms = now_ms;
    if (!output->finished)
        output->renderer->tick(output);
}

void output_clear(struct output *output)
{
    output->renderer->clear(output);
}

void output_finish(struct output *output, int exit_code)
{
    if (output->finished)
        return;
    output->renderer->finish(output, exit_code);
    output->finished = true;
}
