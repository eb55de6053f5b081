#include "base/secret.h"
#include "base/digest.h"
#include "base/needle.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

/* U+FDD0, a kind letter, the token, U+FDD1; in a journal the token of a secret gives way to base64: 'x' for what was a
   mark, 'y' for a secret that stood in the text as it is. */
#define MARK_OPEN "\xef\xb7\x90"
#define MARK_CLOSE "\xef\xb7\x91"
enum { EDGE = 3, TOKEN = 32, MARK_SIZE = EDGE + 1 + TOKEN + EDGE };

struct entry {
    char token[TOKEN];
    char kind;  /* 's' or 'u' */
    char *text; /* plain text, or the source of an unknown; NUL terminated all the same */
    size_t len;
};

/* Open addressing, size a power of two, at most half full. */
struct marks {
    char *key;
    size_t key_len;
    struct entry *entries;
    size_t size, count;
    struct needles *needles;
};

/* One mark found in a text. */
struct found {
    size_t start, end;
    char kind;        /* 's', 'u', 'x' or 'y' (sealed), or 0: cut, or not one of ours */
    struct view body; /* between kind letter and end */
};

void secret_wipe(void *ptr, size_t len)
{
    if (ptr)
        OPENSSL_cleanse(ptr, len);
}

struct marks *marks_new(struct view key)
{
    struct marks *marks = mem_alloc(sizeof(*marks));

    marks->key = mem_view(key);
    marks->key_len = key.len;
    marks->size = 16;
    marks->entries = mem_array(marks->size, sizeof(*marks->entries));
    marks->needles = needles_new();
    return marks;
}

void marks_free(struct marks *marks)
{
    if (!marks)
        return;
    for (size_t i = 0; i < marks->size; i++) {
        secret_wipe(marks->entries[i].text, marks->entries[i].len);
        free(marks->entries[i].text);
    }
    free(marks->entries);
    needles_free(marks->needles);
    secret_wipe(marks->key, marks->key_len);
    free(marks->key);
    free(marks);
}

/* The entry of kind and token, or the free one where it belongs. Tokens are HMACs: their own hash. */
static struct entry *slot_of(const struct marks *marks, char kind, const char *token)
{
    uint32_t hash;
    size_t at;

    memcpy(&hash, token, sizeof(hash));
    for (at = (hash * 2654435761u) & (marks->size - 1); marks->entries[at].kind; at = (at + 1) & (marks->size - 1)) {
        if (marks->entries[at].kind == kind && memcmp(marks->entries[at].token, token, TOKEN) == 0)
            break;
    }
    return &marks->entries[at];
}

static void grow(struct marks *marks)
{
    struct entry *old = marks->entries;
    size_t old_size = marks->size;

    marks->size *= 2;
    marks->entries = mem_array(marks->size, sizeof(*old));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].kind)
            *slot_of(marks, old[i].kind, old[i].token) = old[i];
    }
    free(old);
}

static void add_mark(struct marks *marks, struct buf *out, char kind, struct view text)
{
    unsigned char sum[SHA256_SIZE];
    struct entry *entry;
    struct buf token;

    digest_hmac_sha256((struct view){marks->key, marks->key_len}, text, sum);
    buf_init(&token, TOKEN);
    hex_add(&token, (struct view){(const char *)sum, TOKEN / 2});
    entry = slot_of(marks, kind, token.ptr);
    if (!entry->kind) {
        entry->kind = kind;
        memcpy(entry->token, token.ptr, TOKEN);
        entry->text = mem_view(text);
        entry->len = text.len;
        if (kind == 's')
            needles_add_secret(marks->needles, text);
        if (++marks->count * 2 > marks->size)
            grow(marks);
    }
    buf_add_text(out, MARK_OPEN);
    buf_add_char(out, kind);
    buf_add(out, token.ptr, TOKEN);
    buf_add_text(out, MARK_CLOSE);
    buf_free(&token);
}

void marks_add_secret(struct marks *marks, struct buf *out, struct view plain)
{
    add_mark(marks, out, 's', plain);
}

void marks_add_unknown(struct marks *marks, struct buf *out, const char *source)
{
    add_mark(marks, out, 'u', view_of(source));
}

static bool is_token(struct view body)
{
    if (body.len != TOKEN)
        return false;
    for (size_t i = 0; i < TOKEN; i++) {
        if (!(body.ptr[i] >= '0' && body.ptr[i] <= '9') && !(body.ptr[i] >= 'a' && body.ptr[i] <= 'f'))
            return false;
    }
    return true;
}

