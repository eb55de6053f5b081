/* What run, resume, rollback and abandon share: loading, locking, steps, undo, the end. */
#include "dosrun.h"

#include "base/digest.h"
#include "base/secret.h"
#include "change/builtin.h"
#include "istio/istio.h"
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOCK_LOOK_MS = 500 };

/* ---- the playbook ---- */

static void playbook_loaded(void *ctx, struct playbook *playbook, const struct err *err, const struct place *place)
{
    struct dosrun *dosrun = ctx;

    dosrun->playbook = playbook;
    dosrun->done = true;
    if (err)
        dosrun->err = *err;
    if (err && place)
        dosrun->place = *place;
}

int session_load(struct dosrun *dosrun)
{
    dosrun->done = false;
    playbook_load(&dosrun->bind, dosrun->playbook_path, playbook_loaded, dosrun);
    dosrun_wait(dosrun);
    dosrun->bind.loaded = true;
    return dosrun->err.kind ? -1 : 0;
}

static struct task *start_step(void *ctx, size_t index, const struct doc *from)
{
    struct dosrun *dosrun = ctx;
    const struct doc *step = doc_at(doc_get(playbook_about(dosrun->playbook), "steps"), index);

    return playbook_step(dosrun->playbook, index, doc_path_text(step, "name", NULL), from);
}

int session_steps(struct dosrun *dosrun)
{
    const struct doc *steps = doc_get(playbook_about(dosrun->playbook), "steps");
    struct run_options options = {.world = dosrun->world,
                                  .script = dosrun->script,
                                  .changes = dosrun->changes,
                                  .bus = dosrun->bus,
                                  .max_parallel = (int)dosrun->command->max_parallel,
                                  .step = start_step,
                                  .ctx = dosrun};

    dosrun->run = run_new(&options);
    for (size_t i = 0; i < doc_size(steps); i++) {
        const struct doc *step = doc_at(steps, i), *needs = doc_get(step, "needs");
        size_t *indexes = mem_array(doc_size(needs) + 1, sizeof(*indexes));
        struct run_step spec = {.name = doc_path_text(step, "name", NULL),
                                .needs = indexes,
                                .needs_len = doc_size(needs),
                                .timeout_ms = doc_as_int(doc_get(step, "timeout_ms"), 0),
                                .retry = (int)doc_as_int(doc_get(step, "retry"), 0)};

        for (size_t j = 0; j < doc_size(needs); j++)
            indexes[j] = (size_t)doc_as_int(doc_at(needs, j), 1) - 1;
        run_step_add(dosrun->run, &spec);
        free(indexes);
    }
    return 0;
}

/* ---- changes ---- */

static void durable(void *ctx, void (*fn)(void *fn_ctx, const struct err *err), void *fn_ctx)
{
    struct dosrun *dosrun = ctx;

    if (dosrun->journal)
        journal_when_durable(dosrun->journal, fn, fn_ctx);
    else
        fn(fn_ctx, NULL);
}

static void written(void *ctx, void (*fn)(void *fn_ctx, const struct err *err), void *fn_ctx)
{
    struct dosrun *dosrun = ctx;

    if (dosrun->journal)
        journal_when_written(dosrun->journal, fn, fn_ctx);
    else
        fn(fn_ctx, NULL);
}

static int64_t acts_until(void *ctx)
{
    const struct dosrun *dosrun = ctx;

    return dosrun->lease ? kube_lease_acts_until(dosrun->lease) : INT64_MAX;
}

static int64_t epoch(void *ctx)
{
    const struct dosrun *dosrun = ctx;

    return dosrun->lease ? kube_lease_epoch(dosrun->lease) : 0;
}

