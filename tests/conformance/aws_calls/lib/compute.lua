-- EKS, Lambda, CloudFormation: rest-json, query.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local eks = { name = "eks" }

function eks.there() return dosrun.try(aws.eks.describe_cluster, aws.eks, { name = "judge" }) ~= nil end

function eks.make()
  local c, subnets = aws.eks, dosrun.array {}
  for i, one in ipairs(aws.ec2:items("describe_subnets", { Filters = dosrun.array { { Name = "tag:judge", Values = dosrun.array { "ec2" } } } })) do
    subnets[i] = one.SubnetId
  end
  local role = aws.iam:get_role { RoleName = "judge-node" }.Role.Arn
  local arn = c:create_cluster { name = "judge", roleArn = role, version = "1.31", resourcesVpcConfig = { subnetIds = subnets },
    tags = { team = "games", ["a b"] = "c/d" } }.cluster.arn
  c:wait("cluster_active", { name = "judge" })
  c:create_nodegroup { clusterName = "judge", nodegroupName = "nodes", subnets = subnets, nodeRole = role,
    scalingConfig = { minSize = 1, maxSize = 3, desiredSize = 2 }, labels = { use = "games" } }
  c:wait("nodegroup_active", { clusterName = "judge", nodegroupName = "nodes" })
  c:tag_resource { resourceArn = arn, tags = { stage = "test" } }
  c:untag_resource { resourceArn = arn, tagKeys = dosrun.array { "a b" } }
end

function eks.clear()
  aws.eks:delete_nodegroup { clusterName = "judge", nodegroupName = "nodes" }
  aws.eks:wait("nodegroup_deleted", { clusterName = "judge", nodegroupName = "nodes" })
  aws.eks:delete_cluster { name = "judge" }
  aws.eks:wait("cluster_deleted", { name = "judge" })
end

-- A zip of one stored file, index.py: a handler that returns its event.
local ZIP = table.concat {
  "504b0304140000000000000021003a46d6a61c0000001c00000008000000696e6465782e70796465662068616e646c657228652c206329",
  "3a2072657475726e20650a504b01021403140000000000000021003a46d6a61c0000001c000000080000000000000000000000a4010000",
  "0000696e6465782e7079504b0506000000000100010036000000420000000000",
}

local lambda = { name = "lambda" }

function lambda.there() return dosrun.try(aws.lambda.get_function, aws.lambda, { FunctionName = "judge" }) ~= nil end

function lambda.make()
  local c = aws.lambda
  local zip = ZIP:gsub("..", function(hex) return string.char(tonumber(hex, 16)) end)
  local role = aws.iam:get_role { RoleName = "judge-node" }.Role.Arn
  c:create_function { FunctionName = "judge", Runtime = "python3.12", Handler = "index.handler", Role = role, Code = { ZipFile = zip },
    Environment = { Variables = { GAME = "judge-doom" } }, Tags = { team = "games" } }
  c:wait("function_active_v2", { FunctionName = "judge" })
  c:update_function_configuration { FunctionName = "judge", Timeout = 10, MemorySize = 256 }
  c:wait("function_updated_v2", { FunctionName = "judge" })
  c:publish_version { FunctionName = "judge" }
  c:create_alias { FunctionName = "judge", Name = "live", FunctionVersion = "1" }
  c:add_permission { FunctionName = "judge", StatementId = "events", Action = "lambda:InvokeFunction", Principal = "events.amazonaws.com" }
end

function lambda.clear()
  aws.lambda:remove_permission { FunctionName = "judge", StatementId = "events" }
  aws.lambda:delete_alias { FunctionName = "judge", Name = "live" }
  aws.lambda:delete_function { FunctionName = "judge" }
end

local cloudformation = { name = "cloudformation" }

local function template(topics)
  local resources = {}
  for i = 1, topics do resources["Topic" .. i] = { Type = "AWS::SNS::Topic", Properties = { TopicName = "judge-stack-" .. i } } end
  return dosrun.json.encode { AWSTemplateFormatVersion = "2010-09-09", Description = "a & <b>", Resources = resources,
    Outputs = { First = { Value = { Ref = "Topic1" } } } }
end

function cloudformation.there()
  local found = dosrun.try(aws.cloudformation.describe_stacks, aws.cloudformation, { StackName = "judge" })
  return found ~= nil and found.Stacks[1] ~= nil and found.Stacks[1].StackStatus ~= "DELETE_COMPLETE"
end

function cloudformation.make()
  local c = aws.cloudformation
  c:validate_template { TemplateBody = template(1) }
  c:create_stack { StackName = "judge", TemplateBody = template(1), Tags = dosrun.array { { Key = "team", Value = "games" } } }
  c:wait("stack_create_complete", { StackName = "judge" })
  c:update_stack { StackName = "judge", TemplateBody = template(2) }
  c:wait("stack_update_complete", { StackName = "judge" })
end

function cloudformation.clear()
  aws.cloudformation:delete_stack { StackName = "judge" }
  aws.cloudformation:wait("stack_delete_complete", { StackName = "judge" })
end

return { eks, lambda, cloudformation }