/* The first mark at or after `from`; a lone half of one counts (kind 0), its extent is that half. */
static bool find_mark(struct view text, size_t from, struct found *found)
{
    const char *at, *close;
    size_t left;

    for (;; from = (size_t)(at - text.ptr) + 1) {
        if (from >= text.len || !(at = memchr(text.ptr + from, MARK_OPEN[0], text.len - from)))
            return false;
        left = text.len - (size_t)(at - text.ptr);
        if (left >= EDGE && (memcmp(at, MARK_OPEN, EDGE) == 0 || memcmp(at, MARK_CLOSE, EDGE) == 0))
            break;
    }
    *found = (struct found){.start = (size_t)(at - text.ptr), .end = (size_t)(at - text.ptr) + EDGE};
    if (memcmp(at, MARK_OPEN, EDGE) != 0 || left < EDGE + 1)
        return true;
    close = memmem(at + EDGE, left - EDGE, MARK_CLOSE, EDGE);
    if (!close || close == at + EDGE)
        return true;
    found->body = (struct view){at + EDGE + 1, (size_t)(close - at) - EDGE - 1};
    if (((at[EDGE] == 's' || at[EDGE] == 'u') && is_token(found->body)) ||
        ((at[EDGE] == 'x' || at[EDGE] == 'y') && !memmem(found->body.ptr, found->body.len, MARK_OPEN, EDGE))) {
        found->kind = at[EDGE];
        found->end = (size_t)(close - text.ptr) + EDGE;
    }
    return true;
}

/* A whole mark in URL or JSON's ASCII form: somebody encoded it, and its plain text can go in no more. */
static bool has_encoded_mark(struct view text)
{
    static const char *const forms[] = {"%EF%B7%90", "%ef%b7%90", "\\ufdd0", "\\uFDD0", "\\uFdd0"};

    if (!text.len || (!memchr(text.ptr, '%', text.len) && !memchr(text.ptr, '\\', text.len)))
        return false;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        size_t size = strlen(forms[i]);
        const char *at = text.ptr, *end = text.ptr + text.len;

        while (at < end && (at = memmem(at, (size_t)(end - at), forms[i], size))) {
            at += size;
            if (end - at > TOKEN && is_token((struct view){at + 1, TOKEN}))
                return true;
        }
    }
    return false;
}

int marks_find(struct view text)
{
    struct found found;
    int kinds = has_encoded_mark(text) ? MARK_UNKNOWN : MARK_NONE;

    for (size_t at = 0; find_mark(text, at, &found); at = found.end)
        kinds |= found.kind == 's' ? MARK_SECRET : MARK_UNKNOWN;
    return kinds;
}

static const struct entry *entry_of(const struct marks *marks, const struct found *found)
{
    const struct entry *entry = slot_of(marks, found->kind, found->body.ptr);

    return entry->kind ? entry : NULL;
}

int marks_reveal(const struct marks *marks, struct view text, struct buf *out, struct err *err)
{
    size_t done = 0, start = out->len;
    struct found found;

    if (has_encoded_mark(text))
        return err_set(err, ERR_USAGE, "a marked value (a secret, or one not known yet) was encoded by the playbook");
    while (find_mark(text, done, &found)) {
        const struct entry *entry = found.kind == 's' || found.kind == 'u' ? entry_of(marks, &found) : NULL;

        if (!entry || found.kind == 'u') {
            if (out->ptr)
                secret_wipe(out->ptr + start, out->len - start);
            out->len = start;
            if (entry)
                return err_set(err, ERR_USAGE, "a value that is only known after %s cannot be used yet", entry->text);
            return err_set(err, ERR_USAGE, "a marked value (a secret, or one not known yet) was cut or changed");
        }
        buf_add(out, text.ptr + done, found.start - done);
        buf_add(out, entry->text, entry->len);
        done = found.end;
    }
    buf_add(out, text.ptr + done, text.len - done);
    return 0;
}

void marks_redact(const struct marks *marks, struct view text, struct buf *out)
{
    size_t done = 0;
    struct found found;

    while (find_mark(text, done, &found)) {
        const struct entry *entry = found.kind == 'u' ? entry_of(marks, &found) : NULL;

        needles_redact(marks->needles, (struct view){text.ptr + done, found.start - done}, out);
        if (found.kind == 's' || found.kind == 'x' || found.kind == 'y')
            buf_add_text(out, "(secret)");
        else if (entry)
            buf_addf(out, "(known after %s)", entry->text);
        else
            buf_add_text(out, "(not known)");
        done = found.end;
    }
    needles_redact(marks->needles, (struct view){text.ptr + done, text.len - done}, out);
}

