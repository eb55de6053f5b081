#include "cli_fixture.h"
#include "unit.h"

#include "base/secret.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

static void check_taken(char *got, const char *want)
{
    CHECK_TEXT(got, want);
    free(got);
}

static void play(struct fixture *fixture, const char *world)
{
    fixture_event(fixture,
                  "{'type':'hello','format':'1.0','playbook':'p.lua','args':['doom'],'target':'dev',"
                  "'world':'%s','mode':'run'}",
                  world);
    fixture_event(fixture, "{'type':'run','id':'r1'}");
    fixture_event(fixture, "{'type':'step.start','step':'game'}");
    fixture_event(fixture, "{'type':'change.intent','step':'game','key':'Secret a/b','verb':'kube.apply'}");
    fixture_event(fixture, "{'type':'change.end','step':'game','key':'Secret a/b','outcome':'ok','ms':1200}");
    fixture_event(fixture, "{'type':'change.same','step':'game','key':'Service a/c'}");
    fixture_event(fixture, "{'type':'call.read','step':'game','subject':'get Service a/c','status':200,'ms':12}");
    fixture_event(fixture, "{'type':'wait','step':'game','object':'Deployment a/d','condition':'0 of 2 ready'}");
    fixture_event(fixture, "{'type':'wait','step':'game','object':'Deployment a/d','condition':'0 of 2 ready'}");
}

static void play_end(struct fixture *fixture)
{
    fixture_event(fixture, "{'type':'step.end','step':'game','outcome':'ok','changes':1,'ms':61000}");
    fixture_event(fixture, "{'type':'run.end','how':'done','exit':0,'changes':1,'same':1,'calls':7,'retries':1,"
                           "'ms':62000,'next':['dosrun playbooks/status.lua'],'never_struck':['3:throttle']}");
    output_finish(fixture->output, 0);
}

TEST(plain_says_one_line_per_change_of_state)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_AUTO, false);
    fixture.options.color_err = true;
    fixture_open(&fixture);
    play(&fixture, "sandbox");
    fixture_pass(&fixture, 61000);
    fixture_pass(&fixture, 100);
    play_end(&fixture);
    check_taken(fixture_err(&fixture),
                "2030-01-01T00:00:00Z p.lua doom on dev, in the sandbox, run r1\n"
                "2030-01-01T00:00:00Z [game] started\n"
                "2030-01-01T00:00:00Z [game] changing Secret a/b (kube.apply)\n"
                "2030-01-01T00:00:00Z [game] changed Secret a/b, 1.2s\n"
                "2030-01-01T00:00:00Z [game] waiting for Deployment a/d 0 of 2 ready\n"
                "2030-01-01T00:01:01Z [game] still waiting for Deployment a/d 0 of 2 ready, since 2030-01-01T00:00:00Z "
                "(1m01s)\n"
                "2030-01-01T00:01:01Z [game] 1 change, 1m01s\n"
                "done: 1 change, 1 as wanted already, 7 calls, 1 retry, 1m02s\n"
                "next: dosrun playbooks/status.lua\n"
                "(in the sandbox; fault 3:throttle never struck)\n");
    check_taken(fixture_out(&fixture), "");
    fixture_close(&fixture);
}

TEST(plain_tells_calls_when_asked)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_PLAIN, true);
    fixture.options.verbose = 1;
    fixture.options.color_err = fixture.options.color_out = true;
    fixture_open(&fixture);
    play(&fixture, "real");
    play_end(&fixture);
    text = fixture_err(&fixture);
    CHECK(strstr(text, "[game] as wanted already: Service a/c\n"));
    CHECK(strstr(text, "[game] read: get Service a/c: answered 200 in 12ms\n"));
    CHECK(!strchr(text, '\x1b'));
    free(text);
    fixture_close(&fixture);
}

