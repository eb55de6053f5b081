/* The ingress gateway over objects of the tests' own. */
#include "sandbox/gateway.h"
#include "sandbox_core.h"
#include "codec/json.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct doc *objects; /* of the one cluster that a test has */

static bool is(const struct doc *object, const char *group, const char *kind, const char *namespace)
{
    const char *version = doc_as_text(doc_get(object, "apiVersion"), ""), *slash = strchr(version, '/');
    size_t len = slash ? (size_t)(slash - version) : 0;
    const char *in = doc_path_text(object, "metadata", "namespace", NULL);

    return strlen(group) == len && strncmp(version, group, len) == 0 &&
           strcmp(doc_as_text(doc_get(object, "kind"), ""), kind) == 0 && (!namespace || strcmp(in, namespace) == 0);
}

static void each(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                 sim_kube_each_fn *fn, void *ctx)
{
    (void)kube;
    for (size_t i = 0; i < doc_size(objects); i++)
        if (is(doc_at(objects, i), group, kind, namespace) && !fn(ctx, doc_at(objects, i)))
            return;
}

static struct doc *get(struct sim_server *kube, const char *group, const char *kind, const char *namespace,
                       const char *name)
{
    (void)kube;
    for (size_t i = 0; i < doc_size(objects); i++)
        if (is(doc_at(objects, i), group, kind, namespace) &&
            strcmp(doc_path_text(doc_at(objects, i), "metadata", "name", NULL), name) == 0)
            return doc_at(objects, i);
    return NULL;
}

static void wire(struct sim *sim)
{
    struct sim_gateway *gateway = (struct sim_gateway *)(void *)sim_gateway_new(sim, NULL);

    gateway->get = get;
    gateway->each = each;
    sim_add(sim, &gateway->server);
}

/* An object of namespace/name, with more members in JSON; an older one of that name is replaced. */
static void put(const char *version, const char *kind, const char *namespace, const char *name, const char *more)
{
    char *text = mem_printf("{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\","
                            "\"uid\":\"uid-%s\"},%s}",
                            version, kind, namespace, name, name, more);
    struct err err = ERR_INIT;
    struct doc *object = json_parse(view_of(text), &err);

    if (!object)
        unit_fail(__FILE__, __LINE__, "%s: %s", text, err.message);
    free(text);
    for (size_t i = 0; i < doc_size(objects); i++) {
        const struct doc *old = doc_at(objects, i);

        if (doc_equal(doc_get(old, "kind"), doc_get(object, "kind")) &&
            doc_equal(doc_get(old, "metadata"), doc_get(object, "metadata"))) {
            doc_put_at(objects, i, object);
            return;
        }
    }
    doc_push(objects, object);
}

static void game_put(const char *game, int ready)
{
    char *name = mem_printf("game-%s", game);
    char *more = mem_printf("\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"dosrun.io/title\":\"The <%s>\"},"
                            "\"labels\":{\"app\":\"game\",\"version\":\"%s\"}}}},\"status\":{\"readyReplicas\":%d}",
                            game, game, ready);

    put("apps/v1", "Deployment", "dos-game", name, more);
    free(more);
    more = mem_printf("\"spec\":{\"selector\":{\"app\":\"game\",\"version\":\"%s\"},\"ports\":[{\"port\":80}]}", game);
    put("v1", "Service", "dos-game", name, more);
    free(more);
    free(name);
}

static void routes_put(const char *http)
{
    char *more = mem_printf("\"spec\":{\"hosts\":[\"*\"],\"gateways\":[\"game\"],\"http\":%s}", http);

    put("networking.istio.io/v1", "VirtualService", "dos-game", "game", more);
    free(more);
}

static void postgres_put(int ready)
{
    char *more = mem_printf("\"spec\":{},\"status\":{\"readyReplicas\":%d}", ready);

    put("apps/v1", "StatefulSet", "dos-game", "postgres", more);
    free(more);
}

static struct sim *gateway_open(const char *folder)
{
    struct sandbox_options options = {.folder = folder, .seed = 1};
    struct err err = ERR_INIT;

    return sim_open(&options, wire, &err);
}

#define TO(game) "{\"destination\":{\"host\":\"game-" game "\",\"port\":{\"number\":80}}"

