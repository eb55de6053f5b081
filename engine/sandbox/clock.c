/*
 * Virtual time. Nothing sleeps: a turn sets the clock to the next timer's time and runs what is due.
 * A binary heap ordered by (due, sequence), so that equal times keep the order of calls.
 */
#include "sandbox/core.h"

#include <assert.h>
#include <stdlib.h>

struct sim_timer {
    struct timer door; /* first: what the engine holds */
    struct sim *sim;
    int64_t due_ms;
    uint64_t sequence;
    size_t at; /* its place in the heap */
    timer_fn *fn;
    void *ctx;
    bool wanted;
};

static bool earlier(const struct sim_timer *a, const struct sim_timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->sequence < b->sequence;
}

static void heap_put(struct sim_clock *clock, size_t at, struct sim_timer *timer)
{
    clock->heap[at] = timer;
    timer->at = at;
}

static void heap_up(struct sim_clock *clock, size_t at)
{
    struct sim_timer *timer = clock->heap[at];

    while (at > 0 && earlier(timer, clock->heap[(at - 1) / 2])) {
        heap_put(clock, at, clock->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(clock, at, timer);
}

static void heap_down(struct sim_clock *clock, size_t at)
{
    struct sim_timer *timer = clock->heap[at];

    for (size_t child = 2 * at + 1; child < clock->len; child = 2 * at + 1) {
        if (child + 1 < clock->len && earlier(clock->heap[child + 1], clock->heap[child]))
            child++;
        if (!earlier(clock->heap[child], timer))
            break;
        heap_put(clock, at, clock->heap[child]);
        at = child;
    }
    heap_put(clock, at, timer);
}

static void heap_remove(struct sim_clock *clock, struct sim_timer *timer)
{
    size_t at = timer->at;
    struct sim_timer *last = clock->heap[--clock->len];

    assert(clock->heap[at] == timer);
    if (last != timer) {
        heap_put(clock, at, last);
        heap_down(clock, at);
        heap_up(clock, last->at);
    }
    if (timer->wanted)
        timer->sim->wanted--;
}

struct sim_timer *sim_timer_new(struct sim *sim, int64_t delay_ms, timer_fn *fn, void *ctx, bool wanted)
{
    struct sim_clock *clock = &sim->clock;
    struct sim_timer *timer = mem_alloc(sizeof(*timer));

    timer->door.world = &sim->world;
    timer->sim = sim;
    timer->due_ms = clock->now_ms + (delay_ms > 0 ? delay_ms : 0);
    timer->sequence = clock->sequence++;
    timer->fn = fn;
    timer->ctx = ctx;
    timer->wanted = wanted;
    if (wanted)
        sim->wanted++;
    if (clock->len == clock->cap) {
        clock->cap = clock->cap ? 2 * clock->cap : 64;
        clock->heap = mem_grow(clock->heap, clock->cap, sizeof(struct sim_timer *));
    }
    heap_put(clock, clock->len++, timer);
    heap_up(clock, clock->len - 1);
    return timer;
}

struct timer *sim_timer_door(struct sim_timer *timer)
{
    return &timer->door;
}

struct sim_timer *sim_timer_of(struct timer *door)
{
    return (struct sim_timer *)(void *)door;
}

struct sim_timer *sim_after(struct sim *sim, int64_t delay_ms, void (*fn)(void *ctx), void *ctx)
{
    return sim_timer_new(sim, delay_ms, fn, ctx, false);
}

void sim_timer_stop(struct sim_timer *timer)
{
    if (!timer)
        return;
    heap_remove(&timer->sim->clock, timer);
    free(timer);
}

int64_t sim_now_ms(struct sim *sim)
{
    return sim->clock.now_ms;
}

/* What is added in this turn waits for the next one, also when it is due at once. */
bool sim_clock_turn(struct sim *sim)
{
    struct sim_clock *clock = &sim->clock;
    uint64_t barrier = clock->sequence;

    if (clock->len == 0)
        return false;
    if (clock->heap[0]->due_ms > clock->now_ms) {
        clock->now_ms = clock->heap[0]->due_ms;
        sim_log_now(sim);
    }
    while (clock->len > 0 && clock->heap[0]->due_ms <= clock->now_ms && clock->heap[0]->sequence < barrier) {
        struct sim_timer *timer = clock->heap[0];
        timer_fn *fn = timer->fn;
        void *ctx = timer->ctx;

        heap_remove(clock, timer);
        free(timer);
        fn(ctx);
        sim_store_flush(sim->store); /* before the next event, which may be the answer to this one */
    }
    return true;
}

void sim_clock_free(struct sim *sim)
{
    for (size_t i = 0; i < sim->clock.len; i++)
        free(sim->clock.heap[i]);
    free(sim->clock.heap);
    sim->clock = (struct sim_clock){0};
}
