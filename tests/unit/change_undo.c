/* Backward: order, three ways, what is left, stops. */
#include "change_lab.h"
#include "unit.h"

#include "change/builtin.h"

#include <stdlib.h>
#include <string.h>

#define A "http://127.0.0.1/a"
#define B "http://127.0.0.1/b"
#define C "http://127.0.0.1/c"

static const char *left_of(const struct lab_undo *undo, const char *key)
{
    for (size_t i = 0; i < doc_size(undo->list); i++) {
        const struct doc *entry = doc_at(undo->list, i);

        if (strcmp(doc_path_text(entry, "key", NULL), key) == 0)
            return doc_path_text(entry, "what", NULL);
    }
    return NULL;
}

/* Does the log hold these lines in this order? */
static bool in_order(const struct lab *lab, const char *first, const char *second)
{
    const char *one = strstr(buf_text(&lab->log), first), *other = strstr(buf_text(&lab->log), second);

    return one && other && one < other;
}

TEST(everything_is_as_before)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab_put(&lab, A, "old");
    lab_set(&lab, "one", A, "new");
    lab_set(&lab, "two", B, "made");
    lab_put(&lab, C, "there");
    lab_set(&lab, "three", C, NULL);
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.undone, 3);
    CHECK_INT(undo.report.left + undo.report.failed + undo.report.already, 0);
    CHECK_TEXT(lab_get(&lab, A), "old");
    CHECK(lab_get(&lab, B) == NULL);
    CHECK_TEXT(lab_get(&lab, C), "there");
    CHECK_INT(changes_count(lab.changes).undone, 3);
    doc_unref(undo.list);
    lab_undo(&lab, true, &undo); /* again: nothing is left to do */
    CHECK_INT(undo.report.undone + undo.report.already, 0);
    doc_unref(undo.list);
    lab_clear(&lab);
}

TEST(what_came_later_goes_first)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set(&lab, "one", A, "1");
    lab_set(&lab, "two", B, "2");
    lab_set(&lab, "three", C, "3");
    buf_reset(&lab.log);
    lab_undo(&lab, true, &undo);
    CHECK(in_order(&lab, "undo " C, "DELETE " B));
    CHECK(in_order(&lab, "undo " B, "DELETE " A));
    doc_unref(undo.list);
    lab_clear(&lab);
}

/* A namespace-like thing, made first and touched last, goes last; a route-like thing, found and turned last, goes
 * first. */
TEST(what_was_made_counts_from_its_first_act_what_was_found_from_its_last)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab_put(&lab, C, "to the old one");
    lab_set(&lab, "one", A, "made");
    lab_set(&lab, "one", C, "a first touch");
    lab_set(&lab, "two", B, "made inside");
    lab_set(&lab, "three", A, "touched again");
    lab_set(&lab, "four", C, "to the new one");
    buf_reset(&lab.log);
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.undone, 3);
    CHECK(in_order(&lab, "undo " C, "DELETE " B));
    CHECK(in_order(&lab, "undo " B, "DELETE " A));
    CHECK_TEXT(lab_get(&lab, C), "to the old one"); /* the first before, not the one in between */
    CHECK(lab_get(&lab, A) == NULL);
    doc_unref(undo.list);
    lab_clear(&lab);
}

static void ready(void *ctx, const struct err *err)
{
    *(bool *)ctx = err == NULL;
}

/* Two that ran side by side: both undos are under way at once. */
TEST(what_ran_side_by_side_is_undone_side_by_side)
{
    struct lab lab;
    struct lab_undo undo;
    struct change *changes[2];
    struct doc *after = doc_object();
    const char *keys[2] = {A, B};
    struct err err = ERR_INIT;
    bool began;

    lab_init(&lab, CHANGE_FORWARD);
    doc_set_text(after, "body", "x");
    for (int i = 0; i < 2; i++) {
        const struct change_spec spec = {.step = "s", .verb = "v", .key = keys[i], .bound_ms = -1};
        struct doc *data = doc_object();

        doc_set_text(data, "op", "http.request");
        doc_set_text(data, "method", "DELETE");
        doc_set_text(data, "url", keys[i]);
        doc_set_bool(data, "gone", true);
        changes[i] = change_open(lab.changes, &spec, &err);
        change_begin(changes[i], NULL, NULL, data, ready, &began);
        doc_unref(data);
        lab_put(&lab, keys[i], "x");
    }
    for (int i = 0; i < 2; i++) {
        change_finish(changes[i], after, NULL);
        change_close(changes[i]);
    }
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.undone, 2);
    CHECK(in_order(&lab, "intent 3\nintent 4\n", "undo ")); /* 1 and 2 are the looks */
    doc_unref(after);
    doc_unref(undo.list);
    lab_clear(&lab);
}

