#pragma once
/* Checksums by the name that a protocol gives them, of bytes as they come; and gzip (RFC 1952). The one owner of zlib. */
#include "base/buf.h"
#include "base/err.h"

enum checksum_kind {
    CHECKSUM_NONE,
    CHECKSUM_CRC32, CHECKSUM_CRC32C,
    CHECKSUM_CRC64NVME, /* NVM Express, NVM Command Set Specification 1.0, 5.2.1.3.4 */
    CHECKSUM_MD5, CHECKSUM_SHA1, /* only where a protocol wants them: they protect against accidents */
    CHECKSUM_SHA256, CHECKSUM_SHA512,
};
enum { CHECKSUM_SIZE_MAX = 64 };

/* "crc32", "CRC64NVME", "sha256", ... of any case; CHECKSUM_NONE for another name. */
enum checksum_kind checksum_find(struct view name);
const char *checksum_name(enum checksum_kind kind); /* lower case */

struct checksum;
struct checksum *checksum_new(enum checksum_kind kind); /* not CHECKSUM_NONE */
void checksum_add(struct checksum *checksum, struct view data);
/* Big end first for the CRCs. Returns the size; frees it. */
size_t checksum_finish(struct checksum *checksum, unsigned char out[CHECKSUM_SIZE_MAX]);
void checksum_free(struct checksum *checksum); /* of one that is not finished; accepts NULL */

/* Of all of data at once, in base64. */
void checksum_add_base64(struct buf *out, enum checksum_kind kind, struct view data);

/* The same bytes for the same data: no name, no time. */
void gzip_add(struct buf *out, struct view data);
