#pragma once
/* Bytes: views that never own, buffers with a maximum from birth. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const char *ptr; /* not NUL terminated */
    size_t len;
};

#define VIEW_LITERAL(text) ((struct view){text, sizeof(text) - 1})

struct view view_of(const char *text); /* NULL gives an empty view */
bool view_equal(struct view a, struct view b);
bool view_is(struct view a, const char *text);
bool view_starts(struct view text, const char *prefix);

/*
 * A growing byte string. ptr[len] is always '\0' once anything was added (never counted).
 * An addition beyond max is dropped whole and sets `over`; out of memory aborts.
 */
struct buf {
    char *ptr;
    size_t len, cap, max;
    bool over;
};

void buf_init(struct buf *buf, size_t max);
void buf_free(struct buf *buf); /* accepts a cleared or initialised one; leaves it initialised */
void buf_reset(struct buf *buf); /* empty, memory kept, `over` cleared */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_view(struct buf *buf, struct view view);
void buf_add_char(struct buf *buf, char c);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *buf, const char *format, va_list args);
void buf_remove_front(struct buf *buf, size_t len);
struct view buf_view(const struct buf *buf);
const char *buf_text(const struct buf *buf); /* "" for an empty one */
char *buf_take(struct buf *buf);             /* moves the NUL terminated bytes out; free() them */

/* Memory that never fails: out of memory prints one line and aborts. */
void *mem_alloc(size_t size); /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed; count * size checked */
void *mem_grow(void *ptr, size_t count, size_t size); /* realloc; new part not zeroed */
char *mem_text(const char *text);             /* copy; NULL stays NULL */
char *mem_view(struct view view);             /* NUL terminated copy */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
