#pragma once
/* Quantities ("500m", "1Gi") in the form the API server writes them. Source: "Quantity" of the API reference. */
#include "base/buf.h"

/* Adds the canonical form; false when text is none. */
bool quantity_canonical(struct buf *out, const char *text);
/* In thousandths; INT64_MAX when it does not fit or is none. */
int64_t quantity_milli(const char *text);
