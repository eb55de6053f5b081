/*
 * Validation that the shapes and the metadata alone decide: names, labels, required fields, allowed
 * values. What a kind adds stands in lua/sandbox/rules.lua; custom objects in kube_openapi.c.
 */
#include "sandbox/kube_cluster.h"

#include "codec/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char subdomain_words[] = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                                      "characters, '-' or '.', and must start and end with "
                                      "an alphanumeric character (e.g. 'example.com', regex used for validation is "
                                      "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
static const char label_words[] = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or "
                                  "'-', and must start and end with an "
                                  "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                                  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
static const char label1035_words[] = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
                                      "start with an alphabetic character, and end with "
                                      "an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
                                      "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
static const char value_words[] =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an "
    "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
static const char key_words[] = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start "
                                "and end with an alphanumeric character "
                                "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                                "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

void cause_add(struct doc *causes, const char *reason, const char *field, const char *format, ...)
{
    struct doc *cause = doc_object();
    struct buf message;
    va_list args;

    buf_init(&message, 1 << 20);
    va_start(args, format);
    buf_vaddf(&message, format, args);
    va_end(args);
    doc_set_text(cause, "reason", reason);
    doc_set_text(cause, "message", buf_text(&message));
    doc_set_text(cause, "field", field);
    doc_push(causes, cause);
    buf_free(&message);
}

