/* Kinds as data: what is filled in, what is read and sent, what counts as the same; one look, call by call. */
#include "aws/resource.h"
#include "aws_lab.h"
#include "base/secret.h"
#include "codec/json.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void check_json(struct doc *take, const char *wanted)
{
    struct doc *other = lab_doc(wanted);
    struct buf text;

    buf_init(&text, 1 << 20);
    if (take)
        json_add(&text, take, JSON_COMPACT);
    if (!doc_equal(take, other))
        unit_fail(__FILE__, __LINE__, "%s is not %s", buf_text(&text), wanted ? wanted : "nothing");
    buf_free(&text);
    doc_unref(take);
    doc_unref(other);
}

static void check_params(const char *params, const char *wanted)
{
    struct err err = ERR_INIT;
    struct doc *call = lab_doc(params);
    struct doc *context = lab_doc("{'name': 'o~brien', 'region': null, 'found': {'n': 3, 'l': [1]}, 'fields': {}}");

    check_json(resource_params(call, context, &err), wanted);
    CHECK(wanted != NULL || err.kind != ERR_NONE);
    doc_unref(call);
    doc_unref(context);
}

TEST(resource_params_are_filled_in)
{
    check_params("{}", "{}");
    check_params("{'params': {'a': '${found.n}', 'b': ['${found.l}'], 'c': 'n=${found.n}, l=${found.l}!'}}",
                 "{'a': 3, 'b': [[1]], 'c': 'n=3, l=[1]!'}");
    /* what there is nothing for is left out, also where nothing else is in it */
    check_params("{'params': {'a': '${region}', 'b': {'c': '${fields.x}'}, 'd': {}, 'e': 'x${region}'}}",
                 "{'d': {}, 'e': 'x'}");
    check_params("{'params': {'a': '${found.n', 'b': '$', 'c': '${}'}}", NULL);
    check_params("{'params': {'a': '${found.n', 'b': '$'}}", "{'a': '${found.n', 'b': '$'}");
    check_params("{'params': {'a': '${found.[}'}}", NULL);
}

TEST(resource_names_in_an_expression_are_quoted)
{
    struct err err = ERR_INIT;
    struct doc *context = doc_object(), *in = lab_doc("[{'n': 'a'}, {'n': 'b'}]");

    doc_set_text(context, "name", "b");
    check_json(resource_at("[?n == '${name}'] | [0].n", context, in, &err), "'b'");
    doc_set_text(context, "name", "x' || 'a' == 'a"); /* stays a text */
    check_json(resource_at("[?n == '${name}']", context, in, &err), "[]");
    doc_set_text(context, "name", "it's");
    check_json(resource_at("'${name}'", context, in, &err), "'it~s'");
    CHECK_INT(err.kind, ERR_NONE);
    CHECK(!resource_at("[?", context, in, &err));
    CHECK(err.kind != ERR_NONE);
    doc_unref(context);
    doc_unref(in);
}

static bool same(struct marks *marks, const char *json, const char *a, const char *b)
{
    struct doc *field = doc_object(), *one = lab_doc(a), *other = lab_doc(b);
    bool there, back;

    doc_set_text(field, "json", json);
    there = resource_same(marks, field, one, other);
    back = resource_same(marks, field, other, one);
    CHECK(there == back);
    doc_unref(field);
    doc_unref(one);
    doc_unref(other);
    return there;
}

TEST(resource_values_that_mean_the_same)
{
    CHECK(same(NULL, NULL, "{'a': [1, 2.0]}", "{'a': [1.0, 2]}"));
    CHECK(!same(NULL, NULL, "['a', 'b']", "['b', 'a']"));
    CHECK(!same(NULL, NULL, "['a']", "'a'"));
    CHECK(!same(NULL, NULL, "{'a': 1}", "{'a': 1, 'b': 1}"));
    CHECK(!same(NULL, NULL, "{'a': 1}", "{'b': 1}"));
    CHECK(!same(NULL, NULL, "1", "'1'"));
    CHECK(!same(NULL, NULL, "false", NULL));
    CHECK(same(NULL, NULL, NULL, NULL));
    CHECK(same(NULL, "policy", "{'Action': ['a', 'b']}", "{'Action': ['b', 'a']}"));
    CHECK(!same(NULL, "policy", "{'Action': ['a', 'a']}", "{'Action': ['b', 'a']}"));
    CHECK(!same(NULL, "policy", "{'Action': ['a', 'b']}", "{'Action': 'a'}"));
    CHECK(same(NULL, "policy", "{'S': [{'Action': ['a']}]}", "{'S': {'Action': 'a'}}"));
    CHECK(same(NULL, "policy", "{'AWS': '111122223333'}", "{'AWS': ['arn:aws-cn:iam::111122223333:root']}"));
    CHECK(!same(NULL, "policy", "{'AWS': '111122223333'}", "{'AWS': 'arn:aws:iam::111122224444:root'}"));
    CHECK(!same(NULL, "policy", "{'AWS': '111122223333'}", "{'AWS': 'arn:aws:iam::111122223333:user/root'}"));
    CHECK(!same(NULL, NULL, "'111122223333'", "'arn:aws:iam::111122223333:root'"));
}

