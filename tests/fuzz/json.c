/* Whatever json_parse takes, json_add writes so that it reads back the same, in every style. */
#include "codec/json.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct doc *doc = json_parse((struct view){(const char *)data, size}, &err), *back;
    struct buf out;

    if (!doc)
        return 0;
    buf_init(&out, SIZE_MAX);
    for (int style = JSON_COMPACT; style <= (JSON_SORTED | JSON_INDENTED); style++) {
        buf_reset(&out);
        json_add(&out, doc, style);
        back = json_parse(buf_view(&out), &err);
        if (!doc_equal(doc, back))
            abort();
        doc_unref(back);
    }
    buf_free(&out);
    doc_unref(doc);
    return 0;
}
