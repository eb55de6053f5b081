#pragma once
/*
 * codec: documents in and out of bytes: JSON, YAML, XML (archives later), and the value that
 * they all share, `struct doc`.
 * Owns: jansson, libyaml and expat; nobody else includes them.
 * Never: does I/O; knows what a document means.
 */
#include "base/buf.h"
#include "base/err.h"

/*
 * A JSON value, reference counted. Integers are 64 bit, objects keep the order of insertion,
 * [] and {} differ. (A jansson value behind an opaque name.)
 * Functions that "take" own the reference handed in, also on failure; getters borrow.
 */
struct doc;

enum doc_type { DOC_NULL, DOC_BOOL, DOC_INT, DOC_REAL, DOC_STRING, DOC_ARRAY, DOC_OBJECT };

struct doc *doc_null(void);
struct doc *doc_bool(bool value);
struct doc *doc_int(int64_t value);
struct doc *doc_real(double value); /* NULL for NaN and the infinities, which JSON lacks */
struct doc *doc_text(const char *text); /* must be UTF-8; invalid bytes (and NUL) become U+FFFD */
struct doc *doc_string(struct view text);
/* A string of any bytes, kept as they are: doc_as_view gives them back, json_add writes U+FFFD for what is no UTF-8 and for
   NUL. Compares equal to a doc_string of the same bytes. */
struct doc *doc_bytes(struct view bytes);
struct doc *doc_array(void);
struct doc *doc_object(void);
struct doc *doc_ref(const struct doc *doc); /* NULL stays NULL */
void doc_unref(struct doc *doc);            /* accepts NULL */
struct doc *doc_copy(const struct doc *doc); /* deep */
/* The object without some members; the others are shared with it. NULL stays NULL. */
struct doc *doc_without(const struct doc *object, const char *const *names, size_t len);

enum doc_type doc_type(const struct doc *doc); /* NULL reads as DOC_NULL */
const char *doc_type_name(const struct doc *doc);
bool doc_is(const struct doc *doc, enum doc_type type); /* false for NULL */
bool doc_equal(const struct doc *a, const struct doc *b); /* NULL equals NULL only; 1 and 1.0 differ */

/* Scalars; the fallback is what a NULL or another type gives. */
const char *doc_as_text(const struct doc *doc, const char *fallback);
struct view doc_as_view(const struct doc *doc); /* empty for another type */
int64_t doc_as_int(const struct doc *doc, int64_t fallback); /* reals with an integral value too */
double doc_as_real(const struct doc *doc, double fallback);
bool doc_as_bool(const struct doc *doc, bool fallback);

/* Objects and arrays. Any doc may be NULL or of another type: then there is nothing in it. */
size_t doc_size(const struct doc *doc);
struct doc *doc_get(const struct doc *object, const char *key);
struct doc *doc_at(const struct doc *array, size_t index);
void doc_set(struct doc *object, const char *key, struct doc *take); /* take NULL removes the key */
void doc_set_text(struct doc *object, const char *key, const char *text); /* text NULL: nothing is set */
void doc_set_int(struct doc *object, const char *key, int64_t value);
void doc_set_bool(struct doc *object, const char *key, bool value);
bool doc_remove(struct doc *object, const char *key);
void doc_push(struct doc *array, struct doc *take);
void doc_put_at(struct doc *array, size_t index, struct doc *take); /* replaces */
void doc_insert_at(struct doc *array, size_t index, struct doc *take);
void doc_remove_at(struct doc *array, size_t index);
void doc_clear(struct doc *container);

/* Path of keys, NULL at the end: doc_path(o, "metadata", "labels", "app", NULL); arrays by decimal index. */
struct doc *doc_path(const struct doc *doc, ...) __attribute__((sentinel));
const char *doc_path_text(const struct doc *doc, ...) __attribute__((sentinel)); /* NULL when no string is there */
/* JSON pointer, RFC 6901; NULL when nothing is there. */
struct doc *doc_pointer(const struct doc *doc, const char *pointer);
/* Adds "/token" with ~ and / escaped. */
void doc_pointer_add(struct buf *pointer, const char *token);

/* Members in order of insertion. The object may not change during the walk, except for values. */
struct doc_iter {
    const char *key;
    struct doc *value;
    void *at;
};
#define DOC_EACH(iter, object)                                                                         \
    for (struct doc_iter iter = doc_iter_first(object); iter.at; doc_iter_next(object, &iter))
struct doc_iter doc_iter_first(const struct doc *object);
void doc_iter_next(const struct doc *object, struct doc_iter *iter);
/* Its keys, sorted by bytes; free() the array, the strings are borrowed. Returns the number. */
size_t doc_keys_sorted(const struct doc *object, const char ***keys);

/* An event object with its "type" set; see base/event.h. */
struct doc *event_new(const char *type);
void event_stamp(struct doc *event, uint64_t seq, int64_t time_ms, const char *run, const char *step);

/* An error as an object {kind, message, code, status, request_id, explain} and back. */
struct doc *doc_from_err(const struct err *err);
void doc_to_err(const struct doc *doc, struct err *err);

/* Calls fn for each string value (not keys) in depth; a returned doc (taken) replaces it, NULL keeps it. */
typedef struct doc *doc_map_fn(void *ctx, struct view text);
void doc_map_strings(struct doc *doc, doc_map_fn *fn, void *ctx);
/* The same without a change to the document: a new reference, which shares what has no such string. */
struct doc *doc_mapped(const struct doc *doc, doc_map_fn *fn, void *ctx);

/* RFC 7386 merge patch: changes target in place; null in the patch removes. */
void doc_merge_patch(struct doc *target, const struct doc *patch);
/* RFC 6902; all or nothing, errors name the operation's index. Returns a new doc, or NULL. */
struct doc *doc_json_patch(const struct doc *doc, const struct doc *patch, struct err *err);
