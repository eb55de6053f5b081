/*
 * The disk door: the state folder is the real one, the project is read as it is and written into an
 * overlay that lasts with the sandbox, all else is refused.
 */
#include "sandbox/disk_parts.h"
#include "base/digest.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Absolute, without "." and "..", by text alone. */
static char *plain_path(const char *path)
{
    char *joined, *out, *folder = NULL;
    size_t len = 0;

    if (path[0] != '/')
        folder = getcwd(NULL, 0);
    joined = mem_printf("%s/%s", folder ? folder : "", path);
    free(folder);
    out = mem_alloc(strlen(joined) + 2);
    for (const char *part = joined; *part;) {
        size_t part_len = strcspn(part, "/");

        if (part_len == 2 && part[0] == '.' && part[1] == '.') {
            while (len > 0 && out[--len] != '/')
                ;
        } else if (part_len > 0 && !(part_len == 1 && part[0] == '.')) {
            out[len++] = '/';
            memcpy(out + len, part, part_len);
            len += part_len;
        }
        part += part_len;
        part += strspn(part, "/");
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    free(joined);
    return out;
}

/* What follows root in path, NULL when path is elsewhere. */
static const char *below(const char *path, const char *root)
{
    size_t len = root ? strlen(root) : 0;

    if (!root || strncmp(path, root, len) != 0 || (path[len] != '\0' && path[len] != '/'))
        return NULL;
    return path[len] == '/' ? path + len + 1 : path + len;
}

struct where sim_disk_resolve(const struct sim_disk *disk, const char *path)
{
    struct where where = {.absolute = plain_path(path)};

    if (below(where.absolute, disk->state_root)) {
        where.place = PLACE_STATE;
    } else {
        where.below = below(where.absolute, disk->project_root);
        where.place = where.below ? PLACE_PROJECT : PLACE_OTHER;
    }
    return where;
}

static int outside(const struct sim_disk *disk, const char *path, const char *what, struct err *err)
{
    return err_set(err, ERR_DENIED, "%s: %s: the sandbox knows only the project folder %s and its own state", path,
                   what, disk->project_root ? disk->project_root : "(none)");
}

struct sim_disk *sim_disk_of(struct world *world)
{
    return ((struct sim *)(void *)world)->disk;
}

/* ---- the overlay and its log ---- */

static void entry_log(struct sim_disk *disk, const char *path)
{
    static const char *const kinds[] = {[DISK_MISSING] = "gone", [DISK_FILE] = "file", [DISK_FOLDER] = "folder"};
    const struct overlay_entry *entry = overlay_find(&disk->overlay, path);
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "disk");
    doc_set_text(effect, "path", path);
    if (entry) {
        doc_set_text(effect, "kind", kinds[entry->kind]);
        doc_set_int(effect, "mode", entry->mode);
        doc_set_int(effect, "mtime", entry->mtime_ms);
        sim_bytes_set(effect, "data", buf_view(&entry->data));
    }
    sim_log(disk->sim, effect);
}

static void entry_save(struct sim_disk *disk, const char *path)
{
    entry_log(disk, path);
    sim_store_flush(disk->sim->store);
}

void sim_disk_replay(struct sim_disk *disk, const struct doc *effect)
{
    const char *path = doc_path_text(effect, "path", NULL), *kind = doc_path_text(effect, "kind", NULL);
    struct overlay_entry *entry;
    enum disk_kind which;

    if (!path)
        return;
    if (!kind) {
        overlay_drop(&disk->overlay, path);
        return;
    }
    which = strcmp(kind, "file") == 0 ? DISK_FILE : strcmp(kind, "folder") == 0 ? DISK_FOLDER : DISK_MISSING;
    entry = overlay_put(&disk->overlay, path, which, (uint32_t)doc_as_int(doc_get(effect, "mode"), 0),
                        doc_as_int(doc_get(effect, "mtime"), 0));
    sim_bytes_get(effect, "data", &entry->data);
}

void sim_disk_snapshot(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->overlay.len; i++)
        entry_log(disk, disk->overlay.list[i]->path);
}

int sim_project_stat(struct sim_disk *disk, const struct where *where, struct disk_stat *stat, struct err *err)
{
    const struct overlay_entry *entry = overlay_find(&disk->overlay, where->below);

    *stat = (struct disk_stat){.kind = DISK_MISSING};
    if (entry) {
        stat->kind = entry->kind;
        stat->size = entry->data.len;
        stat->mode = entry->mode;
        stat->uid = (uint32_t)geteuid();
        stat->mtime_ms = entry->mtime_ms;
        return 0;
    }
    if (overlay_hides(&disk->overlay, where->below))
        return 0;
    return world_disk_ops.stat(&disk->sim->world, where->absolute, stat, err);
}

