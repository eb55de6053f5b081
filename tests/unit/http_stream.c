/* Calls whose body, or whose answer's, is not in memory: begun anew by each attempt, an error's body kept. */
#include "unit.h"
#include "http_fake.h"
#include "open_gate.h"

#include "http/http.h"

#include <string.h>

struct scene {
    struct fake fake;
    struct http *http;
    int ends, attempts;
    bool failed;
    struct err err;
    struct buf body;
};

static void on_end(void *ctx, const struct http_answer *answer, const struct err *err)
{
    struct scene *scene = ctx;

    scene->ends++;
    scene->failed = err != NULL;
    scene->err = err ? *err : ERR_INIT;
    scene->attempts = answer->attempts;
    buf_add_view(&scene->body, answer->body);
}

#define ANSWERS(...)                           \
    (const struct fake_answer[]){__VA_ARGS__}, \
        sizeof((const struct fake_answer[]){__VA_ARGS__}) / sizeof(struct fake_answer)

static void scene_init(struct scene *scene, const struct fake_answer *answers, size_t len)
{
    *scene = (struct scene){.err = ERR_INIT};
    fake_init(&scene->fake, answers, len);
    scene->http = http_new(&scene->fake.base, NULL);
    http_set_gate(scene->http, open_gate());
    buf_init(&scene->body, SIZE_MAX);
}

static void scene_clear(struct scene *scene)
{
    http_free(scene->http);
    fake_clear(&scene->fake);
    buf_free(&scene->body);
}

static void run(struct scene *scene, struct http_request request)
{
    static const struct http_fns fns = {NULL, on_end};

    request.url = "https://host/x";
    request.method = request.class == HTTP_CHANGES ? "POST" : "GET";
    http_send(scene->http, &request, NULL, &fns, scene);
    fake_run(&scene->fake);
    CHECK_INT(scene->ends, 1);
}

#define LOG(scene, want) CHECK_TEXT(buf_text(&(scene).fake.log), want)

static int file_read(void *ctx, uint64_t offset, char *out, size_t len, struct err *err)
{
    (void)err;
    memcpy(out, (const char *)ctx + offset, len);
    return 0;
}

struct pot {
    struct buf bytes;
    int begins, status;
    bool shut, full;
};

static int pot_begin(void *ctx, const struct http_answer *head, struct err *err)
{
    struct pot *pot = ctx;

    pot->begins++;
    pot->status = head->status;
    buf_reset(&pot->bytes);
    return pot->shut ? err_set(err, ERR_DENIED, "may not be written") : 0;
}

static int pot_add(void *ctx, struct view bytes, struct err *err)
{
    struct pot *pot = ctx;

    buf_add_view(&pot->bytes, bytes);
    return pot->full ? err_set(err, ERR_QUOTA, "no space left") : 0;
}

TEST(http_sends_a_source_anew_with_each_attempt)
{
    char text[] = "the file";
    struct exchange_source source = {8, file_read, text};
    struct scene scene;

    scene_init(&scene, ANSWERS({.status = 503}, {.status = 200}));
    run(&scene, (struct http_request){.class = HTTP_CHANGES, .source = &source});
    LOG(scene, "1/1 POST https://host/x <the file> total 0 idle 30000\nanswered 1\n"
               "random retry after attempt 1\nwait 50\n"
               "2/1 POST https://host/x <the file> total 0 idle 30000\nanswered 2\n");
    CHECK(!scene.failed);
    scene_clear(&scene);
}

TEST(http_sink_gets_a_success_alone_and_from_its_start)
{
    struct pot pot = {0};
    struct http_sink sink = {pot_begin, pot_add, &pot};
    struct scene scene;

    buf_init(&pot.bytes, 1 << 10);
    scene_init(&scene, ANSWERS({.status = 503, .body = "busy"},
                               {.status = 200, .body = "half", .err = ERR_NETWORK, .maybe_done = true},
                               {.status = 200, .body = "who", .body_repeat = 1}));
    run(&scene, (struct http_request){.sink = &sink});
    CHECK(!scene.failed);
    CHECK_INT(scene.attempts, 3);
    CHECK_INT(pot.begins, 2);
    CHECK_INT(pot.status, 200);
    CHECK_TEXT(buf_text(&pot.bytes), "whowho");
    CHECK_TEXT(buf_text(&scene.body), "");
    scene_clear(&scene);
    pot.begins = 0;
    scene_init(&scene, ANSWERS({.status = 404, .body = "none here"}));
    run(&scene, (struct http_request){.sink = &sink});
    CHECK_INT(scene.err.kind, ERR_MISSING);
    CHECK_INT(pot.begins, 0);
    CHECK_TEXT(buf_text(&scene.body), "none here");
    scene_clear(&scene);
    buf_free(&pot.bytes);
}

TEST(http_sink_that_cannot_take_ends_it_for_good)
{
    for (int full = 0; full < 2; full++) {
        struct pot pot = {.shut = !full, .full = full};
        struct http_sink sink = {pot_begin, pot_add, &pot};
        struct scene scene;

        buf_init(&pot.bytes, 1 << 10);
        scene_init(&scene, ANSWERS({.status = 200, .body = "x", .body_repeat = 3}));
        run(&scene, (struct http_request){.sink = &sink});
        CHECK_INT(scene.err.kind, full ? ERR_QUOTA : ERR_DENIED);
        CHECK_INT(scene.err.status, 200);
        CHECK_INT(scene.attempts, 1);
        CHECK_TEXT(buf_text(&pot.bytes), full ? "x" : "");
        LOG(scene, full ? "1/1 GET https://host/x total 0 idle 30000\ncancel\n"
                        : "1/1 GET https://host/x total 0 idle 30000\ncancel\n");
        scene_clear(&scene);
        buf_free(&pot.bytes);
    }
}
