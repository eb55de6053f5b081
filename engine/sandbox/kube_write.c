/*
 * How a write goes through the simulated API server: decode, defaults, managedFields, admission,
 * what the server itself sets, validation, store. The order is that of the real one, since it
 * decides which of two errors is seen and who owns a field.
 */
#include "sandbox/kube_cluster.h"

#include "codec/json.h"
#include "codec/yaml.h"

#include <stdlib.h>
#include <string.h>

static const char modified[] =
    "the object has been modified; please apply your changes to the latest version and try again";

void write_init(struct write *write, struct cluster *cluster, struct resource *resource)
{
    *write = (struct write){.cluster = cluster,
                            .resource = resource,
                            .version = resource->versions[0],
                            .namespace = "",
                            .name = "",
                            .subresource = "",
                            .manager = "unknown",
                            .check = CHECK_WARN,
                            .code = 200};
    if (!resource->shape)
        resource->shape =
            shapes_named(cluster->shapes, doc_as_text(doc_get(resource->info, "schema"), "core"), resource->kind);
}

void write_clear(struct write *write)
{
    doc_unref(write->warnings);
    doc_unref(write->status);
    write->warnings = write->status = NULL;
}

bool write_fail(struct write *write, struct doc *take_status)
{
    doc_unref(write->status);
    write->status = take_status;
    return false;
}

void write_warn(struct write *write, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 4096);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    if (!write->warnings)
        write->warnings = doc_array();
    doc_push(write->warnings, doc_text(buf_text(&text)));
    buf_free(&text);
}

static const char *meta_text(const struct doc *object, const char *field)
{
    const char *text = doc_path_text(object, "metadata", field, NULL);

    return text ? text : "";
}

static struct doc *meta_of(struct doc *object)
{
    if (!doc_is(doc_get(object, "metadata"), DOC_OBJECT))
        doc_set(object, "metadata", doc_object());
    return doc_get(object, "metadata");
}

static void api_version(const struct resource *resource, const char *version, struct buf *out)
{
    buf_reset(out);
    if (*resource->group)
        buf_addf(out, "%s/", resource->group);
    buf_add_text(out, version);
}

struct doc *object_as(const struct resource *resource, const char *version, const struct doc *doc)
{
    if (!resource->custom || strcmp(version, resource->versions[0]) == 0)
        return doc_ref(doc);
    struct doc *out = doc_object();
    struct buf text;

    buf_init(&text, 1024);
    api_version(resource, version, &text);
    DOC_EACH(member, doc)
    doc_set(out, member.key, strcmp(member.key, "apiVersion") == 0 ? doc_text(buf_text(&text)) : doc_ref(member.value));
    buf_free(&text);
    return out;
}

/* apiVersion and kind: filled in when missing, refused when they are another's. */
static bool body_kind(struct write *write, struct doc *body)
{
    const char *version = doc_as_text(doc_get(body, "apiVersion"), ""), *kind = doc_as_text(doc_get(body, "kind"), "");
    const struct resource *resource = write->resource;
    struct buf want;
    bool fine = true;

    buf_init(&want, 1024);
    api_version(resource, write->version, &want);
    if ((*version && strcmp(version, buf_text(&want)) != 0) || (*kind && strcmp(kind, resource->kind) != 0)) {
        const char *slash = strrchr(version, '/'), *short_version = slash      ? slash + 1
                                                                    : *version ? version
                                                                               : write->version;

        fine = false;
        if (*kind && strcmp(kind, resource->kind) != 0 && !resource->custom)
            write_fail(
                write,
                status_new(
                    400, "BadRequest",
                    "%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to (%s.%s): unknown conversion",
                    kind, short_version, resource->kind, short_version, kind,
                    *resource->group ? resource->group : "core", resource->kind));
        else
            write_fail(write,
                       status_new(400, "BadRequest",
                                  "the API version in the data (%s) does not match the expected API version (%s)",
                                  version, buf_text(&want)));
    }
    doc_set_text(body, "apiVersion", buf_text(&want));
    doc_set_text(body, "kind", resource->kind);
    buf_free(&want);
    return fine;
}

static bool body_namespace(struct write *write, struct doc *body)
{
    const char *namespace = meta_text(body, "namespace");

    if (!write->resource->namespaced) {
        doc_remove(meta_of(body), "namespace");
        return true;
    }
    if (*namespace && strcmp(namespace, write->namespace) != 0)
        return write_fail(
            write, status_new(400, "BadRequest",
                              "the namespace of the provided object does not match the namespace sent on the request"));
    doc_set_text(meta_of(body), "namespace", write->namespace);
    return true;
}

