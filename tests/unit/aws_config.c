/* The files and variables of the aws CLI, read as it reads them. */
#include "aws_world.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char CONFIG[] = "/home/ann/.aws/config", CREDENTIALS[] = "/home/ann/.aws/credentials";

static struct aws_world world;

/* Loads with this config file; the fixture is torn down by leave(). */
static struct aws_config *enter(const char *text)
{
    aws_world_init(&world);
    aws_world_file(&world, CONFIG, text);
    return aws_world_config(&world, NULL, NULL);
}

static void leave(void)
{
    aws_world_clear(&world);
}

static void check_refused(const char *text, const char *code, const char *message)
{
    struct err err = ERR_INIT;

    aws_world_init(&world);
    aws_world_file(&world, CONFIG, text);
    CHECK(!aws_world_config(&world, NULL, &err));
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK_TEXT(err.explain, code);
    CHECK_TEXT(err.message, message);
    aws_world_clear(&world);
}

TEST(config_without_files_is_empty)
{
    aws_world_init(&world);
    REQUIRE(aws_world_config(&world, NULL, NULL));
    CHECK_TEXT(aws_config_profile(world.config), "default");
    CHECK(!aws_config_region(world.config));
    CHECK(!aws_config_get(world.config, NULL, "region"));
    CHECK_TEXT(aws_config_place(world.config, NULL, "region"), "");
    CHECK(!aws_config_ca_bundle(world.config));
    CHECK(!aws_config_proxy(world.config, "https://sts.amazonaws.com/"));
    leave();
}

TEST(config_profiles_sessions_services)
{
    struct aws_config *config = enter("# people's own words\n"
                                      "[default]\n"
                                      "region = eu-central-1\n"
                                      "Output: json\n"
                                      "\n"
                                      "[profile dev]\n"
                                      "  region=us-east-1  \n"
                                      "  ; another comment\n"
                                      "  sso_session = corp\n"
                                      "  services = local\n"
                                      "[profile \"my dev\"]\n"
                                      "region = us-west-2\n"
                                      "[preview]\n"
                                      "cloudfront = true\n"
                                      "[sso-session corp]\n"
                                      "sso_region = eu-west-1\n"
                                      "[services local]\n"
                                      "s3 =\n"
                                      "  endpoint_url = http://127.0.0.1:1\n"
                                      "  addressing_style = path\n"
                                      "sts =\n"
                                      "  endpoint_url = http://127.0.0.1:2\n");

    REQUIRE(config);
    CHECK_TEXT(aws_config_region(config), "eu-central-1");
    CHECK_TEXT(aws_config_get(config, NULL, "output"), "json");
    CHECK_TEXT(aws_config_place(config, NULL, "output"), "~/.aws/config:4");
    CHECK_TEXT(aws_config_get(config, "dev", "region"), "us-east-1");
    CHECK_TEXT(aws_config_get(config, "my dev", "region"), "us-west-2");
    CHECK_TEXT(aws_config_place(config, "dev", "sso_session"), "~/.aws/config:9");
    CHECK(!aws_config_get(config, "preview", "cloudfront"));
    CHECK_TEXT(aws_config_section(config, "sso-session", "corp", "sso_region"), "eu-west-1");
    CHECK(!aws_config_section(config, "sso-session", "other", "sso_region"));
    CHECK_TEXT(aws_config_section(config, "services", "local", "s3.addressing_style"), "path");
    CHECK_TEXT(aws_config_section(config, "services", "local", "sts.endpoint_url"), "http://127.0.0.1:2");
    leave();
}

TEST(config_lines_that_go_on)
{
    struct aws_config *config = enter("[default]\n"
                                      "credential_process = /bin/ask\n"
                                      "   --for ann\n"
                                      "\n"
                                      "   # not this\n"
                                      "   [not a section]\n"
                                      "region = us-east-1\r\n"
                                      "s3 =\r\n"
                                      "    Max_Size = 1 = 2\n"
                                      "    max_queue = 3\n"
                                      "    max_queue = 4\n"
                                      "empty =\n");

    REQUIRE(config);
    CHECK_TEXT(aws_config_get(config, NULL, "credential_process"), "/bin/ask\n--for ann\n\n[not a section]");
    CHECK_TEXT(aws_config_get(config, NULL, "region"), "us-east-1");
    CHECK_TEXT(aws_config_get(config, NULL, "s3.Max_Size"), "1 = 2");
    CHECK_TEXT(aws_config_get(config, NULL, "s3.max_queue"), "4");
    CHECK_TEXT(aws_config_place(config, NULL, "s3.Max_Size"), "~/.aws/config:9");
    CHECK_TEXT(aws_config_get(config, NULL, "empty"), "");
    leave();
}

