/*
 * The simulated API server on stdin and stdout, for differential.py. Lines in:
 *   {"method": "GET", "path": "/api/v1/pods?limit=1", "headers": {"Accept": "..."}, "body": "..."}
 *   {"advance": 2500}          virtual milliseconds pass
 *   {"stuck": "/api/v1/..."}   controllers do nothing for that object
 *   {"show": true}             the canonical store
 * Lines out, one for each: {"status": 200, "headers": [["Warning", "..."]], "body": "..."}
 */
#include "codec/json.h"
#include "sandbox/core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADERS_MAX = 16, BODY_MAX = 256 << 20 };

struct answer {
    int status;
    bool over;
    struct doc *headers;
    struct buf body;
    struct err err;
};

static void answer_head(void *ctx, const struct exchange_head *head)
{
    struct answer *answer = ctx;

    answer->status = head->status;
    for (size_t i = 0; i < head->headers_len; i++) {
        struct doc *pair = doc_array();

        doc_push(pair, doc_text(head->headers[i].name));
        doc_push(pair, doc_text(head->headers[i].value));
        doc_push(answer->headers, pair);
    }
}

static void answer_body(void *ctx, struct view bytes)
{
    buf_add_view(&((struct answer *)ctx)->body, bytes);
}

static void answer_end(void *ctx, const struct err *err)
{
    struct answer *answer = ctx;

    answer->over = true;
    if (err)
        answer->err = *err;
}

static void print_line(struct doc *take)
{
    struct buf line;

    buf_init(&line, BODY_MAX);
    json_add(&line, take, JSON_COMPACT);
    puts(buf_text(&line));
    fflush(stdout);
    buf_free(&line);
    doc_unref(take);
}

static void passed(void *ctx)
{
    *(bool *)ctx = true;
}

static void advance(struct world *world, int64_t ms)
{
    bool over = false;

    timer_start(world, ms, passed, &over);
    while (!over && world_turn(world))
        ;
    print_line(doc_object());
}

static void show(struct world *world)
{
    struct doc *out = doc_object();
    struct buf text;

    buf_init(&text, BODY_MAX);
    sandbox_show(world, false, &text);
    doc_set_text(out, "show", buf_text(&text));
    buf_free(&text);
    print_line(out);
}

static void stuck(struct world *world, const char *path)
{
    struct sim_server *kube = sim_server_named((struct sim *)(void *)world, "kube");
    const struct sim_request request = {.method = "GET", .path = path};

    if (!kube->fault(kube, &request, "stuck"))
        fprintf(stderr, "no object %s\n", path);
    print_line(doc_object());
}

static void exchange(struct world *world, const struct doc *line)
{
    static const struct exchange_fns fns = {answer_head, answer_body, answer_end};
    struct answer answer = {.headers = doc_array(), .err = ERR_INIT};
    struct header headers[HEADERS_MAX];
    size_t len = 0;
    const char *method = doc_as_text(doc_get(line, "method"), "GET");
    char *url = mem_printf("https://kubernetes.sandbox%s", doc_as_text(doc_get(line, "path"), "/"));
    uint64_t attempt = world_attempt(world);
    struct doc *out = doc_object();

    buf_init(&answer.body, BODY_MAX);
    for (struct doc_iter i = doc_iter_first(doc_get(line, "headers")); i.at && len < HEADERS_MAX;
         doc_iter_next(doc_get(line, "headers"), &i))
        headers[len++] = (struct header){.name = i.key, .value = doc_as_text(i.value, "")};
    const struct exchange_request request = {.attempt = attempt,
                                             .logical = attempt,
                                             .changes = strcmp(method, "GET") != 0,
                                             .method = method,
                                             .url = url,
                                             .headers = headers,
                                             .headers_len = len,
                                             .body = doc_as_view(doc_get(line, "body"))};
    exchange_start(world, &request, &fns, &answer);
    while (!answer.over && world_turn(world))
        ;
    doc_set_int(out, "status", answer.status);
    doc_set(out, "headers", answer.headers);
    doc_set_text(out, "body", buf_text(&answer.body));
    if (answer.err.kind != ERR_NONE)
        doc_set_text(out, "error", answer.err.message);
    print_line(out);
    buf_free(&answer.body);
    free(url);
}

int main(int argc, char **argv)
{
    const struct sandbox_options options = {
        .folder = argc > 1 ? argv[1] : NULL, .project_root = "/nowhere", .target = "serve", .seed = 1};
    struct err err = ERR_INIT;
    struct world *world = sandbox_new(&options, &err);
    char *text = NULL;
    size_t cap = 0;

    if (!world) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (ssize_t len; (len = getline(&text, &cap, stdin)) > 0;) {
        struct doc *line = json_parse((struct view){text, (size_t)len}, &err);

        if (!line) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        if (doc_get(line, "advance"))
            advance(world, doc_as_int(doc_get(line, "advance"), 0));
        else if (doc_get(line, "stuck"))
            stuck(world, doc_as_text(doc_get(line, "stuck"), ""));
        else if (doc_get(line, "show"))
            show(world);
        else
            exchange(world, line);
        doc_unref(line);
    }
    free(text);
    world_free(world);
    return 0;
}
