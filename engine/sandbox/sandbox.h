#pragma once
/*
 * sandbox: the five doors, simulated: virtual clock, seeded random, a cloud that lives in the
 * state folder, scripted hosts and programs, an overlay over the project's files, faults, crashes.
 * Owns: the simulated state and its file. Shares wire formats with the engine, no logic.
 * Never: opens a socket, starts a thread or a process, reads ~/.kube, ~/.aws or the environment,
 * answers what nobody modelled (that is an error that says so).
 */
#include "codec/doc.h"
#include "world/world.h"

/* The simulated AWS account's only lasting key; others are handed out by its STS. */
#define SANDBOX_ACCESS_KEY "AKIASANDBOX000000000"
#define SANDBOX_SECRET_KEY "the simulated cloud's only secret key"
#define SANDBOX_REGION "eu-central-1"
#define SANDBOX_ACCOUNT "111122223333" /* one of those that AWS keeps for examples */

struct sandbox_options {
    const char *folder;       /* where this target's simulated cloud lives; NULL: in memory only */
    const char *project_root; /* writes below it go to the overlay */
    const char *state_root;   /* journals and bundles: real files, written through */
    const char *target;       /* name, part of uids */
    const char *account;      /* the simulated AWS account's id; NULL: SANDBOX_ACCOUNT */
    uint64_t seed;            /* 1 unless asked */
    const char *const *faults; /* "12:late", "12+:forbidden"; NULL terminated or NULL */
    const char *crash;        /* "12:sent" or NULL */
};

/* The world, or NULL (bad fault text: ERR_USAGE; folder damaged: ERR_INTERNAL). */
struct world *sandbox_new(const struct sandbox_options *options, struct err *err);

/* Reads scripts for HTTP hosts and programs (tests/sandbox.lua, or a spec): Lua text. */
int sandbox_script(struct world *world, const char *name, struct view text, struct err *err) __attribute__((warn_unused_result));

/* Canonical store as text, sorted (design.md, section 6); raw: everything. */
void sandbox_show(struct world *world, bool raw, struct buf *out);
/* Everything gone, the clock back at 2030-01-01. */
int sandbox_reset(const char *folder, struct err *err) __attribute__((warn_unused_result));

/* Faults that never struck, as "12:late"; number of entries added to the array `out`. */
size_t sandbox_faults_left(struct world *world, struct doc *out);
/* --crash named an attempt that turned out not to be a changing call, or never came: asked at the end of a run. */
bool sandbox_crash_wrong(struct world *world);

/* This target's simulated cluster is an EKS cluster of the simulated account, so it takes EKS tokens alone. */
void sandbox_cluster(struct world *world, const char *region, const char *name);

/* How the engine reaches the simulated cluster: a kubeconfig document for this target. */
struct doc *sandbox_kubeconfig(struct world *world);
