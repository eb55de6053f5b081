#include "aws_asker.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

static const char *or_dash(const char *text)
{
    return text ? text : "-";
}

static void told(void *ctx, const struct aws_identity *identity, const struct err *err)
{
    struct asker *asker = ctx;

    asker->told++;
    free(asker->got);
    asker->got = NULL;
    asker->err = err ? *err : ERR_INIT;
    if (identity)
        asker->got =
            mem_printf("%s/%s/%s/%s/%lld", identity->access_key, identity->secret_key, or_dash(identity->session_token),
                       or_dash(identity->account), (long long)identity->expires_ms);
    CHECK(!identity == (err != NULL));
}

void asker_init(struct asker *asker)
{
    *asker = (struct asker){.status = 200};
    aws_world_init(&asker->world);
    asker->world.ctx = asker;
}

void asker_clear(struct asker *asker)
{
    aws_credentials_free(asker->credentials);
    free(asker->got);
    free(asker->seen);
    aws_world_clear(&asker->world);
}

void asker_again(struct asker *asker, const char *profile, const char *role)
{
    aws_credentials_free(asker->credentials);
    asker->credentials = NULL;
    if (aws_world_config(&asker->world, profile, NULL)) {
        aws_transport_init(&asker->transport, &asker->world.base, asker->world.http, asker->world.config);
        asker->credentials = aws_credentials_new(&asker->transport, aws_table_builtin(), role);
    }
}

void asker_credentials(struct asker *asker)
{
    if (!asker->credentials)
        asker_again(asker, NULL, NULL);
}

void asker_ask(struct asker *asker, bool refused)
{
    int before = asker->told;

    asker_credentials(asker);
    REQUIRE(asker->credentials);
    aws_credentials_get(asker->credentials, refused, told, asker);
    aws_world_run(&asker->world);
    CHECK_INT(asker->told, before + 1);
}

void asker_share(struct asker *asker, struct asker *other, bool refused)
{
    if (asker != other)
        *asker = (struct asker){0};
    asker->wait = aws_credentials_get(other->credentials, refused, told, asker);
}
