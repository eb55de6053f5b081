#pragma once
/* Inside the store: the key beside the journals, and texts whose secret marks are sealed under it. */
#include "store/store.h"

struct world *store_world(const struct store *store);

/* Reads the key file; a missing one is an error, as nothing sealed could be opened. Once is enough. */
int store_key_load(struct store *store, struct err *err) __attribute__((warn_unused_result));
const unsigned char *store_key(const struct store *store); /* SEAL_KEY_SIZE bytes, after store_key_load */

int store_seal_text(const unsigned char *key, struct marks *marks, struct view text, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
int store_unseal_text(struct marks *marks, const unsigned char *key, struct view text, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
