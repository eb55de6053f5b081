#include "script/room.h"

#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/*
 * A SIGALRM for Lua that holds the loop where no hook fires: inside string.find, or in a C function
 * that calls C functions. The timer measures wall time, so a process that was stopped or starved
 * could be hit; the handler asks the processor's time too and waits on when Lua did not really run.
 * Arming happens at each resumption, so it only notes the times; the timer is left to fire once
 * after the last one and is set anew by the handler or the next arming.
 */
static volatile struct {
    struct script *script; /* NULL: disarmed */
    int64_t wall_ms, cpu_ms;
    int64_t limit_ms;
    pid_t pending; /* the process that set the timer; a fork's child has none */
} armed;

static int64_t watchdog_clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void watchdog_set(int64_t ms)
{
    struct itimerval timer = {.it_value = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 + 1}};

    armed.pending = getpid();
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void watchdog_bark(int signal)
{
    static const char text[] = "dosrun: error[S407]: the playbook's Lua did not give back control\n";
    struct script *script = armed.script;
    int64_t held, ran;

    (void)signal;
    armed.pending = 0;
    if (!script)
        return;
    held = watchdog_clock_ms(CLOCK_MONOTONIC) - armed.wall_ms;
    ran = watchdog_clock_ms(CLOCK_THREAD_CPUTIME_ID) - armed.cpu_ms;
    if (held < armed.limit_ms || ran < armed.limit_ms / 2) {
        watchdog_set(held < armed.limit_ms ? armed.limit_ms - held : armed.limit_ms / 2);
        return;
    }
    if (script->options.watchdog)
        script->options.watchdog(script->options.ctx);
    else if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
        _exit(70);
    _exit(70);
}

void watchdog_arm(struct script *script)
{
    static bool installed;

    if (!installed) {
        struct sigaction action;
        sigset_t set;

        memset(&action, 0, sizeof(action));
        action.sa_handler = watchdog_bark;
        action.sa_flags = SA_RESTART;
        sigemptyset(&action.sa_mask);
        sigaction(SIGALRM, &action, NULL);
        sigemptyset(&set);
        sigaddset(&set, SIGALRM);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        installed = true;
    }
    armed.wall_ms = watchdog_clock_ms(CLOCK_MONOTONIC);
    armed.cpu_ms = watchdog_clock_ms(CLOCK_THREAD_CPUTIME_ID);
    armed.limit_ms = script->options.watchdog_ms;
    armed.script = script;
    if (armed.pending != getpid())
        watchdog_set(armed.limit_ms);
}

void watchdog_disarm(void)
{
    armed.script = NULL;
}
