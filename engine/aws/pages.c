/* From one page to the next: the answer's tokens become parameters. */
#include "aws/aws.h"

#include "aws/jmespath.h"

#include <stdlib.h>
#include <string.h>

/* A new reference; NULL with err. */
static struct doc *search(struct view expression, const struct doc *result, struct err *err)
{
    struct jmespath *path = jmespath_parse(expression, err);
    struct doc *found = path ? jmespath_search(path, result, err) : NULL;

    jmespath_free(path);
    return found;
}

/* Empty texts, {} and 0 are no tokens, no more than null is. */
static bool is_something(const struct doc *value)
{
    switch (doc_type(value)) {
    case DOC_NULL:
        return false;
    case DOC_BOOL:
        return doc_as_bool(value, false);
    case DOC_STRING:
        return doc_as_view(value).len > 0;
    case DOC_INT:
        return doc_as_int(value, 0) != 0;
    case DOC_ARRAY:
    case DOC_OBJECT:
        return doc_size(value) > 0;
    case DOC_REAL:
        break;
    }
    return true;
}

/* The next line of several expressions; false after the last. */
static bool line_take(const char **rest, struct view *line)
{
    size_t len = strcspn(*rest, "\n");

    if (!**rest)
        return false;
    *line = (struct view){*rest, len};
    *rest += len + ((*rest)[len] == '\n');
    return true;
}

/* {parameter: token} of this answer, without those that are nothing. NULL with err. */
static struct doc *tokens_find(const struct aws_paginator *paginator, const struct doc *result, struct err *err)
{
    const char *names = paginator->input_token, *expressions = paginator->output_token;
    struct doc *tokens = doc_object(), *token;
    struct view name, expression;

    while (line_take(&names, &name) && line_take(&expressions, &expression)) {
        char *key = mem_view(name);

        token = search(expression, result, err);
        if (is_something(token))
            doc_set(tokens, key, doc_ref(token));
        free(key);
        doc_unref(token);
        if (!token) {
            doc_unref(tokens);
            return NULL;
        }
    }
    return tokens;
}

/* Puts in those that are there, takes out the others. False: nothing changed, the service would answer the same again.
 */
static bool tokens_put(const struct aws_paginator *paginator, struct doc *params, const struct doc *tokens)
{
    const char *names = paginator->input_token;
    struct view name;
    bool changed = false;

    while (line_take(&names, &name)) {
        char *key = mem_view(name);
        struct doc *token = doc_get(tokens, key);

        changed = changed || !doc_equal(doc_get(params, key), token);
        doc_set(params, key, doc_ref(token));
        free(key);
    }
    return changed;
}

bool aws_pages_next(struct aws_operation operation, struct doc *params, const struct doc *result, struct err *err)
{
    struct aws_paginator paginator;
    struct doc *more, *tokens;
    bool next;

    if (!aws_operation_paginator(operation, &paginator))
        return false;
    if (paginator.more_results[0]) {
        more = search(view_of(paginator.more_results), result, err);
        next = is_something(more);
        doc_unref(more);
        if (!next)
            return false;
    }
    tokens = tokens_find(&paginator, result, err);
    next = doc_size(tokens) > 0;
    if (next && !tokens_put(&paginator, params, tokens)) {
        err_set(err, ERR_SERVER, "%s gave the same page token twice", aws_operation_name(operation));
        next = false;
    }
    doc_unref(tokens);
    return next;
}
