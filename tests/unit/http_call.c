/* A call's life against a scripted world: order of steps, retries, refreshes, secrets, cancellation. */
#include "unit.h"
#include "http_fake.h"

#include "base/secret.h"
#include "http/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum refusal { ADMITS, REFUSES, LATER, NEVER };

struct scene {
    struct fake fake;
    struct marks *marks;
    struct http *http;
    struct http_call *call, *at_gate;
    enum refusal gate;
    int judged;
    int ends;
    bool failed, cancel_in_end;
    struct err err;
    int status, attempts;
    struct buf body;
    /* the fake's log goes on with what auth, gate and end see */
    bool auth_later, auth_fails;
    void (*auth_done)(void *ctx, const struct err *err);
    void *auth_ctx;
};

static void gate_enter(void *ctx, struct http_call *call, const struct http_request *request, uint64_t attempt,
                       uint64_t logical)
{
    struct scene *scene = ctx;
    struct err err = ERR_INIT;

    buf_addf(&scene->fake.log, "enter %d/%d %s\n", (int)attempt, (int)logical,
             request->subject ? request->subject : "");
    scene->at_gate = call;
    if (scene->gate == ADMITS)
        http_gate_open(call, NULL);
    err_set(&err, ERR_USAGE, "outside of a verb");
    if (scene->gate == REFUSES)
        http_gate_open(call, &err);
}

static void gate_leave(void *ctx, const struct http_request *request, uint64_t attempt,
                       const struct http_answer *answer, const struct err *err)
{
    struct scene *scene = ctx;

    (void)request;
    buf_addf(&scene->fake.log, "leave %d %d %s%s\n", (int)attempt, answer->status,
             err ? err_kind_name(err->kind) : "ok", err && err->maybe_done ? " maybe" : "");
}

static void gate_read(void *ctx, const struct http_request *request, uint64_t attempt, const struct http_answer *answer,
                      const struct err *err)
{
    struct scene *scene = ctx;

    (void)request;
    buf_addf(&scene->fake.log, "read %d %d %s\n", (int)attempt, answer->status, err ? err_kind_name(err->kind) : "ok");
}

static void auth_headers(void *ctx, struct http_call *call, bool refused, void (*done)(void *, const struct err *),
                         void *done_ctx)
{
    struct scene *scene = ctx;
    struct err err = ERR_INIT;

    buf_addf(&scene->fake.log, "auth%s\n", refused ? " refused" : "");
    scene->auth_done = done;
    scene->auth_ctx = done_ctx;
    if (scene->auth_later)
        return;
    http_header_add(call, "Authorization", refused ? "Bearer new" : "Bearer old");
    err_set(&err, ERR_AUTH, "no credentials");
    done(done_ctx, scene->auth_fails ? &err : NULL);
}

static void on_body(void *ctx, struct view bytes)
{
    buf_add_view(&((struct scene *)ctx)->body, bytes);
}

static void on_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct scene *scene = ctx;

    scene->ends++;
    scene->failed = err != NULL;
    scene->err = err ? *err : ERR_INIT;
    scene->status = answer->status;
    scene->attempts = answer->attempts;
    buf_add_view(&scene->body, answer->body);
    if (scene->cancel_in_end)
        http_cancel(scene->call);
}

static const struct http_fns fns = {on_body, on_end};

#define ANSWERS(...)                           \
    (const struct fake_answer[]){__VA_ARGS__}, \
        sizeof((const struct fake_answer[]){__VA_ARGS__}) / sizeof(struct fake_answer)

static void scene_init(struct scene *scene, const struct fake_answer *answers, size_t len)
{
    *scene = (struct scene){.err = ERR_INIT};
    fake_init(&scene->fake, answers, len);
    scene->marks = marks_new(VIEW_LITERAL("key"));
    scene->http = http_new(&scene->fake.base, scene->marks);
    http_set_gate(scene->http, (struct http_gate){gate_enter, gate_leave, gate_read, scene});
    buf_init(&scene->body, SIZE_MAX);
}

