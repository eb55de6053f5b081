#pragma once
/*
 * A disk that can fail: the real disk door below a temporary folder, with every operation counted, and
 * one of them failing once or for good. Appended bytes are kept beside their syncs, so that a test can
 * make the file that a power loss would leave.
 */
#include "base/secret.h"
#include "store/store.h"
#include "world/world.h"

enum { FAULTY_WRITES_MAX = 256 };

/* One append, and how many syncs came before it; the first FAULTY_WRITES_MAX are kept. */
struct faulty_write {
    size_t at, len;
    int syncs;
};

struct faulty {
    struct world base; /* first */
    char root[128];    /* TMP/state/targets: made by nobody yet */
    char above[128];   /* TMP */
    int ops;           /* operations so far, of all kinds */
    int fail_at;       /* the operation of that number fails; 0: none */
    bool for_good;     /* and all that follow it */
    enum err_kind kind;
    const char *only;  /* fails operations of this name alone: "append", "sync", "reserve", "write", ... */
    bool full;         /* reserve and append beyond what was reserved fail with QUOTA */
    uint64_t reserved, size;
    int syncs;
    struct faulty_write writes[FAULTY_WRITES_MAX];
    int writes_len;
    unsigned char random; /* fills world_random, so that two worlds differ */
};

void faulty_init(struct faulty *faulty);
void faulty_clear(struct faulty *faulty); /* removes the folder */
/* The next operation called `only` fails with kind. */
void faulty_fail(struct faulty *faulty, const char *only, enum err_kind kind, bool for_good);
void faulty_heal(struct faulty *faulty);

/* A store on it, locked, with a journal of run r1 that has its first event. */
struct desk {
    struct faulty faulty;
    struct store *store;
    struct marks *marks;
    struct event_bus *bus;
    struct journal *journal;
    struct err err;
};
void desk_init(struct desk *desk);
void desk_clear(struct desk *desk);
/* {"type":"log","level":"info","text":TEXT} */
void desk_log(struct desk *desk, enum event_weight weight, const char *text);
/* Ends this process's part: journal and lock. */
void desk_leave(struct desk *desk);
/* Another process: store opened and locked anew; journal taken up, its events into `events`. */
struct journal *desk_return(struct desk *desk, struct doc *events);
char *desk_file(const struct desk *desk, const char *name); /* path below the store's folder; free() */
void desk_text(struct desk *desk, struct buf *text); /* the journal's bytes */
void desk_put(struct desk *desk, struct view text);
int events_add(void *ctx, const struct doc *event, struct err *err); /* journal_read_fn: pushes on the array ctx */
