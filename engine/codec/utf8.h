#pragma once
/* UTF-8, strict: no overlong forms, no surrogates, nothing above U+10FFFF. */
#include "base/buf.h"

/* The character at the start of text and its length in bytes; 0 when there is no valid one. */
size_t utf8_next(struct view text, uint32_t *character);
/* Valid, and without a NUL. */
bool utf8_is_clean(struct view text);
/* Copies text; each NUL and each byte that is not part of a character becomes U+FFFD. */
void utf8_add_clean(struct buf *out, struct view text);
