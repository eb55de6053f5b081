/*
 * aws.call: what a run did to one resource is taken back, decided field by field on what is there now.
 *
 * A resource that was there before gets its fields back where they are as before the run or as the run set them;
 * anything else somebody wrote since, and it stays and is listed. One that the run made is deleted when it carries the
 * run's tags and its fields are still as the run left them. What the service keeps because of what others put into it
 * is listed. Its changes are followed by another look, so an undo that was interrupted, or whose answers are lost, just
 * goes on.
 */
#include "aws/undo.h"

#include <stdlib.h>
#include <string.h>

enum { LOOKS_MAX = 120, FAILURES_MAX = 6, ABSENT_MAX = 4, AGAIN_MS = 1000, SETTLE_STEP_MS = 5000, AGAIN_LOOKS = 20 };

struct undo {
    struct aws *aws;
    struct world *world;
    struct doc *spec, *before, *left, *would;
    struct doc *state; /* as it was last seen, with what this undo did since */
    bool guessed;      /* it did something since: the end needs another look */
    char *what;
    bool plan, after_known, seen_settles;
    bool changed;           /* something was sent and accepted */
    bool deleting, deleted; /* the last change sent is the deletion; that was accepted */
    int64_t settle_ms;
    void *owner;
    int looks, failures, absent;
    struct timer *timer;
    undo_done_fn *done;
    void *done_ctx;
};

static void undo_end(struct undo *undo, enum undo_outcome outcome, const struct err *err)
{
    undo_done_fn *done = undo->done;
    void *done_ctx = undo->done_ctx;
    struct doc *left = undo->left;
    struct err told = err ? *err : ERR_INIT;

    for (size_t i = 0; undo->plan && i < doc_size(undo->would); i++)
        doc_push(left, doc_ref(doc_at(undo->would, i)));
    if (!doc_size(left)) {
        doc_unref(left);
        left = NULL;
    }
    if (err)
        err_context(&told, "undo of %s", undo->what);
    timer_stop(undo->timer);
    doc_unref(undo->spec);
    doc_unref(undo->before);
    doc_unref(undo->state);
    doc_unref(undo->would);
    free(undo->what);
    free(undo);
    done(done_ctx, outcome, left, err ? &told : NULL);
}

static void left_add(struct undo *undo, const char *place, const char *key, const char *why, const struct doc *now)
{
    struct doc *entry = doc_object();
    char *what = mem_printf("%s%s%s%s%s%s%s%s", undo->what, place ? ": " : "", place ? place : "", key ? "[" : "",
                            key ? key : "", key ? "]" : "", why ? ": " : "", why ? why : "");

    doc_set_text(entry, "what", what);
    if (now)
        doc_set(entry, "now", doc_copy(now));
    doc_push(undo->left, entry);
    free(what);
}

static void would_add(struct undo *undo, const char *verb, const char *place, const char *key)
{
    struct doc *entry = doc_object();
    char *text = mem_printf("%s %s%s%s%s%s%s", verb, undo->what, place ? ": " : "", place ? place : "", key ? "[" : "",
                            key ? key : "", key ? "]" : "");

    doc_set_text(entry, "would", text);
    doc_push(undo->would, entry);
    free(text);
}

/* ---- looking ---- */

static void undo_decide(struct undo *undo);
static void look(struct undo *undo);

static void look_again(void *ctx)
{
    struct undo *undo = ctx;

    undo->timer = NULL;
    look(undo);
}

static void look_later(struct undo *undo, int64_t delay_ms)
{
    undo->timer = timer_start(undo->world, delay_ms, look_again, undo);
}

/* Trouble on the way, or a change that was refused or whose answer is lost: what is there now decides. */
static void undo_trouble(struct undo *undo, const struct err *err)
{
    bool passing = err->retryable || err->maybe_done || err->kind == ERR_CONFLICT || err->kind == ERR_MISSING ||
                   err->kind == ERR_THROTTLED || err->kind == ERR_SERVER || err->kind == ERR_NETWORK ||
                   err->kind == ERR_TIMEOUT;

    if (passing && ++undo->failures < FAILURES_MAX)
        look_later(undo, (int64_t)AGAIN_MS * undo->failures * undo->failures);
    else
        undo_end(undo, UNDO_FAILED, err);
}

