/*
 * Times as AWS writes them, exact to the microsecond: epoch seconds, ISO 8601 with and without separators, RFC 822 and
 * the two older dates of HTTP. What names no zone is UTC.
 */
#include "aws/protocol_inside.h"
#include "codec/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DAY_S = 86400, TEXT_MAX = 64 };
#define US_PER_S ((int64_t)1000000)
#define SECONDS_MIN (-62135596800) /* the year 1 */
#define SECONDS_MAX 253402300799   /* the end of the year 9999 */

static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct moment {
    int64_t year;
    int month, day, hour, minute, second, us;
    int east_minutes; /* of UTC */
};

/* Days since 1970 of a date of the proleptic Gregorian calendar; years begin in March, so that leap days end them. */
static int64_t days_of(int64_t year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static void date_of(int64_t days, struct moment *moment)
{
    int64_t since = days + 719468, era = since / 146097, rest = since % 146097;
    int64_t year = (rest - rest / 1460 + rest / 36524 - rest / 146096) / 365;
    int64_t day = rest - (365 * year + year / 4 - year / 100), m = (5 * day + 2) / 153;

    moment->day = (int)(day - (153 * m + 2) / 5 + 1);
    moment->month = (int)(m < 10 ? m + 3 : m - 9);
    moment->year = 400 * era + year + (moment->month <= 2);
}

static int month_days(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool us_of(const struct moment *moment, int64_t *us)
{
    int64_t seconds;

    if (moment->year < 1 || moment->year > 9999 || moment->month < 1 || moment->month > 12 || moment->day < 1 ||
        moment->day > month_days(moment->year, moment->month) || moment->hour > 23 || moment->minute > 59 ||
        moment->second > 59)
        return false;
    seconds = days_of(moment->year, moment->month, moment->day) * DAY_S + moment->hour * 3600 + moment->minute * 60 +
              moment->second - moment->east_minutes * 60;
    *us = seconds * US_PER_S + moment->us;
    return seconds >= SECONDS_MIN && seconds <= SECONDS_MAX;
}

/* Exactly so many digits. */
static bool digits(const char **at, int count, int *value)
{
    *value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        *value = *value * 10 + (**at - '0');
    }
    return true;
}

static bool skip(const char **at, char c)
{
    bool met = **at == c;

    *at += met;
    return met;
}

static void skip_blanks(const char **at)
{
    while (**at == ' ' || **at == '\t')
        (*at)++;
}

/* ".123": what is finer than a microsecond is cut off. */
static bool fraction(const char **at, int *us)
{
    int unit = 100000;

    *us = 0;
    if (**at != '.' && **at != ',')
        return true;
    if ((*at)[1] < '0' || (*at)[1] > '9')
        return false;
    for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        *us += (**at - '0') * unit;
    return true;
}

/* "", "Z", "GMT", "+0130", "+01:30", "-01". */
static bool zone(const char **at, int *east_minutes)
{
    static const char *const utc[] = {"GMT", "UTC", "UT", "Z"};
    int sign = **at == '-' ? -1 : 1, hours, minutes = 0;

    *east_minutes = 0;
    for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++)
        if (strncasecmp(*at, utc[i], strlen(utc[i])) == 0) {
            *at += strlen(utc[i]);
            return true;
        }
    if (**at != '+' && **at != '-')
        return true;
    (*at)++;
    if (!digits(at, 2, &hours))
        return false;
    if (skip(at, ':') || (**at >= '0' && **at <= '9'))
        if (!digits(at, 2, &minutes))
            return false;
    *east_minutes = sign * (hours * 60 + minutes);
    return hours < 24 && minutes < 60;
}

static bool clock_time(const char **at, bool separated, struct moment *moment)
{
    if (!digits(at, 2, &moment->hour))
        return false;
    if (separated && !skip(at, ':'))
        return false;
    if (!digits(at, 2, &moment->minute))
        return false;
    if (separated ? skip(at, ':') : **at >= '0' && **at <= '9')
        return digits(at, 2, &moment->second) && fraction(at, &moment->us);
    return true;
}

static bool iso8601(const char *at, struct moment *moment)
{
    int year;
    bool separated;

    if (!digits(&at, 4, &year))
        return false;
    moment->year = year;
    separated = skip(&at, '-');
    if (!digits(&at, 2, &moment->month) || (separated && !skip(&at, '-')) || !digits(&at, 2, &moment->day))
        return false;
    if (!*at)
        return true;
    if (!skip(&at, 'T') && !skip(&at, 't') && !skip(&at, ' '))
        return false;
    if (!clock_time(&at, at[0] && at[1] && at[2] == ':', moment))
        return false;
    skip_blanks(&at);
    return zone(&at, &moment->east_minutes) && !*at;
}

static bool month_name(const char **at, int *month)
{
    for (*month = 1; *month <= 12; (*month)++)
        if (strncasecmp(*at, MONTHS[*month - 1], 3) == 0) {
            *at += 3;
            return true;
        }
    return false;
}

/* One or two digits. */
static bool day_number(const char **at, int *day)
{
    skip_blanks(at);
    return digits(at, (*at)[0] && (*at)[1] >= '0' && (*at)[1] <= '9' ? 2 : 1, day);
}

