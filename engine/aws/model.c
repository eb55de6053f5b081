/* Shapes and members of a table: every accessor is a few loads from rows that were checked when it was opened. */
#include "aws/model_rows.h"

static const struct aws_shape no_shape = {NULL, 0};
static const struct aws_member no_member = {NULL, 0};

/* ---- shapes ---- */

static const uint8_t *shape_row(struct aws_shape shape)
{
    return aws_row(shape.table, AWS_SHAPES, shape.at);
}

static const uint8_t *shape_traits(struct aws_shape shape)
{
    return aws_row(shape.table, AWS_SHAPE_TRAITS, aws_u16(shape_row(shape)) >> 4);
}

static const char *shape_rare_text(struct aws_shape shape, size_t field)
{
    uint32_t rare = shape.table ? aws_u16(shape_traits(shape) + 7) : 0;

    return rare ? aws_text(shape.table, aws_u32(aws_row(shape.table, AWS_SHAPE_RARE, rare - 1) + field)) : "";
}

/* The row of a shape that has a name, or NULL. */
static const uint8_t *shape_named(struct aws_shape shape)
{
    size_t low = 0, high = shape.table ? shape.table->counts[AWS_NAMED] : 0;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint8_t *row = aws_row(shape.table, AWS_NAMED, middle);

        if (aws_u16(row) == shape.at)
            return row;
        if (aws_u16(row) < shape.at)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool has_members(enum aws_type type)
{
    return type == AWS_STRUCTURE || type == AWS_LIST || type == AWS_MAP;
}

enum aws_type aws_shape_type(struct aws_shape shape)
{
    return shape.table ? (enum aws_type)(aws_u16(shape_row(shape)) & 15) : AWS_NONE;
}

const char *aws_shape_name(struct aws_shape shape)
{
    const uint8_t *row = shape_named(shape);

    return row ? aws_text(shape.table, aws_u24(row + 2)) : "";
}

size_t aws_shape_members(struct aws_shape shape)
{
    return has_members(aws_shape_type(shape)) ? aws_u16(shape_row(shape) + 4) : 0;
}

struct aws_member aws_shape_member(struct aws_shape shape, size_t index)
{
    if (index >= aws_shape_members(shape))
        return no_member;
    return (struct aws_member){shape.table,
                               aws_u16(aws_row(shape.table, AWS_LISTS, aws_u16(shape_row(shape) + 2) + index))};
}

struct aws_member aws_shape_member_find(struct aws_shape shape, struct view name)
{
    size_t count = aws_shape_type(shape) == AWS_STRUCTURE ? aws_shape_members(shape) : 0;

    for (size_t i = 0; i < count; i++) {
        struct aws_member member = aws_shape_member(shape, i);

        if (view_is(name, aws_member_name(member)))
            return member;
    }
    return no_member;
}

struct aws_member aws_shape_payload(struct aws_shape shape)
{
    return shape.table ? aws_shape_member(shape, aws_u16(shape_traits(shape) + 3)) : no_member;
}

enum aws_time aws_shape_time(struct aws_shape shape)
{
    return shape.table ? (enum aws_time)aws_u8(shape_traits(shape) + 2) : AWS_TIME_DEFAULT;
}

size_t aws_shape_values(struct aws_shape shape)
{
    return shape.table && !has_members(aws_shape_type(shape)) ? aws_u16(shape_row(shape) + 4) : 0;
}

const char *aws_shape_value(struct aws_shape shape, size_t index)
{
    if (index >= aws_shape_values(shape))
        return "";
    return aws_text(shape.table, aws_u24(aws_row(shape.table, AWS_VALUES, aws_u16(shape_row(shape) + 2) + index)));
}

static bool shape_bound(struct aws_shape shape, size_t field, double *bound)
{
    uint32_t range = shape.table ? aws_u16(shape_traits(shape) + 5) : 0;
    uint32_t row = range ? aws_u16(aws_row(shape.table, AWS_RANGES, range - 1) + field) : 0;

    if (row)
        memcpy(bound, aws_row(shape.table, AWS_BOUNDS, row - 1), sizeof(*bound));
    return row != 0;
}

bool aws_shape_min(struct aws_shape shape, double *min)
{
    return shape_bound(shape, 0, min);
}

bool aws_shape_max(struct aws_shape shape, double *max)
{
    return shape_bound(shape, 2, max);
}

const char *aws_shape_wire(struct aws_shape shape)
{
    return shape_rare_text(shape, 0);
}

const char *aws_shape_namespace(struct aws_shape shape)
{
    return shape_rare_text(shape, 4);
}

const char *aws_shape_namespace_prefix(struct aws_shape shape)
{
    return shape_rare_text(shape, 8);
}

const char *aws_shape_error_code(struct aws_shape shape)
{
    const uint8_t *row = shape_named(shape);

    return row ? aws_text(shape.table, aws_u24(row + 5)) : "";
}

int aws_shape_error_status(struct aws_shape shape)
{
    const uint8_t *row = shape_named(shape);

    return row ? (int)aws_u16(row + 8) : 0;
}

unsigned aws_shape_flags(struct aws_shape shape)
{
    return shape.table ? aws_u16(shape_traits(shape)) : 0;
}

/* ---- members ---- */

static uint64_t member_bits(struct aws_member member)
{
    return aws_member_bits(member.table, member.at);
}

static const uint8_t *member_traits(struct aws_member member)
{
    return aws_row(member.table, AWS_MEMBER_TRAITS, aws_bits_traits(member_bits(member)));
}

static const uint8_t *member_common(struct aws_member member)
{
    return aws_row(member.table, AWS_MEMBER_COMMON, aws_u16(member_traits(member) + 3));
}

static const char *member_rare_text(struct aws_member member, size_t field)
{
    uint32_t rare = member.table ? aws_u8(member_common(member) + 3) : 0;

    return rare ? aws_text(member.table, aws_u32(aws_row(member.table, AWS_MEMBER_RARE, rare - 1) + field)) : "";
}

const char *aws_member_name(struct aws_member member)
{
    return member.table ? aws_text(member.table, aws_bits_name(member_bits(member))) : "";
}

const char *aws_member_wire(struct aws_member member)
{
    return member.table ? aws_text(member.table, aws_u24(member_traits(member))) : "";
}

const char *aws_member_query_name(struct aws_member member)
{
    return member_rare_text(member, 8);
}

struct aws_shape aws_member_shape(struct aws_member member)
{
    return member.table ? (struct aws_shape){member.table, aws_bits_shape(member_bits(member))} : no_shape;
}

enum aws_location aws_member_location(struct aws_member member)
{
    return member.table ? (enum aws_location)(aws_u8(member_common(member)) & 15) : AWS_IN_BODY;
}

unsigned aws_member_flags(struct aws_member member)
{
    if (!member.table)
        return 0;
    return aws_u16(member_common(member) + 1) | (aws_bits_required(member_bits(member)) ? AWS_MEMBER_REQUIRED : 0);
}

enum aws_time aws_member_time(struct aws_member member)
{
    uint32_t own = member.table ? aws_u8(member_common(member)) >> 4 : 0;

    return own ? (enum aws_time)own : aws_shape_time(aws_member_shape(member));
}

const char *aws_member_namespace(struct aws_member member)
{
    return member_rare_text(member, 0);
}

const char *aws_member_namespace_prefix(struct aws_member member)
{
    return member_rare_text(member, 4);
}

const char *aws_member_context(struct aws_member member)
{
    return member_rare_text(member, 12);
}
