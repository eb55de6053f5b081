/* The disk door on a real file system: whole or not at all, through no link, with the right error. */
#include "unit.h"

#include "world/world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    struct world *world;
    char folder[64];
    char path[6][128]; /* made by at() in turn */
    int next;
    struct err err;
};

static void place_init(struct place *place)
{
    *place = (struct place){.world = world_real_new(), .err = ERR_INIT};
    snprintf(place->folder, sizeof(place->folder), "/tmp/dosrun-disk-XXXXXX");
    CHECK(mkdtemp(place->folder) != NULL);
}

static void place_free(struct place *place)
{
    char command[96];

    snprintf(command, sizeof(command), "rm -rf %s", place->folder);
    CHECK(system(command) == 0);
    world_free(place->world);
}

static const char *at(struct place *place, const char *name)
{
    char *path = place->path[place->next++ % 6];

    snprintf(path, sizeof(place->path[0]), "%s/%s", place->folder, name);
    return path;
}

static char *content(struct place *place, const char *path)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    if (disk_read(place->world, path, 1 << 20, &text, &place->err) != 0) {
        buf_free(&text);
        return mem_text("(unreadable)");
    }
    return text.ptr ? buf_take(&text) : mem_text("");
}

static void check_content(struct place *place, const char *path, const char *want)
{
    char *text = content(place, path);

    CHECK_TEXT(text, want);
    free(text);
}

static bool names_add(void *ctx, const char *name, enum disk_kind kind)
{
    buf_addf(ctx, "%s:%d ", name, (int)kind);
    return strcmp(name, "stop") != 0;
}

static void check_names(struct place *place, const char *want)
{
    struct buf names;

    buf_init(&names, 4096);
    CHECK_INT(disk_list(place->world, place->folder, names_add, &names, &place->err), 0);
    CHECK_TEXT(buf_text(&names), want);
    buf_free(&names);
}

TEST(disk_write_replaces_whole_with_the_mode_asked)
{
    struct place place;
    struct disk_stat stat;

    place_init(&place);
    umask(077);
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("one"), 0644, &place.err), 0);
    umask(022);
    CHECK_INT(disk_stat(place.world, at(&place, "a"), &stat, &place.err), 0);
    CHECK_INT(stat.kind, DISK_FILE);
    CHECK_INT(stat.mode, 0644);
    CHECK_INT(stat.size, 3);
    CHECK_INT(stat.uid, geteuid());
    CHECK(stat.mtime_ms > INT64_C(1600000000000));
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("two"), 0600, &place.err), 0);
    check_content(&place, at(&place, "a"), "two");
    check_names(&place, "a:1 ");
    place_free(&place);
}

TEST(disk_write_takes_over_what_a_crash_left)
{
    struct place place;
    int fd;

    place_init(&place);
    fd = open(at(&place, ".a.dosrun-new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(write(fd, "half of a long text", 19) == 19);
    close(fd);
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("one"), 0644, &place.err), 0);
    check_content(&place, at(&place, "a"), "one");
    check_names(&place, "a:1 ");
    place_free(&place);
}

