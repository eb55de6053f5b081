#pragma once
/* Requests to the simulated AWS made by hand, signed by a signer of the tests' own (AWS's five steps, canonical input). */
#include "sandbox_core.h"

struct ask {
    const char *service;  /* in the scope */
    const char *method;   /* NULL: POST */
    const char *url;      /* its query sorted and encoded already */
    const char *target;   /* X-Amz-Target */
    const char *type;     /* Content-Type; NULL: a form */
    const char *body;     /* NULL: none */
    const char *header, *value;      /* one more, signed */
    const char *key, *secret, *token; /* NULL: the sandbox's own */
    const char *region;   /* NULL: eu-central-1 */
    int skew_s;           /* of the client's clock */
    bool changes;
};

/* The simulated cloud in memory (folder NULL), with a fault or NULL. */
struct sim *aws_open(const char *folder, const char *fault);
void aws_ask(struct got *got, struct sim *sim, struct ask ask);
/* Asks and checks the status; the body, to be freed. "" and a failed check when there was no answer. */
char *aws_said(struct sim *sim, int status, struct ask ask);
/* The text between <name> and </name> or after "name":", to be freed; "" when it is not there. */
char *aws_word(const char *body, const char *name);

/* A form to a query service: "sts", "Action=..." without Version. */
struct ask aws_form(const char *service, const char *body);
struct ask aws_ecr(const char *operation, const char *body);
struct ask aws_s3(const char *method, const char *url, const char *body);
#define CHECK_SAYS(sim, status, ask, ...) aws_check_says(__FILE__, __LINE__, sim, status, ask, __VA_ARGS__, NULL)
/* The answer has this status and holds each of these texts. */
void aws_check_says(const char *file, int line, struct sim *sim, int status, struct ask ask, ...);
