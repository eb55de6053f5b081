/*
 * Each wire fault of the sandbox, produced once by a real server on loopback: the call ends with the
 * error that the sandbox's fault of that name gives.
 */
#include "unit.h"
#include "loopback.h"

#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scene {
    struct world *world;
    struct http *http;
    int ends, enters, leaves, acts; /* acts: what the server did */
    const char *fault;
    bool failed;
    struct err err;
    int status, attempts;
    struct buf body;
};

static void gate_enter(void *ctx, struct http_call *call, const struct http_request *request, uint64_t attempt,
                       uint64_t logical)
{
    struct scene *scene = ctx;

    (void)request;
    CHECK(logical <= attempt);
    scene->enters++;
    http_gate_open(call, NULL);
}

static void gate_leave(void *ctx, const struct http_request *request, uint64_t attempt,
                       const struct http_answer *answer, const struct err *err)
{
    struct scene *scene = ctx;

    (void)request;
    (void)err;
    CHECK_INT(answer->attempt, attempt);
    scene->leaves++;
}

static void on_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct scene *scene = ctx;

    scene->ends++;
    scene->failed = err != NULL;
    scene->err = err ? *err : ERR_INIT;
    scene->status = answer->status;
    scene->attempts = answer->attempts;
    buf_reset(&scene->body);
    buf_add_view(&scene->body, answer->body);
}

static const struct http_fns fns = {.end = on_end};

static void scene_init(struct scene *scene)
{
    *scene = (struct scene){.world = world_real_new()};
    scene->http = http_new(scene->world, NULL);
    http_set_gate(scene->http, (struct http_gate){.enter = gate_enter, .leave = gate_leave, .ctx = scene});
    buf_init(&scene->body, SIZE_MAX);
}

static void scene_clear(struct scene *scene)
{
    http_free(scene->http);
    world_free(scene->world);
    buf_free(&scene->body);
}

static void run(struct scene *scene, struct http_request request)
{
    scene->ends = scene->enters = scene->leaves = 0;
    if (!request.method)
        request.method = "POST";
    request.class = HTTP_CHANGES;
    http_send(scene->http, &request, NULL, &fns, scene);
    while (world_turn(scene->world))
        ;
    CHECK_INT(scene->ends, 1);
    CHECK_INT(scene->enters, scene->leaves);
}

/* The server strikes at the first request and serves the rest. */
static bool serve_fault(void *ctx, struct loopback_conn *conn, const char *request, int count)
{
    struct scene *scene = ctx;
    const char *fault = scene->fault;

    if (count > 1 || strcmp(fault, "none") == 0) {
        scene->acts++;
        loopback_answer(conn, 200, NULL, "done");
        return true;
    }
    if (strstr(fault, "-after") || strcmp(fault, "late") == 0 || strcmp(fault, "body") == 0)
        scene->acts++;
    if (strncmp(fault, "reset", 5) == 0) {
        loopback_reset(conn);
        return false;
    }
    if (strcmp(fault, "timeout") == 0 || strcmp(fault, "late") == 0) {
        loopback_wait_close(conn);
        return false;
    }
    if (strcmp(fault, "body") == 0) {
        loopback_write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut", 42);
        return false;
    }
    if (strncmp(fault, "throttle", 8) == 0)
        loopback_answer(conn, 429, "Retry-After: 1\r\n", "slowly");
    else if (strncmp(fault, "5xx", 3) == 0)
        loopback_answer(conn, 503, NULL, "busy");
    else if (strcmp(fault, "expired") == 0)
        loopback_answer(conn, strstr(request, "Bearer new") ? 200 : 401, NULL, "who?");
    else if (strcmp(fault, "forbidden") == 0)
        loopback_answer(conn, 403, NULL, "no");
    else if (strcmp(fault, "conflict") == 0)
        loopback_answer(conn, 409, NULL, "taken");
    else
        loopback_answer(conn, 422, NULL, "too many of them");
    return true;
}

TEST(wire_each_fault_through_curl)
{
    static const struct {
        const char *fault;
        enum err_kind kind; /* of the attempt that it struck, not to be repeated */
        int status;
        bool maybe_done, cured; /* by a repetition, where that is allowed */
    } cases[] = {
        {"reset-before", ERR_NETWORK, 0, true, true},  {"reset-after", ERR_NETWORK, 0, true, true},
        {"timeout", ERR_TIMEOUT, 0, true, true},       {"late", ERR_TIMEOUT, 0, true, true},
        {"throttle", ERR_THROTTLED, 429, true, true},  {"throttle-after", ERR_THROTTLED, 429, true, true},
        {"5xx-before", ERR_SERVER, 503, true, true},   {"5xx-after", ERR_SERVER, 503, true, true},
        {"expired", ERR_AUTH, 401, false, false},      {"forbidden", ERR_DENIED, 403, false, false},
        {"conflict", ERR_CONFLICT, 409, false, false}, {"quota", ERR_QUOTA, 422, false, false},
        {"body", ERR_NETWORK, 200, true, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int repeat = 0; repeat < 2; repeat++) {
            struct scene scene;

            scene_init(&scene);
            scene.fault = cases[i].fault;
            struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_fault, .ctx = &scene});
            run(&scene, (struct http_request){.url = loopback_url(server),
                                              .repeat = repeat ? HTTP_REPEAT_SAFE : HTTP_REPEAT_NEVER,
                                              .timeout_ms = 200});
            bool cured = repeat && cases[i].cured;
            if (scene.failed == cured ||
                (!cured && (scene.err.kind != cases[i].kind || scene.status != cases[i].status ||
                            scene.err.maybe_done != cases[i].maybe_done)))
                unit_fail(__FILE__, __LINE__, "%s, repeat %d: %s, status %d, maybe done %d: %s", cases[i].fault, repeat,
                          err_kind_name(scene.err.kind), scene.status, scene.err.maybe_done, scene.err.message);
            CHECK_INT(scene.attempts, cured ? 2 : 1);
            /* What may not be repeated was done at most once. */
            loopback_stop(server);
            if (!repeat)
                CHECK(scene.acts <= 1);
            scene_clear(&scene);
        }
    }
}

