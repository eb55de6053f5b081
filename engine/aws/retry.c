/*
 * Retries as configured: standard mode's attempts and quota, and for adaptive mode a pace of each service in a region,
 * where botocore has one of each client.
 */
#include "aws/config_inside.h"
#include "aws/transfer.h"
#include "base/list.h"

#include <stdlib.h>
#include <string.h>

enum {
    ATTEMPTS = 3, /* of botocore's standard mode, with its quota */
    QUOTA = 500,
    QUOTA_RETRY = 5,
    QUOTA_TIMEOUT = 10,
};

struct pace {
    struct list link;
    char *name; /* "ec2 eu-central-1" */
    struct http_pace http;
};

int aws_retry_attempts(const struct aws_config *config, int asked)
{
    const char *text = aws_config_env(config, "AWS_MAX_ATTEMPTS");
    long count;

    if (asked)
        return asked;
    if (!text)
        text = aws_config_get(config, aws_config_profile(config), "max_attempts");
    count = text ? strtol(text, NULL, 10) : 0;
    return count > 0 && count < 100 ? (int)count : ATTEMPTS;
}

int aws_retry_mode(const struct aws_config *config, bool *adaptive, struct err *err)
{
    const char *variable = aws_config_env(config, "AWS_RETRY_MODE");
    const char *mode = variable ? variable : aws_config_get(config, NULL, "retry_mode");

    *adaptive = mode && strcmp(mode, "adaptive") == 0;
    if (!mode || *adaptive || strcmp(mode, "standard") == 0 || strcmp(mode, "legacy") == 0)
        return 0;
    return aws_config_error(config, aws_config_profile(config), variable ? NULL : "retry_mode", err,
                            "%s is \"%s\": it can be standard or adaptive", variable ? "AWS_RETRY_MODE" : "retry_mode",
                            mode);
}

struct http_pace *aws_retry_pace(struct aws_transport *transport, const char *service, const char *region)
{
    struct pace *pace;
    char *name;

    if (!transport->adaptive)
        return NULL;
    name = mem_printf("%s %s", service, region);
    LIST_EACH(at, &transport->paces)
    {
        pace = LIST_OF(at, struct pace, link);
        if (strcmp(pace->name, name) == 0) {
            free(name);
            return &pace->http;
        }
    }
    pace = mem_alloc(sizeof(*pace));
    pace->name = name;
    http_pace_init(&pace->http, world_now_ms(transport->world));
    list_add_tail(&transport->paces, &pace->link);
    return &pace->http;
}

void aws_transport_init(struct aws_transport *transport, struct world *world, struct http *http,
                        const struct aws_config *config)
{
    struct err unsaid = ERR_INIT; /* said by the transfers */

    *transport = (struct aws_transport){
        .world = world,
        .http = http,
        .config = config,
        .tls = {.ca_file = aws_config_ca_bundle(config)},
        .quota = {QUOTA, QUOTA, QUOTA_RETRY, QUOTA_TIMEOUT},
    };
    list_init(&transport->paces);
    if (aws_retry_mode(config, &transport->adaptive, &unsaid) != 0)
        err_clear(&unsaid);
}

void aws_transport_clear(struct aws_transport *transport)
{
    doc_unref(transport->buckets);
    while (!list_empty(&transport->paces)) {
        struct pace *pace = LIST_OF(transport->paces.next, struct pace, link);

        list_remove(&pace->link);
        free(pace->name);
        free(pace);
    }
}
