/*
 * From kubeconfig files to one server and one identity.
 *
 * As kubectl merges: the files of KUBECONFIG in order, a missing one is passed over, the first that names a cluster,
 * user or context gives all of it, the first current-context counts. Paths are relative to the file that holds them.
 * What is read here is read once; only token files are read again (auth_token.c).
 */
#include "kube/inside.h"
#include "base/digest.h"
#include "base/suggest.h"
#include "codec/yaml.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX = 4 << 20, FILES_MAX = 64 };

static const char SERVICE_ACCOUNT[] = "/var/run/secrets/kubernetes.io/serviceaccount";

/* One kubeconfig: a file, or the document handed in. */
struct source {
    char *path, *folder;
    struct yaml_file *file; /* NULL: inline */
    const struct doc *doc;
};

struct loading {
    struct world *world;
    const struct kube_config_options *options;
    struct source sources[FILES_MAX];
    size_t count;
    struct buf looked; /* why each place gave nothing */
    struct err *err;
};

/* A named entry (cluster, user, context) and where it stands. */
struct entry {
    const char *name;
    const struct doc *value;
    const struct source *source;
    int line;
};

void kube_secret_free(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

static int config_error(const struct loading *loading, const struct source *source, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static int config_error(const struct loading *loading, const struct source *source, int line, const char *format, ...)
{
    struct buf text;
    va_list args;

    buf_init(&text, sizeof(loading->err->message));
    if (source && line > 0)
        buf_addf(&text, "%s:%d: ", source->path, line);
    else if (source)
        buf_addf(&text, "%s: ", source->path);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    err_set(loading->err, ERR_USAGE, "%s", buf_text(&text));
    err_explain(loading->err, "C601");
    buf_free(&text);
    return -1;
}

static int line_of(const struct source *source, const struct doc *object, const char *key)
{
    return source->file ? yaml_line_of_key(source->file, object, key) : 0;
}

static void looked_add(struct loading *loading, const char *what, const char *why)
{
    buf_addf(&loading->looked, "%s%s (%s)", loading->looked.len ? ", " : "", what, why);
}

/* ---- files ---- */

static int source_add(struct loading *loading, char *path)
{
    struct source *source = &loading->sources[loading->count];
    const char *slash = strrchr(path, '/');
    struct buf text;
    int result = -1;

    buf_init(&text, CONFIG_MAX);
    if (loading->count == FILES_MAX) {
        err_set(loading->err, ERR_USAGE, "KUBECONFIG lists more than %d files", FILES_MAX);
        goto out;
    }
    if (disk_read(loading->world, path, CONFIG_MAX, &text, loading->err) != 0) {
        if (loading->err->kind == ERR_MISSING) {
            looked_add(loading, path, "missing");
            err_clear(loading->err);
            result = 0;
            goto out;
        }
        err_context(loading->err, "kubeconfig %s", path);
        loading->err->kind = ERR_USAGE;
        err_explain(loading->err, "C601");
        goto out;
    }
    source->file = yaml_parse(path, buf_view(&text), loading->err);
    if (!source->file) {
        err_explain(loading->err, "C601");
        goto out;
    }
    source->doc = yaml_doc(source->file, 0);
    if (!source->doc || doc_is(source->doc, DOC_NULL)) {
        looked_add(loading, path, "empty");
        yaml_free(source->file);
        source->file = NULL;
        result = 0;
        goto out;
    }
    source->path = path;
    source->folder = slash == path ? mem_text("/")
                     : slash       ? mem_view((struct view){path, (size_t)(slash - path)})
                                   : mem_text(".");
    loading->count++;
    path = NULL;
    result = 0;
out:
    if (text.ptr)
        secret_wipe(text.ptr, text.len); /* tokens stand in it */
    buf_free(&text);
    free(path);
    return result;
}

static int sources_read(struct loading *loading)
{
    const struct kube_config_options *options = loading->options;
    const char *list = options->kubeconfig;

    if (options->inline_config) {
        loading->sources[0] = (struct source){
            .path = mem_text("(inline kubeconfig)"), .folder = mem_text("."), .doc = options->inline_config};
        loading->count = 1;
        return 0;
    }
    if (!list || !list[0]) {
        looked_add(loading, "KUBECONFIG", "not set");
        return options->home ? source_add(loading, mem_printf("%s/.kube/config", options->home)) : 0;
    }
    while (*list) {
        size_t len = strcspn(list, ":");

        if (len && source_add(loading, mem_view((struct view){list, len})) != 0)
            return -1;
        list += len + (list[len] == ':');
    }
    return 0;
}

/* The shape that every file must have, so that what comes after may trust it. */
static int source_check(const struct loading *loading, const struct source *source)
{
    static const char *const lists[][2] = {{"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};

    if (!doc_is(source->doc, DOC_OBJECT))
        return config_error(loading, source, 1, "a kubeconfig is a mapping, this is %s", doc_type_name(source->doc));
    for (size_t i = 0; i < 3; i++) {
        const struct doc *list = doc_get(source->doc, lists[i][0]);
        int line = line_of(source, source->doc, lists[i][0]);

        if (!list || doc_is(list, DOC_NULL))
            continue;
        if (!doc_is(list, DOC_ARRAY))
            return config_error(loading, source, line, "%s must be a list, this is %s", lists[i][0],
                                doc_type_name(list));
        for (size_t j = 0; j < doc_size(list); j++) {
            const struct doc *item = doc_at(list, j), *value = doc_get(item, lists[i][1]);

            if (source->file)
                line = yaml_line_of_index(source->file, list, j);
            if (!doc_is(doc_get(item, "name"), DOC_STRING))
                return config_error(loading, source, line, "an entry of %s has no name", lists[i][0]);
            if (value && !doc_is(value, DOC_OBJECT) && !doc_is(value, DOC_NULL))
                return config_error(loading, source, line, "%s of \"%s\" must be a mapping, this is %s", lists[i][1],
                                    doc_as_text(doc_get(item, "name"), ""), doc_type_name(value));
        }
    }
    return 0;
}

/* ---- entries ---- */

static bool entry_find(const struct loading *loading, const char *list, const char *member, const char *name,
                       struct entry *entry, struct suggest *suggest)
{
    for (size_t i = 0; i < loading->count; i++) {
        const struct source *source = &loading->sources[i];
        const struct doc *items = doc_get(source->doc, list);

        for (size_t j = 0; j < doc_size(items); j++) {
            const struct doc *item = doc_at(items, j);
            const char *found = doc_as_text(doc_get(item, "name"), "");

            if (strcmp(found, name) != 0) {
                suggest_try(suggest, found);
                continue;
            }
            *entry = (struct entry){found, doc_get(item, member), source,
                                    source->file ? yaml_line_of_index(source->file, items, j) : 0};
            return true;
        }
    }
    return false;
}

static const char *hint_text(const struct suggest *suggest, struct buf *out)
{
    buf_reset(out);
    if (suggest->found)
        buf_addf(out, "; did you mean \"%s\"?", suggest->found);
    return buf_text(out);
}

static int entry_of_context(const struct loading *loading, const struct entry *context, const char *list,
                            const char *member, struct entry *entry)
{
    const char *name = doc_path_text(context->value, member, NULL);
    struct suggest suggest;
    struct buf hint;

    if (!name || !name[0])
        return config_error(loading, context->source, context->line, "context \"%s\" names no %s", context->name,
                            member);
    suggest_init(&suggest, name);
    if (entry_find(loading, list, member, name, entry, &suggest))
        return 0;
    buf_init(&hint, 256);
    config_error(loading, context->source, line_of(context->source, context->value, member),
                 "context \"%s\" names the %s \"%s\", which no file defines%s", context->name, member, name,
                 hint_text(&suggest, &hint));
    buf_free(&hint);
    return -1;
}

static int context_pick(const struct loading *loading, struct entry *context)
{
    const char *name = loading->options->context;
    const struct source *source = NULL;
    struct suggest suggest;
    struct buf text;
    int line = 0;

    for (size_t i = 0; !name && i < loading->count; i++) {
        source = &loading->sources[i];
        name = doc_path_text(source->doc, "current-context", NULL);
        if (name && !name[0])
            name = NULL;
        if (name)
            line = line_of(source, source->doc, "current-context");
    }
    if (!name)
        return config_error(loading, &loading->sources[0], 0, "no current-context is set; choose one with --context");
    suggest_init(&suggest, name);
    if (entry_find(loading, "contexts", "context", name, context, &suggest))
        return 0;
    buf_init(&text, 1024);
    if (loading->options->context) {
        config_error(loading, NULL, 0, "there is no context \"%s\" in the kubeconfig%s", name,
                     hint_text(&suggest, &text));
        loading->err->explain[0] = '\0';
        err_explain(loading->err, "C602");
    } else {
        config_error(loading, source, line, "current-context is \"%s\", which no file defines%s", name,
                     hint_text(&suggest, &text));
    }
    buf_free(&text);
    return -1;
}

/* ---- values ---- */

/* A string member; absent, null and "" give NULL. Another type is an error. */
static int text_get(const struct loading *loading, const struct entry *entry, const char *key, const char **text)
{
    const struct doc *value = doc_get(entry->value, key);

    *text = NULL;
    if (!value || doc_is(value, DOC_NULL))
        return 0;
    if (!doc_is(value, DOC_STRING))
        return config_error(loading, entry->source, line_of(entry->source, entry->value, key),
                            "%s must be a string, this is %s", key, doc_type_name(value));
    *text = doc_as_text(value, "");
    if (strpbrk(*text, "\r\n") && !strstr(key, "-data"))
        return config_error(loading, entry->source, line_of(entry->source, entry->value, key), "%s must be one line",
                            key);
    if (!(*text)[0])
        *text = NULL;
    return 0;
}

static char *path_resolve(const struct source *source, const char *path)
{
    return path[0] == '/' ? mem_text(path) : mem_printf("%s/%s", source->folder, path);
}

/* PEM text from KEY-data (base64) or else from the file that KEY names; NULL when neither is there. */
static int pem_get(const struct loading *loading, const struct entry *entry, const char *key, char **pem)
{
    const char *data, *file;
    char data_key[64], *path = NULL;
    struct buf text;
    int result = -1;

    buf_init(&text, 1 << 20);
    buf_addf(&text, "%s-data", key);
    memcpy(data_key, buf_text(&text), text.len + 1);
    buf_reset(&text);
    if (text_get(loading, entry, data_key, &data) != 0 || text_get(loading, entry, key, &file) != 0)
        goto out;
    if (data && base64_parse(&text, view_of(data), loading->err) != 0) {
        config_error(loading, entry->source, line_of(entry->source, entry->value, data_key), "%s is not base64",
                     data_key);
        goto out;
    }
    if (!data && file) {
        path = path_resolve(entry->source, file);
        if (disk_read(loading->world, path, text.max, &text, loading->err) != 0) {
            char *why = mem_text(loading->err->message);

            config_error(loading, entry->source, line_of(entry->source, entry->value, key), "%s: %s", key, why);
            free(why);
            goto out;
        }
    }
    if (data || file) {
        if (!strstr(buf_text(&text), "-----BEGIN ")) {
            config_error(loading, entry->source, line_of(entry->source, entry->value, data ? data_key : key),
                         "%s holds no PEM block", data ? data_key : path);
            goto out;
        }
        *pem = mem_text(buf_text(&text));
    }
    result = 0;
out:
    if (text.ptr)
        secret_wipe(text.ptr, text.len);
    buf_free(&text);
    free(path);
    return result;
}

/* What a member was probably meant to be, for the error that says it lacks. */
static const char *member_near(const struct doc *object, const char *member, struct buf *out)
{
    struct suggest suggest;

    suggest_init(&suggest, member);
    DOC_EACH(at, object)
    suggest_try(&suggest, at.key);
    buf_reset(out);
    if (suggest.found)
        buf_addf(out, " (there is \"%s\")", suggest.found);
    return buf_text(out);
}

static int cluster_read(const struct loading *loading, const struct entry *entry, struct kube_config *config)
{
    const struct doc *extensions = doc_get(entry->value, "extensions");
    const char *server, *proxy, *name;
    struct url url;
    struct buf hint;

    if (text_get(loading, entry, "server", &server) != 0 || text_get(loading, entry, "proxy-url", &proxy) != 0 ||
        text_get(loading, entry, "tls-server-name", &name) != 0)
        return -1;
    if (!server) {
        buf_init(&hint, 256);
        config_error(loading, entry->source, entry->line, "cluster \"%s\" has no server%s", entry->name,
                     member_near(entry->value, "server", &hint));
        buf_free(&hint);
        return -1;
    }
    if (url_parse(view_of(server), &url, loading->err) != 0) {
        char *why = mem_text(loading->err->message);

        config_error(loading, entry->source, line_of(entry->source, entry->value, "server"), "server: %s", why);
        free(why);
        return -1;
    }
    config->server = mem_text(server);
    while (config->server[0] && config->server[strlen(config->server) - 1] == '/')
        config->server[strlen(config->server) - 1] = '\0';
    config->proxy = mem_text(proxy);
    config->server_name = mem_text(name);
    config->insecure = doc_as_bool(doc_get(entry->value, "insecure-skip-tls-verify"), false);
    if (config->insecure && !loading->options->insecure_allowed) {
        config_error(
            loading, entry->source, line_of(entry->source, entry->value, "insecure-skip-tls-verify"),
            "cluster \"%s\" asks for insecure-skip-tls-verify, which needs --insecure-skip-tls-verify here too",
            entry->name);
        loading->err->explain[0] = '\0';
        err_explain(loading->err, "H302");
        return -1;
    }
    for (size_t i = 0; i < doc_size(extensions); i++) {
        const struct doc *extension = doc_at(extensions, i);

        if (strcmp(doc_as_text(doc_get(extension, "name"), ""), "client.authentication.k8s.io/exec") == 0)
            config->exec_config = doc_ref(doc_get(extension, "extension"));
    }
    return pem_get(loading, entry, "certificate-authority", &config->ca_pem);
}

static void impersonate_add(struct kube_config *config, const char *name, const char *value)
{
    struct doc *header = doc_object();

    doc_set_text(header, "name", name);
    doc_set_text(header, "value", value);
    if (!config->impersonate)
        config->impersonate = doc_array();
    doc_push(config->impersonate, header);
}

static int impersonate_read(const struct loading *loading, const struct entry *entry, struct kube_config *config)
{
    const struct doc *groups = doc_get(entry->value, "as-groups");
    const char *user, *uid;

    if (text_get(loading, entry, "as", &user) != 0 || text_get(loading, entry, "as-uid", &uid) != 0)
        return -1;
    if (user)
        impersonate_add(config, "Impersonate-User", user);
    if (uid)
        impersonate_add(config, "Impersonate-Uid", uid);
    for (size_t i = 0; i < doc_size(groups); i++)
        impersonate_add(config, "Impersonate-Group", doc_as_text(doc_at(groups, i), ""));
    DOC_EACH(extra, doc_get(entry->value, "as-user-extra"))
    {
        struct buf name;

        buf_init(&name, 1024);
        buf_add_text(&name, "Impersonate-Extra-");
        url_escape(&name, view_of(extra.key));
        for (size_t i = 0; i < doc_size(extra.value); i++)
            impersonate_add(config, buf_text(&name), doc_as_text(doc_at(extra.value, i), ""));
        buf_free(&name);
    }
    return 0;
}

/* The program is an argument array; where it is named with a slash it is relative to the file. */
static int exec_read(const struct loading *loading, const struct entry *entry, struct kube_config *config)
{
    const struct doc *exec = doc_get(entry->value, "exec");
    const char *command = doc_path_text(exec, "command", NULL), *version = doc_path_text(exec, "apiVersion", NULL);
    const char *mode = doc_path_text(exec, "interactiveMode", NULL);
    int line = line_of(entry->source, entry->value, "exec");

    if (!exec || doc_is(exec, DOC_NULL))
        return 0;
    if (!command || !command[0])
        return config_error(loading, entry->source, line, "exec of user \"%s\" has no command", entry->name);
    if (!version || (strcmp(version, "client.authentication.k8s.io/v1") != 0 &&
                     strcmp(version, "client.authentication.k8s.io/v1beta1") != 0))
        return config_error(loading, entry->source, version ? line_of(entry->source, exec, "apiVersion") : line,
                            "exec of user \"%s\" needs apiVersion client.authentication.k8s.io/v1 or v1beta1",
                            entry->name);
    if (mode && strcmp(mode, "Always") == 0)
        return config_error(
            loading, entry->source, line_of(entry->source, exec, "interactiveMode"),
            "exec of user \"%s\" must ask on a terminal (interactiveMode: Always), which dosrun does not do",
            entry->name);
    config->exec = doc_copy(exec);
    if (strchr(command, '/') && command[0] != '/') {
        char *path = path_resolve(entry->source, command);

        doc_set_text(config->exec, "command", path);
        free(path);
    }
    return 0;
}

static void source_name(struct kube_config *config)
{
    const char *command = doc_path_text(config->exec, "command", NULL);

    if (config->source)
        return;
    if (config->exec)
        config->source = mem_printf("exec %s", strrchr(command, '/') ? strrchr(command, '/') + 1 : command);
    else if (config->token_file)
        config->source = mem_printf("token file %s", config->token_file);
    else if (config->token)
        config->source = mem_text("token");
    else if (config->username)
        config->source = mem_printf("user name %s", config->username);
    else if (config->cert_pem)
        config->source = mem_text("client certificate");
    else
        config->source = mem_text("nothing (anonymous)");
}

static int user_read(const struct loading *loading, const struct entry *entry, struct kube_config *config)
{
    const char *token, *file, *username, *password;

    if (text_get(loading, entry, "token", &token) != 0 || text_get(loading, entry, "tokenFile", &file) != 0 ||
        text_get(loading, entry, "username", &username) != 0 || text_get(loading, entry, "password", &password) != 0 ||
        pem_get(loading, entry, "client-certificate", &config->cert_pem) != 0 ||
        pem_get(loading, entry, "client-key", &config->key_pem) != 0 || exec_read(loading, entry, config) != 0 ||
        impersonate_read(loading, entry, config) != 0)
        return -1;
    if (doc_is(doc_get(entry->value, "auth-provider"), DOC_OBJECT))
        return config_error(loading, entry->source, line_of(entry->source, entry->value, "auth-provider"),
                            "auth-provider of user \"%s\" was removed from Kubernetes in 1.26; use exec", entry->name);
    if (!!config->cert_pem != !!config->key_pem)
        return config_error(loading, entry->source, entry->line, "user \"%s\" has a client %s but no client %s",
                            entry->name, config->cert_pem ? "certificate" : "key",
                            config->cert_pem ? "key" : "certificate");
    if ((token || file) && username)
        return config_error(loading, entry->source, entry->line,
                            "user \"%s\" has both a token and a user name; only one is allowed", entry->name);
    config->token = mem_text(token);
    config->token_file = file ? path_resolve(entry->source, file) : NULL;
    config->username = mem_text(username);
    config->password = mem_text(password);
    return 0;
}

/* ---- in a pod ---- */

static char *account_file(const struct loading *loading, const char *name)
{
    char *path = mem_printf("%s/%s", SERVICE_ACCOUNT, name), *text = NULL;
    struct err err = ERR_INIT;
    struct buf buf;

    buf_init(&buf, 1 << 20);
    if (disk_read(loading->world, path, buf.max, &buf, &err) == 0)
        text = buf_take(&buf);
    buf_free(&buf);
    free(path);
    return text;
}

static bool account_read(struct loading *loading, struct kube_config *config)
{
    char *token = account_file(loading, "token");

    if (!token) {
        looked_add(loading, SERVICE_ACCOUNT, "missing");
        return false;
    }
    kube_secret_free(token);
    config->context = mem_text("in-cluster");
    config->server = mem_text("https://kubernetes.default.svc");
    config->token_file = mem_printf("%s/token", SERVICE_ACCOUNT);
    config->ca_pem = account_file(loading, "ca.crt");
    config->namespace = account_file(loading, "namespace");
    if (config->namespace)
        config->namespace[strcspn(config->namespace, "\r\n")] = '\0';
    return true;
}

/* ---- all of it ---- */

static int config_fill(struct loading *loading, struct kube_config *config)
{
    struct entry context, cluster, user;
    const char *namespace;

    for (size_t i = 0; i < loading->count; i++) {
        if (source_check(loading, &loading->sources[i]) != 0)
            return -1;
    }
    if (context_pick(loading, &context) != 0 || text_get(loading, &context, "namespace", &namespace) != 0 ||
        entry_of_context(loading, &context, "clusters", "cluster", &cluster) != 0)
        return -1;
    config->context = mem_text(context.name);
    config->namespace = mem_text(namespace);
    if (cluster_read(loading, &cluster, config) != 0)
        return -1;
    if (!doc_as_view(doc_get(context.value, "user")).len)
        return 0; /* anonymous, as kubectl does */
    return entry_of_context(loading, &context, "users", "user", &user) != 0 || user_read(loading, &user, config) != 0
               ? -1
               : 0;
}

struct kube_config *kube_config_load(struct world *world, const struct kube_config_options *options, struct err *err)
{
    struct loading loading = {.world = world, .options = options, .err = err};
    struct kube_config *config = mem_alloc(sizeof(*config));
    bool good = false;

    buf_init(&loading.looked, sizeof(err->message));
    if (sources_read(&loading) != 0)
        goto out;
    if (loading.count) {
        good = config_fill(&loading, config) == 0;
    } else if (options->in_cluster && account_read(&loading, config)) {
        good = true;
    } else {
        err_set(err, ERR_AUTH, "no cluster found; looked at %s",
                loading.looked.len ? buf_text(&loading.looked) : "nothing");
        err_explain(err, "H301");
    }
    if (good && options->token) {
        config->token_fn = options->token;
        config->token_ctx = options->token_ctx;
        config->source = mem_text(options->token_source);
    }
    if (good)
        source_name(config);
out:
    for (size_t i = 0; i < loading.count; i++) {
        yaml_free(loading.sources[i].file);
        free(loading.sources[i].path);
        free(loading.sources[i].folder);
    }
    buf_free(&loading.looked);
    if (!good) {
        kube_config_free(config);
        return NULL;
    }
    return config;
}

void kube_config_free(struct kube_config *config)
{
    if (!config)
        return;
    free(config->context);
    free(config->server);
    free(config->namespace);
    free(config->source);
    free(config->proxy);
    free(config->ca_pem);
    free(config->cert_pem);
    kube_secret_free(config->key_pem);
    free(config->server_name);
    kube_secret_free(config->token);
    free(config->token_file);
    free(config->username);
    kube_secret_free(config->password);
    doc_unref(config->exec);
    doc_unref(config->exec_config);
    doc_unref(config->impersonate);
    free(config);
}

const char *kube_config_context(const struct kube_config *config)
{
    return config->context;
}

const char *kube_config_server(const struct kube_config *config)
{
    return config->server;
}

const char *kube_config_namespace(const struct kube_config *config)
{
    return config->namespace && config->namespace[0] ? config->namespace : "default";
}

const char *kube_config_source(const struct kube_config *config)
{
    return config->source;
}
