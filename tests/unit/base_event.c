#include "base/event.h"
#include "base/list.h"
#include "unit.h"

#include <string.h>

/* The bus never looks into an event, so that a struct of the test's own can stand for one. */
struct doc {
    uint64_t seq;
    int64_t time_ms;
    const char *run, *step;
    int freed;
};

struct seen {
    int count;
    uint64_t last_seq;
    enum event_weight weight;
};

static int64_t clock_of(void *ctx)
{
    return *(int64_t *)ctx;
}

static void stamp(struct doc *event, uint64_t seq, int64_t time_ms, const char *run, const char *step)
{
    event->seq = seq;
    event->time_ms = time_ms;
    event->run = run;
    event->step = step;
}

static void unref(struct doc *event)
{
    event->freed++;
}

static void see(void *ctx, enum event_weight weight, const struct doc *event)
{
    struct seen *seen = ctx;

    seen->count++;
    seen->last_seq = event->seq;
    seen->weight = weight;
}

TEST(events_are_stamped_and_given_to_every_sink)
{
    int64_t now = 1000;
    struct seen one = {0}, two = {0};
    struct doc event = {0}, next = {0}, third = {0};
    struct event_bus *bus = event_bus_new(clock_of, &now, stamp, unref);

    event_bus_add(bus, (struct event_sink){see, &one});
    event_bus_add(bus, (struct event_sink){see, &two});
    CHECK_INT(event_emit(bus, EVENT_LIVE, NULL, &event), 1);
    CHECK(!event.run && !event.step);
    CHECK_INT(event.time_ms, 1000);
    CHECK_INT(event.freed, 1);
    event_bus_run(bus, "r1", 70);
    event_bus_remove(bus, &one);
    now = 2000;
    CHECK_INT(event_emit(bus, EVENT_INTENT, "game", &next), 70);
    CHECK_INT(event_emit(bus, EVENT_NOTE, "game", &third), 71);
    CHECK_TEXT(next.run, "r1");
    CHECK_TEXT(next.step, "game");
    CHECK_INT(next.time_ms, 2000);
    CHECK_INT(one.count, 1);
    CHECK_INT(two.count, 3);
    CHECK_INT(two.last_seq, 71);
    CHECK_INT(two.weight, EVENT_NOTE);
    event_bus_free(bus);
    event_bus_free(NULL);
}

TEST(event_types_are_listed_once)
{
    size_t count;
    const struct event_type *types = event_types(&count);

    CHECK(count > 10);
    for (size_t i = 0; i < count; i++)
        CHECK(event_type_get(types[i].name) == &types[i]);
    CHECK(event_type_get("change.intent") != NULL);
    CHECK(!event_type_get("nonsense") && !event_type_get(NULL));
}

struct member {
    int value;
    struct list link;
};

TEST(list_keeps_order_and_survives_removal)
{
    struct list head;
    struct member members[4] = {{.value = 1}, {.value = 2}, {.value = 3}, {.value = 0}};
    int sum = 0, place = 0;

    list_init(&head);
    CHECK(list_empty(&head));
    for (int i = 0; i < 3; i++)
        list_add_tail(&head, &members[i].link);
    list_add_head(&head, &members[3].link);
    LIST_EACH(link, &head)
    CHECK_INT(LIST_OF(link, struct member, link)->value, place++);
    LIST_EACH_SAFE(link, &head)
    {
        struct member *member = LIST_OF(link, struct member, link);

        sum += member->value;
        if (member->value % 2 == 0) {
            list_remove(link);
            list_remove(link);
        }
    }
    CHECK_INT(sum, 6);
    CHECK(head.next == &members[0].link && head.prev == &members[2].link);
}
