#pragma once
/* The codes themselves, sorted; read through explain.h. */
#include "cli/explain.h"
#include <stddef.h>

extern const struct explain explain_table[];
extern const size_t explain_table_len;
