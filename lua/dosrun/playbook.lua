-- Playbooks: what a file declares (arguments, steps, their order), checked as it is declared.
local script = require "dosrun.native.script"
local run = require "dosrun.native.run"
local changes = require "dosrun.native.change"

local M = {}

local Playbook = {}
Playbook.__index = Playbook
Playbook.__name = "playbook"

local function fail(level, message, ...)
  run.raise("usage", "S404", message:format(...), level)
end
M.fail = fail

-- Milliseconds in "30s", "5m", "1h30m", "250ms", or a number of seconds.
function M.duration(text, what)
  if math.type(text) == "integer" or type(text) == "number" then return math.floor(text * 1000) end
  local unit = { ms = 1, s = 1000, m = 60000, h = 3600000, d = 86400000 }
  local total, rest = 0, type(text) == "string" and text or ""
  while rest ~= "" do
    local number, name, tail = rest:match("^(%d+%.?%d*)(%a+)(.*)$")
    if not number or not unit[name] then total = nil break end
    total, rest = total + tonumber(number) * unit[name], tail
  end
  if not total or text == "" then
    fail(2, '%s: %s is no duration; write "30s", "5m" or "1h30m"', what or "duration", tostring(text))
  end
  return math.floor(total)
end

local known_options = { needs = true, timeout = true, keep = true, retry = true }

local function check_names(given, known, what, level)
  for name in pairs(given) do
    if type(name) == "string" and not known[name] then
      local near = run.suggest(name, known)
      fail(level + 1, "%s has no field %q%s", what, name, near and ("; did you mean %q?"):format(near) or "")
    end
  end
end
M.check_names = check_names

-- A path of the project, given to a function of ours by a playbook.
function M.check_path(path, what)
  if type(path) ~= "string" or path == "" then fail(3, "%s takes a path", what) end
  for part in path:gmatch("[^/]+") do
    if part == ".." then fail(3, '%s: a path may not leave the project by "..": %s', what, path) end
  end
end

local known_argument = { optional = true, default = true, secret = true, summary = true }

local function argument_of(spec, index, seen)
  if type(spec) ~= "table" or type(spec[1]) ~= "string" then
    fail(4, "argument %d: write { \"name\", type } with a name", index)
  end
  local name, kind = spec[1], spec[2] or "string"
  if type(kind) == "table" and kind.choice then
    if #kind.choice == 0 then fail(4, "argument %q: the choice is empty", name) end
  elseif kind ~= "string" and kind ~= "integer" and kind ~= "boolean" and kind ~= "duration" then
    fail(4, "argument %q: %s is no type; take \"string\", \"integer\", \"boolean\", \"duration\" or dosrun.choice{...}", name, tostring(kind))
  end
  if seen[name] then fail(4, "argument %q is declared twice", name) end
  if run.option(name) then fail(4, "argument %q: dosrun has an option of that name; choose another", name) end
  check_names(spec, known_argument, ("argument %q"):format(name), 4)
  seen[name] = true
  return {
    name = name, kind = kind, optional = spec.optional or spec.default ~= nil or kind == "boolean",
    default = spec.default, secret = spec.secret, summary = spec.summary,
  }
end

local known_playbook = { summary = true, args = true, on_failure = true, reads = true, pivots = true }

-- dosrun.playbook { "name", summary = ..., args = { { "game", "string" }, ... }, on_failure = "rollback"|"stop", reads = bool,
-- pivots = bool }. pivots: it may change what nothing brings back, so it is asked for (--yes) before its first step.
function M.playbook(spec)
  if type(spec) ~= "table" or type(spec[1]) ~= "string" then fail(2, 'dosrun.playbook takes { "name", summary = ..., args = {...} }') end
  check_names(spec, known_playbook, "a playbook", 2)
  local on_failure = spec.on_failure or "rollback"
  if on_failure ~= "rollback" and on_failure ~= "stop" then
    fail(2, 'on_failure is "rollback" or "stop", not %s', tostring(on_failure))
  end
  local args, seen = {}, {}
  for index, one in ipairs(spec.args or {}) do args[index] = argument_of(one, index, seen) end
  return setmetatable({
    name = spec[1], summary = spec.summary, args = args, on_failure = on_failure, reads = spec.reads or false,
    pivots = spec.pivots or false, steps = {}, index = {},
  }, Playbook)
