-- Simple Storage Service: buckets and objects without versions. Source: Amazon S3 API Reference, each action's page and
-- "Error responses"; names: "General purpose bucket naming rules" (User Guide); new buckets block public access ("Default
-- settings for new S3 buckets").
local common = require "aws_common"
local M = {}
local fail = common.fail

-- The name that AWS's documentation uses is somebody else's.
local FOREIGN = "amzn-s3-demo-bucket"
local CHECKSUMS = { "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256" }

function common.targets.s3(input)
  if input.Key then return "s3/Object", input.Bucket .. "/" .. input.Key end
  if input.Bucket then return "s3/Bucket", input.Bucket end
end

-- Errors of S3 come with its own statuses, which the models do not have.
local function missing(code, message, more) fail(code, message, 404, more) end

local function find(input, call)
  local name = input.Bucket
  if name == FOREIGN then fail("AccessDenied", "Access Denied", 403) end
  local bucket = cloud.get("s3/Bucket", name)
    or missing("NoSuchBucket", "The specified bucket does not exist", { BucketName = name })
  if bucket.region ~= call.region then
    fail("PermanentRedirect", "The bucket you are attempting to access must be addressed using the specified endpoint. "
      .. "Please send all future requests to this endpoint.", 301, { Bucket = name, Region = bucket.region,
      Endpoint = ("%s.s3.%s.amazonaws.com"):format(name, bucket.region) })
  end
  if input.ExpectedBucketOwner and input.ExpectedBucketOwner ~= cloud.account then
    fail("AccessDenied", "Access Denied", 403)
  end
  return bucket
end

local function put(bucket) cloud.put("s3/Bucket", bucket.name, bucket) end

local function change(input, call)
  return doc.copy(find(input, call))
end

-- Buckets ----------------------------------------------------------------------

local function check_name(name)
  local good = #name >= 3 and #name <= 63 and name:match("^[a-z0-9][a-z0-9.-]*[a-z0-9]$") and not name:find("..", 1, true)
    and not name:match("^%d+%.%d+%.%d+%.%d+$")
  if not good then fail("InvalidBucketName", "The specified bucket is not valid.", 400, { BucketName = name }) end
end

local function check_place(input, call)
  local place = input.CreateBucketConfiguration and input.CreateBucketConfiguration.LocationConstraint
  if call.region == "us-east-1" and place == "us-east-1" then
    fail("InvalidLocationConstraint", "The specified location-constraint is not valid", 400)
  end
  if call.region ~= (place or "us-east-1") then
    fail("IllegalLocationConstraintException", ("The %s location constraint is incompatible for the region specific "
      .. "endpoint this request was sent to."):format(place or "unspecified"), 400)
  end
end

function M.CreateBucket(input, call)
  local name = input.Bucket
  check_name(name)
  check_place(input, call)
  if name == FOREIGN then
    fail("BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users "
      .. "of the system. Please select a different name and try again.", 409, { BucketName = name })
  end
  local location = call.region == "us-east-1" and "/" .. name or ("http://%s.s3.amazonaws.com/"):format(name)
  if cloud.get("s3/Bucket", name) then
    if call.region == "us-east-1" then return { Location = location } end
    fail("BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.",
      409, { BucketName = name })
  end
  local given = input.CreateBucketConfiguration and input.CreateBucketConfiguration.Tags
  put { name = name, region = call.region, tags = common.tags_in(given), versioning = nil,
    public_access = { BlockPublicAcls = true, IgnorePublicAcls = true, BlockPublicPolicy = true,
      RestrictPublicBuckets = true }, made = { created = cloud.now() } }
  return { Location = location }
end

function M.HeadBucket(input, call)
  local bucket = find(input, call)
  return { BucketRegion = bucket.region }
end

function M.DeleteBucket(input, call)
  find(input, call)
  if #cloud.list("s3/Object", input.Bucket .. "/") > 0 then
    fail("BucketNotEmpty", "The bucket you tried to delete is not empty", 409, { BucketName = input.Bucket })
  end
  cloud.remove("s3/Bucket", input.Bucket)
end

function M.ListBuckets(input)
  local list = {}
  for _, bucket in ipairs(cloud.list("s3/Bucket", input.Prefix)) do
    if not input.BucketRegion or input.BucketRegion == bucket.region then
      list[#list + 1] = { Name = bucket.name, CreationDate = bucket.made.created, BucketRegion = bucket.region }
    end
  end
  local buckets, token = common.page(list, input.ContinuationToken, input.MaxBuckets or 10000)
  return { Buckets = buckets, ContinuationToken = token, Prefix = input.Prefix, Owner = { ID = cloud.hex("s3/owner", 64) } }
end

function M.GetBucketTagging(input, call)
  local tags = common.tags_out(find(input, call).tags)
  if #tags == 0 then missing("NoSuchTagSet", "The TagSet does not exist", { BucketName = input.Bucket }) end
  return { TagSet = tags }
end

function M.PutBucketTagging(input, call)
  local bucket = change(input, call)
  bucket.tags = common.tags_in(input.Tagging.TagSet)
  put(bucket)
end

function M.DeleteBucketTagging(input, call)
  local bucket = change(input, call)
  bucket.tags = {}
  put(bucket)
end

function M.GetBucketVersioning(input, call) return { Status = find(input, call).versioning } end

function M.PutBucketVersioning(input, call)
  local bucket = change(input, call)
  bucket.versioning = input.VersioningConfiguration.Status
    or fail("IllegalVersioningConfigurationException", "The Versioning element must be specified", 400)
  put(bucket)
end

function M.GetPublicAccessBlock(input, call)
  return { PublicAccessBlockConfiguration = find(input, call).public_access
    or missing("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found",
      { BucketName = input.Bucket }) }
end

function M.PutPublicAccessBlock(input, call)
  local bucket, given = change(input, call), input.PublicAccessBlockConfiguration
  bucket.public_access = {}
  for _, name in ipairs { "BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets" } do
    bucket.public_access[name] = given[name] or false
  end
  put(bucket)
end

function M.DeletePublicAccessBlock(input, call)
  local bucket = change(input, call)
  bucket.public_access = nil
  put(bucket)
end

-- "Server-side encryption with Amazon S3 managed keys is the default": a bucket always has a rule.
local PLAIN = { ApplyServerSideEncryptionByDefault = { SSEAlgorithm = "AES256" }, BucketKeyEnabled = false }

function M.GetBucketEncryption(input, call)
  return { ServerSideEncryptionConfiguration = { Rules = doc.array { find(input, call).encryption or PLAIN } } }
end

function M.PutBucketEncryption(input, call)
  local bucket, rule = change(input, call), input.ServerSideEncryptionConfiguration.Rules[1]
  local default = rule.ApplyServerSideEncryptionByDefault
  if default and default.KMSMasterKeyID and default.SSEAlgorithm == "AES256" then
    fail("InvalidArgument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse", 400)
  end
  bucket.encryption = { ApplyServerSideEncryptionByDefault = doc.copy(default or PLAIN.ApplyServerSideEncryptionByDefault),
    BucketKeyEnabled = rule.BucketKeyEnabled or false }
  if not bucket.encryption.BucketKeyEnabled and bucket.encryption.ApplyServerSideEncryptionByDefault.SSEAlgorithm == "AES256" then
    bucket.encryption = nil
  end
  put(bucket)
end

function M.DeleteBucketEncryption(input, call)
  local bucket = change(input, call)
  bucket.encryption = nil
  put(bucket)
end

function M.PutBucketLifecycleConfiguration(input, call)
  local bucket, rules = change(input, call), doc.array {}
  for i, rule in ipairs(input.LifecycleConfiguration and input.LifecycleConfiguration.Rules or {}) do
    rules[i] = doc.copy(rule)
    rules[i].ID = rule.ID or cloud.hex(("s3/rule/%s/%d"):format(bucket.name, i), 48)
    if not rule.Filter and not rule.Prefix then
      fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema", 400)
    end
  end
  bucket.lifecycle = rules
  put(bucket)
end

function M.GetBucketLifecycleConfiguration(input, call)
  return { Rules = find(input, call).lifecycle
    or missing("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", { BucketName = input.Bucket }) }
end

function M.DeleteBucketLifecycle(input, call)
  local bucket = change(input, call)
  bucket.lifecycle = nil
  put(bucket)
end

-- "The meaning of public": here, an Allow for everybody without conditions.
local function is_public(policy)
  for _, statement in ipairs(policy.Statement) do
    local principal = statement.Principal
    local everybody = principal == "*" or type(principal) == "userdata" and principal.AWS == "*"
    if statement.Effect == "Allow" and everybody and not statement.Condition then return true end
  end
  return false
end

local function check_policy(input)
  local policy, reach = cloud.json(input.Policy), "arn:aws:s3:::" .. input.Bucket
  if type(policy) ~= "userdata" or not policy.Statement then
    fail("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'", 400)
  end
  for _, statement in ipairs(policy.Statement) do
    if not statement.Principal then fail("MalformedPolicy", "Missing required field Principal", 400) end
    local resource = statement.Resource
    if type(resource) == "string" and resource ~= reach and resource:sub(1, #reach + 1) ~= reach .. "/" then
      fail("MalformedPolicy", "Policy has invalid resource", 400)
    end
  end
  return policy
end

function M.PutBucketPolicy(input, call)
  local bucket = change(input, call)
  local block = bucket.public_access
  if is_public(check_policy(input)) and block and block.BlockPublicPolicy then
    fail("AccessDenied", "User is not authorized to perform: s3:PutBucketPolicy on resource because public policies are "
      .. "blocked by the BlockPublicPolicy block public access setting.", 403)
  end
  bucket.policy = input.Policy
  put(bucket)
end

function M.GetBucketPolicy(input, call)
  return { Policy = find(input, call).policy
    or missing("NoSuchBucketPolicy", "The bucket policy does not exist", { BucketName = input.Bucket }) }
end

function M.DeleteBucketPolicy(input, call)
  local bucket = change(input, call)
  bucket.policy = nil
  put(bucket)
end

-- Objects ----------------------------------------------------------------------

local function plain(input, call)
  if find(input, call).versioning then error("the simulated S3 keeps no versions of objects", 0) end
end

local function object_of(input, call)
  find(input, call)
  return cloud.get("s3/Object", input.Bucket .. "/" .. input.Key)
    or missing("NoSuchKey", "The specified key does not exist.", { Key = input.Key })
end

local function precondition(condition)
  fail("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412,
    { Condition = condition })
end

local function check_conditions(input, old)
  if input.IfNoneMatch == "*" and old then precondition("If-None-Match") end
  if input.IfMatch and not old then missing("NoSuchKey", "The specified key does not exist.", { Key = input.Key }) end
  if input.IfMatch and input.IfMatch:gsub('"', "") ~= old.made.etag then precondition("If-Match") end
end

-- The sums that the client sent, compared with the content.
local function check_sums(input, content)
  local sums = {}
  for _, name in ipairs(CHECKSUMS) do
    local said = input["Checksum" .. name]
    local _, real = cloud.checksum(name, content)
    if said and said ~= real then
      fail("BadDigest", ("The %s you specified did not match the calculated checksum."):format(name), 400)
    end
    sums["Checksum" .. name] = said
  end
  local _, md5 = cloud.checksum("MD5", content)
  if input.ContentMD5 and input.ContentMD5 ~= md5 then
    fail("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)
  end
  return sums
end

function M.PutObject(input, call)
  plain(input, call)
  local key, content = input.Bucket .. "/" .. input.Key, input.Body or ""
  check_conditions(input, cloud.get("s3/Object", key))
  local sums, etag, _, size = check_sums(input, content), cloud.checksum("MD5", content)
  cloud.put("s3/Object", key, { bucket = input.Bucket, key = input.Key, content = content, size = size,
    type = input.ContentType or "binary/octet-stream", metadata = doc.copy(input.Metadata or {}), sums = sums,
    made = { modified = cloud.now(), etag = etag } })
  local out = { ETag = ('"%s"'):format(etag) }
  for name, value in pairs(sums) do out[name] = value end
  return out
end

function M.HeadObject(input, call)
  if input.Range then error("the simulated S3 gives whole objects only", 0) end
  local object = object_of(input, call)
  check_conditions({ IfMatch = input.IfMatch }, object)
  local out = { ETag = ('"%s"'):format(object.made.etag), LastModified = object.made.modified, ContentType = object.type,
    ContentLength = object.size, Metadata = object.metadata, AcceptRanges = "bytes" }
  if input.ChecksumMode == "ENABLED" then
    for name, value in pairs(object.sums) do out[name] = value end
  end
  return out
end

function M.GetObject(input, call)
  local out = M.HeadObject(input, call)
  out.Body = object_of(input, call).content
  return out
end

function M.DeleteObject(input, call)
  plain(input, call)
  local key = input.Bucket .. "/" .. input.Key
  if cloud.get("s3/Object", key) then cloud.remove("s3/Object", key) end
end

-- Keys and what they have in common before the delimiter, in order; each counts.
local function rows_of(input, objects)
  local rows, prefix, seen = {}, input.Prefix or "", {}
  for _, object in ipairs(objects) do
    local key = object.key
    local stop = input.Delimiter and key:find(input.Delimiter, #prefix + 1, true)
    local common_prefix = stop and key:sub(1, stop + #input.Delimiter - 1)
    local wanted = key > (input.StartAfter or "")
    if wanted and not stop then
      rows[#rows + 1] = { object = object }
    elseif wanted and not seen[common_prefix] then
      seen[common_prefix] = true
      rows[#rows + 1] = { prefix = common_prefix }
    end
  end
  return rows
end

function M.ListObjectsV2(input, call)
  find(input, call)
  local prefix, most = input.Prefix or "", math.min(input.MaxKeys or 1000, 1000)
  local spell = input.EncodingType == "url" and common.url or function(text) return text end
  local rows, token = common.page(rows_of(input, cloud.list("s3/Object", input.Bucket .. "/" .. prefix)),
    input.ContinuationToken, most)
  local out = { Name = input.Bucket, Prefix = spell(prefix), MaxKeys = most, KeyCount = #rows, IsTruncated = token ~= nil,
    NextContinuationToken = token, ContinuationToken = input.ContinuationToken, EncodingType = input.EncodingType,
    Delimiter = input.Delimiter and spell(input.Delimiter), StartAfter = input.StartAfter, Contents = doc.array {},
    CommonPrefixes = doc.array {} }
  for _, row in ipairs(rows) do
    local object = row.object
    if object then
      out.Contents[#out.Contents + 1] = { Key = spell(object.key), LastModified = object.made.modified,
        ETag = ('"%s"'):format(object.made.etag), Size = object.size, StorageClass = "STANDARD" }
    else
      out.CommonPrefixes[#out.CommonPrefixes + 1] = { Prefix = spell(row.prefix) }
    end
  end
  return out
end

return M