static bool label_part(const char *text, size_t len, bool letter_first)
{
    if (len == 0 || text[0] == '-' || text[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!islower((unsigned char)text[i]) && !isdigit((unsigned char)text[i]) && text[i] != '-')
            return false;
    return !letter_first || islower((unsigned char)text[0]);
}

static bool subdomain(const char *text)
{
    for (;;) {
        size_t len = strcspn(text, ".");

        if (!label_part(text, len, false))
            return false;
        if (!text[len])
            return true;
        text += len + 1;
    }
}

static bool qualified(const char *text, size_t len)
{
    if (len == 0 || !isalnum((unsigned char)text[0]) || !isalnum((unsigned char)text[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    return true;
}

static void name_validate(const struct resource *resource, const char *name, struct doc *causes)
{
    const char *kind = resource->kind, *words = subdomain_words;
    bool fine = subdomain(name);
    size_t max = 253;

    if (strcmp(resource->group, "rbac.authorization.k8s.io") == 0) {
        if (strchr(name, '/'))
            cause_add(causes, "FieldValueInvalid", "metadata.name", "Invalid value: \"%s\": may not contain '/'", name);
        return;
    }
    if (strcmp(kind, "Namespace") == 0) {
        fine = label_part(name, strlen(name), false);
        words = label_words;
        max = 63;
    } else if (strcmp(kind, "Service") == 0) {
        fine = label_part(name, strlen(name), true);
        words = label1035_words;
        max = 63;
    }
    if (!fine)
        cause_add(causes, "FieldValueInvalid", "metadata.name", "Invalid value: \"%s\": %s", name, words);
    if (strlen(name) > max)
        cause_add(causes, "FieldValueInvalid", "metadata.name", "Invalid value: \"%s\": must be no more than %zu bytes",
                  name, max);
}

static void key_validate(const char *key, const char *field, struct doc *causes)
{
    const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;

    if (slash) {
        char *prefix = mem_view((struct view){key, (size_t)(slash - key)});

        if (!subdomain(prefix))
            cause_add(causes, "FieldValueInvalid", field, "Invalid value: \"%s\": prefix part %s", key,
                      subdomain_words);
        free(prefix);
    }
    if (!qualified(name, strlen(name)))
        cause_add(causes, "FieldValueInvalid", field, "Invalid value: \"%s\": %s", key, key_words);
    if (strlen(name) > 63)
        cause_add(causes, "FieldValueInvalid", field, "Invalid value: \"%s\": name part must be no more than 63 bytes",
                  key);
}

static void labels_validate(const struct doc *labels, const char *field, bool values, struct doc *causes)
{
    const char **keys;
    size_t len = doc_keys_sorted(labels, &keys);

    for (size_t i = 0; i < len; i++) {
        const char *value = doc_as_text(doc_get(labels, keys[i]), "");

        key_validate(keys[i], field, causes);
        if (!values)
            continue;
        if (*value && !qualified(value, strlen(value)))
            cause_add(causes, "FieldValueInvalid", field, "Invalid value: \"%s\": %s", value, value_words);
        if (strlen(value) > 63)
            cause_add(causes, "FieldValueInvalid", field, "Invalid value: \"%s\": must be no more than 63 bytes",
                      value);
    }
    free(keys);
}

/* Built-in kinds take only qualified finalizers, or the two that the server itself knows. */
static void finalizers_validate(const struct resource *resource, const struct doc *finalizers, struct doc *causes)
{
    static const char *const lax[] = {"apiextensions.k8s.io", "coordination.k8s.io", "policy"};

    if (resource->custom)
        return;
    for (size_t i = 0; i < sizeof(lax) / sizeof(*lax); i++)
        if (strcmp(resource->group, lax[i]) == 0)
            return;
    for (size_t i = 0; i < doc_size(finalizers); i++) {
        const char *name = doc_as_text(doc_at(finalizers, i), "");
        char *field = mem_printf("metadata.finalizers[%zu]", i);

        if (!strchr(name, '/') && strcmp(name, "orphan") != 0 && strcmp(name, "foregroundDeletion") != 0 &&
            strcmp(name, "kubernetes") != 0)
            cause_add(causes, "FieldValueInvalid", field,
                      "Invalid value: \"%s\": name is neither a standard finalizer name nor is it fully qualified",
                      name);
        free(field);
    }
}

static void metadata_validate(const struct write *write, const struct doc *object, struct doc *causes)
{
    const char *name = doc_path_text(object, "metadata", "name", NULL);

    if (!name || !*name)
        cause_add(causes, "FieldValueRequired", "metadata.name", "Required value: name or generateName is required");
    else
        name_validate(write->resource, name, causes);
    labels_validate(doc_path(object, "metadata", "labels", NULL), "metadata.labels", true, causes);
    labels_validate(doc_path(object, "metadata", "annotations", NULL), "metadata.annotations", false, causes);
    finalizers_validate(write->resource, doc_path(object, "metadata", "finalizers", NULL), causes);
}

/* ---- fields ---- */

static bool value_empty(const struct doc *value)
{
    switch (doc_type(value)) {
    case DOC_NULL:
        return true;
    case DOC_STRING:
        return doc_as_view(value).len == 0;
    case DOC_INT:
        return doc_as_int(value, 0) == 0;
    case DOC_ARRAY:
        return doc_size(value) == 0;
    default:
        return false;
    }
}

static void choice_validate(const struct shape_field *field, const struct doc *value, const char *path,
                            struct doc *causes)
{
    struct buf names;
    bool found = false;

    buf_init(&names, 4096);
    for (size_t i = 0; i < doc_size(field->one_of); i++) {
        const char *name = doc_as_text(doc_at(field->one_of, i), "");

        found |= strcmp(name, doc_as_text(value, "")) == 0;
        buf_addf(&names, "%s\"%s\"", i ? ", " : "", name);
    }
    if (!found)
        cause_add(causes, "FieldValueNotSupported", path, "Unsupported value: \"%s\": supported values: %s",
                  doc_as_text(value, ""), buf_text(&names));
    buf_free(&names);
}

static void fields_validate(const struct shape *shape, const struct doc *value, struct buf *path, struct doc *causes);

static void items_validate(const struct shape *shape, const struct doc *value, struct buf *path, struct doc *causes)
{
    const struct shape *element = shape_ready(shape->element);
    size_t len = path->len;

    if (element->kind != SHAPE_STRUCT)
        return;
    for (size_t i = 0; doc_is(value, DOC_ARRAY) && i < doc_size(value); i++) {
        buf_addf(path, "[%zu]", i);
        fields_validate(element, doc_at(value, i), path, causes);
        path->len = len;
        path->ptr[len] = '\0';
    }
    for (struct doc_iter i = doc_iter_first(doc_is(value, DOC_OBJECT) ? value : NULL); i.at; doc_iter_next(value, &i)) {
        buf_addf(path, "[%s]", i.key);
        fields_validate(element, i.value, path, causes);
        path->len = len;
        path->ptr[len] = '\0';
    }
}

static void fields_validate(const struct shape *shape, const struct doc *value, struct buf *path, struct doc *causes)
{
    size_t len = path->len;

    if (shape->kind == SHAPE_LIST || shape->kind == SHAPE_MAP) {
        items_validate(shape, value, path, causes);
        return;
    }
    if (shape->kind != SHAPE_STRUCT || !doc_is(value, DOC_OBJECT))
        return;
    for (size_t i = 0; i < shape->fields_len; i++) {
        const struct shape_field *field = &shape->fields[i];
        const struct doc *child = doc_get(value, field->name);

        if ((!child && !field->required) || (strcmp(field->name, "status") == 0 && len == 0))
            continue;
        if (len)
            buf_add_char(path, '.');
        buf_add_text(path, field->name);
        if (field->required && value_empty(child))
            cause_add(causes, "FieldValueRequired", buf_text(path), "Required value");
        else if (field->one_of && child && !value_empty(child))
            choice_validate(field, child, buf_text(path), causes);
        if (child && (doc_is(child, DOC_OBJECT) || doc_is(child, DOC_ARRAY)))
            fields_validate(shape_ready(field->shape), child, path, causes);
        path->len = len;
        path->ptr[len] = '\0';
    }
}

void validate_object(struct write *write, const struct doc *object, const struct doc *old, struct doc *causes)
{
    const struct shape *shape = shape_ready(write->resource->shape);
    struct buf path;

    metadata_validate(write, object, causes);
    if (write->resource->custom) {
        openapi_validate(write, object, old, causes);
        return;
    }
    if (strcmp(write->subresource, "status") == 0)
        return;
    buf_init(&path, 1 << 16);
    buf_add_char(&path, ' ');
    buf_reset(&path);
    fields_validate(shape, object, &path, causes);
    buf_free(&path);
}