static void looked(void *ctx, struct doc *state, const struct err *err)
{
    struct undo *undo = ctx;

    if (err) {
        undo_trouble(undo, err);
        return;
    }
    doc_unref(undo->state);
    undo->state = state;
    undo->guessed = false;
    undo_decide(undo);
}

static void look(struct undo *undo)
{
    struct err err = ERR_INIT;

    if (++undo->looks > LOOKS_MAX)
        err_set(&err, ERR_CONFLICT, "it changes all the time; given up after %d looks", LOOKS_MAX);
    else if (resource_look_start(undo->aws, undo->spec, true, looked, undo, &err))
        return;
    undo_end(undo, UNDO_FAILED, &err);
}

/* "Not there" is not believed while a lost call could still arrive. */
static bool unsettled(struct undo *undo)
{
    int64_t wait_ms = undo->settle_ms - world_now_ms(undo->world);

    if (wait_ms <= 0 || undo->plan || (undo->changed && undo->seen_settles))
        return false;
    if (undo->looks > LOOKS_MAX / 2)
        undo->looks = LOOKS_MAX / 2; /* this wait has its own bound */
    look_later(undo, wait_ms < SETTLE_STEP_MS ? wait_ms : SETTLE_STEP_MS);
    return true;
}

/* It was there before the run. A service may be behind: "gone" is believed after some looks. */
static bool absent_again(struct undo *undo)
{
    if (undo->plan || ++undo->absent == ABSENT_MAX)
        return false;
    look_later(undo, (int64_t)AGAIN_MS * undo->absent * undo->absent);
    return true;
}

/* ---- changing ---- */

static void changed(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct undo *undo = ctx;

    (void)result;
    (void)answer;
    if (err && resource_says(doc_get(undo->spec, "holds"), err)) {
        left_add(undo, NULL, NULL, err->message, NULL);
        undo_end(undo, UNDO_FOREIGN, NULL);
    } else if (err) {
        undo_trouble(undo, err);
    } else {
        undo->changed = true;
        undo->deleted = undo->deleting;
        if (undo->deleting)
            look(undo);
        else
            undo_decide(undo);
    }
}

static void change(struct undo *undo, const struct doc *call, struct doc *context)
{
    struct aws_request request;
    struct err err = ERR_INIT;
    struct doc *params = resource_params(call, context, &err);
    char *subject;

    doc_unref(context);
    if (!params || resource_request(undo->aws, undo->spec, call, &request, &err) < 0) {
        doc_unref(params);
        undo_end(undo, UNDO_FAILED, &err);
        return;
    }
    subject = mem_printf("aws %s %s of %s", doc_as_text(doc_get(undo->spec, "service"), ""),
                         aws_operation_name(request.operation), undo->what);
    request.params = params;
    request.owner = undo->owner;
    request.backward = true;
    request.subject = subject;
    aws_send(undo->aws, &request, changed, undo);
    doc_unref(params);
    free(subject);
}

/* So that what comes next needs no look. */
static void state_guess(struct undo *undo, const struct doc *field, const char *key, const struct doc *value)
{
    struct doc *in = doc_get(undo->state, "fields");
    const char *name = doc_as_text(doc_get(field, "name"), "");

    if (key) {
        in = doc_get(in, name);
        name = key;
    }
    doc_set(in, name, doc_ref(value));
    undo->guessed = true;
}