TEST(plain_is_made_of_sentences_for_screen_readers)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.options.accessible = true;
    fixture_open(&fixture);
    play(&fixture, "real");
    play_end(&fixture);
    check_taken(fixture_err(&fixture), "p.lua doom on dev, run r1.\n"
                                       "Step game: started.\n"
                                       "Step game: changing Secret a/b (kube.apply).\n"
                                       "Step game: changed Secret a/b, 1.2s.\n"
                                       "Step game: waiting for Deployment a/d 0 of 2 ready.\n"
                                       "Step game: 1 change, 1m01s.\n"
                                       "done: 1 change, 1 as wanted already, 7 calls, 1 retry, 1m02s\n"
                                       "next: dosrun playbooks/status.lua\n"
                                       "(fault 3:throttle never struck)\n");
    fixture_close(&fixture);
}

TEST(plain_shortens_nothing_and_stays_on_its_lines)
{
    struct fixture fixture;
    char word[3001];
    char *text;

    memset(word, 'x', 3000);
    word[3000] = '\0';
    fixture_init(&fixture, OUTPUT_PLAIN, false);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'log','level':'warning','text':'%s\\nsecond \\u001b[2J\\r'}", word);
    text = fixture_err(&fixture);
    CHECK(strstr(text, "Z warning: xxx") && strstr(text, word));
    CHECK(strstr(text, "\n2030-01-01T00:00:00Z second \\x1b[2J\\x0d\n"));
    free(text);
    fixture_close(&fixture);
}

TEST(plain_groups_steps_for_github)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.options.ci = OUTPUT_CI_GITHUB;
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'step.start','step':'a'}");
    fixture_event(&fixture, "{'type':'step.start','step':'b'}");
    fixture_event(&fixture, "{'type':'log','step':'b','text':'::error::forged ##[error]'}");
    fixture_event(&fixture, "{'type':'step.end','step':'a','outcome':'ok'}");
    fixture_event(&fixture, "{'type':'step.end','step':'b','outcome':'fail'}");
    fixture_event(&fixture, "{'type':'text','text':'::set-env::forged'}");
    fixture_event(&fixture,
                  "{'type':'error','explain':'K104','message':'100%% bad,\\nvery: bad','file':'p,l.lua','line':3}");
    output_finish(fixture.output, 1);
    text = fixture_err(&fixture);
    CHECK(strncmp(text, "::group::step a\n2030", 20) == 0);
    CHECK(strstr(text, "[b] ::error::forged # [error]\n"));
    CHECK(strstr(text, "[b] failed\n::endgroup::\n"));
    CHECK(strstr(text, "\n::error title=K104,file=p%2Cl.lua,line=3::100%25 bad,%0Avery: bad\n"));
    CHECK(strstr(text, "\nerror[K104]: 100% bad,\n   very: bad\n  --> p,l.lua:3\n"));
    free(text);
    check_taken(fixture_out(&fixture), " :set-env::forged\n");
    fixture_close(&fixture);
}

TEST(plain_groups_steps_for_gitlab_and_buildkite)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_AUTO, false);
    fixture.options.ci = OUTPUT_CI_GITLAB;
    fixture_open(&fixture);
    play(&fixture, "real");
    play_end(&fixture);
    text = fixture_err(&fixture);
    CHECK(strstr(text, "\x1b[0Ksection_start:1893456000:dosrun\r\x1b[0Kstep game\n"));
    CHECK(strstr(text, "\x1b[0Ksection_end:1893456000:dosrun\r\x1b[0K\n"));
    free(text);
    fixture_close(&fixture);
    fixture_init(&fixture, OUTPUT_AUTO, false);
    fixture.options.ci = OUTPUT_CI_BUILDKITE;
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'step.start','step':'a'}");
    fixture_event(&fixture, "{'type':'step.end','step':'a','outcome':'fail'}");
    text = fixture_err(&fixture);
    CHECK(strstr(text, "--- step a\n") && strstr(text, "^^^ +++\n"));
    free(text);
    fixture_close(&fixture);
}

/* Each line must be JSON; returns how many there are and the types in `types`. */
static int check_jsonl(const char *text, struct buf *types)
{
    int lines = 0;

    buf_init(types, 4096);
    while (*text) {
        size_t len = strcspn(text, "\n");
        struct err err = ERR_INIT;
        struct doc *line = json_parse((struct view){text, len}, &err);

        if (!line || text[len] != '\n')
            unit_fail(__FILE__, __LINE__, "not a line of JSON: %.*s", (int)len, text);
        buf_addf(types, "%s ", doc_as_text(doc_get(line, "type"), "?"));
        doc_unref(line);
        lines++;
        text += len + (text[len] == '\n');
    }
    return lines;
}

