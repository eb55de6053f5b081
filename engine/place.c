/* The place: project root, state folder, target. */
#include "dosrun.h"

#include "base/suggest.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_folder(struct dosrun *dosrun, const char *path)
{
    struct disk_stat stat;
    struct err ignored = ERR_INIT;

    return disk_stat(dosrun->real, path, &stat, &ignored) == 0 && stat.kind == DISK_FOLDER;
}

static void cut_last(char *path)
{
    char *slash = strrchr(path, '/');

    if (slash)
        *slash = '\0';
}

/* The nearest folder at or above `from` that holds playbooks/. NULL when there is none. */
static char *root_above(struct dosrun *dosrun, const char *from)
{
    char *path = mem_text(from);

    for (;;) {
        char *inside = mem_printf("%s/playbooks", path);
        bool found = is_folder(dosrun, inside);

        free(inside);
        if (found)
            return path;
        if (!*path)
            break;
        cut_last(path);
    }
    free(path);
    return NULL;
}

static int find_project(struct dosrun *dosrun, struct err *err)
{
    const char *given = dosrun->command->playbook;
    char here[PATH_MAX], real[PATH_MAX];
    char *start;

    if (!getcwd(here, sizeof(here)))
        return err_set(err, ERR_USAGE, "the current folder is gone");
    if (!given) {
        dosrun->project = root_above(dosrun, here);
        if (!dosrun->project)
            dosrun->project = mem_text(here);
        return 0;
    }
    if (!realpath(given, real)) {
        char *other = mem_printf("playbooks/%s%s", given, strstr(given, ".lua") ? "" : ".lua");

        if (access(other, R_OK) == 0)
            err_set(err, ERR_USAGE, "there is no playbook %s; did you mean %s?", given, other);
        else
            err_set(err, ERR_USAGE, "there is no playbook %s (looked in %s)", given, here);
        free(other);
        return -1;
    }
    start = mem_text(real);
    cut_last(start);
    dosrun->project = root_above(dosrun, start);
    if (!dosrun->project)
        dosrun->project = mem_text(start);
    free(start);
    dosrun->playbook_path = mem_text(real + strlen(dosrun->project) + 1);
    return 0;
}

static int find_state(struct dosrun *dosrun, struct err *err)
{
    const char *given = dosrun->command->state_dir;
    char here[PATH_MAX];

    if (!given)
        return err_set(err, ERR_USAGE,
                       "no state folder: neither --state, DOSRUN_STATE, XDG_STATE_HOME nor HOME is set");
    if (*given == '/') {
        dosrun->state_root = mem_text(given);
    } else {
        if (!getcwd(here, sizeof(here)))
            return err_set(err, ERR_USAGE, "the current folder is gone");
        dosrun->state_root = mem_printf("%s/%s", here, given);
    }
    return 0;
}

/* ---- targets.lua ---- */

struct targets_read {
    struct dosrun *dosrun;
    struct doc *targets;
    struct err err;
    struct place place;
    bool done;
};

static int targets_file(void *ctx, const char *path, struct buf *out, struct err *err)
{
    struct dosrun *dosrun = ctx;
    char *absolute = mem_printf("%s/%s", dosrun->project, path);
    int result = disk_read(dosrun->real, absolute, 1 << 20, out, err);

    free(absolute);
    return result;
}

static void targets_loaded(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err)
{
    struct targets_read *read = ctx;

    read->done = true;
    if (task_place(task))
        read->place = *task_place(task);
    if (err)
        read->err = *err;
    else if (n > 0 && script_to_doc(L, -n, &read->targets, &read->err) < 0)
        err_context(&read->err, "playbooks/targets.lua");
    else if (!doc_is(read->targets, DOC_OBJECT))
        err_set(&read->err, ERR_USAGE,
                "playbooks/targets.lua must return a table of targets: return { prod = { kind = \"kube\", ... } }");
}

static int64_t targets_clock(void *ctx)
{
    return world_mono_ms(((struct dosrun *)ctx)->real);
}

