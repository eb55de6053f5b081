#pragma once
/* Durations as people write them: "500ms", "30s", "5m", "1h30m", "2d". */
#include "base/buf.h"
#include "base/err.h"

/* Whole numbers with units, the larger unit first, each once; "0" needs no unit. ERR_USAGE else,
   with the text in the message. At most 10000 days. */
int duration_parse(const char *text, int64_t *ms, struct err *err) __attribute__((warn_unused_result));

/* Adds at most two units: "12ms", "1.4s", "41s", "5m", "5m03s", "1h02m", "3d04h". Negative counts as 0. */
void duration_add(struct buf *out, int64_t ms);
