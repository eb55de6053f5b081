#pragma once
/*
 * shape: what a field of an API object looks like: its type, list keys, defaults; for built-in kinds
 * from lua/sandbox/schema_*.lua (the notation stands in schema_meta.lua), for custom ones from the
 * OpenAPI schema of their CRD. Named shapes are read when they are first needed.
 */
#include "codec/doc.h"

enum shape_kind {
    SHAPE_ANY, /* nothing is known: maps by key, lists whole */
    SHAPE_TEXT,
    SHAPE_INT,
    SHAPE_REAL,
    SHAPE_BOOL,
    SHAPE_INT_OR_TEXT,
    SHAPE_TIME,
    SHAPE_QUANTITY,
    SHAPE_BYTES,
    SHAPE_STRUCT,
    SHAPE_MAP,
    SHAPE_LIST,
};

struct shape_field {
    const char *name;
    struct shape *shape;
    bool pointer, always, required;
    struct doc *fallback;  /* default, or NULL */
    struct doc *one_of;    /* array of allowed texts, or NULL */
    const char *patch;     /* merge key of strategic patches where it is not the list's keys; "replace" */
};

enum { SHAPE_KEYS_MAX = 4 };

struct shape {
    enum shape_kind kind;
    const char *name; /* of a struct from the tables, else NULL */
    bool loaded;      /* the fields of a named struct were read */
    bool atomic;      /* one owner: a struct, map or list */
    bool set;         /* a list that is a set of scalars */
    bool root;        /* has apiVersion and kind */
    bool open;        /* unknown fields are kept (x-kubernetes-preserve-unknown-fields) */
    bool custom;      /* from a CRD */
    bool nullable;
    const char *keys[SHAPE_KEYS_MAX];
    size_t keys_len;
    struct shape *element; /* of a map or list */
    struct shape_field *fields;
    size_t fields_len;
    const struct doc *schema; /* custom: its OpenAPI node, borrowed from the CRD's copy in `owner` */
};

struct shapes;
struct lua_State;
struct shapes *shapes_new(struct lua_State *lua);
void shapes_free(struct shapes *shapes);
/* A named shape, from schema_<file>.lua or schema_meta.lua. Never NULL: an unknown name is our bug. */
struct shape *shapes_named(struct shapes *shapes, const char *file, const char *name);
/* From an OpenAPI v3 schema node (kept by reference). */
struct shape *shapes_from_openapi(struct shapes *shapes, const struct doc *schema);
const struct shape *shapes_any(void);

/* NULL when a struct has no such field. For maps the element, for SHAPE_ANY and open structs SHAPE_ANY. */
const struct shape *shape_child(const struct shape *shape, const char *key);
const struct shape_field *shape_field(const struct shape *shape, const char *key);
/* The same shape once its fields are there. */
const struct shape *shape_ready(const struct shape *shape);
bool shape_is_map_list(const struct shape *shape);
bool shape_granular_list(const struct shape *shape); /* set or list with keys */
/* The empty value that a server's own struct has on the wire: its `always` fields. */
struct doc *shape_empty(const struct shape *shape);
