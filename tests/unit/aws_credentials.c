/* The chain, its refresh, and the sources that need neither STS nor SSO. */
#include "aws_asker.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = "/home/ann/.aws/config", CREDENTIALS[] = "/home/ann/.aws/credentials";

static struct asker asker;

/* ---- environment, files ---- */

TEST(credentials_of_the_environment)
{
    asker_init(&asker);
    aws_world_set(&asker.world, "AWS_ACCESS_KEY_ID", "AKIAENV");
    aws_world_set(&asker.world, "AWS_SECRET_ACCESS_KEY", "hidden");
    aws_world_set(&asker.world, "AWS_SESSION_TOKEN", "tok");
    aws_world_set(&asker.world, "AWS_ACCOUNT_ID", "123456789012");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "AKIAENV/hidden/tok/123456789012/0");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "environment (AWS_ACCESS_KEY_ID)");
    asker_ask(&asker, true); /* it has no others */
    CHECK_TEXT(asker.err.explain, "A205");
    CHECK_INT(asker.err.kind, ERR_AUTH);
    CHECK(!strstr(asker.err.message, "hidden"));
    aws_world_set(&asker.world, "AWS_SECRET_ACCESS_KEY", "renewed");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "AKIAENV/renewed/tok/123456789012/0");
    asker_clear(&asker);
}

TEST(credentials_of_a_broken_environment)
{
    asker_init(&asker);
    aws_world_set(&asker.world, "AWS_ACCESS_KEY_ID", "AKIAENV");
    aws_world_file(&asker.world, CREDENTIALS, "[default]\naws_access_key_id = A\naws_secret_access_key = B\n");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.explain, "A204");
    CHECK_TEXT(asker.err.message, "environment: AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
    aws_world_set(&asker.world, "AWS_SECRET_ACCESS_KEY", "hidden");
    aws_world_set(&asker.world, "AWS_CREDENTIAL_EXPIRATION", "2029-12-31T23:59:59Z");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.message, "environment (AWS_ACCESS_KEY_ID): what it gives has expired already");
    asker_clear(&asker);
}

TEST(credentials_of_files)
{
    asker_init(&asker);
    aws_world_file(&asker.world, CONFIG,
                   "[default]\naws_access_key_id = CONF\naws_secret_access_key = c\n"
                   "[profile dev]\naws_access_key_id = DEV\naws_secret_access_key = d\n"
                   "credential_process = never\n");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "CONF/c/-/-/0");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "profile default (keys in ~/.aws/config:2)");
    aws_world_file(&asker.world, CREDENTIALS,
                   "[default]\naws_access_key_id = CRED\naws_secret_access_key = x\n"
                   "aws_session_token = t\n");
    asker_again(&asker, NULL, NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "CRED/x/t/-/0");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "profile default (keys in ~/.aws/credentials:2)");
    aws_world_file(&asker.world, CREDENTIALS, "[default]\naws_access_key_id = NEW\naws_secret_access_key = y\n");
    asker_ask(&asker, true); /* somebody renewed them in the middle */
    CHECK_TEXT(asker.got, "NEW/y/-/-/0");
    aws_world_file(&asker.world, CREDENTIALS, "[default]\naws_access_key_id\n");
    aws_world_wait(&asker.world, 10000);
    asker_ask(&asker, true);
    CHECK_TEXT(asker.err.explain, "A201");
    asker_clear(&asker);
}

TEST(credentials_file_without_a_secret)
{
    asker_init(&asker);
    aws_world_file(&asker.world, CREDENTIALS, "[default]\naws_access_key_id = A\n");
    asker_ask(&asker, false);
    CHECK_INT(asker.err.kind, ERR_USAGE);
    CHECK_TEXT(asker.err.message, "~/.aws/credentials:1: profile default has no aws_secret_access_key");
    asker_clear(&asker);
}

TEST(credentials_chosen_profile_goes_before_the_environment)
{
    asker_init(&asker);
    aws_world_set(&asker.world, "AWS_ACCESS_KEY_ID", "AKIAENV");
    aws_world_set(&asker.world, "AWS_SECRET_ACCESS_KEY", "hidden");
    aws_world_file(&asker.world, CREDENTIALS, "[dev]\naws_access_key_id = DEV\naws_secret_access_key = d\n");
    aws_world_set(&asker.world, "AWS_PROFILE", "dev");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "AKIAENV/hidden/-/-/0"); /* a variable does not choose against variables */
    asker_again(&asker, "dev", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "DEV/d/-/-/0");
    asker_clear(&asker);
}