TEST(what_others_changed_since_is_left_and_listed)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab_put(&lab, A, "old");
    lab_put(&lab, C, "there");
    lab_set(&lab, "one", A, "new");
    lab_set(&lab, "one", B, "made");
    lab_set(&lab, "one", C, NULL);
    lab_put(&lab, A, "somebody else's");
    lab_put(&lab, B, NULL);        /* gone already: as before */
    lab_put(&lab, C, "made anew"); /* after we removed it */
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.left, 2);
    CHECK_INT(undo.report.already, 1);
    CHECK_INT(undo.report.undone, 0);
    CHECK_TEXT(lab_get(&lab, A), "somebody else's");
    CHECK_TEXT(lab_get(&lab, C), "made anew");
    CHECK(left_of(&undo, A) && strstr(left_of(&undo, A), "somebody changed it"));
    CHECK(left_of(&undo, B) == NULL);
    CHECK(left_of(&undo, C) != NULL);
    doc_unref(undo.list);
    /* Also in a later process; and once they give it back, it is undone. */
    lab_crash(&lab);
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.left, 2);
    CHECK_TEXT(lab_get(&lab, A), "somebody else's");
    doc_unref(undo.list);
    lab_put(&lab, A, "new");
    lab_put(&lab, C, NULL);
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.undone, 2);
    CHECK_TEXT(lab_get(&lab, A), "old");
    CHECK_TEXT(lab_get(&lab, C), "there");
    doc_unref(undo.list);
    lab_clear(&lab);
}

TEST(a_plan_changes_nothing_and_tells_the_same)
{
    struct lab lab;
    struct lab_undo undo;
    size_t events;

    lab_init(&lab, CHANGE_FORWARD);
    lab_put(&lab, A, "old");
    lab_set(&lab, "one", A, "new");
    lab_set(&lab, "one", B, "made");
    lab_put(&lab, B, "somebody else's");
    lab_crash(&lab);
    events = (size_t)lab_count(&lab, "call.intent");
    lab_undo_start(&lab, false, true, &undo);
    lab_wait(&lab, &undo.done);
    CHECK_INT(undo.report.undone, 1);
    CHECK_INT(undo.report.left, 1);
    CHECK_TEXT(lab_get(&lab, A), "new");
    CHECK_INT(lab_count(&lab, "call.intent"), events);
    CHECK_INT(lab_count(&lab, "undo.end"), 0);
    doc_unref(undo.list);
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.undone, 1);
    CHECK_INT(undo.report.left, 1);
    doc_unref(undo.list);
    lab_clear(&lab);
}

TEST(a_savepoint_stays_in_an_automatic_rollback_alone)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set_with(&lab, "kept", A, "kept", (struct lab_options){.keep = true});
    lab_set(&lab, "look", A, "kept"); /* another step's look does not take the savepoint away */
    lab_set(&lab, "two", B, "made");
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.undone, 1);
    CHECK_TEXT(lab_get(&lab, A), "kept");
    CHECK(lab_get(&lab, B) == NULL);
    doc_unref(undo.list);
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.undone, 1);
    CHECK(lab_get(&lab, A) == NULL);
    doc_unref(undo.list);
    lab_clear(&lab);
}