/* Puts the value back, or unsets it; key: an entry of a map that is put one by one. */
static void field_restore(struct undo *undo, const struct doc *field, const char *key, const struct doc *value)
{
    bool entry = key && !doc_as_bool(doc_get(field, "whole"), false);
    struct doc *context, *wire = NULL;
    const struct doc *call = doc_get(field, value ? "put" : "unset");
    struct err err = ERR_INIT;

    if (!call) {
        err_set(&err, ERR_USAGE, "%s cannot be %s", doc_as_text(doc_get(field, "name"), ""), value ? "set" : "unset");
        undo_end(undo, UNDO_FAILED, &err);
        return;
    }
    if (value)
        wire = resource_wire(field, value, entry);
    state_guess(undo, field, entry ? key : NULL, value);
    context = resource_context(undo->spec, undo->state);
    if (entry)
        doc_set_text(context, "key", key);
    if (value)
        doc_set(context, "value", wire);
    change(undo, call, context);
}

/* ---- deciding ---- */

static bool one_of(const struct undo *undo, const struct doc *field, const struct doc *list, const struct doc *value)
{
    for (size_t i = 0; i < doc_size(list); i++) {
        const struct doc *one = doc_at(list, i);

        if (doc_type(one) == DOC_NULL ? !value : resource_same(aws_marks(undo->aws), field, one, value))
            return true;
    }
    return false;
}

/* What the run set one entry to, from what it set the whole map to. */
static struct doc *entries_of(const struct doc *maps, const char *key)
{
    struct doc *list = doc_array();

    for (size_t i = 0; i < doc_size(maps); i++) {
        struct doc *value = doc_get(doc_at(maps, i), key);

        doc_push(list, value ? doc_ref(value) : doc_null());
    }
    return list;
}

enum place { PLACE_AS_BEFORE, PLACE_OURS, PLACE_FOREIGN };

static enum place place_judge(const struct undo *undo, const struct doc *field, const struct doc *before,
                              const struct doc *now, const struct doc *ours)
{
    bool touched = false;

    for (size_t i = 0; i < doc_size(ours); i++) {
        const struct doc *one = doc_at(ours, i);

        touched = touched || (doc_type(one) == DOC_NULL ? before != NULL
                                                        : !resource_same(aws_marks(undo->aws), field, one, before));
    }
    if (!touched || (!before && !now) || resource_same(aws_marks(undo->aws), field, before, now))
        return PLACE_AS_BEFORE;
    return one_of(undo, field, ours, now) ? PLACE_OURS : PLACE_FOREIGN;
}

/* A map before the run, with what others did to other entries since. */
static struct doc *map_restored(const struct undo *undo, const struct doc *field, const struct doc *before,
                                const struct doc *now, const struct doc *ours)
{
    struct doc *map = doc_copy(now);

    for (size_t i = 0; i < doc_size(ours); i++) {
        DOC_EACH(member, doc_at(ours, i))
        {
            struct doc *values = entries_of(ours, member.key), *was = doc_get(before, member.key);

            if (place_judge(undo, field, was, doc_get(now, member.key), values) == PLACE_OURS)
                doc_set(map, member.key, was ? doc_ref(was) : NULL);
            doc_unref(values);
        }
    }
    DOC_EACH(member, before)
    {
        struct doc *values = entries_of(ours, member.key);

        if (place_judge(undo, field, member.value, doc_get(now, member.key), values) == PLACE_OURS)
            doc_set(map, member.key, doc_ref(member.value));
        doc_unref(values);
    }
    return map;
}

/* All keys that one of them has. */
static struct doc *keys_of(const struct doc *before, const struct doc *now, const struct doc *ours)
{
    struct doc *keys = doc_object();

    DOC_EACH(member, before)
    {
        doc_set(keys, member.key, doc_null());
    }
    DOC_EACH(member, now)
    {
        doc_set(keys, member.key, doc_null());
    }
    for (size_t i = 0; i < doc_size(ours); i++) {
        DOC_EACH(member, doc_at(ours, i))
        {
            doc_set(keys, member.key, doc_null());
        }
    }
    return keys;
}

