#include "cli_fixture.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void check_screen(struct fixture *fixture, const char *want)
{
    char *got = fixture_screen(fixture);

    CHECK_TEXT(got, want);
    free(got);
}

/* The run of ux.md that fails in step "game". */
static void play_start(struct fixture *fixture)
{
    fixture_event(fixture, "{'type':'hello','format':'1.0','playbook':'playbooks/deploy.lua','args':['civ'],"
                           "'target':'prod','world':'real','mode':'run'}");
    fixture_event(fixture, "{'type':'run','id':'r1'}");
    fixture_event(fixture, "{'type':'lock','where':'this machine only'}");
    fixture_event(fixture, "{'type':'step.start','step':'image'}");
    fixture_event(fixture, "{'type':'change.same','step':'image','key':'Image dos-games:civ'}");
    fixture_pass(fixture, 200);
    fixture_event(fixture, "{'type':'step.end','step':'image','outcome':'ok','ms':200}");
    fixture_event(fixture, "{'type':'step.start','step':'game'}");
    fixture_event(fixture, "{'type':'step.start','step':'database'}");
    fixture_event(fixture, "{'type':'change.intent','step':'database','key':'Secret dos-game/pg','verb':'kube.apply'}");
    fixture_event(fixture, "{'type':'change.end','step':'database','key':'Secret dos-game/pg','outcome':'ok'}");
    fixture_event(fixture, "{'type':'wait','step':'game','object':'game-civ','condition':'1 of 2 ready',"
                           "'newest':'pod x7: ImagePullBackOff, 3rd try'}");
    fixture_pass(fixture, 41000);
}

static void play_end(struct fixture *fixture)
{
    fixture_event(fixture, "{'type':'step.end','step':'database','outcome':'ok','changes':1,'ms':42000}");
    fixture_event(fixture, "{'type':'step.end','step':'game','outcome':'fail','ms':300000}");
    fixture_event(fixture, "{'type':'undo.start','key':'Secret dos-game/pg'}");
    fixture_pass(fixture, 100);
    fixture_event(fixture, "{'type':'undo.end','key':'Secret dos-game/pg','outcome':'undone'}");
    fixture_event(fixture, "{'type':'error','explain':'K104','message':'game-civ never became ready; all players are "
                           "still on doom','file':'playbooks/deploy.lua','line':18,'step':'game',"
                           "'source':'  kube.apply(\\\"manifests/platform/game.yaml\\\", {...}):wait()',"
                           "'context':[{'word':'waited','text':'5m for 2 pods of Deployment dos-game/game-civ, 1 was "
                           "ready'},{'word':'cause','text':'pod x7 cannot pull dos-games:civ: the registry has no such "
                           "tag (12 s ago)'},{'word':'world','text':'3 changes undone, nothing left behind'},"
                           "{'word':'next','text':'dosrun plan playbooks/deploy.lua civ'}]}");
    fixture_event(fixture, "{'type':'run.end','how':'undone','exit':1,'changes':1,'undone':1,'calls':9,'ms':301000}");
    output_finish(fixture->output, 1);
}

TEST(tree_tells_a_failed_run_as_ux_shows_it)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.columns = 120;
    fixture_open(&fixture);
    play_start(&fixture);
    check_screen(&fixture, "playbooks/deploy.lua civ on prod, run r1, lock: this machine only\n"
                           " ✓ image     nothing to change                          0.2s\n"
                           " ▸ game      game-civ 1 of 2 ready; pod x7: ImagePullBackOff, 3rd try     41s\n"
                           " ▸ database  41s\n");
    play_end(&fixture);
    check_screen(&fixture, "playbooks/deploy.lua civ on prod, run r1, lock: this machine only\n"
                           " ✓ image     nothing to change                          0.2s\n"
                           " ✓ database  1 change                                    42s\n"
                           "       Secret dos-game/pg\n"
                           " ✗ game      failed; game-civ 1 of 2 ready; pod x7: ImagePullBackOff, 3rd try  5m\n"
                           " ✓ undone Secret dos-game/pg\n"
                           "undone: 1 change, 1 undone, 9 calls, 5m01s\n"
                           "error[K104]: game-civ never became ready; all players are still on doom\n"
                           "  --> playbooks/deploy.lua:18  in step \"game\"\n"
                           "18 |   kube.apply(\"manifests/platform/game.yaml\", {...}):wait()\n"
                           "   = waited: 5m for 2 pods of Deployment dos-game/game-civ, 1 was ready\n"
                           "   = cause:  pod x7 cannot pull dos-games:civ: the registry has no such tag (12 s ago)\n"
                           "   = world:  3 changes undone, nothing left behind\n"
                           "   = next:   dosrun plan playbooks/deploy.lua civ     more: dosrun explain K104\n");
    fixture_close(&fixture);
}

