/* Packs: tables of further services, from bytes that somebody else gives. */
#include "aws/model_rows.h"

#include <stdlib.h>

struct aws_table *aws_table_open(struct view bytes, struct err *err)
{
    struct aws_table *table = mem_alloc(sizeof(*table));

    if (aws_table_init(table, bytes, err) == 0 && aws_table_check(table, err) == 0)
        return table;
    free(table);
    return NULL;
}

void aws_table_close(struct aws_table *table)
{
    free(table);
}

const char *aws_table_source(const struct aws_table *table)
{
    return table ? aws_text(table, aws_u32(table->bytes + 16)) : "";
}
