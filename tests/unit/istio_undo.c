/* route.weights: put back, already, somebody else's, races, and what else stands in the VirtualService. */
#include "istio/istio.h"
#include "codec/json.h"
#include "kube_fake.h"
#include "unit.h"

#include <string.h>

#define PATH "/apis/networking.istio.io/v1/namespaces/n/virtualservices/v"
#define APPLY PATH "?fieldManager=dosrun&force=true"
#define OP(more)                                                                                                \
    "{\"op\":\"route.weights\",\"ref\":{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"VirtualService\"," \
    "\"namespace\":\"n\",\"name\":\"v\"},\"uid\":\"u1\",\"route\":\"game\",\"weights\":{\"a\":100,\"b\":0},"    \
    "\"steps\":[{\"a\":90,\"b\":10},{\"a\":50,\"b\":50}]" more "}"
#define TO(host, weight) "{\"destination\":{\"host\":\"" host "\"},\"weight\":" weight "}"
#define LIVE(uid, version, a, b)                                                                                   \
    "{\"apiVersion\":\"networking.istio.io/v1\",\"kind\":\"VirtualService\",\"metadata\":{\"name\":\"v\","         \
    "\"namespace\":\"n\",\"uid\":\"" uid "\",\"resourceVersion\":\"" version "\",\"managedFields\":[{\"manager\":" \
    "\"dosrun\",\"operation\":\"Apply\",\"apiVersion\":\"networking.istio.io/v1\",\"fieldsType\":\"FieldsV1\","    \
    "\"fieldsV1\":{\"f:spec\":{\"f:http\":{},\"f:hosts\":{}}}}]},\"spec\":{\"hosts\":[\"*\"],\"exportTo\":"        \
    "[\".\"],\"http\":[{\"name\":\"api\",\"route\":[{\"destination\":{\"host\":\"s\"}}]},{\"name\":\"game\","      \
    "\"timeout\":\"31s\",\"route\":[" TO("a", a) "," TO("b", b) "]}]}}"

struct seen {
    bool done;
    enum undo_outcome outcome;
    struct doc *left;
    struct err err;
};

static void undone(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct seen *seen = ctx;

    *seen = (struct seen){true, outcome, left, err ? *err : ERR_INIT};
}

static struct fake *cluster(void)
{
    struct fake *fake = fake_new();

    fake_rule(fake, "GET", "/api", 0, 200, "{\"kind\":\"APIGroupDiscoveryList\",\"items\":[]}");
    fake_rule(fake, "GET", "/apis", 0, 200,
              "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s.io/v2\",\"items\":[{\"metadata\":"
              "{\"name\":\"networking.istio.io\"},\"versions\":[{\"version\":\"v1\",\"resources\":[{\"resource\":"
              "\"virtualservices\",\"responseKind\":{\"group\":\"\",\"version\":\"\",\"kind\":\"VirtualService\"},"
              "\"scope\":\"Namespaced\",\"singularResource\":\"virtualservice\",\"verbs\":[\"get\",\"patch\"]}]}]}]}");
    return fake;
}

static void undo(struct fake *fake, struct seen *seen, const char *after, bool plan)
{
    struct undo_handler handler = istio_undo_handler(fake_kube(fake));
    struct err err = ERR_INIT;
    struct doc *op = json_parse(view_of(OP("")), &err), *left_by = after ? json_parse(view_of(after), &err) : NULL;
    struct undo_request request = {.undo = op, .after = left_by, .plan = plan};

    CHECK_TEXT(handler.op, "route.weights");
    handler.start(handler.ctx, &request, undone, seen);
    doc_unref(op);
    doc_unref(left_by);
    CHECK(fake_until(fake, &seen->done));
}

static void seen_free(struct fake *fake, struct seen *seen)
{
    doc_unref(seen->left);
    fake_free(fake);
}

