/* Undo of resources whose kind is data: what goes back, what is left, lost answers, services that are behind. */
#include "aws/undo.h"
#include "aws_lab.h"
#include "unit.h"

#include <string.h>

struct seen {
    int told;
    enum undo_outcome outcome;
    struct doc *left;
    struct err err;
    int64_t took_ms;
};

static void undone(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct seen *seen = ctx;

    seen->told++;
    seen->outcome = outcome;
    seen->left = left;
    seen->err = err ? *err : ERR_INIT;
}

struct how {
    bool plan, after_known, seen_settles;
    int64_t settle_ms;
};

#define KIND                                                                                                          \
    "{'op': 'aws.call', 'kind': 'ecr.repository', 'name': 'games', 'service': 'ecr', 'region': 'eu-west-1',"          \
    " 'tagged': true, 'id': 'ecr.repository/games', 'run': 'r1', 'holds': ['RepositoryNotEmptyException'],"           \
    " 'find': {'op': 'DescribeRepositories', 'params': {'repositoryNames': ['${name}']}, 'at': 'repositories[0]',"    \
    " 'missing': ['RepositoryNotFoundException']}, 'delete': {'op': 'DeleteRepository', 'params': {'repositoryName':" \
    " '${name}'}}, 'fields': [{'name': 'mutability', 'at': 'imageTagMutability', 'put': {'op': "                      \
    "'PutImageTagMutability',"                                                                                        \
    " 'params': {'repositoryName': '${name}', 'imageTagMutability': '${value}'}}}, {'name': 'scan', 'at':"            \
    " 'imageScanningConfiguration.scanOnPush', 'put': {'op': 'PutImageScanningConfiguration', 'params':"              \
    " {'repositoryName': '${name}', 'imageScanningConfiguration': {'scanOnPush': '${value}'}}}}, {'name': 'tags',"    \
    " 'map': ['Key', 'Value'], 'look': {'op': 'ListTagsForResource', 'params': {'resourceArn': 'arn:x'}, 'at': "      \
    "'tags'},"                                                                                                        \
    " 'put': {'op': 'TagResource', 'params': {'resourceArn': 'arn:x', 'tags': [{'Key': '${key}', 'Value': "           \
    "'${value}'}]}},"                                                                                                 \
    " 'unset': {'op': 'UntagResource', 'params': {'resourceArn': 'arn:x', 'tagKeys': ['${key}']}}}]"

static struct seen undo(struct lab *lab, const char *ours, const char *before, struct how how)
{
    struct seen seen = {.err = ERR_INIT};
    struct doc *spec = lab_doc(KIND "}"), *was = lab_doc(before);
    int64_t from = world_now_ms(&lab->world.base);
    struct undo_request request = {.undo = spec,
                                   .before = was,
                                   .plan = how.plan,
                                   .after_known = how.after_known,
                                   .seen_settles = how.seen_settles,
                                   .settle_ms = how.settle_ms ? from + how.settle_ms : 0};

    doc_set(spec, "ours", lab_doc(ours));
    aws_undo_start(lab->aws, &lab->world.base, &request, undone, &seen);
    aws_world_run(&lab->world);
    doc_unref(spec);
    doc_unref(was);
    CHECK_INT(seen.told, 1);
    seen.took_ms = world_now_ms(&lab->world.base) - from;
    return seen;
}

static const char *left(const struct seen *seen, size_t index)
{
    return doc_as_text(doc_get(doc_at(seen->left, index), "what"), "");
}

static void end(struct lab *lab, struct seen *seen)
{
    doc_unref(seen->left);
    lab_clear(lab);
}

#define NONE "{'__type': 'RepositoryNotFoundException', 'message': 'no'}"
#define THERE(mutability, scan)                                                        \
    "{'repositories': [{'repositoryName': 'games', 'imageTagMutability': '" mutability \
    "', 'imageScanningConfiguration':"                                                 \
    " {'scanOnPush': " scan "}}]}"
