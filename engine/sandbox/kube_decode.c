/*
 * What the server's decoder does to a body: unknown fields are refused, warned of or dropped, types
 * are checked, empty values that the server leaves out go, quantities become canonical. Custom
 * objects are pruned by their schema instead; their types are a matter of validation.
 */
#include "sandbox/kube_cluster.h"
#include "sandbox/kube_quantity.h"

#include "base/digest.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

struct decode {
    struct write *write;
    const char *name;    /* that the body gives the object */
    struct doc *unknown; /* array of paths */
    struct buf path;     /* "spec.containers[0].name" */
    struct buf plain;    /* the same without indexes: how Go names a field */
    const char *owner;   /* struct that holds the field */
    bool failed;
};

static struct doc *decode_at(struct decode *decode, const struct shape *shape, const struct doc *value, bool pointer);

/* Bodies are a bad request; what a patch made of the object is an invalid value of the patch. */
static struct doc *refusal(const struct write *write, const char *name, const char *words)
{
    if (write->apply && !strstr(words, "strict decoding error"))
        return status_new(
            500, "",
            "failed to convert new object (/%s; %s/%s, Kind=%s) to proper version: unable to convert unstructured "
            "object to %s/%s, Kind=%s: error decoding from json: %s",
            name, write->resource->group, write->version, write->resource->kind, write->resource->group, write->version,
            write->resource->kind, words);
    if (!write->patch)
        return status_new(400, "BadRequest", "%s in version \"%s\" cannot be handled as a %s: %s",
                          write->resource->kind, write->version, write->resource->kind, words);
    struct buf text, value;
    buf_init(&text, 8 << 20);
    buf_init(&value, 8 << 20);
    json_add(&text, write->patch, JSON_COMPACT);
    struct doc *quoted = doc_text(buf_text(&text));
    json_add(&value, quoted, JSON_COMPACT);
    char *message = mem_printf("Invalid value: %s: %s", buf_text(&value), words);
    struct doc *status = status_new(422, "Invalid", " \"\" is invalid: patch: %s", message);
    status_cause(status, "FieldValueInvalid", "patch", message);
    free(message);
    doc_unref(quoted);
    buf_free(&text);
    buf_free(&value);
    return status;
}

