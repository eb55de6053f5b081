-- dosrun.aws: every operation of AWS. aws.eks:describe_cluster { name = "demo" }; operations that only read are free, all
-- others are raw calls, for the act of a verb. Members are named as AWS names them, operations as botocore does.
-- aws.query(expression, value) gives what the JMESPath expression finds in it; dosrun.null when that is nothing.
local native = require "dosrun.native.aws"
local files = require "dosrun.native.file"
local changes = require "dosrun.native.change"
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"
local play = require "dosrun.playbook"

local FIRST_MS, MOST_MS = 2000, 15000 -- between two looks of a waiter

local M = { query = native.query }
local Client = {}
local File = { __name = "aws.file" }

-- A file that stands for a streamed body: what is left of params, and its path.
local function body_of(client, operation, params)
  local rest, path
  for name, value in pairs(params or {}) do
    if getmetatable(value) == File then
      local info = native.operation(client.service, operation)
      if name ~= info.body then
        play.fail(3, "%s: %s takes no file%s", info.snake, name, info.body and (", only %s does"):format(info.body) or "")
      end
      path, rest = files.absolute(value.path), {}
      for key, other in pairs(params) do if key ~= name then rest[key] = other end end
    end
  end
  return rest or params, path
end

local function request(client, operation, params, into)
  local options, rest, body_path = client.options, body_of(client, operation, params)
  return native.request {
    body_path = body_path, into = into,
    service = client.service, operation = operation, params = rest, region = options.region, role = options.role,
    endpoint_url = options.endpoint_url, timeout_ms = options.timeout_ms, attempts = options.attempts,
  }
end

local function check_params(params, what)
  if params ~= nil and type(params) ~= "table" then
    play.fail(3, "%s takes one table of parameters, not %s", what, type(params))
  end
  return params or {}
end

-- client:pages("describe_volumes", { ... }): for page in ... do; each page is an answer.
function Client:pages(name, params)
  local operation = native.operation(self.service, name)
  if not operation.pages then play.fail(2, "%s answers in one page; call it as it is", operation.snake) end
  local next_params = check_params(params, operation.snake)
  return function()
    if not next_params then return nil end
    local page = request(self, name, next_params)
    next_params = native.next(self.service, name, next_params, page)
    return page
  end
end

-- client:items("describe_volumes", { ... }) -> what all pages list, in one list.
function Client:items(name, params)
  local operation, list = native.operation(self.service, name), script.array {}
  local expression = operation.pages and operation.pages:match("^[^\n]+")
  for page in self:pages(name, params) do
    local found = native.query(expression, page)
    if found ~= script.null then table.move(found, 1, #found, #list + 1, list) end
  end
  return list
end

local function waiter_of(client, name)
  local waiter, names = native.waiter(client.service, name)
  if waiter then return waiter end
  local known = {}
  for _, one in ipairs(names) do known[one] = true end
  local near = run.suggest(name, known)
  play.fail(3, "%s has no waiter %q%s", client.service, name, near and ("; did you mean %q?"):format(near) or "")
end

-- client:wait("cluster_active", { name = ... }, { timeout = "20m" }) -> the answer that ended it. A failure that waiting
-- does not cure ends it early.
function Client:wait(name, params, options)
  local waiter = waiter_of(self, name)
  check_params(params, name)
  play.check_names(options or {}, { timeout = true }, "aws wait", 2)
  local left_ms = options and options.timeout and play.duration(options.timeout, "timeout") or waiter.delay_ms * waiter.attempts
  local pause_ms = math.min(FIRST_MS, waiter.delay_ms)
  if changes.mode() ~= "forward" then return nil end
  while true do
    local done, answer, status = pcall(request, self, waiter.operation, params)
    local failed = not done and answer or nil
    local state, why = native.judge(self.service, name, done and answer or nil, done and status or failed.status, failed)
    if state == "success" then return done and answer or nil end
    local what = ("aws %s wait %s: %s"):format(self.service, waiter.name, why)
    if state == "failure" then script.raise { kind = "server", code = "WaiterFailed", message = what } end
    if failed and failed.code == nil then error(failed, 0) end
    if left_ms <= 0 then script.raise { kind = "timeout", code = "WaiterTimeout", message = what } end
    run.sleep(math.min(pause_ms, left_ms))
    left_ms, pause_ms = left_ms - pause_ms, math.min(pause_ms * 3 // 2, MOST_MS)
  end
end

-- Any other name is an operation.
local face = {
  __name = "AWS client",
  __index = function(client, name)
    if Client[name] then return Client[name] end
    local operation = native.operation(client.service, name)
    local function call(self, params)
      if self ~= client then play.fail(2, "call it with a colon: aws.%s:%s { ... }", client.service, operation.snake) end
      return (request(client, name, check_params(params, operation.snake)))
    end
    rawset(client, name, call)
    return call
  end,
}

local function client_of(service, options)
  return setmetatable({
    service = native.service(service),
    options = { region = options.region, role = options.role, endpoint_url = options.endpoint_url, attempts = options.attempts,
      timeout_ms = options.timeout and play.duration(options.timeout, "timeout") },
  }, face)
end

-- aws.client("ec2", { region = "us-east-1", role = "arn:...", endpoint_url = ..., attempts = ..., timeout = ... })
function M.client(service, options)
  play.check_names(options or {}, { region = true, role = true, endpoint_url = true, attempts = true, timeout = true }, "aws.client", 2)
  return client_of(service, options or {})
end

-- aws.file "assets/doom.wad": a file of the project as the streamed body of a call. It is sent as it is read, whatever its size.
function M.file(path)
  play.check_path(path, "aws.file")
  return setmetatable({ path = path }, File)
end

-- aws.download { Bucket = "games", Key = "doom.wad", to = "assets/doom.wad" }: the file holds what the object does.
function M.download(given)
  return require("dosrun.aws.download").download(given, client_of, request)
end

-- aws.ensure { kind = "ecr.repository", name = "games/doom", ... }: one resource made so; what AWS describes of it.
function M.ensure(given) return require("dosrun.aws.ensure").ensure(given) end

-- aws.kind("sqs.queue", { service = "sqs", find = ..., create = ..., delete = ..., fields = { ... } }): one more for aws.ensure.
function M.kind(name, def)
  require "dosrun.aws.kinds"
  require("dosrun.aws.kind").define(name, def)
end

-- aws.eks, aws.sso_oidc: a client with the target's region and identity.
return setmetatable(M, {
  __index = function(self, name)
    local client = client_of((name:gsub("_", "-")), {})
    rawset(self, name, client)
    return client
  end,
})
