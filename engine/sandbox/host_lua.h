#pragma once
/* The Lua states in which the tables of lua/sandbox live: one of the simulated cluster, one of the simulated AWS. */
#include "codec/doc.h"

struct lua_State;

struct lua_State *host_lua_new(void *host); /* whom its functions serve */
void host_lua_free(struct lua_State *lua);
void *host_lua_host(struct lua_State *lua);
/* Pushes what lua/sandbox/<name>.lua returns (loaded once). Aborts when there is no such file: our bug. */
void host_lua_require(struct lua_State *lua, const char *name);
struct doc *host_lua_table(struct lua_State *lua, const char *name); /* the same as a document */
/* Scalars as Lua values, containers as proxies of the document; frozen ones cannot be written to. */
void host_lua_push(struct lua_State *lua, const struct doc *doc, bool frozen);
struct doc *host_lua_take(struct lua_State *lua, int index); /* new reference; NULL for nil */
/* The same to look at only: a stored document is not copied. */
struct doc *host_lua_take_shared(struct lua_State *lua, int index);
/* Calls the function below its arguments; a Lua error is our bug: message and abort. */
void host_lua_call(struct lua_State *lua, int arguments, int results);
