/*
 * `dosrun check`: the native modules that reach outside are replaced by Lua ones of the same name,
 * lua/dosrun/offline/. The real ones that these build on are dosrun.native.online.NAME.
 */
#include "bind/bind.h"

#include <lua.h>
#include <stdio.h>
#include <string.h>

/* Called by require with the module's name: "dosrun.native.kube" gives what "dosrun.offline.kube" is. */
int bind_offline_open(lua_State *L)
{
    const char *name = strrchr(lua_tostring(L, 1), '.');
    struct script *script = bind_of(L)->script;
    lua_State *main = script_lua(script);
    struct err err = ERR_INIT;
    char module[64];

    snprintf(module, sizeof(module), "dosrun.offline%s", name ? name : "");
    if (script_require(script, module, &err) < 0)
        return script_raise(L, &err);
    if (main != L)
        lua_xmove(main, L, 1);
    return 1;
}

void bind_install_offline(struct bind *bind)
{
    static const char *const names[] = {"aws", "kube", "http", "process", "file", "run"};

    script_native(bind->script, "online.file", bind_file_open);
    script_native(bind->script, "online.run", bind_run_open);
    script_native(bind->script, "online.kube", bind_kube_open);
    script_native(bind->script, "online.aws", bind_aws_open);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        script_native(bind->script, names[i], bind_offline_open);
}
