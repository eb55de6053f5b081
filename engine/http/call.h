#pragma once
/* The inside of the http room: the call, and what its files give each other. */
#include "base/list.h"
#include "http/http.h"

enum {
    HTTP_BODY_MAX = 64 << 20,
    HTTP_HEAD_MAX = 1 << 20,
    HTTP_TIMEOUT_MS = 30000,
    HTTP_ATTEMPTS_MAX = 5,
    HTTP_ATTEMPTS_RESTART_MAX = 10, /* about 20 s */
    HTTP_ORIGINS_MAX = 64,
    HTTP_RETRIES = 1000,
    HTTP_RESERVE = 200,
};

struct http {
    struct world *world;
    const struct marks *marks; /* may be NULL */
    struct http_gate gate;     /* enter NULL: none, and nothing that changes passes */
    int retries, reserve, used;
    struct list calls;
    char *origins[HTTP_ORIGINS_MAX]; /* that answered in this run */
    int origins_len;
};

enum call_state {
    CALL_WAITS, /* for its timer: the start, or the pause before a retry */
    CALL_AUTH,  /* for its credentials */
    CALL_GATE,  /* for the gate */
    CALL_SENT,  /* for the answer */
    CALL_TOLD,  /* the gate is being told how an attempt ended */
    CALL_OVER,  /* fns.end is being told */
};

/* Names and values with one owner; holds secrets, so it is wiped. */
struct http_fields {
    struct header *list;
    size_t len, cap;
};
void http_fields_add(struct http_fields *fields, const char *name, const char *value);
void http_fields_clear(struct http_fields *fields);
const char *http_fields_find(const struct header *list, size_t len, const char *name); /* any case; NULL when absent */

struct http_call {
    struct list link; /* in http.calls */
    struct http *http;
    struct http_request request; /* all pointers into what follows, but tls, auth, source and sink */
    struct http_fields headers;
    char *body;
    http_error_fn *error;
    struct http_fns fns;
    void *ctx;

    enum call_state state;
    bool cancelled; /* while auth or the gate still has it: freed when they give it back */
    struct timer *timer;
    struct exchange *exchange;
    uint64_t attempt;
    int attempts, retries;
    int quota_taken;          /* by the last retry: a success gives it back */
    bool bad_header; /* auth gave one that cannot be sent */
    bool refused;    /* the last attempt was answered 401: the token is stale */
    bool refreshed;  /* and was asked for anew, which is done once */
    bool maybe_done; /* some attempt so far may have been done */

    /* One attempt, with its secrets plain; wiped when it was handed over. */
    struct buf plain_url, plain_body;
    struct http_fields plain;
    char *origin; /* "host:port" of it */

    /* Its answer. */
    int status;
    struct http_fields answer_headers;
    struct buf answer_body;
    int64_t sent_ms;
    bool sinking;   /* a success's body goes to request.sink */
    bool streaming; /* pieces go out as they come: no retry any more */
};

/* Makes this attempt's plain request; nothing of it may leave when this fails. */
int http_call_reveal(struct http_call *call, struct err *err) __attribute__((warn_unused_result));
/* An auth header joins it. */
int http_call_reveal_header(struct http_call *call, const char *name, const char *value, struct err *err)
    __attribute__((warn_unused_result));
void http_call_wipe(struct http_call *call);

/* What an answered status means; false: it is a success (2xx, 3xx). */
bool http_status_err(const struct http_call *call, const struct http_answer *answer, struct err *err);
/* The last touch of every error of an attempt: method and URL in front, no secret in any text. */
void http_call_err_finish(const struct http_call *call, struct err *err);

/* ---- the retry table ---- */

/* The call's origin has answered, so when it cannot be reached any more, it is likely to come back. */
void http_origin_answered(struct http_call *call);

/* Waiting may cure this status. */
bool http_retry_status(int status, struct view body);
/* May the attempt that ended so be sent again? Takes it from the budget when it may. */
bool http_retry_take(struct http_call *call, const struct err *err);
/* A call ended well: what its last retry cost comes back, or one token. */
void http_retry_give(struct http_call *call);
/* Full jitter: evenly between 0 and min(20 s, first_ms * 2^retries), never less than the server asked for. first_ms 0: 100. */
int64_t http_retry_delay_ms(struct world *world, uint64_t attempt, int64_t first_ms, int retries, int64_t retry_after_ms);
/* Seconds or an HTTP date (RFC 9110, 10.2.3), at most 120 s; -1 for anything else. */
int64_t http_retry_after_parse(const char *text, int64_t now_ms);

/* ---- the pace of adaptive retries; times are the world's ---- */

/* 0: an attempt may leave, its token is taken; else how long to wait before asking again. */
int64_t http_pace_take(struct http_pace *pace, int64_t now_ms);
void http_pace_answered(struct http_pace *pace, int64_t now_ms, bool throttled);
/* The parts of it: the bucket's rate set, an answer measured, the rate after a cut and while it grows. */
void http_pace_rate(struct http_pace *pace, int64_t now_ms, double rate);
double http_pace_measure(struct http_pace *pace, int64_t now_ms);
double http_pace_cut(struct http_pace *pace, int64_t now_ms, double rate);
double http_pace_grow(const struct http_pace *pace, int64_t now_ms);

bool url_scheme_is(const struct url *url, const char *scheme); /* any case */
bool url_is_loopback(const struct url *url);
bool url_is_link_local(const struct url *url); /* 169.254/16, fe80::/10: where clouds keep credentials */
bool url_is_metadata(const struct url *url);   /* one of the five addresses of AWS that hand them out */
