/* Requests: the path's parts, query options, the verb, the answer with its warnings. */
#include "sandbox/kube_cluster.h"

#include "codec/json.h"
#include "codec/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = 8, HEADERS_MAX = 32 };

struct request {
    struct cluster *cluster;
    const struct sim_request *http;
    struct sim_reply *reply;
    char *path;
    char *parts[PARTS_MAX]; /* of the path behind group and version */
    size_t parts_len;
    const char *group, *version, *namespace, *plural, *name, *subresource;
    struct resource *resource;
};

static const char *query(const struct sim_request *http, const char *name)
{
    return doc_as_text(doc_get(http->query, name), "");
}

static bool query_true(const struct sim_request *http, const char *name)
{
    const char *value = query(http, name);

    return strcmp(value, "true") == 0 || strcmp(value, "1") == 0;
}

void reply_doc(struct sim_reply *reply, int code, const struct doc *doc, const struct doc *warnings)
{
    struct header headers[HEADERS_MAX];
    char *texts[HEADERS_MAX];
    size_t len = 0, texts_len = 0;
    struct buf body;

    headers[len++] = (struct header){.name = "Content-Type", .value = "application/json"};
    headers[len++] = (struct header){.name = "Cache-Control", .value = "no-cache, private"};
    for (size_t i = 0; i < doc_size(warnings) && len < HEADERS_MAX; i++) {
        struct buf text;

        buf_init(&text, 1 << 16);
        buf_add_text(&text, "299 - \"");
        for (const char *c = doc_as_text(doc_at(warnings, i), ""); *c; c++) {
            if (*c == '"' || *c == '\\')
                buf_add_char(&text, '\\');
            buf_add_char(&text, *c == '\n' ? ' ' : *c);
        }
        buf_add_char(&text, '"');
        texts[texts_len] = buf_take(&text);
        headers[len++] = (struct header){.name = "Warning", .value = texts[texts_len++]};
    }
    buf_init(&body, 256 << 20);
    json_add(&body, doc, JSON_COMPACT);
    buf_add_char(&body, '\n');
    sim_reply_head(reply, code, headers, len);
    sim_reply_body(reply, buf_view(&body));
    sim_reply_end(reply);
    buf_free(&body);
    for (size_t i = 0; i < texts_len; i++)
        free(texts[i]);
}

static void reply_status(struct sim_reply *reply, struct doc *take_status, const struct doc *warnings)
{
    reply_doc(reply, (int)doc_as_int(doc_get(take_status, "code"), 200), take_status, warnings);
    doc_unref(take_status);
}

void reply_text(struct sim_reply *reply, int code, const char *text)
{
    const struct header header = {.name = "Content-Type", .value = "text/plain; charset=utf-8"};

    sim_reply_head(reply, code, &header, 1);
    sim_reply_body(reply, view_of(text));
    sim_reply_end(reply);
}

/* ---- the path ---- */

static void path_cut(struct request *request)
{
    size_t len = 0;
    char *all[PARTS_MAX + 3], *rest = request->path;

    for (char *part; len < PARTS_MAX + 3 && (part = strsep(&rest, "/"));)
        if (*part)
            all[len++] = part;
    size_t from = len && strcmp(all[0], "api") == 0 ? 2 : 3;
    request->group = from == 3 && len > 1 ? all[1] : "";
    request->version = len >= from ? all[from - 1] : "";
    for (size_t i = from; i < len && request->parts_len < PARTS_MAX; i++)
        request->parts[request->parts_len++] = all[i];
}

static void path_read(struct request *request)
{
    char **part = request->parts;
    size_t len = request->parts_len;

    request->namespace = request->plural = request->name = request->subresource = "";
    if (len > 2 && strcmp(part[0], "namespaces") == 0 && strcmp(part[2], "status") != 0 &&
        strcmp(part[2], "finalize") != 0) {
        request->namespace = part[1];
        part += 2;
        len -= 2;
    }
    if (len > 0)
        request->plural = part[0];
    if (len > 1)
        request->name = part[1];
    if (len > 2)
        request->subresource = part[2];
}

static bool subresource_known(const struct request *request)
{
    const struct resource *resource = request->resource;
    const char *sub = request->subresource;

    return !*sub || (strcmp(sub, "status") == 0 && resource->status) ||
           (strcmp(sub, "scale") == 0 && resource->scale) ||
           (strcmp(sub, "log") == 0 && strcmp(resource->kind, "Pod") == 0);
}

