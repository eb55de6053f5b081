/*
 * SHA-256 and HMAC of what is in memory, for those who sign much: OpenSSL's functions for this one algorithm, which
 * keep their state on the stack, where the EVP ones allocate it and look the algorithm up (several times as long as the
 * sum of a short text takes).
 */
#define OPENSSL_API_COMPAT 0x10100000L /* they count as deprecated since 3.0 */
#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <string.h>

enum { BLOCK = 64 };

void digest_sha256(struct view data, unsigned char out[SHA256_SIZE])
{
    SHA256_CTX state;

    SHA256_Init(&state);
    SHA256_Update(&state, data.ptr, data.len);
    SHA256_Final(out, &state);
}

void digest_sha256_hex(struct view data, char out[SHA256_HEX + 1])
{
    unsigned char sum[SHA256_SIZE];

    digest_sha256(data, sum);
    digest_hex(sum, out);
}

void digest_hex(const unsigned char sum[SHA256_SIZE], char out[SHA256_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_SIZE; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[SHA256_HEX] = '\0';
}

/* The state after one block: the key's, padded (RFC 2104). */
static void pad(uint32_t state[8], const unsigned char key[BLOCK], unsigned char with)
{
    unsigned char block[BLOCK];
    SHA256_CTX sha;

    for (size_t i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ with;
    SHA256_Init(&sha);
    SHA256_Update(&sha, block, BLOCK);
    memcpy(state, sha.h, sizeof(sha.h));
    OPENSSL_cleanse(block, sizeof(block));
    OPENSSL_cleanse(&sha, sizeof(sha));
}

void digest_hmac_key(struct digest_hmac *hmac, struct view key)
{
    unsigned char block[BLOCK] = {0};

    if (key.len > BLOCK)
        digest_sha256(key, block);
    else if (key.len)
        memcpy(block, key.ptr, key.len);
    pad(hmac->inner, block, 0x36);
    pad(hmac->outer, block, 0x5c);
    OPENSSL_cleanse(block, sizeof(block));
}

static void go_on(const uint32_t state[8], const void *data, size_t len, unsigned char out[SHA256_SIZE])
{
    SHA256_CTX sha;

    SHA256_Init(&sha);
    memcpy(sha.h, state, sizeof(sha.h));
    sha.Nl = BLOCK * 8; /* bits so far */
    SHA256_Update(&sha, data, len);
    SHA256_Final(out, &sha); /* clears it as well */
}

void digest_hmac_sum(const struct digest_hmac *hmac, struct view data, unsigned char out[SHA256_SIZE])
{
    unsigned char sum[SHA256_SIZE];

    go_on(hmac->inner, data.ptr, data.len, sum);
    go_on(hmac->outer, sum, sizeof(sum), out);
}

void digest_hmac_sha256(struct view key, struct view data, unsigned char out[SHA256_SIZE])
{
    struct digest_hmac hmac;

    digest_hmac_key(&hmac, key);
    digest_hmac_sum(&hmac, data, out);
    OPENSSL_cleanse(&hmac, sizeof(hmac));
}