TEST(tree_says_how_long_it_will_take_until_it_goes_back)
{
    struct fixture fixture;
    static const char *const done = "playbooks/deploy.lua on prod, run r1, lock: this machine only\n";
    char *want;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.columns = 80;
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'hello','format':'1.0','playbook':'playbooks/deploy.lua','args':[],"
                            "'target':'prod','world':'real','mode':'run'}");
    fixture_event(&fixture, "{'type':'run','id':'r1'}");
    fixture_event(&fixture, "{'type':'lock','where':'this machine only'}");
    fixture_event(&fixture, "{'type':'estimate','ms':95000,'runs':4}");
    fixture_event(&fixture, "{'type':'step.start','step':'game'}");
    fixture_pass(&fixture, 41000);
    want = mem_printf("%s ▸ game      41s\n   about 54s left\n", done);
    check_screen(&fixture, want);
    free(want);
    fixture_pass(&fixture, 54000);
    want = mem_printf("%s ▸ game      1m35s\n", done);
    check_screen(&fixture, want);
    free(want);
    fixture_event(&fixture, "{'type':'estimate','ms':95000,'runs':4}");
    fixture_event(&fixture, "{'type':'run.back'}");
    fixture_pass(&fixture, 1000);
    want = mem_printf("%s   undoing what this run changed\n ▸ game      1m36s\n", done);
    check_screen(&fixture, want);
    free(want);
    output_finish(fixture.output, 1);
    fixture_close(&fixture);
}

TEST(tree_wraps_at_40_columns)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.columns = 40;
    fixture_open(&fixture);
    play_start(&fixture);
    check_screen(&fixture, "playbooks/deploy.lua civ on prod, run\n"
                           "  r1, lock: this machine only\n"
                           " ✓ image     nothing to change     0.2s\n"
                           " ▸ game      game-civ 1 of 2 ready; pod\n"
                           "             x7: ImagePullBackOff, 3rd\n"
                           "             try     41s\n"
                           " ▸ database  41s\n");
    play_end(&fixture);
    check_screen(&fixture, "playbooks/deploy.lua civ on prod, run\n"
                           "  r1, lock: this machine only\n"
                           " ✓ image     nothing to change     0.2s\n"
                           " ✓ database  1 change               42s\n"
                           "       Secret dos-game/pg\n"
                           " ✗ game      failed; game-civ 1 of 2\n"
                           "             ready; pod x7:\n"
                           "             ImagePullBackOff, 3rd try\n"
                           "                                     5m\n"
                           " ✓ undone Secret dos-game/pg\n"
                           "undone: 1 change, 1 undone, 9 calls,\n"
                           "  5m01s\n"
                           "error[K104]: game-civ never became\n"
                           "   ready; all players are still on doom\n"
                           "  --> playbooks/deploy.lua:18  in step\n"
                           "      \"game\"\n"
                           "18 |   kube.apply(\"manifests/platform/g\n"
                           "     ame.yaml\", {...}):wait()\n"
                           "   = waited: 5m for 2 pods of\n"
                           "             Deployment\n"
                           "             dos-game/game-civ, 1 was\n"
                           "             ready\n"
                           "   = cause:  pod x7 cannot pull\n"
                           "             dos-games:civ: the\n"
                           "             registry has no such tag\n"
                           "             (12 s ago)\n"
                           "   = world:  3 changes undone, nothing\n"
                           "             left behind\n"
                           "   = next:   dosrun plan playbooks/deploy.lua civ\n"
                           "   = more:   dosrun explain K104\n");
    fixture_close(&fixture);
}

/* Without blanks, line breaks and "=": where rows are broken does not matter, what is said does. */
static char *squeeze(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++)
        if (!strchr(" \n=", *at))
            *to++ = *at;
    *to = '\0';
    return text;
}

