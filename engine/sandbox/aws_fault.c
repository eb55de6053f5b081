/*
 * Faults of the simulated AWS. Wire faults are answered with the codes of "Common errors" in each API reference and of
 * "Error retries and exponential backoff" (AWS SDKs reference guide). State faults: stale, a thing is read as it was
 * three times; ghost, a deleted one is still there for three reads; unready, it is not seen for ten virtual seconds
 * (IAM: "changes that I make are not always immediately visible"); foreign, somebody else tags it.
 */
#include "sandbox/aws_cloud.h"

#include <stdlib.h>
#include <string.h>

enum { READS = 3, UNREADY_MS = 10000 };

/* ---- wire faults ---- */

struct refusal {
    const char *kind, *code;
    int status;
    const char *message;
};

static const struct refusal refusals_query[] = {
    {"expired", "ExpiredToken", 403, "The security token included in the request is expired"},
    {"forbidden", "AccessDenied", 403, "User: user/sandbox is not authorized to perform this"},
    {"conflict", "ConcurrentModification", 409,
     "The request was rejected because multiple requests to change this object "
     "were submitted simultaneously."},
    {"quota", "LimitExceeded", 409, "Cannot exceed quota of this account"},
    {"throttle", "Throttling", 400, "Rate exceeded"},
    {"throttle-after", "Throttling", 400, "Rate exceeded"},
    {"5xx-before", "ServiceUnavailable", 503, "The request has failed due to a temporary failure of the server."},
    {"5xx-after", "InternalFailure", 500, "The request processing has failed because of an unknown error."},
    {0}};

static const struct refusal refusals_ec2[] = {
    {"expired", "RequestExpired", 400, "Request has expired."},
    {"forbidden", "UnauthorizedOperation", 403, "You are not authorized to perform this operation."},
    {"conflict", "IncorrectState", 400, "The resource is in an incorrect state for the request."},
    {"quota", "ResourceLimitExceeded", 400, "You have reached the limit of this resource."},
    {"throttle", "RequestLimitExceeded", 503, "Request limit exceeded."},
    {"throttle-after", "RequestLimitExceeded", 503, "Request limit exceeded."},
    {"5xx-before", "Unavailable", 503, "The server is overloaded and can't handle the request."},
    {"5xx-after", "InternalError", 500, "An internal error has occurred"},
    {0}};

static const struct refusal refusals_json[] = {
    {"expired", "ExpiredTokenException", 400, "The security token included in the request is expired"},
    {"forbidden", "AccessDeniedException", 400, "User: user/sandbox is not authorized to perform this"},
    {"conflict", "ConflictException", 409, "The request conflicts with an operation under way"},
    {"quota", "LimitExceededException", 400, "The operation exceeded the service limit for this account"},
    {"throttle", "ThrottlingException", 400, "Rate exceeded"},
    {"throttle-after", "ThrottlingException", 400, "Rate exceeded"},
    {"5xx-before", "ServiceUnavailableException", 503, "Service is unavailable"},
    {"5xx-after", "InternalFailure", 500, "The request processing has failed because of an unknown error."},
    {0}};

static const struct refusal refusals_s3[] = {
    {"expired", "ExpiredToken", 400, "The provided token has expired."},
    {"forbidden", "AccessDenied", 403, "Access Denied"},
    {"conflict", "OperationAborted", 409,
     "A conflicting conditional operation is currently in progress against this "
     "resource. Try again."},
    {"quota", "TooManyBuckets", 400, "You have attempted to create more buckets than allowed"},
    {"throttle", "SlowDown", 503, "Please reduce your request rate."},
    {"throttle-after", "SlowDown", 503, "Please reduce your request rate."},
    {"5xx-before", "ServiceUnavailable", 503, "Service is unable to handle request."},
    {"5xx-after", "InternalError", 500, "We encountered an internal error. Please try again."},
    {0}};

static const struct refusal *refusals_of(const struct cloud_call *call)
{
    switch (call_protocol(call)) {
    case AWS_QUERY:
        return refusals_query;
    case AWS_EC2:
        return refusals_ec2;
    case AWS_REST_XML:
        return call_is(call, "s3") ? refusals_s3 : refusals_query;
    case AWS_JSON:
    case AWS_REST_JSON:
        break;
    }
    return refusals_json;
}

/* rest-json services answer 403 and 429 where json has 400 for everything. */
static int status_of(const struct cloud_call *call, const struct refusal *refusal)
{
    if (call_protocol(call) != AWS_REST_JSON || refusal->status != 400)
        return refusal->status;
    return strncmp(refusal->kind, "throttle", 8) == 0 ? 429 : strcmp(refusal->kind, "quota") == 0 ? 400 : 403;
}

