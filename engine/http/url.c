#include "http/call.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 255 };

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static struct view view_from(struct view text, size_t start, size_t end)
{
    return (struct view){text.ptr + start, end - start};
}

/* The first place at or after start that holds one of the bytes, else the end. */
static size_t find_any(struct view text, size_t start, const char *bytes)
{
    while (start < text.len && !strchr(bytes, text.ptr[start]))
        start++;
    return start;
}

/* Errors never quote the URL: a secret may have been put into it. */
static int bytes_check(struct view text, struct err *err)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c))
            return err_set(err, ERR_USAGE, "byte %zu of the URL must be percent-encoded", i + 1);
        if (c == '#')
            return err_set(err, ERR_USAGE, "the URL has a fragment (#), which is never sent");
    }
    return 0;
}

static int port_parse(struct view text, int *port, struct err *err)
{
    *port = 0;
    for (size_t i = 0; i < text.len && *port <= 65535; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return err_set(err, ERR_USAGE, "the URL's port is not a number");
        *port = *port * 10 + (text.ptr[i] - '0');
    }
    if (*port < 1 || *port > 65535)
        return err_set(err, ERR_USAGE, "the URL's port is not between 1 and 65535");
    return 0;
}

/* host, host:port, [address], [address]:port */
static int authority_parse(struct view text, struct url *url, struct err *err)
{
    bool bracket = text.len && text.ptr[0] == '[';
    size_t end;

    if (memchr(text.ptr, '@', text.len))
        return err_set(err, ERR_USAGE, "the URL holds user information; credentials go into headers");
    if (bracket) {
        end = find_any(text, 0, "]");
        url->host = view_from(text, 1, end);
        if (end == text.len)
            return err_set(err, ERR_USAGE, "the URL's address lacks its \"]\"");
        end++;
    } else {
        end = find_any(text, 0, ":");
        url->host = view_from(text, 0, end);
    }
    if (!url->host.len || url->host.len > HOST_MAX)
        return err_set(err, ERR_USAGE, "the URL names no host");
    for (size_t i = 0; i < url->host.len; i++)
        if (!is_alnum(url->host.ptr[i]) && !strchr(bracket ? ":." : "-._", url->host.ptr[i]))
            return err_set(err, ERR_USAGE, "the URL's host holds a byte that no host name has");
    if (end == text.len)
        return 0;
    if (text.ptr[end] != ':')
        return err_set(err, ERR_USAGE, "the URL's host is followed by something that is no port");
    return port_parse(view_from(text, end + 1, text.len), &url->port, err);
}

int url_parse(struct view text, struct url *url, struct err *err)
{
    size_t colon = 0, start, end;

    *url = (struct url){.path = VIEW_LITERAL("/")};
    if (bytes_check(text, err) != 0)
        return -1;
    while (colon < text.len && (is_alnum(text.ptr[colon]) || strchr("+-.", text.ptr[colon])))
        colon++;
    if (!colon || text.len - colon < 3 || memcmp(text.ptr + colon, "://", 3) != 0)
        return err_set(err, ERR_USAGE, "the URL does not begin with a scheme such as https://");
    url->scheme = view_from(text, 0, colon);
    if (url_scheme_is(url, "https"))
        url->port = 443;
    else if (url_scheme_is(url, "http"))
        url->port = 80;
    start = colon + 3;
    end = find_any(text, start, "/?");
    if (authority_parse(view_from(text, start, end), url, err) != 0)
        return -1;
    start = end;
    end = find_any(text, start, "?");
    if (end > start)
        url->path = view_from(text, start, end);
    url->query = end < text.len ? view_from(text, end + 1, text.len) : (struct view){"", 0};
    return 0;
}

bool url_scheme_is(const struct url *url, const char *scheme)
{
    return url->scheme.len == strlen(scheme) && strncasecmp(url->scheme.ptr, scheme, url->scheme.len) == 0;
}

bool url_is_loopback(const struct url *url)
{
    char host[HOST_MAX + 1];
    struct in_addr v4;
    struct in6_addr v6;

    memcpy(host, url->host.ptr, url->host.len);
    host[url->host.len] = '\0';
    /* RFC 6761, 6.3; libcurl asks nobody where those names are. */
    if (strcasecmp(host, "localhost") == 0 ||
        (url->host.len > 10 && strcasecmp(host + url->host.len - 10, ".localhost") == 0))
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool url_is_link_local(const struct url *url)
{
    char host[HOST_MAX + 1];
    struct in_addr v4;
    struct in6_addr v6;

    memcpy(host, url->host.ptr, url->host.len);
    host[url->host.len] = '\0';
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 16 == (169 << 8 | 254);
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return false;
    return IN6_IS_ADDR_LINKLOCAL(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 169 && v6.s6_addr[13] == 254);
}

/* IMDS; the agents of ECS and of EKS pod identity. */
bool url_is_metadata(const struct url *url)
{
    static const char *const hosts[] = {"169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23",
                                        "fd00:ec2::23"};

    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (view_is(url->host, hosts[i]))
            return true;
    return false;
}

void url_escape(struct buf *out, struct view text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~')
            buf_add_char(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned char)c);
    }
}
