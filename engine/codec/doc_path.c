/* Ways into a document, and patches on it: paths, JSON pointers, RFC 7386, RFC 6902. */
#include "codec/doc.h"

#include <stdlib.h>
#include <string.h>

/* A decimal without leading zeros, as RFC 6901 wants it; false for anything else. */
static bool parse_index(const char *text, size_t *index)
{
    *index = 0;
    if (!text[0] || (text[0] == '0' && text[1]))
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || *index > (SIZE_MAX - 9) / 10)
            return false;
        *index = *index * 10 + (size_t)(*text - '0');
    }
    return true;
}

static struct doc *child(const struct doc *doc, const char *token)
{
    size_t index;

    if (doc_is(doc, DOC_ARRAY))
        return parse_index(token, &index) ? doc_at(doc, index) : NULL;
    return doc_get(doc, token);
}

static struct doc *path_follow(const struct doc *doc, va_list args)
{
    const char *key;

    while (doc && (key = va_arg(args, const char *)))
        doc = child(doc, key);
    return (struct doc *)(uintptr_t)doc;
}

struct doc *doc_path(const struct doc *doc, ...)
{
    struct doc *found;
    va_list args;

    va_start(args, doc);
    found = path_follow(doc, args);
    va_end(args);
    return found;
}

const char *doc_path_text(const struct doc *doc, ...)
{
    struct doc *found;
    va_list args;

    va_start(args, doc);
    found = path_follow(doc, args);
    va_end(args);
    return doc_as_text(found, NULL);
}

/* Moves *pointer behind the next "/token" and gives the token unescaped; NULL when it is malformed. */
static char *pointer_token(const char **pointer)
{
    const char *at = *pointer;
    struct buf token;

    if (*at++ != '/')
        return NULL;
    buf_init(&token, SIZE_MAX);
    for (; *at && *at != '/'; at++) {
        if (*at == '~') {
            at++;
            if (*at != '0' && *at != '1') {
                buf_free(&token);
                return NULL;
            }
            buf_add_char(&token, *at == '0' ? '~' : '/');
        } else {
            buf_add_char(&token, *at);
        }
    }
    *pointer = at;
    return buf_take(&token);
}

struct doc *doc_pointer(const struct doc *doc, const char *pointer)
{
    while (doc && *pointer) {
        char *token = pointer_token(&pointer);

        doc = token ? child(doc, token) : NULL;
        free(token);
    }
    return (struct doc *)(uintptr_t)doc;
}

void doc_pointer_add(struct buf *pointer, const char *token)
{
    buf_add_char(pointer, '/');
    for (; *token; token++) {
        if (*token == '~' || *token == '/')
            buf_add_text(pointer, *token == '~' ? "~0" : "~1");
        else
            buf_add_char(pointer, *token);
    }
}

/* What `patch` makes of nothing: itself, without the members that only remove. */
static struct doc *merge_fresh(const struct doc *patch)
{
    struct doc *fresh;

    if (!doc_is(patch, DOC_OBJECT))
        return doc_copy(patch);
    fresh = doc_object();
    doc_merge_patch(fresh, patch);
    return fresh;
}

void doc_merge_patch(struct doc *target, const struct doc *patch)
{
    DOC_EACH(iter, patch)
    {
        struct doc *old = doc_get(target, iter.key);

        if (doc_is(iter.value, DOC_NULL))
            doc_remove(target, iter.key);
        else if (doc_is(iter.value, DOC_OBJECT) && doc_is(old, DOC_OBJECT))
            doc_merge_patch(old, iter.value);
        else
            doc_set(target, iter.key, merge_fresh(iter.value));
    }
}

/* A place in a document: its container and the last token of the pointer. */
struct place {
    struct doc *container; /* NULL for the whole document */
    char *token;
    size_t index; /* for arrays */
};

/* Whether the place exists, or, when it may be new, whether something can be put there. */
static bool place_is_good(struct place *place, bool may_be_new)
{
    size_t size = doc_size(place->container);

    if (doc_is(place->container, DOC_OBJECT))
        return may_be_new || doc_get(place->container, place->token);
    if (!doc_is(place->container, DOC_ARRAY))
        return false;
    if (may_be_new && strcmp(place->token, "-") == 0) {
        place->index = size;
        return true;
    }
    return parse_index(place->token, &place->index) && place->index < size + may_be_new;
}

