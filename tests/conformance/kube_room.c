/*
 * The kube room against a real API server: KUBECONFIG_TEST names a kubeconfig with the contexts admin (token),
 * admin-cert (client certificate) and limited (no rights). Works in namespaces of its own, which it removes.
 */
#include "base/secret.h"
#include "codec/json.h"
#include "kube/kube.h"
#include "open_gate.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct room {
    struct world *world;
    struct marks *marks;
    struct http *http;
    struct kube *kube;
    bool done;
    struct doc *body, *left;
    struct err err;
    enum undo_outcome outcome;
    int pending, failed;
    int changed;
};

static bool room_open(struct room *room, const char *context)
{
    struct kube_config_options options = {.kubeconfig = getenv("KUBECONFIG_TEST"), .context = context};
    struct kube_config *config;

    *room = (struct room){.err = ERR_INIT};
    room->world = world_real_new();
    room->marks = marks_new(view_of("conformance"));
    room->http = http_new(room->world, room->marks);
    http_set_gate(room->http, open_gate());
    config = options.kubeconfig ? kube_config_load(room->world, &options, &room->err) : NULL;
    if (config)
        room->kube = kube_new(room->world, room->http, room->marks, config);
    else
        printf("KUBECONFIG_TEST: %s\n", options.kubeconfig ? room->err.message : "not set");
    return config != NULL;
}

static void room_close(struct room *room)
{
    doc_unref(room->body);
    doc_unref(room->left);
    kube_free(room->kube);
    http_free(room->http);
    marks_free(room->marks);
    world_free(room->world);
}

static void turn_until_done(struct room *room)
{
    while (!room->done && world_turn(room->world))
        ;
    room->done = false;
}

static void answered(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct room *room = ctx;

    (void)answer;
    doc_unref(room->body);
    room->body = doc_ref(body);
    room->err = err ? *err : ERR_INIT;
    room->done = true;
}

static struct doc *parse(const char *text)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse(view_of(text), &err);

    if (!doc)
        printf("%s\n", err.message);
    return doc;
}

/* One request; the answer stays in room->body. */
static bool ask(struct room *room, const char *method, const char *path, const char *type, const char *body)
{
    struct doc *doc = body ? parse(body) : NULL;
    struct kube_request request = {.method = method,
                                   .path = path,
                                   .body = doc,
                                   .content_type = type,
                                   .class = strcmp(method, "GET") ? HTTP_CHANGES : HTTP_READS,
                                   .repeat = HTTP_REPEAT_SAFE};

    kube_send(room->kube, &request, answered, room);
    turn_until_done(room);
    doc_unref(doc);
    if (room->err.kind != ERR_NONE && strcmp(method, "DELETE") && room->err.kind != ERR_DENIED &&
        room->err.kind != ERR_MISSING)
        printf("%s %s: %s\n", method, path, room->err.message);
    return room->err.kind == ERR_NONE;
}

#define APPLY "application/apply-patch+yaml"
#define MERGE "application/merge-patch+json"

static void ready(void *ctx, const struct err *err)
{
    struct room *room = ctx;

    room->err = err ? *err : ERR_INIT;
    room->done = true;
}

static bool discover(struct room *room)
{
    kube_discover(room->kube, ready, room);
    turn_until_done(room);
    return room->err.kind == ERR_NONE;
}

static void undone(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct room *room = ctx;

    room->outcome = outcome;
    doc_unref(room->left);
    room->left = left;
    room->err = err ? *err : ERR_INIT;
    room->done = true;
    if (err)
        printf("undo: %s\n", err->message);
}

static enum undo_outcome undo(struct room *room, const struct doc *op, const struct doc *before,
                              const struct doc *after)
{
    struct undo_handler handlers[3];
    struct undo_request request = {.undo = op, .before = before, .after = after};

    kube_undo_handlers(room->kube, handlers);
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(handlers[i].op, doc_as_text(doc_get(op, "op"), "")) == 0)
            handlers[i].start(handlers[i].ctx, &request, undone, room);
    }
    turn_until_done(room);
    return room->outcome;
}

static struct doc *op_make(const char *op, const struct doc *object)
{
    struct doc *out = doc_object(), *ref = doc_object();