static int load_targets(struct dosrun *dosrun, struct err *err)
{
    static const char path[] = "playbooks/targets.lua";
    struct script_options options = {.read = targets_file, .ctx = dosrun, .mono_ms = targets_clock};
    struct targets_read read = {.dosrun = dosrun, .err = ERR_INIT};
    char *absolute = mem_printf("%s/%s", dosrun->project, path);
    struct disk_stat stat = {0};
    struct script *script;
    struct task *task;
    int result = disk_stat(dosrun->real, absolute, &stat, err);

    free(absolute);
    if (result < 0 || stat.kind == DISK_MISSING)
        return result;
    script = script_new(&options);
    task = task_load(script, path, &read.err);
    if (task) {
        task_on_end(task, targets_loaded, &read);
        task_start(task);
        while (!read.done && script_run_ready(script))
            continue;
        if (!read.done)
            err_set(&read.err, ERR_USAGE, "playbooks/targets.lua waits for something; it may only return a table");
    }
    dosrun->targets = read.targets;
    if (read.err.kind) {
        dosrun->place = read.place;
        *err = read.err;
    }
    script_free(script);
    return read.err.kind ? -1 : 0;
}

/* What a target of kind eks must say, and what only other kinds have. */
static int check_eks(const char *name, const struct doc *target, struct err *err)
{
    static const char *const needed[][2] = {
        {"account", "\"123456789012\""}, {"region", "\"eu-west-1\""}, {"cluster", "\"dos-games\""}};
    static const char *const foreign[] = {"context", "kubeconfig", "uid"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        const struct doc *value = doc_get(target, needed[i][0]);

        if (!value)
            return err_set(err, ERR_USAGE, "playbooks/targets.lua: target %s of kind \"eks\" needs %s = %s", name,
                           needed[i][0], needed[i][1]);
        if (!doc_as_view(value).len)
            return err_set(err, ERR_USAGE, "playbooks/targets.lua: target %s: %s is a text, as %s", name, needed[i][0],
                           needed[i][1]);
    }
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
        if (doc_get(target, foreign[i]))
            return err_set(err, ERR_USAGE,
                           "playbooks/targets.lua: target %s: %s is for kind \"kube\"; an EKS cluster is known by "
                           "account, region and cluster",
                           name, foreign[i]);
    return 0;
}

/* Clouds print accounts as 12 digits; written as a number, leading zeros are lost. */
static int check_account(const char *name, const struct doc *target, struct err *err)
{
    const struct doc *account = doc_get(target, "account");
    const char *text = doc_as_text(account, "");

    if (!account || (strlen(text) == 12 && strspn(text, "0123456789") == 12))
        return 0;
    if (doc_is(account, DOC_STRING))
        return err_set(err, ERR_USAGE, "playbooks/targets.lua: target %s: account is 12 digits, not \"%s\"", name,
                       text);
    return err_set(err, ERR_USAGE,
                   "playbooks/targets.lua: target %s: account is 12 digits in quotes, account = \"123456789012\"",
                   name);
}

static int check_kind(const char *name, const char *kind, struct err *err)
{
    static const char *const kinds[] = {"kube", "eks", "local"};
    struct suggest near;

    suggest_init(&near, kind ? kind : "");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kind && strcmp(kinds[i], kind) == 0)
            return 0;
        suggest_try(&near, kinds[i]);
    }
    return err_set(err, ERR_USAGE,
                   "playbooks/targets.lua: target %s: kind is \"kube\", \"eks\" or \"local\", not \"%s\"%s%s%s", name,
                   kind ? kind : "nothing", near.found ? "; did you mean \"" : "", near.found ? near.found : "",
                   near.found ? "\"?" : "");
}

static int check_target(const char *name, const struct doc *target, struct err *err)
{
    static const char *const known[] = {"kind", "context",        "kubeconfig", "values",  "protect", "default",
                                        "uid",  "lock_namespace", "region",     "account", "cluster", "profile"};
    const char *kind = doc_path_text(target, "kind", NULL);

    if (!doc_is(target, DOC_OBJECT))
        return err_set(err, ERR_USAGE, "playbooks/targets.lua: target %s must be a table", name);
    DOC_EACH(member, target)
    {
        struct suggest near;
        bool found = false;

        suggest_init(&near, member.key);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            found = found || strcmp(known[i], member.key) == 0;
            suggest_try(&near, known[i]);
        }
        if (!found)
            return err_set(err, ERR_USAGE, "playbooks/targets.lua: target %s has no field \"%s\"%s%s%s", name,
                           member.key, near.found ? "; did you mean \"" : "", near.found ? near.found : "",
                           near.found ? "\"?" : "");
    }
    if (check_kind(name, kind, err) < 0 || (strcmp(kind, "eks") == 0 && check_eks(name, target, err) < 0))
        return -1;
    return check_account(name, target, err);
}

