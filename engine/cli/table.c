#include "cli/table.h"

#include <string.h>

#define BIT(word) (UINT32_C(1) << (word))
#define FORWARD (BIT(COMMAND_RUN) | BIT(COMMAND_PLAN) | BIT(COMMAND_RESUME))
#define ACTING (BIT(COMMAND_RUN) | BIT(COMMAND_RESUME) | BIT(COMMAND_ROLLBACK) | BIT(COMMAND_ABANDON))
#define LOADING (BIT(COMMAND_RUN) | BIT(COMMAND_PLAN) | BIT(COMMAND_CHECK))

static const struct command_row commands[] = {
    {COMMAND_RUN,
     "",
     "PLAYBOOK.lua [ARGS...]",
     TAKES_PLAYBOOK,
     "run a playbook",
     "Runs the steps of a playbook on a target. A run ends in one of three ways: done; undone, with everything as it "
     "was before; or stopped, with a sentence that says what stands and the command that goes on. Words after the "
     "playbook are its arguments; options of dosrun also work there, and \"--\" ends options.",
     {"dosrun --sandbox playbooks/deploy.lua doom", "try it in the simulated cloud: no account, no cluster",
      "dosrun playbooks/deploy.lua doom --target prod", "run it for real"}},
    {COMMAND_PLAN,
     "plan",
     "PLAYBOOK.lua [ARGS...]",
     TAKES_PLAYBOOK,
     "what a run would change, field by field",
     "Runs the playbook with a gate that only says \"would\": nothing is changed. Lists each change with its field, "
     "old and new value, the field's owner and whether it can be undone. Exits 2 when there is something to change, "
     "0 when there is nothing.",
     {"dosrun plan playbooks/deploy.lua doom", "what would deploying doom change?"}},
    {COMMAND_CHECK,
     "check",
     "PLAYBOOK.lua [ARGS...]",
     TAKES_PLAYBOOK,
     "load a playbook and check it, offline",
     "Loads the playbook, checks its arguments, manifests and names without any call. With --render DIR it also "
     "writes the manifests with all values put in.",
     {"dosrun check playbooks/deploy.lua doom", "find mistakes in 50 ms",
      "dosrun check playbooks/deploy.lua doom --render out", "write the manifests to out/"}},
    {COMMAND_RESUME,
     "resume",
     "[RUN]",
     TAKES_RUN_MAYBE,
     "go on with a run that was interrupted or stopped",
     "Finished steps are not repeated; an unfinished one runs again from its start, from the files that the run read "
     "at first. With --edited it takes today's files and shows how they differ. Without RUN it takes the unfinished "
     "run of the target.",
     {"dosrun resume", "go on where the last run stopped", "dosrun resume --edited", "the same, with mended files"}},
    {COMMAND_ROLLBACK,
     "rollback",
     "[RUN]",
     TAKES_RUN_MAYBE,
     "undo a run",
     "Restores what is still as the run left it. What is already as before is skipped; what others changed since is "
     "left alone and listed (exit 4). It works from the journal and needs no playbook. Without RUN it takes the "
     "unfinished run of the target, else the last one.",
     {"dosrun rollback --plan", "list what would be undone", "dosrun rollback", "undo it"}},
    {COMMAND_ABANDON,
     "abandon",
     "RUN",
     TAKES_RUN,
     "keep what stands and give up its undo",
     "Marks an unfinished run as given up, so that the target takes new runs. Nothing in the target is changed; the "
     "run can no longer be resumed or undone. Asks first, unless --yes is given.",
     {"dosrun abandon RUN --yes", "keep what stands, take new runs again"}},
    {COMMAND_RUNS,
     "runs",
     "",
     TAKES_NOTHING,
     "the history of runs",
     "Lists the runs of the target, newest first: how each ended, when, how long it took.",
     {"dosrun runs", "what happened here so far"}},
    {COMMAND_SHOW,
     "show",
     "RUN",
     TAKES_RUN,
     "one run: steps, times, calls, changes, errors",
     "Prints a run from its journal. --calls lists every call with its number, marked read or changing; --events "
     "prints the events as JSON lines, as --output jsonl did.",
     {"dosrun show RUN", "what did it do", "dosrun show RUN --calls", "call by call"}},
    {COMMAND_TEST,
     "test",
     "[SPEC...]",
     TAKES_WORDS,
     "run the specs of playbooks, in the sandbox",
     "Runs the named spec files, or all of tests/spec, in the sandbox and in virtual time. Each test has a simulated "
     "cloud of its own, empty at first; dosrun help t lists what it can do.",
     {"dosrun test", "all specs", "dosrun test tests/spec/hello.lua", "one of them"}},
    {COMMAND_SANDBOX_SHOW,
     "sandbox show",
     "",
     TAKES_NOTHING,
     "the simulated cloud as it stands",
     "Prints what the simulated cloud of the target holds, sorted, in a form that can be compared. --raw shows "
     "everything, also what servers and controllers add.",
     {"dosrun sandbox show", "what is there now"}},
    {COMMAND_SANDBOX_RESET,
     "sandbox reset",
     "",
     TAKES_NOTHING,
     "empty the simulated cloud",
     "Puts the simulated cloud of the target back to how a fresh one looks.",
     {"dosrun sandbox reset", "start over"}},
    {COMMAND_NEW,
     "new",
     "NAME",
     TAKES_WORD,
     "a new playbook with its spec",
     "Writes playbooks/NAME.lua, its spec and the editor set-up. Existing files are never overwritten.",
     {"dosrun new hello", "then: dosrun check playbooks/hello.lua"}},
    {COMMAND_NEW_GAME,
     "new game",
     "NAME",
     TAKES_WORD,
     "a new game's manifest",
     "Writes manifests/games/NAME.yaml. Existing files are never overwritten.",
     {"dosrun new game quake", "then edit manifests/games/quake.yaml"}},
    {COMMAND_PINS,
     "pins",
     "",
     TAKES_NOTHING,
     "versions, digests and hashes that are used",
     "Lists every pinned version, digest and hash, and what is still unresolved.",
     {"dosrun pins", "what is used, what is unresolved"}},
    {COMMAND_PINS_UPDATE,
     "pins update",
     "",
     TAKES_NOTHING,
     "resolve and renew the pins",
     "Computes hashes from the bytes and writes the file of pins.",
     {"dosrun pins update", "resolve what is open"}},
    {COMMAND_KUBECONFIG,
     "kubeconfig",
     "[TARGET]",
     TAKES_WORD_MAYBE,
     "a kubeconfig of an EKS target, for kubectl",
     "Prints a kubeconfig for a target of kind eks, after the same checks as a run. Its user runs dosrun kubeconfig "
     "--cluster-token "
     "CLUSTER, which prints a token as an ExecCredential: kubectl needs neither the aws CLI nor this project.",
     {"dosrun kubeconfig prod > prod.kubeconfig", "then: KUBECONFIG=prod.kubeconfig kubectl get pods -A"}},
    {COMMAND_WHOAMI,
     "whoami",
     "",
     TAKES_NOTHING,
     "which identity, and from where",
     "Says as whom dosrun would act on the target, where the credentials came from, and the target's identity.",
     {"dosrun whoami --target prod", "who would I be on prod"}},
    {COMMAND_DOCTOR,
     "doctor",
     "",
     TAKES_NOTHING,
     "what is missing before a first run",
     "Looks for what a run needs and ends with the next command.",
     {"dosrun doctor", "am I ready"}},
    {COMMAND_VERSION,
     "version",
     "",
     TAKES_NOTHING,
     "print the version",
     "Prints the version of dosrun.",
     {"dosrun version", "which dosrun is this"}},
    {COMMAND_HELP,
     "help",
     "[WORD]",
     TAKES_WORDS,
     "help about a command, an option, a code",
     "Without WORD the overview. WORD is a command, an option, an error code, a word of playbooks (kube.apply, kube, "
     "or "
     "lua for all of them), or \"man\" for the manual page.",
     {"dosrun help plan", "one command", "dosrun help man | man -l -", "the manual page"}},
    {COMMAND_EXPLAIN,
     "explain",
     "[CODE]",
     TAKES_WORD_MAYBE,
     "what an error code means and what to do",
     "Explains an error code with an example. Without CODE it lists them all.",
     {"dosrun explain K104", "the long form of error[K104]"}},
    {COMMAND_COMPLETION,
     "completion",
     "bash|zsh|fish",
     TAKES_WORD,
     "completion for a shell",
     "Prints a script that completes commands, options and their words.",
     {"dosrun completion bash > ~/.local/share/bash-completion/completions/dosrun", "for bash",
      "dosrun completion fish > ~/.config/fish/completions/dosrun.fish", "for fish"}},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

#define AT(member) offsetof(struct command, member)
#define FAULT_KINDS                                                                                           \
    "connect|tls|reset-before|reset-after|timeout|late|throttle|throttle-after|5xx-before|5xx-after|expired|" \
    "forbidden|conflict|quota|body|twice|stale|ghost|stuck|foreign|unready"

static const struct option_row options[] = {
    {"target", 't', OPTION_TEXT, AT(target), TABLE_ANY, "NAME", NULL,
     "a place of playbooks/targets.lua (DOSRUN_TARGET)"},
    {"sandbox", 0, OPTION_FLAG, AT(sandbox), TABLE_ANY, NULL, NULL, "use the simulated cloud (DOSRUN_SANDBOX=1)"},
    {"context", 0, OPTION_TEXT, AT(context), TABLE_ANY, "NAME", NULL, "context of the kubeconfig"},
    {"region", 0, OPTION_TEXT, AT(region), TABLE_ANY, "NAME", NULL, "AWS region"},
    {"profile", 0, OPTION_TEXT, AT(profile), TABLE_ANY, "NAME", NULL, "AWS profile"},
    {"set", 0, OPTION_PAIRS, AT(sets), LOADING, "KEY=VALUE", NULL, "a value for manifests; may be repeated"},
    {"on-failure", 0, OPTION_CHOICE, AT(on_failure), BIT(COMMAND_RUN) | BIT(COMMAND_RESUME), "WHAT", "|rollback|stop",
     "undo or stop when a step fails"},
    {"max-parallel", 0, OPTION_PARALLEL, AT(max_parallel), FORWARD | BIT(COMMAND_ROLLBACK), "N", NULL,
     "how many things go on side by side (8)"},
    {"lock-wait", 0, OPTION_DURATION, AT(lock_wait_ms), ACTING, "DURATION", NULL, "wait for a locked target, e.g. 5m"},
    {"take-over", 0, OPTION_FLAG, AT(take_over), ACTING, NULL, NULL, "take an expired lock from another machine"},
    {"adopt", 0, OPTION_LIST, AT(adopts), FORWARD, "ID", NULL, "take over a thing that is not ours; may be repeated"},
    {"insecure-skip-tls-verify", 0, OPTION_FLAG, AT(insecure), TABLE_ANY, NULL, NULL,
     "allow what the kubeconfig says about not verifying servers"},
    {"edited", 0, OPTION_FLAG, AT(edited), BIT(COMMAND_RESUME), NULL, NULL, "go on with today's files"},
    {"plan", 0, OPTION_FLAG, AT(plan), BIT(COMMAND_ROLLBACK), NULL, NULL, "only list what would be undone"},
    {"calls", 0, OPTION_FLAG, AT(calls), BIT(COMMAND_SHOW), NULL, NULL, "list every call"},
    {"events", 0, OPTION_FLAG, AT(events), BIT(COMMAND_SHOW), NULL, NULL, "print the events as JSON lines"},
    {"raw", 0, OPTION_FLAG, AT(raw), BIT(COMMAND_SANDBOX_SHOW), NULL, NULL, "show everything that is stored"},
    {"after", 0, OPTION_DURATION, AT(after_ms), BIT(COMMAND_SANDBOX_SHOW), "DURATION", NULL,
     "let so much virtual time pass, and show what is different then"},
    {"render", 0, OPTION_TEXT, AT(render_dir), BIT(COMMAND_CHECK), "DIR", NULL, "write the manifests to DIR"},
    {"cluster-token", 0, OPTION_TEXT, AT(token), BIT(COMMAND_KUBECONFIG), "CLUSTER", NULL,
     "print a token for this EKS cluster, as kubectl asks for one"},
    {"yes", 'y', OPTION_YES, AT(yes), TABLE_ANY, "[=NAME]", NULL,
     "answer questions with yes; =NAME also those that ask for the target's name"},
    {"output", 'o', OPTION_CHOICE, AT(output), TABLE_ANY, "MODE", "auto|tree|plain|jsonl|quiet", "how to talk"},
    {"state", 0, OPTION_STATE, AT(state_dir), TABLE_ANY, "DIR", NULL, "folder of journals and locks (DOSRUN_STATE)"},
    {"verbose", 'v', OPTION_COUNT, AT(verbose), TABLE_ANY, NULL, NULL, "also show calls and reads; -vv: debug"},
    {"seed", 0, OPTION_SEED, AT(seed), TABLE_ANY, "N", NULL, "sandbox: the seed of all randomness (1)"},
    {"fault", 0, OPTION_FAULTS, AT(faults), TABLE_ANY, "N:KIND", FAULT_KINDS,
     "sandbox: let attempt N fail; N+:KIND for ever; may be repeated"},
    {"crash", 0, OPTION_CRASH, AT(crash), TABLE_ANY, "N:POINT", "before|intent|sent|answered|outcome",
     "sandbox: end the process at changing call N"},
    {"help", 'h', OPTION_HELP, 0, TABLE_ANY, NULL, NULL, "help about the command"},
    {"version", 0, OPTION_VERSION, 0, TABLE_ANY, NULL, NULL, "print the version"},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

const struct command_row *table_command(enum command_word word)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (commands[i].word == word)
            return &commands[i];
    return NULL;
}

static bool name_is(const char *name, const char *first, const char *second)
{
    size_t len = strlen(first);

    if (strncmp(name, first, len) != 0)
        return false;
    return second ? name[len] == ' ' && strcmp(name + len + 1, second) == 0 : name[len] == '\0';
}

const struct command_row *table_find(const char *first, const char *second)
{
    for (size_t i = 0; *first && i < COMMANDS; i++)
        if (name_is(commands[i].name, first, second))
            return &commands[i];
    return NULL;
}

bool table_has(const char *first)
{
    size_t len = strlen(first);

    for (size_t i = 0; len && i < COMMANDS; i++)
        if (strncmp(commands[i].name, first, len) == 0 && (commands[i].name[len] == ' ' || !commands[i].name[len]))
            return true;
    return false;
}

const struct command_row *table_command_at(size_t index)
{
    return index < COMMANDS ? &commands[index] : NULL;
}

const struct option_row *table_option(const char *name, size_t len)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
            return &options[i];
    return NULL;
}

const struct option_row *table_option_letter(char letter)
{
    for (size_t i = 0; i < OPTIONS; i++)
        if (letter && options[i].letter == letter)
            return &options[i];
    return NULL;
}

const struct option_row *table_option_at(size_t index)
{
    return index < OPTIONS ? &options[index] : NULL;
}

bool table_next_choice(const char **choices, struct view *word)
{
    if (!*choices)
        return false;
    *word = (struct view){*choices, strcspn(*choices, "|")};
    *choices = (*choices)[word->len] ? *choices + word->len + 1 : NULL;
    return true;
}

const char *command_name(enum command_word word)
{
    const struct command_row *row = table_command(word);

    return !row ? "intro" : *row->name ? row->name : "run";
}

bool command_is_option(const char *name)
{
    return table_option(name, strlen(name)) != NULL;
}
