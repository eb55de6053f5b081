/*
 * The process door: programs are scripted; what nobody scripted is not there. A program acts when it
 * starts and its output comes when it ends. Faults of the network have their likeness here.
 */
#include "sandbox/core.h"

#include <stdlib.h>

enum { PROCESS_MS = 10, KILLED = 137 };

struct sim_process {
    struct process door; /* first: what the engine holds */
    struct sim *sim;
    struct list link;
    struct process_request request; /* own copies */
    struct process_fns fns;
    void *ctx;
    struct sim_fault *fault;
    struct sim_run run;
    bool failed;
    struct err err;
    int told; /* 1 and 2: the outputs, 3: the end */
    struct sim_timer *timer;
};

static char **texts_copy(const char *const *texts)
{
    size_t len = 0;
    char **copy;

    while (texts && texts[len])
        len++;
    copy = mem_array(len + 1, sizeof(*copy));
    for (size_t i = 0; i < len; i++)
        copy[i] = mem_text(texts[i]);
    return copy;
}

static void texts_free(const char *const *texts)
{
    for (size_t i = 0; texts[i]; i++)
        free((char *)(uintptr_t)texts[i]);
    free((void *)(uintptr_t)texts);
}

static void process_free(struct sim_process *process)
{
    sim_timer_stop(process->timer);
    list_remove(&process->link);
    process->sim->wanted--;
    buf_free(&process->run.out);
    buf_free(&process->run.err);
    texts_free(process->request.argv);
    texts_free(process->request.env);
    free((char *)(uintptr_t)process->request.cwd);
    free((char *)(uintptr_t)process->request.input.ptr);
    free(process);
}

/* Out, err, end: one a turn, each the last thing that touches the process, for the client may cancel. */
static void process_tell(void *ctx)
{
    struct sim_process *process = ctx;
    struct process_fns fns = process->fns;
    struct err err = process->err;
    void *client = process->ctx;
    bool failed = process->failed;
    int status = process->run.status;
    int fd = ++process->told;
    struct buf *output = fd == 1 ? &process->run.out : &process->run.err;

    process->timer = NULL;
    if (fd > 2) {
        process_free(process);
        fns.end(client, failed ? 0 : status, failed ? &err : NULL);
        return;
    }
    process->timer = sim_after(process->sim, 0, process_tell, process);
    if (fns.output && output->len > 0)
        fns.output(client, fd, buf_view(output));
}

static void end_after(struct sim_process *process, int64_t delay_ms)
{
    process->timer = sim_after(process->sim, delay_ms, process_tell, process);
}

static void end_failed(struct sim_process *process, enum err_kind kind, bool maybe_done, const char *why)
{
    process->failed = true;
    err_set(&process->err, kind, "%s: %s", process->request.argv[0], why);
    process->err.maybe_done = maybe_done;
    end_after(process, 0);
}

static void end_timeout(struct sim_process *process)
{
    int64_t timeout_ms = process->request.timeout_ms;

    buf_reset(&process->run.out);
    buf_reset(&process->run.err);
    end_failed(process, ERR_TIMEOUT, true, "did not end in time");
    sim_timer_stop(process->timer);
    end_after(process, (timeout_ms > 0 ? timeout_ms : SIM_SILENCE_MS) - SIM_UP_MS);
}

static void end_status(struct sim_process *process, int status, const char *text)
{
    buf_reset(&process->run.out);
    buf_reset(&process->run.err);
    buf_add_text(&process->run.err, text);
    process->run.status = status;
    end_after(process, PROCESS_MS);
}

static bool act_once(struct sim_process *process)
{
    struct sim *sim = process->sim;
    struct err err = ERR_INIT;

    buf_reset(&process->run.out);
    buf_reset(&process->run.err);
    if (sim_script_program(sim->script, &process->request, &process->run, &err) == 0)
        return true;
    end_failed(process, err.kind, true, err.message);
    return false;
}

