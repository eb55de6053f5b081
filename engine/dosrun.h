#pragma once
/*
 * dosrun: the rooms wired together, and what each command does with them.
 * Owns: every long-lived thing of a process, made and freed here.
 * Never: contains a rule of a room; passes functions in where data must flow against the arrows.
 */
#include "bind/bind.h"
#include "change/change.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "http/http.h"
#include "kube/kube.h"
#include "run/run.h"
#include "script/script.h"
#include "store/store.h"
#include "world/world.h"

enum {
    EXIT_DONE = 0,
    EXIT_UNDONE = 1,
    EXIT_DRIFT = 2,
    EXIT_STOPPED = 3,
    EXIT_LEFT = 4,
    EXIT_LOCKED = 5,
    EXIT_USAGE = 64,
    EXIT_INTERNAL = 70,
    EXIT_NOPERM = 77,
    EXIT_INTERRUPTED = 130,
};

struct dosrun {
    struct command *command;
    int argc;
    char **argv;

    /* the place */
    char *project;          /* absolute path of the project's root; "" outside of one */
    char *playbook_path;    /* relative to it */
    char *state_root;       /* absolute */
    char *target_name;
    struct doc *targets;    /* targets.lua, or NULL */
    struct doc *target;     /* its entry in targets.lua, or an empty object */
    struct doc *values;     /* target's values, then --set */

    /* the rooms */
    struct world *real, *world; /* equal unless in the sandbox */
    struct event_bus *bus;
    struct output *output;
    struct marks *marks;
    struct http *http;
    struct script *script;
    struct kube *kube;
    struct aws *aws;
    struct aws_config *aws_config;
    struct eks *eks;        /* of a target of kind eks, once it was found */
    struct kube_lease *lease;
    struct store *store;
    struct journal *journal;
    struct changes *changes;
    struct run *run;
    struct playbook *playbook;
    struct bind bind;
    struct loop loop;
    struct timer *ticker;

    /* the run */
    char *run_id;
    struct doc *bundle;     /* path -> text, what was read in this run */
    struct doc *history;    /* events of the journal being resumed, or NULL */
    bool from_bundle;       /* files come from the bundle alone */
    struct doc *unproven;   /* paths read while an edited playbook loads: recorded once it has loaded; or NULL */
    struct doc *edited;     /* paths whose text differs from the bundle (resume --edited) */
    bool interrupted, drifted, done;
    struct err err;         /* what ended it */
    struct err answer;      /* of the one thing that dosrun_wait waits for just now */
    struct place place;     /* where, in the author's files */
    char *step;             /* in which step */
    char *identity;         /* of the cluster */
    struct doc *next;       /* commands to paste */
    int64_t began_ms;
    bool finished;          /* output_finish was called */
};

/* Runs one command; the exit code. */
int dosrun_main(int argc, char **argv);

/* ---- rooms (dosrun.c) ---- */
int dosrun_open(struct dosrun *dosrun, struct err *err) __attribute__((warn_unused_result)); /* world, output, script, http for the chosen target */
void dosrun_bundle_proven(struct dosrun *dosrun); /* what was read meanwhile goes into the journal's bundle */
void dosrun_wait(struct dosrun *dosrun); /* turns the loop until dosrun->done */
void dosrun_next(struct dosrun *dosrun, const char *format, ...) __attribute__((format(printf, 2, 3)));
struct doc *dosrun_event(const char *type, const char *member, const char *text);
void dosrun_text(struct dosrun *dosrun, const char *format, ...) __attribute__((format(printf, 2, 3))); /* a result for people */
/* The exit code for an error before anything was touched: 64, 77, 5, 70 or 1. */
int dosrun_exit_for(const struct err *err);
/* The event "error": message, place, source line, context; and one more line of context. */
struct doc *dosrun_error_event(struct dosrun *dosrun, const struct err *err);
void dosrun_context(struct doc *event, const char *word, struct view text);
/* Shows the error and returns code. */
int dosrun_fail(struct dosrun *dosrun, const struct err *err, int code);

/* The error of a run that was undone: dosrun->err if there is one, with what undo did and what it left. */
void dosrun_undo_error(struct dosrun *dosrun, const struct undo_report *report, const struct doc *list);

/* ---- the place (place.c) ---- */
int place_find(struct dosrun *dosrun, struct err *err) __attribute__((warn_unused_result)); /* project, playbook_path, state_root, targets, target_name */
bool place_needs_cluster(const struct dosrun *dosrun); /* kind kube or eks: by targets.lua, or by what the playbook took */
/* Before step 1: account and cluster, as far as the playbook needs them, are those that targets.lua means. */
int place_check(struct dosrun *dosrun, struct err *err) __attribute__((warn_unused_result));
char *place_store_root(const struct dosrun *dosrun);
/* A file of the project; for a path that ends in "/" the names of the files in that folder, one a line. */
int place_read(struct dosrun *dosrun, const char *path, struct buf *out, struct err *err) __attribute__((warn_unused_result));

void bundle_gather(struct dosrun *dosrun); /* bundle.c: lib/ and manifests/ into the bundle, before the first step */

