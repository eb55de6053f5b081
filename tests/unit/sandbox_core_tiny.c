#include "sandbox_core.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/wait.h>
#include <unistd.h>

struct tiny {
    struct sim_server server; /* first */
    struct sim *sim;
    struct doc *texts;
    int handled;
    char fault[16];
    struct sim_reply *watch;
    struct sim_timer *later;
};

static struct tiny *tiny_of(struct sim *sim)
{
    return (struct tiny *)(void *)sim_server_named(sim, "tiny");
}

static bool serves(struct sim_server *server, const struct sim_request *request)
{
    (void)server;
    return view_is(request->host, "tiny.test");
}

static void set(struct tiny *tiny, const char *path, const char *text)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "tiny");
    doc_set_text(effect, "path", path);
    doc_set_text(effect, "text", text);
    sim_log(tiny->sim, effect);
    doc_set(tiny->texts, path, text ? doc_text(text) : NULL);
    if (tiny->watch)
        sim_reply_body(tiny->watch, view_of(path));
}

static void answer(struct sim_reply *reply, int status, const char *text)
{
    struct doc *doc = doc_object();

    doc_set_text(doc, "text", text);
    sim_reply_doc(reply, status, doc);
}

static void watch_gone(void *ctx)
{
    ((struct tiny *)ctx)->watch = NULL;
}

static void slow_due(void *ctx)
{
    answer(ctx, 200, "slow");
}

static void later_due(void *ctx)
{
    struct tiny *tiny = ctx;

    tiny->later = NULL;
    set(tiny, "/late", "here");
}

static void handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply)
{
    struct tiny *tiny = (struct tiny *)(void *)server;
    const char *old = doc_as_text(doc_get(tiny->texts, request->path), NULL);
    char *text = NULL;

    tiny->handled++;
    if (strcmp(request->path, "/watch") == 0) {
        tiny->watch = reply;
        sim_reply_on_gone(reply, watch_gone, tiny);
        sim_reply_head(reply, 200, NULL, 0);
        return;
    }
    if (strcmp(request->path, "/slow") == 0) {
        sim_after(tiny->sim, 5000, slow_due, reply);
        return;
    }
    if (strncmp(request->path, "/later/", 7) == 0)
        tiny->later = sim_after(tiny->sim, atoi(request->path + 7), later_due, tiny);
    else if (strcmp(request->method, "PUT") == 0)
        set(tiny, request->path, text = mem_view(request->body));
    else if (strcmp(request->method, "POST") == 0)
        set(tiny, request->path, text = mem_printf("%s+", old ? old : ""));
    else if (strcmp(request->method, "DELETE") == 0)
        set(tiny, request->path, NULL);
    else if (!old) {
        answer(reply, 404, NULL);
        return;
    }
    answer(reply, 200, doc_as_text(doc_get(tiny->texts, request->path), NULL));
    free(text);
}

static void replay(struct sim_server *server, const struct doc *effect)
{
    struct doc *text = doc_get(effect, "text");

    doc_set(((struct tiny *)(void *)server)->texts, doc_path_text(effect, "path", NULL), text ? doc_ref(text) : NULL);
}

static void snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    DOC_EACH(text, ((struct tiny *)(void *)server)->texts)
    {
        struct doc *effect = doc_object();

        doc_set_text(effect, "of", "tiny");
        doc_set_text(effect, "path", text.key);
        doc_set(effect, "text", doc_ref(text.value));
        put(ctx, effect);
    }
}

static void show(struct sim_server *server, bool raw, struct buf *out)
{
    (void)raw;
    DOC_EACH(text, ((struct tiny *)(void *)server)->texts)
    buf_addf(out, "tiny %s %s\n", text.key, doc_as_text(text.value, ""));
}

static bool state_fault(struct sim_server *server, const struct sim_request *request, const char *kind)
{
    struct tiny *tiny = (struct tiny *)(void *)server;

    (void)request;
    if (strcmp(kind, "stuck") == 0)
        return false;
    snprintf(tiny->fault, sizeof(tiny->fault), "%s", kind);
    return true;
}

static void tiny_free(struct sim_server *server)
{
    doc_unref(((struct tiny *)(void *)server)->texts);
    free(server);
}

static void wire(struct sim *sim)
{
    struct tiny *tiny = mem_alloc(sizeof(*tiny));

    tiny->server = (struct sim_server){.name = "tiny",
                                       .serves = serves,
                                       .handle = handle,
                                       .replay = replay,
                                       .snapshot = snapshot,
                                       .show = show,
                                       .fault = state_fault,
                                       .free = tiny_free};
    tiny->sim = sim;
    tiny->texts = doc_object();
    sim_add(sim, &tiny->server);
}

struct sim *tiny_open_seed(const char *folder, const char *fault, const char *crash, uint64_t seed)
{
    const char *const faults[] = {fault, NULL};
    struct sandbox_options options = {
        .folder = folder, .target = "test", .seed = seed, .faults = faults, .crash = crash};
    struct err err = ERR_INIT;
    struct sim *sim = sim_open(&options, wire, &err);

