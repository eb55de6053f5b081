/*
 * A tree lives in one list of blocks that the root's own block heads: it is made in one pass and freed in one.
 */
#include "codec/xml.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 64 << 10, PIECE_MAX = 1 << 20 };
#define SEPARATOR '\n' /* between a namespace and a name: neither holds one */

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

/* The root is the first member of what xml_free gets back. */
struct tree {
    struct xml root;
    struct block *blocks;
};

struct reading {
    XML_Parser parser;
    struct tree *tree;
    size_t size;                     /* of all blocks */
    struct xml *open[XML_DEPTH_MAX]; /* elements that have not ended */
    struct xml *last[XML_DEPTH_MAX]; /* their last child so far */
    size_t depth;
    struct buf text;     /* of the innermost one */
    const char *problem; /* ours: expat was told to stop */
};

static void stop(struct reading *reading, const char *problem)
{
    if (!reading->problem)
        reading->problem = problem;
    XML_StopParser(reading->parser, XML_FALSE);
}

static void *take(struct reading *reading, size_t size)
{
    struct block *block = reading->tree->blocks;
    void *taken;

    size = (size + 15) & ~(size_t)15;
    if (!block || block->size - block->used < size) {
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

        block = mem_alloc(sizeof(*block) + room);
        block->size = room;
        block->next = reading->tree->blocks;
        reading->tree->blocks = block;
        reading->size += room;
        if (reading->size > XML_TREE_MAX)
            stop(reading, "too many elements");
    }
    taken = block->bytes + block->used;
    block->used += size;
    return taken;
}

static const char *take_text(struct reading *reading, struct view text)
{
    char *copy = take(reading, text.len + 1);

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static struct view take_view(struct reading *reading, struct view text)
{
    return (struct view){take_text(reading, text), text.len};
}

/* Only what stands before the first child counts. */
static void text_end(struct reading *reading)
{
    struct xml *open = reading->depth ? reading->open[reading->depth - 1] : NULL;

    if (open && !open->child && reading->text.len)
        open->text = take_view(reading, buf_view(&reading->text));
    buf_reset(&reading->text);
}

static void attributes_read(struct reading *reading, struct xml *xml, const char **attributes)
{
    struct xml_attribute **end = &xml->attributes;

    for (; *attributes; attributes += 2) {
        const char *local = strrchr(attributes[0], SEPARATOR);
        struct xml_attribute *attribute = take(reading, sizeof(*attribute));

        *attribute = (struct xml_attribute){
            .name = take_text(reading, view_of(local ? local + 1 : attributes[0])),
            .prefixed = local != NULL,
            .value = take_view(reading, view_of(attributes[1])),
        };
        *end = attribute;
        end = &attribute->next;
    }
}

static void on_start(void *ctx, const char *name, const char **attributes)
{
    struct reading *reading = ctx;
    const char *local = strrchr(name, SEPARATOR);
    struct xml *xml;

    if (reading->problem)
        return;
    if (reading->depth == XML_DEPTH_MAX) {
        stop(reading, "deeper than 64 levels");
        return;
    }
    text_end(reading);
    xml = reading->depth ? take(reading, sizeof(*xml)) : &reading->tree->root;
    *xml = (struct xml){.name = take_text(reading, view_of(local ? local + 1 : name)), .text = {"", 0}};
    attributes_read(reading, xml, attributes);
    if (reading->depth) {
        struct xml *parent = reading->open[reading->depth - 1], *before = reading->last[reading->depth - 1];

        *(before ? &before->next : &parent->child) = xml;
        reading->last[reading->depth - 1] = xml;
    }
    reading->open[reading->depth] = xml;
    reading->last[reading->depth] = NULL;
    reading->depth++;
}

static void on_end(void *ctx, const char *name)
{
    struct reading *reading = ctx;

    (void)name;
    if (reading->problem)
        return;
    text_end(reading);
    reading->depth--;
}

static void on_text(void *ctx, const char *text, int len)
{
    struct reading *reading = ctx;

    if (!reading->problem && !reading->open[reading->depth - 1]->child)
        buf_add(&reading->text, text, (size_t)len);
}

static void on_doctype(void *ctx, const char *name, const char *system, const char *public, int has_subset)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_subset;
    stop(ctx, "it has a DTD, which is refused");
}

