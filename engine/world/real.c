/*
 * The real world's loop, clock, timers, signals and random. Everything else that waits (sockets,
 * children) hangs on the same libuv loop; real_turn is the only place that runs it.
 */
#include "world/real.h"

#include "base/digest.h"
#include "base/secret.h"

#include <assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

struct real_timer {
    struct timer base; /* first */
    struct list link;  /* in real.timers */
    struct real_ready ready;
    bool waits; /* a delay: uv is in use, else ready */
    uv_timer_t uv;
    timer_fn *fn;
    void *ctx;
};

/* libuv runs its timers before it polls: what a timer's callback adds would wait for the next event. */
void real_wake(struct real *real)
{
    if (real->polling)
        uv_stop(&real->loop);
}

void real_ready_add(struct real *real, struct real_ready *ready, void (*fn)(struct real_ready *))
{
    ready->fn = fn;
    list_add_tail(&real->ready, &ready->link);
    real_wake(real);
}

/* What this turn adds waits for the next one, so a chain of timers of 0 ms cannot hold the loop. */
static bool real_ready_deliver(struct real *real)
{
    struct list now;
    bool any = !list_empty(&real->ready);

    list_init(&now);
    while (!list_empty(&real->ready)) {
        struct list *link = real->ready.next;

        list_remove(link);
        list_add_tail(&now, link);
    }
    while (!list_empty(&now)) {
        struct real_ready *ready = LIST_OF(now.next, struct real_ready, link);

        list_remove(&ready->link);
        ready->fn(ready);
    }
    return any;
}