/* One field: true when a call was sent, and another look follows. */
static bool field_undo(struct undo *undo, const struct doc *field)
{
    const char *name = doc_as_text(doc_get(field, "name"), "");
    const struct doc *ours = doc_path(undo->spec, "ours", name, NULL);
    struct doc *before = doc_path(undo->before, "fields", name, NULL);
    struct doc *now = doc_path(undo->state, "fields", name, NULL), *keys = NULL, *map = NULL;
    bool sent = false;

    if (!doc_get(field, "map")) {
        enum place place = place_judge(undo, field, before, now, ours);

        if (place == PLACE_FOREIGN)
            left_add(undo, name, NULL, NULL, now);
        if (place == PLACE_OURS)
            would_add(undo, "restore", name, NULL);
        sent = place == PLACE_OURS && !undo->plan;
        if (sent)
            field_restore(undo, field, NULL, before);
        return sent;
    }
    keys = keys_of(before, now, ours);
    DOC_EACH(key, keys)
    {
        struct doc *values = entries_of(ours, key.key), *was = doc_get(before, key.key), *is = doc_get(now, key.key);
        enum place place = place_judge(undo, field, was, is, values);

        doc_unref(values);
        if (place == PLACE_FOREIGN)
            left_add(undo, name, key.key, NULL, is);
        if (place == PLACE_OURS)
            would_add(undo, "restore", name, key.key);
        if (place != PLACE_OURS || undo->plan)
            continue;
        if (doc_as_bool(doc_get(field, "whole"), false)) {
            map = map_restored(undo, field, before, now, ours);
            was = doc_size(map) || !doc_get(field, "unset") ? map : NULL;
        }
        field_restore(undo, field, key.key, was);
        sent = true;
        break;
    }
    doc_unref(map);
    doc_unref(keys);
    return sent;
}

static void fields_undo(struct undo *undo)
{
    const struct doc *fields = doc_get(undo->spec, "fields");

    for (size_t i = 0; i < doc_size(fields); i++)
        if (field_undo(undo, doc_at(fields, i)))
            return;
    if (undo->guessed)
        look(undo);
    else if (doc_size(undo->left))
        undo_end(undo, UNDO_FOREIGN, NULL);
    else if (undo->plan && doc_size(undo->would))
        undo_end(undo, UNDO_DONE, NULL);
    else
        undo_end(undo, undo->changed ? UNDO_DONE : UNDO_ALREADY, NULL);
}

/* ---- what the run made ---- */

/*
 * By the tags that came with its creation; where there are none (a kind without tags, a service that passes over them
 * in the creating request) by what the journal knows of it.
 */
static bool made_by_run(const struct undo *undo)
{
    const struct doc *tags = doc_path(undo->state, "fields", "tags", NULL);
    const char *id = doc_path_text(undo->spec, "id", NULL), *run = doc_path_text(undo->spec, "run", NULL);

    if (!doc_as_bool(doc_get(undo->spec, "tagged"), false))
        return undo->after_known;
    if (doc_as_bool(doc_get(undo->spec, "made"), false) && !doc_get(tags, "dosrun:id"))
        return true;
    return id && run && strcmp(doc_as_text(doc_get(tags, "dosrun:id"), ""), id) == 0 &&
           strcmp(doc_as_text(doc_get(tags, "dosrun:run"), ""), run) == 0;
}

/*
 * Lists what others changed of what the run had set, as far as that is known, and what they put inside. What is not
 * there any more is no loss: it goes anyway, and an undo that was interrupted has emptied it.
 */
static void changed_since(struct undo *undo, const struct doc *field)
{
    const char *name = doc_as_text(doc_get(field, "name"), "");
    const struct doc *ours = doc_path(undo->spec, "ours", name, NULL);
    const struct doc *now = doc_path(undo->state, "fields", name, NULL);
    bool inside = doc_as_bool(doc_get(field, "inside"), false);
    struct doc *keys;

    if (!doc_get(field, "map")) {
        if (undo->after_known && now && doc_size(ours) && !one_of(undo, field, ours, now))
            left_add(undo, name, NULL, NULL, now);
        return;
    }
    keys = keys_of(NULL, now, ours);
    DOC_EACH(key, keys)
    {
        struct doc *values = entries_of(ours, key.key), *is = doc_get(now, key.key);
        bool set = false;

        for (size_t i = 0; i < doc_size(values); i++)
            set = set || doc_type(doc_at(values, i)) != DOC_NULL;
        if (is && (set ? undo->after_known && !one_of(undo, field, values, is) : inside))
            left_add(undo, name, key.key, NULL, is);
        doc_unref(values);
    }
    doc_unref(keys);
}

