#pragma once
/*
 * The unit tests' frame. A file holds TEST(name) { CHECK...; }; a program runs all its tests, each
 * by name, prints a line for each failure (file:line) and ends with "N passed, N failed".
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct unit_test {
    const char *name;
    void (*run)(void);
    struct unit_test *next;
};
void unit_add(struct unit_test *test);
void unit_fail(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void unit_check_text(const char *file, int line, const char *what, const char *got, const char *want);
void unit_check_int(const char *file, int line, const char *what, int64_t got, int64_t want);

#define TEST(test_name)                                                                                \
    static void test_##test_name(void);                                                                \
    static struct unit_test unit_##test_name = {.name = #test_name, .run = test_##test_name};          \
    __attribute__((constructor)) static void add_##test_name(void) { unit_add(&unit_##test_name); }    \
    static void test_##test_name(void)

/* A failed check is counted and the test goes on; REQUIRE leaves the function. */
#define CHECK(condition)                                                                               \
    do {                                                                                               \
        if (!(condition))                                                                              \
            unit_fail(__FILE__, __LINE__, "%s", #condition);                                           \
    } while (0)
#define REQUIRE(condition)                                                                             \
    do {                                                                                               \
        if (!(condition)) {                                                                            \
            unit_fail(__FILE__, __LINE__, "%s", #condition);                                           \
            return;                                                                                    \
        }                                                                                              \
    } while (0)
#define CHECK_TEXT(got, want) unit_check_text(__FILE__, __LINE__, #got, got, want)
#define CHECK_INT(got, want) unit_check_int(__FILE__, __LINE__, #got, (int64_t)(got), (int64_t)(want))
