-- Identity and Access Management: roles. Source: IAM API Reference, each action's page and its errors; quotas: "IAM and
-- AWS STS quotas" (User Guide). Managed policies are not looked up: every name of AWS's own is taken for one.
local common = require "aws_common"
local M = {}
local fail = common.fail
local POLICIES_MAX, TAGS_MAX = 10, 50

function common.targets.iam(input)
  if input.InstanceProfileName then return "iam/InstanceProfile", input.InstanceProfileName end
  if input.RoleName then return "iam/Role", input.RoleName end
end

local function find(name)
  return cloud.get("iam/Role", name)
    or fail("NoSuchEntity", ("The role with name %s cannot be found."):format(name))
end

local function put(role) cloud.put("iam/Role", role.name, role) end

local function check_document(text)
  local policy = cloud.json(text)
  if type(policy) ~= "userdata" or not policy.Statement then
    fail("MalformedPolicyDocument", policy and "Syntax errors in policy." or "This policy contains invalid Json")
  end
end

local function check_tags(tags)
  local count = 0
  for _ in pairs(tags) do count = count + 1 end
  if count > TAGS_MAX then fail("LimitExceeded", "Cannot exceed quota for TagsPerRole: " .. TAGS_MAX) end
end

local function shown(role, whole)
  local out = { RoleName = role.name, Path = role.path, RoleId = role.made.id, CreateDate = role.made.created,
    Arn = common.arn("iam", "", "role" .. role.path .. role.name), Description = role.description,
    AssumeRolePolicyDocument = common.url(role.policy), MaxSessionDuration = role.max_session }
  if not whole then return out end
  local tags = common.tags_out(role.tags)
  if #tags > 0 then out.Tags = tags end
  if role.boundary then
    out.PermissionsBoundary = { PermissionsBoundaryType = "Policy", PermissionsBoundaryArn = role.boundary }
  end
  return out
end

function M.CreateRole(input)
  local name = input.RoleName
  if not name:match("^[%w+=,.@_-]+$") then
    fail("ValidationError", "The specified value for roleName is invalid. It must contain only alphanumeric characters "
      .. "and/or the following: +=,.@_-")
  end
  check_document(input.AssumeRolePolicyDocument)
  if cloud.get("iam/Role", name) then fail("EntityAlreadyExists", ("Role with name %s already exists."):format(name)) end
  local role = { name = name, path = input.Path or "/", policy = input.AssumeRolePolicyDocument,
    description = input.Description ~= "" and input.Description or nil, max_session = input.MaxSessionDuration or 3600, boundary = input.PermissionsBoundary,
    tags = common.tags_in(input.Tags), attached = {}, inline = {},
    made = { id = common.id("AROA", ("iam/role/%s/%d"):format(name, cloud.now()), 17), created = cloud.now() } }
  check_tags(role.tags)
  put(role)
  return { Role = shown(role, true) }
end

function M.GetRole(input)
  local out = shown(find(input.RoleName), true)
  out.RoleLastUsed = {}
  return { Role = out }
end

function M.UpdateRole(input)
  local role = doc.copy(find(input.RoleName))
  if input.Description then role.description = input.Description ~= "" and input.Description or nil end
  role.max_session = input.MaxSessionDuration or 3600 -- API reference: "if you do not specify a value", one hour
  put(role)
end

function M.UpdateAssumeRolePolicy(input)
  local role = doc.copy(find(input.RoleName))
  check_document(input.PolicyDocument)
  role.policy = input.PolicyDocument
  put(role)
end

