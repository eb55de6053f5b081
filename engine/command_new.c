/* new, new game: files to begin with, which check and test pass as they are. What is there stays. */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>

/* NAME stands for the name that was given. */
static const char playbook_text[] =
    "-- Try it: dosrun --sandbox playbooks/NAME.lua Ada\n"
    "local dosrun = require \"dosrun.v1\"\n"
    "local file = dosrun.file\n"
    "\n"
    "local playbook = dosrun.playbook { \"NAME\", summary = \"Writes a greeting\",\n"
    "  args = { { \"who\", \"string\", default = \"world\", summary = \"who is greeted\" } } }\n"
    "\n"
    "playbook:step(\"greeting\", function(run)\n"
    "  local text = (\"Hello, %s!\\n\"):format(run.args.who)\n"
    "  file.write(\"NAME.txt\", text)\n"
    "  return { length = #text }\n"
    "end)\n"
    "\n"
    "playbook:step(\"tell\", function(run, from)\n"
    "  run:log(\"NAME.txt holds %d characters\", from.greeting.length)\n"
    "end)\n"
    "\n"
    "return playbook\n";

static const char spec_text[] = "-- Run it: dosrun test tests/spec/NAME.lua\n"
                                "local path = \"playbooks/NAME.lua\"\n"
                                "\n"
                                "test(\"NAME writes a greeting, and a second run changes nothing\", function(t)\n"
                                "  local first = t:run(path, { \"Ada\" })\n"
                                "  t:equal(first.exit, 0)\n"
                                "  t:equal(#first.changes, 1)\n"
                                "  local second = t:run(path, { \"Ada\" })\n"
                                "  t:equal(second.exit, 0)\n"
                                "  t:equal(#second.changes, 0)\n"
                                "end)\n"
                                "\n"
                                "test(\"NAME leaves nothing behind when it is rolled back\", function(t)\n"
                                "  local before = t:store()\n"
                                "  t:equal(t:run(path).exit, 0)\n"
                                "  t:ok(t:store() ~= before, \"it changed nothing\")\n"
                                "  t:equal(t:rollback().exit, 0)\n"
                                "  t:equal(t:store(), before)\n"
                                "end)\n";

/* For the Lua language server; the types beside it are made from dosrun's own description. */
static const char editor_text[] = "{\n"
                                  "  \"runtime.version\": \"Lua 5.4\",\n"
                                  "  \"runtime.path\": [\"lib/?.lua\", \"lib/?/init.lua\"],\n"
                                  "  \"workspace.library\": [\".luals\"],\n"
                                  "  \"diagnostics.globals\": [\"test\", \"sandbox\"]\n"
                                  "}\n";

static const char game_text[] =
    "# A game is this one file: `dosrun playbooks/deploy.lua NAME` finds it by its name.\n"
    "title: NAME\n"
    "stats: NAME              # its row in game_stats\n"
    "bundle: NAME.jsdos       # the js-dos bundle\n"
    "digest: unresolved       # sha256 of the bundle's bytes, or unresolved: then no image can be built from it\n"
    "start: NAME.EXE          # what the emulator runs\n";

struct fresh {
    char *path; /* relative to the project */
    char *text;
    bool optional; /* one that is there already serves as well */
    bool there;
};

/* Letters of other cases would make two files of one name on some disks. */
static int check_name(const char *name, struct err *err)
{
    size_t len = strlen(name);

    if (!len || len > 64 || *name < 'a' || *name > 'z' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != len)
        return err_set(err, ERR_USAGE,
                       "\"%s\" is no name: write small letters, digits, - and _, a letter first, 64 at most", name);
    return 0;
}

static char *filled(const char *template, const char *name)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    for (const char *at = template, *next; *at; at = next) {
        next = strstr(at, "NAME");
        buf_add(&text, at, next ? (size_t)(next - at) : strlen(at));
        if (!next)
            break;
        buf_add_text(&text, name);
        next += 4;
    }
    return buf_take(&text);
}

static int look(struct dosrun *dosrun, struct fresh *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", dosrun->project, files[i].path);
        struct disk_stat stat = {0};
        int result = disk_stat(dosrun->real, path, &stat, &dosrun->err);

        free(path);
        if (result < 0)
            return -1;
        files[i].there = stat.kind != DISK_MISSING;
        if (files[i].there && !files[i].optional)
            return err_set(&dosrun->err, ERR_USAGE, "%s is there already; nothing was written", files[i].path);
    }
    return 0;
}

static int write_files(struct dosrun *dosrun, struct fresh *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *path = mem_printf("%s/%s", dosrun->project, files[i].path), *folder = mem_text(path);
        int result = 0;

        *strrchr(folder, '/') = '\0';
        if (!files[i].there)
            result = disk_make_folder(dosrun->real, folder, 0755, &dosrun->err);
        if (result == 0 && !files[i].there)
            result = disk_write(dosrun->real, path, view_of(files[i].text), 0644, &dosrun->err);
        free(folder);
        free(path);
        if (result < 0)
            return -1;
        dosrun_text(dosrun, "%s %s\n", files[i].there ? "kept " : "wrote", files[i].path);
    }
    return 0;
}

static char *editor_types(void)
{
    struct buf text;

    buf_init(&text, 4 << 20);
    if (!bind_text(&text, "dosrun.api.types", "meta", ""))
        buf_reset(&text);
    return text.len ? buf_take(&text) : mem_text("");
}

int command_new(struct dosrun *dosrun)
{
    bool game = dosrun->command->word == COMMAND_NEW_GAME;
    const char *name = dosrun->command->args.len ? dosrun->command->args.texts[0] : "";
    struct fresh playbook[] = {{.path = mem_printf("playbooks/%s.lua", name), .text = filled(playbook_text, name)},
                               {.path = mem_printf("tests/spec/%s.lua", name), .text = filled(spec_text, name)},
                               {.path = mem_text(".luarc.json"), .text = mem_text(editor_text), .optional = true},
                               {.path = mem_text(".luals/dosrun.lua"), .text = editor_types(), .optional = true}};
    struct fresh manifest[] = {{.path = mem_printf("manifests/games/%s.yaml", name), .text = filled(game_text, name)}};
    struct fresh *files = game ? manifest : playbook;
    size_t count = game ? 1 : sizeof(playbook) / sizeof(playbook[0]);
    int code = EXIT_DONE;

    if (check_name(name, &dosrun->err) < 0 || place_find(dosrun, &dosrun->err) < 0 || look(dosrun, files, count) < 0 ||
        write_files(dosrun, files, count) < 0)
        code = dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    else if (game)
        dosrun_text(dosrun, "next: edit manifests/games/%s.yaml, then dosrun check playbooks/deploy.lua %s\n", name,
                    name);
    else
        dosrun_text(dosrun,
                    "next: dosrun check playbooks/%s.lua\n      dosrun test\n      dosrun --sandbox playbooks/%s.lua\n",
                    name, name);
    for (size_t i = 0; i < sizeof(playbook) / sizeof(playbook[0]); i++) {
        free(playbook[i].path);
        free(playbook[i].text);
    }
    free(manifest[0].path);
    free(manifest[0].text);
    return code;
}