/* In pieces: a length is an int to expat. */
static bool pieces_parse(struct reading *reading, struct view text)
{
    enum XML_Status status = XML_STATUS_OK;
    size_t at = 0;

    do {
        size_t len = text.len - at < PIECE_MAX ? text.len - at : PIECE_MAX;

        status = XML_Parse(reading->parser, len ? text.ptr + at : "", (int)len, at + len == text.len);
        at += len;
    } while (status == XML_STATUS_OK && at < text.len);
    return status == XML_STATUS_OK;
}

struct xml *xml_parse(struct view text, struct err *err)
{
    struct reading reading = {0};
    bool good;

    if (text.len > XML_TEXT_MAX) {
        err_set(err, ERR_USAGE, "larger than %d MiB", XML_TEXT_MAX >> 20);
        return NULL;
    }
    reading.parser = XML_ParserCreateNS("UTF-8", SEPARATOR);
    if (!reading.parser)
        abort(); /* no memory */
    reading.tree = mem_alloc(sizeof(*reading.tree));
    buf_init(&reading.text, XML_TEXT_MAX);
    XML_SetUserData(reading.parser, &reading);
    XML_SetElementHandler(reading.parser, on_start, on_end);
    XML_SetCharacterDataHandler(reading.parser, on_text);
    XML_SetStartDoctypeDeclHandler(reading.parser, on_doctype);
    good = pieces_parse(&reading, text) && !reading.problem;
    if (!good)
        err_set(err, ERR_USAGE, "line %lu, column %lu: %s", (unsigned long)XML_GetCurrentLineNumber(reading.parser),
                (unsigned long)XML_GetCurrentColumnNumber(reading.parser) + 1,
                reading.problem ? reading.problem : XML_ErrorString(XML_GetErrorCode(reading.parser)));
    XML_ParserFree(reading.parser);
    buf_free(&reading.text);
    if (good)
        return &reading.tree->root;
    xml_free(&reading.tree->root);
    return NULL;
}

void xml_free(struct xml *root)
{
    struct tree *tree = (struct tree *)root;
    struct block *next;

    if (!tree)
        return;
    for (struct block *block = tree->blocks; block; block = next) {
        next = block->next;
        free(block);
    }
    free(tree);
}

static struct xml *first_of(struct xml *xml, const char *name)
{
    while (xml && strcmp(xml->name, name) != 0)
        xml = xml->next;
    return xml;
}

struct xml *xml_child(const struct xml *xml, const char *name)
{
    return xml ? first_of(xml->child, name) : NULL;
}

struct xml *xml_next(const struct xml *xml, const char *name)
{
    return xml ? first_of(xml->next, name) : NULL;
}

const struct view *xml_attribute(const struct xml *xml, const char *name)
{
    const char *local = strchr(name, ':');

    for (const struct xml_attribute *attribute = xml ? xml->attributes : NULL; attribute; attribute = attribute->next)
        if (attribute->prefixed == (local != NULL) && strcmp(attribute->name, local ? local + 1 : name) == 0)
            return &attribute->value;
    return NULL;
}

/* Line breaks and tabs in the spelling that is usual there. */
static void add_escaped(struct buf *out, struct view text, const char *escaped, bool decimal)
{
    size_t done = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!c || !strchr(escaped, c))
            continue;
        buf_add(out, text.ptr + done, i - done);
        done = i + 1;
        if (c == '&')
            buf_add_text(out, "&amp;");
        else if (c == '<')
            buf_add_text(out, "&lt;");
        else if (c == '>')
            buf_add_text(out, "&gt;");
        else if (c == '"')
            buf_add_text(out, "&quot;");
        else
            buf_addf(out, decimal ? "&#%02d;" : "&#x%X;", (unsigned char)c);
    }
    buf_add(out, text.ptr + done, text.len - done);
}

void xml_add_text(struct buf *out, struct view text)
{
    add_escaped(out, text, "&<>\r", false);
}

void xml_add_value(struct buf *out, struct view text)
{
    add_escaped(out, text, "&<>\"\r\n\t", true);
}
