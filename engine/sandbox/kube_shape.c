/* Shapes of fields, read from the notation of lua/sandbox/schema_meta.lua or from OpenAPI. */
#include "sandbox/kube_shape.h"

#include "sandbox/kube_cluster.h"

#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 256 };

struct shape_link {
    struct shape shape;
    struct shape_link *next; /* all shapes, for their end */
    struct shape_link *same; /* bucket */
    struct shapes *shapes;
    char *text;     /* the type's notation, cut in place */
    char *own_name; /* of a named struct */
    const char *file;
};

struct shapes {
    lua_State *lua;
    struct shape_link *all;
    struct shape_link *buckets[BUCKETS];
    struct doc *kept; /* documents that shapes borrow from */
};

static const struct shape scalars[] = {
    [SHAPE_ANY] = {.kind = SHAPE_ANY, .name = "any", .loaded = true, .open = true},
    [SHAPE_TEXT] = {.kind = SHAPE_TEXT, .name = "str", .loaded = true},
    [SHAPE_INT] = {.kind = SHAPE_INT, .name = "int", .loaded = true},
    [SHAPE_REAL] = {.kind = SHAPE_REAL, .name = "real", .loaded = true},
    [SHAPE_BOOL] = {.kind = SHAPE_BOOL, .name = "bool", .loaded = true},
    [SHAPE_INT_OR_TEXT] = {.kind = SHAPE_INT_OR_TEXT, .name = "intstr", .loaded = true},
    [SHAPE_TIME] = {.kind = SHAPE_TIME, .name = "time", .loaded = true},
    [SHAPE_QUANTITY] = {.kind = SHAPE_QUANTITY, .name = "quantity", .loaded = true},
    [SHAPE_BYTES] = {.kind = SHAPE_BYTES, .name = "bytes", .loaded = true},
};

const struct shape *shapes_any(void)
{
    return &scalars[SHAPE_ANY];
}

struct shapes *shapes_new(struct lua_State *lua)
{
    struct shapes *shapes = mem_alloc(sizeof(*shapes));

    shapes->lua = lua;
    shapes->kept = doc_array();
    return shapes;
}

void shapes_free(struct shapes *shapes)
{
    if (!shapes)
        return;
    while (shapes->all) {
        struct shape_link *link = shapes->all;

        shapes->all = link->next;
        for (size_t i = 0; i < link->shape.fields_len; i++) {
            doc_unref(link->shape.fields[i].fallback);
            doc_unref(link->shape.fields[i].one_of);
        }
        free(link->shape.fields);
        free(link->text);
        free(link->own_name);
        free(link);
    }
    doc_unref(shapes->kept);
    free(shapes);
}

static struct shape *shape_make(struct shapes *shapes, enum shape_kind kind)
{
    struct shape_link *link = mem_alloc(sizeof(*link));

    link->shape.kind = kind;
    link->shape.loaded = true;
    link->shapes = shapes;
    link->next = shapes->all;
    shapes->all = link;
    return &link->shape;
}

static struct shape_link *link_of(const struct shape *shape)
{
    return (struct shape_link *)(void *)(uintptr_t)shape;
}

static struct shape *scalar_shape(enum shape_kind kind)
{
    return (struct shape *)(uintptr_t)&scalars[kind];
}

/* ---- the notation ---- */

static size_t bucket_of(const char *name)
{
    size_t hash = 5381;

    while (*name)
        hash = hash * 33 + (unsigned char)*name++;
    return hash % BUCKETS;
}

struct shape *shapes_named(struct shapes *shapes, const char *file, const char *name)
{
    struct shape_link **bucket = &shapes->buckets[bucket_of(name)];

    for (struct shape_link *link = *bucket; link; link = link->same)
        if (strcmp(link->own_name, name) == 0)
            return &link->shape;
    struct shape_link *link = link_of(shape_make(shapes, SHAPE_STRUCT));
    link->shape.loaded = false;
    link->own_name = mem_text(name);
    link->shape.name = link->own_name;
    link->file = file;
    link->same = *bucket;
    *bucket = link;
    return &link->shape;
}

/* text: "[name]Container", "*int", "{}str"; cut in place. */
static struct shape *type_parse(struct shapes *shapes, const char *file, char *text)
{
    if (*text == '[') {
        struct shape *list = shape_make(shapes, SHAPE_LIST);
        char *end = strchr(text, ']');

        *end = '\0';
        list->set = strcmp(text + 1, "set") == 0;
        list->atomic = text[1] == '\0';
        for (char *key = list->set || list->atomic ? NULL : text + 1; key;) {
            char *comma = strchr(key, ',');

            if (comma)
                *comma = '\0';
            list->keys[list->keys_len++] = key;
            key = comma ? comma + 1 : NULL;
        }
        list->element = type_parse(shapes, file, end + 1);
        return list;
    }
    if (*text == '{') {
        struct shape *map = shape_make(shapes, SHAPE_MAP);

        map->atomic = text[1] == '=';
        map->element = type_parse(shapes, file, strchr(text, '}') + 1);
        return map;
    }
    for (size_t i = 0; i < sizeof(scalars) / sizeof(*scalars); i++)
        if (strcmp(scalars[i].name, text) == 0)
            return scalar_shape((enum shape_kind)i);
    return shapes_named(shapes, file, text);
}

