#pragma once
/* Somebody who asks for credentials in a world of the tests, and what came of it. */
#include "aws/transfer.h"
#include "aws_world.h"

struct asker {
    struct aws_world world; /* unused by those who share another's */
    struct aws_transport transport;
    struct aws_credentials *credentials;
    struct aws_wait *wait;
    int told;
    char *got; /* "ACCESS/SECRET/TOKEN/ACCOUNT/EXPIRES", "-" for what is not there; NULL: an error */
    struct err err;

    /* For servers of the tests. */
    int status, role_status;
    bool silent;
    const char *body;
    char *seen;
};

void asker_init(struct asker *asker); /* status is 200 */
void asker_clear(struct asker *asker);
void asker_credentials(struct asker *asker); /* loads the configuration, makes them; asker_ask does it by itself */
void asker_again(struct asker *asker, const char *profile, const char *role); /* from the start */
void asker_ask(struct asker *asker, bool refused); /* until nothing is left to come */
/* Asks with another's credentials and does not wait. */
void asker_share(struct asker *asker, struct asker *other, bool refused);
