/*
 * What a service's error code means for who called. Codes first: statuses say less (EC2 answers 400 to almost
 * everything). The throttling and transient ones are those of botocore's standard retry mode.
 */
#include "aws/protocol_inside.h"
#include "http/http.h"

#include <stdio.h>
#include <string.h>

static const char *const THROTTLED[] = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
    NULL,
};
static const char *const PASSING[] = {"RequestTimeout", "RequestTimeoutException", "IDPCommunicationError", NULL};
static const char *const AUTH[] = {
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidSignature",
    "RequestTimeTooSkewed",
    "RequestInTheFuture",
    "AuthFailure",
    "InvalidAccessKeyId",
    "InvalidToken",
    "TokenRefreshRequired",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "AuthorizationHeaderMalformed",
    "InvalidIdentityToken",
    "InvalidIdentityTokenException",
    "IDPRejectedClaim",
    "IDPRejectedClaimException",
    "NotSignedUp",
    NULL,
};
static const char *const CONFLICT[] = {
    "DependencyViolation",
    "BucketNotEmpty",
    "RepositoryNotEmptyException",
    "OperationAborted",
    "PreconditionFailed",
    "ConditionalCheckFailedException",
    "IdempotentParameterMismatch",
    "EntityTemporarilyUnmodifiable",
    NULL,
};

/* Parts that a code may have anywhere. */
static const struct {
    const char *part;
    enum err_kind kind;
} PARTS[] = {
    {"AccessDenied", ERR_DENIED},
    {"UnauthorizedOperation", ERR_DENIED},
    {"AuthorizationError", ERR_DENIED},
    {"NotAuthorized", ERR_DENIED},
    {"OptInRequired", ERR_DENIED},
    {"AlreadyExist", ERR_CONFLICT},
    {"AlreadyOwned", ERR_CONFLICT},
    {"AlreadyAssociated", ERR_CONFLICT},
    {"NotFound", ERR_MISSING},
    {"NoSuch", ERR_MISSING},
    {"NonExistent", ERR_MISSING},
    {"DoesNotExist", ERR_MISSING},
    {"InUse", ERR_CONFLICT},
    {"Conflict", ERR_CONFLICT},
    {"Duplicate", ERR_CONFLICT},
    {"ConcurrentMod", ERR_CONFLICT},
    {"LimitExceeded", ERR_QUOTA},
    {"QuotaExceeded", ERR_QUOTA},
    {"TooMany", ERR_QUOTA},
};

static bool is_one(const char *code, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(code, *list) == 0)
            return true;
    return false;
}

enum err_kind aws_error_kind(const char *code, int status, bool *retryable)
{
    *retryable = status == 429 || status == 500 || (status >= 502 && status <= 504);
    if (is_one(code, THROTTLED)) {
        *retryable = true;
        return ERR_THROTTLED;
    }
    if (is_one(code, PASSING)) {
        *retryable = true;
        return ERR_SERVER;
    }
    if (is_one(code, AUTH))
        return ERR_AUTH;
    if (is_one(code, CONFLICT))
        return ERR_CONFLICT;
    for (size_t i = 0; status < 500 && i < sizeof(PARTS) / sizeof(PARTS[0]); i++)
        if (strstr(code, PARTS[i].part))
            return PARTS[i].kind;
    return http_status_kind(status);
}

void aws_error_code_set(struct err *err, const char *code)
{
    char shown[AWS_SHOWN_MAX];

    snprintf(err->code, sizeof(err->code), "%s", aws_shown(code, shown));
}
