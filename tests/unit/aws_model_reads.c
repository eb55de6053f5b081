/* Which operations change nothing: pinned, so that a new one of botocore's is not a read before somebody looked at it.
 */
#include "aws/model.h"
#include "unit.h"

#include <string.h>

static bool reads(const char *service, const char *name)
{
    struct aws_operation operation = aws_operation_find(aws_service_find(aws_table_builtin(), service), view_of(name));

    if (!operation.table)
        unit_fail(__FILE__, __LINE__, "there is no %s:%s", service, name);
    return aws_operation_flags(operation) & AWS_OPERATION_READS;
}

TEST(reads_of_each_service)
{
    static const struct {
        const char *service;
        int reads, operations;
    } wanted[] = {
        {"acm", 17, 40},
        {"autoscaling", 23, 68},
        {"cloudformation", 49, 92},
        {"cloudwatch", 24, 59},
        {"dynamodb", 29, 62},
        {"ec2", 288, 830},
        {"ecr", 27, 62},
        {"eks", 31, 70},
        {"elb", 7, 29},
        {"elbv2", 19, 51},
        {"events", 23, 57},
        {"iam", 69, 180},
        {"kms", 29, 56},
        {"lambda", 38, 91},
        {"logs", 51, 118},
        {"pricing", 5, 5},
        {"resourcegroupstaggingapi", 6, 9},
        {"route53", 39, 74},
        {"s3", 51, 116},
        {"scheduler", 5, 12},
        {"secretsmanager", 9, 26},
        {"service-quotas", 14, 26},
        {"sns", 17, 42},
        {"sqs", 6, 23},
        {"ssm", 79, 154},
        {"sso", 3, 4},
        {"sso-oidc", 4, 4},
        {"sts", 11, 11},
    };

    CHECK_INT(aws_table_services(aws_table_builtin()), sizeof(wanted) / sizeof(wanted[0]));
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        struct aws_service service = aws_service_find(aws_table_builtin(), wanted[i].service);
        int count = 0;

        for (size_t j = 0; j < aws_service_operations(service); j++)
            count += (aws_operation_flags(aws_service_operation(service, j)) & AWS_OPERATION_READS) != 0;
        if (count != wanted[i].reads)
            unit_fail(__FILE__, __LINE__, "%s has %d reads", wanted[i].service, count);
        if (aws_service_operations(service) != (size_t)wanted[i].operations)
            unit_fail(__FILE__, __LINE__, "%s has other operations", wanted[i].service);
    }
}

/* A verb at the beginning that may stand for a read, or for a pure computation; no other one does. */
TEST(no_read_has_the_name_of_a_change)
{
    static const char *const verbs[] = {"Describe", "Get",         "List",       "Search", "Head",     "Query",
                                        "Scan",     "Batch",       "Filter",     "Test",   "Simulate", "Validate",
                                        "Select",   "TransactGet", "Estimate",   "Check",  "AssumeRo", "Decode",
                                        "Decrypt",  "Encrypt",     "Sign",       "Verify", "Generate", "ReEncrypt",
                                        "Derive",   "Decapsulate", "Encapsulate"};
    static const char *const others[] = {"ExportClientVpnClientCertificateRevocationList",
                                         "ExportClientVpnClientConfiguration",
                                         "ExportVerifiedAccessInstanceClientConfiguration",
                                         "CreateSession",
                                         "CreateToken",
                                         "CreateTokenWithIAM",
                                         "RegisterClient",
                                         "StartDeviceAuthorization"};
    const struct aws_table *table = aws_table_builtin();

    for (size_t i = 0; i < aws_table_services(table); i++)
        for (size_t j = 0; j < aws_service_operations(aws_table_service(table, i)); j++) {
            struct aws_operation operation = aws_service_operation(aws_table_service(table, i), j);
            const char *name = aws_operation_name(operation);
            bool known = !(aws_operation_flags(operation) & AWS_OPERATION_READS);

            for (size_t k = 0; k < sizeof(verbs) / sizeof(verbs[0]); k++)
                known |= strncmp(name, verbs[k], strlen(verbs[k])) == 0;
            for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
                known |= strcmp(name, others[k]) == 0;
            if (!known)
                unit_fail(__FILE__, __LINE__, "%s is a read by name of what?", name);
        }
}

TEST(what_sounds_like_a_read_and_changes)
{
    CHECK(!reads("sqs", "ReceiveMessage"));
    CHECK(!reads("ec2", "GetFlowLogsIntegrationTemplate"));
    CHECK(!reads("ec2", "ExportTransitGatewayRoutes"));
    CHECK(!reads("ec2", "ExportImage"));
    CHECK(!reads("ssm", "GetDeployablePatchSnapshotForInstance"));
    CHECK(!reads("ssm", "GetExecutionPreview"));
    CHECK(!reads("iam", "GenerateCredentialReport"));
    CHECK(!reads("iam", "GenerateServiceLastAccessedDetails"));
    CHECK(!reads("iam", "AcquireRole"));
    CHECK(!reads("cloudformation", "DetectStackDrift"));
    CHECK(!reads("dynamodb", "ExecuteStatement"));
    CHECK(!reads("dynamodb", "BatchExecuteStatement"));
    CHECK(!reads("dynamodb", "BatchWriteItem"));
    CHECK(!reads("lambda", "Invoke"));
    CHECK(!reads("logs", "StartQuery"));
    CHECK(!reads("logs", "StartLiveTail"));
    CHECK(!reads("acm", "ExportCertificate"));
    CHECK(!reads("autoscaling", "BatchPutScheduledUpdateGroupAction"));
    CHECK(!reads("ecr", "BatchDeleteImage"));
    CHECK(!reads("ecr", "InitiateLayerUpload"));
    CHECK(!reads("sso", "Logout"));
    CHECK(!reads("kms", "RetireGrant"));
}

TEST(what_sounds_like_a_change_and_reads)
{
    CHECK(reads("sts", "AssumeRole"));
    CHECK(reads("sts", "AssumeRoleWithWebIdentity"));
    CHECK(reads("sts", "GetCallerIdentity"));
    CHECK(reads("sso-oidc", "CreateToken"));
    CHECK(reads("sso", "GetRoleCredentials"));
    CHECK(reads("ecr", "GetAuthorizationToken"));
    CHECK(reads("s3", "CreateSession"));
    CHECK(reads("s3", "SelectObjectContent"));
    CHECK(reads("s3", "HeadObject"));
    CHECK(reads("kms", "Decrypt"));
    CHECK(reads("kms", "GenerateDataKey"));
    CHECK(reads("iam", "SimulatePrincipalPolicy"));
    CHECK(reads("cloudformation", "ValidateTemplate"));
    CHECK(reads("cloudformation", "EstimateTemplateCost"));
    CHECK(reads("dynamodb", "TransactGetItems"));
    CHECK(reads("ec2", "GetPasswordData"));
    CHECK(reads("ec2", "GetConsoleScreenshot"));
    CHECK(reads("logs", "FilterLogEvents"));
}
