#pragma once
/*
 * core: what the sandbox's own files share and its servers do not see: the world behind `struct
 * sim`, the clock's heap, the state file, faults, exchanges, the overlay, the scripts.
 */
#include "sandbox/sandbox.h"
#include "sandbox/sim.h"

enum {
    SIM_SERVERS_MAX = 8,
    SIM_UP_MS = 1,           /* from the client to the server */
    SIM_DOWN_MS = 2,         /* and back: 3 ms an exchange */
    SIM_SILENCE_MS = 60000,  /* how long a client without a timeout waits for an answer that is lost */
    SIM_LATE_MS = 60000,     /* a late effect happens within this time after it was sent */
    SIM_BODY_MAX = 64 << 20,
};
#define SIM_EPOCH_MS INT64_C(1893456000000) /* 2030-01-01T00:00:00Z */

struct sim_store;
struct sim_faults;
struct sim_fault;
struct sim_disk;
struct sim_net;
struct sim_script;

struct sim_clock {
    int64_t now_ms;
    uint64_t sequence; /* given to each timer: order among equal times */
    struct sim_timer **heap;
    size_t len, cap;
};

struct sim {
    struct world world; /* first: the doors' handle */
    char *target, *account;
    uint64_t seed;
    bool known; /* the state file has its first line */
    struct sim_clock clock;
    size_t wanted; /* timers, exchanges and processes of the engine: without any, a turn has nothing to wait for */
    struct sim_store *store;
    struct sim_faults *faults;
    struct sim_disk *disk;
    struct sim_net *net;
    struct list processes;
    struct sim_script *script;
    struct sim_server *servers[SIM_SERVERS_MAX];
    size_t servers_len;
    signal_fn *signal; /* who wants SIGINT and SIGTERM */
    void *signal_ctx;
};

/* ---- open.c ---- */

/* sandbox_new with servers of the caller's choice: wire adds them before the state file is read. */
struct sim *sim_open(const struct sandbox_options *options, void (*wire)(struct sim *), struct err *err);
void sim_close(struct sim *sim);
void sim_add(struct sim *sim, struct sim_server *take);
void sim_show(struct sim *sim, bool raw, struct buf *out);
struct sim_server *sim_server_named(const struct sim *sim, const char *name);
void sim_compact(struct sim *sim);
void sim_log_now(struct sim *sim); /* the clock, as an effect */

/* ---- doors.c ---- */

extern const struct world_ops sim_ops;
void sim_random(const struct sim *sim, const char *purpose, unsigned char *out, size_t len);
/* 0 to below - 1, from HMAC(seed, purpose) */
uint64_t sim_draw(const struct sim *sim, const char *purpose, uint64_t number, uint64_t below);

/* ---- clock.c ---- */

/* A timer of the engine (wanted: it keeps the loop alive) or of the sandbox itself. */
struct sim_timer *sim_timer_new(struct sim *sim, int64_t delay_ms, timer_fn *fn, void *ctx, bool wanted);
struct timer *sim_timer_door(struct sim_timer *timer);
struct sim_timer *sim_timer_of(struct timer *door);
/* Jumps to the next timer and runs all that are due. False: there is none. */
bool sim_clock_turn(struct sim *sim);
void sim_clock_free(struct sim *sim);

/* ---- store.c ---- */

/*
 * The state file, folder/state.jsonl: a CRC-32C in hex, a blank, a JSON object, a line each. It is
 * kept open (O_APPEND, O_CLOEXEC, flock). A fork that should go its own way needs a sandbox without
 * a folder: parent and child would write to the same file. While another process holds the lock
 * this one is a guest: it sees the state as it was and may change nothing.
 */
struct sim_store *sim_store_open(const char *folder, struct err *err); /* folder NULL: memory only */
/* Hands each effect to `each`, in order; cuts a torn tail. */
int sim_store_replay(struct sim_store *store, int (*each)(void *ctx, const struct doc *effect, struct err *err),
                     void *ctx, struct err *err) __attribute__((warn_unused_result));
