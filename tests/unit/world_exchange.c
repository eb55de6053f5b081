/* The network door against real sockets: what curl does with each answer, refusal and break. */
#include "unit.h"
#include "loopback.h"

#include "world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct result {
    struct world *world;
    struct exchange *exchange, *other;
    int status, heads, ends;
    bool failed, cancel_at_head, cancel_at_body, start_at_end;
    struct err err;
    struct buf body;
    char location[64], kept[64];
    char *url;
};

static void on_head(void *ctx, const struct exchange_head *head)
{
    struct result *result = ctx;

    result->heads++;
    result->status = head->status;
    for (size_t i = 0; i < head->headers_len; i++) {
        if (strcmp(head->headers[i].name, "Location") == 0)
            snprintf(result->location, sizeof(result->location), "%s", head->headers[i].value);
        if (strcmp(head->headers[i].name, "X-Kept") == 0)
            snprintf(result->kept, sizeof(result->kept), "%s", head->headers[i].value);
    }
    if (result->cancel_at_head)
        exchange_cancel(result->exchange);
}

static void on_body(void *ctx, struct view bytes)
{
    struct result *result = ctx;

    buf_add_view(&result->body, bytes);
    if (result->cancel_at_body)
        exchange_cancel(result->exchange);
}

static void on_end(void *ctx, const struct err *err);
static const struct exchange_fns fns = {on_head, on_body, on_end};

static struct exchange *start(struct result *result, struct exchange_request request)
{
    request.attempt = world_attempt(result->world);
    request.logical = request.attempt;
    if (!request.method)
        request.method = "GET";
    return exchange_start(result->world, &request, &fns, result);
}

static void on_end(void *ctx, const struct err *err)
{
    struct result *result = ctx;

    result->ends++;
    result->failed = err != NULL;
    result->err = err ? *err : ERR_INIT;
    if (result->start_at_end) {
        result->start_at_end = false;
        start(result, (struct exchange_request){.url = result->url});
    }
}

static void result_init(struct result *result)
{
    *result = (struct result){.world = world_real_new()};
    buf_init(&result->body, 1 << 24);
}

static void result_free(struct result *result)
{
    world_free(result->world);
    buf_free(&result->body);
    free(result->url);
}

static void run(struct result *result, struct exchange_request request)
{
    int ends = result->ends;

    result->heads = 0;
    buf_reset(&result->body);
    result->exchange = start(result, request);
    if (result->ends != ends)
        unit_fail(__FILE__, __LINE__, "called back from inside the start");
    while (world_turn(result->world))
        ;
    CHECK_INT(result->ends, ends + 1);
}

static char *with_path(const struct loopback *server, const char *path)
{
    return mem_printf("%s%s", loopback_url(server), path);
}

/* ---- what is sent and what comes ---- */

static bool serve_paths(void *ctx, struct loopback_conn *conn, const char *request, int count)
{
    (void)ctx;
    (void)count;
    if (strstr(request, " /redirect "))
        loopback_answer(conn, 302, "Location: http://127.0.0.1:1/elsewhere\r\nX-Kept:  a value \r\n", "moved");
    else if (strstr(request, " /none "))
        loopback_write(conn, "HTTP/1.1 103 Early\r\nX-Kept: no\r\n\r\nHTTP/1.1 204 None\r\n\r\n", 56);
    else
        loopback_answer(conn, 200, NULL, "hello");
    return true;
}

