/*
 * Whatever journal_scan takes as its valid part reads back the same by itself, event for event, and every
 * event can be folded into a set of changes.
 */
#include "base/secret.h"
#include "change/change.h"
#include "store/store.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reading {
    struct changes *changes;
    size_t events;
};

static int event_fold(void *ctx, const struct doc *event, struct err *err)
{
    struct reading *reading = ctx;
    struct err unfit = ERR_INIT;

    (void)err;
    reading->events++;
    if (changes_replay(reading->changes, event, &unfit) < 0 && unfit.kind == ERR_NONE)
        abort();
    return 0;
}

static int scan(struct view text, struct reading *reading, size_t *good)
{
    static const unsigned char key[32] = "the fixtures' key, 32 bytes long";
    const struct changes_options options = {.mode = CHANGE_READ};
    struct marks *marks = marks_new(view_of("fuzz"));
    struct err err = ERR_INIT;
    int result;

    *reading = (struct reading){.changes = changes_new(&options)};
    result = journal_scan(text, marks, key, event_fold, reading, good, &err);
    if (result < 0 && err.kind == ERR_NONE)
        abort();
    doc_unref(changes_list(reading->changes));
    changes_free(reading->changes);
    marks_free(marks);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reading first, again;
    size_t good, same;

    scan((struct view){(const char *)data, size}, &first, &good);
    if (good > size)
        abort();
    if (scan((struct view){(const char *)data, good}, &again, &same) < 0 || same != good ||
        again.events != first.events)
        abort();
    return 0;
}