static void scene_clear(struct scene *scene)
{
    http_free(scene->http);
    fake_clear(&scene->fake);
    marks_free(scene->marks);
    buf_free(&scene->body);
}

static void send(struct scene *scene, struct http_request request)
{
    if (!request.url)
        request.url = "https://host/x";
    if (!request.method)
        request.method = request.class == HTTP_CHANGES ? "POST" : "GET";
    scene->call = http_send(scene->http, &request, NULL, &fns, scene);
    CHECK_INT(scene->ends, 0);
}

static void run(struct scene *scene, struct http_request request)
{
    send(scene, request);
    fake_run(&scene->fake);
    CHECK_INT(scene->ends, 1);
}

#define LOG(scene, want) CHECK_TEXT(buf_text(&(scene).fake.log), want)

TEST(http_read_is_told_and_ends)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 200, .body = "hello"}));
    run(&scene, (struct http_request){0});
    LOG(scene, "1/1 GET https://host/x\nread 1 200 ok\n");
    CHECK(!scene.failed);
    CHECK_TEXT(buf_text(&scene.body), "hello");
    scene_clear(&scene);
    scene_init(&scene, ANSWERS({.status = 302, .name = "Location", .value = "https://elsewhere/"}));
    run(&scene, (struct http_request){0});
    CHECK(!scene.failed);
    CHECK_INT(scene.status, 302);
    scene_clear(&scene);
}

TEST(http_change_passes_the_gate_each_time)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 503}, {.status = 201}));
    run(&scene, (struct http_request){.class = HTTP_CHANGES, .subject = "apply x", .body = VIEW_LITERAL("{}")});
    LOG(scene, "enter 1/1 apply x\n1/1 POST https://host/x {{}}\nanswered 1\nleave 1 503 server maybe\n"
               "random retry after attempt 1\nwait 50\n"
               "enter 2/1 apply x\n2/1 POST https://host/x {{}}\nanswered 2\nleave 2 201 ok\n");
    CHECK(!scene.failed);
    CHECK_INT(scene.attempts, 2);
    CHECK_INT(http_retries_used(scene.http), 1);
    scene_clear(&scene);
}

TEST(http_gate_refuses_or_is_missing)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 200}));
    scene.gate = REFUSES;
    run(&scene, (struct http_request){.class = HTTP_CHANGES});
    LOG(scene, "enter 1/1 \n");
    CHECK_INT(scene.err.kind, ERR_USAGE);
    CHECK(!scene.err.maybe_done);
    CHECK_TEXT(scene.err.message, "POST https://host/x: outside of a verb");
    scene_clear(&scene);
    scene_init(&scene, ANSWERS({.status = 200}));
    http_set_gate(scene.http, (struct http_gate){.enter = NULL});
    run(&scene, (struct http_request){.class = HTTP_CHANGES});
    CHECK_INT(scene.err.kind, ERR_INTERNAL);
    LOG(scene, "");
    scene_clear(&scene);
}

