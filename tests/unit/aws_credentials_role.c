/* Sources that are calls: roles on other profiles' keys, web identity, SSO. */
#include "aws/aws.h"
#include "aws_asker.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = "/home/ann/.aws/config", CREDENTIALS[] = "/home/ann/.aws/credentials";
static const char CACHE_SESSION[] = "/home/ann/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

static struct asker asker;

/* ---- a server of STS and SSO ---- */

/* Who signed: the key of "Credential=AKIA.../20300101/..." */
static void signer_add(struct buf *out, const struct aws_world_ask *ask)
{
    const char *at = strstr(aws_world_header(ask, "Authorization"), "Credential=");

    buf_addf(out, " by %.*s", at ? (int)strcspn(at + 11, "/") : 1, at ? at + 11 : "-");
}

static void sts_answer(struct asker *own, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    static const char refusal[] = "<ErrorResponse><Error><Code>%s</Code><Message>no %s</Message></Error>"
                                  "<RequestId>r-1</RequestId></ErrorResponse>";
    bool web = strstr(ask->body, "Action=AssumeRoleWithWebIdentity") != NULL;
    const char *name = web ? "AssumeRoleWithWebIdentity" : "AssumeRole";

    answer->status = own->status;
    if (own->body && strcmp(own->body, "SignatureDoesNotMatch") == 0) { /* its clock is 20 minutes before ours */
        answer->date = "Tue, 01 Jan 2030 00:20:00 GMT";
        answer->status = strncmp(aws_world_header(ask, "x-amz-date"), "20300101T0020", 13) == 0 ? 200 : 403;
    }
    if (answer->status != 200)
        answer->body = mem_printf(refusal, own->body, own->body);
    else
        answer->body =
            mem_printf("<%sResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><%sResult>"
                       "<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn>"
                       "<AssumedRoleId>AROA:y</AssumedRoleId></AssumedRoleUser>"
                       "<Credentials><AccessKeyId>STS%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                       "<SessionToken>t</SessionToken><Expiration>2030-01-01T%02d:00:00Z</Expiration>"
                       "</Credentials></%sResult></%sResponse>",
                       name, name, ask->count, (int)((own->world.now_ms / 3600000 - 525960) % 24 + 1), name, name);
}

static struct buf heard; /* "METHOD URL BODY by KEY\n" */

static void serve(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct asker *own = ctx;

    buf_addf(&heard, "%s %s %s", ask->method, ask->url, ask->body);
    signer_add(&heard, ask);
    buf_add_char(&heard, '\n');
    if (strstr(ask->url, "sts.")) {
        sts_answer(own, ask, answer);
    } else if (strstr(ask->url, "oidc.")) {
        answer->status = own->status;
        answer->body = mem_text(own->status == 200 ? "{\"accessToken\": \"renewed\", \"expiresIn\": 3600, "
                                                     "\"refreshToken\": \"next\", \"tokenType\": \"Bearer\"}"
                                                   : "{\"error\": \"invalid_grant\"}");
    } else if (strstr(ask->url, "portal.sso.")) {
        free(own->seen);
        own->seen = mem_text(aws_world_header(ask, "x-amz-sso_bearer_token"));
        answer->status = own->role_status ? own->role_status : 200;
        answer->body = mem_text(answer->status == 200
                                    ? "{\"roleCredentials\": {\"accessKeyId\": \"SSO\", \"secretAccessKey\": \"s\", "
                                      "\"sessionToken\": \"t\", \"expiration\": 1893463200000}}"
                                    : "{\"message\": \"Session token not found or invalid\"}");
    }
}

static void enter(const char *config)
{
    asker_init(&asker);
    asker.world.serve = serve;
    buf_init(&heard, 1 << 20);
    aws_world_file(&asker.world, CONFIG, config);
}

static void leave(void)
{
    asker_clear(&asker);
    buf_free(&heard);
}

