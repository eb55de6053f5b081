/* What came instead of an answer, in a few words for people. */
#include "aws/protocol_inside.h"

#include <string.h>
#include <strings.h>

const char *aws_answer_header(const struct aws_answer *answer, const char *name)
{
    for (size_t i = 0; i < answer->headers_len; i++)
        if (strcasecmp(answer->headers[i].name, name) == 0)
            return answer->headers[i].value;
    return NULL;
}

static struct view without_blanks(struct view text)
{
    while (text.len && text.ptr[0] && strchr(" \t\r\n", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    return text;
}

static bool is_html(struct view body)
{
    return (body.len > 5 && strncasecmp(body.ptr, "<html", 5) == 0) ||
           (body.len > 14 && strncasecmp(body.ptr, "<!doctype html", 14) == 0);
}

/* Tags and blanks become one blank, control bytes go: for people, on one line. */
void aws_excerpt_add(struct buf *out, struct view body)
{
    enum { SHOWN_MAX = 160, LOOKED_AT_MAX = 4096 };
    struct view rest = without_blanks(body);
    bool html = is_html(rest), tag = false, blank = false;
    size_t len = rest.len < LOOKED_AT_MAX ? rest.len : LOOKED_AT_MAX, at = 0, shown = 0;

    if (!rest.len) {
        buf_add_text(out, "an empty body");
        return;
    }
    buf_add_text(out, html ? "an HTML page, \"" : "\"");
    for (; at < len && shown < SHOWN_MAX; at++) {
        unsigned char c = (unsigned char)rest.ptr[at];

        tag = html && (c == '<' || (tag && c != '>'));
        if (tag || c <= ' ' || c == 0x7f || (html && c == '>')) {
            blank = shown > 0;
            continue;
        }
        if (blank)
            buf_add_char(out, ' ');
        blank = false;
        shown++;
        buf_add_char(out, c < 0x80 ? (char)c : '?');
    }
    buf_add_text(out, at < rest.len ? "...\"" : "\"");
}

void aws_excerpt_result_add(struct buf *out, struct view body)
{
    struct view rest = without_blanks(body);

    if (!rest.len || is_html(rest))
        aws_excerpt_add(out, body);
    else
        buf_addf(out, "a body of %zu bytes", body.len);
}