TEST(config_defaults_of_all_sections)
{
    struct aws_config *config =
        enter("[DEFAULT]\nregion = eu-west-3\ns3 =\n  x = 1\n[profile a]\n[default]\nregion = us-east-2\ns3 =\n");

    REQUIRE(config);
    CHECK_TEXT(aws_config_get(config, "a", "region"), "eu-west-3");
    CHECK_TEXT(aws_config_region(config), "us-east-2");
    CHECK_TEXT(aws_config_get(config, "a", "s3.x"), "1");
    CHECK(!aws_config_get(config, NULL, "s3.x"));
    leave();
}

TEST(config_last_section_of_a_profile_counts)
{
    struct aws_config *config = enter("[default]\nregion = a\noutput = json\n[profile default]\nregion = b\n");

    REQUIRE(config);
    CHECK_TEXT(aws_config_region(config), "b");
    CHECK(!aws_config_get(config, NULL, "output"));
    leave();
}

TEST(config_credentials_file_goes_before)
{
    aws_world_init(&world);
    aws_world_file(&world, CONFIG, "[profile dev]\nregion = config\noutput = text\n");
    aws_world_file(&world, CREDENTIALS,
                   "[dev]\nregion = credentials\naws_access_key_id = AKIA\n"
                   "aws_secret_access_key = hidden\n[profile dev]\nregion = never\n");
    REQUIRE(aws_world_config(&world, "dev", NULL));
    CHECK_TEXT(aws_config_region(world.config), "credentials");
    CHECK_TEXT(aws_config_get(world.config, NULL, "output"), "text");
    CHECK_TEXT(aws_config_get(world.config, NULL, "aws_access_key_id"), "AKIA");
    CHECK_TEXT(aws_config_get(world.config, NULL, "aws_secret_access_key"), "");
    CHECK_TEXT(aws_config_place(world.config, NULL, "region"), "~/.aws/credentials:2");
    leave();
}

TEST(config_files_and_profile_of_the_environment)
{
    aws_world_init(&world);
    aws_world_set(&world, "AWS_CONFIG_FILE", "~/elsewhere");
    aws_world_set(&world, "AWS_SHARED_CREDENTIALS_FILE", "/etc/keys");
    aws_world_set(&world, "AWS_PROFILE", "b");
    aws_world_file(&world, "/home/ann/elsewhere", "[profile a]\nregion = a\n[profile b]\nregion = b\n");
    aws_world_file(&world, "/etc/keys", "[b]\noutput = json\n");
    REQUIRE(aws_world_config(&world, NULL, NULL));
    CHECK_TEXT(aws_config_profile(world.config), "b");
    CHECK_TEXT(aws_config_region(world.config), "b");
    CHECK_TEXT(aws_config_place(world.config, NULL, "output"), "/etc/keys:2");
    aws_world_set(&world, "AWS_DEFAULT_PROFILE", "a"); /* goes before, as in botocore */
    REQUIRE(aws_world_config(&world, NULL, NULL));
    CHECK_TEXT(aws_config_region(world.config), "a");
    REQUIRE(aws_world_config(&world, "b", NULL));
    CHECK_TEXT(aws_config_region(world.config), "b");
    aws_world_set(&world, "AWS_DEFAULT_REGION", "c");
    CHECK_TEXT(aws_config_region(world.config), "c");
    aws_world_set(&world, "AWS_REGION", "d");
    CHECK_TEXT(aws_config_region(world.config), "d");
    leave();
}

TEST(config_profile_that_is_nowhere)
{
    struct err err = ERR_INIT;

    aws_world_init(&world);
    aws_world_file(&world, CONFIG, "[profile production]\n");
    CHECK(!aws_world_config(&world, "prodution", &err));
    CHECK_TEXT(err.explain, "A202");
    CHECK_TEXT(err.message, "there is no profile \"prodution\" (--profile) in ~/.aws/config or ~/.aws/credentials; "
                            "did you mean \"production\"?");
    aws_world_set(&world, "AWS_PROFILE", "other");
    CHECK(!aws_world_config(&world, NULL, &err));
    CHECK_TEXT(err.message, "there is no profile \"other\" (AWS_PROFILE) in ~/.aws/config or ~/.aws/credentials");
    leave();
}

