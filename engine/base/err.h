#pragma once
/*
 * base: what every room needs and nobody else provides: errors, buffers, lists, digests,
 * secrets, the event.
 * Owns: OpenSSL's digests and ciphers, zlib; the table of secrets.
 * Never: does I/O, knows Lua, HTTP or JSON.
 */
#include <stdbool.h>
#include <stdint.h>

enum err_kind {
    ERR_NONE,
    ERR_USAGE,           /* the caller's input is wrong: playbook, manifest, argument (exit 64) */
    ERR_AUTH,            /* who are you: 401, no or expired credentials */
    ERR_DENIED,          /* you may not: 403 */
    ERR_MISSING,         /* 404 and its kin */
    ERR_CONFLICT,        /* 409, 412, somebody else owns it */
    ERR_THROTTLED,       /* 429 and its kin */
    ERR_QUOTA,           /* a limit that waiting does not lift; other final 4xx */
    ERR_NETWORK,         /* nothing was sent, or the connection broke */
    ERR_TIMEOUT,         /* a deadline passed */
    ERR_UNKNOWN_OUTCOME, /* a change was sent and its answer is lost */
    ERR_CANCELLED,       /* somebody asked us to stop */
    ERR_SERVER,          /* 5xx, malformed answers */
    ERR_INTERNAL,        /* our fault (exit 70) */
};

/*
 * An error, whole, in a fixed size so that it never fails to be made. A message that does not fit
 * ends in "...". Layers add their context in front: "step game: apply Deployment x: PATCH ...: reset".
 */
struct err {
    enum err_kind kind;
    int status;             /* HTTP status, 0 when there was no answer */
    bool retryable;         /* the same request may be sent again and might succeed */
    bool maybe_done;        /* a change may have happened on the other side all the same */
    int64_t retry_after_ms; /* what the server asked for, -1 when it did not */
    char explain[8];        /* dosrun's own code, e.g. "K104"; "" when there is none */
    char code[64];          /* the service's reason or code, e.g. "AlreadyExists" */
    char request_id[96];    /* the service's id of this request, "" when unknown */
    char message[2048];     /* text without a line break at its end */
};

#define ERR_INIT ((struct err){.retry_after_ms = -1})

void err_clear(struct err *err);

/* Sets kind and message and returns -1, so that `return err_set(err, ...)` reads well. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "text: " in front of the message; returns -1. */
int err_context(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets dosrun's code for `dosrun explain CODE`; the first one set (the deepest) stays. */
void err_explain(struct err *err, const char *code);

/* "usage", "auth", ..., "unknown-outcome", "internal"; the words of journal and Lua. */
const char *err_kind_name(enum err_kind kind);
/* The reverse; ERR_INTERNAL for a word that is not one of them. */
enum err_kind err_kind_from_name(const char *name);
