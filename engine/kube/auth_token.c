/* Bearer tokens: one that stands in the kubeconfig, or a file that somebody else renews. */
#include "kube/inside.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A service account's token is rotated at 80 % of an hour; client-go reads its file as often as this. */
enum { REREAD_MS = 60000, TOKEN_MAX = 64 << 10 };

struct token {
    struct kube_auth auth;
    struct world *world;
    char *header, *path;
    int64_t read_ms; /* monotonic */
};

static void header_set(struct token *token, struct view text)
{
    struct buf header;

    while (text.len && isspace((unsigned char)text.ptr[text.len - 1]))
        text.len--;
    buf_init(&header, TOKEN_MAX + 16);
    buf_add_text(&header, "Bearer ");
    buf_add_view(&header, text);
    if (!token->header || strcmp(token->header, buf_text(&header)) != 0)
        token->auth.generation++;
    kube_secret_free(token->header);
    token->header = buf_take(&header);
}

/* The last content that could be read stays in use when the file is away for a moment. */
static int file_read(struct token *token, struct err *err)
{
    struct buf text;

    buf_init(&text, TOKEN_MAX);
    if (disk_read(token->world, token->path, TOKEN_MAX, &text, err) != 0) {
        buf_free(&text);
        if (token->header)
            return 0;
        err->kind = ERR_AUTH;
        return err_context(err, "token file %s", token->path);
    }
    header_set(token, buf_view(&text));
    secret_wipe(text.ptr, text.len);
    buf_free(&text);
    token->read_ms = world_mono_ms(token->world);
    return 0;
}

static void token_ready(struct kube_auth *auth, uint64_t refused, struct kube_auth_waiter *waiter)
{
    struct token *token = (struct token *)auth;
    struct err err = ERR_INIT;

    if (token->path &&
        (!token->header || (refused && refused >= auth->generation) ||
         world_mono_ms(token->world) - token->read_ms >= REREAD_MS) &&
        file_read(token, &err) != 0) {
        waiter->done(waiter, &err);
        return;
    }
    waiter->done(waiter, NULL);
}

static void token_add(struct kube_auth *auth, struct http_call *call)
{
    http_header_add(call, "Authorization", ((struct token *)auth)->header);
}

static void token_free(struct kube_auth *auth)
{
    struct token *token = (struct token *)auth;

    kube_secret_free(token->header);
    free(token->path);
    free(token);
}

static const struct kube_auth_ops TOKEN = {token_ready, token_add, token_free};

struct kube_auth *kube_auth_token_new(struct world *world, const struct kube_config *config)
{
    struct token *token = mem_alloc(sizeof(*token));

    token->auth.ops = &TOKEN;
    token->world = world;
    token->path = mem_text(config->token_file);
    if (config->token) /* with both, the file counts once it could be read */
        header_set(token, view_of(config->token));
    token->read_ms = INT64_MIN / 2;
    return &token->auth;
}
