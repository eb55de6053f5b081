-- A bucket, a repository and a role; `second` changes fields of each.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local account = dosrun.playbook { "account", args = { { "shape", dosrun.choice { "first", "second" } } } }

local function trust(service)
  return { Version = "2012-10-17", Statement = dosrun.array {
    { Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole" } } }
end

local function allow(action)
  return { Version = "2012-10-17", Statement = dosrun.array { { Effect = "Allow", Action = action, Resource = "*" } } }
end

local function pull(service)
  return { Version = "2012-10-17", Statement = dosrun.array {
    { Effect = "Allow", Principal = { Service = service }, Action = { "ecr:BatchGetImage" } } } }
end

local shapes = {
  first = { tags = { team = "games", stage = "test" }, lifecycle = 14, encryption = "AES256", mutability = "MUTABLE",
    service = "ec2.amazonaws.com",
    policies = { "AmazonEC2ContainerRegistryReadOnly", "AmazonSSMManagedInstanceCore" }, inline = { logs = allow "logs:PutLogEvents" } },
  second = { tags = { team = "arcade" }, lifecycle = 30, encryption = "aws:kms", key = "alias/games", mutability = "IMMUTABLE",
    service = "eks.amazonaws.com",
    policies = { "AmazonEC2ContainerRegistryReadOnly", "AmazonEKSClusterPolicy" },
    inline = { logs = allow "logs:CreateLogStream", metrics = allow "cloudwatch:PutMetricData" } },
}

account:step("images", function(run)
  local shape = shapes[run.args.shape]
  return aws.ensure { kind = "ecr.repository", name = "games/doom", tags = shape.tags, scan_on_push = true,
    tag_mutability = shape.mutability, policy = pull(shape.service), lifecycle = { rules = dosrun.array { { rulePriority = 1,
      selection = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = shape.lifecycle },
      action = { type = "expire" } } } } }
end)

account:step("saves", { needs = {} }, function(run)
  local shape = shapes[run.args.shape]
  return aws.ensure { kind = "s3.bucket", name = "dosrun-games-saves", tags = shape.tags, encryption = shape.encryption,
    encryption_key = shape.key, lifecycle = dosrun.array { { ID = "old", Status = "Enabled", Filter = { Prefix = "old/" },
      Expiration = { Days = shape.lifecycle } } },
    policy = { Version = "2012-10-17", Statement = dosrun.array { { Effect = "Deny", Principal = "*", Action = "s3:*",
      Resource = "arn:aws:s3:::dosrun-games-saves/" .. run.args.shape } } },
    public_access_block = { BlockPublicAcls = true, IgnorePublicAcls = true, BlockPublicPolicy = shape.mutability == "MUTABLE",
      RestrictPublicBuckets = true } }
end)

account:step("role", { needs = { "images" } }, function(run, from)
  local shape, policies = shapes[run.args.shape], {}
  for i, policy in ipairs(shape.policies) do policies[i] = "arn:aws:iam::aws:policy/" .. policy end
  return aws.ensure { kind = "iam.role", name = "games-node", tags = shape.tags, trust = trust(shape.service), policies = policies,
    inline = shape.inline, description = "pulls from " .. from.images.repositoryUri, max_session = shape.lifecycle * 360 }
end)

return account
