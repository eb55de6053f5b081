#include "sandbox/overlay.h"

#include <stdlib.h>
#include <string.h>

/* Where path is, or where it would be. */
static size_t place(const struct overlay *overlay, const char *path, bool *found)
{
    size_t low = 0, high = overlay->len;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(overlay->list[middle]->path, path);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct overlay_entry *overlay_find(const struct overlay *overlay, const char *path)
{
    bool found;
    size_t at = place(overlay, path, &found);

    return found ? overlay->list[at] : NULL;
}

struct overlay_entry *overlay_put(struct overlay *overlay, const char *path, enum disk_kind kind, uint32_t mode,
                                  int64_t mtime_ms)
{
    bool found;
    size_t at = place(overlay, path, &found);
    struct overlay_entry *entry;

    if (!found) {
        overlay->list = mem_grow(overlay->list, overlay->len + 1, sizeof(struct overlay_entry *));
        memmove(&overlay->list[at + 1], &overlay->list[at], (overlay->len - at) * sizeof(struct overlay_entry *));
        overlay->list[at] = mem_alloc(sizeof(*entry));
        overlay->list[at]->path = mem_text(path);
        buf_init(&overlay->list[at]->data, SIZE_MAX / 2);
        overlay->len++;
    }
    entry = overlay->list[at];
    entry->kind = kind;
    entry->mode = mode;
    entry->mtime_ms = mtime_ms;
    buf_reset(&entry->data);
    return entry;
}

static void entry_free(struct overlay_entry *entry)
{
    free(entry->path);
    buf_free(&entry->data);
    free(entry);
}

void overlay_drop(struct overlay *overlay, const char *path)
{
    bool found;
    size_t at = place(overlay, path, &found);

    if (!found)
        return;
    entry_free(overlay->list[at]);
    overlay->len--;
    memmove(&overlay->list[at], &overlay->list[at + 1], (overlay->len - at) * sizeof(struct overlay_entry *));
}

bool overlay_hides(const struct overlay *overlay, const char *path)
{
    char *above = mem_text(path);
    bool hidden = false;

    for (char *slash = strrchr(above, '/'); slash && !hidden; slash = strrchr(above, '/')) {
        struct overlay_entry *entry;

        *slash = '\0';
        entry = overlay_find(overlay, above);
        hidden = entry && entry->kind != DISK_FOLDER;
    }
    free(above);
    return hidden;
}

const char *overlay_child(const struct overlay_entry *entry, const char *folder)
{
    size_t len = strlen(folder);
    const char *name = entry->path;

    if (len > 0) {
        if (strncmp(name, folder, len) != 0 || name[len] != '/')
            return NULL;
        name += len + 1;
    }
    return strchr(name, '/') ? NULL : name;
}

void overlay_clear(struct overlay *overlay)
{
    for (size_t i = 0; i < overlay->len; i++)
        entry_free(overlay->list[i]);
    free(overlay->list);
    *overlay = (struct overlay){0};
}