/* Faults before it did anything. */
static bool fault_before(struct sim_process *process, enum fault_kind kind)
{
    switch (kind) {
    case FAULT_CONNECT:
        end_failed(process, ERR_SERVER, false, "cannot be started: Resource temporarily unavailable");
        return true;
    case FAULT_TIMEOUT:
        end_timeout(process);
        return true;
    case FAULT_RESET_BEFORE:
        end_status(process, KILLED, "");
        return true;
    case FAULT_TLS:
        end_status(process, 1, "x509: certificate signed by unknown authority\n");
        return true;
    case FAULT_THROTTLE:
        end_status(process, 1, "toomanyrequests: Rate exceeded\n");
        return true;
    case FAULT_5XX_BEFORE:
        end_status(process, 1, "received unexpected HTTP status: 503 Service Unavailable\n");
        return true;
    case FAULT_EXPIRED:
        end_status(process, 1, "unauthorized: the token has expired\n");
        return true;
    case FAULT_FORBIDDEN:
        end_status(process, 1, "denied: you are not allowed to do this\n");
        return true;
    case FAULT_CONFLICT:
        end_status(process, 1, "conflict: somebody else changed it\n");
        return true;
    case FAULT_QUOTA:
        end_status(process, 1, "exceeded quota: no more of these are allowed\n");
        return true;
    default:
        return false;
    }
}

/* It acted; what is seen of that is the fault's matter. */
static void fault_after(struct sim_process *process, enum fault_kind kind)
{
    int64_t takes_ms = process->run.takes_ms > 0 ? process->run.takes_ms : PROCESS_MS;

    switch (kind) {
    case FAULT_RESET_AFTER:
        end_status(process, KILLED, "");
        break;
    case FAULT_LATE: /* what it asked of others goes on without it */
        end_timeout(process);
        break;
    case FAULT_THROTTLE_AFTER:
        end_status(process, 1, "toomanyrequests: Rate exceeded\n");
        break;
    case FAULT_5XX_AFTER:
        end_status(process, 1, "received unexpected HTTP status: 500 Internal Server Error\n");
        break;
    default:
        if (kind == FAULT_BODY)
            process->run.out.len /= 2;
        if (process->request.timeout_ms > 0 && takes_ms > process->request.timeout_ms)
            end_timeout(process);
        else
            end_after(process, takes_ms);
        break;
    }
}

static void process_arrive(void *ctx)
{
    struct sim_process *process = ctx;
    struct sim *sim = process->sim;
    enum fault_kind kind = sim_fault_kind(process->fault);

    process->timer = NULL;
    if (kind >= FAULT_STALE)
        kind = FAULT_NONE; /* states belong to servers: it never strikes */
    else if (kind != FAULT_NONE)
        sim_fault_struck(process->fault);
    if (kind != FAULT_NONE && fault_before(process, kind))
        return;
    if (!sim_script_has_program(sim->script, process->request.argv[0])) {
        end_failed(process, ERR_MISSING, false,
                   "there is no such program in the sandbox. Script it in tests/sandbox.lua: sandbox.program(NAME, "
                   "function(argv, input) return { stdout = \"\", stderr = \"\", status = 0 } end)");
        return;
    }
    if (!act_once(process) || (kind == FAULT_TWICE && !act_once(process)))
        return;
    if (process->request.changes)
        sim_crash(sim, process->request.attempt, CRASH_SENT);
    fault_after(process, kind);
}

struct process *sim_process_start(struct world *world, const struct process_request *request,
                                  const struct process_fns *fns, void *ctx)
{
    struct sim *sim = (struct sim *)(void *)world;
    struct sim_process *process = mem_alloc(sizeof(*process));

    process->door.world = world;
    process->sim = sim;
    process->fns = *fns;
    process->ctx = ctx;
    process->request = *request;
    process->request.argv = (const char *const *)texts_copy(request->argv);
    process->request.env = (const char *const *)texts_copy(request->env);
    process->request.cwd = mem_text(request->cwd);
    process->request.input.ptr = mem_view(request->input);
    buf_init(&process->run.out, SIZE_MAX / 2);
    buf_init(&process->run.err, SIZE_MAX / 2);
    process->err = ERR_INIT;
    list_add_tail(&sim->processes, &process->link);
    sim->wanted++;
    process->fault =
        sim_fault_pick(sim->faults, request->attempt, request->logical, request->changes, request->backward);
    if (request->changes && sim_store_claim(sim->store, &process->err))
        end_failed(process, ERR_CONFLICT, false, "another dosrun is using this sandbox");
    else
        process->timer = sim_after(sim, SIM_UP_MS, process_arrive, process);
    return &process->door;
}

void sim_process_cancel(struct process *door)
{
    process_free((struct sim_process *)(void *)door);
}

void sim_processes_free(struct sim *sim)
{
    LIST_EACH_SAFE(link, &sim->processes)
    process_free(LIST_OF(link, struct sim_process, link));
}