    if (!sim)
        printf("tiny_open: %s\n", err.message);
    return sim;
}

struct sim *tiny_open(const char *folder, const char *fault, const char *crash)
{
    return tiny_open_seed(folder, fault, crash, 1);
}

const char *tiny_get(struct sim *sim, const char *path)
{
    return doc_as_text(doc_get(tiny_of(sim)->texts, path), NULL);
}

int tiny_handled(struct sim *sim)
{
    return tiny_of(sim)->handled;
}

const char *tiny_fault(struct sim *sim)
{
    return tiny_of(sim)->fault;
}

/* ---- the client ---- */

static void on_head(void *ctx, const struct exchange_head *head)
{
    struct got *got = ctx;

    got->heads++;
    got->status = head->status;
    for (size_t i = 0; i < head->headers_len; i++) {
        if (strcasecmp(head->headers[i].name, "retry-after") == 0)
            snprintf(got->retry_after, sizeof(got->retry_after), "%s", head->headers[i].value);
        if (strcasecmp(head->headers[i].name, "x-game-version") == 0)
            snprintf(got->version, sizeof(got->version), "%s", head->headers[i].value);
        if (strcasecmp(head->headers[i].name, "content-type") == 0)
            snprintf(got->type, sizeof(got->type), "%s", head->headers[i].value);
    }
}

static void on_body(void *ctx, struct view bytes)
{
    buf_add_view(&((struct got *)ctx)->body, bytes);
}

static void on_end(void *ctx, const struct err *err)
{
    struct got *got = ctx;

    got->ends++;
    got->failed = err != NULL;
    if (err)
        got->err = *err;
    got->ended_ms = sim_now_ms(got->sim);
}

static struct exchange *start(struct got *got, struct sim *sim, struct exchange_request *request)
{
    const struct exchange_fns fns = {on_head, on_body, on_end};

    *got = (struct got){.sim = sim, .err = ERR_INIT};
    buf_init(&got->body, 1 << 20);
    return exchange_start(&sim->world, request, &fns, got);
}

struct exchange *got_send_headers(struct got *got, struct sim *sim, const char *method, const char *url,
                                  const struct header *headers, size_t headers_len)
{
    uint64_t attempt = world_attempt(&sim->world);
    struct exchange_request request = {.attempt = attempt,
                                       .logical = attempt,
                                       .method = method,
                                       .url = url,
                                       .headers = headers,
                                       .headers_len = headers_len};

    return start(got, sim, &request);
}

struct exchange *got_send_request(struct got *got, struct sim *sim, const char *method, const char *url,
                                  const struct header *headers, size_t headers_len, const char *body, bool changes)
{
    uint64_t attempt = world_attempt(&sim->world);
    struct exchange_request request = {.attempt = attempt,
                                       .logical = attempt,
                                       .changes = changes,
                                       .method = method,
                                       .url = url,
                                       .headers = headers,
                                       .headers_len = headers_len,
                                       .body = view_of(body)};

    return start(got, sim, &request);
}

struct exchange *got_send(struct got *got, struct sim *sim, const char *method, const char *url, struct send send)
{
    const struct header agent = {"User-Agent", "test"};
    uint64_t attempt = send.attempt ? send.attempt : world_attempt(&sim->world);
    struct exchange_request request = {.attempt = attempt,
                                       .logical = send.logical ? send.logical : attempt,
                                       .changes = send.changes,
                                       .backward = send.backward,
                                       .method = method,
                                       .url = url,
                                       .headers = &agent,
                                       .headers_len = 1,
                                       .body = view_of(send.body),
                                       .timeout_ms = send.timeout_ms,
                                       .idle_timeout_ms = send.idle_ms};

    return start(got, sim, &request);
}

void got_await(struct got *got)
{
    while (!got->ends && world_turn(&got->sim->world))
        ;
}

void got_call(struct got *got, struct sim *sim, const char *method, const char *path, struct send send)
{
    char *url = mem_printf("https://tiny.test%s", path);

    got_send(got, sim, method, url, send);
    free(url);
    got_await(got);
}

void got_clear(struct got *got)
{
    buf_free(&got->body);
}

/* ---- the rest ---- */

char *folder_new(void)
{
    const char *above = getenv("TMPDIR");
    char *folder = mem_printf("%s/sandbox-XXXXXX", above ? above : "/tmp");

    if (!mkdtemp(folder))
        perror(folder);
    return folder;
}

static int remove_one(const char *path, const struct stat *stat, int type, struct FTW *where)
{
    (void)stat;
    (void)type;
    (void)where;
    return remove(path);
}

void folder_remove(char *folder)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(folder);
}

static void passed(void *ctx)
{
    *(bool *)ctx = true;
}

void run_for(struct sim *sim, int64_t ms)
{
    bool over = false;

    timer_start(&sim->world, ms, passed, &over);
    while (!over && world_turn(&sim->world))
        ;
}

int child_run(void (*fn)(void *ctx), void *ctx)
{
    int status = -1;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        fn(ctx);
        fflush(stdout);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
