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

/* Takes the next character off *text; a byte that is no UTF-8 stands for itself. */
static unsigned take_character(struct view *text)
{
    unsigned char c = (unsigned char)text->ptr[0];
    unsigned point = c;
    size_t len = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;

    if (len > text->len)
        len = 1;
    if (len > 1) {
        point = c & (0xffu >> (len + 1));
        for (size_t i = 1; i < len; i++)
            point = point << 6 | ((unsigned char)text->ptr[i] & 0x3f);
    }
    *text = (struct view){text->ptr + len, text->len - len};
    return point;
}

static void json_escape(struct buf *out, unsigned unit, bool upper_case)
{
    if (upper_case)
        buf_addf(out, "\\u%04X", unit);
    else
        buf_addf(out, "\\u%04x", unit);
}

/* A JSON string's inside with every character above ASCII escaped, as many writers do. */
static void json_ascii(struct buf *out, struct view json, bool upper_case)
{
    while (json.len) {
        unsigned point = take_character(&json);

        if (point < 0x80) {
            buf_add_char(out, (char)point);
        } else if (point < 0x10000) {
            json_escape(out, point, upper_case);
        } else {
            json_escape(out, 0xd800 + ((point - 0x10000) >> 10), upper_case);
            json_escape(out, 0xdc00 + ((point - 0x10000) & 0x3ff), upper_case);
        }
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
    struct buf scratch, ascii;

    buf_init(&scratch, SIZE_MAX);
    buf_init(&ascii, SIZE_MAX);
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
        for (int upper_case = 0; upper_case < 2; upper_case++) {
            wipe(&ascii);
            json_ascii(&ascii, buf_view(&scratch), upper_case);
            add(needles, buf_view(&ascii), 0, 0);
        }
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
    wipe(&ascii);
    buf_free(&scratch);
    buf_free(&ascii);
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

bool needles_next(const struct needles *needles, struct view text, size_t from, size_t *start, size_t *end)
{
    const struct needle *needle = NULL;
    size_t at;

    if (!needles->any)
        return false;
    for (at = from; at + 1 < text.len && !(needle = match(needles, text, at)); at++)
        continue;
    if (!needle)
        return false;
    *start = at;
    *end = at + needle->len;
    if (needle->before && at > from && is_base64(text.ptr[at - 1]))
        --*start;
    if (needle->after && *end < text.len && is_base64(text.ptr[*end]))
        ++*end;
    while (needle->after && *end < text.len && text.ptr[*end] == '=')
        ++*end;
    return true;
}

void needles_redact(const struct needles *needles, struct view text, struct buf *out)
{
    size_t done = 0, start, end;

    for (; needles_next(needles, text, done, &start, &end); done = end) {
        buf_add(out, text.ptr + done, start - done);
        buf_add_text(out, "(secret)");
    }
    buf_add(out, text.ptr + done, text.len - done);
}
