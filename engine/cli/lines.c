/* The words for what happens: one event, one line, the same in tree and plain. */
#include "cli/render.h"

#include "base/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *event_text(const struct doc *event, const char *name, const char *other)
{
    const char *text = doc_as_text(doc_get(event, name), NULL);

    return text || !other ? text : doc_as_text(doc_get(event, other), NULL);
}

int64_t event_time_ms(const char *time)
{
    struct tm parts = {0};
    int read = 0, ms = 0;

    if (sscanf(time, "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &parts.tm_hour,
               &parts.tm_min, &parts.tm_sec, &read) != 6)
        return -1;
    if (time[read] == '.')
        sscanf(time + read, ".%3d", &ms);
    parts.tm_year -= 1900;
    parts.tm_mon--;
    return (int64_t)timegm(&parts) * 1000 + ms;
}

void time_add(struct buf *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[32];

    if (!gmtime_r(&seconds, &parts) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts))
        return;
    buf_add_text(out, text);
}

void escaped_add(const struct output *output, struct buf *out, const char *text)
{
    text_escape_add(out, view_of(text), output->options.utf8 ? TEXT_UTF8 : 0);
}

void styled_add(struct buf *out, bool color, enum style style, const char *text)
{
    static const char *const codes[] = {
        [STYLE_BOLD] = "1", [STYLE_GOOD] = "32", [STYLE_BAD] = "1;31", [STYLE_WARN] = "33", [STYLE_FAINT] = "2"};

    if (color && style != STYLE_NONE)
        buf_addf(out, "\x1b[%sm%s\x1b[0m", codes[style], text);
    else
        buf_add_text(out, text);
}

const char *sign_text(const struct output *output, enum sign sign)
{
    static const char *const plain[] = {" ", ">", "*", "x", "-", "!"};
    static const char *const pretty[] = {" ", "▸", "✓", "✗", "-", "!"};

    return output->options.utf8 ? pretty[sign] : plain[sign];
}

bool header_add(const struct output *output, struct buf *out)
{
    const struct doc *hello = output->hello, *args = doc_get(hello, "args");
    const char *mode = doc_as_text(doc_get(hello, "mode"), ""), *playbook = event_text(hello, "playbook", NULL);
    const char *target = event_text(hello, "target", NULL);

    if (!playbook && !output->run)
        return false;
    if (*mode && strcmp(mode, "run") != 0)
        buf_addf(out, "%s%s", mode, playbook ? " of " : "");
    if (playbook)
        escaped_add(output, out, playbook);
    for (size_t i = 0; playbook && i < doc_size(args); i++) {
        buf_add_char(out, ' ');
        escaped_add(output, out, doc_as_text(doc_at(args, i), ""));
    }
    if (target) {
        buf_add_text(out, " on ");
        escaped_add(output, out, target);
    }
    if (output->sandbox)
        buf_add_text(out, ", in the sandbox");
    if (output->run) {
        buf_add_text(out, out->len ? ", run " : "run ");
        escaped_add(output, out, output->run);
    }
    if (output->lock) {
        buf_add_text(out, ", lock: ");
        escaped_add(output, out, output->lock);
    }
    return true;
}

static void count_add(struct buf *out, int64_t count, const char *one, const char *many)
{
    buf_addf(out, "%" PRId64 " %s", count, count == 1 ? one : many);
}

enum sign step_end_add(const struct doc *event, const struct activity *activity, struct buf *out)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), "ok");
    int64_t changes = doc_as_int(doc_get(event, "changes"), activity ? (int64_t)doc_size(activity->changes) : 0);
    bool failed = strcmp(outcome, "fail") == 0;

    if (strcmp(outcome, "skipped") == 0 || strcmp(outcome, "stopped") == 0) {
        buf_add_text(out, outcome);
        if (changes) {
            buf_add_text(out, ", ");
            count_add(out, changes, "change", "changes");
        }
        return *outcome == 's' && outcome[1] == 'k' ? SIGN_SKIPPED : SIGN_STOPPED;
    }
    if (failed)
        buf_add_text(out, changes ? "failed after " : "failed");
    if (changes)
        count_add(out, changes, "change", "changes");
    else if (!failed)
        buf_add_text(out, strcmp(outcome, "same") == 0 || (activity && activity->same) ? "nothing to change" : "done");
    if (failed && activity && activity->doing)
        buf_addf(out, "; %s", activity->doing);
    return failed ? SIGN_FAIL : SIGN_OK;
}

