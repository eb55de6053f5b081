#pragma once
/* Inside the store: what a line of a journal is bound by, for its writer and its reader. */
#include "base/buf.h"

enum {
    JOURNAL_LINE_MAX = 64 << 20,
    JOURNAL_FILE_MAX = 512 << 20,
    JOURNAL_PREV_HEX = 32,
    JOURNAL_CRC_HEX = 8,
};

/* The "prev" of the line that follows this one (without its line feed). */
void journal_chain(struct view line, char prev[JOURNAL_PREV_HEX + 1]);
