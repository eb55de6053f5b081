/* doctor: what is missing before a first run, each line with what to do; at its end the next command. */
#include "dosrun.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct doctor {
    struct dosrun *dosrun;
    struct doc *rows;
    int missing;     /* a real run would fail */
    bool no_cluster; /* ... because there is none, or it does not let us */
};

enum finding { FINE, NOTE, MISSING };

static void say(struct doctor *doctor, enum finding finding, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void say(struct doctor *doctor, enum finding finding, const char *what, const char *format, ...)
{
    static const char *const words[] = {"ok", "note", "missing"};
    struct doc *row = doc_array();
    struct buf text;
    va_list args;

    buf_init(&text, 1 << 16);
    va_start(args, format);
    buf_vaddf(&text, format, args);
    va_end(args);
    doc_push(row, doc_text(words[finding]));
    doc_push(row, doc_text(what));
    doc_push(row, doc_string(buf_view(&text)));
    doc_push(doctor->rows, row);
    buf_free(&text);
    doctor->missing += finding == MISSING;
}

/* ---- this machine ---- */

static void look_at_state(struct doctor *doctor)
{
    const char *root = doctor->dosrun->state_root;
    struct disk_stat stat = {0};
    struct err err = ERR_INIT;

    if (disk_stat(doctor->dosrun->real, root, &stat, &err) < 0)
        say(doctor, MISSING, "state folder", "%s", err.message);
    else if (stat.kind == DISK_MISSING)
        say(doctor, FINE, "state folder", "%s, made by the first run", root);
    else if (stat.kind != DISK_FOLDER || stat.uid != (uint32_t)getuid() || (stat.mode & 022))
        say(doctor, MISSING, "state folder", "%s must be a folder of yours that nobody else can write to", root);
    else
        say(doctor, FINE, "state folder", "%s", root);
}

static bool count_playbook(void *ctx, const char *name, enum disk_kind kind)
{
    size_t len = strlen(name);

    *(int *)ctx +=
        kind == DISK_FILE && len > 4 && strcmp(name + len - 4, ".lua") == 0 && strcmp(name, "targets.lua") != 0;
    return true;
}

static int look_at_project(struct doctor *doctor)
{
    char *folder = mem_printf("%s/playbooks", doctor->dosrun->project);
    struct err err = ERR_INIT;
    int count = 0;

    if (disk_list(doctor->dosrun->real, folder, count_playbook, &count, &err) < 0)
        err_clear(&err);
    free(folder);
    if (count)
        say(doctor, FINE, "project", "%s, %d playbook%s", doctor->dosrun->project, count, count == 1 ? "" : "s");
    else
        say(doctor, NOTE, "project", "%s has no playbooks yet: dosrun new hello", doctor->dosrun->project);
    if (doctor->dosrun->targets)
        say(doctor, FINE, "target", "%s of playbooks/targets.lua", doctor->dosrun->target_name);
    else
        say(doctor, NOTE, "target", "no playbooks/targets.lua: the kubeconfig's current context is used");
    return count;
}

static void look_at_pins(struct doctor *doctor)
{
    static const char *const names[] = {"kubernetes", "istio"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char text[128];
        int past = pins_support(doctor->dosrun, names[i], text, sizeof(text));

        if (strcmp(text, "not pinned") != 0)
            say(doctor, past ? NOTE : FINE, names[i], "%s", text);
    }
}

/* ---- the cluster ---- */

static bool look_at_cluster(struct doctor *doctor)
{
    struct dosrun *dosrun = doctor->dosrun;
    struct err err = ERR_INIT;
    struct kube *kube = cluster_client(dosrun, &err);
    struct doc *version;

    if (!kube || cluster_check(dosrun, &err) < 0) {
        say(doctor, MISSING, "cluster", "%s", err.message);
        doctor->no_cluster = true;
        if (err.kind != ERR_DENIED)
            return false;
        err = ERR_INIT;
    }
    say(doctor, FINE, "identity", "%s (context %s)", kube_config_source(kube_config_of(kube)),
        kube_config_context(kube_config_of(kube)));
    version = cluster_ask(dosrun, "GET", "/version", NULL, &err);
    say(doctor, FINE, "cluster", "%s, %s, %s%s", kube_config_server(kube_config_of(kube)),
        version ? doc_as_text(doc_get(version, "gitVersion"), "version not told") : "version not told",
        target_is_eks(dosrun) ? "" : "uid ", dosrun->identity ? dosrun->identity : "not told");
    doc_unref(version);
    return true;
}

/* SelfSubjectAccessReview of authorization.k8s.io/v1: 1 yes, 0 no, -1 not told. */
static int allowed(struct dosrun *dosrun, const char *verb, const char *group, const char *resource,
                   const char *namespace)
{
    struct doc *review = doc_object(), *spec = doc_object(), *attributes = doc_object(), *answer;
    struct err err = ERR_INIT;
    int result = -1;

    doc_set_text(review, "apiVersion", "authorization.k8s.io/v1");
    doc_set_text(review, "kind", "SelfSubjectAccessReview");
    doc_set_text(attributes, "verb", verb);
    doc_set_text(attributes, "group", group);
    doc_set_text(attributes, "resource", resource);
    doc_set_text(attributes, "namespace", namespace);
    doc_set(spec, "resourceAttributes", attributes);
    doc_set(review, "spec", spec);
    answer = cluster_ask(dosrun, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review, &err);
    if (answer)
        result = doc_as_bool(doc_path(answer, "status", "allowed", NULL), false);
    doc_unref(review);
    doc_unref(answer);
    return result;
}

static void look_at_rights(struct doctor *doctor)
{
    static const struct {
        const char *verb, *group, *resource, *namespace, *what;
    } rights[] = {
        {"create", "coordination.k8s.io", "leases", "", "the lock"},
        {"create", "", "configmaps", "", "inventories"},
        {"create", "", "namespaces", NULL, "namespaces"},
        {"patch", "apps", "deployments", "dos-game", "Deployments"},
        {"create", "", "secrets", "dos-game", "Secrets"},
        {"patch", "networking.istio.io", "virtualservices", "dos-game", "VirtualServices"},
    };
    const char *lock = doc_path_text(doctor->dosrun->target, "lock_namespace", NULL);
    int refused = 0;

    for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++) {
        const char *namespace =
            rights[i].namespace && !*rights[i].namespace ? (lock ? lock : "kube-system") : rights[i].namespace;
        int yes = allowed(doctor->dosrun, rights[i].verb, rights[i].group, rights[i].resource, namespace);

        if (yes == 1)
            continue;
        if (yes == 0)
            doctor->no_cluster = true;
        say(doctor, yes == 0 ? MISSING : NOTE, "permission", "%s: %s %s%s%s %s", rights[i].what, rights[i].verb,
            rights[i].resource, namespace ? " in " : "", namespace ? namespace : "",
            yes == 0 ? "is not allowed to you" : "could not be asked");
        if (yes < 0)
            return; /* the others would say the same */
        refused++;
    }
    if (!refused)
        say(doctor, FINE, "permission", "the lock, inventories, namespaces, Deployments, Secrets, VirtualServices");
}

