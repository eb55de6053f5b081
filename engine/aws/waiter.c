/* What an answer means to a waiter: its first acceptor that matches decides; an error that none expects is the end. */
#include "aws/aws.h"

#include "aws/jmespath.h"
#include "codec/json.h"

#include <string.h>

enum match { MATCH_NOT, MATCH, MATCH_FAILED };

static enum match elements_match(const struct doc *found, const struct doc *expected, bool all)
{
    size_t equal = 0;

    if (!doc_is(found, DOC_ARRAY) || !doc_size(found))
        return MATCH_NOT;
    for (size_t i = 0; i < doc_size(found); i++)
        equal += doc_equal(doc_at(found, i), expected);
    return (all ? equal == doc_size(found) : equal > 0) ? MATCH : MATCH_NOT;
}

/* path, pathAll, pathAny. An expression that cannot be evaluated is an error of the model: err says so. */
static enum match path_match(const struct aws_acceptor *acceptor, const struct doc *expected, const struct doc *result,
                             struct err *err)
{
    struct jmespath *path = jmespath_parse(view_of(acceptor->argument), err);
    struct doc *found = path ? jmespath_search(path, result, err) : NULL;
    enum match match;

    if (!found)
        match = MATCH_FAILED;
    else if (strcmp(acceptor->matcher, "path") == 0)
        match = doc_equal(found, expected) ? MATCH : MATCH_NOT;
    else
        match = elements_match(found, expected, strcmp(acceptor->matcher, "pathAll") == 0);
    doc_unref(found);
    jmespath_free(path);
    return match;
}

/* true: any error; false: none; else the one with this code. */
static enum match error_match(const struct doc *expected, const struct err *answer_err)
{
    if (doc_is(expected, DOC_BOOL))
        return doc_as_bool(expected, false) == (answer_err != NULL) ? MATCH : MATCH_NOT;
    return answer_err && strcmp(answer_err->code, doc_as_text(expected, "")) == 0 ? MATCH : MATCH_NOT;
}

static enum match acceptor_match(const struct aws_acceptor *acceptor, const struct doc *result, int status,
                                 const struct err *answer_err, struct err *err)
{
    struct doc *expected = json_parse(view_of(acceptor->expected), err);
    enum match match = MATCH_NOT;

    if (!expected)
        return MATCH_FAILED;
    if (strcmp(acceptor->matcher, "status") == 0)
        match = doc_as_int(expected, -1) == status ? MATCH : MATCH_NOT;
    else if (strcmp(acceptor->matcher, "error") == 0)
        match = error_match(expected, answer_err);
    else if (!answer_err)
        match = path_match(acceptor, expected, result, err);
    doc_unref(expected);
    return match;
}

static void why_add(struct buf *why, const struct aws_acceptor *acceptor)
{
    if (strcmp(acceptor->matcher, "path") == 0)
        buf_addf(why, "%s is %s", acceptor->argument, acceptor->expected);
    else if (strcmp(acceptor->matcher, "pathAll") == 0)
        buf_addf(why, "all of %s are %s", acceptor->argument, acceptor->expected);
    else if (strcmp(acceptor->matcher, "pathAny") == 0)
        buf_addf(why, "one of %s is %s", acceptor->argument, acceptor->expected);
    else if (strcmp(acceptor->matcher, "status") == 0)
        buf_addf(why, "the answer's status is %s", acceptor->expected);
    else if (acceptor->expected[0] == '"')
        buf_addf(why, "the service says %s", acceptor->expected);
    else
        buf_add_text(why, strcmp(acceptor->expected, "true") == 0 ? "the service says an error" : "the call succeeded");
}

static enum aws_wait_state state_of(const char *name)
{
    if (strcmp(name, "success") == 0)
        return AWS_WAIT_SUCCESS;
    return strcmp(name, "failure") == 0 ? AWS_WAIT_FAILURE : AWS_WAIT_RETRY;
}

enum aws_wait_state aws_waiter_judge(struct aws_service service, const struct aws_waiter *waiter,
                                     const struct doc *result, int status, const struct err *answer_err,
                                     struct buf *why)
{
    bool answered = !answer_err || answer_err->code[0] || answer_err->status;

    for (size_t i = 0; answered && i < waiter->acceptors_len; i++) {
        struct aws_acceptor acceptor = aws_waiter_acceptor(service, waiter, i);
        struct err err = ERR_INIT;

        switch (acceptor_match(&acceptor, result, status, answer_err, &err)) {
        case MATCH:
            why_add(why, &acceptor);
            return state_of(acceptor.state);
        case MATCH_FAILED:
            buf_addf(why, "%s: %s", acceptor.argument, err.message);
            return AWS_WAIT_FAILURE;
        case MATCH_NOT:
            break;
        }
    }
    if (!answer_err)
        return AWS_WAIT_RETRY;
    buf_add_text(why, answer_err->message);
    return AWS_WAIT_FAILURE;
}