int session_changes(struct dosrun *dosrun, enum change_mode mode)
{
    struct changes_options options = {.world = dosrun->world,
                                      .http = dosrun->http,
                                      .bus = dosrun->bus,
                                      .mode = mode,
                                      .max_parallel = (int)dosrun->command->max_parallel,
                                      .durable = durable,
                                      .written = written,
                                      .durable_ctx = dosrun,
                                      .acts_until = acts_until,
                                      .epoch = epoch,
                                      .lock_ctx = dosrun,
                                      .lock_owner = kube_lock_owner};
    struct undo_handler handlers[3];
    struct err ignored = ERR_INIT;
    struct kube *kube;

    dosrun->changes = changes_new(&options);
    dosrun->bind.changes = dosrun->changes;
    http_set_gate(dosrun->http, changes_gate(dosrun->changes));
    undo_builtin(dosrun->changes);
    changes_undo_handler(dosrun->changes, playbook_undo_handler(&dosrun->bind));
    changes_undo_handler(dosrun->changes, cloud_undo_handler(dosrun));
    kube = place_needs_cluster(dosrun) && !dosrun->bind.check ? cluster_client(dosrun, &ignored) : NULL;
    if (kube) {
        kube_undo_handlers(kube, handlers);
        for (size_t i = 0; i < 3; i++)
            changes_undo_handler(dosrun->changes, handlers[i]);
        changes_undo_handler(dosrun->changes, istio_undo_handler(kube));
    }
    return 0;
}

/* ---- locking ---- */

static void lock_look(void *ctx)
{
    ((struct dosrun *)ctx)->done = true;
}

static char *lock_note(const struct dosrun *dosrun)
{
    char host[256] = "this machine";

    gethostname(host, sizeof(host) - 1);
    return mem_printf("run %s, process %d on %s", dosrun->run_id, (int)getpid(), host);
}

static int lock_here(struct dosrun *dosrun, int *code)
{
    int64_t until = world_mono_ms(dosrun->world) + dosrun->command->lock_wait_ms;
    char *holder = NULL;
    int taken;

    for (;;) {
        free(holder);
        taken = store_lock(dosrun->store, &holder, &dosrun->err);
        if (taken != 1 || world_mono_ms(dosrun->world) >= until)
            break;
        dosrun->done = false;
        timer_start(dosrun->world, LOCK_LOOK_MS, lock_look, dosrun);
        dosrun_wait(dosrun);
    }
    if (taken == 1) {
        err_set(&dosrun->err, ERR_CONFLICT, "target %s is locked on this machine by %s; --lock-wait 30s waits for it",
                dosrun->target_name, holder);
        err_explain(&dosrun->err, "R201");
        *code = EXIT_LOCKED;
    } else if (taken < 0) {
        *code = EXIT_UNDONE;
    }
    free(holder);
    return taken == 0 ? 0 : -1;
}

/* A target with an unfinished run takes no other one. */
static int refuse_unfinished(struct dosrun *dosrun, int *code)
{
    char *current = store_current(dosrun->store);
    struct run_summary run = {0};
    int result = 0;

    if (!current || strcmp(current, dosrun->run_id) == 0 || !store_run_summary(dosrun->store, current, &run)) {
        result = 0;
    } else if (run.damaged) {
        err_set(&dosrun->err, ERR_CONFLICT, "target %s: whether its last run ended cannot be told: %s",
                dosrun->target_name, run.trouble);
        err_explain(&dosrun->err, "R203");
        dosrun_next(dosrun, "dosrun show %s", current);
        dosrun_next(dosrun, "dosrun abandon %s --yes", current);
        *code = EXIT_LOCKED;
        result = -1;
    } else if (run_summary_unfinished(&run)) {
        err_set(&dosrun->err, ERR_CONFLICT, "target %s has an unfinished run %s (%s); finish or undo it first",
                dosrun->target_name, current, doc_as_text(doc_get(run.first, "playbook"), "?"));
        err_explain(&dosrun->err, "R202");
        dosrun_next(dosrun, "dosrun resume %s", current);
        dosrun_next(dosrun, "dosrun rollback %s", current);
        dosrun_next(dosrun, "dosrun abandon %s --yes", current);
        *code = EXIT_LOCKED;
        result = -1;
    }
    run_summary_clear(&run);
    free(current);
    return result;
}

