#include "world/real_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ORPHANED = SIGHUP }; /* told to the keeper when its parent dies */

static void default_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        sigaction(number, &plain, NULL); /* SIGKILL and SIGSTOP refuse, and have nothing to reset */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void program_fail(int fd, bool at_cwd)
{
    struct keeper_failure failure = {.number = errno, .at_cwd = at_cwd};
    ssize_t written = write(fd, &failure, sizeof(failure));

    _exit(written == (ssize_t)sizeof(failure) ? 127 : 126);
}

static _Noreturn void program_run(const struct keeper_order *order, pid_t keeper)
{
    default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper)
        _exit(127);
    if (dup2(order->in, 0) < 0 || dup2(order->out, 1) < 0 || dup2(order->err, 2) < 0)
        program_fail(order->failure, false);
    if (order->cwd && chdir(order->cwd) != 0)
        program_fail(order->failure, true);
    execve(order->path, order->argv, order->env);
    program_fail(order->failure, false);
}

/* Keeps nothing of ours: an inherited descriptor would hold our locks and connections past our end. */
static void close_others(const struct keeper_order *order)
{
    int keep[] = {order->in, order->out, order->err, order->failure};
    unsigned from = 3;

    for (;;) {
        unsigned next = ~0U;

        for (size_t i = 0; i < sizeof(keep) / sizeof(keep[0]); i++)
            if ((unsigned)keep[i] >= from && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        if (next == ~0U)
            break;
        if (next > from)
            close_range(from, next - 1, 0);
        from = next + 1;
    }
    close_range(from, ~0U, 0);
}

static _Noreturn void keep(const struct keeper_order *order, pid_t program, const sigset_t *waited)
{
    for (;;) {
        int status, number = sigwaitinfo(waited, NULL);

        if (number == ORPHANED && getppid() != order->parent)
            kill(0, SIGKILL);
        if (waitpid(program, &status, WNOHANG) == program)
            _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
}

void keeper_run(const struct keeper_order *order)
{
    pid_t keeper = getpid();
    sigset_t waited;

    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, ORPHANED);
    if (getppid() != order->parent)
        _exit(127);
    close_others(order);
    pid_t program = fork();
    if (program == 0)
        program_run(order, keeper);
    if (program < 0)
        program_fail(order->failure, false);
    close(0);
    close(1);
    close(2);
    close(order->in);
    close(order->out);
    close(order->err);
    close(order->failure);
    sigemptyset(&waited);
    sigaddset(&waited, SIGCHLD);
    sigaddset(&waited, ORPHANED);
    keep(order, program, &waited);
}
