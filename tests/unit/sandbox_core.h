#pragma once
/*
 * A server of the tests' own for the sandbox's core: https://tiny.test keeps texts by path.
 *   PUT /x text · GET /x · POST /x adds "+" to it · DELETE /x · GET /watch streams each change
 *   GET /slow answers after 5 s · GET /later/N sets /late after N ms, answers at once
 */
#include "sandbox/core.h"

struct got {
    int heads, ends;
    int status;
    char retry_after[16], type[64], version[16];
    struct buf body;
    bool failed;
    struct err err;
    int64_t ended_ms; /* virtual time of the end */
    struct sim *sim;
};

struct send {
    bool changes, backward;
    uint64_t attempt; /* 0: the next */
    uint64_t logical; /* 0: its own */
    int64_t timeout_ms, idle_ms;
    const char *body;
};

struct sim *tiny_open(const char *folder, const char *fault, const char *crash);
struct sim *tiny_open_seed(const char *folder, const char *fault, const char *crash, uint64_t seed);
const char *tiny_get(struct sim *sim, const char *path); /* as the server has it, NULL when it has none */
int tiny_handled(struct sim *sim);                       /* requests that the server saw */
const char *tiny_fault(struct sim *sim);                 /* the last state fault that it was handed */

struct exchange *got_send(struct got *got, struct sim *sim, const char *method, const char *url, struct send send);
struct exchange *got_send_headers(struct got *got, struct sim *sim, const char *method, const char *url,
                                  const struct header *headers, size_t headers_len);
struct exchange *got_send_request(struct got *got, struct sim *sim, const char *method, const char *url,
                                  const struct header *headers, size_t headers_len, const char *body, bool changes);
void got_await(struct got *got);
/* Both; url below https://tiny.test */
void got_call(struct got *got, struct sim *sim, const char *method, const char *path, struct send send);
void got_clear(struct got *got);

/* A new folder below $TMPDIR, removed by folder_remove with all that is in it. */
char *folder_new(void);
void folder_remove(char *folder);
void run_for(struct sim *sim, int64_t ms); /* virtual */
int child_run(void (*fn)(void *ctx), void *ctx); /* in a fork; its exit code */
