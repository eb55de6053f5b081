#pragma once
/*
 * XML 1.0 by expat, as service answers are: UTF-8, elements by their local name, no DTD (refused, so there is nothing to
 * expand), depth at most 64, 64 MiB of text, 256 MiB of tree.
 * What a tree does not keep: comments, processing instructions, text after an element's first child.
 */
#include "base/buf.h"
#include "base/err.h"

enum { XML_DEPTH_MAX = 64, XML_TEXT_MAX = 64 << 20, XML_TREE_MAX = 256 << 20 };

struct xml_attribute {
    const char *name; /* local */
    bool prefixed;    /* it stood with the prefix of a namespace */
    struct view value;
    struct xml_attribute *next;
};

/* An element. All of a tree is borrowed from its root; values are NUL terminated, too. */
struct xml {
    const char *name; /* local */
    struct view text; /* before the first child, blanks kept; empty when there is none */
    struct xml_attribute *attributes;
    struct xml *child, *next; /* first child; next sibling */
};

/* The root, or NULL with ERR_USAGE, which says line and column. */
struct xml *xml_parse(struct view text, struct err *err);
void xml_free(struct xml *root); /* of the root only; accepts NULL */

/* The first child of this name; NULL. xml may be NULL. */
struct xml *xml_child(const struct xml *xml, const char *name);
struct xml *xml_next(const struct xml *xml, const char *name); /* the next sibling of this name */
/* "xsi:type" finds an attribute "type" with any prefix: they are the sender's choice. NULL when it is not there. */
const struct view *xml_attribute(const struct xml *xml, const char *name);

/* Text between tags, and inside the double quotes of an attribute; line breaks are escaped where readers would change them. */
void xml_add_text(struct buf *out, struct view text);
void xml_add_value(struct buf *out, struct view text);
