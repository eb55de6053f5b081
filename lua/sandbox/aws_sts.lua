-- Security Token Service. Source: AWS STS API Reference, each action's page; "User unique identifiers" (IAM User Guide).
local common = require "aws_common"
local M = {}

function M.GetCallerIdentity(_, call)
  return { Account = cloud.account, Arn = call.arn, UserId = call.user_id }
end

-- Does a statement of the trust policy let this account in?
local function trusts(role, call)
  local policy = cloud.json(role.policy)
  local mine = { ["*"] = true, [cloud.account] = true, [call.arn] = true,
    [common.arn("iam", "", "root")] = true }
  local statements = policy and policy.Statement or {}
  if statements.Effect then statements = { statements } end
  for _, statement in ipairs(statements) do
    local principal = statement.Principal
    local names = type(principal) == "userdata" and principal.AWS or principal
    if type(names) == "string" then names = { names } end
    for _, name in ipairs(names or {}) do
      if statement.Effect == "Allow" and mine[name] then return true end
    end
  end
  return false
end

function M.AssumeRole(input, call)
  local name = input.RoleArn:match("^arn:aws:iam::" .. cloud.account .. ":role/(.+)$")
  local role = name and cloud.see("iam/Role", name:match("[^/]+$"))
  if not role or not trusts(role, call) then
    common.fail("AccessDenied", ("User: %s is not authorized to perform: sts:AssumeRole on resource: %s"):format(call.arn,
      input.RoleArn), 403)
  end
  local seconds = input.DurationSeconds or 3600
  if seconds > role.max_session then
    common.fail("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
  end
  local purpose = "sts/session/" .. input.RoleArn .. "/" .. input.RoleSessionName .. "/" .. call.request_id
  local key = common.id("ASIA", purpose, 16)
  local session = { role = input.RoleArn, expires = cloud.now() + seconds, secret = cloud.hex(purpose .. "/secret", 40),
    token = cloud.base64(cloud.hex(purpose .. "/token", 64)), user_id = role.made.id .. ":" .. input.RoleSessionName,
    arn = ("arn:aws:sts::%s:assumed-role/%s/%s"):format(cloud.account, role.name, input.RoleSessionName) }
  cloud.put("sts/Session", key, session)
  return {
    Credentials = { AccessKeyId = key, SecretAccessKey = session.secret, SessionToken = session.token,
      Expiration = session.expires },
    AssumedRoleUser = { AssumedRoleId = session.user_id, Arn = session.arn },
    SourceIdentity = input.SourceIdentity,
  }
end

return M
