#pragma once
/*
 * world: the five doors to everything outside the engine (clock, random, network, process, disk)
 * and the loop that waits on them. Real (real.c and its neighbours), or the sandbox.
 * Owns: libuv and libcurl (real), the numbers of attempts.
 * Never: retries, judges, parses what passes through; runs anything in a second thread.
 *
 * Nothing calls back from inside the call that started it: callbacks come from world_turn only.
 */
#include "base/buf.h"
#include "base/checksum.h"
#include "base/err.h"

struct world;
struct doc;

/* ---- the loop ---- */

/* Waits for the next event and delivers it (and others that are due). Returns false when nothing
   is pending any more: no timer, exchange, process or signal watch is left to wait for. */
bool world_turn(struct world *world);
void world_free(struct world *world);
bool world_is_sandbox(const struct world *world);

/* ---- clock ---- */

int64_t world_now_ms(struct world *world);  /* wall clock, UTC, since 1970 */
int64_t world_mono_ms(struct world *world); /* never jumps back */

struct timer;
typedef void timer_fn(void *ctx);
/* Fires once, after delay_ms (0: in the next turn). The timer is gone once it fired. */
struct timer *timer_start(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx);
void timer_stop(struct timer *timer); /* accepts NULL; never after it fired */

/* SIGINT and SIGTERM: fn(ctx, signal) from world_turn. The watch does not keep the loop alive. */
typedef void signal_fn(void *ctx, int signal);
void world_watch_signals(struct world *world, signal_fn *fn, void *ctx); /* fn NULL ends it */

/* ---- random ---- */

/* The key of this run: in the sandbox HMAC(seed, run), else 32 bytes of the system's generator.
   Names, tokens and generated secrets are HMACs under it, never drawn from a stream. */
void world_random(struct world *world, const char *purpose, unsigned char *out, size_t len);

/* ---- attempts ---- */

/* The next number, from 1: every try at the network or process door takes one before anything else. */
uint64_t world_attempt(struct world *world);
/* A place where `--crash N:POINT` ends the process (137). The real world does nothing here. */
enum crash_point { CRASH_BEFORE, CRASH_INTENT, CRASH_SENT, CRASH_ANSWERED, CRASH_OUTCOME };
void world_crash_point(struct world *world, uint64_t attempt, enum crash_point point);

/* ---- network: the HTTP exchange ---- */

struct header {
    const char *name, *value; /* value NUL terminated; no CR or LF inside (refused) */
};

/* How to trust and be trusted; all pointers borrowed until the exchange ends. Equal pointers share connections. */
struct tls {
    const char *ca_pem;          /* NULL: the system's */
    const char *ca_file;
    const char *cert_pem, *key_pem; /* client certificate; NULL: none */
    const char *server_name;     /* SNI and name to verify, instead of the URL's host */
    bool insecure;               /* no verification at all */
};

/* A request's body that is not in memory: asked for from its start to its end, for each exchange anew. */
struct exchange_source {
    uint64_t size;
    /* Exactly len bytes from offset on (never past size). -1: the exchange ends with err, which did nothing: its body was
       never whole. */
    int (*read)(void *ctx, uint64_t offset, char *out, size_t len, struct err *err);
    void *ctx;
};

struct exchange_request {
    uint64_t attempt;  /* from world_attempt */
    uint64_t logical;  /* the attempt that began this logical call (itself, the first time) */
    bool changes;      /* may change something: journalled, and crash points apply */
    bool backward;     /* part of an undo: "N+:KIND" does not strike */
    const char *method, *url;
    const struct header *headers;
    size_t headers_len;
    struct view body;
    const struct exchange_source *source; /* instead of body; borrowed until the exchange ends. NULL: none */
    const struct tls *tls;        /* NULL: defaults */
    const char *proxy;            /* URL or NULL; the environment's proxies are never used */
    int64_t connect_timeout_ms;   /* 0: 10 s */
    int64_t timeout_ms;           /* whole exchange; 0: none (watches, logs) */
    int64_t idle_timeout_ms;      /* between bytes, of a source's too; 0: none */
    bool http2;                   /* ask for HTTP/2 (TLS only), many exchanges on one connection */
};

struct exchange_head {
    int status;
    const struct header *headers;
    size_t headers_len;
};