TEST(credentials_nowhere_says_each_place)
{
    asker_init(&asker);
    asker_ask(&asker, false);
    CHECK_INT(asker.err.kind, ERR_AUTH);
    CHECK_TEXT(asker.err.explain, "A203");
    CHECK_TEXT(asker.err.message,
               "there are no AWS credentials"
               "\n= tried: environment: AWS_ACCESS_KEY_ID is not set"
               "\n= tried: role of the profile: profile default has no role_arn"
               "\n= tried: web identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set, nor is profile default's"
               "\n= tried: SSO: profile default has no sso_role_name"
               "\n= tried: credentials file: ~/.aws/credentials has no aws_access_key_id in profile default"
               "\n= tried: aws login: profile default has no login_session"
               "\n= tried: credential_process: profile default has no credential_process"
               "\n= tried: config file: ~/.aws/config has no aws_access_key_id in profile default"
               "\n= tried: container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set"
               "\n= tried: IMDSv2: PUT http://169.254.169.254/latest/api/token: connection refused");
    asker_clear(&asker);
}

TEST(credentials_of_aws_login_are_somebody_elses)
{
    asker_init(&asker);
    aws_world_file(&asker.world, CONFIG, "[default]\nlogin_session = arn:aws:iam::1:user/ann\n");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.explain, "A204");
    CHECK(strstr(asker.err.message, "~/.aws/config:2") && strstr(asker.err.message, "export-credentials"));
    asker_clear(&asker);
}

/* ---- programs ---- */

TEST(credentials_of_a_program)
{
    asker_init(&asker);
    aws_world_file(&asker.world, CONFIG,
                   "[default]\ncredential_process = \"/opt/my tools/ask\" --name 'a; rm -rf /' $HOME `id` \\\" \"\" \n"
                   "aws_account_id = 42\n");
    asker.world.program_output = "{\"Version\": 1, \"AccessKeyId\": \"P\", \"SecretAccessKey\": \"s\", "
                                 "\"SessionToken\": \"t\", \"Expiration\": \"2030-01-01T01:00:00Z\"}";
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "P/s/t/42/1893459600000");
    CHECK_TEXT(buf_text(&asker.world.log), "run /opt/my tools/ask|--name|a; rm -rf /|$HOME|`id`|\"|\n");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "profile default (credential_process from ~/.aws/config:2)");
    CHECK_INT(aws_credentials_expire_ms(asker.credentials), 1893459600000);
    asker_clear(&asker);
}

static void check_program(const char *command, const char *output, int status, const char *message)
{
    char *config = mem_printf("[default]\ncredential_process = %s\n", command);

    asker_init(&asker);
    aws_world_file(&asker.world, CONFIG, config);
    asker.world.program_output = output;
    asker.world.program_complaint = "no login\n";
    asker.world.program_status = status;
    asker_ask(&asker, false);
    CHECK(asker.err.kind == ERR_AUTH || asker.err.kind == ERR_USAGE);
    CHECK_TEXT(asker.err.message, message);
    asker_clear(&asker);
    free(config);
}

TEST(credentials_of_a_program_that_fails)
{
    check_program("ask", "{}", 3,
                  "credential_process: ~/.aws/config:2: profile default: it ended with status 3: no login");
    check_program("ask", "secret", 0, "credential_process: ~/.aws/config:2: profile default: its output is not JSON");
    check_program("ask", "{\"Version\": 2}", 0,
                  "credential_process: ~/.aws/config:2: profile default: its answer has no \"Version\": 1");
    check_program("ask", "{\"Version\": 1, \"AccessKeyId\": \"A\"}", 0,
                  "credential_process: ~/.aws/config:2: profile default: the answer has no SecretAccessKey");
    check_program("ask", "{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"b\", \"Expiration\": \"x\"}",
                  0, "credential_process: ~/.aws/config:2: profile default: the answer's Expiration is no time");
    check_program("ask", NULL, 0, "credential_process: ~/.aws/config:2: profile default: there is no such program");
    check_program("ask 'open", "{}", 0,
                  "~/.aws/config:2: profile default: credential_process: a quote (') is not closed");
    check_program("ask \\", "{}", 0, "~/.aws/config:2: profile default: credential_process: a backslash ends the text");
}

