/* Each kind at the network door: what the client sees and what the server did. */
#include "sandbox_core.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct expected {
    const char *kind;
    int handled; /* times that the server acted */
    int status;  /* 0: no answer */
    enum err_kind err;
    bool maybe_done, retryable;
};

static const struct expected table[] = {
    {"connect", 0, 0, ERR_NETWORK, false, true},        {"tls", 0, 0, ERR_AUTH, false, false},
    {"reset-before", 0, 0, ERR_NETWORK, true, true},    {"reset-after", 1, 0, ERR_NETWORK, true, true},
    {"timeout", 0, 0, ERR_TIMEOUT, true, true},         {"throttle", 0, 429, ERR_NONE, false, false},
    {"throttle-after", 1, 429, ERR_NONE, false, false}, {"5xx-before", 0, 503, ERR_NONE, false, false},
    {"5xx-after", 1, 500, ERR_NONE, false, false},      {"expired", 0, 401, ERR_NONE, false, false},
    {"forbidden", 0, 403, ERR_NONE, false, false},      {"quota", 0, 422, ERR_NONE, false, false},
    {"twice", 2, 200, ERR_NONE, false, false},
};

TEST(fault_each_wire_kind)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct expected *row = &table[i];
        char *fault = mem_printf("1:%s", row->kind);
        struct sim *sim = tiny_open(NULL, fault, NULL);
        struct doc *left = doc_array();
        struct got got;

        got_call(&got, sim, "POST", "/n", (struct send){.changes = true, .timeout_ms = 5000});
        if (tiny_handled(sim) != row->handled || got.status != row->status || got.ends != 1)
            unit_fail(__FILE__, __LINE__, "%s: handled %d, status %d, ends %d", row->kind, tiny_handled(sim),
                      got.status, got.ends);
        if (got.failed != (row->err != ERR_NONE) || got.err.kind != row->err || got.err.maybe_done != row->maybe_done ||
            got.err.retryable != row->retryable)
            unit_fail(__FILE__, __LINE__, "%s: %s %s", row->kind, err_kind_name(got.err.kind), got.err.message);
        if (strncmp(row->kind, "throttle", 8) == 0)
            CHECK_TEXT(got.retry_after, "1");
        if (strcmp(row->kind, "timeout") == 0)
            CHECK_INT(got.ended_ms - SIM_EPOCH_MS, 5000);
        sim_faults_left(sim->faults, left);
        CHECK_INT(doc_size(left), 0);
        doc_unref(left);
        got_clear(&got);
        /* The next attempt is not hit. */
        got_call(&got, sim, "GET", "/n", (struct send){0});
        CHECK_INT(got.status, row->handled > 0 ? 200 : 404);
        if (row->handled == 2)
            CHECK_TEXT(tiny_get(sim, "/n"), "++");
        got_clear(&got);
        world_free(&sim->world);
        free(fault);
    }
}

TEST(fault_conflict_varies_with_the_seed)
{
    int seen = 0;

    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct sim *sim = tiny_open_seed(NULL, "1:conflict", NULL, seed);
        struct got got;

        got_call(&got, sim, "POST", "/n", (struct send){.changes = true});
        CHECK(got.status == 409 || got.status == 412);
        CHECK_INT(tiny_handled(sim), 0);
        seen |= got.status == 409 ? 1 : 2;
        got_clear(&got);
        world_free(&sim->world);
    }
    CHECK_INT(seen, 3);
}

TEST(fault_body_is_cut_malformed_or_of_another_type)
{
    int seen = 0;

    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct sim *sim = tiny_open_seed(NULL, "1:body", NULL, seed);
        struct got got;

        got_call(&got, sim, "PUT", "/n", (struct send){.changes = true, .body = "hello"});
        CHECK_INT(got.status, 200);
        CHECK_INT(got.ends, 1);
        CHECK_TEXT(tiny_get(sim, "/n"), "hello");
        CHECK(strcmp(buf_text(&got.body), "{\"text\":\"hello\"}") != 0);
        if (got.failed) {
            CHECK(got.err.kind == ERR_NETWORK && got.err.maybe_done);
            CHECK_TEXT(buf_text(&got.body), "{\"text\":");
            seen |= 1;
        } else if (strcmp(got.type, "text/html") == 0) {
            CHECK(strstr(buf_text(&got.body), "<html>"));
            seen |= 2;
        } else {
            CHECK_TEXT(got.type, "application/json");
            seen |= 4;
        }
        got_clear(&got);
        world_free(&sim->world);
    }
    CHECK_INT(seen, 7);
}

TEST(fault_body_of_a_stream_and_of_an_empty_answer)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct sim *sim = tiny_open_seed(NULL, "1:body", NULL, seed);
        struct got watch, put;

        got_send(&watch, sim, "GET", "https://tiny.test/watch", (struct send){.idle_ms = 1000});
        got_call(&put, sim, "PUT", "/one", (struct send){.changes = true, .body = "1"});
        got_clear(&put);
        got_await(&watch);
        CHECK_INT(watch.ends, 1);
        CHECK(strcmp(buf_text(&watch.body), "/one") != 0);
        got_clear(&watch);
        world_free(&sim->world);
    }
}

