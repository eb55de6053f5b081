/*
 * --fault N:KIND, N+:KIND and --crash N:POINT: read, aimed, counted. What a kind does at the network
 * and process doors stands there.
 */
#include "sandbox/core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const kind_names[FAULT_KINDS] = {
    [FAULT_CONNECT] = "connect",
    [FAULT_TLS] = "tls",
    [FAULT_RESET_BEFORE] = "reset-before",
    [FAULT_RESET_AFTER] = "reset-after",
    [FAULT_TIMEOUT] = "timeout",
    [FAULT_LATE] = "late",
    [FAULT_THROTTLE] = "throttle",
    [FAULT_THROTTLE_AFTER] = "throttle-after",
    [FAULT_5XX_BEFORE] = "5xx-before",
    [FAULT_5XX_AFTER] = "5xx-after",
    [FAULT_EXPIRED] = "expired",
    [FAULT_FORBIDDEN] = "forbidden",
    [FAULT_CONFLICT] = "conflict",
    [FAULT_QUOTA] = "quota",
    [FAULT_BODY] = "body",
    [FAULT_TWICE] = "twice",
    [FAULT_STALE] = "stale",
    [FAULT_GHOST] = "ghost",
    [FAULT_STUCK] = "stuck",
    [FAULT_FOREIGN] = "foreign",
    [FAULT_UNREADY] = "unready",
};

static const char *const point_names[] = {
    [CRASH_BEFORE] = "before",     [CRASH_INTENT] = "intent",   [CRASH_SENT] = "sent",
    [CRASH_ANSWERED] = "answered", [CRASH_OUTCOME] = "outcome",
};
enum { POINTS = sizeof(point_names) / sizeof(point_names[0]) };

struct sim_fault {
    const char *text; /* as given */
    uint64_t attempt;
    uint64_t logical; /* of that attempt, for N+ once it was seen; 0 before */
    bool forever;
    bool struck;
    enum fault_kind kind;
};

struct sim_faults {
    struct sim_fault *list;
    size_t len;
    char **texts;
    uint64_t crash_attempt; /* 0: no crash wanted */
    enum crash_point crash_point;
    bool crash_reads; /* the attempt came and changes nothing */
};

static void names_add(struct buf *out, const char *const *names, size_t first, size_t count)
{
    for (size_t i = first; i < count; i++)
        buf_addf(out, "%s%s", i > first ? ", " : "", names[i]);
}

/* "12:word" or, where plus is not NULL, "12+:word". Returns the word, NULL when the text is not so. */
static const char *number_parse(const char *text, uint64_t *number, bool *plus)
{
    char *end;

    if (*text < '1' || *text > '9')
        return NULL;
    *number = strtoull(text, &end, 10);
    if (plus && *end == '+') {
        *plus = true;
        end++;
    }
    return *end == ':' && *number <= UINT32_MAX ? end + 1 : NULL;
}

static int fault_parse(const char *text, struct sim_fault *fault, struct err *err)
{
    const char *word = number_parse(text, &fault->attempt, &fault->forever);
    struct buf names;

    for (size_t i = 1; word && i < FAULT_KINDS; i++)
        if (strcmp(word, kind_names[i]) == 0)
            fault->kind = (enum fault_kind)i;
    if (fault->kind != FAULT_NONE)
        return 0;
    buf_init(&names, 1024);
    names_add(&names, kind_names, 1, FAULT_KINDS);
    if (!word)
        err_set(err, ERR_USAGE,
                "--fault %s: not a number of an attempt and a kind, like 12:late, or 12+:late for all its retries too",
                text);
    else
        err_set(err, ERR_USAGE, "--fault %s: there is no kind \"%s\"; kinds: %s", text, word, buf_text(&names));
    buf_free(&names);
    return -1;
}

static int crash_parse(const char *text, struct sim_faults *faults, struct err *err)
{
    const char *word = number_parse(text, &faults->crash_attempt, NULL);
    struct buf names;

    for (size_t i = 0; word && i < POINTS; i++) {
        if (strcmp(word, point_names[i]) == 0) {
            faults->crash_point = (enum crash_point)i;
            return 0;
        }
    }
    buf_init(&names, 256);
    names_add(&names, point_names, 0, POINTS);
    if (!word)
        err_set(err, ERR_USAGE, "--crash %s: not a number of an attempt and a point, like 12:sent; points: %s", text,
                buf_text(&names));
    else
        err_set(err, ERR_USAGE, "--crash %s: there is no point \"%s\"; points: %s", text, word, buf_text(&names));
    buf_free(&names);
    return -1;
}

struct sim_faults *sim_faults_new(const char *const *texts, const char *crash, struct err *err)
{
    struct sim_faults *faults = mem_alloc(sizeof(*faults));
    size_t len = 0;

    while (texts && texts[len])
        len++;
    faults->list = mem_array(len ? len : 1, sizeof(*faults->list));
    faults->texts = mem_array(len ? len : 1, sizeof(*faults->texts));
    faults->len = len;
    for (size_t i = 0; i < len; i++) {
        faults->texts[i] = mem_text(texts[i]);
        faults->list[i].text = faults->texts[i];
        if (fault_parse(texts[i], &faults->list[i], err))
            goto failed;
    }
    if (crash && crash_parse(crash, faults, err))
        goto failed;
    return faults;
failed:
    sim_faults_free(faults);
    return NULL;
}

void sim_faults_free(struct sim_faults *faults)
{
    if (!faults)
        return;
    for (size_t i = 0; i < faults->len; i++)
        free(faults->texts[i]);
    free(faults->texts);
    free(faults->list);
    free(faults);
}

/* N+ means the logical call that attempt N belongs to, from N on; what undoes is left alone. */
static bool hits(struct sim_fault *fault, uint64_t attempt, uint64_t logical, bool backward)
{
    if (!fault->forever)
        return fault->attempt == attempt;
    if (backward)
        return false;
    if (fault->attempt == attempt)
        fault->logical = logical;
    return fault->logical != 0 && fault->logical == logical;
}

struct sim_fault *sim_fault_pick(struct sim_faults *faults, uint64_t attempt, uint64_t logical, bool changes,
                                 bool backward)
{
    struct sim_fault *picked = NULL;

    if (faults->crash_attempt == attempt && !changes)
        faults->crash_reads = true;
    for (size_t i = 0; i < faults->len; i++)
        if (hits(&faults->list[i], attempt, logical, backward) && !picked)
            picked = &faults->list[i];
    return picked;
}

enum fault_kind sim_fault_kind(const struct sim_fault *fault)
{
    return fault ? fault->kind : FAULT_NONE;
}

const char *sim_fault_name(enum fault_kind kind)
{
    return kind_names[kind];
}

void sim_fault_struck(struct sim_fault *fault)
{
    fault->struck = true;
}

void sim_crash(struct sim *sim, uint64_t attempt, enum crash_point point)
{
    if (sim->faults->crash_attempt != attempt || sim->faults->crash_point != point)
        return;
    sim_store_flush(sim->store);
    _exit(137);
}

void sim_faults_left(const struct sim_faults *faults, struct doc *out)
{
    for (size_t i = 0; i < faults->len; i++)
        if (!faults->list[i].struck)
            doc_push(out, doc_text(faults->list[i].text));
}

bool sim_crash_wrong(const struct sim_faults *faults, uint64_t attempts)
{
    return faults->crash_attempt != 0 && (faults->crash_reads || faults->crash_attempt > attempts);
}
