/* The state folder of one target: lock, key, journals. */
#include "store/store.h"
#include "store/seal.h"

#include "base/digest.h"
#include "base/secret.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NOTE_MAX = 4096 };

struct store {
    struct world *world;
    char *root, *folder;
    struct disk_file *lock;
    unsigned char key[SEAL_KEY_SIZE];
    bool key_known;
};

static char *store_path(const struct store *store, const char *name)
{
    return mem_printf("%s/%s", store->folder, name);
}

struct store *store_new(struct world *world, const char *root, const char *project, const char *target)
{
    struct store *store = mem_alloc(sizeof(*store));
    char hex[SHA256_HEX + 1];

    digest_sha256_hex(view_of(project), hex);
    store->world = world;
    store->root = mem_text(root);
    store->folder = mem_printf("%s/%s-%.8s", root, target, hex);
    return store;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    disk_close(store->lock);
    secret_wipe(store->key, sizeof(store->key));
    free(store->root);
    free(store->folder);
    free(store);
}

const char *store_folder(const struct store *store)
{
    return store->folder;
}

struct world *store_world(const struct store *store)
{
    return store->world;
}

const unsigned char *store_key(const struct store *store)
{
    return store->key;
}

void store_id(const struct store *store, char id[STORE_ID_SIZE])
{
    unsigned char sum[SHA256_SIZE];
    struct buf hex;

    buf_init(&hex, STORE_ID_SIZE);
    digest_hmac_sha256((struct view){(const char *)store->key, SEAL_KEY_SIZE}, view_of("the folder's id"), sum);
    hex_add(&hex, (struct view){(const char *)sum, (STORE_ID_SIZE - 1) / 2});
    memcpy(id, buf_text(&hex), STORE_ID_SIZE);
    buf_free(&hex);
}

/* A state folder that another user could write to, or that is a link, is not ours to trust. */
static int folder_check(struct store *store, const char *path, struct err *err)
{
    struct disk_stat stat;

    if (disk_stat(store->world, path, &stat, err) < 0)
        return err_context(err, "state folder");
    if (stat.kind == DISK_MISSING)
        return 0;
    if (stat.kind == DISK_LINK)
        return err_set(
            err, ERR_USAGE,
            "the state folder %s is a symbolic link, which is not followed; name the folder itself with --state DIR",
            path);
    if (stat.kind != DISK_FOLDER)
        return err_set(err, ERR_USAGE, "the state folder %s is no folder; choose another with --state DIR", path);
    if (stat.uid != geteuid())
        return err_set(err, ERR_USAGE,
                       "the state folder %s belongs to another user (uid %u); choose one of your own with --state DIR",
                       path, stat.uid);
    if (stat.mode & 022)
        return err_set(err, ERR_USAGE, "others may write to the state folder %s (mode %o): chmod 700 it", path,
                       stat.mode);
    return 0;
}

int store_create(struct store *store, struct err *err)
{
    char *runs = store_path(store, "runs"), *above = mem_text(store->root);
    char *slash = strrchr(above, '/');
    int result = -1;

    if (slash && slash != above)
        *slash = '\0';
    if (folder_check(store, above, err) < 0 || folder_check(store, store->root, err) < 0 ||
        folder_check(store, store->folder, err) < 0 || folder_check(store, runs, err) < 0)
        goto out;
    if (disk_make_folder(store->world, runs, 0700, err) < 0) {
        err_context(err, "state folder (--state DIR chooses another)");
        goto out;
    }
    result = 0;
out:
    free(above);
    free(runs);
    return result;
}

static int key_read(struct store *store, const char *path, const struct disk_stat *stat, struct err *err)
{
    struct buf key;
    int result = -1;

    if (stat->kind != DISK_FILE || stat->uid != geteuid() || stat->mode & 077)
        return err_set(err, ERR_USAGE, "the key file %s must be an ordinary file and yours alone (mode 0600)", path);
    buf_init(&key, SEAL_KEY_SIZE);
    if (disk_read(store->world, path, SEAL_KEY_SIZE, &key, err) == 0) {
        result = 0;
        if (key.len == SEAL_KEY_SIZE)
            memcpy(store->key, key.ptr, SEAL_KEY_SIZE);
        else
            result =
                err_set(err, ERR_INTERNAL, "the key file %s is %zu bytes long, not %d", path, key.len, SEAL_KEY_SIZE);
    }
    if (key.ptr)
        secret_wipe(key.ptr, key.len);
    buf_free(&key);
    return result;
}

