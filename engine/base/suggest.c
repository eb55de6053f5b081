#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>

enum { WORD_MAX = 64 };

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* The "optimal string alignment" form: three rows of the table are enough, and no pair of bytes is
   edited twice, which is what a slip of the fingers looks like. */
int suggest_distance(const char *a, const char *b, int max)
{
    size_t a_len = strlen(a), b_len = strlen(b);
    int rows[3][WORD_MAX + 1];

    if (a_len > WORD_MAX || b_len > WORD_MAX || abs((int)a_len - (int)b_len) > max)
        return max + 1;
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = (int)j;
    for (size_t i = 1; i <= a_len; i++) {
        int *now = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];

        now[0] = (int)i;
        for (size_t j = 1; j <= b_len; j++) {
            int cost = a[i - 1] != b[j - 1];

            now[j] = least(least(up[j] + 1, now[j - 1] + 1), up[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], upper[j - 2] + 1);
        }
    }
    return least(rows[a_len % 3][b_len], max + 1);
}

static int near_enough(const char *word)
{
    size_t len = strlen(word);

    return len < 2 ? 0 : len < 4 ? 1 : 2;
}

void suggest_init(struct suggest *suggest, const char *word)
{
    *suggest = (struct suggest){.word = word, .distance = near_enough(word) + 1};
}

void suggest_try(struct suggest *suggest, const char *name)
{
    int distance = suggest_distance(suggest->word, name, suggest->distance);

    if (distance < suggest->distance) {
        suggest->distance = distance;
        suggest->found = name;
    }
}

const char *suggest_nearest(const char *word, const char *const *names, size_t count)
{
    struct suggest suggest;

    suggest_init(&suggest, word);
    for (size_t i = 0; i < count; i++)
        suggest_try(&suggest, names[i]);
    return suggest.found;
}