TEST(config_broken_lines)
{
    check_refused("region = a\n", "A201", "~/.aws/config:1: a setting stands before the first [section]");
    check_refused(
        "[default]\n\nwJalrXUtnFEMI\n", "A201",
        "~/.aws/config:3: this line is neither [section] nor \"name = value\" nor a comment that begins with #");
    check_refused(
        "[default]\n= x\n", "A201",
        "~/.aws/config:2: this line is neither [section] nor \"name = value\" nor a comment that begins with #");
    check_refused("[a]\n[b]\n[a]\n", "A201", "~/.aws/config:3: this section stands in the file twice: a");
    check_refused("[a]\nx=1\nX=2\n", "A201", "~/.aws/config:3: this setting stands in its section twice: x");
    check_refused("[a]\ns3 =\n  y = 1\n  wJalrXUtnFEMI\n", "A201",
                  "~/.aws/config:4: this line below a setting is not \"name = value\"");
    check_refused("[a]\nx = \xff\n", "A201", "~/.aws/config:2: this line is not UTF-8 text");
    check_refused("[default]\nservices = x\n", "A201",
                  "~/.aws/config:2: profile default: there is no section [services x]");
}

TEST(config_switches_and_bundles)
{
    struct aws_config *config =
        enter("[default]\nuse_fips_endpoint = TRUE\nuse_dualstack_endpoint = yes\nca_bundle = /etc/ca\n");

    REQUIRE(config);
    CHECK(aws_config_fips(config));
    CHECK(!aws_config_dual_stack(config));
    CHECK_TEXT(aws_config_ca_bundle(config), "/etc/ca");
    aws_world_set(&world, "AWS_USE_FIPS_ENDPOINT", "false");
    aws_world_set(&world, "AWS_USE_DUALSTACK_ENDPOINT", "true");
    aws_world_set(&world, "REQUESTS_CA_BUNDLE", "/etc/other");
    CHECK(!aws_config_fips(config));
    CHECK(aws_config_dual_stack(config));
    CHECK_TEXT(aws_config_ca_bundle(config), "/etc/ca");
    aws_world_set(&world, "AWS_CA_BUNDLE", "/etc/mine");
    CHECK_TEXT(aws_config_ca_bundle(config), "/etc/mine");
    leave();
}

TEST(config_proxies)
{
    struct aws_config *config = enter("");

    REQUIRE(config);
    aws_world_set(&world, "HTTPS_PROXY", "http://upper:1");
    aws_world_set(&world, "HTTP_PROXY", "http://plain:1");
    aws_world_set(&world, "NO_PROXY", "localhost, .internal,example.com:8443,10.0.0.1");
    CHECK_TEXT(aws_config_proxy(config, "https://sts.amazonaws.com/"), "http://upper:1");
    CHECK_TEXT(aws_config_proxy(config, "http://sts.amazonaws.com/"), "http://plain:1");
    CHECK(!aws_config_proxy(config, "https://localhost:4566/"));
    CHECK(!aws_config_proxy(config, "https://eks.INTERNAL/"));
    CHECK(!aws_config_proxy(config, "https://internal/"));
    CHECK(!aws_config_proxy(config, "https://a.example.com:8443/"));
    CHECK(!aws_config_proxy(config, "https://10.0.0.1/"));
    CHECK(aws_config_proxy(config, "https://a.example.com/") != NULL);
    CHECK(aws_config_proxy(config, "https://notinternal/") != NULL);
    aws_world_set(&world, "https_proxy", "http://lower:1");
    CHECK_TEXT(aws_config_proxy(config, "https://sts.amazonaws.com/"), "http://lower:1");
    aws_world_set(&world, "https_proxy", "");
    CHECK(!aws_config_proxy(config, "https://sts.amazonaws.com/"));
    aws_world_set(&world, "no_proxy", "*");
    CHECK(!aws_config_proxy(config, "http://sts.amazonaws.com/"));
    leave();
}

TEST(config_endpoints_of_services)
{
    const struct aws_table *table = aws_table_builtin();
    struct aws_service sts = aws_service_find(table, "sts"), elb = aws_service_find(table, "elbv2");
    struct aws_config *config = enter("[default]\nservices = local\nendpoint_url = http://all\n[services local]\n"
                                      "sts =\n  endpoint_url = http://sts\n");

    REQUIRE(config);
    CHECK_TEXT(aws_config_endpoint(config, sts), "http://sts");
    CHECK_TEXT(aws_config_endpoint(config, elb), "http://all");
    aws_world_set(&world, "AWS_ENDPOINT_URL", "http://variable");
    CHECK_TEXT(aws_config_endpoint(config, sts), "http://variable");
    aws_world_set(&world, "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2", "http://balancer");
    CHECK_TEXT(aws_config_endpoint(config, elb), "http://balancer");
    aws_world_set(&world, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    CHECK(!aws_config_endpoint(config, elb));
    leave();
}
