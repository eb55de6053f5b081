/*
 * A table from outside is hostile until this is done: every text ends inside the pool, every row that is named is
 * there, every run and list ends inside its section, rules and expressions end. Accessors check nothing after that.
 */
#include "aws/model_rows.h"

#include <stdlib.h>

enum { LIST_WORK_MAX = 1 << 22 }; /* numbers looked at in all lists together: lists may lie inside one another */

static int broken(struct err *err, const char *what, size_t row)
{
    err_set(err, ERR_USAGE, "this is not a service table that can be used: %s (row %zu)", what, row);
    err_explain(err, "A105");
    return -1;
}

/* ---- header ---- */

int aws_table_init(struct aws_table *table, struct view bytes, struct err *err)
{
    const uint8_t *raw = (const uint8_t *)bytes.ptr;
    size_t body = AWS_FILE_HEADER + 8 * AWS_SECTIONS;

    *table = (struct aws_table){.bytes = raw};
    if (bytes.len < body || memcmp(raw, AWS_FILE_MAGIC, sizeof(AWS_FILE_MAGIC)) != 0)
        return broken(err, "it does not begin like one", 0);
    if (aws_u32(raw + 8) != AWS_FILE_VERSION)
        return broken(err, "it has another version", aws_u32(raw + 8));
    if (aws_u32(raw + 12) != bytes.len || aws_u32(raw + 20) != AWS_SECTIONS)
        return broken(err, "it was cut, or has another number of sections", 0);
    for (size_t i = 0; i < AWS_SECTIONS; i++) {
        size_t at = aws_u32(raw + AWS_FILE_HEADER + 8 * i);
        size_t count = aws_u32(raw + AWS_FILE_HEADER + 8 * i + 4);

        if (at < body || at % 8 || at > bytes.len || count > (bytes.len - at) / aws_row_sizes[i])
            return broken(err, "a section lies outside it", i);
        table->rows[i] = raw + at;
        table->counts[i] = (uint32_t)count;
    }
    return 0;
}

/* ---- fields, by a table of what they are ---- */

enum what { TEXT3, TEXT4, ROW2, ROW2_OR_NONE, ROW1_OR_NONE, RUN22, RUN24, RUN44, LIST2, LIST4, BELOW1 };

/* In rows of `section`, at `field`, is a text, or the number of a row of `of`, or a run or list of them. BELOW1: a byte
   less than `of`. */
struct field {
    uint8_t section, field;
    enum what what;
    uint8_t of;
};

