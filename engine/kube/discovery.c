/*
 * Which kinds the cluster serves.
 *
 * Aggregated discovery: two requests, /api and /apis (apidiscovery.k8s.io/v2, or v2beta1 of 1.26 to 1.29). A server
 * that knows neither answers with the older lists, and then each version of each group is asked for by itself.
 * Resources handed out stay valid until the client is freed: a later discovery uses the old ones again.
 */
#include "kube/inside.h"
#include "base/suggest.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char ACCEPT[] =
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

enum { CORE, GROUPS, ROOTS }; /* /api, /apis */

/* A resource and what is asked about it inside this room. */
struct served {
    struct kube_resource resource; /* first: kube_resource_listable finds its way back */
    struct doc *short_names;       /* array of strings, or NULL */
    bool listable;
    bool current; /* served as of the last discovery */
};

struct waiter {
    struct list link;
    kube_ready_fn *fn;
    void *ctx;
};

/* One older list on its way: all resources of a group's version. */
struct version {
    struct list link;
    struct kube_discovery *discovery;
    struct kube_call *call;
    char *group, *version;
    bool preferred;
    struct doc *list; /* APIResourceList once it is there */
};

struct kube_discovery {
    struct kube *kube;
    struct served **all; /* ever seen */
    size_t all_len;
    const struct served **current; /* in the server's order */
    size_t current_len;
    bool done, running, stale; /* stale: forgotten while a discovery was on its way */
    struct kube_call *roots[ROOTS];
    struct doc *answers[ROOTS];
    struct list versions;
    size_t pending;
    struct err err; /* the first that ended it */
    struct list waiters;
    struct timer *timer; /* tells those who came after it was done */
};

/* ---- the table ---- */

static bool same_resource(const struct kube_resource *a, const struct kube_resource *b)
{
    return strcmp(a->group, b->group) == 0 && strcmp(a->version, b->version) == 0 && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->plural, b->plural) == 0 && a->namespaced == b->namespaced;
}

static struct served *served_intern(struct kube_discovery *discovery, const struct kube_resource *like)
{
    struct served *served;

    for (size_t i = 0; i < discovery->all_len; i++) {
        if (same_resource(&discovery->all[i]->resource, like))
            return discovery->all[i];
    }
    served = mem_alloc(sizeof(*served));
    served->resource = *like;
    served->resource.group = mem_text(like->group);
    served->resource.version = mem_text(like->version);
    served->resource.kind = mem_text(like->kind);
    served->resource.plural = mem_text(like->plural);
    served->resource.singular = mem_text(like->singular);
    discovery->all = mem_grow(discovery->all, discovery->all_len + 1, sizeof(struct served *));
    discovery->all[discovery->all_len++] = served;
    return served;
}

static bool has_verb(const struct doc *verbs, const char *verb)
{
    for (size_t i = 0; i < doc_size(verbs); i++) {
        if (strcmp(doc_as_text(doc_at(verbs, i), ""), verb) == 0)
            return true;
    }
    return false;
}

static void served_add(struct kube_discovery *discovery, const struct kube_resource *like, const struct doc *verbs,
                       const struct doc *short_names)
{
    struct served *served;

    if (!like->kind[0] || !like->plural[0] || strchr(like->plural, '/'))
        return; /* subresources of the older lists */
    served = served_intern(discovery, like);
    if (served->current)
        return;
    served->current = true;
    served->resource.preferred = like->preferred;
    served->resource.watchable = has_verb(verbs, "watch");
    served->resource.patchable = has_verb(verbs, "patch");
    served->listable = has_verb(verbs, "list") && has_verb(verbs, "delete");
    doc_unref(served->short_names);
    served->short_names = doc_ref(short_names);
    discovery->current = mem_grow(discovery->current, discovery->current_len + 1, sizeof(struct served *));
    discovery->current[discovery->current_len++] = served;
}

static void table_clear(struct kube_discovery *discovery)
{
    for (size_t i = 0; i < discovery->all_len; i++)
        discovery->all[i]->current = false;
    discovery->current_len = 0;
}

/* ---- aggregated form ---- */

