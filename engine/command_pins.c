/* pins: the project's pins.yaml as a table; pins update: what its tags and downloads are now, written into it. */
#include "dosrun.h"

#include "base/suggest.h"
#include "codec/yaml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char pins_path[] = "pins.yaml";

struct pins {
    struct buf text;
    struct yaml_file *file;
    const struct doc *list; /* borrowed from file */
};

static int wrong(const struct pins *pins, const struct doc *pin, const char *key, struct err *err, const char *what)
{
    int line = key ? yaml_line_of_key(pins->file, pin, key) : yaml_line(pins->file, pin);

    err_set(err, ERR_USAGE, "%s:%d: %s", pins_path, line ? line : 1, what);
    return -1;
}

static bool is_hash(const char *text)
{
    size_t start = strncmp(text, "sha256:", 7) == 0 ? 7 : 0;

    return strlen(text + start) == 64 && strspn(text + start, "0123456789abcdef") == 64;
}

static int check_pin(const struct pins *pins, const struct doc *pin, struct err *err)
{
    static const char *const known[] = {"name",   "version", "image",           "url",
                                        "digest", "sha256",  "supported_until", "note"};

    if (!doc_path_text(pin, "name", NULL))
        return wrong(pins, pin, NULL, err, "a pin needs a name");
    DOC_EACH(member, pin)
    {
        const char *value = doc_as_text(member.value, NULL);
        struct suggest near;
        char what[256];
        bool found = false;

        suggest_init(&near, member.key);
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
            found = found || strcmp(known[i], member.key) == 0;
            suggest_try(&near, known[i]);
        }
        snprintf(what, sizeof(what), "a pin has no field \"%s\"%s%s%s", member.key,
                 near.found ? "; did you mean \"" : "", near.found ? near.found : "", near.found ? "\"?" : "");
        if (!found)
            return wrong(pins, pin, member.key, err, what);
        snprintf(what, sizeof(what), "%s must be a text; put it in quotes", member.key);
        if (!value)
            return wrong(pins, pin, member.key, err, what);
        if ((strcmp(member.key, "digest") == 0 || strcmp(member.key, "sha256") == 0) &&
            strcmp(value, "unresolved") != 0 && !is_hash(value))
            return wrong(pins, pin, member.key, err, "a hash is 64 hex digits, or unresolved");
    }
    return 0;
}

/* 1: there is no such file. */
static int pins_read(struct dosrun *dosrun, struct pins *pins, struct err *err)
{
    char *path = mem_printf("%s/%s", dosrun->project, pins_path);
    struct disk_stat stat = {0};
    int result = disk_stat(dosrun->world, path, &stat, err);

    buf_init(&pins->text, 1 << 20);
    if (result == 0 && stat.kind == DISK_MISSING)
        result = 1;
    else if (result == 0)
        result = disk_read(dosrun->world, path, 1 << 20, &pins->text, err);
    free(path);
    if (result)
        return result;
    pins->file = yaml_parse(pins_path, buf_view(&pins->text), err);
    if (!pins->file)
        return -1;
    pins->list = doc_get(yaml_doc(pins->file, 0), "pins");
    if (!doc_is(pins->list, DOC_ARRAY))
        return err_set(err, ERR_USAGE, "%s:1: it holds a list named pins", pins_path);
    for (size_t i = 0; i < doc_size(pins->list); i++) {
        if (check_pin(pins, doc_at(pins->list, i), err) < 0)
            return -1;
    }
    return 0;
}

static void pins_clear(struct pins *pins)
{
    yaml_free(pins->file);
    buf_free(&pins->text);
}

int pins_support(struct dosrun *dosrun, const char *name, char *out, size_t size)
{
    struct pins pins = {0};
    struct err ignored = ERR_INIT;
    time_t now = (time_t)(world_now_ms(dosrun->real) / 1000);
    char today[16];
    struct tm tm;
    int past = 0;

    gmtime_r(&now, &tm);
    strftime(today, sizeof(today), "%Y-%m-%d", &tm);
    snprintf(out, size, "not pinned");
    if (pins_read(dosrun, &pins, &ignored) == 0) {
        for (size_t i = 0; i < doc_size(pins.list); i++) {
            const struct doc *pin = doc_at(pins.list, i);
            const char *until = doc_path_text(pin, "supported_until", NULL);

            if (strcmp(doc_as_text(doc_get(pin, "name"), ""), name) != 0)
                continue;
            past = until && strcmp(until, today) < 0;
            snprintf(out, size, "%s, supported until %s%s", doc_as_text(doc_get(pin, "version"), "?"),
                     until ? until : "?", past ? ": that is over" : "");
        }
    }
    pins_clear(&pins);
    return past;
}

static const char *hash_key(const struct doc *pin)
{
    return doc_get(pin, "sha256") || doc_get(pin, "url")     ? "sha256"
           : doc_get(pin, "digest") || doc_get(pin, "image") ? "digest"
                                                             : NULL;
}

