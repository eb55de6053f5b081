#include "unit.h"

#include "base/suggest.h"

TEST(suggest_counts_slips)
{
    CHECK_INT(suggest_distance("deploy", "deploy", 2), 0);
    CHECK_INT(suggest_distance("delpoy", "deploy", 2), 1);
    CHECK_INT(suggest_distance("deply", "deploy", 2), 1);
    CHECK_INT(suggest_distance("deployy", "deploy", 2), 1);
    CHECK_INT(suggest_distance("dxplxy", "deploy", 2), 2);
    CHECK_INT(suggest_distance("", "ab", 2), 2);
    CHECK_INT(suggest_distance("ca", "abc", 3), 3); /* no pair is edited twice */
    CHECK_INT(suggest_distance("abcdef", "uvwxyz", 2), 3);
    CHECK_INT(suggest_distance("a", "abcdefgh", 2), 3);
}

TEST(suggest_ends_for_long_words)
{
    char word[200];

    for (int i = 0; i < 199; i++)
        word[i] = 'a';
    word[199] = '\0';
    CHECK_INT(suggest_distance(word, word, 2), 3);
}

TEST(suggest_takes_the_nearest)
{
    const char *names[] = {"plan", "plans", "resume"};

    CHECK_TEXT(suggest_nearest("plna", names, 3), "plan");
    CHECK_TEXT(suggest_nearest("planss", names, 3), "plans");
    CHECK_TEXT(suggest_nearest("restume", names, 3), "resume");
    CHECK_TEXT(suggest_nearest("rollback", names, 3), NULL);
    CHECK_TEXT(suggest_nearest("", names, 3), NULL);
}

TEST(suggest_is_strict_with_short_words)
{
    const char *names[] = {"ab", "v"};

    CHECK_TEXT(suggest_nearest("xy", names, 1), NULL);
    CHECK_TEXT(suggest_nearest("ax", names, 1), "ab");
    CHECK_TEXT(suggest_nearest("w", names + 1, 1), NULL);
}