TEST(jsonl_begins_with_hello_and_ends_with_a_summary)
{
    struct fixture fixture;
    struct buf types;
    char *text;

    fixture_init(&fixture, OUTPUT_JSONL, true);
    fixture_open(&fixture);
    play(&fixture, "sandbox");
    fixture_pass(&fixture, 100000);
    fixture_event(&fixture, "{'type':'text','text':'a\\u001b result'}");
    fixture_event(&fixture, "{'type':'error','explain':'K104','message':'it \\u2028 broke'}");
    play_end(&fixture);
    fixture_event(&fixture, "{'type':'log','text':'too late'}");
    output_finish(fixture.output, 1);
    text = fixture_out(&fixture);
    CHECK_INT(check_jsonl(text, &types), 14);
    CHECK_TEXT(buf_text(&types),
               "hello run step.start change.intent change.end change.same call.read wait wait text error "
               "step.end run.end summary ");
    CHECK(strstr(text, "\n{\"type\":\"summary\",\"seq\":14,\"time\":\"2030-01-01T00:01:40.000Z\",\"run\":\"r1\","
                       "\"step\":null,\"how\":\"done\","));
    CHECK(strstr(
        text,
        "\"exit\":0,\"error\":{\"explain\":\"K104\",\"message\":\"it \xe2\x80\xa8 broke\"},\"world\":\"sandbox\"}\n"));
    buf_free(&types);
    free(text);
    check_taken(fixture_err(&fixture), "");
    fixture_close(&fixture);
}

TEST(jsonl_is_whole_without_any_event)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_JSONL, false);
    fixture_open(&fixture);
    output_finish(fixture.output, 64);
    text = fixture_out(&fixture);
    CHECK_TEXT(text, "{\"type\":\"hello\",\"seq\":0,\"time\":null,\"run\":null,\"step\":null,\"format\":\"1.0\","
                     "\"dosrun\":\"" DOSRUN_VERSION "\"}\n"
                     "{\"type\":\"summary\",\"seq\":1,\"time\":null,\"run\":null,\"step\":null,\"exit\":64}\n");
    free(text);
    fixture_close(&fixture);
}

TEST(jsonl_takes_over_a_summary_that_came)
{
    struct fixture fixture;
    struct buf types;
    char *text;

    fixture_init(&fixture, OUTPUT_JSONL, false);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'summary','outcome':'done','exit':0}");
    fixture_event(&fixture, "{'type':'log','text':'x'}");
    output_finish(fixture.output, 3);
    text = fixture_out(&fixture);
    check_jsonl(text, &types);
    CHECK_TEXT(buf_text(&types), "hello log summary ");
    CHECK(strstr(text, "\"outcome\":\"done\",\"exit\":3,"));
    buf_free(&types);
    free(text);
    fixture_close(&fixture);
}

TEST(quiet_tells_results_and_errors_only)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_QUIET, false);
    fixture_open(&fixture);
    play(&fixture, "real");
    fixture_event(&fixture, "{'type':'log','level':'warning','text':'hm'}");
    fixture_event(&fixture, "{'type':'text','text':'result'}");
    play_end(&fixture);
    check_taken(fixture_err(&fixture), "");
    check_taken(fixture_out(&fixture), "result\n");
    fixture_close(&fixture);
    fixture_init(&fixture, OUTPUT_QUIET, false);
    fixture_open(&fixture);
    fixture_event(&fixture,
                  "{'type':'error','error':{'kind':'denied','explain':'K102','message':'no','code':'Forbidden',"
                  "'status':403,'request_id':'abc'}}");
    output_finish(fixture.output, 77);
    check_taken(fixture_err(&fixture), "error[K102]: no\n   = server: HTTP 403 Forbidden, request id abc\n"
                                       "   = more:   dosrun explain K102\n");
    fixture_close(&fixture);
}

