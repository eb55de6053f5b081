/* The journal's lines: chain, checksum, torn tail, damage, formats, secrets. */
#include "store_world.h"
#include "unit.h"

#include "base/digest.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *text_at(const struct doc *events, size_t index)
{
    return doc_path_text(doc_at(events, index), "text", NULL);
}

/* Three turns, each synced: run and zero, then one, then two. */
static void write_three(struct desk *desk)
{
    desk_log(desk, EVENT_INTENT, "zero");
    journal_turn(desk->journal);
    desk_log(desk, EVENT_INTENT, "one");
    journal_turn(desk->journal);
    desk_log(desk, EVENT_INTENT, "two");
    journal_turn(desk->journal);
}

TEST(what_was_appended_is_read_back_in_order)
{
    struct desk desk;
    struct doc *events = doc_array();

    desk_init(&desk);
    desk_log(&desk, EVENT_NOTE, "one");
    desk_log(&desk, EVENT_LIVE, "for people only");
    desk_log(&desk, EVENT_NOTE, "two");
    REQUIRE(desk_return(&desk, events) != NULL);
    CHECK_INT(doc_size(events), 3);
    CHECK_TEXT(text_at(events, 1), "one");
    CHECK_TEXT(text_at(events, 2), "two");
    doc_clear(events);
    desk_log(&desk, EVENT_NOTE, "three");
    REQUIRE(desk_return(&desk, events) != NULL);
    CHECK_INT(doc_size(events), 4);
    CHECK_TEXT(text_at(events, 3), "three");
    CHECK_INT(doc_as_int(doc_get(doc_at(events, 3), "seq"), 0), 5); /* the live one took 3 */
    doc_unref(events);
    desk_clear(&desk);
}

TEST(each_line_names_the_line_before_and_its_own_checksum)
{
    struct desk desk;
    struct buf text;
    char hex[SHA256_HEX + 1] = "00000000000000000000000000000000", want[64];
    const char *line, *end;
    int lines = 0;

    desk_init(&desk);
    write_three(&desk);
    buf_init(&text, 1 << 20);
    desk_text(&desk, &text);
    for (line = buf_text(&text); *line; line = end + 1, lines++) {
        end = strchr(line, '\n');
        REQUIRE(end != NULL);
        snprintf(want, sizeof(want), ",\"prev\":\"%.32s\",\"crc\":\"", hex);
        CHECK(end - line > 60 && memcmp(end - 10 - strlen(want), want, strlen(want)) == 0);
        snprintf(want, sizeof(want), "%08x\"}", digest_crc32c(0, line, (size_t)(end - line) - 18));
        CHECK(memcmp(end - 10, want, 10) == 0);
        digest_sha256_hex((struct view){line, (size_t)(end - line)}, hex);
    }
    CHECK_INT(lines, 4);
    buf_free(&text);
    desk_clear(&desk);
}

TEST(a_line_after_a_sync_says_how_much_is_on_disk)
{
    struct desk desk;
    struct buf text;
    char want[64];
    const char *line;

    desk_init(&desk);
    write_three(&desk);
    buf_init(&text, 1 << 20);
    desk_text(&desk, &text);
    line = strchr(strchr(buf_text(&text), '\n') + 1, '\n') + 1;
    snprintf(want, sizeof(want), ",\"synced\":%zu,\"prev\"", (size_t)(line - text.ptr));
    CHECK(strstr(line, want) != NULL);
    CHECK(strstr(line, want) < strchr(line, '\n'));
    buf_free(&text);
    desk_clear(&desk);
}

