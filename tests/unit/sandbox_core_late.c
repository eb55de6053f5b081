/* Effects that come after their client: late requests and crashes, across processes of one folder. */
#include "sandbox_core.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

TEST(late_happens_within_a_minute_and_is_never_answered)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct sim *sim = tiny_open_seed(NULL, "1:late", NULL, seed);
        struct got got;
        int64_t waited = 0;

        got_call(&got, sim, "POST", "/n", (struct send){.changes = true, .timeout_ms = 100});
        CHECK(got.failed && got.err.kind == ERR_TIMEOUT && got.err.maybe_done);
        while (!tiny_get(sim, "/n") && waited < 60000) {
            run_for(sim, 1000);
            waited += 1000;
        }
        CHECK_TEXT(tiny_get(sim, "/n"), "+");
        run_for(sim, 200000);
        CHECK_TEXT(tiny_get(sim, "/n"), "+");
        got_clear(&got);
        world_free(&sim->world);
    }
}

TEST(late_happens_in_the_next_process)
{
    char *folder = folder_new();
    struct sim *sim = tiny_open(folder, "1:late", NULL);
    struct got got;

    got_call(&got, sim, "PUT", "/n", (struct send){.changes = true, .timeout_ms = 10, .body = "\xff\x00binary"});
    got_clear(&got);
    CHECK(!tiny_get(sim, "/n"));
    world_free(&sim->world);
    sim = tiny_open(folder, NULL, NULL);
    CHECK(!tiny_get(sim, "/n"));
    sim_compact(sim);
    world_free(&sim->world);
    sim = tiny_open(folder, NULL, NULL);
    run_for(sim, 60000);
    CHECK(tiny_get(sim, "/n"));
    world_free(&sim->world);
    sim = tiny_open(folder, NULL, NULL);
    got_call(&got, sim, "DELETE", "/n", (struct send){.changes = true});
    got_clear(&got);
    run_for(sim, 200000);
    CHECK(!tiny_get(sim, "/n")); /* not a second time */
    world_free(&sim->world);
    folder_remove(folder);
}

struct crash {
    const char *folder, *point;
    uint64_t attempt;
};

/* A change as the engine makes it: its points passed in order. */
static void change(void *ctx)
{
    struct crash *crash = ctx;
    char *text = mem_printf("%d:%s", (int)crash->attempt, crash->point);
    struct sim *sim = tiny_open(crash->folder, NULL, text);
    uint64_t attempt = world_attempt(&sim->world);
    struct got got;

    world_crash_point(&sim->world, attempt, CRASH_BEFORE);
    world_crash_point(&sim->world, attempt, CRASH_INTENT);
    got_call(&got, sim, "POST", "/n", (struct send){.changes = true, .attempt = attempt});
    world_crash_point(&sim->world, attempt, CRASH_ANSWERED);
    world_crash_point(&sim->world, attempt, CRASH_OUTCOME);
    got_clear(&got);
    got_call(&got, sim, "POST", "/second", (struct send){.changes = true});
    got_clear(&got);
    free(text);
    world_free(&sim->world);
}

TEST(crash_at_each_point_leaves_what_the_server_did)
{
    static const struct {
        const char *point, *left;
    } rows[] = {{"before", NULL}, {"intent", NULL}, {"sent", "+"}, {"answered", "+"}, {"outcome", "+"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *folder = folder_new();
        struct crash crash = {folder, rows[i].point, 1};
        struct sim *sim;

        CHECK_INT(child_run(change, &crash), 137);
        sim = tiny_open(folder, NULL, NULL);
        CHECK_TEXT(tiny_get(sim, "/n"), rows[i].left);
        CHECK(!tiny_get(sim, "/second"));
        CHECK_INT(world_now_ms(&sim->world) - SIM_EPOCH_MS, i < 2 ? 0 : i == 2 ? 1 : 3);
        world_free(&sim->world);
        folder_remove(folder);
    }
}

TEST(crash_elsewhere_does_not_strike)
{
    char *folder = folder_new();
    struct crash crash = {folder, "sent", 7};

    CHECK_INT(child_run(change, &crash), 0);
    folder_remove(folder);
}

TEST(crash_at_a_read_is_wrong)
{
    struct sim *sim = tiny_open(NULL, NULL, "1:sent");
    struct got got;

    got_call(&got, sim, "GET", "/n", (struct send){0});
    CHECK_INT(got.status, 404);
    CHECK(sim_crash_wrong(sim->faults, sim->world.attempts));
    got_clear(&got);
    world_free(&sim->world);

    sim = tiny_open(NULL, NULL, "2:before");
    got_call(&got, sim, "PUT", "/n", (struct send){.changes = true});
    CHECK(sim_crash_wrong(sim->faults, sim->world.attempts)); /* there was no second attempt */
    got_clear(&got);
    world_free(&sim->world);
}