static void discovered(void *ctx, const struct err *err)
{
    struct dosrun *dosrun = ctx;

    dosrun->done = true;
    if (err)
        dosrun->err = *err;
}

static void look_at_kind(struct doctor *doctor, const char *word, const char *what, const char *remedy)
{
    struct err err = ERR_INIT;

    if (kube_resource_find(doctor->dosrun->kube, NULL, word, &err))
        say(doctor, FINE, what, "%s is served", word);
    else
        say(doctor, MISSING, what, "%s", remedy);
}

static void look_at_storage(struct doctor *doctor)
{
    struct err err = ERR_INIT;
    struct doc *list = cluster_ask(doctor->dosrun, "GET", "/apis/storage.k8s.io/v1/storageclasses", NULL, &err);
    const struct doc *items = doc_get(list, "items");
    bool found = false;
    struct buf names;

    buf_init(&names, 1 << 14);
    for (size_t i = 0; i < doc_size(items); i++) {
        const char *name = doc_path_text(doc_at(items, i), "metadata", "name", NULL);

        found = found || (name && strcmp(name, "ebs-gp3") == 0);
        buf_addf(&names, "%s%s", i ? ", " : "", name ? name : "?");
    }
    if (err.kind)
        say(doctor, MISSING, "storage", "%s", err.message);
    else if (found)
        say(doctor, FINE, "storage", "StorageClass ebs-gp3");
    else
        say(doctor, MISSING, "storage", "no StorageClass ebs-gp3, which the database's volume asks for (there: %s)",
            names.len ? buf_text(&names) : "none");
    buf_free(&names);
    doc_unref(list);
}

