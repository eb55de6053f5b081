#include "base/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const NAMES[] = {
    [ERR_NONE] = "none",
    [ERR_USAGE] = "usage",
    [ERR_AUTH] = "auth",
    [ERR_DENIED] = "denied",
    [ERR_MISSING] = "missing",
    [ERR_CONFLICT] = "conflict",
    [ERR_THROTTLED] = "throttled",
    [ERR_QUOTA] = "quota",
    [ERR_NETWORK] = "network",
    [ERR_TIMEOUT] = "timeout",
    [ERR_UNKNOWN_OUTCOME] = "unknown-outcome",
    [ERR_CANCELLED] = "cancelled",
    [ERR_SERVER] = "server",
    [ERR_INTERNAL] = "internal",
};
enum { NAME_COUNT = sizeof(NAMES) / sizeof(NAMES[0]) };

/* Ends a text that was cut to size - 1 bytes in "...", never inside a UTF-8 character. */
static void mark_cut(char *text, size_t size)
{
    size_t end = size - 4;

    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, "...", 4);
}

static void format_message(char *text, size_t size, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static void format_message(char *text, size_t size, const char *format, va_list args)
{
    int len = vsnprintf(text, size, format, args);

    if (len >= 0 && (size_t)len >= size)
        mark_cut(text, size);
}

static void trim_line_end(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        text[--len] = '\0';
}

void err_clear(struct err *err)
{
    *err = ERR_INIT;
}

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    char message[sizeof(err->message)];
    va_list args;

    /* Formatted aside: an argument may be the old message. */
    va_start(args, format);
    format_message(message, sizeof(message), format, args);
    va_end(args);
    err_clear(err);
    err->kind = kind;
    memcpy(err->message, message, sizeof(message));
    trim_line_end(err->message);
    return -1;
}

int err_context(struct err *err, const char *format, ...)
{
    char front[sizeof(err->message)];
    size_t front_len, len = strlen(err->message);
    const size_t size = sizeof(err->message);
    va_list args;

    va_start(args, format);
    format_message(front, sizeof(front), format, args);
    va_end(args);
    front_len = strlen(front);
    if (front_len > size / 2) { /* the deeper half of the story matters as much */
        front_len = size / 2;
        front[front_len] = '\0';
        mark_cut(front, front_len + 1);
        front_len = strlen(front);
    }
    if (front_len + 2 + len < size) {
        memmove(err->message + front_len + 2, err->message, len + 1);
    } else {
        memmove(err->message + front_len + 2, err->message, size - front_len - 3);
        err->message[size - 1] = '\0';
        mark_cut(err->message, size);
    }
    memcpy(err->message, front, front_len);
    memcpy(err->message + front_len, ": ", 2);
    return -1;
}

void err_explain(struct err *err, const char *code)
{
    if (!err->explain[0])
        snprintf(err->explain, sizeof(err->explain), "%s", code);
}

const char *err_kind_name(enum err_kind kind)
{
    return (unsigned)kind < NAME_COUNT ? NAMES[kind] : NAMES[ERR_INTERNAL];
}

enum err_kind err_kind_from_name(const char *name)
{
    for (unsigned i = 0; name && i < NAME_COUNT; i++) {
        if (strcmp(NAMES[i], name) == 0)
            return (enum err_kind)i;
    }
    return ERR_INTERNAL;
}
