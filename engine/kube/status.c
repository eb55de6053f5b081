/*
 * Kubernetes' Status objects, read into errors.
 * https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
 */
#include "kube/inside.h"
#include "codec/json.h"

#include <stdio.h>
#include <string.h>

static bool cause_is(const struct doc *status, const char *reason)
{
    const struct doc *causes = doc_path(status, "details", "causes", NULL);

    for (size_t i = 0; i < doc_size(causes); i++) {
        if (strcmp(doc_as_text(doc_get(doc_at(causes, i), "reason"), ""), reason) == 0)
            return true;
    }
    return false;
}

/* What the HTTP status alone does not tell. */
static void kind_refine(const struct doc *status, struct err *err)
{
    const char *message = doc_as_text(doc_get(status, "message"), "");

    if (strcmp(err->code, "Forbidden") == 0 && strstr(message, "exceeded quota"))
        err->kind = ERR_QUOTA;
    else if (cause_is(status, "NamespaceTerminating"))
        err->kind = ERR_CONFLICT;
    /* etcd lost its leader in the middle: a 500 that passes, and the write may have been done. */
    if (err->status == 500 && (strstr(message, "etcdserver: ") || strstr(message, "leader changed"))) {
        err->retryable = true;
        err->maybe_done = true;
    }
    if (cause_is(status, "FieldManagerConflict"))
        err_explain(err, "K101");
    else if (err->kind == ERR_QUOTA || strcmp(err->code, "Invalid") == 0 || strcmp(err->code, "BadRequest") == 0)
        err_explain(err, "K109");
    else if (err->kind == ERR_DENIED)
        err_explain(err, "K102");
}

/* The Status' own message says the causes already, as a rule; what it leaves out is added. */
static void message_add(struct buf *out, const struct doc *status, bool quoted)
{
    const char *message = doc_as_text(doc_get(status, "message"), "");
    const struct doc *causes = doc_path(status, "details", "causes", NULL);

    if (quoted)
        buf_add_text(out, message);
    else
        buf_addf(out, "%s of Secret \"%s\"", doc_as_text(doc_get(status, "reason"), "refused"),
                 doc_as_text(doc_path(status, "details", "name", NULL), ""));
    for (size_t i = 0; i < doc_size(causes); i++) {
        const char *field = doc_as_text(doc_get(doc_at(causes, i), "field"), "");
        const char *why = doc_as_text(doc_get(doc_at(causes, i), "message"), "");

        if (!quoted && field[0])
            buf_addf(out, "%s %s", i ? "," : ":", field);
        else if (quoted && why[0] && !strstr(message, why))
            buf_addf(out, "; %s%s%s", field, field[0] ? ": " : "", why);
    }
}

static void status_read(const struct http_answer *answer, struct err *err, bool quoted)
{
    struct err ignored = ERR_INIT;
    struct doc *status = json_parse(answer->body, &ignored);
    const char *reason = doc_path_text(status, "reason", NULL);
    int64_t after = doc_as_int(doc_path(status, "details", "retryAfterSeconds", NULL), 0);
    struct buf text;

    if (strcmp(doc_as_text(doc_get(status, "kind"), ""), "Status") == 0) {
        if (reason)
            snprintf(err->code, sizeof(err->code), "%s", reason);
        buf_init(&text, 2 * sizeof(err->message));
        message_add(&text, status, quoted);
        snprintf(err->message, sizeof(err->message), "%.*s", (int)text.len, buf_text(&text));
        buf_free(&text);
        if (after > 0 && after <= 3600 && after * 1000 > err->retry_after_ms)
            err->retry_after_ms = after * 1000;
        kind_refine(status, err);
    } else if (!quoted && answer->body.len) {
        snprintf(err->message, sizeof(err->message), "the server refused a request about a Secret (HTTP %d)",
                 answer->status);
    }
    doc_unref(status);
}

void kube_status_error(void *ctx, const struct http_answer *answer, struct err *err)
{
    (void)ctx;
    status_read(answer, err, true);
}

void kube_status_error_secret(void *ctx, const struct http_answer *answer, struct err *err)
{
    (void)ctx;
    status_read(answer, err, false);
}
