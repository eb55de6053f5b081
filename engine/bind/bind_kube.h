#pragma once
/* What the halves of dosrun.native.kube share: requests (bind_kube.c) and watches (bind_watch.c). */
#include "bind/bind.h"
#include "kube/kube.h"

/* The run's client; raises when there is no cluster. */
struct kube *bind_kube_client(struct lua_State *L);
/* Pushes doc (nil for NULL), gives it back, returns 1. */
int bind_push_taken(struct lua_State *L, struct doc *doc);

int bind_kube_watch(struct lua_State *L);     /* watch(api_version, kind, namespace?) -> watch */
int bind_kube_watch_any(struct lua_State *L); /* watch_any({ name = watch, ... }, ms) */
void bind_kube_watch_open(struct lua_State *L); /* the watches' metatable */