    doc_set_text(out, "op", op);
    doc_set(ref, "apiVersion", doc_ref(doc_get(object, "apiVersion")));
    doc_set(ref, "kind", doc_ref(doc_get(object, "kind")));
    doc_set_text(ref, "namespace", doc_path_text(object, "metadata", "namespace", NULL));
    doc_set_text(ref, "name", doc_path_text(object, "metadata", "name", NULL));
    doc_set(out, "ref", ref);
    doc_set_text(out, "uid", doc_path_text(object, "metadata", "uid", NULL));
    return out;
}

static bool namespace_make(struct room *room, const char *name)
{
    char path[256], body[512];

    snprintf(path, sizeof(path), "/api/v1/namespaces/%s?fieldManager=dosrun", name);
    snprintf(body, sizeof(body), "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"%s\"}}", name);
    return ask(room, "PATCH", path, APPLY, body);
}

/* What a test made in it goes first, as in a run: a namespace that still holds something of dosrun's stays. */
static void namespace_empty(struct room *room, const char *name)
{
    static const char *const kinds[] = {"/api/v1/namespaces/%s/configmaps", "/api/v1/namespaces/%s/secrets",
                                        "/apis/apps/v1/namespaces/%s/deployments"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        char path[256];

        snprintf(path, sizeof(path), kinds[i], name);
        ask(room, "DELETE", path, NULL, NULL);
    }
}

/* Also the test of deleting one: it waits until it is really gone. */
static void namespace_remove(struct room *room, const char *name)
{
    char path[256];
    struct doc *op;

    namespace_empty(room, name);
    snprintf(path, sizeof(path), "/api/v1/namespaces/%s", name);
    if (!ask(room, "GET", path, NULL, NULL))
        return;
    op = op_make("kube.delete", room->body);
    CHECK_INT(undo(room, op, NULL, NULL), UNDO_DONE);
    CHECK_INT(undo(room, op, NULL, NULL), UNDO_ALREADY);
    CHECK(!ask(room, "GET", path, NULL, NULL));
    doc_unref(op);
}

static void identified(void *ctx, const char *uid, const struct err *err)
{
    struct room *room = ctx;

    room->body = uid ? doc_text(uid) : NULL;
    room->err = err ? *err : ERR_INIT;
    room->done = true;
}

TEST(who_is_it)
{
    static const char *const contexts[] = {"admin", "admin-cert"};
    struct room room;

    for (size_t i = 0; i < 2; i++) {
        REQUIRE(room_open(&room, contexts[i]));
        kube_identity(room.kube, identified, &room);
        turn_until_done(&room);
        CHECK_INT(doc_as_view(room.body).len, 36);
        room_close(&room);
    }
    REQUIRE(room_open(&room, "limited"));
    kube_identity(room.kube, identified, &room);
    turn_until_done(&room);
    CHECK_INT(room.err.kind, ERR_DENIED);
    CHECK_TEXT(room.err.explain, "K102");
    CHECK_TEXT(room.err.code, "Forbidden");
    room_close(&room);
}

TEST(discovery)
{
    struct room room;
    struct err err = ERR_INIT;
    const struct kube_resource *resource;

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(discover(&room));
    CHECK(kube_resource_count(room.kube) > 50);
    resource = kube_resource_find(room.kube, "apps/v1", "Deployment", &err);
    REQUIRE(resource);
    CHECK_TEXT(resource->plural, "deployments");
    CHECK(resource->namespaced && resource->watchable && resource->patchable);
    CHECK(kube_resource_find(room.kube, NULL, "deploy", &err) == resource);
    CHECK(kube_resource_find(room.kube, NULL, "deployments.apps", &err) == resource);
    resource = kube_resource_find(room.kube, NULL, "hpa", &err);
    CHECK_TEXT(resource ? resource->version : "", "v2");
    resource = kube_resource_find(room.kube, NULL, "events", &err);
    CHECK_TEXT(resource ? resource->group : "?", "");
    CHECK(!kube_resource_find(room.kube, "v1", "Deployment", &err));
    CHECK_TEXT(err.message, "the cluster does not know Deployment of v1; Deployment is of apps/v1");
    room_close(&room);
}