static const struct field fields[] = {
    {AWS_SERVICES, 0, TEXT4, 0},
    {AWS_SERVICES, 4, TEXT4, 0},
    {AWS_SERVICES, 8, TEXT4, 0},
    {AWS_SERVICES, 12, TEXT4, 0},
    {AWS_SERVICES, 16, TEXT4, 0},
    {AWS_SERVICES, 20, TEXT4, 0},
    {AWS_SERVICES, 24, TEXT4, 0},
    {AWS_SERVICES, 28, TEXT4, 0},
    {AWS_SERVICES, 32, BELOW1, AWS_REST_XML + 1},
    {AWS_SERVICES, 34, LIST2, AWS_SHAPES},
    {AWS_SERVICES, 36, RUN44, AWS_OPERATIONS},
    {AWS_SERVICES, 44, RUN44, AWS_WAITERS},
    {AWS_SERVICES, 52, RUN22, AWS_PARAMETERS},
    {AWS_SERVICES, 56, LIST4, AWS_RULES},
    {AWS_OPERATIONS, 0, TEXT3, 0},
    {AWS_OPERATIONS, 4, ROW2_OR_NONE, AWS_SHAPES},
    {AWS_OPERATIONS, 6, ROW2_OR_NONE, AWS_SHAPES},
    {AWS_OPERATIONS, 8, LIST2, AWS_SHAPES},
    {AWS_OPERATIONS, 10, ROW2, AWS_OPERATION_TRAITS},
    {AWS_OPERATION_TRAITS, 0, TEXT4, 0},
    {AWS_OPERATION_TRAITS, 4, BELOW1, 7},
    {AWS_OPERATION_TRAITS, 8, ROW2_OR_NONE, AWS_OPERATION_RARE},
    {AWS_OPERATION_RARE, 0, TEXT4, 0},
    {AWS_OPERATION_RARE, 4, TEXT4, 0},
    {AWS_OPERATION_RARE, 8, TEXT4, 0},
    {AWS_OPERATION_RARE, 12, TEXT4, 0},
    {AWS_OPERATION_RARE, 16, TEXT4, 0},
    {AWS_OPERATION_RARE, 20, TEXT4, 0},
    {AWS_OPERATION_RARE, 26, RUN24, AWS_CONTEXTS},
    {AWS_CONTEXTS, 0, TEXT4, 0},
    {AWS_CONTEXTS, 4, TEXT4, 0},
    {AWS_WAITERS, 0, TEXT4, 0},
    {AWS_WAITERS, 4, TEXT4, 0},
    {AWS_WAITERS, 16, RUN44, AWS_ACCEPTORS},
    {AWS_ACCEPTORS, 0, TEXT4, 0},
    {AWS_ACCEPTORS, 4, TEXT4, 0},
    {AWS_ACCEPTORS, 8, TEXT4, 0},
    {AWS_ACCEPTORS, 12, TEXT4, 0},
    {AWS_PAGINATED, 2, ROW2, AWS_PAGES},
    {AWS_PAGES, 0, TEXT3, 0},
    {AWS_PAGES, 3, TEXT3, 0},
    {AWS_PAGES, 6, TEXT3, 0},
    {AWS_PAGES, 9, TEXT3, 0},
    {AWS_PAGES, 12, TEXT3, 0},
    {AWS_PAGES, 15, TEXT3, 0},
    {AWS_SHAPE_TRAITS, 2, BELOW1, AWS_TIME_RFC822 + 1},
    {AWS_SHAPE_TRAITS, 5, ROW2_OR_NONE, AWS_RANGES},
    {AWS_SHAPE_TRAITS, 7, ROW2_OR_NONE, AWS_SHAPE_RARE},
    {AWS_SHAPE_RARE, 0, TEXT4, 0},
    {AWS_SHAPE_RARE, 4, TEXT4, 0},
    {AWS_SHAPE_RARE, 8, TEXT4, 0},
    {AWS_RANGES, 0, ROW2_OR_NONE, AWS_BOUNDS},
    {AWS_RANGES, 2, ROW2_OR_NONE, AWS_BOUNDS},
    {AWS_NAMED, 2, TEXT3, 0},
    {AWS_NAMED, 5, TEXT3, 0},
    {AWS_VALUES, 0, TEXT3, 0},
    {AWS_LISTS, 0, ROW2, AWS_MEMBERS},
    {AWS_MEMBER_TRAITS, 0, TEXT3, 0},
    {AWS_MEMBER_TRAITS, 3, ROW2, AWS_MEMBER_COMMON},
    {AWS_MEMBER_COMMON, 3, ROW1_OR_NONE, AWS_MEMBER_RARE},
    {AWS_MEMBER_RARE, 0, TEXT4, 0},
    {AWS_MEMBER_RARE, 4, TEXT4, 0},
    {AWS_MEMBER_RARE, 8, TEXT4, 0},
    {AWS_MEMBER_RARE, 12, TEXT4, 0},
    {AWS_RULES, 0, BELOW1, AWS_RULE_ERROR + 1},
    {AWS_RULES, 2, LIST2, AWS_CONDITIONS},
    {AWS_CONDITIONS, 0, ROW2, AWS_EXPRESSIONS},
    {AWS_CONDITIONS, 2, ROW2_OR_NONE, AWS_VARIABLES},
    {AWS_EXPRESSIONS, 0, BELOW1, AWS_EXPRESSION_RECORD + 1},
    {AWS_EXPRESSIONS, 1, BELOW1, AWS_FN_SPLIT + 1},
    {AWS_EXPRESSION_TEXTS, 0, TEXT4, 0},
    {AWS_PARAMETERS, 0, ROW2, AWS_VARIABLES},
    {AWS_PARAMETERS, 2, BELOW1, AWS_PARAMETER_TEXTS + 1},
    {AWS_PARAMETERS, 4, ROW2_OR_NONE, AWS_EXPRESSIONS},
    {AWS_PARAMETERS, 8, TEXT4, 0},
    {AWS_VARIABLES, 0, TEXT4, 0},
    {AWS_PARTITIONS, 0, TEXT4, 0},
    {AWS_PARTITIONS, 4, TEXT4, 0},
    {AWS_PARTITIONS, 8, TEXT4, 0},
    {AWS_PARTITIONS, 12, TEXT4, 0},
    {AWS_PARTITIONS, 16, TEXT4, 0},
    {AWS_PARTITIONS, 22, RUN24, AWS_REGIONS},
    {AWS_REGIONS, 0, TEXT4, 0},
};

