/* Undo: lost answers, late creates, others' objects, stuck finalizers. */
#include "kube_fake.h"
#include "codec/json.h"
#include "unit.h"

#include <string.h>

struct seen {
    bool done;
    enum undo_outcome outcome;
    struct doc *left;
    struct err err;
};

static void undone(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct seen *seen = ctx;

    doc_unref(seen->left);
    *seen = (struct seen){true, outcome, left, err ? *err : ERR_INIT};
}

static struct doc *parse(const char *text)
{
    struct err err = ERR_INIT;

    return text ? json_parse(view_of(text), &err) : NULL;
}

static void undo(struct fake *fake, struct seen *seen, const char *op, const char *before, const char *after,
                 int64_t settle_ms)
{
    struct undo_handler handlers[3];
    struct doc *docs[] = {parse(op), parse(before), parse(after)};
    struct undo_request request = {.undo = docs[0], .before = docs[1], .after = docs[2]};

    if (settle_ms)
        request.settle_ms = world_now_ms(fake_world(fake)) + settle_ms;
    kube_undo_handlers(fake_kube(fake), handlers);
    seen->done = false;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(handlers[i].op, doc_as_text(doc_get(docs[0], "op"), "")) == 0)
            handlers[i].start(handlers[i].ctx, &request, undone, seen);
    }
    for (size_t i = 0; i < 3; i++)
        doc_unref(docs[i]);
    CHECK(fake_until(fake, &seen->done));
}

#define PATH "/api/v1/namespaces/n/configmaps/c"
#define REF "\"ref\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"namespace\":\"n\",\"name\":\"c\"}"
#define DELETE_OP "{\"op\":\"kube.delete\"," REF ",\"uid\":\"u1\"}"
#define MINE                                                                                                      \
    "\"managedFields\":[{\"manager\":\"dosrun\",\"operation\":\"Apply\",\"apiVersion\":\"v1\",\"fieldsV1\":{\"f:" \
    "data\":{\"f:a\":{}}}}]"
#define OBJECT(uid, rest)                                                                                           \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\",\"namespace\":\"n\",\"uid\":\"" uid \
    "\"" rest "}}"

static void seen_free(struct fake *fake, struct seen *seen)
{
    doc_unref(seen->left);
    fake_free(fake);
}

TEST(delete_is_by_uid_and_survives_a_lost_answer)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 1, 200, OBJECT("u1", ""));
    fake_rule(fake, "DELETE", PATH, 1, FAKE_LOST, NULL);
    fake_rule(fake, "DELETE", PATH, 0, 404, "{\"kind\":\"Status\",\"reason\":\"NotFound\"}");
    undo(fake, &seen, DELETE_OP, NULL, NULL, 0);
    CHECK(seen.outcome == UNDO_DONE || seen.outcome == UNDO_ALREADY);
    CHECK(fake_count(fake, "\"preconditions\":{\"uid\":\"u1\"}") >= 1);
    seen_free(fake, &seen);
}

TEST(another_object_of_the_name_stays)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 0, 200, OBJECT("u2", ""));
    undo(fake, &seen, DELETE_OP, NULL, NULL, 0);
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_TEXT(doc_path_text(seen.left, "0", "what", NULL), "ConfigMap n/c");
    CHECK_INT(fake_count(fake, "DELETE"), 0);
    seen_free(fake, &seen);
}

TEST(late_create_is_found_and_deleted)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    int64_t from = world_now_ms(fake_world(fake));

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 3, 404, "{}");
    fake_rule(fake, "GET", PATH, 1, 200, OBJECT("u9", "," MINE));
    fake_rule(fake, "DELETE", PATH, 1, 200, "{\"kind\":\"Status\"}");
    undo(fake, &seen, "{\"op\":\"kube.delete\"," REF "}", NULL, NULL, 90000);
    CHECK_INT(seen.outcome, UNDO_DONE);
    CHECK_INT(fake_count(fake, "DELETE"), 1);
    CHECK(world_now_ms(fake_world(fake)) - from >= 90000);
    seen_free(fake, &seen);
}

TEST(stuck_finalizer_is_named)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 0, 200,
              OBJECT("u1", ",\"deletionTimestamp\":\"2030-01-01T00:00:00Z\",\"finalizers\":[\"a.test/hold\"]"));
    fake_rule(fake, "GET", "/api/v1/namespaces/n/configmaps?limit=500", 0, 200,
              "{\"kind\":\"ConfigMapList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":[" OBJECT(
                  "u1", ",\"deletionTimestamp\":\"2030-01-01T00:00:00Z\",\"finalizers\":[\"a.test/hold\"]") "]}");
    fake_rule(fake, "GET", "/api/v1/namespaces/n/configmaps?watch=*", 0, FAKE_STREAM, NULL);
    undo(fake, &seen, DELETE_OP, NULL, NULL, 0);
    CHECK_INT(seen.outcome, UNDO_FAILED);
    CHECK_TEXT(seen.err.explain, "K108");
    CHECK(strstr(seen.err.message, "finalizer a.test/hold"));
    seen_free(fake, &seen);
}

