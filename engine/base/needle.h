#pragma once
/*
 * Finds plain texts of secrets, in all the forms that they take on their way through requests,
 * answers and outputs. Used by secret.c alone.
 */
#include "base/buf.h"

/* Shorter secrets, and shorter lines of a secret of several lines, are not searched for: they would be
   found everywhere. */
enum { NEEDLE_PLAIN_MIN = 6, NEEDLE_LINE_MIN = 16 };

struct needles;

struct needles *needles_new(void);
void needles_free(struct needles *needles); /* wipes them */
/* Remembers the text as it is, in base64 (each alignment, both alphabets), URL, hex and JSON form; and each
   of its lines so: programs print a key line by line, and a password without its file's line break. */
void needles_add_secret(struct needles *needles, struct view plain);
/* The next place at or after `from` that holds one: [start, end). */
bool needles_next(const struct needles *needles, struct view text, size_t from, size_t *start, size_t *end);
/* Copies text with "(secret)" in place of each. A plain copy when there are none. */
void needles_redact(const struct needles *needles, struct view text, struct buf *out);
