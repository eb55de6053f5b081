#pragma once
/* The undo words that need no service's client: none, http.request, file.restore. */
#include "change/change.h"

void undo_builtin(struct changes *changes);

/* undo_http.c, undo_file.c */
struct undo_handler undo_http_handler(struct changes *changes);
struct undo_handler undo_file_handler(struct changes *changes);

/* What a file is, as look finds it and file.restore takes it: {missing = true} or {content, mode}.
   content is text, or {"base64": ...} when it is not UTF-8. */
struct doc *file_state(struct world *world, const char *path, struct err *err);
int file_state_put(struct world *world, const char *path, const struct doc *state, struct err *err)
    __attribute__((warn_unused_result));
