/* whoami: as whom, by which credentials, on which cluster. Reads only. */
#include "dosrun.h"

#include "aws/aws.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct asking {
    struct dosrun *dosrun;
    struct doc *body;
    struct err *err;
};

static void answered(void *ctx, const struct doc *body, const struct http_answer *answer, const struct err *err)
{
    struct asking *asking = ctx;

    (void)answer;
    asking->dosrun->done = true;
    asking->body = doc_ref(body);
    if (err)
        *asking->err = *err;
}

struct doc *cluster_ask(struct dosrun *dosrun, const char *method, const char *path, const struct doc *body,
                        struct err *err)
{
    struct asking asking = {.dosrun = dosrun, .err = err};
    struct kube_request request = {
        .method = method, .path = path, .body = body, .class = HTTP_READS, .timeout_ms = 10000, .attempts_max = 2};
    struct kube *kube = cluster_client(dosrun, err);

    if (!kube)
        return NULL;
    dosrun->done = false;
    kube_send(kube, &request, answered, &asking);
    dosrun_wait(dosrun);
    if (!err->kind)
        return asking.body;
    doc_unref(asking.body);
    return NULL;
}

bool target_is_local(const struct dosrun *dosrun)
{
    const char *kind = doc_path_text(dosrun->target, "kind", NULL);

    return kind && strcmp(kind, "local") == 0;
}

static void row_add(struct doc *rows, const char *what, const char *value)
{
    struct doc *row = doc_array();

    doc_push(row, doc_text(what));
    doc_push(row, doc_text(value && *value ? value : "not told"));
    doc_push(rows, row);
}

static void report(struct dosrun *dosrun, struct doc *rows)
{
    struct doc *event = event_new("report");

    doc_set(event, "rows", rows);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
}

/* Who the API server says we are: SelfSubjectReview, authentication.k8s.io/v1. */
static void add_user(struct dosrun *dosrun, struct doc *rows)
{
    struct doc *review = doc_object(), *answer;
    const struct doc *groups;
    struct err err = ERR_INIT;
    struct buf text;

    doc_set_text(review, "apiVersion", "authentication.k8s.io/v1");
    doc_set_text(review, "kind", "SelfSubjectReview");
    answer = cluster_ask(dosrun, "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review, &err);
    doc_unref(review);
    buf_init(&text, 1 << 16);
    if (answer) {
        buf_add_text(&text, doc_as_text(doc_path(answer, "status", "userInfo", "username", NULL), ""));
        row_add(rows, "user", buf_text(&text));
        groups = doc_path(answer, "status", "userInfo", "groups", NULL);
        buf_reset(&text);
        for (size_t i = 0; i < doc_size(groups); i++)
            buf_addf(&text, "%s%s", i ? ", " : "", doc_as_text(doc_at(groups, i), "?"));
        row_add(rows, "groups", buf_text(&text));
    } else {
        buf_addf(&text, "not told: %s", err.message);
        row_add(rows, "user", buf_text(&text));
    }
    buf_free(&text);
    doc_unref(answer);
}

static int whoami_cluster(struct dosrun *dosrun, struct doc *rows)
{
    struct kube *kube = cluster_client(dosrun, &dosrun->err);
    const struct kube_config *config;

    if (!kube)
        return -1;
    config = kube_config_of(kube);
    row_add(rows, "context", kube_config_context(config));
    row_add(rows, "server", kube_config_server(config));
    row_add(rows, "identity", kube_config_source(config));
    if (cluster_check(dosrun, &dosrun->err) < 0 && dosrun->err.kind != ERR_DENIED)
        return -1;
    add_user(dosrun, rows);
    if (dosrun->err.kind) { /* who we are is the question; that we may not look at kube-system is part of the answer */
        char *why = mem_printf("not told: %s", dosrun->err.message);

        row_add(rows, "cluster", why);
        free(why);
        dosrun->err = ERR_INIT;
    } else {
        row_add(rows, "cluster", dosrun->identity);
    }
    return 0;
}

/* ---- AWS ---- */

static void aws_answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    answered(ctx, result, answer, err);
}

static void add_until(struct doc *rows, int64_t expires_ms)
{
    time_t seconds = (time_t)(expires_ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%SZ", &tm);
    row_add(rows, "aws until", expires_ms ? text : "they do not expire");
}

/* sts:GetCallerIdentity, which every identity may ask. -1: dosrun->err lists each source that was tried. */
static int whoami_aws(struct dosrun *dosrun, struct doc *rows)
{
    struct asking asking = {.dosrun = dosrun, .err = &dosrun->err};
    struct aws *aws = cloud_client(dosrun, &dosrun->err);
    int64_t expires_ms;
    const char *source;

    if (!aws)
        return -1;
    dosrun->done = false;
    aws_whoami(aws, aws_answered, &asking);
    dosrun_wait(dosrun);
    if (!dosrun->err.kind) {
        source = aws_source(aws, &expires_ms);
        row_add(rows, "aws identity", doc_path_text(asking.body, "Arn", NULL));
        row_add(rows, "aws account", doc_path_text(asking.body, "Account", NULL));
        row_add(rows, "aws source", source);
        add_until(rows, expires_ms);
        row_add(rows, "aws region",
                aws_config_region(dosrun->aws_config) ? aws_config_region(dosrun->aws_config) : "none");
    }
    doc_unref(asking.body);
    return dosrun->err.kind ? -1 : 0;
}

int command_whoami(struct dosrun *dosrun)
{
    struct doc *rows;
    int code = EXIT_DONE;

    if (place_find(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    if (dosrun_open(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, dosrun_exit_for(&dosrun->err));
    rows = doc_array();
    row_add(rows, "target", dosrun->target_name);
    row_add(rows, "kind",
            target_is_local(dosrun) ? "local: this machine and its files"
            : target_is_eks(dosrun) ? "eks"
                                    : "kube");
    row_add(rows, "world", dosrun->command->sandbox ? "the sandbox" : "real");
    bool aws = cloud_is_meant(dosrun);
    if (aws && whoami_aws(dosrun, rows) < 0)
        code = dosrun->err.kind == ERR_USAGE ? EXIT_USAGE : EXIT_NOPERM;
    if (code == EXIT_DONE && !target_is_local(dosrun) && whoami_cluster(dosrun, rows) < 0) {
        if (aws && strcmp(dosrun->err.explain, "H301") == 0) { /* whoever has AWS may have no cluster yet */
            row_add(rows, "cluster", "none: no kubeconfig names one");
            dosrun->err = ERR_INIT;
        } else {
            code = dosrun->err.kind == ERR_USAGE ? EXIT_USAGE : EXIT_NOPERM;
        }
    }
    if (code == EXIT_DONE)
        report(dosrun, rows);
    else
        doc_unref(rows);
    return code == EXIT_DONE ? code : dosrun_fail(dosrun, &dosrun->err, code);
}
