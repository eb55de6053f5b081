/* The simulated AWS from outside: signatures as others make them, STS, what is wrong with a caller, what is not
 * modelled. */
#include "sandbox_aws.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDENTITY "Action=GetCallerIdentity&Version=2011-06-15"
#define FORM "application/x-www-form-urlencoded; charset=utf-8"

static struct got send_signed(struct sim *sim, const char *method, const char *url, const struct header *headers,
                              size_t len, const char *body)
{
    struct got got;

    got_send_request(&got, sim, method, url, headers, len, body, false);
    got_await(&got);
    return got;
}

/* Signatures made by botocore 1.44.5 with the sandbox's key at 2030-01-01T00:00:00Z. */
TEST(aws_takes_signatures_of_others)
{
    const struct header sts[] = {
        {"Content-Type", FORM},
        {"X-Amz-Date", "20300101T000000Z"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000000/20300101/eu-central-1/sts/aws4_request, "
                          "SignedHeaders=content-type;host;x-amz-date, "
                          "Signature=7b442f6a503c277cb1824db3d46ed557e729381a25002067cce6bd9a234b356a"}};
    struct sim *sim = aws_open(NULL, NULL);
    struct got got = send_signed(sim, "POST", "https://sts.eu-central-1.amazonaws.com/", sts, 3, IDENTITY);

    CHECK_INT(got.status, 200);
    CHECK_TEXT(got.type, "text/xml");
    CHECK(strstr(buf_text(&got.body), "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                                      "<GetCallerIdentityResult><UserId>AIDASANDBOX0000000000</UserId>"
                                      "<Account>111122223333</Account>"
                                      "<Arn>arn:aws:iam::111122223333:user/sandbox</Arn></GetCallerIdentityResult>"
                                      "<ResponseMetadata><RequestId>"));
    got_clear(&got);
    world_free(&sim->world);
}

/* Whether the path and headers are signed right shows before anybody looks for the cluster or bucket. */
TEST(aws_takes_paths_and_headers_that_need_encoding)
{
    const struct header eks[] = {
        {"X-Amz-Date", "20300101T000000Z"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000000/20300101/eu-central-1/eks/aws4_request, "
                          "SignedHeaders=host;x-amz-date, "
                          "Signature=bbc3c2640c38b84c48324c0641a4651bfd78571b817660475bb0961d53b6ee90"}};
    const struct header put[] = {
        {"x-amz-meta-One", "1  2"},
        {"X-Amz-Date", "20300101T000000Z"},
        {"X-Amz-Content-SHA256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000000/20300101/eu-central-1/s3/aws4_request, "
                          "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-one, "
                          "Signature=1251137f9810642227c8bbad76b6bd277b1772488acc90ca024cbcdb40ccc8b6"}};
    const struct header list[] = {
        {"X-Amz-Date", "20300101T000000Z"},
        {"X-Amz-Content-SHA256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"Authorization", "AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000000/20300101/eu-central-1/s3/aws4_request, "
                          "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
                          "Signature=8b9211a7df2a905b3af0c8b1cab25de6f752639f16d444aa065684391204f95d"}};
    struct sim *sim = aws_open(NULL, NULL);
    struct got got = send_signed(sim, "GET", "https://eks.eu-central-1.amazonaws.com/clusters/a%20b%3Ac", eks, 2, NULL);

    CHECK(strstr(buf_text(&got.body), "No cluster found for name: a b:c."));
    got_clear(&got);
    got = send_signed(sim, "PUT", "https://dos-bucket.s3.eu-central-1.amazonaws.com/a%20b/%C3%BC%2B%25.txt", put, 4,
                      "hello");
    CHECK(strstr(buf_text(&got.body), "<Code>NoSuchBucket</Code>"));
    got_clear(&got);
    got = send_signed(
        sim, "GET",
        "https://dos-bucket.s3.eu-central-1.amazonaws.com/?list-type=2&prefix=a%20b%2F%3D%26&encoding-type=url", list,
        3, NULL);
    CHECK(strstr(buf_text(&got.body), "<Code>NoSuchBucket</Code>"));
    got_clear(&got);
    world_free(&sim->world);
}

