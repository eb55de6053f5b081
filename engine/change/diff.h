#pragma once
/* Differences of two plain documents, field by field. */
#include "codec/doc.h"

/* Array of {path: "a.b[2]", old?, new?}; a missing side is left out. Lists are compared by index. */
struct doc *diff_fields(const struct doc *before, const struct doc *after);
