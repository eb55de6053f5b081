-- The simulated AWS account: which operations there are, by service (botocore's names), and what they share. An
-- operation is a function of its input (by member names) and of who calls; it returns the output, or fails with one of
-- AWS's errors. Times are seconds since 1970, blobs are base64.
local common = require "aws_common"
local eks = require "aws_eks"
local M = {
  ecr = require "aws_ecr",
  eks = { DescribeCluster = eks.DescribeCluster, ListClusters = eks.ListClusters },
  iam = require "aws_iam",
  s3 = require "aws_s3",
  sts = require "aws_sts",
  add_cluster = eks.add,
}

-- What a request is about, for faults: kind and key.
function M.target(input, call)
  local of = common.targets[call.service]
  if of then return of(input, call) end
end

return M
