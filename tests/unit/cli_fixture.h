#pragma once
/* An output under test: its two streams, a clock and a terminal that can be resized. */
#include "cli/output.h"

struct screen;

struct fixture {
    struct output_options options;
    struct output *output;
    int out_fd, err_fd;   /* memory files */
    int columns, rows;
    int64_t mono_ms, now_ms;
    uint64_t seq;
    struct screen *screen; /* what stderr drew */
    size_t seen;           /* bytes of stderr that the screen has got */
    int paints;            /* writes seen so far that begin with an erase */
};

/* A UTF-8 terminal without colours at 80 columns; change options and columns, then open. */
void fixture_init(struct fixture *fixture, enum output_mode mode, bool tty);
void fixture_open(struct fixture *fixture);
/* JSON with ' for ", with "type" and, inside a step, "step"; seq and time are added. Advances no clock. */
void fixture_event(struct fixture *fixture, const char *json, ...) __attribute__((format(printf, 2, 3)));
/* Both clocks go on, one tick. */
void fixture_pass(struct fixture *fixture, int64_t ms);
void fixture_resize(struct fixture *fixture, int columns, bool reflow);
/* Everything written so far; free() it. */
char *fixture_out(struct fixture *fixture);
char *fixture_err(struct fixture *fixture);
/* The screen with its history, without blanks at the ends of rows and lines; free() it. */
char *fixture_screen(struct fixture *fixture);
/* The widest row on it. */
int fixture_width(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