static void check_refused(const char *config, const char *profile, const char *code, const char *message)
{
    enter(config);
    asker_again(&asker, profile, NULL);
    asker_ask(&asker, false);
    CHECK(!asker.got);
    CHECK_TEXT(asker.err.explain, code);
    CHECK_TEXT(asker.err.message, message);
    leave();
}

/* ---- roles ---- */

TEST(role_on_the_keys_of_another_profile)
{
    enter("[profile dev]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"
          "external_id = ext\nduration_seconds = 900\nrole_session_name = ann\n");
    aws_world_file(&asker.world, CREDENTIALS, "[base]\naws_access_key_id = BASE\naws_secret_access_key = b\n");
    asker_again(&asker, "dev", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "STS1/s/t/123456789012/1893459600000");
    CHECK(strstr(buf_text(&heard), "POST https://sts.eu-west-1.amazonaws.com/ Action=AssumeRole&"));
    CHECK(strstr(buf_text(&heard), "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fx"));
    CHECK(strstr(buf_text(&heard), "RoleSessionName=ann") && strstr(buf_text(&heard), "ExternalId=ext"));
    CHECK(strstr(buf_text(&heard), "DurationSeconds=900") && strstr(buf_text(&heard), " by BASE\n"));
    CHECK_TEXT(aws_credentials_source(asker.credentials),
               "profile dev (assumed role arn:aws:iam::123456789012:role/x from ~/.aws/config:3)");
    leave();
}

TEST(role_on_a_role_on_keys_of_its_own)
{
    enter("[profile a]\nrole_arn = arn:aws:iam::123456789012:role/a\nsource_profile = b\n"
          "[profile b]\nrole_arn = arn:aws:iam::123456789012:role/b\nsource_profile = c\n"
          "[profile c]\nrole_arn = arn:aws:iam::123456789012:role/c\nsource_profile = c\n"
          "aws_access_key_id = OWN\naws_secret_access_key = o\n");
    asker_again(&asker, "a", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.got, "STS2/s/t/123456789012/1893459600000"); /* keys of c are taken as they are */
    CHECK(strstr(buf_text(&heard), "role%2Fb") && strstr(buf_text(&heard), " by OWN\n"));
    CHECK(strstr(buf_text(&heard), "role%2Fa") && strstr(buf_text(&heard), " by STS1\n"));
    asker_again(&asker, "c", NULL);
    asker_ask(&asker, false);
    CHECK(asker.got && strncmp(asker.got, "STS3/", 5) == 0);
    /* Both end: each is asked for anew, the lower first. */
    asker_again(&asker, "a", NULL);
    asker_ask(&asker, false);
    aws_world_wait(&asker.world, 2 * 3600000);
    asker_ask(&asker, false);
    CHECK(asker.got && strncmp(asker.got, "STS7/", 5) == 0);
    CHECK(strstr(buf_text(&heard), " by STS6\n"));
    leave();
}

TEST(role_on_variables_and_machines)
{
    enter("[profile env]\nrole_arn = arn:aws:iam::123456789012:role/x\ncredential_source = Environment\n"
          "[profile ecs]\nrole_arn = arn:aws:iam::123456789012:role/x\ncredential_source = EcsContainer\n");
    aws_world_set(&asker.world, "AWS_ACCESS_KEY_ID", "VAR");
    aws_world_set(&asker.world, "AWS_SECRET_ACCESS_KEY", "v");
    asker_again(&asker, "env", NULL);
    asker_ask(&asker, false);
    CHECK(strstr(buf_text(&heard), " by VAR\n"));
    CHECK(strstr(buf_text(&heard), "https://sts.amazonaws.com/")); /* no region is configured */
    asker_again(&asker, "ecs", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.message,
               "role of the profile: profile ecs: there are no AWS credentials of profile ecs"
               "\n= tried: container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor _FULL_URI is set");
    leave();
}

