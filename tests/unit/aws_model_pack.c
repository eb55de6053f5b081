/* Bytes that are no table, or almost one. */
#include "aws/model_rows.h"
#include "unit.h"

#include <stdlib.h>

struct copy {
    uint8_t *bytes;
    size_t len;
};

static struct copy copy_of_builtin(void)
{
    const struct aws_table *table = aws_table_builtin();
    struct copy copy = {.len = aws_u32(table->bytes + 12)};

    copy.bytes = malloc(copy.len);
    if (!copy.bytes)
        abort();
    memcpy(copy.bytes, table->bytes, copy.len);
    return copy;
}

static uint8_t *row_of(struct copy *copy, enum aws_section section, size_t row)
{
    const struct aws_table *table = aws_table_builtin();

    return copy->bytes + (aws_row(table, section, row) - table->bytes);
}

/* Opens it, frees it, tells whether it was refused with the code for that. */
static bool refused(struct copy copy)
{
    struct err err = ERR_INIT;
    struct aws_table *table = aws_table_open((struct view){(const char *)copy.bytes, copy.len}, &err);
    bool result = !table && err.kind == ERR_USAGE && strcmp(err.explain, "A105") == 0 && err.message[0];

    aws_table_close(table);
    free(copy.bytes);
    return result;
}

TEST(a_pack_is_as_the_builtin)
{
    struct copy copy = copy_of_builtin();
    struct err err = ERR_INIT;
    struct aws_table *table = aws_table_open((struct view){(const char *)copy.bytes, copy.len}, &err);

    REQUIRE(table != NULL);
    CHECK_TEXT(aws_table_source(table), "botocore 1.44.5");
    CHECK_TEXT(aws_service_id(aws_service_find(table, "eks")), "EKS");
    aws_table_close(table);
    free(copy.bytes);
    aws_table_close(NULL);
}

TEST(cut_anywhere)
{
    for (size_t part = 0; part < 64; part++) {
        struct copy copy = copy_of_builtin();

        copy.len = copy.len * part / 64;
        copy.bytes = realloc(copy.bytes, copy.len ? copy.len : 1);
        CHECK(refused(copy));
    }
}

TEST(headers_that_are_wrong)
{
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 'D'}, {8, 2}, {12, 0}, {19, 0xff}, {20, 30}, {24, 1}, {24, 0}, {26, 0xff}, {30, 0xff}, {31, 0xff}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct copy copy = copy_of_builtin();

        copy.bytes[wrong[i].at] = wrong[i].value;
        if (!refused(copy))
            unit_fail(__FILE__, __LINE__, "byte %zu = %u was taken", wrong[i].at, wrong[i].value);
    }
}

static bool refused_when(enum aws_section section, size_t row, size_t field, size_t len)
{
    struct copy copy = copy_of_builtin();

    memset(row_of(&copy, section, row) + field, 0xff, len);
    return refused(copy);
}

TEST(rows_that_say_what_cannot_be)
{
    struct copy copy;
    uint8_t *name;
    uint32_t last;

    CHECK(refused_when(AWS_SERVICES, 3, 0, 4));
    CHECK(refused_when(AWS_SERVICES, 0, 32, 1));
    CHECK(refused_when(AWS_SERVICES, 0, 36, 4));
    CHECK(refused_when(AWS_SERVICES, 0, 40, 4));
    CHECK(refused_when(AWS_SERVICES, 0, 56, 4));
    CHECK(refused_when(AWS_OPERATIONS, 9, 0, 3));
    CHECK(refused_when(AWS_OPERATIONS, 9, 4, 2));
    CHECK(refused_when(AWS_OPERATIONS, 9, 10, 2));
    CHECK(refused_when(AWS_OPERATION_TRAITS, 0, 4, 1));
    CHECK(refused_when(AWS_SHAPES, 100, 0, 2));
    CHECK(refused_when(AWS_SHAPES, 100, 2, 4));
    CHECK(refused_when(AWS_MEMBERS, 1000, 0, 6));
    CHECK(refused_when(AWS_MEMBER_COMMON, 0, 0, 1));
    CHECK(refused_when(AWS_LISTS, 7, 0, 2));
    CHECK(refused_when(AWS_VALUES, 7, 0, 3));
    CHECK(refused_when(AWS_NAMED, 7, 2, 3));
    CHECK(refused_when(AWS_WAITERS, 7, 16, 4));
    CHECK(refused_when(AWS_EXPRESSIONS, 7, 0, 1));
    CHECK(refused_when(AWS_EXPRESSIONS, 7, 2, 2));
    CHECK(refused_when(AWS_RULES, 7, 2, 2));
    CHECK(refused_when(AWS_RULES, 7, 4, 2));
    CHECK(refused_when(AWS_PARAMETERS, 0, 2, 1));
    CHECK(refused_when(AWS_PARTITIONS, 0, 24, 4));

    copy = copy_of_builtin(); /* the last text has no end */
    copy.bytes[copy.len - 1] = 'x';
    CHECK(refused(copy));
    copy = copy_of_builtin(); /* the first text is not empty */
    *row_of(&copy, AWS_TEXT, 0) = 'x';
    CHECK(refused(copy));
    copy = copy_of_builtin(); /* the last text is an operation's name: its snake name would lie behind the pool */
    name = row_of(&copy, AWS_OPERATIONS, 0);
    last = aws_table_builtin()->counts[AWS_TEXT] - 1;
    for (int i = 0; i < 3; i++)
        name[i] = (uint8_t)(last >> 8 * i);
    CHECK(refused(copy));
}

/* A tree of rules that holds itself. */
TEST(rules_that_do_not_end)
{
    const struct aws_table *table = aws_table_builtin();

    for (uint32_t row = 0; row < table->counts[AWS_RULES]; row++)
        if (aws_table_rule(table, (uint16_t)row).type == AWS_RULE_TREE) {
            struct copy copy = copy_of_builtin();
            size_t list = aws_u16(aws_row(table, AWS_RULES, row) + 4);
            uint8_t *first = row_of(&copy, AWS_NUMBERS, list + 1);

            first[0] = (uint8_t)row;
            first[1] = (uint8_t)(row >> 8);
            CHECK(refused(copy));
            return;
        }
}
