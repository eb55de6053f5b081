#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct view view_of(const char *text)
{
    return (struct view){text ? text : "", text ? strlen(text) : 0};
}

bool view_equal(struct view a, struct view b)
{
    return a.len == b.len && (!a.len || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool view_is(struct view a, const char *text)
{
    return view_equal(a, view_of(text));
}

bool view_starts(struct view text, const char *prefix)
{
    size_t len = strlen(prefix);

    return text.len >= len && (!len || memcmp(text.ptr, prefix, len) == 0);
}

void buf_init(struct buf *buf, size_t max)
{
    *buf = (struct buf){.max = max};
}

void buf_free(struct buf *buf)
{
    free(buf->ptr);
    buf_init(buf, buf->max);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->over = false;
    if (buf->ptr)
        buf->ptr[0] = '\0';
}

/* Makes room for `len` more bytes and the NUL; false, with `over` set, when the maximum forbids it. */
static bool buf_reserve(struct buf *buf, size_t len)
{
    size_t need, cap;

    if (len > buf->max || buf->len > buf->max - len || __builtin_add_overflow(buf->len + len, 1, &need)) {
        buf->over = true;
        return false;
    }
    if (need <= buf->cap)
        return true;
    cap = buf->cap < SIZE_MAX / 2 ? buf->cap * 2 : need;
    if (cap < 64)
        cap = 64;
    if (buf->max < SIZE_MAX && cap > buf->max + 1)
        cap = buf->max + 1;
    if (cap < need)
        cap = need;
    buf->ptr = mem_grow(buf->ptr, cap, 1);
    buf->cap = cap;
    return true;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    if (!buf_reserve(buf, len))
        return;
    if (len)
        memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    buf->ptr[buf->len] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_view(struct buf *buf, struct view view)
{
    buf_add(buf, view.ptr, view.len);
}

void buf_add_char(struct buf *buf, char c)
{
    if (!buf_reserve(buf, 1))
        return;
    buf->ptr[buf->len++] = c;
    buf->ptr[buf->len] = '\0';
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vaddf(buf, format, args);
    va_end(args);
}

void buf_vaddf(struct buf *buf, const char *format, va_list args)
{
    char small[256];
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(small, sizeof(small), format, args);
    if (len < 0)
        abort(); /* only a wrong format or a wide character can do this */
    if ((size_t)len < sizeof(small)) {
        buf_add(buf, small, (size_t)len);
    } else if (buf_reserve(buf, (size_t)len)) {
        vsnprintf(buf->ptr + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    va_end(again);
}

void buf_remove_front(struct buf *buf, size_t len)
{
    if (len > buf->len)
        len = buf->len;
    if (!len)
        return;
    memmove(buf->ptr, buf->ptr + len, buf->len - len + 1);
    buf->len -= len;
}

struct view buf_view(const struct buf *buf)
{
    return (struct view){buf_text(buf), buf->len};
}

const char *buf_text(const struct buf *buf)
{
    return buf->ptr ? buf->ptr : "";
}

char *buf_take(struct buf *buf)
{
    char *text = buf->ptr ? buf->ptr : mem_alloc(1);

    buf_init(buf, buf->max);
    return text;
}
