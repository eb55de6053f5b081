/*
 * The one retry table. A retried attempt must be worth it (the status or break may pass), harmless
 * (the request may be repeated, or surely was not done) and affordable (the run's budget).
 */
#include "http/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIRST_DELAY_MS = 100, DELAY_MAX_MS = 20000, RETRY_AFTER_MAX_MS = 120000, DOUBLINGS_MAX = 10 };

bool http_retry_status(int status, struct view body)
{
    switch (status) {
    case 429:
    case 502:
    case 503:
    case 504:
        return true;
    case 500: /* an API server whose etcd changes its leader says so like this */
        return body.len && memmem(body.ptr, body.len, "etcdserver", strlen("etcdserver"));
    default:
        return false;
    }
}

static bool origin_known(const struct http_call *call)
{
    for (int i = 0; i < call->http->origins_len; i++)
        if (strcmp(call->http->origins[i], call->origin) == 0)
            return true;
    return false;
}

void http_origin_answered(struct http_call *call)
{
    struct http *http = call->http;

    if (!origin_known(call) && http->origins_len < HTTP_ORIGINS_MAX)
        http->origins[http->origins_len++] = mem_text(call->origin);
}

/* A server that answered before and cannot be reached now is restarting; one that never did is a mistake. */
static int attempts_max(const struct http_call *call, const struct err *err)
{
    if (call->request.attempts_max > 0)
        return call->request.attempts_max;
    return err->kind == ERR_NETWORK && origin_known(call) ? HTTP_ATTEMPTS_RESTART_MAX : HTTP_ATTEMPTS_MAX;
}

static bool quota_take(struct http_call *call, const struct err *err)
{
    struct http_quota *quota = call->request.quota;

    if (!quota)
        return true;
    int cost = err->status ? quota->retry_cost : quota->timeout_cost;
    if (cost > quota->tokens)
        return false;
    quota->tokens -= cost;
    call->quota_taken = cost;
    return true;
}

void http_retry_give(struct http_call *call)
{
    struct http_quota *quota = call->request.quota;
    int back = call->quota_taken ? call->quota_taken : 1;

    if (quota)
        quota->tokens = back < quota->max - quota->tokens ? quota->tokens + back : quota->max;
}

bool http_retry_take(struct http_call *call, const struct err *err)
{
    struct http *http = call->http;
    int budget = call->request.backward ? http->retries : http->retries - http->reserve;

    if (!err->retryable || call->streaming || call->retries + 1 >= attempts_max(call, err) || http->used >= budget)
        return false;
    if (call->request.repeat == HTTP_REPEAT_NEVER && err->maybe_done)
        return false;
    if (!quota_take(call, err))
        return false;
    call->retries++;
    http->used++;
    return true;
}

int64_t http_retry_delay_ms(struct world *world, uint64_t attempt, int64_t first_ms, int retries,
                            int64_t retry_after_ms)
{
    int64_t cap = (first_ms ? first_ms : FIRST_DELAY_MS) << (retries < DOUBLINGS_MAX ? retries : DOUBLINGS_MAX);
    char purpose[48];
    uint32_t random;

    if (cap > DELAY_MAX_MS)
        cap = DELAY_MAX_MS;
    snprintf(purpose, sizeof(purpose), "retry after attempt %llu", (unsigned long long)attempt);
    world_random(world, purpose, (unsigned char *)&random, sizeof(random));
    int64_t delay = (int64_t)((uint64_t)random * (uint64_t)(cap + 1) >> 32);
    if (retry_after_ms > RETRY_AFTER_MAX_MS)
        retry_after_ms = RETRY_AFTER_MAX_MS;
    return delay < retry_after_ms ? retry_after_ms : delay;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", the only form that RFC 9110 lets servers make; -1 otherwise. */
static int64_t date_parse_ms(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char month[4];
    struct tm tm = {0};
    int end = 0;

    if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour,
               &tm.tm_min, &tm.tm_sec, &end) != 6 ||
        !end || text[end])
        return -1;
    const char *found = strstr(months, month);
    if (!found || (found - months) % 3 || strlen(month) != 3)
        return -1;
    tm.tm_mon = (int)(found - months) / 3;
    tm.tm_year -= 1900;
    return (int64_t)timegm(&tm) * 1000;
}

int64_t http_retry_after_parse(const char *text, int64_t now_ms)
{
    int64_t wait_ms;
    char *end;

    if (*text >= '0' && *text <= '9') {
        unsigned long long seconds = strtoull(text, &end, 10);

        if (*end)
            return -1;
        wait_ms = seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : (int64_t)seconds * 1000;
    } else {
        int64_t date_ms = date_parse_ms(text);

        if (date_ms < 0)
            return -1;
        wait_ms = date_ms > now_ms ? date_ms - now_ms : 0;
    }
    return wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
}