void fault_refuse(struct cloud_call *call, const char *kind)
{
    for (const struct refusal *refusal = refusals_of(call); refusal->kind; refusal++) {
        if (strcmp(refusal->kind, kind) != 0)
            continue;
        call->retry_after = strncmp(kind, "throttle", 8) == 0;
        call_refuse(call, status_of(call, refusal), refusal->code, "%s", refusal->message);
        return;
    }
    call_loud(call, "the simulated AWS has no words for the fault %s", kind);
}

/* ---- state faults ---- */

enum lag_kind { LAG_STALE, LAG_GHOST, LAG_UNREADY };

struct lag {
    struct list link;
    enum lag_kind is;
    char *kind, *key;
    struct doc *doc; /* as it was; NULL: it was not there */
    int reads;
    int64_t until_ms;
};

static void lag_free(struct lag *lag)
{
    list_remove(&lag->link);
    doc_unref(lag->doc);
    free(lag->kind);
    free(lag->key);
    free(lag);
}

void fault_lags_free(struct cloud *cloud)
{
    LIST_EACH_SAFE(link, &cloud->lags)
    lag_free(LIST_OF(link, struct lag, link));
}

static void lag_add(struct cloud *cloud, enum lag_kind is, const char *kind, const char *key, const struct thing *thing)
{
    struct lag *lag = mem_alloc(sizeof(*lag));

    lag->is = is;
    lag->kind = mem_text(kind);
    lag->key = mem_text(key);
    lag->doc = thing ? doc_ref(thing->doc) : NULL;
    lag->reads = READS;
    lag->until_ms = sim_now_ms(cloud->sim) + UNREADY_MS;
    list_add_tail(&cloud->lags, &lag->link);
}

/* Somebody else tags it. */
static bool strike_foreign(struct cloud *cloud, const char *kind, const char *key, const struct thing *thing)
{
    struct doc *doc, *tags;

    if (!thing)
        return false;
    doc = doc_copy(thing->doc);
    tags = doc_get(doc, "tags");
    if (!tags) {
        tags = doc_object();
        doc_set(doc, "tags", tags);
    }
    doc_set_text(tags, "edited-by", "somebody-else");
    things_put(cloud, kind, key, doc);
    return true;
}

bool fault_aim(struct cloud_call *call, const char *kind)
{
    struct cloud *cloud = call->cloud;
    const struct thing *thing;
    char *of, *key;
    bool struck = true;

    if (!cloud_lua_target(call, &of, &key))
        return false;
    thing = things_find(cloud, of, key);
    if (strcmp(kind, "foreign") == 0)
        struck = strike_foreign(cloud, of, key, thing);
    else if (strcmp(kind, "stale") == 0)
        lag_add(cloud, LAG_STALE, of, key, thing);
    else if (strcmp(kind, "ghost") == 0 && thing)
        lag_add(cloud, LAG_GHOST, of, key, thing);
    else if (strcmp(kind, "unready") == 0)
        lag_add(cloud, LAG_UNREADY, of, key, thing);
    else
        struck = false;
    free(of);
    free(key);
    return struck;
}

const struct doc *fault_seen(struct cloud *cloud, const char *kind, const char *key, const struct doc *now)
{
    LIST_EACH_SAFE(link, &cloud->lags)
    {
        struct lag *lag = LIST_OF(link, struct lag, link);

        if (strcmp(lag->kind, kind) != 0 || strcmp(lag->key, key) != 0 || (lag->is == LAG_GHOST && now))
            continue;
        if (lag->is == LAG_UNREADY && sim_now_ms(cloud->sim) < lag->until_ms)
            return NULL;
        if (lag->is != LAG_UNREADY && lag->reads-- > 0)
            return lag->doc;
        lag_free(lag);
    }
    return now;
}

void fault_ghosts_add(struct cloud *cloud, const char *kind, const char *prefix, struct doc *list)
{
    LIST_EACH_SAFE(link, &cloud->lags)
    {
        struct lag *lag = LIST_OF(link, struct lag, link);

        if (lag->is != LAG_GHOST || strcmp(lag->kind, kind) != 0 || strncmp(lag->key, prefix, strlen(prefix)) != 0 ||
            things_find(cloud, kind, lag->key))
            continue;
        if (lag->reads-- > 0)
            doc_push(list, doc_ref(lag->doc));
        else
            lag_free(lag);
    }
}