static const char DEPLOYMENT[] =
    "{\"apiVersion\":\"apps/v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"game\",\"namespace\":\"dosrun-a\","
    "\"labels\":{\"app\":\"game\"}},\"spec\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"app\":\"game\"}},"
    "\"template\":"
    "{\"metadata\":{\"labels\":{\"app\":\"game\"}},\"spec\":{\"containers\":[{\"name\":\"game\",\"image\":\"dos-games:"
    "doom\","
    "\"args\":[\"-a\",\"-b\"],\"ports\":[{\"containerPort\":8080},{\"containerPort\":9090,\"name\":\"metrics\"}],"
    "\"env\":[{\"name\":\"B\",\"value\":\"1\"},{\"name\":\"A\",\"value\":\"2\"}],"
    "\"volumeMounts\":[{\"name\":\"tmp\",\"mountPath\":\"/tmp\"}],\"resources\":{\"limits\":{\"memory\":\"64Mi\"}}}],"
    "\"volumes\":[{\"name\":\"tmp\",\"emptyDir\":{}}]}}}}";

TEST(fields_of_a_real_object)
{
    struct room room;
    struct doc *manifest = parse(DEPLOYMENT), *applied, *diff;
    char *manager;

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(discover(&room));
    REQUIRE(namespace_make(&room, "dosrun-a"));
    REQUIRE(ask(&room, "PATCH",
                "/apis/apps/v1/namespaces/dosrun-a/deployments/game?fieldManager=dosrun&fieldValidation=Strict", APPLY,
                DEPLOYMENT));
    REQUIRE(ask(&room, "GET", "/apis/apps/v1/namespaces/dosrun-a/deployments/game", NULL, NULL));
    CHECK(kube_fields_settled(room.body, manifest, "dosrun"));
    CHECK(!kube_fields_settled(room.body, manifest, "kubectl"));
    applied = kube_fields_applied(room.body, "dosrun");
    diff = kube_fields_diff(manifest, applied);
    /* The second key of a port is filled in by the server, and part of what identifies it. */
    for (size_t i = 0; i < doc_size(diff); i++)
        CHECK(strstr(doc_as_text(doc_get(doc_at(diff, i), "path"), ""), "containerPort"));
    doc_unref(diff);
    doc_unref(applied);
    manager = kube_fields_manager(room.body, "/spec/template/spec/containers/0/image");
    CHECK(manager && strncmp(manager, "dosrun (20", 10) == 0);
    free(manager);
    CHECK(!kube_fields_manager(room.body, "/spec/strategy/type"));

    doc_set_text(doc_at(doc_path(manifest, "spec", "template", "spec", "containers", NULL), 0), "image",
                 "dos-games:civ");
    CHECK(!kube_fields_settled(room.body, manifest, "dosrun"));
    namespace_remove(&room, "dosrun-a");
    room_close(&room);
    doc_unref(manifest);
}

static void watch_changed(void *ctx)
{
    ((struct room *)ctx)->changed++;
}

static void watch_failed(void *ctx, const struct err *err)
{
    struct room *room = ctx;

    printf("watch: %s\n", err->message);
    room->failed++;
}

TEST(watch)
{
    static const struct kube_watch_fns fns = {watch_changed, watch_failed};
    struct room room;
    struct err err = ERR_INIT;
    struct kube_watch *watch;

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(discover(&room) && namespace_make(&room, "dosrun-b"));
    watch = kube_watch_open(room.kube, kube_resource_find(room.kube, "v1", "Secret", &err), "dosrun-b", &fns, &room);
    while (!room.changed && !room.failed && world_turn(room.world))
        ;
    CHECK(kube_watch_synced(watch));
    CHECK(!kube_watch_get(watch, "dosrun-b", "s"));
    CHECK(ask(&room, "POST", "/api/v1/namespaces/dosrun-b/secrets", NULL,
              "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"stringData\":{\"p\":\"sesame "
              "\\\"1\\\"\"}}"));
    while (!kube_watch_get(watch, "dosrun-b", "s") && world_turn(room.world))
        ;
    CHECK_INT(marks_find(doc_as_view(doc_path(kube_watch_get(watch, "dosrun-b", "s"), "data", "p", NULL))),
              MARK_SECRET);
    CHECK_TEXT(doc_path_text(kube_watch_get(watch, "dosrun-b", "s"), "kind", NULL), "Secret");
    CHECK(ask(&room, "DELETE", "/api/v1/namespaces/dosrun-b/secrets/s", NULL, NULL));
    while (kube_watch_get(watch, "dosrun-b", "s") && world_turn(room.world))
        ;
    kube_watch_close(watch);
    namespace_remove(&room, "dosrun-b");
    room_close(&room);
}

