#pragma once
/* What both halves of the simulated disk door share: where a path belongs, and the project under its overlay. */
#include "sandbox/core.h"
#include "sandbox/overlay.h"

enum place { PLACE_OTHER, PLACE_STATE, PLACE_PROJECT };

struct sim_disk {
    struct sim *sim;
    char *project_root, *state_root; /* absolute and plain, or NULL */
    struct overlay overlay;
};

/* A path resolved: where it belongs, and its two names. */
struct where {
    enum place place;
    char *absolute;    /* owned */
    const char *below; /* of the project's root; "" is the root */
};

struct sim_disk *sim_disk_of(struct world *world);
struct where sim_disk_resolve(const struct sim_disk *disk, const char *path);
/* Whether the overlay may be changed by us now, at this place. path is what the caller called it. */
int sim_disk_may_change(struct sim_disk *disk, const struct where *where, const char *path, struct err *err);
/* The project as the overlay shows it. */
int sim_project_stat(struct sim_disk *disk, const struct where *where, struct disk_stat *stat, struct err *err);
int sim_project_read(struct sim_disk *disk, const struct where *where, size_t max, struct buf *out, struct err *err);
int sim_project_write(struct sim_disk *disk, const struct where *where, struct view data, uint32_t mode,
                      struct err *err);