/* Whatever a crash cuts off, the whole lines before it are there, and the file goes on after them. */
TEST(a_tail_torn_at_every_byte_ends_at_the_last_whole_line)
{
    struct desk desk;
    struct buf text;
    size_t len;

    desk_init(&desk);
    write_three(&desk);
    buf_init(&text, 1 << 20);
    desk_text(&desk, &text);
    len = text.len;
    for (size_t cut = 0; cut <= len; cut++) {
        struct doc *events = doc_array(), *again = doc_array();
        size_t whole = 0;

        for (size_t i = 0; i < cut; i++)
            whole += text.ptr[i] == '\n';
        desk_leave(&desk);
        desk_put(&desk, (struct view){text.ptr, cut});
        if (whole == 0) {
            CHECK(desk_return(&desk, events) == NULL);
            CHECK(strstr(desk.err.message, "had not begun") != NULL);
        } else if (desk_return(&desk, events)) {
            CHECK_INT(doc_size(events), whole);
            desk_log(&desk, EVENT_NOTE, "after the tear");
            if (desk_return(&desk, again)) {
                CHECK_INT(doc_size(again), whole + 1);
                CHECK_TEXT(text_at(again, whole), "after the tear");
            } else {
                CHECK_TEXT(desk.err.message, "");
            }
        } else {
            CHECK_TEXT(desk.err.message, "");
        }
        doc_unref(events);
        doc_unref(again);
    }
    buf_free(&text);
    desk_clear(&desk);
}

/* One flipped bit in what was on disk once is refused, with the line's number; nothing is cut. */
TEST(a_flipped_bit_in_what_was_synced_is_refused)
{
    struct desk desk;
    struct buf text, after;
    size_t second;

    desk_init(&desk);
    write_three(&desk);
    buf_init(&text, 1 << 20);
    buf_init(&after, 1 << 20);
    desk_text(&desk, &text);
    second =
        (size_t)(strrchr(buf_text(&text), 'w') - text.ptr); /* inside "two": the last line, not known to be synced */
    while (text.ptr[second - 1] != '\n')
        second--;
    for (size_t at = 0; at < second; at++) {
        struct doc *events = doc_array();
        char want[64];
        int line = 1;

        for (size_t i = 0; i < at; i++)
            line += text.ptr[i] == '\n';
        desk_leave(&desk);
        text.ptr[at] ^= 1;
        desk_put(&desk, buf_view(&text));
        CHECK(desk_return(&desk, events) == NULL);
        CHECK_TEXT(desk.err.explain, text.ptr[at] == ('\n' ^ 1) ? "R203" : desk.err.explain);
        CHECK(strcmp(desk.err.explain, "R203") == 0 || strcmp(desk.err.explain, "R204") == 0);
        snprintf(want, sizeof(want), "journal line %d is damaged", line);
        if (strcmp(desk.err.explain, "R203") == 0 && !strstr(desk.err.message, want))
            CHECK_TEXT(desk.err.message, want);
        CHECK_INT(doc_size(events), line - 1);
        buf_reset(&after);
        desk_text(&desk, &after);
        CHECK(view_equal(buf_view(&after), buf_view(&text)));
        text.ptr[at] ^= 1;
        doc_unref(events);
    }
    buf_free(&text);
    buf_free(&after);
    desk_clear(&desk);
}

TEST(a_line_taken_out_or_doubled_is_refused)
{
    struct desk desk;
    struct buf text, made;
    const char *lines[5];

    desk_init(&desk);
    write_three(&desk);
    buf_init(&text, 1 << 20);
    buf_init(&made, 1 << 20);
    desk_text(&desk, &text);
    lines[0] = buf_text(&text);
    for (int i = 1; i < 5; i++)
        lines[i] = strchr(lines[i - 1], '\n') + 1;
    for (int out = 0; out < 5; out++) {
        struct doc *events = doc_array();

        buf_reset(&made);
        for (int i = 0; i < 4; i++) {
            if (i == out)
                continue;
            buf_add(&made, lines[i], (size_t)(lines[i + 1] - lines[i]));
            if (out == 4 && i == 1)
                buf_add(&made, lines[i], (size_t)(lines[i + 1] - lines[i]));
        }
        desk_leave(&desk);
        desk_put(&desk, buf_view(&made));
        if (out == 3) { /* the last one: as if it had never been written */
            CHECK(desk_return(&desk, events) != NULL);
        } else {
            CHECK(desk_return(&desk, events) == NULL);
            CHECK_TEXT(desk.err.explain, "R203");
        }
        doc_unref(events);
    }
    buf_free(&text);
    buf_free(&made);
    desk_clear(&desk);
}