TEST(secrets_go_back_and_forth)
{
    struct room room;
    struct buf mark, body;
    struct doc *live;

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(namespace_make(&room, "dosrun-c"));
    buf_init(&mark, 4096);
    buf_init(&body, 4096);
    marks_add_secret(room.marks, &mark, view_of("two\nlines \"quoted\""));
    buf_addf(&body,
             "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\"},\"stringData\":{\"p\":\"%s\"}}",
             buf_text(&mark));
    CHECK(ask(&room, "POST", "/api/v1/namespaces/dosrun-c/secrets", NULL, buf_text(&body)));
    live = doc_ref(room.body);
    buf_reset(&mark);
    CHECK(marks_reveal(room.marks, doc_as_view(doc_path(live, "data", "p", NULL)), &mark, &room.err) == 0);
    CHECK_TEXT(buf_text(&mark), "dHdvCmxpbmVzICJxdW90ZWQi");
    buf_reset(&body);
    json_add(&body, live, JSON_COMPACT);
    CHECK(ask(&room, "PUT", "/api/v1/namespaces/dosrun-c/secrets/s", NULL, buf_text(&body)));
    CHECK(doc_equal(doc_get(live, "data"), doc_get(room.body, "data")));
    CHECK(!ask(&room, "PATCH", "/api/v1/namespaces/dosrun-c/secrets/s", MERGE, "{\"data\":{\"p\":5}}"));
    CHECK(!strchr(room.err.message, '5'));
    doc_unref(live);
    buf_free(&mark);
    buf_free(&body);
    namespace_remove(&room, "dosrun-c");
    room_close(&room);
}

TEST(namespace_with_something_foreign_stays)
{
    struct room room;
    struct doc *op;

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(namespace_make(&room, "dosrun-d"));
    op = op_make("kube.delete", room.body);
    CHECK(ask(
        &room, "POST", "/api/v1/namespaces/dosrun-d/configmaps?fieldManager=somebody", NULL,
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"theirs\"},\"data\":{\"a\":\"b\"}}"));
    CHECK_INT(undo(&room, op, NULL, NULL), UNDO_FOREIGN);
    CHECK_TEXT(doc_path_text(room.left, "0", "what", NULL), "ConfigMap dosrun-d/theirs");
    CHECK_TEXT(doc_path_text(room.left, "0", "manager", NULL), "somebody");
    CHECK(ask(&room, "DELETE", "/api/v1/namespaces/dosrun-d/configmaps/theirs", NULL, NULL));
    doc_unref(op);
    namespace_remove(&room, "dosrun-d");
    room_close(&room);
}

static void deployment_prepare(struct room *room, const char *namespace)
{
    char path[256];

    namespace_make(room, namespace);
    snprintf(path, sizeof(path), "/apis/apps/v1/namespaces/%s/deployments?fieldManager=kubectl", namespace);
    ask(room, "POST", path, NULL,
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"game\",\"labels\":{\"app\":\"game\"}},"
        "\"spec\":{\"replicas\":0,\"selector\":{\"matchLabels\":{\"app\":\"game\"}},\"template\":{\"metadata\":{"
        "\"labels\":{\"app\":\"game\"}},"
        "\"spec\":{\"containers\":[{\"name\":\"game\",\"image\":\"dos-games:doom\"}]}}}}");
}

