#pragma once
/*
 * Marked strings: values that playbooks may pass about but nobody may read.
 *
 * A secret or a value not known yet travels as an ordinary string that holds a mark, an
 * unguessable token between U+FDD0 and U+FDD1 (noncharacters, so no honest document has them):
 * it survives concatenation, string.format and JSON by itself. The plain text of a secret lives
 * only in this table, wiped when freed; the http room puts it in at the last moment. Unknown
 * marks are refused there. Output shows secrets as "(secret)" and unknowns as
 * "(known after step image)".
 */
#include "base/buf.h"
#include "base/err.h"

enum mark_kind { MARK_NONE, MARK_SECRET = 1, MARK_UNKNOWN = 2 };

struct marks;

/* `key` makes the tokens: equal keys and equal plain texts give equal tokens in every process. */
struct marks *marks_new(struct view key);
void marks_free(struct marks *marks); /* wipes every plain text */

/* Adds the mark for this plain text to out. Empty secrets get a mark too. */
void marks_add_secret(struct marks *marks, struct buf *out, struct view plain);
/* `source` is what it is known after: "step image", "uid of Namespace dos-game". */
void marks_add_unknown(struct marks *marks, struct buf *out, const char *source);

/* A bit set of the kinds of marks in text; 0 when there is none. Cheap: a few scans for first bytes.
   A mark that was cut, sealed, or URL-encoded counts as unknown: marks_reveal refuses it. */
int marks_find(struct view text);

/* Copies text with each secret mark replaced by its plain text. An unknown mark, or a token that
   is not in the table, is an error that names the mark's source. */
int marks_reveal(const struct marks *marks, struct view text, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Copies text for people: "(secret)", "(known after SOURCE)"; then every plain text of 6 bytes or
   more, also in base64, URL, hex and JSON-escaped form, is replaced by "(secret)" as well. */
void marks_redact(const struct marks *marks, struct view text, struct buf *out);

/* A line of JSON with each secret mark replaced by sealed text (fn adds it), and back. So is what its strings hold of
   secrets without a mark, in each form that marks_redact knows; that comes back as it stood. Used by the journal. */
typedef int seal_fn(void *ctx, struct view in, struct buf *out, struct err *err);
int marks_seal(const struct marks *marks, struct view text, seal_fn *seal, void *ctx, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
int marks_unseal(struct marks *marks, struct view text, seal_fn *unseal, void *ctx, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

/* Overwrites memory in a way that the compiler keeps. */
void secret_wipe(void *ptr, size_t len);
