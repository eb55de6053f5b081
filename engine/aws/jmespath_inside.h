#pragma once
/* The tree of an expression, between its parser, the walk over it and the functions. */
#include "aws/jmespath.h"

enum {
    JMESPATH_TEXT_MAX = 64 << 10,
    JMESPATH_DEPTH_MAX = 200,      /* of the tree and of the parser's recursion */
    JMESPATH_STEPS_MAX = 10000000, /* values visited or made by a search: [@, @] doubles with every pipe */
};

enum node_type {
    NODE_CURRENT,
    NODE_FIELD,   /* text */
    NODE_LITERAL, /* literal */
    NODE_INDEX,   /* number[0] */
    NODE_SLICE,   /* number[start, stop, step], given[] */
    NODE_SUB,     /* list[1] of what list[0] gives; a pipe too: it only ends projections, which the parser does */
    NODE_PROJECTION,        /* list[1] of each element of list[0] */
    NODE_VALUE_PROJECTION,  /* of each member's value */
    NODE_FILTER_PROJECTION, /* of those elements for which list[2] holds */
    NODE_FLATTEN,
    NODE_COMPARE, /* operation */
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_LIST, /* multi-select */
    NODE_HASH, /* the same with names */
    NODE_CALL, /* function of list */
    NODE_EXPRESSION, /* &expression: only as an argument */
};

enum compare { COMPARE_EQUAL, COMPARE_UNEQUAL, COMPARE_LESS, COMPARE_LESS_EQUAL, COMPARE_MORE, COMPARE_MORE_EQUAL };

struct function;

struct jmespath {
    enum node_type type;
    int depth; /* 1: has no children */
    enum compare operation;
    char *text;
    struct doc *literal;
    int64_t number[3];
    bool given[3];
    const struct function *function;
    struct jmespath **list;
    char **names;
    size_t len;
};

struct search {
    size_t steps;
    struct err *err;
};

/* A new reference; NULL with err. */
struct doc *jmespath_eval(struct search *search, const struct jmespath *node, const struct doc *value);
bool jmespath_true(const struct doc *value);
/* Counts visits against the maximum; -1 with err beyond it. */
int jmespath_step(struct search *search, size_t count) __attribute__((warn_unused_result));
int jmespath_step_all(struct search *search, const struct doc *value) __attribute__((warn_unused_result));
/* By value: 1 equals 1.0. -1 with err. */
int jmespath_equal(struct search *search, const struct doc *a, const struct doc *b) __attribute__((warn_unused_result));

const struct function *jmespath_function(struct view name, struct err *err);
int jmespath_arity(const struct function *function, size_t given, struct err *err) __attribute__((warn_unused_result));
struct doc *jmespath_call(struct search *search, const struct jmespath *call, const struct doc *value);
