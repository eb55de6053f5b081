/* dosrun.native.run: the run itself: its facts, time, log, names and secrets. */
#include "bind/bind.h"

#include "base/digest.h"
#include "base/secret.h"
#include "base/suggest.h"

#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 512, SECRET_MAX = 256, NAME_MAX_BYTES = 4 << 20 };

/* info() -> { id, number, target, kind, sandbox, values, args, mode } */
static int run_info(lua_State *L)
{
    script_push_doc(L, bind_of(L)->info);
    return 1;
}

/* now() -> milliseconds since 1970, UTC; virtual in the sandbox */
static int run_now(lua_State *L)
{
    lua_pushinteger(L, world_now_ms(bind_of(L)->world));
    return 1;
}

static const char *step_of(lua_State *L)
{
    const struct bind_context *context = bind_context_of(L);

    return context ? context->step : NULL;
}

/* log(level, text) */
static int run_log(lua_State *L)
{
    struct doc *event = event_new("log");

    doc_set_text(event, "level", luaL_checkstring(L, 1));
    doc_set_text(event, "text", luaL_checkstring(L, 2));
    event_emit(bind_of(L)->bus, EVENT_NOTE, step_of(L), event);
    return 0;
}

/* wait{ object, condition, newest, since_ms }: what is waited for now; shown, never journalled */
static int run_wait(lua_State *L)
{
    struct doc *event = event_new("wait"), *facts = script_check_doc(L, 1);

    DOC_EACH(fact, facts)
    {
        doc_set(event, fact.key, doc_ref(fact.value));
    }
    doc_unref(facts);
    event_emit(bind_of(L)->bus, EVENT_LIVE, step_of(L), event);
    return 0;
}

struct sleep_op {
    struct op op;
    struct timer *timer;
};

static void sleep_free(struct op *op)
{
    free(op);
}

static void sleep_cancel(struct op *op)
{
    timer_stop(((struct sleep_op *)op)->timer);
}

static int sleep_push(lua_State *L, struct op *op, struct err *err)
{
    (void)L;
    (void)op;
    (void)err;
    return 0;
}

static void sleep_over(void *ctx)
{
    task_ready(ctx);
}

/* sleep(ms) */
static int run_sleep(lua_State *L)
{
    int64_t ms = luaL_checkinteger(L, 1);
    struct sleep_op *sleep;

    luaL_argcheck(L, ms >= 0, 1, "a time cannot be negative");
    task_check_wait(L);
    sleep = mem_alloc(sizeof(*sleep));
    sleep->op = (struct op){.push = sleep_push, .cancel = sleep_cancel, .free = sleep_free};
    sleep->timer = timer_start(bind_of(L)->world, ms, sleep_over, &sleep->op);
    return task_wait(L, &sleep->op);
}

static int uses_aws(lua_State *L, struct bind *bind)
{
    struct err err = ERR_INIT;

    if (bind->loaded && !bind->uses_aws && bind->account) {
        err_set(&err, ERR_USAGE,
                "dosrun.aws is first named inside a step, so the run began without asking whether the credentials "
                "belong to "
                "account %s; name it at the playbook's top: local aws = dosrun.aws",
                bind->account);
        err_explain(&err, "S410");
        return script_raise(L, &err);
    }
    bind->uses_aws = true;
    return 0;
}

/* uses(name): the playbook took a room that needs a cluster, or aws */
static int run_uses(lua_State *L)
{
    struct bind *bind = bind_of(L);
    const char *name = luaL_checkstring(L, 1);
    struct err err = ERR_INIT;

    if (strcmp(name, "aws") == 0)
        return uses_aws(L, bind);
    if (bind->loaded && !bind->uses_kube) {
        err_set(&err, ERR_USAGE,
                "dosrun.%s is first named inside a step, so the run began without a cluster and without its lock; name "
                "it at the "
                "playbook's top: local %s = dosrun.%s",
                name, name, name);
        err_explain(&err, "S410");
        return script_raise(L, &err);
    }
    bind->uses_kube = true;
    return 0;
}

