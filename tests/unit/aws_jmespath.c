/* The compliance suite is in tests/vectors; here limits, errors' words, and what our waiters and paginators use. */
#include "aws/jmespath.h"
#include "codec/json.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

static void check(const char *file, int line, const char *expression, const char *given, const char *want)
{
    struct err err = ERR_INIT;
    struct jmespath *path = jmespath_parse(view_of(expression), &err);
    struct doc *doc = json_parse(view_of(given), &err), *found = path ? jmespath_search(path, doc, &err) : NULL;
    struct buf text;

    buf_init(&text, SIZE_MAX);
    if (found)
        json_add(&text, found, JSON_COMPACT);
    unit_check_text(file, line, expression, found ? buf_text(&text) : err.message, want);
    if (!found)
        CHECK_INT(err.kind, ERR_USAGE);
    buf_free(&text);
    doc_unref(doc);
    doc_unref(found);
    jmespath_free(path);
}

#define SEARCH(expression, given, want) check(__FILE__, __LINE__, expression, given, want)

TEST(jmespath_models)
{
    SEARCH("cluster.status", "{\"cluster\":{\"status\":\"ACTIVE\"}}", "\"ACTIVE\"");
    SEARCH("length(services[?!(length(deployments) == `1` && runningCount == desiredCount)]) == `0`",
           "{\"services\":[{\"deployments\":[1],\"runningCount\":2,\"desiredCount\":2}]}", "true");
    SEARCH("Reservations[].Instances[].State.Name",
           "{\"Reservations\":[{\"Instances\":[{\"State\":{\"Name\":\"running\"}},{\"State\":{}}]},{}]}",
           "[\"running\"]");
    SEARCH("Contents[-1].Key || NextMarker", "{\"Contents\":[],\"NextMarker\":\"m\"}", "\"m\"");
    SEARCH("contains(Stacks[].StackStatus, 'DELETE_FAILED')", "{\"Stacks\":[{\"StackStatus\":\"DELETE_FAILED\"}]}",
           "true");
    SEARCH("Delete.Objects[*].[Key, VersionId][]", "{\"Delete\":{\"Objects\":[{\"Key\":\"a\"}]}}", "[\"a\"]");
}

TEST(jmespath_numbers_stay_exact)
{
    SEARCH("a", "{\"a\":9007199254740993}", "9007199254740993");
    SEARCH("max(@)", "[9007199254740992,9007199254740993]", "9007199254740993");
    SEARCH("@[0] == @[1]", "[9007199254740992,9007199254740993]", "false");
    SEARCH("sum(@)", "[9223372036854775807,1]", "9.223372036854776e+18");
    SEARCH("abs(@)", "-9223372036854775808", "9.223372036854776e+18");
    SEARCH("sum(@)", "[1e308,1e308]", "null");
    SEARCH("ceil(@)", "1e300", "1e+300");
    SEARCH("to_number('0x10')", "null", "null");
    SEARCH("to_number(' 1')", "null", "null");
    SEARCH("to_number('-1.5e3')", "null", "-1500.0");
}

TEST(jmespath_order_is_stable)
{
    SEARCH("sort_by(@, &k)[].v",
           "[{\"k\":1,\"v\":\"a\"},{\"k\":0,\"v\":\"b\"},{\"k\":1.0,\"v\":\"c\"},{\"k\":0,\"v\":\"d\"}]",
           "[\"b\",\"d\",\"a\",\"c\"]");
    SEARCH("max_by(@, &k).v", "[{\"k\":1,\"v\":\"a\"},{\"k\":1,\"v\":\"b\"}]", "\"a\"");
    SEARCH("reverse('a\xc3\xbc\xe6\xbc\xa2')", "null",
           "\"\xe6\xbc\xa2\xc3\xbc"
           "a\"");
    SEARCH("length('a\xc3\xbc\xe6\xbc\xa2')", "null", "3");
}

