/*
 * The ingress gateway: answers at the load balancer's address that the Service
 * istio-system/istio-ingressgateway has in its status, by the cluster's Gateways, VirtualServices and
 * DestinationRules, as istio.io/latest/docs/reference/config/networking says. A field that is not
 * modelled is answered with 501 and its name.
 */
#include "sandbox/core.h"
#include "sandbox/gateway.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ISTIO "networking.istio.io"
enum { TOTAL_MAX = 100000 };

/* What is looked for: the route of a request, or the field that stands in the way. */
struct search {
    struct sim_gateway *gateway;
    const struct sim_request *request;
    const char *authority;
    char *host; /* the Host header's, without port */
    const struct doc *service;
    struct doc *gateways;    /* "namespace/name" of those that listen here */
    const struct doc *found; /* the VirtualService */
    const struct doc *rule;  /* its element of spec.http */
    char *unknown;           /* the field that is not modelled; owned */
};

static struct sim_gateway *gateway_of(struct sim_server *server)
{
    return (struct sim_gateway *)(void *)server;
}

bool sim_labels_match(const struct doc *wanted, const struct doc *labels)
{
    DOC_EACH(label, wanted)
    if (!doc_equal(label.value, doc_get(labels, label.key)))
        return false;
    return doc_size(wanted) > 0;
}

void sim_gateway_reply(struct sim_reply *reply, int status, const char *text)
{
    const struct header headers[] = {{"Content-Type", "text/plain"}, {"Server", "istio-envoy"}};

    sim_reply_head(reply, status, headers, 2);
    if (*text)
        sim_reply_body(reply, view_of(text));
    sim_reply_end(reply);
}

static const struct doc *ingress_service(struct sim_gateway *gateway)
{
    return gateway->get(gateway->kube, "", "Service", "istio-system", "istio-ingressgateway");
}

static bool gateway_serves(struct sim_server *server, const struct sim_request *request)
{
    const struct doc *addresses =
        doc_path(ingress_service(gateway_of(server)), "status", "loadBalancer", "ingress", NULL);

    for (size_t i = 0; i < doc_size(addresses); i++) {
        const struct doc *address = doc_at(addresses, i);

        if (view_equal(request->host, doc_as_view(doc_get(address, "ip"))) ||
            view_equal(request->host, doc_as_view(doc_get(address, "hostname"))))
            return true;
    }
    return false;
}

/* ---- which rule ---- */

/* "*", "*.suffix", exact; a Gateway's may begin with "namespace/" or "*" "/". */
static bool host_matches(const struct doc *patterns, const char *host)
{
    for (size_t i = 0; i < doc_size(patterns); i++) {
        const char *pattern = doc_as_text(doc_at(patterns, i), "");
        const char *slash = strchr(pattern, '/');
        size_t len, host_len = strlen(host);

        pattern = slash ? slash + 1 : pattern;
        len = strlen(pattern);
        if (strcmp(pattern, "*") == 0 || strcasecmp(pattern, host) == 0)
            return true;
        if (pattern[0] == '*' && host_len >= len && strcasecmp(host + host_len - (len - 1), pattern + 1) == 0)
            return true;
    }
    return false;
}

static bool gateway_visit(void *ctx, const struct doc *object)
{
    struct search *search = ctx;
    const struct doc *servers = doc_path(object, "spec", "servers", NULL);

    if (!sim_labels_match(doc_path(object, "spec", "selector", NULL),
                          doc_path(search->service, "spec", "selector", NULL)))
        return true;
    for (size_t i = 0; i < doc_size(servers); i++) {
        const struct doc *listener = doc_at(servers, i);

        if (doc_as_int(doc_path(listener, "port", "number", NULL), 0) != search->request->port ||
            !host_matches(doc_get(listener, "hosts"), search->host))
            continue;
        char *name = mem_printf("%s/%s", doc_path_text(object, "metadata", "namespace", NULL),
                                doc_path_text(object, "metadata", "name", NULL));
        doc_push(search->gateways, doc_text(name));
        free(name);
        break;
    }
    return true;
}

