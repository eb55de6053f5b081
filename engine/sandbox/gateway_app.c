/*
 * What answers behind the gateway: the game's page and the stats API, as the platform's containers
 * would, as far as the cluster's objects say that they run.
 */
#include "sandbox/core.h"
#include "sandbox/gateway.h"

#include <stdlib.h>
#include <string.h>

static const char *const games[] = {"CIVILIZATION", "DOOM"}; /* the rows of game_stats */
enum { GAMES = sizeof(games) / sizeof(games[0]) };

struct workload_search {
    const struct doc *selector, *subset;
    const struct doc *found;
};

static bool workload_visit(void *ctx, const struct doc *object)
{
    struct workload_search *search = ctx;
    const struct doc *labels = doc_path(object, "spec", "template", "metadata", "labels", NULL);

    if (doc_as_int(doc_path(object, "status", "readyReplicas", NULL), 0) > 0 &&
        sim_labels_match(search->selector, labels) && (!search->subset || sim_labels_match(search->subset, labels)))
        search->found = object;
    return !search->found;
}

static bool has_port(const struct doc *service, int64_t number)
{
    const struct doc *ports = doc_path(service, "spec", "ports", NULL);

    for (size_t i = 0; i < doc_size(ports) && number; i++)
        if (doc_as_int(doc_get(doc_at(ports, i), "port"), 0) == number)
            return true;
    return number == 0;
}

/* ---- the database ---- */

static bool postgres_visit(void *ctx, const struct doc *object)
{
    const char *name = doc_path_text(object, "metadata", "name", NULL);

    if (name && strstr(name, "postgres"))
        *(const struct doc **)ctx = object;
    return true;
}

/* The uid of what holds its rows: the first volume, else the StatefulSet. NULL while it is not ready. */
static const char *database(struct sim_gateway *gateway, const char *namespace)
{
    const struct doc *set = NULL, *volume = NULL;
    const char *claim, *name;

    gateway->each(gateway->kube, "apps", "StatefulSet", namespace, postgres_visit, &set);
    if (doc_as_int(doc_path(set, "status", "readyReplicas", NULL), 0) <= 0)
        return NULL;
    claim = doc_path_text(set, "spec", "volumeClaimTemplates", "0", "metadata", "name", NULL);
    name = doc_path_text(set, "metadata", "name", NULL);
    if (claim) {
        char *full = mem_printf("%s-%s-0", claim, name);

        volume = gateway->get(gateway->kube, "", "PersistentVolumeClaim", namespace, full);
        free(full);
    }
    return doc_path_text(volume ? volume : set, "metadata", "uid", NULL);
}

static struct doc *row(struct sim_gateway *gateway, const char *store, const char *game)
{
    struct doc *stats = doc_object();

    doc_set_text(stats, "game_name", game);
    doc_set_int(stats, "play_count", doc_as_int(doc_path(gateway->plays, store, game, NULL), 0));
    return stats;
}

static void play(struct sim_gateway *gateway, const char *store, const char *game)
{
    const struct doc *before = doc_get(gateway->plays, store);
    struct doc *counts = before ? doc_copy(before) : doc_object(), *effect = doc_object();

    doc_set_int(counts, game, doc_as_int(doc_get(counts, game), 0) + 1);
    doc_set_text(effect, "of", "gateway");
    doc_set_text(effect, "plays", store);
    doc_set(effect, "counts", doc_ref(counts));
    doc_set(gateway->plays, store, counts);
    sim_log(gateway->sim, effect);
}

/* ---- the applications ---- */

static struct doc *message(const char *name, const char *text)
{
    struct doc *doc = doc_object();

    doc_set_text(doc, name, text);
    return doc;
}

static void health(const char *store, struct sim_reply *reply)
{
    sim_reply_doc(reply, store ? 200 : 503, message("status", store ? "healthy" : "unhealthy"));
}

static void stats_answer(struct sim_gateway *gateway, const char *store, const struct sim_request *request,
                         struct sim_reply *reply)
{
    static const char play_path[] = "/api/play/";
    bool posts = strcmp(request->method, "POST") == 0;

