#pragma once
/*
 * What runs after the fork. Between us and a program stands its keeper: a fork of us that leads the
 * program's process group, waits for it, and kills the whole group when we die, also by SIGKILL
 * (a parent-death signal reaches only a direct child, not what that one started).
 */
#include <sys/types.h>

struct keeper_order {
    pid_t parent;
    const char *path; /* the program's file */
    char *const *argv, *const *env;
    const char *cwd;
    int in, out, err; /* become 0, 1, 2 of the program */
    int failure;      /* gets a struct keeper_failure when the program cannot be started; else just closed */
};

struct keeper_failure {
    int number; /* errno */
    int at_cwd; /* it was the folder, not the program */
};

/* Called with every signal blocked, which they stay here: the group's signals pass the keeper by.
   Never returns. Ends with the program's exit status, or 128 + the signal that ended it. */
_Noreturn void keeper_run(const struct keeper_order *order);