/* project_list(folder) -> file names, sorted; nil when there is no such folder. Kept with the run, as read's files are.
 */
static int run_project_list(lua_State *L)
{
    struct bind *bind = bind_of(L);
    char *path = mem_printf("%s/", luaL_checkstring(L, 1));
    struct err unread = ERR_INIT;
    struct doc *names = NULL;
    struct buf text;

    buf_init(&text, 1 << 20);
    if (bind->read(bind->ctx, path, &text, &unread) == 0) {
        names = doc_array();
        for (const char *at = buf_text(&text); *at; at += strcspn(at, "\n") + 1)
            doc_push(names, doc_string((struct view){at, strcspn(at, "\n")}));
    }
    buf_free(&text);
    free(path);
    if (names)
        script_push_doc(L, names);
    else
        lua_pushnil(L);
    doc_unref(names);
    return 1;
}

/* read(path) -> text of a project file, which becomes part of the run's bundle */
static int run_read(lua_State *L)
{
    struct bind *bind = bind_of(L);
    const char *path = luaL_checkstring(L, 1);
    struct err err = ERR_INIT;
    struct buf text;

    buf_init(&text, 64 << 20);
    if (bind->read(bind->ctx, path, &text, &err) < 0) {
        buf_free(&text);
        return script_raise(L, &err);
    }
    lua_pushlstring(L, buf_text(&text), text.len);
    buf_free(&text);
    return 1;
}

/* name(resource, digits) -> hex digits, the same on every resume of this run */
static int run_name(lua_State *L)
{
    static const char digits[] = "0123456789abcdef";
    const struct bind *bind = bind_of(L);
    unsigned char hash[SHA256_SIZE];
    char name[2 * SHA256_SIZE + 1];
    size_t len;
    const char *resource = luaL_checklstring(L, 1, &len);
    lua_Integer wanted = luaL_optinteger(L, 2, 8);
    struct err ignored = ERR_INIT;
    struct buf plain;

    luaL_argcheck(L, wanted > 0 && wanted <= 2 * SHA256_SIZE, 2, "1 to 64 digits");
    /* A secret's mark differs from process to process, what it stands for does not. */
    buf_init(&plain, NAME_MAX_BYTES);
    if (marks_reveal(bind->marks, (struct view){resource, len}, &plain, &ignored) < 0) {
        buf_reset(&plain);
        buf_add(&plain, resource, len);
    }
    digest_hmac_sha256((struct view){(const char *)bind->name_key, sizeof(bind->name_key)}, buf_view(&plain), hash);
    secret_wipe(plain.ptr, plain.len);
    buf_free(&plain);
    for (lua_Integer i = 0; i < wanted; i++)
        name[i] = digits[i % 2 ? hash[i / 2] & 15 : hash[i / 2] >> 4];
    lua_pushlstring(L, name, (size_t)wanted);
    return 1;
}

/* secret(purpose, length) -> a mark for a generated secret of letters and digits; journalled, sealed, before its first
 * use */
static int run_secret(lua_State *L)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    struct bind *bind = bind_of(L);
    const char *purpose = luaL_checkstring(L, 1);
    lua_Integer len = luaL_checkinteger(L, 2);
    const char *known = doc_as_text(doc_get(bind->secrets, purpose), NULL);
    unsigned char block[SHA256_SIZE];
    char plain[SECRET_MAX];
    struct doc *event;
    struct buf mark;

    luaL_argcheck(L, len >= 8 && len <= SECRET_MAX, 2, "8 to 256 characters");
    if (known) {
        lua_pushstring(L, known);
        return 1;
    }
    for (lua_Integer i = 0; i < len; i++) {
        if (i % 16 == 0) {
            char text[512];
            int size = snprintf(text, sizeof(text), "secret %s %lld", purpose, (long long)i);

            digest_hmac_sha256((struct view){(const char *)bind->name_key, sizeof(bind->name_key)},
                               (struct view){text, (size_t)size < sizeof(text) ? (size_t)size : sizeof(text) - 1},
                               block);
        }
        /* two bytes a letter: the remainder's bias is below 1 in 1000 */
        plain[i] = letters[(block[2 * (i % 16)] << 8 | block[2 * (i % 16) + 1]) % (int)(sizeof(letters) - 1)];
    }
    buf_init(&mark, 4096);
    marks_add_secret(bind->marks, &mark, (struct view){plain, (size_t)len});
    secret_wipe(plain, sizeof(plain));
    doc_set_text(bind->secrets, purpose, buf_text(&mark));
    event = event_new("secret");
    doc_set_text(event, "purpose", purpose);
    doc_set_text(event, "value", buf_text(&mark));
    event_emit(bind->bus, EVENT_NOTE, step_of(L), event);
    lua_pushlstring(L, buf_text(&mark), mark.len);
    buf_free(&mark);
    return 1;
}