/* What must be empty first; true when a call was sent. */
static bool inside_empty(struct undo *undo)
{
    const struct doc *fields = doc_get(undo->spec, "fields");

    for (size_t i = 0; i < doc_size(fields); i++) {
        const struct doc *field = doc_at(fields, i);
        const struct doc *now = doc_path(undo->state, "fields", doc_as_text(doc_get(field, "name"), ""), NULL);

        if (!doc_as_bool(doc_get(field, "inside"), false))
            continue;
        DOC_EACH(member, now)
        {
            char *key = mem_text(member.key); /* it goes from the state as well */

            field_restore(undo, field, key, NULL);
            free(key);
            return true;
        }
    }
    return false;
}

static void create_undo(struct undo *undo)
{
    const struct doc *fields = doc_get(undo->spec, "fields");

    if (!made_by_run(undo)) {
        left_add(undo, NULL, NULL, "it is not what this run made", NULL);
        undo_end(undo, UNDO_FOREIGN, NULL);
        return;
    }
    for (size_t i = 0; i < doc_size(fields); i++)
        changed_since(undo, doc_at(fields, i));
    if (doc_size(undo->left)) {
        undo_end(undo, UNDO_FOREIGN, NULL);
    } else if (undo->plan) {
        would_add(undo, "delete", NULL, NULL);
        undo_end(undo, UNDO_DONE, NULL);
    } else if (!inside_empty(undo)) {
        undo->deleting = true;
        change(undo, doc_get(undo->spec, "delete"), resource_context(undo->spec, undo->state));
    }
}

/* The service said that it goes; some take their time, and lists may still have it. */
static bool going(struct undo *undo)
{
    if (!undo->deleted || undo->looks % AGAIN_LOOKS == 0)
        return false;
    look_later(undo, undo->looks < SETTLE_STEP_MS / AGAIN_MS ? AGAIN_MS : SETTLE_STEP_MS);
    return true;
}

static void undo_decide(struct undo *undo)
{
    doc_clear(undo->left); /* what was seen before counts no more */
    doc_clear(undo->would);
    if (undo->before && undo->state) {
        fields_undo(undo);
    } else if (undo->before) {
        if (absent_again(undo))
            return;
        left_add(undo, NULL, NULL, "somebody deleted it", NULL);
        undo_end(undo, UNDO_FOREIGN, NULL);
    } else if (undo->state) {
        if (!going(undo))
            create_undo(undo);
    } else if (!unsettled(undo)) {
        undo_end(undo, undo->changed ? UNDO_DONE : UNDO_ALREADY, NULL);
    }
}

void aws_undo_start(struct aws *aws, struct world *world, const struct undo_request *request, undo_done_fn *done,
                    void *done_ctx)
{
    struct undo *undo = mem_alloc(sizeof(*undo));

    *undo = (struct undo){.aws = aws,
                          .world = world,
                          .spec = doc_ref(request->undo),
                          .before = doc_ref(request->before),
                          .left = doc_array(),
                          .would = doc_array(),
                          .plan = request->plan,
                          .after_known = request->after_known,
                          .seen_settles = request->seen_settles,
                          .settle_ms = request->settle_ms,
                          .owner = request->owner,
                          .done = done,
                          .done_ctx = done_ctx};
    undo->what = mem_printf("%s %s", doc_as_text(doc_get(undo->spec, "kind"), "resource"),
                            doc_as_text(doc_get(undo->spec, "name"), ""));
    look(undo);
}
