/* Files as bodies: frames with their trailer, sent again from the start; answers into files, whole or not at all. */
#include "aws/stream.h"
#include "aws_world.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Files that are really there. */
struct place {
    struct world world; /* first */
    char folder[32], path[64];
};

static void place_init(struct place *place, struct view content)
{
    struct err err = ERR_INIT;

    *place = (struct place){.world = {.ops = &world_disk_ops}};
    snprintf(place->folder, sizeof(place->folder), "%s", "/tmp/dosrun-stream-XXXXXX");
    REQUIRE(mkdtemp(place->folder));
    snprintf(place->path, sizeof(place->path), "%s/file", place->folder);
    CHECK_INT(disk_write(&place->world, place->path, content, 0644, &err), 0);
}

static void place_clear(struct place *place)
{
    unlink(place->path);
    CHECK_INT(rmdir(place->folder), 0); /* nothing else is left there */
}

/* What is sent when it is asked for so many bytes at a time. */
static char *sent(const struct exchange_source *source, size_t step)
{
    char *out = mem_alloc((size_t)source->size + 1);
    struct err err = ERR_INIT;

    for (uint64_t at = 0; at < source->size; at += step)
        CHECK_INT(source->read(source->ctx, at, out + at, source->size - at < step ? (size_t)(source->size - at) : step,
                               &err),
                  0);
    CHECK_TEXT(err.message, "");
    return out;
}

TEST(stream_frames_a_file_with_its_checksum_behind)
{
    struct aws_headers headers = {0};
    struct err err = ERR_INIT;
    struct place place;

    place_init(&place, VIEW_LITERAL("abc"));
    struct aws_upload *upload = aws_upload_open(&place.world, place.path, &err);
    REQUIRE(upload);
    aws_headers_set(&headers, "Content-Encoding", VIEW_LITERAL("gzip"));
    const struct exchange_source *source = aws_upload_chunked(upload, CHECKSUM_CRC32, &headers);
    for (size_t step = 1; step < 60; step++) { /* each time from the start */
        char *text = sent(source, step);

        CHECK_TEXT(text, "3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n");
        free(text);
    }
    CHECK_TEXT(aws_headers_get(&headers, "content-encoding"), "gzip,aws-chunked");
    CHECK_TEXT(aws_headers_get(&headers, "x-amz-trailer"), "x-amz-checksum-crc32");
    CHECK_TEXT(aws_headers_get(&headers, "x-amz-decoded-content-length"), "3");
    aws_headers_clear(&headers);
    aws_upload_close(upload);
    place_clear(&place);
}

TEST(stream_frames_what_is_empty_and_what_is_large)
{
    static char large[(2 << 20) + 3];
    struct aws_headers headers = {0};
    struct err err = ERR_INIT;
    struct place place;

    place_init(&place, VIEW_LITERAL(""));
    struct aws_upload *upload = aws_upload_open(&place.world, place.path, &err);
    REQUIRE(upload);
    char *text = sent(aws_upload_chunked(upload, CHECKSUM_CRC32, &headers), 7);
    CHECK_TEXT(text, "0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n");
    free(text);
    aws_headers_clear(&headers);
    aws_upload_close(upload);
    place_clear(&place);

    memset(large, 'x', sizeof(large));
    place_init(&place, (struct view){large, sizeof(large)});
    upload = aws_upload_open(&place.world, place.path, &err);
    REQUIRE(upload);
    text = sent(aws_upload_chunked(upload, CHECKSUM_SHA256, &headers), 65536);
    CHECK(strncmp(text, "100000\r\nxxx", 11) == 0);
    CHECK(strncmp(text + 8 + (1 << 20), "\r\n100000\r\nxxx", 13) == 0);
    CHECK(strncmp(text + 2 * (10 + (1 << 20)) - 2, "\r\n3\r\nxxx\r\n0\r\nx-amz-checksum-sha256:", 35) == 0);
    free(text);
    aws_headers_clear(&headers);
    aws_upload_close(upload);
    place_clear(&place);
}

