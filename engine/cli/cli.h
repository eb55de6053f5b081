#pragma once
/*
 * cli: commands in (argv to one parsed command), events out (tree, plain, jsonl, quiet); help, man
 * page, completions and the explanations of error codes.
 * Owns: the table of commands and options, the table of error codes, the terminal.
 * Never: includes a room but base and codec, touches the disk, decides what a command does.
 */
#include "base/buf.h"
#include "base/err.h"

enum command_word {
    COMMAND_INTRO, /* `dosrun` alone: three examples and the last run's state */
    COMMAND_RUN,
    COMMAND_PLAN,
    COMMAND_CHECK,
    COMMAND_RESUME,
    COMMAND_ROLLBACK,
    COMMAND_ABANDON,
    COMMAND_RUNS,
    COMMAND_SHOW,
    COMMAND_TEST,
    COMMAND_SANDBOX_SHOW,
    COMMAND_SANDBOX_RESET,
    COMMAND_NEW,
    COMMAND_NEW_GAME,
    COMMAND_PINS,
    COMMAND_PINS_UPDATE,
    COMMAND_KUBECONFIG,
    COMMAND_WHOAMI,
    COMMAND_DOCTOR,
    COMMAND_VERSION,
    COMMAND_HELP, /* also for --help; with `playbook` set: that playbook's own arguments */
    COMMAND_EXPLAIN,
    COMMAND_COMPLETION,
    COMMAND_COUNT,
};

enum output_mode { OUTPUT_AUTO, OUTPUT_TREE, OUTPUT_PLAIN, OUTPUT_JSONL, OUTPUT_QUIET };
enum failure_mode { FAILURE_DEFAULT, FAILURE_ROLLBACK, FAILURE_STOP }; /* default: what the playbook says */

/* Texts of an option that may be given several times, as typed. */
struct command_list {
    const char **texts;
    size_t len;
};

/* Every text but state_dir is borrowed from argv or the environment. */
struct command {
    enum command_word word;
    enum command_word about; /* COMMAND_HELP: whose help; COMMAND_INTRO for all of it */
    const char *playbook;
    /* What comes after the playbook and is no option of dosrun, as typed, so also "--name"; a "--"
       stays in it, because there the playbook's own options end. Other commands: their words. */
    struct command_list args;
    const char *run; /* resume, rollback, abandon, show: a run's id; NULL: none given */

    /* where */
    const char *target; /* NULL: the default one */
    bool sandbox;
    const char *context, *region, *profile;
    bool insecure; /* --insecure-skip-tls-verify */
    char *state_dir; /* owned; NULL: neither --state nor any of the variables is set */

    /* what */
    struct command_list sets; /* "key=value", key never empty */
    enum failure_mode on_failure;
    int64_t max_parallel; /* 1 to 256 */
    int64_t lock_wait_ms;
    bool take_over;
    struct command_list adopts;
    bool yes;
    const char *yes_name; /* --yes=NAME */
    bool edited, plan, calls, events, raw;
    const char *render_dir;
    const char *token; /* kubeconfig: the cluster that a token is asked for */
    int64_t after_ms; /* sandbox show: let so much virtual time pass first */

    /* sandbox */
    uint64_t seed;
    struct command_list faults; /* "12:throttle", "12+:throttle"; checked */
    const char *crash;          /* "12:sent"; checked */

    enum output_mode output;
    int64_t verbose; /* how often -v was given */
};

/* The environment; NULL for a name that is not set. getenv itself has another shape, so that tests need none. */
typedef const char *command_env_fn(void *ctx, const char *name);

/*
 * Reads argv[1] and on. DOSRUN_TARGET, DOSRUN_SANDBOX (1 or 0) and DOSRUN_STATE stand in for
 * options that are not given. A failure is ERR_USAGE (exit 64). command_free either way.
 */
int command_parse(int argc, char **argv, command_env_fn *env, void *ctx, struct command *command, struct err *err)
    __attribute__((warn_unused_result));
void command_free(struct command *command);

/* "run", "sandbox show": the word as typed; "run" and "intro" for the two that have none. */
const char *command_name(enum command_word word);
/* Is "target" (no dashes) an option of dosrun? Playbooks may not name a boolean argument so. */
bool command_is_option(const char *name);

/* `dosrun help [WORD]`: a command, an option, an error code, or "man" for the manual page (roff).
   columns: 0 for 80. An unknown word is ERR_USAGE. */
int help_add(struct buf *out, const struct command *command, int columns, struct err *err)
    __attribute__((warn_unused_result));
/* What `dosrun` alone prints first: three examples. */
void help_add_intro(struct buf *out);
/* `dosrun completion bash|zsh|fish`. */
int completion_add(struct buf *out, const char *shell, struct err *err) __attribute__((warn_unused_result));