static void aggregated_add(struct kube_discovery *discovery, const struct doc *list)
{
    const struct doc *groups = doc_get(list, "items");

    for (size_t i = 0; i < doc_size(groups); i++) {
        const char *group = doc_as_text(doc_path(doc_at(groups, i), "metadata", "name", NULL), "");
        const struct doc *versions = doc_get(doc_at(groups, i), "versions");

        for (size_t j = 0; j < doc_size(versions); j++) {
            const char *version = doc_as_text(doc_get(doc_at(versions, j), "version"), "");
            const struct doc *resources = doc_get(doc_at(versions, j), "resources");

            for (size_t k = 0; k < doc_size(resources); k++) {
                const struct doc *resource = doc_at(resources, k);

                served_add(discovery,
                           &(struct kube_resource){
                               .group = group,
                               .version = version,
                               .kind = doc_as_text(doc_path(resource, "responseKind", "kind", NULL), ""),
                               .plural = doc_as_text(doc_get(resource, "resource"), ""),
                               .singular = doc_as_text(doc_get(resource, "singularResource"), ""),
                               .namespaced = strcmp(doc_as_text(doc_get(resource, "scope"), ""), "Namespaced") == 0,
                               .preferred = j == 0,
                           },
                           doc_get(resource, "verbs"), doc_get(resource, "shortNames"));
            }
        }
    }
}

/* ---- older form ---- */

static void older_add(struct kube_discovery *discovery, const struct version *version)
{
    const struct doc *resources = doc_get(version->list, "resources");

    for (size_t i = 0; i < doc_size(resources); i++) {
        const struct doc *resource = doc_at(resources, i);

        served_add(discovery,
                   &(struct kube_resource){
                       .group = version->group,
                       .version = version->version,
                       .kind = doc_as_text(doc_get(resource, "kind"), ""),
                       .plural = doc_as_text(doc_get(resource, "name"), ""),
                       .singular = doc_as_text(doc_get(resource, "singularName"), ""),
                       .namespaced = doc_as_bool(doc_get(resource, "namespaced"), false),
                       .preferred = version->preferred,
                   },
                   doc_get(resource, "verbs"), doc_get(resource, "shortNames"));
    }
}

static void version_free(struct version *version)
{
    list_remove(&version->link);
    if (version->call)
        kube_cancel(version->call);
    free(version->group);
    free(version->version);
    doc_unref(version->list);
    free(version);
}

static void discovery_step(struct kube_discovery *discovery);

static void version_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct version *version = ctx;

    (void)answer;
    version->call = NULL;
    /* A group that cannot answer (its aggregated server is down) is not served now; that ends nothing. */
    if (!err)
        version->list = doc_ref(body);
    version->discovery->pending--;
    discovery_step(version->discovery);
}

static void version_ask(struct kube_discovery *discovery, const char *group, const char *name, bool preferred)
{
    struct version *version = mem_alloc(sizeof(*version));
    char *path = group[0] ? mem_printf("/apis/%s/%s", group, name) : mem_printf("/api/%s", name);
    struct kube_request request = {
        .method = "GET", .path = path, .class = HTTP_READS, .repeat = HTTP_REPEAT_SAFE, .subject = "discovery"};

    version->discovery = discovery;
    version->group = mem_text(group);
    version->version = mem_text(name);
    version->preferred = preferred;
    list_add_tail(&discovery->versions, &version->link);
    discovery->pending++;
    version->call = kube_send(discovery->kube, &request, version_end, version);
    free(path);
}

static void older_ask(struct kube_discovery *discovery, int root)
{
    const struct doc *answer = discovery->answers[root];
    const struct doc *versions = doc_get(answer, "versions"), *groups = doc_get(answer, "groups");

    if (root == CORE) {
        for (size_t i = 0; i < doc_size(versions); i++)
            version_ask(discovery, "", doc_as_text(doc_at(versions, i), ""), i == 0);
        return;
    }
    for (size_t i = 0; i < doc_size(groups); i++) {
        const struct doc *group = doc_at(groups, i);
        const char *preferred = doc_as_text(doc_path(group, "preferredVersion", "version", NULL), "");

        versions = doc_get(group, "versions");
        for (size_t j = 0; j < doc_size(versions); j++) {
            const char *version = doc_as_text(doc_get(doc_at(versions, j), "version"), "");

            version_ask(discovery, doc_as_text(doc_get(group, "name"), ""), version, strcmp(version, preferred) == 0);
        }
    }
}

/* ---- one discovery ---- */

static bool is_aggregated(const struct doc *answer)
{
    return strcmp(doc_as_text(doc_get(answer, "kind"), ""), "APIGroupDiscoveryList") == 0;
}

static void waiters_tell(struct kube_discovery *discovery, const struct err *err)
{
    struct list told;

    list_init(&told);
    while (!list_empty(&discovery->waiters)) {
        struct list *link = discovery->waiters.next;

        list_remove(link);
        list_add_tail(&told, link);
    }
    while (!list_empty(&told)) {
        struct waiter *waiter = LIST_OF(told.next, struct waiter, link);
        struct waiter copy = *waiter;

        list_remove(&waiter->link);
        free(waiter);
        copy.fn(copy.ctx, err);
    }
}