static int parent_check(struct sim_disk *disk, const struct where *where, struct err *err)
{
    char *path = mem_text(where->absolute);
    struct where parent;
    struct disk_stat stat;
    int result;

    if (where->below[0] != '\0')
        *strrchr(path, '/') = '\0';
    parent = sim_disk_resolve(disk, path);
    result = sim_project_stat(disk, &parent, &stat, err);
    if (result == 0 && stat.kind != DISK_FOLDER && stat.kind != DISK_LINK)
        result = err_set(err, ERR_MISSING, "%s: cannot be written: there is no folder %s", where->absolute, path);
    free(parent.absolute);
    free(path);
    return result;
}

/* An entry that says what the project's own file says is none. */
static void same_drop(struct sim_disk *disk, const struct where *where)
{
    const struct overlay_entry *entry = overlay_find(&disk->overlay, where->below);
    struct disk_stat stat;
    struct buf real;
    struct err ignored = ERR_INIT;

    if (overlay_hides(&disk->overlay, where->below) ||
        world_disk_ops.stat(&disk->sim->world, where->absolute, &stat, &ignored) || stat.kind != entry->kind ||
        (stat.kind != DISK_MISSING && stat.mode != entry->mode) ||
        (stat.kind == DISK_FILE && stat.size != entry->data.len))
        return;
    buf_init(&real, SIZE_MAX / 2);
    if (stat.kind != DISK_FILE ||
        (world_disk_ops.read(&disk->sim->world, where->absolute, stat.size, &real, &ignored) == 0 &&
         view_equal(buf_view(&real), buf_view(&entry->data))))
        overlay_drop(&disk->overlay, where->below);
    buf_free(&real);
}

static void project_put(struct sim_disk *disk, const struct where *where, enum disk_kind kind, struct view data,
                        uint32_t mode)
{
    struct overlay_entry *entry = overlay_put(&disk->overlay, where->below, kind, mode, sim_now_ms(disk->sim));

    buf_add_view(&entry->data, data);
    same_drop(disk, where);
    entry_save(disk, where->below);
}

/* ---- the door ---- */

int sim_disk_stat(struct world *world, const char *path, struct disk_stat *stat, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    int result;

    if (where.place == PLACE_PROJECT)
        result = sim_project_stat(disk, &where, stat, err);
    else if (where.place == PLACE_STATE || strcmp(where.absolute, "/dev/null") == 0)
        result = world_disk_ops.stat(world, path, stat, err);
    else
        result = outside(disk, path, "cannot be looked at", err);
    free(where.absolute);
    return result;
}

int sim_project_read(struct sim_disk *disk, const struct where *where, size_t max, struct buf *out, struct err *err)
{
    const struct overlay_entry *entry = overlay_find(&disk->overlay, where->below);

    if (!entry && !overlay_hides(&disk->overlay, where->below))
        return world_disk_ops.read(&disk->sim->world, where->absolute, max, out, err);
    if (!entry || entry->kind == DISK_MISSING)
        return err_set(err, ERR_MISSING, "%s: cannot be opened: No such file or directory", where->absolute);
    if (entry->kind != DISK_FILE)
        return err_set(err, ERR_USAGE, "%s: not an ordinary file", where->absolute);
    if (entry->data.len > max)
        return err_set(err, ERR_QUOTA, "%s: larger than the %zu bytes allowed", where->absolute, max);
    buf_add_view(out, buf_view(&entry->data));
    return 0;
}

int sim_disk_read(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    int result = 0;

    if (where.place == PLACE_PROJECT)
        result = sim_project_read(disk, &where, max, out, err);
    else if (where.place == PLACE_STATE)
        result = world_disk_ops.read(world, path, max, out, err);
    else if (strcmp(where.absolute, "/dev/null") != 0)
        result = outside(disk, path, "cannot be read", err);
    free(where.absolute);
    return result;
}

/* Whether the overlay may be changed by us now. */
int sim_disk_may_change(struct sim_disk *disk, const struct where *where, const char *path, struct err *err)
{
    if (where->place != PLACE_PROJECT)
        return outside(disk, path, "cannot be written", err);
    return sim_store_claim(disk->sim->store, err);
}

int sim_project_write(struct sim_disk *disk, const struct where *where, struct view data, uint32_t mode,
                      struct err *err)
{
    struct disk_stat stat;

