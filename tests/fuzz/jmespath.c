/* Two lines: an expression and a document that it is searched in. Whatever parses is searched, within its steps. */
#include "aws/jmespath.h"
#include "codec/json.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *line = size ? memchr(text, '\n', size) : NULL;
    size_t len = line ? (size_t)(line - text) : size;
    struct err err = ERR_INIT;
    struct jmespath *path = jmespath_parse((struct view){text, len}, &err);
    struct doc *doc = line ? json_parse((struct view){line + 1, size - len - 1}, &err) : NULL;
    struct doc *found = path ? jmespath_search(path, doc, &err) : NULL;

    doc_unref(found);
    doc_unref(doc);
    jmespath_free(path);
    return 0;
}