#define DATA(value, version, managers)                                                                               \
    "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\",\"namespace\":\"n\",\"uid\":\"u1\"," \
    "\"resourceVersion\":\"" version "\",\"managedFields\":[" managers "]},\"data\":{\"a\":\"" value "\"}}"
#define OWNS(manager, operation)                              \
    "{\"manager\":\"" manager "\",\"operation\":\"" operation \
    "\",\"apiVersion\":\"v1\",\"fieldsV1\":{\"f:data\":{\"f:a\":{}}}}"
#define FIELDS_OP(applied) "{\"op\":\"kube.fields\"," REF ",\"uid\":\"u1\"" applied "}"

TEST(forced_field_goes_back_under_its_managers_name_first)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 2, 200, DATA("2", "7", OWNS("dosrun", "Apply")));
    fake_rule(fake, "PATCH", PATH "?fieldManager=kubectl", 1, 409, "{\"kind\":\"Status\",\"reason\":\"Conflict\"}");
    fake_rule(fake, "PATCH", PATH "?fieldManager=kubectl", 1, 200, "{\"kind\":\"Status\"}");
    fake_rule(fake, "GET", PATH, 0, 200, DATA("1", "8", OWNS("kubectl", "Update")));
    undo(fake, &seen, FIELDS_OP(""), DATA("1", "5", OWNS("kubectl", "Update")), DATA("2", "6", OWNS("dosrun", "Apply")),
         0);
    CHECK_INT(seen.outcome, UNDO_DONE);
    CHECK_INT(fake_count(fake, "[{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":\"7\"},"
                               "{\"op\":\"replace\",\"path\":\"/data/a\",\"value\":\"1\"}]"),
              2);
    seen_free(fake, &seen);
}

TEST(former_set_is_applied_again_after_a_lost_answer)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 1, 200, DATA("2", "7", OWNS("dosrun", "Apply")));
    fake_rule(fake, "PATCH", PATH "?fieldManager=dosrun", 9, FAKE_LOST, NULL);
    fake_rule(fake, "GET", PATH, 0, 200, DATA("1", "8", OWNS("dosrun", "Apply")));
    undo(fake, &seen,
         FIELDS_OP(",\"applied\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"c\","
                   "\"namespace\":\"n\"},\"data\":{\"a\":\"1\"}}"),
         DATA("1", "5", OWNS("dosrun", "Apply")), NULL, 0);
    CHECK(seen.outcome == UNDO_DONE || seen.outcome == UNDO_ALREADY);
    CHECK(fake_count(fake, "\"resourceVersion\":\"7\"") >= 1);
    seen_free(fake, &seen);
}

TEST(others_values_are_left_and_listed)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", PATH, 0, 200, DATA("3", "7", OWNS("somebody", "Update")));
    undo(fake, &seen, FIELDS_OP(""), DATA("1", "5", ""), DATA("2", "6", OWNS("dosrun", "Apply")), 0);
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_TEXT(doc_path_text(seen.left, "0", "what", NULL), "ConfigMap n/c: data.a");
    CHECK_TEXT(doc_path_text(seen.left, "0", "manager", NULL), "somebody");
    CHECK_INT(fake_count(fake, "PATCH"), 0);
    seen_free(fake, &seen);
}

#define DEPLOYMENT(replicas, manager)                                                                \
    "{\"apiVersion\":\"apps/"                                                                        \
    "v1\",\"kind\":\"Deployment\",\"metadata\":{\"name\":\"d\",\"namespace\":\"n\",\"uid\":\"u1\","  \
    "\"resourceVersion\":\"1\","                                                                     \
    "\"managedFields\":[{\"manager\":\"" manager "\",\"operation\":\"Apply\",\"apiVersion\":\"apps/" \
    "v1\",\"fieldsV1\":{\"f:spec\":{\"f:replicas\":{}}}}]},\"spec\":{\"replicas\":" replicas "}}"

TEST(replicas_of_an_autoscaler_are_its_own)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};

    fake_discovery(fake);
    fake_rule(fake, "GET", "/apis/apps/v1/namespaces/n/deployments/d", 0, 200, DEPLOYMENT("7", "hpa"));
    fake_rule(fake, "GET", "/apis/autoscaling/v2/namespaces/n/horizontalpodautoscalers?limit=500", 0, 200,
              "{\"kind\":\"HorizontalPodAutoscalerList\",\"metadata\":{},\"items\":[{\"spec\":{\"scaleTargetRef\":{"
              "\"kind\":\"Deployment\",\"name\":\"d\"}}}]}");
    undo(fake, &seen,
         "{\"op\":\"kube.fields\",\"ref\":{\"apiVersion\":\"apps/"
         "v1\",\"kind\":\"Deployment\",\"namespace\":\"n\",\"name\":\"d\"},\"uid\":\"u1\"}",
         DEPLOYMENT("1", "kubectl"), DEPLOYMENT("3", "dosrun"), 0);
    CHECK_INT(seen.outcome, UNDO_ALREADY);
    CHECK(!seen.left);
    seen_free(fake, &seen);
}