static void play_plan(struct fixture *fixture)
{
    fixture_event(fixture,
                  "{'type':'hello','playbook':'p.lua','target':'dev','world':'sandbox','mode':'plan','plan':true}");
    fixture_event(fixture, "{'type':'step.start','step':'data'}");
    fixture_event(fixture, "{'type':'change.would','step':'data','key':'PersistentVolumeClaim a/pg','sign':'-',"
                           "'class':'pivot','undo':false}");
    fixture_event(fixture,
                  "{'type':'change.would','step':'game','key':'ConfigMap a/banner','sign':'~','class':'reversible',"
                  "'undo':true,'fields':[{'path':'data.text','old':'old','new':'n\\u001bew','owner':'kubectl'},"
                  "{'path':'data.gone','old':1},{'path':'data.fresh','new':{'a':[]}}]}");
    fixture_event(fixture,
                  "{'type':'change.would','step':'game','key':'Deployment a/d','sign':'+','class':'reversible',"
                  "'note':'not checked by the server'}");
    fixture_event(fixture, "{'type':'run.end','how':'done','exit':2,'same':3,'ms':10}");
    output_finish(fixture->output, 2);
}

TEST(plan_lists_changes_by_risk)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_PLAIN, false);
    fixture_open(&fixture);
    play_plan(&fixture);
    check_taken(fixture_out(&fixture), "reversible\n"
                                       "  ~ ConfigMap a/banner  in step game  (can be undone)\n"
                                       "      data.text: \"old\" → \"n\\u001bew\"  (owner kubectl)\n"
                                       "      data.gone: 1 → (removed)\n"
                                       "      data.fresh: {\"a\":[]}\n"
                                       "  + Deployment a/d  in step game  (can be undone)\n"
                                       "      not checked by the server\n"
                                       "drops data, asked for first (pivot)\n"
                                       "  - PersistentVolumeClaim a/pg  in step data  (no undo)\n"
                                       "1 to add, 1 to change, 1 to delete, 3 as wanted already (in the sandbox)\n");
    fixture_close(&fixture);
    fixture_init(&fixture, OUTPUT_QUIET, false);
    fixture.options.utf8 = false;
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'hello','playbook':'p.lua','mode':'plan'}");
    output_finish(fixture.output, 0);
    check_taken(fixture_out(&fixture), "nothing to change\n");
    check_taken(fixture_err(&fixture), "");
    fixture_close(&fixture);
}

TEST(plan_keeps_unknown_risks)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_PLAIN, false);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'hello','playbook':'p.lua','mode':'plan'}");
    for (int i = 0; i < 40; i++)
        fixture_event(&fixture, "{'type':'change.would','key':'thing-%d.','sign':'+','risk':'risk-%d'}", i, i);
    fixture_event(&fixture, "{'type':'change.would','key':'later','sign':'~','class':'until:2030-01-02T00:00:00Z'}");
    output_finish(fixture.output, 2);
    text = fixture_out(&fixture);
    for (int i = 0; i < 40; i++) {
        char *key = mem_printf("+ thing-%d.  (", i);

        CHECK(strstr(text, key));
        free(key);
    }
    CHECK(strstr(text, "reversible until a time\n  ~ later"));
    CHECK(strstr(text, "\n40 to add, 1 to change, 0 to delete\n"));
    free(text);
    fixture_close(&fixture);
}

TEST(report_is_a_table_or_blocks)
{
    static const char report[] =
        "{'type':'report','title':'runs','columns':['run','ended','exit'],'rows':[['r1','done',0],"
        "['r2',null,3],['long-name','stopped in the middle of it all',null]]}";
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture_open(&fixture);
    fixture_event(&fixture, report);
    check_taken(fixture_out(&fixture), "runs\n"
                                       "run        ended                            exit\n"
                                       "r1         done                             0\n"
                                       "r2                                          3\n"
                                       "long-name  stopped in the middle of it all\n");
    fixture_close(&fixture);
    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.columns = 30;
    fixture_open(&fixture);
    fixture_event(&fixture, report);
    check_taken(fixture_out(&fixture), "runs\n"
                                       "run: r1\nended: done\nexit: 0\n\n"
                                       "run: r2\nended: \nexit: 3\n\n"
                                       "run: long-name\nended: stopped in the middle\n  of it all\nexit: \n");
    fixture_close(&fixture);
}