TEST(aws_refuses_who_it_does_not_know)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct ask sts = aws_form("sts", IDENTITY), ecr = aws_ecr("DescribeRepositories", "{}"),
               s3 = aws_s3("GET", "https://s3.eu-central-1.amazonaws.com/", NULL);
    struct got got;

    sts.key = ecr.key = s3.key = "AKIAIOSFODNN7EXAMPLE";
    CHECK_SAYS(sim, 403, sts, "<Type>Sender</Type><Code>InvalidClientTokenId</Code>", "<RequestId>");
    CHECK_SAYS(sim, 400, ecr, "\"__type\":\"UnrecognizedClientException\"");
    CHECK_SAYS(sim, 403, s3, "<Error><Code>InvalidAccessKeyId</Code>");
    sts.key = ecr.key = s3.key = NULL;
    sts.secret = ecr.secret = s3.secret = "a guess";
    CHECK_SAYS(sim, 403, sts, "<Code>SignatureDoesNotMatch</Code>");
    CHECK_SAYS(sim, 400, ecr, "\"__type\":\"InvalidSignatureException\"");
    CHECK_SAYS(sim, 403, s3, "<Code>SignatureDoesNotMatch</Code>");
    got_send(&got, sim, "POST", "https://sts.eu-central-1.amazonaws.com/?" IDENTITY, (struct send){0});
    got_await(&got);
    CHECK_INT(got.status, 403);
    CHECK(strstr(buf_text(&got.body), "<Code>MissingAuthenticationToken</Code>"));
    got_clear(&got);
    world_free(&sim->world);
}

TEST(aws_refuses_other_times_regions_and_services)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct ask sts = aws_form("sts", IDENTITY), ecr = aws_ecr("DescribeRepositories", "{}"),
               s3 = aws_s3("GET", "https://s3.eu-central-1.amazonaws.com/", NULL);

    sts.skew_s = s3.skew_s = 299;
    CHECK_SAYS(sim, 200, sts, "<Account>");
    CHECK_SAYS(sim, 200, s3, "<Buckets>");
    sts.skew_s = ecr.skew_s = -3600;
    s3.skew_s = 3600;
    CHECK_SAYS(sim, 403, sts, "<Code>SignatureDoesNotMatch</Code>",
               "Signature expired: 20291231T230000Z is now earlier");
    CHECK_SAYS(sim, 400, ecr, "\"__type\":\"InvalidSignatureException\"", "Signature expired");
    CHECK_SAYS(sim, 403, s3, "<Code>RequestTimeTooSkewed</Code>");
    sts.skew_s = ecr.skew_s = s3.skew_s = 0;
    sts.region = s3.region = "us-east-1";
    CHECK_SAYS(sim, 403, sts, "Credential should be scoped to a valid region");
    CHECK_SAYS(sim, 400, s3, "<Code>AuthorizationHeaderMalformed</Code>");
    ecr.service = "sts";
    CHECK_SAYS(sim, 400, ecr, "Credential should be scoped to correct service: 'ecr'");
    world_free(&sim->world);
}

TEST(aws_is_loud_about_what_nobody_modelled)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct ask ask = {.service = "elasticloadbalancing",
                      .url = "https://elasticloadbalancing.eu-central-1.amazonaws.com/",
                      .body = "Action=CreateLoadBalancer&Version=2015-12-01&Name=x"};
    struct got got;

    aws_ask(&got, sim, ask);
    CHECK(got.failed && got.heads == 0 && !got.err.retryable && !got.err.maybe_done);
    CHECK(
        strstr(got.err.message, "the simulated AWS has no elbv2 CreateLoadBalancer; tests/sandbox.lua may script it"));
    got_clear(&got);
    ask.body = "Action=CreateLoadBalancer&Version=2012-06-01&LoadBalancerName=x";
    aws_ask(&got, sim, ask);
    CHECK(got.failed && strstr(got.err.message, "has no elb CreateLoadBalancer;"));
    got_clear(&got);
    ask.url = "https://111122223333.dkr.ecr.eu-central-1.amazonaws.com/";
    aws_ask(&got, sim, ask);
    CHECK(got.failed && strstr(got.err.message, "no service at 111122223333.dkr.ecr.eu-central-1.amazonaws.com"));
    got_clear(&got);
    world_free(&sim->world);
}