struct check {
    const struct aws_table *table;
    size_t work; /* numbers of lists looked at */
};

static bool run_fits(const struct aws_table *table, enum aws_section section, uint64_t first, uint64_t len)
{
    return first + len <= table->counts[section];
}

/* Is there, ends in the section, and all its numbers are less than `below`. */
static bool list_fits(struct check *check, uint32_t place, uint32_t below)
{
    const struct aws_table *table = check->table;
    struct aws_numbers list;

    if (place >= table->counts[AWS_NUMBERS])
        return false;
    list = aws_list(table, place);
    check->work += list.len + 1;
    if (list.len >= table->counts[AWS_NUMBERS] - place || check->work > LIST_WORK_MAX)
        return false;
    for (size_t i = 0; i < list.len; i++)
        if (list.list[i] >= below)
            return false;
    return true;
}

static bool field_fits(struct check *check, const struct field *field, const uint8_t *at)
{
    const struct aws_table *table = check->table;
    uint32_t texts = table->counts[AWS_TEXT], rows = field->what == BELOW1 ? 0 : table->counts[field->of];

    switch (field->what) {
    case TEXT3:
        return aws_u24(at) < texts;
    case TEXT4:
        return aws_u32(at) < texts;
    case ROW2:
        return aws_u16(at) < rows;
    case ROW2_OR_NONE:
        return aws_u16(at) <= rows;
    case ROW1_OR_NONE:
        return aws_u8(at) <= rows;
    case RUN22:
        return run_fits(table, field->of, aws_u16(at), aws_u16(at + 2));
    case RUN24:
        return run_fits(table, field->of, aws_u16(at), aws_u32(at + 2));
    case RUN44:
        return run_fits(table, field->of, aws_u32(at), aws_u32(at + 4));
    case LIST2:
        return list_fits(check, aws_u16(at), rows);
    case LIST4:
        return list_fits(check, aws_u32(at), rows);
    case BELOW1:
        return aws_u8(at) < field->of;
    }
    return false;
}

static int check_fields(struct check *check, struct err *err)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        for (uint32_t row = 0; row < check->table->counts[fields[i].section]; row++)
            if (!field_fits(check, &fields[i], aws_row(check->table, fields[i].section, row) + fields[i].field))
                return broken(err, "a row says what cannot be", row);
    return 0;
}

/* ---- what is more than one field ---- */

/* So many texts, one behind another. */
static bool texts_fit(const struct aws_table *table, uint32_t place, int count)
{
    const uint8_t *at = table->rows[AWS_TEXT] + place, *end = table->rows[AWS_TEXT] + table->counts[AWS_TEXT];

    for (; count > 0; count--) {
        if (at >= end)
            return false;
        at += strlen((const char *)at) + 1;
    }
    return true;
}

static int check_names(const struct aws_table *table, struct err *err)
{
    for (uint32_t row = 0; row < table->counts[AWS_OPERATIONS]; row++) {
        const uint8_t *at = aws_row(table, AWS_OPERATIONS, row);

        if (!texts_fit(table, aws_u24(at), aws_u8(at + 3) & AWS_OPERATION_WRAPPED ? 3 : 2))
            return broken(err, "an operation's names are not there", row);
    }
    for (uint32_t row = 0; row < table->counts[AWS_WAITERS]; row++)
        if (!texts_fit(table, aws_u32(aws_row(table, AWS_WAITERS, row)), 2))
            return broken(err, "a waiter's names are not there", row);
    return 0;
}

