/* What the sources of credentials share: settings, documents of keys, and pages that machines and containers have. */
#include "aws/credentials_inside.h"

#include "base/secret.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *credentials_setting(const struct aws_credentials *credentials, const char *name)
{
    const char *value = aws_config_get(credentials->config, credentials->profile, name);

    return value && value[0] ? value : NULL;
}

char *credentials_text(const struct doc *object, const char *name)
{
    const char *text = doc_as_text(doc_get(object, name), "");

    return text[0] ? mem_text(text) : NULL;
}

int64_t credentials_time(const char *text)
{
    double seconds;

    return text && aws_time_parse(view_of(text), &seconds) && seconds > 0 && seconds < 1e12 ? (int64_t)(seconds * 1000)
                                                                                            : -1;
}

void credentials_session_name(struct aws_credentials *credentials, const char *configured, char out[65])
{
    if (configured)
        snprintf(out, 65, "%s", configured);
    else
        snprintf(out, 65, "dosrun-%lld", (long long)(world_now_ms(credentials->world) / 1000));
}

/* ---- documents ---- */

static void doc_wipe(const struct doc *doc)
{
    if (doc_is(doc, DOC_STRING)) {
        struct view text = doc_as_view(doc);

        secret_wipe((char *)(uintptr_t)text.ptr, text.len);
    } else if (doc_is(doc, DOC_OBJECT)) {
        DOC_EACH(member, doc)
        doc_wipe(member.value);
    } else {
        for (size_t i = 0; i < doc_size(doc); i++)
            doc_wipe(doc_at(doc, i));
    }
}

void credentials_doc_free(struct doc *doc)
{
    doc_wipe(doc);
    doc_unref(doc);
}

int credentials_read(const struct doc *object, struct aws_identity *identity, struct err *err)
{
    const struct doc *expires = doc_get(object, "Expiration");
    const char *names[] = {"AccessKeyId", "SecretAccessKey"};

    for (size_t i = 0; i < 2; i++)
        if (!doc_as_text(doc_get(object, names[i]), "")[0])
            return err_set(err, ERR_AUTH, "the answer has no %s", names[i]);
    if (expires && !doc_is(expires, DOC_NULL) && credentials_time(doc_as_text(expires, NULL)) < 0)
        return err_set(err, ERR_AUTH, "the answer's Expiration is no time");
    *identity = (struct aws_identity){
        .access_key = credentials_text(object, "AccessKeyId"),
        .secret_key = credentials_text(object, "SecretAccessKey"),
        .session_token = credentials_text(object, doc_get(object, "Token") ? "Token" : "SessionToken"),
        .account = credentials_text(object, "AccountId"),
        .expires_ms = doc_is(expires, DOC_STRING) ? credentials_time(doc_as_text(expires, NULL)) : 0,
    };
    return 0;
}

/* ---- pages ---- */

struct credentials_asked {
    struct http_call *call;
    char *prefix; /* "GET http://...: ", which http puts in front of errors */
    char *shown;  /* the same without a query */
    credentials_ask_fn *fn;
    void *ctx;
};

static void asked_free(struct credentials_asked *asked)
{
    free(asked->prefix);
    free(asked->shown);
    free(asked);
}

/* The body is not quoted: who knows what stands in it. */
static void body_unsaid(void *ctx, const struct http_answer *answer, struct err *err)
{
    (void)ctx;
    (void)answer;
    (void)err;
}

static void asked_end(void *ctx, const struct http_answer *answer, const struct err *failed)
{
    struct credentials_asked *asked = ctx;
    struct err err = failed ? *failed : ERR_INIT;

    if (failed && strncmp(failed->message, asked->prefix, strlen(asked->prefix)) == 0)
        err_set(&err, failed->kind, "%s: %s", asked->shown, failed->message + strlen(asked->prefix));
    else if (!failed && answer->status != 200)
        err_set(&err, ERR_SERVER, "%s: it answered %d", asked->shown, answer->status);
    asked->fn(asked->ctx, answer->status, answer->body, err.kind ? &err : NULL);
    asked_free(asked);
}

struct credentials_asked *credentials_ask(struct aws_credentials *credentials, const struct credentials_ask *ask,
                                          credentials_ask_fn *fn, void *ctx)
{
    static const struct http_fns fns = {.end = asked_end};
    struct credentials_asked *asked = mem_alloc(sizeof(*asked));
    struct header headers[] = {{"Accept", "*/*"}, {ask->header, ask->value}};

    asked->fn = fn;
    asked->ctx = ctx;
    asked->prefix = mem_printf("%s %s: ", ask->method, ask->url);
    asked->shown = mem_printf("%s %.*s", ask->method, (int)strcspn(ask->url, "?"), ask->url);
    asked->call = http_send(credentials->transport->http,
                            &(struct http_request){.method = ask->method,
                                                   .url = ask->url,
                                                   .headers = headers,
                                                   .headers_len = ask->header ? 2 : 1,
                                                   .class = HTTP_READS,
                                                   .metadata = true,
                                                   .tls = &credentials->transport->tls,
                                                   .timeout_ms = ask->timeout_ms,
                                                   .attempts_max = ask->attempts_max,
                                                   .subject = "AWS credentials"},
                            body_unsaid, &fns, asked);
    return asked;
}

void credentials_ask_cancel(struct credentials_asked *asked)
{
    if (!asked)
        return;
    http_cancel(asked->call);
    asked_free(asked);
}