/* ---- containers ---- */

static void serve_container(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct asker *own = ctx;

    CHECK_TEXT(ask->method, "GET");
    CHECK(!ask->request->proxy);
    free(own->seen);
    own->seen = mem_text(aws_world_header(ask, "Authorization"));
    answer->status = own->status;
    answer->body = mem_printf("{\"AccessKeyId\": \"C%d\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", "
                              "\"Expiration\": \"2030-01-01T06:00:00Z\"}",
                              ask->count);
}

TEST(credentials_of_a_container)
{
    asker_init(&asker);
    asker.world.serve = serve_container;
    aws_world_set(&asker.world, "HTTP_PROXY", "http://proxy:1");
    aws_world_set(&asker.world, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials?id=hush");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "C1/s/t/-/1893477600000");
    CHECK_TEXT(buf_text(&asker.world.log), "GET http://169.254.170.2/v2/credentials?id=hush\n");
    CHECK_TEXT(asker.seen, "");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "container (http://169.254.170.2/v2/credentials)");
    asker_again(&asker, NULL, NULL);
    asker.status = 403;
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.explain, "A204");
    CHECK_TEXT(asker.err.message, "container: GET http://169.254.170.2/v2/credentials: 403 forbidden");
    asker_clear(&asker);
}

TEST(credentials_of_eks_pod_identity)
{
    asker_init(&asker);
    asker.world.serve = serve_container;
    aws_world_set(&asker.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials");
    aws_world_set(&asker.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "not this one");
    aws_world_set(&asker.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/var/run/token");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.message, "container: AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: /var/run/token: no such file");
    aws_world_file(&asker.world, "/var/run/token", "first\n");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "C1/s/t/-/1893477600000");
    CHECK_TEXT(asker.seen, "first");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "EKS pod identity (http://169.254.170.23/v1/credentials)");
    aws_world_file(&asker.world, "/var/run/token", "second");
    aws_world_wait(&asker.world, 5 * 3600000 + 56 * 60000);
    asker_ask(&asker, false); /* 4 minutes left: served at once, renewed beside it */
    CHECK_TEXT(asker.got, "C1/s/t/-/1893477600000");
    CHECK_TEXT(asker.seen, "second");
    CHECK_INT(asker.world.exchanges, 2);
    aws_world_file(&asker.world, "/var/run/token", "a\nb");
    asker_again(&asker, NULL, NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.message, "container: its token is more than one line");
    asker_clear(&asker);
}