TEST(fields_taken_by_force_go_back)
{
    static const char path[] = "/apis/apps/v1/namespaces/dosrun-e/deployments/game";
    struct room room;
    struct doc *before, *after, *op, *diff;
    char *manager;

    REQUIRE(room_open(&room, "admin"));
    deployment_prepare(&room, "dosrun-e");
    before = doc_ref(room.body);
    CHECK(ask(&room, "PATCH", "/apis/apps/v1/namespaces/dosrun-e/deployments/game?fieldManager=dosrun&force=true",
              APPLY,
              "{\"apiVersion\":\"apps/"
              "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"game\",\"annotations\":{\"a\":\"b\"},\"labels\":{"
              "\"tier\":\"x\"}},"
              "\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"game\",\"image\":\"dos-games:civ\","
              "\"env\":[{\"name\":\"E\",\"value\":\"1\"}]},"
              "{\"name\":\"side\",\"image\":\"side:1\"}]}}}}"));
    after = doc_ref(room.body);
    op = op_make("kube.fields", before);
    CHECK_INT(undo(&room, op, before, after), UNDO_DONE);
    CHECK(ask(&room, "GET", path, NULL, NULL));
    diff = kube_fields_diff(before, room.body);
    for (size_t i = 0; i < doc_size(diff); i++) {
        const char *what = doc_as_text(doc_get(doc_at(diff, i), "path"), "");

        /* The controller counts its revisions in an annotation of its own. */
        CHECK_TEXT(strstr(what, "annotations") ? "revision" : what, "revision");
    }
    doc_unref(diff);
    manager = kube_fields_manager(room.body, "/spec/template/spec/containers/0/image");
    CHECK(manager && strncmp(manager, "kubectl (", 9) == 0);
    free(manager);
    CHECK(!kube_fields_applied(room.body, "dosrun"));
    CHECK_INT(undo(&room, op, before, after), UNDO_ALREADY);
    doc_unref(op);
    doc_unref(before);
    doc_unref(after);
    CHECK(ask(&room, "DELETE", path, NULL, NULL));
    namespace_remove(&room, "dosrun-e");
    room_close(&room);
}

TEST(what_others_changed_since_stays)
{
    static const char path[] = "/apis/apps/v1/namespaces/dosrun-f/deployments/game";
    struct room room;
    struct doc *before, *after, *op;

    REQUIRE(room_open(&room, "admin"));
    deployment_prepare(&room, "dosrun-f");
    CHECK(ask(
        &room, "PATCH", "/apis/apps/v1/namespaces/dosrun-f/deployments/game?fieldManager=dosrun", APPLY,
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"game\",\"labels\":{\"tier\":\"x\",\"old\":\"1\"}}}"));
    before = doc_ref(room.body);
    op = op_make("kube.fields", before);
    doc_set(op, "applied", kube_fields_applied(before, "dosrun"));
    CHECK(ask(
        &room, "PATCH", "/apis/apps/v1/namespaces/dosrun-f/deployments/game?fieldManager=dosrun", APPLY,
        "{\"apiVersion\":\"apps/"
        "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"game\",\"labels\":{\"tier\":\"y\",\"new\":\"1\"}}}"));
    after = doc_ref(room.body);
    CHECK(ask(&room, "PATCH", "/apis/apps/v1/namespaces/dosrun-f/deployments/game?fieldManager=somebody", MERGE,
              "{\"metadata\":{\"labels\":{\"tier\":\"z\",\"theirs\":\"1\"}},\"spec\":{\"replicas\":0}}"));
    CHECK_INT(undo(&room, op, before, after), UNDO_FOREIGN);
    CHECK_INT(doc_size(room.left), 1);
    CHECK_TEXT(doc_path_text(room.left, "0", "what", NULL), "Deployment dosrun-f/game: metadata.labels.tier");
    CHECK_TEXT(doc_path_text(room.left, "0", "now", NULL), "z");
    CHECK(ask(&room, "GET", path, NULL, NULL));
    CHECK_TEXT(doc_path_text(room.body, "metadata", "labels", "tier", NULL), "z");
    CHECK_TEXT(doc_path_text(room.body, "metadata", "labels", "old", NULL), "1");
    CHECK_TEXT(doc_path_text(room.body, "metadata", "labels", "theirs", NULL), "1");
    CHECK(!doc_path_text(room.body, "metadata", "labels", "new", NULL));
    doc_unref(op);
    doc_unref(before);
    doc_unref(after);
    CHECK(ask(&room, "DELETE", path, NULL, NULL));
    namespace_remove(&room, "dosrun-f");
    room_close(&room);
}

