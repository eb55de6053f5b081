-- Elastic Container Registry: repositories and the list of their images. Source: Amazon ECR API Reference, each action's
-- page and its errors. Layers are not kept: an image is its manifest.
local common = require "aws_common"
local M = {}
local fail = common.fail

function common.targets.ecr(input, call)
  local name = input.repositoryName or input.repositoryNames and input.repositoryNames[1]
  if name then return "ecr/Repository", call.region .. "/" .. name end
end

local function key_of(name, call) return call.region .. "/" .. name end

local function check_registry(input)
  if input.registryId and input.registryId ~= cloud.account then
    fail("RepositoryNotFoundException", ("The registry with id '%s' is not this account's"):format(input.registryId))
  end
end

local function find(name, call)
  return cloud.get("ecr/Repository", key_of(name, call)) or fail("RepositoryNotFoundException",
    ("The repository with name '%s' does not exist in the registry with id '%s'"):format(name, cloud.account))
end

-- A copy that may be changed, and how to keep it.
local function change(input, call)
  check_registry(input)
  local repository = doc.copy(find(input.repositoryName, call))
  return repository, function() cloud.put("ecr/Repository", key_of(input.repositoryName, call), repository) end
end

local function shown(repository, call)
  return { repositoryName = repository.name, registryId = cloud.account, createdAt = repository.made.created,
    repositoryArn = common.arn("ecr", call.region, "repository/" .. repository.name),
    repositoryUri = ("%s.dkr.ecr.%s.amazonaws.com/%s"):format(cloud.account, call.region, repository.name),
    imageTagMutability = repository.mutability, imageScanningConfiguration = { scanOnPush = repository.scan },
    encryptionConfiguration = repository.encryption }
end

-- Repositories -----------------------------------------------------------------

local function check_name(name)
  for part in (name .. "/"):gmatch("([^/]*)/") do
    if not part:match("^[a-z0-9][a-z0-9._-]*$") or part:match("[._-]$") then
      fail("InvalidParameterException", "Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy "
        .. "regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''")
    end
  end
end

function M.CreateRepository(input, call)
  local name = input.repositoryName
  check_registry(input)
  check_name(name)
  if cloud.get("ecr/Repository", key_of(name, call)) then
    fail("RepositoryAlreadyExistsException",
      ("The repository with name '%s' already exists in the registry with id '%s'"):format(name, cloud.account))
  end
  local repository = { name = name, region = call.region, tags = common.tags_in(input.tags),
    mutability = input.imageTagMutability or "MUTABLE",
    scan = input.imageScanningConfiguration and input.imageScanningConfiguration.scanOnPush or false,
    encryption = input.encryptionConfiguration and doc.copy(input.encryptionConfiguration) or { encryptionType = "AES256" },
    made = { created = cloud.now() } }
  cloud.put("ecr/Repository", key_of(name, call), repository)
  return { repository = shown(repository, call) }
end

