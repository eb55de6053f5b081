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

bool is_opening(const char *type, const struct doc *event)
{
    return strcmp(type, "hello") == 0 || strcmp(type, "run") == 0 ||
           (strcmp(type, "lock") == 0 && !doc_get(event, "owner"));
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

    if (strcmp(outcome, "again") == 0) {
        buf_add_text(out, "failed, tries again");
        return SIGN_SKIPPED;
    }
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
        buf_add_text(out, activity && activity->same ? "nothing to change" : "done");
    if (failed && activity && activity->doing)
        buf_addf(out, "; %s", activity->doing);
    return failed ? SIGN_FAIL : SIGN_OK;
}

/* "spec.replicas is now 3 (kubectl), ...": what others changed since and is left as it is. */
static void left_add(const struct doc *left, struct buf *out)
{
    for (size_t i = 0; i < doc_size(left); i++) {
        const struct doc *item = doc_at(left, i);
        const char *what = event_text(item, "what", "would"), *manager = event_text(item, "manager", NULL);
        const char *now = event_text(item, "now", NULL);

        buf_addf(out, "%s%s", i ? ", " : ": ", what ? what : "something");
        if (now)
            buf_addf(out, " is now %s", now);
        if (manager)
            buf_addf(out, " (%s)", manager);
    }
}

enum sign undo_end_add(const struct doc *event, struct buf *out)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), ""),
               *key = doc_as_text(doc_get(event, "key"), "a change");
    const char *why = doc_path_text(event, "error", "message", NULL);
    bool foreign = strcmp(outcome, "foreign") == 0, failed = strcmp(outcome, "failed") == 0;
    bool plan = doc_as_bool(doc_get(event, "plan"), false);

    if (foreign)
        buf_addf(out, plan ? "would leave %s" : "left %s", key);
    else if (failed)
        buf_addf(out, "could not undo %s", key);
    else if (strcmp(outcome, "already") == 0)
        buf_addf(out, "already as before: %s", key);
    else
        buf_addf(out, plan ? "would undo %s" : "undone %s", key);
    left_add(doc_get(event, "left"), out);
    if (why)
        buf_addf(out, ": %s", why);
    return foreign || failed ? SIGN_FAIL : SIGN_OK;
}

void change_end_add(const struct doc *event, struct buf *out)
{
    const char *outcome = doc_as_text(doc_get(event, "outcome"), "ok"), *key = doc_as_text(doc_get(event, "key"), NULL);

    buf_add_text(out, key ? key : "a change");
    if (strcmp(outcome, "fail") == 0)
        buf_add_text(out, ": failed");
    else if (strcmp(outcome, "unknown") == 0)
        buf_add_text(out, ": not known whether it happened");
}

void wait_add(const struct doc *event, struct buf *out)
{
    const char *object = event_text(event, "object", "subject"), *condition = event_text(event, "condition", NULL);
    const char *newest = event_text(event, "newest", "state");

    buf_add_text(out, object ? object : "");
    if (condition)
        buf_addf(out, "%s%s", out->len ? " " : "", condition);
    if (newest)
        buf_addf(out, "%s%s", out->len ? "; " : "", newest);
}

bool call_add(const char *type, const struct doc *event, struct buf *out)
{
    const char *subject = event_text(event, "subject", NULL), *method = event_text(event, "method", NULL);
    const char *url = event_text(event, "url", NULL), *trouble = doc_path_text(event, "error", "message", NULL);
    int64_t attempt = doc_as_int(doc_get(event, "attempt"), 0);
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
        buf_add_text(out, trouble ? ": failed" : ": answered");
    if (status)
        buf_addf(out, " %" PRId64, status);
    if (ms >= 0) {
        buf_add_text(out, " in ");
        duration_add(out, ms);
    }
    if (doc_as_bool(doc_get(event, "lost"), false))
        buf_add_text(out, ", not known whether it acted");
    if (trouble)
        buf_addf(out, ": %s", trouble);
    return true;
}

bool lock_add(const struct output *output, const struct doc *event, struct buf *out)
{
    const char *where = event_text(event, "where", NULL), *owner = event_text(event, "owner", NULL);
    int64_t since_ms = doc_as_int(doc_get(event, "since_ms"), -1);

    if (!where || (!owner && !output->headed))
        return false;
    buf_addf(out, "lock: %s", where);
    if (owner)
        buf_addf(out, ", held by %s", owner);
    if (owner && since_ms >= 0) {
        buf_add_text(out, " since ");
        time_add(out, since_ms);
    }
    return true;
}

bool note_add(const struct output *output, const char *type, const struct doc *event, struct buf *out)
{
    const char *level = doc_as_text(doc_get(event, "level"), "info");
    int64_t until_ms = doc_as_int(doc_get(event, "until_ms"), -1);

    if (strcmp(type, "log") == 0) {
        if (strcmp(level, "debug") == 0 && output->options.verbose < 2)
            return false;
        if (strcmp(level, "info") != 0 && strcmp(level, "debug") != 0)
            buf_addf(out, "%s: ", level);
        buf_add_text(out, doc_as_text(doc_get(event, "text"), ""));
    } else if (strcmp(type, "resume") == 0) {
        buf_addf(out, "goes on with run %s", doc_as_text(doc_get(event, "id"), ""));
    } else if (strcmp(type, "run.back") == 0) {
        buf_add_text(out, "undoing what this run changed");
    } else if (strcmp(type, "settle") == 0) {
        buf_addf(out, "in doubt: %s", doc_as_text(doc_get(event, "key"), "a call"));
        if (until_ms >= 0) {
            buf_add_text(out, ", until ");
            time_add(out, until_ms);
        }
    } else if (strcmp(type, "lock") == 0) {
        return lock_add(output, event, out);
    } else {
        return false;
    }
    return true;
}
