/* The public face: a whole sandbox with its cluster. */
#include "sandbox_core.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(sandbox_new_says_what_is_wrong_with_faults)
{
    const char *const faults[] = {"3:laet", NULL};
    struct sandbox_options options = {.seed = 1, .target = "t", .faults = faults};
    struct err err = ERR_INIT;

    CHECK(!sandbox_new(&options, &err));
    CHECK(err.kind == ERR_USAGE && strstr(err.message, "\"laet\"") && strstr(err.message, "reset-before, reset-after"));
}

TEST(sandbox_kubeconfig_leads_to_the_cluster)
{
    struct sandbox_options options = {.seed = 1, .target = "t"};
    struct err err = ERR_INIT;
    struct world *world = sandbox_new(&options, &err);
    struct doc *config, *left = doc_array();
    struct sim_message message;
    struct sim_server *server;

    REQUIRE(world);
    config = sandbox_kubeconfig(world);
    CHECK_TEXT(doc_path_text(config, "current-context", NULL), "sandbox");
    CHECK_INT(sim_message_init(&message, "GET", doc_path_text(config, "clusters", "0", "cluster", "server", NULL), NULL,
                               0, VIEW_LITERAL(""), &err),
              0);
    server = sim_route((struct sim *)(void *)world, &message.request);
    CHECK_TEXT(server ? server->name : "none", "kube");
    CHECK_INT(sandbox_faults_left(world, left), 0);
    CHECK(!sandbox_crash_wrong(world));
    sim_message_clear(&message);
    doc_unref(config);
    doc_unref(left);
    world_free(world);
}

TEST(sandbox_needs_a_folder_that_is_its_own)
{
    char *folder = folder_new(), *blocked = mem_printf("%s/file/below", folder);
    struct sandbox_options options = {.seed = 1, .folder = blocked};
    struct err err = ERR_INIT;
    char *path = mem_printf("%s/file", folder);
    FILE *file = fopen(path, "w");

    fclose(file);
    CHECK(!sandbox_new(&options, &err));
    CHECK(err.kind == ERR_SERVER && strstr(err.message, path));
    free(path);
    free(blocked);
    folder_remove(folder);
}
