#include "codec/yaml.h"
#include "codec/json.h"
#include "codec/yaml_file.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#define TAG "tag:yaml.org,2002:"

/* Aliases may make a document this many times as large as its text; small files may reach the second figure. */
enum { EXPANSION_MAX = 10, EXPANSION_FREE = 64 * 1024 };

struct anchor {
    char *name;
    struct doc *doc;
    bool quoted;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one at hand */
    struct yaml_file *file;
    struct view text;
    struct anchor *anchors; /* of the document being read; a later one of the same name hides it */
    size_t anchor_count;
    size_t expanded, expanded_max;
    struct err *err;
};

static int fail(struct reader *reader, yaml_mark_t mark, const char *format, ...) __attribute__((format(printf, 3, 4)));
static int fail(struct reader *reader, yaml_mark_t mark, const char *format, ...)
{
    struct buf what;
    va_list args;

    buf_init(&what, sizeof(reader->err->message));
    va_start(args, format);
    buf_vaddf(&what, format, args);
    va_end(args);
    err_set(reader->err, ERR_USAGE, "%s:%zu:%zu: %s", reader->file->name, mark.line + 1, mark.column + 1,
            buf_text(&what));
    buf_free(&what);
    return -1;
}

static struct spot spot_of(yaml_mark_t mark)
{
    return (struct spot){.line = (int)mark.line + 1, .col = (int)mark.column + 1};
}

/* The byte at a mark, for messages: columns count characters, so behind non-ASCII text it is a guess. */
static char character_at(const struct reader *reader, yaml_mark_t mark)
{
    struct view text = reader->text;
    size_t at = 0;

    for (size_t line = 0; line < mark.line; line++) {
        const char *end = at < text.len ? memchr(text.ptr + at, '\n', text.len - at) : NULL;

        if (!end)
            return '\0';
        at = (size_t)(end - text.ptr) + 1;
    }
    return at + mark.column < text.len ? text.ptr[at + mark.column] : '\0';
}

static yaml_mark_t mark_of_offset(const struct reader *reader, size_t offset)
{
    yaml_mark_t mark = {0};

    for (size_t i = 0; i < offset && i < reader->text.len; i++) {
        mark.column++;
        if (reader->text.ptr[i] == '\n')
            mark = (yaml_mark_t){.line = mark.line + 1};
    }
    return mark;
}

/* libyaml's refusal in words that help. */
static int fail_parser(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const char *problem = parser->problem ? parser->problem : "not YAML";
    char c;

    if (parser->error == YAML_MEMORY_ERROR)
        abort();
    if (parser->error == YAML_READER_ERROR)
        return fail(reader, mark_of_offset(reader, parser->problem_offset), "%s",
                    parser->problem_value >= 0 && strstr(problem, "control")
                        ? "a control character"
                        : "not UTF-8, or a character that YAML does not allow");
    c = character_at(reader, parser->problem_mark);
    if (strstr(problem, "cannot start any token") && c == '\t')
        return fail(reader, parser->problem_mark, "a tab cannot indent; use blanks");
    if (strstr(problem, "cannot start any token") && c > ' ')
        return fail(reader, parser->problem_mark, "a text cannot begin with %c; put it in quotes", c);
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        return fail(reader, parser->problem_mark, "%s (%s that begins on line %zu)", problem, parser->context,
                    parser->context_mark.line + 1);
    return fail(reader, parser->problem_mark, "%s", problem);
}

/* Replaces the event at hand. */
static int next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    return yaml_parser_parse(&reader->parser, &reader->event) ? 0 : fail_parser(reader);
}

static void anchors_clear(struct reader *reader)
{
    for (size_t i = 0; i < reader->anchor_count; i++) {
        free(reader->anchors[i].name);
        doc_unref(reader->anchors[i].doc);
    }
    free(reader->anchors);
    reader->anchors = NULL;
    reader->anchor_count = 0;
}

static void anchor_add(struct reader *reader, const char *name, const struct doc *doc, bool quoted)
{
    if (!name)
        return;
    reader->anchors = mem_grow(reader->anchors, reader->anchor_count + 1, sizeof(*reader->anchors));
    reader->anchors[reader->anchor_count++] =
        (struct anchor){.name = mem_text(name), .doc = doc_ref(doc), .quoted = quoted};
}

