/*
 * What a server says when a fault makes it refuse: in the wording of a kube-apiserver (Status objects
 * of k8s.io/apimachinery, pkg/api/errors) for the simulated cluster, else as a plain JSON API would.
 */
#include "sandbox/core.h"
#include "codec/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct target {
    char group[128], namespace[64], resource[64], name[254];
};

struct refusal {
    int status;
    const char *reason;
    char *message; /* owned */
    int64_t retry_after_s;
};

/* The next part of a path, copied; false when there is none. */
static bool part_next(const char **path, char *out, size_t size)
{
    size_t len;

    while (**path == '/')
        (*path)++;
    len = strcspn(*path, "/");
    if (len == 0)
        return false;
    snprintf(out, size, "%.*s", (int)len, *path);
    *path += len;
    return true;
}

/* /api/v1/[namespaces/NS/]RESOURCE[/NAME], /apis/GROUP/VERSION/... */
static struct target target_of(const char *path)
{
    struct target target = {{0}, {0}, {0}, {0}};
    char part[254];
    const char *rest;

    if (!part_next(&path, part, sizeof(part)))
        return target;
    if (strcmp(part, "apis") == 0)
        part_next(&path, target.group, sizeof(target.group));
    part_next(&path, part, sizeof(part)); /* the version */
    rest = path;
    if (part_next(&rest, part, sizeof(part)) && strcmp(part, "namespaces") == 0 &&
        part_next(&rest, target.namespace, sizeof(target.namespace))) {
        const char *inside = rest;

        /* The namespace itself, when nothing follows. */
        if (part_next(&rest, part, sizeof(part)))
            path = inside;
        else
            target.namespace[0] = '\0';
    }
    part_next(&path, target.resource, sizeof(target.resource));
    part_next(&path, target.name, sizeof(target.name));
    return target;
}

static const char *verb_of(const struct sim_request *request, const struct target *target)
{
    static const char *const verbs[][2] = {
        {"POST", "create"}, {"PUT", "update"}, {"PATCH", "patch"}, {"DELETE", "delete"}};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(request->method, verbs[i][0]) == 0)
            return verbs[i][1];
    if (doc_get(request->query, "watch"))
        return "watch";
    return target->name[0] ? "get" : "list";
}

static char *forbidden_text(const struct sim_request *request, const struct target *target, const char *full)
{
    char *where = target->namespace[0] ? mem_printf(" in the namespace \"%s\"", target->namespace)
                                       : mem_text(" at the cluster scope");
    char *named = target->name[0] ? mem_printf(" \"%s\"", target->name) : mem_text("");
    char *text = mem_printf("%s%s is forbidden: User \"sandbox\" cannot %s resource \"%s\" in API group \"%s\"%s", full,
                            named, verb_of(request, target), target->resource, target->group, where);

    free(where);
    free(named);
    return text;
}

static struct refusal kube_refusal(const struct sim_request *request, const struct target *target, enum fault_kind kind)
{
    char *full = target->group[0] ? mem_printf("%s.%s", target->resource, target->group) : mem_text(target->resource);
    struct refusal refusal = {0};

    switch (kind) {
    case FAULT_EXPIRED:
        refusal = (struct refusal){401, "Unauthorized", mem_text("Unauthorized"), 0};
        break;
    case FAULT_FORBIDDEN:
        refusal = (struct refusal){403, "Forbidden", forbidden_text(request, target, full), 0};
        break;
    case FAULT_CONFLICT:
        refusal = (struct refusal){
            409, "Conflict",
            mem_printf("Operation cannot be fulfilled on %s \"%s\": the object has been modified; please apply your "
                       "changes to the latest version and try again",
                       full, target->name),
            0};
        break;
    case FAULT_QUOTA:
        refusal =
            (struct refusal){403, "Forbidden",
                             mem_printf("%s \"%s\" is forbidden: exceeded quota: compute, requested: cpu=1, used: "
                                        "cpu=8, limited: cpu=8",
                                        full, target->name),
                             0};
        break;
    case FAULT_THROTTLE:
    case FAULT_THROTTLE_AFTER:
        refusal = (struct refusal){429, "TooManyRequests", mem_text("Too many requests, please try again later."), 1};
        break;
    case FAULT_5XX_BEFORE:
        refusal = (struct refusal){503, "ServiceUnavailable",
                                   mem_text("the server is currently unable to handle the request"), 0};
        break;
    default:
        refusal = (struct refusal){500, "InternalError",
                                   mem_text("Internal error occurred: etcdserver: request timed out"), 0};
        break;
    }
    free(full);
    return refusal;
}

