/* Every object of a kind, page by page, at one moment of the server's. */
#include "kube/inside.h"

#include <stdlib.h>
#include <string.h>

/* A list that ends with 410 (its pages expired) starts over; the last time in one piece, which cannot expire. */
enum { PAGE = 500, STARTS_MAX = 3 };

struct kube_list {
    struct kube *kube;
    const struct kube_resource *resource;
    char *path;
    bool backward;
    struct doc *items;
    struct kube_call *call;
    int starts;
    kube_list_fn *fn;
    void *ctx;
};

static void list_free(struct kube_list *list)
{
    free(list->path);
    doc_unref(list->items);
    free(list);
}

static void list_end(struct kube_list *list, const char *resource_version, const struct err *err)
{
    kube_list_fn *fn = list->fn;
    void *ctx = list->ctx;
    struct doc *items = doc_ref(list->items);

    list_free(list);
    fn(ctx, err ? NULL : items, resource_version, err);
    doc_unref(items);
}

static void page_ask(struct kube_list *list, const char *token);

static void page_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct kube_list *list = ctx;
    const struct doc *items = doc_get(body, "items");
    const char *token = doc_path_text(body, "metadata", "continue", NULL);
    struct buf version;

    (void)answer;
    list->call = NULL;
    if (err) {
        if (err->status == 410 && list->starts < STARTS_MAX) {
            doc_clear(list->items);
            page_ask(list, NULL);
        } else {
            list_end(list, NULL, err);
        }
        return;
    }
    buf_init(&version, 256);
    buf_addf(&version, "%s%s%s", list->resource->group, list->resource->group[0] ? "/" : "", list->resource->version);
    for (size_t i = 0; i < doc_size(items); i++) {
        struct doc *item = doc_at(items, i);

        if (!doc_get(item, "kind")) { /* items of a typed list name neither */
            doc_set_text(item, "apiVersion", buf_text(&version));
            doc_set_text(item, "kind", list->resource->kind);
        }
        doc_push(list->items, doc_ref(item));
    }
    buf_free(&version);
    if (token && token[0])
        page_ask(list, token);
    else
        list_end(list, doc_path_text(body, "metadata", "resourceVersion", NULL), NULL);
}

static void page_ask(struct kube_list *list, const char *token)
{
    struct doc *query = doc_object();
    struct kube_request request = {.method = "GET",
                                   .path = list->path,
                                   .query = query,
                                   .class = HTTP_READS,
                                   .repeat = HTTP_REPEAT_SAFE,
                                   .backward = list->backward,
                                   .subject = list->resource->plural};

    if (!token)
        list->starts++;
    if (list->starts < STARTS_MAX)
        doc_set_int(query, "limit", PAGE);
    doc_set_text(query, "continue", token);
    list->call = kube_send(list->kube, &request, page_end, list);
    doc_unref(query);
}

struct kube_list *kube_list_start(struct kube *kube, const struct kube_resource *resource, const char *namespace,
                                  bool backward, kube_list_fn *fn, void *ctx)
{
    struct kube_list *list = mem_alloc(sizeof(*list));
    struct buf path;

    buf_init(&path, 4096);
    kube_path(&path, resource, namespace, NULL, NULL);
    list->kube = kube;
    list->resource = resource;
    list->path = buf_take(&path);
    list->backward = backward;
    list->items = doc_array();
    list->fn = fn;
    list->ctx = ctx;
    page_ask(list, NULL);
    return list;
}

void kube_list_cancel(struct kube_list *list)
{
    if (!list)
        return;
    if (list->call)
        kube_cancel(list->call);
    list_free(list);
}
