/*
 * Requests that were sent, never answered, and take effect later: whoever sent them may have given
 * up, or be dead, and the next process of this sandbox still sees the effect when its time has come.
 */
#include "sandbox/core.h"

#include <stdlib.h>

struct late {
    struct list link;
    struct sim *sim;
    int64_t id;
    struct doc *kept; /* {due, method, url, headers: [[name, value]], body} */
};

static void late_free(struct late *late)
{
    list_remove(&late->link);
    doc_unref(late->kept);
    free(late);
}

static void late_log(const struct late *late, bool over)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "late");
    doc_set_int(effect, "id", late->id);
    if (!over)
        doc_set(effect, "request", doc_ref(late->kept));
    sim_log(late->sim, effect);
}

static size_t headers_get(const struct doc *list, struct header **headers)
{
    size_t len = doc_size(list);

    *headers = mem_array(len ? len : 1, sizeof(**headers));
    for (size_t i = 0; i < len; i++)
        (*headers)[i] =
            (struct header){doc_as_text(doc_at(doc_at(list, i), 0), ""), doc_as_text(doc_at(doc_at(list, i), 1), "")};
    return len;
}

static void late_act(const struct late *late)
{
    struct sim_message message;
    struct sim_server *server = NULL;
    struct header *headers;
    size_t headers_len = headers_get(doc_get(late->kept, "headers"), &headers);
    struct buf body;
    struct err err = ERR_INIT;

    buf_init(&body, SIZE_MAX / 2);
    sim_bytes_get(late->kept, "body", &body);
    if (sim_message_init(&message, doc_as_text(doc_get(late->kept, "method"), "GET"),
                         doc_as_text(doc_get(late->kept, "url"), ""), headers, headers_len, buf_view(&body), &err) == 0)
        server = sim_route(late->sim, &message.request);
    if (server) {
        struct sim_reply *reply = sim_reply_new(late->sim, NULL, MANGLE_NONE);

        server->handle(server, &message.request, reply);
        sim_reply_detach(reply);
    }
    sim_message_clear(&message);
    buf_free(&body);
    free(headers);
}

/* That it is over goes in the same write as what it does: it is never done twice. */
static void late_due(void *ctx)
{
    struct late *late = ctx;

    late_log(late, true);
    late_act(late);
    late_free(late);
}

static void late_start(struct late *late)
{
    sim_after(late->sim, doc_as_int(doc_get(late->kept, "due"), 0) - sim_now_ms(late->sim), late_due, late);
}

static struct late *late_new(struct sim *sim, int64_t id, struct doc *take)
{
    struct late *late = mem_alloc(sizeof(*late));

    late->sim = sim;
    late->id = id;
    late->kept = take;
    list_add_tail(sim_net_late(sim->net), &late->link);
    return late;
}

void sim_late_add(struct sim *sim, const struct sim_message *message, uint64_t attempt)
{
    struct list *all = sim_net_late(sim->net);
    int64_t id = list_empty(all) ? 1 : LIST_OF(all->prev, struct late, link)->id + 1;
    struct doc *kept = doc_object(), *headers = doc_array();
    struct late *late;

    for (size_t i = 0; i < message->request.headers_len; i++) {
        struct doc *pair = doc_array();

        doc_push(pair, doc_text(message->headers[i].name));
        doc_push(pair, doc_text(message->headers[i].value));
        doc_push(headers, pair);
    }
    doc_set_int(kept, "due", sim_now_ms(sim) + 1 + (int64_t)sim_draw(sim, "late", attempt, SIM_LATE_MS - SIM_UP_MS));
    doc_set_text(kept, "method", message->method);
    doc_set_text(kept, "url", message->url);
    doc_set(kept, "headers", headers);
    sim_bytes_set(kept, "body", buf_view(&message->body));
    late = late_new(sim, id, kept);
    late_log(late, false);
    late_start(late);
}

void sim_late_replay(struct sim *sim, const struct doc *effect)
{
    struct list *all = sim_net_late(sim->net);
    int64_t id = doc_as_int(doc_get(effect, "id"), 0);
    struct doc *kept = doc_get(effect, "request");

    if (kept) {
        late_new(sim, id, doc_ref(kept));
        return;
    }
    LIST_EACH_SAFE(link, all)
    {
        struct late *late = LIST_OF(link, struct late, link);

        if (late->id == id)
            late_free(late);
    }
}

void sim_late_started(struct sim *sim)
{
    LIST_EACH(link, sim_net_late(sim->net))
    late_start(LIST_OF(link, struct late, link));
}

void sim_late_snapshot(struct sim *sim)
{
    LIST_EACH(link, sim_net_late(sim->net))
    late_log(LIST_OF(link, struct late, link), false);
}

void sim_late_free(struct sim *sim)
{
    LIST_EACH_SAFE(link, sim_net_late(sim->net))
    late_free(LIST_OF(link, struct late, link));
}
