-- S3, ECR, DynamoDB: rest-xml, json 1.1 and 1.0.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local BUCKET = "judge-objects"
-- Keys that encodings stumble over.
local KEYS = { "plain.txt", "a b/c+d.txt", "ümläut/日本語.txt", "a//b", "per%20cent", "q?x=1&y=2", "#hash", "~tilde.'()*!", "x<y>&\"z\"", "a/./b", " lead" }

local s3 = { name = "s3" }

function s3.there()
  for _, one in ipairs(aws.s3:items("list_buckets", {})) do
    if one.Name == BUCKET then return true end
  end
end

local function parts()
  local c, key = aws.s3, "parts/of many.bin"
  local upload = c:create_multipart_upload { Bucket = BUCKET, Key = key, ContentType = "application/x-judge" }.UploadId
  local done = dosrun.array {}
  for number, body in ipairs { ("x"):rep(5 << 20), "the rest\0\255" } do
    local part = c:upload_part { Bucket = BUCKET, Key = key, UploadId = upload, PartNumber = number, Body = body }
    done[number] = { PartNumber = number, ETag = part.ETag }
  end
  c:list_parts { Bucket = BUCKET, Key = key, UploadId = upload }
  c:complete_multipart_upload { Bucket = BUCKET, Key = key, UploadId = upload, MultipartUpload = { Parts = done } }
  local given_up = c:create_multipart_upload { Bucket = BUCKET, Key = key }.UploadId
  c:abort_multipart_upload { Bucket = BUCKET, Key = key, UploadId = given_up }
end

