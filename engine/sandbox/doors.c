/* The sandbox as a table of doors, and the small ones: the loop, signals, random. */
#include "sandbox/core.h"
#include "base/digest.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNALS_KEPT = 8 };

/* Signals are the process's, so they are kept here until the next turn: Ctrl-C works in a sandbox run too. */
static volatile sig_atomic_t signals_seen[SIGNALS_KEPT];
static volatile sig_atomic_t signals_len;

static void signal_seen(int number)
{
    if (signals_len < SIGNALS_KEPT) {
        signals_seen[signals_len] = number;
        signals_len = signals_len + 1;
    }
}

static struct sim *sim_of(struct world *world)
{
    return (struct sim *)(void *)world;
}

static void watch_signals(struct world *world, signal_fn *fn, void *ctx)
{
    struct sim *sim = sim_of(world);
    struct sigaction action = {.sa_handler = fn ? signal_seen : SIG_DFL, .sa_flags = SA_RESTART};

    if (!fn && !sim->signal)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sim->signal = fn;
    sim->signal_ctx = ctx;
}

static bool signals_deliver(struct sim *sim)
{
    int number;

    if (!sim->signal || signals_len == 0)
        return false;
    number = signals_seen[0];
    for (sig_atomic_t i = 1; i < signals_len; i++)
        signals_seen[i - 1] = signals_seen[i];
    signals_len = signals_len - 1;
    sim->signal(sim->signal_ctx, number);
    return true;
}

static bool turn(struct world *world)
{
    struct sim *sim = sim_of(world);

    if (signals_deliver(sim))
        return true;
    if (sim->wanted == 0)
        return false;
    if (sim_store_grown(sim->store))
        sim_compact(sim);
    return sim_clock_turn(sim) || sim_net_unstick(sim->net);
}

static int64_t now_ms(struct world *world)
{
    return sim_of(world)->clock.now_ms;
}

static struct timer *start_timer(struct world *world, int64_t delay_ms, timer_fn *fn, void *ctx)
{
    return sim_timer_door(sim_timer_new(sim_of(world), delay_ms, fn, ctx, true));
}

static void stop_timer(struct timer *timer)
{
    sim_timer_stop(sim_timer_of(timer));
}

/* HMAC(seed and target, purpose and number of the block): as long as asked for. */
void sim_random(const struct sim *sim, const char *purpose, unsigned char *out, size_t len)
{
    char *key = mem_printf("dosrun sandbox %" PRIu64 " %s", sim->seed, sim->target);

    for (size_t block = 0; block * SHA256_SIZE < len; block++) {
        char *text = mem_printf("%zu %s", block, purpose);
        unsigned char digest[SHA256_SIZE];
        size_t rest = len - block * SHA256_SIZE;

        digest_hmac_sha256(view_of(key), view_of(text), digest);
        memcpy(out + block * SHA256_SIZE, digest, rest < SHA256_SIZE ? rest : SHA256_SIZE);
        free(text);
    }
    free(key);
}

static void random_bytes(struct world *world, const char *purpose, unsigned char *out, size_t len)
{
    sim_random(sim_of(world), purpose, out, len);
}

uint64_t sim_draw(const struct sim *sim, const char *purpose, uint64_t number, uint64_t below)
{
    char *text = mem_printf("draw %s %" PRIu64, purpose, number);
    unsigned char bytes[8];
    uint64_t value = 0;

    sim_random(sim, text, bytes, sizeof(bytes));
    free(text);
    for (size_t i = 0; i < sizeof(bytes); i++)
        value = value << 8 | bytes[i];
    return value % below;
}

const char *sim_account(const struct sim *sim)
{
    return sim->account;
}

uint64_t sim_seed(const struct sim *sim)
{
    return sim->seed;
}

void sim_hex(struct sim *sim, const char *purpose, char *out, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SHA256_SIZE];

    sim_random(sim, purpose, bytes, sizeof(bytes));
    for (size_t i = 0; i < len && i < SHA256_HEX; i++)
        out[i] = digits[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15];
    out[len < SHA256_HEX ? len : SHA256_HEX] = '\0';
}

/* RFC 9562, section 5.4 */
void sim_uuid(struct sim *sim, const char *purpose, char *out)
{
    char hex[33];

    sim_hex(sim, purpose, hex, 32);
    hex[12] = '4';
    hex[16] = "89ab"[hex[16] & 3];
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

static void crash_point(struct world *world, uint64_t attempt, enum crash_point point)
{
    /* `sent` strikes inside the doors, where it is known that the server acted. */
    if (point != CRASH_SENT)
        sim_crash(sim_of(world), attempt, point);
}

static void drop_connections(struct world *world)
{
    (void)world;
}

static void sim_free(struct world *world)
{
    sim_close(sim_of(world));
}

const struct world_ops sim_ops = {
    .turn = turn,
    .free = sim_free,
    .now_ms = now_ms,
    .mono_ms = now_ms,
    .timer_start = start_timer,
    .timer_stop = stop_timer,
    .watch_signals = watch_signals,
    .random = random_bytes,
    .crash_point = crash_point,
    .exchange_start = sim_exchange_start,
    .exchange_cancel = sim_exchange_cancel,
    .drop_connections = drop_connections,
    .process_start = sim_process_start,
    .process_cancel = sim_process_cancel,
    .stat = sim_disk_stat,
    .read = sim_disk_read,
    .write = sim_disk_write,
    .remove = sim_disk_remove,
    .make_folder = sim_disk_make_folder,
    .rename = sim_disk_rename,
    .list = sim_disk_list,
    .open = sim_file_open,
    .append = sim_file_append,
    .sync = sim_file_sync,
    .reserve = sim_file_reserve,
    .truncate = sim_file_truncate,
    .lock = sim_file_lock,
    .close = sim_file_close,
    .open_read = sim_reader_open,
    .file_stat = sim_reader_stat,
    .read_at = sim_reader_read,
};
