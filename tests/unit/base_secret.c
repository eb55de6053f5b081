#include "base/digest.h"
#include "base/secret.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN "\xef\xb7\x90"
#define CLOSE "\xef\xb7\x91"

static struct marks *new_marks(void)
{
    return marks_new(view_of("run key"));
}

static char *secret_mark(struct marks *marks, const char *plain)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    marks_add_secret(marks, &out, view_of(plain));
    return buf_take(&out);
}

static void check_redacted(struct marks *marks, const char *text, const char *want)
{
    struct buf out;

    buf_init(&out, SIZE_MAX);
    marks_redact(marks, view_of(text), &out);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
}

TEST(marks_are_the_same_in_every_process)
{
    struct marks *a = new_marks(), *b = new_marks(), *c = marks_new(view_of("other key"));
    char *one = secret_mark(a, "hunter22"), *two = secret_mark(b, "hunter22"), *three = secret_mark(c, "hunter22");

    CHECK_INT(strlen(one), 3 + 1 + 32 + 3);
    CHECK(strncmp(one, OPEN "s", 4) == 0);
    CHECK_TEXT(two, one);
    CHECK(strcmp(one, three) != 0);
    free(one);
    free(two);
    free(three);
    marks_free(a);
    marks_free(b);
    marks_free(c);
    marks_free(NULL);
}

TEST(marks_are_found_by_kind)
{
    struct marks *marks = new_marks();
    struct buf text;

    buf_init(&text, SIZE_MAX);
    CHECK_INT(marks_find(view_of("")), MARK_NONE);
    CHECK_INT(marks_find(view_of("caf\xc3\xa9 \xef\xbc\x81 \xef")), MARK_NONE);
    buf_add_text(&text, "a\xef");
    marks_add_secret(marks, &text, view_of(""));
    CHECK_INT(marks_find(buf_view(&text)), MARK_SECRET);
    marks_add_unknown(marks, &text, "step image");
    CHECK_INT(marks_find(buf_view(&text)), MARK_SECRET | MARK_UNKNOWN);
    CHECK_INT(marks_find(view_of(OPEN "s123")), MARK_UNKNOWN);
    CHECK_INT(marks_find(view_of("123" CLOSE)), MARK_UNKNOWN);
    buf_free(&text);
    marks_free(marks);
}

