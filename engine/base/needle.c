#include "base/needle.h"
#include "base/digest.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Base64 of a secret inside a longer text depends on its place modulo 3: the needle is what holds
 * bits of the secret alone; `before` and `after` are the characters next to it that hold some.
 */
struct needle {
    char *text;
    size_t len;
    int before, after;
    struct needle *next; /* of the same first two bytes' bucket */
};

enum { PAIRS = 1 << 16, BUCKETS = 256 };

/* Most positions of a text are passed with one look at `pairs`, a bit for each first two bytes. */
struct needles {
    unsigned char pairs[PAIRS / 8];
    struct needle *buckets[BUCKETS];
    bool any;
};

struct needles *needles_new(void)
{
    return mem_alloc(sizeof(struct needles));
}

void needles_free(struct needles *needles)
{
    if (!needles)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct needle *needle = needles->buckets[i], *next; needle; needle = next) {
            next = needle->next;
            secret_wipe(needle->text, needle->len);
            free(needle->text);
            free(needle);
        }
    }
    secret_wipe(needles, sizeof(*needles));
    free(needles);
}

static unsigned pair_of(const char *text)
{
    return (unsigned)(unsigned char)text[0] << 8 | (unsigned char)text[1];
}

static void add(struct needles *needles, struct view text, int before, int after)
{
    unsigned pair = pair_of(text.ptr);
    struct needle **bucket = &needles->buckets[(pair ^ pair >> 8) % BUCKETS], *needle;

    for (needle = *bucket; needle; needle = needle->next) {
        if (view_equal((struct view){needle->text, needle->len}, text))
            return;
    }
    needle = mem_alloc(sizeof(*needle));
    *needle =
        (struct needle){.text = mem_view(text), .len = text.len, .before = before, .after = after, .next = *bucket};
    *bucket = needle;
    needles->pairs[pair / 8] |= (unsigned char)(1u << pair % 8);
    needles->any = true;
}

/* A scratch buffer that held a secret: wiped for the next form. */
static void wipe(struct buf *buf)
{
    secret_wipe(buf->ptr, buf->len);
    buf_reset(buf);
}

static void add_base64(struct needles *needles, struct view plain, struct buf *scratch)
{
    static const char zeros[2];
    struct buf shifted;

    buf_init(&shifted, SIZE_MAX);
    for (size_t shift = 0; shift < 3; shift++) {
        size_t skip = shift ? shift + 1 : 0, bits = (shift + plain.len) * 8, end = bits / 6;

        wipe(&shifted);
        buf_add(&shifted, zeros, shift);
        buf_add_view(&shifted, plain);
        for (int url = 0; url < 2; url++) {
            wipe(scratch);
            url ? base64url_add(scratch, buf_view(&shifted)) : base64_add(scratch, buf_view(&shifted));
            add(needles, (struct view){scratch->ptr + skip, end - skip}, shift ? 1 : 0, bits % 6 ? 1 : 0);
        }
    }
    wipe(&shifted);
    buf_free(&shifted);
}

static void url_encode(struct buf *out, struct view plain, const char *digits, const char *blank)
{
    for (size_t i = 0; i < plain.len; i++) {
        unsigned char c = (unsigned char)plain.ptr[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c ? c : ' '))
            buf_add_char(out, (char)c);
        else if (c == ' ')
            buf_add_text(out, blank);
        else
            buf_add(out, (char[3]){'%', digits[c >> 4], digits[c & 15]}, 3);
    }
}

/* The inside of a JSON string. `more` are characters that some writers escape besides: \/ or \u003c. */
static void json_encode(struct buf *out, struct view plain, const char *more)
{
    static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";

    for (size_t i = 0; i < plain.len; i++) {
        char c = plain.ptr[i];
        const char *named = c ? strchr(from, c) : NULL;

        if (named)
            buf_add(out, (char[2]){'\\', to[named - from]}, 2);
        else if (c == '/' && strchr(more, c))
            buf_add_text(out, "\\/");
        else if ((unsigned char)c < 0x20 || (c && strchr(more, c)))
            buf_addf(out, "\\u%04x", (unsigned)(unsigned char)c);
        else
            buf_add_char(out, c);
    }
}

