/* curl's multi interface on the loop: it names the sockets and the one timeout that it wants watched. */
#include "world/real_net.h"

#include <assert.h>
#include <stdlib.h>

struct socket_watch {
    uv_poll_t poll;
    struct real_pool *pool;
    curl_socket_t fd;
};

static void pool_collect(struct real_pool *pool)
{
    const struct real_curl *curl = pool->real->net->curl;
    struct CURLMsg *message;
    int left;

    /* An end may cancel another exchange whose message waits here: it is dead then, the pump frees it. */
    while ((message = curl->multi_info_read(pool->multi, &left)) != NULL) {
        struct real_exchange *exchange = NULL;
        CURLcode code = message->data.result;

        curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        if (!exchange->dead)
            real_exchange_done(exchange, code);
    }
}

static void socket_ready(uv_poll_t *poll, int status, int events)
{
    struct socket_watch *watch = poll->data;
    struct real_pool *pool = watch->pool;
    int flags = 0, running;

    if (status < 0) /* curl learns by reading what is wrong, and says it better than "select error" */
        flags = CURL_CSELECT_IN | CURL_CSELECT_OUT;
    if (events & UV_READABLE)
        flags |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        flags |= CURL_CSELECT_OUT;
    pool->real->net->curl->multi_socket_action(pool->multi, watch->fd, flags, &running);
    pool_collect(pool);
}

static void timer_due(uv_timer_t *timer)
{
    struct real_pool *pool = timer->data;
    int running;

    real_timer_came(timer);
    pool->real->net->curl->multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    pool_collect(pool);
}

static int timer_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
    struct real_pool *pool = ctx;

    (void)multi;
    if (timeout_ms < 0) {
        uv_timer_stop(&pool->timer);
    } else {
        uv_update_time(&pool->real->loop);
        uv_timer_start(&pool->timer, timer_due, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

static void watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *assigned)
{
    struct real_pool *pool = ctx;
    struct socket_watch *watch = assigned;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            uv_poll_stop(&watch->poll);
            uv_close((uv_handle_t *)&watch->poll, watch_closed);
            pool->real->net->curl->multi_assign(pool->multi, fd, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = mem_alloc(sizeof(*watch));
        watch->pool = pool;
        watch->fd = fd;
        if (uv_poll_init_socket(&pool->real->loop, &watch->poll, fd) != 0) {
            free(watch);
            return -1;
        }
        watch->poll.data = watch;
        pool->real->net->curl->multi_assign(pool->multi, fd, watch);
    }
    uv_poll_start(&watch->poll, (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  socket_ready);
    return 0;
}

struct real_pool *real_pool_get(struct real *real)
{
    struct real_net *net = real->net;

    if (net->current)
        return net->current;
    struct real_pool *pool = mem_alloc(sizeof(*pool));
    pool->real = real;
    pool->multi = net->curl->multi_init();
    assert(pool->multi);
    uv_timer_init(&real->loop, &pool->timer);
    pool->timer.data = pool;
    net->curl->multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    net->curl->multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
    net->curl->multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
    net->curl->multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
    net->curl->multi_setopt(pool->multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    list_add_tail(&net->pools, &pool->link);
    net->current = pool;
    return pool;
}

static void pool_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void real_pool_free(struct real_pool *pool)
{
    pool->real->net->curl->multi_cleanup(pool->multi);
    list_remove(&pool->link);
    uv_close((uv_handle_t *)&pool->timer, pool_closed);
}

void real_pool_leave(struct real_exchange *exchange)
{
    struct real_pool *pool = exchange->pool;

    if (!pool)
        return;
    pool->real->net->curl->multi_remove_handle(pool->multi, exchange->easy);
    pool->exchanges--;
    exchange->pool = NULL;
}

void real_drop_connections(struct world *world)
{
    struct real_net *net = real_of(world)->net;

    if (!net || !net->current)
        return;
    net->current->retired = true;
    net->current = NULL;
}