TEST(role_at_the_global_endpoint_of_old)
{
    static const char config[] = "[default]\nsts_regional_endpoints = legacy\nrole_arn = arn:aws:iam::1:role/x\n"
                                 "credential_source = Environment\nregion = %s\n";
    static const struct {
        const char *region, *variable, *url;
    } cases[] = {
        {"eu-west-1", NULL, "https://sts.amazonaws.com/ "},
        {"eu-west-1", "regional", "https://sts.eu-west-1.amazonaws.com/ "},
        {"eu-south-1", NULL, "https://sts.eu-south-1.amazonaws.com/ "}, /* younger than the global one */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = mem_printf(config, cases[i].region);

        enter(text);
        aws_world_set(&asker.world, "AWS_ACCESS_KEY_ID", "VAR");
        aws_world_set(&asker.world, "AWS_SECRET_ACCESS_KEY", "v");
        aws_world_set(&asker.world, "AWS_STS_REGIONAL_ENDPOINTS", cases[i].variable);
        asker_again(&asker, "default", NULL);
        asker_ask(&asker, false);
        CHECK(strstr(buf_text(&heard), cases[i].url));
        leave();
        free(text);
    }
}

TEST(role_that_was_asked_for)
{
    enter("[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n"
          "[profile base]\naws_access_key_id = BASE\naws_secret_access_key = b\n");
    asker_again(&asker, "dev", "arn:aws:iam::999999999999:role/top");
    asker_ask(&asker, false);
    CHECK(asker.got && strncmp(asker.got, "STS2/", 5) == 0);
    CHECK(strstr(buf_text(&heard), "role%2Ftop") && strstr(buf_text(&heard), "RoleSessionName=dosrun-1893456000"));
    CHECK_TEXT(aws_credentials_source(asker.credentials),
               "role arn:aws:iam::999999999999:role/top, assumed by profile dev (assumed role "
               "arn:aws:iam::123456789012:role/x from ~/.aws/config:2)");
    leave();
}

TEST(role_that_cannot_be)
{
#define ROLE "role_arn = arn:aws:iam::123456789012:role/x\n"
    check_refused("[profile a]\n" ROLE "source_profile = bse\n[profile base]\n", "a", "A201",
                  "~/.aws/config:3: profile a: source_profile names \"bse\", which is no profile; did you mean "
                  "\"base\"?");
    check_refused("[profile a]\n" ROLE "source_profile = b\n[profile b]\n" ROLE "source_profile = a\n", "a", "A201",
                  "profile a: ~/.aws/config:6: profile b: source_profile names \"a\", and so the roles stand in a "
                  "circle");
    check_refused("[profile a]\n" ROLE "source_profile = a\n", "a", "A201",
                  "~/.aws/config:3: profile a: source_profile names \"a\", and so the roles stand in a circle");
    check_refused("[profile a]\n" ROLE "source_profile = b\ncredential_source = Environment\n[profile b]\n", "a",
                  "A201", "~/.aws/config:4: profile a: it has both source_profile and credential_source");
    check_refused("[profile a]\n" ROLE, "a", "A201",
                  "~/.aws/config:2: profile a: it has a role_arn, and neither source_profile nor credential_source to "
                  "assume it with");
    check_refused("[profile a]\n" ROLE "credential_source = environment\n", "a", "A201",
                  "~/.aws/config:3: profile a: credential_source is \"environment\"; there are Environment, "
                  "Ec2InstanceMetadata and EcsContainer");
    check_refused("[profile a]\n" ROLE "source_profile = b\nmfa_serial = arn:aws:iam::1:mfa/ann\n[profile b]\n", "a",
                  "A201",
                  "~/.aws/config:4: profile a: its role wants a code of arn:aws:iam::1:mfa/ann, which nobody can type "
                  "in the middle of a run; use a profile that needs none, or keys of `aws sts assume-role`");
}

