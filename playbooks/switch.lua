local dosrun = require "dosrun.v1"
local platform = require "platform"

local switch = dosrun.playbook {
  "switch", summary = "Move the players to the other game, step by step, without losing a request",
  args = {
    { "game", dosrun.choice(dosrun.games), optional = true, summary = "the one to move to; the other one when left out" },
    { "tidy", "boolean", summary = "take the old game away afterwards" },
  },
  on_failure = "rollback",
}

-- The game that most players are on.
local function heaviest(shares)
  local best
  for name, weight in pairs(shares) do
    if not best or weight > shares[best] then best = name end
  end
  return best
end

-- Without an argument: the only other game that there is.
local function other_than(current)
  local others = {}
  for _, name in ipairs(dosrun.games) do
    if name ~= current then others[#others + 1] = name end
  end
  if #others ~= 1 then
    error(("%s is played now; name the game to move to: %s"):format(current, table.concat(others, ", ")), 0)
  end
  return others[1]
end

switch:step("games", function(run)
  local current = heaviest(platform.shares())
  if not current then error("nothing is deployed yet: dosrun playbooks/deploy.lua GAME", 0) end
  return { from = current, to = run.args.game or other_than(current) }
end)

-- A game that runs keeps the image that it runs with; one that does not is deployed, its players still none.
switch:step("game", function(run, from)
  local name = from.games.to
  platform.make_game(name, platform.image_of(name) or platform.game_image(run, name))
end)

switch:step("route", function(run, from) platform.make_route(run, from.games.to) end)

switch:step("players", function(run, from)
  local name = from.games.to
  platform.traffic():to(name, {
    steps = { 10, 30, 50, 80, 100 }, interval = run:value("interval", "30s"), gate = platform.page_gate(run, name),
  })
end)

switch:step("tidy", function(run, from)
  local old = from.games.from
  if run.args.tidy and old ~= from.games.to then platform.remove_game(run, old, from.games.to) end
end)

return switch
