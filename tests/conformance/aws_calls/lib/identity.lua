-- IAM, STS, KMS, Secrets Manager, SSM, ACM: query and json.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws
local json = dosrun.json.encode

local function trust(service)
  return json { Version = "2012-10-17", Statement = dosrun.array {
    { Effect = "Allow", Principal = { Service = service }, Action = "sts:AssumeRole" } } }
end

local function allow(action)
  return json { Version = "2012-10-17", Statement = dosrun.array { { Effect = "Allow", Action = action, Resource = "*" } } }
end

local function find(list, member, value)
  for _, one in ipairs(list) do
    if one[member] == value then return one end
  end
end

local iam = { name = "iam" }

function iam.there() return find(aws.iam:items("list_roles", {}), "RoleName", "judge-node") ~= nil end

-- ministack writes texts into XML as they are.
local function text(cloud, rich) return cloud == "ministack" and rich:gsub("[<>&]", "/") or rich end

function iam.make(cloud)
  local c = aws.iam
  c:create_role { RoleName = "judge-node", AssumeRolePolicyDocument = trust "ec2.amazonaws.com", Path = "/judge/",
    Description = text(cloud, "of the judge: a + b & <c>"), Tags = dosrun.array { { Key = "team", Value = text(cloud, "games & more") } } }
  c:wait("role_exists", { RoleName = "judge-node" })
  c:update_role { RoleName = "judge-node", Description = "changed: größer", MaxSessionDuration = 7200 }
  c:update_assume_role_policy { RoleName = "judge-node", PolicyDocument = trust "eks.amazonaws.com" }
  c:put_role_policy { RoleName = "judge-node", PolicyName = "logs", PolicyDocument = allow "logs:*" }
  c:tag_role { RoleName = "judge-node", Tags = dosrun.array { { Key = "stage", Value = "" }, { Key = "old", Value = "x" } } }
  c:untag_role { RoleName = "judge-node", TagKeys = dosrun.array { "old" } }
  local policy = c:create_policy { PolicyName = "judge-read", PolicyDocument = allow "s3:Get*", Description = "reads" }.Policy
  c:attach_role_policy { RoleName = "judge-node", PolicyArn = policy.Arn }
  c:create_policy_version { PolicyArn = policy.Arn, PolicyDocument = allow "s3:List*", SetAsDefault = true }
  c:create_instance_profile { InstanceProfileName = "judge-node", Path = "/judge/" }
  c:add_role_to_instance_profile { InstanceProfileName = "judge-node", RoleName = "judge-node" }
  c:create_group { GroupName = "judges" }
  for _, name in ipairs { "judge.a", "judge.b", "judge+c@x" } do
    c:create_user { UserName = name }
    c:add_user_to_group { GroupName = "judges", UserName = name }
  end
  c:attach_group_policy { GroupName = "judges", PolicyArn = policy.Arn }
  c:create_open_id_connect_provider { Url = "https://oidc.judge.test", ClientIDList = dosrun.array { "sts.amazonaws.com" },
    ThumbprintList = dosrun.array { ("a"):rep(40) } }
end

function iam.clear()
  local c = aws.iam
  for _, one in ipairs(c:list_open_id_connect_providers().OpenIDConnectProviderList) do
    if one.Arn:find "oidc.judge.test" then c:delete_open_id_connect_provider { OpenIDConnectProviderArn = one.Arn } end
  end
  local policy = find(c:items("list_policies", { Scope = "Local" }), "PolicyName", "judge-read")
  c:detach_group_policy { GroupName = "judges", PolicyArn = policy.Arn }
  for _, user in ipairs(c:get_group { GroupName = "judges" }.Users) do
    c:remove_user_from_group { GroupName = "judges", UserName = user.UserName }
    c:delete_user { UserName = user.UserName }
  end
  c:delete_group { GroupName = "judges" }
  c:remove_role_from_instance_profile { InstanceProfileName = "judge-node", RoleName = "judge-node" }
  c:delete_instance_profile { InstanceProfileName = "judge-node" }
  c:detach_role_policy { RoleName = "judge-node", PolicyArn = policy.Arn }
  for _, version in ipairs(c:items("list_policy_versions", { PolicyArn = policy.Arn })) do
    if not version.IsDefaultVersion then c:delete_policy_version { PolicyArn = policy.Arn, VersionId = version.VersionId } end
  end
  c:delete_policy { PolicyArn = policy.Arn }
  c:delete_role_policy { RoleName = "judge-node", PolicyName = "logs" }
  c:delete_role { RoleName = "judge-node" }
end

local sts = { name = "sts" }
local assumed = false

function sts.there() return assumed end

-- Makes nothing that lasts.
function sts.make()
  local me = aws.sts:get_caller_identity()
  local arn = ("arn:aws:iam::%s:role/judge-sts"):format(me.Account)
  aws.iam:create_role { RoleName = "judge-sts", AssumeRolePolicyDocument = json { Version = "2012-10-17", Statement = dosrun.array {
    { Effect = "Allow", Principal = { AWS = "*" }, Action = "sts:AssumeRole" } } } }
  aws.sts:assume_role { RoleArn = arn, RoleSessionName = "judge", DurationSeconds = 900 }
  aws.sts:get_session_token { DurationSeconds = 900 }
  aws.client("sts", { role = arn }):get_caller_identity()
  aws.iam:delete_role { RoleName = "judge-sts" }
  assumed = true
