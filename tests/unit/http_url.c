#include "unit.h"

#include "http/http.h"

#include <stdio.h>
#include <string.h>

TEST(url_parts)
{
    static const struct {
        const char *text, *parts; /* scheme|host|port|path|query */
    } cases[] = {
        {"https://host", "https|host|443|/|"},
        {"http://host", "http|host|80|/|"},
        {"https://Host.example:6443/a/b?c=d&e=%20", "https|Host.example|6443|/a/b|c=d&e=%20"},
        {"https://host?q", "https|host|443|/|q"},
        {"https://host/?", "https|host|443|/|"},
        {"https://[::1]:8443/x", "https|::1|8443|/x|"},
        {"https://[fe80::1]/", "https|fe80::1|443|/|"},
        {"https://host/a:b@c/../d//?x=/?:", "https|host|443|/a:b@c/../d//|x=/?:"},
        {"socks5://127.0.0.1:1080", "socks5|127.0.0.1|1080|/|"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = ERR_INIT;
        struct url url;
        char parts[256] = "";

        CHECK_INT(url_parse(view_of(cases[i].text), &url, &err), 0);
        CHECK_TEXT(err.message, "");
        snprintf(parts, sizeof(parts), "%.*s|%.*s|%d|%.*s|%.*s", (int)url.scheme.len, url.scheme.ptr, (int)url.host.len,
                 url.host.ptr, url.port, (int)url.path.len, url.path.ptr, (int)url.query.len, url.query.ptr);
        CHECK_TEXT(parts, cases[i].parts);
    }
}

TEST(url_refused)
{
    static const char *const cases[] = {
        "",
        "host",
        "/path",
        "https:/host",
        "://host",
        "https://",
        "https:///x",
        "https://:80/",
        "https://host:/",
        "https://host:0/",
        "https://host:x/",
        "https://host:65536/",
        "https://host:99999999999999",
        "https://u@host/",
        "https://u:p@host/",
        "https://host/a b",
        "https://host/\n",
        "https://host/\x7f",
        "https://host/ü",
        "https://host/#top",
        "https://[::1",
        "https://[::1]x/",
        "https://[]/",
        "https://ho%73t/",
        "https://host\\x/",
        " https://host/",
        "https://ho,st/",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = ERR_INIT;
        struct url url;

        if (url_parse(view_of(cases[i]), &url, &err) == 0 || err.kind != ERR_USAGE || !err.message[0])
            unit_fail(__FILE__, __LINE__, "\"%s\" was taken", cases[i]);
    }
    struct err err = ERR_INIT;
    struct url url;
    CHECK(url_parse((struct view){"https://host/\0x", 15}, &url, &err) < 0);
}

TEST(url_escape_leaves_only_the_unreserved)
{
    struct buf out;

    buf_init(&out, 1024);
    url_escape(&out, (struct view){"aZ09-._~ /?&=%\0\xff", 16});
    CHECK_TEXT(buf_text(&out), "aZ09-._~%20%2F%3F%26%3D%25%00%FF");
    buf_free(&out);
}