static void answers_clear(struct kube_discovery *discovery)
{
    for (int root = 0; root < ROOTS; root++) {
        doc_unref(discovery->answers[root]);
        discovery->answers[root] = NULL;
    }
    LIST_EACH_SAFE(link, &discovery->versions)
    version_free(LIST_OF(link, struct version, link));
}

static void discovery_start(struct kube_discovery *discovery);

static void discovery_finish(struct kube_discovery *discovery)
{
    struct err err = discovery->err;

    discovery->running = false;
    if (discovery->stale && err.kind == ERR_NONE) {
        answers_clear(discovery);
        discovery_start(discovery);
        return;
    }
    if (err.kind == ERR_NONE) {
        table_clear(discovery);
        for (int root = 0; root < ROOTS; root++) {
            if (is_aggregated(discovery->answers[root]))
                aggregated_add(discovery, discovery->answers[root]);
        }
        for (int named = 0; named <= 1; named++) { /* the core group first, whichever came first */
            LIST_EACH(link, &discovery->versions)
            {
                struct version *version = LIST_OF(link, struct version, link);

                if (!!version->group[0] == named)
                    older_add(discovery, version);
            }
        }
        discovery->done = true;
    }
    answers_clear(discovery);
    waiters_tell(discovery, err.kind == ERR_NONE ? NULL : &err);
}

static void discovery_step(struct kube_discovery *discovery)
{
    if (discovery->pending == 0)
        discovery_finish(discovery);
}

/* Any of the forms in which an API server tells what it serves. */
static bool is_discovery(int root, const struct doc *body)
{
    return is_aggregated(body) ||
           strcmp(doc_as_text(doc_get(body, "kind"), ""), root == CORE ? "APIVersions" : "APIGroupList") == 0;
}

static void root_end(struct kube_discovery *discovery, int root, const struct doc *body, const struct err *err)
{
    struct err wrong = ERR_INIT;

    discovery->roots[root] = NULL;
    discovery->pending--;
    if (!err && !is_discovery(root, body)) {
        err_set(&wrong, ERR_SERVER, "the answer is no list of what the API server serves");
        err = &wrong;
    }
    if (err && discovery->err.kind == ERR_NONE) {
        discovery->err = *err;
        err_context(&discovery->err, "discovery");
    } else if (!err) {
        discovery->answers[root] = doc_ref(body);
        if (!is_aggregated(body))
            older_ask(discovery, root);
    }
    discovery_step(discovery);
}

static void core_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    (void)answer;
    root_end(ctx, CORE, body, err);
}

static void groups_end(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    (void)answer;
    root_end(ctx, GROUPS, body, err);
}

static void discovery_start(struct kube_discovery *discovery)
{
    struct kube_request request = {
        .method = "GET", .path = "/api", .class = HTTP_READS, .repeat = HTTP_REPEAT_SAFE, .subject = "discovery"};

    discovery->running = true;
    discovery->stale = false;
    err_clear(&discovery->err);
    discovery->pending = ROOTS;
    discovery->roots[CORE] = kube_send_accept(discovery->kube, &request, ACCEPT, core_end, discovery);
    request.path = "/apis";
    discovery->roots[GROUPS] = kube_send_accept(discovery->kube, &request, ACCEPT, groups_end, discovery);
}

static void tell_late(void *ctx)
{
    struct kube_discovery *discovery = ctx;

    discovery->timer = NULL;
    if (!discovery->running)
        waiters_tell(discovery, NULL);
}

void kube_discover(struct kube *kube, kube_ready_fn *fn, void *ctx)
{
    struct kube_discovery *discovery = kube->discovery;
    struct waiter *waiter = mem_alloc(sizeof(*waiter));

    waiter->fn = fn;
    waiter->ctx = ctx;
    list_add_tail(&discovery->waiters, &waiter->link);
    if (discovery->running)
        return;
    if (!discovery->done)
        discovery_start(discovery);
    else if (!discovery->timer)
        discovery->timer = timer_start(kube->world, 0, tell_late, discovery);
}

void kube_rediscover(struct kube *kube)
{
    kube->discovery->done = false;
    kube->discovery->stale = kube->discovery->running;
}

struct kube_discovery *kube_discovery_new(struct kube *kube)
{
    struct kube_discovery *discovery = mem_alloc(sizeof(*discovery));

    discovery->kube = kube;
    discovery->err = ERR_INIT;
    list_init(&discovery->versions);
    list_init(&discovery->waiters);
    return discovery;
}

