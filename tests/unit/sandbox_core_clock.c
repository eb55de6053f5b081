/* Virtual time, timers, random: the same in any process. */
#include "sandbox_core.h"
#include "unit.h"

#include <signal.h>
#include <string.h>

struct row {
    char text[64];
    size_t len;
    struct sim *sim;
};

struct mark {
    struct row *row;
    char sign;
};

static void fired(void *ctx)
{
    struct mark *mark = ctx;

    mark->row->text[mark->row->len++] = mark->sign;
}

TEST(clock_begins_in_2030_and_jumps)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);

    CHECK_INT(world_now_ms(&sim->world), INT64_C(1893456000000));
    CHECK(world_is_sandbox(&sim->world));
    run_for(sim, 3600 * 1000);
    CHECK_INT(world_now_ms(&sim->world), INT64_C(1893459600000));
    CHECK_INT(world_mono_ms(&sim->world), world_now_ms(&sim->world));
    world_free(&sim->world);
}

TEST(clock_keeps_the_order_of_calls_among_equal_times)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct row row = {.sim = sim};
    struct mark marks[8];
    const int64_t delays[8] = {50, 10, 10, 0, 50, 10, 0, 20};

    for (int i = 0; i < 8; i++) {
        marks[i] = (struct mark){&row, (char)('a' + i)};
        timer_start(&sim->world, delays[i], fired, &marks[i]);
    }
    while (world_turn(&sim->world))
        ;
    CHECK_TEXT(row.text, "dgbcfhae");
    world_free(&sim->world);
}

TEST(clock_survives_stops_in_any_order)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct row row = {.sim = sim};
    struct mark marks[40];
    struct timer *timers[40];

    for (int i = 0; i < 40; i++) {
        marks[i] = (struct mark){&row, (char)('0' + i % 10)};
        timers[i] = timer_start(&sim->world, (i * 7) % 40, fired, &marks[i]);
    }
    for (int i = 0; i < 40; i++)
        if (i % 4 != 0)
            timer_stop(timers[(i * 3) % 40]);
    while (world_turn(&sim->world))
        ;
    CHECK_INT(row.len, 10);
    CHECK(!world_turn(&sim->world));
    world_free(&sim->world);
}

static void again(void *ctx)
{
    struct mark *mark = ctx;

    fired(mark);
    if (mark->row->len < 3)
        timer_start(&mark->row->sim->world, 0, again, mark);
}

TEST(clock_runs_a_timer_of_no_delay_in_the_next_turn)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct row row = {.sim = sim};
    struct mark mark = {&row, 'x'};

    timer_start(&sim->world, 0, again, &mark);
    CHECK(world_turn(&sim->world));
    CHECK_INT(row.len, 1);
    CHECK(world_turn(&sim->world));
    CHECK_INT(row.len, 2);
    CHECK(world_turn(&sim->world));
    CHECK(!world_turn(&sim->world));
    world_free(&sim->world);
}

TEST(clock_goes_on_in_the_next_process_of_a_folder)
{
    char *folder = folder_new();
    struct sim *sim = tiny_open(folder, NULL, NULL);

    run_for(sim, 12345);
    world_free(&sim->world);
    sim = tiny_open(folder, NULL, NULL);
    CHECK_INT(world_now_ms(&sim->world), SIM_EPOCH_MS + 12345);
    world_free(&sim->world);
    folder_remove(folder);
}

TEST(clock_is_not_kept_alive_by_servers)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    got_call(&got, sim, "GET", "/later/60000", (struct send){0});
    CHECK(!world_turn(&sim->world));
    CHECK(!tiny_get(sim, "/late"));
    run_for(sim, 60000);
    CHECK_TEXT(tiny_get(sim, "/late"), "here");
    got_clear(&got);
    world_free(&sim->world);
}

TEST(random_follows_from_seed_target_and_purpose)
{
    struct sim *one = tiny_open_seed(NULL, NULL, NULL, 1), *same = tiny_open_seed(NULL, NULL, NULL, 1),
               *other = tiny_open_seed(NULL, NULL, NULL, 2);
    unsigned char a[100], b[100], c[100], d[100];
    char uuid[37], hex[65];

    world_random(&one->world, "run", a, sizeof(a));
    world_random(&one->world, "else", d, sizeof(d));
    world_random(&same->world, "run", b, sizeof(b));
    world_random(&other->world, "run", c, sizeof(c));
    CHECK(memcmp(a, b, sizeof(a)) == 0);
    CHECK(memcmp(a, c, sizeof(a)) != 0);
    CHECK(memcmp(a, d, sizeof(a)) != 0);
    CHECK(memcmp(a, a + 32, 32) != 0);
    sim_uuid(one, "pod", uuid);
    CHECK_INT(strlen(uuid), 36);
    CHECK(uuid[14] == '4' && strchr("89ab", uuid[19]));
    sim_hex(one, "pod", hex, 7);
    CHECK_INT(strlen(hex), 7);
    world_free(&one->world);
    world_free(&same->world);
    world_free(&other->world);
}

struct heard {
    char text[32];
    size_t len;
};

static void heard(void *ctx, int number)
{
    struct heard *heard = ctx;

    heard->text[heard->len++] = number == SIGINT ? 'i' : 't';
}

TEST(signals_come_from_a_turn_and_do_not_keep_the_loop_alive)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct heard what = {{0}, 0};

    world_watch_signals(&sim->world, heard, &what);
    CHECK(!world_turn(&sim->world));
    raise(SIGINT);
    raise(SIGTERM);
    CHECK_INT(what.len, 0);
    CHECK(world_turn(&sim->world));
    CHECK(world_turn(&sim->world));
    CHECK(!world_turn(&sim->world));
    CHECK_TEXT(what.text, "it");
    world_watch_signals(&sim->world, NULL, NULL);
    world_free(&sim->world);
}