TEST(disk_write_goes_through_no_link)
{
    struct place place;
    struct disk_stat stat;

    place_init(&place);
    CHECK_INT(disk_write(place.world, at(&place, "victim"), VIEW_LITERAL("safe"), 0644, &place.err), 0);
    CHECK(symlink("victim", at(&place, "link")) == 0);
    CHECK(disk_write(place.world, at(&place, "link"), VIEW_LITERAL("bad"), 0644, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_DENIED);
    CHECK(strstr(place.err.message, "symbolic link"));
    CHECK(disk_open(place.world, at(&place, "link"), 0600, &place.err) == NULL);
    CHECK_INT(place.err.kind, ERR_DENIED);
    /* The temporary neighbour may have been put there by somebody else: as a link, or as a second name. */
    CHECK(symlink("victim", at(&place, ".a.dosrun-new")) == 0);
    CHECK(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("bad"), 0644, &place.err) < 0);
    CHECK(unlink(at(&place, ".a.dosrun-new")) == 0);
    CHECK(link(at(&place, "victim"), at(&place, ".a.dosrun-new")) == 0);
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("good"), 0644, &place.err), 0);
    check_content(&place, at(&place, "a"), "good");
    check_content(&place, at(&place, "victim"), "safe");
    CHECK_INT(disk_stat(place.world, at(&place, "link"), &stat, &place.err), 0);
    CHECK_INT(stat.kind, DISK_LINK);
    /* Removing a link removes the link. */
    CHECK_INT(disk_remove(place.world, at(&place, "link"), &place.err), 0);
    check_content(&place, at(&place, "victim"), "safe");
    CHECK(symlink(place.folder, at(&place, "folder")) == 0);
    CHECK(disk_make_folder(place.world, at(&place, "folder"), 0700, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_DENIED);
    place_free(&place);
}

