#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn static void out_of_memory(void)
{
    static const char text[] = "dosrun: out of memory; the journal is whole, go on with `dosrun resume`\n";

    fputs(text, stderr);
    abort();
}

void *mem_alloc(size_t size)
{
    void *ptr = calloc(1, size ? size : 1);

    if (!ptr)
        out_of_memory();
    return ptr;
}

void *mem_array(size_t count, size_t size)
{
    void *ptr = calloc(count ? count : 1, size ? size : 1); /* calloc checks the product */

    if (!ptr)
        out_of_memory();
    return ptr;
}

void *mem_grow(void *ptr, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes))
        out_of_memory();
    ptr = realloc(ptr, bytes ? bytes : 1);
    if (!ptr)
        out_of_memory();
    return ptr;
}

char *mem_text(const char *text)
{
    return text ? mem_view(view_of(text)) : NULL;
}

char *mem_view(struct view view)
{
    char *copy = mem_grow(NULL, view.len + 1, 1);

    if (view.len)
        memcpy(copy, view.ptr, view.len);
    copy[view.len] = '\0';
    return copy;
}

char *mem_printf(const char *format, ...)
{
    struct buf buf;
    va_list args;

    buf_init(&buf, SIZE_MAX);
    va_start(args, format);
    buf_vaddf(&buf, format, args);
    va_end(args);
    return buf_take(&buf);
}
