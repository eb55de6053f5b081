#pragma once
/* What the scripts' two halves share: the Lua state with its limits and its lasting table, and the calls into it. */
#include "sandbox/core.h"
#include "sandbox/script_value.h"

struct route {
    char *origin; /* URL prefix, or a program's name */
    struct sim_message url;
    int function; /* in the registry */
};

struct routes {
    struct route *list;
    size_t len;
};

struct sim_script {
    struct sim_server server; /* first */
    struct sim *sim;
    lua_State *L; /* NULL until something was loaded */
    size_t memory;
    bool loading; /* functions may be added */
    struct routes hosts, programs;
    struct doc *state; /* as logged last */
    struct doc *read;  /* what state_read found */
    struct list pending;
};

/* Calls what is on the stack, with the limits on steps; nothing is left on it. */
int sim_script_call(struct sim_script *script, int arguments, struct err *err) __attribute__((warn_unused_result));
/* Logs sandbox.state if it changed. */
int sim_script_save(struct sim_script *script, struct err *err) __attribute__((warn_unused_result));

/* script_call.c: the server's part that runs scripts. */
bool sim_script_serves(struct sim_server *server, const struct sim_request *request);
void sim_script_handle(struct sim_server *server, const struct sim_request *request, struct sim_reply *reply);
void sim_script_drop_pending(struct sim_script *script);