function s3.make()
  local c = aws.s3
  c:create_bucket { Bucket = BUCKET }
  c:wait("bucket_exists", { Bucket = BUCKET })
  c:put_bucket_tagging { Bucket = BUCKET, Tagging = { TagSet = dosrun.array { { Key = "team", Value = "games & <more>" } } } }
  c:put_bucket_versioning { Bucket = BUCKET, VersioningConfiguration = { Status = "Enabled" } }
  c:put_bucket_lifecycle_configuration { Bucket = BUCKET, LifecycleConfiguration = { Rules = dosrun.array { { ID = "old", Status = "Enabled",
    Filter = { Prefix = "tmp/" }, Expiration = { Days = 7 } } } } }
  c:put_bucket_cors { Bucket = BUCKET, CORSConfiguration = { CORSRules = dosrun.array { { AllowedMethods = dosrun.array { "GET", "PUT" },
    AllowedOrigins = dosrun.array { "https://judge.test" }, MaxAgeSeconds = 60 } } } }
  c:put_public_access_block { Bucket = BUCKET, PublicAccessBlockConfiguration = { BlockPublicAcls = true, IgnorePublicAcls = true,
    BlockPublicPolicy = false, RestrictPublicBuckets = false } }
  c:put_bucket_policy { Bucket = BUCKET, Policy = dosrun.json.encode { Version = "2012-10-17", Statement = dosrun.array {
    { Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::" .. BUCKET .. "/public/*" } } } }
  for i, key in ipairs(KEYS) do
    c:put_object { Bucket = BUCKET, Key = key, Body = "body " .. i .. " \0\255" .. key, ContentType = "text/plain; charset=utf-8",
      Metadata = { ["judge-number"] = tostring(i) } }
    local got = c:get_object { Bucket = BUCKET, Key = key }
    if got.Body ~= "body " .. i .. " \0\255" .. key then error { message = "s3: another body at " .. key, kind = "server" } end
  end
  c:wait("object_exists", { Bucket = BUCKET, Key = "a b/c+d.txt" })
  c:put_object { Bucket = BUCKET, Key = "plain.txt", Body = "changed" }
  c:copy_object { Bucket = BUCKET, Key = "copy of/ü+ü", CopySource = { Bucket = BUCKET, Key = "ümläut/日本語.txt" } }
  c:put_object_tagging { Bucket = BUCKET, Key = "a b/c+d.txt", Tagging = { TagSet = dosrun.array { { Key = "k", Value = "v w" } } } }
  parts()
end

function s3.clear()
  local c = aws.s3
  c:delete_object { Bucket = BUCKET, Key = "a b/c+d.txt" }
  local found = dosrun.array {}
  for page in c:pages("list_object_versions", { Bucket = BUCKET, MaxKeys = 5 }) do
    for _, list in ipairs { page.Versions or {}, page.DeleteMarkers or {} } do
      for _, one in ipairs(list) do found[#found + 1] = { Key = one.Key, VersionId = one.VersionId } end
    end
  end
  c:delete_objects { Bucket = BUCKET, Delete = { Objects = found } }
  c:delete_bucket_policy { Bucket = BUCKET }
  c:delete_public_access_block { Bucket = BUCKET }
  c:delete_bucket_cors { Bucket = BUCKET }
  c:delete_bucket { Bucket = BUCKET }
  c:wait("bucket_not_exists", { Bucket = BUCKET })
end

local ecr = { name = "ecr" }

function ecr.there()
  return dosrun.try(aws.ecr.describe_repositories, aws.ecr, { repositoryNames = dosrun.array { "judge/game" } }) ~= nil
end

function ecr.make()
  local c = aws.ecr
  local arn = c:create_repository { repositoryName = "judge/game", imageTagMutability = "IMMUTABLE",
    tags = dosrun.array { { Key = "team", Value = "games" } } }.repository.repositoryArn
  for _, name in ipairs { "judge/a", "judge/b" } do c:create_repository { repositoryName = name } end
  c:put_image_tag_mutability { repositoryName = "judge/game", imageTagMutability = "MUTABLE" }
  c:put_lifecycle_policy { repositoryName = "judge/game", lifecyclePolicyText = dosrun.json.encode { rules = dosrun.array { { rulePriority = 1,
    selection = { tagStatus = "untagged", countType = "imageCountMoreThan", countNumber = 3 }, action = { type = "expire" } } } } }
  c:tag_resource { resourceArn = arn, tags = dosrun.array { { Key = "stage", Value = "test" } } }
  c:get_authorization_token()
end

function ecr.clear()
  aws.ecr:delete_lifecycle_policy { repositoryName = "judge/game" }
  for _, name in ipairs { "judge/game", "judge/a", "judge/b" } do aws.ecr:delete_repository { repositoryName = name, force = true } end
end

local dynamodb = { name = "dynamodb" }
local TABLE = "judge-scores"

function dynamodb.there()
  for _, name in ipairs(aws.dynamodb:items("list_tables", {})) do
    if name == TABLE then return true end
  end
end

function dynamodb.make()
  local c = aws.dynamodb
  c:create_table { TableName = TABLE, BillingMode = "PAY_PER_REQUEST",
    AttributeDefinitions = dosrun.array { { AttributeName = "game", AttributeType = "S" }, { AttributeName = "score", AttributeType = "N" } },
    KeySchema = dosrun.array { { AttributeName = "game", KeyType = "HASH" }, { AttributeName = "score", KeyType = "RANGE" } } }
  c:wait("table_exists", { TableName = TABLE })
  for i = 1, 7 do
    c:put_item { TableName = TABLE, Item = { game = { S = "doom" }, score = { N = tostring(i * 1000) },
      data = { B = "\0\255" .. i }, names = { SS = dosrun.array { "ann", "jürgen" } }, flag = { BOOL = i % 2 == 0 }, none = { NULL = true },
      deep = { M = { list = { L = dosrun.array { { N = "1.5" }, { S = "" } } } } } } }
  end
  c:update_item { TableName = TABLE, Key = { game = { S = "doom" }, score = { N = "1000" } }, UpdateExpression = "SET player = :p",
    ExpressionAttributeValues = { [":p"] = { S = "bob" } } }
  c:batch_write_item { RequestItems = { [TABLE] = dosrun.array { { PutRequest = { Item = { game = { S = "quake" }, score = { N = "1" } } } },
    { DeleteRequest = { Key = { game = { S = "doom" }, score = { N = "2000" } } } } } } }
  c:update_time_to_live { TableName = TABLE, TimeToLiveSpecification = { Enabled = true, AttributeName = "until" } }
  local _, problem = dosrun.try(c.put_item, c, { TableName = TABLE, Item = { game = { S = "quake" }, score = { N = "1" } },
    ConditionExpression = "attribute_not_exists(game)" })
  if not problem or problem.code ~= "ConditionalCheckFailedException" then error(problem or { message = "the condition held" }) end
end

function dynamodb.clear()
  aws.dynamodb:delete_item { TableName = TABLE, Key = { game = { S = "quake" }, score = { N = "1" } } }
  aws.dynamodb:delete_table { TableName = TABLE }
  aws.dynamodb:wait("table_not_exists", { TableName = TABLE })
end

return { s3, ecr, dynamodb }
