/* The overlay over the project, the real state folder, and nothing else. */
#include "sandbox_core.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* above/project with a.txt (0644 "real"), sub/b.txt, empty/; above/state; above/sim */
struct place {
    char *above, *project, *state, *folder;
    struct sim *sim;
};

static void no_servers(struct sim *sim)
{
    (void)sim;
}

static void place_open(struct place *place)
{
    struct sandbox_options options = {
        .folder = place->folder, .project_root = place->project, .state_root = place->state, .seed = 1};
    struct err err = ERR_INIT;

    place->sim = sim_open(&options, no_servers, &err);
    if (!place->sim)
        unit_fail(__FILE__, __LINE__, "%s", err.message);
}

static void real_write(const char *folder, const char *name, const char *text)
{
    char *path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, "w");

    fputs(text, file);
    fclose(file);
    chmod(path, 0644);
    free(path);
}

static void real_folder(const char *above, const char *name)
{
    char *path = mem_printf("%s/%s", above, name);

    CHECK(mkdir(path, 0755) == 0);
    free(path);
}

static void place_init(struct place *place)
{
    place->above = folder_new();
    place->project = mem_printf("%s/project", place->above);
    place->state = mem_printf("%s/state", place->above);
    place->folder = mem_printf("%s/sim", place->above);
    real_folder(place->above, "project");
    real_folder(place->above, "state");
    real_folder(place->project, "sub");
    real_folder(place->project, "empty");
    real_write(place->project, "a.txt", "real");
    real_write(place->project, "sub/b.txt", "b");
    place_open(place);
}

static void place_clear(struct place *place)
{
    world_free(&place->sim->world);
    folder_remove(place->above);
    free(place->project);
    free(place->state);
    free(place->folder);
}

static char *at(const char *folder, const char *name)
{
    return mem_printf("%s/%s", folder, name);
}

/* What the door reads, or the kind of its error; free it. */
static char *text_at(struct place *place, const char *folder, const char *name)
{
    char *path = at(folder, name);
    struct buf out;
    struct err err = ERR_INIT;
    char *text;

    buf_init(&out, 1 << 20);
    if (disk_read(&place->sim->world, path, 1 << 20, &out, &err))
        text = mem_printf("(%s)", err_kind_name(err.kind));
    else
        text = mem_text(buf_text(&out));
    buf_free(&out);
    free(path);
    return text;
}

static int put(struct place *place, const char *folder, const char *name, const char *text, struct err *err)
{
    char *path = at(folder, name);
    int result;

    *err = ERR_INIT;
    result = disk_write(&place->sim->world, path, view_of(text), 0644, err);
    free(path);
    return result;
}

static int removed(struct place *place, const char *name, struct err *err)
{
    char *path = at(place->project, name);
    int result;

    *err = ERR_INIT;
    result = disk_remove(&place->sim->world, path, err);
    free(path);
    return result;
}

static bool name_add(void *ctx, const char *name, enum disk_kind kind)
{
    buf_addf(ctx, "%s%s ", name, kind == DISK_FOLDER ? "/" : "");
    return true;
}

static char *names(struct place *place, const char *folder)
{
    char *path = at(place->project, folder);
    struct buf out;
    struct err err = ERR_INIT;

    buf_init(&out, 4096);
    if (disk_list(&place->sim->world, path, name_add, &out, &err))
        buf_addf(&out, "(%s)", err_kind_name(err.kind));
    buf_add_text(&out, "");
    free(path);
    return buf_take(&out);
}

static char *shown(struct place *place)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    sim_show(place->sim, false, &out);
    buf_add_text(&out, "");
    return buf_take(&out);
}