TEST(exchange_sends_what_was_asked_and_no_more)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct header headers[] = {{"X-One", "1"}, {"X-Empty", ""}};
    struct result result;

    result_init(&result);
    char *url = with_path(server, "/a/../b?c=%2F");
    run(&result, (struct exchange_request){
                     .method = "PATCH", .url = url, .headers = headers, .headers_len = 2, .body = VIEW_LITERAL("{}")});
    CHECK(!result.failed);
    CHECK_INT(result.status, 200);
    CHECK_TEXT(buf_text(&result.body), "hello");
    const char *last = loopback_last(server);
    CHECK(view_starts(view_of(last), "PATCH /a/../b?c=%2F HTTP/1.1\r\n"));
    CHECK(strstr(last, "X-One: 1\r\n"));
    CHECK(strstr(last, "X-Empty:\r\n"));
    CHECK(strstr(last, "Content-Length: 2\r\n"));
    CHECK(!strstr(last, "Content-Type") && !strstr(last, "Expect") && !strstr(last, "User-Agent"));
    CHECK(strstr(last, "\r\n\r\n{}"));

    run(&result, (struct exchange_request){.method = "POST", .url = url});
    CHECK(strstr(loopback_last(server), "Content-Length: 0\r\n"));
    run(&result, (struct exchange_request){.method = "HEAD", .url = url});
    CHECK(!result.failed);
    run(&result, (struct exchange_request){.method = "DELETE", .url = url});
    CHECK(view_starts(view_of(loopback_last(server)), "DELETE "));
    CHECK(!strstr(loopback_last(server), "Content-Length"));
    CHECK_INT(loopback_connections(server), 1);
    free(url);
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_never_follows_and_passes_interim_heads)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct result result;

    result_init(&result);
    char *url = with_path(server, "/redirect");
    run(&result, (struct exchange_request){.url = url});
    CHECK(!result.failed);
    CHECK_INT(result.status, 302);
    CHECK_TEXT(result.location, "http://127.0.0.1:1/elsewhere");
    CHECK_TEXT(result.kept, "a value");
    CHECK_INT(loopback_requests(server), 1);
    free(url);
    url = with_path(server, "/none");
    result.kept[0] = '\0';
    run(&result, (struct exchange_request){.url = url});
    CHECK_INT(result.status, 204);
    CHECK_INT(result.heads, 1);
    CHECK_TEXT(result.kept, "");
    free(url);
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_environment_is_ignored)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct result result;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    result_init(&result);
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    CHECK_INT(result.status, 200);
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_through_a_proxy_that_was_asked_for)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct result result;

    setenv("no_proxy", "*", 1);
    result_init(&result);
    run(&result, (struct exchange_request){.url = "http://dosrun.invalid/x", .proxy = loopback_url(server)});
    CHECK_INT(result.status, 200);
    CHECK(view_starts(view_of(loopback_last(server)), "GET http://dosrun.invalid/x HTTP/1.1"));
    unsetenv("no_proxy");
    result_free(&result);
    loopback_stop(server);
}

/* ---- requests that cannot be sent ---- */

