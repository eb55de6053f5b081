/*
 * The token of an EKS cluster, as aws-iam-authenticator reads it: "k8s-aws-v1." and, in base64url, a presigned
 * sts:GetCallerIdentity of the cluster's region that counts only with the header x-k8s-aws-id. The API server asks that
 * URL who we are; it takes it for 15 minutes after the date in it, whatever X-Amz-Expires says, and no other host than
 * AWS's own, so configured endpoints do not count.
 * https://github.com/kubernetes-sigs/aws-iam-authenticator#api-authorization-from-outside-a-cluster
 */
#include "aws/aws.h"

#include "base/digest.h"

enum { URL_EXPIRES_S = 60 };

struct aws_call *aws_eks_token(struct aws *aws, const char *region, const char *cluster, aws_answer_fn *fn, void *ctx)
{
    struct aws_service sts = aws_service_find(aws_table_of(aws), "sts");
    struct aws_headers headers = {0};
    struct aws_call *call;

    aws_headers_add(&headers, "x-k8s-aws-id", view_of(cluster));
    call = aws_presign(aws,
                       &(struct aws_request){.operation = aws_operation_find(sts, VIEW_LITERAL("GetCallerIdentity")),
                                             .region = region,
                                             .plain_endpoint = true,
                                             .headers = &headers,
                                             .subject = "token of the cluster"},
                       URL_EXPIRES_S, fn, ctx);
    aws_headers_clear(&headers);
    return call;
}

void aws_eks_token_add(struct buf *out, const struct doc *result)
{
    buf_add_text(out, "k8s-aws-v1.");
    base64url_add(out, doc_as_view(doc_get(result, "url")));
}