enum sign undo_end_add(const struct doc *event, struct buf *out)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), ""), *key = event_text(event, "key", "resource");
    const char *detail = event_text(event, "detail", "reason");
    bool left = strcmp(outcome, "foreign") == 0 || strcmp(outcome, "left") == 0;
    bool failed = strcmp(outcome, "failed") == 0;

    key = key ? key : "a change";
    if (left)
        buf_addf(out, "left %s", key);
    else if (failed)
        buf_addf(out, "could not undo %s", key);
    else if (strcmp(outcome, "already") == 0 || strcmp(outcome, "skipped") == 0)
        buf_addf(out, "already as before: %s", key);
    else
        buf_addf(out, "undone %s", key);
    if (detail)
        buf_addf(out, ": %s", detail);
    return left || failed ? SIGN_FAIL : SIGN_OK;
}

bool change_end_add(const struct doc *event, struct buf *out)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), "ok"), *key = event_text(event, "key", "resource");

    if (strcmp(outcome, "same") == 0)
        return false;
    buf_add_text(out, key ? key : "a change");
    if (strcmp(outcome, "fail") == 0 || strcmp(outcome, "failed") == 0)
        buf_add_text(out, ": failed");
    else if (strcmp(outcome, "unknown") == 0)
        buf_add_text(out, ": not known whether it happened");
    return true;
}

void wait_add(const struct doc *event, struct buf *out)
{
    const char *object = event_text(event, "object", "resource"), *condition = event_text(event, "condition", NULL);
    const char *newest = event_text(event, "newest", "state");

    buf_add_text(out, object ? object : "");
    if (condition)
        buf_addf(out, "%s%s", out->len ? " " : "", condition);
    if (newest)
        buf_addf(out, "%s%s", out->len ? "; " : "", newest);
}

bool call_add(const char *type, const struct doc *event, struct buf *out)
{
    const char *subject = event_text(event, "subject", "summary"), *method = event_text(event, "method", NULL);
    const char *url = event_text(event, "url", NULL), *outcome = event_text(event, "outcome", NULL);
    int64_t attempt = doc_as_int(doc_get(event, "attempt"), doc_as_int(doc_get(event, "call"), 0));
    int64_t status = doc_as_int(doc_get(event, "status"), 0), ms = doc_as_int(doc_get(event, "ms"), -1);

    if (strncmp(type, "call.", 5) != 0)
        return false;
    buf_add_text(out, strcmp(type, "call.read") == 0 ? "read" : "call");
    if (attempt)
        buf_addf(out, " %" PRId64, attempt);
    buf_addf(out, "%s%s", subject ? ": " : "", subject ? subject : "");
    if (method && url)
        buf_addf(out, "%s %s %s", subject ? "," : ":", method, url);
    if (strcmp(type, "call.intent") != 0)
        buf_addf(out, ": %s", outcome ? outcome : "answered");
    if (status)
        buf_addf(out, " %" PRId64, status);
    if (ms >= 0) {
        buf_add_text(out, " in ");
        duration_add(out, ms);
    }
    return true;
}

bool note_add(const struct output *output, const char *type, const struct doc *event, struct buf *out)
{
    const char *level = doc_as_text(doc_get(event, "level"), "info");
    const char *key = event_text(event, "key", "resource"), *text;

    if (strcmp(type, "log") == 0) {
        if (strcmp(level, "debug") == 0 && output->options.verbose < 2)
            return false;
        if (strcmp(level, "info") != 0 && strcmp(level, "debug") != 0)
            buf_addf(out, "%s: ", level);
        text = event_text(event, "text", "message");
        buf_add_text(out, text ? text : "");
    } else if (strcmp(type, "resume") == 0) {
        text = event_text(event, "run", NULL);
        buf_addf(out, "goes on with run %s", text ? text : "");
    } else if (strcmp(type, "settle") == 0) {
        text = event_text(event, "until", NULL);
        if (text)
            buf_addf(out, "in doubt until %s: %s", text, key ? key : "a call");
        else
            buf_addf(out, "no longer in doubt: %s, %s", key ? key : "a call",
                     doc_as_text(doc_get(event, "outcome"), ""));
    } else if (strcmp(type, "lock") == 0 && output->headed && output->lock) {
        buf_addf(out, "lock: %s", output->lock);
    } else {
        return false;
    }
    return true;
}
