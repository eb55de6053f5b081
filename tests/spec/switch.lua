-- playbooks/switch.lua: players move step by step, and back when a gate says no.
local function steps(result)
  local list = {}
  for _, event in ipairs(result:all("change.intent")) do
    if event.key == "Route dos-game/games game" then list[#list + 1] = event.want.weights["game-civ"] end
  end
  return list
end

test("moves by 10, 30, 50, 80, 100 to a game that it deploys first", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  local run = t:run("playbooks/switch.lua", { "civ" })
  t:equal(run.exit, 0)
  t:equal(steps(run), { 10, 30, 50, 80, 100 })
  t:match(t:store(), "# Deployment.apps dos%-game/game%-doom", "the old version stays")
end)

test("without an argument it goes to the other game, and back", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  t:equal(t:run("playbooks/switch.lua").exit, 0)
  t:match(t:run("playbooks/status.lua").text, "shows CIVILIZATION")
  t:equal(t:run("playbooks/switch.lua").exit, 0)
  t:match(t:run("playbooks/status.lua").text, "shows DOOM")
end)

test("nothing deployed: it says so and changes nothing", function(t)
  local before = t:store()
  local run = t:run("playbooks/switch.lua", { "civ" })
  t:equal(run.exit, 1)
  t:match(run.error.message, "nothing is deployed yet")
  t:equal(t:store(), before)
end)

test("a second switch to the same game changes nothing", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "civ" }).exit, 0)
  local run = t:run("playbooks/switch.lua", { "civ" })
  t:equal(run.exit, 0)
  t:equal(#run.changes, 0)
end)

test("a failed gate gives the players back and takes the new game away", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  local good = t:run("playbooks/switch.lua", { "civ" })
  local faults, last = {}, nil
  for _, call in ipairs(good.calls) do
    if call.url:match("^http://") then last = call.attempt end
  end
  t:equal(t:run("playbooks/destroy.lua", {}, { yes = true }).exit, 0)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  local before = t:store()
  -- the last round of pages, and the one that is asked after a failed one
  for n = last - 9, last + 10 do faults[#faults + 1] = n .. ":5xx-before" end
  local run = t:run("playbooks/switch.lua", { "civ" }, { faults = faults })
  t:equal(run.exit, 1)
  t:equal(run.error.explain, "K112")
  t:equal(t:store(), before)
end)

test("a crash between two steps: resume goes on from the weights that are there", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  local route
  for _, call in ipairs(t:run("playbooks/switch.lua", { "civ" }).calls) do
    if call.step == "players" and call.method == "PATCH" then route = route or call.attempt end
  end
  t:equal(t:run("playbooks/destroy.lua", {}, { yes = true }).exit, 0)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  local before = t:store()
  t:equal(t:run("playbooks/switch.lua", { "civ" }, { crash = route .. ":sent" }).exit, 137)
  t:equal(t:rollback().exit, 0)
  t:equal(t:store(), before)
  t:equal(t:run("playbooks/switch.lua", { "civ" }, { crash = route .. ":sent" }).exit, 137)
  local run = t:resume()
  t:equal(run.exit, 0)
  t:equal(steps(run), { 30, 50, 80, 100 })
  t:match(t:run("playbooks/status.lua").text, "shows CIVILIZATION")
end)

test("--tidy takes the old game away", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  t:equal(t:run("playbooks/switch.lua", { "civ", "--tidy" }).exit, 0)
  local store = t:store()
  t:ok(not store:find("# Deployment.apps dos-game/game-doom", 1, true), "doom is gone")
  t:match(store, "# Deployment.apps dos%-game/game%-civ")
end)