TEST(disk_errors_name_path_and_reason)
{
    struct place place;
    struct disk_stat stat;
    struct buf out;

    place_init(&place);
    buf_init(&out, 1 << 20);
    CHECK_INT(disk_stat(place.world, at(&place, "none"), &stat, &place.err), 0);
    CHECK_INT(stat.kind, DISK_MISSING);
    CHECK(disk_read(place.world, at(&place, "none"), 10, &out, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_MISSING);
    CHECK(strstr(place.err.message, "/none: ") && strstr(place.err.message, "No such file"));
    CHECK(disk_read(place.world, place.folder, 10, &out, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_USAGE);
    CHECK(disk_read(place.world, "/dev/zero", 10, &out, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_USAGE);
    CHECK(disk_write(place.world, at(&place, "no/where"), VIEW_LITERAL("x"), 0600, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_MISSING);
    CHECK(disk_write(place.world, place.folder, VIEW_LITERAL("x"), 0600, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_USAGE);
    CHECK(disk_write(place.world, "/proc/dosrun", VIEW_LITERAL("x"), 0600, &place.err) < 0);
    CHECK(mkfifo(at(&place, "fifo"), 0600) == 0);
    CHECK(disk_read(place.world, at(&place, "fifo"), 10, &out, &place.err) < 0); /* and does not wait */
    CHECK(disk_open(place.world, at(&place, "fifo"), 0600, &place.err) == NULL);
    CHECK_INT(disk_write(place.world, at(&place, "big"), VIEW_LITERAL("0123456789x"), 0600, &place.err), 0);
    buf_reset(&out);
    CHECK(disk_read(place.world, at(&place, "big"), 10, &out, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_QUOTA);
    CHECK_INT(disk_read(place.world, at(&place, "big"), 11, &out, &place.err), 0);
    CHECK(disk_remove(place.world, at(&place, "none"), &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_MISSING);
    CHECK(disk_list(place.world, at(&place, "none"), names_add, &out, &place.err) < 0);
    buf_free(&out);
    place_free(&place);
}

TEST(disk_folders_and_renames)
{
    struct place place;

    place_init(&place);
    CHECK_INT(disk_make_folder(place.world, at(&place, "x/y/z/"), 0700, &place.err), 0);
    CHECK_INT(disk_make_folder(place.world, at(&place, "x/y/z"), 0700, &place.err), 0);
    CHECK_INT(disk_write(place.world, at(&place, "x/file"), VIEW_LITERAL("f"), 0600, &place.err), 0);
    CHECK(disk_make_folder(place.world, at(&place, "x/file"), 0700, &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_USAGE);
    CHECK(disk_make_folder(place.world, at(&place, "x/file/deep"), 0700, &place.err) < 0);
    CHECK(disk_remove(place.world, at(&place, "x"), &place.err) < 0); /* not empty */
    CHECK_INT(place.err.kind, ERR_USAGE);
    CHECK_INT(disk_rename(place.world, at(&place, "x/file"), at(&place, "b"), &place.err), 0);
    CHECK(disk_rename(place.world, at(&place, "none"), at(&place, "b"), &place.err) < 0);
    CHECK_INT(place.err.kind, ERR_MISSING);
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("f"), 0600, &place.err), 0);
    CHECK_INT(disk_write(place.world, at(&place, "stop"), VIEW_LITERAL("f"), 0600, &place.err), 0);
    check_names(&place, "a:1 b:1 stop:1 ");
    CHECK_INT(disk_remove(place.world, at(&place, "x/y/z"), &place.err), 0);
    place_free(&place);
}

static int64_t blocks_of(const char *path)
{
    struct stat buf;

    return stat(path, &buf) == 0 ? buf.st_blocks : -1;
}

TEST(disk_file_grows_and_is_cut)
{
    struct place place;
    struct disk_file *file;
    struct disk_stat stat;

    place_init(&place);
    file = disk_open(place.world, at(&place, "journal"), 0600, &place.err);
    REQUIRE(file);
    CHECK_INT(disk_reserve(file, 65536, &place.err), 0);
    CHECK_INT(disk_append(file, VIEW_LITERAL("one\n"), &place.err), 0);
    CHECK_INT(disk_append(file, VIEW_LITERAL("two\n"), &place.err), 0);
    CHECK_INT(disk_sync(file, &place.err), 0);
    CHECK_INT(disk_stat(place.world, at(&place, "journal"), &stat, &place.err), 0);
    CHECK_INT(stat.size, 8);
    CHECK(blocks_of(at(&place, "journal")) * 512 >= 65536);
    CHECK_INT(stat.mode, 0600);
    CHECK_INT(disk_truncate(file, 4, &place.err), 0);
    disk_close(file);
    file = disk_open(place.world, at(&place, "journal"), 0600, &place.err);
    CHECK_INT(disk_append(file, VIEW_LITERAL("three\n"), &place.err), 0);
    disk_close(file);
    disk_close(NULL);
    check_content(&place, at(&place, "journal"), "one\nthree\n");
    place_free(&place);
}

/* In a child: a limit on the size of files stands for a disk that is full. Exit status 0: all as it should be. */
static int full_disk(struct place *place)
{
    struct rlimit limit = {8192, 8192};
    struct disk_file *file = disk_open(place->world, at(place, "journal"), 0600, &place->err);
    char *bytes = mem_alloc(6000);
    struct disk_stat stat;

    setrlimit(RLIMIT_FSIZE, &limit);
    if (disk_append(file, (struct view){bytes, 6000}, &place->err) != 0)
        return 1;
    if (disk_append(file, (struct view){bytes, 6000}, &place->err) == 0 || place->err.kind != ERR_QUOTA)
        return 2;
    /* 2192 of those bytes fitted; none of them may be left. */
    if (disk_stat(place->world, at(place, "journal"), &stat, &place->err) != 0 || stat.size != 6000)
        return 3;
    if (disk_append(file, VIEW_LITERAL("small"), &place->err) != 0 || disk_sync(file, &place->err) != 0)
        return 4;
    if (disk_write(place->world, at(place, "old"), (struct view){bytes, 6000}, 0600, &place->err) != 0)
        return 5;
    bytes = mem_grow(bytes, 9000, 1);
    memset(bytes, 'b', 9000);
    if (disk_write(place->world, at(place, "old"), (struct view){bytes, 9000}, 0600, &place->err) == 0 ||
        place->err.kind != ERR_QUOTA)
        return 6;
    if (disk_stat(place->world, at(place, "old"), &stat, &place->err) != 0 || stat.size != 6000)
        return 7;
    return 0;
}

TEST(disk_full_leaves_the_old_whole)
{
    struct place place;
    int status;

    place_init(&place);
    pid_t pid = fork();
    if (pid == 0)
        _exit(full_disk(&place));
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    check_names(&place, "journal:1 old:1 ");
    place_free(&place);
}

TEST(disk_lock_excludes_another_process_until_it_ends)
{
    struct place place;
    struct disk_file *file;
    int ready[2], go[2], status;
    char byte;

    place_init(&place);
    REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
    file = disk_open(place.world, at(&place, "lock"), 0600, &place.err);
    REQUIRE(file);
    pid_t pid = fork();
    if (pid == 0) {
        struct disk_file *other = disk_open(place.world, at(&place, "lock"), 0600, &place.err);
        bool taken = disk_lock(other, &place.err) == 0 && disk_lock(other, &place.err) == 0;

        if (write(ready[1], taken ? "y" : "n", 1) == 1 && read(go[0], &byte, 1) == 1)
            _exit(0); /* without closing it */
        _exit(1);
    }
    CHECK(read(ready[0], &byte, 1) == 1 && byte == 'y');
    CHECK_INT(disk_lock(file, &place.err), 1);
    CHECK(write(go[1], "x", 1) == 1);
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_INT(disk_lock(file, &place.err), 0);
    struct disk_file *second = disk_open(place.world, at(&place, "lock"), 0600, &place.err);
    CHECK_INT(disk_lock(second, &place.err), 1);
    disk_close(file);
    CHECK_INT(disk_lock(second, &place.err), 0);
    disk_close(second);
    for (int i = 0; i < 2; i++) {
        close(ready[i]);
        close(go[i]);
    }
    place_free(&place);
}

/* Every content that a reader sees while others write is one that somebody wrote, whole. */
TEST(disk_write_is_never_seen_half)
{
    enum { ROUNDS = 60, SIZE = 100000 };
    struct place place;
    char *bytes = mem_alloc(SIZE);
    int status, torn = 0;

    place_init(&place);
    memset(bytes, '0', SIZE);
    CHECK_INT(disk_write(place.world, at(&place, "a"), (struct view){bytes, SIZE}, 0600, &place.err), 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < ROUNDS; i++) {
            memset(bytes, '1' + i % 9, SIZE);
            if (disk_write(place.world, at(&place, "a"), (struct view){bytes, SIZE}, 0600, &place.err) != 0)
                _exit(1);
        }
        _exit(0);
    }
    while (waitpid(pid, &status, WNOHANG) == 0) {
        char *text = content(&place, at(&place, "a"));

        torn += strlen(text) != SIZE || strspn(text, (char[]){text[0], '\0'}) != SIZE;
        free(text);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_INT(torn, 0);
    free(bytes);
    place_free(&place);
}

TEST(disk_reads_in_pieces_the_file_that_was_there)
{
    struct place place;
    struct disk_file *file;
    struct disk_stat stat;
    char bytes[8] = "";

    place_init(&place);
    CHECK(disk_open_read(place.world, at(&place, "none"), &place.err) == NULL);
    CHECK_INT(place.err.kind, ERR_MISSING);
    err_clear(&place.err);
    CHECK(disk_open_read(place.world, place.folder, &place.err) == NULL);
    CHECK_INT(place.err.kind, ERR_USAGE);
    err_clear(&place.err);
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("0123456789"), 0640, &place.err), 0);
    file = disk_open_read(place.world, at(&place, "a"), &place.err);
    REQUIRE(file);
    CHECK_INT(disk_write(place.world, at(&place, "a"), VIEW_LITERAL("other"), 0640, &place.err), 0);
    CHECK_INT(disk_file_stat(file, &stat, &place.err), 0);
    CHECK_INT(stat.kind, DISK_FILE);
    CHECK_INT(stat.size, 10);
    CHECK_INT(stat.mode, 0640);
    CHECK_INT(disk_read_at(file, 6, bytes, 4, &place.err), 0);
    CHECK_TEXT(bytes, "6789");
    CHECK_INT(disk_read_at(file, 8, bytes, 3, &place.err), -1);
    CHECK_INT(place.err.kind, ERR_CONFLICT);
    CHECK(strstr(place.err.message, "became shorter"));
    disk_close(file);
    place_free(&place);
}
