#pragma once
/*
 * A world for the tests of configuration and credentials: files, variables and programs by table, answers by a function
 * of the test, virtual time.
 */
#include "aws/credentials.h"
#include "base/list.h"
#include "world/world.h"

enum { AWS_WORLD_MAX = 64 };

struct aws_world_pair {
    char *name, *value;
};

/* What was asked; header gives a header's value or "". */
struct aws_world_ask {
    const char *method, *url, *body;
    const struct exchange_request *request;
    int count; /* from 1 */
};
const char *aws_world_header(const struct aws_world_ask *ask, const char *name);

struct aws_world_answer {
    int status; /* 0: no connection */
    char *body; /* free()d */
    const char *date; /* a header, or NULL */
    int64_t delay_ms;
    bool never; /* no answer at all: until the timeout */
};
typedef void aws_world_fn(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer);

struct aws_world {
    struct world base; /* first */
    int64_t now_ms;
    struct aws_world_pair files[AWS_WORLD_MAX], variables[AWS_WORLD_MAX];
    size_t files_len, variables_len;
    aws_world_fn *serve;
    void *ctx;
    const char *program_output, *program_complaint; /* of any program */
    int program_status;
    struct list due;
    struct buf log; /* "PUT http://... \n", "run a|b|c\n" */
    int exchanges, programs;
    struct http *http;
    struct aws_config *config;
};

/* It is 2030-01-01T00:00:00Z. */
void aws_world_init(struct aws_world *world);
void aws_world_clear(struct aws_world *world);
void aws_world_file(struct aws_world *world, const char *path, const char *text); /* replaces */
const char *aws_world_read(const struct aws_world *world, const char *path);     /* "" */
void aws_world_set(struct aws_world *world, const char *name, const char *value);
void aws_world_run(struct aws_world *world); /* until nothing is left to come */
void aws_world_wait(struct aws_world *world, int64_t ms);
/* HOME is /home/ann. On an error the text of it goes to unit_fail, unless err is given. */
struct aws_config *aws_world_config(struct aws_world *world, const char *profile, struct err *err);
