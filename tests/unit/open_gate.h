#pragma once
/* For tests below `change`: a gate of http that is open at once and remembers nothing. */
#include "http/http.h"

static inline void open_gate_enter(void *ctx, struct http_call *call, const struct http_request *request, uint64_t attempt,
                                   uint64_t logical)
{
    (void)ctx;
    (void)request;
    (void)attempt;
    (void)logical;
    http_gate_open(call, NULL);
}

static inline void open_gate_leave(void *ctx, const struct http_request *request, uint64_t attempt,
                                   const struct http_answer *answer, const struct err *err)
{
    (void)ctx;
    (void)request;
    (void)attempt;
    (void)answer;
    (void)err;
}

static inline struct http_gate open_gate(void)
{
    return (struct http_gate){.enter = open_gate_enter, .leave = open_gate_leave};
}
