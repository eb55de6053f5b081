/* What the simulated account keeps: roles, buckets, repositories, clusters; their rules, errors, faults, and the state
 * file. */
#include "sandbox_aws.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define IAM(body) aws_form("iam", "Version=2010-05-08&Action=" body)
#define POLICY                                                                                                        \
    "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22AWS%22%3A%22111122223333%22%7D%" \
    "7D%5D%7D"
#define CREATE_ROLE "CreateRole&RoleName=dos&AssumeRolePolicyDocument=" POLICY
#define ADMIN "arn%3Aaws%3Aiam%3A%3Aaws%3Apolicy%2FReadOnlyAccess"
#define BUCKET "https://dos-bucket.s3.eu-central-1.amazonaws.com/"
#define PLACE                                                                                                       \
    "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>eu-central-1" \
    "</LocationConstraint></CreateBucketConfiguration>"

TEST(aws_iam_roles_have_their_rules)
{
    struct sim *sim = aws_open(NULL, NULL);

    CHECK_SAYS(sim, 404, IAM("GetRole&RoleName=dos"), "<Code>NoSuchEntity</Code>",
               "The role with name dos cannot be found.");
    CHECK_SAYS(sim, 400, IAM("CreateRole&RoleName=dos&AssumeRolePolicyDocument=no"),
               "<Code>MalformedPolicyDocument</Code>");
    CHECK_SAYS(sim, 400, IAM("CreateRole&RoleName=a%20b&AssumeRolePolicyDocument=" POLICY),
               "<Code>ValidationError</Code>");
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE "&Tags.member.1.Key=a&Tags.member.1.Value=b+c"),
               "<CreateRoleResult><Role><Path>/</Path><RoleName>dos</RoleName><RoleId>AROA",
               "<Arn>arn:aws:iam::111122223333:role/dos</Arn><CreateDate>2030-01-01T00:00:00Z</CreateDate>",
               "<AssumeRolePolicyDocument>%7B%22Statement%22%3A", "<member><Key>a</Key><Value>b c</Value></member>");
    CHECK_SAYS(sim, 409, IAM(CREATE_ROLE), "<Code>EntityAlreadyExists</Code>", "Role with name dos already exists.");
    CHECK_SAYS(sim, 200, IAM("TagRole&RoleName=dos&Tags.member.1.Key=d&Tags.member.1.Value=e"), "<TagRoleResponse");
    CHECK_SAYS(sim, 200, IAM("UntagRole&RoleName=dos&TagKeys.member.1=a"), "ResponseMetadata");
    CHECK_SAYS(sim, 200, IAM("ListRoleTags&RoleName=dos"),
               "<Tags><member><Key>d</Key><Value>e</Value></member></Tags><IsTruncated>false</IsTruncated>");
    CHECK_SAYS(sim, 200, IAM("UpdateRole&RoleName=dos&MaxSessionDuration=7200&Description=x"), "<UpdateRoleResult>");
    CHECK_SAYS(sim, 200, IAM("GetRole&RoleName=dos"), "<MaxSessionDuration>7200</MaxSessionDuration>");
    CHECK_SAYS(sim, 200, IAM("ListRoles"), "<Roles><member><Path>/</Path><RoleName>dos</RoleName>");
    world_free(&sim->world);
}

