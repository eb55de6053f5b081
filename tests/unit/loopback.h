#pragma once
/*
 * A server on loopback for the tests of world and http: plain or TLS, HTTP/1.1 by a script of the
 * test, or HTTP/2 that holds every answer until so many requests are open on one connection.
 * It runs in threads of the test program; certificates are made on the spot.
 */
#include <stdbool.h>
#include <stddef.h>

enum loopback_cert {
    CERT_PLAIN, /* no TLS */
    CERT_GOOD,  /* for localhost and 127.0.0.1, by loopback_ca */
    CERT_EXPIRED,
    CERT_WRONG_HOST, /* for dosrun.test only */
    CERT_SELF_SIGNED,
    CERT_WRONG_USAGE, /* for clients */
};

struct loopback;
struct loopback_conn;

/* Answers one request; count is its number on this server, from 1. false closes the connection. */
typedef bool loopback_fn(void *ctx, struct loopback_conn *conn, const char *request, int count);

struct loopback_options {
    enum loopback_cert cert;
    bool client_cert; /* asks for a client certificate by loopback_ca */
    int http2;        /* answers HTTP/2 requests once so many are open; 0: HTTP/1.1 */
    loopback_fn *serve;
    void *ctx;
};

struct loopback *loopback_start(const struct loopback_options *options);
void loopback_stop(struct loopback *server);
/* "http://127.0.0.1:PORT" or "https://..."; valid until the stop. */
const char *loopback_url(const struct loopback *server);
int loopback_port(const struct loopback *server);
int loopback_requests(struct loopback *server);
int loopback_connections(struct loopback *server);
/* The head and body of the last request; valid until the next one. */
const char *loopback_last(struct loopback *server);

const char *loopback_ca(void);          /* PEM */
const char *loopback_client_cert(void); /* PEM, by loopback_ca */
const char *loopback_client_key(void);
/* A port where nobody listens. */
int loopback_dead_port(void);

/* For serve: */
void loopback_write(struct loopback_conn *conn, const char *text, size_t len);
/* Each of the headers ends in CRLF; NULL: none. */
void loopback_answer(struct loopback_conn *conn, int status, const char *headers, const char *body);
void loopback_reset(struct loopback_conn *conn); /* closes with RST; return false after it */
void loopback_wait_close(struct loopback_conn *conn); /* until the client or the stop closes the connection */
