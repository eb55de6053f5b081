/*
 * A target of kind eks: are account and cluster those that targets.lua means, how is its API server reached, and the
 * token that it takes. No kubeconfig is read.
 */
#include "dosrun.h"

#include "aws/aws.h"
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

enum { TOKEN_MAX = 64 << 10 };

struct eks {
    struct dosrun *dosrun;
    struct aws *aws;
    const char *account, *region, *cluster; /* of the target */
    char *caller;                           /* whose credentials: an ARN */
    char *arn, *server, *ca;                /* of the cluster; ca in base64 */
    struct aws_call *call;                  /* while a token is asked for */
    kube_token_got_fn *got;
    void *got_ctx;
};

bool target_is_eks(const struct dosrun *dosrun)
{
    const char *kind = doc_path_text(dosrun->target, "kind", NULL);

    return kind && strcmp(kind, "eks") == 0;
}

const char *eks_arn(const struct dosrun *dosrun)
{
    return dosrun->eks ? dosrun->eks->arn : NULL;
}

void eks_free(struct dosrun *dosrun)
{
    struct eks *eks = dosrun->eks;

    if (!eks)
        return;
    if (eks->call)
        aws_cancel(eks->call);
    free(eks->caller);
    free(eks->arn);
    free(eks->server);
    free(eks->ca);
    free(eks);
    dosrun->eks = NULL;
}

/* ---- asking AWS, awaited ---- */

struct asking {
    struct dosrun *dosrun;
    struct doc *result;
    struct err err;
};

static void answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct asking *asking = ctx;

    (void)answer;
    asking->dosrun->done = true;
    asking->result = doc_ref(result);
    if (err)
        asking->err = *err;
}

static struct doc *wait_for(struct asking *asking, struct err *err)
{
    dosrun_wait(asking->dosrun);
    if (!asking->err.kind)
        return asking->result;
    *err = asking->err;
    return NULL;
}

static struct doc *ask_cluster(struct eks *eks, struct err *err)
{
    struct asking asking = {.dosrun = eks->dosrun, .err = ERR_INIT};
    struct aws_service service = aws_service_find(aws_table_of(eks->aws), "eks");
    struct doc *params = doc_object();

    doc_set_text(params, "name", eks->cluster);
    eks->dosrun->done = false;
    aws_send(eks->aws,
             &(struct aws_request){.operation = aws_operation_find(service, VIEW_LITERAL("DescribeCluster")),
                                   .params = params,
                                   .region = eks->region},
             answered, &asking);
    doc_unref(params);
    return wait_for(&asking, err);
}

/* ---- is it the one that is meant ---- */

static int other_than_meant(struct err *err)
{
    err_explain(err, "C603");
    return -1;
}

/* "arn:aws:eks:eu-west-1:123456789012:cluster/dos-games", whatever the partition is called. */
static bool arn_fits(const struct eks *eks, const char *arn)
{
    char *end = mem_printf(":eks:%s:%s:cluster/%s", eks->region, eks->account, eks->cluster);
    size_t len = strlen(arn), end_len = strlen(end);
    bool fits = view_starts(view_of(arn), "arn:aws") && len > end_len && strcmp(arn + len - end_len, end) == 0 &&
                !memchr(arn + 4, ':', len - end_len - 4);

    free(end);
    return fits;
}

/* While it is updated the API server goes on serving. */
static bool status_serves(const char *status)
{
    return strcmp(status, "ACTIVE") == 0 || strcmp(status, "UPDATING") == 0;
}

static const char *status_advice(const char *status)
{
    static const char *const advice[][2] = {
        {"CREATING", "it is being made, which takes some ten minutes; try again when it is ACTIVE"},
        {"PENDING", "it is about to be made; try again when it is ACTIVE"},
        {"DELETING", "it is being deleted"},
        {"FAILED", "it could not be made, and its health in the EKS console says why"},
    };

    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
        if (strcmp(advice[i][0], status) == 0)
            return advice[i][1];
    return "only an ACTIVE one can be used";
}

