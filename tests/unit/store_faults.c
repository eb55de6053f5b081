/* One sync for a turn's intents, and every operation of the disk failing, once and for good. */
#include "store_world.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

struct told {
    struct desk *desk;
    int times, syncs;
    struct err err;
};

static void told(void *ctx, const struct err *err)
{
    struct told *told = ctx;

    told->times++;
    told->syncs = told->desk->faulty.syncs;
    told->err = err ? *err : ERR_INIT;
}

TEST(a_turn_of_many_intents_costs_one_sync)
{
    struct desk desk;
    struct told all[20] = {{0}};

    desk_init(&desk);
    for (int i = 0; i < 20; i++) {
        all[i].desk = &desk;
        desk_log(&desk, EVENT_INTENT, "intent");
        journal_when_durable(desk.journal, told, &all[i]);
    }
    CHECK_INT(desk.faulty.syncs, 0);
    CHECK(journal_turn(desk.journal));
    CHECK_INT(desk.faulty.syncs, 1);
    CHECK_INT(journal_syncs(desk.journal), 1);
    for (int i = 0; i < 20; i++) {
        CHECK_INT(all[i].times, 1);
        CHECK_INT(all[i].syncs, 1); /* after it, not before */
        CHECK_INT(all[i].err.kind, ERR_NONE);
    }
    CHECK(!journal_turn(desk.journal));
    CHECK_INT(desk.faulty.syncs, 1);
    desk_clear(&desk);
}

TEST(notes_and_outcomes_cost_no_sync)
{
    struct desk desk;
    struct told outcome = {.desk = &desk};

    desk_init(&desk);
    desk_log(&desk, EVENT_NOTE, "a bundle");
    journal_when_written(desk.journal, told, &outcome);
    CHECK_INT(outcome.times, 0);
    CHECK(journal_turn(desk.journal));
    CHECK_INT(outcome.times, 1);
    CHECK_INT(desk.faulty.writes_len, 1);
    CHECK_INT(desk.faulty.syncs, 0);
    desk_clear(&desk);
}

static void one_more(void *ctx, const struct err *err)
{
    struct told *told = ctx;

    CHECK(!err);
    told->times++;
    if (told->times < 3) {
        desk_log(told->desk, EVENT_INTENT, "the next");
        journal_when_durable(told->desk->journal, one_more, told);
    }
}

TEST(who_is_told_may_ask_again)
{
    struct desk desk;
    struct told chain = {.desk = &desk};

    desk_init(&desk);
    journal_when_durable(desk.journal, one_more, &chain);
    for (int turn = 1; turn <= 3; turn++) {
        CHECK(journal_turn(desk.journal));
        CHECK_INT(chain.times, turn);
    }
    CHECK(!journal_turn(desk.journal));
    CHECK_INT(desk.faulty.syncs, 3);
    desk_clear(&desk);
}

static void fails_for_good(const char *operation, enum err_kind kind)
{
    struct desk desk;
    struct told first = {.desk = &desk}, second = {.desk = &desk};
    struct buf before, after;

    desk_init(&desk);
    desk_log(&desk, EVENT_INTENT, "on disk");
    journal_turn(desk.journal);
    buf_init(&before, 1 << 20);
    buf_init(&after, 1 << 20);
    desk_text(&desk, &before);
    faulty_fail(&desk.faulty, operation, kind, false); /* once: it stays final all the same */
    desk_log(&desk, EVENT_INTENT, "lost");
    journal_when_durable(desk.journal, told, &first);
    CHECK(journal_turn(desk.journal));
    CHECK_INT(first.times, 1);
    CHECK_INT(first.err.kind, kind);
    REQUIRE(journal_trouble(desk.journal) != NULL);
    CHECK_INT(journal_trouble(desk.journal)->kind, kind);
    desk_text(&desk, &after);
    if (strcmp(operation, "append") == 0)
        CHECK(view_equal(buf_view(&before), buf_view(&after)));
    buf_reset(&before);
    desk_text(&desk, &before);
    desk_log(&desk, EVENT_INTENT, "nothing is written any more");
    journal_when_durable(desk.journal, told, &second);
    CHECK(journal_turn(desk.journal));
    CHECK_INT(second.err.kind, kind);
    buf_reset(&after);
    desk_text(&desk, &after);
    CHECK(view_equal(buf_view(&before), buf_view(&after)));
    buf_free(&before);
    buf_free(&after);
    desk_clear(&desk);
}

