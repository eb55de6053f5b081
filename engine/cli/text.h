#pragma once
/* Text on its way to a terminal: made harmless, measured, wrapped. All text is UTF-8. */
#include "base/buf.h"

enum text_flag {
    TEXT_UTF8 = 1,   /* the terminal reads UTF-8; else everything beyond ASCII is written as \u{...} */
    TEXT_LINES = 2,  /* line breaks stay line breaks; else they become \n */
};

/* Copies text with control bytes, escape sequences, bidi controls and invisible characters written
   out (\x1b, \u{202e}), tabs as four blanks. Nothing is dropped, nothing else is changed. */
void text_escape_add(struct buf *out, struct view text, int flags);

/* Columns that escaped text without line breaks takes. */
int text_width(struct view text);

/*
 * Copies escaped text without line breaks, broken at blanks so that no row is wider than `columns`;
 * a word longer than a row is broken inside. `used` columns of the first row are taken already; each
 * further row starts with `hang` blanks. columns 0: no breaking. Returns the columns used in the last row.
 */
int text_wrap_add(struct buf *out, struct view text, int used, int hang, int columns);

void text_blanks_add(struct buf *out, int count);
