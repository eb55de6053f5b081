#pragma once
/* JSON text (RFC 8259): strict, duplicate keys refused, depth at most 64, no NUL in strings. */
#include "codec/doc.h"

enum { JSON_DEPTH_MAX = 64 };

/* One document and nothing after it. An error (ERR_USAGE) says line and column. NULL on failure. */
struct doc *json_parse(struct view text, struct err *err);
/* As other programs write it: of duplicate keys the last one counts, strings may hold escaped NULs (keys not). */
struct doc *json_parse_loose(struct view text, struct err *err);

enum json_style {
    JSON_COMPACT = 0,
    JSON_SORTED = 1,  /* keys by bytes: the canonical form that digests are made of */
    JSON_INDENTED = 2, /* two blanks */
    JSON_ASCII = 4,    /* everything above ASCII escaped, NUL as \u0000; reals without an exponent below 1e16 */
    JSON_SPACED = 8,   /* ", " and ": " */
};
/* Adds the text; reals as the shortest form that reads back the same. style is a bit set. */
void json_add(struct buf *out, const struct doc *doc, int style);