    if (strcmp(request->path, "/health") == 0 || strcmp(request->path, "/api/health") == 0) {
        health(store, reply);
    } else if (!store) {
        sim_reply_doc(reply, 503, message("error", "the database is not there"));
    } else if (!posts && strcmp(request->path, "/api/stats") == 0) {
        struct doc *rows = doc_array();

        for (size_t i = 0; i < GAMES; i++)
            doc_push(rows, row(gateway, store, games[i]));
        sim_reply_doc(reply, 200, rows);
    } else {
        const char *name =
            strncmp(request->path, play_path, sizeof(play_path) - 1) == 0 ? request->path + sizeof(play_path) - 1 : "";
        size_t i = 0;

        while (i < GAMES && strcmp(games[i], name) != 0)
            i++;
        if (posts && i < GAMES) {
            play(gateway, store, name);
            sim_reply_doc(reply, 200, row(gateway, store, name));
        } else {
            sim_reply_doc(reply, 404, message("error", "not found"));
        }
    }
}

static void html_add(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '<')
            buf_add_text(out, "&lt;");
        else if (*text == '&')
            buf_add_text(out, "&amp;");
        else
            buf_add_char(out, *text);
    }
}

static const char *title_of(const struct doc *workload, const char *version)
{
    const char *title = doc_path_text(workload, "metadata", "annotations", "dosrun.io/title", NULL);

    if (!title)
        title = doc_path_text(workload, "spec", "template", "metadata", "annotations", "dosrun.io/title", NULL);
    return title ? title : version;
}

static void page_answer(struct sim_gateway *gateway, const struct doc *workload, const char *store,
                        struct sim_reply *reply)
{
    const char *version = doc_path_text(workload, "spec", "template", "metadata", "labels", "version", NULL);
    const struct header headers[] = {{"Content-Type", "text/html"}, {"x-game-version", version ? version : ""}};
    struct buf page;

    buf_init(&page, SIM_BODY_MAX);
    buf_add_text(&page, "<!DOCTYPE html>\n<html><head><title>");
    html_add(&page, title_of(workload, version ? version : ""));
    buf_add_text(&page, "</title></head><body>\n<table>\n");
    for (size_t i = 0; i < GAMES; i++)
        buf_addf(&page, "<tr><td>%s</td><td>%lld</td></tr>\n", games[i],
                 (long long)(store ? doc_as_int(doc_path(gateway->plays, store, games[i], NULL), 0) : 0));
    buf_add_text(&page, "</table>\n</body></html>\n");
    sim_reply_head(reply, 200, headers, 2);
    sim_reply_body(reply, buf_view(&page));
    sim_reply_end(reply);
    buf_free(&page);
}

void sim_gateway_app(struct sim_gateway *gateway, const char *namespace, const char *service, int64_t port,
                     const struct doc *subset, const struct sim_request *request, struct sim_reply *reply)
{
    const struct doc *object = gateway->get(gateway->kube, "", "Service", namespace, service);
    struct workload_search search = {.selector = doc_path(object, "spec", "selector", NULL), .subset = subset};
    const char *name, *store;

    if (!object || !has_port(object, port)) {
        sim_gateway_reply(reply, 503, "");
        return;
    }
    gateway->each(gateway->kube, "apps", "Deployment", namespace, workload_visit, &search);
    if (!search.found) {
        sim_gateway_reply(reply, 503, "no healthy upstream");
        return;
    }
    name = doc_path_text(search.found, "metadata", "name", NULL);
    store = database(gateway, namespace);
    if (name && strncmp(name, "stats", 5) == 0)
        stats_answer(gateway, store, request, reply);
    else if (strcmp(request->path, "/health") == 0)
        health(store, reply);
    else if (strcmp(request->path, "/") == 0)
        page_answer(gateway, search.found, store, reply);
    else
        sim_gateway_reply(reply, 404, "not found");
}