TEST(role_that_may_not_be_assumed)
{
    enter("[profile a]\n" ROLE "source_profile = b\n[profile b]\naws_access_key_id = B\naws_secret_access_key = b\n");
    asker.status = 403;
    asker.body = "AccessDenied";
    asker_again(&asker, "a", NULL);
    asker_ask(&asker, false);
    CHECK_INT(asker.err.kind, ERR_AUTH);
    CHECK_TEXT(asker.err.explain, "A204");
    CHECK_TEXT(asker.err.code, "AccessDenied");
    CHECK(strstr(asker.err.message, "profile a: assuming arn:aws:iam::123456789012:role/x: ") &&
          strstr(asker.err.message, "no AccessDenied"));
    /* Throttling is waited out. */
    asker.status = 400;
    asker.body = "Throttling";
    int before = asker.world.exchanges;
    asker_ask(&asker, false);
    CHECK_INT(asker.world.exchanges - before, 3);
    leave();
}

/* ---- web identity ---- */

TEST(web_identity_of_variables)
{
    enter("[default]\nregion = us-east-2\n");
    aws_world_set(&asker.world, "AWS_WEB_IDENTITY_TOKEN_FILE", "/token");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.message, "web identity: there is a token in /token, and neither AWS_ROLE_ARN nor role_arn");
    aws_world_set(&asker.world, "AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod");
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.message, "web identity: the token: /token: no such file");
    aws_world_file(&asker.world, "/token", "jwt-one\n");
    asker_ask(&asker, false);
    CHECK(asker.got && strncmp(asker.got, "STS1/", 5) == 0);
    CHECK(strstr(buf_text(&heard), "WebIdentityToken=jwt-one") && strstr(buf_text(&heard), " by -\n"));
    CHECK_TEXT(aws_credentials_source(asker.credentials),
               "web identity (role arn:aws:iam::123456789012:role/pod, token in /token)");
    aws_world_file(&asker.world, "/token", "jwt-two");
    aws_world_wait(&asker.world, 3600000);
    asker_ask(&asker, false);
    CHECK(strstr(buf_text(&heard), "WebIdentityToken=jwt-two"));
    asker.status = 400;
    asker.body = "InvalidIdentityToken";
    aws_world_wait(&asker.world, 3600000);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.explain, "A204");
    CHECK(!strstr(asker.err.message, "jwt-two"));
    leave();
}

TEST(web_identity_of_a_profile)
{
    enter("[profile ci]\n" ROLE "web_identity_token_file = /ci\nrole_session_name = ci\n"
          "[profile top]\nrole_arn = arn:aws:iam::123456789012:role/top\nsource_profile = ci\n");
    aws_world_file(&asker.world, "/ci", "jwt-ci");
    aws_world_set(&asker.world, "AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/never");
    asker_again(&asker, "top", NULL);
    asker_ask(&asker, false);
    CHECK(asker.got && strncmp(asker.got, "STS2/", 5) == 0);
    CHECK(!strstr(buf_text(&heard), "never") && strstr(buf_text(&heard), "RoleSessionName=ci"));
    leave();
}

/* ---- SSO ---- */

static const char SSO[] = "[profile dev]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Admin\n"
                          "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp/start\n";

static void sso_enter(const char *token)
{
    enter(SSO);
    if (token)
        aws_world_file(&asker.world, CACHE_SESSION, token);
    asker_again(&asker, "dev", NULL);
    asker_ask(&asker, false);
}

TEST(sso_with_a_login)
{
    sso_enter("{\"accessToken\": \"hush\", \"expiresAt\": \"2030-01-01T08:00:00Z\"}");
    CHECK_TEXT(asker.got, "SSO/s/t/123456789012/1893463200000");
    CHECK_TEXT(asker.seen, "hush");
    CHECK_TEXT(buf_text(&heard), "GET https://portal.sso.eu-west-1.amazonaws.com/federation/credentials"
                                 "?role_name=Admin&account_id=123456789012  by -\n");
    CHECK_TEXT(aws_credentials_source(asker.credentials), "profile dev (SSO role Admin of account 123456789012)");
    leave();
}

