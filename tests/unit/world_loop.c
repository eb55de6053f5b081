/* The real world's loop: timers, signals, random, attempts. */
#include "unit.h"

#include "world/world.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

struct trace {
    struct world *world;
    char text[64];
    struct timer *other;
};

static void mark(struct trace *trace, const char *text)
{
    strncat(trace->text, text, sizeof(trace->text) - strlen(trace->text) - 1);
}

static void fire_a(void *ctx)
{
    mark(ctx, "a");
}

static void fire_b(void *ctx)
{
    mark(ctx, "b");
}

static void fire_chain(void *ctx)
{
    struct trace *trace = ctx;

    mark(trace, "c");
    timer_start(trace->world, 0, fire_a, trace);
}

static void fire_stop(void *ctx)
{
    struct trace *trace = ctx;

    mark(trace, "s");
    timer_stop(trace->other);
}

TEST(loop_without_work_does_not_wait)
{
    struct world *world = world_real_new();

    CHECK(!world_turn(world));
    CHECK(!world_is_sandbox(world));
    world_free(world);
}

TEST(loop_timers_fire_in_order_and_once)
{
    struct trace trace = {.world = world_real_new()};

    timer_start(trace.world, 20, fire_b, &trace);
    timer_start(trace.world, 5, fire_a, &trace);
    int64_t before = world_mono_ms(trace.world);
    while (world_turn(trace.world))
        ;
    CHECK_TEXT(trace.text, "ab");
    CHECK(world_mono_ms(trace.world) - before >= 19);
    world_free(trace.world);
}

TEST(loop_timer_of_zero_waits_for_the_next_turn)
{
    struct trace trace = {.world = world_real_new()};

    timer_start(trace.world, 0, fire_chain, &trace);
    CHECK_TEXT(trace.text, "");
    CHECK(world_turn(trace.world));
    CHECK_TEXT(trace.text, "c");
    CHECK(world_turn(trace.world));
    CHECK_TEXT(trace.text, "ca");
    CHECK(!world_turn(trace.world));
    world_free(trace.world);
}

TEST(loop_timer_stopped_by_another_never_fires)
{
    struct trace trace = {.world = world_real_new()};

    timer_start(trace.world, 0, fire_stop, &trace);
    trace.other = timer_start(trace.world, 0, fire_a, &trace);
    while (world_turn(trace.world))
        ;
    CHECK_TEXT(trace.text, "s");
    timer_start(trace.world, 1, fire_stop, &trace);
    trace.other = timer_start(trace.world, 1, fire_a, &trace);
    while (world_turn(trace.world))
        ;
    CHECK_TEXT(trace.text, "ss");
    timer_stop(NULL);
    world_free(trace.world);
}

TEST(loop_free_drops_timers)
{
    struct trace trace = {.world = world_real_new()};

    timer_start(trace.world, 0, fire_a, &trace);
    timer_start(trace.world, 100000, fire_b, &trace);
    world_free(trace.world);
    CHECK_TEXT(trace.text, "");
}

static void signal_seen(void *ctx, int number)
{
    mark(ctx, number == SIGINT ? "I" : "T");
}

static void fire_raise(void *ctx)
{
    (void)ctx;
    raise(SIGINT);
    raise(SIGTERM);
}

TEST(loop_signals_are_told_and_do_not_keep_it)
{
    struct trace trace = {.world = world_real_new()};

    world_watch_signals(trace.world, signal_seen, &trace);
    CHECK(!world_turn(trace.world));
    timer_start(trace.world, 0, fire_raise, &trace);
    timer_start(trace.world, 10, fire_a, &trace);
    while (world_turn(trace.world))
        ;
    CHECK_TEXT(trace.text, "ITa");
    world_watch_signals(trace.world, NULL, NULL);
    world_free(trace.world);
}

TEST(loop_random_is_a_function_of_its_purpose)
{
    struct world *world = world_real_new(), *other = world_real_new();
    unsigned char a[100], b[100], c[100], d[16];

    world_random(world, "token 1", a, sizeof(a));
    world_random(world, "token 2", b, sizeof(b));
    world_random(world, "token 1", c, sizeof(c));
    CHECK(memcmp(a, c, sizeof(a)) == 0);
    CHECK(memcmp(a, b, sizeof(a)) != 0);
    CHECK(memcmp(a, a + 32, 32) != 0);
    world_random(world, "token 1", d, sizeof(d));
    CHECK(memcmp(a, d, sizeof(d)) == 0);
    world_random(other, "token 1", c, sizeof(c));
    CHECK(memcmp(a, c, sizeof(a)) != 0);
    world_free(world);
    world_free(other);
}

TEST(loop_attempts_count_from_one)
{
    struct world *world = world_real_new();

    CHECK_INT(world_attempt(world), 1);
    CHECK_INT(world_attempt(world), 2);
    world_crash_point(world, 2, CRASH_SENT); /* nothing happens in the real world */
    CHECK(world_now_ms(world) > INT64_C(1600000000000));
    world_free(world);
}