static bool group_served(struct cluster *cluster, const char *group, const char *version)
{
    for (size_t i = 0; i < cluster->resources_len; i++)
        if (strcmp(cluster->resources[i]->group, group) == 0 && resource_serves(cluster->resources[i], version))
            return true;
    return false;
}

static bool resource_find(struct request *request)
{
    request->resource = objects_resource(request->cluster, request->group, request->plural);
    if (request->resource && resource_serves(request->resource, request->version) && subresource_known(request) &&
        (request->resource->namespaced || !*request->namespace))
        return true;
    if (!group_served(request->cluster, request->group, request->version)) {
        reply_text(request->reply, 404, "404 page not found\n");
        return false;
    }
    struct doc *status = status_new(404, "NotFound", "the server could not find the requested resource");
    status_details(status);
    reply_status(request->reply, status, NULL);
    return false;
}

/* ---- options ---- */

static char *manager_of(const struct sim_request *http)
{
    const char *manager = query(http, "fieldManager"), *agent = sim_header(http, "User-Agent");

    if (*manager)
        return mem_text(manager);
    if (!agent)
        return mem_text("unknown");
    return mem_view((struct view){agent, strcspn(agent, "/ ")});
}

static struct doc *option_invalid(const char *kind, const char *field, const char *reason, const char *message)
{
    struct doc *status = status_new(422, "Invalid", "%s.meta.k8s.io \"\" is invalid: %s: %s", kind, field, message);

    doc_set_text(status_details(status), "group", "meta.k8s.io");
    doc_set_text(status_details(status), "kind", kind);
    status_cause(status, reason, field, message);
    return status;
}