TEST(sso_login_that_is_renewed)
{
    sso_enter("{\"accessToken\": \"hush\", \"expiresAt\": \"2029-12-31T08:00:00UTC\", \"refreshToken\": \"once\", "
              "\"clientId\": \"me\", \"clientSecret\": \"shh\", \"registrationExpiresAt\": \"2030-02-01T00:00:00Z\"}");
    CHECK_TEXT(asker.got, "SSO/s/t/123456789012/1893463200000");
    CHECK_TEXT(asker.seen, "renewed");
    CHECK(strstr(buf_text(&heard), "POST https://oidc.eu-west-1.amazonaws.com/token {"));
    CHECK(strstr(buf_text(&heard), "\"refreshToken\":\"once\"") ||
          strstr(buf_text(&heard), "\"refreshToken\": \"once\""));
    CHECK_TEXT(aws_world_read(&asker.world, CACHE_SESSION),
               "{\"accessToken\":\"renewed\",\"expiresAt\":\"2030-01-01T01:00:00Z\",\"clientId\":\"me\","
               "\"clientSecret\":\"shh\",\"registrationExpiresAt\":\"2030-02-01T00:00:00Z\","
               "\"startUrl\":\"https://corp/start\",\"region\":\"eu-west-1\",\"refreshToken\":\"next\"}");
    leave();
}

TEST(sso_login_that_is_over)
{
    sso_enter(NULL);
    CHECK_TEXT(asker.err.explain, "A206");
    CHECK_TEXT(asker.err.message, "SSO: profile dev: the SSO login of session corp is not there: run `aws sso login "
                                  "--profile dev`");
    leave();
    sso_enter("{\"accessToken\": \"hush\", \"expiresAt\": \"2029-12-31T08:00:00Z\"}");
    CHECK_TEXT(asker.err.message,
               "SSO: profile dev: the SSO login of session corp expired at 2029-12-31T08:00:00Z: run "
               "`aws sso login --profile dev`");
    leave();
    enter(SSO);
    asker.role_status = 401;
    aws_world_file(&asker.world, CACHE_SESSION, "{\"accessToken\": \"hush\", \"expiresAt\": \"2030-01-01T08:00:00Z\"}");
    asker_again(&asker, "dev", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.explain, "A206");
    CHECK(!strstr(asker.err.message, "hush"));
    leave();
}

TEST(sso_token_serves_when_it_cannot_be_renewed)
{
    enter(SSO);
    asker.status = 400;
    aws_world_file(&asker.world, CACHE_SESSION,
                   "{\"accessToken\": \"hush\", \"expiresAt\": \"2030-01-01T00:10:00Z\", \"refreshToken\": \"once\", "
                   "\"clientId\": \"me\", \"clientSecret\": \"shh\", \"registrationExpiresAt\": "
                   "\"2030-02-01T00:00:00Z\"}");
    asker_again(&asker, "dev", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.seen, "hush");
    CHECK(asker.got != NULL);
    leave();
}

TEST(sso_in_the_form_before_sessions)
{
    enter("[profile old]\nsso_start_url = https://corp/start\nsso_region = eu-west-1\nsso_account_id = 123456789012\n"
          "sso_role_name = Admin\n");
    aws_world_file(&asker.world, "/home/ann/.aws/sso/cache/717f6b50ccf65f10839b090b78b6ff0786091a96.json",
                   "{\"accessToken\": \"old\", \"expiresAt\": \"2030-01-01T08:00:00UTC\"}");
    asker_again(&asker, "old", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.seen, "old");
    leave();
}

