/* The table that is compiled in: table.bin, as it is, in the read-only part of the program. */
#include "aws/model_rows.h"

#include <assert.h>

__asm__(".section .rodata\n"
        ".balign 8\n"
        ".hidden aws_builtin_bytes\n"
        ".global aws_builtin_bytes\n"
        "aws_builtin_bytes:\n"
        ".incbin \"" AWS_TABLE_FILE "\"\n"
        ".hidden aws_builtin_end\n"
        ".global aws_builtin_end\n"
        "aws_builtin_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char aws_builtin_bytes[], aws_builtin_end[];

/* Its rows are checked by the tests, not at each start. */
const struct aws_table *aws_table_builtin(void)
{
    static struct aws_table table;

    if (!table.bytes) {
        struct err err = ERR_INIT;
        struct view bytes = {aws_builtin_bytes, (size_t)(aws_builtin_end - aws_builtin_bytes)};
        int result = aws_table_init(&table, bytes, &err);

        assert(result == 0);
        (void)result;
    }
    return &table;
}
