#pragma once
/*
 * JMESPath (https://jmespath.org/specification.html), whole: waiters, paginators and endpoint contexts use it, and users
 * may (aws.query). Parsed once to a tree; depth and size bounded.
 */
#include "base/err.h"
#include "codec/doc.h"

struct jmespath;
struct jmespath *jmespath_parse(struct view text, struct err *err); /* ERR_USAGE with the column; NULL */
void jmespath_free(struct jmespath *path);
/* A new reference, never NULL without err: nothing found is DOC_NULL. */
struct doc *jmespath_search(const struct jmespath *path, const struct doc *doc, struct err *err);
