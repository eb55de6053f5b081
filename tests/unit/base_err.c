#include "base/err.h"
#include "unit.h"

#include <string.h>

TEST(err_set_starts_anew)
{
    struct err err = ERR_INIT;

    err.status = 500;
    err_explain(&err, "K1");
    CHECK_INT(err_set(&err, ERR_MISSING, "no %s\r\n\n", "x"), -1);
    CHECK_INT(err.kind, ERR_MISSING);
    CHECK_INT(err.status, 0);
    CHECK_INT(err.retry_after_ms, -1);
    CHECK_TEXT(err.explain, "");
    CHECK_TEXT(err.message, "no x");
    err_set(&err, ERR_USAGE, "again: %s", err.message);
    CHECK_TEXT(err.message, "again: no x");
}

TEST(err_context_goes_in_front)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_NETWORK, "reset");
    err.status = 7;
    CHECK_INT(err_context(&err, "PATCH %s", "/x"), -1);
    err_context(&err, "step game");
    CHECK_TEXT(err.message, "step game: PATCH /x: reset");
    CHECK_INT(err.status, 7);
    CHECK_INT(err.kind, ERR_NETWORK);
}

TEST(err_keeps_the_deepest_explanation)
{
    struct err err = ERR_INIT;

    err_explain(&err, "K104");
    err_explain(&err, "R9");
    CHECK_TEXT(err.explain, "K104");
    err_clear(&err);
    CHECK_TEXT(err.explain, "");
}

TEST(err_cuts_long_messages_between_characters)
{
    struct err err = ERR_INIT;
    char text[4096];

    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[sizeof(text) - 2] = '\0';
    for (int front = 0; front < 2; front++) {
        err_set(&err, ERR_SERVER, "%s%s", front ? "x" : "", text);
        CHECK(strlen(err.message) < sizeof(err.message));
        CHECK_TEXT(err.message + strlen(err.message) - 3, "...");
        CHECK_INT((unsigned char)err.message[strlen(err.message) - 4], 0xa4);
        err_context(&err, "%s", "ab");
        CHECK(strncmp(err.message, "ab: ", 4) == 0);
        CHECK_TEXT(err.message + strlen(err.message) - 3, "...");
    }
    err_set(&err, ERR_SERVER, "deep cause");
    err_context(&err, "%s", text);
    CHECK(strstr(err.message, "...: deep cause") != NULL);
}

TEST(err_kinds_have_names)
{
    for (int kind = ERR_NONE; kind <= ERR_INTERNAL; kind++)
        CHECK_INT(err_kind_from_name(err_kind_name((enum err_kind)kind)), kind);
    CHECK_TEXT(err_kind_name(ERR_UNKNOWN_OUTCOME), "unknown-outcome");
    CHECK_TEXT(err_kind_name((enum err_kind)99), "internal");
    CHECK_INT(err_kind_from_name("nonsense"), ERR_INTERNAL);
    CHECK_INT(err_kind_from_name(NULL), ERR_INTERNAL);
}
