/* The pace of adaptive retries. Numbers: botocore 1.44.5, tests/unit/retries/test_throttling.py, test_bucket.py,
   test_adaptive.py, its clock in seconds. */
#include "http/call.h"
#include "unit.h"

#include <math.h>

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-7;
}

static struct http_pace pace_at(double rate)
{
    struct http_pace pace;

    http_pace_init(&pace, 0);
    http_pace_rate(&pace, 0, rate);
    pace.limits = true;
    return pace;
}

TEST(pace_curve_has_the_published_numbers)
{
    struct http_pace pace = pace_at(10);

    CHECK(near(http_pace_cut(&pace, 0, 10), 7));
    CHECK(near(pace.top_s, 1.9574338205844317));
    for (int64_t ms = 0; ms < 1957; ms += 19)
        CHECK(http_pace_grow(&pace, ms) < 10);
    CHECK(fabs(http_pace_grow(&pace, 1957) - 10) < 1e-6);
    for (int64_t ms = 1958; ms < 6000; ms += 101)
        CHECK(http_pace_grow(&pace, ms) >= 10);
    CHECK(near(http_pace_grow(&pace, 0), 7));
    CHECK(near(http_pace_cut(&pace, 1000, 8), 8 * 0.7));
    CHECK(near(pace.top, 8));
    CHECK(near(pace.top_s, 1.8171205928321397));
    CHECK_INT(pace.cut_ms, 1000);
    CHECK(near(http_pace_grow(&pace, 1000), 8 * 0.7));
}

TEST(pace_bucket_gives_what_its_rate_allows)
{
    struct http_pace pace = pace_at(10);

    for (int64_t s = 1; s <= 5; s++)
        CHECK_INT(http_pace_take(&pace, s * 1000), 0);
    http_pace_rate(&pace, 5000, 1);
    for (int64_t s = 6; s <= 10; s++)
        CHECK_INT(http_pace_take(&pace, s * 1000), 0);
    pace = pace_at(10);
    for (int64_t i = 0; i < 20; i++)
        CHECK_INT(http_pace_take(&pace, 1000 + i * 100), 0);
    pace = pace_at(10);
    CHECK_INT(http_pace_take(&pace, 100), 0);
    CHECK_INT(http_pace_take(&pace, 150), 50);
    CHECK_INT(http_pace_take(&pace, 200), 0);
    CHECK_INT(http_pace_take(&pace, 301), 0);
}

TEST(pace_bucket_has_bounds)
{
    struct http_pace pace = pace_at(10);

    http_pace_rate(&pace, 1000, 0.5);
    CHECK(near(pace.rate, 0.5) && near(pace.room, 1) && near(pace.tokens, 1));
    http_pace_rate(&pace, 1000, 0.1);
    CHECK(near(pace.rate, 0.5) && near(pace.room, 1));
    CHECK_INT(http_pace_take(&pace, 1000), 0);
    CHECK_INT(http_pace_take(&pace, 1000), 2000);
    CHECK_INT(http_pace_take(&pace, 0), 2000); /* the clock was set back */
    CHECK_INT(http_pace_take(&pace, 2000), 0);
    CHECK_INT(http_pace_take(&pace, INT64_MAX / 2), 0);
    CHECK_INT(http_pace_take(&pace, INT64_MAX / 2), 2000);
}

TEST(pace_measures_what_is_sent)
{
    struct http_pace pace;

    http_pace_init(&pace, 0);
    CHECK(near(pace.measured, 0));
    CHECK(near(http_pace_measure(&pace, 1000), 0.8));
    http_pace_init(&pace, 0);
    for (int64_t s = 1; s <= 20; s++)
        http_pace_measure(&pace, s * 1000);
    CHECK(fabs(pace.measured - 1) < 1e-7);
    http_pace_measure(&pace, 0);
    CHECK(http_pace_measure(&pace, 500) > 0);
    CHECK_INT(pace.measured_ms, 500);
}

TEST(pace_waits_only_after_a_throttle_and_grows_again)
{
    struct http_pace pace;
    int64_t now_ms = 0, throttled_ms;
    double slow;

    http_pace_init(&pace, 0);
    for (; now_ms < 4000; now_ms += 20) { /* 50 a second */
        CHECK_INT(http_pace_take(&pace, now_ms), 0);
        http_pace_answered(&pace, now_ms, false);
    }
    CHECK(fabs(pace.measured - 50) < 1);
    http_pace_answered(&pace, now_ms, true);
    CHECK(pace.limits && fabs(pace.rate - 35) < 1);
    slow = pace.rate;
    throttled_ms = now_ms;
    while (now_ms < throttled_ms + 10000) {
        int64_t wait_ms = http_pace_take(&pace, now_ms);

        now_ms += wait_ms;
        if (!wait_ms)
            http_pace_answered(&pace, now_ms, false);
        CHECK(pace.rate <= 2 * pace.measured + 0.001);
    }
    CHECK(pace.rate > slow);
}