TEST(exchange_refuses_what_is_malformed)
{
    struct header split = {"X-A", "b\r\nX-Evil: 1"}, name = {"X A", "b"}, empty = {"", "b"};
    struct exchange_request bad[] = {
        {.url = "http://127.0.0.1:1/", .headers = &split, .headers_len = 1},
        {.url = "http://127.0.0.1:1/", .headers = &name, .headers_len = 1},
        {.url = "http://127.0.0.1:1/", .headers = &empty, .headers_len = 1},
        {.url = "http://127.0.0.1:1/", .method = "GET / HTTP/1.1\r\nX:"},
        {.url = "ftp://127.0.0.1/"},
        {.url = "file:///etc/hostname"},
        {.url = "http://user:password@127.0.0.1:1/"},
        {.url = "nonsense nonsense"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct result result;

        result_init(&result);
        run(&result, bad[i]);
        if (!result.failed || result.err.kind != ERR_USAGE || result.err.maybe_done ||
            strstr(result.err.message, "password"))
            unit_fail(__FILE__, __LINE__, "case %zu: %s %s", i, err_kind_name(result.err.kind), result.err.message);
        result_free(&result);
    }
}

TEST(exchange_connection_refused_is_surely_not_done)
{
    struct result result;

    result_init(&result);
    char *url = mem_printf("http://127.0.0.1:%d/", loopback_dead_port());
    run(&result, (struct exchange_request){.url = url, .changes = true});
    CHECK_INT(result.err.kind, ERR_NETWORK);
    CHECK(!result.err.maybe_done && result.err.retryable);
    CHECK(strstr(result.err.message, ": no connection: Connection refused"));
    run(&result, (struct exchange_request){.url = "http://no-such-host.invalid/", .changes = true});
    CHECK_INT(result.err.kind, ERR_NETWORK);
    CHECK(!result.err.maybe_done);
    CHECK_TEXT(result.err.message, "no-such-host.invalid:80: no connection: no address is known for this name");
    free(url);
    result_free(&result);
}

/* ---- TLS ---- */

TEST(exchange_tls_verifies_always)
{
    static const struct {
        enum loopback_cert cert;
        const char *server_name, *text; /* text NULL: accepted */
    } cases[] = {
        {CERT_GOOD, NULL, NULL},
        {CERT_WRONG_HOST, "dosrun.test", NULL},
        {CERT_EXPIRED, NULL, "expired"},
        {CERT_WRONG_HOST, NULL, "another"},
        {CERT_GOOD, "dosrun.test", "another host"},
        {CERT_SELF_SIGNED, NULL, "self-signed"},
        {CERT_WRONG_USAGE, NULL, "not meant for a server"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loopback *server =
            loopback_start(&(struct loopback_options){.cert = cases[i].cert, .serve = serve_paths});
        struct tls tls = {.ca_pem = loopback_ca(), .server_name = cases[i].server_name};
        struct result result;

        result_init(&result);
        run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &tls, .changes = true});
        if (!cases[i].text) {
            if (result.failed || result.status != 200)
                unit_fail(__FILE__, __LINE__, "case %zu: %s", i, result.err.message);
            char *host = mem_printf("Host: 127.0.0.1:%d\r\n", loopback_port(server));
            CHECK(strstr(loopback_last(server), host));
            free(host);
        } else {
            if (result.err.kind != ERR_AUTH || result.err.maybe_done || !strstr(result.err.message, cases[i].text))
                unit_fail(__FILE__, __LINE__, "case %zu: %s %s", i, err_kind_name(result.err.kind), result.err.message);
            CHECK_INT(loopback_requests(server), 0);
        }
        result_free(&result);
        loopback_stop(server);
    }
}

TEST(exchange_tls_trust_is_the_systems_or_the_given_alone)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.cert = CERT_GOOD, .serve = serve_paths});
    struct tls insecure = {.insecure = true}, garbage = {.ca_pem = "no certificate"}, file = {.ca_file = NULL};
    struct result result;

    result_init(&result);
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    CHECK_INT(result.err.kind, ERR_AUTH);
    CHECK(strstr(result.err.message, "not trusted"));
    run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &garbage});
    CHECK_INT(result.err.kind, ERR_USAGE);
    run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &insecure});
    CHECK_INT(result.status, 200);
    /* The unverified connection is kept open, but not for those who verify. */
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    CHECK_INT(result.err.kind, ERR_AUTH);

    char path[] = "/tmp/dosrun-ca-XXXXXX";
    int fd = mkstemp(path);
    CHECK(write(fd, loopback_ca(), strlen(loopback_ca())) > 0);
    close(fd);
    file.ca_file = path;
    run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &file});
    CHECK(!result.failed);
    unlink(path);
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_tls_client_certificate)
{
    struct loopback *server =
        loopback_start(&(struct loopback_options){.cert = CERT_GOOD, .client_cert = true, .serve = serve_paths});
    struct tls without = {.ca_pem = loopback_ca()};
    struct tls with = {.ca_pem = loopback_ca(), .cert_pem = loopback_client_cert(), .key_pem = loopback_client_key()};
    struct tls broken = {.ca_pem = loopback_ca(), .cert_pem = "no certificate", .key_pem = loopback_client_key()};
    struct result result;

    result_init(&result);
    run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &without, .changes = true});
    CHECK_INT(result.err.kind, ERR_AUTH);
    CHECK(!result.err.maybe_done);
    CHECK(strstr(result.err.message, "client certificate was refused"));
    run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &broken, .changes = true});
    CHECK_INT(result.err.kind, ERR_AUTH);
    run(&result, (struct exchange_request){.url = loopback_url(server), .tls = &with, .changes = true});
    CHECK(!result.failed);
    CHECK_INT(result.status, 200);
    result_free(&result);
    loopback_stop(server);
}

