/* Where in a document a walk is, for the errors that it meets. */
#include "aws/protocol_inside.h"
#include "codec/utf8.h"

#include <stdio.h>
#include <string.h>

const char *aws_shown(const char *text, char out[AWS_SHOWN_MAX])
{
    struct view rest = view_of(text);
    size_t len = 0, taken;
    uint32_t c;

    for (; rest.len; rest.ptr += taken, rest.len -= taken) {
        taken = utf8_next(rest, &c);
        if (len + taken + 1 > AWS_SHOWN_MAX - 3) {
            memcpy(out + len, "...", 3);
            len += 3;
            break;
        }
        if (taken && c > ' ' && c != 0x7f)
            memcpy(out + len, rest.ptr, taken);
        else
            out[len] = taken && c == ' ' ? ' ' : '?';
        len += taken ? taken : 1;
        taken = taken ? taken : 1;
    }
    out[len] = '\0';
    return out;
}

/* Keys of maps may be anything: what is no plain word stands in quotes. */
static void name_add(struct buf *out, const char *name, bool first)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    char shown[AWS_SHOWN_MAX];

    if (!*name || name[strspn(name, plain)])
        buf_addf(out, "[\"%s\"]", aws_shown(name, shown));
    else
        buf_addf(out, first ? "%s" : ".%s", aws_shown(name, shown));
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