static bool real_turn(struct world *world)
{
    struct real *real = real_of(world);

    assert(!real->turning);
    if (!real->pending)
        return false;
    real->turning = true;
    real_net_pump(real);
    /* Without anything pending only curl's idle connections are left, which nobody waits for. */
    bool delivered = real_ready_deliver(real) || !real->pending;
    real->polling = true;
    uv_run(&real->loop, delivered ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    real->polling = false;
    real->turning = false;
    return true;
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void timer_forget(struct real_timer *timer)
{
    real_of(timer->base.world)->pending--;
    list_remove(&timer->link);
    if (timer->waits) {
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
    } else {
        list_remove(&timer->ready.link);
        free(timer);
    }
}

static void handle_close(uv_handle_t *handle, void *ctx)
{
    (void)ctx;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void real_free(struct world *world)
{
    struct real *real = real_of(world);

    assert(!real->turning);
    real_net_free(real);
    real_process_free(real);
    while (!list_empty(&real->timers))
        timer_forget(LIST_OF(real->timers.next, struct real_timer, link));
    uv_walk(&real->loop, handle_close, NULL);
    while (uv_run(&real->loop, UV_RUN_DEFAULT) != 0)
        ;
    int left = uv_loop_close(&real->loop);
    assert(left == 0 && real->pending == 0);
    (void)left;
    secret_wipe(real->key, sizeof(real->key));
    free(real);
}

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_now_ms(struct world *world)
{
    (void)world;
    return clock_ms(CLOCK_REALTIME);
}

/* Counts suspended time too: a lease must not look alive because the laptop slept. */
static int64_t real_mono_ms(struct world *world)
{
    (void)world;
    return clock_ms(CLOCK_BOOTTIME);
}

static void timer_fire(struct real_timer *timer)
{
    timer_fn *fn = timer->fn;
    void *ctx = timer->ctx;

    timer_forget(timer);
    fn(ctx);
}

static void timer_ready(struct real_ready *ready)
{
    timer_fire(LIST_OF(ready, struct real_timer, ready));
}

static void timer_due(uv_timer_t *uv)
{
    real_timer_came(uv);
    timer_fire(uv->data);
}

static struct timer *real_timer_start(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    struct real *real = real_of(world);
    struct real_timer *timer = mem_alloc(sizeof(*timer));

    timer->base.world = world;
    timer->fn = fn;
    timer->ctx = ctx;
    timer->waits = delay_ms > 0;
    list_add_tail(&real->timers, &timer->link);
    real->pending++;
    if (timer->waits) {
        uv_timer_init(&real->loop, &timer->uv);
        timer->uv.data = timer;
        uv_update_time(&real->loop);
        uv_timer_start(&timer->uv, timer_due, (uint64_t)delay_ms, 0);
    } else {
        real_ready_add(real, &timer->ready, timer_ready);
    }
    return &timer->base;
}

static void real_timer_stop(struct timer *timer)
{
    timer_forget((struct real_timer *)(void *)timer);
}

static void signal_came(uv_signal_t *watch, int number)
{
    struct real *real = watch->data;

    if (real->signal)
        real->signal(real->signal_ctx, number);
}

static void real_watch_signals(struct world *world, signal_fn *fn, void *ctx)
{
    struct real *real = real_of(world);

    real->signal = fn;
    real->signal_ctx = ctx;
    if (fn) {
        uv_signal_start(&real->interrupt, signal_came, SIGINT);
        uv_signal_start(&real->terminate, signal_came, SIGTERM);
    } else {
        uv_signal_stop(&real->interrupt);
        uv_signal_stop(&real->terminate);
    }
}

/* HMAC(key, purpose, 0, block number) for as many blocks of 32 bytes as it takes. */
static void real_random(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    struct view key = {(const char *)real_of(world)->key, sizeof(real_of(world)->key)};
    struct buf input;

    buf_init(&input, SIZE_MAX);
    for (uint32_t block = 0; len; block++) {
        unsigned char digest[SHA256_SIZE];
        unsigned char counter[5] = {0, (unsigned char)(block >> 24), (unsigned char)(block >> 16),
                                    (unsigned char)(block >> 8), (unsigned char)block};
        size_t part = len < sizeof(digest) ? len : sizeof(digest);

        buf_reset(&input);
        buf_add_text(&input, purpose);
        buf_add(&input, counter, sizeof(counter));
        digest_hmac_sha256(key, buf_view(&input), digest);
        memcpy(out, digest, part);
        secret_wipe(digest, sizeof(digest));
        out += part;
        len -= part;
    }
    buf_free(&input);
}

static void real_crash_point(struct world *world, uint64_t attempt, enum crash_point point)
{
    (void)world;
    (void)attempt;
    (void)point;
}

static void real_key_make(struct real *real)
{
    if (getrandom(real->key, sizeof(real->key), 0) != (ssize_t)sizeof(real->key)) {
        fprintf(stderr, "dosrun: the system gives no random bytes\n");
        abort();
    }
}

/* Started with a standard stream closed, a journal would get its number and the next error message. */
static void standard_streams_open(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0 && fd <= 2)
        fcntl(fd, F_SETFD, 0);
    if (fd > 2)
        close(fd);
}

struct world *world_real_new(void)
{
    struct real *real = mem_alloc(sizeof(*real));

    real->ops = world_disk_ops;
    real->ops.turn = real_turn;
    real->ops.free = real_free;
    real->ops.now_ms = real_now_ms;
    real->ops.mono_ms = real_mono_ms;
    real->ops.timer_start = real_timer_start;
    real->ops.timer_stop = real_timer_stop;
    real->ops.watch_signals = real_watch_signals;
    real->ops.random = real_random;
    real->ops.crash_point = real_crash_point;
    real->ops.exchange_start = real_exchange_start;
    real->ops.exchange_cancel = real_exchange_cancel;
    real->ops.drop_connections = real_drop_connections;
    real->ops.process_start = real_process_start;
    real->ops.process_cancel = real_process_cancel;
    real->base.ops = &real->ops;
    list_init(&real->ready);
    list_init(&real->timers);
    standard_streams_open();
    real_key_make(real);
    /* A peer that went away, or a file at its size limit, is an error of that write, not our end. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    uv_loop_init(&real->loop);
    uv_signal_init(&real->loop, &real->interrupt);
    uv_signal_init(&real->loop, &real->terminate);
    real->interrupt.data = real->terminate.data = real;
    uv_unref((uv_handle_t *)&real->interrupt);
    uv_unref((uv_handle_t *)&real->terminate);
    real_process_init(real);
    return &real->base;
}