TEST(credentials_of_a_container_elsewhere)
{
    static const char *const urls[] = {"http://192.0.2.1/", "http://169.254.1.1/", "http://169.254.170.2.example.com/",
                                       "ftp://127.0.0.1/", "http://user@127.0.0.1/"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        asker_init(&asker);
        aws_world_set(&asker.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", urls[i]);
        aws_world_set(&asker.world, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "hush");
        asker_ask(&asker, false);
        CHECK_TEXT(asker.err.explain, "A204");
        CHECK_INT(asker.world.exchanges, 0);
        CHECK(!strstr(asker.err.message, "hush"));
        asker_clear(&asker);
    }
}

/* ---- a machine ---- */

static void serve_imds(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct asker *own = ctx;

    answer->status = 401;
    answer->delay_ms = 10;
    answer->never = own->silent;
    if (strcmp(ask->method, "PUT") == 0 && strstr(ask->url, "/latest/api/token")) {
        CHECK_TEXT(aws_world_header(ask, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
        answer->status = own->status;
        answer->body = mem_text("imds-token");
    } else if (strcmp(aws_world_header(ask, "x-aws-ec2-metadata-token"), "imds-token") == 0) {
        answer->status = own->role_status ? own->role_status : 200;
        if (strstr(ask->url, "/security-credentials/nodes"))
            answer->body = mem_text(own->body);
        else
            answer->body = mem_text("nodes\n");
    }
}

static const char IMDS_KEYS[] = "{\"Code\": \"Success\", \"AccessKeyId\": \"I\", \"SecretAccessKey\": \"s\", "
                                "\"Token\": \"t\", \"Expiration\": \"2030-01-01T06:00:00Z\"}";

static void imds_init(const char *body)
{
    asker_init(&asker);
    asker.world.serve = serve_imds;
    asker.body = body;
}

TEST(credentials_of_a_machine)
{
    imds_init(IMDS_KEYS);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "I/s/t/-/1893477600000");
    CHECK_TEXT(buf_text(&asker.world.log),
               "PUT http://169.254.169.254/latest/api/token\n"
               "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/\n"
               "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/nodes\n");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "IMDSv2 (role nodes)");
    asker_clear(&asker);
}

static const char *imds_why(void)
{
    const char *why = strstr(asker.err.message, "= tried: IMDSv2: ");

    CHECK_TEXT(asker.err.explain, "A203");
    return why ? why + strlen("= tried: IMDSv2: ") : asker.err.message;
}

TEST(credentials_of_a_machine_without)
{
    imds_init(IMDS_KEYS);
    asker.role_status = 404;
    asker_ask(&asker, false);
    CHECK_TEXT(imds_why(), "this machine has no role");
    asker.role_status = 0;
    asker.status = 403;
    asker_ask(&asker, false);
    CHECK_TEXT(imds_why(), "PUT http://169.254.169.254/latest/api/token: 403 forbidden");
    asker.silent = true;
    int64_t before_ms = asker.world.now_ms;
    asker_ask(&asker, false);
    CHECK_TEXT(imds_why(), "PUT http://169.254.169.254/latest/api/token: no answer in time");
    CHECK_INT(asker.world.now_ms - before_ms, 1000);
    aws_world_set(&asker.world, "AWS_METADATA_SERVICE_TIMEOUT", "3");
    before_ms = asker.world.now_ms;
    asker_ask(&asker, false);
    CHECK_INT(asker.world.now_ms - before_ms, 3000);
    int exchanges = asker.world.exchanges;
    aws_world_set(&asker.world, "AWS_EC2_METADATA_DISABLED", "TRUE");
    asker_ask(&asker, false);
    CHECK_TEXT(imds_why(), "AWS_EC2_METADATA_DISABLED is true");
    CHECK_INT(asker.world.exchanges, exchanges);
    asker_clear(&asker);
}

TEST(credentials_of_a_machine_that_says_no)
{
    imds_init("{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"EC2 cannot assume the role\"}");
    asker_ask(&asker, false);
    CHECK_TEXT(imds_why(), "role nodes: AssumeRoleUnauthorizedAccess");
    asker.body = "<html>";
    asker_ask(&asker, false);
    CHECK_TEXT(imds_why(), "the keys of role nodes are not JSON");
    asker_clear(&asker);
}

TEST(credentials_of_a_machine_whose_service_is_late)
{
    imds_init("{\"Code\": \"Success\", \"AccessKeyId\": \"I\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", "
              "\"Expiration\": \"2029-12-31T23:00:00Z\"}");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "I/s/t/-/1893456600030"); /* ten minutes more */
    asker_clear(&asker);
}