TEST(http_status_becomes_an_error)
{
    static const struct {
        int status;
        enum err_kind kind;
        int attempts; /* of a repeatable change */
        bool maybe_done;
    } cases[] = {
        {400, ERR_QUOTA, 1, false},    {401, ERR_AUTH, 1, false},    {403, ERR_DENIED, 1, false},
        {404, ERR_MISSING, 1, false},  {408, ERR_TIMEOUT, 1, false}, {409, ERR_CONFLICT, 1, false},
        {412, ERR_CONFLICT, 1, false}, {422, ERR_QUOTA, 1, false},   {429, ERR_THROTTLED, 5, true},
        {500, ERR_SERVER, 1, true},    {501, ERR_SERVER, 1, false},  {502, ERR_SERVER, 5, true},
        {503, ERR_SERVER, 5, true},    {504, ERR_TIMEOUT, 5, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;

        scene_init(&scene,
                   ANSWERS({.status = cases[i].status, .name = "X-Request-Id", .value = "id-7", .body = "why\n not"}));
        run(&scene, (struct http_request){.class = HTTP_CHANGES});
        CHECK_INT(scene.err.kind, cases[i].kind);
        CHECK_INT(scene.err.status, cases[i].status);
        CHECK_INT(scene.attempts, cases[i].attempts);
        CHECK_INT(scene.err.maybe_done, cases[i].maybe_done);
        CHECK_TEXT(scene.err.request_id, "id-7");
        CHECK(strstr(scene.err.message, ": why not"));
        CHECK(view_starts(view_of(scene.err.message), "POST https://host/x: "));
        scene_clear(&scene);
    }
}

TEST(http_etcd_in_trouble_is_worth_a_retry)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 500, .body = "etcdserver: leader changed"}, {.status = 200}));
    run(&scene, (struct http_request){.class = HTTP_CHANGES});
    CHECK(!scene.failed);
    CHECK_INT(scene.attempts, 2);
    scene_clear(&scene);
}

/* What may not be repeated is sent again only when it surely was not done. */
TEST(http_repeat_never_means_never_in_doubt)
{
    static const struct {
        struct fake_answer first;
        int attempts[2]; /* SAFE, NEVER */
    } cases[] = {
        {{.err = ERR_NETWORK}, {2, 2}},
        {{.err = ERR_NETWORK, .maybe_done = true}, {2, 1}},
        {{.err = ERR_TIMEOUT, .maybe_done = true}, {2, 1}},
        {{.status = 200, .body = "ha", .err = ERR_NETWORK, .maybe_done = true}, {2, 1}},
        {{.status = 429}, {2, 1}},
        {{.status = 503, .name = "Retry-After", .value = "1"}, {2, 1}},
        {{.err = ERR_AUTH}, {1, 1}}, /* TLS */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int never = 0; never < 2; never++) {
            struct fake_answer answers[] = {cases[i].first, {.status = 200}};
            struct scene scene;

            scene_init(&scene, answers, 2);
            run(&scene,
                (struct http_request){.class = HTTP_CHANGES, .repeat = never ? HTTP_REPEAT_NEVER : HTTP_REPEAT_SAFE});
            if (scene.attempts != cases[i].attempts[never])
                unit_fail(__FILE__, __LINE__, "case %zu never %d: %d attempts", i, never, scene.attempts);
            CHECK_INT(scene.failed, scene.attempts == 1);
            if (scene.failed)
                CHECK_INT(scene.err.maybe_done, cases[i].first.maybe_done || cases[i].first.status >= 400);
            scene_clear(&scene);
        }
    }
}

/* An early attempt in doubt is not forgotten because the last one surely did nothing. */
TEST(http_doubt_of_an_early_attempt_stays)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.err = ERR_NETWORK, .maybe_done = true}, {.status = 403}));
    run(&scene, (struct http_request){.class = HTTP_CHANGES});
    CHECK_INT(scene.err.kind, ERR_DENIED);
    CHECK(scene.err.maybe_done);
    CHECK(strstr(buf_text(&scene.fake.log), "leave 2 403 denied\n"));
    scene_clear(&scene);
    scene_init(&scene, ANSWERS({.err = ERR_NETWORK, .maybe_done = true}, {.status = 403}));
    run(&scene, (struct http_request){0}); /* a read is never in doubt */
    CHECK(!scene.err.maybe_done);
    scene_clear(&scene);
}