#define TAGS(more) "{'tags': [" more "{'Key': 'x', 'Value': 'y'}]}"
#define MINE "{'Key': 'dosrun:id', 'Value': 'ecr.repository/games'}, {'Key': 'dosrun:run', 'Value': 'r1'}, "
#define BEFORE "{'fields': {'mutability': 'MUTABLE', 'scan': false, 'tags': {'x': 'y'}}}"
#define OURS "{'mutability': ['IMMUTABLE'], 'scan': [true], 'tags': [{'x': 'y', 'a': '1'}]}"

TEST(undo_restores_fields_and_looks_once_more)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("IMMUTABLE", "true"));
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("MUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 1, 200, TAGS("{'Key': 'a', 'Value': '1'}, "));
    lab_rule(&lab, "ListTagsForResource", NULL, 1, 200, TAGS(""));
    lab_rule(&lab, "PutImageTagMutability", "\"MUTABLE\"", 1, 200, "{}");
    lab_rule(&lab, "PutImageScanningConfiguration", "false", 1, 200, "{}");
    lab_rule(&lab, "UntagResource", "[\"a\"]", 1, 200, "{}");
    seen = undo(&lab, OURS, BEFORE, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_DONE);
    CHECK(!seen.left);
    CHECK_INT(lab_count(&lab, "DescribeRepositories"), 2);
    end(&lab, &seen);
}

TEST(undo_finds_all_as_before)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("MUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 1, 200, TAGS(""));
    seen = undo(&lab, OURS, BEFORE, (struct how){0});
    CHECK_INT(seen.outcome, UNDO_ALREADY);
    end(&lab, &seen);
}

TEST(undo_leaves_what_others_changed)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("IMMUTABLE_WITH_EXCLUSION", "true"));
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("IMMUTABLE_WITH_EXCLUSION", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200,
             TAGS("{'Key': 'a', 'Value': '2'}, {'Key': 'new', 'Value': 'n'}, "));
    lab_rule(&lab, "PutImageScanningConfiguration", "false", 1, 200, "{}");
    seen = undo(&lab, OURS, BEFORE, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_INT(doc_size(seen.left), 2);
    CHECK_TEXT(left(&seen, 0), "ecr.repository games: mutability");
    CHECK_TEXT(left(&seen, 1), "ecr.repository games: tags[a]");
    CHECK_TEXT(doc_as_text(doc_get(doc_at(seen.left, 1), "now"), ""), "2");
    end(&lab, &seen);
}

TEST(undo_plans_and_changes_nothing)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("IMMUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 1, 200, TAGS("{'Key': 'a', 'Value': '1'}, "));
    seen = undo(&lab, OURS, BEFORE, (struct how){.plan = true});
    CHECK_INT(seen.outcome, UNDO_DONE);
    CHECK_TEXT(doc_as_text(doc_get(doc_at(seen.left, 0), "would"), ""), "restore ecr.repository games: mutability");
    CHECK_TEXT(doc_as_text(doc_get(doc_at(seen.left, 1), "would"), ""), "restore ecr.repository games: tags[a]");
    end(&lab, &seen);
}

TEST(undo_goes_on_after_a_lost_answer)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("IMMUTABLE", "false"));
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("MUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(""));
    lab_rule(&lab, "PutImageTagMutability", NULL, 0, 0, "");
    seen = undo(&lab, "{'mutability': ['IMMUTABLE']}", BEFORE, (struct how){.after_known = true});
    CHECK(seen.outcome == UNDO_DONE || seen.outcome == UNDO_ALREADY);
    end(&lab, &seen);
}

TEST(undo_ends_when_it_is_refused)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, THERE("IMMUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(""));
    lab_rule(&lab, "PutImageTagMutability", NULL, 0, 400, "{'__type': 'AccessDeniedException', 'message': 'no'}");
    seen = undo(&lab, "{'mutability': ['IMMUTABLE']}", BEFORE, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FAILED);
    CHECK_INT(seen.err.kind, ERR_DENIED);
    CHECK_INT(lab_count(&lab, "PutImageTagMutability"), 1);
    CHECK(strstr(seen.err.message, "undo of ecr.repository games"));
    end(&lab, &seen);
}

