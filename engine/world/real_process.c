/*
 * Child processes: forked with a keeper (real_keeper.h), their pipes on the loop. A process has ended
 * when its keeper is reaped and both outputs are closed; whatever is left of its group is killed then.
 */
#include "world/real.h"
#include "world/real_keeper.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KILL_AFTER_MS = 5000,  /* from SIGTERM to SIGKILL */
    DRAIN_MAX_MS = 2000,   /* for output held open by something that left the group */
    READ_SIZE = 64 * 1024, /* one piece of output */
};

struct real_process {
    struct process base; /* first */
    struct list link;    /* in real.processes */
    struct real *real;
    struct real_ready ready; /* a failure to start, told in the next turn */
    struct process_fns fns;
    void *ctx;
    char *name; /* for errors: argv[0] alone, the rest may hold secrets */
    pid_t pid;  /* the keeper and the group; 0 when never started or reaped */
    int status;
    int64_t timeout_ms;
    bool timed_out;
    bool dead; /* cancelled: no callback any more */
    bool ended;
    struct err err;
    uv_pipe_t input, output, errors;
    uv_timer_t timer; /* time-out, then SIGKILL, then draining */
    int handles;      /* of these four, not closed yet */
    int outputs;      /* still open */
    uv_write_t write;
    struct buf input_bytes;
    char bytes[READ_SIZE];
};

static void process_try_free(struct real_process *process)
{
    if (!process->ended || process->handles)
        return;
    buf_free(&process->input_bytes);
    free(process->name);
    free(process);
}

static void handle_closed(uv_handle_t *handle)
{
    struct real_process *process = handle->data;

    process->handles--;
    process_try_free(process);
}

static void handle_close(void *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, handle_closed);
}

/* Tells the end (unless cancelled) and lets go of everything. */
static void process_finish(struct real_process *process, const struct err *err)
{
    bool tell = !process->dead;
    struct process_fns fns = process->fns;
    void *ctx = process->ctx;
    int status = process->status;
    struct err copy = err ? *err : ERR_INIT;

    process->ended = true;
    process->real->pending--;
    list_remove(&process->link);
    list_remove(&process->ready.link);
    if (process->handles) {
        handle_close(&process->input);
        handle_close(&process->output);
        handle_close(&process->errors);
        handle_close(&process->timer);
    }
    if (--process->real->processes_len == 0)
        uv_signal_stop(&process->real->child_ended);
    process_try_free(process);
    if (tell)
        fns.end(ctx, status, err ? &copy : NULL);
}

static void process_try_finish(struct real_process *process)
{
    if (process->pid || process->ended || (process->outputs && !process->dead))
        return;
    if (process->timed_out) {
        err_set(&process->err, ERR_TIMEOUT, "%s: did not end within %lld ms", process->name,
                (long long)process->timeout_ms);
        process->err.maybe_done = true;
        process_finish(process, &process->err);
    } else {
        process_finish(process, NULL);
    }
}

/* ---- while it runs ---- */

static void drained(uv_timer_t *timer)
{
    struct real_process *process = timer->data;

    real_timer_came(timer);
    process->outputs = 0;
    process_try_finish(process);
}

static void process_reap(struct real_process *process)
{
    siginfo_t info = {.si_pid = 0};
    int status;

    /* The group goes first: as long as its leader is not reaped, its number is nobody else's. */
    if (waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || !info.si_pid)
        return;
    kill(-process->pid, SIGKILL);
    if (waitpid(process->pid, &status, 0) != process->pid)
        return;
    process->pid = 0;
    process->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    uv_timer_stop(&process->timer);
    if (process->outputs)
        uv_timer_start(&process->timer, drained, DRAIN_MAX_MS, 0);
    process_try_finish(process);
}

static void child_ended(uv_signal_t *watch, int number)
{
    struct real *real = watch->data;
    struct list now;

    (void)number;
    /* An end may start or cancel others: each is looked at once, from a list of this call's own. */
    list_init(&now);
    while (!list_empty(&real->processes)) {
        struct list *link = real->processes.next;

        list_remove(link);
        list_add_tail(&now, link);
    }
    while (!list_empty(&now)) {
        struct real_process *process = LIST_OF(now.next, struct real_process, link);

        list_remove(&process->link);
        list_add_tail(&real->processes, &process->link);
        if (process->pid)
            process_reap(process);
    }
}