TEST(http_pauses_double_and_honour_retry_after)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.err = ERR_NETWORK}));
    run(&scene, (struct http_request){.attempts_max = 11});
    CHECK_INT(scene.attempts, 11);
    struct buf waits;
    buf_init(&waits, 4096);
    for (const char *at = buf_text(&scene.fake.log); (at = strstr(at, "wait ")); at += 5)
        buf_addf(&waits, "%d ", atoi(at + 5));
    CHECK_TEXT(buf_text(&waits), "50 100 200 400 800 1600 3200 6400 10000 10000 ");
    buf_free(&waits);
    scene_clear(&scene);

    static const struct {
        const char *value;
        int wait;
    } cases[] = {
        {"7", 7000},
        {"0", 50},
        {"3600", 120000},
        {"99999999999999999999999", 120000},
        {"soon", 50},
        {"-5", 50},
        {"5 or so", 50},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 7000}, /* the fake's clock stands at 08:49:30 */
        {"Sun, 06 Nov 1994 08:00:00 GMT", 50},
        {"Sun, 06 Nov 2094 08:00:00 GMT", 120000},
        {"Sun, 06 nov 1994 08:49:37 GMT", 50},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wait[32];

        scene_init(&scene, ANSWERS({.status = 429, .name = "retry-after", .value = cases[i].value}, {.status = 200}));
        run(&scene, (struct http_request){0});
        snprintf(wait, sizeof(wait), "wait %d\n", cases[i].wait);
        if (!strstr(buf_text(&scene.fake.log), wait))
            unit_fail(__FILE__, __LINE__, "Retry-After %s: %s", cases[i].value, buf_text(&scene.fake.log));
        scene_clear(&scene);
    }
}

TEST(http_waits_longer_for_a_server_that_restarts)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 200}, {.err = ERR_NETWORK}));
    run(&scene, (struct http_request){0});
    scene.ends = 0;
    run(&scene, (struct http_request){0});
    CHECK_INT(scene.attempts, 10);
    scene.ends = 0;
    run(&scene, (struct http_request){.url = "https://host:444/"});
    CHECK_INT(scene.attempts, 5);
    scene_clear(&scene);
}

TEST(http_budget_keeps_a_reserve_for_undo)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.err = ERR_NETWORK}));
    http_set_budget(scene.http, 5, 2);
    run(&scene, (struct http_request){.attempts_max = 3});
    CHECK_INT(scene.attempts, 3);
    scene.ends = 0;
    run(&scene, (struct http_request){.attempts_max = 100});
    CHECK_INT(scene.attempts, 2);
    scene.ends = 0;
    run(&scene, (struct http_request){.attempts_max = 100, .backward = true});
    CHECK_INT(scene.attempts, 3);
    CHECK_INT(http_retries_used(scene.http), 5);
    scene_clear(&scene);
}

TEST(http_quota_pays_for_retries_and_gets_back_what_helped)
{
    struct scene scene;
    struct http_quota quota = {.tokens = 20, .max = 20, .retry_cost = 5, .timeout_cost = 10};

    scene_init(&scene, ANSWERS({.status = 503}));
    run(&scene, (struct http_request){.attempts_max = 100, .quota = &quota, .first_delay_ms = 1000});
    CHECK_INT(scene.attempts, 5);
    CHECK_INT(quota.tokens, 0);
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 200}));
    run(&scene, (struct http_request){.quota = &quota});
    CHECK_INT(quota.tokens, 1);
    scene_clear(&scene);

    quota.tokens = 12;
    scene_init(&scene, ANSWERS({.err = ERR_NETWORK}, {.status = 200}));
    run(&scene, (struct http_request){.quota = &quota});
    CHECK_INT(scene.attempts, 2);
    CHECK_INT(quota.tokens, 12);
    scene_clear(&scene);
}

