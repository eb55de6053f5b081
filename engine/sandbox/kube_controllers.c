/*
 * The kernel of the controllers in lua/sandbox/controllers.lua: a queue of keys, each due at a time,
 * and one call into Lua for each. Level-triggered: after a restart every object is looked at again,
 * so nothing but the objects themselves has to last.
 */
#include "sandbox/kube_cluster.h"

#include <lua.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct list link;
    struct controllers *controllers;
    struct sim_timer *timer;
    int64_t due_ms;
    char *key;
};

struct controllers {
    struct cluster *cluster;
    struct list jobs;
};

struct controllers *controllers_new(struct cluster *cluster)
{
    struct controllers *controllers = mem_alloc(sizeof(*controllers));

    controllers->cluster = cluster;
    list_init(&controllers->jobs);
    api_open(cluster);
    return controllers;
}

/* Pushes a function of controllers.lua. */
static void function_push(lua_State *lua, const char *name)
{
    host_lua_require(lua, "controllers");
    lua_getfield(lua, -1, name);
    lua_remove(lua, -2);
}

static void job_free(struct job *job)
{
    list_remove(&job->link);
    free(job->key);
    free(job);
}

/* Keys are controller/namespace/name; "-" for no namespace. */
static bool job_held(struct cluster *cluster, const char *key)
{
    const char *first = strchr(key, '/'), *second = first ? strchr(first + 1, '/') : NULL;

    if (!second)
        return false;
    char *namespace = mem_view((struct view){first + 1, (size_t)(second - first - 1)});
    bool held = fault_holds(cluster, strcmp(namespace, "-") == 0 ? "" : namespace, second + 1);
    free(namespace);
    return held;
}

static void job_run(void *ctx)
{
    struct job *job = ctx;
    struct cluster *cluster = job->controllers->cluster;
    lua_State *lua = cluster->lua;
    char *key = mem_text(job->key);

    job_free(job);
    if (!job_held(cluster, key)) {
        function_push(lua, "reconcile");
        lua_pushstring(lua, key);
        host_lua_call(lua, 1, 0);
    }
    free(key);
}

void controllers_enqueue(struct cluster *cluster, const char *key, int64_t delay_ms)
{
    struct controllers *controllers = cluster->controllers;
    int64_t due = sim_now_ms(cluster->sim) + delay_ms;

    LIST_EACH_SAFE(link, &controllers->jobs)
    {
        struct job *job = LIST_OF(link, struct job, link);

        if (strcmp(job->key, key) != 0)
            continue;
        if (job->due_ms <= due)
            return;
        sim_timer_stop(job->timer);
        job_free(job);
    }
    struct job *job = mem_alloc(sizeof(*job));
    job->controllers = controllers;
    job->due_ms = due;
    job->key = mem_text(key);
    list_add_tail(&controllers->jobs, &job->link);
    job->timer = sim_after(cluster->sim, delay_ms, job_run, job);
}

void controllers_notify(struct cluster *cluster, struct resource *resource, const struct doc *object,
                        const struct doc *before)
{
    lua_State *lua = cluster->lua;

    if (!cluster->live)
        return;
    function_push(lua, "changed");
    lua_pushstring(lua, resource->kind);
    lua_pushstring(lua, resource->group);
    host_lua_push(lua, object, true);
    host_lua_push(lua, before, true);
    host_lua_call(lua, 4, 0);
}

/* Settled since the cluster was made: nobody has to look. */
static bool untouched(const struct cluster *cluster, const struct object *object)
{
    const char *version = doc_path_text(object->doc, "metadata", "resourceVersion", NULL);

    return object->boot && version && strtoull(version, NULL, 10) <= cluster->boot_version;
}

void controllers_start(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->resources_len; i++) {
        struct resource *resource = cluster->resources[i];

        for (size_t j = 0; j < resource->objects_len; j++)
            if (!untouched(cluster, resource->objects[j]))
                controllers_notify(cluster, resource, resource->objects[j]->doc, NULL);
    }
}

char *controllers_pod_log(struct cluster *cluster, const struct doc *pod, const char *container, bool previous,
                          struct doc **status)
{
    lua_State *lua = cluster->lua;
    char *text = NULL;

    host_lua_require(lua, "pods");
    lua_getfield(lua, -1, "log");
    lua_remove(lua, -2);
    host_lua_push(lua, pod, true);
    lua_pushstring(lua, container);
    lua_pushboolean(lua, previous);
    host_lua_call(lua, 3, 2);
    if (lua_isstring(lua, -2))
        text = mem_text(lua_tostring(lua, -2));
    else
        *status = status_new(400, "BadRequest", "%s", lua_tostring(lua, -1));
    lua_pop(lua, 2);
    return text;
}

void controllers_free(struct controllers *controllers)
{
    if (!controllers)
        return;
    LIST_EACH_SAFE(link, &controllers->jobs)
    {
        struct job *job = LIST_OF(link, struct job, link);

        sim_timer_stop(job->timer);
        job_free(job);
    }
    free(controllers);
}
