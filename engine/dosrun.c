/*
 * Wiring. The order of making is the order of the arrows: world, base (marks, bus, output), http,
 * script, bindings; a run's own rooms (store, journal, changes) come when a command asks for them.
 */
#include "dosrun.h"

#include "aws/aws.h"
#include "base/secret.h"
#include "cli/explain.h"
#include "sandbox/sandbox.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 100 };

/* ---- events ---- */

struct doc *dosrun_event(const char *type, const char *member, const char *text)
{
    struct doc *event = event_new(type);

    if (member)
        doc_set_text(event, member, text);
    return event;
}

void dosrun_text(struct dosrun *dosrun, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 64 << 20);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, dosrun_event("text", "text", buf_text(&text)));
    buf_free(&text);
}

void dosrun_next(struct dosrun *dosrun, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, 4096);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    if (!dosrun->next)
        dosrun->next = doc_array();
    doc_push(dosrun->next, doc_string(buf_view(&text)));
    buf_free(&text);
}

int dosrun_exit_for(const struct err *err)
{
    switch (err->kind) {
    case ERR_USAGE:
        return EXIT_USAGE;
    case ERR_AUTH:
    case ERR_DENIED:
        return EXIT_NOPERM;
    case ERR_INTERNAL:
        return EXIT_INTERNAL;
    case ERR_CANCELLED:
        return EXIT_INTERRUPTED;
    default:
        return EXIT_UNDONE;
    }
}

/* The author's line itself, so that the error shows it. */
static void add_source_line(struct dosrun *dosrun, struct doc *event)
{
    struct err unread = ERR_INIT;
    struct buf text;
    const char *at;
    int line = 1;

    buf_init(&text, 8 << 20);
    if (dosrun->bind.read && dosrun->bind.read(dosrun, dosrun->place.file, &text, &unread) == 0) {
        for (at = buf_text(&text); at && line < dosrun->place.line; line++) {
            at = strchr(at, '\n');
            at += at != NULL;
        }
        if (at)
            doc_set(event, "source", doc_string((struct view){at, strcspn(at, "\r\n")}));
    }
    buf_free(&text);
}

void dosrun_context(struct doc *event, const char *word, struct view text)
{
    struct doc *context = doc_get(event, "context"), *entry = doc_object();

    doc_set_text(entry, "word", word);
    doc_set(entry, "text", doc_string(text));
    doc_push(context, entry);
}

/* A message may carry lines "= word: text" below its first: they are the error's context. */
static void split_message(struct doc *event, const char *message)
{
    const char *at = strstr(message, "\n= ");

    doc_set(event, "message", doc_string((struct view){message, at ? (size_t)(at - message) : strlen(message)}));
    while (at) {
        const char *line = at + 3, *colon = strstr(line, ": ");
        char *word;

        at = strstr(line, "\n= ");
        if (!colon || (at && colon > at))
            continue;
        word = mem_view((struct view){line, (size_t)(colon - line)});
        dosrun_context(event, word, (struct view){colon + 2, at ? (size_t)(at - colon - 2) : strlen(colon + 2)});
        free(word);
    }
}

struct doc *dosrun_error_event(struct dosrun *dosrun, const struct err *err)
{
    struct doc *event = event_new("error");

    doc_set_text(event, "explain", err->explain[0] ? err->explain : NULL);
    doc_set_text(event, "kind", err_kind_name(err->kind));
    doc_set(event, "context", doc_array());
    split_message(event, err->message);
    if (dosrun->place.line) {
        doc_set_text(event, "file", dosrun->place.file);
        doc_set_int(event, "line", dosrun->place.line);
        add_source_line(dosrun, event);
    }
    if (err->request_id[0])
        dosrun_context(event, "request", view_of(err->request_id));
    if (strcmp(err->explain, "A203") == 0)
        dosrun_context(event, "or", VIEW_LITERAL("--sandbox runs it in the simulated cloud"));
    return event;
}

int dosrun_fail(struct dosrun *dosrun, const struct err *err, int code)
{
    struct doc *event = dosrun_error_event(dosrun, err);

    if (!dosrun->run) /* else the run's end tells what to do next */
        doc_set(event, "next", doc_ref(dosrun->next));
    event_emit(dosrun->bus, EVENT_NOTE, dosrun->step, event);
    return code;
}

/* ---- rooms ---- */

static int64_t bus_clock(void *ctx)
{
    const struct dosrun *dosrun = ctx;

    return world_now_ms(dosrun->world);
}

static int64_t script_clock(void *ctx)
{
    const struct dosrun *dosrun = ctx;

    return world_mono_ms(dosrun->world);
}

