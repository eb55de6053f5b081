/* Kubernetes' way to write a time (RFC 3339). */
#include "kube/inside.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Milliseconds of the fraction at *at, which moves past it. */
static int64_t fraction_parse(const char **at)
{
    int64_t ms = 0, scale = 100;

    if (**at != '.')
        return 0;
    for (++*at; isdigit((unsigned char)**at); ++*at, scale /= 10)
        ms += (**at - '0') * scale;
    return ms;
}

int64_t kube_time_parse(const char *text)
{
    struct tm tm = {0};
    int hours, minutes;
    int64_t ms;
    char t;

    if (!text || strlen(text) < 20 ||
        sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &t, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec) != 7 ||
        t != 'T')
        return -1;
    text += 19;
    tm.tm_year -= 1900;
    tm.tm_mon--;
    ms = (int64_t)timegm(&tm) * 1000 + fraction_parse(&text);
    if (strcmp(text, "Z") == 0)
        return ms;
    if ((*text != '+' && *text != '-') || strlen(text) != 6 || sscanf(text + 1, "%2d:%2d", &hours, &minutes) != 2)
        return -1;
    return ms - (*text == '+' ? 1 : -1) * (hours * 60 + minutes) * INT64_C(60000);
}

void kube_time_add(struct buf *out, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[64];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_addf(out, "%s.%03d000Z", text, (int)(ms % 1000));
}
