/*
 * Who we are: asks the sources of a chain one after the other until one gives, and from then on that one alone.
 * A source may answer at once or later; however many wait, one question is under way.
 */
#include "aws/credentials_inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    EARLY_MS = 5 * 60 * 1000,     /* before the end; half of what is left for short-lived ones */
    PAUSE_MS = 60 * 1000,         /* after a refresh that failed while the old ones still serve */
    REPLACED_LATELY_MS = 5 * 1000 /* a refusal so soon after a change still means the ones before */
};

struct aws_wait {
    struct list link;
    aws_identity_fn *fn;
    void *ctx;
};

const struct aws_source *const CREDENTIALS_WHOLE[] = {&AWS_SOURCE_ENVIRONMENT,
                                                      &AWS_SOURCE_ROLE,
                                                      &AWS_SOURCE_WEB_IDENTITY,
                                                      &AWS_SOURCE_SSO,
                                                      &AWS_SOURCE_CREDENTIALS_FILE,
                                                      &AWS_SOURCE_LOGIN,
                                                      &AWS_SOURCE_PROCESS,
                                                      &AWS_SOURCE_CONFIG_FILE,
                                                      &AWS_SOURCE_CONTAINER,
                                                      &AWS_SOURCE_IMDS,
                                                      NULL};
const struct aws_source *const CREDENTIALS_PROFILE[] = {&AWS_SOURCE_WEB_IDENTITY,
                                                        &AWS_SOURCE_SSO,
                                                        &AWS_SOURCE_CREDENTIALS_FILE,
                                                        &AWS_SOURCE_LOGIN,
                                                        &AWS_SOURCE_PROCESS,
                                                        &AWS_SOURCE_CONFIG_FILE,
                                                        NULL};
static const struct aws_source *const ON_TOP[] = {&AWS_SOURCE_ROLE_ON_TOP, NULL};

/* ---- what came ---- */

static bool text_equal(const char *a, const char *b)
{
    return !a || !b ? a == b : strcmp(a, b) == 0;
}

static bool identity_equal(const struct aws_identity *a, const struct aws_identity *b)
{
    return text_equal(a->access_key, b->access_key) && text_equal(a->secret_key, b->secret_key) &&
           text_equal(a->session_token, b->session_token);
}

static int64_t refresh_time(const struct aws_identity *identity, int64_t now_ms)
{
    int64_t left_ms = identity->expires_ms - now_ms;

    if (!identity->expires_ms)
        return 0;
    return identity->expires_ms - (left_ms / 2 < EARLY_MS ? left_ms / 2 : EARLY_MS);
}

/* Moves what a source gave into its place, unless it is of no use. */
static void identity_take(struct aws_credentials *credentials)
{
    struct aws_identity *fresh = &credentials->fresh;
    int64_t now_ms = world_now_ms(credentials->world);
    bool equal = credentials->known && identity_equal(fresh, &credentials->identity);
    struct err *err = &credentials->answer;

    if (fresh->expires_ms && fresh->expires_ms <= now_ms) {
        err_set(err, ERR_AUTH, "%s: what it gives has expired already", credentials->fresh_source);
        err_explain(err, "A204");
    } else if (equal && credentials->refused) {
        err_set(err, ERR_AUTH, "%s has no other keys than those that AWS refuses", credentials->fresh_source);
        err_explain(err, "A205");
    }
    if (err->kind) {
        aws_identity_clear(fresh);
        free(credentials->fresh_source);
    } else {
        if (credentials->known && !equal) {
            credentials->replaced = true;
            credentials->replaced_ms = world_mono_ms(credentials->world);
        }
        aws_identity_clear(&credentials->identity);
        free(credentials->source);
        credentials->identity = *fresh;
        credentials->source = credentials->fresh_source;
        credentials->known = credentials->chosen = true;
        credentials->refused = false;
        credentials->refresh_ms = refresh_time(fresh, now_ms);
        *fresh = (struct aws_identity){0};
    }
    credentials->fresh_source = NULL;
}

