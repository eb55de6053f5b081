#include "script/room.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The state: its memory, its hook, its beginning and end. Memory is limited only while Lua runs on
 * somebody's behalf (script->limited): the engine's own calls between resumptions never fail, for
 * an error there would have nobody to catch it.
 */
enum { MEMORY_DEFAULT = 256 << 20, WATCHDOG_DEFAULT_MS = 10000 };

static void *state_alloc(void *ud, void *ptr, size_t old, size_t size)
{
    struct script *script = ud;
    void *block;

    if (!ptr)
        old = 0;
    if (size == 0) {
        free(ptr);
        script->memory_used -= old;
        return NULL;
    }
    if (size > old && script->limited > 0 &&
        (size - old > script->memory_max || script->memory_used > script->memory_max - (size - old)))
        return NULL;
    block = realloc(ptr, size);
    if (block)
        script->memory_used = script->memory_used - old + size;
    return block;
}

static int state_panic(lua_State *L)
{
    const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "not a text";

    fprintf(stderr, "dosrun: Lua error outside of a task: %s\n", text);
    abort();
}

struct context *context_of(lua_State *L)
{
    return *(struct context **)lua_getextraspace(L);
}

static void state_hook(lua_State *L, lua_Debug *ar)
{
    struct context *context = context_of(L);

    (void)ar;
    if (context->task)
        task_check(L, context->task);
    else if (context->script->ticks > 0 && --context->script->ticks == 0)
        script_raise_explained(L, "S407", "this took too long");
}

struct script *script_new(const struct script_options *options)
{
    struct script *script = mem_alloc(sizeof(*script));
    lua_State *L;

    script->options = *options;
    script->memory_max = options->memory_max ? options->memory_max : MEMORY_DEFAULT;
    if (!script->options.watchdog_ms)
        script->options.watchdog_ms = WATCHDOG_DEFAULT_MS;
    list_init(&script->tasks);
    list_init(&script->ready);
    L = lua_newstate(state_alloc, script);
    if (!L) {
        fprintf(stderr, "dosrun: out of memory\n");
        abort();
    }
    script->L = L;
    script->context.script = script;
    *(struct context **)lua_getextraspace(L) = &script->context;
    lua_atpanic(L, state_panic);
    lua_sethook(L, state_hook, LUA_MASKCOUNT, HOOK_INTERVAL);
    errors_open(L);
    globals_open(L);
    loader_open(L);
    script_native(script, "script", native_script_open);
    script_native(script, "task", native_task_open);
    return script;
}

void script_free(struct script *script)
{
    if (!script)
        return;
    script->closing = true;
    LIST_EACH(link, &script->tasks)
    {
        struct task *task = LIST_OF(link, struct task, link);
        struct op *op = task->op;

        task->op = NULL;
        if (op && !task->op_ready && op->cancel)
            op->cancel(op);
        if (op && op->free)
            op->free(op);
    }
    lua_close(script->L);
    LIST_EACH_SAFE(link, &script->tasks)
    {
        struct task *task = LIST_OF(link, struct task, link);

        task->refs = 1;
        task_unref(task);
    }
    free(script);
}

lua_State *script_lua(struct script *script)
{
    return script->L;
}

struct script *script_of(lua_State *L)
{
    return context_of(L)->script;
}

struct marks *script_marks(struct script *script)
{
    return script->options.marks;
}

size_t script_memory_used(const struct script *script)
{
    return script->memory_used;
}
