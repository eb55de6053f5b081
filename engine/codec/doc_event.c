/* Events and errors as documents: the forms that the journal and jsonl output share. */
#include "codec/doc.h"
#include "base/event.h"

#include <stdio.h>
#include <time.h>

struct doc *event_new(const char *type)
{
    struct doc *event = doc_object();

    /* Set now so that every line begins alike; event_stamp fills them in. */
    doc_set_text(event, "type", type);
    doc_set_int(event, "seq", 0);
    doc_set(event, "time", doc_null());
    doc_set(event, "run", doc_null());
    doc_set(event, "step", doc_null());
    return event;
}

static void set_or_remove(struct doc *event, const char *key, const char *text)
{
    doc_set(event, key, text ? doc_text(text) : NULL);
}

void event_stamp(struct doc *event, uint64_t seq, int64_t time_ms, const char *run, const char *step)
{
    int64_t ms = ((time_ms % 1000) + 1000) % 1000;
    time_t seconds = (time_t)((time_ms - ms) / 1000);
    char text[64];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    doc_set_int(event, "seq", (int64_t)seq);
    doc_set_text(event, "time", text);
    set_or_remove(event, "run", run);
    set_or_remove(event, "step", step);
}

struct doc *doc_from_err(const struct err *err)
{
    struct doc *doc = doc_object();

    doc_set_text(doc, "kind", err_kind_name(err->kind));
    doc_set_text(doc, "message", err->message);
    if (err->code[0])
        doc_set_text(doc, "code", err->code);
    if (err->status)
        doc_set_int(doc, "status", err->status);
    if (err->request_id[0])
        doc_set_text(doc, "request_id", err->request_id);
    if (err->explain[0])
        doc_set_text(doc, "explain", err->explain);
    if (err->retryable)
        doc_set_bool(doc, "retryable", true);
    if (err->maybe_done)
        doc_set_bool(doc, "maybe_done", true);
    if (err->retry_after_ms >= 0)
        doc_set_int(doc, "retry_after_ms", err->retry_after_ms);
    return doc;
}

void doc_to_err(const struct doc *doc, struct err *err)
{
    err_set(err, err_kind_from_name(doc_path_text(doc, "kind", NULL)), "%s",
            doc_as_text(doc_get(doc, "message"), "an error without a message"));
    snprintf(err->code, sizeof(err->code), "%s", doc_as_text(doc_get(doc, "code"), ""));
    snprintf(err->request_id, sizeof(err->request_id), "%s", doc_as_text(doc_get(doc, "request_id"), ""));
    snprintf(err->explain, sizeof(err->explain), "%s", doc_as_text(doc_get(doc, "explain"), ""));
    err->status = (int)doc_as_int(doc_get(doc, "status"), 0);
    err->retryable = doc_as_bool(doc_get(doc, "retryable"), false);
    err->maybe_done = doc_as_bool(doc_get(doc, "maybe_done"), false);
    err->retry_after_ms = doc_as_int(doc_get(doc, "retry_after_ms"), -1);
}
