/*
 * A program that hands out credentials (client.authentication.k8s.io/v1 and v1beta1), run as an argument array, never
 * through a shell, with nothing on its stdin. One run serves every request that waits; what it said is kept until it
 * expires or the server refuses it.
 */
#include "kube/inside.h"
#include "base/digest.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { OUTPUT_MAX = 1 << 20, STDERR_MAX = 4096, STDERR_SHOWN = 400, EXEC_TIMEOUT_MS = 60000, EARLY_MS = 10000 };

struct exec {
    struct kube_auth auth;
    struct world *world;
    const struct kube_config *config; /* outlives this */
    kube_certificate_fn *certificate;
    void *ctx;
    char *header, *cert; /* of the newest credentials; either may be NULL */
    int64_t expires_ms;  /* wall clock; INT64_MAX: never said */
    struct process *process;
    bool after_refusal;
    struct buf output, complaint;
    struct list waiters;
};

static const char *exec_text(const struct exec *exec, const char *key)
{
    return doc_path_text(exec->config->exec, key, NULL);
}

static const char *command_name(const struct exec *exec)
{
    const char *command = exec_text(exec, "command"), *slash = strrchr(command, '/');

    return slash ? slash + 1 : command;
}

/* ---- asking ---- */

/* KUBERNETES_EXEC_INFO: what the program may know about the cluster. */
static char *exec_info(const struct exec *exec)
{
    const struct kube_config *config = exec->config;
    struct doc *info = doc_object(), *spec = doc_object(), *cluster;
    struct buf text;

    doc_set_text(info, "apiVersion", exec_text(exec, "apiVersion"));
    doc_set_text(info, "kind", "ExecCredential");
    doc_set_bool(spec, "interactive", false);
    buf_init(&text, 4 << 20);
    if (doc_as_bool(doc_get(config->exec, "provideClusterInfo"), false)) {
        cluster = doc_object();
        doc_set_text(cluster, "server", config->server);
        doc_set_text(cluster, "tls-server-name", config->server_name);
        if (config->insecure)
            doc_set_bool(cluster, "insecure-skip-tls-verify", true);
        if (config->ca_pem) {
            base64_add(&text, view_of(config->ca_pem));
            doc_set_text(cluster, "certificate-authority-data", buf_text(&text));
            buf_reset(&text);
        }
        doc_set_text(cluster, "proxy-url", config->proxy);
        if (config->exec_config)
            doc_set(cluster, "config", doc_ref(config->exec_config));
        doc_set(spec, "cluster", cluster);
    }
    doc_set(info, "spec", spec);
    buf_add_text(&text, "KUBERNETES_EXEC_INFO=");
    json_add(&text, info, JSON_COMPACT);
    doc_unref(info);
    return buf_take(&text);
}

static void exec_output(void *ctx, int fd, struct view bytes)
{
    struct exec *exec = ctx;

    buf_add_view(fd == 1 ? &exec->output : &exec->complaint, bytes);
}

static void exec_end(void *ctx, int status, const struct err *err);

static void exec_start(struct exec *exec)
{
    static const struct process_fns fns = {exec_output, exec_end};
    const struct doc *args = doc_get(exec->config->exec, "args"), *env = doc_get(exec->config->exec, "env");
    const char **argv = mem_array(doc_size(args) + 2, sizeof(*argv));
    char **environment = mem_array(doc_size(env) + 2, sizeof(*environment));
    struct process_request request = {.argv = argv, .timeout_ms = EXEC_TIMEOUT_MS};
    size_t count = 0;

    argv[0] = exec_text(exec, "command");
    for (size_t i = 0; i < doc_size(args); i++)
        argv[i + 1] = doc_as_text(doc_at(args, i), "");
    for (size_t i = 0; i < doc_size(env); i++) {
        const struct doc *pair = doc_at(env, i);

        if (doc_path_text(pair, "name", NULL))
            environment[count++] =
                mem_printf("%s=%s", doc_path_text(pair, "name", NULL), doc_as_text(doc_get(pair, "value"), ""));
    }
    environment[count++] = exec_info(exec);
    request.env = (const char *const *)environment;
    request.attempt = request.logical = world_attempt(exec->world);
    buf_reset(&exec->output);
    buf_reset(&exec->complaint);
    exec->process = process_start(exec->world, &request, &fns, exec);
    for (size_t i = 0; i < count; i++)
        free(environment[i]);
    free(environment);
    free(argv);
}

/* ---- what it said ---- */

