#include "aws/protocol.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static struct aws_operation operation_of(const char *service, const char *name)
{
    return aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(name));
}

static const struct header *the_header; /* of the next answer; NULL: none */

static struct err read_view(const char *service, const char *name, int status, struct view body, struct doc **fields)
{
    struct aws_answer answer = {
        .status = status, .headers = the_header, .headers_len = the_header ? 1 : 0, .body = body};
    struct err err = ERR_INIT;

    aws_error_read(operation_of(service, name), &answer, &err, fields);
    CHECK_INT(err.status, status);
    the_header = NULL;
    return err;
}

static struct err read(const char *service, const char *name, int status, const char *body)
{
    return read_view(service, name, status, view_of(body), NULL);
}

#define CHECK_ERR(the_err, the_kind, the_code, the_message)           \
    do {                                                              \
        struct err got = the_err;                                     \
        CHECK_TEXT(err_kind_name(got.kind), err_kind_name(the_kind)); \
        CHECK_TEXT(got.code, the_code);                               \
        CHECK_TEXT(got.message, the_message);                         \
    } while (0)

TEST(aws_errors_of_each_protocol)
{
    static const struct header type = {"X-Amzn-Errortype", "ResourceNotFoundException:http://internal/"};
    static const struct header query = {"x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender"};
    struct err err;

    err = read("sts", "GetCallerIdentity", 403,
               "<ErrorResponse xmlns=\"x\"><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>The "
               "security\n token</Message></Error><RequestId>r-1</RequestId></ErrorResponse>");
    CHECK_ERR(err, ERR_AUTH, "InvalidClientTokenId", "The security token");
    CHECK_TEXT(err.request_id, "r-1");
    CHECK(!err.retryable);
    err = read("ec2", "DescribeVpcs", 400,
               "<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></"
               "Errors><RequestID>r-2</RequestID></Response>");
    CHECK_ERR(err, ERR_MISSING, "InvalidVpcID.NotFound", "no");
    CHECK_TEXT(err.request_id, "r-2");
    err = read("ecr", "CreateRepository", 400,
               "{\"__type\":\"com.amazonaws.ecr#RepositoryAlreadyExistsException\",\"message\":\"it is there\"}");
    CHECK_ERR(err, ERR_CONFLICT, "RepositoryAlreadyExistsException", "it is there");
    the_header = &type;
    CHECK_ERR(read("eks", "DescribeCluster", 404, "{\"message\":\"No cluster\"}"), ERR_MISSING,
              "ResourceNotFoundException", "No cluster");
    the_header = &query;
    CHECK_ERR(
        read("sqs", "GetQueueUrl", 400, "{\"__type\":\"com.amazonaws.sqs#QueueDoesNotExist\",\"message\":\"gone\"}"),
        ERR_MISSING, "AWS.SimpleQueueService.NonExistentQueue", "gone");
    err = read("s3", "GetObject", 404,
               "<Error><Code>NoSuchKey</Code><Message>gone</Message><Key>k</Key><RequestId>r-3</RequestId></Error>");
    CHECK_ERR(err, ERR_MISSING, "NoSuchKey", "gone");
    CHECK_TEXT(err.request_id, "r-3");
    CHECK_ERR(read("s3", "HeadObject", 404, ""), ERR_MISSING, "404", "Not Found");
    CHECK_ERR(read("s3", "HeadBucket", 403, ""), ERR_DENIED, "403", "Forbidden");
}

