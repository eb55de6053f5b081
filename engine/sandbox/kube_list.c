/* Lists: selectors, pages, deletecollection. */
#include "sandbox/kube_cluster.h"

#include "base/digest.h"
#include "codec/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum relation { EQUAL, NOT_EQUAL, IN, NOT_IN, EXISTS, MISSING };

struct requirement {
    char *key;
    enum relation relation;
    struct doc *values;
};

struct selector {
    struct requirement *labels;
    size_t labels_len;
    struct doc *fields; /* path -> {value, equal} */
};

static void requirement_add(struct selector *selector, struct view key, enum relation relation, struct doc *take_values)
{
    selector->labels = mem_grow(selector->labels, selector->labels_len + 1, sizeof(struct requirement));
    selector->labels[selector->labels_len++] =
        (struct requirement){.key = mem_view(key), .relation = relation, .values = take_values};
}

static struct view trim(struct view text)
{
    while (text.len && isspace((unsigned char)text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    return text;
}

static struct doc *one_value(struct view text)
{
    struct doc *values = doc_array();

    doc_push(values, doc_string(trim(text)));
    return values;
}

static struct doc *set_values(struct view text)
{
    struct doc *values = doc_array();

    while (text.len) {
        size_t len = 0;

        while (len < text.len && text.ptr[len] != ',')
            len++;
        doc_push(values, doc_string(trim((struct view){text.ptr, len})));
        len += len < text.len;
        text = (struct view){text.ptr + len, text.len - len};
    }
    return values;
}

/* One requirement: "a=b", "a==b", "a!=b", "a in (b,c)", "a notin (b)", "a", "!a". */
static bool requirement_parse(struct selector *selector, struct view text)
{
    const char *open, *equal;

    text = trim(text);
    if (text.len == 0)
        return true;
    open = memchr(text.ptr, '(', text.len);
    equal = memchr(text.ptr, '=', text.len);
    if (open) {
        struct view left = trim((struct view){text.ptr, (size_t)(open - text.ptr)});
        bool negative = left.len > 6 && memcmp(left.ptr + left.len - 6, " notin", 6) == 0;
        size_t word = negative ? 6 : 3;

        if (text.ptr[text.len - 1] != ')' || left.len <= word)
            return false;
        requirement_add(selector, trim((struct view){left.ptr, left.len - word}), negative ? NOT_IN : IN,
                        set_values((struct view){open + 1, text.len - (size_t)(open + 1 - text.ptr) - 1}));
        return true;
    }
    if (!equal) {
        bool missing = text.ptr[0] == '!';

        requirement_add(selector, (struct view){text.ptr + missing, text.len - missing}, missing ? MISSING : EXISTS,
                        NULL);
        return true;
    }
    bool negative = equal > text.ptr && equal[-1] == '!', twice = equal + 1 < text.ptr + text.len && equal[1] == '=';
    struct view value = {equal + 1 + twice, text.len - (size_t)(equal + 1 + twice - text.ptr)};
    if (value.len && memchr(value.ptr, '=', value.len))
        return false;
    requirement_add(selector, trim((struct view){text.ptr, (size_t)(equal - text.ptr) - negative}),
                    negative ? NOT_EQUAL : EQUAL, one_value(value));
    return true;
}

static bool labels_parse(struct selector *selector, const char *text)
{
    const char *start = text;
    int depth = 0;

    for (;; text++) {
        depth += *text == '(';
        depth -= *text == ')';
        if (*text && (*text != ',' || depth))
            continue;
        if (!requirement_parse(selector, (struct view){start, (size_t)(text - start)}))
            return false;
        if (!*text)
            return depth == 0;
        start = text + 1;
    }
}

static bool fields_parse(struct selector *selector, const char *text)
{
    selector->fields = doc_object();
    while (*text) {
        size_t len = strcspn(text, ",");
        const char *equal = memchr(text, '=', len);

        if (!equal)
            return false;
        bool negative = equal > text && equal[-1] == '!', twice = equal[1] == '=';
        char *key = mem_view((struct view){text, (size_t)(equal - text) - negative});
        struct doc *want = doc_object();
        doc_set(want, "value", doc_string((struct view){equal + 1 + twice, len - (size_t)(equal + 1 + twice - text)}));
        doc_set_bool(want, "equal", !negative);
        doc_set(selector->fields, key, want);
        free(key);
        text += len + (text[len] == ',');
    }
    return true;
}

static bool field_known(const struct resource *resource, const char *path)
{
    if (strcmp(path, "metadata.name") == 0 || strcmp(path, "metadata.namespace") == 0)
        return true;
    if (strcmp(resource->kind, "Pod") == 0)
        return strcmp(path, "status.phase") == 0 || strcmp(path, "spec.nodeName") == 0;
    if (strcmp(resource->kind, "Event") == 0)
        return strncmp(path, "involvedObject.", 15) == 0 || strcmp(path, "reason") == 0 || strcmp(path, "type") == 0;
    return strcmp(resource->kind, "Secret") == 0 && strcmp(path, "type") == 0;
}

struct selector *selector_parse(const struct resource *resource, const char *labels, const char *fields,
                                struct doc **status)
{
    struct selector *selector = mem_alloc(sizeof(*selector));

    if (!labels_parse(selector, labels))
        *status = status_new(400, "BadRequest",
                             strstr(labels, "===") ? "unable to parse requirement: found '=', expected: identifier"
                                                   : "found '=', expected: ',' or 'end of string'");
    else if (!fields_parse(selector, fields))
        *status = status_new(400, "BadRequest", "invalid selector: '%s'; can't understand '%s'", fields, fields);
    for (struct doc_iter i = doc_iter_first(selector->fields); !*status && i.at; doc_iter_next(selector->fields, &i))
        if (!field_known(resource, i.key))
            *status =
                status_new(400, "BadRequest",
                           resource->custom
                               ? "field label not supported: %s"
                               : "\"%s\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
                           i.key);
    if (!*status)
        return selector;
    selector_free(selector);
    return NULL;
}

static bool requirement_holds(const struct requirement *requirement, const struct doc *labels)
{
    const struct doc *value = doc_get(labels, requirement->key);
    bool found = false;

    for (size_t i = 0; value && i < doc_size(requirement->values); i++)
        found |= doc_equal(value, doc_at(requirement->values, i));
    switch (requirement->relation) {
    case EQUAL:
    case IN:
        return found;
    case NOT_EQUAL:
    case NOT_IN:
        return !found;
    case EXISTS:
        return value != NULL;
    case MISSING:
        return value == NULL;
    }
    return false;
}

static const char *field_of(const struct doc *object, const char *path)
{
    struct buf pointer;

    buf_init(&pointer, 4096);
    for (; *path; path += *path == '.') {
        size_t len = strcspn(path, ".");

        buf_addf(&pointer, "/%.*s", (int)len, path);
        path += len;
    }
    const char *text = doc_as_text(doc_pointer(object, buf_text(&pointer)), "");
    buf_free(&pointer);
    return text;
}

bool selector_match(const struct selector *selector, const struct doc *object)
{
    const struct doc *labels = doc_path(object, "metadata", "labels", NULL);

    if (!selector)
        return true;
    for (size_t i = 0; i < selector->labels_len; i++)
        if (!requirement_holds(&selector->labels[i], labels))
            return false;
    DOC_EACH(field, selector->fields)
    {
        bool equal = strcmp(field_of(object, field.key), doc_as_text(doc_get(field.value, "value"), "")) == 0;

        if (equal != doc_as_bool(doc_get(field.value, "equal"), true))
            return false;
    }
    return true;
}

void selector_free(struct selector *selector)
{
    if (!selector)
        return;
    for (size_t i = 0; i < selector->labels_len; i++) {
        free(selector->labels[i].key);
        doc_unref(selector->labels[i].values);
    }
    free(selector->labels);
    doc_unref(selector->fields);
    free(selector);
}

/* ---- the answer ---- */

/* Where a page goes on: "namespace/name" behind its last item, with the version of the first page. */
struct page {
    size_t limit;
    uint64_t version;
    char *start;
};

static bool page_read(const struct sim_request *http, struct cluster *cluster, struct page *page, struct doc **status)
{
    const char *limit = doc_as_text(doc_get(http->query, "limit"), ""),
               *token = doc_as_text(doc_get(http->query, "continue"), "");
    struct err err = ERR_INIT;
    struct buf text;

    page->limit = strtoull(limit, NULL, 10);
    page->version = cluster->version;
    if (!*token)
        return true;
    buf_init(&text, 1 << 16);
    char *standard = mem_text(token);
    for (char *c = standard; *c; c++)
        *c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
    struct doc *fields = base64_parse(&text, view_of(standard), &err) == 0 ? json_parse(buf_view(&text), &err) : NULL;
    const char *start = doc_path_text(fields, "start", NULL);
    if (start) {
        page->start = mem_text(start);
        page->version = (uint64_t)doc_as_int(doc_get(fields, "rv"), (int64_t)cluster->version);
    } else {
        *status = status_new(400, "BadRequest", "continue key is not valid: %s", "decoding error");
    }
    free(standard);
    buf_free(&text);
    doc_unref(fields);
    return start != NULL;
}

static void page_next(const struct page *page, const struct object *last, size_t left, bool plain, struct doc *metadata)
{
    struct doc *fields = doc_object();
    char *start = mem_printf("%s/%s", last->namespace, last->name);
    struct buf text, token;

    buf_init(&text, 1 << 16);
    buf_init(&token, 1 << 16);
    doc_set_text(fields, "v", "meta.k8s.io/v1");
    doc_set_int(fields, "rv", (int64_t)page->version);
    doc_set_text(fields, "start", start);
    json_add(&text, fields, JSON_COMPACT);
    base64url_add(&token, buf_view(&text));
    doc_set_text(metadata, "continue", buf_text(&token));
    if (plain)
        doc_set_int(metadata, "remainingItemCount", (int64_t)left);
    free(start);
    doc_unref(fields);
    buf_free(&text);
    buf_free(&token);
}

/* Items of built-in lists carry no kind of their own. */
static struct doc *item_of(const struct resource *resource, const char *version, const struct doc *doc)
{
    if (resource->custom)
        return object_as(resource, version, doc);
    struct doc *out = doc_object();
    DOC_EACH(member, doc)
    if (strcmp(member.key, "kind") != 0 && strcmp(member.key, "apiVersion") != 0)
        doc_set(out, member.key, doc_ref(member.value));
    return out;
}

static void list_fill(struct cluster *cluster, struct resource *resource, const char *version, const char *namespace,
                      const struct selector *selector, const struct page *page, bool plain, struct doc *metadata,
                      struct doc *items)
{
    const struct object *last = NULL;

    for (size_t i = *namespace ? objects_index(resource, namespace, "") : 0; i < resource->objects_len; i++) {
        const struct object *object = resource->objects[i];

        if (*namespace && strcmp(object->namespace, namespace) != 0)
            break;
        if (page->start) {
            char *at = mem_printf("%s/%s", object->namespace, object->name);
            bool before = strcmp(at, page->start) <= 0;

            free(at);
            if (before)
                continue;
        }
        const struct doc *seen = fault_read(cluster, resource, object, object->namespace, object->name, true);
        if (!seen || !selector_match(selector, seen))
            continue;
        if (page->limit && doc_size(items) == page->limit) {
            page_next(page, last, resource->objects_len - i, plain, metadata);
            return;
        }
        doc_push(items, item_of(resource, version, seen));
        last = object;
    }
    fault_ghosts(cluster, resource, namespace, items);
}

void list_answer(struct cluster *cluster, struct resource *resource, const char *version, const char *namespace,
                 const struct sim_request *http, struct sim_reply *reply)
{
    const char *labels = doc_as_text(doc_get(http->query, "labelSelector"), "");
    const char *fields = doc_as_text(doc_get(http->query, "fieldSelector"), "");
    struct doc *status = NULL;
    struct page page = {0};
    struct selector *selector = selector_parse(resource, labels, fields, &status);

    if (!selector || !page_read(http, cluster, &page, &status)) {
        reply_doc(reply, (int)doc_as_int(doc_get(status, "code"), 400), status, NULL);
        doc_unref(status);
        selector_free(selector);
        return;
    }
    struct doc *list = doc_object(), *metadata = doc_object(), *items = doc_array();
    char *kind = mem_printf("%sList", resource->kind);
    char *api = mem_printf("%s%s%s", resource->group, *resource->group ? "/" : "", version);
    char *seen = mem_printf("%llu", (unsigned long long)page.version);
    doc_set_text(list, "kind", kind);
    doc_set_text(list, "apiVersion", api);
    doc_set(list, "metadata", metadata);
    doc_set_text(metadata, "resourceVersion", seen);
    doc_set(list, "items", items);
    if (resource->custom)
        doc_set_text(metadata, "continue", "");
    list_fill(cluster, resource, version, namespace, selector, &page, !*labels && !*fields, metadata, items);
    reply_doc(reply, 200, list, NULL);
    doc_unref(list);
    free(kind);
    free(api);
    free(seen);
    free(page.start);
    selector_free(selector);
}

struct doc *list_delete(struct write *write, const struct sim_request *http, const struct doc *options)
{
    struct doc *status = NULL, *names = doc_array(), *items = doc_array(), *list = doc_object(),
               *metadata = doc_object();
    struct selector *selector = selector_parse(write->resource, doc_as_text(doc_get(http->query, "labelSelector"), ""),
                                               doc_as_text(doc_get(http->query, "fieldSelector"), ""), &status);
    char *kind = mem_printf("%sList", write->resource->kind),
         *version = mem_printf("%llu", (unsigned long long)write->cluster->version);
    char *api = mem_printf("%s%s%s", write->resource->group, *write->resource->group ? "/" : "", write->version);

    for (size_t i = 0; selector && i < write->resource->objects_len; i++) {
        const struct object *object = write->resource->objects[i];

        if ((!*write->namespace || strcmp(object->namespace, write->namespace) == 0) &&
            selector_match(selector, object->doc)) {
            doc_push(items, item_of(write->resource, write->version, object->doc));
            doc_push(names, doc_ref(doc_get(object->doc, "metadata")));
        }
    }
    const char *namespace = write->namespace;
    for (size_t i = 0; i < doc_size(names); i++) {
        write->namespace = doc_path_text(doc_at(names, i), "namespace", NULL);
        write->namespace = write->namespace ? write->namespace : "";
        write->name = doc_path_text(doc_at(names, i), "name", NULL);
        doc_unref(write_delete(write, options));
    }
    write->namespace = namespace;
    write->name = "";
    doc_set_text(list, "kind", kind);
    doc_set_text(list, "apiVersion", api);
    doc_set_text(metadata, "resourceVersion", version);
    doc_set(list, "metadata", metadata);
    doc_set(list, "items", items);
    if (!selector) {
        write_fail(write, status);
        doc_unref(list);
        list = NULL;
    }
    free(kind);
    free(api);
    free(version);
    doc_unref(names);
    selector_free(selector);
    return list;
}
