#include "aws/protocol_inside.h"
#include "unit.h"

#include <math.h>
#include <string.h>

static void check_parse(const char *text, double want)
{
    double got = NAN;

    if (!aws_time_parse(view_of(text), &got) || fabs(got - want) > 1e-6)
        unit_fail(__FILE__, __LINE__, "\"%s\" is %.6f, not %.6f", text, got, want);
}

static void check_none(const char *text)
{
    double got;

    if (aws_time_parse(view_of(text), &got))
        unit_fail(__FILE__, __LINE__, "\"%s\" was taken, as %.6f", text, got);
}

static void check_form(double seconds, enum aws_time format, const char *want)
{
    struct buf out;

    buf_init(&out, 100);
    aws_time_add(&out, seconds, format);
    CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
}

TEST(aws_times_of_all_spellings)
{
    check_parse("2015-01-01T00:00:00Z", 1420070400);
    check_parse("2015-01-01T00:00:00.123456789Z", 1420070400.123456);
    check_parse("2015-01-01T01:30:00+01:30", 1420070400);
    check_parse("2014-12-31T22:30-0130", 1420070400);
    check_parse("20150101T000000Z", 1420070400);
    check_parse("2015-01-01 00:00:00", 1420070400);
    check_parse(" 2015-01-01\n", 1420070400);
    check_parse("1420070400", 1420070400);
    check_parse("1.4200704e9", 1420070400);
    check_parse("1420070400.5", 1420070400.5);
    check_parse("-1.25", -1.25);
    check_parse("Thu, 01 Jan 2015 00:00:00 GMT", 1420070400);
    check_parse("Thu, 1 Jan 2015 02:00:00 +0200", 1420070400);
    check_parse("01 Jan 2015 00:00:00.250 UTC", 1420070400.25);
    check_parse("Thursday, 01-Jan-15 00:00:00 GMT", 1420070400);
    check_parse("Thu Jan  1 00:00:00 2015", 1420070400);
    check_parse("2000-02-29T23:59:59Z", 951868799);
    check_parse("1969-12-31T23:59:59.5Z", -0.5);
    check_parse("0001-01-01T00:00:00Z", -62135596800);
    check_parse("9999-12-31T23:59:59Z", 253402300799);
}

TEST(aws_times_that_are_none)
{
    check_none("");
    check_none("today");
    check_none("2015-02-29T00:00:00Z");
    check_none("2015-13-01");
    check_none("2015-01-01T24:00:00Z");
    check_none("2015-01-01T00:60:00Z");
    check_none("2015-01-01T00:00:00Zx");
    check_none("2015-01-01T00:00:00.Z");
    check_none("2015-01-01T00:00:00+2");
    check_none("10000-01-01T00:00:00Z");
    check_none("0000-12-31T00:00:00Z");
    check_none("253402300800");
    check_none("1e300");
    check_none("nan");
    check_none("inf");
    check_none("0x10");
    check_none(".");
    check_none("-");
    check_none("Thu, 01 Foo 2015 00:00:00 GMT");
}

TEST(aws_time_forms)
{
    check_form(1420070400, AWS_TIME_ISO8601, "2015-01-01T00:00:00Z");
    check_form(1420070400.5, AWS_TIME_ISO8601, "2015-01-01T00:00:00.500000Z");
    check_form(1420070400.5, AWS_TIME_DEFAULT, "2015-01-01T00:00:00.5Z");
    check_form(1420070400, AWS_TIME_UNIX, "1420070400");
    check_form(1420070400.25, AWS_TIME_UNIX, "1420070400.25");
    check_form(1420070400.9, AWS_TIME_RFC822, "Thu, 01 Jan 2015 00:00:00 GMT");
    check_form(-0.5, AWS_TIME_ISO8601, "1969-12-31T23:59:59.500000Z");
    check_form(-86400, AWS_TIME_RFC822, "Wed, 31 Dec 1969 00:00:00 GMT");
    check_form(951782400, AWS_TIME_RFC822, "Tue, 29 Feb 2000 00:00:00 GMT");
    check_form(-62135596800, AWS_TIME_RFC822, "Mon, 01 Jan 0001 00:00:00 GMT");
    check_form(1e300, AWS_TIME_ISO8601, "9999-12-31T23:59:59Z");
    check_form(NAN, AWS_TIME_ISO8601, "0001-01-01T00:00:00Z");
}

TEST(aws_times_have_the_nearest_microsecond)
{
    struct doc *between = doc_real(1795526415.8028195); /* as a double a little before the middle of two */
    int64_t us = 0;

    CHECK(aws_time_of_doc(between, &us));
    CHECK_INT(us, 1795526415802819);
    doc_unref(between);
}

TEST(aws_times_come_back)
{
    uint64_t state = 42;

    for (int i = 0; i < 20000; i++) {
        double seconds, back;
        struct buf out;

        state = state * 6364136223846793005u + 1442695040888963407u;
        seconds = (double)((int64_t)(state >> 20) % 8000000000 - 2000000000);
        buf_init(&out, 100);
        aws_time_add(&out, seconds, (enum aws_time)(i % 4));
        if (!aws_time_parse(buf_view(&out), &back) || fabs(back - seconds) > 1e-6)
            unit_fail(__FILE__, __LINE__, "%s is not %.0f", buf_text(&out), seconds);
        buf_free(&out);
    }
}
