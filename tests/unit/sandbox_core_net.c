/* The network door without faults: routing, latency, streams, timeouts, cancel. */
#include "sandbox_core.h"
#include "unit.h"

#include <string.h>

TEST(net_answers_after_three_milliseconds)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    got_call(&got, sim, "PUT", "/a%20b?x=1", (struct send){.changes = true, .body = "hello"});
    CHECK_INT(got.heads, 1);
    CHECK_INT(got.status, 200);
    CHECK(!got.failed);
    CHECK_TEXT(buf_text(&got.body), "{\"text\":\"hello\"}");
    CHECK_INT(got.ended_ms - SIM_EPOCH_MS, 3);
    CHECK_TEXT(tiny_get(sim, "/a b"), "hello");
    got_clear(&got);
    world_free(&sim->world);
}

TEST(net_nothing_is_called_back_before_a_turn)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    got_send(&got, sim, "GET", "not a url", (struct send){0});
    CHECK_INT(got.ends, 0);
    got_await(&got);
    CHECK(got.failed && got.err.kind == ERR_USAGE);
    got_clear(&got);
    got_send(&got, sim, "GET", "https://me@tiny.test/", (struct send){0});
    got_await(&got);
    CHECK(got.failed && got.err.kind == ERR_USAGE);
    got_clear(&got);
    world_free(&sim->world);
}

TEST(net_an_unknown_host_is_loud)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    got_send(&got, sim, "GET", "https://api.example.com:8443/v1?x=/", (struct send){0});
    got_await(&got);
    CHECK(got.failed && got.err.kind == ERR_NETWORK && !got.err.maybe_done && !got.err.retryable);
    CHECK(strncmp(got.err.message, "api.example.com:8443: connection refused: ", 42) == 0);
    CHECK(strstr(got.err.message, "tests/sandbox.lua"));
    CHECK(strstr(got.err.message, "sandbox.http(\"https://api.example.com:8443\""));
    got_clear(&got);
    world_free(&sim->world);
}

TEST(net_streams_pieces_and_tells_the_server_of_a_cancel)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got watch, put;
    struct exchange *exchange = got_send(&watch, sim, "GET", "https://tiny.test/watch", (struct send){0});

    got_call(&put, sim, "PUT", "/one", (struct send){.changes = true, .body = "1"});
    got_clear(&put);
    CHECK_INT(watch.heads, 1);
    CHECK_INT(watch.ends, 0);
    CHECK_TEXT(buf_text(&watch.body), "/one");
    exchange_cancel(exchange);
    got_call(&put, sim, "PUT", "/two", (struct send){.changes = true, .body = "2"});
    CHECK_TEXT(buf_text(&watch.body), "/one");
    CHECK_INT(watch.ends, 0);
    got_clear(&put);
    got_clear(&watch);
    world_free(&sim->world);
}

TEST(net_timeouts_pass_in_virtual_time)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    got_call(&got, sim, "GET", "/slow", (struct send){.timeout_ms = 4000});
    CHECK(got.failed && got.err.kind == ERR_TIMEOUT && got.err.maybe_done);
    CHECK_INT(got.ended_ms - SIM_EPOCH_MS, 4000);
    got_clear(&got);
    got_call(&got, sim, "GET", "/slow", (struct send){.timeout_ms = 6000});
    CHECK(!got.failed);
    CHECK_INT(got.status, 200);
    got_clear(&got);
    got_call(&got, sim, "GET", "/watch", (struct send){.idle_ms = 2500});
    CHECK(got.failed && got.err.kind == ERR_TIMEOUT);
    got_clear(&got);
    world_free(&sim->world);
}

TEST(net_a_wait_that_nothing_can_end_is_an_error)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got got;

    got_call(&got, sim, "GET", "/watch", (struct send){0});
    CHECK_INT(got.ends, 1);
    CHECK(got.failed && strstr(got.err.message, "nothing is left in the sandbox"));
    got_clear(&got);
    world_free(&sim->world);
}

TEST(net_a_world_goes_with_exchanges_under_way)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    struct got watch, slow, fresh;

    got_send(&watch, sim, "GET", "https://tiny.test/watch", (struct send){0});
    got_send(&slow, sim, "GET", "https://tiny.test/watch/x", (struct send){0});
    run_for(sim, 1);
    got_send(&fresh, sim, "GET", "https://tiny.test/a", (struct send){0});
    CHECK_INT(watch.ends + fresh.ends, 0);
    got_clear(&watch);
    got_clear(&slow);
    got_clear(&fresh);
    world_free(&sim->world);
}

/* ---- bodies that are not in memory ---- */

static void no_head(void *ctx, const struct exchange_head *head)
{
    (void)ctx;
    (void)head;
}

static void no_body(void *ctx, struct view bytes)
{
    (void)ctx;
    (void)bytes;
}

static void heard(void *ctx, const struct err *err)
{
    *(struct err *)ctx = err ? *err : ERR_INIT;
}

static int text_read(void *ctx, uint64_t offset, char *out, size_t len, struct err *err)
{
    if (!ctx)
        return err_set(err, ERR_CONFLICT, "the file changed");
    memcpy(out, (const char *)ctx + offset, len);
    return 0;
}

static struct err put_source(struct sim *sim, const struct exchange_source *source)
{
    static const struct exchange_fns fns = {no_head, no_body, heard};
    uint64_t attempt = world_attempt(&sim->world);
    struct err end = ERR_INIT;

    exchange_start(&sim->world,
                   &(struct exchange_request){.attempt = attempt,
                                              .logical = attempt,
                                              .changes = true,
                                              .method = "PUT",
                                              .url = "https://tiny.test/file",
                                              .source = source,
                                              .timeout_ms = 1000},
                   &fns, &end);
    while (world_turn(&sim->world))
        ;
    return end;
}

TEST(net_takes_a_body_from_its_source)
{
    struct sim *sim = tiny_open(NULL, NULL, NULL);
    char text[] = "from a file";
    struct exchange_source source = {sizeof(text) - 1, text_read, text};
    struct err end = put_source(sim, &source);

    CHECK_INT(end.kind, ERR_NONE);
    CHECK_TEXT(tiny_get(sim, "/file"), "from a file");
    source.ctx = NULL;
    end = put_source(sim, &source);
    CHECK_INT(end.kind, ERR_CONFLICT);
    CHECK(strstr(end.message, "the file changed"));
    CHECK(!end.maybe_done);
    source.size = SIM_BODY_MAX + 1;
    end = put_source(sim, &source);
    CHECK_INT(end.kind, ERR_QUOTA);
    CHECK_INT(tiny_handled(sim), 1);
    world_free(&sim->world);
}

/* What is late arrives with the bytes that there were, though their file is gone. */
TEST(net_late_body_outlives_its_source)
{
    struct sim *sim = tiny_open(NULL, "1:late", NULL);
    char text[] = "as it was";
    struct exchange_source source = {sizeof(text) - 1, text_read, text};
    struct err end = put_source(sim, &source);

    CHECK_INT(end.kind, ERR_TIMEOUT);
    CHECK(end.maybe_done);
    memset(text, 'x', sizeof(text) - 1);
    run_for(sim, SIM_LATE_MS);
    CHECK_TEXT(tiny_get(sim, "/file"), "as it was");
    world_free(&sim->world);
}
