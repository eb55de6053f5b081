/* A request as curl's options: what is sent, whom we trust, and what curl must never do by itself. */
#include "world/real_net.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_TIMEOUT_MS = 10000, KEEPALIVE_IDLE_S = 30, KEEPALIVE_INTERVAL_S = 15 };

/* The first option that curl refuses is kept; the rest is skipped. */
#define OPTION(name, value)                                                                    \
    do {                                                                                       \
        if (!*refused && curl->easy_setopt(exchange->easy, CURLOPT_##name, value) != CURLE_OK) \
            *refused = #name;                                                                  \
    } while (0)

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int header_check(const struct header *header, struct err *err)
{
    if (!*header->name)
        return err_set(err, ERR_USAGE, "a header without a name");
    for (const char *at = header->name; *at; at++)
        if (!is_token_char(*at))
            return err_set(err, ERR_USAGE, "a header's name holds a byte that no header may have");
    if (strpbrk(header->value, "\r\n"))
        return err_set(err, ERR_USAGE, "the value of header %s holds a line break", header->name);
    return 0;
}

static void header_line_add(struct real_exchange *exchange, const char *line)
{
    exchange->headers = exchange->real->net->curl->slist_append(exchange->headers, line);
}

static bool has_header(const struct exchange_request *request, const char *name)
{
    for (size_t i = 0; i < request->headers_len; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

/* curl adds some headers unasked; "Name:" keeps it from that, "Name;" sends an empty one. */
static int headers_set(struct real_exchange *exchange, const struct exchange_request *request, struct err *err)
{
    struct buf line;

    buf_init(&line, SIZE_MAX);
    for (size_t i = 0; i < request->headers_len; i++) {
        const struct header *header = &request->headers[i];

        if (header_check(header, err) != 0) {
            buf_free(&line);
            return -1;
        }
        buf_reset(&line);
        buf_add_text(&line, header->name);
        buf_add_text(&line, *header->value ? ": " : ";");
        buf_add_text(&line, header->value);
        header_line_add(exchange, buf_text(&line));
        secret_wipe(line.ptr, line.len);
    }
    buf_free(&line);
    header_line_add(exchange, "Expect:");
    if (!has_header(request, "Content-Type"))
        header_line_add(exchange, "Content-Type:");
    return 0;
}

/*
 * Connects to the URL's host but lets TLS name and verify another one: the URL that curl gets names
 * server_name, CURLOPT_CONNECT_TO leads back, and the Host header stays what it was.
 */
static int server_name_set(struct real_exchange *exchange, const struct exchange_request *request, CURLU *url)
{
    const struct real_curl *curl = exchange->real->net->curl;
    char *host = NULL, *port = NULL, *own_port = NULL, *text = NULL;
    int result = -1;

    if (curl->url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl->url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        goto out;
    curl->url_get(url, CURLUPART_PORT, &own_port, 0);
    char *line = mem_printf("::%s:%s", host, port);
    exchange->connect_to = curl->slist_append(NULL, line);
    free(line);
    if (!has_header(request, "Host")) {
        line = mem_printf("Host: %s%s%s", host, own_port ? ":" : "", own_port ? own_port : "");
        header_line_add(exchange, line);
        free(line);
    }
    if (curl->url_set(url, CURLUPART_HOST, request->tls->server_name, 0) != CURLUE_OK ||
        curl->url_get(url, CURLUPART_URL, &text, 0) != CURLUE_OK)
        goto out;
    secret_wipe(exchange->url, strlen(exchange->url));
    free(exchange->url);
    exchange->url = mem_text(text);
    result = 0;
out:
    curl->free(host);
    curl->free(port);
    curl->free(own_port);
    curl->free(text);
    return result;
}

static int url_set(struct real_exchange *exchange, const struct exchange_request *request, struct err *err)
{
    const struct real_curl *curl = exchange->real->net->curl;
    CURLU *url = curl->url();
    char *host = NULL, *port = NULL;
    int result = 0;

    exchange->url = mem_text(request->url);
    if (!url || curl->url_set(url, CURLUPART_URL, request->url, CURLU_PATH_AS_IS | CURLU_DISALLOW_USER) != CURLUE_OK ||
        curl->url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        curl->url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
        result = err_set(err, ERR_USAGE, "this is no URL to send a request to");
    else
        exchange->host = mem_printf("%s:%s", host, port);
    if (result == 0 && request->tls && request->tls->server_name && server_name_set(exchange, request, url) != 0)
        result = err_set(err, ERR_USAGE, "\"%s\" is no name for a TLS server", request->tls->server_name);
    curl->free(host);
    curl->free(port);
    curl->url_cleanup(url);
    return result;
}

static struct curl_blob blob_of(const char *pem)
{
    /* curl copies it: the caller's trust may end before the connection does. */
    return (struct curl_blob){.data = (void *)(uintptr_t)pem, .len = strlen(pem), .flags = CURL_BLOB_COPY};
}

static void tls_set(struct real_exchange *exchange, const struct tls *tls, const char **refused)
{
    const struct real_curl *curl = exchange->real->net->curl;

    OPTION(SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    OPTION(SSL_VERIFYPEER, tls && tls->insecure ? 0L : 1L);
    OPTION(SSL_VERIFYHOST, tls && tls->insecure ? 0L : 2L);
    if (!tls)
        return;
    if (tls->ca_pem || tls->ca_file) {
        OPTION(CAPATH, NULL); /* else the system's folder would be believed as well */
        OPTION(CAINFO, tls->ca_pem ? NULL : tls->ca_file);
    }
    if (tls->ca_pem) {
        struct curl_blob blob = blob_of(tls->ca_pem);
        OPTION(CAINFO_BLOB, &blob);
    }
    if (tls->cert_pem) {
        struct curl_blob blob = blob_of(tls->cert_pem);
        OPTION(SSLCERT_BLOB, &blob);
        OPTION(SSLCERTTYPE, "PEM");
    }
    if (tls->key_pem) {
        struct curl_blob blob = blob_of(tls->key_pem);
        OPTION(SSLKEY_BLOB, &blob);
        OPTION(SSLKEYTYPE, "PEM");
    }
}

/* Nothing from the environment or a home folder, no redirect, no cookie, no other protocol. */
static void limits_set(struct real_exchange *exchange, const struct exchange_request *request, const char **refused)
{
    const struct real_curl *curl = exchange->real->net->curl;

    OPTION(PROTOCOLS_STR, "http,https");
    OPTION(FOLLOWLOCATION, 0L);
    OPTION(NETRC, (long)CURL_NETRC_IGNORED);
    OPTION(PROXY, request->proxy ? request->proxy : "");
    OPTION(NOPROXY, "");
    OPTION(PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    OPTION(SUPPRESS_CONNECT_HEADERS, 1L);
    OPTION(PATH_AS_IS, 1L);
    OPTION(NOSIGNAL, 1L);
    OPTION(QUICK_EXIT, 1L); /* a cancel does not wait for a resolver that hangs */
    OPTION(CONNECTTIMEOUT_MS,
           (long)(request->connect_timeout_ms > 0 ? request->connect_timeout_ms : CONNECT_TIMEOUT_MS));
    OPTION(TIMEOUT_MS, (long)request->timeout_ms);
    OPTION(TCP_KEEPALIVE, 1L);
    OPTION(TCP_KEEPIDLE, (long)KEEPALIVE_IDLE_S);
    OPTION(TCP_KEEPINTVL, (long)KEEPALIVE_INTERVAL_S);
}

static void method_set(struct real_exchange *exchange, const struct exchange_request *request, const char **refused)
{
    const struct real_curl *curl = exchange->real->net->curl;
    bool body_expected = strcmp(request->method, "POST") == 0 || strcmp(request->method, "PUT") == 0 ||
                         strcmp(request->method, "PATCH") == 0;

    if (request->source) {
        OPTION(UPLOAD, 1L);
        OPTION(INFILESIZE_LARGE, (curl_off_t)request->source->size);
    } else if (request->body.len || body_expected) {
        OPTION(POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body_len);
        OPTION(POSTFIELDS, exchange->body); /* ours until the exchange ends */
    } else if (strcmp(request->method, "HEAD") == 0) {
        OPTION(NOBODY, 1L);
    }
    OPTION(CUSTOMREQUEST, request->method);
    OPTION(HTTPHEADER, exchange->headers);
    /* A caller that wants the bytes as they were stored asks for an encoding itself. */
    if (!has_header(request, "Accept-Encoding"))
        OPTION(ACCEPT_ENCODING, "gzip");
}

static bool method_is_word(const char *method)
{
    for (const char *at = method; *at; at++)
        if (!is_token_char(*at))
            return false;
    return *method;
}

int real_exchange_set_up(struct real_exchange *exchange, const struct exchange_request *request, struct err *err)
{
    const struct real_curl *curl = exchange->real->net->curl;
    const char *option = NULL, **refused = &option;

    exchange->body_len = request->body.len;
    exchange->body = mem_view(request->body);
    if (!method_is_word(request->method))
        return err_set(err, ERR_USAGE, "the method is not a word");
    if (headers_set(exchange, request, err) != 0 || url_set(exchange, request, err) != 0)
        return -1;
    OPTION(URL, exchange->url);
    if (exchange->connect_to)
        OPTION(CONNECT_TO, exchange->connect_to);
    OPTION(PRIVATE, exchange);
    OPTION(ERRORBUFFER, exchange->text);
    limits_set(exchange, request, refused);
    tls_set(exchange, request->tls, refused);
    OPTION(HTTP_VERSION, request->http2 ? (long)CURL_HTTP_VERSION_2TLS : (long)CURL_HTTP_VERSION_1_1);
    OPTION(PIPEWAIT, request->http2 ? 1L : 0L); /* waits for the first connection, to share it */
    method_set(exchange, request, refused);
    if (option)
        return err_set(err, ERR_INTERNAL, "this machine's libcurl refuses the option %s", option);
    return 0;
}