static struct doc *default_parse(const struct shape *shape, const char *text)
{
    if (strcmp(text, "{}") == 0)
        return doc_object();
    if (strcmp(text, "\"\"") == 0)
        return doc_text("");
    if (shape->kind == SHAPE_BOOL)
        return doc_bool(strcmp(text, "true") == 0);
    if (shape->kind == SHAPE_INT || (shape->kind == SHAPE_INT_OR_TEXT && !strchr(text, '%')))
        return doc_int(strtoll(text, NULL, 10));
    return doc_text(text);
}

static void flag_parse(struct shapes *shapes, struct shape_field *field, char *flag)
{
    if (*flag == '=') {
        field->fallback = default_parse(field->shape, flag + 1);
    } else if (strcmp(flag, "^") == 0) {
        field->required = true;
    } else if (*flag == '|') {
        field->one_of = doc_array();
        for (char *rest = flag + 1, *word; (word = strsep(&rest, "|"));)
            doc_push(field->one_of, doc_text(word));
    } else if (strncmp(flag, "patch:", 6) == 0) {
        field->patch = flag + 6;
    } else if (strcmp(flag, "atomic") == 0 && field->shape->kind == SHAPE_STRUCT) {
        struct shape_link *named = link_of(field->shape);
        struct shape_link *link = link_of(shape_make(shapes, SHAPE_STRUCT));

        link->shape.loaded = false;
        link->shape.atomic = true;
        link->own_name = mem_text(named->own_name);
        link->shape.name = link->own_name;
        link->file = named->file;
        field->shape = &link->shape;
    }
}

/* "name! *type flags" */
static void field_parse(struct shape_link *link, char *text)
{
    struct shape *shape = &link->shape;
    struct shape_field field = {0};
    char *words[16];
    size_t len = 0;

    for (char *rest = text, *word; len < 16 && (word = strsep(&rest, " \n"));)
        if (*word)
            words[len++] = word;
    if (len == 0)
        return;
    if (*words[0] == '@') {
        shape->atomic |= strcmp(words[0], "@atomic") == 0;
        shape->root |= strcmp(words[0], "@kind") == 0;
        return;
    }
    size_t end = strlen(words[0]) - 1;
    field.always = words[0][end] == '!';
    if (field.always)
        words[0][end] = '\0';
    field.name = words[0];
    field.pointer = *words[1] == '*';
    field.shape = type_parse(link->shapes, link->file, words[1] + field.pointer);
    for (size_t i = 2; i < len; i++)
        flag_parse(link->shapes, &field, words[i]);
    shape->fields = mem_grow(shape->fields, shape->fields_len + 1, sizeof(field));
    shape->fields[shape->fields_len++] = field;
}

/* The type's text: from the file of the one that names it, else from the shared ones. */
static char *notation_find(struct shape_link *link)
{
    static const char *const files[] = {"meta", "core", "apps", "network", "extend"};
    lua_State *lua = link->shapes->lua;

    for (size_t i = 0; i <= sizeof(files) / sizeof(*files); i++) {
        const char *file = i == 0 ? link->file : files[i - 1];
        char name[64], *text = NULL;

        snprintf(name, sizeof(name), "schema_%s", file);
        host_lua_require(lua, name);
        lua_getfield(lua, -1, link->own_name);
        if (lua_isstring(lua, -1))
            text = mem_text(lua_tostring(lua, -1));
        lua_pop(lua, 2);
        if (text) {
            link->file = file;
            return text;
        }
    }
    fprintf(stderr, "dosrun: no type %s in the schema tables\n", link->own_name);
    abort();
}

const struct shape *shape_ready(const struct shape *shape)
{
    if (shape->loaded)
        return shape;
    struct shape_link *link = link_of(shape);
    link->shape.loaded = true;
    link->text = notation_find(link);
    for (char *rest = link->text, *part; (part = strsep(&rest, ";"));)
        field_parse(link, part);
    return shape;
}

/* ---- OpenAPI ---- */

static bool flag_of(const struct doc *schema, const char *name)
{
    return doc_as_bool(doc_get(schema, name), false);
}

static struct shape *openapi_parse(struct shapes *shapes, const struct doc *schema, bool root);

static struct shape *openapi_object(struct shapes *shapes, const struct doc *schema, bool root)
{
    const struct doc *properties = doc_get(schema, "properties"), *more = doc_get(schema, "additionalProperties");
    struct shape *shape = shape_make(shapes, more && !properties ? SHAPE_MAP : SHAPE_STRUCT);