static void scan_text(const char *text, const char *explain, size_t good_wanted)
{
    struct doc *events = doc_array();
    struct err err = ERR_INIT;
    size_t good = 99;
    int result = journal_scan(view_of(text), NULL, NULL, events_add, events, &good, &err);

    CHECK_TEXT(err.explain, explain);
    CHECK_INT(result, *explain ? -1 : 0);
    CHECK_INT(good, good_wanted);
    CHECK_INT(doc_size(events), 0);
    doc_unref(events);
}

TEST(a_newer_format_is_told_whatever_else_it_changed)
{
    scan_text("{\"type\":\"run\",\"format\":2,\"seal\":\"none of ours\"}\nand lines of another kind\n", "R204", 0);
}

TEST(what_is_no_journal_is_refused_and_not_cut)
{
    scan_text("dear diary\ntoday\n", "R203", 0);
    scan_text("dear diary", "R203", 0);
    scan_text("\n", "R203", 0);
    scan_text("{}", "R203", 0);
    scan_text("", "", 0);
    scan_text("{\"type\":\"run\",\"seq\":1,", "", 0); /* a first write, torn */
    scan_text("{\"ty", "", 0);
}

TEST(somebody_elses_journal_does_not_open)
{
    struct desk desk;
    struct buf mark;
    struct doc *event = event_new("secret"), *events = doc_array();
    char *key;

    desk_init(&desk);
    buf_init(&mark, 256);
    marks_add_secret(desk.marks, &mark, view_of("hunter2hunter2"));
    doc_set_text(event, "value", buf_text(&mark));
    event_emit(desk.bus, EVENT_INTENT, NULL, event);
    journal_turn(desk.journal);
    desk_leave(&desk);
    key = desk_file(&desk, "key");
    CHECK_INT(unlink(key), 0);
    desk.faulty.random = 0x11; /* another key is made */
    CHECK(desk_return(&desk, events) == NULL);
    CHECK(strstr(desk.err.message, "does not open with the key") != NULL);
    free(key);
    buf_free(&mark);
    doc_unref(events);
    desk_clear(&desk);
}

TEST(secrets_are_sealed_in_the_file_and_come_back)
{
    static const char plain[] = "s3cret-of-the-test";
    struct desk desk;
    struct buf mark, text, back, coded;
    struct doc *event = event_new("secret"), *events = doc_array(), *sealed = doc_array();
    struct err err = ERR_INIT;

    desk_init(&desk);
    buf_init(&mark, 256);
    buf_init(&text, 1 << 20);
    buf_init(&back, 256);
    buf_init(&coded, 256);
    buf_add_text(&mark, "password ");
    marks_add_secret(desk.marks, &mark, view_of(plain));
    buf_add_text(&mark, " and more");
    doc_set_text(event, "value", buf_text(&mark));
    event_emit(desk.bus, EVENT_NOTE, NULL, event);
    journal_turn(desk.journal);
    desk_text(&desk, &text);
    CHECK(strstr(buf_text(&text), plain) == NULL);
    base64_add(&coded, view_of(plain));
    CHECK(strstr(buf_text(&text), buf_text(&coded)) == NULL);
    CHECK(strstr(buf_text(&text), "password ") != NULL);
    REQUIRE(desk_return(&desk, events) != NULL);
    CHECK_INT(marks_reveal(desk.marks, doc_as_view(doc_get(doc_at(events, 1), "value")), &back, &err), 0);
    CHECK_TEXT(buf_text(&back), "password s3cret-of-the-test and more");
    CHECK_INT(journal_read(desk.store, NULL, "r1", events_add, sealed, &err), 0);
    CHECK_INT(doc_size(sealed), 2);
    CHECK(strstr(doc_path_text(doc_at(sealed, 1), "value", NULL), plain) == NULL);
    doc_unref(events);
    doc_unref(sealed);
    buf_free(&mark);
    buf_free(&text);
    buf_free(&back);
    buf_free(&coded);
    desk_clear(&desk);
}

