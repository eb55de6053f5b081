#pragma once
/* aws.call: the undo of a resource that aws.ensure made or changed (resource.h has its data). */
#include "aws/resource.h"
#include "base/undo.h"

/* As undo_handler.start: looks, restores or deletes what is still as the run left it, looks again. */
void aws_undo_start(struct aws *aws, struct world *world, const struct undo_request *request, undo_done_fn *done, void *done_ctx);