TEST(a_failed_append_or_sync_is_final)
{
    fails_for_good("append", ERR_SERVER);
    fails_for_good("append", ERR_QUOTA);
    fails_for_good("sync", ERR_SERVER);
    fails_for_good("sync", ERR_DENIED);
}

/* A full disk is met ahead: what had begun is recorded, nothing new is taken. */
TEST(a_full_disk_takes_no_new_intent_and_keeps_outcomes)
{
    static char big[200 * 1024];
    struct desk desk;
    struct told begun = {.desk = &desk}, later = {.desk = &desk}, outcome = {.desk = &desk};
    struct doc *events = doc_array();

    memset(big, 'x', sizeof(big) - 1);
    desk_init(&desk);
    journal_turn(desk.journal);
    desk.faulty.full = true;
    for (int i = 0; i < 3 && !journal_trouble(desk.journal); i++) {
        desk_log(&desk, EVENT_INTENT, big);
        journal_when_durable(desk.journal, told, &begun);
        journal_turn(desk.journal);
        CHECK_INT(begun.err.kind, ERR_NONE); /* it is on disk, so it may go */
    }
    REQUIRE(journal_trouble(desk.journal) != NULL);
    CHECK_INT(journal_trouble(desk.journal)->kind, ERR_QUOTA);
    journal_when_durable(desk.journal, told, &later);
    desk_log(&desk, EVENT_NOTE, "an outcome");
    journal_when_written(desk.journal, told, &outcome);
    journal_turn(desk.journal);
    CHECK_INT(later.err.kind, ERR_QUOTA);
    CHECK_INT(outcome.err.kind, ERR_NONE);
    CHECK(desk_return(&desk, events) == NULL); /* still full */
    CHECK_INT(desk.err.kind, ERR_QUOTA);
    faulty_heal(&desk.faulty);
    doc_clear(events);
    CHECK(desk_return(&desk, events) != NULL);
    CHECK_TEXT(doc_path_text(doc_at(events, doc_size(events) - 1), "text", NULL), "an outcome");
    doc_unref(events);
    desk_clear(&desk);
}

TEST(a_journal_that_cannot_begin_leaves_nothing)
{
    struct desk desk;
    char *path;
    struct disk_stat stat;

    desk_init(&desk);
    faulty_fail(&desk.faulty, "reserve", ERR_QUOTA, true);
    CHECK(journal_create(desk.store, desk.marks, "r2", &desk.err) == NULL);
    CHECK_INT(desk.err.kind, ERR_QUOTA);
    path = desk_file(&desk, "runs/r2.jsonl");
    CHECK_INT(world_disk_ops.stat(&desk.faulty.base, path, &stat, &desk.err), 0);
    CHECK_INT(stat.kind, DISK_MISSING);
    free(path);
    desk_clear(&desk);
}

/* Whichever operation fails, once or from then on: an error or the whole history, never less and no crash. */
TEST(every_operation_fails_once_and_for_good)
{
    for (int for_good = 0; for_good < 2; for_good++) {
        for (int at = 1; at < 40; at++) {
            struct desk desk;
            struct doc *events = doc_array();
            struct told durable = {.desk = &desk};
            bool took;

            desk_init(&desk);
            desk.faulty.fail_at = desk.faulty.ops + at;
            desk.faulty.kind = ERR_SERVER;
            desk.faulty.for_good = for_good;
            desk_log(&desk, EVENT_INTENT, "one");
            journal_when_durable(desk.journal, told, &durable);
            journal_turn(desk.journal);
            CHECK_INT(durable.times, 1);
            took = durable.err.kind == ERR_NONE;
            if (desk_return(&desk, events)) {
                desk_log(&desk, EVENT_NOTE, "two");
                journal_turn(desk.journal);
            } else {
                CHECK(*desk.err.message != '\0');
            }
            faulty_heal(&desk.faulty);
            doc_clear(events);
            if (!desk_return(&desk, events))
                CHECK(strstr(desk.err.message, "had not begun") != NULL);
            CHECK(!took || doc_size(events) >= 2); /* what was called durable is there */
            doc_unref(events);
            desk_clear(&desk);
        }
    }
}

/* ---- power loss ---- */

