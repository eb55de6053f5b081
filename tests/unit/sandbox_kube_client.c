/* The tests' client of the simulated API server. */
#include "sandbox_kube.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct call {
    struct kube *kube;
    bool over;
};

static void call_head(void *ctx, const struct exchange_head *head)
{
    struct call *call = ctx;

    call->kube->status = head->status;
    for (size_t i = 0; i < head->headers_len; i++)
        if (strcmp(head->headers[i].name, "Warning") == 0)
            buf_addf(&call->kube->warnings, "%s\n", head->headers[i].value);
}

static void call_body(void *ctx, struct view bytes)
{
    buf_add_view(&((struct call *)ctx)->kube->text, bytes);
}

static void call_end(void *ctx, const struct err *err)
{
    struct call *call = ctx;

    call->over = true;
    if (err)
        call->kube->status = -1;
}

static const struct exchange_fns call_fns = {call_head, call_body, call_end};

void kube_open(struct kube *kube, const char *folder, const char *const *faults)
{
    const struct sandbox_options options = {
        .folder = folder, .project_root = "/nowhere", .target = "test", .seed = 1, .faults = faults};
    struct err err = ERR_INIT;

    *kube = (struct kube){.world = sandbox_new(&options, &err)};
    if (!kube->world) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    buf_init(&kube->text, 64 << 20);
    buf_init(&kube->warnings, 1 << 20);
}

void kube_close(struct kube *kube)
{
    world_free(kube->world);
    doc_unref(kube->body);
    buf_free(&kube->text);
    buf_free(&kube->warnings);
}

static struct exchange_request request_of(struct kube *kube, const char *method, const char *url,
                                          const struct header *headers, size_t len, const char *body)
{
    uint64_t attempt = world_attempt(kube->world);

    return (struct exchange_request){.attempt = attempt,
                                     .logical = attempt,
                                     .changes = strcmp(method, "GET") != 0,
                                     .method = method,
                                     .url = url,
                                     .headers = headers,
                                     .headers_len = len,
                                     .body = view_of(body)};
}

struct doc *kube_send(struct kube *kube, const char *method, const char *path, const char *type, const char *body)
{
    const struct header headers[] = {{.name = "Content-Type", .value = type ? type : "application/json"},
                                     {.name = "User-Agent", .value = "tests/1"}};
    char *url = mem_printf("https://kubernetes.sandbox%s", path);
    struct exchange_request request = request_of(kube, method, url, headers, 2, body);
    struct call call = {.kube = kube};
    struct err err = ERR_INIT;

    kube->status = 0;
    buf_reset(&kube->text);
    buf_reset(&kube->warnings);
    exchange_start(kube->world, &request, &call_fns, &call);
    while (!call.over && world_turn(kube->world))
        ;
    doc_unref(kube->body);
    kube->body = json_parse(buf_view(&kube->text), &err);
    free(url);
    return kube->body;
}

struct doc *kube_get_path(struct kube *kube, const char *path)
{
    return kube_send(kube, "GET", path, NULL, NULL);
}

struct doc *kube_post(struct kube *kube, const char *path, const char *body)
{
    return kube_send(kube, "POST", path, NULL, body);
}

struct doc *kube_apply(struct kube *kube, const char *path, const char *manager, const char *more, const char *body)
{
    char *url = mem_printf("%s?fieldManager=%s%s", path, manager, more);
    struct doc *out = kube_send(kube, "PATCH", url, "application/apply-patch+yaml", body);

    free(url);
    return out;
}

struct doc *kube_merge(struct kube *kube, const char *path, const char *body)
{
    return kube_send(kube, "PATCH", path, "application/merge-patch+json", body);
}

struct doc *kube_delete(struct kube *kube, const char *path, const char *options)
{
    return kube_send(kube, "DELETE", path, NULL, options);
}

static void passed(void *ctx)
{
    *(bool *)ctx = true;
}

void kube_wait(struct kube *kube, int64_t ms)
{
    bool over = false;

    timer_start(kube->world, ms, passed, &over);
    while (!over && world_turn(kube->world))
        ;
}

const char *kube_text(struct kube *kube, const char *pointer)
{
    static char number[24];
    const struct doc *found = doc_pointer(kube->body, pointer);

    if (!doc_is(found, DOC_INT))
        return doc_as_text(found, "");
    snprintf(number, sizeof(number), "%lld", (long long)doc_as_int(found, 0));
    return number;
}

const char *kube_condition(struct kube *kube, const char *type, const char *field)
{
    const struct doc *conditions = doc_path(kube->body, "status", "conditions", NULL);

    for (size_t i = 0; i < doc_size(conditions); i++)
        if (strcmp(doc_as_text(doc_get(doc_at(conditions, i), "type"), ""), type) == 0)
            return doc_as_text(doc_get(doc_at(conditions, i), field), "");
    return "";
}

char *kube_show(struct kube *kube)
{
    struct buf out;

    buf_init(&out, 64 << 20);
    sandbox_show(kube->world, false, &out);
    return buf_take(&out);
}

static void stream_head(void *ctx, const struct exchange_head *head)
{
    ((struct stream *)ctx)->status = head->status;
}

static void stream_body(void *ctx, struct view bytes)
{
    buf_add_view(&((struct stream *)ctx)->text, bytes);
}

static void stream_end(void *ctx, const struct err *err)
{
    (void)err;
    ((struct stream *)ctx)->over = true;
}

void stream_open(struct stream *stream, struct kube *kube, const char *path)
{
    static const struct exchange_fns fns = {stream_head, stream_body, stream_end};
    char *url = mem_printf("https://kubernetes.sandbox%s", path);
    struct exchange_request request = request_of(kube, "GET", url, NULL, 0, NULL);

    *stream = (struct stream){0};
    buf_init(&stream->text, 64 << 20);
    stream->exchange = exchange_start(kube->world, &request, &fns, stream);
    kube_wait(kube, 50);
    free(url);
}

void stream_close(struct stream *stream)
{
    if (!stream->over)
        exchange_cancel(stream->exchange);
    buf_free(&stream->text);
}

char *kube_folder(void)
{
    const char *root = getenv("TMPDIR");
    char *folder = mem_printf("%s/sandbox_kube_XXXXXX", root ? root : "/tmp");

    if (!mkdtemp(folder))
        abort();
    return folder;
}

void kube_folder_remove(char *take)
{
    char *file = mem_printf("%s/state.jsonl", take);

    unlink(file);
    rmdir(take);
    free(file);
    free(take);
}