TEST(aws_leaves_scripted_hosts_to_their_script)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct err err = ERR_INIT;
    int loaded = sandbox_script(&sim->world, "s.lua",
                                VIEW_LITERAL("sandbox.http('https://sts.eu-central-1.amazonaws.com/', function()"
                                             " return { status = 200, json = { scripted = true } } end)"),
                                &err);

    CHECK_INT(loaded, 0);
    CHECK_SAYS(sim, 200, aws_form("sts", IDENTITY), "{\"scripted\":true}");
    world_free(&sim->world);
}

TEST(aws_faults_are_said_as_each_service_says_them)
{
    static const struct {
        const char *fault;
        int sts, ecr, s3;
        const char *sts_code, *ecr_code, *s3_code;
    } rows[] = {
        {"1:throttle", 400, 400, 503, "Throttling", "ThrottlingException", "SlowDown"},
        {"1:throttle-after", 400, 400, 503, "Throttling", "ThrottlingException", "SlowDown"},
        {"1:expired", 403, 400, 400, "ExpiredToken", "ExpiredTokenException", "ExpiredToken"},
        {"1:forbidden", 403, 400, 403, "AccessDenied", "AccessDeniedException", "AccessDenied"},
        {"1:conflict", 409, 409, 409, "ConcurrentModification", "ConflictException", "OperationAborted"},
        {"1:quota", 409, 400, 400, "LimitExceeded", "LimitExceededException", "TooManyBuckets"},
        {"1:5xx-before", 503, 503, 503, "ServiceUnavailable", "ServiceUnavailableException", "ServiceUnavailable"},
        {"1:5xx-after", 500, 500, 500, "InternalFailure", "InternalFailure", "InternalError"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct sim *sim = aws_open(NULL, rows[i].fault);

        CHECK_SAYS(sim, rows[i].sts, aws_form("sts", IDENTITY), rows[i].sts_code);
        CHECK_SAYS(sim, 200, aws_form("sts", IDENTITY), "<Account>");
        world_free(&sim->world);
        sim = aws_open(NULL, rows[i].fault);
        CHECK_SAYS(sim, rows[i].ecr, aws_ecr("DescribeRepositories", "{}"), rows[i].ecr_code);
        world_free(&sim->world);
        sim = aws_open(NULL, rows[i].fault);
        CHECK_SAYS(sim, rows[i].s3, aws_s3("GET", "https://s3.eu-central-1.amazonaws.com/", NULL), rows[i].s3_code);
        world_free(&sim->world);
    }
}

TEST(aws_says_what_is_wrong_with_an_input)
{
    struct sim *sim = aws_open(NULL, NULL);

    CHECK_SAYS(sim, 400, aws_form("sts", "Action=AssumeRole&Version=2011-06-15&RoleSessionName=xy&DurationSeconds=60"),
               "<Code>ValidationError</Code>", "2 validation errors detected: ",
               "Value null at 'roleArn' failed to satisfy constraint: Member must not be null",
               "Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value "
               "greater than or equal to 900");
    CHECK_SAYS(sim, 400, aws_form("sts", "Action=AssumeRole&Version=2011-06-15&DurationSeconds=soon"),
               "<Code>MalformedInput</Code>");
    world_free(&sim->world);
}

/* Asks once and dies: nobody closes the simulated cloud. */
static void ask_and_die(void *ctx)
{
    const char *folder = ctx;
    char *path = mem_printf("%s.id", folder), *body = aws_said(aws_open(folder, NULL), 200, aws_form("sts", IDENTITY));
    char *id = aws_word(body, "RequestId");
    FILE *file = fopen(path, "w");

    fputs(id, file);
    fclose(file);
    _exit(0);
}

TEST(aws_request_ids_differ_from_those_of_a_process_that_died)
{
    char *folder = folder_new(), *path = mem_printf("%s.id", folder), *body, *id, before[64] = "";
    struct sim *sim;
    FILE *file;

    CHECK_INT(child_run(ask_and_die, folder), 0);
    file = fopen(path, "r");
    REQUIRE(file);
    CHECK(fgets(before, sizeof(before), file) != NULL);
    fclose(file);
    remove(path);
    sim = aws_open(folder, NULL);
    body = aws_said(sim, 200, aws_form("sts", IDENTITY));
    id = aws_word(body, "RequestId");
    CHECK_INT(strlen(before), 36);
    CHECK(strcmp(id, before) != 0);
    free(id);
    free(body);
    free(path);
    world_free(&sim->world);
    folder_remove(folder);
}
