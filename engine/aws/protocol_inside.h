#pragma once
/*
 * What the protocols' files share; for them only. A value is walked with its shape and with the member that it is the value
 * of: none for the whole input or output. Traits are the member's, else its shape's.
 */
#include "aws/protocol.h"
#include "codec/xml.h"

enum { PROTOCOL_DEPTH_MAX = 64 };

/* ---- traits (traits.c) ---- */

const char *aws_wire_name_or(struct aws_member member, const char *fallback); /* its name on the wire */
const char *aws_wire_name(struct aws_member member);                            /* else its own name */
bool aws_member_flattened(struct aws_member member);
bool aws_member_is_json_header(struct aws_member member);
bool aws_member_is_around(struct aws_member member); /* of an answer: in its headers or its status (URI and query have no meaning) */
bool aws_shape_is_document(struct aws_shape shape);
bool aws_shape_is_raw(struct aws_shape shape); /* a payload that is its bytes: a blob or a string */
const char *aws_type_word(enum aws_type type); /* "structure", "list", ... */
struct doc *aws_union_unknown(const char *tag); /* {SDK_UNKNOWN_MEMBER = {name = tag}}, botocore's word for it */

/* ---- scalars (time.c, scalar.c) ---- */

/* Microseconds since 1970. False: it is no time, or none of the years 1 to 9999. */
bool aws_time_parse_us(struct view text, int64_t *us);
bool aws_time_of_doc(const struct doc *value, int64_t *us);
void aws_time_add_us(struct buf *out, int64_t us, enum aws_time format);
struct doc *aws_time_doc(int64_t us);      /* as documents hold it */
struct doc *aws_time_unix_doc(int64_t us); /* whole seconds are an integer */

/* Texts and numbers as they stand in a URI, a header, a form or an element. time: for timestamps without a format. */
void aws_scalar_add(struct buf *out, struct aws_member member, struct aws_shape shape, const struct doc *value, enum aws_time time);
/* Back; NULL when the text is no such value. */
struct doc *aws_scalar_parse(struct aws_shape shape, struct view text);
/* Base64 of a blob or a text. NULL: it is none. */
struct doc *aws_blob_parse(struct view text);
void aws_blob_add(struct buf *out, const struct doc *value);

/* ---- where in a document something is (place.c) ---- */

/* From the outermost to the innermost; lives on the stack of the walk. */
struct aws_place {
    const struct aws_place *outer; /* NULL: the whole */
    const char *name;          /* of a member or a key; NULL: index counts */
    size_t index;
};
void aws_place_add(struct buf *out, const struct aws_place *place); /* "vpcConfig.subnetIds[2]"; "" for the whole */
/* ERR_SERVER, A102: "...: cluster.name: an object is not a string". NULL. */
struct doc *aws_place_bad(const struct aws_place *place, struct err *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
enum { AWS_SHOWN_MAX = 64 };
/* What somebody else wrote, for an error: cut, without control bytes. Returns out. */
const char *aws_shown(const char *text, char out[AWS_SHOWN_MAX]);
const char *aws_article(const char *word); /* "a", "an" */

/* ---- requests ---- */

void aws_query_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire);
void aws_json_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire);
int aws_rest_write(struct aws_operation operation, const struct doc *params, struct aws_wire *wire, struct err *err)
    __attribute__((warn_unused_result));
void aws_header_add(struct buf *out, struct aws_member member, const struct doc *value);
/* The value as JSON has it; with only_body, of a structure only what has no other location. */
struct doc *aws_json_wire(struct aws_shape shape, struct aws_member member, const struct doc *value, bool only_body);
/* An element and what is in it. */
void aws_xml_write(struct buf *out, struct aws_shape shape, struct aws_member member, const char *name, const char *namespace,
               const struct doc *value, bool only_body);

/* ---- answers ---- */

/* A body of JSON, {} for an empty one. A new reference; NULL with ERR_SERVER. */
struct doc *aws_json_body(struct view body, struct err *err);
struct doc *aws_json_read(struct aws_shape shape, const struct doc *wire, const struct aws_place *place, struct err *err);
struct xml *aws_xml_body(struct view body, struct err *err);
/* Of a structure's element (an exception's: the one around its members). */
struct doc *aws_xml_read(struct aws_shape shape, const struct xml *xml, const struct aws_place *place, struct err *err);
struct doc *aws_query_read(struct aws_operation operation, struct view body, struct err *err);
struct doc *aws_rest_read(struct aws_operation operation, struct aws_shape shape, const struct aws_answer *answer, struct err *err);
/* Frames of application/vnd.amazon.eventstream: a list of events, each {type: its value}; initial gets the payload of an
   initial-response among them (may be NULL). */
struct doc *aws_events_read(struct aws_shape shape, struct view body, bool xml, struct buf *initial,
                            const struct aws_place *place, struct err *err);
/* A structure of the json protocols with a member that is a stream: all others come in the initial response. */
struct doc *aws_events_answer(struct aws_shape shape, struct aws_member member, struct view body, struct err *err);
const char *aws_answer_header(const struct aws_answer *answer, const char *name); /* NULL */
/* The element that an error's members are in: of <ErrorResponse>, of <Response><Errors>, or the root. */
const struct xml *aws_xml_error(const struct xml *root);
/* "an empty body", an HTML page's words, or the beginning of what came, in quotes, on one line. */
void aws_excerpt_add(struct buf *out, struct view body);
/* The same of a result, which may be somebody's secret: only an HTML page is quoted. */
void aws_excerpt_result_add(struct buf *out, struct view body);
enum err_kind aws_error_kind(const char *code, int status, bool *retryable);
void aws_error_code_set(struct err *err, const char *code); /* cut to its place */