TEST(a_failed_undo_keeps_what_it_stands_on)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set(&lab, "one", A, "1");
    lab_set(&lab, "two", B, "2");
    lab.faults[3] = LAB_OK;     /* the look */
    lab.faults[4] = LAB_DENIED; /* the delete of B */
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.failed, 1);
    CHECK_INT(undo.report.undone, 0);
    CHECK_INT(undo.report.err.kind, ERR_DENIED);
    CHECK_TEXT(lab_get(&lab, A), "1");
    CHECK(left_of(&undo, A) && strstr(left_of(&undo, A), "made after it failed"));
    CHECK(left_of(&undo, B) != NULL);
    doc_unref(undo.list);
    lab_undo(&lab, true, &undo); /* tried again */
    CHECK_INT(undo.report.undone, 2);
    CHECK_INT(doc_size(undo.list), 0);
    doc_unref(undo.list);
    lab_clear(&lab);
}

/* A create that nobody answered arrives while it is being undone: the undo looks again behind its bound. */
TEST(an_undo_waits_for_the_lost_create)
{
    struct lab lab;
    struct lab_undo undo;

    lab_init(&lab, CHANGE_FORWARD);
    lab.faults[1] = LAB_LATE;
    lab_set(&lab, "one", A, "new");
    CHECK(lab_get(&lab, A) == NULL);
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.undone + undo.report.already, 1);
    lab_run(&lab);
    CHECK(lab_get(&lab, A) == NULL);
    CHECK(strstr(buf_text(&lab.log), "late PUT") != NULL);
    doc_unref(undo.list);
    lab_clear(&lab);
}

TEST(a_stop_while_undoing)
{
    struct lab lab;
    struct lab_undo undo;
    struct err why = ERR_INIT;
    int64_t begin;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set(&lab, "one", A, "1");
    lab.faults[2] = LAB_LOST_BEFORE;
    lab_set(&lab, "two", B, "2");
    begin = lab.now_ms;
    lab_undo_start(&lab, true, false, &undo);
    while (lab_count(&lab, "settle") == 0 && lab_turn(&lab))
        continue;
    CHECK(!undo.done);
    err_set(&why, ERR_CANCELLED, "interrupted by Ctrl-C");
    changes_stop(lab.changes, &why);
    lab_wait(&lab, &undo.done);
    CHECK(lab.now_ms - begin < 1000);
    CHECK_INT(undo.report.err.kind, ERR_CANCELLED);
    CHECK_TEXT(lab_get(&lab, A), "1");
    CHECK(left_of(&undo, A) && left_of(&undo, B));
    doc_unref(undo.list);
    lab_crash(&lab); /* and another process goes on with it */
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.undone + undo.report.already, 2);
    CHECK(lab_get(&lab, A) == NULL);
    doc_unref(undo.list);
    lab_clear(&lab);
}

/* The undo's own call is cut off at each of its points; a new process finishes it. */
TEST(an_undo_cut_off_goes_on)
{
    for (int turns = 0; turns < 40; turns++) {
        struct lab lab;
        struct lab_undo undo;

        lab_init(&lab, CHANGE_FORWARD);
        lab_put(&lab, A, "old");
        lab_set(&lab, "one", A, "new");
        lab_set(&lab, "two", B, "made");
        lab_undo_start(&lab, true, false, &undo);
        for (int i = 0; i < turns && !undo.done; i++)
            lab_turn(&lab);
        lab_undo_kill(&lab, &undo);
        lab_crash(&lab);
        lab_undo(&lab, true, &undo);
        CHECK_INT(undo.report.left + undo.report.failed, 0);
        CHECK_TEXT(lab_get(&lab, A), "old");
        CHECK(lab_get(&lab, B) == NULL);
        doc_unref(undo.list);
        lab_clear(&lab);
    }
}

TEST(a_pivot_has_no_undo_and_is_remembered)
{
    struct lab lab;
    struct lab_undo undo;
    struct err err = ERR_INIT;
    const struct change_spec spec = {.step = "s", .verb = "drop", .key = "data", .class = "pivot", .bound_ms = -1};
    struct change *change;
    struct doc *none = doc_object();
    bool began;

    lab_init(&lab, CHANGE_FORWARD);
    doc_set_text(none, "op", "none");
    doc_set_text(none, "why", "dropped data stay dropped");
    change = change_open(lab.changes, &spec, &err);
    CHECK(!changes_past_pivot(lab.changes)); /* a look is not an act */
    change_begin(change, NULL, NULL, none, ready, &began);
    CHECK(changes_past_pivot(lab.changes));
    change_finish(change, NULL, NULL);
    change_close(change);
    lab_crash(&lab);
    CHECK(changes_past_pivot(lab.changes));
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.left, 1);
    CHECK_TEXT(left_of(&undo, "data"), "dropped data stay dropped");
    doc_unref(undo.list);
    doc_unref(none);
    lab_clear(&lab);
}

