/* A request taken apart for the servers: where to, which path, which query; with copies of all. */
#include "sandbox/core.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void sim_url_decode(struct buf *out, struct view text, bool plus)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        int low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;

        if (text.ptr[i] == '%' && high >= 0 && low >= 0) {
            buf_add_char(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_add_char(out, plus && text.ptr[i] == '+' ? ' ' : text.ptr[i]);
        }
    }
}

static struct doc *query_parse(struct view text)
{
    struct doc *query = doc_object();
    struct buf name, value;

    buf_init(&name, SIM_BODY_MAX);
    buf_init(&value, SIM_BODY_MAX);
    for (size_t at = 0; at < text.len;) {
        struct view pair = {text.ptr + at, text.len - at};
        const char *end = memchr(pair.ptr, '&', pair.len);
        const char *equals;

        if (end)
            pair.len = (size_t)(end - pair.ptr);
        at += pair.len + 1;
        if (pair.len == 0)
            continue;
        equals = memchr(pair.ptr, '=', pair.len);
        buf_reset(&name);
        buf_reset(&value);
        sim_url_decode(&name, (struct view){pair.ptr, equals ? (size_t)(equals - pair.ptr) : pair.len}, true);
        if (equals)
            sim_url_decode(&value, (struct view){equals + 1, (size_t)(pair.ptr + pair.len - equals) - 1}, true);
        doc_set(query, buf_text(&name), doc_string(buf_view(&value)));
    }
    buf_free(&name);
    buf_free(&value);
    return query;
}

static int bad_url(const char *url, const char *why, struct err *err)
{
    return err_set(err, ERR_USAGE, "the URL %s %s", url, why);
}

/* scheme://host[:port], in the message's own copy of the URL. Returns where the path begins. */
static const char *origin_parse(struct sim_message *message, struct err *err)
{
    struct sim_request *request = &message->request;
    const char *url = message->url, *mark = strstr(url, "://"), *host, *end, *colon = NULL;

    if (!mark || (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0)) {
        bad_url(url, "is neither http nor https", err);
        return NULL;
    }
    request->scheme = (struct view){url, (size_t)(mark - url)};
    request->port = request->scheme.len == 5 ? 443 : 80;
    host = mark + 3;
    end = host + strcspn(host, "/?#");
    if (memchr(host, '@', (size_t)(end - host))) {
        bad_url(url, "holds user information", err);
        return NULL;
    }
    for (const char *c = host; c < end; c++) {
        if (*c == ']')
            colon = NULL;
        else if (*c == ':')
            colon = c;
    }
    if (colon) {
        char *after;
        long port = strtol(colon + 1, &after, 10);

        if (after != end || port < 1 || port > 65535) {
            bad_url(url, "has no good port", err);
            return NULL;
        }
        request->port = (int)port;
    }
    request->host = (struct view){host, (size_t)((colon ? colon : end) - host)};
    if (request->host.len >= 2 && host[0] == '[') {
        request->host.ptr++;
        request->host.len -= 2;
    }
    if (request->host.len == 0) {
        bad_url(url, "has no host", err);
        return NULL;
    }
    return end;
}

static int url_take(struct sim_message *message, struct err *err)
{
    const char *path, *query;
    struct buf decoded;

    for (const char *c = message->url; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return bad_url(message->url, "holds a blank or a control character", err);
    path = origin_parse(message, err);
    if (!path)
        return -1;
    message->request.target = (struct view){path, strcspn(path, "#")};
    query = path + strcspn(path, "?#");
    buf_init(&decoded, SIM_BODY_MAX);
    sim_url_decode(&decoded, path == query ? VIEW_LITERAL("/") : (struct view){path, (size_t)(query - path)}, false);
    message->path = buf_take(&decoded);
    message->request.path = message->path;
    if (*query == '?')
        query++;
    message->request.query = query_parse((struct view){query, strcspn(query, "#")});
    return 0;
}

struct header *sim_headers_copy(const struct header *headers, size_t len)
{
    struct header *copy = mem_array(len ? len : 1, sizeof(*copy));

    for (size_t i = 0; i < len; i++)
        copy[i] = (struct header){mem_text(headers[i].name), mem_text(headers[i].value)};
    return copy;
}

void sim_headers_free(struct header *headers, size_t len)
{
    for (size_t i = 0; headers && i < len; i++) {
        free((char *)(uintptr_t)headers[i].name);
        free((char *)(uintptr_t)headers[i].value);
    }
    free(headers);
}

int sim_message_init(struct sim_message *message, const char *method, const char *url, const struct header *headers,
                     size_t headers_len, struct view body, struct err *err)
{
    *message = (struct sim_message){0};
    buf_init(&message->body, SIZE_MAX / 2);
    buf_add_view(&message->body, body);
    message->method = mem_text(method);
    message->url = mem_text(url);
    message->headers = sim_headers_copy(headers, headers_len);
    message->request.method = message->method;
    message->request.headers = message->headers;
    message->request.headers_len = headers_len;
    message->request.body = buf_view(&message->body);
    for (size_t i = 0; i < headers_len; i++)
        if (headers[i].name[0] == '\0' || strpbrk(headers[i].name, "\r\n:") || strpbrk(headers[i].value, "\r\n"))
            return err_set(err, ERR_USAGE, "the header %s cannot be sent: it holds a line break or has no name",
                           headers[i].name);
    return url_take(message, err);
}

void sim_message_clear(struct sim_message *message)
{
    sim_headers_free(message->headers, message->request.headers_len);
    doc_unref(message->request.query);
    buf_free(&message->body);
    free(message->method);
    free(message->url);
    free(message->path);
    *message = (struct sim_message){0};
}

const char *sim_header(const struct sim_request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_len; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return NULL;
}