    if (parent_check(disk, where, err) || sim_project_stat(disk, where, &stat, err))
        return -1;
    if (stat.kind == DISK_FOLDER)
        return err_set(err, ERR_USAGE, "%s: cannot be written: it is a folder", where->absolute);
    project_put(disk, where, DISK_FILE, data, mode);
    return 0;
}

int sim_disk_write(struct world *world, const char *path, struct view data, uint32_t mode, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    int result;

    if (where.place == PLACE_STATE)
        result = world_disk_ops.write(world, path, data, mode, err);
    else
        result = sim_disk_may_change(disk, &where, path, err) ? -1 : sim_project_write(disk, &where, data, mode, err);
    free(where.absolute);
    return result;
}

static bool any_name(void *ctx, const char *name, enum disk_kind kind)
{
    (void)name;
    (void)kind;
    *(bool *)ctx = true;
    return false;
}

static int project_remove(struct sim_disk *disk, const struct where *where, struct err *err)
{
    struct disk_stat stat;
    bool any = false;

    if (sim_project_stat(disk, where, &stat, err))
        return -1;
    if (stat.kind == DISK_MISSING)
        return err_set(err, ERR_MISSING, "%s: cannot be removed: No such file or directory", where->absolute);
    if (stat.kind == DISK_FOLDER && sim_disk_list(&disk->sim->world, where->absolute, any_name, &any, err))
        return -1;
    if (any)
        return err_set(err, ERR_CONFLICT, "%s: cannot be removed: Directory not empty", where->absolute);
    project_put(disk, where, DISK_MISSING, VIEW_LITERAL(""), 0);
    return 0;
}

int sim_disk_remove(struct world *world, const char *path, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    int result;

    if (where.place == PLACE_STATE)
        result = world_disk_ops.remove(world, path, err);
    else
        result = sim_disk_may_change(disk, &where, path, err) ? -1 : project_remove(disk, &where, err);
    free(where.absolute);
    return result;
}

static int project_make_folder(struct sim_disk *disk, const struct where *where, uint32_t mode, struct err *err)
{
    size_t root = strlen(where->absolute) - strlen(where->below);

    for (size_t end = root; end <= strlen(where->absolute); end++) {
        char *path;
        struct where part;
        struct disk_stat stat;
        int result;

        if (where->absolute[end] != '/' && where->absolute[end] != '\0')
            continue;
        path = mem_view((struct view){where->absolute, end});
        part = sim_disk_resolve(disk, path);
        result = sim_project_stat(disk, &part, &stat, err);
        if (result == 0 && stat.kind == DISK_MISSING)
            project_put(disk, &part, DISK_FOLDER, VIEW_LITERAL(""), mode);
        else if (result == 0 && stat.kind != DISK_FOLDER && stat.kind != DISK_LINK)
            result = err_set(err, ERR_CONFLICT, "%s: cannot be made: %s is no folder", where->absolute, path);
        free(part.absolute);
        free(path);
        if (result)
            return -1;
    }
    return 0;
}

int sim_disk_make_folder(struct world *world, const char *path, uint32_t mode, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    int result;

    if (where.place == PLACE_STATE)
        result = world_disk_ops.make_folder(world, path, mode, err);
    else
        result = sim_disk_may_change(disk, &where, path, err) ? -1 : project_make_folder(disk, &where, mode, err);
    free(where.absolute);
    return result;
}

static int project_rename(struct sim_disk *disk, const struct where *from, const struct where *to, struct err *err)
{
    struct disk_stat stat;
    struct buf data;
    int result = -1;

    buf_init(&data, SIZE_MAX / 2);
    if (sim_project_stat(disk, from, &stat, err))
        goto out;
    if (stat.kind == DISK_FOLDER) {
        err_set(err, ERR_USAGE, "%s: the sandbox cannot rename a folder of the project", from->absolute);
        goto out;
    }
    if (sim_project_read(disk, from, SIZE_MAX, &data, err) ||
        sim_project_write(disk, to, buf_view(&data), stat.mode, err))
        goto out;
    if (strcmp(from->below, to->below) != 0)
        project_put(disk, from, DISK_MISSING, VIEW_LITERAL(""), 0);
    result = 0;
out:
    buf_free(&data);
    return result;
}

int sim_disk_rename(struct world *world, const char *from, const char *to, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where old = sim_disk_resolve(disk, from), new = sim_disk_resolve(disk, to);
    int result;

    if (old.place == PLACE_STATE && new.place == PLACE_STATE)
        result = world_disk_ops.rename(world, from, to, err);
    else
        result = sim_disk_may_change(disk, &old, from, err) || sim_disk_may_change(disk, &new, to, err)
                     ? -1
                     : project_rename(disk, &old, &new, err);
    free(old.absolute);
    free(new.absolute);
    return result;
}