static bool bound(const struct search *search, const struct doc *object)
{
    const struct doc *names = doc_path(object, "spec", "gateways", NULL);
    const char *namespace = doc_path_text(object, "metadata", "namespace", NULL);
    bool found = false;

    for (size_t i = 0; i < doc_size(names) && !found; i++) {
        const char *name = doc_as_text(doc_at(names, i), "");
        char *full = strchr(name, '/') ? mem_text(name) : mem_printf("%s/%s", namespace, name);

        for (size_t j = 0; j < doc_size(search->gateways) && !found; j++)
            found = strcmp(full, doc_as_text(doc_at(search->gateways, j), "")) == 0;
        free(full);
    }
    return found;
}

/* The first field of object that is not in the list stops the search. */
static bool only_known(struct search *search, const struct doc *object, const char *where, const char *const *known)
{
    DOC_EACH(member, object)
    {
        size_t i = 0;

        while (known[i] && strcmp(known[i], member.key) != 0)
            i++;
        if (!known[i]) {
            search->unknown = mem_printf("%s.%s", where, member.key);
            return false;
        }
    }
    return true;
}

static bool text_matches(struct search *search, const struct doc *match, const char *where, const char *text)
{
    static const char *const known[] = {"exact", "prefix", NULL};
    const char *exact = doc_path_text(match, "exact", NULL), *prefix = doc_path_text(match, "prefix", NULL);

    if (!only_known(search, match, where, known) || !text)
        return false;
    if (exact)
        return strcmp(text, exact) == 0;
    return !prefix || strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool match_holds(struct search *search, const struct doc *match)
{
    static const char *const known[] = {"name", "uri", "headers", "method", "authority", NULL};
    const struct sim_request *request = search->request;

    if (!only_known(search, match, "match", known))
        return false;
    DOC_EACH(header, doc_get(match, "headers"))
    if (!text_matches(search, header.value, "match.headers", sim_header(request, header.key)))
        return false;
    return text_matches(search, doc_get(match, "uri"), "match.uri", request->path) &&
           text_matches(search, doc_get(match, "method"), "match.method", request->method) &&
           text_matches(search, doc_get(match, "authority"), "match.authority", search->authority);
}

static bool rule_matches(struct search *search, const struct doc *rule)
{
    static const char *const known[] = {"name", "match", "route", "timeout", "retries", NULL};
    const struct doc *matches = doc_get(rule, "match");
    bool found = doc_size(matches) == 0;

    for (size_t i = 0; i < doc_size(matches) && !found && !search->unknown; i++)
        found = match_holds(search, doc_at(matches, i));
    return found && only_known(search, rule, "http", known);
}

static bool service_visit(void *ctx, const struct doc *object)
{
    struct search *search = ctx;
    const struct doc *rules = doc_path(object, "spec", "http", NULL);

    if (!host_matches(doc_path(object, "spec", "hosts", NULL), search->host) || !bound(search, object))
        return true;
    for (size_t i = 0; i < doc_size(rules) && !search->rule && !search->unknown; i++)
        if (rule_matches(search, doc_at(rules, i)))
            search->rule = doc_at(rules, i);
    search->found = object;
    return !search->rule && !search->unknown;
}

/* ---- which destination ---- */

/*
 * The n-th request (from 0) of a route: the heaviest destination that has not had more than its
 * share yet, rounded up. With 90 and 10 that is every 10th for the second, never two in a row early.
 */
static size_t share_pick(const int64_t *weights, size_t len, int64_t total, int64_t n)
{
    int64_t *served = mem_array(len, sizeof(*served));
    size_t pick = 0;

    for (int64_t step = 1; step <= n + 1; step++) {
        int64_t best = -1;

        for (size_t i = 0; i < len; i++) {
            if (weights[i] > best && served[i] * total < step * weights[i]) {
                best = weights[i];
                pick = i;
            }
        }
        served[pick]++;
    }
    free(served);
    return pick;
}

static void turn_log(struct sim_gateway *gateway, const char *route, const struct doc *turn)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "gateway");
    doc_set_text(effect, "route", route);
    doc_set(effect, "turn", doc_ref(turn));
    sim_log(gateway->sim, effect);
}

/* How many requests this route has had with these weights; counted. */
static int64_t turn_next(struct sim_gateway *gateway, const char *route, const char *weights, int64_t total)
{
    const struct doc *before = doc_get(gateway->turns, route);
    const char *old = doc_path_text(before, "weights", NULL);
    int64_t n = old && strcmp(old, weights) == 0 ? doc_as_int(doc_get(before, "n"), 0) : 0;
    struct doc *turn = doc_object();

    doc_set_text(turn, "weights", weights);
    doc_set_int(turn, "n", (n + 1) % total);
    turn_log(gateway, route, turn);
    doc_set(gateway->turns, route, turn);
    return n;
}

