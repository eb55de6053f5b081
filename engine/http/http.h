#pragma once
/*
 * http: one request, answered or failed for good: attempts, the retry table, secrets put in,
 * status to error, the gate asked before anything that may change something.
 * Owns: the retry table and the retry budget of a run.
 * Never: follows a redirect, sends credentials to another origin, speaks to a host unencrypted unless it is
 * loopback, a page that is asked for with nothing secret, or a source of credentials that says so; knows what a request
 * is for.
 */
#include "base/buf.h"
#include "base/err.h"
#include "world/world.h"

struct marks;
struct http;
struct http_call;
struct http_answer;

enum http_class {
    HTTP_READS,   /* changes nothing: free, retried at will */
    HTTP_CHANGES, /* passes the gate; journalled before it leaves */
};

/* How often and how a lost or refused attempt is sent again. */
enum http_repeat {
    HTTP_REPEAT_SAFE,  /* the same request again does no harm (reads, PUT, server-side apply, DELETE by uid) */
    /* Again only when it surely did nothing: no connection, a stale token. A 429 or 503 is no such
       thing, a server may act and still say so: the change looks before it repeats. */
    HTTP_REPEAT_NEVER,
};

/* Headers that carry credentials, computed for each attempt (tokens renew in the middle of a run). */
struct http_auth {
    /* Adds headers by http_header_add, perhaps later: calls done(done_ctx, err) exactly once, from a
       later turn or at once. refused: the last attempt was answered 401, so a cached token is stale. */
    void (*headers)(void *ctx, struct http_call *call, bool refused,
                    void (*done)(void *done_ctx, const struct err *err), void *done_ctx);
    void *ctx;
};

/* Where a success's body goes, piece by piece, instead of into memory. -1 with err breaks the attempt off, for good. */
struct http_sink {
    int (*begin)(void *ctx, const struct http_answer *head, struct err *err); /* of each attempt anew: what came before is void */
    int (*add)(void *ctx, struct view bytes, struct err *err);
    void *ctx;
};

struct http_request {
    const char *method, *url;
    const struct header *headers; /* values may hold marks */
    size_t headers_len;
    struct view body; /* may hold marks */
    const struct exchange_source *source; /* instead of body, holds no marks. NULL: none */
    const struct http_sink *sink;         /* NULL: none. The error function judges the answer when all of it is there */
    enum http_class class;
    enum http_repeat repeat;
    const struct http_auth *auth; /* NULL: none */
    const struct tls *tls;
    const char *proxy;
    int64_t timeout_ms;      /* of one attempt; 0: 30 s. Streams: until the head came. With source or sink: between bytes */
    int64_t idle_timeout_ms; /* streams: between bytes; 0: none */
    int attempts_max;        /* 0: the table's (5; 10 when a host that answered before cannot be reached) */
    int64_t first_delay_ms;  /* the first retry waits up to this, each further up to twice as long; 0: 100 ms */
    struct http_quota *quota; /* retries are taken from it as well; NULL: the run's budget alone. Borrowed */
    struct http_pace *pace;   /* attempts wait for it; NULL: they do not. Borrowed */
    bool judged;             /* the error function is asked about every status: some services say 200 and then that they failed */
    bool backward;           /* part of an undo: draws on the reserve of the budget */
    bool http2;
    bool plain;              /* http:// to any machine: a public page; only a read that carries no credentials and no secret */
    bool metadata;           /* http:// to the addresses where AWS keeps a machine's or container's credentials; never by proxy */
    bool stream;             /* body pieces go to fns.body as they come; not retried once the head is there */
    /* What the change knows about this call, for gate and journal; http only passes it on. */
    void *owner;
    uint64_t logical;        /* 0: a new logical call */
    bool guarded;            /* a late arrival does no harm: it carries a uid, a resourceVersion or a token */
    const char *subject;     /* what people call it: "apply Deployment dos-game/game-doom" */
    const char *token;       /* its idempotency token, which the intent keeps; NULL: it has none */
};

