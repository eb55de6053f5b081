/*
 * Secrets under the key beside the journals. Sealed text is the base64 of nonce, ciphertext and tag. The nonce is an
 * HMAC of the plain text under the same key: it comes twice for equal texts only, in whatever process and world.
 */
#include "store/seal.h"

#include "base/digest.h"
#include "base/secret.h"

#include <string.h>

enum { NONCE_SIZE = 12 };

struct sealer {
    const unsigned char *key;
};

static const struct view CONTEXT = {"dosrun journal 1", 16};

static void nonce_of(const unsigned char *key, struct view plain, unsigned char nonce[NONCE_SIZE])
{
    unsigned char mac[SHA256_SIZE], part[SHA256_SIZE];

    digest_hmac_sha256((struct view){(const char *)key, SEAL_KEY_SIZE}, CONTEXT, part);
    digest_hmac_sha256((struct view){(const char *)part, sizeof(part)}, plain, mac);
    memcpy(nonce, mac, NONCE_SIZE);
    secret_wipe(part, sizeof(part));
}

static int seal_one(void *ctx, struct view in, struct buf *out, struct err *err)
{
    const struct sealer *sealer = ctx;
    unsigned char nonce[NONCE_SIZE];
    struct buf sealed;

    (void)err;
    nonce_of(sealer->key, in, nonce);
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

int store_seal_text(const unsigned char *key, struct marks *marks, struct view text, struct buf *out, struct err *err)
{
    struct sealer sealer = {.key = key};

    return marks_seal(marks, text, seal_one, &sealer, out, err);
}

int store_unseal_text(struct marks *marks, const unsigned char *key, struct view text, struct buf *out, struct err *err)
{
    struct sealer sealer = {.key = key};

    return marks_unseal(marks, text, unseal_one, &sealer, out, err);
}
