#include "world/real_curl.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static struct real_curl table;
static bool opened;

static const struct {
    const char *name;
    size_t offset;
} symbols[] = {
    {"curl_global_init", offsetof(struct real_curl, global_init)},
    {"curl_easy_init", offsetof(struct real_curl, easy_init)},
    {"curl_easy_setopt", offsetof(struct real_curl, easy_setopt)},
    {"curl_easy_getinfo", offsetof(struct real_curl, easy_getinfo)},
    {"curl_easy_strerror", offsetof(struct real_curl, easy_strerror)},
    {"curl_easy_cleanup", offsetof(struct real_curl, easy_cleanup)},
    {"curl_multi_init", offsetof(struct real_curl, multi_init)},
    {"curl_multi_setopt", offsetof(struct real_curl, multi_setopt)},
    {"curl_multi_add_handle", offsetof(struct real_curl, multi_add_handle)},
    {"curl_multi_remove_handle", offsetof(struct real_curl, multi_remove_handle)},
    {"curl_multi_socket_action", offsetof(struct real_curl, multi_socket_action)},
    {"curl_multi_assign", offsetof(struct real_curl, multi_assign)},
    {"curl_multi_info_read", offsetof(struct real_curl, multi_info_read)},
    {"curl_multi_cleanup", offsetof(struct real_curl, multi_cleanup)},
    {"curl_slist_append", offsetof(struct real_curl, slist_append)},
    {"curl_slist_free_all", offsetof(struct real_curl, slist_free_all)},
    {"curl_url", offsetof(struct real_curl, url)},
    {"curl_url_set", offsetof(struct real_curl, url_set)},
    {"curl_url_get", offsetof(struct real_curl, url_get)},
    {"curl_url_cleanup", offsetof(struct real_curl, url_cleanup)},
    {"curl_free", offsetof(struct real_curl, free)},
};

const struct real_curl *real_curl_open(struct err *err)
{
    if (opened)
        return &table;
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        err_set(err, ERR_INTERNAL, "libcurl cannot be opened: %s", dlerror());
        return NULL;
    }
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        void *symbol = dlsym(library, symbols[i].name);

        if (!symbol) {
            err_set(err, ERR_INTERNAL, "this machine's libcurl lacks %s", symbols[i].name);
            return NULL;
        }
        memcpy((char *)&table + symbols[i].offset, &symbol, sizeof(symbol));
    }
    if (table.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, ERR_INTERNAL, "libcurl cannot be started");
        return NULL;
    }
    opened = true;
    return &table;
}
