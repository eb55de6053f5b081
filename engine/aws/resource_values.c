/* Values of a resource whose kind is data: the params of its calls, what answers say, what goes to the service, and
   whether two of them are the same. */
#include "aws/resource.h"

#include "aws/jmespath.h"
#include "base/secret.h"
#include "codec/json.h"

#include <string.h>

enum { TEXT_MAX = 4 << 20 };

/* ---- templates ---- */

struct filling {
    const struct doc *context;
    struct err *err;
    bool quoted; /* it stands in an expression, between quotes */
    bool failed;
};

static struct doc *search(const char *expression, size_t len, const struct doc *in, struct err *err)
{
    struct jmespath *path = jmespath_parse((struct view){expression, len}, err);
    struct doc *found = path ? jmespath_search(path, in, err) : NULL;

    jmespath_free(path);
    return found;
}

static void quoted_add(struct buf *text, struct view value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\'')
            buf_add_text(text, "\\");
        buf_add(text, value.ptr + i, 1);
    }
}

static void text_add(struct buf *text, const struct doc *value, bool quoted)
{
    if (doc_is(value, DOC_STRING) && quoted)
        quoted_add(text, doc_as_view(value));
    else if (doc_is(value, DOC_STRING))
        buf_add_view(text, doc_as_view(value));
    else if (doc_type(value) != DOC_NULL)
        json_add(text, value, JSON_COMPACT);
}

/* "${expression}" alone takes the value's type; within other text it becomes text. */
static struct doc *text_fill(void *ctx, struct view text)
{
    struct filling *filling = ctx;
    const char *at = memmem(text.ptr, text.len, "${", 2), *end = text.ptr + text.len;
    struct buf out;
    struct doc *value;

    if (!at || filling->failed)
        return NULL;
    buf_init(&out, TEXT_MAX);
    for (const char *from = text.ptr; from < end;) {
        const char *stop;

        at = memmem(from, (size_t)(end - from), "${", 2);
        stop = at ? memchr(at, '}', (size_t)(end - at)) : NULL;
        if (!stop) {
            buf_add(&out, from, (size_t)(end - from));
            break;
        }
        value = search(at + 2, (size_t)(stop - at - 2), filling->context, filling->err);
        if (!value || (at == text.ptr && stop + 1 == end && !filling->quoted)) {
            filling->failed = !value;
            buf_free(&out);
            return value;
        }
        buf_add(&out, from, (size_t)(at - from));
        text_add(&out, value, filling->quoted);
        doc_unref(value);
        from = stop + 1;
    }
    value = doc_string(buf_view(&out));
    buf_free(&out);
    return value;
}

/* Without members that are null, and without objects that hold nothing after that. */
static struct doc *without_nothing(const struct doc *value)
{
    struct doc *out;

    if (doc_is(value, DOC_ARRAY)) {
        out = doc_array();
        for (size_t i = 0; i < doc_size(value); i++)
            doc_push(out, without_nothing(doc_at(value, i)));
        return out;
    }
    if (!doc_is(value, DOC_OBJECT))
        return doc_ref(value);
    out = doc_object();
    DOC_EACH(member, value)
    {
        struct doc *kept = without_nothing(member.value);

        if (doc_type(kept) == DOC_NULL || (doc_is(kept, DOC_OBJECT) && !doc_size(kept) && doc_size(member.value)))
            doc_unref(kept);
        else
            doc_set(out, member.key, kept);
    }
    return out;
}

struct doc *resource_params(const struct doc *call, const struct doc *context, struct err *err)
{
    const struct doc *params = doc_get(call, "params");
    struct filling filling = {.context = context, .err = err};
    struct doc *filled, *out;

    if (!doc_is(params, DOC_OBJECT))
        return doc_object();
    filled = doc_mapped(params, text_fill, &filling);
    out = filling.failed ? NULL : without_nothing(filled);
    doc_unref(filled);
    return out;
}

