-- Child processes, without a shell. One that only reads says so; any other is an act.
local native = require "dosrun.native.process"
local play = require "dosrun.playbook"

local M = {}

local known = { reads = true, input = true, env = true, cwd = true, timeout = true, check = true }

-- process.run({ "git", "rev-parse", "HEAD" }, { reads = true, input = "", env = {...}, cwd = ..., timeout = "30s" })
-- gives { status, stdout, stderr }; raises when the status is not 0, unless check = false.
function M.run(argv, options)
  options = options or {}
  if type(argv) ~= "table" or #argv == 0 then play.fail(2, 'process.run takes a list: { "program", "argument", ... }') end
  for i, word in ipairs(argv) do
    if type(word) ~= "string" then play.fail(2, "process.run: argument %d is a %s, not a string", i, type(word)) end
  end
  play.check_names(options, known, "process.run", 2)
  local result = native.run {
    argv = argv, reads = options.reads or false, input = options.input, env = options.env, cwd = options.cwd,
    timeout_ms = options.timeout and play.duration(options.timeout, "timeout") or nil,
  }
  if result.status ~= 0 and options.check ~= false then
    local last = result.stderr:match("([^\n]+)\n*$") or result.stdout:match("([^\n]+)\n*$") or ""
    error({ kind = "server", message = ("%s ended with status %d%s"):format(argv[1], result.status, last ~= "" and ": " .. last or ""),
      code = "ExitStatus", status = 0 }, 0)
  end
  return result
end

return M