TEST(http_pace_holds_attempts_up_after_a_throttle)
{
    struct scene scene;
    struct http_pace pace;

    scene_init(&scene, ANSWERS({.status = 429}, {.status = 200}));
    int64_t begin_ms = scene.fake.now_ms;
    http_pace_init(&pace, scene.fake.now_ms);
    run(&scene, (struct http_request){.pace = &pace, .first_delay_ms = 1});
    CHECK_INT(scene.attempts, 2);
    CHECK(!scene.failed && pace.limits);
    CHECK(scene.fake.now_ms - begin_ms >= 1900); /* half a token a second is the least */
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 503}, {.status = 200}));
    http_pace_init(&pace, scene.fake.now_ms);
    run(&scene, (struct http_request){.pace = &pace});
    CHECK_INT(scene.attempts, 2);
    CHECK(!pace.limits);
    scene_clear(&scene);
}

static void judge(void *ctx, const struct http_answer *answer, struct err *err)
{
    struct scene *scene = ctx;

    scene->judged++;
    if (strstr(answer->body.len ? answer->body.ptr : "", "<Error>")) {
        err_set(err, ERR_SERVER, "it failed after all");
        err->retryable = true;
    } else if (answer->status == 403) {
        err_set(err, ERR_AUTH, "the token has expired");
    }
}

TEST(http_judge_knows_better_than_the_status)
{
    struct scene scene;
    struct http_auth auth = {auth_headers, &scene};

    scene_init(&scene, ANSWERS({.status = 200, .body = "<Error>"}, {.status = 200, .body = "<Result>"}));
    scene.call = http_send(scene.http, &(struct http_request){.method = "GET", .url = "https://host/x", .judged = true},
                           judge, &fns, &scene);
    fake_run(&scene.fake);
    CHECK(!scene.failed);
    CHECK_INT(scene.attempts, 2);
    CHECK_INT(scene.judged, 2);
    CHECK_TEXT(buf_text(&scene.body), "<Result>");
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 403}, {.status = 200}));
    scene.call = http_send(scene.http, &(struct http_request){.method = "GET", .url = "https://host/x", .auth = &auth},
                           judge, &fns, &scene);
    fake_run(&scene.fake);
    CHECK(!scene.failed);
    CHECK(strstr(buf_text(&scene.fake.log), "auth refused") != NULL);
    scene_clear(&scene);
}

/* ---- credentials ---- */

TEST(http_stale_token_is_renewed_once)
{
    struct scene scene;
    struct http_auth auth = {auth_headers, &scene};

    scene_init(&scene, ANSWERS({.status = 401}, {.status = 200}));
    run(&scene, (struct http_request){.class = HTTP_CHANGES, .repeat = HTTP_REPEAT_NEVER, .auth = &auth});
    LOG(scene,
        "auth\nenter 1/1 \n1/1 POST https://host/x Authorization=Bearer old\nanswered 1\nleave 1 401 auth\n"
        "auth refused\nenter 2/1 \n2/1 POST https://host/x Authorization=Bearer new\nanswered 2\nleave 2 200 ok\n");
    CHECK(!scene.failed);
    CHECK_INT(http_retries_used(scene.http), 0);
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 401}));
    run(&scene, (struct http_request){.auth = &auth});
    CHECK_INT(scene.err.kind, ERR_AUTH);
    CHECK_INT(scene.attempts, 2);
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 200}));
    scene.auth_fails = true;
    run(&scene, (struct http_request){.auth = &auth});
    LOG(scene, "auth\n");
    CHECK_INT(scene.err.kind, ERR_AUTH);
    CHECK_INT(scene.attempts, 0);
    scene_clear(&scene);
}