TEST(aws_iam_keeps_a_role_that_has_policies)
{
    struct sim *sim = aws_open(NULL, NULL);

    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    CHECK_SAYS(sim, 200, IAM("AttachRolePolicy&RoleName=dos&PolicyArn=" ADMIN), "AttachRolePolicyResponse");
    CHECK_SAYS(sim, 404,
               IAM("AttachRolePolicy&RoleName=dos&PolicyArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Apolicy%2Fmine"),
               "<Code>NoSuchEntity</Code>");
    CHECK_SAYS(sim, 200, IAM("PutRolePolicy&RoleName=dos&PolicyName=p&PolicyDocument=" POLICY),
               "PutRolePolicyResponse");
    CHECK_SAYS(sim, 409, IAM("DeleteRole&RoleName=dos"), "<Code>DeleteConflict</Code>",
               "must detach all policies first");
    CHECK_SAYS(sim, 200, IAM("ListAttachedRolePolicies&RoleName=dos"), "<PolicyName>ReadOnlyAccess</PolicyName>");
    CHECK_SAYS(sim, 200, IAM("DetachRolePolicy&RoleName=dos&PolicyArn=" ADMIN), "DetachRolePolicyResponse");
    CHECK_SAYS(sim, 404, IAM("DetachRolePolicy&RoleName=dos&PolicyArn=" ADMIN), "<Code>NoSuchEntity</Code>");
    CHECK_SAYS(sim, 409, IAM("DeleteRole&RoleName=dos"), "<Code>DeleteConflict</Code>", "must delete policies first");
    CHECK_SAYS(sim, 200, IAM("ListRolePolicies&RoleName=dos"), "<PolicyNames><member>p</member></PolicyNames>");
    CHECK_SAYS(sim, 200, IAM("GetRolePolicy&RoleName=dos&PolicyName=p"), "<PolicyDocument>%7B%22Statement");
    CHECK_SAYS(sim, 200, IAM("DeleteRolePolicy&RoleName=dos&PolicyName=p"), "DeleteRolePolicyResponse");
    CHECK_SAYS(sim, 200, IAM("DeleteRole&RoleName=dos"), "DeleteRoleResponse");
    CHECK_SAYS(sim, 404, IAM("DeleteRole&RoleName=dos"), "<Code>NoSuchEntity</Code>");
    world_free(&sim->world);
}

TEST(aws_sts_hands_out_keys_that_work_until_they_expire)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct ask assume = aws_form("sts",
                                 "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me&DurationSeconds=900&RoleArn="
                                 "arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fdos"),
               who = aws_form("sts", "Action=GetCallerIdentity&Version=2011-06-15"),
               ecr = aws_ecr("DescribeRepositories", "{}");
    char *body, *key, *secret, *token;

    CHECK_SAYS(sim, 403, assume, "<Code>AccessDenied</Code>",
               "is not authorized to perform: sts:AssumeRole on resource");
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    body = aws_said(sim, 200, assume);
    CHECK(strstr(body, "<Arn>arn:aws:sts::111122223333:assumed-role/dos/me</Arn>"));
    key = aws_word(body, "AccessKeyId");
    secret = aws_word(body, "SecretAccessKey");
    token = aws_word(body, "SessionToken");
    who.key = ecr.key = key;
    who.secret = ecr.secret = secret;
    CHECK_SAYS(sim, 403, who, "<Code>InvalidClientTokenId</Code>");
    who.token = ecr.token = token;
    CHECK_SAYS(sim, 200, who, "<Arn>arn:aws:sts::111122223333:assumed-role/dos/me</Arn>", "<UserId>AROA");
    run_for(sim, 900000);
    CHECK_SAYS(sim, 403, who, "<Code>ExpiredToken</Code>");
    CHECK_SAYS(sim, 400, ecr, "\"__type\":\"ExpiredTokenException\"");
    free(body);
    free(key);
    free(secret);
    free(token);
    world_free(&sim->world);
}

