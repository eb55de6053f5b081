#include "aws/credentials.h"

#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

static void text_wipe(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

void aws_identity_clear(struct aws_identity *identity)
{
    text_wipe(identity->access_key);
    text_wipe(identity->secret_key);
    text_wipe(identity->session_token);
    free(identity->account);
    *identity = (struct aws_identity){0};
}