static void timed_out(uv_timer_t *timer)
{
    struct real_process *process = timer->data;

    real_timer_came(timer);
    kill(-process->pid, process->timed_out ? SIGKILL : SIGTERM);
    process->timed_out = true;
    uv_timer_start(timer, timed_out, KILL_AFTER_MS, 0);
}

static void read_buffer(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
    struct real_process *process = handle->data;

    (void)wanted;
    *buf = uv_buf_init(process->bytes, READ_SIZE);
}

static void output_came(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct real_process *process = stream->data;

    if (len > 0 && !process->dead && !process->ended)
        process->fns.output(process->ctx, (void *)stream == (void *)&process->output ? 1 : 2,
                            (struct view){buf->base, (size_t)len});
    if (len < 0 && !process->ended) {
        uv_read_stop(stream);
        if (process->outputs)
            process->outputs--;
        process_try_finish(process);
    }
}

static void input_written(uv_write_t *write, int status)
{
    (void)status; /* a program may leave its input unread */
    struct real_process *process = write->data;

    handle_close(&process->input);
}

/* ---- the start ---- */

static bool is_program(const char *path, int *problem)
{
    struct stat stat_buf;

    if (stat(path, &stat_buf) != 0)
        return false;
    if (!S_ISREG(stat_buf.st_mode) || access(path, X_OK) != 0) {
        *problem = EACCES;
        return false;
    }
    return true;
}

/* The file that argv[0] means; relative folders in PATH are skipped. NULL: not there, or errno in *problem. */
static char *program_find(const char *name, char *const *env, int *problem)
{
    const char *path = "";

    *problem = ENOENT;
    if (strchr(name, '/'))
        return mem_text(name);
    for (; *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            path = *env + 5;
    while (*name && *path) {
        size_t len = strcspn(path, ":");

        if (*path == '/') {
            char *file = mem_printf("%.*s/%s", (int)len, path, name);

            if (is_program(file, problem))
                return file;
            free(file);
        }
        path += len + (path[len] == ':');
    }
    return NULL;
}

/* Of our own environment only what every program needs, then what the request names. Free the array and strings. */
static char **env_build(const char *const *wanted)
{
    static const char *const kept[] = {"PATH", "HOME", "LANG", "TMPDIR", "USER"};
    size_t len = 0, extra = 0;

    while (wanted && wanted[extra])
        extra++;
    char **env = mem_array(sizeof(kept) / sizeof(kept[0]) + extra + 1, sizeof(*env));
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        const char *value = getenv(kept[i]);
        size_t name_len = strlen(kept[i]);
        bool replaced = false;

        for (size_t j = 0; j < extra; j++)
            replaced |= strncmp(wanted[j], kept[i], name_len) == 0 && wanted[j][name_len] == '=';
        if (value && !replaced)
            env[len++] = mem_printf("%s=%s", kept[i], value);
    }
    for (size_t j = 0; j < extra; j++)
        env[len++] = mem_text(wanted[j]);
    return env;
}

static void env_free(char **env)
{
    for (char **at = env; *at; at++)
        free(*at);
    free(env);
}

static int start_error(struct real_process *process, int number, const char *cwd)
{
    enum err_kind kind = ERR_SERVER;

    if (number == ENOENT || number == ENOTDIR)
        kind = ERR_MISSING;
    else if (number == EACCES || number == EPERM)
        kind = ERR_DENIED;
    else if (number == E2BIG || number == ENOEXEC || number == ENAMETOOLONG)
        kind = ERR_USAGE;
    if (cwd)
        return err_set(&process->err, kind, "%s: cannot start in folder %s: %s", process->name, cwd, strerror(number));
    if (kind == ERR_MISSING)
        return err_set(&process->err, kind, "%s: there is no such program", process->name);
    return err_set(&process->err, kind, "%s: cannot be started: %s", process->name, strerror(number));
}

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