TEST(aws_s3_buckets_have_their_rules)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct ask east = aws_s3("PUT", "https://dos-east.s3.us-east-1.amazonaws.com/", NULL);

    CHECK_SAYS(sim, 404, aws_s3("HEAD", BUCKET, NULL), "");
    CHECK_SAYS(sim, 400, aws_s3("PUT", BUCKET, NULL), "<Code>IllegalLocationConstraintException</Code>",
               "The unspecified location constraint");
    CHECK_SAYS(sim, 200, aws_s3("PUT", BUCKET, PLACE), "");
    CHECK_SAYS(sim, 409, aws_s3("PUT", BUCKET, PLACE), "<Code>BucketAlreadyOwnedByYou</Code>");
    CHECK_SAYS(sim, 409, aws_s3("PUT", "https://amzn-s3-demo-bucket.s3.eu-central-1.amazonaws.com/", PLACE),
               "<Code>BucketAlreadyExists</Code>");
    CHECK_SAYS(sim, 400, aws_s3("PUT", "https://s3.eu-central-1.amazonaws.com/Bad_Name", PLACE),
               "<Code>InvalidBucketName</Code>");
    CHECK_SAYS(sim, 400, aws_s3("PUT", BUCKET, "<nonsense"), "<Code>MalformedXML</Code>");
    east.region = "us-east-1";
    CHECK_SAYS(sim, 200, east, "");
    CHECK_SAYS(sim, 200, east, "");
    CHECK_SAYS(sim, 301, aws_s3("HEAD", "https://s3.eu-central-1.amazonaws.com/dos-east", NULL), "");
    CHECK_SAYS(sim, 200, aws_s3("GET", "https://s3.eu-central-1.amazonaws.com/", NULL), "<Name>dos-bucket</Name>",
               "<CreationDate>2030-01-01T00:00:00Z</CreationDate>", "<Name>dos-east</Name>");
    CHECK_SAYS(sim, 404, aws_s3("GET", BUCKET "?tagging=", NULL), "<Code>NoSuchTagSet</Code>");
    CHECK_SAYS(sim, 200,
               aws_s3("PUT", BUCKET "?tagging=",
                      "<Tagging><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag>"
                      "</TagSet></Tagging>"),
               "");
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "?tagging=", NULL),
               "<TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag>");
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "?publicAccessBlock=", NULL), "<BlockPublicAcls>true</BlockPublicAcls>");
    CHECK_SAYS(sim, 200,
               aws_s3("PUT", BUCKET "?versioning=",
                      "<VersioningConfiguration><Status>Enabled</Status>"
                      "</VersioningConfiguration>"),
               "");
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "?versioning=", NULL), "<Status>Enabled</Status>");
    CHECK_SAYS(sim, 204, aws_s3("DELETE", BUCKET, NULL), "");
    CHECK_SAYS(sim, 404, aws_s3("DELETE", BUCKET, NULL), "<Code>NoSuchBucket</Code>");
    world_free(&sim->world);
}

TEST(aws_s3_keeps_objects)
{
    struct sim *sim = aws_open(NULL, NULL);
    struct ask put = aws_s3("PUT", BUCKET "a%20b/one.txt", "hello");
    struct got got;

    CHECK_SAYS(sim, 200, aws_s3("PUT", BUCKET, PLACE), "");
    put.header = "x-amz-meta-color";
    put.value = "green";
    CHECK_SAYS(sim, 200, put, "");
    put.header = "x-amz-checksum-sha256";
    put.value = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
    put.url = BUCKET "a%20b/two.txt";
    CHECK_SAYS(sim, 200, put, "");
    put.value = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    CHECK_SAYS(sim, 400, put, "<Code>BadDigest</Code>");
    put.header = "if-none-match";
    put.value = "*";
    CHECK_SAYS(sim, 412, put, "<Code>PreconditionFailed</Code>");
    aws_ask(&got, sim, aws_s3("GET", BUCKET "a%20b/one.txt", NULL));
    CHECK_INT(got.status, 200);
    CHECK_TEXT(got.type, "application/xml");
    CHECK_TEXT(buf_text(&got.body), "hello");
    got_clear(&got);
    CHECK_SAYS(sim, 404, aws_s3("GET", BUCKET "a%20b/none", NULL), "<Code>NoSuchKey</Code>", "<Key>a b/none</Key>");
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "?delimiter=%2F&list-type=2", NULL), "<KeyCount>1</KeyCount>",
               "<CommonPrefixes><Prefix>a b/</Prefix></CommonPrefixes>");
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "?list-type=2&max-keys=1&prefix=a%20b", NULL), "<Key>a b/one.txt</Key>",
               "<ETag>\"5d41402abc4b2a76b9719d911017c592\"</ETag>", "<Size>5</Size>", "<IsTruncated>true</IsTruncated>",
               "<NextContinuationToken>1</NextContinuationToken>");
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "?continuation-token=1&list-type=2&max-keys=1&prefix=a%20b", NULL),
               "<Key>a b/two.txt</Key>", "<IsTruncated>false</IsTruncated>");
    CHECK_SAYS(sim, 409, aws_s3("DELETE", BUCKET, NULL), "<Code>BucketNotEmpty</Code>");
    CHECK_SAYS(sim, 204, aws_s3("DELETE", BUCKET "a%20b/one.txt", NULL), "");
    CHECK_SAYS(sim, 204, aws_s3("DELETE", BUCKET "a%20b/one.txt", NULL), "");
    CHECK_SAYS(sim, 204, aws_s3("DELETE", BUCKET "a%20b/two.txt", NULL), "");
    CHECK_SAYS(sim, 204, aws_s3("DELETE", BUCKET, NULL), "");
    world_free(&sim->world);
}

