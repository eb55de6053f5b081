/*
 * Validation of custom objects by the OpenAPI schema of their definition: required, type, enum,
 * minimum, maximum, lengths, pattern, duplicates in sets and maps. Source: OpenAPI v3 validation as
 * described under "Specify a structural schema", Kubernetes documentation.
 */
#include "sandbox/kube_cluster.h"
#include "sandbox/kube_fields.h"

#include "codec/json.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct check {
    struct buf path;
    struct doc *causes;
};

static void check_at(struct check *check, const struct shape *shape, const struct doc *value);

static char *json_words(const struct doc *value)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    json_add(&out, value, JSON_COMPACT);
    return buf_take(&out);
}

static void cut(struct check *check, size_t len)
{
    check->path.len = len;
    check->path.ptr[len] = '\0';
}

static bool type_fits(const char *type, const struct doc *value)
{
    if (strcmp(type, "integer") == 0)
        return doc_is(value, DOC_INT);
    if (strcmp(type, "number") == 0)
        return doc_is(value, DOC_INT) || doc_is(value, DOC_REAL);
    return strcmp(type, doc_type_name(value)) == 0;
}

static bool check_type(struct check *check, const struct shape *shape, const struct doc *value)
{
    static const char *const go[] = {
        [DOC_NULL] = "null",     [DOC_BOOL] = "boolean", [DOC_INT] = "integer",  [DOC_REAL] = "number",
        [DOC_STRING] = "string", [DOC_ARRAY] = "array",  [DOC_OBJECT] = "object"};
    const char *type = doc_as_text(doc_get(shape->schema, "type"), NULL);

    if (shape->kind == SHAPE_INT_OR_TEXT || !type)
        return true;
    if (doc_is(value, DOC_NULL) && shape->nullable)
        return false;
    bool fits = doc_is(value, DOC_BOOL)     ? strcmp(type, "boolean") == 0
                : doc_is(value, DOC_OBJECT) ? strcmp(type, "object") == 0
                : doc_is(value, DOC_ARRAY)  ? strcmp(type, "array") == 0
                : doc_is(value, DOC_STRING) ? strcmp(type, "string") == 0
                                            : type_fits(type, value);
    if (!fits)
        cause_add(check->causes, "FieldValueTypeInvalid", buf_text(&check->path),
                  "Invalid value: \"%s\": %s in body must be of type %s: \"%s\"", go[doc_type(value)],
                  buf_text(&check->path), type, go[doc_type(value)]);
    return fits;
}

static void check_enum(struct check *check, const struct doc *schema, const struct doc *value)
{
    const struct doc *allowed = doc_get(schema, "enum");
    struct buf names;
    bool found = !allowed;

    buf_init(&names, 1 << 16);
    for (size_t i = 0; i < doc_size(allowed); i++) {
        found |= doc_equal(doc_at(allowed, i), value);
        buf_add_text(&names, i ? ", " : "");
        json_add(&names, doc_at(allowed, i), JSON_COMPACT);
    }
    if (!found) {
        char *words = json_words(value);

        cause_add(check->causes, "FieldValueNotSupported", buf_text(&check->path),
                  "Unsupported value: %s: supported values: %s", words, buf_text(&names));
        free(words);
    }
    buf_free(&names);
}

static void check_invalid(struct check *check, const char *shown, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void check_invalid(struct check *check, const char *shown, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 1 << 16);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    cause_add(check->causes, "FieldValueInvalid", buf_text(&check->path), "Invalid value: %s: %s in body %s", shown,
              buf_text(&check->path), buf_text(&text));
    buf_free(&text);
}

static void check_number(struct check *check, const struct doc *schema, const struct doc *value)
{
    char *shown = json_words(value), *bound;
    const struct doc *minimum = doc_get(schema, "minimum"), *maximum = doc_get(schema, "maximum");
    double number = doc_as_real(value, (double)doc_as_int(value, 0));

    if (minimum && number < doc_as_real(minimum, (double)doc_as_int(minimum, 0))) {
        bound = json_words(minimum);
        check_invalid(check, shown, "should be greater than or equal to %s", bound);
        free(bound);
    }
    if (maximum && number > doc_as_real(maximum, (double)doc_as_int(maximum, 0))) {
        bound = json_words(maximum);
        check_invalid(check, shown, "should be less than or equal to %s", bound);
        free(bound);
    }
    free(shown);
}

