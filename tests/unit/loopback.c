#include "loopback.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 64, REQUEST_MAX = 1 << 20 };

struct loopback_conn {
    struct loopback *server;
    int fd;
    SSL *ssl;
    pthread_t thread;
};

struct loopback {
    struct loopback_options options;
    SSL_CTX *tls;
    int fd, port;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    int stop[2]; /* a pipe: closed to stop */
    struct loopback_conn conns[CONNECTIONS_MAX];
    int connections, turned_away, requests;
    char *last;
};

/* ---- certificates ---- */

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

static struct identity authority;

static void extension_add(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static struct identity identity_new(const char *name, const char *names, const char *usage, bool expired, bool own)
{
    static long serial = 1;
    struct identity made = {X509_new(), EVP_EC_gen("P-256")};
    X509_NAME *subject = X509_get_subject_name(made.cert);
    bool is_authority = !names;
    struct identity issuer = own || is_authority ? made : authority;

    X509_set_version(made.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(made.cert), -7200);
    X509_gmtime_adj(X509_getm_notAfter(made.cert), expired ? -3600 : 86400);
    X509_set_pubkey(made.cert, made.key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made.cert, X509_get_subject_name(issuer.cert));
    extension_add(made.cert, issuer.cert, NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    extension_add(made.cert, issuer.cert, NID_subject_key_identifier, "hash");
    if (names)
        extension_add(made.cert, issuer.cert, NID_subject_alt_name, names);
    if (usage)
        extension_add(made.cert, issuer.cert, NID_ext_key_usage, usage);
    X509_sign(made.cert, issuer.key, EVP_sha256());
    return made;
}

static void authority_make(void)
{
    if (!authority.cert)
        authority = identity_new("dosrun test authority", NULL, NULL, false, true);
}

static struct identity identity_for(enum loopback_cert cert)
{
    const char *names = cert == CERT_WRONG_HOST ? "DNS:dosrun.test" : "DNS:localhost,IP:127.0.0.1";

    authority_make();
    return identity_new("loopback", names, cert == CERT_WRONG_USAGE ? "clientAuth" : "serverAuth", cert == CERT_EXPIRED,
                        cert == CERT_SELF_SIGNED);
}

static char *pem_of(struct identity identity, bool key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes;

    if (key)
        PEM_write_bio_PrivateKey(bio, identity.key, NULL, NULL, 0, NULL, NULL);
    else
        PEM_write_bio_X509(bio, identity.cert);
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = mem_view((struct view){bytes, (size_t)len});
    BIO_free(bio);
    return text;
}

const char *loopback_ca(void)
{
    static char *pem;

    authority_make();
    if (!pem)
        pem = pem_of(authority, false);
    return pem;
}

static struct identity client_identity(void)
{
    static struct identity client;

    authority_make();
    if (!client.cert)
        client = identity_new("client", "DNS:client", "clientAuth", false, false);
    return client;
}

const char *loopback_client_cert(void)
{
    static char *pem;

    if (!pem)
        pem = pem_of(client_identity(), false);
    return pem;
}

const char *loopback_client_key(void)
{
    static char *pem;

    if (!pem)
        pem = pem_of(client_identity(), true);
    return pem;
}

static int choose_http2(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                        unsigned in_len, void *ctx)
{
    (void)ssl;
    (void)ctx;
    for (unsigned at = 0; at + 2 < in_len; at += in[at] + 1U) {
        if (in[at] == 2 && memcmp(in + at + 1, "h2", 2) == 0) {
            *out = in + at + 1;
            *out_len = 2;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *tls_new(const struct loopback_options *options)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    struct identity identity = identity_for(options->cert);

    SSL_CTX_use_certificate(tls, identity.cert);
    SSL_CTX_use_PrivateKey(tls, identity.key);
    X509_free(identity.cert);
    EVP_PKEY_free(identity.key);
    if (options->client_cert) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(tls), authority.cert);
        SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    if (options->http2)
        SSL_CTX_set_alpn_select_cb(tls, choose_http2, NULL);
    return tls;
}

/* ---- bytes ---- */

/* Until the client or the stop closes it: 0. */
static int conn_read(struct loopback_conn *conn, char *bytes, size_t len)
{
    for (;;) {
        struct pollfd fds[2] = {{conn->fd, POLLIN, 0}, {conn->server->stop[0], POLLIN, 0}};

        if (!conn->ssl || !SSL_pending(conn->ssl)) {
            if (poll(fds, 2, -1) < 0 && errno == EINTR)
                continue;
            if (fds[1].revents)
                return 0;
        }
        ssize_t got = conn->ssl ? SSL_read(conn->ssl, bytes, (int)len) : recv(conn->fd, bytes, len, 0);
        return got < 0 ? 0 : (int)got;
    }
}

void loopback_write(struct loopback_conn *conn, const char *text, size_t len)
{
    while (len) {
        ssize_t done = conn->ssl ? SSL_write(conn->ssl, text, (int)len) : send(conn->fd, text, len, MSG_NOSIGNAL);

        if (done <= 0)
            return;
        text += done;
        len -= (size_t)done;
    }
}

void loopback_answer(struct loopback_conn *conn, int status, const char *headers, const char *body)
{
    char *text = mem_printf("HTTP/1.1 %d Status\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers ? headers : "",
                            strlen(body), body);

    loopback_write(conn, text, strlen(text));
    free(text);
}

void loopback_reset(struct loopback_conn *conn)
{
    struct linger linger = {1, 0};

    setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void loopback_wait_close(struct loopback_conn *conn)
{
    char bytes[512];

    while (conn_read(conn, bytes, sizeof(bytes)) > 0)
        ;
}

/* ---- HTTP/1.1 ---- */

/* Head and body as text into request; false when the client closed. */
static bool request_read(struct loopback_conn *conn, struct buf *request)
{
    size_t wanted = 0;

    buf_reset(request);
    for (;;) {
        char bytes[16384];
        const char *end = request->len ? strstr(request->ptr, "\r\n\r\n") : NULL;

        if (end && !wanted) {
            const char *length = strcasestr(request->ptr, "\r\nContent-Length:");

            wanted = (size_t)(end + 4 - request->ptr);
            if (length && length < end)
                wanted += strtoul(length + strlen("\r\nContent-Length:"), NULL, 10);
        }
        if (wanted && request->len >= wanted)
            return true;
        int len = conn_read(conn, bytes, sizeof(bytes));
        if (len <= 0)
            return false;
        buf_add(request, bytes, (size_t)len);
    }
}

static void serve_http1(struct loopback_conn *conn)
{
    struct loopback *server = conn->server;
    struct buf request;
    bool goes_on = true;

    buf_init(&request, REQUEST_MAX);
    while (goes_on && request_read(conn, &request)) {
        pthread_mutex_lock(&server->lock);
        int count = ++server->requests;
        free(server->last);
        server->last = mem_text(buf_text(&request));
        pthread_mutex_unlock(&server->lock);
        goes_on = server->options.serve(server->options.ctx, conn, buf_text(&request), count);
    }
    buf_free(&request);
}

/* ---- HTTP/2 (RFC 9113): requests are counted, not read; each is answered 200 with an empty body ---- */

static bool read_exactly(struct loopback_conn *conn, unsigned char *bytes, size_t len)
{
    while (len) {
        int got = conn_read(conn, (char *)bytes, len);

        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static void frame_write(struct loopback_conn *conn, int type, int flags, unsigned stream, const void *payload,
                        size_t len)
{
    unsigned char head[9] = {0,
                             (unsigned char)(len >> 8),
                             (unsigned char)len,
                             (unsigned char)type,
                             (unsigned char)flags,
                             (unsigned char)(stream >> 24),
                             (unsigned char)(stream >> 16),
                             (unsigned char)(stream >> 8),
                             (unsigned char)stream};

    loopback_write(conn, (const char *)head, sizeof(head));
    loopback_write(conn, payload, len);
}

static void serve_http2(struct loopback_conn *conn)
{
    enum { HEADERS = 1, SETTINGS = 4, PING = 6, ACK = 1, END_STREAM = 1, END_HEADERS = 4 };
    static const unsigned char settings[] = {0, 3, 0, 0, 0, 100}; /* concurrent streams */
    static const unsigned char status_200 = 0x88;                 /* HPACK's indexed ":status: 200" */
    unsigned char head[24], payload[16384];
    unsigned open[1024];
    int held = 0, wanted = conn->server->options.http2;

    if (!read_exactly(conn, head, 24)) /* the client's preface */
        return;
    frame_write(conn, SETTINGS, 0, 0, settings, sizeof(settings));
    while (read_exactly(conn, head, 9)) {
        size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
        unsigned stream = (unsigned)head[5] << 24 | (unsigned)head[6] << 16 | (unsigned)head[7] << 8 | head[8];

        if (len > sizeof(payload) || !read_exactly(conn, payload, len))
            return;
        if (head[3] == SETTINGS && !(head[4] & ACK))
            frame_write(conn, SETTINGS, ACK, 0, "", 0);
        if (head[3] == PING && !(head[4] & ACK))
            frame_write(conn, PING, ACK, 0, payload, len);
        if (head[3] != HEADERS || held == 1024)
            continue;
        open[held++] = stream;
        pthread_mutex_lock(&conn->server->lock);
        conn->server->requests++;
        pthread_mutex_unlock(&conn->server->lock);
        if (held < wanted)
            continue;
        for (int i = 0; i < held; i++)
            frame_write(conn, HEADERS, END_STREAM | END_HEADERS, open[i], &status_200, 1);
        held = 0;
        wanted = 1;
    }
}

/* ---- connections ---- */

/* Closing with the client's bytes unread would be a reset, which overtakes the alert that says why. */
static void refuse_gently(struct loopback_conn *conn)
{
    SSL_free(conn->ssl);
    conn->ssl = NULL;
    shutdown(conn->fd, SHUT_WR);
    loopback_wait_close(conn);
}

static void *conn_run(void *ctx)
{
    struct loopback_conn *conn = ctx;
    struct loopback *server = conn->server;
    const unsigned char *protocol = NULL;
    unsigned protocol_len = 0;

    if (server->tls) {
        conn->ssl = SSL_new(server->tls);
        SSL_set_fd(conn->ssl, conn->fd);
        if (SSL_accept(conn->ssl) != 1) {
            refuse_gently(conn);
            goto out;
        }
        SSL_get0_alpn_selected(conn->ssl, &protocol, &protocol_len);
    }
    if (server->options.http2 && protocol_len == 2)
        serve_http2(conn);
    else
        serve_http1(conn);
out:
    if (conn->ssl)
        SSL_free(conn->ssl);
    close(conn->fd);
    return NULL;
}

static void *accept_run(void *ctx)
{
    struct loopback *server = ctx;

    for (;;) {
        struct pollfd fds[2] = {{server->fd, POLLIN, 0}, {server->stop[0], POLLIN, 0}};

        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            return NULL;
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        pthread_mutex_lock(&server->lock);
        if (server->connections == CONNECTIONS_MAX) {
            server->turned_away++;
            pthread_mutex_unlock(&server->lock);
            close(fd);
            continue;
        }
        struct loopback_conn *conn = &server->conns[server->connections++];
        conn->server = server;
        conn->fd = fd;
        pthread_create(&conn->thread, NULL, conn_run, conn);
        pthread_mutex_unlock(&server->lock);
    }
}

static int port_bind(int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int failed = bind(fd, (struct sockaddr *)&address, len);

    assert(!failed);
    getsockname(fd, (struct sockaddr *)&address, &len);
    return ntohs(address.sin_port) + failed;
}

struct loopback *loopback_start(const struct loopback_options *options)
{
    struct loopback *server = mem_alloc(sizeof(*server));

    server->options = *options;
    if (options->cert != CERT_PLAIN)
        server->tls = tls_new(options);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    server->port = port_bind(server->fd);
    listen(server->fd, 128);
    snprintf(server->url, sizeof(server->url), "%s://127.0.0.1:%d", server->tls ? "https" : "http", server->port);
    pthread_mutex_init(&server->lock, NULL);
    int failed = pipe2(server->stop, O_CLOEXEC);
    assert(!failed);
    (void)failed;
    pthread_create(&server->thread, NULL, accept_run, server);
    return server;
}

void loopback_stop(struct loopback *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    for (int i = 0; i < server->connections; i++)
        pthread_join(server->conns[i].thread, NULL);
    close(server->stop[0]);
    close(server->fd);
    SSL_CTX_free(server->tls);
    pthread_mutex_destroy(&server->lock);
    free(server->last);
    free(server);
}

const char *loopback_url(const struct loopback *server)
{
    return server->url;
}

int loopback_port(const struct loopback *server)
{
    return server->port;
}

static int counter_read(struct loopback *server, const int *counter)
{
    pthread_mutex_lock(&server->lock);
    int value = *counter;
    pthread_mutex_unlock(&server->lock);
    return value;
}

int loopback_requests(struct loopback *server)
{
    return counter_read(server, &server->requests);
}

int loopback_connections(struct loopback *server)
{
    return counter_read(server, &server->connections) + counter_read(server, &server->turned_away);
}

const char *loopback_last(struct loopback *server)
{
    pthread_mutex_lock(&server->lock);
    const char *last = server->last;
    pthread_mutex_unlock(&server->lock);
    return last ? last : "";
}

int loopback_dead_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int port = port_bind(fd);

    close(fd);
    return port;
}
