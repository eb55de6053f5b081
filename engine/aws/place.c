/* Where in a document a walk is, for the errors that it meets. */
#include "aws/protocol_inside.h"

#include <stdio.h>
#include <string.h>

/* Keys of maps may be anything: what is no plain word stands in quotes. */
static void name_add(struct buf *out, const char *name, bool first)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

    if (!*name || name[strspn(name, plain)])
        buf_addf(out, "[\"%.100s\"]", name);
    else
        buf_addf(out, first ? "%.100s" : ".%.100s", name);
}

void aws_place_add(struct buf *out, const struct aws_place *place)
{
    if (!place)
        return;
    aws_place_add(out, place->outer);
    if (place->name)
        name_add(out, place->name, !out->len);
    else
        buf_addf(out, "[%zu]", place->index);
}

struct doc *aws_place_bad(const struct aws_place *place, struct err *err, const char *format, ...)
{
    struct buf path, what;
    va_list args;

    buf_init(&path, sizeof(err->message));
    buf_init(&what, sizeof(err->message));
    va_start(args, format);
    buf_vaddf(&what, format, args);
    va_end(args);
    aws_place_add(&path, place);
    err_set(err, ERR_SERVER, "the answer is not what the service's model says: %s%s%s", buf_text(&path),
            path.len ? ": " : "", buf_text(&what));
    err_explain(err, "A102");
    buf_free(&path);
    buf_free(&what);
    return NULL;
}

const char *aws_article(const char *word)
{
    return strchr("aeiou", word[0]) ? "an" : "a";
}
