#!/usr/bin/env bash
# test: specs, each test in a sandbox of its own.
# shellcheck disable=SC2317 # functions are called by check
# shellcheck source=tests/cli/frame
. "$(dirname "$0")/frame"

begin() {
    mkdir -p "$1/playbooks" "$1/tests/spec" && cd "$1"
    cat >playbooks/p.lua <<'EOT'
local dosrun = require "dosrun.v1"
local p = dosrun.playbook { "p", args = { { "text", "string" } } }
p:step("set", function(run) dosrun.http.resource { url = "https://shop.test/banner", body = { text = run.args.text } } end)
p:step("file", function(run) dosrun.file.write("out.txt", run.args.text) end)
return p
EOT
}

passes() {
    begin passes
    cat >tests/spec/p.lua <<'EOT'
local shop = [[
sandbox.http("https://shop.test/", function(request)
  if request.method == "GET" then
    if sandbox.state.banner then return { status = 200, json = sandbox.state.banner } end
    return { status = 404 }
  elseif request.method == "PUT" then sandbox.state.banner = request.json return { status = 200, json = {} }
  else sandbox.state.banner = nil return { status = 204 } end
end)]]

test("runs", function(t)
  t:sandbox(shop)
  local r = t:run("playbooks/p.lua", { "open" })
  t:equal({ r.exit, r.how, #r.changes }, { 0, "done", 2 })
  t:match(r.run, "^r1%-")
  t:ok(#r.calls >= 2 and r.calls[1].attempt == 1)
  t:equal(#r:all("run.end"), 1)
  t:ok(r:has("shop.test"))
end)

test("a test begins with an empty sandbox", function(t)
  t:sandbox(shop)
  t:equal(t:plan("playbooks/p.lua", { "open" }).exit, 2)
  local before = t:store()
  t:equal(t:run("playbooks/p.lua", { "open" }).exit, 0)
  t:ok(t:store() ~= before)
  t:equal(t:plan("playbooks/p.lua", { "open" }).exit, 0)
  t:equal(t:rollback().exit, 0)
  t:equal(t:store(), before)
end)

test("a crash, and on", function(t)
  t:sandbox(shop)
  local attempt
  for _, call in ipairs(t:run("playbooks/p.lua", { "open" }).calls) do
    if call.class == "changing" then attempt = call.attempt end
  end
  t:equal(t:rollback().exit, 0)
  local r = t:run("playbooks/p.lua", { "open" }, { crash = attempt .. ":sent" })
  t:equal(r.exit, 137)
  t:equal(t:run("playbooks/p.lua", { "open" }).exit, 5)
  t:equal(t:resume().exit, 0)
end)

test("a fault is undone", function(t)
  t:sandbox(shop)
  local r = t:run("playbooks/p.lua", { "open" }, { faults = { "1+:forbidden" } })
  t:ok(r.exit == 1 or r.exit == 77, "exit " .. r.exit)
  t:ok(r.error.message ~= "")
end)

test("a mistake has its message", function(t)
  local r = t:run("playbooks/p.lua", {})
  t:equal(r.exit, 64)
  t:match(r.error.message, "needs the argument text")
end)
EOT
    exits 0 "$DOSRUN" test
    has "$out" "5 passed, 0 failed"
    [[ ! -e out.txt && ! -e $DOSRUN_STATE ]]
}

fails() {
    begin fails
    cat >tests/spec/a.lua <<'EOT'
test("equal", function(t)
  t:equal(1, 2, "one")
end)
test("raises", function(t)
  error("boom")
end)
test("wrong option", function(t) t:run("playbooks/p.lua", {}, { fault = "1:late" }) end)
test("passes", function(t) end)
EOT
    exits 1 "$DOSRUN" test tests/spec/a.lua
    has "$out" "FAIL equal"
    has "$out" "tests/spec/a.lua:2: one: 1, wanted 2"
    has "$out" "tests/spec/a.lua:5: boom"
    has "$out" 'did you mean "faults"'
    has "$out" "1 passed, 3 failed"
}

broken() {
    begin broken
    exits 64 "$DOSRUN" test
    has "$talk" "there is no spec in tests/spec"
    printf 'test("x", function(t)\n  t:ok(\nend)\n' >tests/spec/a.lua
    exits 64 "$DOSRUN" test
    has "$talk" "tests/spec/a.lua:3"
    exits 64 "$DOSRUN" test tests/spec/gone.lua
    has "$talk" "tests/spec/gone.lua"
}

left() { # no folder of a test stays
    begin left
    printf 'test("x", function(t) t:store() end)\n' >tests/spec/a.lua
    mkdir tmp
    TMPDIR=$PWD/tmp exits 0 "$DOSRUN" test
    [[ -z $(ls -A tmp) ]]
}

check "test: runs, plans, crashes, faults, rollbacks" passes
check "test: failures have a place" fails
check "test: broken specs" broken
check "test: nothing is left behind" left
finish
