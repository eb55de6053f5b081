/* Looking at a resource whose kind is data. */
#include "aws/resource.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 200, PAGES_MAX = 100 };

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
    struct doc *answered,
        *answer; /* params and answer of the last call of one page: the next field may read the same */
    const char *answered_op;
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
    doc_unref(look->answered);
    doc_unref(look->answer);
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
static void answer_read(struct resource_look *look, const struct doc *result);
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

/* Did the call before ask the same? */
static bool is_answered(const struct resource_look *look)
{
    return look->answer && strcmp(look->answered_op, doc_as_text(doc_get(look->call, "op"), "")) == 0 &&
           doc_equal(look->answered, look->params);
}

/* 1: the call before it asked the same. */
static int call_prepare(struct resource_look *look, const struct doc *call, struct err *err)
{
    doc_unref(look->params);
    doc_unref(look->listed);
    look->listed = NULL;
    look->pages = 0;
    look->call = call;
    look->params = resource_params(call, look->context, err);
    if (!look->params)
        return -1;
    if (is_answered(look))
        return 1;
    doc_unref(look->answered);
    doc_unref(look->answer);
    look->answered = doc_copy(look->params);
    look->answered_op = doc_as_text(doc_get(call, "op"), "");
    look->answer = NULL;
    return call_send(look, err);
}

static void call_start(struct resource_look *look, const struct doc *call)
{
    struct err err = ERR_INIT;
    int sent = call_prepare(look, call, &err);

    if (sent < 0)
        look_end(look, false, &err);
    else if (sent > 0)
        answer_read(look, look->answer);
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
    struct doc *value = resource_value(field, said);
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
            doc_set(look->entries, key, resource_entry(field, value));
        entries_next(look);
    } else {
        field_said(look, value);
    }
}

/* Lists of several pages become one. Something else is on one of the pages: 0 where it is not on this one. */
static int page_keep(struct resource_look *look, const struct doc *value)
{
    if (!doc_is(value, DOC_ARRAY))
        return doc_type(value) == DOC_NULL ? 0 : 1;
    if (!look->listed)
        look->listed = doc_array();
    for (size_t i = 0; i < doc_size(value); i++)
        doc_push(look->listed, doc_ref(doc_at(value, i)));
    return 0;
}

/* Asks for the page after this one: 0 when there is none. */
static int page_next(struct resource_look *look, const struct doc *result, struct err *err)
{
    if (!look->operation.table || !aws_pages_next(look->operation, look->params, result, err))
        return err->kind ? -1 : 0;
    if (++look->pages == PAGES_MAX)
        return err_set(err, ERR_QUOTA, "%s has more than %d pages", doc_as_text(doc_get(look->call, "op"), ""),
                       PAGES_MAX);
    doc_unref(look->answer); /* it was one page only */
    look->answer = NULL;
    return call_send(look, err) < 0 ? -1 : 1;
}

static void answer_read(struct resource_look *look, const struct doc *result)
{
    struct err err = ERR_INIT;
    struct doc *value = resource_at(doc_as_text(doc_get(look->call, "at"), "@"), look->context, result, &err);
    int more = !value ? -1 : page_keep(look, value) ? 0 : page_next(look, result, &err);

    if (more == 0 && look->listed) {
        doc_unref(value);
        value = doc_ref(look->listed);
    }
    if (more < 0)
        look_end(look, false, &err);
    else if (more == 0)
        said(look, value);
    doc_unref(value);
}

static void call_answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct resource_look *look = ctx;
    struct doc *none;

    (void)answer;
    look->sent = NULL;
    if (!err) {
        look->answer = look->pages ? NULL : doc_ref(result);
        answer_read(look, result);
    } else if (err->kind == ERR_MISSING || resource_says(doc_get(look->call, "missing"), err)) {
        none = doc_null();
        look->operation = (struct aws_operation){0};
        if (look->finding || look->entries)
            said(look, none);
        else
            answer_read(look, none); /* its `at` may know what that means */
        doc_unref(none);
    } else {
        look_end(look, false, err);
    }
}

static void fields_next(struct resource_look *look)
{
    const struct doc *field = field_now(look);
    struct err err = ERR_INIT;
    struct doc *value;

    for (; field && !doc_get(field, "look"); field = field_now(look)) {
        value = resource_at(doc_as_text(doc_get(field, "at"), "@"), look->context, doc_get(look->state, "found"), &err);
        if (!value) {
            look_end(look, false, &err);
            return;
        }
        field_set(look, resource_value(field, value));
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