static char *play_resized(int first, int second, int third, bool reflow)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_AUTO, true);
    fixture.columns = first;
    fixture_open(&fixture);
    play_start(&fixture);
    fixture_resize(&fixture, second, reflow);
    fixture_pass(&fixture, 1000);
    fixture_event(&fixture, "{'type':'log','level':'info','step':'game','text':'said between'}");
    fixture_pass(&fixture, 1000);
    fixture_resize(&fixture, third, reflow);
    fixture_resize(&fixture, second, reflow);
    fixture_resize(&fixture, third, reflow);
    fixture_pass(&fixture, 1000);
    play_end(&fixture);
    text = squeeze(fixture_screen(&fixture));
    fixture_close(&fixture);
    return text;
}

/* Whatever the width does in the middle, the end is the same text: nothing is cut, nothing is left over. */
static void check_resized(int first, int second, int third, bool reflow)
{
    char *want = play_resized(300, 300, 300, reflow), *got = play_resized(first, second, third, reflow);

    if (strcmp(got, want) != 0)
        unit_fail(__FILE__, __LINE__, "%d to %d to %d columns: %s", first, second, third, got);
    free(want);
    free(got);
}

TEST(tree_survives_resizes)
{
    static const int widths[] = {40, 41, 57, 60, 80, 120, 300};
    enum { COUNT = sizeof(widths) / sizeof(widths[0]) };

    for (int a = 0; a < COUNT; a++)
        for (int b = 0; b < COUNT; b++)
            for (int c = 0; c < COUNT; c++) {
                check_resized(widths[a], widths[b], widths[c], true);
                /* Without reflow a terminal drops what is beyond its edge; only what came after can be judged. */
                if (b >= a && c >= b)
                    check_resized(widths[a], widths[b], widths[c], false);
            }
}

TEST(tree_keeps_within_every_width)
{
    for (int columns = 40; columns <= 300; columns++) {
        struct fixture fixture;
        char *text;

        fixture_init(&fixture, OUTPUT_TREE, true);
        fixture.columns = columns;
        fixture_open(&fixture);
        play_start(&fixture);
        CHECK(fixture_width(&fixture) < columns);
        play_end(&fixture);
        text = fixture_screen(&fixture);
        CHECK(!strstr(text, "▸"));
        CHECK(strstr(text, "error[K104]: game-civ never became"));
        free(text);
        fixture_close(&fixture);
    }
}

TEST(tree_paints_ten_times_a_second_at_most)
{
    struct fixture fixture;
    int before;

    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture_open(&fixture);
    play_start(&fixture);
    before = fixture.paints;
    for (int i = 0; i < 1000; i++) {
        fixture_event(&fixture, "{'type':'wait','step':'game','object':'game-civ','condition':'poll %d'}", i);
        fixture_pass(&fixture, 1);
    }
    CHECK(fixture.paints - before <= 10);
    CHECK(fixture.paints - before >= 9);
    before = fixture.paints;
    output_tick(fixture.output, fixture.now_ms);
    CHECK_INT(fixture.paints - before, 0);
    fixture_close(&fixture);
}

TEST(tree_limits_its_region)
{
    struct fixture fixture;
    char *text;
    int rows = 0;

    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture_open(&fixture);
    for (int i = 0; i < 40; i++)
        fixture_event(&fixture, "{'type':'step.start','step':'step-%d'}", i);
    fixture_pass(&fixture, 1000);
    text = fixture_screen(&fixture);
    for (char *at = text; (at = strchr(at, '\n')); at++)
        rows++;
    CHECK_INT(rows, 12);
    CHECK(strstr(text, "   and 29 more\n"));
    free(text);
    fixture.rows = 5;
    fixture_pass(&fixture, 1000);
    text = fixture_screen(&fixture);
    CHECK(strstr(text, "   and 37 more\n"));
    free(text);
    fixture_close(&fixture);
    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture_open(&fixture);
    for (int i = 0; i < 12; i++)
        fixture_event(&fixture, "{'type':'step.start','step':'step-%d'}", i);
    fixture_pass(&fixture, 1000);
    text = fixture_screen(&fixture);
    CHECK(strstr(text, "step-11") && !strstr(text, "more"));
    free(text);
    fixture_close(&fixture);
}

