#pragma once
/* Did you mean: the nearest of the names that would have been right. */
#include <stddef.h>

struct suggest {
    const char *word;  /* what was typed; borrowed */
    const char *found; /* the nearest name so far, borrowed; NULL: none is near enough */
    int distance;
};

/* Damerau's distance (one insertion, deletion, change, or swap of neighbours each costs 1), counted
   in bytes; max + 1 stands for everything beyond max. Words over 64 bytes are beyond any max. */
int suggest_distance(const char *a, const char *b, int max);

/* Offer every name with suggest_try, then read `found`. Near enough is a distance of at most 2, of
   at most 1 for words of two or three bytes, 0 for a single one; the first of equals wins. */
void suggest_init(struct suggest *suggest, const char *word);
void suggest_try(struct suggest *suggest, const char *name);

/* The same over an array; NULL when nothing is near. */
const char *suggest_nearest(const char *word, const char *const *names, size_t count);