/* fds: our ends of input, output, errors. Waits until the program runs or could not (two forks and an exec). */
static int process_fork(struct real_process *process, const char *path, const struct process_request *request,
                        char **env, int fds[3])
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1}, failed[2] = {-1, -1};
    struct keeper_failure failure = {0, 0};
    sigset_t all, before;

    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0 ||
        pipe2(failed, O_CLOEXEC) != 0)
        goto failed;
    struct keeper_order order = {.parent = getpid(),
                                 .path = path,
                                 .argv = (char *const *)(uintptr_t)request->argv,
                                 .env = env,
                                 .cwd = request->cwd,
                                 .in = in[0],
                                 .out = out[1],
                                 .err = err[1],
                                 .failure = failed[1]};
    /* A signal that met the child too early would be told to us, through libuv's pipe that it shares. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        keeper_run(&order);
    int fork_errno = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = fork_errno;
    if (pid < 0)
        goto failed;
    close(failed[1]);
    failed[1] = -1;
    ssize_t len;
    while ((len = read(failed[0], &failure, sizeof(failure))) < 0 && errno == EINTR)
        ;
    if (len == (ssize_t)sizeof(failure)) {
        waitpid(pid, NULL, 0);
        errno = failure.number;
        goto failed;
    }
    process->pid = pid;
    fds[0] = in[1];
    fds[1] = out[0];
    fds[2] = err[0];
    close(in[0]);
    close(out[1]);
    close(err[1]);
    close(failed[0]);
    return 0;
failed:;
    int number = errno;
    close_pair(in);
    close_pair(out);
    close_pair(err);
    close_pair(failed);
    return start_error(process, number, failure.at_cwd ? request->cwd : NULL);
}

static void pipes_open(struct real_process *process, const int fds[3])
{
    uv_pipe_t *pipes[3] = {&process->input, &process->output, &process->errors};

    for (int i = 0; i < 3; i++) {
        uv_pipe_init(&process->real->loop, pipes[i], 0);
        pipes[i]->data = process;
        int status = uv_pipe_open(pipes[i], fds[i]);
        assert(status == 0);
        (void)status;
    }
    uv_timer_init(&process->real->loop, &process->timer);
    process->timer.data = process;
    process->handles = 4;
    process->outputs = 2;
    uv_read_start((uv_stream_t *)&process->output, read_buffer, output_came);
    uv_read_start((uv_stream_t *)&process->errors, read_buffer, output_came);
    if (process->input_bytes.len) {
        uv_buf_t bytes = uv_buf_init(process->input_bytes.ptr, (unsigned)process->input_bytes.len);

        process->write.data = process;
        if (uv_write(&process->write, (uv_stream_t *)&process->input, &bytes, 1, input_written) != 0)
            handle_close(&process->input);
    } else {
        handle_close(&process->input);
    }
}

static void start_failed(struct real_ready *ready)
{
    struct real_process *process = LIST_OF(ready, struct real_process, ready);

    process_finish(process, &process->err);
}

struct process *real_process_start(struct world *world, const struct process_request *request,
                                   const struct process_fns *fns, void *ctx)
{
    struct real *real = real_of(world);
    struct real_process *process = mem_alloc(sizeof(*process));
    int fds[3], problem;

    process->base.world = world;
    process->real = real;
    process->fns = *fns;
    process->ctx = ctx;
    process->err = ERR_INIT;
    process->name = mem_text(request->argv[0]);
    process->timeout_ms = request->timeout_ms;
    list_init(&process->ready.link);
    buf_init(&process->input_bytes, SIZE_MAX);
    buf_add_view(&process->input_bytes, request->input);
    if (real->processes_len++ == 0)
        uv_signal_start(&real->child_ended, child_ended, SIGCHLD);
    list_add_tail(&real->processes, &process->link);
    real->pending++;

    char **env = env_build(request->env);
    char *path = program_find(request->argv[0], env, &problem);
    if (!path)
        start_error(process, problem, NULL);
    if (path && process_fork(process, path, request, env, fds) == 0) {
        pipes_open(process, fds);
        if (process->timeout_ms > 0) {
            uv_update_time(&real->loop);
            uv_timer_start(&process->timer, timed_out, (uint64_t)process->timeout_ms, 0);
        }
    } else {
        real_ready_add(real, &process->ready, start_failed);
    }
    free(path);
    env_free(env);
    return &process->base;
}

void real_process_cancel(struct process *base)
{
    struct real_process *process = (struct real_process *)(void *)base;

    assert(!process->dead && !process->ended);
    process->dead = true;
    if (process->pid)
        kill(-process->pid, SIGKILL);
    /* The rest follows when its keeper is reaped, or when a failure to start is delivered. */
    process_try_finish(process);
}

void real_process_init(struct real *real)
{
    list_init(&real->processes);
    uv_signal_init(&real->loop, &real->child_ended);
    real->child_ended.data = real;
}

void real_process_free(struct real *real)
{
    while (!list_empty(&real->processes)) {
        struct real_process *process = LIST_OF(real->processes.next, struct real_process, link);

        process->dead = true;
        if (process->pid) {
            kill(-process->pid, SIGKILL);
            waitpid(process->pid, NULL, 0);
            process->pid = 0;
        }
        process_try_finish(process);
    }
}