static int take_current(struct dosrun *dosrun, int *code)
{
    char *note = lock_note(dosrun);
    int result = store_take_current(dosrun->store, dosrun->run_id, note, &dosrun->err);

    *code = EXIT_UNDONE;
    free(note);
    return result;
}

static void new_run_id(struct dosrun *dosrun)
{
    int64_t number = store_last_number(dosrun->store) + 1;
    unsigned char tail[3];
    char purpose[64];

    snprintf(purpose, sizeof(purpose), "run %lld", (long long)number);
    world_random(dosrun->world, purpose, tail, sizeof(tail));
    dosrun->run_id = mem_printf("r%lld-%02x%02x%02x", (long long)number, tail[0], tail[1], tail[2]);
    snprintf(purpose, sizeof(purpose), "names of run %lld", (long long)number);
    world_random(dosrun->world, purpose, dosrun->bind.name_key, sizeof(dosrun->bind.name_key));
}

int session_lock(struct dosrun *dosrun, int *code)
{
    char *root = place_store_root(dosrun);
    bool fresh = dosrun->run_id == NULL;
    int result = -1;

    *code = EXIT_USAGE;
    if (!dosrun->store)
        dosrun->store = store_new(dosrun->world, root, dosrun->project, dosrun->target_name);
    free(root);
    if (store_create(dosrun->store, &dosrun->err) < 0)
        return -1;
    if (lock_here(dosrun, code) < 0)
        return -1;
    if (fresh)
        new_run_id(dosrun);
    if (refuse_unfinished(dosrun, code) < 0 || take_current(dosrun, code) < 0)
        return -1;
    if (place_needs_cluster(dosrun)) {
        result = cluster_lock(dosrun, &dosrun->err);
        if (result < 0)
            *code = strcmp(dosrun->err.explain, "R201") == 0 ? EXIT_LOCKED : dosrun_exit_for(&dosrun->err);
        else
            event_emit(dosrun->bus, EVENT_LIVE, NULL, dosrun_event("lock", "where", "this machine and the cluster"));
        return result;
    }
    event_emit(dosrun->bus, EVENT_LIVE, NULL, dosrun_event("lock", "where", "this machine only"));
    return 0;
}

/* ---- the journal read back ---- */

/* Attempts go on counting where the run's earlier processes stopped, or their numbers would name two calls. */
static void attempts_seen(struct dosrun *dosrun, const struct doc *event)
{
    uint64_t attempt = (uint64_t)doc_as_int(doc_get(event, "attempt"), 0);

    if (attempt > dosrun->world->attempts)
        dosrun->world->attempts = attempt;
}

static int history_add(void *ctx, const struct doc *event, struct err *err)
{
    struct dosrun *dosrun = ctx;
    const char *type = doc_as_text(doc_get(event, "type"), "");

    (void)err;
    doc_push(dosrun->history, doc_ref(event));
    attempts_seen(dosrun, event);
    if (strcmp(type, "bundle") == 0)
        doc_set(dosrun->bundle, doc_as_text(doc_get(event, "path"), ""), doc_ref(doc_get(event, "text")));
    if (strcmp(type, "secret") == 0)
        doc_set(dosrun->bind.secrets, doc_as_text(doc_get(event, "purpose"), ""), doc_ref(doc_get(event, "value")));
    return 0;
}

static void take_name_key(struct dosrun *dosrun, const struct doc *first)
{
    struct err err = ERR_INIT;
    struct buf hex, raw;

    buf_init(&hex, 256);
    buf_init(&raw, 64);
    if (marks_reveal(dosrun->marks, doc_as_view(doc_get(first, "name_key")), &hex, &err) == 0 &&
        base64_parse(&raw, buf_view(&hex), &err) == 0 && raw.len == sizeof(dosrun->bind.name_key))
        memcpy(dosrun->bind.name_key, raw.ptr, raw.len);
    buf_free(&hex);
    buf_free(&raw);
}

