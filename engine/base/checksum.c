#include "base/checksum.h"

#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

struct checksum {
    enum checksum_kind kind;
    uint64_t crc;
    EVP_MD_CTX *evp; /* of those that are no CRC */
};

static const char *const NAMES[] = {"", "crc32", "crc32c", "crc64nvme", "md5", "sha1", "sha256", "sha512"};

enum checksum_kind checksum_find(struct view name)
{
    for (size_t i = 1; i < sizeof(NAMES) / sizeof(NAMES[0]); i++)
        if (strlen(NAMES[i]) == name.len && strncasecmp(NAMES[i], name.ptr, name.len) == 0)
            return (enum checksum_kind)i;
    return CHECKSUM_NONE;
}

const char *checksum_name(enum checksum_kind kind)
{
    return NAMES[kind];
}

/* ---- CRC-64/NVME: reflected, eight bytes a step ---- */

static uint64_t crc64_table[8][256];

static void crc64_table_fill(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t crc = i;

        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x9a6c9329ac4bc9b5 : crc >> 1;
        crc64_table[0][i] = crc;
    }
    for (unsigned i = 0; i < 256; i++)
        for (int step = 1; step < 8; step++) {
            uint64_t before = crc64_table[step - 1][i];

            crc64_table[step][i] = before >> 8 ^ crc64_table[0][before & 255];
        }
}

static uint64_t crc64nvme(uint64_t crc, struct view data)
{
    const unsigned char *at = (const unsigned char *)data.ptr;
    size_t left = data.len;

    if (!crc64_table[0][1])
        crc64_table_fill();
    crc = ~crc;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t next = 0;

        for (int i = 0; i < 8; i++)
            next ^= crc64_table[7 - i][(crc >> (8 * i) & 255) ^ at[i]];
        crc = next;
    }
    while (left--)
        crc = crc >> 8 ^ crc64_table[0][(crc ^ *at++) & 255];
    return ~crc;
}

/* ---- any of them ---- */

static const EVP_MD *evp_of(enum checksum_kind kind)
{
    switch (kind) {
    case CHECKSUM_MD5:
        return EVP_md5();
    case CHECKSUM_SHA1:
        return EVP_sha1();
    case CHECKSUM_SHA256:
        return EVP_sha256();
    case CHECKSUM_SHA512:
        return EVP_sha512();
    default:
        return NULL;
    }
}

struct checksum *checksum_new(enum checksum_kind kind)
{
    struct checksum *checksum = mem_alloc(sizeof(*checksum));

    checksum->kind = kind;
    if (!evp_of(kind))
        return checksum;
    checksum->evp = EVP_MD_CTX_new();
    if (!checksum->evp || EVP_DigestInit_ex(checksum->evp, evp_of(kind), NULL) != 1)
        abort(); /* out of memory, or an OpenSSL without them */
    return checksum;
}

void checksum_add(struct checksum *checksum, struct view data)
{
    enum { PIECE = 1 << 30 }; /* zlib counts in 32 bits */

    switch (checksum->kind) {
    case CHECKSUM_CRC32:
        for (size_t at = 0; at < data.len; at += PIECE)
            checksum->crc = crc32(checksum->crc, (const Bytef *)data.ptr + at,
                                  (uInt)(data.len - at < PIECE ? data.len - at : PIECE));
        break;
    case CHECKSUM_CRC32C:
        checksum->crc = digest_crc32c((uint32_t)checksum->crc, data.ptr, data.len);
        break;
    case CHECKSUM_CRC64NVME:
        checksum->crc = crc64nvme(checksum->crc, data);
        break;
    default:
        if (EVP_DigestUpdate(checksum->evp, data.ptr, data.len) != 1)
            abort();
    }
}

size_t checksum_finish(struct checksum *checksum, unsigned char out[CHECKSUM_SIZE_MAX])
{
    unsigned size = checksum->kind == CHECKSUM_CRC64NVME ? 8 : 4;

    if (checksum->evp && EVP_DigestFinal_ex(checksum->evp, out, &size) != 1)
        abort();
    for (unsigned i = 0; !checksum->evp && i < size; i++)
        out[i] = (unsigned char)(checksum->crc >> (8 * (size - 1 - i)));
    checksum_free(checksum);
    return size;
}

void checksum_free(struct checksum *checksum)
{
    if (!checksum)
        return;
    EVP_MD_CTX_free(checksum->evp);
    free(checksum);
}

void checksum_add_base64(struct buf *out, enum checksum_kind kind, struct view data)
{
    struct checksum *checksum = checksum_new(kind);
    unsigned char sum[CHECKSUM_SIZE_MAX];

    checksum_add(checksum, data);
    base64_add(out, (struct view){(const char *)sum, checksum_finish(checksum, sum)});
}

void gzip_add(struct buf *out, struct view data)
{
    enum { GZIP_WINDOW = 15 + 16, MEMORY = 8 };
    z_stream stream = {0};
    unsigned char piece[16384];
    int result;

    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        abort(); /* out of memory */
    stream.next_in = (Bytef *)data.ptr;
    stream.avail_in = (uInt)data.len;
    do {
        stream.next_out = piece;
        stream.avail_out = sizeof(piece);
        result = deflate(&stream, Z_FINISH);
        buf_add(out, piece, sizeof(piece) - stream.avail_out);
    } while (result == Z_OK);
    deflateEnd(&stream);
}
