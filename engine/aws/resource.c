/* Looking at a resource whose kind is data, and filling in the params of its calls. */
#include "aws/resource.h"

#include "aws/jmespath.h"
#include "codec/json.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 200, PAGES_MAX = 100, TEXT_MAX = 4 << 20 };

/* ---- templates ---- */

struct filling {
    const struct doc *context;
    struct err *err;
    bool failed;
};

static struct doc *search(const char *expression, size_t len, const struct doc *in, struct err *err)
{
    struct jmespath *path = jmespath_parse((struct view){expression, len}, err);
    struct doc *found = path ? jmespath_search(path, in, err) : NULL;

    jmespath_free(path);
    return found;
}

static void text_add(struct buf *text, const struct doc *value)
{
    if (doc_is(value, DOC_STRING))
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
        if (!value || (at == text.ptr && stop + 1 == end)) {
            filling->failed = !value;
            buf_free(&out);
            return value;
        }
        buf_add(&out, from, (size_t)(at - from));
        text_add(&out, value);
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
    struct filling filling = {context, err, false};
    struct doc *filled, *out;

    if (!doc_is(params, DOC_OBJECT))
        return doc_object();
    filled = doc_mapped(params, text_fill, &filling);
    out = filling.failed ? NULL : without_nothing(filled);
    doc_unref(filled);
    return out;
}

/* ---- values on the wire ---- */

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
        return value && doc_as_bool(doc_get(field, "json"), false) ? json_text(value) : doc_ref(value);
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

/* What the service said as the field's value: NULL when it is not set. */
static struct doc *value_read(const struct doc *field, const struct doc *said)
{
    const struct doc *map = doc_get(field, "map");
    const char *key_name = doc_as_text(doc_at(map, 0), ""), *value_name = doc_as_text(doc_at(map, 1), NULL);
    struct doc *value;

    if (!map) {
        if (doc_type(said) == DOC_NULL)
            return NULL;
        return doc_as_bool(doc_get(field, "json"), false) ? json_value(said) : doc_ref(said);
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

/* ---- requests ---- */

int resource_request(struct aws *aws, const struct doc *spec, const struct doc *call, struct aws_request *request,
                     struct err *err)
{
    struct aws_service service = aws_find_service(aws, doc_as_text(doc_get(spec, "service"), ""), err);

    *request = (struct aws_request){.region = doc_as_text(doc_get(spec, "region"), NULL),
                                    .role = doc_as_text(doc_get(spec, "role"), NULL)};
    if (!service.table)
        return -1;
    request->operation = aws_operation_need(service, doc_as_text(doc_get(call, "op"), ""), err);
    return request->operation.table ? 0 : -1;
}

bool resource_says(const struct doc *codes, const struct err *err)
{
    if (doc_is(codes, DOC_STRING))
        return strcmp(doc_as_text(codes, ""), err->code) == 0;
    for (size_t i = 0; i < doc_size(codes); i++)
        if (strcmp(doc_as_text(doc_at(codes, i), ""), err->code) == 0)
            return true;
    return false;
}

struct doc *resource_context(const struct doc *spec, const struct doc *state)
{
    struct doc *context = doc_object();

    doc_set_text(context, "name", doc_as_text(doc_get(spec, "name"), ""));
    doc_set_text(context, "region", doc_as_text(doc_get(spec, "region"), NULL));
    if (state)
        doc_set(context, "found", doc_ref(doc_get(state, "found")));
    if (state)
        doc_set(context, "fields", doc_ref(doc_get(state, "fields")));
    return context;
}

/* ---- looking ---- */

struct resource_look {
    struct aws *aws;
    struct doc *spec, *state, *context;
    struct doc *params, *listed; /* of the call under way, page by page */
    const struct doc *call;
    struct aws_operation operation;
    struct aws_call *sent;
    size_t field;
    struct doc *entries; /* those of a field of which each is read alone */
    const char **keys;
    size_t keys_len, key;
    int pages;
    bool backward, finding;
    resource_look_fn *fn;
    void *ctx;
};

static void entries_clear(struct resource_look *look)
{
    doc_unref(look->entries);
    free(look->keys);
    look->entries = NULL;
    look->keys = NULL;
    look->keys_len = look->key = 0;
}

static void look_free(struct resource_look *look)
{
    entries_clear(look);
    doc_unref(look->spec);
    doc_unref(look->state);
    doc_unref(look->context);
    doc_unref(look->params);
    doc_unref(look->listed);
    free(look);
}

void resource_look_cancel(struct resource_look *look)
{
    if (look->sent)
        aws_cancel(look->sent);
    look_free(look);
}

static void look_end(struct resource_look *look, bool there, const struct err *err)
{
    resource_look_fn *fn = look->fn;
    void *ctx = look->ctx;
    struct doc *state = there && !err ? doc_ref(look->state) : NULL;
    struct err copy = err ? *err : ERR_INIT;

    look_free(look);
    fn(ctx, state, err ? &copy : NULL);
}

static void fields_next(struct resource_look *look);
static void call_answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err);

static int call_send(struct resource_look *look, struct err *err)
{
    struct aws_request request;

    if (resource_request(look->aws, look->spec, look->call, &request, err) < 0)
        return -1;
    look->operation = request.operation;
    request.params = look->params;
    request.backward = look->backward;
    look->sent = aws_send(look->aws, &request, call_answered, look);
    return 0;
}

static int call_prepare(struct resource_look *look, const struct doc *call, struct err *err)
{
    doc_unref(look->params);
    doc_unref(look->listed);
    look->listed = NULL;
    look->pages = 0;
    look->call = call;
    look->params = resource_params(call, look->context, err);
    return look->params ? call_send(look, err) : -1;
}

static void call_start(struct resource_look *look, const struct doc *call)
{
    struct err err = ERR_INIT;

    if (call_prepare(look, call, &err) < 0)
        look_end(look, false, &err);
}

static const struct doc *field_now(const struct resource_look *look)
{
    return doc_at(doc_get(look->spec, "fields"), look->field);
}

static void field_set(struct resource_look *look, struct doc *take)
{
    doc_set(doc_get(look->state, "fields"), doc_as_text(doc_get(field_now(look), "name"), ""), take);
}

/* The next entry of a field of which each is read alone; then the next field. */
static void entries_next(struct resource_look *look)
{
    struct doc *key;

    if (look->key == look->keys_len) {
        field_set(look, doc_ref(look->entries));
        entries_clear(look);
        look->field++;
        fields_next(look);
        return;
    }
    key = doc_text(look->keys[look->key]);
    doc_set(look->context, "key", key);
    call_start(look, doc_get(field_now(look), "each"));
}

static void field_said(struct resource_look *look, const struct doc *said)
{
    const struct doc *field = field_now(look);
    struct doc *value = value_read(field, said);
    struct err err = ERR_INIT;

    if (!doc_get(field, "each") || !doc_size(value)) {
        field_set(look, value);
        look->field++;
        fields_next(look);
        return;
    }
    look->entries = value;
    look->keys_len = doc_keys_sorted(value, &look->keys);
    if (look->keys_len <= ENTRIES_MAX) {
        entries_next(look);
        return;
    }
    err_set(&err, ERR_QUOTA, "%s has %zu entries, more than %d", doc_as_text(doc_get(field, "name"), ""),
            look->keys_len, ENTRIES_MAX);
    look_end(look, false, &err);
}

static void said(struct resource_look *look, struct doc *value)
{
    const struct doc *field = field_now(look);

    if (look->finding) {
        look->finding = false;
        if (doc_type(value) == DOC_NULL) {
            look_end(look, false, NULL);
            return;
        }
        doc_set(look->state, "found", doc_ref(value));
        doc_set(look->context, "found", doc_ref(value));
        fields_next(look);
    } else if (look->entries) {
        const char *key = look->keys[look->key++];

        if (doc_type(value) == DOC_NULL)
            doc_remove(look->entries, key); /* it went meanwhile */
        else
            doc_set(look->entries, key,
                    doc_as_bool(doc_get(field, "json"), false) ? json_value(value) : doc_ref(value));
        entries_next(look);
    } else {
        field_said(look, value);
    }
}

/* Lists of several pages become one. */
static bool page_kept(struct resource_look *look, const struct doc *value)
{
    if (!doc_is(value, DOC_ARRAY))
        return false;
    if (!look->listed)
        look->listed = doc_array();
    for (size_t i = 0; i < doc_size(value); i++)
        doc_push(look->listed, doc_ref(doc_at(value, i)));
    return true;
}

static void call_answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct resource_look *look = ctx;
    const char *at = doc_as_text(doc_get(look->call, "at"), "@");
    struct err failed = err ? *err : ERR_INIT;
    struct doc *value;

