/*
 * Adaptive retries: how fast one service may be asked. Nothing is held up until it throttles for the first time; then
 * attempts cost tokens of a bucket that fills at a rate: cut where it throttled, grown again along a cubic curve that
 * is flat around the rate at which it did (as TCP CUBIC), never above twice what was really sent.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 */
#include "http/call.h"

#include <math.h>

static const double CUT = 0.7, STEEP = 0.4, SMOOTH = 0.8, RATE_MIN = 0.5, OVER_MAX = 2;

enum { MEASURE_MS = 500 };

void http_pace_init(struct http_pace *pace, int64_t now_ms)
{
    *pace = (struct http_pace){
        .rate = 1,
        .room = 1,
        .filled_ms = now_ms,
        .measured_ms = now_ms - now_ms % 1000,
        .cut_ms = now_ms,
    };
}

/* ---- the bucket; a clock that was set back fills nothing ---- */

static void fill(struct http_pace *pace, int64_t now_ms)
{
    if (now_ms > pace->filled_ms)
        pace->tokens = fmin(pace->room, pace->tokens + (double)(now_ms - pace->filled_ms) / 1000 * pace->rate);
    pace->filled_ms = now_ms;
}

void http_pace_rate(struct http_pace *pace, int64_t now_ms, double rate)
{
    fill(pace, now_ms);
    pace->rate = fmax(rate, RATE_MIN);
    pace->room = fmax(rate, 1);
    pace->tokens = fmin(pace->tokens, pace->room);
}

int64_t http_pace_take(struct http_pace *pace, int64_t now_ms)
{
    if (!pace->limits)
        return 0;
    fill(pace, now_ms);
    if (pace->tokens < 1)
        return (int64_t)ceil((1 - pace->tokens) / pace->rate * 1000);
    pace->tokens -= 1;
    return 0;
}

/* ---- the rate that is sent, smoothed over half seconds ---- */

double http_pace_measure(struct http_pace *pace, int64_t now_ms)
{
    int64_t half_ms = now_ms - now_ms % MEASURE_MS;

    pace->count++;
    if (half_ms < pace->measured_ms) /* the clock was set back */
        pace->measured_ms = half_ms;
    if (half_ms > pace->measured_ms) {
        double now = pace->count / ((double)(half_ms - pace->measured_ms) / 1000);

        pace->measured = now * SMOOTH + pace->measured * (1 - SMOOTH);
        pace->count = 0;
        pace->measured_ms = half_ms;
    }
    return pace->measured;
}

/* ---- the curve ---- */

double http_pace_cut(struct http_pace *pace, int64_t now_ms, double rate)
{
    pace->top = rate;
    pace->top_s = cbrt(rate * (1 - CUT) / STEEP);
    pace->cut_ms = now_ms;
    return rate * CUT;
}

double http_pace_grow(const struct http_pace *pace, int64_t now_ms)
{
    double from_top_s = (double)(now_ms - pace->cut_ms) / 1000 - pace->top_s;

    return STEEP * from_top_s * from_top_s * from_top_s + pace->top;
}

void http_pace_answered(struct http_pace *pace, int64_t now_ms, bool throttled)
{
    double measured = http_pace_measure(pace, now_ms), rate;

    if (throttled)
        rate = http_pace_cut(pace, now_ms, pace->limits ? fmin(measured, pace->rate) : measured);
    else
        rate = http_pace_grow(pace, now_ms);
    pace->limits |= throttled;
    http_pace_rate(pace, now_ms, fmin(rate, OVER_MAX * measured));
}
