/* What the client does with secrets: a sensitive answer becomes a mark, and a mark becomes the same bytes again. */
#include "aws/aws.h"
#include "aws_world.h"
#include "base/secret.h"
#include "unit.h"

#include <string.h>

#define KEY_BASE64 "/wCAQcOp/g==" /* ff 00 80 41 c3 a9 fe: a NUL, and no UTF-8 */

struct client {
    struct aws_world world;
    struct marks *marks;
    struct aws *aws;
    struct doc *result;
    struct buf bodies;
};

static void serve(void *ctx, const struct aws_world_ask *ask, struct aws_world_answer *answer)
{
    struct client *client = ctx;

    buf_add_text(&client->bodies, ask->body);
    answer->status = 200;
    answer->body =
        mem_text(ask->count == 1 ? "{\"KeyId\": \"k\", \"Plaintext\": \"" KEY_BASE64 "\", \"CiphertextBlob\": \"/w==\"}"
                                 : "{\"KeyId\": \"k\"}");
}

static void answered(void *ctx, const struct doc *result, const struct http_answer *answer, const struct err *err)
{
    struct client *client = ctx;

    (void)answer;
    CHECK_TEXT(err ? err->message : "", "");
    client->result = doc_copy(result);
}

static void call(struct client *client, const char *operation, struct doc *params)
{
    struct aws_service kms = aws_service_find(aws_table_builtin(), "kms");

    doc_unref(client->result);
    client->result = NULL;
    aws_send(client->aws,
             &(struct aws_request){
                 .operation = aws_operation_find(kms, view_of(operation)), .params = params, .region = "eu-west-1"},
             answered, client);
    doc_unref(params);
    aws_world_run(&client->world);
}

TEST(secret_bytes_are_marked_and_sent_as_they_were)
{
    struct client client = {.marks = marks_new(view_of("run key"))};
    struct doc *params = doc_object();

    aws_world_init(&client.world);
    client.world.serve = serve;
    client.world.ctx = &client;
    aws_world_set(&client.world, "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    aws_world_set(&client.world, "AWS_SECRET_ACCESS_KEY", "hush");
    buf_init(&client.bodies, 1 << 20);
    client.aws = aws_new(&client.world.base, client.world.http, client.marks,
                         aws_world_config(&client.world, NULL, NULL), aws_table_builtin());
    doc_set_text(params, "KeyId", "k");
    doc_set_text(params, "KeySpec", "AES_256");
    call(&client, "GenerateDataKey", params);
    REQUIRE(client.result);
    CHECK(marks_find(doc_as_view(doc_get(client.result, "Plaintext"))));
    CHECK(!marks_find(doc_as_view(doc_get(client.result, "CiphertextBlob"))));
    params = doc_object();
    doc_set_text(params, "KeyId", "k");
    doc_set(params, "Plaintext", doc_ref(doc_get(client.result, "Plaintext")));
    call(&client, "Encrypt", params);
    CHECK(strstr(buf_text(&client.bodies), "\"Plaintext\":\"" KEY_BASE64 "\"") ||
          strstr(buf_text(&client.bodies), "\"Plaintext\": \"" KEY_BASE64 "\""));
    doc_unref(client.result);
    aws_free(client.aws);
    aws_world_clear(&client.world);
    marks_free(client.marks);
    buf_free(&client.bodies);
}