/* Decoded, complete, owned: ready for write_finish. */
static bool body_prepare(struct write *write, struct doc *body)
{
    if (!doc_is(body, DOC_OBJECT))
        return write_fail(write, status_new(400, "BadRequest", "the object provided is unrecognized"));
    if (!body_kind(write, body))
        return false;
    meta_of(body);
    if (!decode_object(write, body))
        return false;
    decode_default(write, body);
    rules_default(write, body);
    return true;
}

static void name_generate(struct write *write, struct doc *object)
{
    static const char letters[] = "bcdfghjklmnpqrstvwxz2456789";
    const char *base = meta_text(object, "generateName");
    char hex[17], *purpose = mem_printf("kube/%s/name/%s/%s/%s/%llu", write->cluster->target, write->resource->kind,
                                        write->namespace, base, (unsigned long long)write->cluster->version);

    sim_hex(write->cluster->sim, purpose, hex, 16);
    hex[16] = '\0';
    free(purpose);
    unsigned long long number = strtoull(hex, NULL, 16);
    char *name = mem_printf("%.58sxxxxx", base);
    for (size_t len = strlen(name), i = 0; i < 5; i++, number /= sizeof(letters) - 1)
        name[len - 1 - i] = letters[number % (sizeof(letters) - 1)];
    doc_set_text(doc_get(object, "metadata"), "name", name);
    free(name);
}

struct doc *write_create(struct write *write, struct doc *body)
{
    write->code = 201;
    if (!body_prepare(write, body) || !body_namespace(write, body))
        goto failed;
    if (!*meta_text(body, "name") && *meta_text(body, "generateName"))
        name_generate(write, body);
    if (*write->name && strcmp(write->name, meta_text(body, "name")) != 0 && *meta_text(body, "name")) {
        write_fail(write,
                   status_new(400, "BadRequest", "the name of the object (%s) does not match the name on the URL (%s)",
                              meta_text(body, "name"), write->name));
        goto failed;
    }
    if (!write->cluster->booting)
        managed_update(write, NULL, body);
    return write_finish(write, NULL, body);
failed:
    doc_unref(body);
    return NULL;
}

/* Where the real server keeps them differs from the plural for a few kinds. */
static const char *registry_name(const struct resource *resource)
{
    if (strcmp(resource->plural, "services") == 0)
        return "services/specs";
    return strcmp(resource->plural, "ingresses") == 0 ? "ingress" : resource->plural;
}

static void uid_conflict(struct write *write, const char *wanted, const char *uid)
{
    const struct resource *resource = write->resource;
    char *why =
        mem_printf("StorageError: invalid object, Code: 4, Key: /registry/%s%s%s/%s%s%s, ResourceVersion: 0, "
                   "AdditionalErrorMsg: Precondition failed: UID in precondition: %s, UID in object meta: %s",
                   resource->custom ? resource->group : "", resource->custom ? "/" : "", registry_name(resource),
                   write->namespace, resource->namespaced ? "/" : "", write->name, wanted, uid);

    write_fail(write, status_conflict(resource, write->name, why));
    free(why);
}

static bool update_matches(struct write *write, const struct doc *old, const struct doc *object)
{
    const char *version = meta_text(object, "resourceVersion"), *uid = meta_text(object, "uid");
    const struct resource *resource = write->resource;

    if (*uid && strcmp(uid, meta_text(old, "uid")) != 0) {
        uid_conflict(write, uid, meta_text(old, "uid"));
        return false;
    }
    if (*version && strcmp(version, meta_text(old, "resourceVersion")) != 0)
        return write_fail(write, status_conflict(resource, write->name, modified));
    if (!*version && !write->apply &&
        (resource->custom || doc_as_bool(doc_get(resource->info, "conditional"), false))) {
        struct doc *causes = doc_array();

        cause_add(causes, "FieldValueInvalid", "metadata.resourceVersion",
                  "Invalid value: %s: must be specified for an update", resource->custom ? "0" : "\"\"");
        write_fail(write, status_invalid(resource, write->name, causes));
        doc_unref(causes);
        return false;
    }
    return true;
}

static bool name_fits(struct write *write, const struct doc *body)
{
    const char *name = meta_text(body, "name");

    if (!*name)
        return write_fail(
            write, status_new(400, "BadRequest",
                              "the name of the object (%s based on URL) was undeterminable: name must be provided",
                              write->name));
    if (strcmp(name, write->name) == 0)
        return true;
    return write_fail(write, status_new(400, "BadRequest",
                                        "the name of the object (%s) does not match the name on the URL (%s)", name,
                                        write->name));
}

/* `body` is what the object shall be, prepared and with the right name. Takes it. */
static struct doc *update_prepared(struct write *write, const struct doc *old, struct doc *body)
{
    if (!write->apply)
        managed_update(write, old, body);
    if (update_matches(write, old, body))
        return write_finish(write, old, body);
    doc_unref(body);
    return NULL;
}