static const struct doc *destination_pick(struct search *search)
{
    const struct doc *list = doc_get(search->rule, "route");
    size_t len = doc_size(list), pick = 0;
    int64_t *weights, total = 0;
    struct buf text, route;

    if (len <= 1)
        return doc_get(doc_at(list, 0), "destination");
    weights = mem_array(len, sizeof(*weights));
    buf_init(&text, 4096);
    buf_init(&route, 4096);
    for (size_t i = 0; i < len; i++) {
        weights[i] = doc_as_int(doc_get(doc_at(list, i), "weight"), 0);
        total += weights[i];
        buf_addf(&text, "%s%" PRId64, i ? "," : "", weights[i]);
    }
    buf_addf(&route, "%s/%s", doc_path_text(search->found, "metadata", "namespace", NULL),
             doc_path_text(search->found, "metadata", "name", NULL));
    for (size_t i = 0; i < doc_size(doc_path(search->found, "spec", "http", NULL)); i++)
        if (doc_at(doc_path(search->found, "spec", "http", NULL), i) == search->rule)
            buf_addf(&route, "#%zu", i);
    if (total > 0 && total <= TOTAL_MAX)
        pick = share_pick(weights, len, total, turn_next(search->gateway, buf_text(&route), buf_text(&text), total));
    buf_free(&text);
    buf_free(&route);
    free(weights);
    return doc_get(doc_at(list, pick), "destination");
}

struct subset_search {
    const char *namespace, *host, *name; /* the host with its namespace: "name.namespace" */
    const struct doc *labels;
};

/* "game-doom", "game-doom.dos-game" and "game-doom.dos-game.svc.cluster.local" are one. */
static void host_split(const char *host, const char *namespace, char *service, size_t service_size, char *out,
                       size_t size)
{
    size_t len = strcspn(host, ".");

    snprintf(service, service_size, "%.*s", (int)len, host);
    if (host[len] == '.')
        snprintf(out, size, "%.*s", (int)strcspn(host + len + 1, "."), host + len + 1);
    else
        snprintf(out, size, "%s", namespace);
}

static bool rule_visit(void *ctx, const struct doc *object)
{
    struct subset_search *search = ctx;
    const struct doc *subsets = doc_path(object, "spec", "subsets", NULL);
    const char *host = doc_path_text(object, "spec", "host", NULL);
    char service[254], namespace[64];

    host_split(host ? host : "", doc_path_text(object, "metadata", "namespace", NULL), service, sizeof(service),
               namespace, sizeof(namespace));
    if (strcmp(service, search->host) != 0 || strcmp(namespace, search->namespace) != 0)
        return true;
    for (size_t i = 0; i < doc_size(subsets); i++)
        if (strcmp(doc_as_text(doc_get(doc_at(subsets, i), "name"), ""), search->name) == 0)
            search->labels = doc_get(doc_at(subsets, i), "labels");
    return !search->labels;
}

static void destination_answer(struct search *search, const struct doc *destination, struct sim_reply *reply)
{
    struct sim_gateway *gateway = search->gateway;
    const char *subset = doc_path_text(destination, "subset", NULL), *host = doc_path_text(destination, "host", NULL);
    struct subset_search wanted = {.name = subset};
    char service[254], namespace[64];

    if (!host) {
        sim_gateway_reply(reply, 503, "");
        return;
    }
    host_split(host, doc_path_text(search->found, "metadata", "namespace", NULL), service, sizeof(service), namespace,
               sizeof(namespace));
    wanted.host = service;
    wanted.namespace = namespace;
    if (subset) {
        gateway->each(gateway->kube, ISTIO, "DestinationRule", NULL, rule_visit, &wanted);
        if (!wanted.labels) {
            sim_gateway_reply(reply, 503, ""); /* no cluster of that name: Envoy's flag NC */
            return;
        }
    }
    sim_gateway_app(gateway, namespace, service, doc_as_int(doc_path(destination, "port", "number", NULL), 0),
                    wanted.labels, search->request, reply);
}

/* ---- the server ---- */

