-- playbooks/status.lua: what stands, without changing or locking anything.
local function row_of(result, name)
  for _, report in ipairs(result:all("report")) do
    for _, row in ipairs(report.rows or {}) do if row[1] == name then return row end end
  end
end

test("says that nothing is deployed", function(t)
  local run = t:run("playbooks/status.lua")
  t:equal(run.exit, 0)
  t:match(run.text, "nothing is deployed here")
end)

test("shows who gets the players, and no drift right after a switch", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }).exit, 0)
  t:equal(t:run("playbooks/switch.lua", { "civ" }).exit, 0)
  local run = t:run("playbooks/status.lua")
  t:equal(run.exit, 0)
  t:equal(row_of(run, "game-civ")[4], "100 %")
  t:equal(row_of(run, "game-doom")[4], "0 %")
  t:equal(row_of(run, "stats-api")[2], "2/2")
  t:match(run.text, "shows CIVILIZATION")
end)

test("works beside an unfinished run", function(t)
  t:equal(t:run("playbooks/deploy.lua", { "doom" }, { crash = "60:sent" }).exit, 137)
  local run = t:run("playbooks/status.lua")
  t:ok(run.exit == 0 or run.exit == 2, "it is no lock's business")
end)