static struct doc *update_with(struct write *write, const struct doc *old, struct doc *body)
{
    if (body_prepare(write, body) && body_namespace(write, body) && name_fits(write, body))
        return update_prepared(write, old, body);
    doc_unref(body);
    return NULL;
}

static struct doc *live_of(const struct write *write)
{
    const struct object *object = objects_find(write->resource, write->namespace, write->name);

    return object ? doc_ref(object->doc) : NULL;
}

struct doc *write_update(struct write *write, struct doc *body, bool may_create)
{
    struct doc *old = NULL, *out = NULL;

    if (!body_prepare(write, body) || !body_namespace(write, body) || !name_fits(write, body)) {
        doc_unref(body);
        return NULL;
    }
    old = live_of(write);
    if (old) {
        out = update_prepared(write, old, body);
    } else if (!may_create || !doc_as_bool(doc_get(write->resource->info, "put_creates"), false)) {
        doc_unref(body);
        write_fail(write, status_not_found(write->resource, write->name));
    } else if (*meta_text(body, "uid")) {
        uid_conflict(write, meta_text(body, "uid"), "");
        doc_unref(body);
    } else {
        write->code = 201;
        managed_update(write, NULL, body);
        out = write_finish(write, NULL, body);
    }
    doc_unref(old);
    return out;
}

static struct doc *apply_body(struct write *write, struct view text)
{
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse("patch", text, &err);
    struct doc *config = file && yaml_count(file) == 1 ? doc_ref(yaml_doc(file, 0)) : NULL;

    yaml_free(file);
    if (!doc_is(config, DOC_OBJECT)) {
        doc_unref(config);
        write_fail(write, status_new(400, "BadRequest", "error decoding YAML: %s", err.message));
        return NULL;
    }
    return config;
}

static bool apply_fits(struct write *write, const struct doc *config)
{
    const char *version = doc_as_text(doc_get(config, "apiVersion"), ""),
               *kind = doc_as_text(doc_get(config, "kind"), "");
    struct buf want;

    buf_init(&want, 1024);
    api_version(write->resource, write->version, &want);
    if (!*kind)
        write_fail(write, status_new(400, "BadRequest", "Object 'Kind' is missing in '%s'", "patch"));
    else if (strcmp(version, buf_text(&want)) != 0)
        write_fail(write, status_new(400, "BadRequest",
                                     "Incorrect version specified in apply patch. Specified patch version: %s, "
                                     "expected: %s",
                                     version, buf_text(&want)));
    else if (doc_path(config, "metadata", "managedFields", NULL))
        write_fail(write, status_new(400, "BadRequest", "metadata.managedFields must be nil"));
    buf_free(&want);
    return !write->status;
}

static struct doc *write_apply(struct write *write, struct view text)
{
    struct doc *config = apply_body(write, text), *old = live_of(write), *merged = NULL, *out = NULL;

    write->apply = true;
    if (!config || !apply_fits(write, config))
        goto end;
    if (*write->subresource && !old) {
        write_fail(write, status_not_found(write->resource, write->name));
        goto end;
    }
    merged = managed_apply(write, old, config);
    if (!merged)
        goto end;
    if (!*meta_text(merged, "name"))
        doc_set_text(meta_of(merged), "name", write->name);
    if (old) {
        out = update_with(write, old, doc_ref(merged));
    } else {
        write->code = 201;
        struct doc *body = doc_ref(merged);
        if (name_fits(write, body) && body_prepare(write, body) && body_namespace(write, body))
            out = write_finish(write, NULL, body);
        else
            doc_unref(body);
    }
end:
    doc_unref(merged);
    doc_unref(config);
    doc_unref(old);
    return out;
}

struct doc *write_patch(struct write *write, const char *type, struct view body)
{
    struct doc *old, *patched, *out;

    if (strcmp(type, "application/apply-patch+yaml") == 0)
        return write_apply(write, body);
    write->strategic = strcmp(type, "application/strategic-merge-patch+json") == 0;
    if (write->strategic && write->resource->custom) {
        write_fail(
            write,
            status_new(415, "UnsupportedMediaType",
                       "the body of the request was in an unknown format - accepted media types include: "
                       "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"));
        return NULL;
    }
    old = live_of(write);
    if (!old) {
        write_fail(write, status_not_found(write->resource, write->name));
        return NULL;
    }
    patched = patch_merge(write, old, type, body);
    write->patch = patched;
    out = patched ? update_with(write, old, patched) : NULL;
    write->patch = NULL;
    doc_unref(old);
    return out;
}
