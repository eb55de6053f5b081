/* Whatever xml_parse takes, written again by its escapes, reads back as the same tree. */
#include "codec/xml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Attributes with a prefix get one of ours. */
static void add(struct buf *out, const struct xml *xml)
{
    buf_addf(out, "<%s xmlns:fuzz=\"urn:fuzz\"", xml->name);
    for (const struct xml_attribute *at = xml->attributes; at; at = at->next) {
        buf_addf(out, at->prefixed ? " fuzz:%s=\"" : " %s=\"", at->name);
        xml_add_value(out, at->value);
        buf_add_text(out, "\"");
    }
    buf_add_text(out, ">");
    xml_add_text(out, xml->text);
    for (const struct xml *child = xml->child; child; child = child->next)
        add(out, child);
    buf_addf(out, "</%s>", xml->name);
}

/* Two prefixed attributes of one name cannot be told apart any more. */
static bool is_plain(const struct xml *xml)
{
    for (const struct xml_attribute *a = xml->attributes; a; a = a->next)
        for (const struct xml_attribute *b = a->next; b; b = b->next)
            if (strcmp(a->name, b->name) == 0)
                return false;
    for (const struct xml *child = xml->child; child; child = child->next)
        if (!is_plain(child))
            return false;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    struct xml *xml = xml_parse((struct view){(const char *)data, size}, &err), *back;
    struct buf first, second;

    if (!xml) {
        if (err.kind != ERR_USAGE || !err.message[0])
            abort();
        return 0;
    }
    buf_init(&first, SIZE_MAX);
    buf_init(&second, SIZE_MAX);
    add(&first, xml);
    if (is_plain(xml)) {
        back = xml_parse(buf_view(&first), &err);
        if (!back)
            abort();
        add(&second, back);
        if (!view_equal(buf_view(&first), buf_view(&second)))
            abort();
        xml_free(back);
    }
    buf_free(&first);
    buf_free(&second);
    xml_free(xml);
    return 0;
}
