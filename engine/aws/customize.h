#pragma once
/*
 * What the models do not say, as botocore does it in code: one table of (service, operations, hooks), in customize.c; S3's
 * hooks are in customize_s3.c, what the httpChecksum trait means in checksum.c.
 */
#include "aws/credentials.h"
#include "base/checksum.h"
#include "codec/doc.h"

/* What writing a request leaves for the reading of its answers. */
struct aws_custom {
    bool presigned;     /* somebody else sends it: no checksum unless one is asked for */
    bool keys_encoded;  /* we asked for names in URL encoding: they come back decoded */
    bool checked;       /* a checksum that the answer brings is compared */
    enum checksum_kind sum; /* that a body from a file still needs; CHECKSUM_NONE: none */
};

/* Before params are checked, once: what people may write differently, and what the service wants encoded. */
int aws_customize_params(struct aws_operation operation, struct doc *params, struct err *err) __attribute__((warn_unused_result));
/* After the request is written. */
int aws_customize_wire(const struct aws_config *config, struct aws_operation operation, const struct doc *params,
                       struct aws_wire *wire, struct aws_custom *custom, struct err *err) __attribute__((warn_unused_result));
/* As aws_answer_read, which it calls. */
struct doc *aws_customize_read(struct aws_operation operation, const struct aws_custom *custom, const struct aws_answer *answer,
                               struct err *err);
/* After aws_error_read. region: where it was sent; NULL: unknown. */
void aws_customize_error(struct aws_operation operation, const struct aws_answer *answer, const char *region, struct err *err);

/* ---- between the files ---- */

/* plus: "+" is a blank, as in forms. */
void aws_percent_decode(struct buf *out, struct view text, bool plus);
/* The setting of the environment, else of the profile; NULL. */
const char *aws_custom_setting(const struct aws_config *config, const char *env, const char *name);

/* The httpChecksum trait; after everything else that changes the body or the headers. */
int aws_checksum_write(const struct aws_config *config, struct aws_operation operation, const struct doc *params,
                       struct aws_wire *wire, struct aws_custom *custom, struct err *err) __attribute__((warn_unused_result));
/* Compares; ERR_SERVER (A102), to be sent again, when the bytes are not those that left. */
int aws_checksum_compare(struct aws_operation operation, const struct aws_answer *answer, struct err *err)
    __attribute__((warn_unused_result));

/* The checksum that an answer says it has. */
struct aws_expected {
    enum checksum_kind kind;
    char text[2 * CHECKSUM_SIZE_MAX]; /* base64 */
};
bool aws_checksum_expected(struct aws_operation operation, const struct aws_answer *answer, struct aws_expected *expected);
/* Frees the checksum. As aws_checksum_compare. */
int aws_checksum_judge(const struct aws_expected *expected, struct checksum *checksum, struct err *err)
    __attribute__((warn_unused_result));

typedef int aws_params_hook_fn(struct doc *params, struct err *err);
typedef int aws_wire_hook_fn(struct aws_operation operation, const struct doc *params, struct aws_wire *wire,
                             struct aws_custom *custom, struct err *err);
typedef void aws_result_hook_fn(const struct aws_custom *custom, struct doc *result);
aws_params_hook_fn aws_s3_bucket_check, aws_s3_metadata_check, aws_s3_key_encode, aws_s3_copy_key_encode, aws_s3_copy_source;
aws_wire_hook_fn aws_s3_encoding_ask, aws_s3_expect, aws_s3_line_breaks;
aws_result_hook_fn aws_s3_list_decode;
/* Copies of the headers without an Expires that is no date; NULL when nothing is wrong. *text: what it says, or NULL. */
struct header *aws_s3_expires_mend(const struct aws_answer *answer, size_t *len, const char **text);
/* Where the bucket really is, when that is why the answer failed; else NULL. Borrowed. */
const char *aws_s3_region_real(const struct aws_answer *answer, const char *region);
void aws_s3_region_tell(const struct aws_answer *answer, const char *region, struct err *err);
