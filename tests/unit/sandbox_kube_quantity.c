/* Quantities in the server's form, and sets of fields. */
#include "sandbox/kube_fields.h"
#include "sandbox/kube_quantity.h"

#include "codec/json.h"
#include "unit.h"

static void check_quantity(const char *text, const char *want)
{
    struct buf out;

    buf_init(&out, 256);
    CHECK(quantity_canonical(&out, text) == (want != NULL));
    if (want)
        CHECK_TEXT(buf_text(&out), want);
    buf_free(&out);
}

TEST(kube_quantity_is_canonical)
{
    static const char *const pairs[][2] = {{"0.5", "500m"},  {"1000m", "1"},      {"1024Mi", "1Gi"},   {"1Gi", "1Gi"},
                                           {"10Gi", "10Gi"}, {"1.5Gi", "1536Mi"}, {"0", "0"},          {"1e3", "1e3"},
                                           {"1000", "1k"},   {"100m", "100m"},    {"250M", "250M"},    {"-1", "-1"},
                                           {"64Mi", "64Mi"}, {"2", "2"},          {"1000Ki", "1000Ki"}};

    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
        check_quantity(pairs[i][0], pairs[i][1]);
    check_quantity("ten", NULL);
    check_quantity("", NULL);
    CHECK_INT(quantity_milli("1.5"), 1500);
    CHECK_INT(quantity_milli("1Ki"), 1024000);
}

static struct doc *set_of(const char *text)
{
    struct err err = ERR_INIT;

    return json_parse(view_of(text), &err);
}

TEST(kube_quantity_sets_of_fields_combine)
{
    struct doc *a = set_of("{\"f:a\":{},\"f:b\":{\".\":{},\"f:c\":{}}}"),
               *b = set_of("{\"f:b\":{\"f:c\":{},\"f:d\":{}}}");
    struct doc *both = fieldset_union(a, b), *common = fieldset_intersection(a, b), *left = fieldset_difference(a, b);
    struct doc *want_both = set_of("{\"f:a\":{},\"f:b\":{\".\":{},\"f:c\":{},\"f:d\":{}}}");
    struct doc *want_common = set_of("{\"f:b\":{\"f:c\":{}}}"), *want_left = set_of("{\"f:a\":{},\"f:b\":{}}");

    CHECK(fieldset_equal(both, want_both));
    CHECK(fieldset_equal(common, want_common));
    CHECK(fieldset_equal(left, want_left));
    CHECK(!fieldset_equal(left, a));
    struct doc *all[] = {a, b, both, common, left, want_both, want_common, want_left};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        doc_unref(all[i]);
}