function M.DescribeRepositories(input, call)
  check_registry(input)
  local list = {}
  for _, name in ipairs(input.repositoryNames or {}) do list[#list + 1] = shown(find(name, call), call) end
  if input.repositoryNames then return { repositories = doc.array(list) } end
  for _, repository in ipairs(cloud.list("ecr/Repository", call.region .. "/")) do
    list[#list + 1] = shown(repository, call)
  end
  local page, token = common.page(list, input.nextToken, input.maxResults or 100)
  return { repositories = page, nextToken = token }
end

local function images_of(name, call) return cloud.list("ecr/Image", key_of(name, call) .. "@") end

function M.DeleteRepository(input, call)
  check_registry(input)
  local repository, images = find(input.repositoryName, call), images_of(input.repositoryName, call)
  if #images > 0 and not input.force then
    fail("RepositoryNotEmptyException", ("The repository with name '%s' in registry with id '%s' cannot be deleted because "
      .. "it still contains images"):format(input.repositoryName, cloud.account))
  end
  local out = shown(repository, call)
  for _, image in ipairs(images) do
    cloud.remove("ecr/Image", key_of(input.repositoryName, call) .. "@" .. image.digest)
  end
  cloud.remove("ecr/Repository", key_of(input.repositoryName, call))
  return { repository = out }
end

function M.PutImageTagMutability(input, call)
  local repository, keep = change(input, call)
  repository.mutability = input.imageTagMutability
  keep()
  return { registryId = cloud.account, repositoryName = repository.name, imageTagMutability = repository.mutability }
end

function M.PutImageScanningConfiguration(input, call)
  local repository, keep = change(input, call)
  repository.scan = input.imageScanningConfiguration.scanOnPush or false
  keep()
  return { registryId = cloud.account, repositoryName = repository.name,
    imageScanningConfiguration = { scanOnPush = repository.scan } }
end

-- Tags go by ARN.
local function named(input, call)
  local name = input.resourceArn:match("^" .. common.arn("ecr", call.region, "repository/"):gsub("%-", "%%-") .. "(.+)$")
  if not name then fail("InvalidParameterException", "Invalid parameter at 'resourceArn' failed to satisfy constraint") end
  return name
end

function M.TagResource(input, call)
  local repository, keep = change({ repositoryName = named(input, call) }, call)
  common.tags_in(input.tags, repository.tags)
  keep()
end

function M.UntagResource(input, call)
  local repository, keep = change({ repositoryName = named(input, call) }, call)
  for _, key in ipairs(input.tagKeys) do repository.tags[key] = nil end
  keep()
end

function M.ListTagsForResource(input, call)
  return { tags = common.tags_out(find(named(input, call), call).tags) }
end

-- Lifecycle policies -----------------------------------------------------------

function M.PutLifecyclePolicy(input, call)
  local repository, keep = change(input, call)
  local policy = cloud.json(input.lifecyclePolicyText)
  if type(policy) ~= "userdata" or not policy.rules then
    fail("InvalidParameterException", "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle "
      .. "policy validation failure'")
  end
  repository.lifecycle = input.lifecyclePolicyText
  keep()
  return { registryId = cloud.account, repositoryName = repository.name, lifecyclePolicyText = repository.lifecycle }
end

local function no_lifecycle(name)
  fail("LifecyclePolicyNotFoundException", ("Lifecycle policy does not exist for the repository with name '%s' in the "
    .. "registry with id '%s'"):format(name, cloud.account))
end

function M.GetLifecyclePolicy(input, call)
  check_registry(input)
  local repository = find(input.repositoryName, call)
  return { registryId = cloud.account, repositoryName = repository.name,
    lifecyclePolicyText = repository.lifecycle or no_lifecycle(repository.name) }
end

function M.DeleteLifecyclePolicy(input, call)
  local repository, keep = change(input, call)
  local text = repository.lifecycle or no_lifecycle(repository.name)
  repository.lifecycle = nil
  keep()
  return { registryId = cloud.account, repositoryName = repository.name, lifecyclePolicyText = text }
end

-- Repository policies ----------------------------------------------------------

local function no_policy(name)
  fail("RepositoryPolicyNotFoundException", ("Repository policy does not exist for the repository with name '%s' in the "
    .. "registry with id '%s'"):format(name, cloud.account))
end

local function policy_shown(repository, text)
  return { registryId = cloud.account, repositoryName = repository.name, policyText = text }
end

function M.SetRepositoryPolicy(input, call)
  local repository, keep = change(input, call)
  local policy = cloud.json(input.policyText)
  if type(policy) ~= "userdata" or not policy.Statement then
    fail("InvalidParameterException", "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository "
      .. "policy provided'")
  end
  repository.policy = input.policyText
  keep()
  return policy_shown(repository, repository.policy)
end

function M.GetRepositoryPolicy(input, call)
  check_registry(input)
  local repository = find(input.repositoryName, call)
  return policy_shown(repository, repository.policy or no_policy(repository.name))
end

function M.DeleteRepositoryPolicy(input, call)
  local repository, keep = change(input, call)
  local text = repository.policy or no_policy(repository.name)
  repository.policy = nil
  keep()
  return policy_shown(repository, text)
end

-- Images -----------------------------------------------------------------------

local function image_find(id, name, call)
  for _, image in ipairs(images_of(name, call)) do
    if (not id.imageDigest or id.imageDigest == image.digest) and (not id.imageTag or image.labels[id.imageTag]) then
      return image
    end
  end
end

local function image_put(name, image, call) cloud.put("ecr/Image", key_of(name, call) .. "@" .. image.digest, image) end

local function image_shown(image, tag, name)
  return { registryId = cloud.account, repositoryName = name, imageId = { imageDigest = image.digest, imageTag = tag },
    imageManifest = image.manifest, imageManifestMediaType = image.media_type }
end

-- The tag moves from the image that had it, unless tags are immutable.
local function tag_take(tag, repository, call)
  local old = image_find({ imageTag = tag }, repository.name, call)
  if not old then return end
  if repository.mutability == "IMMUTABLE" then
    fail("ImageTagAlreadyExistsException", ("The image tag '%s' already exists in the '%s' repository and cannot be "
      .. "overwritten because the tag is immutable."):format(tag, repository.name))
  end
  old = doc.copy(old)
  old.labels[tag] = nil
  image_put(repository.name, old, call)
end

function M.PutImage(input, call)
  check_registry(input)
  local repository, tag = find(input.repositoryName, call), input.imageTag
  local manifest = cloud.json(input.imageManifest)
  local hex = cloud.checksum("SHA256", cloud.base64(input.imageManifest))
  local digest = "sha256:" .. hex
  if type(manifest) ~= "userdata" then fail("InvalidParameterException", "Invalid image manifest provided") end
  if input.imageDigest and input.imageDigest ~= digest then
    fail("ImageDigestDoesNotMatchException", "The provided digest does not match the image's manifest")
  end
  local old = image_find({ imageDigest = digest }, repository.name, call)
  if old and (not tag or old.labels[tag]) then
    fail("ImageAlreadyExistsException", ("Image with digest '%s' and tag '%s' already exists in the repository with name "
      .. "'%s' in registry with id '%s'"):format(digest, tag or "", repository.name, cloud.account))
  end
  if tag then tag_take(tag, repository, call) end
  local image = old and doc.copy(old) or { digest = digest, labels = {}, manifest = input.imageManifest,
    media_type = input.imageManifestMediaType or manifest.mediaType, made = { pushed = cloud.now() } }
  if tag then image.labels[tag] = true end
  image_put(repository.name, image, call)
  return { image = image_shown(image, tag, repository.name) }
end

local function no_image(id, name)
  fail("ImageNotFoundException", ("The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist within the "
    .. "repository with name '%s' in the registry with id '%s'"):format(id.imageDigest or "null", id.imageTag or "null",
    name, cloud.account))
end

local function described(image, name)
  local labels = common.keys(image.labels)
  return { registryId = cloud.account, repositoryName = name, imageDigest = image.digest,
    imageTags = #labels > 0 and doc.array(labels) or nil, imageSizeInBytes = #image.manifest,
    imagePushedAt = image.made.pushed, imageManifestMediaType = image.media_type }
end

function M.DescribeImages(input, call)
  check_registry(input)
  local name, list = find(input.repositoryName, call).name, {}
  for _, id in ipairs(input.imageIds or {}) do
    list[#list + 1] = described(image_find(id, name, call) or no_image(id, name), name)
  end
  if input.imageIds then return { imageDetails = doc.array(list) } end
  for _, image in ipairs(images_of(name, call)) do
    local tagged = #common.keys(image.labels) > 0 and "TAGGED" or "UNTAGGED"
    local wanted = input.filter and input.filter.tagStatus or "ANY"
    if wanted == "ANY" or wanted == tagged then list[#list + 1] = described(image, name) end
  end
  local page, token = common.page(list, input.nextToken, input.maxResults or 100)
  return { imageDetails = page, nextToken = token }
end

local function failure(id)
  return { imageId = doc.copy(id), failureCode = "ImageNotFound", failureReason = "Requested image not found" }
end

function M.BatchGetImage(input, call)
  check_registry(input)
  local name, images, failures = find(input.repositoryName, call).name, doc.array {}, doc.array {}
  for _, id in ipairs(input.imageIds) do
    local image = image_find(id, name, call)
    if image then
      images[#images + 1] = image_shown(image, id.imageTag, name)
    else
      failures[#failures + 1] = failure(id)
    end
  end
  return { images = images, failures = failures }
end

-- By tag the tag goes, and the image with its last one; by digest the image and all its tags.
function M.BatchDeleteImage(input, call)
  check_registry(input)
  local name, ids, failures = find(input.repositoryName, call).name, doc.array {}, doc.array {}
  for _, id in ipairs(input.imageIds) do
    local image = image_find(id, name, call)
    if image then
      local copy = doc.copy(image)
      if id.imageTag then copy.labels[id.imageTag] = nil end
      if id.imageTag and #common.keys(copy.labels) > 0 then
        image_put(name, copy, call)
      else
        cloud.remove("ecr/Image", key_of(name, call) .. "@" .. copy.digest)
      end
      ids[#ids + 1] = { imageDigest = copy.digest, imageTag = id.imageTag }
    else
      failures[#failures + 1] = failure(id)
    end
  end
  return { imageIds = ids, failures = failures }
end

-- For docker login: user AWS, twelve hours.
function M.GetAuthorizationToken(_, call)
  local password = cloud.hex(("ecr/login/%s/%d"):format(call.arn, cloud.now()), 64)
  return { authorizationData = { { authorizationToken = cloud.base64("AWS:" .. password), expiresAt = cloud.now() + 43200,
    proxyEndpoint = ("https://%s.dkr.ecr.%s.amazonaws.com"):format(cloud.account, call.region) } } }
end

return M