TEST(credentials_of_a_machine_at_another_address)
{
    imds_init(IMDS_KEYS);
    aws_world_set(&asker.world, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6");
    asker_ask(&asker, false);
    CHECK(strstr(buf_text(&asker.world.log), "PUT http://[fd00:ec2::254]/latest/api/token\n"));
    aws_world_set(&asker.world, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1338");
    asker_again(&asker, NULL, NULL);
    asker_ask(&asker, false);
    CHECK(strstr(buf_text(&asker.world.log), "PUT http://127.0.0.1:1338/latest/api/token\n"));
    aws_world_set(&asker.world, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://192.0.2.1");
    asker_again(&asker, NULL, NULL);
    asker_ask(&asker, false);
    CHECK(strstr(imds_why(), "only https is spoken"));
    asker_clear(&asker);
}

/* ---- refresh ---- */

static void serve_short(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct asker *own = ctx;
    int64_t seconds = own->world.now_ms / 1000 - 1893456000 + 3600; /* an hour from now */

    answer->status = own->status;
    answer->delay_ms = 500;
    answer->body = mem_printf("{\"AccessKeyId\": \"R%d\", \"SecretAccessKey\": \"s\", \"Token\": \"t\", "
                              "\"Expiration\": \"2030-01-01T%02d:%02d:%02dZ\"}",
                              ask->count, (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static void short_init(void)
{
    asker_init(&asker);
    asker.world.serve = serve_short;
    aws_world_set(&asker.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
    asker_ask(&asker, false);
    CHECK(strncmp(asker.got, "R1/", 3) == 0);
}

TEST(credentials_one_refresh_for_many)
{
    struct asker many[50];

    asker_init(&asker);
    asker.world.serve = serve_short;
    aws_world_set(&asker.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
    asker_credentials(&asker);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 50; i++)
            asker_share(&many[i], &asker, round == 2);
        CHECK(!many[7].told);
        aws_credentials_cancel(many[7].wait);
        aws_world_run(&asker.world);
        CHECK_INT(asker.world.exchanges, round + 1);
        for (size_t i = 0; i < 50; i++) {
            CHECK_INT(many[i].told, i != 7);
            CHECK(i == 7 || (many[i].got && many[i].got[1] == '1' + round));
            free(many[i].got);
        }
        if (round == 0)
            aws_world_wait(&asker.world, 3700000); /* it has ended */
        else
            aws_world_wait(&asker.world, 10000);
    }
    asker_clear(&asker);
}

TEST(credentials_refreshed_early_beside_the_old_ones)
{
    short_init();
    aws_world_wait(&asker.world, 54 * 60000);
    asker_ask(&asker, false);
    CHECK(strncmp(asker.got, "R1/", 3) == 0);
    CHECK_INT(asker.world.exchanges, 1);
    aws_world_wait(&asker.world, 2 * 60000); /* less than five minutes are left */
    asker_ask(&asker, false);
    CHECK(strncmp(asker.got, "R1/", 3) == 0);
    CHECK_INT(asker.world.exchanges, 2);
    asker_ask(&asker, false);
    CHECK(strncmp(asker.got, "R2/", 3) == 0);
    CHECK_INT(asker.world.exchanges, 2);
    asker_clear(&asker);
}

TEST(credentials_old_ones_serve_until_their_end)
{
    short_init();
    asker.status = 400;
    aws_world_wait(&asker.world, 56 * 60000);
    asker_ask(&asker, false); /* the refresh fails */
    asker_ask(&asker, false);
    CHECK(strncmp(asker.got, "R1/", 3) == 0);
    CHECK_INT(asker.world.exchanges, 2); /* not asked again at once */
    aws_world_wait(&asker.world, 61000);
    asker_ask(&asker, false);
    CHECK_INT(asker.world.exchanges, 3);
    CHECK(strncmp(asker.got, "R1/", 3) == 0);
    aws_world_wait(&asker.world, 5 * 60000);
    asker_ask(&asker, false); /* now it is over */
    CHECK(!asker.got);
    CHECK_TEXT(asker.err.message, "container: GET http://127.0.0.1:1/: 400 bad request");
    asker.status = 200;
    asker_ask(&asker, false);
    CHECK(strncmp(asker.got, "R5/", 3) == 0);
    asker_clear(&asker);
}

TEST(credentials_refused_ones_are_not_served)
{
    short_init();
    asker_ask(&asker, true);
    CHECK(strncmp(asker.got, "R2/", 3) == 0);
    asker_ask(&asker, true); /* one who was late: it means the ones before */
    CHECK(strncmp(asker.got, "R2/", 3) == 0);
    CHECK_INT(asker.world.exchanges, 2);
    aws_world_wait(&asker.world, 6000);
    asker.status = 500;
    asker_ask(&asker, true);
    CHECK(!asker.got);
    CHECK_TEXT(asker.err.explain, "A204");
    asker_clear(&asker);
}

TEST(credentials_freed_while_somebody_waits)
{
    asker_init(&asker);
    asker.world.serve = serve_short;
    aws_world_set(&asker.world, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/");
    asker_credentials(&asker);
    asker_share(&asker, &asker, false);
    CHECK(asker.wait != NULL);
    world_turn(&asker.world.base);
    aws_credentials_free(asker.credentials);
    asker.credentials = NULL;
    aws_world_run(&asker.world);
    CHECK(!asker.told);
    asker_clear(&asker);
}