TEST(http_secrets_go_out_plain_and_nowhere_else)
{
    struct scene scene;
    struct buf token, url, body;
    struct header header = {"X-Token", NULL};

    scene_init(&scene, ANSWERS({.status = 400, .body = "no such user: hunter2-hunter2"}));
    buf_init(&token, 4096);
    buf_init(&url, 4096);
    buf_init(&body, 4096);
    marks_add_secret(scene.marks, &token, VIEW_LITERAL("hunter2-hunter2"));
    buf_addf(&url, "https://host/x?token=%s", buf_text(&token));
    buf_addf(&body, "{%s}", buf_text(&token));
    header.value = buf_text(&token);
    run(&scene,
        (struct http_request){
            .method = "PUT", .url = buf_text(&url), .headers = &header, .headers_len = 1, .body = buf_view(&body)});
    CHECK(view_starts(buf_view(&scene.fake.log), "1/1 PUT https://host/x?token=hunter2-hunter2 X-Token=hunter2-hunter2 "
                                                 "{{hunter2-hunter2}}\n"));
    CHECK_TEXT(scene.err.message, "PUT https://host/x?token=(secret): 400 bad request: no such user: (secret)");
    buf_free(&token);
    buf_free(&url);
    buf_free(&body);
    scene_clear(&scene);
}

TEST(http_refuses_before_anything_leaves)
{
    struct scene scene;
    struct buf unknown, host, broken, cut;
    struct marks *marks = marks_new(VIEW_LITERAL("key"));

    buf_init(&unknown, 4096);
    buf_init(&host, 4096);
    buf_init(&broken, 4096);
    buf_init(&cut, 4096);
    marks_add_unknown(marks, &unknown, "step image");
    buf_add_text(&host, "http://");
    marks_add_secret(marks, &host, VIEW_LITERAL("evil.example"));
    buf_add_text(&host, "/");
    marks_add_secret(marks, &broken, VIEW_LITERAL("a\r\nX-Evil: 1"));
    buf_add(&cut, unknown.ptr, unknown.len - 4);
    struct header secret_lines = {"X-A", buf_text(&broken)}, plain_lines = {"X-A", "a\nb"};
    struct http_request bad[] = {
        {.url = "http://host/x"},
        {.url = "http://127.0.0.1.evil.example/"},
        {.url = "http://localhost.evil.example/"},
        {.url = "http://xlocalhost/"},
        {.url = "http://169.254.169.254/"},
        {.url = buf_text(&host)},
        {.url = "ftp://localhost/"},
        {.url = "https://user:pw@host/"},
        {.url = "https://host/a b"},
        {.url = "host/x"},
        {.url = buf_text(&unknown)},
        {.body = buf_view(&unknown)},
        {.body = buf_view(&cut)},
        {.headers = &secret_lines, .headers_len = 1},
        {.headers = &plain_lines, .headers_len = 1},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        scene_init(&scene, ANSWERS({.status = 200}));
        http_free(scene.http);
        scene.http = http_new(&scene.fake.base, marks);
        bad[i].class = HTTP_CHANGES;
        run(&scene, bad[i]);
        if (scene.err.kind != ERR_USAGE || scene.fake.log.len || strstr(scene.err.message, "evil.example/ "))
            unit_fail(__FILE__, __LINE__, "case %zu: %s %s", i, scene.err.message, buf_text(&scene.fake.log));
        scene_clear(&scene);
    }
    scene_init(&scene, ANSWERS({.status = 200}));
    http_free(scene.http);
    scene.http = http_new(&scene.fake.base, marks);
    run(&scene, (struct http_request){.body = buf_view(&unknown)});
    CHECK(strstr(scene.err.message, "step image"));
    scene_clear(&scene);
    buf_free(&unknown);
    buf_free(&host);
    buf_free(&broken);
    buf_free(&cut);
    marks_free(marks);
}

TEST(http_loopback_may_be_plain)
{
    static const char *const urls[] = {"http://localhost/", "http://x.localhost:1/", "http://127.0.0.1:8080/x",
                                       "http://127.9.9.9/", "http://[::1]:80/"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct scene scene;

        scene_init(&scene, ANSWERS({.status = 200}));
        run(&scene, (struct http_request){.url = urls[i]});
        CHECK(!scene.failed);
        scene_clear(&scene);
    }
}

