/*
 * The httpChecksum trait: a request says which checksum its body has, an answer brings one.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-dataintegrity.html
 * Checksums of what is in memory go in a header. botocore puts those of all streams behind the body (aws-chunked) over
 * TLS, as upload.c does for files; S3 takes both.
 */
#include "aws/customize.h"

#include "base/digest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char PREFIX[] = "x-amz-checksum-";

/* Not a sum but about sums: x-amz-checksum-algorithm, -mode, -type. */
static bool is_sum(const char *name)
{
    const char *rest = name + sizeof(PREFIX) - 1;

    return strncasecmp(name, PREFIX, sizeof(PREFIX) - 1) == 0 && !strchr(rest, '-') &&
           strcasecmp(rest, "algorithm") != 0 && strcasecmp(rest, "mode") != 0 && strcasecmp(rest, "type") != 0;
}

static bool when_required(const struct aws_config *config, const char *env, const char *name)
{
    const char *text = aws_custom_setting(config, env, name);

    return text && strcasecmp(text, "when_required") == 0;
}

static const char *wire_name_of(struct aws_operation operation, const char *member)
{
    struct aws_member found = aws_shape_member_find(aws_operation_input(operation), view_of(member));

    return found.table ? aws_member_wire(found) : "";
}

/* Asks for the answer's checksum. */
static void mode_ask(const struct aws_config *config, struct aws_operation operation, struct aws_wire *wire,
                     struct aws_custom *custom)
{
    const char *member = aws_operation_checksum_mode_member(operation);
    const char *name = wire_name_of(operation, member);

    if (!name[0] || custom->presigned)
        return;
    if (!aws_headers_get(&wire->headers, name) &&
        !when_required(config, "AWS_RESPONSE_CHECKSUM_VALIDATION", "response_checksum_validation"))
        aws_headers_set(&wire->headers, name, VIEW_LITERAL("ENABLED"));
    custom->checked = aws_headers_get(&wire->headers, name) != NULL;
}

int aws_checksum_write(const struct aws_config *config, struct aws_operation operation, const struct doc *params,
                       struct aws_wire *wire, struct aws_custom *custom, struct err *err)
{
    const char *member = aws_operation_checksum_member(operation);
    const struct doc *asked = member[0] ? doc_get(params, member) : NULL;
    enum checksum_kind kind = CHECKSUM_CRC32;
    char name[64];
    struct buf sum;

    mode_ask(config, operation, wire, custom);
    for (size_t i = 0; i < wire->headers.len; i++)
        if (is_sum(wire->headers.list[i].name))
            return 0;
    if (asked && (kind = checksum_find(doc_as_view(asked))) == CHECKSUM_NONE) {
        err_set(err, ERR_USAGE,
                "%s: \"%.40s\" is no checksum that dosrun can make (CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512)",
                member, doc_as_text(asked, ""));
        err_explain(err, "A101");
        return -1;
    }
    if (!asked && (custom->presigned || (!aws_operation_checksum_required(operation) &&
                                         (!member[0] || when_required(config, "AWS_REQUEST_CHECKSUM_CALCULATION",
                                                                      "request_checksum_calculation")))))
        return 0;
    if (!asked && wire_name_of(operation, member)[0])
        aws_headers_set(&wire->headers, wire_name_of(operation, member), VIEW_LITERAL("CRC32"));
    if (wire->from_file) {
        custom->sum = kind;
        return 0;
    }
    buf_init(&sum, 2 * CHECKSUM_SIZE_MAX);
    checksum_add_base64(&sum, kind, buf_view(&wire->body));
    snprintf(name, sizeof(name), "%s%s", PREFIX, checksum_name(kind));
    aws_headers_set(&wire->headers, name, buf_view(&sum));
    buf_free(&sum);
    return 0;
}

static bool is_listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (; *list; list += strcspn(list, ","), list += *list == ',')
        if (strcspn(list, ",") == len && strncasecmp(list, name, len) == 0)
            return true;
    return false;
}

bool aws_checksum_expected(struct aws_operation operation, const struct aws_answer *answer,
                           struct aws_expected *expected)
{
    /* The cheapest first, as botocore. */
    static const enum checksum_kind order[] = {CHECKSUM_CRC64NVME, CHECKSUM_CRC32C, CHECKSUM_CRC32,
                                               CHECKSUM_SHA1,      CHECKSUM_SHA256, CHECKSUM_SHA512};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const char *want = NULL;
        char name[64];

        snprintf(name, sizeof(name), "%s%s", PREFIX, checksum_name(order[i]));
        for (size_t at = 0; at < answer->headers_len; at++)
            if (strcasecmp(answer->headers[at].name, name) == 0)
                want = answer->headers[at].value;
        if (!want || strchr(want, '-') ||
            !is_listed(aws_operation_checksum_responses(operation), checksum_name(order[i])))
            continue; /* with a "-" it is the sum of the parts' sums */
        expected->kind = order[i];
        snprintf(expected->text, sizeof(expected->text), "%s", want);
        return true;
    }
    return false;
}

int aws_checksum_judge(const struct aws_expected *expected, struct checksum *checksum, struct err *err)
{
    unsigned char bytes[CHECKSUM_SIZE_MAX];
    struct buf sum;
    bool same;

    buf_init(&sum, 2 * CHECKSUM_SIZE_MAX);
    base64_add(&sum, (struct view){(const char *)bytes, checksum_finish(checksum, bytes)});
    same = strcmp(buf_text(&sum), expected->text) == 0;
    if (!same) {
        err_set(err, ERR_SERVER, "the answer's bytes have the %s %s, and it says %.100s", checksum_name(expected->kind),
                buf_text(&sum), expected->text);
        err_explain(err, "A102");
        err->retryable = true;
    }
    buf_free(&sum);
    return same ? 0 : -1;
}

int aws_checksum_compare(struct aws_operation operation, const struct aws_answer *answer, struct err *err)
{
    struct aws_expected expected;
    struct checksum *checksum;

    if (!aws_checksum_expected(operation, answer, &expected))
        return 0;
    checksum = checksum_new(expected.kind);
    checksum_add(checksum, answer->body);
    return aws_checksum_judge(&expected, checksum, err);
}