static void add_forms(struct needles *needles, struct view plain)
{
    static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
    static const char *const json_more[] = {"", "/", "<>&"};
    struct buf scratch;

    buf_init(&scratch, SIZE_MAX);
    add(needles, plain, 0, 0);
    add_base64(needles, plain, &scratch);
    for (int form = 0; form < 4; form++) {
        wipe(&scratch);
        url_encode(&scratch, plain, form & 1 ? upper : lower, form & 2 ? "+" : "%20");
        add(needles, buf_view(&scratch), 0, 0);
    }
    for (size_t form = 0; form < 3; form++) {
        wipe(&scratch);
        json_encode(&scratch, plain, json_more[form]);
        add(needles, buf_view(&scratch), 0, 0);
    }
    wipe(&scratch);
    hex_add(&scratch, plain);
    add(needles, buf_view(&scratch), 0, 0);
    for (size_t i = 0; i < scratch.len; i++) {
        if (scratch.ptr[i] >= 'a')
            scratch.ptr[i] = (char)(scratch.ptr[i] - 'a' + 'A');
    }
    add(needles, buf_view(&scratch), 0, 0);
    wipe(&scratch);
    buf_free(&scratch);
}

/* Takes the next line off *text, without the blanks at its ends. */
static struct view take_line(struct view *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    struct view line = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
    size_t taken = line.len + (end != NULL);

    *text = (struct view){text->ptr + taken, text->len - taken};
    while (line.len && strchr(" \t\r", line.ptr[line.len - 1]) && line.ptr[line.len - 1])
        line.len--;
    while (line.len && strchr(" \t\r", line.ptr[0]) && line.ptr[0])
        line = (struct view){line.ptr + 1, line.len - 1};
    return line;
}

void needles_add_secret(struct needles *needles, struct view plain)
{
    size_t lines = 0, least;
    struct view rest = plain, line;

    if (plain.len >= NEEDLE_PLAIN_MIN)
        add_forms(needles, plain);
    while (rest.len)
        lines += take_line(&rest).len > 0;
    least = lines == 1 ? NEEDLE_PLAIN_MIN : NEEDLE_LINE_MIN;
    for (rest = plain; rest.len;) {
        line = take_line(&rest);
        if (line.len >= least && line.len < plain.len)
            add_forms(needles, line);
    }
}

/* The longest needle at this place, NULL when there is none. */
static const struct needle *match(const struct needles *needles, struct view text, size_t at)
{
    const struct needle *best = NULL;
    unsigned pair = pair_of(text.ptr + at);

    if (!(needles->pairs[pair / 8] & 1u << pair % 8))
        return NULL;
    for (const struct needle *needle = needles->buckets[(pair ^ pair >> 8) % BUCKETS]; needle; needle = needle->next) {
        if (needle->len <= text.len - at && (!best || needle->len > best->len) &&
            memcmp(needle->text, text.ptr + at, needle->len) == 0)
            best = needle;
    }
    return best;
}

static bool is_base64(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c && strchr("+/-_=", c));
}

void needles_redact(const struct needles *needles, struct view text, struct buf *out)
{
    size_t done = 0;

    for (size_t at = 0; needles->any && at + 1 < text.len;) {
        const struct needle *needle = match(needles, text, at);
        size_t start = at, end;

        if (!needle) {
            at++;
            continue;
        }
        end = at + needle->len;
        if (needle->before && start > done && is_base64(text.ptr[start - 1]))
            start--;
        if (needle->after && end < text.len && is_base64(text.ptr[end]))
            end++;
        while (needle->after && end < text.len && text.ptr[end] == '=')
            end++;
        buf_add(out, text.ptr + done, start - done);
        buf_add_text(out, "(secret)");
        done = at = end;
    }
    buf_add(out, text.ptr + done, text.len - done);
}
