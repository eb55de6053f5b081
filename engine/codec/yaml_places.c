#include "codec/yaml_file.h"

#include <stdlib.h>
#include <string.h>

/* `key` NULL: by index; both unset (index SIZE_MAX): the container itself. */
struct place {
    const struct doc *container; /* NULL in a free slot */
    char *key;
    size_t index;
    struct spot spot;
};

/* Open addressing, size a power of two, at most half full. */
struct places {
    struct place *slots;
    size_t size, count;
};

struct places *places_new(void)
{
    struct places *places = mem_alloc(sizeof(*places));

    places->size = 64;
    places->slots = mem_array(places->size, sizeof(*places->slots));
    return places;
}

void places_free(struct places *places)
{
    if (!places)
        return;
    for (size_t i = 0; i < places->size; i++)
        free(places->slots[i].key);
    free(places->slots);
    free(places);
}

/* FNV-1a over the key, then MurmurHash3's last mix: addresses and indexes alone would fill neighbouring slots. */
static uint64_t hash_of(const struct doc *container, const char *key, size_t index)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (; key && *key; key++)
        hash = (hash ^ (unsigned char)*key) * 0x100000001b3u;
    hash ^= (uint64_t)(uintptr_t)container * 0x9e3779b97f4a7c15u + index;
    hash = (hash ^ hash >> 33) * 0xff51afd7ed558ccdu;
    hash = (hash ^ hash >> 33) * 0xc4ceb9fe1a85ec53u;
    return hash ^ hash >> 33;
}

static struct place *slot_of(const struct places *places, const struct doc *container, const char *key, size_t index)
{
    size_t at = hash_of(container, key, index) & (places->size - 1);

    for (; places->slots[at].container; at = (at + 1) & (places->size - 1)) {
        struct place *slot = &places->slots[at];

        if (slot->container == container && slot->index == index && !slot->key == !key &&
            (!key || strcmp(slot->key, key) == 0))
            break;
    }
    return &places->slots[at];
}

static void put(struct places *places, const struct doc *container, const char *key, size_t index, struct spot spot)
{
    struct place *slot = slot_of(places, container, key, index), *old;
    size_t old_size = places->size;

    if (slot->container) {
        slot->spot = spot;
        return;
    }
    *slot = (struct place){.container = container, .key = mem_text(key), .index = index, .spot = spot};
    if (++places->count * 2 <= places->size)
        return;
    old = places->slots;
    places->size *= 2;
    places->slots = mem_array(places->size, sizeof(*old));
    for (size_t i = 0; i < old_size; i++) {
        if (old[i].container)
            *slot_of(places, old[i].container, old[i].key, old[i].index) = old[i];
    }
    free(old);
}

static struct spot *get(const struct places *places, const struct doc *container, const char *key, size_t index)
{
    struct place *slot = slot_of(places, container, key, index);

    return slot->container ? &slot->spot : NULL;
}

void places_put(struct places *places, const struct doc *container, struct spot spot)
{
    put(places, container, NULL, SIZE_MAX, spot);
}

void places_put_key(struct places *places, const struct doc *object, const char *key, struct spot spot)
{
    put(places, object, key, SIZE_MAX, spot);
}

void places_put_index(struct places *places, const struct doc *array, size_t index, struct spot spot)
{
    put(places, array, NULL, index, spot);
}

struct spot *places_get(const struct places *places, const struct doc *container)
{
    return container ? get(places, container, NULL, SIZE_MAX) : NULL;
}

struct spot *places_get_key(const struct places *places, const struct doc *object, const char *key)
{
    return object ? get(places, object, key, SIZE_MAX) : NULL;
}

struct spot *places_get_index(const struct places *places, const struct doc *array, size_t index)
{
    return array && index != SIZE_MAX ? get(places, array, NULL, index) : NULL;
}

void places_copy(struct places *places, const struct doc *from, const struct doc *to)
{
    const struct spot *spot = places_get(places, from);

    if (spot)
        places_put(places, to, *spot);
    DOC_EACH(iter, from)
    {
        spot = places_get_key(places, from, iter.key);
        if (spot)
            places_put_key(places, to, iter.key, *spot);
        places_copy(places, iter.value, doc_get(to, iter.key));
    }
    for (size_t i = 0; doc_is(from, DOC_ARRAY) && i < doc_size(from); i++) {
        spot = places_get_index(places, from, i);
        if (spot)
            places_put_index(places, to, i, *spot);
        places_copy(places, doc_at(from, i), doc_at(to, i));
    }
}
