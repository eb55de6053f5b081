-- Files of the project, by path relative to its root.
local native = require "dosrun.native.file"
local verb = require "dosrun.verb"
local play = require "dosrun.playbook"

local M = {}

local function path_of(input) return "file " .. input.path end

local write = {
  name = "file.write", class = "reversible", bound_ms = 0,
  key = path_of,
  look = function(input)
    local state = native.state(input.path)
    if state.missing then return nil end
    return state
  end,
  want = function(input, now)
    if input.content == nil then return nil end
    return { content = input.content, mode = input.mode or (now and now.mode) or tonumber("644", 8) }
  end,
  act = function(input, now)
    local want = input.content ~= nil and { content = input.content, mode = input.mode or (now and now.mode) or tonumber("644", 8) }
    native.put(input.path, want or { missing = true })
  end,
  undo_data = function(input, before) return { op = "file.restore", path = native.absolute(input.path), state = before or { missing = true } } end,
  result = function(after) return after and { mode = after.mode } or nil end,
}

-- file.write(path, content, { mode = 420 }): the file holds exactly this text. Undo: file.restore.
function M.write(path, content, options)
  play.check_path(path, "file.write")
  if type(content) ~= "string" then play.fail(2, "file.write(%q): the content must be a string", path) end
  verb.drive(write, { path = path, content = content, mode = options and options.mode })
end

-- file.remove(path): no such file. Undo: file.restore with what it held.
function M.remove(path)
  play.check_path(path, "file.remove")
  verb.drive(write, { path = path })
end

-- file.read(path): its text, or nil when there is none.
function M.read(path)
  play.check_path(path, "file.read")
  return native.read(path)
end

-- file.list(path): names in a folder, sorted; nil when there is none.
function M.list(path)
  play.check_path(path, "file.list")
  return native.list(path)
end

return M