TEST(an_unknown_word_is_a_failure)
{
    struct lab lab;
    struct lab_undo undo;
    struct err err = ERR_INIT;
    const struct change_spec spec = {.step = "s", .verb = "v", .key = "thing", .bound_ms = -1};
    struct change *change;
    struct doc *word = doc_object();
    bool began;

    lab_init(&lab, CHANGE_FORWARD);
    doc_set_text(word, "op", "aws.call");
    change = change_open(lab.changes, &spec, &err);
    change_begin(change, NULL, NULL, word, ready, &began);
    change_finish(change, NULL, NULL);
    change_close(change);
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.failed, 1);
    CHECK(strstr(left_of(&undo, "thing"), "nothing here can undo \"aws.call\"") != NULL);
    doc_unref(undo.list);
    doc_unref(word);
    lab_clear(&lab);
}

TEST(abandoned_changes_have_no_undo_any_more)
{
    struct lab lab;
    struct lab_undo undo;
    struct doc *end = event_new("run.end"), *list;

    lab_init(&lab, CHANGE_FORWARD);
    lab_set(&lab, "one", A, "1");
    doc_set_text(end, "how", "abandoned");
    event_emit(lab.bus, EVENT_NOTE, NULL, end);
    lab_crash(&lab);
    lab_undo(&lab, false, &undo);
    CHECK_INT(undo.report.undone + undo.report.left + undo.report.failed, 0);
    CHECK_TEXT(lab_get(&lab, A), "1");
    list = changes_list(lab.changes);
    CHECK_TEXT(doc_path_text(doc_at(list, 0), "state", NULL), "abandoned");
    doc_unref(list);
    doc_unref(undo.list);
    lab_clear(&lab);
}

/* ---- file.restore ---- */

struct restore {
    bool done;
    enum undo_outcome outcome;
};

static void restored(void *ctx, enum undo_outcome outcome, struct doc *left, const struct err *err)
{
    struct restore *restore = ctx;

    (void)err;
    doc_unref(left);
    restore->done = true;
    restore->outcome = outcome;
}

/* before, what the run left, and what is there now (NULL: no file); what becomes of it. */
static void file_case(const char *before, const char *after, bool known, const char *now, enum undo_outcome want,
                      const char *end)
{
    struct lab lab;
    struct err err = ERR_INIT;
    const struct change_spec spec = {.step = "s", .verb = "file.write", .key = "file", .bound_ms = 0};
    struct change *change;
    struct restore restore = {0};
    struct undo_handler handler;
    struct undo_request request = {.key = "file", .after_known = known};
    struct doc *undo = doc_object(), *state = NULL, *found;
    char *path;
    bool began;

    lab_init(&lab, CHANGE_FORWARD);
    path = mem_printf("%s/file", lab.folder);
    handler = undo_file_handler(lab.changes);
    for (int i = 0; i < 3; i++) { /* each state as look would have found it */
        const char *text = i == 0 ? before : i == 1 ? after : now;

        if (text)
            CHECK_INT(disk_write(&lab.base, path, view_of(text), 0640, &err), 0);
        else
            disk_remove(&lab.base, path, &err);
        found = file_state(&lab.base, path, &err);
        if (i == 0)
            doc_set(undo, "state", doc_ref(found));
        if (i == 1 && text && known)
            state = doc_ref(found);
        doc_unref(found);
    }
    doc_set_text(undo, "op", "file.restore");
    doc_set_text(undo, "path", path);
    change = change_open(lab.changes, &spec, &err);
    change_begin(change, NULL, NULL, NULL, ready, &began);
    request.undo = undo;
    request.after = state;
    request.owner = change;
    handler.start(handler.ctx, &request, restored, &restore);
    lab_wait(&lab, &restore.done);
    CHECK_INT(restore.outcome, want);
    found = file_state(&lab.base, path, &err);
    CHECK_TEXT(doc_path_text(found, "content", NULL), end);
    doc_unref(found);
    change_close(change);
    doc_unref(state);
    doc_unref(undo);
    free(path);
    lab_clear(&lab);
}