static bool year_number(const char **at, int64_t *year)
{
    int value;
    bool whole;

    skip_blanks(at);
    whole = strspn(*at, "0123456789") >= 4;
    if (!digits(at, whole ? 4 : 2, &value))
        return false;
    *year = whole ? value : value + (value < 70 ? 2000 : 1900);
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994". */
static bool http_date(const char *at, struct moment *moment)
{
    const char *comma = strchr(at, ',');
    bool asctime = false, clear;

    if (comma)
        at = comma + 1;
    else if (!(*at >= '0' && *at <= '9')) {
        at += strcspn(at, " ");
        asctime = true;
    }
    skip_blanks(&at);
    if (asctime)
        return month_name(&at, &moment->month) && day_number(&at, &moment->day) && skip(&at, ' ') &&
               clock_time(&at, true, moment) && year_number(&at, &moment->year) && !*at;
    clear = day_number(&at, &moment->day);
    skip_blanks(&at);
    skip(&at, '-');
    clear = clear && month_name(&at, &moment->month);
    skip_blanks(&at);
    skip(&at, '-');
    clear = clear && year_number(&at, &moment->year) && skip(&at, ' ') && clock_time(&at, true, moment);
    skip_blanks(&at);
    return clear && zone(&at, &moment->east_minutes) && !*at;
}

/* To the nearest microsecond, as Python's datetime does it: the fraction by itself, a product of all would lose its
 * last bits. */
static int64_t us_of_seconds(double seconds)
{
    double whole, part = modf(seconds, &whole);

    return (int64_t)whole * US_PER_S + llrint(part * 1e6);
}

/* Decimal digits are taken exactly, an exponent as a double. */
static bool epoch(const char *text, int64_t *us)
{
    const char *at = text + (*text == '-' || *text == '+');
    size_t whole = strspn(at, "0123456789");
    int64_t seconds = 0;
    int part;
    double value;
    char *end;

    if ((whole || (at[0] == '.' && at[1])) && whole <= 12) {
        for (size_t i = 0; i < whole; i++)
            seconds = seconds * 10 + (at[i] - '0');
        at += whole;
        if (at[0] == '.' && !at[1])
            at++;
        if (fraction(&at, &part) && !*at) {
            *us = (seconds * US_PER_S + part) * (*text == '-' ? -1 : 1);
            return *us >= SECONDS_MIN * US_PER_S && *us < (SECONDS_MAX + 1) * US_PER_S;
        }
    }
    if (!*text || !strspn(text, "+-.0123456789"))
        return false;
    value = strtod(text, &end);
    if (*end || !(value >= SECONDS_MIN && value <= SECONDS_MAX) || strpbrk(text, "xXpP"))
        return false;
    *us = us_of_seconds(value);
    return true;
}

bool aws_time_parse_us(struct view text, int64_t *us)
{
    char copy[TEXT_MAX];
    struct moment moment = {0};

    while (text.len && strchr(" \t\r\n", text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && strchr(" \t\r\n", text.ptr[text.len - 1]))
        text.len--;
    if (!text.len || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (epoch(copy, us))
        return true;
    if (iso8601(copy, &moment))
        return us_of(&moment, us);
    moment = (struct moment){0};
    return http_date(copy, &moment) && us_of(&moment, us);
}

bool aws_time_of_doc(const struct doc *value, int64_t *us)
{
    double seconds = doc_as_real(value, NAN);

    if (doc_is(value, DOC_STRING))
        return aws_time_parse_us(doc_as_view(value), us);
    if (!(seconds >= SECONDS_MIN && seconds <= SECONDS_MAX))
        return false;
    *us = doc_is(value, DOC_INT) ? doc_as_int(value, 0) * US_PER_S : us_of_seconds(seconds);
    return true;
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static void moment_of(int64_t us, struct moment *moment)
{
    int64_t seconds = floor_div(us, US_PER_S), days = floor_div(seconds, DAY_S), rest = seconds - days * DAY_S;

    date_of(days, moment);
    moment->us = (int)(us - seconds * US_PER_S);
    moment->hour = (int)(rest / 3600);
    moment->minute = (int)(rest / 60 % 60);
    moment->second = (int)(rest % 60);
}

void aws_time_add_us(struct buf *out, int64_t us, enum aws_time format)
{
    struct moment at;
    struct doc *number;

    moment_of(us, &at);
    if (format == AWS_TIME_UNIX) {
        number = aws_time_unix_doc(us);
        json_add(out, number, JSON_ASCII);
        doc_unref(number);
    } else if (format == AWS_TIME_RFC822) {
        size_t weekday = (size_t)((days_of(at.year, at.month, at.day) % 7 + 11) % 7);

        buf_addf(out, "%s, %02d %s %04d %02d:%02d:%02d GMT", DAYS[weekday], at.day, MONTHS[at.month - 1], (int)at.year,
                 at.hour, at.minute, at.second);
    } else {
        buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d", (int)at.year, at.month, at.day, at.hour, at.minute, at.second);
        if (at.us)
            buf_addf(out, ".%06d", at.us);
        while (at.us && format == AWS_TIME_DEFAULT && out->ptr[out->len - 1] == '0')
            out->ptr[--out->len] = '\0';
        buf_add_char(out, 'Z');
    }
}

struct doc *aws_time_doc(int64_t us)
{
    struct buf text;
    struct doc *doc;

    buf_init(&text, TEXT_MAX);
    aws_time_add_us(&text, us, AWS_TIME_DEFAULT);
    doc = doc_string(buf_view(&text));
    buf_free(&text);
    return doc;
}

struct doc *aws_time_unix_doc(int64_t us)
{
    return us % US_PER_S ? doc_real((double)us / 1e6) : doc_int(us / US_PER_S);
}

bool aws_time_parse(struct view text, double *seconds)
{
    int64_t us;

    if (!aws_time_parse_us(text, &us))
        return false;
    *seconds = (double)us / 1e6;
    return true;
}

void aws_time_add(struct buf *out, double seconds, enum aws_time format)
{
    double within = seconds >= SECONDS_MIN ? seconds <= SECONDS_MAX ? seconds : SECONDS_MAX : SECONDS_MIN;

    aws_time_add_us(out, llrint(within * 1e6), format);
}