end

-- playbook:step(name, [options], function(run, from) ... end)
function Playbook:step(name, options, body)
  if type(options) == "function" then options, body = {}, options end
  if type(name) ~= "string" or name == "" then fail(2, "a step needs a name") end
  if type(body) ~= "function" then fail(2, "step %q needs a function(run, from)", name) end
  if self.index[name] then fail(2, "step %q is declared twice", name) end
  check_names(options, known_options, ("step %q"):format(name), 2)
  local needs = {}
  if options.needs == nil then
    for i = 1, #self.steps do needs[i] = i end
  else
    for i, other in ipairs(options.needs) do
      needs[i] = self.index[other]
      if not needs[i] then
        local near = run.suggest(other, self.index)
        fail(2, "step %q needs %q, which is not declared above it%s", name, tostring(other),
          near and ("; did you mean %q?"):format(near) or "")
      end
    end
  end
  self.steps[#self.steps + 1] = {
    name = name, needs = needs, body = body, keep = options.keep or false, retry = options.retry or 0,
    timeout_ms = options.timeout and M.duration(options.timeout, ("timeout of step %q"):format(name)) or 0,
  }
  self.index[name] = #self.steps
  return self
end

-- playbook:include(other, args): the steps of another playbook, named "other/step", after all steps above.
function Playbook:include(other, args)
  if getmetatable(other) ~= Playbook then fail(2, "include takes a playbook (what the file returns)") end
  local base, above = #self.steps, {}
  for i = 1, base do above[i] = i end
  for index, step in ipairs(other.steps) do
    local needs = table.move(above, 1, base, 1, {})
    for _, need in ipairs(step.needs) do needs[#needs + 1] = base + need end
    local name = other.name .. "/" .. step.name
    if self.index[name] then fail(2, "step %q is there already: include a playbook once", name) end
    self.steps[base + index] = {
      name = name, needs = needs, keep = step.keep, retry = step.retry, timeout_ms = step.timeout_ms,
      body = function(run, from)
        local inner = {}
        for key, value in pairs(from) do
          local short = key:match("^" .. other.name:gsub("%p", "%%%0") .. "/(.*)$")
          if short then inner[short] = value end
        end
        return step.body(setmetatable({ args = args or {} }, { __index = run }), inner)
      end,
    }
    self.index[name] = base + index
  end
  return self
end

function M.choice(...)
  local list = ...
  if type(list) ~= "table" then list = { ... } end
  return { choice = list }
end

-- ---- what the engine asks of a loaded playbook ----

function M.about(playbook)
  if getmetatable(playbook) ~= Playbook then
    fail(2, "a playbook file ends with `return playbook`; this one returned %s", type(playbook))
  end
  local steps, args = {}, {}
  for i, step in ipairs(playbook.steps) do
    steps[i] = {
      name = step.name, needs = script.array(step.needs), keep = step.keep, retry = step.retry, timeout_ms = step.timeout_ms,
    }
  end
  for i, arg in ipairs(playbook.args) do
    args[i] = {
      name = arg.name, type = type(arg.kind) == "table" and "choice" or arg.kind, optional = arg.optional,
      choice = type(arg.kind) == "table" and script.array(arg.kind.choice) or nil, summary = arg.summary,
      secret = arg.secret or nil,
    }
  end
  return {
    name = playbook.name, summary = playbook.summary, on_failure = playbook.on_failure, reads = playbook.reads,
    pivots = playbook.pivots, steps = script.array(steps), args = script.array(args),
  }
end

local function usage_of(playbook)
  local words = { "dosrun " .. run.playbook_path() }
  for _, arg in ipairs(playbook.args) do
    local word = arg.kind == "boolean" and "--" .. arg.name or arg.name:upper()
    words[#words + 1] = arg.optional and "[" .. word .. "]" or word
  end
  return table.concat(words, " ")
end

local function convert(playbook, arg, text)
  local kind = arg.kind
  if type(kind) == "table" then
    for _, choice in ipairs(kind.choice) do if choice == text then return text end end
    local set = {}
    for _, choice in ipairs(kind.choice) do set[choice] = true end
    local near = run.suggest(text, set)
    fail(0, "argument %s: %q is none of %s%s", arg.name, text, table.concat(kind.choice, ", "),
      near and ("; did you mean %q?"):format(near) or "")
  elseif kind == "integer" then
    local number = text:match("^-?%d+$") and math.tointeger(tonumber(text))
    if not number then fail(0, "argument %s: %q is no whole number\nusage: %s", arg.name, text, usage_of(playbook)) end
    return number
  elseif kind == "duration" then
    M.duration(text, "argument " .. arg.name)
  end
  return arg.secret and script.secret(text) or text
end

-- Turns command-line words into the arguments' table.
function M.arguments(playbook, words)
  local values, position, options_end = {}, {}, false
  local by_name = {}
  for _, arg in ipairs(playbook.args) do
    by_name[arg.name] = arg
    if arg.kind ~= "boolean" then position[#position + 1] = arg end
  end
  local next_one = 1
  for _, word in ipairs(words) do
    local name, value = word:match("^%-%-([%w_-]+)=?(.*)$")
    if word == "--" and not options_end then
      options_end = true
    elseif name and not options_end then
      local arg = by_name[name]
      if not arg or arg.kind ~= "boolean" then
        local near = run.suggest(name, by_name)
        fail(0, "%s has no option --%s%s\nusage: %s", playbook.name, name,
          near and ("; did you mean --%s?"):format(near) or "", usage_of(playbook))
      end
      values[name] = value == "" or value == "true"
    else
      local arg = position[next_one]
      if not arg then fail(0, "%s takes no argument %q\nusage: %s", playbook.name, word, usage_of(playbook)) end
      values[arg.name] = convert(playbook, arg, word)
      next_one = next_one + 1
    end
  end
  for _, arg in ipairs(playbook.args) do
    if values[arg.name] == nil then
      if not arg.optional then
        local choice = type(arg.kind) == "table" and " (" .. table.concat(arg.kind.choice, ", ") .. ")" or ""
        fail(0, "%s needs the argument %s%s\nusage: %s", playbook.name, arg.name, choice, usage_of(playbook))
      end
      values[arg.name] = arg.default
      if arg.kind == "boolean" and arg.default == nil then values[arg.name] = false end
    end
  end
  return values
end

-- What a step's function gets as `run`.
local Run = {}
Run.__index = Run

function Run.log(_, text, ...) run.log("info", select("#", ...) > 0 and text:format(...) or text) end
function Run.warn(_, text, ...) run.log("warning", select("#", ...) > 0 and text:format(...) or text) end
function Run.sleep(_, duration) run.sleep(M.duration(duration, "sleep")) end
-- run:planning(): nothing is changed in this run (plan, check), so there is no use in waiting for an effect.
function Run.planning() return changes.mode() ~= "forward" end
-- run:drift{ {what = ..., want = ..., found = ...}, ... }: differences that a reading playbook found; exit 2.
function Run.drift(_, list) run.drift(script.array(list)) end
-- run:report{ title = ..., columns = {...}, rows = {{...}} }: a table on stdout.
function Run.report(_, facts) run.report(facts) end
-- run:value(name, fallback): a setting of targets.lua or --set.
function Run.value(self, name, fallback)
  local value = self.values[name]
  if value == nil then return fallback end
  return value
end

function M.start(playbook, index, from)
  local step, facts = playbook.steps[index], setmetatable(run.info(), Run)
  if changes.mode() == "check" then return require("dosrun.offline").step(step.body, facts, from) end
  return step.body(facts, from)
end

return M
