#pragma once
/* Digests, ciphers and encodings; the one owner of OpenSSL (EVP, SHA-256). */
#include "base/buf.h"
#include "base/err.h"

enum { SHA256_SIZE = 32, SHA256_HEX = 64, SEAL_KEY_SIZE = 32 };

void digest_sha256(struct view data, unsigned char out[SHA256_SIZE]);
void digest_sha256_hex(struct view data, char out[SHA256_HEX + 1]);
void digest_hex(const unsigned char sum[SHA256_SIZE], char out[SHA256_HEX + 1]);
/* Only for names that others make so (the aws CLI's cached tokens): it protects nothing. */
void digest_sha1_hex(struct view data, char out[41]);
void digest_hmac_sha256(struct view key, struct view data, unsigned char out[SHA256_SIZE]);
/* The same for a key that is used often; as secret as the key. */
struct digest_hmac {
    uint32_t inner[8], outer[8];
};
void digest_hmac_key(struct digest_hmac *hmac, struct view key);
void digest_hmac_sum(const struct digest_hmac *hmac, struct view data, unsigned char out[SHA256_SIZE]);
/* CRC-32C (Castagnoli, RFC 3720 appendix B.4); start with crc = 0. */
uint32_t digest_crc32c(uint32_t crc, const void *data, size_t len);

/* Incremental SHA-256, for files that are not loaded. */
struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *digest, struct view data);
void digest_finish(struct digest *digest, unsigned char out[SHA256_SIZE]); /* frees it */

void hex_add(struct buf *out, struct view data); /* lower case */
void base64_add(struct buf *out, struct view data); /* RFC 4648 section 4, padded */
void base64url_add(struct buf *out, struct view data); /* section 5, no padding */
int base64_parse(struct buf *out, struct view text, struct err *err) __attribute__((warn_unused_result)); /* padding optional, line breaks skipped */

/*
 * AES-256-GCM: out = 12 bytes nonce, ciphertext, 16 bytes tag. The nonce is handed in (12 bytes)
 * and must never repeat for a key; `context` is authenticated, not stored.
 */
void seal_add(struct buf *out, const unsigned char key[SEAL_KEY_SIZE], const unsigned char nonce[12],
              struct view context, struct view plain);
int seal_open(struct buf *out, const unsigned char key[SEAL_KEY_SIZE], struct view context,
              struct view sealed, struct err *err) __attribute__((warn_unused_result));