/* head once, body any number of times, then end; or end alone. After end nothing is called again. */
struct exchange_fns {
    void (*head)(void *ctx, const struct exchange_head *head);
    void (*body)(void *ctx, struct view bytes);
    /* err NULL: complete. Else kind NETWORK (nothing sent: maybe_done false; connection broke:
       maybe_done true), TIMEOUT, CANCELLED, or AUTH for a TLS refusal. */
    void (*end)(void *ctx, const struct err *err);
};

struct exchange;
/* Copies the request (the body, headers and url; not tls). Never NULL; failures come through end. */
struct exchange *exchange_start(struct world *world, const struct exchange_request *request,
                                const struct exchange_fns *fns, void *ctx);
/* No callback comes after this. The bytes may have left. */
void exchange_cancel(struct exchange *exchange);

/* Closes idle connections (after credentials or trust changed). */
void world_drop_connections(struct world *world);

/* ---- process ---- */

struct process_request {
    uint64_t attempt, logical;
    bool changes, backward;
    const char *const *argv; /* argv[0] is found in PATH; no shell anywhere; NULL terminated */
    const char *const *env;  /* "NAME=value", added to PATH, HOME, LANG, TMPDIR, USER alone; NULL terminated or NULL */
    const char *cwd;         /* NULL: the current one */
    struct view input;       /* written to its stdin, then closed */
    int64_t timeout_ms;      /* 0: none; then SIGTERM to its group, 5 s later SIGKILL */
};

struct process_fns {
    void (*output)(void *ctx, int fd, struct view bytes); /* fd 1 or 2 */
    /* err NULL: it ran; status is its exit status, or 128 + signal. Else it could not be started
       (kind MISSING when there is no such program) or timed out (TIMEOUT). */
    void (*end)(void *ctx, int status, const struct err *err);
};

struct process;
/* Runs in a process group of its own, which dies with us. */
struct process *process_start(struct world *world, const struct process_request *request,
                              const struct process_fns *fns, void *ctx);
void process_cancel(struct process *process); /* kills the group; end is not called */

/* ---- disk (these do not wait) ---- */

enum disk_kind { DISK_MISSING, DISK_FILE, DISK_FOLDER, DISK_LINK, DISK_OTHER };
struct disk_stat {
    enum disk_kind kind;
    uint64_t size;
    uint32_t mode; /* permission bits */
    uint32_t uid;
    int64_t mtime_ms;
};

/* All take absolute paths or paths below the current folder. Errors: MISSING, DENIED, QUOTA (disk
   full, size over max), SERVER (I/O error), USAGE. None follows a link at the last component when it writes. */
int disk_stat(struct world *world, const char *path, struct disk_stat *stat, struct err *err);
int disk_read(struct world *world, const char *path, size_t max, struct buf *out, struct err *err);
/* Whole or not at all: a temporary neighbour, fsync, rename, fsync of the folder. */
int disk_write(struct world *world, const char *path, struct view data, uint32_t mode, struct err *err);
/* Where disk_write prepares this file, and what a crash in it leaves lying about. free() it. */
char *disk_neighbour(const char *path);
int disk_remove(struct world *world, const char *path, struct err *err); /* a file, or an empty folder */
int disk_make_folder(struct world *world, const char *path, uint32_t mode, struct err *err); /* and its parents */
int disk_rename(struct world *world, const char *from, const char *to, struct err *err);
/* Names in the folder, sorted, without . and ..; fn returns false to stop. */
typedef bool disk_list_fn(void *ctx, const char *name, enum disk_kind kind);
int disk_list(struct world *world, const char *path, disk_list_fn *fn, void *ctx, struct err *err);

/* A file that only grows. */
struct disk_file;
struct disk_file *disk_open(struct world *world, const char *path, uint32_t mode, struct err *err); /* created when missing */
int disk_append(struct disk_file *file, struct view data, struct err *err); /* all of it, or an error and nothing visible past the old end */
int disk_sync(struct disk_file *file, struct err *err); /* fdatasync; after a failure every further call fails */
/* Room for the file to grow to size bytes; its length stays. */
int disk_reserve(struct disk_file *file, uint64_t size, struct err *err);
int disk_truncate(struct disk_file *file, uint64_t size, struct err *err);
/* An exclusive lock on it (flock): 0 taken, 1 somebody else has it, -1 error. Ends with close or the process. */
int disk_lock(struct disk_file *file, struct err *err);
void disk_close(struct disk_file *file); /* accepts NULL */