static void no_listener(const struct search *search, struct sim_reply *reply)
{
    struct err err = ERR_INIT;

    err_set(&err, ERR_NETWORK, "connection refused: no Gateway listens on port %d", search->request->port);
    err.retryable = true;
    sim_reply_fail(reply, &err);
}

static void gateway_handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply)
{
    struct sim_gateway *gateway = gateway_of(server);
    const char *authority = sim_header(request, "host");
    struct search search = {.gateway = gateway, .request = request, .gateways = doc_array()};

    search.host = authority ? mem_view((struct view){authority, strcspn(authority, ":")}) : mem_view(request->host);
    search.authority = authority ? authority : search.host;
    search.service = ingress_service(gateway);
    gateway->each(gateway->kube, ISTIO, "Gateway", NULL, gateway_visit, &search);
    if (doc_size(search.gateways) > 0)
        gateway->each(gateway->kube, ISTIO, "VirtualService", NULL, service_visit, &search);
    if (doc_size(search.gateways) == 0) {
        no_listener(&search, reply);
    } else if (search.unknown) {
        char *text = mem_printf("the sandbox's gateway does not model VirtualService %s/%s: %s\n",
                                doc_path_text(search.found, "metadata", "namespace", NULL),
                                doc_path_text(search.found, "metadata", "name", NULL), search.unknown);

        sim_gateway_reply(reply, 501, text);
        free(text);
    } else if (!search.rule) {
        sim_gateway_reply(reply, 404, "");
    } else {
        destination_answer(&search, destination_pick(&search), reply);
    }
    free(search.unknown);
    free(search.host);
    doc_unref(search.gateways);
}

static void gateway_replay(struct sim_server *server, const struct doc *effect)
{
    struct sim_gateway *gateway = gateway_of(server);
    const char *route = doc_path_text(effect, "route", NULL), *plays = doc_path_text(effect, "plays", NULL);

    if (route)
        doc_set(gateway->turns, route, doc_ref(doc_get(effect, "turn")));
    else if (plays)
        doc_set(gateway->plays, plays, doc_ref(doc_get(effect, "counts")));
}

static void gateway_snapshot(struct sim_server *server, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    struct sim_gateway *gateway = gateway_of(server);

    DOC_EACH(turn, gateway->turns)
    {
        struct doc *effect = doc_object();

        doc_set_text(effect, "of", "gateway");
        doc_set_text(effect, "route", turn.key);
        doc_set(effect, "turn", doc_ref(turn.value));
        put(ctx, effect);
    }
    DOC_EACH(counts, gateway->plays)
    {
        struct doc *effect = doc_object();

        doc_set_text(effect, "of", "gateway");
        doc_set_text(effect, "plays", counts.key);
        doc_set(effect, "counts", doc_ref(counts.value));
        put(ctx, effect);
    }
}

/* Counters only, which are nobody's. */
static void gateway_show(struct sim_server *server, bool raw, struct buf *out)
{
    struct sim_gateway *gateway = gateway_of(server);
    const char **keys;
    size_t len = doc_keys_sorted(gateway->turns, &keys);

    for (size_t i = 0; raw && i < len; i++)
        buf_addf(out, "gateway route %s weights %s request %" PRId64 "\n", keys[i],
                 doc_path_text(gateway->turns, keys[i], "weights", NULL),
                 doc_as_int(doc_path(gateway->turns, keys[i], "n", NULL), 0));
    free(keys);
}

static void gateway_free(struct sim_server *server)
{
    struct sim_gateway *gateway = gateway_of(server);

    doc_unref(gateway->turns);
    doc_unref(gateway->plays);
    free(gateway);
}

struct sim_server *sim_gateway_new(struct sim *sim, struct sim_server *kube)
{
    struct sim_gateway *gateway = mem_alloc(sizeof(*gateway));

    gateway->server = (struct sim_server){.name = "gateway",
                                          .serves = gateway_serves,
                                          .handle = gateway_handle,
                                          .replay = gateway_replay,
                                          .snapshot = gateway_snapshot,
                                          .show = gateway_show,
                                          .free = gateway_free};
    gateway->sim = sim;
    gateway->kube = kube;
    gateway->get = sim_kube_get;
    gateway->each = sim_kube_each;
    gateway->turns = doc_object();
    gateway->plays = doc_object();
    return &gateway->server;
}