TEST(text_is_raw_for_programs_only)
{
    struct fixture fixture;

    for (int tty = 0; tty < 2; tty++) {
        fixture_init(&fixture, OUTPUT_AUTO, tty);
        fixture.options.utf8 = false;
        fixture_open(&fixture);
        fixture_event(&fixture, "{'type':'text','raw':true,'text':'a\\tgr\\u00fcn\\n'}");
        check_taken(fixture_out(&fixture), tty ? "a    gr\\u{fc}n\n" : "a\tgr\xc3\xbcn\n");
        fixture_close(&fixture);
    }
}

TEST(output_shows_no_secret)
{
    static const enum output_mode modes[] = {OUTPUT_TREE, OUTPUT_PLAIN, OUTPUT_JSONL, OUTPUT_QUIET};

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        struct marks *marks = marks_new(VIEW_LITERAL("key"));
        struct fixture fixture;
        struct buf mark;
        char *out, *err;

        buf_init(&mark, 4096);
        marks_add_secret(marks, &mark, VIEW_LITERAL("hunter2-secret"));
        fixture_init(&fixture, modes[i], false);
        fixture_open(&fixture);
        output_set_marks(fixture.output, marks);
        fixture_event(&fixture, "{'type':'text','text':'it is %s or hunter2-secret'}", buf_text(&mark));
        fixture_event(&fixture,
                      "{'type':'error','message':'plain hunter2-secret','context':[{'word':'cause','text':'%s'}]}",
                      buf_text(&mark));
        output_finish(fixture.output, 1);
        out = fixture_out(&fixture);
        err = fixture_err(&fixture);
        CHECK(strstr(out, "it is (secret) or (secret)"));
        CHECK(strstr(modes[i] == OUTPUT_JSONL ? out : err, "plain (secret)"));
        CHECK(!strstr(out, "hunter2") && !strstr(err, "hunter2"));
        free(out);
        free(err);
        fixture_close(&fixture);
        marks_free(marks);
        buf_free(&mark);
    }
}

static const char *const *environment;

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    for (size_t i = 0; environment[i]; i += 2)
        if (strcmp(environment[i], name) == 0)
            return environment[i + 1];
    return NULL;
}

static struct output_options read_options(const char *const *set, bool tty)
{
    struct output_options options = {.out_tty = tty, .err_tty = true};

    environment = set;
    output_options_read(&options, env, NULL);
    return options;
}

TEST(output_options_come_from_the_environment)
{
    static const char *const usual[] = {"TERM", "xterm", "LANG", "de_DE.UTF-8", NULL};
    static const char *const none[] = {NULL};
    static const char *const never[] = {"TERM", "xterm", "NO_COLOR", "1", "FORCE_COLOR", "1", NULL};
    static const char *const force[] = {"TERM", "dumb", "CLICOLOR_FORCE", "1", "LC_ALL", "C", "LANG", "x.UTF-8", NULL};
    static const char *const empty[] = {"TERM",   "xterm", "NO_COLOR", "",       "ACCESSIBLE", "1",
                                        "LC_ALL", "",      "LC_CTYPE", "C.utf8", NULL};
    static const char *const ci[] = {"GITHUB_ACTIONS", "true", NULL};
    struct output_options options = read_options(usual, false);

    CHECK(options.utf8 && options.color_err && !options.color_out && !options.dumb && !options.accessible);
    CHECK_INT(options.ci, OUTPUT_CI_NONE);
    options = read_options(none, true);
    CHECK(options.dumb && !options.utf8 && !options.color_err && !options.color_out);
    options = read_options(never, true);
    CHECK(!options.color_err && !options.color_out);
    options = read_options(force, false);
    CHECK(options.color_err && options.color_out && options.dumb && !options.utf8);
    options = read_options(empty, true);
    CHECK(options.color_out && options.accessible && options.utf8);
    options = read_options(ci, true);
    CHECK_INT(options.ci, OUTPUT_CI_GITHUB);
}

