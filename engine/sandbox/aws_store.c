/*
 * What is in the simulated account: things by kind and key. Each change is an effect {"of": "aws", kind, key, thing} of
 * the state file, logged before its answer is given.
 */
#include "sandbox/aws_cloud.h"

#include "codec/yaml.h"

#include <stdlib.h>
#include <string.h>

static int order(const struct thing *thing, const char *kind, const char *key)
{
    int by_kind = strcmp(thing->kind, kind);

    return by_kind ? by_kind : strcmp(thing->key, key);
}

size_t things_index(const struct cloud *cloud, const char *kind, const char *key)
{
    size_t low = 0, high = cloud->things_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (order(&cloud->things[middle], kind, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct thing *things_find(const struct cloud *cloud, const char *kind, const char *key)
{
    size_t index = things_index(cloud, kind, key);

    return index < cloud->things_len && order(&cloud->things[index], kind, key) == 0 ? &cloud->things[index] : NULL;
}

static void thing_clear(struct thing *thing)
{
    doc_unref(thing->doc);
    free(thing->kind);
    free(thing->key);
}

static void set(struct cloud *cloud, const char *kind, const char *key, struct doc *take)
{
    size_t index = things_index(cloud, kind, key), after = cloud->things_len - index;
    bool there = index < cloud->things_len && order(&cloud->things[index], kind, key) == 0;

    if (there && take) {
        doc_unref(cloud->things[index].doc);
        cloud->things[index].doc = take;
        return;
    }
    if (there) {
        thing_clear(&cloud->things[index]);
        memmove(&cloud->things[index], &cloud->things[index + 1], (after - 1) * sizeof(*cloud->things));
        cloud->things_len--;
        return;
    }
    if (!take)
        return;
    if (cloud->things_len == cloud->things_cap) {
        cloud->things_cap = cloud->things_cap ? cloud->things_cap * 2 : 16;
        cloud->things = mem_grow(cloud->things, cloud->things_cap, sizeof(*cloud->things));
    }
    memmove(&cloud->things[index + 1], &cloud->things[index], after * sizeof(*cloud->things));
    cloud->things[index] = (struct thing){mem_text(kind), mem_text(key), take};
    cloud->things_len++;
}

static struct doc *effect_of(const char *kind, const char *key, const struct doc *doc)
{
    struct doc *effect = doc_object();

    doc_set_text(effect, "of", "aws");
    doc_set_text(effect, "kind", kind);
    doc_set_text(effect, "key", key);
    if (doc)
        doc_set(effect, "thing", doc_ref(doc));
    return effect;
}

void things_put(struct cloud *cloud, const char *kind, const char *key, struct doc *take)
{
    char *own_kind = mem_text(kind), *own_key = mem_text(key); /* they may be those of a thing that goes */

    sim_log(cloud->sim, effect_of(kind, key, take));
    set(cloud, own_kind, own_key, take);
    free(own_kind);
    free(own_key);
}

void things_replay(struct cloud *cloud, const struct doc *effect)
{
    struct doc *thing = doc_get(effect, "thing");

    set(cloud, doc_as_text(doc_get(effect, "kind"), ""), doc_as_text(doc_get(effect, "key"), ""),
        thing ? doc_ref(thing) : NULL);
}

void things_snapshot(struct cloud *cloud, void (*put)(void *ctx, struct doc *effect), void *ctx)
{
    for (size_t i = 0; i < cloud->things_len; i++)
        put(ctx, effect_of(cloud->things[i].kind, cloud->things[i].key, cloud->things[i].doc));
}

/* What nobody may read stays comparable: a hash under this sandbox's key. */
static struct doc *hidden(struct cloud *cloud, const struct doc *secret)
{
    char hash[33], *purpose = mem_printf("show/secret/%s", doc_as_text(secret, ""));
    struct doc *out;

    sim_hex(cloud->sim, purpose, hash, 32);
    free(purpose);
    out = doc_text(hash);
    return out;
}

/* Members "secret", "token" and "content" are never shown, "made" only when all is. */
static struct doc *shown(struct cloud *cloud, const struct doc *doc, bool raw)
{
    static const char *const secrets[] = {"secret", "token", "content"};
    struct doc *out = doc_object();

    DOC_EACH(member, doc)
    {
        bool secret = false;

        for (size_t i = 0; i < sizeof(secrets) / sizeof(*secrets); i++)
            secret = secret || strcmp(member.key, secrets[i]) == 0;
        if (secret)
            doc_set(out, member.key, hidden(cloud, member.value));
        else if (raw || strcmp(member.key, "made") != 0)
            doc_set(out, member.key, doc_ref(member.value));
    }
    return out;
}

void things_show(struct cloud *cloud, bool raw, struct buf *out)
{
    for (size_t i = 0; i < cloud->things_len; i++) {
        const struct thing *thing = &cloud->things[i];
        struct doc *doc;

        if (!raw && strcmp(thing->kind, "sts/Session") == 0) /* nobody owns one; it ends by itself */
            continue;
        doc = shown(cloud, thing->doc, raw);
        buf_addf(out, "# aws %s %s\n", thing->kind, thing->key);
        yaml_add(out, doc, true);
        doc_unref(doc);
    }
}

void things_free(struct cloud *cloud)
{
    for (size_t i = 0; i < cloud->things_len; i++)
        thing_clear(&cloud->things[i]);
    free(cloud->things);
}
