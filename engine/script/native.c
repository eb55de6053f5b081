#include "script/room.h"
#include "base/digest.h"
#include "base/secret.h"
#include "codec/json.h"
#include "codec/yaml.h"

#include <stdio.h>
#include <string.h>

/*
 * dosrun.native.script: values, marks, errors and documents for the engine's own Lua.
 */
enum { TEXT_MAX = 64 << 20, KNOWN_DEPTH = 64, KNOWN_NODES = 2 << 20, SOURCE_MAX = 512 };

static const char DOC_BOX[] = "doc box";

static struct view check_view(lua_State *L, int index)
{
    struct view view;

    view.ptr = luaL_checklstring(L, index, &view.len);
    if (view.len > TEXT_MAX)
        luaL_argerror(L, index, "more than 64 MiB");
    return view;
}

static struct marks *check_marks(lua_State *L)
{
    struct marks *marks = script_marks(script_of(L));

    if (!marks)
        luaL_error(L, "this script has no marks");
    return marks;
}

/* A place for a doc that is freed with it, should pushing it raise. Made before the doc. */
static struct doc **push_box(lua_State *L)
{
    struct doc **box = lua_newuserdatauv(L, sizeof(*box), 0);

    *box = NULL;
    luaL_setmetatable(L, DOC_BOX);
    return box;
}

static int box_gc(lua_State *L)
{
    struct doc **box = luaL_checkudata(L, 1, DOC_BOX);

    doc_unref(*box);
    *box = NULL;
    return 0;
}

/* Pushes the box's doc as a Lua value and empties the box, or raises err when there is none. */
static int push_boxed(lua_State *L, struct doc **box, const struct err *err)
{
    if (!*box)
        return script_raise(L, err);
    script_push_doc(L, *box);
    doc_unref(*box);
    *box = NULL;
    return 1;
}

/* ---- values ---- */

/* is_array(v) -> boolean */
static int values_is_array(lua_State *L)
{
    lua_pushboolean(L, script_is_array(L, 1));
    return 1;
}

/* freeze(t, name) -> read-only face of t */
static int values_freeze(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    script_freeze(L, 1, luaL_optstring(L, 2, "this table"));
    return 1;
}

/* copy(v) -> the same document, sharing nothing; raises for what no document can hold */
static int values_copy(lua_State *L)
{
    struct doc **box = push_box(L);
    struct err err = ERR_INIT;

    if (script_to_doc(L, 1, box, &err) < 0)
        return script_raise(L, &err);
    return push_boxed(L, box, &err);
}

/* equal(a, b) -> boolean: as documents, in depth; nil equals nil only */
static int values_equal(lua_State *L)
{
    struct doc **a, **b;
    struct err err = ERR_INIT;

    luaL_checkany(L, 2);
    if (lua_isnil(L, 1) || lua_isnil(L, 2)) {
        lua_pushboolean(L, lua_isnil(L, 1) && lua_isnil(L, 2));
        return 1;
    }
    a = push_box(L);
    b = push_box(L);
    if (script_to_doc(L, 1, a, &err) < 0 || script_to_doc(L, 2, b, &err) < 0)
        return script_raise(L, &err);
    lua_pushboolean(L, doc_equal(*a, *b));
    return 1;
}

/* ---- marks ---- */