/* make: only under the lock, or two processes would each make one and the last would win. */
static int key_take(struct store *store, bool make, struct err *err)
{
    char *path = store_path(store, "key");
    struct disk_stat stat;
    int result = 0;

    if (store->key_known)
        goto out;
    result = disk_stat(store->world, path, &stat, err);
    if (result < 0)
        goto out;
    if (stat.kind != DISK_MISSING) {
        result = key_read(store, path, &stat, err);
    } else if (make) {
        world_random(store->world, "key of the state folder", store->key, SEAL_KEY_SIZE);
        result = disk_write(store->world, path, (struct view){(const char *)store->key, SEAL_KEY_SIZE}, 0600, err);
    } else {
        result = err_set(err, ERR_INTERNAL,
                         "the key file %s is missing: the secrets in the journals beside it cannot be opened", path);
    }
    store->key_known = result == 0;
out:
    free(path);
    return result;
}

int store_key_load(struct store *store, struct err *err)
{
    return key_take(store, false, err);
}

int store_take_current(struct store *store, const char *run, const char *note, struct err *err)
{
    char *path = store_path(store, "current"), *text = mem_printf("%s\n%s\n", run, note);
    int result = disk_write(store->world, path, view_of(text), 0600, err);

    free(text);
    free(path);
    return result;
}

/* The two lines of the file: whose run, and who acts. */
static bool current_read(struct store *store, struct buf *text)
{
    char *path = store_path(store, "current");
    struct err missing = ERR_INIT;
    bool there = disk_read(store->world, path, NOTE_MAX, text, &missing) == 0;

    free(path);
    return there;
}

int store_lock(struct store *store, char **holder, struct err *err)
{
    char *path = store_path(store, "lock");
    struct buf text;
    int taken;

    *holder = NULL;
    buf_init(&text, NOTE_MAX);
    if (!store->lock)
        store->lock = disk_open(store->world, path, 0600, err);
    taken = store->lock ? disk_lock(store->lock, err) : -1;
    if (taken == 0 && key_take(store, true, err) < 0)
        taken = -1;
    if (taken == 1) {
        const char *line = current_read(store, &text) ? strchr(buf_text(&text), '\n') : NULL;

        *holder = line ? mem_view((struct view){line + 1, strcspn(line + 1, "\n")})
                       : mem_text("somebody who is just starting");
    }
    if (taken < 0)
        err_context(err, "lock of this target");
    buf_free(&text);
    free(path);
    return taken;
}

char *store_journal_path(const struct store *store, const char *run)
{
    return mem_printf("%s/runs/%s.jsonl", store->folder, run);
}

/* ---- history ---- */

struct listing {
    struct run_summary *runs;
    size_t count, cap;
};

static bool listing_add(void *ctx, const char *name, enum disk_kind kind)
{
    struct listing *listing = ctx;
    const char *dot = strrchr(name, '.');
    struct run_summary *run;

    if (kind != DISK_FILE || !dot || strcmp(dot, ".jsonl") != 0)
        return true;
    if (listing->count == listing->cap) {
        listing->cap = listing->cap ? 2 * listing->cap : 16;
        listing->runs = mem_grow(listing->runs, listing->cap, sizeof(*listing->runs));
    }
    run = &listing->runs[listing->count++];
    memset(run, 0, sizeof(*run));
    run->id = mem_view((struct view){name, (size_t)(dot - name)});
    run->number = strtoll(name + (name[0] == 'r'), NULL, 10);
    run->exit = -1;
    return true;
}

static int summary_event(void *ctx, const struct doc *event, struct err *err)
{
    struct run_summary *run = ctx;
    const char *type = doc_as_text(doc_get(event, "type"), "");

    (void)err;
    if (strcmp(type, "run") == 0 && !run->first) {
        run->first = doc_ref(event);
        run->began_ms = doc_as_int(doc_get(event, "at_ms"), 0);
    } else if (strcmp(type, "run.end") == 0) {
        doc_unref(run->last);
        run->last = doc_ref(event);
        run->exit = (int)doc_as_int(doc_get(event, "exit"), 70);
        run->ended_ms = doc_as_int(doc_get(event, "at_ms"), 0);
    } else if (strcmp(type, "resume") == 0 || strcmp(type, "run.back") == 0) {
        run->exit = -1; /* begun again, and not ended since */
    }
    return 0;
}

bool store_run_summary(struct store *store, const char *run, struct run_summary *summary)
{
    struct err trouble = ERR_INIT;
    char *path = store_journal_path(store, run);
    struct disk_stat stat = {0};

    *summary = (struct run_summary){.id = mem_text(run), .exit = -1};
    if (disk_stat(store->world, path, &stat, &trouble) == 0 && stat.kind == DISK_FILE &&
        journal_read(store, NULL, run, summary_event, summary, &trouble) < 0) {
        summary->damaged = true;
        summary->trouble = mem_text(trouble.message);
    }
    free(path);
    return stat.kind == DISK_FILE;
}