static int64_t host_mono_ms(void *ctx)
{
    struct timespec now;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void terminal_size(void *ctx, int *columns, int *rows)
{
    struct winsize size;

    (void)ctx;
    *columns = *rows = 0;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) {
        *columns = size.ws_col;
        *rows = size.ws_row;
    }
}

static const char *environment(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static void emit_bundle(struct dosrun *dosrun, const char *path)
{
    struct doc *event = dosrun_event("bundle", "path", path);

    doc_set(event, "text", doc_ref(doc_get(dosrun->bundle, path)));
    event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
}

/*
 * A file of the project for require, manifests and the source line of an error. What a run reads goes
 * into its bundle; a resumed run reads from there alone, unless --edited.
 */
static int read_file(void *ctx, const char *path, struct buf *out, struct err *err)
{
    struct dosrun *dosrun = ctx;
    struct doc *known = doc_get(dosrun->bundle, path);

    if (known) {
        buf_add_view(out, doc_as_view(known));
        return 0;
    }
    if (dosrun->from_bundle) {
        err_set(err, ERR_MISSING, "%s is not in the run's bundle", path);
        return -1;
    }
    if (place_read(dosrun, path, out, err) < 0)
        return -1;
    manifest_secrets(dosrun, path, buf_view(out));
    doc_set(dosrun->bundle, path, doc_string(buf_view(out)));
    if (dosrun->unproven)
        doc_push(dosrun->unproven, doc_text(path));
    else if (dosrun->journal)
        emit_bundle(dosrun, path);
    return 0;
}

void dosrun_bundle_proven(struct dosrun *dosrun)
{
    for (size_t i = 0; i < doc_size(dosrun->unproven); i++)
        emit_bundle(dosrun, doc_as_text(doc_at(dosrun->unproven, i), ""));
    doc_unref(dosrun->unproven);
    dosrun->unproven = NULL;
}

static struct kube *bind_client(void *ctx, struct err *err)
{
    return cluster_client(ctx, err);
}

static struct aws *bind_cloud(void *ctx, struct err *err)
{
    return cloud_client(ctx, err);
}

static void note_drift(void *ctx)
{
    ((struct dosrun *)ctx)->drifted = true;
}

static void watchdog_words(void *ctx)
{
    static const char words[] = "\nerror[S407]: the playbook kept the loop for 10 s without a pause (a pattern that "
                                "never ends?); the run stops here,\n"
                                "its journal is whole: dosrun resume, dosrun rollback; more: dosrun explain S407\n";

    (void)ctx;
    if (write(STDERR_FILENO, words, sizeof(words) - 1) < 0)
        return;
}

static int load_sandbox_script(struct dosrun *dosrun, const char *path, const char *name, struct err *err)
{
    struct buf text;
    int result;

    buf_init(&text, 16 << 20);
    result = disk_read(dosrun->real, path, 16 << 20, &text, err);
    if (result == 0)
        result = sandbox_script(dosrun->world, name, buf_view(&text), err);
    buf_free(&text);
    return result;
}

static int open_sandbox(struct dosrun *dosrun, struct err *err)
{
    struct command *command = dosrun->command;
    char *root = place_store_root(dosrun), *folder = mem_printf("%s/cloud/%s", root, dosrun->target_name);
    struct sandbox_options options = {.folder =
                                          command->word == COMMAND_CHECK ? NULL : folder, /* a check leaves nothing */
                                      .project_root = dosrun->project,
                                      .state_root = dosrun->state_root,
                                      .target = dosrun->target_name,
                                      .account = doc_path_text(dosrun->target, "account", NULL),
                                      .seed = command->seed,
                                      .crash = command->crash};
    const char **faults = mem_array(command->faults.len + 1, sizeof(*faults));
    const char *spec = getenv("DOSRUN_SANDBOX_SCRIPT"); /* a test's own hosts and programs */
    char *path = mem_printf("%s/tests/sandbox.lua", dosrun->project);
    struct disk_stat stat;
    int result = -1;

    for (size_t i = 0; i < command->faults.len; i++)
        faults[i] = command->faults.texts[i];
    options.faults = faults;
    dosrun->world = sandbox_new(&options, err);
    if (!dosrun->world) {
        dosrun->world = dosrun->real;
        goto out;
    }
    result = 0;
    if (target_is_eks(dosrun))
        sandbox_cluster(dosrun->world, doc_path_text(dosrun->target, "region", NULL),
                        doc_path_text(dosrun->target, "cluster", NULL));
    if (*dosrun->project && disk_stat(dosrun->real, path, &stat, err) == 0 && stat.kind == DISK_FILE)
        result = load_sandbox_script(dosrun, path, "tests/sandbox.lua", err);
    if (result == 0 && spec && *spec)
        result = load_sandbox_script(dosrun, spec, "the spec's sandbox", err);
out:
    free(path);
    free(faults);
    free(folder);
    free(root);
    return result;
}

static void make_marks(struct dosrun *dosrun)
{
    unsigned char key[32];

    world_random(dosrun->world, "marks", key, sizeof(key));
    dosrun->marks = marks_new((struct view){(const char *)key, sizeof(key)});
    secret_wipe(key, sizeof(key));
    output_set_marks(dosrun->output, dosrun->marks);
}

int dosrun_open(struct dosrun *dosrun, struct err *err)
{
    struct script_options script = {
        .read = read_file, .ctx = dosrun, .mono_ms = script_clock, .watchdog = watchdog_words};

    if (dosrun->command->sandbox && open_sandbox(dosrun, err) < 0)
        return -1;
    make_marks(dosrun);
    dosrun->http = http_new(dosrun->world, dosrun->marks);
    script.marks = dosrun->marks;
    dosrun->script = script_new(&script);
    dosrun->bundle = doc_object();
    dosrun->bind = (struct bind){.world = dosrun->world,
                                 .http = dosrun->http,
                                 .bus = dosrun->bus,
                                 .marks = dosrun->marks,
                                 .script = dosrun->script,
                                 .project = dosrun->project,
                                 .playbook = dosrun->command->playbook,
                                 .info = doc_object(),
                                 .secrets = doc_object(),
                                 .kube = bind_client,
                                 .aws = bind_cloud,
                                 .account = doc_path_text(dosrun->target, "account", NULL),
                                 .is_option = command_is_option,
                                 .temporary = getenv("TMPDIR"),
                                 .check = dosrun->command->word == COMMAND_CHECK,
                                 .read = read_file,
                                 .drift = note_drift,
                                 .ctx = dosrun};
    bind_install(&dosrun->bind);
    dosrun->loop = (struct loop){.world = dosrun->world, .script = dosrun->script};
    return 0;
}

static void tick(void *ctx)
{
    struct dosrun *dosrun = ctx;

    output_tick(dosrun->output, world_now_ms(dosrun->world));
    dosrun->ticker = timer_start(dosrun->world, TICK_MS, tick, dosrun);
}

void dosrun_wait(struct dosrun *dosrun)
{
    struct err err = ERR_INIT;

    /* In the sandbox time jumps, so there is nothing to repaint in between. */
    if (!world_is_sandbox(dosrun->world) && !dosrun->ticker)
        dosrun->ticker = timer_start(dosrun->world, TICK_MS, tick, dosrun);
    if (!loop_until(&dosrun->loop, &dosrun->done) && !dosrun->err.kind) {
        err_set(&err, ERR_INTERNAL, "nothing is left that could go on, and the run has not ended");
        dosrun->err = err;
    }
    timer_stop(dosrun->ticker);
    dosrun->ticker = NULL;
}

/* ---- the process ---- */

static void dosrun_close(struct dosrun *dosrun)
{
    playbook_free(dosrun->playbook);
    if (dosrun->script)
        script_free(dosrun->script); /* ends tasks, so before what they stand on */
    bind_clear(&dosrun->bind);
    doc_unref(dosrun->bind.info);
    doc_unref(dosrun->bind.secrets);
    run_free(dosrun->run);
    changes_free(dosrun->changes);
    journal_free(dosrun->journal);
    kube_free(dosrun->kube);
    eks_free(dosrun);
    cloud_free(dosrun);
    http_free(dosrun->http);
    store_free(dosrun->store);
    output_free(dosrun->output);
    event_bus_free(dosrun->bus);
    marks_free(dosrun->marks);
    if (dosrun->world != dosrun->real)
        world_free(dosrun->world);
    world_free(dosrun->real);
    doc_unref(dosrun->targets);
    doc_unref(dosrun->target);
    doc_unref(dosrun->values);
    doc_unref(dosrun->bundle);
    doc_unref(dosrun->history);
    doc_unref(dosrun->edited);
    doc_unref(dosrun->unproven);
    doc_unref(dosrun->next);
    free(dosrun->project);
    free(dosrun->playbook_path);
    free(dosrun->state_root);
    free(dosrun->target_name);
    free(dosrun->run_id);
    free(dosrun->step);
    free(dosrun->identity);
}

static void make_output(struct dosrun *dosrun)
{
    struct output_options options = {.mode = dosrun->command->output,
                                     .verbose = (int)dosrun->command->verbose,
                                     .out_fd = STDOUT_FILENO,
                                     .err_fd = STDERR_FILENO,
                                     .out_tty = isatty(STDOUT_FILENO) == 1,
                                     .err_tty = isatty(STDERR_FILENO) == 1,
                                     .size = terminal_size,
                                     .mono_ms = host_mono_ms};

    output_options_read(&options, environment, NULL);
    dosrun->output = output_new(&options);
    dosrun->bus = event_bus_new(bus_clock, dosrun, event_stamp, doc_unref);
    event_bus_add(dosrun->bus, output_sink(dosrun->output));
}

static int command_dispatch(struct dosrun *dosrun)
{
    switch (dosrun->command->word) {
    case COMMAND_RUN:
    case COMMAND_PLAN:
        return command_run(dosrun);
    case COMMAND_CHECK:
        return command_check(dosrun);
    case COMMAND_RESUME:
        return command_resume(dosrun);
    case COMMAND_ROLLBACK:
        return command_rollback(dosrun);
    case COMMAND_ABANDON:
        return command_abandon(dosrun);
    case COMMAND_RUNS:
        return command_runs(dosrun);
    case COMMAND_SHOW:
        return command_show(dosrun);
    case COMMAND_TEST:
        return command_test(dosrun);
    case COMMAND_SANDBOX_SHOW:
        return command_sandbox_show(dosrun);
    case COMMAND_SANDBOX_RESET:
        return command_sandbox_reset(dosrun);
    case COMMAND_NEW:
    case COMMAND_NEW_GAME:
        return command_new(dosrun);
    case COMMAND_KUBECONFIG:
        return command_kubeconfig(dosrun);
    case COMMAND_WHOAMI:
        return command_whoami(dosrun);
    case COMMAND_DOCTOR:
        return command_doctor(dosrun);
    case COMMAND_PINS:
    case COMMAND_PINS_UPDATE:
        return command_pins(dosrun);
    case COMMAND_HELP:
        return command_help(dosrun);
    case COMMAND_INTRO:
        return command_intro(dosrun);
    default:
        return EXIT_INTERNAL;
    }
}

static int explain_command(struct buf *out, const struct command *command, struct err *err)
{
    const char *code = command->args.len ? command->args.texts[0] : NULL, *near;
    const struct explain *explain = code ? explain_find(code) : NULL;

    if (code && !explain) {
        near = explain_suggest(code);
        return err_set(err, ERR_USAGE, "there is no error code %s%s%s%s; `dosrun explain` lists them all", code,
                       near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    }
    explain_add(out, explain, 0);
    return 0;
}

/* "aws", "aws.eks", "aws.eks.create_cluster" from the service table; "aws.query" is a function of ours. */
static int help_aws(struct buf *out, const char *word, struct err *err)
{
    const char *rest = word[3] ? word + 4 : "";

    if (*rest && bind_text(out, "dosrun.api.types", "help", word))
        return 0;
    return aws_describe(out, aws_table_builtin(), rest, err);
}

/* Commands that print a text and need no rooms at all, so that they cost nothing. True when it was one. */
static bool command_plain(const struct command *command, int *code, struct err *err)
{
    struct buf out;
    int result = 0;

    buf_init(&out, 16 << 20);
    switch (command->word) {
    case COMMAND_VERSION:
        buf_addf(&out, "dosrun %s\n", DOSRUN_VERSION);
        break;
    case COMMAND_HELP:
        if (command->playbook)
            return false;
        if (command->args.len &&
            (strcmp(command->args.texts[0], "aws") == 0 || view_starts(view_of(command->args.texts[0]), "aws."))) {
            result = help_aws(&out, command->args.texts[0], err);
            break;
        }
        result = help_add(&out, command, 0, err);
        if (result < 0 && command->args.len && bind_text(&out, "dosrun.api.types", "help", command->args.texts[0]))
            result = 0;
        break;
    case COMMAND_EXPLAIN:
        result = explain_command(&out, command, err);
        break;
    case COMMAND_COMPLETION:
        result = completion_add(&out, command->args.len ? command->args.texts[0] : "", err);
        break;
    default:
        return false;
    }
    *code = result < 0 ? EXIT_USAGE : EXIT_DONE;
    if (result == 0 && fwrite(out.ptr, 1, out.len, stdout) != out.len)
        *code = EXIT_INTERNAL;
    buf_free(&out);
    return result == 0;
}

int dosrun_main(int argc, char **argv)
{
    struct command command;
    struct dosrun dosrun = {.command = &command, .argc = argc, .argv = argv, .err = ERR_INIT};
    struct err err = ERR_INIT;
    int code = EXIT_USAGE;
    int parsed = command_parse(argc, argv, environment, NULL, &command, &err);

    if (parsed == 0 && command_plain(&command, &code, &err)) {
        command_free(&command);
        return code;
    }
    dosrun.real = dosrun.world = world_real_new();
    make_output(&dosrun);
    if (parsed < 0 || err.kind)
        code = dosrun_fail(&dosrun, &err, EXIT_USAGE);
    else
        code = command_dispatch(&dosrun);
    output_finish(dosrun.output, code);
    dosrun_close(&dosrun);
    command_free(&command);
    return code;
}
