#include "unit.h"

#include "cli/cli.h"

#include <string.h>

static const char *const *environment;

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    for (size_t i = 0; environment && environment[i]; i += 2)
        if (strcmp(environment[i], name) == 0)
            return environment[i + 1];
    return NULL;
}

/* Splits at blanks; the words live until the next call. */
static int parse(const char *line, struct command *command, struct err *err)
{
    static char text[1024];
    static char *argv[64];
    int argc = 1;

    argv[0] = text;
    strcpy(text, line);
    for (char *at = strtok(text, " "); at; at = strtok(NULL, " "))
        argv[argc++] = at;
    *err = ERR_INIT;
    return command_parse(argc, argv, env, NULL, command, err);
}

static void check_refused(const char *line, const char *message)
{
    struct command command;
    struct err err;

    if (parse(line, &command, &err) == 0)
        unit_fail(__FILE__, __LINE__, "\"%s\" was not refused", line);
    else {
        CHECK_INT(err.kind, ERR_USAGE);
        CHECK_TEXT(err.message, message);
    }
    command_free(&command);
}

static void check_word(const char *line, enum command_word word)
{
    struct command command;
    struct err err;

    if (parse(line, &command, &err))
        unit_fail(__FILE__, __LINE__, "\"%s\": %s", line, err.message);
    else if (command.word != word)
        unit_fail(__FILE__, __LINE__, "\"%s\" is %s", line, command_name(command.word));
    command_free(&command);
}

TEST(command_words_are_found)
{
    check_word("", COMMAND_INTRO);
    check_word("--sandbox", COMMAND_INTRO);
    check_word("playbooks/deploy.lua doom", COMMAND_RUN);
    check_word("deploy.lua", COMMAND_RUN);
    check_word("./deploy", COMMAND_RUN);
    check_word("plan p.lua", COMMAND_PLAN);
    check_word("--sandbox plan p.lua", COMMAND_PLAN);
    check_word("check p.lua --render out", COMMAND_CHECK);
    check_word("resume", COMMAND_RESUME);
    check_word("resume r1 --edited", COMMAND_RESUME);
    check_word("rollback --plan", COMMAND_ROLLBACK);
    check_word("abandon r1", COMMAND_ABANDON);
    check_word("runs", COMMAND_RUNS);
    check_word("show r1 --calls", COMMAND_SHOW);
    check_word("test", COMMAND_TEST);
    check_word("test a b c", COMMAND_TEST);
    check_word("sandbox show --raw", COMMAND_SANDBOX_SHOW);
    check_word("sandbox reset", COMMAND_SANDBOX_RESET);
    check_word("new hello", COMMAND_NEW);
    check_word("new game quake", COMMAND_NEW_GAME);
    check_word("pins", COMMAND_PINS);
    check_word("pins update", COMMAND_PINS_UPDATE);
    check_word("whoami --target prod", COMMAND_WHOAMI);
    check_word("doctor", COMMAND_DOCTOR);
    check_word("version", COMMAND_VERSION);
    check_word("--version", COMMAND_VERSION);
    check_word("help", COMMAND_HELP);
    check_word("-h", COMMAND_HELP);
    check_word("plan --help", COMMAND_HELP);
    check_word("explain K104", COMMAND_EXPLAIN);
    check_word("explain", COMMAND_EXPLAIN);
    check_word("completion bash", COMMAND_COMPLETION);
}

TEST(command_reads_every_option)
{
    struct command command;
    struct err err;

    REQUIRE(
        parse("playbooks/deploy.lua doom --target prod --sandbox --context c --region r --profile p --set a=1 "
              "--set=b=x=y --on-failure stop --max-parallel 3 --lock-wait 1h30m --take-over --adopt one --adopt=two "
              "--insecure-skip-tls-verify --output jsonl --yes --state /s -vv --seed 18446744073709551615 "
              "--fault 3:throttle --fault 12+:5xx-after --crash 4:sent",
              &command, &err) == 0);
    CHECK_TEXT(command.playbook, "playbooks/deploy.lua");
    CHECK_INT(command.args.len, 1);
    CHECK_TEXT(command.args.texts[0], "doom");
    CHECK_TEXT(command.target, "prod");
    CHECK(command.sandbox && command.take_over && command.insecure && command.yes);
    CHECK_TEXT(command.yes_name, NULL);
    CHECK_TEXT(command.context, "c");
    CHECK_TEXT(command.region, "r");
    CHECK_TEXT(command.profile, "p");
    CHECK_INT(command.sets.len, 2);
    CHECK_TEXT(command.sets.texts[1], "b=x=y");
    CHECK_INT(command.on_failure, FAILURE_STOP);
    CHECK_INT(command.max_parallel, 3);
    CHECK_INT(command.lock_wait_ms, 5400000);
    CHECK_INT(command.adopts.len, 2);
    CHECK_TEXT(command.adopts.texts[1], "two");
    CHECK_INT(command.output, OUTPUT_JSONL);
    CHECK_TEXT(command.state_dir, "/s");
    CHECK_INT(command.verbose, 2);
    CHECK(command.seed == UINT64_MAX);
    CHECK_INT(command.faults.len, 2);
    CHECK_TEXT(command.faults.texts[1], "12+:5xx-after");
    CHECK_TEXT(command.crash, "4:sent");
    command_free(&command);
}

