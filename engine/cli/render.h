#pragma once
/* What the renderers share: the state of a run as its events tell it, and pieces of text. Inside cli only. */
#include "cli/output.h"
#include "cli/text.h"

#include "base/list.h"
#include "codec/doc.h"

enum sign { SIGN_NONE, SIGN_START, SIGN_OK, SIGN_FAIL, SIGN_SKIPPED, SIGN_STOPPED };
enum style { STYLE_NONE, STYLE_BOLD, STYLE_GOOD, STYLE_BAD, STYLE_WARN, STYLE_FAINT };

enum {
    RENDER_TEXT_MAX = 8 * 1024 * 1024, /* of any one text on its way out */
    RENDER_REGION_ROWS = 12,
    RENDER_PAINT_MS = 100,
    RENDER_HEARTBEAT_MS = 60000,
    RENDER_BELL_MS = 30000,
};

/* Something that is going on: a step, or the undo of one resource. */
struct activity {
    struct list link;
    char *name;          /* of the step; NULL for an undo */
    char *key;           /* of the undone resource; NULL for a step */
    char *doing;         /* the newest word about it, not escaped; NULL: none */
    int64_t began_ms;    /* wall clock; -1: unknown */
    int64_t since_ms;    /* when the wait in `doing` began; -1: it is no wait */
    struct doc *changes; /* texts of the changes that ended in it */
    int64_t same;
    bool news;           /* the newest wait said something else than the one before */
};

struct output;

struct renderer {
    void (*event)(struct output *output, const char *type, const struct doc *event, struct activity *activity);
    void (*tick)(struct output *output);
    void (*clear)(struct output *output);
    void (*finish)(struct output *output, int exit_code);
};
extern const struct renderer renderer_tree, renderer_plain, renderer_jsonl, renderer_quiet;

struct output {
    struct output_options options;
    const struct renderer *renderer;
    const struct marks *marks;
    struct list activities;
    struct doc *hello, *error, *run_end, *summary; /* the events themselves, once they came */
    struct doc *woulds;                            /* array of change.would */
    char *run, *lock;
    char *awaited; /* somebody else's lock, as it was told; NULL: none, or it is ours now */
    bool sandbox, plan, finished;
    bool headed;       /* the first line was said */
    int64_t now_ms;    /* the world's wall clock as last heard; -1: never */
    int64_t until_ms;  /* when it will probably be done; -1: nothing is known */
    int64_t said_ms;   /* plain: when something was last said */
    int64_t last_seq;
    char last_time[40];
    int name_width;    /* tree: columns of the longest name so far */
    struct buf pending; /* tree: finished rows, not written yet */
    struct buf shown;   /* tree: the live region as it stands on the terminal */
    int shown_columns;
    int64_t painted_ms; /* of the monotonic clock; -1: never */
    bool group_open;    /* plain: a CI's group */
    bool hello_said;    /* jsonl */
};

/* Event members: the first of two names that is there as a text; NULL if neither is. */
const char *event_text(const struct doc *event, const char *name, const char *other);
/* RFC 3339 in UTC to ms since 1970; -1 when it is not of that form. */
int64_t event_time_ms(const char *time);
/* "2030-01-01T00:00:00Z" */
void time_add(struct buf *out, int64_t ms);

/* Escaped for this output's terminal; a line break becomes "\n". text may be NULL. */
void escaped_add(const struct output *output, struct buf *out, const char *text);
void styled_add(struct buf *out, bool color, enum style style, const char *text);
const char *sign_text(const struct output *output, enum sign sign);
void output_write(int fd, struct view bytes);
int output_columns(const struct output *output, int *rows);

/* Is it told in the first line, which waits for all of these? */
bool is_opening(const char *type, const struct doc *event);
/* "playbooks/deploy.lua doom on prod, in the sandbox, run r1, lock: this machine only"; false: nothing to say. */
bool header_add(const struct output *output, struct buf *out);
/* How a step or an undo ended: its sign, and the words for it. */
enum sign step_end_add(const struct doc *event, const struct activity *activity, struct buf *out);
enum sign undo_end_add(const struct doc *event, struct buf *out);
/* A change that ended: its key, and how unless it went well. */
void change_end_add(const struct doc *event, struct buf *out);
/* What is waited for, in one line. */
void wait_add(const struct doc *event, struct buf *out);
/* A call, for -v; false for a type that is no call. */
bool call_add(const char *type, const struct doc *event, struct buf *out);
/* Whose lock it is; false when the first line tells it. */
bool lock_add(const struct output *output, const struct doc *event, struct buf *out);
/* Lines that stand for themselves: log, resume, run.back, settle, somebody else's lock. False for other types,
   and for debug without -vv. */
bool note_add(const struct output *output, const char *type, const struct doc *event, struct buf *out);

/* The end: summary, error, next commands. columns 0: nothing is broken. */
void end_add(const struct output *output, struct buf *out, int columns, bool color);
void error_add(const struct output *output, struct buf *out, int columns, bool color);
/* " (in the sandbox; fault 3:throttle never struck)", or nothing. */
void last_note_add(const struct output *output, struct buf *out);

/* Results, laid out for stdout. */
void plan_add(const struct output *output, struct buf *out, int columns, bool color);
/* A table, a text, a list of differences; false for other types. */
bool result_add(const struct output *output, const char *type, const struct doc *event, struct buf *out);
void drift_add(const struct output *output, struct buf *out, const struct doc *event, int columns, bool color);
/* A value of a document as one line: texts in quotes, the rest as JSON. */
void value_add(const struct output *output, struct buf *out, const struct doc *value);