/* On failure too, place->token is the caller's to free. */
static int place_find(struct doc *root, const char *pointer, bool may_be_new, struct place *place, struct err *err)
{
    const char *at = pointer;

    *place = (struct place){0};
    while (*at) {
        place->container = place->token ? child(place->container, place->token) : root;
        free(place->token);
        place->token = pointer_token(&at);
        if (!place->token)
            return err_set(err, ERR_USAGE, "\"%s\" is not a JSON pointer", pointer);
        if (!place_is_good(place, may_be_new && !*at))
            return err_set(err, ERR_USAGE, "nothing is at \"%s\"", pointer);
    }
    return 0;
}

static struct doc *place_value(struct doc *root, const struct place *place)
{
    return place->container ? child(place->container, place->token) : root;
}

static void place_remove(struct place *place)
{
    if (doc_is(place->container, DOC_ARRAY))
        doc_remove_at(place->container, place->index);
    else
        doc_remove(place->container, place->token);
}

static int patch_add(struct doc **root, const char *pointer, bool replace, struct doc *take, struct err *err)
{
    struct place place;
    int result = place_find(*root, pointer, !replace, &place, err);

    if (result != 0) {
        doc_unref(take);
    } else if (!place.container) {
        doc_unref(*root);
        *root = take;
    } else if (doc_is(place.container, DOC_OBJECT)) {
        doc_set(place.container, place.token, take);
    } else if (replace) {
        doc_put_at(place.container, place.index, take);
    } else {
        doc_insert_at(place.container, place.index, take);
    }
    free(place.token);
    return result;
}

/* Takes the value at `pointer`, out of the document when `remove`. */
static struct doc *patch_value(struct doc **root, const char *pointer, bool remove, struct err *err)
{
    struct doc *value = NULL;
    struct place place;

    if (place_find(*root, pointer, false, &place, err) == 0) {
        value = remove ? doc_ref(place_value(*root, &place)) : doc_copy(place_value(*root, &place));
        if (remove && place.container) {
            place_remove(&place);
        } else if (remove) {
            doc_unref(*root);
            *root = doc_null();
        }
    }
    free(place.token);
    return value;
}

static int patch_one(struct doc **root, const struct doc *op, struct err *err)
{
    const char *name = doc_path_text(op, "op", NULL), *path = doc_path_text(op, "path", NULL);
    const char *from = doc_path_text(op, "from", NULL);
    struct doc *value = doc_get(op, "value"), *moved;
    bool move;

    if (!name || !path)
        return err_set(err, ERR_USAGE, "op and path are needed");
    if (strcmp(name, "remove") == 0) {
        moved = patch_value(root, path, true, err);
        doc_unref(moved);
        return moved ? 0 : -1;
    }
    if (strcmp(name, "move") == 0 || strcmp(name, "copy") == 0) {
        move = name[0] == 'm';
        if (!from)
            return err_set(err, ERR_USAGE, "%s needs from", name);
        if (move && strncmp(path, from, strlen(from)) == 0 && path[strlen(from)] == '/')
            return err_set(err, ERR_USAGE, "\"%s\" cannot move into itself", from);
        moved = patch_value(root, from, move, err);
        return moved ? patch_add(root, path, false, moved, err) : -1;
    }
    if (strcmp(name, "add") != 0 && strcmp(name, "replace") != 0 && strcmp(name, "test") != 0)
        return err_set(err, ERR_USAGE, "\"%s\" is not an op", name);
    if (!value)
        return err_set(err, ERR_USAGE, "%s needs a value", name);
    if (name[0] != 't')
        return patch_add(root, path, name[0] == 'r', doc_copy(value), err);
    moved = patch_value(root, path, false, err);
    if (moved && !doc_equal(moved, value))
        err_set(err, ERR_CONFLICT, "\"%s\" is not what the test wants", path);
    move = moved && doc_equal(moved, value);
    doc_unref(moved);
    return move ? 0 : -1;
}

struct doc *doc_json_patch(const struct doc *doc, const struct doc *patch, struct err *err)
{
    struct doc *result = doc_copy(doc);

    if (!result || !doc_is(patch, DOC_ARRAY)) {
        err_set(err, ERR_USAGE, "a JSON patch is an array of operations");
        doc_unref(result);
        return NULL;
    }
    for (size_t i = 0; i < doc_size(patch); i++) {
        if (patch_one(&result, doc_at(patch, i), err) != 0) {
            err_context(err, "operation %zu", i);
            doc_unref(result);
            return NULL;
        }
    }
    return result;
}
