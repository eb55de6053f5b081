/* Whatever yaml_parse takes, yaml_add and json_add write so that it reads back the same. */
#include "codec/json.h"
#include "codec/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_back(const struct doc *doc, bool sorted)
{
    struct err err = ERR_INIT;
    struct yaml_file *file;
    struct doc *back;
    struct buf out;

    buf_init(&out, SIZE_MAX);
    yaml_add(&out, doc, sorted);
    file = yaml_parse("back", buf_view(&out), &err);
    if (!file || yaml_count(file) != 1 || !doc_equal(doc, yaml_doc(file, 0)))
        abort();
    yaml_free(file);
    buf_reset(&out);
    json_add(&out, doc, sorted ? JSON_SORTED : JSON_COMPACT);
    back = json_parse(buf_view(&out), &err);
    if (!doc_equal(doc, back))
        abort();
    doc_unref(back);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct yaml_file *file = yaml_parse("input", (struct view){(const char *)data, size}, &err);
    struct doc *values;

    if (!file)
        return 0;
    for (size_t i = 0; i < yaml_count(file); i++)
        check_back(yaml_doc(file, i), i % 2);
    values = doc_object();
    doc_set_int(values, "n", 3);
    doc_set_text(values, "s", "text");
    if (yaml_substitute(file, values, NULL, &err) == 0 && yaml_count(file))
        check_back(yaml_doc(file, 0), false);
    doc_unref(values);
    yaml_free(file);
    return 0;
}