struct doc *resource_at(const char *at, const struct doc *context, const struct doc *in, struct err *err)
{
    struct filling filling = {.context = context, .err = err, .quoted = true};
    struct doc *filled = text_fill(&filling, view_of(at)), *found = NULL;
    struct view path = filled ? doc_as_view(filled) : view_of(at);

    if (!filling.failed)
        found = search(path.ptr, path.len, in, err);
    doc_unref(filled);
    return found;
}

/* ---- values ---- */

static bool is_json(const struct doc *field)
{
    const struct doc *json = doc_get(field, "json");

    return doc_is(json, DOC_STRING) || doc_as_bool(json, false);
}

/* ---- are they the same ---- */

struct comparing {
    const struct marks *marks;
    bool policy;
};

/* "123456789012" as a principal comes back as "arn:aws:iam::123456789012:root". */
static bool account_is_root(struct view account, struct view arn)
{
    static const char before[] = ":iam::", after[] = ":root";
    const char *at = memmem(arn.ptr, arn.len, before, sizeof(before) - 1);
    size_t len = sizeof(before) - 1 + account.len + sizeof(after) - 1;

    return account.len == 12 && at && view_starts(arn, "arn:aws") && (size_t)(arn.ptr + arn.len - at) == len &&
           memcmp(at + sizeof(before) - 1, account.ptr, account.len) == 0 &&
           memcmp(at + len - sizeof(after) + 1, after, sizeof(after) - 1) == 0;
}

/* A secret is told by a mark, and the same text may come without one. */
static bool secrets_same(const struct comparing *comparing, struct view a, struct view b)
{
    struct err ignored = ERR_INIT;
    struct buf one, other;
    bool same;

    buf_init(&one, TEXT_MAX);
    buf_init(&other, TEXT_MAX);
    same = marks_reveal(comparing->marks, a, &one, &ignored) == 0 &&
           marks_reveal(comparing->marks, b, &other, &ignored) == 0 && one.len == other.len &&
           memcmp(buf_text(&one), buf_text(&other), one.len) == 0;
    if (one.ptr)
        secret_wipe(one.ptr, one.cap);
    if (other.ptr)
        secret_wipe(other.ptr, other.cap);
    buf_free(&one);
    buf_free(&other);
    return same;
}

static bool texts_same(const struct comparing *comparing, const struct doc *a, const struct doc *b)
{
    struct view one = doc_as_view(a), other = doc_as_view(b);

    if (doc_equal(a, b))
        return true;
    if (comparing->policy && (account_is_root(one, other) || account_is_root(other, one)))
        return true;
    return (marks_find(one) || marks_find(other)) && secrets_same(comparing, one, other);
}

static bool values_same(const struct comparing *comparing, const struct doc *a, const struct doc *b);

/* In any order; each counts once. */
static bool sets_same(const struct comparing *comparing, const struct doc *a, const struct doc *b)
{
    struct doc *left = doc_array();
    bool same = doc_size(a) == doc_size(b);

    for (size_t i = 0; i < doc_size(b); i++)
        doc_push(left, doc_ref(doc_at(b, i)));
    for (size_t i = 0; same && i < doc_size(a); i++) {
        size_t at = 0;

        while (at < doc_size(left) && !values_same(comparing, doc_at(a, i), doc_at(left, at)))
            at++;
        same = at < doc_size(left);
        if (same)
            doc_remove_at(left, at);
    }
    doc_unref(left);
    return same;
}

static bool lists_same(const struct comparing *comparing, const struct doc *a, const struct doc *b)
{
    bool same = doc_size(a) == doc_size(b);

    if (comparing->policy)
        return sets_same(comparing, a, b);
    for (size_t i = 0; same && i < doc_size(a); i++)
        same = values_same(comparing, doc_at(a, i), doc_at(b, i));
    return same;
}

static bool objects_same(const struct comparing *comparing, const struct doc *a, const struct doc *b)
{
    if (doc_size(a) != doc_size(b))
        return false;
    DOC_EACH(member, a)
    {
        const struct doc *other = doc_get(b, member.key);

        if (!other || !values_same(comparing, member.value, other))
            return false;
    }
    return true;
}

