#pragma once
/*
 * The file of a service table, as tools/aws/generate.py writes it and model*.c read it. Nobody else includes this.
 *
 *   "dosrunA\0", version 1, size of the file, place of the source's text, number of sections       8 + 4 * 4 bytes
 *   of each section: where it begins (8-byte aligned), how many rows it has                         4 + 4 bytes
 *   the sections, in the order of enum aws_section; the last one is the pool of texts
 *
 * All is little endian. A text is its place in the pool, which begins with an empty one (0) and ends with a NUL. "+1" is
 * the row's number plus one, 0 for none. A run is a first row and a length. A list is the place of a length in NUMBERS,
 * followed by that many numbers. Fields are bytes wide unless it says bits.
 *
 *   SERVICES           0 name, 4 id, 8 api version, 12 endpoint prefix, 16 signing name, 20 target prefix, 24 json version,
 *                      28 namespace (texts) | 32 protocol 1 | 33 query compatible 1 | 34 list of all its exceptions 2
 *                      36 run of operations 4+4 | 44 run of waiters 4+4 | 52 run of parameters 2+2 | 56 list of rules 4
 *   OPERATIONS         0 text of the name 3, behind whose NUL the snake name lies and, if flagged, the result wrapper
 *                      3 flags 1 | 4 input +1 2 | 6 output +1 2 | 8 list of errors 2 | 10 traits 2. Sorted by snake name
 *   OPERATION_TRAITS   0 URI text 4 | 4 method 1 | 5 nothing 1 | 6 status 2 | 8 rare +1 2
 *   OPERATION_RARE     0 input's wire name, 4 its namespace, 8 host prefix, 12 checksum member, 16 mode member,
 *                      20 responses (texts) | 24 checksum required 2 | 26 run of contexts 2+4
 *   CONTEXTS           0 name, 4 text (texts) | 8 is a path 4
 *   WAITERS            0 text of the name, then the snake name, 4 operation text | 8 delay 4 | 12 attempts 4
 *                      16 run of acceptors 4+4. Sorted by snake name
 *   ACCEPTORS          0 state, 4 matcher, 8 argument, 12 expected (texts)
 *   PAGINATED          0 operation 2 | 2 pages 2. Sorted
 *   PAGES              0 input token, 3 output token, 6 limit key, 9 result key, 12 more results, 15 others (texts of 3)
 *   SHAPES             0 type: 4 bits, traits: 12 bits | 2 first 2 | 4 length 2: a run of LISTS, for strings of VALUES
 *   SHAPE_TRAITS       0 flags 2 | 2 time 1 | 3 payload (index of a member, 0xffff) 2 | 5 range +1 2 | 7 rare +1 2
 *   SHAPE_RARE         0 wire name, 4 namespace, 8 its prefix (texts)
 *   RANGES             0 least +1 2 | 2 most +1 2, rows of BOUNDS
 *   BOUNDS             0 double 8
 *   NAMED              0 shape 2 | 2 name text 3 | 5 error code text 3 | 8 error status 2. Sorted: shapes that have a name
 *   VALUES             0 text of an enum's value 3
 *   LISTS              0 member 2
 *   MEMBERS            6 bytes, from the lowest bit: name text 20 bits, shape 14, traits 13, required 1
 *   MEMBER_TRAITS      0 wire name text 3 | 3 common 2
 *   MEMBER_COMMON      0 location: 4 bits, time: 4 bits | 1 flags 2 | 3 rare +1 1
 *   MEMBER_RARE        0 namespace, 4 its prefix, 8 query name, 12 endpoint context (texts)
 *   RULES              0 type 2 | 2 list of conditions 2 | 4 body 2 | 6 properties 2 | 8 headers 2. A tree's body is a list
 *                      of rules, another's an expression; rows before this one
 *   CONDITIONS         0 expression 2 | 2 assigned variable +1 2
 *   EXPRESSIONS        0 type 1 | 1 fn 1 | 2 list of arguments 2 | 4 value 4: an expression's text, integer or variable.
 *                      Arguments are rows before this one
 *   EXPRESSION_TEXTS   0 text 4
 *   PARAMETERS         0 variable 2 | 2 type 1 | 3 required 1 | 4 default's expression +1 2 | 6 nothing 2 | 8 built-in text 4
 *   VARIABLES          0 text 4
 *   PARTITIONS         0 name, 4 regex, 8 region, 12 suffix, 16 dual-stack suffix (texts) | 20 flags 2 | 22 run of regions 2+4
 *   REGIONS            0 text 4
 *   NUMBERS            0 number 2
 *   TEXT               the pool
 */
