#include "unit.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct unit_test *tests;
static struct unit_test **tail = &tests;
static const char *current;
static int failures;

void unit_add(struct unit_test *test)
{
    *tail = test;
    tail = &test->next;
}

void unit_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    failures++;
    printf("%s:%d: %s: ", file, line, current);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void unit_check_text(const char *file, int line, const char *what, const char *got, const char *want)
{
    if (!got || !want ? got != want : strcmp(got, want) != 0)
        unit_fail(file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)", want ? want : "(null)");
}

void unit_check_int(const char *file, int line, const char *what, int64_t got, int64_t want)
{
    if (got != want)
        unit_fail(file, line, "%s is %" PRId64 ", not %" PRId64, what, got, want);
}

/* unit_ROOM [NAME]: all tests, or those whose name holds NAME. */
int main(int argc, char **argv)
{
    int passed = 0, failed = 0;

    for (struct unit_test *test = tests; test; test = test->next) {
        if (argc > 1 && !strstr(test->name, argv[1]))
            continue;
        current = test->name;
        failures = 0;
        test->run();
        fflush(stdout);
        failures ? failed++ : passed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed;
}
