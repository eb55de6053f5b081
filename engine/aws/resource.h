#pragma once
/*
 * resource: what a kind of resource is, as data: how it is found, what its fields are, how each is put, taken back and
 * deleted. Lua makes it (lua/dosrun/aws/kind.lua) and forward and backward read the same; it goes into the undo data of a
 * change, so that undo needs no playbook.
 *
 *   spec  {kind, name, service, region?, role?, find: CALL, fields: [FIELD], delete: CALL, holds: [CODE],
 *          tagged, id, run, made, ours: {FIELD: [VALUE]}}
 *   CALL  {op, params, at, missing: [CODE]}   at: a JMESPath in the answer, all of it without; missing: then the answer is null
 *   FIELD {name, at | look: CALL, map: [KEY, VALUE?], each: CALL, json, whole, inside, put: CALL, unset: CALL}
 *
 * A text "${expression}" in params is what the JMESPath finds in the context {name, region, found, fields, key, value};
 * a member for which that is nothing is left out. In an `at` it becomes text, for use between quotes: '${name}'.
 * `fields` are all fields, the one that is put included: some requests set several. A field with `map` is an object:
 * its list on the wire has entries with a key and perhaps a value (true without), or each entry is read by a call of
 * its own; it is put and unset entry by entry, or, `whole`, all at once. `json` is a document that the service keeps as
 * text; "policy": of which it keeps the meaning. `inside`: what is in it keeps the resource from being deleted.
 * `ours` lists each value that the run set; `made`: the answer to its creation came.
 */
#include "aws/aws.h"

/* What is there: {found, fields}; a field that is not set is left out. */
typedef void resource_look_fn(void *ctx, struct doc *state, const struct err *err);
struct resource_look;
/* One look: state (taken) is NULL when there is no such resource, and with err; fn is called from a later turn. spec is kept
   by reference. NULL with err: the spec is wrong. */
struct resource_look *resource_look_start(struct aws *aws, const struct doc *spec, bool backward, resource_look_fn *fn, void *ctx,
                                          struct err *err);
void resource_look_cancel(struct resource_look *look);

/* The params of a call, a new reference; NULL with err. call may be NULL: {}. */
struct doc *resource_params(const struct doc *call, const struct doc *context, struct err *err);
/* What goes to the service for a value of a field, or for one entry of it: text for json, a list for a whole map. A new
   reference; NULL stays NULL. */
struct doc *resource_wire(const struct doc *field, const struct doc *value, bool entry);
/* ---- values (resource_values.c) ---- */

/* What an `at` finds; names in it are filled in first. A new reference; NULL with err. */
struct doc *resource_at(const char *at, const struct doc *context, const struct doc *in, struct err *err);
/* What the service said as the field's value, or as one entry of it: a new reference, NULL when it is not set. */
struct doc *resource_value(const struct doc *field, const struct doc *said);
struct doc *resource_entry(const struct doc *field, const struct doc *said);
/* Are these values of the field the same? A secret and its plain text are. */
bool resource_same(const struct marks *marks, const struct doc *field, const struct doc *a, const struct doc *b);
/* {name, region?, found, fields}: what calls of it refer to. */
struct doc *resource_context(const struct doc *spec, const struct doc *state);
/* The request of a call: operation and place; params are the caller's. -1: no such operation. */
int resource_request(struct aws *aws, const struct doc *spec, const struct doc *call, struct aws_request *request, struct err *err)
    __attribute__((warn_unused_result));
/* Does the error's code stand in call's `name` list? */
bool resource_says(const struct doc *codes, const struct err *err);
