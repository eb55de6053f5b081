-- A file goes up, as one request; an object comes down.
local dosrun = require "dosrun.v1"
local aws = dosrun.aws

local files = dosrun.playbook { "files", args = { { "way", dosrun.choice { "up", "down", "key", "round" } },
  { "path" }, { "key", default = "big" }, { "bucket", default = "files" } } }

local send = dosrun.verb { "send", class = "reversible",
  key = function(i) return ("s3://%s/%s"):format(i.bucket, i.key) end,
  look = function(i)
    local found = dosrun.try(aws.s3.head_object, aws.s3, { Bucket = i.bucket, Key = i.key, ChecksumMode = "ENABLED" })
    return found and found.ChecksumCRC32
  end,
  want = function(i) return i.sum end,
  act = function(i) aws.s3:put_object { Bucket = i.bucket, Key = i.key, Body = aws.file(i.path) } end,
  undo = function(i) aws.s3:delete_object { Bucket = i.bucket, Key = i.key } end }

local wrong = dosrun.verb { "wrong", class = "reversible",
  key = function() return "wrong" end, look = function() end, want = function() return 1 end,
  act = function(i) aws.s3:put_object { Bucket = i.bucket, Key = aws.file(i.path) } end, undo = function() end }

files:step("move", function(run)
  local a = run.args
  if a.way == "up" then return send { bucket = a.bucket, key = a.key, path = a.path, sum = run:value("sum", "any") } end
  if a.way == "round" then
    aws.ensure { kind = "s3.bucket", name = a.bucket }
    send { bucket = a.bucket, key = a.key, path = a.path, sum = run:value("sum") }
    return aws.download { Bucket = a.bucket, Key = a.key, to = a.path .. ".again" }
  end
  if a.way == "key" then return wrong { bucket = a.bucket, path = a.path } end
  return aws.download { Bucket = a.bucket, Key = a.key, to = a.path }
end)

return files