/* Levels of containers in a document, and roughly the bytes of text that it would be. */
static size_t measure(const struct doc *doc, size_t *bytes)
{
    size_t deepest = 0, depth;

    *bytes += 2 + doc_as_view(doc).len;
    DOC_EACH(iter, doc)
    {
        *bytes += strlen(iter.key) + 2;
        depth = measure(iter.value, bytes);
        deepest = depth > deepest ? depth : deepest;
    }
    for (size_t i = 0; doc_is(doc, DOC_ARRAY) && i < doc_size(doc); i++) {
        depth = measure(doc_at(doc, i), bytes);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + (doc_is(doc, DOC_ARRAY) || doc_is(doc, DOC_OBJECT));
}

/* A copy, so that values that are put into one place do not show up in the other. */
static struct doc *read_alias(struct reader *reader, size_t depth, struct spot *spot)
{
    const char *name = (const char *)reader->event.data.alias.anchor;
    yaml_mark_t mark = reader->event.start_mark;
    const struct anchor *anchor = NULL;
    struct doc *copy;
    size_t levels;

    for (size_t i = reader->anchor_count; i-- > 0 && !anchor;) {
        if (strcmp(reader->anchors[i].name, name) == 0)
            anchor = &reader->anchors[i];
    }
    if (!anchor) {
        fail(reader, mark, "no value above is anchored as &%s", name);
        return NULL;
    }
    levels = measure(anchor->doc, &reader->expanded);
    if (depth + levels > JSON_DEPTH_MAX) {
        fail(reader, mark, "deeper than %d levels", (int)JSON_DEPTH_MAX);
        return NULL;
    }
    if (reader->expanded > reader->expanded_max) {
        fail(reader, mark, "aliases make this file more than %d times as large", (int)EXPANSION_MAX);
        return NULL;
    }
    copy = doc_copy(anchor->doc);
    places_copy(reader->file->places, anchor->doc, copy);
    spot->quoted = anchor->quoted;
    return copy;
}

/* A scalar under a tag that names its type. */
static struct doc *convert(struct reader *reader, const char *tag, struct view text, const char **problem)
{
    struct doc *doc = yaml_scalar(text, problem), *real;

    if (!doc)
        return NULL;
    if ((strcmp(tag, TAG "int") == 0 && doc_is(doc, DOC_INT)) ||
        (strcmp(tag, TAG "bool") == 0 && doc_is(doc, DOC_BOOL)) ||
        (strcmp(tag, TAG "null") == 0 && doc_is(doc, DOC_NULL)) ||
        (strcmp(tag, TAG "float") == 0 && doc_is(doc, DOC_REAL)))
        return doc;
    real = strcmp(tag, TAG "float") == 0 && doc_is(doc, DOC_INT) ? doc_real(doc_as_real(doc, 0)) : NULL;
    doc_unref(doc);
    if (real)
        return real;
    if (strncmp(tag, TAG, strlen(TAG)) == 0 && strchr("ibnf", tag[strlen(TAG)]) && strcmp(tag, TAG "binary") != 0)
        fail(reader, reader->event.start_mark, "this is no %s", tag + strlen(TAG));
    else
        fail(reader, reader->event.start_mark, "the tag %s has no meaning here", tag);
    return NULL;
}

static struct doc *read_scalar(struct reader *reader, struct spot *spot)
{
    yaml_event_t *event = &reader->event;
    struct view text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    const char *tag = (const char *)event->data.scalar.tag, *problem = NULL;
    struct doc *doc;

    spot->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (memchr(text.ptr, '\0', text.len)) {
        fail(reader, event->start_mark, "a text cannot hold a NUL character");
        return NULL;
    }
    if (!tag && !spot->quoted)
        doc = yaml_scalar(text, &problem);
    else if (!tag || strcmp(tag, "!") == 0 || strcmp(tag, TAG "str") == 0)
        doc = doc_string(text);
    else
        doc = convert(reader, tag, text, &problem);
    if (problem)
        fail(reader, event->start_mark, "%s", problem);
    if (doc)
        anchor_add(reader, (const char *)event->data.scalar.anchor, doc, spot->quoted);
    return doc;
}

static struct doc *read_node(struct reader *reader, size_t depth, struct spot *spot);

static int check_container(struct reader *reader, const yaml_char_t *tag, const char *core, size_t depth)
{
    if (tag && strcmp((const char *)tag, "!") != 0 && strcmp((const char *)tag, core) != 0)
        return fail(reader, reader->event.start_mark, "the tag %s has no meaning here", (const char *)tag);
    if (depth >= JSON_DEPTH_MAX)
        return fail(reader, reader->event.start_mark, "deeper than %d levels", (int)JSON_DEPTH_MAX);
    return 0;
}

static struct doc *read_array(struct reader *reader, size_t depth)
{
    struct doc *array = NULL, *element;
    struct spot start = spot_of(reader->event.start_mark), spot;
    char *anchor = mem_text((const char *)reader->event.data.sequence_start.anchor);

    if (check_container(reader, reader->event.data.sequence_start.tag, TAG "seq", depth) != 0)
        goto failed;
    array = doc_array();
    places_put(reader->file->places, array, start);
    for (;;) {
        if (next(reader) != 0)
            goto failed;
        if (reader->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        element = read_node(reader, depth + 1, &spot);
        if (!element)
            goto failed;
        places_put_index(reader->file->places, array, doc_size(array), spot);
        doc_push(array, element);
    }
    anchor_add(reader, anchor, array, false);
    free(anchor);
    return array;
failed:
    doc_unref(array);
    free(anchor);
    return NULL;
}

/* Gives `object` the members of `source` that it lacks. */
static void merge_object(struct reader *reader, struct doc *object, const struct doc *source)
{
    struct places *places = reader->file->places;

    DOC_EACH(iter, source)
    {
        const struct spot *known = places_get_key(places, source, iter.key);
        struct spot spot = known ? *known : (struct spot){0};

        if (doc_get(object, iter.key))
            continue;
        spot.merged = true;
        places_put_key(places, object, iter.key, spot);
        doc_set(object, iter.key, doc_ref(iter.value));
    }
}

static int merge(struct reader *reader, struct doc *object, const struct doc *source, yaml_mark_t mark)
{
    if (doc_is(source, DOC_OBJECT)) {
        merge_object(reader, object, source);
        return 0;
    }
    for (size_t i = 0; doc_is(source, DOC_ARRAY) && i < doc_size(source); i++) {
        if (!doc_is(doc_at(source, i), DOC_OBJECT))
            return fail(reader, mark, "<< takes a map, or a list of maps");
        merge_object(reader, object, doc_at(source, i));
    }
    return doc_is(source, DOC_ARRAY) ? 0 : fail(reader, mark, "<< takes a map, or a list of maps");
}

/* The text of a key; NULL when the event at hand cannot be one. Kubernetes' tools write 1 and true as "1" and "true".
 */
static char *read_key(struct reader *reader)
{
    yaml_mark_t mark = reader->event.start_mark;
    struct spot spot;
    struct doc *doc;
    char *key = NULL;

    if (reader->event.type == YAML_SCALAR_EVENT) {
        doc = read_scalar(reader, &spot);
    } else if (reader->event.type == YAML_ALIAS_EVENT) {
        doc = read_alias(reader, 0, &spot);
    } else {
        fail(reader, mark, "a key cannot be a list or a map");
        return NULL;
    }
    if (!doc)
        return NULL;
    if (doc_is(doc, DOC_STRING))
        key = mem_text(doc_as_text(doc, ""));
    else if (doc_is(doc, DOC_INT))
        key = mem_printf("%lld", (long long)doc_as_int(doc, 0));
    else if (doc_is(doc, DOC_BOOL))
        key = mem_text(doc_as_bool(doc, false) ? "true" : "false");
    else if (doc_is(doc, DOC_NULL))
        fail(reader, mark, "a key is missing; if it is an empty text or null, put it in quotes");
    else
        fail(reader, mark, "a key cannot be a %s; if it is a text, put it in quotes",
             doc_is(doc, DOC_REAL) ? "number with a point" : "list or a map");
    doc_unref(doc);
    return key;
}

/* One member; the event at hand is its key. */
static int read_member(struct reader *reader, struct doc *object, size_t depth, bool *merged)
{
    yaml_mark_t mark = reader->event.start_mark;
    struct spot spot = spot_of(mark), value_spot;
    bool is_merge = reader->event.type == YAML_SCALAR_EVENT && !reader->event.data.scalar.tag &&
                    reader->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                    strcmp((const char *)reader->event.data.scalar.value, "<<") == 0;
    const struct spot *old;
    struct doc *value = NULL;
    char *key = read_key(reader);
    int result = -1;

    if (!key)
        return -1;
    old = doc_get(object, key) ? places_get_key(reader->file->places, object, key) : NULL;
    if (is_merge && *merged) {
        fail(reader, mark, "<< is there twice; give it a list");
        goto done;
    }
    if (!is_merge && old && !old->merged) {
        fail(reader, mark, "the key \"%s\" is there already, on line %d", key, old->line);
        goto done;
    }
    if (next(reader) != 0)
        goto done;
    value = read_node(reader, depth + 1, &value_spot);
    if (!value)
        goto done;
    if (is_merge) {
        *merged = true;
        result = merge(reader, object, value, mark);
        goto done;
    }
    spot.quoted = value_spot.quoted;
    places_put_key(reader->file->places, object, key, spot);
    doc_set(object, key, doc_ref(value));
    result = 0;
done:
    doc_unref(value);
    free(key);
    return result;
}

static struct doc *read_object(struct reader *reader, size_t depth)
{
    struct doc *object = NULL;
    struct spot start = spot_of(reader->event.start_mark);
    char *anchor = mem_text((const char *)reader->event.data.mapping_start.anchor);
    bool merged = false;

    if (check_container(reader, reader->event.data.mapping_start.tag, TAG "map", depth) != 0)
        goto failed;
    object = doc_object();
    places_put(reader->file->places, object, start);
    for (;;) {
        if (next(reader) != 0)
            goto failed;
        if (reader->event.type == YAML_MAPPING_END_EVENT)
            break;
        if (read_member(reader, object, depth, &merged) != 0)
            goto failed;
    }
    anchor_add(reader, anchor, object, false);
    free(anchor);
    return object;
failed:
    doc_unref(object);
    free(anchor);
    return NULL;
}

/* The value that begins with the event at hand; leaves its last event at hand. */
static struct doc *read_node(struct reader *reader, size_t depth, struct spot *spot)
{
    *spot = spot_of(reader->event.start_mark);
    switch (reader->event.type) {
    case YAML_ALIAS_EVENT:
        return read_alias(reader, depth, spot);
    case YAML_SCALAR_EVENT:
        return read_scalar(reader, spot);
    case YAML_SEQUENCE_START_EVENT:
        return read_array(reader, depth);
    case YAML_MAPPING_START_EVENT:
        return read_object(reader, depth);
    default:
        fail(reader, reader->event.start_mark, "a value is missing");
        return NULL;
    }
}

/* Nothing at all between two "---", or only comments: libyaml makes an empty scalar of it. */
static bool is_empty(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == 0 && !event->data.scalar.tag &&
           !event->data.scalar.anchor && event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static int read_stream(struct reader *reader)
{
    struct yaml_file *file = reader->file;
    struct root root;

    do {
        if (next(reader) != 0)
            return -1;
        if (reader->event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        anchors_clear(reader);
        if (next(reader) != 0)
            return -1;
        if (is_empty(&reader->event))
            continue;
        root.doc = read_node(reader, 0, &root.spot);
        if (!root.doc)
            return -1;
        file->roots = mem_grow(file->roots, file->count + 1, sizeof(root));
        file->roots[file->count++] = root;
    } while (reader->event.type != YAML_STREAM_END_EVENT);
    return 0;
}

struct yaml_file *yaml_parse(const char *name, struct view text, struct err *err)
{
    struct reader reader = {.err = err};
    struct yaml_file *file = mem_alloc(sizeof(*file));
    int result;

    if (view_starts(text, "\xef\xbb\xbf"))
        text = (struct view){text.ptr + 3, text.len - 3};
    file->name = mem_text(name);
    file->places = places_new();
    reader.file = file;
    reader.text = text;
    reader.expanded_max = text.len > EXPANSION_FREE / EXPANSION_MAX ? text.len * EXPANSION_MAX : EXPANSION_FREE;
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(text.len ? text.ptr : ""), text.len);
    result = read_stream(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    anchors_clear(&reader);
    if (result == 0)
        return file;
    yaml_free(file);
    return NULL;
}

void yaml_free(struct yaml_file *file)
{
    if (!file)
        return;
    for (size_t i = 0; i < file->count; i++)
        doc_unref(file->roots[i].doc);
    free(file->roots);
    places_free(file->places);
    free(file->name);
    free(file);
}

size_t yaml_count(const struct yaml_file *file)
{
    return file->count;
}

struct doc *yaml_doc(const struct yaml_file *file, size_t index)
{
    return index < file->count ? file->roots[index].doc : NULL;
}

static int line_of(const struct spot *spot)
{
    return spot ? spot->line : 0;
}

int yaml_line(const struct yaml_file *file, const struct doc *container)
{
    return line_of(places_get(file->places, container));
}

int yaml_line_of_key(const struct yaml_file *file, const struct doc *object, const char *key)
{
    return line_of(places_get_key(file->places, object, key));
}

int yaml_line_of_index(const struct yaml_file *file, const struct doc *array, size_t index)
{
    return line_of(places_get_index(file->places, array, index));
}