struct power {
    struct desk desk;
    struct buf text;
    int durable_lines; /* told to somebody as durable */
};

static int lines_in(const struct buf *text)
{
    int lines = 0;

    for (size_t i = 0; i < text->len; i++)
        lines += text->ptr[i] == '\n';
    return lines;
}

/* Turns of several lines each, the last three of which nobody synced. */
static void power_init(struct power *power)
{
    struct told told_of = {.desk = &power->desk};

    desk_init(&power->desk);
    for (int turn = 0; turn < 4; turn++) {
        desk_log(&power->desk, EVENT_INTENT, "an intent");
        desk_log(&power->desk, EVENT_NOTE, "and a note");
        journal_when_durable(power->desk.journal, told, &told_of);
        journal_turn(power->desk.journal);
    }
    CHECK_INT(told_of.times, 4);
    buf_init(&power->text, 1 << 20);
    desk_text(&power->desk, &power->text);
    power->durable_lines = lines_in(&power->text);
    for (int turn = 0; turn < 3; turn++) {
        desk_log(&power->desk, EVENT_NOTE, "an outcome");
        desk_log(&power->desk, EVENT_NOTE, "and a word on it");
        journal_turn(power->desk.journal);
    }
    buf_reset(&power->text);
    desk_text(&power->desk, &power->text);
}

static void power_clear(struct power *power)
{
    buf_free(&power->text);
    desk_clear(&power->desk);
}

/* The machine comes back with these bytes: nothing that was told as durable may be missing, and it goes on. */
static void power_back(struct power *power, struct view text)
{
    struct doc *events = doc_array(), *again = doc_array();
    size_t size;

    desk_leave(&power->desk);
    desk_put(&power->desk, text);
    if (!desk_return(&power->desk, events))
        CHECK_TEXT(power->desk.err.message, "");
    size = doc_size(events);
    CHECK(size >= (size_t)power->durable_lines);
    if (power->desk.journal) {
        desk_log(&power->desk, EVENT_INTENT, "after the power came back");
        CHECK(desk_return(&power->desk, again) != NULL);
        CHECK_INT(doc_size(again), size + 1);
    }
    doc_unref(events);
    doc_unref(again);
}

/* Bytes that one unsynced write put down: lost, as zeros, or the file ends in it. */
TEST(power_loss_loses_unsynced_writes_in_any_order)
{
    struct power power;
    int unsynced[3], count = 0;
    char *bytes;

    power_init(&power);
    for (int i = 0; i < power.desk.faulty.writes_len; i++) {
        if (power.desk.faulty.writes[i].syncs == power.desk.faulty.syncs && count < 3)
            unsynced[count++] = i;
    }
    REQUIRE(count == 3);
    for (int lost = 0; lost < 8; lost++) {
        size_t len = power.text.len;

        bytes = mem_view(buf_view(&power.text));
        for (int i = 0; i < 3; i++) {
            const struct faulty_write *write = &power.desk.faulty.writes[unsynced[i]];

            if (lost & (1 << i))
                memset(bytes + write->at, 0, write->len);
        }
        power_back(&power, (struct view){bytes, len});
        free(bytes);
    }
    power_clear(&power);
}

TEST(power_loss_leaves_every_prefix)
{
    struct power power;
    size_t synced = 0, lines = 0;

    power_init(&power);
    while (lines < (size_t)power.durable_lines)
        lines += power.text.ptr[synced++] == '\n';
    for (size_t len = synced; len <= power.text.len; len++)
        power_back(&power, (struct view){power.text.ptr, len});
    power_clear(&power);
}

/* Pages of 64 bytes, any single one of the unsynced part missing, with and without what follows. */
TEST(power_loss_drops_single_pages)
{
    enum { PAGE = 64 };
    struct power power;
    size_t synced = 0, lines = 0;

    power_init(&power);
    while (lines < (size_t)power.durable_lines)
        lines += power.text.ptr[synced++] == '\n';
    for (size_t at = synced; at < power.text.len; at += PAGE) {
        char *bytes = mem_view(buf_view(&power.text));
        size_t len = at + PAGE < power.text.len ? PAGE : power.text.len - at;

        memset(bytes + at, 0, len);
        power_back(&power, (struct view){bytes, power.text.len});
        power_back(&power, (struct view){bytes, at + len});
        free(bytes);
    }
    power_clear(&power);
}