void sim_store_add(struct sim_store *store, const struct doc *effect); /* into the batch */
void sim_store_flush(struct sim_store *store);                         /* the batch, in one write */
/* A guest becomes the owner if the file is as it was read and free now. */
int sim_store_claim(struct sim_store *store, struct err *err) __attribute__((warn_unused_result));
bool sim_store_grown(const struct sim_store *store);
/* Replaces the file by what `fill` puts. */
void sim_store_compact(struct sim_store *store, void (*fill)(void *ctx), void *ctx);
void sim_store_free(struct sim_store *store);

/* Bytes as member `key` (UTF-8) or `key`_base64. */
void sim_bytes_set(struct doc *object, const char *key, struct view bytes);
void sim_bytes_get(const struct doc *object, const char *key, struct buf *out);

/* ---- fault.c ---- */

enum fault_kind {
    FAULT_NONE,
    FAULT_CONNECT,
    FAULT_TLS,
    FAULT_RESET_BEFORE,
    FAULT_RESET_AFTER,
    FAULT_TIMEOUT,
    FAULT_LATE,
    FAULT_THROTTLE,
    FAULT_THROTTLE_AFTER,
    FAULT_5XX_BEFORE,
    FAULT_5XX_AFTER,
    FAULT_EXPIRED,
    FAULT_FORBIDDEN,
    FAULT_CONFLICT,
    FAULT_QUOTA,
    FAULT_BODY,
    FAULT_TWICE,
    FAULT_STALE, /* from here on the server's own: state kinds */
    FAULT_GHOST,
    FAULT_STUCK,
    FAULT_FOREIGN,
    FAULT_UNREADY,
    FAULT_KINDS,
};

struct sim_faults *sim_faults_new(const char *const *texts, const char *crash, struct err *err);
void sim_faults_free(struct sim_faults *faults);
/* The fault that hits this attempt, or NULL. Called once for each attempt. */
struct sim_fault *sim_fault_pick(struct sim_faults *faults, uint64_t attempt, uint64_t logical, bool changes,
                                 bool backward);
enum fault_kind sim_fault_kind(const struct sim_fault *fault); /* FAULT_NONE for NULL */
const char *sim_fault_name(enum fault_kind kind);
void sim_fault_struck(struct sim_fault *fault);
/* Ends the process with 137 if --crash names this place. What was logged before is in the file. */
void sim_crash(struct sim *sim, uint64_t attempt, enum crash_point point);
void sim_faults_left(const struct sim_faults *faults, struct doc *out);
bool sim_crash_wrong(const struct sim_faults *faults, uint64_t attempts);

/* ---- url.c ---- */

/* A request as servers see it, with the memory behind it. */
struct sim_message {
    struct sim_request request;
    char *url, *method, *path;
    struct buf body;
    struct header *headers; /* own copies */
};
/* Copies everything. A URL or a header that cannot be sent is ERR_USAGE. */
int sim_message_init(struct sim_message *message, const char *method, const char *url, const struct header *headers,
                     size_t headers_len, struct view body, struct err *err) __attribute__((warn_unused_result));
void sim_message_clear(struct sim_message *message);
/* Percent decoding; a "%" without two digits stays as it is. plus: "+" is a blank (queries). */
void sim_url_decode(struct buf *out, struct view text, bool plus);
struct header *sim_headers_copy(const struct header *headers, size_t len);
void sim_headers_free(struct header *headers, size_t len);

/* ---- net.c ---- */

struct sim_net *sim_net_new(struct sim *sim);
void sim_net_free(struct sim_net *net);
struct exchange *sim_exchange_start(struct world *world, const struct exchange_request *request,
                                    const struct exchange_fns *fns, void *ctx);
void sim_exchange_cancel(struct exchange *exchange);
/* No timer is left, but the engine waits: the oldest exchange ends with an error that says so. */
bool sim_net_unstick(struct sim_net *net);
struct sim_server *sim_route(const struct sim *sim, const struct sim_request *request);

/* ---- reply.c: what servers call, and the way back to the client ---- */

struct sim_exchange;
enum sim_mangle { MANGLE_NONE, MANGLE_CUT, MANGLE_MALFORMED, MANGLE_TYPE };