static int unknown_target(const struct dosrun *dosrun, const char *name, struct err *err)
{
    struct suggest near;
    struct buf all;

    suggest_init(&near, name);
    buf_init(&all, 1024);
    DOC_EACH(target, dosrun->targets)
    {
        suggest_try(&near, target.key);
        buf_addf(&all, "%s%s", all.len ? ", " : "", target.key);
    }
    err_set(err, ERR_USAGE, "playbooks/targets.lua has no target %s%s%s%s (it has: %s)", name,
            near.found ? "; did you mean " : "", near.found ? near.found : "", near.found ? "?" : "",
            all.len ? buf_text(&all) : "none");
    buf_free(&all);
    return -1;
}

static int choose_target(struct dosrun *dosrun, struct err *err)
{
    const char *name = dosrun->command->target, *marked = NULL;

    DOC_EACH(target, dosrun->targets)
    {
        if (check_target(target.key, target.value, err) < 0)
            return -1;
        if (doc_as_bool(doc_get(target.value, "default"), false)) {
            if (marked)
                return err_set(err, ERR_USAGE, "playbooks/targets.lua marks both %s and %s as default", marked,
                               target.key);
            marked = target.key;
        }
        if (!name && doc_size(dosrun->targets) == 1)
            marked = target.key;
    }
    if (name && dosrun->targets && !doc_get(dosrun->targets, name))
        return unknown_target(dosrun, name, err);
    if (name && !dosrun->targets)
        return err_set(err, ERR_USAGE, "--target %s: this project has no playbooks/targets.lua", name);
    if (!name && !marked && doc_size(dosrun->targets) > 1)
        return err_set(err, ERR_USAGE,
                       "playbooks/targets.lua marks no target as default; choose one with --target NAME");
    if (!name)
        name = marked ? marked : "default";
    dosrun->target_name = mem_text(name);
    dosrun->target =
        dosrun->targets && doc_get(dosrun->targets, name) ? doc_ref(doc_get(dosrun->targets, name)) : doc_object();
    return 0;
}

static void read_values(struct dosrun *dosrun)
{
    const struct command_list *sets = &dosrun->command->sets;
    struct doc *values = doc_get(dosrun->target, "values");

    dosrun->values = doc_is(values, DOC_OBJECT) ? doc_copy(values) : doc_object();
    for (size_t i = 0; i < sets->len; i++) {
        const char *equals = strchr(sets->texts[i], '=');
        char *key = mem_view((struct view){sets->texts[i], (size_t)(equals - sets->texts[i])});

        doc_set_text(dosrun->values, key, equals + 1);
        free(key);
    }
}

int place_find(struct dosrun *dosrun, struct err *err)
{
    if (find_project(dosrun, err) < 0 || find_state(dosrun, err) < 0 || load_targets(dosrun, err) < 0 ||
        choose_target(dosrun, err) < 0)
        return -1;
    read_values(dosrun);
    return 0;
}

bool place_needs_cluster(const struct dosrun *dosrun)
{
    const char *kind = doc_path_text(dosrun->target, "kind", NULL);

    return dosrun->bind.uses_kube && (!kind || strcmp(kind, "kube") == 0 || strcmp(kind, "eks") == 0);
}

int place_check(struct dosrun *dosrun, struct err *err)
{
    char *caller = NULL;
    int result = 0;

    if (place_needs_cluster(dosrun))
        result = cluster_check(dosrun, err);
    if (result == 0 && dosrun->bind.uses_aws && dosrun->bind.account && !dosrun->eks)
        result = cloud_check(dosrun, &caller, err);
    free(caller);
    return result;
}

char *place_store_root(const struct dosrun *dosrun)
{
    return mem_printf("%s/%s", dosrun->state_root, dosrun->command->sandbox ? "sandbox" : "targets");
}

/* ---- files of the project ---- */

static bool name_add(void *ctx, const char *name, enum disk_kind kind)
{
    if (kind == DISK_FILE)
        buf_addf(ctx, "%s\n", name);
    return true;
}

int place_read(struct dosrun *dosrun, const char *path, struct buf *out, struct err *err)
{
    char *absolute = *path == '/' ? mem_text(path) : mem_printf("%s/%s", dosrun->project, path);
    size_t len = strlen(absolute);
    int result;

    if (len && absolute[len - 1] == '/') {
        absolute[len - 1] = '\0';
        result = disk_list(dosrun->world, absolute, name_add, out, err);
    } else {
        result = disk_read(dosrun->world, absolute, 16 << 20, out, err);
    }
    free(absolute);
    return result;
}
