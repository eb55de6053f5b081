-- What spec files see: `dosrun test`.
local path = { "playbook", "string", "its path: playbooks/hello.lua" }
local args = { "args", "string[]?", "its arguments" }
local options = { "options", "table?", '{ faults = { "12:late" }, crash = "9:sent", set = {...}, seed = 1, target = "...", yes = true, edited = true }' }
local result = { "dosrun.Result", "" }

return {
  { class = "dosrun.Result", word = "result", summary = "what a run in a spec was",
    fields = {
      { "exit", "integer", "the exit code; 137 after a crash" }, { "how", "string", '"done", "undone", "stopped", ...' },
      { "error", "{ message: string, explain: string, file: string, line: integer, step: string }?", "" },
      { "changes", "table[]", "{ key, verb, step, class, outcome }; of a plan { key, sign, fields }" },
      { "calls", "table[]", "{ attempt, class, method, url, step }" }, { "events", "table[]", "all of them" }, { "run", "string", "the run's id" },
      { "text", "string", "what it printed as a result" }, { "stdout", "string", "" }, { "stderr", "string", "" },
    } },
  { class = "dosrun.Test", word = "t", summary = "what the function of a test gets" },
  { "test", global = true, summary = "declares a test: it has a simulated cloud of its own, empty at first",
    params = { { "name", "string", "" }, { "body", "fun(t: dosrun.Test)", "" } } },
  { "t:run", class = "dosrun.Test", summary = "runs a playbook in the test's sandbox",
    params = { path, args, options },
    returns = result },
  { "t:plan", class = "dosrun.Test", summary = "what a run would change; exit 2 when there is something",
    params = { path, args, options },
    returns = result },
  { "t:check", class = "dosrun.Test", summary = "checks a playbook offline",
    params = { path, args, options },
    returns = result },
  { "t:resume", class = "dosrun.Test", summary = "goes on with the run that was interrupted",
    params = { options },
    returns = result },
  { "t:rollback", class = "dosrun.Test", summary = "undoes the last run", params = { options }, returns = result },
  { "t:store", class = "dosrun.Test", summary = "the simulated cloud as text, sorted; two of them can be compared",
    returns = { "string", "" } },
  { "t:sandbox", class = "dosrun.Test",
    summary = "scripts hosts and programs for the runs that follow, as tests/sandbox.lua does",
    params = { { "text", "string", 'sandbox.http("https://shop.test/", function(request) return { status = 200, json = {} } end)' } } },
  { "t:ok", class = "dosrun.Test", summary = "fails the test unless the condition holds",
    params = { { "condition", "any", "" }, { "text", "string?", "" } } },
  { "t:equal", class = "dosrun.Test", summary = "fails the test unless both are equal, in depth",
    params = { { "found", "any", "" }, { "want", "any", "" }, { "text", "string?", "" } } },
  { "t:match", class = "dosrun.Test", summary = "fails the test unless the text matches a Lua pattern",
    params = { { "text", "string", "" }, { "pattern", "string", "" } } },
  { "r:all", class = "dosrun.Result", summary = "the events of one type",
    params = { { "type", "string", '"change.end"' } },
    returns = { "table[]", "" } },
  { "r:has", class = "dosrun.Result", summary = "does any output hold this text?",
    params = { { "text", "string", "" } },
    returns = { "boolean", "" } },
}