TEST(resource_secrets_are_the_same_as_their_text)
{
    struct marks *marks = marks_new(view_of("k"));
    struct doc *plain = doc_text("key of the door"), *marked;
    struct buf text;

    buf_init(&text, 1 << 10);
    buf_add_text(&text, "key of ");
    marks_add_secret(marks, &text, view_of("the door"));
    marked = doc_string(buf_view(&text));
    CHECK(resource_same(marks, NULL, plain, marked));
    CHECK(resource_same(marks, NULL, marked, marked));
    buf_add_text(&text, "s");
    doc_unref(marked);
    marked = doc_string(buf_view(&text));
    CHECK(!resource_same(marks, NULL, plain, marked));
    doc_unref(marked);
    doc_unref(plain);
    buf_free(&text);
    marks_free(marks);
}

TEST(resource_values_of_answers_and_back)
{
    struct doc *tags = lab_doc("{'map': ['Key', 'Value']}"), *names = lab_doc("{'map': []}"),
               *json = lab_doc("{'json': 'policy'}");
    struct doc *said = lab_doc("[{'Key': 'a', 'Value': 'b'}, {'Key': 'aws:x', 'Value': 'theirs'}, {'Key': 'c'}]"),
               *value;

    value = resource_value(tags, said);
    check_json(resource_wire(tags, value, false), "[{'Key': 'a', 'Value': 'b'}, {'Key': 'c', 'Value': true}]");
    check_json(value, "{'a': 'b', 'c': true}");
    doc_unref(said);
    said = lab_doc("['x', 'y']");
    value = resource_value(names, said);
    check_json(resource_wire(names, value, false), "['x', 'y']");
    check_json(value, "{'x': true, 'y': true}");
    doc_unref(said);
    said = doc_null();
    check_json(resource_value(names, said), "{}");
    CHECK(!resource_value(json, said));
    doc_unref(said);
    said = doc_text("{\"a\": 1}");
    value = resource_value(json, said);
    check_json(resource_wire(json, value, false), "'{\\'a\\':1}'");
    check_json(value, "{'a': 1}");
    doc_unref(said);
    said = doc_text("no JSON");
    check_json(resource_value(json, said), "'no JSON'");
    doc_unref(said);
    doc_unref(tags);
    doc_unref(names);
    doc_unref(json);
}

/* ---- looks ---- */

struct seen {
    int told;
    struct doc *state;
    struct err err;
};

static void looked(void *ctx, struct doc *state, const struct err *err)
{
    struct seen *seen = ctx;

    seen->told++;
    seen->state = state;
    seen->err = err ? *err : ERR_INIT;
}

static struct seen look(struct lab *lab, const char *json)
{
    struct seen seen = {.err = ERR_INIT};
    struct doc *spec = lab_doc(json);

    if (resource_look_start(lab->aws, spec, false, looked, &seen, &seen.err))
        aws_world_run(&lab->world);
    else
        seen.told++;
    doc_unref(spec);
    CHECK_INT(seen.told, 1);
    return seen;
}

#define GROUP                                                                                                \
    "{'service': 'logs', 'name': 'g', 'find': {'op': 'DescribeLogGroups', 'params': {'logGroupNamePrefix': " \
    "'${name}'},"                                                                                            \
    " 'at': 'logGroups[?logGroupName == ~${name}~] | [0]'}"

TEST(resource_is_found_on_a_later_page)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeLogGroups", "two", 0, 200, "{'logGroups': [{'logGroupName': 'g', 'retentionInDays': 3}]}");
    lab_rule(&lab, "DescribeLogGroups", NULL, 0, 200, "{'logGroups': [{'logGroupName': 'g2'}], 'nextToken': 'two'}");
    seen = look(&lab, GROUP
                ", 'fields': [{'name': 'days', 'at': 'retentionInDays'}, {'name': 'class', 'at': 'logGroupClass'}]}");
    CHECK_TEXT(seen.err.message, "");
    check_json(seen.state, "{'fields': {'days': 3}, 'found': {'logGroupName': 'g', 'retentionInDays': 3}}");
    CHECK_INT(lab_count(&lab, "DescribeLogGroups"), 2);
    lab_clear(&lab);
}

TEST(resource_is_not_there_after_the_last_page)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeLogGroups", "two", 0, 200, "{'logGroups': []}");
    lab_rule(&lab, "DescribeLogGroups", NULL, 0, 200, "{'logGroups': [], 'nextToken': 'two'}");
    seen = look(&lab, GROUP ", 'fields': []}");
    CHECK_TEXT(seen.err.message, "");
    CHECK(!seen.state);
    lab_clear(&lab);
}

#define REPOSITORY                                                                                            \
    "{'service': 'ecr', 'name': 'r/a', 'find': {'op': 'DescribeRepositories', 'params': {'repositoryNames': " \
    "['${name}']},"                                                                                           \
    " 'at': 'repositories[0]', 'missing': ['RepositoryNotFoundException']}, 'fields': ["
