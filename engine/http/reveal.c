/* Secrets are put into a request here, for one attempt, and wiped as soon as it was handed over. */
#include "http/call.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void http_fields_add(struct http_fields *fields, const char *name, const char *value)
{
    if (fields->len == fields->cap) {
        fields->cap = fields->cap ? fields->cap * 2 : 8;
        fields->list = mem_grow(fields->list, fields->cap, sizeof(*fields->list));
    }
    fields->list[fields->len++] = (struct header){mem_text(name), mem_text(value)};
}

static void text_wipe(const char *text)
{
    char *own = (char *)(uintptr_t)text;

    secret_wipe(own, strlen(own));
    free(own);
}

void http_fields_clear(struct http_fields *fields)
{
    for (size_t i = 0; i < fields->len; i++) {
        text_wipe(fields->list[i].name);
        text_wipe(fields->list[i].value);
    }
    free(fields->list);
    *fields = (struct http_fields){0};
}

const char *http_fields_find(const struct header *list, size_t len, const char *name)
{
    for (size_t i = 0; i < len; i++)
        if (strcasecmp(list[i].name, name) == 0)
            return list[i].value;
    return NULL;
}

static void buf_wipe(struct buf *buf)
{
    if (buf->ptr)
        secret_wipe(buf->ptr, buf->len);
    buf_free(buf);
}

void http_call_wipe(struct http_call *call)
{
    buf_wipe(&call->plain_url);
    buf_wipe(&call->plain_body);
    http_fields_clear(&call->plain);
}

static int reveal(const struct http_call *call, struct view text, struct buf *out, struct err *err)
{
    if (!marks_find(text)) {
        buf_add_view(out, text);
        return 0;
    }
    if (!call->http->marks)
        return err_set(err, ERR_USAGE, "a marked value (a secret, or one not known yet) cannot be sent here");
    return marks_reveal(call->http->marks, text, out, err);
}

int http_call_reveal_header(struct http_call *call, const char *name, const char *value, struct err *err)
{
    struct buf plain;
    int result = -1;

    buf_init(&plain, HTTP_HEAD_MAX);
    if (reveal(call, view_of(value), &plain, err) != 0)
        err_context(err, "header %s", name);
    else if (plain.over)
        err_set(err, ERR_USAGE, "header %s is over 1 MiB", name);
    else if (memchr(buf_text(&plain), '\0', plain.len) || strpbrk(buf_text(&plain), "\r\n"))
        err_set(err, ERR_USAGE, "the value of header %s holds a line break", name);
    else
        result = 0;
    if (result == 0)
        http_fields_add(&call->plain, name, buf_text(&plain));
    buf_wipe(&plain);
    return result;
}

/* A page that anybody may read, asked for with nothing that nobody else should see. */
static bool carries_nothing(const struct http_call *call)
{
    const struct http_request *request = &call->request;
    bool secret = marks_find(view_of(request->url)) || marks_find(request->body);

    for (size_t i = 0; i < call->headers.len && !secret; i++)
        secret = marks_find(view_of(call->headers.list[i].value)) ||
                 strcasecmp(call->headers.list[i].name, "authorization") == 0 ||
                 strcasecmp(call->headers.list[i].name, "cookie") == 0;
    return !secret && !request->auth && request->class == HTTP_READS;
}

/* Judged with the secrets in place: one of them could name another host. */
static int origin_check(struct http_call *call, struct err *err)
{
    struct url url;

    if (url_parse(buf_view(&call->plain_url), &url, err) != 0)
        return -1;
    free(call->origin);
    call->origin = mem_printf("%.*s:%d", (int)url.host.len, url.host.ptr, url.port);
    if (url_scheme_is(&url, "https") || (url_scheme_is(&url, "http") && url_is_loopback(&url)))
        return 0;
    if (url_scheme_is(&url, "http") && call->request.plain && !url_is_link_local(&url) && carries_nothing(call))
        return 0;
    if (url_scheme_is(&url, "http") && call->request.metadata && !call->request.proxy && url_is_metadata(&url) &&
        call->request.class == HTTP_READS)
        return 0;
    return err_set(err, ERR_USAGE,
                   "only https is spoken, and http to this machine itself (localhost, 127.0.0.1, [::1])");
}

int http_call_reveal(struct http_call *call, struct err *err)
{
    http_call_wipe(call);
    if (reveal(call, view_of(call->request.url), &call->plain_url, err) != 0)
        return err_context(err, "the URL");
    if (call->plain_url.over)
        return err_set(err, ERR_USAGE, "the URL is too long");
    if (origin_check(call, err) != 0)
        return -1;
    for (size_t i = 0; i < call->headers.len; i++)
        if (http_call_reveal_header(call, call->headers.list[i].name, call->headers.list[i].value, err) != 0)
            return -1;
    if (!marks_find(call->request.body))
        return 0; /* sent from where it is */
    if (reveal(call, call->request.body, &call->plain_body, err) != 0)
        return err_context(err, "the body");
    return 0;
}
