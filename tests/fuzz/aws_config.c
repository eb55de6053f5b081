/* Any text as ~/.aws/config and as ~/.aws/credentials: it is loaded or refused with a code; then everything is asked.
 */
#include "aws/config_inside.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct world world;
    struct view text;
    bool credentials;
};

static int read_input(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    struct input *input = (struct input *)world;
    bool credentials = strstr(path, "credentials") != NULL;

    if (credentials != input->credentials || input->text.len > max)
        return err_set(err, ERR_MISSING, "%s: no such file", path);
    buf_add_view(out, input->text);
    return 0;
}

static void ask(const struct aws_config *config, bool credentials)
{
    struct aws_identity identity = {0};
    struct err err = ERR_INIT;
    char **words = words_split(view_of(aws_config_get(config, NULL, "credential_process")), &err);
    int line = 0, result;

    words_free(words);
    err_clear(&err);
    result = aws_config_keys(config, credentials, aws_config_profile(config), &identity, &line, &err);
    if (result == 0 ? !identity.access_key[0] || !identity.secret_key[0] || line < 1 : result < 0 && !err.explain[0])
        abort();
    aws_identity_clear(&identity);
    if (aws_config_get(config, NULL, "aws_secret_access_key") &&
        aws_config_get(config, NULL, "aws_secret_access_key")[0])
        abort(); /* it is not kept */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct world_ops ops = {.read = read_input};
    static const char *const profiles[] = {NULL, "a"};
    struct input input = {.world = {.ops = &ops}, .text = {(const char *)data, size}};

    for (size_t i = 0; i < 4; i++) {
        struct aws_config_options options = {.home = "/h", .profile = profiles[i / 2]};
        struct err err = ERR_INIT;
        struct aws_config *config;

        input.credentials = i % 2 != 0;
        config = aws_config_load(&input.world, &options, &err);
        if (config)
            ask(config, input.credentials);
        else if (!err.explain[0])
            abort();
        aws_config_free(config);
    }
    return 0;
}
