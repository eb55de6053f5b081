#pragma once
/* Documents in and out of the scripts' Lua state, and the small library that scripts get. */
#include "codec/doc.h"

#include <lua.h>

/* Pushes it; arrays get the list metatable, so that empty ones stay lists. May raise (memory). */
void sim_value_push(lua_State *L, const struct doc *doc);
/* A new doc for the value at index. NULL when it has none: *why says so ("a function"). Never raises. */
struct doc *sim_value_doc(lua_State *L, int index, const char **why);
/* Opens base, table, string, math and utf8 without what reaches outside or differs between runs. May raise. */
void sim_value_open(lua_State *L);
