/* The state folder: whose it is, the lock between processes, the key, the list of runs. */
#include "store_world.h"
#include "unit.h"

#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void refused(struct faulty *faulty, const char *why)
{
    struct store *store = store_new(&faulty->base, faulty->root, "/project", "default");
    struct err err = ERR_INIT;

    CHECK_INT(store_create(store, &err), -1);
    CHECK_INT(err.kind, ERR_USAGE);
    if (!strstr(err.message, why))
        CHECK_TEXT(err.message, why);
    store_free(store);
}

TEST(a_state_folder_is_made_for_its_owner_alone)
{
    struct desk desk;
    struct stat buf;
    char *key, *runs, *journal;

    desk_init(&desk);
    journal_turn(desk.journal);
    key = desk_file(&desk, "key");
    runs = desk_file(&desk, "runs");
    journal = desk_file(&desk, "runs/r1.jsonl");
    CHECK_INT(stat(desk.faulty.root, &buf), 0);
    CHECK_INT(buf.st_mode & 07777, 0700);
    CHECK_INT(stat(runs, &buf), 0);
    CHECK_INT(buf.st_mode & 07777, 0700);
    CHECK_INT(stat(key, &buf), 0);
    CHECK_INT(buf.st_mode & 07777, 0600);
    CHECK_INT(buf.st_size, 32);
    CHECK_INT(stat(journal, &buf), 0);
    CHECK_INT(buf.st_mode & 07777, 0600);
    free(key);
    free(runs);
    free(journal);
    desk_clear(&desk);
}

TEST(a_folder_that_is_not_ours_alone_is_refused)
{
    struct faulty faulty;
    char state[160], elsewhere[160];

    faulty_init(&faulty);
    snprintf(state, sizeof(state), "%s/state", faulty.above);
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", faulty.above);
    CHECK_INT(mkdir(elsewhere, 0700), 0);
    CHECK_INT(symlink(elsewhere, state), 0);
    refused(&faulty, "symbolic link");
    CHECK_INT(unlink(state), 0);
    CHECK_INT(mkdir(state, 0700), 0);
    CHECK_INT(chmod(state, 0770), 0);
    refused(&faulty, "others may write");
    CHECK_INT(chmod(state, 0700), 0);
    CHECK_INT(symlink(elsewhere, faulty.root), 0);
    refused(&faulty, "symbolic link");
    CHECK_INT(unlink(faulty.root), 0);
    CHECK_INT(close(open(faulty.root, O_CREAT | O_WRONLY, 0600)), 0);
    refused(&faulty, "is no folder");
    CHECK_INT(unlink(faulty.root), 0);
    CHECK_INT(mkdir(faulty.root, 0700), 0);
    if (geteuid() == 0) {
        CHECK_INT(chown(faulty.root, 12345, 0), 0);
        refused(&faulty, "another user");
    }
    faulty_clear(&faulty);
}

TEST(a_key_that_others_may_read_is_refused)
{
    struct desk desk;
    struct doc *events = doc_array();
    char *key, *elsewhere;

    desk_init(&desk);
    key = desk_file(&desk, "key");
    elsewhere = desk_file(&desk, "elsewhere");
    CHECK_INT(chmod(key, 0640), 0);
    CHECK(desk_return(&desk, events) == NULL);
    CHECK(strstr(desk.err.message, "yours alone") != NULL);
    CHECK_INT(chmod(key, 0600), 0);
    CHECK_INT(rename(key, elsewhere), 0);
    CHECK_INT(symlink(elsewhere, key), 0);
    CHECK(desk_return(&desk, events) == NULL);
    CHECK_INT(unlink(key), 0);
    CHECK_INT(truncate(elsewhere, 31), 0);
    CHECK_INT(rename(elsewhere, key), 0);
    CHECK(desk_return(&desk, events) == NULL);
    CHECK(strstr(desk.err.message, "31 bytes") != NULL);
    free(key);
    free(elsewhere);
    doc_unref(events);
    desk_clear(&desk);
}

TEST(reading_makes_nothing)
{
    struct faulty faulty;
    struct store *store;
    struct run_summary *runs;
    size_t count;
    struct err err = ERR_INIT;
    struct stat buf;

    faulty_init(&faulty);
    store = store_new(&faulty.base, faulty.root, "/project", "default");
    CHECK_INT(store_runs(store, &runs, &count, &err), 0);
    CHECK_INT(count, 0);
    store_runs_free(runs, count);
    CHECK_INT(journal_read(store, NULL, "r1", events_add, NULL, &err), -1);
    CHECK_INT(err.kind, ERR_MISSING);
    CHECK(store_current(store) == NULL);
    CHECK_INT(store_last_number(store), 0);
    CHECK(stat(faulty.root, &buf) != 0);
    store_free(store);
    faulty_clear(&faulty);
}

/* Another process that has the lock until it is told to go; its end closes `ready`. */
static pid_t holder_start(struct desk *desk, int ready[2], int go[2])
{
    pid_t pid;

    CHECK_INT(pipe(ready), 0);
    CHECK_INT(pipe(go), 0);
    pid = fork();
    if (pid != 0)
        return pid;
    close(go[1]);
    struct store *store = store_new(&desk->faulty.base, desk->faulty.root, "/project", "default");
    struct err err = ERR_INIT;
    char *holder, byte = store_lock(store, &holder, &err) == 0 ? 'y' : 'n';
    int result = store_take_current(store, "r7", "run r7, process 1 on elsewhere", &err);

    if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) < 0)
        result = 1;
    _exit(result != 0);
}

