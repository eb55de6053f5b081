/* Which proxy a URL goes by: the variables that curl and botocore read, in lower case before upper case. */
#include "aws/config_inside.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One that is set to nothing in lower case takes the upper case one away. */
static const char *variable(const struct aws_config *config, const char *lower, const char *upper)
{
    const char *value = aws_config_env_raw(config, lower);

    if (value)
        return value[0] ? value : NULL;
    return aws_config_env(config, upper);
}

/* "example.com" and ".example.com" mean that host and all below it; "host:port" that port alone. */
static bool entry_covers(struct view entry, struct view host, int port)
{
    char text[16];
    size_t colon = entry.len;

    for (size_t i = 0; i < entry.len; i++)
        if (entry.ptr[i] == ':' && colon == entry.len)
            colon = i;
    snprintf(text, sizeof(text), ":%d", port);
    if (colon < entry.len && view_is((struct view){entry.ptr + colon, entry.len - colon}, text))
        entry.len = colon;
    while (entry.len && entry.ptr[0] == '.')
        entry.ptr++, entry.len--;
    if (!entry.len || entry.len > host.len)
        return false;
    const char *tail = host.ptr + host.len - entry.len;
    return strncasecmp(tail, entry.ptr, entry.len) == 0 && (entry.len == host.len || tail[-1] == '.');
}

static bool goes_direct(const char *list, const struct url *url)
{
    while (*list) {
        size_t len = strcspn(list, ",");
        struct view entry = {list, len};

        while (entry.len && strchr(" \t", entry.ptr[0]))
            entry.ptr++, entry.len--;
        while (entry.len && strchr(" \t", entry.ptr[entry.len - 1]))
            entry.len--;
        if (view_is(entry, "*") || entry_covers(entry, url->host, url->port))
            return true;
        list += len + (list[len] == ',');
    }
    return false;
}

const char *aws_config_proxy(const struct aws_config *config, const char *text)
{
    struct err ignored = ERR_INIT;
    const char *proxy, *direct = variable(config, "no_proxy", "NO_PROXY");
    struct url url;

    if (url_parse(view_of(text), &url, &ignored) != 0)
        return NULL;
    proxy = url.scheme.len == 5 ? variable(config, "https_proxy", "HTTPS_PROXY")
                                : variable(config, "http_proxy", "HTTP_PROXY");
    return proxy && !(direct && goes_direct(direct, &url)) ? proxy : NULL;
}