TEST(tree_leaves_a_clean_terminal)
{
    struct fixture fixture;

    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'step.start','step':'image'}");
    fixture_pass(&fixture, 200);
    check_screen(&fixture, " ▸ image     0.2s\n");
    output_clear(fixture.output);
    check_screen(&fixture, "\n");
    fixture_pass(&fixture, 200);
    output_free(fixture.output);
    fixture.output = NULL;
    check_screen(&fixture, "\n");
    fixture_close(&fixture);
}

TEST(tree_puts_results_between_its_rows)
{
    struct fixture fixture;
    char *out;

    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'step.start','step':'image'}");
    fixture_pass(&fixture, 200);
    fixture_event(&fixture, "{'type':'text','text':'a result\\nof two lines'}");
    out = fixture_out(&fixture);
    CHECK_TEXT(out, "a result\nof two lines\n");
    free(out);
    fixture_close(&fixture);
}

TEST(tree_says_what_an_interrupted_step_changed)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture.options.utf8 = false;
    fixture_open(&fixture);
    play_start(&fixture);
    fixture_event(&fixture, "{'type':'run.end','how':'stopped','exit':130,'changes':1,'ms':42000,"
                            "'next':['dosrun resume r1','dosrun rollback r1']}");
    output_finish(fixture.output, 130);
    text = fixture_screen(&fixture);
    CHECK_TEXT(text, "playbooks/deploy.lua civ on prod, run r1, lock: this machine only\n"
                     " * image     nothing to change                          0.2s\n"
                     " ! game      not finished\n"
                     " ! database  not finished\n"
                     "       Secret dos-game/pg\n"
                     "stopped: 1 change stands, 42s\n"
                     "next: dosrun resume r1\n"
                     "or:   dosrun rollback r1\n");
    free(text);
    text = fixture_err(&fixture);
    CHECK(text[strlen(text) - 1] == '\a');
    for (const char *at = text; *at; at++)
        CHECK((unsigned char)*at < 0x80);
    free(text);
    fixture_close(&fixture);
}

TEST(tree_escapes_what_comes_from_outside)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_TREE, true);
    fixture_open(&fixture);
    fixture_event(&fixture, "{'type':'step.start','step':'a\\u001b[2Jb'}");
    fixture_event(&fixture, "{'type':'log','step':'a\\u001b[2Jb','text':'one\\u0007\\ntwo \\u202eevil'}");
    fixture_event(&fixture, "{'type':'step.end','step':'a\\u001b[2Jb','outcome':'ok'}");
    fixture_event(&fixture, "{'type':'error','message':'bad \\u001b]0;title\\u0007 thing'}");
    output_finish(fixture.output, 1);
    text = fixture_screen(&fixture);
    CHECK_TEXT(text, "   a\\x1b[2Jb  one\\x07\n   a\\x1b[2Jb  two \\u{202e}evil\n ✓ a\\x1b[2Jb  done\n"
                     "error: bad \\x1b]0;title\\x07 thing\n");
    free(text);
    fixture_close(&fixture);
}

TEST(tree_without_a_terminal_has_no_region)
{
    struct fixture fixture;
    char *text;

    fixture_init(&fixture, OUTPUT_TREE, false);
    fixture_open(&fixture);
    play_start(&fixture);
    play_end(&fixture);
    text = fixture_err(&fixture);
    CHECK(!strchr(text, '\x1b') && !strchr(text, '\r'));
    CHECK(strstr(text, " ✓ database  1 change"));
    free(text);
    fixture_close(&fixture);
}

TEST(tree_puts_the_last_note_where_it_fits)
{
    static const char *const want[] = {"done: 1 change (in the sandbox)\n", "done: 1 change (in the\n  sandbox)\n"};

    for (int i = 0; i < 2; i++) {
        struct fixture fixture;

        fixture_init(&fixture, OUTPUT_TREE, true);
        fixture.columns = i ? 30 : 40;
        fixture.options.color_err = true;
        fixture_open(&fixture);
        fixture_event(&fixture, "{'type':'hello','world':'sandbox'}");
        fixture_event(&fixture, "{'type':'run.end','how':'done','changes':1}");
        output_finish(fixture.output, 0);
        check_screen(&fixture, want[i]);
        fixture_close(&fixture);
    }
}