/* A walk along a line of JSON: whether this place is inside of a string, and not inside of an escape. */
struct quotes {
    struct view text;
    size_t at;
    bool inside;
};

/* Goes on to `to`. False when a quote, or the middle of an escape, is met on the way or there. */
static bool quotes_advance(struct quotes *quotes, size_t to)
{
    bool same = true;

    while (quotes->at < to) {
        char c = quotes->text.ptr[quotes->at++];

        if (c == '\\' && quotes->inside) {
            quotes->at++;
        } else if (c == '"') {
            quotes->inside = !quotes->inside;
            same = false;
        }
    }
    return same && quotes->inside && quotes->at == to;
}

struct sealing {
    const struct marks *marks;
    seal_fn *seal;
    void *ctx;
    struct buf *out, sealed;
    struct quotes quotes;
};

static int add_sealed(struct sealing *sealing, char kind, struct view plain, struct err *err)
{
    buf_reset(&sealing->sealed);
    if (sealing->seal(sealing->ctx, plain, &sealing->sealed, err) != 0)
        return -1;
    buf_add_text(sealing->out, MARK_OPEN);
    buf_add_char(sealing->out, kind);
    base64_add(sealing->out, buf_view(&sealing->sealed));
    buf_add_text(sealing->out, MARK_CLOSE);
    return 0;
}

/* Text without marks: what an answer, a child or a file said of a secret, in whatever form, is sealed as it stands. */
static int seal_between(struct sealing *sealing, size_t from, size_t to, struct err *err)
{
    struct view text = {sealing->quotes.text.ptr, to};
    size_t done = from, at = from, start, end;

    while (needles_next(sealing->marks->needles, text, at, &start, &end)) {
        struct quotes after;

        quotes_advance(&sealing->quotes, start);
        after = sealing->quotes;
        at = start + 1;
        if (!after.inside || after.at != start || !quotes_advance(&after, end))
            continue;
        buf_add(sealing->out, text.ptr + done, start - done);
        if (add_sealed(sealing, 'y', (struct view){text.ptr + start, end - start}, err) < 0)
            return -1;
        sealing->quotes = after;
        done = at = end;
    }
    buf_add(sealing->out, text.ptr + done, to - done);
    return 0;
}

int marks_seal(const struct marks *marks, struct view text, seal_fn *seal, void *ctx, struct buf *out, struct err *err)
{
    struct sealing sealing = {.marks = marks, .seal = seal, .ctx = ctx, .out = out, .quotes = {.text = text}};
    size_t done = 0;
    struct found found;
    int result = 0;

    buf_init(&sealing.sealed, SIZE_MAX);
    for (; result == 0 && find_mark(text, done, &found); done = found.end) {
        const struct entry *entry = found.kind == 's' ? entry_of(marks, &found) : NULL;

        result = seal_between(&sealing, done, found.start, err);
        if (result == 0 && entry)
            result = add_sealed(&sealing, 'x', (struct view){entry->text, entry->len}, err);
        else if (result == 0) /* an unknown stays one; a half of a mark is nobody's secret */
            buf_add(out, text.ptr + found.start, found.end - found.start);
    }
    if (result == 0)
        result = seal_between(&sealing, done, text.len, err);
    buf_free(&sealing.sealed);
    return result;
}

int marks_unseal(struct marks *marks, struct view text, seal_fn *unseal, void *ctx, struct buf *out, struct err *err)
{
    size_t done = 0;
    struct found found;
    struct buf sealed, plain;
    int result = 0;

    buf_init(&sealed, SIZE_MAX);
    buf_init(&plain, SIZE_MAX);
    for (; find_mark(text, done, &found); done = found.end) {
        buf_add(out, text.ptr + done, found.start - done);
        if (found.kind != 'x' && found.kind != 'y') {
            buf_add(out, text.ptr + found.start, found.end - found.start);
            continue;
        }
        buf_reset(&sealed);
        buf_reset(&plain);
        result = base64_parse(&sealed, found.body, err);
        if (result == 0)
            result = unseal(ctx, buf_view(&sealed), &plain, err);
        if (result != 0)
            break;
        if (found.kind == 'x') {
            marks_add_secret(marks, out, buf_view(&plain));
        } else {
            needles_add_secret(marks->needles, buf_view(&plain));
            buf_add_view(out, buf_view(&plain));
        }
        secret_wipe(plain.ptr, plain.len);
    }
    if (result == 0)
        buf_add(out, text.ptr + done, text.len - done);
    secret_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    buf_free(&sealed);
    return result;
}
