#pragma once
/*
 * The inside of the real world, shared by the real_*.c files and nobody else: the loop, the queue
 * of what the next turn delivers, and what keeps a turn waiting.
 */
#include "base/list.h"
#include "world/world.h"

#include <uv.h>

struct real_net;
struct real_process;

/* Something that the next turn delivers without waiting: a timer of 0 ms, a failure to start. */
struct real_ready {
    struct list link;
    void (*fn)(struct real_ready *ready);
};

struct real {
    struct world base; /* first: a struct world is one of these */
    struct world_ops ops;
    uv_loop_t loop;
    struct list ready;     /* struct real_ready */
    struct list timers;    /* struct real_timer */
    int pending;           /* timers, exchanges and processes that a turn waits for */
    bool turning;          /* a callback must not turn the world */
    bool polling;          /* inside uv_run: new work must not wait for the next event */
    unsigned char key[32]; /* of world_random */

    uv_signal_t interrupt, terminate;
    signal_fn *signal;
    void *signal_ctx;

    struct real_net *net; /* NULL until the first exchange */

    uv_signal_t child_ended;
    struct list processes; /* struct real_process */
    int processes_len;
};

static inline struct real *real_of(struct world *world)
{
    return (struct real *)(void *)world;
}

/* Work was added that no descriptor announces: uv_run, when it is under way, must not wait. */
void real_wake(struct real *real);

/* For each timer's callback: libuv runs timers before it waits, so what they led to (an answer that was there at once) must
 * end the turn; it would wait for the next event. */
static inline void real_timer_came(const uv_timer_t *uv)
{
    real_wake(LIST_OF(uv->loop, struct real, loop));
}
void real_ready_add(struct real *real, struct real_ready *ready, void (*fn)(struct real_ready *));

/* Network: connects what was started, frees what was cancelled. Outside of curl's callbacks only. */
void real_net_pump(struct real *real);
void real_net_free(struct real *real);
struct exchange *real_exchange_start(struct world *world, const struct exchange_request *request,
                                     const struct exchange_fns *fns, void *ctx);
void real_exchange_cancel(struct exchange *exchange);
void real_drop_connections(struct world *world);

/* Processes. */
void real_process_init(struct real *real);
void real_process_free(struct real *real); /* kills every group and reaps it */
struct process *real_process_start(struct world *world, const struct process_request *request,
                                   const struct process_fns *fns, void *ctx);
void real_process_cancel(struct process *process);
