#pragma once
/* The cast behind struct doc, and the text forms that the writers share; for this room only. */
#include "codec/doc.h"

#include <jansson.h>

static inline json_t *json_of(const struct doc *doc) { return (json_t *)(uintptr_t)doc; }

/* Where jansson's values live (doc_pool.c). */
void *doc_pool_alloc(size_t size);
void doc_pool_free(void *ptr);

/* The shortest decimal text that reads back as the same double; always with a point or an exponent. */
void json_add_real(struct buf *out, double value);
/* A quoted string, escapes only where JSON needs them. */
void json_add_string(struct buf *out, struct view text);