TEST(stream_refuses_what_is_no_file_and_what_changes)
{
    struct err err = ERR_INIT;
    struct place place;
    char byte;

    place_init(&place, VIEW_LITERAL("abc"));
    CHECK(!aws_upload_open(&place.world, "/nowhere/at/all", &err));
    CHECK_INT(err.kind, ERR_USAGE);
    CHECK(strstr(err.message, "/nowhere/at/all"));
    err_clear(&err);
    CHECK(!aws_upload_open(&place.world, place.folder, &err));
    CHECK_INT(err.kind, ERR_USAGE);
    err_clear(&err);
    struct aws_upload *upload = aws_upload_open(&place.world, place.path, &err);
    REQUIRE(upload);
    const struct exchange_source *source = aws_upload_plain(upload);
    CHECK_INT(source->read(source->ctx, 2, &byte, 1, &err), 0);
    CHECK_INT(byte, 'c');
    CHECK_INT(truncate(place.path, 1), 0);
    CHECK_INT(source->read(source->ctx, 0, &byte, 1, &err), -1);
    CHECK_INT(err.kind, ERR_CONFLICT);
    CHECK(strstr(err.message, "it changed while it was sent"));
    aws_upload_close(upload);
    place_clear(&place);
}

static struct aws_download *download_of(struct place *place)
{
    struct aws_service s3 = aws_service_find(aws_table_builtin(), "s3");

    return aws_download_new(&place->world, aws_operation_find(s3, VIEW_LITERAL("GetObject")), place->path, true);
}

static void download_take(struct aws_download *download, const char *sum, const char *text)
{
    const struct http_sink *sink = aws_download_sink(download);
    struct header header = {"x-amz-checksum-crc32", sum};
    struct err err = ERR_INIT;

    CHECK_INT(sink->begin(sink->ctx, &(struct http_answer){.status = 200, .headers = &header, .headers_len = 1}, &err),
              0);
    CHECK_INT(sink->add(sink->ctx, view_of(text), &err), 0);
    CHECK_TEXT(err.message, "");
}

static void content_is(struct place *place, const char *text)
{
    struct err err = ERR_INIT;
    struct buf found;

    buf_init(&found, 100);
    CHECK_INT(disk_read(&place->world, place->path, 100, &found, &err), 0);
    CHECK_TEXT(buf_text(&found), text);
    buf_free(&found);
}

TEST(stream_writes_a_file_when_all_of_it_came)
{
    struct err err = ERR_INIT;
    struct disk_stat stat;
    struct place place;

    place_init(&place, VIEW_LITERAL("before"));
    CHECK_INT(chmod(place.path, 0600), 0);
    struct aws_download *download = download_of(&place);
    download_take(download, "NSRBwg==", "abcd and then it was cut");
    content_is(&place, "before");
    download_take(download, "NSRBwg==", "abc");
    content_is(&place, "before");
    CHECK_INT(aws_download_finish(download, &err), 0);
    aws_download_free(download);
    content_is(&place, "abc");
    CHECK_INT(disk_stat(&place.world, place.path, &stat, &err), 0);
    CHECK_INT(stat.mode, 0600);
    place_clear(&place);
}

TEST(stream_leaves_the_file_when_bytes_are_wrong_or_missing)
{
    struct err err = ERR_INIT;
    struct place place;

    place_init(&place, VIEW_LITERAL("before"));
    struct aws_download *download = download_of(&place);
    download_take(download, "NSRBwg==", "abd");
    CHECK_INT(aws_download_finish(download, &err), -1);
    CHECK_INT(err.kind, ERR_SERVER);
    CHECK(err.retryable);
    aws_download_free(download);
    content_is(&place, "before");
    download = download_of(&place);
    download_take(download, "NSRBwg==", "ab");
    aws_download_free(download); /* given up */
    content_is(&place, "before");
    place_clear(&place);
}
