/*
 * One loop turn: run the tasks that are ready, make what they announced durable, then wait for the
 * world. Bytes leave only in the wait, so one sync serves all intents of a turn.
 */
#include "run/run.h"

#include <stdlib.h>

struct deadline {
    struct timer *timer;
    int64_t at_ms;
};

static void deadline_passed(void *ctx)
{
    struct deadline *deadline = ctx;

    deadline->timer = NULL;
}

/* A timer for the earliest deadline of a task, so that the wait ends in time. */
static void deadline_arm(struct loop *loop, struct deadline *deadline)
{
    int64_t next = loop->script ? script_next_deadline(loop->script) : -1;
    int64_t now = world_mono_ms(loop->world);

    if (deadline->timer && deadline->at_ms == next)
        return;
    timer_stop(deadline->timer);
    deadline->timer = NULL;
    if (next < 0)
        return;
    deadline->at_ms = next;
    deadline->timer = timer_start(loop->world, next > now ? next - now : 0, deadline_passed, deadline);
}

bool loop_until(struct loop *loop, const bool *done)
{
    struct deadline deadline = {0};
    bool alive = true;

    while (!*done && alive) {
        bool busy = false;

        if (loop->script) {
            script_expire(loop->script);
            busy = script_run_ready(loop->script);
        }
        if (loop->turn)
            loop->turn(loop->ctx);
        if (loop->journal && loop->journal_turn(loop->journal))
            busy = true;
        if (busy || *done)
            continue;
        deadline_arm(loop, &deadline);
        alive = world_turn(loop->world);
    }
    timer_stop(deadline.timer);
    return *done;
}