struct http_answer {
    int status; /* 0 when no answer came */
    const struct header *headers;
    size_t headers_len;
    struct view body;  /* empty for streams */
    uint64_t attempt;  /* number of the last attempt */
    int attempts;
    int64_t sent_ms;   /* world_now_ms when the last attempt left */
};
/* What a failed status means when nothing more is known of it (RFC 9110, 15.5 and 15.6). */
enum err_kind http_status_kind(int status);
const char *http_answer_header(const struct http_answer *answer, const char *name); /* any case; NULL when absent */

struct http_fns {
    void (*body)(void *ctx, struct view bytes); /* streams only */
    /* err NULL: status is 2xx, or 3xx (never followed). Else err says why and answer holds what came. */
    void (*end)(void *ctx, const struct http_answer *answer, const struct err *err);
};

/*
 * The gate. enter is asked before each attempt of class HTTP_CHANGES, with its number; it answers by
 * calling http_gate_open(call, err) once, now or in a later turn (the intent is durable, or the
 * attempt is refused). leave is told how each admitted attempt ended, before fns.end.
 */
struct http_gate {
    void (*enter)(void *ctx, struct http_call *call, const struct http_request *request, uint64_t attempt, uint64_t logical);
    void (*leave)(void *ctx, const struct http_request *request, uint64_t attempt,
                  const struct http_answer *answer, const struct err *err);
    /* The same for attempts that only read: recorded, never waited for. */
    void (*read)(void *ctx, const struct http_request *request, uint64_t attempt,
                 const struct http_answer *answer, const struct err *err);
    void *ctx;
};
void http_gate_open(struct http_call *call, const struct err *refused);

/* Reads a service's error body into err (code, message, retry); ctx is the call's. Kind AUTH: the credentials are asked for
   anew, once, and the attempt is repeated. NULL: the status says it all. */
typedef void http_error_fn(void *ctx, const struct http_answer *answer, struct err *err);

/* Tokens that retries to one service cost and successes give back, so that trouble there is not made worse. */
struct http_quota {
    int tokens, max;
    int retry_cost, timeout_cost; /* of a retry; of one after no answer came */
};

/* How fast a service that throttles may be asked (pace.c). Rates are attempts a second. */
struct http_pace {
    bool limits;          /* it has throttled */
    double rate, room;    /* of the bucket: how fast it fills, how much it holds */
    double tokens;
    int64_t filled_ms;
    double measured;      /* rate of answers */
    int count;            /* of them since then */
    int64_t measured_ms;
    double top, top_s;    /* the rate that was throttled, how long after the cut it is reached again */
    int64_t cut_ms;
};
void http_pace_init(struct http_pace *pace, int64_t now_ms);

struct http *http_new(struct world *world, const struct marks *marks);
void http_free(struct http *http);
void http_set_gate(struct http *http, struct http_gate gate);
/* Retries that this run may use in all (default 1000), and how many of them only undo may use (200). */
void http_set_budget(struct http *http, int retries, int reserve);
int64_t http_retries_used(const struct http *http);

/* Never NULL: a bad request (URL, header, unknown mark) ends with ERR_USAGE from a later turn.
   The request and what it points to are copied, tls, auth, source and sink excepted. */
struct http_call *http_send(struct http *http, const struct http_request *request, http_error_fn *error,
                            const struct http_fns *fns, void *ctx);
/* No callback comes after this; an attempt in flight is recorded as unknown. */
void http_cancel(struct http_call *call);
void http_header_add(struct http_call *call, const char *name, const char *value); /* from http_auth.headers */

/* A URL taken apart; views into text. Refuses user info, NUL, blanks, control bytes. */
struct url {
    struct view scheme, host, path, query; /* path with its leading "/", query without "?" */
    int port; /* of the scheme when not given */
};
int url_parse(struct view text, struct url *url, struct err *err) __attribute__((warn_unused_result));
void url_escape(struct buf *out, struct view text); /* percent-encodes all but unreserved (RFC 3986 2.3) */