TEST(sso_settings_that_do_not_fit)
{
    check_refused("[profile a]\nsso_role_name = r\nsso_account_id = 1\nsso_session = x\n", "a", "A201",
                  "~/.aws/config:4: profile a: there is no section [sso-session x]");
    check_refused("[profile a]\nsso_role_name = r\nsso_account_id = 1\n", "a", "A201",
                  "~/.aws/config:2: profile a: it is one of SSO, and there is no sso_start_url");
    check_refused("[profile a]\nsso_role_name = r\nsso_account_id = 1\nsso_session = x\nsso_region = r1\n"
                  "[sso-session x]\nsso_region = r2\nsso_start_url = u\n",
                  "a", "A201", "~/.aws/config:5: profile a: sso_region is another one in sso-session x");
}

TEST(role_whose_keys_are_refused)
{
    enter("[profile a]\n" ROLE
          "source_profile = b\n[profile b]\naws_access_key_id = B\naws_secret_access_key = hush\n");
    asker.status = 403;
    asker.body = "InvalidClientTokenId";
    asker_again(&asker, "a", NULL);
    asker_ask(&asker, false);
    CHECK_TEXT(asker.err.explain, "A205");
    CHECK(strstr(asker.err.message, "profile b (keys in ~/.aws/config:5) has no other keys than"));
    CHECK(!strstr(asker.err.message, "hush"));
    leave();
}

TEST(role_signed_by_the_services_clock)
{
    enter("[profile a]\n" ROLE
          "source_profile = b\n[profile b]\naws_access_key_id = B\naws_secret_access_key = hush\n");
    asker.body = "SignatureDoesNotMatch";
    asker_again(&asker, "a", NULL);
    asker_ask(&asker, false);
    CHECK(asker.got && strncmp(asker.got, "STS2/", 5) == 0);
    asker_ask(&asker, true); /* what was learned is kept */
    CHECK(asker.got && strncmp(asker.got, "STS3/", 5) == 0);
    CHECK_INT(asker.transport.skew_ms, 20 * 60 * 1000); /* for everything else that is signed, too */
    leave();
}

static void not_called(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    (void)ctx;
    (void)result;
    (void)answer;
    (void)err;
    CHECK(!"a cancelled call has no end");
}

TEST(call_given_up_while_it_waits_for_a_role)
{
    for (int turns = 0; turns < 4; turns++)
        for (int presigned = 0; presigned < 2; presigned++) {
            struct aws_request request = {.region = "eu-west-1"};
            struct aws *aws;

            enter("[profile a]\n" ROLE "source_profile = b\n[profile b]\n" ROLE "source_profile = c\n"
                  "[profile c]\naws_access_key_id = C\naws_secret_access_key = hush\n");
            aws = aws_new(&asker.world.base, asker.world.http, NULL, aws_world_config(&asker.world, "a", NULL),
                          aws_table_builtin());
            request.operation =
                aws_operation_find(aws_service_find(aws_table_builtin(), "sts"), VIEW_LITERAL("GetCallerIdentity"));
            if (presigned)
                aws_presign(aws, &request, 60, not_called, NULL);
            else
                aws_send(aws, &request, not_called, NULL);
            for (int i = 0; i < turns; i++)
                world_turn(&asker.world.base);
            aws_free(aws);
            aws_world_run(&asker.world);
            leave();
        }
}

TEST(role_freed_at_each_step)
{
    for (int turns = 0; turns < 4; turns++) {
        enter("[profile a]\n" ROLE "source_profile = b\n[profile b]\n" ROLE "source_profile = c\n"
              "[profile c]\naws_access_key_id = C\naws_secret_access_key = hush\n");
        asker_again(&asker, "a", NULL);
        asker_share(&asker, &asker, false);
        for (int i = 0; i < turns; i++)
            world_turn(&asker.world.base);
        aws_credentials_free(asker.credentials);
        asker.credentials = NULL;
        aws_world_run(&asker.world);
        CHECK_INT(asker.told, 0);
        leave();
    }
}