TEST(aws_ecr_repositories_have_their_rules)
{
    static const char manifest[] = "{\"repositoryName\":\"dos/doom\",\"imageTag\":\"1\",\"imageManifest\":\"{}\"}";
    struct sim *sim = aws_open(NULL, NULL);

    CHECK_SAYS(sim, 400, aws_ecr("CreateRepository", "{}"), "\"__type\":\"InvalidParameterException\"",
               "Value null at 'repositoryName'");
    CHECK_SAYS(sim, 400, aws_ecr("CreateRepository", "{\"repositoryName\":7}"),
               "\"__type\":\"SerializationException\"");
    CHECK_SAYS(sim, 400, aws_ecr("CreateRepository", "{\"repositoryName\":\"Dos\"}"), "InvalidParameterException");
    CHECK_SAYS(sim, 400, aws_ecr("CreateRepository", "{"), "\"__type\":\"SerializationException\"");
    CHECK_SAYS(sim, 200,
               aws_ecr("CreateRepository", "{\"repositoryName\":\"dos/doom\",\"imageTagMutability\":\"IMMUTABLE\","
                                           "\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}"),
               "\"repositoryUri\":\"111122223333.dkr.ecr.eu-central-1.amazonaws.com/dos/doom\"",
               "\"createdAt\":1893456000");
    CHECK_SAYS(sim, 400, aws_ecr("CreateRepository", "{\"repositoryName\":\"dos/doom\"}"),
               "RepositoryAlreadyExistsException");
    CHECK_SAYS(sim, 400, aws_ecr("DescribeRepositories", "{\"repositoryNames\":[\"xy\"]}"),
               "RepositoryNotFoundException",
               "The repository with name 'xy' does not exist in the registry with id '111122223333'");
    CHECK_SAYS(sim, 200,
               aws_ecr("ListTagsForResource",
                       "{\"resourceArn\":\"arn:aws:ecr:eu-central-1:111122223333:repository/dos/doom\"}"),
               "{\"tags\":[{\"Key\":\"a\",\"Value\":\"b\"}]}");
    CHECK_SAYS(sim, 400, aws_ecr("GetLifecyclePolicy", "{\"repositoryName\":\"dos/doom\"}"),
               "LifecyclePolicyNotFoundException");
    CHECK_SAYS(sim, 200, aws_ecr("PutImage", manifest),
               "\"imageDigest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\"");
    CHECK_SAYS(sim, 400, aws_ecr("PutImage", manifest), "ImageAlreadyExistsException");
    CHECK_SAYS(sim, 200, aws_ecr("DescribeImages", "{\"repositoryName\":\"dos/doom\"}"), "\"imageTags\":[\"1\"]");
    CHECK_SAYS(sim, 400,
               aws_ecr("DescribeImages", "{\"repositoryName\":\"dos/doom\",\"imageIds\":[{\"imageTag\":\"2\"}]}"),
               "ImageNotFoundException");
    CHECK_SAYS(sim, 200,
               aws_ecr("BatchGetImage", "{\"repositoryName\":\"dos/doom\",\"imageIds\":[{\"imageTag\":\"1\"},"
                                        "{\"imageTag\":\"2\"}]}"),
               "\"imageManifest\":\"{}\"", "\"failureCode\":\"ImageNotFound\"");
    CHECK_SAYS(sim, 400, aws_ecr("DeleteRepository", "{\"repositoryName\":\"dos/doom\"}"),
               "RepositoryNotEmptyException");
    CHECK_SAYS(sim, 200, aws_ecr("DeleteRepository", "{\"repositoryName\":\"dos/doom\",\"force\":true}"), "dos/doom");
    CHECK_SAYS(sim, 200, aws_ecr("GetAuthorizationToken", "{}"),
               "\"proxyEndpoint\":\"https://111122223333.dkr.ecr.eu-central-1.amazonaws.com\"",
               "\"expiresAt\":1893499200");
    world_free(&sim->world);
}