TEST(two_processes_one_lock)
{
    struct desk desk;
    struct store *store;
    char *holder = NULL, byte = 0, *current;
    int ready[2], go[2], status = 0;
    pid_t pid;

    desk_init(&desk);
    desk_leave(&desk);
    pid = holder_start(&desk, ready, go);
    CHECK_INT(read(ready[0], &byte, 1), 1);
    CHECK_INT(byte, 'y');
    store = store_new(&desk.faulty.base, desk.faulty.root, "/project", "default");
    CHECK_INT(store_lock(store, &holder, &desk.err), 1);
    CHECK_TEXT(holder, "run r7, process 1 on elsewhere");
    free(holder);
    close(go[1]); /* it ends, however: the lock is free at once */
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK_INT(status, 0);
    CHECK_INT(store_lock(store, &holder, &desk.err), 0);
    CHECK(holder == NULL);
    current = store_current(store);
    CHECK_TEXT(current, "r7");
    free(current);
    store_free(store);
    close(ready[0]);
    close(ready[1]);
    close(go[0]);
    desk_clear(&desk);
}

static void put_run(struct desk *desk, const char *name, const char *text)
{
    char *path = desk_file(desk, name);

    CHECK_INT(world_disk_ops.write(&desk->faulty.base, path, view_of(text), 0600, &desk->err), 0);
    free(path);
}

static void end_run(struct desk *desk, const char *type, int exit)
{
    struct doc *event = event_new(type);

    if (exit >= 0)
        doc_set_int(event, "exit", exit);
    event_emit(desk->bus, EVENT_NOTE, NULL, event);
}

TEST(the_list_of_runs_holds_damaged_ones_too)
{
    struct desk desk;
    struct run_summary *runs;
    size_t count;

    desk_init(&desk);
    end_run(&desk, "run.end", 0);
    journal_turn(desk.journal);
    put_run(&desk, "runs/r10.jsonl", "{\"type\":\"run\",\"format\":9}\n");
    put_run(&desk, "runs/r2.jsonl", "dear diary\n");
    put_run(&desk, "runs/r3.jsonl", "");
    put_run(&desk, "runs/notes.txt", "not a run");
    CHECK_INT(store_runs(desk.store, &runs, &count, &desk.err), 0);
    REQUIRE(count == 4);
    CHECK_TEXT(runs[0].id, "r1");
    CHECK_INT(runs[0].exit, 0);
    CHECK_TEXT(runs[1].id, "r2");
    CHECK(runs[1].damaged);
    CHECK(strstr(runs[1].trouble, "line 1 is damaged") != NULL);
    CHECK_TEXT(runs[2].id, "r3");
    CHECK(!runs[2].damaged && !run_summary_unfinished(&runs[2])); /* it had not begun */
    CHECK_TEXT(runs[3].id, "r10");
    CHECK(strstr(runs[3].trouble, "has format 9") != NULL);
    store_runs_free(runs, count);
    CHECK_INT(store_last_number(desk.store), 10);
    desk_clear(&desk);
}

static bool unfinished(struct desk *desk)
{
    struct run_summary run;
    bool result;

    journal_turn(desk->journal);
    CHECK(store_run_summary(desk->store, "r1", &run));
    result = run_summary_unfinished(&run);
    run_summary_clear(&run);
    return result;
}

TEST(what_makes_a_run_unfinished)
{
    static const int over[] = {0, 1, 4}, stopped[] = {3, 70, 130};
    struct desk desk;

    desk_init(&desk);
    CHECK(unfinished(&desk)); /* no end */
    for (int i = 0; i < 3; i++) {
        end_run(&desk, "run.end", stopped[i]);
        CHECK(unfinished(&desk));
        end_run(&desk, "resume", -1);
        CHECK(unfinished(&desk));
        end_run(&desk, "run.end", over[i]);
        CHECK(!unfinished(&desk));
        end_run(&desk, "run.back", -1); /* a rollback of a finished run, cut off */
        CHECK(unfinished(&desk));
    }
    desk_clear(&desk);
}

TEST(a_damaged_journal_is_put_aside)
{
    struct desk desk;
    struct run_summary run;

    desk_init(&desk);
    put_run(&desk, "runs/r2.jsonl", "dear diary\n");
    CHECK_INT(store_set_aside(desk.store, "r2", &desk.err), 0);
    CHECK(!store_run_summary(desk.store, "r2", &run));
    run_summary_clear(&run);
    CHECK_INT(store_last_number(desk.store), 1);
    desk_clear(&desk);
}

TEST(without_its_file_the_newest_run_is_the_current_one)
{
    struct desk desk;
    char *current;

    desk_init(&desk);
    put_run(&desk, "runs/r9.jsonl", "");
    put_run(&desk, "runs/r10.jsonl", "");
    current = store_current(desk.store);
    CHECK_TEXT(current, "r10");
    free(current);
    CHECK_INT(store_take_current(desk.store, "r9", "me", &desk.err), 0);
    current = store_current(desk.store);
    CHECK_TEXT(current, "r9");
    free(current);
    desk_clear(&desk);
}