/* ---- listing: the folder's own names and the overlay's, as one sorted row ---- */

struct listing {
    struct sim_disk *disk;
    const char *folder;
    size_t at; /* the overlay's next entry */
    disk_list_fn *fn;
    void *ctx;
    bool stopped;
};

/* The overlay's names before `until` (NULL: all). True when `until` itself is among them. */
static bool overlay_names(struct listing *listing, const char *until)
{
    struct overlay *overlay = &listing->disk->overlay;

    for (; listing->at < overlay->len && !listing->stopped; listing->at++) {
        const struct overlay_entry *entry = overlay->list[listing->at];
        const char *name = overlay_child(entry, listing->folder);
        int order = name && until ? strcmp(name, until) : -1;

        if (order > 0)
            return false;
        if (name && entry->kind != DISK_MISSING)
            listing->stopped = !listing->fn(listing->ctx, name, entry->kind);
        if (name && order == 0) {
            listing->at++;
            return true;
        }
    }
    return false;
}

static bool real_name(void *ctx, const char *name, enum disk_kind kind)
{
    struct listing *listing = ctx;

    if (!overlay_names(listing, name) && !listing->stopped)
        listing->stopped = !listing->fn(listing->ctx, name, kind);
    return !listing->stopped;
}

static int project_list(struct sim_disk *disk, const struct where *where, disk_list_fn *fn, void *ctx, struct err *err)
{
    struct listing listing = {disk, where->below, 0, fn, ctx, false};
    struct disk_stat stat, real = {.kind = DISK_MISSING};

    if (sim_project_stat(disk, where, &stat, err))
        return -1;
    if (stat.kind == DISK_MISSING)
        return err_set(err, ERR_MISSING, "%s: cannot be listed: No such file or directory", where->absolute);
    if (stat.kind == DISK_FILE)
        return err_set(err, ERR_USAGE, "%s: cannot be listed: it is no folder", where->absolute);
    if (!overlay_hides(&disk->overlay, where->below) &&
        world_disk_ops.stat(&disk->sim->world, where->absolute, &real, err))
        return -1;
    if (real.kind != DISK_MISSING && real.kind != DISK_FILE &&
        world_disk_ops.list(&disk->sim->world, where->absolute, real_name, &listing, err))
        return -1;
    if (!listing.stopped)
        overlay_names(&listing, NULL);
    return 0;
}

int sim_disk_list(struct world *world, const char *path, disk_list_fn *fn, void *ctx, struct err *err)
{
    struct sim_disk *disk = sim_disk_of(world);
    struct where where = sim_disk_resolve(disk, path);
    int result;

    if (where.place == PLACE_PROJECT)
        result = project_list(disk, &where, fn, ctx, err);
    else if (where.place == PLACE_STATE)
        result = world_disk_ops.list(world, path, fn, ctx, err);
    else
        result = outside(disk, path, "cannot be listed", err);
    free(where.absolute);
    return result;
}

/* ---- life ---- */

struct sim_disk *sim_disk_new(struct sim *sim, const char *project_root, const char *state_root)
{
    struct sim_disk *disk = mem_alloc(sizeof(*disk));

    disk->sim = sim;
    disk->project_root = project_root && *project_root ? plain_path(project_root) : NULL;
    disk->state_root = state_root && *state_root ? plain_path(state_root) : NULL;
    return disk;
}

void sim_disk_free(struct sim_disk *disk)
{
    if (!disk)
        return;
    overlay_clear(&disk->overlay);
    free(disk->project_root);
    free(disk->state_root);
    free(disk);
}

void sim_disk_show(struct sim_disk *disk, bool raw, struct buf *out)
{
    for (size_t i = 0; i < disk->overlay.len; i++) {
        const struct overlay_entry *entry = disk->overlay.list[i];
        char digest[SHA256_HEX + 1];

        if (entry->kind == DISK_MISSING) {
            buf_addf(out, "removed %s\n", entry->path);
        } else if (entry->kind == DISK_FOLDER) {
            buf_addf(out, "folder %s %04o\n", entry->path, entry->mode);
        } else {
            digest_sha256_hex(buf_view(&entry->data), digest);
            buf_addf(out, "file %s %04o %zu bytes sha256:%s\n", entry->path, entry->mode, entry->data.len, digest);
        }
        if (raw && entry->kind == DISK_FILE) {
            struct doc *text = doc_string(buf_view(&entry->data));

            buf_add_text(out, "  ");
            json_add(out, text, JSON_COMPACT);
            buf_add_char(out, '\n');
            doc_unref(text);
        }
    }
}