static bool usable(const struct aws_credentials *credentials)
{
    int64_t expires_ms = credentials->identity.expires_ms;

    return credentials->known && !credentials->refused &&
           (!expires_ms || world_now_ms(credentials->world) < expires_ms);
}

/* ---- asking ---- */

static void asking_end(struct aws_credentials *credentials)
{
    struct err answer = credentials->answer; /* whoever is told may begin the next question */
    const struct err *err = answer.kind ? &answer : NULL;
    struct list waiters;

    credentials->asking = false;
    if (err && usable(credentials)) {
        int64_t now_ms = world_now_ms(credentials->world), left_ms = credentials->identity.expires_ms - now_ms;

        credentials->refresh_ms = now_ms + (left_ms / 2 < PAUSE_MS ? left_ms / 2 : PAUSE_MS);
        err = NULL;
    }
    list_init(&waiters);
    while (!list_empty(&credentials->waiters)) {
        struct list *link = credentials->waiters.next;

        list_remove(link);
        list_add_tail(&waiters, link);
    }
    while (!list_empty(&waiters)) {
        struct aws_wait *wait = LIST_OF(waiters.next, struct aws_wait, link);
        aws_identity_fn *fn = wait->fn;
        void *ctx = wait->ctx;

        list_remove(&wait->link);
        free(wait);
        fn(ctx, err ? NULL : &credentials->identity, err);
    }
}

static void nothing_anywhere(struct aws_credentials *credentials)
{
    struct err *err = &credentials->answer;

    err_clear(err);
    err_set(err, ERR_AUTH, "there are no AWS credentials%s%s%s", credentials->above ? " of profile " : "",
            credentials->above ? credentials->profile : "", buf_text(&credentials->tried));
    err_explain(err, "A203");
}

/* True: the next source is to be asked. */
static bool answer_judge(struct aws_credentials *credentials)
{
    const struct aws_source *source = credentials->chain[credentials->at];
    struct err *err = &credentials->answer;

    if (!err->kind) {
        identity_take(credentials);
    } else if (err->kind == ERR_MISSING && !credentials->chosen) {
        buf_addf(&credentials->tried, "\n= tried: %s: %s", source->name, err->message);
        if (credentials->chain[++credentials->at])
            return true;
        nothing_anywhere(credentials);
    } else if (err->kind != ERR_USAGE) {
        err->kind = ERR_AUTH;
        err_explain(err, "A204");
        err_context(err, "%s", source->name);
    }
    asking_end(credentials);
    return false;
}

static void chain_go(struct aws_credentials *credentials)
{
    do {
        credentials->inside = true;
        credentials->answered = false;
        credentials->chain[credentials->at]->fetch(credentials);
        credentials->inside = false;
    } while (credentials->answered && answer_judge(credentials));
}

static void ask(struct aws_credentials *credentials)
{
    credentials->asking = true;
    if (!credentials->chosen) {
        credentials->at = 0;
        buf_reset(&credentials->tried);
    }
    chain_go(credentials);
}

static void source_answered(struct aws_credentials *credentials)
{
    assert(credentials->asking && !credentials->work);
    if (credentials->inside)
        credentials->answered = true;
    else if (answer_judge(credentials))
        chain_go(credentials);
}

void aws_source_done(struct aws_credentials *credentials, struct aws_identity *identity, const char *source,
                     const struct err *err)
{
    credentials->answer = err ? *err : ERR_INIT;
    if (err && err->kind == ERR_MISSING) /* a service or a program said so: that does not mean "none here" */
        credentials->answer.kind = ERR_AUTH;
    if (!err) {
        credentials->fresh = *identity;
        *identity = (struct aws_identity){0};
        credentials->fresh_source = mem_text(source);
    }
    source_answered(credentials);
}

static void answer_set(struct aws_credentials *credentials, enum err_kind kind, const char *format, va_list args)
{
    struct buf text;

    buf_init(&text, sizeof(credentials->answer.message));
    buf_vaddf(&text, format, args);
    credentials->answer = ERR_INIT;
    err_set(&credentials->answer, kind, "%s", buf_text(&text));
    buf_free(&text);
}

