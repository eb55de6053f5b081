#include "unit.h"

#include "base/duration.h"

static int64_t parsed(const char *text)
{
    struct err err = ERR_INIT;
    int64_t ms = -7;

    if (duration_parse(text, &ms, &err)) {
        CHECK_INT(err.kind, ERR_USAGE);
        CHECK(err.message[0] != '\0');
        return -1;
    }
    return ms;
}

TEST(duration_reads_what_people_write)
{
    CHECK_INT(parsed("30s"), 30000);
    CHECK_INT(parsed("5m"), 300000);
    CHECK_INT(parsed("1h30m"), 5400000);
    CHECK_INT(parsed("500ms"), 500);
    CHECK_INT(parsed("1s500ms"), 1500);
    CHECK_INT(parsed("2d"), 172800000);
    CHECK_INT(parsed("0"), 0);
    CHECK_INT(parsed("0s"), 0);
}

TEST(duration_refuses_the_rest)
{
    CHECK_INT(parsed(""), -1);
    CHECK_INT(parsed("30"), -1);
    CHECK_INT(parsed("s"), -1);
    CHECK_INT(parsed("-5s"), -1);
    CHECK_INT(parsed("5 m"), -1);
    CHECK_INT(parsed("5M"), -1);
    CHECK_INT(parsed("1.5h"), -1);
    CHECK_INT(parsed("30m1h"), -1);
    CHECK_INT(parsed("1m1m"), -1);
    CHECK_INT(parsed("10001d"), -1);
    CHECK_INT(parsed("99999999999999999999s"), -1);
}

static void check_shown(int64_t ms, const char *want)
{
    struct buf out;

    buf_init(&out, 64);
    duration_add(&out, ms);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
}

TEST(duration_shows_two_units)
{
    check_shown(-1, "0ms");
    check_shown(12, "12ms");
    check_shown(1449, "1.4s");
    check_shown(41000, "41s");
    check_shown(60000, "1m");
    check_shown(303000, "5m03s");
    check_shown(3720000, "1h02m");
    check_shown(273600000, "3d04h");
}