#define CHECK_TAKEN(expression, want)                                               \
    do {                                                                            \
        char *taken = (expression);                                                 \
        unit_check_text(__FILE__, __LINE__, #expression, taken ? taken : "", want); \
        free(taken);                                                                \
    } while (0)

TEST(disk_writes_to_the_project_stay_in_the_overlay)
{
    struct place place;
    struct err err;
    char *path;
    struct stat stat_file;

    place_init(&place);
    CHECK_INT(put(&place, place.project, "a.txt", "changed", &err), 0);
    CHECK_INT(put(&place, place.project, "new.txt", "new", &err), 0);
    CHECK_TAKEN(text_at(&place, place.project, "a.txt"), "changed");
    CHECK_TAKEN(text_at(&place, place.project, "./sub/../new.txt"), "new");
    CHECK_TAKEN(names(&place, ""), "a.txt empty/ new.txt sub/ ");
    path = at(place.project, "new.txt");
    CHECK(stat(path, &stat_file) != 0);
    free(path);
    world_free(&place.sim->world);
    place_open(&place); /* the next process sees the same */
    CHECK_TAKEN(text_at(&place, place.project, "a.txt"), "changed");
    CHECK_TAKEN(text_at(&place, place.project, "new.txt"), "new");
    CHECK_TAKEN(shown(&place),
                "file a.txt 0644 7 bytes sha256:d67e2e944994496c8d8ec76eed0cf9f09679448d584b532bebf941852a37f5ed\n"
                "file new.txt 0644 3 bytes sha256:11507a0e2f5e69d5dfa40a62a1bd7b6ee57e6bcd85c67c9b8431b36fff21c437\n");
    place_clear(&place);
}

TEST(disk_what_is_as_before_is_not_shown)
{
    struct place place;
    struct err err;

    place_init(&place);
    CHECK_INT(put(&place, place.project, "a.txt", "changed", &err), 0);
    CHECK_INT(put(&place, place.project, "a.txt", "real", &err), 0);
    CHECK_INT(put(&place, place.project, "new.txt", "new", &err), 0);
    CHECK_INT(removed(&place, "new.txt", &err), 0);
    CHECK_INT(removed(&place, "sub/b.txt", &err), 0);
    CHECK_TAKEN(shown(&place), "removed sub/b.txt\n");
    CHECK_INT(put(&place, place.project, "sub/b.txt", "b", &err), 0);
    CHECK_TAKEN(shown(&place), "");
    place_clear(&place);
}

TEST(disk_removals_and_folders)
{
    struct place place;
    struct err err;
    char *path;
    struct disk_stat stat;

    place_init(&place);
    CHECK(removed(&place, "sub", &err) == -1 && err.kind == ERR_CONFLICT);
    CHECK_INT(removed(&place, "sub/b.txt", &err), 0);
    CHECK(removed(&place, "sub/b.txt", &err) == -1 && err.kind == ERR_MISSING);
    CHECK_INT(removed(&place, "sub", &err), 0);
    CHECK_TAKEN(names(&place, ""), "a.txt empty/ ");
    CHECK_TAKEN(text_at(&place, place.project, "sub/b.txt"), "(missing)");
    CHECK(put(&place, place.project, "sub/c.txt", "c", &err) == -1 && err.kind == ERR_MISSING);
    path = at(place.project, "x/y/z");
    CHECK_INT(disk_make_folder(&place.sim->world, path, 0755, &err), 0);
    CHECK_INT(disk_make_folder(&place.sim->world, path, 0755, &err), 0);
    CHECK_INT(disk_stat(&place.sim->world, path, &stat, &err), 0);
    CHECK(stat.kind == DISK_FOLDER);
    free(path);
    CHECK_INT(put(&place, place.project, "x/y/file", "f", &err), 0);
    CHECK_TAKEN(names(&place, "x/y"), "file z/ ");
    CHECK_TAKEN(names(&place, "x"), "y/ ");
    CHECK_TAKEN(names(&place, "nothing"), "(missing)");
    CHECK(put(&place, place.project, "x/y", "f", &err) == -1 && err.kind == ERR_USAGE);
    place_clear(&place);
}

TEST(disk_renames_within_the_project)
{
    struct place place;
    struct err err = ERR_INIT;
    char *from, *to;

    place_init(&place);
    from = at(place.project, "a.txt");
    to = at(place.project, "sub/moved.txt");
    CHECK_INT(disk_rename(&place.sim->world, from, to, &err), 0);
    CHECK_TAKEN(text_at(&place, place.project, "a.txt"), "(missing)");
    CHECK_TAKEN(text_at(&place, place.project, "sub/moved.txt"), "real");
    CHECK_INT(disk_rename(&place.sim->world, to, from, &err), 0);
    CHECK_TAKEN(shown(&place), "");
    free(from);
    free(to);
    place_clear(&place);
}

TEST(disk_the_state_folder_is_real_and_the_rest_refused)
{
    struct place place;
    struct err err;
    char *path;
    struct stat stat_file;
    struct disk_stat stat_null;

    place_init(&place);
    CHECK_INT(put(&place, place.state, "journal", "line", &err), 0);
    path = at(place.state, "journal");
    CHECK(stat(path, &stat_file) == 0);
    free(path);
    CHECK_TAKEN(text_at(&place, place.state, "journal"), "line");
    CHECK_TAKEN(text_at(&place, "/etc", "passwd"), "(denied)");
    CHECK_TAKEN(text_at(&place, place.project, "../sim/state.jsonl"), "(denied)");
    CHECK_TAKEN(text_at(&place, "/dev", "null"), "");
    CHECK_INT(disk_stat(&place.sim->world, "/dev/null", &stat_null, &err), 0);
    CHECK(put(&place, place.above, "x", "x", &err) == -1 && err.kind == ERR_DENIED);
    CHECK(strstr(err.message, place.project));
    CHECK(put(&place, "/dev", "null", "x", &err) == -1 && err.kind == ERR_DENIED);
    path = mem_printf("%s-look-alike/x", place.project);
    CHECK(disk_write(&place.sim->world, path, view_of("x"), 0644, &err) == -1);
    free(path);
    place_clear(&place);
}

TEST(disk_files_that_grow)
{
    struct place place;
    struct err err = ERR_INIT;
    char *paths[2];
    struct stat stat_file;

    place_init(&place);
    paths[0] = at(place.state, "log");
    paths[1] = at(place.project, "log");
    for (int i = 0; i < 2; i++) {
        struct disk_file *file = disk_open(&place.sim->world, paths[i], 0600, &err);

        REQUIRE(file);
        CHECK_INT(disk_lock(file, &err), 0);
        CHECK_INT(disk_append(file, view_of("one\n"), &err), 0);
        CHECK_INT(disk_reserve(file, 4096, &err), 0);
        CHECK_INT(disk_append(file, view_of("two\n"), &err), 0);
        CHECK_INT(disk_sync(file, &err), 0);
        CHECK_INT(disk_truncate(file, 6, &err), 0);
        disk_close(file);
        CHECK_TAKEN(text_at(&place, i ? place.project : place.state, "log"), "one\ntw");
        CHECK_INT(stat(paths[i], &stat_file), i ? -1 : 0);
        free(paths[i]);
    }
    place_clear(&place);
}

TEST(disk_reads_in_pieces_what_it_shows)
{
    struct place place;
    struct disk_file *file;
    struct disk_stat stat;
    struct err err = ERR_INIT;
    char bytes[8] = "", *path;

    place_init(&place);
    path = at(place.project, "a.txt");
    file = disk_open_read(&place.sim->world, path, &err);
    REQUIRE(file);
    CHECK_INT(disk_read_at(file, 1, bytes, 3, &err), 0);
    CHECK_TEXT(bytes, "eal");
    CHECK_INT(disk_file_stat(file, &stat, &err), 0);
    CHECK_INT(stat.size, 4);
    CHECK_INT(disk_read_at(file, 2, bytes, 3, &err), -1);
    CHECK_INT(err.kind, ERR_CONFLICT);
    err_clear(&err);
    CHECK_INT(disk_write(&place.sim->world, path, VIEW_LITERAL("longer"), 0644, &err), 0);
    CHECK_INT(disk_file_stat(file, &stat, &err), 0);
    CHECK_INT(stat.size, 6); /* so that who reads sees that it changed */
    disk_close(file);
    free(path);
    path = at(place.project, "none.txt");
    CHECK(disk_open_read(&place.sim->world, path, &err) == NULL);
    CHECK_INT(err.kind, ERR_MISSING);
    err_clear(&err);
    CHECK(disk_open_read(&place.sim->world, "/dev/null", &err) == NULL);
    CHECK_INT(err.kind, ERR_USAGE);
    err_clear(&err);
    CHECK(disk_open_read(&place.sim->world, "/etc/passwd", &err) == NULL);
    CHECK_INT(err.kind, ERR_DENIED);
    free(path);
    place_clear(&place);
}