/* suggest(word, set) -> the nearest key of the set, or nil */
static int run_suggest(lua_State *L)
{
    const char *word = luaL_checkstring(L, 1), *names[NAMES_MAX + 1];
    const char *near;
    size_t count = 0;

    luaL_checktype(L, 2, LUA_TTABLE);
    lua_pushnil(L);
    while (lua_next(L, 2)) {
        if (lua_type(L, -2) == LUA_TSTRING && count < NAMES_MAX)
            names[count++] = lua_tostring(L, -2);
        lua_pop(L, 1);
    }
    near = suggest_nearest(word, names, count);
    if (near)
        lua_pushstring(L, near);
    else
        lua_pushnil(L);
    return 1;
}

/* option(name) -> is it an option of dosrun? */
static int run_option(lua_State *L)
{
    lua_pushboolean(L, bind_of(L)->is_option(luaL_checkstring(L, 1)));
    return 1;
}

/* playbook_path() -> as given on the command line */
static int run_playbook_path(lua_State *L)
{
    lua_pushstring(L, bind_of(L)->playbook);
    return 1;
}

/* drift(list): the differences that a reading playbook found; the run then ends with 2 */
static int run_drift(lua_State *L)
{
    struct bind *bind = bind_of(L);
    struct doc *list = script_check_doc(L, 1), *event;

    if (doc_size(list)) {
        event = event_new("drift");
        doc_set(event, "list", doc_ref(list));
        event_emit(bind->bus, EVENT_NOTE, step_of(L), event);
        bind->drift(bind->ctx);
    }
    doc_unref(list);
    return 0;
}

/* report{ title?, columns, rows } or { text }: a result, on stdout */
static int run_report(lua_State *L)
{
    struct doc *event = event_new("report"), *facts = script_check_doc(L, 1);

    DOC_EACH(fact, facts)
    {
        doc_set(event, fact.key, doc_ref(fact.value));
    }
    doc_unref(facts);
    event_emit(bind_of(L)->bus, EVENT_NOTE, step_of(L), event);
    return 0;
}

/* raise(kind, explain, message, level): an error of the engine's own form, placed at the author's line */
static int run_raise(lua_State *L)
{
    struct err err = ERR_INIT;

    err_set(&err, err_kind_from_name(luaL_checkstring(L, 1)), "%s", luaL_checkstring(L, 3));
    err_explain(&err, luaL_optstring(L, 2, ""));
    return script_raise(L, &err);
}

int bind_run_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"info", run_info},
                                         {"now", run_now},
                                         {"log", run_log},
                                         {"wait", run_wait},
                                         {"sleep", run_sleep},
                                         {"uses", run_uses},
                                         {"project_list", run_project_list},
                                         {"read", run_read},
                                         {"name", run_name},
                                         {"secret", run_secret},
                                         {"suggest", run_suggest},
                                         {"option", run_option},
                                         {"playbook_path", run_playbook_path},
                                         {"drift", run_drift},
                                         {"report", run_report},
                                         {"raise", run_raise},
                                         {NULL, NULL}};

    luaL_newlib(L, functions);
    return 1;
}
