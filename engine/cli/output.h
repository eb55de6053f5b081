#pragma once
/*
 * Events out: a sink of the event bus that talks to people or programs. Results (plan, tables,
 * texts) go to stdout, talk to stderr; jsonl writes everything to stdout and nothing else there.
 *
 * base/event.c lists types and members; those that are not there are read when they come:
 *   lock          owner, since_ms: somebody else's, so not yet ours
 *   step.end      outcome also skipped; changes
 *   change.would  risk (groups the plan instead of class), note
 *   wait          object for subject, newest for state, since_ms (wall clock)
 *   text          raw (bool: for programs, not escaped unless stdout is a terminal)
 *   drift         list of {what, found, want}
 *   error         context [{word, text}]: waited, cause, world, ..., next; or all of it in an object "error"
 *   run.end       undone
 * Unknown types and members are passed on by jsonl and ignored by the others.
 */
#include "base/event.h"
#include "cli/cli.h"

struct marks;

enum output_ci { OUTPUT_CI_NONE, OUTPUT_CI_GITHUB, OUTPUT_CI_GITLAB, OUTPUT_CI_BUILDKITE };

struct output_options {
    enum output_mode mode; /* auto: tree where stderr is a terminal that can, else plain */
    int verbose;
    int out_fd, err_fd;    /* borrowed */
    bool out_tty, err_tty;
    /* The size of the terminal now; asked before every repaint. NULL, or values of 0: 80 x 24. */
    void (*size)(void *ctx, int *columns, int *rows);
    /* This machine's monotonic clock, also in the sandbox: it limits repaints. */
    int64_t (*mono_ms)(void *ctx);
    void *ctx;
    /* Read from the environment by output_options_read. */
    bool utf8, dumb, accessible, color_out, color_err;
    enum output_ci ci;
};

/* LC_ALL, LC_CTYPE, LANG, TERM, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, ACCESSIBLE and the names that CI
   services set; needs the tty answers. */
void output_options_read(struct output_options *options, command_env_fn *env, void *ctx);

struct output;
struct output *output_new(const struct output_options *options);
void output_free(struct output *output); /* leaves the terminal clean; accepts NULL */
struct event_sink output_sink(struct output *output);
/* From here every text passes through marks_redact. Borrowed; NULL ends it. */
void output_set_marks(struct output *output, const struct marks *marks);

/* Repaints if due, says a heartbeat if due; now_ms is the world's wall clock. Call it every 100 ms,
   and on SIGWINCH. */
void output_tick(struct output *output, int64_t now_ms);
/* Takes the live region away, so that something else (a question) may write to the terminal; the next
   tick brings it back. */
void output_clear(struct output *output);
/* Everything that comes last: plan, summary, the error, what to do next. Once; nothing is shown after it. */
void output_finish(struct output *output, int exit_code);