/* The same plain text seals alike in every process; two texts never share a nonce. */
TEST(no_nonce_comes_twice_for_two_texts)
{
    struct desk desk;
    struct buf text;
    char *first, *second, *third;

    desk_init(&desk);
    for (int i = 0; i < 3; i++) {
        struct doc *event = event_new("secret"), *events = doc_array();
        struct buf mark;

        buf_init(&mark, 256);
        marks_add_secret(desk.marks, &mark, view_of(i == 1 ? "bravo bravo" : "alpha alpha"));
        doc_set_text(event, "value", buf_text(&mark));
        event_emit(desk.bus, EVENT_NOTE, NULL, event);
        buf_free(&mark);
        CHECK(desk_return(&desk, events) != NULL); /* a process each */
        doc_unref(events);
    }
    buf_init(&text, 1 << 20);
    desk_text(&desk, &text);
    first = strstr(buf_text(&text), "\"value\"");
    second = strstr(first + 1, "\"value\"");
    third = strstr(second + 1, "\"value\"");
    REQUIRE(third != NULL);
    CHECK(memcmp(first, second, 32) != 0);
    CHECK(memcmp(first, third, 64) == 0);
    buf_free(&text);
    desk_clear(&desk);
}

TEST(a_journal_of_that_name_is_not_written_over)
{
    struct desk desk;

    desk_init(&desk);
    CHECK(journal_create(desk.store, desk.marks, "r1", &desk.err) == NULL);
    CHECK(strstr(desk.err.message, "already") != NULL);
    desk_clear(&desk);
}

TEST(a_linked_journal_is_not_followed)
{
    struct desk desk;
    struct doc *events = doc_array();
    char *path, *elsewhere;

    desk_init(&desk);
    desk_leave(&desk);
    path = desk_file(&desk, "runs/r1.jsonl");
    elsewhere = desk_file(&desk, "elsewhere");
    CHECK_INT(rename(path, elsewhere), 0);
    CHECK_INT(symlink(elsewhere, path), 0);
    CHECK(desk_return(&desk, events) == NULL);
    CHECK_TEXT(desk.err.explain, "R203");
    doc_unref(events);
    free(path);
    free(elsewhere);
    desk_clear(&desk);
}

/* tests/fixtures/journal-1: what format 1 looked like when it was released. */
TEST(a_kept_journal_of_format_1_stays_readable)
{
    static const char *const names[] = {"done", "undone", "stopped"};
    static const unsigned char key[SEAL_KEY_SIZE] = "the fixtures' key, 32 bytes long";
    struct faulty faulty;

    faulty_init(&faulty);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct marks *marks = marks_new(view_of("any"));
        struct doc *events = doc_array();
        struct err err = ERR_INIT;
        struct buf text, name_key;
        char path[512];
        size_t good;

        snprintf(path, sizeof(path), "%.*s/../fixtures/journal-1/%s.jsonl", (int)(strrchr(__FILE__, '/') - __FILE__),
                 __FILE__, names[i]);
        buf_init(&text, 1 << 20);
        buf_init(&name_key, 256);
        CHECK_INT(world_disk_ops.read(&faulty.base, path, 1 << 20, &text, &err), 0);
        CHECK_INT(journal_scan(buf_view(&text), marks, key, events_add, events, &good, &err), 0);
        CHECK_TEXT(err.message, "");
        CHECK_INT(good, text.len);
        CHECK(doc_size(events) > 5);
        CHECK_TEXT(doc_path_text(doc_at(events, 0), "type", NULL), "run");
        CHECK_INT(marks_reveal(marks, doc_as_view(doc_get(doc_at(events, 0), "name_key")), &name_key, &err), 0);
        CHECK_TEXT(doc_path_text(doc_at(events, doc_size(events) - 1), "how", NULL), names[i]);
        buf_free(&text);
        buf_free(&name_key);
        doc_unref(events);
        marks_free(marks);
    }
    faulty_clear(&faulty);
}