void kube_discovery_free(struct kube_discovery *discovery)
{
    for (size_t i = 0; i < discovery->all_len; i++) {
        struct served *served = discovery->all[i];

        free((char *)served->resource.group);
        free((char *)served->resource.version);
        free((char *)served->resource.kind);
        free((char *)served->resource.plural);
        free((char *)served->resource.singular);
        doc_unref(served->short_names);
        free(served);
    }
    for (int root = 0; root < ROOTS; root++) {
        if (discovery->roots[root])
            kube_cancel(discovery->roots[root]);
    }
    answers_clear(discovery);
    LIST_EACH_SAFE(link, &discovery->waiters)
    free(LIST_OF(link, struct waiter, link));
    timer_stop(discovery->timer);
    free(discovery->all);
    free(discovery->current);
    free(discovery);
}

/* ---- looking up ---- */

size_t kube_resource_count(const struct kube *kube)
{
    return kube->discovery->current_len;
}

const struct kube_resource *kube_resource_at(const struct kube *kube, size_t index)
{
    return index < kube->discovery->current_len ? &kube->discovery->current[index]->resource : NULL;
}

bool kube_resource_listable(const struct kube_resource *resource)
{
    return ((const struct served *)resource)->listable;
}

static bool api_version_is(const struct kube_resource *resource, const char *api_version)
{
    size_t len = strlen(resource->group);

    if (!len)
        return strcmp(api_version, resource->version) == 0;
    return strncmp(api_version, resource->group, len) == 0 && api_version[len] == '/' &&
           strcmp(api_version + len + 1, resource->version) == 0;
}

/* Is `word` (of this length) a name of the resource? Kinds, plurals and short names, in any case, as kubectl. */
static bool has_name(const struct served *served, const char *word, size_t len)
{
    const char *names[] = {served->resource.kind, served->resource.plural, served->resource.singular};

    for (size_t i = 0; i < 3; i++) {
        if (strlen(names[i]) == len && strncasecmp(names[i], word, len) == 0)
            return true;
    }
    for (size_t i = 0; i < doc_size(served->short_names); i++) {
        const char *name = doc_as_text(doc_at(served->short_names, i), "");

        if (strlen(name) == len && strncasecmp(name, word, len) == 0)
            return true;
    }
    return false;
}

static void unknown_kind(const struct kube *kube, const char *api_version, const char *word, struct err *err)
{
    const struct kube_discovery *discovery = kube->discovery;
    const struct kube_resource *elsewhere = NULL;
    struct suggest suggest;
    struct buf text;

    suggest_init(&suggest, word);
    for (size_t i = 0; i < discovery->current_len; i++) {
        const struct kube_resource *resource = &discovery->current[i]->resource;

        if (!elsewhere && strcmp(resource->kind, word) == 0)
            elsewhere = resource;
        suggest_try(&suggest, resource->kind);
        suggest_try(&suggest, resource->plural);
    }
    buf_init(&text, sizeof(err->message));
    buf_addf(&text, "the cluster does not know %s%s%s", word, api_version ? " of " : "",
             api_version ? api_version : "");
    if (elsewhere)
        buf_addf(&text, "; %s is of %s%s%s", word, elsewhere->group, elsewhere->group[0] ? "/" : "",
                 elsewhere->version);
    else if (suggest.found)
        buf_addf(&text, "; did you mean %s?", suggest.found);
    err_set(err, ERR_MISSING, "%s", buf_text(&text));
    err_explain(err, "K103");
    buf_free(&text);
}

const struct kube_resource *kube_resource_find(const struct kube *kube, const char *api_version, const char *word,
                                               struct err *err)
{
    const struct kube_discovery *discovery = kube->discovery;
    const char *group = api_version ? NULL : strchr(word, '.');
    size_t len = group ? (size_t)(group - word) : strlen(word);
    const struct kube_resource *other = NULL;

    for (size_t i = 0; i < discovery->current_len; i++) {
        const struct kube_resource *resource = &discovery->current[i]->resource;

        if (!has_name(discovery->current[i], word, len) || (api_version && !api_version_is(resource, api_version)) ||
            (group && strcmp(resource->group, group + 1) != 0))
            continue;
        if (resource->preferred || api_version)
            return resource;
        if (!other)
            other = resource; /* kinds that the preferred version does not have */
    }
    if (!other)
        unknown_kind(kube, api_version, word, err);
    return other;
}

void kube_path(struct buf *out, const struct kube_resource *resource, const char *namespace, const char *name,
               const char *sub)
{
    if (resource->group[0])
        buf_addf(out, "/apis/%s/%s", resource->group, resource->version);
    else
        buf_addf(out, "/api/%s", resource->version);
    if (namespace && namespace[0] && resource->namespaced) {
        buf_add_text(out, "/namespaces/");
        url_escape(out, view_of(namespace));
    }
    buf_addf(out, "/%s", resource->plural);
    if (name) {
        buf_add_char(out, '/');
        url_escape(out, view_of(name));
    }
    if (sub)
        buf_addf(out, "/%s", sub);
}