TEST(fault_a_lost_answer_ends_without_a_timeout_too)
{
    struct sim *sim = tiny_open(NULL, "1:timeout", NULL);
    struct got got;

    got_call(&got, sim, "PUT", "/n", (struct send){.changes = true, .body = "x"});
    CHECK(got.failed && got.err.kind == ERR_TIMEOUT);
    CHECK(!tiny_get(sim, "/n"));
    got_clear(&got);
    world_free(&sim->world);
}

TEST(fault_for_ever_hits_the_logical_call_only)
{
    struct sim *sim = tiny_open(NULL, "2+:5xx-before", NULL);
    const struct {
        uint64_t logical;
        bool backward;
        int status;
    } rows[] = {{1, false, 404}, {2, false, 503}, {2, false, 503}, {4, false, 404}, {2, true, 404}, {2, false, 503}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct got got;

        got_call(&got, sim, "GET", "/n", (struct send){.logical = rows[i].logical, .backward = rows[i].backward});
        CHECK_INT(got.status, rows[i].status);
        got_clear(&got);
    }
    world_free(&sim->world);
}

TEST(fault_a_plain_number_hits_backward_attempts_too)
{
    struct sim *sim = tiny_open(NULL, "1:forbidden", NULL);
    struct got got;

    got_call(&got, sim, "GET", "/n", (struct send){.backward = true});
    CHECK_INT(got.status, 403);
    got_clear(&got);
    world_free(&sim->world);
    sim = tiny_open(NULL, "1+:forbidden", NULL);
    got_call(&got, sim, "GET", "/n", (struct send){.backward = true});
    CHECK_INT(got.status, 404);
    got_clear(&got);
    world_free(&sim->world);
}

static char *left_text(struct sim *sim)
{
    struct doc *left = doc_array();
    struct buf text;

    buf_init(&text, 1024);
    sim_faults_left(sim->faults, left);
    for (size_t i = 0; i < doc_size(left); i++)
        buf_addf(&text, "%s ", doc_as_text(doc_at(left, i), ""));
    doc_unref(left);
    return buf_take(&text);
}

TEST(fault_that_never_struck_is_told)
{
    struct sim *sim = tiny_open(NULL, "9:late", NULL);
    struct got got;
    char *left;

    got_call(&got, sim, "GET", "/n", (struct send){0});
    left = left_text(sim);
    CHECK_TEXT(left, "9:late ");
    free(left);
    got_clear(&got);
    world_free(&sim->world);
}

TEST(fault_of_a_state_is_handed_to_the_server)
{
    struct sim *sim = tiny_open(NULL, "1:stale", NULL);
    struct got got;
    char *left;

    got_call(&got, sim, "GET", "/n", (struct send){0});
    CHECK_TEXT(tiny_fault(sim), "stale");
    CHECK_INT(got.status, 404);
    left = left_text(sim);
    CHECK_TEXT(left ? left : "", "");
    free(left);
    got_clear(&got);
    world_free(&sim->world);

    sim = tiny_open(NULL, "1:stuck", NULL); /* means nothing to this server */
    got_call(&got, sim, "GET", "/n", (struct send){0});
    left = left_text(sim);
    CHECK_TEXT(left, "1:stuck ");
    free(left);
    got_clear(&got);
    world_free(&sim->world);
}

TEST(fault_texts_that_are_wrong)
{
    static const char *const faults[] = {"late",    "0:late", "1",        "1:",     "1:lat",
                                         "-1:late", "x:late", "1++:late", "1:late "};
    struct err err;

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        const char *const list[] = {"1:late", faults[i], NULL};

        err = ERR_INIT;
        CHECK(!sim_faults_new(list, NULL, &err));
        CHECK(err.kind == ERR_USAGE && strstr(err.message, faults[i]));
    }
    err = ERR_INIT;
    CHECK(!sim_faults_new(NULL, "3:never", &err));
    CHECK(err.kind == ERR_USAGE && strstr(err.message, "points: before, intent, sent, answered, outcome"));
    err = ERR_INIT;
    CHECK(!sim_faults_new(NULL, "3+:sent", &err));
}

TEST(fault_refusals_of_a_cluster_are_statuses)
{
    /* The wording is chosen by the server's name, the resource is read from the path. */
    struct sim *sim = tiny_open(NULL, "1:forbidden", NULL);
    struct sim_server *tiny = sim_server_named(sim, "tiny");
    struct got got;

    tiny->name = "kube";
    got_call(&got, sim, "PATCH", "/apis/apps/v1/namespaces/dos-game/deployments/game", (struct send){.changes = true});
    tiny->name = "tiny";
    CHECK_INT(got.status, 403);
    CHECK_TEXT(
        buf_text(&got.body),
        "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":"
        "\"deployments.apps \\\"game\\\" is forbidden: User \\\"sandbox\\\" cannot patch resource "
        "\\\"deployments\\\" in API group \\\"apps\\\" in the namespace \\\"dos-game\\\"\",\"reason\":"
        "\"Forbidden\",\"details\":{\"name\":\"game\",\"group\":\"apps\",\"kind\":\"deployments\"},\"code\":403}");
    got_clear(&got);
    world_free(&sim->world);
}
