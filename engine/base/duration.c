#include "base/duration.h"

#include <inttypes.h>
#include <string.h>

enum {
    SECOND_MS = 1000,
    MINUTE_MS = 60 * SECOND_MS,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    DAYS_MAX = 10000
};

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", DAY_MS}, {"h", HOUR_MS}, {"m", MINUTE_MS}, {"s", SECOND_MS}, {"ms", 1}};
enum { UNITS = sizeof(units) / sizeof(units[0]) };

static int refuse(const char *text, struct err *err)
{
    return err_set(err, ERR_USAGE, "\"%s\" is no duration; write 30s, 5m or 1h30m", text);
}

int duration_parse(const char *text, int64_t *ms, struct err *err)
{
    const int64_t limit = (int64_t)DAYS_MAX * DAY_MS;
    const char *at = text;
    size_t unit = 0;
    int64_t sum = 0;

    if (strcmp(text, "0") == 0) {
        *ms = 0;
        return 0;
    }
    do {
        int64_t count = 0;
        size_t name_len;

        if (*at < '0' || *at > '9')
            return refuse(text, err);
        for (; *at >= '0' && *at <= '9'; at++) {
            count = count * 10 + (*at - '0');
            if (count > limit)
                return err_set(err, ERR_USAGE, "the duration \"%s\" is longer than %d days", text, DAYS_MAX);
        }
        if (!*at)
            return err_set(err, ERR_USAGE, "the duration \"%s\" lacks a unit; write 30s, 5m or 1h30m", text);
        name_len = strspn(at, "abcdefghijklmnopqrstuvwxyz");
        while (unit < UNITS && (strlen(units[unit].name) != name_len || strncmp(units[unit].name, at, name_len) != 0))
            unit++;
        if (unit == UNITS)
            return refuse(text, err);
        if (count > limit / units[unit].ms || sum + count * units[unit].ms > limit)
            return err_set(err, ERR_USAGE, "the duration \"%s\" is longer than %d days", text, DAYS_MAX);
        sum += count * units[unit++].ms;
        at += name_len;
    } while (*at);
    *ms = sum;
    return 0;
}

static void add_pair(struct buf *out, int64_t ms, int64_t large_ms, char large, int64_t small_ms, char small)
{
    int64_t rest = ms % large_ms / small_ms;

    buf_addf(out, "%" PRId64 "%c", ms / large_ms, large);
    if (rest)
        buf_addf(out, "%02" PRId64 "%c", rest, small);
}

void duration_add(struct buf *out, int64_t ms)
{
    if (ms < 0)
        ms = 0;
    if (ms < 100)
        buf_addf(out, "%" PRId64 "ms", ms);
    else if (ms < INT64_C(10) * SECOND_MS)
        buf_addf(out, "%" PRId64 ".%" PRId64 "s", ms / SECOND_MS, ms % SECOND_MS / 100);
    else if (ms < MINUTE_MS)
        buf_addf(out, "%" PRId64 "s", ms / SECOND_MS);
    else if (ms < HOUR_MS)
        add_pair(out, ms, MINUTE_MS, 'm', SECOND_MS, 's');
    else if (ms < DAY_MS)
        add_pair(out, ms, HOUR_MS, 'h', MINUTE_MS, 'm');
    else
        add_pair(out, ms, DAY_MS, 'd', HOUR_MS, 'h');
}
