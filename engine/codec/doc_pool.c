/*
 * Memory of documents. jansson asks for many small pieces and gives them back in any order, so each
 * small size has a list of free pieces, filled from slabs that stay until the end: a tenth of what
 * malloc costs. A word before each piece says its list; larger ones come from malloc. One thread.
 */
#include "codec/doc_json.h"
#include "base/buf.h"

#include <stdlib.h>

enum { STEP = 16, CLASSES = 16, SLAB = 64 << 10 }; /* pieces of 16, 32 ... 256 bytes, the head counted in */

union head {
    size_t class;     /* while it is used; CLASSES: from malloc */
    union head *next; /* while it is free */
};

static union head *unused[CLASSES];
static char *slab;
static size_t slab_left;

static union head *slab_cut(size_t size)
{
    union head *head;

    if (slab_left < size) {
        slab = mem_grow(NULL, SLAB, 1);
        slab_left = SLAB;
    }
    head = (union head *)(void *)slab;
    slab += size;
    slab_left -= size;
    return head;
}

void *doc_pool_alloc(size_t size)
{
    size_t class = (size + sizeof(union head) - 1) / STEP;
    union head *head;

    if (class >= CLASSES) {
        class = CLASSES;
        head = mem_grow(NULL, size + sizeof(*head), 1);
    } else if (unused[class]) {
        head = unused[class];
        unused[class] = head->next;
    } else {
        head = slab_cut((class + 1) * STEP);
    }
    head->class = class;
    return head + 1;
}

void doc_pool_free(void *ptr)
{
    union head *head;
    size_t class;

    if (!ptr)
        return;
    head = (union head *)ptr - 1;
    class = head->class;
    if (class == CLASSES) {
        free(head);
    } else {
        head->next = unused[class];
        unused[class] = head;
    }
}
