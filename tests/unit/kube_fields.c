/* Managed fields of a real object: what was applied, by whom, and whether applying again would change anything. */
#include "kube_sample.h"
#include "codec/json.h"
#include "kube/kube.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct doc *parse(const char *text)
{
    struct err err = ERR_INIT;

    return json_parse(view_of(text), &err);
}

static struct doc *container(struct doc *object)
{
    return doc_at(doc_path(object, "spec", "template", "spec", "containers", NULL), 0);
}

static void check_manager(const struct doc *live, const char *pointer, const char *want)
{
    char *manager = kube_fields_manager(live, pointer);

    if (want)
        CHECK(manager && strncmp(manager, want, strlen(want)) == 0 && strstr(manager, " (20"));
    else
        CHECK(!manager);
    free(manager);
}

TEST(applied_is_settled_and_each_change_is_not)
{
    struct doc *live = parse(SAMPLE), *applied = kube_fields_applied(live, "dosrun"), *manifest, *swap;

    REQUIRE(applied);
    CHECK_TEXT(doc_path_text(applied, "kind", NULL), "Deployment");
    CHECK_TEXT(doc_path_text(applied, "metadata", "namespace", NULL), "games");
    CHECK(!doc_path(applied, "metadata", "labels", "theirs", NULL));
    CHECK(!doc_path(applied, "spec", "strategy", NULL));
    CHECK(doc_is(doc_path(applied, "spec", "template", "spec", "volumes", "0", "emptyDir", NULL), DOC_OBJECT));

    /* What applying it once more would send: the ports' protocol is the server's. */
    manifest = doc_copy(applied);
    for (size_t i = 0; i < 2; i++)
        doc_remove(doc_at(doc_get(container(manifest), "ports"), i), "protocol");
    CHECK(kube_fields_settled(live, manifest, "dosrun"));
    CHECK(!kube_fields_settled(live, manifest, "kubectl"));

    doc_set_text(container(manifest), "image", "other");
    CHECK(!kube_fields_settled(live, manifest, "dosrun"));
    doc_set(container(manifest), "image", doc_ref(doc_get(container(applied), "image")));
    CHECK(kube_fields_settled(live, manifest, "dosrun"));

    doc_set_text(doc_path(manifest, "metadata", "labels", NULL), "new", "1");
    CHECK(!kube_fields_settled(live, manifest, "dosrun"));
    doc_remove(doc_path(manifest, "metadata", "labels", NULL), "new");
    doc_remove(container(manifest), "args"); /* owned, and not said any more: it would go */
    CHECK(!kube_fields_settled(live, manifest, "dosrun"));
    doc_set(container(manifest), "args", doc_ref(doc_get(container(applied), "args")));
    CHECK(kube_fields_settled(live, manifest, "dosrun"));

    swap = doc_ref(doc_at(doc_get(container(manifest), "env"), 0));
    doc_remove_at(doc_get(container(manifest), "env"), 0);
    doc_push(doc_get(container(manifest), "env"), swap); /* another order is another object */
    CHECK(!kube_fields_settled(live, manifest, "dosrun"));
    doc_unref(manifest);
    doc_unref(applied);
    doc_unref(live);
}

TEST(managers_of_single_fields)
{
    struct doc *live = parse(SAMPLE);

    check_manager(live, "/metadata/labels/theirs", "kubectl");
    check_manager(live, "/metadata/labels/app", "dosrun");
    check_manager(live, "/spec/template/spec/containers/0/env/0/value", "dosrun");
    check_manager(live, "/spec/selector/matchLabels/app", "dosrun"); /* inside of an atomic value */
    check_manager(live, "/metadata/annotations/deployment.kubernetes.io~1revision", "kube-controller-manager");
    check_manager(live, "/spec/strategy/type", NULL);
    check_manager(live, "/spec/template/spec/containers/7/image", NULL);
    doc_unref(live);
}

TEST(differences_by_merge_key)
{
    struct doc *before = parse("{\"kind\":\"X\",\"metadata\":{\"uid\":\"1\",\"annotations\":{\"a.b/"
                               "c\":\"1\"}},\"status\":{\"a\":1},\"spec\":{\"l\":"
                               "[{\"name\":\"x\",\"v\":1},{\"name\":\"y\",\"v\":2}],\"s\":[1,2]}}");
    struct doc *after =
        parse("{\"kind\":\"X\",\"metadata\":{\"uid\":\"2\",\"annotations\":{\"a.b/c\":\"2\"}},\"spec\":{\"l\":"
              "[{\"name\":\"y\",\"v\":3},{\"name\":\"z\",\"v\":4},{\"name\":\"x\",\"v\":1}],\"s\":[2,1]}}");
    struct doc *diff = kube_fields_diff(before, after);

    CHECK_INT(doc_size(diff), 4);
    CHECK_TEXT(doc_path_text(diff, "0", "path", NULL), "metadata.annotations[a.b/c]");
    CHECK_TEXT(doc_path_text(diff, "0", "pointer", NULL), "/metadata/annotations/a.b~1c");
    CHECK_TEXT(doc_path_text(diff, "1", "path", NULL), "spec.l[name=y].v");
    CHECK_TEXT(doc_path_text(diff, "1", "pointer", NULL), "/spec/l/0/v");
    CHECK_TEXT(doc_path_text(diff, "2", "path", NULL), "spec.l[name=z]");
    CHECK(!doc_path(diff, "2", "old", NULL) && doc_path(diff, "2", "new", "v", NULL));
    CHECK_TEXT(doc_path_text(diff, "3", "path", NULL), "spec.s");
    doc_unref(diff);
    doc_unref(before);
    doc_unref(after);
}