static struct refusal plain_refusal(enum fault_kind kind, bool variant)
{
    switch (kind) {
    case FAULT_EXPIRED:
        return (struct refusal){401, "ExpiredToken", mem_text("The token has expired"), 0};
    case FAULT_FORBIDDEN:
        return (struct refusal){403, "Forbidden", mem_text("You are not allowed to do this"), 0};
    case FAULT_CONFLICT:
        return variant ? (struct refusal){412, "PreconditionFailed", mem_text("The precondition does not hold"), 0}
                       : (struct refusal){409, "Conflict", mem_text("The resource was changed by somebody else"), 0};
    case FAULT_QUOTA:
        return (struct refusal){422, "LimitExceeded", mem_text("exceeded quota: no more of these are allowed"), 0};
    case FAULT_THROTTLE:
    case FAULT_THROTTLE_AFTER:
        return (struct refusal){429, "TooManyRequests", mem_text("Rate exceeded"), 1};
    case FAULT_5XX_BEFORE:
        return (struct refusal){503, "ServiceUnavailable", mem_text("The service is unavailable"), 0};
    default:
        return (struct refusal){500, "InternalError", mem_text("An internal error occurred"), 0};
    }
}

static struct doc *status_doc(const struct refusal *refusal, const struct target *target)
{
    struct doc *status = doc_object(), *details = doc_object();

    doc_set_text(status, "kind", "Status");
    doc_set_text(status, "apiVersion", "v1");
    doc_set(status, "metadata", doc_object());
    doc_set_text(status, "status", "Failure");
    doc_set_text(status, "message", refusal->message);
    doc_set_text(status, "reason", refusal->reason);
    doc_set_text(details, "name", target->name[0] ? target->name : NULL);
    doc_set_text(details, "group", target->group[0] ? target->group : NULL);
    doc_set_text(details, "kind", target->resource[0] ? target->resource : NULL);
    if (refusal->retry_after_s)
        doc_set_int(details, "retryAfterSeconds", refusal->retry_after_s);
    if (refusal->status != 401 && doc_size(details) > 0)
        doc_set(status, "details", doc_ref(details));
    doc_unref(details);
    doc_set_int(status, "code", refusal->status);
    return status;
}

static struct doc *plain_doc(const struct refusal *refusal)
{
    struct doc *doc = doc_object();

    doc_set_text(doc, "code", refusal->reason);
    doc_set_text(doc, "message", refusal->message);
    return doc;
}

void sim_answer_fault(struct sim *sim, struct sim_reply *reply, struct sim_server *server,
                      const struct sim_request *request, enum fault_kind kind, uint64_t attempt)
{
    if (server && server->refuse) {
        server->refuse(server, request, reply, sim_fault_name(kind));
        return;
    }
    bool kube = server && strcmp(server->name, "kube") == 0;
    struct target target = target_of(request->path);
    struct refusal refusal =
        kube ? kube_refusal(request, &target, kind) : plain_refusal(kind, sim_draw(sim, "refusal", attempt, 2) == 1);
    struct doc *doc = kube ? status_doc(&refusal, &target) : plain_doc(&refusal);
    struct header headers[2] = {{"Content-Type", "application/json"}};
    char seconds[24];
    struct buf body;

    snprintf(seconds, sizeof(seconds), "%" PRId64, refusal.retry_after_s);
    headers[1] = (struct header){"Retry-After", seconds};
    buf_init(&body, SIM_BODY_MAX);
    json_add(&body, doc, JSON_COMPACT);
    sim_reply_head(reply, refusal.status, headers, refusal.retry_after_s ? 2 : 1);
    sim_reply_body(reply, buf_view(&body));
    sim_reply_end(reply);
    buf_free(&body);
    doc_unref(doc);
    free(refusal.message);
}
