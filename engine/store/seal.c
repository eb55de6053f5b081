/* The key beside the journals. Sealed text is the base64 of nonce, ciphertext and tag. */
#include "store/seal.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdio.h>
#include <string.h>

struct sealer {
    struct store *store;
    const unsigned char *key;
};

static const struct view CONTEXT = {"dosrun journal 1", 16};

static int seal_one(void *ctx, struct view in, struct buf *out, struct err *err)
{
    struct sealer *sealer = ctx;
    unsigned char nonce[12];
    struct buf sealed;
    char purpose[64];

    (void)err;
    snprintf(purpose, sizeof(purpose), "seal %llu", (unsigned long long)store_seal_next(sealer->store));
    world_random(store_world(sealer->store), purpose, nonce, sizeof(nonce));
    buf_init(&sealed, in.len + 64);
    seal_add(&sealed, sealer->key, nonce, CONTEXT, in);
    base64_add(out, buf_view(&sealed));
    buf_free(&sealed);
    return 0;
}

static int unseal_one(void *ctx, struct view in, struct buf *out, struct err *err)
{
    const struct sealer *sealer = ctx;
    struct buf sealed;
    int result;

    buf_init(&sealed, in.len + 64);
    result = base64_parse(&sealed, in, err);
    if (result == 0)
        result = seal_open(out, sealer->key, CONTEXT, buf_view(&sealed), err);
    buf_free(&sealed);
    return result < 0 ? err_context(err, "a sealed secret does not open with the key beside the journal") : 0;
}

int store_seal_text(struct store *store, struct marks *marks, struct view text, struct buf *out, struct err *err)
{
    struct sealer sealer = {.store = store, .key = store_key(store)};

    return marks_seal(marks, text, seal_one, &sealer, out, err);
}

int store_unseal_text(struct marks *marks, const unsigned char *key, struct view text, struct buf *out, struct err *err)
{
    struct sealer sealer = {.key = key};

    return marks_unseal(marks, text, unseal_one, &sealer, out, err);
}
