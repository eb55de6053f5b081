-- playbooks/deploy.lua: a game on an empty platform, beside another one, and what a failure leaves.
local function shares(result)
  for _, event in ipairs(result:all("change.intent")) do
    if event.key == "Route dos-game/games game" then return event.want.weights end
  end
end

test("deploys, and a second time changes nothing", function(t)
  local first = t:run("playbooks/deploy.lua", { "doom" })
  t:equal(first.exit, 0)
  t:match(first.text, "doom is on http://")
  local store = t:store()
  t:match(store, "# Deployment.apps dos%-game/game%-doom")
  t:match(store, "@sha256:%x+")
  t:ok(not store:find("game-civ", 1, true), "only the game that was asked for")
  local second = t:run("playbooks/deploy.lua", { "doom" })
  t:equal(second.exit, 0)
  t:equal(#second.changes, 0)
  t:equal(t:store(), store)
end)

test("the plan says it before, and nothing after", function(t)
  local before = t:store()
  local plan = t:plan("playbooks/deploy.lua", { "doom" })
  t:equal(plan.exit, 2)
  t:ok(#plan.changes > 30, "every object is in it")
  t:equal(t:store(), before)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  t:equal(t:plan("playbooks/deploy.lua", { "doom" }).exit, 0)
end)

test("a second game takes the players and leaves the first one running", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  local civ = t:run("playbooks/deploy.lua", { "civ" })
  t:equal(civ.exit, 0)
  t:equal(shares(civ), { ["game-civ"] = 100, ["game-doom"] = 0 })
  t:match(t:store(), "# Deployment.apps dos%-game/game%-doom")
end)

test("an image that is not there: nothing was touched, and the error says where to put it", function(t)
  local before = t:store()
  local run = t:run("playbooks/deploy.lua", { "doom" }, { set = { images = "registry.games.example/nowhere" } })
  t:equal(run.exit, 1)
  t:equal(run.error.explain, "K105")
  t:match(run.error.message, "%-%-set images=HOST/PREFIX")
  t:equal(t:store(), before)
end)

test("a game that nobody has heard of is refused", function(t)
  local run = t:run("playbooks/deploy.lua", { "quake" })
  t:equal(run.exit, 64)
  t:equal(#run.calls, 0)
end)

test("a failure in the middle leaves the store as before", function(t)
  local before = t:store()
  local calls = #t:run("playbooks/deploy.lua", { "doom" }).calls
  t:equal(t:run("playbooks/destroy.lua", {}, { yes = true }).exit, 0)
  t:equal(t:store(), before)
  for _, n in ipairs { calls // 4, calls // 2, calls * 3 // 4 } do
    local run = t:run("playbooks/deploy.lua", { "doom" }, { faults = { n .. "+:forbidden" } })
    t:ok(run.exit == 1 or run.exit == 0 and #run:all("error") == 0, "call " .. n .. ": undone, or not needed")
    if run.exit == 0 then t:equal(t:run("playbooks/destroy.lua", {}, { yes = true }).exit, 0) end
    t:equal(t:store(), before)
  end
end)