/* A file to be read in pieces: the one that was there, whatever takes its name later. MISSING when there is none. */
struct disk_file *disk_open_read(struct world *world, const char *path, struct err *err);
int disk_file_stat(struct disk_file *file, struct disk_stat *stat, struct err *err);
/* Exactly len bytes from offset on; CONFLICT when it ends before. */
int disk_read_at(struct disk_file *file, uint64_t offset, char *out, size_t len, struct err *err);

/* The sums of a file that is held open for reading, a piece a turn, so that nothing else waits long. */
struct disk_sums {
    uint64_t size;
    char sha256[65]; /* hex */
    char sum[89];    /* base64, of the kind that was asked for; "" */
};
struct disk_sum;
/* sums is NULL with err; CONFLICT when the file changed meanwhile. */
typedef void disk_sum_fn(void *ctx, const struct disk_sums *sums, const struct err *err);
/* Borrows the file. path: for messages. kind: CHECKSUM_NONE for SHA-256 alone. */
struct disk_sum *disk_sum_start(struct world *world, struct disk_file *file, const char *path, enum checksum_kind kind,
                                disk_sum_fn *fn, void *ctx);
void disk_sum_cancel(struct disk_sum *sum); /* fn is not called; accepts NULL */

/* ---- implementations (called by dosrun.c only) ---- */

struct world *world_real_new(void);

/* The doors as a table; a world embeds this first. Public functions above only pass on. */
struct world_ops {
    bool (*turn)(struct world *);
    void (*free)(struct world *);
    int64_t (*now_ms)(struct world *);
    int64_t (*mono_ms)(struct world *);
    struct timer *(*timer_start)(struct world *, int64_t, timer_fn *, void *);
    void (*timer_stop)(struct timer *);
    void (*watch_signals)(struct world *, signal_fn *, void *);
    void (*random)(struct world *, const char *, unsigned char *, size_t);
    void (*crash_point)(struct world *, uint64_t, enum crash_point);
    struct exchange *(*exchange_start)(struct world *, const struct exchange_request *, const struct exchange_fns *, void *);
    void (*exchange_cancel)(struct exchange *);
    void (*drop_connections)(struct world *);
    struct process *(*process_start)(struct world *, const struct process_request *, const struct process_fns *, void *);
    void (*process_cancel)(struct process *);
    int (*stat)(struct world *, const char *, struct disk_stat *, struct err *);
    int (*read)(struct world *, const char *, size_t, struct buf *, struct err *);
    int (*write)(struct world *, const char *, struct view, uint32_t, struct err *);
    int (*remove)(struct world *, const char *, struct err *);
    int (*make_folder)(struct world *, const char *, uint32_t, struct err *);
    int (*rename)(struct world *, const char *, const char *, struct err *);
    int (*list)(struct world *, const char *, disk_list_fn *, void *, struct err *);
    struct disk_file *(*open)(struct world *, const char *, uint32_t, struct err *);
    int (*append)(struct disk_file *, struct view, struct err *);
    int (*sync)(struct disk_file *, struct err *);
    int (*reserve)(struct disk_file *, uint64_t, struct err *);
    int (*truncate)(struct disk_file *, uint64_t, struct err *);
    int (*lock)(struct disk_file *, struct err *);
    void (*close)(struct disk_file *);
    struct disk_file *(*open_read)(struct world *, const char *, struct err *);
    int (*file_stat)(struct disk_file *, struct disk_stat *, struct err *);
    int (*read_at)(struct disk_file *, uint64_t, char *, size_t, struct err *);
};

struct world {
    const struct world_ops *ops;
    uint64_t attempts; /* numbers given out */
    bool sandbox;
};

/* First members of what implementations hand out, so that the public functions find their way back. */
struct timer { struct world *world; };
struct exchange { struct world *world; };
struct process { struct world *world; };
struct disk_file { struct world *world; };

/* The disk door of the real machine, which the sandbox uses too, for the state folder and below its overlay. */
extern const struct world_ops world_disk_ops;
