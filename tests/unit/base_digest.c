/* Vectors: FIPS 180-4's "abc", RFC 4231 (HMAC), RFC 3720 B.4 (CRC32C), RFC 4648 section 10, NIST GCM test case 14. */
#include "base/digest.h"
#include "unit.h"

#include <string.h>

static const char *hex_of(struct buf *out, const void *data, size_t len)
{
    buf_reset(out);
    hex_add(out, (struct view){data, len});
    return buf_text(out);
}

TEST(digest_sha1)
{
    char hex[41];

    digest_sha1_hex(VIEW_LITERAL("abc"), hex); /* FIPS 180-2, A.1 */
    CHECK_TEXT(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
    digest_sha1_hex((struct view){0}, hex);
    CHECK_TEXT(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

TEST(sha256)
{
    char hex[SHA256_HEX + 1];
    unsigned char sum[SHA256_SIZE];
    struct digest *digest = digest_new();
    struct buf out;

    buf_init(&out, SIZE_MAX);
    digest_sha256_hex(view_of("abc"), hex);
    CHECK_TEXT(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha256_hex((struct view){NULL, 0}, hex);
    CHECK_TEXT(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_add(digest, view_of("a"));
    digest_add(digest, view_of(""));
    digest_add(digest, view_of("bc"));
    digest_finish(digest, sum);
    CHECK_TEXT(hex_of(&out, sum, sizeof(sum)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    buf_free(&out);
}

TEST(hmac_sha256)
{
    unsigned char sum[SHA256_SIZE];
    char long_key[131];
    struct buf out;

    buf_init(&out, SIZE_MAX);
    digest_hmac_sha256(view_of("Jefe"), view_of("what do ya want for nothing?"), sum);
    CHECK_TEXT(hex_of(&out, sum, sizeof(sum)), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xaa, sizeof(long_key));
    digest_hmac_sha256((struct view){long_key, sizeof(long_key)},
                       view_of("Test Using Larger Than Block-Size Key - Hash Key First"), sum);
    CHECK_TEXT(hex_of(&out, sum, sizeof(sum)), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    digest_hmac_sha256((struct view){NULL, 0}, view_of(""), sum);
    CHECK_TEXT(hex_of(&out, sum, sizeof(sum)), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    buf_free(&out);
}

TEST(hmac_key_is_kept)
{
    unsigned char sum[SHA256_SIZE];
    char hex[SHA256_HEX + 1];
    struct digest_hmac hmac;

    digest_hmac_key(&hmac, view_of("Jefe"));
    for (int i = 0; i < 2; i++) {
        digest_hmac_sum(&hmac, view_of("what do ya want for nothing?"), sum);
        digest_hex(sum, hex);
        CHECK_TEXT(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        digest_hmac_sum(&hmac, view_of(""), sum);
    }
}

TEST(crc32c)
{
    unsigned char bytes[32] = {0};

    CHECK_INT(digest_crc32c(0, "", 0), 0);
    CHECK_INT(digest_crc32c(0, "123456789", 9), 0xe3069283);
    CHECK_INT(digest_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CHECK_INT(digest_crc32c(0, bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    CHECK_INT(digest_crc32c(0, bytes, 32), 0x46dd794e);
    for (size_t cut = 0; cut <= 32; cut++)
        CHECK_INT(digest_crc32c(digest_crc32c(0, bytes, cut), bytes + cut, 32 - cut), 0x46dd794e);
}

TEST(base64)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        buf_reset(&out);
        base64_add(&out, view_of(pairs[i][0]));
        CHECK_TEXT(buf_text(&out), pairs[i][1]);
        buf_reset(&out);
        CHECK_INT(base64_parse(&out, view_of(pairs[i][1]), &err), 0);
        CHECK_TEXT(buf_text(&out), pairs[i][0]);
    }
    buf_reset(&out);
    base64url_add(&out, VIEW_LITERAL("\xfb\xff\xfe\x01"));
    CHECK_TEXT(buf_text(&out), "-__-AQ");
    buf_reset(&out);
    CHECK_INT(base64_parse(&out, view_of("-__-AQ"), &err), 0);
    CHECK(view_equal(buf_view(&out), VIEW_LITERAL("\xfb\xff\xfe\x01")));
    buf_reset(&out);
    CHECK_INT(base64_parse(&out, view_of("Zm9v\r\nYmFy\n"), &err), 0);
    CHECK_TEXT(buf_text(&out), "foobar");
    buf_free(&out);
}

TEST(base64_refuses_damage)
{
    static const char *const wrong[] = {"Z", "Zm9vY", "Zm=v", "Zg=", "Zm9v====", "Zm 9v", "Zm9v!", "===="};
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        buf_reset(&out);
        buf_add_text(&out, "kept");
        if (base64_parse(&out, view_of(wrong[i]), &err) == 0)
            unit_fail(__FILE__, __LINE__, "\"%s\" was taken", wrong[i]);
        CHECK_INT(out.len, 4);
        CHECK_INT(err.kind, ERR_USAGE);
    }
    buf_free(&out);
}

TEST(seal_matches_the_published_vector)
{
    static const unsigned char key[SEAL_KEY_SIZE], nonce[12], zeros[16];
    struct buf sealed, hex;

    buf_init(&sealed, SIZE_MAX);
    buf_init(&hex, SIZE_MAX);
    seal_add(&sealed, key, nonce, view_of(""), (struct view){(const char *)zeros, 16});
    CHECK_TEXT(hex_of(&hex, sealed.ptr + 12, sealed.len - 12),
               "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
    buf_free(&sealed);
    buf_free(&hex);
}

TEST(seal_opens_only_what_was_sealed)
{
    unsigned char key[SEAL_KEY_SIZE] = "key", nonce[12] = "nonce";
    struct err err = ERR_INIT;
    struct buf sealed, plain;

    buf_init(&sealed, SIZE_MAX);
    buf_init(&plain, SIZE_MAX);
    seal_add(&sealed, key, nonce, view_of("run 7"), view_of("pa\xc3\x9fwort"));
    CHECK_INT(sealed.len, 12 + 8 + 16);
    CHECK_INT(seal_open(&plain, key, view_of("run 7"), buf_view(&sealed), &err), 0);
    CHECK_TEXT(buf_text(&plain), "pa\xc3\x9fwort");
    buf_reset(&plain);
    CHECK_INT(seal_open(&plain, key, view_of("run 8"), buf_view(&sealed), &err), -1);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.ptr[i] ^= 1;
        CHECK_INT(seal_open(&plain, key, view_of("run 7"), buf_view(&sealed), &err), -1);
        sealed.ptr[i] ^= 1;
    }
    for (size_t len = 0; len < sealed.len; len++)
        CHECK_INT(seal_open(&plain, key, view_of("run 7"), (struct view){sealed.ptr, len}, &err), -1);
    key[0] ^= 1;
    CHECK_INT(seal_open(&plain, key, view_of("run 7"), buf_view(&sealed), &err), -1);
    CHECK_INT(plain.len, 0);
    buf_reset(&sealed);
    seal_add(&sealed, key, nonce, view_of(""), view_of(""));
    CHECK_INT(seal_open(&plain, key, view_of(""), buf_view(&sealed), &err), 0);
    CHECK_INT(plain.len, 0);
    buf_free(&sealed);
    buf_free(&plain);
}