static void decode_fail(struct decode *decode, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void decode_fail(struct decode *decode, const char *format, ...)
{
    struct buf text;
    va_list args;

    if (decode->failed)
        return;
    decode->failed = true;
    buf_init(&text, 1 << 16);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    write_fail(decode->write, refusal(decode->write, decode->name, buf_text(&text)));
    buf_free(&text);
}

/* The Go type of a field, as its JSON decoder names it. */
static void go_type_add(struct buf *out, const struct shape *shape, const char *field)
{
    static const char *const wide[] = {"terminationGracePeriodSeconds",
                                       "generation",
                                       "observedGeneration",
                                       "activeDeadlineSeconds",
                                       "runAsUser",
                                       "runAsGroup",
                                       "fsGroup",
                                       "expirationSeconds",
                                       "tolerationSeconds",
                                       "deletionGracePeriodSeconds",
                                       "startingDeadlineSeconds"};
    bool long_int = false;

    for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
        long_int |= strcmp(wide[i], field) == 0;
    switch (shape->kind) {
    case SHAPE_INT:
        buf_add_text(out, long_int ? "int64" : "int32");
        return;
    case SHAPE_REAL:
        buf_add_text(out, "float64");
        return;
    case SHAPE_BOOL:
        buf_add_text(out, "bool");
        return;
    case SHAPE_STRUCT:
        buf_addf(out, "v1.%s", shape->name ? shape->name : "Object");
        return;
    case SHAPE_LIST:
        buf_add_text(out, "[]");
        go_type_add(out, shape->element, "");
        return;
    case SHAPE_MAP:
        buf_add_text(out, "map[string]");
        go_type_add(out, shape->element, "");
        return;
    default:
        buf_add_text(out, "string");
    }
}

/* What a strategic patch made is converted, not decoded: the words of Go's converter. */
static void strategic_mismatch(struct decode *decode, const struct shape *shape, const struct doc *value)
{
    static const char *const go[] = {
        [DOC_NULL] = "nil",      [DOC_BOOL] = "bool",   [DOC_INT] = "int64", [DOC_REAL] = "float64",
        [DOC_STRING] = "string", [DOC_ARRAY] = "slice", [DOC_OBJECT] = "map"};
    const char *dot = strrchr(buf_text(&decode->plain), '.'), *from = go[doc_type(value)];
    struct buf type;

    buf_init(&type, 4096);
    go_type_add(&type, shape, dot ? dot + 1 : buf_text(&decode->plain));
    if (shape->kind == SHAPE_LIST)
        decode_fail(decode, "cannot restore slice from %s", from);
    else if (shape->kind == SHAPE_MAP)
        decode_fail(decode, "cannot restore map from %s", from);
    else if (shape->kind == SHAPE_STRUCT)
        decode_fail(decode, "cannot restore struct from: %s", from);
    else if ((shape->kind == SHAPE_TEXT && doc_is(value, DOC_INT)) ||
             (shape->kind == SHAPE_INT && doc_is(value, DOC_REAL)))
        decode_fail(decode, "cannot convert %s to %s", from, buf_text(&type));
    else
        decode_fail(decode, "unrecognized type: %s", buf_text(&type));
    buf_free(&type);
}

static struct doc *decode_mismatch(struct decode *decode, const struct shape *shape, const struct doc *value)
{
    static const char *const words[] = {
        [DOC_NULL] = "null",     [DOC_BOOL] = "bool",   [DOC_INT] = "number",   [DOC_REAL] = "number",
        [DOC_STRING] = "string", [DOC_ARRAY] = "array", [DOC_OBJECT] = "object"};
    const char *dot = strrchr(buf_text(&decode->plain), '.');
    struct buf type, number;

    if (decode->write->strategic) {
        strategic_mismatch(decode, shape, value);
        return doc_null();
    }
    buf_init(&type, 4096);
    buf_init(&number, 4096);
    go_type_add(&type, shape, dot ? dot + 1 : buf_text(&decode->plain));
    if (doc_is(value, DOC_REAL) && shape->kind == SHAPE_INT) {
        buf_add_char(&number, ' ');
        json_add(&number, value, JSON_COMPACT);
    }
    decode_fail(decode, "json: cannot unmarshal %s%s into Go struct field %s.%s of type %s", words[doc_type(value)],
                buf_text(&number), decode->owner, buf_text(&decode->plain), buf_text(&type));
    buf_free(&type);
    buf_free(&number);
    return doc_null();
}

static void path_add(struct buf *path, const char *name)
{
    if (path->len)
        buf_add_char(path, '.');
    buf_add_text(path, name);
}

static void path_back(struct buf *path, size_t len)
{
    path->len = len;
    path->ptr[len] = '\0';
}

/* Go leaves out "", 0, false, [], {} of fields that are no pointers. */
static bool left_out(const struct shape_field *field, const struct doc *value)
{
    if (!value || doc_is(value, DOC_NULL))
        return true;
    if (field->pointer)
        return false;
    switch (field->shape->kind) {
    case SHAPE_TEXT:
    case SHAPE_BYTES:
        return doc_as_view(value).len == 0;
    case SHAPE_INT:
        return doc_as_int(value, 0) == 0;
    case SHAPE_BOOL:
        return !doc_as_bool(value, false);
    case SHAPE_LIST:
    case SHAPE_MAP:
        return doc_size(value) == 0;
    default:
        return false;
    }
}

static void decode_field(struct decode *decode, const struct shape *shape, struct doc *out, struct doc_iter member)
{
    const struct shape_field *field = shape_field(shape, member.key);
    size_t path = decode->path.len, plain = decode->plain.len;
    const struct shape *below = shape_child(shape, member.key);

    path_add(&decode->path, member.key);
    path_add(&decode->plain, member.key);
    if (!below) {
        doc_push(decode->unknown, doc_text(buf_text(&decode->path)));
    } else {
        if (shape->name)
            decode->owner = shape->name;
        struct doc *value = decode_at(decode, below, member.value, !field || field->pointer);
        if (field && !shape->custom && !field->always && left_out(field, value))
            doc_unref(value);
        else
            doc_set(out, member.key, value);
    }
    path_back(&decode->path, path);
    path_back(&decode->plain, plain);
}

/* Fields that Go's encoder always writes. */
static void add_always(const struct shape *shape, struct doc *out)
{
    struct doc *empty = NULL;

    for (size_t i = 0; i < shape->fields_len; i++) {
        const struct shape_field *field = &shape->fields[i];
        struct doc *value = doc_get(out, field->name);

        if (!field->always || (value && !doc_is(value, DOC_NULL)))
            continue;
        if (!empty)
            empty = shape_empty(shape);
        doc_set(out, field->name, doc_ref(doc_get(empty, field->name)));
    }
    doc_unref(empty);
}

static struct doc *decode_struct(struct decode *decode, const struct shape *shape, const struct doc *value,
                                 bool pointer)
{
    if (doc_is(value, DOC_NULL))
        return pointer || shape->custom ? doc_null() : shape_empty(shape);
    if (!doc_is(value, DOC_OBJECT))
        return shape->custom ? doc_ref(value) : decode_mismatch(decode, shape, value);
    struct doc *out = doc_object();
    shape_ready(shape);
    DOC_EACH(member, value)
    decode_field(decode, shape, out, member);
    if (!shape->custom)
        add_always(shape, out);
    return out;
}

static struct doc *decode_list(struct decode *decode, const struct shape *shape, const struct doc *value)
{
    if (doc_is(value, DOC_NULL))
        return doc_null();
    if (!doc_is(value, DOC_ARRAY))
        return shape->custom ? doc_ref(value) : decode_mismatch(decode, shape, value);
    struct doc *out = doc_array();
    size_t path = decode->path.len;
    for (size_t i = 0; i < doc_size(value); i++) {
        buf_addf(&decode->path, "[%zu]", i);
        doc_push(out, decode_at(decode, shape_ready(shape->element), doc_at(value, i), false));
        path_back(&decode->path, path);
    }
    return out;
}

static struct doc *decode_map(struct decode *decode, const struct shape *shape, const struct doc *value)
{
    if (doc_is(value, DOC_NULL))
        return doc_null();
    if (!doc_is(value, DOC_OBJECT))
        return shape->custom ? doc_ref(value) : decode_mismatch(decode, shape, value);
    struct doc *out = doc_object();
    size_t path = decode->path.len;
    DOC_EACH(member, value)
    {
        path_add(&decode->path, member.key);
        const struct shape *element = shape_ready(shape->element);
        bool empty = !element->custom && doc_is(member.value, DOC_NULL) &&
                     (element->kind == SHAPE_TEXT || element->kind == SHAPE_BYTES);

        doc_set(out, member.key, empty ? doc_text("") : decode_at(decode, element, member.value, false));
        path_back(&decode->path, path);
    }
    return out;
}

static struct doc *decode_quantity(struct decode *decode, const struct doc *value)
{
    struct buf number, out;
    struct doc *canonical;

    buf_init(&number, 4096);
    buf_init(&out, 4096);
    if (!doc_is(value, DOC_STRING))
        json_add(&number, value, JSON_COMPACT);
    if (!quantity_canonical(&out, doc_is(value, DOC_STRING) ? doc_as_text(value, "") : buf_text(&number)))
        decode_fail(decode,
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    canonical = doc_text(buf_text(&out));
    buf_free(&number);
    buf_free(&out);
    return canonical;
}

static struct doc *decode_bytes(struct decode *decode, const struct doc *value)
{
    struct err err = ERR_INIT;
    struct buf bytes;
    struct view text = doc_as_view(value);

    buf_init(&bytes, 8 << 20);
    if (base64_parse(&bytes, text, &err) < 0) {
        size_t at = 0;

        while (at < text.len &&
               strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", text.ptr[at]))
            at++;
        decode_fail(decode, "illegal base64 data at input byte %zu", at);
    }
    buf_free(&bytes);
    return doc_ref(value);
}

static bool scalar_fits(const struct shape *shape, const struct doc *value)
{
    switch (shape->kind) {
    case SHAPE_TEXT:
    case SHAPE_TIME:
    case SHAPE_BYTES:
        return doc_is(value, DOC_STRING);
    case SHAPE_INT:
        return doc_is(value, DOC_INT);
    case SHAPE_REAL:
        return doc_is(value, DOC_INT) || doc_is(value, DOC_REAL);
    case SHAPE_BOOL:
        return doc_is(value, DOC_BOOL);
    case SHAPE_INT_OR_TEXT:
        return doc_is(value, DOC_INT) || doc_is(value, DOC_STRING);
    default:
        return true;
    }
}

static struct doc *decode_scalar(struct decode *decode, const struct shape *shape, const struct doc *value)
{
    if (shape->custom || shape->kind == SHAPE_ANY || doc_is(value, DOC_NULL))
        return doc_ref(value);
    if (shape->kind == SHAPE_QUANTITY)
        return decode_quantity(decode, value);
    if (!scalar_fits(shape, value))
        return decode_mismatch(decode, shape, value);
    return shape->kind == SHAPE_BYTES ? decode_bytes(decode, value) : doc_ref(value);
}

static struct doc *decode_at(struct decode *decode, const struct shape *shape, const struct doc *value, bool pointer)
{
    switch (shape->kind) {
    case SHAPE_STRUCT:
        return decode_struct(decode, shape, value, pointer);
    case SHAPE_MAP:
        return decode_map(decode, shape, value);
    case SHAPE_LIST:
        return decode_list(decode, shape, value);
    default:
        return decode_scalar(decode, shape, value);
    }
}

/* Unknown fields by the request's fieldValidation. */
static void unknown_report(struct write *write, const char *name, const struct doc *unknown)
{
    struct buf list;

    if (doc_size(unknown) == 0 || write->check == CHECK_IGNORE)
        return;
    buf_init(&list, 1 << 20);
    for (size_t i = 0; i < doc_size(unknown); i++) {
        const char *path = doc_as_text(doc_at(unknown, i), "");

        if (write->check == CHECK_WARN)
            write_warn(write, "unknown field \"%s\"", path);
        buf_addf(&list, "%sunknown field \"%s\"", i ? ", " : "", path);
    }
    if (write->check == CHECK_STRICT && !write->status) {
        char *words = mem_printf("strict decoding error: %s", buf_text(&list));

        write_fail(write, refusal(write, name, words));
        free(words);
    }
    buf_free(&list);
}

/* Changes object in place. */
bool decode_object(struct write *write, struct doc *object)
{
    struct decode decode = {.write = write, .unknown = doc_array(), .owner = write->resource->kind};
    const char *name = doc_path_text(object, "metadata", "name", NULL);

    decode.name = name ? name : "";
    buf_init(&decode.path, 1 << 16);
    buf_init(&decode.plain, 1 << 16);
    struct doc *out = decode_at(&decode, shape_ready(write->resource->shape), object, false);
    unknown_report(write, decode.name, decode.unknown);
    if (!decode.failed && !write->status) {
        doc_clear(object);
        DOC_EACH(member, out)
        doc_set(object, member.key, doc_ref(member.value));
    }
    buf_free(&decode.path);
    buf_free(&decode.plain);
    doc_unref(decode.unknown);
    doc_unref(out);
    return !write->status;
}

/* One field alone, for controllers: the value as the server would write it. New reference. */
struct doc *decode_field_value(struct write *write, const char *field, const struct doc *value)
{
    struct decode decode = {.write = write, .unknown = doc_array(), .owner = write->resource->kind};
    const struct shape *shape = shape_child(shape_ready(write->resource->shape), field);

    decode.name = write->name;
    buf_init(&decode.path, 1 << 16);
    buf_init(&decode.plain, 1 << 16);
    buf_add_text(&decode.path, field);
    buf_add_text(&decode.plain, field);
    struct doc *out = decode_at(&decode, shape ? shape : shapes_any(), value, false);
    unknown_report(write, decode.name, decode.unknown);
    buf_free(&decode.path);
    buf_free(&decode.plain);
    doc_unref(decode.unknown);
    return out;
}

/* ---- defaults ---- */

static bool default_missing(const struct shape_field *field, const struct doc *value)
{
    if (!value || doc_is(value, DOC_NULL))
        return true;
    return !field->pointer && field->shape->kind == SHAPE_TEXT && doc_as_view(value).len == 0;
}

static void default_at(const struct shape *shape, struct doc *value)
{
    shape_ready(shape);
    if (shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP) {
        const struct shape *element = shape_ready(shape->element);

        if (element->kind != SHAPE_STRUCT && element->kind != SHAPE_LIST && element->kind != SHAPE_MAP)
            return;
        for (size_t i = 0; doc_is(value, DOC_ARRAY) && i < doc_size(value); i++)
            default_at(element, doc_at(value, i));
        if (doc_is(value, DOC_OBJECT))
            DOC_EACH(member, value)
        default_at(element, member.value);
        return;
    }
    if (shape->kind != SHAPE_STRUCT || !doc_is(value, DOC_OBJECT))
        return;
    for (size_t i = 0; i < shape->fields_len; i++) {
        const struct shape_field *field = &shape->fields[i];
        struct doc *child = doc_get(value, field->name);

        if (field->fallback && default_missing(field, child)) {
            doc_set(value, field->name, doc_copy(field->fallback));
            child = doc_get(value, field->name);
        }
        if (child && (doc_is(child, DOC_OBJECT) || doc_is(child, DOC_ARRAY)))
            default_at(field->shape, child);
    }
}

void decode_default(const struct write *write, struct doc *object)
{
    default_at(shape_ready(write->resource->shape), object);
}
