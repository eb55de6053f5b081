/* Status objects: what the API server answers when it says no. Source: API conventions, "Response Status Kind". */
#include "sandbox/kube_cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_TEXT_MAX = 1 << 20 };

struct doc *status_new(int code, const char *reason, const char *format, ...)
{
    struct doc *status = doc_object();
    struct buf message;
    va_list args;

    buf_init(&message, STATUS_TEXT_MAX);
    va_start(args, format);
    buf_vaddf(&message, format, args);
    va_end(args);
    doc_set_text(status, "kind", "Status");
    doc_set_text(status, "apiVersion", "v1");
    doc_set(status, "metadata", doc_object());
    doc_set_text(status, "status", code < 300 ? "Success" : "Failure");
    if (message.len)
        doc_set_text(status, "message", buf_text(&message));
    if (*reason)
        doc_set_text(status, "reason", reason);
    doc_set_int(status, "code", code);
    buf_free(&message);
    return status;
}

struct doc *status_details(struct doc *status)
{
    if (!doc_get(status, "details"))
        doc_set(status, "details", doc_object());
    return doc_get(status, "details");
}

void status_cause(struct doc *status, const char *reason, const char *field, const char *message)
{
    struct doc *details = status_details(status), *cause = doc_object();

    if (!doc_get(details, "causes"))
        doc_set(details, "causes", doc_array());
    doc_set_text(cause, "reason", reason);
    doc_set_text(cause, "message", message);
    doc_set_text(cause, "field", field);
    doc_push(doc_get(details, "causes"), cause);
}

struct doc *status_for(struct doc *take, const struct resource *resource, const char *name)
{
    struct doc *details = status_details(take);

    if (name && *name)
        doc_set_text(details, "name", name);
    if (*resource->group)
        doc_set_text(details, "group", resource->group);
    doc_set_text(details, "kind", resource->plural);
    return take;
}

void resource_name_add(struct buf *out, const struct resource *resource)
{
    buf_add_text(out, resource->plural);
    if (*resource->group)
        buf_addf(out, ".%s", resource->group);
}

void resource_kind_add(struct buf *out, const struct resource *resource)
{
    buf_add_text(out, resource->kind);
    if (*resource->group)
        buf_addf(out, ".%s", resource->group);
}

struct doc *status_not_found(const struct resource *resource, const char *name)
{
    struct buf what;

    buf_init(&what, STATUS_TEXT_MAX);
    resource_name_add(&what, resource);
    struct doc *status =
        status_for(status_new(404, "NotFound", "%s \"%s\" not found", buf_text(&what), name), resource, name);
    buf_free(&what);
    return status;
}

struct doc *status_conflict(const struct resource *resource, const char *name, const char *why)
{
    struct buf what;

    buf_init(&what, STATUS_TEXT_MAX);
    resource_name_add(&what, resource);
    struct doc *status = status_for(
        status_new(409, "Conflict", "Operation cannot be fulfilled on %s \"%s\": %s", buf_text(&what), name, why),
        resource, name);
    buf_free(&what);
    return status;
}

/* One cause stands alone in the message, several in brackets, each only once. */
static void causes_add(struct buf *out, const struct doc *causes)
{
    struct doc *seen = doc_object();
    struct buf text;

    buf_init(&text, STATUS_TEXT_MAX);
    for (size_t i = 0; i < doc_size(causes); i++) {
        const struct doc *cause = doc_at(causes, i);

        buf_reset(&text);
        buf_addf(&text, "%s: %s", doc_as_text(doc_get(cause, "field"), ""), doc_as_text(doc_get(cause, "message"), ""));
        if (doc_get(seen, buf_text(&text)))
            continue;
        if (doc_size(seen))
            buf_add_text(out, ", ");
        doc_set_bool(seen, buf_text(&text), true);
        buf_add_view(out, buf_view(&text));
    }
    if (doc_size(seen) > 1) {
        char *list = buf_take(out);

        buf_addf(out, "[%s]", list);
        free(list);
    }
    buf_free(&text);
    doc_unref(seen);
}

struct doc *status_invalid(const struct resource *resource, const char *name, const struct doc *causes)
{
    struct buf what, list;

    buf_init(&what, STATUS_TEXT_MAX);
    buf_init(&list, STATUS_TEXT_MAX);
    resource_kind_add(&what, resource);
    causes_add(&list, causes);
    struct doc *status = status_new(422, "Invalid", "%s \"%s\" is invalid: %s", buf_text(&what), name, buf_text(&list));
    struct doc *details = status_details(status);
    if (*name)
        doc_set_text(details, "name", name);
    if (*resource->group)
        doc_set_text(details, "group", resource->group);
    doc_set_text(details, "kind", resource->kind);
    doc_set(details, "causes", doc_ref(causes));
    buf_free(&what);
    buf_free(&list);
    return status;
}
