#pragma once
/* The inside of a parsed YAML file; for this room only. */
#include "codec/yaml.h"

/* Where a value stood. */
struct spot {
    int line, col; /* 1-based */
    bool quoted;   /* a scalar in quotes or a block scalar */
    bool merged;   /* a member that came through a merge key */
};

struct root {
    struct doc *doc;
    struct spot spot;
};

struct yaml_file {
    char *name;
    struct root *roots;
    size_t count;
    struct places *places;
};

/* Spots by container, and by container and key or index. */
struct places *places_new(void);
void places_free(struct places *places);
void places_put(struct places *places, const struct doc *container, struct spot spot);
void places_put_key(struct places *places, const struct doc *object, const char *key, struct spot spot);
void places_put_index(struct places *places, const struct doc *array, size_t index, struct spot spot);
/* NULL when unknown. Borrowed, until the next put. */
struct spot *places_get(const struct places *places, const struct doc *container);
struct spot *places_get_key(const struct places *places, const struct doc *object, const char *key);
struct spot *places_get_index(const struct places *places, const struct doc *array, size_t index);
/* Gives everything in `to`, an equal copy of `from`, the spots of `from`. */
void places_copy(struct places *places, const struct doc *from, const struct doc *to);

/* What an unquoted scalar means: null, a boolean, a number, else a string. NULL when it is a number that
   JSON or 64 bits cannot hold; *problem then says so. */
struct doc *yaml_scalar(struct view text, const char **problem);