static bool known_value(lua_State *L, int index, int depth, int *nodes)
{
    int top = lua_gettop(L);
    bool known = true;

    if (lua_type(L, index) == LUA_TSTRING) {
        struct view text;

        text.ptr = lua_tolstring(L, index, &text.len);
        return !(marks_find(text) & MARK_UNKNOWN);
    }
    if (lua_type(L, index) != LUA_TTABLE || depth > KNOWN_DEPTH)
        return true;
    luaL_checkstack(L, 6, "known");
    if (freeze_push_real(L, index))
        index = lua_gettop(L);
    lua_pushnil(L);
    while (known && ++*nodes < KNOWN_NODES && lua_next(L, index)) {
        known = known_value(L, lua_gettop(L), depth + 1, nodes) && known_value(L, lua_gettop(L) - 1, depth + 1, nodes);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
    return known;
}

/* known(v) -> false when v holds, at any depth, what only a run can know */
static int marks_known(lua_State *L)
{
    int nodes = 0;

    luaL_checkany(L, 1);
    lua_pushboolean(L, known_value(L, 1, 0, &nodes));
    return 1;
}

/* secret(text) -> text that carries a mark instead */
static int marks_secret(lua_State *L)
{
    struct marks *marks = check_marks(L);
    struct view plain = check_view(L, 1);
    struct buf out;

    buf_init(&out, TEXT_MAX);
    marks_add_secret(marks, &out, plain);
    script_push_buf(L, &out);
    return 1;
}

/* unknown(source) -> text that carries a mark: "known after SOURCE" */
static int marks_unknown(lua_State *L)
{
    struct marks *marks = check_marks(L);
    const char *source = luaL_checkstring(L, 1);
    struct buf out;

    buf_init(&out, TEXT_MAX);
    marks_add_unknown(marks, &out, source);
    script_push_buf(L, &out);
    return 1;
}

typedef void derive_fn(struct buf *out, struct view text);

/* What text with an unknown mark is known after: the marks' own words, or the whole text for people. */
static void add_source(const struct marks *marks, struct view text, struct buf *out)
{
    static const char head[] = "(known after ";
    struct buf shown;
    const char *start, *end;

    buf_init(&shown, SOURCE_MAX);
    marks_redact(marks, text, &shown);
    start = strstr(buf_text(&shown), head);
    end = start ? strchr(start, ')') : NULL;
    if (end)
        buf_add(out, start + sizeof(head) - 1, (size_t)(end - start) - (sizeof(head) - 1));
    else
        buf_add_text(out, "this run");
    buf_free(&shown);
}

/* Pushes what fn makes of text. Of a secret it is a secret, of an unknown an unknown. */
static int push_derived(lua_State *L, derive_fn *fn)
{
    struct view text = check_view(L, 1);
    struct marks *marks = marks_find(text) ? check_marks(L) : NULL;
    struct buf out, plain, made;
    struct err err = ERR_INIT;
    int failed = 0;

    buf_init(&out, 2 * TEXT_MAX);
    buf_init(&plain, TEXT_MAX);
    buf_init(&made, 2 * TEXT_MAX);
    if (!marks) {
        fn(&out, text);
    } else if (marks_find(text) & MARK_UNKNOWN) {
        add_source(marks, text, &plain);
        marks_add_unknown(marks, &out, buf_text(&plain));
    } else {
        failed = marks_reveal(marks, text, &plain, &err);
        if (failed == 0) {
            fn(&made, buf_view(&plain));
            marks_add_secret(marks, &out, buf_view(&made));
        }
    }
    if (plain.ptr)
        secret_wipe(plain.ptr, plain.len);
    if (made.ptr)
        secret_wipe(made.ptr, made.len);
    buf_free(&plain);
    buf_free(&made);
    if (failed < 0) {
        buf_free(&out);
        return script_raise(L, &err);
    }
    script_push_buf(L, &out);
    return 1;
}

static void derive_sha256(struct buf *out, struct view text)
{
    char hex[SHA256_HEX + 1];

    digest_sha256_hex(text, hex);
    buf_add_text(out, hex);
}

/* sha256(text) -> 64 hex digits, marked when text is */
static int marks_sha256(lua_State *L)
{
    return push_derived(L, derive_sha256);
}

/* base64(text) -> padded base64, marked when text is */
static int marks_base64(lua_State *L)
{
    return push_derived(L, base64_add);
}

/* ---- errors ---- */

/* raise { kind =, message =, code =, status =, explain = }: with the author's place */
static int errors_raise(lua_State *L)
{
    struct err err;

    luaL_checkany(L, 1);
    script_to_err(L, 1, &err);
    return script_raise(L, &err);
}

/* error(v) -> v as an error table {kind, message, ...}, whatever was raised */
static int errors_table(lua_State *L)
{
    struct place place = {.line = 0};
    struct err err;

    luaL_checkany(L, 1);
    script_to_err(L, 1, &err);
    error_place_of(L, 1, &place);
    error_push(L, &err, &place);
    return 1;
}

/* place() -> file, line of the author's code, or nothing */
static int errors_place(lua_State *L)
{
    struct place place;

    if (!script_place(L, &place))
        return 0;
    lua_pushstring(L, place.file);
    lua_pushinteger(L, place.line);
    return 2;
}

/* ---- documents ---- */

/* json(v, style) -> text; style "sorted" or "indented" */
static int docs_json_encode(lua_State *L)
{
    static const char *const NAMES[] = {"compact", "sorted", "indented", NULL};
    static const int STYLES[] = {JSON_COMPACT, JSON_SORTED, JSON_INDENTED};
    int style = STYLES[luaL_checkoption(L, 2, "compact", NAMES)];
    struct doc *doc = script_check_doc(L, 1);
    struct buf out;

    buf_init(&out, 4 * (size_t)TEXT_MAX);
    json_add(&out, doc, style);
    doc_unref(doc);
    script_push_buf(L, &out);
    return 1;
}

/* json_decode(text) -> value */
static int docs_json_decode(lua_State *L)
{
    struct view text = check_view(L, 1);
    struct doc **box = push_box(L);
    struct err err = ERR_INIT;

    *box = json_parse(text, &err);
    return push_boxed(L, box, &err);
}

/* yaml(v) -> text */
static int docs_yaml_encode(lua_State *L)
{
    struct doc *doc = script_check_doc(L, 1);
    struct buf out;

    buf_init(&out, 4 * (size_t)TEXT_MAX);
    yaml_add(&out, doc, false);
    doc_unref(doc);
    script_push_buf(L, &out);
    return 1;
}

/* yaml_decode(text, name) -> array of its documents; name is what errors call it */
static int docs_yaml_decode(lua_State *L)
{
    struct view text = check_view(L, 1);
    const char *name = luaL_optstring(L, 2, "YAML");
    struct doc **box = push_box(L);
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse(name, text, &err);

    if (file) {
        *box = doc_array();
        for (size_t i = 0; i < yaml_count(file); i++)
            doc_push(*box, doc_ref(yaml_doc(file, i)));
        yaml_free(file);
    }
    return push_boxed(L, box, &err);
}

static const luaL_Reg FUNCTIONS[] = {
    {"array", script_array},    {"is_array", values_is_array},     {"freeze", values_freeze},
    {"copy", values_copy},      {"equal", values_equal},           {"known", marks_known},
    {"secret", marks_secret},   {"unknown", marks_unknown},        {"sha256", marks_sha256},
    {"base64", marks_base64},   {"raise", errors_raise},           {"error", errors_table},
    {"place", errors_place},    {"json", docs_json_encode},        {"json_decode", docs_json_decode},
    {"yaml", docs_yaml_encode}, {"yaml_decode", docs_yaml_decode}, {NULL, NULL},
};

int native_script_open(lua_State *L)
{
    luaL_newmetatable(L, DOC_BOX);
    lua_pushcfunction(L, box_gc);
    lua_setfield(L, -2, "__gc");
    lua_pushliteral(L, "doc");
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    luaL_newlib(L, FUNCTIONS);
    script_push_null(L);
    lua_setfield(L, -2, "null");
    return 1;
}