    shape->atomic = strcmp(doc_as_text(doc_get(schema, "x-kubernetes-map-type"), ""), "atomic") == 0;
    shape->open = flag_of(schema, "x-kubernetes-preserve-unknown-fields");
    shape->root = root || flag_of(schema, "x-kubernetes-embedded-resource");
    if (shape->kind == SHAPE_MAP) {
        shape->element = doc_is(more, DOC_OBJECT) ? openapi_parse(shapes, more, false) : scalar_shape(SHAPE_ANY);
        return shape;
    }
    shape->fields = mem_array(doc_size(properties) + 1, sizeof(struct shape_field));
    DOC_EACH(property, properties)
    {
        bool skip = shape->root && (strcmp(property.key, "metadata") == 0 || strcmp(property.key, "apiVersion") == 0 ||
                                    strcmp(property.key, "kind") == 0);

        if (!skip)
            shape->fields[shape->fields_len++] =
                (struct shape_field){.name = property.key,
                                     .shape = openapi_parse(shapes, property.value, false),
                                     .pointer = true,
                                     .fallback = doc_ref(doc_get(property.value, "default"))};
    }
    if (shape->root)
        shape->fields[shape->fields_len++] =
            (struct shape_field){.name = "metadata", .shape = shapes_named(shapes, "meta", "ObjectMeta")};
    return shape;
}

static struct shape *openapi_list(struct shapes *shapes, const struct doc *schema)
{
    struct shape *shape = shape_make(shapes, SHAPE_LIST);
    const char *type = doc_as_text(doc_get(schema, "x-kubernetes-list-type"), "atomic");
    const struct doc *keys = doc_get(schema, "x-kubernetes-list-map-keys");

    shape->atomic = strcmp(type, "atomic") == 0;
    shape->set = strcmp(type, "set") == 0;
    for (size_t i = 0; !shape->atomic && !shape->set && i < doc_size(keys) && i < SHAPE_KEYS_MAX; i++)
        shape->keys[shape->keys_len++] = doc_as_text(doc_at(keys, i), "");
    shape->element =
        doc_get(schema, "items") ? openapi_parse(shapes, doc_get(schema, "items"), false) : scalar_shape(SHAPE_ANY);
    return shape;
}

static struct shape *openapi_parse(struct shapes *shapes, const struct doc *schema, bool root)
{
    static const struct {
        const char *name;
        enum shape_kind kind;
    } types[] = {{"string", SHAPE_TEXT}, {"integer", SHAPE_INT}, {"number", SHAPE_REAL}, {"boolean", SHAPE_BOOL}};
    const char *type = doc_as_text(doc_get(schema, "type"), "");
    struct shape *shape;

    if (strcmp(type, "object") == 0 || root) {
        shape = openapi_object(shapes, schema, root);
    } else if (strcmp(type, "array") == 0) {
        shape = openapi_list(shapes, schema);
    } else {
        enum shape_kind kind = flag_of(schema, "x-kubernetes-int-or-string") ? SHAPE_INT_OR_TEXT : SHAPE_ANY;

        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
            if (strcmp(types[i].name, type) == 0)
                kind = types[i].kind;
        shape = shape_make(shapes, kind);
        shape->open = kind == SHAPE_ANY;
    }
    shape->custom = true;
    shape->nullable = flag_of(schema, "nullable");
    shape->schema = schema;
    return shape;
}

struct shape *shapes_from_openapi(struct shapes *shapes, const struct doc *schema)
{
    doc_push(shapes->kept, doc_ref(schema));
    return openapi_parse(shapes, schema, true);
}

/* ---- questions ---- */

const struct shape_field *shape_field(const struct shape *shape, const char *key)
{
    if (shape->kind != SHAPE_STRUCT)
        return NULL;
    shape_ready(shape);
    for (size_t i = 0; i < shape->fields_len; i++)
        if (strcmp(shape->fields[i].name, key) == 0)
            return &shape->fields[i];
    return NULL;
}

const struct shape *shape_child(const struct shape *shape, const char *key)
{
    if (shape->kind == SHAPE_MAP)
        return shape_ready(shape->element);
    if (shape->kind == SHAPE_ANY)
        return shapes_any();
    const struct shape_field *field = shape_field(shape, key);
    if (field)
        return shape_ready(field->shape);
    if (shape->root && (strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0))
        return &scalars[SHAPE_TEXT];
    return shape->open ? shapes_any() : NULL;
}

bool shape_is_map_list(const struct shape *shape)
{
    return shape->kind == SHAPE_LIST && shape->keys_len > 0;
}

bool shape_granular_list(const struct shape *shape)
{
    return shape->kind == SHAPE_LIST && (shape->keys_len > 0 || shape->set);
}

static struct doc *field_empty(const struct shape_field *field)
{
    if (field->pointer)
        return doc_null();
    switch (field->shape->kind) {
    case SHAPE_TEXT:
        return doc_text("");
    case SHAPE_INT:
    case SHAPE_INT_OR_TEXT:
        return doc_int(0);
    case SHAPE_BOOL:
        return doc_bool(false);
    case SHAPE_STRUCT:
        return shape_empty(field->shape);
    case SHAPE_QUANTITY:
        return doc_text("0");
    default:
        return doc_null();
    }
}

struct doc *shape_empty(const struct shape *shape)
{
    struct doc *empty = doc_object();

    shape_ready(shape);
    for (size_t i = 0; i < shape->fields_len; i++)
        if (shape->fields[i].always)
            doc_set(empty, shape->fields[i].name, field_empty(&shape->fields[i]));
    return empty;
}
