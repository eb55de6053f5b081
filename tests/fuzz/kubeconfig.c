/* Any text as a kubeconfig: it is loaded or refused with a code, and nothing but files are looked at. */
#include "kube/kube.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct world world;
    struct view text;
};

static int read_input(struct world *world, const char *path, size_t max, struct buf *out, struct err *err)
{
    struct input *input = (struct input *)world;

    if (strcmp(path, "/kubeconfig") == 0 && input->text.len <= max)
        buf_add_view(out, input->text);
    else if (strstr(path, "missing"))
        return err_set(err, ERR_MISSING, "%s: no such file", path);
    else
        buf_add_text(out, "-----BEGIN CERTIFICATE-----\n");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct world_ops ops = {.read = read_input};
    static const char *const contexts[] = {NULL, "a"};
    struct input input = {.world = {.ops = &ops}, .text = {(const char *)data, size}};

    for (size_t i = 0; i < 2; i++) {
        struct kube_config_options options = {.kubeconfig = "/kubeconfig", .context = contexts[i]};
        struct err err = ERR_INIT;
        struct kube_config *config = kube_config_load(&input.world, &options, &err);

        if (config ? !kube_config_server(config)[0] || !kube_config_source(config)[0] : !err.explain[0])
            abort();
        kube_config_free(config);
    }
    return 0;
}
