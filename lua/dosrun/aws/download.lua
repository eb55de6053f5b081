-- aws.download: a file of the project holds what an object of S3 does. The object's checksum says whether it does already;
-- it is written beside its place, compared, then takes it. Undo: file.restore.
local native = require "dosrun.native.file"
local changes = require "dosrun.native.change"
local script = require "dosrun.native.script"
local verb = require "dosrun.verb"
local play = require "dosrun.playbook"

local KEPT_MAX = 4 << 20 -- what is replaced is kept for its undo up to this size
local KINDS = { "CRC64NVME", "CRC32C", "CRC32", "SHA1", "SHA256" }

local M = {}

-- What a use of the verb needs besides its plain input: call(operation, params, into); what HeadObject said last; done.
local uses = setmetatable({}, { __mode = "k" })

local object = { "Bucket", "Key", "VersionId", "RequestPayer", "ExpectedBucketOwner", "SSECustomerAlgorithm", "SSECustomerKey" }
local known = { to = true, replace = true, region = true, role = true, endpoint_url = true }
for _, name in ipairs(object) do known[name] = true end

local function params_of(input, more)
  for _, name in ipairs(object) do more[name] = input[name] end
  return more
end

-- The kind of checksum that tells whether a file is this object, and what it must be. Parts' sums of sums tell nothing of the
-- whole, nor does the ETag of what is encrypted with a key; then none.
local function sum_of(remote)
  for _, kind in ipairs(KINDS) do
    local text = remote["Checksum" .. kind]
    if text and remote.ChecksumType ~= "COMPOSITE" and not text:find("-", 1, true) then return kind, text end
  end
  local etag = (remote.ETag or ""):match('^"?(%x+)"?$')
  local plain = not remote.SSECustomerAlgorithm and (remote.ServerSideEncryption or "AES256") == "AES256"
  if etag and #etag == 32 and plain then return "MD5", etag end
end

local download = {
  name = "aws.download", class = "reversible", bound_ms = 0, rewants = true,
  key = function(input) return "file " .. input.to end,
  look = function(input)
    local use = uses[input]
    local ok, remote = pcall(use.call, "HeadObject", params_of(input, { ChecksumMode = "ENABLED" }))
    if not ok and not (remote.status == 404 and changes.mode() ~= "forward") then error(remote, 0) end
    use.remote = ok and remote or nil -- not there yet: an earlier step of this plan makes it
    local kind = use.remote and sum_of(remote)
    local now = native.sums(input.to, kind and kind:lower())
    if not now then return nil end
    if kind == "MD5" then
      now.sum = now.hex
    elseif use.remote and not kind then -- as `aws s3 sync` tells
      now.sum = (use.done or now.modified >= remote.LastModified) and "not older" or "older"
    end
    if now.size <= KEPT_MAX then now.state = native.state(input.to) end
    return now
  end,
  want = function(input)
    local remote = uses[input].remote
    if not remote then return script.unknown(("s3://%s/%s"):format(input.Bucket, input.Key)) end
    local kind, sum = sum_of(remote)
    return { size = remote.ContentLength, sum = kind and sum or "not older" }
  end,
  same = function(now, want) return now ~= nil and now.size == want.size and now.sum == want.sum end,
  fields = function(now, want)
    local function show(value) return value and ("%d bytes, %s"):format(value.size, value.sum) or nil end
    return { { path = "", old = show(now), new = show(want) } }
  end,
  act = function(input)
    local use = uses[input]
    native.admit(input.to)
    use.call("GetObject", params_of(input, { IfMatch = use.remote.ETag }), native.absolute(input.to))
    use.done = true
  end,
  record_before = function(before) return before and before.state and { state = before.state } or before end,
  record = function(value)
    return value and { size = value.size, sum = value.sum, sha256 = value.sha256, mode = value.mode }
  end,
  undo_data = function(input, before)
    if input.replace then return { op = "none", why = ("what %s held is not kept"):format(input.to) } end
    if before and not before.state then
      play.fail(3, "aws.download: %s is there already, and too large (over 4 MiB) to be kept for an undo; "
        .. "replace = true gives it up", input.to)
    end
    return { op = "file.restore", path = native.absolute(input.to), state = before and before.state or { missing = true } }
  end,
  result = function(after, input)
    local remote = uses[input].remote
    return { path = input.to, size = after.size, etag = remote and remote.ETag }
  end,
}

-- request: dosrun.aws's own.
function M.download(given, client_of, request)
  if type(given) ~= "table" then play.fail(3, 'aws.download takes { Bucket = ..., Key = ..., to = "PATH" }') end
  play.check_names(given, known, "aws.download", 3)
  play.check_path(given.to, "aws.download: to")
  local input, client = {}, client_of("s3", given)
  for name in pairs(known) do input[name] = given[name] end
  uses[input] = { call = function(operation, params, into) return (request(client, operation, params, into)) end }
  local spec = given.replace and setmetatable({ class = "pivot" }, { __index = download }) or download
  return verb.drive(spec, input)
end

return M