TEST(output_colours_only_signs_and_words)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_TREE, false);
    fixture.options.color_err = true;
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'step.start','step':'game'}");
    fixture_event(&fixture, "{'type':'step.end','step':'game','outcome':'ok','ms':61000}");
    fixture_event(&fixture, "{'type':'error','explain':'S404','message':'no'}");
    output_finish(fixture.output, 64);
    text = fixture_err(&fixture);
    CHECK(strncmp(text, " \x1b[32m✓\x1b[0m \x1b[1mgame\x1b[0m      done", 30) == 0);
    CHECK(strstr(text, "\n\x1b[1;31merror[S404]\x1b[0m: no\n   = \x1b[1mmore\x1b[0m:   dosrun explain S404\n"));
    free(text);
    fixture_close(&fixture);
}

TEST(plain_tells_what_an_undo_left)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_PLAIN, false);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'lock','where':'dev','owner':'anna@build7','since_ms':1893455990000}");
    fixture_event(&fixture, "{'type':'resume','id':'r1'}");
    fixture_event(&fixture, "{'type':'run.back'}");
    fixture_event(&fixture, "{'type':'settle','key':'Service a/c','until_ms':1893456090000}");
    fixture_event(&fixture,
                  "{'type':'undo.end','key':'Deployment a/d','outcome':'foreign','left':[{'what':'spec.replicas',"
                  "'manager':'kubectl','now':'3'},{'what':'data.x'}]}");
    fixture_event(&fixture, "{'type':'undo.end','key':'Secret a/b','outcome':'failed','error':{'message':'reset'}}");
    fixture_event(&fixture, "{'type':'undo.end','key':'Service a/c','outcome':'already'}");
    fixture_event(&fixture, "{'type':'undo.end','key':'Service a/e','outcome':'undone','plan':true}");
    fixture_event(&fixture, "{'type':'step.end','step':'x','outcome':'again','ms':100}");
    fixture_event(&fixture, "{'type':'change.end','step':'x','key':'Secret a/b','outcome':'unknown'}");
    check_taken(fixture_err(&fixture),
                "2030-01-01T00:00:00Z lock: dev, held by anna@build7 since 2029-12-31T23:59:50Z\n"
                "2030-01-01T00:00:00Z goes on with run r1\n"
                "2030-01-01T00:00:00Z undoing what this run changed\n"
                "2030-01-01T00:00:00Z in doubt: Service a/c, until 2030-01-01T00:01:30Z\n"
                "2030-01-01T00:00:00Z left Deployment a/d: spec.replicas is now 3 (kubectl), data.x\n"
                "2030-01-01T00:00:00Z could not undo Secret a/b: reset\n"
                "2030-01-01T00:00:00Z already as before: Service a/c\n"
                "2030-01-01T00:00:00Z would undo Service a/e\n"
                "2030-01-01T00:00:00Z [x] failed, tries again, 0.1s\n"
                "2030-01-01T00:00:00Z [x] Secret a/b: not known whether it happened\n");
    fixture_close(&fixture);
}

TEST(drift_is_a_result)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_QUIET, false);
    fixture_open(&fixture);
    fixture_event(&fixture,
                  "{'type':'drift','list':[{'what':'Deployment a/d','found':1,'want':'two'},{'what':'x','want':2}]}");
    check_taken(fixture_out(&fixture),
                "  ~ Deployment a/d: 1, wanted \"two\"\n  ~ x: (nothing), wanted 2\n2 differences\n");
    fixture_close(&fixture);
}

TEST(plain_keeps_saying_whose_lock_it_waits_for)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_PLAIN, false);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'lock','where':'dev','owner':'anna'}");
    fixture_pass(&fixture, 59000);
    fixture_pass(&fixture, 1000);
    fixture_pass(&fixture, 1000);
    fixture_event(&fixture, "{'type':'lock','where':'this machine only'}");
    fixture_pass(&fixture, 61000);
    check_taken(
        fixture_err(&fixture),
        "2030-01-01T00:00:00Z lock: dev, held by anna\n"
        "2030-01-01T00:01:00Z still waiting for the lock: dev, held by anna; nothing new since 2030-01-01T00:00:00Z\n"
        "2030-01-01T00:02:02Z still waiting; nothing new since 2030-01-01T00:01:00Z\n");
    fixture_close(&fixture);
}