TEST(wire_no_connection_is_tried_again_whatever_it_is)
{
    struct scene scene;
    char url[64];

    scene_init(&scene);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/", loopback_dead_port());
    run(&scene, (struct http_request){.url = url, .repeat = HTTP_REPEAT_NEVER, .attempts_max = 2});
    CHECK_INT(scene.err.kind, ERR_NETWORK);
    CHECK(!scene.err.maybe_done);
    CHECK_INT(scene.attempts, 2);
    scene_clear(&scene);
}

TEST(wire_tls_refusals_are_final)
{
    static const enum loopback_cert certs[] = {CERT_EXPIRED, CERT_WRONG_HOST, CERT_SELF_SIGNED, CERT_WRONG_USAGE};

    for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++) {
        struct scene scene;
        struct tls tls = {.ca_pem = loopback_ca()};

        scene_init(&scene);
        scene.fault = "none";
        struct loopback *server =
            loopback_start(&(struct loopback_options){.cert = certs[i], .serve = serve_fault, .ctx = &scene});
        run(&scene, (struct http_request){.url = loopback_url(server), .tls = &tls});
        CHECK_INT(scene.err.kind, ERR_AUTH);
        CHECK(!scene.err.maybe_done);
        CHECK_INT(scene.attempts, 1);
        loopback_stop(server);
        CHECK_INT(scene.acts, 0);
        scene_clear(&scene);
    }
}

static void auth_headers(void *ctx, struct http_call *call, bool refused, void (*done)(void *, const struct err *),
                         void *done_ctx)
{
    (void)ctx;
    http_header_add(call, "Authorization", refused ? "Bearer new" : "Bearer old");
    done(done_ctx, NULL);
}

TEST(wire_expired_token_is_renewed)
{
    struct scene scene;
    struct http_auth auth = {auth_headers, NULL};

    scene_init(&scene);
    scene.fault = "expired";
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_fault, .ctx = &scene});
    run(&scene, (struct http_request){.url = loopback_url(server), .auth = &auth});
    CHECK(!scene.failed);
    CHECK_INT(scene.attempts, 2);
    CHECK(strstr(loopback_last(server), "Authorization: Bearer new\r\n"));
    CHECK(strstr(loopback_last(server), "User-Agent: dosrun/"));
    loopback_stop(server);
    CHECK_INT(scene.acts, 1);
    scene_clear(&scene);
}

static bool serve_redirect(void *ctx, struct loopback_conn *conn, const char *request, int count)
{
    (void)request;
    (void)count;
    loopback_answer(conn, 307, ctx, "moved");
    return true;
}

TEST(wire_redirect_leaks_nothing)
{
    struct scene scene, other;
    struct http_auth auth = {auth_headers, NULL};
    char location[128];

    scene_init(&scene);
    other.fault = "none";
    other.acts = 0;
    struct loopback *target = loopback_start(&(struct loopback_options){.serve = serve_fault, .ctx = &other});
    snprintf(location, sizeof(location), "Location: %s/\r\n", loopback_url(target));
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_redirect, .ctx = location});
    run(&scene, (struct http_request){.url = loopback_url(server), .auth = &auth, .body = VIEW_LITERAL("secret")});
    CHECK(!scene.failed);
    CHECK_INT(scene.status, 307);
    CHECK_INT(loopback_connections(target), 0);
    loopback_stop(server);
    loopback_stop(target);
    scene_clear(&scene);
}

/* A small answer that unpacks to more than 64 MiB: refused at the limit, not held. */
static bool serve_bomb(void *ctx, struct loopback_conn *conn, const char *request, int count)
{
    const struct buf *packed = ctx;
    char *head = mem_printf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", packed->len);

    (void)request;
    (void)count;
    loopback_write(conn, head, strlen(head));
    loopback_write(conn, packed->ptr, packed->len);
    free(head);
    return true;
}

TEST(wire_compressed_bomb_is_refused)
{
    struct scene scene;
    struct buf packed;
    FILE *gzip = popen("head -c 80000000 /dev/zero | gzip -1", "r");
    char bytes[65536];
    size_t len;

    REQUIRE(gzip);
    buf_init(&packed, 1 << 24);
    while ((len = fread(bytes, 1, sizeof(bytes), gzip)) > 0)
        buf_add(&packed, bytes, len);
    pclose(gzip);
    CHECK(packed.len > 1000 && packed.len < 1000000);
    scene_init(&scene);
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_bomb, .ctx = &packed});
    run(&scene, (struct http_request){.url = loopback_url(server)});
    CHECK_INT(scene.err.kind, ERR_SERVER);
    CHECK(scene.err.maybe_done);
    CHECK(strstr(scene.err.message, "over 64 MiB"));
    loopback_stop(server);
    scene_clear(&scene);
    buf_free(&packed);
}