void aws_source_none(struct aws_credentials *credentials, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    answer_set(credentials, ERR_MISSING, format, args);
    va_end(args);
    source_answered(credentials);
}

void aws_source_failed(struct aws_credentials *credentials, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    answer_set(credentials, ERR_AUTH, format, args);
    va_end(args);
    source_answered(credentials);
}

/* ---- the public face ---- */

static struct aws_credentials *credentials_new(struct aws_transport *transport, const struct aws_table *table)
{
    struct aws_credentials *credentials = mem_alloc(sizeof(*credentials));

    credentials->transport = transport;
    credentials->world = transport->world;
    credentials->config = transport->config;
    credentials->table = table;
    list_init(&credentials->waiters);
    buf_init(&credentials->tried, sizeof(((struct err *)NULL)->message));
    return credentials;
}

struct aws_credentials *aws_credentials_new(struct aws_transport *transport, const struct aws_table *table,
                                            const char *role)
{
    struct aws_credentials *credentials = credentials_new(transport, table);

    credentials->profile = mem_text(aws_config_profile(transport->config));
    credentials->environment = !aws_config_profile_chosen(transport->config);
    credentials->role = mem_text(role);
    credentials->chain = role ? ON_TOP : CREDENTIALS_WHOLE;
    return credentials;
}

struct aws_credentials *credentials_new_below(struct aws_credentials *above, const char *profile,
                                              const struct aws_source *const *chain)
{
    struct aws_credentials *credentials = credentials_new(above->transport, above->table);

    credentials->profile = mem_text(profile);
    credentials->chain = chain;
    credentials->above = above;
    return credentials;
}

void aws_credentials_free(struct aws_credentials *credentials)
{
    if (!credentials)
        return;
    if (credentials->asking)
        credentials->chain[credentials->at]->cancel(credentials);
    while (!list_empty(&credentials->waiters)) {
        struct aws_wait *wait = LIST_OF(credentials->waiters.next, struct aws_wait, link);

        list_remove(&wait->link);
        free(wait);
    }
    aws_credentials_free(credentials->below);
    aws_identity_clear(&credentials->identity);
    buf_free(&credentials->tried);
    free(credentials->profile);
    free(credentials->role);
    free(credentials->source);
    free(credentials);
}

static bool replaced_lately(const struct aws_credentials *credentials)
{
    return credentials->replaced && world_mono_ms(credentials->world) - credentials->replaced_ms < REPLACED_LATELY_MS;
}

struct aws_wait *aws_credentials_get(struct aws_credentials *credentials, bool refused, aws_identity_fn *fn, void *ctx)
{
    struct aws_wait *wait;
    struct err answer;
    bool good;

    if (refused && credentials->known && !replaced_lately(credentials))
        credentials->refused = true;
    good = usable(credentials);
    if (!credentials->asking &&
        (!good || (credentials->refresh_ms && world_now_ms(credentials->world) >= credentials->refresh_ms))) {
        ask(credentials);
        good = usable(credentials);
    }
    if (good || !credentials->asking) {
        answer = credentials->answer;
        fn(ctx, good ? &credentials->identity : NULL, good ? NULL : &answer);
        return NULL;
    }
    wait = mem_alloc(sizeof(*wait));
    wait->fn = fn;
    wait->ctx = ctx;
    list_add_tail(&credentials->waiters, &wait->link);
    return wait;
}

void aws_credentials_cancel(struct aws_wait *wait)
{
    if (!wait)
        return;
    list_remove(&wait->link);
    free(wait);
}

const char *aws_credentials_source(const struct aws_credentials *credentials)
{
    return credentials->source ? credentials->source : "";
}

int64_t aws_credentials_expire_ms(const struct aws_credentials *credentials)
{
    return credentials->known ? credentials->identity.expires_ms : 0;
}
