/*
 * Consent: a playbook with pivots runs only when somebody agreed to them: --yes, --yes=NAME for a
 * protected target, or the target's name typed at a terminal.
 */
#include "dosrun.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool answer_is(const char *name)
{
    char line[256];
    size_t len;

    if (!fgets(line, sizeof(line), stdin))
        return false;
    len = strcspn(line, "\r\n");
    line[len] = '\0';
    return strcmp(line, name) == 0;
}

int consent_ask(struct dosrun *dosrun)
{
    const struct command *command = dosrun->command;
    const char *name = dosrun->target_name;
    bool protected = doc_as_bool(doc_get(dosrun->target, "protect"), false);
    struct err *err = &dosrun->err;

    dosrun->bind.pivots = true;
    if (command->yes_name && strcmp(command->yes_name, name) == 0)
        return 0;
    if (command->yes_name)
        return err_set(err, ERR_USAGE, "--yes=%s, but the target is %s; nothing was touched", command->yes_name, name);
    if (command->yes && !protected)
        return 0;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        err_set(err, ERR_USAGE, "%s does what cannot be undone on target %s; agree with %s%s; nothing was touched",
                dosrun->playbook_path, name, protected ? "--yes=" : "--yes", protected ? name : "");
        err_explain(err, "R207");
        return -1;
    }
    output_clear(dosrun->output);
    fprintf(stderr, "%s does what cannot be undone. Type the target's name (%s) to go on: ", dosrun->playbook_path,
            name);
    fflush(stderr);
    if (answer_is(name))
        return 0;
    return err_set(err, ERR_USAGE, "not agreed; nothing was touched");
}