/* ---- breaks ---- */

static bool serve_break(void *ctx, struct loopback_conn *conn, const char *request, int count)
{
    (void)ctx;
    (void)count;
    if (strstr(request, " /reset ")) {
        loopback_reset(conn);
        return false;
    }
    if (strstr(request, " /close "))
        return false;
    if (strstr(request, " /silent ")) {
        loopback_wait_close(conn);
        return false;
    }
    if (strstr(request, " /stalls ")) {
        static const char part[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
        loopback_write(conn, part, sizeof(part) - 1);
        loopback_wait_close(conn);
        return false;
    }
    if (strstr(request, " /cut ")) {
        static const char part[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
        loopback_write(conn, part, sizeof(part) - 1);
        return false;
    }
    if (strstr(request, " /chunk ")) {
        static const char part[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
        loopback_write(conn, part, sizeof(part) - 1);
        return false;
    }
    if (strstr(request, " /garbage ")) {
        loopback_write(conn, "hello, I am no web server\r\n\r\n", 29);
        return false;
    }
    if (strstr(request, " /headers ")) {
        char line[1024];

        memset(line, 'a', sizeof(line));
        memcpy(line, "X-A: ", 5);
        memcpy(line + sizeof(line) - 2, "\r\n", 2);
        loopback_write(conn, "HTTP/1.1 200 OK\r\n", 17);
        for (int i = 0; i < 1100; i++)
            loopback_write(conn, line, sizeof(line));
        return false;
    }
    loopback_answer(conn, 200, NULL, "fine");
    return true;
}

TEST(exchange_breaks_after_sending_are_in_doubt)
{
    static const struct {
        const char *path;
        enum err_kind kind;
    } cases[] = {
        {"/reset", ERR_NETWORK},  {"/close", ERR_NETWORK},  {"/cut", ERR_NETWORK},    {"/chunk", ERR_NETWORK},
        {"/garbage", ERR_SERVER}, {"/headers", ERR_SERVER}, {"/silent", ERR_TIMEOUT}, {"/stalls", ERR_TIMEOUT},
    };
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_break});

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *url = with_path(server, cases[i].path);
        struct result result;

        result_init(&result);
        run(&result, (struct exchange_request){.url = url, .changes = true, .timeout_ms = 100});
        if (result.err.kind != cases[i].kind || !result.err.maybe_done)
            unit_fail(__FILE__, __LINE__, "%s: %s %s", cases[i].path, err_kind_name(result.err.kind),
                      result.err.message);
        result_free(&result);
        free(url);
    }
    loopback_stop(server);
}

TEST(exchange_idle_timeout_counts_from_the_last_byte)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_break});
    struct result result;
    char *url = with_path(server, "/stalls");

    result_init(&result);
    run(&result, (struct exchange_request){.url = url, .idle_timeout_ms = 50});
    CHECK_INT(result.err.kind, ERR_TIMEOUT);
    CHECK_INT(result.status, 200);
    CHECK_TEXT(buf_text(&result.body), "half");
    free(url);
    result_free(&result);
    loopback_stop(server);
}