struct sim_reply *sim_reply_new(struct sim *sim, struct sim_exchange *exchange, enum sim_mangle mangle);
/* Nobody listens any more: the server is told, or its late end frees the reply. */
void sim_reply_detach(struct sim_reply *reply);
/* A loud failure instead of an answer. */
void sim_reply_fail(struct sim_reply *reply, const struct err *err);

/* net.c, for reply.c: what the client gets, SIM_DOWN_MS from now; NULL err is a complete answer. */
void sim_send_head(struct sim_exchange *exchange, int status, const struct header *headers, size_t headers_len);
void sim_send_body(struct sim_exchange *exchange, struct view bytes);
void sim_send_end(struct sim_exchange *exchange, const struct err *err);
void sim_exchange_forget(struct sim_exchange *exchange); /* its reply is gone */

/* ---- answer.c: what a server says in a fault ---- */

void sim_answer_fault(struct sim *sim, struct sim_reply *reply, struct sim_server *server,
                      const struct sim_request *request, enum fault_kind kind, uint64_t attempt);

/* ---- late.c ---- */

void sim_late_add(struct sim *sim, const struct sim_message *message, uint64_t attempt);
void sim_late_replay(struct sim *sim, const struct doc *effect);
void sim_late_started(struct sim *sim);
void sim_late_snapshot(struct sim *sim);
void sim_late_free(struct sim *sim);
struct list *sim_net_late(struct sim_net *net); /* its list */

/* ---- process.c ---- */

struct process *sim_process_start(struct world *world, const struct process_request *request,
                                  const struct process_fns *fns, void *ctx);
void sim_process_cancel(struct process *process);
void sim_processes_free(struct sim *sim);

/* ---- script.c ---- */

struct sim_script *sim_script_new(struct sim *sim);
void sim_script_free(struct sim_script *script);
int sim_script_load(struct sim_script *script, const char *name, struct view text, struct err *err)
    __attribute__((warn_unused_result));
/* The server that answers for scripted hosts. */
struct sim_server *sim_script_server(struct sim_script *script);
struct sim_run {
    int status;
    int64_t takes_ms;
    struct buf out, err; /* what it wrote to 1 and 2 */
};
bool sim_script_has_program(struct sim_script *script, const char *name);
/* Runs a scripted program; ERR_USAGE with Lua's message when the script is wrong. */
int sim_script_program(struct sim_script *script, const struct process_request *request, struct sim_run *run,
                       struct err *err) __attribute__((warn_unused_result));

/* ---- disk.c ---- */

struct sim_disk *sim_disk_new(struct sim *sim, const char *project_root, const char *state_root);
void sim_disk_free(struct sim_disk *disk);
void sim_disk_replay(struct sim_disk *disk, const struct doc *effect);
void sim_disk_snapshot(struct sim_disk *disk);
void sim_disk_show(struct sim_disk *disk, bool raw, struct buf *out);
int sim_disk_stat(struct world *world, const char *path, struct disk_stat *stat, struct err *err);
int sim_disk_read(struct world *world, const char *path, size_t max, struct buf *out, struct err *err);
int sim_disk_write(struct world *world, const char *path, struct view data, uint32_t mode, struct err *err);
int sim_disk_remove(struct world *world, const char *path, struct err *err);
int sim_disk_make_folder(struct world *world, const char *path, uint32_t mode, struct err *err);
int sim_disk_rename(struct world *world, const char *from, const char *to, struct err *err);
int sim_disk_list(struct world *world, const char *path, disk_list_fn *fn, void *ctx, struct err *err);
struct disk_file *sim_file_open(struct world *world, const char *path, uint32_t mode, struct err *err);
int sim_file_append(struct disk_file *file, struct view data, struct err *err);
int sim_file_sync(struct disk_file *file, struct err *err);
int sim_file_reserve(struct disk_file *file, uint64_t size, struct err *err);
int sim_file_truncate(struct disk_file *file, uint64_t size, struct err *err);
int sim_file_lock(struct disk_file *file, struct err *err);
struct disk_file *sim_reader_open(struct world *world, const char *path, struct err *err);
int sim_reader_stat(struct disk_file *file, struct disk_stat *stat, struct err *err);
int sim_reader_read(struct disk_file *file, uint64_t offset, char *out, size_t len, struct err *err);
void sim_file_close(struct disk_file *file);