TEST(aws_error_kinds)
{
    static const struct {
        int status;
        const char *code;
        enum err_kind kind;
        bool retryable;
    } cases[] = {
        {400, "Throttling", ERR_THROTTLED, true},
        {400, "ThrottlingException", ERR_THROTTLED, true},
        {503, "SlowDown", ERR_THROTTLED, true},
        {503, "RequestLimitExceeded", ERR_THROTTLED, true},
        {429, "Whatever", ERR_THROTTLED, true},
        {400, "RequestTimeout", ERR_SERVER, true},
        {500, "InternalFailure", ERR_SERVER, true},
        {501, "NotImplemented", ERR_SERVER, false},
        {503, "ServiceUnavailable", ERR_SERVER, true},
        {403, "ExpiredToken", ERR_AUTH, false},
        {400, "ExpiredTokenException", ERR_AUTH, false},
        {403, "SignatureDoesNotMatch", ERR_AUTH, false},
        {403, "RequestTimeTooSkewed", ERR_AUTH, false},
        {400, "UnrecognizedClientException", ERR_AUTH, false},
        {401, "AuthFailure", ERR_AUTH, false},
        {403, "AccessDenied", ERR_DENIED, false},
        {400, "AccessDeniedException", ERR_DENIED, false},
        {403, "UnauthorizedOperation", ERR_DENIED, false},
        {404, "NoSuchEntity", ERR_MISSING, false},
        {400, "ParameterNotFound", ERR_MISSING, false},
        {409, "EntityAlreadyExists", ERR_CONFLICT, false},
        {400, "ResourceInUseException", ERR_CONFLICT, false},
        {409, "BucketAlreadyOwnedByYou", ERR_CONFLICT, false},
        {400, "DependencyViolation", ERR_CONFLICT, false},
        {400, "InvalidGroup.InUse", ERR_CONFLICT, false},
        {409, "LimitExceeded", ERR_QUOTA, false},
        {400, "VpcLimitExceeded", ERR_QUOTA, false},
        {402, "ServiceQuotaExceededException", ERR_QUOTA, false},
        {400, "ValidationException", ERR_QUOTA, false},
        {400, "InvalidParameterValue", ERR_QUOTA, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *body = mem_printf("<ErrorResponse><Error><Code>%s</Code><Message>m</Message></Error></ErrorResponse>",
                                cases[i].code);
        struct err err = read("sts", "GetCallerIdentity", cases[i].status, body);

        CHECK_ERR(err, cases[i].kind, cases[i].code, "m");
        if (err.retryable != cases[i].retryable)
            unit_fail(__FILE__, __LINE__, "%s: retryable is %d", cases[i].code, err.retryable);
        free(body);
    }
}

TEST(aws_errors_from_something_else)
{
    CHECK_ERR(read("eks", "DescribeCluster", 502,
                   "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>"),
              ERR_SERVER, "502",
              "Bad Gateway, and an HTML page, \"502 Bad Gateway nginx\" instead of an error of the service");
    CHECK_ERR(read("sts", "GetCallerIdentity", 503, "<!DOCTYPE html><html>x</html>"), ERR_SERVER, "503",
              "Service Unavailable, and an HTML page, \"x\" instead of an error of the service");
    CHECK_ERR(read("s3", "ListBuckets", 503, ""), ERR_SERVER, "503", "Service Unavailable");
    CHECK_ERR(read("ec2", "DescribeVpcs", 500, "<Response><Errors><Err"), ERR_SERVER, "500",
              "Internal Server Error, and \"<Response><Errors><Err\" instead of an error of the service");
    CHECK_ERR(read("ecr", "DescribeRepositories", 400, "{\"__type\":"), ERR_QUOTA, "400",
              "Bad Request, and \"{\"__type\":\" instead of an error of the service");
    CHECK_ERR(read("ecr", "DescribeRepositories", 400, "[1,2]"), ERR_QUOTA, "400",
              "Bad Request, and \"[1,2]\" instead of an error of the service");
    CHECK_ERR(read("ecr", "DescribeRepositories", 400, "{\"__type\":7,\"message\":{\"a\":1}}"), ERR_QUOTA, "400",
              "Bad Request");
    CHECK_ERR(read("sts", "GetCallerIdentity", 400, "{\"__type\":\"x#NotFound\",\"Message\":\"in JSON\"}"), ERR_MISSING,
              "NotFound", "in JSON");
    CHECK_ERR(read("ecr", "DescribeRepositories", 403,
                   "<AccessDeniedException><Message>in XML</Message></AccessDeniedException>"),
              ERR_DENIED, "403", "in XML");
    CHECK_ERR(read("sts", "GetCallerIdentity", 400, "<a><Errors/><Error>text</Error></a>"), ERR_QUOTA, "400",
              "Bad Request");
    CHECK_ERR(read("sts", "GetCallerIdentity", 400, "<!DOCTYPE a [<!ENTITY e 'x'>]><ErrorResponse>&e;</ErrorResponse>"),
              ERR_QUOTA, "400",
              "Bad Request, and \"<!DOCTYPE a [<!ENTITY e 'x'>]><ErrorResponse>&e;</ErrorResponse>\" instead of an "
              "error of the service");
}

TEST(aws_errors_of_any_length)
{
    enum { LEN = 10 << 20 };
    struct buf body;
    struct err err;

    buf_init(&body, SIZE_MAX);
    buf_add_text(&body, "{\"__type\":\"");
    for (int i = 0; i < 1000; i++)
        buf_add_char(&body, 'C');
    buf_add_text(&body, "\",\"message\":\"");
    for (int i = 0; i < LEN / 2; i++)
        buf_add_text(&body, "\xc3\xa4");
    buf_add_text(&body, "\"}");
    err = read_view("ecr", "DescribeRepositories", 400, buf_view(&body), NULL);
    CHECK_INT(strlen(err.code), sizeof(err.code) - 1);
    CHECK(strlen(err.message) > 2000 && strcmp(err.message + strlen(err.message) - 3, "...") == 0);
    buf_reset(&body);
    buf_add_text(&body, "<ErrorResponse><Error><Code>A</Code><Message>");
    for (int i = 0; i < LEN; i++)
        buf_add_text(&body, "\n");
    buf_add_text(&body, "end</Message></Error></ErrorResponse>");
    err = read_view("sts", "GetCallerIdentity", 400, buf_view(&body), NULL);
    CHECK_ERR(err, ERR_QUOTA, "A", "Bad Request");
    buf_free(&body);
}

TEST(aws_error_fields)
{
    struct doc *fields;

    read_view("dynamodb", "TransactWriteItems", 400,
              view_of("{\"__type\":\"x#TransactionCanceledException\",\"message\":\"m\",\"CancellationReasons\":[{"
                      "\"Code\":\"None\"}]}"),
              &fields);
    CHECK_TEXT(doc_as_text(doc_get(doc_at(doc_get(fields, "CancellationReasons"), 0), "Code"), ""), "None");
    doc_unref(fields);
    read_view("s3", "GetObject", 400,
              view_of("<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-1</"
                      "Region><A><B>c</B></A></Error>"),
              &fields);
    CHECK_TEXT(doc_path_text(fields, "Region", NULL), "eu-west-1");
    CHECK_TEXT(doc_path_text(fields, "A", "B", NULL), "c");
    CHECK_INT(doc_size(fields), 2);
    doc_unref(fields);
    read_view("s3", "GetObject", 500, view_of(""), &fields);
    CHECK_INT(doc_size(fields), 0);
    doc_unref(fields);
}

TEST(aws_metadata)
{
    static const struct header headers[] = {{"X-Amz-Request-Id", "r-1"}, {"x-amz-id-2", "h"}};
    struct aws_answer answer = {.status = 200, .headers = headers, .headers_len = 2};
    struct doc *metadata = aws_answer_metadata(operation_of("s3", "ListBuckets"), &answer);

    CHECK_TEXT(doc_path_text(metadata, "RequestId", NULL), "r-1");
    CHECK_TEXT(doc_path_text(metadata, "HostId", NULL), "h");
    CHECK_INT(doc_as_int(doc_get(metadata, "HTTPStatusCode"), 0), 200);
    CHECK_TEXT(doc_path_text(metadata, "HTTPHeaders", "x-amz-request-id", NULL), "r-1");
    doc_unref(metadata);
    answer = (struct aws_answer){
        .status = 200, .body = view_of("<a><ResponseMetadata><RequestId>r-2</RequestId></ResponseMetadata></a>")};
    metadata = aws_answer_metadata(operation_of("sts", "GetCallerIdentity"), &answer);
    CHECK_TEXT(doc_path_text(metadata, "RequestId", NULL), "r-2");
    doc_unref(metadata);
}
