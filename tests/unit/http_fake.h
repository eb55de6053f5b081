#pragma once
/* A world without sockets: answers by script, virtual time, everything that happens in one log. */
#include "base/list.h"
#include "world/world.h"

struct fake_answer {
    int status; /* 0: err is told instead of a head */
    const char *name, *value; /* a header, or NULL */
    const char *body;         /* NULL: none */
    size_t body_repeat;       /* times more that the body is given */
    enum err_kind err;        /* after head and body, when there are any; ERR_NONE: it is whole */
    bool maybe_done;
    bool hangs; /* no end */
};

struct fake {
    struct world base; /* first */
    int64_t now_ms;
    const struct fake_answer *answers; /* one for each exchange; the last one goes on */
    size_t answers_len, answers_used;
    struct list due;
    struct buf log; /* "GET https://... {body}\n", "wait 100\n", "crash 1\n" */
};

void fake_init(struct fake *fake, const struct fake_answer *answers, size_t len);
void fake_clear(struct fake *fake);
/* Until nothing is left to come. */
void fake_run(struct fake *fake);
