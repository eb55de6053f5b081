#pragma once
/* A service that answers by rules, for tests of resources whose kind is data. */
#include "aws/aws.h"
#include "aws_world.h"

enum { LAB_RULES_MAX = 24 };

struct lab_rule {
    const char *operation;
    const char *with; /* something in the request's body, or NULL */
    int times;        /* how often it answers; 0: always */
    int status;       /* 0: no connection */
    const char *body;
};

struct lab {
    struct aws_world world;
    struct marks *marks;
    struct aws *aws;
    struct lab_rule rules[LAB_RULES_MAX];
    size_t rules_len;
    struct buf asked; /* "Operation {body}\n" of each request */
};

void lab_init(struct lab *lab);
void lab_clear(struct lab *lab);
/* Of those that fit a request the first that has answers left counts. */
void lab_rule(struct lab *lab, const char *operation, const char *with, int times, int status, const char *body);
int lab_count(const struct lab *lab, const char *text); /* how often it stands in what was asked */
struct doc *lab_doc(const char *json); /* ' stands for ", ~ for '; so it does in rules' bodies */