int session_history(struct dosrun *dosrun, const char *run, bool write)
{
    struct err *err = &dosrun->err;
    const struct doc *first = NULL, *last;

    doc_unref(dosrun->history);
    dosrun->history = doc_array();
    if (write)
        dosrun->journal = journal_resume(dosrun->store, dosrun->marks, run, history_add, dosrun, err);
    else if (journal_read(dosrun->store, dosrun->marks, run, history_add, dosrun, err) < 0)
        return -1;
    if (write && !dosrun->journal)
        return -1;
    for (size_t i = 0; i < doc_size(dosrun->history) && !first; i++) {
        const struct doc *event = doc_at(dosrun->history, i);

        if (strcmp(doc_as_text(doc_get(event, "type"), ""), "run") == 0)
            first = event;
    }
    if (!first)
        return err_set(err, ERR_INTERNAL, "the journal of run %s does not say what was run", run);
    last = doc_at(dosrun->history, doc_size(dosrun->history) - 1);
    free(dosrun->playbook_path);
    dosrun->playbook_path = mem_text(doc_path_text(first, "playbook", NULL));
    dosrun->bind.playbook = dosrun->playbook_path;
    dosrun->bind.uses_kube = doc_as_bool(doc_get(first, "cluster"), false);
    dosrun->bind.uses_aws = doc_as_bool(doc_get(first, "aws"), false);
    doc_unref(dosrun->bind.info);
    dosrun->bind.info = doc_ref(doc_get(first, "info"));
    take_name_key(dosrun, first);
    event_bus_run(dosrun->bus, run, (uint64_t)doc_as_int(doc_get(last, "seq"), 0) + 1);
    if (write) {
        event_bus_add(dosrun->bus, journal_sink(dosrun->journal));
        dosrun->loop.journal = dosrun->journal;
        dosrun->loop.journal_turn = journal_turn;
    }
    return 0;
}

int session_find_run(struct dosrun *dosrun, bool unfinished_only, char **run)
{
    const char *wanted = dosrun->command->run;
    struct run_summary *runs;
    size_t count;
    char *root = place_store_root(dosrun);

    *run = NULL;
    dosrun->store = store_new(dosrun->world, root, dosrun->project, dosrun->target_name);
    free(root);
    if (store_runs(dosrun->store, &runs, &count, &dosrun->err) < 0)
        return -1;
    for (size_t i = count; i-- > 0 && !*run;) {
        bool fits = wanted ? strcmp(runs[i].id, wanted) == 0 : run_summary_unfinished(&runs[i]);

        if (fits)
            *run = mem_text(runs[i].id);
    }
    if (!*run && !wanted && !unfinished_only && count)
        *run = mem_text(runs[count - 1].id);
    store_runs_free(runs, count);
    if (*run)
        return 0;
    if (wanted)
        err_set(&dosrun->err, ERR_USAGE, "target %s has no run %s; `dosrun runs` lists them", dosrun->target_name,
                wanted);
    else
        err_set(&dosrun->err, ERR_USAGE, "target %s has no %srun", dosrun->target_name,
                unfinished_only ? "unfinished " : "");
    return -1;
}

/* ---- undo ---- */

struct undo_wait {
    struct dosrun *dosrun;
    struct undo_report *report;
    struct doc **list;
};

static void undo_done(void *ctx, const struct undo_report *report)
{
    struct undo_wait *wait = ctx;

    *wait->report = *report;
    *wait->list = doc_ref(report->list);
    wait->report->list = NULL;
    wait->dosrun->done = true;
}

int session_undo(struct dosrun *dosrun, bool automatic, bool plan, struct undo_report *report, struct doc **list)
{
    struct undo_wait wait = {dosrun, report, list};

    dosrun->done = false;
    dosrun->bind.stopping = false;
    if (!dosrun->interrupted)
        changes_stop(dosrun->changes, NULL);
    changes_undo(dosrun->changes, automatic, plan, undo_done, &wait);
    dosrun_wait(dosrun);
    return dosrun->err.kind == ERR_INTERNAL ? -1 : 0;
}

/* ---- the end ---- */

static void settled(void *ctx)
{
    ((struct dosrun *)ctx)->done = true;
}