static int check_cluster(struct eks *eks, const struct doc *cluster, struct err *err)
{
    const char *status = doc_as_text(doc_get(cluster, "status"), "unknown");
    const char *arn = doc_as_text(doc_get(cluster, "arn"), "");
    const char *endpoint = doc_path_text(cluster, "endpoint", NULL);
    const char *ca = doc_path_text(cluster, "certificateAuthority", "data", NULL);

    if (!arn_fits(eks, arn)) {
        err_set(err, ERR_USAGE,
                "EKS answers with cluster %s, but target %s is %s in %s of account %s; nothing was touched",
                *arn ? arn : "without an ARN", eks->dosrun->target_name, eks->cluster, eks->region, eks->account);
        return other_than_meant(err);
    }
    if (!status_serves(status)) {
        err_set(err, ERR_USAGE, "cluster %s is %s: %s; nothing was touched", arn, status, status_advice(status));
        err_explain(err, "C606");
        return -1;
    }
    if (!endpoint || !ca) {
        err_set(err, ERR_SERVER, "cluster %s is %s, but EKS tells no %s of it; nothing was touched", arn, status,
                endpoint ? "certificate authority" : "endpoint");
        return -1;
    }
    eks->arn = mem_text(arn);
    eks->server = mem_text(endpoint);
    eks->ca = mem_text(ca);
    return 0;
}

static int cluster_missing(const struct eks *eks, struct err *err)
{
    err_set(err, ERR_USAGE,
            "there is no EKS cluster %s in %s of account %s, which target %s means; nothing was touched (aws eks "
            "list-clusters --region %s names those that are there)",
            eks->cluster, eks->region, eks->account, eks->dosrun->target_name, eks->region);
    return other_than_meant(err);
}

static int find(struct eks *eks, struct err *err)
{
    const char *region = eks->dosrun->command->region;
    struct doc *answer;
    int result;

    if (region && strcmp(region, eks->region) != 0) {
        err_set(err, ERR_USAGE, "target %s is in %s, but --region says %s; nothing was touched",
                eks->dosrun->target_name, eks->region, region);
        return other_than_meant(err);
    }
    if (eks->dosrun->command->context)
        return err_set(err, ERR_USAGE, "--context is for targets of kind \"kube\"; target %s is EKS cluster %s",
                       eks->dosrun->target_name, eks->cluster);
    if (cloud_check(eks->dosrun, &eks->caller, err) < 0)
        return -1;
    answer = ask_cluster(eks, err);
    if (!answer)
        return strcmp(err->code, "ResourceNotFoundException") == 0
                   ? cluster_missing(eks, err)
                   : err_context(err, "target %s", eks->dosrun->target_name);
    result = check_cluster(eks, doc_get(answer, "cluster"), err);
    doc_unref(answer);
    return result;
}

int eks_refused(const struct dosrun *dosrun, struct err *err)
{
    const struct eks *eks = dosrun->eks;

    err_set(err, ERR_AUTH,
            "the API server of cluster %s (%s) takes no token of %s; nothing was touched. Has it an access entry "
            "there? (aws "
            "eks list-access-entries --region %s --cluster-name %s)",
            eks->arn, eks->server, eks->caller, eks->region, eks->cluster);
    err_explain(err, "H303");
    return -1;
}

/* ---- tokens ---- */

static void token_end(struct eks *eks, const char *token, int64_t expires_ms, const struct err *err)
{
    kube_token_got_fn *got = eks->got;

    eks->got = NULL;
    got(eks->got_ctx, token, expires_ms, err);
}