TEST(command_has_defaults)
{
    struct command command;
    struct err err;

    REQUIRE(parse("p.lua", &command, &err) == 0);
    CHECK_INT(command.max_parallel, 8);
    CHECK_INT(command.seed, 1);
    CHECK_INT(command.output, OUTPUT_AUTO);
    CHECK_INT(command.on_failure, FAILURE_DEFAULT);
    CHECK(!command.sandbox && !command.state_dir && !command.yes);
    command_free(&command);
}

TEST(command_hands_unknown_options_to_the_playbook)
{
    struct command command;
    struct err err;

    REQUIRE(parse("p.lua doom --fast -x --depth=3 -5 -o plain -- --sandbox -v", &command, &err) == 0);
    CHECK(!command.sandbox);
    CHECK_INT(command.verbose, 0);
    CHECK_INT(command.output, OUTPUT_PLAIN);
    REQUIRE(command.args.len == 8);
    CHECK_TEXT(command.args.texts[1], "--fast");
    CHECK_TEXT(command.args.texts[2], "-x");
    CHECK_TEXT(command.args.texts[3], "--depth=3");
    CHECK_TEXT(command.args.texts[4], "-5");
    CHECK_TEXT(command.args.texts[5], "--");
    CHECK_TEXT(command.args.texts[6], "--sandbox");
    CHECK_TEXT(command.args.texts[7], "-v");
    command_free(&command);
}

TEST(command_takes_words_after_two_dashes)
{
    struct command command;
    struct err err;

    REQUIRE(parse("plan -- p.lua -x", &command, &err) == 0);
    CHECK_TEXT(command.playbook, "p.lua");
    REQUIRE(command.args.len == 1);
    CHECK_TEXT(command.args.texts[0], "-x");
    command_free(&command);
}

TEST(command_yes_takes_a_name_only_attached)
{
    struct command command;
    struct err err;

    REQUIRE(parse("p.lua --yes prod", &command, &err) == 0);
    CHECK(command.yes);
    CHECK_TEXT(command.yes_name, NULL);
    CHECK_INT(command.args.len, 1);
    command_free(&command);
    REQUIRE(parse("p.lua --yes=prod", &command, &err) == 0);
    CHECK_TEXT(command.yes_name, "prod");
    command_free(&command);
    REQUIRE(parse("-y p.lua", &command, &err) == 0);
    CHECK(command.yes);
    command_free(&command);
}

TEST(command_reads_the_environment)
{
    static const char *const set[] = {"DOSRUN_TARGET", "prod", "DOSRUN_SANDBOX", "1", "DOSRUN_STATE", "/st", NULL};
    static const char *const xdg[] = {"XDG_STATE_HOME", "/x", "HOME", "/h", "DOSRUN_SANDBOX", "0", NULL};
    static const char *const home[] = {"XDG_STATE_HOME", "", "HOME", "/h", NULL};
    static const char *const odd[] = {"DOSRUN_SANDBOX", "yes", NULL};
    struct command command;
    struct err err;

    environment = set;
    REQUIRE(parse("p.lua", &command, &err) == 0);
    CHECK(command.sandbox);
    CHECK_TEXT(command.target, "prod");
    CHECK_TEXT(command.state_dir, "/st");
    command_free(&command);
    REQUIRE(parse("p.lua --target dev --state /other", &command, &err) == 0);
    CHECK_TEXT(command.target, "dev");
    CHECK_TEXT(command.state_dir, "/other");
    command_free(&command);
    environment = xdg;
    REQUIRE(parse("p.lua", &command, &err) == 0);
    CHECK(!command.sandbox);
    CHECK_TEXT(command.state_dir, "/x/dosrun");
    command_free(&command);
    environment = home;
    REQUIRE(parse("p.lua", &command, &err) == 0);
    CHECK_TEXT(command.state_dir, "/h/.local/state/dosrun");
    command_free(&command);
    environment = odd;
    check_refused("p.lua", "DOSRUN_SANDBOX is \"yes\"; it must be 1 or 0");
    environment = NULL;
}