TEST(aws_eks_describes_the_cluster_of_the_sandbox)
{
    struct ask ask = {.service = "eks", .method = "GET", .url = "https://eks.eu-central-1.amazonaws.com/clusters/dos"};
    struct err err = ERR_INIT;
    struct sim *sim = aws_open(NULL, NULL);

    CHECK_SAYS(sim, 404, ask, "No cluster found for name: dos.");
    sandbox_cluster(&sim->world, SANDBOX_REGION, "dos");
    sandbox_cluster(&sim->world, SANDBOX_REGION, "dos");
    CHECK_SAYS(sim, 200, ask, "\"status\":\"ACTIVE\"", "\"endpoint\":\"https://kubernetes.sandbox\"",
               "\"certificateAuthority\":{\"data\":\"LS0tLS1CRUdJTiBD",
               "\"arn\":\"arn:aws:eks:eu-central-1:111122223333:cluster/dos\"");
    ask.url = "https://eks.eu-central-1.amazonaws.com/clusters";
    CHECK_SAYS(sim, 200, ask, "{\"clusters\":[\"dos\"]}");
    CHECK_INT(sandbox_script(&sim->world, "s.lua", VIEW_LITERAL("sandbox.cluster('blue')"), &err), 0);
    CHECK_SAYS(sim, 200, ask, "{\"clusters\":[\"blue\",\"dos\"]}");
    world_free(&sim->world);
}

TEST(aws_lasts_in_the_state_file_and_is_shown)
{
    char *folder = folder_new();
    struct sim *sim = aws_open(folder, NULL);
    struct buf first, second;

    buf_init(&first, 1 << 24);
    buf_init(&second, 1 << 24);
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    CHECK_SAYS(sim, 200, aws_s3("PUT", BUCKET, PLACE), "");
    CHECK_SAYS(sim, 200, aws_s3("PUT", BUCKET "key", "a planted secret"), "");
    CHECK_SAYS(sim, 200, aws_ecr("CreateRepository", "{\"repositoryName\":\"dos\"}"), "repositoryArn");
    sandbox_show(&sim->world, false, &first);
    CHECK(strstr(buf_text(&first), "# aws ecr/Repository eu-central-1/dos\n"));
    CHECK(strstr(buf_text(&first), "# aws iam/Role dos\n"));
    CHECK(strstr(buf_text(&first), "# aws s3/Object dos-bucket/key\n"));
    CHECK(!strstr(buf_text(&first), "AROA"));
    CHECK(!strstr(buf_text(&first), "YSBwbGFudGVk"));
    sim_compact(sim);
    world_free(&sim->world);
    sim = aws_open(folder, NULL);
    sandbox_show(&sim->world, false, &second);
    CHECK_TEXT(buf_text(&second), buf_text(&first));
    CHECK_SAYS(sim, 200, aws_s3("GET", BUCKET "key", NULL), "a planted secret");
    world_free(&sim->world);
    buf_free(&first);
    buf_free(&second);
    folder_remove(folder);
}

TEST(aws_state_faults_change_what_reads_see)
{
    struct sim *sim = aws_open(NULL, "1:stale");

    /* Created in the shadow: three reads do not see it. */
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    for (int i = 0; i < 3; i++)
        CHECK_SAYS(sim, 404, IAM("GetRole&RoleName=dos"), "NoSuchEntity");
    CHECK_SAYS(sim, 200, IAM("GetRole&RoleName=dos"), "<Role>");
    world_free(&sim->world);
    sim = aws_open(NULL, "2:ghost");
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    CHECK_SAYS(sim, 200, IAM("DeleteRole&RoleName=dos"), "DeleteRoleResponse");
    CHECK_SAYS(sim, 200, IAM("ListRoles"), "<RoleName>dos</RoleName>");
    CHECK_SAYS(sim, 404, IAM("DeleteRole&RoleName=dos"), "NoSuchEntity");
    world_free(&sim->world);
    sim = aws_open(NULL, "1:unready");
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    CHECK_SAYS(sim, 404, IAM("GetRole&RoleName=dos"), "NoSuchEntity");
    run_for(sim, 10000);
    CHECK_SAYS(sim, 200, IAM("GetRole&RoleName=dos"), "<Role>");
    world_free(&sim->world);
    sim = aws_open(NULL, "2:foreign");
    CHECK_SAYS(sim, 200, IAM(CREATE_ROLE), "<Role>");
    CHECK_SAYS(sim, 200, IAM("GetRole&RoleName=dos"), "<Key>edited-by</Key><Value>somebody-else</Value>");
    world_free(&sim->world);
}