TEST(deleted_object_comes_back)
{
    struct room room;
    struct doc *op = doc_object();

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(namespace_make(&room, "dosrun-g"));
    CHECK(ask(&room, "PATCH", "/api/v1/namespaces/dosrun-g/configmaps/c?fieldManager=dosrun", APPLY,
              "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\"},\"data\":{\"a\":\"b\"}}"));
    doc_set_text(op, "op", "kube.create");
    doc_set(op, "object", doc_ref(room.body));
    CHECK_INT(undo(&room, op, NULL, NULL), UNDO_ALREADY);
    CHECK(ask(&room, "DELETE", "/api/v1/namespaces/dosrun-g/configmaps/c", NULL, NULL));
    CHECK_INT(undo(&room, op, NULL, NULL), UNDO_DONE);
    CHECK(ask(&room, "GET", "/api/v1/namespaces/dosrun-g/configmaps/c", NULL, NULL));
    CHECK_TEXT(doc_path_text(room.body, "data", "a", NULL), "b");
    doc_unref(op);
    namespace_remove(&room, "dosrun-g");
    room_close(&room);
}

static void lost(void *ctx, const struct err *err)
{
    struct room *room = ctx;

    printf("lost: %s\n", err->message);
    room->failed++;
}

static void waited(void *ctx)
{
    ((struct room *)ctx)->done = true;
}

TEST(lease)
{
    struct kube_lease_options options = {.namespace = "kube-system",
                                         .name = "dosrun-conformance",
                                         .owner = "me",
                                         .host = "here",
                                         .run = "r1",
                                         .duration_ms = 3000};
    struct room room;
    struct kube_lease *first, *second;
    int64_t epoch;

    REQUIRE(room_open(&room, "admin"));
    first = kube_lease_take(room.kube, &options, ready, lost, &room);
    turn_until_done(&room);
    CHECK_TEXT(room.err.message, "");
    epoch = kube_lease_epoch(first);
    CHECK(epoch >= 1);
    timer_start(room.world, 4000, waited, &room); /* longer than it lasts: it must have been renewed */
    turn_until_done(&room);
    CHECK(kube_lease_acts_until(first) > world_now_ms(room.world));
    options.run = "r2";
    second = kube_lease_take(room.kube, &options, ready, lost, &room);
    turn_until_done(&room);
    CHECK_INT(room.err.kind, ERR_CONFLICT);
    CHECK_TEXT(room.err.explain, "R201");
    CHECK(strstr(room.err.message, "locked by me@here/r1 since 20"));
    kube_lease_release(second, ready, &room);
    turn_until_done(&room);
    kube_lease_release(first, ready, &room);
    turn_until_done(&room);
    CHECK_TEXT(room.err.message, "");
    first = kube_lease_take(room.kube, &options, ready, lost, &room);
    turn_until_done(&room);
    CHECK_INT(kube_lease_epoch(first), epoch + 1);
    kube_lease_release(first, ready, &room);
    turn_until_done(&room);
    CHECK_INT(room.failed, 0);
    CHECK(ask(&room, "DELETE", "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/dosrun-conformance", NULL,
              NULL));
    room_close(&room);
}

static void one_of_many(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct room *room = ctx;

    (void)body;
    (void)answer;
    if (err && !room->failed++)
        printf("%s\n", err->message);
    room->done = --room->pending == 0;
}

TEST(five_hundred_at_once)
{
    struct room room;
    int64_t from;

    REQUIRE(room_open(&room, "admin"));
    REQUIRE(discover(&room) && namespace_make(&room, "dosrun-h"));
    from = world_mono_ms(room.world);
    for (int i = 0; i < 500; i++) {
        char path[256], body[256];
        struct doc *doc;
        struct kube_request request = {.method = "PATCH", .path = path, .content_type = APPLY, .class = HTTP_CHANGES};

        snprintf(path, sizeof(path),
                 "/api/v1/namespaces/dosrun-h/configmaps/c%d?fieldManager=dosrun&fieldValidation=Strict", i);
        snprintf(
            body, sizeof(body),
            "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c%d\"},\"data\":{\"a\":\"%d\"}}", i,
            i);
        doc = parse(body);
        request.body = doc;
        kube_send(room.kube, &request, one_of_many, &room);
        room.pending++;
        doc_unref(doc);
    }
    turn_until_done(&room);
    printf("500 applies at once: %lld ms, %lld retries\n", (long long)(world_mono_ms(room.world) - from),
           (long long)http_retries_used(room.http));
    CHECK_INT(room.failed, 0);
    namespace_remove(&room, "dosrun-h");
    room_close(&room);
}