function M.DeleteRole(input)
  local role = find(input.RoleName)
  if next(common.keys(role.attached)) then
    fail("DeleteConflict", "Cannot delete entity, must detach all policies first.")
  end
  if next(common.keys(role.inline)) then fail("DeleteConflict", "Cannot delete entity, must delete policies first.") end
  for _, profile in ipairs(cloud.list("iam/InstanceProfile")) do
    if profile.role == role.name then
      fail("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    end
  end
  cloud.remove("iam/Role", input.RoleName)
end

-- Marker and IsTruncated, as all lists of IAM have them.
local function page(name, list, input)
  local items, marker = common.page(list, input.Marker, input.MaxItems or 100)
  return { [name] = items, IsTruncated = marker ~= nil, Marker = marker }
end

function M.ListRoles(input)
  local list, prefix = {}, input.PathPrefix or "/"
  for _, role in ipairs(cloud.list("iam/Role")) do
    if role.path:sub(1, #prefix) == prefix then list[#list + 1] = shown(role) end
  end
  return page("Roles", list, input)
end

function M.PutRolePermissionsBoundary(input)
  local role = doc.copy(find(input.RoleName))
  role.boundary = input.PermissionsBoundary
  put(role)
end

function M.DeleteRolePermissionsBoundary(input)
  local role = doc.copy(find(input.RoleName))
  if not role.boundary then
    fail("NoSuchEntity", ("Role %s does not have a permission boundary."):format(input.RoleName))
  end
  role.boundary = nil
  put(role)
end

-- Instance profiles: each has one role at most.

local function profile_find(name)
  return cloud.get("iam/InstanceProfile", name)
    or fail("NoSuchEntity", ("Instance Profile %s cannot be found."):format(name))
end

local function profile_shown(profile)
  local role = profile.role and cloud.see("iam/Role", profile.role)
  return { InstanceProfileName = profile.name, InstanceProfileId = profile.made.id, Path = "/", CreateDate = profile.made.created,
    Arn = common.arn("iam", "", "instance-profile/" .. profile.name), Roles = doc.array(role and { shown(role) } or {}) }
end

function M.CreateInstanceProfile(input)
  local name = input.InstanceProfileName
  if cloud.get("iam/InstanceProfile", name) then
    fail("EntityAlreadyExists", ("Instance Profile %s already exists."):format(name))
  end
  local profile = { name = name,
    made = { id = common.id("AIPA", ("iam/profile/%s/%d"):format(name, cloud.now()), 17), created = cloud.now() } }
  cloud.put("iam/InstanceProfile", name, profile)
  return { InstanceProfile = profile_shown(profile) }
end

function M.DeleteInstanceProfile(input)
  if profile_find(input.InstanceProfileName).role then
    fail("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
  end
  cloud.remove("iam/InstanceProfile", input.InstanceProfileName)
end

function M.AddRoleToInstanceProfile(input)
  local profile = doc.copy(profile_find(input.InstanceProfileName))
  find(input.RoleName)
  if profile.role then fail("LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1") end
  profile.role = input.RoleName
  cloud.put("iam/InstanceProfile", profile.name, profile)
end

function M.RemoveRoleFromInstanceProfile(input)
  local profile = doc.copy(profile_find(input.InstanceProfileName))
  if profile.role ~= input.RoleName then
    fail("NoSuchEntity", ("The role with name %s cannot be found."):format(input.RoleName))
  end
  profile.role = nil
  cloud.put("iam/InstanceProfile", profile.name, profile)
end

local function profiles_of(name)
  local list = {}
  for _, profile in ipairs(cloud.list("iam/InstanceProfile")) do
    if profile.role == name then list[#list + 1] = profile_shown(profile) end
  end
  return list
end

function M.ListInstanceProfilesForRole(input)
  find(input.RoleName)
  return page("InstanceProfiles", profiles_of(input.RoleName), input)
end

-- Tags -------------------------------------------------------------------------

function M.TagRole(input)
  local role = doc.copy(find(input.RoleName))
  common.tags_in(input.Tags, role.tags)
  check_tags(role.tags)
  put(role)
end

function M.UntagRole(input)
  local role = doc.copy(find(input.RoleName))
  for _, key in ipairs(input.TagKeys) do role.tags[key] = nil end
  put(role)
end

function M.ListRoleTags(input) return page("Tags", common.tags_out(find(input.RoleName).tags), input) end

-- Policies ---------------------------------------------------------------------

function M.AttachRolePolicy(input)
  local role, arn = doc.copy(find(input.RoleName)), input.PolicyArn
  if not arn:match("^arn:aws:iam::aws:policy/.") then
    fail("NoSuchEntity", ("Policy %s does not exist or is not attachable."):format(arn))
  end
  role.attached[arn] = true
  if #common.keys(role.attached) > POLICIES_MAX then
    fail("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: " .. POLICIES_MAX)
  end
  put(role)
end

function M.DetachRolePolicy(input)
  local role = doc.copy(find(input.RoleName))
  if not role.attached[input.PolicyArn] then
    fail("NoSuchEntity", ("Policy %s was not found."):format(input.PolicyArn))
  end
  role.attached[input.PolicyArn] = nil
  put(role)
end

function M.ListAttachedRolePolicies(input)
  local list = {}
  for _, arn in ipairs(common.keys(find(input.RoleName).attached)) do
    list[#list + 1] = { PolicyName = arn:match("[^/]+$"), PolicyArn = arn }
  end
  return page("AttachedPolicies", list, input)
end

function M.PutRolePolicy(input)
  local role = doc.copy(find(input.RoleName))
  check_document(input.PolicyDocument)
  role.inline[input.PolicyName] = input.PolicyDocument
  put(role)
end

local function inline(input)
  local role = find(input.RoleName)
  return role.inline[input.PolicyName] and role
    or fail("NoSuchEntity", ("The role policy with name %s cannot be found."):format(input.PolicyName))
end

function M.GetRolePolicy(input)
  return { RoleName = input.RoleName, PolicyName = input.PolicyName,
    PolicyDocument = common.url(inline(input).inline[input.PolicyName]) }
end

function M.DeleteRolePolicy(input)
  local role = doc.copy(inline(input))
  role.inline[input.PolicyName] = nil
  put(role)
end

function M.ListRolePolicies(input) return page("PolicyNames", common.keys(find(input.RoleName).inline), input) end

return M