/* ---- the cluster (cluster.c) ---- */
struct kube *cluster_client(struct dosrun *dosrun, struct err *err); /* made on first use */
int cluster_check(struct dosrun *dosrun, struct err *err) __attribute__((warn_unused_result)); /* reachable, and the one that targets.lua means */
int cluster_lock(struct dosrun *dosrun, struct err *err) __attribute__((warn_unused_result));
void cluster_unlock(struct dosrun *dosrun);

/* ---- AWS (cloud.c) ---- */
struct aws *cloud_client(struct dosrun *dosrun, struct err *err); /* made on first use */
struct undo_handler cloud_undo_handler(struct dosrun *dosrun);     /* of aws.call */
/* Was AWS asked for: by an option, by the target, by this machine's environment or files? */
bool cloud_is_meant(struct dosrun *dosrun);
/* Asks sts whose credentials these are, awaited; caller: their ARN, to be freed. The account must be the target's, if it names one. */
int cloud_check(struct dosrun *dosrun, char **caller, struct err *err) __attribute__((warn_unused_result));
void cloud_free(struct dosrun *dosrun);

/* ---- EKS (eks.c) ---- */
bool target_is_eks(const struct dosrun *dosrun);
/* Asks AWS, awaited: whose credentials, which cluster; each must be what targets.lua means. */
int eks_find(struct dosrun *dosrun, struct err *err) __attribute__((warn_unused_result));
/* After eks_find, with the endpoint that EKS tells: with tokens of ours; and as a document, its user taken. */
struct kube_config *eks_config(struct dosrun *dosrun, struct err *err);
struct doc *eks_kubeconfig(const struct dosrun *dosrun, struct doc *user);
const char *eks_arn(const struct dosrun *dosrun); /* NULL before; borrowed */
int eks_refused(const struct dosrun *dosrun, struct err *err); /* after eks_find: it answers 401 */
void eks_free(struct dosrun *dosrun);

/* ---- consent (consent.c): what cannot be undone is asked for before anything is touched ---- */
int consent_ask(struct dosrun *dosrun) __attribute__((warn_unused_result)); /* -1: dosrun->err says how to agree */

/* ---- runs (command_run.c, command_back.c) ---- */
int command_run(struct dosrun *dosrun);      /* also plan */
int command_resume(struct dosrun *dosrun);
int command_rollback(struct dosrun *dosrun);
int command_abandon(struct dosrun *dosrun);
int command_check(struct dosrun *dosrun);

/* ---- the rest, a file each ---- */
int command_runs(struct dosrun *dosrun);
int command_show(struct dosrun *dosrun);
int command_sandbox_show(struct dosrun *dosrun);
int command_sandbox_reset(struct dosrun *dosrun);
int command_kubeconfig(struct dosrun *dosrun);
int command_whoami(struct dosrun *dosrun);
int command_doctor(struct dosrun *dosrun);
int command_new(struct dosrun *dosrun);
int command_test(struct dosrun *dosrun);
int command_pins(struct dosrun *dosrun);
int command_intro(struct dosrun *dosrun);
int command_help(struct dosrun *dosrun); /* a playbook's own */
/* One answer of the target's API server, awaited; NULL with err (command_whoami.c). */
struct doc *cluster_ask(struct dosrun *dosrun, const char *method, const char *path, const struct doc *body, struct err *err);
bool target_is_local(const struct dosrun *dosrun);
/* "1.32, supported until 2026-03-23" of the pin file; 1 when that is over (command_pins.c). */
int pins_support(struct dosrun *dosrun, const char *name, char *out, size_t size);

/* ---- shared by the run commands (session.c) ---- */
int session_load(struct dosrun *dosrun) __attribute__((warn_unused_result)); /* the playbook; -1: dosrun->err says why */
/* Remembers the values of the Secrets that this file of the project holds, before anybody writes them down. */
void manifest_secrets(struct dosrun *dosrun, const char *path, struct view text);
int session_arguments(struct dosrun *dosrun) __attribute__((warn_unused_result)); /* after session_load: words to bind.info */
int session_lock(struct dosrun *dosrun, int *code) __attribute__((warn_unused_result)); /* store, flock, unfinished runs */
int session_changes(struct dosrun *dosrun, enum change_mode mode);
int session_steps(struct dosrun *dosrun);
/* Tells how long it will take when at least three runs like it are known (words: taken). */
void estimate_tell(struct dosrun *dosrun, struct doc *words);
void session_watch(struct dosrun *dosrun); /* Ctrl-C and SIGTERM from here on: once stops, twice ends at once */
int session_forward(struct dosrun *dosrun); /* all steps, then session_finish */
int session_finish(struct dosrun *dosrun);  /* done, or backward, or stopped: the exit code */
int session_back(struct dosrun *dosrun, bool automatic); /* undo, then the end */
int session_end(struct dosrun *dosrun, int code, const char *how); /* settle, run.end, unlock; returns code */
int session_undo(struct dosrun *dosrun, bool automatic, bool plan, struct undo_report *report, struct doc **list);
int session_history(struct dosrun *dosrun, const char *run, bool write); /* journal into dosrun->history and bundle */
int session_find_run(struct dosrun *dosrun, bool unfinished_only, char **run);
