/*
 * Asks for credentials as its environment says, over the real doors; what came is one line of JSON each on stdout.
 *
 * usage: conformance_aws [--profile NAME] [--role ARN] [STEP...]
 *   ask       {"access_key", "source", "expires"} or {"error", "code"}
 *   ask=N     N at once; one line for each
 *   refused   the last ones were refused
 *   wait=MS   lets the loop run for so long
 * Without a step: ask.
 */
#include "aws/transfer.h"
#include "codec/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct asking {
    struct aws_credentials *credentials;
    int left;
    bool waited;
};

static const char *env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static void print(const struct doc *doc)
{
    struct buf text;

    buf_init(&text, 1 << 20);
    json_add(&text, doc, JSON_COMPACT);
    puts(buf_text(&text));
    fflush(stdout);
    buf_free(&text);
}

static void print_error(const struct err *err)
{
    struct doc *doc = doc_object();

    doc_set_text(doc, "error", err->message);
    doc_set_text(doc, "code", err->explain);
    print(doc);
    doc_unref(doc);
}

static void told(void *ctx, const struct aws_identity *identity, const struct err *err)
{
    struct asking *asking = ctx;
    struct doc *doc;

    asking->left--;
    if (err) {
        print_error(err);
        return;
    }
    doc = doc_object();
    doc_set_text(doc, "access_key", identity->access_key);
    doc_set_text(doc, "account", identity->account);
    doc_set_text(doc, "source", aws_credentials_source(asking->credentials));
    doc_set_int(doc, "expires", identity->expires_ms);
    print(doc);
    doc_unref(doc);
}

static void wait_over(void *ctx)
{
    ((struct asking *)ctx)->waited = true;
}

static int step(struct world *world, struct asking *asking, const char *word)
{
    const char *number = strchr(word, '=');

    if (strncmp(word, "wait=", 5) == 0) {
        asking->waited = false;
        timer_start(world, atoll(number + 1), wait_over, asking);
        while (!asking->waited && world_turn(world))
            ;
        return 0;
    }
    if (strcmp(word, "ask") != 0 && strncmp(word, "ask=", 4) != 0 && strcmp(word, "refused") != 0)
        return -1;
    asking->left = number ? (int)atoll(number + 1) : 1;
    for (int i = asking->left; i > 0; i--)
        aws_credentials_get(asking->credentials, word[0] == 'r', told, asking);
    while (asking->left && world_turn(world))
        ;
    return 0;
}

int main(int argc, char **argv)
{
    struct world *world = world_real_new();
    struct http *http = http_new(world, NULL);
    struct aws_config_options options = {.env = env, .home = getenv("HOME")};
    struct aws_transport transport;
    struct asking asking = {0};
    struct aws_config *config;
    struct err err = ERR_INIT;
    const char *role = NULL;
    int at = 1, result = 0;

    for (; at + 1 < argc && strncmp(argv[at], "--", 2) == 0; at += 2)
        if (strcmp(argv[at], "--profile") == 0)
            options.profile = argv[at + 1];
        else
            role = argv[at + 1];
    config = aws_config_load(world, &options, &err);
    if (config) {
        aws_transport_init(&transport, world, http, config);
        asking.credentials = aws_credentials_new(&transport, aws_table_builtin(), role);
        if (at == argc)
            result = step(world, &asking, "ask");
        for (; at < argc && result == 0; at++)
            result = step(world, &asking, argv[at]);
        aws_credentials_free(asking.credentials);
    } else {
        print_error(&err);
    }
    aws_config_free(config);
    http_free(http);
    world_free(world);
    return result == 0 ? 0 : 64;
}
