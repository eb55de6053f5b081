#include "unit.h"

#include "base/checksum.h"
#include "base/digest.h"

#include <string.h>

static void check_hex(const char *name, const char *data, const char *want)
{
    enum checksum_kind kind = checksum_find(view_of(name));
    struct checksum *checksum;
    unsigned char sum[CHECKSUM_SIZE_MAX];
    struct buf hex;

    REQUIRE(kind != CHECKSUM_NONE);
    checksum = checksum_new(kind);
    for (size_t i = 0; i < strlen(data); i += 3) /* in pieces */
        checksum_add(checksum, (struct view){data + i, strlen(data + i) < 3 ? strlen(data + i) : 3});
    buf_init(&hex, 1000);
    hex_add(&hex, (struct view){(const char *)sum, checksum_finish(checksum, sum)});
    CHECK_TEXT(buf_text(&hex), want);
    buf_free(&hex);
}

TEST(checksums_have_their_check_values)
{
    /* The catalogue's: the sum of "123456789". RFC 1321, RFC 3174, FIPS 180-4 for "abc". */
    check_hex("CRC32", "123456789", "cbf43926");
    check_hex("crc32c", "123456789", "e3069283");
    check_hex("CRC64NVME", "123456789", "ae8b14860a799888");
    check_hex("md5", "abc", "900150983cd24fb0d6963f7d28e17f72");
    check_hex("sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check_hex("SHA256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check_hex(
        "sha512", "abc",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce"
        "80e2a9ac94fa54ca49f");
    check_hex("crc64nvme", "", "0000000000000000");
    CHECK(checksum_find(view_of("crc")) == CHECKSUM_NONE);
    CHECK(checksum_find(view_of("")) == CHECKSUM_NONE);
    CHECK(checksum_find(view_of("sha2566666666666666666666")) == CHECKSUM_NONE);
}

TEST(checksums_in_base64_at_once)
{
    struct buf out;

    buf_init(&out, 100);
    checksum_add_base64(&out, CHECKSUM_CRC32, view_of("hello world"));
    CHECK_TEXT(buf_text(&out), "DUoRhQ==");
    buf_free(&out);
}

TEST(crc64_of_long_data_is_that_of_its_pieces)
{
    char data[1000];
    struct checksum *whole = checksum_new(CHECKSUM_CRC64NVME), *pieces = checksum_new(CHECKSUM_CRC64NVME);
    unsigned char a[CHECKSUM_SIZE_MAX], b[CHECKSUM_SIZE_MAX];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)(i * 7);
    checksum_add(whole, (struct view){data, sizeof(data)});
    for (size_t i = 0; i < sizeof(data); i++)
        checksum_add(pieces, (struct view){data + i, 1});
    CHECK(checksum_finish(whole, a) == 8 && checksum_finish(pieces, b) == 8);
    CHECK(memcmp(a, b, 8) == 0);
}

TEST(gzip_is_the_same_each_time_and_ends_with_its_size)
{
    struct buf a, b;
    char data[5000];

    memset(data, 'x', sizeof(data));
    buf_init(&a, 10000);
    buf_init(&b, 10000);
    gzip_add(&a, (struct view){data, sizeof(data)});
    gzip_add(&b, (struct view){data, sizeof(data)});
    CHECK(view_equal(buf_view(&a), buf_view(&b)));
    REQUIRE(a.len > 18 && a.len < 200);
    CHECK((unsigned char)a.ptr[0] == 0x1f && (unsigned char)a.ptr[1] == 0x8b);
    CHECK((unsigned char)a.ptr[a.len - 4] == (5000 & 255) && (unsigned char)a.ptr[a.len - 3] == 5000 >> 8);
    buf_free(&a);
    buf_free(&b);
}