static struct sim *platform_open(const char *folder)
{
    objects = doc_array();
    put("v1", "Service", "istio-system", "istio-ingressgateway",
        "\"spec\":{\"selector\":{\"app\":\"istio-ingressgateway\",\"istio\":\"ingressgateway\"}},"
        "\"status\":{\"loadBalancer\":{\"ingress\":[{\"hostname\":\"lb.sandbox\"},{\"ip\":\"203.0.113.7\"}]}}");
    put("networking.istio.io/v1", "Gateway", "dos-game", "game",
        "\"spec\":{\"selector\":{\"istio\":\"ingressgateway\"},"
        "\"servers\":[{\"port\":{\"number\":80,\"name\":\"http\",\"protocol\":\"HTTP\"},\"hosts\":[\"*\"]}]}");
    game_put("doom", 2);
    game_put("civ", 1);
    postgres_put(1);
    put("apps/v1", "Deployment", "dos-game", "stats-api",
        "\"spec\":{\"template\":{\"metadata\":{\"labels\":{\"app\":\"stats-api\"}}}},\"status\":{\"readyReplicas\":2}");
    put("v1", "Service", "dos-game", "stats-api",
        "\"spec\":{\"selector\":{\"app\":\"stats-api\"},\"ports\":[{\"port\":3001}]}");
    routes_put("[{\"match\":[{\"uri\":{\"prefix\":\"/api\"}}],\"route\":[{\"destination\":{\"host\":"
               "\"stats-api.dos-game.svc.cluster.local\"}}],\"timeout\":\"30s\"},"
               "{\"match\":[{\"headers\":{\"x-dosrun-preview\":{\"exact\":\"civ\"}}}],\"route\":[" TO(
                   "civ") "}]},"
                          "{\"route\":[" TO("doom") ",\"weight\":90}," TO("civ") ",\"weight\":10}]}]");
    return gateway_open(folder);
}

static void platform_close(struct sim *sim)
{
    world_free(&sim->world);
    doc_unref(objects);
    objects = NULL;
}

static void page(struct got *got, struct sim *sim, const char *method, const char *path)
{
    char *url = mem_printf("http://203.0.113.7%s", path);

    got_send(got, sim, method, url, (struct send){.changes = strcmp(method, "GET") != 0});
    free(url);
    got_await(got);
}

/* 'd' or 'c' for which game answered, 'x' for none. */
static char ask(struct sim *sim)
{
    struct got got;
    char game;

    page(&got, sim, "GET", "/");
    game = strstr(buf_text(&got.body), "<title>The &lt;doom>") ? 'd' : strstr(buf_text(&got.body), "civ>") ? 'c' : 'x';
    got_clear(&got);
    return game;
}

static void check_answer(struct sim *sim, const char *method, const char *path, int status, const char *holds)
{
    struct got got;

    page(&got, sim, method, path);
    if (got.failed || got.status != status || !strstr(buf_text(&got.body), holds))
        unit_fail(__FILE__, __LINE__, "%s %s: %d %s%s", method, path, got.status, buf_text(&got.body), got.err.message);
    got_clear(&got);
}

TEST(gateway_serves_the_load_balancers_addresses)
{
    struct sim *sim = platform_open(NULL);
    struct got got;

    got_send(&got, sim, "GET", "http://lb.sandbox/", (struct send){0});
    got_await(&got);
    CHECK_INT(got.status, 200);
    got_clear(&got);
    got_send(&got, sim, "GET", "http://203.0.113.8/", (struct send){0});
    got_await(&got);
    CHECK(got.failed && strstr(got.err.message, "nobody in the sandbox"));
    got_clear(&got);
    got_send(&got, sim, "GET", "http://lb.sandbox:8080/", (struct send){0});
    got_await(&got);
    CHECK(got.failed && strstr(got.err.message, "no Gateway listens on port 8080"));
    got_clear(&got);
    platform_close(sim);
}

TEST(gateway_weights_are_exact_and_go_on_in_the_next_process)
{
    char *folder = folder_new();
    struct sim *sim = platform_open(folder);
    char row[31] = {0};

    for (int i = 0; i < 30; i++) {
        if (i == 17) {
            world_free(&sim->world);
            sim = gateway_open(folder);
        }
        row[i] = ask(sim);
    }
    CHECK_TEXT(row, "dddddddddcdddddddddcdddddddddc");
    routes_put("[{\"route\":[" TO("doom") ",\"weight\":50}," TO("civ") ",\"weight\":50}]}]");
    memset(row, 0, sizeof(row));
    for (int i = 0; i < 6; i++)
        row[i] = ask(sim);
    CHECK_TEXT(row, "dcdcdc");
    routes_put("[{\"route\":[" TO("doom") ",\"weight\":0}," TO("civ") ",\"weight\":100}]}]");
    CHECK_INT(ask(sim), 'c');
    CHECK_INT(ask(sim), 'c');
    platform_close(sim);
    folder_remove(folder);
}

