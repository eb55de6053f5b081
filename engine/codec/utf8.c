#include "codec/utf8.h"

#include <string.h>

size_t utf8_next(struct view text, uint32_t *character)
{
    const unsigned char *at = (const unsigned char *)text.ptr;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t len;

    if (!text.len)
        return 0;
    if (at[0] < 0x80) {
        *character = at[0];
        return 1;
    }
    len = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || len > text.len)
        return 0;
    *character = at[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *character = *character << 6 | (at[i] & 0x3f);
    }
    if (*character < least[len] || *character > 0x10ffff || (*character >= 0xd800 && *character < 0xe000))
        return 0;
    return len;
}

/* Eight bytes, all ASCII and none NUL. */
static bool clean_eight(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t eight;

    memcpy(&eight, bytes, sizeof(eight));
    return ((eight | (eight - ones)) & tops) == 0;
}

/* Length of the clean text at the start. */
static size_t clean_prefix(struct view text)
{
    size_t at = 0, len;
    uint32_t character;

    for (; at < text.len; at += len) {
        if (text.len - at >= 8 && clean_eight(text.ptr + at)) {
            len = 8;
            continue;
        }
        if ((unsigned char)(text.ptr[at] - 1) < 0x7f) { /* ASCII but NUL, the usual case */
            len = 1;
            continue;
        }
        len = utf8_next((struct view){text.ptr + at, text.len - at}, &character);
        if (!len || !character)
            break;
    }
    return at;
}

bool utf8_is_clean(struct view text)
{
    return clean_prefix(text) == text.len;
}

void utf8_add_clean(struct buf *out, struct view text)
{
    while (text.len) {
        size_t clean = clean_prefix(text);

        buf_add(out, text.ptr, clean);
        if (clean == text.len)
            return;
        buf_add_text(out, "\xef\xbf\xbd");
        text.ptr += clean + 1;
        text.len -= clean + 1;
    }
}