static bool shape_fits(const struct aws_table *table, const uint8_t *at)
{
    uint32_t type = aws_u16(at) & 15, first = aws_u16(at + 2), len = aws_u16(at + 4);

    if (aws_u16(at) >> 4 >= table->counts[AWS_SHAPE_TRAITS])
        return false;
    switch (type) {
    case AWS_STRUCTURE:
        return run_fits(table, AWS_LISTS, first, len);
    case AWS_LIST:
    case AWS_MAP:
        return len == (type == AWS_LIST ? 1 : 2) && run_fits(table, AWS_LISTS, first, len);
    default:
        return type > AWS_MAP && type <= AWS_TIMESTAMP && run_fits(table, AWS_VALUES, first, len);
    }
}

static int check_shapes(const struct aws_table *table, struct err *err)
{
    for (uint32_t row = 0; row < table->counts[AWS_SHAPES]; row++)
        if (!shape_fits(table, aws_row(table, AWS_SHAPES, row)))
            return broken(err, "a shape's parts are not there", row);
    for (uint32_t row = 0; row < table->counts[AWS_MEMBERS]; row++) {
        uint64_t bits = aws_member_bits(table, row);

        if (aws_bits_name(bits) >= table->counts[AWS_TEXT] || aws_bits_shape(bits) >= table->counts[AWS_SHAPES] ||
            aws_bits_traits(bits) >= table->counts[AWS_MEMBER_TRAITS])
            return broken(err, "a member's parts are not there", row);
    }
    for (uint32_t row = 0; row < table->counts[AWS_MEMBER_COMMON]; row++) {
        uint32_t both = aws_u8(aws_row(table, AWS_MEMBER_COMMON, row));

        if ((both & 15) > AWS_IN_STATUS || both >> 4 > AWS_TIME_RFC822)
            return broken(err, "a member's place or time is none", row);
    }
    return 0;
}

/* ---- rules ---- */

/* One more than the deepest in the list, whose rows come before this one; 0 when that is too deep, or the list does not
 * fit. */
static uint8_t depth_over(struct check *check, uint32_t place, uint32_t row, const uint8_t *depths)
{
    struct aws_numbers list;
    uint8_t deepest = 0;

    if (!list_fits(check, place, row))
        return 0;
    list = aws_list(check->table, place);
    for (size_t i = 0; i < list.len; i++)
        if (depths[list.list[i]] > deepest)
            deepest = depths[list.list[i]];
    return deepest < AWS_RULES_DEPTH ? (uint8_t)(deepest + 1) : 0;
}

static uint32_t expression_type(const struct aws_table *table, uint32_t row)
{
    return aws_u8(aws_row(table, AWS_EXPRESSIONS, row));
}

static bool expression_fits(const struct aws_table *table, const uint8_t *at)
{
    static const struct {
        uint8_t min, max;
    } arguments[] = {
        [AWS_FN_IS_SET] = {1, 1},
        [AWS_FN_NOT] = {1, 1},
        [AWS_FN_GET_ATTR] = {2, 2},
        [AWS_FN_STRING_EQUALS] = {2, 2},
        [AWS_FN_BOOLEAN_EQUALS] = {2, 2},
        [AWS_FN_SUBSTRING] = {4, 4},
        [AWS_FN_URI_ENCODE] = {1, 1},
        [AWS_FN_PARSE_URL] = {1, 1},
        [AWS_FN_IS_VALID_HOST_LABEL] = {2, 2},
        [AWS_FN_PARTITION] = {1, 1},
        [AWS_FN_PARSE_ARN] = {1, 1},
        [AWS_FN_IS_VIRTUAL_HOSTABLE_S3_BUCKET] = {2, 2},
        [AWS_FN_COALESCE] = {1, 8},
        [AWS_FN_ITE] = {3, 3},
        [AWS_FN_SPLIT] = {3, 3},
    };
    struct aws_numbers list = aws_list(table, aws_u16(at + 2));
    uint32_t value = aws_u32(at + 4), fn = aws_u8(at + 1);

    switch ((enum aws_expression_type)aws_u8(at)) {
    case AWS_EXPRESSION_TEXT:
        return value < table->counts[AWS_EXPRESSION_TEXTS];
    case AWS_EXPRESSION_REFERENCE:
        return value < table->counts[AWS_VARIABLES];
    case AWS_EXPRESSION_CALL:
        return list.len >= arguments[fn].min && list.len <= arguments[fn].max;
    case AWS_EXPRESSION_RECORD:
        for (size_t i = 0; i < list.len; i += 2)
            if (expression_type(table, list.list[i]) != AWS_EXPRESSION_TEXT)
                return false;
        return list.len % 2 == 0;
    case AWS_EXPRESSION_TEMPLATE:
    case AWS_EXPRESSION_BOOLEAN:
    case AWS_EXPRESSION_INTEGER:
    case AWS_EXPRESSION_TUPLE:
        return true;
    }
    return false;
}