TEST(http_public_page_may_be_plain_when_nothing_secret_is_sent)
{
    struct marks *marks = marks_new(VIEW_LITERAL("key"));
    struct buf secret;

    buf_init(&secret, 4096);
    marks_add_secret(marks, &secret, VIEW_LITERAL("pw"));
    struct header hidden = {"X-A", buf_text(&secret)}, cookie = {"Cookie", "a=b"}, login = {"authorization", "Basic x"};
    const struct {
        struct http_request request;
        bool passes;
    } rows[] = {
        {{.url = "http://192.0.2.1/", .plain = true}, true},
        {{.url = "http://192.0.2.1/"}, false},
        {{.url = "http://192.0.2.1/", .plain = true, .class = HTTP_CHANGES}, false},
        {{.url = "http://192.0.2.1/", .plain = true, .headers = &hidden, .headers_len = 1}, false},
        {{.url = "http://192.0.2.1/", .plain = true, .headers = &cookie, .headers_len = 1}, false},
        {{.url = "http://192.0.2.1/", .plain = true, .headers = &login, .headers_len = 1}, false},
        {{.url = "http://192.0.2.1/", .plain = true, .body = buf_view(&secret)}, false},
        {{.url = "http://169.254.169.254/", .plain = true}, false},
        {{.url = "http://[fe80::1]/", .plain = true}, false},
        {{.url = "http://[::ffff:169.254.169.254]/", .plain = true}, false},
        {{.url = "http://169.254.169.254/latest/api/token", .metadata = true}, true},
        {{.url = "http://169.254.170.23/", .metadata = true, .headers = &login, .headers_len = 1}, true},
        {{.url = "http://[fd00:ec2::23]/", .metadata = true}, true},
        {{.url = "http://169.254.169.254/", .metadata = true, .class = HTTP_CHANGES}, false},
        {{.url = "http://169.254.169.254/", .metadata = true, .proxy = "http://127.0.0.1:1"}, false},
        {{.url = "http://169.254.1.1/", .metadata = true}, false},
        {{.url = "http://169.254.169.254.example.com/", .metadata = true}, false},
        {{.url = "http://192.0.2.1/", .metadata = true}, false},
        {{.url = "http://[fd00:ec2::24]/", .metadata = true}, false},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene scene;

        scene_init(&scene, ANSWERS({.status = 200}));
        http_free(scene.http);
        scene.http = http_new(&scene.fake.base, marks);
        run(&scene, rows[i].request);
        if (rows[i].passes == scene.failed || (!rows[i].passes && scene.fake.log.len))
            unit_fail(__FILE__, __LINE__, "case %zu: %s", i, scene.err.message);
        scene_clear(&scene);
    }
    buf_free(&secret);
    marks_free(marks);
}

/* ---- bodies and streams ---- */

TEST(http_body_has_a_limit)
{
    static char piece[(1 << 20) + 1];
    struct scene scene;

    memset(piece, 'x', sizeof(piece) - 1);
    scene_init(&scene, ANSWERS({.status = 200, .body = piece, .body_repeat = 63}));
    run(&scene, (struct http_request){0});
    CHECK(!scene.failed);
    CHECK_INT(scene.body.len, 64 << 20);
    scene_clear(&scene);
    scene_init(&scene, ANSWERS({.status = 200, .body = piece, .body_repeat = 64}));
    run(&scene, (struct http_request){.class = HTTP_CHANGES});
    CHECK_INT(scene.err.kind, ERR_SERVER);
    CHECK(scene.err.maybe_done);
    CHECK_INT(scene.attempts, 1);
    CHECK(strstr(buf_text(&scene.fake.log), "cancel\nleave 1 200 server maybe\n"));
    scene_clear(&scene);
}