static bool options_read(struct request *request, struct write *write, const char *patch_type)
{
    const struct sim_request *http = request->http;
    const char *dry_run = query(http, "dryRun"), *check = query(http, "fieldValidation");
    const char *kind = patch_type                         ? "PatchOptions"
                       : strcmp(http->method, "PUT") == 0 ? "UpdateOptions"
                                                          : "CreateOptions";
    bool apply = patch_type && strcmp(patch_type, "application/apply-patch+yaml") == 0;

    write->version = request->version;
    write->namespace = request->namespace;
    write->name = request->name;
    write->subresource = request->subresource;
    write->dry_run = strcmp(dry_run, "All") == 0;
    write->force = query_true(http, "force");
    write->check = strcmp(check, "Strict") == 0   ? CHECK_STRICT
                   : strcmp(check, "Ignore") == 0 ? CHECK_IGNORE
                                                  : CHECK_WARN;
    if (*dry_run && !write->dry_run) {
        char *message = mem_printf("Unsupported value: \"%s\": supported values: \"All\"", dry_run);

        write_fail(write, option_invalid(kind, "dryRun", "FieldValueNotSupported", message));
        free(message);
    } else if (*check && strcmp(check, "Strict") != 0 && strcmp(check, "Ignore") != 0 && strcmp(check, "Warn") != 0) {
        char *message =
            mem_printf("Unsupported value: \"%s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"", check);

        write_fail(write, option_invalid(kind, "fieldValidation", "FieldValueNotSupported", message));
        free(message);
    } else if (apply && !*query(http, "fieldManager")) {
        write_fail(write, option_invalid(kind, "fieldManager", "FieldValueRequired",
                                         "Required value: is required for apply patch"));
    } else if (patch_type && !apply && *query(http, "force")) {
        write_fail(write, option_invalid(kind, "force", "FieldValueForbidden",
                                         "Forbidden: may not be specified for non-apply patch"));
    }
    return !write->status;
}

/* ---- verbs ---- */

static void answer_write(struct request *request, struct write *write, struct doc *take_object)
{
    if (!take_object) {
        reply_status(request->reply, doc_ref(write->status), write->warnings);
        return;
    }
    struct doc *shown = object_as(request->resource, request->version, take_object);
    reply_doc(request->reply, write->code, shown, write->warnings);
    doc_unref(shown);
    doc_unref(take_object);
}

static struct doc *body_read(struct request *request, struct write *write)
{
    struct err err = ERR_INIT;
    const char *type = sim_header(request->http, "Content-Type");
    struct doc *body = NULL;

    if (type && strstr(type, "yaml")) {
        struct yaml_file *file = yaml_parse("body", request->http->body, &err);

        body = file && yaml_count(file) == 1 ? doc_copy(yaml_doc(file, 0)) : NULL;
        yaml_free(file);
    } else {
        body = json_parse(request->http->body, &err);
    }
    if (!body)
        write_fail(
            write,
            status_new(400, "BadRequest",
                       "the object provided is unrecognized (must be of type %s): couldn't get version/kind; json "
                       "parse error: %s",
                       request->resource->kind, err.message));
    return body;
}

static void handle_get(struct request *request)
{
    struct object *object = objects_find(request->resource, request->namespace, request->name);
    const struct doc *seen =
        fault_read(request->cluster, request->resource, object, request->namespace, request->name, false);
    struct doc *shown;

    if (!seen) {
        reply_status(request->reply, status_not_found(request->resource, request->name), NULL);
        return;
    }
    if (strcmp(request->subresource, "scale") == 0)
        shown = scale_of(request->resource, seen);
    else
        shown = object_as(request->resource, request->version, seen);
    reply_doc(request->reply, 200, shown, NULL);
    doc_unref(shown);
}

static void handle_log(struct request *request)
{
    struct object *object = objects_find(request->resource, request->namespace, request->name);
    struct doc *status = NULL;
    char *text = object ? controllers_pod_log(request->cluster, object->doc, query(request->http, "container"),
                                              query_true(request->http, "previous"), &status)
                        : NULL;

    if (!object)
        status = status_not_found(request->resource, request->name);
    if (status)
        reply_status(request->reply, status, NULL);
    else
        reply_text(request->reply, 200, text);
    free(text);
}

static void handle_create(struct request *request, struct write *write)
{
    struct doc *body = NULL, *out = NULL;

    if (request->resource->namespaced && !*request->namespace) {
        struct doc *status =
            status_new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");

        status_details(status);
        write_fail(write, status);
    } else if (fault_refuses(request->cluster, request->resource, request->namespace, NULL)) {
        write_fail(write, status_new(500, "InternalError",
                                     "Internal error occurred: a dependency of this resource is not ready yet"));
    } else if (options_read(request, write, NULL)) {
        body = body_read(request, write);
    }
    if (body)
        out = write_create(write, body);
    answer_write(request, write, out);
}

static void handle_update(struct request *request, struct write *write)
{
    struct doc *body = NULL, *out = NULL;

    if (options_read(request, write, NULL))
        body = body_read(request, write);
    if (body && strcmp(request->subresource, "scale") == 0) {
        out = scale_write(write, body);
        doc_unref(body);
        if (out)
            reply_doc(request->reply, 200, out, write->warnings);
        else
            answer_write(request, write, NULL);
        doc_unref(out);
        return;
    }
    if (body)
        out = write_update(write, body, !*request->subresource);
    answer_write(request, write, out);
}

/* A patch of scale works on the Scale as a plain document. */
static void handle_scale_patch(struct request *request, struct write *write)
{
    struct object *object = objects_find(request->resource, request->namespace, request->name);
    struct err err = ERR_INIT;
    struct doc *patch = json_parse(request->http->body, &err), *out = NULL;

    if (!object) {
        write_fail(write, status_not_found(request->resource, request->name));
    } else if (!doc_is(patch, DOC_OBJECT)) {
        write_fail(write, status_new(400, "BadRequest", "error decoding patch: %s", err.message));
    } else {
        struct doc *scale = scale_of(request->resource, object->doc);

        doc_remove(doc_get(scale, "metadata"), "resourceVersion");
        doc_merge_patch(scale, patch);
        out = scale_write(write, scale);
        doc_unref(scale);
    }
    if (out)
        reply_doc(request->reply, 200, out, write->warnings);
    else
        answer_write(request, write, NULL);
    doc_unref(out);
    doc_unref(patch);
}

static void handle_patch(struct request *request, struct write *write)
{
    static const char *const types[] = {"application/apply-patch+yaml", "application/json-patch+json",
                                        "application/merge-patch+json", "application/strategic-merge-patch+json"};
    const char *given = sim_header(request->http, "Content-Type"), *type = NULL;
    struct doc *out = NULL;

    for (size_t i = 0; given && i < sizeof(types) / sizeof(*types); i++)
        if (strncmp(given, types[i], strlen(types[i])) == 0)
            type = types[i];
    if (!type) {
        struct doc *status = status_new(415, "UnsupportedMediaType", "415: Unsupported Media Type");

        status_details(status);
        write_fail(write, status);
    } else if (fault_refuses(request->cluster, request->resource, request->namespace, request->name)) {
        write_fail(write, status_new(500, "InternalError",
                                     "Internal error occurred: a dependency of this resource is not ready yet"));
    } else if (options_read(request, write, type)) {
        if (strcmp(request->subresource, "scale") == 0) {
            handle_scale_patch(request, write);
            return;
        }
        out = write_patch(write, type, request->http->body);
    }
    answer_write(request, write, out);
}

static struct doc *delete_options(struct request *request, struct write *write)
{
    struct err err = ERR_INIT;
    struct doc *options = request->http->body.len ? json_parse(request->http->body, &err) : doc_object();
    const char *grace = query(request->http, "gracePeriodSeconds");

    if (!options) {
        write_fail(write, status_new(400, "BadRequest", "%s", err.message));
        return NULL;
    }
    if (request->http->body.len) { /* the query does not count beside a body */
        write->dry_run = doc_size(doc_get(options, "dryRun")) > 0;
        return options;
    }
    if (*query(request->http, "propagationPolicy"))
        doc_set_text(options, "propagationPolicy", query(request->http, "propagationPolicy"));
    if (*grace)
        doc_set_int(options, "gracePeriodSeconds", strtoll(grace, NULL, 10));
    return options;
}

static void handle_delete(struct request *request, struct write *write)
{
    struct doc *options = NULL, *out = NULL;

    if (options_read(request, write, NULL))
        options = delete_options(request, write);
    if (options && *request->name)
        out = write_delete(write, options);
    else if (options)
        out = list_delete(write, request->http, options);
    answer_write(request, write, out);
    doc_unref(options);
}

static void dispatch(struct request *request)
{
    const char *method = request->http->method;
    struct write write;
    char *manager = manager_of(request->http);

    write_init(&write, request->cluster, request->resource);
    write.manager = manager;
    if (strcmp(method, "GET") == 0 && strcmp(request->resource->group, "metrics.k8s.io") == 0)
        metrics_answer(request->cluster, request->resource, request->namespace, request->name, request->reply);
    else if (strcmp(method, "GET") == 0 && strcmp(request->subresource, "log") == 0)
        handle_log(request);
    else if (strcmp(method, "GET") == 0 && *request->name && !query_true(request->http, "watch"))
        handle_get(request);
    else if (strcmp(method, "GET") == 0 && query_true(request->http, "watch"))
        watch_start(request->cluster, request->resource, request->version, request->namespace, request->http,
                    request->reply);
    else if (strcmp(method, "GET") == 0)
        list_answer(request->cluster, request->resource, request->version, request->namespace, request->http,
                    request->reply);
    else if (strcmp(method, "POST") == 0 && !*request->name)
        handle_create(request, &write);
    else if (strcmp(method, "PUT") == 0 && *request->name)
        handle_update(request, &write);
    else if (strcmp(method, "PATCH") == 0 && *request->name)
        handle_patch(request, &write);
    else if (strcmp(method, "DELETE") == 0)
        handle_delete(request, &write);
    else {
        struct doc *status =
            status_new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");

        status_details(status);
        reply_status(request->reply, status, NULL);
    }
    write_clear(&write);
    free(manager);
}

bool request_target(struct cluster *cluster, const struct sim_request *http, struct target *target)
{
    struct request request = {.cluster = cluster, .http = http, .path = mem_text(http->path)};
    struct err err = ERR_INIT;

    *target = (struct target){0};
    path_cut(&request);
    path_read(&request);
    target->resource = objects_resource(cluster, request.group, request.plural);
    target->namespace = mem_text(request.namespace);
    target->name = mem_text(request.name);
    if (target->resource && !*request.name && strcmp(http->method, "POST") == 0) {
        struct doc *body = json_parse(http->body, &err);
        const char *name = doc_path_text(body, "metadata", "name", NULL);

        free(target->name);
        target->name = mem_text(name ? name : "");
        doc_unref(body);
    }
    free(request.path);
    return target->resource != NULL;
}

void target_clear(struct target *target)
{
    free(target->namespace);
    free(target->name);
}

void request_handle(struct cluster *cluster, const struct sim_request *http, struct sim_reply *reply)
{
    struct request request = {.cluster = cluster, .http = http, .reply = reply};

    if (discovery_handle(cluster, http, reply) || review_answer(http, reply))
        return;
    request.path = mem_text(http->path);
    path_cut(&request);
    path_read(&request);
    if (resource_find(&request))
        dispatch(&request);
    free(request.path);
}