static int by_number(const void *a, const void *b)
{
    const struct run_summary *one = a, *other = b;

    if (one->number != other->number)
        return one->number < other->number ? -1 : 1;
    return strcmp(one->id, other->id);
}

int store_runs(struct store *store, struct run_summary **runs, size_t *count, struct err *err)
{
    struct listing listing = {0};
    char *path = store_path(store, "runs");
    struct disk_stat stat;
    int result = 0;

    if (disk_stat(store->world, path, &stat, err) < 0)
        result = -1;
    else if (stat.kind == DISK_FOLDER)
        result = disk_list(store->world, path, listing_add, &listing, err);
    free(path);
    for (size_t i = 0; result == 0 && i < listing.count; i++) {
        struct run_summary *run = &listing.runs[i];
        struct err trouble = ERR_INIT;

        /* Secrets stay sealed: nobody needs them to tell what happened. */
        if (journal_read(store, NULL, run->id, summary_event, run, &trouble) < 0) {
            run->damaged = true;
            run->trouble = mem_text(trouble.message);
        }
    }
    if (listing.count)
        qsort(listing.runs, listing.count, sizeof(*listing.runs), by_number);
    *runs = listing.runs;
    *count = listing.count;
    return result;
}

void run_summary_clear(struct run_summary *run)
{
    free(run->id);
    free(run->trouble);
    doc_unref(run->first);
    doc_unref(run->last);
}

void store_runs_free(struct run_summary *runs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        run_summary_clear(&runs[i]);
    free(runs);
}

/* Without the file (a state folder that was copied by hand) the newest is the one. */
static char *newest_run(struct store *store)
{
    struct listing listing = {0};
    char *path = store_path(store, "runs"), *run = NULL;
    struct err missing = ERR_INIT;
    const struct run_summary *newest = NULL;

    if (disk_list(store->world, path, listing_add, &listing, &missing) < 0)
        listing.count = 0;
    for (size_t i = 0; i < listing.count; i++) {
        if (!newest || by_number(newest, &listing.runs[i]) < 0)
            newest = &listing.runs[i];
    }
    if (newest)
        run = mem_text(newest->id);
    store_runs_free(listing.runs, listing.count);
    free(path);
    return run;
}

char *store_current(struct store *store)
{
    struct buf text;
    char *run = NULL;

    buf_init(&text, NOTE_MAX);
    if (current_read(store, &text))
        run = mem_view((struct view){buf_text(&text), strcspn(buf_text(&text), "\n")});
    buf_free(&text);
    return run ? run : newest_run(store);
}

int64_t store_last_number(struct store *store)
{
    struct listing listing = {0};
    char *path = store_path(store, "runs");
    struct err missing = ERR_INIT;
    int64_t last = 0;

    if (disk_list(store->world, path, listing_add, &listing, &missing) < 0)
        listing.count = 0;
    for (size_t i = 0; i < listing.count; i++)
        last = listing.runs[i].number > last ? listing.runs[i].number : last;
    store_runs_free(listing.runs, listing.count);
    free(path);
    return last;
}

bool run_summary_unfinished(const struct run_summary *run)
{
    return !run->damaged && run->first && (run->exit < 0 || run->exit == 3 || run->exit == 70 || run->exit == 130);
}

/* ---- clearing ---- */

static bool name_add(void *ctx, const char *name, enum disk_kind kind)
{
    if (kind == DISK_FILE)
        doc_push(ctx, doc_text(name));
    return true;
}

int store_set_aside(struct store *store, const char *run, struct err *err)
{
    char *from = store_journal_path(store, run), *to = mem_printf("%s.damaged", from);
    int result = disk_rename(store->world, from, to, err);

    free(from);
    free(to);
    return result;
}

static int folder_clear(struct world *world, const char *path, struct err *err)
{
    struct doc *names = doc_array();
    struct disk_stat stat;
    int result = disk_stat(world, path, &stat, err);

    if (result == 0 && stat.kind == DISK_FOLDER) {
        result = disk_list(world, path, name_add, names, err);
        for (size_t i = 0; result == 0 && i < doc_size(names); i++) {
            char *file = mem_printf("%s/%s", path, doc_as_text(doc_at(names, i), ""));

            result = disk_remove(world, file, err);
            free(file);
        }
        if (result == 0)
            result = disk_remove(world, path, err);
    }
    doc_unref(names);
    return result;
}

int store_clear(struct world *world, const char *root, const char *project, const char *target, struct err *err)
{
    struct store *store = store_new(world, root, project, target);
    char *runs = store_path(store, "runs");
    int result = folder_clear(world, runs, err);

    if (result == 0)
        result = folder_clear(world, store->folder, err);
    free(runs);
    store_free(store);
    return result;
}