static int check_expressions(struct check *check, uint8_t *depths, struct err *err)
{
    const struct aws_table *table = check->table;

    for (uint32_t row = 0; row < table->counts[AWS_EXPRESSIONS]; row++) {
        const uint8_t *at = aws_row(table, AWS_EXPRESSIONS, row);

        depths[row] = depth_over(check, aws_u16(at + 2), row, depths);
        if (!depths[row] || !expression_fits(table, at))
            return broken(err, "an expression's parts are not there", row);
    }
    for (uint32_t row = 0; row < table->counts[AWS_PARAMETERS]; row++) {
        uint32_t fallback = aws_u16(aws_row(table, AWS_PARAMETERS, row) + 4);
        uint32_t type = fallback ? expression_type(table, fallback - 1) : AWS_EXPRESSION_TEXT;

        if (type != AWS_EXPRESSION_TEXT && type != AWS_EXPRESSION_BOOLEAN && type != AWS_EXPRESSION_TUPLE)
            return broken(err, "a parameter's default is none", row);
    }
    return 0;
}

static int check_rules(struct check *check, uint8_t *depths, struct err *err)
{
    const struct aws_table *table = check->table;
    uint32_t expressions = table->counts[AWS_EXPRESSIONS];

    for (uint32_t row = 0; row < table->counts[AWS_RULES]; row++) {
        const uint8_t *at = aws_row(table, AWS_RULES, row);
        uint32_t type = aws_u8(at), body = aws_u16(at + 4), properties = aws_u16(at + 6), headers = aws_u16(at + 8);

        depths[row] = type == AWS_RULE_TREE ? depth_over(check, body, row, depths) : 1;
        if (!depths[row] || (type != AWS_RULE_TREE && body >= expressions))
            return broken(err, "a rule's parts are not there", row);
        if (type == AWS_RULE_ENDPOINT && (properties >= expressions || headers >= expressions ||
                                          expression_type(table, properties) != AWS_EXPRESSION_RECORD ||
                                          expression_type(table, headers) != AWS_EXPRESSION_RECORD))
            return broken(err, "an endpoint's parts are not there", row);
    }
    return 0;
}

int aws_table_check(const struct aws_table *table, struct err *err)
{
    struct check check = {.table = table};
    uint32_t texts = table->counts[AWS_TEXT];
    size_t most = table->counts[AWS_RULES] + (size_t)table->counts[AWS_EXPRESSIONS] + 1;
    uint8_t *depths;
    int result;

    if (texts == 0 || table->rows[AWS_TEXT][0] || table->rows[AWS_TEXT][texts - 1] ||
        aws_u32(table->bytes + 16) >= texts)
        return broken(err, "its texts do not end", 0);
    if (check_fields(&check, err) != 0 || check_names(table, err) != 0 || check_shapes(table, err) != 0)
        return -1;
    depths = mem_array(most, 1);
    result = check_expressions(&check, depths, err);
    if (result == 0)
        result = check_rules(&check, depths, err);
    free(depths);
    return result;
}