static void show(struct dosrun *dosrun, const struct pins *pins)
{
    static const char *const names[] = {"name", "version", "what", "hash", "support"};
    struct doc *event = event_new("report"), *columns = doc_array(), *rows = doc_array();
    size_t open = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        doc_push(columns, doc_text(names[i]));
    for (size_t i = 0; i < doc_size(pins->list); i++) {
        const struct doc *pin = doc_at(pins->list, i);
        const char *image = doc_path_text(pin, "image", NULL), *url = doc_path_text(pin, "url", NULL),
                   *key = hash_key(pin);
        const char *hash = key ? doc_as_text(doc_get(pin, key), "unresolved") : "";
        struct doc *row = doc_array();
        char support[128];

        open += strcmp(hash, "unresolved") == 0;
        pins_support(dosrun, doc_as_text(doc_get(pin, "name"), ""), support, sizeof(support));
        doc_push(row, doc_text(doc_as_text(doc_get(pin, "name"), "")));
        doc_push(row, doc_text(doc_as_text(doc_get(pin, "version"), "")));
        doc_push(row, doc_text(image ? image : url ? url : ""));
        doc_push(row, doc_text(hash));
        doc_push(row,
                 doc_text(strstr(support, "supported") ? strstr(support, "supported") + strlen("supported ") : ""));
        doc_push(rows, row);
    }
    doc_set(event, "columns", columns);
    doc_set(event, "rows", rows);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
    if (open)
        dosrun_text(dosrun, "%zu unresolved; next: dosrun pins update\n", open);
}

/* ---- update ---- */

struct resolving {
    struct dosrun *dosrun;
    struct doc *found;
    struct err err;
};

static void resolved(void *ctx, struct task *task, struct lua_State *L, int n, const struct err *err)
{
    struct resolving *resolving = ctx;

    (void)task;
    resolving->dosrun->done = true;
    if (err)
        resolving->err = *err;
    else
        resolving->found = bind_result(L, n, &resolving->err);
}

/* The hash as it is now; NULL with err. */
static struct doc *resolve(struct dosrun *dosrun, const struct doc *pin, struct err *err)
{
    struct resolving resolving = {.dosrun = dosrun, .err = ERR_INIT};
    struct task *task = bind_task(&dosrun->bind, "dosrun.pins", "resolve", pin, err);

    if (!task)
        return NULL;
    task_on_end(task, resolved, &resolving);
    dosrun->done = false;
    task_start(task);
    dosrun_wait(dosrun);
    *err = resolving.err;
    return resolving.found;
}

/* The text with the value after `key:` on this line replaced; what follows it (a comment) stays. */
static void replace_value(struct buf *text, int line, const char *key, const char *value)
{
    const char *at = buf_text(text);
    struct buf out;
    size_t before;

    for (int i = 1; i < line && at; i++) {
        at = strchr(at, '\n');
        at += at != NULL;
    }
    at = at ? strstr(at, key) : NULL;
    if (!at)
        return;
    at += strlen(key) + 1;
    at += strspn(at, " \t");
    before = (size_t)(at - buf_text(text));
    buf_init(&out, 1 << 20);
    buf_add(&out, buf_text(text), before);
    buf_add_text(&out, value);
    buf_add_text(&out, at + strcspn(at, " \t\r\n"));
    buf_free(text);
    *text = out;
}

static int update(struct dosrun *dosrun, struct pins *pins)
{
    char *path = mem_printf("%s/%s", dosrun->project, pins_path);
    int changed = 0, result = 0;

    for (size_t i = 0; i < doc_size(pins->list); i++) {
        const struct doc *pin = doc_at(pins->list, i);
        const char *name = doc_as_text(doc_get(pin, "name"), "?"), *key = hash_key(pin), *now;
        struct err err = ERR_INIT;
        struct doc *found;

        if (!key || !doc_get(pin, key) || (!doc_get(pin, "image") && !doc_get(pin, "url")))
            continue;
        found = resolve(dosrun, pin, &err);
        now = doc_path_text(found, key, NULL);
        if (!now) {
            dosrun_text(dosrun, "%s stays %s: %s\n", name, doc_as_text(doc_get(pin, key), "?"), err.message);
        } else if (strcmp(now, doc_as_text(doc_get(pin, key), "")) != 0) {
            dosrun_text(dosrun, "%s: %s -> %s\n", name, doc_as_text(doc_get(pin, key), "?"), now);
            replace_value(&pins->text, yaml_line_of_key(pins->file, pin, key), key, now);
            changed++;
        }
        doc_unref(found);
    }
    if (changed)
        result = disk_write(dosrun->world, path, buf_view(&pins->text), 0644, &dosrun->err);
    if (result == 0)
        dosrun_text(dosrun, "%d changed in %s\n", changed, pins_path);
    free(path);
    return result;
}

int command_pins(struct dosrun *dosrun)
{
    struct pins pins = {0};
    int result, code = EXIT_DONE;

    if (place_find(dosrun, &dosrun->err) < 0 || dosrun_open(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    result = pins_read(dosrun, &pins, &dosrun->err);
    if (result == 1)
        dosrun_text(dosrun, "this project has no %s: nothing is pinned\n", pins_path);
    else if (result == 0 && dosrun->command->word == COMMAND_PINS_UPDATE)
        result = update(dosrun, &pins);
    else if (result == 0)
        show(dosrun, &pins);
    if (result < 0)
        code = dosrun_fail(dosrun, &dosrun->err, dosrun->err.kind == ERR_USAGE ? EXIT_USAGE : EXIT_UNDONE);
    pins_clear(&pins);
    return code;
}