TEST(gateway_weights_of_three_come_out_exact)
{
    struct sim *sim = platform_open(NULL);
    int doom = 0, civ = 0;

    game_put("other", 1);
    routes_put(
        "[{\"route\":[" TO("other") ",\"weight\":13}," TO("doom") ",\"weight\":55}," TO("civ") ",\"weight\":32}]}]");
    for (int i = 0; i < 100; i++) {
        char game = ask(sim);

        doom += game == 'd';
        civ += game == 'c';
    }
    CHECK_INT(doom, 55);
    CHECK_INT(civ, 32);
    platform_close(sim);
}

TEST(gateway_preview_by_header)
{
    struct sim *sim = platform_open(NULL);
    const struct header header = {"X-Dosrun-Preview", "civ"};
    struct got got;

    got_send_headers(&got, sim, "GET", "http://lb.sandbox/", &header, 1);
    got_await(&got);
    CHECK(strstr(buf_text(&got.body), "civ"));
    CHECK_TEXT(got.version, "civ");
    got_clear(&got);
    platform_close(sim);
}

TEST(gateway_subsets_come_from_destination_rules)
{
    struct sim *sim = platform_open(NULL);

    put("v1", "Service", "dos-game", "both", "\"spec\":{\"selector\":{\"app\":\"game\"},\"ports\":[{\"port\":80}]}");
    routes_put("[{\"route\":[{\"destination\":{\"host\":\"both\",\"subset\":\"new\"}}]}]");
    CHECK_INT(ask(sim), 'x');
    check_answer(sim, "GET", "/", 503, "");
    put("networking.istio.io/v1", "DestinationRule", "dos-game", "both",
        "\"spec\":{\"host\":\"both.dos-game.svc.cluster.local\",\"subsets\":[{\"name\":\"old\",\"labels\":{\"version\":"
        "\"doom\"}},{\"name\":\"new\",\"labels\":{\"version\":\"civ\"}}]}");
    CHECK_INT(ask(sim), 'c');
    platform_close(sim);
}

TEST(gateway_without_endpoints_or_routes)
{
    struct sim *sim = platform_open(NULL);

    game_put("doom", 0);
    game_put("civ", 0);
    check_answer(sim, "GET", "/", 503, "no healthy upstream");
    routes_put("[{\"match\":[{\"uri\":{\"exact\":\"/only\"}}],\"route\":[" TO("doom") "}]}]");
    check_answer(sim, "GET", "/", 404, "");
    routes_put("[{\"route\":[{\"destination\":{\"host\":\"nobody\"}}]}]");
    check_answer(sim, "GET", "/", 503, "");
    routes_put("[{\"route\":[{\"destination\":{\"host\":\"game-doom\",\"port\":{\"number\":81}}}]}]");
    check_answer(sim, "GET", "/", 503, "");
    platform_close(sim);
}

TEST(gateway_says_what_it_does_not_model)
{
    struct sim *sim = platform_open(NULL);

    routes_put("[{\"redirect\":{\"uri\":\"/x\"}}]");
    check_answer(sim, "GET", "/", 501, "VirtualService dos-game/game: http.redirect");
    routes_put("[{\"match\":[{\"uri\":{\"regex\":\".*\"}}],\"route\":[" TO("doom") "}]}]");
    check_answer(sim, "GET", "/", 501, "match.uri.regex");
    platform_close(sim);
}

TEST(gateway_answers_as_the_platform_does)
{
    char *folder = folder_new();
    struct sim *sim = platform_open(folder);

    check_answer(sim, "GET", "/health", 200, "{\"status\":\"healthy\"}");
    check_answer(sim, "GET", "/api/stats", 200,
                 "[{\"game_name\":\"CIVILIZATION\",\"play_count\":0},{\"game_name\":\"DOOM\",\"play_count\":0}]");
    check_answer(sim, "POST", "/api/play/DOOM", 200, "{\"game_name\":\"DOOM\",\"play_count\":1}");
    check_answer(sim, "POST", "/api/play/QUAKE", 404, "");
    check_answer(sim, "GET", "/nothing", 404, "");
    world_free(&sim->world);
    sim = gateway_open(folder);
    check_answer(sim, "POST", "/api/play/DOOM", 200, "{\"game_name\":\"DOOM\",\"play_count\":2}");
    check_answer(sim, "GET", "/", 200, "<tr><td>DOOM</td><td>2</td></tr>");
    sim_compact(sim);
    world_free(&sim->world);
    sim = gateway_open(folder);
    check_answer(sim, "GET", "/api/stats", 200, "{\"game_name\":\"DOOM\",\"play_count\":2}");
    postgres_put(0);
    check_answer(sim, "GET", "/health", 503, "unhealthy");
    check_answer(sim, "GET", "/api/stats", 503, "");
    platform_close(sim);
    folder_remove(folder);
}
