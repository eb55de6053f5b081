#include "base/buf.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

TEST(views_compare_by_bytes)
{
    CHECK(view_is(view_of(NULL), ""));
    CHECK(view_equal((struct view){NULL, 0}, view_of("")));
    CHECK(!view_equal(view_of("a"), view_of("ab")));
    CHECK(view_equal(VIEW_LITERAL("a\0b"), VIEW_LITERAL("a\0b")));
    CHECK(!view_equal(VIEW_LITERAL("a\0b"), VIEW_LITERAL("a\0c")));
    CHECK(view_starts(view_of("abc"), "ab"));
    CHECK(view_starts(view_of("abc"), ""));
    CHECK(!view_starts(view_of("a"), "ab"));
}

TEST(buf_grows_and_is_terminated)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    CHECK_TEXT(buf_text(&buf), "");
    CHECK_INT(buf_view(&buf).len, 0);
    for (int i = 0; i < 1000; i++)
        buf_addf(&buf, "%d,", i % 10);
    CHECK_INT(buf.len, 2000);
    CHECK_INT(strlen(buf.ptr), 2000);
    buf_reset(&buf);
    CHECK_TEXT(buf_text(&buf), "");
    buf_add_text(&buf, "x");
    CHECK_TEXT(buf_text(&buf), "x");
    buf_free(&buf);
    buf_free(&buf);
    CHECK_INT(buf.max, SIZE_MAX);
}

TEST(buf_drops_whole_additions_beyond_its_maximum)
{
    struct buf buf;

    buf_init(&buf, 5);
    buf_add_text(&buf, "abc");
    buf_add_text(&buf, "def");
    CHECK(buf.over);
    CHECK_TEXT(buf_text(&buf), "abc");
    buf_add_text(&buf, "de");
    CHECK_TEXT(buf_text(&buf), "abcde");
    buf_addf(&buf, "%s", "f");
    CHECK_TEXT(buf_text(&buf), "abcde");
    buf_reset(&buf);
    CHECK(!buf.over);
    buf_addf(&buf, "%0300d", 1);
    CHECK(buf.over);
    CHECK_INT(buf.len, 0);
    buf_free(&buf);
    buf_init(&buf, 0);
    buf_add_char(&buf, 'x');
    CHECK(buf.over);
    buf_add_text(&buf, "");
    CHECK_TEXT(buf_text(&buf), "");
    buf_free(&buf);
}

TEST(buf_formats_texts_longer_than_its_stack_space)
{
    struct buf buf;

    buf_init(&buf, SIZE_MAX);
    buf_add_text(&buf, ">");
    buf_addf(&buf, "%0255d", 7);
    CHECK_INT(buf.len, 256);
    buf_addf(&buf, "%0256d", 7);
    CHECK_INT(buf.len, 512);
    CHECK_INT(buf.ptr[511], '7');
    buf_free(&buf);
}

TEST(buf_loses_its_front_and_gives_its_bytes_away)
{
    struct buf buf;
    char *text;

    buf_init(&buf, SIZE_MAX);
    buf_remove_front(&buf, 3);
    buf_add_text(&buf, "abcdef");
    buf_remove_front(&buf, 2);
    CHECK_TEXT(buf_text(&buf), "cdef");
    buf_remove_front(&buf, 99);
    CHECK_TEXT(buf_text(&buf), "");
    buf_add_text(&buf, "xy");
    text = buf_take(&buf);
    CHECK_TEXT(text, "xy");
    free(text);
    text = buf_take(&buf);
    CHECK_TEXT(text, "");
    free(text);
}

TEST(memory_helpers_copy)
{
    char *text = mem_printf("%s-%d", "a", 5);
    unsigned char *zeros = mem_array(3, 4);

    CHECK_TEXT(text, "a-5");
    free(text);
    CHECK(mem_text(NULL) == NULL);
    text = mem_view((struct view){"abc", 2});
    CHECK_TEXT(text, "ab");
    free(text);
    for (int i = 0; i < 12; i++)
        CHECK_INT(zeros[i], 0);
    free(zeros);
    free(mem_alloc(0));
}