    (void)answer;
    look->sent = NULL;
    if (err && (err->kind == ERR_MISSING || resource_says(doc_get(look->call, "missing"), err))) {
        value = doc_null();
        said(look, value);
        doc_unref(value);
        return;
    }
    value = err ? NULL : search(at, strlen(at), result, &failed);
    if (!value) {
        look_end(look, false, &failed);
        return;
    }
    if (page_kept(look, value)) {
        doc_unref(value);
        if (++look->pages < PAGES_MAX && aws_pages_next(look->operation, look->params, result, &failed) &&
            call_send(look, &failed) == 0)
            return;
        value = doc_ref(look->listed);
    }
    if (failed.kind)
        look_end(look, false, &failed);
    else
        said(look, value);
    doc_unref(value);
}

static void fields_next(struct resource_look *look)
{
    const struct doc *field = field_now(look);
    const char *at = doc_as_text(doc_get(field, "at"), NULL);
    struct err err = ERR_INIT;
    struct doc *value;

    for (; field && !doc_get(field, "look"); field = field_now(look)) {
        at = doc_as_text(doc_get(field, "at"), "@");
        value = search(at, strlen(at), doc_get(look->state, "found"), &err);
        if (!value) {
            look_end(look, false, &err);
            return;
        }
        field_set(look, value_read(field, value));
        doc_unref(value);
        look->field++;
    }
    if (field)
        call_start(look, doc_get(field, "look"));
    else
        look_end(look, true, NULL);
}

struct resource_look *resource_look_start(struct aws *aws, const struct doc *spec, bool backward, resource_look_fn *fn,
                                          void *ctx, struct err *err)
{
    struct resource_look *look = mem_alloc(sizeof(*look));

    look->aws = aws;
    look->spec = doc_ref(spec);
    look->state = doc_object();
    doc_set(look->state, "fields", doc_object());
    look->context = resource_context(spec, NULL);
    look->backward = backward;
    look->finding = true;
    look->fn = fn;
    look->ctx = ctx;
    if (call_prepare(look, doc_get(spec, "find"), err) == 0)
        return look;
    look_free(look);
    return NULL;
}
