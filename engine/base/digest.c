#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { NONCE_SIZE = 12, TAG_SIZE = 16 };

struct digest {
    EVP_MD_CTX *evp;
};

/* libcrypto fails here only without memory, or when it lacks SHA-256 or AES: both beyond repair. */
static void must(int ok)
{
    if (ok != 1)
        abort();
}

void digest_sha1_hex(struct view data, char out[41])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    struct buf text;

    must(EVP_Digest(data.ptr ? data.ptr : "", data.len, sum, NULL, EVP_sha1(), NULL));
    buf_init(&text, 40);
    hex_add(&text, (struct view){(const char *)sum, 20});
    memcpy(out, buf_text(&text), 41);
    buf_free(&text);
}

struct digest *digest_new(void)
{
    struct digest *digest = mem_alloc(sizeof(*digest));

    digest->evp = EVP_MD_CTX_new();
    must(digest->evp && EVP_DigestInit_ex(digest->evp, EVP_sha256(), NULL));
    return digest;
}

void digest_add(struct digest *digest, struct view data)
{
    must(EVP_DigestUpdate(digest->evp, data.ptr, data.len));
}

void digest_finish(struct digest *digest, unsigned char out[SHA256_SIZE])
{
    must(EVP_DigestFinal_ex(digest->evp, out, NULL));
    EVP_MD_CTX_free(digest->evp);
    free(digest);
}

/* Four bytes a step: table[k][b] is the CRC of byte b followed by k zero bytes. */
static uint32_t crc_table[4][256];

static void crc_table_fill(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;

        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (crc & 1 ? 0x82f63b78u : 0);
        crc_table[0][b] = crc;
    }
    for (int k = 1; k < 4; k++) {
        for (uint32_t b = 0; b < 256; b++)
            crc_table[k][b] = (crc_table[k - 1][b] >> 8) ^ crc_table[0][crc_table[k - 1][b] & 255];
    }
}

uint32_t digest_crc32c(uint32_t crc, const void *data, size_t len)
{
    const unsigned char *at = data;

    if (!crc_table[0][1])
        crc_table_fill();
    crc = ~crc;
    for (; len >= 4; len -= 4, at += 4) {
        crc ^= (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        crc = crc_table[3][crc & 255] ^ crc_table[2][crc >> 8 & 255] ^ crc_table[1][crc >> 16 & 255] ^
              crc_table[0][crc >> 24];
    }
    while (len--)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *at++) & 255];
    return ~crc;
}

void seal_add(struct buf *out, const unsigned char key[SEAL_KEY_SIZE], const unsigned char nonce[12],
              struct view context, struct view plain)
{
    EVP_CIPHER_CTX *evp = EVP_CIPHER_CTX_new();
    unsigned char *cipher = mem_array(plain.len, 1), tag[TAG_SIZE];
    int len;

    if (plain.len > INT_MAX || context.len > INT_MAX)
        abort(); /* callers seal tokens and passwords */
    must(evp && EVP_EncryptInit_ex(evp, EVP_aes_256_gcm(), NULL, key, nonce));
    if (context.len)
        must(EVP_EncryptUpdate(evp, NULL, &len, (const unsigned char *)context.ptr, (int)context.len));
    if (plain.len)
        must(EVP_EncryptUpdate(evp, cipher, &len, (const unsigned char *)plain.ptr, (int)plain.len));
    must(EVP_EncryptFinal_ex(evp, tag, &len));
    must(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag));
    EVP_CIPHER_CTX_free(evp);
    buf_add(out, nonce, NONCE_SIZE);
    buf_add(out, cipher, plain.len);
    buf_add(out, tag, TAG_SIZE);
    free(cipher);
}

int seal_open(struct buf *out, const unsigned char key[SEAL_KEY_SIZE], struct view context, struct view sealed,
              struct err *err)
{
    const unsigned char *bytes = (const unsigned char *)sealed.ptr;
    unsigned char *plain, tag[TAG_SIZE];
    EVP_CIPHER_CTX *evp;
    size_t size;
    int len, ok;

    if (sealed.len < NONCE_SIZE + TAG_SIZE || sealed.len > INT_MAX || context.len > INT_MAX)
        return err_set(err, ERR_USAGE, "the sealed text is damaged: its length is wrong");
    size = sealed.len - NONCE_SIZE - TAG_SIZE;
    memcpy(tag, bytes + sealed.len - TAG_SIZE, TAG_SIZE);
    plain = mem_array(size, 1);
    evp = EVP_CIPHER_CTX_new();
    must(evp && EVP_DecryptInit_ex(evp, EVP_aes_256_gcm(), NULL, key, bytes));
    if (context.len)
        must(EVP_DecryptUpdate(evp, NULL, &len, (const unsigned char *)context.ptr, (int)context.len));
    if (size)
        must(EVP_DecryptUpdate(evp, plain, &len, bytes + NONCE_SIZE, (int)size));
    must(EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag));
    ok = EVP_DecryptFinal_ex(evp, tag, &len);
    EVP_CIPHER_CTX_free(evp);
    if (ok == 1)
        buf_add(out, plain, size);
    OPENSSL_cleanse(plain, size);
    free(plain);
    if (ok != 1)
        return err_set(err, ERR_USAGE, "the sealed text does not open: another key, or it was changed");
    return 0;
}
