-- Specs of playbooks: each test has a simulated cloud of its own, in a temporary state folder; what it
-- runs is this very binary with --sandbox, so that a spec sees what a user would see.
local native = require "dosrun.native.spec"
local process = require "dosrun.native.process"
local script = require "dosrun.native.script"
local values = require "dosrun.values"
local play = require "dosrun.playbook"

local M = {}

local tests = {}

local function fail(message, ...)
  script.raise { kind = "conflict", code = "SpecFailed", message = select("#", ...) > 0 and message:format(...) or message }
end

local Test = {}
Test.__index = Test
Test.__name = "test"

-- ---- what a run was ----

local Result = {}
Result.__index = Result

-- Every event of one type: r:all("change.end").
function Result:all(kind)
  local list = {}
  for _, event in ipairs(self.events) do if event.type == kind then list[#list + 1] = event end end
  return list
end

-- Does anything of it (output, errors, events) hold this text?
function Result:has(text) return (self.stdout .. self.stderr):find(text, 1, true) ~= nil end

local function read_events(text)
  local events = {}
  for line in text:gmatch("[^\n]+") do
    local ok, event = pcall(script.json_decode, line)
    if ok and type(event) == "table" then events[#events + 1] = event end
  end
  return events
end

local function changes_of(result)
  local list, by_key = {}, {}
  for _, event in ipairs(result.events) do
    if event.type == "change.intent" and not by_key[event.key] then
      list[#list + 1] = { key = event.key, verb = event.verb, step = event.step, class = event.class }
      by_key[event.key] = list[#list]
    elseif event.type == "change.end" and by_key[event.key] then
      by_key[event.key].outcome = event.outcome
    elseif event.type == "change.would" then
      list[#list + 1] = { key = event.key, verb = event.verb, step = event.step, class = event.class, sign = event.sign, fields = event.fields }
    end
  end
  return list
end

local function calls_of(result)
  local list = {}
  for _, event in ipairs(result.events) do
    if event.type == "call.intent" or event.type == "call.read" then
      list[#list + 1] = {
        attempt = event.attempt, class = event.type == "call.intent" and "changing" or "reads", method = event.method, url = event.url,
        step = event.step, status = event.status,
      }
    end
  end
  table.sort(list, function(a, b) return (a.attempt or 0) < (b.attempt or 0) end)
  return list
end

local function result_of(answer)
  local result = setmetatable({ exit = answer.status, stdout = answer.stdout, stderr = answer.stderr, events = read_events(answer.stdout) }, Result)
  local texts = {}
  for _, event in ipairs(result.events) do
    if event.type == "error" then
      result.error = { message = event.message, explain = event.explain, file = event.file, line = event.line, step = event.step }
    elseif event.type == "summary" then
      result.how, result.summary = event.how, event
    elseif event.type == "run" then
      result.run = event.id
    elseif (event.type == "text" or event.type == "report") and event.text then
      texts[#texts + 1] = event.text
    end
  end
  result.text = table.concat(texts)
  result.changes, result.calls = changes_of(result), calls_of(result)
  return result
end

-- ---- what a test can do ----

local known = {
  faults = true, crash = true, set = true, seed = true, target = true, on_failure = true, adopt = true, yes = true, edited = true, max_parallel = true,
}

local function options_to_words(options, what)
  options = options or {}
  play.check_names(options, known, what, 3)
  local words = {}
  local function add(name, value)
    if value ~= nil then words[#words + 1] = ("--%s=%s"):format(name, tostring(value)) end
  end
  for _, fault in ipairs(options.faults or {}) do add("fault", fault) end
  for name, value in pairs(options.set or {}) do add("set", ("%s=%s"):format(name, tostring(value))) end
  for _, id in ipairs(options.adopt or {}) do add("adopt", id) end
  add("crash", options.crash)
  add("seed", options.seed and math.tointeger(options.seed) or nil)
  add("target", options.target)
  add("on-failure", options.on_failure)
  add("max-parallel", options.max_parallel)
  if options.yes then words[#words + 1] = type(options.yes) == "string" and "--yes=" .. options.yes or "--yes" end
  if options.edited then words[#words + 1] = "--edited" end
  return words
end

local function dosrun(test, words, options, what)
  local argv = { native.binary(), "--sandbox", "--state", test.state, "--output", "jsonl" }
  table.move(options_to_words(options, what), 1, 256, #argv + 1, argv)
  table.move(words, 1, #words, #argv + 1, argv)
  return result_of(process.run {
    argv = argv, reads = true, env = test.script and { "DOSRUN_SANDBOX_SCRIPT=" .. test.script } or nil, timeout_ms = 600000,
  })
end

local function with_arguments(word, playbook, args)
  if type(playbook) ~= "string" then play.fail(3, 'a test runs a playbook by its path: t:run("playbooks/hello.lua")') end
  local words = { playbook }
  if word then table.insert(words, 1, word) end
  for _, arg in ipairs(args or {}) do words[#words + 1] = tostring(arg) end
  return words
end

-- t:run("playbooks/deploy.lua", { "doom" }, { faults = { "12:late" }, crash = "9:sent", set = { name = value }, seed = 1 })
function Test:run(playbook, args, options) return dosrun(self, with_arguments(nil, playbook, args), options, "t:run") end
function Test:plan(playbook, args, options) return dosrun(self, with_arguments("plan", playbook, args), options, "t:plan") end
function Test:check(playbook, args, options) return dosrun(self, with_arguments("check", playbook, args), options, "t:check") end
function Test:resume(options) return dosrun(self, { "resume" }, options, "t:resume") end
function Test:rollback(options) return dosrun(self, { "rollback" }, options, "t:rollback") end
-- t:store(): the simulated cloud as text, sorted; two of them can be compared.
function Test:store() return dosrun(self, { "sandbox", "show" }, nil, "t:store").text end

-- t:sandbox [[ sandbox.http("https://shop.test/", function(request) ... end) ]]: hosts and programs for the
-- runs that follow, as in tests/sandbox.lua.
function Test:sandbox(text)
  self.script = self.state .. "/spec-sandbox.lua"
  native.write(self.script, text)
end

function Test.ok(_, condition, text)
  if not condition then fail("%s", text or "it is not so") end
end

function Test.equal(_, found, want, text)
  if not values.equal(found, want) then
    fail("%s%s, wanted %s", text and text .. ": " or "", values.show(found), values.show(want))
  end
end

function Test.match(_, text, pattern)
  if type(text) ~= "string" or not text:find(pattern) then fail("%s does not match %q", values.show(text), pattern) end
end

-- ---- running them ----

-- The global of spec files: test("name", function(t) ... end).
function M.test(name, body)
  if type(name) ~= "string" or type(body) ~= "function" then play.fail(2, 'write test("name", function(t) ... end)') end
  tests[#tests + 1] = { name = name, body = body }
end

local function run_one(one)
  local test = setmetatable({ state = native.folder() }, Test)
  local ok, problem = pcall(one.body, test)
  native.remove(test.state)
  if ok then return nil end
  return script.error(problem)
end

-- Runs every test that was declared: how many passed and failed.
function M.run()
  local passed, failed = 0, 0
  for _, one in ipairs(tests) do
    local problem = run_one(one)
    if problem then
      failed = failed + 1
      local where = problem.file and problem.line and ("%s:%d: "):format(problem.file, problem.line) or ""
      native.print(("FAIL %s\n     %s%s\n"):format(one.name, where, problem.message))
    else
      passed = passed + 1
      native.print(("ok   %s\n"):format(one.name))
    end
  end
  native.print(("%d passed, %d failed\n"):format(passed, failed))
  return { passed = passed, failed = failed }
end

return M