static void check_text(struct check *check, const struct doc *schema, const struct doc *value)
{
    char *shown = json_words(value);
    const struct doc *min = doc_get(schema, "minLength"), *max = doc_get(schema, "maxLength");
    const char *pattern = doc_as_text(doc_get(schema, "pattern"), NULL);
    int64_t len = 0;
    struct view text = doc_as_view(value);
    regex_t regex;

    for (size_t i = 0; i < text.len; i++)
        len += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    if (min && len < doc_as_int(min, 0))
        check_invalid(check, shown, "should be at least %lld chars long", (long long)doc_as_int(min, 0));
    if (max && len > doc_as_int(max, 0))
        cause_add(check->causes, "FieldValueTooLong", buf_text(&check->path),
                  "Too long: may not be more than %lld bytes", (long long)doc_as_int(max, 0));
    if (pattern && regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0) {
        if (regexec(&regex, doc_as_text(value, ""), 0, NULL, 0) != 0)
            check_invalid(check, shown, "should match '%s'", pattern);
        regfree(&regex);
    }
    free(shown);
}

static void check_list(struct check *check, const struct shape *shape, const struct doc *value)
{
    const struct doc *min = doc_get(shape->schema, "minItems"), *max = doc_get(shape->schema, "maxItems");
    struct doc *seen = doc_object();
    struct buf key;
    size_t len = check->path.len;

    buf_init(&key, 1 << 16);
    if (min && (int64_t)doc_size(value) < doc_as_int(min, 0)) {
        char *count = mem_printf("%zu", doc_size(value));

        check_invalid(check, count, "should have at least %lld items", (long long)doc_as_int(min, 0));
        free(count);
    }
    if (max && (int64_t)doc_size(value) > doc_as_int(max, 0))
        cause_add(check->causes, "FieldValueTooMany", buf_text(&check->path),
                  "Too many: %zu: must have at most %lld items", doc_size(value), (long long)doc_as_int(max, 0));
    for (size_t i = 0; i < doc_size(value); i++) {
        buf_addf(&check->path, "[%zu]", i);
        if (shape_granular_list(shape) && typed_item_key(shape, doc_at(value, i), &key)) {
            if (doc_get(seen, buf_text(&key)))
                cause_add(check->causes, "FieldValueDuplicate", buf_text(&check->path), "Duplicate value: %s",
                          buf_text(&key) + 2);
            doc_set_bool(seen, buf_text(&key), true);
        }
        check_at(check, shape_ready(shape->element), doc_at(value, i));
        cut(check, len);
    }
    buf_free(&key);
    doc_unref(seen);
}

static void check_object(struct check *check, const struct shape *shape, const struct doc *value)
{
    const struct doc *required = doc_get(shape->schema, "required");
    size_t len = check->path.len;

    for (size_t i = 0; i < doc_size(required); i++) {
        const char *name = doc_as_text(doc_at(required, i), "");

        if (doc_get(value, name))
            continue;
        buf_addf(&check->path, "%s%s", len ? "." : "", name);
        cause_add(check->causes, "FieldValueRequired", buf_text(&check->path), "Required value");
        cut(check, len);
    }
    DOC_EACH(member, value)
    {
        const struct shape *below = shape_child(shape, member.key);

        if (!below || !below->custom)
            continue;
        buf_addf(&check->path, "%s%s", len ? "." : "", member.key);
        check_at(check, below, member.value);
        cut(check, len);
    }
}

static void check_at(struct check *check, const struct shape *shape, const struct doc *value)
{
    if (!shape->schema || !check_type(check, shape, value))
        return;
    check_enum(check, shape->schema, value);
    if (doc_is(value, DOC_INT) || doc_is(value, DOC_REAL))
        check_number(check, shape->schema, value);
    else if (doc_is(value, DOC_STRING))
        check_text(check, shape->schema, value);
    else if (doc_is(value, DOC_ARRAY) && shape->kind == SHAPE_LIST)
        check_list(check, shape, value);
    else if (doc_is(value, DOC_OBJECT) && (shape->kind == SHAPE_STRUCT || shape->kind == SHAPE_MAP))
        check_object(check, shape, value);
}

void openapi_validate(struct write *write, const struct doc *object, const struct doc *old, struct doc *causes)
{
    struct check check = {.causes = causes};

    (void)old;
    buf_init(&check.path, 1 << 16);
    buf_add_char(&check.path, ' ');
    buf_reset(&check.path);
    check_at(&check, shape_ready(write->resource->shape), object);
    buf_free(&check.path);
}