static void end_facts(struct dosrun *dosrun, struct doc *event, int code, const char *how)
{
    struct changes_count count = changes_count(dosrun->changes);
    struct doc *never = doc_array();

    doc_set_text(event, "how", how);
    doc_set_int(event, "exit", code);
    doc_set_int(event, "changes", changes_mode(dosrun->changes) == CHANGE_PLAN ? count.would : count.changed);
    doc_set_int(event, "same", count.same);
    doc_set_int(event, "calls", (int64_t)dosrun->world->attempts);
    doc_set_int(event, "retries", http_retries_used(dosrun->http));
    doc_set_int(event, "syncs", dosrun->journal ? journal_syncs(dosrun->journal) : 0);
    doc_set_int(event, "ms", world_mono_ms(dosrun->world) - dosrun->began_ms);
    doc_set_int(event, "at_ms", world_now_ms(dosrun->world));
    doc_set(event, "next", doc_ref(dosrun->next));
    if (world_is_sandbox(dosrun->world) && sandbox_faults_left(dosrun->world, never))
        doc_set(event, "never_struck", doc_ref(never));
    doc_unref(never);
}

/* A journal that fails decides: what stands may not be forgotten. Where nothing does, the failure has been told. */
static void end_trouble(struct dosrun *dosrun, int *code, const char **how)
{
    const struct err *trouble = dosrun->journal ? journal_trouble(dosrun->journal) : NULL;

    if (!trouble || *code == EXIT_INTERNAL || *code == EXIT_STOPPED || strcmp(*how, "untouched") == 0)
        return;
    *code = EXIT_STOPPED;
    *how = "stopped";
    if (!doc_size(dosrun->next)) {
        dosrun_next(dosrun, "dosrun resume %s", dosrun->run_id);
        dosrun_next(dosrun, "dosrun rollback %s", dosrun->run_id);
    }
    dosrun_fail(dosrun, trouble, *code);
}

static void end_settle(struct dosrun *dosrun, int *code, const char **how)
{
    if (changes_mode(dosrun->changes) != CHANGE_FORWARD || dosrun->interrupted || strcmp(*how, "abandoned") == 0)
        return;
    dosrun->done = false;
    changes_settle(dosrun->changes, settled, dosrun);
    dosrun_wait(dosrun);
    if (!dosrun->interrupted)
        return;
    *code = EXIT_INTERRUPTED;
    *how = "interrupted";
    if (!doc_size(dosrun->next))
        dosrun_next(dosrun, "dosrun resume %s", dosrun->run_id);
}

/* The journal has it on disk before anybody hears of it. */
static void end_emit(struct dosrun *dosrun, int *code, const char *how)
{
    struct doc *event = event_new("run.end");
    uint64_t seq;

    end_facts(dosrun, event, *code, how);
    if (!dosrun->journal) {
        event_emit(dosrun->bus, EVENT_NOTE, NULL, event);
        return;
    }
    event_bus_remove(dosrun->bus, dosrun->output);
    seq = event_emit(dosrun->bus, EVENT_INTENT, NULL, event);
    journal_turn(dosrun->journal);
    event_bus_remove(dosrun->bus, dosrun->journal);
    event_bus_add(dosrun->bus, output_sink(dosrun->output));
    event_bus_run(dosrun->bus, dosrun->run_id, seq);
    end_trouble(dosrun, code, &how);
    event = event_new("run.end");
    end_facts(dosrun, event, *code, how);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
}

int session_end(struct dosrun *dosrun, int code, const char *how)
{
    end_settle(dosrun, &code, &how);
    end_trouble(dosrun, &code, &how);
    if (world_is_sandbox(dosrun->world) && sandbox_crash_wrong(dosrun->world)) {
        err_set(&dosrun->err, ERR_USAGE,
                "--crash %s: that attempt is not a changing call; `dosrun show RUN --calls` lists them",
                dosrun->command->crash);
        code = dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    }
    end_emit(dosrun, &code, how);
    cluster_unlock(dosrun);
    return code;
}