TEST(http_stream_is_not_repeated_once_it_flows)
{
    struct scene scene;

    scene_init(&scene,
               ANSWERS({.status = 503, .body = "later"},
                       {.status = 200, .body = "piece ", .body_repeat = 1, .err = ERR_NETWORK, .maybe_done = true}));
    run(&scene, (struct http_request){.stream = true});
    CHECK_TEXT(buf_text(&scene.body), "piece piece ");
    CHECK_INT(scene.attempts, 2);
    CHECK_INT(scene.err.kind, ERR_NETWORK);
    scene_clear(&scene);

    /* Without a time-out once the head is there; with one before. */
    scene_init(&scene, ANSWERS({.status = 200, .body = "x", .hangs = true}));
    send(&scene, (struct http_request){.stream = true});
    fake_run(&scene.fake);
    CHECK_INT(scene.ends, 0);
    http_cancel(scene.call);
    CHECK(strstr(buf_text(&scene.fake.log), "cancel\nread 1 200 cancelled\n"));
    scene_clear(&scene);
    scene_init(&scene, ANSWERS({.hangs = true}));
    run(&scene, (struct http_request){.stream = true, .timeout_ms = 500, .attempts_max = 1});
    CHECK_INT(scene.err.kind, ERR_TIMEOUT);
    CHECK(strstr(buf_text(&scene.fake.log), "wait 500\ncancel\nread 1 0 timeout\n"));
    scene_clear(&scene);
}

/* ---- cancelling ---- */

TEST(http_cancel_at_every_station)
{
    struct scene scene;
    struct http_auth auth = {auth_headers, &scene};

    scene_init(&scene, ANSWERS({.status = 200})); /* before the start */
    send(&scene, (struct http_request){0});
    http_cancel(scene.call);
    fake_run(&scene.fake);
    LOG(scene, "");
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 200})); /* while credentials are fetched */
    scene.auth_later = true;
    send(&scene, (struct http_request){.auth = &auth});
    fake_run(&scene.fake);
    http_cancel(scene.call);
    scene.auth_done(scene.auth_ctx, NULL);
    fake_run(&scene.fake);
    LOG(scene, "auth\n");
    scene_clear(&scene);

    for (int refused = 0; refused < 2; refused++) { /* at the gate */
        struct err err = ERR_INIT;

        scene_init(&scene, ANSWERS({.status = 200}));
        scene.gate = LATER;
        send(&scene, (struct http_request){.class = HTTP_CHANGES});
        fake_run(&scene.fake);
        http_cancel(scene.call);
        err_set(&err, ERR_USAGE, "no");
        http_gate_open(scene.at_gate, refused ? &err : NULL);
        fake_run(&scene.fake);
        LOG(scene, refused ? "enter 1/1 \n" : "enter 1/1 \nleave 1 0 cancelled\n");
        scene_clear(&scene);
    }

    scene_init(&scene, ANSWERS({.hangs = true})); /* sent */
    send(&scene, (struct http_request){.class = HTTP_CHANGES});
    fake_run(&scene.fake);
    http_cancel(scene.call);
    LOG(scene, "enter 1/1 \n1/1 POST https://host/x\ncancel\nleave 1 0 unknown-outcome maybe\n");
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 200})); /* from its own end */
    scene.cancel_in_end = true;
    run(&scene, (struct http_request){0});
    scene_clear(&scene);

    scene_init(&scene, ANSWERS({.status = 200})); /* the room goes first */
    scene.gate = LATER;
    send(&scene, (struct http_request){.class = HTTP_CHANGES});
    fake_run(&scene.fake);
    send(&scene, (struct http_request){0});
    scene_clear(&scene);
    CHECK_INT(scene.ends, 0);
}

TEST(http_gate_may_open_later)
{
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 200}));
    scene.gate = LATER;
    send(&scene, (struct http_request){.class = HTTP_CHANGES, .logical = 0});
    fake_run(&scene.fake);
    CHECK_INT(scene.ends, 0);
    http_gate_open(scene.at_gate, NULL);
    fake_run(&scene.fake);
    CHECK_INT(scene.ends, 1);
    CHECK(!scene.failed);
    scene_clear(&scene);
}