static bool is_number(const struct doc *value)
{
    return doc_is(value, DOC_INT) || doc_is(value, DOC_REAL);
}

static bool values_same(const struct comparing *comparing, const struct doc *a, const struct doc *b)
{
    bool a_list = doc_is(a, DOC_ARRAY), b_list = doc_is(b, DOC_ARRAY);

    if (comparing->policy && a_list && !b_list)
        return doc_size(a) == 1 && values_same(comparing, doc_at(a, 0), b);
    if (comparing->policy && b_list && !a_list)
        return doc_size(b) == 1 && values_same(comparing, a, doc_at(b, 0));
    if (a_list && b_list)
        return lists_same(comparing, a, b);
    if (doc_is(a, DOC_OBJECT) && doc_is(b, DOC_OBJECT))
        return objects_same(comparing, a, b);
    if (doc_is(a, DOC_STRING) && doc_is(b, DOC_STRING))
        return texts_same(comparing, a, b);
    if (is_number(a) && is_number(b) && doc_type(a) != doc_type(b))
        return doc_as_real(a, 0) == doc_as_real(b, 1);
    return doc_equal(a, b);
}

bool resource_same(const struct marks *marks, const struct doc *field, const struct doc *a, const struct doc *b)
{
    struct comparing comparing = {marks, strcmp(doc_as_text(doc_get(field, "json"), ""), "policy") == 0};

    return a && b ? values_same(&comparing, a, b) : a == b;
}

/* ---- on the wire ---- */

static struct doc *json_text(const struct doc *value)
{
    struct buf text;
    struct doc *out;

    buf_init(&text, TEXT_MAX);
    json_add(&text, value, JSON_COMPACT);
    out = doc_string(buf_view(&text));
    buf_free(&text);
    return out;
}

struct doc *resource_wire(const struct doc *field, const struct doc *value, bool entry)
{
    const struct doc *map = doc_get(field, "map");
    const char *key_name = doc_as_text(doc_at(map, 0), ""), *value_name = doc_as_text(doc_at(map, 1), NULL);
    struct doc *list;

    if (!value || !map || entry)
        return value && is_json(field) ? json_text(value) : doc_ref(value);
    list = doc_array();
    DOC_EACH(member, value)
    {
        struct doc *one = value_name ? doc_object() : doc_text(member.key);

        if (value_name) {
            doc_set_text(one, key_name, member.key);
            doc_set(one, value_name, resource_wire(field, member.value, true));
        }
        doc_push(list, one);
    }
    return list;
}

static struct doc *json_value(const struct doc *text)
{
    struct err ignored = ERR_INIT;
    struct doc *value = doc_is(text, DOC_STRING) ? json_parse(doc_as_view(text), &ignored) : doc_ref(text);

    return value ? value : doc_ref(text);
}

struct doc *resource_entry(const struct doc *field, const struct doc *said)
{
    return is_json(field) ? json_value(said) : doc_ref(said);
}

struct doc *resource_value(const struct doc *field, const struct doc *said)
{
    const struct doc *map = doc_get(field, "map");
    const char *key_name = doc_as_text(doc_at(map, 0), ""), *value_name = doc_as_text(doc_at(map, 1), NULL);
    struct doc *value;

    if (!map) {
        if (doc_type(said) == DOC_NULL)
            return NULL;
        return resource_entry(field, said);
    }
    value = doc_object();
    for (size_t i = 0; i < doc_size(said); i++) {
        const struct doc *one = doc_at(said, i), *inner = value_name ? doc_get(one, value_name) : NULL;
        const char *key = doc_as_text(doc_is(one, DOC_STRING) ? one : doc_get(one, key_name), NULL);

        if (key && strncmp(key, "aws:", 4) != 0) /* tags that AWS itself sets */
            doc_set(value, key, inner ? doc_ref(inner) : doc_bool(true));
    }
    return value;
}