TEST(command_refuses_with_a_suggestion)
{
    check_refused("paln p.lua", "there is no command \"paln\"; did you mean \"plan\"?");
    check_refused("sandbx show", "there is no command \"sandbx\"; did you mean \"sandbox\"?");
    check_refused("sandbox shwo", "there is no command \"sandbox shwo\"; did you mean \"sandbox show\"?");
    check_refused("sandbox", "\"sandbox\" alone is no command; there is \"sandbox show\" or \"sandbox reset\"");
    check_refused("frobnicate",
                  "there is no command \"frobnicate\"; a playbook is named by its file, as playbooks/frobnicate.lua");
    check_refused("--tagret prod p.lua", "there is no option --tagret; did you mean --target?");
    check_refused("plan --frobnicate p.lua", "there is no option --frobnicate");
    check_refused("--depth p.lua",
                  "there is no option --depth; an option of the playbook itself comes after the playbook");
    check_refused("p.lua --output plian", "--output: there is no word \"plian\"; did you mean \"plain\"?");
    check_refused("p.lua --output xml", "--output: there is no word \"xml\"; there are auto|tree|plain|jsonl|quiet");
    check_refused("--sandbox p.lua --fault 3:throtle",
                  "--fault: there is no kind \"throtle\"; did you mean \"throttle\"?");
}

TEST(command_refuses_wrong_values)
{
    check_refused("p.lua --target", "--target needs a value: --target NAME");
    check_refused("p.lua --target=", "--target: its value is empty");
    check_refused("p.lua --sandbox=1", "--sandbox takes no value");
    check_refused("p.lua --yes=", "--yes=: the name is empty");
    check_refused("p.lua --set novalue", "--set: \"novalue\" is not of the form KEY=VALUE");
    check_refused("p.lua --set =x", "--set: \"=x\" is not of the form KEY=VALUE");
    check_refused("p.lua --max-parallel 0", "--max-parallel: \"0\" is no whole number from 1 to 256");
    check_refused("p.lua --max-parallel 8x", "--max-parallel: \"8x\" is no whole number from 1 to 256");
    check_refused("p.lua --max-parallel -1", "--max-parallel: \"-1\" is no whole number from 1 to 256");
    check_refused("p.lua --lock-wait 30", "--lock-wait: the duration \"30\" lacks a unit; write 30s, 5m or 1h30m");
    check_refused("--sandbox p.lua --fault throttle", "--fault: \"throttle\" is not of the form N:KIND, with N from 1");
    check_refused("--sandbox p.lua --fault 0:throttle",
                  "--fault: \"0:throttle\" is not of the form N:KIND, with N from 1");
    check_refused("--sandbox p.lua --crash 3+:sent", "--crash: \"3+:sent\" is not of the form N:POINT, with N from 1");
    check_refused("--sandbox p.lua --crash 3:",
                  "--crash: there is no point \"\"; there are before|intent|sent|answered|outcome");
    check_refused("p.lua --on-failure |", "--on-failure: there is no word \"|\"; there are rollback|stop");
}

TEST(command_refuses_what_does_not_belong)
{
    check_refused("p.lua --edited", "--edited does not belong to \"run\"; it goes with resume");
    check_refused("runs --calls", "--calls does not belong to \"runs\"; it goes with show");
    check_refused("p.lua --seed 3", "--seed works in the sandbox only; add --sandbox");
    check_refused("p.lua --crash 3:sent", "--crash works in the sandbox only; add --sandbox");
    check_refused("show", "something is missing: dosrun show RUN");
    check_refused("show a b", "\"b\" is too much: dosrun show RUN");
    check_refused("runs now", "\"now\" is too much: dosrun runs");
    check_refused("plan", "which playbook? dosrun plan PLAYBOOK.lua [ARGS...]");
    check_refused("new game", "something is missing: dosrun new game NAME");
    check_word("test --seed 3", COMMAND_TEST);
}

TEST(command_keeps_run_ids_and_help_words)
{
    struct command command;
    struct err err;

    REQUIRE(parse("resume r7", &command, &err) == 0);
    CHECK_TEXT(command.run, "r7");
    command_free(&command);
    REQUIRE(parse("rollback --plan", &command, &err) == 0);
    CHECK(command.plan);
    CHECK_TEXT(command.run, NULL);
    command_free(&command);
    REQUIRE(parse("p.lua --help", &command, &err) == 0);
    CHECK_INT(command.about, COMMAND_RUN);
    CHECK_TEXT(command.playbook, "p.lua");
    command_free(&command);
    CHECK(command_is_option("sandbox") && command_is_option("yes"));
    CHECK(!command_is_option("game") && !command_is_option(""));
}
