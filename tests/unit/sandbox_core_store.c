/* The state file: torn, damaged, grown, shared; the same bytes in every process. */
#include "sandbox_core.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(struct sim *sim, const char *path, const char *text)
{
    struct got got;

    got_call(&got, sim, "PUT", path, (struct send){.changes = true, .body = text});
    CHECK(!got.failed);
    got_clear(&got);
}

static char *state_path(const char *folder)
{
    return mem_printf("%s/state.jsonl", folder);
}

static void file_read(const char *folder, struct buf *out)
{
    char *path = state_path(folder), piece[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    buf_init(out, 1 << 26);
    for (ssize_t got = read(fd, piece, sizeof(piece)); got > 0; got = read(fd, piece, sizeof(piece)))
        buf_add(out, piece, (size_t)got);
    close(fd);
    free(path);
}

static void file_write(const char *folder, struct view bytes)
{
    char *path = state_path(folder);
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    CHECK(write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    close(fd);
    free(path);
}

TEST(store_keeps_effects_for_the_next_process)
{
    char *folder = folder_new(), *path = state_path(folder);
    struct sim *sim = tiny_open(folder, NULL, NULL);
    struct stat stat_file;

    put(sim, "/a", "one");
    put(sim, "/b", "\xc3\xa9t\xc3\xa9 \"x\"\n");
    world_free(&sim->world);
    sim = tiny_open(folder, NULL, NULL);
    CHECK_TEXT(tiny_get(sim, "/a"), "one");
    CHECK_TEXT(tiny_get(sim, "/b"), "\xc3\xa9t\xc3\xa9 \"x\"\n");
    world_free(&sim->world);
    CHECK(stat(path, &stat_file) == 0 && (stat_file.st_mode & 0777) == 0600);
    free(path);
    folder_remove(folder);
}

TEST(store_cuts_a_torn_tail_at_every_byte)
{
    char *folder = folder_new();
    struct sim *sim = tiny_open(folder, NULL, NULL);
    struct buf whole, now;
    size_t first_end;

    put(sim, "/a", "one");
    world_free(&sim->world);
    file_read(folder, &whole);
    first_end = whole.len;
    buf_free(&whole);
    sim = tiny_open(folder, NULL, NULL);
    put(sim, "/b", "two");
    world_free(&sim->world);
    file_read(folder, &whole);
    for (size_t len = first_end; len < whole.len; len++) {
        file_write(folder, (struct view){whole.ptr, len});
        sim = tiny_open(folder, NULL, NULL);
        REQUIRE(sim);
        CHECK_TEXT(tiny_get(sim, "/a"), "one");
        world_free(&sim->world);
        file_read(folder, &now);
        CHECK(now.len <= len && (now.len == 0 || now.ptr[now.len - 1] == '\n'));
        buf_free(&now);
    }
    buf_free(&whole);
    folder_remove(folder);
}

TEST(store_refuses_damage_in_the_middle)
{
    char *folder = folder_new();
    struct sandbox_options options = {.folder = folder, .seed = 1};
    struct sim *sim = tiny_open(folder, NULL, NULL);
    struct buf whole;
    struct err err = ERR_INIT;
    char *three;

    put(sim, "/a", "one");
    put(sim, "/b", "two");
    world_free(&sim->world);
    file_read(folder, &whole);
    three = strstr(whole.ptr, "one");
    REQUIRE(three);
    *three = 'O';
    file_write(folder, buf_view(&whole));
    CHECK(!sandbox_new(&options, &err));
    CHECK(err.kind == ERR_INTERNAL && strstr(err.message, "damaged at line") && strstr(err.message, "sandbox reset"));
    err = ERR_INIT;
    CHECK_INT(sandbox_reset(folder, &err), 0);
    CHECK_INT(sandbox_reset(folder, &err), 0); /* nothing there is fine */
    sim = tiny_open(folder, NULL, NULL);
    REQUIRE(sim);
    CHECK(!tiny_get(sim, "/a"));
    CHECK_INT(world_now_ms(&sim->world), SIM_EPOCH_MS);
    world_free(&sim->world);
    buf_free(&whole);
    folder_remove(folder);
}

TEST(store_compact_keeps_everything)
{
    char *folder = folder_new();
    struct sim *sim = tiny_open(folder, NULL, NULL);
    struct buf before, after, small;
    char *big = mem_alloc(4096);

    memset(big, 'x', 4095);
    for (int i = 0; i < 400; i++)
        put(sim, "/a", big);
    put(sim, "/b", "two");
    buf_init(&before, 1 << 20);
    sim_show(sim, false, &before);
    world_free(&sim->world);
    file_read(folder, &small);
    CHECK(small.len < 1200 * 1000); /* it was made compact on the way */
    sim = tiny_open(folder, NULL, NULL);
    buf_init(&after, 1 << 20);
    sim_show(sim, false, &after);
    CHECK_TEXT(buf_text(&after), buf_text(&before));
    sim_compact(sim);
    put(sim, "/c", "three");
    world_free(&sim->world);
    sim = tiny_open(folder, NULL, NULL);
    CHECK_TEXT(tiny_get(sim, "/b"), "two");
    CHECK_TEXT(tiny_get(sim, "/c"), "three");
    world_free(&sim->world);
    buf_free(&before);
    buf_free(&after);
    buf_free(&small);
    free(big);
    folder_remove(folder);
}

TEST(store_short_processes_make_it_compact_too)
{
    char *folder = folder_new(), *big = mem_alloc(65536);
    struct buf file;

    memset(big, 'x', 65535);
    for (int i = 0; i < 40; i++) {
        struct sim *sim = tiny_open(folder, NULL, NULL);

        put(sim, "/a", big);
        world_free(&sim->world);
    }
    file_read(folder, &file);
    CHECK(file.len < 1200 * 1000);
    buf_free(&file);
    free(big);
    folder_remove(folder);
}

TEST(store_a_second_process_reads_and_may_not_change)
{
    char *folder = folder_new();
    struct sim *owner = tiny_open(folder, NULL, NULL), *guest;
    struct got got;
    struct err err = ERR_INIT;

    put(owner, "/a", "one");
    guest = tiny_open(folder, NULL, NULL);
    got_call(&got, guest, "GET", "/a", (struct send){0});
    CHECK_INT(got.status, 200);
    got_clear(&got);
    got_call(&got, guest, "PUT", "/a", (struct send){.changes = true, .body = "guest"});
    CHECK(got.failed && got.err.kind == ERR_CONFLICT && strstr(got.err.message, "another dosrun"));
    got_clear(&got);
    CHECK(sandbox_reset(folder, &err) == -1 && err.kind == ERR_CONFLICT);
    put(owner, "/b", "two");
    world_free(&owner->world);
    got_call(&got, guest, "PUT", "/a", (struct send){.changes = true, .body = "guest"});
    CHECK(got.failed && strstr(got.err.message, "meanwhile"));
    got_clear(&got);
    world_free(&guest->world);
    folder_remove(folder);
}

TEST(store_refuses_the_effects_of_servers_that_it_does_not_have)
{
    char *folder = folder_new();
    struct sandbox_options options = {.folder = folder, .seed = 1};
    struct sim *sim = tiny_open(folder, NULL, NULL);
    struct err err = ERR_INIT;

    put(sim, "/a", "one");
    world_free(&sim->world);
    CHECK(!sandbox_new(&options, &err));
    CHECK(strstr(err.message, "\"tiny\""));
    folder_remove(folder);
}

static void scenario(void *ctx)
{
    struct sim *sim = tiny_open_seed(ctx, "3:late", NULL, 7);
    struct got got;

    for (int i = 0; i < 6; i++) {
        got_call(&got, sim, "POST", "/n", (struct send){.changes = true, .timeout_ms = 700});
        got_clear(&got);
    }
    run_for(sim, 61000);
    world_free(&sim->world);
}

TEST(store_two_processes_leave_the_same_trace)
{
    char *one = folder_new(), *two = folder_new();
    struct buf a, b;

    CHECK_INT(child_run(scenario, one), 0);
    CHECK_INT(child_run(scenario, two), 0);
    file_read(one, &a);
    file_read(two, &b);
    CHECK(a.len > 500 && view_equal(buf_view(&a), buf_view(&b)));
    buf_free(&a);
    buf_free(&b);
    folder_remove(one);
    folder_remove(two);
}