TEST(jmespath_errors)
{
    SEARCH("a.b[", "{}", "JMESPath, column 5: the expression ends: a number, \":\" or \"*\" is wanted here");
    SEARCH("\xc3\xbc", "{}", "JMESPath, column 1: this character has no meaning here");
    SEARCH("'\xc3\xbc' == ~", "{}", "JMESPath, column 8: this character has no meaning here");
    SEARCH("", "{}", "JMESPath, column 1: the expression ends: a value is wanted here");
    SEARCH("a b", "{}", "JMESPath, column 3: an operator or the end is wanted here");
    SEARCH("foo(@)", "{}", "JMESPath, column 1: there is no function foo()");
    SEARCH("a || length(@, @)", "{}", "JMESPath, column 6: length() takes 1 argument, not 2");
    SEARCH("not_null()", "{}", "JMESPath, column 1: not_null() takes 1 argument or more, not 0");
    SEARCH("length(a)", "{}", "JMESPath: length(): argument 1 is not a string, an array or an object");
    SEARCH("sort_by(@, @)", "[]", "JMESPath: sort_by(): argument 2 is not an expression (&...)");
    SEARCH("to_string(&a)", "[]", "JMESPath: to_string(): argument 1 is not a value");
    SEARCH("sort_by(@, &@)", "[1,\"a\"]", "JMESPath: sort_by(): the expression must give numbers only or strings only");
    SEARCH("@[::0]", "[]", "JMESPath: the step of a slice is 0");
    SEARCH("@[99999999999999999999]", "[]", "JMESPath, column 3: the number is too large");
    SEARCH("`{`", "[]", "JMESPath, column 1: this is not JSON");
    SEARCH("'a", "[]", "JMESPath, column 1: the closing quote is missing");
}

TEST(jmespath_slices_at_the_ends)
{
    SEARCH("@[9223372036854775806:]", "[1]", "[]");
    SEARCH("@[-9223372036854775806::9223372036854775806]", "[1,2]", "[1]");
    SEARCH("@[::-9223372036854775806]", "[1,2]", "[2]");
    SEARCH("@[::-1]", "[]", "[]");
    SEARCH("@[-9223372036854775806]", "[1]", "null");
}

static void check_repeated(const char *start, const char *part, int times, const char *end, const char *want)
{
    struct buf text;

    buf_init(&text, SIZE_MAX);
    buf_add_text(&text, start);
    for (int i = 0; i < times; i++)
        buf_add_text(&text, part);
    buf_add_text(&text, end);
    SEARCH(buf_text(&text), "[1]", want);
    buf_free(&text);
}

/* Short expressions that would take for ever, or the stack. */
TEST(jmespath_bounds)
{
    const char *steps = "the JMESPath expression takes more than 10000000 steps";

    check_repeated("@", "|[@,@]", 100, "", steps);
    check_repeated("@", "|[@,@]", 100, "|to_string(@)", steps);
    check_repeated("@", "|[@,@]", 100, "|@ == @", steps);
    check_repeated("@", "|[@,@][]", 100, "", steps);
    check_repeated("'ab'", "|join('', [@,@])", 60, "", "JMESPath: join(): the text is too long");
    check_repeated("@", "|[@,@][]", 10,
                   "|map(&join(',', map(&to_string(@), `[\"0123456789012345678901234567890123456789\"]`)), @)|[0]",
                   "\"0123456789012345678901234567890123456789\"");
    check_repeated("'a'", "|join('', [@,@,@,@,@,@,@,@])", 7, "|[join('', [@]), join('', [@])]|length(@)", "2");
    check_repeated("@", "|[@,@][]", 16,
                   "|map(&join('', `[\"0123456789012345678901234567890123456789\"]`), @)|length(@)", "65536");
    check_repeated("@", ".a", 150, "", "null");
    check_repeated("", "(", 199, "@", "JMESPath, column 201: the expression ends: \")\" is wanted here");
    check_repeated("", "(", 100000, "", "the JMESPath expression is longer than 65536 bytes");
    check_repeated("", "(", 300, "", "JMESPath, column 201: the expression is nested too deep");
    check_repeated("", "!", 300, "@", "JMESPath, column 201: the expression is nested too deep");
    check_repeated("", "[", 300, "@", "JMESPath, column 201: the expression is nested too deep");
    check_repeated("@", "[0]", 300, "", "JMESPath, column 602: the expression is nested too deep");
    check_repeated("@", "||@", 300, "", "JMESPath, column 602: the expression is nested too deep");
}