TEST(weights_as_the_run_left_them_go_back)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 1, 200, LIVE("u1", "7", "20", "80"));
    fake_rule(fake, "PATCH", APPLY, 1, 200, LIVE("u1", "8", "100", "0"));
    fake_rule(fake, "GET", PATH, 0, 200, LIVE("u1", "8", "100", "0"));
    undo(fake, &seen, "{\"weights\":{\"a\":20,\"b\":80}}", false);
    CHECK_INT(seen.outcome, UNDO_DONE);
    /* The list as it is now, timeout included, and nothing that dosrun does not own. */
    CHECK_INT(fake_count(fake, "\"timeout\":\"31s\""), 1);
    CHECK_INT(fake_count(fake, "exportTo"), 0);
    CHECK_INT(fake_count(fake, "\"resourceVersion\":\"7\""), 1);
    CHECK_INT(fake_count(fake, TO("a", "100")), 1);
    CHECK_INT(fake_count(fake, TO("b", "0")), 1);
    seen_free(fake, &seen);
}

TEST(weights_after_a_crash_may_be_any_step)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 1, 200, LIVE("u1", "7", "50", "50"));
    fake_rule(fake, "PATCH", APPLY, 1, 200, LIVE("u1", "8", "100", "0"));
    fake_rule(fake, "GET", PATH, 0, 200, LIVE("u1", "8", "100", "0"));
    undo(fake, &seen, NULL, false);
    CHECK_INT(seen.outcome, UNDO_DONE);
    seen_free(fake, &seen);
}

TEST(weights_as_before_need_nothing)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 0, 200, LIVE("u1", "7", "100", "0"));
    undo(fake, &seen, NULL, false);
    CHECK_INT(seen.outcome, UNDO_ALREADY);
    CHECK_INT(fake_count(fake, "PATCH"), 0);
    seen_free(fake, &seen);
}

TEST(weights_of_somebody_else_stay_and_are_listed)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 0, 200, LIVE("u1", "7", "33", "67"));
    undo(fake, &seen, "{\"weights\":{\"a\":50,\"b\":50}}", false);
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_TEXT(doc_path_text(seen.left, "0", "what", NULL), "VirtualService n/v: weights of route game");
    CHECK_INT(doc_as_int(doc_path(seen.left, "0", "now", "b", NULL), 0), 67);
    CHECK_INT(fake_count(fake, "PATCH"), 0);
    seen_free(fake, &seen);
}

TEST(weights_of_another_object_or_none_are_listed)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 1, 200, LIVE("u2", "7", "50", "50"));
    undo(fake, &seen, NULL, false);
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    doc_unref(seen.left);
    seen = (struct seen){0};
    fake_rule(fake, "GET", PATH, 0, 404, "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
    undo(fake, &seen, NULL, false);
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK(strstr(doc_path_text(seen.left, "0", "what", NULL), "it is gone") != NULL);
    seen_free(fake, &seen);
}

TEST(weights_race_is_another_look)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 1, 200, LIVE("u1", "7", "50", "50"));
    fake_rule(fake, "PATCH", APPLY, 1, 409, "{\"kind\":\"Status\",\"reason\":\"Conflict\"}");
    fake_rule(fake, "GET", PATH, 1, 200, LIVE("u1", "8", "33", "67"));
    undo(fake, &seen, NULL, false);
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_INT(fake_count(fake, "PATCH"), 1);
    seen_free(fake, &seen);
}

TEST(weights_refused_for_good_fail)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 0, 200, LIVE("u1", "7", "50", "50"));
    fake_rule(fake, "PATCH", APPLY, 0, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\"}");
    undo(fake, &seen, NULL, false);
    CHECK_INT(seen.outcome, UNDO_FAILED);
    CHECK_INT(seen.err.kind, ERR_DENIED);
    seen_free(fake, &seen);
}

TEST(weights_plan_tells_and_changes_nothing)
{
    struct fake *fake = cluster();
    struct seen seen = {0};

    fake_rule(fake, "GET", PATH, 0, 200, LIVE("u1", "7", "50", "50"));
    undo(fake, &seen, NULL, true);
    CHECK_INT(seen.outcome, UNDO_DONE);
    CHECK_TEXT(doc_path_text(seen.left, "0", "would", NULL),
               "restore of VirtualService n/v: weights of route game to a 100, b 0");
    CHECK_INT(fake_count(fake, "PATCH"), 0);
    seen_free(fake, &seen);
}