TEST(a_file_three_ways)
{
    file_case("old", "new", true, "new", UNDO_DONE, "old");
    file_case("old", "new", true, "old", UNDO_ALREADY, "old");
    file_case("old", "new", true, "theirs", UNDO_FOREIGN, "theirs");
    file_case("old", "new", true, NULL, UNDO_FOREIGN, NULL);
    file_case(NULL, "new", true, "new", UNDO_DONE, NULL);
    file_case(NULL, "new", true, NULL, UNDO_ALREADY, NULL);
    file_case(NULL, "new", true, "theirs", UNDO_FOREIGN, "theirs");
    file_case("old", NULL, true, NULL, UNDO_DONE, "old");
    file_case("old", NULL, true, "theirs", UNDO_FOREIGN, "theirs");
    file_case("old", NULL, false, "half done", UNDO_DONE, "old"); /* a crash: what it left is not known */
    file_case(NULL, NULL, false, "half done", UNDO_DONE, NULL);
}

/* A crash in the middle of a write leaves its half beside the file. */
TEST(what_a_crash_left_beside_the_file_goes_with_its_undo)
{
    struct lab lab;
    struct err err = ERR_INIT;
    const struct change_spec spec = {.step = "s", .verb = "file.write", .key = "file", .bound_ms = 0};
    struct change *change;
    struct lab_undo undo;
    struct doc *data = doc_object(), *missing = doc_object();
    struct disk_stat stat;
    char *path, *half;
    bool began;

    lab_init(&lab, CHANGE_FORWARD);
    path = mem_printf("%s/file", lab.folder);
    half = disk_neighbour(path);
    doc_set_bool(missing, "missing", true);
    doc_set_text(data, "op", "file.restore");
    doc_set_text(data, "path", path);
    doc_set(data, "state", missing);
    change = change_open(lab.changes, &spec, &err);
    change_begin(change, NULL, NULL, data, ready, &began);
    CHECK_INT(disk_write(&lab.base, half, VIEW_LITERAL("hal"), 0644, &err), 0);
    change_close(change);
    lab_undo(&lab, true, &undo);
    CHECK_INT(undo.report.already, 1);
    CHECK_INT(disk_stat(&lab.base, half, &stat, &err), 0);
    CHECK_INT(stat.kind, DISK_MISSING);
    doc_unref(undo.list);
    doc_unref(data);
    free(path);
    free(half);
    lab_clear(&lab);
}

TEST(bytes_that_are_no_text_come_back_too)
{
    static const char bytes[] = "\x7f"
                                "ELF\0\xff\xfe\n";
    struct lab lab;
    struct err err = ERR_INIT;
    struct doc *state;
    struct buf back;
    struct disk_stat stat;
    char *path;

    lab_init(&lab, CHANGE_FORWARD);
    path = mem_printf("%s/program", lab.folder);
    CHECK_INT(disk_write(&lab.base, path, (struct view){bytes, sizeof(bytes)}, 0755, &err), 0);
    state = file_state(&lab.base, path, &err);
    REQUIRE(state != NULL);
    CHECK_INT(disk_remove(&lab.base, path, &err), 0);
    CHECK_INT(file_state_put(&lab.base, path, state, &err), 0);
    buf_init(&back, 1024);
    CHECK_INT(disk_read(&lab.base, path, 1024, &back, &err), 0);
    CHECK(view_equal(buf_view(&back), (struct view){bytes, sizeof(bytes)}));
    CHECK_INT(disk_stat(&lab.base, path, &stat, &err), 0);
    CHECK_INT(stat.mode, 0755);
    buf_free(&back);
    doc_unref(state);
    free(path);
    lab_clear(&lab);
}
