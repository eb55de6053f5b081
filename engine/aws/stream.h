#pragma once
/*
 * Payloads that stay on disk: a file as a request's body (upload.c), an answer's payload into a file (download.c). Neither is
 * in memory, whatever its size.
 */
#include "aws/customize.h"
#include "http/http.h"

/* ---- a file as a body ---- */

/* Over TLS the checksum comes behind the body (aws-chunked), so that the file is read once; else it is in a header, as the
   body's digest is in the signature, and the file is read before:
   https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html */
#define AWS_TRAILER_SHA256 "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

struct aws_upload;
/* NULL and ERR_USAGE, with its path, for what is missing, cannot be read, is no ordinary file. */
struct aws_upload *aws_upload_open(struct world *world, const char *path, struct err *err);
void aws_upload_close(struct aws_upload *upload); /* accepts NULL */
/* Its bytes as they are. A file that is changed while it is sent ends the request: ERR_CONFLICT. Borrowed; one at a time. */
const struct exchange_source *aws_upload_plain(struct aws_upload *upload);
/* In chunks, with the checksum of this kind as trailer; adds the headers that say so. */
const struct exchange_source *aws_upload_chunked(struct aws_upload *upload, enum checksum_kind kind, struct aws_headers *headers);
/* Reads all of it for its sums; as disk_sum_start. */
struct disk_sum *aws_upload_sum(struct aws_upload *upload, enum checksum_kind kind, disk_sum_fn *fn, void *ctx);

/* ---- an answer into a file ---- */

struct aws_download;
/* Into a neighbour (disk_neighbour), begun anew by each attempt. checked: against the checksum that the answer brings. Sends
   and writes nothing yet. */
struct aws_download *aws_download_new(struct world *world, struct aws_operation operation, const char *path, bool checked);
const struct http_sink *aws_download_sink(struct aws_download *download); /* borrowed */
/* All of it came: compares, syncs, gives it its name. */
int aws_download_finish(struct aws_download *download, struct err *err) __attribute__((warn_unused_result));
void aws_download_free(struct aws_download *download); /* what is not finished is removed; accepts NULL */
