/* Headers that are still being made, and the request without its host. */
#include "aws/protocol.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WIRE_MAX = 64 << 20, WIRE_TARGET_MAX = 1 << 20 };

static void header_free(struct header *header)
{
    free((char *)header->name);
    secret_wipe((char *)header->value, strlen(header->value));
    free((char *)header->value);
}

void aws_headers_add(struct aws_headers *headers, const char *name, struct view value)
{
    if (headers->len == headers->cap) {
        headers->cap = headers->cap ? 2 * headers->cap : 8;
        headers->list = mem_grow(headers->list, headers->cap, sizeof(headers->list[0]));
    }
    headers->list[headers->len++] = (struct header){mem_text(name), mem_view(value)};
}

void aws_headers_set(struct aws_headers *headers, const char *name, struct view value)
{
    size_t kept = 0;

    for (size_t i = 0; i < headers->len; i++)
        if (strcasecmp(headers->list[i].name, name) == 0)
            header_free(&headers->list[i]);
        else
            headers->list[kept++] = headers->list[i];
    headers->len = kept;
    aws_headers_add(headers, name, value);
}

const char *aws_headers_get(const struct aws_headers *headers, const char *name)
{
    for (size_t i = 0; i < headers->len; i++)
        if (strcasecmp(headers->list[i].name, name) == 0)
            return headers->list[i].value;
    return NULL;
}

void aws_headers_clear(struct aws_headers *headers)
{
    for (size_t i = 0; i < headers->len; i++)
        header_free(&headers->list[i]);
    free(headers->list);
    *headers = (struct aws_headers){0};
}

void aws_wire_init(struct aws_wire *wire)
{
    *wire = (struct aws_wire){0};
    buf_init(&wire->path, WIRE_TARGET_MAX);
    buf_init(&wire->query, WIRE_TARGET_MAX);
    buf_init(&wire->host_prefix, WIRE_TARGET_MAX);
    buf_init(&wire->body, WIRE_MAX);
}

void aws_wire_clear(struct aws_wire *wire)
{
    struct buf *const parts[] = {&wire->path, &wire->query, &wire->host_prefix, &wire->body};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i]->ptr)
            secret_wipe(parts[i]->ptr, parts[i]->cap);
        buf_free(parts[i]);
    }
    aws_headers_clear(&wire->headers);
}