#define IMAGES "{'op': 'ListImages', 'params': {'repositoryName': '${name}'}, 'at': 'imageIds[].imageTag'}"

TEST(resource_lists_of_pages_become_one_and_one_answer_serves_neighbours)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, "{'repositories': [{'repositoryName': 'r/a'}]}");
    lab_rule(&lab, "ListImages", "two", 0, 200, "{'imageIds': [{'imageTag': 'c'}]}");
    lab_rule(&lab, "ListImages", NULL, 0, 200,
             "{'imageIds': [{'imageTag': 'a'}, {'imageTag': 'b'}], 'nextToken': 'two'}");
    lab_rule(&lab, "GetLifecyclePolicy", NULL, 0, 200, "{'lifecyclePolicyText': '{}', 'registryId': '111122223333'}");
    seen = look(&lab, REPOSITORY "{'name': 'images', 'map': [], 'look': " IMAGES
                                 "}, {'name': 'again', 'map': [], 'look': " IMAGES "},"
                                 "{'name': 'policy', 'look': {'op': 'GetLifecyclePolicy', 'params': {'repositoryName': "
                                 "'${name}'}, 'at': 'lifecyclePolicyText'}},"
                                 "{'name': 'registry', 'look': {'op': 'GetLifecyclePolicy', 'params': "
                                 "{'repositoryName': '${name}'}, 'at': 'registryId'}}]}");
    CHECK_TEXT(seen.err.message, "");
    check_json(doc_ref(doc_get(seen.state, "fields")),
               "{'images': {'a': true, 'b': true, 'c': true}, 'again': {'a': true, 'b': true,"
               " 'c': true}, 'policy': '{}', 'registry': '111122223333'}");
    CHECK_INT(lab_count(&lab, "GetLifecyclePolicy"), 1);
    doc_unref(seen.state);
    lab_clear(&lab);
}

TEST(resource_answers_that_say_none)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 400, "{'__type': 'RepositoryNotFoundException'}");
    seen = look(&lab, REPOSITORY "]}");
    CHECK(!seen.state && !seen.err.kind);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, "{'repositories': [{'repositoryName': 'r/a'}]}");
    lab_rule(&lab, "GetLifecyclePolicy", NULL, 0, 400, "{'__type': 'LifecyclePolicyNotFoundException'}");
    seen = look(
        &lab, REPOSITORY
        "{'name': 'a', 'look': {'op': 'GetLifecyclePolicy', 'params': {'repositoryName': '${name}'},"
        " 'missing': 'LifecyclePolicyNotFoundException', 'at': 'lifecyclePolicyText'}}, {'name': 'b', 'look': {'op':"
        " 'GetLifecyclePolicy', 'params': {'repositoryName': '${name}'}, 'missing': "
        "['LifecyclePolicyNotFoundException'],"
        " 'at': 'lifecyclePolicyText || ~none~'}}]}");
    check_json(doc_ref(doc_get(seen.state, "fields")), "{'b': 'none'}");
    doc_unref(seen.state);
    lab_clear(&lab);
}

TEST(resource_looks_that_fail)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    seen = look(&lab, "{'service': 'nope', 'name': 'a', 'find': {'op': 'X'}, 'fields': []}");
    CHECK_TEXT(seen.err.explain, "A104");
    seen = look(&lab, "{'service': 'ecr', 'name': 'a', 'find': {'op': 'DescribeRepositori'}, 'fields': []}");
    CHECK_TEXT(seen.err.explain, "A104");
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 400, "{'__type': 'AccessDeniedException', 'message': 'no'}");
    seen = look(&lab, REPOSITORY "]}");
    CHECK_INT(seen.err.kind, ERR_DENIED);
    CHECK(!seen.state);
    lab_clear(&lab);
}

TEST(resource_that_never_ends_is_an_error)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, "{'repositories': [{'repositoryName': 'r/a'}]}");
    /* tokens that take turns: never the same twice in a row */
    lab_rule(&lab, "ListImages", "p0", 0, 200, "{'imageIds': [{'imageTag': 'b'}], 'nextToken': 'p1'}");
    lab_rule(&lab, "ListImages", NULL, 0, 200, "{'imageIds': [{'imageTag': 'a'}], 'nextToken': 'p0'}");
    seen = look(&lab, REPOSITORY "{'name': 'images', 'map': [], 'look': " IMAGES "}]}");
    CHECK_INT(seen.err.kind, ERR_QUOTA);
    CHECK(strstr(seen.err.message, "more than 100 pages"));
    lab_clear(&lab);
}

TEST(resource_look_is_cancelled)
{
    struct lab lab;
    struct seen seen = {.err = ERR_INIT};
    struct doc *spec = lab_doc(REPOSITORY "]}");
    struct resource_look *started;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, "{}");
    started = resource_look_start(lab.aws, spec, false, looked, &seen, &seen.err);
    REQUIRE(started);
    resource_look_cancel(started);
    aws_world_run(&lab.world);
    CHECK_INT(seen.told, 0);
    doc_unref(spec);
    lab_clear(&lab);
}