TEST(undo_of_what_is_gone_is_believed_after_some_looks)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 400, NONE);
    seen = undo(&lab, OURS, BEFORE, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_TEXT(left(&seen, 0), "ecr.repository games: somebody deleted it");
    CHECK(seen.took_ms >= 10000);
    end(&lab, &seen);

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 2, 400, NONE);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, THERE("MUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(""));
    seen = undo(&lab, OURS, BEFORE, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_ALREADY);
    end(&lab, &seen);
}

/* ---- what the run made ---- */

TEST(undo_deletes_what_the_run_made)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 3, 200, THERE("MUTABLE", "true")); /* lists may still have it */
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 400, NONE);
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(MINE));
    lab_rule(&lab, "DeleteRepository", NULL, 1, 200, "{}");
    seen = undo(&lab, "{'scan': [true]}", NULL, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_DONE);
    end(&lab, &seen);
}

TEST(undo_leaves_what_another_run_made)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, THERE("MUTABLE", "true"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200,
             TAGS("{'Key': 'dosrun:id', 'Value': 'ecr.repository/games'}, "
                  "{'Key': 'dosrun:run', 'Value': 'r2'}, "));
    seen = undo(&lab, "{'scan': [true]}", NULL, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_TEXT(left(&seen, 0), "ecr.repository games: it is not what this run made");
    end(&lab, &seen);
}

TEST(undo_leaves_what_others_edited_or_filled)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, THERE("MUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(MINE));
    seen = undo(&lab, "{'scan': [true]}", NULL, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK_TEXT(left(&seen, 0), "ecr.repository games: scan");
    end(&lab, &seen);

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, THERE("MUTABLE", "true"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(MINE));
    lab_rule(&lab, "DeleteRepository", NULL, 1, 400, "{'__type': 'RepositoryNotEmptyException', 'message': 'images'}");
    seen = undo(&lab, "{'scan': [true]}", NULL, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FOREIGN);
    CHECK(strstr(left(&seen, 0), "RepositoryNotEmptyException: images"));
    end(&lab, &seen);
}

TEST(undo_waits_for_a_creation_that_may_come_late)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 4, 400, NONE);
    lab_rule(&lab, "DescribeRepositories", NULL, 1, 200, THERE("MUTABLE", "true"));
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 400, NONE);
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(MINE));
    lab_rule(&lab, "DeleteRepository", NULL, 1, 200, "{}");
    seen = undo(&lab, "{'scan': [true]}", NULL, (struct how){.settle_ms = 90000, .seen_settles = true});
    CHECK_INT(seen.outcome, UNDO_DONE);
    CHECK(seen.took_ms < 90000); /* it can come once only */
    end(&lab, &seen);

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 400, NONE);
    seen = undo(&lab, "{'scan': [true]}", NULL, (struct how){.settle_ms = 90000});
    CHECK_INT(seen.outcome, UNDO_ALREADY);
    CHECK(seen.took_ms >= 90000);
    end(&lab, &seen);
}

TEST(undo_of_what_changes_all_the_time_ends)
{
    struct lab lab;
    struct seen seen;

    lab_init(&lab);
    lab_rule(&lab, "DescribeRepositories", NULL, 0, 200, THERE("IMMUTABLE", "false"));
    lab_rule(&lab, "ListTagsForResource", NULL, 0, 200, TAGS(""));
    lab_rule(&lab, "PutImageTagMutability", NULL, 0, 200, "{}");
    seen = undo(&lab, "{'mutability': ['IMMUTABLE']}", BEFORE, (struct how){.after_known = true});
    CHECK_INT(seen.outcome, UNDO_FAILED);
    CHECK(strstr(seen.err.message, "given up after 120 looks"));
    end(&lab, &seen);
}