static int credential_read(struct exec *exec, const struct doc *credential, struct err *err)
{
    const char *version = doc_path_text(credential, "apiVersion", NULL),
               *token = doc_path_text(credential, "status", "token", NULL);
    const char *cert = doc_path_text(credential, "status", "clientCertificateData", NULL);
    const char *key = doc_path_text(credential, "status", "clientKeyData", NULL);
    const char *expires = doc_path_text(credential, "status", "expirationTimestamp", NULL);
    bool news;
    char *header;

    if (!version || strcmp(version, exec_text(exec, "apiVersion")) != 0)
        return err_set(err, ERR_AUTH, "it answered in apiVersion %s, the kubeconfig asks for %s",
                       version ? version : "(none)", exec_text(exec, "apiVersion"));
    if ((!token || !token[0]) && !cert)
        return err_set(err, ERR_AUTH, "it gave neither a token nor a client certificate");
    if (!cert != !key)
        return err_set(err, ERR_AUTH, "it gave a client %s without the %s", cert ? "certificate" : "key",
                       cert ? "key" : "certificate");
    if (token && strpbrk(token, "\r\n"))
        return err_set(err, ERR_AUTH, "its token is more than one line");
    exec->expires_ms = expires ? kube_time_parse(expires) : INT64_MAX;
    if (exec->expires_ms < 0)
        return err_set(err, ERR_AUTH, "its expirationTimestamp is no RFC 3339 time: %s", expires);
    header = token && token[0] ? mem_printf("Bearer %s", token) : NULL;
    news = (header && (!exec->header || strcmp(header, exec->header) != 0)) ||
           (cert && (!exec->cert || strcmp(cert, exec->cert) != 0));
    kube_secret_free(exec->header);
    exec->header = header;
    if (exec->after_refusal && !news)
        return err_set(err, ERR_AUTH, "it gave the same credentials again, which the server has refused");
    if (news)
        exec->auth.generation++;
    if (cert && (!exec->cert || strcmp(cert, exec->cert) != 0)) {
        free(exec->cert);
        exec->cert = mem_text(cert);
        exec->certificate(exec->ctx, cert, key);
    }
    return 0;
}

static void complaint_add(struct exec *exec, struct err *err)
{
    const char *text = buf_text(&exec->complaint);
    size_t len = exec->complaint.len;

    while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
        len--;
    if (len > STDERR_SHOWN)
        text += len - STDERR_SHOWN, len = STDERR_SHOWN;
    if (len) {
        char *why = mem_text(err->message);

        err_set(err, ERR_AUTH, "%s: %.*s", why, (int)len, text);
        free(why);
    }
}

static int exec_judge(struct exec *exec, int status, const struct err *failed, struct err *err)
{
    const char *hint = exec_text(exec, "installHint");
    struct doc *credential;
    int result;

    if (failed) {
        bool missing = failed->kind == ERR_MISSING;

        err_set(err, ERR_AUTH, "%s%s%s", failed->message, missing && hint ? ": " : "", missing && hint ? hint : "");
        err_explain(err, missing ? "X701" : "X702");
        return -1;
    }
    if (status != 0) {
        err_set(err, ERR_AUTH, "it ended with status %d", status);
        complaint_add(exec, err);
        err_explain(err, "X702");
        return -1;
    }
    credential = json_parse(buf_view(&exec->output), err);
    if (!credential) {
        err_set(err, ERR_AUTH,
                "its output is no ExecCredential in JSON"); /* not the parser's words: they may quote it */
        err_explain(err, "H303");
        return -1;
    }
    result = credential_read(exec, credential, err);
    doc_unref(credential);
    if (result != 0)
        err_explain(err, "H303");
    return result;
}

static void exec_end(void *ctx, int status, const struct err *failed)
{
    struct exec *exec = ctx;
    struct err err = ERR_INIT;
    struct list waiters;
    int result = exec_judge(exec, status, failed, &err);

    exec->process = NULL;
    if (exec->output.ptr)
        secret_wipe(exec->output.ptr, exec->output.len);
    buf_free(&exec->output);
    if (result != 0)
        err_context(&err, "credentials from exec %s", command_name(exec));
    /* Whoever is told may ask again at once: those wait in the list of the next run. */
    list_init(&waiters);
    while (!list_empty(&exec->waiters)) {
        struct list *link = exec->waiters.next;

        list_remove(link);
        list_add_tail(&waiters, link);
    }
    while (!list_empty(&waiters)) {
        struct kube_auth_waiter *waiter = LIST_OF(waiters.next, struct kube_auth_waiter, link);

        list_remove(&waiter->link);
        waiter->done(waiter, result == 0 ? NULL : &err);
    }
}

static void exec_ready(struct kube_auth *auth, uint64_t refused, struct kube_auth_waiter *waiter)
{
    struct exec *exec = (struct exec *)auth;
    bool stale = refused && refused >= auth->generation;

    if (!exec->process && auth->generation && !stale && world_now_ms(exec->world) < exec->expires_ms - EARLY_MS) {
        waiter->done(waiter, NULL);
        return;
    }
    list_add_tail(&exec->waiters, &waiter->link);
    if (!exec->process) {
        exec->after_refusal = stale;
        exec_start(exec);
    }
}

static void exec_add(struct kube_auth *auth, struct http_call *call)
{
    struct exec *exec = (struct exec *)auth;

    if (exec->header)
        http_header_add(call, "Authorization", exec->header);
}

static void exec_free(struct kube_auth *auth)
{
    struct exec *exec = (struct exec *)auth;

    if (exec->process)
        process_cancel(exec->process);
    if (exec->output.ptr)
        secret_wipe(exec->output.ptr, exec->output.len);
    buf_free(&exec->output);
    buf_free(&exec->complaint);
    kube_secret_free(exec->header);
    free(exec->cert);
    free(exec);
}

static const struct kube_auth_ops EXEC = {exec_ready, exec_add, exec_free};

struct kube_auth *kube_auth_exec_new(struct world *world, const struct kube_config *config,
                                     kube_certificate_fn *certificate, void *ctx)
{
    struct exec *exec = mem_alloc(sizeof(*exec));

    exec->auth.ops = &EXEC;
    exec->world = world;
    exec->config = config;
    exec->certificate = certificate;
    exec->ctx = ctx;
    exec->expires_ms = INT64_MAX;
    list_init(&exec->waiters);
    buf_init(&exec->output, OUTPUT_MAX);
    buf_init(&exec->complaint, STDERR_MAX);
    return &exec->auth;
}