/* A kept connection that the server cuts when the next request comes: curl would send it again. */
TEST(exchange_that_changes_is_never_sent_twice)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_break});
    struct result result;
    char *cut = with_path(server, "/reset");

    result_init(&result);
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    CHECK(!result.failed);
    run(&result, (struct exchange_request){.method = "DELETE", .url = cut, .changes = true});
    CHECK_INT(result.err.kind, ERR_NETWORK);
    CHECK(result.err.maybe_done);
    CHECK_INT(loopback_requests(server), 2);
    free(cut);
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_reset_during_the_handshake_is_no_refusal)
{
    /* A plain server reads TLS's hello as garbage and closes: nothing was sent. */
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_break});
    struct result result;
    char *url = mem_printf("https://127.0.0.1:%d/", loopback_port(server));

    result_init(&result);
    run(&result, (struct exchange_request){.url = url, .changes = true, .connect_timeout_ms = 100});
    CHECK(result.failed);
    CHECK_INT(result.err.kind, ERR_NETWORK);
    CHECK(!result.err.maybe_done);
    free(url);
    result_free(&result);
    loopback_stop(server);
}

/* ---- callbacks that act ---- */

TEST(exchange_cancel_from_its_own_callbacks)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});

    for (int i = 0; i < 3; i++) {
        struct result result;

        result_init(&result);
        result.cancel_at_head = i == 0;
        result.cancel_at_body = i == 1;
        result.exchange = start(&result, (struct exchange_request){.url = loopback_url(server)});
        if (i == 2)
            exchange_cancel(result.exchange);
        while (world_turn(result.world))
            ;
        CHECK_INT(result.ends, 0);
        CHECK_INT(result.heads, i == 2 ? 0 : 1);
        result_free(&result);
    }
    loopback_stop(server);
}

TEST(exchange_started_from_an_end)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct result result;

    result_init(&result);
    result.start_at_end = true;
    result.url = mem_text(loopback_url(server));
    start(&result, (struct exchange_request){.url = loopback_url(server)});
    while (world_turn(result.world))
        ;
    CHECK_INT(result.ends, 2);
    CHECK_INT(loopback_connections(server), 1);
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_left_running_at_the_end_of_the_world)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_break});
    struct result result;
    char *url = with_path(server, "/silent");

    result_init(&result);
    start(&result, (struct exchange_request){.url = url});
    for (int i = 0; i < 10 && !loopback_requests(server); i++)
        world_turn(result.world);
    start(&result, (struct exchange_request){.url = url});
    result_free(&result);
    CHECK_INT(result.ends, 0);
    free(url);
    loopback_stop(server);
}

TEST(exchange_after_a_drop_connects_anew)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct result result;

    result_init(&result);
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    world_drop_connections(result.world);
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    CHECK_INT(loopback_connections(server), 2);
    result_free(&result);
    loopback_stop(server);
}

/* ---- HTTP/2 ---- */

TEST(exchange_http2_shares_one_connection)
{
    enum { MANY = 250, AT_ONCE = 100 };
    struct loopback *server = loopback_start(&(struct loopback_options){.cert = CERT_GOOD, .http2 = AT_ONCE});
    struct tls tls = {.ca_pem = loopback_ca()};
    struct result result;

    result_init(&result);
    for (int i = 0; i < MANY; i++)
        start(&result,
              (struct exchange_request){.url = loopback_url(server), .tls = &tls, .http2 = true, .timeout_ms = 20000});
    while (world_turn(result.world))
        ;
    CHECK_INT(result.ends, MANY);
    CHECK_INT(result.heads, MANY);
    CHECK(!result.failed);
    CHECK_TEXT(result.err.message, "");
    CHECK_INT(loopback_requests(server), MANY);
    CHECK_INT(loopback_connections(server), 1);
    result_free(&result);
    loopback_stop(server);
}

/* ---- compression ---- */

