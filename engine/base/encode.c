/* Hex and base64 (RFC 4648): the encodings that digest.h promises. */
#include "base/digest.h"

static const char STANDARD[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char URL_SAFE[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void hex_add(struct buf *out, struct view data)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < data.len; i++) {
        unsigned char byte = (unsigned char)data.ptr[i];

        buf_add(out, (char[2]){digits[byte >> 4], digits[byte & 15]}, 2);
    }
}

static void encode(struct buf *out, struct view data, const char *alphabet, bool pad)
{
    const unsigned char *in = (const unsigned char *)data.ptr;

    for (size_t i = 0; i < data.len; i += 3) {
        size_t left = data.len - i;
        uint32_t bits =
            (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? (uint32_t)in[i + 2] : 0);
        char quad[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63], left > 1 ? alphabet[bits >> 6 & 63] : '=',
                        left > 2 ? alphabet[bits & 63] : '='};

        buf_add(out, quad, pad || left > 2 ? 4 : left + 1);
    }
}

void base64_add(struct buf *out, struct view data)
{
    encode(out, data, STANDARD, true);
}

void base64url_add(struct buf *out, struct view data)
{
    encode(out, data, URL_SAFE, false);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

int base64_parse(struct buf *out, struct view text, struct err *err)
{
    size_t start = out->len, count = 0, pads = 0;
    uint32_t bits = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int value = value_of(c);

        if (c == '\n' || c == '\r')
            continue;
        if (c == '=') {
            pads++;
            continue;
        }
        if (value < 0 || pads) {
            out->len = start;
            return err_set(err, ERR_USAGE, "not base64: byte %zu does not belong there", i + 1);
        }
        bits = bits << 6 | (uint32_t)value;
        if (count % 4 != 0)
            buf_add_char(out, (char)(bits >> (6 - 2 * (count % 4)) & 255));
        count++;
    }
    if (count % 4 == 1 || (pads && (count + pads) % 4 != 0) || pads > 2) {
        out->len = start;
        return err_set(err, ERR_USAGE, "not base64: the text is cut short");
    }
    return 0;
}