/* It is good no longer than the keys that it is signed with. */
static int64_t token_expires_ms(const struct eks *eks)
{
    int64_t expires_ms = world_now_ms(eks->dosrun->world) + AWS_EKS_TOKEN_MS, keys_ms;

    aws_source(eks->aws, &keys_ms);
    return keys_ms && keys_ms < expires_ms ? keys_ms : expires_ms;
}

static void token_made(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct eks *eks = ctx;
    struct buf token;

    (void)answer;
    eks->call = NULL;
    buf_init(&token, TOKEN_MAX);
    if (result)
        aws_eks_token_add(&token, result);
    token_end(eks, result ? buf_text(&token) : NULL, token_expires_ms(eks), err);
    if (token.ptr)
        secret_wipe(token.ptr, token.cap);
    buf_free(&token);
}

static void token_make(struct eks *eks)
{
    eks->call = aws_eks_token(eks->aws, eks->region, eks->cluster, token_made, eks);
}

static void keys_proven(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct eks *eks = ctx;

    (void)result;
    (void)answer;
    eks->call = NULL;
    if (err)
        token_end(eks, NULL, 0, err);
    else
        token_make(eks);
}

/* A token that the cluster refused may be signed with keys that are good no more: sts tells, and then they are renewed.
 */
static void token_ask(void *ctx, bool refused, kube_token_got_fn *got, void *got_ctx)
{
    struct eks *eks = ctx;

    eks->got = got;
    eks->got_ctx = got_ctx;
    if (refused)
        eks->call = aws_whoami(eks->aws, keys_proven, eks);
    else
        token_make(eks);
}

/* ---- the whole ---- */

static struct doc *named(const char *name, const char *what, struct doc *take)
{
    struct doc *list = doc_array(), *entry = doc_object();

    doc_set_text(entry, "name", name);
    doc_set(entry, what, take);
    doc_push(list, entry);
    return list;
}

struct doc *eks_kubeconfig(const struct dosrun *dosrun, struct doc *user)
{
    const struct eks *eks = dosrun->eks;
    struct doc *config = doc_object(), *cluster = doc_object(), *context = doc_object();

    doc_set_text(cluster, "server", eks->server);
    doc_set_text(cluster, "certificate-authority-data", eks->ca);
    doc_set_text(context, "cluster", eks->arn);
    doc_set_text(context, "user", eks->arn);
    doc_set_text(config, "apiVersion", "v1");
    doc_set_text(config, "kind", "Config");
    doc_set(config, "clusters", named(eks->arn, "cluster", cluster));
    doc_set(config, "users", named(eks->arn, "user", user));
    doc_set(config, "contexts", named(eks->arn, "context", context));
    doc_set_text(config, "current-context", eks->arn);
    return config;
}

int eks_find(struct dosrun *dosrun, struct err *err)
{
    struct aws *aws = cloud_client(dosrun, err);

    if (!aws)
        return -1;
    if (dosrun->eks)
        return 0;
    dosrun->eks = mem_alloc(sizeof(*dosrun->eks));
    *dosrun->eks = (struct eks){.dosrun = dosrun,
                                .aws = aws,
                                .account = doc_path_text(dosrun->target, "account", NULL),
                                .region = doc_path_text(dosrun->target, "region", NULL),
                                .cluster = doc_path_text(dosrun->target, "cluster", NULL)};
    if (find(dosrun->eks, err) == 0)
        return 0;
    eks_free(dosrun);
    return -1;
}

struct kube_config *eks_config(struct dosrun *dosrun, struct err *err)
{
    struct kube_config_options options = {
        .token = token_ask, .token_source = "EKS token", .insecure_allowed = dosrun->command->insecure};
    struct kube_config *config;
    struct doc *inlined;

    if (eks_find(dosrun, err) < 0)
        return NULL;
    inlined = eks_kubeconfig(dosrun, doc_object());
    options.inline_config = inlined;
    options.token_ctx = dosrun->eks;
    config = kube_config_load(dosrun->world, &options, err);
    doc_unref(inlined);
    return config;
}