#include "aws/model.h"
#include "aws/rules_rows.h"

#include <string.h>

enum {
    AWS_FILE_VERSION = 1,
    AWS_FILE_HEADER = 24,
    AWS_ROW_NOWHERE = 0xffff,
    AWS_OPERATION_WRAPPED = 64, /* a bit of an operation's flags that is not told */
};
#define AWS_FILE_MAGIC "dosrunA"

enum aws_section {
    AWS_SERVICES, AWS_OPERATIONS, AWS_OPERATION_TRAITS, AWS_OPERATION_RARE, AWS_CONTEXTS, AWS_WAITERS, AWS_ACCEPTORS,
    AWS_PAGINATED, AWS_PAGES,
    AWS_SHAPES, AWS_SHAPE_TRAITS, AWS_SHAPE_RARE, AWS_RANGES, AWS_BOUNDS, AWS_NAMED, AWS_VALUES, AWS_LISTS, AWS_MEMBERS,
    AWS_MEMBER_TRAITS, AWS_MEMBER_COMMON, AWS_MEMBER_RARE,
    AWS_RULES, AWS_CONDITIONS, AWS_EXPRESSIONS, AWS_EXPRESSION_TEXTS, AWS_PARAMETERS, AWS_VARIABLES, AWS_PARTITIONS,
    AWS_REGIONS, AWS_NUMBERS,
    AWS_TEXT,
    AWS_SECTIONS,
};

/* Bytes of a row. */
static const uint8_t aws_row_sizes[AWS_SECTIONS] = {
    60, 12, 10, 32, 12, 24, 16, 4, 18, 6, 9, 12, 4, 8, 10, 3, 2, 6, 5, 4, 16, 10, 4, 8, 4, 12, 4, 28, 4, 2, 1,
};

/* Where the sections of a file are; the bytes are borrowed. */
struct aws_table {
    const uint8_t *bytes;
    const uint8_t *rows[AWS_SECTIONS];
    uint32_t counts[AWS_SECTIONS];
};

/* From the header alone: ERR_USAGE (A105) when it or the directory is wrong. */
int aws_table_init(struct aws_table *table, struct view bytes, struct err *err) __attribute__((warn_unused_result));
/* All rows; with it no accessor can leave the bytes, and rules end (model_check.c). */
int aws_table_check(const struct aws_table *table, struct err *err) __attribute__((warn_unused_result));

static inline uint32_t aws_u8(const uint8_t *at) { return at[0]; }
static inline uint32_t aws_u16(const uint8_t *at) { return (uint32_t)(at[0] | at[1] << 8); }
static inline uint32_t aws_u24(const uint8_t *at) { return aws_u16(at) | (uint32_t)at[2] << 16; }
static inline uint32_t aws_u32(const uint8_t *at) { return aws_u16(at) | aws_u16(at + 2) << 16; }

static inline const uint8_t *aws_row(const struct aws_table *table, enum aws_section section, size_t row)
{
    return table->rows[section] + row * aws_row_sizes[section];
}

static inline const char *aws_text(const struct aws_table *table, uint32_t place)
{
    return (const char *)table->rows[AWS_TEXT] + place;
}

static inline const char *aws_text_after(const char *text) { return text + strlen(text) + 1; }

/* Lists are 2-byte aligned and the file is little endian, as every machine that we build for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "lists of numbers are read where they lie");
static inline struct aws_numbers aws_list(const struct aws_table *table, uint32_t place)
{
    const void *at = aws_row(table, AWS_NUMBERS, place);
    const uint16_t *words = at;

    return (struct aws_numbers){words + 1, words[0]};
}

static inline uint64_t aws_member_bits(const struct aws_table *table, size_t row)
{
    const uint8_t *at = aws_row(table, AWS_MEMBERS, row);

    return aws_u32(at) | (uint64_t)aws_u16(at + 4) << 32;
}
static inline uint32_t aws_bits_name(uint64_t bits) { return bits & 0xfffff; }
static inline uint32_t aws_bits_shape(uint64_t bits) { return bits >> 20 & 0x3fff; }
static inline uint32_t aws_bits_traits(uint64_t bits) { return bits >> 34 & 0x1fff; }
static inline bool aws_bits_required(uint64_t bits) { return bits >> 47; }