/* gzip of 1000 times "a". */
static bool serve_gzip(void *ctx, struct loopback_conn *conn, const char *request, int count)
{
    static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                           0x4b, 0x4c, 0x1c, 0x05, 0xa3, 0x60, 0x14, 0x0c, 0x77, 0x00,
                                           0x00, 0x03, 0xda, 0x38, 0x9a, 0xe8, 0x03, 0x00, 0x00};
    char *head = mem_printf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof(packed));

    (void)ctx;
    (void)count;
    CHECK(strstr(request, "Accept-Encoding: gzip\r\n") || strstr(request, "Accept-Encoding: identity\r\n"));
    loopback_write(conn, head, strlen(head));
    loopback_write(conn, (const char *)packed, sizeof(packed));
    free(head);
    return true;
}

TEST(exchange_unpacks_unless_the_caller_chose_an_encoding)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_gzip});
    struct header identity = {"Accept-Encoding", "identity"};
    struct result result;

    result_init(&result);
    run(&result, (struct exchange_request){.url = loopback_url(server)});
    CHECK(!result.failed);
    CHECK_INT(result.body.len, 1000);
    run(&result, (struct exchange_request){.url = loopback_url(server), .headers = &identity, .headers_len = 1});
    CHECK_INT(result.body.len, 29);
    result_free(&result);
    loopback_stop(server);
}

/* ---- bodies that are not in memory ---- */

struct letters {
    int calls;
    uint64_t fail_at; /* the byte that cannot be had; 0: all can */
};

static int letters_read(void *ctx, uint64_t offset, char *out, size_t len, struct err *err)
{
    struct letters *letters = ctx;

    letters->calls++;
    if (letters->fail_at && offset + len > letters->fail_at)
        return err_set(err, ERR_CONFLICT, "the file changed");
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + (offset + i) % 26);
    return 0;
}

TEST(exchange_asks_for_a_body_in_pieces)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct letters letters = {0};
    struct exchange_source source = {300000, letters_read, &letters};
    struct result result;

    result_init(&result);
    for (int round = 1; round <= 2; round++) { /* the second is asked for from the start again */
        letters.calls = 0;
        run(&result,
            (struct exchange_request){
                .method = "PUT", .url = (char *)(uintptr_t)loopback_url(server), .source = &source, .changes = true});
        CHECK(!result.failed);
        CHECK_INT(result.status, 200);
        const char *last = loopback_last(server), *body = strstr(last, "\r\n\r\n") + 4;
        CHECK(view_starts(view_of(last), "PUT / HTTP/1.1\r\n"));
        CHECK(strstr(last, "Content-Length: 300000\r\n"));
        CHECK(!strstr(last, "Expect") && !strstr(last, "Transfer-Encoding") && !strstr(last, "Content-Type"));
        CHECK_INT(strlen(body), 300000);
        for (size_t i = 0; body[i]; i++)
            if (body[i] != (char)('a' + i % 26)) {
                unit_fail(__FILE__, __LINE__, "a byte is not where it was");
                break;
            }
        CHECK(letters.calls > 1);
    }
    source.size = 0;
    run(&result,
        (struct exchange_request){.method = "POST", .url = (char *)(uintptr_t)loopback_url(server), .source = &source});
    CHECK(view_starts(view_of(loopback_last(server)), "POST / "));
    CHECK(strstr(loopback_last(server), "Content-Length: 0\r\n"));
    result_free(&result);
    loopback_stop(server);
}

TEST(exchange_ends_with_what_its_body_says)
{
    struct loopback *server = loopback_start(&(struct loopback_options){.serve = serve_paths});
    struct letters letters = {.fail_at = 200000};
    struct exchange_source source = {300000, letters_read, &letters};
    struct result result;

    result_init(&result);
    run(&result,
        (struct exchange_request){
            .method = "PUT", .url = (char *)(uintptr_t)loopback_url(server), .source = &source, .changes = true});
    CHECK(result.failed);
    CHECK_INT(result.err.kind, ERR_CONFLICT);
    CHECK_TEXT(result.err.message, "the file changed");
    CHECK(!result.err.maybe_done && !result.err.retryable);
    CHECK_INT(result.heads, 0);
    result_free(&result);
    loopback_stop(server);
}