end

function sts.clear() assumed = false end

local kms = { name = "kms" }

function kms.there()
  return find(aws.kms:items("list_aliases", {}), "AliasName", "alias/judge") ~= nil
end

function kms.make()
  local c = aws.kms
  local id = c:create_key { Description = "of the judge", Tags = dosrun.array { { TagKey = "team", TagValue = "games" } } }.KeyMetadata.KeyId
  c:create_alias { AliasName = "alias/judge", TargetKeyId = id }
  c:update_key_description { KeyId = id, Description = "of the judge, changed" }
  c:enable_key_rotation { KeyId = id }
  c:tag_resource { KeyId = id, Tags = dosrun.array { { TagKey = "stage", TagValue = "test" } } }
  local sealed = c:encrypt { KeyId = "alias/judge", Plaintext = "bytes \0\1\255", EncryptionContext = { use = "test" } }
  local opened = c:decrypt { CiphertextBlob = sealed.CiphertextBlob, EncryptionContext = { use = "test" } }
  if dosrun.sha256(opened.Plaintext) ~= dosrun.sha256 "bytes \0\1\255" then error { message = "kms: not the bytes that were sealed" } end
  c:disable_key { KeyId = id }
  c:enable_key { KeyId = id }
end

function kms.clear()
  local id = aws.kms:describe_key { KeyId = "alias/judge" }.KeyMetadata.KeyId
  aws.kms:disable_key_rotation { KeyId = id }
  aws.kms:delete_alias { AliasName = "alias/judge" }
  aws.kms:schedule_key_deletion { KeyId = id, PendingWindowInDays = 7 }
end

local secrets = { name = "secretsmanager" }

function secrets.there() return find(aws.secretsmanager:items("list_secrets", {}), "Name", "judge/one") ~= nil end

function secrets.make()
  local c = aws.secretsmanager
  for _, name in ipairs { "judge/one", "judge/two", "judge/three" } do
    c:create_secret { Name = name, SecretString = "s3cret-" .. name, Tags = dosrun.array { { Key = "team", Value = "games" } } }
  end
  c:put_secret_value { SecretId = "judge/one", SecretString = "s3cret-changed ü" }
  local got = c:get_secret_value { SecretId = "judge/one" }.SecretString
  if dosrun.sha256(got) ~= dosrun.sha256 "s3cret-changed ü" then error { message = "secretsmanager: another value" } end
  c:update_secret { SecretId = "judge/two", Description = "the second" }
  c:tag_resource { SecretId = "judge/two", Tags = dosrun.array { { Key = "stage", Value = "test" } } }
  c:untag_resource { SecretId = "judge/two", TagKeys = dosrun.array { "team" } }
end

function secrets.clear()
  for _, name in ipairs { "judge/one", "judge/two", "judge/three" } do
    aws.secretsmanager:delete_secret { SecretId = name, ForceDeleteWithoutRecovery = true }
  end
end

local ssm = { name = "ssm" }

function ssm.there() return dosrun.try(aws.ssm.get_parameter, aws.ssm, { Name = "/judge/a" }) ~= nil end

function ssm.make()
  local c = aws.ssm
  for i, name in ipairs { "a", "b", "c", "d", "e", "f" } do
    c:put_parameter { Name = "/judge/" .. name, Value = "judge-value-" .. i .. " ü", Type = "String" }
  end
  c:put_parameter { Name = "/judge/list", Value = "judge-x,judge-y", Type = "StringList", Description = "a list" }
  c:put_parameter { Name = "/judge/a", Value = "judge-value-changed", Type = "String", Overwrite = true }
  local got = c:get_parameter { Name = "/judge/a" }.Parameter.Value
  if dosrun.sha256(got) ~= dosrun.sha256 "judge-value-changed" then error { message = "ssm: another value" } end
  c:add_tags_to_resource { ResourceType = "Parameter", ResourceId = "/judge/a", Tags = dosrun.array { { Key = "k", Value = "v" } } }
  c:label_parameter_version { Name = "/judge/a", ParameterVersion = 2, Labels = dosrun.array { "current" } }
end

function ssm.clear()
  local names = dosrun.array {}
  for i, one in ipairs(aws.ssm:items("get_parameters_by_path", { Path = "/judge", MaxResults = 3 })) do names[i] = one.Name end
  aws.ssm:delete_parameters { Names = names }
end

local acm = { name = "acm" }

function acm.there() return find(aws.acm:items("list_certificates", {}), "DomainName", "judge.test") ~= nil end

function acm.make()
  local arn = aws.acm:request_certificate { DomainName = "judge.test", ValidationMethod = "DNS",
    SubjectAlternativeNames = dosrun.array { "*.judge.test" }, IdempotencyToken = "judge" }.CertificateArn
  aws.acm:add_tags_to_certificate { CertificateArn = arn, Tags = dosrun.array { { Key = "team", Value = "games" } } }
  aws.acm:describe_certificate { CertificateArn = arn }
end

function acm.clear()
  aws.acm:delete_certificate { CertificateArn = find(aws.acm:items("list_certificates", {}), "DomainName", "judge.test").CertificateArn }
end

return { iam, sts, kms, secrets, ssm, acm }
