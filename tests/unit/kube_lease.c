/* The lock: taken, kept, lost, adopted. */
#include "kube_fake.h"
#include "unit.h"

#include <string.h>

struct seen {
    bool done, lost;
    struct err err;
};

static void taken(void *ctx, const struct err *err)
{
    struct seen *seen = ctx;

    seen->err = err ? *err : ERR_INIT;
    seen->done = true;
}

static void lost(void *ctx, const struct err *err)
{
    (void)err;
    ((struct seen *)ctx)->lost = true;
}

static bool dead(void *ctx, const char *host, const char *store)
{
    (void)ctx;
    return strcmp(host, "here") == 0 && strcmp(store, "store of r0") == 0;
}

static struct kube_lease *take(struct fake *fake, struct seen *seen, bool take_over)
{
    struct kube_lease_options options = {.name = "t",
                                         .owner = "me",
                                         .host = "here",
                                         .run = "r1",
                                         .host_alive_known = true,
                                         .owner_dead = dead,
                                         .take_over = take_over,
                                         .duration_ms = 60000};
    struct kube_lease *lease = kube_lease_take(fake_kube(fake), &options, taken, lost, seen);

    CHECK(fake_until(fake, &seen->done));
    return lease;
}

static void release(struct fake *fake, struct seen *seen, struct kube_lease *lease)
{
    seen->done = false;
    kube_lease_release(lease, taken, seen);
    CHECK(fake_until(fake, &seen->done));
    fake_free(fake);
}

#define LEASES "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
#define LEASE(holder, host, run, renew, transitions)                                                               \
    "{\"apiVersion\":\"coordination.k8s.io/"                                                                       \
    "v1\",\"kind\":\"Lease\",\"metadata\":{\"name\":\"t\",\"annotations\":{\"dosrun/host\":\"" host                \
    "\",\"dosrun/run\":\"" run "\",\"dosrun/store\":\"store of " run "\"}},\"spec\":{\"holderIdentity\":\"" holder \
    "\",\"acquireTime\":\"2029-12-31T23:00:00.000000Z\",\"leaseDurationSeconds\":60,\"renewTime\":\"" renew        \
    "\",\"leaseTransitions\":" transitions "}}"
#define OURS(transitions) LEASE("me@here/r1", "here", "r1", "2030-01-01T00:00:00.000000Z", transitions)
#define FRESH "2030-01-01T00:00:00.000000Z"

TEST(lost_answer_of_the_create_is_read_first)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    struct kube_lease *lease;

    fake_rule(fake, "GET", LEASES "/t", 1, 404, "{}");
    fake_rule(fake, "POST", LEASES, 1, FAKE_LOST, NULL);
    fake_rule(fake, "GET", LEASES "/t", 0, 200, OURS("0"));
    fake_rule(fake, "PUT", LEASES "/t", 0, 200, OURS("1"));
    lease = take(fake, &seen, false);
    CHECK_INT(seen.err.kind, ERR_NONE);
    CHECK_INT(kube_lease_epoch(lease), 2);
    CHECK_INT(fake_count(fake, "POST"), 1);
    CHECK_INT(kube_lease_acts_until(lease), INT64_C(1893456000000) + 40000);
    release(fake, &seen, lease);
}

TEST(held_expired_dead)
{
    static const struct {
        const char *lease;
        bool take_over, taken;
    } cases[] = {
        {LEASE("you@there/r2", "there", "r2", FRESH, "3"), true, false},
        {LEASE("you@there/r2", "there", "r2", "2029-12-31T23:58:00.000000Z", "3"), false, false},
        {LEASE("you@there/r2", "there", "r2", "2029-12-31T23:58:00.000000Z", "3"), true, true},
        {LEASE("me@here/r0", "here", "r0", FRESH, "3"), false, true},
        {LEASE("me@here/r3", "here", "r3", FRESH, "3"), false, false},
        {LEASE("me@here/r1", "here", "r1", FRESH, "3"), false, true},
        {LEASE("", "there", "r2", FRESH, "3"), false, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake *fake = fake_new();
        struct seen seen = {0};
        struct kube_lease *lease;

        fake_rule(fake, "GET", LEASES "/t", 0, 200, cases[i].lease);
        fake_rule(fake, "PUT", LEASES "/t", 0, 200, OURS("4"));
        lease = take(fake, &seen, cases[i].take_over);
        CHECK_INT(seen.err.kind, cases[i].taken ? ERR_NONE : ERR_CONFLICT);
        CHECK_TEXT(seen.err.explain, cases[i].taken ? "" : "R201");
        CHECK_INT(kube_lease_epoch(lease), cases[i].taken ? 5 : 0);
        CHECK_INT(fake_count(fake, "\"leaseTransitions\":4"), cases[i].taken);
        release(fake, &seen, lease);
    }
}

TEST(renewed_each_third_and_lost_once_taken)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    struct kube_lease *lease;

    fake_rule(fake, "GET", LEASES "/t", 1, 404, "{}");
    fake_rule(fake, "POST", LEASES, 1, 201, OURS("0"));
    fake_rule(fake, "PUT", LEASES "/t", 2, 200, OURS("0"));
    fake_rule(fake, "PUT", LEASES "/t", 0, 409, "{\"kind\":\"Status\",\"reason\":\"Conflict\"}");
    fake_rule(fake, "GET", LEASES "/t", 0, 200, LEASE("you@there/r2", "there", "r2", FRESH, "1"));
    lease = take(fake, &seen, false);
    CHECK_INT(kube_lease_epoch(lease), 1);
    fake_turns(fake, 45000);
    CHECK_INT(fake_count(fake, "PUT"), 2);
    CHECK(!seen.lost);
    fake_turns(fake, 30000);
    CHECK(seen.lost);
    CHECK_INT(kube_lease_acts_until(lease), 0);
    release(fake, &seen, lease);
}

TEST(forbidden_names_the_way_out)
{
    struct fake *fake = fake_new();
    struct seen seen = {0};
    struct kube_lease *lease;

    fake_rule(fake, "GET", LEASES "/t", 0, 403, "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"message\":\"no\"}");
    lease = take(fake, &seen, false);
    CHECK_INT(seen.err.kind, ERR_DENIED);
    CHECK(strstr(seen.err.message, "lock_namespace"));
    release(fake, &seen, lease);
}
