-- dosrun.v1: what playbooks see. Rooms are loaded when they are first named, so that a playbook which
-- never names kube runs on a target of kind "local".
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"
local parallel = require "dosrun.parallel"
local play = require "dosrun.playbook"
local verb = require "dosrun.verb"

local M = {
  playbook = play.playbook,
  choice = play.choice,
  verb = verb.verb,
  known = script.known,
  null = script.null,
  array = script.array,
}

-- The names in manifests/games/, for dosrun.choice.
local function games()
  local names = {}
  for _, file in ipairs(run.project_list("manifests/games") or {}) do
    names[#names + 1] = file:match("^(.+)%.yaml$")
  end
  return names
end

-- dosrun.try(f, ...): its results, or nil and the error. Deadlines and cancellation pass through.
function M.try(f, ...)
  local results = table.pack(pcall(f, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  return nil, results[2]
end

-- dosrun.parallel(f, g, ...), dosrun.parallel({ f, g, ... }, max): side by side, their first results in order.
function M.parallel(first, max, ...)
  if type(first) == "table" then
    max = max or run.info().max_parallel or 8
    if math.type(max) ~= "integer" or max < 1 then
      play.fail(2, "parallel: how many at once is a whole number from 1 on, not %s", tostring(max))
    end
    return { parallel(first, max) }
  end
  local functions = table.pack(first, max, ...)
  return parallel(functions, functions.n)
end

function M.sleep(duration) run.sleep(play.duration(duration, "sleep")) end
function M.log(text, ...) run.log("info", select("#", ...) > 0 and text:format(...) or text) end
function M.warn(text, ...) run.log("warning", select("#", ...) > 0 and text:format(...) or text) end
function M.now() return run.now() end
-- dosrun.secret("purpose", 24): a generated secret, the same on every resume of this run.
function M.secret(purpose, length) return run.secret(purpose, length or 32) end
-- dosrun.read(path): the text of a project file, kept with the run, so that resume and rollback see the same.
M.read = run.read
-- dosrun.files(folder): the names of a project folder's files, sorted, nil when there is none; kept likewise.
M.files = run.project_list
M.base64 = script.base64
M.sha256 = script.sha256
M.json = { encode = script.json, decode = script.json_decode }
M.yaml = { encode = script.yaml, decode = script.yaml_decode }

local rooms = { kube = true, istio = true, image = true, aws = false, http = false, file = false, process = false }

-- A mistyped name is told, not nil.
local function strict(room, name)
  if getmetatable(room) then return room end
  return setmetatable(room, {
    __index = function(self, key)
      local near = run.suggest(tostring(key), self)
      play.fail(2, "dosrun.%s has no %q%s", name, tostring(key), near and ("; did you mean %q?"):format(near) or "")
    end,
  })
end

return setmetatable(M, {
  __index = function(self, name)
    if rooms[name] ~= nil then
      if rooms[name] or name == "aws" then run.uses(name) end
      local room = strict(require("dosrun." .. name), name)
      rawset(self, name, room)
      return room
    elseif name == "games" then
      return games()
    end
    local all = { games = true }
    for key in pairs(self) do all[key] = true end
    for key in pairs(rooms) do all[key] = true end
    local near = run.suggest(tostring(name), all)
    play.fail(2, "dosrun has no %q%s", tostring(name), near and ("; did you mean %q?"):format(near) or "")
  end,
})