static void look_at_gateway(struct doctor *doctor)
{
    struct err err = ERR_INIT;
    struct doc *service =
        cluster_ask(doctor->dosrun, "GET", "/api/v1/namespaces/istio-system/services/istio-ingressgateway", NULL, &err);
    const struct doc *ingress = doc_at(doc_path(service, "status", "loadBalancer", "ingress", NULL), 0);
    const char *ip = doc_path_text(ingress, "ip", NULL), *host = doc_path_text(ingress, "hostname", NULL);

    if (!service && err.kind != ERR_MISSING)
        say(doctor, NOTE, "gateway", "%s", err.message);
    else if (!service)
        say(doctor, MISSING, "gateway",
            "no Service istio-system/istio-ingressgateway: install Istio's ingress gateway");
    else if (!ip && !host)
        say(doctor, NOTE, "gateway", "Service istio-system/istio-ingressgateway has no load balancer address yet");
    else
        say(doctor, FINE, "gateway", "%s", ip ? ip : host);
    doc_unref(service);
}

static void look_into_cluster(struct doctor *doctor)
{
    struct dosrun *dosrun = doctor->dosrun;

    look_at_rights(doctor);
    dosrun->done = false;
    kube_discover(dosrun->kube, discovered, dosrun);
    dosrun_wait(dosrun);
    if (dosrun->err.kind) {
        say(doctor, MISSING, "kinds", "%s", dosrun->err.message);
        dosrun->err = ERR_INIT;
        return;
    }
    look_at_kind(doctor, "VirtualService", "Istio", "its CRDs are not installed: no VirtualService");
    look_at_kind(doctor, "PodMetrics", "metrics", "no metrics API: autoscalers do not act; install metrics-server");
    look_at_storage(doctor);
    look_at_gateway(doctor);
}

/* ---- the end ---- */

static const char *next_command(const struct doctor *doctor, int playbooks)
{
    if (!playbooks)
        return "dosrun new hello";
    if (doctor->no_cluster)
        return "dosrun --sandbox playbooks/deploy.lua doom";
    return doctor->missing ? "dosrun doctor" : "dosrun plan playbooks/deploy.lua doom";
}

int command_doctor(struct dosrun *dosrun)
{
    struct doctor doctor = {.dosrun = dosrun};
    struct doc *event;
    int playbooks;

    if (place_find(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, EXIT_USAGE);
    if (dosrun_open(dosrun, &dosrun->err) < 0)
        return dosrun_fail(dosrun, &dosrun->err, dosrun_exit_for(&dosrun->err));
    doctor.rows = doc_array();
    look_at_state(&doctor);
    playbooks = look_at_project(&doctor);
    look_at_pins(&doctor);
    if (!target_is_local(dosrun) && look_at_cluster(&doctor))
        look_into_cluster(&doctor);
    event = event_new("report");
    doc_set(event, "rows", doctor.rows);
    event_emit(dosrun->bus, EVENT_LIVE, NULL, event);
    if (doctor.missing)
        dosrun_text(dosrun, "%d thing%s missing before a run on target %s\n", doctor.missing,
                    doctor.missing == 1 ? " is" : "s are", dosrun->target_name);
    else
        dosrun_text(dosrun, "ready\n");
    dosrun_text(dosrun, "next: %s\n", next_command(&doctor, playbooks));
    return !doctor.missing ? EXIT_DONE : doctor.no_cluster ? EXIT_NOPERM : EXIT_UNDONE;
}