TEST(marks_reveal_puts_the_plain_text_in)
{
    struct marks *marks = new_marks();
    struct err err = ERR_INIT;
    struct buf text, out;
    char *mark = secret_mark(marks, "hunter22");

    buf_init(&text, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    buf_addf(&text, "user:%s@%s!", mark, mark);
    CHECK_INT(marks_reveal(marks, buf_view(&text), &out, &err), 0);
    CHECK_TEXT(buf_text(&out), "user:hunter22@hunter22!");
    buf_reset(&text);
    buf_reset(&out);
    buf_add_text(&out, "kept ");
    buf_addf(&text, "%s and ", mark);
    marks_add_unknown(marks, &text, "step image");
    CHECK_INT(marks_reveal(marks, buf_view(&text), &out, &err), -1);
    CHECK_TEXT(err.message, "a value that is only known after step image cannot be used yet");
    CHECK_INT(out.len, 5);
    free(mark);
    buf_free(&text);
    buf_free(&out);
    marks_free(marks);
}

TEST(marks_reveal_refuses_what_is_not_whole)
{
    struct marks *marks = new_marks(), *others = marks_new(view_of("other"));
    char *mark = secret_mark(marks, "hunter22"), *foreign = secret_mark(others, "hunter22");
    struct err err = ERR_INIT;
    struct buf out;

    buf_init(&out, SIZE_MAX);
    for (size_t len = 3; len < strlen(mark); len++)
        CHECK_INT(marks_reveal(marks, (struct view){mark, len}, &out, &err), -1);
    for (size_t skip = 1; skip < strlen(mark) - 3; skip++)
        CHECK_INT(marks_reveal(marks, view_of(mark + skip), &out, &err), -1);
    CHECK_INT(marks_reveal(marks, view_of(foreign), &out, &err), -1);
    mark[10] = 'Z';
    CHECK_INT(marks_reveal(marks, view_of(mark), &out, &err), -1);
    CHECK_INT(out.len, 0);
    free(mark);
    free(foreign);
    buf_free(&out);
    marks_free(marks);
    marks_free(others);
}

TEST(marks_that_were_encoded_are_refused)
{
    static const char token[] = "0123456789abcdef0123456789abcdef";
    static const char *const before[] = {"%EF%B7%90s", "p=%ef%b7%90u", "\\ufdd0s", "\\uFDD0s"};
    struct marks *marks = new_marks();
    struct err err = ERR_INIT;
    struct buf text, out;

    buf_init(&text, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        buf_reset(&text);
        buf_addf(&text, "%s%s", before[i], token);
        CHECK_INT(marks_find(buf_view(&text)), MARK_UNKNOWN);
        CHECK_INT(marks_reveal(marks, buf_view(&text), &out, &err), -1);
        CHECK_INT(marks_find((struct view){text.ptr, text.len - 1}), MARK_NONE);
    }
    CHECK_INT(marks_reveal(marks, view_of("%EF%B7%90 and \\ufdd0 in a text"), &out, &err), 0);
    CHECK_TEXT(buf_text(&out), "%EF%B7%90 and \\ufdd0 in a text");
    buf_free(&text);
    buf_free(&out);
    marks_free(marks);
}

TEST(marks_by_the_thousand)
{
    struct marks *marks = new_marks();
    struct err err = ERR_INIT;
    struct buf text, out, want;

    buf_init(&text, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    buf_init(&want, SIZE_MAX);
    for (int i = 0; i < 1000; i++) {
        char plain[32];

        snprintf(plain, sizeof(plain), "secret number %d", i);
        marks_add_secret(marks, &text, view_of(plain));
        buf_add_text(&want, plain);
    }
    CHECK_INT(marks_reveal(marks, buf_view(&text), &out, &err), 0);
    CHECK_TEXT(buf_text(&out), buf_text(&want));
    buf_free(&text);
    buf_free(&out);
    buf_free(&want);
    marks_free(marks);
}

TEST(redaction_shows_marks_as_words)
{
    struct marks *marks = new_marks();
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_text(&text, "p=");
    marks_add_secret(marks, &text, view_of("x"));
    buf_add_text(&text, " i=");
    marks_add_unknown(marks, &text, "step image");
    check_redacted(marks, buf_text(&text), "p=(secret) i=(known after step image)");
    check_redacted(marks, "cut " OPEN "s12 and " CLOSE, "cut (not known)s12 and (not known)");
    check_redacted(marks, "x is too short to be looked for", "x is too short to be looked for");
    buf_free(&text);
    marks_free(marks);
}

TEST(redaction_finds_plain_texts_in_every_form)
{
    struct marks *marks = new_marks();
    static const char plain[] = "p\"a/s <w>&\n\xc3\xa9?~";

    free(secret_mark(marks, plain));
    check_redacted(marks, "x", "x");
    check_redacted(marks, plain, "(secret)");
    check_redacted(marks, "<p\"a/s <w>&\n\xc3\xa9?~>", "<(secret)>");
    check_redacted(marks, "{\"a\":\"p\\\"a/s <w>&\\n\xc3\xa9?~\"}", "{\"a\":\"(secret)\"}");
    check_redacted(marks, "p\\\"a\\/s <w>&\\n\xc3\xa9?~", "(secret)");
    check_redacted(marks, "p\\\"a/s \\u003cw\\u003e\\u0026\\n\xc3\xa9?~", "(secret)");
    check_redacted(marks, "q=p%22a%2Fs%20%3Cw%3E%26%0A%C3%A9%3F~&", "q=(secret)&");
    check_redacted(marks, "q=p%22a%2fs%20%3cw%3e%26%0a%c3%a9%3f~&", "q=(secret)&");
    check_redacted(marks, "q=p%22a%2Fs+%3Cw%3E%26%0A%C3%A9%3F~&", "q=(secret)&");
    check_redacted(marks, "0x7022612f73203c773e260ac3a93f7e", "0x(secret)");
    check_redacted(marks, "7022612F73203C773E260AC3A93F7E", "(secret)");
    check_redacted(marks, "p\"a/s <w>&\n\xc3\xa9?", "p\"a/s <w>&\n\xc3\xa9?");
    marks_free(marks);
}

/* Whatever stands around a secret before it is encoded, no piece of its base64 stays that holds 12 bits of it. */
TEST(redaction_finds_base64_at_every_alignment)
{
    static const char *const plains[] = {"hunter", "hunter2", "hunter22", "\xff\xfe\xfd\xfc\xfb\xfa\xf9"};
    struct buf text, encoded, out;

    buf_init(&text, SIZE_MAX);
    buf_init(&encoded, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    for (size_t p = 0; p < sizeof(plains) / sizeof(plains[0]); p++) {
        struct marks *marks = new_marks();

        free(secret_mark(marks, plains[p]));
        for (int before = 0; before < 7; before++) {
            for (int after = 0; after < 7; after++) {
                for (int url = 0; url < 2; url++) {
                    size_t rest;

                    buf_reset(&text);
                    buf_reset(&encoded);
                    buf_reset(&out);
                    buf_addf(&text, "%.*s%s%.*s", before, "ABCDEFG", plains[p], after, "HIJKLMN");
                    url ? base64url_add(&encoded, buf_view(&text)) : base64_add(&encoded, buf_view(&text));
                    marks_redact(marks, buf_view(&encoded), &out);
                    CHECK(strstr(buf_text(&out), "(secret)") != NULL);
                    rest = out.len - strlen("(secret)");
                    CHECK(rest <= (size_t)(before * 8 / 6 + 4 + after * 8 / 6));
                }
            }
        }
        marks_free(marks);
    }
    buf_free(&text);
    buf_free(&encoded);
    buf_free(&out);
}

TEST(redaction_finds_the_lines_of_a_secret)
{
    struct marks *marks = new_marks();

    free(secret_mark(marks, "hunter22\n"));
    free(secret_mark(marks, "-----BEGIN KEY-----\r\n  MIIEvQIBADANBgkqhkiG\nshort\n"));
    check_redacted(marks, "login with hunter22 failed", "login with (secret) failed");
    check_redacted(marks, "aHVudGVyMjIK aHVudGVyMjI=", "(secret) (secret)");
    check_redacted(marks, "1: MIIEvQIBADANBgkqhkiG\n2: short", "1: (secret)\n2: short");
    marks_free(marks);
}

TEST(redaction_prefers_the_longer_secret)
{
    struct marks *marks = new_marks();

    free(secret_mark(marks, "hunter"));
    free(secret_mark(marks, "hunter22"));
    check_redacted(marks, "hunter22 hunter2 hunte", "(secret) (secret)2 hunte");
    marks_free(marks);
}

static int seal(void *ctx, struct view in, struct buf *out, struct err *err)
{
    if (ctx)
        return err_set(err, ERR_INTERNAL, "no key");
    for (size_t i = 0; i < in.len; i++)
        buf_add_char(out, (char)(in.ptr[i] ^ 0x55));
    return 0;
}

TEST(sealed_marks_come_back_as_marks)
{
    struct marks *marks = new_marks(), *later = new_marks();
    struct err err = ERR_INIT;
    struct buf text, sealed, back, plain;
    bool fail = true;

    buf_init(&text, SIZE_MAX);
    buf_init(&sealed, SIZE_MAX);
    buf_init(&back, SIZE_MAX);
    buf_init(&plain, SIZE_MAX);
    buf_add_text(&text, "a ");
    marks_add_secret(marks, &text, view_of("hunter22"));
    buf_add_text(&text, " b ");
    marks_add_unknown(marks, &text, "step image");
    CHECK_INT(marks_seal(marks, buf_view(&text), seal, NULL, &sealed, &err), 0);
    CHECK(strstr(buf_text(&sealed), OPEN "x") != NULL);
    CHECK(strstr(buf_text(&sealed), "hunter22") == NULL);
    CHECK_INT(marks_reveal(marks, buf_view(&sealed), &plain, &err), -1);
    CHECK_INT(marks_unseal(later, buf_view(&sealed), seal, NULL, &back, &err), 0);
    CHECK_TEXT(buf_text(&back), buf_text(&text));
    buf_reset(&plain);
    CHECK_INT(marks_reveal(later, (struct view){back.ptr, 2 + 39 + 3}, &plain, &err), 0);
    CHECK_TEXT(buf_text(&plain), "a hunter22 b ");
    CHECK_INT(marks_seal(marks, buf_view(&text), seal, &fail, &sealed, &err), -1);
    CHECK_INT(marks_unseal(later, view_of(OPEN "x!!" CLOSE), seal, NULL, &back, &err), -1);
    CHECK_INT(marks_unseal(later, buf_view(&sealed), seal, &fail, &back, &err), -1);
    CHECK_TEXT(err.message, "no key");
    buf_free(&text);
    buf_free(&sealed);
    buf_free(&back);
    buf_free(&plain);
    marks_free(marks);
    marks_free(later);
}

TEST(secrets_without_a_mark_are_sealed_and_come_back_as_they_stood)
{
    static const char line[] =
        "{\"a\":\"it said hun\\\"ter22 and aHVuInRlcjIy.\",\"n\":123456,\"b\":\"123456 \\nabcdef\"}";
    struct marks *marks = new_marks(), *later = new_marks();
    struct err err = ERR_INIT;
    struct buf ignored, sealed, back, shown;

    buf_init(&ignored, SIZE_MAX);
    buf_init(&sealed, SIZE_MAX);
    buf_init(&back, SIZE_MAX);
    buf_init(&shown, SIZE_MAX);
    marks_add_secret(marks, &ignored, view_of("hun\"ter22"));
    marks_add_secret(marks, &ignored, view_of("123456"));
    marks_add_secret(marks, &ignored, view_of("nabcdef"));
    CHECK_INT(marks_seal(marks, view_of(line), seal, NULL, &sealed, &err), 0);
    CHECK(strstr(buf_text(&sealed), OPEN "y") != NULL);
    CHECK(strstr(buf_text(&sealed), "ter22") == NULL);
    CHECK(strstr(buf_text(&sealed), "aHVuInRlcjIy") == NULL);
    CHECK(strstr(buf_text(&sealed), "\"n\":123456,") != NULL); /* outside of strings it would be no JSON any more */
    CHECK(strstr(buf_text(&sealed), "\"b\":\"123456") == NULL);
    CHECK(strstr(buf_text(&sealed), "\\nabcdef\"}") != NULL); /* nor in the middle of an escape */
    marks_redact(later, buf_view(&sealed), &shown);
    CHECK_TEXT(buf_text(&shown),
               "{\"a\":\"it said (secret) and (secret).\",\"n\":123456,\"b\":\"(secret) \\nabcdef\"}");
    CHECK_INT(marks_unseal(later, buf_view(&sealed), seal, NULL, &back, &err), 0);
    CHECK_TEXT(buf_text(&back), line);
    buf_reset(&shown);
    marks_redact(later, view_of("it was hun\\\"ter22"), &shown);
    CHECK_TEXT(buf_text(&shown), "it was (secret)");
    buf_free(&ignored);
    buf_free(&sealed);
    buf_free(&back);
    buf_free(&shown);
    marks_free(marks);
    marks_free(later);
}
